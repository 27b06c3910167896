//! Who gets what is typed: keys that come faster than the keyboard moves from
//! field to field, fields that open anew, a form that stays.

use eframe::App as _;
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::Queryable;

use crate::gui_fake::{CODE, Fake, PASSWORD};
use crate::kit_gui::{
    Window, fill, find, gone, opened, press, sees, selected, until, value, window,
};

fn key(key: Key, modifiers: Modifiers) -> [Event; 2] {
    [true, false].map(|pressed| Event::Key {
        key,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers,
    })
}

fn text(text: &str) -> [Event; 1] {
    [Event::Text(text.to_owned())]
}

/// Gives the window `events` in one frame, as its desktop does, and a few frames
/// to work them off.
fn at_once(window: &mut Window, events: Vec<Event>) {
    window.input_mut().events.extend(events);
    for _ in 0..24 {
        let ctx = window.ctx.clone();
        let mut raw = std::mem::take(window.input_mut());
        window.state_mut().raw_input_hook(&ctx, &mut raw);
        *window.input_mut() = raw;
        window.run_steps(1);
    }
}

fn focus(window: &mut Window, role: Role, label: &str) {
    until(window, label, |w| w.query_by_role_and_label(role, label).is_some());
    window.get_by_role_and_label(role, label).focus();
    window.run_steps(3);
}

/// The window over an open vault with the form of `srv-base-01`.
fn form(fake: &Fake) -> Window {
    let mut window = opened(fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::ArrowDown);
    sees(&mut window, "Modifier");
    window.key_press(Key::F2);
    sees(&mut window, "Modifier «\u{a0}srv-base-01\u{a0}»");
    window
}

#[test]
fn a_vault_opens_with_all_three_typed_in_one_frame() {
    let fake = Fake::new();
    let mut window = window(&fake, true);
    focus(&mut window, Role::TextInput, "Membre");
    let events = [
        &text("Bruno")[..],
        &key(Key::Tab, Modifiers::NONE),
        &text(PASSWORD),
        &key(Key::Enter, Modifiers::NONE),
        &text(CODE),
    ];
    at_once(&mut window, events.concat());
    sees(&mut window, "Boulangerie Dupont");
    assert_eq!(fake.0.lock().expect("ours").member, "Bruno");
}

#[test]
fn a_password_typed_after_tab_is_not_seen_in_the_login() {
    let fake = Fake::new();
    let mut window = form(&fake);
    focus(&mut window, Role::TextInput, "Identifiant");
    let events =
        [&text("-admin")[..], &key(Key::Tab, Modifiers::NONE), &text("Secret-9"), &text("x")];
    at_once(&mut window, events.concat());
    assert_eq!(value(&window, "Identifiant"), "root-admin");
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    gone(&mut window, "Modifier «\u{a0}srv-base-01\u{a0}»");
    let put: Vec<String> = fake.0.lock().expect("ours").put.values().cloned().collect();
    assert_eq!(put, ["Secret-9x"]);
}

#[test]
fn shift_and_tab_lead_what_is_typed_back() {
    let fake = Fake::new();
    let mut window = form(&fake);
    focus(&mut window, Role::PasswordInput, "Mot de passe");
    let events = [&key(Key::Tab, Modifiers::SHIFT)[..], &text("-a"), &text("b")];
    at_once(&mut window, events.concat());
    assert_eq!(value(&window, "Identifiant"), "root-ab");
}

#[test]
fn a_terminal_gets_tabs_and_lines_at_once_and_the_next_tab_its_own_keys() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").connects = true;
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::Enter);
    until(&mut window, "the keyboard in the terminal", |w| {
        w.query_by_role_and_label(Role::Terminal, "Terminal").is_some_and(|t| t.is_focused())
    });
    let line = [
        &text("ls")[..],
        &key(Key::Tab, Modifiers::NONE),
        &text("x"),
        &key(Key::Enter, Modifiers::NONE),
        &text("y"),
    ];
    let ctx = window.ctx.clone();
    let mut raw = egui::RawInput { events: line.concat(), ..egui::RawInput::default() };
    window.state_mut().raw_input_hook(&ctx, &mut raw);
    assert_eq!(raw.events, line.concat());
    window.run_steps(1);
    let turn = [&key(Key::Tab, Modifiers::CTRL)[..], &text("z")].concat();
    let mut raw = egui::RawInput { events: turn.clone(), ..egui::RawInput::default() };
    window.state_mut().raw_input_hook(&ctx, &mut raw);
    assert_eq!(raw.events, turn[..1]);
}

#[test]
fn a_name_is_selected_when_the_question_where_to_opens_and_again_next_time() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::ArrowDown);
    sees(&mut window, "Déplacer…");
    for typed in ["sauvegarde", "base"] {
        press(&mut window, "Déplacer…");
        sees(&mut window, "Nouvel emplacement");
        window.run_steps(2);
        window.event(Event::Text(typed.to_owned()));
        window.run_steps(2);
        let path = format!("Boulangerie Dupont/Serveurs/{typed}");
        assert_eq!(value(&window, "Nouvel emplacement"), path);
        window.key_press(Key::Escape);
        gone(&mut window, "Nouvel emplacement");
    }
}

#[test]
fn the_caret_of_one_name_is_not_that_of_the_next() {
    let fake = Fake::new();
    let mut window = form(&fake);
    focus(&mut window, Role::TextInput, "Nom");
    window.key_press(Key::Home);
    window.run_steps(2);
    window.key_press(Key::Escape);
    gone(&mut window, "Modifier «\u{a0}srv-base-01\u{a0}»");
    window.key_press(Key::F2);
    sees(&mut window, "Modifier «\u{a0}srv-base-01\u{a0}»");
    window.run_steps(3);
    window.event(Event::Text("-bis".to_owned()));
    window.run_steps(2);
    assert_eq!(value(&window, "Nom"), "srv-base-01-bis");
}

#[test]
fn who_goes_on_editing_finds_list_and_keyboard_as_they_were() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    for name in ["Boulangerie Dupont", "Contrat et horaires"] {
        sees(&mut window, name);
        window.get_by_role_and_label(Role::ListItem, name).click();
        window.run_steps(3);
    }
    window.key_press_modifiers(Modifiers::COMMAND, Key::N);
    sees(&mut window, "Enregistrer");
    fill(&mut window, Role::TextInput, "Nom", "nouveau");
    window.get_by_role_and_label(Role::ListItem, "Serveurs").click();
    press(&mut window, "Continuer la saisie");
    window.run_steps(3);
    assert_eq!(selected(&window), ["Contrat et horaires"]);
    window.event(Event::Text("-2".to_owned()));
    window.run_steps(2);
    assert_eq!(value(&window, "Nom"), "nouveau-2");
}
