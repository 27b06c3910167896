//! One vault of a given size: unlock to a searchable list, memory, one saved
//! edit, one entry shown, searches.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use poterne::app::api::{AppError, At, Factors, Item, Patch, Reply, Request, Set, Status};
use poterne::app::demo::{self, PASSWORD};
use poterne::app::{App, UnlockOptions, last_stretch};
use poterne::crypto::totp::{Codes, Seed};
use poterne::model::entry::Summary;
use poterne::model::id::EntryId;
use poterne::secret::SecretText;
use poterne::vault::index::segment::Segment;
use poterne::vault::index::{ClientIndex, Index, search};

use crate::meter::{anonymous, line, median, short, time, title, took, written};

/// A vault made for trials, and its phone.
pub struct Trial {
    pub file: PathBuf,
    codes: Codes,
    used: u64,
}

impl Trial {
    /// Makes it, or takes the one that an earlier run kept in `folder`.
    pub fn of(folder: &Path, size: u32) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let file = folder.join(format!("trial-{size}.poterne"));
        let note = folder.join(format!("trial-{size}.totp"));
        if !note.exists() {
            let mut secret = String::new();
            let made = time(|| {
                let demo = demo::make_large(&file, size).expect("is made");
                secret = demo.totp_secret();
                demo.app.call(Request::Lock).expect("locks");
            });
            std::fs::write(&note, secret).expect("is kept");
            took(&format!("(made {size} entries)"), made, "");
        }
        let secret = std::fs::read_to_string(&note).expect("was kept");
        let seed = Seed::parse(secret.trim()).expect("a seed");
        let codes = seed.secret.expose(|s| Codes::new(s.try_into().expect("20 bytes")));
        Self { file, codes, used: 0 }
    }

    /// A code that was not used, waiting for one if need be.
    pub fn code(&mut self) -> String {
        loop {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
            let now = now.as_secs() / 30;
            let step = (self.used + 1).max(now - 1);
            if step <= now + 1 {
                self.used = step;
                return format!("{:06}", self.codes.at(step));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn open(&mut self, app: &App, read_only: bool) -> Result<Status, AppError> {
        let used = self.used;
        let code = SecretText::new(self.code());
        if read_only {
            self.used = used;
        }
        app.unlock(UnlockOptions {
            member: None,
            factors: Factors { password: SecretText::copy_of(PASSWORD), code },
            read_only,
            accept_older: true,
        })
    }

    /// Opens it for writing; codes that an earlier run used up are passed over.
    pub fn unlock(&mut self, app: &App) -> Duration {
        loop {
            let mut done = None;
            let took = time(|| done = Some(self.open(app, false)));
            if done.is_some_and(|d| d.is_ok()) {
                return took.saturating_sub(last_stretch());
            }
        }
    }
}

fn ask(app: &App, request: Request) -> Reply {
    app.call(request).unwrap_or_else(|e| panic!("{} {}", e.what.en, e.todo.en))
}

fn items(app: &App, request: Request) -> Vec<Item> {
    match ask(app, request) {
        Reply::Items(items) => items,
        _ => panic!("a list was asked for"),
    }
}

pub fn run(folder: &Path, size: u32) {
    title(&format!("A vault of {size} entries"));
    let mut trial = Trial::of(folder, size);
    let bytes = std::fs::metadata(&trial.file).expect("is there").len();
    line("file", &format!("{:.1} MB", bytes as f64 / 1e6), "");

    let app = App::new(trial.file.clone());
    let before = anonymous();
    // The code stays good when the vault is opened for reading only.
    while trial.open(&app, true).is_err() {
        trial.used += 1;
    }
    let grown = anonymous().saturating_sub(before);
    line("memory of the open index", &format!("{} B", grown / u64::from(size)), "per entry");
    let list = median(7, || {
        ask(&app, Request::Lock);
        let whole = time(|| trial.open(&app, true).expect("opens"));
        whole.saturating_sub(last_stretch())
    });
    took("factors checked to searchable list", list, "without the key stretching");
    ask(&app, Request::Lock);
    let opened = median(3, || {
        ask(&app, Request::Lock);
        trial.unlock(&app)
    });
    took("the same with the code used up and logged", opened, "one commit more");
    edits(&app, size);
    reads(&app, size);
    ask(&app, Request::Lock);
}

fn some(app: &App, size: u32) -> Vec<Item> {
    let query = format!("{:03}", size / 2 % 200);
    let mut found = items(app, Request::Find { query, limit: 40 });
    found.retain(|i| !i.summary.kind.is_container());
    assert!(!found.is_empty(), "a trial vault has this name");
    found
}

fn edits(app: &App, size: u32) {
    let targets = some(app, size);
    let mut n = 0;
    let mut most = 0;
    let edit = median(21, || {
        let at = At::Id(targets[n % targets.len()].summary.id);
        n += 1;
        let patch = Patch { description: Set::To(format!("Essai {n}.")), ..Patch::default() };
        let before = written();
        let done = time(|| {
            ask(app, Request::Edit { at, expected_ver: None, patch: Box::new(patch) });
        });
        most = most.max(written() - before);
        done
    });
    let bare = commit_alone(app.file());
    took("one saved edit", edit, &format!("one bare SQLite commit there: {}", short(bare)));
    line("written by one saved edit, at most", &format!("{:.1} KiB", most as f64 / 1024.0), "");
}

/// A commit of one row with the same journal mode in the same folder.
fn commit_alone(beside: &Path) -> Duration {
    let file = beside.with_extension("bare");
    let _ = std::fs::remove_file(&file);
    let db = rusqlite::Connection::open(&file).expect("opens");
    db.execute_batch(
        "pragma journal_mode=delete; pragma synchronous=extra;
         create table t(n integer primary key, b blob); insert into t values (1, zeroblob(900));",
    )
    .expect("is made");
    let took = median(21, || {
        time(|| db.execute("update t set b = randomblob(900)", []).expect("commits"))
    });
    drop(db);
    let _ = std::fs::remove_file(&file);
    took
}

fn reads(app: &App, size: u32) {
    let targets = some(app, size);
    let mut n = 0;
    let mut show = |by_path: bool| {
        median(101, || {
            let item = &targets[n % targets.len()];
            n += 1;
            let at = match by_path {
                true => At::Path(item.path.clone()),
                false => At::Id(item.summary.id),
            };
            time(|| ask(app, Request::Show { at }))
        })
    };
    took("one entry shown, by id", show(false), "");
    took("one entry shown, by path", show(true), "");
    let status = median(21, || time(|| ask(app, Request::Status)));
    took("status with its counts", status, "");
    for query in ["bdd-0003-0", "admin", "nas tours", "bsd0301", "zzzz"] {
        let asked =
            median(11, || time(|| items(app, Request::Find { query: query.into(), limit: 200 })));
        took(&format!("search “{query}” asked of the application"), asked, "");
    }
    if size > 100_000 {
        return;
    }
    let index = index(app);
    for query in ["bdd-0003-0", "admin", "nas tours", "bsd0301", "zzzz"] {
        let found = search::find(&index, query, 200).len();
        let alone = median(21, || time(|| search::find(&index, query, 200)));
        took(&format!("search “{query}” alone"), alone, &format!("{found} found"));
    }
}

/// The index as the application holds it, made again from a full list.
fn index(app: &App) -> Index {
    let mut clients: BTreeMap<EntryId, Vec<Summary>> = BTreeMap::new();
    for item in items(app, Request::List { at: None, deep: true, trashed: false }) {
        clients.entry(item.summary.client).or_default().push(item.summary);
    }
    let mut index = Index::default();
    for (client, nodes) in clients {
        index.put(ClientIndex::new(client, Segment::pack(nodes)));
    }
    index
}
