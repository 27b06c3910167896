//! State of the log page: the filter as typed, the lines that matched, what
//! verification and export said. Knows no egui.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::app::api::{AppError, ExportFormat, ExportRequest, Justification, Request, Verified};
use crate::gui::act::Act;
use crate::gui::text;
use crate::gui::worker::{Command, Tag};
use crate::model::audit_event::{AuditFilter, Event, OpenLine};
use crate::model::lang::Lang;
use crate::model::time::Time;

/// How many lines the page shows at once; the export knows no limit.
pub const SHOWN: u64 = 5_000;

/// Which days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Period {
    /// Today.
    Today,
    /// The last seven days.
    Week,
    /// The last thirty days.
    Month,
    /// All.
    All,
    /// As typed.
    Chosen,
}

impl Period {
    /// Every period, in the order of the menu.
    pub const ALL: [Self; 5] = [Self::Today, Self::Week, Self::Month, Self::All, Self::Chosen];

    /// What the menu calls it.
    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Self::Today => lang.pick("Aujourd’hui", "Today"),
            Self::Week => lang.pick("7 derniers jours", "Last 7 days"),
            Self::Month => lang.pick("30 derniers jours", "Last 30 days"),
            Self::All => lang.pick("Depuis le début", "From the start"),
            Self::Chosen => lang.pick("Du… au…", "From… to…"),
        }
    }
}

/// The export dialog.
pub struct ExportModel {
    /// Which format.
    pub format: ExportFormat,
    /// Columns left out, by name.
    pub redact: Vec<&'static str>,
    /// The file.
    pub out: String,
    /// Ticket, where a client asks for it.
    pub ticket: String,
    /// Reason, where a client asks for it.
    pub reason: String,
    /// It runs.
    pub waiting: bool,
    /// Lines read, of how many, once it tells.
    pub progress: Option<(u64, u64)>,
    /// Gives up the export that runs.
    pub given_up: Arc<AtomicBool>,
    /// Why it failed.
    pub error: Option<AppError>,
    /// What it wrote.
    pub done: Option<Exported>,
    /// The file is there already: whether to replace it is asked.
    pub asks: bool,
    /// The file that may be replaced.
    agreed: Option<PathBuf>,
}

/// What an export wrote.
pub struct Exported {
    /// How many lines.
    pub lines: u64,
    /// Fingerprint of the vault.
    pub fingerprint: String,
    /// The files; a long report has several.
    pub files: Vec<PathBuf>,
}

/// What is wrong with the days as typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DateFault {
    /// This is no day.
    Unreadable(String),
    /// The last day comes before the first one.
    Reversed,
}

impl DateFault {
    /// What is wrong and how to mend it.
    pub fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Unreadable(typed), Lang::Fr) => format!(
                "«\u{a0}{typed}\u{a0}» n’est pas une date. Écrivez-la jj/mm/aaaa, ou videz le champ."
            ),
            (Self::Unreadable(typed), Lang::En) => {
                format!("“{typed}” is no date. Write it yyyy-mm-dd, or empty the field.")
            }
            (Self::Reversed, Lang::Fr) => {
                "Le dernier jour précède le premier. Échangez les deux dates.".to_owned()
            }
            (Self::Reversed, Lang::En) => {
                "The last day comes before the first one. Swap the two dates.".to_owned()
            }
        }
    }
}

/// State of the page.
pub struct AuditModel {
    /// Which days.
    pub period: Period,
    /// First day as typed.
    pub from: String,
    /// Last day as typed.
    pub to: String,
    /// Member's name; empty: any.
    pub member: String,
    /// Client's name; empty: any.
    pub client: String,
    /// Event.
    pub event: Option<Event>,
    /// Words.
    pub text: String,
    /// Give the keyboard to the words.
    pub focus: bool,
    /// The matching lines, the newest first.
    pub lines: Vec<OpenLine>,
    /// The first answer has come.
    pub loaded: bool,
    /// An answer is on its way.
    pub waiting: bool,
    /// Why the lines could not be read.
    pub error: Option<AppError>,
    /// The line shown in full.
    pub chosen: Option<usize>,
    /// The member may see clients, and so the pages of their tickets.
    pub browse: bool,
    /// The vault was opened for reading only: an export could not be logged.
    pub read_only: bool,
    /// Lines may have come since the last answer.
    pub stale: bool,
    /// How far the table is scrolled.
    pub scrolled: f32,
    /// New lines in front of those seen before; the view moves on by as many.
    pub grown: usize,
    /// Verification runs.
    pub verifying: bool,
    /// What it said.
    pub verified: Option<Result<Verified, AppError>>,
    /// The export dialog, while it is open.
    pub export: Option<ExportModel>,
    /// Names of members, for the menu.
    pub members: Vec<String>,
    /// Names of clients, for the menu.
    pub clients: Vec<String>,
    again: bool,
    asked: Option<AuditFilter>,
    answered: Option<AuditFilter>,
}

