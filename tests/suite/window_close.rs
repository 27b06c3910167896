//! The end of a session in the real window: by another member who unlocks it, and
//! by closing the window. The log, read afterwards, has both.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::kit::{PASSWORD, Phone};
use crate::kit_reader::{Person, Reader, role};
use crate::kit_window::{POTERNE, Stage};

/// Waits for what the window is asked about until it is so.
fn until(what: &str, mut seen: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !seen() {
        assert!(Instant::now() < end, "never: {what}");
    }
}

fn log(stage: &Stage, wanted: &str) -> String {
    stage.must(&["--json", "audit", "log", "--event", wanted], "")
}

fn unlocked(stage: &Stage) -> bool {
    stage.poterne(&["tree"], "").status.success()
}

/// Unlocks as this member, whoever was named there before.
fn unlocks(person: &Person<'_>, member: &str, phone: &mut Phone) {
    person.screen.keyboard_at(role::SECRET, "Mot de passe");
    person.goes_to(role::FIELD, "Membre");
    person.types(role::FIELD, "Membre", member);
    person.goes_to(role::SECRET, "Mot de passe");
    person.types(role::SECRET, "Mot de passe", PASSWORD);
    person.press("Return");
    person.screen.keyboard_at(role::SECRET, "Code à 6 chiffres");
    phone.newest().expose(|c| person.stage.type_text(c));
    person.screen.keyboard_at(role::FIELD, "Rechercher");
}

/// Opens the one entry there is.
fn opens_session(person: &Person<'_>) {
    person.types(role::FIELD, "Rechercher", "atelier");
    person.press("Return");
    person.screen.keyboard_at(role::TERMINAL, "Terminal");
}

/// A vault of two owners with one entry, locked.
fn two_owners() -> (Stage, Phone, Phone) {
    let stage = Stage::new();
    let mut alice = stage.init();
    let factors = alice.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    stage.must(&["unlock"], &factors);
    stage.must(&["add", "client", "Dupont"], "");
    stage.must(&["add", "shell", "Dupont/Atelier"], "");
    let factors = alice.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    let code = stage.must(&["member", "invite", "bruno", "--role", "owner"], &factors);
    stage.must(&["lock"], "");
    let bruno = stage.accept("bruno", code.trim());
    (stage, alice, bruno)
}

#[test]
fn sessions_end_in_the_log_when_another_unlocks_and_when_the_window_closes() {
    let (mut stage, mut alice, mut bruno) = two_owners();

    let reader = Reader::start();
    stage.session_bus.clone_from(&reader.address);
    let mut window = stage.window();
    let person = Person { stage: &stage, screen: reader.window() };
    unlocks(&person, "alice", &mut alice);
    opens_session(&person);

    person.press("ctrl+shift+l");
    unlocks(&person, "bruno", &mut bruno);
    let ended = || log(&stage, "session.closed");
    until("its end in the log", || ended().contains("session.closed"));
    let told = ended();
    assert!(told.contains("another member unlocked"), "{told}");
    assert!(told.contains("alice") && !told.contains("bruno"), "whose session was it? {told}");

    opens_session(&person);
    // One that a command has open, for which the window is the agent.
    let mut command = stage.command(POTERNE, &["connect", "Dupont/Atelier", "--", "cat"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut command = command.spawn().expect("starts");
    let opened = || log(&stage, "session.opened").matches("session.opened").count() == 3;
    until("the command", opened);
    // A question comes first; the answer that keeps all open has the keyboard.
    stage.press_cross();
    person.screen.keyboard_at(role::BUTTON, "Annuler");
    assert!(unlocked(&stage) && window.runs(), "it closed without a question");
    person.press("shift+Tab");
    person.screen.keyboard_at(role::BUTTON, "Fermer Poterne");
    person.press("Return");
    until("the end", || !unlocked(&stage) && !window.runs());
    assert!(!command.wait().expect("it ends").success());

    let factors = bruno.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    stage.must(&["--member", "bruno", "unlock"], &factors);
    let told = ended();
    assert_eq!(told.matches("session.closed").count(), 3, "{told}");
    assert!(told.contains("window closed"), "{told}");
    stage.must(&["lock"], "");
}

#[test]
fn a_signal_ends_the_window_in_good_order() {
    let (mut stage, mut alice, mut bruno) = two_owners();
    let reader = Reader::start();
    stage.session_bus.clone_from(&reader.address);
    let mut window = stage.window();
    let person = Person { stage: &stage, screen: reader.window() };
    unlocks(&person, "alice", &mut alice);
    opens_session(&person);
    let pid = window.pid().to_string();
    assert!(
        std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("ours").success()
    );
    until("the end", || !window.runs());
    let factors = bruno.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    stage.must(&["--member", "bruno", "unlock"], &factors);
    let told = log(&stage, "session.closed");
    assert!(told.contains("window closed"), "{told}");
    let locked = log(&stage, "vault.locked");
    assert_eq!(locked.matches("vault.locked").count(), 2, "{locked}");
    stage.must(&["lock"], "");
}
