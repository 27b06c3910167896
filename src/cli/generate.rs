//! `generate`: passwords on standard output; needs no vault and logs nothing.

use serde_json::{Value, json};

use crate::app::api::AppError;
use crate::app::generate::{self, Classes, Generated, Recipe, RecipeError, Strength};
use crate::model::lang::Lang;
use crate::os::random;
use crate::secret::SecretText;

use super::Context;
use super::args::Generate;
use super::prompt;
use super::say::{self, bi, usage};

/// Words when nobody says how many: 66 bits.
const WORDS: usize = 6;
/// Characters when nobody says how many.
const CHARACTERS: usize = 24;

pub fn generate(context: &Context, options: Generate) -> Result<(), AppError> {
    if options.rate {
        let password =
            prompt::secret(context.lang, "Mot de passe à évaluer\u{a0}:", "Password to rate:")?;
        return rate(context, &password);
    }
    let recipe = recipe(context.lang, &options);
    let made: Vec<(Generated, Strength)> = (0..options.count)
        .map(|_| {
            let made = generate::generate(&recipe, &mut random::fill).map_err(refused)?;
            let strength = generate::strength(&made.password, &[]);
            Ok((made, strength))
        })
        .collect::<Result<_, AppError>>()?;
    if context.json {
        let passwords: Vec<Value> = made
            .iter()
            .map(|(made, strength)| {
                made.password.expose(|password| {
                    json!({
                        "password": password,
                        "bits": made.bits,
                        "score": strength.score,
                        "guesses_log10": strength.guesses_log10,
                    })
                })
            })
            .collect();
        say::document(&json!({ "passwords": passwords }));
    } else {
        for (made, _) in &made {
            made.password.expose(say::line);
        }
        if let [(made, strength)] = made.as_slice() {
            say::note(&words(context, *strength, Some(made.bits)));
        }
    }
    Ok(())
}

fn recipe(lang: Lang, options: &Generate) -> Recipe {
    if let Some(pattern) = &options.pattern {
        let no_look_alikes = options.no_look_alikes;
        return Recipe::Pattern { pattern: pattern.clone(), no_look_alikes };
    }
    if options.words {
        return Recipe::Words {
            count: options.length.unwrap_or(WORDS),
            separator: options.separator.clone(),
            capitals: options.capitals,
            lang,
        };
    }
    Recipe::Characters {
        length: options.length.unwrap_or(CHARACTERS),
        classes: Classes {
            lower: !options.no_lower,
            upper: !options.no_upper,
            digits: !options.no_digits,
            symbols: !options.no_symbols,
        },
        no_look_alikes: options.no_look_alikes,
    }
}

fn refused(error: RecipeError) -> AppError {
    let (fr, en) = match error {
        RecipeError::NoCharacters => (
            "Il ne reste aucune sorte de caractères.".to_owned(),
            "No class of characters is left.".to_owned(),
        ),
        RecipeError::Length { min, max } => (
            format!("La longueur doit être entre {min} et {max}."),
            format!("The length must be between {min} and {max}."),
        ),
        RecipeError::Pattern => (
            "Le modèle est vide, ou finit par une barre oblique inverse.".to_owned(),
            "The mould is empty, or ends in a backslash.".to_owned(),
        ),
    };
    usage(bi(fr, en), bi("Voyez\u{a0}: poterne generate --help", "See: poterne generate --help"))
}

fn rate(context: &Context, password: &SecretText) -> Result<(), AppError> {
    let strength = generate::strength(password, &[]);
    if context.json {
        say::document(&json!({
            "score": strength.score,
            "guesses_log10": strength.guesses_log10,
        }));
    } else {
        say::line(&words(context, strength, None));
    }
    Ok(())
}

fn words(context: &Context, strength: Strength, bits: Option<u32>) -> String {
    let word = match strength.score {
        0 => context.pick("très faible", "very weak"),
        1 => context.pick("faible", "weak"),
        2 => context.pick("moyen", "fair"),
        3 => context.pick("bon", "good"),
        _ => context.pick("fort", "strong"),
    };
    let guesses = context.pick("essais estimés", "estimated guesses");
    let bits = bits.map(|bits| format!(", {bits} bits")).unwrap_or_default();
    let colon = context.pick("\u{a0}:", ":");
    format!("{word}{colon} 10^{:.0} {guesses}{bits}", strength.guesses_log10)
}
