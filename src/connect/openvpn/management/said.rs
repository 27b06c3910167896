//! One line of OpenVPN's management interface, as a value. Strict about size, lenient
//! about kinds that it does not know. It keeps no authentication token.

use std::net::{IpAddr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest line that is read, in bytes without its end.
pub const LONGEST: usize = 64 * 1024;

/// A line longer than [`LONGEST`]: whoever speaks is not OpenVPN.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a line of the management interface is longer than 64 KiB")]
pub struct TooLong;

/// Cuts what the socket gives into lines.
#[derive(Default)]
pub struct Lines {
    waiting: Vec<u8>,
    /// Bytes of `waiting` that have been given out.
    given: usize,
}

impl Lines {
    /// Takes what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.drain(..self.given);
        self.given = 0;
        self.waiting.extend_from_slice(bytes);
    }

    /// The next whole line, if there is one.
    ///
    /// # Errors
    /// It is longer than [`LONGEST`], whether its end has come or not.
    pub fn next_said(&mut self) -> Result<Option<Said>, TooLong> {
        let rest = &self.waiting[self.given..];
        match memchr::memchr(b'\n', rest) {
            None if rest.len() > LONGEST + 1 => Err(TooLong),
            None => Ok(None),
            Some(end) => {
                let said = Said::read(&rest[..end]);
                self.given += end + 1;
                said.map(Some)
            }
        }
    }
}

/// What OpenVPN says in one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// It waits for `hold release`.
    Hold {
        /// How many seconds it would wait by itself before it tries again.
        wait_secs: u32,
    },
    /// Its state changed.
    State(State),
    /// It needs a login or a passphrase.
    Need {
        /// `Auth`, `Private Key`, `HTTP Proxy`, …
        what: String,
        /// True when a user name belongs to it.
        user: bool,
        /// A code that is to come with the password (`static-challenge`).
        challenge: Option<Static>,
    },
    /// What was given was refused.
    Refused {
        /// `Auth` or `Private Key`.
        what: String,
        /// The server's words.
        text: Option<String>,
        /// The server asks for a code before it takes the login.
        challenge: Option<Dynamic>,
    },
    /// The server gave a token that replaces the password; it is not kept.
    AuthToken,
    /// It asks whether this server will do (`--management-query-remote`).
    Remote {
        /// Name or address.
        host: String,
        /// As written, a number or a service.
        port: String,
        /// `udp`, `tcp-client`, …
        protocol: String,
    },
    /// It asks for a proxy (`--management-query-proxy`).
    Proxy(String),
    /// A line of its log, as it comes or from before (`log on all`).
    Log(LogLine),
    /// Bytes of the tunnel since it began.
    ByteCount {
        /// From the server.
        received: u64,
        /// To the server.
        sent: u64,
    },
    /// It is about to end for this.
    Fatal(String),
    /// A greeting or a remark.
    Info(String),
    /// The server wants something done before it takes the login.
    InfoMsg(InfoMsg),
    /// The tunnel went up or down (`--management-up-down`).
    UpDown(UpDown),
    /// It waits for something to be done by hand, such as a token put in.
    NeedOk {
        /// A word for it.
        what: String,
        /// For the person.
        text: String,
    },
    /// It needs a line of text.
    NeedStr {
        /// A word for it.
        what: String,
        /// For the person.
        text: String,
    },
    /// A text that the profile or the server echoes.
    Echo(String),
    /// A command was done.
    Success(String),
    /// A command was refused.
    Error(String),
    /// The end of an answer of several lines.
    End,
    /// Something that is not known here; empty `kind` for a line of an answer.
    Other {
        /// The word after `>`.
        kind: String,
        /// What follows it.
        text: String,
    },
}

/// `static-challenge`: the code travels with the password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Static {
    /// The question.
    pub text: String,
    /// True when the answer may be shown while typed.
    pub echo: bool,
    /// True when the code is to stand right behind the password (2.7), false for SCRV1.
    pub concat: bool,
}

/// A challenge of the server (`CRV1`), which the next login answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dynamic {
    /// True when an answer is wanted.
    pub respond: bool,
    /// True when the answer may be shown while typed.
    pub echo: bool,
    /// What the server knows the login by; worth nothing without the code.
    pub state_id: String,
    /// The user name that the answer goes with.
    pub user: String,
    /// The question.
    pub text: String,
}

