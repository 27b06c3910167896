//! The VPNs that are up or being raised, each once for all the sessions that go through
//! it, and taken down when the last of them is over. Knows no vault: who raises one
//! says how.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::app::api::{AppError, VpnView};
use crate::app::{OpenSession, SessionUi};
use crate::connect::host::link::given_up;
use crate::connect::link::{Channel, ChannelRequest, FromRemote, TermSize};
use crate::connect::vpn::door::Passage;
use crate::model::id::{EntryId, MemberId};

use super::live::Live;

/// How often who waits for another's VPN looks whether the person gave up.
const LOOK: Duration = Duration::from_millis(100);

/// Which VPN, and whose.
pub(super) type Key = (EntryId, MemberId);

/// The VPNs of one application.
#[derive(Default)]
pub(in crate::app) struct Tunnels {
    slots: Mutex<Vec<Slot>>,
    changed: Condvar,
}

struct Slot {
    key: Key,
    path: String,
    state: State,
    /// Sessions that wait for it, or go through it.
    users: usize,
    /// How long it is kept without any.
    grace: Duration,
    /// How often it was used, so that an old wait for its end is known as such.
    round: u64,
}

enum State {
    Raising,
    Up {
        live: Arc<Live>,
        /// Open as long as this is: it hears of the end.
        _ear: Box<dyn Channel>,
    },
    /// For those who waited for it.
    Failed(AppError),
}

/// One that is watched: its session, what hears of its end, its grace time.
type Watched = (Arc<Live>, Box<dyn Channel>, Duration);

/// A VPN that was just raised.
pub(super) struct Raised {
    pub(super) live: Live,
    pub(super) grace: Duration,
}

