//! Effective settings: where a login comes from, and what a broken chain says.

use poterne::app::api::{At, Patch, Reply, Request, SecretChange, Set};
use poterne::model::entry::{CredentialSource, Slot};
use poterne::model::id::EntryId;
use poterne::model::plan::{Origin, Plan};
use poterne::secret::SecretBytes;

use crate::kit::{Desk, login};

fn plan(desk: &Desk, path: &str) -> Plan {
    let Reply::Plan(plan) = desk.call(Request::Plan { at: At::Path(path.into()) }) else {
        panic!("a plan was asked for")
    };
    *plan
}

fn origin(plan: &Plan, field: &str) -> Option<Origin> {
    plan.lines.iter().find(|l| l.field == field).map(|l| l.origin.clone())
}

fn source(desk: &Desk, path: &str, to: CredentialSource) {
    let patch = Patch { credential: Set::To(to), ..Default::default() };
    let at = At::Path(path.into());
    desk.call(Request::Edit { at, expected_ver: None, patch: Box::new(patch) });
}

fn bare(host: &str) -> Patch {
    Patch { host: Set::To(host.into()), ..Default::default() }
}

fn id(reply: Reply) -> EntryId {
    let Reply::Saved { id, .. } = reply else { panic!("saved") };
    id
}

#[test]
fn a_login_comes_from_the_nearest_folder_that_has_one() {
    let desk = Desk::open();
    desk.add("client", "Dupont", login("", "dupont-admin", "p1"));
    desk.add("folder", "Dupont/Serveurs", Patch::default());
    desk.add("ssh", "Dupont/Serveurs/srv1", bare("srv1.example"));
    let inherited = Some(Origin::Inherited("Dupont".into()));
    let found = plan(&desk, "Dupont/Serveurs/srv1");
    assert_eq!(origin(&found, "password"), inherited);
    assert_eq!(origin(&found, "user"), inherited);
    assert!(found.broken.is_empty(), "{:?}", found.broken);

    desk.call(Request::Edit {
        at: At::Path("Dupont/Serveurs".into()),
        expected_ver: None,
        patch: Box::new(login("", "root", "p2")),
    });
    let nearer = Some(Origin::Inherited("Dupont/Serveurs".into()));
    assert_eq!(origin(&plan(&desk, "Dupont/Serveurs/srv1"), "password"), nearer);
}

#[test]
fn a_linked_login_that_is_gone_is_shown_as_broken_and_does_not_connect() {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    let shared = id(desk.add("credential", "Dupont/Compte", login("", "svc", "p")));
    desk.add("ssh", "Dupont/srv", bare("srv.example"));
    source(&desk, "Dupont/srv", CredentialSource::Linked(shared));
    let linked = Some(Origin::Linked("Dupont/Compte".into()));
    assert_eq!(origin(&plan(&desk, "Dupont/srv"), "password"), linked);

    desk.call(Request::Remove { at: At::Path("Dupont/Compte".into()), forever: false });
    let broken = plan(&desk, "Dupont/srv");
    assert_eq!(broken.broken.len(), 1, "{:?}", broken.broken);
}

#[test]
fn links_in_a_circle_are_shown_as_broken() {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    let a = id(desk.add("credential", "Dupont/a", Patch::default()));
    let b = id(desk.add("credential", "Dupont/b", Patch::default()));
    source(&desk, "Dupont/a", CredentialSource::Linked(b));
    source(&desk, "Dupont/b", CredentialSource::Linked(a));
    desk.add("ssh", "Dupont/srv", bare("srv.example"));
    source(&desk, "Dupont/srv", CredentialSource::Linked(a));
    assert!(!plan(&desk, "Dupont/srv").broken.is_empty());
}