/// A state and what is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// Seconds since 1970.
    pub at: i64,
    /// Which.
    pub name: StateName,
    /// Why, for [`StateName::Reconnecting`] and [`StateName::Exiting`].
    pub detail: String,
    /// Address in the tunnel.
    pub local: Option<IpAddr>,
    /// Address of the server, outside.
    pub remote: Option<IpAddr>,
    /// Its port.
    pub remote_port: Option<u16>,
    /// Address of this side, outside.
    pub outer: Option<IpAddr>,
    /// IPv6 address in the tunnel.
    pub local6: Option<Ipv6Addr>,
}

/// Every state of the manual.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StateName {
    /// It starts.
    Connecting,
    /// It looks a name up.
    Resolve,
    /// It connects by TCP.
    TcpConnect,
    /// It waits for the first word of the server.
    Wait,
    /// Keys and login.
    Auth,
    /// The server checks the login by another way.
    AuthPending,
    /// It fetches addresses and routes.
    GetConfig,
    /// It gives the tunnel its address.
    AssignIp,
    /// It sets routes.
    AddRoutes,
    /// The tunnel is up.
    Connected,
    /// It starts over.
    Reconnecting,
    /// It ends.
    Exiting,
    /// One of a later version.
    Other(String),
}

/// One line of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    /// Seconds since 1970.
    pub at: i64,
    /// `I` informational, `F` fatal, `N` error, `W` warning, `D` debugging; or none.
    pub flags: String,
    /// What it says.
    pub text: String,
}

/// What a server wants done before it takes the login (`client-pending-auth`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InfoMsg {
    /// A page to open in a browser.
    WebAuth {
        /// `hidden`, `external`, `proxy`, …
        flags: String,
        /// The page.
        url: String,
    },
    /// The same, of older servers.
    OpenUrl(String),
    /// A question whose answer goes back by `cr-response`.
    CrText {
        /// True when an answer is wanted.
        respond: bool,
        /// True when the answer may be shown while typed.
        echo: bool,
        /// The question.
        text: String,
    },
    /// One of a later version.
    Other(String),
}

/// A line of [`Said::UpDown`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UpDown {
    /// It went up; what is known of it follows.
    Up,
    /// It went down.
    Down,
    /// One variable.
    Env(String, String),
    /// The last one has come.
    EnvEnd,
}

impl Said {
    /// Reads a line without its end. Bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// It is longer than [`LONGEST`].
    pub fn read(line: &[u8]) -> Result<Self, TooLong> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LONGEST {
            return Err(TooLong);
        }
        let line = String::from_utf8_lossy(line);
        Ok(Self::of(&line))
    }

    fn of(line: &str) -> Self {
        if let Some(told) = line.strip_prefix('>') {
            let (kind, text) = told.split_once(':').unwrap_or((told, ""));
            return Self::told(kind, text)
                .unwrap_or_else(|| Self::Other { kind: kind.to_owned(), text: text.to_owned() });
        }
        if let Some(text) = line.strip_prefix("SUCCESS:") {
            return Self::Success(text.trim().to_owned());
        }
        if let Some(text) = line.strip_prefix("ERROR:") {
            return Self::Error(text.trim().to_owned());
        }
        if line == "END" {
            return Self::End;
        }
        match LogLine::of(line) {
            Some(log) => Self::Log(log),
            None => Self::Other { kind: String::new(), text: line.to_owned() },
        }
    }

    /// A message that came by itself; `None` when it is not what its kind should be.
    fn told(kind: &str, text: &str) -> Option<Self> {
        Some(match kind {
            "HOLD" => {
                let wait = text.rsplit_once(':').and_then(|(_, secs)| secs.trim().parse().ok());
                Self::Hold { wait_secs: wait.unwrap_or(0) }
            }
            "STATE" => Self::State(State::of(text)?),
            "PASSWORD" => return password(text),
            "LOG" => Self::Log(LogLine::of(text)?),
            "BYTECOUNT" => {
                let (received, sent) = text.split_once(',')?;
                Self::ByteCount {
                    received: received.trim().parse().ok()?,
                    sent: sent.trim().parse().ok()?,
                }
            }
            "FATAL" => Self::Fatal(text.to_owned()),
            "INFO" => Self::Info(text.to_owned()),
            "INFOMSG" => Self::InfoMsg(InfoMsg::of(text)),
            "UPDOWN" => Self::UpDown(UpDown::of(text)?),
            "REMOTE" => {
                let mut parts = text.rsplitn(3, ',');
                let (protocol, port) = (parts.next()?, parts.next()?);
                Self::Remote {
                    host: parts.next()?.to_owned(),
                    port: port.to_owned(),
                    protocol: protocol.to_owned(),
                }
            }
            "PROXY" => Self::Proxy(text.to_owned()),
            "NEED-OK" => {
                let (what, text) = asked(text)?;
                Self::NeedOk { what, text }
            }
            "NEED-STR" => {
                let (what, text) = asked(text)?;
                Self::NeedStr { what, text }
            }
            "ECHO" => Self::Echo(text.to_owned()),
            _ => return None,
        })
    }
}

