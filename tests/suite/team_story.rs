//! A team in one vault: who is invited sees what was granted and no more, who
//! leaves takes nothing along, and who loses factors gets new ones by the kit.
//! Every member has a phone of its own.

use std::path::Path;

use poterne::app::api::{
    AppError, At, ChangePassword, Code, Factors, Justification, MemberView, Patch, Purpose, Reply,
    Request, Set, Settings, Status,
};
use poterne::app::{App, Enrolment, UnlockOptions};
use poterne::model::audit_event::{AuditFilter, Event};
use poterne::model::entry::Slot;
use poterne::model::lang::Lang;
use poterne::model::member::Role;
use poterne::secret::SecretText;

use crate::kit::{Desk, PASSWORD, Phone, login};

/// A member at a computer: an own application on the one file.
pub struct Person {
    pub name: String,
    pub password: String,
    pub app: App,
    pub phone: Phone,
    kit: String,
}

impl Person {
    /// Proves the phone and the kit, as a screen would, and writes the factors.
    fn enrolled(mut new: Enrolment, app: App, password: &str) -> Self {
        let phone = new.otpauth_uri().expose(Phone::of_uri);
        new.check_code(&phone.peek_first()).expect("the phone's code proves it");
        let kit = new.kit().expose(str::to_owned);
        new.check_kit(&SecretText::copy_of(&kit)).expect("the kit is typed back");
        let name = new.member().to_owned();
        new.finish().unwrap_or_else(|e| panic!("{}", e.what.en));
        Self { name, password: password.to_owned(), app, phone, kit }
    }

    pub fn accepted(file: &Path, invitation: &SecretText, password: &str) -> Self {
        let app = App::new(file.to_owned());
        let new = app
            .accept_invitation(invitation.duplicate(), SecretText::copy_of(password), false)
            .unwrap_or_else(|e| panic!("{}", e.what.en));
        Self::enrolled(new, app, password)
    }

    fn try_unlock(&mut self) -> Result<Status, AppError> {
        let password = SecretText::copy_of(&self.password);
        let factors = Factors { password, code: self.phone.code() };
        let member = Some(self.name.clone());
        let options = UnlockOptions { member, factors, read_only: false, accept_older: true };
        self.app.unlock(options)
    }

    pub fn unlock(&mut self) -> Status {
        self.try_unlock().unwrap_or_else(|e| panic!("{}: {}", self.name, e.what.en))
    }

    pub fn call(&self, request: Request) -> Reply {
        self.app.call(request).unwrap_or_else(|e| panic!("{}: {}", self.name, e.what.en))
    }

    pub fn refused(&self, request: Request) -> Code {
        match self.app.call(request) {
            Err(e) => e.code,
            Ok(_) => panic!("{} was allowed to", self.name),
        }
    }

    pub fn reveals(&self, path: &str) -> Result<String, AppError> {
        let reply = self.app.call(reveal(path))?;
        let Reply::Secret(secret) = reply else { panic!("a secret") };
        Ok(secret.expose(|b| String::from_utf8_lossy(b).into_owned()))
    }

    pub fn kit(&self) -> &str {
        &self.kit
    }

    fn clients(&self) -> Vec<String> {
        let request = Request::List { at: None, deep: false, trashed: false };
        let Reply::Items(items) = self.call(request) else { panic!("items") };
        items.into_iter().map(|i| i.path).collect()
    }
}

fn reveal(path: &str) -> Request {
    Request::Reveal {
        at: At::Path(path.into()),
        slot: Slot::Password,
        purpose: Purpose::Reveal,
        just: Justification::default(),
    }
}

fn show(path: &str) -> Request {
    Request::Show { at: At::Path(path.into()) }
}

fn rename(path: &str, host: &str) -> Request {
    let patch = Box::new(Patch { host: Set::To(host.into()), ..Default::default() });
    Request::Edit { at: At::Path(path.into()), expected_ver: None, patch }
}

pub fn invite(desk: &Desk, name: &str, role: Role, clients: &[&str]) -> SecretText {
    desk.invite(name, role, false, clients)
}

fn members(desk: &Desk) -> Vec<MemberView> {
    let Reply::Members(all) = desk.call(Request::Members) else { panic!("members") };
    all
}

fn sound(desk: &Desk) {
    let Reply::Checked(report) = desk.call(Request::Check) else { panic!("checked") };
    assert_eq!(report.faults, []);
}

/// Two clients with a login each, open.
fn firm() -> Desk {
    let desk = Desk::open();
    for client in ["Dupont", "Martin"] {
        desk.add("client", client, Patch::default());
        desk.add("ssh", &format!("{client}/srv"), login("h.example", "root", "hunter2"));
    }
    desk
}

