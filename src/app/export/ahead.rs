//! Writes a long file and has what is written brought to the disk meanwhile, by a
//! thread of its own, so that the last wait for the disk is short. Whether all is
//! on the disk it does not say: who puts the file in its place still asks for that.

use std::fs::File;
use std::io::{self, Error, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Bytes between two wishes: long enough for a disk to be busy with.
const STEP: usize = 8 * 1024 * 1024;

/// A file that is written from its present end.
pub struct Ahead<'a> {
    file: &'a File,
    /// Bytes since the last wish.
    since: usize,
    helper: Option<(SyncSender<()>, JoinHandle<io::Result<()>>)>,
}

impl<'a> Ahead<'a> {
    /// Where no thread can be had, all waiting is left to the end.
    pub fn new(file: &'a File) -> Self {
        let helper = file.try_clone().ok().and_then(|file| {
            let (wish, wishes) = sync_channel(1);
            let work = move || bring(&file, &wishes);
            Some((wish, Builder::new().name("to the disk".to_owned()).spawn(work).ok()?))
        });
        Self { file, since: 0, helper }
    }

    /// Ends the thread.
    ///
    /// # Errors
    /// What the disk did not take. A system says that once for a file (fsync(2)), so
    /// that a later call would not hear of it again.
    pub fn finish(mut self) -> io::Result<()> {
        self.end().unwrap_or(Ok(()))
    }

    fn end(&mut self) -> Option<io::Result<()>> {
        let (wish, thread) = self.helper.take()?;
        drop(wish);
        Some(thread.join().unwrap_or_else(|_| Err(Error::other("the thread ended"))))
    }
}

/// Brings the file to the disk at each wish, until there are no more or it fails.
fn bring(file: &File, wishes: &Receiver<()>) -> io::Result<()> {
    wishes.iter().try_for_each(|()| file.sync_data())
}

impl Write for Ahead<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.since += written;
        if self.since >= STEP
            && let Some((wish, thread)) = &self.helper
        {
            if thread.is_finished() {
                self.end().unwrap_or(Ok(()))?;
            } else if wish.try_send(()).is_ok() {
                self.since = 0;
            }
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Ahead<'_> {
    fn drop(&mut self) {
        // Nobody may be writing to the file once it is given up.
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    #[test]
    fn every_byte_is_there_and_the_thread_is_gone() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        let block: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
        let mut ahead = Ahead::new(&file);
        for _ in 0..20 {
            ahead.write_all(&block).expect("there is room");
        }
        ahead.finish().expect("the disk takes it");
        let mut found = Vec::new();
        file.rewind().expect("a file");
        file.read_to_end(&mut found).expect("readable");
        assert_eq!(found.len(), 20 << 20);
        assert!(found.chunks(1 << 20).all(|part| part == block));
    }

    #[cfg(unix)]
    #[test]
    fn what_the_disk_refused_meanwhile_is_told() {
        // Bringing to a disk is nothing a pipe can do; writing is.
        let (reading, writing) = io::pipe().expect("a pipe");
        let file = File::from(std::os::fd::OwnedFd::from(writing));
        let reader = Builder::new().spawn(move || io::copy(&mut { reading }, &mut io::sink()));
        let reader = reader.expect("a thread");
        let mut ahead = Ahead::new(&file);
        let wrote = (0..3).try_for_each(|_| ahead.write_all(&vec![0; STEP]));
        assert!(wrote.and_then(|()| ahead.finish()).is_err());
        drop(file);
        reader.join().expect("it ends").expect("it read to the end");
    }
}
