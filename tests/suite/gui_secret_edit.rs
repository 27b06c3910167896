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

/// A page of the lines `0` to `9` in a field of three lines, the caret at its end.
fn page<'a>(shown: bool) -> (Rc<RefCell<SecretBuffer>>, Harness<'a>) {
    let buffer = Rc::new(RefCell::new(SecretBuffer::page()));
    buffer.borrow_mut().insert("0\n1\n2\n3\n4\n5\n6\n7\n8\n9");
    let held = buffer.clone();
    let mut harness = Harness::new_ui(move |ui| {
        SecretEdit::new(&mut held.borrow_mut(), "Notes").rows(3).shown(shown).show(ui);
    });
    harness.get_by_role_and_label(Role::PasswordInput, "Notes").focus();
    harness.run();
    (buffer, harness)
}

fn press(harness: &mut Harness<'_>, keys: &[egui::Key]) {
    for key in keys {
        harness.key_press(*key);
        harness.run();
    }
}

fn type_in(harness: &mut Harness<'_>, text: &str) {
    harness.event(egui::Event::Text(text.to_owned()));
    harness.run();
}

#[test]
fn arrows_move_by_lines_and_keep_to_their_column() {
    use egui::Key::{ArrowDown, ArrowUp, End, Home};
    let (buffer, mut harness) = page(true);
    buffer.borrow_mut().set("chêne\n\npin noir");
    press(&mut harness, &[End, ArrowUp, ArrowUp]);
    type_in(&mut harness, "s");
    assert_eq!(buffer.borrow().expose(str::to_owned), "chênes\n\npin noir");
    press(&mut harness, &[ArrowDown, ArrowDown]);
    type_in(&mut harness, "-");
    assert_eq!(buffer.borrow().expose(str::to_owned), "chênes\n\npin no-ir");
    press(&mut harness, &[ArrowUp, ArrowUp, Home]);
    type_in(&mut harness, "un ");
    assert_eq!(buffer.borrow().expose(str::to_owned), "un chênes\n\npin no-ir");
    press(&mut harness, &[ArrowUp]);
    type_in(&mut harness, "!");
    press(&mut harness, &[ArrowDown, ArrowDown, ArrowDown]);
    type_in(&mut harness, "!");
    assert_eq!(buffer.borrow().expose(str::to_owned), "!un chênes\n\npin no-ir!");
}

#[test]
fn a_click_in_a_scrolled_page_lands_on_the_line_under_it() {
    let (buffer, mut harness) = page(true);
    let rect = harness.get_by_role(Role::PasswordInput).rect();
    let top = egui::pos2(rect.left() + 40.0, rect.top() + 9.0);
    for pressed in [true, false] {
        harness.event(egui::Event::PointerMoved(top));
        harness.event(egui::Event::PointerButton {
            pos: top,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
        harness.run();
    }
    type_in(&mut harness, "x");
    assert_eq!(buffer.borrow().expose(str::to_owned), "0\n1\n2\n3\n4\n5\n6\n7x\n8\n9");
}

/// Where the caret is painted, by what the field tells the input method.
fn caret(harness: &Harness<'_>) -> egui::Rect {
    harness.output().platform_output.ime.as_ref().expect("the field has the keyboard").cursor_rect
}

#[test]
fn the_caret_stays_in_sight_of_a_long_shown_line() {
    let buffer = Rc::new(RefCell::new(SecretBuffer::line()));
    let held = buffer.clone();
    let mut harness = Harness::new_ui(move |ui| {
        SecretEdit::new(&mut held.borrow_mut(), "Clé").width(150.0).shown(true).show(ui);
    });
    harness.get_by_role(Role::PasswordInput).focus();
    harness.run();
    let rect = harness.get_by_role(Role::PasswordInput).rect();
    type_in(&mut harness, &"0123456789".repeat(8));
    assert!(rect.contains_rect(caret(&harness)), "{} in {rect}", caret(&harness));
    let end = caret(&harness);
    press(&mut harness, &[egui::Key::Home]);
    assert!(rect.contains_rect(caret(&harness)));
    assert!(caret(&harness).left() < end.left());
    press(&mut harness, &[egui::Key::End]);
    press(&mut harness, &[egui::Key::Backspace; 78]);
    assert!(rect.contains_rect(caret(&harness)));
    assert!(caret(&harness).left() < rect.center().x, "no empty room before a short text");
}

#[test]
fn nothing_typed_stays_in_the_events_of_the_frame() {
    let buffer = Rc::new(RefCell::new(SecretBuffer::line()));
    let left = Rc::new(RefCell::new(Vec::new()));
    let (held, seen) = (buffer.clone(), left.clone());
    let mut harness = Harness::new_ui(move |ui| {
        SecretEdit::new(&mut held.borrow_mut(), "Mot de passe").show(ui);
        ui.input(|i| {
            for event in i.events.iter().chain(&i.raw.events) {
                use egui::{Event, ImeEvent};
                if let Event::Text(text)
                | Event::Paste(text)
                | Event::Ime(ImeEvent::Commit(text) | ImeEvent::Preedit { text, .. }) = event
                {
                    seen.borrow_mut().push(text.clone());
                }
            }
        });
    });
    harness.get_by_role(Role::PasswordInput).focus();
    harness.run();
    let preedit = egui::ImeEvent::Preedit { text: "^".to_owned(), active_range_chars: None };
    harness.event(egui::Event::Ime(preedit));
    harness.event(egui::Event::Ime(egui::ImeEvent::Commit("forêt".to_owned())));
    harness.event(egui::Event::Text("sésame".to_owned()));
    harness.event(egui::Event::Paste("ouvre".to_owned()));
    harness.run();
    assert_eq!(buffer.borrow().expose(str::to_owned), "forêtsésameouvre");
    assert!(left.borrow().len() >= 8, "both copies were seen");
    assert!(left.borrow().iter().all(String::is_empty), "{:?}", left.borrow());
}
