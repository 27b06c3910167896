//! Why Kerberos let nobody in, in words for a person. Texts only; holds no secret.

use super::error::KrbError;
use super::way::{WHYS, Why};
use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;

/// What KDCs, and servers in their place, allow for by themselves.
const TOLERATED_SECS: i64 = 300;

/// The errors that have words of their own.
const CODES: [u32; 11] = [1, 6, 7, 11, 12, 14, 18, 23, 24, 37, 68];

/// One of each below, of marks.
pub fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, at};
    let (kdc, to, user) = (at(0), at(1), ANY[2]);
    let mut all: Vec<Failure> = WHYS.iter().map(|why| impossible(*why)).collect();
    all.extend([outside(), declined(&to), silent(&kdc, &Bi::new(ANY[1], ANY[1]))]);
    let told = |code, time| Told { error: KrbError { code, time }, ahead: time };
    all.extend(CODES.iter().map(|code| refused(&kdc, &to, user, &told(*code, None))));
    all.push(coded(&kdc.to_string(), user, ANY[3]));
    all.extend([server(&to, 37, None), server(&to, 41, None), unaccepted(&to, ANY[3])]);
    all.push(hung_up(&to));
    all
}

fn failure(kind: FailureKind, what: (String, String), todo: (&str, &str)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

/// An error, and by how many seconds the clock of who sent it is ahead.
pub struct Told {
    /// It.
    pub error: KrbError,
    /// Seconds, where that is known.
    pub ahead: Option<i64>,
}

/// The entry allows only Kerberos, which cannot be.
pub fn impossible(why: Why) -> Failure {
    let why = why.words();
    failure(
        FailureKind::Setting,
        (
            format!("Cet accès n’admet que Kerberos, mais {}.", why.fr),
            format!("This entry allows only Kerberos, but {}.", why.en),
        ),
        (
            "Donnez à l’utilisateur son domaine, au serveur son nom complet et indiquez le KDC \
             (option --kdc)\u{a0}; ou admettez NTLM (--kerberos auto).",
            "Give the user a domain, the server its full name, and name the KDC (option --kdc); \
             or allow NTLM (--kerberos auto).",
        ),
    )
}

/// FreeRDP cannot be kept to Kerberos.
pub fn outside() -> Failure {
    failure(
        FailureKind::Setting,
        (
            "Cet accès n’admet que Kerberos, ce que FreeRDP ne garantit pas.".to_owned(),
            "This entry allows only Kerberos, which FreeRDP does not warrant.".to_owned(),
        ),
        (
            "Ouvrez le bureau dans la fenêtre de Poterne (--program embedded), ou admettez NTLM \
             (--kerberos auto).",
            "Open the desktop in Poterne's window (--program embedded), or allow NTLM \
             (--kerberos auto).",
        ),
    )
}

/// The KDC gives no answer.
pub fn silent(kdc: &HostPort, why: &Bi) -> Failure {
    let why = (why.fr.trim_end_matches('.'), why.en.trim_end_matches('.'));
    failure(
        FailureKind::Network,
        (
            format!("Kerberos\u{a0}: pas de réponse du KDC {kdc} ({}).", why.0),
            format!("Kerberos: no answer from the KDC {kdc} ({}).", why.1),
        ),
        (
            "Vérifiez le réglage «\u{a0}kdc\u{a0}» de l’accès et le réseau (pare-feu, VPN, port 88 \
             en TCP)\u{a0}; cet accès exclut NTLM.",
            "Check “kdc” of the entry and the network (firewall, VPN, port 88 by TCP); this entry \
             rules out NTLM.",
        ),
    )
}

/// The server takes no ticket.
pub fn declined(at: &HostPort) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("{at} n’accepte pas Kerberos, et cet accès exclut NTLM."),
            format!("{at} does not take Kerberos, and this entry rules out NTLM."),
        ),
        (
            "Vérifiez que le serveur est membre du domaine, ou admettez NTLM (--kerberos auto) si \
             le compte n’est pas des «\u{a0}Protected Users\u{a0}».",
            "Check that the server is a member of the domain, or allow NTLM (--kerberos auto) if \
             the account is none of the “Protected Users”.",
        ),
    )
}

