//! VPN profiles on their way into the vault by the command line: from files, folders
//! and portals, renewed only after a yes, and nothing of them run or sent.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli_kit::{Ran, Seat, finish};
use crate::kit_portal::{Page, Pair, Portal, profile, profile_with_files};

const UNTIL: &str = "20390205120000Z";

fn seat() -> Seat {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "Acme"]);
    seat
}

/// The command, trusting `portal` and nobody else.
fn trusting(seat: &Seat, portal: &Portal, args: &[&str], input: &str) -> Ran {
    let mut command = seat.command(args);
    command.env("SSL_CERT_FILE", &portal.authority);
    finish(command, input)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn words<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    let all = value.as_array().expect("a list").iter();
    all.map(|each| each[name].as_str().expect("text")).collect()
}

#[test]
fn a_folder_of_profiles_becomes_vpns_and_what_is_left_out_is_told() {
    let seat = seat();
    let folder = seat.home.path().join("profiles");
    fs::create_dir(&folder).expect("ours");
    let authority = Pair::authority();
    let own = authority.sign("alice", UNTIL);
    let more = "register-dns\nplugin /tmp/evil.so\nup /bin/x\n;otp yes\n";
    profile_with_files(&folder, "Site A.ovpn", &authority, &own, more);
    let login = "<auth-user-pass>\nalice\nMot-7f3a\n</auth-user-pass>\n";
    fs::write(folder.join("b.conf"), profile(&authority, &own, login)).expect("ours");
    fs::write(folder.join("sshd.conf"), "Port 22\n").expect("ours");
    fs::write(folder.join("tap.ovpn"), "client\ndev tap\nremote x\n").expect("ours");
    fs::write(seat.home.path().join("outside.ovpn"), "client\nremote x\n").expect("ours");
    symlink("../outside.ovpn", folder.join("link.ovpn")).expect("ours");
    fs::write(folder.join("fw.pro"), r#"[{"gateway": "fw.example", "user_portal_port": 4443}]"#)
        .expect("ours");

    let into = ["vpn", "import", text(&folder), "--into", "Acme"];
    // One of them is refused, which the status says; the others are in.
    let ran = seat.run(&[&["--json"], &into[..]].concat(), "").ended(1).json();
    assert_eq!(words(&ran["imported"], "path"), ["Acme/Site A", "Acme/b"]);
    assert_eq!(words(&ran["refused"], "file"), ["tap.ovpn"]);
    assert_eq!(ran["portals"][0]["addresses"], json!(["https://fw.example:4443/"]));
    let first = &ran["imported"][0];
    assert_eq!(words(&first["dropped"], "directive"), ["plugin", "up", "register-dns"]);
    assert_eq!(first["dropped"][0]["grave"], true);
    assert_eq!(first["dropped"][2]["grave"], false);
    assert_eq!((&first["created"], &first["expires"]), (&json!(true), &json!("2039-02-05")));

    let shown = seat.ok(&["--json", "show", "Acme/Site A"]).json();
    assert_eq!((&shown["kind"], &shown["expires"]), (&json!("openvpn"), &json!("2039-02-05")));
    let settings = &shown["settings"];
    assert_eq!(settings["servers"], "vpn.acme.example:443/tcp, 192.0.2.7:1194/udp");
    assert_eq!(settings["source"], json!(text(&folder.join("Site A.ovpn"))));
    assert_eq!(settings["otp"], "append");
    let kept = ["show", "Acme/Site A", "--reveal", "--field", "openvpn-profile"];
    let kept = seat.ok(&kept).out;
    assert!(kept.contains("<key>\n-----BEGIN PRIVATE KEY-----"), "{kept}");
    assert!(!kept.contains("plugin") && !kept.contains("up "), "{kept}");
    let b = seat.ok(&["--json", "show", "Acme/b", "--reveal"]).json();
    assert_eq!(
        (&b["user"], &b["secrets"]["password"]["value"]),
        (&json!("alice"), &json!("Mot-7f3a"))
    );
    let log = seat.ok(&["--json", "audit", "log", "--event", "entry.created"]).json();
    let paths: Vec<_> = log["lines"].as_array().expect("lines").iter().collect();
    assert_eq!(paths.len(), 3, "the client and each VPN, once: {log}");

    // As a person is told it: what could have done harm first.
    let told = seat
        .run(
            &[
                &["vpn", "import"],
                &[text(&folder.join("Site A.ovpn"))][..],
                &into[3..],
                &["--name", "C"],
            ]
            .concat(),
            "",
        )
        .ended(0);
    assert_eq!(told.out, "Acme/C\n");
    let at = |word: &str| told.err.find(word).unwrap_or_else(|| panic!("{word}: {}", told.err));
    assert!(
        at("! Left out") < at("line 8, plugin") && at("line 9, up") < at("line 7, register-dns")
    );
}

#[test]
fn a_vpn_that_is_there_is_renewed_only_after_a_yes() {
    let seat = seat();
    let file = seat.home.path().join("vpn.ovpn");
    let authority = Pair::authority();
    let own = authority.sign("alice", UNTIL);
    fs::write(&file, profile(&authority, &own, "")).expect("ours");
    let import = ["vpn", "import", text(&file), "--into", "Acme/"];
    seat.ok(&import);
    seat.ok(&["edit", "Acme/vpn", "--user", "bob", "--field", "connect-timeout=20"]);
    let version = || seat.ok(&["--json", "show", "Acme/vpn"]).json()["version"].clone();
    assert_eq!(version(), 2);

    // The same again is no news.
    let same = seat.run(&["vpn", "fetch", "Acme/vpn"], "").ended(0);
    assert!(same.err.contains("The profile is the same."), "{}", same.err);
    assert_eq!(version(), 2, "no version for nothing");
    let renewed = authority.sign("alice", "20400101000000Z");
    fs::write(&file, profile(&authority, &renewed, "remote b.acme.example 443 tcp\n"))
        .expect("ours");
    let before = version();
    for command in [&import[..], &["vpn", "fetch", "Acme/vpn"]] {
        let refused = seat.run(command, "no\n").ended(1);
        let told = &refused.err;
        assert!(told.contains("added: remote b.acme.example 443 tcp-client"), "{told}");
        assert!(told.contains("changed: cert, valid until 2040-01-01"), "{told}");
        assert!(!told.contains("BEGIN"), "no key is shown: {told}");
        assert_eq!(version(), before);
    }
    let ran = seat.run(&["--json", "vpn", "fetch", "Acme/vpn", "--yes"], "").ended(0).json();
    assert_eq!((&ran["created"], &ran["changed"]), (&json!(false), &json!(true)));
    assert_eq!(ran["changes"].as_array().map(Vec::len), Some(3), "{ran}");
    let shown = seat.ok(&["--json", "show", "Acme/vpn"]).json();
    assert_eq!((&shown["user"], &shown["expires"]), (&json!("bob"), &json!("2040-01-01")));
    assert_eq!(shown["settings"]["connect-timeout"], "20", "what a person chose stays");
    // Nothing else is overwritten, and there is nothing to make up.
    seat.ok(&["add", "ssh", "Acme/srv", "--host", "h"]);
    let other = ["vpn", "import", text(&file), "--into", "Acme", "--name", "srv", "--yes"];
    seat.run(&other, "").ended(2);
    seat.run(&["vpn", "import", text(&file), "--into", "Nobody"], "").ended(4);
    seat.run(&["vpn", "import", "/nowhere.ovpn", "--into", "Acme"], "").ended(4);
    seat.run(&["vpn", "fetch", "Acme/srv"], "").ended(2);
}

#[test]
fn a_portal_gives_its_profile_by_https_to_who_logs_in() {
    let (seat, portal) = (seat(), Portal::start());
    let authority = Pair::authority();
    let own = authority.sign("alice", UNTIL);
    let body = profile(&authority, &own, "");
    portal.put("/rest/GetUserlogin", Page::Asks("alice:p@ss:é", body.clone().into_bytes()));
    let url = portal.url("/rest/GetUserlogin");
    let import = ["vpn", "import", &url, "--into", "Acme", "--name", "VPN"];

    let refused = trusting(&seat, &portal, &import, "alice\nwrong\n").ended(6);
    assert!(refused.err.contains("refused the user or the password"), "{}", refused.err);
    trusting(&seat, &portal, &import, "alice\np@ss:é\n").ended(0);
    let shown = seat.ok(&["--json", "show", "Acme/VPN", "--reveal"]).json();
    assert_eq!((&shown["user"], &shown["settings"]["source"]), (&json!("alice"), &json!(url)));
    assert!(shown["secrets"]["password"].is_null(), "a portal's password is not kept");

    // Fetched again, with the user that is known.
    let more = profile(&authority, &own, "cipher AES-256-GCM\n").into_bytes();
    portal.put("/rest/GetUserlogin", Page::Asks("alice:p@ss:é", more));
    let fetch = ["vpn", "fetch", "Acme/VPN"];
    let fetched = trusting(&seat, &portal, &fetch, "p@ss:é\nyes\n").ended(0);
    assert!(fetched.err.contains("added: cipher AES-256-GCM"), "{}", fetched.err);

    // A link to click, with a token: it is used and not kept.
    portal.put("/p?token=x1", Page::Body(body.into_bytes()));
    let link = format!("openvpn://import-profile/{}", portal.url("/p?token=x1"));
    trusting(&seat, &portal, &["vpn", "import", &link, "--into", "Acme", "--name", "T"], "")
        .ended(0);
    let shown = seat.ok(&["--json", "show", "Acme/T"]).json();
    assert!(shown["settings"]["source"].is_null(), "{shown}");
    seat.run(&["vpn", "fetch", "Acme/T"], "").ended(2);
}

#[test]
fn a_portal_that_is_not_proved_or_sends_astray_gives_nothing() {
    let (seat, portal) = (seat(), Portal::start());
    let body = b"client\nremote x\n".to_vec();
    let import = |path: &str| {
        let url = portal.url(path);
        trusting(&seat, &portal, &["vpn", "import", &url, "--into", "Acme", "--name", "V"], "")
    };
    portal.put("/ok.ovpn", Page::Body(body.clone()));
    portal.put("/moved", Page::To(portal.url("/ok.ovpn")));
    portal.put("/away", Page::To(format!("https://localhost:{}/ok.ovpn", portal.port)));
    portal.put("/plain", Page::To(format!("http://127.0.0.1:{}/ok.ovpn", portal.port)));
    portal.put("/round", Page::To(portal.url("/round")));
    portal.put("/large", Page::Body(vec![b'#'; (1 << 20) + 1]));
    portal.put("/page", Page::Body(b"\n<!DOCTYPE html><title>Log in</title>".to_vec()));
    portal.put("/none", Page::Body(b"hello\n".to_vec()));
    for (path, words) in [
        ("/away", "sends elsewhere: https://localhost"),
        ("/plain", "sends elsewhere: http://127.0.0.1"),
        ("/round", "without end"),
        ("/large", "larger than 1024 KiB"),
        ("/page", "sent a web page"),
        ("/missing", "it answered 404"),
    ] {
        let ran = import(path).ended(6);
        assert!(ran.err.contains(words), "{path}: {}", ran.err);
    }
    import("/none").ended(1);
    assert!(!portal.asked().iter().any(|path| path == "/ok.ovpn"), "nothing was followed");
    import("/moved").ended(0);
    assert_eq!(portal.asked().last().map(String::as_str), Some("/ok.ovpn"));

    // Without its authority, and by what is not encrypted: nothing is asked at all.
    let asked = portal.asked().len();
    let url = portal.url("/ok.ovpn");
    let stranger = Portal::start();
    let args = ["vpn", "import", &url, "--into", "Acme", "--name", "W"];
    let ran = trusting(&seat, &stranger, &args, "").ended(6);
    assert!(ran.err.contains("does not prove it"), "{}", ran.err);
    for url in ["http://127.0.0.1/a.ovpn", "https://alice:pw@127.0.0.1/a.ovpn"] {
        seat.run(&["vpn", "import", url, "--into", "Acme"], "").ended(2);
    }
    assert_eq!(portal.asked().len(), asked);
    let gone = seat.run(&["vpn", "import", "https://127.0.0.1:1/a.ovpn", "--into", "Acme"], "");
    assert!(gone.ended(6).err.contains("cannot be reached"));
}

#[test]
fn without_a_vpn_there_is_none_to_list_and_none_to_take_down() {
    let mut seat = seat();
    assert_eq!(seat.ok(&["--json", "vpn", "list"]).json(), json!({ "vpns": [] }));
    assert_eq!(seat.ok(&["--json", "status"]).json()["vpns"], json!([]));
    seat.ok(&["add", "openvpn", "Acme/VPN"]);
    let ran = seat.run(&["vpn", "down", "Acme/VPN"], "").ended(4);
    assert!(ran.err.contains("is not up"), "{}", ran.err);
    // Who may only read the log takes nothing down, and changes no profile.
    let code = seat.invite("aud", "auditor", &[]);
    let auditor = Seat::invited(&seat, "aud", &code);
    auditor.run(&["vpn", "down", "Acme/VPN"], "").ended(5);
    seat.ok(&["lock"]);
    assert_eq!(seat.ok(&["--json", "vpn", "list"]).json(), json!({ "vpns": [] }));
}

#[test]
fn doctor_says_which_ways_to_a_vpn_work_here() {
    let seat = Seat::empty();
    let found = seat.ok(&["--json", "doctor"]).json();
    let named = |name: &str| {
        let all = found["findings"].as_array().expect("a list").iter();
        all.clone().find(|finding| finding["name"] == name).cloned().unwrap_or_default()
    };
    for name in ["openvpn", "tun", "networks"] {
        let finding = named(name);
        assert!(finding["what"].as_str().is_some_and(|what| !what.is_empty()), "{name}: {found}");
        // What does not work says what to do.
        let todo = finding["todo"].as_str().expect("text");
        assert_eq!(finding["good"] == true, todo.is_empty(), "{finding}");
    }
}
