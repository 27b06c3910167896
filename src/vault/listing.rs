//! The list of manifests that the members share, and what of it is signed: each
//! manifest by who shared it, the whole list by who changed it last. Pure: it reads
//! no text and decides for nobody whether a manifest runs.
//!
//! It does not stop a member who holds the vault key from taking the list away; a
//! list of before is told from the newest one by its number alone.

use serde::{Deserialize, Serialize};

use crate::crypto::context::context;
use crate::crypto::sign::{self, SigningKey};
use crate::model::id::{CellId, MemberId, VaultId};
use crate::model::policy::{Action, may};
use crate::model::time::Time;

use super::cert::{Directory, Trusted};

/// Manifests that a vault shares at most: the state names each of them.
pub const SHARED_MAX: usize = 64;

/// An Ed25519 signature, in two halves that a serialiser takes.
pub type Signature = [[u8; 32]; 2];

/// A connector's manifest in the vault. Its text lies in a cell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shared {
    /// The word of its kind.
    pub kind: String,
    /// Where its text is; not signed, for a new vault key gives it another place.
    pub cell: CellId,
    /// SHA-256 of the text.
    pub digest: [u8; 32],
    /// Who put it there.
    pub by: MemberId,
    /// When.
    pub at: Time,
    /// By the keys of who put it there; `None` when it is to be shared again.
    pub sig: Option<Signature>,
}

/// Who changed the list last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seal {
    /// One more at each change, from 1.
    pub n: u64,
    /// Who.
    pub by: MemberId,
    /// When.
    pub at: Time,
    /// Over all of the list.
    pub sig: Signature,
}

/// The manifests that the members share, by kind.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Listing {
    /// Missing while nothing was ever shared, and in vaults of earlier builds.
    pub seal: Option<Seal>,
    /// At most [`SHARED_MAX`].
    pub all: Vec<Shared>,
}

/// Why a shared manifest is not used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Doubt {
    /// An earlier build shared it, or the list that it stood in was not good.
    #[error("it is not signed")]
    Unsigned,
    /// The signature is not of the member it names.
    #[error("its signature is not of the member it names")]
    Forged,
    /// The list is not signed by a member who may share now.
    #[error("the list is not signed by a member who may share")]
    List,
    /// A newer list is known.
    #[error("the list is older than the newest one known")]
    Older,
}

impl Shared {
    /// `CTX("manifest", vault, kind, SHA-256(text), member, i64 at)`.
    fn signed(&self, vault: &VaultId) -> Vec<u8> {
        let at = self.at.0.to_be_bytes();
        context("manifest", &[&vault.0, self.kind.as_bytes(), &self.digest, &self.by.0, &at])
    }

    /// Signs it as the member it names.
    pub fn sign(&mut self, vault: &VaultId, signing: &SigningKey) {
        self.sig = Some(halves(signing.sign(&self.signed(vault))));
    }

    /// Whether the member it names signed it.
    ///
    /// # Errors
    /// [`Doubt::Unsigned`] or [`Doubt::Forged`].
    pub fn judge(&self, vault: &VaultId, directory: &Directory) -> Result<(), Doubt> {
        let sig = self.sig.as_ref().ok_or(Doubt::Unsigned)?;
        // Who left meanwhile shared it all the same: the list says that it stands.
        let by = directory.member_ever(&self.by).filter(|m| m.accepted).ok_or(Doubt::Forged)?;
        verify(by, &self.signed(vault), sig).map_err(|()| Doubt::Forged)
    }
}

impl Listing {
    /// `CTX("manifests", vault, u64 n, member, i64 at, e1, s1 … en, sn)`, where `e` is
    /// what a manifest's own signature is over, and `s` that signature or nothing.
    fn signed(&self, vault: &VaultId, n: u64, by: &MemberId, at: Time) -> Vec<u8> {
        let (n, at) = (n.to_be_bytes(), at.0.to_be_bytes());
        let each: Vec<_> = self.all.iter().map(|shared| shared.signed(vault)).collect();
        let mut fields: Vec<&[u8]> = vec![&vault.0, &n, &by.0, &at];
        for (shared, signed) in self.all.iter().zip(&each) {
            fields.push(signed);
            fields.push(shared.sig.as_ref().map_or(&[][..], |sig| sig.as_flattened()));
        }
        context("manifests", &fields)
    }

    /// Signs it as it stands, as its version `n`.
    pub fn sign(&mut self, vault: &VaultId, signing: &SigningKey, n: u64, by: MemberId, at: Time) {
        let sig = halves(signing.sign(&self.signed(vault, n, &by, at)));
        self.seal = Some(Seal { n, by, at, sig });
    }

    /// Whether a member who may share now signed it, and none newer than it is known:
    /// `seen` is the number of the newest one. An empty list that was never signed is
    /// good as long as none was seen.
    ///
    /// # Errors
    /// [`Doubt::Unsigned`], [`Doubt::List`] or [`Doubt::Older`].
    pub fn judge(&self, vault: &VaultId, directory: &Directory, seen: u64) -> Result<(), Doubt> {
        let Some(seal) = &self.seal else {
            return match (seen, self.all.is_empty()) {
                (0, true) => Ok(()),
                (0, false) => Err(Doubt::Unsigned),
                _ => Err(Doubt::Older),
            };
        };
        let may_share = |m: &&Trusted| m.accepted && may(m.role, Action::ManageVault);
        let by = directory.member(&seal.by).filter(may_share).ok_or(Doubt::List)?;
        let signed = self.signed(vault, seal.n, &seal.by, seal.at);
        verify(by, &signed, &seal.sig).map_err(|()| Doubt::List)?;
        if seal.n < seen { Err(Doubt::Older) } else { Ok(()) }
    }

    /// Why one of its manifests is not used; `None` when it is.
    pub fn doubt(
        &self,
        shared: &Shared,
        vault: &VaultId,
        directory: &Directory,
        seen: u64,
    ) -> Option<Doubt> {
        let own = || shared.judge(vault, directory);
        self.judge(vault, directory, seen).and_then(|()| own()).err()
    }
}

fn halves(sig: [u8; 64]) -> Signature {
    let (halves, _) = sig.as_chunks();
    [halves[0], halves[1]]
}

fn verify(by: &Trusted, signed: &[u8], sig: &Signature) -> Result<(), ()> {
    let sig = sig.as_flattened().try_into().map_err(drop)?;
    sign::verify(&by.keys.ed, signed, sig).map_err(drop)
}
