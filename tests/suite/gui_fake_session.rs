//! A session that the window's fake opens: it lasts, and its far side says nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use poterne::app::OpenSession;
use poterne::app::api::AppError;
use poterne::connect::link::{Channel, ChannelRequest, LinkInfo, Sink, ToRemote};
use poterne::model::id::SessionId;

use crate::gui_fake::Fake;

/// An open session; its far side says nothing.
pub struct FakeSession(pub Fake, pub AtomicBool);

struct Mute(#[expect(dead_code, reason = "the session lasts as long as its sink")] Sink);

impl Channel for Mute {
    fn send(&self, _: ToRemote) {}
    fn backlog(&self) -> usize {
        0
    }
}

impl OpenSession for FakeSession {
    fn id(&self) -> SessionId {
        SessionId([8; 16])
    }
    fn info(&self) -> LinkInfo {
        LinkInfo::default()
    }
    fn open_channel(&self, _: ChannelRequest, sink: Sink) -> Result<Box<dyn Channel>, AppError> {
        Ok(Box::new(Mute(sink)))
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