/// The KDC refused this user, or a ticket for this server.
pub fn refused(kdc: &HostPort, at: &HostPort, user: &str, told: &Told) -> Failure {
    let host = &at.host;
    let login = |fr: &str, en: &str, todo| {
        let what = (
            format!("Kerberos\u{a0}: le KDC {kdc} refuse {user}\u{a0}: {fr}."),
            format!("Kerberos: the KDC {kdc} refuses {user}: {en}."),
        );
        failure(FailureKind::Login, what, todo)
    };
    match told.error.code {
        1 => login(
            "le compte a expiré",
            "the account has expired",
            ("Faites prolonger le compte.", "Have the account extended."),
        ),
        6 => login(
            "il ne connaît pas cet utilisateur",
            "it does not know this user",
            (
                "Vérifiez l’utilisateur et son domaine (nom complet\u{a0}: nom@domaine.exemple).",
                "Check the user and the domain (in full: name@domain.example).",
            ),
        ),
        18 => login(
            "le compte est verrouillé ou désactivé",
            "the account is locked or disabled",
            (
                "Attendez, ou faites déverrouiller ou activer le compte.",
                "Wait, or have the account unlocked or enabled.",
            ),
        ),
        12 => login(
            "une règle du domaine l’interdit (heures, machines, silo)",
            "a rule of the domain forbids it (hours, machines, silo)",
            (
                "Réessayez aux heures et depuis les machines permises, ou faites changer la règle.",
                "Try again at the hours and from the machines permitted, or have the rule changed.",
            ),
        ),
        23 => login(
            "le mot de passe a expiré",
            "the password has expired",
            (
                "Changez-le dans le domaine, puis dans l’accès.",
                "Change it in the domain, then in the entry.",
            ),
        ),
        24 => login(
            "le mot de passe est faux",
            "the password is wrong",
            ("Vérifiez le mot de passe de l’accès.", "Check the password of the entry."),
        ),
        7 => failure(
            FailureKind::Protocol,
            (
                format!("Kerberos\u{a0}: le KDC {kdc} ne connaît pas le serveur TERMSRV/{host}."),
                format!("Kerberos: the KDC {kdc} does not know the server TERMSRV/{host}."),
            ),
            (
                "Donnez au serveur le nom complet qu’il a dans le domaine, et vérifiez qu’il en \
                 est membre\u{a0}; cet accès exclut NTLM.",
                "Give the server the full name that it has in the domain, and check that it is a \
                 member; this entry rules out NTLM.",
            ),
        ),
        14 => failure(
            FailureKind::Protocol,
            (
                format!(
                    "Kerberos\u{a0}: le KDC {kdc} n’a pas de chiffrement AES pour {user} ou {host}."
                ),
                format!("Kerberos: the KDC {kdc} has no AES encryption for {user} or {host}."),
            ),
            (
                "Activez AES pour le compte et le serveur dans le domaine, puis changez le mot de \
                 passe du compte\u{a0}: un ancien n’a pas de clé AES.",
                "Enable AES for the account and the server in the domain, then change the \
                 account's password: an old one has no AES key.",
            ),
        ),
        68 => failure(
            FailureKind::Protocol,
            (
                format!("Kerberos\u{a0}: le KDC {kdc} ne sert pas le domaine de {user}."),
                format!("Kerberos: the KDC {kdc} does not serve the domain of {user}."),
            ),
            (
                "Vérifiez le domaine et le réglage «\u{a0}kdc\u{a0}» de l’accès.",
                "Check the domain and “kdc” of the entry.",
            ),
        ),
        // A request that ends before it begins comes of a clock that is a day late.
        11 | 37 => skew(
            (
                format!("l’horloge du KDC {kdc} et celle de ce poste diffèrent trop"),
                format!("the clocks of the KDC {kdc} and of this computer differ too much"),
            ),
            told.ahead,
        ),
        code => coded(&kdc.to_string(), user, &code.to_string()),
    }
}

