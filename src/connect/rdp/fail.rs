//! What went wrong on the way to a remote desktop, in words for a person. Texts
//! only; holds no secret.

use std::io;

use super::settings::Security;
use crate::connect::desk::tls::Unsecured;
use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::share::{PLACE, Unshared};
use crate::os::words;

/// One of each below that is no other's, of marks.
pub fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, at, cause};
    let (to, user) = (at(0), ANY[1]);
    let unsecured = [
        Unsecured::Broken(cause()),
        Unsecured::Failed(ANY[1].to_owned()),
        Unsecured::NoCertificate,
    ];
    let negotiations = [
        (Wants::Nla, Security::Tls),
        (Wants::Less, Security::Nla),
        (Wants::Less, Security::Auto),
        (Wants::Certificate, Security::Auto),
        (Wants::Other, Security::Auto),
    ];
    let mut all = vec![
        login(&to, user),
        coded(&to, user, ANY[2]),
        impostor(&to),
        protocol(&to, ANY[1]),
        unbounded(&to),
        licence(&to, ANY[1]),
        redirected(&to, "", ""),
        redirected(&to, ANY[1], ""),
    ];
    all.extend(unsecured.iter().map(|why| self::unsecured(&to, why, false)));
    all.extend(negotiations.map(|(wants, security)| negotiation(&to, wants, security)));
    all.extend(super::ended::each());
    all.extend(super::nla::fail::each());
    all.extend(super::gateway_fail::each());
    all.extend(STATUSES.iter().map(|code| status(&to, user, *code)));
    all
}

/// The statuses that have words of their own.
const STATUSES: [u32; 10] = [
    0xC000_0234,
    0xC000_0071,
    0xC000_0224,
    0xC000_0072,
    0xC000_0193,
    0xC000_006F,
    0xC000_0070,
    0xC000_015B,
    0xC000_005E,
    0xC000_0133,
];

fn failure(kind: FailureKind, what: (String, String), todo: (&str, &str)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

/// The connection broke.
pub fn broken(at: &HostPort, e: &io::Error) -> Failure {
    let why = words::cause(e);
    failure(
        FailureKind::Network,
        (
            format!("La connexion à {at} a été coupée\u{a0}: {}.", why.fr),
            format!("The connection to {at} broke: {}.", why.en),
        ),
        (
            "Vérifiez le réseau et que le bureau à distance est activé sur cette machine, puis \
             connectez-vous à nouveau.",
            "Check the network and that the remote desktop is enabled on that machine, then \
             connect again.",
        ),
    )
}

/// The folder that the entry names is not given to the desktop.
pub fn folder(named: &str, why: &Unshared) -> Failure {
    let (fr, en) = match why {
        Unshared::Elsewhere => {
            let place = format!("~/{PLACE}");
            (format!("il n’est pas dans {place}"), format!("it does not lie in {place}"))
        }
        Unshared::TooMuch => (
            "il mène à tout le dossier personnel, à des dossiers cachés de programmes ou au système"
                .to_owned(),
            "it leads to the whole home folder, to hidden folders of programs or to the system"
                .to_owned(),
        ),
        Unshared::Missing(e) => {
            let why = words::cause(e);
            (why.fr, why.en)
        }
    };
    failure(
        FailureKind::Setting,
        (
            format!("Le dossier «\u{a0}{named}\u{a0}» n’est pas partagé\u{a0}: {fr}."),
            format!("The folder “{named}” is not shared: {en}."),
        ),
        (
            "Indiquez un dossier d’échange qui existe sur ce poste, ou videz le réglage \
             «\u{a0}folder\u{a0}» de l’entrée.",
            "Give an exchange folder that exists on this computer, or empty the setting “folder” \
             of the entry.",
        ),
    )
}

/// TLS did not come about, for this reason; `weak` when old versions were offered too.
pub fn unsecured(at: &HostPort, why: &Unsecured, weak: bool) -> Failure {
    match why {
        Unsecured::Broken(e) => broken(at, e),
        Unsecured::Failed(reason) => tls(at, reason, weak),
        Unsecured::NoCertificate => no_certificate(at),
    }
}

/// TLS did not come about; `weak` when old versions were offered too.
fn tls(at: &HostPort, reason: &str, weak: bool) -> Failure {
    let what = (
        format!("{at} et cette machine ne s’accordent pas sur TLS\u{a0}: «\u{a0}{reason}\u{a0}»."),
        format!("{at} and this machine do not agree on TLS: “{reason}”."),
    );
    let todo = if weak {
        (
            "Vérifiez que ce port est celui d’un bureau à distance, et le certificat du serveur.",
            "Check that this port belongs to a remote desktop, and the server's certificate.",
        )
    } else {
        (
            "Mettez le serveur à jour\u{a0}; s’il est plus vieux que Windows Server 2012, acceptez \
             TLS ancien pour cette entrée (option --weak-tls yes de poterne edit CHEMIN).",
            "Update the server; if it is older than Windows Server 2012, accept old TLS for this \
             entry (option --weak-tls yes of poterne edit PATH).",
        )
    };
    failure(FailureKind::Protocol, what, todo)
}

/// The server showed no certificate that can be read.
fn no_certificate(at: &HostPort) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("{at} n’a pas montré de certificat lisible."),
            format!("{at} showed no certificate that can be read."),
        ),
        (
            "Renouvelez le certificat du bureau à distance sur ce serveur.",
            "Renew the certificate of the remote desktop on that server.",
        ),
    )
}

