//! Pages of settings and team: what is shown is what is stored, nothing is lost
//! by a slip, and a failure can be tried again.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use poterne::app::api::{AppError, Code, Request, Settings};
use poterne::gui::act::Act;
use poterne::gui::settings::model::SettingsModel;
use poterne::gui::worker::Command;
use poterne::model::lang::Bi;

use crate::gui_fake::{CODE, Fake, KIT, PASSWORD};
use crate::kit_gui::{Window, fill, gone, opened, press, sees, unlock, until};

/// Types the present factors.
fn prove(window: &mut Window, password: &str) {
    fill(window, Role::PasswordInput, "Mot de passe actuel", password);
    fill(window, Role::PasswordInput, "Un nouveau code du téléphone", CODE);
}

/// Presses a button that may lie below the edge of the page.
fn reach(window: &mut Window, label: &str) {
    until(window, label, |w| w.query_by_role_and_label(Role::Button, label).is_some());
    window.get_by_role_and_label(Role::Button, label).scroll_to_me();
    window.run_steps(4);
    press(window, label);
}

#[test]
fn a_new_kit_counts_only_once_it_was_typed_back() {
    let fake = Fake::new();
    let kept = || fake.0.lock().unwrap().kit_kept;
    let mut window = opened(&fake);
    press(&mut window, "Réglages");
    let draw = "Créer un nouveau kit…";
    until(&mut window, draw, |w| w.query_by_role_and_label(Role::Button, draw).is_some());
    let button = window.get_by_role_and_label(Role::Button, draw);
    assert!(button.accesskit_node().is_disabled(), "not for whoever finds the vault open");
    prove(&mut window, "un autre mot");
    reach(&mut window, draw);
    // Refused, the vault stays open.
    sees(&mut window, "Ces éléments sont refusés.");
    fill(&mut window, Role::PasswordInput, "Mot de passe actuel", "");
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    prove(&mut window, PASSWORD);
    reach(&mut window, draw);
    reach(&mut window, "Garder l’ancien kit");
    gone(&mut window, "Je l’ai noté");
    let in_effect = "Le nouveau kit est en vigueur\u{a0}; l’ancien ne fonctionne plus.";
    assert!(window.query_by_label(in_effect).is_none() && !kept());

    prove(&mut window, PASSWORD);
    reach(&mut window, draw);
    reach(&mut window, "Je l’ai noté");
    assert!(!kept(), "before it was typed back");
    fill(&mut window, Role::PasswordInput, "Kit recopié", "AAAA-BBBB");
    reach(&mut window, "Remplacer l’ancien kit");
    // Typed wrong, it can be typed again; the vault stays open.
    sees(&mut window, "Ce n’est pas le kit affiché.");
    assert!(!kept());
    fill(&mut window, Role::PasswordInput, "Kit recopié", "");
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text(KIT.to_owned()));
    window.run_steps(2);
    reach(&mut window, "Remplacer l’ancien kit");
    sees(&mut window, in_effect);
    assert!(kept());
}

#[test]
fn settings_that_could_not_be_read_are_not_there_to_be_saved() {
    let fake = Fake::new();
    fake.0.lock().unwrap().settings.clipboard_secs = 45;
    fake.0.lock().unwrap().failing = "settings";
    let mut window = opened(&fake);
    press(&mut window, "Réglages");
    press(&mut window, "Coffre");
    sees(&mut window, "Le disque ne répond pas.");
    assert!(window.query_by_role_and_label(Role::Button, "Enregistrer").is_none());
    assert!(window.query_by_role(Role::CheckBox).is_none());
    fake.0.lock().unwrap().failing = "";
    press(&mut window, "Relire les réglages");
    until(&mut window, "the settings", |w| w.query_by_role(Role::CheckBox).is_some());
    window.get_by_role(Role::CheckBox).click();
    window.run_steps(2);
    reach(&mut window, "Enregistrer");
    sees(&mut window, "Réglages enregistrés.");
    let saved = fake.0.lock().unwrap().settings.clone();
    assert_eq!((saved.clipboard_secs, saved.lock_ends_sessions), (45, true));
}

