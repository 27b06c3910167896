//! Each act leaves its line, which says what the log is asked for later; and an act
//! whose line cannot be stored does not happen.

use std::collections::BTreeMap;
use std::path::PathBuf;

use poterne::app::api::{
    AppError, At, AttachmentBytes, ExportFormat, ExportRequest, Factors, Justification, Patch,
    Purpose, Reply, Request, SecretChange, Set,
};
use poterne::app::{ConnectRequest, SessionUi};
use poterne::audit::line::Draft;
use poterne::connect::{Answer, Progress, Question};
use poterne::model::audit_event::{AuditFilter, Event, OpenLine, field};
use poterne::model::entry::{ClientInfo, Kind, Slot};
use poterne::model::lang::Lang;
use poterne::model::member::Role;
use poterne::model::settings::Settings;
use poterne::os::random;
use poterne::secret::{SecretBytes, SecretText};
use poterne::vault::code;
use poterne::vault::slot::Kind as CodeKind;
use poterne::vault::unlocked::{Env, VaultError};
use rusqlite::Connection;
use serde_json::Value;

use crate::cli_kit::Seat;
use crate::kit::{Desk, PASSWORD, login};
use crate::kit_rows::open_by_kit;
use crate::kit_ssh::{Setup, Sshd, keygen, user};
use crate::team_story::{Person, invite};

const ENTRY: &str = "Dupont/Serveurs/web";

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

fn at(path: &str) -> At {
    At::Path(path.into())
}

fn why() -> Justification {
    Justification { ticket: Some("ART-7".into()), reason: Some("panne".into()) }
}

/// A vault with a client, a folder, an entry with all that can leave, and a shell.
fn desk() -> Desk {
    let desk = Desk::open();
    let bytes = |text: &str| SecretBytes::copy_of(text.as_bytes());
    desk.add("client", "Dupont", Patch::default());
    desk.add("folder", "Dupont/Serveurs", Patch::default());
    let mut patch = login("192.0.2.7", "root", "geheim");
    patch.secrets.insert(Slot::Totp, SecretChange::Put(bytes("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")));
    patch.attachments.insert("plan.txt".into(), Some(AttachmentBytes(bytes("un plan"))));
    desk.add("ssh", ENTRY, patch);
    desk.add("shell", "Dupont/sh", Patch::default());
    desk
}

fn log(desk: &Desk) -> Vec<OpenLine> {
    let Reply::Log(lines) = desk.call(Request::AuditLog { filter: AuditFilter::default() }) else {
        panic!("lines")
    };
    lines.into_iter().filter(|line| line.event != Event::Checkpoint).collect()
}

fn size(desk: &Desk) -> u64 {
    let Reply::Status(status) = desk.call(Request::Status) else { panic!("a status") };
    status.audit_lines
}

fn reveal(purpose: Purpose) -> Request {
    Request::Reveal { at: at(ENTRY), slot: Slot::Password, purpose, just: why() }
}

fn totp(purpose: Purpose) -> Request {
    Request::Totp { at: at(ENTRY), purpose, just: why() }
}

fn attachment() -> Request {
    Request::Attachment { at: at(ENTRY), name: "plan.txt".into(), just: why() }
}

fn edit(path: &str, patch: Patch) -> Request {
    Request::Edit { at: at(path), expected_ver: None, patch: Box::new(patch) }
}

fn create(kind: &str, path: &str) -> Request {
    Request::Create { kind: Kind::new(kind), path: path.into(), patch: Box::default() }
}

fn moved(from: &str, to: &str) -> Request {
    Request::Move { at: at(from), to: to.into(), just: why() }
}

fn export(out: PathBuf) -> Request {
    let filter = AuditFilter { clients: vec!["Dupont".into()], ..AuditFilter::default() };
    Request::AuditExport(ExportRequest {
        format: ExportFormat::Csv,
        filter,
        redact: vec![field::HOST.into()],
        out,
        lang: Lang::Fr,
        just: why(),
    })
}

fn settings(idle_lock_secs: u64) -> Request {
    let new = Settings { idle_lock_secs, ..Settings::default() };
    Request::SetSettings { expected: Settings::default(), new }
}

