//! Who answers a device while the window reads its configuration: nobody. What is
//! asked for becomes the reason why there is none, with the way to answer it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::SessionUi;
use crate::app::api::{AppError, Code};
use crate::connect::{Answer, Progress, Question};

/// Nobody, who may give up.
pub struct Unattended {
    /// The person gave up.
    pub given_up: Arc<AtomicBool>,
    /// What was asked for first.
    pub asked: Option<AppError>,
}

impl SessionUi for Unattended {
    fn ask(&mut self, question: Question) -> Answer {
        let todo = (
            "Connectez-vous une fois à cet accès et répondez-y, puis relevez la configuration.",
            "Connect to this entry once and answer there, then read the configuration.",
        );
        let what = match question {
            Question::TrustHostKey(_) => (
                "La clé de ce serveur n’est pas encore connue.",
                "The key of this server is not known yet.",
            ),
            Question::Approve(_) => (
                "Le connecteur de cet accès n’est pas approuvé sur cet ordinateur.",
                "The connector of this entry is not approved on this computer.",
            ),
            Question::Prompt { .. } | Question::User | Question::Password { .. } => (
                "La connexion demande un identifiant ou un mot de passe qui n’est pas dans le coffre.",
                "The connection asks for a login or password that is not in the vault.",
            ),
        };
        self.asked.get_or_insert_with(|| AppError::new(Code::Connection, what, todo));
        Answer::No
    }

    fn say(&mut self, _progress: Progress) {}

    fn cancelled(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }
}
