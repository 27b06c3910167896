//! The form and the ticket questions as they are painted, without an application:
//! what is typed lands in the model, what is wished comes back.

use std::cell::RefCell;
use std::rc::Rc;

use egui::accesskit::Role;
use egui::text_edit::TextEditState;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use poterne::gui::act::{Act, Acts, Guarded};
use poterne::gui::audit::model::AuditModel;
use poterne::gui::audit::view::audit_ui;
use poterne::gui::dialogs::justify::{JustifyModel, justify_ui};
use poterne::gui::entries::editor::Editor;
use poterne::gui::entries::editor_view::editor_ui;
use poterne::gui::fonts;
use poterne::gui::worker::Command;
use poterne::model::audit_event::{Event, OpenLine, field};
use poterne::model::entry::{ClientInfo, Kind};
use poterne::model::id::EntryId;
use poterne::model::lang::Lang;

type Shared<T> = Rc<RefCell<T>>;

fn shared<T>(value: T) -> Shared<T> {
    Rc::new(RefCell::new(value))
}

/// A window with Poterne's fonts, which egui has from its second frame on.
fn window(mut paint: impl FnMut(&mut egui::Ui) + 'static) -> Harness<'static> {
    let mut fonts = false;
    Harness::builder().with_size([1200.0, 1600.0]).build_ui(move |ui| {
        if std::mem::replace(&mut fonts, true) {
            paint(ui);
        } else {
            fonts::install(ui.ctx());
        }
    })
}

fn form(kind: &str, lang: Lang) -> (Shared<Editor>, Harness<'static>) {
    let form = shared(Editor::new(Kind::new(kind), "Dupont"));
    let held = form.clone();
    let window = window(move |ui| {
        editor_ui(ui, &mut held.borrow_mut(), lang, &mut Acts::new());
    });
    (form, window)
}

fn press(window: &mut Harness<'_>, role: Role, label: &str) {
    window.run_steps(3);
    window.get_by_role_and_label(role, label).click();
    window.run_steps(3);
}

fn fill(window: &mut Harness<'_>, role: Role, label: &str, text: &str) {
    window.get_by_role_and_label(role, label).focus();
    window.run_steps(2);
    window.event(egui::Event::Text(text.to_owned()));
    window.run_steps(2);
}

/// How many text fields egui remembers something of.
fn remembered(window: &Harness<'_>) -> usize {
    window.ctx.data(|data| data.count::<TextEditState>())
}

#[test]
fn what_becomes_a_secret_leaves_nothing_in_the_window() {
    let (form, mut window) = form("note", Lang::Fr);
    press(&mut window, Role::Button, "Ajouter un champ");
    fill(&mut window, Role::TextInput, "Nom du champ 1", "code");
    let choice = window.get_by_role_and_label(Role::CheckBox, "secret").rect();
    let value = window.get_by_role_and_label(Role::TextInput, "Valeur 1").rect();
    assert!(choice.right() <= value.left(), "secrecy is chosen before the value is typed");
    fill(&mut window, Role::TextInput, "Valeur 1", "sesame-4711");
    let before = remembered(&window);
    press(&mut window, Role::CheckBox, "secret");
    assert_eq!(remembered(&window), before - 1, "its undo history is gone");
    let row = &form.borrow().custom[0];
    assert!(row.secret && row.value.is_empty());
    assert!(row.hidden.expose(|text| text == "sesame-4711"));
    assert!(window.query_by_role_and_label(Role::PasswordInput, "Valeur 1").is_some());
    let tells = |node: egui_kittest::Node<'_>| {
        node.accesskit_node().value().is_some_and(|value| value.contains("4711"))
    };
    assert!(!window.root().children_recursive().any(tells));
}

#[test]
fn a_row_that_goes_takes_its_own_text_with_it() {
    let (form, mut window) = form("note", Lang::Fr);
    for (i, text) in ["un", "deux"].into_iter().enumerate() {
        press(&mut window, Role::Button, "Ajouter un champ");
        fill(&mut window, Role::TextInput, &format!("Nom du champ {}", i + 1), text);
        fill(&mut window, Role::TextInput, &format!("Valeur {}", i + 1), text);
    }
    press(&mut window, Role::Button, "Retirer le champ 1");
    window.get_by_role_and_label(Role::TextInput, "Valeur 1").focus();
    window.run_steps(2);
    window.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    window.run_steps(2);
    assert_ne!(form.borrow().custom[0].value, "un", "undo does not bring back another's value");
}

#[test]
fn enter_in_a_field_goes_on_and_presses_nothing() {
    let (form, mut window) = form("ssh", Lang::Fr);
    let mut steps = |from: Role, name: &str, to: Role, next: &str| {
        window.get_by_role_and_label(from, name).focus();
        window.run_steps(2);
        window.key_press(egui::Key::Enter);
        window.run_steps(3);
        let there = window.get_by_role_and_label(to, next);
        assert!(there.is_focused(), "after {name} comes {next}");
    };
    steps(Role::TextInput, "Port", Role::ComboBox, "Origine");
    steps(Role::TextInput, "Identifiant", Role::PasswordInput, "Mot de passe");
    steps(Role::PasswordInput, "Mot de passe", Role::Button, "Générer…");
    steps(Role::TextInput, "Expire le", Role::CheckBox, "Favori");
    assert!(!form.borrow().favourite);
    assert!(!egui::Popup::is_any_open(&window.ctx), "the list of sources is not opened");
}

