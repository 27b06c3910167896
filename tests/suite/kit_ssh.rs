//! Real SSH servers on loopback for the stories of the SSH connector, and a
//! lease that hands out planted secrets. Each server has keys, configuration and
//! port of its own and ends with its value.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use poterne::connect::launch::{self, Launch};
use poterne::connect::link::{Channel, ChannelRequest, Exit, FromRemote, Link, TermSize, ToRemote};
use poterne::connect::{Answer, Failure, Lease, Progress, Question, by_kind, web};
use poterne::model::entry::{Kind, Slot};
use poterne::model::id::EntryId;
use poterne::model::target::{Hop, HostPort, PinnedKey, Target};
use poterne::os::chromium;
use poterne::secret::{SecretBytes, SecretText};

/// Longest wait for anything that is bound to happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The user that runs the tests, who logs in to the servers.
pub fn user() -> String {
    let out = Command::new("id").arg("-un").output().expect("id is there");
    String::from_utf8(out.stdout).expect("a name").trim().to_owned()
}

/// Runs a command line to its end.
pub fn sh(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).stdin(Stdio::null()).output();
    let out = out.unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    listener.local_addr().expect("it is bound").port()
}

/// Makes a key pair with ssh-keygen; the path of the private half.
pub fn keygen(dir: &Path, name: &str, args: &[&str]) -> PathBuf {
    let path = dir.join(name);
    let mut all = vec!["-q", "-f", path.to_str().expect("UTF-8"), "-C", "test"];
    all.extend(args);
    if !args.contains(&"-N") {
        all.extend(["-N", ""]);
    }
    sh("ssh-keygen", &all);
    path
}

/// OpenSSH's agent with one key; ends with its value.
pub struct SshAgent {
    /// Where it listens.
    pub socket: String,
    process: Child,
    _dir: tempfile::TempDir,
}

impl SshAgent {
    /// Starts one that holds the key of this file.
    pub fn start(key: &Path) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let socket = dir.path().join("agent.sock").to_str().expect("UTF-8").to_owned();
        let mut process = Command::new("ssh-agent")
            .args(["-D", "-a", &socket])
            .stdout(Stdio::piped())
            .spawn()
            .expect("openssh-client is installed");
        // It prints its variables once it listens.
        let mut first = [0u8; 1];
        process.stdout.as_mut().expect("piped").read_exact(&mut first).expect("it speaks");
        let key = key.to_str().expect("UTF-8");
        sh("env", &[&format!("SSH_AUTH_SOCK={socket}"), "ssh-add", "-q", key]);
        Self { socket, process, _dir: dir }
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

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
}

/// A running OpenSSH server.
pub struct Sshd {
    /// Its own folder.
    pub dir: tempfile::TempDir,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    process: Child,
    pam: Option<PathBuf>,
}

static SERIAL: AtomicU32 = AtomicU32::new(0);

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
        config += &format!(
            "Port {port}\nListenAddress 127.0.0.1\nPidFile none\nStrictModes no\n\
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
            let service = format!(
                "poterne-t{}-{}",
                std::process::id(),
                SERIAL.fetch_add(1, Ordering::Relaxed)
            );
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
        let mut process = Command::new(&program)
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
        let server = Self { dir, port, process, pam };
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
        HostPort { host: "127.0.0.1".into(), port: self.port }
    }

    /// A hop to it, its key pinned.
    pub fn hop(&self) -> Hop {
        let mut hop = hop(self.port);
        hop.pinned = vec![self.pinned("ssh-ed25519", "ed25519")];
        hop
    }

    /// Kills it and every session it serves.
    pub fn kill(&mut self) {
        for pid in descendants(self.process.id()) {
            let _ = Command::new("kill")
                .args(["-KILL", &pid.to_string()])
                .stderr(Stdio::null())
                .status();
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
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

/// Every process below `pid`.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").expect("Linux").flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        if let Some(parent) = after.split(' ').nth(1).and_then(|p| p.parse::<u32>().ok()) {
            parents.push((child, parent));
        }
    }
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        let above = found[next];
        found.extend(parents.iter().filter(|(_, p)| *p == above).map(|(c, _)| *c));
        next += 1;
    }
    found.remove(0);
    found
}

