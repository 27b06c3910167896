//! NLA (CredSSP, MS-CSSP): user and password are proven to the server, by NTLM or by a
//! ticket of Kerberos, before it is given them. With Kerberos nothing else is offered
//! and nothing else is taken: who falls back to NTLM does so over a new connection.

mod error;
pub mod fail;
mod kdc;
mod reply;
pub mod way;

use std::error::Error;
use std::io;

use ironrdp_connector::sspi::credssp::{
    ClientMode, ClientState, CredSspClient, CredSspMode, EARLY_USER_AUTH_RESULT_PDU_SIZE,
    EarlyUserAuthResult, TsRequest,
};
use ironrdp_connector::sspi::generator::GeneratorState;
use ironrdp_connector::sspi::ntlm::NtlmConfig;
use ironrdp_connector::sspi::{self, AuthIdentity, KerberosConfig, NegotiateConfig, Username};
use ironrdp_connector::{ConnectorError, ConnectorErrorExt, ConnectorErrorKind, ConnectorResult};
use ironrdp_core::DecodeResult;
use ironrdp_pdu::PduHint;
use ironrdp_pdu::nego::SecurityProtocol;
use ironrdp_tokio::FramedWrite as _;

use self::error::KrbError;
pub use self::kdc::Kdc;
use super::sequence::Framed;
use crate::connect::{Failure, FailureKind};
use crate::model::target::HostPort;
use crate::os::{clock, machine};
use crate::secret::SecretText;

/// The object identifier of NTLM (MS-NLMP section 1.9), in DER, as a server names it.
const NTLM: [u8; 12] = [6, 10, 0x2B, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10];

/// The longest tag and length of a request, which sspi takes up to 64 KiB.
const HEAD: usize = 4;

/// Who logs in.
pub struct Who<'a> {
    /// Login name.
    pub user: &'a str,
    /// Domain, where it is no part of the name.
    pub domain: Option<&'a str>,
    /// Password.
    pub password: Option<&'a SecretText>,
}

/// What the server is known by.
pub struct Server<'a> {
    /// Where it is.
    pub at: &'a HostPort,
    /// The public key of its certificate.
    pub public_key: Vec<u8>,
    /// What it chose.
    pub protocol: SecurityProtocol,
}

/// Why a proof failed.
pub struct Unproven {
    /// What IronRDP or sspi says.
    pub error: ConnectorError,
    /// The server named NTLM when a ticket was offered.
    named_ntlm: bool,
    /// The error of Kerberos that the server answered with.
    told: Option<KrbError>,
}

/// Proves it: with a KDC by Kerberos, else by NTLM.
///
/// # Errors
/// The KDC or the server refuses, or the connection breaks.
pub async fn prove(
    framed: &mut Framed,
    who: &Who<'_>,
    server: Server<'_>,
    mut kdc: Option<&mut Kdc<'_>>,
) -> Result<(), Unproven> {
    let mut seen = (false, None);
    let done = exchange(framed, who, server, &mut kdc, &mut seen).await;
    done.map_err(|error| Unproven { error, named_ntlm: seen.0, told: seen.1 })
}

async fn exchange(
    framed: &mut Framed,
    who: &Who<'_>,
    server: Server<'_>,
    kdc: &mut Option<&mut Kdc<'_>>,
    seen: &mut (bool, Option<KrbError>),
) -> ConnectorResult<()> {
    let early = server.protocol.contains(SecurityProtocol::HYBRID_EX);
    let mut client = client(who, server, kdc.as_deref())?;
    let mut request = TsRequest::default();
    loop {
        let state = step(&mut client, request, who, kdc).await?;
        let (last, next) = match state {
            ClientState::ReplyNeeded(next) => (false, next),
            ClientState::FinalMessage(next) => (true, next),
        };
        let mut bytes = vec![0; usize::from(next.buffer_len().map_err(credssp)?)];
        next.encode_ts_request(&mut bytes[..]).map_err(broken)?;
        framed.write_all(&bytes).await.map_err(broken)?;
        if last {
            break;
        }
        let answer = framed.read_by_hint(&Request).await.map_err(broken)?;
        request = TsRequest::from_buffer(&answer).map_err(broken)?;
        if let Some(token) = request.nego_tokens.as_ref().filter(|_| kdc.is_some()) {
            seen.0 |= token.windows(NTLM.len()).any(|window| window == NTLM);
            seen.1 = KrbError::within(token);
        }
    }
    if early {
        let answer = framed.read_by_hint(&Early).await.map_err(broken)?;
        match EarlyUserAuthResult::from_buffer(&answer[..]).map_err(broken)? {
            EarlyUserAuthResult::Success => {}
            EarlyUserAuthResult::AccessDenied => {
                return Err(ConnectorError::new("CredSSP", ConnectorErrorKind::AccessDenied));
            }
        }
    }
    Ok(())
}

