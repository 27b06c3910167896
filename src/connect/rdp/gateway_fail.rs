//! What goes wrong at an RD Gateway, in words for a person. Texts only; holds no
//! secret.

use std::error::Error;
use std::io;

use ironrdp_mstsgu::GwErrorKind;
use tokio::task::JoinError;

use crate::connect::desk::tls::Unsecured;
use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::words;

/// What the crate says.
type GwError = ironrdp_error::Error<GwErrorKind>;

/// A gateway's codes that have words of their own (MS-TSGU section 2.2.6), without
/// the bits that make an HRESULT of them.
const CODES: [u32; 9] = [0x59DA, 0x59DB, 0x59DD, 0x59E6, 0x59ED, 0x59EE, 0x59F6, 0x59F8, 0x59F9];

/// SEC_E_LOGON_DENIED (MS-ERREF section 2.1.1).
const LOGON_DENIED: u32 = 0x8009_030C;

/// One of each below that is no other's, of marks.
pub fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, at, cause};
    let (gateway, to, user) = (at(0), at(1), ANY[2]);
    let mut all = vec![
        switched(&gateway),
        clear(&gateway),
        protocol(&gateway, ANY[1]),
        lost(&gateway, &cause()),
        unsecured(&gateway, &Unsecured::Failed(ANY[1].to_owned())),
        unsecured(&gateway, &Unsecured::NoCertificate),
        login(&gateway, user),
        http(&gateway, ANY[1]),
        other_login(&gateway),
        coded(&gateway, &to, ANY[2]),
    ];
    all.extend(CODES.iter().map(|code| self::code(&gateway, &to, user, *code)));
    all
}

fn failure(kind: FailureKind, what: (String, String), todo: (&str, &str)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

/// It shows another certificate to the tunnel than a moment ago.
pub fn switched(at: &HostPort) -> Failure {
    failure(
        FailureKind::HostKeyChanged,
        (
            format!(
                "La passerelle {at} montre un autre certificat que celui qui vient d’être vérifié. \
                 Le mot de passe n’a pas été envoyé."
            ),
            format!(
                "The gateway {at} shows another certificate than the one that was just checked. \
                 The password was not sent."
            ),
        ),
        (
            "Demandez au client si sa ferme de passerelles a un certificat par machine\u{a0}: il en \
             faut un seul. Sinon, quelqu’un intercepte peut-être la connexion.",
            "Ask the client whether its farm of gateways has one certificate a machine: it takes \
             a single one. Otherwise somebody may be intercepting the connection.",
        ),
    )
}

/// It takes the password only as it is.
pub fn clear(at: &HostPort) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!(
                "La passerelle {at} veut le mot de passe lui-même (HTTP Basic) et non une preuve de \
                 celui-ci. Il n’a pas été envoyé."
            ),
            format!(
                "The gateway {at} wants the password itself (HTTP Basic) and not a proof of it. It \
                 was not sent."
            ),
        ),
        (
            "Faites activer l’authentification Windows (NTLM) sur la passerelle, ou vérifiez que \
             c’en est une.",
            "Have Windows authentication (NTLM) enabled on the gateway, or check that it is one.",
        ),
    )
}

/// The connection to it broke, or it speaks otherwise than expected.
pub fn lost(at: &HostPort, e: &io::Error) -> Failure {
    let below = bottom(e).unwrap_or(e);
    let Some(why) = words::known(below) else {
        return protocol(at, &nonsense(below));
    };
    failure(
        FailureKind::Network,
        (
            format!("La connexion à la passerelle {at} a été coupée\u{a0}: {}.", why.fr),
            format!("The connection to the gateway {at} broke: {}.", why.en),
        ),
        (
            "Vérifiez le réseau et la passerelle, puis connectez-vous à nouveau.",
            "Check the network and the gateway, then connect again.",
        ),
    )
}

/// What is wrong with what it sent; where the crate panicked at it, its words say nothing
/// to a person.
fn nonsense(e: &io::Error) -> String {
    let panicked = e.get_ref().is_some_and(|inner| inner.is::<JoinError>());
    if panicked { "MS-TSGU".to_owned() } else { e.to_string() }
}

