//! The errors that a KDC, or a server in its place, answers with (KRB-ERROR, RFC 4120
//! section 5.9.1). Takes their number, their time and what they tell of passwords;
//! believes nothing else of them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use picky_asn1::wrapper::{
    ExplicitContextTag0, ExplicitContextTag1, ExplicitContextTag2, ExplicitContextTag3,
    ExplicitContextTag4, ExplicitContextTag5, ExplicitContextTag6, ExplicitContextTag7,
    ExplicitContextTag8, ExplicitContextTag9, ExplicitContextTag10, ExplicitContextTag11,
    ExplicitContextTag12, IntegerAsn1, OctetStringAsn1, Optional,
};
use picky_asn1_der::application_tag::ApplicationTag;
use picky_asn1_der::from_bytes;
use picky_krb::data_types::{KerberosStringAsn1, KerberosTime, Microseconds, PrincipalName, Realm};
use serde::{Deserialize, Serialize};

/// The tag of a KRB-ERROR, its class and form included.
const TAG: u8 = 0x7E;
/// More authentication is wanted: the usual answer to the first request.
const PREAUTH_REQUIRED: u32 = 25;

/// The whole message. The type of picky-krb takes `cusec` for a time.
#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Fields {
    pvno: ExplicitContextTag0<IntegerAsn1>,
    msg_type: ExplicitContextTag1<IntegerAsn1>,
    ctime: Optional<Option<ExplicitContextTag2<KerberosTime>>>,
    cusec: Optional<Option<ExplicitContextTag3<Microseconds>>>,
    stime: ExplicitContextTag4<KerberosTime>,
    susec: ExplicitContextTag5<Microseconds>,
    error_code: ExplicitContextTag6<u32>,
    crealm: Optional<Option<ExplicitContextTag7<Realm>>>,
    cname: Optional<Option<ExplicitContextTag8<PrincipalName>>>,
    realm: ExplicitContextTag9<Realm>,
    sname: ExplicitContextTag10<PrincipalName>,
    #[serde(default)]
    e_text: Optional<Option<ExplicitContextTag11<KerberosStringAsn1>>>,
    #[serde(default)]
    e_data: Optional<Option<ExplicitContextTag12<OctetStringAsn1>>>,
}

type Message = ApplicationTag<Fields, 30>;

/// What one says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KrbError {
    /// Error code (RFC 4120 section 7.5.9).
    pub code: u32,
    /// What the clock of who answers says, in seconds since 1970.
    pub time: Option<i64>,
}

impl KrbError {
    /// The one that `bytes` begin with, if they do.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let Fields { error_code, stime, .. } = fields(bytes)?;
        Some(Self { code: error_code.0, time: seconds(&stime.0) })
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

/// The e-data of an error: of one that asks for more, what it asks for.
pub fn data(bytes: &[u8]) -> Option<Vec<u8>> {
    fields(bytes)?.e_data.0.map(|data| data.0.0)
}

fn fields(bytes: &[u8]) -> Option<Fields> {
    // Other messages are not worth an attempt.
    bytes.first().filter(|tag| **tag == TAG)?;
    from_bytes::<Message>(bytes).ok().map(|message| message.0)
}

/// A KerberosTime (RFC 4120 section 5.2.3).
fn seconds(time: &KerberosTime) -> Option<i64> {
    let small = |number: u8| i8::try_from(number).ok();
    let time = &time.0;
    let stamp = DateTime::new(
        i16::try_from(time.year()).ok()?,
        small(time.month())?,
        small(time.day())?,
        small(time.hour())?,
        small(time.minute())?,
        small(time.second())?,
        0,
    );
    Some(TimeZone::UTC.to_timestamp(stamp.ok()?).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KRB_AP_ERR_SKEW of 2026-11-28 12:00:00 UTC, with the time of the client as
    /// Windows tells it.
    fn skewed() -> Vec<u8> {
        let mut fields = vec![0xA0, 3, 2, 1, 5, 0xA1, 3, 2, 1, 30];
        for (tag, time) in [(0xA2, b"20261128110000Z"), (0xA4, b"20261128120000Z")] {
            fields.extend([tag, 17, 0x18, 15]);
            fields.extend(time);
            fields.extend([tag + 1, 3, 2, 1, 13]);
        }
        fields.extend([0xA6, 3, 2, 1, 37]);
        fields.extend([0xA9, 3, 0x1B, 1, b'R']);
        fields.extend([0xAA, 14, 0x30, 12, 0xA0, 3, 2, 1, 1, 0xA1, 5, 0x30, 3, 0x1B, 1, b'S']);
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

    #[test]
    fn wrong_lengths_and_other_bytes_are_none_and_take_no_room() {
        let whole = skewed();
        for at in 0..whole.len() {
            for wrong in [0, 0x7F, 0x80, 0x84, 0x88, 0xFF] {
                let mut bytes = whole.clone();
                bytes[at] = wrong;
                let _ = (KrbError::read(&bytes), KrbError::within(&bytes), data(&bytes));
            }
        }
        let long = [TAG, 0x88, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x30, 0x80];
        assert_eq!(KrbError::read(&long), None);
        assert_eq!(KrbError::within(&[TAG; 1 << 12]), None);
    }
}
