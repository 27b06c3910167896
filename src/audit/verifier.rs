//! Verifies a log line by line in constant memory: chain, tree, statements and
//! signatures. It can stop, be stored, and go on where it stopped.

use std::collections::BTreeMap;

use super::checkpoint::{Checkpoint, NoteSignature, fingerprint};
use super::fault::{Fault, Place};
use super::hash::{self, Hash};
use super::line::{self, Fact, Line};
use super::log::Log;
use super::members::{Directory, Standing, carries_facts};
use super::scan;
use crate::model::audit_event::Event;
use crate::model::id::{MemberId, VaultId};
use crate::model::member::Role;

/// A verification under way.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verifier {
    log: Log,
    /// Sequence number of the next line; the log's size unless lines are missing.
    next: u64,
    directory: Directory,
    authors: BTreeMap<MemberId, Author>,
    /// Lines up to the newest good signature, its own line included.
    signed: u64,
    /// A prefix verified before.
    expected: Option<(u64, Hash)>,
    /// Set when a fault made the roots after it meaningless.
    broken: bool,
}

/// What a member has written and signed: counts of lines from the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Author {
    written: u64,
    signed: u64,
}

/// What a verification has found besides faults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Whose log.
    pub vault: Option<VaultId>,
    /// Lines seen.
    pub lines: u64,
    /// Lines up to the newest signature, its own line included; the rest is an
    /// unsigned tail.
    pub signed: u64,
    /// Members whose last lines no signature of their own covers.
    pub unsigned_authors: Vec<MemberId>,
    /// Root over all lines.
    pub root: Hash,
    /// Public fingerprint; empty when the first line was not seen.
    pub fingerprint: String,
}

impl Verifier {
    /// Starts before the first line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Demands that the first `size` lines have `root`, as they had before.
    pub fn expect(&mut self, size: u64, root: Hash) {
        self.expected = Some((size, root));
    }

    /// The end of the log so far.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Who is a member at this point.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Sequence number the next line must have.
    pub fn next_seq(&self) -> u64 {
        self.next
    }

    /// Takes the next line; returns its leaf hash. After a fault it goes on
    /// with the line as it is, so that further faults are found too.
    ///
    /// # Errors
    /// The first fault of this line.
    pub fn push(&mut self, leaf: &[u8]) -> Result<Hash, Fault> {
        self.push_line(leaf, None)
    }

    /// As [`Verifier::push`] for a caller that has parsed the line, or knows
    /// the hash stored beside it.
    ///
    /// # Errors
    /// The first fault of this line; [`Fault::Edited`] when the hash differs.
    pub fn push_stored(&mut self, leaf: &[u8], stored: &Hash) -> Result<Hash, Fault> {
        self.push_line(leaf, Some(stored))
    }

    fn push_line(&mut self, leaf: &[u8], stored: Option<&Hash>) -> Result<Hash, Fault> {
        let hash = hash::leaf(leaf);
        let seq = self.next;
        let Some(head) = scan::head(leaf) else {
            return self.fail(seq, hash, Fault::Malformed { line: seq });
        };
        let chained = head.prev == hash::base64_text(self.log.last());
        if head.seq != seq && chained {
            return self.fail(seq, hash, Fault::Edited { line: seq });
        }
        if head.seq > seq {
            self.damaged(leaf, &head);
            return self.fail(head.seq, hash, Fault::Missing { from: seq, next: head.seq });
        }
        if head.seq < seq {
            // A line out of place; the next is expected where this one stands.
            self.broken = true;
            return Err(Fault::Reordered { line: seq, found: head.seq });
        }
        if stored.is_some_and(|stored| *stored != hash) {
            return self.fail(seq, hash, Fault::Edited { line: seq });
        }
        if !chained {
            // The line before is not the one this one was chained to.
            self.damaged(leaf, &head);
            return self.fail(seq, hash, Fault::Edited { line: seq.saturating_sub(1) });
        }
        let found = if carries_facts(head.event) {
            match line::parse(leaf) {
                None => Err(Fault::Malformed { line: seq }),
                Some(parsed) => self.facts(&parsed),
            }
        } else if seq == 0 {
            Err(Fault::NoGenesis)
        } else if head.rest.contains(&b'{') || !head.rest.ends_with(b"}}") {
            // Public facts where none belong, or no line at all.
            Err(Fault::Malformed { line: seq })
        } else {
            Ok(())
        };
        // A checkpoint line is its author's signature.
        let signature = head.event == Event::Checkpoint.word();
        if let Some(actor) = head.actor.and_then(line::member_id).filter(|_| !signature) {
            self.authors.entry(actor).or_default().written = seq + 1;
        }
        self.accept(seq, hash)?;
        found.map(|()| hash)
    }

