//! What a device asks before its configuration is read: as a session asks it. Closing
//! the dialog gives up.

use std::sync::atomic::Ordering;

use egui::Ui;

use crate::connect::Answer;
use crate::gui::asking::Asked;
use crate::gui::sessions::pages::{Chosen, question_ui as asked_ui};
use crate::gui::widgets::secret_buffer::SecretBuffer;
use crate::model::lang::Lang;

use super::{Outcome, middle_ui, title_ui};

/// The question on screen; dropped without an answer, it is answered no.
pub struct QuestionModel {
    asked: Asked,
    name: String,
    client: String,
    typed: SecretBuffer,
    focus: bool,
}

impl QuestionModel {
    /// About the entry of that name, below that client.
    pub fn new(asked: Asked, name: String, client: String) -> Self {
        Self { asked, name, client, typed: SecretBuffer::default(), focus: true }
    }

    fn answer(&self, answer: Answer) {
        // A reading that ended meanwhile has told so already.
        let _ = self.asked.reply.send(answer);
    }

    /// The person closed the dialog: nothing is read.
    pub fn give_up(&self) {
        self.asked.given_up.store(true, Ordering::Release);
        self.answer(Answer::No);
    }
}

pub(super) fn question_ui(ui: &mut Ui, model: &mut QuestionModel, lang: Lang) -> Outcome {
    title_ui(
        ui,
        &match lang {
            Lang::Fr => format!("Relevé de «\u{a0}{}\u{a0}»", model.name),
            Lang::En => format!("Reading “{}”", model.name),
        },
    );
    let focus = std::mem::take(&mut model.focus);
    let chosen = middle_ui(ui, |ui| {
        asked_ui(ui, &model.asked.question, &mut model.typed, focus, &model.client, lang)
    });
    match chosen {
        Some(Chosen::Answer(answer)) => model.answer(answer),
        Some(_) => model.give_up(),
        None => return Outcome::Open,
    }
    Outcome::Close
}
