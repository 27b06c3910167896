//! What the pages of the entries know, without a window: the tree, the search,
//! the details and the form.

use std::time::{Duration, Instant};

use poterne::app::api::{AppError, At, Code, EntryView, Item, Reply, Request, Set, TotpView};
use poterne::connect::{self, field::FieldKind};
use poterne::gui::backend::Backend;
use poterne::gui::entries::details::{Details, SHOWN_FOR};
use poterne::gui::entries::editor::{Editor, Source};
use poterne::gui::entries::search::Search;
use poterne::gui::entries::tree::{Row, Tree};
use poterne::model::entry::{Kind, Slot};
use poterne::model::id::EntryId;
use poterne::model::lang::{Bi, Lang};
use poterne::secret::{SecretBytes, SecretText};

use super::gui_fake::Fake;

fn fake() -> Fake {
    let fake = Fake::new();
    fake.0.lock().expect("nobody else holds it").open = true;
    fake
}

fn items(fake: &Fake, request: Request) -> Vec<Item> {
    match fake.call(request) {
        Ok(Reply::Items(items)) => items,
        _ => panic!("items were asked for"),
    }
}

fn list(fake: &Fake, at: Option<EntryId>) -> Vec<Item> {
    items(fake, Request::List { at: at.map(At::Id), deep: false, trashed: false })
}

fn view(fake: &Fake, name: &str) -> Box<EntryView> {
    let id = id(fake, name);
    match fake.call(Request::Show { at: At::Id(id) }) {
        Ok(Reply::Entry(view)) => view,
        _ => panic!("an entry was asked for"),
    }
}

fn id(fake: &Fake, name: &str) -> EntryId {
    fake.entry(name).expect("an entry of that name").id
}

fn failure() -> AppError {
    AppError { code: Code::Other, what: Bi::same("non"), todo: Bi::same("oui") }
}

/// The lines of the tree as words.
fn lines(tree: &Tree) -> Vec<String> {
    let name = |id: &EntryId| tree.node(*id).expect("seen").summary.name.clone();
    let line = |row: &Row| match row {
        Row::Favourites => "favourites".to_owned(),
        Row::Favourite(id) => format!("* {}", name(id)),
        Row::Clients => "clients".to_owned(),
        Row::Node(id, depth) => format!("{depth} {}", name(id)),
        Row::Loading(depth) => format!("{depth} …"),
        Row::Empty(depth) => format!("{depth} (empty)"),
        Row::Trash => "bin".to_owned(),
        Row::Trashed(id) => format!("- {}", name(id)),
    };
    tree.rows().iter().map(line).collect()
}

#[test]
fn the_tree_asks_for_what_is_opened_and_for_nothing_else() {
    let fake = fake();
    let mut tree = Tree::default();
    assert!(!tree.loaded() && lines(&tree).is_empty());
    tree.set_roots(list(&fake, None));
    assert_eq!(
        lines(&tree),
        ["0 Boulangerie Dupont", "0 Clinique Sainte-Éléonore", "0 Mairie de Saint-Œuvre"]
    );
    let dupont = id(&fake, "Boulangerie Dupont");
    assert!(tree.open(dupont), "its children are not known yet");
    assert_eq!(lines(&tree)[..2], ["0 Boulangerie Dupont", "1 …"]);
    tree.set_children(dupont, list(&fake, Some(dupont)));
    assert_eq!(lines(&tree)[1..3], ["1 Serveurs", "1 Contrat et horaires"]);
    tree.close(dupont);
    assert_eq!(lines(&tree).len(), 3);
    assert!(!tree.open(dupont), "they are known by now");
    assert!(!tree.open(id(&fake, "Contrat et horaires")), "a note has nothing below");
    assert!(!tree.open(id(&fake, "srv-web-01")), "nobody has seen it");
    let servers = id(&fake, "Serveurs");
    assert!(tree.open(servers));
    tree.set_children(servers, Vec::new());
    assert_eq!(lines(&tree)[1..3], ["1 Serveurs", "2 (empty)"]);
}

