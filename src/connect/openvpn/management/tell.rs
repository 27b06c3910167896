//! Why an OpenVPN connection failed, in words for a person: what happened and what to
//! do. Texts only; holds no secret.

use std::io;

use super::answer::Unsayable;
use super::reason::{Reason, Whose};
use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::model::time::Time;
use crate::os::words;

/// One of each below, of marks.
pub fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, at};
    let any = |n: usize| ANY[n].to_owned();
    let mut all = Vec::new();
    for with_code in [false, true] {
        all.push(Reason::Login { text: None, with_code });
    }
    all.push(Reason::Login { text: Some(any(0)), with_code: false });
    for at in [None, Some(at(0))] {
        all.push(Reason::Handshake(at.clone()));
        all.push(Reason::Refused(at.clone()));
        all.push(Reason::NoRoute { at: at.clone(), error: "Network is unreachable".into() });
        all.push(Reason::Silent { at: at.clone(), control_key: false });
        all.push(Reason::HungUp { at, control_key: false });
    }
    all.extend([
        Reason::LoginLater(any(0)),
        Reason::SessionExpired,
        Reason::ProxyLogin,
        Reason::Passphrase,
        Reason::Unsayable(Unsayable::LineBreak),
        Reason::Unsayable(Unsayable::TooLong),
        Reason::Authority { name: any(0), error: any(1) },
        Reason::Name { name: any(0), wanted: any(1) },
        Reason::Purpose { name: any(0) },
        Reason::Purpose { name: String::new() },
        Reason::Fingerprint,
        Reason::Certificate { name: any(0), error: any(1) },
        Reason::OwnRefused(any(0)),
        Reason::NoCommonTls(any(0)),
        Reason::NoCommonCipher(any(0)),
        Reason::ControlKey,
        Reason::UnknownHost(any(0)),
        Reason::Tun(any(0)),
        Reason::Material(any(0)),
        Reason::Options(any(0)),
        Reason::Gone,
        Reason::Cut,
        Reason::Dismissed(any(0)),
        Reason::Fatal(any(0)),
        Reason::Exited(any(0)),
        Reason::Exited(String::new()),
        Reason::Other(any(0)),
        Reason::Nonsense,
    ]);
    let mut all: Vec<Failure> = all.iter().map(failure).collect();
    for over in [false, true] {
        for date in [None, Some(ANY[1])] {
            all.push(validity(Whose::Own, "", over, date, None));
            all.push(validity(Whose::Server, ANY[0], over, date, Some(ANY[2])));
            all.push(validity(Whose::Authority, ANY[0], over, date, Some(ANY[2])));
        }
    }
    all
}

/// A reason in words.
pub fn failure(reason: &Reason) -> Failure {
    match reason {
        Reason::Login { text, with_code } => login(text.as_deref(), *with_code),
        Reason::Validity { whose, name, over, date, clock } => {
            let date = date.and_then(day);
            let clock = Some(*clock).filter(|clock| *clock > 0).and_then(day);
            validity(*whose, name, *over, date.as_deref(), clock.as_deref())
        }
        Reason::NoRoute { at, error } => no_route(at.as_ref(), error),
        Reason::Silent { at, control_key } => silent(at.as_ref(), *control_key),
        Reason::HungUp { at, control_key } => hung_up(at.as_ref(), *control_key),
        Reason::Refused(at) => refused(at.as_ref()),
        Reason::Handshake(at) => handshake(at.as_ref()),
        _ => short(reason),
    }
}

