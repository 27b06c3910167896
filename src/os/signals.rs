//! Signals that a session at a terminal must hear: a new window size, and the
//! wish that the program ends; and the last thing to do before such an end.
//! Nothing else is caught.

/// What was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// The terminal has another size.
    Resize,
    /// The program is to end; the number of the signal.
    End(i32),
}

/// Readable for ever once the program is to end.
#[cfg(unix)]
static WISH: std::sync::OnceLock<std::os::unix::net::UnixStream> = std::sync::OnceLock::new();

/// What becomes readable when the program is to end, so that a wait for input
/// ends too; `None` while nobody watches.
#[cfg(unix)]
pub fn wish() -> Option<&'static std::os::unix::net::UnixStream> {
    WISH.get()
}

/// Makes a prompt that changed the terminal put it back before the process ends.
#[cfg(unix)]
struct Keeper {
    /// Nobody holds the end back: it comes as by itself.
    ends: std::sync::Arc<std::sync::atomic::AtomicBool>,
    /// The signal that was heard while the end was held back, else 0.
    heard: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    bell: std::os::unix::net::UnixStream,
}

#[cfg(unix)]
static KEEPER: std::sync::OnceLock<Option<Keeper>> = std::sync::OnceLock::new();

#[cfg(unix)]
impl Keeper {
    /// A handler of this library stays in place for good, so it does what the
    /// signal does by itself whenever no end is held back.
    fn new() -> std::io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
        let (bell, ringer) = std::os::unix::net::UnixStream::pair()?;
        let keeper = Self { ends: Default::default(), heard: Default::default(), bell };
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            let (heard, ends) = (keeper.heard.clone(), keeper.ends.clone());
            signal_hook::flag::register_usize(signal, heard, signal as usize)?;
            signal_hook::low_level::pipe::register(signal, ringer.try_clone()?)?;
            signal_hook::flag::register_conditional_default(signal, ends)?;
        }
        Ok(keeper)
    }
}

/// Holds the end of the process back, in which a signal asks for it, until this
/// is dropped: the terminal must be as it was by then.
#[cfg(unix)]
pub struct Hold(&'static Keeper);

#[cfg(unix)]
impl Hold {
    /// `None` where somebody watches already, who ends the process in good order.
    pub fn new() -> Option<Self> {
        if wish().is_some() {
            return None;
        }
        let keeper = KEEPER.get_or_init(|| Keeper::new().ok()).as_ref()?;
        keeper.ends.store(false, std::sync::atomic::Ordering::SeqCst);
        Some(Self(keeper))
    }

    /// Readable once a signal asked for the end.
    pub fn bell(&self) -> &'static std::os::unix::net::UnixStream {
        &self.0.bell
    }
}

#[cfg(unix)]
impl Drop for Hold {
    fn drop(&mut self) {
        use std::sync::atomic::Ordering;
        self.0.ends.store(true, Ordering::SeqCst);
        let heard = self.0.heard.load(Ordering::SeqCst) as i32;
        if heard != 0 {
            let _ = signal_hook::low_level::emulate_default_handler(heard);
            std::process::exit(128 + heard);
        }
    }
}

/// From now on the end is told to somebody, and does not come by itself.
#[cfg(unix)]
fn hold_for_good() {
    if let Some(Some(keeper)) = KEEPER.get() {
        keeper.ends.store(false, std::sync::atomic::Ordering::SeqCst);
    }
}

/// Calls `tell` on a thread of its own for each signal, for the rest of the
/// process's life. A second wish to end is obeyed at once.
#[cfg(unix)]
pub fn watch(mut tell: impl FnMut(Heard) + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
    use std::io::Write;
    let wanted = [SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT];
    let Ok(mut signals) = signal_hook::iterator::Signals::new(wanted) else { return };
    hold_for_good();
    let mut teller = std::os::unix::net::UnixStream::pair().ok().and_then(|(reader, writer)| {
        // Another watch of this process rings the same bell already.
        WISH.set(reader).ok().map(|()| writer)
    });
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut asked = false;
        for signal in signals.forever() {
            if signal == SIGWINCH {
                tell(Heard::Resize);
                continue;
            }
            if asked {
                std::process::exit(128 + signal);
            }
            asked = true;
            tell(Heard::End(signal));
            if let Some(teller) = &mut teller {
                let _ = teller.write_all(&[0]);
            }
        }
    });
}

/// Elsewhere the system ends the program by itself.
#[cfg(not(unix))]
pub fn watch(_tell: impl FnMut(Heard) + Send + 'static) {}

/// Does `act` when a signal asks the process to end, which it then does as that
/// signal does by itself. For a process that does not [`watch`].
#[cfg(unix)]
pub fn before_end(act: impl FnOnce() + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    let wanted = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];
    let Ok(mut signals) = signal_hook::iterator::Signals::new(wanted) else { return };
    hold_for_good();
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            act();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            std::process::exit(128 + signal);
        }
    });
}

/// Elsewhere the system ends the program by itself.
#[cfg(not(unix))]
pub fn before_end(_act: impl FnOnce() + Send + 'static) {}