#[test]
fn my_own_login_serves_the_entries_it_names() {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("ssh", "Dupont/srv", bare("srv.example"));
    source(&desk, "Dupont/srv", CredentialSource::Mine);
    assert!(!plan(&desk, "Dupont/srv").broken.is_empty(), "no login of one's own yet");

    let mut mine = login("", "alice", "p");
    mine.settings.insert("for".into(), "Dupont".into());
    desk.add("credential", "~/Chez Dupont", mine);
    let found = plan(&desk, "Dupont/srv");
    assert!(found.broken.is_empty(), "{:?}", found.broken);
    assert_eq!(origin(&found, "password"), Some(Origin::Mine("~alice/Chez Dupont".into())));
}

#[test]
fn jump_hosts_are_listed_in_the_order_of_travel_and_never_in_a_circle() {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("ssh", "Dupont/rebond", login("jump.example", "j", "p"));
    let mut far = login("far.example", "f", "p");
    far.settings.insert("jump".into(), "Dupont/rebond".into());
    desk.add("ssh", "Dupont/loin", far);
    assert_eq!(plan(&desk, "Dupont/loin").hops, ["Dupont/rebond"]);

    let mut back = Patch::default();
    back.settings.insert("jump".into(), "Dupont/loin".into());
    let at = At::Path("Dupont/rebond".into());
    desk.call(Request::Edit { at, expected_ver: None, patch: Box::new(back) });
    assert!(!plan(&desk, "Dupont/loin").broken.is_empty());
}

#[test]
fn a_gateway_is_on_the_way_with_the_credentials_that_the_entry_names() {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("credential", "Dupont/Passage", login("", "CORP\\garde", "p"));
    let mut far = login("srv.example", "ada", "p");
    far.settings.insert("gateway".into(), "rds.example".into());
    far.settings.insert("gateway-entry".into(), "Dupont/Passage".into());
    desk.add("rdp", "Dupont/bureau", far);
    let found = plan(&desk, "Dupont/bureau");
    assert!(found.broken.is_empty(), "{:?}", found.broken);
    assert_eq!(found.hops, ["RD Gateway rds.example:443"]);
    let named = found.lines.iter().find(|line| line.field == "gateway-entry");
    assert_eq!(named.map(|line| &*line.value), Some("Dupont/Passage"));

    // What it names may go, and a jump host has no place beside it.
    desk.call(Request::Remove { at: At::Path("Dupont/Passage".into()), forever: false });
    assert_eq!(plan(&desk, "Dupont/bureau").broken.len(), 1);
    desk.add("ssh", "Dupont/rebond", login("jump.example", "j", "p"));
    let mut both = Patch::default();
    both.settings.insert("gateway-entry".into(), String::new());
    both.settings.insert("jump".into(), "Dupont/rebond".into());
    let at = At::Path("Dupont/bureau".into());
    desk.call(Request::Edit { at, expected_ver: None, patch: Box::new(both) });
    let broken = plan(&desk, "Dupont/bureau").broken;
    assert!(broken.len() == 1 && broken[0].en.contains("only one of both"), "{broken:?}");
}

fn set(desk: &Desk, path: &str, settings: &[(&str, &str)]) {
    let mut patch = Patch::default();
    let owned = settings.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned()));
    patch.settings.extend(owned);
    let at = At::Path(path.into());
    desk.call(Request::Edit { at, expected_ver: None, patch: Box::new(patch) });
}

/// Who logs in to the gateway, and where both parts of that come from.
fn gateway_login(desk: &Desk, path: &str) -> (String, Origin, Origin) {
    let plan = plan(desk, path);
    assert!(plan.broken.is_empty(), "{:?}", plan.broken);
    let lines: Vec<_> =
        plan.lines.iter().filter(|l| l.field.starts_with("gateway-login")).collect();
    let [user, password] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((user.secret, password.secret), (false, true));
    assert!(password.value.is_empty());
    (user.value.clone(), user.origin.clone(), password.origin.clone())
}

