//! Private keys of every form, and those that would cost hours or all memory.

use std::sync::LazyLock;

use poterne::connect::Failure;
use poterne::connect::ssh::key;
use poterne::secret::{SecretBytes, SecretText};

use super::{MIB, fuzz, within};

/// Keys of every form, made once by the programs that people use.
static KEYS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder");
    let at = |name: &str| dir.path().join(name);
    let run = |program: &str, args: &[&str]| {
        let done = std::process::Command::new(program)
            .args(args)
            .current_dir(dir.path())
            .output()
            .expect("it is installed");
        assert!(done.status.success(), "{program} {args:?}");
    };
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "ed"]);
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "phrase", "-a", "1", "-f", "edp"]);
    // One in 256 begins with a zero byte, and only libssh2 reads it.
    loop {
        run("ssh-keygen", &["-q", "-t", "ecdsa", "-N", "", "-f", "ec"]);
        let key = std::fs::read(at("ec")).expect("it was made");
        if ready(&key).is_ok_and(|key| key.decoded.is_some()) {
            break;
        }
        std::fs::remove_file(at("ec")).expect("it was made");
    }
    run("ssh-keygen", &["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", "rsa"]);
    run("ssh-keygen", &["-q", "-t", "rsa", "-b", "1024", "-N", "", "-m", "PEM", "-f", "pem"]);
    run(
        "ssh-keygen",
        &["-q", "-t", "rsa", "-b", "1024", "-N", "phrase", "-m", "PEM", "-f", "pemp"],
    );
    run("ssh-keygen", &["-q", "-t", "ecdsa", "-N", "", "-m", "PKCS8", "-f", "p8"]);
    run("ssh-keygen", &["-q", "-t", "ecdsa", "-N", "phrase", "-m", "PKCS8", "-f", "p8p"]);
    let names = ["ed", "edp", "ec", "rsa", "pem", "pemp", "p8", "p8p"];
    names.iter().map(|name| std::fs::read(at(name)).expect("it was made")).collect()
});

fn ready(bytes: &[u8]) -> Result<key::Ready, Failure> {
    let phrase = || Some(SecretText::copy_of("phrase"));
    key::ready(SecretBytes::copy_of(bytes), phrase, |_| None)
}

#[test]
fn private_keys() {
    for (n, key) in KEYS.iter().enumerate() {
        let key = ready(key).unwrap_or_else(|f| panic!("key {n}: {}", f.what.en));
        assert!(key.decoded.is_some(), "key {n}");
    }
    // Text damage mostly breaks the base64 and goes no further; so the bytes in
    // the armour are damaged too.
    fuzz(250, KEYS.clone(), |bytes| {
        let _ = within(64 * MIB, || ready(bytes));
    });
    let inner: Vec<Vec<u8>> = KEYS
        .iter()
        .enumerate()
        .filter_map(|(n, key)| {
            let text = std::str::from_utf8(key).ok()?;
            let body: String = text.lines().filter(|l| !l.contains([':', '-'])).collect();
            let mut out = vec![n as u8];
            out.extend(data_encoding::BASE64.decode(body.as_bytes()).ok()?);
            Some(out)
        })
        .collect();
    assert_eq!(inner.len(), KEYS.len());
    fuzz(250, inner, |bytes| {
        let Some((n, body)) = bytes.split_first() else { return };
        let text = String::from_utf8_lossy(&KEYS[usize::from(*n) % KEYS.len()]).into_owned();
        let head: Vec<&str> = text.lines().filter(|l| l.contains([':', '-'])).collect();
        let (last, first) = head.split_last().expect("an armour");
        let body = data_encoding::BASE64.encode(body);
        let body: Vec<&str> =
            body.as_bytes().chunks(64).map(|c| std::str::from_utf8(c).expect("ASCII")).collect();
        let gap = if first.len() > 1 { "\n\n" } else { "\n" };
        let key = format!("{}{gap}{}\n{last}\n", first.join("\n"), body.join("\n"));
        if let Ok(ready) = within(64 * MIB, || ready(key.as_bytes()))
            && ready.decoded.is_some()
        {
            // Written again without passphrase: it reads back as the same key.
            let again = ready.text.expose(|t| self::ready(t.as_bytes())).expect("just written");
            assert!(again.text.expose(|a| ready.text.expose(|b| a == b)));
        }
    });
}

#[test]
fn a_key_that_asks_for_hours_or_all_memory_is_refused_at_once() {
    let refused = |key: &str| {
        let failure = within(MIB, || ready(key.as_bytes())).err().expect("refused");
        assert!(failure.what.en.contains("absurd"), "{}", failure.what.en);
    };
    // OpenSSH: the rounds stand behind the 16 bytes of salt.
    let text = String::from_utf8(KEYS[1].clone()).expect("text");
    let body: String = text.lines().filter(|l| !l.contains('-')).collect();
    let mut bytes = data_encoding::BASE64.decode(body.as_bytes()).expect("base64");
    let at = bytes.windows(12).position(|w| w == b"\0\0\0\x06bcrypt\0\0").expect("bcrypt") + 10;
    let rounds = at + 4 + 4 + 16;
    assert_eq!(bytes[rounds..rounds + 4], [0, 0, 0, 1]);
    bytes[rounds..rounds + 4].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF]);
    refused(&armoured("OPENSSH PRIVATE KEY", &bytes));
    // PKCS#8: PBKDF2 with two thousand million passes, scrypt with a terabyte.
    let der = |tag: u8, body: &[u8]| [&[tag, body.len() as u8][..], body].concat();
    let oid = |bytes: &[u8]| der(6, bytes);
    let pbes2 = oid(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 5, 13]);
    let aes =
        der(0x30, &[oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42]), der(4, &[1; 16])].concat());
    let pkcs8 = |kdf: Vec<u8>| {
        let params = der(0x30, &[kdf, aes.clone()].concat());
        let algorithm = der(0x30, &[pbes2.clone(), params].concat());
        let whole = der(0x30, &[algorithm, der(4, &[9; 32])].concat());
        armoured("ENCRYPTED PRIVATE KEY", &whole)
    };
    let passes = der(0x30, &[der(4, &[5; 8]), der(2, &[0x7F, 0xFF, 0xFF, 0xFF])].concat());
    let pbkdf2 = oid(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 5, 12]);
    refused(&pkcs8(der(0x30, &[pbkdf2, passes].concat())));
    let cost = [der(4, &[5; 8]), der(2, &[0x40, 0, 0, 0]), der(2, &[8]), der(2, &[1])].concat();
    let scrypt = oid(&[0x2B, 6, 1, 4, 1, 0xDA, 0x47, 4, 11]);
    refused(&pkcs8(der(0x30, &[scrypt, der(0x30, &cost)].concat())));
    // PuTTY: Argon2 with a terabyte.
    refused(
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\nComment: x\n\
         Key-Derivation: Argon2id\nArgon2-Memory: 1073741824\nArgon2-Passes: 13\n\
         Argon2-Parallelism: 1\nArgon2-Salt: 00\n",
    );
}

fn armoured(label: &str, bytes: &[u8]) -> String {
    let body = data_encoding::BASE64.encode(bytes);
    let lines: Vec<&str> =
        body.as_bytes().chunks(70).map(|c| std::str::from_utf8(c).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
