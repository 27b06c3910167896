//! The command line from a new vault to its lock, as another program drives it.

use serde_json::{Value, json};

use super::cli_kit::{PASSWORD, Seat};

#[test]
fn a_vault_is_made_unlocked_filled_searched_and_locked() {
    let mut seat = Seat::empty();
    let made = seat.init(&[]).ended(0);
    assert_eq!(made.out.lines().count(), 2, "the URI and the kit alone: {}", made.out);
    assert_eq!(seat.kit.len(), 44);

    let locked = seat.ok(&["--json", "status"]).json();
    assert_eq!(locked["unlocked"], false);
    let factors = seat.factors();
    seat.run(&["unlock", "--timeout", "5m"], &factors).ended(0);
    let status = seat.ok(&["--json", "status"]).json();
    assert_eq!(status["unlocked"], true);
    assert_eq!(status["role"], "owner");

    seat.ok(&["add", "client", "Ménard", "--code", "MEN", "--colour", "#c08a2e"]);
    seat.ok(&["add", "folder", "Ménard/Caisses"]);
    let host = ["--host", "caisse.example", "--port", "2222", "--user", "tech"];
    let mut add = vec!["--json", "add", "ssh", "Ménard/Caisses/halles"];
    add.extend(host);
    add.extend(["--tag", "caisse", "--tag", "debian", "--favourite", "--custom", "étage=3"]);
    add.extend(["--expires", "2027-01-31", "--keepalive", "20", "--credential", "own"]);
    add.extend(["--secret-stdin", "password"]);
    let saved = seat.run(&add, "s3cret-Halles\n").ended(0).json();
    assert_eq!(saved["path"], "Ménard/Caisses/halles");

    let shown = seat.ok(&["--json", "show", "ménard/caisses/HALLES"]).json();
    assert_eq!(shown["host"], "caisse.example");
    assert_eq!(shown["port"], 2222);
    assert_eq!(shown["tags"], serde_json::json!(["caisse", "debian"]));
    assert_eq!(shown["favourite"], true);
    assert_eq!(shown["expires"], "2027-01-31");
    assert_eq!(shown["settings"]["keepalive"], "20");
    assert_eq!(shown["custom"][0]["value"], "3");
    assert!(shown["secrets"]["password"]["value"].is_null(), "not without --reveal");
    assert!(shown["created_at"].as_str().is_some_and(|time| time.ends_with('Z')));

    let field = ["show", "Ménard/Caisses/halles", "--field"];
    let one = |more: &[&str]| seat.run(&[&field[..], more].concat(), "");
    assert_eq!(one(&["user"]).ended(0).out, "tech\n");
    assert_eq!(one(&["password", "--reveal"]).ended(0).out, "s3cret-Halles\n");
    one(&["password"]).ended(2);
    one(&["nothing"]).ended(4);

    let found = seat.ok(&["--json", "find", "halles"]).json();
    assert_eq!(found["items"][0]["path"], "Ménard/Caisses/halles");
    seat.ok(&["add", "credential", "Ménard/compte", "--user", "admin"]);
    let kinds = |query: &str| {
        let found = seat.ok(&["--json", "find", query]).json();
        let items = found["items"].as_array().expect("a list").clone();
        items.iter().map(|item| item["path"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds("ssh")[0], "Ménard/Caisses/halles");
    assert_eq!(kinds("identifiants ménard"), ["Ménard/compte"]);
    assert_eq!(kinds("credential"), ["Ménard/compte"]);
    assert_eq!(kinds("dossier"), ["Ménard/Caisses"]);
    assert_eq!(kinds("client"), ["Ménard"]);
    assert!(seat.ok(&["tree"]).out.contains("halles"));
    assert!(seat.ok(&["ls", "Ménard"]).out.contains("Caisses"));

    seat.ok(&["lock"]);
    seat.ok(&["lock"]);
    assert_eq!(seat.ok(&["--json", "status"]).json()["unlocked"], false);
    // The code was used: only a fresh one opens again, for one command.
    let factors = seat.factors();
    let once = seat.run(&["--json", "find", "halles"], &factors).ended(0).json();
    assert_eq!(once["items"][0]["user"], "tech");
}

#[test]
fn entries_are_edited_moved_binned_restored_and_their_history_kept() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "folder", "A/F"]);
    seat.ok(&["add", "ssh", "A/e", "--host", "one.example", "--user", "u"]);
    seat.ok(&["edit", "A/e", "--host", "two.example", "--clear", "user"]);
    let history = seat.ok(&["--json", "history", "A/e"]).json();
    let (now, before) = (&history["versions"][0], &history["versions"][1]);
    assert_eq!((&now["version"], &now["current"]), (&json!(2), &json!(true)));
    assert_eq!(now["changed_next"], json!([]));
    assert!(now["by"] == before["by"] && now["at"].as_str() > before["at"].as_str());
    assert_eq!((&before["version"], &before["current"]), (&json!(1), &json!(false)));
    assert_eq!(before["changed_next"], json!(["host", "user"]));
    assert_eq!(history["versions"].as_array().map(Vec::len), Some(2));
    seat.run(&["edit", "A/e", "--expected-version", "1", "--host", "x"], "").ended(1);
    seat.ok(&["restore", "A/e", "--version", "1"]);
    assert_eq!(seat.ok(&["show", "A/e", "--field", "host"]).out, "one.example\n");
    assert_eq!(seat.ok(&["--json", "mv", "A/e", "A/F"]).json()["path"], "A/F/e");
    assert_eq!(seat.ok(&["--json", "mv", "A/F/e", "A/F/n"]).json()["path"], "A/F/n");
    seat.ok(&["rm", "A/F/n"]);
    seat.run(&["show", "A/F/n"], "").ended(4);
    let bin = seat.ok(&["--json", "ls", "--trash"]).json();
    assert_eq!(bin["items"][0]["name"], "n");
    seat.ok(&["restore", "A/F/n"]);
    seat.ok(&["show", "A/F/n"]);
    seat.ok(&["rm", "A/F/n"]);
    seat.ok(&["rm", "A/F/n", "--forever"]);
    assert_eq!(seat.ok(&["--json", "ls", "--trash"]).json()["items"], Value::Array(vec![]));
}

