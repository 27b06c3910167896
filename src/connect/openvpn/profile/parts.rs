//! What stands inside of certificates and keys, brought to one form: armoured blocks
//! and nothing round them, so that no line of a file can end the block it is written
//! into. What is no such block is left out.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use zeroize::Zeroizing;

use super::model::{Body, PartKind};
use crate::secret::SecretText;

/// Signs of base64 in a line (RFC 7468, section 2).
const LINE: usize = 64;

/// Armours of private keys that OpenSSL reads.
const KEYS: &[&str] = &[
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
];

/// Longest line in an armour that is taken, in bytes.
const LINE_MAX: usize = 200;

/// What `bytes` have for a part of that kind; nothing where they have nothing. Those of
/// a file may be binary, those of a block are text.
pub fn body(kind: PartKind, bytes: &[u8], from_file: bool) -> Option<Body> {
    if kind == PartKind::Pkcs12 {
        return pkcs12(bytes, from_file);
    }
    let text = String::from_utf8_lossy(bytes);
    let text = Zeroizing::new(text.into_owned());
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 2));
    blocks(&text, |label, lines| {
        if wanted(kind, label) {
            for line in lines {
                out.push_str(line);
                out.push('\n');
            }
        }
    });
    if out.is_empty() {
        return None;
    }
    let text = std::mem::take(&mut *out);
    Some(if kind.is_secret() { Body::Secret(SecretText::new(text)) } else { Body::Open(text) })
}

/// Which armours a part is made of.
fn wanted(kind: PartKind, label: &str) -> bool {
    match kind {
        PartKind::Authority | PartKind::Certificate | PartKind::Between => {
            matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE")
        }
        PartKind::Key => KEYS.contains(&label),
        PartKind::TlsAuth | PartKind::TlsCrypt | PartKind::Static => {
            label == "OpenVPN Static key V1"
        }
        PartKind::TlsCryptV2 => label == "OpenVPN tls-crypt-v2 client key",
        PartKind::Pkcs12 => false,
    }
}

/// Hands each armoured block of `text` on: its label, and its lines from the first to
/// the last.
fn blocks<'a>(text: &'a str, mut each: impl FnMut(&str, &[&'a str])) {
    let mut lines: Vec<&str> = Vec::new();
    let mut label: Option<&str> = None;
    for line in text.lines().map(str::trim) {
        let begins = line.strip_prefix("-----BEGIN ").and_then(|l| l.strip_suffix("-----"));
        if let Some(name) = begins {
            label = Some(name);
            lines.clear();
            lines.push(line);
            continue;
        }
        let Some(name) = label else { continue };
        let ends = line.strip_prefix("-----END ").and_then(|l| l.strip_suffix("-----"));
        if ends.is_some() {
            lines.push(line);
            if ends == Some(name) && lines.len() > 2 {
                each(name, &lines);
            }
            label = None;
        } else if line.is_empty() {
            // Between the headers of an encrypted key and the key it means something.
            if lines.last().is_some_and(|line| line.contains(':')) {
                lines.push("");
            }
        } else if inner(line) {
            lines.push(line);
        } else {
            label = None;
        }
    }
}

/// A line of base64 or hexadecimal, or a header (RFC 1421).
fn inner(line: &str) -> bool {
    let sign = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let header = |b: u8| sign(b) || matches!(b, b':' | b',' | b'-' | b' ');
    line.len() <= LINE_MAX
        && (line.bytes().all(sign)
            || line.contains(": ") && !line.starts_with('-') && line.bytes().all(header))
}

/// The archive in base64, in short lines.
fn pkcs12(bytes: &[u8], from_file: bool) -> Option<Body> {
    // A file is the archive itself, which begins a sequence (RFC 7292), or base64.
    let der = if from_file && bytes.first() == Some(&0x30) {
        Zeroizing::new(bytes.to_vec())
    } else {
        let signs = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
        let signs: Zeroizing<Vec<u8>> = Zeroizing::new(signs.collect());
        Zeroizing::new(BASE64.decode(&*signs).ok()?)
    };
    if der.first() != Some(&0x30) {
        return None;
    }
    let signs = Zeroizing::new(BASE64.encode(&*der));
    let mut text = Zeroizing::new(String::with_capacity(signs.len() + signs.len() / LINE + 2));
    for line in signs.as_bytes().chunks(LINE) {
        text.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
        text.push('\n');
    }
    Some(Body::Secret(SecretText::new(std::mem::take(&mut *text))))
}

/// What the certificates in the armours of `text` are, in DER.
pub fn certificates(text: &str) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    blocks(text, |label, lines| {
        let inner = lines[1..lines.len() - 1].concat();
        if wanted(PartKind::Authority, label)
            && let Ok(der) = BASE64.decode(inner)
        {
            out.push(der);
        }
    });
    out
}

