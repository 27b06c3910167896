//! Writes the audit log to files that other people read, and checks the bundle
//! that proves itself. Lines come in one by one, so a million need no more
//! memory than ten; a file is whole or not there. Never opens a vault.

mod ahead;
pub mod bundle;
mod file;
mod findings;
mod html;
mod kit;
mod layout;
mod pdf;
mod pipe;
mod read;
mod rows;
mod selection;
mod table;
pub mod told;
mod typeset;
mod words;
mod xlsx;

pub use findings::Findings;
pub use kit::{KitMeta, kit_pdf};
pub use pipe::Room;
pub use words::{event as event_name, far};

use std::io::{self, Write};
use std::path::PathBuf;

use crate::app::api::{AppError, Code, ExportFormat, ExportRequest, Verified};
use crate::app::text;
use crate::audit::{Fault, Summary, hash};
use crate::model::audit_event::field;
use crate::model::id::{MemberId, VaultId};
use crate::model::lang::Bi;
use crate::model::time::Time;
use crate::vault::rows::AuditSlices;

use selection::Selection;

/// What an export says about itself.
#[derive(Clone, Debug)]
pub struct ExportMeta {
    /// Whose log.
    pub vault: VaultId,
    /// Name of the vault for people: usually its file name.
    pub vault_name: String,
    /// Key the fingerprint is made of.
    pub root_pk: [u8; 32],
    /// Name of the exporting member.
    pub exporter: String,
    /// When.
    pub generated_at: Time,
    /// Checkpoint note over the whole log, signed by the exporting member: see
    /// [`crate::audit::Checkpoint::sign`].
    pub note: String,
}

impl ExportMeta {
    /// The vault's public fingerprint.
    pub fn fingerprint(&self) -> String {
        crate::audit::fingerprint(self.vault, &self.root_pk)
    }

    /// RFC 6962 root of the note, in base64.
    pub fn root(&self) -> &str {
        self.note.split('\n').nth(2).unwrap_or_default()
    }

    /// Number of lines the note covers.
    pub fn size(&self) -> u64 {
        self.note.split('\n').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
    }
}

/// Takes one line as its source has it.
pub type Take<'a> = dyn FnMut(&AuditSlices<'_>) -> Result<(), ExportError> + 'a;

/// Told how many lines are read, of how many in all; each reading of the log
/// counts. False: the person gave up.
pub type Progress<'a> = dyn FnMut(u64, u64) -> bool + 'a;

