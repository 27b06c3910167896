//! A login to be linked from other entries. Opens nothing.

use super::field::{Field, FieldKind};
use super::link::Link;
use super::{Common, Connector, Failure, FailureKind, Lease, Opens};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Target;

/// The connector.
pub struct Credential;

impl Connector for Credential {
    fn id(&self) -> &'static str {
        "credential"
    }

    fn label(&self) -> Bi {
        Bi::new("Identifiant", "Credential")
    }

    fn fields(&self) -> &'static [Field] {
        const FIELDS: &[Field] = &[Field {
            id: "for",
            fr: "Sert pour",
            en: "Serves for",
            help_fr: "Entrées, dossiers ou clients dont la source d’identifiant est «\u{a0}le mien\u{a0}» et pour lesquels cet identifiant de votre espace privé (~/) sert.",
            help_en: "Entries, folders or clients whose credential source is “mine” and for which this login of your private space (~/) serves.",
            kind: FieldKind::Entries,
            default: "",
            inherits: false,
        }];
        FIELDS
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::Password, Slot::PrivateKey, Slot::Passphrase, Slot::Totp, Slot::Notes]
    }

    fn common(&self) -> Common {
        Common { host: false, port: false, user: true }
    }

    fn opens(&self) -> Opens {
        Opens::Details
    }

    fn open(&self, _target: &Target, _lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        Err(opens_nothing())
    }
}

/// The answer of a kind that has no session.
pub(super) fn opens_nothing() -> Failure {
    Failure {
        kind: FailureKind::Setting,
        what: Bi::new("Cette entrée n’ouvre pas de session.", "This entry opens no session."),
        todo: Bi::new(
            "Affichez-la (poterne show CHEMIN), ou connectez une entrée d’un autre type.",
            "Show it (poterne show PATH), or connect to an entry of another kind.",
        ),
    }
}
