//! Who is a member, with which role and keys: a history of signed statements,
//! each naming the one before it, replayed from the founder's key. Rights are
//! judged as they were at that point, so removing or demoting somebody leaves
//! what they rightly did in force. A statement lies on the card of the member it
//! is about; cards are sealed under the vault key and never deleted.
//!
//! It does not stop a member who holds the present vault key from withholding
//! the newest statements; the vault's state and [`super::identity::KeyRing::seen`] do.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::crypto::aead::{self, OpenError, SALT};
use crate::crypto::context::{context, push_lp};
use crate::crypto::kem;
use crate::crypto::keys;
use crate::crypto::sign::{self, SigningKey};
use crate::model::id::{MemberId, VaultId};
use crate::model::member::{Member, Role};
use crate::model::policy::{Action, may};
use crate::model::time::Time;
use crate::secret::Key32;

use super::identity::Identity;

/// The public halves of an [`Identity`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKeys {
    /// Ed25519.
    pub ed: [u8; 32],
    /// X-Wing.
    pub kem: Box<[u8; kem::PUBLIC]>,
}

impl PublicKeys {
    /// Those of an identity.
    pub fn of(identity: &Identity) -> Self {
        Self { ed: identity.signing().public(), kem: Box::new(*identity.kem().public()) }
    }
}

/// What a statement says about its subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Is a member from now on; the first statement of all founds the vault.
    Add {
        /// As typed at unlock.
        name: String,
        /// Role.
        role: Role,
        /// Clients made later are granted too.
        all_clients: bool,
        /// Of an invitation: provisional ones.
        keys: PublicKeys,
    },
    /// Has another name, role or reach.
    Change {
        /// New name.
        name: String,
        /// New role.
        role: Role,
        /// Clients made later are granted too.
        all_clients: bool,
    },
    /// Has keys of its own from now on, signed with the keys before: accepts an invitation.
    Rekey {
        /// The new keys.
        keys: PublicKeys,
    },
    /// Is a member no more.
    Remove,
}

/// One signed step of the history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Position, from 0.
    pub n: u64,
    /// Hash of the statement before; zeros for the first.
    pub prev: [u8; 32],
    /// When, by the author's clock.
    pub at: Time,
    /// Who says so.
    pub author: MemberId,
    /// About whom.
    pub subject: MemberId,
    /// What.
    pub act: Act,
    /// Ed25519 by the author's keys at that point.
    pub sig: [u8; 64],
}

impl Statement {
    /// `CTX("member", vault, u64 n, prev, i64 at, author, subject, act)` with
    /// act = `u8 1 ‖ lp(name) ‖ u8 role ‖ u8 all_clients ‖ ed ‖ SHA-256(kem)`,
    /// `u8 2 ‖ lp(name) ‖ u8 role ‖ u8 all_clients`, `u8 3 ‖ ed ‖ SHA-256(kem)` or `u8 4`.
    fn signed(&self, vault: &VaultId) -> Vec<u8> {
        let mut act = Vec::new();
        self.act.write(&mut act, |out, keys| {
            out.extend_from_slice(&keys.ed);
            out.extend_from_slice(&Sha256::digest(&keys.kem[..]));
        });
        let (n, at) = (self.n.to_be_bytes(), self.at.0.to_be_bytes());
        context("member", &[&vault.0, &n, &self.prev, &at, &self.author.0, &self.subject.0, &act])
    }

    /// What the next statement names: `SHA-256(signed bytes ‖ signature)`.
    fn hash(&self, vault: &VaultId) -> [u8; 32] {
        Sha256::new().chain_update(self.signed(vault)).chain_update(self.sig).finalize().into()
    }
}

impl Act {
    fn write(&self, out: &mut Vec<u8>, write_keys: impl Fn(&mut Vec<u8>, &PublicKeys)) {
        match self {
            Self::Add { name, role, all_clients, keys } => {
                out.push(1);
                push_profile(out, name, *role, *all_clients);
                write_keys(out, keys);
            }
            Self::Change { name, role, all_clients } => {
                out.push(2);
                push_profile(out, name, *role, *all_clients);
            }
            Self::Rekey { keys } => {
                out.push(3);
                write_keys(out, keys);
            }
            Self::Remove => out.push(4),
        }
    }
}

fn push_profile(out: &mut Vec<u8>, name: &str, role: Role, all_clients: bool) {
    push_lp(out, name.as_bytes());
    out.push(role_number(role));
    out.push(all_clients.into());
}

