//! Trust in a server's key or certificate: pinned ones decide, else the person.
//! Never trusts one by itself.

use data_encoding::BASE64_NOPAD;
use sha2::{Digest, Sha256};

use super::fail;
use crate::connect::host::child::Uplink;
use crate::connect::{Failure, Question};
use crate::model::target::{Hop, HostPort, PinnedKey};

/// The key a server presented, as OpenSSH names it: `SHA256:` and the unpadded
/// base64 of the digest of the key blob (RFC 4253 section 6.6); of a certificate that
/// of its DER.
pub fn presented(at: &HostPort, algorithm: &str, blob: &[u8]) -> PinnedKey {
    PinnedKey {
        at: at.clone(),
        algorithm: algorithm.to_owned(),
        fingerprint: format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(blob))),
    }
}

/// Whether to go on with a server that presented `seen`.
///
/// # Errors
/// The key is another one than the pinned, or the person does not accept it.
pub fn check(seen: &PinnedKey, hop: &Hop, up: &Uplink) -> Result<(), Failure> {
    if hop.pinned.iter().any(|k| k.fingerprint == seen.fingerprint) {
        return Ok(());
    }
    if !hop.pinned.is_empty() {
        up.key_changed(seen);
        return Err(fail::key_changed(seen, &hop.pinned));
    }
    if up.ask_yes(Question::TrustHostKey(seen.clone())) {
        Ok(())
    } else {
        Err(fail::key_refused(seen))
    }
}

/// `supported` with the kinds of the pinned keys first, so that a server with
/// several keys presents the one we know.
pub fn preference(supported: &[&str], pinned: &[PinnedKey]) -> String {
    let known = |name: &str| pinned.iter().any(|k| kind(&k.algorithm) == kind(name));
    let (mut first, rest): (Vec<&str>, Vec<&str>) =
        supported.iter().copied().partition(|name| known(name));
    first.extend(rest);
    first.join(",")
}

/// The kind of key behind a signature algorithm: RSA has three names.
fn kind(algorithm: &str) -> &str {
    match algorithm {
        "rsa-sha2-256" | "rsa-sha2-512" | "ssh-rsa" => "ssh-rsa",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_kind_is_asked_for_first() {
        let at = HostPort { host: "h".into(), port: 22 };
        let pinned =
            [PinnedKey { at, algorithm: "rsa-sha2-512".into(), fingerprint: "SHA256:x".into() }];
        let all = ["ssh-ed25519", "rsa-sha2-256", "ecdsa-sha2-nistp256", "rsa-sha2-512"];
        assert_eq!(
            preference(&all, &pinned),
            "rsa-sha2-256,rsa-sha2-512,ssh-ed25519,ecdsa-sha2-nistp256"
        );
    }
}
