//! The window without a mouse, and what stands where: the list, the search, the
//! questions, the forms.

use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::gui_fake::{CODE, Fake, PASSWORD};
use crate::kit_gui::{
    Window, choose, connect_to_changed_key, fill, find, gone, opened, press, sees, selected, until,
    window,
};

/// Clicks a line of the list.
fn focused(window: &Window) -> Option<String> {
    let all = window.get_all_by(|node| node.is_focused());
    all.filter_map(|node| node.accesskit_node().label()).next()
}

#[test]
fn arrows_and_enter_go_on_from_a_clicked_line() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    choose(&mut window, "Boulangerie Dupont");
    sees(&mut window, "Serveurs");
    window.key_press(Key::ArrowDown);
    window.run_steps(2);
    assert_eq!(selected(&window), ["Serveurs"]);
    window.key_press(Key::ArrowRight);
    sees(&mut window, "srv-base-01");
    window.key_press(Key::ArrowDown);
    window.key_press(Key::ArrowDown);
    window.run_steps(2);
    assert_eq!(selected(&window), ["srv-base-01"]);
    window.key_press(Key::Enter);
    sees(&mut window, "Le serveur ne répond pas.");
}

#[test]
fn a_question_on_top_keeps_the_keys_from_the_list() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    choose(&mut window, "Boulangerie Dupont");
    window.key_press(Key::F1);
    sees(&mut window, "Raccourcis");
    window.key_press(Key::ArrowDown);
    window.run_steps(2);
    assert_eq!(selected(&window), ["Boulangerie Dupont"]);
}

#[test]
fn escape_empties_the_search_and_shows_the_entry_in_the_tree() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::Escape);
    until(&mut window, "the line in the tree", |w| selected(w) == ["srv-base-01"]);
    let search = window.get_by_role_and_label(Role::TextInput, "Rechercher");
    assert!(search.is_focused(), "the box lost the keyboard");
    assert_eq!(search.value().unwrap_or_default(), "");
}

#[test]
fn a_line_of_the_log_is_shown_in_full() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    until(&mut window, "lines", |w| w.query_all_by_role(Role::ListItem).count() > 5);
    window.query_all_by_role(Role::ListItem).next().unwrap().click();
    sees(&mut window, "Mot du journal");
    let title = window.get_by_label("Fermer").rect();
    let field = window.get_by_label("Mot du journal").rect();
    assert!(field.bottom() < 720.0, "pushed out of the window: {field}");
    assert!(field.top() - title.bottom() < 250.0, "{title} {field}");
}

#[test]
fn a_form_opens_at_its_top_wherever_the_last_one_was_left() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    choose(&mut window, "Boulangerie Dupont");
    press(&mut window, "Modifier");
    sees(&mut window, "Champs ajoutés");
    window.get_by_label("Champs ajoutés").scroll_to_me();
    window.run_steps(10);
    assert!(window.get_by_role_and_label(Role::TextInput, "Nom").rect().top() < 100.0);
    press(&mut window, "Annuler");
    window.key_press_modifiers(Modifiers::COMMAND, Key::N);
    window.run_steps(10);
    let name = window.get_by_role_and_label(Role::TextInput, "Nom");
    assert!(name.rect().top() > 100.0, "above what is seen: {}", name.rect());
    assert!(name.is_focused());
}

#[test]
fn a_question_that_takes_away_has_the_keyboard_on_the_harmless_answer() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::N);
    fill(&mut window, Role::TextInput, "Nom", "Garage Lefèvre");
    window.key_press(Key::Escape);
    sees(&mut window, "Abandonner les changements\u{a0}?");
    until(&mut window, "the safe button", |w| focused(w).as_deref() == Some("Continuer la saisie"));
    window.key_press(Key::Enter);
    gone(&mut window, "Abandonner les changements\u{a0}?");
    sees(&mut window, "Enregistrer");
    until(&mut window, "the field again", |w| focused(w).as_deref() == Some("Nom"));
}

#[test]
fn a_closed_question_gives_the_keyboard_back() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.run_steps(3);
    assert_eq!(focused(&window).as_deref(), Some("Rechercher"));
    window.key_press(Key::F1);
    sees(&mut window, "Raccourcis");
    // A list that fills the window takes some frames to find its height.
    window.run_steps(6);
    press(&mut window, "Fermer");
    gone(&mut window, "Raccourcis");
    until(&mut window, "the search box again", |w| focused(w).as_deref() == Some("Rechercher"));
}

