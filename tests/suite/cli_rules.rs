//! Rules of the command line that a newcomer trips over: what is refused when it
//! is typed rather than when it is needed, and what is said of what was done.

use serde_json::{Value, json};

use super::cli_kit::{PASSWORD, Ran, Seat};

fn invited(seat: &mut Seat, name: &'static str, role: &str) -> Seat {
    let code = seat.invite(name, role, &["--client", "A"]);
    Seat::invited(seat, name, &code)
}

/// The sources of the lines of a plan, by field.
fn sources(seat: &Seat, path: &str) -> Vec<(String, String)> {
    let plan = seat.ok(&["--json", "plan", path]).json();
    let lines = plan["lines"].as_array().expect("a list").clone();
    let word = |line: &Value, name: &str| line[name].as_str().expect("text").to_owned();
    lines.iter().map(|line| (word(line, "field"), word(line, "from"))).collect()
}

#[track_caller]
fn says(ran: &Ran, words: &str) {
    assert!(ran.err.contains(words), "{words:?} is not in {}", ran.err);
}

#[test]
fn the_list_of_what_to_change_names_entries_as_they_are_called_now() {
    let mut seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let put = |seat: &Seat, path: &str| {
        seat.run(&["add", "credential", path, "--secret-stdin", "password"], "x").ended(0);
    };
    put(&seat, "A/un");
    put(&seat, "A/parti");
    let bruno = invited(&mut seat, "bruno", "technician");
    let sees = |path: &str| {
        bruno.ok(&["show", path, "--field", "password", "--reveal"]);
    };
    sees("A/un");
    sees("A/parti");
    // Another entry takes the path of the first.
    seat.ok(&["mv", "A/un", "A/ancien"]);
    put(&seat, "A/un");
    sees("A/un");
    seat.ok(&["rm", "A/parti"]);
    seat.ok(&["rm", "A/parti", "--forever"]);
    seat.ok(&["edit", "A", "--name", "Z"]);
    let removed = seat.ok(&["--json", "member", "remove", "bruno"]).json();
    let rotate = removed["rotate"].as_array().expect("a list");
    let paths: Vec<&str> = rotate.iter().map(|r| r["path"].as_str().expect("text")).collect();
    assert_eq!(paths, ["A/parti", "Z/ancien", "Z/un"]);

    // The log makes the list again, in the words of the removal.
    let again = seat.ok(&["--json", "member", "rotation", "Bruno"]).json();
    assert_eq!(again["members"][0]["name"], "bruno");
    assert_eq!(again["members"][0]["rotate"], removed["rotate"]);
    let told = seat.ok(&["member", "rotation"]);
    for path in paths {
        let line = told.out.lines().find(|line| line.contains(path)).expect("a line each");
        assert!(line.starts_with("bruno") && line.contains("password"), "{line}");
    }
    let nobody = seat.run(&["member", "rotation", "carla"], "").ended(4);
    assert!(nobody.err.contains("poterne member rotation"), "{}", nobody.err);
    seat.ok(&["edit", "Z", "--name", "A"]);
    let carla = invited(&mut seat, "carla", "technician");
    carla.run(&["member", "rotation"], "").ended(5);
    seat.ok(&["member", "remove", "carla"]);
    let all = seat.ok(&["--json", "member", "rotation"]).json();
    let names: Vec<&str> = all["members"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| m["name"].as_str().expect("text"))
        .collect();
    assert_eq!(names, ["bruno", "carla"]);
    assert_eq!(all["members"][1]["rotate"], serde_json::json!([]));
}

#[test]
fn a_seed_of_its_own_leaves_the_inherited_login_in_place() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let folder = ["add", "folder", "A/F", "--user", "root", "--secret-stdin", "password"];
    seat.run(&folder, "x").ended(0);
    let add = |path: &str, field: &str, secret: &str| {
        let add = ["add", "ssh", path, "--host", "h", "--secret-stdin", field];
        seat.run(&add, secret).ended(0);
        sources(&seat, path)
    };
    let has = |all: &[(String, String)], field: &str, from: &str| {
        all.contains(&(field.to_owned(), from.to_owned()))
    };
    let seed = add("A/F/code", "totp", "JBSWY3DPEHPK3PXP");
    assert!(has(&seed, "password", "inherited") && has(&seed, "totp", "own"), "{seed:?}");
    let own = add("A/F/mot", "password", "y");
    assert!(has(&own, "password", "own"), "{own:?}");
}

