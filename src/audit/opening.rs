//! The opening of a line: salts and values that its commitments hide. It is
//! stored sealed, never beside the line in clear.

/// One disclosed value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened<'a> {
    /// Name of the field.
    pub name: &'a str,
    /// Salt of its commitment.
    pub salt: [u8; 16],
    /// Its value.
    pub value: &'a str,
}

/// Form of [`encode`]'s bytes.
pub(super) const VERSION: u8 = 1;

/// The opening of a line without values.
pub const EMPTY: [u8; 1] = [VERSION];

/// `0x01 ‖ (u8 len ‖ name ‖ salt16 ‖ u32 len ‖ value)*`, big-endian.
pub fn encode<'a>(fields: impl IntoIterator<Item = Opened<'a>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.push(VERSION);
    for field in fields {
        let name = u8::try_from(field.name.len()).expect("field names are a few letters");
        let value = u32::try_from(field.value.len()).expect("values are far below 4 GiB");
        out.push(name);
        out.extend_from_slice(field.name.as_bytes());
        out.extend_from_slice(&field.salt);
        out.extend_from_slice(&value.to_be_bytes());
        out.extend_from_slice(field.value.as_bytes());
    }
    out
}

/// Reads what [`encode`] wrote; `None` for anything else.
pub fn decode(bytes: &[u8]) -> Option<Vec<Opened<'_>>> {
    let (version, mut rest) = bytes.split_first()?;
    if *version != VERSION {
        return None;
    }
    let mut out = Vec::with_capacity(12);
    while !rest.is_empty() {
        let (field, tail) = next(rest)?;
        out.push(Opened {
            name: std::str::from_utf8(field.name).ok()?,
            salt: *field.salt,
            value: std::str::from_utf8(field.value).ok()?,
        });
        rest = tail;
    }
    Some(out)
}

/// One value as it is stored, its texts not looked at.
pub struct Raw<'a> {
    /// Name of the field.
    pub name: &'a [u8],
    /// Salt of its commitment.
    pub salt: &'a [u8; 16],
    /// Its value.
    pub value: &'a [u8],
}

/// The next value of an opening behind its first byte, and what follows it.
pub fn next(bytes: &[u8]) -> Option<(Raw<'_>, &[u8])> {
    let (len, tail) = bytes.split_first()?;
    let (name, tail) = tail.split_at_checked(usize::from(*len))?;
    let (salt, tail) = tail.split_first_chunk::<16>()?;
    let (len, tail) = tail.split_first_chunk::<4>()?;
    let (value, tail) = tail.split_at_checked(u32::from_be_bytes(*len) as usize)?;
    Some((Raw { name, salt, value }, tail))
}