impl Tunnels {
    /// Goes through a VPN that is up, or raises it. Who comes meanwhile waits for the
    /// same one, and fails as it does: a wrong password is sent once.
    ///
    /// # Errors
    /// It cannot be raised, or the person gave up.
    pub(super) fn join(
        self: &Arc<Self>,
        key: Key,
        path: &str,
        ui: &mut dyn SessionUi,
        raise: impl FnOnce(&mut dyn SessionUi) -> Result<Raised, AppError>,
    ) -> Result<Use, AppError> {
        let mut slots = self.slots();
        slots.retain(|slot| !matches!(&slot.state, State::Up { live, .. } if !live.alive()));
        let mut counted = false;
        while let Some(at) = slots.iter().position(|slot| slot.key == key) {
            let slot = &mut slots[at];
            if !counted {
                if let State::Failed(_) = slot.state {
                    // Of those who came before.
                    slots.remove(at);
                    break;
                }
                slot.users += 1;
                slot.round += 1;
                counted = true;
            }
            match &slot.state {
                State::Up { live, .. } => return Ok(self.used(key, live.clone())),
                State::Failed(error) => {
                    let error = error.clone();
                    slot.users -= 1;
                    if slot.users == 0 {
                        slots.remove(at);
                    }
                    return Err(error);
                }
                State::Raising if ui.cancelled() => {
                    slot.users -= 1;
                    return Err(given_up().into());
                }
                State::Raising => {
                    let waited = self.changed.wait_timeout(slots, LOOK);
                    slots = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
        if counted {
            // It ended while this one waited for it.
            return Err(given_up().into());
        }
        let path = path.to_owned();
        let grace = Duration::ZERO;
        slots.push(Slot { key, path, state: State::Raising, users: 1, grace, round: 0 });
        drop(slots);
        let raised = raise(ui).and_then(|raised| self.watched(key, raised));
        let mut slots = self.slots();
        let at = slots.iter().position(|slot| slot.key == key);
        let slot = &mut slots[at.expect("only who raises it takes it away")];
        let done = match raised {
            Ok((live, channel, grace)) => {
                slot.grace = grace;
                slot.state = State::Up { live: live.clone(), _ear: channel };
                Ok(self.used(key, live))
            }
            Err(error) => {
                slot.users -= 1;
                if slot.users == 0 {
                    slots.retain(|slot| slot.key != key);
                } else {
                    slot.state = State::Failed(error.clone());
                }
                Err(error)
            }
        };
        self.changed.notify_all();
        done
    }

    /// Hears of the end of a VPN by itself.
    fn watched(self: &Arc<Self>, key: Key, raised: Raised) -> Result<Watched, AppError> {
        let Raised { live, grace } = raised;
        let live = Arc::new(live);
        let size = TermSize { cols: 80, rows: 24 };
        let request = ChannelRequest::Shell { size, term: String::new() };
        let tunnels = Arc::downgrade(self);
        let ended = Arc::downgrade(&live);
        let channel = live.open_channel(
            request,
            Box::new(move |message| {
                if let (FromRemote::Closed(_), Some(tunnels)) = (message, tunnels.upgrade())
                    && let Some(live) = ended.upgrade()
                {
                    tunnels.ended(key, &live);
                    live.close();
                }
            }),
        )?;
        Ok((live, channel, grace))
    }

    fn ended(&self, key: Key, live: &Arc<Live>) {
        let mut slots = self.slots();
        let this = |slot: &Slot| {
            slot.key == key
                && matches!(&slot.state, State::Up { live: up, .. } if Arc::ptr_eq(up, live))
        };
        let gone: Vec<Slot> = slots.extract_if(.., |slot| this(slot)).collect();
        drop(slots);
        // Its channel is closed outside the lock.
        drop(gone);
    }

    fn used(self: &Arc<Self>, key: Key, live: Arc<Live>) -> Use {
        Use { tunnels: self.clone(), key, live, at_once: false }
    }

    /// One session less. Without any the VPN is taken down after its grace time.
    fn left(self: &Arc<Self>, key: Key, live: &Arc<Live>, at_once: bool) {
        let mut slots = self.slots();
        let Some(at) = slots.iter().position(
            |slot| matches!(&slot.state, State::Up { live: up, .. } if slot.key == key && Arc::ptr_eq(up, live)),
        ) else {
            return;
        };
        let slot = &mut slots[at];
        slot.users -= 1;
        if slot.users > 0 {
            return;
        }
        if at_once || slot.grace.is_zero() {
            let gone = slots.remove(at);
            drop(slots);
            gone.down();
            return;
        }
        let (round, until) = (slot.round, slot.grace);
        let tunnels = self.clone();
        let wait = move || {
            // Nobody else rings before it is over: a use that begins counts a round.
            std::thread::sleep(until);
            let mut slots = tunnels.slots();
            let idle = |slot: &Slot| slot.key == key && slot.users == 0 && slot.round == round;
            let Some(at) = slots.iter().position(idle) else { return };
            let gone = slots.remove(at);
            drop(slots);
            gone.down();
        };
        // Without a thread it stays up until the application ends.
        let _ = std::thread::Builder::new().name("grace".into()).spawn(wait);
    }

    /// Those that are up or being raised.
    pub(in crate::app) fn views(&self) -> Vec<VpnView> {
        let slots = self.slots();
        let up = |slot: &Slot| {
            let now = match &slot.state {
                State::Up { live, .. } => live.tunnel_now()?,
                State::Raising => Default::default(),
                State::Failed(_) => return None,
            };
            Some(VpnView { entry: slot.key.0, path: slot.path.clone(), sessions: slot.users, now })
        };
        slots.iter().filter_map(up).collect()
    }

    /// Takes one down that is up; the sessions through it end with it. False where there
    /// is none.
    pub(super) fn down(&self, key: Key) -> bool {
        let mut slots = self.slots();
        let up = |slot: &Slot| slot.key == key && matches!(slot.state, State::Up { .. });
        let Some(at) = slots.iter().position(up) else { return false };
        let gone = slots.remove(at);
        drop(slots);
        gone.down();
        true
    }

    /// Takes all of them down.
    pub(in crate::app) fn close(&self) {
        let gone: Vec<Slot> = self.slots().extract_if(.., |slot| !slot.raising()).collect();
        gone.into_iter().for_each(Slot::down);
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn raising(&self) -> bool {
        matches!(self.state, State::Raising)
    }

    fn down(self) {
        if let State::Up { live, .. } = &self.state {
            live.close();
        }
    }
}

/// A session's part in a VPN: it is kept up for it.
pub(super) struct Use {
    tunnels: Arc<Tunnels>,
    key: Key,
    live: Arc<Live>,
    at_once: bool,
}

impl Use {
    /// A way into its network, for one session process.
    pub(super) fn passage(&self) -> std::io::Result<Passage> {
        self.live.passage()
    }

    /// Whether it is still up.
    pub(super) fn alive(&self) -> bool {
        self.live.alive()
    }

    /// The session of the VPN itself.
    pub(super) fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Ends it; without another session the VPN is taken down at once.
    pub(super) fn at_once(mut self) {
        self.at_once = true;
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        self.tunnels.left(self.key, &self.live, self.at_once);
    }
}
