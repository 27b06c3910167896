//! The ways of a secret, each with a program of the test's own that tells what it
//! got: pipe, line, question, helper. What is refused on each, and what a person who
//! is asked sees.

use std::fs;
use std::path::{Path, PathBuf};

use poterne::connect::link::Exit;
use poterne::connect::manifest::registry;
use poterne::connect::{FailureKind, Progress};
use poterne::model::entry::Slot;

use crate::kit_ssh::*;
use crate::manifest_programs::{all_gone, of, with_password};

const SECRET: &str = "Un \"mot\\ de passe' €-31f";

/// Puts a connector into the configuration folder of these tests. Its program is a
/// shell line, which finds the folder of the test in `D`.
fn put(kind: &str, dir: &Path, shell: &str, more: &str) {
    let folder = registry::folder().expect("a home");
    fs::create_dir_all(&folder).expect("ours");
    let script = dir.join("script");
    fs::write(&script, shell).expect("ours");
    let opens = if more.contains("by = \"line\"") { "window" } else { "terminal" };
    let args = if more.contains("by = \"pipe\"") { ", \"{pipe:password}\"" } else { "" };
    let text = format!(
        "kind = \"{kind}\"\nname = \"Essai\"\nopens = \"{opens}\"\nuses = [\"host\"]\n\
         note = \"take note\"\nargs = [\"{}\"{args}]\nenv = {{ D = \"{}\" }}\n\
         [program]\nlinux = [\"sh\"]\n{more}",
        script.display(),
        dir.display()
    );
    if let Err(faults) = poterne::connect::manifest::read(&text) {
        panic!("{faults:?}");
    }
    fs::write(folder.join(format!("{kind}.toml")), text).expect("ours");
}

fn told(file: PathBuf) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

#[test]
fn a_pipe_carries_what_the_manifest_says_around_the_secret() {
    let dir = tempfile::tempdir().expect("a folder");
    let shell = "cat \"$1\" > \"$D/got\"; cat \"$1\" >> \"$D/got\"; echo ready; read x; exit 7";
    let secret = "[[secret]]\nslot = \"password\"\nby = \"pipe\"\nescape = \"backslash\"\n\
                  content = \"[client]\\nhost={host}\\npassword=\\\"{secret}\\\"\\n\"\n\
                  [ready]\npattern = \"ready\"\n";
    put("essai-pipe", dir.path(), shell, secret);
    let (hop, mut lease) = with_password(hop(1), SECRET);
    let failure = must_fail(&of("essai-pipe", hop.clone()), &mut lease);
    assert_eq!(lease.asked, ["approve essai-pipe"], "{}", failure.what.en);
    assert!(lease.children.is_empty() && lease.taken.is_empty(), "nothing ran");
    lease.trust = true;
    let link = must_open(&of("essai-pipe", hop), &mut lease);
    let escaped = SECRET.replace('\\', "\\\\").replace('"', "\\\"");
    let wanted = format!("[client]\nhost=127.0.0.1\npassword=\"{escaped}\"\n");
    assert_eq!(told(dir.path().join("got")), wanted, "once, and then its end");
    let note = |said: &Progress| matches!(said, Progress::Warning(w) if w.en == "take note");
    assert!(lease.said.iter().any(note) && link.info().warnings[0].en == "take note");
    assert!(link.info().description.ends_with(" · untested"), "{}", link.info().description);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.until("ready");
    talk.send("\r");
    assert_eq!(talk.finish().exit, Some(Exit::Status(7)));
    all_gone(&lease);
}

#[test]
fn a_helper_tells_the_secret_once_and_to_its_own_program_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let shell = "\"$ASK\" 'Password?' > \"$D/got\"; echo \"$POTERNE_ASKPASS\" > \"$D/socket\"; echo ready; read x";
    let secret = "[[secret]]\nslot = \"password\"\nby = \"askpass\"\nvariable = \"ASK\"\n\
                  pattern = '(?i)^password\\? ?$'\n[ready]\npattern = \"ready\"\n";
    put("essai-askpass", dir.path(), shell, secret);
    let (hop, mut lease) = with_password(hop(1), SECRET);
    lease.trust = true;
    let link = must_open(&of("essai-askpass", hop), &mut lease);
    assert_eq!(told(dir.path().join("got")), format!("{SECRET}\n"));
    let socket = told(dir.path().join("socket"));
    assert!(!Path::new(socket.trim()).exists(), "it is gone once the program is ready");
    link.close();
    all_gone(&lease);
    // One that is ready at once still gets its secret first.
    let secret = secret.replace("pattern = \"ready\"", "on = \"start\"");
    put(
        "essai-askpass-start",
        dir.path(),
        "\"$ASK\" Password? > \"$D/early\"; echo told; read x",
        &secret,
    );
    let (hop, mut lease) = with_password(crate::kit_ssh::hop(1), SECRET);
    lease.trust = true;
    let link = must_open(&of("essai-askpass-start", hop), &mut lease);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.until("told");
    assert_eq!(told(dir.path().join("early")), format!("{SECRET}\n"));
    link.close();
    all_gone(&lease);
}

