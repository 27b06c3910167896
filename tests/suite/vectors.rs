//! Published test vectors: RFC 9106, 9180, 6238, 4226, X-Wing and HPKE with it, and
//! Project Wycheproof.

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use hmac::{KeyInit, Mac};
use poterne::crypto::{aead, keys, line::LineCipher, sign, totp};
use poterne::model::time::Time;
use poterne::secret::{Key32, SecretBytes};
use wycheproof::TestResult;

#[test]
fn sealing_is_c2sp_cobblestone_256() {
    use wycheproof::chunked_encryption::{TestName, TestSet};
    let set = TestSet::load(TestName::Cobblestone256).expect("vectors load");
    let (mut valid, mut invalid) = (0, 0);
    for test in set.test_groups.iter().flat_map(|g| &g.tests) {
        let ct = miniz_oxide::inflate::decompress_to_vec_zlib(&test.ct).expect("zlib");
        let opened = Key32::copy_of(&test.key).and_then(|k| aead::open(&k, &test.ctx, &ct).ok());
        match (test.result, opened) {
            (TestResult::Valid, Some(plain)) => {
                let hash = plain.expose(|p| <sha2::Sha512 as sha2::Digest>::digest(p));
                assert_eq!(hash[..], test.msg_sha512.as_ref().expect("a hash")[..]);
                let key = Key32::copy_of(&test.key).expect("32 bytes");
                let salt = ct.first_chunk().expect("a salt");
                assert!(plain.expose(|p| aead::seal(&key, &test.ctx, salt, p)) == ct);
                valid += 1;
            }
            (TestResult::Invalid, None) => invalid += 1,
            _ => panic!("vector {}: {}", test.tc_id, test.comment),
        }
    }
    assert_eq!((valid, invalid), (10, 25));
}

#[test]
fn aes_gcm_passes_wycheproof() {
    use aes_gcm::aead::{Aead, Payload};
    use wycheproof::aead::{TestName, TestSet};
    let set = TestSet::load(TestName::AesGcm).expect("vectors load");
    let mut seen = 0;
    for group in set.test_groups.iter().filter(|g| g.key_size == 256 && g.nonce_size == 96) {
        for test in &group.tests {
            let cipher = aes_gcm::Aes256Gcm::new_from_slice(&test.key).expect("32 bytes");
            let sealed = [&test.ct[..], &test.tag[..]].concat();
            let nonce: [u8; 12] = test.nonce[..].try_into().expect("12 bytes");
            let payload = Payload { msg: &sealed, aad: &test.aad };
            match (test.result, cipher.decrypt(&nonce.into(), payload)) {
                (TestResult::Valid, Ok(plain)) => assert_eq!(plain, test.pt[..]),
                (TestResult::Invalid, Err(_)) => {}
                _ => panic!("vector {}: {}", test.tc_id, test.comment),
            }
            // The line cipher is the same algorithm where the nonce has its shape.
            if nonce[..4] == [0; 4] && test.result == TestResult::Valid {
                let key = Key32::copy_of(&test.key).expect("32 bytes");
                let counter = u64::from_be_bytes(nonce[4..].try_into().expect("8 bytes"));
                assert_eq!(LineCipher::new(&key).seal(counter, &test.aad, &test.pt), sealed);
            }
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen} vectors");
}

#[test]
fn hkdf_and_hmac_pass_wycheproof() {
    use wycheproof::{hkdf, mac};
    for (name, sha512) in [(hkdf::TestName::HkdfSha256, false), (hkdf::TestName::HkdfSha512, true)]
    {
        let set = hkdf::TestSet::load(name).expect("vectors load");
        for test in set.test_groups.iter().flat_map(|g| &g.tests) {
            let mut okm = vec![0; test.size];
            // HPKE alone uses the other hash, within its crate.
            let done = if sha512 {
                keys::hkdf(&test.salt, &test.ikm, &[&test.info], &mut okm).is_ok()
            } else {
                let prk = ::hkdf::Hkdf::<sha2::Sha256>::new(Some(&test.salt), &test.ikm);
                prk.expand(&test.info, &mut okm).is_ok()
            };
            assert_eq!(done, !test.result.must_fail(), "vector {}", test.tc_id);
            assert!(!done || okm == test.okm[..], "vector {}", test.tc_id);
        }
    }
    let set = mac::TestSet::load(mac::TestName::HmacSha256).expect("vectors load");
    for group in &set.test_groups {
        for test in &group.tests {
            let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&test.key).expect("any key");
            mac.update(&test.msg);
            let right = mac.verify_truncated_left(&test.tag).is_ok();
            assert_eq!(right, !test.result.must_fail(), "vector {}", test.tc_id);
        }
    }
}

