//! Signed heads of the log: C2SP tlog-checkpoint in a C2SP signed note with
//! Ed25519 signatures, and the vault's public fingerprint.
//!
//! ```text
//! poterne/000102030405060708090a0b0c0d0e0f
//! 1024
//! ql2mGgQXIKrQFHXfW4C1oHvmPWlNmHPOKnpJTV1Vygs=
//!
//! — poterne/000102030405060708090a0b0c0d0e0f/101112131415161718191a1b1c1d1e1f mAb1…
//! ```

use data_encoding::{BASE32_NOPAD, BASE64, HEXLOWER};

use super::hash::{self, Hash};
use super::statement::{PublicKey, Signature, Signer};
use crate::model::id::{MemberId, VaultId};

/// Signature type of Ed25519 in C2SP signed-note.
const ED25519: u8 = 1;

/// Size and root of a tree, as signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Whose log.
    pub vault: VaultId,
    /// Number of lines covered.
    pub size: u64,
    /// RFC 6962 root over them.
    pub root: Hash,
}

/// One signature line of a note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteSignature {
    /// Who signed.
    pub by: MemberId,
    /// First bytes of the key's hash; see [`key_id`].
    pub key_id: [u8; 4],
    /// Over [`Checkpoint::body`].
    pub signature: Signature,
}

impl Checkpoint {
    /// The signed text: origin, size, root, each with its line feed.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", origin(self.vault), self.size, hash::base64(&self.root))
    }

    /// A note with one signature.
    pub fn note(&self, by: MemberId, pk: &PublicKey, signature: &Signature) -> String {
        let name = key_name(self.vault, by);
        let stamp = BASE64.encode(&stamp(&name, pk, signature));
        format!("{}\n\u{2014} {name} {stamp}\n", self.body())
    }

    /// Signs, and prints the note.
    pub fn sign(&self, by: MemberId, pk: &PublicKey, signer: Signer<'_>) -> String {
        self.note(by, pk, &signer(self.body().as_bytes()))
    }

    /// Reads a note. C2SP has a reader pass over signatures of strangers; here every
    /// one is by a member, so that none lends the note a name it does not have.
    /// `None` when the text is not a checkpoint of a vault.
    pub fn parse(note: &str) -> Option<(Self, Vec<NoteSignature>)> {
        let (body, signatures) = note.split_once("\n\n")?;
        let mut lines = body.split('\n');
        let vault = lines.next()?.strip_prefix("poterne/")?.parse().ok()?;
        let size: u64 = lines.next()?.parse().ok()?;
        let root = hash::from_base64(lines.next()?.as_bytes())?;
        let this = Self { vault, size, root };
        // Prints as read, so that what is checked is what is there; no extension lines.
        if this.body().strip_suffix('\n')? != body {
            return None;
        }
        let mut found = Vec::new();
        for line in signatures.strip_suffix('\n')?.split('\n') {
            let (name, stamp) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
            let stamp = BASE64.decode(stamp.as_bytes()).ok()?;
            let (key_id, signature) = stamp.split_first_chunk::<4>()?;
            let by = name
                .strip_prefix(&origin(vault))
                .and_then(|rest| rest.strip_prefix('/'))
                .and_then(|id| id.parse().ok())?;
            let signature = signature.try_into().ok()?;
            found.push(NoteSignature { by, key_id: *key_id, signature });
        }
        Some((this, found))
    }
}

impl NoteSignature {
    /// Whether this is a signature of `pk` over `checkpoint`.
    pub fn verify(&self, checkpoint: &Checkpoint, pk: &PublicKey) -> bool {
        self.key_id == key_id(&key_name(checkpoint.vault, self.by), pk)
            && super::statement::verify(pk, checkpoint.body().as_bytes(), &self.signature)
    }
}

/// Origin line of the vault's log.
pub fn origin(vault: VaultId) -> String {
    format!("poterne/{vault}")
}

/// Name of a member's key in notes.
pub fn key_name(vault: VaultId, member: MemberId) -> String {
    format!("poterne/{vault}/{member}")
}

/// `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ pk)[..4]` (C2SP signed-note).
pub fn key_id(name: &str, pk: &PublicKey) -> [u8; 4] {
    let full = hash::sha256(&[name.as_bytes(), b"\n", &[ED25519], pk]);
    [full[0], full[1], full[2], full[3]]
}

/// `key id ‖ signature`.
fn stamp(name: &str, pk: &PublicKey, signature: &Signature) -> [u8; 68] {
    let mut out = [0; 68];
    out[..4].copy_from_slice(&key_id(name, pk));
    out[4..].copy_from_slice(signature);
    out
}

/// `name+key id+base64(0x01 ‖ pk)`: a C2SP verifier key.
pub fn vkey(name: &str, pk: &PublicKey) -> String {
    let mut key = [ED25519; 33];
    key[1..].copy_from_slice(pk);
    format!("{name}+{}+{}", HEXLOWER.encode(&key_id(name, pk)), BASE64.encode(&key))
}

/// Reads a verifier key; `None` for anything that [`vkey`] does not print.
pub fn parse_vkey(text: &str) -> Option<(&str, PublicKey)> {
    let (name, rest) = text.split_once('+')?;
    let (_, key) = rest.split_once('+')?;
    let key = BASE64.decode(key.as_bytes()).ok()?;
    let pk: PublicKey = key.get(1..)?.try_into().ok()?;
    (vkey(name, &pk) == text).then_some((name, pk))
}

/// What an auditor is given to know a vault by: the first 16 bytes of
/// `SHA-256("poterne/v1 fingerprint\0" ‖ vault ‖ root_pk)` in base32 (RFC 4648,
/// no padding), in groups of four: 26 letters and digits.
pub fn fingerprint(vault: VaultId, root_pk: &PublicKey) -> String {
    let full = hash::sha256(&[b"poterne/v1 fingerprint\0", vault.as_bytes(), root_pk]);
    group(&BASE32_NOPAD.encode(&full[..16]))
}

/// A typed fingerprint in the form [`fingerprint`] prints; case, spaces and
/// hyphens do not matter. `None` when it cannot be one.
pub fn normal_fingerprint(typed: &str) -> Option<String> {
    let text: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let bytes = BASE32_NOPAD.decode(text.as_bytes()).ok()?;
    (bytes.len() == 16).then(|| group(&text))
}

fn group(text: &str) -> String {
    let groups: Vec<&str> =
        (0..text.len()).step_by(4).map(|i| &text[i..text.len().min(i + 4)]).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_go_checksum_database_key_is_read_and_printed() {
        let text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        let (name, pk) = parse_vkey(text).expect("a C2SP verifier key in use");
        assert_eq!((name, vkey(name, &pk).as_str()), ("sum.golang.org", text));
        assert_eq!(parse_vkey(&text.replace("033de0ae", "033de0af")), None);
    }

    #[test]
    fn a_fingerprint_typed_carelessly_is_the_same() {
        let fp = fingerprint(VaultId([7; 16]), &[9; 32]);
        assert_eq!(fp.len(), 32);
        let typed = fp.to_lowercase().replace('-', " ");
        assert_eq!(normal_fingerprint(&typed), Some(fp));
        assert_eq!(normal_fingerprint("ABCD"), None);
    }
}
