//! The password generator: characters, words or a mould. The password stays in
//! a wiped value and goes to the form or to the marked clipboard.

use egui::{Slider, TextEdit, Ui};

use crate::app::generate::{Classes, Generated, Recipe, RecipeError};
use crate::gui::act::{Act, Acts};
use crate::gui::text::t;
use crate::gui::theme::{inset, palette, primary_button};
use crate::gui::widgets::parts;
use crate::model::entry::Slot;
use crate::model::lang::Lang;

use super::{Outcome, middle_ui, title_ui};

/// Which kind of recipe is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Characters of chosen classes.
    Characters,
    /// Words of a list.
    Words,
    /// A mould.
    Pattern,
}

/// State of the generator.
pub struct GeneratorModel {
    /// Where the password goes; `None`: the clipboard.
    pub slot: Option<Slot>,
    /// Which kind.
    pub way: Way,
    /// Characters.
    pub length: usize,
    /// Classes of characters.
    pub classes: Classes,
    /// Without what is easily misread.
    pub no_look_alikes: bool,
    /// Words.
    pub words: usize,
    /// Between words.
    pub separator: String,
    /// First letters in upper case.
    pub capitals: bool,
    /// The mould.
    pub pattern: String,
    made: Option<Result<Generated, RecipeError>>,
}

impl GeneratorModel {
    /// A generator for `slot`, or for the clipboard.
    pub fn new(slot: Option<Slot>) -> Self {
        Self {
            slot,
            way: Way::Characters,
            length: 24,
            classes: Classes::ALL,
            no_look_alikes: false,
            words: 6,
            separator: "-".to_owned(),
            capitals: false,
            pattern: "uvccvc-dddd-uvccvc".to_owned(),
            made: None,
        }
    }

    /// The recipe as it is set.
    pub fn recipe(&self, lang: Lang) -> Recipe {
        match self.way {
            Way::Characters => Recipe::Characters {
                length: self.length,
                classes: self.classes,
                no_look_alikes: self.no_look_alikes,
            },
            Way::Words => Recipe::Words {
                count: self.words,
                separator: self.separator.clone(),
                capitals: self.capitals,
                lang,
            },
            Way::Pattern => Recipe::Pattern {
                pattern: self.pattern.clone(),
                no_look_alikes: self.no_look_alikes,
            },
        }
    }
}

/// Paints the generator.
pub fn generator_ui(
    ui: &mut Ui,
    model: &mut GeneratorModel,
    lang: Lang,
    acts: &mut Acts,
) -> Outcome {
    title_ui(ui, t(lang, "Générer un mot de passe", "Generate a password"));
    middle_ui(ui, |ui| recipe_ui(ui, model, lang));
    ui.add_space(10.0);
    buttons_ui(ui, model, lang, acts)
}

/// The recipe, and the password made by it.
fn recipe_ui(ui: &mut Ui, model: &mut GeneratorModel, lang: Lang) {
    let before = model.recipe(lang);
    ui.horizontal(|ui| {
        let ways = [
            (Way::Characters, t(lang, "Caractères", "Characters")),
            (Way::Words, t(lang, "Mots", "Words")),
            (Way::Pattern, t(lang, "Modèle", "Pattern")),
        ];
        for (way, name) in ways {
            ui.selectable_value(&mut model.way, way, name);
        }
    });
    ui.add_space(6.0);
    match model.way {
        Way::Characters => {
            let length =
                Slider::new(&mut model.length, 8..=64).text(t(lang, "caractères", "characters"));
            ui.add(length);
            ui.horizontal_wrapped(|ui| {
                ui.checkbox(&mut model.classes.lower, "a-z");
                ui.checkbox(&mut model.classes.upper, "A-Z");
                ui.checkbox(&mut model.classes.digits, "0-9");
                ui.checkbox(&mut model.classes.symbols, "!#$%…");
            });
            look_alikes_ui(ui, model, lang);
        }
        Way::Words => {
            ui.add(Slider::new(&mut model.words, 3..=12).text(t(lang, "mots", "words")));
            ui.horizontal(|ui| {
                let label = ui.label(t(lang, "Séparateur", "Separator"));
                let edit = TextEdit::singleline(&mut model.separator).desired_width(40.0);
                ui.add(edit).labelled_by(label.id);
                ui.checkbox(&mut model.capitals, t(lang, "Majuscules", "Capitals"));
            });
        }
        Way::Pattern => {
            let label = ui.label(t(lang, "Modèle", "Pattern"));
            let edit = TextEdit::singleline(&mut model.pattern).desired_width(f32::INFINITY);
            ui.add(edit.font(egui::TextStyle::Monospace)).labelled_by(label.id);
            let hint = t(
                lang,
                "l minuscule, u majuscule, d chiffre, s signe, a lettre ou chiffre, x tout, v voyelle, c consonne\u{a0}; \\ devant un caractère le garde.",
                "l lower, u upper, d digit, s symbol, a letter or digit, x any, v vowel, c consonant; \\ before a character keeps it.",
            );
            ui.add(egui::Label::new(egui::RichText::new(hint).size(12.5)).wrap());
            look_alikes_ui(ui, model, lang);
        }
    }
    let recipe = model.recipe(lang);
    if recipe != before || model.made.is_none() {
        model.made = Some(crate::app::desktop::generate_password(&recipe));
    }
    ui.add_space(8.0);
    result_ui(ui, model, lang);
}

