//! What the status means with which FreeRDP ends (`client/X11/xfreerdp.h`, the same
//! in versions 2 and 3 and in the SDL client), in words for a person.

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
    /// The server wants to know who is there before (NLA).
    pub nla: bool,
}

/// Why it ended with this status, or by a signal; `None` when the person ended it,
/// here or there.
pub fn told(status: Option<i32>, whose: &Whose<'_>) -> Option<Failure> {
    let Whose { at, user, program, secs, shown, nla } = *whose;
    let Some(status) = status else { return Some(own::killed(program)) };
    if let Some((_, code)) = SERVER.iter().find(|(known, _)| *known == status) {
        let words = ErrorInfo::ProtocolIndependentCode(*code).description();
        return ended::reason(at, &words);
    }
    if let Some((_, why)) = LOGIN.iter().find(|(known, _)| *known == status) {
        return Some(fail::status(at, user, *why));
    }
    match status {
        // The window was closed, or the session logged off or disconnected there.
        0 | 2 | 11 | 12 => None,
        // FreeRDP says so of a person who closes its window while it connects.
        145 => None,
        16..=26 => Some(fail::licence(at, &format!("FreeRDP {status}"))),
        132 | 155 | 159 => Some(fail::login(at, user)),
        139 | 140 => Some(local::unknown_host(&at.host)),
        144 => Some(fail::not_allowed(at, user)),
        143 => Some(own::certificate(at)),
        131 | 147 if shown => Some(own::lost(at)),
        // Many servers only hang up on a wrong password, and this one has just answered.
        131 | 147 if nla => Some(fail::login(at, user)),
        131 | 141 | 147 => Some(local::timeout(at, secs)),
        128 => Some(own::arguments(program)),
        other => Some(own::status(at, program, other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::FailureKind as Kind;

    #[test]
    fn each_status_is_told_and_an_ordinary_end_is_none() {
        let at = HostPort { host: "srv".into(), port: 3389 };
        let whose =
            |shown| Whose { at: &at, user: "ada", program: "/p", secs: 15, shown, nla: false };
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
        let hung_up = told(Some(147), &Whose { nla: true, ..whose(false) }).expect("a failure");
        assert_eq!(hung_up.kind, Kind::Login);
        let killed = told(None, &whose(true)).expect("a failure");
        assert!(killed.what.en.contains("/p"), "{}", killed.what.en);
    }
}