#[test]
fn enter_leads_through_ticket_and_reason() {
    let fake = Fake::new();
    {
        let mut state = fake.0.lock().unwrap();
        let client = state.entries.iter_mut().find(|e| e.name.starts_with("Clinique")).unwrap();
        client.client_info.as_mut().unwrap().reason_required = true;
    }
    let mut window = opened(&fake);
    find(&mut window, "pacs", "Clinique Sainte-Éléonore/pacs-imagerie");
    press(&mut window, "Afficher\u{a0}: Mot de passe");
    fill(&mut window, Role::TextInput, "Numéro de ticket", "GLPI-1234");
    window.key_press(Key::Enter);
    until(&mut window, "the reason", |w| focused(w).as_deref() == Some("Motif"));
    window.event(egui::Event::Text("panne".to_owned()));
    window.key_press(Key::Enter);
    sees(&mut window, "Masquer\u{a0}: Mot de passe");
}

#[test]
fn where_only_a_reason_is_wanted_it_comes_first() {
    let fake = Fake::new();
    {
        let mut state = fake.0.lock().unwrap();
        let client = state.entries.iter_mut().find(|e| e.name.starts_with("Clinique")).unwrap();
        let info = client.client_info.as_mut().unwrap();
        (info.ticket_required, info.reason_required) = (false, true);
    }
    let mut window = opened(&fake);
    find(&mut window, "pacs", "Clinique Sainte-Éléonore/pacs-imagerie");
    press(&mut window, "Copier\u{a0}: Mot de passe");
    until(&mut window, "the reason", |w| focused(w).as_deref() == Some("Motif"));
    let reason = window.get_by_role_and_label(Role::TextInput, "Motif").rect();
    let ticket = "Numéro de ticket (facultatif)";
    let ticket = window.get_by_role_and_label(Role::TextInput, ticket).rect();
    assert!(reason.top() < ticket.top());
    assert!(window.query_by_role_and_label(Role::Label, "Copier\u{a0}: Mot de passe").is_some());
}

#[test]
fn a_changed_key_shows_both_below_each_other_and_proposes_to_close() {
    let fake = Fake::new();
    let window = connect_to_changed_key(&fake);
    assert_eq!(focused(&window).as_deref(), Some("Fermer l’onglet"));
    let known = window.get_by_label("ssh-ed25519 SHA256:vieille").rect();
    let shown = window.get_by_label("ssh-ed25519 SHA256:neuve").rect();
    assert!(known.bottom() <= shown.top(), "{known} {shown}");
    assert_eq!(known.left(), shown.left());
}

#[test]
fn a_client_names_the_machine_of_each_trusted_key() {
    let fake = Fake::new();
    {
        let mut state = fake.0.lock().unwrap();
        let client = state.entries.iter_mut().find(|e| e.name == "Boulangerie Dupont").unwrap();
        let pin = ("pin:192.168.10.12:2222", "ssh-ed25519 SHA256:vieille");
        client.settings.insert(pin.0.to_owned(), pin.1.to_owned());
    }
    let mut window = opened(&fake);
    choose(&mut window, "Boulangerie Dupont");
    sees(&mut window, "Clé d’hôte de 192.168.10.12:2222");
    sees(&mut window, "ssh-ed25519 SHA256:vieille");
    assert!(window.query_by_label_contains("pin:").is_none());
}

#[test]
fn an_invitation_is_made_by_enter_and_not_lost_by_a_key_too_many() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Équipe");
    press(&mut window, "Inviter un membre…");
    fill(&mut window, Role::TextInput, "Nom", "Zoé");
    window.get_by_label("Tous les clients, y compris les futurs").click();
    window.run_steps(2);
    // Nobody is let in for good who merely finds the window open.
    window.get_by_role_and_label(Role::TextInput, "Nom").focus();
    window.run_steps(2);
    window.key_press(Key::Enter);
    window.run_steps(4);
    assert!(window.query_by_label("Invitation pour Zoé").is_none());
    fill(&mut window, Role::PasswordInput, "Mot de passe actuel", "quatre mots");
    fill(&mut window, Role::PasswordInput, "Un nouveau code du téléphone", "123456");
    window.key_press(Key::Enter);
    sees(&mut window, "Invitation pour Zoé");
    until(&mut window, "the harmless button", |w| focused(w).as_deref() == Some("Copier"));
    window.key_press(Key::Escape);
    until(&mut window, "the last button", |w| focused(w).as_deref() == Some("C’est transmis"));
    sees(&mut window, "Invitation pour Zoé");
    window.key_press(Key::Enter);
    gone(&mut window, "Invitation pour Zoé");
}

