//! Checks secrets that a person gives to be kept, such as one-time seeds and
//! private keys: one that would not work is refused when it is typed, not when it
//! is needed.

use crate::crypto::totp::Seed;
use crate::model::entry::Slot;
use crate::secret::{SecretBytes, SecretText};

use super::api::AppError;

/// The value as it is stored: a seed as otpauth URI, text without its last line
/// end, a key with one.
pub(super) fn normal(slot: &Slot, value: SecretBytes, name: &str) -> Result<SecretBytes, AppError> {
    match slot {
        Slot::Totp => {
            let text = text_of(value)?;
            let seed = text.expose(|t| Seed::parse(t.trim())).map_err(|_| {
                AppError::usage(
                    ("Cette graine TOTP ne se lit pas.", "This TOTP seed cannot be read."),
                    (
                        "Donnez une adresse otpauth:// ou la clé en base32.",
                        "Give an otpauth:// address or the key in base32.",
                    ),
                )
            })?;
            let seed = if seed.account.is_empty() {
                Seed { account: name.to_owned(), ..seed }
            } else {
                seed
            };
            Ok(seed.to_uri().into_bytes())
        }
        Slot::PrivateKey => {
            let text = text_of(value)?;
            let good = text.expose(|t| t.contains("-----BEGIN ") && t.contains("PRIVATE KEY-----"));
            if !good {
                return Err(AppError::usage(
                    ("Ce n’est pas une clé privée.", "This is not a private key."),
                    (
                        "Donnez le fichier de clé OpenSSH ou PEM (il commence par -----BEGIN …).",
                        "Give the OpenSSH or PEM key file (it begins with -----BEGIN …).",
                    ),
                ));
            }
            Ok(text.expose(|t| SecretBytes::new(format!("{}\n", t.trim()).into_bytes())))
        }
        Slot::Notes => Ok(value),
        Slot::Password | Slot::Passphrase | Slot::Custom(_) => {
            let text = text_of(value)?;
            Ok(text.expose(|t| SecretBytes::copy_of(t.trim_end_matches(['\r', '\n']).as_bytes())))
        }
    }
}

fn text_of(value: SecretBytes) -> Result<SecretText, AppError> {
    value.into_text().map_err(|_| {
        AppError::usage(
            ("Ce secret n’est pas du texte UTF-8.", "This secret is not UTF-8 text."),
            ("Joignez-le comme pièce jointe.", "Attach it as a file instead."),
        )
    })
}
