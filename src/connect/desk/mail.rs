//! Commands for a desktop's engine, and the wait for the one that begins it.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::fail;
use crate::connect::host::child::{Command, Inbox, Uplink};
use crate::connect::link::ChannelRequest;
use crate::connect::screen::ScreenSize;

/// Hands commands to an engine that runs on tokio.
pub struct Mail(pub UnboundedSender<Command>);

impl Inbox for Mail {
    fn push(&self, command: Command) {
        let _ = self.0.send(command);
    }
}

/// Waits until a desktop is wanted: its channel and size; `None` when the connection
/// is to end first.
pub async fn wait(
    commands: &mut UnboundedReceiver<Command>,
    up: &Uplink,
) -> Option<(u32, ScreenSize)> {
    loop {
        match commands.recv().await? {
            Command::Open(id, ChannelRequest::Screen { size }) => return Some((id, size)),
            Command::Open(id, _) => up.opened(id, Err(&fail::only_a_desktop())),
            Command::Quit => return None,
            _ => {}
        }
    }
}
