//! The main story with real keystrokes: the real window under Xvfb unlocks,
//! finds a server by three letters, connects to a real sshd, runs a command;
//! the log of it is exported and verified.

use std::time::{Duration, Instant};

use crate::kit::PASSWORD;
use crate::kit_ssh::{Setup, Sshd, keygen};
use crate::kit_window::Stage;

#[test]
fn unlock_find_connect_run_and_export_with_real_keys() {
    let server = Sshd::start(Setup::default());
    let key = keygen(server.dir.path(), "technician", &["-t", "ed25519"]);
    server.authorize(&key);
    let stage = Stage::new();
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

    let _window = stage.window();
    stage.type_text(PASSWORD);
    stage.xdotool(&["key", "Tab"]);
    phone.code().expose(|c| stage.type_text(c));
    stage.wait_unlocked();

    stage.type_text("elo");
    let done = stage.home.path().join("done");
    // Enter is not lost when it is quicker than the search.
    stage.xdotool(&["key", "Return"]);
    // The log says when the session is open: the window answers for its vault.
    let until = Instant::now() + Duration::from_secs(60);
    while stage.must(&["audit", "log"], "").matches("session.opened").count() < 2 {
        assert!(Instant::now() < until, "the session did not open");
    }
    // The first keys may come before the tab has the keyboard: typed again then.
    let mut answer = String::new();
    for _ in 0..6 {
        stage.xdotool(&["key", "ctrl+u"]);
        stage.type_text(&format!("echo $((6*7)) > {}", done.display()));
        stage.xdotool(&["key", "Return"]);
        let until = Instant::now() + Duration::from_secs(8);
        while answer.trim() != "42" && Instant::now() < until {
            stage.must(&["tree"], "");
            answer = std::fs::read_to_string(&done).unwrap_or_default();
        }
        if answer.trim() == "42" {
            break;
        }
    }
    assert_eq!(answer.trim(), "42");

    let bundle = stage.home.path().join("journal.zip");
    let bundle = bundle.to_str().expect("plain");
    stage.must(&["audit", "export", "--format", "bundle", "--out", bundle], "");
    let fingerprint = stage.must(&["audit", "fingerprint"], "");
    stage.must(&["lock"], "");
    stage.must(&["audit", "verify", bundle, "--fingerprint", fingerprint.trim()], "");
}
