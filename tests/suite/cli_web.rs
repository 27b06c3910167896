//! `connect` to a web page: the browser that BROWSER names gets its address, the
//! log has it before and after, and nothing opens without the ticket.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use poterne::connect::web::{PageFault, page};

use crate::cli_kit::{Ran, Seat, finish};

/// A browser that writes down what it is given.
fn browser(seat: &Seat) -> (PathBuf, PathBuf) {
    let (program, told) = (seat.home.path().join("browser"), seat.home.path().join("told"));
    let script =
        format!("#!/bin/sh\necho \"$@\" > '{0}.part'\nmv '{0}.part' '{0}'\n", told.display());
    fs::write(&program, script).expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("ours");
    (program, told)
}

fn with_browser(seat: &Seat, program: &std::path::Path, args: &[&str]) -> Ran {
    let mut command = seat.command(args);
    command.env("BROWSER", program);
    finish(command, "")
}

/// What the browser was given, once it was started.
fn given(told: &std::path::Path) -> String {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match fs::read_to_string(told) {
            Ok(text) => return text.trim().to_owned(),
            Err(_) => assert!(Instant::now() < end, "no browser was started"),
        }
        std::thread::yield_now();
    }
}

/// Event, outcome and host of the session lines, oldest first.
fn lines(seat: &Seat) -> Vec<(String, bool, String)> {
    let log = seat.ok(&["--json", "audit", "log"]).json();
    let lines = log["lines"].as_array().expect("lines").iter();
    let session = lines.filter(|l| l["event"].as_str().is_some_and(|e| e.starts_with("session.")));
    session
        .map(|l| {
            let field = |name: &str| l["fields"][name].as_str().unwrap_or_default().to_owned();
            let place = format!("{} {}:{}", field("connector"), field("host"), field("port"));
            (l["event"].as_str().unwrap_or_default().to_owned(), l["ok"] == true, place)
        })
        .collect()
}

#[test]
fn connect_opens_a_page_and_says_whom_to_log_in_as() {
    let seat = Seat::unlocked();
    let (program, told) = browser(&seat);
    seat.ok(&["add", "client", "A"]);
    let url = "https://intra.example:8443/login?x=1";
    seat.ok(&["add", "web", "A/w", "--host", url, "--user", "status"]);
    let ran = with_browser(&seat, &program, &["connect", "A/w"]).ended(0);
    assert!(ran.out.contains("Login: status"), "{}", ran.out);
    assert_eq!(given(&told), url);
    let place = "web intra.example:8443".to_owned();
    let opening = ("session.opening".to_owned(), true, place.clone());
    assert_eq!(lines(&seat), [opening, ("session.opened".to_owned(), true, place)]);
    let ran = with_browser(&seat, &program, &["--json", "connect", "A/w"]).ended(0);
    assert_eq!(ran.json()["user"], "status");
    with_browser(&seat, &program, &["connect", "A/w", "--", "true"]).ended(2);
    assert_eq!(seat.ok(&["--json", "status"]).json()["sessions"], 0);
}

#[test]
fn a_page_without_its_ticket_a_browser_or_a_clean_address_is_not_opened() {
    let seat = Seat::unlocked();
    let (program, told) = browser(&seat);
    seat.ok(&["add", "client", "A", "--ticket-pattern", "T-[0-9]+", "--ticket-required"]);
    seat.ok(&["add", "web", "A/w", "--host", "http://intra.example/"]);
    with_browser(&seat, &program, &["connect", "A/w"]).ended(5);
    assert!(lines(&seat).is_empty() && !told.exists());
    seat.run(&["connect", "A/w", "--ticket", "T-1"], "").ended(1);
    let place = "web intra.example:80".to_owned();
    let opening = ("session.opening".to_owned(), true, place.clone());
    assert_eq!(lines(&seat), [opening, ("session.failed".to_owned(), false, place)]);
    seat.ok(&["add", "web", "A/p", "--host", "https://admin:secret@intra.example/"]);
    let ran = with_browser(&seat, &program, &["connect", "A/p", "--ticket", "T-1"]).ended(2);
    assert!(ran.err.contains("password") && !ran.err.contains("secret"), "{}", ran.err);
    assert!(!told.exists());
}

#[test]
fn an_address_leads_to_one_machine_and_port() {
    let at = |address| page(address).map(|at| at.to_string());
    assert_eq!(at("https://a.example"), Ok("a.example:443".into()));
    assert_eq!(at("HTTP://a.example/x@y:1"), Ok("a.example:80".into()));
    assert_eq!(at("https://bob@a.example:8443?q#f"), Ok("a.example:8443".into()));
    assert_eq!(at("https://[2001:db8::1]:8443/"), Ok("[2001:db8::1]:8443".into()));
    assert_eq!(at("https://a.example\\@b.example/"), Ok("a.example:443".into()));
    assert_eq!(at("https://bob:pw@a.example/"), Err(PageFault::Password));
    for bad in ["https://", "file:///x", "https://a.example:http/", "https://bob@/", "https://:1/"]
    {
        assert_eq!(at(bad), Err(PageFault::NoPage), "{bad}");
    }
}

