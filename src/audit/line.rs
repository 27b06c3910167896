//! One line of the log: canonical JSON with a commitment for each value, and
//! the opening that shows the values. Strict: what it reads, it would print.
//!
//! ```text
//! {"v":1,"seq":41,"t":"2026-11-23T21:04:05.000000Z","actor":"10…1f","ev":"secret.revealed","ok":true,"prev":"…","c":{"entry":"…","member":"…"}}
//! ```

use data_encoding::{BASE64, HEXLOWER};

use super::checkpoint::{self, Checkpoint};
use super::fault::Fault;
use super::hash::{self, Hash};
use super::opening::{self, Opened};
use super::packed::Plain;
use super::scan;
use super::statement::{self, PublicKey, Signature, Signer};
use crate::model::audit_event::{Event, OpenLine, field};
use crate::model::id::{MemberId, VaultId};
use crate::model::member::Role;
use crate::model::time::Time;

/// What is about to be logged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// When.
    pub at: Time,
    /// Who; `None` before anyone is known.
    pub actor: Option<MemberId>,
    /// What.
    pub event: Event,
    /// False for refusals and failures.
    pub ok: bool,
    /// Values by names of [`field`], in any order. Empty values are not logged;
    /// of two with one name the first counts.
    pub fields: Vec<(&'static str, String)>,
    /// What the line says to everybody; see [`Fact`] for which lines must.
    pub fact: Option<Fact>,
}

/// Public facts of a line: those a verifier without any key needs. They hold
/// random ids, keys, roles and signatures, no names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Of [`Event::VaultCreated`], the first line: the vault's root key and its
    /// statement that `member` is the first owner.
    Genesis {
        /// Identity of the vault.
        vault: VaultId,
        /// Key the fingerprint is made of.
        root_pk: PublicKey,
        /// First owner.
        member: MemberId,
        /// That owner's key.
        pk: PublicKey,
        /// By `root_pk` over [`statement::member`].
        sig: Signature,
    },
    /// Of [`Event::MemberInvited`], [`Event::MemberJoined`] and
    /// [`Event::MemberRemoved`]; of [`Event::MemberChanged`] when the role
    /// changes; of [`Event::FactorChanged`] and [`Event::Recovered`] when the
    /// key changes.
    Member {
        /// Who it is about.
        id: MemberId,
        /// Role from now on; `None`: removed.
        role: Option<Role>,
        /// Key from now on.
        pk: PublicKey,
        /// Who says so; the member itself for a new key.
        by: MemberId,
        /// By `by`'s key so far over [`statement::member`].
        sig: Signature,
    },
    /// Of [`Event::Checkpoint`]: a signature over all lines before this one.
    Checkpoint {
        /// Number of lines before this one.
        size: u64,
        /// Root over them.
        root: Hash,
        /// Who signed.
        by: MemberId,
        /// Key id of [`checkpoint::key_id`].
        key_id: [u8; 4],
        /// Over [`Checkpoint::body`].
        sig: Signature,
    },
}

impl Fact {
    /// Signs with the root key that `member` is the first owner.
    pub fn genesis(
        vault: VaultId,
        root_pk: PublicKey,
        member: MemberId,
        pk: PublicKey,
        at: Time,
        root: Signer<'_>,
    ) -> Self {
        let owner = Some(Role::Owner);
        let sig = root(&statement::member(vault, member, owner, &pk, member, at));
        Self::Genesis { vault, root_pk, member, pk, sig }
    }

    /// Signs, as `by`, that `id` has `role` and `pk` from the line of time `at`.
    pub fn member(
        vault: VaultId,
        id: MemberId,
        role: Option<Role>,
        pk: PublicKey,
        by: MemberId,
        at: Time,
        signer: Signer<'_>,
    ) -> Self {
        let sig = signer(&statement::member(vault, id, role, &pk, by, at));
        Self::Member { id, role, pk, by, sig }
    }

    /// Signs, as `by` with key `pk`, the tree `head`.
    pub fn checkpoint(head: &Checkpoint, by: MemberId, pk: &PublicKey, signer: Signer<'_>) -> Self {
        let key_id = checkpoint::key_id(&checkpoint::key_name(head.vault, by), pk);
        let sig = signer(head.body().as_bytes());
        Self::Checkpoint { size: head.size, root: head.root, by, key_id, sig }
    }

