//! A frame's processor time while a long list is scrolled and searched: layout
//! and shapes by the real screens over a real vault, without a graphics card.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use poterne::app::App;
use poterne::app::demo::PASSWORD;
use poterne::gui::backend::Served;
use poterne::gui::prefs::Prefs;
use poterne::gui::shell::{Shell, ShellOptions};
use poterne::model::lang::Lang;

use crate::meter::{title, took};
use crate::trial::Trial;

const FRAMES: usize = 300;
/// A window that nothing wakes for so long has all its answers.
const QUIET: Duration = Duration::from_secs(1);
const PASSWORD_FIELD: &str = "Mot de passe";
const CODE_FIELD: &str = "Code à 6 chiffres";

type Window = Harness<'static, Shell>;

pub fn run(folder: &Path, size: u32) {
    title(&format!("A list of {size} entries, processor time of a frame"));
    let mut trial = Trial::of(folder, size);
    let vault = trial.file.clone();
    let mut window = Harness::builder().with_size([1280.0, 720.0]).build_eframe(move |cc| {
        let options = ShellOptions {
            backend: Arc::new(Served::new(App::new(vault.clone()))),
            vault,
            exists: true,
            lang: Some(Lang::Fr),
            demo: None,
            prefs: Prefs::load(None),
            clock: Box::new(Instant::now),
            keys: Default::default(),
        };
        Shell::new(&cc.egui_ctx, options)
    });
    let (wake, woken) = channel();
    window.ctx.set_request_repaint_callback(move |asked| {
        // A caret that is to blink later is no answer.
        if asked.delay.is_zero() {
            let _ = wake.send(());
        }
    });
    unlock(&mut window, &mut trial, &woken);
    settle(&mut window, &woken);

    let rest = frames(&mut window, |_, _| {});
    report("nothing happens", rest);
    let middle = egui::pos2(640.0, 400.0);
    window.hover_at(middle);
    let scrolled = frames(&mut window, |window, _| {
        window.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, -180.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Wheel,
            modifiers: egui::Modifiers::NONE,
        });
    });
    report("the list is scrolled", scrolled);
    window.key_combination_modifiers(egui::Modifiers::CTRL, &[egui::Key::F]);
    window.run_steps(2);
    let word: Vec<char> = "serveur bdd".chars().collect();
    let typed = frames(&mut window, |window, n| {
        if n % 4 == 0 {
            if n / 4 % (word.len() + 1) == word.len() {
                for _ in 0..word.len() {
                    window.key_press(egui::Key::Backspace);
                }
            } else {
                let next = word[n / 4 % (word.len() + 1)];
                window.event(egui::Event::Text(next.to_string()));
            }
        }
    });
    report("somebody types into the search", typed);
}

fn report(what: &str, mut all: Vec<Duration>) {
    all.sort();
    let worst = all[all.len() - 1];
    let high = all[all.len() * 99 / 100];
    let beside = format!(
        "99 of 100 within {}, worst {}",
        crate::meter::short(high),
        crate::meter::short(worst)
    );
    took(what, all[all.len() / 2], &beside);
}

/// Layout of each frame and the triangles of it.
fn frames(window: &mut Window, act: impl Fn(&mut Window, usize)) -> Vec<Duration> {
    (0..FRAMES)
        .map(|n| {
            act(window, n);
            let begun = Instant::now();
            window.step();
            let shapes = window.output().shapes.clone();
            std::hint::black_box(window.ctx.tessellate(shapes, 1.0));
            begun.elapsed()
        })
        .collect()
}

fn unlock(window: &mut Window, trial: &mut Trial, woken: &Receiver<()>) {
    for _ in 0..4 {
        fill(window, PASSWORD_FIELD, PASSWORD);
        fill(window, CODE_FIELD, &trial.code());
        let end = Instant::now() + Duration::from_secs(20);
        while woken.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok() {
            window.run_steps(1);
            if window.query_by_role_and_label(Role::PasswordInput, CODE_FIELD).is_none() {
                return;
            }
        }
    }
    panic!("the vault did not open");
}

fn fill(window: &mut Window, label: &str, text: &str) {
    window.run_steps(2);
    window.get_by_role_and_label(Role::PasswordInput, label).focus();
    window.run_steps(2);
    window.key_combination_modifiers(egui::Modifiers::CTRL, &[egui::Key::A]);
    window.event(egui::Event::Text(text.to_owned()));
    window.run_steps(2);
}

/// Lets the answers of the first questions arrive, until nothing wakes the window for
/// a while.
fn settle(window: &mut Window, woken: &Receiver<()>) {
    while woken.recv_timeout(QUIET).is_ok() {
        window.run_steps(1);
    }
}