/// A hop to a port of this machine: user, no key pinned, defaults.
pub fn hop(port: u16) -> Hop {
    Hop {
        entry: EntryId([1; 16]),
        path: "Essai/Serveur".into(),
        at: HostPort { host: "127.0.0.1".into(), port },
        user: user(),
        slots: Vec::new(),
        pinned: Vec::new(),
        settings: Default::default(),
        ask: false,
    }
}

/// Sets a setting.
pub fn with(mut hop: Hop, id: &str, value: &str) -> Hop {
    hop.settings.insert(id.to_owned(), value.to_owned());
    hop
}

/// A target of kind `ssh`.
pub fn target(hops: Vec<Hop>) -> Target {
    Target { kind: Kind::new("ssh"), hops }
}

/// A lease with planted secrets, that starts the tested program.
#[derive(Default)]
pub struct FakeLease {
    /// Planted secrets by hop and slot.
    pub secrets: HashMap<(usize, Slot), Vec<u8>>,
    /// Planted seeds by hop.
    pub seeds: HashMap<usize, String>,
    /// Accept unknown server keys.
    pub trust: bool,
    /// Typed answers, in order.
    pub answers: VecDeque<String>,
    /// What the person was asked.
    pub asked: Vec<String>,
    /// Keys shown to the person.
    pub keys_shown: Vec<PinnedKey>,
    /// Progress told.
    pub said: Vec<Progress>,
    /// Secrets taken.
    pub taken: Vec<(usize, Slot)>,
    /// Processes started.
    pub children: Vec<u32>,
    /// The last of them, for who watches meanwhile; 0 before the first.
    pub latest: Arc<AtomicU32>,
    /// The person gives up.
    pub gave_up: Arc<AtomicBool>,
    /// The X display in place of that of the tests.
    pub display: Option<String>,
    /// Who asks has no screen.
    pub screenless: bool,
    /// Variables of the processes that it starts.
    pub env: Vec<(OsString, OsString)>,
    /// Variables that they have besides, where they are not started with others.
    pub env_before: Vec<(OsString, OsString)>,
}

impl FakeLease {
    /// Plants a secret and lists it in the hop.
    pub fn plant(&mut self, hops: &mut [Hop], hop: usize, slot: Slot, value: &[u8]) {
        hops[hop].slots.push(slot.clone());
        self.secrets.insert((hop, slot), value.to_vec());
    }

    /// Plants a seed in hex.
    pub fn plant_seed(&mut self, hops: &mut [Hop], hop: usize, seed: &str) {
        hops[hop].slots.push(Slot::Totp);
        self.seeds.insert(hop, seed.to_owned());
    }
}

impl Lease for FakeLease {
    fn take(&mut self, hop: usize, slot: &Slot) -> Option<SecretBytes> {
        self.taken.push((hop, slot.clone()));
        self.secrets.remove(&(hop, slot.clone())).map(SecretBytes::new)
    }

    fn totp(&mut self, hop: usize) -> Option<SecretText> {
        let seed = self.seeds.get(&hop)?;
        let code = sh("oathtool", &["--totp", seed]);
        Some(SecretText::new(code.trim().to_owned()))
    }

    fn desktop(&self) -> Vec<(String, String)> {
        let mut desktop = chromium::desktop();
        desktop.push((web::LANG.to_owned(), "en".to_owned()));
        if self.screenless || self.display.is_some() {
            desktop.retain(|(name, _)| name != "DISPLAY" && name != "WAYLAND_DISPLAY");
        }
        desktop.extend(self.display.iter().map(|name| ("DISPLAY".to_owned(), name.clone())));
        desktop
    }

    fn spawn(&mut self, mut launch: Launch) -> std::io::Result<launch::Child> {
        launch.program.get_or_insert_with(|| env!("CARGO_BIN_EXE_poterne").into());
        launch.env.splice(..0, self.env_before.iter().cloned());
        launch.env.extend(self.env.iter().cloned());
        let child = launch.start()?;
        self.children.push(child.process.id());
        self.latest.store(child.process.id(), Ordering::SeqCst);
        Ok(child)
    }

