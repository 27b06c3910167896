//! What a private key asks for before its passphrase can be tried: rounds and
//! memory that stand in clear in the file. A key that asks for hours or for all
//! memory is refused before anything is taken. It opens nothing.

use russh::keys::ssh_key::{Kdf, PrivateKey};

/// Most rounds of OpenSSH's bcrypt; `ssh-keygen` uses 16 or 24.
const BCRYPT_ROUNDS: u32 = 4096;
/// Most passes of PBKDF2; OpenSSL uses 2,048, careful people a million.
const PBKDF2_PASSES: u64 = 10_000_000;
/// Most memory of scrypt or Argon2, in bytes.
const MEMORY_BYTES: u64 = 1 << 30;
/// Most memory times passes, in bytes.
const WORK_BYTES: u64 = 1 << 34;
/// Deepest nesting of the part that is looked at.
const DEPTH: u8 = 8;

/// False when trying a passphrase on this key would take too much. What cannot
/// be read is bearable: it is refused by the reader of keys.
pub(super) fn bearable(text: &str) -> bool {
    if text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        return match PrivateKey::from_openssh(text.trim_start()).map(|key| key.kdf().clone()) {
            Ok(Kdf::Bcrypt { rounds, .. }) => rounds <= BCRYPT_ROUNDS,
            _ => true,
        };
    }
    if text.trim_start().starts_with("PuTTY-User-Key-File-") {
        return putty(text);
    }
    match pkcs8(text) {
        Some(der) => algorithm(&der).is_none_or(|asked| asked.bearable()),
        None => true,
    }
}

/// The Argon2 lines of a PuTTY key, of which the memory is in KiB.
fn putty(text: &str) -> bool {
    let number = |name: &str| {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix(name));
        lines.map(|value| value.trim().parse::<u64>().unwrap_or(u64::MAX)).max().unwrap_or(0)
    };
    let memory = number("Argon2-Memory:").saturating_mul(1024);
    let work = memory.saturating_mul(number("Argon2-Passes:"));
    memory <= MEMORY_BYTES && work <= WORK_BYTES && number("Argon2-Parallelism:") <= 64
}

/// The bytes of an encrypted PKCS#8 key.
fn pkcs8(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("-----BEGIN ENCRYPTED PRIVATE KEY-----")?;
    let body: String = rest.split("-----END").next()?.split_whitespace().collect();
    data_encoding::BASE64.decode(body.as_bytes()).ok()
}

/// What an algorithm identifier asks for.
#[derive(Default)]
struct Asked {
    scrypt: bool,
    numbers: Vec<u64>,
}

impl Asked {
    fn bearable(&self) -> bool {
        match (self.scrypt, &self.numbers[..]) {
            // RFC 7914 section 7.1: cost, block size, parallelization.
            (true, [cost, block, lanes, ..]) => {
                let memory = cost.saturating_mul(*block).saturating_mul(128);
                memory <= MEMORY_BYTES && memory.saturating_mul(*lanes) <= WORK_BYTES
            }
            // RFC 8018: the count, maybe the length of the key.
            (_, numbers) => numbers.iter().all(|n| *n <= PBKDF2_PASSES),
        }
    }
}

/// `id-scrypt`, 1.3.6.1.4.1.11591.4.11.
const SCRYPT: &[u8] = &[0x2B, 6, 1, 4, 1, 0xDA, 0x47, 4, 11];

/// The numbers in the first member of `EncryptedPrivateKeyInfo` (RFC 5958).
fn algorithm(der: &[u8]) -> Option<Asked> {
    let (0x30, whole, _) = element(der)? else { return None };
    let (0x30, algorithm, _) = element(whole)? else { return None };
    let mut asked = Asked::default();
    walk(algorithm, DEPTH, &mut asked);
    Some(asked)
}

fn walk(mut der: &[u8], depth: u8, asked: &mut Asked) {
    while let Some((tag, body, rest)) = element(der) {
        match tag {
            0x30 if depth > 0 => walk(body, depth - 1, asked),
            0x06 => asked.scrypt |= body == SCRYPT,
            0x02 => {
                let number = body
                    .iter()
                    .try_fold(0u64, |n, byte| n.checked_mul(256).map(|n| n | u64::from(*byte)));
                asked.numbers.push(number.unwrap_or(u64::MAX));
            }
            _ => {}
        }
        der = rest;
    }
}

/// Tag, content and what follows of a DER element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        // Indefinite or absurd.
        0x80 | 0x85.. => return None,
        _ => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (bytes.iter().fold(0, |n, byte| n << 8 | usize::from(*byte)), rest)
        }
    };
    let (body, rest) = rest.split_at_checked(length)?;
    Some((tag, body, rest))
}