#[test]
fn x25519_passes_wycheproof() {
    // Vaults use it within X-Wing alone, which has vectors of its own below.
    use wycheproof::xdh::{TestName, TestSet};
    let set = TestSet::load(TestName::X25519).expect("vectors load");
    for test in set.test_groups.iter().flat_map(|g| &g.tests) {
        let private: [u8; 32] = test.private_key[..].try_into().expect("32 bytes");
        let public: [u8; 32] = test.public_key[..].try_into().expect("32 bytes");
        assert_eq!(x25519_dalek::x25519(private, public)[..], test.shared_secret[..]);
    }
}

#[test]
fn signatures_pass_wycheproof_strictly() {
    use wycheproof::eddsa::{TestName, TestSet};
    let set = TestSet::load(TestName::Ed25519).expect("vectors load");
    let mut seen = 0;
    for group in &set.test_groups {
        let public: [u8; 32] = group.key.pk[..].try_into().expect("32 bytes");
        for test in &group.tests {
            let verified = test.sig[..]
                .try_into()
                .is_ok_and(|sig| sign::verify(&public, &test.msg, sig).is_ok());
            assert_eq!(verified, !test.result.must_fail(), "vector {}", test.tc_id);
            seen += 1;
        }
    }
    assert_eq!(seen, 151);
}

#[test]
fn argon2id_gives_the_tag_of_rfc_9106_section_5_3() {
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).output_len(32);
    params.data(AssociatedData::new(&[4; 12]).expect("12 bytes"));
    let params = params.build().expect("sound");
    let argon = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
        .expect("a short secret");
    let mut tag = [0; 32];
    argon.hash_password_into(&[1; 32], &[2; 16], &mut tag).expect("computes");
    assert_eq!(
        HEX.encode(&tag),
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    );
}

/// RFC 9106 states no case without a secret and associated data: these are of the
/// reference implementation, `echo -n PASSWORD | argon2 SALT -id -t T -k M -p P -l
/// 32 -r`, over the function and the costs that vaults use.
#[test]
fn stretching_gives_the_tags_of_the_reference_implementation() {
    use crate::seeded::stretch;
    use poterne::crypto::kdf::Cost;
    let salt = b"0123456789abcdef0123456789abcdef";
    for (password, mem_kib, time, lanes, tag) in [
        (
            "motdepasse",
            65536,
            3,
            4,
            "ae157ac341fec163b513522d855477aa59541058764f5a08e36352a80cf971d2",
        ),
        (
            "Été à Paris",
            131_072,
            4,
            4,
            "f1916a2d26221454f94403f92442a0e6b7c068dcfc16b623520549d968aa330c",
        ),
    ] {
        let key = stretch(password.as_bytes(), salt, Cost { mem_kib, time, lanes });
        key.expect("computes").expose(|k| assert_eq!(HEX.encode(k), tag, "{password}"));
    }
}

