//! Profiles of OpenVPN as they are imported: what does harm is left out and listed,
//! what is written is read again to the same, and no key is among what may be shown.

use std::collections::BTreeMap;
use std::io;

use poterne::connect::openvpn::profile::{
    Class, Dropped, MAX_BYTES, MAX_DIRECTIVES, MAX_FILE_BYTES, PartKind, Profile, Proto, Reading,
    Refused, Role, allow, changes, provisioning, read,
};
use poterne::model::lang::Lang;
use poterne::model::time::Time;
use proptest::prelude::*;
use proptest::sample::select;

use crate::kit::cases;
use crate::kit_profiles::{AUTHORITY_ENDS, CLIENT_ENDS, PKI};

const HOSTILE: &str = include_str!("../data/openvpn/hostile.ovpn");
const SOPHOS: &str = include_str!("../data/openvpn/sophos.ovpn");
const WATCHGUARD: &str = include_str!("../data/openvpn/watchguard.ovpn");

/// Reads a profile that names no file.
fn alone(text: &str) -> Result<Reading, Refused> {
    read(text.as_bytes(), &mut |name| panic!("{name} was asked for"))
}

fn taken(text: &str) -> Reading {
    alone(text).unwrap_or_else(|refused| panic!("{refused}: {text}"))
}

fn written(profile: &Profile) -> String {
    profile.text().expose(str::to_owned)
}

fn listed(reading: &Reading) -> Vec<(usize, &str, Class)> {
    reading.dropped.iter().map(|d| (d.line, d.directive.as_str(), d.class)).collect()
}

#[test]
fn nothing_of_a_hostile_profile_is_left_and_all_of_it_is_listed() {
    let reading = read(HOSTILE.as_bytes(), &mut |name| panic!("{name} was asked for"))
        .unwrap_or_else(|refused| panic!("{refused}"));
    let text = written(&reading.profile);
    assert_eq!(
        text,
        "dev tun\nnobind\nclient\nremote vpn.example.fr 1194 udp\nauth-user-pass\nhttp-proxy \
         proxy.example.fr 8080 stdin basic\nsocks-proxy socks.example.fr 1080 \
         stdin\n<connection>\nremote inside.example.fr 443 tcp-client\n</connection>\n"
    );
    // Every line is listed but those two, then each block and what is in one that stays.
    let single = HOSTILE.lines().take_while(|line| !line.starts_with('<')).enumerate();
    let mut want: Vec<(usize, &str)> = single
        .filter(|(_, line)| !line.starts_with("# ") && *line != "client")
        .map(|(at, line)| (at + 1, line.trim_start_matches("setenv opt ")))
        .map(|(at, line)| (at, line.trim_start_matches("--").split(' ').next().unwrap_or(line)))
        .map(|(at, name)| (at, name.trim_matches(['"', '\''])))
        .filter(|(_, name)| *name != "remote")
        .collect();
    let first = HOSTILE.lines().position(|line| line == "<evil-block>").expect("the blocks") + 1;
    let blocks = [
        (0, "evil-block"),
        (3, "up"),
        (8, "plugin"),
        (9, "up"),
        (10, "verb"),
        (11, "tls-auth"),
        (15, "connection"),
        (16, "up"),
    ];
    want.extend(blocks.map(|(line, name)| (first + line, name)));
    let got: Vec<(usize, &str)> =
        reading.dropped.iter().map(|d| (d.line, d.directive.as_str())).collect();
    assert_eq!(got, want);
    let class = |name: &str| {
        reading.dropped.iter().find(|d| d.directive == name).map(|d| d.class).expect("listed")
    };
    for (name, is) in [
        ("plugin", Class::RunsCode),
        ("script-security", Class::RunsCode),
        ("auth-user-pass", Class::SendsFile),
        ("http-proxy", Class::SendsFile),
        ("socks-proxy", Class::SendsFile),
        ("askpass", Class::ReadsFile),
        ("config", Class::ReadsFile),
        ("log", Class::WritesFile),
        ("management", Class::Management),
        ("cd", Class::Process),
        ("ca", Class::FileElsewhere),
        ("cert", Class::FileElsewhere),
        ("key", Class::FileElsewhere),
        ("extra-certs", Class::FileElsewhere),
        ("tls-crypt", Class::FileElsewhere),
        ("push-peer-info", Class::Tells),
        ("no-replay", Class::Weakens),
        ("auth-gen-token", Class::Server),
        ("evil-unknown", Class::Unknown),
        ("setenv", Class::Environment),
        ("verb", Class::Place),
    ] {
        assert_eq!(class(name), is, "{name}");
    }
    // What is listed names no value.
    for dropped in &reading.dropped {
        assert!(
            !dropped.told(Lang::Fr).contains("/tmp") && !dropped.told(Lang::En).contains("/etc")
        );
    }
}

