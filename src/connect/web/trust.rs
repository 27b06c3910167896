//! Trust in the certificate of a page that no authority of the browser's vouches
//! for: pinned for the client, as the keys of servers are.

use crate::connect::Failure;
use crate::connect::host::child::Uplink;
use crate::connect::ssh::hostkey;
use crate::model::target::{Hop, PinnedKey};

/// What the fingerprint is of.
const ALGORITHM: &str = "x509-sha256";

/// The certificate as it is pinned.
pub fn presented(der: &[u8], hop: &Hop) -> PinnedKey {
    hostkey::presented(&hop.at, ALGORITHM, der)
}

/// Whether to go on with a server that has this certificate; its fingerprint.
///
/// # Errors
/// It is another one than the pinned, or the person does not accept it.
pub fn check(der: &[u8], hop: &Hop, up: &Uplink) -> Result<String, Failure> {
    let seen = presented(der, hop);
    hostkey::check(&seen, hop, up)?;
    Ok(seen.fingerprint)
}
