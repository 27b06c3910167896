//! The window: asks and shows. It never opens a vault, a file of it or a
//! connection itself; everything goes through `app` on threads of its own.

pub mod act;
pub mod action;
mod asking;
pub mod audit;
pub mod backend;
pub mod dialogs;
pub mod entries;
pub mod files;
pub mod fonts;
pub mod guide;
mod icon;
pub mod prefs;
pub mod screen;
pub mod sessions;
pub mod settings;
pub mod shell;
pub mod team;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod unlock;
pub mod vpn;
pub mod widgets;
pub mod worker;

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::App;
use crate::app::api::{AppError, Code};
use crate::model::lang::{Bi, Lang};

use winit::event_loop::EventLoop;

use prefs::Prefs;
use screen::RawKeys;
use screen::raw::Listening;
use shell::{Shell, ShellOptions};

/// How to start the window.
pub struct GuiOptions {
    /// The vault, which need not exist yet.
    pub vault: PathBuf,
    /// The person named that vault. Else, where it does not exist, the one chosen
    /// in the window last time is opened.
    pub named: bool,
    /// Language asked for; `None`: the remembered one, else the desktop's.
    pub lang: Option<Lang>,
    /// The throw-away vault's factors, shown on the unlock screen.
    pub demo: Option<DemoInfo>,
    /// An application that is already there, such as that of the demo.
    pub app: Option<App>,
}

/// The factors of the throw-away vault.
pub struct DemoInfo {
    /// Its password; fictional, so no secret.
    pub password: String,
    /// The present code and the seconds it is still good for.
    pub code: Box<dyn Fn() -> (String, u64)>,
}

/// Opens the window and returns when it is closed.
///
/// # Errors
/// There is no desktop to open it on.
pub fn run(options: GuiOptions) -> Result<(), AppError> {
    let viewport = egui::ViewportBuilder::default()
        .with_app_id("poterne")
        .with_title("Poterne")
        .with_icon(icon::icon())
        .with_inner_size([1200.0, 680.0])
        .with_min_inner_size([760.0, 480.0]);
    let native = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        system_font_fallback: true,
        ..eframe::NativeOptions::default()
    };
    let failed = |e: &dyn std::fmt::Display| no_window(&e.to_string());
    let system = EventLoop::<eframe::UserEvent>::with_user_event().build();
    let system = system.map_err(|e| failed(&e))?;
    let keys = RawKeys::default();
    // The demonstration's vault goes at a signal, and with it all there is to tell.
    let ends_at_signals = options.demo.is_none();
    let app = eframe::create_native(
        "poterne",
        native,
        Box::new({
            let keys = keys.clone();
            move |cc| {
                let remembered = if options.demo.is_some() { None } else { Prefs::usual_file() };
                let prefs = Prefs::load(remembered);
                let mut vault = options.vault;
                if !options.named
                    && !vault.exists()
                    && let Some(last) = prefs.last_vault.as_ref().filter(|last| last.is_file())
                {
                    vault.clone_from(last);
                }
                let exists = vault.exists();
                let app = options.app.unwrap_or_else(|| App::new(vault.clone()));
                let shell = ShellOptions {
                    backend: Arc::new(backend::Served::new(app)),
                    vault,
                    exists,
                    lang: options.lang,
                    demo: options.demo,
                    prefs,
                    clock: Box::new(std::time::Instant::now),
                    keys,
                };
                let mut shell = Shell::new(&cc.egui_ctx, shell);
                if ends_at_signals {
                    shell.quit_at_signals(&cc.egui_ctx);
                }
                Ok(Box::new(shell))
            }
        }),
        &system,
    );
    system.run_app(&mut Listening::new(app, keys)).map_err(|e| failed(&e))
}

/// Why no window came, from what the toolkit says: its own words without the
/// place in its source that it puts before them.
pub fn no_window(said: &str) -> AppError {
    let cause = match said.split_once("os error at ") {
        // `os error at /…/mod.rs:765: the cause`
        Some((_, place)) => place.split_once(".rs:").map_or(place, |(_, rest)| {
            rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(": ")
        }),
        None => said,
    };
    let cause = cause.trim().trim_end_matches('.');
    let cause = if cause.starts_with("neither WAYLAND_DISPLAY") {
        Bi::new(
            "ni WAYLAND_DISPLAY ni DISPLAY n’est défini",
            "neither WAYLAND_DISPLAY nor DISPLAY is set",
        )
    } else if cause.starts_with("Failed to open connection to X server") {
        Bi::new("le serveur X ne répond pas", "the X server does not answer")
    } else {
        Bi::same(cause)
    };
    AppError {
        code: Code::Other,
        what: Bi::new(
            format!("La fenêtre n’a pas pu s’ouvrir ({}).", cause.fr),
            format!("The window could not open ({}).", cause.en),
        ),
        todo: Bi::new(
            "Lancez Poterne depuis une session graphique, ou utilisez la ligne de commande\u{a0}: poterne --help.",
            "Start Poterne from a graphical session, or use the command line: poterne --help.",
        ),
    }
}
