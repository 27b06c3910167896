//! The address of a profile as a person gives it, and as much of it as may be kept.
//! Contacts nothing.

use reqwest::Url;

use super::fault::Fault;

/// What `openvpn` clients are handed by a web page (OpenVPN Connect, "URL schemes").
const IMPORT: &str = "openvpn://import-profile/";

/// Longest address, in bytes.
const MAX_BYTES: usize = 2048;

/// From this length on a word with letters and digits may be a token, in characters.
const TOKEN_LEAST: usize = 20;

/// Names of parameters whose values prove who asks.
const SECRETS: &[&str] = &[
    "auth",
    "code",
    "hash",
    "key",
    "pass",
    "password",
    "pwd",
    "secret",
    "session",
    "sid",
    "sig",
    "signature",
    "ticket",
];

/// Where a profile is fetched from: `https`, and no login in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    url: Url,
}

/// Whether `text` is an address, not a file.
pub fn is_address(text: &str) -> bool {
    text.contains("://")
}

impl Address {
    /// Reads `https://…` or `openvpn://import-profile/https://…`.
    ///
    /// # Errors
    /// It is none, not encrypted, or a login stands in it.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        let head = text.get(..IMPORT.len()).unwrap_or_default();
        let text = if head.eq_ignore_ascii_case(IMPORT) { &text[IMPORT.len()..] } else { text };
        if text.len() > MAX_BYTES || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Fault::NoAddress);
        }
        let mut url = Url::parse(text).map_err(|_| Fault::NoAddress)?;
        if url.scheme() != "https" {
            return Err(Fault::NotEncrypted);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Fault::LoginInside);
        }
        if url.host_str().is_none() {
            return Err(Fault::NoAddress);
        }
        url.set_fragment(None);
        Ok(Self { url })
    }

    /// Its machine, with the port where it is not that of `https`.
    pub fn place(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The name of its last part, without an ending.
    pub fn name(&self) -> Option<String> {
        let last = self.url.path_segments()?.rfind(|part| !part.is_empty())?;
        let stem = last.strip_suffix(".ovpn").or_else(|| last.strip_suffix(".conf"))?;
        // What is written with signs for signs makes no name.
        (!stem.is_empty() && !stem.contains('%')).then(|| stem.to_owned())
    }

    /// As it may be kept, to be fetched from again: nothing where it has a token, which
    /// is good once or proves who asks.
    pub fn kept(&self) -> Option<String> {
        let path = self.url.path();
        let named = |word: &str| {
            let word = word.to_ascii_lowercase();
            word.contains("token") || SECRETS.contains(&word.as_str())
        };
        let secret = path.to_ascii_lowercase().contains("token")
            || path.split('/').any(is_token)
            || self.url.query_pairs().any(|(name, value)| named(&name) || is_token(&value));
        (!secret).then(|| self.url.to_string())
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }
}

/// Whether `word` looks like one that was drawn by lot.
fn is_token(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
    word.chars().count() >= TOKEN_LEAST
        && !word.contains('.')
        && has(char::is_ascii_digit)
        && has(char::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::{Address, Fault};

    fn read(text: &str) -> Address {
        Address::read(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
    }

    #[test]
    fn an_address_is_encrypted_and_holds_no_login() {
        let plain = read(" https://vpn.example/rest/GetUserlogin ");
        let import = read("OpenVPN://import-profile/https://vpn.example/rest/GetUserlogin#x");
        assert_eq!(plain, import);
        assert_eq!((plain.place().as_str(), plain.name()), ("vpn.example", None));
        let at = read("https://[2001:db8::1]:4443/a/Site%20A.ovpn?tls-cryptv2=1");
        assert_eq!((at.place().as_str(), at.name()), ("[2001:db8::1]:4443", None));
        assert_eq!(read("https://a.example/x/Acme.ovpn").name().as_deref(), Some("Acme"));
        for (text, fault) in [
            ("http://vpn.example/a.ovpn", Fault::NotEncrypted),
            ("openvpn://import-profile/http://vpn.example/a", Fault::NotEncrypted),
            ("file:///etc/passwd", Fault::NotEncrypted),
            ("openvpn://import-profile/", Fault::NoAddress),
            ("https://", Fault::NoAddress),
            ("https://a b/", Fault::NoAddress),
            ("https://alice:pw@vpn.example/", Fault::LoginInside),
            ("https://alice@vpn.example/", Fault::LoginInside),
        ] {
            assert_eq!(Address::read(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn an_address_with_a_token_is_not_kept() {
        let kept = "https://vpn.example/rest/GetUserlogin?tls-cryptv2=1";
        assert_eq!(read(kept).kept().as_deref(), Some(kept));
        for token in [
            "https://vpn.example/rest/GetProfileViaToken?x=1",
            "https://vpn.example/p?token=1",
            "https://vpn.example/p?Key=1",
            "https://vpn.example/p?x=0a1b2c3d4e5f60718293",
            "https://vpn.example/d/0a1b2c3d4e5f60718293/client",
        ] {
            assert_eq!(read(token).kept(), None, "{token}");
        }
    }
}
