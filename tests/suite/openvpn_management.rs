//! The course of an OpenVPN connection with the real client and real servers: its steps,
//! what it asks for, and the reason when it fails.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use poterne::connect::FailureKind;
use poterne::connect::openvpn::management::answer::Answer;
use poterne::connect::openvpn::management::course::{self, Act, Course, Otp, Step};
use poterne::connect::openvpn::management::evidence::{Dates, Known};
use poterne::connect::openvpn::management::pushed::Pushed;
use poterne::connect::openvpn::management::reason::{Reason, Whose};
use poterne::connect::openvpn::management::said::Lines;
use poterne::secret::SecretText;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::kit_ssh::{PATIENCE, kill_with_all, user};
use crate::kit_vpn::*;

/// A password with all that quoting is about.
const PASSWORD: &str = "pa\"ss\\w 'ö$rd";
const USER: &str = "alice";
const RIGHT_CODE: &str = "271828";

/// What is given when it is asked for.
#[derive(Clone, Copy)]
struct Given {
    /// The first one, and those after a refusal.
    passwords: [&'static str; 2],
    passphrase: &'static str,
}

const RIGHT: Given = Given { passwords: [PASSWORD, PASSWORD], passphrase: "phrase é" };

/// The real client in the near namespace, and its course.
struct Client {
    process: Child,
    socket: UnixStream,
    lines: Lines,
    course: Course,
    given: Given,
    code: String,
    later: Option<(Instant, Answer)>,
    steps: Vec<Step>,
    asked: Vec<String>,
    refused: Vec<Reason>,
    failed: Option<Reason>,
    pushed: Option<Pushed>,
    _folder: tempfile::TempDir,
}

impl Client {
    fn start(lan: &Lan, profile: &str, setup: course::Setup, given: Given) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("m");
        let listener = UnixListener::bind(&place).expect("ours");
        let mut process = lan
            .near
            .as_ref()
            .expect("these clients are apart")
            .command("openvpn")
            .args(["--config", "stdin", "--management"])
            .arg(&place)
            .args(["unix", "--management-client", "--management-hold"])
            .args(["--management-query-passwords", "--management-up-down"])
            .args(["--auth-retry", "interact", "--auth-nocache", "--script-security", "1"])
            .args(["--verb", "3", "--connect-timeout", "3", "--hand-window", "8"])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("openvpn is installed");
        let mut stdin = process.stdin.take().expect("piped");
        stdin.write_all(profile.as_bytes()).expect("it reads");
        drop(stdin);
        let socket = accept(&listener);
        let mask = Box::new(|text: &str| text.replace(PASSWORD, "***").replace(RIGHT_CODE, "***"));
        Self {
            process,
            socket,
            lines: Lines::default(),
            course: Course::new(setup, mask),
            given,
            code: RIGHT_CODE.into(),
            later: None,
            steps: Vec::new(),
            asked: Vec::new(),
            refused: Vec::new(),
            failed: None,
            pushed: None,
            _folder: folder,
        }
    }