#[test]
fn hotp_gives_the_codes_of_rfc_4226_appendix_d() {
    let codes = totp::Codes::new(b"12345678901234567890");
    let expected =
        [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
    for (step, code) in expected.into_iter().enumerate() {
        assert_eq!(codes.at(step as u64), code);
    }
}

#[test]
fn totp_gives_the_codes_of_rfc_6238_appendix_b() {
    use totp::Algorithm::{Sha1, Sha256, Sha512};
    let rows = [
        (59, "94287082", "46119246", "90693936"),
        (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"),
        (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"),
        (20_000_000_000, "65353130", "77737706", "47863826"),
    ];
    let digits = b"1234567890".repeat(7);
    for (time, sha1, sha256, sha512) in rows {
        for (algorithm, bytes, code) in
            [(Sha1, 20, sha1), (Sha256, 32, sha256), (Sha512, 64, sha512)]
        {
            let seed = totp::Seed {
                secret: SecretBytes::copy_of(&digits[..bytes]),
                digits: 8,
                period: 30,
                algorithm,
                issuer: String::new(),
                account: String::new(),
            };
            let (got, _) = seed.code(Time::from_unix_seconds(time));
            got.expose(|g| assert_eq!(g, code, "{algorithm:?} at {time}"));
        }
    }
}

/// The key and first nonce of HPKE (RFC 9180 section 5.1) in base mode, by HKDF-SHA-256.
fn key_schedule(suite: [u16; 3], key: usize, shared: &[u8], info: &[u8]) -> [Vec<u8>; 2] {
    use ::hkdf::Hkdf;
    use sha2::Sha256;
    let suite = [&b"HPKE"[..], &suite.map(u16::to_be_bytes).concat()].concat();
    let extract = |salt: &[u8], label: &[u8], ikm: &[u8]| {
        let ikm = [b"HPKE-v1", &suite[..], label, ikm].concat();
        Hkdf::<Sha256>::extract(Some(salt), &ikm).0.to_vec()
    };
    let context = [vec![0], extract(b"", b"psk_id_hash", b""), extract(b"", b"info_hash", info)];
    let (context, secret) = (context.concat(), extract(shared, b"secret", b""));
    [(&b"key"[..], key), (b"base_nonce", 12)].map(|(label, len)| {
        let mut out = vec![0; len];
        let info = [&(len as u16).to_be_bytes(), &b"HPKE-v1"[..], &suite, label, &context];
        let secret = Hkdf::<Sha256>::from_prk(&secret).expect("32 bytes");
        secret.expand_multi_info(&info, &mut out).expect("short");
        out
    })
}

fn hex(text: &str) -> Vec<u8> {
    HEX.decode(text.as_bytes()).expect("hexadecimal")
}

/// A vector of draft-ietf-hpke-pq: X-Wing, HKDF-SHA-256 and ChaCha20-Poly1305.
const PQ_SEED: &str = "3ec47fa82dd5689d27c6190e724c74ec8f608df3331ce331929e37b829676630";
const PQ_RANDOM: &str = "2a1c0a3745fe8a48fb62034d300f54dfe1974a5b2e169e580a8789cb1cf5fd19\
    0fc00f3fd899594e01a8b15334b9f3fa03d8de44da86e19f5776850fb689e6c8";
const PQ_SHARED: &str = "58200ed1f137bd95a921bb47f6aaecf2395b26f7fd24efd3a5ffae4849e8dea3";

#[test]
fn the_key_schedule_of_hpke_gives_the_keys_of_rfc_9180_appendix_a_and_of_the_pq_draft() {
    let info = hex("4f6465206f6e2061204772656369616e2055726e");
    let shared = hex("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc");
    let [key, nonce] = key_schedule([0x20, 1, 1], 16, &shared, &info);
    assert_eq!(HEX.encode(&key), "4531685d41d65f03dc48f6b8302c05b0");
    assert_eq!(HEX.encode(&nonce), "56d890e5accaaf011cff4b7d");

    let info = HEX.encode(&info).into_bytes();
    let [key, nonce] = key_schedule([0x647a, 1, 3], 32, &hex(PQ_SHARED), &info);
    assert_eq!(
        HEX.encode(&key),
        "131c2ebb469b909a40915914afd7ff5e638888ac7195dcaaaef8f9a84f0e4030"
    );
    assert_eq!(HEX.encode(&nonce), "2b7a68f19e6cdbd43dda3c6d");
}

/// No published vector has the very suite of vaults; its three parts have some
/// each. What the vault seals is opened here by those parts alone.
#[test]
fn what_is_sealed_to_a_member_is_hpke_of_x_wing_with_aes_256_gcm() {
    use aes_gcm::aead::{Aead, Payload};
    use poterne::crypto::kem::{self, KemSecret};
    let drafts: serde_json::Value =
        serde_json::from_str(include_str!("../data/xwing.json")).expect("JSON");
    let text = |v: &serde_json::Value, name: &str| hex(v[name].as_str().expect("text"));
    let drafts = drafts.as_array().expect("a list").iter();
    let mut vectors: Vec<[Vec<u8>; 3]> =
        drafts.map(|v| ["seed", "eseed", "ss"].map(|name| text(v, name))).collect();
    vectors.push([PQ_SEED, PQ_RANDOM, PQ_SHARED].map(hex));
    for [seed, random, shared] in vectors {
        let secret = KemSecret::from_seed(&Key32::copy_of(&seed).expect("32 bytes"));
        let sealed = kem::seal_to(secret.public(), b"info", b"aad", b"a key", &mut |out| {
            out.copy_from_slice(&random);
        })
        .expect("a sound public key");
        let [key, nonce] = key_schedule([0x647a, 1, 2], 32, &shared, b"info");
        let cipher = aes_gcm::Aes256Gcm::new_from_slice(&key).expect("32 bytes");
        let nonce: [u8; 12] = nonce[..].try_into().expect("12 bytes");
        let payload = Payload { msg: &sealed[kem::ENCAPPED..], aad: b"aad" };
        assert_eq!(cipher.decrypt(&nonce.into(), payload).expect("opens"), b"a key");
    }
}

#[test]
fn sealing_to_a_member_encapsulates_like_the_x_wing_draft() {
    use poterne::crypto::kem::{self, KemSecret};
    // Vectors of draft-connolly-cfrg-xwing-kem.
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../data/xwing.json")).expect("JSON");
    let vectors = vectors.as_array().expect("a list");
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let bytes = |name: &str| {
            HEX.decode(vector[name].as_str().expect("text").as_bytes()).expect("hexadecimal")
        };
        let secret = KemSecret::from_seed(&Key32::copy_of(&bytes("seed")).expect("32 bytes"));
        assert!(secret.public()[..] == bytes("pk"));
        let sealed = kem::seal_to(secret.public(), b"i", b"a", b"key", &mut |out: &mut [u8]| {
            out.copy_from_slice(&bytes("eseed"));
        })
        .expect("a sound public key");
        assert!(sealed[..kem::ENCAPPED] == bytes("ct"));
        assert!(secret.open(b"i", b"a", &sealed).expect("opens").expose(|p| p == b"key"));
    }
}
