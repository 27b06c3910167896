//! One thread reads lines, several open and format them, one block after another
//! each, and what they made is written in the log's order: all cores share an
//! export. What was made too early is put aside, so nobody waits for a slower one.
//! A few blocks are under way at once, never more, so memory does not depend on
//! the log.

use std::any::Any;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, available_parallelism};

use super::{ExportError, Lines, Opener, Steps};
use crate::audit::hash::{self, Hash};
use crate::audit::line::Stored;
use crate::vault::rows::AuditSlices;

/// Bytes of a block, about.
const BLOCK: usize = 256 * 1024;
/// Threads that open and format, at most: one reader does not feed more.
const MOST_WORKERS: usize = 4;

/// An opened line.
pub struct Opened<'a> {
    /// Its place, from 0.
    pub seq: u64,
    /// The line.
    pub line: Stored<'a>,
    /// [`hash::leaf`] of its text.
    pub hash: Hash,
}

/// Formats one line into what its worker gathers.
pub type Work<'a, T> = dyn Fn(&Opened<'_>, &mut T) -> Result<(), ExportError> + Sync + 'a;
/// Writes what one block became and empties it.
pub type Sink<'a, T> = dyn FnMut(&mut T) -> Result<(), ExportError> + Send + 'a;

/// Lines one after another, as their source has them.
#[derive(Default)]
struct Block {
    /// Which block it is, from 0.
    number: u64,
    /// Place of its first line.
    first: u64,
    bytes: Vec<u8>,
    lines: Vec<Place>,
}

/// Where a line lies in its block.
struct Place {
    seq: u64,
    key: u64,
    n: u64,
    leaf_end: usize,
    end: usize,
}

impl Block {
    fn put(&mut self, row: &AuditSlices<'_>) {
        self.bytes.extend_from_slice(row.leaf);
        let leaf_end = self.bytes.len();
        self.bytes.extend_from_slice(row.opening);
        let end = self.bytes.len();
        self.lines.push(Place { seq: row.seq, key: row.key, n: row.n, leaf_end, end });
    }

    fn each<T>(
        &self,
        opener: &dyn Opener,
        room: &mut Room,
        work: &Work<'_, T>,
        made: &mut T,
    ) -> Result<(), ExportError> {
        let mut start = 0;
        for (seq, place) in (self.first..).zip(&self.lines) {
            let Place { seq: stated, key, n, leaf_end, end } = *place;
            let (leaf, opening) = (&self.bytes[start..leaf_end], &self.bytes[leaf_end..end]);
            let values = opener.open(&AuditSlices { seq: stated, key, n, leaf, opening }, room)?;
            let Room { packed, leaf, opening } = &*room;
            let line = Stored { seq: stated, packed, leaf, opening: values.then_some(opening) };
            work(&Opened { seq, line, hash: hash::leaf(leaf) }, made)?;
            start = end;
        }
        Ok(())
    }
}

/// What a line is opened into, used again for each.
#[derive(Default)]
pub struct Room {
    /// The line as [`crate::audit::packed::pack`] makes it.
    pub packed: Vec<u8>,
    /// Its text.
    pub leaf: Vec<u8>,
    /// Its values.
    pub opening: Vec<u8>,
}

/// What a block became.
struct Made<T> {
    block: Block,
    formatted: Formatted,
    made: T,
}

/// How formatting went, a panic included.
type Formatted = Result<Result<(), ExportError>, Box<dyn Any + Send>>;

/// Which block is written next, what waits for that, and how it went so far.
struct Turn<'a, 's, T> {
    next: u64,
    early: BTreeMap<u64, Made<T>>,
    /// Rooms that were written and emptied.
    spare: Vec<T>,
    sink: &'s mut Sink<'a, T>,
    done: Result<(), ExportError>,
    panic: Option<Box<dyn Any + Send>>,
}

impl<T> Turn<'_, '_, T> {
    fn stopped(&self) -> bool {
        self.done.is_err() || self.panic.is_some()
    }

    /// Takes what a block became, and writes all whose turn it is now; their
    /// blocks go back to the reader.
    fn put(&mut self, made: Made<T>, used: &Sender<Block>) {
        self.early.insert(made.block.number, made);
        while !self.stopped()
            && let Some(Made { block, formatted, mut made }) = self.early.remove(&self.next)
        {
            let written = catch_unwind(AssertUnwindSafe(|| {
                formatted.unwrap_or_else(|panic| resume_unwind(panic))?;
                (self.sink)(&mut made)
            }));
            match written {
                Ok(done) => self.done = done,
                Err(panic) => self.panic = Some(panic),
            }
            self.next += 1;
            self.spare.push(made);
            give_back(block, used);
        }
        if self.stopped() {
            // The reader may be waiting for one, and is to hear that nobody reads on.
            std::mem::take(&mut self.early)
                .into_values()
                .for_each(|made| give_back(made.block, used));
        }
    }
}

/// Hands an emptied block to the reader, if there still is one.
fn give_back(mut block: Block, used: &Sender<Block>) {
    block.bytes.clear();
    block.lines.clear();
    let _ = used.send(block);
}