    /// Names, in order, and values.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Genesis { vault, root_pk, member, pk, sig } => vec![
                ("member", member.to_string()),
                ("pk", hash::base64(pk)),
                ("root_pk", hash::base64(root_pk)),
                ("sig", BASE64.encode(sig)),
                ("vault", vault.to_string()),
            ],
            Self::Member { id, role, pk, by, sig } => vec![
                ("by", by.to_string()),
                ("id", id.to_string()),
                ("pk", hash::base64(pk)),
                ("role", role.map_or(statement::REMOVED, Role::word).to_owned()),
                ("sig", BASE64.encode(sig)),
            ],
            Self::Checkpoint { size, root, by, key_id, sig } => vec![
                ("by", by.to_string()),
                ("root", hash::base64(root)),
                ("sig", BASE64.encode(&[&key_id[..], sig].concat())),
                ("size", size.to_string()),
            ],
        }
    }

    /// Reads what [`Fact::pairs`] printed; other spellings of the same values
    /// are found by printing again.
    fn parse(pairs: &[(&str, &str)]) -> Option<Self> {
        let value = |i: usize, name: &str| pairs.get(i).filter(|p| p.0 == name).map(|p| p.1);
        let bytes = |text: &str| BASE64.decode(text.as_bytes()).ok();
        let key = |text: &str| hash::from_base64(text.as_bytes());
        let fact = match pairs.first()?.0 {
            "member" => Self::Genesis {
                member: value(0, "member")?.parse().ok()?,
                pk: key(value(1, "pk")?)?,
                root_pk: key(value(2, "root_pk")?)?,
                sig: bytes(value(3, "sig")?)?.try_into().ok()?,
                vault: value(4, "vault")?.parse().ok()?,
            },
            _ if pairs.get(1)?.0 == "id" => Self::Member {
                by: value(0, "by")?.parse().ok()?,
                id: value(1, "id")?.parse().ok()?,
                pk: key(value(2, "pk")?)?,
                role: match value(3, "role")? {
                    statement::REMOVED => None,
                    word => Some(word.parse().ok()?),
                },
                sig: bytes(value(4, "sig")?)?.try_into().ok()?,
            },
            _ => {
                let stamp = bytes(value(2, "sig")?)?;
                let (key_id, sig) = stamp.split_first_chunk::<4>()?;
                Self::Checkpoint {
                    by: value(0, "by")?.parse().ok()?,
                    root: key(value(1, "root")?)?,
                    key_id: *key_id,
                    sig: sig.try_into().ok()?,
                    size: value(3, "size")?.parse().ok()?,
                }
            }
        };
        let printed = fact.pairs();
        let same = printed.len() == pairs.len()
            && printed.iter().zip(pairs).all(|(a, b)| a.0 == b.0 && a.1 == b.1);
        same.then_some(fact)
    }
}

/// A line ready to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// Canonical JSON.
    pub leaf: Vec<u8>,
    /// To be stored sealed: salts and values.
    pub opening: Vec<u8>,
    /// Leaf hash.
    pub hash: Hash,
}

