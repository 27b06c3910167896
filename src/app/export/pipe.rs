//! Reading, opening and hashing lines on one thread, checking, formatting and
//! writing them on another: two cores share an export. A few blocks of lines are under way at
//! once, never more, so memory does not depend on the log.

use std::sync::mpsc::{channel, sync_channel};
use std::thread::Builder;

use crate::audit::hash::{self, Hash};

use super::{ExportError, Lines, Steps};

/// Bytes of a block, about.
const BLOCK: usize = 256 * 1024;
/// Blocks under way.
const BLOCKS: usize = 4;

/// As [`Take`], on another thread, and with the leaf's hash.
pub type TakeThere<'a> =
    dyn FnMut(&[u8], &Hash, Option<&[u8]>) -> Result<(), ExportError> + Send + 'a;

/// Lines one after another.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    /// Where each leaf and its opening, if there is one, end; the leaf's hash.
    ends: Vec<(usize, Option<usize>, Hash)>,
}

impl Block {
    fn put(&mut self, leaf: &[u8], opening: Option<&[u8]>) {
        self.bytes.extend_from_slice(leaf);
        let leaf_end = self.bytes.len();
        self.bytes.extend_from_slice(opening.unwrap_or_default());
        let end = opening.map(|_| self.bytes.len());
        self.ends.push((leaf_end, end, hash::leaf(leaf)));
    }

    fn each(&self, take: &mut TakeThere<'_>) -> Result<(), ExportError> {
        let mut start = 0;
        for (leaf, opening, hash) in &self.ends {
            take(&self.bytes[start..*leaf], hash, opening.map(|end| &self.bytes[*leaf..end]))?;
            start = opening.unwrap_or(*leaf);
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// As [`Lines::each`], with `take` on a thread of its own; `progress` is told of
/// each line read.
pub fn each(
    lines: &mut dyn Lines,
    progress: &mut Steps<'_, '_>,
    take: &mut TakeThere<'_>,
) -> Result<(), ExportError> {
    std::thread::scope(|scope| {
        let (full, to_write) = sync_channel::<Block>(BLOCKS);
        let (done, empty) = channel::<Block>();
        let writer = Builder::new().name("export".to_owned()).spawn_scoped(scope, move || {
            for mut block in to_write {
                block.each(take)?;
                block.clear();
                let _ = done.send(block);
            }
            Ok(())
        });
        let writer = match writer {
            Ok(writer) => writer,
            Err(e) => return Err(ExportError::Document(e.to_string())),
        };
        let (mut block, mut made) = (Block::default(), 1);
        // A writer that is gone says itself why.
        let stopped = || ExportError::Cancelled;
        let read = lines
            .each(&mut |leaf, opening| {
                progress.step()?;
                block.put(leaf, opening);
                if block.bytes.len() < BLOCK {
                    return Ok(());
                }
                let next = if made < BLOCKS {
                    made += 1;
                    Block::default()
                } else {
                    empty.recv().map_err(|_| stopped())?
                };
                full.send(std::mem::replace(&mut block, next)).map_err(|_| stopped())
            })
            .and_then(|()| full.send(block).map_err(|_| stopped()));
        drop(full);
        let wrote = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        wrote.and(read)
    })
}
