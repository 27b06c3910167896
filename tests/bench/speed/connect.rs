//! One command on a loopback server: `poterne connect … -- true` through the
//! agent, beside `ssh`, with and without a connection that is open already.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use poterne::app::demo::PASSWORD;

use crate::meter::{median, ratio, short, there, time, title, took};
use crate::trial::Trial;

const RUNS: usize = 15;

pub fn run(folder: &Path) {
    title("One command on a loopback sshd, a process for each");
    if !there("ssh") || !Path::new("/usr/sbin/sshd").exists() {
        return;
    }
    let (mut server, port) = start(folder);
    let mut trial = Trial::of(folder, 1_000);
    let vault = trial.file.to_str().expect("UTF-8").to_owned();
    let poterne = |args: &[&str], input: &[u8]| {
        let mut all = vec!["--vault", &vault];
        all.extend(args);
        run_one(env!("CARGO_BIN_EXE_poterne"), &all, input)
    };
    while !poterne(&["unlock"], format!("{PASSWORD}\n{}\n", trial.code()).as_bytes()).1 {}
    let (user, port) = (user(), port.to_string());
    let key = fs::read(folder.join("user_key")).expect("was made");
    poterne(&["add", "client", "Essai"], b"");
    poterne(&["rm", "Essai/ici"], b"");
    let add = ["add", "ssh", "Essai/ici", "--host", "127.0.0.1", "--port", &port, "--user", &user];
    let add = [&add[..], &["--secret-stdin", "private-key"]].concat();
    assert!(poterne(&add, &key).1, "the entry is made");
    assert!(poterne(&["connect", "Essai/ici", "--", "true"], b"yes\n").1, "the first connection");

    let args = ssh_args(folder, &port, &user);
    let ssh = |more: &[&str]| {
        let mut all: Vec<&str> = args.iter().map(String::as_str).collect();
        all.extend(more);
        all.extend(["127.0.0.1", "true"]);
        run_one("ssh", &all, b"")
    };
    let expect = |(took, done): (Duration, bool)| {
        assert!(done, "the command ends well");
        took
    };
    let socket = folder.join("mux");
    let socket = format!("ControlPath={}", socket.display());
    let fresh = median(RUNS, || expect(ssh(&[])));
    let new = ["connect", "--no-reuse", "Essai/ici", "--", "true"];
    let ours = median(RUNS, || expect(poterne(&new, b"")));
    took("a new connection", ours, &beside("ssh", ours, fresh));
    let master = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", &socket];
    expect(ssh(&master));
    let mux = median(RUNS, || expect(ssh(&master)));
    let again = ["connect", "Essai/ici", "--", "true"];
    expect(poterne(&again, b""));
    let ours = median(RUNS, || expect(poterne(&again, b"")));
    took("over an open connection, audit line stored", ours, &beside("ControlMaster", ours, mux));
    let show = median(RUNS, || expect(poterne(&["show", "Essai/ici"], b"")));
    took("show one entry, a process through the agent", show, "");
    let nothing = median(RUNS, || expect(poterne(&["--version"], b"")));
    took("(a process that only says its version)", nothing, "");

    poterne(&["lock"], b"");
    let mut all: Vec<&str> = args.iter().map(String::as_str).collect();
    all.extend(["-o", &socket, "-O", "exit", "127.0.0.1"]);
    run_one("ssh", &all, b"");
    let _ = server.kill();
    let _ = server.wait();
}

fn beside(rival: &str, ours: Duration, theirs: Duration) -> String {
    format!("{rival} {}: ours takes {:.2}", short(theirs), ratio(ours, theirs))
}

fn user() -> String {
    let out = Command::new("id").arg("-un").output().expect("id is there");
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

fn run_one(program: &str, args: &[&str], input: &[u8]) -> (Duration, bool) {
    let mut done = false;
    let took = time(|| {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        // A program that needs no input may be gone before it is written.
        let _ = child.stdin.take().expect("a pipe").write_all(input);
        done = child.wait().expect("ends").success();
    });
    (took, done)
}

fn ssh_args(folder: &Path, port: &str, user: &str) -> Vec<String> {
    let known = format!("UserKnownHostsFile={}", folder.join("known").display());
    let key = folder.join("user_key").display().to_string();
    let words = ["-F", "none", "-p", port, "-l", user, "-i", &key, "-o", &known];
    let more = ["-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes"];
    words.iter().chain(&more).map(|w| (*w).to_owned()).collect()
}

/// A server of its own keys and port; its user is who runs the benchmark.
fn start(folder: &Path) -> (Child, u16) {
    for name in ["host_key", "user_key"] {
        let at = folder.join(name);
        if !at.exists() {
            let at = at.to_str().expect("UTF-8");
            let made = run_one("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", at], b"");
            assert!(made.1, "ssh-keygen");
        }
    }
    let _ = fs::remove_file(folder.join("known"));
    let port =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let config = folder.join("sshd_config");
    let text = format!(
        "Port {port}\nListenAddress 127.0.0.1\nPidFile none\nStrictModes no\nUsePAM no\n\
         PermitRootLogin yes\nPasswordAuthentication no\nUseDNS no\nPrintMotd no\n\
         MaxStartups 100\nHostKey {}\nAuthorizedKeysFile {}\n",
        folder.join("host_key").display(),
        folder.join("user_key.pub").display(),
    );
    fs::write(&config, text).expect("is written");
    let _ = fs::create_dir_all("/run/sshd");
    let server = Command::new("/usr/sbin/sshd")
        .args(["-D", "-f"])
        .arg(&config)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    (server, port)
}
