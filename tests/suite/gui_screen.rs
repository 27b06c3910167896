//! A desktop in a tab: what is painted, and what goes to the far side for keys, mouse
//! and clipboard.

use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Event, Modifiers, MouseWheelUnit, PointerButton, Pos2, TouchPhase, pos2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use poterne::connect::files::{CopiedFile, FilesSaid, FilesTold, Piece, Want};
use poterne::connect::link::{FromRemote, Sink};
use poterne::connect::screen::{CopyRect, Place, Pointer, ScreenSaid, Tile};
use poterne::connect::{Failure, FailureKind};
use poterne::gui::prefs::Prefs;
use poterne::gui::screen::{RawKey, RawKeys, Screen};
use poterne::model::lang::Bi;
use poterne::secret::SecretText;
use winit::keyboard::{Key as Meaning, KeyCode, NamedKey, PhysicalKey};

use crate::gui_fake::Fake;
use crate::kit_gui::{Window, find, gone, press, sees, unlock, until, window_hearing};

fn tile(x: u16, y: u16, width: u16, height: u16, colour: [u8; 4]) -> FromRemote {
    let place = Place { x, y, width, height };
    FromRemote::Tile(Tile { place, pixels: colour.repeat(place.pixels()) })
}

fn size(width: u16, height: u16) -> FromRemote {
    FromRemote::Screen(ScreenSaid::Size { width, height })
}

const RED: [u8; 4] = [200, 10, 20, 255];
const BLUE: [u8; 4] = [10, 20, 200, 255];

/// Every new part with its pixels.
fn new_parts(screen: &Screen) -> Vec<(Place, Vec<u8>)> {
    screen.paint(false, |picture, new| {
        new.iter()
            .map(|place| (*place, picture.rows(*place).collect::<Vec<_>>().concat()))
            .collect()
    })
}

#[test]
fn the_picture_is_what_came_and_only_what_is_new_is_painted() {
    let (screen, mut sink) = Screen::new();
    assert_eq!(screen.size(), (0, 0));
    sink(size(40, 30));
    let whole = Place { x: 0, y: 0, width: 40, height: 30 };
    assert_eq!(new_parts(&screen), [(whole, [0, 0, 0, 255].repeat(1200))]);
    assert_eq!(new_parts(&screen), []);
    sink(tile(4, 5, 3, 2, RED));
    sink(tile(30, 20, 2, 2, BLUE));
    let (first, second) = (Place { x: 4, y: 5, width: 3, height: 2 }, (30, 20));
    let parts = new_parts(&screen);
    assert_eq!(parts[0], (first, RED.repeat(6)));
    assert_eq!((parts[1].0.x, parts[1].0.y), second);
    // A larger part takes in a smaller one that has not been painted yet.
    sink(tile(4, 5, 3, 2, BLUE));
    sink(tile(0, 0, 10, 10, RED));
    assert_eq!(new_parts(&screen).len(), 1);
    // What does not lie on the desktop is left away.
    sink(tile(38, 29, 9, 9, BLUE));
    let corner = Place { x: 38, y: 29, width: 2, height: 1 };
    assert_eq!(new_parts(&screen), [(corner, BLUE.repeat(2))]);
    sink(tile(50, 50, 2, 2, BLUE));
    sink(FromRemote::Tile(Tile { place: whole, pixels: vec![1; 8] }));
    assert_eq!(new_parts(&screen), [], "nothing of it lies there, or it is too short");
}

#[test]
fn a_part_is_copied_and_never_from_or_to_outside() {
    let (screen, mut sink) = Screen::new();
    let copy = |from_x, from_y, x, y, width, height| {
        FromRemote::Copy(CopyRect { from_x, from_y, to: Place { x, y, width, height } })
    };
    sink(copy(0, 0, 1, 1, 2, 2));
    sink(size(4, 3));
    sink(tile(0, 0, 1, 1, RED));
    sink(tile(1, 0, 1, 1, BLUE));
    new_parts(&screen);
    // Over itself: what was there before is copied.
    sink(copy(0, 0, 1, 0, 2, 1));
    let place = Place { x: 1, y: 0, width: 2, height: 1 };
    assert_eq!(new_parts(&screen), [(place, [RED, BLUE].concat())]);
    sink(copy(1, 0, 3, 2, 9, 9));
    let corner = Place { x: 3, y: 2, width: 1, height: 1 };
    assert_eq!(new_parts(&screen), [(corner, RED.to_vec())]);
    for (from, to) in [(4, 0), (0, 4), (u16::MAX, 0), (0, u16::MAX)] {
        sink(copy(from, from, to, to, u16::MAX, u16::MAX));
    }
    assert_eq!(new_parts(&screen), [], "nothing of it lies there");
    sink(copy(0, 0, 0, 1, u16::MAX, u16::MAX));
    assert_eq!(new_parts(&screen)[0].0, Place { x: 0, y: 1, width: 4, height: 2 });
}