/// A helper that is asked something else gives nothing, and neither one that is asked
/// for the same again.
#[test]
fn a_helper_answers_no_question_that_its_manifest_does_not_know() {
    let dir = tempfile::tempdir().expect("a folder");
    let secrets = "[[secret]]\nslot = \"passphrase\"\nby = \"askpass\"\nvariable = \"ASK\"\n\
                   pattern = '^Key: $'\n\
                   [[secret]]\nslot = \"password\"\nby = \"askpass\"\nvariable = \"ASK2\"\n\
                   pattern = 'password: $'\n";
    let opened = |kind: &str, asks: &str| {
        let shell = format!("{asks}; echo over; read x");
        put(kind, dir.path(), &shell, secrets);
        let (hop, mut lease) = with_password(hop(1), SECRET);
        let mut hops = vec![hop];
        lease.plant(&mut hops, 0, Slot::Passphrase, b"autre secret");
        lease.trust = true;
        let failure = must_fail(&of(kind, hops.remove(0)), &mut lease);
        all_gone(&lease);
        (failure, lease.taken)
    };
    let asks = "\"$ASK\" 'Are you sure (yes/no)?' > \"$D/sure\"";
    let (failure, taken) = opened("essai-autre", asks);
    assert!(failure.what.en.contains("does not know: Are you sure"), "{}", failure.what.en);
    assert!(taken.is_empty() && told(dir.path().join("sure")).is_empty());
    // The secret follows the question, whatever was asked first.
    let asks = "\"$ASK\" 'me password: ' > \"$D/one\"; \"$ASK\" 'me password: ' > \"$D/two\"";
    let (failure, taken) = opened("essai-encore", asks);
    assert_eq!(failure.kind, FailureKind::Login, "{}", failure.what.en);
    assert_eq!(taken, [(0, Slot::Password)]);
    assert_eq!(told(dir.path().join("one")), format!("{SECRET}\n"));
    assert_eq!(told(dir.path().join("two")), "");
}

/// A helper and a question, each with its own secret, in whichever order they come.
#[test]
fn a_question_after_the_helper_gets_its_own_secret() {
    let dir = tempfile::tempdir().expect("a folder");
    let shell = "\"$ASK\" 'Key: ' > \"$D/helper\"; stty -echo; printf 'Code: '; read -r y; \
                 printf '%s\\n' \"$y\" > \"$D/typed\"; stty echo; echo ready; read x";
    let secrets = "[[secret]]\nslot = \"passphrase\"\nby = \"askpass\"\nvariable = \"ASK\"\n\
                   pattern = '^Key: $'\n[[secret]]\nslot = \"password\"\nby = \"prompt\"\npattern = 'Code: $'\n\
                   [ready]\npattern = \"ready\"\n";
    put("essai-deux", dir.path(), shell, secrets);
    let (hop, mut lease) = with_password(hop(1), SECRET);
    let mut hops = vec![hop];
    lease.plant(&mut hops, 0, Slot::Passphrase, b"autre secret");
    lease.trust = true;
    let link = must_open(&of("essai-deux", hops.remove(0)), &mut lease);
    assert_eq!(told(dir.path().join("helper")), "autre secret\n");
    assert_eq!(told(dir.path().join("typed")).trim_end(), SECRET);
    link.close();
    all_gone(&lease);
}

/// OpenSSH's client asks a helper as any program would that knows one.
#[test]
fn ssh_logs_in_by_the_helper() {
    let server = Sshd::start(Setup { password: Some(SECRET.into()), ..Setup::default() });
    let folder = registry::folder().expect("a home");
    fs::create_dir_all(&folder).expect("ours");
    let text = r#"
kind = "essai-ssh"
name = "ssh"
opens = "terminal"
uses = ["host", "port", "user"]
args = ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no",
  "-o", "NumberOfPasswordPrompts=1", "-p", "{port}", "{user}@{host}"]
env = { SSH_ASKPASS_REQUIRE = "force" }
program = { linux = ["ssh"] }
secret = [{ slot = "password", by = "askpass", variable = "SSH_ASKPASS", pattern = "(?i)password: $" }]
failure = [{ pattern = 'Permission denied', kind = "login" }]
"#;
    fs::write(folder.join("essai-ssh.toml"), text).expect("ours");
    let (hop, mut lease) = with_password(server.hop(), SECRET);
    lease.trust = true;
    let link = must_open(&of("essai-ssh", hop.clone()), &mut lease);
    assert_eq!(lease.taken, [(0, Slot::Password)]);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("echo he''re\r");
    talk.until("here");
    link.close();
    all_gone(&lease);
    let (hop, mut lease) = with_password(hop, "faux");
    lease.trust = true;
    let failure = must_fail(&of("essai-ssh", hop), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login, "{}", failure.what.en);
}

