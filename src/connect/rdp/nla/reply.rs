//! The first reply of a KDC (AS-REP, RFC 4120 section 5.4.2), put the way that sspi reads
//! it. MIT's KDC gives what is encrypted in it the tag of the other reply, as the RFC
//! allows; Heimdal's tells the salt of the password beforehand only. Nothing is taken that
//! does not decrypt with the key of the password.

use picky_krb::crypto::CipherSuite;
use zeroize::Zeroizing;

use super::der::{all, contents, number, of, wrap};
use crate::secret::SecretText;

/// The tag of a KRB-ERROR.
const ERROR: u8 = 0x7E;
/// The tag of an AS-REP.
const REPLY: u8 = 0x6B;
/// The tags of what is encrypted in either reply (EncASRepPart, EncTGSRepPart).
const FIRST_PART: u8 = 0x79;
const OTHER_PART: u8 = 0x7A;
/// PA-ETYPE-INFO2 (RFC 4120 section 5.2.7.5).
const ETYPE_INFO2: u32 = 19;
/// What the reply is encrypted for (RFC 4120 section 7.5.1).
const USAGE: i32 = 3;

/// The salts that an error tells, in the form of a reply's.
pub fn salts(error: &[u8]) -> Option<Vec<u8>> {
    let fields = all(contents(contents(error, ERROR)?, 0x30)?)?;
    let data = contents(of(&fields, 0xAC)?, 0x04)?;
    info(data).map(<[u8]>::to_vec)
}

/// The reply for sspi, where it differs; none where it is not for this password.
pub fn mended(reply: &[u8], told: Option<&[u8]>, password: &SecretText) -> Option<Vec<u8>> {
    let mut fields = all(contents(contents(reply, REPLY)?, 0x30)?)?;
    let own = of(&fields, 0xA2).and_then(info);
    let encrypted = all(contents(of(&fields, 0xA6)?, 0x30)?)?;
    let kind = number(of(&encrypted, 0xA0)?)?;
    let entry = entry(own.or(told)?, kind)?;
    let salt = contents(of(&all(contents(entry, 0x30)?)?, 0xA1)?, 0x1B)?;

    let suite = CipherSuite::try_from(usize::try_from(kind).ok()?).ok()?;
    let cipher = suite.cipher();
    let key = password.expose(|text| cipher.generate_key_from_password(text.as_bytes(), salt));
    let key = Zeroizing::new(key.ok()?);
    let text = contents(of(&encrypted, 0xA2)?, 0x04)?;
    let mut part = Zeroizing::new(cipher.decrypt(&key, USAGE, text).ok()?);
    let mut text = text.to_vec();
    if part.first() == Some(&OTHER_PART) {
        part[0] = FIRST_PART;
        text = cipher.encrypt(&key, USAGE, &part).ok()?;
    }

    let text = wrap(0x04, &text);
    let encrypted: Vec<u8> = encrypted
        .iter()
        .flat_map(|(tag, old)| wrap(*tag, if *tag == 0xA2 { &text } else { old }))
        .collect();
    let encrypted = wrap(0x30, &encrypted);
    let number = wrap(0xA1, &[0x02, 0x01, 19]);
    let value = wrap(0xA2, &wrap(0x04, &wrap(0x30, entry)));
    let data = wrap(0x30, &wrap(0x30, &[number, value].concat()));
    fields.retain(|(tag, _)| !matches!(tag, 0xA2 | 0xA6));
    fields.extend([(0xA2, &data[..]), (0xA6, &encrypted[..])]);
    fields.sort_by_key(|(tag, _)| *tag);
    let fields: Vec<u8> = fields.iter().flat_map(|(tag, value)| wrap(*tag, value)).collect();
    Some(wrap(REPLY, &wrap(0x30, &fields)))
}

/// The value of PA-ETYPE-INFO2 in a list of PA-DATA.
fn info(data: &[u8]) -> Option<&[u8]> {
    let all_data = all(contents(data, 0x30)?)?;
    all_data.into_iter().find_map(|(_, one)| {
        let one = all(one)?;
        let wanted = number(of(&one, 0xA1)?)? == ETYPE_INFO2;
        wanted.then(|| contents(of(&one, 0xA2)?, 0x04)).flatten()
    })
}

/// The entry of this encryption type, as a whole.
fn entry(info: &[u8], kind: u32) -> Option<&[u8]> {
    let mut rest = contents(info, 0x30)?;
    while !rest.is_empty() {
        let (_, fields, after) = super::der::element(rest)?;
        if of(&all(fields)?, 0xA0).and_then(number) == Some(kind) {
            return rest.get(..rest.len() - after.len());
        }
        rest = after;
    }
    None
}
