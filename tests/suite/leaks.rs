//! What other programs of the machine can read while sessions of every kind are
//! open, started as a person starts them: arguments and variables of every
//! process, the home folder with the vault in it, the folder of sockets.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Child;

use super::cli_kit::Seat;
use super::kit_lines::Telnetd;
use super::kit_ssh::{Setup, Sshd, descendants, keygen, user};
use super::ssh_old_devices::old;

/// What is planted in an entry, by field.
fn planted(entry: &str) -> [(&'static str, String); 4] {
    let mark = |what: &str| format!("Trahi-{entry}-{what}-8842");
    [
        ("password", mark("motdepasse")),
        ("notes", mark("notes")),
        ("custom:pin", mark("pin")),
        ("totp", data_encoding::BASE32_NOPAD.encode(mark("graine").as_bytes())),
    ]
}

fn add(seat: &Seat, name: &str, kind: &str, more: &[&str], needles: &mut Vec<Vec<u8>>) {
    let path = format!("A/{name}");
    // A shell logs in nowhere: it takes neither a login nor a code. No code is asked
    // for by telnet.
    let logs_in = kind != "shell";
    let own: &[&str] = if logs_in { &["--credential", "own"] } else { &[] };
    seat.ok(&[&["add", kind, &path], own, more].concat());
    let login = |field: &str| matches!(field, "password" | "totp");
    let takes = |field: &str| match kind {
        "telnet" => field != "totp",
        _ => logs_in || !login(field),
    };
    for (field, value) in planted(name).into_iter().filter(|(f, _)| takes(f)) {
        seat.run(&["edit", &path, "--secret-stdin", field], &value).ended(0);
        needles.push(value.into_bytes());
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}

/// Each as it is, in hexadecimal and in base64.
pub fn in_all_forms(needles: &[Vec<u8>]) -> Vec<Vec<u8>> {
    use data_encoding::{BASE64_NOPAD, HEXLOWER, HEXUPPER};
    let forms = |n: &Vec<u8>| {
        let text = BASE64_NOPAD.encode(n);
        // The last sign depends on what follows.
        let base64 = text.as_bytes()[..text.len() - 1].to_vec();
        [n.clone(), HEXLOWER.encode(n).into(), HEXUPPER.encode(n).into(), base64]
    };
    needles.iter().flat_map(forms).collect()
}

fn is_device_key(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    name.starts_with("device-") && name.ends_with(".key")
}

/// Every file below, but for the pictures of the running processes.
fn files(folder: &Path, each: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).expect("ours").flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        if kind.is_dir() {
            files(&path, each);
        } else if kind.is_file() {
            each(&path, &std::fs::read(&path).unwrap_or_default());
        }
    }
}

/// The key of this computer, as it lies in its own file and nowhere else.
pub fn device_key(home: &Path) -> Vec<u8> {
    let mut device = Vec::new();
    files(home, &mut |path, bytes| {
        if is_device_key(path) {
            device = bytes.to_vec();
        }
    });
    assert!(device.len() >= 32, "without a keyring there is a file");
    device
}

/// Looks into arguments and variables of these processes and into every file below
/// the home; how many files that were.
pub fn found_nowhere(needles: &[Vec<u8>], processes: &[u32], home: &Path) -> usize {
    for pid in processes {
        for part in ["cmdline", "environ"] {
            let Ok(bytes) = std::fs::read(format!("/proc/{pid}/{part}")) else { continue };
            for needle in needles {
                assert!(!contains(&bytes, needle), "a secret is in /proc/{pid}/{part}");
            }
        }
    }
    let mut seen = 0;
    files(home, &mut |path, bytes| {
        seen += 1;
        if is_device_key(path) {
            return;
        }
        for needle in needles {
            assert!(!contains(bytes, needle), "a secret is in {}", path.display());
        }
    });
    seen
}

/// A session that runs until it is ended.
fn open(seat: &Seat, path: &str) -> Child {
    let words = ["connect", path, "--no-reuse", "--", "echo up; exec sleep 1000"];
    let mut command = seat.command(&words);
    // The program has no logger of its own; whatever a library would have to say
    // is asked for all the same.
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
    let mut child = command.spawn().expect("the program is built");
    let mut up = [0; 3];
    child.stdout.as_mut().expect("piped").read_exact(&mut up).expect("it started");
    assert_eq!(&up, b"up\n");
    child
}