#[test]
fn an_operator_keeps_logins_in_the_own_private_place_and_nothing_else_anywhere() {
    let mut seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "ssh", "A/s", "--host", "h", "--credential", "mine"]);
    let olga = invited(&mut seat, "olga", "operator");
    let own = ["add", "credential", "~/le mien", "--user", "o", "--for", "A/s"];
    olga.run(&[&own[..], &["--secret-stdin", "password"]].concat(), "x").ended(0);
    let plan = sources(&olga, "A/s");
    assert!(plan.contains(&("password".to_owned(), "mine".to_owned())), "{plan:?}");
    olga.ok(&["edit", "~/le mien", "--user", "olga"]);
    olga.ok(&["mv", "~/le mien", "~/autre"]);
    for refused in [
        &["mv", "~/autre", "A/autre"][..],
        &["add", "note", "~/n"],
        &["add", "folder", "~/F"],
        &["add", "credential", "A/c"],
        &["edit", "A/s", "--host", "i"],
        &["rm", "A/s"],
        &["show", "~/autre", "--field", "password", "--reveal"],
    ] {
        olga.run(refused, "").ended(5);
    }
    olga.ok(&["rm", "~/autre"]);
    olga.ok(&["restore", "~/autre"]);
    seat.run(&["show", "~olga/autre"], "").ended(4);
    seat.ok(&["check"]);
}