    /// Takes the next line by its hash alone: a line the export left out.
    ///
    /// # Errors
    /// As [`Verifier::push`].
    pub fn push_hash(&mut self, seq: u64, hash: Hash) -> Result<(), Fault> {
        let next = self.next;
        if seq < next {
            self.broken = true;
            return Err(Fault::Reordered { line: next, found: seq });
        }
        if seq > next {
            return self.fail(seq, hash, Fault::Missing { from: next, next: seq }).map(|_| ());
        }
        self.accept(seq, hash)
    }

    /// A line is here that cannot be read at all; goes on behind it.
    ///
    /// # Errors
    /// Lines are missing before it.
    pub fn skip(&mut self, seq: u64) -> Result<(), Fault> {
        let next = self.next;
        if seq < next {
            self.broken = true;
            return Err(Fault::Reordered { line: next, found: seq });
        }
        // Whatever follows was chained to what cannot be read.
        let _ = self.fail(seq, [0; 32], Fault::Unreadable { line: seq });
        if seq > next { Err(Fault::Missing { from: next, next: seq }) } else { Ok(()) }
    }

    /// What a line says of members still counts when the lines before it are
    /// damaged: else every signature after it would be told as a fault.
    fn damaged(&mut self, leaf: &[u8], head: &scan::Head<'_>) {
        self.broken = true;
        if carries_facts(head.event)
            && let Some(parsed) = line::parse(leaf)
        {
            let _ = self.facts(&parsed);
        }
    }

    fn accept(&mut self, seq: u64, hash: Hash) -> Result<(), Fault> {
        self.log.append_hash(hash);
        self.next = seq + 1;
        match self.expected {
            Some((size, root)) if size == self.next && !self.broken && root != self.log.root() => {
                Err(Fault::Rewritten { size })
            }
            _ => Ok(()),
        }
    }

    fn fail(&mut self, seq: u64, hash: Hash, fault: Fault) -> Result<Hash, Fault> {
        self.broken = true;
        self.log.append_hash(hash);
        self.next = seq + 1;
        Err(fault)
    }

    /// Statements and signatures a line carries.
    fn facts(&mut self, parsed: &Line<'_>) -> Result<(), Fault> {
        if parsed.seq == 0 && !matches!(parsed.fact, Some(Fact::Genesis { .. })) {
            return Err(Fault::NoGenesis);
        }
        self.directory.apply(parsed)?;
        let Some(Fact::Checkpoint { size, root, by, key_id, sig }) = &parsed.fact else {
            return Ok(());
        };
        let place = Place::Line(parsed.seq);
        let Some((vault, _)) = self.directory.root() else { return Err(Fault::NoGenesis) };
        if *size != parsed.seq || parsed.actor != Some(*by) {
            return Err(Fault::BadFact { line: parsed.seq });
        }
        let head = Checkpoint { vault, size: *size, root: *root };
        let signature = NoteSignature { by: *by, key_id: *key_id, signature: *sig };
        self.signature(&head, &signature, place)?;
        if !self.broken && *root != self.log.root() {
            return Err(Fault::WrongRoot { place });
        }
        self.signed = *size + 1;
        self.authors.entry(*by).or_default().signed = *size;
        Ok(())
    }

    fn signature(
        &self,
        head: &Checkpoint,
        signature: &NoteSignature,
        place: Place,
    ) -> Result<Standing, Fault> {
        let by = signature.by;
        let Some(standing) = self.directory.standing(by) else {
            return Err(Fault::UnknownSigner { place, by: by.to_string() });
        };
        if !signature.verify(head, &standing.pk) {
            return Err(Fault::BadSignature { place });
        }
        Ok(*standing)
    }

