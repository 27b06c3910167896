//! One command on a loopback server: `poterne connect … -- true` through the
//! agent, beside `ssh`, with and without a connection that is open already.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use poterne::app::demo::PASSWORD;

use crate::meter::{median, ratio, short, there, time, title, took};
use crate::rivals;
use crate::trial::Trial;

const RUNS: usize = 15;

pub fn run(folder: &Path) {
    title("One command on a loopback server, a process for each");
    if !there("ssh") || !Path::new("/usr/sbin/sshd").exists() {
        return;
    }
    let mut trial = Trial::of(folder, 1_000);
    let vault = trial.file.to_str().expect("UTF-8").to_owned();
    let poterne = |args: &[&str], input: &[u8]| {
        let mut all = vec!["--vault", &vault];
        all.extend(args);
        run_one(env!("CARGO_BIN_EXE_poterne"), &all, input)
    };
    while !poterne(&["unlock"], format!("{PASSWORD}\n{}\n", trial.code()).as_bytes()).1 {}
    poterne(&["add", "client", "Essai"], b"");
    keys(folder);
    let sshd = openssh(folder);
    against(folder, &sshd, &poterne);
    // Most of a command over an open connection is the server's: a small one
    // shows what is the client's.
    if let Some(server) = dropbear(folder) {
        against(folder, &server, &poterne);
    }
    poterne(&["rm", "Essai/compte"], b"");
    let add = ["add", "credential", "Essai/compte", "--user", "u", "--secret-stdin", "password"];
    assert!(poterne(&add, b"secret").1, "the entry is made");
    let show = median(RUNS, || expect(poterne(&["show", "Essai/compte"], b"")));
    took("show one entry, a process through the agent", show, "");
    let reveal = ["show", "Essai/compte", "--field", "password", "--reveal"];
    let reveal = median(RUNS, || expect(poterne(&reveal, b"")));
    took("reveal its password: the same and an audit line stored", reveal, "");
    let nothing = median(RUNS, || expect(poterne(&["--version"], b"")));
    took("(a process that only says its version)", nothing, "");
    poterne(&["lock"], b"");
    let port = sshd.port.to_string();
    let args = ssh_args(folder, &port, &sshd.user);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let locked = ["connect", "Essai/sshd", "--", "true"];
    let ours = median(3, || {
        loop {
            // A code is waited for here, where nobody counts.
            let factors = format!("{PASSWORD}\n{}\n", trial.code());
            let (took, done) = poterne(&locked, factors.as_bytes());
            if done {
                return took;
            }
        }
    });
    let mut beside_it = String::new();
    if there("keepassxc-cli") {
        let (file, word) = rivals::kdbx(folder, 1_000);
        let theirs = median(3, || {
            let show = ["show", "-q", "-s", "-a", "Password", &file, &word];
            let shown = expect(run_one("keepassxc-cli", &show, b"pw\n"));
            let mut all = args.clone();
            all.extend(["127.0.0.1", "true"]);
            shown + expect(run_one("ssh", &all, b""))
        });
        beside_it = beside("keepassxc-cli, then ssh", ours, theirs);
    }
    took("from locked to done, keys stretched for 0.1 s", ours, &beside_it);
}

fn expect((took, done): (Duration, bool)) -> Duration {
    assert!(done, "the command ends well");
    took
}

/// Runs the program with arguments and an input: how long it took, and whether it
/// ended well.
type Run<'a> = dyn Fn(&[&str], &[u8]) -> (Duration, bool) + 'a;

