//! What keys and buttons do in the window when something stands in the way: a
//! ticket that another client wants, an answer that has not come, a question on
//! top, a refusal, a right that is missing.

use egui::accesskit::Role as Kind;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use poterne::gui::entries::rights::Rights;
use poterne::gui::entries::search::Search;
use poterne::model::entry;
use poterne::model::member::Role;

use crate::gui_fake::Fake;
use crate::kit_gui::{Window, fill, find, gone, opened, press, sees, unlock, until, value, window};

const CTRL_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

/// The window of an owner with `query` searched and its first result shown.
fn shows(fake: &Fake, query: &str, path: &str) -> Window {
    let mut window = opened(fake);
    find(&mut window, query, path);
    window.key_press(Key::ArrowDown);
    sees(&mut window, "Modifier");
    window
}

const BASE: &str = "Boulangerie Dupont/Serveurs/srv-base-01";
const WEB: &str = "Boulangerie Dupont/Serveurs/srv-web-01";

#[test]
fn a_secret_lent_by_a_client_with_tickets_asks_for_one_and_goes_on() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").linked = true;
    let mut window = shows(&fake, "srv-web", WEB);
    sees(&mut window, "de Clinique Sainte-Éléonore/pacs-imagerie");
    press(&mut window, "Afficher\u{a0}: Mot de passe");
    sees(&mut window, "Motif de l’accès");
    until(&mut window, "who asks", |w| {
        w.query_by_label_contains("Clinique Sainte-Éléonore demande").is_some()
    });
    fill(&mut window, Kind::TextInput, "Numéro de ticket", "GLPI-4211");
    press(&mut window, "Continuer");
    sees(&mut window, "Masquer\u{a0}: Mot de passe");
    gone(&mut window, "Motif de l’accès");
    assert_eq!(fake.asked(), ["Reveal password pacs-imagerie"]);
}

#[test]
fn enter_waits_for_the_answer_to_what_was_typed() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    fake.0.lock().expect("ours").slow_search = true;
    fill(&mut window, Kind::TextInput, "Rechercher", "srv-base");
    window.key_press(Key::Enter);
    window.run_steps(4);
    assert!(fake.asked().is_empty());
    fake.0.lock().expect("ours").slow_search = false;
    until(&mut window, "the session", |_| fake.asked() == ["connect srv-base-01"]);
}

#[test]
fn enter_in_the_frame_of_the_last_letter_is_for_all_of_them() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    fill(&mut window, Kind::TextInput, "Rechercher", "srv-bas");
    let enter = |pressed| egui::Event::Key {
        key: Key::Enter,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    let events = [egui::Event::Text("e".to_owned()), enter(true), enter(false)];
    window.input_mut().events.extend(events);
    until(&mut window, "the session", |_| fake.asked() == ["connect srv-base-01"]);
}

#[test]
fn an_enter_is_for_the_query_it_was_pressed_at() {
    let mut search = Search::default();
    search.query.push_str("srv");
    let (first, _) = search.ask().expect("a query");
    assert!(!search.enter(), "no answer yet");
    search.query.push('x');
    let (second, _) = search.ask().expect("another query");
    assert!(!search.answer(first, Ok(Vec::new())));
    assert!(search.answer(second, Ok(Vec::new())));
    assert!(!search.take_enter(), "of the query before");
    assert!(search.enter(), "the answer is there");
    assert!(!search.take_enter(), "done at once");
}

#[test]
fn help_takes_the_place_of_no_question_and_goes_with_its_own_key() {
    let fake = Fake::new();
    let mut window = shows(&fake, "pacs", "Clinique Sainte-Éléonore/pacs-imagerie");
    press(&mut window, "Afficher\u{a0}: Mot de passe");
    fill(&mut window, Kind::TextInput, "Numéro de ticket", "GLPI-1");
    window.key_press(Key::F1);
    window.run_steps(4);
    let field = window.get_by_role_and_label(Kind::TextInput, "Numéro de ticket");
    assert_eq!(field.value().as_deref(), Some("GLPI-1"));
    window.key_press(Key::Escape);
    gone(&mut window, "Motif de l’accès");
    window.key_press(Key::F1);
    sees(&mut window, "Raccourcis");
    for keys in ["Ctrl+Tab", "Ctrl+Maj+W", "Ctrl+Maj+C", "Ctrl+Maj+V", "Ctrl+Maj+F"] {
        assert!(window.query_all_by_label(keys).next().is_some(), "{keys} is not listed");
    }
    window.key_press(Key::F1);
    gone(&mut window, "Onglet suivant");
}