#[test]
fn a_profile_of_sophos_is_taken_whole_with_what_its_comments_say() {
    let text = SOPHOS
        .replace("CA-HERE", &PKI.ca)
        .replace("CERT-HERE", &PKI.cert)
        .replace("KEY-HERE", &PKI.key);
    let reading = taken(&text);
    assert_eq!(listed(&reading), []);
    assert_eq!(reading.hints.otp, Some(true));
    assert_eq!(reading.hints.can_save, Some(false));
    assert!(reading.warnings.is_empty(), "{:?}", reading.warnings);
    let facts = reading.profile.facts();
    assert!(facts.asks_login && !facts.key_encrypted);
    let hosts: Vec<&str> = facts.places.iter().map(|place| place.at.host.as_str()).collect();
    assert_eq!(hosts, ["fw.example.fr", "203.0.113.7"]);
    assert!(facts.places.iter().all(|place| place.at.port == 8443 && place.proto == Proto::Tcp));
    assert_eq!(facts.client_expires(), Some(Time::from_unix_seconds(CLIENT_ENDS)));
    assert_eq!(facts.authority_expires(), Some(Time::from_unix_seconds(AUTHORITY_ENDS)));
    let own = facts.certificates.iter().find(|c| c.role == Role::Client).expect("one");
    assert_eq!(own.subject, "CN=zoé,O=Dupont & Fils");
    // The dump of a certificate before its armour is gone.
    assert!(!written(&reading.profile).contains("Data:"));
}

#[test]
fn a_profile_of_watchguard_takes_its_files_from_beside() {
    let files: BTreeMap<&str, &str> = BTreeMap::from([
        ("ca.crt", &*PKI.ca),
        ("client.crt", &PKI.cert),
        ("client.pem", &PKI.locked),
    ]);
    let mut asked = Vec::new();
    let reading = read(WATCHGUARD.as_bytes(), &mut |name| {
        asked.push(name.to_owned());
        let text = files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(text.as_bytes().to_vec())
    });
    let reading = reading.unwrap_or_else(|refused| panic!("{refused}"));
    assert_eq!(asked, ["ca.crt", "client.crt", "client.pem"]);
    assert_eq!(listed(&reading), [(7, "tls-remote", Class::Gone)]);
    assert_eq!(reading.hints.auto_connect, Some(true));
    assert!(reading.warnings.is_empty(), "{:?}", reading.warnings);
    assert!(reading.profile.facts().key_encrypted);
    let text = written(&reading.profile);
    assert!(text.contains("\nfloat\n") && text.contains(&PKI.locked) && !text.contains("ca.crt"));
}