/// Clocks that differ, by so much where that is known.
fn skew(who: (String, String), ahead: Option<i64>) -> Failure {
    let (fr, en) = ahead.filter(|secs| secs.abs() > TOLERATED_SECS).map_or_else(
        || (String::new(), String::new()),
        |secs| {
            let minutes = secs.abs() / 60;
            (format!(" ({minutes} min)"), format!(" ({minutes} min)"))
        },
    );
    failure(
        FailureKind::Protocol,
        (format!("Kerberos\u{a0}: {}{fr}.", who.0), format!("Kerberos: {}{en}.", who.1)),
        (
            "Réglez l’horloge de l’un sur celle du domaine (NTP)\u{a0}: Kerberos n’admet que cinq \
             minutes.",
            "Set the clock that is wrong by that of the domain (NTP): Kerberos allows five \
             minutes only.",
        ),
    )
}

/// The KDC refused with an error that has no words.
fn coded(kdc: &str, user: &str, code: &str) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("Kerberos\u{a0}: le KDC {kdc} refuse la demande de {user} (code {code})."),
            format!("Kerberos: the KDC {kdc} refuses the request of {user} (code {code})."),
        ),
        (
            "Vérifiez le compte et le serveur dans le domaine, et le journal du KDC.",
            "Check the account and the server in the domain, and the log of the KDC.",
        ),
    )
}

/// The server refused the ticket, with this error.
pub fn server(at: &HostPort, code: u32, ahead: Option<i64>) -> Failure {
    match code {
        37 => skew(
            (
                format!("l’horloge de {at} et celle du domaine diffèrent trop"),
                format!("the clocks of {at} and of the domain differ too much"),
            ),
            ahead,
        ),
        41 | 45 => failure(
            FailureKind::Protocol,
            (
                format!("Kerberos\u{a0}: {at} ne peut pas lire le ticket qui est fait pour lui."),
                format!("Kerberos: {at} cannot read the ticket that is made for it."),
            ),
            (
                "Vérifiez que son nom (SPN TERMSRV) n’est pas celui d’un autre compte du domaine, \
                 et rejoignez au besoin le domaine à nouveau.",
                "Check that its name (SPN TERMSRV) is not that of another account of the domain, \
                 and let it join the domain again if need be.",
            ),
        ),
        code => unaccepted(at, &code.to_string()),
    }
}

/// The server refused the ticket with an error that has no words.
fn unaccepted(at: &HostPort, code: &str) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("Kerberos\u{a0}: {at} refuse le ticket (code {code})."),
            format!("Kerberos: {at} refuses the ticket (code {code})."),
        ),
        (
            "Vérifiez le serveur dans le domaine, et son journal des événements.",
            "Check the server in the domain, and its event log.",
        ),
    )
}

/// The server hung up over a ticket.
pub fn hung_up(at: &HostPort) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("Kerberos\u{a0}: {at} a raccroché à la vue du ticket."),
            format!("Kerberos: {at} hung up at the sight of the ticket."),
        ),
        (
            "Vérifiez que le compte a le droit d’ouvrir un bureau à distance sur ce serveur, et \
             le journal de celui-ci.",
            "Check that the account may open a remote desktop on that server, and the server's \
             log.",
        ),
    )
}

/// NTLM has taken the place of Kerberos, which failed like this.
pub fn instead(why: &Bi) -> Bi {
    Bi::new(
        format!("NTLM à la place de Kerberos. {}", why.fr),
        format!("NTLM in place of Kerberos. {}", why.en),
    )
}

/// The clock of the KDC is ahead of this one, or behind, which was allowed for.
pub fn ahead(secs: i64) -> Bi {
    let minutes = secs.abs() / 60;
    let (fr, en) = if secs < 0 { ("retarde", "behind") } else { ("avance", "ahead of") };
    Bi::new(
        format!("L’horloge du KDC {fr} de {minutes} min sur celle de ce poste"),
        format!("The clock of the KDC is {minutes} min {en} this computer's"),
    )
}