#[test]
fn the_list_makes_room_and_comes_back_for_a_search() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::B);
    gone(&mut window, "Boulangerie Dupont");
    find(&mut window, "pacs", "Clinique Sainte-Éléonore/pacs-imagerie");
    window.key_press(Key::Escape);
    gone(&mut window, "Clinique Sainte-Éléonore/pacs-imagerie");
    press(&mut window, "Montrer la liste (Ctrl+Maj+B)");
    sees(&mut window, "Boulangerie Dupont");
}

#[test]
fn a_search_without_a_hit_leaves_no_entry_to_act_on() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    choose(&mut window, "Boulangerie Dupont");
    sees(&mut window, "Modifier");
    fill(&mut window, Role::TextInput, "Rechercher", "introuvable");
    sees(&mut window, "Aucun accès trouvé");
    gone(&mut window, "Modifier");
    window.key_press(Key::F2);
    window.run_steps(5);
    assert!(window.query_by_label("Enregistrer").is_none());
}

#[test]
fn an_empty_vault_says_what_to_begin_with() {
    let fake = Fake::with(Vec::new());
    let mut window = window(&fake, true);
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    press(&mut window, "Créer le premier client");
    sees(&mut window, "Nouveau\u{a0}: Client");
}

#[test]
fn enter_in_a_form_goes_on_to_the_next_field() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    choose(&mut window, "Boulangerie Dupont");
    window.key_press_modifiers(Modifiers::COMMAND, Key::N);
    fill(&mut window, Role::TextInput, "Nom", "srv-fichiers");
    window.key_press(Key::Enter);
    until(&mut window, "the host", |w| focused(w).as_deref() == Some("Hôte"));
    window.key_press(Key::Enter);
    until(&mut window, "the port", |w| focused(w).as_deref() == Some("Port"));
}

#[test]
fn a_field_that_tab_reaches_comes_into_sight() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    choose(&mut window, "Boulangerie Dupont");
    window.key_press_modifiers(Modifiers::COMMAND, Key::N);
    sees(&mut window, "Enregistrer");
    until(&mut window, "the name", |w| focused(w).as_deref() == Some("Nom"));
    for _ in 0..40 {
        window.key_press(Key::Tab);
        window.run_steps(2);
        if focused(&window).as_deref() == Some("Étiquettes") {
            window.run_steps(20);
            let rect = window.get_by_role_and_label(Role::TextInput, "Étiquettes").rect();
            assert!(rect.bottom() <= 720.0, "below the window: {rect}");
            return;
        }
    }
    panic!("Tab never reached the tags");
}

#[test]
fn of_many_tabs_the_one_in_front_is_in_sight() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    for count in 1..=10 {
        window.get_by_role_and_label(Role::TextInput, "Rechercher").focus();
        window.run_steps(2);
        window.key_press(Key::Enter);
        until(&mut window, &format!("session {count}"), |_| {
            fake.asked().iter().filter(|a| a.starts_with("connect srv-base-01")).count() == count
        });
    }
    window.run_steps(40);
    let front = |window: &Window| {
        let tabs = window.query_all_by_role(Role::Tab);
        let mut front = tabs.filter(|t| t.accesskit_node().toggled() == Some(Toggled::True));
        front.next().expect("a tab in front").rect()
    };
    assert!(front(&window).right() <= 1280.0, "{}", front(&window));
    sees(&mut window, "Onglets précédents");
    window.key_press_modifiers(Modifiers::CTRL, Key::Tab);
    window.run_steps(40);
    let details = window.get_by_role_and_label(Role::Tab, "Fiche").rect();
    assert!(front(&window).left() >= details.left(), "{}", front(&window));
    sees(&mut window, "Onglets suivants");
}
