//! Authorities, certificates and keys of a VPN, made anew for each test.

use std::time::{SystemTime, UNIX_EPOCH};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::symm::Cipher;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

use super::setup::Lasts;

const DAY: i64 = 86_400;

/// An authority.
pub struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

/// A certificate and its key.
pub struct Pair {
    /// PEM.
    pub certificate: String,
    key: PKey<Private>,
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("known");
    PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key")
}

fn builder(name: &str, key: &PKey<Private>, lasts: Lasts) -> X509Builder {
    let mut builder = X509::builder().expect("memory");
    builder.set_version(2).expect("known");
    let mut serial = BigNum::new().expect("memory");
    serial.rand(120, MsbOption::MAYBE_ZERO, false).expect("randomness");
    builder.set_serial_number(&serial.to_asn1_integer().expect("a number")).expect("memory");
    let mut subject = X509NameBuilder::new().expect("memory");
    subject.append_entry_by_nid(Nid::COMMONNAME, name).expect("a name");
    builder.set_subject_name(&subject.build()).expect("memory");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let now = i64::try_from(now).expect("not that late");
    let (from, until) = match lasts {
        Lasts::Now => (now - DAY, now + 30 * DAY),
        Lasts::Over => (now - 30 * DAY, now - 2 * DAY),
        Lasts::NotYet => (now + 2 * DAY, now + 30 * DAY),
    };
    let time = |at| Asn1Time::from_unix(at).expect("a time");
    builder.set_not_before(&time(from)).expect("memory");
    builder.set_not_after(&time(until)).expect("memory");
    builder.set_pubkey(key).expect("memory");
    builder
}

impl Authority {
    /// Makes one.
    pub fn make(name: &str) -> Self {
        let key = key();
        let mut builder = builder(name, &key, Lasts::Now);
        let subject = {
            let mut subject = X509NameBuilder::new().expect("memory");
            subject.append_entry_by_nid(Nid::COMMONNAME, name).expect("a name");
            subject.build()
        };
        builder.set_issuer_name(&subject).expect("memory");
        let basic = BasicConstraints::new().critical().ca().build().expect("known");
        builder.append_extension(basic).expect("memory");
        let own = SubjectKeyIdentifier::new();
        let own = own.build(&builder.x509v3_context(None, None)).expect("known");
        builder.append_extension(own).expect("memory");
        builder.sign(&key, MessageDigest::sha256()).expect("a key");
        Self { certificate: builder.build(), key }
    }

    /// PEM.
    pub fn pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().expect("memory")).expect("ASCII")
    }

    /// A certificate of a server, or of a client.
    pub fn pair(&self, name: &str, is_server: bool, lasts: Lasts) -> Pair {
        let key = key();
        let mut builder = builder(name, &key, lasts);
        builder.set_issuer_name(self.certificate.subject_name()).expect("memory");
        let usage = KeyUsage::new().critical().digital_signature().build().expect("known");
        builder.append_extension(usage).expect("memory");
        let mut purpose = ExtendedKeyUsage::new();
        let purpose = if is_server { purpose.server_auth() } else { purpose.client_auth() };
        builder.append_extension(purpose.build().expect("known")).expect("memory");
        let mut of = AuthorityKeyIdentifier::new();
        let context = builder.x509v3_context(Some(&self.certificate), None);
        let of = of.keyid(true).build(&context).expect("known");
        builder.append_extension(of).expect("memory");
        builder.sign(&self.key, MessageDigest::sha256()).expect("a key");
        let pem = builder.build().to_pem().expect("memory");
        Pair { certificate: String::from_utf8(pem).expect("ASCII"), key }
    }
}

impl Pair {
    /// The key in PEM, encrypted if there is a passphrase.
    pub fn key(&self, passphrase: Option<&str>) -> String {
        let pem = match passphrase {
            None => self.key.private_key_to_pem_pkcs8(),
            Some(phrase) => self
                .key
                .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), phrase.as_bytes()),
        };
        String::from_utf8(pem.expect("a key")).expect("ASCII")
    }
}

/// A key for `tls-crypt` or `tls-auth`.
pub fn static_key() -> String {
    let mut bytes = [0; 256];
    openssl::rand::rand_bytes(&mut bytes).expect("randomness");
    let lines: Vec<String> =
        bytes.chunks(16).map(|line| line.iter().map(|b| format!("{b:02x}")).collect()).collect();
    let text = lines.join("\n");
    format!("-----BEGIN OpenVPN Static key V1-----\n{text}\n-----END OpenVPN Static key V1-----\n")
}