#[test]
fn a_choice_is_offered_in_the_person_s_words() {
    for (lang, label, now, word) in [
        (Lang::Fr, "Méthode de connexion", "par défaut (Automatique)", "Clé privée"),
        (Lang::En, "Login method", "default (Automatic)", "SSH agent"),
    ] {
        let (form, mut window) = form("ssh", lang);
        let combo = window.get_by_role_and_label(Role::ComboBox, label);
        assert_eq!(combo.value().as_deref(), Some(now));
        combo.click();
        window.run_steps(3);
        press(&mut window, Role::Button, word);
        let stored = if lang == Lang::Fr { "publickey" } else { "agent" };
        assert_eq!(form.borrow().settings["auth"], stored);
        let combo = window.get_by_role_and_label(Role::ComboBox, label);
        assert_eq!(combo.value().as_deref(), Some(word));
    }
}

/// The pages that were to be opened.
#[test]
fn the_form_of_a_serial_port_asks_for_no_host_and_offers_the_ports_there_are() {
    let (form, mut window) = form("serial", Lang::En);
    window.run_steps(3);
    for label in ["Host", "User"] {
        assert!(window.query_by_role_and_label(Role::TextInput, label).is_none(), "{label}");
    }
    press(&mut window, Role::ComboBox, "Device");
    press(&mut window, Role::Button, "Aruba (115200 8N1)");
    assert_eq!(form.borrow().settings["profile"], "aruba");
    press(&mut window, Role::ComboBox, "Speed");
    press(&mut window, Role::Button, "19200 bit/s");
    assert_eq!(form.borrow().settings["speed"], "19200");
    press(&mut window, Role::Button, "Choose…");
    match poterne::os::serial::present().first() {
        Some(port) => {
            press(&mut window, Role::Button, port);
            assert_eq!(&form.borrow().settings["device"], port);
        }
        None => assert!(window.query_by_label("There is none at the moment.").is_some()),
    }
}

fn browsed(acts: &Acts) -> Vec<String> {
    let page = |act: &Act| match act {
        Act::Send(Command::Browse(page)) => Some(page.clone()),
        _ => None,
    };
    acts.iter().filter_map(page).collect()
}

#[test]
fn the_ticket_question_opens_the_ticket_that_is_typed() {
    let info = ClientInfo {
        ticket_required: true,
        ticket_url: "https://glpi.example/{ticket}".to_owned(),
        ..ClientInfo::default()
    };
    let id = EntryId([1; 16]);
    let model = shared(JustifyModel::new(id, Guarded::Connect, "Dupont", &info, ""));
    let acts = shared(Acts::new());
    let (held, wished) = (model.clone(), acts.clone());
    let mut window = window(move |ui| {
        justify_ui(ui, &mut held.borrow_mut(), Lang::Fr, &mut wished.borrow_mut());
    });
    press(&mut window, Role::Button, "Ouvrir le ticket");
    assert!(browsed(&acts.borrow()).is_empty(), "no number, no page");
    fill(&mut window, Role::TextInput, "Numéro de ticket", "GLPI 42/1");
    press(&mut window, Role::Button, "Ouvrir le ticket");
    assert_eq!(browsed(&acts.borrow()), ["https://glpi.example/GLPI%2042%2F1"]);
    model.borrow_mut().info.ticket_url.clear();
    window.run_steps(2);
    assert!(window.query_by_label("Ouvrir le ticket").is_none());
}

#[test]
fn a_line_of_the_log_leads_to_its_ticket_for_those_who_see_clients() {
    let mut line = OpenLine::empty();
    line.event = Event::SecretRevealed;
    let id = EntryId([7; 16]);
    for (name, value) in
        [(field::CLIENT, "Dupont"), (field::ENTRY_ID, &id.to_string()), (field::TICKET, "GLPI-1")]
    {
        line.fields.push((name.to_owned(), value.to_owned()));
    }
    let mut model = AuditModel::default();
    (model.browse, model.loaded) = (true, true);
    (model.lines, model.chosen) = (vec![line], Some(0));
    let model = shared(model);
    let acts = shared(Acts::new());
    let (held, wished) = (model.clone(), acts.clone());
    let mut window = window(move |ui| {
        audit_ui(ui, &mut held.borrow_mut(), Lang::Fr, &mut wished.borrow_mut());
    });
    press(&mut window, Role::Button, "Ouvrir le ticket");
    let wanted = |act: &Act| {
        let Act::OpenTicket(ticket, entry, client) = act else { return false };
        ticket == "GLPI-1" && *entry == Some(id) && client == "Dupont"
    };
    assert!(acts.borrow().iter().any(wanted));
    model.borrow_mut().browse = false;
    window.run_steps(2);
    assert!(window.query_by_label("Ouvrir le ticket").is_none());
}
