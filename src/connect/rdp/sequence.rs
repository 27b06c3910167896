//! The way to a desktop (MS-RDPBCGR section 1.3.1.1): the first steps (`upgrade`), NLA;
//! then, once a size is known, the rest of the sequence. It paints nothing.

use ironrdp_connector::connection_activation::{
    ConnectionActivationSequence, ConnectionActivationState,
};
use ironrdp_connector::{
    ClientConnector, ClientConnectorState, ConnectionOutcome, ConnectionResult, ConnectorError,
    ConnectorErrorExt, Credentials, DesktopSize, MultitransportResult, Sequence,
};
use ironrdp_core::{WriteBuf, decode};
use ironrdp_pdu::mcs::SendDataRequest;
use ironrdp_pdu::rdp::ClientInfoPdu;
use ironrdp_pdu::rdp::client_info::ClientInfoFlags;
use ironrdp_pdu::rdp::headers::{self, ShareControlPdu, ShareDataPdu};
use ironrdp_pdu::rdp::multitransport::MultitransportResponsePdu;
use ironrdp_pdu::rdp::session_info::ServerAutoReconnect;
use ironrdp_pdu::x224::X224;
use ironrdp_pdu::{Action, mcs};
use ironrdp_tokio::{
    FramedWrite, MovableTokioFramed, complete_multitransport, single_sequence_step,
};
use tokio::time::timeout;
use tokio_openssl::SslStream;

use super::clip::Shared;
use super::login::Login;
use super::nla::way::{Allowed, Way, way};
use super::nla::{self, Kdc, Server, Who};
use super::settings::{Settings, Sound};
use super::upgrade::to_tls;
use super::{config, fail, refusal};
use crate::connect::desk::tls::{Secured, Wire};
use crate::connect::line::End;
use crate::connect::link::LinkInfo;
use crate::connect::screen::ScreenSize;
use crate::connect::ssh::fail as local;
use crate::connect::{Failure, FailureKind, Progress};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::{share, sound};

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
    wire: Wire,
    login: &mut Login<'_>,
    trusted: &mut Option<String>,
    cookie: Option<&ServerAutoReconnect>,
) -> Result<Attempt, Failure> {
    end.up.say(&Progress::Negotiating(end.hop.at.to_string()));
    let board =
        (settings.clipboard.to_server || settings.clipboard.from_server).then(Shared::default);
    let folder = match settings.folder.as_str() {
        "" => None,
        named => Some(share::folder(named).map_err(|why| fail::folder(named, &why))?),
    };
    let mut connector = config::connector(settings, login, board.as_ref(), folder.as_deref());
    connector.auto_reconnect_cookie = cookie.cloned();
    let (secured, fingerprint) =
        to_tls(end, settings, wire, &mut connector, login, trusted).await?;
    let nla = connector.should_perform_credssp();
    if nla {
        login.complete(settings)?;
    } else {
        login.as_stored();
    }
    if login.asked.took_too_long() {
        return Ok(Attempt::Again);
    }
    let Secured { stream, public_key, version, weak, .. } = secured;
    let mut framed = MovableTokioFramed::new(stream);
    connector.config.domain = login.domain();
    connector.config.autologon = login.asked.password().is_some();
    connector.config.credentials = credentials(login);
    let mut by = String::new();
    if nla {
        let wire = (&mut connector, &mut framed);
        match authenticate(end, wire, settings, login, public_key).await? {
            Proven::By(protocol) => by = format!(" · NLA ({protocol})"),
            Proven::Again => return Ok(Attempt::Again),
        }
    }
    let mut info = LinkInfo {
        user: login.shown(),
        host_key: fingerprint,
        description: format!("RDP · {version}{by}"),
        desktop: true,
        comes_back: settings.reconnect,
        takes_files: settings.clipboard.to_server,
        ..LinkInfo::default()
    };
    if let Some(why) = &login.instead {
        info.warnings.push(nla::fail::instead(why));
    }
    if weak {
        info.warnings.push(Bi::new(
            format!("Chiffrement ancien accepté pour cette entrée\u{a0}: {version}"),
            format!("Old encryption accepted for this entry: {version}"),
        ));
    }
    if let Some(folder) = folder {
        let access = if settings.folder_writable { "rw" } else { "ro" };
        info.forwards.push(format!("{} ({access})", folder.display()));
    }
    if settings.sound == Sound::Here && !sound::has_player() {
        info.warnings.push(Bi::new(
            "Le son ne sera pas entendu\u{a0}: installez paplay (pulseaudio-utils), pw-cat ou aplay \
             (alsa-utils)",
            "The sound will not be heard: install paplay (pulseaudio-utils), pw-cat or aplay \
             (alsa-utils)",
        ));
    }
    Ok(Attempt::Ready(Box::new(Ready { framed, connector, board, info })))
}