    /// Goes on until `until` holds, and tells whether the program still runs.
    fn drive(&mut self, until: impl Fn(&Self) -> bool) -> bool {
        let end = Instant::now() + PATIENCE;
        let mut bytes = [0; 4096];
        while !until(self) {
            if let Some((_, answer)) = self.later.take_if(|(at, _)| *at <= Instant::now()) {
                self.write(&answer);
            }
            let next = self.later.as_ref().map_or(end, |(at, _)| *at);
            let wait = next.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(wait)).expect("a duration");
            match self.socket.read(&mut bytes) {
                Ok(0) => {
                    let acts = self.course.closed();
                    self.take(acts);
                    return false;
                }
                Ok(count) => self.lines.push(&bytes[..count]),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                    assert!(Instant::now() < end, "{:?} {:?}", self.steps, self.log());
                }
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return false,
                Err(e) => panic!("{e}"),
            }
            while let Some(said) = self.lines.next_said().expect("short lines") {
                let acts = self.course.on(said);
                self.take(acts);
            }
        }
        true
    }

    fn take(&mut self, acts: Vec<Act>) {
        for act in acts {
            let more = match act {
                Act::Write(answer) => {
                    self.write(&answer);
                    continue;
                }
                Act::WriteAfter { secs, answer } => {
                    let at = Instant::now() + Duration::from_secs(secs.into());
                    self.later = Some((at, answer));
                    continue;
                }
                Act::NeedUser { .. } => self.course.user(USER),
                Act::NeedPassword { again, .. } => {
                    self.asked.push(if again { "password again" } else { "password" }.into());
                    let password = self.given.passwords[usize::from(again)];
                    self.course.password(SecretText::copy_of(password))
                }
                Act::NeedKeyPassphrase { .. } => {
                    self.asked.push("passphrase".into());
                    self.course.passphrase(&SecretText::copy_of(self.given.passphrase))
                }
                Act::NeedCode { text, .. } => {
                    self.asked.push(text.unwrap_or_else(|| "code".into()));
                    self.course.code(SecretText::copy_of(&self.code))
                }
                Act::Step(step) => {
                    self.steps.push(step);
                    continue;
                }
                Act::Refused(reason) => {
                    self.refused.push(reason);
                    continue;
                }
                Act::Fail(reason) => {
                    self.failed = Some(reason);
                    continue;
                }
                Act::Pushed(pushed) => {
                    self.pushed = Some(pushed);
                    continue;
                }
                Act::Browse(_) | Act::Bytes { .. } | Act::Note(_) => continue,
            };
            self.take(more);
        }
    }

    /// Who is gone hears nothing; that it is gone is read from its socket.
    fn write(&mut self, answer: &Answer) {
        let _ = answer.expose(|line| self.socket.write_all(line));
    }

    fn log(&self) -> Vec<String> {
        self.course.lines().map(|line| line.text.clone()).collect()
    }

    /// Drives it up.
    fn up(&mut self) {
        let is_up = |client: &Self| matches!(client.steps.last(), Some(Step::Up { .. }));
        let lives = self.drive(|client| is_up(client) || client.failed.is_some());
        assert!(lives && is_up(self), "{:?} {:?} {:?}", self.failed, self.steps, self.log());
    }

    /// Drives it to its failure.
    fn fails(&mut self) -> Reason {
        self.drive(|client| client.failed.is_some());
        self.failed.clone().expect("it failed")
    }

    fn names(&self) -> Vec<&'static str> {
        let name = |step: &Step| match step {
            Step::Resolving => "resolving",
            Step::Contacting => "contacting",
            Step::Authenticating => "authenticating",
            Step::WaitingForCode => "code",
            Step::Configuring => "configuring",
            Step::Up { .. } => "up",
            Step::Reconnecting(_) => "reconnecting",
            Step::GoingDown => "down",
        };
        self.steps.iter().map(name).collect()
    }

    /// Takes it down, as the person does.
    fn leave(&mut self) {
        let acts = self.course.leave();
        self.take(acts);
        self.drive(|_| false);
        assert_eq!(self.names().last(), Some(&"down"));
        assert_eq!(self.failed, None, "who leaves has not failed");
        assert!(self.course.is_over());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        kill_with_all(&mut self.process);
    }
}

/// Who comes, if somebody does.
fn accept(listener: &UnixListener) -> UnixStream {
    let mut ready = [PollFd::new(listener, PollFlags::IN)];
    let wait = Timespec::try_from(PATIENCE).expect("short");
    let count = poll(&mut ready, Some(&wait)).expect("it waits");
    assert_eq!(count, 1, "openvpn did not come to its management socket");
    listener.accept().expect("it is there").0
}

fn password() -> Setup {
    let login = Some((USER, PASSWORD));
    Setup { login, right_code: RIGHT_CODE, apart: true, ..Setup::default() }
}

fn certificate() -> Setup {
    Setup { certificate: true, apart: true, ..Setup::default() }
}

fn start(lan: &Lan, otp: Otp) -> Client {
    let setup = course::Setup { otp, attempts: 1, ..course::Setup::default() };
    Client::start(lan, &lan.profile(), setup, RIGHT)
}

const WAY: [&str; 4] = ["contacting", "authenticating", "configuring", "up"];

