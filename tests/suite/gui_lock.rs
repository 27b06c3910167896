//! What a lock, another member and the end of the window do to what is open.

use egui::accesskit::Role;
use egui::{Key, Modifiers, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::gui_fake::{CODE, Fake, PASSWORD};
use crate::kit_gui::{Window, fill, find, gone, opened, press, sees, unlock, until, window};

fn connect(window: &mut Window) {
    find(window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::Enter);
    sees(window, "Terminal");
}

/// A window with one open session.
fn with_session(fake: &Fake) -> Window {
    fake.0.lock().unwrap().connects = true;
    let mut window = opened(fake);
    connect(&mut window);
    window
}

fn lock(window: &mut Window) {
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    sees(window, "Code à 6 chiffres");
}

fn closed(fake: &Fake) -> Vec<String> {
    fake.0.lock().unwrap().closed.clone()
}

#[test]
fn a_lock_hides_the_sessions_and_the_same_member_finds_them_again() {
    let fake = Fake::new();
    let mut window = with_session(&fake);
    lock(&mut window);
    sees(&mut window, "1 session reste ouverte derrière cet écran.");
    gone(&mut window, "Terminal");
    unlock(&mut window);
    sees(&mut window, "Terminal");
    assert!(closed(&fake).is_empty());
}

#[test]
fn another_member_sees_no_session_and_the_log_says_why_they_ended() {
    let fake = Fake::new();
    let mut window = with_session(&fake);
    lock(&mut window);
    fill(&mut window, Role::TextInput, "Membre", "");
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text("Bruno".to_owned()));
    window.run_steps(2);
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    // In no frame between the unlock and now was there a tab.
    until(&mut window, "the list", |w| {
        assert!(w.query_by_role(Role::Tab).is_none(), "a tab of Alice was shown to Bruno");
        w.query_all_by_label("Boulangerie Dupont").next().is_some()
    });
    sees(&mut window, "Les sessions ouvertes par Alice ont été fermées.");
    until(&mut window, "the session's end", |_| closed(&fake) == ["another member unlocked"]);
}

#[test]
fn a_lock_ends_the_sessions_where_the_settings_say_so() {
    let fake = Fake::new();
    fake.0.lock().unwrap().settings.lock_ends_sessions = true;
    let mut window = with_session(&fake);
    lock(&mut window);
    until(&mut window, "the session's end", |_| closed(&fake) == ["locked"]);
    assert!(window.query_by_label_contains("derrière cet écran").is_none());
    unlock(&mut window);
    assert!(window.query_by_role(Role::Tab).is_none());
}

#[test]
fn a_lock_takes_the_question_about_a_tab_away() {
    let fake = Fake::new();
    let mut window = with_session(&fake);
    window.key_press_modifiers(Modifiers::CTRL | Modifiers::SHIFT, Key::W);
    sees(&mut window, "Garder ouverte");
    lock(&mut window);
    unlock(&mut window);
    sees(&mut window, "Terminal");
    assert!(window.query_by_label("Garder ouverte").is_none());
}

#[test]
fn a_lock_takes_text_that_waits_to_be_pasted_away() {
    let fake = Fake::new();
    let mut window = with_session(&fake);
    window.event(egui::Event::Paste("rm -rf /srv\nreboot\n".to_owned()));
    sees(&mut window, "Coller 2 lignes\u{a0}?");
    lock(&mut window);
    unlock(&mut window);
    sees(&mut window, "Terminal");
    assert!(window.query_by_label("Coller 2 lignes\u{a0}?").is_none());
}

#[test]
fn a_vault_opened_for_reading_offers_no_change() {
    let fake = Fake::new();
    let mut window = window(&fake, true);
    window.get_by_label("Lecture seule\u{a0}: les noms, sans secret").click();
    window.run_steps(2);
    unlock(&mut window);
    assert!(fake.0.lock().unwrap().read_only);
    assert!(window.query_by_label_contains("Nouveau").is_none());
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::ArrowDown);
    sees(&mut window, "Copier\u{a0}: Hôte");
    let off = |window: &Window, label: &str| {
        window.get_by_role_and_label(Role::Button, label).accesskit_node().is_disabled()
    };
    assert!(off(&window, "Se connecter"), "no session could be logged");
    window.key_press(Key::F2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::N);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Delete);
    window.run_steps(4);
    for offered in ["Enregistrer", "Mettre à la corbeille"] {
        assert!(window.query_by_role_and_label(Role::Button, offered).is_none(), "{offered}");
    }
    press(&mut window, "Équipe");
    sees(&mut window, "Bruno Lefèvre");
    assert!(window.query_by_label("Inviter un membre…").is_none());
    press(&mut window, "Réglages");
    press(&mut window, "Coffre");
    sees(&mut window, "Sauvegarder maintenant");
    assert!(off(&window, "Sauvegarder maintenant"));
    assert!(window.query_by_role_and_label(Role::Button, "Enregistrer").is_none());
    press(&mut window, "Moi");
    assert!(off(&window, "Créer un nouveau kit…"));
    assert!(window.query_by_label_contains("ouvert en lecture seule").is_some());
    press(&mut window, "Journal");
    sees(&mut window, "Exporter…");
    assert!(off(&window, "Exporter…"));
}

/// Asks the window to close, as its frame does; whether it would.
fn close(window: &mut Window) -> bool {
    let viewports = &mut window.input_mut().viewports;
    viewports.entry(ViewportId::ROOT).or_default().events.push(ViewportEvent::Close);
    window.step();
    let commands = &window.output().viewport_output[&ViewportId::ROOT].commands;
    !commands.contains(&ViewportCommand::CancelClose)
}

#[test]
fn closing_the_window_asks_while_a_session_is_open() {
    let fake = Fake::new();
    let mut window = with_session(&fake);
    assert!(!close(&mut window));
    sees(&mut window, "Fermer Poterne\u{a0}?");
    sees(&mut window, "Une session est ouverte\u{a0}: elle sera fermée.");
    press(&mut window, "Annuler");
    assert!(!close(&mut window), "it asks again");
    sees(&mut window, "Fermer Poterne\u{a0}?");
    window.get_by_role_and_label(Role::Button, "Fermer Poterne").click();
    window.run_steps(2);
    assert!(close(&mut window));
}

#[test]
fn closing_the_window_asks_about_a_changed_form_and_a_running_export() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    assert!(close(&mut window), "nothing is open");
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::N);
    fill(&mut window, Role::TextInput, "Nom", "Garage Lefèvre");
    assert!(!close(&mut window));
    sees(&mut window, "Ce qui a été saisi dans le formulaire n’est pas enregistré.");
    window.key_press(Key::Escape);
    gone(&mut window, "Fermer Poterne\u{a0}?");
    press(&mut window, "Annuler");
    press(&mut window, "Abandonner");
    press(&mut window, "Journal");
    press(&mut window, "Exporter…");
    fake.0.lock().unwrap().endless_export = true;
    press(&mut window, "Exporter");
    sees(&mut window, "Avancement de l’export");
    assert!(!close(&mut window));
    sees(&mut window, "Un export du journal est en cours\u{a0}: il sera abandonné.");
    fake.0.lock().unwrap().endless_export = false;
}