fn made(kind: FailureKind, what: (String, String), todo: (&str, &str)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

/// The day of a date, in UTC.
fn day(seconds: i64) -> Option<String> {
    let text = Time::from_unix_seconds(seconds).text()?;
    Some(String::from_utf8_lossy(&text[..10]).into_owned())
}

fn server(at: Option<&HostPort>) -> Bi {
    match at {
        None => Bi::new("Le serveur VPN", "The VPN server"),
        Some(at) => Bi::new(format!("Le serveur VPN {at}"), format!("The VPN server {at}")),
    }
}

fn login(text: Option<&str>, with_code: bool) -> Failure {
    let what = match (text, with_code) {
        (Some(text), _) => (
            format!("Le serveur VPN refuse la connexion et dit\u{a0}: {text}"),
            format!("The VPN server refuses the login and says: {text}"),
        ),
        (None, false) => (
            "Le serveur VPN refuse l’utilisateur ou le mot de passe.".into(),
            "The VPN server refuses the user name or the password.".into(),
        ),
        (None, true) => (
            "Le serveur VPN refuse l’utilisateur, le mot de passe ou le code.".into(),
            "The VPN server refuses the user name, the password or the code.".into(),
        ),
    };
    let todo = match with_code {
        false => (
            "Vérifiez l’utilisateur et le mot de passe de l’entrée, et si le serveur veut un code \
             à la suite du mot de passe (réglage du code de l’entrée).",
            "Check the user and the password of the entry, and whether the server wants a code \
             right behind the password (the setting of the code).",
        ),
        true => (
            "Vérifiez l’utilisateur, le mot de passe, la graine TOTP de l’entrée et l’heure de cet \
             ordinateur\u{a0}; chaque code ne sert qu’une fois.",
            "Check the user, the password, the TOTP seed of the entry and the clock of this \
             computer; each code serves once.",
        ),
    };
    made(FailureKind::Login, what, todo)
}

fn validity(
    whose: Whose,
    name: &str,
    over: bool,
    date: Option<&str>,
    clock: Option<&str>,
) -> Failure {
    let (fr, en) = match whose {
        Whose::Own => (
            "Le certificat client du profil VPN".to_owned(),
            "The client certificate of the VPN profile".to_owned(),
        ),
        Whose::Server => (
            format!("Le certificat du serveur VPN ({name})"),
            format!("The certificate of the VPN server ({name})"),
        ),
        Whose::Authority => (
            format!("Le certificat de l’autorité du VPN ({name})"),
            format!("The certificate of the VPN's authority ({name})"),
        ),
    };
    let (fr, en) = match (over, date) {
        (true, Some(date)) => {
            (format!("{fr} est expiré depuis le {date}."), format!("{en} expired on {date}."))
        }
        (true, None) => (format!("{fr} est expiré."), format!("{en} has expired.")),
        (false, Some(date)) => (
            format!("{fr} n’est valable qu’à partir du {date}."),
            format!("{en} is only valid from {date}."),
        ),
        (false, None) => {
            (format!("{fr} n’est pas encore valable."), format!("{en} is not valid yet."))
        }
    };
    let what = match clock {
        None => (fr, en),
        Some(clock) => (
            format!("{fr} L’horloge de cet ordinateur dit {clock}."),
            format!("{en} The clock of this computer says {clock}."),
        ),
    };
    let todo = match whose {
        Whose::Own => (
            "Demandez un nouveau profil à l’administrateur du VPN et importez-le\u{a0}; vérifiez \
             aussi la date de cet ordinateur.",
            "Ask the administrator of the VPN for a new profile and import it; check the date of \
             this computer too.",
        ),
        Whose::Server | Whose::Authority => (
            "Vérifiez la date de cet ordinateur\u{a0}; si elle est juste, l’administrateur du VPN \
             doit renouveler ce certificat.",
            "Check the date of this computer; if it is right, the administrator of the VPN has to \
             renew this certificate.",
        ),
    };
    made(FailureKind::Protocol, what, todo)
}

/// The system's words, as the log has them, and the error that they are of.
const SYSTEM: [(&str, io::ErrorKind); 6] = [
    ("No route to host", io::ErrorKind::HostUnreachable),
    ("Network is unreachable", io::ErrorKind::NetworkUnreachable),
    ("Network is down", io::ErrorKind::NetworkUnreachable),
    ("Permission denied", io::ErrorKind::PermissionDenied),
    ("Operation not permitted", io::ErrorKind::PermissionDenied),
    ("Cannot assign requested address", io::ErrorKind::AddrNotAvailable),
];

fn no_route(at: Option<&HostPort>, error: &str) -> Failure {
    let known = SYSTEM.iter().find(|(words, _)| *words == error);
    let cause =
        known.map_or_else(|| words::quoted(error), |(_, kind)| words::cause(&(*kind).into()));
    let server = server(at);
    made(
        FailureKind::Network,
        (
            format!("{} n’est pas joignable\u{a0}: {}.", server.fr, cause.fr),
            format!("{} cannot be reached: {}.", server.en, cause.en),
        ),
        (
            "Vérifiez la connexion de cet ordinateur au réseau et son pare-feu.",
            "Check this computer's connection to the network, and its firewall.",
        ),
    )
}

fn silent(at: Option<&HostPort>, control_key: bool) -> Failure {
    let server = server(at);
    let todo = match control_key {
        false => (
            "Vérifiez l’adresse, le port et le protocole (UDP ou TCP) du profil, que le serveur \
             fonctionne, et que le réseau d’ici laisse passer.",
            "Check the address, the port and the protocol (UDP or TCP) of the profile, that the \
             server runs, and that the network here lets it pass.",
        ),
        true => (
            "Vérifiez l’adresse, le port et le protocole (UDP ou TCP) du profil, que le serveur \
             fonctionne, que le réseau d’ici laisse passer, et la clé tls-crypt ou tls-auth\u{a0}: \
             à une clé fausse, un serveur ne répond rien.",
            "Check the address, the port and the protocol (UDP or TCP) of the profile, that the \
             server runs, that the network here lets it pass, and the tls-crypt or tls-auth key: \
             a server answers nothing to a wrong one.",
        ),
    };
    made(
        FailureKind::Timeout,
        (format!("{} ne répond pas.", server.fr), format!("{} does not answer.", server.en)),
        todo,
    )
}

fn hung_up(at: Option<&HostPort>, control_key: bool) -> Failure {
    let server = server(at);
    let todo = match control_key {
        false => (
            "Vérifiez que ce port est bien celui d’un serveur OpenVPN en TCP, et si le profil du \
             serveur veut une clé tls-crypt ou tls-auth.",
            "Check that this port belongs to an OpenVPN server over TCP, and whether the server \
             wants a tls-crypt or tls-auth key.",
        ),
        true => (
            "La clé tls-crypt ou tls-auth du profil n’est sans doute plus celle du serveur\u{a0}: \
             demandez un nouveau profil et importez-le.",
            "The tls-crypt or tls-auth key of the profile is probably no longer the server's: ask \
             for a new profile and import it.",
        ),
    };
    made(
        FailureKind::Protocol,
        (
            format!("{} accepte la connexion TCP puis raccroche sans un mot.", server.fr),
            format!("{} takes the TCP connection and hangs up without a word.", server.en),
        ),
        todo,
    )
}

fn refused(at: Option<&HostPort>) -> Failure {
    let server = server(at);
    made(
        FailureKind::Refused,
        (
            format!("{} refuse la connexion.", server.fr),
            format!("{} refuses the connection.", server.en),
        ),
        (
            "Vérifiez le port et le protocole (UDP ou TCP) du profil, et qu’OpenVPN fonctionne sur \
             le serveur.",
            "Check the port and the protocol (UDP or TCP) of the profile, and that OpenVPN runs on \
             the server.",
        ),
    )
}

fn handshake(at: Option<&HostPort>) -> Failure {
    let server = server(at);
    made(
        FailureKind::Protocol,
        (
            format!("{} a répondu, mais l’échange TLS n’a pas abouti.", server.fr),
            format!("{} answered, but the TLS exchange came to no end.", server.en),
        ),
        (
            "Vérifiez que le certificat du profil est encore accepté, que les versions de TLS \
             conviennent au serveur, et que de grands paquets passent (MTU). Le journal du serveur \
             dit pourquoi.",
            "Check that the certificate of the profile is still accepted, that the versions of TLS \
             suit the server, and that large packets pass (MTU). The log of the server says why.",
        ),
    )
}

/// Those of one sentence.
fn short(reason: &Reason) -> Failure {
    use FailureKind::{BadKey, Ended, Helper, Login, Network, Protocol, Setting, UnknownHost};
    let ask = (
        "Demandez un nouveau profil à l’administrateur du VPN et importez-le.",
        "Ask the administrator of the VPN for a new profile and import it.",
    );
    let doubt = (
        "N’insistez pas\u{a0}: quelqu’un intercepte peut-être la connexion. Demandez à \
         l’administrateur du VPN si le serveur a changé, puis importez un nouveau profil.",
        "Do not insist: somebody may be intercepting the connection. Ask the administrator of \
         the VPN whether the server has changed, then import a new profile.",
    );
    let again = (
        "Vérifiez le réseau, puis connectez-vous à nouveau.",
        "Check the network, then connect again.",
    );
    let details = (
        "Regardez les dernières lignes du journal du VPN.",
        "Look at the last lines of the VPN's log.",
    );
    let (kind, fr, en, todo) = match reason {
        Reason::LoginLater(text) => (
            Login,
            format!(
                "Le serveur VPN ne peut pas vérifier la connexion pour l’instant\u{a0}: {text}"
            ),
            format!("The VPN server cannot check the login for the moment: {text}"),
            (
                "Attendez un peu, puis connectez-vous à nouveau.",
                "Wait a little, then connect again.",
            ),
        ),
        Reason::SessionExpired => (
            Login,
            "La session sur le serveur VPN est expirée.".into(),
            "The session at the VPN server has expired.".into(),
            ("Connectez-vous à nouveau.", "Connect again."),
        ),
        Reason::ProxyLogin => (
            Login,
            "Le proxy vers le serveur VPN refuse l’utilisateur ou le mot de passe.".into(),
            "The proxy to the VPN server refuses the user name or the password.".into(),
            (
                "Vérifiez l’utilisateur et le mot de passe du proxy.",
                "Check the user and the password of the proxy.",
            ),
        ),
        Reason::Passphrase => (
            BadKey,
            "La phrase de passe de la clé privée du profil VPN est fausse.".into(),
            "The passphrase of the VPN profile's private key is wrong.".into(),
            ("Corrigez-la dans l’entrée.", "Correct it in the entry."),
        ),
        Reason::Unsayable(Unsayable::LineBreak) => (
            Setting,
            "OpenVPN ne prend pas de saut de ligne dans un mot de passe ou un code.".into(),
            "OpenVPN takes no line break in a password or a code.".into(),
            ("Corrigez-le dans l’entrée.", "Correct it in the entry."),
        ),
        Reason::Unsayable(Unsayable::TooLong) => (
            Setting,
            "Le mot de passe ou le code est plus long qu’OpenVPN n’en prend (255 octets).".into(),
            "The password or the code is longer than OpenVPN takes (255 bytes).".into(),
            ("Choisissez-en un plus court.", "Choose a shorter one."),
        ),
        Reason::Authority { name, error } => (
            Protocol,
            format!(
                "Le serveur VPN montre un certificat ({name}) qui n’est pas de l’autorité du \
                 profil\u{a0}: {error}. Le mot de passe n’a pas été envoyé."
            ),
            format!(
                "The VPN server shows a certificate ({name}) that is not of the profile's \
                 authority: {error}. The password was not sent."
            ),
            doubt,
        ),
        Reason::Name { name, wanted } => (
            Protocol,
            format!(
                "Le certificat du serveur VPN est pour un autre nom\u{a0}: {name}, attendu \
                 «\u{a0}{wanted}\u{a0}»."
            ),
            format!(
                "The certificate of the VPN server is for another name: {name}, expected \
                 “{wanted}”."
            ),
            doubt,
        ),
        Reason::Purpose { name } if name.is_empty() => (
            Protocol,
            "Le certificat montré n’est pas celui d’un serveur VPN.".into(),
            "The certificate shown is not one of a VPN server.".into(),
            doubt,
        ),
        Reason::Purpose { name } => (
            Protocol,
            format!("Le certificat montré ({name}) n’est pas celui d’un serveur VPN."),
            format!("The certificate shown ({name}) is not one of a VPN server."),
            doubt,
        ),
        Reason::Fingerprint => (
            Protocol,
            "L’empreinte du certificat du serveur VPN n’est pas celle du profil.".into(),
            "The fingerprint of the VPN server's certificate is not the one of the profile.".into(),
            doubt,
        ),
        Reason::Certificate { name, error } => (
            Protocol,
            format!("Le certificat du serveur VPN ({name}) n’est pas valable\u{a0}: {error}."),
            format!("The certificate of the VPN server ({name}) is not valid: {error}."),
            doubt,
        ),
        Reason::OwnRefused(error) => (
            BadKey,
            format!("Le serveur VPN refuse le certificat du profil\u{a0}: {error}."),
            format!("The VPN server refuses the certificate of the profile: {error}."),
            ask,
        ),
        Reason::NoCommonTls(error) => (
            Protocol,
            format!("Le serveur VPN n’a pas de TLS en commun avec cet ordinateur\u{a0}: {error}."),
            format!("The VPN server has no TLS in common with this computer: {error}."),
            (
                "Mettez le serveur à jour\u{a0}; à défaut, le profil peut nommer d’autres versions \
                 (tls-version-min) ou d’autres suites (tls-cipher).",
                "Update the server; failing that, the profile can name other versions \
                 (tls-version-min) or other suites (tls-cipher).",
            ),
        ),
        Reason::NoCommonCipher(text) => (
            Protocol,
            format!("Aucun chiffrement du tunnel ne convient aux deux côtés\u{a0}: {text}"),
            format!("No cipher of the tunnel suits both sides: {text}"),
            (
                "Le profil doit nommer un chiffrement du serveur (data-ciphers).",
                "The profile has to name a cipher of the server (data-ciphers).",
            ),
        ),
        Reason::ControlKey => (
            Protocol,
            "La clé tls-crypt ou tls-auth du profil n’est pas celle du serveur VPN.".into(),
            "The tls-crypt or tls-auth key of the profile is not the VPN server's.".into(),
            ask,
        ),
        Reason::UnknownHost(host) => (
            UnknownHost,
            format!("Le serveur VPN {host} est inconnu."),
            format!("The VPN server {host} is unknown."),
            (
                "Vérifiez l’orthographe du nom dans le profil, le DNS et le réseau.",
                "Check the spelling of the name in the profile, the DNS and the network.",
            ),
        ),
        Reason::Tun(text) => (
            Helper,
            format!("L’interface du tunnel ne peut pas être créée\u{a0}: {text}"),
            format!("The interface of the tunnel cannot be made: {text}"),
            (
                "Vérifiez que /dev/net/tun existe et est ouvert à tous\u{a0}; «\u{a0}poterne \
                 doctor\u{a0}» dit quoi changer.",
                "Check that /dev/net/tun exists and is open to everybody; “poterne doctor” says \
                 what to change.",
            ),
        ),
        Reason::Material(text) => (
            BadKey,
            format!("Un certificat ou une clé du profil VPN est inutilisable\u{a0}: {text}"),
            format!("A certificate or a key of the VPN profile cannot be used: {text}"),
            ask,
        ),
        Reason::Options(text) => (
            Setting,
            format!("OpenVPN refuse une option du profil\u{a0}: {text}"),
            format!("OpenVPN refuses an option of the profile: {text}"),
            (
                "Corrigez le profil, ou installez une version d’OpenVPN qui connaît cette option.",
                "Correct the profile, or install a version of OpenVPN that knows this option.",
            ),
        ),
        Reason::Gone => (
            Network,
            "Le serveur VPN ne donne plus signe de vie.".into(),
            "The VPN server gives no sign of life any more.".into(),
            again,
        ),
        Reason::Cut => (
            Network,
            "La connexion au serveur VPN a été coupée.".into(),
            "The connection to the VPN server was cut.".into(),
            again,
        ),
        Reason::Dismissed(word) => (
            Ended,
            format!("Le serveur VPN a mis fin à la connexion\u{a0}: {word}"),
            format!("The VPN server ended the connection: {word}"),
            ("Connectez-vous à nouveau.", "Connect again."),
        ),
        Reason::Fatal(text) => (
            Helper,
            format!("OpenVPN s’est arrêté\u{a0}: {text}"),
            format!("OpenVPN stopped: {text}"),
            details,
        ),
        Reason::Exited(text) if text.is_empty() => (
            Helper,
            "OpenVPN s’est terminé de lui-même sans dire pourquoi.".into(),
            "OpenVPN ended by itself and did not say why.".into(),
            details,
        ),
        Reason::Exited(text) => (
            Helper,
            format!("OpenVPN s’est terminé de lui-même, après\u{a0}: {text}"),
            format!("OpenVPN ended by itself, after: {text}"),
            details,
        ),
        Reason::Other(word) => (
            Network,
            format!("OpenVPN a dû recommencer\u{a0}: {word}"),
            format!("OpenVPN had to start over: {word}"),
            details,
        ),
        _ => (
            Protocol,
            "Ce qui parle n’est pas OpenVPN.".into(),
            "What speaks is not OpenVPN.".into(),
            (
                "Vérifiez quel programme est installé sous le nom d’openvpn.",
                "Check which program is installed as openvpn.",
            ),
        ),
    };
    made(kind, (fr, en), todo)
}
