//! How secrets inside requests and replies cross the agent's socket: the only
//! place where a secret is written out. The bytes go to a peer of the same user
//! over a 0600 socket, from buffers that are wiped.

/// For `#[serde(with)]` on a `SecretText`.
pub mod secret_text {
    use crate::secret::SecretText;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the text.
    pub fn serialize<S: Serializer>(value: &SecretText, s: S) -> Result<S::Ok, S::Error> {
        value.expose(|text| s.serialize_str(text))
    }

    /// Reads the text into a wiped buffer.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<SecretText, D::Error> {
        String::deserialize(d).map(SecretText::new)
    }
}

/// For `#[serde(with)]` on a `SecretBytes`.
pub mod secret_bytes {
    use crate::secret::SecretBytes;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the bytes.
    pub fn serialize<S: Serializer>(value: &SecretBytes, s: S) -> Result<S::Ok, S::Error> {
        value.expose(|bytes| s.serialize_bytes(bytes))
    }

    /// Reads the bytes into a wiped buffer.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<SecretBytes, D::Error> {
        Vec::<u8>::deserialize(d).map(SecretBytes::new)
    }
}
