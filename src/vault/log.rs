//! The audit log inside the vault: lines are made by `audit`, sealed here and
//! kept as rows. Each process seals its lines under keys of its own: the leaf key
//! under the vault key, for every member; the value key to the audit key, which
//! only owner, admin and auditor open. It never decides what is worth a line.

use std::collections::HashMap;

use crate::audit::line::{self, Draft};
use crate::audit::log::Log;
use crate::audit::packed;
use crate::crypto::aead;
use crate::crypto::context::context;
use crate::crypto::kem::{self, KemSecret};
use crate::crypto::keys;
use crate::crypto::line::LineCipher;
use crate::model::audit_event::{Event, OpenLine, field};
use crate::model::id::{MemberId, VaultId};
use crate::secret::Key32;

use super::rows::{AuditKeyRow, AuditRow, AuditSlices, Rows};
use super::unlocked::{Env, Unlocked, VaultError};

/// Lines between two signatures of one process.
pub const CHECKPOINT_EVERY: u64 = 256;

/// The line keys of this process; made with its first line.
#[derive(Default)]
pub struct Writer {
    keys: Option<LineKeys>,
}

struct LineKeys {
    id: u64,
    leaf: LineCipher,
    value: LineCipher,
    /// Next counter; never reused, not even after a rollback.
    next: u64,
}

impl Writer {
    /// Forgets the keys: the next line makes new ones. After a rollback the row
    /// with them may be missing.
    pub fn forget(&mut self) {
        self.keys = None;
    }
}

fn leaf_context(vault: &VaultId, id: u64, generation: u32) -> Vec<u8> {
    context("audit leaf key", &[&vault.0, &id.to_be_bytes(), &generation.to_be_bytes()])
}

pub(super) fn value_context(vault: &VaultId, id: u64) -> Vec<u8> {
    context("audit value key", &[&vault.0, &id.to_be_bytes()])
}

fn aad(vault: &VaultId, seq: u64) -> [u8; 24] {
    let mut out = [0; 24];
    out[..16].copy_from_slice(&vault.0);
    out[16..].copy_from_slice(&seq.to_be_bytes());
    out
}

/// Bytes of a padded part of a line at least: most lines have no more, so that the
/// sizes of rows do not tell what they are about.
const LEAST: usize = 384;

/// `part ‖ 0x80 ‖ zeros` (ISO/IEC 7816-4) up to a multiple of 64 bytes.
fn padded(mut part: Vec<u8>) -> Vec<u8> {
    part.push(0x80);
    part.resize(part.len().next_multiple_of(64).max(LEAST), 0);
    part
}

/// Takes away what [`padded`] added.
fn unpad(part: &mut Vec<u8>) -> Option<()> {
    let end = part.iter().rposition(|b| *b != 0)?;
    (part[end] == 0x80).then(|| part.truncate(end))
}

/// Appends a line. A clock earlier than the last line's is logged first, and the
/// line keeps the clock's time all the same.
///
/// # Errors
/// The store refused: then the act must not happen.
pub(super) fn append(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    mut draft: Draft,
) -> Result<(), VaultError> {
    if !draft.fields.iter().any(|(n, _)| *n == field::MACHINE) {
        draft.fields.push((field::MACHINE, env.machine.to_owned()));
    }
    let last = v.state.audit.last_at;
    if draft.at.plus_seconds(2) < last {
        let detail = format!("{} < {last}", draft.at);
        let mut fields = named(v, draft.actor);
        fields.push((field::MACHINE, env.machine.to_owned()));
        fields.push((field::DETAIL, detail));
        let back = Draft {
            at: draft.at,
            actor: draft.actor,
            event: Event::ClockBackwards,
            ok: false,
            fields,
            fact: None,
        };
        // From here on the clock's time is the log's time again.
        v.state.audit.last_at = draft.at;
        write(v, rows, env, &back)?;
    }
    write(v, rows, env, &draft)?;
    if v.state.audit.size - v.state.audit.signed >= CHECKPOINT_EVERY {
        sign(v, rows, env)?;
    }
    Ok(())
}

/// Signs all lines so far, if any are unsigned.
///
/// # Errors
/// The store refused.
pub fn sign(v: &mut Unlocked, rows: &dyn Rows, env: &mut Env<'_>) -> Result<(), VaultError> {
    if v.state.audit.size == v.state.audit.signed {
        return Ok(());
    }
    let log = end(v)?;
    let key = v.identity.signing();
    let mut fields = named(v, Some(v.me));
    fields.push((field::MACHINE, env.machine.to_owned()));
    let draft = log
        .checkpoint_draft(v.header.vault, v.me, &key.public(), env.now, fields, &|m| key.sign(m));
    write(v, rows, env, &draft)?;
    v.state.audit.signed = v.state.audit.size;
    Ok(())
}

/// The field that names the author of a line which the log writes by itself.
fn named(v: &Unlocked, author: Option<MemberId>) -> Vec<(&'static str, String)> {
    let member = author.and_then(|id| v.directory.member_ever(&id));
    member.map(|m| (field::MEMBER, m.name.clone())).into_iter().collect()
}

