//! The window as a person uses it: clicks by label and keys, over a fake
//! application. Answers come from threads, so a step waits for what it expects.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use poterne::app::api::Settings;
use poterne::gui::prefs::Prefs;
use poterne::model::target::PinnedKey;

use crate::gui_fake::{CODE, Fake, KIT, PASSWORD};
use crate::kit_gui::{
    Window, connect_to_changed_key, fill, find, gone, opened, press, sees, unlock, until, window,
    window_with,
};

#[test]
fn the_sixth_digit_opens_and_a_wrong_one_gets_the_one_refusal() {
    let fake = Fake::new();
    let mut window = window(&fake, true);
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", "000000");
    sees(&mut window, "Le coffre ne s’ouvre pas avec ces éléments.");
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    sees(&mut window, "Boulangerie Dupont");
}

#[test]
fn the_search_finds_across_clients_and_enter_opens_a_client() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "pacs", "Clinique Sainte-Éléonore/pacs-imagerie");
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text("bou".to_owned()));
    sees(&mut window, "Boulangerie Dupont/Serveurs/srv-web-01");
    window.key_press(Key::Enter);
    sees(&mut window, "Contrat et horaires");
}

#[test]
fn details_show_where_the_password_comes_from_and_reveal_is_asked_for() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "srv-web", "Boulangerie Dupont/Serveurs/srv-web-01");
    window.key_press(Key::ArrowDown);
    sees(&mut window, "de Boulangerie Dupont/Serveurs");
    press(&mut window, "Afficher\u{a0}: Mot de passe");
    sees(&mut window, "Masquer\u{a0}: Mot de passe");
    assert!(fake.asked().contains(&"Reveal password Serveurs".to_owned()));
    press(&mut window, "Afficher\u{a0}: Code à usage unique");
    sees(&mut window, "Masquer\u{a0}: Code à usage unique");
}

#[test]
fn a_client_that_wants_a_ticket_gets_one_before_the_secret() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "pacs", "Clinique Sainte-Éléonore/pacs-imagerie");
    window.key_press(Key::ArrowDown);
    press(&mut window, "Afficher\u{a0}: Mot de passe");
    fill(&mut window, Role::TextInput, "Numéro de ticket", "rien");
    press(&mut window, "Continuer");
    sees(&mut window, "Le numéro de ticket n’a pas la forme attendue.");
    assert!(fake.asked().is_empty());
    window.get_by_role_and_label(Role::TextInput, "Numéro de ticket").focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text("GLPI-1234".to_owned()));
    window.run_steps(2);
    press(&mut window, "Continuer");
    sees(&mut window, "Masquer\u{a0}: Mot de passe");
    assert_eq!(fake.asked(), ["Reveal password pacs-imagerie"]);
}

#[test]
fn locking_takes_everything_off_the_screen() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    window.key_press_modifiers(Modifiers::COMMAND, Key::L);
    sees(&mut window, "Déverrouiller");
    gone(&mut window, "Boulangerie Dupont");
    until(&mut window, "the application is locked", |_| !fake.0.lock().unwrap().open);
    unlock(&mut window);
}

#[test]
fn the_guide_makes_a_vault_step_by_step() {
    let fake = Fake::new();
    let mut window = window(&fake, false);
    sees(&mut window, "Créer votre coffre");
    window.get_by_role_and_label(Role::TextInput, "Votre nom").focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text("Alice".to_owned()));
    window.run_steps(2);
    press(&mut window, "Continuer");
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Encore une fois", PASSWORD);
    sees(&mut window, "Excellent");
    press(&mut window, "Continuer");
    press(&mut window, "Continuer");
    sees(&mut window, "QR code à photographier");
    fill(&mut window, Role::PasswordInput, "Code affiché par le téléphone", "999999");
    sees(&mut window, "Ce code n’est pas celui du téléphone.");
    fill(&mut window, Role::PasswordInput, "Code affiché par le téléphone", CODE);
    press(&mut window, "Je l’ai noté");
    fill(&mut window, Role::PasswordInput, "Kit recopié", KIT);
    press(&mut window, "Terminer");
    sees(&mut window, "potv1-abcd-efgh-jklm");
    press(&mut window, "Déverrouiller");
    sees(&mut window, "Code à 6 chiffres");
}

