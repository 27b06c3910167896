//! Finding nodes by a few typed letters. Pure and quick: it scans the packed
//! texts as they lie. It ranks; it never opens anything.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::model::entry::{Kind, Summary};
use crate::model::id::EntryId;

use super::fold::{COLUMN, fold};
use super::{ClientIndex, Index};

/// Most words that count in a query.
const MAX_TERMS: usize = 8;

/// Fewest letters that count as the beginning of a kind's name.
const KIND_MIN: usize = 3;

/// What a kind is called, in any language.
pub type KindNames<'a> = dyn Fn(&Kind) -> Vec<String> + 'a;

/// [`find_named`], where kinds are called by their own word alone.
pub fn find(index: &Index, query: &str, limit: usize) -> Vec<Summary> {
    find_named(index, query, limit, &|kind| vec![kind.word().to_owned()])
}

/// The best `limit` nodes for `query`, the best first. Every word must occur in
/// the node's name, host, user or tags, in the name of a folder or client above
/// it, or begin a name of its kind; when too few do, letters in the right order
/// count too (fuzzy). An empty query finds the favourites.
pub fn find_named(index: &Index, query: &str, limit: usize, names: &KindNames<'_>) -> Vec<Summary> {
    let terms: Vec<String> =
        fold(query).split_whitespace().take(MAX_TERMS).map(str::to_owned).collect();
    let mut best = Best::new(limit);
    let mut kinds = Kinds { terms: &terms, names, known: BTreeMap::new() };
    for client in index.clients() {
        scan(client, &terms, &mut kinds, &mut best);
    }
    if best.len() < limit.min(50) && !terms.is_empty() {
        fuzzy(index, &terms.join(" "), &mut best);
    }
    best.into_ids().into_iter().filter_map(|(client, id)| index.client(&client)?.get(&id)).collect()
}

/// Score, name for the order of equals, client, node.
type Hit = (u32, Reverse<String>, EntryId, EntryId);

struct Best {
    limit: usize,
    heap: BinaryHeap<Reverse<Hit>>,
    seen: std::collections::HashSet<EntryId>,
}

impl Best {
    fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new(), seen: std::collections::HashSet::new() }
    }

    fn len(&self) -> usize {
        self.heap.len()
    }

    /// `folded` begins with the folded name.
    fn offer(&mut self, score: u32, folded: &str, client: EntryId, id: EntryId) {
        let name = folded.split(COLUMN).next().unwrap_or("");
        let full = self.heap.len() >= self.limit;
        // Whole kinds may answer alike: only what is kept costs anything.
        let worse = |Reverse(worst): &Reverse<Hit>| {
            (score, Reverse(name)) < (worst.0, Reverse(worst.1.0.as_str()))
        };
        if full && self.heap.peek().is_none_or(worse) {
            return;
        }
        if !self.seen.insert(id) {
            return;
        }
        self.heap.push(Reverse((score, Reverse(name.to_owned()), client, id)));
        if self.heap.len() > self.limit {
            self.heap.pop();
        }
    }

    fn into_ids(self) -> Vec<(EntryId, EntryId)> {
        let mut all: Vec<_> = self.heap.into_iter().map(|Reverse(x)| x).collect();
        all.sort_by(|a, b| b.cmp(a));
        all.into_iter().map(|(_, _, client, id)| (client, id)).collect()
    }
}

fn kind_bonus(kind: &Kind) -> u32 {
    if *kind == Kind::FOLDER {
        0
    } else if *kind == Kind::CLIENT {
        4
    } else {
        8
    }
}

/// How well `text` (a folded node) answers the words it holds.
fn score(folded: &str, terms: &[String], own: u8) -> u32 {
    let name = folded.split(COLUMN).next().unwrap_or("");
    let mut total = 0;
    for (bit, term) in terms.iter().enumerate() {
        if own & (1 << bit) == 0 {
            continue;
        }
        total += match name.find(term.as_str()) {
            Some(0) if name.len() == term.len() => 200,
            Some(0) => 120,
            Some(at) if !name.as_bytes()[at - 1].is_ascii_alphanumeric() => 90,
            Some(_) => 60,
            None => 40,
        };
    }
    total
}

/// Which words of a query begin a name of each kind.
struct Kinds<'a> {
    terms: &'a [String],
    names: &'a KindNames<'a>,
    known: BTreeMap<Kind, u8>,
}

impl Kinds<'_> {
    fn answer(&mut self, kind: &Kind) -> u8 {
        if let Some(known) = self.known.get(kind) {
            return *known;
        }
        let names = fold(&(self.names)(kind).join(" "));
        let begins = |t: &str| {
            let mut words = names.split_whitespace();
            t.len() >= KIND_MIN && words.any(|w| w.starts_with(t) || w == plural(t))
        };
        let answered = self.terms.iter().enumerate().filter(|(_, t)| begins(t));
        let mask = answered.fold(0u8, |m, (bit, _)| m | 1 << bit);
        self.known.insert(kind.clone(), mask);
        mask
    }
}

/// `term` without the `s` of a plural.
fn plural(term: &str) -> &str {
    term.strip_suffix('s').unwrap_or(term)
}

