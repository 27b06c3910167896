//! Wrong use, told in two parts in both languages: what of the command line is
//! not understood, and how the command is used. Nothing runs.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::app::api::AppError;
use crate::model::entry::Slot;
use crate::model::lang::Bi;

use super::say::{bi, usage};

/// What a person did wrong, from what the parser found.
pub fn told(error: &clap::Error) -> AppError {
    usage(what(error), todo(error))
}

fn what(error: &clap::Error) -> Bi {
    let arg = context(error, ContextKind::InvalidArg);
    let value = context(error, ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => bi(
            format!("L’option ou l’argument «\u{a0}{arg}\u{a0}» n’existe pas."),
            format!("There is no flag or argument “{arg}”."),
        ),
        ErrorKind::InvalidSubcommand => {
            let command = context(error, ContextKind::InvalidSubcommand);
            bi(
                format!("La commande «\u{a0}{command}\u{a0}» n’existe pas."),
                format!("There is no command “{command}”."),
            )
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            bi("Il manque une commande.", "A command is missing.")
        }
        ErrorKind::MissingRequiredArgument => {
            // The dots say that there may be more of them, and end no sentence.
            let arg = arg.replace("...", "");
            bi(format!("Il manque\u{a0}: {arg}."), format!("Missing: {arg}."))
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            bi(format!("{arg} demande une valeur."), format!("{arg} asks for a value."))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => bi(
            format!("«\u{a0}{value}\u{a0}» ne convient pas à {arg}."),
            format!("“{value}” will not do for {arg}."),
        ),
        ErrorKind::ArgumentConflict => {
            let other = context(error, ContextKind::PriorArg);
            match other.is_empty() || other == arg {
                true => bi(
                    format!("{arg} est donné plusieurs fois."),
                    format!("{arg} is given more than once."),
                ),
                false => bi(
                    format!("{arg} ne va pas avec {other}."),
                    format!("{arg} does not go with {other}."),
                ),
            }
        }
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => bi(
            format!("{arg} n’a pas le bon nombre de valeurs."),
            format!("{arg} has the wrong number of values."),
        ),
        ErrorKind::NoEquals => bi(
            format!("{arg} s’écrit avec «\u{a0}=\u{a0}»."),
            format!("{arg} is written with “=”."),
        ),
        ErrorKind::InvalidUtf8 => {
            bi("Un argument n’est pas du texte UTF-8.", "An argument is not UTF-8 text.")
        }
        _ => bi("La commande n’est pas comprise.", "The command is not understood."),
    }
}

fn todo(error: &clap::Error) -> Bi {
    let (mut fr, mut en) = (String::new(), String::new());
    let valid = context(error, ContextKind::ValidValue);
    let asked = expected(&context(error, ContextKind::InvalidArg));
    if !valid.is_empty() {
        fr += &format!("Choisissez parmi\u{a0}: {valid}. ");
        en += &format!("Choose one of: {valid}. ");
    } else if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue)
        && let Some((asked_fr, asked_en)) = asked
    {
        fr += &format!("Donnez {asked_fr}. ");
        en += &format!("Give {asked_en}. ");
    }
    if let Some(slot) = secret_named(error) {
        fr += &format!(
            "Un secret n’est jamais un argument\u{a0}: saisissez-le avec --secret-ask {slot}, ou donnez-le sur l’entrée standard avec --secret-stdin {slot}."
        );
        en += &format!(
            "A secret is never an argument: type it with --secret-ask {slot}, or give it on standard input with --secret-stdin {slot}."
        );
        return bi(fr, en);
    }
    for kind in
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
    {
        let near = context(error, kind);
        if !near.is_empty() {
            fr += &format!("Vouliez-vous dire «\u{a0}{near}\u{a0}»\u{a0}? ");
            en += &format!("Did you mean “{near}”? ");
        }
    }
    let line = context(error, ContextKind::Usage);
    let line = line.trim().trim_start_matches("Usage:").trim();
    if let Some(first) = line.lines().next().filter(|line| !line.is_empty()) {
        let first = first.trim();
        fr += &format!("Utilisation\u{a0}: {first} (voir aussi\u{a0}: poterne --help)");
        en += &format!("Usage: {first} (see also: poterne --help)");
    } else {
        fr += "Voyez les commandes et options avec\u{a0}: poterne --help";
        en += "See commands and flags with: poterne --help";
    }
    bi(fr, en)
}

/// The secret that a person tried to give as a flag of `add` or `edit`.
fn secret_named(error: &clap::Error) -> Option<String> {
    let arg = context(error, ContextKind::InvalidArg);
    let slot: Slot = arg.split('=').next()?.strip_prefix("--")?.parse().ok()?;
    if matches!(slot, Slot::Custom(_)) {
        return None;
    }
    // The program's own file may have been renamed.
    let usage = context(error, ContextKind::Usage);
    let takes = usage.split_whitespace().take(3).any(|word| matches!(word, "add" | "edit"));
    (error.kind() == ErrorKind::UnknownArgument && takes).then(|| slot.to_string())
}

/// What a flag takes that is checked by more than a list of words.
fn expected(arg: &str) -> Option<(&'static str, &'static str)> {
    let flag = arg.split([' ', '=']).next().unwrap_or_default();
    Some(match flag {
        "--expires" => ("un jour, comme 2027-01-31", "a day, such as 2027-01-31"),
        "--timeout" => ("une durée, comme 90s, 15m ou 2h", "a duration, such as 90s, 15m or 2h"),
        "--lang" => ("fr ou en", "fr or en"),
        "--role" => (
            "owner, admin, technician, operator ou auditor",
            "owner, admin, technician, operator or auditor",
        ),
        "--favourite" | "--ticket-required" | "--reason-required" | "--lock-ends-sessions" => {
            ("yes ou no (oui ou non)", "yes or no")
        }
        "--port" => ("un nombre de 1 à 65535", "a number from 1 to 65535"),
        "--count" => ("un nombre de 1 à 1000", "a number from 1 to 1000"),
        "--idle-lock" => (
            "une durée de 30 s à 24 h, comme 90s, 15m ou 2h",
            "a duration from 30 s to 24 h, such as 90s, 15m or 2h",
        ),
        "--clipboard" => (
            "une durée de 5 s à 10 min, comme 20s ou 1m",
            "a duration from 5 s to 10 min, such as 20s or 1m",
        ),
        "--backups-kept" => ("un nombre de 1 à 100", "a number from 1 to 100"),
        "--limit" => ("un nombre entier à partir de 1", "a whole number from 1 on"),
        "--length" | "--last" | "--version" | "--entries" | "--kdf-memory"
        | "--expected-version" => ("un nombre entier", "a whole number"),
        _ => return None,
    })
}

/// What the parser knows under this name, in one line.
fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        Some(ContextValue::StyledStrs(texts)) => {
            texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