#[test]
fn a_form_drawn_from_the_connector_saves_only_what_was_changed() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::ArrowDown);
    press(&mut window, "Modifier");
    fill(&mut window, Role::TextInput, "Hôte", ".exemple.fr");
    fill(&mut window, Role::PasswordInput, "Mot de passe", "nouveau-Secret-9");
    press(&mut window, "Enregistrer");
    gone(&mut window, "Annuler");
    let saved = fake.entry("srv-base-01").expect("it is still there");
    assert_eq!(saved.host, "192.168.10.12.exemple.fr");
    assert_eq!(saved.user, "root");
    let put = fake.0.lock().unwrap().put.clone();
    assert_eq!(put.values().collect::<Vec<_>>(), ["nouveau-Secret-9"]);
}

#[test]
fn a_stale_form_is_refused_says_what_changed_and_can_be_saved_again() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::ArrowDown);
    press(&mut window, "Modifier");
    fill(&mut window, Role::TextInput, "Identifiant", "-adm");
    {
        let mut state = fake.0.lock().unwrap();
        let entry = state.entries.iter_mut().find(|e| e.name == "srv-base-01").unwrap();
        entry.host = "10.9.9.9".to_owned();
        entry.ver += 1;
    }
    press(&mut window, "Enregistrer");
    sees(&mut window, "Alice a modifié cet accès entre-temps\u{a0}: Hôte.");
    press(&mut window, "Enregistrer");
    gone(&mut window, "Annuler");
    let saved = fake.entry("srv-base-01").expect("it is still there");
    assert_eq!((saved.host.as_str(), saved.user.as_str()), ("10.9.9.9", "root-adm"));
}

#[test]
fn leaving_a_changed_form_asks_first() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::N);
    fill(&mut window, Role::TextInput, "Nom", "Garage Lefèvre");
    press(&mut window, "Annuler");
    sees(&mut window, "Abandonner les changements\u{a0}?");
    press(&mut window, "Abandonner");
    gone(&mut window, "Abandonner les changements\u{a0}?");
    assert!(fake.entry("Garage Lefèvre").is_none());
}

#[test]
fn a_thousand_clients_scroll_without_being_painted_all() {
    let fake = Fake::large(1000);
    let mut window = window(&fake, true);
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    sees(&mut window, "Société n° 0000 du Grand Ouest");
    let rows = window.query_all_by_role(Role::ListItem).count();
    assert!((5..60).contains(&rows), "{rows} lines were painted");
}

#[test]
fn a_session_that_fails_says_so_in_its_tab_and_can_be_tried_again() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::Enter);
    sees(&mut window, "Le serveur ne répond pas.");
    sees(&mut window, "Réessayer");
}

#[test]
fn a_changed_host_key_is_forgotten_by_the_window_alone_and_asked_anew() {
    let fake = Fake::new();
    let mut window = connect_to_changed_key(&fake);
    assert!(window.query_by_label_contains("poterne edit").is_none());
    press(&mut window, "Oublier l’ancienne clé…");
    sees(&mut window, "Oublier la clé d’hôte\u{a0}?");
    let shown = window.query_by_label_contains("ssh-ed25519 SHA256:vieille\n").is_some();
    assert!(shown, "the fingerprint that goes is not shown");
    assert!(!fake.asked().iter().any(|a| a.starts_with("forget")), "before the answer");
    press(&mut window, "Oublier la clé d’hôte");
    sees(&mut window, "Premier contact avec ce serveur");
    sees(&mut window, "SHA256:neuve");
    assert!(fake.asked().contains(&"forget srv-base-01".to_owned()));
}

#[test]
fn the_details_show_the_pinned_key_and_forget_it() {
    let fake = Fake::new();
    let mut window = connect_to_changed_key(&fake);
    press(&mut window, "Fermer l’onglet");
    sees(&mut window, "ssh-ed25519 SHA256:vieille");
    press(&mut window, "Oublier la clé d’hôte…");
    press(&mut window, "Oublier la clé d’hôte");
    gone(&mut window, "ssh-ed25519 SHA256:vieille");
}

#[test]
fn a_certificate_that_is_forgotten_is_called_one() {
    let fake = Fake::new();
    fake.0.lock().unwrap().pinned =
        Some(PinnedKey { algorithm: "x509-sha256".into(), ..crate::gui_fake_tree::key("vieux") });
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    press(&mut window, "Oublier le certificat…");
    sees(&mut window, "Oublier le certificat\u{a0}?");
    press(&mut window, "Oublier le certificat");
    sees(&mut window, "Le certificat est oublié.");
}

#[test]
fn an_operator_forgets_no_host_key() {
    let fake = Fake::new();
    fake.0.lock().unwrap().role = poterne::model::member::Role::Operator;
    let window = connect_to_changed_key(&fake);
    assert!(window.query_by_label("Oublier l’ancienne clé…").is_none());
    assert!(window.query_by_label_contains("Votre rôle ne permet pas").is_some());
}

