//! Lines that wait for the next unlock: refused unlocks, which anybody can make up
//! and which therefore say little, and the late lines of sessions that outlive a
//! lock, which nobody can. What else lies there is counted, and leaves no line.

use std::time::Instant;

use poterne::app::api::{At, Code, Factors, Justification, Patch, Reply, Request};
use poterne::app::remote::{self, Access};
use poterne::app::{App, ConnectRequest, OpenSession, SessionUi, UnlockOptions, agent};
use poterne::connect::link::{ChannelRequest, TermSize};
use poterne::connect::{Answer, Progress, Question};
use poterne::crypto::kem;
use poterne::model::audit_event::{AuditFilter, Event, OpenLine};
use poterne::model::id::{MemberId, SessionId, VaultId};
use poterne::model::member::Role;
use poterne::model::time::Time;
use poterne::os::{clock, random};
use poterne::secret::{Key32, SecretText};
use poterne::vault::rows::HeaderRow;
use poterne::vault::waiting::{LateKey, LateLine, REFUSED_MAX, RefusedUnlock};
use rusqlite::Connection;
use serde::Serialize;

use crate::kit::Desk;
use crate::kit_rows::{audit, open_by_kit, sums};
use crate::team_story::{Person, invite};

/// A local shell.
const SHELL: &str = "Dupont/sh";

struct Nobody;

impl SessionUi for Nobody {
    fn ask(&mut self, _: Question) -> Answer {
        Answer::No
    }
    fn say(&mut self, _: Progress) {}
    fn cancelled(&self) -> bool {
        false
    }
}

pub fn connect(app: &App, path: String) -> Box<dyn OpenSession> {
    let request = ConnectRequest {
        at: At::Path(path),
        just: Justification::default(),
        accept_host_key: None,
        reuse: false,
        desktop: Vec::new(),
        after: None,
    };
    app.connect(request, &mut Nobody).unwrap_or_else(|e| panic!("{} {}", e.what.en, e.todo.en))
}

/// An open vault with a local shell.
fn desk() -> Desk {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("shell", SHELL, Patch::default());
    desk
}

/// Ends a session while the vault is locked, and waits until that is kept.
fn end_late(desk: &Desk, session: Box<dyn OpenSession>) {
    drop(session);
    // The worker takes one job after the other.
    assert_eq!(desk.app.call(Request::Settings).err().expect("locked").code, Code::Locked);
}

fn lines(desk: &Desk, event: Event) -> Vec<OpenLine> {
    let filter = AuditFilter { events: vec![event], ..AuditFilter::default() };
    let Reply::Log(lines) = desk.call(Request::AuditLog { filter }) else { panic!("lines") };
    lines
}

fn details(desk: &Desk, event: Event) -> Vec<String> {
    lines(desk, event).iter().map(|l| l.field("detail").to_owned()).collect()
}

fn sound(desk: &Desk) {
    let Reply::Checked(report) = desk.call(Request::Check) else { panic!("checked") };
    assert_eq!(report.faults, []);
}

/// What anybody reads of the file.
fn header(db: &Connection) -> HeaderRow {
    db.query_row("select vault_id, root_pk, audit_pk, pending_pk from vault", [], |r| {
        Ok(HeaderRow {
            vault: VaultId(r.get(0)?),
            root_pk: r.get(1)?,
            audit_pk: r.get(2)?,
            pending_pk: r.get(3)?,
        })
    })
    .expect("one row")
}

fn put(db: &Connection, table: &str, row: &[u8]) {
    db.execute(&format!("insert into {table}(ct) values (?)"), [row]).expect("anybody may");
}

fn waiting(db: &Connection, table: &str) -> Vec<Vec<u8>> {
    let mut all = db.prepare(&format!("select ct from {table} order by n")).expect("a table");
    let rows = all.query_map([], |r| r.get(0)).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

/// The shape in which a line once waited, whoever sealed it.
#[derive(Serialize)]
struct AnyLine<'a> {
    at: Time,
    actor: Option<MemberId>,
    event: &'a str,
    ok: bool,
    fields: Vec<(&'a str, &'a str)>,
}

