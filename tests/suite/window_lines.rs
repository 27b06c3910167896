//! A telnet entry in the real window: opened by Enter, logged in by itself, typed
//! into, and marked as not encrypted for as long as it is open.

use crate::kit::PASSWORD;
use crate::kit_lines::Telnetd;
use crate::kit_reader::{Person, Reader, role};
use crate::kit_window::Stage;

#[test]
fn enter_opens_a_telnet_entry_that_stays_marked_as_not_encrypted() {
    let server = Telnetd::start("tuile-42");
    let mut stage = Stage::new();
    let mut phone = stage.init();
    let factors = phone.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    stage.must(&["unlock"], &factors);
    stage.must(&["add", "client", "Dupont"], "");
    let port = server.port.to_string();
    let entry = ["add", "telnet", "Dupont/Commutateur", "--host", "127.0.0.1", "--port", &port];
    let login = ["--user", &server.user, "--credential", "own", "--secret-stdin", "password"];
    stage.must(&[&entry[..], &login].concat(), "tuile-42");
    stage.must(&["lock"], "");

    let reader = Reader::start();
    stage.session_bus.clone_from(&reader.address);
    let _window = stage.window();
    let alice = Person { stage: &stage, screen: reader.window() };
    alice.types(role::SECRET, "Mot de passe", PASSWORD);
    alice.press("Tab");
    alice.screen.keyboard_at(role::SECRET, "Code à 6 chiffres");
    phone.newest().expose(|c| stage.type_text(c));
    alice.types(role::FIELD, "Rechercher", "commut");
    alice.press("Return");
    alice.screen.keyboard_at(role::TERMINAL, "Terminal");
    let done = server.dir.path().join("done");
    stage.type_text("id -un > done");
    alice.press("Return");
    alice.screen.until("the command", |_| {
        let answer = std::fs::read_to_string(&done).unwrap_or_default();
        (answer.trim() == server.user).then_some(())
    });
    let shown = alice.screen.all_text();
    assert!(shown.contains("Connexion non chiffrée"), "{shown}");
}