fn role_number(role: Role) -> u8 {
    match role {
        Role::Owner => 1,
        Role::Admin => 2,
        Role::Technician => 3,
        Role::Operator => 4,
        Role::Auditor => 5,
    }
}

/// Every statement about one member.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Card {
    /// In the order of their positions.
    pub statements: Vec<Statement>,
}

/// `SEAL_PADDED(SUB(vault_key, "card", gen), CTX("card", vault, member, u32 gen),
/// u32 count ‖ statements)`, a statement being
/// `u64 n ‖ prev ‖ i64 at ‖ author ‖ subject ‖ act with the whole X-Wing key ‖ sig`.
/// The generation stands in front of the seal.
pub fn seal_card(
    vault_key: &Key32,
    generation: u32,
    vault: &VaultId,
    member: &MemberId,
    card: &Card,
    salt: &[u8; SALT],
) -> Vec<u8> {
    let mut plain = u32::try_from(card.statements.len()).unwrap_or(0).to_be_bytes().to_vec();
    for s in &card.statements {
        plain.extend_from_slice(&s.n.to_be_bytes());
        plain.extend_from_slice(&s.prev);
        plain.extend_from_slice(&s.at.0.to_be_bytes());
        plain.extend_from_slice(&s.author.0);
        plain.extend_from_slice(&s.subject.0);
        s.act.write(&mut plain, |out, keys| {
            out.extend_from_slice(&keys.ed);
            out.extend_from_slice(&keys.kem[..]);
        });
        plain.extend_from_slice(&s.sig);
    }
    let mut out = generation.to_be_bytes().to_vec();
    let key = keys::sub(vault_key, keys::name::CARD, generation);
    out.extend(aead::seal_padded(&key, &card_context(vault, member, generation), salt, &plain));
    out
}

/// Generation of the vault key that opens a sealed card.
pub fn card_generation(sealed: &[u8]) -> Option<u32> {
    sealed.first_chunk().map(|g| u32::from_be_bytes(*g))
}

/// Opens what [`seal_card`] made; nothing in it is trusted before [`Directory::verify`].
///
/// # Errors
/// [`OpenError`]: another key or place, or altered.
pub fn open_card(
    vault_key: &Key32,
    vault: &VaultId,
    member: &MemberId,
    sealed: &[u8],
) -> Result<Card, OpenError> {
    let (generation, sealed) = sealed.split_first_chunk().ok_or(OpenError)?;
    let generation = u32::from_be_bytes(*generation);
    let key = keys::sub(vault_key, keys::name::CARD, generation);
    let plain = aead::open_padded(&key, &card_context(vault, member, generation), sealed)?;
    plain.expose(|p| read_card(&mut Reader(p))).ok_or(OpenError)
}

fn card_context(vault: &VaultId, member: &MemberId, generation: u32) -> Vec<u8> {
    context("card", &[&vault.0, &member.0, &generation.to_be_bytes()])
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn profile(&mut self) -> Option<(String, Role, bool)> {
        let len = u32::from_be_bytes(self.array()?) as usize;
        let (name, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        let [role, all] = self.array()?;
        let role = Role::ALL.into_iter().find(|&r| role_number(r) == role)?;
        let all = [false, true].into_iter().find(|&a| u8::from(a) == all)?;
        Some((String::from_utf8(name.to_vec()).ok()?, role, all))
    }

    fn keys(&mut self) -> Option<PublicKeys> {
        Some(PublicKeys { ed: self.array()?, kem: Box::new(self.array()?) })
    }
}

fn read_card(r: &mut Reader<'_>) -> Option<Card> {
    let count = u32::from_be_bytes(r.array()?);
    let mut statements = Vec::new();
    for _ in 0..count {
        statements.push(Statement {
            n: u64::from_be_bytes(r.array()?),
            prev: r.array()?,
            at: Time(i64::from_be_bytes(r.array()?)),
            author: MemberId(r.array()?),
            subject: MemberId(r.array()?),
            act: match r.array()? {
                [1] => {
                    let (name, role, all_clients) = r.profile()?;
                    Act::Add { name, role, all_clients, keys: r.keys()? }
                }
                [2] => {
                    let (name, role, all_clients) = r.profile()?;
                    Act::Change { name, role, all_clients }
                }
                [3] => Act::Rekey { keys: r.keys()? },
                [4] => Act::Remove,
                _ => return None,
            },
            sig: r.array()?,
        });
    }
    r.0.is_empty().then_some(Card { statements })
}

/// A member as the history has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trusted {
    /// Identity.
    pub id: MemberId,
    /// As typed at unlock.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Clients made later are granted too.
    pub all_clients: bool,
    /// Present keys.
    pub keys: PublicKeys,
    /// Signing keys this member had before, the oldest first: older signatures
    /// in the audit log are theirs.
    pub past_keys: Vec<[u8; 32]>,
    /// When the member was added.
    pub added_at: Time,
    /// False while an invitation waits.
    pub accepted: bool,
}

