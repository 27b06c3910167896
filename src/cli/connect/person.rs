//! The person at this terminal, or the program at the other end of standard input:
//! asks what a connection wants to know. It keeps no answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::app::SessionUi;
use crate::app::api::{AppError, Code};
use crate::cli::say;
use crate::cli::{connector, prompt};
use crate::connect::{Answer, Progress, Question};
use crate::model::lang::{Bi, Lang};
use crate::os::terminal;
use crate::secret::SecretText;

/// The person at this terminal, or the program at the other end of standard input.
pub(in crate::cli) struct Terminal {
    pub(super) lang: Lang,
    asked_to_end: Arc<AtomicI32>,
    /// The warnings that were said.
    pub(super) warned: Vec<Bi>,
    /// A password was given.
    typed: bool,
    /// Wrong use that left a question of the login without an answer: the far
    /// side then only tells that it was given nothing.
    unanswered: Option<AppError>,
}

impl Terminal {
    /// Who reads `lang`, and gives up when a signal is noted in `asked_to_end`.
    pub(in crate::cli) fn new(lang: Lang, asked_to_end: &Arc<AtomicI32>) -> Self {
        let asked_to_end = Arc::clone(asked_to_end);
        Self { lang, asked_to_end, warned: Vec::new(), typed: false, unanswered: None }
    }

    /// See [`Terminal::unanswered`]; then there is none.
    pub(in crate::cli) fn unanswered(&mut self) -> Option<AppError> {
        self.unanswered.take()
    }

    /// The answer, or that there is none.
    pub(super) fn answered(&mut self, answer: Result<SecretText, AppError>) -> Answer {
        match answer {
            Ok(text) => return Answer::Text(text),
            // What is asked once more after a password was most likely wrong.
            Err(error) if error.code == Code::Usage && !self.typed => {
                self.unanswered.get_or_insert(error);
            }
            Err(_) => {}
        }
        Answer::No
    }
}

impl SessionUi for Terminal {
    fn ask(&mut self, question: Question) -> Answer {
        match question {
            Question::TrustHostKey(key) => {
                let what = match key.is_certificate() {
                    true => self.lang.pick("Certificat inconnu", "Unknown certificate"),
                    false => self.lang.pick("Clé inconnue", "Unknown key"),
                };
                let asked = match self.lang {
                    Lang::Fr => format!(
                        "{what} de {} ({})\u{a0}: {}\nComparez cette empreinte avec celle du serveur, puis tapez yes pour l’accepter\u{a0}: ",
                        key.at, key.algorithm, key.fingerprint
                    ),
                    Lang::En => format!(
                        "{what} of {} ({}): {}\nCompare this fingerprint with the server's, then type yes to accept it: ",
                        key.at, key.algorithm, key.fingerprint
                    ),
                };
                match prompt::visible(&say::plain_lines(&asked)) {
                    Ok(answer) if answer.expose(|text| text.trim() == "yes") => Answer::Yes,
                    _ => Answer::No,
                }
            }
            Question::Prompt { text, echo } => {
                let text = say::plain_lines(&text);
                let answer = if echo {
                    prompt::visible(&text)
                } else {
                    prompt::secret(self.lang, text.trim_end(), text.trim_end())
                };
                self.answered(answer)
            }
            // Without a terminal the next line was written for something else.
            Question::Password { again: true, .. } if !terminal::stdin_is_terminal() => Answer::No,
            Question::Password { user, at, again } => {
                if again {
                    say::note(self.lang.pick("Mot de passe refusé.", "Password refused."));
                }
                let (user, host) = (say::plain(&user), say::plain(&at.host));
                let fr = format!("Mot de passe de {user} sur {host}\u{a0}:");
                let en = format!("Password of {user} on {host}:");
                let answer = prompt::secret(self.lang, &fr, &en);
                let answer = self.answered(answer);
                self.typed |= matches!(answer, Answer::Text(_));
                answer
            }
            Question::RaiseVpn { path } => {
                let path = say::plain_lines(&path);
                let asked = match self.lang {
                    Lang::Fr => {
                        format!("Monter le VPN {path}\u{a0}? Tapez yes pour le monter\u{a0}: ")
                    }
                    Lang::En => format!("Raise the VPN {path}? Type yes to raise it: "),
                };
                match prompt::visible(&asked) {
                    Ok(answer) if answer.expose(|text| text.trim() == "yes") => Answer::Yes,
                    _ => Answer::No,
                }
            }
            Question::Passphrase { again: true, .. } if !terminal::stdin_is_terminal() => {
                Answer::No
            }
            Question::Passphrase { user, at, again } => {
                if again {
                    say::note(self.lang.pick(
                        "Cette phrase secrète n’ouvre pas la clé.",
                        "That passphrase does not open the key.",
                    ));
                }
                let (user, host) = (say::plain(&user), say::plain(&at.host));
                let fr = format!("Phrase secrète de la clé de {user} pour {host}\u{a0}:");
                let en = format!("Passphrase of the key of {user} for {host}:");
                let answer = prompt::secret(self.lang, &fr, &en);
                self.answered(answer)
            }
            Question::Approve(asked) => match connector::ask(self.lang, &asked) {
                true => Answer::Yes,
                false => Answer::No,
            },
            Question::User => {
                let asked = self.lang.pick("Nom d’utilisateur\u{a0}: ", "User name: ");
                let answer = prompt::visible(asked);
                self.answered(answer)
            }
        }
    }

    fn say(&mut self, progress: Progress) {
        if let Progress::Warning(warning) = progress {
            say::note(&say::plain(warning.get(self.lang)));
            self.warned.push(warning);
        }
    }

    fn cancelled(&self) -> bool {
        self.asked_to_end.load(Ordering::Acquire) != 0
    }
}