/// Makes line `seq` after the line whose hash is `prev` (zeros for the first).
/// `salts` fills a buffer with random bytes.
pub fn seal(draft: &Draft, seq: u64, prev: &Hash, salts: &mut dyn FnMut(&mut [u8])) -> Sealed {
    let mut fields: Vec<(&str, &str)> = draft
        .fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    fields.sort_by_key(|(name, _)| *name);
    fields.dedup_by_key(|(name, _)| *name);
    let mut random = vec![[0u8; 16]; fields.len()];
    salts(random.as_flattened_mut());

    let mut leaf = Vec::with_capacity(256 + 64 * fields.len());
    let at = draft.at.to_string();
    let actor = draft.actor.map(|id| id.0);
    print_head(&mut leaf, seq, at.as_bytes(), actor.as_ref(), draft.event.word(), draft.ok, prev);
    let mut put = |text: &str| leaf.extend_from_slice(text.as_bytes());
    let commitments = fields
        .iter()
        .zip(&random)
        .map(|((name, value), salt)| (*name, hash::base64(&hash::commitment(name, salt, value))));
    object(&mut put, commitments);
    if let Some(fact) = &draft.fact {
        put(r#","p":{"#);
        object(&mut put, fact.pairs().into_iter());
    }
    put("}");

    let opening = opening::encode(fields.iter().zip(&random).map(|((name, value), salt)| Opened {
        name,
        salt: *salt,
        value,
    }));
    let hash = hash::leaf(&leaf);
    Sealed { leaf, opening, hash }
}

/// Appends a line's text up to where its commitments begin.
pub(super) fn print_head(
    out: &mut Vec<u8>,
    seq: u64,
    at: &[u8],
    actor: Option<&[u8; 16]>,
    event: &str,
    ok: bool,
    prev: &Hash,
) {
    out.extend_from_slice(br#"{"v":1,"seq":"#);
    out.extend_from_slice(itoa::Buffer::new().format(seq).as_bytes());
    out.extend_from_slice(br#","t":""#);
    out.extend_from_slice(at);
    match actor {
        None => out.extend_from_slice(br#"","actor":null"#),
        Some(id) => {
            let mut text = [0; 32];
            HEXLOWER.encode_mut(id, &mut text);
            out.extend_from_slice(br#"","actor":""#);
            out.extend_from_slice(&text);
            out.push(b'"');
        }
    }
    out.extend_from_slice(br#","ev":""#);
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(if ok {
        br#"","ok":true,"prev":""#
    } else {
        br#"","ok":false,"prev":""#
    });
    out.extend_from_slice(&hash::base64_text(prev));
    out.extend_from_slice(br#"","c":{"#);
}

/// Writes the pairs and closes the object that is open.
fn object(put: &mut impl FnMut(&str), pairs: impl Iterator<Item = (&'static str, String)>) {
    for (i, (name, value)) in pairs.enumerate() {
        put(if i == 0 { "\"" } else { ",\"" });
        put(name);
        put("\":\"");
        put(&value);
        put("\"");
    }
    put("}");
}

/// A line read strictly, its values still hidden.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Sequence number.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Who.
    pub actor: Option<MemberId>,
    /// What.
    pub event: Event,
    /// Whether it succeeded.
    pub ok: bool,
    /// Hash of the line before.
    pub prev: Hash,
    /// Field names, ascending, and commitments.
    pub commitments: Vec<(&'a str, Hash)>,
    /// Public facts.
    pub fact: Option<Fact>,
}

/// Reads a line; `None` unless it is exactly what [`seal`] could have printed.
pub fn parse(leaf: &[u8]) -> Option<Line<'_>> {
    let head = scan::head(leaf)?;
    let mut commitments = Vec::with_capacity(12);
    let after = pairs(head.rest, |name, value| {
        commitments.push((name, hash::from_base64(value)?));
        Some(())
    })?;
    if !commitments.is_sorted_by(|a, b| a.0 < b.0) {
        return None;
    }
    let fact = match after {
        b"}" => None,
        more => {
            let mut public = Vec::with_capacity(5);
            let after = pairs(more.strip_prefix(br#","p":{"#)?, |name, value| {
                public.push((name, std::str::from_utf8(value).ok()?));
                Some(())
            })?;
            (after == b"}").then_some(())?;
            Some(Fact::parse(&public)?)
        }
    };
    Some(Line {
        seq: head.seq,
        at: Time::of_text(head.time)?,
        actor: match head.actor {
            None => None,
            Some(text) => Some(member_id(text)?),
        },
        event: head.event.parse().ok()?,
        ok: head.ok,
        prev: hash::from_base64(head.prev)?,
        commitments,
        fact,
    })
}

fn pairs<'a>(
    mut rest: &'a [u8],
    mut take: impl FnMut(&'a str, &'a [u8]) -> Option<()>,
) -> Option<&'a [u8]> {
    let mut first = true;
    loop {
        match scan::member(rest, first)? {
            Err(after) => return Some(after),
            Ok((name, value, after)) => {
                take(name, value)?;
                (rest, first) = (after, false);
            }
        }
    }
}

/// An id in lower case only.
pub(super) fn member_id(text: &str) -> Option<MemberId> {
    let mut id = [0; 16];
    let read = (text.len() == 32).then(|| HEXLOWER.decode_mut(text.as_bytes(), &mut id))?;
    read.ok().map(|_| MemberId(id))
}

impl Line<'_> {
    /// Checks one disclosed value against its commitment.
    ///
    /// # Errors
    /// [`Fault::Forged`], also when the line has no such field.
    pub fn check(&self, field: &Opened<'_>) -> Result<(), Fault> {
        let forged = || Fault::Forged { line: self.seq, field: field.name.to_owned() };
        let at = self
            .commitments
            .binary_search_by_key(&field.name, |(name, _)| name)
            .map_err(|_| forged())?;
        let found = hash::commitment(field.name, &field.salt, field.value);
        if found == self.commitments[at].1 { Ok(()) } else { Err(forged()) }
    }

    /// The line with the values of `opened`, each checked.
    ///
    /// # Errors
    /// As [`Line::check`].
    pub fn opened(&self, leaf_hash: &Hash, opened: &[Opened<'_>]) -> Result<OpenLine, Fault> {
        let mut fields = Vec::with_capacity(opened.len());
        for field in opened {
            self.check(field)?;
            fields.push((field.name.to_owned(), field.value.to_owned()));
        }
        fields.sort_by_key(|(name, _)| column(name));
        Ok(OpenLine {
            seq: self.seq,
            at: self.at,
            actor: self.actor,
            event: self.event,
            ok: self.ok,
            fields,
            leaf_hash: hash::hex(leaf_hash),
        })
    }
}

/// Place of a field among the columns; unknown ones last. Written out, because
/// it is asked for each value of each line.
fn column(name: &str) -> usize {
    match name {
        field::MEMBER => 0,
        field::MACHINE => 1,
        field::CLIENT => 2,
        field::ENTRY => 3,
        field::TICKET => 4,
        field::REASON => 5,
        field::CONNECTOR => 6,
        field::HOST => 7,
        field::PORT => 8,
        field::REMOTE_USER => 9,
        field::HOST_KEY => 10,
        field::HOPS => 11,
        field::SESSION => 12,
        field::DURATION_MS => 13,
        field::BYTES_IN => 14,
        field::BYTES_OUT => 15,
        field::EXIT => 16,
        field::SLOT => 17,
        field::SUBJECT => 18,
        field::ROLE => 19,
        field::FILE => 20,
        field::COUNT => 21,
        field::DETAIL => 22,
        _ => field::ALL.len(),
    }
}

/// A line as the vault keeps it, and what was made of it.
#[derive(Clone, Copy)]
pub struct Stored<'a> {
    /// Where it is stored.
    pub seq: u64,
    /// As [`packed::pack`] made it.
    pub packed: &'a [u8],
    /// Its text.
    pub leaf: &'a [u8],
    /// Its opening in clear; `None` leaves all values hidden.
    pub opening: Option<&'a [u8]>,
}

/// As [`open`] into a line that was used before, whose room is used again, and
/// with the [`hash::leaf`] of the text. Most lines of a log are plain: no public
/// facts, and every value there to be checked.
///
/// # Errors
/// As [`open`].
pub fn open_into(
    seq: u64,
    line: Stored<'_>,
    leaf_hash: &Hash,
    out: &mut OpenLine,
) -> Result<(), Fault> {
    match see(seq, line) {
        Some(seen) => fill(seq, &seen, leaf_hash, out),
        // Something else, or a fault: the strict way says which.
        None => *out = open(seq, line.leaf, line.opening)?,
    }
    Ok(())
}

/// Values of a plain line at most.
const MOST_PLAIN: usize = 32;

/// A plain line with its values, all where they were read.
pub struct Seen<'a> {
    /// As [`OpenLine::at`].
    pub at: Time,
    /// As [`OpenLine::actor`].
    pub actor: Option<MemberId>,
    /// As [`OpenLine::event`].
    pub event: Event,
    /// As [`OpenLine::ok`].
    pub ok: bool,
    fields: [(usize, &'static str, &'a str); MOST_PLAIN],
    count: usize,
}

impl<'a> Seen<'a> {
    /// As [`OpenLine::fields`].
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.fields[..self.count].iter().map(|(_, name, value)| (*name, *value))
    }
}

/// The line if it is plain and all its values fit.
pub fn see(seq: u64, line: Stored<'_>) -> Option<Seen<'_>> {
    let mut fields = [(0, "", ""); MOST_PLAIN];
    let mut count = 0;
    let head = plain(seq, line, |name, value| {
        *fields.get_mut(count)? = (column(name), name, value);
        count += 1;
        Some(())
    })?;
    fields[..count].sort_unstable_by_key(|(column, ..)| *column);
    Some(Seen {
        at: head.at,
        actor: head.actor.map(|id| MemberId(*id)),
        event: head.event.parse().ok()?,
        ok: head.ok,
        fields,
        count,
    })
}

fn fill(seq: u64, seen: &Seen<'_>, leaf_hash: &Hash, out: &mut OpenLine) {
    (out.seq, out.at, out.actor) = (seq, seen.at, seen.actor);
    (out.event, out.ok) = (seen.event, seen.ok);
    out.fields.truncate(seen.count);
    for (i, (name, value)) in seen.fields().enumerate() {
        match out.fields.get_mut(i) {
            None => out.fields.push((name.to_owned(), value.to_owned())),
            Some((old_name, old_value)) => {
                old_name.clear();
                old_name.push_str(name);
                old_value.clear();
                old_value.push_str(value);
            }
        }
    }
    out.leaf_hash.clear();
    HEXLOWER.encode_append(leaf_hash, &mut out.leaf_hash);
}

/// A plain line whose values are all in its opening and fit; `take` is handed
/// each. `None` for anything else.
fn plain<'a>(
    seq: u64,
    line: Stored<'a>,
    mut take: impl FnMut(&'static str, &'a str) -> Option<()>,
) -> Option<Plain<'a>> {
    let head = (line.seq == seq).then(|| Plain::of(line.packed)).flatten()?;
    let (version, mut values) = line.opening?.split_first()?;
    if *version != opening::VERSION {
        return None;
    }
    let mut last = "";
    for (name, commitment) in head.commitments() {
        let (field, others) = opening::next(values)?;
        let value = std::str::from_utf8(field.value).ok()?;
        let fits = *commitment == hash::commitment(name, field.salt, value);
        if last >= name || field.name != name.as_bytes() || !fits {
            return None;
        }
        take(name, value)?;
        (values, last) = (others, name);
    }
    values.is_empty().then_some(head)
}

/// Checks a stored line and its opening as [`open`] does; how many values fit.
///
/// # Errors
/// As [`open`].
pub fn check(seq: u64, line: Stored<'_>) -> Result<u64, Fault> {
    let mut count = 0;
    let found = plain(seq, line, |_, _| {
        count += 1;
        Some(())
    });
    if found.is_some_and(|head| head.event.parse::<Event>().is_ok()) {
        return Ok(count);
    }
    open(seq, line.leaf, line.opening).map(|line| line.fields.len() as u64)
}

/// Reads a stored line and its opening (`None` leaves all values hidden), and
/// checks every commitment. `seq` is where the line is stored.
///
/// # Errors
/// [`Fault::Malformed`] for a line or opening that is not one,
/// [`Fault::Reordered`] for another line's, [`Fault::Forged`] for a value.
pub fn open(seq: u64, leaf: &[u8], opening: Option<&[u8]>) -> Result<OpenLine, Fault> {
    let malformed = Fault::Malformed { line: seq };
    let Some(line) = parse(leaf) else { return Err(malformed) };
    if line.seq != seq {
        return Err(Fault::Reordered { line: seq, found: line.seq });
    }
    let opened = match opening {
        None => Vec::new(),
        Some(bytes) => match opening::decode(bytes) {
            None => return Err(malformed),
            Some(opened) => opened,
        },
    };
    line.opened(&hash::leaf(leaf), &opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_those_of_the_model() {
        for (place, name) in field::ALL.iter().enumerate() {
            assert_eq!(column(name), place, "{name}");
        }
        assert_eq!(column("nothing"), field::ALL.len());
    }
}
