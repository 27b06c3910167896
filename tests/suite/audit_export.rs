//! An export under way: followed, given up, cut off by a lock, by the program
//! itself and through the agent. Nothing half-written stays.

use std::fs;
use std::path::Path;

use poterne::app::agent;
use poterne::app::api::{AppError, Code, ExportFormat, Reply, Request};
use poterne::app::export::{self, ExportError};
use poterne::app::{App, ExportUi, remote};
use poterne::audit::line::Draft;
use poterne::model::audit_event::{Event, field};
use poterne::model::lang::Lang;
use poterne::model::time::Time;
use poterne::vault::rows::Rows;
use poterne::vault::unlocked::{Env, Unlocked, VaultError};

use super::audit_bundle::{meta, request, stored};
use super::audit_log::{ALICE, Story};
use super::kit::Desk;
use super::kit_rows::open_by_kit;

/// Adds made-up lines to a vault in one commit, as another process would.
pub fn fill(desk: &Desk, lines: u64) {
    let (mut store, mut vault) = open_by_kit(&desk.file, &desk.kit).expect("the kit opens it");
    let mut seed = 0u8;
    let mut random = |out: &mut [u8]| {
        out.iter_mut().for_each(|b| {
            seed = seed.wrapping_mul(5).wrapping_add(17);
            *b = seed;
        });
    };
    let now = Time(vault.state.audit.last_at.0 + 1);
    store
        .write(|rows| {
            let mut env = Env { now, random: &mut random, machine: "poste-12" };
            for n in 0..lines {
                one(&mut vault, rows, &mut env, n)?;
            }
            vault.save(rows, &mut env)
        })
        .expect("there is room");
}

fn one(v: &mut Unlocked, rows: &dyn Rows, env: &mut Env<'_>, n: u64) -> Result<(), VaultError> {
    let fields = vec![
        (field::MEMBER, "alice".to_owned()),
        (field::CLIENT, "Dupont".to_owned()),
        (field::ENTRY, format!("Dupont/Serveurs/srv-{n}")),
    ];
    let event = Event::SecretRevealed;
    v.log(rows, env, Draft { at: env.now, actor: Some(v.me), event, ok: true, fields, fact: None })
}

/// Follows, and gives up after so many steps.
struct Follower {
    steps: Vec<(u64, u64)>,
    most: usize,
}

impl Follower {
    fn patient() -> Self {
        Self { steps: Vec::new(), most: usize::MAX }
    }

    fn hasty() -> Self {
        Self { steps: Vec::new(), most: 1 }
    }
}

impl ExportUi for Follower {
    fn show(&mut self, done: u64, total: u64) {
        self.steps.push((done, total));
    }

    fn cancelled(&mut self) -> bool {
        self.steps.len() >= self.most
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|e| e.expect("readable").file_name().to_string_lossy().into_owned()).collect()
}

fn given_up(done: Result<Reply, AppError>) {
    let Err(error) = done else { panic!("it was cancelled") };
    assert_eq!(error.code, Code::Other);
    assert!(error.what.get(Lang::Fr).contains("annulé"), "{:?}", error.what);
    assert!(error.what.get(Lang::En).contains("cancelled"), "{:?}", error.what);
}

#[test]
fn every_format_tells_how_far_it_is_and_gives_up_without_a_trace() {
    let mut story = Story::new();
    for _ in 0..2500 {
        story.reveal(ALICE, "Dupont", "Dupont/Serveurs/web1");
    }
    for format in ExportFormat::ALL {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let out = dir.path().join("export");
        fs::write(&out, b"older").expect("writable");
        for last in [None, Some(7)] {
            let mut request = request(format, &out);
            request.filter.last = last;
            let result =
                export::write(&request, &meta(&story), &stored(&story), &mut |done, _| done < 2000);
            assert!(matches!(result, Err(ExportError::Cancelled)), "{format:?}: {result:?}");
            assert_eq!(names(dir.path()), ["export"], "{format:?}");
            assert_eq!(fs::read(&out).expect("still there"), b"older");

            let mut told = Vec::new();
            let lines =
                export::write(&request, &meta(&story), &stored(&story), &mut |done, total| {
                    told.push((done, total));
                    // No name is taken before the end.
                    assert_eq!(fs::read(&out).expect("still there"), b"older");
                    true
                });
            assert_eq!(lines.expect("it is writable").lines, last.unwrap_or(2501), "{format:?}");
            let all = 2501 * told.last().expect("told").1 / 2501;
            assert!(told.is_sorted() && told.len() >= 3, "{told:?}");
            assert_eq!(told.last(), Some(&(all, all)), "{format:?}");
            assert_eq!(names(dir.path()), ["export"], "{format:?}");
            fs::write(&out, b"older").expect("writable");
        }
    }
}

#[test]
fn a_folder_in_the_place_of_the_file_is_told_before_the_work() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let story = Story::new();
    for out in [dir.path(), Path::new("/")] {
        let request = request(ExportFormat::Csv, out);
        let result =
            export::write(&request, &meta(&story), &stored(&story), &mut |_, _| panic!("late"));
        assert!(matches!(result, Err(ExportError::Io { .. })), "{result:?}");
    }
    assert!(names(dir.path()).is_empty());
}

