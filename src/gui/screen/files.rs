//! Files between the clipboard of a desktop and this machine: a thread saves what was
//! copied there into a folder that the person chose, another reads what the person
//! dropped when the far side wants it. Each piece is asked for when the one before is
//! written, so that nothing piles up. Paints nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crate::app::text;
use crate::connect::files::{CopiedFile, FilesSaid, FilesTold, PIECE_MAX, Piece, Want};
use crate::model::lang::Bi;

use super::disk::{Dropped, Landing};

/// How long the far side may take for a piece.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the person waits at most after a word to stop.
const STEP: Duration = Duration::from_millis(200);
/// Pieces that the far side may want at once.
const WANTS: usize = 64;

/// Tickets, so that no late answer is taken for another.
static TICKETS: AtomicU32 = AtomicU32::new(1);

/// Tells the far side something; false when it is gone.
pub type Tell = Arc<dyn Fn(FilesTold) -> bool + Send + Sync>;

/// What there is to do and to tell.
#[derive(Default)]
pub struct Files(Mutex<State>);

#[derive(Default)]
struct State {
    copied: Arc<Vec<CopiedFile>>,
    saving: Option<Saving>,
    wants: Option<SyncSender<Want>>,
    takes: bool,
    news: Option<News>,
}

struct Saving {
    /// `None` when what was copied there is not there any more.
    pieces: Option<SyncSender<Piece>>,
    stop: Arc<AtomicBool>,
    progress: Progress,
}

/// How far saving is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Files and folders that are saved.
    pub done: usize,
    /// Of so many.
    pub of: usize,
    /// Bytes that were written.
    pub bytes: u64,
}

/// What became of files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News {
    /// In words.
    pub words: Bi,
    /// It did not work.
    pub bad: bool,
}

impl News {
    fn good(fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { words: Bi::new(fr, en), bad: false }
    }

    fn bad(fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { words: Bi::new(fr, en), bad: true }
    }
}

impl State {
    /// What is being saved is not on the far side's clipboard any more: saving ends as if
    /// it had been gone.
    fn lose(&mut self) {
        if let Some(saving) = &mut self.saving {
            saving.pieces = None;
        }
    }
}

impl Files {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The far side says this; `tell` answers it.
    pub fn said(&self, said: FilesSaid, tell: impl Fn(FilesTold)) {
        let mut state = self.state();
        match said {
            // What is asked for from now on would be of other files under the same numbers.
            FilesSaid::Copied(files) => {
                state.news = None;
                state.copied = Arc::new(files);
                state.lose();
            }
            FilesSaid::Refused => {
                state.copied = Arc::default();
                state.lose();
                state.news = Some(News::bad(
                    "Des fichiers copiés là-bas ont des noms trompeurs ou qui sortiraient du \
                     dossier choisi, ou sont trop nombreux\u{a0}: ils sont refusés.",
                    "Files that were copied there have names that mislead or would leave the \
                     chosen folder, or are too many: they are refused.",
                ));
            }
            FilesSaid::Piece(piece) => {
                if let Some(pieces) = state.saving.as_ref().and_then(|s| s.pieces.as_ref()) {
                    let _ = pieces.try_send(piece);
                }
            }
            FilesSaid::Want(want) => {
                let taken = state.wants.as_ref().is_some_and(|wants| wants.try_send(want).is_ok());
                drop(state);
                if !taken {
                    tell(FilesTold::Piece(Piece { ticket: want.ticket, bytes: None }));
                }
            }
        }
    }

    /// Files and folders that are on the far side's clipboard.
    pub fn copied(&self) -> usize {
        self.state().copied.len()
    }

    /// How far saving is, while it goes on.
    pub fn progress(&self) -> Option<Progress> {
        self.state().saving.as_ref().map(|saving| saving.progress)
    }

    /// What became of the last ones.
    pub fn news(&self) -> Option<News> {
        self.state().news.clone()
    }