#[test]
fn a_profile_of_access_server_is_taken_but_for_what_tells_of_this_computer() {
    let pki = &*PKI;
    let reading = taken(&format!(
        "# OVPN_ACCESS_SERVER_PROFILE=zoe@vpn.example.fr\nsetenv FORWARD_COMPATIBLE \
         1\nclient\nserver-poll-timeout 4\nnobind\nremote vpn.example.fr 1194 udp\nremote \
         vpn.example.fr 443 tcp\ndev tun\ndev-type tun\nremote-cert-tls server\ntls-version-min 1.2 \
         or-highest\nreneg-sec 604720\ntun-mtu 1420\nauth-user-pass\nstatic-challenge \"Code\" \
         1\nverb 3\npush-peer-info\nsetenv PUSH_PEER_INFO\nsetenv UV_SITE lyon\n<ca>\n{}</ca>\n\
         <tls-crypt>\n{}</tls-crypt>\n",
        pki.ca, pki.fixed
    ));
    assert_eq!(
        listed(&reading),
        [
            (2, "setenv", Class::SetHere),
            (17, "push-peer-info", Class::Tells),
            (18, "setenv", Class::Tells)
        ]
    );
    assert!(reading.warnings.is_empty(), "{:?}", reading.warnings);
    let facts = reading.profile.facts();
    assert_eq!(facts.keys, [PartKind::TlsCrypt]);
    assert!(facts.asks_login && facts.challenge.is_some_and(|asked| asked.echo));
}

#[test]
fn a_profile_that_could_not_be_read_again_is_refused() {
    // Each line is longer once it is written.
    let text = format!("client\nremote a\n{}", "proto tcp\n".repeat(4998));
    assert_eq!(alone(&text).err(), Some(Refused::Many));
    taken(&format!("client\nremote a\n{}", "proto tcp\n".repeat(4996)));
    let name = "é".repeat(100);
    let line = format!("dhcp-option DOMAIN {name}\\ \n");
    let text = format!("client\nremote a\n{}", line.repeat(4720));
    assert!(text.len() <= MAX_BYTES && text.len() + 4720 > MAX_BYTES, "{}", text.len());
    assert_eq!(alone(&text).err(), Some(Refused::Large));
    // One bad fingerprint, and what the block says is not what it would do.
    let good = ["AB"; 32].join(":");
    let text = format!("client\nremote a\n<peer-fingerprint>\n{good}\nAB\n</peer-fingerprint>\n");
    let reading = taken(&text);
    assert_eq!(listed(&reading), [(3, "peer-fingerprint", Class::Content)]);
}

#[test]
fn a_file_that_is_missing_or_large_or_something_else_is_listed() {
    let text = "client\nremote a\nca gone\ncert large\nkey ca\ntls-auth ta 1\npkcs12 p\n";
    let reading = read(text.as_bytes(), &mut |name| match name {
        "large" => Ok(vec![b'A'; MAX_FILE_BYTES + 1]),
        "ca" => Ok(PKI.ca.clone().into_bytes()),
        "ta" => Ok(PKI.fixed.clone().into_bytes()),
        "p" => Ok(PKI.archive.clone()),
        _ => Err(io::ErrorKind::NotFound.into()),
    });
    let reading = reading.unwrap_or_else(|refused| panic!("{refused}"));
    assert_eq!(
        listed(&reading),
        [(3, "ca", Class::FileUnread), (4, "cert", Class::FileLarge), (5, "key", Class::Content)]
    );
    let facts = reading.profile.facts();
    assert_eq!(facts.keys, [PartKind::TlsAuth, PartKind::Pkcs12]);
    assert!(facts.key_encrypted);
    assert!(written(&reading.profile).contains("key-direction 1\n<tls-auth>\n-----BEGIN"));
    // Many small lines do not add up to much memory.
    let text = format!("client\nremote a\n{}", "ca ca\n".repeat(20));
    let padded = [PKI.ca.as_bytes(), &vec![b'\n'; MAX_FILE_BYTES - PKI.ca.len()]].concat();
    let many = read(text.as_bytes(), &mut |_| Ok(padded.clone()));
    assert_eq!(many.err(), Some(Refused::Large));
}

