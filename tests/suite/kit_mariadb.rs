//! A real MariaDB on loopback, in a folder of its own. Ends with its value.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use poterne::model::target::Hop;

use crate::kit_ssh::*;

/// Who may log in.
pub const USER: &str = "zoe";

/// A running server.
pub struct MariaDb {
    /// Its own folder.
    pub dir: tempfile::TempDir,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    process: Child,
}

impl MariaDb {
    /// Starts one that lets its user in with this password.
    pub fn start(password: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let data = format!("--datadir={}", dir.path().join("data").display());
        // As root it goes on as its own user.
        let owner = if user() == "root" { "mysql".to_owned() } else { user() };
        if user() == "root" {
            sh("chown", &[&owner, dir.path().to_str().expect("UTF-8")]);
        }
        let owner = format!("--user={owner}");
        sh(
            "mariadb-install-db",
            &[
                "--no-defaults",
                &data,
                &owner,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
        );
        let port = free_port();
        let socket = dir.path().join("s");
        let mut process = Command::new("mariadbd")
            .args(["--no-defaults", &data, &owner, "--bind-address=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--pid-file={}", dir.path().join("pid").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mariadb-server is installed");
        let log = BufReader::new(process.stderr.take().expect("piped"));
        let (begun, started) = channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if line.contains("ready for connections") {
                    let _ = begun.send(());
                }
            }
        });
        started.recv_timeout(PATIENCE).expect("the server starts");
        let server = Self { dir, port, process };
        let quoted = password.replace('\\', "\\\\").replace('\'', "\\'");
        // From a file: the password is planted, and looked for among arguments.
        let setup = server.dir.path().join("setup.sql");
        fs::write(
            &setup,
            format!(
                "create database essai; create user '{USER}'@'%' identified by '{quoted}';\n\
                 grant all on essai.* to '{USER}'@'%';\n"
            ),
        )
        .expect("ours");
        server.asked(&format!("source {}", setup.display()));
        fs::remove_file(&setup).expect("ours");
        server
    }

    /// A hop to it.
    pub fn hop(&self) -> Hop {
        let mut hop = with(hop(self.port), "database", "essai");
        hop.user = USER.into();
        hop
    }

    /// What a query answers, asked past the network.
    pub fn asked(&self, query: &str) -> String {
        let socket = format!("--socket={}", self.dir.path().join("s").display());
        sh("mariadb", &["--no-defaults", &socket, "--user=root", "-N", "-e", query])
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
