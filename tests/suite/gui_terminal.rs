//! The terminal: what programs print is what is read, what is typed is what is
//! sent, and nothing a far program says can run or steal anything here.

use std::sync::{Arc, Mutex};

use egui::{Event, Key, Modifiers, MouseWheelUnit, PointerButton, Role, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use poterne::connect::file_send::{PATIENCE, Protocol};
use poterne::connect::link::{Channel, Exit, FromRemote, LineSignal, Sink, TermSize, ToRemote};
use poterne::gui::terminal::{Terminal, TerminalView, links, paste};
use poterne::gui::{fonts, theme};
use poterne::model::lang::Lang;

/// A channel that remembers what it was given.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Record>>);

#[derive(Default)]
struct Record {
    bytes: Vec<u8>,
    sizes: Vec<TermSize>,
    signals: Vec<LineSignal>,
    closed: bool,
}

impl Channel for Recorder {
    fn send(&self, message: ToRemote) {
        let mut record = self.0.lock().expect("no test panics while holding it");
        match message {
            ToRemote::Data(bytes) => record.bytes.extend(bytes),
            ToRemote::Resize(size) => record.sizes.push(size),
            ToRemote::Signal(signal) => record.signals.push(signal),
            ToRemote::Eof | ToRemote::Screen(_) | ToRemote::Clipboard(_) | ToRemote::Files(_) => {}
            ToRemote::Close => record.closed = true,
        }
    }
    fn backlog(&self) -> usize {
        0
    }
}

impl Recorder {
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut self.0.lock().expect("as above").bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }
    fn sizes(&self) -> Vec<TermSize> {
        self.0.lock().expect("as above").sizes.clone()
    }
}

fn terminal(cols: u16, rows: u16) -> (Terminal, Sink, Recorder) {
    let (terminal, sink) = Terminal::new(TermSize { cols, rows });
    let sent = Recorder::default();
    terminal.attach(Box::new(sent.clone()));
    (terminal, sink, sent)
}

fn feed(terminal: &Terminal, sink: &mut Sink, text: &str) {
    sink(FromRemote::Data(text.as_bytes().to_vec()));
    terminal.settle();
}

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

// The widget.

struct Shown {
    view: TerminalView,
    terminal: Terminal,
    opened: Vec<String>,
    /// Ways in which a file is to be sent.
    wanted: Vec<Protocol>,
    ready: bool,
}

fn widget() -> (Harness<'static, Shown>, Sink, Recorder) {
    let (terminal, sink, sent) = terminal(80, 24);
    let shown = Shown {
        view: TerminalView::default(),
        terminal,
        opened: Vec::new(),
        wanted: Vec::new(),
        ready: false,
    };
    let mut harness = Harness::builder().with_size([700.0, 400.0]).build_ui_state(
        |ui, shown: &mut Shown| {
            if !std::mem::replace(&mut shown.ready, true) {
                fonts::install(ui.ctx());
                theme::apply(ui.ctx(), theme::Theme::Dark);
                return;
            }
            let output = shown.view.show(ui, TerminalView::id(1), &shown.terminal, Lang::Fr);
            shown.opened.extend(output.open);
            shown.wanted.extend(output.send_file);
        },
        shown,
    );
    harness.run();
    harness.get_by_role(Role::Terminal).focus();
    harness.run();
    sent.take();
    (harness, sink, sent)
}

fn say(harness: &mut Harness<'static, Shown>, sink: &mut Sink, text: &str) {
    feed(&harness.state().terminal, sink, text);
    harness.run();
}

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

