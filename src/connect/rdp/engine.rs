//! An RDP connection as the session process serves it: logged in at once, its desktop
//! begun when the application asks for one, since only then is its size known.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::gateway::{self, Way};
use super::login;
use super::resume;
use super::sequence::{self, Attempt, Ready};
use super::session::{End, Session};
use super::settings::Settings;
use crate::connect::Failure;
use crate::connect::desk::mail::{Mail, wait};
use crate::connect::host::child::{Command, Engine, Inbox, Uplink};
use crate::connect::line;
use crate::connect::link::LinkInfo;
use crate::connect::ssh::fail as local;
use crate::model::target::HostPort;

/// A connection that is logged in.
pub struct RdpEngine {
    runtime: Runtime,
    ready: Box<Ready>,
    settings: Settings,
    at: HostPort,
    /// Why what carries the connection was lost, once it was.
    lost: Arc<Mutex<Option<Failure>>>,
    inbox: Arc<Mail>,
    commands: UnboundedReceiver<Command>,
}

/// Opens one in the session process.
///
/// # Errors
/// Anything from the name to the login.
pub fn open(end: &line::End<'_>) -> Result<Box<dyn Engine>, Failure> {
    let settings = Settings::of(end.hop)?;
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().map_err(|e| local::local(&e))?;
    let mut login = login::Login::of(end, &settings);
    let before = gateway::before(end);
    let mut way = Way::of(end, before.as_ref(), &settings);
    let mut trusted = None;
    let cookie = resume::given(end);
    let ready = loop {
        let attempt = async {
            let wire = way.open().await?;
            let cookie = cookie.as_ref();
            sequence::attempt(end, &settings, wire, &mut login, &mut trusted, cookie).await
        };
        match runtime.block_on(attempt).map_err(|seen| end.reason(seen))? {
            Attempt::Ready(mut ready) => {
                ready.info.description.push_str(&way.description());
                break ready;
            }
            Attempt::Again => {}
        }
    };
    let (sender, commands) = unbounded_channel();
    Ok(Box::new(RdpEngine {
        runtime,
        ready,
        settings,
        at: end.hop.at.clone(),
        lost: end.lost.clone(),
        inbox: Arc::new(Mail(sender)),
        commands,
    }))
}

impl Engine for RdpEngine {
    fn info(&self) -> LinkInfo {
        self.ready.info.clone()
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.inbox.clone()
    }

    fn run(self: Box<Self>, up: Arc<Uplink>, noted: &dyn Fn(&Failure)) -> Option<Failure> {
        let Self { runtime, ready, settings, at, lost, inbox, mut commands } = *self;
        let _open = inbox;
        let (channel, why) = runtime.block_on(async {
            let Some((channel, size)) = wait(&mut commands, &up).await else { return (None, None) };
            let Ready { mut framed, mut connector, board, .. } = *ready;
            let done = sequence::finish(&mut framed, &mut connector, size, &settings, &at).await;
            let result = match done {
                Ok(result) => result,
                Err(failure) => {
                    up.opened(channel, Err(&failure));
                    return (None, Some(failure));
                }
            };
            up.opened(channel, Ok(()));
            let about = (&at, &settings, &*up);
            let session = Session::new(about, (channel, size), framed, result, board);
            match session.run(&mut commands).await {
                End::Closed => (Some(channel), None),
                End::Over(why) => (Some(channel), why),
            }
        });
        let lost = || lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let why = why.map(|seen| lost().unwrap_or(seen));
        if let Some(why) = &why {
            noted(why);
        }
        if let Some(channel) = channel {
            up.closed(channel, why.as_ref());
        }
        why
    }
}