#[test]
fn a_question_that_would_show_the_secret_gets_none() {
    let dir = tempfile::tempdir().expect("a folder");
    let secret = "[[secret]]\nslot = \"password\"\nby = \"prompt\"\npattern = 'Secret: $'\n";
    put("essai-shown", dir.path(), "printf 'Secret: '; read x; echo \"$x\" > \"$D/got\"", secret);
    let (hop_of, mut lease) = with_password(hop(1), SECRET);
    lease.trust = true;
    let failure = must_fail(&of("essai-shown", hop_of), &mut lease);
    assert!(failure.what.en.contains("would show"), "{}", failure.what.en);
    assert_eq!(told(dir.path().join("got")), "");
    all_gone(&lease);

    let shell = "stty -echo; printf 'Secret: '; read -r x; printf %s \"$x\" > \"$D/got\"; \
                 stty echo; echo; printf 'Welcome> '; read x";
    put("essai-hidden", dir.path(), shell, secret);
    let (hop_of, mut lease) = with_password(hop(1), SECRET);
    lease.trust = true;
    let link = must_open(&of("essai-hidden", hop_of), &mut lease);
    assert_eq!(told(dir.path().join("got")), SECRET);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.until("Welcome> ");
    assert!(!talk.text().contains(SECRET));
    link.close();
    all_gone(&lease);
    // Several lines are none that can be typed.
    let (hop_of, mut lease) = with_password(hop(1), "a\nb");
    lease.trust = true;
    let failure = must_fail(&of("essai-hidden", hop_of), &mut lease);
    assert_eq!(failure.kind, FailureKind::Setting, "{}", failure.what.en);
}

/// A secret is for the question that asked for it: once something else stands there, it
/// is typed at nothing that comes after, hidden or not.
#[test]
fn a_question_that_is_withdrawn_gets_no_secret_later() {
    let dir = tempfile::tempdir().expect("a folder");
    let secret = "[[secret]]\nslot = \"password\"\nby = \"prompt\"\npattern = 'Secret: $'\n\
                  [ready]\npattern = 'Code\\? '\n";
    // However much of it is heard at once, the question is gone before typing is hidden.
    let shell = "printf 'Secret: '; sh -c :; printf 'not now. '; stty -echo; printf 'Code? '; read -r x; \
                 stty echo; printf %s \"$x\" > \"$D/got\"; echo got; read x";
    put("essai-retire", dir.path(), shell, secret);
    let (hop_of, mut lease) = with_password(hop(1), SECRET);
    lease.trust = true;
    let link = must_open(&of("essai-retire", hop_of), &mut lease);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("by hand\r");
    talk.until("got");
    assert_eq!(told(dir.path().join("got")), "by hand");
    link.close();
    all_gone(&lease);
}

/// Whoever gives up while a program still shows what is typed is not kept waiting.
#[test]
fn giving_up_ends_the_wait_for_a_hidden_question() {
    let dir = tempfile::tempdir().expect("a folder");
    let secret = "[[secret]]\nslot = \"password\"\nby = \"prompt\"\npattern = 'Secret: $'\n";
    let shell = "printf 'Secret: '; touch \"$D/asked\"; exec sleep 1000";
    put("essai-abandon", dir.path(), shell, secret);
    let (hop_of, mut lease) = with_password(hop(1), SECRET);
    lease.trust = true;
    let gave_up = lease.gave_up.clone();
    let asked = dir.path().join("asked");
    let waiter = std::thread::spawn(move || {
        while !asked.exists() {
            std::thread::yield_now();
        }
        gave_up.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let failure = must_fail(&of("essai-abandon", hop_of), &mut lease);
    waiter.join().expect("it waited");
    assert_eq!(failure.kind, FailureKind::Cancelled, "{}", failure.what.en);
    assert!(lease.taken.is_empty(), "nothing was taken for it");
    all_gone(&lease);
}

#[test]
fn a_window_s_program_reads_a_line_and_ends_with_its_session() {
    let dir = tempfile::tempdir().expect("a folder");
    let shell = "read -r x; printf %s \"$x\" > \"$D/new\"; mv \"$D/new\" \"$D/got\"; echo hello; \
                 sleep 1000";
    put("essai-line", dir.path(), shell, "[[secret]]\nslot = \"password\"\nby = \"line\"\n");
    let (hop_of, mut lease) = with_password(hop(1), SECRET);
    lease.trust = true;
    let link = must_open(&of("essai-line", hop_of), &mut lease);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.until("hello\r\n");
    assert_eq!(told(dir.path().join("got")), SECRET);
    link.close();
    talk.finish();
    all_gone(&lease);
    // One that is not stored the person is asked for.
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    lease.answers.push_back("typed".into());
    let link = must_open(&of("essai-line", hop(1)), &mut lease);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.until("hello");
    assert_eq!(told(dir.path().join("got")), "typed");
    link.close();
    talk.finish();
    assert!(lease.taken.iter().all(|(_, slot)| *slot != Slot::Password));
}
