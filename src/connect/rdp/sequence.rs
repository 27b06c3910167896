//! The way to a desktop (MS-RDPBCGR section 1.3.1.1): negotiation, TLS, the
//! certificate, NLA; then, once a size is known, the rest of the sequence.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use ironrdp_cliprdr::CliprdrClient;
use ironrdp_connector::connection_activation::{
    ConnectionActivationSequence, ConnectionActivationState,
};
use ironrdp_connector::credssp::CredsspSequence;
use ironrdp_connector::sspi;
use ironrdp_connector::sspi::generator::NetworkRequest;
use ironrdp_connector::{
    BitmapConfig, ClientConnector, ClientConnectorState, Config, ConnectionOutcome,
    ConnectionResult, ConnectorError, ConnectorErrorExt, ConnectorErrorKind, ConnectorResult,
    Credentials, DesktopSize, MultitransportResult, ServerName,
};
use ironrdp_core::WriteBuf;
use ironrdp_displaycontrol::client::DisplayControlClient;
use ironrdp_dvc::DrdynvcClient;
use ironrdp_egfx::client::{GraphicsPipelineClient, GraphicsPipelineHandler};
use ironrdp_pdu::Action;
use ironrdp_pdu::gcc::{
    ClientClusterData, ConnectionType, KeyboardType, RedirectionFlags, RedirectionVersion,
};
use ironrdp_pdu::mcs;
use ironrdp_pdu::nego::FailureCode;
use ironrdp_pdu::rdp::capability_sets::{
    BitmapCodecs, MajorPlatformType, RailSupportLevel, client_codecs_capabilities,
};
use ironrdp_pdu::rdp::client_info::{PerformanceFlags, TimezoneInfo};
use ironrdp_pdu::rdp::headers::{self, ShareControlPdu, ShareDataPdu};
use ironrdp_pdu::rdp::multitransport::MultitransportResponsePdu;
use ironrdp_tokio::{
    MovableTokioFramed, NetworkClient, complete_multitransport, connect_begin, mark_as_upgraded,
    perform_credssp, single_sequence_step,
};
use tokio::time::timeout;
use tokio_openssl::SslStream;

use super::clip::{Board, Shared};
use super::fail::Wants;
use super::login::Login;
use super::settings::{Security, Settings};
use super::tls::{self, Secured, Wire};
use super::{ended, fail};
use crate::connect::line::End;
use crate::connect::link::LinkInfo;
use crate::connect::screen::ScreenSize;
use crate::connect::ssh::{fail as local, hostkey, legacy_serve::stream_of};
use crate::connect::{Failure, Progress};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::machine;
use crate::os::net::Socket;

/// The build that is told to the server. xrdp never follows a new size of what is
/// older than a certain one; this is a Windows 10.
const BUILD: u32 = 18363;

/// Names of certificates among pinned keys.
pub const CERTIFICATE: &str = "x509-sha256";

/// PDUs inside TLS.
pub type Framed = MovableTokioFramed<SslStream<Wire>>;

/// A connection that waits for the size of the desktop.
pub struct Ready {
    /// PDUs.
    pub framed: Framed,
    /// The rest of the sequence.
    pub connector: ClientConnector,
    /// What the clipboard channel says.
    pub board: Option<Shared>,
    /// Facts for the application.
    pub info: LinkInfo,
}

/// What one attempt came to.
pub enum Attempt {
    /// Logged in, as far as the server checks that now.
    Ready(Box<Ready>),
    /// To be tried again over a new connection.
    Again,
}

