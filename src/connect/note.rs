//! A secret note. Opens nothing.

use super::credential::opens_nothing;
use super::field::Field;
use super::link::Link;
use super::{Common, Connector, Failure, Lease, Opens};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Target;

/// The connector.
pub struct Note;

impl Connector for Note {
    fn id(&self) -> &'static str {
        "note"
    }

    fn label(&self) -> Bi {
        Bi::new("Note", "Note")
    }

    fn fields(&self) -> &'static [Field] {
        &[]
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::Notes]
    }

    fn common(&self) -> Common {
        Common { host: false, port: false, user: false }
    }

    fn opens(&self) -> Opens {
        Opens::Details
    }

    fn open(&self, _target: &Target, _lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        Err(opens_nothing())
    }
}
