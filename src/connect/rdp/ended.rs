//! Why a server ended a session (MS-RDPBCGR section 2.2.5.1.1), in words for a
//! person. The engine only hands on IronRDP's description of the code, so that the
//! code is found by it. Texts only.

use ironrdp_pdu::rdp::server_error_info::ErrorInfo;
use ironrdp_pdu::rdp::server_error_info::ProtocolIndependentCode as P;
use ironrdp_pdu::rdp::server_error_info::ProtocolIndependentConnectionBrokerCode as B;
use ironrdp_pdu::rdp::server_error_info::ProtocolIndependentLicensingCode as L;

use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;

type Words = (FailureKind, &'static str, &'static str, Todo);

/// What there is to do.
#[derive(Clone, Copy)]
enum Todo {
    Again,
    Nothing,
    Rights,
    Licence,
    Server,
    Farm,
}

impl Todo {
    fn words(self) -> Bi {
        match self {
            Self::Again => Bi::new("Connectez-vous à nouveau.", "Connect again."),
            Self::Nothing => Bi::new("Rien à faire.", "Nothing to do."),
            Self::Rights => Bi::new(
                "Vérifiez les droits de ce compte sur le serveur, et le mot de passe de l’entrée.",
                "Check the rights of that account on the server, and the password of the entry.",
            ),
            Self::Licence => Bi::new(
                "Vérifiez le serveur de licences, ou demandez la session d’administration (option \
                 --admin-session yes).",
                "Check the licence server, or ask for the admin session (option --admin-session \
                 yes).",
            ),
            Self::Server => Bi::new(
                "Regardez le journal du serveur, puis connectez-vous à nouveau.",
                "Look at the server's log, then connect again.",
            ),
            Self::Farm => Bi::new(
                "Vérifiez la ferme et le réglage «\u{a0}load-balance-info\u{a0}».",
                "Check the farm and the setting “load-balance-info”.",
            ),
        }
    }
}

const ENDED: FailureKind = FailureKind::Ended;
const LICENCES: [L; 11] = [
    L::Internal,
    L::NoLicenseServer,
    L::NoLicense,
    L::BadClientMsg,
    L::HwidDoesntMatchLicense,
    L::BadClientLicense,
    L::CantFinishProtocol,
    L::ClientEndedProtocol,
    L::BadClientEncryption,
    L::CantUpgradeLicense,
    L::NoRemoteConnections,
];
const BROKER: [B; 11] = [
    B::DestinationNotFound,
    B::LoadingDestination,
    B::RedirectingToDestination,
    B::SessionOnlineVmWake,
    B::SessionOnlineVmBoot,
    B::SessionOnlineVmNoDns,
    B::DestinationPoolNotFree,
    B::ConnectionCancelled,
    B::ConnectionErrorInvalidSettings,
    B::SessionOnlineVmBootTimeout,
    B::SessionOnlineVmSessmonFailed,
];

fn common() -> [(P, Words); 18] {
    use FailureKind::{Login, Timeout};
    [
        (
            P::RpcInitiatedDisconnect,
            (
                ENDED,
                "un administrateur a déconnecté la session",
                "an administrator disconnected the session",
                Todo::Again,
            ),
        ),
        (
            P::RpcInitiatedLogoff,
            (
                ENDED,
                "un administrateur a fermé la session",
                "an administrator logged the session off",
                Todo::Again,
            ),
        ),
        (
            P::IdleTimeout,
            (
                Timeout,
                "la session est restée trop longtemps inactive",
                "the session was idle for too long",
                Todo::Again,
            ),
        ),
        (
            P::LogonTimeout,
            (
                Timeout,
                "la durée permise pour la session est écoulée",
                "the time allowed for the session is up",
                Todo::Again,
            ),
        ),
        (
            P::DisconnectedByOtherconnection,
            (
                ENDED,
                "une autre connexion a repris la session",
                "another connection took the session over",
                Todo::Again,
            ),
        ),
        (
            P::OutOfMemory,
            (
                ENDED,
                "la mémoire du serveur est épuisée",
                "the server is out of memory",
                Todo::Server,
            ),
        ),
        (
            P::ServerDeniedConnection,
            (
                Login,
                "le serveur refuse cette connexion",
                "the server denies this connection",
                Todo::Rights,
            ),
        ),
        (
            P::ServerInsufficientPrivileges,
            (
                Login,
                "le compte n’a pas le droit d’ouvrir un bureau à distance",
                "the account may not open a remote desktop",
                Todo::Rights,
            ),
        ),
        (
            P::ServerFreshCredentialsRequired,
            (
                Login,
                "le serveur ne veut pas d’un mot de passe enregistré",
                "the server takes no stored password",
                Todo::Rights,
            ),
        ),
        (
            P::RpcInitiatedDisconnectByuser,
            (
                ENDED,
                "l’utilisateur a déconnecté la session depuis le serveur",
                "the user disconnected the session on the server",
                Todo::Nothing,
            ),
        ),
        (
            P::LogoffByUser,
            (ENDED, "l’utilisateur a fermé sa session", "the user logged off", Todo::Nothing),
        ),
        (
            P::CloseStackOnDriverNotReady,
            (
                ENDED,
                "l’affichage du serveur n’est pas prêt",
                "the server's display is not ready",
                Todo::Again,
            ),
        ),
        (
            P::ServerDwmCrash,
            (
                ENDED,
                "le bureau du serveur s’est arrêté",
                "the server's desktop crashed",
                Todo::Server,
            ),
        ),
        (
            P::CloseStackOnDriverFailure,
            (ENDED, "l’affichage du serveur a échoué", "the server's display failed", Todo::Server),
        ),
        (
            P::ServerWinlogonCrash,
            (
                ENDED,
                "l’ouverture de session du serveur s’est arrêtée",
                "the server's login crashed",
                Todo::Server,
            ),
        ),
        (
            P::ServerCsrssCrash,
            (
                ENDED,
                "le système du serveur s’est arrêté",
                "the server's system crashed",
                Todo::Server,
            ),
        ),
        (
            P::ServerShutdown,
            (ENDED, "le serveur s’arrête", "the server is shutting down", Todo::Server),
        ),
        (P::ServerReboot, (ENDED, "le serveur redémarre", "the server is restarting", Todo::Again)),
    ]
}