/// Gets as far as the login.
///
/// # Errors
/// Anything from the negotiation to the login.
pub async fn attempt(
    end: &End<'_>,
    settings: &Settings,
    socket: Socket,
    login: &mut Login<'_>,
    trusted: &mut Option<String>,
) -> Result<Attempt, Failure> {
    let at = &end.hop.at;
    let limit = settings.connect_timeout;
    let late = || local::timeout(at, limit.as_secs());
    end.up.say(&Progress::Negotiating(at.to_string()));
    let board =
        (settings.clipboard.to_server || settings.clipboard.from_server).then(Shared::default);
    let mut connector = connector(settings, login, board.as_ref());
    let wire = stream_of(socket).map_err(|e| local::local(&e))?;
    let mut framed = MovableTokioFramed::new(wire);
    let begun = timeout(limit, connect_begin(&mut framed, &mut connector)).await;
    let upgrade = begun.map_err(|_| late())?.map_err(|e| in_words(at, settings, &e))?;
    let (wire, early) = framed.into_inner();
    if !early.is_empty() {
        return Err(fail::protocol(at, "TLS"));
    }
    let secured = timeout(limit, tls::secure(wire, at, settings.weak_tls)).await;
    let secured = secured.map_err(|_| late())??;

    let seen = hostkey::presented(at, CERTIFICATE, &secured.certificate);
    if trusted.as_ref() != Some(&seen.fingerprint) {
        let since = Instant::now();
        hostkey::check(&seen, end.hop, end.up)?;
        login.waited(since);
        *trusted = Some(seen.fingerprint.clone());
    }
    mark_as_upgraded(upgrade, &mut connector);
    let nla = connector.should_perform_credssp();
    if nla {
        login.complete(settings)?;
    } else {
        login.as_stored();
    }
    if login.took_too_long() {
        return Ok(Attempt::Again);
    }
    let Secured { stream, public_key, version, weak, .. } = secured;
    let mut framed = MovableTokioFramed::new(stream);
    connector.config.domain = login.domain();
    connector.config.autologon = login.password().is_some();
    connector.config.credentials = credentials(login);
    if nla {
        let name = ServerName::new(&at.host);
        let done =
            timeout(limit, authenticate(&mut connector, &mut framed, name, public_key)).await;
        if let Err(e) = done.map_err(|_| late())? {
            let failure = refusal(at, &login.shown(), &e);
            let wrong = failure.kind == crate::connect::FailureKind::Login;
            return if wrong && login.refused() { Ok(Attempt::Again) } else { Err(failure) };
        }
    }
    let mut info = LinkInfo {
        user: login.shown(),
        host_key: seen.fingerprint,
        description: format!("RDP · {version}{}", if nla { " · NLA" } else { "" }),
        desktop: true,
        ..LinkInfo::default()
    };
    if weak {
        info.warnings.push(Bi::new(
            format!("Chiffrement ancien accepté pour cette entrée\u{a0}: {version}"),
            format!("Old encryption accepted for this entry: {version}"),
        ));
    }
    Ok(Attempt::Ready(Box::new(Ready { framed, connector, board, info })))
}

fn credentials(login: &Login<'_>) -> Credentials {
    let password = login.password().map_or_else(String::new, |p| p.expose(str::to_owned));
    Credentials::UsernamePassword { username: login.user().to_owned(), password }
}

fn connector(settings: &Settings, login: &Login<'_>, board: Option<&Shared>) -> ClientConnector {
    // The server only passes it on to programs that ask; no address of this machine.
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let mut connector = ClientConnector::new(config(settings, login), nowhere);
    if !settings.load_balance.is_empty() {
        connector = connector.with_load_balance_info(settings.load_balance.clone());
    }
    if settings.admin {
        connector = connector.with_cluster_data(ClientClusterData {
            flags: RedirectionFlags::REDIRECTION_SUPPORTED
                | RedirectionFlags::REDIRECTED_SESSION_FIELD_VALID,
            redirection_version: RedirectionVersion::V4,
            redirected_session_id: 0,
        });
    }
    let mut dynamic =
        DrdynvcClient::new().with_dynamic_channel(DisplayControlClient::new(|_| Ok(Vec::new())));
    if !settings.plain {
        let pipeline = GraphicsPipelineClient::new(Box::new(Pipeline), None);
        dynamic = dynamic.with_dynamic_channel(pipeline);
    }
    connector = connector.with_static_channel(dynamic);
    if let Some(board) = board {
        let backend = Box::new(Board::new(board.clone()));
        connector = connector.with_static_channel(CliprdrClient::new(backend));
    }
    connector
}

/// What the graphics pipeline paints is taken from the picture; nothing else is
/// wanted of it.
struct Pipeline;

impl GraphicsPipelineHandler for Pipeline {}

