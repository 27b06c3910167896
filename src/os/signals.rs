//! Signals that a session at a terminal must hear: a new window size, and the
//! wish that the program ends. Nothing else is caught.

/// What was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// The terminal has another size.
    Resize,
    /// The program is to end; the number of the signal.
    End(i32),
}

/// Calls `tell` on a thread of its own for each signal, for the rest of the
/// process's life. A second wish to end is obeyed at once.
#[cfg(unix)]
pub fn watch(mut tell: impl FnMut(Heard) + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGWINCH, SIGINT, SIGTERM, SIGHUP])
    else {
        return;
    };
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
        }
    });
}

/// Elsewhere the system ends the program by itself.
#[cfg(not(unix))]
pub fn watch(_tell: impl FnMut(Heard) + Send + 'static) {}
