//! The sealed rows of a vault and what a store must offer for them. Rows are
//! ciphertext, random identifiers and counters: a store never sees more.

use crate::model::id::{CellId, EntryId, MemberId, SlotId, VaultId};

use super::grant::GrantRow;
use super::otp::{OtpDayRow, OtpHeadRow};
use super::slot::SlotRow;

/// Version of the format this program writes; `user_version` in SQLite.
pub const FORMAT: u32 = 1;

/// The one row that names the vault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderRow {
    /// Which vault.
    pub vault: VaultId,
    /// Ed25519 public key of the founder: the root of trust.
    pub root_pk: [u8; 32],
    /// HPKE public key that audit values are sealed to.
    pub audit_pk: Vec<u8>,
    /// HPKE public key that refused unlocks are sealed to.
    pub pending_pk: Vec<u8>,
}

/// A sealed record: an entry, an older version of one, a secret or an attachment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CellRow {
    /// Random id.
    pub id: CellId,
    /// Client id, masked with the vault key.
    pub place: [u8; 16],
    /// Generation of the client key.
    pub generation: u32,
    /// Version of the content.
    pub ver: u64,
    /// The seal.
    pub ct: Vec<u8>,
}

/// The packed index of one client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SegmentRow {
    /// The client.
    pub client: EntryId,
    /// Generation of the client key.
    pub generation: u32,
    /// Grows at each rewrite.
    pub ver: u64,
    /// The seal.
    pub ct: Vec<u8>,
}

/// One change of a client's index since its segment was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeltaRow {
    /// The client.
    pub client: EntryId,
    /// Number within the vault's life; never reused for a client.
    pub n: u64,
    /// Generation of the client key.
    pub generation: u32,
    /// The seal.
    pub ct: Vec<u8>,
}

/// The key of the audit lines that one process wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditKeyRow {
    /// Small number, unique in the vault.
    pub id: u64,
    /// The leaf key under the vault key.
    pub ct: Vec<u8>,
    /// The value key, HPKE to the audit key.
    pub enc_ct: Vec<u8>,
}

/// One audit line where the store has it.
#[derive(Clone, Copy, Debug)]
pub struct AuditSlices<'a> {
    /// As [`AuditRow::seq`].
    pub seq: u64,
    /// As [`AuditRow::key`].
    pub key: u64,
    /// As [`AuditRow::n`].
    pub n: u64,
    /// As [`AuditRow::leaf`].
    pub leaf: &'a [u8],
    /// As [`AuditRow::opening`].
    pub opening: &'a [u8],
}

/// One audit line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditRow {
    /// Position, from 0.
    pub seq: u64,
    /// Which [`AuditKeyRow`].
    pub key: u64,
    /// Counter under that key.
    pub n: u64,
    /// The sealed leaf.
    pub leaf: Vec<u8>,
    /// The sealed values.
    pub opening: Vec<u8>,
}

impl AuditRow {
    /// The same line, borrowed.
    pub fn slices(&self) -> AuditSlices<'_> {
        let Self { seq, key, n, leaf, opening } = self;
        AuditSlices { seq: *seq, key: *key, n: *n, leaf, opening }
    }
}

/// A member's card, and the private part that only that member opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberRow {
    /// Who.
    pub id: MemberId,
    /// Name, role, public keys, certificate: under the vault key.
    pub card: Vec<u8>,
    /// Identity and key ring, under the member key.
    pub private: Option<Vec<u8>>,
}

/// Why a store could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No file there.
    #[error("there is no vault file at this place")]
    Missing,
    /// A folder, a pipe or a device.
    #[error("this is no regular file")]
    NotAFile,
    /// The file is something else.
    #[error("the file is not a Poterne vault")]
    Foreign,
    /// Written by a newer program.
    #[error("the file has format {0}, newer than this program")]
    Newer(u32),
    /// Damaged.
    #[error("the file is damaged: {0}")]
    Corrupt(String),
    /// Another program holds the write lock.
    #[error("another program holds the file")]
    Busy,
    /// The file or its folder cannot be written.
    #[error("the file cannot be written: {0}")]
    ReadOnly(String),
    /// No room left.
    #[error("the disk is full")]
    Full,
    /// Another file is at its place, or none, since it was opened.
    #[error("the file was replaced while it was open")]
    Replaced,
    /// There is a file already.
    #[error("there is a file already")]
    Exists,
    /// Anything else of the operating system.
    #[error("{0}")]
    Io(String),
}

/// Result of a store operation.
pub type Stored<T> = Result<T, StoreError>;

/// Reading and writing rows, inside or outside a transaction.
#[expect(missing_docs, reason = "each method gets, puts or drops the row its name says")]
pub trait Rows {
    fn header(&self) -> Stored<HeaderRow>;
    fn put_header(&self, row: &HeaderRow) -> Stored<()>;