/// Where the lines of a log come from. May be read more than once; what it
/// gives must not change between readings, so read inside one transaction.
pub trait Lines {
    /// Calls `take` for every line from the first to the last that the note
    /// of the export covers, and stops at its first error.
    ///
    /// # Errors
    /// Its own, as [`ExportError::Source`], or that of `take`.
    fn each(&self, take: &mut Take<'_>) -> Result<(), ExportError>;

    /// What opens those lines.
    fn opener(&self) -> &dyn Opener;
}

/// Opens lines, on several threads at once.
pub trait Opener: Sync {
    /// Text and values of `line` into `room`; false when the reader may not see
    /// the values.
    ///
    /// # Errors
    /// The line was tampered with.
    fn open(&self, line: &AuditSlices<'_>, room: &mut Room) -> Result<bool, ExportError>;
}

/// Why an export was not written. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file could not be written, or the bundle not read.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The log itself is damaged.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The lines could not be read.
    #[error("the lines could not be read")]
    Source(AppError),
    /// No field has that name.
    #[error("no audit field is named {0}")]
    UnknownField(String),
    /// The person gave up.
    #[error("given up")]
    Cancelled,
    /// A library could not make the document.
    #[error("the document could not be made: {0}")]
    Document(String),
}

impl From<ExportError> for AppError {
    fn from(error: ExportError) -> Self {
        let file = |path: &PathBuf| path.display().to_string();
        match error {
            ExportError::Io { path, source } => {
                let (name, cause) = (file(&path), text::cause(&source));
                let code = match source.kind() {
                    io::ErrorKind::NotFound => Code::NotFound,
                    _ => Code::Other,
                };
                Self {
                    code,
                    what: Bi::new(
                        format!(
                            "Le fichier {name} ne peut pas être lu ou écrit\u{a0}: {}.",
                            cause.fr
                        ),
                        format!("The file {name} cannot be read or written: {}.", cause.en),
                    ),
                    todo: Bi::new(
                        "Vérifiez le dossier, les droits et l’espace libre, puis recommencez.",
                        "Check the folder, its permissions and the free space, then try again.",
                    ),
                }
            }
            ExportError::Fault(fault) => Self {
                code: Code::Tampered,
                what: fault.text(),
                todo: Bi::new(
                    "Lancez «\u{a0}poterne audit verify\u{a0}» et comparez avec une sauvegarde.",
                    "Run “poterne audit verify” and compare with a backup.",
                ),
            },
            ExportError::Source(error) => error,
            ExportError::UnknownField(name) => Self {
                code: Code::Usage,
                what: Bi::new(
                    format!("Aucun champ du journal ne s’appelle «\u{a0}{name}\u{a0}»."),
                    format!("No field of the log is named “{name}”."),
                ),
                todo: Bi::new(
                    format!("Les champs sont\u{a0}: {}.", field::ALL.join(", ")),
                    format!("The fields are: {}.", field::ALL.join(", ")),
                ),
            },
            ExportError::Cancelled => Self {
                code: Code::Other,
                what: Bi::new(
                    "L’export a été annulé\u{a0}: aucun fichier n’a été écrit.",
                    "The export was cancelled: no file was written.",
                ),
                todo: Bi::new(
                    "Le journal garde la ligne qui l’annonçait. Recommencez quand vous voulez.",
                    "The log keeps the line that announced it. Start again when you like.",
                ),
            },
            ExportError::Document(why) => Self {
                code: Code::Other,
                what: Bi::new(
                    format!("Le document n’a pas pu être produit\u{a0}: {why}."),
                    format!("The document could not be made: {why}."),
                ),
                todo: Bi::new("Choisissez un autre format.", "Choose another format."),
            },
        }
    }
}

/// Writes a small file that people take away, such as an attachment: private to
/// its owner, whole or not at all.
///
/// # Errors
/// It cannot be written; what was in its place is as it was before.
pub fn write_whole(path: &std::path::Path, bytes: &[u8]) -> Result<(), AppError> {
    let out = file::Whole::create(path)?;
    out.file().write_all(bytes).map_err(|e| out.fail(e))?;
    out.commit()?;
    Ok(())
}

/// What an export wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// Lines selected.
    pub lines: u64,
    /// `request.out`, then the further parts of a report too long for one file.
    pub files: Vec<PathBuf>,
}

/// Writes the selected lines of `lines` to `request.out`. `progress` is told every thousand lines and at the end, and may
/// give up.
///
/// # Errors
/// See [`ExportError`]; the file is then as it was before.
pub fn write(
    request: &ExportRequest,
    meta: &ExportMeta,
    lines: &dyn Lines,
    progress: &mut Progress<'_>,
) -> Result<Written, ExportError> {
    if let Some(name) = request.redact.iter().find(|n| !field::ALL.contains(&n.as_str())) {
        return Err(ExportError::UnknownField(name.clone()));
    }
    let out = file::Whole::create(&request.out)?;
    let count = Selection::counts(request);
    let readings = 1 + u64::from(count);
    let mut progress = Steps { done: 0, total: meta.size() * readings, tell: progress };
    let progress = &mut progress;
    let mut selection = Selection::new(&request.filter, count, meta.size(), lines, progress)?;
    let more = match request.format {
        ExportFormat::Bundle => {
            bundle::write(request, meta, lines, &mut selection, &out, progress)?;
            Vec::new()
        }
        _ => table::write(request, meta, lines, &mut selection, &out, progress)?,
    };
    let mut files = vec![request.out.clone()];
    for part in more {
        files.push(part.commit()?);
    }
    out.commit()?;
    Ok(Written { lines: selection.selected, files })
}

