//! Why a WireGuard server is not reached, in words for a person. Texts only.

use std::io;

use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::words;

/// One of each, of marks.
pub fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, SECS, at, cause};
    let to = at(0);
    vec![
        no_answer(&to, SECS, ANY[1]),
        closed_port(&to),
        unreachable(&to, &cause()),
        preshared(&to),
        no_key(),
        bad_key(),
        bad_preshared(),
        own_key(),
        behind(&to),
    ]
}

fn failure(kind: FailureKind, what: (String, String), todo: (String, String)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

fn both(fr: &str, en: &str) -> (String, String) {
    (fr.to_owned(), en.to_owned())
}

/// Nothing came back: WireGuard says nothing to whom it does not know.
pub fn no_answer(at: &HostPort, secs: u64, own: &str) -> Failure {
    failure(
        FailureKind::Timeout,
        (
            format!("Le serveur WireGuard {at} n’a rien répondu en {secs} s."),
            format!("The WireGuard server {at} answered nothing within {secs} s."),
        ),
        (
            format!(
                "WireGuard ne répond rien à un inconnu. Vérifiez l’adresse, le port UDP, les \
                 pare-feu, la clé publique du serveur, l’heure de cet ordinateur, et que le \
                 serveur connaît la clé publique de cette entrée\u{a0}: {own}"
            ),
            format!(
                "WireGuard says nothing to whom it does not know. Check the address, the UDP \
                 port, firewalls, the server’s public key, the clock of this computer, and that \
                 the server knows the public key of this entry: {own}"
            ),
        ),
    )
}

/// The machine is there, and nothing listens.
pub fn closed_port(at: &HostPort) -> Failure {
    failure(
        FailureKind::Refused,
        (
            format!("Aucun serveur WireGuard n’écoute à {at} (UDP)."),
            format!("No WireGuard server listens at {at} (UDP)."),
        ),
        both(
            "Vérifiez le port et que WireGuard fonctionne sur ce serveur.",
            "Check the port and that WireGuard runs on that server.",
        ),
    )
}

/// There is no way to the server.
pub fn unreachable(at: &HostPort, e: &io::Error) -> Failure {
    let cause = words::cause(e);
    failure(
        FailureKind::Network,
        (
            format!("Aucun chemin ne mène au serveur WireGuard {at}\u{a0}: {}.", cause.fr),
            format!("There is no way to the WireGuard server {at}: {}.", cause.en),
        ),
        both("Vérifiez le réseau de cet ordinateur.", "Check the network of this computer."),
    )
}

/// It answers, but with another shared key.
pub fn preshared(at: &HostPort) -> Failure {
    failure(
        FailureKind::Login,
        (
            format!("Le serveur WireGuard {at} répond avec une autre clé partagée."),
            format!("The WireGuard server {at} answers with another preshared key."),
        ),
        both(
            "Corrigez ou retirez «\u{a0}preshared-key\u{a0}» dans l’entrée\u{a0}: les deux côtés \
             ont la même, ou aucun n’en a.",
            "Correct or remove “preshared-key” in the entry: both sides have the same, or \
             neither has one.",
        ),
    )
}

/// There is no key.
pub fn no_key() -> Failure {
    failure(
        FailureKind::BadKey,
        both(
            "L’entrée n’a pas de clé privée WireGuard.",
            "The entry has no WireGuard private key.",
        ),
        both(
            "Enregistrez-la\u{a0}: «\u{a0}PrivateKey\u{a0}» de la section [Interface].",
            "Store it: “PrivateKey” of the section [Interface].",
        ),
    )
}

/// The private key is none.
pub fn bad_key() -> Failure {
    failure(
        FailureKind::BadKey,
        both(
            "La clé privée de l’entrée n’est pas une clé WireGuard.",
            "The private key of the entry is no WireGuard key.",
        ),
        both(
            "Une clé WireGuard a 44 caractères et finit par «\u{a0}=\u{a0}»\u{a0}; copiez-la en \
             entier.",
            "A WireGuard key has 44 characters and ends with “=”; copy the whole of it.",
        ),
    )
}

/// The shared key is none.
pub fn bad_preshared() -> Failure {
    failure(
        FailureKind::BadKey,
        both(
            "«\u{a0}preshared-key\u{a0}» n’est pas une clé WireGuard.",
            "“preshared-key” is no WireGuard key.",
        ),
        both(
            "Une clé WireGuard a 44 caractères et finit par «\u{a0}=\u{a0}»\u{a0}; copiez-la en \
             entier, ou retirez-la si le serveur n’en a pas.",
            "A WireGuard key has 44 characters and ends with “=”; copy the whole of it, or \
             remove it if the server has none.",
        ),
    )
}

/// Both keys are of one pair.
pub fn own_key() -> Failure {
    failure(
        FailureKind::Setting,
        both(
            "La clé publique du serveur est celle de cette entrée elle-même.",
            "The server’s public key is that of this entry itself.",
        ),
        both(
            "Mettez celle du serveur\u{a0}: «\u{a0}PublicKey\u{a0}» de la section [Peer].",
            "Give the server’s: “PublicKey” of the section [Peer].",
        ),
    )
}

/// Its datagrams do not go through another VPN.
pub fn behind(at: &HostPort) -> Failure {
    failure(
        FailureKind::Setting,
        (
            format!("Le VPN WireGuard {at} ne passe ni par un autre VPN ni par un rebond."),
            format!("The WireGuard VPN {at} goes neither through another VPN nor a jump host."),
        ),
        both(
            "Retirez le VPN ou le rebond de cette entrée et de ses dossiers.",
            "Remove the VPN or the jump host from this entry and its folders.",
        ),
    )
}

/// Why an open VPN is being raised again.
pub fn silent(secs: u64) -> Bi {
    Bi::new(
        format!("le serveur ne répond plus depuis {secs} s"),
        format!("the server has not answered for {secs} s"),
    )
}

/// The same, where nothing listens there any more.
pub fn stopped() -> Bi {
    Bi::new("le serveur n’écoute plus", "the server no longer listens")
}