#[test]
fn a_profile_that_cannot_be_taken_is_refused_with_its_line() {
    let head = "client\nremote a\n";
    for (text, refused) in [
        (format!("{head}setenv UV_A \"a\nup x\n"), Refused::Quote(3)),
        (format!("{head}ca C:\\keys\\ca.crt\n"), Refused::Backslash(3)),
        (format!("{head}\n<ca>\nA\n"), Refused::Unclosed(4)),
        (format!("{head}dev tap0\n"), Refused::Tap(3)),
        (format!("{head}dev tun\ndev-type tap\n"), Refused::Tap(4)),
        (format!("{head}dev ours\n"), Refused::Device(3)),
        ("client\nremote a b c d\n".to_owned(), Refused::NoRemote),
        ("remote a\nca [inline]\n".to_owned(), Refused::NotForClients),
        (format!("{head}a\0b"), Refused::NotText),
        ("#".repeat(MAX_BYTES + 1), Refused::Large),
        (format!("{head}{}", "x\n".repeat(MAX_DIRECTIVES)), Refused::Many),
    ] {
        let got = alone(&text).err().expect("it is refused");
        assert_eq!(got, refused);
        for said in [got.what(), got.todo()] {
            assert!(said.fr.ends_with('.') && said.en.ends_with('.'), "{said:?}");
        }
        let line = got.line().map(|line| format!("{line}"));
        assert!(line.is_none_or(|line| got.what().en.contains(&line)));
    }
    taken(&format!("{head}dev ours\ndev-type tun\n"));
}

#[test]
fn risks_that_stay_are_told() {
    let head = format!("client\nremote a\n<ca>\n{}</ca>\n", PKI.ca);
    let checked = format!("{head}remote-cert-tls server\n");
    assert!(taken(&checked).warnings.is_empty());
    for (line, word) in [
        ("", "pose as the server"),
        ("remote-cert-tls client", "pose as the server"),
        ("comp-lzo", "VORACLE"),
        ("compress lz4", "VORACLE"),
        ("allow-compression yes", "VORACLE"),
        ("cipher BF-CBC", "BF-CBC"),
        ("data-ciphers AES-256-GCM:?DES-EDE3-CBC", "DES-EDE3-CBC"),
        ("cipher none", "NONE"),
        ("auth none", "auth none"),
        ("tls-version-min 1.0", "tls-version-min 1.0"),
        ("tls-cert-profile insecure", "tls-cert-profile insecure"),
        ("tls-cipher DEFAULT:@SECLEVEL=0", "SECLEVEL=0"),
        ("compat-mode 2.3.0", "compat-mode 2.3.0"),
        ("<cert>\nCERT</cert>", "its key is missing"),
    ] {
        let line = line.replace("CERT<", &format!("{}<", PKI.cert));
        let server = if word.starts_with("pose") { "" } else { "remote-cert-tls server\n" };
        let warnings = taken(&format!("{head}{server}{line}\n")).warnings;
        assert!(warnings.iter().any(|w| w.en.contains(word)), "{line}: {warnings:?}");
        assert!(warnings.iter().all(|w| w.fr.ends_with('.') && w.en.ends_with('.')));
    }
    for line in ["comp-lzo no", "compress stub-v2", "compress", "cipher AES-256-CBC", "auth SHA512"]
    {
        assert!(taken(&format!("{checked}{line}\n")).warnings.is_empty(), "{line}");
    }
    let missing = taken("client\nremote a\nremote-cert-tls server\n").warnings;
    assert!(missing.iter().any(|w| w.en.contains("(ca) is missing")), "{missing:?}");
    let fixed =
        taken(&format!("remote a\nifconfig 10.1.0.1 10.1.0.2\n<secret>\n{}</secret>\n", PKI.fixed));
    assert!(fixed.warnings.iter().any(|w| w.en.contains("One fixed key")));
}

#[test]
fn a_login_in_the_profile_is_handed_out_and_not_written() {
    let reading = taken("client\nremote a\n<auth-user-pass>\nzoé\nhunter two\n</auth-user-pass>\n");
    let login = reading.login.as_ref().expect("a login");
    assert_eq!(login.user, "zoé");
    assert!(login.password.as_ref().is_some_and(|p| p.expose(|p| p == "hunter two")));
    assert_eq!(listed(&reading), [(3, "auth-user-pass", Class::Login)]);
    assert_eq!(written(&reading.profile), "dev tun\nnobind\nclient\nremote a\nauth-user-pass\n");
}

