//! The end of a session in the real window: by another member who unlocks it, and
//! by closing the window. The log, read afterwards, has both.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::kit::PASSWORD;
use crate::kit_window::{POTERNE, Stage};

/// Tries, as a person would: keys may come before the window is ready for them.
fn until(what: &str, mut does: impl FnMut(), mut seen: impl FnMut() -> bool) {
    for _ in 0..8 {
        does();
        let end = Instant::now() + Duration::from_secs(8);
        while Instant::now() < end {
            if seen() {
                return;
            }
        }
    }
    panic!("never: {what}");
}

fn log(stage: &Stage, wanted: &str) -> String {
    stage.must(&["--json", "audit", "log", "--event", wanted], "")
}

fn unlocked(stage: &Stage) -> bool {
    stage.poterne(&["tree"], "").status.success()
}

/// Opens the one entry there is, for the `count`th time.
fn opens_session(stage: &Stage, count: usize) {
    stage.type_text("atelier");
    let opened = || log(stage, "session.opened").matches("session.opened").count() == count;
    until("the session", || stage.xdotool(&["sleep", "1", "key", "Return"]), opened);
}

#[test]
fn sessions_end_in_the_log_when_another_unlocks_and_when_the_window_closes() {
    let stage = Stage::new();
    let mut alice = stage.init();
    let factors = alice.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    stage.must(&["unlock"], &factors);
    stage.must(&["add", "client", "Dupont"], "");
    stage.must(&["add", "shell", "Dupont/Atelier"], "");
    let code = stage.must(&["member", "invite", "bruno", "--role", "owner"], "");
    stage.must(&["lock"], "");
    let mut bruno = stage.accept("bruno", code.trim());

    let mut window = stage.window();
    stage.type_text(PASSWORD);
    stage.xdotool(&["key", "Tab"]);
    alice.code().expose(|c| stage.type_text(c));
    stage.wait_unlocked();
    opens_session(&stage, 1);

    let lock = || stage.xdotool(&["key", "ctrl+shift+l"]);
    until("the lock", lock, || !unlocked(&stage));
    let code = bruno.code();
    let types = || {
        // Into the name, which is Alice's, wherever the keyboard is.
        stage.xdotool(&["mousemove", "600", "230", "click", "1", "key", "ctrl+a"]);
        stage.type_text("bruno");
        stage.xdotool(&["key", "Tab", "key", "ctrl+a"]);
        stage.type_text(PASSWORD);
        stage.xdotool(&["key", "Tab"]);
        code.expose(|c| stage.type_text(c));
    };
    until("the unlock", types, || unlocked(&stage));
    let ended = || log(&stage, "session.closed");
    until("its end in the log", || (), || ended().contains("session.closed"));
    let told = ended();
    assert!(told.contains("another member unlocked"), "{told}");
    assert!(told.contains("alice") && !told.contains("bruno"), "whose session was it? {told}");

    opens_session(&stage, 2);
    // One that a command has open, for which the window is the agent.
    let mut command = stage.command(POTERNE, &["connect", "Dupont/Atelier", "--", "cat"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut command = command.spawn().expect("starts");
    let opened = || log(&stage, "session.opened").matches("session.opened").count() == 3;
    until("the command", || (), opened);
    // A question comes first; the answer that keeps all open has the keyboard.
    stage.press_cross();
    assert!(unlocked(&stage) && window.runs(), "it closed without a question");
    let says_yes = || stage.xdotool(&["sleep", "1", "key", "shift+Tab", "key", "Return"]);
    until("the end", says_yes, || !window.runs());
    assert!(!command.wait().expect("it ends").success());

    let factors = bruno.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    stage.must(&["--member", "bruno", "unlock"], &factors);
    let told = ended();
    assert_eq!(told.matches("session.closed").count(), 3, "{told}");
    assert!(told.contains("window closed"), "{told}");
    stage.must(&["lock"], "");
}
