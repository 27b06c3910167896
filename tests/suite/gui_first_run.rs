//! The way into a vault on a new computer: the guide when it fails or nobody is
//! there, a vault file that exists already, an invitation, another vault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use poterne::app::api::{AppError, Code};
use poterne::gui::DemoInfo;
use poterne::gui::prefs::Prefs;
use poterne::gui::shell::{Shell, ShellOptions};
use poterne::gui::unlock::model::UnlockModel;
use poterne::model::lang::{Bi, Lang};

use crate::gui_fake::{CODE, Fake, KIT, PASSWORD};
use crate::kit_gui::{Window, fill, gone, press, sees, until, window, window_with};

/// The guide with the kit typed back, one press before the vault is written.
fn guide_to_the_kit(window: &mut Window) {
    fill(window, Role::TextInput, "Votre nom", "");
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text("Alice".to_owned()));
    window.run_steps(2);
    press(window, "Continuer");
    fill(window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(window, Role::PasswordInput, "Encore une fois", PASSWORD);
    press(window, "Continuer");
    sees(window, "Lié à ce poste (conseillé)");
    press(window, "Continuer");
    fill(window, Role::PasswordInput, "Code affiché par le téléphone", CODE);
    press(window, "Je l’ai noté");
    fill(window, Role::PasswordInput, "Kit recopié", KIT);
}

#[test]
fn what_stands_below_each_other_in_the_guide_ends_at_the_same_edge() {
    let mut window = window(&Fake::new(), false);
    for (file, browse) in [("Votre nom", "Parcourir…"), ("Your name", "Browse…")] {
        sees(&mut window, browse);
        let field = window.get_by_role_and_label(Role::TextInput, file).rect();
        let button = window.get_by_label(browse).rect();
        assert!((field.right() - button.right()).abs() < 0.6, "{field:?} {button:?}");
        if browse == "Parcourir…" {
            press(&mut window, "English");
        }
    }
}

#[test]
fn a_vault_that_found_no_room_is_written_by_the_next_try() {
    let fake = Fake::new();
    fake.0.lock().unwrap().disk_full = true;
    let mut window = window(&fake, false);
    guide_to_the_kit(&mut window);
    press(&mut window, "Terminer");
    sees(&mut window, "Le disque est plein.");
    sees(&mut window, "Recommencer depuis le début");
    fake.0.lock().unwrap().disk_full = false;
    press(&mut window, "Terminer");
    sees(&mut window, "Votre coffre est prêt");
}

#[test]
fn a_guide_that_fails_begins_again_with_the_name_kept() {
    let fake = Fake::new();
    fake.0.lock().unwrap().disk_full = true;
    let mut window = window(&fake, false);
    guide_to_the_kit(&mut window);
    press(&mut window, "Terminer");
    press(&mut window, "Recommencer depuis le début");
    sees(&mut window, "Créer votre coffre");
    let name = window.get_by_role_and_label(Role::TextInput, "Votre nom");
    assert_eq!(name.value().as_deref(), Some("Alice"));
    press(&mut window, "Continuer");
    sees(&mut window, "Choisir un mot de passe");
    let again = window.get_by_role_and_label(Role::PasswordInput, "Encore une fois");
    assert!(again.value().unwrap_or_default().is_empty(), "the password stayed");
}

/// A window whose idle clock stands still until it is moved.
fn with_clock(fake: &Fake, exists: bool) -> (Window, Arc<AtomicU64>) {
    let start = Instant::now();
    let passed = Arc::new(AtomicU64::new(0));
    let clock = passed.clone();
    let clock = move || start + Duration::from_secs(clock.load(Ordering::Relaxed));
    (window_with(fake, exists, Prefs::load(None), Box::new(clock)), passed)
}