/// Reads all of `lines`; `work` is called for each on some thread, `sink` for what
/// each block became, in order. `progress` is told of each line read.
///
/// # Errors
/// The first one in the order of the lines.
pub fn each<T: Default + Send>(
    lines: &dyn Lines,
    progress: &mut Steps<'_, '_>,
    work: &Work<'_, T>,
    sink: &mut Sink<'_, T>,
) -> Result<(), ExportError> {
    let workers = available_parallelism().map_or(1, NonZero::get).min(MOST_WORKERS);
    let (early, spare) = (BTreeMap::new(), Vec::new());
    let turn = Mutex::new(Turn { next: 0, early, spare, sink, done: Ok(()), panic: None });
    let opener = lines.opener();
    let read = std::thread::scope(|scope| {
        let (full, queue) = sync_channel::<Block>(workers);
        let (used, empty) = channel::<Block>();
        let queue = std::sync::Arc::new(Mutex::new(queue));
        for n in 0..workers {
            let (queue, used, turn) = (queue.clone(), used.clone(), &turn);
            let worker = move || work_off(&queue, &used, turn, opener, work);
            let started = Builder::new().name("export".to_owned()).spawn_scoped(scope, worker);
            if let (0, Err(e)) = (n, started) {
                return Err(ExportError::Document(e.to_string()));
            }
        }
        drop((queue, used));
        feed(lines, progress, 2 * workers + 2, &full, &empty)
    });
    let turn = turn.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(panic) = turn.panic {
        resume_unwind(panic);
    }
    turn.done.and(read)
}

/// Reads lines into blocks, of which there are `most`.
fn feed(
    lines: &dyn Lines,
    progress: &mut Steps<'_, '_>,
    most: usize,
    full: &std::sync::mpsc::SyncSender<Block>,
    empty: &Receiver<Block>,
) -> Result<(), ExportError> {
    // Workers that are gone say themselves why.
    let stopped = || ExportError::Cancelled;
    let (mut block, mut made, mut seq) = (Block::default(), 1, 0);
    lines.each(&mut |row| {
        progress.step()?;
        block.put(row);
        seq += 1;
        if block.bytes.len() < BLOCK {
            return Ok(());
        }
        let mut next = if made < most {
            made += 1;
            Block::default()
        } else {
            empty.recv().map_err(|_| stopped())?
        };
        (next.number, next.first) = (block.number + 1, seq);
        full.send(std::mem::replace(&mut block, next)).map_err(|_| stopped())
    })?;
    full.send(block).map_err(|_| stopped())
}

/// What one worker does until there is nothing more, or something failed.
fn work_off<T: Default>(
    queue: &Mutex<Receiver<Block>>,
    used: &Sender<Block>,
    turn: &Mutex<Turn<'_, '_, T>>,
    opener: &dyn Opener,
    work: &Work<'_, T>,
) {
    let (mut made, mut room) = (T::default(), Room::default());
    loop {
        let next = lock(queue).recv();
        let Ok(block) = next else { return };
        let formatted =
            catch_unwind(AssertUnwindSafe(|| block.each(opener, &mut room, work, &mut made)));
        let mut turn = lock(turn);
        turn.put(Made { block, formatted, made }, used);
        if turn.stopped() {
            return;
        }
        made = turn.spare.pop().unwrap_or_default();
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: u64 = 4_000;

    /// Lines of a kilobyte: many blocks.
    struct Long;

    impl Lines for Long {
        fn each(&self, take: &mut super::super::Take<'_>) -> Result<(), ExportError> {
            let leaf = [b'x'; 1024];
            (0..LINES).try_for_each(|seq| {
                take(&AuditSlices { seq, key: 0, n: 0, leaf: &leaf, opening: &[] })
            })
        }

        fn opener(&self) -> &dyn Opener {
            &Open
        }
    }

    struct Open;

    impl Opener for Open {
        fn open(&self, _: &AuditSlices<'_>, _: &mut Room) -> Result<bool, ExportError> {
            Ok(false)
        }
    }

    /// What came out, and how it ended, when `work` has its say about each line.
    fn run(work: &Work<'_, Vec<u64>>) -> (Vec<u64>, Result<(), ExportError>) {
        let mut written = Vec::new();
        let mut tell = |_, _| true;
        let mut steps = Steps { done: 0, total: LINES, tell: &mut tell };
        let done = each(&Long, &mut steps, work, &mut |made: &mut Vec<u64>| {
            written.append(made);
            Ok(())
        });
        (written, done)
    }

    /// Waits until a second thread has gone far ahead, then lets the first go on.
    fn held_back(seq: u64, far: &(Mutex<u64>, std::sync::Condvar)) {
        let (most, moved) = far;
        let mut most = lock(most);
        if seq > 600 && *most < seq {
            *most = seq;
            moved.notify_all();
        }
        while seq == 0 && *most < 900 && available_parallelism().is_ok_and(|n| n.get() > 1) {
            most = moved.wait(most).unwrap_or_else(PoisonError::into_inner);
        }
    }

    #[test]
    fn what_is_made_early_waits_for_its_turn() {
        let far = (Mutex::new(0), std::sync::Condvar::new());
        let (written, done) = run(&|line, made| {
            held_back(line.seq, &far);
            made.push(line.seq);
            Ok(())
        });
        done.expect("nothing fails");
        assert!(written.into_iter().eq(0..LINES));
    }

    #[test]
    fn a_failure_ends_the_export_although_others_are_ahead() {
        let far = (Mutex::new(0), std::sync::Condvar::new());
        let (written, done) = run(&|line, made| {
            held_back(line.seq, &far);
            made.push(line.seq);
            if line.seq == 0 { Err(ExportError::Document("the first".to_owned())) } else { Ok(()) }
        });
        assert!(matches!(done, Err(ExportError::Document(text)) if text == "the first"));
        assert!(written.is_empty());
    }
}