fn credentials(login: &Login<'_>) -> Credentials {
    let password = login.asked.password().map_or_else(String::new, |p| p.expose(str::to_owned));
    Credentials::UsernamePassword { username: login.user().to_owned(), password }
}

/// How NLA went.
enum Proven {
    /// By this protocol.
    By(&'static str),
    /// Not, but another connection may do better.
    Again,
}

/// NLA: by Kerberos where that can be, else by NTLM.
async fn authenticate(
    end: &End<'_>,
    (connector, framed): (&mut ClientConnector, &mut Framed),
    settings: &Settings,
    login: &mut Login<'_>,
    public_key: Vec<u8>,
) -> Result<Proven, Failure> {
    let (at, limit) = (&end.hop.at, settings.connect_timeout);
    let ClientConnectorState::Credssp { selected_protocol } = connector.state else {
        return Err(fail::protocol(at, "CredSSP"));
    };
    let mut kdc = kdc(end, settings, login)?;
    let domain = login.domain();
    let who =
        Who { user: login.user(), domain: domain.as_deref(), password: login.asked.password() };
    let server = Server { at, public_key, protocol: selected_protocol };
    let done = timeout(limit, nla::prove(framed, &who, server, kdc.as_mut())).await;
    let done = done.map_err(|_| local::timeout(at, limit.as_secs()))?;
    if let Some(ahead) = kdc.as_ref().and_then(|kdc| kdc.ahead) {
        end.up.say(&Progress::Warning(nla::fail::ahead(ahead)));
    }
    let Err(unproven) = done else {
        connector.mark_credssp_as_done();
        return Ok(Proven::By(if kdc.is_some() { "Kerberos" } else { "NTLM" }));
    };
    let (failure, other_way) = match &kdc {
        Some(kdc) => unproven.of_kerberos(at, &login.shown(), kdc),
        None => {
            let by = format!("{} (NTLM)", login.shown());
            (refusal::of_login(at, &by, &unproven.error), false)
        }
    };
    if other_way && settings.proof == Allowed::Both {
        login.instead = Some(failure.what);
        return Ok(Proven::Again);
    }
    let wrong = failure.kind == FailureKind::Login;
    if wrong && login.asked.refused() { Ok(Proven::Again) } else { Err(failure) }
}

/// The KDC that gives the ticket; none where NTLM is to do.
fn kdc<'a>(
    end: &'a End<'a>,
    settings: &Settings,
    login: &mut Login<'_>,
) -> Result<Option<Kdc<'a>>, Failure> {
    if login.instead.is_some() {
        return Ok(None);
    }
    let domain = login.domain().unwrap_or_default();
    let host = &end.hop.at.host;
    let only = settings.proof == Allowed::Kerberos;
    let at = match way(settings.proof, &settings.kdc, login.user(), &domain, host) {
        Way::Kerberos(at) => at,
        Way::Ntlm(why) if only => return Err(nla::fail::impossible(why)),
        Way::Ntlm(_) => return Ok(None),
    };
    match Kdc::reach(end, at.clone(), settings.connect_timeout) {
        Ok(kdc) => Ok(Some(kdc)),
        Err(why) => {
            let failure = nla::fail::silent(&at, &why.what);
            if only {
                return Err(failure);
            }
            login.instead = Some(failure.what);
            Ok(None)
        }
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
    let mut licensing = false;
    let steps = async {
        let mut buffer = WriteBuf::new();
        loop {
            licensing = matches!(connector.state, ClientConnectorState::LicensingExchange { .. });
            if connector.should_perform_multitransport() {
                let no = MultitransportResult::Failure(MultitransportResponsePdu::E_ABORT);
                complete_multitransport(connector, framed, no).await?;
                continue;
            }
            let info =
                matches!(connector.state, ClientConnectorState::SecureSettingsExchange { .. });
            if info && settings.sound == Sound::There {
                buffer.clear();
                connector.step_no_input(&mut buffer)?;
                let frame = sound_there(buffer.filled());
                let frame = frame.ok_or_else(|| ConnectorError::general("Client Info"))?;
                let sent = framed.write_all(&frame).await;
                sent.map_err(|e| ConnectorError::custom("Client Info", e))?;
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
        Ok(ConnectionOutcome::Redirected(to)) => Err(refusal::redirected(at, &to)),
        Err(e) if licensing => Err(refusal::of_licence(at, &e)),
        Err(e) => Err(refusal::in_words(at, settings, &e)),
    }
}

/// What the client says of itself, with the wish that the sound stays at the server
/// (INFO_REMOTECONSOLEAUDIO, MS-RDPBCGR section 2.2.1.11.1.1), for which IronRDP has no
/// setting.
fn sound_there(frame: &[u8]) -> Option<Vec<u8>> {
    let X224(request) = decode::<X224<SendDataRequest<'_>>>(frame).ok()?;
    let mut said: ClientInfoPdu = decode(&request.user_data).ok()?;
    said.client_info.flags |= ClientInfoFlags::REMOTE_CONSOLE_AUDIO;
    let mut out = WriteBuf::new();
    let SendDataRequest { initiator_id, channel_id, .. } = request;
    mcs::encode_send_data_request(initiator_id, channel_id, &said, &mut out).ok()?;
    Some(out.filled().to_vec())
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

#[cfg(test)]
mod tests {
    use ironrdp_core::encode_vec;
    use ironrdp_pdu::rdp::client_info::{
        AddressFamily, ClientInfo, CompressionType, Credentials, ExtendedClientInfo,
        ExtendedClientOptionalInfo,
    };
    use ironrdp_pdu::rdp::headers::{BasicSecurityHeader, BasicSecurityHeaderFlags};

    use super::*;

    #[test]
    fn nothing_but_the_place_of_the_sound_is_said_anew() {
        let said = ClientInfoPdu {
            security_header: BasicSecurityHeader { flags: BasicSecurityHeaderFlags::INFO_PKT },
            client_info: ClientInfo {
                credentials: Credentials {
                    username: "ada".into(),
                    password: "tuile-Érable".into(),
                    domain: Some("CORP".into()),
                },
                password_cookie: None,
                code_page: 0,
                flags: ClientInfoFlags::UNICODE | ClientInfoFlags::AUTOLOGON,
                compression_type: CompressionType::K8,
                alternate_shell: "calc.exe".into(),
                work_dir: String::new(),
                extra_info: ExtendedClientInfo {
                    address_family: AddressFamily::INET,
                    address: "0.0.0.0".into(),
                    dir: "C:\\".into(),
                    optional_data: ExtendedClientOptionalInfo::default(),
                },
            },
        };
        let mut frame = WriteBuf::new();
        mcs::encode_send_data_request(1007, 1003, &said, &mut frame).expect("it can be said");
        let anew = sound_there(frame.filled()).expect("it can be read");
        let X224(request) = decode::<X224<SendDataRequest<'_>>>(&anew).expect("a request");
        assert_eq!((request.initiator_id, request.channel_id), (1007, 1003));
        let mut there: ClientInfoPdu = decode(&request.user_data).expect("the same");
        assert!(there.client_info.flags.contains(ClientInfoFlags::REMOTE_CONSOLE_AUDIO));
        there.client_info.flags -= ClientInfoFlags::REMOTE_CONSOLE_AUDIO;
        assert_eq!(encode_vec(&there).expect("again"), encode_vec(&said).expect("again"));
    }
}
