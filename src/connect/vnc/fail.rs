//! What went wrong on the way to a remote screen, in words for a person. Texts only;
//! holds no secret.

use std::io;

use super::greeting::{Cover, Demand, TLS, Trouble, name};
use super::relay::{PIXELS_MAX, SIDE_MAX, Why};
use super::settings::Security;
use crate::connect::desk::tls::Unsecured;
use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::words;

/// One of each below that is no other's, of marks.
pub fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, SECS, at, cause};
    let to = at(0);
    vec![
        broken(&to, &cause()),
        gone(&to),
        silent(&to, SECS),
        no_vnc(&to, ANY[1]),
        refused(&to, ANY[1]),
        wrong_password(&to),
        unanswered(&to),
        no_password(&to),
        less_than_before(&to, ANY[1]),
        nothing_in_common(&to, ANY[1], ("", "")),
        unsecured(&to, &Unsecured::Failed(ANY[1].to_owned())),
        odd(&to, ANY[1]),
        too_large(&to, ANY[1], ANY[2]),
    ]
}

fn failure(kind: FailureKind, what: (String, String), todo: (&str, &str)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

/// A server's words without what is no text, and not too many.
fn plain(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).take(200).collect::<String>().trim().to_owned()
}

/// The mark of a connection in clear text, beyond the jump host if there is one.
pub fn in_clear(via: Option<&HostPort>) -> Bi {
    match via {
        None => Bi::new(
            "Connexion non chiffrée\u{a0}: l’image et les touches, mots de passe tapés compris, \
             passent en clair",
            "Not encrypted: the picture and the keys, typed passwords too, travel in clear text",
        ),
        Some(jump) => Bi::new(
            format!(
                "Non chiffré après le rebond {jump}\u{a0}: l’image et les touches, mots de passe \
                 tapés compris, y passent en clair"
            ),
            format!(
                "Not encrypted beyond the jump host {jump}: the picture and the keys, typed \
                 passwords too, travel in clear text there"
            ),
        ),
    }
}

/// The mark of TLS with nobody knows whom.
pub fn anonymous() -> Bi {
    Bi::new(
        "Chiffré sans certificat\u{a0}: rien ne prouve que c’est le bon serveur",
        "Encrypted without a certificate: nothing proves that this is the right server",
    )
}

/// More of a password is stored than counts.
pub fn too_long() -> Bi {
    Bi::new(
        "VNC ne tient compte que des 8 premiers caractères du mot de passe",
        "VNC only counts the first 8 characters of the password",
    )
}

/// The connection broke.
pub fn broken(at: &HostPort, e: &io::Error) -> Failure {
    if e.kind() == io::ErrorKind::UnexpectedEof {
        return gone(at);
    }
    let why = words::cause(e);
    failure(
        FailureKind::Network,
        (
            format!("La connexion à {at} a été coupée\u{a0}: {}.", why.fr),
            format!("The connection to {at} broke: {}.", why.en),
        ),
        (
            "Vérifiez le réseau et le serveur VNC, puis connectez-vous à nouveau.",
            "Check the network and the VNC server, then connect again.",
        ),
    )
}

/// The server ended the connection without a word, which VNC has none for.
fn gone(at: &HostPort) -> Failure {
    failure(
        FailureKind::Network,
        (
            format!("Le serveur VNC {at} a mis fin à la connexion."),
            format!("The VNC server {at} ended the connection."),
        ),
        (
            "Il s’est arrêté, ou une autre personne a pris l’écran sans le partager. \
             Connectez-vous à nouveau.",
            "It stopped, or somebody else took the screen without sharing it. Connect again.",
        ),
    )
}

/// Whoever answers says nothing.
pub fn silent(at: &HostPort, secs: u64) -> Failure {
    failure(
        FailureKind::Timeout,
        (
            format!("{at} accepte la connexion mais se tait depuis {secs} s."),
            format!("{at} accepts the connection but has said nothing for {secs} s."),
        ),
        (
            "Vérifiez que ce port est celui d’un serveur VNC (5900 et suivants) et que personne \
             n’a à y accepter la connexion\u{a0}; sinon augmentez «\u{a0}connect-timeout\u{a0}».",
            "Check that this port belongs to a VNC server (5900 and above) and that nobody has \
             to accept the connection there; otherwise raise “connect-timeout”.",
        ),
    )
}

/// The greeting failed.
pub fn trouble(at: &HostPort, trouble: &Trouble) -> Failure {
    match trouble {
        Trouble::Broken(e) => broken(at, e),
        Trouble::Refused(reason) => refused(at, reason),
        Trouble::Odd(what) => odd(at, what),
        Trouble::NoVnc(first) => no_vnc(at, &String::from_utf8_lossy(first)),
    }
}

