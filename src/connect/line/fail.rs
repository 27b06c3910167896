//! What went wrong with a plain line, in words for a person. Texts only.

use std::io;

use crate::connect::link::{ChannelRequest, no_screen};
use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::os::words;

/// One of each below that is no other's, of marks.
pub fn each() -> Vec<Failure> {
    use crate::connect::retold::ANY;
    vec![ended(ANY[0], ANY[1].as_bytes()), ended(ANY[0], b""), no_commands(), one_terminal(ANY[0])]
}

/// The far side broke off.
pub fn broken(at: &str, e: &io::Error) -> Failure {
    let why = words::cause(e);
    Failure {
        kind: FailureKind::Network,
        what: Bi::new(
            format!("La connexion à {at} a été coupée\u{a0}: {}.", why.fr),
            format!("The connection to {at} broke: {}.", why.en),
        ),
        todo: Bi::new(
            "Vérifiez le réseau et l’équipement, puis connectez-vous à nouveau.",
            "Check the network and the device, then connect again.",
        ),
    }
}

/// The far side ended the connection before there was a terminal; its last words
/// may say why.
pub fn ended(at: &str, said: &[u8]) -> Failure {
    let said = String::from_utf8_lossy(said);
    let last = said.lines().rev().map(plain).find(|line| !line.is_empty());
    let (fr, en) = match last {
        Some(words) => (format!("\u{a0}: «\u{a0}{words}\u{a0}»"), format!(": “{words}”")),
        None => (".".to_owned(), ".".to_owned()),
    };
    Failure {
        kind: FailureKind::Network,
        what: Bi::new(
            format!("{at} a mis fin à la connexion pendant l’ouverture de session{fr}"),
            format!("{at} ended the connection during the login{en}"),
        ),
        todo: Bi::new(
            "Vérifiez que l’équipement accepte cette connexion (nombre de sessions, liste \
             d’accès), puis réessayez.",
            "Check that the device accepts this connection (number of sessions, access list), \
             then try again.",
        ),
    }
}

/// A line of the far side's without what is no text, and not too long.
fn plain(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(100).collect::<String>().trim().to_owned()
}

/// Why what is one terminal opens no channel for `request`; `None` for its first shell.
pub fn refused(request: &ChannelRequest, open: Option<u32>, at: &str) -> Option<Failure> {
    match request {
        ChannelRequest::Exec { .. } => Some(no_commands()),
        ChannelRequest::Screen { .. } => Some(no_screen()),
        ChannelRequest::Shell { .. } => open.map(|_| one_terminal(at)),
    }
}

/// A command, where there is only a terminal.
pub fn no_commands() -> Failure {
    Failure {
        kind: FailureKind::Setting,
        what: Bi::new(
            "Ce type d’accès n’exécute pas de commande\u{a0}: il n’ouvre qu’un terminal.",
            "This kind of entry runs no command: it only opens a terminal.",
        ),
        todo: Bi::new(
            "Connectez-vous sans commande et tapez-la.",
            "Connect without a command and type it.",
        ),
    }
}

/// A second terminal.
pub fn one_terminal(at: &str) -> Failure {
    Failure {
        kind: FailureKind::Setting,
        what: Bi::new(
            format!("La connexion à {at} a déjà son terminal."),
            format!("The connection to {at} has its terminal already."),
        ),
        todo: Bi::new("Ouvrez une autre connexion.", "Open another connection."),
    }
}
