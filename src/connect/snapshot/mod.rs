//! The configuration of a device, as its command line shows it: which command reads
//! it, and how it is run over whatever carries the terminal. Only ever reads; keeps
//! nothing.

pub mod fail;
mod page;
mod talk;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use regex::bytes::Regex;

use super::device::{self, COMMAND, PROFILE, Profile};
use super::link::{Channel, ChannelRequest, Exit, FromRemote, Sink, TermSize, ToRemote};
use super::ssh::fail as settings;
use super::{Answer, Failure, Question, by_kind};
use crate::model::entry::Kind;
use crate::secret::SecretBytes;

use page::Page;
use talk::{Next, Talk};

/// Longest configuration, in bytes.
pub const MAX_BYTES: usize = 8 << 20;
/// The secret custom field that opens the privileged mode.
pub const ENABLE: &str = "enable";

/// How often a device that says nothing is thought about.
const TICK: Duration = Duration::from_millis(50);
/// How long it all may take.
const LIMIT: Duration = Duration::from_secs(15 * 60);
/// Silence of a command that runs by itself.
const SILENCE: Duration = Duration::from_secs(60);
/// Wide, so that no line is broken; high, so that a pager seldom stops.
const SIZE: TermSize = TermSize { cols: 250, rows: 500 };

/// Words by which devices say no.
static REFUSAL: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"(?i)^\s*(% ?|invalid input|unknown command|unrecognized command|incomplete command|ambiguous (input|command)|error:|command not found|not authorized|permission denied)";
    Regex::new(words).expect("a constant")
});

/// What to read from a device.
pub struct Task {
    profile: &'static Profile,
    /// The command.
    pub command: String,
    /// The line is a single terminal, whose login outlives it.
    plain: bool,
    lasting: bool,
}

impl Task {
    /// From the settings of an entry of this kind.
    ///
    /// # Errors
    /// They do not say how, or the command may do more than read.
    pub fn of(kind: &Kind, settings: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let known = by_kind(kind).filter(|c| c.fields().iter().any(|f| f.id == COMMAND));
        let connector = known.ok_or_else(fail::not_here)?;
        let text = |id: &str| settings.get(id).map(|v| v.trim()).unwrap_or_default();
        let word = Some(text(PROFILE)).filter(|word| !word.is_empty()).unwrap_or("other");
        let profile = device::by_word(word).ok_or_else(|| settings::setting(PROFILE, word))?;
        let command = match text(COMMAND) {
            "" => profile.reading.command,
            own => own,
        };
        if command.is_empty() {
            return Err(fail::no_command());
        }
        if !only_reads(profile, command) {
            return Err(fail::not_reading(command));
        }
        let plain = !connector.many_channels();
        let lasting = kind.word() == "serial";
        Ok(Self { profile, command: command.to_owned(), plain, lasting })
    }

    /// Whether the password of the privileged mode is of use.
    pub fn takes_enable(&self) -> bool {
        !self.profile.reading.enable.is_empty()
    }

    /// The lines of a configuration, without those that change by themselves.
    ///
    /// # Errors
    /// The device refused the command, or it showed nothing.
    fn config<'b>(&self, lines: impl Iterator<Item = &'b [u8]>) -> Result<SecretBytes, Failure> {
        let fleeting = |line: &[u8]| {
            self.profile.reading.fleeting.iter().any(|begin| line.starts_with(begin.as_bytes()))
        };
        let mut out = Vec::new();
        let mut count = 0_usize;
        let mut refusal = false;
        for line in lines.filter(|line| !fleeting(line)) {
            if count == 0 && line.is_empty() {
                continue;
            }
            refusal |= count < 2 && REFUSAL.is_match(line);
            count += 1;
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        let out = SecretBytes::new(out);
        if refusal && count < 6 {
            return Err(fail::refused(&self.command));
        }
        let text = out.expose(|bytes| {
            let mut text = String::from_utf8_lossy(bytes).trim_end().to_owned().into_bytes();
            if !text.is_empty() {
                text.push(b'\n');
            }
            text
        });
        if text.is_empty() {
            return Err(fail::empty(&self.command));
        }
        // A device that starts anew in the middle shows a prompt as well.
        let reading = &self.profile.reading;
        let whole = [b"\n", reading.last.as_bytes(), b"\n"].concat();
        if !reading.last.is_empty() && self.command == reading.command && !text.ends_with(&whole) {
            return Err(fail::cut(&self.command));
        }
        Ok(SecretBytes::new(text))
    }
}