/// The server takes another way to log in than the entry allows.
pub fn negotiation(at: &HostPort, wants: Wants, security: Security) -> Failure {
    let (what, todo) = match wants {
        Wants::Nla => (
            (
                format!("{at} exige NLA, que cette entrée exclut."),
                format!("{at} requires NLA, which this entry rules out."),
            ),
            (
                "Mettez le réglage «\u{a0}security\u{a0}» de l’entrée sur auto ou nla.",
                "Set “security” of the entry to auto or nla.",
            ),
        ),
        Wants::Less if security == Security::Nla => (
            (
                format!("{at} ne connaît pas NLA, que cette entrée exige."),
                format!("{at} does not know NLA, which this entry requires."),
            ),
            (
                "Activez NLA sur le serveur, ou mettez le réglage «\u{a0}security\u{a0}» de \
                 l’entrée sur auto.",
                "Enable NLA on the server, or set “security” of the entry to auto.",
            ),
        ),
        Wants::Less => (
            (
                format!("{at} ne connaît que l’ancien chiffrement de RDP, qui ne protège pas."),
                format!("{at} only knows RDP's old encryption, which does not protect."),
            ),
            (
                "Activez TLS ou NLA pour le bureau à distance de ce serveur.",
                "Enable TLS or NLA for the remote desktop of that server.",
            ),
        ),
        Wants::Certificate => (
            (
                format!("{at} n’a pas de certificat valable pour le bureau à distance."),
                format!("{at} has no valid certificate for its remote desktop."),
            ),
            (
                "Renouvelez le certificat du bureau à distance sur ce serveur.",
                "Renew the certificate of the remote desktop on that server.",
            ),
        ),
        Wants::Other => (
            (
                format!(
                    "{at} exige une façon de se connecter que Poterne n’a pas (carte à puce ou \
                     Microsoft Entra)."
                ),
                format!(
                    "{at} requires a way to log in that Poterne does not have (smart card or \
                     Microsoft Entra)."
                ),
            ),
            (
                "Autorisez la connexion par mot de passe (NLA) sur ce serveur.",
                "Allow the login by password (NLA) on that server.",
            ),
        ),
    };
    failure(FailureKind::Protocol, what, todo)
}

/// What a server says it wants in place of what was offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wants {
    /// NLA.
    Nla,
    /// Less than what was offered.
    Less,
    /// A certificate of its own first.
    Certificate,
    /// Something unknown here.
    Other,
}