#[test]
fn factors_are_asked_once_before_they_are_changed() {
    let mut seat = Seat::locked();
    // Without an agent: what unlocks is proof enough.
    let input = format!("{}nouveau mot un\nnouveau mot deux\n", seat.factors());
    seat.run(&["passwd"], &input).ended(2);
    let new = "trois chats dorment tard";
    let input = format!("{}{new}\n{new}\n", seat.factors());
    seat.run(&["passwd"], &input).ended(0);
    let old = seat.factors();
    seat.run(&["ls"], &old).ended(3);
    let input = format!("{new}\n{}\n", seat.code());
    seat.totp_reset(&input).ended(0);
    // The phone is the new one now, and an agent wants a fresh code.
    let first = format!("{new}\n{}\n", seat.code());
    seat.run(&["unlock"], &first).ended(0);
    seat.run(&["passwd"], &format!("{first}{PASSWORD}\n{PASSWORD}\n")).ended(3);
    let input = format!("{new}\n{}\n{PASSWORD}\n{PASSWORD}\n", seat.code());
    seat.run(&["passwd"], &input).ended(0);
    let log = seat.ok(&["--json", "audit", "log", "--event", "member.factor-changed"]).json();
    assert_eq!(log["lines"].as_array().map(Vec::len), Some(3));
}

#[test]
fn secrets_come_by_input_image_and_prompt_and_codes_are_shown() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "credential", "A/c", "--user", "u"]);
    let seed = "JBSWY3DPEHPK3PXP";
    seat.run(&["edit", "A/c", "--secret-stdin", "totp"], &format!("{seed}\n")).ended(0);
    let code = seat.ok(&["--json", "totp", "A/c"]).json();
    assert_eq!(code["code"].as_str().map(str::len), Some(6));
    assert_eq!(code["period"], 30);

    let picture = seat.home.path().join("qr.png");
    let uri = "otpauth://totp/Demo:x?secret=GEZDGNBVGY3TQOJQ&issuer=Demo&digits=8";
    draw_qr(uri, &picture);
    let picture = picture.to_str().expect("UTF-8");
    seat.ok(&["edit", "A/c", "--totp-qr", picture]);
    let code = seat.ok(&["--json", "totp", "A/c"]).json();
    assert_eq!(code["code"].as_str().map(str::len), Some(8));

    let ask = ["edit", "A/c", "--secret-ask", "password", "--secret-ask", "custom:pin"];
    seat.run(&ask, "first\n4711\n").ended(0);
    let shown = seat.ok(&["--json", "show", "A/c", "--reveal"]).json();
    assert_eq!(shown["secrets"]["password"]["value"], "first");
    assert_eq!(shown["secrets"]["custom:pin"]["value"], "4711");

    let file = seat.home.path().join("plan.txt");
    std::fs::write(&file, "étage 3").expect("ours");
    seat.ok(&["edit", "A/c", "--attach", file.to_str().expect("UTF-8")]);
    let out = seat.home.path().join("out.txt");
    let out = out.to_str().expect("UTF-8");
    seat.ok(&["show", "A/c", "--attachment", "plan.txt", "--out", out]);
    assert_eq!(std::fs::read_to_string(out).expect("it was written"), "étage 3");
}

