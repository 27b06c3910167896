//! `connect` and the agent, as another program or a person at a terminal sees
//! them, against a real server.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::channel;
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::cli_kit::Seat;
use super::kit_ssh::{Setup, Sshd, free_port, keygen, user};

/// An entry `A/s` for `server`, which lets it in by key.
fn with_server(seat: &Seat, server: &Sshd) {
    let key = keygen(seat.home.path(), "id", &["-t", "ed25519"]);
    server.authorize(&key);
    let key = std::fs::read_to_string(key).expect("it was made");
    seat.ok(&["add", "client", "A"]);
    let (port, user) = (server.port.to_string(), user());
    let add = ["add", "ssh", "A/s", "--host", "127.0.0.1", "--port", &port, "--user", &user];
    let add = [&add[..], &["--credential", "own", "--secret-stdin", "private-key"]].concat();
    seat.run(&add, &key).ended(0);
}

#[test]
fn an_unknown_key_is_asked_about_and_the_streams_pass_through() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    with_server(&seat, &server);
    let cat = ["connect", "A/s", "--", "cat"];
    // Nobody answers, or not with yes.
    let asked = seat.run(&cat, "").ended(6);
    assert!(asked.err.contains(&server.fingerprint("ed25519")), "{}", asked.err);
    let refused = seat.run(&cat, "no\nhello").ended(6);
    for ran in [&asked, &refused] {
        // What happened stands apart from the question.
        assert!(ran.err.contains("\nThe key of "), "{}", ran.err);
    }
    assert_eq!(seat.run(&cat, "yes\nhello\nyou").ended(0).out, "hello\nyou");
    // Pinned now: all of the input is the command's.
    assert_eq!(seat.run(&cat, "yes\n").ended(0).out, "yes\n");
    let both = seat.run(&["connect", "A/s", "--", "echo out; echo err >&2; exit 42"], "");
    let both = both.ended(42);
    assert_eq!((both.out.as_str(), both.err.as_str()), ("out\n", "err\n"));
    seat.run(&["connect", "A/s", "--", "kill -TERM $$"], "").ended(128 + 15);
    // Several words arrive as the words they are, one argument as a line.
    seat.run(&["connect", "A/s", "--", "sh", "-c", "exit 7"], "").ended(7);
    let words = ["connect", "A/s", "--", "printf", "<%s>", "a b", "it's", "", "$HOME;*", "é"];
    assert_eq!(seat.run(&words, "").ended(0).out, "<a b><it's><><$HOME;*><é>");
    let told = seat.run(&["--json", "connect", "A/s", "--", "exit 6"], "").ended(6);
    let told: serde_json::Value =
        serde_json::from_str(told.err.lines().last().expect("a line")).expect("JSON");
    assert_eq!(told["started"], true);
    assert_eq!(told["exit_status"], 6);

    // Much data, both ways.
    let megabyte = "0123456789abcdef".repeat(1 << 16);
    let back = seat.run(&cat, &megabyte.repeat(5)).ended(0);
    assert_eq!(back.out.len(), 5 << 20);
    let counted = seat.run(&["connect", "A/s", "--", "wc -c"], &megabyte).ended(0);
    assert_eq!(counted.out.trim(), "1048576");
    // A reader that has enough.
    let early = seat.ok(&["connect", "A/s", "--", "head -c 3 /dev/zero"]);
    assert_eq!(early.out.len(), 3);

    let log = seat.ok(&["--json", "audit", "log", "--event", "session.closed"]).json();
    assert!(log["lines"].as_array().is_some_and(|lines| !lines.is_empty()));
}

