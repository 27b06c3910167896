//! Why an OpenVPN connection failed, ended, or starts over, as a value; [`super::tell`]
//! has the words. It holds no secret: texts in it have gone through the masker.

use super::tell;
use crate::connect::Failure;
use crate::model::target::HostPort;

/// Why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The server refused the login.
    Login {
        /// Its words.
        text: Option<String>,
        /// True when a code was sent too.
        with_code: bool,
    },
    /// The server cannot check logins for the moment (`AUTH_FAILED,TEMP`).
    LoginLater(String),
    /// What replaced the password after the login is no longer valid.
    SessionExpired,
    /// The HTTP or SOCKS proxy refused the login.
    ProxyLogin,
    /// The passphrase of the private key is wrong.
    Passphrase,
    /// A password, code or name that OpenVPN cannot be told.
    Unsayable(super::answer::Unsayable),
    /// A certificate is past its end or before its beginning.
    Validity {
        /// Whose it is.
        whose: Whose,
        /// Its subject, empty for one's own.
        name: String,
        /// True when it is over, false when it has not begun.
        over: bool,
        /// The end or the beginning, in seconds since 1970, where it is known: OpenVPN
        /// does not say it of the server's.
        date: Option<i64>,
        /// What this computer's clock says, in seconds since 1970; 0 where unknown.
        clock: i64,
    },
    /// The certificate of the server is not of the profile's authority.
    Authority {
        /// Its subject, or that of who signed it.
        name: String,
        /// OpenSSL's words.
        error: String,
    },
    /// The certificate of the server is for another name.
    Name {
        /// Its subject.
        name: String,
        /// What the profile wants.
        wanted: String,
    },
    /// The certificate is not one of a server.
    Purpose {
        /// Its subject, empty where unknown.
        name: String,
    },
    /// The fingerprint is not the one of the profile.
    Fingerprint,
    /// Another fault of the server's certificate.
    Certificate {
        /// Its subject.
        name: String,
        /// OpenSSL's words.
        error: String,
    },
    /// The server does not take the certificate of the profile; OpenSSL's words.
    OwnRefused(String),
    /// No version or cipher of TLS in common; OpenSSL's words.
    NoCommonTls(String),
    /// No cipher for the tunnel in common; the server's or OpenVPN's words.
    NoCommonCipher(String),
    /// TLS began and came to no end.
    Handshake(Option<HostPort>),
    /// The key of `tls-crypt` or `tls-auth` is not the server's.
    ControlKey,
    /// No answer at all.
    Silent {
        /// The server.
        at: Option<HostPort>,
        /// True when the profile has a key of `tls-crypt` or `tls-auth`: a server answers
        /// nothing to a wrong one.
        control_key: bool,
    },
    /// Nobody listens on the port.
    Refused(Option<HostPort>),
    /// The server took the TCP connection and hung up before it said a word.
    HungUp {
        /// The server.
        at: Option<HostPort>,
        /// As for [`Reason::Silent`].
        control_key: bool,
    },
    /// There is no way to the server; the system's words.
    NoRoute {
        /// The server.
        at: Option<HostPort>,
        /// Why.
        error: String,
    },
    /// The name of the server is unknown.
    UnknownHost(String),
    /// The tunnel device cannot be made; OpenVPN's words.
    Tun(String),
    /// A certificate or key of the profile cannot be used; OpenVPN's words.
    Material(String),
    /// OpenVPN does not take an option of the profile; its words.
    Options(String),
    /// The server said nothing for a while (`ping-restart`).
    Gone,
    /// The connection was cut.
    Cut,
    /// The server told this side to go or to come back.
    Dismissed(String),
    /// It stopped for this; its words.
    Fatal(String),
    /// It ended without a word of why; what it said last.
    Exited(String),
    /// It starts over for this; its word.
    Other(String),
    /// What speaks is not OpenVPN.
    Nonsense,
}

/// Whose certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The one of the profile.
    Own,
    /// The server's.
    Server,
    /// The authority's.
    Authority,
}

impl Reason {
    /// In words for a person.
    pub fn failure(&self) -> Failure {
        tell::failure(self)
    }

    /// True when trying once more, as it stands, may help.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::LoginLater(_)
            | Self::SessionExpired
            | Self::Handshake(_)
            | Self::Silent { .. }
            | Self::Refused(_)
            | Self::HungUp { .. }
            | Self::NoRoute { .. }
            | Self::UnknownHost(_)
            | Self::Gone
            | Self::Cut
            | Self::Dismissed(_)
            | Self::ControlKey
            | Self::Other(_) => true,
            Self::Login { .. }
            | Self::ProxyLogin
            | Self::Passphrase
            | Self::Unsayable(_)
            | Self::Validity { .. }
            | Self::Authority { .. }
            | Self::Name { .. }
            | Self::Purpose { .. }
            | Self::Fingerprint
            | Self::Certificate { .. }
            | Self::OwnRefused(_)
            | Self::NoCommonTls(_)
            | Self::NoCommonCipher(_)
            | Self::Tun(_)
            | Self::Material(_)
            | Self::Options(_)
            | Self::Fatal(_)
            | Self::Exited(_)
            | Self::Nonsense => false,
        }
    }

    /// Why it never came to speak: what it wrote to its standard output and error.
    pub fn of_output(output: &str, mask: impl Fn(&str) -> String) -> Self {
        let lines = || output.lines().map(str::trim).filter(|line| !line.is_empty());
        let told = lines().find_map(|line| {
            let at = line.find("Options error: ")?;
            Some(mask(line[at..].trim_start_matches("Options error: ")))
        });
        if let Some(told) = told {
            return Self::Options(told);
        }
        let last = lines().rfind(|line| !line.starts_with("Use --help"));
        Self::Exited(mask(last.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_refused_before_it_speaks_are_told_with_its_words() {
        // As written by openvpn 2.6.14 for a profile with a line `frobnicate 7`.
        let output = "Options error: Unrecognized option or missing or extra parameter(s) in \
                      stdin:19: frobnicate (2.6.14)\nUse --help for more information.\n";
        let reason = Reason::of_output(output, |text| text.replace("frobnicate", "***"));
        let told = "Unrecognized option or missing or extra parameter(s) in stdin:19: *** (2.6.14)";
        assert_eq!(reason, Reason::Options(told.into()));
        assert!(reason.failure().what.en.contains(told));
        let silent = Reason::of_output("\n", str::to_owned);
        assert_eq!(silent, Reason::Exited(String::new()));
    }
}
