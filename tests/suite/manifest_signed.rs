//! Manifests that the vault shares are signed: a member whose program was doctored puts
//! none there in another's name, brings back none that was replaced, and what a person
//! who left had rightly shared still stands.

use poterne::app::api::{AppError, Code, Patch, Reply, Request, SharedView};
use poterne::app::{App, UnlockOptions};
use poterne::model::entry::Kind;
use poterne::model::id::{EntryId, MemberId};
use poterne::model::member::Role;
use poterne::os::{clock, random};
use poterne::vault::listing::{Listing, Shared};
use poterne::vault::unlocked::Unlocked;

use crate::kit::Desk;
use crate::kit_rows::{Doctor, open_by_kit, write};
use crate::team_story::{Person, invite};

fn manifest(kind: &str, word: &str) -> String {
    format!(
        "kind = \"{kind}\"\nname = \"Signed\"\nopens = \"terminal\"\nargs = [\"{word}\"]\n\
         [program]\nlinux = [\"echo\"]\n"
    )
}

fn share(kind: &str, word: &str) -> Request {
    Request::Share { text: manifest(kind, word) }
}

fn shared(app: &App) -> Vec<SharedView> {
    match app.call(Request::Shared) {
        Ok(Reply::Shared(views)) => views,
        Ok(_) => panic!("a list"),
        Err(e) => panic!("{}", e.what.en),
    }
}

/// The only one that is shared: its text, or why it is not used.
fn only(app: &App) -> Result<String, AppError> {
    let views = shared(app);
    assert_eq!(views.len(), 1);
    views.into_iter().next().expect("one").text
}

fn faults(app: &App) -> Vec<String> {
    let Ok(Reply::Checked(report)) = app.call(Request::Check) else { panic!("checked") };
    report.faults.into_iter().map(|fault| fault.en).collect()
}

/// Whether entries of this kind can be made.
fn known(app: &App, kind: &str) -> bool {
    let path = format!("Dupont/{}", EntryId(random::id()));
    let (kind, patch) = (Kind::new(kind), Box::new(Patch::default()));
    match app.call(Request::Create { kind, path, patch }) {
        Ok(_) => true,
        Err(e) => {
            assert_eq!(e.code, Code::Usage, "{}", e.what.en);
            false
        }
    }
}

/// An owner at work who shares one, and a technician.
fn firm(kind: &str) -> (Desk, Person) {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.call(share(kind, "good"));
    let code = invite(&desk, "tom", Role::Technician, &["Dupont"]);
    let tom = Person::accepted(&desk.file, &code, "le mot de tom");
    (desk, tom)
}

fn of_alice(desk: &mut Desk) -> UnlockOptions {
    UnlockOptions { member: Some("alice".into()), ..desk.options() }
}

fn owner(v: &Unlocked) -> MemberId {
    v.directory.members().find(|m| m.role == Role::Owner).expect("one").id
}

/// The technician signs the list, as its next version.
fn sign_list(v: &mut Unlocked, by: MemberId) {
    let n = v.newest_listing() + 1;
    let (vault, at) = (v.header.vault, clock::now());
    v.state.shared.sign(&vault, v.identity.signing(), n, by, at);
}

fn first(v: &mut Unlocked) -> &mut Shared {
    v.state.shared.all.first_mut().expect("one is shared")
}

/// Puts a text there as if he might share.
const EVIL: &str = "kind = \"signed-a\"\nname = \"Signed\"\nopens = \"terminal\"\n\
                    args = [\"evil\"]\n[program]\nlinux = [\"echo\"]\n";