fn key_event(key: Key, modifiers: Modifiers) -> Event {
    Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
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

/// The middle of a cell, found from the widget's own size.
fn cell(h: &Harness<'static, Shown>, column: usize, row: usize) -> egui::Pos2 {
    let rect = h.get_by_role(Role::Terminal).rect();
    let size = h.state().terminal.size();
    let (width, height) = (
        (rect.width() - 14.0) / f32::from(size.cols),
        (rect.height() - 10.0) / f32::from(size.rows),
    );
    // The leftover of a cell is spread out, which is exact enough near the top left.
    rect.min
        + vec2(5.0 + width.floor() * column as f32 + 4.0, 5.0 + height.floor() * row as f32 + 9.0)
}

fn button(pos: egui::Pos2, button: PointerButton, pressed: bool, modifiers: Modifiers) -> Event {
    Event::PointerButton { pos, button, pressed, modifiers }
}

fn double_click(h: &mut Harness<'static, Shown>, column: usize, row: usize) {
    let pos = cell(h, column, row);
    h.event(Event::PointerMoved(pos));
    h.run();
    for pressed in [true, false, true, false] {
        h.event(button(pos, PointerButton::Primary, pressed, Modifiers::NONE));
        h.run();
    }
}

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
fn what_comes_is_shown_as_numbers_until_text_is_wanted_again() {
    let (mut h, mut sink, _) = widget();
    say(&mut h, &mut sink, "texte\x1b[3");
    let choose = |h: &mut Harness<'static, Shown>, name: &str| {
        let pos = cell(h, 5, 5);
        h.event(Event::PointerMoved(pos));
        h.run();
        for pressed in [true, false] {
            h.event(button(pos, PointerButton::Secondary, pressed, Modifiers::NONE));
            h.run();
        }
        h.get_by_label(name).click();
        h.run();
    };
    choose(&mut h, "Vue hexadécimale");
    say(&mut h, &mut sink, "\x1b[2J\rA");
    let dump = "1b 5b 32 4a 0d 41                                .[2J.A";
    assert_eq!(h.state().terminal.rows()[..2], ["texte", dump]);
    choose(&mut h, "Vue en texte");
    say(&mut h, &mut sink, "fin");
    assert_eq!(h.state().terminal.rows()[2], "fin");
}

#[test]
fn signals_of_the_line_are_in_the_menu_of_a_terminal_that_carries_them() {
    let menu = |offered: &[LineSignal]| {
        let (mut h, sink, sent) = widget();
        h.state().terminal.offer(offered.to_vec());
        let pos = cell(&h, 5, 5);
        h.event(Event::PointerMoved(pos));
        h.run();
        for pressed in [true, false] {
            h.event(button(pos, PointerButton::Secondary, pressed, Modifiers::NONE));
            h.run();
        }
        (h, sink, sent)
    };
    let (h, _sink, _) = menu(&[]);
    assert!(h.query_by_label_contains("Rechercher").is_some());
    assert!(h.query_by_label("Envoyer un break").is_none());
    let all = [LineSignal::Break, LineSignal::DtrOff, LineSignal::DtrOn];
    for (name, signal) in ["Envoyer un break", "Baisser DTR", "Relever DTR"].iter().zip(all) {
        let (mut h, _sink, sent) = menu(&all);
        h.get_by_label(name).click();
        h.run();
        assert_eq!(sent.0.lock().expect("as above").signals, [signal]);
        assert_eq!(sent.take(), "", "no byte");
    }
}

