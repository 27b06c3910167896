//! The window with little room, as on a small screen or enlarged: titles and
//! buttons of dialogs stay in sight, nothing runs off the edge or is cut, and
//! what a refusal says covers nothing.

use egui::accesskit::Role as Kind;
use egui::{Key, Modifiers, Rect, pos2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use poterne::gui::entries::editor::Editor;
use poterne::gui::guide::model::{GuideModel, Purpose};
use poterne::gui::team::model::{Sheet, TeamModel};
use poterne::model::entry;

use crate::gui_fake::{CODE, Fake, PASSWORD};
use crate::kit_gui::{Window, fill, find, gone, opened, press, sees, until};

const CTRL_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };
const BASE: &str = "Boulangerie Dupont/Serveurs/srv-base-01";
const WEB: &str = "Boulangerie Dupont/Serveurs/srv-web-01";

/// The window over an open vault with `width` by `height` points.
fn small(fake: &Fake, width: f32, height: f32) -> Window {
    let mut window = opened(fake);
    window.set_size(vec2(width, height));
    window.run_steps(4);
    window
}

fn rect(window: &Window, label: &str) -> Rect {
    window.get_all_by_label(label).next().expect("it was seen").rect()
}

fn inside(window: &Window, label: &str, width: f32, height: f32) {
    let (all, at) = (Rect::from_min_max(pos2(0.0, 0.0), pos2(width, height)), rect(window, label));
    assert!(all.contains_rect(at), "{label} at {at:?} is outside of {all:?}");
}

fn shows(window: &mut Window, query: &str, path: &str) {
    find(window, query, path);
    window.key_press(Key::ArrowDown);
    sees(window, "Modifier");
}

#[test]
fn title_and_buttons_of_every_dialog_stay_in_sight() {
    let fake = Fake::new();
    // 760 x 460 at 150 %.
    let (width, height) = (506.0, 306.0);
    let mut window = small(&fake, width, height);
    window.key_press(Key::F1);
    sees(&mut window, "Raccourcis");
    window.run_steps(4);
    inside(&window, "Raccourcis", width, height);
    inside(&window, "Fermer", width, height);
    window.key_press(Key::Escape);
    gone(&mut window, "Fermer");

    window.key_press_modifiers(Modifiers::COMMAND, Key::G);
    sees(&mut window, "Mot de passe généré");
    window.run_steps(4);
    inside(&window, "Générer un mot de passe", width, height);
    inside(&window, "Copier", width, height);
    window.key_press(Key::Escape);
    gone(&mut window, "Mot de passe généré");

    window.key_press_modifiers(Modifiers::ALT, Key::Num2);
    press(&mut window, "Exporter…");
    sees(&mut window, "Exporter le journal");
    window.run_steps(4);
    inside(&window, "Exporter le journal", width, height);
    inside(&window, "Exporter", width, height);
    // Nor does what went wrong push them out.
    fake.0.lock().expect("ours").export_asks = true;
    press(&mut window, "Exporter");
    sees(&mut window, "Motif");
    window.run_steps(4);
    inside(&window, "Exporter le journal", width, height);
    inside(&window, "Exporter", width, height);
}

#[test]
fn enter_in_a_field_of_the_export_exports_and_a_corrected_refusal_goes() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").export_asks = true;
    let mut window = opened(&fake);
    window.key_press_modifiers(Modifiers::ALT, Key::Num2);
    press(&mut window, "Exporter…");
    let file = std::env::temp_dir().join("poterne-test-export-enter.zip");
    let _ = std::fs::remove_file(&file);
    press(&mut window, "Exporter");
    sees(&mut window, "Numéro de ticket");
    let refusal = "«\u{a0}Clinique\u{a0}» demande son ticket.";
    sees(&mut window, refusal);
    fill(&mut window, Kind::TextInput, "Numéro de ticket", "GLPI-4211");
    gone(&mut window, refusal);
    fill(&mut window, Kind::TextInput, "Motif", "audit");
    window.key_press(Key::Enter);
    until(&mut window, "the export", |_| fake.asked().contains(&"export bundle GLPI-4211".into()));
}

