//! What the stories of the command line share: the real program with a home
//! folder of its own, its vault, and codes of its phone.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use poterne::crypto::totp::{Codes, Seed};

pub const PASSWORD: &str = "quatre mots au hasard";

/// A person at a computer: a home folder, and a vault once it was made.
pub struct Seat {
    pub home: tempfile::TempDir,
    pub uri: String,
    pub kit: String,
    /// Address of a session bus, if there is one.
    pub session_bus: Option<String>,
    /// The network namespace that the program runs in, if it is another one.
    pub within: Option<String>,
    shared: Option<PathBuf>,
    member: &'static str,
    codes: Option<Codes>,
    next_step: u64,
}

/// What a run of the program gave.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Panics with everything it said unless it ended so.
    #[track_caller]
    pub fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, status, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    /// Its standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error} in {}\nerr: {}", self.out, self.err))
    }
}

impl Seat {
    /// Without a vault.
    pub fn empty() -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(home.path().join("run")).expect("ours");
        let (uri, kit) = (String::new(), String::new());
        let (shared, session_bus, within, codes) = (None, None, None, None);
        Self { home, uri, kit, session_bus, within, shared, member: "", codes, next_step: 0 }
    }

    /// Another person at another computer, who accepts an invitation to the
    /// vault of `owner` and unlocks it there.
    pub fn invited(owner: &Self, member: &'static str, code: &str) -> Self {
        let mut seat = Self::empty();
        (seat.shared, seat.member) = (Some(owner.vault()), member);
        let first = format!("{code}\n{PASSWORD}\n{PASSWORD}\n");
        seat.enrol(&["member", "accept"], &first, true).ended(0);
        let factors = seat.factors();
        seat.run(&["unlock"], &factors).ended(0);
        seat
    }

    /// An invitation by the open vault, for which it asks the factors again: the code.
    #[track_caller]
    pub fn invite(&mut self, member: &str, role: &str, clients: &[&str]) -> String {
        let invite = [&["member", "invite", member, "--role", role][..], clients].concat();
        let factors = self.factors();
        self.run(&invite, &factors).ended(0).out.trim().to_owned()
    }

    /// With a vault, locked.
    pub fn locked() -> Self {
        let mut seat = Self::empty();
        seat.init(&[]).ended(0);
        seat
    }

    /// With a vault, and its agent.
    pub fn unlocked() -> Self {
        let mut seat = Self::locked();
        let factors = seat.factors();
        seat.run(&["unlock"], &factors).ended(0);
        seat
    }

    /// The vault's file.
    pub fn vault(&self) -> PathBuf {
        let own = || self.home.path().join(".local/share/poterne/coffre.poterne");
        self.shared.clone().unwrap_or_else(own)
    }

    /// The program with these arguments, in an environment of its own. It is
    /// ended after a minute, with status 124.
    pub fn command(&self, args: &[&str]) -> Command {
        let timeout = ["timeout", "--kill-after=5", "60", env!("CARGO_BIN_EXE_poterne")];
        let mut command = match &self.within {
            Some(namespace) => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net={namespace}")).arg("--").args(timeout);
                command
            }
            None => {
                let mut command = Command::new(timeout[0]);
                command.args(&timeout[1..]);
                command
            }
        };
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", self.home.path().join("run"))
            .env("POTERNE_LANG", "en")
            .env("POTERNE_VAULT", self.shared.as_deref().unwrap_or(Path::new("")))
            .env("POTERNE_MEMBER", self.member)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(address) = &self.session_bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", address);
        }
        command
    }

    /// Runs it with this input.
    pub fn run(&self, args: &[&str], input: &str) -> Ran {
        finish(self.command(args), input)
    }

    /// Runs it without input, expecting success.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> Ran {
        self.run(args, "").ended(0)
    }

    /// `init` as another program would do it: the code is given once the URI
    /// came, the kit once it was printed (unless `--kit-confirmed`).
    pub fn init(&mut self, extra: &[&str]) -> Ran {
        let mut args = vec!["init", "--kdf-memory", "64"];
        args.extend(extra);
        let first = format!("{PASSWORD}\n{PASSWORD}\n");
        self.enrol(&args, &first, !extra.contains(&"--kit-confirmed"))
    }

    /// `recover` with the kit: a new phone and a new kit.
    pub fn recover(&mut self) -> Ran {
        self.recover_with(&[])
    }

    /// As [`Seat::recover`], with more arguments.
    pub fn recover_with(&mut self, more: &[&str]) -> Ran {
        let first = format!("{}\n{PASSWORD}\n{PASSWORD}\n", self.kit);
        self.enrol(&[more, &["recover"]].concat(), &first, true)
    }

    fn enrol(&mut self, args: &[&str], first: &str, type_kit: bool) -> Ran {
        let mut child = self.command(args).spawn().expect("the program is built");
        let mut input = child.stdin.take().expect("piped");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut out = String::new();
        // It may refuse before it reads: then nobody listens.
        let _ = write!(input, "{first}");
        if let Some(uri) = read_until(&mut output, &mut out, otpauth_in) {
            self.adopt(&uri);
            let code = self.code();
            self.next_step = 0;
            let _ = writeln!(input, "{code}");
            if let Some(kit) = read_until(&mut output, &mut out, kit_in) {
                if type_kit {
                    let _ = writeln!(input, "{kit}");
                }
                self.kit = kit;
            }
        }
        drop(input);
        output.read_to_string(&mut out).expect("UTF-8");
        let mut err = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut err).expect("UTF-8");
        let status = child.wait().expect("it was started").code().unwrap_or(-1);
        Ran { status, out, err }
    }

    /// `totp-reset`, given these lines at once and a code of the new phone once
    /// its URI came.
    pub fn totp_reset(&mut self, input: &str) -> Ran {
        let mut child = self.command(&["totp-reset"]).spawn().expect("the program is built");
        let mut stdin = child.stdin.take().expect("piped");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut out = String::new();
        let _ = stdin.write_all(input.as_bytes());
        if let Some(uri) = read_until(&mut output, &mut out, otpauth_in) {
            self.adopt(&uri);
            let code = self.code();
            self.next_step = 0;
            let _ = writeln!(stdin, "{code}");
        }
        drop(stdin);
        output.read_to_string(&mut out).expect("UTF-8");
        let mut err = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut err).expect("UTF-8");
        let status = child.wait().expect("it was started").code().unwrap_or(-1);
        Ran { status, out, err }
    }

    /// Takes the phone of this URI.
    pub fn adopt(&mut self, uri: &str) {
        let seed = Seed::parse(uri).expect("a readable URI");
        self.codes = Some(seed.secret.expose(|s| Codes::new(s.try_into().expect("20 bytes"))));
        self.uri = uri.to_owned();
        self.next_step = 0;
    }

    /// A code that was not used yet: one step either way is accepted. The
    /// fourth within half a minute waits for the clock.
    pub fn code(&mut self) -> String {
        let codes = self.codes.as_ref().expect("a vault was made");
        loop {
            let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
            let now = seconds.as_secs() / 30;
            // Close to the end of a step the earlier one would come too late.
            let first = if seconds.as_secs() % 30 > 20 { now } else { now - 1 };
            let step = self.next_step.max(first);
            if step <= now + 1 {
                self.next_step = step + 1;
                return format!("{:06}", codes.at(step));
            }
            until_second((step - 1) * 30);
        }
    }

    /// Password and a fresh code, one a line.
    pub fn factors(&mut self) -> String {
        format!("{PASSWORD}\n{}\n", self.code())
    }
}

