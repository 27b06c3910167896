//! Finding nodes by a few typed letters. Pure and quick: it scans the packed
//! texts as they lie. It ranks; it never opens anything.

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};

use memchr::memmem::Finder;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::model::entry::{Kind, Summary};
use crate::model::fold::{COLUMN, fold};
use crate::model::id::EntryId;
use crate::model::order::natural;

use super::{ClientIndex, Index};

/// Most words that count in a query.
const MAX_TERMS: usize = 8;

/// Fewest letters that count as the beginning of a kind's name.
const KIND_MIN: usize = 3;

/// From so many nodes on a search uses a second thread.
const TWO_THREADS: usize = 10_000;

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
    let clients: Vec<&ClientIndex> = index.clients().collect();
    let query = Query {
        finders: terms.iter().map(Finder::new).collect(),
        terms: &terms,
        kinds: answers(&clients, &terms, names),
    };
    let mut best = on_both_cores(&clients, limit, |client, best| scan(client, &query, best));
    if best.heap.len() < limit.min(50) && !terms.is_empty() {
        let pattern = Pattern::parse(&terms.join(" "), CaseMatching::Ignore, Normalization::Smart);
        let known: HashSet<EntryId> = best.heap.iter().map(|Reverse(hit)| hit.3).collect();
        let letters = Letters { pattern, known };
        let more = on_both_cores(&clients, limit, |client, best| {
            TOOLS.with_borrow_mut(|tools| letters.scan(client, tools, best));
        });
        best.merge(more);
    }
    best.into_ids().into_iter().filter_map(|(client, id)| index.client(&client)?.get(&id)).collect()
}

/// One search, made ready once for all clients.
struct Query<'a> {
    terms: &'a [String],
    finders: Vec<Finder<'a>>,
    /// Which words begin a name of each kind.
    kinds: BTreeMap<Kind, u8>,
}

/// The best of what `work` offers for each client; large indexes on two threads.
fn on_both_cores<'a>(
    clients: &[&'a ClientIndex],
    limit: usize,
    work: impl Fn(&'a ClientIndex, &mut Best<'a>) + Sync,
) -> Best<'a> {
    let of = |part: &[&'a ClientIndex]| {
        let mut best = Best::new(limit);
        part.iter().for_each(|client| work(client, &mut best));
        best
    };
    if clients.iter().map(|c| c.base().len()).sum::<usize>() < TWO_THREADS {
        return of(clients);
    }
    let (left, right) = clients.split_at(clients.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| of(right));
        let mut best = of(left);
        if let Ok(other) = other.join() {
            best.merge(other);
        }
        best
    })
}

/// Score, folded name for the order of equals, client, node.
type Hit<'a> = (u32, Reverse<Cow<'a, [u8]>>, EntryId, EntryId);

struct Best<'a> {
    limit: usize,
    heap: BinaryHeap<Reverse<Hit<'a>>>,
}