impl Trusted {
    /// What others may know.
    pub fn member(&self) -> Member {
        Member {
            id: self.id,
            name: self.name.clone(),
            role: self.role,
            all_clients: self.all_clients,
            added_at: self.added_at,
            accepted: self.accepted,
        }
    }
}

/// What is wrong with a history, and at which statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not begin with the founder's own statement.
    #[error("the member history does not begin with the founder")]
    Root,
    /// A statement is missing, doubled, or does not name the one before it.
    #[error("the member history is broken at statement {0}")]
    Broken(u64),
    /// A signature does not verify.
    #[error("the member history has a false signature at statement {0}")]
    Signature(u64),
    /// The author had no right to say that.
    #[error("the member history has a statement {0} that its author had no right to make")]
    NoRight(u64),
    /// The history is not the one that was verified before.
    #[error("the member history was replaced")]
    Forked,
}

/// The members of a vault, verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directory {
    vault: VaultId,
    members: BTreeMap<MemberId, Trusted>,
    former: BTreeMap<MemberId, Trusted>,
    length: u64,
    head: [u8; 32],
}

impl Directory {
    /// Begins the history of a new vault; the founder's Ed25519 key is its root.
    pub fn found(
        vault: VaultId,
        founder: MemberId,
        name: &str,
        identity: &Identity,
        at: Time,
    ) -> (Self, Card) {
        let mut empty = Self {
            vault,
            members: BTreeMap::new(),
            former: BTreeMap::new(),
            length: 0,
            head: [0; 32],
        };
        let act = Act::Add {
            name: name.to_owned(),
            role: Role::Owner,
            all_clients: true,
            keys: PublicKeys::of(identity),
        };
        let first = empty.sign(identity.signing(), founder, founder, act, at);
        empty.apply(&first).expect("the founder may found");
        (empty, Card { statements: vec![first] })
    }