#[test]
fn many_small_changes_stay_few_parts() {
    let (screen, mut sink) = Screen::new();
    sink(size(400, 300));
    new_parts(&screen);
    for i in 0..200 {
        sink(tile(2 * i, i, 1, 1, RED));
    }
    let parts = new_parts(&screen);
    assert!(parts.len() < 60, "{}", parts.len());
    let red = |place: &Place, pixels: &[u8]| {
        pixels.chunks_exact(4).filter(|p| *p == RED).count() <= place.pixels()
    };
    assert!(parts.iter().all(|(place, pixels)| red(place, pixels)));
    let seen: usize =
        parts.iter().map(|(_, p)| p.chunks_exact(4).filter(|p| *p == RED).count()).sum();
    assert_eq!(seen, 200);
}

/// A window with a desktop of 640 × 400 in front.
fn desktop(fake: &Fake, keys: &RawKeys) -> (Window, Sink) {
    {
        let mut state = fake.lock();
        (state.connects, state.desktop) = (true, true);
    }
    let clock = Box::new(Instant::now);
    let mut window = window_hearing(fake, true, Prefs::load(None), clock, keys.clone());
    unlock(&mut window);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(egui::Key::Enter);
    sees(&mut window, "Bureau distant");
    until(&mut window, "the channel", |_| fake.lock().far.is_some());
    let mut far = fake.lock().far.take().expect("it was opened");
    far(size(640, 400));
    far(tile(0, 0, 640, 400, RED));
    until(&mut window, "the keyboard", focused);
    (window, far)
}

fn focused(window: &Window) -> bool {
    window.get_by_label("Bureau distant").accesskit_node().is_focused()
}

/// Where a pixel of the desktop is in the window: it lies in the middle, as large as
/// it fits.
fn at(window: &Window, x: f32, y: f32) -> Pos2 {
    let room = window.get_by_label("Bureau distant").rect();
    let scale = (room.width() / 640.0).min(room.height() / 400.0);
    let corner = room.center() - vec2(640.0, 400.0) * scale / 2.0;
    corner + vec2(x + 0.5, y + 0.5) * scale
}

fn did(fake: &Fake) -> Vec<String> {
    std::mem::take(&mut fake.lock().did)
}

fn key(place: KeyCode, meaning: Meaning, down: bool) -> RawKey {
    RawKey { place: PhysicalKey::Code(place), meaning, down }
}

fn letter(c: &str) -> Meaning {
    Meaning::Character(c.into())
}

#[test]
fn the_desktop_is_asked_for_in_the_size_of_its_room() {
    let fake = Fake::new();
    let (window, _far) = desktop(&fake, &RawKeys::default());
    let room = window.get_by_label("Bureau distant").rect();
    let (width, height) = ((room.width() as u16) & !1, room.height().round() as u16);
    let told = did(&fake);
    let last = told.iter().rfind(|did| did.starts_with("Resize") || did.starts_with("open"));
    let wanted = format!("Resize(ScreenSize {{ width: {width}, height: {height}, scale: 100 }})");
    assert_eq!(last, Some(&wanted), "{told:?}");
}