/// `Need 'WORD' … MSG:TEXT`.
fn asked(text: &str) -> Option<(String, String)> {
    let (what, rest) = quoted(text.strip_prefix("Need ")?)?;
    let text = rest.split_once("MSG:").map_or("", |(_, text)| text);
    Some((what.to_owned(), text.to_owned()))
}

/// `'WORD'` and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('\'')?.split_once('\'')
}

fn password(text: &str) -> Option<Said> {
    if text.starts_with("Auth-Token:") {
        return Some(Said::AuthToken);
    }
    if let Some(need) = text.strip_prefix("Need ") {
        let (what, rest) = quoted(need)?;
        let challenge = rest.split_once(" SC:").and_then(|(_, told)| {
            let (flags, text) = told.split_once(',')?;
            let flags: u32 = flags.parse().ok()?;
            Some(Static { text: text.to_owned(), echo: flags & 1 != 0, concat: flags & 2 != 0 })
        });
        let user = rest.trim_start().starts_with("username/password");
        return Some(Said::Need { what: what.to_owned(), user, challenge });
    }
    let (what, rest) = quoted(text.strip_prefix("Verification Failed: ")?)?;
    let text = rest.trim().strip_prefix("['").and_then(|t| t.strip_suffix("']"));
    let challenge = text.and_then(Dynamic::of);
    let text = text.filter(|_| challenge.is_none()).map(str::to_owned);
    Some(Said::Refused { what: what.to_owned(), text, challenge })
}

impl Dynamic {
    /// Reads `CRV1:FLAGS:STATE:USER:TEXT`; the user is in base64.
    pub fn of(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("CRV1:")?.splitn(4, ':');
        let (flags, state_id, user, text) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let user = String::from_utf8(STANDARD.decode(user).ok()?).ok()?;
        let has = |wanted: &str| flags.split(',').any(|flag| flag.trim() == wanted);
        Some(Self {
            respond: has("R"),
            echo: has("E"),
            state_id: state_id.to_owned(),
            user,
            text: text.to_owned(),
        })
    }
}

impl State {
    fn of(text: &str) -> Option<Self> {
        let mut parts = text.split(',').map(str::trim);
        let at = parts.next()?.parse().ok()?;
        let name = StateName::of(parts.next()?);
        let detail = parts.next().unwrap_or("").to_owned();
        let mut address = || parts.next().unwrap_or("");
        let (local, remote, remote_port) = (address(), address(), address());
        let (outer, _outer_port, local6) = (address(), address(), address());
        Some(Self {
            at,
            name,
            detail,
            local: local.parse().ok(),
            remote: remote.parse().ok(),
            remote_port: remote_port.parse().ok(),
            outer: outer.parse().ok(),
            local6: local6.parse().ok(),
        })
    }
}

