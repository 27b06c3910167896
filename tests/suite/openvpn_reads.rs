//! What is written of a profile is what the real `openvpn` reads: every directive that
//! is taken, words with odd signs, and every kind of key. Nothing leaves the computer:
//! `openvpn` stops where it has read its options, or where it would reach a closed port.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::UdpSocket;
use std::process::{Command, Stdio};

use poterne::connect::openvpn::profile::{Profile, allow, read};
use proptest::prelude::*;

use crate::kit::cases;
use crate::kit_profiles::PKI;

/// What it says once it has read all options, and waits for the management.
const READ: &str = "Need hold release from management interface";
/// What it says once keys and certificates are loaded and it sends its first packet.
const LOADED: &str = "link remote: [AF_INET]127.0.0.1:";

/// Runs `openvpn` until it says `until`; what it said.
///
/// # Errors
/// It ended before.
fn said(profile: &str, extra: &[&str], until: &str) -> Result<String, String> {
    let mut child = Command::new("openvpn")
        .args(["--config", "stdin", "--verb", "4"])
        .args(extra)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openvpn is installed");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(profile.as_bytes()).expect("openvpn reads it");
    drop(stdin);
    let mut out = String::new();
    let mut there = false;
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
    while !there {
        let at = out.len();
        if lines.read_line(&mut out).expect("a text") == 0 {
            break;
        }
        there = out[at..].contains(until);
    }
    child.kill().expect("it runs, or was not waited for");
    child.wait().expect("it ends");
    let mut rest = Vec::new();
    lines.read_to_end(&mut rest).expect("the rest");
    if there { Ok(out) } else { Err(out) }
}

/// What it says of the options of a profile that it read.
fn options(profile: &str) -> Result<String, String> {
    let dir = tempfile::tempdir().expect("a folder");
    let socket = dir.path().join("m");
    let socket = socket.to_str().expect("UTF-8");
    let management = ["--management", socket, "unix", "--management-hold"];
    said(profile, &[&management[..], &["--management-query-passwords"]].concat(), READ)
}

fn taken(text: &str) -> Profile {
    let reading = read(text.as_bytes(), &mut |name| panic!("{name} was asked for"));
    let reading = reading.unwrap_or_else(|refused| panic!("{refused}: {text}"));
    assert!(reading.dropped.is_empty(), "{text}: {:?}", reading.dropped);
    reading.profile
}

fn written(text: &str) -> String {
    taken(text).text().expose(str::to_owned)
}

fn base() -> String {
    let pki = &*PKI;
    format!(
        "remote 127.0.0.1 9\n<ca>\n{}</ca>\n<cert>\n{}</cert>\n<key>\n{}</key>\n",
        pki.ca, pki.cert, pki.key
    )
}

