//! Who gets what is typed: keys that come faster than the keyboard moves from
//! field to field, fields that open anew, a form that stays.

use eframe::App as _;
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::gui_fake::{CODE, Fake, PASSWORD};
use crate::kit_gui::{Window, fill, find, gone, opened, sees, until, window};

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

fn value(window: &Window, label: &str) -> String {
    window.get_by_role_and_label(Role::TextInput, label).value().unwrap_or_default()
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
