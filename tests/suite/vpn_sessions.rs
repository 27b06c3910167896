//! Sessions through a VPN that is raised before them, as the command line opens them:
//! the distribution's `openvpn` on both sides, a real sshd behind it, and an agent that
//! never changes the network of the machine it runs on.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};

use serde_json::Value;

use super::cli_kit::{Seat, finish};
use super::kit_ssh::{keygen, user};
use super::kit_vpn::{Lan, MACHINE, MACHINE_NAME, Namespace, Setup, inside};
use super::leaks;

const LOGIN: (&str, &str) = ("alice", "mot-de-passe-du-vpn");

fn with_login(client: &'static str) -> Setup {
    Setup { client, login: Some(LOGIN), ..Setup::default() }
}

/// A client of this name with a VPN and a machine behind it, which is reached by `host`.
fn client(seat: &Seat, name: &str, lan: &Lan, host: &str) {
    let (vpn, machine) = (format!("{name}/vpn"), format!("{name}/s"));
    let key = keygen(seat.home.path(), &format!("id-{name}"), &["-t", "ed25519"]);
    lan.ssh.authorize(&key);
    let key = fs::read_to_string(key).expect("it was made");
    seat.ok(&["add", "client", name]);
    let add = ["add", "openvpn", &vpn, "--user", LOGIN.0, "--vpn-keep", "0"];
    let add = [&add[..], &["--secret-stdin", "custom:openvpn-profile"]].concat();
    seat.run(&add, &lan.profile()).ended(0);
    seat.run(&["edit", &vpn, "--secret-stdin", "password"], LOGIN.1).ended(0);
    seat.ok(&["edit", name, "--field", &format!("vpn={vpn}")]);
    let add = ["add", "ssh", &machine, "--host", host, "--user", &user()];
    let add = [&add[..], &["--credential", "own", "--secret-stdin", "private-key"]].concat();
    seat.run(&add, &key).ended(0);
}

/// The lines of the log of this event, of the entry of this name.
fn lines(seat: &Seat, event: &str, entry: &str) -> Vec<Value> {
    let log = seat.ok(&["--json", "audit", "log", "--event", event]).json();
    let all = log["lines"].as_array().expect("lines").clone();
    all.into_iter().filter(|line| line["fields"]["entry"] == entry).collect()
}

fn detail(line: &Value) -> &str {
    line["fields"]["detail"].as_str().unwrap_or_default()
}

/// A session that says `up` and goes on until its input ends.
struct Open {
    child: Child,
}

impl Open {
    fn start(seat: &Seat, path: &str) -> Self {
        let words = ["connect", path, "--no-reuse", "--", "cd; ls *.client; echo up; exec cat"];
        let mut child = seat.command(&words).spawn().expect("the program is built");
        writeln!(child.stdin.as_mut().expect("piped"), "yes").expect("it reads");
        Self { child }
    }

    /// What it said until it was up.
    fn up(&mut self) -> String {
        let mut said = String::new();
        while !said.ends_with("up\n") {
            let mut byte = [0];
            let out = self.child.stdout.as_mut().expect("piped");
            if out.read_exact(&mut byte).is_err() {
                let mut err = String::new();
                let _ = self.child.stderr.take().expect("piped").read_to_string(&mut err);
                panic!("it never was up: {err}");
            }
            said.push(byte[0] as char);
        }
        said
    }

    fn says_back(&mut self, word: &str) {
        writeln!(self.child.stdin.as_mut().expect("piped"), "{word}").expect("it reads");
        let mut out = BufReader::new(self.child.stdout.as_mut().expect("piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("it answers");
        assert_eq!(line.trim_end(), word);
    }

    /// Ends its input; what it said besides.
    fn end(mut self) -> (i32, String) {
        drop(self.child.stdin.take());
        let mut err = String::new();
        let _ = self.child.stderr.take().expect("piped").read_to_string(&mut err);
        let status = self.child.wait().expect("ours");
        (status.code().unwrap_or(-1), err)
    }
}

/// The processes below this one, and their arguments.
fn below(pid: u32) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let mut all: Vec<(u32, u32, String)> = Vec::new();
    for entry in fs::read_dir("/proc").expect("there").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let mut words = after.split(' ');
        let dead = words.next() == Some("Z");
        let parent = words.next().and_then(|word| word.parse().ok());
        let args = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let args = String::from_utf8_lossy(&args).replace('\0', " ");
        if let (Some(parent), false) = (parent, dead) {
            all.push((pid, parent, args));
        }
    }
    let mut at = vec![pid];
    while let Some(parent) = at.pop() {
        for (pid, _, args) in all.iter().filter(|(_, of, _)| *of == parent) {
            at.push(*pid);
            found.push((*pid, args.clone()));
        }
    }
    found
}

