//! The end of a session in the real window: by another member who unlocks it, and
//! by closing the window. The log, read afterwards, has both.

use std::time::{Duration, Instant};

use crate::kit::PASSWORD;
use crate::kit_window::Stage;

fn unlocked_log(stage: &Stage, wanted: &str, count: usize) -> String {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let log = stage.must(&["--json", "audit", "log", "--event", wanted], "");
        if log.matches(wanted).count() >= count {
            return log;
        }
        assert!(Instant::now() < until, "no {wanted} in the log: {log}");
    }
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
    stage.type_text("atelier");
    stage.xdotool(&["sleep", "1", "key", "Return"]);
    unlocked_log(&stage, "session.opened", 1);

    stage.xdotool(&["key", "ctrl+shift+l"]);
    stage.wait_locked();
    // The name above the password is Alice's.
    stage.xdotool(&["sleep", "1", "key", "shift+Tab", "key", "ctrl+a"]);
    stage.type_text("bruno");
    stage.xdotool(&["key", "Tab"]);
    stage.type_text(PASSWORD);
    stage.xdotool(&["key", "Tab"]);
    bruno.code().expose(|c| stage.type_text(c));
    stage.wait_unlocked();
    let log = unlocked_log(&stage, "session.closed", 1);
    assert!(log.contains("another member unlocked"), "{log}");
    assert!(log.contains("alice") && !log.contains("bruno"), "whose session was it? {log}");

    stage.type_text("atelier");
    stage.xdotool(&["sleep", "1", "key", "Return"]);
    unlocked_log(&stage, "session.opened", 2);
    // A question comes first; its button has the keyboard.
    stage.press_cross();
    stage.wait_unlocked();
    assert!(window.runs(), "it closed without a question");
    stage.xdotool(&["sleep", "1", "key", "Return"]);
    window.ended();

    let factors = bruno.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    stage.must(&["--member", "bruno", "unlock"], &factors);
    let log = unlocked_log(&stage, "session.closed", 2);
    assert!(log.contains("window closed"), "{log}");
    stage.must(&["lock"], "");
}
