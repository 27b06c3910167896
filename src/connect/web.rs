//! A web page with its login. The application opens the browser and offers the
//! login for copying; this connector never puts a secret into an address.

use super::credential::opens_nothing;
use super::field::{Field, FieldKind};
use super::link::Link;
use super::{Common, Connector, Failure, Lease, Opens};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Target;

/// The connector.
pub struct Web;

const FIELDS: &[Field] = &[Field {
    id: "login-url",
    fr: "Page de connexion",
    en: "Login page",
    help_fr: "Adresse de la page où l'on se connecte, si ce n'est pas celle de l'entrée.",
    help_en: "Address of the page where one logs in, if it is not the entry's own.",
    kind: FieldKind::Text,
    default: "",
    inherits: false,
}];

impl Connector for Web {
    fn id(&self) -> &'static str {
        "web"
    }

    fn label(&self) -> Bi {
        Bi::new("Page web", "Web page")
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::Password, Slot::Totp, Slot::Notes]
    }

    fn common(&self) -> Common {
        Common { host: true, port: false, user: true }
    }

    fn opens(&self) -> Opens {
        Opens::Browser
    }

    fn open(&self, _target: &Target, _lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        Err(opens_nothing())
    }
}
