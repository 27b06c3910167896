//! A member with few rights, or one who was removed, who writes the file with keys
//! that he holds or held: what he seals there gives him nothing that the others
//! write afterwards, neither at once nor when they try again.

use poterne::app::api::{Code, Patch, Reply, Request};
use poterne::app::{App, UnlockOptions};
use poterne::crypto::kem::KemSecret;
use poterne::model::audit_event::{AuditFilter, Event};
use poterne::model::id::{CellId, EntryId};
use poterne::model::member::Role;
use poterne::secret::{Key32, SecretText};
use poterne::store::sqlite::SqliteRows;
use poterne::vault::cert::Act;
use poterne::vault::grant::{self, AUDIT_KEY, VAULT_KEY};
use poterne::vault::rows::Rows;
use poterne::vault::unlocked::{Env, Unlocked, VaultError};

use crate::kit::{Desk, login};
use crate::kit_rows::{Doctor, open_by_kit, write};
use crate::team_story::{Person, invite};

/// An owner at work, and a technician of one client of two.
fn firm() -> (Desk, Person) {
    let desk = Desk::open();
    for client in ["Dupont", "Martin"] {
        desk.add("client", client, Patch::default());
        desk.add("ssh", &format!("{client}/srv"), login("h.example", "root", "hunter2"));
    }
    let code = invite(&desk, "tom", Role::Technician, &["Dupont"]);
    let mut tom = Person::accepted(&desk.file, &code, "le mot de tom");
    tom.unlock();
    (desk, tom)
}

/// The technician's own key, which nobody else has.
fn own() -> Key32 {
    Key32::filled(|k| k.fill(9))
}

fn own_header(v: &mut Unlocked, rows: &SqliteRows<'_>) -> Result<(), VaultError> {
    v.header.audit_pk = KemSecret::from_seed(&own()).public().to_vec();
    v.put_header(rows)
}

fn lines(desk: &Desk) -> i64 {
    let db = rusqlite::Connection::open(&desk.file).expect("opens");
    db.query_row("select count(*) from audit", [], |r| r.get(0)).expect("counts")
}

/// One of several, on a computer that has seen newer copies.
fn named(options: UnlockOptions) -> UnlockOptions {
    UnlockOptions { member: Some("alice".into()), accept_older: true, ..options }
}

/// The client that the technician has.
fn client_of(v: &Unlocked) -> EntryId {
    *v.client_names().keys().next().expect("one is his")
}

/// Hands the owner a key, in the name of the technician.
fn hand_owner(
    v: &mut Unlocked,
    rows: &SqliteRows<'_>,
    env: &mut Env<'_>,
    subject: EntryId,
    generation: u32,
) -> Result<(), VaultError> {
    let owner = v.directory.members().find(|m| m.role == Role::Owner).expect("one").id;
    v.hand(rows, env, &owner, subject, generation, &own())
}