/// A QR code as a picture that a phone's screen shot would be.
fn draw_qr(text: &str, file: &std::path::Path) {
    const SCALE: u32 = 6;
    const QUIET: u32 = 4;
    let code = qrcode::QrCode::new(text).expect("short");
    let side = u32::try_from(code.width()).expect("small");
    let colours = code.to_colors();
    let picture = image::GrayImage::from_fn(
        (side + 2 * QUIET) * SCALE,
        (side + 2 * QUIET) * SCALE,
        |x, y| {
            let (x, y) = (x / SCALE, y / SCALE);
            let inside = (QUIET..QUIET + side).contains(&x) && (QUIET..QUIET + side).contains(&y);
            let dark =
                inside && colours[((y - QUIET) * side + x - QUIET) as usize] == qrcode::Color::Dark;
            image::Luma([if dark { 0 } else { 255 }])
        },
    );
    picture.save(file).expect("ours");
}

#[test]
fn the_plan_tells_where_each_value_comes_from() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "credential", "A/compte", "--user", "maint"]);
    seat.run(&["edit", "A/compte", "--secret-stdin", "password"], "x").ended(0);
    seat.ok(&["add", "ssh", "A/s", "--host", "h.example", "--credential", "linked:A/compte"]);
    let plan = seat.ok(&["--json", "plan", "A/s"]).json();
    let line = |field: &str| {
        let lines = plan["lines"].as_array().expect("a list");
        lines.iter().find(|line| line["field"] == field).cloned().unwrap_or_default()
    };
    assert_eq!(line("user")["from"], "linked");
    assert_eq!(line("user")["from_path"], "A/compte");
    assert_eq!(line("password")["secret"], true);
    assert_eq!(line("password")["value"], "");
    assert_eq!(line("keepalive")["from"], "default");
    seat.run(&["add", "ssh", "A/t", "--credential", "linked:A/nobody"], "").ended(4);
}

#[test]
fn the_log_is_shown_exported_and_verified_without_the_vault() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let log = seat.ok(&["--json", "audit", "log", "--event", "entry.created"]).json();
    assert_eq!(log["lines"][0]["fields"]["entry"], "A");
    assert_eq!(log["lines"][0]["leaf_hash"].as_str().map(str::len), Some(64));
    seat.ok(&["audit", "log", "--since", "1h", "--by", "owner", "--last", "2", "--text", "A"]);
    seat.run(&["audit", "log", "--event", "nothing"], "").ended(2);
    seat.run(&["audit", "log", "--since", "yesterday"], "").ended(2);
    let fingerprint = seat.ok(&["audit", "fingerprint"]).out.trim().to_owned();
    assert_eq!(seat.ok(&["--json", "audit", "verify"]).json()["ok"], true);

    let folder = seat.home.path();
    let bundle = folder.join("b.zip");
    let bundle = bundle.to_str().expect("UTF-8");
    let export = ["--json", "audit", "export", "--format", "bundle", "--out", bundle];
    let exported = seat.ok(&[&export[..], &["--redact", "host,reason"]].concat()).json();
    assert_eq!(exported["fingerprint"], fingerprint.as_str());
    for format in ["csv", "jsonl", "syslog", "cef", "ocsf", "html", "xlsx", "pdf"] {
        let file = folder.join(format!("log.{format}"));
        let file = file.to_str().expect("UTF-8");
        seat.ok(&["audit", "export", "--format", format, "--out", file]);
        assert!(std::fs::metadata(file).expect("it was written").len() > 0);
    }

    // On another machine: no vault, no home.
    let other = Seat::empty();
    let warned = other.ok(&["audit", "verify", bundle]);
    assert!(warned.err.contains("origin is not proven"), "{}", warned.err);
    let proven = other.ok(&["--json", "audit", "verify", bundle, "--fingerprint", &fingerprint]);
    assert_eq!(proven.json()["origin_proven"], true);
    let wrong = fingerprint.replacen(char::is_alphanumeric, "Z", 4);
    other.run(&["audit", "verify", bundle, "--fingerprint", &wrong], "").ended(7);
    let bytes = std::fs::read(bundle).expect("it was written");
    let damaged = folder.join("damaged.zip");
    std::fs::write(&damaged, &bytes[..bytes.len() / 2]).expect("ours");
    other.run(&["audit", "verify", damaged.to_str().expect("UTF-8")], "").ended(7);
}