/// The first word of the machine's sshd, from the near namespace.
fn greeting(lan: &Lan) -> String {
    inside(&lan.near.as_ref().expect("apart").path(), || {
        let mut machine = TcpStream::connect((MACHINE, 22)).expect("the tunnel leads there");
        machine.set_read_timeout(Some(PATIENCE)).expect("a duration");
        let mut word = [0; 7];
        machine.read_exact(&mut word).expect("it speaks first");
        String::from_utf8_lossy(&word).into_owned()
    })
}

#[test]
fn a_password_leads_up_and_to_the_machine_of_the_client() {
    let lan = Lan::start(Setup { ipv6: true, client: "globex", ..password() });
    let mut client = start(&lan, Otp::None);
    client.up();
    assert_eq!(client.names(), WAY);
    assert_eq!(client.asked, ["password"]);
    let Some(Step::Up { vpn, server, port, routes_set }) = client.steps.last() else {
        panic!("it is up")
    };
    assert_eq!(vpn.len(), 2, "IPv4 and IPv6 in the tunnel: {vpn:?}");
    assert_eq!(vpn[0].to_string(), "10.8.0.2");
    assert_eq!(server.map(|at| at.to_string()), Some(lan.host()));
    assert_eq!((*port, *routes_set), (Some(1194), true));
    client.drive(|client| client.pushed.is_some());
    let pushed = client.pushed.clone().expect("told");
    assert_eq!(pushed.resolvers, [RESOLVER.parse::<std::net::IpAddr>().expect("an address")]);
    assert_eq!(pushed.domains, [DOMAIN]);
    assert!(pushed.routes.contains(&"192.168.1.0/255.255.255.0".to_owned()), "{pushed:?}");
    // The machine is the one of this client, by IPv4, by IPv6 and by its name.
    let key = crate::kit_ssh::keygen(lan.ssh.dir.path(), "who", &["-t", "ed25519"]);
    lan.ssh.authorize(&key);
    let near = lan.near.as_ref().expect("apart");
    let out = near
        .command("ssh")
        .args(["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes"])
        .args(["-o", "UserKnownHostsFile=/dev/null", "-i"])
        .arg(&key)
        .arg(format!("{}@{MACHINE}", user()))
        .arg("ls ~/*.client; ls \"$HOME\"")
        .output()
        .expect("openssh-client is installed");
    let listed = String::from_utf8_lossy(&out.stdout);
    assert!(listed.contains("globex.client"), "{listed} {}", String::from_utf8_lossy(&out.stderr));
    let answer = inside(&near.path(), ask_resolver);
    assert!(answer.ends_with(&[192, 168, 1, 10]), "{answer:?}");
    assert!(!client.log().iter().any(|line| line.contains(PASSWORD)));
    client.leave();
}

