//! Hops and targets on loopback, and opening them.

use poterne::connect::link::Link;
use poterne::connect::{Failure, by_kind};
use poterne::model::entry::Kind;
use poterne::model::id::EntryId;
use poterne::model::target::{Hop, HostPort, Target};

use super::lease::FakeLease;
use super::machine::user;

/// A hop to a port of this machine: user, no key pinned, defaults.
pub fn hop(port: u16) -> Hop {
    Hop {
        entry: EntryId([1; 16]),
        path: "Essai/Serveur".into(),
        at: HostPort { host: "127.0.0.1".into(), port },
        user: user(),
        slots: Vec::new(),
        pinned: Vec::new(),
        settings: Default::default(),
        ask: false,
    }
}

/// Sets a setting.
pub fn with(mut hop: Hop, id: &str, value: &str) -> Hop {
    hop.settings.insert(id.to_owned(), value.to_owned());
    hop
}

/// A target of kind `ssh`.
pub fn target(hops: Vec<Hop>) -> Target {
    Target { kind: Kind::new("ssh"), hops }
}

/// Opens a target of any kind.
pub fn open(target: &Target, lease: &mut FakeLease) -> Result<Box<dyn Link>, Failure> {
    by_kind(&target.kind).expect("a known kind").open(target, lease)
}

/// Opens a target that must open.
pub fn must_open(target: &Target, lease: &mut FakeLease) -> Box<dyn Link> {
    match open(target, lease) {
        Ok(link) => link,
        Err(e) => panic!("{:?}: {} / {}", e.kind, e.what.en, e.todo.en),
    }
}

/// The failure of a target that must not open.
pub fn must_fail(target: &Target, lease: &mut FakeLease) -> Failure {
    match open(target, lease) {
        Ok(_) => panic!("it opened"),
        Err(e) => {
            for text in [&e.what.fr, &e.what.en, &e.todo.fr, &e.todo.en] {
                assert!(!text.is_empty());
            }
            e
        }
    }
}
