//! The keys of a tunnel, as people have them: 32 bytes in base64 (wg(8)). Kept in
//! memory that is wiped; never printed.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::secret::{Key32, SecretBytes};

/// Characters of a key.
const LENGTH: usize = 44;

/// A secret key, if the text is one.
pub fn secret(text: &SecretBytes) -> Option<Key32> {
    text.expose(|text| {
        let text = std::str::from_utf8(text).ok()?.trim();
        // Three bytes come of every four characters.
        let mut room = Zeroizing::new([0; 33]);
        let length = BASE64_STANDARD.decode_slice(text, &mut room[..]).ok()?;
        (text.len() == LENGTH).then(|| Key32::copy_of(&room[..length])).flatten()
    })
}

/// A public key, if the text is one.
pub fn public(text: &str) -> Option<[u8; 32]> {
    BASE64_STANDARD.decode(text.trim()).ok()?.try_into().ok()
}

/// A public key as people have it.
pub fn shown(key: &[u8; 32]) -> String {
    BASE64_STANDARD.encode(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_in_base64() {
        let text = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
        let key = secret(&SecretBytes::copy_of(format!(" {text}\n").as_bytes())).expect("a key");
        key.expose(|key| assert_eq!(shown(key), text));
        assert_eq!(public(text).map(|key| shown(&key)), Some(text.to_owned()));
        for wrong in ["", "yAnz", &text[1..], &format!("{text}="), "é", &text.replace('+', "-")] {
            assert!(secret(&SecretBytes::copy_of(wrong.as_bytes())).is_none(), "{wrong}");
            assert!(public(wrong).is_none(), "{wrong}");
        }
    }
}