#[test]
fn what_a_technician_seals_into_the_file_gives_nothing_of_what_others_write() {
    let (desk, tom) = firm();
    let kit = tom.kit().to_owned();
    let attacks: [(&str, Doctor); 9] = [
        ("another audit key", |v, rows, _| own_header(v, rows)),
        ("another audit key of a new generation", |v, rows, _| {
            v.state.audit_gen += 1;
            own_header(v, rows)
        }),
        ("another audit key, and its seed handed to the owner", |v, rows, env| {
            v.state.audit_gen += 1;
            let generation = v.state.audit_gen;
            hand_owner(v, rows, env, AUDIT_KEY, generation)?;
            own_header(v, rows)
        }),
        ("another key for refused unlocks", |v, rows, _| {
            v.header.pending_pk = KemSecret::from_seed(&own()).public().to_vec();
            v.put_header(rows)
        }),
        ("a vault key of a new generation", |v, rows, env| {
            let generation = v.state.vault_gen + 1;
            hand_owner(v, rows, env, VAULT_KEY, generation)?;
            v.ring.put_vault_key(generation, own());
            v.state.vault_gen = generation;
            v.state.meta = v.meta_sum(rows)?;
            Ok(())
        }),
        ("a new key of a client", |v, rows, env| {
            let client = client_of(v);
            hand_owner(v, rows, env, client, 2)
        }),
        ("a grant in the owner's name", |v, rows, env| {
            let owner = v.directory.members().find(|m| m.role == Role::Owner).expect("one");
            let (id, client) = (CellId(env.id()), client_of(v));
            let vault = v.header.vault;
            let by = (owner.id, &v.identity);
            let row = grant::seal(&vault, id, owner, client, 2, &own(), by, env.random);
            let row = row.expect("the owner's key is one");
            v.summer()?.toggle(&mut v.state.meta, "grant", &id.0, 0, &row.sig);
            Ok(rows.put_grant(&row)?)
        }),
        ("a member's card taken away", |v, rows, env| {
            let owner = v.directory.members().find(|m| m.role == Role::Owner).expect("one").id;
            v.cards.insert(owner, poterne::vault::cert::Card::default());
            v.put_card(rows, env, owner)
        }),
        ("a state of another header", |v, _, _| {
            v.state.header = [7; 32];
            Ok(())
        }),
    ];
    for (what, doctor) in attacks {
        let mut desk = desk.twin();
        let options = named(desk.options());
        desk.app.unlock(options).unwrap_or_else(|e| panic!("{what}: {}", e.what.en));
        let (mut store, mut v) = open_by_kit(&desk.file, &kit).expect("he is a member");
        write(&mut store, &mut v, doctor).unwrap_or_else(|e| panic!("{what}: {e}"));
        let before = lines(&desk);
        // Open all the time: no request passes, the third no more than the first.
        for request in [
            || Request::Members,
            || Request::Settings,
            || Request::Backup { to: None },
            || Request::Members,
        ] {
            match desk.app.call(request()) {
                Err(e) => assert!([Code::Tampered, Code::Locked].contains(&e.code), "{what}"),
                Ok(Reply::Settings(_)) => {}
                Ok(_) => panic!("{what}: passes"),
            }
        }
        assert_eq!(lines(&desk), before, "{what}: written under");
        // Nor does it open anew.
        let options = named(desk.options_with(desk.phone.peek()));
        let opened = App::new(desk.file.clone()).unlock(options);
        assert_eq!(opened.err().map(|e| e.code), Some(Code::Tampered), "{what}: opens");
    }
}

#[test]
fn no_right_is_had_by_stating_it() {
    let (desk, tom) = firm();
    let (mut store, mut v) = open_by_kit(&desk.file, tom.kit()).expect("he is a member");
    let attempts: [Doctor; 3] = [
        |v, rows, env| {
            let act = Act::Change { name: "tom".into(), role: Role::Owner, all_clients: true };
            v.state_member(rows, env, v.me, act)
        },
        |v, rows, env| {
            let owner = v.directory.members().find(|m| m.role == Role::Owner).expect("one").id;
            v.state_member(rows, env, owner, Act::Remove)
        },
        |v, rows, env| v.rotate_audit_key(rows, env, &[v.me]),
    ];
    for doctor in attempts {
        write(&mut store, &mut v, doctor).expect_err("not his to say");
    }
    // What he cannot name he cannot read either.
    assert!(v.client_names().iter().all(|(_, name)| name != "Martin"));
}

#[test]
fn who_was_removed_does_not_seal_the_state_with_the_key_of_before() {
    let (desk, tom) = firm();
    let (mut store, mut before) = open_by_kit(&desk.file, tom.kit()).expect("a member");
    desk.call(Request::RemoveMember { name: "tom".into() });
    let count = lines(&desk);
    let epoch = store.read(|rows| rows.epoch()).expect("anybody reads it");
    before.state.epoch = epoch;
    write(&mut store, &mut before, |v, rows, _| {
        v.state.meta = v.meta_sum(rows)?;
        own_header(v, rows)
    })
    .expect("anybody may write the file");
    for _ in 0..3 {
        let e = desk.app.call(Request::Members).err().expect("refused");
        assert_eq!(e.code, Code::Tampered, "{}", e.what.en);
    }
    let add = Request::Create {
        kind: poterne::model::entry::Kind::new("client"),
        path: "New".into(),
        patch: Box::new(Patch::default()),
    };
    assert_eq!(desk.app.call(add).err().expect("refused").code, Code::Tampered);
    assert_eq!(lines(&desk), count);
}