/// The server refused user and password without more words.
pub fn login(at: &HostPort, user: &str) -> Failure {
    refused(
        at,
        user,
        ("l’utilisateur ou le mot de passe est faux", "the user or the password is wrong"),
        (
            "Vérifiez l’utilisateur, le domaine et le mot de passe de l’entrée.",
            "Check the user, the domain and the password of the entry.",
        ),
    )
}

fn refused(at: &HostPort, user: &str, why: (&str, &str), todo: (&str, &str)) -> Failure {
    failure(
        FailureKind::Login,
        (
            format!("{at} refuse la connexion de {user}\u{a0}: {}.", why.0),
            format!("{at} refuses the login of {user}: {}.", why.1),
        ),
        todo,
    )
}

/// The server refused the login with this status (MS-ERREF section 2.3).
pub fn status(at: &HostPort, user: &str, status: u32) -> Failure {
    let (why, todo) = match status {
        0xC000_0234 => (
            ("le compte est verrouillé", "the account is locked"),
            (
                "Attendez, ou faites déverrouiller le compte\u{a0}; un mot de passe faux a été \
                 essayé trop souvent.",
                "Wait, or have the account unlocked; a wrong password was tried too often.",
            ),
        ),
        0xC000_0071 => (
            ("le mot de passe a expiré", "the password has expired"),
            (
                "Changez-le sur le serveur, puis dans l’entrée.",
                "Change it on the server, then in the entry.",
            ),
        ),
        0xC000_0224 => (
            (
                "le mot de passe doit être changé à la première connexion",
                "the password must be changed at the first login",
            ),
            (
                "Changez-le depuis une autre machine, ou mettez le réglage «\u{a0}security\u{a0}» \
                 sur tls pour que le bureau le demande, puis corrigez l’entrée.",
                "Change it from another machine, or set “security” to tls so that the desktop \
                 asks for it, then correct the entry.",
            ),
        ),
        0xC000_0072 => (
            ("le compte est désactivé", "the account is disabled"),
            ("Faites activer le compte.", "Have the account enabled."),
        ),
        0xC000_0193 => (
            ("le compte a expiré", "the account has expired"),
            ("Faites prolonger le compte.", "Have the account extended."),
        ),
        0xC000_006F => (
            ("le compte n’a pas accès à cette heure", "the account has no access at this hour"),
            (
                "Réessayez aux heures permises, ou faites-les changer.",
                "Try again at the permitted hours, or have them changed.",
            ),
        ),
        0xC000_0070 => (
            (
                "le compte n’a pas le droit de venir de cette machine",
                "the account may not come from this machine",
            ),
            (
                "Faites autoriser cette machine pour ce compte.",
                "Have this machine allowed for that account.",
            ),
        ),
        0xC000_006E | 0xC000_015B | 0xC000_0413 => (
            (
                "le compte n’a pas le droit d’ouvrir un bureau à distance (ou son mot de passe \
                 est vide)",
                "the account may not open a remote desktop (or its password is empty)",
            ),
            (
                "Ajoutez-le au groupe «\u{a0}Utilisateurs du Bureau à distance\u{a0}» du serveur.",
                "Add it to the group “Remote Desktop Users” of the server.",
            ),
        ),
        0xC000_005E => (
            (
                "aucun contrôleur de domaine ne répond au serveur",
                "no domain controller answers the server",
            ),
            (
                "Vérifiez le domaine, ou utilisez un compte local du serveur.",
                "Check the domain, or use a local account of the server.",
            ),
        ),
        0xC000_0133 => (
            (
                "l’horloge du serveur et celle du domaine diffèrent trop",
                "the clocks of server and domain differ too much",
            ),
            ("Réglez l’horloge du serveur.", "Set the clock of the server."),
        ),
        0xC000_0064 | 0xC000_006A | 0xC000_006D => return login(at, user),
        other => return coded(at, user, &format!("0x{other:08X}")),
    };
    refused(at, user, why, todo)
}

