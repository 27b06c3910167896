//! Opening and locking. One text for every wrong factor; a refused unlock is
//! logged too, sealed so that the next one who opens the vault reads it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::audit::line::Draft;
use crate::crypto::kdf::{Cost, StretchError};
use crate::crypto::kem::{self, KemSecret};
use crate::model::audit_event::{Event, field};
use crate::model::id::{MemberId, SlotId};
use crate::model::lang::Bi;
use crate::model::time::Time;
use crate::os::hugemem::{Blocks, available_kib};
use crate::os::{clock, paths, random};
use crate::secret::{Key32, SecretBytes};
use crate::store::sqlite::SqliteStore;
use crate::vault::index::Index;
use crate::vault::log::{self, Writer};
use crate::vault::login::{self, Days, Given, Refused};
use crate::vault::members;
use crate::vault::rows::{HeaderRow, Rows};
use crate::vault::slot::{self, Kind, Params, SlotRow};
use crate::vault::state::State;
use crate::vault::unlocked::Unlocked;

use super::anchor::{self, DeviceKey, Place};
use super::api::{AppError, Code, Factors, Status};
use super::worker::{Open, Worker};
use super::{UnlockOptions, backup, draft, people};

/// Refused unlocks that are kept at most while nobody opens the vault.
const PENDING_MAX: usize = 1000;
/// Tells pending lines from anything else sealed to the same key.
const PENDING_INFO: &[u8] = b"poterne/v1 pending line";

/// A line that could not be appended when it happened.
#[derive(Serialize, Deserialize)]
struct PendingLine {
    at: Time,
    actor: Option<MemberId>,
    event: String,
    ok: bool,
    fields: Vec<(String, String)>,
}

/// Name of this computer, for the log.
pub(super) fn machine() -> String {
    crate::os::machine::host_name()
}

/// Microseconds that the last key stretching of this process took.
static STRETCH_MICROS: AtomicU64 = AtomicU64::new(0);

/// How long this process has stretched keys so far: what is left of an unlock
/// without its part of it is the vault's own time.
pub fn time_stretched() -> Duration {
    Duration::from_micros(STRETCH_MICROS.load(Ordering::Relaxed))
}

/// Stretches a password in memory of its own, which is wiped afterwards.
pub(super) fn stretch(first: &[u8], salt: &[u8; 32], cost: Cost) -> Result<Key32, StretchError> {
    let count = cost.blocks()?;
    cost.fits(available_kib())?;
    let begun = Instant::now();
    let mut blocks = Blocks::take(count)
        .map_err(|_| StretchError::Memory { needed_mib: cost.mem_kib / 1024 })?;
    let key = crate::crypto::kdf::stretch_in(blocks.blocks(), first, salt, cost);
    drop(blocks);
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    STRETCH_MICROS.fetch_add(micros, Ordering::Relaxed);
    key
}

impl Worker {
    /// As [`Worker::unlock`]; the factors stand proved for one change of them.
    pub(super) fn unlock_to_change(&mut self, options: UnlockOptions) -> Result<Status, AppError> {
        let proved = Factors {
            password: options.factors.password.duplicate(),
            code: options.factors.code.duplicate(),
        };
        let status = self.unlock(options)?;
        self.opened()?.proved = Some(proved);
        Ok(status)
    }

    pub(super) fn unlock(&mut self, options: UnlockOptions) -> Result<Status, AppError> {
        let store = SqliteStore::open(&self.file, options.read_only)?;
        let opened = open_with(store, &options, options.accept_older);
        if let Err(refused) = &opened
            && refused.code == Code::Locked
            && !options.read_only
        {
            let name = options.member.clone().unwrap_or_default();
            // Refused while another member has it open here: logged all the same.
            let _ = self.put_pending(
                Event::UnlockRefused,
                false,
                vec![(field::MEMBER, name), (field::MACHINE, machine())],
            );
        }
        let mut open = opened?;
        open.locking = std::sync::Arc::clone(&self.locking);
        self.backup_due = !open.read_only && !backup::made_today(open.store.file());
        let sessions = self.sessions.len() as u64;
        let status = open.status(sessions)?;
        self.open = Some(open);
        Ok(status)
    }