impl Default for AuditModel {
    fn default() -> Self {
        Self {
            period: Period::Month,
            from: String::new(),
            to: String::new(),
            member: String::new(),
            client: String::new(),
            event: None,
            text: String::new(),
            focus: false,
            lines: Vec::new(),
            loaded: false,
            waiting: false,
            error: None,
            chosen: None,
            browse: false,
            read_only: false,
            stale: false,
            scrolled: 0.0,
            grown: 0,
            verifying: false,
            verified: None,
            export: None,
            members: Vec::new(),
            clients: Vec::new(),
            again: false,
            asked: None,
            answered: None,
        }
    }
}

/// The day of a field; `None` when it is empty and so sets no limit.
fn limit(typed: &str) -> Result<Option<Date>, DateFault> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    text::read_day(typed).map(Some).ok_or_else(|| DateFault::Unreadable(typed.to_owned()))
}

/// The first moment of `day` in the computer's time zone.
fn start_of(day: Date) -> Option<Time> {
    let start = TimeZone::system().to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    Some(Time(start.as_microsecond()))
}

/// `text` without what a file name may not hold on some system.
fn in_file_name(text: &str) -> String {
    let forbidden = |c: char| c.is_control() || c.is_whitespace() || "/\\:*?\"<>|".contains(c);
    text.trim().chars().map(|c| if forbidden(c) { '-' } else { c }).collect()
}

impl AuditModel {
    /// What is wrong with the days as typed: of the first field, of the second.
    pub fn date_faults(&self) -> [Option<DateFault>; 2] {
        if self.period != Period::Chosen {
            return [None, None];
        }
        match (limit(&self.from), limit(&self.to)) {
            (Ok(Some(from)), Ok(Some(to))) if to < from => [None, Some(DateFault::Reversed)],
            (from, to) => [from.err(), to.err()],
        }
    }

    /// The filter as it is set; `today` in the computer's time zone. `None` while
    /// a day as typed cannot be read: never more lines than were meant.
    pub fn filter(&self, today: Date) -> Option<AuditFilter> {
        if self.date_faults().iter().any(Option::is_some) {
            return None;
        }
        let back = |days: i64| {
            let span = jiff::Span::new().days(days);
            today.checked_sub(span).ok().and_then(start_of)
        };
        let (since, until) = match self.period {
            Period::Today => (back(0), None),
            Period::Week => (back(6), None),
            Period::Month => (back(29), None),
            Period::All => (None, None),
            Period::Chosen => (
                text::read_day(&self.from).and_then(start_of),
                text::read_day(&self.to).and_then(|d| d.tomorrow().ok()).and_then(start_of),
            ),
        };
        let one = |name: &str| {
            let name = name.trim();
            if name.is_empty() { Vec::new() } else { vec![name.to_owned()] }
        };
        Some(AuditFilter {
            since,
            until,
            members: one(&self.member),
            clients: one(&self.client),
            events: self.event.into_iter().collect(),
            text: self.text.trim().to_owned(),
            last: None,
        })
    }

    /// Asks for the lines; while an answer is on its way, once more after it.
    /// Nothing while a day as typed cannot be read.
    pub fn ask(&mut self, today: Date) -> Option<Act> {
        if self.waiting {
            self.again = true;
            return None;
        }
        let filter = AuditFilter { last: Some(SHOWN), ..self.filter(today)? };
        self.waiting = true;
        self.stale = false;
        self.asked = Some(filter.clone());
        Some(Act::Send(Command::Ask(Tag::Log, Request::AuditLog { filter })))
    }

