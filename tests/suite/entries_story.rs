//! Entries as the command line makes, changes and empties them: every field of
//! every kind, names as people write them, attachments and seeds of any origin,
//! moves between clients, and two people at one entry.

use serde_json::{Value, json};

use super::cli_kit::Seat;
use super::fuzz::codes::picture;

const SEED: &str = "JBSWY3DPEHPK3PXP";

fn show(seat: &Seat, path: &str) -> Value {
    seat.ok(&["--json", "show", path]).json()
}

#[test]
fn every_field_of_every_kind_is_set_changed_and_emptied() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let file = seat.home.path().join("plan.txt");
    std::fs::write(&file, "étage").expect("ours");
    let file = file.to_str().expect("UTF-8");
    // What every entry has, and one setting of each kind.
    let common = [
        "--tag",
        "un",
        "--tag",
        "deux",
        "--favourite",
        "--description",
        "Ligne 1\nligne 2",
        "--expires",
        "2027-02-28",
        "--custom",
        "Baie=4=b",
        "--attach",
        file,
        "--secret-stdin",
        "custom:PIN",
    ];
    // Besides, what the kind has of host, port and login.
    let kinds = [
        ("ssh", "keepalive", "17", "h.example", "i.example", true, true),
        ("shell", "directory", "/tmp", "", "", false, false),
        ("credential", "for", "", "", "", false, true),
        ("note", "", "", "", "", false, false),
        ("web", "login-url", "https://h.example/login", "https://h/", "https://i/", false, true),
        ("folder", "keepalive", "17", "", "", false, true),
    ];
    for (kind, setting, value, host, other, port, login) in kinds {
        let path = format!("A/{kind}");
        let flag = format!("--{setting}");
        let mut add = vec!["add", kind, &path];
        add.extend(common);
        if !value.is_empty() {
            add.extend([flag.as_str(), value]);
        }
        if !host.is_empty() {
            add.extend(["--host", host]);
        }
        if port {
            add.extend(["--port", "2222"]);
        }
        if login {
            add.extend(["--user", "zoé", "--credential", "ask"]);
        }
        seat.run(&add, "4711\n").ended(0);
        let made = show(&seat, &path);
        let expected = json!({
            "host": host, "port": port.then_some(2222), "user": if login { "zoé" } else { "" },
            "credential": { "source": if login { "ask" } else { "inherited" }, "linked": null },
            "tags": ["un", "deux"],
            "favourite": true, "description": "Ligne 1\nligne 2", "expires": "2027-02-28",
        });
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(&made[name], value, "{kind} {name}");
        }
        assert_eq!(made["custom"][0], json!({"name": "Baie", "secret": false, "value": "4=b"}));
        assert_eq!(made["attachments"][0], json!({"name": "plan.txt", "size": 6}));
        assert!(made["secrets"]["custom:PIN"]["value"].is_null());
        let pin = seat.ok(&["show", &path, "--field", "custom:PIN", "--reveal"]);
        assert_eq!(pin.out, "4711\n");
        let text = seat.ok(&["show", &path]).out;
        let favourite = |l: &str| l.starts_with("favourite") && l.ends_with(" yes");
        assert!(text.lines().any(favourite), "{text}");

        let mut edit =
            vec!["edit", &path, "--tag", "trois", "--custom", "Baie=5", "--favourite=no"];
        if !other.is_empty() {
            edit.extend(["--host", other]);
        }
        if port {
            edit.extend(["--port", "23"]);
        }
        seat.ok(&edit);
        let changed = show(&seat, &path);
        assert_eq!(changed["host"], other, "{kind}");
        assert_eq!(changed["port"], json!(port.then_some(23)), "{kind}");
        assert_eq!((&changed["tags"], &changed["favourite"]), (&json!(["trois"]), &json!(false)));
        assert_eq!(changed["custom"][0]["value"], "5");
        assert_eq!(changed["user"], made["user"], "what was not named stays");

        seat.ok(&["edit", &path, "--custom", "PIN=en clair"]);
        assert_eq!(show(&seat, &path)["secrets"], json!({}), "no secret is left behind it");
        seat.run(&["edit", &path, "--secret-stdin", "custom:PIN"], "1").ended(0);

        let mut clear = vec!["edit", path.as_str()];
        let fields = ["host", "port", "user", "tags", "description", "expires", "favourite"];
        for field in fields.iter().chain(&["Baie", "plan.txt", "custom:PIN"]) {
            clear.extend(["--clear", *field]);
        }
        if !value.is_empty() {
            clear.extend(["--clear", setting]);
        }
        seat.ok(&clear);
        let empty = show(&seat, &path);
        for (name, value) in [("host", json!("")), ("port", json!(null)), ("tags", json!([]))] {
            assert_eq!(empty[name], value, "{kind}");
        }
        for name in ["custom", "attachments"] {
            assert_eq!(empty[name], json!([]), "{kind} {name}");
        }
        assert_eq!((&empty["secrets"], &empty["settings"]), (&json!({}), &json!({})), "{kind}");
        seat.run(&["edit", &path, "--clear", "Baie"], "").ended(2);
    }
}

