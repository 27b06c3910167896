//! What OpenVPN's log tells of a failure. Its management interface says only that
//! something failed ("tls-error"); the why is in the lines before. The words are those
//! of OpenVPN 2.5 to 2.7 and of OpenSSL; what is not known here is no evidence.

use super::reason::{Reason, Whose};
use super::said::LogLine;
use crate::model::target::HostPort;

/// The two dates of a certificate, in seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dates {
    /// It is valid from here.
    pub from: i64,
    /// It is valid until here.
    pub until: i64,
}

/// What the profile says, for reasons that the log tells by half.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// True when it has a key of `tls-crypt`, `tls-crypt-v2` or `tls-auth`.
    pub control_key: bool,
    /// Dates of its certificate.
    pub own: Option<Dates>,
    /// Dates of its authority; of several, of the one that ends first.
    pub authority: Option<Dates>,
}

/// An error of the network is no reason for what happens later than this, in seconds.
const FRESH_SECS: i64 = 120;

/// What was seen since the last attempt began.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The server that is being tried.
    pub at: Option<HostPort>,
    /// True once the server answered.
    pub answered: bool,
    /// With when it was seen.
    found: Option<(Reason, i64)>,
    /// Something that the other side may or may not mind.
    suspected: Option<Reason>,
}

impl Evidence {
    /// Forgets what was seen, as another attempt begins; the place is kept.
    pub fn forget(&mut self) {
        self.answered = false;
        self.found = None;
        self.suspected = None;
    }

    /// Looks at a line, whose text has gone through the masker.
    pub fn see(&mut self, line: &LogLine, known: &Known) {
        let text = line.text.as_str();
        if let Some(at) = text.split_once("link remote: ").and_then(|(_, at)| place(at)) {
            self.at = Some(at);
        }
        if let Some((suspected, reason)) = own_dates(text, line.at, known) {
            return match suspected {
                true => self.suspected = Some(reason),
                false => self.find(reason, line.at),
            };
        }
        if let Some(reason) = self.of_line(line, known) {
            self.find(reason, line.at);
        }
    }

    /// The first reason counts: what follows it, follows from it. Only of the network's
    /// the last one does, because its errors come and go.
    fn find(&mut self, reason: Reason, at: i64) {
        if self.found.as_ref().is_none_or(|(found, _)| found.may_pass()) {
            self.found = Some((reason, at));
        }
    }

    /// Why it starts over or ended, by the word that OpenVPN has for it and the seconds
    /// since 1970 when it said so; 0 where unknown.
    pub fn reason(&self, word: &str, now: i64, known: &Known) -> Reason {
        let fresh = |found: &Reason, seen: i64| {
            now == 0 || !found.may_pass() || now.saturating_sub(seen) <= FRESH_SECS
        };
        if let Some((found, _)) = self.found.as_ref().filter(|(found, seen)| fresh(found, *seen)) {
            return found.clone();
        }
        let suspected = || self.suspected.clone();
        let (at, control_key) = (self.at.clone(), known.control_key);
        match word {
            "tls-error" | "server_poll" | "server-poll-timeout" if !self.answered => {
                Reason::Silent { at, control_key }
            }
            "tls-error" | "server_poll" | "server-poll-timeout" => {
                suspected().unwrap_or(Reason::Handshake(at))
            }
            "connection-reset" if !self.answered => Reason::HungUp { at, control_key },
            "connection-reset" => suspected().unwrap_or(Reason::Cut),
            "connection-failed" => Reason::Silent { at, control_key: false },
            "ping-restart" | "ping-exit" | "inactive" => Reason::Gone,
            "auth-failure (auth-token)" => Reason::SessionExpired,
            "auth-failure" => Reason::Login { text: None, with_code: false },
            "private-key-password-failure" => Reason::Passphrase,
            "exit-with-notification"
            | "remote-exit"
            | "server-pushed-connection-reset"
            | "server-pushed-halt" => Reason::Dismissed(word.to_owned()),
            _ if word.starts_with("auth-temp-failure") => Reason::LoginLater(word.to_owned()),
            _ => Reason::Other(word.to_owned()),
        }
    }

