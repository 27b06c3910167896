//! A terminal without a far side, and its widget in a window: what it sends is kept.

use std::sync::{Arc, Mutex};

use egui::{Event, Key, Modifiers, PointerButton, Role, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use poterne::connect::file_send::Protocol;
use poterne::connect::link::{Channel, FromRemote, LineSignal, Sink, TermSize, ToRemote};
use poterne::gui::terminal::{Terminal, TerminalView};
use poterne::gui::{fonts, theme};
use poterne::model::lang::Lang;

/// A channel that remembers what it was given.
#[derive(Clone, Default)]
pub(super) struct Recorder(pub(super) Arc<Mutex<Record>>);

#[derive(Default)]
pub(super) struct Record {
    bytes: Vec<u8>,
    sizes: Vec<TermSize>,
    pub(super) signals: Vec<LineSignal>,
    pub(super) closed: bool,
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
    pub(super) fn take(&self) -> String {
        let bytes = std::mem::take(&mut self.0.lock().expect("as above").bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }
    pub(super) fn sizes(&self) -> Vec<TermSize> {
        self.0.lock().expect("as above").sizes.clone()
    }
}

pub(super) fn terminal(cols: u16, rows: u16) -> (Terminal, Sink, Recorder) {
    let (terminal, sink) = Terminal::new(TermSize { cols, rows });
    let sent = Recorder::default();
    terminal.attach(Box::new(sent.clone()));
    (terminal, sink, sent)
}

pub(super) fn feed(terminal: &Terminal, sink: &mut Sink, text: &str) {
    sink(FromRemote::Data(text.as_bytes().to_vec()));
    terminal.settle();
}

pub(super) struct Shown {
    pub(super) view: TerminalView,
    pub(super) terminal: Terminal,
    pub(super) opened: Vec<String>,
    /// Ways in which a file is to be sent.
    pub(super) wanted: Vec<Protocol>,
    ready: bool,
}

pub(super) fn widget() -> (Harness<'static, Shown>, Sink, Recorder) {
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

pub(super) fn say(harness: &mut Harness<'static, Shown>, sink: &mut Sink, text: &str) {
    feed(&harness.state().terminal, sink, text);
    harness.run();
}

/// The middle of a cell, found from the widget's own size.
pub(super) fn cell(h: &Harness<'static, Shown>, column: usize, row: usize) -> egui::Pos2 {
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

pub(super) fn button(
    pos: egui::Pos2,
    button: PointerButton,
    pressed: bool,
    modifiers: Modifiers,
) -> Event {
    Event::PointerButton { pos, button, pressed, modifiers }
}

/// Presses and releases a button of the mouse there.
pub(super) fn click(
    h: &mut Harness<'static, Shown>,
    pos: egui::Pos2,
    which: PointerButton,
    modifiers: Modifiers,
) {
    h.event(Event::PointerMoved(pos));
    h.run();
    for pressed in [true, false] {
        h.event(button(pos, which, pressed, modifiers));
        h.run();
    }
}

/// Opens the menu of the terminal.
pub(super) fn menu(h: &mut Harness<'static, Shown>) {
    let pos = cell(h, 5, 5);
    click(h, pos, PointerButton::Secondary, Modifiers::NONE);
}

/// Opens the menu and chooses what is called so.
pub(super) fn choose(h: &mut Harness<'static, Shown>, name: &str) {
    menu(h);
    h.get_by_label_contains(name).click();
    h.run();
}

pub(super) fn double_click(h: &mut Harness<'static, Shown>, column: usize, row: usize) {
    let pos = cell(h, column, row);
    click(h, pos, PointerButton::Primary, Modifiers::NONE);
    click(h, pos, PointerButton::Primary, Modifiers::NONE);
}

pub(super) fn key_event(key: Key, modifiers: Modifiers) -> Event {
    Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
}
