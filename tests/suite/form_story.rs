//! The form of an entry over a real vault: two people who change one entry, and
//! the fields that a person added.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use poterne::app::api::{AppError, At, EntryView, Patch, Reply, Request, SecretChange, Set};
use poterne::gui::entries::editor::{Editor, Source};
use poterne::gui::entries::editor_view::editor_ui;
use poterne::model::entry::{ClientInfo, CredentialSource, Kind, Slot};
use poterne::model::lang::Lang;
use poterne::secret::SecretBytes;

use super::kit::{Desk, login};

const PATH: &str = "Dupont/a";

fn desk(entry: Patch) -> Desk {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("ssh", PATH, entry);
    desk
}

fn show(desk: &Desk, path: &str) -> Box<EntryView> {
    let Reply::Entry(view) = desk.call(Request::Show { at: At::Path(path.into()) }) else {
        panic!("an entry was asked for")
    };
    view
}

fn form(desk: &Desk, path: &str) -> Editor {
    Editor::edit(show(desk, path), Lang::Fr)
}

fn save(desk: &Desk, form: &mut Editor) -> Result<Reply, AppError> {
    form.saving = false;
    let faults: Vec<String> = form.faults().into_values().map(|f| f.en).collect();
    assert!(faults.is_empty(), "{faults:?}");
    desk.app.call(form.save().expect("nothing stands in the way"))
}

/// Saves a form that is refused because of what was saved before, then again.
fn save_twice(desk: &Desk, path: &str, form: &mut Editor) {
    assert!(save(desk, form).is_err(), "the form is stale");
    form.rebase(show(desk, path));
    if let Err(e) = save(desk, form) {
        panic!("{}", e.what.en);
    }
}

fn put(patch: &mut Patch, name: &str, value: &str) {
    let value = SecretChange::Put(SecretBytes::copy_of(value.as_bytes()));
    patch.secrets.insert(Slot::Custom(name.to_owned()), value);
}

/// An entry with the plain fields `étage` and `baie` and the secret field `pin`.
fn with_fields() -> Desk {
    let mut patch = login("h", "u", "p");
    patch.custom.insert("étage".to_owned(), Some("3".to_owned()));
    patch.custom.insert("baie".to_owned(), Some("B2".to_owned()));
    put(&mut patch, "pin", "4711");
    desk(patch)
}

/// The fields of the entry in order, a secret one with the value revealed.
fn fields(desk: &Desk) -> Vec<(String, bool, String)> {
    let custom = show(desk, PATH).entry.custom;
    let read = |name: &str| desk.reveal(PATH, Slot::Custom(name.to_owned())).expect("reveals");
    let value = |secret, name: &str, plain: &str| match secret {
        true => read(name),
        false => plain.to_owned(),
    };
    let all = custom.iter().map(|c| (c.name.clone(), c.secret, value(c.secret, &c.name, &c.value)));
    all.collect()
}

fn field(name: &str, secret: bool, value: &str) -> (String, bool, String) {
    (name.to_owned(), secret, value.to_owned())
}

fn at<'a>(form: &'a mut Editor, name: &str) -> &'a mut poterne::gui::entries::custom::CustomRow {
    form.custom.iter_mut().find(|row| row.name == name).expect("a row of that name")
}

fn remove(form: &mut Editor, name: &str) {
    form.custom.retain(|row| row.name != name);
}

fn add(form: &mut Editor, name: &str, value: &str) {
    form.add_custom();
    let row = form.custom.last_mut().expect("it was just added");
    (row.name, row.value) = (name.to_owned(), value.to_owned());
}

#[test]
fn a_credential_source_that_the_other_chose_stays() {
    let desk = desk(login("h", "u", "p"));
    let Reply::Saved { id: bastion, .. } = desk.add("credential", "Dupont/c", login("", "u", "p"))
    else {
        panic!("saved")
    };
    let (mut mine, mut theirs) = (form(&desk, PATH), form(&desk, PATH));
    theirs.source = Source::Linked;
    theirs.linked = Some((bastion, "Dupont/c".to_owned()));
    save(&desk, &mut theirs).expect("saves");
    mine.host = "h2".to_owned();
    save_twice(&desk, PATH, &mut mine);
    assert_eq!(mine.stale, ["credential"]);
    assert_eq!(mine.linked, Some((bastion, "Dupont/c".to_owned())));
    let now = show(&desk, PATH);
    assert_eq!(now.entry.credential, CredentialSource::Linked(bastion));
    assert_eq!(now.entry.host, "h2");

    let (mut mine, mut theirs) = (form(&desk, PATH), form(&desk, PATH));
    theirs.source = Source::Ask;
    save(&desk, &mut theirs).expect("saves");
    mine.source = Source::Inherited;
    save_twice(&desk, PATH, &mut mine);
    assert_eq!(mine.both, ["credential"], "both chose, and it is told");
    assert_eq!(show(&desk, PATH).entry.credential, CredentialSource::Inherited);
}