    /// Replays all cards from the founder's key. `seen` is what the reader
    /// verified last (see [`super::identity::KeyRing::seen`]): signatures up to
    /// there are not checked again, but the history must begin exactly so.
    ///
    /// # Errors
    /// [`Fault`]: the file was tampered with.
    pub fn verify<'a>(
        vault: VaultId,
        root: &[u8; 32],
        cards: impl IntoIterator<Item = (&'a MemberId, &'a Card)>,
        seen: Option<(u64, [u8; 32])>,
    ) -> Result<Self, Fault> {
        let mut all: Vec<&Statement> = Vec::new();
        for (member, card) in cards {
            if let Some(s) = card.statements.iter().find(|s| s.subject != *member) {
                return Err(Fault::Broken(s.n));
            }
            all.extend(&card.statements);
        }
        all.sort_by_key(|s| s.n);
        let first = all.first().ok_or(Fault::Root)?;
        match &first.act {
            Act::Add { keys, role: Role::Owner, .. } if keys.ed == *root => {}
            _ => return Err(Fault::Root),
        }
        let seen_length = seen.map_or(0, |(length, _)| length);
        if seen_length > all.len() as u64 {
            return Err(Fault::Forked);
        }
        let mut directory = Self {
            vault,
            members: BTreeMap::new(),
            former: BTreeMap::new(),
            length: 0,
            head: [0; 32],
        };
        for statement in all {
            directory.check(statement, statement.n >= seen_length)?;
            directory.apply(statement)?;
            if seen.is_some_and(|s| s.0 == directory.length && s.1 != directory.head) {
                return Err(Fault::Forked);
            }
        }
        Ok(directory)
    }

    /// A present member.
    pub fn member(&self, id: &MemberId) -> Option<&Trusted> {
        self.members.get(id)
    }

    /// A present or removed member: the author of an old line.
    pub fn member_ever(&self, id: &MemberId) -> Option<&Trusted> {
        self.members.get(id).or_else(|| self.former.get(id))
    }

    /// A present member by name, without regard to case.
    pub fn named(&self, name: &str) -> Option<&Trusted> {
        let name = name.trim().to_lowercase();
        self.members.values().find(|m| m.name.to_lowercase() == name)
    }

    /// Present members, by id.
    pub fn members(&self) -> impl Iterator<Item = &Trusted> {
        self.members.values()
    }

    /// Removed members, by id.
    pub fn former(&self) -> impl Iterator<Item = &Trusted> {
        self.former.values()
    }

    /// Length and hash of the history, to be kept as [`super::identity::KeyRing::seen`].
    pub fn seen(&self) -> (u64, [u8; 32]) {
        (self.length, self.head)
    }

    /// Adds a statement of `author` and gives it back, to be appended to the
    /// subject's card in the same transaction.
    ///
    /// # Errors
    /// [`Fault::NoRight`]: the author may not say that, or it would leave the
    /// vault without an owner who accepted.
    pub fn state(
        &mut self,
        author: MemberId,
        signing: &SigningKey,
        subject: MemberId,
        act: Act,
        at: Time,
    ) -> Result<Statement, Fault> {
        let statement = self.sign(signing, author, subject, act, at);
        self.check(&statement, true)?;
        self.apply(&statement)?;
        Ok(statement)
    }

    fn sign(
        &self,
        signing: &SigningKey,
        author: MemberId,
        subject: MemberId,
        act: Act,
        at: Time,
    ) -> Statement {
        let mut statement =
            Statement { n: self.length, prev: self.head, at, author, subject, act, sig: [0; 64] };
        statement.sig = signing.sign(&statement.signed(&self.vault));
        statement
    }

    /// Place, right and, when asked, signature.
    fn check(&self, s: &Statement, signature: bool) -> Result<(), Fault> {
        if s.n != self.length || s.prev != self.head {
            return Err(Fault::Broken(s.n));
        }
        let key = if s.n == 0 {
            match &s.act {
                Act::Add { keys, .. } if s.author == s.subject => keys.ed,
                _ => return Err(Fault::Root),
            }
        } else {
            let author = self.members.get(&s.author).ok_or(Fault::NoRight(s.n))?;
            if !self.allowed(author, s) {
                return Err(Fault::NoRight(s.n));
            }
            author.keys.ed
        };
        if signature {
            sign::verify(&key, &s.signed(&self.vault), &s.sig)
                .map_err(|_| Fault::Signature(s.n))?;
        }
        Ok(())
    }

    fn allowed(&self, author: &Trusted, s: &Statement) -> bool {
        let manages = |role: Role| {
            let needed =
                if role == Role::Owner { Action::ManageOwners } else { Action::ManageMembers };
            author.accepted && may(author.role, needed)
        };
        let free = |name: &str| self.named(name).is_none_or(|m| m.id == s.subject);
        let subject = self.members.get(&s.subject);
        let other_owner = || {
            let mut owners = self.members.values().filter(|m| m.role == Role::Owner && m.accepted);
            owners.any(|m| m.id != s.subject)
        };
        match (&s.act, subject) {
            (Act::Add { name, role, .. }, None) => {
                manages(*role) && free(name) && !self.former.contains_key(&s.subject)
            }
            (Act::Change { name, role, .. }, Some(old)) => {
                manages(*role)
                    && manages(old.role)
                    && free(name)
                    && (*role == Role::Owner || other_owner())
            }
            (Act::Rekey { .. }, Some(_)) => s.author == s.subject,
            (Act::Remove, Some(old)) => manages(old.role) && other_owner(),
            _ => false,
        }
    }

    fn apply(&mut self, s: &Statement) -> Result<(), Fault> {
        let broken = Fault::Broken(s.n);
        match &s.act {
            Act::Add { name, role, all_clients, keys } => {
                let member = Trusted {
                    id: s.subject,
                    name: name.clone(),
                    role: *role,
                    all_clients: *all_clients,
                    keys: keys.clone(),
                    past_keys: Vec::new(),
                    added_at: s.at,
                    accepted: s.n == 0,
                };
                self.members.insert(s.subject, member);
            }
            Act::Change { name, role, all_clients } => {
                let member = self.members.get_mut(&s.subject).ok_or(broken)?;
                name.clone_into(&mut member.name);
                (member.role, member.all_clients) = (*role, *all_clients);
            }
            Act::Rekey { keys } => {
                let member = self.members.get_mut(&s.subject).ok_or(broken)?;
                let old = std::mem::replace(&mut member.keys, keys.clone());
                // An invitation's keys were known to the inviter: they sign nothing more.
                if member.accepted {
                    member.past_keys.push(old.ed);
                }
                member.accepted = true;
            }
            Act::Remove => {
                let member = self.members.remove(&s.subject).ok_or(broken)?;
                self.former.insert(s.subject, member);
            }
        }
        self.head = s.hash(&self.vault);
        self.length = s.n + 1;
        Ok(())
    }
}
