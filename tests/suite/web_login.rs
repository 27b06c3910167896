//! Logging in to pages with a real browser, whose window is on the screen that the
//! tests have: forms that scripts make, two steps, codes, HTTP's own question, and
//! what must not be filled in.

use poterne::connect::FailureKind;
use poterne::connect::link::{Exit, ToRemote};
use poterne::connect::web::LOGIN_URL;
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::Target;

use crate::kit_ssh::*;
use crate::kit_web::*;

#[test]
fn a_form_that_a_script_makes_is_logged_in_to() {
    let _alone = alone();
    let mut site = Site::plain();
    let mut visit = Visit::open(login(site.hop("/form")));
    site.told.until("login admin ok");
    site.told.until("welcome");
    visit.talk.until("Logged in");
    let text = visit.talk.text();
    for line in ["Page opened", "User “admin” filled in", "Password filled in"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains(PASSWORD), "{text}");
    let info = visit.link.info();
    assert!(info.description.ends_with("✓"), "{info:?}");
    assert_eq!(info.warnings.len(), 1, "only that nothing is encrypted: {info:?}");
    assert_eq!(visit.lease.taken, [(0, Slot::Password)], "each once, and no other");
}

#[test]
fn the_user_may_be_asked_first_and_the_form_may_be_in_a_frame() {
    let _alone = alone();
    let mut site = Site::plain();
    for page in ["/two", "/frames"] {
        let visit = Visit::open(login(site.hop(page)));
        site.told.until("login admin ok");
        site.told.until("welcome");
        assert!(visit.link.info().description.ends_with("✓"), "{page}");
        drop(visit);
        site.told.forget();
    }
}

#[test]
fn a_page_that_never_reloads_is_logged_in_to_by_its_button() {
    let _alone = alone();
    let mut site = Site::plain();
    let visit = Visit::open(login(site.hop("/scripted")));
    site.told.until("login admin ok");
    assert!(visit.link.info().description.ends_with("✓"));
}

#[test]
fn names_on_the_page_do_not_stand_in_for_what_looks_for_its_form() {
    let _alone = alone();
    let mut site = Site::plain();
    let visit = Visit::open(login(site.hop("/named")));
    site.told.until("login admin ok");
    assert!(visit.link.info().description.ends_with("✓"));
}

#[test]
fn a_page_that_is_busy_for_ever_is_left_to_the_person() {
    let _alone = alone();
    let site = Site::plain();
    let visit = Visit::open(login(with(site.hop("/busy"), "connect-timeout", "1")));
    let warnings = visit.link.info().warnings;
    assert!(warnings.iter().any(|w| w.en.contains("No login form")), "{warnings:?}");
    assert!(visit.lease.taken.is_empty());
}

#[test]
fn declared_fields_are_used_and_a_selector_that_is_none_is_told() {
    let _alone = alone();
    let mut site = Site::plain();
    let mut hop = site.hop("/odd");
    for (id, value) in
        [("user-selector", "#who"), ("password-selector", "#word"), ("submit-selector", "#go")]
    {
        hop = with(hop, id, value);
    }
    let visit = Visit::open(login(hop));
    site.told.until("login admin ok");
    drop(visit);
    site.told.forget();
    let visit = Visit::open(login(with(site.hop("/form"), "password-selector", "#[")));
    let warnings = visit.link.info().warnings;
    assert!(warnings.iter().any(|w| w.en.contains("CSS selector")), "{warnings:?}");
    assert!(visit.lease.taken.is_empty());
}

#[test]
fn a_code_is_given_on_the_page_after_the_password() {
    let _alone = alone();
    let mut site = Site::plain();
    let mut visit = Visit::open(login_with_codes(site.hop("/totp")));
    site.told.until("code ok");
    site.told.until("welcome");
    visit.talk.until("One-time code filled in");
    visit.talk.until("Logged in");
    drop(visit);
    site.told.forget();
    // Without a seed the person is told what the page wants.
    let visit = Visit::open(login(site.hop("/totp")));
    let warnings = visit.link.info().warnings;
    assert!(warnings.iter().any(|w| w.en.contains("asks for a code")), "{warnings:?}");
}

#[test]
fn the_question_of_http_is_answered() {
    let _alone = alone();
    let mut site = Site::plain();
    for kind in ["basic", "digest"] {
        let mut visit = Visit::open(login(site.hop(&format!("/{kind}"))));
        site.told.until(&format!("http {kind} ok"));
        visit.talk.until("HTTP login");
        assert!(visit.link.info().description.ends_with("✓"), "{kind}");
    }
}