#[test]
fn a_plan_tells_who_logs_in_to_the_gateway_and_where_that_comes_from() {
    let desk = Desk::open();
    let told = |user: &str, of_user: &Origin, of_password: &Origin| {
        (user.to_owned(), of_user.clone(), of_password.clone())
    };
    let inherited = Origin::Inherited("Dupont".into());
    desk.add("client", "Dupont", login("", "dupont-admin", "p1"));
    desk.add("rdp", "Dupont/bureau", bare("srv.example"));
    set(&desk, "Dupont/bureau", &[("gateway", "rds.example:8443")]);
    assert_eq!(plan(&desk, "Dupont/bureau").hops, ["RD Gateway rds.example:8443"]);
    let of = || gateway_login(&desk, "Dupont/bureau");
    assert_eq!(of(), told("dupont-admin", &inherited, &inherited));

    // Asked each time for the server, asked for the gateway too.
    source(&desk, "Dupont/bureau", CredentialSource::Ask);
    assert_eq!(of(), told("", &Origin::Asked, &Origin::Asked));

    // What another entry has, or what that one is linked to.
    desk.add("credential", "Dupont/Passage", login("", "CORP\\garde", "p2"));
    set(&desk, "Dupont/bureau", &[("gateway-entry", "Dupont/Passage")]);
    let linked = Origin::Linked("Dupont/Passage".into());
    assert_eq!(of(), told("CORP\\garde", &linked, &linked));
    let other = id(desk.add("rdp", "Dupont/autre", bare("autre.example")));
    set(&desk, "Dupont/bureau", &[("gateway-entry", "Dupont/autre")]);
    assert_eq!(of(), told("dupont-admin", &inherited, &inherited));
    source(&desk, "Dupont/autre", CredentialSource::Ask);
    assert_eq!(of(), told("", &Origin::Asked, &Origin::Asked));
    let passage = desk.add("credential", "Dupont/Lié", login("", "lie", "p3"));
    source(&desk, "Dupont/autre", CredentialSource::Linked(id(passage)));
    let far = Origin::Linked("Dupont/Lié".into());
    assert_eq!(of(), told("lie", &far, &far));
    let _ = other;

    // A user of its own: its password is asked for unless the entry has it.
    set(&desk, "Dupont/bureau", &[("gateway-entry", ""), ("gateway-user", "garde@corp")]);
    assert_eq!(of(), told("garde@corp", &Origin::Own, &Origin::Asked));
    let mut patch = Patch::default();
    let secret = Slot::Custom("gateway-password".into());
    patch.secrets.insert(secret, SecretChange::Put(SecretBytes::copy_of(b"p4")));
    let at = At::Path("Dupont/bureau".into());
    desk.call(Request::Edit { at, expected_ver: None, patch: Box::new(patch) });
    assert_eq!(of(), told("garde@corp", &Origin::Own, &Origin::Own));
}

#[test]
fn a_plan_tells_that_a_gateway_takes_no_kerberos() {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("rdp", "Dupont/bureau", login("srv.example", "CORP\\ada", "p"));
    let proof = || {
        let plan = plan(&desk, "Dupont/bureau");
        plan.lines.into_iter().find(|line| line.field == "gateway-proof").map(|line| line.value)
    };
    set(&desk, "Dupont/bureau", &[("gateway", "rds.example"), ("kdc", "dc1.example")]);
    assert_eq!(proof(), None);
    set(&desk, "Dupont/bureau", &[("kerberos", "only")]);
    assert_eq!(proof().as_deref(), Some("NTLM"));
}

#[test]
fn a_machine_that_is_none_is_not_saved() {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("rdp", "Dupont/bureau", login("srv.example", "ada", "p"));
    for (id, value) in [("gateway", "https://rds.example/"), ("kdc", "dc1.example:0")] {
        let mut patch = Patch::default();
        patch.settings.insert(id.into(), value.into());
        let at = At::Path("Dupont/bureau".into());
        let edit = Request::Edit { at, expected_ver: None, patch: Box::new(patch) };
        let refused = desk.app.call(edit).err().unwrap_or_else(|| panic!("{id} {value}"));
        assert!(refused.what.en.contains(value) || refused.what.en.contains(id), "{refused:?}");
    }
}