    /// Makes the automatic backup of the day, if it is not made yet.
    pub(super) fn daily_backup(&mut self) {
        let due = std::mem::take(&mut self.backup_due);
        let Some(open) = self.open.as_mut().filter(|_| due) else { return };
        // An open vault stays open and usable though a copy failed.
        if let Err(e) = backup::daily(open) {
            open.notices.push(e.what);
        }
    }

    /// Wipes the keys. Open sessions stay, unless the settings end them.
    pub(super) fn lock(&mut self) -> Result<(), AppError> {
        // A vault that was never idle, as in one command, is copied now, unless
        // that would hold up the lock.
        if backup::is_quick(&self.file) {
            self.daily_backup();
        }
        self.backup_due = false;
        let Some(mut open) = self.open.take() else { return Ok(()) };
        if open.vault.state.settings.lock_ends_sessions {
            self.pool.close();
        }
        // A link that no session uses serves nobody while it is locked.
        self.pool.retire();
        let logged = if open.read_only {
            Ok(())
        } else {
            open.write(|v, rows, env| {
                let line = draft(v, env, Event::Locked, true);
                v.log(rows, env, line)?;
                log::sign(v, rows, env)?;
                Ok(())
            })
        };
        drop(open);
        crate::secret::burn_stack();
        logged
    }

