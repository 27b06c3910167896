//! The threads of the tabs: one opens a connection, others close what is over, and
//! the end of the window waits for their lines in the log.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::app::api::{AppError, At};
use crate::app::desktop::of_person;
use crate::app::{ConnectRequest, OpenSession};
use crate::connect::link::{ChannelRequest, TermSize};
use crate::connect::screen::ScreenSize;
use crate::gui::backend::Backend;
use crate::gui::screen::Screen;
use crate::gui::terminal::Terminal;
use crate::model::id::SessionId;
use crate::model::lang::Lang;

use super::ask::Teller;
use super::tab::{Face, OpenAs, Tab, Told};

/// Value of `TERM` on the far side.
const TERM: &str = "xterm-256color";

/// The room there is for what a connection shows.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) cells: TermSize,
    pub(super) pixels: ScreenSize,
    /// Of what the far side is told to say.
    pub(super) lang: Lang,
}

/// The threads that still work for a tab, so that the end of the window can wait
/// for their lines in the log.
#[derive(Clone, Default)]
pub(super) struct Working(Arc<(Mutex<usize>, Condvar)>);

/// One of them.
pub(super) struct AtWork(Working);

impl Working {
    pub(super) fn begin(&self) -> AtWork {
        *self.count() += 1;
        AtWork(self.clone())
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait(&self, limit: Duration) {
        let done = self.0.1.wait_timeout_while(self.count(), limit, |count| *count > 0);
        drop(done.map_err(PoisonError::into_inner));
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        *self.0.count() -= 1;
        self.0.0.1.notify_all();
    }
}

/// On the connection's thread: everything from the first packet to the shell.
pub(super) fn connect(
    backend: &dyn Backend,
    (open_as, after): (&OpenAs, Option<SessionId>),
    room: Room,
    mut teller: Teller,
) {
    let request = ConnectRequest {
        at: At::Id(open_as.entry),
        just: open_as.just.clone(),
        accept_host_key: None,
        reuse: false,
        desktop: of_person(room.lang),
        after,
    };
    let session = match backend.connect(request, &mut teller) {
        Ok(session) => session,
        Err(error) => {
            teller.tell(Told::Failed(error));
            return;
        }
    };
    if teller.cancelled.load(Ordering::Acquire) {
        session.close();
        return;
    }
    let opened = if session.info().desktop {
        desktop(&*session, room.pixels, &teller)
    } else {
        terminal(&*session, room.cells, &teller)
    };
    match opened {
        Ok(face) => teller.tell(Told::Opened(session, face)),
        Err(error) => {
            session.close();
            teller.tell(Told::Failed(error))
        }
    };
}

fn terminal(session: &dyn OpenSession, size: TermSize, teller: &Teller) -> Result<Face, AppError> {
    let (terminal, sink) = Terminal::new(size);
    let wake = Arc::clone(&teller.wake);
    terminal.on_wake(move |delay| wake(delay));
    let request = ChannelRequest::Shell { size, term: TERM.to_owned() };
    let channel = session.open_channel(request, sink)?;
    terminal.offer(session.info().signals);
    terminal.attach(channel);
    Ok(Face::Terminal(terminal))
}

fn desktop(session: &dyn OpenSession, size: ScreenSize, teller: &Teller) -> Result<Face, AppError> {
    let (screen, sink) = Screen::new();
    screen.files().set_takes(session.info().takes_files);
    let wake = Arc::clone(&teller.wake);
    screen.on_wake(move |delay| wake(delay));
    screen.attach(session.open_channel(ChannelRequest::Screen { size }, sink)?, size);
    Ok(Face::Screen(screen))
}

/// Ends what a tab holds. Closing may wait for the far side, so not here.
pub(super) fn end(tab: Tab, why: &'static str, working: &Working) {
    tab.cancelled.store(true, Ordering::Release);
    drop(tab.reply);
    if let Some(face) = tab.face.as_ref().filter(|_| why.is_empty()) {
        face.close();
    }
    let face = tab.face;
    if let Some(session) = tab.session {
        in_background(working, move || {
            // Before its channel: only what is cut off has a reason in the log.
            session.close_because(why);
            drop(face);
        });
    }
}

/// A session that opened after its tab was closed or cancelled.
pub(super) fn drop_late(told: Told, working: &Working) {
    if let Told::Opened(session, face) = told {
        in_background(working, move || {
            face.close();
            session.close();
        });
    }
}

pub(super) fn in_background(working: &Working, work: impl FnOnce() + Send + 'static) {
    let at_work = working.begin();
    // Without a thread the closure is dropped, and with it the session, which
    // closes it as well.
    let _ = std::thread::Builder::new().name("closing".to_owned()).spawn(move || {
        work();
        drop(at_work);
    });
}
