//! What the status means with which FreeRDP ends (`client/X11/xfreerdp.h`, the same
//! in versions 2 and 3 and in the SDL client), and what it said before, in words for a
//! person.

use ironrdp_pdu::rdp::server_error_info::ErrorInfo;
use ironrdp_pdu::rdp::server_error_info::ProtocolIndependentCode as P;

use super::fail as own;
use crate::connect::Failure;
use crate::connect::rdp::{ended, fail};
use crate::connect::ssh::fail as local;
use crate::model::target::HostPort;

/// What the server says of an end, by FreeRDP's status.
const SERVER: [(i32, P); 8] = [
    (1, P::RpcInitiatedDisconnect),
    (3, P::IdleTimeout),
    (4, P::LogonTimeout),
    (5, P::DisconnectedByOtherconnection),
    (6, P::OutOfMemory),
    (7, P::ServerDeniedConnection),
    (9, P::ServerInsufficientPrivileges),
    (10, P::ServerFreshCredentialsRequired),
];

/// Why the login failed, as Windows numbers it (MS-ERREF section 2.3).
const LOGIN: [(i32, u32); 12] = [
    (134, 0xC000_006D),
    (135, 0xC000_0234),
    (148, 0xC000_0071),
    (149, 0xC000_0224),
    (150, 0xC000_005E),
    (151, 0xC000_0072),
    (152, 0xC000_0071),
    (153, 0xC000_0072),
    (154, 0xC000_006A),
    (156, 0xC000_006E),
    (157, 0xC000_0193),
    (158, 0xC000_015B),
];

/// An error of FreeRDP's own (`include/freerdp/error.h`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    /// The login, as Windows numbers it.
    Login(u32),
    /// The name has no address.
    Name,
    /// TLS did not come about, or with another certificate.
    Tls,
    /// Another security than what was negotiated.
    Security,
    /// The desktop did not come in time.
    Late,
    /// The connection was not made, or broke; said of many other errors as well.
    Transport,
}

/// Those that mean something to a person, by the end of their names.
const NAMED: [(&str, Why); 23] = [
    ("DNS_ERROR", Why::Name),
    ("DNS_NAME_NOT_FOUND", Why::Name),
    ("CONNECT_FAILED", Why::Transport),
    ("CONNECT_TRANSPORT_FAILED", Why::Transport),
    ("MCS_CONNECT_INITIAL_ERROR", Why::Transport),
    ("TLS_CONNECT_FAILED", Why::Tls),
    ("SECURITY_NEGO_CONNECT_FAILED", Why::Security),
    ("ACTIVATION_TIMEOUT", Why::Late),
    ("AUTHENTICATION_FAILED", Why::Login(0xC000_006D)),
    ("LOGON_FAILURE", Why::Login(0xC000_006D)),
    ("WRONG_PASSWORD", Why::Login(0xC000_006A)),
    ("NO_OR_MISSING_CREDENTIALS", Why::Login(0xC000_006D)),
    ("PASSWORD_EXPIRED", Why::Login(0xC000_0071)),
    ("PASSWORD_CERTAINLY_EXPIRED", Why::Login(0xC000_0071)),
    ("PASSWORD_MUST_CHANGE", Why::Login(0xC000_0224)),
    ("ACCOUNT_LOCKED_OUT", Why::Login(0xC000_0234)),
    ("ACCOUNT_DISABLED", Why::Login(0xC000_0072)),
    ("CLIENT_REVOKED", Why::Login(0xC000_0072)),
    ("ACCOUNT_EXPIRED", Why::Login(0xC000_0193)),
    ("ACCOUNT_RESTRICTION", Why::Login(0xC000_006E)),
    ("LOGON_TYPE_NOT_GRANTED", Why::Login(0xC000_015B)),
    ("INSUFFICIENT_PRIVILEGES", Why::Login(0xC000_015B)),
    ("KDC_UNREACHABLE", Why::Login(0xC000_005E)),
];

/// What FreeRDP has said that tells more than its status.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Said {
    why: Option<Why>,
    /// The server has taken part in the login (NLA).
    login: bool,
}

impl Said {
    /// One line of it.
    pub fn hear(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        self.login |= line.contains("CredSSP protocol support");
        let Some((_, rest)) = line.split_once("ERRCONNECT_") else { return };
        let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(rest.len());
        let known = NAMED.iter().find(|(name, _)| *name == &rest[..end]).map(|(_, why)| *why);
        match (self.why, known) {
            (_, None) | (Some(_), Some(Why::Transport)) => {}
            (_, known) => self.why = known,
        }
    }
}

/// Who was to be shown which desktop.
pub struct Whose<'a> {
    /// The server.
    pub at: &'a HostPort,
    /// The user, as people write it.
    pub user: &'a str,
    /// The program.
    pub program: &'a str,
    /// Seconds given to the connection.
    pub secs: u64,
    /// Its window was there.
    pub shown: bool,
    /// What FreeRDP has said.
    pub said: Said,
}

