//! Asks the person. Prompts go to standard error; answers are read byte by
//! byte from standard input, one per line, hidden on a terminal when secret.

use std::io;

use crate::app::api::{AppError, Code, Factors};
use crate::app::{generate, text};
use crate::model::lang::{Bi, Lang};
use crate::os::terminal::{self, Line};
use crate::secret::{SecretBytes, SecretText};

use super::say;

/// Score of the estimate from which a password is not spoken of.
const GOOD: u8 = 3;

/// Asks for a secret line.
///
/// # Errors
/// The input ended, the person gave up, or the line is not text.
pub fn secret(lang: Lang, fr: &str, en: &str) -> Result<SecretText, AppError> {
    if terminal::stdin_is_terminal() {
        terminal::prompt(&format!("{} ", lang.pick(fr, en)));
    }
    line(true, ended)
}

/// Asks for a line that may be seen while typed. The prompt is always shown.
///
/// # Errors
/// As [`secret`].
pub fn visible(prompt: &str) -> Result<SecretText, AppError> {
    terminal::prompt(prompt);
    let answer = line(false, ended);
    if !terminal::stdin_is_terminal() {
        // No Enter key ended the question's line: what follows begins one of its own.
        terminal::prompt("\n");
    }
    answer
}

/// Asks for a new password twice.
///
/// # Errors
/// As [`secret`], or the two differ.
pub fn new_password(lang: Lang) -> Result<SecretText, AppError> {
    let first = secret(lang, "Nouveau mot de passe\u{a0}:", "New password:")?;
    let password = once_more(lang, first)?;
    warn_of_weak(lang, &password);
    Ok(password)
}

fn once_more(lang: Lang, first: SecretText) -> Result<SecretText, AppError> {
    let again = secret(lang, "Encore une fois\u{a0}:", "Once more:")?;
    if first.expose(|a| again.expose(|b| a == b)) {
        return Ok(first);
    }
    Err(AppError {
        code: Code::Usage,
        what: Bi::new(
            "Les deux mots de passe ne sont pas les mêmes.",
            "The two passwords are not the same.",
        ),
        todo: Bi::new("Recommencez\u{a0}; rien n’a été changé.", "Try again; nothing was changed."),
    })
}

/// Says so when a new password would soon be guessed. It is the person's choice.
fn warn_of_weak(lang: Lang, password: &SecretText) {
    // None at all is refused.
    if password.is_empty() {
        return;
    }
    let strength = generate::strength(password, &["poterne"]);
    if strength.score >= GOOD {
        return;
    }
    let guesses = strength.guesses_log10;
    say::note(&match lang {
        Lang::Fr => format!(
            "Ce mot de passe est faible\u{a0}: il se devine en 10^{guesses:.0} essais environ. Quatre mots au hasard valent mieux\u{a0}: poterne generate --words"
        ),
        Lang::En => format!(
            "This password is weak: about 10^{guesses:.0} guesses find it. Four random words are better: poterne generate --words"
        ),
    });
}

/// What the factors are asked for: it decides what an input that ends before them means.
#[derive(Clone, Copy)]
pub enum Purpose {
    /// Unlocking for this one command, which would not ask beside an agent.
    Once,
    /// Unlocking where no agent would spare the question.
    Unlock,
    /// Proof beside an agent: the vault is unlocked already.
    Proof,
}

/// Asks for the factors.
///
/// # Errors
/// As [`secret`]; input that ended leaves a locked vault locked.
pub fn factors(lang: Lang, purpose: Purpose) -> Result<Factors, AppError> {
    let at_end = match purpose {
        Purpose::Once => unlock_first,
        Purpose::Unlock => still_locked,
        Purpose::Proof => ended,
    };
    let factor = |fr, en| {
        if terminal::stdin_is_terminal() {
            terminal::prompt(&format!("{} ", lang.pick(fr, en)));
        }
        line(true, at_end)
    };
    Ok(Factors {
        password: factor("Mot de passe\u{a0}:", "Password:")?,
        code: factor("Code du téléphone\u{a0}:", "Code from your phone:")?,
    })
}

/// Password and phone code for a computer that is being enrolled: nothing there can
/// tell a slip in the password, so it is typed twice.
///
/// # Errors
/// As [`secret`], or the two differ.
pub fn factors_of_here(lang: Lang) -> Result<Factors, AppError> {
    let fr = "Votre mot de passe, qui sera celui de cet ordinateur\u{a0}:";
    let first = secret(lang, fr, "Your password, which becomes this computer's:")?;
    let password = once_more(lang, first)?;
    let code = secret(lang, "Code du téléphone\u{a0}:", "Code from your phone:")?;
    Ok(Factors { password, code })
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

fn line(hidden: bool, at_end: fn() -> AppError) -> Result<SecretText, AppError> {
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
        Line::End => Err(at_end()),
        Line::Cancelled => Err(AppError {
            code: Code::Other,
            what: Bi::new("Abandon demandé.", "You gave up."),
            todo: Bi::new("Rien n’a été changé.", "Nothing was changed."),
        }),
    }
}

/// The input ended where an answer was asked for.
fn ended() -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new(
            "L’entrée s’est terminée avant la réponse attendue.",
            "The input ended before the answer.",
        ),
        todo: Bi::new(
            "Donnez une ligne par réponse, ou lancez la commande dans un terminal.",
            "Give one line per answer, or run the command on a terminal.",
        ),
    }
}

/// As [`ended`], where the answer would have unlocked the vault.
fn still_locked() -> AppError {
    AppError { code: Code::Locked, ..ended() }
}

/// As [`still_locked`], where an agent would have made the answer needless.
fn unlock_first() -> AppError {
    AppError {
        todo: Bi::new(
            "Donnez une ligne par réponse, ou déverrouillez d’abord\u{a0}: poterne unlock.",
            "Give one line per answer, or unlock first: poterne unlock.",
        ),
        ..still_locked()
    }
}

fn unreadable(error: &io::Error) -> AppError {
    let cause = text::cause(error);
    AppError {
        code: Code::Other,
        what: Bi::new(
            format!("L’entrée standard ne peut pas être lue\u{a0}: {}.", cause.fr),
            format!("Standard input cannot be read: {}.", cause.en),
        ),
        todo: Bi::new(
            "Relancez la commande avec une entrée lisible.",
            "Run the command again with an input that can be read.",
        ),
    }
}
