//! A profile as far as it is taken over: settings that were checked, and what the
//! connection is proved with. Opens nothing, and what is secret in it prints nowhere:
//!
//! ```compile_fail
//! fn shown(profile: &poterne::connect::openvpn::profile::Profile) -> String {
//!     format!("{profile:?}")
//! }
//! ```
//!
//! What may be shown are its [`Facts`](super::Facts):
//!
//! ```
//! fn shown(profile: &poterne::connect::openvpn::profile::Profile) -> String {
//!     format!("{:?}", profile.facts())
//! }
//! ```

use crate::secret::SecretText;

/// What a client was given to connect with, in the order of its file: what stands
/// before a block holds in it, what stands after does not.
pub struct Profile {
    pub(super) items: Vec<Item>,
}

/// One thing of a profile.
pub(super) enum Item {
    Setting(Setting),
    Remote(Remote),
    /// A place with settings of its own: one remote, and what holds for it only.
    Connection(Vec<Self>),
    Part(Part),
}

/// A directive and its arguments, as they are written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Setting {
    pub name: &'static str,
    pub args: Vec<String>,
}

/// Where a server is, as the profile says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remote {
    /// Name or address.
    pub host: String,
    /// Nothing: that of `port`, or 1194.
    pub port: Option<u16>,
    /// Nothing: that of `proto`, or UDP.
    pub proto: Option<Proto>,
}

/// What carries the tunnel, as the client's side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proto {
    Udp,
    Udp4,
    Udp6,
    Tcp,
    Tcp4,
    Tcp6,
}

impl Proto {
    /// Each with the words for it; the first is written.
    const WORDS: [(Self, &'static [&'static str]); 6] = [
        (Self::Udp, &["udp"]),
        (Self::Udp4, &["udp4"]),
        (Self::Udp6, &["udp6"]),
        (Self::Tcp, &["tcp-client", "tcp"]),
        (Self::Tcp4, &["tcp4-client", "tcp4"]),
        (Self::Tcp6, &["tcp6-client", "tcp6"]),
    ];

    /// Reads `udp`, `tcp`, `tcp4-client`, …; not the side of a server.
    pub fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, words)| words.contains(&word)).map(|(proto, _)| *proto)
    }

    /// As a profile of a client has it.
    pub fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(proto, _)| *proto == self);
        found.map_or("udp", |(_, words)| words[0])
    }

    /// Whether it is TCP.
    pub fn is_tcp(self) -> bool {
        matches!(self, Self::Tcp | Self::Tcp4 | Self::Tcp6)
    }
}

/// A certificate or a key.
pub(super) struct Part {
    pub kind: PartKind,
    pub body: Body,
}

/// What stands inside of a part: whole lines, each with its end.
pub(super) enum Body {
    Open(String),
    Secret(SecretText),
}

impl Body {
    /// Lends the text to `f`.
    pub fn expose<R>(&self, f: impl FnOnce(&str) -> R) -> R {
        match self {
            Self::Open(text) => f(text),
            Self::Secret(text) => text.expose(f),
        }
    }
}

/// The parts that a profile can have.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PartKind {
    /// Certificates of the authorities that servers are proved by.
    Authority,
    /// Certificate of the client, and those between it and the authority.
    Certificate,
    /// Those between, apart.
    Between,
    /// Private key of the client.
    Key,
    /// Authority, certificate and key in one, mostly encrypted.
    Pkcs12,
    /// Key that signs the control channel.
    TlsAuth,
    /// Key that encrypts it.
    TlsCrypt,
    /// Key of this client alone that encrypts it.
    TlsCryptV2,
    /// Key of both sides, without TLS.
    Static,
}

impl PartKind {
    /// The directive that has it.
    pub fn directive(self) -> &'static str {
        match self {
            Self::Authority => "ca",
            Self::Certificate => "cert",
            Self::Between => "extra-certs",
            Self::Key => "key",
            Self::Pkcs12 => "pkcs12",
            Self::TlsAuth => "tls-auth",
            Self::TlsCrypt => "tls-crypt",
            Self::TlsCryptV2 => "tls-crypt-v2",
            Self::Static => "secret",
        }
    }

    /// Whether nobody may see it.
    pub fn is_secret(self) -> bool {
        !matches!(self, Self::Authority | Self::Certificate | Self::Between)
    }
}

impl Profile {
    /// The settings of that name that hold for the whole profile, in order.
    pub(super) fn settings<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Setting> {
        settings(&self.items, name)
    }

    /// All parts, those of single places too.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.items
            .iter()
            .flat_map(|item| match item {
                Item::Connection(inside) => inside.as_slice(),
                _ => std::slice::from_ref(item),
            })
            .filter_map(|item| match item {
                Item::Part(part) => Some(part),
                _ => None,
            })
    }
}

/// The settings of that name among `items`.
pub(super) fn settings<'a>(items: &'a [Item], name: &'a str) -> impl Iterator<Item = &'a Setting> {
    items.iter().filter_map(move |item| match item {
        Item::Setting(setting) if setting.name == name => Some(setting),
        _ => None,
    })
}