#[test]
fn a_refused_form_names_what_both_changed_in_words() {
    let desk = with_fields();
    let (mut mine, mut theirs) = (form(&desk, PATH), form(&desk, PATH));
    at(&mut theirs, "étage").value = "4".to_owned();
    theirs.host = "h1".to_owned();
    save(&desk, &mut theirs).expect("saves");
    at(&mut mine, "étage").value = "5".to_owned();
    assert!(save(&desk, &mut mine).is_err());
    mine.saving = false;
    mine.rebase(show(&desk, PATH));
    assert_eq!(mine.host, "h1");
    let mut fonts = false;
    let mut window = Harness::builder().with_size([1000.0, 800.0]).build_ui(move |ui| {
        if std::mem::replace(&mut fonts, true) {
            editor_ui(ui, &mut mine, Lang::Fr, &mut Vec::new());
        } else {
            poterne::gui::fonts::install(ui.ctx());
        }
    });
    window.run_steps(3);
    let says = |text: &str| window.query_by_label_contains(text).is_some();
    assert!(says("alice a modifié cet accès entre-temps\u{a0}: Hôte, étage."));
    assert!(says("Vous aviez changé la même chose\u{a0}: étage."));
}

#[test]
fn each_field_of_a_client_is_followed_by_itself() {
    let desk = desk(Patch::default());
    let info = ClientInfo { code: "DUP".to_owned(), ..ClientInfo::default() };
    desk.call(Request::Edit {
        at: At::Path("Dupont".into()),
        expected_ver: None,
        patch: Box::new(Patch { client_info: Set::To(info), ..Patch::default() }),
    });
    let (mut mine, mut theirs) = (form(&desk, "Dupont"), form(&desk, "Dupont"));
    theirs.client.ticket_pattern = "ART-[0-9]{5}".to_owned();
    theirs.client.ticket_required = true;
    theirs.client.colour = "#15803d".to_owned();
    save(&desk, &mut theirs).expect("saves");
    mine.client.code = "DPT".to_owned();
    mine.client.colour = "#c2410c".to_owned();
    save_twice(&desk, "Dupont", &mut mine);
    let told = ["client.colour", "client.ticket-pattern", "client.ticket-required"];
    assert_eq!(mine.stale, told);
    assert_eq!(mine.both, ["client.colour"]);
    let now = show(&desk, "Dupont").entry.client_info.expect("a client");
    assert_eq!((now.code.as_str(), now.colour.as_str()), ("DPT", "#c2410c"));
    assert_eq!(now.ticket_pattern, "ART-[0-9]{5}");
    assert!(now.ticket_required);
}

#[test]
fn fields_that_the_other_added_changed_or_removed_stay_so() {
    let desk = with_fields();
    let (mut mine, mut theirs) = (form(&desk, PATH), form(&desk, PATH));
    add(&mut theirs, "salle", "S1");
    add(&mut theirs, "puk", "0815");
    at(&mut theirs, "puk").set_secret(true);
    at(&mut theirs, "étage").value = "4".to_owned();
    at(&mut theirs, "pin").hidden.set("1234");
    remove(&mut theirs, "baie");
    save(&desk, &mut theirs).expect("saves");
    mine.host = "h2".to_owned();
    add(&mut mine, "clé", "12");
    save_twice(&desk, PATH, &mut mine);
    assert_eq!(mine.both, [] as [&str; 0]);
    let told = ["custom:baie", "custom:pin", "custom:puk", "custom:salle", "custom:étage"];
    let mut stale = mine.stale.clone();
    stale.sort();
    assert_eq!(stale, told);
    let mut now = fields(&desk);
    now.sort();
    let wanted = [
        field("clé", false, "12"),
        field("pin", true, "1234"),
        field("puk", true, "0815"),
        field("salle", false, "S1"),
        field("étage", false, "4"),
    ];
    assert_eq!(now, wanted);
    assert_eq!(show(&desk, PATH).entry.host, "h2");
}