impl<'a> Best<'a> {
    fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new() }
    }

    fn offer(&mut self, score: u32, name: Cow<'a, [u8]>, client: EntryId, id: EntryId) {
        if self.heap.len() >= self.limit {
            // Whole kinds may answer alike: only what is kept costs anything.
            let Some(mut worst) = self.heap.peek_mut() else { return };
            if (score, Reverse(&name)) > (worst.0.0, Reverse(&worst.0.1.0)) {
                *worst = Reverse((score, Reverse(name), client, id));
            }
            return;
        }
        self.heap.push(Reverse((score, Reverse(name), client, id)));
    }

    fn merge(&mut self, other: Self) {
        for Reverse((score, Reverse(name), client, id)) in other.heap {
            self.offer(score, name, client, id);
        }
    }

    fn into_ids(self) -> Vec<(EntryId, EntryId)> {
        let mut all: Vec<_> = self.heap.into_iter().map(|Reverse(x)| x).collect();
        all.sort_by_cached_key(|(score, Reverse(name), client, id)| {
            let name = natural(&String::from_utf8_lossy(name));
            (Reverse(*score), name, Reverse(*client), Reverse(*id))
        });
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

/// The first column of a folded node.
fn name_of(folded: &[u8]) -> &[u8] {
    &folded[..memchr::memchr(COLUMN as u8, folded).unwrap_or(folded.len())]
}

/// How well a node of this folded name answers the words that its texts hold.
fn score(name: &[u8], query: &Query<'_>, own: u8) -> u32 {
    let mut total = 0;
    for (bit, finder) in query.finders.iter().enumerate() {
        if own & (1 << bit) == 0 {
            continue;
        }
        total += match finder.find(name) {
            Some(0) if name.len() == finder.needle().len() => 200,
            Some(0) => 120,
            Some(at) if !name[at - 1].is_ascii_alphanumeric() => 90,
            Some(_) => 60,
            None => 40,
        };
    }
    total
}

/// Which words begin a name of each kind there is.
fn answers(
    clients: &[&ClientIndex],
    terms: &[String],
    names: &KindNames<'_>,
) -> BTreeMap<Kind, u8> {
    let mut known: BTreeMap<Kind, u8> = BTreeMap::new();
    for client in clients {
        let changed = client.changed.values().flatten().map(|s| &s.kind);
        for kind in client.base().kinds().iter().chain(changed) {
            if known.contains_key(kind) {
                continue;
            }
            let called = fold(&names(kind).join(" "));
            let begins = |t: &str| {
                let mut words = called.split_whitespace();
                t.len() >= KIND_MIN && words.any(|w| w.starts_with(t) || w == plural(t))
            };
            let answered = terms.iter().enumerate().filter(|(_, t)| begins(t));
            known.insert(kind.clone(), answered.fold(0u8, |m, (bit, _)| m | 1 << bit));
        }
    }
    known
}

/// `term` without the `s` of a plural.
fn plural(term: &str) -> &str {
    term.strip_suffix('s').unwrap_or(term)
}

fn scan<'a>(client: &'a ClientIndex, query: &Query<'_>, best: &mut Best<'a>) {
    let base = client.base();
    let terms = query.terms;
    let want = ((1u16 << terms.len()) - 1) as u8;
    let kind_of = |kind: &Kind| query.kinds.get(kind).copied().unwrap_or(0);
    let name_at = |n: usize| name_of(&base.folded()[base.fold_range(n)]);
    if terms.is_empty() {
        for n in (0..base.len()).filter(|n| base.favourite(*n) && !base.trashed(*n)) {
            if !client.changed.contains_key(&base.id(n)) {
                best.offer(1, Cow::Borrowed(name_at(n)), client.client, base.id(n));
            }
        }
    } else {
        let mut own = vec![0u8; base.len()];
        for (bit, finder) in query.finders.iter().enumerate() {
            mark(client, finder, 1 << bit, &mut own);
        }
        // What a folder's name answers holds for everything below it.
        let mut all: Option<Vec<u8>> = None;
        let containers = (0..base.len()).any(|n| own[n] != 0 && base.kind(n).is_container());
        if containers {
            all = Some((0..base.len()).map(|n| own[n] | above(client, &own, n)).collect());
        }
        let by_kind: Vec<u8> = base.kinds().iter().map(kind_of).collect();
        for n in 0..base.len() {
            let text = all.as_ref().map_or(own[n], |a| a[n]);
            let mask = text | by_kind[base.kind_at(n)];
            if mask == want
                && !base.trashed(n)
                && (client.changed.is_empty() || !client.changed.contains_key(&base.id(n)))
            {
                let name = name_at(n);
                let bonus = kind_bonus(base.kind(n)) + u32::from(base.favourite(n)) * 30;
                let inherited = (want & text & !own[n]).count_ones() * 80;
                let kind = (want & !text).count_ones() * 20;
                let points = score(name, query, own[n]) + inherited + kind + bonus;
                best.offer(points, Cow::Borrowed(name), client.client, base.id(n));
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
        if mask | kind_of(&s.kind) == want && (!terms.is_empty() || s.favourite) {
            let name = name_of(folded.as_bytes());
            let points = score(name, query, own)
                + (want & mask & !own).count_ones() * 80
                + (want & !mask).count_ones() * 20
                + kind_bonus(&s.kind)
                + u32::from(s.favourite) * 30;
            best.offer(points, Cow::Owned(name.to_vec()), client.client, s.id);
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

/// Sets `bit` at every position whose folded text holds what `finder` seeks.
fn mark(client: &ClientIndex, finder: &Finder<'_>, bit: u8, own: &mut [u8]) {
    let base = client.base();
    let mut n = 0;
    for at in finder.find_iter(base.folded()) {
        while n < base.len() && base.fold_range(n).end <= at {
            n += 1;
        }
        if n < base.len() && base.fold_range(n).end >= at + finder.needle().len() {
            own[n] |= bit;
        }
    }
}

thread_local! {
    /// Working memory of the matcher, one for each thread of a search.
    static TOOLS: RefCell<(Matcher, Vec<char>)> =
        RefCell::new((Matcher::new(Config::DEFAULT), Vec::new()));
}

/// Letters in the right order, for nodes that did not answer as typed.
struct Letters {
    pattern: Pattern,
    known: HashSet<EntryId>,
}

impl Letters {
    fn scan<'a>(
        &self,
        client: &'a ClientIndex,
        (matcher, chars): &mut (Matcher, Vec<char>),
        best: &mut Best<'a>,
    ) {
        let base = client.base();
        for n in (0..base.len()).filter(|n| !base.trashed(*n)) {
            let folded = &base.folded()[base.fold_range(n)];
            let text = match folded.is_ascii() {
                true => Utf32Str::Ascii(folded),
                false => Utf32Str::new(std::str::from_utf8(folded).unwrap_or(""), chars),
            };
            if let Some(points) = self.pattern.score(text, matcher) {
                let id = base.id(n);
                if !client.changed.contains_key(&id) && !self.known.contains(&id) {
                    // Always below a hit of the letters as typed.
                    best.offer(points.min(39), Cow::Borrowed(name_of(folded)), client.client, id);
                }
            }
        }
    }
}