/// The end of the log as the state has it.
///
/// # Errors
/// The state holds no log end.
pub fn end(v: &Unlocked) -> Result<Log, VaultError> {
    if v.state.audit.size == 0 {
        return Ok(Log::new());
    }
    Log::from_bytes(&v.state.audit.end)
        .filter(|log| log.size() == v.state.audit.size)
        .ok_or_else(|| VaultError::Tampered("the head of the audit log".into()))
}

fn write(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    draft: &Draft,
) -> Result<(), VaultError> {
    if v.log.keys.is_none() {
        let keys = make_keys(v, rows, env)?;
        v.log.keys = Some(keys);
    }
    let mut log = end(v)?;
    let seq = log.size();
    let sealed = log.append(draft, env.random);
    let aad = aad(&v.header.vault, seq);
    let keys = v.log.keys.as_mut().expect("made just above");
    let n = keys.next;
    keys.next += 1;
    rows.put_audit(&AuditRow {
        seq,
        key: keys.id,
        n,
        leaf: keys.leaf.seal(n, &aad, &padded(packed::pack(&sealed.leaf, seq))),
        opening: keys.value.seal(n, &aad, &padded(sealed.opening)),
    })?;
    let head = &mut v.state.audit;
    head.size = log.size();
    head.end = log.to_bytes();
    head.last_at = head.last_at.max(draft.at);
    Ok(())
}

fn make_keys(v: &mut Unlocked, rows: &dyn Rows, env: &mut Env<'_>) -> Result<LineKeys, VaultError> {
    let id = v.state.audit.next_key;
    let vault = v.header.vault;
    let generation = v.state.vault_gen;
    let (leaf, value) = (env.key(), env.key());
    let salt = env.salt();
    let under = keys::sub(v.vault_key()?, keys::name::AUDIT, generation);
    let ctx = leaf_context(&vault, id, generation);
    let mut ct = generation.to_be_bytes().to_vec();
    ct.extend(leaf.expose(|k| aead::seal(&under, &ctx, &salt, k)));
    let enc_ct = value
        .expose(|k| {
            kem::seal_to(&v.header.audit_pk, &value_context(&vault, id), b"", k, env.random)
        })
        .map_err(|_| VaultError::Tampered("the audit key".into()))?;
    let row = AuditKeyRow { id, ct, enc_ct };
    v.summer()?.toggle(&mut v.state.meta, "audit_key", &id.to_be_bytes(), 0, &row.ct);
    rows.put_audit_key(&row)?;
    v.state.audit.next_key += 1;
    Ok(LineKeys { id, leaf: LineCipher::new(&leaf), value: LineCipher::new(&value), next: 0 })
}

/// Opens some stored lines, and only the keys of those: every unlock adds a key,
/// and a page of the log must not become slower with each.
pub struct PageReader<'a> {
    vault: &'a Unlocked,
    audit: Option<KemSecret>,
    unopened: HashMap<u64, AuditKeyRow>,
    reader: Reader,
}

impl<'a> PageReader<'a> {
    /// A reader that has opened no key yet.
    ///
    /// # Errors
    /// The store fails.
    pub fn new(vault: &'a Unlocked, rows: &dyn Rows) -> Result<Self, VaultError> {
        Ok(Self {
            vault,
            audit: vault.ring.audit_seed().map(KemSecret::from_seed),
            unopened: rows.audit_keys()?.into_iter().map(|row| (row.id, row)).collect(),
            reader: Reader::empty(vault),
        })
    }

    /// As [`Reader::line`].
    ///
    /// # Errors
    /// As there, or its key was tampered with.
    pub fn line(&mut self, row: &AuditRow) -> Result<OpenLine, VaultError> {
        if let Some(key) = self.unopened.remove(&row.key) {
            self.reader.take_key(self.vault, self.audit.as_ref(), &key)?;
        }
        self.reader.line(row)
    }
}

/// Opens stored lines, for reading and export.
pub struct Reader {
    vault: VaultId,
    leaf: HashMap<u64, LineCipher>,
    value: HashMap<u64, LineCipher>,
}

impl Reader {
    /// Opens the line keys. Values open only if the member holds the audit key.
    ///
    /// # Errors
    /// A key row was tampered with.
    pub fn new(v: &Unlocked, rows: &dyn Rows) -> Result<Self, VaultError> {
        let audit = v.ring.audit_seed().map(KemSecret::from_seed);
        Self::with(v, rows, audit.as_ref(), |_| true)
    }

    /// Opens the leaf key of one line only: every unlock adds a key, and an
    /// unlock must not become slower with each.
    ///
    /// # Errors
    /// As [`Reader::new`].
    pub fn for_leaf(v: &Unlocked, rows: &dyn Rows, row: &AuditRow) -> Result<Self, VaultError> {
        Self::with(v, rows, None, |id| id == row.key)
    }

