//! What went wrong with a browser and its page, in words for a person. Texts only.

use std::io;

use crate::connect::ssh::fail as shared;
use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::words;

/// One of each below that is no other's, of marks.
pub fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, SECS, at, cause};
    vec![
        unreachable(&at(0), ANY[1], SECS),
        no_browser(""),
        no_browser(ANY[0]),
        no_start(ANY[0], &cause()),
        ended(ANY[0]),
        no_screen(),
        address(),
    ]
}

/// The page did not come; `error` is the browser's word for it.
pub fn unreachable(at: &HostPort, error: &str, secs: u64) -> Failure {
    match error {
        "net::ERR_NAME_NOT_RESOLVED" => shared::unknown_host(&at.host),
        "net::ERR_CONNECTION_REFUSED" => {
            shared::dial(at, &io::Error::from(io::ErrorKind::ConnectionRefused), secs)
        }
        "net::ERR_TIMED_OUT" | "net::ERR_CONNECTION_TIMED_OUT" => shared::timeout(at, secs),
        _ => {
            let word = error.strip_prefix("net::").unwrap_or(error);
            Failure {
                kind: if word.contains("SSL") {
                    FailureKind::Protocol
                } else {
                    FailureKind::Network
                },
                what: Bi::new(
                    format!("La page de {at} ne s’est pas ouverte ({word})."),
                    format!("The page of {at} did not open ({word})."),
                ),
                todo: Bi::new(
                    "Vérifiez l’adresse, le réseau et le VPN. Un équipement dont le chiffrement \
                     est trop ancien pour les navigateurs d’aujourd’hui demande une mise à jour, \
                     ou login = manual et un navigateur plus ancien.",
                    "Check the address, the network and the VPN. A device whose encryption is too \
                     old for the browsers of today needs an update, or login = manual and an \
                     older browser.",
                ),
            }
        }
    }
}

/// There is no browser that can be driven.
pub fn no_browser(named: &str) -> Failure {
    let (fr, en) = match named {
        "" => (
            "Aucun navigateur de la famille Chromium n’est installé.".to_owned(),
            "No browser of the Chromium family is installed.".to_owned(),
        ),
        _ => (
            format!("Le navigateur «\u{a0}{named}\u{a0}» de l’entrée est introuvable."),
            format!("The browser “{named}” of the entry is not there."),
        ),
    };
    Failure {
        kind: FailureKind::Helper,
        what: Bi::new(fr, en),
        todo: Bi::new(
            "Installez Chromium, Chrome, Edge, Brave ou Vivaldi, corrigez le réglage \
             «\u{a0}browser\u{a0}», ou mettez «\u{a0}login\u{a0}» à manual.",
            "Install Chromium, Chrome, Edge, Brave or Vivaldi, correct the setting “browser”, \
             or set “login” to manual.",
        ),
    }
}

/// It did not start.
pub fn no_start(program: &str, e: &io::Error) -> Failure {
    let why = words::cause(e);
    Failure {
        kind: FailureKind::Helper,
        what: Bi::new(
            format!("Le navigateur {program} n’a pas démarré\u{a0}: {}.", why.fr),
            format!("The browser {program} did not start: {}.", why.en),
        ),
        todo: Bi::new(
            "Démarrez-le une fois à la main pour voir ce qui lui manque, ou mettez \
             «\u{a0}login\u{a0}» à manual.",
            "Start it by hand once to see what it lacks, or set “login” to manual.",
        ),
    }
}

/// It ended, or says nothing.
pub fn ended(program: &str) -> Failure {
    Failure {
        kind: FailureKind::Helper,
        what: Bi::new(
            format!("Le navigateur {program} s’est arrêté ou ne répond plus."),
            format!("The browser {program} has stopped or answers no more."),
        ),
        todo: Bi::new(
            "Connectez-vous à nouveau. Un navigateur installé comme «\u{a0}snap\u{a0}» ne peut pas \
             être piloté\u{a0}: installez-en un autre, ou mettez «\u{a0}login\u{a0}» à manual.",
            "Connect again. A browser installed as a “snap” cannot be driven: install another \
             one, or set “login” to manual.",
        ),
    }
}

/// There is no screen to show a window on.
pub fn no_screen() -> Failure {
    Failure {
        kind: FailureKind::Helper,
        what: Bi::new(
            "Il n’y a pas d’écran pour montrer la fenêtre du navigateur.",
            "There is no screen to show the browser's window on.",
        ),
        todo: Bi::new(
            "Connectez-vous depuis un bureau graphique.",
            "Connect from a graphical desktop.",
        ),
    }
}

/// The address is no page, or holds a password.
pub fn address() -> Failure {
    Failure {
        kind: FailureKind::Setting,
        what: Bi::new(
            "L’adresse de l’entrée n’est pas celle d’une page web.",
            "The address of the entry is not that of a web page.",
        ),
        todo: Bi::new(
            "Donnez une adresse https:// ou http://, sans mot de passe dedans.",
            "Give an https:// or http:// address, without a password in it.",
        ),
    }
}
