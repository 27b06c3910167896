//! Create, unlock, edit, lock: the vault through its application.

use poterne::app::api::{At, Code, Patch, Reply, Request, Set};
use poterne::app::{App, Change};
use poterne::model::audit_event::{AuditFilter, Event};
use poterne::model::entry::{Kind, Slot};
use poterne::secret::SecretText;

use crate::kit::{Desk, login};

#[test]
fn what_is_saved_is_there_after_lock_and_unlock() {
    let mut desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("folder", "Dupont/Serveurs", Patch::default());
    desk.add("ssh", "Dupont/Serveurs/Élodie", login("srv1.dupont.example", "root", "hunter2"));
    desk.call(Request::Lock);
    let refused = desk.reveal("Dupont/Serveurs/Élodie", Slot::Password).expect_err("locked");
    assert_eq!(refused.code, Code::Locked);
    desk.unlock().expect("opens again");
    assert_eq!(desk.reveal("dupont/serveurs/elodie", Slot::Password).expect("reveals"), "hunter2");
    let Reply::Items(found) = desk.call(Request::Find { query: "dup elo".into(), limit: 5 }) else {
        panic!("items")
    };
    assert_eq!(found[0].path, "Dupont/Serveurs/Élodie");
}

#[test]
fn the_file_shows_nothing_that_was_typed() {
    let desk = Desk::open();
    desk.add("client", "Boulangerie Ménard", Patch::default());
    desk.add(
        "ssh",
        "Boulangerie Ménard/Caisse",
        login("caisse.menard.example", "gerant", "tr3s-secret"),
    );
    desk.call(Request::Lock);
    let bytes = std::fs::read(&desk.file).expect("reads");
    for word in
        ["Boulangerie", "nard", "Caisse", "menard.example", "gerant", "tr3s-secret", "alice"]
    {
        let found = bytes.windows(word.len()).any(|w| w == word.as_bytes());
        assert!(!found, "{word:?} stands in the file");
    }
}

#[test]
fn a_code_opens_once_and_wrong_factors_have_one_text() {
    let mut desk = Desk::locked();
    let first = desk.options();
    let code = first.factors.code.duplicate();
    desk.app.unlock(first).expect("opens");
    desk.call(Request::Lock);
    let mut again = desk.options();
    again.factors.code = code;
    let used = desk.app.unlock(again).expect_err("a used code is refused");
    let mut wrong = desk.options();
    wrong.factors.password = SecretText::copy_of("un autre mot de passe");
    let wrong = desk.app.unlock(wrong).expect_err("a wrong password is refused");
    assert_eq!(used, wrong);
    assert_eq!(used.code, Code::Locked);
}

#[test]
fn a_stale_edit_is_refused_and_says_what_changed() {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    let Reply::Saved { ver, .. } = desk.add("ssh", "Dupont/a", login("h", "u", "p")) else {
        panic!("saved")
    };
    let edit = |host: &str| Request::Edit {
        at: At::Path("Dupont/a".into()),
        expected_ver: Some(ver),
        patch: Box::new(Patch { host: Set::To(host.into()), ..Default::default() }),
    };
    desk.call(edit("one"));
    let stale = desk.app.call(edit("two")).err().expect("refused");
    assert!(stale.what.en.contains("host"), "{}", stale.what.en);
    let Reply::Entry(view) = desk.call(Request::Show { at: At::Path("Dupont/a".into()) }) else {
        panic!("entry")
    };
    assert_eq!(view.entry.host, "one");
}

#[test]
fn the_bin_and_the_history_give_back_what_was() {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("ssh", "Dupont/a", login("h1", "u", "old-password"));
    desk.call(Request::Edit {
        at: At::Path("Dupont/a".into()),
        expected_ver: None,
        patch: Box::new(login("h2", "u", "new-password")),
    });
    desk.call(Request::Remove { at: At::Path("Dupont/a".into()), forever: false });
    assert!(desk.app.call(Request::Show { at: At::Path("Dupont/a".into()) }).is_err());
    desk.call(Request::Restore { at: At::Path("Dupont/a".into()), version: None });
    assert_eq!(desk.reveal("Dupont/a", Slot::Password).expect("reveals"), "new-password");
    desk.call(Request::Restore { at: At::Path("Dupont/a".into()), version: Some(1) });
    assert_eq!(desk.reveal("Dupont/a", Slot::Password).expect("reveals"), "old-password");
}

