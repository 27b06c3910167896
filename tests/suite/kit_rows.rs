//! A vault below its application: opened by the printed kit, which needs no key
//! stretching and uses no code up, and everything in it read into plain text.

use std::collections::BTreeMap;
use std::path::Path;

use poterne::audit::verifier::Verifier;
use poterne::model::entry::Entry;
use poterne::os::{clock, random};
use poterne::secret::SecretBytes;
use poterne::store::sqlite::{SqliteRows, SqliteStore};
use poterne::vault::cell::Purpose;
use poterne::vault::index::Index;
use poterne::vault::log::{self, Reader, Writer};
use poterne::vault::members::{read_members, take_vault_keys};
use poterne::vault::rows::Rows;
use poterne::vault::slot::Kind;
use poterne::vault::state::State;
use poterne::vault::unlocked::{Env, Unlocked, VaultError};
use poterne::vault::{code, identity};

/// SQL for the bytes of `column` with the one at `place`, from 1, never the same.
pub fn altered(column: &str, place: usize) -> String {
    let (byte, after) = (format!("substr({column}, {place}, 1)"), place + 1);
    format!(
        "cast(substr({column}, 1, {place} - 1) || case {byte} when x'00' then x'01' else x'00' end \
         || substr({column}, {after}) as blob)"
    )
}

/// Opens a vault file by a member's recovery code as printed.
pub fn open_by_kit(file: &Path, kit: &str) -> Result<(SqliteStore, Unlocked), VaultError> {
    let store = SqliteStore::open(file, false)?;
    let typed = code::parse(Kind::Recovery, kit).expect("the code as printed");
    let vault = store.read(|rows| open(rows, &typed))?;
    Ok((store, vault))
}

/// Ends the window of codes of the kit's member after `last`: rows and head are then
/// as small as those of a login whose days are few.
pub fn shorten_window(file: &Path, kit: &str, last: i64) {
    use poterne::crypto::{aead, context::context, keys};
    use sha2::{Digest, Sha256};
    let (mut store, v) = open_by_kit(file, kit).expect("opens");
    let done = store.write(|rows| {
        for slot in rows.slots()? {
            let Some(mut head) = rows.otp_head(&slot.id)? else { continue };
            let key = keys::sub(&v.member_key, keys::name::OTP, 0);
            let (vault, params) = (&v.header.vault.0, Sha256::digest(&slot.params));
            let ctx = context("otp-head", &[vault, &slot.id.0, &params]);
            let plain = aead::open(&key, &ctx, &head.ct).expect("it was just written");
            // FORMAT.md, section 5: first day, number of days, their hashes.
            let plain = plain.expose(|p| {
                let first = i64::from_be_bytes(p[32..40].try_into().expect("eight"));
                let kept = usize::try_from(last + 1 - first).expect("it is ahead");
                let mut short = p[..44 + 16 * kept].to_vec();
                short[40..44].copy_from_slice(&(kept as u32).to_be_bytes());
                short
            });
            head.ct = aead::seal(&key, &ctx, &[7; aead::SALT], &plain);
            rows.put_otp_head(&head)?;
            for day in rows.otp_days(&slot.id, None)?.iter().filter(|row| row.day > last) {
                rows.drop_otp_day(&slot.id, day.day)?;
            }
        }
        Ok::<_, VaultError>(())
    });
    done.expect("writes");
    store.vacuum().expect("packs");
}

fn open(rows: &dyn Rows, typed: &SecretBytes) -> Result<Unlocked, VaultError> {
    let wrong = |what: &str| VaultError::Tampered(what.to_owned());
    let header = rows.header()?;
    let found = rows.slots()?.into_iter().find_map(|row| {
        code::open(&header.vault, &row, Kind::Recovery, typed).ok().map(|o| (row.member, o))
    });
    let (me, opened) = found.ok_or_else(|| wrong("the kit's slot"))?;
    let mine = rows.members()?.into_iter().find(|m| m.id == me);
    let private = mine.and_then(|m| m.private).ok_or_else(|| wrong("the member's row"))?;
    let key = opened.member_key;
    let (identity, mut ring) = identity::open_private(&key, &header.vault, &me, &private)
        .map_err(|_| wrong("the ring"))?;
    take_vault_keys(&header.vault, me, &identity, &mut ring, rows)?;
    let (cards, directory) = read_members(header.vault, &header.root_pk, &ring, rows)?;
    let mut vault = Unlocked {
        header,
        me,
        member_key: key,
        identity,
        ring,
        directory,
        cards,
        state: State::new(),
        index: Index::default(),
        log: Writer::default(),
        ring_dirty: false,
        listing_seen: 0,
    };
    vault.reload(rows)?;
    Ok(vault)
}

