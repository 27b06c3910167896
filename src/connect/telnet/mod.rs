//! Telnet, for devices that know nothing better: options are negotiated, and user
//! and password are given when the device asks for them. Nothing is encrypted, and
//! the session says so.

pub mod filter;
mod login;

use regex::{Regex, RegexBuilder};

use super::device;
use super::field::{Field, FieldKind};
use super::host::child::Engine;
use super::host::link::HostLink;
use super::line::{Codec, End, LineEngine, fields};
use super::link::{LineSignal, Link, LinkInfo, TermSize};
use super::ssh::fail;
use super::{Common, Connector, Failure, Lease, Opens, vpn};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::{Hop, Target};

use filter::Filter;

/// The port of telnet (RFC 854).
const PORT: u16 = 23;

/// Terminal type that is told when the device asks before there is a terminal.
const TERM: &str = "xterm-256color";

/// Largest compiled pattern of an entry, in bytes.
const PATTERN_MAX_BYTES: usize = 1 << 20;

/// The connector.
pub struct Telnet;

const FIELDS: &[Field] = &[
    fields::JUMP,
    vpn::fields::VPN,
    vpn::fields::WHEN,
    Field::new("login-prompt", "Invite d’identifiant", "Login prompt", FieldKind::Text)
        .explained(
            "Expression régulière de la question à laquelle l’utilisateur répond, à la fin de ce \
             que l’équipement envoie.",
            "Regular expression of the question that the user name answers, at the end of what \
             the device sends.",
        )
        .usually(r"(?i)\b(login|user|username|utilisateur|identifiant)\b[^:]*:\s*$"),
    Field::new("password-prompt", "Invite de mot de passe", "Password prompt", FieldKind::Text)
        .explained(
            "Expression régulière de la question à laquelle le mot de passe répond, à la fin de \
             ce que l’équipement envoie.",
            "Regular expression of the question that the password answers, at the end of what \
             the device sends.",
        )
        .usually(r"(?i)\b(password|passwd|passcode|mot de passe)\b[^:]*:\s*$"),
    Field::new("term", "Type de terminal", "Terminal type", FieldKind::Text).explained(
        "Type annoncé à l’équipement, comme vt100\u{a0}; vide\u{a0}: celui du terminal d’où l’on \
         se connecte.",
        "Type told to the device, such as vt100; empty: that of the terminal one connects from.",
    ),
    fields::LINE_ENDING,
    fields::LOCAL_ECHO,
    fields::CONNECT_TIMEOUT,
    fields::IDLE_TIMEOUT,
    device::DEVICE,
    device::SNAPSHOT_COMMAND,
];

impl Connector for Telnet {
    fn id(&self) -> &'static str {
        "telnet"
    }

    fn label(&self) -> Bi {
        Bi::new("Telnet (non chiffré)", "Telnet (not encrypted)")
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::Password, Slot::Notes]
    }

    fn common(&self) -> Common {
        Common { host: true, port: true, user: true }
    }

    fn default_port(&self) -> Option<u16> {
        Some(PORT)
    }

    fn opens(&self) -> Opens {
        Opens::Session
    }

    fn many_channels(&self) -> bool {
        false
    }

    fn open(&self, target: &Target, lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        let end = target.destination();
        let read = fields::Reader(end, FIELDS);
        // What makes no sense is said before anything starts.
        Prompts::of(end)?;
        read.check()?;
        Ok(Box::new(HostLink::open(target, lease, read.connect_timeout()?)?))
    }
}

/// How the device asks.
struct Prompts {
    login: Regex,
    password: Regex,
}

impl Prompts {
    fn of(hop: &Hop) -> Result<Self, Failure> {
        let read = fields::Reader(hop, FIELDS);
        let pattern = |id| {
            let text = read.text(id);
            let pattern = RegexBuilder::new(text).size_limit(PATTERN_MAX_BYTES).build();
            pattern.map_err(|_| fail::setting(id, text))
        };
        Ok(Self { login: pattern("login-prompt")?, password: pattern("password-prompt")? })
    }
}

/// Its own failures, of marks.
pub(super) fn each() -> Vec<Failure> {
    use super::retold::{ANY, at};
    vec![login::refused(ANY[1], &at(0))]
}

/// Opens it in the session process.
pub(super) fn open(end: &End<'_>) -> Result<Box<dyn Engine>, Failure> {
    let read = fields::Reader(end.hop, FIELDS);
    let (limit, term) = (read.connect_timeout()?, read.text("term"));
    let stream = end.dial(limit)?;
    let told = if term.is_empty() { TERM } else { term };
    let mut filter = Filter::new(told, TermSize { cols: 80, rows: 24 }, read.ending()?);
    let mut first = Vec::new();
    if end.hop.at.port == PORT {
        filter.begin(&mut first);
    }
    let info = LinkInfo {
        user: end.hop.user.clone(),
        description: format!("telnet · {}", end.hop.at),
        warnings: vec![end.in_clear()],
        signals: vec![LineSignal::Break],
        ..LinkInfo::default()
    };
    let codec = Codec::Telnet(Box::new(filter));
    let mut engine =
        LineEngine::new(stream, codec, info)?.with(read.echo()?, term, read.secs("idle-timeout")?);
    engine.put(first, 0);
    login::fill(&mut engine, end, Prompts::of(end.hop)?, limit)?;
    Ok(Box::new(engine))
}