    /// Keeps a line for the next unlock: sealed to a key that members hold.
    pub(super) fn put_pending(
        &self,
        event: Event,
        ok: bool,
        fields: Vec<(&'static str, String)>,
    ) -> Result<(), AppError> {
        let line = PendingLine {
            at: clock::now(),
            actor: None,
            event: event.word().to_owned(),
            ok,
            fields: fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
        };
        let plain = postcard::to_stdvec(&line).map_err(|e| {
            AppError::system(
                ("Une ligne du journal ne peut pas être gardée", "A log line cannot be kept"),
                &e,
            )
        })?;
        let mut store = SqliteStore::open(&self.file, false)?;
        store.write(|rows| {
            let head = rows.header()?;
            if rows.pending()?.len() >= PENDING_MAX {
                return Ok(());
            }
            let mut fill = |out: &mut [u8]| random::fill(out);
            let ct = kem::seal_to(&head.pending_pk, PENDING_INFO, &head.vault.0, &plain, &mut fill)
                .map_err(|_| AppError::tampered("l’en-tête", "the header"))?;
            Ok(rows.put_pending(&ct)?)
        })
    }
}

/// Opens a vault file with a member's factors.
pub(super) fn open_with(
    mut store: SqliteStore,
    options: &UnlockOptions,
    accept_older: bool,
) -> Result<Open, AppError> {
    let (head, slots) = store.read(|rows| Ok::<_, AppError>((rows.header()?, rows.slots()?)))?;
    let device = DeviceKey::load(&head.vault)?;
    let mut place = Place::load(head.vault, device.as_ref());
    let (candidates, assumed) = candidates(&head, &slots, options, device.as_ref(), &place)?;
    let now = clock::now();
    let hint = i8::try_from(place.memory.skew).unwrap_or(0);
    let mut refusal = AppError::refused();
    let mut found = None;
    let tried = !candidates.is_empty();
    for row in candidates {
        match try_slot(&store, &head, row, options, device.as_ref(), now, hint)? {
            Ok(opened) => {
                found = Some((row.clone(), opened));
                break;
            }
            Err(e) => refusal = refused(e),
        }
    }
    let Some((row, opened)) = found else {
        if !tried {
            // An unknown name takes as long as a wrong password.
            dummy_stretch(&slots)?;
        }
        return Err(assumed.map_or(refusal.clone(), |name| unnamed(refusal, &name)));
    };

    let mut notices = Vec::new();
    let mut vault = open_member(&store, head, &row, opened.member_key.duplicate())?;
    let whole = log_is_whole(&store, &vault)?;
    if !whole && !options.read_only {
        return Err(AppError::tampered(
            "il manque des lignes au journal",
            "lines of its log are missing",
        ));
    }
    let older = older(&store, &vault, &place)?;
    if older && !accept_older {
        return Err(AppError::new(
            Code::Tampered,
            (
                "Ce fichier est une copie plus ancienne que celle déjà ouverte ici.",
                "This file is an older copy than the one already opened here.",
            ),
            (
                "Si vous avez vous-même rétabli une sauvegarde, confirmez l’ouverture de cette copie (option --accept-older)\u{a0}: ce sera inscrit au journal. Sinon, cherchez qui l’a remplacée.",
                "If you restored a backup yourself, confirm that this copy is to open (option --accept-older): it will be logged. Else find out who replaced it.",
            ),
        ));
    }
    place.memory.skew = i64::from(opened.skew);
    place.memory.member = people::name(&vault, &vault.me);
    if let Some(text) = device.as_ref().and_then(|d| anchor::notice(&d.kept)) {
        notices.push(text);
    }
    notices.extend(portable_notice(&row));
    if !whole {
        notices.push(Bi::new(
            "Il manque des lignes au journal de ce coffre\u{a0}: gardez ce fichier comme preuve, et voyez lesquelles avec --read-only audit verify.",
            "Lines of this vault's log are missing: keep this file as evidence, and see which with --read-only audit verify.",
        ));
    }
    if options.read_only {
        notices.push(Bi::new(
            "Lecture seule\u{a0}: rien n’est journalisé, rien ne peut être révélé ni ouvert, et le code utilisé reste réutilisable.",
            "Read only: nothing is logged, nothing can be revealed or opened, and the code used stays usable.",
        ));
    } else {
        burn(&mut store, &mut vault, &row, device.as_ref(), &opened, older)?;
        if let Err(why) = place.remember(&vault) {
            notices.push(why);
        }
    }
    notices.extend(windows_ending(&store, &vault, &row.id, now)?);
    Ok(Open {
        store,
        vault,
        place,
        read_only: options.read_only,
        unlocked_at: now,
        notices,
        new_totp: None,
        new_kit: None,
        used_step: opened.used_step,
        proved: None,
        slot: row.id,
        machine: machine(),
        locking: Default::default(),
    })
}

/// Whom the program took for the one who unlocks, when nobody said so.
fn unnamed(refusal: AppError, assumed: &str) -> AppError {
    if refusal.code != Code::Locked {
        return refusal;
    }
    let todo = Bi::new(
        format!(
            "Ce coffre a plusieurs membres, et le dernier ici était {assumed}\u{a0}: si ce n’est pas vous, dites qui vous êtes (option --member). {}",
            refusal.todo.fr
        ),
        format!(
            "This vault has several members, and the last one here was {assumed}: if that is not you, say who you are (option --member). {}",
            refusal.todo.en
        ),
    );
    AppError { todo, ..refusal }
}

/// Login slots that the given name and this computer may open, and the name that
/// was taken from memory.
fn candidates<'a>(
    head: &HeaderRow,
    slots: &'a [SlotRow],
    options: &UnlockOptions,
    device: Option<&DeviceKey>,
    place: &Place,
) -> Result<(Vec<&'a SlotRow>, Option<String>), AppError> {
    let logins: Vec<(&SlotRow, Params)> = slots
        .iter()
        .filter_map(|s| {
            Params::parse(&s.params).map_or_else(
                |e| matches!(e, slot::BadParams::Cost(_)).then_some((s, None)),
                |p| Some((s, Some(p))),
            )
        })
        .map(|(s, p)| p.map(|p| (s, p)).ok_or_else(|| doctored(s)))
        .collect::<Result<_, _>>()?;
    let mut logins: Vec<(&SlotRow, Params)> =
        logins.into_iter().filter(|(_, p)| p.kind == Kind::Login).collect();
    if logins.is_empty() {
        return Err(AppError::tampered("il n’a plus d’accès", "it has no login left"));
    }
    let name = options.member.as_deref().map(str::trim).filter(|n| !n.is_empty());
    let people: std::collections::BTreeSet<_> = logins.iter().map(|(s, _)| s.member).collect();
    let remembered = Some(&place.memory.member).filter(|m| !m.is_empty());
    let assumed = remembered.filter(|_| name.is_none() && people.len() > 1).cloned();
    let name = match (name, people.len()) {
        (Some(name), _) => Some(name.to_owned()),
        (None, 1) => None,
        (None, _) if assumed.is_some() => assumed.clone(),
        (None, _) => {
            return Err(AppError::usage(
                ("Ce coffre a plusieurs membres.", "This vault has several members."),
                ("Dites qui vous êtes (option --member).", "Say who you are (option --member)."),
            ));
        }
    };
    if let Some(name) = name {
        let tag = slot::tag(&head.vault, &name);
        logins.retain(|(s, _)| s.tag == tag);
    }
    let here = device.map(|d| d.id);
    let for_here = |p: &Params| {
        let needs = p.login.as_ref().and_then(|l| l.device);
        needs.is_none() || needs == here
    };
    let enrolled = logins.iter().any(|(_, p)| for_here(p));
    if !logins.is_empty() && !enrolled && here.is_none() {
        if let Err(error) = paths::config_folder() {
            return Err(super::text::homeless(&error));
        }
        return Err(AppError::new(
            Code::Locked,
            (
                "Cet ordinateur n’est pas enrôlé pour ce coffre.",
                "This computer is not enrolled for this vault.",
            ),
            (
                "Faites `poterne device add` sur un ordinateur enrôlé et tapez le code ici, ou utilisez le kit avec `poterne recover`.",
                "Run `poterne device add` on an enrolled computer and type the code here, or use the kit with `poterne recover`.",
            ),
        ));
    }
    logins.retain(|(_, p)| for_here(p));
    Ok((logins.into_iter().map(|(s, _)| s).collect(), assumed))
}