/// A connector's manifest is put into the vault from a file, told as it stands here, and
/// taken out after a question.
#[test]
fn a_connector_is_shared_from_a_file_and_removed_after_a_question() {
    if poterne::app::desktop::file_chooser() {
        // Where the desktop has a file chooser this test would open it.
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("essai.toml");
    let text = "kind = \"essai-fenetre\"\nname = \"Mon essai\"\nopens = \"terminal\"\n\
                program = { linux = [\"cat\"] }\n";
    std::fs::write(&file, text.replace("cat", "../cat")).expect("ours");
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Réglages");
    press(&mut window, "Coffre");
    sees(&mut window, "Aucun pour l’instant.");
    let add = |window: &mut Window| {
        reach(window, "Ajouter un manifeste…");
        until(window, "the path", |w| {
            w.query_by_role_and_label(Role::TextInput, "Chemin du fichier").is_some()
        });
        fill(window, Role::TextInput, "Chemin du fichier", "");
        window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        fill(window, Role::TextInput, "Chemin du fichier", file.to_str().expect("UTF-8"));
        press(window, "Continuer");
    };
    add(&mut window);
    sees(&mut window, "fautif");
    assert!(fake.0.lock().unwrap().shared.is_empty());
    std::fs::write(&file, text).expect("ours");
    add(&mut window);
    sees(&mut window, "Mon essai");
    sees(&mut window, "essai-fenetre");
    sees(&mut window, "à approuver");
    assert_eq!(fake.0.lock().unwrap().shared[0].text.as_deref(), Ok(text));

    reach(&mut window, "Retirer essai-fenetre");
    sees(&mut window, "Ne plus partager «\u{a0}essai-fenetre\u{a0}»\u{a0}?");
    assert_eq!(fake.0.lock().unwrap().shared.len(), 1, "nothing before the answer");
    press(&mut window, "Retirer");
    sees(&mut window, "Aucun pour l’instant.");
    assert!(fake.0.lock().unwrap().shared.is_empty());
    // Who does not manage the vault sees them and changes none.
    fake.0.lock().unwrap().role = poterne::model::member::Role::Technician;
    let mut window = opened(&fake);
    press(&mut window, "Réglages");
    press(&mut window, "Coffre");
    sees(&mut window, "Aucun pour l’instant.");
    gone(&mut window, "Ajouter un manifeste…");
}

#[test]
fn a_setting_that_another_member_changed_is_not_undone() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Réglages");
    press(&mut window, "Coffre");
    until(&mut window, "the settings", |w| w.query_by_role(Role::CheckBox).is_some());
    // The last part of the page has come: nothing moves any more.
    sees(&mut window, "Copier l’empreinte");
    window.get_by_role(Role::CheckBox).click();
    window.run_steps(2);
    // Meanwhile, on another computer.
    fake.0.lock().unwrap().settings.backups_kept = 30;
    reach(&mut window, "Enregistrer");
    sees(&mut window, "Quelqu’un a changé les réglages.");
    let stored = Settings { backups_kept: 30, ..Settings::default() };
    assert_eq!(fake.0.lock().unwrap().settings, stored);
    // Both changes, once the person has seen the other one.
    until(&mut window, "30", |w| {
        w.query_by_role_and_label(Role::SpinButton, "Sauvegardes automatiques gardées")
            .is_some_and(|n| n.value().as_deref() == Some("30"))
    });
    reach(&mut window, "Enregistrer");
    sees(&mut window, "Réglages enregistrés.");
    let saved = fake.0.lock().unwrap().settings.clone();
    assert_eq!(saved, Settings { lock_ends_sessions: true, ..stored });
}

#[test]
fn what_is_typed_stays_when_settings_are_read_again() {
    let mut model = SettingsModel::default();
    assert!(model.save_settings().is_none(), "nothing was read");
    let first = Settings::default();
    model.loaded(first.clone());
    let typed = Settings { idle_lock_secs: 120, ..first.clone() };
    model.settings = Some(typed);
    let now = Settings { idle_lock_secs: 900, clipboard_secs: 60, ..first };
    model.loaded(now.clone());
    let both = Settings { idle_lock_secs: 120, ..now.clone() };
    assert_eq!(model.settings, Some(both.clone()));
    let Some(Act::Send(Command::Ask(_, Request::SetSettings { expected, new }))) =
        model.save_settings()
    else {
        panic!("it is saved")
    };
    assert_eq!((expected, new), (now, both));
    let late = AppError { code: Code::Other, what: Bi::same("a"), todo: Bi::same("b") };
    model.finished();
    assert!(model.refused(late).is_some(), "no job runs, so no part shows it");
}

#[test]
fn the_team_is_read_again_and_a_failure_can_be_tried_again() {
    let fake = Fake::new();
    fake.0.lock().unwrap().failing = "members";
    let mut window = opened(&fake);
    press(&mut window, "Équipe");
    sees(&mut window, "Le disque ne répond pas.");
    fake.0.lock().unwrap().failing = "";
    press(&mut window, "Relire les membres");
    sees(&mut window, "Bruno Lefèvre");
    gone(&mut window, "Le disque ne répond pas.");
    // Another owner removes him meanwhile.
    press(&mut window, "Journal");
    fake.0.lock().unwrap().former.push("Bruno Lefèvre".to_owned());
    press(&mut window, "Équipe");
    gone(&mut window, "Modifier Bruno Lefèvre");
}

#[test]
fn the_list_of_what_to_change_is_found_again_with_its_ticks() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Équipe");
    press(&mut window, "Retirer Bruno Lefèvre");
    press(&mut window, "Retirer");
    sees(&mut window, "Bruno Lefèvre est retiré");
    window.get_by_role(Role::CheckBox).click();
    sees(&mut window, "1 / 1");
    press(&mut window, "Fermer");
    press(&mut window, "Secrets à changer de Bruno Lefèvre");
    sees(&mut window, "Bruno Lefèvre est retiré");
    sees(&mut window, "1 / 1");
    press(&mut window, "Fermer");
    // After a lock the log still has it; the ticks are gone.
    window.key_press_modifiers(Modifiers::COMMAND, Key::L);
    sees(&mut window, "Code à 6 chiffres");
    unlock(&mut window);
    press(&mut window, "Équipe");
    press(&mut window, "Secrets à changer de Bruno Lefèvre");
    sees(&mut window, "0 / 1");
}