/// One of each reason, of marks.
pub fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, at};
    let told = common().map(|(code, _)| ErrorInfo::ProtocolIndependentCode(code).description());
    let licence = ErrorInfo::ProtocolIndependentLicensingCode(LICENCES[0]).description();
    let farm = ErrorInfo::ProtocolIndependentConnectionBrokerCode(BROKER[0]).description();
    let told = told.into_iter().chain([licence, farm, ANY[1].to_owned()]);
    told.filter_map(|words| reason(&at(0), &words)).collect()
}

/// The server's reason, as IronRDP describes it; `None` for one that is no failure:
/// the person ended the session there.
pub fn reason(at: &HostPort, told: &str) -> Option<Failure> {
    let is = |info: ErrorInfo| told.contains(&info.description());
    for (code, (kind, fr, en, todo)) in common() {
        if is(ErrorInfo::ProtocolIndependentCode(code)) {
            return Some(said(at, kind, fr, en, todo)).filter(|_| !matches!(todo, Todo::Nothing));
        }
    }
    if LICENCES.into_iter().any(|c| is(ErrorInfo::ProtocolIndependentLicensingCode(c))) {
        let (fr, en) =
            ("il n’y a pas de licence de bureau à distance", "there is no remote desktop licence");
        return Some(said(at, FailureKind::Login, fr, en, Todo::Licence));
    }
    if BROKER.into_iter().any(|c| is(ErrorInfo::ProtocolIndependentConnectionBrokerCode(c))) {
        let (fr, en) = (
            "la ferme n’a pas de serveur pour cette session",
            "the farm has no server for this session",
        );
        return Some(said(at, ENDED, fr, en, Todo::Farm));
    }
    let (fr, en) = (format!("«\u{a0}{told}\u{a0}»"), format!("“{told}”"));
    Some(said(at, FailureKind::Protocol, &fr, &en, Todo::Server))
}

/// Whether the words are one of the server's reasons.
pub fn is_reason(told: &str) -> bool {
    told.contains("server returned error info")
}

fn said(at: &HostPort, kind: FailureKind, fr: &str, en: &str, todo: Todo) -> Failure {
    Failure {
        kind,
        what: Bi::new(
            format!("{at} a mis fin à la session\u{a0}: {fr}."),
            format!("{at} ended the session: {en}."),
        ),
        todo: todo.words(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_words_of_its_own() {
        let at = HostPort { host: "srv".into(), port: 3389 };
        let mut seen = std::collections::BTreeSet::new();
        for (code, (_, _, en, todo)) in common() {
            let told = ErrorInfo::ProtocolIndependentCode(code).description();
            let failure = reason(&at, &told);
            match todo {
                Todo::Nothing => assert_eq!(failure, None, "{en}"),
                _ => {
                    let failure = failure.expect("a reason");
                    assert!(failure.what.en.contains(en), "{told}: {}", failure.what.en);
                    assert!(seen.insert(failure.what.en), "{en} is said twice");
                }
            }
        }
        let told = ErrorInfo::ProtocolIndependentLicensingCode(L::NoLicense).description();
        let failure = reason(&at, &told).expect("a reason");
        assert!(failure.todo.en.contains("licence server"), "{}", failure.todo.en);
    }
}