#[test]
fn a_technician_sees_the_client_granted_and_no_other() {
    let desk = firm();
    let code = invite(&desk, "bob", Role::Technician, &["Dupont"]);
    assert!(!members(&desk).iter().any(|m| m.member.name == "bob" && m.member.accepted));
    let mut bob = Person::accepted(&desk.file, &code, "le mot de bob 1");
    let again = App::new(desk.file.clone()).accept_invitation(
        code,
        SecretText::copy_of("un autre mot de bob"),
        false,
    );
    assert_eq!(again.err().expect("an invitation serves once").code, Code::Locked);
    assert_eq!(bob.unlock().role, Role::Technician);
    assert_eq!(bob.clients(), ["Dupont"]);
    assert_eq!(bob.reveals("Dupont/srv").expect("granted"), "hunter2");
    assert_eq!(bob.refused(show("Martin/srv")), Code::NotFound);
    for request in [
        Request::Invite {
            name: "eve".into(),
            role: Role::Operator,
            all_clients: true,
            clients: Vec::new(),
            // Refused before any factor is looked at.
            current: Factors { password: SecretText::copy_of(""), code: SecretText::copy_of("") },
        },
        Request::RemoveMember { name: "alice".into() },
        Request::AuditLog { filter: AuditFilter::default() },
        Request::AuditVerify,
    ] {
        assert_eq!(bob.refused(request), Code::NotAllowed);
    }

    // Two applications on one file see each other's changes.
    bob.call(rename("Dupont/srv", "from-bob.example"));
    let Reply::Entry(view) = desk.call(show("Dupont/srv")) else { panic!("entry") };
    assert_eq!(view.entry.host, "from-bob.example");
    desk.call(rename("Dupont/srv", "from-alice.example"));
    let Reply::Entry(view) = bob.call(show("Dupont/srv")) else { panic!("entry") };
    assert_eq!(view.entry.host, "from-alice.example");

    // A grant given later is there at once; one taken is gone with its key.
    let change = |clients: &[&str]| Request::ChangeMember {
        name: "bob".into(),
        role: Role::Technician,
        all_clients: false,
        clients: clients.iter().map(|c| (*c).to_owned()).collect(),
    };
    desk.call(change(&["Dupont", "Martin"]));
    assert_eq!(bob.reveals("Martin/srv").expect("granted now"), "hunter2");
    desk.call(change(&["Martin"]));
    assert_eq!(bob.refused(show("Dupont/srv")), Code::NotFound);
    assert_eq!(bob.clients(), ["Martin"]);
    sound(&desk);
}

#[test]
fn an_operator_never_reveals_and_an_auditor_opens_no_credential() {
    let desk = firm();
    let code = invite(&desk, "olga", Role::Operator, &["Dupont"]);
    let mut olga = Person::accepted(&desk.file, &code, "le mot de olga");
    let code = invite(&desk, "carl", Role::Auditor, &["Dupont"]);
    let mut carl = Person::accepted(&desk.file, &code, "le mot de carl");
    olga.unlock();
    let Reply::Plan(plan) = olga.call(Request::Plan { at: At::Path("Dupont/srv".into()) }) else {
        panic!("plan")
    };
    assert!(!format!("{plan:?}").contains("hunter2"));
    assert_eq!(olga.refused(reveal("Dupont/srv")), Code::NotAllowed);
    assert_eq!(olga.refused(rename("Dupont/srv", "x")), Code::NotAllowed);

    carl.unlock();
    let filter = AuditFilter { events: vec![Event::MemberInvited], ..Default::default() };
    let Reply::Log(lines) = carl.call(Request::AuditLog { filter }) else { panic!("lines") };
    assert_eq!(lines.len(), 2, "the auditor reads the log, values and all");
    assert_eq!(lines[0].field("subject"), "olga");
    let Reply::Verified(verified) = carl.call(Request::AuditVerify) else { panic!("verified") };
    assert_eq!(verified.faults, []);
    assert!(matches!(carl.refused(show("Dupont/srv")), Code::NotAllowed | Code::NotFound));
    assert!(matches!(carl.refused(reveal("Dupont/srv")), Code::NotAllowed | Code::NotFound));
    let held = members(&desk).into_iter().find(|m| m.member.name == "carl").expect("a member");
    assert!(held.clients.is_empty(), "no client key is wrapped for an auditor");
    sound(&desk);
}