fn config(settings: &Settings, login: &Login<'_>) -> Config {
    let effects = if settings.effects {
        PerformanceFlags::ENABLE_DESKTOP_COMPOSITION
    } else {
        PerformanceFlags::DISABLE_WALLPAPER
            | PerformanceFlags::DISABLE_FULLWINDOWDRAG
            | PerformanceFlags::DISABLE_MENUANIMATIONS
            | PerformanceFlags::DISABLE_THEMING
    };
    Config {
        desktop_size: DesktopSize { width: 1280, height: 800 },
        monitor_layout: None,
        desktop_scale_factor: 100,
        desktop_physical_size: None,
        desktop_orientation: None,
        device_scale_factor: None,
        monitor_extended_layout: None,
        relative_mouse_input: false,
        enable_tls: settings.security != Security::Nla,
        enable_credssp: settings.security != Security::Tls,
        enable_standard_rdp_security: false,
        credentials: Credentials::UsernamePassword {
            username: login.user().to_owned(),
            password: String::new(),
        },
        domain: login.domain(),
        client_build: BUILD,
        client_name: machine::host_name(),
        keyboard_type: KeyboardType::IBM_ENHANCED,
        keyboard_subtype: 0,
        keyboard_functional_keys_count: 12,
        keyboard_layout: settings.layout,
        connection_type: ConnectionType::Lan,
        ime_file_name: String::new(),
        bitmap: Some(BitmapConfig {
            lossy_compression: true,
            color_depth: settings.depth,
            codecs: codecs(settings),
        }),
        dig_product_id: String::new(),
        client_dir: "C:\\Windows\\System32\\mstscax.dll".into(),
        alternate_shell: settings.program.clone(),
        work_dir: settings.directory.clone(),
        remote_application_mode: false,
        rail_support_level: RailSupportLevel::empty(),
        platform: MajorPlatformType::UNIX,
        hardware_id: None,
        request_data: None,
        autologon: false,
        enable_audio_playback: false,
        enable_audio_capture: false,
        performance_flags: effects | PerformanceFlags::ENABLE_FONT_SMOOTHING,
        license_cache: None,
        timezone_info: TimezoneInfo::default(),
        // A server that compresses goes on with it while a desktop is activated again,
        // which IronRDP's sequence does not follow.
        compression_type: None,
        enable_server_pointer: true,
        pointer_software_rendering: false,
        multitransport_flags: None,
        support_dyn_vc_gfx_protocol: !settings.plain,
    }
}

/// How the server may pack its pictures. RemoteFX loses a little, which nobody sees.
fn codecs(settings: &Settings) -> BitmapCodecs {
    if settings.plain {
        BitmapCodecs(Vec::new())
    } else {
        client_codecs_capabilities(&[]).expect("no codec is named")
    }
}

/// NLA (MS-CSSP).
async fn authenticate(
    connector: &mut ClientConnector,
    framed: &mut Framed,
    name: ServerName,
    public_key: Vec<u8>,
) -> ConnectorResult<()> {
    let ClientConnectorState::Credssp { selected_protocol } = connector.state else {
        return Err(ConnectorError::general("CredSSP"));
    };
    let (sequence, first) = CredsspSequence::init(
        connector.config.credentials.clone(),
        connector.config.domain.as_deref(),
        selected_protocol,
        name,
        public_key,
        None,
    )?;
    let mut buffer = WriteBuf::new();
    perform_credssp(framed, &mut NoNetwork, &mut buffer, sequence, first).await?;
    connector.mark_credssp_as_done();
    Ok(())
}

/// NTLM asks nobody else; only Kerberos would.
struct NoNetwork;

impl NetworkClient for NoNetwork {
    async fn send(&mut self, _request: &NetworkRequest) -> ConnectorResult<Vec<u8>> {
        Err(ConnectorError::general("Kerberos"))
    }
}

/// The rest of the sequence, for a desktop of this size.
///
/// # Errors
/// The server refuses the session.
pub async fn finish(
    framed: &mut Framed,
    connector: &mut ClientConnector,
    size: ScreenSize,
    settings: &Settings,
    at: &HostPort,
) -> Result<ConnectionResult, Failure> {
    let size = size.fitting();
    connector.config.desktop_size = DesktopSize { width: size.width, height: size.height };
    connector.config.desktop_scale_factor = u32::from(size.scale);
    let steps = async {
        let mut buffer = WriteBuf::new();
        loop {
            if connector.should_perform_multitransport() {
                let no = MultitransportResult::Failure(MultitransportResponsePdu::E_ABORT);
                complete_multitransport(connector, framed, no).await?;
                continue;
            }
            single_sequence_step(framed, connector, &mut buffer).await?;
            if let Some(outcome) = connector.state.take_outcome() {
                return Ok(outcome);
            }
        }
    };
    let limit = settings.connect_timeout;
    let outcome = timeout(limit, steps).await;
    let outcome = outcome.map_err(|_| local::timeout(at, limit.as_secs()))?;
    match outcome {
        Ok(ConnectionOutcome::Connected(result)) => Ok(result),
        Ok(ConnectionOutcome::Redirected(to)) => Err(redirected(at, &to)),
        Err(e) if matches!(connector.state, ClientConnectorState::LicensingExchange { .. }) => {
            Err(fail::licence(at, &detail(&e)))
        }
        Err(e) => Err(in_words(at, settings, &e)),
    }
}

