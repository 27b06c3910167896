//! Reads the head of a canonical line by position, without parsing JSON, and
//! the whole of it strictly. Never allocates.

use super::hash::BASE64_LEN;

/// The fixed head of a line.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    pub seq: u64,
    /// RFC 3339, 27 characters.
    pub time: &'a str,
    /// 32 hexadecimal digits.
    pub actor: Option<&'a str>,
    pub event: &'a str,
    pub ok: bool,
    /// 44 characters of base64.
    pub prev: &'a [u8],
    /// What follows `"c":{`.
    pub rest: &'a [u8],
}

/// The head, or `None` when the line does not have the canonical shape.
pub fn head(leaf: &[u8]) -> Option<Head<'_>> {
    let rest = leaf.strip_prefix(br#"{"v":1,"seq":"#)?;
    let (seq, rest) = number(rest)?;
    let rest = rest.strip_prefix(br#","t":""#)?;
    let (time, rest) = rest.split_at_checked(27)?;
    let rest = rest.strip_prefix(br#"","actor":"#)?;
    let (actor, rest) = match rest.strip_prefix(b"null") {
        Some(rest) => (None, rest),
        None => {
            let (id, rest) = rest.strip_prefix(b"\"")?.split_at_checked(32)?;
            (Some(std::str::from_utf8(id).ok()?), rest.strip_prefix(b"\"")?)
        }
    };
    let (event, rest) = word(rest.strip_prefix(br#","ev":""#)?)?;
    let rest = rest.strip_prefix(br#"","ok":"#)?;
    let (ok, rest) = match rest.strip_prefix(b"true") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix(b"false")?),
    };
    let (prev, rest) = rest.strip_prefix(br#","prev":""#)?.split_at_checked(BASE64_LEN)?;
    let rest = rest.strip_prefix(br#"","c":{"#)?;
    Some(Head { seq, time: std::str::from_utf8(time).ok()?, actor, event, ok, prev, rest })
}

/// Name, value (printable ASCII) and what follows.
type Member<'a> = (&'a str, &'a [u8], &'a [u8]);

/// Name and value of the next member of a flat JSON object of plain texts, and
/// what follows; `Err` at its end with what follows the closing brace.
pub fn member(rest: &[u8], first: bool) -> Option<Result<Member<'_>, &[u8]>> {
    if let Some(after) = rest.strip_prefix(b"}") {
        return Some(Err(after));
    }
    let rest = if first { rest } else { rest.strip_prefix(b",")? };
    let (name, rest) = word(rest.strip_prefix(b"\"")?)?;
    let rest = rest.strip_prefix(br#"":""#)?;
    let end = memchr::memchr(b'"', rest)?;
    let value = &rest[..end];
    // No early end: so it runs over many bytes at once.
    let plain =
        value.iter().fold(true, |plain, b| plain & (0x20..0x7f).contains(b) & (*b != b'\\'));
    plain.then_some(Ok((name, value, &rest[end + 1..])))
}

/// Decimal without sign or leading zeros.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 19 || (digits > 1 && bytes[0] == b'0') {
        return None;
    }
    let value = bytes[..digits].iter().fold(0u64, |n, b| n * 10 + u64::from(b - b'0'));
    Some((value, &bytes[digits..]))
}

/// Letters `a–z`, digits, `_`, `-` and `.`; at least one.
fn word(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let other = |b: &u8| !matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.');
    let len = bytes.iter().position(other).unwrap_or(bytes.len());
    let text = std::str::from_utf8(&bytes[..len]).ok()?;
    (len > 0).then_some((text, &bytes[len..]))
}
