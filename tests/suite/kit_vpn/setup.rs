//! How a server and its profile are to be.

/// How a code is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Code {
    /// Not at all.
    #[default]
    None,
    /// By the profile's `static-challenge`.
    Static,
    /// By the server, once the password was right (CRV1).
    Dynamic,
    /// Right behind the password, as Sophos does.
    Append,
}

/// The key that hides the control channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ControlKey {
    /// There is none.
    #[default]
    None,
    /// `tls-crypt`.
    Crypt,
    /// `tls-auth`.
    Auth,
    /// `tls-crypt`, and the profile has another one.
    WrongCrypt,
}

/// When a certificate is valid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lasts {
    /// Now.
    #[default]
    Now,
    /// Until the day before yesterday.
    Over,
    /// From the day after tomorrow.
    NotYet,
}

/// A server and its profile.
#[derive(Clone)]
pub struct Setup {
    /// Whose LAN it is; names a file on its machine.
    pub client: &'static str,
    /// TCP instead of UDP.
    pub tcp: bool,
    /// Where it listens.
    pub port: u16,
    /// User name and password, checked by a script.
    pub login: Option<(&'static str, &'static str)>,
    /// How a code is asked for.
    pub code: Code,
    /// The only right code.
    pub right_code: &'static str,
    /// An RFC 6238 seed in hex, whose codes are right instead.
    pub seed: Option<&'static str>,
    /// Words that go with a refusal.
    pub refusal: Option<&'static str>,
    /// The profile has a certificate, and the server wants one.
    pub certificate: bool,
    /// The key in the profile is encrypted with it.
    pub passphrase: Option<&'static str>,
    /// The key that hides the control channel.
    pub control_key: ControlKey,
    /// When the server's certificate is valid.
    pub server_lasts: Lasts,
    /// When the profile's certificate is valid.
    pub own_lasts: Lasts,
    /// The profile has another authority.
    pub wrong_authority: bool,
    /// The tunnel carries IPv6 too.
    pub ipv6: bool,
    /// Seconds between signs of life, and without one until the connection starts over.
    pub keepalive: (u32, u32),
    /// The near end of the wire lies in a namespace of its own, not in the host's.
    pub apart: bool,
    /// More lines for the server.
    pub lines: Vec<String>,
    /// More lines for the profile.
    pub profile_lines: Vec<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            client: "acme",
            tcp: false,
            port: 1194,
            login: None,
            code: Code::None,
            right_code: "271828",
            seed: None,
            refusal: None,
            certificate: false,
            passphrase: None,
            control_key: ControlKey::None,
            server_lasts: Lasts::Now,
            own_lasts: Lasts::Now,
            wrong_authority: false,
            ipv6: false,
            keepalive: (2, 20),
            apart: false,
            lines: Vec::new(),
            profile_lines: Vec::new(),
        }
    }
}
