//! The packed index of one client: all its summaries in one buffer that can be
//! searched as it lies. Knows no key; `vault::cell` seals it.
//!
//! Layout, big-endian (`FORMAT.md`, "Segment"):
//! `"PSG1" ‖ u32 n ‖ u8 kinds ‖ kinds × (u8 len ‖ text) ‖ n × record ‖
//! u32 text_len ‖ text ‖ u32 fold_len ‖ fold`. Records are sorted by id.

use zeroize::Zeroizing;

use crate::model::entry::{Kind, Summary};
use crate::model::fold::{COLUMN, fold_into};
use crate::model::id::EntryId;

/// Bytes of one record.
const RECORD: usize = 44;
/// "No parent": the client itself.
const NONE: u32 = u32::MAX;
const FAVOURITE: u8 = 1;
const TRASHED: u8 = 2;
const MAGIC: &[u8; 4] = b"PSG1";

/// A packed index, checked when it was parsed.
pub struct Segment {
    bytes: Zeroizing<Vec<u8>>,
    kinds: Vec<Kind>,
    count: usize,
    records: usize,
    text: usize,
    fold: usize,
    fold_len: usize,
    entries: u64,
}

/// The bytes are not a segment of this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the packed index is malformed")]
pub struct Malformed;

impl Segment {
    /// Packs `summaries`, in any order, of one client. A parent that is not
    /// among them counts as none; texts are cut at 65,535 bytes.
    pub fn pack(mut summaries: Vec<Summary>) -> Self {
        summaries.sort_by_key(|s| s.id);
        summaries.dedup_by_key(|s| s.id);
        let mut kinds: Vec<Kind> = summaries.iter().map(|s| s.kind.clone()).collect();
        kinds.sort();
        kinds.dedup();
        kinds.truncate(255);
        let place = |id: &EntryId| summaries.binary_search_by_key(id, |s| s.id).ok();

        let mut out = Vec::with_capacity(summaries.len() * 150 + 64);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&(summaries.len() as u32).to_be_bytes());
        out.push(kinds.len() as u8);
        for kind in &kinds {
            let word = &kind.word().as_bytes()[..kind.word().len().min(255)];
            out.push(word.len() as u8);
            out.extend_from_slice(word);
        }
        let mut text = String::new();
        let mut folded = String::new();
        for s in &summaries {
            let text_at = text.len() as u32;
            let fold_at = folded.len() as u32;
            let colour_or_tags = if s.kind == Kind::CLIENT { &s.colour } else { &s.tags };
            let mut lens = [0u16; 4];
            for (len, part) in lens.iter_mut().zip([&s.name, &s.host, &s.user, colour_or_tags]) {
                let cut = floor(part, 0xFFFF);
                text.push_str(cut);
                *len = cut.len() as u16;
            }
            for (n, part) in [&s.name, &s.host, &s.user, &s.tags].into_iter().enumerate() {
                if n > 0 {
                    folded.push(COLUMN);
                }
                fold_into(floor(part, 0x3FFF), &mut folded);
            }
            let parent = s.parent.and_then(|p| place(&p)).map_or(NONE, |p| p as u32);
            let kind = kinds.binary_search(&s.kind).unwrap_or(0) as u8;
            let flags = u8::from(s.favourite) * FAVOURITE + u8::from(s.trashed) * TRASHED;
            out.extend_from_slice(s.id.as_bytes());
            out.extend_from_slice(&parent.to_be_bytes());
            out.extend_from_slice(&text_at.to_be_bytes());
            out.extend_from_slice(&fold_at.to_be_bytes());
            out.extend_from_slice(&(s.ver as u32).to_be_bytes());
            lens.iter().for_each(|l| out.extend_from_slice(&l.to_be_bytes()));
            out.extend_from_slice(&((folded.len() as u32 - fold_at) as u16).to_be_bytes());
            out.push(kind);
            out.push(flags);
        }
        for part in [&text, &folded] {
            out.extend_from_slice(&(part.len() as u32).to_be_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        drop(Zeroizing::new(text));
        drop(Zeroizing::new(folded));
        Self::parse(out).expect("what was just packed has the format")
    }

    /// Takes over packed bytes.
    ///
    /// # Errors
    /// [`Malformed`]: a length, order, offset or text is wrong.
    pub fn parse(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Result<Self, Malformed> {
        let bytes = bytes.into();
        let mut at = 0;
        let mut take = |n: usize| {
            let part = bytes.get(at..at + n).ok_or(Malformed);
            at += n;
            part
        };
        if take(4)? != MAGIC {
            return Err(Malformed);
        }
        let count = be32(take(4)?) as usize;
        let mut kinds = Vec::new();
        for _ in 0..take(1)?[0] {
            let len = usize::from(take(1)?[0]);
            kinds.push(Kind::new(std::str::from_utf8(take(len)?).map_err(|_| Malformed)?));
        }
        let records_len = count.checked_mul(RECORD).ok_or(Malformed)?;
        take(records_len)?;
        let text_len = be32(take(4)?) as usize;
        take(text_len)?;
        let fold_len = be32(take(4)?) as usize;
        take(fold_len)?;
        if at != bytes.len() {
            return Err(Malformed);
        }
        let fold = at - fold_len;
        let text = fold - 4 - text_len;
        let records = text - 4 - records_len;
        let mut segment = Self { bytes, kinds, count, records, text, fold, fold_len, entries: 0 };
        segment.check(text_len)?;
        let containers: Vec<bool> = segment.kinds.iter().map(Kind::is_container).collect();
        let entry = |r: &[u8]| !containers[usize::from(r[42])] && r[43] & TRASHED == 0;
        segment.entries = (0..count).filter(|n| entry(segment.record(*n))).count() as u64;
        Ok(segment)
    }

    fn check(&self, text_len: usize) -> Result<(), Malformed> {
        std::str::from_utf8(&self.bytes[self.text..self.text + text_len]).map_err(|_| Malformed)?;
        std::str::from_utf8(&self.bytes[self.fold..]).map_err(|_| Malformed)?;
        let mut last: Option<&[u8]> = None;
        let mut fold_end = 0;
        for n in 0..self.count {
            let r = self.record(n);
            let id = &r[..16];
            let parent = be32(&r[16..]);
            let lens: usize = (0..4).map(|i| be16(&r[32 + 2 * i..]) as usize).sum();
            let fold_at = be32(&r[24..]) as usize;
            let good = last.is_none_or(|l| l < id)
                && (parent == NONE || (parent as usize) < self.count)
                && be32(&r[20..]) as usize + lens <= text_len
                && fold_at == fold_end
                && usize::from(r[42]) < self.kinds.len();
            fold_end = fold_at + be16(&r[40..]) as usize;
            if !good || fold_end > self.fold_len {
                return Err(Malformed);
            }
            last = Some(id);
        }
        Ok(())
    }

    /// Number of nodes that are neither containers nor in the recycle bin.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// True when `n` is neither a container nor in the recycle bin.
    pub fn is_entry(&self, n: usize) -> bool {
        !self.trashed(n) && !self.kind(n).is_container()
    }

    /// False when the name of `n` cannot fold to `folded`. Quick: nothing is
    /// unpacked or folded, for the folded name lies before the other columns.
    pub fn name_may_fold_to(&self, n: usize, folded: &str) -> bool {
        // Very long names are folded in part only.
        self.name(n).len() > 0x3FFF
            || self.folded()[self.fold_range(n)]
                .strip_prefix(folded.as_bytes())
                .is_some_and(|rest| rest.first() == Some(&(COLUMN as u8)))
    }

    /// The packed bytes, as they are sealed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of summaries.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True when the segment holds nothing.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn record(&self, n: usize) -> &[u8] {
        let at = self.records + n * RECORD;
        &self.bytes[at..at + RECORD]
    }

    /// Position of `id`.
    pub fn find(&self, id: &EntryId) -> Option<usize> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let mid = (low + high) / 2;
            match self.record(mid)[..16].cmp(&id.0[..]) {
                std::cmp::Ordering::Less => low = mid + 1,
                std::cmp::Ordering::Greater => high = mid,
                std::cmp::Ordering::Equal => return Some(mid),
            }
        }
        None
    }

    /// The id at position `n`.
    pub fn id(&self, n: usize) -> EntryId {
        EntryId(self.record(n)[..16].try_into().expect("sixteen bytes were sliced"))
    }

    /// Position of the parent of `n`.
    pub fn parent(&self, n: usize) -> Option<usize> {
        let p = be32(&self.record(n)[16..]);
        (p != NONE).then_some(p as usize)
    }

    /// The kind at `n`.
    pub fn kind(&self, n: usize) -> &Kind {
        &self.kinds[self.kind_at(n)]
    }

    /// Every kind there is.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Position of the kind of `n` in [`Segment::kinds`].
    pub fn kind_at(&self, n: usize) -> usize {
        usize::from(self.record(n)[42])
    }

    /// True when `n` is in the recycle bin.
    pub fn trashed(&self, n: usize) -> bool {
        self.record(n)[43] & TRASHED != 0
    }

    /// True when `n` is a favourite.
    pub fn favourite(&self, n: usize) -> bool {
        self.record(n)[43] & FAVOURITE != 0
    }

    /// Name, host, user and tags (or a client's colour) of `n`.
    pub fn texts(&self, n: usize) -> [&str; 4] {
        let r = self.record(n);
        let mut at = self.text + be32(&r[20..]) as usize;
        let mut out = [""; 4];
        for (i, part) in out.iter_mut().enumerate() {
            let len = be16(&r[32 + 2 * i..]) as usize;
            *part = std::str::from_utf8(&self.bytes[at..at + len]).unwrap_or("");
            at += len;
        }
        out
    }

    /// Name of `n`.
    pub fn name(&self, n: usize) -> &str {
        self.texts(n)[0]
    }

    /// All folded texts in order, for scanning.
    pub fn folded(&self) -> &[u8] {
        &self.bytes[self.fold..]
    }

    /// Where the folded text of `n` lies in [`Segment::folded`].
    pub fn fold_range(&self, n: usize) -> std::ops::Range<usize> {
        let r = self.record(n);
        let at = be32(&r[24..]) as usize;
        at..at + be16(&r[40..]) as usize
    }

    /// Unpacks `n`. `client` is the client of the whole segment.
    pub fn summary(&self, n: usize, client: EntryId) -> Summary {
        let [name, host, user, last] = self.texts(n).map(str::to_owned);
        let kind = self.kind(n).clone();
        let (tags, colour) =
            if kind == Kind::CLIENT { (String::new(), last) } else { (last, String::new()) };
        Summary {
            id: self.id(n),
            client,
            parent: self.parent(n).map(|p| self.id(p)),
            kind,
            name,
            host,
            user,
            tags,
            favourite: self.favourite(n),
            trashed: self.trashed(n),
            colour,
            ver: u64::from(be32(&self.record(n)[28..])),
        }
    }
}

fn be32(b: &[u8]) -> u32 {
    u32::from_be_bytes([b[0], b[1], b[2], b[3]])
}

fn be16(b: &[u8]) -> u16 {
    u16::from_be_bytes([b[0], b[1]])
}

/// At most `max` bytes of `text`, cut at a character.
fn floor(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}
