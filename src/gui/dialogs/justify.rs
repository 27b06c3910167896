//! Ticket and reason, where a client asks for them. The application alone
//! checks the ticket's form; its refusal is shown here.

use egui::{TextEdit, Ui};

use crate::app::api::{AppError, Justification};
use crate::connect::web;
use crate::gui::act::{Act, Acts, Guarded};
use crate::gui::text::{self, t};
use crate::gui::theme::primary_button;
use crate::gui::widgets::parts;
use crate::gui::worker::Command;
use crate::model::entry::{ClientInfo, Slot};
use crate::model::id::EntryId;
use crate::model::lang::Lang;

use super::{Outcome, error_ui, middle_ui, title_ui};

/// State of the question.
pub struct JustifyModel {
    /// The entry.
    pub id: EntryId,
    /// What is to be done.
    pub what: Guarded,
    /// Name of the client that asks.
    pub client: String,
    /// What it asks for.
    pub info: ClientInfo,
    /// What is typed.
    pub ticket: String,
    /// What is typed.
    pub reason: String,
    /// The application looks at it.
    pub waiting: bool,
    /// Why it refused.
    pub error: Option<AppError>,
    /// Give the keyboard to the first field.
    pub focus: bool,
}

impl JustifyModel {
    /// A question for `what`, with the last ticket given for this client.
    pub fn new(id: EntryId, what: Guarded, client: &str, info: &ClientInfo, last: &str) -> Self {
        Self {
            id,
            what,
            client: client.to_owned(),
            info: info.clone(),
            ticket: last.to_owned(),
            reason: String::new(),
            waiting: false,
            error: None,
            focus: true,
        }
    }

    /// Whether what is required is there.
    pub fn ready(&self) -> bool {
        !self.waiting
            && (!self.info.ticket_required || !self.ticket.trim().is_empty())
            && (!self.info.reason_required || !self.reason.trim().is_empty())
    }

    /// The page of the ticket, once there is one.
    pub fn page(&self) -> Option<String> {
        web::ticket_page(&self.info.ticket_url, &self.ticket)
    }

    /// What is typed, for the application.
    pub fn justification(&self) -> Justification {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        Justification { ticket: given(&self.ticket), reason: given(&self.reason) }
    }

    /// The application refused it.
    pub fn refused(&mut self, error: AppError) {
        self.waiting = false;
        self.error = Some(error);
        self.focus = true;
    }
}

/// What is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Ticket,
    Reason,
}

fn field_ui(ui: &mut Ui, field: Field, model: &mut JustifyModel, lang: Lang) -> egui::Response {
    let (label, value) = match (field, model.info.ticket_required, model.info.reason_required) {
        (Field::Ticket, false, true) => {
            let label = t(lang, "Numéro de ticket (facultatif)", "Ticket number (optional)");
            (label, &mut model.ticket)
        }
        (Field::Reason, true, false) => {
            (t(lang, "Motif (facultatif)", "Reason (optional)"), &mut model.reason)
        }
        // Required, or asked for by a client whose rule is not known here.
        (Field::Ticket, ..) => (t(lang, "Numéro de ticket", "Ticket number"), &mut model.ticket),
        (Field::Reason, ..) => (t(lang, "Motif", "Reason"), &mut model.reason),
    };
    let label = ui.label(label);
    let edit = TextEdit::singleline(value).desired_width(f32::INFINITY);
    let out = ui.add(edit).labelled_by(label.id);
    if field == Field::Ticket && !model.info.ticket_pattern.is_empty() {
        let form = format!(
            "{} {}",
            t(lang, "Forme attendue\u{a0}:", "Expected form:"),
            model.info.ticket_pattern
        );
        ui.weak(form);
    }
    out
}