#[test]
fn favourites_stand_above_the_clients_and_the_bin_below() {
    let fake = fake();
    let mut tree = Tree::default();
    tree.set_roots(list(&fake, None));
    tree.set_favourites(items(&fake, Request::Find { query: String::new(), limit: 9 }));
    tree.set_trash(items(&fake, Request::List { at: None, deep: true, trashed: true }));
    let all = lines(&tree);
    assert_eq!(all[..3], ["favourites", "* srv-web-01", "clients"]);
    assert_eq!(all.last().map(String::as_str), Some("bin"));
    assert_eq!(tree.trash_len(), 1);
    tree.toggle_trash();
    assert_eq!(lines(&tree).last().map(String::as_str), Some("- ancien-serveur"));

    // A favourite is also somewhere in the tree; that line is found first.
    let web = id(&fake, "srv-web-01");
    assert_eq!(tree.row_of(web), Some(1));
    let (dupont, servers) = (id(&fake, "Boulangerie Dupont"), id(&fake, "Serveurs"));
    tree.open(dupont);
    tree.set_children(dupont, list(&fake, Some(dupont)));
    assert_eq!(tree.reveal(web), [servers], "only its folder was closed");
    tree.set_children(servers, list(&fake, Some(servers)));
    let row = tree.row_of(web).expect("it is shown");
    assert_eq!(tree.rows()[row], Row::Node(web, 2));
    assert_eq!(tree.at_path("Boulangerie Dupont/Serveurs"), Some(servers));
}

#[test]
fn a_late_answer_of_an_older_search_is_dropped() {
    let fake = fake();
    let found = |query: &str| items(&fake, Request::Find { query: query.to_owned(), limit: 9 });
    let mut search = Search::default();
    assert!(!search.active() && search.ask().is_none());
    search.query = " srv ".to_owned();
    let (first, query) = search.ask().expect("something to ask");
    assert_eq!(query, "srv");
    search.query = "srv-base".to_owned();
    let (second, _) = search.ask().expect("something to ask");
    assert!(search.waiting());
    assert!(!search.answer(first, Ok(found("srv"))));
    assert!(search.results().is_empty());
    assert!(search.answer(second, Ok(found("srv-base"))));
    assert!(!search.waiting());
    assert_eq!(search.results().len(), 1);
    search.clear();
    assert!(!search.answer(second, Ok(found("srv"))), "nothing is sought any more");
    assert!(search.results().is_empty());
}

#[test]
fn the_choice_stays_inside_the_results() {
    let fake = fake();
    let mut search = Search::default();
    search.query.push_str("srv");
    let (number, _) = search.ask().expect("something to ask");
    let found = items(&fake, Request::Find { query: "srv".to_owned(), limit: 9 });
    search.answer(number, Ok(found.clone()));
    search.step(-1);
    assert_eq!(search.chosen(), 0);
    search.step(99);
    assert_eq!(search.chosen_item(), found.last());
    search.choose(0);
    assert_eq!(search.chosen_item(), found.first());
    search.step(1);
    let (number, _) = search.ask().expect("something to ask");
    assert_eq!(search.chosen(), 0, "another question begins at its best answer");
    search.answer(number, Err(failure()));
    assert!(search.error().is_some() && search.chosen_item().is_none());
}

#[test]
fn details_take_only_what_was_asked_for_last() {
    let fake = fake();
    let (web, base) = (id(&fake, "srv-web-01"), id(&fake, "srv-base-01"));
    let mut details = Details::default();
    details.want(web);
    details.want(base);
    details.set_entry(web, Ok(view(&fake, "srv-web-01")));
    assert!(details.entry.is_none());
    details.set_entry(base, Err(failure()));
    assert!(details.error.is_some());
    details.set_entry(base, Ok(view(&fake, "srv-base-01")));
    assert!(details.error.is_none() && !details.is_container());
    let Ok(Reply::History(versions)) = fake.call(Request::History { at: At::Id(web) }) else {
        panic!("the history was asked for")
    };
    details.set_history(web, versions);
    assert!(details.history.is_none());
}

