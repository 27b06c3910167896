//! Opening a vault file with a member's factors. One text for every wrong
//! factor; no code opens twice.

use crate::app::anchor::{self, DeviceKey, Place};
use crate::app::api::{AppError, Code};
use crate::app::worker::Open;
use crate::app::{UnlockOptions, draft, people};
use crate::model::audit_event::Event;
use crate::model::id::SlotId;
use crate::model::lang::Bi;
use crate::model::time::Time;
use crate::os::{clock, random};
use crate::secret::Key32;
use crate::store::sqlite::SqliteStore;
use crate::vault::index::Index;
use crate::vault::log::Writer;
use crate::vault::login::{self, Days, Given, Refused};
use crate::vault::members;
use crate::vault::rows::{HeaderRow, Rows};
use crate::vault::slot::{self, SlotRow};
use crate::vault::state::State;
use crate::vault::unlocked::{Env, Unlocked};

use super::fresh::{log_is_whole, log_older, older};
use super::logins::{candidates, dummy_stretch, unnamed};
use super::machine;
use super::notices::{portable_notice, windows_ending};
use super::pending::take_waiting;
use super::stretch::{stretch, unstretched};

/// Opens a vault file with a member's factors.
pub(in crate::app) fn open_with(
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
            // Damage is told although another login only refused.
            Err(_) if refusal.code == Code::Tampered => {}
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
        return Err(AppError::older_copy());
    }
    // Who accepts an older copy takes its older list along.
    match older {
        true => place.memory.listing = 0,
        false => vault.listing_seen = vault.listing_seen.max(place.memory.listing),
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
    let mut open = Open {
        version: store.data_version().ok(),
        wrote: false,
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
        resumes: Default::default(),
        shared: Default::default(),
    };
    open.read(|_, _| Ok(()))?;
    Ok(open)
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

/// Every refusal that a person could guess from has the one text.
pub(in crate::app) fn refused(e: Refused) -> AppError {
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
        Refused::Malformed => AppError::codes_damaged(),
        Refused::Stretch(e) => unstretched(e),
    }
}

/// Opens everything that the member key opens.
pub(in crate::app) fn open_member(
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
            listing_seen: 0,
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
        let mut env = Env { now: clock::now(), random: &mut fill, machine: &name };
        vault.refresh(rows)?;
        use_code(vault, rows, &mut env, &row.id, device.map(|d| &d.key), opened)?;
        take_waiting(vault, rows, &mut env)?;
        if older {
            log_older(vault, rows, &mut env)?;
        }
        let line = draft(vault, &env, Event::Unlocked, true);
        vault.log(rows, &mut env, line)?;
        vault.save(rows, &mut env)?;
        Ok(())
    })
}

/// Strikes the used code off the slot's window and the member's other logins.
pub(in crate::app) fn use_code(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    slot_id: &SlotId,
    device: Option<&Key32>,
    opened: &login::Opened,
) -> Result<(), AppError> {
    let damaged = AppError::codes_damaged;
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