/// Whether a command is known to change nothing on the device. Of one that nothing
/// is known of, the words are refused that change something elsewhere.
fn only_reads(profile: &Profile, command: &str) -> bool {
    const FILTERS: [&str; 5] = ["include", "exclude", "begin", "section", "count"];
    const CHANGES: &[&str] = &[
        "configure",
        "write",
        "copy",
        "reload",
        "reboot",
        "erase",
        "delete",
        "no",
        "set",
        "unset",
        "commit",
        "save",
        "format",
        "clear",
        "enable",
        "rm",
        "mv",
        "dd",
        "shutdown",
        "halt",
        "poweroff",
        "passwd",
        "sudo",
        "su",
    ];
    const SHORTENED: &[&str] =
        &["reload", "reboot", "erase", "delete", "copy", "clear", "commit", "format"];
    // What would write a file with what the command shows.
    const KEEPS: &[&str] = &["redirect", "append", "tee", "save", "sh", "bash", "dd"];
    if command.chars().any(char::is_control) {
        return false;
    }
    let begins = profile.reading.begins;
    if begins.is_empty() {
        let first = command.split_whitespace().next().unwrap_or_default().to_lowercase();
        // Devices take the beginning of a word for the word.
        let short_for = |least: usize, words: &[&str]| {
            first.len() >= least && words.iter().any(|word| word.starts_with(&first))
        };
        let short = short_for(2, &["configure", "write"]) || short_for(3, SHORTENED);
        let sent = command
            .split('|')
            .skip(1)
            .map(|part| part.split_whitespace().next().unwrap_or_default().to_lowercase());
        let mut sent = sent.filter(|word| !word.is_empty());
        return !short
            && !CHANGES.contains(&first.as_str())
            && !sent.any(|word| word.len() > 1 && KEEPS.iter().any(|w| w.starts_with(&word)))
            && !command.contains(['>', ';', '&', '`', '$']);
    }
    let mut parts = command.split('|').map(str::trim);
    let reads = parts.next().is_some_and(|part| {
        let part = part.to_lowercase();
        begins.iter().any(|begin| match begin.strip_suffix(' ') {
            Some(_) => part.starts_with(begin),
            None => part == *begin,
        })
    });
    let filters = parts.all(|part| {
        let word = part.split_whitespace().next().unwrap_or_default().to_lowercase();
        !word.is_empty() && FILTERS.iter().any(|filter| filter.starts_with(&word))
    });
    reads && filters && !command.contains(['>', ';', '&', '`', '$', '\\'])
}

/// Opens channels on the connection to the device.
pub type Opening<'a, E> = &'a dyn Fn(ChannelRequest, Sink) -> Result<Box<dyn Channel>, E>;

/// Who waits for the configuration.
pub struct Person<'a> {
    /// Has them answer a login.
    pub ask: &'a dyn Fn(Question) -> Answer,
    /// They gave up.
    pub cancelled: &'a dyn Fn() -> bool,
}

/// Reads the configuration over an open connection.
///
/// # Errors
/// The device does not give it; then nothing of it is given either.
pub fn take<E: From<Failure>>(
    task: &Task,
    enable: Option<SecretBytes>,
    open: Opening<'_, E>,
    person: &Person<'_>,
) -> Result<SecretBytes, E> {
    let watch = Watch { until: Instant::now() + LIMIT, person };
    if task.profile.reading.exec && !task.plain {
        let (said, hears) = channel();
        let sink: Sink = Box::new(move |message| drop(said.send(message)));
        let command = task.command.clone();
        let request = ChannelRequest::Exec { command, size: None, term: String::new() };
        // A device that runs no commands by themselves has a shell.
        if let Ok(channel) = open(request, sink) {
            let done = collect(task, &hears, &watch);
            channel.send(ToRemote::Close);
            return Ok(done?);
        }
        watch.check(task)?;
    }
    let (said, hears) = channel();
    let sink: Sink = Box::new(move |message| drop(said.send(message)));
    let term = if task.plain { "" } else { "vt100" };
    let channel = open(ChannelRequest::Shell { size: SIZE, term: term.to_owned() }, sink)?;
    let done = converse(task, enable, channel.as_ref(), &hears, &watch);
    channel.send(ToRemote::Close);
    Ok(done?)
}

struct Watch<'a> {
    until: Instant,
    person: &'a Person<'a>,
}

impl Watch<'_> {
    fn check(&self, task: &Task) -> Result<(), Failure> {
        if (self.person.cancelled)() {
            return Err(fail::cancelled());
        }
        if Instant::now() > self.until { Err(fail::stuck(&task.command)) } else { Ok(()) }
    }
}