/// The error of the system below others.
fn bottom<'a>(e: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut found = None;
    let mut next = Some(e);
    while let Some(error) = next {
        next = match error.downcast_ref::<io::Error>() {
            Some(io) => {
                found = Some(io);
                io.get_ref().map(|inner| inner as &(dyn Error + 'static))
            }
            None => error.source(),
        };
    }
    found
}

/// TLS with it did not come about.
pub fn unsecured(at: &HostPort, why: &Unsecured) -> Failure {
    let reason = match why {
        Unsecured::Broken(e) => return lost(at, e),
        Unsecured::Failed(reason) => reason,
        Unsecured::NoCertificate => {
            return failure(
                FailureKind::Protocol,
                (
                    format!("La passerelle {at} n’a pas montré de certificat lisible."),
                    format!("The gateway {at} showed no certificate that can be read."),
                ),
                (
                    "Renouvelez le certificat de la passerelle.",
                    "Renew the certificate of the gateway.",
                ),
            );
        }
    };
    failure(
        FailureKind::Protocol,
        (
            format!(
                "La passerelle {at} et cette machine ne s’accordent pas sur TLS\u{a0}: \
                 «\u{a0}{reason}\u{a0}»."
            ),
            format!("The gateway {at} and this machine do not agree on TLS: “{reason}”."),
        ),
        (
            "Vérifiez que ce port est celui d’une passerelle Bureau à distance, et mettez-la à jour\u{a0}: \
             il faut TLS 1.2 ou plus récent.",
            "Check that this port belongs to a Remote Desktop gateway, and update it: it takes TLS \
             1.2 or newer.",
        ),
    )
}

/// Why the crate came to no tunnel.
pub fn refused(at: &HostPort, to: &HostPort, user: &str, e: &GwError) -> Failure {
    if is_login(e) {
        return login(at, user);
    }
    match e.kind() {
        GwErrorKind::GatewayCode(code) => self::code(at, to, user, *code),
        GwErrorKind::HttpStatus(status) => http(at, &status.to_string()),
        GwErrorKind::UnsupportedFeature | GwErrorKind::UnsupportedExtendedAuthentication(_) => {
            other_login(at)
        }
        kind => match bottom(e) {
            Some(io) if io.raw_os_error().is_some() || io.get_ref().is_none() => lost(at, io),
            _ => protocol(at, &format!("{kind}: {e}")),
        },
    }
}

/// Whether it refused user or password, not what the account may do.
pub fn is_login(e: &GwError) -> bool {
    // A login that the gateway only asks for once more has no kind of its own.
    let again = || e.to_string().contains("authentication completed without");
    match e.kind() {
        GwErrorKind::HttpStatus(401) | GwErrorKind::GatewayCode(LOGON_DENIED) => true,
        GwErrorKind::Connect => again(),
        _ => false,
    }
}

/// It speaks otherwise than expected.
pub fn protocol(at: &HostPort, detail: &str) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("L’échange avec la passerelle {at} a échoué\u{a0}: «\u{a0}{detail}\u{a0}»."),
            format!("The exchange with the gateway {at} failed: “{detail}”."),
        ),
        (
            "Regardez le journal de la passerelle à cette heure, et vérifiez que rien entre elle et \
             ce poste ne change ce qu’elle envoie (mandataire, pare-feu).",
            "Look at the log of the gateway at this hour, and check that nothing between it and \
             this computer changes what it sends (proxy, firewall).",
        ),
    )
}

/// It refused user and password.
fn login(at: &HostPort, user: &str) -> Failure {
    failure(
        FailureKind::Login,
        (
            format!("La passerelle {at} refuse l’utilisateur ou le mot de passe de {user}."),
            format!("The gateway {at} refuses the user or the password of {user}."),
        ),
        (
            "Vérifiez l’utilisateur, le domaine et le mot de passe de la passerelle\u{a0}: réglages \
             «\u{a0}gateway-entry\u{a0}» et «\u{a0}gateway-user\u{a0}» de l’entrée.",
            "Check the user, the domain and the password of the gateway: “gateway-entry” and \
             “gateway-user” of the entry.",
        ),
    )
}

/// It answers as some other web server would.
fn http(at: &HostPort, status: &str) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("{at} ne répond pas comme une passerelle Bureau à distance (HTTP {status})."),
            format!("{at} does not answer as a Remote Desktop gateway does (HTTP {status})."),
        ),
        (
            "Vérifiez le nom et le port de la passerelle, et que le rôle y est démarré.",
            "Check name and port of the gateway, and that the role is running there.",
        ),
    )
}

