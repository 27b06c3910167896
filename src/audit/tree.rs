//! The right edge of an RFC 6962 Merkle tree: enough to append and to know the
//! root, never the leaves themselves.

use super::hash::{Hash, node, sha256};

/// Roots of the complete subtrees of a tree, the largest first: one for each
/// bit set in its size.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree of no leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf hash; one inner node a leaf on average, log2 at worst.
    pub fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut rest = self.size;
        while rest & 1 == 1 {
            let left = self.peaks.pop().expect("one peak for each bit set in the size");
            hash = node(&left, &hash);
            rest >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Merkle tree hash; `SHA-256("")` for the empty tree.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => sha256(&[]),
            Some(last) => peaks.fold(*last, |right, left| node(left, &right)),
        }
    }

    /// `u64 size ‖ peaks`, big-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + 32 * self.peaks.len());
        out.extend_from_slice(&self.size.to_be_bytes());
        self.peaks.iter().for_each(|p| out.extend_from_slice(p));
        out
    }

    /// Reads what [`Frontier::to_bytes`] wrote; `None` when the number of peaks
    /// does not fit the size.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, rest) = bytes.split_first_chunk::<8>()?;
        let size = u64::from_be_bytes(*size);
        let (peaks, tail) = rest.as_chunks::<32>();
        (tail.is_empty() && peaks.len() == size.count_ones() as usize)
            .then(|| Self { size, peaks: peaks.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962 section 2.1, computed top down.
    fn reference(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [one] => *one,
            many => {
                let split = many.len().next_power_of_two() / 2;
                node(&reference(&many[..split]), &reference(&many[split..]))
            }
        }
    }

    #[test]
    fn root_is_that_of_rfc_6962_at_every_size() {
        let leaves: Vec<Hash> = (0..200u8).map(|i| super::super::hash::leaf(&[i])).collect();
        let mut tree = Frontier::new();
        assert_eq!(tree.root(), reference(&[]));
        for (i, leaf) in leaves.iter().enumerate() {
            tree.append(*leaf);
            assert_eq!(tree.root(), reference(&leaves[..=i]), "size {}", i + 1);
            assert_eq!(Frontier::from_bytes(&tree.to_bytes()), Some(tree.clone()));
        }
        assert_eq!(Frontier::from_bytes(&tree.to_bytes()[1..]), None);
    }
}