fn change(role: Role) -> Request {
    Request::ChangeMember { name: "bob".into(), role, all_clients: true, clients: vec![] }
}

/// Does it; the lines that it left, without those of signatures.
fn act(desk: &Desk, request: Request) -> Vec<OpenLine> {
    let before = log(desk).len();
    desk.call(request);
    log(desk).split_off(before)
}

/// The one line that an act left, with the event and each of these values.
#[track_caller]
fn says(lines: &[OpenLine], event: Event, ok: bool, values: &[(&str, &str)]) {
    let [line] = lines else { panic!("{event}: {lines:?}") };
    tells(line, event, ok, values);
}

#[track_caller]
fn tells(line: &OpenLine, event: Event, ok: bool, values: &[(&str, &str)]) {
    assert_eq!((line.event, line.ok), (event, ok), "{line:?}");
    let who = [(field::MEMBER, "alice")];
    for (name, value) in values.iter().chain(&who) {
        assert_eq!(line.field(name), *value, "{name} of {line:?}");
    }
    assert!(line.actor.is_some() && !line.field(field::MACHINE).is_empty(), "{line:?}");
}

#[test]
fn entries_and_secrets_leave_a_line_for_each_act() {
    use Event as E;
    let desk = desk();
    let about = |entry: &'static str| [(field::CLIENT, "Dupont"), (field::ENTRY, entry)];
    let with = |entry: &'static str, more: &[(&'static str, &'static str)]| {
        [&about(entry)[..], more].concat()
    };
    let asked = [(field::TICKET, "ART-7"), (field::REASON, "panne")];
    let seen = |slot: &'static str| with(ENTRY, &[&asked[..], &[(field::SLOT, slot)]].concat());

    let made = act(&desk, create("note", "Dupont/n"));
    says(&made, E::EntryCreated, true, &with("Dupont/n", &[(field::CONNECTOR, "note")]));
    let patch = Patch { user: Set::To("admin".into()), ..Patch::default() };
    let edited = act(&desk, edit(ENTRY, patch));
    says(&edited, E::EntryEdited, true, &with(ENTRY, &[(field::DETAIL, "user")]));
    let gone = act(&desk, moved("Dupont/n", "Dupont/Serveurs/m"));
    let detail = (field::DETAIL, "Dupont/n → Dupont/Serveurs/m");
    says(&gone, E::EntryMoved, true, &with("Dupont/Serveurs/m", &[detail]));
    let remove = |forever| Request::Remove { at: at("Dupont/Serveurs/m"), forever };
    let bin = act(&desk, remove(false));
    says(&bin, E::EntryDeleted, true, &with("Dupont/Serveurs/m", &[(field::DETAIL, "bin")]));
    let back = act(&desk, Request::Restore { at: at("Dupont/Serveurs/m"), version: None });
    says(&back, E::EntryRestored, true, &with("Dupont/Serveurs/m", &[(field::DETAIL, "bin")]));
    let old = act(&desk, Request::Restore { at: at(ENTRY), version: Some(1) });
    says(&old, E::EntryRestored, true, &with(ENTRY, &[(field::DETAIL, "version 1")]));

    says(&act(&desk, reveal(Purpose::Reveal)), E::SecretRevealed, true, &seen("password"));
    says(&act(&desk, reveal(Purpose::Copy)), E::SecretCopied, true, &seen("password"));
    says(&act(&desk, totp(Purpose::Reveal)), E::TotpShown, true, &seen("code"));
    says(&act(&desk, totp(Purpose::Copy)), E::TotpShown, true, &seen("code copied"));
    let file = seen("attachment:plan.txt");
    says(&act(&desk, attachment()), E::SecretRevealed, true, &file);

    // The own private place is made when it is needed first: that is told too.
    let own = act(&desk, create("credential", "~/web"));
    let [place, entry] = &own[..] else { panic!("{own:?}") };
    tells(place, E::EntryCreated, true, &[(field::ENTRY, "~alice"), (field::CONNECTOR, "client")]);
    tells(entry, E::EntryCreated, true, &[(field::ENTRY, "~alice/web")]);
}

