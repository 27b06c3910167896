//! What is left in the memory of the processes a person really runs: the window
//! after typing, showing, copying, connecting and locking; the agent while it is
//! unlocked; and the session processes, which are gone.

use std::time::{Duration, Instant};

use crate::cli_kit::Seat;
use crate::kit_ssh::{Setup, Sshd, descendants, keygen, user};
use crate::kit_window::Stage;
use crate::memory::{Markers, random_text, search};

fn until(what: &str, mut seen: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !seen() {
        assert!(Instant::now() < end, "never: {what}");
    }
}

/// Looks until nothing is found. What is being done when the lock comes, such as
/// the frame on the screen, may take a moment to end; what stays is a leak.
fn cleared(what: &str, pid: u32, markers: &Markers) {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let found = search(pid, markers);
        if found.is_empty() {
            return;
        }
        let first = found[..found.len().min(40)].join("\n");
        assert!(Instant::now() < end, "{what}, {} places:\n{first}", found.len());
    }
}

/// One that must be found, or the search itself is broken.
fn seen(pid: u32, what: &str, text: &str) {
    let mut one = Markers(Vec::new());
    one.add(what, text.as_bytes());
    until(what, || !search(pid, &one).is_empty());
}

#[test]
#[ignore = "wants the machine for itself: tests/run starts it alone"]
fn a_real_window_keeps_nothing_of_what_was_typed_and_shown_in_it() {
    let server = Sshd::start(Setup::default());
    let key = keygen(server.dir.path(), "technician", &["-t", "ed25519"]);
    server.authorize(&key);
    let private = std::fs::read_to_string(&key).expect("made");
    let stage = Stage::new();
    let password = random_text(26);
    let (mut phone, kit) = stage.init_with(&password);

    let factors = phone.code().expose(|c| format!("{password}\n{c}\n"));
    stage.must(&["unlock"], &factors);
    stage.must(&["add", "client", "Dupont"], "");
    let (port, user) = (server.port.to_string(), user());
    let add = ["add", "ssh", "Dupont/serveur", "--host", "127.0.0.1", "--port", &port];
    let more = ["--user", &user, "--secret-stdin", "private-key"];
    stage.must(&[&add[..], &more].concat(), &private);
    let print = server.fingerprint("ed25519");
    stage.must(&["connect", "Dupont/serveur", "--accept-host-key", &print, "--", "true"], "");
    stage.must(&["add", "credential", "Dupont/caisse", "--user", "admin"], "");
    stage.must(&["lock"], "");

    let window = stage.window();
    let pid = window.pid();
    stage.type_text(&password);
    stage.xdotool(&["key", "Tab"]);
    let code = phone.newest().expose(str::to_owned);
    stage.type_text(&code);
    stage.wait_unlocked();

    // A password typed into the form of an entry, and stored by it.
    let typed = random_text(24);
    let saved = stage.logged("entry.edited");
    until("the password saved", || {
        // The form, from its name: source, login, password.
        stage.xdotool(&["key", "ctrl+k", "key", "ctrl+a"]);
        stage.type_text("caisse");
        stage.xdotool(&["key", "Down", "sleep", "0.5", "key", "F2", "sleep", "0.7"]);
        stage.xdotool(&["key", "Tab", "key", "Tab", "key", "Tab"]);
        stage.type_text(&typed);
        stage.xdotool(&["key", "ctrl+s", "sleep", "0.7"]);
        stage.logged("entry.edited") > saved
    });
    until("the password copied", || {
        // A question or a form that a slow machine left open is ended first.
        stage.xdotool(&["key", "Escape", "key", "ctrl+s", "sleep", "0.5"]);
        stage.xdotool(&["key", "ctrl+k", "key", "ctrl+a"]);
        stage.type_text("caisse");
        stage.xdotool(&["key", "Down", "sleep", "0.7", "key", "ctrl+p"]);
        stage.logged("secret.copied") > 0
    });
    let show = ["show", "Dupont/caisse", "--field", "password", "--reveal"];
    assert_eq!(stage.must(&show, "").trim(), typed, "what was typed is what was stored");
    // The copy on the clipboard is there until it is taken away: the search sees it.
    seen(pid, "the copied password", &typed);
    // The keys are there while it is open, as they must be: the search sees them.
    let mut keys = Markers(Vec::new());
    keys.add_keys(&stage.vault(), &kit);
    assert!(!search(pid, &keys).is_empty(), "an unlocked window holds keys");

    // One session that ends before the lock, one that stays open behind it.
    let opened = stage.logged("session.opened");
    stage.xdotool(&["key", "ctrl+k", "key", "ctrl+a"]);
    stage.type_text("serveur");
    stage.xdotool(&["sleep", "0.7", "key", "Return"]);
    until("a session", || stage.logged("session.opened") > opened);
    assert!(!descendants(pid).is_empty(), "a session has a process of its own");
    until("the end of the session", || {
        stage.xdotool(&["key", "ctrl+u", "type", "exit"]);
        stage.xdotool(&["key", "Return", "sleep", "0.7"]);
        stage.logged("session.closed") > opened
    });
    until("the end of its process", || descendants(pid).is_empty());
    stage.xdotool(&["key", "ctrl+shift+k", "key", "ctrl+a"]);
    stage.type_text("serveur");
    stage.xdotool(&["sleep", "0.7", "key", "Return"]);
    until("another session", || stage.logged("session.opened") > opened + 1);

    until("the lock", || {
        stage.xdotool(&["key", "ctrl+shift+l", "sleep", "0.3"]);
        stage.poterne(&["tree"], "").status.code() == Some(3)
    });
    let mut markers = Markers(Vec::new());
    markers.add("the vault's password", password.as_bytes());
    markers.add("the code", code.as_bytes());
    markers.add("the typed password", typed.as_bytes());
    let line = private.lines().nth(3).expect("a key of several lines");
    markers.add("the private key", line.as_bytes());
    markers.add_keys(&stage.vault(), &kit);
    phone.secret(|k| markers.add("the vault's TOTP secret", k));
    cleared("the window after the lock", pid, &markers);

    // The session behind the lock ends with its server, and its process with it.
    assert!(!descendants(pid).is_empty(), "a session stays open behind the lock");
    drop(server);
    until("the end of the last session process", || descendants(pid).is_empty());
    cleared("the window after its sessions", pid, &markers);
}