fn scan(client: &ClientIndex, terms: &[String], kinds: &mut Kinds<'_>, best: &mut Best) {
    let base = client.base();
    let want = ((1u16 << terms.len()) - 1) as u8;
    let folded_of =
        |n: usize| std::str::from_utf8(&base.folded()[base.fold_range(n)]).unwrap_or("");
    if terms.is_empty() {
        for n in (0..base.len()).filter(|n| base.favourite(*n) && !base.trashed(*n)) {
            if !client.changed.contains_key(&base.id(n)) {
                best.offer(1, folded_of(n), client.client, base.id(n));
            }
        }
    } else {
        let mut own = vec![0u8; base.len()];
        for (bit, term) in terms.iter().enumerate() {
            mark(client, term.as_bytes(), 1 << bit, &mut own);
        }
        // What a folder's name answers holds for everything below it.
        let mut all: Option<Vec<u8>> = None;
        let containers = (0..base.len()).any(|n| own[n] != 0 && base.kind(n).is_container());
        if containers {
            all = Some((0..base.len()).map(|n| own[n] | above(client, &own, n)).collect());
        }
        let by_kind: Vec<u8> = base.kinds().iter().map(|kind| kinds.answer(kind)).collect();
        for n in 0..base.len() {
            let text = all.as_ref().map_or(own[n], |a| a[n]);
            let mask = text | by_kind[base.kind_at(n)];
            if mask == want && !base.trashed(n) && !client.changed.contains_key(&base.id(n)) {
                let folded = folded_of(n);
                let bonus = kind_bonus(base.kind(n)) + u32::from(base.favourite(n)) * 30;
                let inherited = (want & text & !own[n]).count_ones() * 80;
                let kind = (want & !text).count_ones() * 20;
                let points = score(folded, terms, own[n]) + inherited + kind + bonus;
                best.offer(points, folded, client.client, base.id(n));
            }
        }
    }
    for s in client.changed.values().flatten().filter(|s| !s.trashed) {
        let folded =
            fold(&format!("{}{COLUMN}{}{COLUMN}{}{COLUMN}{}", s.name, s.host, s.user, s.tags));
        let bits = |text: &str| {
            terms
                .iter()
                .enumerate()
                .filter(|(_, t)| text.contains(t.as_str()))
                .fold(0u8, |m, (bit, _)| m | 1 << bit)
        };
        let own = bits(&folded);
        let mut mask = own;
        let mut up = s.parent;
        while let Some(parent) = up.and_then(|p| client.get(&p)) {
            mask |= bits(&fold(&parent.name));
            up = parent.parent;
        }
        let by_kind = kinds.answer(&s.kind);
        if mask | by_kind == want && (!terms.is_empty() || s.favourite) {
            let points = score(&folded, terms, own)
                + (want & mask & !own).count_ones() * 80
                + (want & !mask).count_ones() * 20
                + kind_bonus(&s.kind)
                + u32::from(s.favourite) * 30;
            best.offer(points, &folded, client.client, s.id);
        }
    }
}

/// What the containers above position `n` answer by their own texts.
fn above(client: &ClientIndex, own: &[u8], n: usize) -> u8 {
    let base = client.base();
    let mut mask = 0;
    let mut up = base.parent(n);
    for _ in 0..64 {
        let Some(at) = up else { break };
        mask |= own[at];
        up = base.parent(at);
    }
    mask
}

/// Sets `bit` at every position whose folded text holds `term`.
fn mark(client: &ClientIndex, term: &[u8], bit: u8, own: &mut [u8]) {
    let base = client.base();
    let hay = base.folded();
    let mut n = 0;
    for at in memchr::memmem::find_iter(hay, term) {
        while n < base.len() && base.fold_range(n).end <= at {
            n += 1;
        }
        if n < base.len() && base.fold_range(n).end >= at + term.len() {
            own[n] |= bit;
        }
    }
}

/// Letters in the right order, on two threads.
fn fuzzy(index: &Index, query: &str, best: &mut Best) {
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let clients: Vec<&ClientIndex> = index.clients().collect();
    let work = |part: &[&ClientIndex]| {
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut chars = Vec::new();
        let mut hits = Vec::new();
        for client in part {
            let base = client.base();
            for n in (0..base.len()).filter(|n| !base.trashed(*n)) {
                let text = std::str::from_utf8(&base.folded()[base.fold_range(n)]).unwrap_or("");
                if let Some(points) = pattern.score(Utf32Str::new(text, &mut chars), &mut matcher)
                    && !client.changed.contains_key(&base.id(n))
                {
                    // Always below a hit of the letters as typed.
                    hits.push((points.min(39), n, client.client));
                }
            }
        }
        hits
    };
    let (left, right) = clients.split_at(clients.len() / 2);
    let (a, b) = std::thread::scope(|scope| {
        let other = scope.spawn(|| work(right));
        (work(left), other.join().unwrap_or_default())
    });
    for (points, n, client) in a.into_iter().chain(b) {
        if let Some(c) = index.client(&client) {
            let base = c.base();
            let folded = std::str::from_utf8(&base.folded()[base.fold_range(n)]).unwrap_or("");
            best.offer(points, folded, client, base.id(n));
        }
    }
}