    fn of_line(&self, line: &LogLine, known: &Known) -> Option<Reason> {
        let text = line.text.as_str();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if let Some(told) = text.strip_prefix("VERIFY ERROR: depth=") {
            return Some(verify_error(told, line.at, known));
        }
        if let Some(told) = text.strip_prefix("VERIFY X509NAME ERROR: ") {
            let (name, wanted) = told.rsplit_once(", must be ").unwrap_or((told, ""));
            return Some(Reason::Name { name: name.to_owned(), wanted: wanted.to_owned() });
        }
        if has(&["VERIFY KU ERROR", "VERIFY EKU ERROR", "VERIFY nsCertType ERROR"]) {
            return Some(Reason::Purpose { name: String::new() });
        }
        if has(&["certificate hash verification failed"]) {
            return Some(Reason::Fingerprint);
        }
        if has(&NO_COMMON_TLS) {
            return Some(Reason::NoCommonTls(openssl_words(text)));
        }
        if has(&OWN_REFUSED) {
            return Some(Reason::OwnRefused(openssl_words(text)));
        }
        if has(&["failed to negotiate cipher with server", "Failed to negotiate a data-channel"]) {
            return Some(Reason::NoCommonCipher(text.to_owned()));
        }
        if has(&CONTROL_KEY) {
            return Some(Reason::ControlKey);
        }
        if has(&TUN) {
            return Some(Reason::Tun(text.trim_start_matches("ERROR: ").to_owned()));
        }
        if has(&MATERIAL) {
            return Some(Reason::Material(text.to_owned()));
        }
        if let Some((_, told)) = text.split_once("RESOLVE: Cannot resolve host address: ") {
            let host = told.split_once(" (").map_or(told, |(at, _)| at);
            let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
            return Some(Reason::UnknownHost(host.to_owned()));
        }
        if let Some((_, told)) = text.split_once("TCP: connect to ") {
            let (at, error) = told.split_once(" failed: ")?;
            return network(place(at), error);
        }
        if has(&["AUTH: Received control message: AUTH_FAILED,TEMP"]) {
            let words = text.rsplit_once(':').map_or("", |(_, words)| words);
            return Some(Reason::LoginLater(words.trim().to_owned()));
        }
        // `read UDPv4 [ECONNREFUSED]: Connection refused (fd=4,code=111)`
        if ["read UDP", "write UDP", "read TCP", "write TCP"].iter().any(|s| text.starts_with(s)) {
            let (_, error) = text.split_once("]: ")?;
            let error = error.split_once(" (fd=").map_or(error, |(error, _)| error);
            return network(self.at.clone(), error);
        }
        None
    }
}

const NO_COMMON_TLS: [&str; 8] = [
    "no shared cipher",
    "unsupported protocol",
    "no protocols available",
    "no ciphers available",
    "alert protocol version",
    "alert handshake failure",
    "alert insufficient security",
    "wrong version number",
];

const OWN_REFUSED: [&str; 6] = [
    "alert certificate revoked",
    "alert certificate unknown",
    "alert bad certificate",
    "alert unsupported certificate",
    "alert unknown ca",
    "alert certificate required",
];

const CONTROL_KEY: [&str; 6] = [
    "tls-crypt unwrap error",
    "tls-crypt unwrapping failed",
    "packet HMAC authentication failed",
    "incoming packet authentication failed",
    "cannot locate HMAC in incoming packet",
    "tls-crypt-v2 unwrap",
];

const TUN: [&str; 7] = [
    "Cannot open TUN/TAP dev",
    "Cannot ioctl TUNSETIFF",
    "Cannot allocate TUN/TAP dev",
    "Cannot resolve TUN/TAP",
    "Linux can't add IP to interface",
    "Linux can't set mtu",
    "Linux can't bring",
];

const MATERIAL: [&str; 9] = [
    "Cannot load certificate file",
    "Cannot load inline certificate file",
    "Cannot load private key file",
    "Cannot load CA certificate file",
    "Cannot load any CA",
    "Private key does not match the certificate",
    "Error reading PKCS#12 file",
    "Decoding PKCS12 failed",
    "Insufficient key material or header text not found",
];

/// The date of one's own certificate; true with it when the server may not mind.
fn own_dates(text: &str, clock: i64, known: &Known) -> Option<(bool, Reason)> {
    let over = match text {
        "WARNING: Your certificate has expired!" => true,
        "WARNING: Your certificate is not yet valid!" => false,
        _ if text.contains("alert certificate expired") => {
            return Some((false, validity(Whose::Own, "", true, clock, known.own)));
        }
        _ => return None,
    };
    Some((true, validity(Whose::Own, "", over, clock, known.own)))
}

fn validity(whose: Whose, name: &str, over: bool, clock: i64, dates: Option<Dates>) -> Reason {
    let date = dates.map(|dates| if over { dates.until } else { dates.from });
    Reason::Validity { whose, name: name.to_owned(), over, date, clock }
}