#[test]
fn no_key_acts_beneath_the_export() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    press(&mut window, "Exporter…");
    window.run_steps(3);
    window.key_press_modifiers(Modifiers::COMMAND, Key::G);
    window.key_press_modifiers(Modifiers::ALT, Key::Num3);
    window.run_steps(4);
    sees(&mut window, "Exporter le journal");
    assert!(window.query_by_label("Générer un mot de passe").is_none());
    assert!(window.query_by_label("Inviter un membre…").is_none());
}

#[test]
fn the_delete_key_belongs_to_a_field_with_text_in_it() {
    let fake = Fake::new();
    let mut window = shows(&fake, "srv-base", BASE);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Delete);
    window.run_steps(4);
    let bin = "Mettre «\u{a0}srv-base-01\u{a0}» à la corbeille\u{a0}?";
    assert!(window.query_by_label(bin).is_none(), "the key was for the search box");
    // Emptied, the box only stands for the list.
    window.key_press(Key::Escape);
    window.run_steps(3);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Delete);
    sees(&mut window, bin);
    window.key_press(Key::Escape);
    gone(&mut window, bin);
    // A form that is open is not deleted beneath.
    window.key_press(Key::F2);
    sees(&mut window, "Enregistrer");
    window.key_press_modifiers(Modifiers::COMMAND, Key::Delete);
    window.run_steps(4);
    assert!(window.query_by_label(bin).is_none());
}

#[test]
fn a_key_copies_no_secret_of_an_entry_on_another_page() {
    let fake = Fake::new();
    let mut window = shows(&fake, "srv-base", BASE);
    sees(&mut window, "Afficher\u{a0}: Mot de passe");
    press(&mut window, "Journal");
    window.key_press_modifiers(Modifiers::COMMAND, Key::P);
    window.run_steps(4);
    // What is asked is asked in order: had the key asked, it would be there.
    press(&mut window, "Accès");
    press(&mut window, "Afficher\u{a0}: Mot de passe");
    sees(&mut window, "Masquer\u{a0}: Mot de passe");
    assert_eq!(fake.asked(), ["Reveal password srv-base-01"]);
}

#[test]
fn the_window_keeps_its_keys_in_a_terminal_too() {
    use poterne::gui::action::{ALL, Action, keys_of};
    use poterne::model::lang::Lang;
    for shortcut in ALL.iter().filter(|s| s.keys.modifiers.shift) {
        assert!(shortcut.in_terminal, "{}", shortcut.fr);
    }
    assert_eq!(keys_of(Action::Theme, Lang::Fr), "Ctrl+Maj+D");
    assert_eq!(keys_of(Action::Lock, Lang::Fr), "Ctrl+L");
}

#[test]
fn a_refused_move_keeps_what_was_typed() {
    let fake = Fake::new();
    let mut window = shows(&fake, "srv-base", BASE);
    fake.0.lock().expect("ours").refuses = true;
    press(&mut window, "Déplacer…");
    // The name is selected.
    fill(&mut window, Kind::TextInput, "Nouvel emplacement", "srv-base-01-bis");
    press(&mut window, "Continuer");
    sees(&mut window, "Ce client demande un numéro de ticket.");
    let place = window.get_by_role_and_label(Kind::TextInput, "Nouvel emplacement");
    assert_eq!(place.value().as_deref(), Some("Boulangerie Dupont/Serveurs/srv-base-01-bis"));
    fake.0.lock().expect("ours").refuses = false;
    fill(&mut window, Kind::TextInput, "Numéro de ticket", "GLPI-4211");
    press(&mut window, "Continuer");
    gone(&mut window, "Nouvel emplacement");
    assert_eq!(fake.asked(), ["move Boulangerie Dupont/Serveurs/srv-base-01-bis GLPI-4211"]);
}

#[test]
fn a_refusal_stays_until_it_is_dismissed() {
    let fake = Fake::new();
    let mut window = shows(&fake, "srv-base", BASE);
    fake.0.lock().expect("ours").refuses = true;
    window.key_press(Key::Escape);
    window.run_steps(3);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Delete);
    press(&mut window, "Mettre à la corbeille");
    let refusal = "Ce client demande un numéro de ticket.";
    sees(&mut window, refusal);
    press(&mut window, "Compris");
    gone(&mut window, refusal);
}