/// It wants a login that is not to be had here.
fn other_login(at: &HostPort) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!(
                "La passerelle {at} exige une façon de se connecter que Poterne n’a pas (carte à puce \
                 ou jeton)."
            ),
            format!(
                "The gateway {at} requires a way to log in that Poterne does not have (smart card \
                 or token)."
            ),
        ),
        (
            "Autorisez la connexion par mot de passe (NTLM) sur la passerelle.",
            "Allow the login by password (NTLM) on the gateway.",
        ),
    )
}

/// It gave this code.
fn code(at: &HostPort, to: &HostPort, user: &str, code: u32) -> Failure {
    if code == LOGON_DENIED {
        return login(at, user);
    }
    let low = code & 0xFFFF;
    if !matches!(code >> 16, 0 | 0x8007) {
        return coded(at, to, &format!("0x{code:08X}"));
    }
    let (kind, what, todo) = match low {
        0x59DA => (
            FailureKind::Login,
            (
                format!("La passerelle {at} n’autorise pas {user} à joindre {to}."),
                format!("The gateway {at} does not allow {user} to reach {to}."),
            ),
            (
                "Faites ajouter cette machine et ce compte à une stratégie d’autorisation d’accès aux \
                 ressources (RAP) de la passerelle, ou écrivez l’adresse de l’entrée comme la \
                 stratégie la nomme.",
                "Have that machine and that account added to a resource authorization policy (RAP) \
                 of the gateway, or write the host of the entry as the policy names it.",
            ),
        ),
        0x59DB | 0x59F8 | 0x0005 => (
            FailureKind::Login,
            (
                format!("La passerelle {at} n’autorise pas {user} à se connecter à elle."),
                format!("The gateway {at} does not allow {user} to connect to it."),
            ),
            (
                "Faites ajouter ce compte à une stratégie d’autorisation des connexions (CAP) de la \
                 passerelle.",
                "Have that account added to a connection authorization policy (CAP) of the gateway.",
            ),
        ),
        0x59ED => (
            FailureKind::Login,
            (
                format!("La passerelle {at} met ce poste en quarantaine."),
                format!("The gateway {at} puts this computer into quarantine."),
            ),
            (
                "Elle exige une preuve de santé du poste, que Poterne ne donne pas\u{a0}: faites-la \
                 lever pour ce compte.",
                "It requires a proof of health of the computer, which Poterne does not give: have \
                 it lifted for that account.",
            ),
        ),
        0x59DD => (
            FailureKind::Refused,
            (
                format!("La passerelle {at} n’arrive pas à joindre {to}."),
                format!("The gateway {at} cannot reach {to}."),
            ),
            (
                "Vérifiez l’adresse de l’entrée, vue de la passerelle, et que la machine est allumée \
                 et accepte les bureaux à distance.",
                "Check the host of the entry as the gateway sees it, and that the machine is on and \
                 takes remote desktops.",
            ),
        ),
        0x59E6 => (
            FailureKind::Ended,
            (
                format!("La passerelle {at} n’a plus de connexion libre."),
                format!("The gateway {at} has no connection left."),
            ),
            (
                "Réessayez plus tard, ou faites relever le nombre de connexions permises.",
                "Try again later, or have the number of permitted connections raised.",
            ),
        ),
        0x59EE => (
            FailureKind::Protocol,
            (
                format!("La passerelle {at} n’a pas de certificat pour ses connexions."),
                format!("The gateway {at} has no certificate for its connections."),
            ),
            ("Faites installer son certificat.", "Have its certificate installed."),
        ),
        0x59F6 => (
            FailureKind::Ended,
            (
                format!("La passerelle {at} a mis fin à la session\u{a0}: sa durée est écoulée."),
                format!("The gateway {at} has ended the session: its time is over."),
            ),
            ("Connectez-vous à nouveau.", "Connect again."),
        ),
        0x59F9 => return other_login(at),
        _ => return coded(at, to, &format!("0x{code:08X}")),
    };
    failure(kind, what, todo)
}

/// It refused with a code that has no words.
fn coded(at: &HostPort, to: &HostPort, code: &str) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("La passerelle {at} n’ouvre pas de chemin vers {to} (code {code})."),
            format!("The gateway {at} opens no way to {to} (code {code})."),
        ),
        (
            "Regardez le journal de la passerelle à cette heure.",
            "Look at the log of the gateway at this hour.",
        ),
    )
}
