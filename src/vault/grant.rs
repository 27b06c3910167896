//! Keys handed to members: a key sealed to the member's public key, and a
//! signature of who handed it. The grantor's right is checked before anything is
//! opened; sealing alone proves nothing about the sender.

use sha2::{Digest, Sha256};

use crate::crypto::Random;
use crate::crypto::aead::OpenError;
use crate::crypto::context::context;
use crate::crypto::kem;
use crate::crypto::sign;
use crate::model::id::{CellId, EntryId, MemberId, VaultId};
use crate::model::policy::{Action, may};
use crate::secret::Key32;

use super::cert::{Directory, Trusted};
use super::identity::Identity;

/// Subject of a grant of the vault key.
pub const VAULT_KEY: EntryId = EntryId(*b"poterne/vaultkey");
/// Subject of a grant of the seed that opens audit values.
pub const AUDIT_KEY: EntryId = EntryId(*b"poterne/auditkey");
/// Subject of a grant of the seed that opens refused unlocks.
pub const PENDING_KEY: EntryId = EntryId(*b"poterne/pendings");

/// One key for one member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrantRow {
    /// Random id.
    pub id: CellId,
    /// For whom.
    pub member: MemberId,
    /// A client, or one of the constants of this file.
    pub subject: EntryId,
    /// Generation of the key; 0 for seeds that have none.
    pub generation: u32,
    /// HPKE: encapsulated key ‖ sealed key.
    pub enc_ct: Vec<u8>,
    /// Who handed it.
    pub grantor: MemberId,
    /// The grantor's signature over all the rest.
    pub sig: [u8; 64],
}

impl GrantRow {
    /// `CTX("fk", vault, subject, u32 generation, member, SHA-256(member's X-Wing key))`.
    fn info(&self, vault: &VaultId, to: &[u8; kem::PUBLIC]) -> Vec<u8> {
        let generation = self.generation.to_be_bytes();
        let to = Sha256::digest(to);
        context("fk", &[&vault.0, &self.subject.0, &generation, &self.member.0, &to])
    }

    /// `CTX("grant", vault, id, subject, u32 generation, member, SHA-256(member's
    /// X-Wing key), grantor, enc_ct)`.
    fn signed(&self, vault: &VaultId, to: &[u8; kem::PUBLIC]) -> Vec<u8> {
        let generation = self.generation.to_be_bytes();
        context(
            "grant",
            &[
                &vault.0,
                &self.id.0,
                &self.subject.0,
                &generation,
                &self.member.0,
                &Sha256::digest(to),
                &self.grantor.0,
                &self.enc_ct,
            ],
        )
    }
}

/// Hands `key` to a member.
///
/// # Errors
/// The member's public key is not one; a verified directory holds none such.
#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "a grant names all of these")]
pub fn seal(
    vault: &VaultId,
    id: CellId,
    to: &Trusted,
    subject: EntryId,
    generation: u32,
    key: &Key32,
    grantor: (MemberId, &Identity),
    random: &mut Random<'_>,
) -> Result<GrantRow, kem::BadPublicKey> {
    let (grantor, identity) = grantor;
    let mut row = GrantRow {
        id,
        member: to.id,
        subject,
        generation,
        enc_ct: Vec::new(),
        grantor,
        sig: [0; 64],
    };
    let info = row.info(vault, &to.keys.kem);
    row.enc_ct = key.expose(|k| kem::seal_to(&to.keys.kem[..], &info, &[], k, random))?;
    row.sig = identity.signing().sign(&row.signed(vault, &to.keys.kem));
    Ok(row)
}

/// Why a grant was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// For somebody else.
    #[error("the grant is for another member")]
    NotMine,
    /// Who handed it is no member, or has no right to hand out keys.
    #[error("member {0} had no right to hand out this key")]
    NoRight(MemberId),
    /// Altered, or not by who it says.
    #[error("the grant does not open")]
    Altered,
}

impl From<OpenError> for GrantError {
    fn from(_: OpenError) -> Self {
        Self::Altered
    }
}

/// Takes a key handed to `me`. Owners and admins may hand out keys, and a member
/// to itself.
///
/// # Errors
/// [`GrantError`].
#[inline(never)]
pub fn open(
    vault: &VaultId,
    row: &GrantRow,
    me: MemberId,
    identity: &Identity,
    directory: &Directory,
) -> Result<Key32, GrantError> {
    if row.member != me {
        return Err(GrantError::NotMine);
    }
    verify(vault, row, identity.kem().public(), directory)?;
    let info = row.info(vault, identity.kem().public());
    let plain = identity.kem().open(&info, &[], &row.enc_ct)?;
    plain.expose(Key32::copy_of).ok_or(GrantError::Altered)
}

/// Opens a grant without judging who handed it: the vault key must be there
/// before the directory that [`verify`] needs can be read. The caller verifies
/// the row before keeping the key.
///
/// # Errors
/// [`GrantError::NotMine`] or [`GrantError::Altered`].
pub fn open_unjudged(
    vault: &VaultId,
    row: &GrantRow,
    me: MemberId,
    identity: &Identity,
) -> Result<Key32, GrantError> {
    if row.member != me {
        return Err(GrantError::NotMine);
    }
    let info = row.info(vault, identity.kem().public());
    let plain = identity.kem().open(&info, &[], &row.enc_ct)?;
    plain.expose(Key32::copy_of).ok_or(GrantError::Altered)
}

/// Right and signature of a grant to the holder of the X-Wing key `to`, without
/// opening it.
///
/// # Errors
/// [`GrantError::NoRight`] or [`GrantError::Altered`].
pub fn verify(
    vault: &VaultId,
    row: &GrantRow,
    to: &[u8; kem::PUBLIC],
    directory: &Directory,
) -> Result<(), GrantError> {
    let no_right = GrantError::NoRight(row.grantor);
    let grantor = directory.member(&row.grantor).ok_or(no_right)?;
    let allowed =
        row.grantor == row.member || grantor.accepted && may(grantor.role, Action::ManageMembers);
    if !allowed {
        return Err(no_right);
    }
    sign::verify(&grantor.keys.ed, &row.signed(vault, to), &row.sig)
        .map_err(|_| GrantError::Altered)
}