#[test]
fn the_mouse_goes_where_it_points() {
    let fake = Fake::new();
    let (mut window, _far) = desktop(&fake, &RawKeys::default());
    did(&fake);
    let press = |pos, pressed, button| Event::PointerButton {
        pos,
        button,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let there = at(&window, 320.0, 100.0);
    window.event(Event::PointerMoved(there));
    window.run_steps(2);
    window.event(press(there, true, PointerButton::Secondary));
    window.run_steps(1);
    let further = at(&window, 330.0, 100.0);
    window.event(Event::PointerMoved(further));
    window.event(press(further, false, PointerButton::Secondary));
    window.run_steps(1);
    let wheel = |delta| Event::MouseWheel {
        unit: MouseWheelUnit::Line,
        delta,
        phase: TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    };
    window.event(wheel(vec2(0.0, -1.0)));
    window.run_steps(1);
    let expected = [
        "Move { x: 320, y: 100 }",
        "Button { button: Right, down: true }",
        "Move { x: 330, y: 100 }",
        "Button { button: Right, down: false }",
        "Wheel { turn: -120, sideways: false }",
    ];
    assert_eq!(did(&fake), expected);
    // What is beside the desktop is not on it, but a drag is held to its edge.
    let outside = pos2(5.0, 5.0);
    window.event(press(outside, true, PointerButton::Primary));
    window.event(press(outside, false, PointerButton::Primary));
    window.run_steps(2);
    assert_eq!(did(&fake).iter().filter(|did| did.contains("Button")).count(), 0);
}

#[test]
fn keys_go_to_the_desktop_and_none_stays_down() {
    let fake = Fake::new();
    let keys = RawKeys::default();
    let (mut window, _far) = desktop(&fake, &keys);
    did(&fake);
    keys.push(key(KeyCode::ControlLeft, Meaning::Named(NamedKey::Control), true));
    keys.push(key(KeyCode::KeyQ, letter("a"), true));
    keys.push(key(KeyCode::KeyQ, letter("a"), false));
    window.run_steps(2);
    let locks = "Locks { caps: false, num: false, scroll: false }";
    assert_eq!(did(&fake), [locks, "down 1d", "down 10", "up 10"]);
    // The menu's keys.
    press(&mut window, "Touches");
    press(&mut window, "Ctrl+Alt+Suppr");
    let all = ["down 1d", "down 38", "down e053", "up e053", "up 38", "up 1d"];
    until(&mut window, "the keyboard back", focused);
    let told: Vec<String> = did(&fake).into_iter().filter(|d| !d.contains('{')).collect();
    // The menu had the keyboard meanwhile.
    assert_eq!(told, [&["LetGo"], &all[..]].concat());
    // Another page: what is held is let go of, and nothing is heard any more.
    window.get_by_role_and_label(Role::Button, "Équipe").click();
    gone(&mut window, "Bureau distant");
    assert!(did(&fake).contains(&"LetGo".to_owned()));
    keys.push(key(KeyCode::KeyQ, letter("a"), true));
    window.run_steps(2);
    assert_eq!(did(&fake), [""; 0]);
}

#[test]
fn the_clipboard_goes_with_the_keys_that_paste_and_comes_when_the_far_side_copies() {
    let fake = Fake::new();
    let keys = RawKeys::default();
    let (mut window, mut far) = desktop(&fake, &keys);
    did(&fake);
    keys.push(key(KeyCode::ControlLeft, Meaning::Named(NamedKey::Control), true));
    keys.push(key(KeyCode::KeyV, letter("v"), true));
    window.event(Event::Paste("de ce poste".to_owned()));
    window.run_steps(2);
    let locks = "Locks { caps: false, num: false, scroll: false }";
    assert_eq!(did(&fake), [locks, "down 1d", "clipboard de ce poste", "down 2f"]);
    far(FromRemote::Clipboard(SecretText::copy_of("du serveur")));
    let end = Instant::now() + Duration::from_secs(60);
    let copied = |c: &egui::OutputCommand| matches!(c, egui::OutputCommand::CopyText(text) if text == "du serveur");
    while !window.output().platform_output.commands.iter().any(copied) {
        assert!(Instant::now() < end, "it was never copied");
        window.run_steps(1);
    }
}

/// A file that a file manager drops.
#[derive(Debug)]
struct Falling(std::path::PathBuf);

impl egui::DroppedFile for Falling {
    fn path(&self) -> &std::path::Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("nobody reads it as a whole".into())
    }
}

