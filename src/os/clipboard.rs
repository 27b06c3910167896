//! Secrets on the clipboard of the desktop: marked so that clipboard managers
//! leave them out of their history, and taken back after a while if they are
//! still there. Never puts back or reads out what somebody else copied.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroize;

use crate::secret::SecretText;

/// Learns once whether a secret is on the clipboard. Dropped without an answer it
/// learns that none is: a job may still reach the queue of a thread that is about
/// to end.
struct Told(Option<Box<dyn FnOnce(bool) + Send>>);

impl Told {
    fn tell(mut self, done: bool) {
        if let Some(told) = self.0.take() {
            told(done);
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(told) = self.0.take() {
            told(false);
        }
    }
}

enum Job {
    Put(SecretText, Duration, Told),
    TakeBack,
    End(Sender<()>),
}

/// The clipboard, served by a thread that starts with the first secret. When
/// it is dropped, a secret still there is taken back.
#[derive(Default)]
pub struct SecretClipboard {
    jobs: Option<Sender<Job>>,
}

impl SecretClipboard {
    /// Offers `text` for at most `keep`; `told` learns, from another thread,
    /// whether the desktop took it.
    pub fn put(
        &mut self,
        text: SecretText,
        keep: Duration,
        told: impl FnOnce(bool) + Send + 'static,
    ) {
        let job = Job::Put(text, keep, Told(Some(Box::new(told))));
        let job = match &self.jobs {
            Some(jobs) => match jobs.send(job) {
                Ok(()) => return,
                Err(back) => back.0,
            },
            None => job,
        };
        let (jobs, queue) = channel();
        let started =
            thread::Builder::new().name("poterne-clip".to_owned()).spawn(move || serve(&queue));
        match started {
            Ok(_) => {
                drop(jobs.send(job));
                self.jobs = Some(jobs);
            }
            Err(_) => drop(job),
        }
    }

    /// Takes a secret of ours back now, as at lock.
    pub fn take_back(&self) {
        if let Some(jobs) = &self.jobs {
            drop(jobs.send(Job::TakeBack));
        }
    }
}

impl Drop for SecretClipboard {
    fn drop(&mut self) {
        if let Some(jobs) = self.jobs.take() {
            let (done, wait) = channel();
            if jobs.send(Job::End(done)).is_ok() {
                // A desktop that hangs must not keep the process alive.
                let _ = wait.recv_timeout(Duration::from_secs(2));
            }
        }
    }
}

/// What is on the clipboard because of us, and until when.
struct Held {
    text: SecretText,
    until: Instant,
}

fn serve(queue: &Receiver<Job>) {
    let Ok(mut board) = arboard::Clipboard::new() else {
        // What waits learns it with the end of the queue; the next secret starts
        // another thread, which tries again.
        return;
    };
    let mut held: Option<Held> = None;
    loop {
        let job = match &held {
            Some(h) => queue.recv_timeout(h.until.saturating_duration_since(Instant::now())),
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match job {
            Ok(Job::Put(text, keep, told)) => {
                let done = put(&mut board, &text);
                if done {
                    held = Some(Held { text, until: Instant::now() + keep });
                }
                told.tell(done);
            }
            Ok(Job::TakeBack) | Err(RecvTimeoutError::Timeout) => {
                take_back(&mut board, held.take());
            }
            Ok(Job::End(done)) => {
                take_back(&mut board, held.take());
                // Only then, or the next one would be served by what ends here.
                drop(board);
                let _ = done.send(());
                return;
            }
            Err(RecvTimeoutError::Disconnected) => {
                take_back(&mut board, held.take());
                return;
            }
        }
    }
}

fn put(board: &mut arboard::Clipboard, text: &SecretText) -> bool {
    let set = board.set();
    #[cfg(target_os = "linux")]
    let set = {
        use arboard::SetExtLinux;
        set.exclude_from_history()
    };
    #[cfg(windows)]
    let set = {
        use arboard::SetExtWindows;
        set.exclude_from_history().exclude_from_cloud().exclude_from_monitoring()
    };
    #[cfg(target_os = "macos")]
    let set = {
        use arboard::SetExtApple;
        set.exclude_from_history()
    };
    text.expose(|t| set.text(t.to_owned())).is_ok()
}

fn take_back(board: &mut arboard::Clipboard, held: Option<Held>) {
    let Some(held) = held else { return };
    let Ok(mut now) = board.get_text() else { return };
    if held.text.expose(|t| t == now) {
        // An empty text first: some desktops keep the old one on a bare clear.
        drop(board.set_text(String::new()));
        drop(board.clear());
    }
    now.zeroize();
}