fn doctored(slot: &SlotRow) -> AppError {
    let _ = slot;
    AppError::tampered(
        "le coût de dérivation est hors limites",
        "the cost of key stretching is out of bounds",
    )
}

fn dummy_stretch(slots: &[SlotRow]) -> Result<(), AppError> {
    let login = slots.iter().find_map(|s| Params::parse(&s.params).ok()?.login);
    if let Some(login) = login {
        stretch(b"nobody", &random::bytes(), login.cost).map_err(unstretched)?;
    }
    Ok(())
}

type Tried = Result<login::Opened, Refused>;

fn try_slot(
    store: &SqliteStore,
    head: &HeaderRow,
    row: &SlotRow,
    options: &UnlockOptions,
    device: Option<&DeviceKey>,
    now: Time,
    hint: i8,
) -> Result<Tried, AppError> {
    let near = login::days_near(now);
    let (span, days) = store.read(|rows| {
        Ok::<_, AppError>((rows.otp_span(&row.id)?, rows.otp_days(&row.id, Some(near))?))
    })?;
    let given = Given {
        password: &options.factors.password,
        code: &options.factors.code,
        device: device.map(|d| &d.key),
    };
    let days = Days { span, rows: &days };
    Ok(login::open(&head.vault, row, &days, &given, now, hint, &mut stretch))
}

/// Why a key could not be made of a password, for a person.
pub(super) fn unstretched(e: StretchError) -> AppError {
    match e {
        StretchError::Cost(_) => AppError::tampered(
            "le coût de dérivation est hors limites",
            "the cost of key stretching is out of bounds",
        ),
        StretchError::Memory { needed_mib } => AppError {
            code: Code::Other,
            what: Bi::new(
                format!(
                    "La mémoire libre ne suffit pas\u{a0}: il en faut {needed_mib} Mio pour le mot de passe de ce coffre."
                ),
                format!(
                    "There is not enough free memory: this vault's password takes {needed_mib} MiB."
                ),
            ),
            todo: Bi::new(
                "Fermez d’autres programmes, puis recommencez, ou ouvrez le coffre sur un ordinateur qui a plus de mémoire.",
                "Close other programs, then try again, or open the vault on a computer with more memory.",
            ),
        },
    }
}