#[test]
fn the_log_page_shows_verifies_and_exports() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    until(&mut window, "lines", |w| w.query_all_by_role(Role::ListItem).count() > 5);
    press(&mut window, "Vérifier le journal");
    sees(&mut window, "Journal intact\u{a0}: 1\u{a0}234 lignes vérifiées, 1\u{a0}230 signées.");
    press(&mut window, "Exporter…");
    press(&mut window, "Exporter");
    sees(&mut window, "60 lignes écrites.");
    assert!(fake.asked().contains(&"export bundle".to_owned()));
}

#[test]
fn an_export_that_needs_a_ticket_asks_for_it_and_goes_on() {
    let fake = Fake::new();
    fake.0.lock().unwrap().export_asks = true;
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    press(&mut window, "Exporter…");
    press(&mut window, "Exporter");
    sees(&mut window, "«\u{a0}Clinique\u{a0}» demande son ticket.");
    fill(&mut window, Role::TextInput, "Numéro de ticket", "GLPI-4211");
    press(&mut window, "Exporter");
    sees(&mut window, "60 lignes écrites.");
    assert!(fake.asked().contains(&"export bundle GLPI-4211".to_owned()));
}

#[test]
fn an_owner_invites_and_removes_with_a_list_of_what_to_change() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Équipe");
    press(&mut window, "Inviter un membre…");
    fill(&mut window, Role::TextInput, "Nom", "Chloé");
    fill(&mut window, Role::PasswordInput, "Mot de passe actuel", "quatre mots");
    fill(&mut window, Role::PasswordInput, "Un nouveau code du téléphone", "123456");
    press(&mut window, "Créer l’invitation");
    sees(&mut window, "Code d’invitation");
    press(&mut window, "C’est transmis");
    press(&mut window, "Retirer Bruno Lefèvre");
    press(&mut window, "Retirer");
    sees(&mut window, "Bruno Lefèvre est retiré");
}

#[test]
fn settings_pages_open_and_settings_are_saved() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Réglages");
    sees(&mut window, "Changer de mot de passe");
    for part in ["Postes", "Apparence", "À propos", "Coffre"] {
        press(&mut window, part);
    }
    // The last part of the page has come: nothing moves any more.
    sees(&mut window, "Copier l’empreinte");
    window.get_by_role(Role::CheckBox).click();
    window.run_steps(3);
    window.get_by_role_and_label(Role::Button, "Enregistrer").scroll_to_me();
    window.run_steps(4);
    assert!(!fake.0.lock().unwrap().settings.lock_ends_sessions, "before it is saved");
    press(&mut window, "Enregistrer");
    sees(&mut window, "Réglages enregistrés.");
    let saved = fake.0.lock().unwrap().settings.clone();
    assert_eq!(saved, Settings { lock_ends_sessions: true, ..Settings::default() });
    window.get_by_role_and_label(Role::Button, "Sauvegarder maintenant").scroll_to_me();
    window.run_steps(4);
    press(&mut window, "Sauvegarder maintenant");
    until(&mut window, "counted", |w| {
        w.query_all_by_label_contains("1\u{a0}234 lignes de journal.").next().is_some()
    });
    window.get_by_label("Contrôler le coffre").scroll_to_me();
    window.run_steps(4);
    press(&mut window, "Contrôler le coffre");
    until(&mut window, "checked", |w| {
        w.query_all_by_label_contains("Tout est intact").next().is_some()
    });
}

#[test]
fn an_auditor_sees_the_log_and_no_entries() {
    let fake = Fake::new();
    fake.0.lock().unwrap().role = poterne::model::member::Role::Auditor;
    let mut window = window(&fake, true);
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    sees(&mut window, "Vérifier le journal");
    assert!(window.query_by_role_and_label(Role::Button, "Accès").is_none());
    window.key_press_modifiers(Modifiers::ALT, Key::Num1);
    window.run_steps(3);
    sees(&mut window, "Vérifier le journal");
}