/// The server refused the login with a status that has no words.
fn coded(at: &HostPort, user: &str, code: &str) -> Failure {
    failure(
        FailureKind::Login,
        (
            format!("{at} refuse la connexion de {user} (code {code})."),
            format!("{at} refuses the login of {user} (code {code})."),
        ),
        (
            "Vérifiez le compte de l’entrée et ses droits sur le serveur.",
            "Check the account of the entry and its rights on the server.",
        ),
    )
}

/// User and password are right, but the account may not come in.
pub fn not_allowed(at: &HostPort, user: &str) -> Failure {
    status(at, user, 0xC000_015B)
}

/// The server proved at login that it is another one than its certificate says.
pub fn impostor(at: &HostPort) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!(
                "{at} n’a pas prouvé qu’il connaît le mot de passe\u{a0}: quelqu’un intercepte \
                 peut-être la connexion. Le mot de passe n’a pas été envoyé."
            ),
            format!(
                "{at} did not prove that it knows the password: somebody may be intercepting the \
                 connection. The password was not sent."
            ),
        ),
        (
            "Vérifiez l’adresse et le réseau avant de réessayer.",
            "Check the address and the network before you try again.",
        ),
    )
}

/// The server speaks RDP otherwise than expected.
pub fn protocol(at: &HostPort, detail: &str) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("L’échange avec {at} a échoué\u{a0}: «\u{a0}{detail}\u{a0}»."),
            format!("The exchange with {at} failed: “{detail}”."),
        ),
        (
            "Vérifiez que ce port est celui d’un bureau à distance\u{a0}; sinon, essayez le réglage \
             «\u{a0}graphics\u{a0}» sur classic.",
            "Check that this port belongs to a remote desktop; otherwise try “graphics” set to \
             classic.",
        ),
    )
}

/// The server announces more on a channel than anybody would keep.
pub fn unbounded(at: &HostPort) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("{at} annonce un message démesuré\u{a0}: la session est arrêtée."),
            format!("{at} announces a message beyond all measure: the session was ended."),
        ),
        (
            "Si c’est un bureau à distance, signalez-le à son administrateur\u{a0}: aucun serveur \
             honnête ne fait cela.",
            "If it is a remote desktop, tell its administrator: no honest server does this.",
        ),
    )
}

/// The licence was not settled.
pub fn licence(at: &HostPort, detail: &str) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!(
                "{at} n’a pas donné de licence de bureau à distance\u{a0}: «\u{a0}{detail}\u{a0}»."
            ),
            format!("{at} gave no remote desktop licence: “{detail}”."),
        ),
        (
            "Vérifiez le serveur de licences, ou demandez la session d’administration (option \
             --admin-session yes).",
            "Check the licence server, or ask for the admin session (option --admin-session yes).",
        ),
    )
}

/// The server sends the session to another one, which it may name, or to a farm that
/// finds it by a token.
pub fn redirected(at: &HostPort, to: &str, token: &str) -> Failure {
    let (fr, en) = if to.is_empty() {
        (" vers un autre serveur".to_owned(), " to another server".to_owned())
    } else {
        (format!(" vers {to}"), format!(" to {to}"))
    };
    let what = (format!("{at} renvoie{fr}."), format!("{at} sends on{en}."));
    let todo = (
        "Indiquez ce serveur dans l’entrée, ou le jeton de la ferme dans \
         «\u{a0}load-balance-info\u{a0}».",
        "Give that server in the entry, or the token of the farm in “load-balance-info”.",
    );
    let failure = failure(FailureKind::Protocol, what, todo);
    if token.is_empty() {
        return failure;
    }
    let todo = Bi::new(
        format!(
            "Indiquez ce serveur dans l’entrée, ou ce jeton dans «\u{a0}load-balance-info\u{a0}»\u{a0}: \
             «\u{a0}{token}\u{a0}»."
        ),
        format!("Give that server in the entry, or this token in “load-balance-info”: “{token}”."),
    );
    Failure { todo, ..failure }
}