fn look_alikes_ui(ui: &mut Ui, model: &mut GeneratorModel, lang: Lang) {
    let text = t(
        lang,
        "Sans les caractères qui se confondent (0 O 1 l I…)",
        "Without look-alikes (0 O 1 l I…)",
    );
    ui.checkbox(&mut model.no_look_alikes, text);
}

fn result_ui(ui: &mut Ui, model: &GeneratorModel, lang: Lang) {
    let p = palette(ui.ctx());
    inset(ui.ctx()).inner_margin(12).show(ui, |ui| {
        ui.set_width(ui.available_width());
        match &model.made {
            Some(Ok(made)) => {
                let name = t(lang, "Mot de passe généré", "Generated password");
                parts::secret_label(ui, &made.password, name);
                let strength = match lang {
                    Lang::Fr => format!("{} bits d’aléa", made.bits),
                    Lang::En => format!("{} bits of randomness", made.bits),
                };
                let colour = if made.bits < 60 { p.warn } else { p.ok };
                ui.label(egui::RichText::new(strength).color(colour));
            }
            Some(Err(RecipeError::NoCharacters)) => {
                ui.label(t(
                    lang,
                    "Choisissez au moins une sorte de caractères.",
                    "Choose at least one class of characters.",
                ));
            }
            Some(Err(RecipeError::Length { min, max })) => {
                ui.label(match lang {
                    Lang::Fr => format!("La longueur va de {min} à {max}."),
                    Lang::En => format!("The length goes from {min} to {max}."),
                });
            }
            Some(Err(RecipeError::Pattern)) => {
                ui.label(t(
                    lang,
                    "Le modèle est vide ou finit par \\.",
                    "The pattern is empty or ends in \\.",
                ));
            }
            None => {}
        }
    });
}

fn buttons_ui(ui: &mut Ui, model: &mut GeneratorModel, lang: Lang, acts: &mut Acts) -> Outcome {
    let mut outcome = Outcome::Open;
    ui.horizontal_wrapped(|ui| {
        let made = matches!(model.made, Some(Ok(_)));
        let label = if model.slot.is_some() {
            t(lang, "Utiliser", "Use")
        } else {
            t(lang, "Copier", "Copy")
        };
        let main = ui.add_enabled(made, primary_button(ui.ctx(), label)).clicked();
        if ui.button(t(lang, "Un autre", "Another")).clicked() {
            model.made = None;
            ui.ctx().request_repaint();
        }
        if ui.button(t(lang, "Fermer", "Close")).clicked() {
            outcome = Outcome::Close;
        }
        if main && let Some(Ok(made)) = &model.made {
            let password = made.password.duplicate();
            acts.push(match &model.slot {
                Some(slot) => Act::UsePassword(slot.clone(), password),
                None => Act::CopySecret(password),
            });
            outcome = Outcome::Close;
        }
    });
    outcome
}