/// A plain line that runs until it is ended.
fn open_line(seat: &Seat, path: &str) -> Child {
    let mut child = seat.command(&["connect", path]).spawn().expect("the program is built");
    child.stdin.as_mut().expect("piped").write_all(b"echo u''p\n").expect("it reads");
    let (out, mut said) = (child.stdout.as_mut().expect("piped"), Vec::new());
    while !contains(&said, b"\nup") {
        let mut byte = [0];
        out.read_exact(&mut byte).expect("it says so");
        said.push(byte[0]);
    }
    child
}

#[test]
fn chains_old_devices_and_shells_show_no_secret_to_other_programs() {
    let mut seat = Seat::locked();
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    let keys = tempfile::tempdir().expect("a folder");
    let phrase = "Trahie-phrase-de-la-cle-8842";
    let locked = keygen(keys.path(), "locked", &["-t", "ed25519", "-N", phrase]);
    let rsa = keygen(keys.path(), "rsa", &["-t", "rsa", "-b", "2048", "-m", "PEM"]);
    let (jump, far) = (Sshd::start(Setup::default()), Sshd::start(Setup::default()));
    let switch = old(false, "diffie-hellman-group14-sha1", "aes128-cbc", &[]);
    jump.authorize(&locked);
    far.authorize(&locked);
    switch.authorize(&rsa);

    seat.ok(&["add", "client", "A"]);
    let mut needles = vec![phrase.as_bytes().to_vec(), seat.kit.as_bytes().to_vec()];
    needles.extend(factors.lines().map(|l| l.as_bytes().to_vec()));
    needles.push(device_key(seat.home.path()));
    let servers = [("jump", &jump, &locked), ("far", &far, &locked), ("switch", &switch, &rsa)];
    for (name, server, key) in servers {
        let (port, user) = (server.port.to_string(), user());
        let mut more = vec!["--host", "127.0.0.1", "--port", &port, "--user", &user];
        match name {
            "far" => more.extend(["--jump", "A/jump"]),
            "switch" => more.extend(["--weak-algorithms", "yes"]),
            _ => {}
        }
        add(&seat, name, "ssh", &more, &mut needles);
        let text = std::fs::read_to_string(key).expect("it was made");
        let put = |field, value| {
            seat.run(&["edit", &format!("A/{name}"), "--secret-stdin", field], value).ended(0);
        };
        put("private-key", &text);
        if key == &locked {
            put("passphrase", phrase);
        }
        // A line from the secret half of the key.
        let line = text.lines().rev().nth(2).expect("a key of several lines");
        needles.push(line.as_bytes().to_vec());
    }
    add(&seat, "ici", "shell", &[], &mut needles);
    let [(_, password), _, _, _] = planted("telnet");
    let telnetd = Telnetd::start(&password);
    let port = telnetd.port.to_string();
    let place = ["--host", "127.0.0.1", "--port", &port, "--user", &telnetd.user];
    add(&seat, "telnet", "telnet", &place, &mut needles);

    for name in ["far", "switch"] {
        seat.run(&["connect", &format!("A/{name}"), "--", "true"], "yes\nyes\n").ended(0);
    }
    let needles = in_all_forms(&needles);
    let mut sessions: Vec<Child> =
        ["A/far", "A/switch", "A/ici"].iter().map(|path| open(&seat, path)).collect();
    sessions.push(open_line(&seat, "A/telnet"));

    let mut processes: Vec<u32> = sessions.iter().flat_map(|s| descendants(s.id())).collect();
    let agents = super::cli_sessions::agent_pids(&seat);
    assert_eq!(agents.len(), 1);
    let below = descendants(agents[0]);
    assert!(below.len() >= 4, "a process for each session: {below:?}");
    processes.extend(agents.iter().chain(&below));
    let seen = found_nowhere(&needles, &processes, seat.home.path());
    assert!(seen >= 2, "the vault and its computer's key at least");
    for session in &mut sessions {
        // By SIGTERM, which the watching `timeout` hands on.
        super::kit_ssh::sh("kill", &[&session.id().to_string()]);
        session.wait().expect("it was started");
    }
}
