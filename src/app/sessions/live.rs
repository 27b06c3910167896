//! A session that is open: its channels, what they carry, its end. Never writes
//! a line itself: it tells the worker, and nobody waits for that.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::app::OpenSession;
use crate::app::api::AppError;
use crate::app::worker::Job;
use crate::connect::Failure;
use crate::connect::files::{FilesSaid, FilesTold, Piece};
use crate::connect::link::{
    Channel, ChannelRequest, Exit, FromRemote, Link, LinkInfo, Sink, ToRemote, Tunnel,
};
use crate::connect::vpn::door::Passage;
use crate::connect::vpn::journal::Now;
use crate::model::id::SessionId;

use super::lines::word;
use super::{Ask, Closing, millis};

/// An open session.
pub(super) struct Live {
    id: SessionId,
    link: Arc<dyn Link>,
    /// Another session may use the link after this one.
    shared: bool,
    /// Another session opened the link.
    pub(super) reused: bool,
    started: Instant,
    jobs: Sender<Job>,
    noted: Arc<Noted>,
    closed: AtomicBool,
}

/// What a session's channels tell for its closing line.
#[derive(Default)]
struct Noted {
    exit: Mutex<String>,
    /// Why a channel ended before its time.
    cut: Mutex<String>,
    /// Channels that have not ended.
    open: AtomicUsize,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Noted {
    fn hear(&self, message: &FromRemote, over: &AtomicBool) {
        match message {
            FromRemote::Data(_)
            | FromRemote::Stderr(_)
            | FromRemote::Tile(_)
            | FromRemote::Lent(_)
            | FromRemote::Copy(_)
            | FromRemote::Screen(_)
            | FromRemote::Clipboard(_)
            | FromRemote::Resume(_) => {
                self.received.fetch_add(message.weight() as u64, Ordering::Relaxed);
            }
            FromRemote::Files(said) => {
                if let FilesSaid::Piece(Piece { bytes: Some(bytes), .. }) = said {
                    self.received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                }
            }
            FromRemote::Exit(how) => {
                *lock(&self.exit) = match how {
                    Exit::Status(n) => n.to_string(),
                    Exit::Signal(name) => format!("SIG{name}"),
                };
            }
            FromRemote::Closed(failure) => self.ended(failure.as_ref(), over),
        }
    }

    /// A channel ended, or did not open; `over` is its own, and counts it once.
    fn ended(&self, failure: Option<&Failure>, over: &AtomicBool) {
        if let Some(failure) = failure {
            self.because(format!("{}: {}", word(failure.kind), failure.what.en));
        }
        if !over.swap(true, Ordering::AcqRel) {
            self.open.fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn because(&self, why: String) {
        let mut cut = lock(&self.cut);
        if cut.is_empty() {
            *cut = why;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A channel that counts what is sent.
struct Counted {
    channel: Box<dyn Channel>,
    noted: Arc<Noted>,
    over: Arc<AtomicBool>,
}

impl Channel for Counted {
    fn send(&self, message: ToRemote) {
        match &message {
            ToRemote::Data(bytes) => {
                self.noted.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
            ToRemote::Files(FilesTold::Piece(Piece { bytes: Some(bytes), .. })) => {
                self.noted.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
            ToRemote::Close => self.noted.ended(None, &self.over),
            ToRemote::Eof
            | ToRemote::Resize(_)
            | ToRemote::Signal(_)
            | ToRemote::Screen(_)
            | ToRemote::Clipboard(_)
            | ToRemote::Files(_) => {}
        }
        self.channel.send(message);
    }

    fn backlog(&self) -> usize {
        self.channel.backlog()
    }
}

impl Live {
    pub(super) fn begin(
        jobs: &Sender<Job>,
        id: SessionId,
        link: Arc<dyn Link>,
        started: Instant,
        shared: bool,
    ) -> Self {
        // Nobody waits for this line: the opening one is stored already.
        let (answer, _) = mpsc::channel();
        let opened = Ask::Opened(id, Box::new(link.info()));
        let _ = jobs.send(Job::Session(Box::new(opened), answer));
        Self {
            id,
            link,
            shared,
            reused: false,
            started,
            jobs: jobs.clone(),
            noted: Arc::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// A way into the network of the VPN that this is.
    pub(super) fn passage(&self) -> std::io::Result<Passage> {
        let tunnel = self.link.tunnel().filter(|_| self.alive());
        tunnel.ok_or(std::io::ErrorKind::NotConnected)?.passage()
    }

    /// How the VPN that this is is now, while it is there.
    pub(super) fn tunnel_now(&self) -> Option<Now> {
        self.link.tunnel().filter(|_| self.alive()).map(Tunnel::now)
    }

    /// What it goes over.
    pub(super) fn link(&self) -> Arc<dyn Link> {
        Arc::clone(&self.link)
    }

    fn end(&self, why: &str) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        let noted = &self.noted;
        if noted.open.load(Ordering::Acquire) > 0 {
            noted.because(why.to_owned());
        }
        let (exit, detail) = (lock(&noted.exit).clone(), lock(&noted.cut).clone());
        // A VPN's own count is of what it carried, not of what was shown of it.
        let carried = self.link.tunnel().filter(|_| !self.reused).map(Tunnel::now);
        let (received, sent) = match carried {
            Some(now) => (now.received, now.sent),
            None => (noted.received.load(Ordering::Relaxed), noted.sent.load(Ordering::Relaxed)),
        };
        // Before the far side is parted from, which may take longer than a vault
        // that locks can wait.
        let _ = self.jobs.send(Job::Closed(Box::new(Closing {
            id: self.id,
            ms: millis(self.started),
            bytes_in: received,
            bytes_out: sent,
            exit,
            detail,
        })));
        if !self.shared {
            self.link.close();
        }
    }
}

impl OpenSession for Live {
    fn id(&self) -> SessionId {
        self.id
    }

    fn info(&self) -> LinkInfo {
        LinkInfo { reused: self.reused, ..self.link.info() }
    }

    fn open_channel(
        &self,
        request: ChannelRequest,
        mut sink: Sink,
    ) -> Result<Box<dyn Channel>, AppError> {
        let (noted, over) = (Arc::clone(&self.noted), Arc::<AtomicBool>::default());
        noted.open.fetch_add(1, Ordering::AcqRel);
        let noting: Sink = {
            let (noted, over) = (Arc::clone(&noted), Arc::clone(&over));
            let (jobs, id) = (self.jobs.clone(), self.id);
            Box::new(move |message| {
                if let FromRemote::Resume(with) = message {
                    // Without an answer: a vault that is locked keeps none.
                    let (answer, _) = mpsc::channel();
                    let _ = jobs.send(Job::Session(Box::new(Ask::Resume(id, with)), answer));
                    return;
                }
                noted.hear(&message, &over);
                sink(message);
            })
        };
        match self.link.open_channel(request, noting) {
            Ok(channel) => Ok(Box::new(Counted { channel, noted, over })),
            Err(failure) => {
                noted.ended(Some(&failure), &over);
                Err(failure.into())
            }
        }
    }

    fn alive(&self) -> bool {
        !self.closed.load(Ordering::Acquire) && self.link.alive()
    }

    fn close(&self) {
        self.end("");
    }

    fn close_because(&self, why: &str) {
        self.end(why);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.close();
    }
}