/// Whether a message belongs to the activation that is under way: channels and the
/// picture go on beside it, which it takes for an error.
pub fn activates(activation: &ConnectionActivationSequence, action: Action, frame: &[u8]) -> bool {
    if action == Action::FastPath {
        return false;
    }
    // What cannot be read is for the activation to complain of.
    let Ok(data) = mcs::decode_send_data_indication(frame) else { return true };
    if data.channel_id != activation.io_channel_id() {
        return false;
    }
    match activation.connection_activation_state() {
        ConnectionActivationState::ConnectionFinalization { .. } => {
            let Ok(data) = headers::decode_share_data(data) else { return true };
            matches!(
                data.pdu,
                ShareDataPdu::Synchronize(_)
                    | ShareDataPdu::Control(_)
                    | ShareDataPdu::FontMap(_)
                    | ShareDataPdu::MonitorLayout(_)
                    | ShareDataPdu::ServerSetErrorInfo(_)
            )
        }
        _ => match headers::decode_share_control(data) {
            Ok(control) => !matches!(control.pdu, ShareControlPdu::Data(_)),
            Err(_) => true,
        },
    }
}

/// The server sends the session to another one.
pub fn redirected(
    at: &HostPort,
    to: &ironrdp_pdu::rdp::server_redirection::ServerRedirectionPdu,
) -> Failure {
    let names = [&to.target_fqdn, &to.target_net_address, &to.target_netbios_name];
    let name = names.into_iter().flatten().find(|name| !name.is_empty());
    fail::redirected(at, name.map_or("", |name| name))
}

/// The error at the bottom of a chain, if it is one of the system's.
fn io_error(e: &ConnectorError) -> Option<&std::io::Error> {
    let mut next: Option<&dyn std::error::Error> = Some(e);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io);
        }
        next = error.source();
    }
    None
}

/// A connector's error with its cause, without the places in its source.
fn detail(e: &ConnectorError) -> String {
    match e.kind() {
        ConnectorErrorKind::Reason(reason) => reason.clone(),
        kind => match std::error::Error::source(kind) {
            Some(source) => format!("{kind}: {source}"),
            None => format!("{kind}: {e}"),
        },
    }
}

/// What went wrong in the sequence.
pub fn in_words(at: &HostPort, settings: &Settings, e: &ConnectorError) -> Failure {
    if let Some(io) = io_error(e) {
        return fail::broken(at, io);
    }
    match e.kind() {
        ConnectorErrorKind::Negotiation(no) => {
            let wants = match no.code() {
                FailureCode::HYBRID_REQUIRED_BY_SERVER => Wants::Nla,
                FailureCode::SSL_NOT_ALLOWED_BY_SERVER => Wants::Less,
                FailureCode::SSL_REQUIRED_BY_SERVER => Wants::Less,
                FailureCode::SSL_CERT_NOT_ON_SERVER => Wants::Certificate,
                _ => Wants::Other,
            };
            fail::negotiation(at, wants, settings.security)
        }
        ConnectorErrorKind::Reason(words) if ended::is_reason(words) => {
            ended::reason(at, words).unwrap_or_else(|| fail::protocol(at, words))
        }
        // A server that knows no negotiation, or not what was offered.
        ConnectorErrorKind::Reason(words) if words.contains("client advertised") => {
            fail::negotiation(at, Wants::Less, settings.security)
        }
        _ => fail::protocol(at, &detail(e)),
    }
}

/// Why NLA failed. Many servers only hang up.
fn refusal(at: &HostPort, user: &str, e: &ConnectorError) -> Failure {
    if let Some(io) = io_error(e) {
        return match io.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset => {
                fail::login(at, user)
            }
            _ => fail::broken(at, io),
        };
    }
    match e.kind() {
        ConnectorErrorKind::AccessDenied => fail::not_allowed(at, user),
        ConnectorErrorKind::Credssp(e) => match (e.nstatus, e.error_type) {
            (Some(code), _) => fail::status(at, user, code.0),
            (None, sspi::ErrorKind::MessageAltered | sspi::ErrorKind::BadBindings) => {
                fail::impostor(at)
            }
            (None, sspi::ErrorKind::LogonDenied) => fail::login(at, user),
            (None, _) => fail::protocol(at, &e.description),
        },
        _ => fail::protocol(at, &detail(e)),
    }
}
