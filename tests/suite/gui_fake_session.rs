//! A session that the window's fake opens: it lasts, and its far side says what the
//! test has it say.

use std::sync::atomic::{AtomicBool, Ordering};

use poterne::app::OpenSession;
use poterne::app::api::AppError;
use poterne::connect::link::{Channel, ChannelRequest, LinkInfo, Sink, ToRemote};
use poterne::connect::screen::ScreenInput;
use poterne::model::id::SessionId;

use crate::gui_fake::Fake;

/// An open session.
pub struct FakeSession(pub Fake, pub AtomicBool);

/// A terminal whose far side says nothing.
struct Mute(#[expect(dead_code, reason = "the session lasts as long as its sink")] Sink);

impl Channel for Mute {
    fn send(&self, _: ToRemote) {}
    fn backlog(&self) -> usize {
        0
    }
}

/// A desktop that writes down what is done to it.
struct Desktop(Fake);

impl Channel for Desktop {
    fn send(&self, message: ToRemote) {
        let words = match message {
            ToRemote::Screen(ScreenInput::Key(key)) => {
                let way = if key.down { "down" } else { "up" };
                format!("{way} {}{:02x}", if key.extended { "e0" } else { "" }, key.scancode)
            }
            ToRemote::Screen(input) => format!("{input:?}"),
            ToRemote::Clipboard(text) => text.expose(|t| format!("clipboard {t}")),
            ToRemote::Files(told) => format!("{told:?}"),
            ToRemote::Close => "close".to_owned(),
            _ => "something of a terminal".to_owned(),
        };
        self.0.lock().did.push(words);
    }
    fn backlog(&self) -> usize {
        0
    }
}

impl OpenSession for FakeSession {
    fn id(&self) -> SessionId {
        SessionId([8; 16])
    }
    fn info(&self) -> LinkInfo {
        let state = self.0.lock();
        let (desktop, vpn) = (state.desktop, state.through.clone());
        LinkInfo { desktop, takes_files: desktop, vpn, ..LinkInfo::default() }
    }
    fn open_channel(
        &self,
        request: ChannelRequest,
        sink: Sink,
    ) -> Result<Box<dyn Channel>, AppError> {
        let ChannelRequest::Screen { size } = request else { return Ok(Box::new(Mute(sink))) };
        let mut state = self.0.lock();
        state.did.push(format!("open {}x{} at {} %", size.width, size.height, size.scale));
        state.far = Some(sink);
        Ok(Box::new(Desktop(self.0.clone())))
    }
    fn alive(&self) -> bool {
        true
    }
    fn close(&self) {
        self.close_because("");
    }
    fn close_because(&self, why: &str) {
        if !self.1.swap(true, Ordering::AcqRel) {
            self.0.lock().closed.push(why.to_owned());
        }
    }
}
