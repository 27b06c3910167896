//! Courses over what a real openvpn 2.6.14 said to its management interface, as it was
//! written down: `tests/data/openvpn`. No program runs here.

use super::course::{Act, Course, Otp, Setup, Step};
use super::evidence::{Dates, Known};
use super::reason::{Reason, Whose};
use super::said::Lines;
use crate::connect::FailureKind;
use crate::model::target::HostPort;
use crate::secret::SecretText;

const PASSWORD: &str = "se\"c\\ret";

macro_rules! transcript {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/data/openvpn/", $name, ".txt"))
    };
}

/// Plays a transcript to its end, gives what is asked for, and tells what came of it in
/// one word each; notes and bytes are left out.
struct Played {
    told: Vec<String>,
    failed: Option<Reason>,
    refused: Vec<Reason>,
    steps: Vec<Step>,
    course: Course,
}

fn play(setup: Setup, transcript: &str) -> Played {
    let mask = Box::new(|text: &str| text.replace("123456", "***").replace(PASSWORD, "***"));
    let mut played = Played {
        told: Vec::new(),
        failed: None,
        refused: Vec::new(),
        steps: Vec::new(),
        course: Course::new(setup, mask),
    };
    let mut lines = Lines::default();
    lines.push(transcript.as_bytes());
    while let Some(said) = lines.next_said().expect("short lines") {
        let acts = played.course.on(said);
        played.take(acts);
    }
    played
}

impl Played {
    fn take(&mut self, acts: Vec<Act>) {
        for act in acts {
            let word = match act {
                Act::Write(answer) => format!("write {answer:?}"),
                Act::WriteAfter { secs, answer } => format!("after {secs} {answer:?}"),
                Act::NeedUser { proxy } => {
                    assert!(!proxy);
                    self.told.push("need user".into());
                    let acts = self.course.user("alice");
                    self.take(acts);
                    continue;
                }
                Act::NeedPassword { again, .. } => {
                    self.told.push(format!("need password{}", if again { " again" } else { "" }));
                    let acts = self.course.password(SecretText::copy_of(PASSWORD));
                    self.take(acts);
                    continue;
                }
                Act::NeedKeyPassphrase { again } => {
                    self.told.push(format!("need passphrase{}", if again { " again" } else { "" }));
                    let acts = self.course.passphrase(&SecretText::copy_of("phrase"));
                    self.take(acts);
                    continue;
                }
                Act::NeedCode { text, echo, .. } => {
                    self.told.push(format!("need code {} {echo}", text.as_deref().unwrap_or("-")));
                    let acts = self.course.code(SecretText::copy_of("123456"));
                    self.take(acts);
                    continue;
                }
                Act::Step(step) => {
                    let word = format!("step {}", name(&step));
                    self.steps.push(step);
                    word
                }
                Act::Refused(reason) => {
                    self.refused.push(reason);
                    "refused".into()
                }
                Act::Fail(reason) => {
                    self.failed = Some(reason);
                    "fail".into()
                }
                Act::Browse(page) => format!("browse {page}"),
                Act::Pushed(_) | Act::Bytes { .. } | Act::Note(_) => continue,
            };
            self.told.push(word);
        }
    }

    fn failed(&self) -> &Reason {
        self.failed.as_ref().expect("it failed")
    }
}

fn name(step: &Step) -> &'static str {
    match step {
        Step::Resolving => "resolving",
        Step::Contacting => "contacting",
        Step::Authenticating => "authenticating",
        Step::WaitingForCode => "waiting for code",
        Step::Configuring => "configuring",
        Step::Up { .. } => "up",
        Step::Reconnecting(_) => "reconnecting",
        Step::GoingDown => "going down",
    }
}

fn at() -> Option<HostPort> {
    Some(HostPort { host: "10.99.231.2".into(), port: 1194 })
}

const BEGIN: [&str; 4] =
    ["write state on", "write log on all", "write bytecount 5", "write hold release"];
const LOGIN: [&str; 4] = ["need user", "need password", "write username …", "write password …"];
const CONNECT: [&str; 4] =
    ["step contacting", "step authenticating", "step configuring", "step up"];

#[test]
fn a_password_leads_up() {
    for transcript in [transcript!("password"), transcript!("tls-crypt")] {
        let played = play(Setup::default(), transcript);
        let expected: Vec<&str> = [&BEGIN[..], &LOGIN, &CONNECT].concat();
        assert_eq!(played.told[..expected.len()], expected);
        let up = Step::Up {
            vpn: vec!["10.8.0.2".parse().expect("an address")],
            server: "10.99.231.2".parse().ok(),
            port: Some(1194),
            routes_set: true,
        };
        assert!(played.steps.contains(&up));
    }
}

