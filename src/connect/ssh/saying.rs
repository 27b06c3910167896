//! What the SSH libraries say of a failure, as a person reads it: their words are
//! English, short, and about their own inside. Texts only.

use crate::model::lang::Bi;

/// What the words of libssh2 (its `_libssh2_error` calls), of russh (its `Error`) and
/// our own begin with, and what they mean. The first row that fits counts.
const KNOWN: &[(&[&str], &str, &str)] = &[
    (&["Failed getting banner"], "aucune bannière SSH n’est venue", "no SSH banner came"),
    (
        &["Failed sending banner"],
        "la bannière SSH n’a pas pu être envoyée",
        "the SSH banner could not be sent",
    ),
    (
        &["Invalid response received from server", "invalid SSH version string"],
        "la réponse n’est pas du SSH",
        "the answer is not SSH",
    ),
    (
        &["transport read", "Failure while draining"],
        "la lecture s’est interrompue",
        "reading broke off",
    ),
    (
        &["_libssh2_transport_send", "Unable to send"],
        "l’envoi s’est interrompu",
        "sending broke off",
    ),
    (&["Error waiting on socket"], "l’attente s’est interrompue", "waiting broke off"),
    (
        &[
            "socket disconnect",
            "Socket disconnect",
            "EOF",
            "Connection closed by the remote side",
            "Disconnected",
        ],
        "le serveur a mis fin à la connexion",
        "the server ended the connection",
    ),
    (&["fin"], "le rebond a mis fin à la connexion", "the jump host ended the connection"),
    (
        &[
            "Unable to exchange encryption keys",
            "Unable to complete key exchange",
            "Unrecoverable error exchanging keys",
            "Key exchange",
        ],
        "l’échange des clés de chiffrement n’a pas abouti",
        "the exchange of encryption keys did not succeed",
    ),
    (
        &[
            "Failed MAC check",
            "Invalid MAC received",
            "Wrong packet authentication code",
            "Failed to decrypt a packet",
        ],
        "des octets ont été altérés en chemin",
        "bytes were altered on the way",
    ),
    (
        &["Invalid packet size", "Bad packet size"],
        "le serveur a envoyé un paquet de taille impossible",
        "the server sent a packet of an impossible size",
    ),
    (
        &[
            "API timeout expired",
            "Timed out waiting",
            "Timeout waiting",
            "Connection timeout",
            "Keepalive timeout",
            "Inactivity timeout",
        ],
        "la réponse n’est pas venue à temps",
        "the answer did not come in time",
    ),
    (
        &["Unable to ask for ssh-userauth", "Failed to get response to ssh-userauth"],
        "le serveur n’a pas ouvert l’identification",
        "the server did not begin the login",
    ),
    (&["no host key"], "le serveur n’a pas montré de clé", "the server showed no key"),
    (
        &[
            "Channel open failure (administratively prohibited)",
            "Failed to open channel (AdministrativelyProhibited)",
        ],
        "le serveur l’interdit",
        "the server forbids it",
    ),
    (
        &["Channel open failure (connect failed)", "Failed to open channel (ConnectFailed)"],
        "il n’a pas pu joindre la destination",
        "it could not reach the destination",
    ),
    (
        &[
            "Channel open failure (unknown channel type)",
            "Failed to open channel (UnknownChannelType)",
        ],
        "le serveur ne connaît pas ce genre de canal",
        "the server does not know this kind of channel",
    ),
    (
        &["Channel open failure (resource shortage)", "Failed to open channel (ResourceShortage)"],
        "le serveur est à court de ressources",
        "the server is short of resources",
    ),
    (
        &[
            "Channel open failure",
            "Failed to open channel",
            "The request was rejected",
            "request denied",
        ],
        "le serveur a refusé",
        "the server refused",
    ),
    (
        &["Unable to complete request for channel request-pty", "Failed to require the PTY packet"],
        "le serveur refuse un terminal",
        "the server refuses a terminal",
    ),
    (
        &["Unable to complete request for channel-process-startup"],
        "le serveur refuse de lancer le programme",
        "the server refuses to start the program",
    ),
    (
        &["Failed waiting for channel success"],
        "le serveur n’a pas confirmé la demande",
        "the server did not confirm the request",
    ),
    (&["closed"], "le serveur l’a fermé aussitôt", "the server closed it at once"),
    (
        &["Unable to complete request for forward-listen"],
        "le serveur refuse d’écouter sur ce port",
        "the server refuses to listen at that port",
    ),
    (
        &["Unable to verify host key signature", "Wrong server signature"],
        "le serveur n’a pas prouvé que sa clé est la sienne",
        "the server did not prove that its key is its own",
    ),
    (
        &["Waiting for", "Failed getting response"],
        "le serveur n’a pas répondu à l’identification",
        "the server did not answer the login",
    ),
    (
        &[
            "Unexpected",
            "unexpected",
            "Data too short",
            "Packet too small",
            "Packet received for unknown",
            "Window adjust out of bounds",
            "strict KEX violation",
            "Violation detected",
            "Inconsistent state",
        ],
        "le serveur n’a pas suivi le protocole SSH",
        "the server did not follow the SSH protocol",
    ),
    (
        &["Channel send error", "Could not reach the event loop", "Unable to receive more"],
        "la connexion s’est interrompue",
        "the connection broke off",
    ),
    (
        &["failed connecting", "failed creating socket", "No such file", "Connection refused"],
        "personne n’écoute à cet endroit",
        "nobody listens there",
    ),
    (
        &["on this system"],
        "ici il ne sert que pour des équipements récents",
        "here it serves for newer devices only",
    ),
    (
        &[
            "agent send failed",
            "agent recv failed",
            "agent list id failed",
            "Agent protocol",
            "Agent failure",
        ],
        "sa réponse n’est pas celle d’un agent",
        "its answer is not an agent's",
    ),
    (
        &["Memory allocation failed", "Out of memory", "Unable to allocate"],
        "la mémoire manque",
        "memory is short",
    ),
];