#[test]
fn an_enter_too_many_replaces_no_file() {
    let fake = Fake::new();
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut window = opened(&fake);
    window.key_press_modifiers(Modifiers::ALT, Key::Num2);
    press(&mut window, "Exporter…");
    sees(&mut window, "Fichier");
    window.get_by_role_and_label(Kind::TextInput, "Fichier").focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text(file.path().display().to_string()));
    window.run_steps(2);
    window.key_press(Key::Enter);
    sees(&mut window, "Ce fichier existe déjà.");
    window.run_steps(4);
    assert!(window.get_by_role_and_label(Kind::Button, "Ne pas remplacer").is_focused());
    window.key_press(Key::Enter);
    gone(&mut window, "Ce fichier existe déjà.");
    assert!(fake.asked().is_empty());
    sees(&mut window, "Exporter le journal");
}

#[test]
fn what_the_bar_has_no_room_for_is_in_a_menu() {
    let fake = Fake::new();
    // 1280 x 720 at 200 %, and the smallest window at 200 %.
    for (width, height) in [(640.0, 360.0), (380.0, 240.0)] {
        let mut window = small(&fake, width, height);
        for label in ["Accès", "Rechercher", "Autres commandes", "Verrouiller"] {
            inside(&window, label, width, height);
        }
        press(&mut window, "Autres commandes");
        for label in ["Clair ou sombre", "English", "Raccourcis (F1)"] {
            inside(&window, label, width, height);
        }
        press(&mut window, "English");
        sees(&mut window, "More commands");
        inside(&window, "Entries", width, height);
    }
}

#[test]
fn fields_keep_their_width_where_the_form_is_narrow() {
    let fake = Fake::new();
    let mut window = small(&fake, 640.0, 360.0);
    window.key_press_modifiers(CTRL_SHIFT, Key::N);
    sees(&mut window, "Nom");
    window.run_steps(4);
    let name = window.get_by_role_and_label(Kind::TextInput, "Nom").rect();
    assert!(name.width() >= 250.0, "{name:?}");
    let label = window.get_by_role_and_label(Kind::Label, "Nom").rect();
    assert!(label.bottom() <= name.top(), "the label stands above");
}

#[test]
fn what_is_wrong_moves_no_field_where_the_form_is_narrow() {
    let fake = Fake::new();
    let mut window = small(&fake, 640.0, 720.0);
    window.key_press_modifiers(CTRL_SHIFT, Key::N);
    fill(&mut window, Kind::TextInput, "Nom", "a");
    window.run_steps(4);
    let fields = |window: &Window| -> Vec<Rect> {
        window.query_all_by_role(Kind::TextInput).map(|field| field.rect()).collect()
    };
    let before = fields(&window);
    assert!(before.len() > 3, "{before:?}");
    let fault = "Un nom n’a pas de «\u{a0}/\u{a0}».";
    fill(&mut window, Kind::TextInput, "Nom", "/");
    sees(&mut window, fault);
    window.run_steps(4);
    assert_eq!(fields(&window), before);
    let name = window.get_by_role_and_label(Kind::TextInput, "Nom").rect();
    assert!(rect(&window, fault).bottom() <= name.top(), "it is not above its field");
}

#[test]
fn tags_go_to_the_next_line_and_none_is_cut() {
    let fake = Fake::new();
    let tags: Vec<String> = (0..30).map(|n| format!("étiquette-{n:02}")).collect();
    let mut held = fake.0.lock().expect("ours");
    for entry in held.entries.iter_mut().filter(|e| e.name == "srv-base-01") {
        entry.tags.clone_from(&tags);
    }
    drop(held);
    let mut window = opened(&fake);
    shows(&mut window, "srv-base", BASE);
    sees(&mut window, &tags[29]);
    window.run_steps(4);
    for tag in &tags {
        let at = rect(&window, tag);
        assert!(at.right() <= 1280.0 && at.height() < 24.0, "{tag}: {at:?}");
    }
}

/// The window with a refusal on screen.
fn refused(fake: &Fake) -> Window {
    let mut window = opened(fake);
    shows(&mut window, "srv-base", BASE);
    window.key_press(Key::Escape);
    window.run_steps(3);
    delete(&mut window, fake, true);
    sees(&mut window, REFUSAL);
    window
}

const REFUSAL: &str = "Ce client demande un numéro de ticket.";

fn delete(window: &mut Window, fake: &Fake, refuses: bool) {
    fake.0.lock().expect("ours").refuses = refuses;
    window.key_press_modifiers(Modifiers::COMMAND, Key::Delete);
    press(window, "Mettre à la corbeille");
}