#[test]
fn tcp_goes_the_same_way() {
    let played = play(Setup::default(), transcript!("tcp"));
    let names: Vec<&str> = played.steps.iter().map(name).collect();
    assert_eq!(
        names,
        ["contacting", "authenticating", "configuring", "up", "going down"],
        "{:?}",
        played.told
    );
}

#[test]
fn a_certificate_needs_nobody_and_an_encrypted_key_its_passphrase() {
    let played = play(Setup::default(), transcript!("certificate"));
    assert!(!played.told.iter().any(|word| word.starts_with("need")), "{:?}", played.told);
    assert!(played.told.contains(&"step up".to_owned()));
    let played = play(Setup::default(), transcript!("encrypted-key"));
    let expected = [&BEGIN[..], &["need passphrase", "write password …"]].concat();
    assert_eq!(played.told[..expected.len()], expected);
    assert!(played.told.contains(&"step up".to_owned()));
}

#[test]
fn a_static_challenge_is_answered_with_the_password() {
    let setup = Setup { otp: Otp::Challenge, ..Setup::default() };
    let played = play(setup, transcript!("static-challenge"));
    let expected = [
        &BEGIN[..],
        &["need user", "need password", "step waiting for code"],
        &["need code Enter OTP code true", "write username …", "write password …"],
        &CONNECT,
    ]
    .concat();
    // The step comes with the question, before any part is given.
    let mut told = played.told.clone();
    told.truncate(expected.len());
    told.sort();
    let mut wanted: Vec<String> = expected.iter().map(|word| (*word).to_owned()).collect();
    wanted.sort();
    assert_eq!(told, wanted);
}

#[test]
fn a_challenge_of_the_server_is_answered_by_the_code_alone_and_at_once() {
    let setup = Setup { otp: Otp::Challenge, ..Setup::default() };
    let played = play(setup, transcript!("dynamic-challenge"));
    let second = [
        "write hold release",
        "step waiting for code",
        "need code Enter the code from your phone true",
        "write username …",
        "write password …",
        "step contacting",
    ];
    let start = played.told.iter().position(|word| word == "step authenticating").expect("once");
    assert_eq!(played.told[start + 1..start + 1 + second.len()], second);
    assert!(played.refused.is_empty(), "a challenge is no refusal");
    assert!(played.told.contains(&"step up".to_owned()));
    let shown = played.course.lines().any(|line| line.text.contains("CRV1:R,E:…:"));
    assert!(shown, "what the server knows the login by is no part of the log");
}

#[test]
fn a_wrong_password_is_told_and_asked_for_again_twice() {
    for (transcript, text) in [
        (transcript!("wrong-password"), None),
        (transcript!("wrong-password-with-text"), Some("Account locked")),
    ] {
        let played = play(Setup::default(), transcript);
        let asked = |word: &str| played.told.iter().filter(|told| *told == word).count();
        assert_eq!((asked("need password"), asked("need password again")), (1, 2));
        let reason = Reason::Login { text: text.map(str::to_owned), with_code: false };
        assert_eq!(played.refused, [reason.clone(), reason.clone()]);
        assert_eq!(played.failed(), &reason);
        assert_eq!(reason.failure().kind, FailureKind::Login);
        assert_eq!(played.told.last().map(String::as_str), Some("fail"));
        assert!(played.told.contains(&"write signal SIGTERM".to_owned()));
    }
}

#[test]
fn a_wrong_passphrase_is_told_and_asked_for_again_twice() {
    let played = play(Setup::default(), transcript!("wrong-passphrase"));
    assert_eq!(played.refused, [Reason::Passphrase, Reason::Passphrase]);
    assert_eq!(played.failed(), &Reason::Passphrase);
}

#[test]
fn a_wrong_certificate_of_the_server_fails_at_once_with_its_reason() {
    let clock = 1_795_922_799;
    let expired = Reason::Validity {
        whose: Whose::Server,
        name: "CN=sold".into(),
        over: true,
        date: None,
        clock,
    };
    let not_yet = Reason::Validity {
        whose: Whose::Server,
        name: "CN=sold".into(),
        over: false,
        date: None,
        clock: clock + 4,
    };
    let authority = Reason::Authority {
        name: "CN=ca".into(),
        error: "self-signed certificate in certificate chain".into(),
    };
    for (transcript, expected) in [
        (transcript!("expired-server"), expired),
        (transcript!("server-not-yet-valid"), not_yet),
        (transcript!("wrong-authority"), authority),
        (transcript!("not-a-server"), Reason::Purpose { name: "CN=client".into() }),
        (
            transcript!("wrong-name"),
            Reason::Name { name: "CN=server".into(), wanted: "other".into() },
        ),
    ] {
        // Many attempts would be allowed, but they would not help.
        let played = play(Setup { attempts: 9, ..Setup::default() }, transcript);
        assert_eq!(played.failed(), &expected);
        assert_eq!(played.failed().failure().kind, FailureKind::Protocol);
        let tries = played.told.iter().filter(|word| *word == "step authenticating").count();
        assert_eq!(tries, 1);
    }
}