#[test]
fn an_export_is_followed_and_given_up_here_and_through_the_agent() {
    let desk = Desk::open();
    fill(&desk, 3000);
    let socket = agent::socket_of(&desk.file).expect("there is a place for sockets");
    let guard = agent::serve(desk.app.clone(), &socket).expect("nobody serves this vault");
    let agent = remote::find(&desk.file).expect("of this build").expect("it serves");
    let here: &dyn remote::Access = &desk.app;
    for access in [here, &*agent] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let out = dir.path().join("journal.jsonl");
        let request = request(ExportFormat::Jsonl, &out);

        let mut hasty = Follower::hasty();
        given_up(access.export(request.clone(), &mut hasty));
        assert!(names(dir.path()).is_empty());

        // The connection serves on, and the second export is whole.
        let mut patient = Follower::patient();
        let Reply::Exported { lines, .. } =
            access.export(request, &mut patient).expect("it is writable")
        else {
            panic!("another reply")
        };
        assert_eq!(names(dir.path()), ["journal.jsonl"]);
        let text = fs::read_to_string(&out).expect("readable");
        assert_eq!(text.lines().count() as u64, lines);
        assert_eq!(patient.steps.last(), Some(&(lines, lines)));
        assert!(patient.steps.len() > 3 && patient.steps.is_sorted(), "{:?}", patient.steps);
    }
    drop(guard);
}

#[test]
fn an_export_names_the_vault() {
    let desk = Desk::open();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("journal.html");
    desk.call(Request::AuditExport(request(ExportFormat::Html, &out)));
    let text = fs::read_to_string(&out).expect("readable");
    assert!(text.contains("<dt>Coffre</dt><dd>coffre.poterne</dd>"), "{text}");
}

#[test]
fn locking_does_not_wait_for_an_export() {
    let desk = Desk::open();
    fill(&desk, 3000);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let request = request(ExportFormat::Csv, &dir.path().join("journal.csv"));

    /// Locks the vault as soon as the export has begun.
    struct Locker(App, Option<std::thread::JoinHandle<()>>);
    impl ExportUi for Locker {
        fn show(&mut self, _done: u64, _total: u64) {
            let app = self.0.clone();
            self.1.get_or_insert_with(|| {
                std::thread::spawn(move || {
                    app.call(Request::Lock).expect("it locks");
                })
            });
        }
        fn cancelled(&mut self) -> bool {
            false
        }
    }
    // Whether the lock comes in time is chance; that both end well is not.
    let mut locker = Locker(desk.app.clone(), None);
    let done = desk.app.export(request, &mut locker);
    locker.1.expect("it has begun").join().expect("it locked");
    match done {
        Ok(_) => assert_eq!(names(dir.path()), ["journal.csv"]),
        Err(_) => {
            given_up(done);
            assert!(names(dir.path()).is_empty());
        }
    }
    assert!(desk.app.call(Request::Status).is_err_and(|e| e.code == Code::Locked));
}

/// What was asked for before the lock and takes long does not hold it up.
#[test]
fn whatever_takes_long_gives_way_to_the_lock() {
    let desk = Desk::open();
    fill(&desk, 20_000);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let request = request(ExportFormat::Csv, &dir.path().join("journal.csv"));
    let backup = dir.path().join("copie.poterne");

    type Asked = std::thread::JoinHandle<Result<Reply, AppError>>;
    /// Asks for everything slow, then for the lock, while the worker is busy.
    struct Impatient {
        app: App,
        slow: Vec<Request>,
        asked: Vec<Asked>,
    }
    impl Impatient {
        fn ask(&mut self, request: Request) {
            let app = self.app.clone();
            let (begun, begins) = std::sync::mpsc::channel();
            self.asked.push(std::thread::spawn(move || {
                begun.send(()).expect("somebody waits");
                app.call(request)
            }));
            begins.recv().expect("it begins");
        }
    }
    impl ExportUi for Impatient {
        fn show(&mut self, _done: u64, _total: u64) {
            if self.asked.is_empty() {
                for request in std::mem::take(&mut self.slow) {
                    self.ask(request);
                }
                self.ask(Request::Lock);
            }
            (0..100).for_each(|_| std::thread::yield_now());
        }
        fn cancelled(&mut self) -> bool {
            false
        }
    }
    let slow = vec![Request::Check, Request::AuditVerify, Request::Backup { to: Some(backup) }];
    let mut impatient = Impatient { app: desk.app.clone(), slow, asked: Vec::new() };
    let exported = desk.app.export(request, &mut impatient);
    let mut ended: Vec<_> =
        impatient.asked.into_iter().map(|a| a.join().expect("no panic")).collect();
    assert!(matches!(ended.pop(), Some(Ok(Reply::Done))), "the lock");
    // Where the export gave way the lock was asked for while all others waited.
    if exported.is_err() {
        for end in ended {
            assert!(end.is_err_and(|e| e.code == Code::Locked));
        }
        assert!(names(dir.path()).is_empty(), "nothing half-written stays");
    }
}
