//! Certificates and keys for profiles of OpenVPN, made once for a run, and `openvpn`
//! itself as far as it reads a profile.

use std::sync::LazyLock;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::{X509, X509Builder, X509NameBuilder, X509Ref};

/// When the certificate of the client ends, in seconds since 1970.
pub const CLIENT_ENDS: i64 = 2_114_380_800;
/// When that of the authority ends.
pub const AUTHORITY_ENDS: i64 = 2_429_913_600;

/// An authority and a client.
pub struct Pki {
    pub ca: String,
    pub cert: String,
    pub key: String,
    /// As PKCS#8, with the passphrase `phrase`.
    pub locked: String,
    /// As OpenSSL wrote it before PKCS#8, with the passphrase `phrase`.
    pub locked_old: String,
    /// All three, without a passphrase.
    pub archive: Vec<u8>,
    /// A key of both sides.
    pub fixed: String,
}

pub static PKI: LazyLock<Pki> = LazyLock::new(|| {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    let key = || EcKey::generate(&group).expect("a key");
    let pkey = |key: &EcKey<Private>| PKey::from_ec_key(key.clone()).expect("a key");
    let (authority, client) = (key(), key());
    let ca = certificate("Autorité Dupont", &pkey(&authority), None, AUTHORITY_ENDS);
    let issuer = (ca.as_ref(), &pkey(&authority));
    let cert = certificate("zoé", &pkey(&client), Some(issuer), CLIENT_ENDS);
    let text = |pem: Vec<u8>| String::from_utf8(pem).expect("ASCII");
    let client_key = pkey(&client);
    let mut chain = Stack::new().expect("a stack");
    chain.push(ca.clone()).expect("a certificate");
    let archive =
        Pkcs12::builder().pkey(&client_key).cert(&cert).ca(chain).build2("").expect("an archive");
    let hex = |line: u8| format!("{:02x}", line.wrapping_mul(37)).repeat(16);
    let fixed: Vec<String> = (1..=16).map(hex).collect();
    Pki {
        ca: text(ca.to_pem().expect("PEM")),
        cert: text(cert.to_pem().expect("PEM")),
        key: text(client_key.private_key_to_pem_pkcs8().expect("PEM")),
        locked: text(
            client_key
                .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"phrase")
                .expect("PEM"),
        ),
        locked_old: text(
            client.private_key_to_pem_passphrase(Cipher::aes_256_cbc(), b"phrase").expect("PEM"),
        ),
        archive: archive.to_der().expect("DER"),
        fixed: format!(
            "#\n# 2048 bit OpenVPN static key\n#\n-----BEGIN OpenVPN Static key V1-----\n{}\n-----END \
             OpenVPN Static key V1-----\n",
            fixed.join("\n")
        ),
    }
});

/// A certificate by `issuer`, or by itself.
fn certificate(
    name: &str,
    key: &PKey<Private>,
    issuer: Option<(&X509Ref, &PKey<Private>)>,
    ends: i64,
) -> X509 {
    let mut subject = X509NameBuilder::new().expect("a name");
    subject.append_entry_by_text("O", "Dupont & Fils").expect("a name");
    subject.append_entry_by_text("CN", name).expect("a name");
    let subject = subject.build();
    let mut made = X509Builder::new().expect("a certificate");
    made.set_version(2).expect("X.509 v3");
    let serial = BigNum::from_u32(7).and_then(|n| Asn1Integer::from_bn(&n)).expect("a number");
    made.set_serial_number(&serial).expect("a number");
    made.set_subject_name(&subject).expect("a name");
    made.set_issuer_name(issuer.map_or(&subject, |(ca, _)| ca.subject_name())).expect("a name");
    made.set_not_before(&Asn1Time::from_unix(1_700_000_000).expect("a time")).expect("a time");
    made.set_not_after(&Asn1Time::from_unix(ends).expect("a time")).expect("a time");
    made.set_pubkey(key).expect("a key");
    if issuer.is_none() {
        let ca = openssl::x509::extension::BasicConstraints::new().critical().ca().build();
        made.append_extension(ca.expect("an extension")).expect("an extension");
    }
    made.sign(issuer.map_or(key, |(_, key)| key), MessageDigest::sha256()).expect("a signature");
    made.build()
}
