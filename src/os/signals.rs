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

/// Calls `tell` on a thread of its own for each signal, for the rest of the
/// process's life. A second wish to end is obeyed at once.
#[cfg(unix)]
pub fn watch(mut tell: impl FnMut(Heard) + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
    use std::io::Write;
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGWINCH, SIGINT, SIGTERM, SIGHUP])
    else {
        return;
    };
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
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        return;
    };
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