#[test]
fn what_both_changed_of_the_fields_is_told_and_nothing_of_it_goes_unseen() {
    let desk = with_fields();
    let (mut mine, mut theirs) = (form(&desk, PATH), form(&desk, PATH));
    at(&mut theirs, "étage").value = "4".to_owned();
    at(&mut theirs, "baie").value = "B9".to_owned();
    add(&mut theirs, "salle", "S1");
    at(&mut theirs, "pin").name = "code".to_owned();
    save(&desk, &mut theirs).expect("saves");
    at(&mut mine, "étage").value = "5".to_owned();
    remove(&mut mine, "baie");
    add(&mut mine, "salle", "S7");
    at(&mut mine, "pin").name = "chiffre".to_owned();
    assert!(save(&desk, &mut mine).is_err());
    mine.rebase(show(&desk, PATH));
    let mut both = mine.both.clone();
    both.sort();
    assert_eq!(both, ["custom:baie", "custom:pin", "custom:salle", "custom:étage"]);
    assert_eq!(at(&mut mine, "baie").value, "B9", "what I removed and they changed is back");
    let fault = mine.faults().remove("custom").expect("two rooms cannot be saved");
    assert!(fault.en.contains("different name"), "{}", fault.en);
    at(&mut mine, "salle").name = "salle 7".to_owned();
    let fault = mine.faults().remove("custom").expect("the value went with its other name");
    assert!(fault.en.contains("“chiffre”"), "{}", fault.en);
    remove(&mut mine, "chiffre");
    save(&desk, &mut mine).expect("saves");
    let mut now = fields(&desk);
    now.sort();
    let wanted = [
        field("baie", false, "B9"),
        field("code", true, "4711"),
        field("salle", false, "S1"),
        field("salle 7", false, "S7"),
        field("étage", false, "5"),
    ];
    assert_eq!(now, wanted);
}

#[test]
fn a_field_that_became_a_secret_meanwhile_stays_one() {
    let desk = with_fields();
    let (mut mine, mut theirs) = (form(&desk, PATH), form(&desk, PATH));
    at(&mut theirs, "étage").set_secret(true);
    at(&mut theirs, "baie").set_secret(true);
    save(&desk, &mut theirs).expect("saves");
    at(&mut mine, "baie").value = "C1".to_owned();
    save_twice(&desk, PATH, &mut mine);
    assert_eq!(mine.both, ["custom:baie"]);
    let wanted = [field("baie", true, "C1"), field("pin", true, "4711"), field("étage", true, "3")];
    let mut now = fields(&desk);
    now.sort();
    assert_eq!(now, wanted);
}

#[test]
fn tags_and_passwords_of_both_fit_together() {
    let mut patch = login("h", "u", "p");
    patch.tags = Set::To(vec!["linux".to_owned(), "vieux".to_owned()]);
    let desk = desk(patch);
    let (mut mine, mut theirs) = (form(&desk, PATH), form(&desk, PATH));
    theirs.tags = "linux vieux paris".to_owned();
    let password = |form: &mut Editor, typed: &str| {
        let field = form.secrets.iter_mut().find(|s| s.slot == Slot::Password);
        let field = field.expect("an SSH entry has one");
        field.buffer.set(typed);
        field.clear = typed.is_empty();
    };
    password(&mut theirs, "new");
    save(&desk, &mut theirs).expect("saves");
    mine.tags = "linux, web".to_owned();
    password(&mut mine, "");
    save_twice(&desk, PATH, &mut mine);
    assert_eq!(mine.both, ["password"], "the new password is not what was to go");
    assert_eq!(show(&desk, PATH).entry.tags, ["linux", "paris", "web"]);
    assert_eq!(desk.reveal(PATH, Slot::Password).expect("is there"), "new");
}

#[test]
fn a_secret_field_keeps_its_value_under_another_name() {
    let desk = with_fields();
    let mut mine = form(&desk, PATH);
    at(&mut mine, "pin").name = "code".to_owned();
    save(&desk, &mut mine).expect("saves");
    let wanted =
        [field("baie", false, "B2"), field("étage", false, "3"), field("code", true, "4711")];
    assert_eq!(fields(&desk), wanted);

    // Names swapped, one taken over from a field that goes, one value new.
    let mut mine = form(&desk, PATH);
    at(&mut mine, "baie").name = "libre".to_owned();
    at(&mut mine, "code").name = "baie".to_owned();
    at(&mut mine, "libre").name = "code".to_owned();
    at(&mut mine, "code").value = "B3".to_owned();
    save(&desk, &mut mine).expect("saves");
    let wanted =
        [field("code", false, "B3"), field("étage", false, "3"), field("baie", true, "4711")];
    assert_eq!(fields(&desk), wanted);
    let mut mine = form(&desk, PATH);
    remove(&mut mine, "code");
    at(&mut mine, "baie").name = "code".to_owned();
    save(&desk, &mut mine).expect("saves");
    assert_eq!(fields(&desk), [field("étage", false, "3"), field("code", true, "4711")]);
}

