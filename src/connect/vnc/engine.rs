//! A VNC connection as the session process serves it: logged in at once, its screen
//! shown when the application asks for it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vnc::{PixelFormat, VncClient, VncConnector, VncError};

use super::fail;
use super::greeting::{self, Cover, Version};
use super::login::Login;
use super::near::{Near, write_all};
use super::relay::{Aside, Relay, Rest};
use super::said;
use super::secure::{self, Greeted};
use super::session::{End, Session};
use super::settings::Settings;
use crate::connect::desk::mail::{Mail, wait};
use crate::connect::host::child::{Command, Engine, Inbox, Uplink};
use crate::connect::line;
use crate::connect::link::LinkInfo;
use crate::connect::ssh::fail as local;
use crate::connect::{Failure, FailureKind};
use crate::model::target::HostPort;

/// Bytes under way to the decoder.
const UNDER_WAY: usize = 1 << 16;

/// A screen that is logged in to.
pub struct Screen {
    /// Decodes what the server paints.
    pub client: VncClient,
    /// What the server says besides.
    pub asides: UnboundedReceiver<Aside>,
    /// Messages for the server.
    pub out: UnboundedSender<Vec<u8>>,
    /// Writes them.
    pub writer: JoinHandle<()>,
    /// Leave for the next update to be decoded.
    pub leave: Arc<Semaphore>,
}

/// A connection that is logged in.
pub struct VncEngine {
    runtime: Runtime,
    screen: Screen,
    settings: Settings,
    info: LinkInfo,
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
    let mut login = Login::of(end);
    let mut trusted = None;
    let (screen, info) = loop {
        let socket = end.connect(settings.connect_timeout)?;
        let attempt = async {
            let greeted = secure::greet(end, &settings, socket, &mut login, &mut trusted).await?;
            let Some(greeted) = greeted else { return Ok(None) };
            let info = info(&greeted, &login, &end.hop.at);
            let by_password = greeted.way.login != greeting::Login::None;
            match begin(greeted, &settings, &login, &end.hop.at).await {
                Ok(screen) => Ok(Some((screen, info))),
                Err(refused) if by_password && refused.kind == FailureKind::Login => {
                    if login.asked.refused() { Ok(None) } else { Err(refused) }
                }
                Err(failure) => Err(failure),
            }
        };
        if let Some(ready) = runtime.block_on(attempt).map_err(|seen| end.reason(seen))? {
            break ready;
        }
    };
    let (sender, commands) = unbounded_channel();
    Ok(Box::new(VncEngine {
        runtime,
        screen,
        settings,
        info,
        at: end.hop.at.clone(),
        lost: end.lost.clone(),
        inbox: Arc::new(Mail(sender)),
        commands,
    }))
}

fn info(greeted: &Greeted, login: &Login<'_>, at: &HostPort) -> LinkInfo {
    let mut description = format!("VNC · {at}");
    if !greeted.tls.is_empty() {
        description = format!("VNC · {}", greeted.tls);
        if greeted.way.cover == Cover::Anonymous {
            description.push_str(" (anon)");
        }
    }
    LinkInfo {
        user: login.user().to_owned(),
        host_key: greeted.fingerprint.clone(),
        description,
        warnings: greeted.warnings.clone(),
        desktop: true,
        ..LinkInfo::default()
    }
}

/// Lets the decoder log in and take over.
async fn begin(
    greeted: Greeted,
    settings: &Settings,
    login: &Login<'_>,
    at: &HostPort,
) -> Result<Screen, Failure> {
    let Greeted { wire, way, version, .. } = greeted;
    let challenge = way.login == greeting::Login::Vnc;
    let inner = if challenge { 2u8 } else { 1 };
    let mut told = version.bytes().to_vec();
    match version {
        Version::V33 => told.extend([0, 0, 0, inner]),
        Version::V37 | Version::V38 => told.extend([1, inner]),
    }
    // The decoder answers with its version and, but for 3.3, with its choice.
    let swallow = if version == Version::V33 { 12 } else { 13 };
    let result = challenge || version == Version::V38;

    let (from, to) = tokio::io::split(wire);
    let (near, relayed) = tokio::io::duplex(UNDER_WAY);
    let (tell, mut asides) = unbounded_channel();
    let (out, messages) = unbounded_channel();
    let leave = Arc::new(Semaphore::new(1));
    let writer = tokio::spawn(write_all(to, messages));
    let relay = Relay::new(from, relayed, tell, leave.clone());
    tokio::spawn(relay.run(told, Rest { challenge, result }));

    let list = &settings.encodings;
    let instead = (said::encodings(list, false), said::encodings(list, settings.lossy));
    let near = Near::new(near, out.clone(), swallow, instead);
    let password = if challenge { login.asked.password() } else { None };
    let password = password.map_or_else(String::new, |p| p.expose(str::to_owned));
    let mut connector = VncConnector::new(near)
        .set_auth_method(async move { Ok(password) })
        .set_pixel_format(PixelFormat::rgba())
        .allow_shared(settings.shared);
    for encoding in list {
        connector = connector.add_encoding(*encoding);
    }
    let started = async { connector.build()?.try_start().await?.finish() };
    let limit = settings.connect_timeout;
    let started = timeout(limit, started).await;
    match started.map_err(|_| fail::silent(at, limit.as_secs()))? {
        Ok(client) => Ok(Screen { client, asides, out, writer, leave }),
        Err(VncError::General(reason)) => Err(fail::refused(at, &reason)),
        Err(VncError::WrongPassword) => Err(fail::wrong_password(at)),
        // The decoder only sees its end; the relay knows why.
        Err(e) => Err(match asides.try_recv() {
            Ok(Aside::Over(why)) => fail::over(at, &why),
            _ => fail::odd(at, &e.to_string()),
        }),
    }
}

impl Engine for VncEngine {
    fn info(&self) -> LinkInfo {
        self.info.clone()
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.inbox.clone()
    }

    fn run(self: Box<Self>, up: Arc<Uplink>, noted: &dyn Fn(&Failure)) -> Option<Failure> {
        let Self { runtime, screen, settings, at, lost, inbox, mut commands, .. } = *self;
        let _open = inbox;
        let (channel, why) = runtime.block_on(async {
            let Some((channel, size)) = wait(&mut commands, &up).await else { return (None, None) };
            up.opened(channel, Ok(()));
            let session = Session::new((&at, &settings, &*up), (channel, size), screen);
            match session.run(&mut commands).await {
                End::Closed => (Some(channel), None),
                End::Over(why) => (Some(channel), Some(why)),
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