/// Every refusal that a person could guess from has the one text.
pub(super) fn refused(e: Refused) -> AppError {
    match e {
        Refused::Wrong
        | Refused::AlreadyUsed
        | Refused::ClockBehind
        | Refused::WindowExceeded
        | Refused::NoDevice => AppError::refused(),
        Refused::Params(slot::BadParams::Cost(_)) => AppError::tampered(
            "le coût de dérivation est hors limites",
            "the cost of key stretching is out of bounds",
        ),
        Refused::Params(_) => AppError::tampered("un accès", "a login"),
        Refused::Malformed => AppError::tampered("la table des codes", "the table of codes"),
        Refused::Stretch(e) => unstretched(e),
    }
}

/// Opens everything that the member key opens.
pub(super) fn open_member(
    store: &SqliteStore,
    head: HeaderRow,
    row: &SlotRow,
    member_key: Key32,
) -> Result<Unlocked, AppError> {
    // Who is removed loses the login in the same transaction.
    let gone = || AppError::tampered("un membre manque", "a member is missing");
    store.read(|rows| {
        let all = rows.members()?;
        let mine = all.iter().find(|m| m.id == row.member).ok_or_else(gone)?;
        let private = mine.private.as_deref().ok_or_else(gone)?;
        let (identity, ring) =
            crate::vault::identity::open_private(&member_key, &head.vault, &row.member, private)
                .map_err(|_| {
                    AppError::tampered("le trousseau du membre", "the member's key ring")
                })?;
        let mut ring = ring;
        let taken = members::take_vault_keys(&head.vault, row.member, &identity, &mut ring, rows)?;
        let (cards, directory) = members::read_members(head.vault, &head.root_pk, &ring, rows)?;
        for grant in &taken {
            crate::vault::grant::verify(&head.vault, grant, identity.kem().public(), &directory)
                .map_err(|_| AppError::tampered("une clé transmise", "a key handed over"))?;
        }
        let mut vault = Unlocked {
            header: head,
            me: row.member,
            member_key,
            identity,
            ring,
            directory,
            cards,
            state: State::new(),
            index: Index::default(),
            log: Writer::default(),
            ring_dirty: !taken.is_empty(),
        };
        vault.reload(rows)?;
        if vault.meta_sum_as_read(rows)? != vault.state.meta {
            return Err(AppError::tampered(
                "membres, clés ou index ne sont pas ceux qui ont été écrits",
                "members, keys or indexes are not those that were written",
            ));
        }
        Ok(vault)
    })
}

/// Whether the file is older than, or another branch of, the one seen last.
fn older(store: &SqliteStore, v: &Unlocked, place: &Place) -> Result<bool, AppError> {
    if !place.known {
        return Ok(false);
    }
    let m = &place.memory;
    if v.state.epoch < m.epoch || v.state.audit.size < m.audit_size {
        return Ok(true);
    }
    if m.audit_size == 0 {
        return Ok(false);
    }
    // The last line seen must still stand where it stood.
    store.read(|rows| {
        let mut last = None;
        rows.each_audit(m.audit_size - 1, &mut |row| {
            last = Some(row);
            false
        })?;
        let Some(row) = last else { return Ok(true) };
        let leaf = log::Reader::for_leaf(v, rows, &row)?.leaf(&row)?;
        Ok(crate::audit::log::Log::hash_of(&leaf) != m.audit_last)
    })
}

/// How many lines are counted at each end of the log.
const COUNTED: u64 = 4096;