#[test]
fn who_tries_factors_to_read_only_is_logged_where_the_file_can_be_written() {
    let mut desk = desk();
    desk.call(Request::Lock);
    let tried = |desk: &Desk| {
        let mut wrong = desk.options_with(SecretText::copy_of("000000"));
        (wrong.member, wrong.read_only) = (Some("mallory".into()), true);
        App::new(desk.file.clone()).unlock(wrong).expect_err("nobody of that name").code
    };
    assert_eq!(tried(&desk), Code::Locked);
    // Where it cannot be written, it is refused all the same.
    let mode = |mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&desk.file, mode).expect("ours");
    };
    mode(0o444);
    assert_eq!(tried(&desk), Code::Locked);
    mode(0o600);
    // Pages behind the end are for who writes to cut off: this one leaves the file alone.
    let long = [std::fs::read(&desk.file).expect("reads"), vec![0; 2048]].concat();
    let twin = desk.twin();
    std::fs::write(&twin.file, &long).expect("ours");
    assert_eq!(tried(&twin), Code::Locked);
    assert_eq!(std::fs::read(&twin.file).expect("reads"), long);
    let reading = UnlockOptions { read_only: true, ..desk.options() };
    App::new(desk.file.clone()).unlock(reading).unwrap_or_else(|e| panic!("{}", e.what.en));
    desk.unlock().unwrap_or_else(|e| panic!("{}", e.what.en));
    let refused = lines(&desk, Event::UnlockRefused);
    let names: Vec<_> = refused.iter().map(|line| line.field("member")).collect();
    assert_eq!(names, ["mallory"]);
}

#[test]
fn nobody_puts_a_line_into_the_log_in_a_members_name() {
    let mut desk = desk();
    let code = invite(&desk, "bob", Role::Technician, &["Dupont"]);
    drop(Person::accepted(&desk.file, &code, "le mot de bob 1"));
    let Reply::Members(all) = desk.call(Request::Members) else { panic!("members") };
    let bob = all.iter().find(|m| m.member.name == "bob").expect("bob").member.id;
    desk.call(Request::Lock);
    let db = Connection::open(&desk.file).expect("opens");
    let head = header(&db);
    let mut fill = |out: &mut [u8]| random::fill(out);
    // As an outsider who has the file, and knows this text of the program.
    for (info, event) in [
        (&b"poterne/v1 pending line"[..], "secret.revealed"),
        (b"poterne/v1 refused unlock", "secret.revealed"),
        (b"poterne/v1 refused unlock", "log.checkpoint"),
        (b"poterne/v1 refused unlock", "member.removed"),
    ] {
        let line = AnyLine {
            at: clock::now(),
            actor: Some(bob),
            event,
            ok: true,
            fields: vec![
                ("member", "bob"),
                ("client", "Dupont"),
                ("entry", SHELL),
                ("slot", "password"),
                ("rule", "none"),
                ("reason", "forged"),
                ("reason", "forged twice"),
            ],
        };
        let plain = postcard::to_stdvec(&line).expect("plain data");
        for padded in [plain.len(), 256] {
            let mut plain = plain.clone();
            plain.resize(padded.max(plain.len()), 0);
            let ct = kem::seal_to(&head.pending_pk, info, &head.vault.0, &plain, &mut fill);
            put(&db, "audit_pending", &ct.expect("a public key"));
        }
    }
    let guessed = Key32::filled(|k| random::fill(k));
    let mut late = LateKey::of(&guessed, 1, SessionId([7; 16]));
    let fields = vec![("member".to_owned(), "bob".to_owned())];
    let line = LateLine { at: clock::now(), event: Event::SessionClosed, ok: true, fields };
    put(&db, "audit_late", &late.seal(&head.vault, line, &random::bytes()));
    put(&db, "audit_late", b"");
    put(&db, "audit_pending", &vec![0; 1 << 20]);
    // What anybody may say: that somebody was refused.
    let refused = RefusedUnlock::new(clock::now(), "bob", "elsewhere");
    put(&db, "audit_pending", &refused.seal(&head, &mut fill).expect("a public key"));
    let mut long = RefusedUnlock::new(clock::now(), "", "");
    (long.member, long.machine) = ("é".repeat(300), "m\n".repeat(30));
    put(&db, "audit_pending", &long.seal(&head, &mut fill).expect("a public key"));

    let options = UnlockOptions { member: Some("alice".into()), ..desk.options() };
    desk.app.unlock(options).unwrap_or_else(|e| panic!("{}", e.what.en));
    let refusals = lines(&desk, Event::UnlockRefused);
    assert_eq!(refusals.len(), 2, "{refusals:?}");
    assert!(refusals.iter().all(|l| l.actor.is_none() && !l.ok));
    let said: Vec<&str> = refusals[0].fields.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(said, ["member", "machine", "detail"]);
    assert_eq!((refusals[0].field("member"), refusals[0].field("machine")), ("bob", "elsewhere"));
    assert_eq!(
        refusals[1].field("detail"),
        "waiting lines that are not this vault's, not taken: 12"
    );
    for event in [Event::SecretRevealed, Event::Checkpoint, Event::MemberRemoved] {
        let forged = lines(&desk, event).iter().any(|l| l.field("reason").starts_with("forged"));
        assert!(!forged, "{event}");
    }
    assert!(lines(&desk, Event::SessionClosed).is_empty());
    assert!(waiting(&db, "audit_pending").is_empty() && waiting(&db, "audit_late").is_empty());
    let Reply::Removed { rotate } = desk.call(Request::RemoveMember { name: "bob".into() }) else {
        panic!("removed")
    };
    assert!(rotate.is_empty(), "{rotate:?}");
    sound(&desk);
    let Reply::Verified(verified) = desk.call(Request::AuditVerify) else { panic!("verified") };
    assert_eq!(verified.faults, []);
}

