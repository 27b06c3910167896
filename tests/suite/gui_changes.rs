//! A window whose vault others change, or whose member locks and comes back: what
//! it shows is as the vault is, and the person finds it where they left it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use poterne::app::Change;
use poterne::gui::prefs::Prefs;

use crate::gui_fake::{CODE, Fake, KIT, PASSWORD};
use crate::kit_gui::{
    Window, choose, fill, find, gone, opened, press, sees, selected, unlock, until, value, window,
    window_with,
};

/// A window whose clock stands still, and the seconds to put it forward by.
fn timed(fake: &Fake) -> (Window, Arc<AtomicU64>) {
    let (begun, later) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let put = later.clone();
    let clock = move || begun + Duration::from_secs(put.load(Ordering::Relaxed));
    let mut window = window_with(fake, true, Prefs::load(None), Box::new(clock));
    unlock(&mut window);
    (window, later)
}

fn focused(window: &Window) -> Option<String> {
    window.query_all_by(|node| node.is_focused()).find_map(|node| node.accesskit_node().label())
}

fn lock(window: &mut Window) {
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    sees(window, "Code à 6 chiffres");
}

#[test]
fn a_shorter_and_a_longer_idle_lock_set_elsewhere_count_at_once() {
    let fake = Fake::new();
    let (mut window, later) = timed(&fake);
    fake.0.lock().expect("ours").settings.idle_lock_secs = 3_600;
    fake.rename("Boulangerie Dupont", "Boulangerie Durand");
    fake.changed(Change::Content);
    sees(&mut window, "Boulangerie Durand");
    later.store(700, Ordering::Relaxed);
    window.run_steps(6);
    assert!(window.query_by_label("Code à 6 chiffres").is_none(), "locked by the old setting");
    fake.0.lock().expect("ours").settings.idle_lock_secs = 600;
    fake.changed(Change::Content);
    sees(&mut window, "Code à 6 chiffres");
}

#[test]
fn what_others_write_is_shown_and_nothing_else_moves() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    choose(&mut window, "Boulangerie Dupont");
    choose(&mut window, "Contrat et horaires");
    fake.rename("Contrat et horaires", "Contrat");
    fake.rename("Serveurs", "Machines");
    fake.changed(Change::Content);
    sees(&mut window, "Machines");
    until(&mut window, "the selection", |w| selected(w) == ["Contrat"]);
    // A search keeps its words and the line that was chosen.
    fill(&mut window, Role::TextInput, "Rechercher", "srv");
    sees(&mut window, "Boulangerie Dupont/Machines/srv-web-01");
    window.key_press(Key::ArrowDown);
    window.run_steps(3);
    let [line] = &selected(&window)[..] else { panic!("one line is chosen") };
    let line = line.replace("Machines", "Parc");
    fake.rename("Machines", "Parc");
    fake.changed(Change::Content);
    until(&mut window, "the same line", |w| selected(w) == [line.as_str()]);
    assert_eq!(value(&window, "Rechercher"), "srv");
}

#[test]
fn an_open_form_is_left_alone_by_what_others_write() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::ArrowDown);
    sees(&mut window, "Modifier");
    window.key_press(Key::F2);
    sees(&mut window, "Modifier «\u{a0}srv-base-01\u{a0}»");
    fake.rename("Serveurs", "Machines");
    fake.changed(Change::Content);
    sees(&mut window, "Boulangerie Dupont/Machines/srv-base-01");
    assert!(window.query_by_label("Modifier «\u{a0}srv-base-01\u{a0}»").is_some());
}

#[test]
fn the_log_on_screen_grows_with_what_a_session_writes() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").tells_log = true;
    let read = |times: usize| fake.asked().iter().filter(|asked| *asked == "log").count() > times;
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    until(&mut window, "the log", |_| read(0));
    window.run_steps(20);
    let times = fake.asked().len();
    fake.changed(Change::Log);
    until(&mut window, "the log once more", |_| read(times));
}

#[test]
fn another_process_is_noticed_when_the_person_acts_and_never_at_rest() {
    let fake = Fake::new();
    let (mut window, later) = timed(&fake);
    later.store(5, Ordering::Relaxed);
    window.run_steps(10);
    let looks = fake.0.lock().expect("ours").looks;
    fake.rename("Boulangerie Dupont", "Boulangerie Durand");
    fake.0.lock().expect("ours").written = true;
    window.run_steps(30);
    assert_eq!(fake.0.lock().expect("ours").looks, looks, "looked without being asked");
    window.key_press(Key::ArrowDown);
    sees(&mut window, "Boulangerie Durand");
    let looks = fake.0.lock().expect("ours").looks;
    // Within the same second nobody looks again.
    window.key_press(Key::ArrowDown);
    window.run_steps(10);
    assert_eq!(fake.0.lock().expect("ours").looks, looks);
}