/// What rows are doctored with.
pub type Doctor = fn(&mut Unlocked, &SqliteRows<'_>, &mut Env<'_>) -> Result<(), VaultError>;

/// Writes into a vault with the keys of a member, past every rule of the application.
pub fn write(
    store: &mut SqliteStore,
    v: &mut Unlocked,
    doctor: impl FnOnce(&mut Unlocked, &SqliteRows<'_>, &mut Env<'_>) -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    let mut fill = |out: &mut [u8]| random::fill(out);
    store.write(|rows| {
        let mut env = Env { now: clock::now(), random: &mut fill, machine: "tom" };
        doctor(v, rows, &mut env)?;
        v.save(rows, &mut env)
    })
}

/// Everything in a vault by name of the place, every seal opened, every sum made
/// anew, every audit line verified.
pub fn read_all(store: &SqliteStore, v: &Unlocked) -> Result<BTreeMap<String, String>, VaultError> {
    store.read(|rows| {
        let mut out = BTreeMap::new();
        sums(v, rows)?;
        out.insert("state".into(), format!("{:?}", v.state));
        out.insert("header".into(), format!("{:?}", v.header));
        for member in v.directory.members() {
            out.insert(format!("member {}", member.id), format!("{:?}", member.member()));
        }
        for client in v.index.clients() {
            for node in client.all() {
                let entry = v.entry(rows, &node.id)?;
                out.insert(format!("node {}", node.id), format!("{node:?}"));
                with_secrets(v, rows, &entry, &format!("entry {}", node.id), &mut out)?;
                for old in &entry.history {
                    let before = v.old_entry(rows, entry.client, old.cell, old.ver)?;
                    let place = format!("entry {} version {}", node.id, old.ver);
                    with_secrets(v, rows, &before, &place, &mut out)?;
                }
            }
        }
        let lines = audit(v, rows)?;
        out.insert("audit".into(), lines.join("\n"));
        Ok(out)
    })
}

fn with_secrets(
    v: &Unlocked,
    rows: &dyn Rows,
    entry: &Entry,
    place: &str,
    out: &mut BTreeMap<String, String>,
) -> Result<(), VaultError> {
    out.insert(place.to_owned(), format!("{entry:?}"));
    let secrets = entry.secrets.iter().map(|(s, r)| (s.to_string(), r.cell, Purpose::Secret));
    let files = entry.attachments.iter().map(|a| (a.name.clone(), a.cell, Purpose::Attachment));
    for (name, cell, purpose) in secrets.chain(files) {
        let plain = v.open_blob(rows, entry.client, cell, purpose)?;
        out.insert(format!("{place} {name}"), plain.expose(|b| format!("{b:?}")));
    }
    Ok(())
}

/// The sums of the state against the rows as they are.
pub fn sums(v: &Unlocked, rows: &dyn Rows) -> Result<(), VaultError> {
    let summer = v.summer()?;
    let (mut sum, mut count) = ([0; 32], 0);
    rows.each_cell(&mut |c| {
        summer.toggle(&mut sum, "cell", &c.id.0, c.ver, &c.ct);
        count += 1;
    })?;
    let tampered = |what: &str| Err(VaultError::Tampered(what.to_owned()));
    if sum != v.state.cells || count != v.state.n_cells {
        return tampered("the sum of the records");
    }
    if v.meta_sum(rows)? != v.state.meta {
        return tampered("the sum of the other rows");
    }
    Ok(())
}

/// Verifies the audit log to the size in the state; the lines as text.
pub fn audit(v: &Unlocked, rows: &dyn Rows) -> Result<Vec<String>, VaultError> {
    let reader = Reader::new(v, rows)?;
    let mut verifier = Verifier::new();
    let mut lines = Vec::new();
    let mut failed = None;
    rows.each_audit(0, &mut |row| {
        let line = reader.leaf(&row).and_then(|leaf| {
            verifier.push(&leaf).map_err(|f| VaultError::Log(f.text().en))?;
            reader.line(&row)
        });
        match line {
            Ok(line) => lines.push(format!("{line:?}")),
            Err(e) => failed = Some(e),
        }
        failed.is_none()
    })?;
    if let Some(e) = failed {
        return Err(e);
    }
    if verifier.log() != &log::end(v)? || verifier.log().size() != v.state.audit.size {
        return Err(VaultError::Log("the log does not end where the state says".into()));
    }
    Ok(lines)
}