/// A form about a new client is being saved, and Ctrl+Shift+N is pressed meanwhile.
fn another_during_a_save(fake: &Fake) -> Window {
    let mut window = opened(fake);
    window.key_press_modifiers(CTRL_SHIFT, Key::N);
    fill(&mut window, Kind::TextInput, "Nom", "Garage Lefèvre");
    // Nobody answers before the key.
    let held = fake.0.clone();
    let held = held.lock().expect("ours");
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    window.run_steps(3);
    window.key_press_modifiers(CTRL_SHIFT, Key::N);
    window.run_steps(3);
    let asked = window.query_by_label("Abandonner les changements\u{a0}?").is_some();
    drop(held);
    assert!(!asked, "asked about what is being saved");
    window
}

#[test]
fn a_form_asked_for_during_a_save_opens_once_that_is_done() {
    let fake = Fake::new();
    let mut window = another_during_a_save(&fake);
    until(&mut window, "the saved client", |_| fake.entry("Garage Lefèvre").is_some());
    until(&mut window, "an empty form", |w| {
        w.query_by_role_and_label(Kind::TextInput, "Nom").is_some() && value(w, "Nom").is_empty()
    });
    // The keyboard is in it.
    window.event(egui::Event::Text("Brasserie Noël".to_owned()));
    until(&mut window, "the name", |w| value(w, "Nom") == "Brasserie Noël");
}

#[test]
fn a_form_whose_save_is_refused_stays_whatever_was_asked_meanwhile() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").failing = "create";
    let mut window = another_during_a_save(&fake);
    until(&mut window, "the form", |w| {
        w.query_by_label("Enregistrer").is_some_and(|b| !b.accesskit_node().is_disabled())
    });
    assert_eq!(value(&window, "Nom"), "Garage Lefèvre");
}

#[test]
fn two_clicks_open_one_session() {
    let fake = Fake::new();
    let mut window = shows(&fake, "srv-base", BASE);
    sees(&mut window, "Se connecter");
    let at = window.get_by_role_and_label(Kind::Button, "Se connecter").rect().center();
    let button = |pressed| egui::Event::PointerButton {
        pos: at,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    // Nobody answers between the two.
    let held = fake.0.clone();
    let held = held.lock().expect("ours");
    window.event(egui::Event::PointerMoved(at));
    for pressed in [true, false, true, false] {
        window.event(button(pressed));
        window.run_steps(1);
    }
    drop(held);
    sees(&mut window, "Le serveur ne répond pas.");
    // The log is asked for, and answered, after both.
    press(&mut window, "Journal");
    until(&mut window, "lines", |w| w.query_all_by_role(Kind::ListItem).count() > 5);
    press(&mut window, "Accès");
    assert_eq!(fake.asked(), ["connect srv-base-01"]);
    assert_eq!(window.query_all_by_role(Kind::Tab).count(), 2, "the page, and one session");
}

#[test]
fn rights_are_those_of_the_policy() {
    let rights = |role, read_only| {
        let fake = Fake::new();
        let mut state = fake.0.lock().expect("ours");
        (state.role, state.read_only) = (role, read_only);
        Rights::of(&state.status())
    };
    let (client, ssh) = (entry::Kind::CLIENT, entry::Kind::new("ssh"));
    let login = entry::Kind::new("credential");
    let cases = [
        // Client, an entry, a login of another, an own login.
        (rights(Role::Owner, false), [true, true, true, true]),
        (rights(Role::Technician, false), [false, true, true, true]),
        (rights(Role::Operator, false), [false, false, false, true]),
        (rights(Role::Auditor, false), [false, false, false, false]),
        (rights(Role::Owner, true), [false, false, false, false]),
    ];
    for (n, (rights, expected)) in cases.iter().enumerate() {
        let own = rights.change(&login, "~Alice/vpn");
        assert_eq!(own, rights.change(&login, "~"));
        let may = [
            rights.change(&client, "Dupont"),
            rights.change(&ssh, "Dupont/srv"),
            rights.change(&login, "~Bruno/vpn"),
            own,
        ];
        assert_eq!(may, *expected, "case {n}");
    }
}

/// Opens the menu of a line, once the favourite above the clients has come and no
/// line moves any more.
fn menu(window: &mut Window, line: &str) {
    sees(window, WEB);
    sees(window, line);
    window.get_by_role_and_label(Kind::ListItem, line).click_secondary();
    window.run_steps(3);
}

#[test]
fn a_technician_is_offered_no_change_of_a_client() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").role = Role::Technician;
    let mut window = opened(&fake);
    menu(&mut window, "Boulangerie Dupont");
    sees(&mut window, "Nouveau");
    for refused in ["Modifier", "Mettre à la corbeille…"] {
        assert!(window.query_by_label(refused).is_none(), "{refused}");
    }
    window.key_press(Key::Escape);
    window.run_steps(3);
    window.key_press_modifiers(CTRL_SHIFT, Key::N);
    window.run_steps(4);
    assert!(window.query_by_role_and_label(Kind::TextInput, "Nom").is_none());
    press(&mut window, "\u{2795} Nouveau");
    assert!(window.query_by_role_and_label(Kind::Button, "Client").is_none());
    sees(&mut window, "Identifiant personnel");
    window.key_press(Key::Escape);
    window.run_steps(3);
    // Its details offer what may be made in it.
    window.get_by_role_and_label(Kind::ListItem, "Boulangerie Dupont").click();
    press(&mut window, "Nouveau");
    assert!(window.query_by_role_and_label(Kind::Button, "Client").is_none());
    press(&mut window, "Serveur SSH");
    sees(&mut window, "dans Boulangerie Dupont");
}