/// Whether the private key in `text` is encrypted with a passphrase.
pub fn encrypted(text: &str) -> bool {
    text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || text.contains("\nProc-Type: 4,ENCRYPTED")
}

#[cfg(test)]
mod tests {
    use super::{Body, PartKind, body, certificates, encrypted};

    fn text(kind: PartKind, bytes: &[u8], from_file: bool) -> Option<String> {
        body(kind, bytes, from_file).map(|body| body.expose(str::to_owned))
    }

    #[test]
    fn only_the_armours_of_its_kind_are_kept() {
        let file = "Bag Attributes\n    x: y\n-----BEGIN CERTIFICATE-----\r\nQUJD\r\n-----END \
                    CERTIFICATE-----\r\n</cert>\nup /x\n-----BEGIN PRIVATE KEY-----\nREVG\n-----END \
                    PRIVATE KEY-----\n";
        let cert = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nREVG\n-----END PRIVATE KEY-----\n";
        assert_eq!(text(PartKind::Certificate, file.as_bytes(), true).as_deref(), Some(cert));
        assert_eq!(text(PartKind::Key, file.as_bytes(), true).as_deref(), Some(key));
        assert_eq!(text(PartKind::TlsAuth, file.as_bytes(), true), None);
        assert_eq!(certificates(cert), [b"ABC".to_vec()]);
        assert!(matches!(body(PartKind::Key, key.as_bytes(), true), Some(Body::Secret(_))));
    }

    #[test]
    fn an_armour_with_anything_else_in_it_is_none() {
        for inside in ["</ca>", "QUJD\nplugin x.so", "QUJD\n-----BEGIN x-----\nQUJD", "", "é"] {
            let file =
                format!("-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n");
            assert_eq!(text(PartKind::Authority, file.as_bytes(), false), None, "{inside}");
        }
    }

    #[test]
    fn an_encrypted_key_is_seen_and_keeps_its_headers() {
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: \
                   AES-256-CBC,00FF\n\nQUJD\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(text(PartKind::Key, old.as_bytes(), false).as_deref(), Some(old));
        assert!(encrypted(old));
        let new =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nQUJD\n-----END ENCRYPTED PRIVATE KEY-----\n";
        assert!(encrypted(new) && !encrypted(&new.replace("ENCRYPTED ", "")));
    }

    #[test]
    fn an_archive_is_written_in_short_lines_whatever_it_came_as() {
        let der = [&[0x30u8, 0x82][..], &[7; 100]].concat();
        let written = text(PartKind::Pkcs12, &der, true).expect("an archive");
        assert!(written.lines().all(|line| line.len() <= 64));
        assert_eq!(text(PartKind::Pkcs12, written.as_bytes(), true).as_ref(), Some(&written));
        assert_eq!(text(PartKind::Pkcs12, written.as_bytes(), false).as_ref(), Some(&written));
        assert_eq!(text(PartKind::Pkcs12, b"not base64", false), None);
        assert_eq!(text(PartKind::Pkcs12, b"QUJD", false), None);
    }
}
