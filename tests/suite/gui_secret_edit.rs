//! The secret field: what it holds, what it takes from the keyboard, and that
//! it tells its value to nobody.

use std::cell::RefCell;
use std::rc::Rc;

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use poterne::gui::widgets::secret_buffer::SecretBuffer;
use poterne::gui::widgets::secret_edit::SecretEdit;

#[test]
fn editing_moves_by_whole_characters() {
    let mut text = SecretBuffer::line();
    text.insert("été");
    text.left(false);
    text.left(false);
    text.insert("ç");
    text.backspace();
    text.delete();
    assert_eq!(text.expose(str::to_owned), "éé");
    text.select_all();
    text.insert("Noël");
    assert_eq!(text.expose(str::to_owned), "Noël");
    assert_eq!(text.char_count(), 4);
}

#[test]
fn a_code_keeps_six_digits_of_what_is_pasted() {
    let mut code = SecretBuffer::code(6);
    code.insert(" 123 456 789");
    assert_eq!(code.expose(str::to_owned), "123456");
}

#[test]
fn a_full_buffer_takes_no_half_character() {
    let mut text = SecretBuffer::line();
    text.insert(&"€".repeat(400));
    assert_eq!(text.char_count(), 341);
}

#[test]
fn typing_reaches_the_buffer_and_no_value_reaches_the_accessibility_tree() {
    let buffer = Rc::new(RefCell::new(SecretBuffer::line()));
    let sent = Rc::new(RefCell::new(false));
    let (held, flag) = (buffer.clone(), sent.clone());
    let mut harness = Harness::new_ui(move |ui| {
        let out = SecretEdit::new(&mut held.borrow_mut(), "Mot de passe").show(ui);
        *flag.borrow_mut() |= out.submitted;
    });
    harness.get_by_role_and_label(Role::PasswordInput, "Mot de passe").focus();
    harness.run();
    harness.event(egui::Event::Text("sésame".to_owned()));
    harness.run();
    harness.key_press(egui::Key::Backspace);
    harness.run();
    assert_eq!(buffer.borrow().expose(str::to_owned), "sésam");
    assert_eq!(harness.get_by_role(Role::PasswordInput).value(), None);
    harness.key_press(egui::Key::Enter);
    harness.run();
    assert!(*sent.borrow());
}

#[test]
fn one_click_gives_it_the_keyboard() {
    let buffer = Rc::new(RefCell::new(SecretBuffer::line()));
    let held = buffer.clone();
    let mut harness = Harness::new_ui(move |ui| {
        SecretEdit::new(&mut held.borrow_mut(), "Mot de passe").show(ui);
    });
    harness.get_by_role_and_label(Role::PasswordInput, "Mot de passe").click();
    harness.run();
    harness.event(egui::Event::Text("été".to_owned()));
    harness.run();
    assert_eq!(buffer.borrow().expose(str::to_owned), "été");
}
