//! What only one member holds: signing key, receiving key, and the ring of keys
//! granted so far, all in one row under the member's key, so that an unlock costs
//! one seal however many clients there are. Encoded by hand into wiped buffers;
//! it never goes through a serialiser.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::crypto::aead::{self, OpenError, SALT};
use crate::crypto::context::context;
use crate::crypto::kem::KemSecret;
use crate::crypto::keys;
use crate::crypto::sign::SigningKey;
use crate::model::id::{EntryId, MemberId, VaultId};
use crate::secret::Key32;

/// A member's two key pairs.
pub struct Identity {
    sign_seed: Key32,
    signing: SigningKey,
    kem: KemSecret,
}

impl Identity {
    /// The identity of two independent random seeds.
    pub fn from_seeds(sign_seed: Key32, kem_seed: &Key32) -> Self {
        let signing = SigningKey::from_seed(&sign_seed);
        Self { sign_seed, signing, kem: KemSecret::from_seed(kem_seed) }
    }

    /// Signs what the member says.
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// Opens what is sealed to the member.
    pub fn kem(&self) -> &KemSecret {
        &self.kem
    }
}

type Generations = BTreeMap<u32, Key32>;

/// The keys a member was granted, by generation.
#[derive(Default)]
pub struct KeyRing {
    vault: Generations,
    audit: Option<(u32, Key32)>,
    pending: Option<(u32, Key32)>,
    clients: BTreeMap<EntryId, Generations>,
    /// Length and hash of the membership history when it was last verified. A
    /// history that does not begin so was forked; see [`super::cert`].
    pub seen: Option<(u64, [u8; 32])>,
}

impl KeyRing {
    /// The vault key of a generation.
    pub fn vault_key(&self, generation: u32) -> Option<&Key32> {
        self.vault.get(&generation)
    }

    /// The vault key of the earliest generation held, and every generation held.
    pub fn first_vault_key(&self) -> Option<&Key32> {
        self.vault.values().next()
    }

    /// All vault keys, the earliest first.
    pub fn vault_keys(&self) -> impl Iterator<Item = (u32, &Key32)> {
        self.vault.iter().map(|(&g, k)| (g, k))
    }

    /// Adds a vault key.
    pub fn put_vault_key(&mut self, generation: u32, key: Key32) {
        self.vault.insert(generation, key);
    }

    /// Forgets every vault key but those of these generations.
    pub fn keep_vault_keys(&mut self, generations: &[u32]) {
        self.vault.retain(|generation, _| generations.contains(generation));
    }

    /// Seed that opens audit values; held by owner, admin and auditor.
    pub fn audit_seed(&self) -> Option<&Key32> {
        self.audit.as_ref().map(|(_, seed)| seed)
    }

    /// Generation of the audit seed, and that seed.
    pub fn audit_key(&self) -> Option<(u32, &Key32)> {
        self.audit.as_ref().map(|(generation, seed)| (*generation, seed))
    }

    /// Gives or takes the audit seed.
    pub fn set_audit_key(&mut self, key: Option<(u32, Key32)>) {
        self.audit = key;
    }

    /// Seed that opens the refused unlocks not yet in the log.
    pub fn pending_seed(&self) -> Option<&Key32> {
        self.pending.as_ref().map(|(_, seed)| seed)
    }

    /// Generation of the pending seed, and that seed.
    pub fn pending_key(&self) -> Option<(u32, &Key32)> {
        self.pending.as_ref().map(|(generation, seed)| (*generation, seed))
    }

    /// Gives or takes the pending seed.
    pub fn set_pending_key(&mut self, key: Option<(u32, Key32)>) {
        self.pending = key;
    }

    /// Newest generation of a client's key, and that key.
    pub fn client_key(&self, client: &EntryId) -> Option<(u32, &Key32)> {
        self.clients.get(client)?.last_key_value().map(|(&g, k)| (g, k))
    }

    /// A client's key of one generation.
    pub fn client_key_at(&self, client: &EntryId, generation: u32) -> Option<&Key32> {
        self.clients.get(client)?.get(&generation)
    }

    /// Every client held.
    pub fn clients(&self) -> impl Iterator<Item = &EntryId> {
        self.clients.keys()
    }

    /// Every key of a client, the earliest generation first.
    pub fn client_keys(&self, client: &EntryId) -> impl Iterator<Item = (u32, &Key32)> {
        self.clients.get(client).into_iter().flatten().map(|(&g, k)| (g, k))
    }

    /// Adds a client's key.
    pub fn put_client_key(&mut self, client: EntryId, generation: u32, key: Key32) {
        self.clients.entry(client).or_default().insert(generation, key);
    }

    /// Forgets one generation, once nothing is sealed under it any more.
    pub fn drop_client_key(&mut self, client: &EntryId, generation: u32) {
        if let Some(keys) = self.clients.get_mut(client) {
            keys.remove(&generation);
            if keys.is_empty() {
                self.clients.remove(client);
            }
        }
    }

    /// Forgets a client.
    pub fn drop_client(&mut self, client: &EntryId) {
        self.clients.remove(client);
    }
}

const VERSION: u8 = 1;

