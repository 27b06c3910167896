//! What goes wrong with any remote desktop, in words for a person. Texts only.

use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;

/// One of each below, of marks.
pub fn each() -> Vec<Failure> {
    vec![only_a_desktop(), one_desktop(&crate::connect::retold::at(0))]
}

fn failure(kind: FailureKind, what: (String, String), todo: (&str, &str)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

/// Something else than a desktop is wanted.
pub fn only_a_desktop() -> Failure {
    failure(
        FailureKind::Setting,
        (
            "Cette entrée n’ouvre qu’un bureau, pas de terminal ni de commande.".into(),
            "This entry only opens a desktop, no terminal and no command.".into(),
        ),
        ("Ouvrez-la dans la fenêtre de Poterne.", "Open it in the window of Poterne."),
    )
}

/// A second desktop.
pub fn one_desktop(at: &HostPort) -> Failure {
    failure(
        FailureKind::Setting,
        (
            format!("La connexion à {at} montre déjà son bureau."),
            format!("The connection to {at} shows its desktop already."),
        ),
        ("Ouvrez une autre connexion.", "Open another connection."),
    )
}
