//! What is typed or pasted is what is sent; the window's own keys stay its own.

use egui::{Event, Key, Modifiers, Role, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::kit::{double_click, key_event, say, widget};

#[test]
fn keys_become_the_bytes_programs_expect() {
    let (mut h, mut sink, sent) = widget();
    for (mods, key, bytes) in [
        (Modifiers::NONE, Key::Enter, "\r"),
        (Modifiers::NONE, Key::Tab, "\t"),
        (Modifiers::SHIFT, Key::Tab, "\x1b[Z"),
        (Modifiers::NONE, Key::Escape, "\x1b"),
        (Modifiers::NONE, Key::Backspace, "\x7f"),
        (Modifiers::NONE, Key::ArrowUp, "\x1b[A"),
        (Modifiers::CTRL, Key::ArrowRight, "\x1b[1;5C"),
        (Modifiers::NONE, Key::Delete, "\x1b[3~"),
        (Modifiers::NONE, Key::F1, "\x1bOP"),
        (Modifiers::SHIFT, Key::F5, "\x1b[15;2~"),
        (Modifiers::NONE, Key::F12, "\x1b[24~"),
        (Modifiers::CTRL, Key::D, "\x04"),
        // The window's own keys never end a shell.
        (Modifiers::CTRL | Modifiers::SHIFT, Key::D, ""),
        (Modifiers::CTRL | Modifiers::SHIFT, Key::Minus, "\x1f"),
        (Modifiers::CTRL, Key::Space, "\0"),
        (Modifiers::CTRL, Key::Backslash, "\x1c"),
        (Modifiers::ALT, Key::B, "\x1bb"),
    ] {
        h.key_press_modifiers(mods, key);
        h.run();
        assert_eq!(sent.take(), bytes, "{mods:?} {key:?}");
    }
    say(&mut h, &mut sink, "\x1b[?1h");
    h.key_press(Key::ArrowUp);
    h.run();
    assert_eq!(sent.take(), "\x1bOA", "application cursor keys");
}

#[test]
fn typed_and_composed_text_goes_out_as_utf_8() {
    let (mut h, _sink, sent) = widget();
    h.event(Event::Text("ls é".into()));
    h.run();
    assert_eq!(sent.take(), "ls é");
    let preedit = egui::ImeEvent::Preedit { text: "^".into(), active_range_chars: None };
    h.event(Event::Ime(preedit));
    h.run();
    h.event(Event::Ime(egui::ImeEvent::Commit("ê".into())));
    h.run();
    assert_eq!(sent.take(), "ê");
}

#[test]
fn alt_gr_types_its_letter_and_alt_sends_escape() {
    let (mut h, _sink, sent) = widget();
    let alt_gr = Modifiers { ctrl: true, alt: true, command: true, ..Modifiers::NONE };
    // One key press: both events reach the window at once.
    h.input_mut().events = vec![key_event(Key::Num0, alt_gr), Event::Text("@".into())];
    h.run();
    assert_eq!(sent.take(), "@");
    h.input_mut().events = vec![key_event(Key::X, Modifiers::ALT), Event::Text("x".into())];
    h.run();
    assert_eq!(sent.take(), "\x1bx");
}

#[test]
fn ctrl_c_interrupts_unless_something_is_selected() {
    let (mut h, mut sink, sent) = widget();
    h.event(Event::Copy);
    h.run();
    assert_eq!(sent.take(), "\x03");
    say(&mut h, &mut sink, "bonjour monde");
    double_click(&mut h, 2, 0);
    assert_eq!(h.state().terminal.selected_text().as_deref(), Some("bonjour"));
    h.event(Event::Copy);
    h.run();
    assert_eq!(sent.take(), "");
    assert_eq!(h.state().terminal.selected_text(), None);
}

#[test]
fn several_lines_are_pasted_only_after_a_yes() {
    let (mut h, mut sink, sent) = widget();
    h.event(Event::Paste("ls -l".into()));
    h.run();
    assert_eq!(sent.take(), "ls -l");
    h.event(Event::Paste("cd /\nls".into()));
    h.run();
    assert_eq!(sent.take(), "");
    h.get_by_label("Annuler").click();
    h.run();
    assert_eq!(sent.take(), "");
    say(&mut h, &mut sink, "\x1b[?2004h");
    h.event(Event::Paste("cd /\nls".into()));
    h.run();
    h.get_by_label("Ne plus demander dans cet onglet").click();
    h.run();
    h.get_by_label("Coller").click();
    h.run();
    assert_eq!(sent.take(), "\x1b[200~cd /\rls\x1b[201~");
    h.event(Event::Paste("a\nb".into()));
    h.run();
    assert_eq!(sent.take(), "\x1b[200~a\rb\x1b[201~");
}

#[test]
fn screen_readers_get_the_text_and_focus_is_reported() {
    let (mut h, mut sink, sent) = widget();
    say(&mut h, &mut sink, "\x1b[?1004hinvite$ ");
    let node = h.get_by_role(Role::Terminal);
    assert_eq!(node.accesskit_node().value().as_deref(), Some("invite$"));
    h.input_mut().focused = false;
    h.run();
    h.input_mut().focused = true;
    h.run();
    assert_eq!(sent.take(), "\x1b[O\x1b[I");
}

#[test]
fn the_grid_follows_the_window_and_the_font() {
    let (mut h, _sink, sent) = widget();
    let before = h.state().terminal.size();
    h.key_press_modifiers(Modifiers::COMMAND, Key::Plus);
    h.run();
    let larger = h.state().terminal.size();
    assert!(larger.cols < before.cols && larger.rows <= before.rows);
    h.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    h.run();
    assert_eq!(h.state().terminal.size(), before);
    h.set_size(vec2(900.0, 500.0));
    h.run();
    assert!(h.state().terminal.size().cols > before.cols);
    assert_eq!(sent.sizes().last(), Some(&h.state().terminal.size()));
}
