//! What the emulation asks of the world around it, told while it holds the
//! grid: everything here only queues, nothing locks the grid again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alacritty_terminal::event::{Event, EventListener, WindowSize};
use alacritty_terminal::vte::ansi::Rgb;

use crate::connect::link::{Channel, LineSignal, TermSize, ToRemote};

/// Bytes kept for a channel that is not there yet.
const EARLY_MAX_BYTES: usize = 64 * 1024;
/// Longest text that a program may offer to the clipboard (OSC 52).
const CLIPBOARD_MAX_BYTES: usize = 1024 * 1024;
/// Longest title shown.
const TITLE_MAX_CHARS: usize = 200;

/// The way to the far side.
#[derive(Default)]
pub(super) struct Outlet(Mutex<OutletState>);

#[derive(Default)]
struct OutletState {
    channel: Option<Box<dyn Channel>>,
    early: Vec<u8>,
    closed: bool,
    /// A file has the line: what is typed goes nowhere.
    held: bool,
}

impl Outlet {
    fn state(&self) -> MutexGuard<'_, OutletState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the channel; what was typed before goes out first.
    pub(super) fn attach(&self, channel: Box<dyn Channel>, size: TermSize) {
        let mut state = self.state();
        channel.send(ToRemote::Resize(size));
        let early = std::mem::take(&mut state.early);
        if !early.is_empty() {
            channel.send(ToRemote::Data(early));
        }
        if !state.closed {
            state.channel = Some(channel);
        }
    }

    pub(super) fn send(&self, bytes: Vec<u8>) {
        let mut state = self.state();
        match &state.channel {
            _ if state.held => {}
            Some(channel) => channel.send(ToRemote::Data(bytes)),
            None if state.closed => {}
            None if state.early.len() + bytes.len() <= EARLY_MAX_BYTES => {
                state.early.extend_from_slice(&bytes);
            }
            None => {}
        }
    }

    /// Gives the line to a file, or back.
    pub(super) fn hold(&self, held: bool) {
        self.state().held = held;
    }

    /// Sends for whoever has the line.
    pub(super) fn send_held(&self, bytes: Vec<u8>) {
        if let Some(channel) = &self.state().channel {
            channel.send(ToRemote::Data(bytes));
        }
    }

    /// Bytes on their way to the far side.
    pub(super) fn backlog(&self) -> usize {
        self.state().channel.as_ref().map_or(0, |channel| channel.backlog())
    }

    pub(super) fn signal(&self, signal: LineSignal) {
        if let Some(channel) = &self.state().channel {
            channel.send(ToRemote::Signal(signal));
        }
    }

    pub(super) fn resize(&self, size: TermSize) {
        if let Some(channel) = &self.state().channel {
            channel.send(ToRemote::Resize(size));
        }
    }

    /// Drops the channel for good.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.early = Vec::new();
        if let Some(channel) = state.channel.take() {
            channel.send(ToRemote::Close);
        }
    }
}

/// Things a program said besides text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// Title by OSC 0 or 2.
    pub title: Option<String>,
    /// Times the bell rang.
    pub bells: u64,
    /// Text that it wants on the clipboard (OSC 52), until somebody decides.
    pub clipboard: Option<String>,
}

/// What the listener needs from outside the emulation.
pub(super) struct Surroundings {
    pub(super) outlet: Outlet,
    pub(super) said: Mutex<Said>,
    pub(super) size: Mutex<TermSize>,
    pub(super) answers: Mutex<Box<dyn Fn(usize) -> Rgb + Send>>,
}

impl Surroundings {
    pub(super) fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn size(&self) -> TermSize {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Receives the emulation's events. Reading the clipboard (OSC 52 with `?`) is
/// never answered: a far program would learn what was copied here.
#[derive(Clone)]
pub struct Listener(pub(super) Arc<Surroundings>);

impl EventListener for Listener {
    fn send_event(&self, event: Event) {
        match event {
            Event::PtyWrite(text) => self.0.outlet.send(text.into_bytes()),
            Event::Title(title) => self.0.said().title = Some(clean_title(&title)),
            Event::ResetTitle => self.0.said().title = None,
            Event::Bell => self.0.said().bells += 1,
            Event::ClipboardStore(_, text) if text.len() <= CLIPBOARD_MAX_BYTES => {
                self.0.said().clipboard = Some(text);
            }
            Event::ColorRequest(index, format) => {
                let answers = self.0.answers.lock().unwrap_or_else(PoisonError::into_inner);
                self.0.outlet.send(format(answers(index)).into_bytes());
            }
            Event::TextAreaSizeRequest(format) => {
                let size = self.0.size();
                let text = format(WindowSize {
                    num_lines: size.rows,
                    num_cols: size.cols,
                    cell_width: 8,
                    cell_height: 16,
                });
                self.0.outlet.send(text.into_bytes());
            }
            _ => {}
        }
    }
}

fn clean_title(title: &str) -> String {
    title.chars().filter(|c| !c.is_control()).take(TITLE_MAX_CHARS).collect()
}