/// A kit drawn with the factors of now.
fn draw(desk: &mut Desk) -> String {
    let current = desk.factors();
    let Reply::Kit(kit) = desk.call(Request::DrawKit { current }) else { panic!("a kit") };
    kit.expose(str::to_owned)
}

fn keep(desk: &Desk, typed: &str) -> Result<(), AppError> {
    desk.app.call(Request::KeepKit { typed: SecretText::copy_of(typed) }).map(drop)
}

fn recovers(desk: &Desk, kit: &str) -> bool {
    let new = SecretText::copy_of("encore un mot");
    desk.app.recover(SecretText::copy_of(kit), new, false).is_ok()
}

#[test]
fn a_drawn_kit_counts_only_once_it_was_typed_back_and_a_lock_forgets_it() {
    let mut desk = Desk::open();
    let (old, first) = (desk.kit.clone(), draw(&mut desk));
    let Reply::Attachment(page) = desk.call(Request::KitPage { lang: Lang::Fr }) else {
        panic!("a page")
    };
    page.0.expose(|page| assert!(page.starts_with(b"%PDF")));
    assert_eq!(keep(&desk, &old).expect_err("another kit").code, Code::Locked);
    assert!(recovers(&desk, &old) && !recovers(&desk, &first));
    desk.call(Request::Lock);
    desk.unlock().expect("opens again");
    assert_eq!(keep(&desk, &first).expect_err("forgotten").code, Code::Usage);
}

#[test]
fn of_two_drawn_kits_the_one_seen_last_counts() {
    let mut desk = Desk::open();
    let old = desk.kit.clone();
    let (first, second) = (draw(&mut desk), draw(&mut desk));
    assert_eq!(keep(&desk, &first).expect_err("not the last one").code, Code::Locked);
    keep(&desk, &second.to_lowercase().replace('-', " ")).expect("as a person types it");
    assert!(!recovers(&desk, &old) && !recovers(&desk, &first) && recovers(&desk, &second));
}

#[test]
fn settings_that_another_changed_are_seen_and_not_written_over() {
    let mut desk = Desk::open();
    let other = App::new(desk.file.clone());
    other.unlock(desk.options()).expect("another computer");
    let read = |app: &App| match app.call(Request::Settings) {
        Ok(Reply::Settings(settings)) => settings,
        _ => panic!("settings"),
    };
    let before = read(&desk.app);
    let theirs = Settings { clipboard_secs: 45, ..before.clone() };
    let set = |app: &App, expected: &Settings, new: &Settings| {
        let (expected, new) = (expected.clone(), new.clone());
        app.call(Request::SetSettings { expected, new }).map(drop)
    };
    set(&other, &before, &theirs).expect("nobody was before");
    let mine = Settings { backups_kept: 30, ..before.clone() };
    assert_eq!(set(&desk.app, &before, &mine).expect_err("stale").code, Code::Other);
    assert_eq!(read(&desk.app), theirs);
    let both = Settings { backups_kept: 30, ..theirs.clone() };
    set(&desk.app, &theirs, &both).expect("read again");
    assert_eq!(read(&other), both);
}

#[test]
fn who_is_removed_opens_nothing_and_leaves_a_list_of_what_was_seen() {
    let mut desk = firm();
    let code = invite(&desk, "bob", Role::Technician, &["Dupont"]);
    let mut bob = Person::accepted(&desk.file, &code, "le mot de bob 1");
    let code = invite(&desk, "dora", Role::Admin, &[]);
    let mut dora = Person::accepted(&desk.file, &code, "le mot de dora");
    bob.unlock();
    dora.unlock();
    bob.reveals("Dupont/srv").expect("granted");
    // Refusals say who may do what to whom.
    assert_eq!(dora.refused(Request::RemoveMember { name: "alice".into() }), Code::NotAllowed);
    let generation = |file: &Path| -> Vec<u32> {
        let db = rusqlite::Connection::open(file).expect("opens");
        let mut all = db.prepare("select gen from cell").expect("a table");
        let rows = all.query_map([], |r| r.get(0)).expect("rows");
        rows.map(|g| g.expect("a number")).collect()
    };
    assert!(generation(&desk.file).iter().all(|g| *g == 1));
    let Reply::Removed { rotate } = desk.call(Request::RemoveMember { name: "bob".into() }) else {
        panic!("removed")
    };
    assert_eq!(rotate.len(), 1, "{rotate:?}");
    assert_eq!((rotate[0].path.as_str(), rotate[0].slot.as_str()), ("Dupont/srv", "password"));
    assert!(generation(&desk.file).contains(&2), "the client's key was not replaced");
    // The list can be had again: from the log, after the lock as well.
    desk.call(Request::Lock);
    desk.unlock().expect("opens again");
    let Reply::Members(former) = desk.call(Request::FormerMembers) else { panic!("members") };
    assert_eq!(former.iter().map(|m| m.member.name.as_str()).collect::<Vec<_>>(), ["bob"]);
    let member = former[0].member.id;
    let Reply::Removed { rotate: again } = desk.call(Request::Rotation { member }) else {
        panic!("removed")
    };
    assert_eq!(again, rotate);
    // While open, at the next step; closed, at the door; by the kit too.
    assert_eq!(bob.refused(show("Dupont/srv")), Code::Locked);
    let _ = bob.app.call(Request::Lock);
    assert_eq!(bob.try_unlock().expect_err("no login").code, Code::Locked);
    let kit = SecretText::copy_of(&bob.kit);
    let recovery = bob.app.recover(kit, SecretText::copy_of("encore un mot"), false);
    assert_eq!(recovery.err().expect("no kit").code, Code::Locked);
    // The others go on, open or after a new unlock.
    assert_eq!(dora.reveals("Dupont/srv").expect("an admin"), "hunter2");
    let _ = dora.app.call(Request::Lock);
    dora.unlock();
    assert_eq!(dora.reveals("Martin/srv").expect("an admin"), "hunter2");
    desk.call(Request::Lock);
    let mut options = desk.options();
    options.member = Some("alice".into());
    desk.app.unlock(options).expect("the owner opens");
    assert_eq!(desk.reveal("Dupont/srv", Slot::Password).expect("reveals"), "hunter2");
    sound(&desk);
}

