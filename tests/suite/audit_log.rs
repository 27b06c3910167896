//! The log by itself: lines, chain, tree, statements and signatures, and every
//! way of tampering with them.

use ed25519_dalek::{Signer, SigningKey};
use poterne::audit::line::{self, Fact};
use poterne::audit::{Draft, Fault, Hash, Log, Place, Sealed, Verifier, hash, open, packed};
use poterne::model::audit_event::{Event, OpenLine, field};
use poterne::model::id::{MemberId, VaultId};
use poterne::model::member::Role;
use poterne::model::time::Time;

pub const VAULT: VaultId = VaultId([1; 16]);
pub const ALICE: MemberId = MemberId([0xA1; 16]);
pub const BOB: MemberId = MemberId([0xB0; 16]);

/// A key that depends on `seed` only.
pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn pk(key: &SigningKey) -> [u8; 32] {
    key.verifying_key().to_bytes()
}

pub fn at(n: u64) -> Time {
    Time(1_795_000_000_000_000 + n as i64 * 1_234_567)
}

/// A log under construction: root key 1, Alice the owner with key 2.
pub struct Story {
    pub log: Log,
    pub lines: Vec<Sealed>,
    salt: u8,
}

impl Story {
    pub fn new() -> Self {
        let mut story = Self { log: Log::new(), lines: Vec::new(), salt: 0 };
        let fact = Fact::genesis(VAULT, pk(&key(1)), ALICE, pk(&key(2)), at(0), &|m| {
            key(1).sign(m).to_bytes()
        });
        story.put(Event::VaultCreated, ALICE, &[(field::MEMBER, "Alice")], Some(fact));
        story
    }