#[test]
fn a_page_key_is_never_typed_into_the_search_box() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    fill(&mut window, Role::TextInput, "Rechercher", "srv");
    // As the desktop reports it: the key, then the character of the key. On a
    // French keyboard the fourth one is an apostrophe, in the place of a 4.
    let alt = |key, place| egui::Event::Key {
        key,
        physical_key: Some(place),
        pressed: true,
        repeat: false,
        modifiers: Modifiers::ALT,
    };
    let pages = [
        (Key::Num2, Key::Num2, "2", "Vérifier le journal"),
        (Key::Num3, Key::Num3, "3", "Inviter un membre…"),
        (Key::Quote, Key::Num4, "'", "Changer de mot de passe"),
        (Key::Num1, Key::Num1, "&", "Boulangerie Dupont/Serveurs/srv-web-01"),
    ];
    for (key, place, text, seen) in pages {
        // Both in one frame; the harness would spread them.
        let events = [alt(key, place), egui::Event::Text(text.to_owned())];
        window.input_mut().events.extend(events);
        sees(&mut window, seen);
    }
    let search = window.get_by_role_and_label(Role::TextInput, "Rechercher");
    assert_eq!(search.value().as_deref(), Some("srv"));
}

#[test]
fn a_refused_ticket_is_asked_again_before_the_session_is_tried_again() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "pacs", "Clinique Sainte-Éléonore/pacs-imagerie");
    window.key_press(Key::Enter);
    fill(&mut window, Role::TextInput, "Numéro de ticket", "GLPY-4211");
    press(&mut window, "Continuer");
    sees(&mut window, "Réessayer");
    // The button has the keyboard.
    window.key_press(Key::Enter);
    sees(&mut window, "Motif de l’accès");
    let field = window.get_by_role_and_label(Role::TextInput, "Numéro de ticket");
    assert_eq!(field.value().as_deref(), Some("GLPY-4211"));
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text("GLPI-4211".to_owned()));
    window.run_steps(2);
    window.key_press(Key::Enter);
    sees(&mut window, "Le serveur ne répond pas.");
    let asked = fake.asked();
    assert_eq!(asked, ["connect pacs-imagerie GLPY-4211", "connect pacs-imagerie GLPI-4211"]);
    // With a ticket that suits, trying again asks nothing.
    press(&mut window, "Réessayer");
    until(&mut window, "a third attempt", |_| fake.asked().len() == 3);
    gone(&mut window, "Motif de l’accès");
}

#[test]
fn the_size_is_remembered_between_two_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("poterne/window.json");
    let fake = Fake::new();
    let open = || {
        let prefs = Prefs::load(Some(file.clone()));
        window_with(&fake, true, prefs, Box::new(Instant::now))
    };
    let mut window = open();
    sees(&mut window, "Mot de passe");
    assert!(!file.exists(), "nothing was chosen yet");
    window.key_press_modifiers(Modifiers::COMMAND, Key::Plus);
    window.run_steps(3);
    let chosen = window.ctx.zoom_factor();
    assert!(chosen > 1.0);
    drop(window);
    let mut window = open();
    sees(&mut window, "Mot de passe");
    assert_eq!(window.ctx.zoom_factor(), chosen);
}

#[test]
fn the_idle_lock_counts_down_starts_over_when_used_and_locks() {
    let fake = Fake::new();
    let start = Instant::now();
    let passed = Arc::new(AtomicU64::new(0));
    let clock = passed.clone();
    let clock = move || start + Duration::from_secs(clock.load(Ordering::Relaxed));
    let mut window = window_with(&fake, true, Prefs::load(None), Box::new(clock));
    unlock(&mut window);
    // The default is ten minutes, the last one of which is counted down.
    passed.store(539, Ordering::Relaxed);
    window.run_steps(2);
    sees(&mut window, "Verrouiller");
    passed.store(555, Ordering::Relaxed);
    sees(&mut window, "Verrouillage dans 45 s");
    passed.store(599, Ordering::Relaxed);
    sees(&mut window, "Verrouillage dans 1 s");
    window.event(egui::Event::PointerMoved(egui::pos2(600.0, 400.0)));
    sees(&mut window, "Verrouiller");
    passed.store(1198, Ordering::Relaxed);
    sees(&mut window, "Verrouillage dans 1 s");
    assert!(fake.0.lock().unwrap().open);
    passed.store(1199, Ordering::Relaxed);
    sees(&mut window, "Code à 6 chiffres");
    until(&mut window, "the vault locked", |_| !fake.0.lock().unwrap().open);
}

#[test]
fn an_export_shows_how_far_it_is_and_can_be_given_up() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    press(&mut window, "Exporter…");
    // The fake exports this one until somebody gives up.
    fake.0.lock().unwrap().endless_export = true;
    press(&mut window, "Exporter");
    sees(&mut window, "Avancement de l’export");
    sees(&mut window, "12\u{a0}000 lignes lues sur 60\u{a0}000");
    assert!(window.query_by_role_and_label(Role::Button, "Exporter").is_none());
    // Neither Escape nor the button leaves it running unseen.
    window.key_press(Key::Escape);
    sees(&mut window, "L’export a été annulé.");
    gone(&mut window, "Avancement de l’export");
    press(&mut window, "Exporter");
    press(&mut window, "Annuler l’export");
    sees(&mut window, "L’export a été annulé.");
    fake.0.lock().unwrap().endless_export = false;
    press(&mut window, "Exporter");
    sees(&mut window, "60 lignes écrites.");
}