#[test]
fn the_vault_and_its_members_leave_a_line_for_each_act() {
    use Event as E;
    let mut desk = desk();
    let first = log(&desk).swap_remove(0);
    tells(&first, E::VaultCreated, true, &[]);
    let folder = desk.dir.path().to_owned();
    let out = |name: &str| folder.join(name);

    let kept = act(&desk, settings(120));
    says(&kept, E::SettingsChanged, true, &[(field::DETAIL, "idle-lock 600 -> 120")]);
    let backup = act(&desk, Request::Backup { to: Some(out("copie.poterne")) });
    says(&backup, E::BackupMade, true, &[(field::FILE, "copie.poterne")]);
    let told = [
        (field::FILE, "journal.csv"),
        (field::CLIENT, "Dupont"),
        (field::DETAIL, "audit log as csv, filtered (clients Dupont), without host"),
        (field::TICKET, "ART-7"),
        (field::REASON, "panne"),
    ];
    says(&act(&desk, export(out("journal.csv"))), E::Exported, true, &told);
    let before = log(&desk).len();
    desk.app
        .create_many(vec![(Kind::new("ssh"), "Dupont/a".into(), Patch::default())])
        .unwrap_or_else(|e| panic!("{}", e.what.en));
    let imported = log(&desk).split_off(before);
    says(&imported, E::Imported, true, &[(field::COUNT, "1")]);

    let before = log(&desk).len();
    let code = invite(&desk, "bob", Role::Technician, &["Dupont"]);
    let invited = log(&desk).split_off(before);
    let bob = [(field::SUBJECT, "bob"), (field::ROLE, "technician")];
    says(&invited, E::MemberInvited, true, &bob);
    let bob_here = Person::accepted(&desk.file, &code, PASSWORD);
    let lines = log(&desk);
    // A backup that was under way may end after it.
    let joined = lines.iter().rfind(|line| line.event != E::BackupMade).expect("lines");
    assert_eq!((joined.event, joined.field(field::MEMBER)), (E::MemberJoined, "bob"));
    let operator = [(field::SUBJECT, "bob"), (field::ROLE, "operator")];
    says(&act(&desk, change(Role::Operator)), E::MemberChanged, true, &operator);
    let removed = act(&desk, Request::RemoveMember { name: "bob".into() });
    says(&removed, E::MemberRemoved, true, &[(field::SUBJECT, "bob")]);
    drop(bob_here);

    let current = desk.factors();
    let device = act(&desk, Request::AddDevice { label: "portable".into(), current });
    let given = [(field::DETAIL, "code given for portable")];
    says(&device, E::DeviceAdded, true, &given);
    let current = desk.factors();
    let unnamed = act(&desk, Request::AddDevice { label: " ".into(), current });
    says(&unnamed, E::DeviceAdded, true, &[(field::DETAIL, "code given")]);
    desk.call(Request::Lock);
    let wrong = Factors { password: SecretText::copy_of("faux"), code: desk.phone.peek() };
    let mut options = desk.options_with(desk.phone.peek());
    options.factors = wrong;
    assert!(desk.app.unlock(options).is_err());
    desk.unlock().unwrap_or_else(|e| panic!("{}", e.what.en));
    let lines = log(&desk);
    let [.., locked, refused, opened] = &lines[..] else { panic!("{lines:?}") };
    tells(locked, E::Locked, true, &[]);
    // Of a refused unlock nobody knows the author.
    assert_eq!((refused.event, refused.ok, refused.actor), (E::UnlockRefused, false, None));
    assert!(refused.field(field::DETAIL).starts_with("at "), "{refused:?}");
    assert!(!refused.field(field::MACHINE).is_empty(), "{refused:?}");
    tells(opened, E::Unlocked, true, &[]);
}