/// Whether the log ends where the state says, and its first and last lines are
/// there: cheap however long it is.
fn log_is_whole(store: &SqliteStore, v: &Unlocked) -> Result<bool, AppError> {
    store.read(|rows| {
        // Another process may have added lines since the state was read.
        let size = v.state.audit.size;
        let last = rows.last_audit()?.map_or(0, |last| last + 1);
        let first = size.min(COUNTED);
        Ok(last >= size
            && (last == size || rows.epoch()? > v.state.epoch)
            && rows.count_audit(0..first)? == first
            && rows.count_audit(size - first..size)? == first)
    })
}

/// Logins of this member whose codes are soon at their end: four fifths of the
/// window went by since the vault was last opened with them.
fn windows_ending(
    store: &SqliteStore,
    v: &Unlocked,
    here: &SlotId,
    now: Time,
) -> Result<Vec<Bi>, AppError> {
    let (today, _) = login::days_near(now);
    let mine = store.read(|rows| {
        let mut out = Vec::new();
        for slot in rows.slots()?.into_iter().filter(|s| s.member == v.me) {
            let Some(login) = Params::parse(&slot.params).ok().and_then(|p| p.login) else {
                continue;
            };
            let last = rows.otp_span(&slot.id)?.map_or(today, |(_, last)| last);
            out.push((slot.id, i64::from(login.window_days), (last - today).max(0)));
        }
        Ok::<_, AppError>(out)
    })?;
    let ending = mine.into_iter().filter(|(_, window, left)| left * 5 <= *window);
    Ok(ending.map(|(slot, _, left)| window_notice(v, &slot, &slot == here, left)).collect())
}

fn window_notice(v: &Unlocked, slot: &SlotId, here: bool, left: i64) -> Bi {
    let label = v.state.devices.iter().find(|d| d.slot == *slot).map(|d| d.label.as_str());
    let (fr, en) = match label.filter(|_| !here) {
        Some(label) => (format!("«\u{a0}{label}\u{a0}»"), format!("“{label}”")),
        None => ("Cet ordinateur".to_owned(), "This computer".to_owned()),
    };
    Bi::new(
        format!(
            "{fr} n’a plus de codes que pour {left} jours\u{a0}: ouvrez-y le coffre (sans --read-only) d’ici là, sinon seul le kit de secours l’y ouvrira."
        ),
        format!(
            "{en} has codes for only {left} more days: open the vault there (without --read-only) before they end, else only the recovery kit opens it there."
        ),
    )
}

fn portable_notice(row: &SlotRow) -> Option<Bi> {
    let portable = Params::parse(&row.params).ok()?.login?.device.is_none();
    portable.then(|| {
        Bi::new(
            "Coffre portable\u{a0}: sans clé d’ordinateur, le code n’ajoute qu’au plus 20 bits au mot de passe.",
            "Portable vault: without a computer key, the code adds at most 20 bits to the password.",
        )
    })
}

/// Uses up the code, takes in the pending lines and logs the unlock, all in one
/// transaction: of two processes with one code, one opens.
fn burn(
    store: &mut SqliteStore,
    vault: &mut Unlocked,
    row: &SlotRow,
    device: Option<&DeviceKey>,
    opened: &login::Opened,
    older: bool,
) -> Result<(), AppError> {
    let mut fill = |out: &mut [u8]| random::fill(out);
    let name = machine();
    store.write(|rows| {
        let mut env =
            crate::vault::unlocked::Env { now: clock::now(), random: &mut fill, machine: &name };
        vault.refresh(rows)?;
        use_code(vault, rows, &mut env, &row.id, device.map(|d| &d.key), opened)?;
        take_pending(vault, rows, &mut env)?;
        if older {
            let line = draft(vault, &env, Event::OlderAccepted, true);
            vault.log(rows, &mut env, line)?;
        }
        let line = draft(vault, &env, Event::Unlocked, true);
        vault.log(rows, &mut env, line)?;
        vault.save(rows, &mut env)?;
        Ok(())
    })
}

