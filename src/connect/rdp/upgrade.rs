//! The first steps to a desktop (MS-RDPBCGR section 1.3.1.1), for whichever program
//! shows it: negotiation, TLS, and the certificate, which is trusted or not. Nothing
//! of the person's is sent but the name.

use std::time::Instant;

use ironrdp_connector::ClientConnector;
use ironrdp_tokio::{MovableTokioFramed, connect_begin, mark_as_upgraded};
use tokio::time::timeout;

use super::login::Login;
use super::sequence::CERTIFICATE;
use super::settings::Settings;
use super::{fail, refusal};
use crate::connect::Failure;
use crate::connect::desk::tls::{self, Ciphers, Secured, Wire};
use crate::connect::line::End;
use crate::connect::ssh::{fail as local, hostkey};

/// Gets `connector` over `wire` into TLS with a server that is trusted; `trusted` is
/// the `SHA256:…` of the certificate that was accepted before, and is now.
///
/// # Errors
/// It does not answer in time, speaks otherwise, or is not trusted.
pub async fn to_tls(
    end: &End<'_>,
    settings: &Settings,
    wire: Wire,
    connector: &mut ClientConnector,
    login: &mut Login<'_>,
    trusted: &mut Option<String>,
) -> Result<(Secured, String), Failure> {
    let at = &end.hop.at;
    let limit = settings.connect_timeout;
    let late = || local::timeout(at, limit.as_secs());
    let mut framed = MovableTokioFramed::new(wire);
    let begun = timeout(limit, connect_begin(&mut framed, connector)).await;
    let upgrade = begun.map_err(|_| late())?.map_err(|e| refusal::in_words(at, settings, &e))?;
    let (wire, early) = framed.into_inner();
    if !early.is_empty() {
        return Err(fail::protocol(at, "TLS"));
    }
    let weak = settings.weak_tls;
    let ciphers = if weak { Ciphers::Old } else { Ciphers::Today };
    let secured = timeout(limit, tls::secure(wire, at, ciphers)).await;
    let secured = secured.map_err(|_| late())?.map_err(|why| fail::unsecured(at, &why, weak))?;
    let seen = hostkey::presented(at, CERTIFICATE, &secured.certificate);
    if trusted.as_ref() != Some(&seen.fingerprint) {
        let since = Instant::now();
        hostkey::check(&seen, end.hop, end.up)?;
        login.asked.waited(since);
        *trusted = Some(seen.fingerprint.clone());
    }
    mark_as_upgraded(upgrade, connector);
    Ok((secured, seen.fingerprint))
}
