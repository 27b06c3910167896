//! The conversation with a device's command line: what is typed next, decided from
//! what it showed and how long it has been silent. Works on bytes alone, and types
//! nothing but the commands of [`Reading`](crate::connect::device::Reading) and what
//! the person answers to a login.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;

use super::page::Page;
use super::{MAX_BYTES, Task, fail};
use crate::connect::Failure;
use crate::secret::SecretBytes;

/// Silence after which a prompt counts as one, and not as text under way.
const STILL: Duration = Duration::from_millis(150);
/// Silence after which the same counts though the command was not echoed.
const NO_ECHO: Duration = Duration::from_secs(2);
/// Silence before Enter is pressed, to see whether somebody is there.
const POKE: Duration = Duration::from_millis(1500);
/// Times that Enter is pressed.
const POKES: u32 = 3;
/// Questions of a login that are passed on: three times name and password.
const QUESTIONS: u32 = 6;
/// Silence that ends the wait.
const SILENCE: Duration = Duration::from_secs(45);

static PAGER: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"(?i)(-+\s*more\s*-+|<-+\s*more\s*-+>|\(more\)|press any key|press <?space>?)";
    Regex::new(words).expect("a constant")
});
static PROMPT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\S.{0,99})?[#>$%]$").expect("a constant"));
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(password|passwd|mot de passe)\b[^:]*:$").expect("a constant")
});
static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"(?i)\b(login|user ?name|password|passwd|mot de passe|identifiant)\b[^:]*:$";
    Regex::new(words).expect("a constant")
});

/// What to do next.
pub enum Next {
    /// Wait for the device.
    Wait,
    /// Type this.
    Type(SecretBytes),
    /// The device asks who is there: have the person say it, in sight or not, and
    /// type that.
    Ask(String, bool),
    /// The configuration is whole.
    Done,
}

enum Step {
    /// Find the command line.
    Prompt,
    /// Ask for more rights.
    Enable,
    /// Type a command that shows nothing of worth.
    Set(&'static str),
    /// Type the command that shows the configuration.
    Read,
}

/// A conversation.
pub struct Talk<'a> {
    task: &'a Task,
    enable: Option<SecretBytes>,
    page: Page,
    steps: VecDeque<Step>,
    step: Step,
    /// The command line's own words, without the sign at the end.
    prompt: Option<String>,
    /// The command that was typed last.
    typed: &'a str,
    pokes: u32,
    questions: u32,
    chosen: bool,
    asked: bool,
    config: Option<SecretBytes>,
}

impl<'a> Talk<'a> {
    /// With a device that is to do `task`; `lasting` where the login outlives the
    /// line, so that the pager is turned on again.
    pub fn new(task: &'a Task, enable: Option<SecretBytes>, lasting: bool) -> Self {
        let reading = &task.profile.reading;
        let mut steps = VecDeque::new();
        if enable.is_some() && !reading.enable.is_empty() {
            steps.push_back(Step::Enable);
        }
        steps.extend(reading.unpaged.iter().map(|command| Step::Set(command)));
        steps.push_back(Step::Read);
        if lasting {
            steps.extend(reading.paged.iter().map(|command| Step::Set(command)));
        }
        Self {
            task,
            enable,
            page: Page::default(),
            steps,
            step: Step::Prompt,
            prompt: None,
            typed: "",
            pokes: 0,
            questions: 0,
            chosen: false,
            asked: false,
            config: None,
        }
    }

    /// The configuration, once it is whole.
    pub fn config(self) -> Option<SecretBytes> {
        self.config
    }

    /// The device wrote something.
    ///
    /// # Errors
    /// It is more than a configuration can be.
    pub fn heard(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.page.feed(bytes);
        if self.page.len() > MAX_BYTES { Err(fail::too_long(&self.task.command)) } else { Ok(()) }
    }

    /// The line ended.
    ///
    /// # Errors
    /// Too early.
    pub fn ended(&self) -> Result<(), Failure> {
        match self.config {
            Some(_) => Ok(()),
            None => Err(fail::cut(&self.task.command)),
        }
    }

    /// The device has written nothing for `silent`.
    ///
    /// # Errors
    /// It does not do what it should.
    pub fn quiet(&mut self, silent: Duration) -> Result<Next, Failure> {
        if silent < STILL {
            return Ok(Next::Wait);
        }
        let tail = self.page.tail();
        if PAGER.is_match(&tail) {
            self.page.wipe_tail();
            return Ok(Next::Type(SecretBytes::copy_of(b" ")));
        }
        match self.step {
            Step::Prompt => self.find(&tail, silent),
            Step::Enable => self.more_rights(&tail, silent),
            Step::Set(_) | Step::Read => self.answered(&tail, silent),
        }
    }