#[test]
fn a_guide_that_nobody_works_at_shows_no_kit_and_keeps_no_password() {
    let fake = Fake::new();
    let (mut window, passed) = with_clock(&fake, false);
    guide_to_the_kit(&mut window);
    passed.store(599, Ordering::Relaxed);
    window.run_steps(3);
    sees(&mut window, "Recopier le kit de secours");
    passed.store(600, Ordering::Relaxed);
    sees(&mut window, "Créer votre coffre");
    until(&mut window, "why", |w| w.query_by_label_contains("a été effacé").is_some());
    press(&mut window, "Continuer");
    sees(&mut window, "Choisir un mot de passe");
    assert!(window.query_by_label_contains("a été effacé").is_none());
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Encore une fois", PASSWORD);
    press(&mut window, "Continuer");
    press(&mut window, "Continuer");
    fill(&mut window, Role::PasswordInput, "Code affiché par le téléphone", CODE);
    press(&mut window, "Je l’ai noté");
    fill(&mut window, Role::PasswordInput, "Kit recopié", KIT);
    press(&mut window, "Terminer");
    // Once it is made there is nothing to wipe but the screen itself: it locks.
    sees(&mut window, "Votre coffre est prêt");
}

#[test]
fn a_password_left_in_the_unlock_screen_is_wiped() {
    let fake = Fake::new();
    let (mut window, passed) = with_clock(&fake, true);
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    passed.store(600, Ordering::Relaxed);
    window.run_steps(3);
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    window.run_steps(5);
    assert!(window.query_by_role_and_label(Role::Button, "Verrouiller").is_none());
    assert!(!fake.0.lock().unwrap().open, "the password was still there");
}

/// Chooses a file by its path, as on a desktop without a file chooser.
fn choose(window: &mut Window, link: &str, path: &str) {
    sees(window, link);
    window.get_by_label(link).click();
    fill(window, Role::TextInput, "Chemin du fichier", "");
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text(path.to_owned()));
    window.run_steps(2);
    // The guide below has a button of this name as well.
    window.key_press(Key::Enter);
    window.run_steps(3);
}

fn vault_file(dir: &tempfile::TempDir, name: &str) -> String {
    let file = dir.path().join(name);
    std::fs::write(&file, "un coffre").expect("ours");
    file.canonicalize().expect("it is there").display().to_string()
}

/// Where the desktop has a file chooser these tests would open it.
fn no_chooser() -> bool {
    let bus = std::env::var_os("XDG_RUNTIME_DIR")
        .is_some_and(|dir| std::path::Path::new(&dir).join("bus").exists());
    cfg!(target_os = "linux") && std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_none() && !bus
}

#[test]
fn the_first_start_opens_a_vault_file_that_is_there() {
    if !no_chooser() {
        return;
    }
    let fake = Fake::new();
    let mut window = window(&fake, false);
    let dir = tempfile::tempdir().expect("a folder");
    choose(&mut window, "J’ai un fichier de coffre…", "/nulle/part.vault");
    sees(&mut window, "Créer votre coffre");
    assert!(fake.asked().is_empty(), "a file that is not there was taken");
    let file = vault_file(&dir, "maison.vault");
    choose(&mut window, "J’ai un fichier de coffre…", &file);
    sees(&mut window, "Code à 6 chiffres");
    sees(&mut window, &file);
    assert_eq!(fake.asked(), [format!("vault {file}")]);
    crate::kit_gui::unlock(&mut window);
}

#[test]
fn the_first_start_accepts_an_invitation_to_a_vault_file() {
    if !no_chooser() {
        return;
    }
    let fake = Fake::new();
    let mut window = window(&fake, false);
    let dir = tempfile::tempdir().expect("a folder");
    let file = vault_file(&dir, "agence.vault");
    choose(&mut window, "J’ai reçu une invitation…", &file);
    sees(&mut window, "Rejoindre un coffre");
    sees(&mut window, &file);
    fill(&mut window, Role::PasswordInput, "Code d’invitation", "POT1-7Q2K-9XMD");
    press(&mut window, "Continuer");
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Encore une fois", PASSWORD);
    press(&mut window, "Continuer");
    sees(&mut window, "QR code à photographier");
}