#[test]
fn the_kit_gives_new_factors_and_ends_the_old_ones() {
    let mut desk = firm();
    desk.call(Request::Lock);
    let app = App::new(desk.file.clone());
    let wrong = app.recover(
        SecretText::copy_of("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"),
        SecretText::copy_of("un tout nouveau mot"),
        false,
    );
    assert_eq!(wrong.err().expect("not a kit").code, Code::Locked);
    let new = app
        .recover(SecretText::copy_of(&desk.kit), SecretText::copy_of("un tout nouveau mot"), false)
        .unwrap_or_else(|e| panic!("{}", e.what.en));
    let mut alice = Person::enrolled(new, app, "un tout nouveau mot");
    assert_eq!(desk.unlock().expect_err("old factors").code, Code::Locked);
    let old = App::new(desk.file.clone()).recover(
        SecretText::copy_of(&desk.kit),
        SecretText::copy_of("et encore un mot"),
        false,
    );
    assert_eq!(old.err().expect("the old kit").code, Code::Locked);
    alice.unlock();
    assert_eq!(alice.reveals("Dupont/srv").expect("all is there"), "hunter2");
    let filter = AuditFilter { events: vec![Event::Recovered], ..Default::default() };
    let Reply::Log(lines) = alice.call(Request::AuditLog { filter }) else { panic!("lines") };
    assert_eq!(lines.len(), 1);
}

#[test]
fn a_new_password_ends_the_old_one() {
    let mut desk = firm();
    let current = desk.factors();
    let new = SecretText::copy_of("un meilleur mot de passe");
    desk.call(Request::ChangePassword(Box::new(ChangePassword { current, new })));
    desk.call(Request::Lock);
    let mut options = desk.options();
    let old =
        Factors { password: SecretText::copy_of(PASSWORD), code: options.factors.code.duplicate() };
    options.factors = old;
    assert_eq!(desk.app.unlock(options).expect_err("the old password").code, Code::Locked);
    // The refused code was not used up.
    let mut options = desk.options_with(desk.phone.last());
    options.factors.password = SecretText::copy_of("un meilleur mot de passe");
    desk.app.unlock(options).unwrap_or_else(|e| panic!("{}", e.what.en));
    sound(&desk);
}

#[test]
fn a_new_phone_ends_the_old_one() {
    let mut desk = firm();
    let current = desk.factors();
    let Reply::NewTotp(uri) = desk.call(Request::BeginTotpReset { current }) else {
        panic!("a seed")
    };
    let phone = uri.expose(Phone::of_uri);
    let wrong = Request::FinishTotpReset { code: SecretText::copy_of("000000") };
    assert_eq!(desk.app.call(wrong).err().expect("not its code").code, Code::Locked);
    desk.call(Request::FinishTotpReset { code: phone.peek_first() });
    desk.call(Request::Lock);
    assert_eq!(desk.unlock().expect_err("the old phone").code, Code::Locked);
    desk.phone = phone;
    desk.unlock().unwrap_or_else(|e| panic!("{}", e.what.en));
    sound(&desk);
}
