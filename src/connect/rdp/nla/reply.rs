//! The first reply of a KDC (AS-REP, RFC 4120 section 5.4.2), put the way that sspi reads
//! it. MIT's KDC gives what is encrypted in it the tag of the other reply, as the RFC
//! allows; Heimdal's tells the salt of the password beforehand only. Nothing is taken that
//! does not decrypt with the key of the password.

use picky_asn1::wrapper::{
    Asn1SequenceOf, ExplicitContextTag1, ExplicitContextTag2, OctetStringAsn1, Optional,
};
use picky_asn1_der::{from_bytes, to_vec};
use picky_krb::crypto::CipherSuite;
use picky_krb::data_types::{EtypeInfo2, PaData};
use picky_krb::messages::AsRep;
use zeroize::Zeroizing;

use super::error;
use crate::secret::SecretText;

/// The tag of an AS-REP.
const REPLY: u8 = 0x6B;
/// The tags of what is encrypted in either reply (EncASRepPart, EncTGSRepPart).
const FIRST_PART: u8 = 0x79;
const OTHER_PART: u8 = 0x7A;
/// PA-ETYPE-INFO2 (RFC 4120 section 5.2.7.5).
const ETYPE_INFO2: u8 = 19;
/// What the reply is encrypted for (RFC 4120 section 7.5.1).
const USAGE: i32 = 3;

/// The salts that an error tells.
pub fn salts(error: &[u8]) -> Option<EtypeInfo2> {
    let data: Asn1SequenceOf<PaData> = from_bytes(&error::data(error)?).ok()?;
    info(&data)
}

/// The reply for sspi, where it differs; none where it is not for this password.
pub fn mended(reply: &[u8], told: Option<&EtypeInfo2>, password: &SecretText) -> Option<Vec<u8>> {
    reply.first().filter(|tag| **tag == REPLY)?;
    let mut reply: AsRep = from_bytes(reply).ok()?;
    let fields = &mut reply.0;
    let own = fields.padata.0.as_ref().and_then(|data| info(&data.0));
    let sealed = &mut fields.enc_part.0;
    let entries = own.as_ref().or(told)?;
    let entry = entries.0.iter().find(|entry| entry.etype.0 == sealed.etype.0)?.clone();
    let salt = entry.salt.0.as_ref()?.0.0.as_bytes();

    let suite = CipherSuite::try_from(sealed.etype.0.as_unsigned_bytes_be()).ok()?;
    let cipher = suite.cipher();
    let key = password.expose(|text| cipher.generate_key_from_password(text.as_bytes(), salt));
    let key = Zeroizing::new(key.ok()?);
    let text = &mut sealed.cipher.0.0;
    let mut part = Zeroizing::new(cipher.decrypt(&key, USAGE, text).ok()?);
    if part.first() == Some(&OTHER_PART) {
        part[0] = FIRST_PART;
        *text = cipher.encrypt(&key, USAGE, &part).ok()?;
    }

    let value = to_vec(&Asn1SequenceOf(vec![entry])).ok()?;
    let data = PaData {
        padata_type: ExplicitContextTag1(vec![ETYPE_INFO2].into()),
        padata_data: ExplicitContextTag2(OctetStringAsn1(value)),
    };
    fields.padata = Optional(Some(ExplicitContextTag2(Asn1SequenceOf(vec![data]))));
    to_vec(&reply).ok()
}

/// The salts in a list of PA-DATA.
fn info(data: &Asn1SequenceOf<PaData>) -> Option<EtypeInfo2> {
    let told = data.0.iter().find(|one| one.padata_type.0.0 == [ETYPE_INFO2])?;
    from_bytes(&told.padata_data.0.0).ok()
}