#[cfg(unix)]
#[test]
fn a_file_on_its_way_holds_the_keyboard_until_it_is_stopped() {
    let dir = tempfile::tempdir().expect("ours");
    let file = dir.path().join("image.bin");
    std::fs::write(&file, [0; 4096]).expect("ours");
    let (mut h, _sink, sent) = widget();
    let (over, woken) = std::sync::mpsc::channel();
    h.state().terminal.on_wake(move |_| {
        let _ = over.send(());
    });
    // Refused at once, with both parts of why.
    h.state().terminal.send_file(Protocol::Xmodem, &dir.path().join("absent"), PATIENCE);
    h.run();
    assert!(h.query_by_label_contains("est illisible").is_some());
    assert!(h.query_by_label_contains("Vérifiez vos droits").is_some());
    h.get_by_label("Fermer").click();
    h.run();
    assert!(h.query_by_label_contains("est illisible").is_none());

    h.state().terminal.send_file(Protocol::Xmodem, &file, PATIENCE);
    h.run();
    assert!(h.query_by_label_contains("attend que l’autre côté demande").is_some());
    h.event(Event::Text("tapé".into()));
    h.run();
    assert_eq!(sent.take(), "", "the line is the file's");
    h.get_by_label("Arrêter l’envoi").click();
    h.run();
    while h.state().terminal.file().is_some_and(|file| file.state.runs()) {
        h.state().terminal.painting();
        woken.recv_timeout(PATIENCE).expect("it ends");
    }
    h.run();
    assert!(sent.take().starts_with("\u{18}\u{18}\u{18}"), "the receiver is told");
    assert!(h.query_by_label_contains("est arrêté").is_some());
    h.get_by_label("Fermer").click();
    h.run();
    let signals = sent.0.lock().expect("as above").signals.clone();
    let pair = [LineSignal::BytesOn, LineSignal::BytesOff];
    assert_eq!(signals, [pair, pair].concat());
    h.get_by_role(Role::Terminal).focus();
    h.run();
    h.event(Event::Text("x".into()));
    h.run();
    assert_eq!(sent.take(), "x");
}

#[cfg(unix)]
#[test]
fn the_menu_offers_the_ways_to_send_a_file() {
    let (mut h, _sink, _) = widget();
    let pos = cell(&h, 5, 5);
    h.event(Event::PointerMoved(pos));
    h.run();
    for pressed in [true, false] {
        h.event(button(pos, PointerButton::Secondary, pressed, Modifiers::NONE));
        h.run();
    }
    h.get_by_label_contains("Envoyer un fichier").click();
    h.run();
    h.get_by_label("YMODEM…").click();
    h.run();
    assert_eq!(h.state().wanted, [Protocol::Ymodem]);
}

#[test]
fn the_mouse_is_reported_when_asked_for_and_shift_keeps_it() {
    let (mut h, mut sink, sent) = widget();
    say(&mut h, &mut sink, "texte\x1b[?1000h\x1b[?1006h");
    let pos = cell(&h, 2, 0);
    h.event(Event::PointerMoved(pos));
    h.run();
    for pressed in [true, false] {
        h.event(button(pos, PointerButton::Primary, pressed, Modifiers::NONE));
        h.run();
    }
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
        h.event(Event::PointerMoved(pos));
        h.run();
        for pressed in [true, false] {
            h.event(button(pos, PointerButton::Primary, pressed, mods));
            h.run();
        }
    }
    assert_eq!(h.state().opened, ["https://exemple.fr/x", "https://nom.fr"]);
}

#[test]
fn the_search_finds_old_lines_whatever_their_case() {
    let (mut h, mut sink, _) = widget();
    let text: String = (0..500).map(|i| format!("ligne {i}\r\n")).collect();
    say(&mut h, &mut sink, "Là est l'AIGUILLE (1+1)\r\n");
    say(&mut h, &mut sink, &text);
    h.key_press_modifiers(Modifiers { shift: true, ..Modifiers::COMMAND }, Key::F);
    h.run();
    h.get_by_role_and_label(Role::TextInput, "Rechercher").type_text("aiguille (1+1)");
    h.run();
    assert!(h.state().terminal.rows().iter().any(|row| row.contains("AIGUILLE")));
    h.key_press(Key::Escape);
    h.run();
    assert!(h.query_by_role_and_label(Role::TextInput, "Rechercher").is_none());
}

fn search(h: &mut Harness<'_, Shown>, words: &str) {
    h.key_press_modifiers(Modifiers { shift: true, ..Modifiers::COMMAND }, Key::F);
    h.run();
    h.get_by_role_and_label(Role::TextInput, "Rechercher").type_text(words);
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
