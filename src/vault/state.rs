//! The one sealed row that says what the whole vault is now: its epoch, the sums
//! over its rows and the head of its audit log. Rewritten by every transaction,
//! so a row that is missing, extra, swapped or older than it should be is noticed.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::crypto::aead::{self, OpenError};
use crate::crypto::context::context;
use crate::crypto::keys;
use crate::model::id::{CellId, DeviceId, MemberId, SessionId, SlotId, VaultId};
use crate::model::settings::Settings;
use crate::model::time::Time;
use crate::secret::Key32;

use super::listing::{Listing, Shared};
use super::rows::{FORMAT, HeaderRow};

/// Contents of the state row.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    /// Repeats `user_version`, which SQLite keeps unauthenticated.
    pub format: u32,
    /// One more at each transaction.
    pub epoch: u64,
    /// Generation of the vault key that seals this row.
    pub vault_gen: u32,
    /// Sum over all cells; see [`Summer`].
    pub cells: [u8; 32],
    /// Number of cells.
    pub n_cells: u64,
    /// SHA-256 of the header's public keys; see [`header_mark`].
    pub header: [u8; 32],
    /// Generation of the key pair that audit values are sealed to.
    pub audit_gen: u32,
    /// Generation of the key pair that refused unlocks are sealed to.
    pub pending_gen: u32,
    /// Sum over slots, members, grants, segments, deltas and audit keys.
    pub meta: [u8; 32],
    /// Number of the next delta.
    pub next_delta: u64,
    /// Head of the audit log.
    pub audit: AuditHead,
    /// Last time step at which each member used a code, on whatever computer.
    pub last_steps: Vec<(MemberId, u64)>,
    /// Enrolled computers.
    pub devices: Vec<Device>,
    /// Sessions that were opened and whose end is not in the log.
    pub sessions: Vec<Session>,
    /// Settings of the vault.
    pub settings: Settings,
    /// Manifests that the vault's members share, by kind; encoded behind the rest.
    #[serde(skip)]
    pub shared: Listing,
}

/// A session whose end is not in the log: its process may still write late lines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Who opened it.
    pub member: MemberId,
    /// Number of the next late line; a smaller one was taken already.
    pub next: u64,
}

/// Sessions that are remembered at most: those of processes that were killed
/// never end, and the oldest make room.
pub const SESSIONS_MAX: usize = 400;

/// Head of the audit log.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AuditHead {
    /// Number of lines.
    pub size: u64,
    /// The end of the log, as `audit::log::Log::to_bytes` prints it.
    pub end: Vec<u8>,
    /// Time of the last line.
    pub last_at: Time,
    /// Lines covered by the newest checkpoint, and its own line.
    pub signed: u64,
    /// Id of the next line key.
    pub next_key: u64,
}

/// An enrolled computer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Device {
    /// Random id of the computer.
    pub id: DeviceId,
    /// The login slot made for it.
    pub slot: SlotId,
    /// Whose login it is.
    pub member: MemberId,
    /// Its name.
    pub label: String,
    /// When.
    pub added_at: Time,
}

impl State {
    /// The state of a vault that has nothing in it yet.
    pub fn new() -> Self {
        Self {
            format: FORMAT,
            epoch: 0,
            vault_gen: 1,
            cells: [0; 32],
            n_cells: 0,
            header: [0; 32],
            audit_gen: 1,
            pending_gen: 1,
            meta: [0; 32],
            next_delta: 1,
            audit: AuditHead::default(),
            last_steps: Vec::new(),
            devices: Vec::new(),
            sessions: Vec::new(),
            settings: Settings::default(),
            shared: Listing::default(),
        }
    }

    /// The last step at which `member` used a code.
    pub fn last_step(&self, member: &MemberId) -> u64 {
        self.last_steps.iter().find(|(m, _)| m == member).map_or(0, |(_, s)| *s)
    }

    /// Remembers that `member` opened a session.
    pub fn begin_session(&mut self, id: SessionId, member: MemberId) {
        let over = (self.sessions.len() + 1).saturating_sub(SESSIONS_MAX);
        self.sessions.drain(..over);
        self.sessions.push(Session { id, member, next: 0 });
    }

    /// Forgets a session whose end is in the log: no late line of it counts.
    pub fn end_session(&mut self, id: &SessionId) {
        self.sessions.retain(|s| s.id != *id);
    }