#[test]
fn a_client_has_its_own_fields_and_only_sensible_ones() {
    let seat = Seat::unlocked();
    seat.ok(&[
        "add",
        "client",
        "A",
        "--code",
        "DUP",
        "--colour",
        "#3366cc",
        "--ticket-pattern",
        "ART-[0-9]{5}",
        "--ticket-url",
        "https://glpi.example/{ticket}",
        "--ticket-required",
        "--reason-required",
        "--description",
        "Notes",
    ]);
    let info = |seat: &Seat| show(seat, "A")["client_info"].clone();
    let full = json!({
        "code": "DUP", "colour": "#3366cc", "ticket_pattern": "ART-[0-9]{5}",
        "ticket_url": "https://glpi.example/{ticket}", "ticket_required": true,
        "reason_required": true,
    });
    assert_eq!(info(&seat), full);
    for bad in [["--colour", "rouge"], ["--ticket-pattern", "["], ["--ticket-url", "javascript:1"]]
    {
        seat.run(&["edit", "A", bad[0], bad[1]], "").ended(2);
    }
    assert_eq!(info(&seat), full, "a refused edit changes nothing");
    seat.ok(&["edit", "A", "--clear", "colour", "--clear", "ticket-required", "--code", "D"]);
    assert_eq!(info(&seat)["colour"], "");
    assert_eq!(info(&seat)["ticket_required"], false);
    assert_eq!(info(&seat)["code"], "D");
    assert_eq!(info(&seat)["ticket_pattern"], "ART-[0-9]{5}");
    let rest = ["code", "ticket-pattern", "ticket-url", "reason-required"];
    let rest: Vec<&str> = rest.iter().flat_map(|field| ["--clear", *field]).collect();
    seat.ok(&[&["edit", "A"], &rest[..]].concat());
    assert_eq!(info(&seat)["ticket_url"], "");
    seat.ok(&["add", "folder", "A/F"]);
    seat.run(&["edit", "A/F", "--clear", "colour"], "").ended(2);
    seat.run(&["edit", "A/F", "--colour", "#112233"], "").ended(2);
}

#[test]
fn what_a_client_or_folder_passes_on_is_shown_by_path() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "openvpn", "A/VPN"]);
    seat.ok(&["add", "ssh", "A/rebond", "--host", "j.example"]);
    seat.ok(&["add", "folder", "A/Site", "--field", "vpn=A/VPN"]);
    seat.ok(&["edit", "A", "--field", "vpn=A/VPN", "--field", "jump=A/rebond"]);
    let settings = |path| show(&seat, path)["settings"].clone();
    assert_eq!(settings("A")["vpn"], "A/VPN");
    assert_eq!(settings("A")["jump"], "A/rebond");
    assert_eq!(settings("A/Site")["vpn"], "A/VPN");
}

#[test]
fn an_attachment_has_ten_mebibytes_at_most_and_is_kept_whole_or_not_at_all() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "note", "A/n", "--description", "avant"]);
    let at = |name: &str| seat.home.path().join(name).to_str().expect("UTF-8").to_owned();
    let mut bytes: Vec<u8> = (0..10 * 1024 * 1024).map(|i: u32| (i ^ i >> 9) as u8).collect();
    std::fs::write(at("dix.bin"), &bytes).expect("ours");
    seat.ok(&["edit", "A/n", "--attach", &at("dix.bin")]);
    seat.ok(&["show", "A/n", "--attachment", "dix.bin", "--out", &at("retour.bin")]);
    assert!(std::fs::read(at("retour.bin")).expect("it was written") == bytes);

    bytes.push(0);
    std::fs::write(at("onze.bin"), &bytes).expect("ours");
    let before = show(&seat, "A/n");
    for file in [at("onze.bin"), "/dev/zero".to_owned()] {
        let edit = ["edit", "A/n", "--description", "après", "--attach", &file];
        let refused = seat.run(&edit, "").ended(2);
        assert!(refused.err.contains("10 Mi"), "{}", refused.err);
    }
    seat.run(&["edit", "A/n", "--attach", &at("absent")], "").ended(1);
    assert_eq!(show(&seat, "A/n"), before);
    seat.ok(&["check"]);
}