#[test]
fn copies_are_made_checked_and_put_back() {
    let mut seat = Seat::unlocked();
    seat.ok(&["add", "client", "Before"]);
    let copy = seat.home.path().join("copy.poterne");
    let copy = copy.to_str().expect("UTF-8");
    let made = seat.ok(&["--json", "backup", "--out", copy]).json();
    assert_eq!(made["file"], copy);
    seat.ok(&["add", "client", "After"]);
    let report = seat.ok(&["--json", "check"]).json();
    assert_eq!(report["unreached"], 0);
    assert_eq!(report["faults"], Value::Array(vec![]));
    // Not under the feet of an agent.
    seat.run(&["backup", "--restore", copy], "").ended(1);
    seat.ok(&["lock"]);
    let factors = seat.factors();
    seat.run(&["backup", "--restore", copy], &factors).ended(0);
    let factors = seat.factors();
    let tree = seat.run(&["tree"], &factors).ended(0).out;
    assert!(tree.contains("Before") && !tree.contains("After"), "{tree}");
}

#[test]
fn a_member_is_invited_joins_and_is_removed() {
    let mut seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let invite = ["--json", "member", "invite", "Bruno", "--role", "operator", "--client", "A"];
    let factors = seat.factors();
    let code = seat.run(&invite, &factors).ended(0).json();
    assert!(code["invitation"].as_str().is_some_and(|code| code.len() > 10));
    let members = seat.ok(&["--json", "member", "list"]).json();
    let bruno =
        members["members"].as_array().expect("a list").iter().find(|m| m["name"] == "Bruno");
    assert_eq!(bruno.expect("he was invited")["accepted"], false);
    seat.run(&["member", "invite", "X", "--role", "boss"], "").ended(2);
    // A new role leaves the clients as they are, unless it says which.
    seat.ok(&["add", "client", "B"]);
    let clients = || {
        let members = seat.ok(&["--json", "member", "list"]).json();
        let members = members["members"].as_array().expect("a list").clone();
        let bruno = members.iter().find(|m| m["name"] == "Bruno").cloned().expect("is there");
        (bruno["clients"].clone(), bruno["all_clients"].clone(), bruno["role"].clone())
    };
    let role = |role, more: &[&str]| {
        seat.run(&[&["member", "role", "bruno", "--role", role][..], more].concat(), "")
    };
    role("technician", &[]).ended(0);
    assert_eq!(clients(), (json!(["A"]), json!(false), json!("technician")));
    role("operator", &["--client", "B"]).ended(0);
    assert_eq!(clients(), (json!(["B"]), json!(false), json!("operator")));
    role("admin", &[]).ended(0);
    role("technician", &[]).ended(2);
    role("technician", &["--all-clients"]).ended(0);
    role("operator", &[]).ended(0);
    assert_eq!(clients(), (json!(["A", "B"]), json!(true), json!("operator")));
    role("operator", &["--no-clients"]).ended(0);
    assert_eq!(clients(), (json!([]), json!(false), json!("operator")));
    seat.ok(&["member", "remove", "Bruno"]);
    let members = seat.ok(&["--json", "member", "list"]).json();
    assert_eq!(members["members"].as_array().map(Vec::len), Some(1));
}

