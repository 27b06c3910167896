//! What goes wrong with FreeRDP, in words for a person. Texts only.

use std::io;

use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::words;

fn failure(kind: FailureKind, what: (String, String), todo: (&str, &str)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

/// It did not start.
pub fn no_start(program: &str, e: &io::Error) -> Failure {
    let why = words::cause(e);
    failure(
        FailureKind::Helper,
        (
            format!("{program} n’a pas démarré\u{a0}: {}.", why.fr),
            format!("{program} did not start: {}.", why.en),
        ),
        (
            "Démarrez-le une fois à la main pour voir ce qui lui manque, ou mettez \
             «\u{a0}program\u{a0}» à embedded.",
            "Start it by hand once to see what it lacks, or set “program” to embedded.",
        ),
    )
}

/// It dials a gateway itself, in this machine's own network.
pub fn gateway_behind_vpn() -> Failure {
    failure(
        FailureKind::Setting,
        (
            "FreeRDP ne peut pas joindre une passerelle RD à travers un VPN.".to_owned(),
            "FreeRDP cannot reach an RD Gateway through a VPN.".to_owned(),
        ),
        (
            "Mettez «\u{a0}program\u{a0}» à embedded pour cette entrée.",
            "Set “program” to embedded for this entry.",
        ),
    )
}

/// It takes a password as one line.
pub fn password() -> Failure {
    failure(
        FailureKind::Setting,
        (
            "FreeRDP ne prend pas de mot de passe de plusieurs lignes ou de plus de 511 octets."
                .to_owned(),
            "FreeRDP takes no password of several lines or of more than 511 bytes.".to_owned(),
        ),
        (
            "Mettez «\u{a0}program\u{a0}» à embedded pour cette entrée.",
            "Set “program” to embedded for this entry.",
        ),
    )
}

/// A signal ended it.
pub fn killed(program: &str) -> Failure {
    failure(
        FailureKind::Helper,
        (
            format!("{program} s’est arrêté brusquement."),
            format!("{program} has stopped abruptly."),
        ),
        (
            "Connectez-vous à nouveau\u{a0}; s’il s’arrête encore, mettez-le à jour ou mettez \
             «\u{a0}program\u{a0}» à embedded.",
            "Connect again; if it stops once more, update it or set “program” to embedded.",
        ),
    )
}

/// It does not know its arguments.
pub fn arguments(program: &str) -> Failure {
    failure(
        FailureKind::Helper,
        (
            format!("{program} ne comprend pas les options qui lui sont données."),
            format!("{program} does not understand the options it is given."),
        ),
        (
            "Installez FreeRDP 2.11 ou 3, ou mettez «\u{a0}program\u{a0}» à embedded.",
            "Install FreeRDP 2.11 or 3, or set “program” to embedded.",
        ),
    )
}

/// It did not secure the connection: the server shows another certificate than a
/// moment ago, or they do not agree on TLS.
pub fn certificate(at: &HostPort) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!(
                "FreeRDP n’a pas sécurisé la connexion à {at}\u{a0}: un autre certificat que celui \
                 qui vient d’être vérifié, ou un TLS qu’il refuse."
            ),
            format!(
                "FreeRDP did not secure the connection to {at}: another certificate than the one \
                 that was just checked, or a TLS that it refuses."
            ),
        ),
        (
            "Connectez-vous à nouveau\u{a0}; si c’est toujours ainsi, mettez \
             «\u{a0}program\u{a0}» à embedded pour savoir lequel des deux.",
            "Connect again; if it is still so, set “program” to embedded to learn which of both.",
        ),
    )
}

/// The server hung up within the login, without a word.
pub fn hung_up(at: &HostPort, user: &str) -> Failure {
    failure(
        FailureKind::Login,
        (
            format!(
                "{at} a raccroché pendant l’identification de {user}, sans dire pourquoi\u{a0}: le \
                 plus souvent, l’utilisateur ou le mot de passe est faux."
            ),
            format!(
                "{at} hung up during the login of {user} without saying why: most often the user \
                 or the password is wrong."
            ),
        ),
        (
            "Vérifiez l’utilisateur, le domaine, le mot de passe et les droits du compte\u{a0}; \
             mettez «\u{a0}program\u{a0}» à embedded pour en savoir plus.",
            "Check the user, the domain, the password and the rights of the account; set “program” \
             to embedded to learn more.",
        ),
    )
}

/// The connection was not made, or broke before the login.
pub fn unreached(at: &HostPort) -> Failure {
    failure(
        FailureKind::Network,
        (
            format!(
                "FreeRDP n’a pas pu se connecter à {at}, ou a été coupé avant l’identification."
            ),
            format!("FreeRDP could not connect to {at}, or was cut off before the login."),
        ),
        (
            "Vérifiez le réseau et que le serveur accepte une connexion de plus, puis \
             connectez-vous à nouveau.",
            "Check the network and that the server takes one more connection, then connect again.",
        ),
    )
}

/// The connection broke while its window was there.
pub fn lost(at: &HostPort) -> Failure {
    failure(
        FailureKind::Network,
        (
            format!("La connexion de FreeRDP à {at} a été coupée."),
            format!("FreeRDP's connection to {at} broke."),
        ),
        (
            "Vérifiez le réseau et le serveur, puis connectez-vous à nouveau.",
            "Check the network and the server, then connect again.",
        ),
    )
}

/// It ended with a status that says nothing more.
pub fn status(at: &HostPort, program: &str, status: i32) -> Failure {
    failure(
        FailureKind::Helper,
        (
            format!("{program} a quitté {at} avec le code {status}."),
            format!("{program} left {at} with status {status}."),
        ),
        (
            "Regardez le journal du serveur, ou mettez «\u{a0}program\u{a0}» à embedded pour en \
             savoir plus.",
            "Look at the server's log, or set “program” to embedded to learn more.",
        ),
    )
}