#[test]
fn an_invitation_that_was_open_over_two_removals_reads_the_whole_log() {
    let (desk, _tom) = firm();
    let late = invite(&desk, "late", Role::Auditor, &[]);
    let code = invite(&desk, "aud", Role::Auditor, &[]);
    let _aud = Person::accepted(&desk.file, &code, "le mot de aud");
    let absent = invite(&desk, "dora", Role::Admin, &["Dupont"]);
    let mut dora = Person::accepted(&desk.file, &absent, "le mot de dora");
    for name in ["aud", "tom"] {
        desk.call(Request::RemoveMember { name: name.into() });
    }
    let again = invite(&desk, "aud", Role::Auditor, &[]);
    for (code, name) in [(late, "late"), (again, "aud")] {
        let mut person = Person::accepted(&desk.file, &code, &format!("le mot de {name}"));
        person.unlock();
        assert!(invited(&person) >= 4, "{name} reads the lines from before");
    }
    // Who was away all the time.
    dora.unlock();
    assert!(invited(&dora) >= 5);
    // The kit printed before both removals.
    let (store, v) = open_by_kit(&desk.file, &desk.kit).expect("the owner's kit");
    crate::kit_rows::read_all(&store, &v).expect("reads all");
    let Reply::Checked(report) = desk.call(Request::Check) else { panic!("checked") };
    assert_eq!(report.faults, []);
}

/// Lines of invitations whose values a person reads.
fn invited(person: &Person) -> usize {
    let filter = AuditFilter { events: vec![Event::MemberInvited], ..AuditFilter::default() };
    let Reply::Log(lines) = person.call(Request::AuditLog { filter }) else { panic!("lines") };
    lines.iter().filter(|l| !l.field("subject").is_empty()).count()
}

#[test]
fn refused_unlocks_whose_key_is_missing_are_told_before_it_is_replaced() {
    let (mut desk, _tom) = firm();
    desk.call(Request::Lock);
    let mut wrong = desk.options_with(SecretText::copy_of("000000"));
    wrong.member = Some("eve".into());
    App::new(desk.file.clone()).unlock(wrong).expect_err("nobody of that name");
    let (mut store, mut owner) = open_by_kit(&desk.file, &desk.kit).expect("the owner's kit");
    write(&mut store, &mut owner, |v, rows, _| {
        let me = v.me;
        for row in rows.grants_of(&me)?.iter().filter(|g| g.subject == grant::PENDING_KEY) {
            v.drop_grant(rows, row)?;
        }
        v.ring.set_pending_key(None);
        v.ring_dirty = true;
        Ok(())
    })
    .expect("an owner may");
    desk.unlock().expect("opens");
    let refused = |desk: &Desk| {
        let filter = AuditFilter { events: vec![Event::UnlockRefused], ..AuditFilter::default() };
        let Reply::Log(lines) = desk.call(Request::AuditLog { filter }) else { panic!("lines") };
        lines.iter().map(|l| l.field("detail").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(refused(&desk), [""; 0], "they wait for one who has the key");
    desk.call(Request::RemoveMember { name: "tom".into() });
    let said = refused(&desk);
    assert!(said.len() == 1 && said[0].contains("missing here, not taken: 1"), "{said:?}");
}

#[test]
fn a_vault_from_before_two_replaced_keys_is_whole_and_so_is_who_was_open_over_both() {
    let (mut desk, tom) = firm();
    let join = |name: &str, role| {
        let code = invite(&desk, name, role, &["Dupont"]);
        let mut person = Person::accepted(&desk.file, &code, &format!("le mot de {name}"));
        person.unlock();
        person
    };
    let (dora, aud) = (join("dora", Role::Admin), join("aud", Role::Auditor));
    let second = join("second", Role::Auditor);
    let before = std::fs::read(&desk.file).expect("reads");
    for name in ["aud", "second"] {
        desk.call(Request::RemoveMember { name: name.into() });
    }
    // Open since before the first, and asked for nothing in between.
    assert_eq!(invited(&dora), 4);
    tom.reveals("Dupont/srv").expect("still granted");
    assert_eq!(aud.refused(Request::Members), Code::Locked);
    assert_eq!(second.refused(Request::Members), Code::Locked);
    let sound = |desk: &Desk| {
        let Reply::Checked(report) = desk.call(Request::Check) else { panic!("checked") };
        assert_eq!(report.faults, []);
    };
    sound(&desk);
    for person in [&dora, &tom] {
        person.call(Request::Lock);
    }
    desk.call(Request::Lock);
    std::fs::write(&desk.file, before).expect("ours");
    let options = named(desk.options());
    desk.app.unlock(options).unwrap_or_else(|e| panic!("{}", e.what.en));
    sound(&desk);
    for name in ["aud", "second"] {
        desk.call(Request::RemoveMember { name: name.into() });
    }
    sound(&desk);
}
