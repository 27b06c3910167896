//! Sealing and opening one record. Each seal is bound to its vault, client, key
//! generation, row, purpose and version: a row moved or replayed does not open.

use zeroize::Zeroizing;

use crate::crypto::aead::{self, OpenError};
use crate::crypto::context::context;
use crate::crypto::keys;
use crate::model::entry::{Entry, Summary};
use crate::model::id::{CellId, EntryId, VaultId};
use crate::secret::{Key32, SecretBytes};

use super::index::segment::Segment;

/// What a cell holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// An entry, as it is or as it was.
    Entry,
    /// One secret.
    Secret,
    /// One attachment.
    Attachment,
    /// One configuration.
    Snapshot,
    /// A manifest that the vault shares.
    Manifest,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Secret => "secret",
            Self::Attachment => "attachment",
            Self::Snapshot => "snapshot",
            Self::Manifest => "manifest",
        }
    }
}

/// Where a cell stands: everything its seal is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Which vault.
    pub vault: VaultId,
    /// Which client.
    pub client: EntryId,
    /// Generation of the client key.
    pub generation: u32,
    /// Which row.
    pub cell: CellId,
    /// Version of the content.
    pub ver: u64,
}

impl Place {
    fn context(&self, purpose: Purpose) -> Vec<u8> {
        context(
            "rec",
            &[
                &self.vault.0,
                &self.client.0,
                &self.generation.to_be_bytes(),
                &self.cell.0,
                purpose.word().as_bytes(),
                &self.ver.to_be_bytes(),
            ],
        )
    }
}

/// Seals raw bytes: a secret or an attachment.
pub fn seal(
    key: &Key32,
    place: &Place,
    purpose: Purpose,
    plain: &[u8],
    salt: &[u8; 24],
) -> Vec<u8> {
    let key = keys::sub(key, "cell", place.generation);
    aead::seal_padded(&key, &place.context(purpose), salt, plain)
}

/// Opens what [`seal`] sealed.
///
/// # Errors
/// The row is not what was sealed for this place.
pub fn open(
    key: &Key32,
    place: &Place,
    purpose: Purpose,
    sealed: &[u8],
) -> Result<SecretBytes, OpenError> {
    let key = keys::sub(key, "cell", place.generation);
    aead::open_padded(&key, &place.context(purpose), sealed)
}

/// Seals an entry.
pub fn seal_entry(key: &Key32, place: &Place, entry: &Entry, salt: &[u8; 24]) -> Vec<u8> {
    let mut plain = Zeroizing::new(postcard::to_stdvec(entry).expect("plain data serialises"));
    if !entry.snapshots.is_empty() {
        plain.extend(postcard::to_stdvec(&entry.snapshots).expect("plain data serialises"));
    }
    seal(key, place, Purpose::Entry, &plain, salt)
}

/// Opens an entry.
///
/// # Errors
/// As [`open`], or the content is not an entry of this format.
pub fn open_entry(key: &Key32, place: &Place, sealed: &[u8]) -> Result<Entry, OpenError> {
    open(key, place, Purpose::Entry, sealed)?.expose(|plain| {
        let (entry, rest) = postcard::take_from_bytes::<Entry>(plain).map_err(|_| OpenError)?;
        if rest.is_empty() {
            return Ok(entry);
        }
        let snapshots = postcard::from_bytes(rest).map_err(|_| OpenError)?;
        Ok(Entry { snapshots, ..entry })
    })
}

/// Masks a client id so that a row's client shows only to who has the first
/// vault key. Masking twice gives the id back.
pub fn mask_client(first_vault_key: &Key32, cell: &CellId, client: &[u8; 16]) -> [u8; 16] {
    use hmac::{Hmac, KeyInit, Mac};
    let key = keys::sub(first_vault_key, "place", 0);
    let mut mac =
        key.expose(|k| Hmac::<sha2::Sha256>::new_from_slice(k).expect("HMAC takes any key length"));
    mac.update(&cell.0);
    let mask = mac.finalize().into_bytes();
    std::array::from_fn(|i| client[i] ^ mask[i])
}

fn index_context(
    vault: &VaultId,
    client: &EntryId,
    generation: u32,
    kind: &str,
    ver: u64,
) -> Vec<u8> {
    context(
        "index",
        &[&vault.0, &client.0, &generation.to_be_bytes(), kind.as_bytes(), &ver.to_be_bytes()],
    )
}

/// Seals a client's packed index.
pub fn seal_segment(
    key: &Key32,
    vault: &VaultId,
    client: &EntryId,
    generation: u32,
    ver: u64,
    segment: &Segment,
    salt: &[u8; 24],
) -> Vec<u8> {
    let ctx = index_context(vault, client, generation, "segment", ver);
    aead::seal_padded(&keys::sub(key, "index", generation), &ctx, salt, segment.bytes())
}

/// Opens a client's packed index.
///
/// # Errors
/// It was changed or is not of this format; it can be rebuilt from the cells.
pub fn open_segment(
    key: &Key32,
    vault: &VaultId,
    client: &EntryId,
    generation: u32,
    ver: u64,
    sealed: &[u8],
) -> Result<Segment, OpenError> {
    let ctx = index_context(vault, client, generation, "segment", ver);
    let plain = aead::open_padded_wiped(&keys::sub(key, "index", generation), &ctx, sealed)?;
    Segment::parse(plain).map_err(|_| OpenError)
}

/// Seals one change of a client's index.
pub fn seal_delta(
    key: &Key32,
    vault: &VaultId,
    client: &EntryId,
    generation: u32,
    n: u64,
    change: &(EntryId, Option<Summary>),
    salt: &[u8; 24],
) -> Vec<u8> {
    let plain = Zeroizing::new(postcard::to_stdvec(change).expect("plain data serialises"));
    let ctx = index_context(vault, client, generation, "delta", n);
    aead::seal_padded(&keys::sub(key, "index", generation), &ctx, salt, &plain)
}

/// Opens one change of a client's index.
///
/// # Errors
/// It was changed or is not of this format.
pub fn open_delta(
    key: &Key32,
    vault: &VaultId,
    client: &EntryId,
    generation: u32,
    n: u64,
    sealed: &[u8],
) -> Result<(EntryId, Option<Summary>), OpenError> {
    let ctx = index_context(vault, client, generation, "delta", n);
    aead::open_padded(&keys::sub(key, "index", generation), &ctx, sealed)?
        .expose(|p| postcard::from_bytes(p))
        .map_err(|_| OpenError)
}
