//! One vault of a given size: unlock to a searchable list, memory, one saved
//! edit, one entry shown, searches.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use poterne::app::api::{At, Item, Patch, Reply, Request, Set};
use poterne::app::{App, time_stretched};
use poterne::model::entry::Summary;
use poterne::model::id::EntryId;
use poterne::vault::index::segment::Segment;
use poterne::vault::index::{ClientIndex, Index, search};

use crate::meter::{line, median, processor, resident, short, time, title, took, written};
use crate::trial::Trial;

fn ask(app: &App, request: Request) -> Reply {
    app.call(request).unwrap_or_else(|e| panic!("{} {}", e.what.en, e.todo.en))
}

fn items(app: &App, request: Request) -> Vec<Item> {
    match ask(app, request) {
        Reply::Items(items) => items,
        _ => panic!("a list was asked for"),
    }
}

/// Unlock to a searchable list, and the memory of it.
pub fn list(folder: &Path, size: u32) -> (Trial, App) {
    title(&format!("A vault of {size} entries"));
    let mut trial = Trial::of(folder, size);
    let bytes = std::fs::metadata(&trial.file).expect("is there").len();
    line("file", &format!("{:.1} MB", bytes as f64 / 1e6), "");

    let app = App::new(trial.file.clone());
    let before = resident();
    // The code stays good when the vault is opened for reading only.
    while trial.open(&app, true).is_err() {
        trial.pass_over();
    }
    let grown = resident().saturating_sub(before);
    line("memory of the open index", &format!("{} B", grown / u64::from(size)), "per entry");
    let mut used = Vec::new();
    let list = median(15, || {
        ask(&app, Request::Lock);
        let (before, stretched) = (processor(), time_stretched());
        let whole = time(|| trial.open(&app, true).expect("opens"));
        used.push(processor() - before);
        whole.saturating_sub(time_stretched() - stretched)
    });
    used.sort();
    let used = format!("without the key stretching; with it {} of processor", short(used[7]));
    took("factors checked to searchable list", list, &used);
    ask(&app, Request::Lock);
    (trial, app)
}

pub fn run(folder: &Path, size: u32) {
    let (mut trial, app) = list(folder, size);
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
    // Others are not in any cache yet: of this machine's work, not of the vault's size.
    let at = || At::Id(targets[0].summary.id);
    let again = median(101, || time(|| ask(app, Request::Show { at: at() })));
    took("the same entry shown again", again, "");
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
