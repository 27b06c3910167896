//! A first connection that only goes as far as TLS: which certificate the server
//! shows, which is trusted here as ever, and whether it wants NLA. FreeRDP is then
//! told to accept that certificate and no other. Sends nothing of the person's but
//! the name.

use std::time::Instant;

use ironrdp_tokio::{MovableTokioFramed, connect_begin, mark_as_upgraded};
use tokio::time::timeout;

use crate::connect::desk::tls::{self, Ciphers, Wire};
use crate::connect::line::End;
use crate::connect::rdp::login::Login;
use crate::connect::rdp::sequence::CERTIFICATE;
use crate::connect::rdp::settings::Settings;
use crate::connect::rdp::{config, fail, refusal};
use crate::connect::ssh::{fail as local, hostkey};
use crate::connect::{Failure, Progress};

/// What a server is.
pub struct Seen {
    /// `SHA256:…` of its certificate, which is trusted.
    pub fingerprint: String,
    /// It has chosen NLA.
    pub nla: bool,
    /// `TLS 1.3` or the like.
    pub version: String,
    /// That is one that is no longer thought safe.
    pub weak: bool,
}

/// Looks at a server.
///
/// # Errors
/// It cannot be reached, speaks otherwise, or is not trusted.
pub async fn look(
    end: &End<'_>,
    settings: &Settings,
    wire: Wire,
    login: &mut Login<'_>,
    trusted: &mut Option<String>,
) -> Result<Seen, Failure> {
    let at = &end.hop.at;
    let limit = settings.connect_timeout;
    let late = || local::timeout(at, limit.as_secs());
    end.up.say(&Progress::Negotiating(at.to_string()));
    let mut connector = config::connector(settings, login, None, None);
    let mut framed = MovableTokioFramed::new(wire);
    let begun = timeout(limit, connect_begin(&mut framed, &mut connector)).await;
    let upgrade = begun.map_err(|_| late())?.map_err(|e| refusal::in_words(at, settings, &e))?;
    let (wire, early) = framed.into_inner();
    if !early.is_empty() {
        return Err(fail::protocol(at, "TLS"));
    }
    let ciphers = if settings.weak_tls { Ciphers::Old } else { Ciphers::Today };
    let secured = timeout(limit, tls::secure(wire, at, ciphers)).await.map_err(|_| late())?;
    let secured = secured.map_err(|why| fail::unsecured(at, &why, settings.weak_tls))?;
    let seen = hostkey::presented(at, CERTIFICATE, &secured.certificate);
    if trusted.as_ref() != Some(&seen.fingerprint) {
        let since = Instant::now();
        hostkey::check(&seen, end.hop, end.up)?;
        login.asked.waited(since);
        *trusted = Some(seen.fingerprint.clone());
    }
    mark_as_upgraded(upgrade, &mut connector);
    Ok(Seen {
        fingerprint: seen.fingerprint,
        nla: connector.should_perform_credssp(),
        version: secured.version,
        weak: secured.weak,
    })
}