    fn find(&mut self, tail: &str, silent: Duration) -> Result<Next, Failure> {
        if let Some((words, choice)) = self.task.profile.reading.menu
            && !self.chosen
            && tail.contains(words)
        {
            self.chosen = true;
            self.page.wipe_tail();
            return Ok(line(choice));
        }
        if let Some(base) = base(tail) {
            self.prompt = Some(base.to_owned());
            return Ok(self.advance());
        }
        if LOGIN.is_match(tail) {
            if self.questions == QUESTIONS {
                return Err(fail::needs_login());
            }
            self.questions += 1;
            // What is typed is not echoed behind it, or is: either way a line begins.
            self.page.wipe_tail();
            return Ok(Next::Ask(tail.to_owned(), !SECRET.is_match(tail)));
        }
        if silent < POKE {
            return Ok(Next::Wait);
        }
        if self.pokes == POKES {
            return Err(fail::no_prompt());
        }
        self.pokes += 1;
        Ok(Next::Type(SecretBytes::copy_of(b"\r")))
    }

    fn more_rights(&mut self, tail: &str, silent: Duration) -> Result<Next, Failure> {
        if LOGIN.is_match(tail) {
            let secret = self.enable.take().ok_or_else(fail::no_rights)?;
            self.page.wipe_tail();
            let mut typed = Vec::with_capacity(secret.len() + 1);
            secret.expose(|bytes| typed.extend_from_slice(bytes));
            typed.push(b'\r');
            self.asked = true;
            return Ok(Next::Type(SecretBytes::new(typed)));
        }
        if !self.is_prompt(tail) || !(self.asked || self.echoed() || silent > NO_ECHO) {
            return self.wait(silent);
        }
        if self.asked && !tail.ends_with('#') {
            return Err(fail::no_rights());
        }
        Ok(self.advance())
    }

    fn answered(&mut self, tail: &str, silent: Duration) -> Result<Next, Failure> {
        if !self.is_prompt(tail) || !(self.echoed() || silent > NO_ECHO) {
            return self.wait(silent);
        }
        if matches!(self.step, Step::Read) {
            self.config = Some(self.read()?);
        }
        Ok(self.advance())
    }

    fn wait(&self, silent: Duration) -> Result<Next, Failure> {
        if silent > SILENCE { Err(fail::stuck(&self.task.command)) } else { Ok(Next::Wait) }
    }

    /// Types what comes next.
    fn advance(&mut self) -> Next {
        let Some(step) = self.steps.pop_front() else { return Next::Done };
        self.typed = match step {
            Step::Prompt => "",
            Step::Enable => self.task.profile.reading.enable,
            Step::Set(command) => command,
            Step::Read => &self.task.command,
        };
        self.step = step;
        // What was shown before is of no interest; the command is echoed behind the prompt.
        self.page.turn();
        line(self.typed)
    }

    fn is_prompt(&self, tail: &str) -> bool {
        base(tail).is_some_and(|base| Some(base) == self.prompt.as_deref())
    }

    /// The line that shows the command as it was typed.
    fn echo(&self) -> Option<usize> {
        self.page.lines().position(|line| line.ends_with(self.typed.as_bytes()))
    }

    fn echoed(&self) -> bool {
        self.echo().is_some()
    }

    fn read(&self) -> Result<SecretBytes, Failure> {
        let from = self.echo().map_or(0, |line| line + 1);
        self.task.config(self.page.lines().skip(from))
    }
}

/// The words of a command line without its sign, if `tail` is one.
fn base(tail: &str) -> Option<&str> {
    PROMPT.is_match(tail).then(|| &tail[..tail.len() - 1])
}