/// Whether `redact` leaves out the field `name`. An entry's id goes with its path:
/// it would tell which lines are about one entry.
fn hides(redact: &[String], name: &str) -> bool {
    redact.iter().any(|r| {
        r == name
            || (name == field::ENTRY_ID && (r == field::ENTRY || r == field::CLIENT))
            || (name == field::RULE && r == field::CLIENT)
    })
}

/// Fields in which the values of a redacted one may be read too and that are not
/// redacted themselves: the client's name begins each entry's path, an error's
/// words name the host.
pub fn still_readable(redact: &[String]) -> Vec<(&str, Vec<&'static str>)> {
    let hidden = |name: &str| redact.iter().any(|r| r == name);
    let also = |name: &str| -> &'static [&'static str] {
        match name {
            field::CLIENT => &[field::ENTRY, field::SUBJECT, field::DETAIL],
            field::ENTRY => &[field::DETAIL],
            field::HOST => &[field::HOST_KEY, field::HOPS, field::ENTRY, field::DETAIL],
            field::MEMBER => &[field::SUBJECT, field::DETAIL],
            field::SUBJECT => &[field::MEMBER, field::DETAIL],
            field::REMOTE_USER => &[field::HOPS, field::DETAIL],
            _ => &[],
        }
    };
    redact
        .iter()
        .map(|name| {
            let open = also(name).iter().copied().filter(|other| !hidden(other));
            (name.as_str(), open.collect::<Vec<_>>())
        })
        .filter(|(_, open)| !open.is_empty())
        .collect()
}

/// A verification as the screens show it; `name` knows what members are called.
pub fn verified(
    summary: &Summary,
    faults: Vec<Bi>,
    name: impl Fn(&MemberId) -> Option<String>,
) -> Verified {
    let mut notes = Vec::new();
    // Behind a fault they would mislead: nothing after it could be checked.
    let whole = faults.is_empty();
    let tail = summary.lines.saturating_sub(summary.signed);
    if whole && tail > 0 {
        notes.push(match tail {
            1 => Bi::new(
                "La dernière ligne n’est pas encore signée.",
                "The last line is not signed yet.",
            ),
            _ => Bi::new(
                format!("Les {tail} dernières lignes ne sont pas encore signées."),
                format!("The last {tail} lines are not signed yet."),
            ),
        });
    }
    for id in summary.unsigned_authors.iter().filter(|_| whole) {
        let who = name(id).unwrap_or_else(|| id.to_string());
        notes.push(Bi::new(
            format!("Le membre {who} n’a pas encore signé ses dernières lignes."),
            format!("Member {who} has not signed their last lines yet."),
        ));
    }
    Verified {
        lines: summary.lines,
        signed: summary.signed,
        shown: 0,
        disclosed: 0,
        redacted: 0,
        fingerprint: summary.fingerprint.clone(),
        root: hash::base64(&summary.root),
        origin_proven: false,
        faults,
        notes,
    }
}

/// How far an export is.
struct Steps<'a, 'b> {
    done: u64,
    total: u64,
    tell: &'a mut Progress<'b>,
}

impl Steps<'_, '_> {
    /// One line more was read; tells every thousand.
    fn step(&mut self) -> Result<(), ExportError> {
        self.done += 1;
        if self.done.is_multiple_of(1000) { self.tell() } else { Ok(()) }
    }

    fn tell(&mut self) -> Result<(), ExportError> {
        let total = self.total.max(self.done);
        if (self.tell)(self.done, total) { Ok(()) } else { Err(ExportError::Cancelled) }
    }
}