/// The agent of a seat: its process has the vault's socket.
fn agent(seat: &Seat) -> u32 {
    let home = seat.home.path().to_str().expect("a path").to_owned();
    let agents = fs::read_dir("/proc").expect("there").flatten().filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let args = fs::read(entry.path().join("cmdline")).ok()?;
        let of_home = fs::read(entry.path().join("environ")).ok()?;
        let home = format!("HOME={home}");
        let ours = of_home.split(|b| *b == 0).any(|variable| variable == home.as_bytes());
        let is_agent = args.windows(13).any(|word| word == b"agent-process");
        (ours && is_agent).then_some(pid)
    });
    agents.into_iter().next().expect("the vault is unlocked")
}

/// Waits for the end of a process that is none of this one's children.
fn gone(pid: u32) {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let pid = Pid::from_raw(pid as i32).expect("a process");
    let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let patience = rustix::event::Timespec { tv_sec: 30, tv_nsec: 0 };
    let ended = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&patience));
    assert_eq!(ended, Ok(1), "process {pid:?} is still there");
}

#[test]
fn a_click_raises_the_vpn_and_its_last_session_takes_it_down() {
    let seat = Seat::unlocked();
    let lan = Lan::start(with_login("acme"));
    client(&seat, "A", &lan, MACHINE);
    let ran = seat.run(&["connect", "A/s", "--", "cd; ls *.client"], "yes\n").ended(0);
    assert_eq!(ran.out, "acme.client\n");
    let opening = &lines(&seat, "session.opening", "A/s")[0];
    let of_vpn = &lines(&seat, "session.opening", "A/vpn")[0];
    assert_eq!(detail(opening), "vpn A/vpn");
    let id = opening["fields"]["session"].as_str().expect("an id");
    assert_eq!(detail(of_vpn), format!("for {id}"));
    assert!(opening["seq"].as_u64() < of_vpn["seq"].as_u64(), "written before the act");
    let opened = &lines(&seat, "session.opened", "A/vpn")[0];
    assert!(detail(opened).starts_with("OpenVPN · 10."), "{}", detail(opened));
    // It ends with its last session, and says what it carried.
    for (pid, args) in below(agent(&seat)) {
        if args.contains("openvpn") || args.contains("network-host") {
            gone(pid);
        }
    }
    until("its end is told", || !lines(&seat, "session.closed", "A/vpn").is_empty());
    let closed = &lines(&seat, "session.closed", "A/vpn")[0];
    let carried = closed["fields"]["bytes_in"].as_str().and_then(|n| n.parse::<u64>().ok());
    assert!(carried.is_some(), "{closed}");
}

#[test]
fn two_clients_with_the_same_network_are_open_at_once() {
    let seat = Seat::unlocked();
    let (acme, globex) = (Lan::start(with_login("acme")), Lan::start(with_login("globex")));
    client(&seat, "A", &acme, MACHINE);
    // By its name, which only the client's own resolver knows.
    client(&seat, "G", &globex, MACHINE_NAME);
    let (mut a, mut g) = (Open::start(&seat, "A/s"), Open::start(&seat, "G/s"));
    assert_eq!(a.up(), "acme.client\nup\n");
    assert_eq!(g.up(), "globex.client\nup\n");
    a.says_back("one");
    g.says_back("two");
    a.says_back("three");
    let status = seat.ok(&["--json", "status"]).json();
    assert_eq!(status["sessions"], 4, "two, and their VPNs");
    assert_eq!(a.end().0, 0);
    g.says_back("still there");
    assert_eq!(g.end().0, 0);
}