/// Why it ended with this status, or by a signal; `None` when the person ended it,
/// here or there.
pub fn told(status: Option<i32>, whose: &Whose<'_>) -> Option<Failure> {
    let Whose { at, user, program, secs, shown, said } = *whose;
    let Some(status) = status else { return Some(own::killed(program)) };
    if let Some((_, code)) = SERVER.iter().find(|(known, _)| *known == status) {
        let words = ErrorInfo::ProtocolIndependentCode(*code).description();
        return ended::reason(at, &words);
    }
    if let Some((_, why)) = LOGIN.iter().find(|(known, _)| *known == status) {
        return Some(fail::status(at, user, *why));
    }
    let before = said.why.filter(|why| !shown && *why != Why::Transport);
    match status {
        // The window was closed, or the session logged off or disconnected there.
        0 | 2 | 11 | 12 => None,
        // FreeRDP says so of a person who closes its window while it connects.
        145 => None,
        16..=26 => Some(fail::licence(at, &format!("FreeRDP {status}"))),
        131..=133 | 136..=142 | 146..=147 | 155 | 159.. if before.is_some() => {
            before.map(|why| why.told(whose))
        }
        132 | 155 | 159 => Some(fail::login(at, user)),
        139 | 140 => Some(local::unknown_host(&at.host)),
        144 => Some(fail::not_allowed(at, user)),
        143 => Some(own::certificate(at)),
        131 | 147 if shown => Some(own::lost(at)),
        // Many servers only hang up on a wrong password.
        131 | 147 if said.login => Some(own::hung_up(at, user)),
        131 | 147 if said.why.is_some() => Some(own::unreached(at)),
        131 | 141 | 147 => Some(local::timeout(at, secs)),
        128 => Some(own::arguments(program)),
        other => Some(own::status(at, program, other)),
    }
}

impl Why {
    fn told(self, whose: &Whose<'_>) -> Failure {
        let Whose { at, user, secs, .. } = *whose;
        match self {
            Self::Login(status) => fail::status(at, user, status),
            Self::Name => local::unknown_host(&at.host),
            Self::Tls => own::certificate(at),
            Self::Security => fail::protocol(at, "SECURITY_NEGO_CONNECT_FAILED"),
            Self::Late => local::timeout(at, secs),
            Self::Transport => own::unreached(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::FailureKind as Kind;

    #[test]
    fn each_status_is_told_and_an_ordinary_end_is_none() {
        let at = HostPort { host: "srv".into(), port: 3389 };
        let whose = |shown| Whose {
            at: &at,
            user: "ada",
            program: "/p",
            secs: 15,
            shown,
            said: Said::default(),
        };
        for status in [0, 2, 11, 12] {
            assert_eq!(told(Some(status), &whose(true)), None, "{status}");
        }
        let kinds = [
            (1, Kind::Ended),
            (5, Kind::Ended),
            (17, Kind::Protocol),
            (128, Kind::Helper),
            (132, Kind::Login),
            (135, Kind::Login),
            (154, Kind::Login),
            (131, Kind::Network),
            (139, Kind::UnknownHost),
            (143, Kind::Protocol),
            (200, Kind::Helper),
        ];
        for (status, kind) in kinds {
            let failure = told(Some(status), &whose(true));
            let failure = failure.unwrap_or_else(|| panic!("{status} is a failure"));
            assert_eq!(failure.kind, kind, "{status}: {}", failure.what.en);
            assert!(!failure.todo.fr.is_empty() && !failure.todo.en.is_empty(), "{status}");
        }
        let early = told(Some(147), &whose(false)).expect("a failure");
        assert_eq!(early.kind, Kind::Timeout);
        let killed = told(None, &whose(true)).expect("a failure");
        assert!(killed.what.en.contains("/p"), "{}", killed.what.en);
    }

    /// What is told of one that said this before its window was there.
    fn told_after(status: i32, lines: &[&str]) -> Failure {
        let at = HostPort { host: "srv".into(), port: 3389 };
        let mut said = Said::default();
        for line in lines {
            said.hear(line.as_bytes());
        }
        let whose = Whose { at: &at, user: "ada", program: "/p", secs: 15, shown: false, said };
        told(Some(status), &whose).expect("a failure")
    }

    #[test]
    fn what_freerdp_said_tells_more_than_its_status() {
        const TRANSPORT: &str = "[ERROR][com.freerdp.core] - transport_read_layer:freerdp_set_last_error_ex ERRCONNECT_CONNECT_TRANSPORT_FAILED [0x0002000D]";
        const NLA: &str =
            "[DEBUG][com.freerdp.core.nla] - CredSSP protocol support 6, peer supports 6";
        let error = |name: &str| {
            format!(
                "[ERROR][com.freerdp.core] - nla_recv:freerdp_set_last_error_ex ERRCONNECT_{name} [0x00020014]"
            )
        };
        for (name, kind, words) in [
            ("LOGON_FAILURE", Kind::Login, "the user or the password is wrong"),
            ("PASSWORD_EXPIRED", Kind::Login, "the password has expired"),
            ("PASSWORD_MUST_CHANGE", Kind::Login, "at the first login"),
            ("ACCOUNT_LOCKED_OUT", Kind::Login, "the account is locked"),
            ("ACCOUNT_DISABLED", Kind::Login, "the account is disabled"),
            ("KDC_UNREACHABLE", Kind::Login, "no domain controller"),
            ("TLS_CONNECT_FAILED", Kind::Protocol, "another certificate"),
            ("DNS_NAME_NOT_FOUND", Kind::UnknownHost, "srv"),
        ] {
            // The end of the connection follows, and hides nothing.
            for status in [131, 147] {
                let failure = told_after(status, &[NLA, &error(name), TRANSPORT]);
                assert_eq!(failure.kind, kind, "{name}");
                assert!(failure.what.en.contains(words), "{name}: {}", failure.what.en);
            }
        }
        // With NLA too, a connection that breaks before the login is no wrong password.
        let early = told_after(147, &[TRANSPORT]);
        assert_eq!(early.kind, Kind::Network, "{}", early.what.en);
        let within = told_after(147, &[NLA, TRANSPORT]);
        assert_eq!(within.kind, Kind::Login);
        assert!(within.what.en.contains("hung up"), "{}", within.what.en);
        let unknown = told_after(147, &[&error("NEW_IN_VERSION_4")]);
        assert_eq!(unknown.kind, Kind::Timeout);
    }
}
