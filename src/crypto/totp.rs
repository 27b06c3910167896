//! One-time codes (RFC 6238): those that open the vault, and those of entries.
//! Never reads a clock, and never says that a code is right: the vault's own
//! code is part of a key, an entry's code goes to somebody else's server.

use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use crate::model::time::Time;
use crate::secret::{SecretBytes, SecretText};

/// Seconds a code of the vault is current.
pub const PERIOD: u64 = 30;

/// Number of the 30-second step that `time` lies in; 0 before 1970.
pub fn step_of(time: Time) -> u64 {
    u64::try_from(time.unix_seconds()).unwrap_or(0) / PERIOD
}

/// The vault's own codes: SHA-1, 30 seconds, six digits, from one secret
/// scheduled once.
pub struct Codes(Box<Totp>);

impl Codes {
    /// Codes of `secret`.
    pub fn new(secret: &[u8; 20]) -> Self {
        Self(Box::new(Builder::new().with_secret(&secret[..]).build_noncompliant()))
    }

    /// The code of `step` as a number below 1,000,000.
    pub fn at(&self, step: u64) -> u32 {
        truncate(self.0.sign(step.saturating_mul(PERIOD)).as_ref()) % 1_000_000
    }
}

/// Dynamic truncation, RFC 4226 section 5.3: 31 bits of an HMAC.
fn truncate(mac: &[u8]) -> u32 {
    let offset = usize::from(mac[mac.len() - 1] & 0x0F);
    let word = mac[offset..].first_chunk().expect("an HMAC has 20 bytes or more");
    u32::from_be_bytes(*word) & 0x7FFF_FFFF
}

/// The code of `step` under a vault's 20-byte secret.
pub fn code_at(secret: &[u8; 20], step: u64) -> u32 {
    Codes::new(secret).at(step)
}

/// The hash a seed asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// HMAC-SHA-1, what nearly everybody uses.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    fn word(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

/// A seed with its settings, as a QR code carries it.
pub struct Seed {
    /// The shared secret: 1 to 256 bytes.
    pub secret: SecretBytes,
    /// 6, 7 or 8.
    pub digits: u8,
    /// Seconds a code is current: 1 to 86,400.
    pub period: u32,
    /// Hash.
    pub algorithm: Algorithm,
    /// Who asks for the code; may be empty.
    pub issuer: String,
    /// Whose code it is; may be empty.
    pub account: String,
}

/// Why a text is not a seed. Never carries the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// Neither an `otpauth` address nor base32.
    #[error("neither an otpauth:// address nor a base32 secret")]
    NotASeed,
    /// `otpauth://hotp/…` or another kind.
    #[error("not time-based: only otpauth://totp/ is supported")]
    NotTimeBased,
    /// No secret in it, or one that is not base32 of 1 to 256 bytes.
    #[error("the secret is missing or not base32")]
    Secret,
    /// Not 6, 7 or 8 digits.
    #[error("the number of digits is not 6, 7 or 8")]
    Digits,
    /// Not between 1 second and a day.
    #[error("the period is not between 1 and 86400 seconds")]
    Period,
    /// Not SHA-1, SHA-256 or SHA-512.
    #[error("the algorithm is not SHA1, SHA256 or SHA512")]
    Algorithm,
}

impl Seed {
    /// The seed of a vault: SHA-1, 30 seconds, six digits.
    pub fn of_vault(secret: &[u8; 20], issuer: &str, account: &str) -> Self {
        Self {
            secret: SecretBytes::copy_of(secret),
            digits: 6,
            period: PERIOD as u32,
            algorithm: Algorithm::Sha1,
            issuer: issuer.to_owned(),
            account: account.to_owned(),
        }
    }

