//! A first connection that only goes as far as TLS: which certificate the server
//! shows, which is trusted here as ever, and whether it wants NLA. FreeRDP is then
//! told to accept that certificate and no other. Sends nothing of the person's but
//! the name.

use crate::connect::desk::tls::Wire;
use crate::connect::line::End;
use crate::connect::rdp::config;
use crate::connect::rdp::login::Login;
use crate::connect::rdp::settings::Settings;
use crate::connect::rdp::upgrade::to_tls;
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
    end.up.say(&Progress::Negotiating(end.hop.at.to_string()));
    let mut connector = config::connector(settings, login, None, None);
    let (secured, fingerprint) =
        to_tls(end, settings, wire, &mut connector, login, trusted).await?;
    Ok(Seen {
        fingerprint,
        nla: connector.should_perform_credssp(),
        version: secured.version,
        weak: secured.weak,
    })
}