#[test]
fn another_vault_is_opened_from_the_unlock_screen_or_made_beside_it() {
    if !no_chooser() {
        return;
    }
    let fake = Fake::new();
    let mut window = window(&fake, true);
    let dir = tempfile::tempdir().expect("a folder");
    let file = vault_file(&dir, "autre.vault");
    choose(&mut window, "Ouvrir un autre coffre…", &file);
    sees(&mut window, &file);
    window.get_by_label("Créer un autre coffre").scroll_to_me();
    window.run_steps(4);
    window.get_by_label("Créer un autre coffre").click();
    sees(&mut window, "Créer votre coffre");
    let proposed = window.get_by_role_and_label(Role::TextInput, "Fichier du coffre");
    assert_eq!(proposed.value().as_deref(), Some(&*file.replace("autre.", "autre-2.")));
    press(&mut window, "Annuler");
    sees(&mut window, &file);
}

/// A slip in it would lock the person out of this computer, the code being spent.
#[test]
fn a_computer_is_added_once_its_password_was_typed_twice() {
    let fake = Fake::new();
    let mut window = window(&fake, true);
    sees(&mut window, "Ajouter ce poste");
    window.get_by_label("Ajouter ce poste").click();
    sees(&mut window, "Il devient le mot de passe de ce poste.");
    fill(&mut window, Role::PasswordInput, "Code du poste ou kit de secours", KIT);
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Encore une fois", "autre");
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    sees(&mut window, "Les deux ne sont pas les mêmes.");
    assert!(window.query_by_label("La clé est dans un fichier.").is_none());
    window.get_by_role_and_label(Role::PasswordInput, "Encore une fois").focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text(PASSWORD.to_owned()));
    window.run_steps(2);
    window.get_by_role_and_label(Role::PasswordInput, "Code à 6 chiffres").focus();
    window.key_press(Key::Enter);
    sees(&mut window, "La clé est dans un fichier.");
}

#[test]
fn only_an_older_copy_is_offered_to_be_opened_all_the_same() {
    let mut model = UnlockModel::new("Alice");
    let refused = |code| AppError { code, what: Bi::same("…"), todo: Bi::same("…") };
    model.refused(refused(Code::Tampered));
    assert!(!model.may_accept_older(), "a cut or doctored file");
    model.refused(refused(Code::OlderCopy));
    assert!(model.may_accept_older());
    // A code typed wrong next does not hide what was chosen.
    model.accept_older = true;
    model.refused(refused(Code::Locked));
    assert!(model.may_accept_older());
}

#[test]
fn a_guide_that_is_done_locks_to_the_unlock_screen() {
    let fake = Fake::new();
    let (mut window, _) = with_clock(&fake, false);
    guide_to_the_kit(&mut window);
    press(&mut window, "Terminer");
    sees(&mut window, "Votre coffre est prêt");
    press(&mut window, "Déverrouiller");
    sees(&mut window, "Code à 6 chiffres");
    gone(&mut window, "Votre coffre est prêt");
}

#[test]
fn the_demonstration_is_seen_whole_in_a_window_of_the_usual_size() {
    let lost = ["J’ai perdu mon mot de passe ou mon téléphone", "I lost my password or my phone"];
    for (lang, lost) in [Lang::Fr, Lang::En].into_iter().zip(lost) {
        for size in [[1200.0, 680.0], [1280.0, 720.0], [760.0, 900.0]] {
            let backend = Arc::new(Fake::new());
            let mut window: Window = Harness::builder().with_size(size).build_eframe(move |cc| {
                let code = Box::new(|| ("692412".to_owned(), 20));
                let password = "demo-poterne-2026".to_owned();
                let options = ShellOptions {
                    backend,
                    vault: "/tmp/poterne-demo-d86c1de2ef42d878/demo.poterne".into(),
                    exists: true,
                    lang: Some(lang),
                    demo: Some(DemoInfo { password, code }),
                    prefs: Prefs::load(None),
                    clock: Box::new(Instant::now),
                    keys: Default::default(),
                };
                Shell::new(&cc.egui_ctx, options)
            });
            window.run_steps(4);
            for label in ["Poterne", "demo-poterne-2026", "692412", lost] {
                let rect = window.get_by_label(label).rect();
                assert!(rect.top() >= 0.0 && rect.bottom() <= size[1], "{label} at {size:?}");
            }
        }
    }
}