#[test]
fn described_programs_stand_in_a_menu_of_their_own() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    sees(&mut window, WEB);
    window.get_by_role_and_label(Kind::ListItem, "Boulangerie Dupont").click();
    press(&mut window, "Nouveau");
    sees(&mut window, "Dossier");
    assert!(window.query_by_role_and_label(Kind::Button, "PostgreSQL (psql)").is_none());
    press(&mut window, "Autres programmes");
    press(&mut window, "PostgreSQL (psql)");
    sees(&mut window, "dans Boulangerie Dupont");
}

#[test]
fn an_operator_empties_no_bin_and_keeps_logins_of_the_own() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").role = Role::Operator;
    let mut window = opened(&fake);
    sees(&mut window, WEB);
    sees(&mut window, "Corbeille");
    window.get_by_role_and_label(Kind::ListItem, "Corbeille").click();
    window.run_steps(3);
    menu(&mut window, "Mairie de Saint-Œuvre/ancien-serveur");
    for refused in ["Restaurer", "Supprimer définitivement…"] {
        assert!(window.query_by_label(refused).is_none(), "{refused}");
    }
    press(&mut window, "\u{2795} Nouveau");
    press(&mut window, "Identifiant personnel");
    sees(&mut window, "Enregistrer");
}

#[test]
fn enter_deletes_nothing_for_good() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    sees(&mut window, WEB);
    sees(&mut window, "Corbeille");
    window.get_by_role_and_label(Kind::ListItem, "Corbeille").click();
    window.run_steps(3);
    menu(&mut window, "Mairie de Saint-Œuvre/ancien-serveur");
    press(&mut window, "Supprimer définitivement…");
    let question = "Supprimer «\u{a0}ancien-serveur\u{a0}»\u{a0}?";
    sees(&mut window, question);
    window.run_steps(3);
    let no = window.get_by_role_and_label(Kind::Button, "Annuler");
    assert!(no.accesskit_node().is_focused(), "the yes has the keyboard");
    window.key_press(Key::Enter);
    gone(&mut window, question);
    menu(&mut window, "Mairie de Saint-Œuvre/ancien-serveur");
    press(&mut window, "Supprimer définitivement…");
    press(&mut window, "Supprimer");
    gone(&mut window, "Mairie de Saint-Œuvre/ancien-serveur");
    assert!(fake.entry("ancien-serveur").is_none());
}

#[test]
fn a_vault_opened_to_read_offers_nothing_new() {
    let fake = Fake::new();
    let mut window = window(&fake, true);
    sees(&mut window, "Lecture seule\u{a0}: les noms, sans secret");
    window.get_by_label("Lecture seule\u{a0}: les noms, sans secret").click();
    window.run_steps(2);
    unlock(&mut window);
    sees(&mut window, "Lecture seule");
    assert!(window.query_by_label_contains("Nouveau").is_none());
    menu(&mut window, "Boulangerie Dupont");
    assert!(window.query_by_label("Modifier").is_none());
}