/// `0, error=certificate has expired: CN=server, serial=617`
fn verify_error(told: &str, clock: i64, known: &Known) -> Reason {
    let depth = told.split(',').next().unwrap_or_default();
    let told = told.split_once("error=").map_or(told, |(_, told)| told);
    let (error, name) = told.split_once(": ").unwrap_or((told, ""));
    let name = name.rsplit_once(", serial=").map_or(name, |(name, _)| name).to_owned();
    let whose = if depth == "0" { Whose::Server } else { Whose::Authority };
    let dates = known.authority.filter(|_| whose == Whose::Authority);
    match error {
        "certificate has expired" => validity(whose, &name, true, clock, dates),
        "certificate is not yet valid" => validity(whose, &name, false, clock, dates),
        "unsuitable certificate purpose" | "unsupported certificate purpose" => {
            Reason::Purpose { name }
        }
        "hostname mismatch" | "IP address mismatch" => Reason::Name { name, wanted: String::new() },
        "unable to get local issuer certificate"
        | "unable to get issuer certificate"
        | "unable to verify the first certificate"
        | "self-signed certificate"
        | "self signed certificate"
        | "self-signed certificate in certificate chain"
        | "self signed certificate in certificate chain"
        | "certificate signature failure"
        | "invalid CA certificate"
        | "certificate not trusted" => Reason::Authority { name, error: error.to_owned() },
        _ => Reason::Certificate { name, error: error.to_owned() },
    }
}

fn network(at: Option<HostPort>, error: &str) -> Option<Reason> {
    Some(match error {
        "Connection refused" => Reason::Refused(at),
        "Connection timed out" | "Operation timed out" => Reason::Silent { at, control_key: false },
        "No route to host"
        | "Network is unreachable"
        | "Host is down"
        | "Network is down"
        | "Permission denied"
        | "Operation not permitted"
        | "Cannot assign requested address" => Reason::NoRoute { at, error: error.to_owned() },
        _ => return None,
    })
}

/// `[AF_INET]192.0.2.7:1194`, `[AF_INET6]2001:db8::7:1194`
fn place(text: &str) -> Option<HostPort> {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|t| t.split_once(']')).map_or(text, |(_, at)| at);
    let text = text.split([' ', '(']).next()?;
    let (host, port) = text.rsplit_once(':')?;
    Some(HostPort { host: host.to_owned(), port: port.parse().ok()? })
}

