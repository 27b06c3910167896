//! Dropbear, a server of another make.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use poterne::model::target::Hop;

use super::machine::{PATIENCE, free_port, kill_with_all, serial, sh};
use super::target::hop;

/// A running Dropbear with a user of its own, who has a password and may have a
/// key. Dropbear knows only real users, so one is made and removed again.
pub struct Dropbear {
    /// The home of the user, and the server's files.
    pub dir: tempfile::TempDir,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// The user.
    pub user: String,
    process: Child,
}

impl Dropbear {
    /// Starts one and waits until it listens.
    pub fn start(password: &str) -> Self {
        Self::start_at(password, free_port())
    }

    /// The same on this port.
    pub fn start_at(password: &str, port: u16) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        let home = dir.path().to_str().expect("UTF-8");
        let user = format!("pt{}-{}", std::process::id(), serial());
        sh("useradd", &["-M", "-d", home, "-s", "/bin/sh", &user]);
        let mut chpasswd = Command::new("chpasswd")
            .stdin(Stdio::piped())
            .spawn()
            .expect("the tests of passwords run as root");
        let mut stdin = chpasswd.stdin.take().expect("piped");
        writeln!(stdin, "{user}:{password}").expect("it reads");
        drop(stdin);
        assert!(chpasswd.wait().expect("it ends").success());
        let key = dir.path().join("host_key");
        sh("dropbearkey", &["-t", "ed25519", "-f", key.to_str().expect("UTF-8")]);
        let mut process = Command::new("dropbear")
            .args(["-F", "-E", "-m", "-p", &format!("127.0.0.1:{port}"), "-P", "", "-r"])
            .arg(&key)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("dropbear-bin is installed");
        let log = BufReader::new(process.stderr.take().expect("piped"));
        let (ready, started) = channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if line.contains("Not backgrounding") {
                    let _ = ready.send(());
                }
            }
        });
        started.recv_timeout(PATIENCE).expect("dropbear starts");
        Self { dir, port, user, process }
    }

    /// Lets the holder of this key in.
    pub fn authorize(&self, private: &Path) {
        let folder = self.dir.path().join(".ssh");
        fs::create_dir_all(&folder).expect("ours");
        let public = fs::read(private.with_extension("pub")).expect("beside it");
        fs::write(folder.join("authorized_keys"), public).expect("ours");
        sh("chown", &["-R", &self.user, folder.to_str().expect("UTF-8")]);
    }

    /// A hop to it.
    pub fn hop(&self) -> Hop {
        let mut hop = hop(self.port);
        hop.user = self.user.clone();
        hop
    }

    /// Ends it and all its sessions, as a crash would.
    pub fn kill(&mut self) {
        kill_with_all(&mut self.process);
    }
}

impl Drop for Dropbear {
    fn drop(&mut self) {
        self.kill();
        let _ = Command::new("userdel").args(["-f", &self.user]).stderr(Stdio::null()).status();
    }
}