fn against(folder: &Path, server: &Server, poterne: &Run<'_>) {
    let (name, user, port) = (server.name, server.user.as_str(), server.port.to_string());
    let key = fs::read(folder.join("user_key")).expect("was made");
    let path = format!("Essai/{name}");
    poterne(&["rm", &path], b"");
    let add = ["add", "ssh", &path, "--host", "127.0.0.1", "--port", &port, "--user", user];
    let add = [&add[..], &["--secret-stdin", "private-key"]].concat();
    assert!(poterne(&add, &key).1, "the entry is made");
    assert!(poterne(&["connect", &path, "--", "true"], b"yes\n").1, "the first connection");

    let args = ssh_args(folder, &port, user);
    let ssh = |more: &[&str]| {
        let mut all: Vec<&str> = args.iter().map(String::as_str).collect();
        all.extend(more);
        all.extend(["127.0.0.1", "true"]);
        run_one("ssh", &all, b"")
    };
    let socket = format!("ControlPath={}", folder.join(format!("mux-{name}")).display());
    let fresh = median(RUNS, || expect(ssh(&[])));
    let new = ["connect", "--no-reuse", &path, "--", "true"];
    let ours = median(RUNS, || expect(poterne(&new, b"")));
    took(&format!("a new connection to {name}"), ours, &beside("ssh", ours, fresh));
    let master = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", &socket];
    expect(ssh(&master));
    let mux = median(RUNS, || expect(ssh(&master)));
    let again = ["connect", &path, "--", "true"];
    expect(poterne(&again, b""));
    let ours = median(RUNS, || expect(poterne(&again, b"")));
    took("over an open one, audit line stored", ours, &beside("ControlMaster", ours, mux));
    let mut all: Vec<&str> = args.iter().map(String::as_str).collect();
    all.extend(["-o", &socket, "-O", "exit", "127.0.0.1"]);
    run_one("ssh", &all, b"");
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

fn keys(folder: &Path) {
    for name in ["host_key", "user_key"] {
        let at = folder.join(name);
        if !at.exists() {
            let at = at.to_str().expect("UTF-8");
            let made = run_one("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", at], b"");
            assert!(made.1, "ssh-keygen");
        }
    }
}

/// A server of its own keys and port, ended with this value.
struct Server {
    name: &'static str,
    process: Child,
    port: u16,
    user: String,
    /// The account made for it.
    account: bool,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if self.account {
            run_one("userdel", &[&self.user], b"");
        }
    }
}

impl Server {
    /// Waits until it says that it listens; what it says after that is read and
    /// forgotten, so that it never waits for a reader.
    fn listens(mut self, folder: &Path, word: &str) -> Self {
        let _ = fs::remove_file(folder.join("known"));
        let said = BufReader::new(self.process.stderr.take().expect("a pipe"));
        let mut lines = said.lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains(word)), "{} ends at once", self.name);
        std::thread::spawn(move || lines.for_each(drop));
        self
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port()
}

/// OpenSSH; its user is who runs the benchmark.
fn openssh(folder: &Path) -> Server {
    let port = free_port();
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
    let process = Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f"])
        .arg(&config)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    Server { name: "sshd", process, port, user: user(), account: false }
        .listens(folder, "Server listening")
}

/// Dropbear, which wants an account whose home holds the key: made by root only.
fn dropbear(folder: &Path) -> Option<Server> {
    if user() != "root" || !there("dropbear") {
        return None;
    }
    let home = folder.join("home");
    fs::create_dir_all(home.join(".ssh")).expect("ours");
    let public = fs::read(folder.join("user_key.pub")).expect("was made");
    fs::write(home.join(".ssh/authorized_keys"), public).expect("ours");
    let (user, port) = (format!("ptb{}", std::process::id()), free_port());
    let at = home.to_str().expect("UTF-8");
    if !run_one("useradd", &["-M", "-d", at, "-s", "/bin/sh", &user], b"").1 {
        return None;
    }
    // Its home must be its own, up to the root, for the server to read the key.
    run_one("chown", &["-R", &user, at], b"");
    run_one("chmod", &["755", folder.to_str().expect("UTF-8")], b"");
    let key = folder.join("dropbear_key");
    let key = key.to_str().expect("UTF-8");
    run_one("dropbearkey", &["-t", "ed25519", "-f", key], b"");
    let process = Command::new("dropbear")
        .args(["-F", "-E", "-m", "-p", &format!("127.0.0.1:{port}"), "-P", "", "-r", key])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let server = Server { name: "dropbear", process, port, user, account: true };
    Some(server.listens(folder, "Not backgrounding"))
}