/// Whoever answers speaks something else.
fn no_vnc(at: &HostPort, first: &str) -> Failure {
    let first = plain(first);
    failure(
        FailureKind::Protocol,
        (
            format!("{at} n’est pas un serveur VNC\u{a0}: il dit «\u{a0}{first}\u{a0}»."),
            format!("{at} is no VNC server: it says “{first}”."),
        ),
        (
            "Corrigez le port de l’entrée (5900 pour l’écran 0, 5901 pour l’écran 1).",
            "Correct the port of the entry (5900 for screen 0, 5901 for screen 1).",
        ),
    )
}

/// The server does not want to, for this reason of its own.
pub fn refused(at: &HostPort, reason: &str) -> Failure {
    let said = plain(reason);
    let lower = said.to_lowercase();
    let todo = if lower.contains("too many") {
        (
            "Après plusieurs mots de passe faux, le serveur n’en accepte plus de cette adresse \
             pendant un moment. Corrigez le mot de passe de l’entrée et attendez quelques minutes, \
             ou redémarrez le serveur VNC.",
            "After several wrong passwords the server takes none from this address for a while. \
             Correct the password of the entry and wait a few minutes, or restart the VNC server.",
        )
    } else if lower.contains("auth") || lower.contains("password") {
        (
            "Vérifiez le mot de passe de l’entrée\u{a0}; VNC n’en compte que 8 caractères, et \
             certains serveurs en ont un autre pour regarder seulement.",
            "Check the password of the entry; VNC only counts 8 characters of it, and some \
             servers have another one for viewing only.",
        )
    } else {
        (
            "Vérifiez sur le serveur qui a le droit de s’y connecter.",
            "Check on the server who may connect to it.",
        )
    };
    failure(
        FailureKind::Login,
        (
            format!("{at} refuse la connexion\u{a0}: «\u{a0}{said}\u{a0}»."),
            format!("{at} refuses the connection: “{said}”."),
        ),
        todo,
    )
}

/// The password is wrong, and the server has no words for it.
pub fn wrong_password(at: &HostPort) -> Failure {
    failure(
        FailureKind::Login,
        (format!("{at} refuse le mot de passe."), format!("{at} refuses the password.")),
        (
            "Vérifiez le mot de passe de l’entrée\u{a0}; VNC n’en compte que 8 caractères.",
            "Check the password of the entry; VNC only counts 8 characters of it.",
        ),
    )
}

/// The server ended the connection where its answer to the password was due: some do so
/// instead of a word.
fn unanswered(at: &HostPort) -> Failure {
    failure(
        FailureKind::Login,
        (
            format!("{at} a mis fin à la connexion au lieu de répondre au mot de passe."),
            format!("{at} ended the connection instead of answering the password."),
        ),
        (
            "Le plus souvent, le mot de passe est faux\u{a0}: vérifiez celui de l’entrée (VNC n’en \
             compte que 8 caractères). S’il est juste, vérifiez que le serveur VNC tourne encore.",
            "Most often the password is wrong: check that of the entry (VNC only counts 8 \
             characters of it). If it is right, check that the VNC server is still running.",
        ),
    )
}

/// There is no password.
pub fn no_password(at: &HostPort) -> Failure {
    failure(
        FailureKind::Login,
        (
            format!("{at} demande un mot de passe, et l’entrée n’en a pas."),
            format!("{at} asks for a password, and the entry has none."),
        ),
        ("Enregistrez le mot de passe VNC dans l’entrée.", "Store the VNC password in the entry."),
    )
}

/// Nothing of what the server offers will do.
pub fn no_common(at: &HostPort, offers: &[u32], demand: &Demand) -> Failure {
    let names = offers.iter().copied().map(name).collect::<Vec<_>>().join(", ");
    let has = |cover: Cover| {
        let demand = Demand { security: Security::Auto, pinned: false, ..*demand };
        let tls = cover == Cover::Anonymous && offers.contains(&u32::from(TLS));
        tls || demand.best(offers).is_some_and(|way| way.cover == cover)
    };
    let less = has(Cover::Anonymous) || has(Cover::Clear);
    if demand.pinned && less && demand.security != Security::Clear {
        return less_than_before(at, &names);
    }
    let todo = match demand.security {
        Security::Tls if less => (
            "Activez VeNCrypt avec un certificat (X509Vnc) sur le serveur, ou mettez le réglage \
             «\u{a0}security\u{a0}» de l’entrée sur auto, à travers un rebond SSH si possible.",
            "Enable VeNCrypt with a certificate (X509Vnc) on the server, or set “security” of the \
             entry to auto, through an SSH jump host if possible.",
        ),
        Security::Clear if has(Cover::Certificate) || offers.contains(&19) => (
            "Mettez le réglage «\u{a0}security\u{a0}» de l’entrée sur auto ou tls.",
            "Set “security” of the entry to auto or tls.",
        ),
        _ => (
            "Sur le serveur, activez le mot de passe VNC (RealVNC\u{a0}: Authentication \
             «\u{a0}VNC password\u{a0}»\u{a0}; macOS\u{a0}: Gestion à distance, «\u{a0}Les \
             utilisateurs VNC peuvent contrôler l’écran\u{a0}»\u{a0}; TigerVNC\u{a0}: \
             SecurityTypes X509Vnc ou VncAuth).",
            "On the server enable the VNC password (RealVNC: Authentication “VNC password”; \
             macOS: Remote Management, “VNC viewers may control screen with password”; TigerVNC: \
             SecurityTypes X509Vnc or VncAuth).",
        ),
    };
    nothing_in_common(at, &names, todo)
}