#[test]
fn what_a_doctored_program_puts_there_is_not_used_and_told() {
    let (desk, tom) = firm("signed-a");
    let kit = tom.kit().to_owned();
    // What one of two that have a vault open knows of it, the other would know too.
    desk.call(Request::Lock);
    let attacks: [(&str, &str, Doctor); 7] = [
        ("in his own name", "nobody signed who may share", |v, rows, env| {
            v.put_shared(rows, env, "signed-a", EVIL)
        }),
        (
            "in the owner's name, signed by himself",
            "nobody signed who may share",
            |v, rows, env| {
                v.put_shared(rows, env, "signed-a", EVIL)?;
                let (by, vault) = (owner(v), v.header.vault);
                let mut evil = first(v).clone();
                evil.by = by;
                evil.sign(&vault, v.identity.signing());
                *first(v) = evil;
                sign_list(v, by);
                Ok(())
            },
        ),
        (
            "under the owner's signatures of before",
            "nobody signed who may share",
            |v, rows, env| {
                let before = v.state.shared.clone();
                v.put_shared(rows, env, "signed-a", EVIL)?;
                let (digest, cell) = (first(v).digest, first(v).cell);
                v.state.shared = before;
                (first(v).digest, first(v).cell) = (digest, cell);
                Ok(())
            },
        ),
        ("another text in the place of the owner's", "cannot be read", |v, rows, env| {
            let before = v.state.shared.clone();
            v.put_shared(rows, env, "signed-a", EVIL)?;
            let cell = first(v).cell;
            v.state.shared = before;
            first(v).cell = cell;
            Ok(())
        }),
        ("without any signature", "is not signed", |v, rows, env| {
            v.put_shared(rows, env, "signed-a", EVIL)?;
            let by = owner(v);
            (first(v).by, first(v).sig) = (by, None);
            v.state.shared.seal = None;
            Ok(())
        }),
        ("one signature taken away", "nobody signed who may share", |v, _, _| {
            first(v).sig = None;
            Ok(())
        }),
        ("the list as a later one", "nobody signed who may share", |v, _, _| {
            v.state.shared.seal.as_mut().expect("signed").n += 1;
            Ok(())
        }),
    ];
    for (what, why, doctor) in attacks {
        let mut desk = desk.twin();
        let options = UnlockOptions { accept_older: true, ..of_alice(&mut desk) };
        desk.app.unlock(options).unwrap_or_else(|e| panic!("{what}: {}", e.what.en));
        assert!(only(&desk.app).is_ok() && known(&desk.app, "signed-a"), "{what}");
        let (mut store, mut v) = open_by_kit(&desk.file, &kit).expect("he is a member");
        write(&mut store, &mut v, doctor).unwrap_or_else(|e| panic!("{what}: {e}"));
        let refused = only(&desk.app).expect_err(what);
        // Without the list's own signature, one that was signed before is missed too.
        let missed = why == "is not signed" && refused.what.en.contains("older than");
        assert!(refused.what.en.contains(why) || missed, "{what}: {}", refused.what.en);
        assert!(refused.todo.en.contains("poterne connector add"), "{what}");
        let told = faults(&desk.app);
        assert!(told.iter().any(|fault| fault.contains("shared connector “signed-a”")), "{what}");
        assert!(!known(&desk.app, "signed-a"), "{what}: it is used");
        // Shared again by who may, it is good.
        desk.call(share("signed-a", "again"));
        assert!(only(&desk.app).is_ok_and(|text| text.contains("again")), "{what}");
        assert_eq!(faults(&desk.app), [""; 0], "{what}");
        assert!(known(&desk.app, "signed-a"), "{what}");
    }
}

#[test]
fn what_stood_beside_a_false_one_is_not_signed_along_with_the_next() {
    let (desk, tom) = firm("signed-b");
    let (mut store, mut v) = open_by_kit(&desk.file, tom.kit()).expect("he is a member");
    write(&mut store, &mut v, |v, rows, env| {
        v.put_shared(rows, env, "signed-false", &manifest("signed-false", "evil"))
    })
    .expect("anybody with the vault key may write");
    assert!(shared(&desk.app).iter().all(|view| view.text.is_err()));
    desk.call(share("signed-b", "again"));
    let views = shared(&desk.app);
    let of = |kind: &str| views.iter().find(|view| view.kind == kind).expect("it is listed");
    assert!(of("signed-b").text.is_ok());
    let refused = of("signed-false").text.clone().expect_err("nobody shared it who may");
    assert!(refused.what.en.contains("is not signed"), "{}", refused.what.en);
    assert!(!known(&desk.app, "signed-false"));
    // Taken out by name, as any other.
    desk.call(Request::Unshare { kind: "signed-false".into() });
    assert_eq!(faults(&desk.app), [""; 0]);
}

/// The list as it stands, and the text of its only manifest.
fn kept(desk: &Desk, kit: &str) -> (Listing, String) {
    let (store, v) = open_by_kit(&desk.file, kit).expect("a member");
    let listing = v.state.shared.clone();
    let text = store.read(|rows| v.shared_text(rows, &listing.all[0])).expect("its text");
    (listing, text)
}