fn line(command: &str) -> Next {
    Next::Type(SecretBytes::new(format!("{command}\r").into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::snapshot::tests::task;

    const A_MOMENT: Duration = Duration::from_millis(300);

    fn typed(talk: &mut Talk<'_>, heard: &str, silent: Duration) -> Option<String> {
        talk.heard(heard.as_bytes()).expect("not too long");
        match talk.quiet(silent).unwrap_or_else(|failure| panic!("{}", failure.what.en)) {
            Next::Wait => None,
            Next::Type(bytes) => {
                Some(bytes.expose(|bytes| String::from_utf8_lossy(bytes).into_owned()))
            }
            Next::Ask(words, _) => panic!("{words}"),
            Next::Done => Some("done".to_owned()),
        }
    }

    fn config(talk: Talk<'_>) -> String {
        let config = talk.config().expect("whole");
        config.expose(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    #[test]
    fn the_configuration_is_what_stands_between_the_command_and_the_prompt() {
        let task = task("cisco", "");
        let mut talk = Talk::new(&task, None, true);
        let next = |talk: &mut Talk<'_>, heard: &str| typed(talk, heard, A_MOMENT);
        assert_eq!(next(&mut talk, "\r\nWelcome\r\nsw1#").as_deref(), Some("terminal length 0\r"));
        // A prompt that was on its way before the command is not its end.
        assert_eq!(next(&mut talk, "\r\nsw1#"), None);
        let read = next(&mut talk, "terminal length 0\r\nsw1#");
        assert_eq!(read.as_deref(), Some("show running-config\r"));
        let shown = "show running-config\r\nBuilding configuration...\r\n\r\nhostname sw1\r\n";
        assert_eq!(next(&mut talk, shown), None);
        assert_eq!(next(&mut talk, " --More-- ").as_deref(), Some(" "));
        let erase = "\u{8}".repeat(10) + &" ".repeat(10) + &"\u{8}".repeat(10);
        let back =
            next(&mut talk, &format!("{erase}interface sw1#\r\n shutdown\r\nend\r\n\r\nsw1#"));
        assert_eq!(back.as_deref(), Some("terminal length 24\r"));
        assert_eq!(next(&mut talk, "terminal length 24\r\nsw1#").as_deref(), Some("done"));
        assert_eq!(config(talk), "hostname sw1\ninterface sw1#\n shutdown\nend\n");
    }

    #[test]
    fn a_silent_console_is_woken_and_one_that_asks_who_is_there_is_left_alone() {
        let task = task("icx", "");
        let mut talk = Talk::new(&task, None, true);
        assert_eq!(typed(&mut talk, "", A_MOMENT), None);
        assert_eq!(typed(&mut talk, "", POKE).as_deref(), Some("\r"));
        talk.heard(b"\r\nUsername: ").expect("not too long");
        let Ok(Next::Ask(words, true)) = talk.quiet(A_MOMENT) else { panic!("it asks a name") };
        assert_eq!(words, "Username:");
        // Nothing is typed, and nothing asked twice, while the device thinks.
        assert!(matches!(talk.quiet(A_MOMENT), Ok(Next::Wait)));
        for _ in 0..QUESTIONS - 1 {
            talk.heard(b"\r\nEnable password for admin: ").expect("not too long");
            assert!(matches!(talk.quiet(A_MOMENT), Ok(Next::Ask(_, false))));
        }
        talk.heard(b"\r\nPassword: ").expect("not too long");
        let failure = talk.quiet(A_MOMENT).err().expect("enough is enough");
        assert_eq!(failure.what, fail::needs_login().what);
    }

    #[test]
    fn rights_are_asked_for_with_the_secret_of_the_entry() {
        let task = task("cisco", "");
        let secret = || Some(SecretBytes::copy_of(b"topsecret"));
        let mut talk = Talk::new(&task, secret(), false);
        assert_eq!(typed(&mut talk, "sw1>", A_MOMENT).as_deref(), Some("enable\r"));
        let asked = typed(&mut talk, "enable\r\nPassword: ", A_MOMENT);
        assert_eq!(asked.as_deref(), Some("topsecret\r"));
        let on = typed(&mut talk, "\r\nsw1#", A_MOMENT);
        assert_eq!(on.as_deref(), Some("terminal length 0\r"));

        let mut talk = Talk::new(&task, secret(), false);
        typed(&mut talk, "sw1>", A_MOMENT);
        typed(&mut talk, "enable\r\nPassword: ", A_MOMENT);
        talk.heard(b"\r\n% Access denied\r\nsw1>").expect("not too long");
        assert_eq!(talk.quiet(A_MOMENT).err().expect("refused").what, fail::no_rights().what);
    }

    #[test]
    fn a_refused_command_and_an_early_end_give_nothing() {
        let task = task("aruba", "");
        let mut talk = Talk::new(&task, None, false);
        typed(&mut talk, "sw> ", A_MOMENT);
        typed(&mut talk, "no page\r\nsw> ", A_MOMENT);
        talk.heard(b"show running-config\r\nInvalid input: running-config\r\nsw> ").expect("short");
        let failure = talk.quiet(A_MOMENT).err().expect("refused");
        assert_eq!(failure.what, fail::refused("show running-config").what);
        assert!(talk.ended().is_err());
    }

    #[test]
    fn a_line_without_end_is_no_configuration() {
        let task = task("cisco", "");
        let mut talk = Talk::new(&task, None, false);
        let chunk = vec![b'x'; MAX_BYTES / 4];
        let refused = (0..5).find_map(|_| talk.heard(&chunk).err()).expect("it is too long");
        assert_eq!(refused.what, fail::too_long("show running-config").what);
    }

    #[test]
    fn a_menu_is_passed_once() {
        let task = task("sophos", "show network interfaces");
        let mut talk = Talk::new(&task, None, false);
        let menu = "Main Menu\r\n  4. Device Console\r\n    Select Menu Number [0-7]: ";
        assert_eq!(typed(&mut talk, menu, A_MOMENT).as_deref(), Some("4\r"));
        let console = typed(&mut talk, "4\r\n\r\nconsole> ", A_MOMENT);
        assert_eq!(console.as_deref(), Some("show network interfaces\r"));
    }
}