/// What follows the answer, in words.
fn purpose(what: &Guarded, lang: Lang) -> String {
    let code = text::slot(&Slot::Totp, lang);
    match what {
        Guarded::Reveal(slot) => {
            text::named(t(lang, "Afficher", "Show"), &text::slot(slot, lang), lang)
        }
        Guarded::Copy(slot) => {
            text::named(t(lang, "Copier", "Copy"), &text::slot(slot, lang), lang)
        }
        Guarded::Totp => text::named(t(lang, "Afficher", "Show"), &code, lang),
        Guarded::CopyTotp => text::named(t(lang, "Copier", "Copy"), &code, lang),
        Guarded::SaveAttachment(name, _) => text::named(t(lang, "Enregistrer", "Save"), name, lang),
        Guarded::TakeSnapshot => {
            t(lang, "Relever la configuration", "Read the configuration").to_owned()
        }
        Guarded::ShowSnapshot(n) => {
            format!("{} {n}", t(lang, "Afficher le relevé", "Show snapshot"))
        }
        Guarded::CopySnapshot(n) => {
            format!("{} {n}", t(lang, "Copier le relevé", "Copy snapshot"))
        }
        Guarded::CompareSnapshots(from, to) => {
            format!("{} {from} → {to}", t(lang, "Comparer les relevés", "Compare snapshots"))
        }
        Guarded::Visit => t(lang, "Ouvrir dans le navigateur", "Open in the browser").to_owned(),
        Guarded::Connect | Guarded::Retry(_) => t(lang, "Se connecter", "Connect").to_owned(),
    }
}

/// Paints the question.
pub fn justify_ui(ui: &mut Ui, model: &mut JustifyModel, lang: Lang, acts: &mut Acts) -> Outcome {
    title_ui(ui, t(lang, "Motif de l’accès", "Reason for access"));
    let client = match model.client.as_str() {
        "" => t(lang, "Le client", "The client"),
        name => name,
    };
    let text = match lang {
        Lang::Fr => {
            format!("{client} demande de justifier cet accès\u{a0}; ce sera inscrit au journal.")
        }
        Lang::En => format!("{client} asks for a reason; it goes into the log."),
    };
    let enter = middle_ui(ui, |ui| fields_ui(ui, model, &text, lang, acts));
    error_ui(ui, lang, model.error.as_ref());
    ui.add_space(12.0);
    let mut outcome = Outcome::Open;
    ui.horizontal_wrapped(|ui| {
        let button = primary_button(ui.ctx(), t(lang, "Continuer", "Continue"));
        let go = ui.add_enabled(model.ready(), button).clicked() || (enter && model.ready());
        if go {
            model.waiting = true;
            model.error = None;
            acts.push(Act::Justified(model.id, model.what.clone(), model.justification()));
        }
        if ui.button(t(lang, "Annuler", "Cancel")).clicked() {
            outcome = Outcome::Close;
        }
        if model.waiting {
            ui.spinner();
        }
    });
    outcome
}

/// What it is for, and the fields; true for Enter in one of them.
fn fields_ui(
    ui: &mut Ui,
    model: &mut JustifyModel,
    text: &str,
    lang: Lang,
    acts: &mut Acts,
) -> bool {
    ui.label(parts::bold(purpose(&model.what, lang)));
    ui.add(egui::Label::new(text).wrap());
    ui.add_space(6.0);
    let focus = std::mem::take(&mut model.focus);
    let mut enter = false;
    let ticket_first = model.info.ticket_required || !model.info.reason_required;
    let fields =
        if ticket_first { [Field::Ticket, Field::Reason] } else { [Field::Reason, Field::Ticket] };
    // What is refused is mended where it stands; else the first empty field is next.
    let asks = |field: Field| match (field, &model.error) {
        (Field::Ticket, Some(_)) => true,
        (Field::Reason, Some(_)) => false,
        (Field::Ticket, None) => model.ticket.is_empty() && ticket_first,
        (Field::Reason, None) => !model.ticket.is_empty() || !ticket_first,
    };
    let wanted = fields.into_iter().find(|f| asks(*f));
    let mut ids = [None; 2];
    for (field, id) in fields.into_iter().zip(&mut ids) {
        let out = field_ui(ui, field, model, lang);
        if focus && wanted == Some(field) {
            out.request_focus();
        }
        if out.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter)) {
            enter = true;
        }
        *id = Some(out.id);
        ui.add_space(4.0);
    }
    if enter && !model.ready() {
        let lacks = |field: &Field| match field {
            Field::Ticket => model.info.ticket_required && model.ticket.trim().is_empty(),
            Field::Reason => model.info.reason_required && model.reason.trim().is_empty(),
        };
        let next = fields.iter().position(lacks).and_then(|i| ids[i]);
        if let Some(id) = next {
            ui.memory_mut(|m| m.request_focus(id));
        }
    }
    if !model.info.ticket_url.is_empty() {
        let page = model.page();
        let open = egui::Button::new(t(lang, "Ouvrir le ticket", "Open the ticket")).small();
        let out = ui.add_enabled(page.is_some(), open);
        if let Some(page) = page
            && out.on_hover_text(&page).clicked()
        {
            acts.push(Act::Send(Command::Browse(page)));
        }
    }
    enter
}
