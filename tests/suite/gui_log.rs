//! The log page: days as typed, the name of an export, what it replaces, and
//! lines that come while it is looked at.

use std::path::Path;

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use jiff::civil::{Date, date};
use poterne::app::api::ExportFormat;
use poterne::gui::act::Act;
use poterne::gui::audit::model::{AuditModel, DateFault, Period};
use poterne::gui::text::read_day as day;
use poterne::gui::worker::Command;
use poterne::model::audit_event::{AuditFilter, Event, OpenLine};
use poterne::model::lang::Lang;
use poterne::model::time::Time;

use crate::gui_fake::Fake;
use crate::kit_gui::{fill, opened, press, sees, until};

const TODAY: Date = date(2026, 11, 27);

#[allow(clippy::field_reassign_with_default, reason = "the model has fields of its own")]
fn chosen(from: &str, to: &str) -> AuditModel {
    let mut model = AuditModel::default();
    model.period = Period::Chosen;
    model.from = from.to_owned();
    model.to = to.to_owned();
    model
}

fn line(seq: u64) -> OpenLine {
    OpenLine {
        seq,
        at: Time::from_unix_seconds(1_795_000_000),
        actor: None,
        event: Event::Unlocked,
        ok: true,
        fields: Vec::new(),
        leaf_hash: String::new(),
    }
}

#[test]
fn a_year_of_two_digits_is_of_this_century() {
    for text in ["31/12/26", "31.12.2026", " 2026-12-31 ", "31 / 12 / 26"] {
        assert_eq!(day(text), Some(date(2026, 12, 31)), "{text}");
    }
    for text in ["", "31/02/26", "12/31/2026", "1/1/6", "1/1/126", "1/1/20260", "1/1", "x"] {
        assert_eq!(day(text), None, "{text}");
    }
}

#[test]
fn a_day_that_cannot_be_read_filters_and_exports_nothing() {
    let mut model = chosen("31/02/2026", "");
    assert_eq!(model.date_faults()[0], Some(DateFault::Unreadable("31/02/2026".to_owned())));
    assert!(model.filter(TODAY).is_none());
    assert!(model.ask(TODAY).is_none());
    assert!(!model.waiting);
    model.open_export(Path::new("/tmp"), TODAY);
    assert!(model.export_request(TODAY, Lang::Fr, |_| false).is_none());
    assert_eq!(chosen("02/01/2026", "01/01/2026").date_faults()[1], Some(DateFault::Reversed));

    let filter = chosen("01/02/26", "").filter(TODAY).expect("a day and no limit");
    assert!(filter.since.is_some() && filter.until.is_none());
    // What is typed counts only while it is shown.
    let mut other = chosen("x", "y");
    other.period = Period::All;
    assert_eq!(other.filter(TODAY), Some(AuditFilter::default()));
}

#[test]
fn an_export_is_named_after_its_day_and_its_client() {
    let mut model = AuditModel::default();
    let name = model.export_name(ExportFormat::Bundle, TODAY);
    assert_eq!(name, "poterne-journal-2026-11-27.zip");
    model.client = "Mairie : Œuvre/Nord".to_owned();
    let name = model.export_name(ExportFormat::Csv, TODAY);
    assert_eq!(name, "poterne-journal-Mairie---Œuvre-Nord-2026-11-27.csv");
}

#[test]
fn an_export_replaces_a_file_only_when_told_so() {
    let mut model = AuditModel::default();
    model.open_export(Path::new("/tmp"), TODAY);
    let sent = |act: Option<Act>| match act {
        Some(Act::Send(Command::Export(request, _))) => Some(request.out),
        _ => None,
    };
    assert!(sent(model.export_request(TODAY, Lang::Fr, |_| true)).is_none());
    let export = model.export.as_mut().expect("just opened");
    assert!(export.asks && !export.waiting);
    // A yes is for the file that was shown, and for once.
    export.agree();
    export.out = "/tmp/autre.zip".to_owned();
    assert!(sent(model.export_request(TODAY, Lang::Fr, |_| true)).is_none());
    model.export.as_mut().expect("open").agree();
    let out = sent(model.export_request(TODAY, Lang::Fr, |_| true)).expect("agreed");
    assert_eq!(out, Path::new("/tmp/autre.zip"));
    model.export.as_mut().expect("open").over();
    assert!(sent(model.export_request(TODAY, Lang::Fr, |_| true)).is_none());
    assert!(sent(model.export_request(TODAY, Lang::Fr, |_| false)).is_some());
}