#[test]
fn what_stands_before_a_block_holds_in_it_and_a_block_has_its_own() {
    let reading = taken(
        "client\nproto tcp\nremote unused\nhttp-proxy p.example 8080\n<connection>\nremote a \
         443\n</connection>\n<connection>\nremote b 1194 udp\n</connection>\nport 7\nstatic-challenge \
         \"Code reçu \\\"par\\\" SMS\" 0\n",
    );
    assert_eq!(listed(&reading), []);
    let facts = reading.profile.facts();
    let said: Vec<(&str, u16, Proto)> =
        facts.places.iter().map(|p| (p.at.host.as_str(), p.at.port, p.proto)).collect();
    assert_eq!(said, [("a", 443, Proto::Tcp), ("b", 1194, Proto::Udp)]);
    let later = taken(
        "client\n<connection>\nremote a 443 tcp\nport 7\nproto udp\n</connection>\n\
         <connection>\nport 7\nremote b 443 tcp\n</connection>\n",
    );
    let later = later.profile.facts().places;
    let said: Vec<(u16, Proto)> = later.iter().map(|p| (p.at.port, p.proto)).collect();
    assert_eq!(said, [(7, Proto::Udp), (443, Proto::Tcp)]);
    assert!(facts.places[0].proxy.as_ref().is_some_and(|proxy| proxy.port == 8080));
    let challenge = facts.challenge.expect("a challenge");
    assert_eq!((challenge.text.as_str(), challenge.echo), ("Code reçu \"par\" SMS", false));
}

#[test]
fn fetching_again_shows_what_changed_and_no_key() {
    let profile = |lines: &str, key: &str| {
        taken(&format!("client\n{lines}<key>\n{key}</key>\n<cert>\n{}</cert>\n", PKI.cert)).profile
    };
    let old = profile("remote a 1194\nremote b 1194\nverb 3\ncipher AES-128-CBC\n", &PKI.key);
    let same = profile("remote a 1194\nremote b 1194\nverb 3\ncipher AES-128-CBC\n", &PKI.key);
    assert_eq!(changes(&old, &same), []);
    let new = profile("remote c 443 tcp\nremote a 1194\ncipher AES-256-GCM\nfloat\n", &PKI.locked);
    let said: Vec<String> = changes(&old, &new).into_iter().map(|line| line.en).collect();
    assert_eq!(
        said,
        [
            "removed: remote b 1194",
            "added: remote c 443 tcp-client",
            "removed: verb 3",
            "changed: cipher AES-128-CBC → cipher AES-256-GCM",
            "added: float",
            "changed: key",
        ]
    );
    let turned = profile("remote b 1194\nremote a 1194\nverb 3\ncipher AES-128-CBC\n", &PKI.key);
    let said: Vec<String> = changes(&old, &turned).into_iter().map(|line| line.fr).collect();
    assert_eq!(said, ["autre ordre\u{a0}: remote"]);
    let bare = taken("client\nremote a 1194\nremote b 1194\nverb 3\ncipher AES-128-CBC\n").profile;
    let said: Vec<String> = changes(&bare, &old).into_iter().map(|line| line.en).collect();
    assert_eq!(said, ["added: cert, valid until 2037-01-01", "added: key"]);
}

#[test]
fn a_reason_is_a_piece_of_a_sentence_in_both_languages() {
    let reading = read(HOSTILE.as_bytes(), &mut |_| Err(io::ErrorKind::NotFound.into()));
    let reading = reading.unwrap_or_else(|refused| panic!("{refused}"));
    for why in reading.dropped.iter().map(Dropped::why) {
        assert!(!why.fr.is_empty() && why.fr != why.en && !why.en.ends_with('.'), "{why:?}");
    }
    assert!(reading.dropped.iter().any(|dropped| dropped.class.is_grave()));
    assert!(provisioning::read(HOSTILE.as_bytes()).is_err());
}