#[test]
fn a_session_that_outlives_the_lock_ends_in_its_members_name_and_once() {
    let mut desk = desk();
    let session = connect(&desk.app, SHELL.into());
    let (one, two) = (session.id(), connect(&desk.app, SHELL.into()));
    desk.call(Request::Lock);
    end_late(&desk, session);
    let db = Connection::open(&desk.file).expect("opens");
    let rows = waiting(&db, "audit_late");
    assert_eq!(rows.len(), 1);
    // The same line under the id of the session that is still open, and cut short.
    let mut moved = rows[0].clone();
    moved[..16].copy_from_slice(&two.id().0);
    put(&db, "audit_late", &moved);
    put(&db, "audit_late", &rows[0][..100]);
    // The line once more, behind itself.
    put(&db, "audit_late", &rows[0]);
    desk.unlock().expect("opens");
    let (closed, alice) = (lines(&desk, Event::SessionClosed), lines(&desk, Event::Unlocked));
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].actor, alice[0].actor);
    assert!(closed[0].ok && closed[0].actor.is_some());
    assert_eq!(closed[0].field("session"), one.to_string());
    assert_eq!(closed[0].field("entry"), SHELL);
    assert_eq!(closed[0].field("machine"), alice[0].field("machine"));
    let told = "waiting lines that are not this vault's, not taken: 3";
    assert_eq!(details(&desk, Event::UnlockRefused), [told]);
    // The other ends while it is open; its end, and the first, come but once.
    drop(two);
    assert_eq!(lines(&desk, Event::SessionClosed).len(), 2);
    desk.call(Request::Lock);
    put(&db, "audit_late", &rows[0]);
    desk.unlock().expect("opens");
    assert_eq!(lines(&desk, Event::SessionClosed).len(), 2);
    assert_eq!(
        details(&desk, Event::UnlockRefused),
        [told, "waiting lines that are not this vault's, not taken: 1"]
    );
    sound(&desk);
    let (store, v) = open_by_kit(&desk.file, &desk.kit).expect("opens");
    store.read(|rows| sums(&v, rows).and_then(|()| audit(&v, rows))).expect("is whole");
    assert_eq!(v.state.sessions, []);
}

#[test]
fn a_session_of_who_was_removed_ends_in_nobodys_name() {
    let mut desk = desk();
    let join = |name: &str| {
        let code = invite(&desk, name, Role::Technician, &["Dupont"]);
        let mut person = Person::accepted(&desk.file, &code, &format!("le mot de {name}"));
        person.unlock();
        let session = connect(&person.app, SHELL.into());
        (person, session)
    };
    let (bob, bobs) = join("bob");
    let (carl, carls) = join("carl");
    // Bob locks before he is removed; Carl is at work.
    bob.call(Request::Lock);
    for name in ["bob", "carl"] {
        desk.call(Request::RemoveMember { name: name.into() });
    }
    drop((bobs, carls));
    for person in [&bob, &carl] {
        assert_eq!(person.refused(Request::Settings), Code::Locked);
    }
    desk.call(Request::Lock);
    desk.unlock().expect("opens");
    let closed = lines(&desk, Event::SessionClosed);
    assert!(closed.iter().all(|l| l.actor.is_none()), "{closed:?}");
    let mut names: Vec<&str> = closed.iter().map(|l| l.field("member")).collect();
    names.sort_unstable();
    assert_eq!(names, ["bob", "carl"]);
    assert!(lines(&desk, Event::UnlockRefused).is_empty());
    sound(&desk);
}