#[test]
fn a_list_of_before_is_not_taken_for_the_newest_one() {
    let (mut desk, tom) = firm("signed-c");
    let (before, text) = kept(&desk, tom.kit());
    desk.call(share("signed-c", "mended"));
    for replay in ["while it is open", "while it is locked"] {
        let locked = replay == "while it is locked";
        if locked {
            desk.call(Request::Lock);
        }
        let (mut store, mut v) = open_by_kit(&desk.file, tom.kit()).expect("he is a member");
        let before = before.clone();
        write(&mut store, &mut v, |v, rows, env| {
            // The text lies in a cell again, and the owner's own list names it.
            v.put_shared(rows, env, "signed-c", &text)?;
            let cell = first(v).cell;
            v.state.shared = before;
            first(v).cell = cell;
            Ok(())
        })
        .expect("anybody with the vault key may write");
        if locked {
            let options = of_alice(&mut desk);
            desk.app.unlock(options).unwrap_or_else(|e| panic!("{}", e.what.en));
        }
        let refused = only(&desk.app).expect_err(replay);
        assert!(refused.what.en.contains("older than"), "{replay}: {}", refused.what.en);
        assert!(!known(&desk.app, "signed-c"), "{replay}");
        desk.call(share("signed-c", "mended"));
        assert!(only(&desk.app).is_ok(), "{replay}");
    }
    // Nor is one that was taken out there again, nor the list gone unnoticed.
    let (listing, _) = kept(&desk, tom.kit());
    desk.call(Request::Unshare { kind: "signed-c".into() });
    assert_eq!(faults(&desk.app), [""; 0]);
    for put in [listing, Listing::default()] {
        let (mut store, mut v) = open_by_kit(&desk.file, tom.kit()).expect("he is a member");
        write(&mut store, &mut v, |v, _, _| {
            v.state.shared = put;
            Ok(())
        })
        .expect("anybody with the vault key may write");
        let told = faults(&desk.app);
        assert!(told.iter().any(|fault| fault.contains("shared connector")), "{told:?}");
    }
}

#[test]
fn what_an_admin_shared_stands_after_the_admin_and_nothing_that_comes_later() {
    let (desk, tom) = firm("signed-d");
    let code = invite(&desk, "dora", Role::Admin, &["Dupont"]);
    let mut dora = Person::accepted(&desk.file, &code, "le mot de dora");
    dora.unlock();
    dora.call(share("signed-d", "doras"));
    let by = |app: &App| shared(app).into_iter().next().expect("one").by;
    assert_eq!(by(&desk.app), "dora");
    dora.call(Request::Lock);
    desk.call(Request::ChangeMember {
        name: "dora".into(),
        role: Role::Technician,
        all_clients: true,
        clients: Vec::new(),
    });
    assert!(only(&desk.app).is_ok_and(|text| text.contains("doras")));
    assert_eq!(by(&desk.app), "dora", "it is still hers");
    assert_eq!(faults(&desk.app), [""; 0]);
    // What she signs from now on counts for nothing, the list or one in it.
    let (mut store, mut v) = open_by_kit(&desk.file, dora.kit()).expect("a member");
    write(&mut store, &mut v, |v, rows, env| {
        v.put_shared(rows, env, "signed-d", &manifest("signed-d", "evil"))
    })
    .expect("anybody with the vault key may write");
    assert!(only(&desk.app).is_err());
    desk.call(share("signed-d", "again"));
    desk.call(Request::RemoveMember { name: "dora".into() });
    assert!(only(&desk.app).is_ok());
    desk.call(Request::RemoveMember { name: "tom".into() });
    assert_eq!(faults(&desk.app), [""; 0]);
    drop(tom);
}

#[test]
fn one_of_a_program_that_did_not_sign_is_told_and_shared_again() {
    let (desk, tom) = firm("signed-e");
    // As an earlier build left it; `formats` has its very bytes.
    desk.call(Request::Lock);
    let mut twin = desk.twin();
    let (mut store, mut v) = open_by_kit(&twin.file, tom.kit()).expect("a member");
    write(&mut store, &mut v, |v, _, _| {
        v.state.shared.seal = None;
        first(v).sig = None;
        Ok(())
    })
    .expect("writes");
    // This computer saw the signed one: another member's computer has not.
    let _ = std::fs::remove_file(seen_of(&twin));
    let options = of_alice(&mut twin);
    twin.app.unlock(options).unwrap_or_else(|e| panic!("{}", e.what.en));
    let refused = only(&twin.app).expect_err("not signed");
    assert!(refused.what.en.contains("is not signed"), "{}", refused.what.en);
    assert!(faults(&twin.app).iter().any(|fault| fault.contains("is not signed")));
    twin.call(share("signed-e", "again"));
    assert!(only(&twin.app).is_ok());
    assert_eq!(faults(&twin.app), [""; 0]);
}

/// What this computer remembers of the vault.
fn seen_of(desk: &Desk) -> std::path::PathBuf {
    let (_, v) = open_by_kit(&desk.file, &desk.kit).expect("the owner's kit");
    let state = std::env::var_os("XDG_STATE_HOME").expect("that of the tests");
    std::path::Path::new(&state).join(format!("poterne/vaults/{}.seen", v.header.vault))
}