#[test]
fn a_name_that_nothing_has_is_not_renamed() {
    let desk = with_fields();
    let edit = |names: &[(&str, &str)]| {
        let renamed = names.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let patch = Box::new(Patch { renamed, ..Patch::default() });
        desk.app.call(Request::Edit { at: At::Path(PATH.into()), expected_ver: None, patch })
    };
    assert!(edit(&[("absent", "autre")]).is_err());
    assert!(edit(&[("pin", "x"), ("baie", "x")]).is_err(), "two fields of one name");
    assert!(edit(&[("pin", " ")]).is_err());
    let wanted =
        [field("baie", false, "B2"), field("étage", false, "3"), field("pin", true, "4711")];
    assert_eq!(fields(&desk), wanted);
}

#[test]
fn a_secret_field_becomes_readable_only_with_its_value_typed_again() {
    let desk = with_fields();
    let mut mine = form(&desk, PATH);
    at(&mut mine, "pin").set_secret(false);
    let fault = mine.faults().remove("custom").expect("the value is not known to the form");
    assert!(fault.en.contains("type it again") && fault.fr.contains("retapez-la"));
    assert!(mine.save().is_none());
    at(&mut mine, "pin").set_secret(true);
    assert!(!mine.dirty(), "ticked again, nothing has changed");
    at(&mut mine, "pin").set_secret(false);
    at(&mut mine, "pin").value = "4712".to_owned();
    save(&desk, &mut mine).expect("saves");
    let wanted =
        [field("baie", false, "B2"), field("étage", false, "3"), field("pin", false, "4712")];
    assert_eq!(fields(&desk), wanted);
}

#[test]
fn a_value_given_in_place_of_a_removed_secret_stays() {
    let desk = with_fields();
    let mut patch = Patch::default();
    patch.secrets.insert(Slot::Custom("pin".to_owned()), SecretChange::Clear);
    patch.custom.insert("pin".to_owned(), Some("sans objet".to_owned()));
    let (at, patch) = (At::Path(PATH.into()), Box::new(patch));
    desk.call(Request::Edit { at, expected_ver: None, patch });
    let wanted =
        [field("baie", false, "B2"), field("étage", false, "3"), field("pin", false, "sans objet")];
    assert_eq!(fields(&desk), wanted);
}

#[test]
fn a_readable_field_becomes_a_secret_with_its_value() {
    let desk = with_fields();
    let mut mine = form(&desk, PATH);
    at(&mut mine, "baie").set_secret(true);
    assert_eq!(at(&mut mine, "baie").value, "", "it left the readable text");
    save(&desk, &mut mine).expect("saves");
    let wanted =
        [field("baie", true, "B2"), field("étage", false, "3"), field("pin", true, "4711")];
    assert_eq!(fields(&desk), wanted);

    let mut new = Editor::new(Kind::new("note"), "Dupont");
    new.name = "n".to_owned();
    add(&mut new, "code", "");
    at(&mut new, "code").set_secret(true);
    let fault = new.faults().remove("custom").expect("a secret without a value would be lost");
    assert!(fault.en.contains("“code”"), "{}", fault.en);
}

#[test]
fn a_day_of_two_digits_is_of_this_century() {
    let desk = desk(login("h", "u", "p"));
    let mut mine = form(&desk, PATH);
    for (typed, stored) in [
        ("31/12/26", "2026-12-31"),
        ("1.2.2027", "2027-02-01"),
        ("2028-03-04", "2028-03-04"),
        (" 05/06/2029 ", "2029-06-05"),
    ] {
        mine.expires = typed.to_owned();
        save(&desk, &mut mine).expect("saves");
        let now = show(&desk, PATH);
        assert_eq!(now.entry.expires.map(|d| d.to_string()).as_deref(), Some(stored));
        mine = Editor::edit(now, Lang::Fr);
    }
    assert_eq!(mine.expires, "05/06/2029");
    assert!(!mine.dirty(), "what the form wrote is what is saved");
    assert_eq!(Editor::edit(show(&desk, PATH), Lang::En).expires, "2029-06-05");
    for wrong in ["31/12/202", "31/13/26", "31/12", "demain", "-1/1/26"] {
        mine.expires = wrong.to_owned();
        assert!(mine.faults().contains_key("expires"), "{wrong}");
    }
}
