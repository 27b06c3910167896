//! The main story with real keystrokes: the real window under Xvfb unlocks,
//! finds a server by three letters, connects to a real sshd, runs a command;
//! the log of it is exported and verified.

use crate::kit::PASSWORD;
use crate::kit_reader::{Person, Reader, role};
use crate::kit_ssh::{Setup, Sshd, keygen};
use crate::kit_window::Stage;

#[test]
fn unlock_find_connect_run_and_export_with_real_keys() {
    let server = Sshd::start(Setup::default());
    let key = keygen(server.dir.path(), "technician", &["-t", "ed25519"]);
    server.authorize(&key);
    let mut stage = Stage::new();
    let mut phone = stage.init();

    let factors = phone.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    stage.must(&["unlock"], &factors);
    stage.must(&["add", "client", "Dupont"], "");
    let port = server.port.to_string();
    let user = crate::kit_ssh::user();
    stage.must(
        &[
            "add",
            "ssh",
            "Dupont/Serveur Élodie",
            "--host",
            "127.0.0.1",
            "--port",
            &port,
            "--user",
            &user,
            "--secret-stdin",
            "private-key",
        ],
        &std::fs::read_to_string(&key).expect("ours"),
    );
    stage.must(
        &[
            "connect",
            "Dupont/Serveur Élodie",
            "--accept-host-key",
            &server.fingerprint("ed25519"),
            "--",
            "true",
        ],
        "",
    );
    stage.must(&["lock"], "");

    let reader = Reader::start();
    stage.session_bus.clone_from(&reader.address);
    let _window = stage.window();
    let alice = Person { stage: &stage, screen: reader.window() };
    alice.types(role::SECRET, "Mot de passe", PASSWORD);
    alice.press("Tab");
    alice.screen.keyboard_at(role::SECRET, "Code à 6 chiffres");
    phone.newest().expose(|c| stage.type_text(c));

    alice.types(role::FIELD, "Rechercher", "elo");
    // Enter is not lost when it is quicker than the search.
    alice.press("Return");
    alice.screen.keyboard_at(role::TERMINAL, "Terminal");
    assert_eq!(stage.logged("session.opened"), 2);
    let done = stage.home.path().join("done");
    stage.type_text(&format!("echo $((6*7)) > {}", done.display()));
    alice.press("Return");
    alice.screen.until("the command", |_| {
        let answer = std::fs::read_to_string(&done).unwrap_or_default();
        (answer.trim() == "42").then_some(())
    });

    let bundle = stage.home.path().join("journal.zip");
    let bundle = bundle.to_str().expect("plain");
    stage.must(&["audit", "export", "--format", "bundle", "--out", bundle], "");
    let fingerprint = stage.must(&["audit", "fingerprint"], "");
    stage.must(&["lock"], "");
    stage.must(&["audit", "verify", bundle, "--fingerprint", fingerprint.trim()], "");
}