#[test]
fn a_key_is_accepted_in_advance_but_never_a_changed_one() {
    let seat = Seat::unlocked();
    let mut server = Sshd::start(Setup::default());
    with_server(&seat, &server);
    let accept = |key: &str| {
        seat.run(&["connect", "A/s", "--accept-host-key", key, "--", "true"], "").status
    };
    let other = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    // It answers in advance: the person, or the input, is not asked besides.
    let wrong = ["connect", "A/s", "--accept-host-key", other, "--", "true"];
    seat.run(&wrong, "yes\n").ended(6);
    assert_eq!(accept(&server.fingerprint("ed25519")), 0);
    // Neither the open connection nor the pin stands in for another key.
    let refused = seat.run(&wrong, "yes\n").ended(6);
    assert!(refused.err.contains(other) && refused.err.contains('→'), "{}", refused.err);
    assert_eq!(accept(&format!("{other},{}", server.fingerprint("ed25519"))), 0);
    let log = seat.ok(&["--json", "audit", "log", "--event", "hostkey.refused"]).json();
    assert_eq!(log["lines"].as_array().map(Vec::len), Some(2));
    let port = server.port;
    server.kill();
    drop(server);
    let impostor = Sshd::start(Setup { port: Some(port), ..Setup::default() });
    assert_eq!(accept(&impostor.fingerprint("ed25519")), 6);
    let refused = seat.run(&["connect", "A/s", "--", "true"], "yes\n").ended(6);
    assert!(refused.err.contains('→'), "{}", refused.err);
    seat.ok(&["edit", "A/s", "--forget-host-key"]);
    let key = std::fs::read_to_string(seat.home.path().join("id.pub")).expect("it was made");
    std::fs::write(impostor.dir.path().join("authorized_keys"), key).expect("ours");
    assert_eq!(accept(&impostor.fingerprint("ed25519")), 0);
}

#[test]
fn an_open_connection_serves_no_other_key_login_or_place() {
    let seat = Seat::unlocked();
    let (server, bastion) = (Sshd::start(Setup::default()), Sshd::start(Setup::default()));
    with_server(&seat, &server);
    let key = seat.home.path().join("id");
    bastion.authorize(&key);
    let key = std::fs::read_to_string(key).expect("it was made");
    let (port, user) = (bastion.port.to_string(), user());
    let add = ["add", "ssh", "A/b", "--host", "127.0.0.1", "--port", &port, "--user", &user];
    let add = [&add[..], &["--credential", "own", "--secret-stdin", "private-key"]].concat();
    seat.run(&add, &key).ended(0);
    seat.ok(&["edit", "A/s", "--jump", "A/b"]);
    let connect = |input| seat.run(&["connect", "A/s", "--", "true"], input).status;
    assert_eq!(connect("yes\nyes\n"), 0);
    assert_eq!(connect(""), 0);
    let logins = || {
        let log = seat.ok(&["--json", "audit", "log", "--event", "secret.filled"]).json();
        log["lines"].as_array().expect("an array").len()
    };
    assert_eq!(logins(), 2, "the second went through the connection of the first");

    // Whatever the entry or a machine before it gives the way is looked at.
    let free = free_port().to_string();
    for (entry, flag, wrong, right) in [
        ("A/s", "--port", &*free, &*server.port.to_string()),
        ("A/b", "--port", &free, &port),
        ("A/s", "--host", "127.0.0.2", "127.0.0.1"),
        ("A/s", "--user", "nobody-here", &user),
        ("A/b", "--user", "nobody-here", &user),
    ] {
        seat.ok(&["edit", entry, flag, wrong]);
        assert_eq!(connect(""), 6, "{entry} {flag}");
        seat.ok(&["edit", entry, flag, right]);
        assert_eq!(connect(""), 0);
    }
    let stranger = keygen(seat.home.path(), "stranger", &["-t", "ed25519"]);
    let stranger = std::fs::read_to_string(stranger).expect("it was made");
    for entry in ["A/s", "A/b"] {
        let edit = ["edit", entry, "--secret-stdin", "private-key"];
        seat.run(&edit, &stranger).ended(0);
        assert_eq!(connect(""), 6, "the key of {entry} is another one");
        seat.run(&edit, &key).ended(0);
        assert_eq!(connect(""), 0);
    }
    for entry in ["A/b", "A/s"] {
        seat.ok(&["edit", entry, "--forget-host-key"]);
        assert_eq!(connect(""), 6, "the keys of {entry} are forgotten");
        assert_eq!(connect("yes\nyes\n"), 0);
        assert_eq!(connect(""), 0);
    }
}

/// An entry for `server` with these flags and that key.
fn add_ssh(seat: &Seat, path: &str, server: &Sshd, more: &[&str], key: &str) {
    let (port, user) = (server.port.to_string(), user());
    let add = ["add", "ssh", path, "--host", "127.0.0.1", "--port", &port, "--user", &user];
    let own = ["--credential", "own", "--secret-stdin", "private-key"];
    seat.run(&[&add[..], more, if key.is_empty() { &[] } else { &own }].concat(), key).ended(0);
}