#[test]
fn a_code_that_opens_nothing_and_a_backup_s_factors_are_refused_unlocks_too() {
    let mut desk = desk();
    let copy = desk.dir.path().join("copie.poterne");
    desk.call(Request::Backup { to: Some(copy.clone()) });
    desk.call(Request::Lock);
    let password = || SecretText::copy_of(PASSWORD);
    let of = |kind| code::print(kind, &code::draw(&mut |out: &mut [u8]| random::fill(out)));
    let app = &desk.app;
    assert!(app.recover(of(CodeKind::Recovery), password(), false).is_err());
    assert!(app.accept_invitation(of(CodeKind::Invitation), password(), false).is_err());
    let factors = Factors { password: password(), code: desk.phone.peek() };
    let member = Some("alice".to_owned());
    assert!(app.enrol_device(of(CodeKind::Enrolment), member, factors, false).is_err());
    let mut options = desk.options_with(desk.phone.peek());
    options.factors.password = SecretText::copy_of("faux");
    options.member = Some("alice".to_owned());
    assert!(app.restore_backup(copy, options).is_err());
    // What is no code at all is told by its signs, before anything is tried.
    let typo = SecretText::copy_of("ABCD");
    assert!(app.recover(typo, password(), false).is_err());
    desk.unlock().unwrap_or_else(|e| panic!("{}", e.what.en));
    let refused: Vec<_> =
        log(&desk).into_iter().filter(|l| l.event == Event::UnlockRefused).collect();
    let members: Vec<&str> = refused.iter().map(|l| l.field(field::MEMBER)).collect();
    assert_eq!(members, ["", "", "alice", "alice"]);
    assert!(refused.iter().all(|l| !l.ok && !l.field(field::MACHINE).is_empty()));
}

#[test]
fn a_clock_that_went_backwards_is_told_before_the_line_that_found_it() {
    let desk = desk();
    desk.call(Request::Lock);
    let (mut store, mut v) = open_by_kit(&desk.file, &desk.kit).expect("opens");
    let late = v.state.audit.last_at.plus_seconds(-60);
    let mut fill = |out: &mut [u8]| random::fill(out);
    let written = store.write(|rows| {
        let mut env = Env { now: late, random: &mut fill, machine: "poste-7" };
        let fields = vec![(field::MEMBER, "alice".to_owned())];
        let actor = Some(v.me);
        let event = Event::SecretRevealed;
        let line = Draft { at: late, actor, event, ok: true, fields, fact: None };
        v.log(rows, &mut env, line)?;
        v.save(rows, &mut env)?;
        Ok::<_, VaultError>(())
    });
    written.expect("writes");
    drop((store, v));
    let mut desk = desk;
    desk.unlock().unwrap_or_else(|e| panic!("{}", e.what.en));
    let lines = log(&desk);
    let back = lines.iter().position(|l| l.event == Event::ClockBackwards).expect("it is told");
    let (told, found) = (&lines[back], &lines[back + 1]);
    tells(told, Event::ClockBackwards, false, &[(field::MACHINE, "poste-7")]);
    assert!(told.field(field::DETAIL).starts_with(&format!("{late} < ")), "{told:?}");
    assert_eq!((found.event, found.at), (Event::SecretRevealed, late));
}

#[test]
fn signatures_name_the_member_who_signed() {
    let mut desk = desk();
    desk.call(Request::Lock);
    desk.unlock().unwrap_or_else(|e| panic!("{}", e.what.en));
    let filter = AuditFilter { members: vec!["alice".into()], ..AuditFilter::default() };
    let Reply::Log(lines) = desk.call(Request::AuditLog { filter }) else { panic!("lines") };
    let signed: Vec<_> = lines.iter().filter(|line| line.event == Event::Checkpoint).collect();
    assert!(signed.len() >= 2, "at making and at locking: {lines:?}");
    signed.iter().for_each(|line| tells(line, Event::Checkpoint, true, &[]));
}

/// Whatever is written next to the log collides with a row that is there already.
struct Stuck(Connection, i64);

impl Stuck {
    fn log_of(desk: &Desk) -> Self {
        let next = i64::try_from(size(desk)).expect("few lines");
        let db = Connection::open(&desk.file).expect("it is a database");
        db.execute(
            "insert into audit(seq, key, n, leaf, opening) select ?1, key, n, leaf, opening \
             from audit order by seq limit 1",
            [next],
        )
        .expect("anybody may");
        Self(db, next)
    }