#[test]
fn the_member_of_a_new_computer_is_filled_in() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").member = "Chloé".to_owned();
    let mut window = window(&fake, true);
    sees(&mut window, "Ajouter ce poste");
    window.get_by_label("Ajouter ce poste").click();
    sees(&mut window, "Il devient le mot de passe de ce poste.");
    fill(&mut window, Role::PasswordInput, "Code du poste ou kit de secours", "POT1-7Q2K-9XMD");
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Encore une fois", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    sees(&mut window, "J’ai reçu une invitation");
    assert_eq!(value(&window, "Membre"), "Chloé");
}

#[test]
fn the_member_who_accepted_an_invitation_is_filled_in() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").member = "Chloé".to_owned();
    let mut window = window(&fake, true);
    sees(&mut window, "J’ai reçu une invitation");
    window.get_by_label("J’ai reçu une invitation").click();
    fill(&mut window, Role::PasswordInput, "Code d’invitation", "POT1-7Q2K-9XMD");
    press(&mut window, "Continuer");
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Encore une fois", PASSWORD);
    press(&mut window, "Continuer");
    fill(&mut window, Role::PasswordInput, "Code affiché par le téléphone", CODE);
    press(&mut window, "Je l’ai noté");
    fill(&mut window, Role::PasswordInput, "Kit recopié", KIT);
    press(&mut window, "Terminer");
    press(&mut window, "Déverrouiller");
    sees(&mut window, "Code à 6 chiffres");
    assert_eq!(value(&window, "Membre"), "Chloé");
}

#[test]
fn a_missing_name_is_asked_for_in_its_field() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").several = true;
    let mut window = window(&fake, true);
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    sees(&mut window, "Ce coffre a plusieurs membres.");
    window.run_steps(3);
    assert_eq!(focused(&window).as_deref(), Some("Membre"));
}

#[test]
fn folders_and_selection_outlast_a_lock() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    choose(&mut window, "Boulangerie Dupont");
    choose(&mut window, "Serveurs");
    choose(&mut window, "srv-base-01");
    lock(&mut window);
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    until(&mut window, "the line", |w| selected(w) == ["srv-base-01"]);
    sees(&mut window, "Contrat et horaires");
    sees(&mut window, "Modifier");
}

#[test]
fn an_unlock_waits_for_the_lock_before_it() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    fake.0.lock().expect("ours").held = "lock";
    lock(&mut window);
    fill(&mut window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(&mut window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    sees(&mut window, "Ouverture du coffre…");
    window.run_steps(6);
    fake.0.lock().expect("ours").held = "";
    sees(&mut window, "Boulangerie Dupont");
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    assert!(fake.0.lock().expect("ours").open, "the lock came after the unlock");
}

#[test]
fn a_failure_that_comes_closes_no_menu() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::ArrowDown);
    sees(&mut window, "Copier\u{a0}: Mot de passe");
    {
        let mut state = fake.0.lock().expect("ours");
        (state.held, state.failing) = ("reveal", "reveal");
    }
    press(&mut window, "Copier\u{a0}: Mot de passe");
    press(&mut window, "\u{2795} Nouveau");
    sees(&mut window, "Dossier");
    fake.0.lock().expect("ours").held = "";
    sees(&mut window, "Le disque ne répond pas.");
    window.run_steps(3);
    assert!(window.query_by_label("Dossier").is_some(), "the menu closed");
}

#[test]
fn another_member_finds_the_list_closed() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    choose(&mut window, "Boulangerie Dupont");
    sees(&mut window, "Contrat et horaires");
    lock(&mut window);
    window.get_by_role_and_label(Role::TextInput, "Membre").focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(Event::Text("Bruno".to_owned()));
    unlock(&mut window);
    window.run_steps(6);
    gone(&mut window, "Contrat et horaires");
}

#[test]
fn an_open_session_does_not_get_what_is_typed_after_an_unlock() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").connects = true;
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::Enter);
    until(&mut window, "the keyboard in the terminal", |w| {
        focused(w).as_deref() == Some("Terminal")
    });
    lock(&mut window);
    unlock(&mut window);
    window.run_steps(6);
    assert_eq!(focused(&window).as_deref(), Some("Rechercher"));
    window.get_by_role_and_label(Role::Tab, "Boulangerie Dupont – srv-base-01").click();
    until(&mut window, "the keyboard in the terminal", |w| {
        focused(w).as_deref() == Some("Terminal")
    });
}