#[test]
fn a_change_stands_with_the_version_that_made_it_and_no_change_makes_none() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "ssh", "A/e", "--host", "one", "--user", "u"]);
    seat.ok(&["edit", "A/e", "--host", "two"]);
    seat.ok(&["edit", "A/e", "--user", "v"]);
    let history = seat.ok(&["--json", "history", "A/e"]).json();
    let changed = |n: usize| history["versions"][n]["changed"].clone();
    assert_eq!([changed(0), changed(1), changed(2)], [json!(["user"]), json!(["host"]), json!([])]);
    let next = |n: usize| history["versions"][n]["changed_next"].clone();
    assert_eq!([next(0), next(1), next(2)], [json!([]), json!(["user"]), json!(["host"])]);
    let text = seat.ok(&["history", "A/e"]).out;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("user (current)") && lines[1].ends_with("host"), "{text}");
    for same in [&["edit", "A/e"][..], &["edit", "A/e", "--user", "v", "--host", "two"]] {
        says(&seat.run(same, "").ended(0), "Nothing changed");
    }
    assert_eq!(seat.ok(&["--json", "show", "A/e"]).json()["version"], 3);
    let log = seat.ok(&["--json", "audit", "log", "--event", "entry.edited"]).json();
    assert_eq!(log["lines"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_address_that_could_never_work_is_refused_with_what_to_do() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    for (host, todo) in [
        ("", "--clear host"),
        ("a b", "without spaces"),
        ("user@h", "--user"),
        ("h:22", "--port"),
        ("[::1]:22", "--port"),
        ("ssh://h", "ssh://"),
        ("h/x", "alone"),
    ] {
        says(&seat.run(&["add", "ssh", "A/s", "--host", host], "").ended(2), todo);
    }
    seat.run(&["show", "A/s"], "").ended(4);
    for (n, (host, kept)) in [
        ("srv-1.example", "srv-1.example"),
        ("élan.example", "élan.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("A/{n}");
        seat.ok(&["add", "ssh", &path, "--host", host]);
        assert_eq!(seat.ok(&["show", &path, "--field", "host"]).out.trim_end(), kept);
    }
    for bad in ["javascript:alert(1)", "file:///etc/passwd", "example.com", "https://", "http:///x"]
    {
        says(&seat.run(&["add", "web", "A/w", "--host", bad], "").ended(2), "http://");
        let login = ["add", "web", "A/w", "--login-url", bad];
        seat.run(&login, "").ended(2);
        assert!(!poterne::connect::web::may_open(bad));
    }
    seat.ok(&["add", "web", "A/w", "--host", "HTTPS://h.example:8443/x?y=1"]);
    seat.run(&["edit", "A/w", "--host", "javascript:1"], "").ended(2);
    for bad in ["https://t.example/", "javascript:{ticket}"] {
        says(&seat.run(&["edit", "A", "--ticket-url", bad], "").ended(2), "{ticket}");
    }
    seat.ok(&["edit", "A", "--ticket-url", "https://t.example/?id={ticket}"]);
}

#[test]
fn a_field_that_a_kind_does_not_have_is_refused() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    for (kind, flag, value) in [
        ("shell", "--host", "h"),
        ("shell", "--user", "u"),
        ("note", "--user", "u"),
        ("note", "--credential", "ask"),
        ("note", "--port", "22"),
        ("credential", "--host", "h"),
        ("web", "--port", "22"),
        ("folder", "--host", "h"),
    ] {
        let refused = seat.run(&["add", kind, "A/e", flag, value], "").ended(2);
        says(&refused, &format!("“{kind}” has no field “{}”", &flag[2..]));
    }
    seat.run(&["show", "A/e"], "").ended(4);
    seat.ok(&["add", "folder", "A/e", "--user", "u", "--credential", "ask"]);
    seat.run(&["edit", "A/e", "--port", "22"], "").ended(2);
}

#[test]
fn a_chain_names_both_ends_and_never_begins_at_itself() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    for path in ["A/compte", "A/autre"] {
        seat.ok(&["add", "credential", path, "--user", "u"]);
    }
    seat.ok(&["add", "ssh", "A/rebond", "--host", "j", "--user", "u"]);
    let chain = ["--credential", "linked:A/compte", "--jump", "A/rebond"];
    seat.ok(&[&["add", "ssh", "A/s", "--host", "h"], &chain[..]].concat());
    seat.run(&["edit", "A/s", "--credential", "linked:A/s"], "").ended(2);
    seat.run(&["edit", "A/s", "--jump", "A/s"], "").ended(2);
    seat.ok(&["rm", "A/compte"]);
    seat.ok(&["rm", "A/rebond"]);
    let plan = seat.ok(&["plan", "A/s"]).out;
    for said in ["“A/s” is linked to “A/compte”, which is in the recycle bin", "through “A/rebond”"]
    {
        assert!(plan.contains(said), "{plan}");
    }
    // It can be mended, and edited before it is.
    seat.ok(&["edit", "A/s", "--description", "d"]);
    seat.ok(&["edit", "A/s", "--credential", "linked:A/autre", "--clear", "jump"]);
    assert!(!seat.ok(&["plan", "A/s"]).out.contains('✗'));
}

#[test]
fn a_day_that_is_over_is_told_wherever_the_entry_is_met() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let add = |path: &str, day: &str| {
        let command = ["--command", "/bin/sh", "--expires", day];
        seat.ok(&[&["add", "shell", path], &command[..]].concat());
    };
    add("A/vieux", "2020-01-31");
    add("A/neuf", "2999-01-31");
    assert!(seat.ok(&["show", "A/vieux"]).out.contains("2020-01-31  (expired)"));
    assert!(!seat.ok(&["show", "A/neuf"]).out.contains("expired"));
    assert!(seat.ok(&["plan", "A/vieux"]).out.contains("✗ expired on 2020-01-31"));
    assert!(seat.ok(&["plan", "A/neuf"]).out.contains("expires on 2999-01-31"));
    assert_eq!(seat.ok(&["--json", "plan", "A/neuf"]).json()["expires"], "2999-01-31");
    assert!(seat.ok(&["find", "vieux"]).out.contains("expired on 2020-01-31"));
    let found = seat.ok(&["--json", "find", "vieux"]).json();
    assert_eq!(found["items"][0]["expires"], "2020-01-31");
    says(&seat.run(&["connect", "A/vieux", "--", "true"], ""), "A/vieux expired on 2020-01-31");
    assert!(!seat.run(&["connect", "A/neuf", "--", "true"], "").err.contains("expire"));
}