/// `detail` as part of a sentence. What is not known keeps its own words, in brackets.
pub fn told(detail: &str) -> Bi {
    let known = KNOWN.iter().find(|(all, ..)| all.iter().any(|words| detail.starts_with(words)));
    match known {
        Some((_, fr, en)) => Bi::new(*fr, *en),
        None => Bi::new(format!("erreur SSH ({detail})"), format!("SSH error ({detail})")),
    }
}

/// What [`told`] says in English, in French.
pub fn in_french(en: &str) -> Option<String> {
    let known = KNOWN.iter().find(|(_, _, told)| *told == en).map(|(_, fr, _)| (*fr).to_owned());
    known.or_else(|| Some(format!("erreur SSH {}", en.strip_prefix("SSH error ")?)))
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn usual_errors_are_told_in_both_languages_and_others_keep_their_words() {
        for (detail, fr, en) in [
            ("Failed getting banner", "aucune bannière SSH n’est venue", "no SSH banner came"),
            ("transport read", "la lecture s’est interrompue", "reading broke off"),
            (
                "Channel open failure (connect failed)",
                "il n’a pas pu joindre la destination",
                "it could not reach the destination",
            ),
            (
                "Unexpected packet size",
                "le serveur n’a pas suivi le protocole SSH",
                "the server did not follow the SSH protocol",
            ),
            // What the second engine says of the same.
            (
                "Failed to open channel (ConnectFailed)",
                "il n’a pas pu joindre la destination",
                "it could not reach the destination",
            ),
            ("Failed to open channel (Unknown)", "le serveur a refusé", "the server refused"),
            ("Weird", "erreur SSH (Weird)", "SSH error (Weird)"),
        ] {
            let said = told(detail);
            assert_eq!((said.fr.as_str(), said.en.as_str()), (fr, en));
        }
    }
}