#[test]
fn settings_and_devices_are_listed_and_changed() {
    let seat = Seat::unlocked();
    seat.ok(&["settings", "--idle-lock", "120", "--lock-ends-sessions", "yes"]);
    let settings = seat.ok(&["--json", "settings"]).json();
    assert_eq!(settings["idle_lock_secs"], 120);
    assert_eq!(settings["lock_ends_sessions"], true);
    seat.run(&["settings", "--idle-lock", "5"], "").ended(2);
    seat.run(&["settings", "--idle-lock", "25h"], "").ended(2);
    // The same durations as everywhere.
    seat.ok(&["settings", "--idle-lock", "10m", "--clipboard", "1m"]);
    let settings = seat.ok(&["--json", "settings"]).json();
    assert_eq!(
        (&settings["idle_lock_secs"], &settings["clipboard_secs"]),
        (&600.into(), &60.into())
    );
    let log = seat.ok(&["audit", "log", "--event", "settings.changed"]).out;
    assert!(
        log.contains("detail=Lock when unused (s) 600 → 120, Lock ends sessions no → yes"),
        "{log}"
    );
    assert!(log.contains("detail=Lock when unused (s) 120 → 600, Clipboard (s) 20 → 60"), "{log}");
    seat.ok(&["add", "client", "C"]);
    seat.ok(&["add", "ssh", "C/s", "--host", "h", "--connect-timeout", "2m", "--user", "u"]);
    assert_eq!(seat.ok(&["--json", "show", "C/s"]).json()["settings"]["connect-timeout"], "120");
    let copied = seat.ok(&["backup", "--out", &seat.home.path().join("copy").to_string_lossy()]);
    assert!(copied.err.contains("Copy read back: 1 entry, "), "{}", copied.err);
    let devices = seat.ok(&["--json", "device", "list"]).json();
    assert_eq!(devices["devices"][0]["this"], true);
    seat.run(&["device", "remove", "nonsense"], "").ended(4);
}

#[test]
fn what_is_not_seen_is_in_no_members_name_and_is_spelled_where_it_is_shown() {
    let seat = Seat::unlocked();
    for name in ["Al\u{202e}ice", "ali\u{200b}ce", "\u{feff}owner", "\u{a0}\u{200d}", "x\u{2066}"] {
        // Before any factor is looked at.
        let invite = ["member", "invite", name, "--role", "auditor"];
        let refused = seat.run(&invite, "x\n000000\n").ended(2);
        assert!(refused.err.contains("invisible") && refused.err.contains("→"), "{}", refused.err);
        assert!(!refused.err.contains(['\u{202e}', '\u{200b}', '\u{2066}']), "{}", refused.err);
    }
    seat.ok(&["add", "client", "C", "--description", "été\u{202e}fdp.exe\u{2069}\u{202f}!"]);
    let shown = seat.ok(&["show", "C"]).out;
    assert!(shown.contains("été<U+202E>fdp.exe<U+2069>\u{202f}!"), "{shown}");
    let json = seat.ok(&["--json", "show", "C"]).json();
    assert_eq!(json["description"], "été\u{202e}fdp.exe\u{2069}\u{202f}!");
    let missing = seat.run(&["show", "C/\u{202e}x"], "").ended(4);
    assert!(missing.err.contains("<U+202E>"), "{}", missing.err);
}

#[test]
fn the_kit_sets_a_new_password_and_phone() {
    let mut seat = Seat::locked();
    let kit = seat.kit.clone();
    seat.run(&["recover"], &format!("{}\nnew words here\nnew words here\n", "AAAA-".repeat(9)))
        .ended(3);
    // Driven as `init` is: the URI is read before the code is given.
    use std::io::{BufRead, BufReader, Write};
    let mut child = seat.command(&["recover", "--kit-confirmed"]).spawn().expect("built");
    let mut input = child.stdin.take().expect("piped");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    write!(input, "{kit}\nnew words here\nnew words here\n").expect("it reads");
    let mut uri = String::new();
    output.read_line(&mut uri).expect("UTF-8");
    seat.adopt(uri.trim());
    writeln!(input, "{}", seat.code()).expect("it reads");
    drop(input);
    assert!(child.wait_with_output().expect("it was started").status.success());
    seat.adopt(uri.trim());
    let old = seat.factors();
    assert!(old.starts_with(PASSWORD));
    seat.run(&["ls"], &old).ended(3);
    let code = seat.code();
    seat.run(&["ls"], &format!("new words here\n{code}\n")).ended(0);
}
