//! Asks the person. Prompts go to standard error; answers are read byte by
//! byte from standard input, one per line, hidden on a terminal when secret.

use std::io;

use crate::app::api::{AppError, Code, Factors};
use crate::app::text;
use crate::model::lang::{Bi, Lang};
use crate::os::terminal::{self, Line};
use crate::secret::{SecretBytes, SecretText};

/// Asks for a secret line.
///
/// # Errors
/// The input ended, the person gave up, or the line is not text.
pub fn secret(lang: Lang, fr: &str, en: &str) -> Result<SecretText, AppError> {
    if terminal::stdin_is_terminal() {
        terminal::prompt(&format!("{} ", lang.pick(fr, en)));
    }
    line(true)
}

/// Asks for a line that may be seen while typed. The prompt is always shown.
///
/// # Errors
/// As [`secret`].
pub fn visible(prompt: &str) -> Result<SecretText, AppError> {
    terminal::prompt(prompt);
    line(false)
}

/// Asks for a new password twice.
///
/// # Errors
/// As [`secret`], or the two differ.
pub fn new_password(lang: Lang) -> Result<SecretText, AppError> {
    let first = secret(lang, "Nouveau mot de passe :", "New password:")?;
    let again = secret(lang, "Encore une fois :", "Once more:")?;
    if first.expose(|a| again.expose(|b| a == b)) {
        return Ok(first);
    }
    Err(AppError {
        code: Code::Usage,
        what: Bi::new(
            "Les deux mots de passe ne sont pas les mêmes.",
            "The two passwords are not the same.",
        ),
        todo: Bi::new("Recommencez ; rien n’a été changé.", "Try again; nothing was changed."),
    })
}

/// Asks for the factors of an unlock.
///
/// # Errors
/// As [`secret`].
pub fn factors(lang: Lang) -> Result<Factors, AppError> {
    let unlocking = |error: AppError| match error.code {
        Code::Usage if error.what == ended().what => AppError {
            code: Code::Locked,
            todo: Bi::new(
                "Donnez une ligne par réponse, ou déverrouillez d’abord : poterne unlock.",
                "Give one line per answer, or unlock first: poterne unlock.",
            ),
            ..error
        },
        _ => error,
    };
    Ok(Factors {
        password: secret(lang, "Mot de passe :", "Password:").map_err(unlocking)?,
        code: secret(lang, "Code du téléphone :", "Code from your phone:").map_err(unlocking)?,
    })
}

/// There is no answer where one was asked for.
fn ended() -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new(
            "L’entrée s’est terminée avant la réponse attendue.",
            "The input ended before the answer.",
        ),
        todo: Bi::new("Donnez une ligne par réponse.", "Give one line per answer."),
    }
}

/// Everything that is left on standard input.
///
/// # Errors
/// It cannot be read, or is longer than `max` bytes.
pub fn rest_of_input(max: usize) -> Result<SecretBytes, AppError> {
    use std::io::Read;
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(16 * 1024));
    terminal::Input
        .take(max as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error))?;
    if bytes.len() > max {
        return Err(AppError {
            code: Code::Usage,
            what: Bi::new("L’entrée est trop longue.", "The input is too long."),
            todo: Bi::new(
                "Vérifiez ce qui est envoyé sur l’entrée standard.",
                "Check what is sent to standard input.",
            ),
        });
    }
    Ok(SecretBytes::new(std::mem::take(&mut bytes)))
}

fn line(hidden: bool) -> Result<SecretText, AppError> {
    match terminal::read_line(hidden).map_err(|error| unreadable(&error))? {
        Line::Read(bytes) => bytes.into_text().map_err(|_| AppError {
            code: Code::Usage,
            what: Bi::new(
                "La ligne lue n’est pas du texte UTF-8.",
                "The line read is not UTF-8 text.",
            ),
            todo: Bi::new(
                "Vérifiez ce qui est envoyé sur l’entrée standard.",
                "Check what is sent to standard input.",
            ),
        }),
        Line::End => Err(ended()),
        Line::Cancelled => Err(AppError {
            code: Code::Other,
            what: Bi::new("Abandon demandé.", "You gave up."),
            todo: Bi::new("Rien n’a été changé.", "Nothing was changed."),
        }),
    }
}

fn unreadable(error: &io::Error) -> AppError {
    let cause = text::cause(error);
    AppError {
        code: Code::Other,
        what: Bi::new(
            format!("L’entrée standard ne peut pas être lue : {}.", cause.fr),
            format!("Standard input cannot be read: {}.", cause.en),
        ),
        todo: Bi::new(
            "Relancez la commande avec une entrée lisible.",
            "Run the command again with an input that can be read.",
        ),
    }
}