/// `SEAL_PADDED(SUB(member_key, "private", 0), CTX("private", vault, member), …)` of:
///
/// ```text
/// u8 1 ‖ sign seed 32 ‖ kem seed 32
///   ‖ u32 n ‖ n × (u32 generation ‖ vault key 32)
///   ‖ u8 has audit [‖ u32 generation ‖ 32] ‖ u8 has pending [‖ u32 generation ‖ 32]
///   ‖ u8 has seen [‖ u64 length ‖ hash 32]
///   ‖ u32 clients ‖ each: client 16 ‖ u32 n ‖ n × (u32 generation ‖ key 32)
/// ```
#[inline(never)]
pub fn seal_private(
    member_key: &Key32,
    vault: &VaultId,
    member: &MemberId,
    identity: &Identity,
    ring: &KeyRing,
    salt: &[u8; SALT],
) -> Vec<u8> {
    let keys = ring.clients.values().map(BTreeMap::len).sum::<usize>() + ring.vault.len();
    // Room for all of it, so that no half-written copy is left behind by growth.
    let mut out = Zeroizing::new(Vec::with_capacity(200 + 36 * keys + 20 * ring.clients.len()));
    out.push(VERSION);
    push_key(&mut out, &identity.sign_seed);
    push_key(&mut out, identity.kem.seed());
    push_generations(&mut out, &ring.vault);
    for seed in [&ring.audit, &ring.pending] {
        out.push(seed.is_some().into());
        if let Some((generation, seed)) = seed {
            out.extend_from_slice(&generation.to_be_bytes());
            push_key(&mut out, seed);
        }
    }
    out.push(ring.seen.is_some().into());
    if let Some((length, hash)) = &ring.seen {
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(hash);
    }
    push_count(&mut out, ring.clients.len());
    for (client, generations) in &ring.clients {
        out.extend_from_slice(&client.0);
        push_generations(&mut out, generations);
    }
    let key = keys::sub(member_key, keys::name::PRIVATE, 0);
    aead::seal_padded(&key, &private_context(vault, member), salt, &out)
}

/// Opens what [`seal_private`] made.
///
/// # Errors
/// [`OpenError`]: another key or place, or altered.
#[inline(never)]
pub fn open_private(
    member_key: &Key32,
    vault: &VaultId,
    member: &MemberId,
    sealed: &[u8],
) -> Result<(Identity, KeyRing), OpenError> {
    let key = keys::sub(member_key, keys::name::PRIVATE, 0);
    let plain = aead::open_padded(&key, &private_context(vault, member), sealed)?;
    plain.expose(|bytes| read(&mut Reader(bytes))).ok_or(OpenError)
}

fn private_context(vault: &VaultId, member: &MemberId) -> Vec<u8> {
    context("private", &[&vault.0, &member.0])
}

fn push_key(out: &mut Vec<u8>, key: &Key32) {
    key.expose(|k| out.extend_from_slice(k));
}

fn push_count(out: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("a ring holds fewer than 2^32 keys");
    out.extend_from_slice(&count.to_be_bytes());
}

fn push_generations(out: &mut Vec<u8>, keys: &Generations) {
    push_count(out, keys.len());
    for (generation, key) in keys {
        out.extend_from_slice(&generation.to_be_bytes());
        push_key(out, key);
    }
}

fn read(r: &mut Reader<'_>) -> Option<(Identity, KeyRing)> {
    if r.byte()? != VERSION {
        return None;
    }
    let sign_seed = r.key()?;
    let identity = Identity::from_seeds(sign_seed, &r.key()?);
    let mut ring = KeyRing { vault: r.generations()?, ..KeyRing::default() };
    ring.audit = r.optional(Reader::numbered)?;
    ring.pending = r.optional(Reader::numbered)?;
    ring.seen = r.optional(|r| Some((u64::from_be_bytes(r.array()?), r.array()?)))?;
    for _ in 0..r.count()? {
        let client = EntryId(r.array()?);
        ring.clients.insert(client, r.generations()?);
    }
    r.0.is_empty().then_some((identity, ring))
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[b]| b)
    }

    fn count(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn key(&mut self) -> Option<Key32> {
        let (head, rest) = self.0.split_at_checked(32)?;
        self.0 = rest;
        Key32::copy_of(head)
    }

    fn numbered(&mut self) -> Option<(u32, Key32)> {
        Some((self.count()?, self.key()?))
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    fn generations(&mut self) -> Option<Generations> {
        let mut out = Generations::new();
        for _ in 0..self.count()? {
            let generation = self.count()?;
            out.insert(generation, self.key()?);
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key32 {
        Key32::filled(|k| k.fill(byte))
    }

    #[test]
    fn identity_and_ring_come_back_for_their_member_only() {
        let identity = Identity::from_seeds(key(1), &key(2));
        let mut ring = KeyRing::default();
        ring.put_vault_key(3, key(4));
        ring.put_vault_key(2, key(3));
        ring.set_audit_key(Some((7, key(5))));
        ring.seen = Some((9, [8; 32]));
        for n in 0..=255 {
            ring.put_client_key(EntryId([n; 16]), 1, key(n));
            ring.put_client_key(EntryId([n; 16]), 7, key(!n));
        }
        let (vault, me) = (VaultId([1; 16]), MemberId([2; 16]));
        let sealed = seal_private(&key(9), &vault, &me, &identity, &ring, &[0; SALT]);
        let (back, keys) = open_private(&key(9), &vault, &me, &sealed).expect("opens");
        assert_eq!(back.signing().public(), identity.signing().public());
        assert_eq!(back.kem().public(), identity.kem().public());
        assert!(keys.first_vault_key().expect("two").expose(|k| *k == [3; 32]));
        assert!(keys.audit_seed().expect("given").expose(|k| *k == [5; 32]));
        assert_eq!(keys.audit_key().map(|(generation, _)| generation), Some(7));
        assert!(keys.pending_seed().is_none());
        assert_eq!(keys.seen, ring.seen);
        assert_eq!(keys.clients().count(), 256);
        let (generation, newest) = keys.client_key(&EntryId([6; 16])).expect("held");
        assert!(generation == 7 && newest.expose(|k| *k == [249; 32]));
        assert!(open_private(&key(9), &vault, &MemberId([3; 16]), &sealed).is_err());
        assert!(open_private(&key(8), &vault, &me, &sealed).is_err());
    }
}
