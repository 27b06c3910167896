//! Whose certificates are in a profile, and when they end. Reads no key and checks no
//! signature: that is the business of `openvpn`.

use x509_cert::der::Decode as _;

use super::model::{PartKind, Profile};
use super::parts;
use super::why::shown_name;
use crate::model::time::Time;

/// A certificate of a profile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// What it is there for.
    pub role: Role,
    /// Whose it is (RFC 4514).
    pub subject: String,
    /// It does not hold before.
    pub not_before: Time,
    /// It does not hold after.
    pub not_after: Time,
}

/// What a certificate is there for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Proves the client.
    Client,
    /// Proves servers.
    Authority,
    /// Stands between the client and its authority.
    Between,
}

/// Those of the parts in the open, in order; what cannot be read is left out.
pub(super) fn of(profile: &Profile) -> Vec<Certificate> {
    let mut out = Vec::new();
    for part in profile.parts() {
        let first = match part.kind {
            PartKind::Authority => Role::Authority,
            PartKind::Certificate => Role::Client,
            PartKind::Between => Role::Between,
            _ => continue,
        };
        let ders = part.body.expose(parts::certificates);
        for (at, der) in ders.iter().enumerate() {
            let role = if first == Role::Client && at > 0 { Role::Between } else { first };
            out.extend(read(der, role));
        }
    }
    out
}

fn read(der: &[u8], role: Role) -> Option<Certificate> {
    let whole = x509_cert::Certificate::from_der(der).ok()?;
    let inner = whole.tbs_certificate();
    let time = |time: x509_cert::time::Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs());
        Time::from_unix_seconds(seconds.unwrap_or(i64::MAX))
    };
    Some(Certificate {
        role,
        subject: shown_name(&inner.subject().to_string()),
        not_before: time(inner.validity().not_before),
        not_after: time(inner.validity().not_after),
    })
}