/// Strikes the used code off the slot's window and the member's other logins.
pub(super) fn use_code(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut crate::vault::unlocked::Env<'_>,
    slot_id: &SlotId,
    device: Option<&Key32>,
    opened: &login::Opened,
) -> Result<(), AppError> {
    let damaged = || AppError::tampered("la table des codes", "the table of codes");
    let row = rows.slots()?.into_iter().find(|s| s.id == *slot_id).ok_or_else(AppError::refused)?;
    let head = rows.otp_head(slot_id)?.ok_or_else(damaged)?;
    let day = crate::vault::otp::day_of(opened.used_step);
    let days = rows.otp_days(slot_id, Some((day, day)))?;
    let floor = v.state.last_step(&v.me);
    let vault = v.header.vault;
    let burned = login::burn(&vault, &row, &head, &days, device, opened, floor, env.random)
        .map_err(|e| match e {
            login::BurnError::AlreadyUsed => AppError::refused(),
            login::BurnError::Tampered => damaged(),
        })?;
    rows.put_otp_head(&burned.head)?;
    for day in &burned.put {
        rows.put_otp_day(day)?;
    }
    if let Some((first, _)) = rows.otp_span(slot_id)? {
        for old in first..burned.drop_before {
            rows.drop_otp_day(slot_id, old)?;
        }
    }
    let me = v.me;
    v.state.use_step(me, opened.used_step);
    Ok(())
}

/// Appends the lines that waited for an unlock, with their own times inside.
fn take_pending(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut crate::vault::unlocked::Env<'_>,
) -> Result<(), AppError> {
    let waiting = rows.pending()?;
    let Some((last, _)) = waiting.last() else { return Ok(()) };
    let last = *last;
    let Some(secret) = v.ring.pending_seed().map(KemSecret::from_seed) else { return Ok(()) };
    for (_, sealed) in waiting {
        let line = secret
            .open(PENDING_INFO, &v.header.vault.0, &sealed)
            .ok()
            .and_then(|p: SecretBytes| p.expose(|b| postcard::from_bytes::<PendingLine>(b).ok()));
        let mut draft = match line {
            Some(line) => Draft {
                at: env.now,
                actor: line.actor,
                event: line.event.parse().unwrap_or(Event::UnlockRefused),
                ok: line.ok,
                fields: known(line.fields, line.at),
                fact: None,
            },
            // Anybody can write a row that nobody can open; that is worth a line too.
            None => Draft {
                at: env.now,
                actor: None,
                event: Event::UnlockRefused,
                ok: false,
                fields: vec![(field::DETAIL, "a pending line that does not open".to_owned())],
                fact: None,
            },
        };
        draft.fields.retain(|(_, value)| !value.is_empty());
        v.log(rows, env, draft)?;
    }
    Ok(rows.drop_pending(last)?)
}

fn known(fields: Vec<(String, String)>, at: Time) -> Vec<(&'static str, String)> {
    let mut out: Vec<(&'static str, String)> = fields
        .into_iter()
        .filter_map(|(n, v)| field::ALL.iter().find(|f| **f == n).map(|f| (*f, v)))
        .collect();
    match out.iter_mut().find(|(n, _)| *n == field::DETAIL) {
        Some((_, detail)) => *detail = format!("{detail} (at {at})"),
        None => out.push((field::DETAIL, format!("at {at}"))),
    }
    out
}

impl Open {
    pub(super) fn status(&mut self, sessions: u64) -> Result<Status, AppError> {
        let (read_only, unlocked_at) = (self.read_only, self.unlocked_at);
        let notices = self.notices.clone();
        let file = self.store.file().to_owned();
        self.read(|v, _| {
            let (clients, entries) = v.index.counts();
            Ok(Status {
                vault: v.header.vault,
                file,
                member: people::name(v, &v.me),
                role: people::role(v),
                read_only,
                entries,
                clients,
                audit_lines: v.state.audit.size,
                sessions,
                unlocked_at,
                notices,
            })
        })
    }
}