#[test]
fn a_refusal_covers_nothing_and_escape_closes_it() {
    let fake = Fake::new();
    let mut window = refused(&fake);
    window.run_steps(4);
    let top = rect(&window, REFUSAL).top() - 12.0;
    for button in window.query_all_by_role(Kind::Button) {
        let (name, at) = (button.accesskit_node().label(), button.rect());
        if name.as_deref() != Some("Compris") {
            assert!(at.bottom() <= top, "{name:?} at {at:?} lies below {top}");
        }
    }
    window.key_press(Key::Escape);
    gone(&mut window, REFUSAL);
    sees(&mut window, "Se connecter");
}

#[test]
fn a_refusal_goes_with_another_page_and_with_what_succeeds_later() {
    let fake = Fake::new();
    let mut window = refused(&fake);
    press(&mut window, "Équipe");
    gone(&mut window, REFUSAL);

    let mut window = refused(&fake);
    delete(&mut window, &fake, false);
    gone(&mut window, REFUSAL);
}

#[test]
fn another_entry_leaves_a_refusal_behind() {
    let fake = Fake::new();
    let mut window = refused(&fake);
    fake.0.lock().expect("ours").refuses = false;
    find(&mut window, "srv-web", WEB);
    window.key_press(Key::ArrowDown);
    gone(&mut window, REFUSAL);
}

#[test]
fn the_name_of_a_computer_is_taken_with_enter() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Réglages");
    press(&mut window, "Postes");
    fill(&mut window, Kind::PasswordInput, "Mot de passe actuel", PASSWORD);
    fill(&mut window, Kind::PasswordInput, "Un nouveau code du téléphone", CODE);
    fill(&mut window, Kind::TextInput, "Nom du poste", "portable");
    window.key_press(Key::Enter);
    sees(&mut window, "Code à usage unique");
}

#[test]
fn a_field_that_was_only_added_is_no_fault_and_is_not_saved() {
    let mut form = Editor::new(entry::Kind::new("ssh"), "Dupont");
    form.name = "srv-1".to_owned();
    form.add_custom();
    assert!(form.faults().is_empty());
    assert!(form.patch().custom.is_empty());
    form.custom[0].value = "B2".to_owned();
    let fault = form.faults().remove("custom").expect("a value without a name is lost");
    assert!(fault.en.contains("needs a name"), "{}", fault.en);
}

#[test]
fn who_is_invited_is_given_no_client_unasked() {
    let mut team = TeamModel::default();
    team.invite();
    let Some(Sheet::Form(form)) = &team.sheet else { panic!("the form opens") };
    assert!(!form.all_clients && form.clients.is_empty());
}

#[test]
fn the_chooser_proposes_the_name_in_the_field() {
    let mut guide = GuideModel::new(Purpose::Create, "/home/a/coffre.poterne", "a", false);
    assert_eq!(guide.file_name(), "coffre.poterne");
    guide.file = "/home/a/agence.poterne".to_owned();
    assert_eq!(guide.file_name(), "agence.poterne");
}

#[test]
fn the_settings_in_effect_show_a_long_host_whole() {
    let fake = Fake::new();
    let host = format!("{}.{}.example", "srv-".repeat(12), "intranet-de-l-atelier-".repeat(2));
    let change = |entry: &mut entry::Entry| entry.host.clone_from(&host);
    fake.0.lock().unwrap().entries.iter_mut().filter(|e| e.name == "srv-web-01").for_each(change);
    let mut window = opened(&fake);
    shows(&mut window, "srv-web", WEB);
    // In its own field, and once more where settings in effect are told.
    until(&mut window, "the host twice", |w| w.get_all_by_label(&host).count() == 2);
}

/// What is painted within this part of the window, as text.
fn painted(window: &Window, within: Rect) -> Vec<String> {
    fn texts(shape: &egui::Shape, within: Rect, found: &mut Vec<String>) {
        match shape {
            egui::Shape::Vec(shapes) => shapes.iter().for_each(|s| texts(s, within, found)),
            egui::Shape::Text(text) if within.contains(text.visual_bounding_rect().center()) => {
                found.push(text.galley.text().to_owned());
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    window.output().shapes.iter().for_each(|s| texts(&s.shape, within, &mut found));
    found
}

#[test]
fn a_client_that_was_found_has_a_second_line_too() {
    let mut window = opened(&Fake::new());
    find(&mut window, "boulangerie", "Boulangerie Dupont");
    let row = rect(&window, "Boulangerie Dupont");
    let lines = painted(&window, row);
    assert!(lines.contains(&"Client".to_owned()), "{lines:?}");
}