/// An argument of any kind that a directive takes.
fn argument() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "a b",
        "\"",
        "\\",
        "a\"b\\c",
        "#x",
        ";",
        "'",
        "é 日",
        "<ca>",
        "</connection>",
        "--up",
        "$(x)",
        "%s",
        "a\tb",
        "",
        "\u{202E}",
    ]);
    let usual = select(vec![
        "0",
        "1",
        "3",
        "60",
        "1194",
        "70000",
        "udp",
        "tcp",
        "tcp6-client",
        "server",
        "name",
        "yes",
        "no",
        "adaptive",
        "1.2",
        "or-highest",
        "DNS",
        "10.8.0.1",
        "255.255.255.0",
        "vpn_gateway",
        "default",
        "2001:db8::/64",
        "2001:db8::1",
        "AES-256-GCM",
        "SHA256",
        "accept",
        "route",
        "UV_A",
        "def1",
        "vpn.example.fr",
        "stdin",
        "auto",
        "mtu",
        "2.4.0",
        "[inline]",
        "ca.crt",
    ]);
    prop_oneof![3 => usual.prop_map(str::to_owned), 1 => odd.prop_map(str::to_owned),
        1 => "[ -~é]{1,12}"]
}

/// A line as a profile may have it: a directive that is known, and words.
fn a_line() -> impl Strategy<Value = String> {
    let names: Vec<&str> = allow::TAKEN.iter().map(|known| known.name).collect();
    let parts = proptest::collection::vec(argument(), 0..4);
    (select(names), parts).prop_map(|(name, args)| {
        let quoted = args
            .iter()
            .map(|arg| format!(" \"{}\"", arg.replace('\\', "\\\\").replace('"', "\\\"")));
        format!("{name}{}\n", quoted.collect::<String>())
    })
}

fn a_part() -> impl Strategy<Value = String> {
    let pki = &*PKI;
    let parts = vec![
        ("ca", pki.ca.clone()),
        ("cert", pki.cert.clone()),
        ("extra-certs", format!("{}{}", pki.ca, pki.cert)),
        ("key", pki.locked_old.clone()),
        ("key", pki.key.clone()),
        ("tls-auth", pki.fixed.clone()),
        ("tls-crypt", pki.fixed.clone()),
        ("secret", pki.fixed.clone()),
        ("peer-fingerprint", format!("{}\n", ["aB"; 32].join(":"))),
    ];
    select(parts).prop_map(|(name, text)| format!("<{name}>\n{text}</{name}>\n"))
}

fn a_profile() -> impl Strategy<Value = String> {
    let piece = || prop_oneof![6 => a_line(), 1 => a_part()];
    let block = proptest::collection::vec(piece(), 0..5)
        .prop_map(|all| format!("<connection>\nremote b 443\n{}</connection>\n", all.concat()));
    let piece = prop_oneof![8 => piece(), 1 => block];
    proptest::collection::vec(piece, 0..30)
        .prop_map(|all| format!("client\nremote a\n{}dev tun\ndev-type tun\n", all.concat()))
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn what_is_written_is_read_to_the_same_and_nothing_is_left_out(text in a_profile()) {
        let files = |name: &str| match name {
            "ca.crt" => Ok(PKI.ca.clone().into_bytes()),
            _ => Err(io::ErrorKind::NotFound.into()),
        };
        let first = read(text.as_bytes(), &mut |name| files(name));
        let first = first.unwrap_or_else(|refused| panic!("{refused}"));
        let once = written(&first.profile);
        let second = taken(&once);
        prop_assert_eq!(listed(&second), vec![], "{}", once);
        prop_assert_eq!(written(&second.profile), once);
        prop_assert_eq!(second.profile.facts(), first.profile.facts());
        prop_assert_eq!(second.warnings, first.warnings);
        prop_assert_eq!(changes(&first.profile, &second.profile), vec![]);
    }
}