#[test]
fn a_wrong_password_is_told_and_given_once() {
    let _alone = alone();
    let mut site = Site::plain();
    for page in ["/form", "/basic", "/scripted"] {
        let (target, mut lease) = login(site.hop(page));
        lease.secrets.insert((0, Slot::Password), b"another".to_vec());
        let mut visit = Visit::open((target, lease));
        visit.talk.until("refused");
        let warnings = visit.link.info().warnings;
        assert!(warnings.iter().any(|w| w.en.contains("refused")), "{page} {warnings:?}");
        assert!(!visit.link.info().description.contains("✓"), "{page}");
        drop(visit);
        let kind = if page == "/basic" { "http basic bad" } else { "login admin bad" };
        site.told.until(kind);
        let bad = |line: &&String| line.ends_with(" bad");
        assert_eq!(site.told.all().iter().filter(bad).count(), 1, "{page}: {:?}", site.told.seen);
        site.told.forget();
    }
}

#[test]
fn nothing_is_filled_in_on_a_page_of_another_origin() {
    let _alone = alone();
    let (site, mut other) = (Site::plain(), Site::plain());
    for page in ["/form", "/basic"] {
        let hop = site.hop(&format!("/away?{}", other.url(page)));
        let visit = Visit::open(login(with(hop, "connect-timeout", "6")));
        let warnings = visit.link.info().warnings;
        let told = format!("http://127.0.0.1:{}", other.told.port);
        assert!(warnings.iter().any(|w| w.en.contains(&told)), "{page}: {warnings:?}");
        assert!(visit.lease.taken.is_empty(), "{page}");
        drop(visit);
        let given =
            other.told.all().iter().any(|l| l.starts_with("login") || l.starts_with("http"));
        assert!(!given, "{page}: {:?}", other.told.seen);
    }
}

#[test]
fn a_page_that_does_not_come_is_told_with_what_to_do() {
    let _alone = alone();
    let port = free_port();
    let (target, mut lease) = login(page_hop(&format!("http://127.0.0.1:{port}/"), port));
    assert_eq!(must_fail(&target, &mut lease).kind, FailureKind::Refused);
    assert!(lease.taken.is_empty());
    let missing = with(page_hop("http://127.0.0.1/", 80), "browser", "no-such-browser");
    let (target, mut lease) = login(missing);
    assert_eq!(must_fail(&target, &mut lease).kind, FailureKind::Helper);
    assert!(lease.children.is_empty());
    let unsafe_page = with(page_hop("", 80), LOGIN_URL, "https://bob:secret@127.0.0.1/");
    let target = Target { kind: Kind::new("web"), hops: vec![unsafe_page] };
    let failure = must_fail(&target, &mut FakeLease::default());
    assert!(failure.kind == FailureKind::Setting && !failure.what.en.contains("secret"));
}

#[test]
fn an_unknown_certificate_is_asked_for_and_another_one_is_refused() {
    let _alone = alone();
    let first = Certificate::make();
    let mut site = Site::secured(&first);
    let (target, mut lease) = login(site.hop("/form"));
    assert_eq!(must_fail(&target, &mut lease).kind, FailureKind::HostKeyRefused);
    let shown = lease.keys_shown.remove(0);
    assert_eq!(
        (shown.algorithm.as_str(), &shown.fingerprint),
        ("x509-sha256", &first.fingerprint())
    );
    assert_eq!(shown.at.port, site.told.port);
    assert!(lease.taken.is_empty() && site.told.all().is_empty(), "no page came, no secret went");

    let (target, mut lease) = login(site.hop("/form"));
    lease.trust = true;
    let mut visit = Visit::open((target, lease));
    site.told.until("login admin ok");
    visit.talk.until("Certificate pinned for this client");
    assert_eq!(visit.link.info().host_key, first.fingerprint());
    assert!(visit.link.info().warnings.is_empty(), "{:?}", visit.link.info());
    drop(visit);
    site.told.forget();

    let mut pinned = site.hop("/basic");
    pinned.pinned = vec![shown];
    let visit = Visit::open(login(pinned.clone()));
    site.told.until("http basic ok");
    assert!(visit.lease.keys_shown.is_empty(), "nobody is asked for a known one");
    drop(visit);

    // A stranger who sends the pinned one along, as if it had signed his own.
    for stranger in [Certificate::make(), Certificate::make().with(&first)] {
        let mut site = Site::secured(&stranger);
        let mut hop = site.hop("/form");
        hop.pinned = pinned.pinned.clone();
        hop.pinned[0].at = hop.at.clone();
        let (target, mut lease) = login(hop);
        assert_eq!(must_fail(&target, &mut lease).kind, FailureKind::HostKeyChanged);
        assert!(lease.taken.is_empty() && lease.keys_shown.is_empty());
        assert!(site.told.all().is_empty(), "{:?}", site.told.seen);
    }
}

