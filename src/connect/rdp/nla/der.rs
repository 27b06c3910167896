//! Elements of DER (ITU-T X.690), as far as the messages of Kerberos need them.

/// Tag, contents and what comes after one element.
pub fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7F);
        let digits = rest.get(..count).filter(|digits| (1..=4).contains(&digits.len()))?;
        length = digits.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
        rest = &rest[count..];
    }
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

/// The contents of an element that has this tag.
pub fn contents(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    element(bytes).filter(|(seen, ..)| *seen == tag).map(|(_, contents, _)| contents)
}

/// The elements that follow each other, with their tags and contents.
pub fn all(mut bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (tag, contents, rest) = element(bytes)?;
        all.push((tag, contents));
        bytes = rest;
    }
    Some(all)
}

/// The contents of the one that has this tag.
pub fn of<'a>(all: &[(u8, &'a [u8])], tag: u8) -> Option<&'a [u8]> {
    all.iter().find(|(seen, _)| *seen == tag).map(|(_, contents)| *contents)
}

/// An INTEGER that is none below zero.
pub fn number(bytes: &[u8]) -> Option<u32> {
    let digits = contents(bytes, 0x02).filter(|digits| digits.len() <= 4)?;
    Some(digits.iter().fold(0, |n, byte| n << 8 | u32::from(*byte)))
}

/// An element.
pub fn wrap(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len().to_be_bytes();
    let skip = length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1);
    let digits = &length[skip..];
    let mut out = vec![tag];
    match digits {
        [short] if *short < 0x80 => out.push(*short),
        _ => {
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or(u8::MAX));
            out.extend(digits);
        }
    }
    out.extend(contents);
    out
}
