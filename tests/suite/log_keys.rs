//! Who may no longer read the log takes no key of it along: not of the lines
//! written since, nor of the earlier ones as the file has them from then on.

use poterne::app::App;
use poterne::app::api::{Code, Patch, Reply, Request};
use poterne::crypto::context::context;
use poterne::crypto::kem::KemSecret;
use poterne::model::audit_event::{AuditFilter, Event};
use poterne::model::member::Role;
use poterne::secret::{Key32, SecretText};
use poterne::vault::rows::{AuditKeyRow, HeaderRow, Rows};
use poterne::vault::unlocked::VaultError;
use poterne::vault::waiting::{REFUSED_MAX, REFUSED_SEALED, RefusedUnlock};

use crate::kit::{Desk, login};
use crate::kit_rows::{audit, open_by_kit, read_all};
use crate::team_story::{Person, invite};

/// What the file says of the log's keys, read by a kit.
struct Seen {
    header: HeaderRow,
    /// What the holder of that kit has.
    audit: Option<Key32>,
    pending: Key32,
    keys: Vec<AuditKeyRow>,
    lines: usize,
    waiting: Vec<Vec<u8>>,
}

fn seen(desk: &Desk, kit: &str) -> Seen {
    let (store, v) = open_by_kit(&desk.file, kit).unwrap_or_else(|e| panic!("{e}"));
    if v.ring.audit_seed().is_some() {
        read_all(&store, &v).expect("the vault is whole");
    }
    let (keys, waiting, lines) = store
        .read(|rows| {
            let lines = audit(&v, rows)?.len();
            Ok::<_, VaultError>((
                rows.audit_keys()?,
                rows.pending(REFUSED_SEALED, REFUSED_MAX)?,
                lines,
            ))
        })
        .expect("reads");
    let pending = v.ring.pending_seed().expect("every member has it").duplicate();
    let audit = v.ring.audit_seed().map(Key32::duplicate);
    Seen { header: v.header, audit, pending, keys, lines, waiting }
}

/// Ids of the value keys that a seed opens.
fn opens(seed: &Key32, seen: &Seen) -> Vec<u64> {
    let secret = KemSecret::from_seed(seed);
    let opens = |row: &&AuditKeyRow| {
        let info = context("audit value key", &[&seen.header.vault.0, &row.id.to_be_bytes()]);
        secret.open(&info, b"", &row.enc_ct).is_ok()
    };
    seen.keys.iter().filter(opens).map(|row| row.id).collect()
}

fn all(seen: &Seen) -> Vec<u64> {
    seen.keys.iter().map(|row| row.id).collect()
}

/// An owner, an auditor, an admin and a technician, all at work on one file.
struct Firm {
    desk: Desk,
    aud: Person,
    dora: Person,
    tom: Person,
}

fn firm() -> Firm {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("ssh", "Dupont/srv", login("h.example", "root", "hunter2"));
    let join = |name: &str, role| {
        let code = invite(&desk, name, role, &["Dupont"]);
        let mut person = Person::accepted(&desk.file, &code, &format!("le mot de {name}"));
        person.unlock();
        person
    };
    let (aud, dora) = (join("aud", Role::Auditor), join("dora", Role::Admin));
    let tom = join("tom", Role::Technician);
    tom.reveals("Dupont/srv").expect("granted");
    Firm { desk, aud, dora, tom }
}

fn values(person: &Person) -> usize {
    let filter = AuditFilter { events: vec![Event::SecretRevealed], ..AuditFilter::default() };
    let Reply::Log(lines) = person.call(Request::AuditLog { filter }) else { panic!("lines") };
    lines.iter().filter(|l| l.field("entry") == "Dupont/srv").count()
}

/// Judges the file after `aud` lost the right to read the log, and what others,
/// who were open all the time, write and read from then on.
fn judge(firm: &mut Firm, before: &Seen, pending_too: bool) {
    let old = before.audit.as_ref().expect("an owner reads the log");
    let since = seen(&firm.desk, &firm.desk.kit);
    // The lines from before, as they are stored now.
    assert!(before.keys.iter().all(|row| all(&since).contains(&row.id)));
    assert_eq!(opens(old, &since), [0; 0]);
    assert_eq!(opens(since.audit.as_ref().expect("still an owner"), &since), all(&since));
    assert_ne!(since.header.audit_pk, before.header.audit_pk);
    assert_eq!(since.header.pending_pk != before.header.pending_pk, pending_too);
    // Another process had line keys of its own, which the one who left may know.
    firm.tom.reveals("Dupont/srv").expect("still granted");
    let later = seen(&firm.desk, &firm.desk.kit);
    assert!(later.lines > since.lines);
    assert_eq!(all(&later).len(), all(&since).len() + 1, "under keys from before");
    assert_eq!(opens(old, &later), [0; 0]);
    assert_eq!(opens(later.audit.as_ref().expect("still an owner"), &later), all(&later));
    // Who may read the log does, open all the time or not; who may not has no key.
    assert_eq!(values(&firm.dora), 2);
    let tom = seen(&firm.desk, firm.tom.kit());
    assert!(tom.audit.is_none());
    let dora = seen(&firm.desk, firm.dora.kit());
    assert_eq!(opens(&dora.audit.expect("an admin reads it"), &later), all(&later));
}