#[test]
fn ten_sessions_go_through_one_vpn() {
    let seat = Seat::unlocked();
    let lan = Lan::start(with_login("acme"));
    client(&seat, "A", &lan, MACHINE);
    let mut all: Vec<Open> = (0..10).map(|_| Open::start(&seat, "A/s")).collect();
    for open in &mut all {
        open.up();
    }
    assert_eq!(lines(&seat, "session.opened", "A/s").len(), 10);
    assert_eq!(lines(&seat, "session.opening", "A/vpn").len(), 1);
    assert_eq!(lan.server.logins().len(), 1);
    for open in all {
        assert_eq!(open.end().0, 0);
    }
}

#[test]
fn a_wrong_password_is_sent_once_and_told_to_all_who_wait() {
    let seat = Seat::unlocked();
    let lan = Lan::start(with_login("acme"));
    client(&seat, "A", &lan, MACHINE);
    seat.run(&["edit", "A/vpn", "--secret-stdin", "password"], "faux").ended(0);
    let all: Vec<Open> = (0..3).map(|_| Open::start(&seat, "A/s")).collect();
    for open in all {
        let (status, err) = open.end();
        assert_eq!(status, 6, "{err}");
        assert!(err.contains("VPN “A/vpn”: "), "{err}");
        assert!(err.contains("password"), "{err}");
    }
    let failed = lines(&seat, "session.failed", "A/s");
    assert_eq!(failed.len(), 3);
    assert!(failed.iter().all(|line| detail(line).starts_with("vpn: VPN “A/vpn”: ")));
    // Each that came after the first had failed tried for itself.
    let tried = lines(&seat, "session.opening", "A/vpn").len();
    assert_eq!(lan.server.logins().len(), tried);
}

#[test]
fn an_expired_certificate_is_told_with_its_date() {
    let seat = Seat::unlocked();
    let setup = Setup { server_lasts: super::kit_vpn::Lasts::Over, ..with_login("acme") };
    let lan = Lan::start(setup);
    client(&seat, "A", &lan, MACHINE);
    let ran = seat.run(&["connect", "A/s", "--", "true"], "yes\n").ended(6);
    assert!(ran.err.contains("expired"), "{}", ran.err);
    assert!(ran.err.contains("20"), "with a date: {}", ran.err);
}

#[test]
fn a_server_that_comes_back_finds_the_sessions_where_they_were() {
    let seat = Seat::unlocked();
    let setup = Setup { keepalive: (1, 4), ..with_login("acme") };
    let mut lan = Lan::start(setup);
    client(&seat, "A", &lan, MACHINE);
    let mut open = Open::start(&seat, "A/s");
    open.up();
    lan.server.kill();
    let changed = |step: &str| {
        lines(&seat, "vpn.changed", "A/vpn").iter().any(|line| detail(line).starts_with(step))
    };
    until("it is told", || changed("reconnecting"));
    lan.restart();
    until("it is raised again", || changed("up"));
    open.says_back("still there");
    assert_eq!(open.end().0, 0);
}

#[test]
fn sessions_are_told_of_the_end_of_their_vpn() {
    let seat = Seat::unlocked();
    let lan = Lan::start(with_login("acme"));
    client(&seat, "A", &lan, MACHINE);
    let mut open = Open::start(&seat, "A/s");
    open.up();
    let below = below(agent(&seat));
    let openvpn = below.iter().find(|(_, args)| args.contains("openvpn --config"));
    let (pid, _) = openvpn.expect("it runs below the agent");
    let pid = rustix::process::Pid::from_raw(*pid as i32).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("ours");
    let mut err = String::new();
    open.child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    assert!(err.contains("VPN"), "{err}");
    assert_eq!(open.child.wait().expect("ours").code(), Some(6), "{err}");
}

