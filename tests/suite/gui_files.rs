//! Files that the window writes: whole, for their owner alone, and never in the
//! place of another without a question.

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use poterne::gui::dialogs::{Dialog, Outcome, dialog_ui};
use poterne::gui::files;
use poterne::gui::worker::Pick;
use poterne::gui::{fonts, theme};
use poterne::model::lang::Lang;

#[cfg(unix)]
#[test]
fn a_written_file_is_private_even_in_the_place_of_a_laxer_one() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("poterne-kit.pdf");
    std::fs::write(&file, "old").expect("ours");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("ours");
    files::write(&file, b"new").expect("there is room");
    assert_eq!(std::fs::read(&file).expect("ours"), b"new");
    assert_eq!(std::fs::metadata(&file).expect("ours").permissions().mode() & 0o777, 0o600);
    let names = std::fs::read_dir(folder.path()).expect("ours").count();
    assert_eq!(names, 1, "something stayed beside it");
}

#[cfg(unix)]
#[test]
fn a_file_replaced_is_another_one_so_that_the_old_is_whole_until_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, witness) = (folder.path().join("a.pdf"), folder.path().join("witness"));
    std::fs::write(&file, "old").expect("ours");
    std::fs::hard_link(&file, &witness).expect("ours");
    files::write(&file, b"new").expect("there is room");
    assert_eq!(std::fs::read(&witness).expect("ours"), b"old", "written in place");
}

/// The question for a path, and what came of it.
struct Asked {
    dialog: Dialog,
    answer: Option<std::path::PathBuf>,
    closed: bool,
}

fn ask(pick: Pick, path: String) -> Harness<'static, Asked> {
    let dialog = Dialog::Path { pick, path, asked: None };
    let mut prepared = false;
    let paint = move |ui: &mut egui::Ui, state: &mut Asked| {
        if !prepared {
            fonts::install(ui.ctx());
            theme::apply(ui.ctx(), theme::Theme::Light);
            prepared = true;
            return;
        }
        match dialog_ui(ui, &mut state.dialog, Lang::Fr, &mut Vec::new()) {
            Outcome::Path(_, path) => state.answer = Some(path),
            Outcome::Close => state.closed = true,
            _ => {}
        }
    };
    let state = Asked { dialog, answer: None, closed: false };
    let mut window = Harness::builder().with_size([800.0, 600.0]).build_ui_state(paint, state);
    window.run_steps(3);
    window
}

fn press(window: &mut Harness<'static, Asked>, label: &str) {
    window.get_by_role_and_label(Role::Button, label).click();
    window.run_steps(3);
}

#[test]
fn a_typed_path_replaces_a_file_only_after_a_second_press() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kit.pdf");
    std::fs::write(&file, "old").expect("ours");
    let mut window = ask(Pick::SaveKit, file.display().to_string());
    press(&mut window, "Continuer");
    assert!(window.state().answer.is_none() && !window.state().closed);
    window.get_by_label("Ce fichier existe déjà.");
    press(&mut window, "Remplacer");
    assert_eq!(window.state().answer.as_ref(), Some(&file));

    let new = folder.path().join("new.pdf");
    let mut window = ask(Pick::SaveKit, new.display().to_string());
    press(&mut window, "Continuer");
    assert_eq!(window.state().answer.as_ref(), Some(&new));

    // To read a file is no reason to ask.
    let mut window = ask(Pick::PrivateKey, file.display().to_string());
    press(&mut window, "Continuer");
    assert_eq!(window.state().answer.as_ref(), Some(&file));
}
