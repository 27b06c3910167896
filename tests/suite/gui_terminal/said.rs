//! What programs print is what is read, and nothing that a far program says can run or
//! steal anything here.

use poterne::connect::link::{Exit, FromRemote, TermSize};
use poterne::gui::terminal::{links, paste};

use super::kit::{feed, terminal};

#[test]
fn lines_accents_and_wide_letters_are_read_back() {
    let (terminal, mut sink, _) = terminal(20, 4);
    feed(&terminal, &mut sink, "éèàçœ e\u{301}\r\n\x1b[1;31mrouge\x1b[0m 日本\r\n");
    assert_eq!(terminal.rows(), ["éèàçœ e\u{301}", "rouge 日本", "", ""]);
}

#[test]
fn a_letter_cut_between_two_packets_is_whole() {
    let (terminal, mut sink, _) = terminal(20, 2);
    sink(FromRemote::Data(vec![0xC3]));
    sink(FromRemote::Data(vec![0xA9]));
    terminal.settle();
    assert_eq!(terminal.rows()[0], "é");
}

#[test]
fn the_scrollback_keeps_ten_thousand_lines_and_more() {
    let (terminal, mut sink, _) = terminal(20, 4);
    let text: String = (0..15_000).map(|i| format!("ligne {i}\r\n")).collect();
    feed(&terminal, &mut sink, &text);
    terminal.scroll(14_990);
    assert_eq!(terminal.rows()[0], "ligne 7");
    terminal.scroll_to_bottom();
    assert_eq!(terminal.rows()[2], "ligne 14999");
}

#[test]
fn questions_of_programs_are_answered() {
    let (terminal, mut sink, sent) = terminal(20, 4);
    feed(&terminal, &mut sink, "ab\x1b[6n");
    assert_eq!(sent.take(), "\x1b[1;3R");
    feed(&terminal, &mut sink, "\x1b[c");
    assert!(sent.take().starts_with("\x1b[?"));
}

#[test]
fn the_clipboard_is_never_read_and_only_offered_for_writing() {
    let (terminal, mut sink, sent) = terminal(20, 4);
    feed(&terminal, &mut sink, "\x1b]52;c;?\x07");
    assert_eq!(sent.take(), "");
    feed(&terminal, &mut sink, "\x1b]52;c;c2FsdXQ=\x07");
    assert_eq!(terminal.take_clipboard().as_deref(), Some("salut"));
    assert_eq!(terminal.take_clipboard(), None);
}

#[test]
fn title_and_bell_are_told_and_control_characters_left_out() {
    let (terminal, mut sink, _) = terminal(20, 4);
    feed(&terminal, &mut sink, "\x1b]2;srv-web\u{9d}é\x07\x07");
    let said = terminal.said();
    assert_eq!(said.title.as_deref(), Some("srv-webé"));
    assert_eq!(said.bells, 1);
}

#[test]
fn a_resize_is_told_once() {
    let (terminal, _sink, sent) = terminal(80, 24);
    let size = TermSize { cols: 100, rows: 30 };
    terminal.resize(size);
    terminal.resize(size);
    assert_eq!(sent.sizes(), [TermSize { cols: 80, rows: 24 }, size]);
}

#[test]
fn after_the_end_the_text_stays_and_typing_goes_nowhere() {
    let (terminal, mut sink, sent) = terminal(20, 4);
    feed(&terminal, &mut sink, "avant\r\n\x1b[?1049h\x1b[2Jplein écran");
    sink(FromRemote::Exit(Exit::Status(3)));
    sink(FromRemote::Closed(None));
    terminal.settle();
    assert_eq!(terminal.ended().and_then(|e| e.exit), Some(Exit::Status(3)));
    assert_eq!(terminal.rows()[0], "avant");
    sent.take();
    terminal.send(b"ls\r".to_vec());
    assert_eq!(sent.take(), "");
    assert!(sent.0.lock().expect("as above").closed);
}

#[test]
fn a_sink_dropped_without_a_word_ends_the_terminal() {
    let (terminal, sink, _) = terminal(20, 4);
    drop(sink);
    terminal.settle();
    assert!(terminal.ended().is_some());
}

#[test]
fn a_synchronized_update_left_open_is_shown_all_the_same() {
    let (terminal, mut sink, _) = terminal(20, 4);
    let (woken, wait) = std::sync::mpsc::channel();
    feed(&terminal, &mut sink, "\x1b[?2026hcaché");
    terminal.on_wake(move |_| woken.send(()).unwrap_or_default());
    while terminal.rows()[0] != "caché" {
        terminal.painting();
        let _ = wait.recv_timeout(std::time::Duration::from_millis(50));
    }
}

#[test]
fn a_flood_is_parsed_whole_and_the_sender_is_held_back_not_the_reader() {
    let (terminal, mut sink, _) = terminal(80, 24);
    let line = b"0123456789012345678901234567890123456789012345678901234567890123456789\r\n";
    let chunk = line.repeat(1000);
    for _ in 0..100 {
        sink(FromRemote::Data(chunk.clone()));
    }
    feed(&terminal, &mut sink, "fin");
    assert_eq!(terminal.rows()[23], "fin");
    assert_eq!(terminal.received_bytes(), 100 * chunk.len() as u64 + 3);
}

#[test]
fn pasted_text_cannot_end_its_bracket_nor_hide_controls() {
    let mode = alacritty_terminal::term::TermMode::BRACKETED_PASTE;
    let sent = paste::bytes("a\x1b[201~rm\r\nb\u{9b}\tc", mode);
    assert_eq!(String::from_utf8_lossy(&sent), "\x1b[200~a[201~rm\rb\tc\x1b[201~");
    assert!(paste::needs_question("a\nb"));
    assert!(paste::needs_question("sudo reboot\n"));
    assert!(!paste::needs_question("ls -l"));
}

#[test]
fn only_web_and_mail_addresses_are_links() {
    let find = |text: &str, at: usize| {
        let line: Vec<char> = text.chars().collect();
        links::at(&line, at).map(|range| line[range].iter().collect::<String>())
    };
    assert_eq!(
        find("voir (https://exemple.fr/a_(b)), merci", 10).as_deref(),
        Some("https://exemple.fr/a_(b)")
    );
    assert_eq!(find("écrire à mailto:a@b.fr.", 15).as_deref(), Some("mailto:a@b.fr"));
    assert_eq!(find("file:///etc/passwd", 3), None);
    assert_eq!(find("https://", 3), None);
    assert!(!links::may_open("javascript:alert(1)"));
    assert!(!links::may_open("https://a b"));
    assert!(links::may_open("HTTPS://exemple.fr"));
}
