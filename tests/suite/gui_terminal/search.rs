//! The search over what a terminal printed.

use egui::{Key, Modifiers, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::kit::{Shown, say, widget};

fn search(h: &mut Harness<'_, Shown>, words: &str) {
    h.key_press_modifiers(Modifiers { shift: true, ..Modifiers::COMMAND }, Key::F);
    h.run();
    h.get_by_role_and_label(Role::TextInput, "Rechercher").type_text(words);
}

#[test]
fn the_search_finds_old_lines_whatever_their_case() {
    let (mut h, mut sink, _) = widget();
    let text: String = (0..500).map(|i| format!("ligne {i}\r\n")).collect();
    say(&mut h, &mut sink, "Là est l'AIGUILLE (1+1)\r\n");
    say(&mut h, &mut sink, &text);
    search(&mut h, "aiguille (1+1)");
    h.run();
    assert!(h.state().terminal.rows().iter().any(|row| row.contains("AIGUILLE")));
    h.key_press(Key::Escape);
    h.run();
    assert!(h.query_by_role_and_label(Role::TextInput, "Rechercher").is_none());
}

#[test]
fn the_search_says_which_match_of_how_many() {
    let (mut h, mut sink, _) = widget();
    say(&mut h, &mut sink, "un lapin, deux lapins\r\n");
    say(&mut h, &mut sink, &"rien\r\n".repeat(300));
    say(&mut h, &mut sink, "trois lapins\r\n");
    search(&mut h, "lapin");
    h.run();
    assert!(h.query_by_label("1 / 3").is_some(), "the newest one first");
    for (key, shift, label) in [
        (Key::Enter, false, "2 / 3"),
        (Key::Enter, false, "3 / 3"),
        (Key::Enter, false, "1 / 3"),
        (Key::Enter, true, "3 / 3"),
        (Key::Enter, true, "2 / 3"),
    ] {
        h.key_press_modifiers(Modifiers { shift, ..Modifiers::NONE }, key);
        h.run();
        assert!(h.query_by_label(label).is_some(), "{label}");
        let seen = h.state().terminal.rows().join("\n");
        assert_eq!(seen.contains("un lapin"), label != "1 / 3", "{label} is in view");
    }
    // What comes in meanwhile is counted, and moves nothing that was found.
    say(&mut h, &mut sink, "quatre lapins\r\n");
    assert!(h.query_by_label("3 / 4").is_some());
    h.get_by_role_and_label(Role::TextInput, "Rechercher").type_text("oux");
    h.run();
    assert!(h.query_by_label("Introuvable").is_some());
}

#[test]
fn a_match_that_runs_over_the_end_of_a_line_is_one() {
    let (mut h, mut sink, _) = widget();
    let columns = usize::from(h.state().terminal.size().cols);
    say(&mut h, &mut sink, &format!("{}aiguille\r\n", ".".repeat(columns - 3)));
    search(&mut h, "aiguille");
    h.run();
    assert!(h.query_by_label("1 / 1").is_some());
}

#[test]
fn a_long_scrollback_is_searched_over_several_frames() {
    let (mut h, mut sink, _) = widget();
    say(&mut h, &mut sink, "aiguille\r\n");
    say(&mut h, &mut sink, &"foin foin\r\n".repeat(15_000));
    search(&mut h, "aiguille");
    h.step();
    h.step();
    assert!(h.query_by_label("– / 0…").is_some(), "no frame waits for the oldest line");
    h.run_steps(60);
    assert!(h.query_by_label("1 / 1").is_some());
    assert!(h.state().terminal.rows().iter().any(|row| row == "aiguille"));

    h.key_press_modifiers(Modifiers::COMMAND, Key::A);
    h.get_by_role_and_label(Role::TextInput, "Rechercher").type_text("foin");
    h.run_steps(60);
    assert!(h.query_by_label("1 / 10\u{a0}000+").is_some(), "what is remembered has a limit");
}