#[test]
fn a_shown_secret_goes_away_by_itself_and_with_its_entry() {
    let fake = fake();
    let (web, base) = (id(&fake, "srv-web-01"), id(&fake, "srv-base-01"));
    let start = Instant::now();
    let value = || SecretBytes::copy_of(b"sesame");
    let mut details = Details::default();
    details.want(base);
    details.set_entry(base, Ok(view(&fake, "srv-base-01")));
    details.reveal(base, Slot::Notes, value(), start);
    assert!(details.shown(base, &Slot::Notes).is_none(), "it has no notes");
    details.reveal(base, Slot::Password, value(), start);
    assert!(details.shown(base, &Slot::Password).is_some_and(|s| s.expose(|s| s == "sesame")));
    assert_eq!(
        details.expire(start + Duration::from_secs(1)),
        Some(SHOWN_FOR - Duration::from_secs(1))
    );
    assert_eq!(details.expire(start + SHOWN_FOR), None);
    assert!(details.shown(base, &Slot::Password).is_none());
    details.reveal(base, Slot::Password, value(), start);
    details.hide(base, &Slot::Password);
    assert!(details.shown(base, &Slot::Password).is_none());
    details.reveal(base, Slot::PrivateKey, value(), start);
    details.want(web);
    details.want(base);
    assert!(details.shown(base, &Slot::PrivateKey).is_none(), "it went with its entry");
}

#[test]
fn a_login_from_elsewhere_says_from_where_and_a_code_runs_out() {
    let fake = fake();
    let (web, servers) = (id(&fake, "srv-web-01"), id(&fake, "Serveurs"));
    let mut details = Details::default();
    details.want(web);
    details.set_entry(web, Ok(view(&fake, "srv-web-01")));
    let Ok(Reply::Plan(plan)) = fake.call(Request::Plan { at: At::Id(web) }) else {
        panic!("the plan was asked for")
    };
    details.set_plan(web, plan);
    let lines = details.secrets();
    assert_eq!(lines[0].slot, Slot::Totp);
    assert_eq!((lines[0].giver, lines[0].from.as_deref()), (web, None));
    assert_eq!((lines[1].slot.clone(), lines[1].giver), (Slot::Password, servers));
    assert_eq!(lines[1].from.as_deref(), Some("Boulangerie Dupont/Serveurs"));
    let start = Instant::now();
    let code = TotpView { code: SecretText::copy_of("492817"), seconds_left: 21, period: 30 };
    details.show_code(web, code, start);
    assert_eq!(details.expire(start + Duration::from_secs(20)), Some(Duration::from_secs(1)));
    assert!(details.code().is_some());
    details.expire(start + Duration::from_secs(21));
    assert!(details.code().is_none());
}

#[test]
fn a_new_form_asks_for_a_name_and_sends_what_was_filled_in() {
    let mut form = Editor::new(Kind::new("ssh"), "Dupont/Serveurs");
    assert!(!form.dirty());
    assert_eq!(form.source, Source::Own);
    assert!(form.save().is_none() && form.faults().contains_key("name"));
    form.name = " srv/01 ".to_owned();
    assert!(form.faults().contains_key("name"));
    form.name = " srv-01 ".to_owned();
    form.port = "0".to_owned();
    form.expires = "31/02/2027".to_owned();
    assert_eq!(form.faults().into_keys().collect::<Vec<_>>(), ["expires", "port"]);
    form.port = "2222".to_owned();
    form.expires = String::new();
    form.host = " srv.example ".to_owned();
    form.tags = "linux,web;  paris".to_owned();
    assert!(form.dirty());
    let Some(Request::Create { kind, path, patch }) = form.save() else { panic!("it is made") };
    assert_eq!((kind.word(), path.as_str()), ("ssh", "Dupont/Serveurs/srv-01"));
    assert_eq!(patch.host, Set::To("srv.example".to_owned()));
    assert_eq!(patch.port, Set::To(Some(2222)));
    assert_eq!(patch.tags, Set::To(["linux", "web", "paris"].map(str::to_owned).to_vec()));
    assert_eq!(patch.expires, Set::Keep);
    assert!(form.save().is_none(), "it is being saved already");

    let mut client = Editor::new(Kind::CLIENT, "");
    client.name = "Dupont".to_owned();
    client.client.colour = "rouge".to_owned();
    assert!(client.faults().contains_key("colour"));
    client.client.colour = "#c2410c".to_owned();
    let Some(Request::Create { path, .. }) = client.save() else { panic!("it is made") };
    assert_eq!(path, "Dupont");
}