    /// Reads `otpauth://totp/Issuer:account?secret=…`
    /// (Google Authenticator's key URI format) or a bare base32 secret, with
    /// spaces, dashes, padding and either case.
    ///
    /// # Errors
    /// [`SeedError`], saying what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SeedError> {
        let text = text.trim();
        match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("otpauth") => parse_uri(rest),
            Some(_) => Err(SeedError::NotASeed),
            None => Ok(Self {
                secret: base32(text).map_err(|_| SeedError::NotASeed)?,
                digits: 6,
                period: 30,
                algorithm: Algorithm::Sha1,
                issuer: String::new(),
                account: String::new(),
            }),
        }
    }

    /// The `otpauth` address, to be stored or shown as a QR code. Digits,
    /// period and algorithm appear where they differ from the usual.
    pub fn to_uri(&self) -> SecretText {
        use std::fmt::Write as _;
        let mut uri = String::with_capacity(600 + 3 * (2 * self.issuer.len() + self.account.len()));
        uri.push_str("otpauth://totp/");
        // A colon of the texts themselves is printed as %3A; a plain one separates.
        if !self.issuer.is_empty() || self.account.contains(':') {
            percent_encode(&mut uri, &self.issuer);
            uri.push(':');
        }
        percent_encode(&mut uri, &self.account);
        uri.push_str("?secret=");
        self.secret.expose(|s| data_encoding::BASE32_NOPAD.encode_append(s, &mut uri));
        if !self.issuer.is_empty() {
            uri.push_str("&issuer=");
            percent_encode(&mut uri, &self.issuer);
        }
        if self.algorithm != Algorithm::Sha1 {
            uri.push_str("&algorithm=");
            uri.push_str(self.algorithm.word());
        }
        if self.digits != 6 {
            let _ = write!(uri, "&digits={}", self.digits);
        }
        if self.period != 30 {
            let _ = write!(uri, "&period={}", self.period);
        }
        SecretText::new(uri)
    }

    /// The code current at `time`, and the seconds until it changes.
    #[inline(never)]
    pub fn code(&self, time: Time) -> (SecretText, u64) {
        let period = u64::from(self.period.max(1));
        let now = u64::try_from(time.unix_seconds()).unwrap_or(0);
        let algorithm = match self.algorithm {
            Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
            Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
            Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
        };
        let totp = self.secret.expose(|s| {
            Builder::new()
                .with_algorithm(algorithm)
                .with_digits(self.digits.clamp(6, 8))
                .with_step_duration(period)
                .with_secret(s)
                .build_noncompliant()
        });
        (SecretText::new(totp.generate(now).to_string()), period - now % period)
    }
}

fn parse_uri(rest: &str) -> Result<Seed, SeedError> {
    let (path, query) = rest.split_once('?').ok_or(SeedError::Secret)?;
    let query = query.split('#').next().unwrap_or_default();
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));
    if !kind.eq_ignore_ascii_case("totp") {
        return Err(SeedError::NotTimeBased);
    }
    let decoded = |part| percent_decode(part, false).ok_or(SeedError::NotASeed);
    let (issuer, account) = match label.split_once(':') {
        Some((issuer, account)) => (decoded(issuer)?, decoded(account)?),
        // The key URI format lets the separating colon be written as %3A too.
        None => {
            let whole = decoded(label)?;
            match whole.split_once(':') {
                Some((issuer, account)) => {
                    (Zeroizing::new(issuer.to_owned()), Zeroizing::new(account.to_owned()))
                }
                None => (Zeroizing::default(), whole),
            }
        }
    };
    let mut seed = Seed {
        secret: SecretBytes::new(Vec::new()),
        digits: 6,
        period: 30,
        algorithm: Algorithm::Sha1,
        issuer: issuer.trim().to_owned(),
        account: account.trim().to_owned(),
    };
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode(value, true).ok_or(SeedError::NotASeed)?;
        match key.to_ascii_lowercase().as_str() {
            "secret" => seed.secret = base32(&value)?,
            // The parameter is the newer way and wins over the label.
            "issuer" if !value.trim().is_empty() => value.trim().clone_into(&mut seed.issuer),
            "digits" => seed.digits = value.parse().map_err(|_| SeedError::Digits)?,
            "period" => seed.period = value.parse().map_err(|_| SeedError::Period)?,
            "algorithm" => {
                let word = value.to_ascii_uppercase().replace(['-', '_'], "");
                let word = word.strip_prefix("HMAC").unwrap_or(&word);
                seed.algorithm = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]
                    .into_iter()
                    .find(|a| a.word() == word)
                    .ok_or(SeedError::Algorithm)?;
            }
            _ => {}
        }
    }
    if seed.secret.is_empty() {
        return Err(SeedError::Secret);
    }
    if !(6..=8).contains(&seed.digits) {
        return Err(SeedError::Digits);
    }
    if !(1..=86_400).contains(&seed.period) {
        return Err(SeedError::Period);
    }
    Ok(seed)
}