/// The words in `OpenSSL: error:0A000410:SSL routines::ssl/tls alert handshake failure:SSL
/// alert number 40`; of another line, all of it.
fn openssl_words(text: &str) -> String {
    let Some((_, told)) = text.split_once("error:") else { return text.to_owned() };
    let words = told.split(':').map(str::trim).filter(|part| !part.is_empty());
    words.skip(1).find(|part| !part.ends_with(" routines")).unwrap_or(told).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine { at: 1_795_922_799, flags: "N".into(), text: text.into() }
    }

    fn seen(known: &Known, texts: &[&str]) -> Evidence {
        let mut evidence = Evidence::default();
        for text in texts {
            evidence.see(&line(text), known);
        }
        evidence
    }

    fn at() -> Option<HostPort> {
        Some(HostPort { host: "10.99.231.2".into(), port: 1194 })
    }

    const REMOTE: &str = "UDPv4 link remote: [AF_INET]10.99.231.2:1194";

    #[test]
    fn each_kind_of_line_is_known() {
        let known = Known::default();
        let name = || "CN=server".to_owned();
        for (text, expected) in [
            (
                "VERIFY ERROR: depth=0, error=certificate has expired: CN=server, serial=61",
                validity(Whose::Server, "CN=server", true, 1_795_922_799, None),
            ),
            (
                "VERIFY ERROR: depth=1, error=self-signed certificate in certificate chain: \
                 CN=ca, serial=15",
                Reason::Authority {
                    name: "CN=ca".into(),
                    error: "self-signed certificate in certificate chain".into(),
                },
            ),
            (
                "VERIFY ERROR: depth=0, error=unsuitable certificate purpose: CN=server, serial=1",
                Reason::Purpose { name: name() },
            ),
            (
                "VERIFY ERROR: depth=0, error=certificate revoked: CN=server, serial=1",
                Reason::Certificate { name: name(), error: "certificate revoked".into() },
            ),
            (
                "VERIFY X509NAME ERROR: CN=server, must be other",
                Reason::Name { name: name(), wanted: "other".into() },
            ),
            ("VERIFY EKU ERROR", Reason::Purpose { name: String::new() }),
            (
                "OpenSSL: error:0A0000C1:SSL routines::no shared cipher:",
                Reason::NoCommonTls("no shared cipher".into()),
            ),
            (
                "OpenSSL: error:0A00042E:SSL routines::tlsv1 alert protocol version:SSL alert \
                 number 70",
                Reason::NoCommonTls("tlsv1 alert protocol version".into()),
            ),
            (
                "OpenSSL: error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert number 48",
                Reason::OwnRefused("tlsv1 alert unknown ca".into()),
            ),
            ("tls-crypt unwrap error: packet authentication failed", Reason::ControlKey),
            (
                "Authenticate/Decrypt packet error: packet HMAC authentication failed",
                Reason::ControlKey,
            ),
            (
                "TCP: connect to [AF_INET]10.99.231.2:1194 failed: Connection refused",
                Reason::Refused(at()),
            ),
            (
                "TCP: connect to [AF_INET6]2001:db8::7:1194 failed: No route to host",
                Reason::NoRoute {
                    at: Some(HostPort { host: "2001:db8::7".into(), port: 1194 }),
                    error: "No route to host".into(),
                },
            ),
            (
                "RESOLVE: Cannot resolve host address: no.such.invalid:1194 (Name or service not \
                 known)",
                Reason::UnknownHost("no.such.invalid".into()),
            ),
            (
                "ERROR: Cannot open TUN/TAP dev /dev/net/tun: No such file or directory (errno=2)",
                Reason::Tun(
                    "Cannot open TUN/TAP dev /dev/net/tun: No such file or directory (errno=2)"
                        .into(),
                ),
            ),
            (
                "Cannot load private key file [[INLINE]]",
                Reason::Material("Cannot load private key file [[INLINE]]".into()),
            ),
        ] {
            assert_eq!(seen(&known, &[text]).reason("tls-error", 0, &known), expected, "{text}");
        }
    }

    #[test]
    fn an_error_of_the_socket_is_one_of_the_server_that_is_tried() {
        let known = Known::default();
        let refused = "read UDPv4 [ECONNREFUSED]: Connection refused (fd=4,code=111)";
        let evidence = seen(&known, &[REMOTE, refused]);
        assert_eq!(evidence.reason("server_poll", 0, &known), Reason::Refused(at()));
        let unreachable = "write UDPv4 []: Network is unreachable (fd=4,code=101)";
        let evidence = seen(&known, &[REMOTE, unreachable]);
        let error = "Network is unreachable".to_owned();
        let expected = Reason::NoRoute { at: at(), error };
        assert_eq!(evidence.reason("server_poll", 0, &known), expected);
    }

    #[test]
    fn silence_before_and_after_the_first_answer_are_not_the_same() {
        let known = Known { control_key: true, ..Known::default() };
        let mut evidence = seen(&known, &[REMOTE]);
        let silent = Reason::Silent { at: at(), control_key: true };
        assert_eq!(evidence.reason("server_poll", 0, &known), silent);
        let hung_up = Reason::HungUp { at: at(), control_key: true };
        assert_eq!(evidence.reason("connection-reset", 0, &known), hung_up);
        evidence.answered = true;
        assert_eq!(evidence.reason("tls-error", 0, &known), Reason::Handshake(at()));
        assert_eq!(evidence.reason("connection-reset", 0, &known), Reason::Cut);
    }

    #[test]
    fn an_expired_certificate_of_ones_own_is_suspected_and_has_its_date() {
        let own = Some(Dates { from: 1, until: 1_700_000_000 });
        let known = Known { own, ..Known::default() };
        let mut evidence = seen(&known, &["WARNING: Your certificate has expired!", REMOTE]);
        // Nobody there is nobody there, whatever the certificate is.
        let silent = Reason::Silent { at: at(), control_key: false };
        assert_eq!(evidence.reason("tls-error", 0, &known), silent);
        evidence.answered = true;
        let expected = validity(Whose::Own, "", true, 1_795_922_799, own);
        assert_eq!(evidence.reason("tls-error", 0, &known), expected);
        assert!(matches!(expected, Reason::Validity { date: Some(1_700_000_000), .. }));
    }

    #[test]
    fn an_old_error_of_the_network_is_no_reason() {
        let known = Known::default();
        let refused = "read UDPv4 [ECONNREFUSED]: Connection refused (fd=4,code=111)";
        let evidence = seen(&known, &[REMOTE, refused]);
        let soon = evidence.reason("ping-restart", 1_795_922_799 + 10, &known);
        assert_eq!(soon, Reason::Refused(at()));
        let later = evidence.reason("ping-restart", 1_795_922_799 + 3600, &known);
        assert_eq!(later, Reason::Gone);
    }

    #[test]
    fn what_follows_from_the_first_fault_does_not_hide_it() {
        let known = Known::default();
        let evidence = seen(
            &known,
            &[
                "VERIFY ERROR: depth=0, error=certificate has expired: CN=server, serial=61",
                "OpenSSL: error:0A000086:SSL routines::certificate verify failed:",
                "TLS Error: TLS handshake failed",
                "read UDPv4 [ECONNREFUSED]: Connection refused (fd=4,code=111)",
            ],
        );
        let reason = evidence.reason("tls-error", 0, &known);
        assert!(matches!(reason, Reason::Validity { whose: Whose::Server, .. }), "{reason:?}");
    }
}