    /// The person has read it.
    pub fn forget_news(&self) {
        self.state().news = None;
    }

    /// Saving ends where it is.
    pub fn stop(&self) {
        if let Some(saving) = &self.state().saving {
            saving.stop.store(true, Ordering::Release);
        }
    }

    /// Saves what is copied there into a folder.
    pub fn save(self: &Arc<Self>, into: PathBuf, tell: Tell, changed: impl Fn() + Send + 'static) {
        let (pieces, came) = sync_channel(4);
        let stop = Arc::<AtomicBool>::default();
        let files = {
            let mut state = self.state();
            if state.saving.is_some() || state.copied.is_empty() {
                return;
            }
            state.news = None;
            let progress = Progress { of: state.copied.len(), ..Progress::default() };
            state.saving = Some(Saving { pieces: Some(pieces), stop: Arc::clone(&stop), progress });
            Arc::clone(&state.copied)
        };
        let all = Arc::clone(self);
        let work = move || {
            let step = |progress| {
                if let Some(saving) = &mut all.state().saving {
                    saving.progress = progress;
                }
                changed();
            };
            let job = Job { files: &files, into: &into, tell, came, stop };
            let news = job.run(step);
            let mut state = all.state();
            (state.saving, state.news) = (None, Some(news));
            drop(state);
            changed();
        };
        if let Err(e) = Builder::new().name("saving".to_owned()).spawn(work) {
            let mut state = self.state();
            (state.saving, state.news) = (None, Some(failed(&e)));
        }
    }

    /// Offers what was dropped to the far side.
    pub fn offer(
        self: &Arc<Self>,
        paths: Vec<PathBuf>,
        tell: Tell,
        changed: impl Fn() + Send + 'static,
    ) {
        let (wants, wanted) = sync_channel(WANTS);
        let all = Arc::clone(self);
        let work = move || {
            let mut dropped = match Dropped::look(&paths) {
                Ok(dropped) => dropped,
                Err(e) => {
                    all.state().news = Some(not_offered(&e));
                    changed();
                    return;
                }
            };
            let count = dropped.files.iter().filter(|file| !file.folder).count();
            {
                // What was offered before ends with its way to be asked for.
                let mut state = all.state();
                state.wants = Some(wants);
                state.news = Some(News::good(
                    format!("Fichiers à coller là-bas\u{a0}: {count}. Collez-les sur le bureau."),
                    format!("Files to paste there: {count}. Paste them on the desktop."),
                ));
            }
            drop(all);
            changed();
            if !tell(FilesTold::Offer(dropped.files.clone())) {
                return;
            }
            for want in wanted {
                let bytes = dropped.read(want).ok();
                if !tell(FilesTold::Piece(Piece { ticket: want.ticket, bytes })) {
                    return;
                }
            }
        };
        if let Err(e) = Builder::new().name("giving".to_owned()).spawn(work) {
            self.state().news = Some(not_offered(&e));
        }
    }

    /// Whether what is dropped may go there.
    pub fn set_takes(&self, takes: bool) {
        self.state().takes = takes;
    }

    /// As [`Files::set_takes`] said.
    pub fn takes(&self) -> bool {
        self.state().takes
    }

    /// Files were dropped that the entry keeps from going there.
    pub fn refuse(&self) {
        self.state().news = Some(News::bad(
            "Le réglage «\u{a0}clipboard\u{a0}» de cette entrée ne laisse rien aller vers ce bureau.",
            "“clipboard” of this entry lets nothing go to this desktop.",
        ));
    }

    /// The connection is over: nobody waits any more.
    pub fn end(&self) {
        let mut state = self.state();
        (state.copied, state.saving, state.wants) = (Arc::default(), None, None);
    }
}

/// Why a piece did not come.
enum Lost {
    Stopped,
    There,
    Here(io::Error),
}

impl From<io::Error> for Lost {
    fn from(e: io::Error) -> Self {
        Self::Here(e)
    }
}