fn lines(seat: &Seat, filters: &[&str]) -> Vec<serde_json::Value> {
    let log = seat.ok(&[&["--json", "audit", "log"][..], filters].concat()).json();
    log["lines"].as_array().expect("an array").clone()
}

#[test]
fn a_way_through_two_jump_hosts_needs_the_client_s_ticket() {
    let seat = Seat::unlocked();
    let rule = ["--ticket-pattern", "A-[0-9]+", "--ticket-required", "--reason-required"];
    seat.ok(&[&["add", "client", "A"][..], &rule].concat());
    // The second jump host is another client's; its key is pinned there.
    seat.ok(&["add", "client", "B"]);
    let servers: Vec<Sshd> = (0..3).map(|_| Sshd::start(Setup::default())).collect();
    let key = keygen(seat.home.path(), "id", &["-t", "ed25519"]);
    servers.iter().for_each(|server| server.authorize(&key));
    let key = std::fs::read_to_string(key).expect("it was made");
    add_ssh(&seat, "A/j1", &servers[0], &[], &key);
    add_ssh(&seat, "B/j2", &servers[1], &["--jump", "A/j1"], &key);
    add_ssh(&seat, "A/s", &servers[2], &["--jump", "B/j2"], &key);
    let prints: Vec<String> = servers.iter().map(|s| s.fingerprint("ed25519")).collect();
    let prints = prints.join(",");
    let connect = |more: &[&str]| {
        let words = ["--json", "connect", "A/s", "--accept-host-key", &prints];
        seat.run(&[&words[..], more, &["--", "echo there"]].concat(), "")
    };
    connect(&[]).ended(5);
    connect(&["--ticket", "A-1"]).ended(5);
    connect(&["--ticket", "B-1", "--reason", "panne"]).ended(5);
    assert!(servers.iter().all(|s| !s.log().contains("Accepted")), "nobody was visited");
    assert!(lines(&seat, &["--event", "session.opening"]).is_empty());
    let why = ["--ticket", "A-1", "--reason", "panne"];
    assert_eq!(connect(&why).ended(0).out, "there\n");
    let opening = lines(&seat, &["--event", "session.opening"]).pop().expect("a line");
    let fields = &opening["fields"];
    assert_eq!((&fields["ticket"], &fields["reason"]), (&"A-1".into(), &"panne".into()));
    assert_eq!(fields["hops"].as_str().map(|hops| hops.split(',').count()), Some(2));
    let filled = lines(&seat, &["--event", "secret.filled"]);
    let mut from: Vec<&str> = filled.iter().filter_map(|l| l["fields"]["entry"].as_str()).collect();
    from.sort_unstable();
    assert_eq!(from, ["A/j1", "A/s", "B/j2"]);
    // Every key is pinned now, each with its own client: nothing is asked again.
    seat.run(&[&["connect", "A/s", "--no-reuse"][..], &why, &["--", "true"]].concat(), "").ended(0);
    // The way to the other client's host leads through this one: it asks too.
    seat.run(&["connect", "B/j2", "--", "true"], "").ended(5);
    seat.run(&[&["connect", "B/j2"][..], &why, &["--", "true"]].concat(), "").ended(0);
}

#[test]
fn a_login_of_one_s_own_serves_oneself_and_nobody_else() {
    let mut seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    let key = keygen(seat.home.path(), "id", &["-t", "ed25519"]);
    server.authorize(&key);
    let key = std::fs::read_to_string(key).expect("it was made");
    seat.ok(&["add", "client", "A"]);
    let port = server.port.to_string();
    let add = ["add", "ssh", "A/s", "--host", "127.0.0.1", "--port", &port, "--credential", "mine"];
    seat.ok(&add);
    let connect = ["connect", "A/s", "--", "echo in"];
    let none = seat.run(&connect, "").ended(1);
    assert!(none.err.contains("A/s") && none.err.contains('→'), "{}", none.err);
    let own = ["add", "credential", "~/chez A", "--for", "A", "--user", &user()];
    seat.run(&[&own[..], &["--secret-stdin", "private-key"]].concat(), &key).ended(0);
    assert_eq!(seat.run(&connect, "yes\n").ended(0).out, "in\n");
    let plan = seat.ok(&["--json", "plan", "A/s"]).json();
    let lines = plan["lines"].as_array().expect("an array");
    let secret = lines.iter().find(|l| l["secret"] == true).expect("a key");
    assert_eq!(secret["from"], "mine");

    let code = seat.invite("bruno", "technician", &["--client", "A"]);
    let bruno = Seat::invited(&seat, "bruno", &code);
    bruno.run(&connect, "").ended(1);
    assert!(!bruno.ok(&["tree"]).out.contains("chez A"));
}