    fn ask(&mut self, question: Question) -> Answer {
        match question {
            Question::TrustHostKey(key) => {
                self.keys_shown.push(key);
                if self.trust { Answer::Yes } else { Answer::No }
            }
            Question::Prompt { text, .. } => {
                self.asked.push(text);
                self.typed()
            }
            Question::Password { user, at, again } => {
                let again = if again { " (again)" } else { "" };
                self.asked.push(format!("password of {user}@{}{again}", at.host));
                self.typed()
            }
            Question::User => {
                self.asked.push("user".into());
                self.typed()
            }
            Question::Approve(asked) => {
                self.asked.push(format!("approve {}", asked.kind));
                if self.trust { Answer::Yes } else { Answer::No }
            }
        }
    }

    fn say(&mut self, progress: Progress) {
        self.said.push(progress);
    }

    fn cancelled(&self) -> bool {
        self.gave_up.load(Ordering::Relaxed)
    }
}

impl FakeLease {
    fn typed(&mut self) -> Answer {
        self.answers.pop_front().map_or(Answer::No, |t| Answer::Text(SecretText::new(t)))
    }
}

/// An EC key as OpenSSL 0.9 wrote it, with the passphrase `phrase`.
const OLD_PEM: &str = "-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: DES-EDE3-CBC,E60880AF550EE1CA

Wa+Krb4NXcVKMNUl+KncXM/Q1h8My3LaYz/ycbvqCgENVBMtZUn2VtO/HxmxMuVj
3mI3VkR9TltaRgs0i8gkEDVkchZ86AYtr5Iuc9q3UTN2HCrgnMvJurXeUnfxcuj0
uTiTa/07jOJLAU5j0ezzBHryvOVZmBJfMyFDvOLHCPU=
-----END EC PRIVATE KEY-----
";

/// A key of every usual type and form, and its passphrase.
pub fn key_forms(dir: &Path) -> Vec<(&'static str, PathBuf, Option<&'static str>)> {
    use std::os::unix::fs::OpenOptionsExt;
    let kinds: &[(&str, &[&str], Option<&str>)] = &[
        ("ed25519", &["-t", "ed25519"], None),
        ("rsa", &["-t", "rsa", "-b", "2048"], None),
        ("ecdsa256", &["-t", "ecdsa", "-b", "256"], None),
        ("ecdsa521", &["-t", "ecdsa", "-b", "521"], None),
        ("ed25519enc", &["-t", "ed25519", "-a", "2", "-N", "phrase é"], Some("phrase é")),
        ("rsapem", &["-t", "rsa", "-b", "2048", "-m", "PEM"], None),
        ("rsapemenc", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "phrase"], Some("phrase")),
        ("rsapkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "phrase"], Some("phrase")),
        ("ecpem", &["-t", "ecdsa", "-b", "256", "-m", "PEM"], None),
        ("ecpemenc", &["-t", "ecdsa", "-b", "256", "-m", "PEM", "-N", "phrase"], Some("phrase")),
        ("ecpkcs8", &["-t", "ecdsa", "-b", "384", "-m", "PKCS8"], None),
    ];
    let mut forms: Vec<_> = kinds
        .iter()
        .map(|(name, args, phrase)| (*name, keygen(dir, name, args), *phrase))
        .collect();
    let old = dir.join("ecdes");
    let mut file = fs::OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(0o600).open(&old).expect("ours");
    std::io::Write::write_all(&mut file, OLD_PEM.as_bytes()).expect("ours");
    let public = sh("ssh-keygen", &["-y", "-P", "phrase", "-f", old.to_str().expect("UTF-8")]);
    fs::write(old.with_extension("pub"), public).expect("ours");
    forms.push(("ecdes", old, Some("phrase")));
    forms
}

/// Opens a target of any kind.
pub fn open(target: &Target, lease: &mut FakeLease) -> Result<Box<dyn Link>, Failure> {
    by_kind(&target.kind).expect("a known kind").open(target, lease)
}

/// Opens a target that must open.
pub fn must_open(target: &Target, lease: &mut FakeLease) -> Box<dyn Link> {
    match open(target, lease) {
        Ok(link) => link,
        Err(e) => panic!("{:?}: {} / {}", e.kind, e.what.en, e.todo.en),
    }
}