#[test]
fn a_seed_is_read_from_whatever_people_have() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "credential", "A/c"]);
    let none = seat.run(&["totp", "A/c"], "").ended(4);
    assert!(none.err.contains("TOTP seed"), "{}", none.err);
    let put = |text: &str| seat.run(&["edit", "A/c", "--secret-stdin", "totp"], text);
    let kept = || seat.ok(&["show", "A/c", "--field", "totp", "--reveal"]).out;
    put("jbsw-y3dp ehpk 3pxp\n").ended(0);
    assert_eq!(kept(), format!("otpauth://totp/c?secret={SEED}\n"));
    let uri = format!("otpauth://totp/Git:Lab:zo%C3%A9?secret={SEED}&issuer=Git%3AX&digits=8");
    put(&uri).ended(0);
    let first = kept();
    put(&first).ended(0);
    assert_eq!(kept(), first, "a seed stored again is the same");
    for bad in ["pas une graine 1", "otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP", "", "https://a/"] {
        put(bad).ended(2);
    }
    assert_eq!(kept(), first);

    let file = seat.home.path().join("image");
    let file = file.to_str().expect("UTF-8");
    for format in [image::ImageFormat::Png, image::ImageFormat::Jpeg] {
        std::fs::write(file, picture(&uri, format)).expect("ours");
        seat.ok(&["edit", "A/c", "--clear", "totp"]);
        seat.ok(&["edit", "A/c", "--totp-qr", file]);
        assert_eq!(kept(), first);
    }
    for not in [picture("bonjour", image::ImageFormat::Png), b"rien".to_vec(), Vec::new()] {
        std::fs::write(file, not).expect("ours");
        seat.run(&["edit", "A/c", "--totp-qr", file], "").ended(2);
    }
    seat.run(&["edit", "A/c", "--totp-qr", "/dev/zero"], "").ended(2);
    assert_eq!(kept(), first);
}

#[test]
fn names_are_those_that_people_can_see_and_type_again() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let add = |name: &str| seat.run(&["add", "folder", "--", &format!("A/{name}")], "");
    add(" bords ").ended(0);
    seat.ok(&["show", "A/bords"]);
    add("e\u{301}le\u{301}vation").ended(0);
    seat.ok(&["show", "a/élévation"]);
    seat.ok(&["show", "A/ELEVATION"]);
    for twin in ["élévation", "ÉLÉVATION", "elevation", "  BORDS"] {
        add(twin).ended(2);
    }
    for good in ["🦀🔥", "👩\u{200D}💻", "..", "-x", "~", &"x".repeat(200), "日本"] {
        let path = add(good).ended(0).out.trim_end().to_owned();
        seat.ok(&["show", "--", &path]);
    }
    let long = "é".repeat(255);
    for bad in [
        "a\u{7}b",
        "a\u{1b}[31m",
        "a\nb",
        "\u{200B}",
        "a\u{202E}b",
        "a\u{200B}b",
        "\u{200D}",
        "a\u{2028}b",
        "\u{FEFF}a",
        &"y".repeat(201),
        &long,
    ] {
        let refused = add(bad).ended(2);
        assert!(!refused.err.contains(['\u{7}', '\u{1b}']), "{:?}", refused.err);
    }
    seat.run(&["edit", "A/bords", "--name", "x/y"], "").ended(2);
    seat.run(&["add", "client", "~bob"], "").ended(2);
    seat.run(&["mv", "A", "~bob"], "").ended(2);
    seat.run(&["edit", "A", "--name", "~"], "").ended(2);
    seat.ok(&["add", "note", "~/à moi"]);
    seat.ok(&["edit", "~/à moi", "--description", "d"]);
    assert_eq!(seat.ok(&["--json", "ls", "~"]).json()["items"][0]["name"], "à moi");
    seat.ok(&["mv", "~/à moi", "A"]);
    seat.ok(&["mv", "A/à moi", "~/encore à moi"]);
    seat.ok(&["rm", "~/encore à moi"]);
    seat.ok(&["restore", "~/encore à moi"]);
    seat.ok(&["show", "~/encore à moi"]);
    // One line is one line.
    for (flag, value) in
        [("--host", "a\u{1b}]0;x\u{7}"), ("--user", "a\nb"), ("--custom", "a\tb=c")]
    {
        seat.run(&["add", "ssh", "A/s", flag, value], "").ended(2);
    }
    seat.run(&["show", "A/s"], "").ended(4);
    seat.ok(&["check"]);
}

