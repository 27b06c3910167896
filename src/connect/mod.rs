//! Connectors: how each kind of entry is opened. A connector gets a [`Lease`],
//! never the vault; it knows no store, no screen and no member.
//!
//! Adding one is one file with a `Connector` and one line in [`ALL`], or a manifest
//! (see `manifest`); form, command-line flags, help and the leak test follow from
//! its fields.

pub mod credential;
mod desk;
pub mod device;
pub mod field;
pub mod file_send;
pub mod files;
pub mod host;
pub mod launch;
mod line;
pub mod link;
pub mod manifest;
pub mod note;
pub mod openvpn;
pub mod raw;
pub mod rdp;
pub mod retold;
pub mod screen;
pub mod serial;
pub mod shell;
pub mod snapshot;
pub mod ssh;
pub mod telnet;
pub mod vnc;
pub mod vpn;
pub mod web;
pub mod wireguard;

use std::collections::BTreeMap;

use crate::model::entry::{Entry, Kind, Slot};
use crate::model::lang::Bi;
use crate::model::target::{HostPort, PinnedKey, Target};
use crate::os::chromium;
use crate::secret::{SecretBytes, SecretText};

use field::Field;
use launch::{Child, Launch};
use link::Link;
use manifest::approval::Approval;

/// Every connector that is written in Rust, in the order the "new entry" menu shows
/// them; [`all`] has those by manifest too.
pub const ALL: &[&dyn Connector] = &[
    &ssh::Ssh,
    &shell::Shell,
    &rdp::Rdp,
    &vnc::Vnc,
    &telnet::Telnet,
    &raw::Raw,
    &serial::Serial,
    &openvpn::OpenVpn,
    &wireguard::WireGuard,
    &credential::Credential,
    &note::Note,
    &web::Web,
];

/// Every connector that this computer knows: [`ALL`], then those by manifest.
pub fn all() -> &'static [&'static dyn Connector] {
    manifest::registry::current().all
}

/// The connector of `kind`, if this computer knows it.
pub fn by_kind(kind: &Kind) -> Option<&'static dyn Connector> {
    if kind.is_container() {
        return None;
    }
    let own = ALL.iter().copied().find(|c| c.id() == kind.word());
    own.or_else(|| Some(manifest::registry::of_kind(kind.word())? as &dyn Connector))
}

/// Whether entries of this kind are VPNs, which others go through.
pub fn is_vpn(kind: &Kind) -> bool {
    by_kind(kind).is_some_and(|c| c.leads_to_network())
}

/// Which common fields a kind has. Of one that this computer does not know, or no
/// longer, the entries may have any: they stay as they were made.
pub fn common_of(kind: &Kind) -> Common {
    // A folder passes its login on; it is no place to go to.
    let there = !kind.is_container();
    let unknown = Common { host: there, port: there, user: true };
    by_kind(kind).map_or(unknown, |c| c.common())
}

/// One kind of entry: what it asks for and how it opens.
pub trait Connector: Sync {
    /// The word of the kind: `ssh`, `shell`, `telnet`, `credential`, …
    fn id(&self) -> &'static str;
    /// What a person reads in menus.
    fn label(&self) -> Bi;
    /// One sign that stands before the label; may be empty.
    fn icon(&self) -> &'static str {
        ""
    }
    /// Settings besides name, host, port, user, tags, favourite, description
    /// and expiry, which every entry has.
    fn fields(&self) -> &'static [Field];
    /// Which secrets the form offers.
    fn slots(&self) -> &'static [Slot];
    /// Whether it takes a secret that is not part of a login, such as a custom field.
    fn takes(&self, _slot: &Slot) -> bool {
        false
    }
    /// Which of the common fields make sense: the form hides the others.
    fn common(&self) -> Common;
    /// Port when the entry names none.
    fn default_port(&self) -> Option<u16> {
        None
    }
    /// What Enter and double-click do.
    fn opens(&self) -> Opens;
    /// What they do with these settings on this machine.
    fn opens_with(&self, _settings: &BTreeMap<String, String>) -> Opens {
        self.opens()
    }
    /// The machine and port that an entry leads to; the port is 0 where none is known.
    fn place(&self, entry: &Entry) -> HostPort {
        let port = entry.port.or(self.default_port()).unwrap_or(0);
        HostPort { host: entry.host.trim().to_owned(), port }
    }
    /// Whether other entries may be reached through it, as a jump host.
    fn passes_on(&self) -> bool {
        false
    }
    /// Whether it is a VPN: its link is a [`link::Tunnel`].
    fn leads_to_network(&self) -> bool {
        false
    }
    /// Whether a link carries several channels, shells as well as commands. One
    /// that does not is a single terminal: it runs no commands, and no other
    /// session may share it.
    fn many_channels(&self) -> bool {
        true
    }
    /// Opens the far side. Blocks; runs on a thread of its own. Only called
    /// when [`Connector::opens_with`] is [`Opens::Session`].
    ///
    /// # Errors
    /// What went wrong, in words for a person.
    fn open(&self, target: &Target, lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure>;
}

