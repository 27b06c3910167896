//! The window without a mouse, and what stands where: the list, the search, the
//! questions, the forms.

use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::gui_fake::Fake;
use crate::gui_shell::{Window, fill, gone, press, sees, unlock, until, window};

/// Clicks a line of the list.
fn choose(window: &mut Window, name: &str) {
    sees(window, name);
    window.get_by_role_and_label(Role::ListItem, name).click();
    window.run_steps(3);
}

fn focused(window: &Window) -> Option<String> {
    let all = window.get_all_by(|node| node.is_focused());
    all.filter_map(|node| node.accesskit_node().label()).next()
}

fn selected(window: &Window) -> Vec<String> {
    window
        .query_all_by_role(Role::ListItem)
        .filter(|node| node.accesskit_node().toggled() == Some(Toggled::True))
        .filter_map(|node| node.accesskit_node().label())
        .collect()
}

#[test]
fn arrows_and_enter_go_on_from_a_clicked_line() {
    let fake = Fake::new();
    let mut window = window(&fake, true);
    unlock(&mut window);
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
    let mut window = window(&fake, true);
    unlock(&mut window);
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
    let mut window = window(&fake, true);
    unlock(&mut window);
    fill(&mut window, Role::TextInput, "Rechercher", "srv-base");
    sees(&mut window, "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::Escape);
    until(&mut window, "the line in the tree", |w| selected(w) == ["srv-base-01"]);
    let search = window.get_by_role_and_label(Role::TextInput, "Rechercher");
    assert!(search.is_focused(), "the box lost the keyboard");
    assert_eq!(search.value().unwrap_or_default(), "");
}

#[test]
fn a_line_of_the_log_is_shown_in_full() {
    let fake = Fake::new();
    let mut window = window(&fake, true);
    unlock(&mut window);
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
    let mut window = window(&fake, true);
    unlock(&mut window);
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
    let mut window = window(&fake, true);
    unlock(&mut window);
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::N);
    fill(&mut window, Role::TextInput, "Nom", "Garage Lefèvre");
    window.key_press(Key::Escape);
    sees(&mut window, "Abandonner les changements\u{a0}?");
    until(&mut window, "the safe button", |w| focused(w).as_deref() == Some("Continuer la saisie"));
    window.key_press(Key::Enter);
    gone(&mut window, "Abandonner les changements\u{a0}?");
    sees(&mut window, "Enregistrer");
}

#[test]
fn a_closed_question_gives_the_keyboard_back() {
    let fake = Fake::new();
    let mut window = window(&fake, true);
    unlock(&mut window);
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.run_steps(3);
    assert_eq!(focused(&window).as_deref(), Some("Rechercher"));
    window.key_press(Key::F1);
    sees(&mut window, "Raccourcis");
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
    let mut window = window(&fake, true);
    unlock(&mut window);
    fill(&mut window, Role::TextInput, "Rechercher", "pacs");
    sees(&mut window, "Clinique Sainte-Éléonore/pacs-imagerie");
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
    let mut window = window(&fake, true);
    unlock(&mut window);
    fill(&mut window, Role::TextInput, "Rechercher", "pacs");
    sees(&mut window, "Clinique Sainte-Éléonore/pacs-imagerie");
    press(&mut window, "Copier\u{a0}: Mot de passe");
    until(&mut window, "the reason", |w| focused(w).as_deref() == Some("Motif"));
    let reason = window.get_by_role_and_label(Role::TextInput, "Motif").rect();
    let ticket = "Numéro de ticket (facultatif)";
    let ticket = window.get_by_role_and_label(Role::TextInput, ticket).rect();
    assert!(reason.top() < ticket.top());
    assert!(window.query_by_role_and_label(Role::Label, "Copier\u{a0}: Mot de passe").is_some());
}