#[cfg(target_os = "linux")]
mod driven {
    use std::io::{BufRead, BufReader, Read};

    use super::*;
    use crate::kit_web::{Certificate, PASSWORD, Site, alone};

    #[test]
    fn connect_logs_in_to_a_page_and_ends_with_its_terminal() {
        let _alone = alone();
        let certificate = Certificate::make();
        let mut site = Site::secured(&certificate);
        let seat = Seat::unlocked();
        seat.ok(&["add", "client", "A"]);
        let url = site.url("/form");
        let add =
            ["add", "web", "A/w", "--host", &url, "--user", "admin", "--secret-stdin", "password"];
        seat.run(&add, PASSWORD).ended(0);
        let plan = seat.ok(&["plan", "A/w"]).out;
        assert!(plan.contains("browser") && plan.contains("found on this computer"), "{plan}");
        let doctor = seat.run(&["doctor"], "").out;
        assert!(doctor.contains("✓ browser"), "{doctor}");

        let display = std::env::var_os("DISPLAY").expect("the tests have a screen");
        let connect = |args: &[&str]| {
            let mut command = seat.command(&[&["connect", "A/w"], args].concat());
            command.env("DISPLAY", &display);
            if let Some(authority) = std::env::var_os("XAUTHORITY") {
                command.env("XAUTHORITY", authority);
            }
            command
        };
        // Nobody is there to look at the fingerprint.
        assert_eq!(finish(connect(&[]), "").status, 6);
        let print = certificate.fingerprint();
        let mut child = connect(&["--accept-host-key", &print]).spawn().expect("it is built");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut said = String::new();
        while !said.contains("Logged in") {
            assert!(out.read_line(&mut said).expect("UTF-8") > 0, "{said}");
        }
        site.told.until("welcome");
        // `timeout` hands it on to the program.
        let pid = child.id().to_string();
        crate::kit_ssh::sh("kill", &["-INT", &pid]);
        let mut err = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut err).expect("UTF-8");
        let status = child.wait().expect("it ends").code();
        assert_eq!(status, Some(130), "{said} {err}");
        assert!(!said.contains(PASSWORD) && !err.contains(PASSWORD));

        let events: Vec<(String, bool)> =
            lines(&seat).into_iter().map(|(event, ok, _)| (event, ok)).collect();
        let told = |event: &str, ok| (format!("session.{event}"), ok);
        let wanted = [
            told("opening", true),
            told("failed", false),
            told("opening", true),
            told("opened", true),
            told("closed", true),
        ];
        assert_eq!(events, wanted);
        let log = seat.ok(&["--json", "audit", "log"]).out;
        assert!(log.contains("secret.filled") && log.contains(&print), "{log}");
        assert!(!log.contains(PASSWORD));

        // By hand, it is the browser of the desktop again.
        seat.ok(&["edit", "A/w", "--login", "manual"]);
        let plan = seat.ok(&["plan", "A/w"]).out;
        assert!(plan.contains("login by hand"), "{plan}");
        let (program, told) = browser(&seat);
        let mut command = connect(&[]);
        command.env("BROWSER", &program);
        finish(command, "").ended(0);
        assert_eq!(given(&told), url);
    }
}

#[test]
fn a_page_for_each_ticket_asks_for_it_and_opens_there() {
    let seat = Seat::unlocked();
    let (program, told) = browser(&seat);
    seat.ok(&["add", "client", "A"]);
    let url = "https://artis.example/tickets?no={ticket}";
    seat.ok(&["add", "web", "A/artis", "--host", url, "--preset", "tickets", "--login", "manual"]);
    // Whoever shows it knows that a ticket is wanted, though the client wants none.
    let plan = seat.ok(&["--json", "plan", "A/artis"]).json();
    assert_eq!(plan["ticket_required"], true, "{plan}");
    let refused = with_browser(&seat, &program, &["connect", "A/artis"]).ended(5);
    assert!(refused.err.contains("it takes a ticket number"), "{}", refused.err);
    assert!(lines(&seat).is_empty() && !told.exists());
    let ticket = ["connect", "A/artis", "--ticket", "ART 12/é&x=1"];
    with_browser(&seat, &program, &ticket).ended(0);
    assert_eq!(given(&told), "https://artis.example/tickets?no=ART%2012%2F%C3%A9%26x%3D1");
    let opening = lines(&seat)[0].clone();
    assert_eq!(opening.2, "web artis.example:443");
    // The ticket may not say where the login goes.
    let elsewhere = ["add", "web", "A/x", "--host", "https://{ticket}.example/"];
    let elsewhere = seat.run(&elsewhere, "").ended(2);
    assert!(elsewhere.err.contains("decide on the server"), "{}", elsewhere.err);
    assert_eq!(page("https://{ticket}/"), Err(PageFault::NoPage));
}