#[test]
fn ciphers_that_do_not_meet_are_no_wrong_password() {
    let played = play(Setup::default(), transcript!("no-common-cipher"));
    let text = "Data channel cipher negotiation failed (no shared cipher)";
    assert_eq!(played.failed(), &Reason::NoCommonCipher(text.into()));
    assert!(played.refused.is_empty());
}

#[test]
fn a_server_that_cannot_be_reached_has_its_reason() {
    let control_key = Known { control_key: true, ..Known::default() };
    let with_key = Setup { known: control_key, ..Setup::default() };
    let v6 = Some(HostPort { host: "2001:db8::7".into(), port: 1194 });
    let other = Some(HostPort { host: "10.99.231.77".into(), port: 1194 });
    for (setup, transcript, expected) in [
        (Setup::default(), transcript!("tcp-refused"), Reason::Refused(at())),
        (Setup::default(), transcript!("udp-refused"), Reason::Refused(at())),
        (
            Setup::default(),
            transcript!("udp-silent"),
            Reason::Silent { at: other, control_key: false },
        ),
        (with_key, transcript!("wrong-tls-crypt"), Reason::Silent { at: at(), control_key: true }),
        (
            with_key,
            transcript!("wrong-tls-crypt-tcp"),
            Reason::HungUp { at: at(), control_key: true },
        ),
        (
            Setup::default(),
            transcript!("no-route"),
            Reason::NoRoute { at: v6, error: "No route to host".into() },
        ),
        (
            Setup::default(),
            transcript!("unknown-host"),
            Reason::UnknownHost("no.such.invalid".into()),
        ),
        (
            Setup::default(),
            transcript!("unknown-host-again"),
            Reason::UnknownHost("no.such.invalid".into()),
        ),
    ] {
        let played = play(setup, transcript);
        assert_eq!(played.failed(), &expected);
    }
}

#[test]
fn the_allowed_attempts_are_made_with_the_waits_that_openvpn_names() {
    let played = play(Setup { attempts: 3, ..Setup::default() }, transcript!("tcp-refused"));
    let waits = played.told.iter().filter(|word| *word == "after 1 hold release").count();
    let over = played.told.iter().filter(|word| *word == "step reconnecting").count();
    assert_eq!((waits, over), (2, 2));
    assert_eq!(played.failed(), &Reason::Refused(at()));
}

#[test]
fn a_fatal_word_is_the_reason_and_told_once() {
    let played = play(Setup::default(), transcript!("no-tun"));
    let text = "Cannot ioctl TUNSETIFF tun0: Inappropriate ioctl for device (errno=25)";
    assert_eq!(played.failed(), &Reason::Tun(text.into()));
    let played = play(Setup::default(), transcript!("unknown-cipher"));
    assert_eq!(played.failed(), &Reason::Fatal("Cipher NOSUCH not supported".into()));
    let mut course = played.course;
    assert!(course.closed().is_empty());
}

#[test]
fn a_killed_server_is_waited_for_however_long() {
    let played = play(Setup::default(), transcript!("server-killed"));
    let names: Vec<&str> = played.steps.iter().map(name).collect();
    let once = ["contacting", "authenticating", "configuring", "up"];
    assert_eq!(names, [&once[..], &["reconnecting"], &once, &["going down"]].concat());
    // Its machine said that nobody listens any more.
    assert!(played.steps.contains(&Step::Reconnecting(Reason::Refused(at()))));
    // The login is asked for again, and it is not a refused one.
    let asked = played.told.iter().filter(|word| *word == "need password").count();
    assert_eq!(asked, 2);
}

#[test]
fn an_end_that_nobody_asked_for_is_a_failure() {
    let played = play(Setup::default(), transcript!("password"));
    assert_eq!(played.failed(), &Reason::Exited("SIGTERM".into()));
    let (first, _) =
        transcript!("password").split_once(">LOG:1795922760").expect("it is taken down");
    let mut played = play(Setup::default(), first);
    assert!(played.failed.is_none());
    let acts = played.course.leave();
    played.take(acts);
    let end = [">STATE:1795922760,EXITING,SIGTERM,,,,,\n"];
    let mut lines = Lines::default();
    lines.push(end[0].as_bytes());
    let said = lines.next_said().expect("short").expect("whole");
    let acts = played.course.on(said);
    played.take(acts);
    let acts = played.course.closed();
    played.take(acts);
    assert!(played.failed.is_none(), "who leaves has not failed");
    assert_eq!(played.told.last().map(String::as_str), Some("step going down"));
    // A crash has no state at all.
    let mut played = play(Setup::default(), first);
    let acts = played.course.closed();
    played.take(acts);
    assert!(matches!(played.failed(), Reason::Exited(_)));
}