    /// As [`Reader::new`], but goes on without the keys that do not open, and
    /// names them.
    ///
    /// # Errors
    /// The store fails.
    pub fn lenient(v: &Unlocked, rows: &dyn Rows) -> Result<(Self, Vec<u64>), VaultError> {
        let audit = v.ring.audit_seed().map(KemSecret::from_seed);
        let mut out = Self::empty(v);
        let mut bad = Vec::new();
        for row in rows.audit_keys()? {
            if out.take_key(v, audit.as_ref(), &row).is_err() {
                bad.push(row.id);
            }
        }
        Ok((out, bad))
    }

    fn with(
        v: &Unlocked,
        rows: &dyn Rows,
        audit: Option<&KemSecret>,
        wanted: impl Fn(u64) -> bool,
    ) -> Result<Self, VaultError> {
        let mut out = Self::empty(v);
        for row in rows.audit_keys()?.into_iter().filter(|row| wanted(row.id)) {
            out.take_key(v, audit, &row)?;
        }
        Ok(out)
    }

    fn empty(v: &Unlocked) -> Self {
        Self { vault: v.header.vault, leaf: HashMap::new(), value: HashMap::new() }
    }

    fn take_key(
        &mut self,
        v: &Unlocked,
        audit: Option<&KemSecret>,
        row: &AuditKeyRow,
    ) -> Result<(), VaultError> {
        let vault = self.vault;
        let bad = || VaultError::Tampered(format!("the audit line key {}", row.id));
        let (generation, sealed) = row.ct.split_first_chunk::<4>().ok_or_else(bad)?;
        let generation = u32::from_be_bytes(*generation);
        let key = v.ring.vault_key(generation).ok_or_else(bad)?;
        let under = keys::sub(key, keys::name::AUDIT, generation);
        let leaf = aead::open(&under, &leaf_context(&vault, row.id, generation), sealed)
            .map_err(|_| bad())?;
        let leaf = leaf.expose(Key32::copy_of).ok_or_else(bad)?;
        self.leaf.insert(row.id, LineCipher::new(&leaf));
        if let Some(audit) = audit {
            let value =
                audit.open(&value_context(&vault, row.id), b"", &row.enc_ct).map_err(|_| bad())?;
            let value = value.expose(Key32::copy_of).ok_or_else(bad)?;
            self.value.insert(row.id, LineCipher::new(&value));
        }
        Ok(())
    }

    /// A stored line, packed and as its text, into room used before.
    ///
    /// # Errors
    /// The row was tampered with.
    pub fn leaf_into(
        &self,
        row: &AuditSlices<'_>,
        packed: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), VaultError> {
        let bad = || VaultError::Tampered(format!("audit line {}", row.seq));
        let cipher = self.leaf.get(&row.key).ok_or_else(bad)?;
        cipher.open_into(row.n, &aad(&self.vault, row.seq), row.leaf, packed).map_err(|_| bad())?;
        unpad(packed).and_then(|()| packed::unpack(packed, row.seq, out)).ok_or_else(bad)
    }

    /// The values of a stored line, into room used before; false when the member
    /// may not read them.
    ///
    /// # Errors
    /// The row was tampered with.
    pub fn opening_into(
        &self,
        row: &AuditSlices<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, VaultError> {
        let bad = || VaultError::Tampered(format!("audit line {}", row.seq));
        let Some(cipher) = self.value.get(&row.key) else { return Ok(false) };
        cipher.open_into(row.n, &aad(&self.vault, row.seq), row.opening, out).map_err(|_| bad())?;
        unpad(out).map(|()| true).ok_or_else(bad)
    }

    /// The leaf of a stored line.
    ///
    /// # Errors
    /// The row was tampered with.
    pub fn leaf(&self, row: &AuditRow) -> Result<Vec<u8>, VaultError> {
        let mut out = Vec::new();
        self.leaf_into(&row.slices(), &mut Vec::new(), &mut out)?;
        Ok(out)
    }

    /// The values of a stored line; `None` when the member may not read them.
    ///
    /// # Errors
    /// The row was tampered with.
    pub fn opening(&self, row: &AuditRow) -> Result<Option<Vec<u8>>, VaultError> {
        let mut out = Vec::new();
        Ok(self.opening_into(&row.slices(), &mut out)?.then_some(out))
    }

    /// A stored line with its values.
    ///
    /// # Errors
    /// The row was tampered with, or a value is not the one committed.
    pub fn line(&self, row: &AuditRow) -> Result<OpenLine, VaultError> {
        let leaf = self.leaf(row)?;
        let opening = self.opening(row)?;
        line::open(row.seq, &leaf, opening.as_deref())
            .map_err(|fault| VaultError::Log(fault.text().en))
    }

    /// Every line in order, while `each` returns true.
    ///
    /// # Errors
    /// The store fails, or a line was tampered with: `each` saw those before it.
    pub fn each(
        &self,
        rows: &dyn Rows,
        mut each: impl FnMut(OpenLine) -> bool,
    ) -> Result<(), VaultError> {
        let mut failed = None;
        rows.each_audit(0, &mut |row| match self.line(&row) {
            Ok(line) => each(line),
            Err(e) => {
                failed = Some(e);
                false
            }
        })?;
        failed.map_or(Ok(()), Err)
    }
}