#[test]
fn a_change_sends_only_what_differs() {
    let fake = fake();
    let mut form = Editor::edit(view(&fake, "srv-base-01"), Lang::Fr);
    assert!(!form.dirty());
    assert_eq!((form.port.as_str(), form.default_port()), ("2222", Some(22)));
    form.port = String::new();
    form.removed.insert("schéma réseau.pdf".to_owned());
    let password = form.secrets.iter_mut().find(|s| s.slot == Slot::Password).expect("SSH has one");
    assert!(password.existed && password.buffer.is_empty(), "the form never holds the saved one");
    password.clear = true;
    password.buffer.set("sesame");
    password.changed();
    let Some(Request::Edit { expected_ver, patch, .. }) = form.save() else {
        panic!("it is changed")
    };
    assert_eq!(expected_ver, Some(1));
    assert_eq!((&patch.host, &patch.port), (&Set::Keep, &Set::To(None)));
    assert_eq!(patch.secrets.len(), 1);
    assert!(matches!(patch.attachments.get("schéma réseau.pdf"), Some(None)));
    let put =
        fake.call(Request::Edit { at: At::Id(id(&fake, "srv-base-01")), expected_ver, patch });
    assert!(put.is_ok());
    let put = fake.0.lock().expect("nobody else holds it").put.clone();
    assert_eq!(put.values().collect::<Vec<_>>(), ["sesame"], "typing took the removal back");
}

#[test]
fn a_linked_login_needs_its_entry() {
    let fake = fake();
    let mut form = Editor::edit(view(&fake, "srv-web-01"), Lang::Fr);
    form.source = Source::Linked;
    assert!(form.faults().contains_key("credential") && !form.shows_own_login());
    form.linked = Some((id(&fake, "srv-base-01"), "Boulangerie Dupont/…".to_owned()));
    assert!(form.faults().is_empty() && form.dirty());
}

#[test]
fn what_is_chosen_from_a_list_has_a_name_in_both_languages() {
    let mut lists = 0;
    for connector in connect::ALL {
        let mut form = Editor::new(Kind::new(connector.id()), "Dupont");
        form.name = "x".to_owned();
        for field in connector.fields() {
            let listed =
                matches!(field.kind, FieldKind::Bool | FieldKind::Choice(_) | FieldKind::Listed(_));
            assert_eq!(listed, !field.words().is_empty(), "{}", field.id);
            for word in field.words() {
                lists += 1;
                assert!(field.accepts(word.word));
                let (fr, en) = (field.shown(word.word, Lang::Fr), field.shown(word.word, Lang::En));
                assert!(!fr.is_empty() && !en.is_empty());
                assert_ne!(fr, word.word, "{} is a word of the command line", field.id);
            }
            if listed {
                form.settings.insert(field.id, "n’importe quoi".to_owned());
                assert!(form.faults().contains_key(field.id));
                form.settings.insert(field.id, String::new());
            }
        }
        assert!(form.faults().is_empty(), "{}", connector.id());
    }
    assert!(lists >= 7, "the login methods, and yes or no");
}

#[test]
fn a_ticket_leads_to_its_page_and_nowhere_else() {
    let page = connect::web::ticket_page;
    let template = "https://glpi.example/front/ticket.form.php?id={ticket}";
    let wanted = "https://glpi.example/front/ticket.form.php?id=GLPI-4211";
    assert_eq!(page(template, " GLPI-4211 ").as_deref(), Some(wanted));
    let coded = page("http://x/{ticket}/{ticket}", "n° 1/2?&#%@");
    let number = "n%C2%B0%201%2F2%3F%26%23%25%40";
    assert_eq!(coded, Some(format!("http://x/{number}/{number}")));
    for (template, ticket) in [
        (template, "  "),
        ("", "1"),
        ("https://glpi.example/", "1"),
        ("javascript:alert({ticket})", "1"),
        ("file:///etc/{ticket}", "passwd"),
        ("{ticket}", "https://glpi.example"),
        // No ticket decides which machine is asked.
        ("https://{ticket}/", "evil.example"),
        ("https://{ticket}.example/", "evil"),
        ("https://glpi.example:{ticket}/", "8443"),
        ("https://glpi.example\\{ticket}.example/{ticket}", "\n"),
        // Nor does one lead out of its path.
        ("https://glpi.example/ticket/{ticket}/delete", ".."),
        ("https://glpi.example/ticket/{ticket}", " . "),
    ] {
        assert_eq!(page(template, ticket), None, "{template}");
    }
    let two = page(template, "1\n2\u{202E}\0");
    assert!(two.is_some_and(|page| page.ends_with("?id=1%0A2%E2%80%AE%00")));
}