#[test]
fn who_leaves_leaves_a_list_of_every_secret_used_or_seen() {
    let mut seat = Seat::unlocked();
    let (server, bastion) = (Sshd::start(Setup::default()), Sshd::start(Setup::default()));
    let key = keygen(seat.home.path(), "id", &["-t", "ed25519"]);
    server.authorize(&key);
    bastion.authorize(&key);
    let key = std::fs::read_to_string(key).expect("it was made");
    seat.ok(&["add", "client", "A"]);
    add_ssh(&seat, "A/bastion", &bastion, &[], &key);
    let shared = ["add", "credential", "A/partagé", "--user", &user()];
    seat.run(&[&shared[..], &["--secret-stdin", "private-key"]].concat(), &key).ended(0);
    let linked = ["--jump", "A/bastion", "--credential", "linked:A/partagé"];
    add_ssh(&seat, "A/s", &server, &linked, "");
    for (path, field, secret) in [
        ("A/vu", "password", "vu"),
        ("A/code", "totp", "JBSWY3DPEHPK3PXP"),
        ("A/non", "password", "n"),
    ] {
        seat.run(&["add", "credential", path, "--secret-stdin", field], secret).ended(0);
    }
    let code = seat.invite("bruno", "technician", &["--client", "A"]);
    let bruno = Seat::invited(&seat, "bruno", &code);
    bruno.run(&["connect", "A/s", "--", "true"], "yes\nyes\n").ended(0);
    assert_eq!(bruno.ok(&["show", "A/vu", "--field", "password", "--reveal"]).out, "vu\n");
    bruno.ok(&["totp", "A/code"]);
    // What others used is no business of this list.
    seat.ok(&["show", "A/non", "--field", "password", "--reveal"]);
    let removed = seat.ok(&["--json", "member", "remove", "bruno"]).json();
    let mut list: Vec<String> = removed["rotate"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|item| {
            let word = |name: &str| item[name].as_str().expect("text").to_owned();
            format!("{} {} {}", word("path"), word("secret"), item["events"][0])
        })
        .collect();
    list.sort_unstable();
    assert_eq!(
        list,
        [
            "A/bastion private-key \"secret.filled\"",
            "A/code totp \"totp.shown\"",
            "A/partagé private-key \"secret.filled\"",
            "A/vu password \"secret.revealed\"",
        ]
    );
    assert_ne!(bruno.run(&["show", "A/vu"], "").status, 0);
}

#[test]
fn a_server_that_dies_or_changes_its_key_ends_with_6_and_says_which() {
    let seat = Seat::unlocked();
    let key = keygen(seat.home.path(), "id", &["-t", "ed25519"]);
    seat.ok(&["add", "client", "A"]);
    let mut ended = Vec::new();
    for (json, path) in [(true, "A/one"), (false, "A/two")] {
        let mut server = Sshd::start(Setup::default());
        server.authorize(&key);
        let secret = std::fs::read_to_string(&key).expect("it was made");
        add_ssh(&seat, path, &server, &[], &secret);
        seat.run(&["connect", path, "--", "true"], "yes\n").ended(0);
        let words = ["connect", path, "--no-reuse", "--", "echo up; exec sleep 1000"];
        let words = [if json { &["--json"][..] } else { &[] }, &words].concat();
        let mut session = seat.command(&words).spawn().expect("the program is built");
        let mut up = [0; 3];
        session.stdout.as_mut().expect("piped").read_exact(&mut up).expect("it started");
        server.kill();
        let done = session.wait_with_output().expect("it ends");
        let err = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(6), "{err}");
        if json {
            let told: serde_json::Value =
                serde_json::from_str(err.lines().last().expect("a line")).expect("JSON");
            assert_eq!((&told["started"], &told["exit_status"]), (&true.into(), &().into()));
            assert_eq!(told["failure"]["kind"], "network", "{told}");
        } else {
            assert!(err.contains('→'), "{err}");
        }
        ended.push(server);
    }
    assert_eq!(lines(&seat, &["--event", "session.closed"]).len(), 4);

    let server = ended.pop().expect("two were started");
    let _impostor = Sshd::start(Setup { port: Some(server.port), ..Setup::default() });
    let told = seat.run(&["--json", "connect", "A/two", "--", "true"], "yes\n").ended(6);
    let told: serde_json::Value = serde_json::from_str(&told.err).expect("JSON");
    assert_eq!(told["error"]["code"], "key-changed");
    let what = told["error"]["what"].as_str().expect("text");
    assert!(
        what.contains("HAS CHANGED") && what.contains(&server.fingerprint("ed25519")),
        "{what}"
    );
    assert_eq!(lines(&seat, &["--event", "hostkey.refused"]).len(), 1);
}