impl StateName {
    fn of(word: &str) -> Self {
        match word {
            "CONNECTING" => Self::Connecting,
            "RESOLVE" => Self::Resolve,
            "TCP_CONNECT" => Self::TcpConnect,
            "WAIT" => Self::Wait,
            "AUTH" => Self::Auth,
            "AUTH_PENDING" => Self::AuthPending,
            "GET_CONFIG" => Self::GetConfig,
            "ASSIGN_IP" => Self::AssignIp,
            "ADD_ROUTES" => Self::AddRoutes,
            "CONNECTED" => Self::Connected,
            "RECONNECTING" => Self::Reconnecting,
            "EXITING" => Self::Exiting,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl LogLine {
    /// Reads `SECONDS,FLAGS,TEXT`.
    fn of(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ',');
        let (at, flags, text) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
        let known = flags.len() <= 8 && flags.chars().all(|c| c.is_ascii_uppercase());
        known.then(|| Self { at, flags: flags.to_owned(), text: text.to_owned() })
    }

    /// True for an error, fatal or not.
    pub fn is_error(&self) -> bool {
        self.flags.contains(['F', 'N'])
    }
}

impl InfoMsg {
    fn of(text: &str) -> Self {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "OPEN_URL" => Self::OpenUrl(rest.to_owned()),
            "WEB_AUTH" => {
                let (flags, url) = rest.split_once(':').unwrap_or(("", rest));
                Self::WebAuth { flags: flags.to_owned(), url: url.to_owned() }
            }
            "CR_TEXT" => {
                let (flags, text) = rest.split_once(':').unwrap_or(("", rest));
                let has = |wanted: &str| flags.split(',').any(|flag| flag.trim() == wanted);
                Self::CrText { respond: has("R"), echo: has("E"), text: text.to_owned() }
            }
            _ => Self::Other(text.to_owned()),
        }
    }
}

impl UpDown {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "UP" => Self::Up,
            "DOWN" => Self::Down,
            "ENV,END" => Self::EnvEnd,
            _ => {
                let (name, value) = text.strip_prefix("ENV,")?.split_once('=')?;
                Self::Env(name.to_owned(), value.to_owned())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Said {
        Said::read(line.as_bytes()).expect("short")
    }

    #[test]
    fn every_state_of_the_manual_has_a_name() {
        for word in [
            "CONNECTING",
            "RESOLVE",
            "TCP_CONNECT",
            "WAIT",
            "AUTH",
            "AUTH_PENDING",
            "GET_CONFIG",
            "ASSIGN_IP",
            "ADD_ROUTES",
            "CONNECTED",
            "RECONNECTING",
            "EXITING",
        ] {
            let Said::State(state) = read(&format!(">STATE:1795922758,{word},,,,,,")) else {
                panic!("{word} is no state");
            };
            assert!(!matches!(state.name, StateName::Other(_)), "{word}");
        }
    }

    #[test]
    fn a_state_says_its_addresses_whichever_version_wrote_it() {
        let line = ">STATE:1795922758,CONNECTED,SUCCESS,10.8.0.2,10.99.231.2,1194,,,fd00::1000";
        let expected = State {
            at: 1_795_922_758,
            name: StateName::Connected,
            detail: "SUCCESS".into(),
            local: "10.8.0.2".parse().ok(),
            remote: "10.99.231.2".parse().ok(),
            remote_port: Some(1194),
            outer: None,
            local6: "fd00::1000".parse().ok(),
        };
        assert_eq!(read(line), Said::State(expected));
        let Said::State(short) = read(">STATE:5,RECONNECTING,tls-error") else { panic!("a state") };
        assert_eq!((short.name, short.detail.as_str()), (StateName::Reconnecting, "tls-error"));
        let Said::State(other) = read(">STATE:5,NEWER,,\r") else { panic!("a state") };
        assert_eq!(other.name, StateName::Other("NEWER".into()));
    }

    #[test]
    fn a_login_is_asked_for_with_and_without_a_code() {
        let need = |user, challenge| Said::Need { what: "Auth".into(), user, challenge };
        assert_eq!(read(">PASSWORD:Need 'Auth' username/password"), need(true, None));
        for (flags, echo, concat) in [(0, false, false), (1, true, false), (3, true, true)] {
            let code = Static { text: "PIN, please".into(), echo, concat };
            let line = format!(">PASSWORD:Need 'Auth' username/password SC:{flags},PIN, please");
            assert_eq!(read(&line), need(true, Some(code)));
        }
        let key = Said::Need { what: "Private Key".into(), user: false, challenge: None };
        assert_eq!(read(">PASSWORD:Need 'Private Key' password"), key);
    }

    #[test]
    fn a_refusal_has_the_words_of_the_server_or_its_challenge() {
        let refused = |text: Option<&str>, challenge| Said::Refused {
            what: "Auth".into(),
            text: text.map(str::to_owned),
            challenge,
        };
        assert_eq!(read(">PASSWORD:Verification Failed: 'Auth'"), refused(None, None));
        let line = ">PASSWORD:Verification Failed: 'Auth' ['Account locked']";
        assert_eq!(read(line), refused(Some("Account locked"), None));
        let line = ">PASSWORD:Verification Failed: 'Auth' ['CRV1:R,E:S1:YWxpY2U=:Code: a b']";
        let challenge = Dynamic {
            respond: true,
            echo: true,
            state_id: "S1".into(),
            user: "alice".into(),
            text: "Code: a b".into(),
        };
        assert_eq!(read(line), refused(None, Some(challenge)));
        // One that cannot be answered is a text.
        let line = ">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:S1:***:x']";
        assert_eq!(read(line), refused(Some("CRV1:R:S1:***:x"), None));
    }

    #[test]
    fn the_token_of_a_server_is_not_kept() {
        let said = read(">PASSWORD:Auth-Token:SESS_ID_abc");
        assert_eq!(said, Said::AuthToken);
        assert!(!format!("{said:?}").contains("SESS"));
    }

    #[test]
    fn log_lines_are_read_with_and_without_their_kind() {
        let log = |flags: &str, text: &str| {
            Said::Log(LogLine { at: 17, flags: flags.into(), text: text.into() })
        };
        assert_eq!(read(">LOG:17,W,a, b"), log("W", "a, b"));
        assert_eq!(read("17,,MANAGEMENT: CMD 'state on'"), log("", "MANAGEMENT: CMD 'state on'"));
        assert_eq!(read("END"), Said::End);
    }

    #[test]
    fn what_else_it_says() {
        assert_eq!(read(">HOLD:Waiting for hold release:10"), Said::Hold { wait_secs: 10 });
        assert_eq!(read(">HOLD:Waiting for hold release"), Said::Hold { wait_secs: 0 });
        assert_eq!(read(">BYTECOUNT:1923,1033"), Said::ByteCount { received: 1923, sent: 1033 });
        assert_eq!(
            read(">REMOTE:vpn.example.org,1194,udp"),
            Said::Remote {
                host: "vpn.example.org".into(),
                port: "1194".into(),
                protocol: "udp".into()
            }
        );
        let page = InfoMsg::WebAuth { flags: "external".into(), url: "https://a/b?c:d".into() };
        assert_eq!(read(">INFOMSG:WEB_AUTH:external:https://a/b?c:d"), Said::InfoMsg(page));
        let page = InfoMsg::OpenUrl("https://a/b".into());
        assert_eq!(read(">INFOMSG:OPEN_URL:https://a/b"), Said::InfoMsg(page));
        let question = InfoMsg::CrText { respond: true, echo: false, text: "Code: ?".into() };
        assert_eq!(read(">INFOMSG:CR_TEXT:R:Code: ?"), Said::InfoMsg(question));
        assert_eq!(
            read(">UPDOWN:ENV,route_network_1=192.168.1.0"),
            Said::UpDown(UpDown::Env("route_network_1".into(), "192.168.1.0".into()))
        );
        assert_eq!(read(">UPDOWN:ENV,END"), Said::UpDown(UpDown::EnvEnd));
        assert_eq!(
            read(">NEED-OK:Need 'token' confirmation MSG:Insert: now"),
            Said::NeedOk { what: "token".into(), text: "Insert: now".into() }
        );
        assert_eq!(read("SUCCESS: pid=7"), Said::Success("pid=7".into()));
        assert_eq!(read("ERROR: unknown command"), Said::Error("unknown command".into()));
        let newer = Said::Other { kind: "NEWER".into(), text: "a:b".into() };
        assert_eq!(read(">NEWER:a:b"), newer);
        // Of a known kind, but not as it should be.
        let odd = Said::Other { kind: "BYTECOUNT".into(), text: "a".into() };
        assert_eq!(read(">BYTECOUNT:a"), odd);
    }

    #[test]
    fn lines_come_whole_however_they_were_cut() {
        let text = b">HOLD:Waiting for hold release:0\r\nEND\n>BYTECOUNT:1,2\n>HO";
        for size in 1..text.len() {
            let (mut lines, mut all) = (Lines::default(), Vec::new());
            for piece in text.chunks(size) {
                lines.push(piece);
                while let Some(said) = lines.next_said().expect("short") {
                    all.push(said);
                }
            }
            let count = Said::ByteCount { received: 1, sent: 2 };
            assert_eq!(all, [Said::Hold { wait_secs: 0 }, Said::End, count], "pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused_at_64_kib() {
        let mut lines = Lines::default();
        lines.push(&vec![b'x'; LONGEST]);
        assert_eq!(lines.next_said(), Ok(None));
        lines.push(b"xx");
        assert_eq!(lines.next_said(), Err(TooLong));
        assert_eq!(Said::read(&vec![b'x'; LONGEST + 1]), Err(TooLong));
        assert!(Said::read(&vec![b'x'; LONGEST]).is_ok());
    }
}