#[test]
fn a_role_takes_only_the_clients_it_can_use_and_is_listed_with_them() {
    let mut seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let invite = |name: &str, role: &str, more: &[&str]| {
        seat.run(&[&["member", "invite", name, "--role", role][..], more].concat(), "")
    };
    says(&invite("zed", "auditor", &["--client", "A"]).ended(2), "sees no client");
    invite("zed", "auditor", &["--all-clients"]).ended(2);
    says(&invite("adam", "admin", &["--client", "A"]).ended(2), "sees every client");
    seat.invite("zed", "auditor", &[]);
    seat.invite("adam", "admin", &[]);
    seat.run(&["member", "role", "zed", "--role", "auditor", "--client", "A"], "").ended(2);
    let list = seat.ok(&["member", "list"]).out;
    let line = |name: &str| list.lines().find(|l| l.starts_with(name)).expect("is there");
    assert!(line("adam").contains("all clients"), "{list}");
    assert!(!line("zed").contains("client"), "{list}");
    let other = seat.ok(&["--member", "adam", "status"]).out;
    assert!(other.contains("unlocked by another member"), "{other}");
    let json = |args: &[&str]| seat.ok(args).json()["other_member"].clone();
    assert_eq!(json(&["--json", "--member", "adam", "status"]), true);
    assert_eq!(json(&["--json", "--member", "OWNER", "status"]), false);
}

#[test]
fn the_language_the_end_of_input_and_a_weak_password_are_spoken_of() {
    let seat = Seat::empty();
    let mut german = seat.command(&["status"]);
    german.env("POTERNE_LANG", "de");
    let refused = super::cli_kit::finish(german, "").ended(2);
    says(&refused, "POTERNE_LANG");
    let mut named = seat.command(&["--lang", "en", "status"]);
    named.env("POTERNE_LANG", "de");
    super::cli_kit::finish(named, "").ended(4);
    let garbled = std::os::unix::ffi::OsStrExt::from_bytes(b"ad\xe8le");
    let mut nobody = seat.command(&["status"]);
    nobody.env::<_, &std::ffi::OsStr>("POTERNE_MEMBER", garbled);
    says(&super::cli_kit::finish(nobody, "").ended(2), "POTERNE_MEMBER");
    let mut named = seat.command(&["--member", "adam", "status"]);
    named.env::<_, &std::ffi::OsStr>("POTERNE_MEMBER", garbled);
    super::cli_kit::finish(named, "").ended(4);
    let ended = seat.run(&["init"], "").ended(2);
    assert!(!ended.err.contains("poterne unlock"), "{}", ended.err);
    says(&ended, "ended before the answer");
    // The code is wrong: nothing is left behind.
    let init = |password: &str| {
        let lines = format!("{password}\n{password}\n000000\n");
        seat.run(&["init", "--kdf-memory", "64"], &lines).ended(3)
    };
    says(&init("aaaaaaaa"), "This password is weak");
    assert!(!init(PASSWORD).err.contains("weak"));
}

#[test]
fn help_and_words_are_apart_and_of_one_language() {
    let mut seat = Seat::empty();
    let help = |lang: &str| seat.ok(&["--lang", lang, "rm", "--help"]).out;
    for (lang, heading) in [("en", "Global options:"), ("fr", "Options générales")] {
        let text = help(lang);
        let (own, global) = text.split_once(heading).unwrap_or_else(|| panic!("{text}"));
        assert!(own.contains("--forever") && !own.contains("--accept-older"), "{text}");
        assert!(global.contains("--vault") && !global.contains("--forever"), "{text}");
    }
    let made = seat.init(&[]).ended(0);
    says(&made, "Vault made: ");
    assert!(seat.ok(&["status"]).out.starts_with("locked: "));
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    seat.ok(&["add", "client", "A"]);
    let file = seat.home.path().join("f.txt");
    std::fs::write(&file, "abc").expect("ours");
    let file = file.to_str().expect("UTF-8");
    seat.ok(&["add", "note", "A/n", "--attach", file, "--favourite"]);
    let shown = seat.ok(&["show", "A/n"]).out;
    assert!(shown.contains("f.txt (3 B)"), "{shown}");
    assert_eq!(shown.matches("favourite").count(), 1, "{shown}");
    let french = seat.ok(&["--lang", "fr", "show", "A/n"]).out;
    assert!(french.contains("f.txt (3 o)"), "{french}");
}