/// Base32 as people copy it: any case, spaces and dashes, padding or none.
fn base32(text: &str) -> Result<SecretBytes, SeedError> {
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    let kept = text.trim_end_matches(['=', ' ']).bytes();
    plain.extend(kept.filter(|b| !matches!(b, b' ' | b'-')).map(|b| b.to_ascii_uppercase()));
    let mut out = Zeroizing::new(vec![0; plain.len()]);
    // Strangers' seeds may end in stray bits; RFC 4648 lets a reader ignore them.
    let lenient = lenient_base32();
    let len = lenient.decode_len(plain.len()).map_err(|_| SeedError::Secret)?;
    if !(1..=256).contains(&len) {
        return Err(SeedError::Secret);
    }
    lenient.decode_mut(&plain, &mut out[..len]).map_err(|_| SeedError::Secret)?;
    Ok(SecretBytes::copy_of(&out[..len]))
}

fn lenient_base32() -> data_encoding::Encoding {
    let mut spec = data_encoding::BASE32_NOPAD.specification();
    spec.check_trailing_bits = false;
    spec.encoding().expect("base32 without the check of its last bits is an encoding")
}

fn percent_encode(out: &mut String, text: &str) {
    use std::fmt::Write as _;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn percent_decode(text: &str, plus_is_space: bool) -> Option<Zeroizing<String>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    std::str::from_utf8(&out).ok()?;
    String::from_utf8(std::mem::take(&mut *out)).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Seed {
        Seed::parse(text).expect("a seed")
    }

    #[test]
    fn an_address_reads_back_as_it_was_printed() {
        let seed = Seed {
            secret: SecretBytes::copy_of(b"12345678901234567890"),
            digits: 8,
            period: 60,
            algorithm: Algorithm::Sha256,
            issuer: "Dupont & Fils".to_owned(),
            account: "zoé@dupont.example".to_owned(),
        };
        let back = seed.to_uri().expose(opened);
        assert!(back.secret.expose(|s| s == b"12345678901234567890"));
        assert_eq!((back.digits, back.period, back.algorithm), (8, 60, Algorithm::Sha256));
        assert_eq!(back.issuer, seed.issuer);
        assert_eq!(back.account, seed.account);
    }

    #[test]
    fn colons_in_issuer_and_account_read_back_as_printed() {
        for (issuer, account) in [("", "a:b"), ("A:B", "c"), ("A", "b:c:d"), (":", ":"), ("", "")] {
            let seed = Seed {
                issuer: issuer.to_owned(),
                account: account.to_owned(),
                ..opened("GEZDGNBV")
            };
            let back = seed.to_uri().expose(opened);
            assert_eq!((back.issuer.as_str(), back.account.as_str()), (issuer, account));
        }
    }

    #[test]
    fn base32_is_read_as_people_copy_it() {
        for text in ["GEZDGNBV", "gezd gnbv", "GEZD-GNBV", " GEZDGNBV======"] {
            assert!(opened(text).secret.expose(|s| s == b"12345"), "{text}");
        }
        assert!(opened("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").secret.len() == 20);
    }

    #[test]
    fn the_issuer_parameter_wins_over_the_label() {
        let seed = opened("otpauth://totp/Old%3Abob?issuer=New&secret=GEZDGNBV&foo=bar");
        assert_eq!((seed.issuer.as_str(), seed.account.as_str()), ("New", "bob"));
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said() {
        let fails = |t: &str| Seed::parse(t).err();
        assert_eq!(fails("otpauth://hotp/a?secret=GEZDGNBV"), Some(SeedError::NotTimeBased));
        assert_eq!(fails("otpauth://totp/a?issuer=b"), Some(SeedError::Secret));
        assert_eq!(fails("otpauth://totp/a?secret=1"), Some(SeedError::Secret));
        assert_eq!(fails("otpauth://totp/a?secret=GEZDGNBV&digits=9"), Some(SeedError::Digits));
        assert_eq!(fails("otpauth://totp/a?secret=GEZDGNBV&period=0"), Some(SeedError::Period));
        assert_eq!(
            fails("otpauth://totp/a?secret=GEZDGNBV&algorithm=MD5"),
            Some(SeedError::Algorithm)
        );
        assert_eq!(fails("https://example.org/"), Some(SeedError::NotASeed));
        assert_eq!(fails("hello world 01"), Some(SeedError::NotASeed));
    }

    #[test]
    fn a_code_says_how_long_it_lasts() {
        let seed = opened("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let (code, left) = seed.code(Time::from_unix_seconds(59));
        assert_eq!(left, 1);
        code.expose(|c| assert_eq!(c, "287082"));
    }
}