/// The server has shown a certificate before.
fn less_than_before(at: &HostPort, names: &str) -> Failure {
    failure(
        FailureKind::HostKeyChanged,
        (
            format!(
                "ATTENTION\u{a0}: {at} a montré un certificat auparavant et n’en propose plus \
                 ({names}). Quelqu’un intercepte peut-être la connexion. Le mot de passe n’a pas \
                 été envoyé."
            ),
            format!(
                "WARNING: {at} has shown a certificate before and offers none any more ({names}). \
                 Somebody may be intercepting the connection. The password was not sent."
            ),
        ),
        (
            "Demandez au client si le serveur VNC a été changé. Seulement alors, oubliez le \
             certificat (option --forget-host-key de poterne edit CHEMIN).",
            "Ask the client whether the VNC server was changed. Only then forget the certificate \
             (option --forget-host-key of poterne edit PATH).",
        ),
    )
}

fn nothing_in_common(at: &HostPort, names: &str, todo: (&str, &str)) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!(
                "{at} et cette entrée n’ont aucune sécurité en commun\u{a0}: le serveur propose \
                 {names}."
            ),
            format!("{at} and this entry have no security in common: the server offers {names}."),
        ),
        todo,
    )
}

/// TLS did not come about.
pub fn unsecured(at: &HostPort, why: &Unsecured) -> Failure {
    let reason = match why {
        Unsecured::Broken(e) => return broken(at, e),
        Unsecured::Failed(reason) => plain(reason),
        Unsecured::NoCertificate => "no certificate".to_owned(),
    };
    failure(
        FailureKind::Protocol,
        (
            format!(
                "{at} et cette machine ne s’accordent pas sur TLS\u{a0}: «\u{a0}{reason}\u{a0}»."
            ),
            format!("{at} and this machine do not agree on TLS: “{reason}”."),
        ),
        (
            "Mettez à jour le serveur VNC ou son certificat\u{a0}; dans un réseau sûr ou par un \
             rebond SSH, mettez le réglage «\u{a0}security\u{a0}» sur clear.",
            "Update the VNC server or its certificate; in a safe network or through an SSH jump \
             host set “security” to clear.",
        ),
    )
}

/// The server says something that is not in the protocol.
pub fn odd(at: &HostPort, what: &str) -> Failure {
    let what = plain(what);
    failure(
        FailureKind::Protocol,
        (
            format!("L’échange avec {at} a échoué\u{a0}: «\u{a0}{what}\u{a0}»."),
            format!("The exchange with {at} failed: “{what}”."),
        ),
        (
            "Vérifiez que ce port est celui d’un serveur VNC\u{a0}; sinon, essayez le réglage \
             «\u{a0}encoding\u{a0}» sur raw.",
            "Check that this port belongs to a VNC server; otherwise try “encoding” set to raw.",
        ),
    )
}

/// Nothing more comes from the server.
pub fn over(at: &HostPort, why: &Why) -> Failure {
    match why {
        Why::Broken(e) => broken(at, e),
        Why::Unanswered => unanswered(at),
        Why::Refused => wrong_password(at),
        Why::Odd(what) => odd(at, what),
        Why::Unheard => odd(at, "decoder"),
        Why::TooLarge(width, height) => too_large(at, &width.to_string(), &height.to_string()),
    }
}

fn too_large(at: &HostPort, width: &str, height: &str) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!(
                "L’écran de {at} est trop grand\u{a0}: {width} × {height} pixels, et Poterne en \
                 montre {PIXELS_MAX} (3840 × 2160), {SIDE_MAX} par côté."
            ),
            format!(
                "The screen of {at} is too large: {width} × {height} pixels, and Poterne shows \
                 {PIXELS_MAX} (3840 × 2160), {SIDE_MAX} a side."
            ),
        ),
        (
            "Réduisez la taille de l’écran sur le serveur.",
            "Reduce the size of the screen on the server.",
        ),
    )
}