    /// Checks the checkpoint that closes the log: it must cover exactly the
    /// lines seen and be signed by a present member who may read the log.
    /// Returns who signed.
    ///
    /// # Errors
    /// The first fault of the checkpoint.
    pub fn close(
        &mut self,
        head: &Checkpoint,
        signatures: &[NoteSignature],
    ) -> Result<MemberId, Fault> {
        let place = Place::Head;
        if self.directory.root().map(|(vault, _)| vault) != Some(head.vault) {
            return Err(Fault::WrongOrigin { place });
        }
        let (lines, signed) = (self.next, head.size);
        if lines < signed {
            return Err(Fault::Truncated { lines, signed });
        }
        if lines > signed {
            return Err(Fault::Extended { lines, signed });
        }
        if !self.broken && head.root != self.log.root() {
            return Err(Fault::WrongRoot { place });
        }
        let Some(first) = signatures.first() else {
            return Err(Fault::BadSignature { place });
        };
        for signature in signatures {
            let standing = self.signature(head, signature, place)?;
            if !standing.role.reads_audit() {
                return Err(Fault::NotAllowed { place, by: signature.by.to_string() });
            }
            self.authors.entry(signature.by).or_default().signed = lines;
        }
        self.signed = lines;
        Ok(first.by)
    }

    /// What was found. Never asks for more lines.
    ///
    /// # Errors
    /// [`Fault::RolledBack`] when there were fewer lines than verified before.
    pub fn finish(&self) -> Result<Summary, Fault> {
        if let Some((seen, _)) = self.expected
            && self.next < seen
        {
            return Err(Fault::RolledBack { lines: self.next, seen });
        }
        Ok(self.summary())
    }

    /// What was found so far.
    pub fn summary(&self) -> Summary {
        let root = self.directory.root();
        Summary {
            vault: root.map(|(vault, _)| vault),
            lines: self.next,
            signed: self.signed,
            unsigned_authors: self
                .authors
                .iter()
                .filter(|(_, a)| a.written > a.signed)
                .map(|(id, _)| *id)
                .collect(),
            root: self.log.root(),
            fingerprint: root.map_or_else(String::new, |(vault, pk)| fingerprint(vault, &pk)),
        }
    }

    /// Everything needed to go on later from here. Keep it where nobody else
    /// can write: who can, can make a changed log look verified. `None` after a
    /// fault.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        if self.broken {
            return None;
        }
        let state: State = (
            self.log.to_bytes(),
            self.directory.root.map(|(vault, pk)| (vault.0, pk)),
            self.directory.members.iter().map(|(id, s)| (id.0, s.role, s.pk, s.joined)).collect(),
            self.directory.used.iter().copied().collect(),
            self.authors.iter().map(|(id, a)| (id.0, a.written, a.signed)).collect(),
            self.signed,
        );
        Some(postcard::to_stdvec(&state).expect("plain numbers and bytes always encode"))
    }

    /// Goes on from what [`Verifier::to_bytes`] kept; `None` for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (log, root, members, used, authors, signed): State =
            postcard::from_bytes(bytes).ok()?;
        let log = Log::from_bytes(&log)?;
        let members = members
            .into_iter()
            .map(|(id, role, pk, joined)| (MemberId(id), Standing { role, pk, joined }))
            .collect();
        let authors = authors
            .into_iter()
            .map(|(id, written, signed)| (MemberId(id), Author { written, signed }))
            .collect();
        Some(Self {
            next: log.size(),
            log,
            directory: Directory {
                root: root.map(|(vault, pk)| (VaultId(vault), pk)),
                members,
                used: used.into_iter().collect(),
            },
            authors,
            signed,
            expected: None,
            broken: false,
        })
    }
}

type Id = [u8; 16];
type State =
    (Vec<u8>, Option<(Id, Hash)>, Vec<(Id, Role, Hash, bool)>, Vec<Hash>, Vec<(Id, u64, u64)>, u64);
