//! Who gets the keyboard when a session comes up, and which keys are the window's.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use egui::{Event, Key, Modifiers, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use poterne::gui::sessions::tab::TabState;
use poterne::gui::sessions::view::SessionsView;
use poterne::gui::{fonts, theme};
use poterne::model::lang::Lang;

use super::kit::{FarSide, Script, Shown, open_as, refused, see, sessions, window};

#[test]
fn a_terminal_gets_the_page_keys_and_the_window_the_tab_key() {
    let (mut h, far, wait) = window(Vec::new());
    let first = h.state_mut().sessions.open(open_as("un"));
    see(&mut h, &wait, "Terminal");
    let second = h.state_mut().sessions.open(open_as("deux"));
    while !h.state().sessions.tab(second).is_some_and(|t| matches!(t.state, TabState::Live)) {
        let _ = wait.recv_timeout(Duration::from_millis(20));
        h.run_steps(1);
    }
    h.run_steps(3);
    h.key_press_modifiers(Modifiers::CTRL, Key::PageUp);
    h.run_steps(3);
    assert_eq!(h.state().sessions.front(), Some(second));
    assert_eq!(*far.typed.lock().expect("as above"), b"\x1b[5;5~");
    h.key_press_modifiers(Modifiers::CTRL, Key::Tab);
    h.run_steps(3);
    assert_eq!(h.state().sessions.front(), Some(first));
}

/// A field of the window beside the tabs, such as its search.
const ELSEWHERE: &str = "elsewhere";

fn beside(scripts: Vec<Script>) -> (Harness<'static, (Shown, String)>, Arc<FarSide>, Receiver<()>) {
    let (sessions, far, wait) = sessions(scripts);
    let shown = Shown { sessions, view: SessionsView::default(), ready: false };
    let paint = |ui: &mut egui::Ui, (shown, text): &mut (Shown, String)| {
        if !std::mem::replace(&mut shown.ready, true) {
            fonts::install(ui.ctx());
            theme::apply(ui.ctx(), theme::Theme::Light);
            return;
        }
        egui::Panel::top("bar").show(ui, |ui| {
            let label = ui.label(ELSEWHERE);
            ui.text_edit_singleline(text).labelled_by(label.id);
        });
        shown.sessions.drain(Instant::now());
        shown.view.strip_ui(ui, &mut shown.sessions, Lang::Fr, "Accueil");
        if shown.sessions.front().is_some() {
            egui::CentralPanel::default()
                .show(ui, |ui| shown.view.front_ui(ui, &mut shown.sessions, Lang::Fr));
        }
    };
    let state = (shown, String::new());
    (Harness::builder().with_size([900.0, 560.0]).build_ui_state(paint, state), far, wait)
}

/// Opens a tab, does `meanwhile`, lets it come up, types, and says where that went.
fn typed_when_it_comes_up(
    meanwhile: impl FnOnce(&mut Harness<'static, (Shown, String)>),
) -> (String, Vec<u8>) {
    let (go, held) = channel::<()>();
    let script: Script = Box::new(move |_| held.recv().map_err(|_| refused()));
    let (mut h, far, wait) = beside(vec![script]);
    h.run_steps(2);
    h.get_by_role_and_label(Role::TextInput, ELSEWHERE).focus();
    h.run_steps(2);
    h.state_mut().0.sessions.open(open_as("web"));
    h.run_steps(3);
    meanwhile(&mut h);
    h.run_steps(2);
    go.send(()).expect("it waits");
    while h.query_by_label("Terminal").is_none() {
        let _ = wait.recv_timeout(Duration::from_millis(20));
        h.run_steps(2);
    }
    h.run_steps(3);
    h.event(Event::Text("rm".into()));
    h.run_steps(3);
    let sent = far.typed.lock().expect("as above").clone();
    (h.state().1.clone(), sent)
}

#[test]
fn a_session_that_comes_up_gets_the_keyboard_of_who_opened_it() {
    assert_eq!(typed_when_it_comes_up(|_| ()), (String::new(), b"rm".to_vec()));
}

#[test]
fn a_session_that_comes_up_takes_the_keyboard_from_nobody_who_went_on() {
    let went_on = typed_when_it_comes_up(|h| {
        h.get_by_role_and_label(Role::TextInput, ELSEWHERE).focus();
    });
    assert_eq!(went_on, ("rm".to_owned(), Vec::new()));
}
