//! The errors that a KDC, or a server in its place, answers with (KRB-ERROR, RFC 4120
//! section 5.9.1). Reads their number and time; takes nothing else from them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::der::{all, contents, number, of};

/// The tag of a KRB-ERROR.
const TAG: u8 = 0x7E;
/// More authentication is wanted: the usual answer to the first request.
const PREAUTH_REQUIRED: u32 = 25;

/// What one says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KrbError {
    /// Error code (RFC 4120 section 7.5.9).
    pub code: u32,
    /// What the clock of who answers says, in seconds since 1970.
    pub time: Option<i64>,
}

impl KrbError {
    /// The one that `bytes` are, if they are one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let fields = all(contents(contents(bytes, TAG)?, 0x30)?)?;
        let time = of(&fields, 0xA4).and_then(|field| contents(field, 0x18)).and_then(seconds);
        Some(Self { code: number(of(&fields, 0xA6)?)?, time })
    }

    /// The one somewhere inside a token of a server's.
    pub fn within(token: &[u8]) -> Option<Self> {
        let starts = token.iter().enumerate().filter(|(_, byte)| **byte == TAG);
        starts.filter_map(|(at, _)| Self::read(&token[at..])).next()
    }

    /// Whether it only asks for more.
    pub fn asks_for_more(&self) -> bool {
        self.code == PREAUTH_REQUIRED
    }
}

/// A KerberosTime (RFC 4120 section 5.2.3), `19700101000000Z`.
fn seconds(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (date, time) = (text.get(..8)?, text.get(8..)?);
    let stamp: DateTime = format!("{date}T{time}").parse().ok()?;
    Some(TimeZone::UTC.to_timestamp(stamp).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KRB_AP_ERR_SKEW of 2026-11-28 12:00:00 UTC.
    fn skewed() -> Vec<u8> {
        let mut fields = vec![0xA0, 3, 2, 1, 5, 0xA1, 3, 2, 1, 30];
        fields.extend([0xA4, 17, 0x18, 15]);
        fields.extend(b"20261128120000Z");
        fields.extend([0xA5, 3, 2, 1, 0, 0xA6, 3, 2, 1, 37]);
        let length = u8::try_from(fields.len()).expect("it is short");
        let mut all = vec![TAG, length + 2, 0x30, length];
        all.extend(fields);
        all
    }

    #[test]
    fn number_and_time_are_read() {
        let error = KrbError { code: 37, time: Some(1_795_867_200) };
        assert_eq!(KrbError::read(&skewed()), Some(error));
        let token = [&[0xA2, 9, TAG, 1, 0][..], &skewed()].concat();
        assert_eq!(KrbError::within(&token), Some(error));
    }

    #[test]
    fn what_is_cut_short_is_none() {
        let whole = skewed();
        for end in 0..whole.len() {
            assert_eq!(KrbError::read(&whole[..end]), None, "{end}");
        }
    }
}
