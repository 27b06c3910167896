//! Where a session goes and how: everything a connector may know besides secrets.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::entry::{Kind, Slot};
use super::id::EntryId;

/// A host and a TCP port.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct HostPort {
    /// Name or address; an IPv6 address without brackets.
    pub host: String,
    /// 1 to 65,535.
    pub port: u16,
}

impl fmt::Display for HostPort {
    /// `host:port`, or `[address]:port` for IPv6 (RFC 3986 section 3.2.2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A server key that a client's entries trust.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PinnedKey {
    /// Where it was seen.
    pub at: HostPort,
    /// `ssh-ed25519`, `rsa-sha2-512`, … as the protocol names it; `x509-sha256` for a
    /// certificate.
    pub algorithm: String,
    /// `SHA256:` and the unpadded base64 digest, as OpenSSH prints it; of a
    /// certificate that of its DER.
    pub fingerprint: String,
}

impl PinnedKey {
    /// Whether people know it as a certificate.
    pub fn is_certificate(&self) -> bool {
        self.algorithm.starts_with("x509-")
    }
}

/// One machine on the way, or the destination itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hop {
    /// The entry it comes from.
    pub entry: EntryId,
    /// `Client/Folder/Name`.
    pub path: String,
    /// Where to connect.
    pub at: HostPort,
    /// Login name; empty when it is to be asked.
    pub user: String,
    /// Secrets that the lease can give for this hop.
    pub slots: Vec<Slot>,
    /// Keys pinned for this place; empty before the first visit.
    pub pinned: Vec<PinnedKey>,
    /// The connector's settings of that entry, defaults filled in.
    pub settings: BTreeMap<String, String>,
    /// True when the person is to be asked for user or password.
    pub ask: bool,
}

/// What a connector opens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// Which connector.
    pub kind: Kind,
    /// Jump hosts in the order of travel, then the destination, always present.
    pub hops: Vec<Hop>,
}

impl Target {
    /// The machine the person wants to reach.
    ///
    /// # Panics
    /// Never: a target is made with at least one hop.
    pub fn destination(&self) -> &Hop {
        self.hops.last().expect("a target has at least its destination")
    }
}
