//! What is to change in an entry. It changes nothing.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::app::wire;
use crate::model::entry::{ClientInfo, CredentialSource, Slot};
use crate::secret::SecretBytes;

/// What to do with one field of an entry.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Set<T> {
    /// Leave it.
    #[default]
    Keep,
    /// Give it this value.
    To(T),
}

impl<T> Set<T> {
    /// The new value, if there is one.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Keep => None,
            Self::To(value) => Some(value),
        }
    }
}

/// What to do with one secret.
#[derive(Serialize, Deserialize)]
pub enum SecretChange {
    /// Set it. A TOTP seed may be an otpauth URI or base32; a private key
    /// OpenSSH or PEM.
    Put(#[serde(with = "wire::secret_bytes")] SecretBytes),
    /// Remove it.
    Clear,
}

/// Changes to an entry; for a new one, its fields.
#[derive(Default, Serialize, Deserialize)]
pub struct Patch {
    /// New name.
    pub name: Set<String>,
    /// Host or URL.
    pub host: Set<String>,
    /// Port; `To(None)` means the default.
    pub port: Set<Option<u16>>,
    /// Login name.
    pub user: Set<String>,
    /// Tags.
    pub tags: Set<Vec<String>>,
    /// Favourite mark.
    pub favourite: Set<bool>,
    /// Description.
    pub description: Set<String>,
    /// Expiry day.
    pub expires: Set<Option<Date>>,
    /// Credential source.
    pub credential: Set<CredentialSource>,
    /// Connector settings to change; an empty text removes one.
    pub settings: BTreeMap<String, String>,
    /// Custom fields to rename, by their present names, before anything else is
    /// done to them; a secret value goes along, a field of the new name goes.
    pub renamed: BTreeMap<String, String>,
    /// Plain custom fields to set; `None` removes one.
    pub custom: BTreeMap<String, Option<String>>,
    /// Secrets to change. A `Slot::Custom` makes or removes the custom field.
    pub secrets: BTreeMap<Slot, SecretChange>,
    /// Client properties, for clients only.
    pub client_info: Set<ClientInfo>,
    /// Attachments to add or replace, by name; `None` removes one.
    pub attachments: BTreeMap<String, Option<AttachmentBytes>>,
    /// Forget the pinned server keys of this entry's host in its client.
    pub forget_host_keys: bool,
}

/// Content of an attachment on its way in or out.
#[derive(Serialize, Deserialize)]
pub struct AttachmentBytes(#[serde(with = "wire::secret_bytes")] pub SecretBytes);
