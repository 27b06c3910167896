//! Profiles of OpenVPN, and the files that lead to one.

use poterne::connect::openvpn::profile::{MAX_BYTES, provisioning, read};

use super::{MIB, fuzz, within};
use crate::kit_profiles::PKI;

const HOSTILE: &str = include_str!("../../data/openvpn/hostile.ovpn");
const WATCHGUARD: &str = include_str!("../../data/openvpn/watchguard.ovpn");

fn whole() -> String {
    let pki = &*PKI;
    format!(
        "client\nremote a 443 tcp\nverify-x509-name \"C=FR, O=\\\"a\\\"\" subject\nsetenv opt \
         block-outside-dns\n<ca>\n{}</ca>\n<cert>\n{}</cert>\n<key>\n{}</key>\n<connection>\nremote \
         b\n<tls-auth>\n{}</tls-auth>\n</connection>\nstatic-challenge 'Code ?' 1\n",
        pki.ca, pki.cert, pki.locked_old, pki.fixed
    )
}

#[test]
fn profiles() {
    let valid = [HOSTILE.to_owned(), WATCHGUARD.to_owned(), whole()];
    fuzz(2500, valid.map(String::into_bytes).into(), |bytes| {
        // A file is whatever else somebody put there.
        let mut file = |name: &str| {
            Ok(if name.contains('c') { PKI.ca.clone().into() } else { bytes.to_vec() })
        };
        let Ok(reading) = within(8 * MIB, || read(bytes, &mut file)) else { return };
        let text = reading.profile.text();
        assert!(text.len() <= 2 * MAX_BYTES);
        let again = text.expose(|text| {
            for line in text.lines() {
                assert!(line.len() <= 254, "{line}");
                let name = line.split(' ').next().unwrap_or_default();
                assert!(!["plugin", "up", "config", "management"].contains(&name), "{line}");
            }
            read(text.as_bytes(), &mut |name| panic!("{name} was asked for"))
        });
        let again = again.unwrap_or_else(|refused| panic!("{refused}"));
        assert!(again.dropped.is_empty(), "{:?}", again.dropped);
        assert!(again.profile.text().expose(|a| text.expose(|b| a == b)));
        assert_eq!(again.profile.facts(), reading.profile.facts());
    });
}

/// Damages what is in the armour, which damage of the text hardly reaches.
#[test]
fn certificates_in_profiles() {
    let der = |pem: &str| {
        let read = openssl::x509::X509::from_pem(pem.as_bytes()).expect("a certificate");
        read.to_der().expect("DER")
    };
    fuzz(3000, vec![der(&PKI.ca), der(&PKI.cert)], |bytes| {
        let inner = data_encoding::BASE64.encode(bytes);
        let text = format!(
            "client\nremote a\n<cert>\n-----BEGIN CERTIFICATE-----\n{}\n-----END \
             CERTIFICATE-----\n</cert>\n",
            wrapped(&inner)
        );
        let reading = read(text.as_bytes(), &mut |name| panic!("{name} was asked for"));
        let reading = reading.unwrap_or_else(|refused| panic!("{refused}"));
        let facts = within(MIB, || reading.profile.facts());
        for certificate in facts.certificates {
            let seen = |c: char| !poterne::model::unseen::hidden(c);
            assert!(certificate.subject.chars().all(seen), "{:?}", certificate.subject);
        }
    });
}

fn wrapped(base64: &str) -> String {
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("ASCII"))
        .collect();
    lines.join("\n")
}

#[test]
fn provisioning_files() {
    let valid = [
        r#"[{"display_name": "Siège", "gateway": "fw.example.fr", "user_portal_port": 4443,
            "otp": true, "auto_connect_host": "", "can_save_credentials": "no"}]"#,
        r#"{"gateway": ["a", "b"], "gateway_order": "latency", "vpn_portal_port": "443", "2fa": 1}"#,
    ];
    fuzz(2000, valid.map(|text| text.as_bytes().to_vec()).into(), |bytes| {
        let Ok(all) = within(MIB, || provisioning::read(bytes)) else { return };
        for one in all {
            assert!(!one.gateways.is_empty() && one.portal_port > 0);
        }
    });
}