fn client(
    who: &Who<'_>,
    server: Server<'_>,
    kdc: Option<&Kdc<'_>>,
) -> ConnectorResult<CredSspClient> {
    let username = Username::new(who.user, who.domain)
        .map_err(|_| ConnectorError::general("a login name with two domains"))?;
    let password = who.password.map_or_else(String::new, |p| p.expose(str::to_owned));
    let identity = AuthIdentity { username, password: password.into() };
    let mode = match kdc {
        None => ClientMode::Ntlm(NtlmConfig::default()),
        Some(kdc) => {
            let here = machine::host_name();
            let config = KerberosConfig::new(&format!("tcp://{}", kdc.at), here.clone());
            // Without an address sspi would look for a KDC by itself.
            if config.kdc_url.is_none() {
                return Err(ConnectorError::general("KDC"));
            }
            let only = Some("kerberos".to_owned());
            ClientMode::Negotiate(NegotiateConfig::new(Box::new(config), only, here))
        }
    };
    let name = format!("TERMSRV/{}", server.at.host);
    let with = CredSspMode::WithCredentials;
    CredSspClient::new(server.public_key, identity.into(), with, mode, name).map_err(credssp)
}

/// The client's next message. A KDC is asked on the way.
async fn step(
    client: &mut CredSspClient,
    request: TsRequest,
    who: &Who<'_>,
    kdc: &mut Option<&mut Kdc<'_>>,
) -> ConnectorResult<ClientState> {
    let mut generator = client.process(request);
    let mut state = generator.start();
    loop {
        state = match state {
            GeneratorState::Suspended(request) => {
                let nobody = sspi::ErrorKind::NoAuthenticatingAuthority;
                let answer = match kdc {
                    Some(kdc) => kdc.ask(&request, who.password).await,
                    None => Err(sspi::Error::new(nobody, "no KDC")),
                };
                generator.resume(answer)
            }
            GeneratorState::Completed(done) => return done.map_err(credssp),
        }
    }
}

fn credssp(e: sspi::Error) -> ConnectorError {
    ConnectorError::new("CredSSP", ConnectorErrorKind::Credssp(e))
}

fn broken(e: io::Error) -> ConnectorError {
    ConnectorError::custom("CredSSP", e)
}

/// Where a request of CredSSP ends.
#[derive(Debug)]
struct Request;

impl PduHint for Request {
    fn find_size(&self, bytes: &[u8]) -> DecodeResult<Option<(bool, usize)>> {
        match TsRequest::read_length(bytes) {
            Ok(length) => Ok(Some((true, length))),
            // sspi calls it so too where no request can begin with these bytes: waiting for
            // more would gather all that a server sends.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof && bytes.len() < HEAD => Ok(None),
            Err(e) => Err(ironrdp_core::other_err!("TSRequest", source: e)),
        }
    }
}

/// Where the early answer of a server ends.
#[derive(Debug)]
struct Early;

impl PduHint for Early {
    fn find_size(&self, _: &[u8]) -> DecodeResult<Option<(bool, usize)>> {
        Ok(Some((true, EARLY_USER_AUTH_RESULT_PDU_SIZE)))
    }
}

impl Unproven {
    /// Why a proof by Kerberos failed, and whether NTLM may do better: where it is
    /// Kerberos that does not come about, and not user or password that are refused, which
    /// a second try would only count once more.
    pub fn of_kerberos(&self, at: &HostPort, user: &str, kdc: &Kdc<'_>) -> (Failure, bool) {
        if let Some(why) = &kdc.lost {
            return (fail::silent(&kdc.at, why), true);
        }
        if let Some(error) = kdc.refused {
            let ahead = error.time.map(|time| time - clock::now().0 / 1_000_000);
            let failure = fail::refused(&kdc.at, at, user, &fail::Told { error, ahead });
            // An account of the server's own may have a domain that the KDC does not know.
            let other = failure.kind != FailureKind::Login || error.code == 6;
            return (failure, other);
        }
        if self.named_ntlm {
            return (fail::declined(at), true);
        }
        if let Some(error) = self.told {
            let ahead = error.time.map(|time| time - clock::now().0 / 1_000_000);
            return (fail::server(at, error.code, ahead), true);
        }
        match self.hung_up() {
            true if kdc.granted => (fail::hung_up(at), true),
            true => (fail::declined(at), true),
            false => (super::refusal::of_login(at, user, &self.error), false),
        }
    }

    /// The server hung up.
    fn hung_up(&self) -> bool {
        let mut next: Option<&dyn Error> = Some(&self.error);
        while let Some(error) = next {
            let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
            if matches!(kind, Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)) {
                return true;
            }
            next = error.source();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_begin_no_request_are_refused_and_not_gathered() {
        for wrong in [[0xFF; 4], [0x30, 0x84, 0xFF, 0xFF], [0x30, 0x80, 0, 0]] {
            assert!(Request.find_size(&wrong).is_err(), "{wrong:02X?}");
        }
        let begun = [0x30, 0x82, 0x01, 0x00];
        for end in 0..begun.len() {
            assert!(matches!(Request.find_size(&begun[..end]), Ok(None)), "{end}");
        }
        assert!(matches!(Request.find_size(&begun), Ok(Some((true, 260)))));
    }
}