#[test]
fn what_is_too_much_to_keep_is_counted_and_no_session_ends_untold() {
    let mut desk = desk();
    let session = connect(&desk.app, SHELL.into());
    desk.call(Request::Lock);
    let db = Connection::open(&desk.file).expect("opens");
    for n in 0..REFUSED_MAX {
        put(&db, "audit_pending", &n.to_be_bytes());
    }
    let mut wrong = desk.options_with(SecretText::copy_of("000000"));
    wrong.factors =
        Factors { password: SecretText::copy_of("faux"), code: SecretText::copy_of("000000") };
    let refused = desk.app.unlock(wrong).expect_err("a wrong password");
    assert_eq!(refused.code, Code::Locked);
    assert_eq!(waiting(&db, "audit_pending").len() as u64, REFUSED_MAX);
    end_late(&desk, session);
    desk.unlock().expect("opens");
    assert_eq!(lines(&desk, Event::SessionClosed).len(), 1);
    assert_eq!(
        details(&desk, Event::UnlockRefused),
        [format!(
            "waiting lines that are not this vault's, not taken: {REFUSED_MAX}; \
             refused unlocks while {REFUSED_MAX} waited already, counted and not kept: 1"
        )]
    );
    // Told once.
    desk.call(Request::Lock);
    desk.unlock().expect("opens");
    assert_eq!(lines(&desk, Event::UnlockRefused).len(), 1);
}

#[test]
fn a_name_of_any_length_waits_within_its_bounds() {
    let mut desk = Desk::locked();
    let mut wrong = desk.options_with(SecretText::copy_of("000000"));
    wrong.member = Some(format!("é\u{1b}[31m{}", "x".repeat(5000)));
    desk.app.unlock(wrong).expect_err("nobody of that name");
    let db = Connection::open(&desk.file).expect("opens");
    assert_eq!(waiting(&db, "audit_pending")[0].len(), poterne::vault::waiting::REFUSED_SEALED);
    desk.unlock().expect("opens");
    let refused = lines(&desk, Event::UnlockRefused);
    let name = refused[0].field("member");
    assert!(name.starts_with("é[31mxx") && name.len() == 120, "{name}");
}

#[test]
fn no_more_sessions_are_remembered_than_there_is_room_for() {
    use poterne::vault::state::{SESSIONS_MAX, State};
    let mut state = State::new();
    for n in 0..SESSIONS_MAX as u128 + 5 {
        state.begin_session(SessionId(n.to_be_bytes()), MemberId([1; 16]));
    }
    assert_eq!(state.sessions.len(), SESSIONS_MAX);
    assert_eq!(state.sessions[0].id, SessionId(5u128.to_be_bytes()));
}

/// Connects through the agent, as who takes up `after`.
fn through(agent: &dyn Access, after: Option<SessionId>) -> Box<dyn OpenSession> {
    let request = ConnectRequest {
        at: At::Path(SHELL.into()),
        just: Justification::default(),
        accept_host_key: None,
        reuse: false,
        desktop: Vec::new(),
        after,
    };
    let opened = agent.connect(request, &mut Nobody);
    opened.unwrap_or_else(|e| panic!("{} {}", e.what.en, e.todo.en))
}

#[test]
fn a_session_that_comes_back_by_itself_does_not_keep_the_vault_open() {
    let desk = desk();
    let socket = agent::socket_of(&desk.file).expect("there is a place for sockets");
    let guard = agent::serve(desk.app.clone(), &socket).expect("nobody serves this vault");
    let client = remote::find(&desk.file).expect("of this build").expect("it serves");
    // By hand: somebody is there.
    let since = Instant::now();
    let first = through(&*client, None);
    assert!(guard.idle_for() < since.elapsed());
    let (id, since) = (first.id(), Instant::now());
    let second = through(&*client, Some(id));
    let sink = Box::new(|_| {});
    let size = TermSize { cols: 80, rows: 24 };
    let shell = ChannelRequest::Shell { size, term: String::new() };
    let channel = second.open_channel(shell, sink).expect("a shell");
    let unused = since.elapsed();
    assert!(guard.idle_for() >= unused);
    drop(channel);
}
