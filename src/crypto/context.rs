//! Where a sealed value stands, said in bytes that cannot be read two ways.
//! Holds no secret and derives nothing.

/// Starts every context, so that no other product's bytes can be mistaken for ours.
const PREFIX: &[u8] = b"poterne/v1\0";

/// `CTX(domain, f1 … fn) = "poterne/v1\0" ‖ lp(domain) ‖ lp(f1) ‖ … ‖ lp(fn)`
/// with `lp(x) = u32_be(len x) ‖ x`.
///
/// # Panics
/// A field of 4 GiB or more; fields are ids, numbers and hashes.
pub fn context(domain: &str, fields: &[&[u8]]) -> Vec<u8> {
    let bytes = fields.iter().map(|f| 4 + f.len()).sum::<usize>() + 4 + domain.len();
    let mut out = Vec::with_capacity(PREFIX.len() + bytes);
    out.extend_from_slice(PREFIX);
    push_lp(&mut out, domain.as_bytes());
    for field in fields {
        push_lp(&mut out, field);
    }
    out
}

/// Appends `lp(x)`.
///
/// # Panics
/// `x` has 4 GiB or more.
pub fn push_lp(out: &mut Vec<u8>, x: &[u8]) {
    let len = u32::try_from(x.len()).expect("a field is shorter than 4 GiB");
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(x);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_byte_between_fields_changes_the_context() {
        assert_ne!(context("a", &[b"bc", b"d"]), context("a", &[b"b", b"cd"]));
        assert_ne!(context("a", &[b"b"]), context("a", &[b"b", b""]));
    }

    #[test]
    fn a_context_reads_as_documented() {
        assert_eq!(context("d", &[b"xy"]), b"poterne/v1\0\0\0\0\x01d\0\0\0\x02xy");
    }
}