#[test]
fn closing_the_session_ends_the_browser_and_wipes_its_profile() {
    let _alone = alone();
    let mut site = Site::plain();
    for way in ["link", "ctrl-c", "window", "browser killed", "session killed"] {
        let visit = Visit::open(login(site.hop("/form")));
        site.told.until("login admin ok");
        let (browser, profile) = (visit.browser(), visit.profile());
        let helpers = descendants(browser);
        assert!(profile.is_dir());
        let signal = |pid: u32| sh("kill", &["-KILL", &pid.to_string()]);
        match way {
            "link" => visit.link.close(),
            "ctrl-c" => visit.talk.channel.send(ToRemote::Data(vec![3])),
            "window" => close_window(browser),
            "browser killed" => drop(signal(browser)),
            _ => drop(signal(visit.host())),
        }
        let talk = visit.talk.finish();
        let failed = matches!(talk.closed, Some(Some(_)));
        assert_eq!(failed, way.ends_with("killed"), "{way}: {:?}", talk.closed);
        if way == "window" || way == "ctrl-c" {
            assert_eq!(talk.exit, Some(Exit::Status(0)), "{way}");
        }
        let gone = || helpers.iter().chain([&browser]).all(|pid| argv(*pid).is_empty());
        wait_until(&format!("{way}: the browser is gone"), gone);
        if way == "session killed" {
            // The next one clears away what it left.
            assert!(profile.is_dir());
            drop(Visit::open(login(site.hop("/form"))));
        }
        wait_until(&format!("{way}: the profile is gone"), || !profile.exists());
        site.told.forget();
    }
}

#[test]
fn a_browser_leaks_no_secret_and_listens_nowhere() {
    let _alone = alone();
    let mut site = Site::plain();
    let mut visit = Visit::open(login_with_codes(site.hop("/totp")));
    site.told.until("code ok");
    visit.talk.until("Logged in");
    let profile = visit.profile();
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &profile.metadata().expect("it is there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o700);
    let needles = [PASSWORD.as_bytes(), SEED.as_bytes()];
    let holds = |bytes: &[u8]| needles.iter().any(|n| bytes.windows(n.len()).any(|w| w == *n));
    let mut processes = descendants(visit.host());
    processes.push(visit.host());
    assert!(processes.len() > 3, "a browser is several: {processes:?}");
    let mut sockets = Vec::new();
    for pid in &processes {
        for part in ["cmdline", "environ"] {
            let bytes = std::fs::read(format!("/proc/{pid}/{part}")).unwrap_or_default();
            assert!(!holds(&bytes), "/proc/{pid}/{part}");
        }
        for fd in std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            let place = std::fs::read_link(fd.path()).unwrap_or_default();
            let place = place.to_string_lossy().into_owned();
            let socket = place.strip_prefix("socket:[").and_then(|s| s.strip_suffix(']'));
            sockets.extend(socket.map(str::to_owned));
        }
    }
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in std::fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let part: Vec<&str> = line.split_whitespace().collect();
            let listens = part[3] == "0A";
            assert!(!(listens && sockets.iter().any(|s| s == part[9])), "it listens: {line}");
        }
    }
    each_file(&profile, &mut |path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        assert!(!holds(&bytes), "{}", path.display());
    });
    let args = argv(visit.browser());
    assert!(!args.iter().any(|a| a.starts_with("--ignore-certificate-errors")), "{args:?}");
    assert!(!args.iter().any(|a| a.starts_with("--remote-debugging-port")), "{args:?}");
}

/// Every file below a folder.
fn each_file(folder: &std::path::Path, look: &mut dyn FnMut(&std::path::Path)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => each_file(&path, look),
            Ok(kind) if kind.is_file() => look(&path),
            _ => {}
        }
    }
}