    /// Remembers that `member` used the code of `step`.
    pub fn use_step(&mut self, member: MemberId, step: u64) {
        match self.last_steps.iter_mut().find(|(m, _)| *m == member) {
            Some((_, s)) => *s = step.max(*s),
            None => self.last_steps.push((member, step)),
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

/// What the state says of the header: `SHA-256(root_pk ‖ audit_pk ‖ pending_pk)`.
/// Lines sealed to an exchanged key would be for whoever exchanged it.
pub fn header_mark(row: &HeaderRow) -> [u8; 32] {
    let mut mark = Sha256::new();
    for part in [&row.root_pk[..], &row.audit_pk, &row.pending_pk] {
        mark.update(part);
    }
    mark.finalize().into()
}

/// Seals the state: `u32 generation ‖ seal`.
pub fn seal(vault: &VaultId, key: &Key32, state: &State, salt: &[u8; aead::SALT]) -> Vec<u8> {
    let mut plain = Zeroizing::new(postcard::to_stdvec(state).expect("plain data serialises"));
    if state.shared != Listing::default() {
        plain.push(SIGNED);
        plain.extend(postcard::to_stdvec(&state.shared).expect("plain data serialises"));
    }
    let generation = state.vault_gen;
    let ctx = context("state", &[&vault.0, &generation.to_be_bytes()]);
    let mut out = generation.to_be_bytes().to_vec();
    out.extend(aead::seal_padded(&keys::sub(key, "state", generation), &ctx, salt, &plain));
    out
}

/// The generation of the vault key that opens a sealed state.
pub fn generation_of(sealed: &[u8]) -> Option<u32> {
    sealed.get(..4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}

/// Opens the state.
///
/// # Errors
/// It was changed, or belongs to another vault or key.
pub fn open(vault: &VaultId, key: &Key32, sealed: &[u8]) -> Result<State, OpenError> {
    let generation = generation_of(sealed).ok_or(OpenError)?;
    let ctx = context("state", &[&vault.0, &generation.to_be_bytes()]);
    let plain = aead::open_padded(&keys::sub(key, "state", generation), &ctx, &sealed[4..])?;
    let state = plain.expose(|p| {
        let (state, rest) = postcard::take_from_bytes::<State>(p).map_err(|_| OpenError)?;
        if rest.is_empty() {
            return Ok(state);
        }
        Ok(State { shared: read_shared(rest).ok_or(OpenError)?, ..state })
    })?;
    (state.vault_gen == generation && state.format == FORMAT).then_some(state).ok_or(OpenError)
}

/// Begins a list of shared manifests whose signatures have their place. One without
/// begins with the number of its manifests, which is never 0.
const SIGNED: u8 = 0;

/// A list as earlier builds wrote it: kind, cell, digest, who and when.
type Unsigned = Vec<(String, CellId, [u8; 32], MemberId, Time)>;

fn read_shared(rest: &[u8]) -> Option<Listing> {
    if let Some(rest) = rest.strip_prefix(&[SIGNED]) {
        let (listing, rest) = postcard::take_from_bytes(rest).ok()?;
        return rest.is_empty().then_some(listing);
    }
    let (all, rest) = postcard::take_from_bytes::<Unsigned>(rest).ok()?;
    let unsigned = |(kind, cell, digest, by, at)| Shared { kind, cell, digest, by, at, sig: None };
    let all = all.into_iter().map(unsigned).collect();
    rest.is_empty().then_some(Listing { seal: None, all })
}

/// Bytes of a seal that stand for it in a sum: salt and key commitment.
pub const MARK: usize = 56;

/// Sums rows so that a row can be added and taken away in one step: the XOR of
/// `HMAC-SHA-256(key, table ‖ id ‖ ver ‖ mark)`, where `mark` is the first 56
/// bytes of a seal (its salt and key commitment, which fix the rest).
pub struct Summer {
    mac: Hmac<Sha256>,
}

impl Summer {
    /// A summer under the vault key of `generation`.
    pub fn new(vault_key: &Key32, generation: u32) -> Self {
        let key = keys::sub(vault_key, "set", generation);
        Self { mac: key.expose(|k| Hmac::new_from_slice(k).expect("HMAC takes any key length")) }
    }

    /// Adds a row to `sum`, or takes it away: the same step does both.
    pub fn toggle(&self, sum: &mut [u8; 32], table: &str, id: &[u8], ver: u64, content: &[u8]) {
        let mut mac = self.mac.clone();
        mac.update(&[table.len() as u8]);
        mac.update(table.as_bytes());
        mac.update(&(id.len() as u32).to_be_bytes());
        mac.update(id);
        mac.update(&ver.to_be_bytes());
        mac.update(&content[..content.len().min(MARK)]);
        for (byte, more) in sum.iter_mut().zip(mac.finalize().into_bytes()) {
            *byte ^= more;
        }
    }
}