#[test]
fn a_move_takes_secrets_history_and_files_along_and_nothing_goes_astray() {
    let seat = Seat::unlocked();
    for client in ["A", "B"] {
        seat.ok(&["add", "client", client]);
    }
    let file = seat.home.path().join("f.txt");
    std::fs::write(&file, "contenu").expect("ours");
    seat.ok(&["add", "folder", "A/F"]);
    let file = file.to_str().expect("UTF-8");
    let add = ["add", "ssh", "A/F/e", "--attach", file, "--secret-stdin", "password"];
    seat.run(&add, "un").ended(0);
    seat.run(&["edit", "A/F/e", "--secret-stdin", "password"], "deux").ended(0);
    seat.ok(&["mv", "A/F", "B"]);
    seat.run(&["show", "A/F/e"], "").ended(4);
    let password = || seat.ok(&["show", "B/F/e", "--field", "password", "--reveal"]).out;
    assert_eq!(password(), "deux\n");
    let out = seat.home.path().join("out.txt");
    let out = out.to_str().expect("UTF-8");
    seat.ok(&["show", "B/F/e", "--attachment", "f.txt", "--out", out]);
    assert_eq!(std::fs::read_to_string(out).expect("it was written"), "contenu");
    seat.ok(&["restore", "B/F/e", "--version", "1"]);
    assert_eq!(password(), "un\n");

    seat.run(&["mv", "B/F", "B/F/e/x"], "").ended(2);
    seat.ok(&["add", "ssh", "B/autre"]);
    seat.run(&["mv", "B/autre", "B/F/e/x"], "").ended(2);
    seat.run(&["mv", "B/F", "B/F/sous"], "").ended(2);
    seat.run(&["mv", "A", "B"], "").ended(2);
    seat.run(&["mv", "B/autre", "C"], "").ended(2);
    seat.ok(&["show", "B/autre"]);

    // A tree has an end, so that every path is shown whole.
    let mut path = "A".to_owned();
    for _ in 1..31 {
        path += "/d";
        seat.ok(&["add", "folder", &path]);
    }
    seat.ok(&["add", "ssh", &format!("{path}/e")]);
    assert_eq!(show(&seat, &format!("{path}/e"))["path"], format!("{path}/e"));
    seat.ok(&["add", "folder", &format!("{path}/d")]);
    seat.run(&["add", "ssh", &format!("{path}/d/e")], "").ended(2);
    seat.run(&["mv", "B/F", &path], "").ended(2);
    seat.ok(&["mv", "B/autre", &path]);
    seat.ok(&["check"]);
}

#[test]
fn a_stale_edit_is_refused_with_what_changed_and_loses_nothing() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "ssh", "A/e", "--host", "un", "--user", "zoé"]);
    let version = show(&seat, "A/e")["version"].to_string();
    // Another process, without the agent, in between.
    seat.run(&["edit", "A/e", "--host", "deux", "--secret-stdin", "password"], "x").ended(0);
    let stale =
        seat.run(&["edit", "A/e", "--host", "trois", "--expected-version", &version], "").ended(1);
    assert!(stale.err.contains("host") && stale.err.contains("password"), "{}", stale.err);
    let now = show(&seat, "A/e");
    assert_eq!((&now["host"], &now["user"]), (&json!("deux"), &json!("zoé")));
    let version = now["version"].to_string();
    seat.ok(&["edit", "A/e", "--user", "paul", "--expected-version", &version]);
    assert_eq!(show(&seat, "A/e")["user"], "paul");
}
