//! Start-up only: no command opens the window, anything else is the command line.

use std::process::ExitCode;

use poterne::cli::{self, Next, Window};
use poterne::connect::launch::Launch;
#[cfg(unix)]
use poterne::connect::manifest::askpass;
#[cfg(target_os = "linux")]
use poterne::connect::vpn::helper;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|arg| arg == Launch::SESSION_HOST) {
        return poterne::connect::host::main();
    }
    #[cfg(target_os = "linux")]
    if std::env::args_os().nth(1).is_some_and(|arg| arg == helper::ARGUMENT) {
        return helper::main();
    }
    #[cfg(unix)]
    if let Some(socket) = askpass::asked_at() {
        return askpass::main(&socket);
    }
    match cli::main() {
        Next::End(status) => status,
        Next::Window(window) => open(window),
    }
}

#[cfg(feature = "gui")]
fn open(window: Window) -> ExitCode {
    let lang = window.lang;
    match window_of(window) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::fail(&error, lang),
    }
}

#[cfg(feature = "gui")]
fn window_of(window: Window) -> Result<(), poterne::app::api::AppError> {
    use poterne::app::demo;
    use poterne::gui::{self, DemoInfo, GuiOptions};

    let Window { vault, named, lang, demo } = window;
    if !demo {
        return gui::run(GuiOptions { vault, named, lang, demo: None, app: None });
    }
    let throw_away = demo::ThrowAway::make()?;
    throw_away.remove_at_signals();
    let codes = throw_away.codes();
    gui::run(GuiOptions {
        vault: throw_away.file().to_owned(),
        named: true,
        lang,
        demo: Some(DemoInfo { password: demo::PASSWORD.to_owned(), code: Box::new(codes) }),
        app: Some(throw_away.app()),
    })
}

/// Without the feature the command line never asks for a window.
#[cfg(not(feature = "gui"))]
fn open(_window: Window) -> ExitCode {
    ExitCode::from(2)
}
