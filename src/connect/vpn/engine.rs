//! The engine of a VPN in its session process: its channels show the journal, and it
//! admits who has a door. Raises nothing itself; ends when its journal does.

use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::journal::{Journal, Step};
use crate::connect::Failure;
use crate::connect::host::child::{Command, Engine, Inbox, Output, Queue, Uplink};
use crate::connect::host::wire::DATA_MAX;
use crate::connect::link::{ChannelRequest, LinkInfo, no_screen};
use crate::connect::ssh::fail::local;
use crate::os::fds;
use crate::os::net::{Watch, wait};

/// The number of the descriptor by which doors come.
pub const HALL: i32 = 5;

/// How long a VPN may take to part from its server.
const GOODBYE: Duration = Duration::from_millis(600);

/// What raised the VPN and holds it.
pub trait Holder: Send {
    /// Serves a door until its other side is closed.
    fn admit(&self, passage: OwnedFd);
    /// Begins to take the VPN down; its journal ends when that is done.
    fn stop(&self);
}

/// A VPN that is up.
pub struct VpnEngine {
    queue: Arc<Queue>,
    journal: Arc<Journal>,
    holder: Arc<dyn Holder + Sync>,
    info: LinkInfo,
    channels: HashMap<u32, Shown>,
}

/// A channel that shows the journal.
#[derive(Default)]
struct Shown {
    /// The next line.
    next: u64,
    waiting: VecDeque<u8>,
    credit: usize,
}

/// A queue for an engine, and the journal that rings at it.
///
/// # Errors
/// No descriptors left.
pub fn begin(up: &Arc<Uplink>) -> Result<(Arc<Queue>, Arc<Journal>), Failure> {
    let queue = Arc::new(Queue::new().map_err(|e| local(&e))?);
    let journal = Arc::new(Journal::new(up.clone(), queue.clone()));
    Ok((queue, journal))
}

impl VpnEngine {
    /// The engine of a VPN that `holder` holds; from now on doors are admitted.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn new(
        (queue, journal): (Arc<Queue>, Arc<Journal>),
        holder: Arc<dyn Holder + Sync>,
        info: LinkInfo,
    ) -> Result<Self, Failure> {
        if let Some(hall) = fds::given(HALL) {
            let holder = holder.clone();
            let usher = move || {
                let mut room = [0; 8];
                while let Ok((length, came)) = fds::receive(&hall, &mut room) {
                    if length == 0 {
                        return;
                    }
                    came.into_iter().for_each(|passage| holder.admit(passage));
                }
            };
            let started = std::thread::Builder::new().name("hall".into()).spawn(usher);
            started.map_err(|e| local(&e))?;
        }
        Ok(Self { queue, journal, holder, info, channels: HashMap::new() })
    }

    fn obey(&mut self, command: Command, up: &Uplink) {
        match command {
            Command::Open(id, ChannelRequest::Shell { .. } | ChannelRequest::Exec { .. }) => {
                let credit = crate::connect::host::wire::WINDOW;
                self.channels.insert(id, Shown { credit, ..Shown::default() });
                up.opened(id, Ok(()));
            }
            Command::Open(id, ChannelRequest::Screen { .. }) => {
                up.opened(id, Err(&no_screen()));
            }
            Command::Credit(id, bytes) => {
                if let Some(shown) = self.channels.get_mut(&id) {
                    shown.credit += bytes;
                }
            }
            // There is nobody to type to.
            Command::Data(id, bytes) => up.credit(id, bytes.len()),
            Command::Close(id) if self.channels.remove(&id).is_some() => up.closed(id, None),
            _ => {}
        }
    }

    fn show(&mut self, up: &Uplink, output: &mut Output) {
        for (id, shown) in &mut self.channels {
            let (lines, next) = self.journal.from(shown.next);
            shown.next = next;
            for line in lines {
                shown.waiting.extend(line.bytes());
                shown.waiting.extend(b"\r\n");
            }
            while shown.credit > 0 && !shown.waiting.is_empty() {
                let many = shown.waiting.len().min(shown.credit).min(DATA_MAX);
                let bytes: Vec<u8> = shown.waiting.drain(..many).collect();
                output.copy(&bytes);
                up.output(*id, false, output);
                shown.credit -= many;
            }
        }
    }
}

impl Engine for VpnEngine {
    fn info(&self) -> LinkInfo {
        self.info.clone()
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.queue.clone()
    }

    fn run(mut self: Box<Self>, up: Arc<Uplink>, noted: &dyn Fn(&Failure)) -> Option<Failure> {
        let mut output = Output::new();
        let mut until: Option<Instant> = None;
        loop {
            let left = until.map(|at| at.saturating_duration_since(Instant::now()));
            let _ = wait(&mut [Watch::new(self.queue.bell().socket(), true, false)], left);
            self.queue.bell().hush();
            for command in self.queue.take() {
                if matches!(command, Command::Quit) {
                    self.journal.step(Step::GoingDown, None);
                    self.holder.stop();
                    until = Some(Instant::now() + GOODBYE);
                } else {
                    self.obey(command, &up);
                }
            }
            self.show(&up, &mut output);
            let late = until.is_some_and(|at| Instant::now() >= at);
            let over = self.journal.over().or_else(|| late.then_some(None));
            let Some(why) = over else { continue };
            // What was said last is shown too.
            self.show(&up, &mut output);
            let why = why.filter(|_| until.is_none());
            why.iter().for_each(noted);
            for id in self.channels.keys() {
                up.closed(*id, why.as_ref());
            }
            return why;
        }
    }
}