#[test]
fn an_unlocked_agent_keeps_neither_factors_nor_what_it_revealed() {
    let server = Sshd::start(Setup::default());
    let key = keygen(server.dir.path(), "technician", &["-t", "ed25519"]);
    server.authorize(&key);
    let private = std::fs::read_to_string(&key).expect("made");
    let mut seat = Seat::locked();
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    seat.ok(&["add", "client", "A"]);
    let (port, user) = (server.port.to_string(), user());
    let secret = random_text(24);
    seat.run(&["add", "credential", "A/c", "--secret-stdin", "password"], &secret).ended(0);
    let add = ["add", "ssh", "A/s", "--host", "127.0.0.1", "--port", &port, "--user", &user];
    seat.run(&[&add[..], &["--secret-stdin", "private-key"]].concat(), &private).ended(0);
    let shown = seat.ok(&["show", "A/c", "--field", "password", "--reveal"]);
    assert_eq!(shown.out.trim(), secret);
    let print = server.fingerprint("ed25519");
    let connect = ["connect", "A/s", "--no-reuse", "--accept-host-key", &print, "--", "true"];
    seat.ok(&connect);

    let agents = crate::cli_sessions::agent_pids(&seat);
    assert_eq!(agents.len(), 1);
    until("the end of the session's process", || descendants(agents[0]).is_empty());
    let mut markers = Markers(Vec::new());
    let mut lines = factors.lines();
    markers.add("the vault's password", lines.next().expect("a password").as_bytes());
    markers.add("the code", lines.next().expect("a code").as_bytes());
    markers.add("the revealed password", secret.as_bytes());
    let line = private.lines().nth(3).expect("a key of several lines");
    markers.add("the private key", line.as_bytes());
    cleared("the unlocked agent", agents[0], &markers);

    // The keys are there, as they must be, and go with the agent.
    let mut keys = Markers(Vec::new());
    keys.add_keys(&seat.vault(), &seat.kit);
    assert!(!search(agents[0], &keys).is_empty(), "an unlocked agent holds keys");
    seat.ok(&["lock"]);
    until("the end of the agent", || crate::cli_sessions::agent_pids(&seat).is_empty());
}