#[test]
fn files_are_saved_from_the_desktop_and_dropped_on_it() {
    let fake = Fake::new();
    let (mut window, mut far) = desktop(&fake, &RawKeys::default());
    did(&fake);
    let room = tempfile::tempdir().expect("a folder");
    let file = |path: &[&str], size| CopiedFile {
        path: path.iter().map(|&name| name.to_owned()).collect(),
        size: Some(size),
        folder: false,
    };
    far(FromRemote::Files(FilesSaid::Copied(vec![file(&["devis.txt"], 4)])));
    // The desktop of this test has no chooser: the folder is typed.
    press(&mut window, "Enregistrer les fichiers copiés (1)…");
    until(&mut window, "the question", |w| {
        w.query_by_role_and_label(Role::TextInput, "Chemin du fichier").is_some()
    });
    let field = window.get_by_role_and_label(Role::TextInput, "Chemin du fichier");
    field.focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, egui::Key::A);
    window.event(Event::Text(room.path().display().to_string()));
    window.run_steps(2);
    press(&mut window, "Continuer");
    until(&mut window, "a piece is wanted", |_| {
        fake.lock().did.iter().any(|did| did.starts_with("Want("))
    });
    let told = did(&fake).into_iter().find(|did| did.starts_with("Want(")).expect("just seen");
    let ticket = told.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty());
    let ticket = ticket.and_then(|part| part.parse().ok()).expect("a number");
    assert!(told.ends_with("index: 0, offset: 0, length: 4 })"), "{told}");
    let late = Piece { ticket: ticket + 9, bytes: Some(b"faux".to_vec()) };
    far(FromRemote::Files(FilesSaid::Piece(late)));
    far(FromRemote::Files(FilesSaid::Piece(Piece { ticket, bytes: Some(b"juin".to_vec()) })));
    until(&mut window, "it is saved", |w| w.query_by_label_contains("Enregistré dans").is_some());
    assert_eq!(std::fs::read(room.path().join("devis.txt")).expect("it is there"), b"juin");

    // Dropped ones are offered, and read when they are wanted.
    let path = room.path().join("contrat.pdf");
    std::fs::write(&path, "0123456789").expect("ours");
    window.input_mut().dropped_files.push(std::sync::Arc::new(Falling(path)));
    until(&mut window, "the offer", |_| {
        fake.lock().did.iter().any(|did| did.starts_with("Offer("))
    });
    assert!(did(&fake).concat().contains("contrat.pdf"));
    far(FromRemote::Files(FilesSaid::Want(Want { ticket: 5, index: 0, offset: 3, length: 4 })));
    let given =
        format!("{:?}", FilesTold::Piece(Piece { ticket: 5, bytes: Some(b"3456".to_vec()) }));
    until(&mut window, "the piece", |_| fake.lock().did.contains(&given));
    // Names that would leave the folder are refused as a whole.
    far(FromRemote::Files(FilesSaid::Refused));
    until(&mut window, "a word on it", |w| w.query_by_label_contains("ils sont refusés").is_some());
    assert!(window.query_by_label_contains("Enregistrer les fichiers").is_none());
}

#[test]
fn the_pointer_is_that_of_the_desktop() {
    let fake = Fake::new();
    let (mut window, mut far) = desktop(&fake, &RawKeys::default());
    let there = at(&window, 10.0, 10.0);
    window.event(Event::PointerMoved(there));
    let icon = |w: &Window| w.output().platform_output.cursor_icon;
    window.run_steps(2);
    assert_ne!(icon(&window), egui::CursorIcon::None);
    far(FromRemote::Screen(ScreenSaid::Pointer(Pointer::Hidden)));
    until(&mut window, "no pointer", |w| icon(w) == egui::CursorIcon::None);
    far(FromRemote::Screen(ScreenSaid::Pointer(Pointer::Ordinary)));
    until(&mut window, "the pointer", |w| icon(w) != egui::CursorIcon::None);
}

#[test]
fn a_desktop_that_ends_says_why_and_keeps_its_last_picture() {
    let fake = Fake::new();
    let (mut window, mut far) = desktop(&fake, &RawKeys::default());
    far(FromRemote::Closed(Some(Failure {
        kind: FailureKind::Network,
        what: Bi::new("Une autre personne s’est connectée.", "Somebody else connected."),
        todo: Bi::new("Convenez-en avec elle.", "Agree with them."),
    })));
    sees(&mut window, "Une autre personne s’est connectée.");
    assert!(window.query_by_label("Bureau distant").is_some());
    until(&mut window, "the end in the log", |_| !fake.lock().closed.is_empty());
    press(&mut window, "Rouvrir");
    until(&mut window, "another channel", |_| fake.lock().far.is_some());
}

#[test]
fn the_whole_screen_holds_nothing_but_the_desktop() {
    let fake = Fake::new();
    let keys = RawKeys::default();
    let (mut window, far) = desktop(&fake, &keys);
    press(&mut window, "Plein écran");
    gone(&mut window, "Équipe");
    let room = window.get_by_label("Bureau distant").rect();
    assert!(room.width() > 1270.0 && room.height() > 710.0, "{room:?}");
    // The bar comes at the upper edge.
    window.event(Event::PointerMoved(pos2(640.0, 0.5)));
    sees(&mut window, "Quitter le plein écran");
    window.event(Event::PointerMoved(pos2(640.0, 400.0)));
    gone(&mut window, "Quitter le plein écran");
    window.key_press_modifiers(Modifiers::CTRL | Modifiers::ALT, egui::Key::Enter);
    sees(&mut window, "Équipe");
    window.key_press_modifiers(Modifiers::CTRL | Modifiers::ALT, egui::Key::Enter);
    gone(&mut window, "Équipe");
    // An end leaves nobody before a picture that fills the screen.
    drop(far);
    sees(&mut window, "Équipe");
}
