//! The menu of a terminal: its other view, the signals of a line, and files to send.

use egui::{Event, Role};
use egui_kittest::kittest::Queryable as _;
use poterne::connect::file_send::{PATIENCE, Protocol};
use poterne::connect::link::LineSignal;

use super::kit::{choose, menu, say, widget};

#[test]
fn what_comes_is_shown_as_numbers_until_text_is_wanted_again() {
    let (mut h, mut sink, _) = widget();
    say(&mut h, &mut sink, "texte\x1b[3");
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
    let offering = |offered: &[LineSignal]| {
        let (mut h, sink, sent) = widget();
        h.state().terminal.offer(offered.to_vec());
        menu(&mut h);
        (h, sink, sent)
    };
    let (h, _sink, _) = offering(&[]);
    assert!(h.query_by_label_contains("Rechercher").is_some());
    assert!(h.query_by_label("Envoyer un break").is_none());
    let all = [LineSignal::Break, LineSignal::DtrOff, LineSignal::DtrOn];
    for (name, signal) in ["Envoyer un break", "Baisser DTR", "Relever DTR"].iter().zip(all) {
        let (mut h, _sink, sent) = offering(&all);
        h.get_by_label(name).click();
        h.run();
        assert_eq!(sent.0.lock().expect("as above").signals, [signal]);
        assert_eq!(sent.take(), "", "no byte");
    }
}

#[cfg(unix)]
#[test]
fn the_menu_offers_the_ways_to_send_a_file() {
    let (mut h, _sink, _) = widget();
    choose(&mut h, "Envoyer un fichier");
    h.get_by_label("YMODEM…").click();
    h.run();
    assert_eq!(h.state().wanted, [Protocol::Ymodem]);
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