    /// The lines have come; what to ask next, if the filter changed meanwhile.
    pub fn answer(&mut self, lines: Result<Vec<OpenLine>, AppError>, today: Date) -> Option<Act> {
        self.waiting = false;
        self.loaded = true;
        match lines {
            Ok(mut lines) => {
                lines.reverse();
                let chosen = self.chosen.and_then(|i| self.lines.get(i)).map(|l| l.seq);
                self.chosen = chosen.and_then(|seq| lines.iter().position(|l| l.seq == seq));
                let same = self.answered.is_some() && self.answered == self.asked;
                let first = self.lines.first().filter(|_| same).map(|l| l.seq);
                let moved = first.and_then(|seq| lines.iter().position(|l| l.seq == seq));
                self.grown += moved.unwrap_or(0);
                self.answered = self.asked.take();
                self.lines = lines;
                self.error = None;
            }
            Err(e) => self.error = Some(e),
        }
        if std::mem::take(&mut self.again) { self.ask(today) } else { None }
    }

    /// The name proposed for an export made `today`: with the client whose lines
    /// it holds, if it is one's.
    pub fn export_name(&self, format: ExportFormat, today: Date) -> String {
        let client = in_file_name(&self.client);
        let client = if client.is_empty() { client } else { format!("{client}-") };
        format!("poterne-journal-{client}{today}.{}", format.extension())
    }

    /// Opens the export dialog with a file name in `folder`.
    pub fn open_export(&mut self, folder: &Path, today: Date) {
        let format = ExportFormat::Bundle;
        let name = self.export_name(format, today);
        self.export = Some(ExportModel {
            format,
            redact: Vec::new(),
            out: folder.join(name).display().to_string(),
            ticket: String::new(),
            reason: String::new(),
            waiting: false,
            progress: None,
            given_up: Arc::default(),
            error: None,
            done: None,
            asks: false,
            agreed: None,
        });
    }

    /// What exports, as the dialog is set. `exists` tells whether a file is there,
    /// which is not replaced before the person agreed.
    pub fn export_request(
        &mut self,
        today: Date,
        lang: Lang,
        exists: impl FnOnce(&Path) -> bool,
    ) -> Option<Act> {
        let filter = self.filter(today)?;
        let model = self.export.as_mut()?;
        let out = PathBuf::from(model.out.trim());
        model.done = None;
        model.error = None;
        if model.agreed.as_ref() != Some(&out) && exists(&out) {
            model.asks = true;
            return None;
        }
        model.asks = false;
        model.agreed = None;
        model.waiting = true;
        model.progress = None;
        model.given_up = Arc::default();
        let given = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        let request = ExportRequest {
            format: model.format,
            filter,
            redact: model.redact.iter().map(|r| (*r).to_owned()).collect(),
            out,
            lang,
            just: Justification { ticket: given(&model.ticket), reason: given(&model.reason) },
        };
        Some(Act::Send(Command::Export(request, model.given_up.clone())))
    }
}

impl AuditModel {
    /// Whether it is asked if a file that is there may be replaced.
    pub fn asks_to_replace(&self) -> bool {
        self.export.as_ref().is_some_and(|export| export.asks)
    }
}

impl ExportModel {
    /// Gives up the export that runs; its answer says so.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
    }

    /// Whether the export that runs is being given up.
    pub fn ending(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }

    /// The file as typed may be replaced.
    pub fn agree(&mut self) {
        self.agreed = Some(PathBuf::from(self.out.trim()));
    }

    /// The desktop's chooser, which asks by itself before something is replaced,
    /// gave this file.
    pub fn chosen(&mut self, out: &Path) {
        self.out = out.display().to_string();
        self.asks = false;
        self.agree();
    }

    /// It is over, one way or the other.
    pub fn over(&mut self) {
        self.waiting = false;
        self.progress = None;
    }

    /// Another format: the file's ending follows.
    pub fn set_format(&mut self, format: ExportFormat) {
        self.format = format;
        let mut path = PathBuf::from(&self.out);
        path.set_extension(format.extension());
        self.out = path.display().to_string();
        self.done = None;
        self.asks = false;
    }
}