#[test]
fn neither_token_nor_given_secret_reaches_a_note() {
    let played = play(Setup::default(), transcript!("token"));
    let all: String = played.course.lines().map(|line| line.text.clone() + "\n").collect();
    assert!(!all.contains("SESS_ID_AT"), "{all}");
    assert!(all.contains("Initialization Sequence Completed"));
    let mut course = played.course;
    let line = super::said::LogLine { at: 1, flags: String::new(), text: "code 123456".into() };
    let acts = course.on(super::said::Said::Log(line));
    let Some(Act::Note(note)) = acts.first() else { panic!("a note") };
    assert_eq!(note.text, "code ***");
}

#[test]
fn an_expired_certificate_of_the_profile_is_told_with_its_date() {
    // As of a server over UDP, which is silent to it: TLS comes to no end.
    let transcript = ">HOLD:Waiting for hold release:0\n\
        >LOG:1795922787,W,WARNING: Your certificate has expired!\n\
        >STATE:1795922787,WAIT,,,,,,\n\
        >STATE:1795922787,AUTH,,,,,,\n\
        >LOG:1795922847,N,TLS Error: TLS key negotiation failed to occur within 60 seconds \
        (check your network connectivity)\n\
        >LOG:1795922847,N,TLS Error: TLS handshake failed\n\
        >STATE:1795922847,RECONNECTING,tls-error,,,,,\n";
    let own = Some(Dates { from: 1_795_000_000, until: 1_795_737_600 });
    let known = Known { own, ..Known::default() };
    let played = play(Setup { known, ..Setup::default() }, transcript);
    let failure = played.failed().failure();
    assert_eq!(
        failure.what.en,
        "The client certificate of the VPN profile expired on 2026-11-27. The clock of this \
         computer says 2026-11-29."
    );
    assert!(failure.what.fr.contains("est expiré depuis le 2026-11-27"));
}

#[test]
fn a_code_behind_the_password_is_asked_for_without_a_question() {
    let setup = Setup { otp: Otp::Append, ..Setup::default() };
    let played = play(setup, transcript!("password"));
    assert!(played.told.contains(&"need code - false".to_owned()));
    assert!(played.told.contains(&"step up".to_owned()));
}

#[test]
fn a_secret_that_openvpn_would_repeat_in_its_log_is_refused_before_it_is_written() {
    let mut course = Course::new(Setup::default(), Box::new(|t: &str| t.to_owned()));
    let need = super::said::Said::read(b">PASSWORD:Need 'Auth' username/password").expect("short");
    course.on(need);
    course.user("alice");
    let acts = course.password(SecretText::new("x".repeat(256)));
    let [Act::Write(stop), Act::Fail(reason)] = &acts[..] else { panic!("{acts:?}") };
    assert_eq!(stop.shown(), "signal SIGTERM");
    assert_eq!(reason.failure().kind, FailureKind::Setting);
}

#[test]
fn a_refused_password_does_not_make_a_dead_server_be_tried_without_waiting() {
    let transcript = ">HOLD:Waiting for hold release:0\n\
        >PASSWORD:Need 'Auth' username/password\n\
        >PASSWORD:Verification Failed: 'Auth'\n\
        >STATE:1795922787,RECONNECTING,auth-failure,,,,,\n\
        >HOLD:Waiting for hold release:1\n\
        >PASSWORD:Need 'Auth' username/password\n\
        >LOG:1795922788,N,TCP: connect to [AF_INET]10.99.231.2:1194 failed: Connection refused\n\
        >STATE:1795922788,RECONNECTING,connection-failed,,,,,\n\
        >HOLD:Waiting for hold release:64\n";
    let played = play(Setup { attempts: 9, ..Setup::default() }, transcript);
    let releases: Vec<&String> = played.told.iter().filter(|t| t.contains("release")).collect();
    assert_eq!(releases, ["write hold release", "write hold release", "after 30 hold release"]);
}

#[test]
fn what_it_stops_for_is_told_not_what_had_passed() {
    let before =
        ">LOG:1795922788,N,read UDPv4 [ECONNREFUSED]: Connection refused (fd=4,code=111)\n";
    let played = play(Setup::default(), &format!("{before}>FATAL:Out of Memory\n"));
    assert_eq!(played.failed(), &Reason::Fatal("Out of Memory".into()));
    let played = play(Setup::default(), &format!("{before}>FATAL:Exiting due to fatal error\n"));
    assert_eq!(played.failed(), &Reason::Refused(None));
}