/// Every directive as it may be written, with what it needs beside it.
const LINES: &[&str] = &[
    "client",
    "tls-client\npull",
    "remote vpn.example.fr\nremote 192.0.2.1 443 tcp\nremote 2001:db8::1 1194 udp6",
    "proto tcp",
    "proto udp4",
    "proto tcp6-client",
    "port 443",
    "rport 443",
    "nobind",
    "<connection>\nremote a 443 tcp\nhttp-proxy p 80 auto basic\nconnect-retry 2 \
     9\n</connection>\n<connection>\nremote b\nproto udp\nport 7\nrport \
     8\nnobind\nfloat\nconnect-timeout 9\nexplicit-exit-notify 2\ntun-mtu 1400\nmssfix 1300 \
     mtu\nfragment 1300 mtu\nmtu-disc yes\nkey-direction 1\n</connection>",
    "remote-random",
    "remote-random-hostname",
    "float",
    "resolv-retry infinite",
    "resolv-retry 20",
    "connect-retry 2",
    "connect-retry 2 60",
    "connect-retry-max 3",
    "connect-timeout 10",
    "server-poll-timeout 10",
    "proto tcp\nhttp-proxy p.example 8080",
    "proto tcp\nhttp-proxy p.example 8080 stdin basic",
    "proto tcp\nhttp-proxy p.example 8080 auto-nct",
    "socks-proxy p.example",
    "socks-proxy p.example 1081",
    "socks-proxy p.example 1081 stdin",
    "explicit-exit-notify",
    "dev tun\ndev-type tun",
    "topology subnet",
    "ifconfig 10.8.0.2 255.255.255.0\ntopology subnet",
    "ifconfig 10.8.0.2 10.8.0.1",
    "ifconfig-ipv6 2001:db8::2/64 2001:db8::1",
    "tun-ipv6",
    "persist-tun",
    "persist-key",
    "disable-dco",
    "tun-mtu 1400",
    "tun-mtu 1400 1500",
    "tun-mtu-extra 32",
    "link-mtu 1400",
    "udp-mtu 1400",
    "mssfix",
    "mssfix 1360",
    "mssfix 1360 fixed",
    "fragment 1300",
    "mtu-disc maybe",
    "sndbuf 0\nrcvbuf 393216",
    "socket-flags TCP_NODELAY",
    "fast-io",
    "route 10.0.0.0",
    "route 10.0.0.0 255.0.0.0",
    "route 10.0.0.0 255.0.0.0 vpn_gateway 5",
    "route remote_host 255.255.255.255 net_gateway",
    "route 10.0.0.0 255.0.0.0 default default",
    "route-ipv6 2001:db8:1::/48",
    "route-ipv6 2001:db8:1::/48 2001:db8::1 5",
    "route-gateway 10.8.0.1",
    "route-gateway dhcp",
    "route-ipv6-gateway 2001:db8::1",
    "route-metric 5",
    "route-delay",
    "route-delay 4 30",
    "route-nopull",
    "redirect-gateway def1 bypass-dhcp ipv6 !ipv4",
    "redirect-gateway",
    "redirect-private block-local",
    "block-ipv6",
    "allow-pull-fqdn",
    "pull-filter ignore \"dhcp-option DNS\"\npull-filter accept route\npull-filter reject ifconfig-ipv6",
    "dhcp-option DNS 10.8.0.1\ndhcp-option DOMAIN dupont.lan\ndhcp-option DISABLE-NBT",
    "cipher AES-256-CBC",
    "data-ciphers AES-256-GCM:?AES-128-GCM",
    "ncp-ciphers AES-256-GCM",
    "data-ciphers-fallback AES-256-CBC",
    "auth SHA512",
    "tls-version-min 1.2 or-highest",
    "tls-version-max 1.3",
    "tls-cipher DEFAULT:!EXP:!LOW:@SECLEVEL=0",
    "tls-ciphersuites TLS_AES_256_GCM_SHA384",
    "tls-groups X25519:secp256r1",
    "ecdh-curve secp384r1",
    "tls-cert-profile preferred",
    "key-direction 1",
    "replay-window 128 30",
    "compat-mode 2.4.0",
    "comp-lzo",
    "comp-lzo no",
    "comp-lzo adaptive\ncomp-noadapt",
    "compress",
    "compress stub-v2",
    "compress lz4-v2\nallow-compression yes",
    "allow-compression asym",
    "remote-cert-tls server",
    "remote-cert-ku a0 88",
    "remote-cert-eku \"TLS Web Server Authentication\"",
    "ns-cert-type server",
    "verify-x509-name fw.example.fr name",
    "verify-x509-name \"C=FR, O=Dupont & Fils, CN=fw\"",
    "auth-user-pass",
    "auth-user-pass\nauth-nocache",
    "auth-user-pass\nstatic-challenge \"Code reçu\" 1",
    "setenv UV_ASSET \"a b\"\nsetenv IV_SSO webauth,crtext\nsetenv CLIENT_CERT 0",
    "reneg-sec 0",
    "reneg-sec 3600 300\nreneg-bytes 1000000\nreneg-pkts 1000000",
    "hand-window 60\ntran-window 3600\ntls-timeout 2",
    "keepalive 10 60",
    "ping 10\nping-restart 60\nping-timer-rem",
    "ping-exit 60",
    "inactive 600 1000\nsession-timeout 3600",
    "verb 3\nmute 20\nmute-replay-warnings",
];

#[test]
fn every_directive_that_is_taken_is_read_by_openvpn() {
    let mut tried: Vec<&str> = ["ca", "cert", "key"].into();
    for lines in LINES {
        tried.extend(lines.lines().filter_map(|line| line.split(' ').next()));
        let client = if lines.starts_with("tls-client") { "" } else { "client\n" };
        let text = written(&format!("{client}{}{lines}\n", base()));
        if let Err(said) = options(&text) {
            panic!("{lines}\n{said}");
        }
    }
    // Those with keys have a test of their own.
    let keys = [
        "extra-certs",
        "pkcs12",
        "tls-auth",
        "tls-crypt",
        "tls-crypt-v2",
        "secret",
        "peer-fingerprint",
    ];
    for known in allow::TAKEN {
        let name = known.name;
        let tag = format!("<{name}>");
        let there = tried.contains(&name) || tried.contains(&tag.as_str()) || keys.contains(&name);
        assert!(there, "{name} is not tried");
    }
}

/// A key of one client for tls-crypt-v2, by `openvpn` itself.
fn tls_crypt_v2() -> String {
    let dir = tempfile::tempdir().expect("a folder");
    let made = |args: &[&str]| {
        let done = Command::new("openvpn")
            .args(args)
            .current_dir(dir.path())
            .output()
            .expect("openvpn is installed");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    };
    made(&["--genkey", "tls-crypt-v2-server", "server"]);
    made(&["--tls-crypt-v2", "server", "--genkey", "tls-crypt-v2-client", "client"]);
    std::fs::read_to_string(dir.path().join("client")).expect("it was made")
}

