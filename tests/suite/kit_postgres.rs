//! A real PostgreSQL on loopback: a cluster of its own in a folder of its own, run by
//! an ordinary user, since it refuses to run as root. Ends with its value.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use poterne::model::target::Hop;

use crate::kit_ssh::*;

/// Who may log in.
pub const USER: &str = "zoe";

/// A running server.
pub struct Postgres {
    /// Its own folder.
    pub dir: tempfile::TempDir,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    process: Child,
}

/// The newest server that is installed.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("postgresql is installed");
    let mut found: Vec<PathBuf> = versions
        .flatten()
        .map(|v| v.path().join("bin").join(name))
        .filter(|p| p.exists())
        .collect();
    found.sort();
    found.pop().expect("postgresql is installed")
}

/// A program as the user `postgres`, if the tests run as root.
fn as_nobody_special(program: &Path) -> Command {
    if user() != "root" {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

impl Postgres {
    /// Starts one that lets its user in with this password.
    pub fn start(password: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (data, secret) = (dir.path().join("data"), dir.path().join("password"));
        fs::write(&secret, password).expect("ours");
        if user() == "root" {
            sh("chown", &["-R", "postgres:postgres", dir.path().to_str().expect("UTF-8")]);
        }
        let made = as_nobody_special(&program("initdb"))
            .arg("-D")
            .arg(&data)
            .args(["-U", USER, "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"])
            .arg(format!("--pwfile={}", secret.display()))
            .current_dir(dir.path())
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("it starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::remove_file(&secret).expect("ours");
        let port = free_port();
        let mut process = as_nobody_special(&program("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-F", "-k"])
            .arg(dir.path())
            .current_dir(dir.path())
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let log = BufReader::new(process.stderr.take().expect("piped"));
        let (begun, started) = channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if line.contains("ready to accept connections") {
                    let _ = begun.send(());
                }
            }
        });
        started.recv_timeout(PATIENCE).expect("the server starts");
        Self { dir, port, process }
    }

    /// A hop to it.
    pub fn hop(&self) -> Hop {
        let mut hop = hop(self.port);
        hop.user = USER.into();
        hop
    }

    /// What a query answers, asked past the network and without a password.
    pub fn asked(&self, query: &str) -> String {
        let (dir, port) = (self.dir.path().to_str().expect("UTF-8"), self.port.to_string());
        sh("psql", &["-h", dir, "-p", &port, "-U", USER, "-d", "postgres", "-Atc", query])
    }

    /// Ends every session at once.
    pub fn kill(&mut self) {
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            return;
        }
        // As the server itself takes it for "at once" (SIGQUIT).
        let _ = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}
