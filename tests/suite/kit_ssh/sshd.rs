//! OpenSSH's server, with keys, configuration and port of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use poterne::model::target::{Hop, HostPort, PinnedKey};

use super::keys::keygen;
use super::machine::{PATIENCE, free_port, kill_with_all, serial, sh, user};
use super::target::hop;

/// How a server is to be.
#[derive(Default)]
pub struct Setup {
    /// Kinds of host key, such as `ed25519`; that one when empty.
    pub host_keys: Vec<&'static str>,
    /// More lines for the configuration.
    pub lines: Vec<String>,
    /// Password checked through PAM.
    pub password: Option<String>,
    /// RFC 6238 seed in hex, asked for after the password.
    pub otp_seed: Option<String>,
    /// A port to take instead of a free one.
    pub port: Option<u16>,
    /// The path of a network namespace to run in.
    pub namespace: Option<String>,
    /// An address to take instead of 127.0.0.1.
    pub address: Option<String>,
}

/// A running OpenSSH server.
pub struct Sshd {
    /// Its own folder.
    pub dir: tempfile::TempDir,
    /// Where it listens.
    pub port: u16,
    /// The address for that.
    address: String,
    process: Child,
    pam: Option<PathBuf>,
}

impl Sshd {
    /// Starts one and waits until it listens.
    pub fn start(setup: Setup) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        let at = |name: &str| dir.path().join(name);
        let kinds = if setup.host_keys.is_empty() { vec!["ed25519"] } else { setup.host_keys };
        let mut config = String::new();
        for kind in kinds {
            let mut args = vec!["-t", kind];
            if kind == "rsa" {
                args.extend(["-b", "2048"]);
            }
            let key = keygen(dir.path(), &format!("host_{kind}"), &args);
            config += &format!("HostKey {}\n", key.display());
        }
        fs::write(at("authorized_keys"), "").expect("ours");
        let port = setup.port.unwrap_or_else(free_port);
        let address = setup.address.unwrap_or_else(|| "127.0.0.1".into());
        config += &format!(
            "Port {port}\nListenAddress {address}\nPidFile none\nStrictModes no\n\
             PermitRootLogin yes\nAuthorizedKeysFile {}\nSubsystem sftp internal-sftp\n\
             LogLevel VERBOSE\nMaxStartups 100\nUseDNS no\nPrintMotd no\nSetEnv SHLVL=5 HOME={}\n",
            at("authorized_keys").display(),
            // What the person's own start-up files print is no part of a test:
            // bash reads them for a command only on the first level.
            dir.path().display()
        );
        let mut program = PathBuf::from("/usr/sbin/sshd");
        let mut pam = None;
        if let Some(password) = &setup.password {
            // The name of the program is the name of its PAM service.
            let service = format!("poterne-t{}-{}", std::process::id(), serial());
            program = at(&service);
            std::os::unix::fs::symlink("/usr/sbin/sshd", &program).expect("ours");
            fs::write(at("password"), password).expect("ours");
            let check = at("check");
            fs::write(
                &check,
                format!(
                    "#!/bin/sh\n[ \"$(tr -d '\\000')\" = \"$(cat {})\" ]\n",
                    at("password").display()
                ),
            )
            .expect("ours");
            fs::set_permissions(&check, fs::Permissions::from_mode(0o755)).expect("ours");
            let mut rules =
                format!("auth required pam_exec.so expose_authtok quiet {}\n", check.display());
            if let Some(seed) = &setup.otp_seed {
                let users = at("users.oath");
                fs::write(&users, format!("HOTP/T30/6 {} - {seed}\n", user())).expect("ours");
                fs::set_permissions(&users, fs::Permissions::from_mode(0o600)).expect("ours");
                rules += &format!(
                    "auth required pam_oath.so usersfile={} window=20 digits=6\n",
                    users.display()
                );
            }
            // Something has to establish credentials, or sshd gives up after the login.
            rules += "auth optional pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n";
            let file = PathBuf::from("/etc/pam.d").join(&service);
            fs::write(&file, rules).expect("the tests of passwords run as root");
            pam = Some(file);
            config += "UsePAM yes\n";
        } else {
            config += "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n";
        }
        for line in setup.lines {
            config += &line;
            config.push('\n');
        }
        fs::write(at("config"), config).expect("ours");
        let _ = fs::create_dir_all("/run/sshd");
        let mut start = match &setup.namespace {
            None => Command::new(&program),
            Some(path) => {
                let mut inside = Command::new("nsenter");
                inside.arg(format!("--net={path}")).arg("--").arg(&program);
                inside
            }
        };
        let mut process = start
            .args(["-D", "-e", "-f"])
            .arg(at("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("openssh-server is installed");
        let log = BufReader::new(process.stderr.take().expect("piped"));
        let (ready, listening) = channel();
        let copy = fs::File::create(at("log")).expect("ours");
        std::thread::spawn(move || {
            use std::io::Write;
            let mut copy = copy;
            for line in log.lines().map_while(Result::ok) {
                let _ = writeln!(copy, "{line}");
                if line.contains("Server listening on") {
                    let _ = ready.send(());
                }
            }
        });
        let server = Self { dir, port, address, process, pam };
        if listening.recv_timeout(PATIENCE).is_err() {
            panic!("sshd did not start: {}", server.log());
        }
        server
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Lets the holder of this key in.
    pub fn authorize(&self, private: &Path) {
        use std::io::Write;
        let public = fs::read_to_string(private.with_extension("pub")).expect("beside it");
        let file = self.dir.path().join("authorized_keys");
        let mut file = fs::OpenOptions::new().append(true).open(file).expect("ours");
        file.write_all(public.as_bytes()).expect("ours");
    }

    /// `SHA256:…` of one of its keys, by ssh-keygen.
    pub fn fingerprint(&self, kind: &str) -> String {
        let key = self.dir.path().join(format!("host_{kind}.pub"));
        let line = sh("ssh-keygen", &["-l", "-f", key.to_str().expect("UTF-8")]);
        line.split_whitespace().nth(1).expect("a fingerprint").to_owned()
    }

    /// Its address with this key pinned.
    pub fn pinned(&self, algorithm: &str, kind: &str) -> PinnedKey {
        PinnedKey {
            at: self.at(),
            algorithm: algorithm.to_owned(),
            fingerprint: self.fingerprint(kind),
        }
    }

    /// Where it is.
    pub fn at(&self) -> HostPort {
        HostPort { host: self.address.clone(), port: self.port }
    }

    /// A hop to it, its key pinned.
    pub fn hop(&self) -> Hop {
        let mut hop = hop(self.port);
        hop.at = self.at();
        hop.pinned = vec![self.pinned("ssh-ed25519", "ed25519")];
        hop
    }

    /// Kills it and every session it serves.
    pub fn kill(&mut self) {
        kill_with_all(&mut self.process);
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
        if let Some(pam) = &self.pam {
            let _ = fs::remove_file(pam);
        }
    }
}