#[test]
fn a_removed_auditor_opens_no_line_before_or_after() {
    let mut firm = firm();
    let before = seen(&firm.desk, &firm.desk.kit);
    let held = seen(&firm.desk, firm.aud.kit()).audit.expect("an auditor reads it");
    assert_eq!(opens(&held, &before), all(&before));
    firm.desk.call(Request::RemoveMember { name: "aud".into() });
    let code = firm.aud.refused(Request::AuditLog { filter: AuditFilter::default() });
    assert_eq!(code, Code::Locked);
    judge(&mut firm, &before, true);
    // Nor what waits while it is locked.
    let mut wrong = firm.desk.options_with(SecretText::copy_of("000000"));
    wrong.member = Some("eve".into());
    App::new(firm.desk.file.clone()).unlock(wrong).expect_err("nobody of that name");
    let waiting = seen(&firm.desk, firm.tom.kit());
    let open = |seed: &Key32| {
        let secret = KemSecret::from_seed(seed);
        RefusedUnlock::open(&secret, &before.header.vault, &waiting.waiting[0])
    };
    assert_eq!(open(&before.pending), None);
    assert_eq!(open(&waiting.pending).expect("a member's").member, "eve");
    sound(&firm);
}

#[test]
fn a_demoted_auditor_opens_no_line_any_more() {
    let mut firm = firm();
    let before = seen(&firm.desk, &firm.desk.kit);
    assert!(values(&firm.aud) > 0);
    let role = |name: &str, role| Request::ChangeMember {
        name: name.into(),
        role,
        all_clients: true,
        clients: Vec::new(),
    };
    // An admin does it: it holds the audit key too.
    firm.dora.call(role("aud", Role::Technician));
    judge(&mut firm, &before, false);
    let code = firm.aud.refused(Request::AuditLog { filter: AuditFilter::default() });
    assert_eq!(code, Code::NotAllowed);
    firm.aud.reveals("Dupont/srv").expect("a technician now");
    assert!(seen(&firm.desk, firm.aud.kit()).audit.is_none());
    // An auditor again, with the key of now.
    firm.desk.call(role("aud", Role::Auditor));
    let again = seen(&firm.desk, firm.aud.kit());
    assert_eq!(opens(again.audit.as_ref().expect("reads it again"), &again), all(&again));
    assert!(values(&firm.aud) > 0);
    sound(&firm);
}

#[test]
fn nobody_gives_up_the_right_to_hand_out_the_keys_that_this_replaces() {
    let firm = firm();
    for role in [Role::Technician, Role::Auditor] {
        let request =
            Request::ChangeMember { name: "dora".into(), role, all_clients: true, clients: vec![] };
        assert_eq!(firm.dora.refused(request), Code::Usage);
    }
    sound(&firm);
}

#[test]
fn an_exchanged_header_is_not_written_under() {
    let firm = firm();
    let mine = KemSecret::from_seed(&Key32::filled(|k| k.fill(9)));
    firm.desk.call(Request::Settings);
    let db = rusqlite::Connection::open(&firm.desk.file).expect("opens");
    db.execute("update vault set audit_pk = ?", [&mine.public()[..]]).expect("anybody may");
    // At once, by who knows the header; then by the next who reads it.
    let Reply::Checked(report) = firm.desk.call(Request::Check) else { panic!("checked") };
    assert_eq!(report.faults.len(), 1, "{:?}", report.faults);
    firm.tom.reveals("Dupont/srv").expect("under the key it knows");
    let code = firm.dora.refused(Request::Members);
    assert_eq!(code, Code::Tampered);
}

fn sound(firm: &Firm) {
    let Reply::Checked(report) = firm.desk.call(Request::Check) else { panic!("checked") };
    assert_eq!(report.faults, []);
}