fn converse(
    task: &Task,
    enable: Option<SecretBytes>,
    channel: &dyn Channel,
    hears: &Receiver<FromRemote>,
    watch: &Watch<'_>,
) -> Result<SecretBytes, Failure> {
    let mut talk = Talk::new(task, enable, task.lasting);
    let mut last = Instant::now();
    loop {
        match hears.recv_timeout(TICK) {
            Ok(FromRemote::Data(bytes)) => {
                last = Instant::now();
                talk.heard(&bytes)?;
            }
            Ok(FromRemote::Closed(failure)) => {
                if let Err(cut) = talk.ended() {
                    return Err(failure.unwrap_or(cut));
                }
                break;
            }
            Ok(_) => {}
            Err(RecvTimeoutError::Disconnected) => {
                talk.ended()?;
                break;
            }
            Err(RecvTimeoutError::Timeout) => match talk.quiet(last.elapsed())? {
                Next::Wait => {}
                Next::Done => break,
                Next::Ask(text, echo) => {
                    let Answer::Text(answer) = (watch.person.ask)(Question::Prompt { text, echo })
                    else {
                        watch.check(task)?;
                        return Err(fail::needs_login());
                    };
                    last = Instant::now();
                    channel.send(ToRemote::Data(answer.expose(|a| [a.as_bytes(), b"\r"].concat())));
                }
                Next::Type(bytes) => {
                    last = Instant::now();
                    channel.send(ToRemote::Data(bytes.expose(<[u8]>::to_vec)));
                }
            },
        }
        watch.check(task)?;
    }
    talk.config().ok_or_else(|| fail::cut(&task.command))
}

/// What a command that runs by itself shows.
fn collect(
    task: &Task,
    hears: &Receiver<FromRemote>,
    watch: &Watch<'_>,
) -> Result<SecretBytes, Failure> {
    let mut page = Page::default();
    let mut last = Instant::now();
    let mut exit = None;
    loop {
        match hears.recv_timeout(TICK) {
            Ok(FromRemote::Data(bytes)) => {
                last = Instant::now();
                page.feed(&bytes);
                if page.len() > MAX_BYTES {
                    return Err(fail::too_long(&task.command));
                }
            }
            Ok(FromRemote::Exit(how)) => exit = Some(how),
            Ok(FromRemote::Closed(Some(failure))) => return Err(failure),
            Ok(FromRemote::Closed(None)) | Err(RecvTimeoutError::Disconnected) => break,
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) if last.elapsed() > SILENCE => {
                return Err(fail::stuck(&task.command));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        watch.check(task)?;
    }
    match exit {
        Some(Exit::Status(0)) => {}
        Some(Exit::Status(status)) => return Err(fail::ended(&task.command, &status.to_string())),
        Some(Exit::Signal(_)) | None => return Err(fail::cut(&task.command)),
    }
    page.finish();
    task.config(page.lines())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn task(profile: &str, command: &str) -> Task {
        named(profile, command).unwrap_or_else(|failure| panic!("{}", failure.what.en))
    }

    fn named(profile: &str, command: &str) -> Result<Task, Failure> {
        let settings = [(PROFILE, profile), (COMMAND, command)];
        let settings = settings.map(|(k, v)| (k.to_owned(), v.to_owned()));
        Task::of(&Kind::new("ssh"), &BTreeMap::from(settings))
    }

    #[test]
    fn only_commands_that_read_are_ever_sent() {
        for profile in &device::PROFILES {
            let reading = &profile.reading;
            if !reading.command.is_empty() {
                assert!(only_reads(profile, reading.command), "{}", reading.command);
            }
            let all = reading.unpaged.iter().chain(reading.paged);
            for command in all.chain([&reading.command, &reading.enable]) {
                assert!(!command.starts_with("conf"), "{command}");
            }
        }
        for (profile, command) in [
            ("cisco", "show startup-config"),
            ("cisco", "show running-config | section interface | exclude key"),
            ("watchguard", "export config to console"),
            ("other", "/export terse"),
            ("other", "cat /etc/network/interfaces"),
            ("other", "show configuration | display set | no-more"),
            ("other", "sh run | section interface"),
        ] {
            assert!(named(profile, command).is_ok(), "{command}");
        }
        for (profile, command) in [
            ("cisco", "configure terminal"),
            ("cisco", "write memory"),
            ("cisco", "show running-config | redirect tftp://192.0.2.1/x"),
            ("cisco", "show running-config | tee flash:x"),
            ("cisco", "show running-config > flash:x"),
            ("cisco", "show run\rconf t"),
            ("watchguard", "export config to ftp://192.0.2.1/x"),
            ("sophos", "system appliance_access enable"),
            ("sophos", ""),
            ("other", "conf t"),
            ("other", "wr"),
            ("other", "cat x; reboot"),
            ("other", "rel in 1"),
            ("other", "era startup-config"),
            ("other", "show running-config | redirect tftp://192.0.2.1/x"),
            ("other", "show run | inc x | app flash:x"),
            ("other", "show configuration | save /var/tmp/x"),
            ("other", "cat x | tee /etc/x"),
            ("other", ""),
            ("nobody", "show version"),
        ] {
            assert!(named(profile, command).is_err(), "{command}");
        }
    }
}