#[test]
fn every_kind_of_key_is_loaded_by_openvpn() {
    let pki = &*PKI;
    // Nobody answers there, and nothing else takes the port.
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("bound").port();
    let (v2, finger) = (tls_crypt_v2(), ["AB"; 32].join(":"));
    let ca = format!("<ca>\n{}</ca>\n", pki.ca);
    let own = format!("<cert>\n{}</cert>\n<key>\n{}</key>\n", pki.cert, pki.key);
    let both = format!("client\n{ca}{own}");
    let profiles = [
        format!("{both}<extra-certs>\n{}</extra-certs>\n", pki.ca),
        format!("{both}tls-auth ta.key 1\n"),
        format!("{both}key-direction 1\n<tls-auth>\n{}</tls-auth>\n", pki.fixed),
        format!("{both}<tls-crypt>\r\n{}</tls-crypt>\r\n", pki.fixed.replace('\n', "\r\n")),
        format!("{both}<tls-crypt-v2>\n{v2}</tls-crypt-v2>\n"),
        "client\npkcs12 all.p12\n".to_owned(),
        format!("client\n{own}<peer-fingerprint>\n{finger}\n{finger}\n</peer-fingerprint>\n"),
        format!("client\n{own}peer-fingerprint {finger}\n"),
        format!(
            "ifconfig 10.9.0.1 10.9.0.2\ncipher AES-256-CBC\n<secret>\n{}</secret>\n",
            pki.fixed
        ),
        format!(
            "client\n{ca}{own}<connection>\nremote 127.0.0.1 {port}\n<tls-crypt>\n{}</tls-crypt>\n\
             </connection>\n",
            pki.fixed
        ),
    ];
    for profile in profiles {
        let text = format!("{profile}remote 127.0.0.1 {port} udp\n");
        let reading = read(text.as_bytes(), &mut |name| match name {
            "ta.key" => Ok(pki.fixed.clone().into_bytes()),
            "all.p12" => Ok(pki.archive.clone()),
            _ => panic!("{name} was asked for"),
        });
        let reading = reading.unwrap_or_else(|refused| panic!("{refused}"));
        assert!(reading.dropped.is_empty(), "{:?}", reading.dropped);
        let text = reading.profile.text().expose(str::to_owned);
        // A key of both sides opens its device before anything else.
        let fixed = text.contains("<secret>");
        let until = if fixed { "Outgoing Static Key Encryption" } else { LOADED };
        let extra: &[&str] = if fixed { &["--dev", "null", "--ifconfig-noexec"] } else { &[] };
        if let Err(said) = said(&text, extra, until) {
            panic!("{said}");
        }
    }
}

/// Where `openvpn` would go, in its own words and in ours.
#[test]
fn openvpn_goes_where_the_facts_say() {
    for lines in [
        "remote a\nremote b 443 tcp\nport 7\nproto tcp",
        "rport 8\nremote a 443\nremote b",
        "proto tcp\n<connection>\nremote a 443 udp\nport 7\n</connection>\n<connection>\nport \
         7\nremote b 443 tcp\nproto udp6\n</connection>\nport 9\nremote c",
        "<connection>\nremote a\n</connection>\nproto tcp\nport 9\n<connection>\nremote \
         b\nhttp-proxy p 80\n</connection>",
    ] {
        let own = base().split_once('\n').expect("its remote").1.to_owned();
        let profile = taken(&format!("client\n{own}{lines}\n"));
        let said = profile.text().expose(options).unwrap_or_else(|said| panic!("{said}"));
        let of = |name: &str| -> Vec<String> {
            let name = format!(" {name} = ");
            let found = said.lines().filter_map(|line| line.split_once(&name));
            found.map(|(_, value)| value.trim_matches('\'').to_owned()).collect()
        };
        let said: Vec<_> =
            of(" remote").into_iter().zip(of(" remote_port")).zip(of(" proto")).collect();
        let ours = profile.facts().places.into_iter();
        let ours: Vec<_> =
            ours.map(|p| ((p.at.host, p.at.port.to_string()), p.proto.word().to_owned())).collect();
        assert_eq!(said, ours, "{lines}");
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn openvpn_reads_words_with_odd_signs_as_they_were(
        name in r#"[ -~éÀ日«»’"\\#;<']{1,40}"#,
        filter in r#"[ -~éÀ日«»’"\\#;<']{1,40}"#,
    ) {
        prop_assume!(!name.trim().is_empty());
        let quoted = |word: &str| word.replace('\\', "\\\\").replace('"', "\\\"");
        let text = written(&format!(
            "client\n{}verify-x509-name \"{}\" name\npull-filter ignore \"{}\"\n",
            base(), quoted(&name), quoted(&filter),
        ));
        let said = options(&text).map_err(TestCaseError::fail)?;
        let line = format!("verify_x509_name = '{name}'\n");
        prop_assert!(said.contains(&line), "{line}{said}");
        let line = format!("  ignore \"{filter}\"\n");
        prop_assert!(said.contains(&line), "{line}{said}");
    }
}
