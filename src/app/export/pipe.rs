//! One thread reads lines, several open and format them, one block after another
//! each, and what they made is written in the log's order: all cores share an
//! export. A few blocks are under way at once, never more, so memory does not
//! depend on the log.

use std::any::Any;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
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

/// Whose turn it is to write, and how it went so far.
struct Turn<'a, 's, T> {
    next: u64,
    sink: &'s mut Sink<'a, T>,
    done: Result<(), ExportError>,
    panic: Option<Box<dyn Any + Send>>,
}

impl<T> Turn<'_, '_, T> {
    fn stopped(&self) -> bool {
        self.done.is_err() || self.panic.is_some()
    }
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
    let turn = Mutex::new(Turn { next: 0, sink, done: Ok(()), panic: None });
    let (ready, opener) = (Condvar::new(), lines.opener());
    let read = std::thread::scope(|scope| {
        let (full, queue) = sync_channel::<Block>(workers);
        let (used, empty) = channel::<Block>();
        let queue = std::sync::Arc::new(Mutex::new(queue));
        for n in 0..workers {
            let (queue, used, turn, ready) = (queue.clone(), used.clone(), &turn, &ready);
            let worker = move || work_off(&queue, &used, turn, ready, opener, work);
            let started = Builder::new().name("export".to_owned()).spawn_scoped(scope, worker);
            if let (0, Err(e)) = (n, started) {
                return Err(ExportError::Document(e.to_string()));
            }
        }
        drop((queue, used));
        feed(lines, progress, workers + 2, &full, &empty)
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
    ready: &Condvar,
    opener: &dyn Opener,
    work: &Work<'_, T>,
) {
    let (mut made, mut room) = (T::default(), Room::default());
    loop {
        let next = lock(queue).recv();
        let Ok(mut block) = next else { return };
        let formatted =
            catch_unwind(AssertUnwindSafe(|| block.each(opener, &mut room, work, &mut made)));
        let mut turn = lock(turn);
        while turn.next != block.number && !turn.stopped() {
            turn = ready.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        if turn.stopped() {
            return;
        }
        let written = catch_unwind(AssertUnwindSafe(|| {
            formatted.unwrap_or_else(|panic| resume_unwind(panic))?;
            (turn.sink)(&mut made)
        }));
        match written {
            Ok(done) => turn.done = done,
            Err(panic) => turn.panic = Some(panic),
        }
        turn.next += 1;
        let stopped = turn.stopped();
        drop(turn);
        ready.notify_all();
        if stopped {
            return;
        }
        block.bytes.clear();
        block.lines.clear();
        let _ = used.send(block);
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