/// Saving some files.
struct Job<'a> {
    files: &'a [CopiedFile],
    into: &'a Path,
    tell: Tell,
    came: Receiver<Piece>,
    stop: Arc<AtomicBool>,
}

impl Job<'_> {
    fn run(&self, step: impl Fn(Progress)) -> News {
        let mut progress = Progress { of: self.files.len(), ..Progress::default() };
        let mut landing = Landing::new(self.into);
        for (index, file) in self.files.iter().enumerate() {
            let saved = if !file.stays() {
                Err(Lost::Here(io::ErrorKind::InvalidFilename.into()))
            } else if file.folder {
                landing.folder(&file.path).map(drop).map_err(Lost::Here)
            } else {
                self.file(index, file, &mut landing, |bytes| {
                    progress.bytes += bytes;
                    step(progress);
                })
            };
            match saved {
                Ok(()) => progress.done += 1,
                Err(lost) => return self.lost(lost, file, progress),
            }
            step(progress);
        }
        let (count, folder) = (progress.done, self.into.display());
        News::good(
            format!("Enregistré dans {folder}\u{a0}: {count}."),
            format!("Saved in {folder}: {count}."),
        )
    }

    fn file(
        &self,
        index: usize,
        file: &CopiedFile,
        landing: &mut Landing,
        mut wrote: impl FnMut(u64),
    ) -> Result<(), Lost> {
        let mut out = landing.file(&file.path)?;
        let mut offset = 0u64;
        loop {
            let left = file.size.map_or(u64::from(PIECE_MAX), |size| size.saturating_sub(offset));
            let length = u32::try_from(left).unwrap_or(PIECE_MAX).min(PIECE_MAX);
            if length == 0 {
                break;
            }
            let ticket = TICKETS.fetch_add(1, Ordering::Relaxed);
            let index = u32::try_from(index).map_err(io::Error::other)?;
            let want = Want { ticket, index, offset, length };
            let bytes = self.piece(want)?;
            if bytes.len() > length as usize {
                return Err(Lost::There);
            }
            out.write(&bytes)?;
            offset += bytes.len() as u64;
            wrote(bytes.len() as u64);
            match file.size {
                // The file ends where its size is not known.
                None if bytes.len() < length as usize => break,
                // It has become shorter there.
                Some(_) if bytes.is_empty() => return Err(Lost::There),
                _ => {}
            }
        }
        out.keep()?;
        Ok(())
    }

    fn piece(&self, want: Want) -> Result<Vec<u8>, Lost> {
        if self.stop.load(Ordering::Acquire) {
            return Err(Lost::Stopped);
        }
        if !(self.tell)(FilesTold::Want(want)) {
            return Err(Lost::There);
        }
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.came.recv_timeout(left.min(STEP)) {
                Ok(piece) if piece.ticket == want.ticket => {
                    return piece.bytes.ok_or(Lost::There);
                }
                Err(RecvTimeoutError::Disconnected) => return Err(Lost::There),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(Lost::There),
                // One of an attempt that was given up is not for this file.
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            }
            if self.stop.load(Ordering::Acquire) {
                return Err(Lost::Stopped);
            }
        }
    }

    fn lost(&self, lost: Lost, file: &CopiedFile, progress: Progress) -> News {
        let (name, done, of) = (file.path.join("/"), progress.done, progress.of);
        match lost {
            Lost::Stopped => News::good(
                format!("Arrêté\u{a0}: {done} sur {of} enregistrés."),
                format!("Stopped: {done} of {of} saved."),
            ),
            Lost::There => News::bad(
                format!(
                    "Le bureau n’a pas donné «\u{a0}{name}\u{a0}»\u{a0}: {done} sur {of} enregistrés. Copiez à nouveau là-bas."
                ),
                format!(
                    "The desktop did not give “{name}”: {done} of {of} saved. Copy again there."
                ),
            ),
            Lost::Here(e) => {
                let why = text::cause(&e);
                News::bad(
                    format!(
                        "«\u{a0}{name}\u{a0}» ne peut pas être enregistré\u{a0}: {}. Vérifiez le dossier et la place libre.",
                        why.fr
                    ),
                    format!(
                        "“{name}” cannot be saved: {}. Check the folder and the free space.",
                        why.en
                    ),
                )
            }
        }
    }
}