/// What the resolver says of the machine's name (RFC 1035 section 4).
fn ask_resolver() -> Vec<u8> {
    let mut question = vec![0x50, 0x54, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in MACHINE_NAME.split('.') {
        question.push(u8::try_from(label.len()).expect("short"));
        question.extend_from_slice(label.as_bytes());
    }
    question.extend_from_slice(&[0, 0, 1, 0, 1]);
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a port");
    socket.set_read_timeout(Some(PATIENCE)).expect("a duration");
    socket.send_to(&question, (RESOLVER, 53)).expect("the tunnel leads there");
    let mut answer = vec![0; 512];
    let count = socket.recv(&mut answer).expect("it answers");
    answer.truncate(count);
    answer
}

#[test]
fn a_certificate_leads_up_over_tcp_behind_tls_crypt() {
    let control_key = ControlKey::Crypt;
    let lan = Lan::start(Setup { tcp: true, control_key, ..certificate() });
    let mut client = start(&lan, Otp::None);
    client.up();
    assert_eq!(client.names(), WAY);
    assert!(client.asked.is_empty());
    assert_eq!(greeting(&lan), "SSH-2.0");
    client.leave();
    let mut client = Client::start(&lan, &lan.profile6(), course::Setup::default(), RIGHT);
    client.up();
    let Some(Step::Up { server, .. }) = client.steps.last() else { panic!("it is up") };
    assert_eq!(server.map(|at| at.to_string()), Some(lan.host6()));
    client.leave();
}

#[test]
fn an_encrypted_key_leads_up_behind_tls_auth() {
    let passphrase = Some(RIGHT.passphrase);
    let lan = Lan::start(Setup { passphrase, control_key: ControlKey::Auth, ..certificate() });
    let mut client = start(&lan, Otp::None);
    client.up();
    assert_eq!(client.asked, ["passphrase"]);
    client.leave();
    let wrong = Given { passphrase: "nope", ..RIGHT };
    let mut client = Client::start(&lan, &lan.profile(), course::Setup::default(), wrong);
    assert_eq!(client.fails(), Reason::Passphrase);
    assert_eq!(client.asked.len(), 3);
    assert_eq!(Reason::Passphrase.failure().kind, FailureKind::BadKey);
}

#[test]
fn a_code_goes_in_each_of_its_ways() {
    let question = "Code of the phone";
    for (code, otp, asked, steps) in [
        (Code::Static, Otp::Challenge, &["password", question][..], &["code"][..]),
        (Code::Append, Otp::Append, &["password", "code"], &["code"]),
        (
            Code::Dynamic,
            Otp::Challenge,
            &["password", question],
            &["contacting", "authenticating", "code"],
        ),
    ] {
        let lan = Lan::start(Setup { code, ..password() });
        let mut client = start(&lan, otp);
        client.up();
        let mut given = client.asked.clone();
        given.sort();
        let mut expected = asked.to_vec();
        expected.sort_unstable();
        assert_eq!(given, expected, "{code:?}");
        assert_eq!(client.names(), [steps, &WAY].concat(), "{code:?}");
        assert!(client.refused.is_empty());
        assert!(!client.log().iter().any(|line| line.contains("E5sa7")), "{:?}", client.log());
        client.leave();
    }
}

#[test]
fn a_code_of_a_seed_is_right_and_a_wrong_code_is_told() {
    let seed = "3132333435363738393031323334353637383930";
    let lan = Lan::start(Setup { code: Code::Append, seed: Some(seed), ..password() });
    let out = Command::new("oathtool").args(["--totp", seed]).output();
    let code = String::from_utf8(out.expect("oathtool is installed").stdout).expect("digits");
    let mut client = start(&lan, Otp::Append);
    client.code = code.trim().to_owned();
    client.up();
    client.leave();
    let mut client = start(&lan, Otp::Append);
    client.code = "000000".into();
    assert_eq!(client.fails(), Reason::Login { text: None, with_code: true });
}

#[test]
fn a_wrong_password_is_told_and_never_tried_again_by_itself() {
    let lan = Lan::start(Setup { refusal: Some("Account locked"), ..password() });
    let mut client = start(&lan, Otp::None);
    client.given.passwords = ["nope", PASSWORD];
    client.up();
    let reason = Reason::Login { text: Some("Account locked".into()), with_code: false };
    assert_eq!(client.refused, std::slice::from_ref(&reason));
    assert_eq!(client.asked, ["password", "password again"]);
    assert_eq!(lan.server.logins().len(), 2);
    client.leave();
    let mut client = start(&lan, Otp::None);
    client.given.passwords = ["nope", "nope"];
    assert_eq!(client.fails(), reason);
    assert_eq!(client.asked, ["password", "password again", "password again"]);
    assert_eq!(lan.server.logins().len(), 5, "as often as somebody was asked, no more");
    assert!(reason.failure().what.en.contains("Account locked"));
}

#[test]
fn a_certificate_of_the_server_that_will_not_do_is_told() {
    let over = Setup { server_lasts: Lasts::Over, ..password() };
    let lan = Lan::start(over);
    let reason = start(&lan, Otp::None).fails();
    let Reason::Validity { whose: Whose::Server, ref name, over: true, clock, .. } = reason else {
        panic!("{reason:?}")
    };
    assert_eq!(name, "CN=vpn.essai.test");
    assert!(clock > 1_700_000_000, "what this computer's clock says");
    assert!(reason.failure().what.en.contains("(CN=vpn.essai.test) has expired."));
    assert!(lan.server.logins().is_empty(), "the password was not sent");
    let lan = Lan::start(Setup { server_lasts: Lasts::NotYet, ..password() });
    let reason = start(&lan, Otp::None).fails();
    assert!(matches!(reason, Reason::Validity { over: false, .. }), "{reason:?}");
    let lan = Lan::start(Setup { wrong_authority: true, ..password() });
    let reason = start(&lan, Otp::None).fails();
    assert!(matches!(reason, Reason::Authority { .. }), "{reason:?}");
    assert!(lan.server.logins().is_empty(), "the password was not sent");
}

#[test]
fn an_expired_certificate_of_the_profile_is_told_with_its_date() {
    let lan = Lan::start(Setup { own_lasts: Lasts::Over, ..certificate() });
    let own = Some(Dates { from: 1_690_000_000, until: 1_700_000_000 });
    let known = Known { own, ..Known::default() };
    let setup = course::Setup { attempts: 1, known, ..course::Setup::default() };
    let mut client = Client::start(&lan, &lan.profile(), setup, RIGHT);
    let reason = client.fails();
    assert!(matches!(reason, Reason::Validity { whose: Whose::Own, over: true, .. }), "{reason:?}");
    assert!(reason.failure().what.en.contains("expired on 2023-11-14"), "{reason:?}");
}

#[test]
fn a_server_that_does_not_answer_is_told_by_how_it_does_not() {
    let lan = Lan::without_server(Setup { tcp: true, ..password() });
    assert!(matches!(start(&lan, Otp::None).fails(), Reason::Refused(Some(at)) if at.port == 1194));
    let lan = Lan::without_server(password());
    // Somebody who never says a word.
    let silent = inside(&lan.middle.path(), || UdpSocket::bind("0.0.0.0:1195").expect("a port"));
    let setup = course::Setup { attempts: 1, ..course::Setup::default() };
    let mut client = Client::start(&lan, &lan.profile_to(1195), setup, RIGHT);
    let reason = client.fails();
    assert!(
        matches!(&reason, Reason::Silent { at: Some(at), .. } if at.port == 1195),
        "{reason:?}"
    );
    assert_eq!(client.names(), ["contacting"]);
    assert_eq!(reason.failure().kind, FailureKind::Timeout);
    drop(silent);
    // And nobody at all.
    let reason = start(&lan, Otp::None).fails();
    assert!(matches!(reason, Reason::Refused(_)), "{reason:?}");
}

#[test]
fn a_wrong_key_of_tls_crypt_is_silence_that_names_it() {
    let lan = Lan::start(Setup { control_key: ControlKey::WrongCrypt, ..password() });
    let known = Known { control_key: true, ..Known::default() };
    let setup = course::Setup { attempts: 1, known, ..course::Setup::default() };
    let reason = Client::start(&lan, &lan.profile(), setup, RIGHT).fails();
    assert!(matches!(reason, Reason::Silent { control_key: true, .. }), "{reason:?}");
    assert!(reason.failure().todo.en.contains("tls-crypt"));
}

#[test]
fn a_server_that_is_killed_and_comes_back_is_found_again() {
    for tcp in [false, true] {
        let mut lan = Lan::start(Setup { tcp, keepalive: (1, 4), ..password() });
        let mut client = start(&lan, Otp::None);
        client.up();
        lan.server.kill();
        let gone = |client: &Client| client.names().contains(&"reconnecting");
        client.drive(gone);
        assert_eq!(client.names(), [&WAY[..], &["reconnecting"]].concat());
        lan.restart();
        client.up();
        assert_eq!(client.names()[5..].last(), Some(&"up"));
        assert_eq!(greeting(&lan), "SSH-2.0");
        assert!(client.refused.is_empty());
        assert_eq!(client.failed, None);
        client.leave();
    }
}

#[test]
fn the_networks_of_a_test_go_with_it_after_a_panic_too() {
    let (mut wire, mut place) = (String::new(), String::new());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let lan = Lan::start(Setup { tcp: true, certificate: true, ..Setup::default() });
        wire = format!("/sys/class/net/{}", lan.wire);
        place = lan.middle.path();
        assert!(std::fs::exists(&wire).expect("readable") && std::fs::exists(&place).expect("it"));
        TcpStream::connect((lan.host(), 1194)).expect("this machine reaches the server");
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(panicked.is_err());
    for gone in [wire, place] {
        assert!(!gone.is_empty() && !std::fs::exists(&gone).expect("readable"), "{gone}");
    }
}
