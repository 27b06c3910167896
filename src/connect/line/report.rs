//! What is told of a session that has a window of its own: lines of what it does, in
//! one terminal at most, whose Ctrl+C ends the session. It never touches the window.

use super::fail;
use crate::connect::Failure;
use crate::connect::host::child::{Command, Output, Uplink};
use crate::connect::link::{ChannelRequest, Exit};
use crate::connect::web::LANG;
use crate::model::lang::{Bi, Lang};

/// Sent by Ctrl+C on a terminal whose line is raw.
pub const CTRL_C: u8 = 3;

/// The terminal that shows the lines, once there is one.
#[derive(Default)]
pub struct Report {
    lang: Lang,
    channel: Option<u32>,
    /// Somebody sits at it.
    attended: bool,
    /// Lines that were shown.
    shown: usize,
}

impl Report {
    /// Nobody looks yet; the lines will be in the language of the desktop.
    pub fn new() -> Self {
        let lang = std::env::var(LANG).ok().and_then(|lang| lang.parse().ok());
        Self { lang: lang.unwrap_or_default(), ..Self::default() }
    }

    /// Whether there is a terminal that shows the lines.
    pub fn is_open(&self) -> bool {
        self.channel.is_some()
    }

    /// Shows what was not shown yet of all the lines there are.
    pub fn show(&mut self, lines: &[Bi], up: &Uplink) {
        let Some(id) = self.channel else { return };
        let end = if self.attended { "\r\n" } else { "\n" };
        let mut out = Output::new();
        for line in &lines[self.shown..] {
            out.copy(format!("{}{end}", line.get(self.lang)).as_bytes());
            up.output(id, false, &mut out);
        }
        self.shown = lines.len();
    }

    /// Does what the application wants of the session called `name`; true when that
    /// is its end.
    pub fn command(&mut self, command: Command, name: &str, lines: &[Bi], up: &Uplink) -> bool {
        match command {
            Command::Open(id, ref request)
                if let Some(why) = fail::refused(request, self.channel, name) =>
            {
                up.opened(id, Err(&why));
            }
            Command::Open(id, ChannelRequest::Shell { term, .. }) => {
                self.channel = Some(id);
                self.attended = !term.is_empty();
                up.opened(id, Ok(()));
                self.show(lines, up);
            }
            Command::Data(id, bytes) => {
                up.credit(id, bytes.len());
                return self.channel == Some(id) && bytes.contains(&CTRL_C);
            }
            Command::Close(id) => return self.channel == Some(id),
            _ => {}
        }
        false
    }

    /// Shows the last lines and closes the terminal, with the reason if there is one.
    pub fn end(&mut self, lines: &[Bi], why: Option<&Failure>, up: &Uplink) {
        self.show(lines, up);
        if let Some(id) = self.channel {
            if why.is_none() {
                up.exit(id, &Exit::Status(0));
            }
            up.closed(id, why);
        }
    }
}