fn failed(e: &io::Error) -> News {
    let why = text::cause(e);
    News::bad(
        format!("L’enregistrement n’a pas commencé\u{a0}: {}. Réessayez.", why.fr),
        format!("Saving did not begin: {}. Try again.", why.en),
    )
}

fn not_offered(e: &io::Error) -> News {
    match e.kind() {
        io::ErrorKind::InvalidFilename => News::bad(
            "Un nom ne peut pas voyager (caractère invisible ou interdit sous Windows, ou trop long)\u{a0}: renommez, puis déposez à nouveau.",
            "A name cannot travel (a sign that is not seen or that Windows forbids, or too long): rename, then drop again.",
        ),
        io::ErrorKind::FileTooLarge => News::bad(
            "Trop de fichiers d’un coup\u{a0}: déposez-en moins, ou une archive.",
            "Too many files at once: drop fewer, or an archive.",
        ),
        _ => {
            let why = text::cause(e);
            News::bad(
                format!(
                    "Ce qui a été déposé ne peut pas être lu\u{a0}: {}. Vérifiez vos droits.",
                    why.fr
                ),
                format!("What was dropped cannot be read: {}. Check your rights.", why.en),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    fn copied(name: &str) -> FilesSaid {
        FilesSaid::Copied(vec![CopiedFile {
            path: vec![name.to_owned()],
            size: Some(4),
            folder: false,
        }])
    }

    /// Saves `a.txt` into a folder; what is told the far side and that something
    /// changed comes out.
    fn saving(files: &Arc<Files>, into: &Path) -> (Receiver<FilesTold>, Receiver<()>) {
        let (told, heard) = channel();
        let (changed, changes): (Sender<()>, _) = channel();
        files.said(copied("a.txt"), |_| {});
        let tell: Tell = Arc::new(move |what| told.send(what).is_ok());
        files.save(into.to_owned(), tell, move || {
            let _ = changed.send(());
        });
        (heard, changes)
    }

    fn wanted(heard: &Receiver<FilesTold>) -> Want {
        match heard.recv() {
            Ok(FilesTold::Want(want)) => want,
            other => panic!("a want, not {other:?}"),
        }
    }

    fn ended(files: &Files, changes: &Receiver<()>) -> News {
        while files.progress().is_some() {
            changes.recv().expect("it says when it ends");
        }
        files.news().expect("it says how it ended")
    }

    #[test]
    fn saving_takes_nothing_of_what_was_copied_since() {
        for other in [copied("b.txt"), FilesSaid::Copied(Vec::new()), FilesSaid::Refused] {
            let room = tempfile::tempdir().expect("a folder");
            let files = Arc::<Files>::default();
            let (heard, changes) = saving(&files, room.path());
            let ticket = wanted(&heard).ticket;
            files.said(other, |_| {});
            files.said(FilesSaid::Piece(Piece { ticket, bytes: Some(b"faux".to_vec()) }), |_| {});
            let news = ended(&files, &changes);
            assert!(news.bad && news.words.en.contains("a.txt"), "{}", news.words.en);
            assert!(std::fs::read_dir(room.path()).expect("ours").next().is_none());
        }
    }

    #[test]
    fn saving_stops_while_the_far_side_is_silent() {
        let room = tempfile::tempdir().expect("a folder");
        let files = Arc::<Files>::default();
        let (heard, changes) = saving(&files, room.path());
        wanted(&heard);
        files.stop();
        let news = ended(&files, &changes);
        assert!(!news.bad && news.words.en.starts_with("Stopped"), "{}", news.words.en);
        assert!(std::fs::read_dir(room.path()).expect("ours").next().is_none());
    }
}