    fn slots(&self) -> Stored<Vec<SlotRow>>;
    fn put_slot(&self, row: &SlotRow) -> Stored<()>;
    fn drop_slot(&self, id: &SlotId) -> Stored<()>;
    fn otp_head(&self, slot: &SlotId) -> Stored<Option<OtpHeadRow>>;
    fn put_otp_head(&self, row: &OtpHeadRow) -> Stored<()>;
    /// Days `from..=to`, or all.
    fn otp_days(&self, slot: &SlotId, range: Option<(i64, i64)>) -> Stored<Vec<OtpDayRow>>;
    /// First and last day that have a row.
    fn otp_span(&self, slot: &SlotId) -> Stored<Option<(i64, i64)>>;
    fn put_otp_day(&self, row: &OtpDayRow) -> Stored<()>;
    fn drop_otp_day(&self, slot: &SlotId, day: i64) -> Stored<()>;

    fn members(&self) -> Stored<Vec<MemberRow>>;
    fn put_member(&self, row: &MemberRow) -> Stored<()>;
    fn drop_member(&self, id: &MemberId) -> Stored<()>;
    fn grants(&self) -> Stored<Vec<GrantRow>>;
    fn grants_of(&self, member: &MemberId) -> Stored<Vec<GrantRow>>;
    /// Id, subject and generation of a member's grants, without what they hand over.
    fn grant_heads(&self, member: &MemberId) -> Stored<Vec<(CellId, EntryId, u32)>>;
    fn grant(&self, id: &CellId) -> Stored<Option<GrantRow>>;
    fn put_grant(&self, row: &GrantRow) -> Stored<()>;
    fn drop_grant(&self, id: &CellId) -> Stored<()>;

    /// Epoch and seal.
    fn state(&self) -> Stored<(u64, Vec<u8>)>;
    fn put_state(&self, epoch: u64, ct: &[u8]) -> Stored<()>;
    fn epoch(&self) -> Stored<u64>;

    /// Client, segment version, greatest delta number.
    fn segment_heads(&self) -> Stored<Vec<(EntryId, u64, u64)>>;
    /// The first 56 bytes of a client's segment's seal; nothing without one.
    fn segment_mark(&self, client: &EntryId) -> Stored<Vec<u8>>;
    /// Client, number and the first 56 bytes of the seal.
    fn delta_marks(&self) -> Stored<Vec<(EntryId, u64, Vec<u8>)>>;
    fn segment(&self, client: &EntryId) -> Stored<Option<SegmentRow>>;
    fn put_segment(&self, row: &SegmentRow) -> Stored<()>;
    fn drop_segment(&self, client: &EntryId) -> Stored<()>;
    fn deltas(&self, client: &EntryId) -> Stored<Vec<DeltaRow>>;
    fn put_delta(&self, row: &DeltaRow) -> Stored<()>;
    fn drop_deltas(&self, client: &EntryId) -> Stored<()>;

    fn cell(&self, id: &CellId) -> Stored<Option<CellRow>>;
    fn put_cell(&self, row: &CellRow) -> Stored<()>;
    fn drop_cell(&self, id: &CellId) -> Stored<()>;
    fn each_cell(&self, each: &mut dyn FnMut(CellRow)) -> Stored<()>;

    fn audit_keys(&self) -> Stored<Vec<AuditKeyRow>>;
    fn put_audit_key(&self, row: &AuditKeyRow) -> Stored<()>;
    /// Audit lines from a position on, in order, while `each` returns true.
    fn each_audit_slices(
        &self,
        from: u64,
        each: &mut dyn FnMut(AuditSlices<'_>) -> bool,
    ) -> Stored<()>;
    fn each_audit(&self, from: u64, each: &mut dyn FnMut(AuditRow) -> bool) -> Stored<()> {
        self.each_audit_slices(from, &mut |row| {
            let AuditSlices { seq, key, n, leaf, opening } = row;
            each(AuditRow { seq, key, n, leaf: leaf.to_vec(), opening: opening.to_vec() })
        })
    }
    fn put_audit(&self, row: &AuditRow) -> Stored<()>;
    /// How many audit lines lie in a range of positions.
    fn count_audit(&self, range: std::ops::Range<u64>) -> Stored<u64>;
    /// The last position, if there is a line.
    fn last_audit(&self) -> Stored<Option<u64>>;
    /// Refused unlocks that wait, the earliest first, of at most so many bytes
    /// and at most so many.
    fn pending(&self, longest: usize, most: u64) -> Stored<Vec<Vec<u8>>>;
    fn count_pending(&self) -> Stored<u64>;
    fn put_pending(&self, ct: &[u8]) -> Stored<()>;
    /// How many refused unlocks were not kept.
    fn unkept(&self) -> Stored<u64>;
    fn count_unkept(&self) -> Stored<()>;
    /// Late lines of sessions, the earliest first, of at most so many bytes.
    fn late(&self, longest: usize) -> Stored<Vec<Vec<u8>>>;
    fn count_late(&self) -> Stored<u64>;
    fn put_late(&self, ct: &[u8]) -> Stored<()>;
    /// Drops all that waits, and the count of what was not kept.
    fn drop_waiting(&self) -> Stored<()>;
}