    pub fn put(
        &mut self,
        event: Event,
        actor: MemberId,
        fields: &[(&'static str, &str)],
        fact: Option<Fact>,
    ) {
        let fields = fields.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        let at = at(self.log.size());
        let ok = event != Event::SessionFailed;
        self.add(&Draft { at, actor: Some(actor), event, ok, fields, fact });
    }

    fn add(&mut self, draft: &Draft) {
        let salt = &mut self.salt;
        let line = self.log.append(draft, &mut |buf| {
            buf.iter_mut().for_each(|b| {
                *salt = salt.wrapping_mul(5).wrapping_add(17);
                *b = *salt;
            });
        });
        self.lines.push(line);
    }

    pub fn reveal(&mut self, actor: MemberId, client: &str, entry: &str) {
        let fields = [(field::CLIENT, client), (field::ENTRY, entry), (field::MEMBER, "X")];
        self.put(Event::SecretRevealed, actor, &fields, None);
    }

    pub fn sign(&mut self, by: MemberId, with: &SigningKey) {
        let at = at(self.log.size());
        let draft = self
            .log
            .checkpoint_draft(VAULT, by, &pk(with), at, Vec::new(), &|m| with.sign(m).to_bytes());
        self.add(&draft);
    }

    /// A member line signed by `by` with `with`.
    pub fn member(
        &mut self,
        event: Event,
        id: MemberId,
        role: Option<Role>,
        new: &SigningKey,
        (by, with): (MemberId, &SigningKey),
    ) {
        let at = at(self.log.size());
        let fact = Fact::member(VAULT, id, role, pk(new), by, at, &|m| with.sign(m).to_bytes());
        self.put(event, by, &[(field::SUBJECT, "somebody")], Some(fact));
    }

    /// Alice invites Bob, who joins, works and signs; twelve lines.
    pub fn usual() -> Self {
        let mut s = Self::new();
        let alice = (ALICE, &key(2));
        s.reveal(ALICE, "Dupont", "Dupont/Serveurs/web1");
        s.member(Event::MemberInvited, BOB, Some(Role::Technician), &key(3), alice);
        s.member(Event::MemberJoined, BOB, Some(Role::Technician), &key(4), (BOB, &key(3)));
        s.reveal(BOB, "Dupont", "Dupont/Serveurs/web2");
        s.reveal(BOB, "Martin", "Martin/Été \"1\"");
        s.sign(BOB, &key(4));
        s.reveal(ALICE, "Martin", "Martin/Pare-feu");
        s.member(Event::MemberRemoved, BOB, None, &key(4), alice);
        s.reveal(ALICE, "Durand", "Durand/NAS");
        s.sign(ALICE, &key(2));
        s.reveal(ALICE, "Durand", "Durand/Onduleur");
        s
    }

    pub fn leaves(&self) -> Vec<Vec<u8>> {
        self.lines.iter().map(|l| l.leaf.clone()).collect()
    }
}

fn faults(leaves: &[Vec<u8>]) -> Vec<Fault> {
    let mut verifier = Verifier::new();
    leaves.iter().filter_map(|leaf| verifier.push(leaf).err()).collect()
}

#[test]
fn an_untouched_log_verifies_and_says_what_is_signed() {
    let story = Story::usual();
    let mut verifier = Verifier::new();
    for line in &story.lines {
        assert_eq!(verifier.push_stored(&line.leaf, &line.hash), Ok(line.hash));
    }
    let summary = verifier.finish().expect("nothing was verified before");
    assert_eq!((summary.lines, summary.signed), (12, 11));
    assert_eq!(summary.unsigned_authors, vec![ALICE]);
    assert_eq!(summary.root, story.log.root());
    assert_eq!(verifier.log(), &story.log);
}

#[test]
fn a_line_opens_with_its_values_and_stays_closed_without_them() {
    let story = Story::usual();
    let line = &story.lines[5];
    let text = String::from_utf8(line.leaf.clone()).expect("JSON is UTF-8");
    assert!(!text.contains("Martin"), "{text}");
    let opened = open(5, &line.leaf, Some(&line.opening)).expect("it is untouched");
    assert_eq!(opened.field(field::ENTRY), "Martin/Été \"1\"");
    assert_eq!((opened.seq, opened.event), (5, Event::SecretRevealed));
    assert_eq!(opened.at, at(5));
    assert!(open(5, &line.leaf, None).expect("closed is fine").fields.is_empty());
    let names: Vec<_> = opened.fields.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, [field::MEMBER, field::CLIENT, field::ENTRY], "in column order");
}

#[test]
fn any_flipped_bit_of_a_line_or_opening_is_noticed() {
    let story = Story::usual();
    let leaves = story.leaves();
    for place in [0, 3, 6, 9] {
        for byte in 0..leaves[place].len() {
            let mut bent = leaves.clone();
            bent[place][byte] ^= 1 << (byte % 8);
            assert!(!faults(&bent).is_empty(), "line {place}, byte {byte}");
        }
    }
    let line = &story.lines[5];
    for byte in 0..line.opening.len() {
        let mut bent = line.opening.clone();
        bent[byte] ^= 1 << (byte % 8);
        assert!(open(5, &line.leaf, Some(&bent)).is_err(), "opening, byte {byte}");
    }
}

#[test]
fn the_quick_ways_to_open_and_to_check_say_what_the_strict_one_says() {
    let story = Story::usual();
    let mut room = OpenLine::empty();
    let mut same = |seq: u64, leaf: &[u8], opening: Option<&[u8]>, what: &str| {
        let strict = open(seq, leaf, opening);
        let hashed = hash::leaf(leaf);
        let packed = packed::pack(leaf, seq);
        let line = line::Stored { seq, packed: &packed, leaf, opening };
        let quick = line::open_into(seq, line, &hashed, &mut room).map(|()| room.clone());
        assert_eq!(quick, strict, "{what}");
        let count = strict.map(|line| line.fields.len() as u64);
        assert_eq!(line::check(seq, line), count, "{what}");
    };
    for (seq, line) in (0..).zip(&story.lines) {
        same(seq, &line.leaf, Some(&line.opening), "whole");
        same(seq, &line.leaf, None, "hidden");
        same(seq + 1, &line.leaf, Some(&line.opening), "elsewhere");
        same(seq, &line.leaf, Some(&story.lines[4].opening), "other values");
        same(seq, &line.leaf, Some(&line.opening[..line.opening.len() / 2]), "half the values");
        for byte in 0..line.leaf.len() {
            let mut bent = line.leaf.clone();
            bent[byte] ^= 1 << (byte % 7);
            same(seq, &bent, Some(&line.opening), &format!("line {seq}, byte {byte}"));
        }
    }
    let line = &story.lines[5];
    for byte in 0..line.opening.len() {
        let mut bent = line.opening.clone();
        bent[byte] ^= 1 << (byte % 8);
        same(5, &line.leaf, Some(&bent), &format!("opening, byte {byte}"));
    }
}

#[test]
fn a_line_of_another_place_is_not_opened_here() {
    let story = Story::usual();
    let stored = &story.lines[5];
    let packed = packed::pack(&stored.leaf, 5);
    assert!(packed.len() < stored.leaf.len() / 2 + 64, "it is of the packed form");
    let opening = Some(&stored.opening[..]);
    let line = line::Stored { seq: 5, packed: &packed, leaf: &stored.leaf, opening };
    let moved = Fault::Reordered { line: 4, found: 5 };
    assert_eq!(line::check(4, line), Err(moved.clone()));
    let mut room = OpenLine::empty();
    assert_eq!(line::open_into(4, line, &stored.hash, &mut room), Err(moved));
}

#[test]
fn a_packed_line_gives_its_text_back() {
    let story = Story::usual();
    let (mut text, mut plain) = (Vec::new(), 0);
    let mut same = |seq: u64, leaf: &[u8]| {
        let packed = packed::pack(leaf, seq);
        packed::unpack(&packed, seq, &mut text).expect("packed just now");
        assert_eq!(text, leaf, "{:?}", String::from_utf8_lossy(leaf));
        plain += u64::from(packed.len() < leaf.len());
    };
    for (seq, line) in (0..).zip(&story.lines) {
        same(seq, &line.leaf);
        same(seq + 1, &line.leaf);
        for byte in 0..line.leaf.len() {
            let mut bent = line.leaf.clone();
            bent[byte] ^= 1 << (byte % 8);
            same(seq, &bent);
            same(seq, &line.leaf[..byte]);
        }
    }
    same(0, b"");
    assert!(plain > 100, "{plain} were packed");
}

#[test]
fn what_is_no_packed_line_is_refused() {
    let story = Story::usual();
    let packed = packed::pack(&story.lines[5].leaf, 5);
    let mut text = Vec::new();
    assert!(packed::unpack(&[], 5, &mut text).is_none());
    assert!(packed::unpack(&[2], 5, &mut text).is_none(), "an unknown form");
    for end in 1..packed.len() {
        // Cut behind a commitment it is another line, which the chain finds.
        if let Some(()) = packed::unpack(&packed[..end], 5, &mut text) {
            assert_ne!(text, story.lines[5].leaf, "{end}");
        }
    }
    let mut flags = packed.clone();
    flags[1] |= 4;
    assert!(packed::unpack(&flags, 5, &mut text).is_none(), "an unknown flag");
    let mut field = packed.clone();
    let last = field.len() - 33;
    field[last] = 200;
    assert!(packed::unpack(&field, 5, &mut text).is_none(), "an unknown field");
}

#[test]
fn dropped_swapped_and_repeated_lines_are_named() {
    let leaves = Story::usual().leaves();
    let mut dropped = leaves.clone();
    dropped.remove(5);
    assert_eq!(faults(&dropped)[0], Fault::Missing { from: 5, next: 6 });
    let mut swapped = leaves.clone();
    swapped.swap(4, 5);
    assert!(faults(&swapped).contains(&Fault::Reordered { line: 6, found: 4 }));
    let mut repeated = leaves.clone();
    repeated.insert(5, leaves[4].clone());
    assert_eq!(faults(&repeated), [Fault::Reordered { line: 5, found: 4 }]);
    let mut edited = leaves.clone();
    let text = String::from_utf8(edited[4].clone()).expect("JSON is UTF-8");
    edited[4] = text.replace("secret.revealed", "secret.copied").into_bytes();
    assert_eq!(faults(&edited)[0], Fault::Edited { line: 4 });
    assert_eq!(faults(&leaves[1..])[0], Fault::Missing { from: 0, next: 1 });
}

#[test]
fn a_shorter_or_rewritten_log_than_seen_before_is_noticed() {
    let story = Story::usual();
    let mut verifier = Verifier::new();
    verifier.expect(12, story.log.root());
    story.lines[..8].iter().for_each(|l| {
        verifier.push(&l.leaf).expect("untouched");
    });
    assert_eq!(verifier.finish(), Err(Fault::RolledBack { lines: 8, seen: 12 }));

    let mut other = Story::new();
    for _ in 0..11 {
        other.reveal(ALICE, "Autre", "Autre/chose");
    }
    let mut verifier = Verifier::new();
    verifier.expect(12, story.log.root());
    let found: Vec<_> = other.lines.iter().filter_map(|l| verifier.push(&l.leaf).err()).collect();
    assert_eq!(found, [Fault::Rewritten { size: 12 }]);
}

#[test]
fn verification_goes_on_where_it_was_kept() {
    let story = Story::usual();
    for cut in 0..=story.lines.len() {
        let mut verifier = Verifier::new();
        story.lines[..cut].iter().for_each(|l| {
            verifier.push(&l.leaf).expect("untouched");
        });
        let kept = verifier.to_bytes().expect("no fault");
        let mut verifier = Verifier::from_bytes(&kept).expect("just written");
        story.lines[cut..].iter().for_each(|l| {
            verifier.push(&l.leaf).expect("untouched");
        });
        assert_eq!(verifier.summary().root, story.log.root());
        assert_eq!(verifier.summary().signed, 11);
    }
    assert!(Verifier::from_bytes(b"\x01\x02").is_none());
}

#[test]
fn signatures_of_strangers_and_of_removed_members_are_refused() {
    let mut s = Story::usual();
    s.sign(BOB, &key(4));
    let place = Place::Line(12);
    assert_eq!(faults(&s.leaves()), [Fault::UnknownSigner { place, by: BOB.to_string() }]);

    let mut s = Story::new();
    s.sign(ALICE, &key(9));
    assert_eq!(faults(&s.leaves()), [Fault::BadSignature { place: Place::Line(1) }]);
}

#[test]
fn only_those_with_the_right_give_roles() {
    let carol = MemberId([0xCA; 16]);
    let mut s = Story::usual();
    let alice = (ALICE, &key(2));
    s.member(Event::MemberInvited, carol, Some(Role::Technician), &key(5), alice);
    let carol_key = key(6);
    s.member(Event::MemberJoined, carol, Some(Role::Technician), &carol_key, (carol, &key(5)));
    assert_eq!(faults(&s.leaves()), []);
    let before = s.lines.len();

    // A technician who makes herself owner.
    s.member(Event::MemberChanged, carol, Some(Role::Owner), &carol_key, (carol, &carol_key));
    let place = Place::Line(before as u64);
    assert_eq!(faults(&s.leaves()), [Fault::NotAllowed { place, by: carol.to_string() }]);

    // An owner who puts another key under somebody's name.
    let mut s = Story::usual();
    s.member(Event::MemberInvited, carol, Some(Role::Auditor), &key(5), alice);
    s.member(Event::MemberJoined, carol, Some(Role::Auditor), &key(6), (carol, &key(5)));
    s.member(Event::MemberChanged, carol, Some(Role::Auditor), &key(7), alice);
    assert_eq!(faults(&s.leaves()), [Fault::BadFact { line: 14 }]);

    // Joining with a better role than was offered.
    let mut s = Story::new();
    s.member(Event::MemberInvited, carol, Some(Role::Operator), &key(5), alice);
    s.member(Event::MemberJoined, carol, Some(Role::Admin), &key(6), (carol, &key(5)));
    assert_eq!(faults(&s.leaves()), [Fault::BadFact { line: 2 }]);
}

#[test]
fn a_statement_counts_once_and_only_in_its_own_line() {
    let carol = MemberId([0xCA; 16]);
    let alice = key(2);
    let mut s = Story::new();
    let sign = |m: &[u8]| alice.sign(m).to_bytes();
    let offer = Fact::member(VAULT, carol, Some(Role::Admin), pk(&key(5)), ALICE, at(1), &sign);
    s.put(Event::MemberInvited, ALICE, &[], Some(offer.clone()));
    let gone = Fact::member(VAULT, carol, None, pk(&key(5)), ALICE, at(2), &sign);
    s.put(Event::MemberRemoved, ALICE, &[], Some(gone));
    assert_eq!(faults(&s.leaves()), []);
    s.put(Event::MemberInvited, ALICE, &[], Some(offer.clone()));
    assert_eq!(faults(&s.leaves()), [Fault::BadSignature { place: Place::Line(3) }]);

    // Also under its own time.
    let mut s = Story::new();
    s.put(Event::MemberInvited, ALICE, &[], Some(offer.clone()));
    let again = Draft {
        at: at(1),
        actor: Some(ALICE),
        event: Event::MemberInvited,
        ok: true,
        fields: Vec::new(),
        fact: Some(offer),
    };
    s.add(&again);
    assert_eq!(faults(&s.leaves()), [Fault::Replayed { line: 2 }]);
}

#[test]
fn the_closing_checkpoint_must_fit_and_its_signer_may_read_the_log() {
    let story = Story::usual();
    let run = || {
        let mut verifier = Verifier::new();
        story.lines.iter().for_each(|l| {
            verifier.push(&l.leaf).expect("untouched");
        });
        verifier
    };
    let head = story.log.checkpoint(VAULT);
    let alice = key(2);
    let note = head.sign(ALICE, &pk(&alice), &|m| alice.sign(m).to_bytes());
    let (read, signatures) = poterne::audit::Checkpoint::parse(&note).expect("just printed");
    assert_eq!(read, head);
    let mut verifier = run();
    assert_eq!(verifier.close(&read, &signatures), Ok(ALICE));
    assert_eq!(verifier.summary().unsigned_authors, []);

    for (size, fault) in [
        (11, Fault::Extended { lines: 12, signed: 11 }),
        (13, Fault::Truncated { lines: 12, signed: 13 }),
    ] {
        let other = poterne::audit::Checkpoint { size, ..head };
        assert_eq!(run().close(&other, &signatures), Err(fault));
    }
    let zeros: Hash = [0; 32];
    let other = poterne::audit::Checkpoint { root: zeros, ..head };
    assert_eq!(run().close(&other, &signatures), Err(Fault::WrongRoot { place: Place::Head }));
    assert!(run().close(&head, &[]).is_err());

    // A technician holds no audit key and closes no export.
    let mut s = Story::new();
    s.member(Event::MemberInvited, BOB, Some(Role::Technician), &key(3), (ALICE, &alice));
    s.member(Event::MemberJoined, BOB, Some(Role::Technician), &key(4), (BOB, &key(3)));
    let mut verifier = Verifier::new();
    s.lines.iter().for_each(|l| {
        verifier.push(&l.leaf).expect("untouched");
    });
    let head = s.log.checkpoint(VAULT);
    let note = head.sign(BOB, &pk(&key(4)), &|m| key(4).sign(m).to_bytes());
    let (_, signatures) = poterne::audit::Checkpoint::parse(&note).expect("just printed");
    let by = BOB.to_string();
    let expected = Err(Fault::NotAllowed { place: Place::Head, by });
    assert_eq!(verifier.close(&head, &signatures), expected);
}