/// The failure of a target that must not open.
pub fn must_fail(target: &Target, lease: &mut FakeLease) -> Failure {
    match open(target, lease) {
        Ok(_) => panic!("it opened"),
        Err(e) => {
            for text in [&e.what.fr, &e.what.en, &e.todo.fr, &e.todo.en] {
                assert!(!text.is_empty());
            }
            e
        }
    }
}

/// A channel and what came from it so far.
pub struct Talk {
    /// The channel.
    pub channel: Box<dyn Channel>,
    messages: Receiver<FromRemote>,
    /// Standard output so far.
    pub out: Vec<u8>,
    /// Standard error so far.
    pub err: Vec<u8>,
    /// How it ended.
    pub exit: Option<Exit>,
    /// The reason of the end, once it is over.
    pub closed: Option<Option<Failure>>,
}

impl Talk {
    /// Opens a channel.
    pub fn open(link: &dyn Link, request: ChannelRequest) -> Result<Self, Failure> {
        let (sender, messages) = channel();
        let sender = Mutex::new(sender);
        let channel = link.open_channel(
            request,
            Box::new(move |m| {
                let _ = sender.lock().expect("one thread").send(m);
            }),
        )?;
        Ok(Self { channel, messages, out: vec![], err: vec![], exit: None, closed: None })
    }

    /// A shell on a terminal.
    pub fn shell(link: &dyn Link, cols: u16, rows: u16) -> Self {
        let request =
            ChannelRequest::Shell { size: TermSize { cols, rows }, term: "xterm-256color".into() };
        Self::open(link, request).expect("a shell opens")
    }

    /// A command without a terminal.
    pub fn exec(link: &dyn Link, command: &str) -> Self {
        let request =
            ChannelRequest::Exec { command: command.into(), size: None, term: String::new() };
        Self::open(link, request).expect("a command starts")
    }

    /// Types text.
    pub fn send(&self, text: &str) {
        self.channel.send(ToRemote::Data(text.as_bytes().to_vec()));
    }

    /// Takes one message; false once it is over.
    pub fn next(&mut self) -> bool {
        if self.closed.is_some() {
            return false;
        }
        match self.messages.recv_timeout(PATIENCE) {
            Ok(FromRemote::Data(bytes)) => self.out.extend(bytes),
            Ok(FromRemote::Stderr(bytes)) => self.err.extend(bytes),
            Ok(FromRemote::Exit(exit)) => self.exit = Some(exit),
            Ok(FromRemote::Closed(why)) => self.closed = Some(why),
            Ok(
                FromRemote::Tile(_)
                | FromRemote::Lent(_)
                | FromRemote::Copy(_)
                | FromRemote::Screen(_)
                | FromRemote::Clipboard(_)
                | FromRemote::Files(_)
                | FromRemote::Resume(_),
            ) => {
                panic!("a terminal is no desktop")
            }
            Err(_) => panic!("nothing more came; so far: {}", self.text()),
        }
        true
    }

    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Waits until the output holds `text`.
    pub fn until(&mut self, text: &str) {
        while !self.text().contains(text) {
            assert!(self.next(), "it ended before {text:?}: {}", self.text());
        }
    }

    /// Waits for the end.
    pub fn finish(mut self) -> Self {
        while self.next() {}
        self
    }
}

/// Runs a command to its end.
pub fn run(link: &dyn Link, command: &str, stdin: &[u8]) -> Talk {
    let talk = Talk::exec(link, command);
    if !stdin.is_empty() {
        talk.channel.send(ToRemote::Data(stdin.to_vec()));
    }
    talk.channel.send(ToRemote::Eof);
    talk.finish()
}

/// Reads everything a socket says until it ends.
pub fn read_all(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.set_read_timeout(Some(PATIENCE)).expect("a duration");
    stream.read_to_string(&mut text).expect("it ends");
    text
}

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
        use std::io::Write;
        let dir = tempfile::tempdir().expect("a folder");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        let home = dir.path().to_str().expect("UTF-8");
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let user = format!("pt{}-{serial}", std::process::id());
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
        for pid in descendants(self.process.id()) {
            let _ = Command::new("kill")
                .args(["-KILL", &pid.to_string()])
                .stderr(Stdio::null())
                .status();
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Dropbear {
    fn drop(&mut self) {
        self.kill();
        let _ = Command::new("userdel").args(["-f", &self.user]).stderr(Stdio::null()).status();
    }
}
