//! What the mouse selects, opens and reports.

use egui::{Event, Modifiers, MouseWheelUnit, PointerButton, vec2};

use super::kit::{button, cell, click, say, widget};

#[test]
fn dragging_selects_and_alt_selects_a_block() {
    let (mut h, mut sink, _) = widget();
    say(&mut h, &mut sink, "abcdef\r\nghijkl\r\n");
    for (mods, text) in [(Modifiers::NONE, "abcdef\nghi"), (Modifiers::ALT, "abc\nghi")] {
        let (from, to) = (cell(&h, 0, 0) - vec2(3.0, 0.0), cell(&h, 2, 1) + vec2(3.0, 0.0));
        h.event(Event::PointerMoved(from));
        h.run();
        h.event(button(from, PointerButton::Primary, true, mods));
        h.run();
        h.event(Event::PointerMoved(to));
        h.run();
        h.event(button(to, PointerButton::Primary, false, mods));
        h.run();
        assert_eq!(h.state().terminal.selected_text().as_deref(), Some(text));
    }
}

#[test]
fn the_mouse_is_reported_when_asked_for_and_shift_keeps_it() {
    let (mut h, mut sink, sent) = widget();
    say(&mut h, &mut sink, "texte\x1b[?1000h\x1b[?1006h");
    let pos = cell(&h, 2, 0);
    click(&mut h, pos, PointerButton::Primary, Modifiers::NONE);
    assert_eq!(sent.take(), "\x1b[<0;3;1M\x1b[<0;3;1m");
    let wheel = |modifiers| Event::MouseWheel {
        unit: MouseWheelUnit::Line,
        delta: vec2(0.0, 1.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers,
    };
    h.event(wheel(Modifiers::NONE));
    h.run();
    assert_eq!(sent.take(), "\x1b[<64;3;1M");
    say(&mut h, &mut sink, "\x1b[?1000l\x1b[?1049h");
    h.event(wheel(Modifiers::NONE));
    h.run();
    assert_eq!(sent.take(), "\x1b[A\x1b[A\x1b[A", "alternate scroll");
}

#[test]
fn ctrl_click_opens_a_link_and_nothing_else_does() {
    let (mut h, mut sink, _) = widget();
    say(
        &mut h,
        &mut sink,
        "https://exemple.fr/x \x1b]8;;https://nom.fr\x07ici\x1b]8;;\x07 \x1b]8;;file:///x\x07non\x1b]8;;\x07",
    );
    for (column, mods) in [
        (4, Modifiers::NONE),
        (4, Modifiers::COMMAND),
        (22, Modifiers::COMMAND),
        (26, Modifiers::COMMAND),
    ] {
        let mods = Modifiers { ctrl: mods.command, ..mods };
        let pos = cell(&h, column, 0);
        h.event(Event::ModifiersChanged(mods));
        click(&mut h, pos, PointerButton::Primary, mods);
    }
    assert_eq!(h.state().opened, ["https://exemple.fr/x", "https://nom.fr"]);
}