#[test]
fn a_form_with_changes_stays_until_escape_and_an_answer() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::ArrowDown);
    sees(&mut window, "Afficher\u{a0}: Mot de passe");
    window.key_press(Key::F2);
    fill(&mut window, Role::TextInput, "Nom", "-bis");
    window.get_by_role_and_label(Role::TextInput, "Rechercher").focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text("Pare-feu".to_owned()));
    sees(&mut window, "Mairie de Saint-Œuvre/Pare-feu WatchGuard");
    window.key_press(Key::ArrowDown);
    sees(&mut window, "Abandonner les changements\u{a0}?");
    window.key_press(Key::Escape);
    gone(&mut window, "Abandonner les changements\u{a0}?");
    let name = window.get_by_role_and_label(Role::TextInput, "Nom");
    assert_eq!(name.value().as_deref(), Some("srv-base-01-bis"));
    window.get_by_role_and_label(Role::TextInput, "Nom").focus();
    window.run_steps(2);
    window.key_press(Key::Escape);
    press(&mut window, "Abandonner");
    gone(&mut window, "Annuler");
}

/// Types into whatever has the keyboard, once `label` is there to be typed into.
fn types(window: &mut Window, label: &str, text: &str) {
    until(window, label, |w| {
        w.query_all_by_label(label).any(|node| node.accesskit_node().is_focused())
    });
    window.event(egui::Event::Text(text.to_owned()));
    window.run_steps(2);
}

fn enter(window: &mut Window) {
    window.key_press(Key::Enter);
    window.run_steps(3);
}

#[test]
fn from_the_first_start_to_a_connection_without_a_mouse() {
    let fake = Fake::new();
    let mut window = window(&fake, false);
    types(&mut window, "Votre nom", "Alice");
    enter(&mut window);
    types(&mut window, "Mot de passe", PASSWORD);
    enter(&mut window);
    types(&mut window, "Encore une fois", PASSWORD);
    enter(&mut window);
    sees(&mut window, "Lié à ce poste (conseillé)");
    enter(&mut window);
    types(&mut window, "Code affiché par le téléphone", CODE);
    sees(&mut window, "Garder le kit de secours");
    enter(&mut window);
    types(&mut window, "Kit recopié", KIT);
    enter(&mut window);
    sees(&mut window, "Votre coffre est prêt");
    enter(&mut window);
    types(&mut window, "Mot de passe", PASSWORD);
    enter(&mut window);
    types(&mut window, "Code à 6 chiffres", CODE);
    sees(&mut window, "Boulangerie Dupont");

    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::N);
    types(&mut window, "Nom", "Garage Lefèvre");
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    sees(&mut window, "Enregistré.");
    until(&mut window, "the client in the list", |w| {
        w.query_by_role_and_label(Role::ListItem, "Garage Lefèvre").is_some()
    });
    window.key_press_modifiers(Modifiers::COMMAND, Key::N);
    types(&mut window, "Nom", "srv-atelier");
    window.key_press(Key::Tab);
    types(&mut window, "Hôte", "192.0.2.7");
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    // It is seen in the tree, and Enter connects to it.
    until(&mut window, "the server in the list", |w| {
        w.query_by_role_and_label(Role::ListItem, "srv-atelier").is_some()
    });
    until(&mut window, "its session", |w| {
        w.key_press(Key::Enter);
        fake.asked().contains(&"connect srv-atelier".to_owned())
    });
    sees(&mut window, "Le serveur ne répond pas.");
}

#[test]
fn a_client_without_a_ticket_address_says_so_when_its_ticket_is_opened() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    until(&mut window, "the lines", |w| w.query_all_by_role(Role::ListItem).next().is_some());
    window.query_all_by_role(Role::ListItem).next().expect("it was seen").click();
    window.run_steps(5);
    press(&mut window, "Ouvrir le ticket");
    sees(&mut window, "Le client «\u{a0}Boulangerie Dupont\u{a0}» n’a pas d’adresse de tickets.");
    sees(&mut window, "Ajoutez-la dans la fiche du client\u{a0}: «\u{a0}Adresse du ticket\u{a0}».");
}