    fn loosen(self) {
        self.0.execute("delete from audit where seq = ?1", [self.1]).expect("anybody may");
    }
}

#[test]
fn what_cannot_be_logged_does_not_happen() {
    let mut desk = desk();
    let folder = desk.dir.path().to_owned();
    let out = |name: &str| folder.join(name);
    desk.add("note", "Dupont/bin", Patch::default());
    let page = Patch { host: Set::To("http://192.0.2.9/".into()), ..Patch::default() };
    desk.add("web", "Dupont/page", page);
    desk.call(Request::Remove { at: at("Dupont/bin"), forever: false });
    let _ = invite(&desk, "bob", Role::Technician, &["Dupont"]);
    let everything = |desk: &Desk| {
        let list = |trashed| Request::List { at: None, deep: true, trashed };
        let (Reply::Items(live), Reply::Items(bin)) =
            (desk.call(list(false)), desk.call(list(true)))
        else {
            panic!("items")
        };
        let shape = |items: Vec<poterne::app::api::Item>| {
            items.into_iter().map(|i| (i.path, i.summary)).collect::<Vec<_>>()
        };
        let Reply::Settings(settings) = desk.call(Request::Settings) else { panic!("settings") };
        let Reply::Members(members) = desk.call(Request::Members) else { panic!("members") };
        format!("{:?} {:?} {settings:?} {}", shape(live), shape(bin), members.len())
    };
    let marker = out("ran");
    let mut settings_of = BTreeMap::new();
    settings_of.insert("command".to_owned(), format!("touch {}", marker.display()));
    desk.call(edit("Dupont/sh", Patch { settings: settings_of, ..Patch::default() }));
    let before = everything(&desk);
    let current = desk.factors();
    let lines = size(&desk);
    let stuck = Stuck::log_of(&desk);
    let rule = ClientInfo { reason_required: true, ..ClientInfo::default() };
    let refused: Vec<(&str, Request)> = vec![
        ("reveal", reveal(Purpose::Reveal)),
        ("copy", reveal(Purpose::Copy)),
        ("code", totp(Purpose::Reveal)),
        ("attachment", attachment()),
        ("create", create("note", "Dupont/new")),
        ("own", create("credential", "~/own")),
        ("edit", edit(ENTRY, login("192.0.2.8", "admin", "other"))),
        ("rule", edit("Dupont", Patch { client_info: Set::To(rule), ..Patch::default() })),
        ("move", moved(ENTRY, "Dupont/elsewhere")),
        ("remove", Request::Remove { at: at(ENTRY), forever: false }),
        ("restore", Request::Restore { at: at("Dupont/bin"), version: None }),
        ("settings", settings(120)),
        ("backup", Request::Backup { to: Some(out("copie.poterne")) }),
        ("export", export(out("journal.csv"))),
        ("change", change(Role::Admin)),
        ("remove member", Request::RemoveMember { name: "bob".into() }),
        ("device", Request::AddDevice { label: "portable".into(), current }),
        ("page", Request::Visit { at: at("Dupont/page"), just: why() }),
    ];
    for (what, request) in refused {
        let Err(AppError { what: said, todo, .. }) = desk.app.call(request) else {
            panic!("{what} happened")
        };
        assert!(!said.en.is_empty() && !todo.en.is_empty(), "{what}");
    }
    let request = ConnectRequest {
        at: at("Dupont/sh"),
        just: why(),
        accept_host_key: None,
        reuse: false,
        desktop: Default::default(),
        after: None,
    };
    assert!(desk.app.connect(request, &mut Nobody).is_err(), "no session");
    let many = vec![(Kind::new("note"), "Dupont/many".to_owned(), Patch::default())];
    assert!(desk.app.create_many(many).is_err(), "no import");
    stuck.loosen();
    assert!(!marker.exists() && !out("copie.poterne").exists() && !out("journal.csv").exists());
    assert_eq!(everything(&desk), before);
    assert_eq!(size(&desk), lines, "and no line either");
    assert_eq!(desk.reveal(ENTRY, Slot::Password).ok().as_deref(), Some("geheim"));
    let Reply::Checked(report) = desk.call(Request::Check) else { panic!("checked") };
    assert_eq!(report.faults, []);
}

