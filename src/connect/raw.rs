//! A plain TCP connection on a terminal: what is typed is sent, what comes is
//! shown. Nothing is encrypted, and the session says so.

use super::device;
use super::field::Field;
use super::host::child::Engine;
use super::host::link::HostLink;
use super::line::typed::Enter;
use super::line::{Codec, End, LineEngine, fields};
use super::link::{Link, LinkInfo};
use super::{Common, Connector, Failure, Lease, Opens, vpn};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Target;

/// The connector.
pub struct Raw;

const FIELDS: &[Field] = &[
    fields::JUMP,
    vpn::fields::VPN,
    vpn::fields::WHEN,
    fields::LINE_ENDING,
    fields::LOCAL_ECHO,
    fields::CONNECT_TIMEOUT,
    fields::IDLE_TIMEOUT,
    device::DEVICE,
    device::SNAPSHOT_COMMAND,
];

impl Connector for Raw {
    fn id(&self) -> &'static str {
        "raw"
    }

    fn label(&self) -> Bi {
        Bi::new("TCP brut (non chiffré)", "Raw TCP (not encrypted)")
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::Notes]
    }

    fn common(&self) -> Common {
        Common { host: true, port: true, user: false }
    }

    fn opens(&self) -> Opens {
        Opens::Session
    }

    fn many_channels(&self) -> bool {
        false
    }

    fn open(&self, target: &Target, lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        let read = fields::Reader(target.destination(), FIELDS);
        read.check()?;
        Ok(Box::new(HostLink::open(target, lease, read.connect_timeout()?)?))
    }
}

/// Opens it in the session process.
pub(super) fn open(end: &End<'_>) -> Result<Box<dyn Engine>, Failure> {
    let read = fields::Reader(end.hop, FIELDS);
    let stream = end.dial(read.connect_timeout()?)?;
    let info = LinkInfo {
        description: format!("TCP · {}", end.hop.at),
        warnings: vec![end.in_clear()],
        ..LinkInfo::default()
    };
    let codec = Codec::Plain(Enter::new(read.ending()?));
    let engine = LineEngine::new(stream, codec, info)?;
    // What a bare service gets is seldom shown by it: `auto` shows it here.
    Ok(Box::new(engine.with(read.echo()?, "", read.secs("idle-timeout")?)))
}