#[test]
fn what_was_typed_for_one_connection_is_asked_for_the_next() {
    let seat = Seat::unlocked();
    let password = "ouvre-toi-7Q".to_owned();
    let server = Sshd::start(Setup { password: Some(password.clone()), ..Setup::default() });
    seat.ok(&["add", "client", "A"]);
    let (port, user) = (server.port.to_string(), user());
    let add = ["add", "ssh", "A/s", "--host", "127.0.0.1", "--port", &port, "--user", &user];
    seat.ok(&[&add[..], &["--credential", "ask"]].concat());
    let connect = |input: &str| seat.run(&["connect", "A/s", "--", "cat"], input);
    let typed = format!("yes\n{password}\nhello");
    assert_eq!(connect(&typed).ended(0).out, "hello");
    connect("").ended(2);
    let typed = format!("{password}\nagain");
    assert_eq!(connect(&typed).ended(0).out, "again");
}

#[test]
fn without_an_agent_the_factors_come_first_and_the_answer_next() {
    let mut seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    with_server(&seat, &server);
    seat.ok(&["lock"]);
    let input = format!("{}yes\nrest", seat.factors());
    assert_eq!(seat.run(&["connect", "A/s", "--", "cat"], &input).ended(0).out, "rest");
}

#[test]
fn a_refused_port_ends_with_6() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let port = free_port().to_string();
    seat.ok(&["add", "ssh", "A/s", "--host", "127.0.0.1", "--port", &port, "--user", "u"]);
    seat.run(&["edit", "A/s", "--credential", "own", "--secret-stdin", "password"], "x").ended(0);
    let refused = seat.run(&["connect", "A/s", "--", "true"], "").ended(6);
    assert!(refused.err.contains('→') && refused.err.contains(&port), "{}", refused.err);
    let log = ["--lang", "fr", "audit", "log", "--event", "session.failed"];
    let told = format!("detail=127.0.0.1:{port} refuse la connexion.");
    assert!(seat.ok(&log).out.contains(&told), "{}", seat.ok(&log).out);
}

#[test]
fn the_agent_is_one_private_process_that_is_gone_after_lock() {
    let seat = Seat::unlocked();
    let folder = seat.home.path().join("run/poterne");
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    };
    assert_eq!(mode(&folder), 0o700);
    let socket = std::fs::read_dir(&folder)
        .expect("ours")
        .map(|entry| entry.expect("ours").path())
        .find(|path| path.extension().is_some_and(|end| end == "sock"))
        .expect("the agent's socket");
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(agents_of(&seat), 1);
    // Unlocked already: no factors are asked for.
    seat.ok(&["unlock"]);
    assert_eq!(agents_of(&seat), 1);
    seat.ok(&["lock"]);
    assert_eq!(agents_of(&seat), 0);
    assert!(!socket.exists());
}

#[test]
fn the_agent_locks_itself_when_nobody_uses_it() {
    let mut seat = Seat::locked();
    let factors = seat.factors();
    seat.run(&["unlock", "--timeout", "1s"], &factors).ended(0);
    // `lock` waits for the end of the process: here it only finds it ended.
    let end = std::time::Instant::now() + Duration::from_secs(30);
    while agents_of(&seat) > 0 {
        assert!(std::time::Instant::now() < end, "it is still there");
        std::thread::yield_now();
    }
    assert_eq!(seat.ok(&["--json", "status"]).json()["unlocked"], false);
}