/// The last line of that event.
fn last(seat: &Seat, event: &str) -> Value {
    let log = seat.ok(&["--json", "audit", "log", "--event", event]).json();
    log["lines"].as_array().and_then(|all| all.last()).expect("it is logged").clone()
}

#[test]
fn a_session_tells_where_it_went_as_whom_how_long_and_how_it_ended() {
    let seat = Seat::unlocked();
    let mut servers: Vec<Sshd> = (0..2).map(|_| Sshd::start(Setup::default())).collect();
    let key = keygen(seat.home.path(), "id", &["-t", "ed25519"]);
    servers.iter().for_each(|server| server.authorize(&key));
    let key = std::fs::read_to_string(key).expect("it was made");
    seat.ok(&["add", "client", "A"]);
    let ports: Vec<String> = servers.iter().map(|s| s.port.to_string()).collect();
    let prints: Vec<String> = servers.iter().map(|s| s.fingerprint("ed25519")).collect();
    let me = user();
    let add = |path: &str, port: &str, more: &[&str]| {
        let words = ["add", "ssh", path, "--host", "127.0.0.1", "--port", port];
        let own = ["--credential", "own", "--secret-stdin", "private-key"];
        seat.run(&[&words[..], more, &own].concat(), &key).ended(0);
    };
    add("A/jump", &ports[0], &["--user", &me]);
    // Whose login it is, is typed.
    add("A/s", &ports[1], &["--jump", "A/jump"]);
    let run = |more: &[&str], input: &str| {
        let words = ["connect", "A/s", "--no-reuse", "--accept-host-key"];
        seat.run(&[&words[..], &[&prints.join(",")], more].concat(), input)
    };
    let hops = format!("127.0.0.1:{}", ports[0]);
    let common = [("connector", "ssh"), ("host", "127.0.0.1"), ("port", &ports[1])];
    let tells = |line: &Value, more: &[(&str, &str)]| {
        for (name, value) in common.iter().chain(&[("hops", &*hops)]).chain(more) {
            assert_eq!(line["fields"][name], *value, "{name} of {line}");
        }
    };

    run(&["--", "echo four; exit 3"], &format!("{me}\n")).ended(3);
    let opening = last(&seat, "session.opening");
    tells(&opening, &[]);
    assert!(opening["fields"]["host_key"].is_null(), "it is not pinned yet: {opening}");
    let filled = last(&seat, "secret.filled");
    assert_eq!((&filled["fields"]["slot"], &filled["ok"]), (&"private-key".into(), &true.into()));
    let pinned = last(&seat, "hostkey.accepted");
    let shown = format!("127.0.0.1:{} ssh-ed25519 {}", ports[1], prints[1]);
    tells(&pinned, &[("host_key", &shown)]);
    let known = [("remote_user", &*me), ("host_key", &*prints[1])];
    tells(&last(&seat, "session.opened"), &known);
    let closed = last(&seat, "session.closed");
    tells(&closed, &known);
    tells(&closed, &[("bytes_in", "5"), ("bytes_out", "0"), ("exit", "3")]);
    let number = |line: &Value, name: &str| {
        line["fields"][name].as_str().and_then(|n| n.parse::<u64>().ok()).expect("a number")
    };
    assert!(number(&closed, "duration_ms") > 0);
    let session = &closed["fields"]["session"];
    for event in ["session.opening", "secret.filled", "hostkey.accepted", "session.opened"] {
        assert_eq!(last(&seat, event)["fields"]["session"], *session, "{event}");
    }

    // Pinned now: what it goes by stands in the opening line already.
    servers[1].kill();
    run(&["--", "true"], &format!("{me}\n")).ended(6);
    let pin = [("host_key", &*prints[1])];
    tells(&last(&seat, "session.opening"), &pin);
    let failed = last(&seat, "session.failed");
    tells(&failed, &pin);
    assert_eq!(failed["ok"], false);
    let why = failed["fields"]["detail"].as_str().expect("it says why");
    assert!(why.starts_with("refused: The jump host 127.0.0.1:"), "{why}");
    let _ = number(&failed, "duration_ms");
}