#[test]
fn new_lines_leave_the_chosen_one_and_the_view_where_they_are() {
    let mut model = AuditModel::default();
    assert!(model.ask(TODAY).is_some());
    model.answer(Ok(vec![line(1), line(2)]), TODAY);
    model.chosen = Some(1);
    assert!(model.ask(TODAY).is_some());
    model.answer(Ok(vec![line(1), line(2), line(3)]), TODAY);
    assert_eq!((model.chosen, model.grown), (Some(2), 1));
    // Another filter is another list.
    model.period = Period::All;
    model.grown = 0;
    assert!(model.ask(TODAY).is_some());
    model.answer(Ok(vec![line(2), line(3), line(4)]), TODAY);
    assert_eq!((model.chosen, model.grown), (None, 0));
}

#[test]
fn the_page_says_which_day_it_cannot_read() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    until(&mut window, "lines", |w| w.query_all_by_role(Role::ListItem).count() > 5);
    window.get_by_role_and_label(Role::ComboBox, "Période").click();
    window.run_steps(3);
    press(&mut window, "Du… au…");
    fill(&mut window, Role::TextInput, "Du", "31/02/26");
    sees(
        &mut window,
        "«\u{a0}31/02/26\u{a0}» n’est pas une date. Écrivez-la jj/mm/aaaa, ou videz le champ.",
    );
    let export = window.get_by_role_and_label(Role::Button, "Exporter…");
    assert!(egui_kittest::kittest::NodeT::accesskit_node(&export).is_disabled());
}

/// How often the log was read.
#[test]
fn a_line_in_full_takes_no_more_room_from_frame_to_frame() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    until(&mut window, "lines", |w| w.query_all_by_role(Role::ListItem).count() > 5);
    let line = window.query_all_by_role(Role::ListItem).nth(2).expect("seen above");
    line.click();
    sees(&mut window, "Numéro");
    let left = |w: &crate::kit_gui::Window| w.get_by_label("Numéro").rect().left();
    window.run_steps(4);
    let before = left(&window);
    window.run_steps(20);
    assert_eq!(left(&window), before);
}

fn read(fake: &Fake) -> usize {
    fake.asked().iter().filter(|a| *a == "log").count()
}

#[test]
fn the_log_is_read_anew_when_it_is_opened_after_an_export_and_on_demand() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").tells_log = true;
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    until(&mut window, "the first time", |_| read(&fake) == 1);
    press(&mut window, "Accès");
    press(&mut window, "Journal");
    until(&mut window, "opened again", |_| read(&fake) == 2);
    press(&mut window, "Actualiser");
    until(&mut window, "on demand", |_| read(&fake) == 3);
    press(&mut window, "Exporter…");
    press(&mut window, "Exporter");
    sees(&mut window, "60 lignes écrites.");
    until(&mut window, "after the export", |_| read(&fake) == 4);
    window.run_steps(6);
    assert_eq!(read(&fake), 4, "once for each");
}

#[test]
fn every_file_of_an_export_is_named() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").parts = vec!["/tmp/rapport-2.pdf".into()];
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    press(&mut window, "Exporter…");
    press(&mut window, "Exporter");
    until(&mut window, "the second file", |w| {
        w.query_by_label_contains("/tmp/rapport-2.pdf").is_some()
    });
}

#[test]
fn a_click_beside_the_dialog_ends_no_export() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    press(&mut window, "Journal");
    press(&mut window, "Exporter…");
    fake.0.lock().expect("ours").endless_export = true;
    press(&mut window, "Exporter");
    sees(&mut window, "Avancement de l’export");
    let beside = egui::pos2(20.0, 700.0);
    window.event(egui::Event::PointerMoved(beside));
    for pressed in [true, false] {
        window.event(egui::Event::PointerButton {
            pos: beside,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
        window.run_steps(2);
    }
    let cancel = window.get_by_role_and_label(Role::Button, "Annuler l’export");
    assert!(!egui_kittest::kittest::NodeT::accesskit_node(&cancel).is_disabled(), "given up");
    fake.0.lock().expect("ours").endless_export = false;
    sees(&mut window, "60 lignes écrites.");
}