#[test]
fn a_killed_agent_leaves_nothing_in_the_way() {
    let mut seat = Seat::unlocked();
    for pid in agent_pids(&seat) {
        let kill = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        assert!(kill.expect("kill is there").success());
    }
    seat.ok(&["lock"]);
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
}

fn agents_of(seat: &Seat) -> usize {
    agent_pids(seat).len()
}

/// Living agent processes that have this seat's home folder.
pub fn agent_pids(seat: &Seat) -> Vec<u32> {
    let home = format!("HOME={}", seat.home.path().display());
    std::fs::read_dir("/proc")
        .expect("Linux")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            let read =
                |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            let has = |bytes: &[u8], word: &str| {
                bytes.split(|byte| *byte == 0).any(|part| part == word.as_bytes())
            };
            has(&read("cmdline"), "agent-process") && has(&read("environ"), &home)
        })
        .collect()
}

#[test]
fn a_person_types_into_a_shell_that_follows_the_window() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "shell", "A/ici", "--command", "/bin/sh"]);
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pty = native_pty_system().openpty(size).expect("a pseudo-terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_poterne"));
    command.args(["connect", "A/ici"]);
    command.env_clear();
    command.env("HOME", seat.home.path());
    command.env("XDG_RUNTIME_DIR", seat.home.path().join("run"));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("TERM", "xterm");
    let mut child = pty.slave.spawn_command(command).expect("the program is built");
    drop(pty.slave);
    let mut keys = pty.master.take_writer().expect("once");
    let mut screen = pty.master.try_clone_reader().expect("a copy");
    let (said, heard) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = screen.read(&mut buffer) {
            if said.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    let mut seen = String::new();
    let mut wait_for = |what: &str| {
        loop {
            if let Some(at) = seen.find(what) {
                // What came after it may be waited for next.
                seen.drain(..at + what.len());
                return;
            }
            let more = heard.recv_timeout(Duration::from_secs(30));
            seen += &String::from_utf8_lossy(&more.unwrap_or_else(|_| panic!("no {what}: {seen}")));
        }
    };
    keys.write_all(b"echo $((6*7))!; stty size\r").expect("it reads");
    wait_for("42!");
    wait_for("24 80");
    pty.master.resize(PtySize { rows: 30, cols: 100, ..size }).expect("a size");
    // The new size arrives by a signal: ask until it is there.
    keys.write_all(b"until [ \"$(stty size)\" = '30 100' ]; do :; done; echo new-si''ze\r")
        .expect("it reads");
    wait_for("new-size");
    keys.write_all(b"exit 5\r").expect("it reads");
    assert_eq!(child.wait().expect("it ends").exit_code(), 5);
}

#[test]
fn a_session_cut_off_leaves_the_terminal_as_a_shell_expects_it() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "shell", "A/ici", "--command", "/bin/sh"]);
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pty = native_pty_system().openpty(size).expect("a pseudo-terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_poterne"));
    command.args(["connect", "A/ici"]);
    command.env_clear();
    command.env("HOME", seat.home.path());
    command.env("XDG_RUNTIME_DIR", seat.home.path().join("run"));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let mut child = pty.slave.spawn_command(command).expect("the program is built");
    drop(pty.slave);
    let mut keys = pty.master.take_writer().expect("once");
    let mut screen = pty.master.try_clone_reader().expect("a copy");
    // As a full-screen program does.
    keys.write_all(b"printf '\\033[?1049h\\033[?1000h\\033[?25l'; echo up''side\r").expect("reads");
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    while !seen.contains("upside") {
        let count = screen.read(&mut buffer).expect("it says so");
        seen += &String::from_utf8_lossy(&buffer[..count]);
    }
    let pid = child.process_id().expect("it runs").to_string();
    super::kit_ssh::sh("kill", &[&pid]);
    let mut rest = String::new();
    // The end of a pseudo-terminal is an error to its reader.
    while let Ok(count @ 1..) = screen.read(&mut buffer) {
        rest += &String::from_utf8_lossy(&buffer[..count]);
    }
    for undone in ["\u{1b}[?1047l", "\u{1b}[?1000l", "\u{1b}[?25h"] {
        assert!(rest.contains(undone), "{rest:?}");
    }
    child.wait().expect("it ends");
}