/// Which common fields a kind has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Common {
    /// Host, or URL for `web`.
    pub host: bool,
    /// TCP port.
    pub port: bool,
    /// Login name and credential source.
    pub user: bool,
}

/// What connecting to an entry means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Opens {
    /// A session with a [`Link`].
    Session,
    /// The entry's page in the browser of whoever asks, the login ready to copy.
    Browser,
    /// Nothing to open: the details are shown.
    Details,
}

/// Where a lease has what takes a session of the far side up again after a break
/// ([`link::FromRemote::Resume`]). No entry has such a slot.
pub fn resume_slot() -> Slot {
    Slot::Custom("\u{0}resume".into())
}

/// What a connector may ask of the application, for one connection.
pub trait Lease: Send {
    /// The secret of a slot of hop `hop` (0 is the first jump host). Each is
    /// given once; `None` when the entry has none or it was taken.
    fn take(&mut self, hop: usize, slot: &Slot) -> Option<SecretBytes>;
    /// The current RFC 6238 code of hop `hop`, if its entry has a seed.
    fn totp(&mut self, hop: usize) -> Option<SecretText>;
    /// Variables that name the desktop of who asks, for what shows a window, and
    /// their language.
    fn desktop(&self) -> Vec<(String, String)> {
        chromium::desktop()
    }
    /// The way into the network of the VPN that this connection goes through, if it
    /// goes through one.
    fn passage(&mut self) -> Option<std::io::Result<vpn::door::Passage>> {
        None
    }
    /// Starts a child process.
    ///
    /// # Errors
    /// The program is missing or may not be started.
    fn spawn(&mut self, launch: Launch) -> std::io::Result<Child>;
    /// Asks the person and waits. Without a person the answer is a refusal.
    fn ask(&mut self, question: Question) -> Answer;
    /// Tells the person how far the connection is.
    fn say(&mut self, progress: Progress);
    /// A server showed this key, which is none of those pinned for it; the
    /// connection fails for it next.
    fn key_changed(&mut self, _shown: &PinnedKey) {}
    /// True when the person gave up; long waits look at it.
    fn cancelled(&self) -> bool;
}

/// A question that only a person can answer.
#[derive(serde::Serialize, serde::Deserialize)]
pub enum Question {
    /// Unknown server key: pin it for this client?
    TrustHostKey(PinnedKey),
    /// The server asks for a line of text (keyboard-interactive, RFC 4256).
    Prompt {
        /// The server's words.
        text: String,
        /// True when the answer may be shown while typed.
        echo: bool,
    },
    /// No user name is stored.
    User,
    /// No password is stored, and the server takes one (RFC 4252 section 8).
    Password {
        /// Login name.
        user: String,
        /// The server.
        at: HostPort,
        /// True when the server has just refused one that was typed.
        again: bool,
    },
    /// A VPN stands before the entry, and is to be raised when the person says so.
    RaiseVpn {
        /// Its path.
        path: String,
    },
    /// A connector by manifest has not run on this computer, as it stands: may it?
    Approve(Box<Approval>),
    /// The private key is encrypted and no passphrase is stored. It is decrypted here:
    /// the server learns nothing of it.
    Passphrase {
        /// Login name.
        user: String,
        /// The server that the key is for.
        at: HostPort,
        /// True when the one that was typed does not fit.
        again: bool,
    },
}

/// The answer to a [`Question`].
pub enum Answer {
    /// Yes to [`Question::TrustHostKey`], where the application pins the key, or to
    /// [`Question::Approve`].
    Yes,
    /// No, or nobody there to answer.
    No,
    /// A line of text.
    Text(SecretText),
}

/// How far a connection is. Names, never values of secrets.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Progress {
    /// Name resolution of this hop.
    Resolving(String),
    /// TCP connection to this hop.
    Contacting(String),
    /// Key exchange.
    Negotiating(String),
    /// Login; the method: `password`, `publickey`, …
    Authenticating(String),
    /// A warning that stays visible in the tab, such as weak algorithms.
    Warning(Bi),
    /// How far the VPN before it is.
    Vpn(vpn::journal::Step),
}

/// Why a connection failed or ended.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Failure {
    /// For programs.
    pub kind: FailureKind,
    /// What happened.
    pub what: Bi,
    /// What to do about it.
    pub todo: Bi,
}

/// Classes of failure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The name does not resolve.
    UnknownHost,
    /// The port answered with a refusal.
    Refused,
    /// No answer in time.
    Timeout,
    /// The network is unreachable or the connection broke.
    Network,
    /// No common algorithm or a protocol error.
    Protocol,
    /// The login was refused.
    Login,
    /// The server's key is not the pinned one.
    HostKeyChanged,
    /// The person did not accept the server's key.
    HostKeyRefused,
    /// The key of the entry cannot be read, or its passphrase is wrong.
    BadKey,
    /// The person gave up.
    Cancelled,
    /// A helper program is missing or failed.
    Helper,
    /// A setting of the entry makes no sense.
    Setting,
    /// A port that is to be forwarded cannot be listened at.
    Forward,
    /// The far side ended the session, for a reason of its own.
    Ended,
    /// The VPN before it could not be raised.
    Vpn,
}
