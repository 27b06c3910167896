//! Tells when the computer goes to sleep or its screen is locked: logind's
//! signals on the system bus. Without logind it stays quiet; it never fails a
//! start and never holds a secret.

/// Why the vault should lock now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The computer is about to sleep; the sleep waits for the callback.
    Sleep,
    /// The screen was locked.
    ScreenLock,
}

/// Calls `tell` on a thread of its own at each [`Cause`]. While `tell` runs at
/// [`Cause::Sleep`], the sleep is delayed (for as long as logind allows).
pub fn watch(tell: impl FnMut(Cause) + Send + 'static) {
    imp::watch(Box::new(tell));
}

/// Whether the system bus has a login manager to listen to; for `doctor`.
pub fn available() -> bool {
    imp::available()
}

#[cfg(target_os = "linux")]
mod imp {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex, PoisonError};

    use zbus::blocking::{Connection, MessageIterator};
    use zbus::message::Type;
    use zbus::zvariant::{OwnedFd, OwnedObjectPath, OwnedValue};
    use zbus::{MatchRule, Message};

    use super::Cause;

    const LOGIN: &str = "org.freedesktop.login1";
    const MANAGER: &str = "org.freedesktop.login1.Manager";
    const MANAGER_PATH: &str = "/org/freedesktop/login1";
    const SESSION: &str = "org.freedesktop.login1.Session";

    type Tell = Arc<Mutex<Box<dyn FnMut(Cause) + Send>>>;

    pub fn available() -> bool {
        Connection::system().is_ok_and(|bus| {
            bus.call_method(
                Some("org.freedesktop.DBus"),
                "/org/freedesktop/DBus",
                Some("org.freedesktop.DBus"),
                "NameHasOwner",
                &LOGIN,
            )
            .and_then(|reply| reply.body().deserialize::<bool>())
            .unwrap_or(false)
        })
    }

    pub fn watch(tell: Box<dyn FnMut(Cause) + Send>) {
        let tell: Tell = Arc::new(Mutex::new(tell));
        let screen = Arc::clone(&tell);
        start("sleep-watch", move || watch_sleep(&tell));
        start("screen-watch", move || watch_screen(&screen));
    }

    /// A watcher that cannot start or loses the bus just ends.
    fn start(name: &str, work: impl FnOnce() -> zbus::Result<()> + Send + 'static) {
        let _ = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _ = work();
        });
    }

    fn call(tell: &Tell, cause: Cause) {
        let mut tell = tell.lock().unwrap_or_else(PoisonError::into_inner);
        (*tell)(cause);
    }

    fn watch_sleep(tell: &Tell) -> zbus::Result<()> {
        let bus = Connection::system()?;
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(LOGIN)?
            .interface(MANAGER)?
            .member("PrepareForSleep")?
            .build();
        let signals = MessageIterator::for_match_rule(rule, &bus, None)?;
        let mut delay = inhibit(&bus);
        for signal in signals {
            if signal?.body().deserialize::<bool>()? {
                call(tell, Cause::Sleep);
                drop(delay.take());
            } else {
                delay = inhibit(&bus);
            }
        }
        Ok(())
    }

    /// Asks logind to wait for us before it sleeps; dropping the answer lets go.
    fn inhibit(bus: &Connection) -> Option<OwnedFd> {
        let what = ("sleep", "Poterne", "wipes the keys of the vault", "delay");
        let reply = bus.call_method(Some(LOGIN), MANAGER_PATH, Some(MANAGER), "Inhibit", &what);
        reply.ok()?.body().deserialize::<OwnedFd>().ok()
    }

    fn watch_screen(tell: &Tell) -> zbus::Result<()> {
        let bus = Connection::system()?;
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(LOGIN)?
            .path_namespace("/org/freedesktop/login1/session")?
            .build();
        // Listens before it asks, so that no lock falls between the two.
        let signals = MessageIterator::for_match_rule(rule, &bus, None)?;
        let own = own_session(&bus);
        for signal in signals {
            let signal = signal?;
            let header = signal.header();
            let ours = own
                .as_ref()
                .is_none_or(|own| header.path().is_some_and(|path| path.as_str() == own.as_str()));
            if ours && locks(&signal) {
                call(tell, Cause::ScreenLock);
            }
        }
        Ok(())
    }

    /// `Lock`, or a desktop that sets the locked hint itself.
    fn locks(signal: &Message) -> bool {
        match signal.header().member().map(|member| member.as_str()) {
            Some("Lock") => true,
            Some("PropertiesChanged") => signal
                .body()
                .deserialize::<(String, HashMap<String, OwnedValue>, Vec<String>)>()
                .is_ok_and(|(interface, changed, _)| {
                    interface == SESSION
                        && changed
                            .get("LockedHint")
                            .and_then(|hint| bool::try_from(hint).ok())
                            .unwrap_or(false)
                }),
            _ => false,
        }
    }

    /// This process's login session. `None` outside of one: then any session's
    /// lock counts, since locking too often does no harm.
    fn own_session(bus: &Connection) -> Option<OwnedObjectPath> {
        let pid = std::process::id();
        let reply =
            bus.call_method(Some(LOGIN), MANAGER_PATH, Some(MANAGER), "GetSessionByPID", &pid);
        reply.ok()?.body().deserialize::<OwnedObjectPath>().ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::Cause;

    pub fn watch(_tell: Box<dyn FnMut(Cause) + Send>) {}

    pub fn available() -> bool {
        false
    }
}
