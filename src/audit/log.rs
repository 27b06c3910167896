//! The end of a log, where lines are appended. Knows size, last hash and tree
//! edge; the lines themselves are the store's.

use super::checkpoint::Checkpoint;
use super::hash::{self, Hash};
use super::line::{Draft, Fact, Sealed, seal};
use super::statement::{PublicKey, Signer};
use super::tree::Frontier;
use crate::model::audit_event::Event;
use crate::model::id::{MemberId, VaultId};
use crate::model::time::Time;

/// The end of a log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Log {
    tree: Frontier,
    last: Hash,
}

impl Log {
    /// A log without lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of lines; also the sequence number of the next.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Leaf hash of the last line; zeros when there is none.
    pub fn last(&self) -> &Hash {
        &self.last
    }

    /// RFC 6962 root.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// What a signature over the whole log covers.
    pub fn checkpoint(&self, vault: VaultId) -> Checkpoint {
        Checkpoint { vault, size: self.size(), root: self.root() }
    }

    /// Makes the next line and moves the end behind it. To undo (the line could
    /// not be stored), keep a clone from before.
    pub fn append(&mut self, draft: &Draft, salts: &mut dyn FnMut(&mut [u8])) -> Sealed {
        let sealed = seal(draft, self.size(), &self.last, salts);
        self.append_hash(sealed.hash);
        sealed
    }

    /// Moves the end behind a line that is already stored.
    pub fn append_hash(&mut self, hash: Hash) {
        self.tree.append(hash);
        self.last = hash;
    }

    /// A line that signs all lines so far, ready for [`Log::append`].
    pub fn checkpoint_draft(
        &self,
        vault: VaultId,
        by: MemberId,
        pk: &PublicKey,
        at: Time,
        fields: Vec<(&'static str, String)>,
        signer: Signer<'_>,
    ) -> Draft {
        let fact = Fact::checkpoint(&self.checkpoint(vault), by, pk, signer);
        Draft { at, actor: Some(by), event: Event::Checkpoint, ok: true, fields, fact: Some(fact) }
    }

    /// `last32 ‖` [`Frontier::to_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.last[..], &self.tree.to_bytes()].concat()
    }

    /// Reads what [`Log::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (last, rest) = bytes.split_first_chunk::<32>()?;
        Some(Self { last: *last, tree: Frontier::from_bytes(rest)? })
    }

    /// Leaf hash of a stored line.
    pub fn hash_of(leaf: &[u8]) -> Hash {
        hash::leaf(leaf)
    }
}