#[test]
fn what_lies_in_the_bin_stays_with_its_client_when_its_folder_moves_to_another() {
    let desk = Desk::open();
    for client in ["Dupont", "Martin"] {
        desk.add("client", client, Patch::default());
    }
    desk.add("folder", "Dupont/f", Patch::default());
    desk.add("ssh", "Dupont/f/a", login("h", "u", "hunter2"));
    let a = || At::Path("Dupont/f/a".into());
    desk.call(Request::Remove { at: a(), forever: false });
    let to = "Martin".to_owned();
    desk.call(Request::Move { at: At::Path("Dupont/f".into()), to, just: Default::default() });

    let bin = Request::List { at: None, deep: true, trashed: true };
    let Reply::Items(bin) = desk.call(bin) else { panic!("items") };
    assert_eq!(bin.iter().map(|i| i.path.as_str()).collect::<Vec<_>>(), ["Dupont/a"]);
    let Reply::Checked(report) = desk.call(Request::Check) else { panic!("checked") };
    assert_eq!(report.faults, []);
    desk.call(Request::Restore { at: At::Path("Dupont/a".into()), version: None });
    assert_eq!(desk.reveal("Dupont/a", Slot::Password).expect("reveals"), "hunter2");
}

#[test]
fn every_act_is_in_the_log_and_the_log_verifies() {
    let mut desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("ssh", "Dupont/a", login("h", "u", "p"));
    desk.reveal("Dupont/a", Slot::Password).expect("reveals");
    desk.call(Request::Lock);
    desk.unlock().expect("opens");
    let Reply::Log(lines) = desk.call(Request::AuditLog { filter: AuditFilter::default() }) else {
        panic!("lines")
    };
    let events: Vec<Event> = lines.iter().map(|l| l.event).collect();
    for wanted in [
        Event::VaultCreated,
        Event::Unlocked,
        Event::EntryCreated,
        Event::SecretRevealed,
        Event::Locked,
    ] {
        assert!(events.contains(&wanted), "{wanted} is missing from {events:?}");
    }
    let Reply::Verified(verified) = desk.call(Request::AuditVerify) else { panic!("verified") };
    assert_eq!(verified.faults, []);
    let Reply::Checked(report) = desk.call(Request::Check) else { panic!("checked") };
    assert_eq!(report.faults, []);
    assert_eq!(report.entries, 2);
}

#[test]
fn the_newest_lines_are_read_from_the_end_of_a_long_log_and_old_ones_are_found() {
    let mut desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("ssh", "Dupont/a", login("h", "u", "p"));
    for _ in 0..300 {
        desk.reveal("Dupont/a", Slot::Password).expect("reveals");
    }
    // Lines of several unlocks, each sealed under keys of its own.
    desk.call(Request::Lock);
    desk.unlock().expect("opens");
    let read = |last, events: &[Event]| {
        let filter = AuditFilter { last, events: events.to_vec(), ..Default::default() };
        let Reply::Log(lines) = desk.call(Request::AuditLog { filter }) else { panic!("lines") };
        lines
    };
    let all = read(None, &[]);
    assert!(all.iter().map(|l| l.seq).eq(0..all.len() as u64) && all.len() > 300);
    for last in [0, 1, 7, 256, 257, all.len(), 5000] {
        let tail = &all[all.len().saturating_sub(last)..];
        assert_eq!(read(Some(last as u64), &[]), tail, "the last {last}");
    }
    let revealed = read(Some(280), &[Event::SecretRevealed]);
    assert_eq!(revealed.len(), 280);
    assert!(revealed.is_sorted_by_key(|l| l.seq));
    assert_eq!(read(Some(1), &[Event::VaultCreated])[0].seq, 0);
}

#[test]
fn a_screen_hears_what_others_write_and_notices_another_process() {
    let mut desk = Desk::open();
    let (tell, told) = std::sync::mpsc::channel();
    desk.app.on_change(Box::new(move |change| tell.send(change).expect("it is heard")));
    desk.add("client", "A", Patch::default());
    let others = desk.app.for_others();
    let create = |app: &App, path: &str| {
        let patch = Box::new(Patch::default());
        let made = app.call(Request::Create { kind: Kind::FOLDER, path: path.into(), patch });
        assert!(matches!(made, Ok(Reply::Saved { .. })));
    };
    assert!(others.call(Request::Status).is_ok());
    create(&others, "A/one");
    // The next answer comes after all that was told before.
    desk.call(Request::Status);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [Change::Content]);
    assert!(!desk.app.changed_by_others(), "its own writes are none of another's");
    let other = App::new(desk.file.clone());
    other.unlock(desk.options()).expect("a second process opens it too");
    assert!(desk.app.changed_by_others() && !desk.app.changed_by_others());
    create(&other, "A/two");
    assert!(desk.app.changed_by_others() && !desk.app.changed_by_others());
}