/// What a person would see of the network of this machine.
fn network(near: &Namespace) -> String {
    let show = |words: &[&str]| {
        let out = near.command("ip").args(words).output().expect("it runs");
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let resolver = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let all = [
        show(&["-o", "addr"]),
        show(&["route", "show", "table", "all"]),
        show(&["-6", "route", "show", "table", "all"]),
        show(&["rule"]),
        resolver,
    ];
    // What the kernel counts down by itself.
    let fleeting = |word: &&str| word.ends_with("sec") || word.contains("expires");
    let words = |text: &String| {
        let kept: Vec<&str> = text.split_whitespace().filter(|word| !fleeting(word)).collect();
        kept.join(" ")
    };
    all.iter().map(words).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_machines_own_network_stays_as_it_was() {
    let lan = Lan::start(Setup { apart: true, ..with_login("acme") });
    let near = lan.near.as_ref().expect("it is apart");
    let mut seat = Seat::locked();
    seat.within = Some(near.path());
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    client(&seat, "A", &lan, MACHINE);
    // A new wire looks for a while whether its address is another's too.
    until("the addresses settle", || !network(near).contains("tentative"));
    let before = network(near);
    let mut open = Open::start(&seat, "A/s");
    open.up();
    assert_eq!(network(near), before, "while it is up");
    assert_eq!(open.end().0, 0);
    seat.ok(&["lock"]);
    assert_eq!(network(near), before, "after");
}

#[test]
fn nothing_is_left_of_an_application_that_was_killed() {
    let seat = Seat::unlocked();
    let lan = Lan::start(with_login("acme"));
    client(&seat, "A", &lan, MACHINE);
    let mut open = Open::start(&seat, "A/s");
    open.up();
    let agent = agent(&seat);
    let left = below(agent);
    let network = left.iter().find(|(_, args)| args.contains("network-host")).expect("it runs");
    let place = fs::read_link(format!("/proc/{}/ns/net", network.0)).expect("it is there");
    assert!(left.iter().any(|(_, args)| args.contains("openvpn --config")));
    let pid = rustix::process::Pid::from_raw(agent as i32).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("ours");
    for (pid, _) in left {
        gone(pid);
    }
    let in_it = |entry: fs::DirEntry| fs::read_link(entry.path().join("ns/net")).ok();
    let all = fs::read_dir("/proc").expect("there").flatten();
    assert!(all.filter_map(in_it).all(|other| other != place), "its network is gone");
    assert_ne!(open.end().0, 0);
    // And all works as ever.
    let mut seat = seat;
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    assert_eq!(seat.ok(&["connect", "A/s", "--", "cd; ls *.client"]).out, "acme.client\n");
}

#[test]
fn who_gives_up_leaves_nothing_raised() {
    let seat = Seat::unlocked();
    // Nobody listens there, and nothing says so.
    let lan = Lan::without_server(with_login("acme"));
    client(&seat, "A", &lan, MACHINE);
    lan.middle.ip("link set lo down");
    let mut open = Open::start(&seat, "A/s");
    let agent = agent(&seat);
    until("it calls", || below(agent).iter().any(|(_, args)| args.contains("openvpn --config")));
    let left = below(agent);
    let pid = rustix::process::Pid::from_child(&open.child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("ours");
    for (pid, _) in left {
        gone(pid);
    }
    assert_ne!(open.child.wait().expect("ours").code(), Some(0));
}

#[test]
fn a_machine_that_answers_needs_no_vpn() {
    // Apart, so that nothing but the VPN leads to the machine.
    let lan = Lan::start(Setup { apart: true, ..with_login("acme") });
    let near = lan.near.as_ref().expect("it is apart").path();
    let mut seat = Seat::locked();
    seat.within = Some(near.clone());
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    client(&seat, "A", &lan, MACHINE);
    let listener = inside(&near, || TcpListener::bind(("127.0.0.1", 0)).expect("a port"));
    let port = listener.local_addr().expect("bound").port().to_string();
    let add = ["add", "raw", "A/near", "--host", "127.0.0.1", "--port", &port];
    seat.ok(&[&add[..], &["--vpn-when", "no-answer"]].concat());
    let answer = std::thread::spawn(move || {
        // The first caller only looks whether somebody is there.
        for stream in listener.incoming().take(2) {
            let _ = stream.expect("a caller").write_all(b"here\n");
        }
    });
    let ran = seat.run(&["connect", "A/near"], "");
    assert!(ran.out.contains("here"), "{}{}", ran.out, ran.err);
    answer.join().expect("both came");
    let raised = || lines(&seat, "session.opening", "A/vpn").len();
    assert_eq!(raised(), 0);
    // The one behind does not answer without it.
    let list = ["connect", "A/s", "--no-reuse", "--", "cd; ls *.client"];
    seat.ok(&["edit", "A/s", "--vpn-when", "no-answer"]);
    assert_eq!(seat.run(&list, "yes\n").ended(0).out, "acme.client\n");
    assert_eq!(raised(), 1);
    // When the person is asked, no is no.
    seat.ok(&["edit", "A/s", "--vpn-when", "ask"]);
    let ran = seat.run(&list, "no\n").ended(6);
    assert!(ran.err.contains("Raise the VPN A/vpn?"), "{}", ran.err);
    assert_eq!(raised(), 1);
    assert_eq!(seat.run(&list, "yes\n").ended(0).out, "acme.client\n");
    assert_eq!(raised(), 2);
    seat.ok(&["edit", "A/s", "--vpn-when", "never"]);
    seat.run(&list, "").ended(6);
    assert_eq!(raised(), 2);
}

#[test]
fn no_secret_of_a_vpn_is_seen_by_other_programs() {
    let seat = Seat::unlocked();
    let setup = Setup {
        certificate: true,
        passphrase: Some("phrase-de-la-cle-du-vpn"),
        control_key: super::kit_vpn::ControlKey::Crypt,
        ..with_login("acme")
    };
    let lan = Lan::start(setup);
    client(&seat, "A", &lan, MACHINE);
    let passphrase = ["edit", "A/vpn", "--secret-stdin", "passphrase"];
    seat.run(&passphrase, "phrase-de-la-cle-du-vpn").ended(0);
    let mut open = Open::start(&seat, "A/s");
    open.up();
    let profile = lan.profile();
    let key: Vec<&str> = profile
        .lines()
        .skip_while(|line| !line.contains("BEGIN ENCRYPTED PRIVATE KEY"))
        .skip(1)
        .take(2)
        .collect();
    assert_eq!(key.len(), 2, "the profile has a key");
    let mut needles: Vec<Vec<u8>> = vec![LOGIN.1.into(), "phrase-de-la-cle-du-vpn".into()];
    needles.extend(key.iter().map(|line| line.as_bytes().to_vec()));
    let needles = leaks::in_all_forms(&needles);
    let agent = agent(&seat);
    let mut processes: Vec<u32> = below(agent).into_iter().map(|(pid, _)| pid).collect();
    assert!(processes.len() >= 4, "VPN, helper, openvpn and session");
    processes.extend([agent, open.child.id()]);
    // The keys of the test itself are no part of the home that a person has.
    let seen = leaks::found_nowhere(&needles, &processes, &seat.home.path().join(".local"));
    assert!(seen > 0);
    let seen = leaks::found_nowhere(&needles, &[], &seat.home.path().join("run"));
    assert!(seen > 0);
    assert_eq!(open.end().0, 0);
}

#[test]
fn it_needs_no_privilege() {
    let lan = Lan::start(with_login("acme"));
    let seat = Seat::unlocked();
    client(&seat, "A", &lan, MACHINE);
    seat.ok(&["lock"]);
    // As somebody who may do nothing.
    let program = seat.home.path().join("poterne");
    fs::copy(env!("CARGO_BIN_EXE_poterne"), &program).expect("it is built");
    own(seat.home.path());
    let mut seat = seat;
    let factors = seat.factors();
    let as_nobody = |args: &[&str], input: &str| {
        let inner = seat.command(args);
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]);
        command.args(["timeout", "60"]).arg(&program).args(args).env_clear();
        for (name, value) in inner.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        finish(command, input)
    };
    as_nobody(&["unlock"], &factors).ended(0);
    let tun = fs::metadata("/dev/net/tun").expect("the kernel has it");
    if tun.permissions().mode() & 0o006 != 0o006 {
        // Here it is closed to all but root, and that is told.
        let ran = as_nobody(&["connect", "A/s", "--", "true"], "").ended(6);
        assert!(ran.err.contains("/dev/net/tun"), "{}", ran.err);
        return;
    }
    let ran = as_nobody(&["connect", "A/s", "--", "cd; ls *.client"], "yes\n").ended(0);
    assert_eq!(ran.out, "acme.client\n");
    as_nobody(&["lock"], "").ended(0);
}

/// Gives a folder and all in it to nobody.
fn own(folder: &Path) {
    let done = Command::new("chown").args(["-R", "65534:65534"]).arg(folder).status();
    assert!(done.expect("it runs").success());
}

/// Asks again and again: what is asked for is written by another process.
fn until(what: &str, mut seen: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !seen() {
        assert!(start.elapsed().as_secs() < 45, "{what}");
        std::thread::yield_now();
    }
}