/// Waits until the clock shows this second since 1970.
fn until_second(second: u64) {
    use rustix::thread::{ClockId, clock_nanosleep_absolute};
    let tv_sec = i64::try_from(second).expect("a time of our days");
    // A signal wakes too early; who waits looks at the clock again.
    let at = rustix::time::Timespec { tv_sec, tv_nsec: 0 };
    let _ = clock_nanosleep_absolute(ClockId::Realtime, &at);
}

impl Drop for Seat {
    fn drop(&mut self) {
        // No agent outlives its test.
        let _ = self.command(&["lock"]).output();
    }
}

/// Runs a command with this input to its end.
pub fn finish(mut command: Command, input: &str) -> Ran {
    let mut child = command.spawn().expect("the program is built");
    let mut stdin = child.stdin.take().expect("piped");
    let bytes = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A program that does not read its input is in its right.
        let _ = stdin.write_all(bytes.as_bytes());
    });
    let output = child.wait_with_output().expect("it was started");
    writer.join().expect("it only writes");
    Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn read_until(
    output: &mut impl BufRead,
    out: &mut String,
    find: fn(&str) -> Option<String>,
) -> Option<String> {
    loop {
        let start = out.len();
        if output.read_line(out).expect("UTF-8") == 0 {
            return None;
        }
        if let Some(found) = find(&out[start..]) {
            return Some(found);
        }
    }
}

fn otpauth_in(line: &str) -> Option<String> {
    let start = line.find("otpauth://")?;
    let end = line[start..].find(['"', '\n']).map_or(line.len(), |end| start + end);
    Some(line[start..end].to_owned())
}

/// The recovery code in a line of text.
pub fn kit_in(line: &str) -> Option<String> {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .find(|word| word.split('-').count() == 9 && word.len() == 44)
        .map(str::to_owned)
}

/// Copies a file for a test that damages it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).expect("both folders are ours");
}
