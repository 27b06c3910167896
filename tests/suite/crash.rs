//! A power cut at every single write. What SQLite does to the vault and its
//! journal is taped while a story of edits, moves, deletions, restores and member
//! changes runs; then the disk as it may be found is laid out anew for every
//! place of the tape, with the writes that were not synced yet kept, lost, mixed
//! or torn. Each of these disks opens as exactly the last committed state.

use std::collections::HashSet;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use poterne::app::App;
use poterne::app::api::{At, AttachmentBytes, Factors, Justification, Patch, Reply, Request, Set};
use poterne::model::member::Role;
use poterne::secret::{SecretBytes, SecretText};
use poterne::store::sqlite::SqliteStore;
use rusqlite::{Connection, ffi};
use sha2::{Digest, Sha256};

use crate::kill::seeded;
use crate::kit::{Desk, Phone, in_memory, login};
use crate::kit_rows::{open_by_kit, read_all};

/// Tells this module's children that they are meant; absent in an ordinary run.
pub const CHILD: &str = "POTERNE_TEST_CRASH_CHILD";
pub const VAULT: usize = 0;
const JOURNAL: usize = 1;

/// One change of one of the two files.
#[derive(Clone)]
pub enum Act {
    Create,
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
    Sync,
    Delete { synced: bool },
}

/// What was done to the file at `path` and its journal, in order.
struct Tape {
    path: PathBuf,
    acts: Vec<(usize, Act)>,
}

static TAPE: Mutex<Option<Tape>> = Mutex::new(None);

/// Places of the tape where a transaction was complete: its journal is gone.
pub fn is_commit((file, act): &(usize, Act)) -> bool {
    *file == JOURNAL && matches!(act, Act::Delete { .. })
}

fn tape<T>(look: impl FnOnce(&mut Tape) -> T) -> Option<T> {
    TAPE.lock().expect("no test panicked with it").as_mut().map(look)
}

/// Two files as a disk holds them; `None` is no such file.
pub type Files = [Option<Vec<u8>>; 2];

pub fn apply(files: &mut Files, file: usize, act: &Act) {
    match act {
        Act::Create => {
            files[file].get_or_insert_default();
        }
        Act::Write { at, bytes } => {
            let held = files[file].get_or_insert_default();
            held.resize(held.len().max(at + bytes.len()), 0);
            held[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Act::Truncate(len) => {
            files[file].get_or_insert_default().resize(*len, 0);
        }
        Act::Sync => {}
        Act::Delete { .. } => files[file] = None,
    }
}

/// A disk with a cache that may be lost.
pub struct Disk {
    safe: Files,
    unsafe_yet: Vec<(usize, Act)>,
}

impl Disk {
    /// With nothing in its cache.
    pub fn new(safe: Files) -> Self {
        Self { safe, unsafe_yet: Vec::new() }
    }

    pub fn done(&mut self, file: usize, act: &Act) {
        match act {
            Act::Sync | Act::Delete { synced: true } => {
                let (now, later) =
                    std::mem::take(&mut self.unsafe_yet).into_iter().partition(|(f, _)| *f == file);
                self.unsafe_yet = later;
                let now: Vec<(usize, Act)> = now;
                for (file, act) in now.iter().chain([&(file, act.clone())]) {
                    apply(&mut self.safe, *file, act);
                }
            }
            _ => self.unsafe_yet.push((file, act.clone())),
        }
    }

    /// The disks that may be found after the power failed now.
    pub fn found(&self, seed: &mut u64) -> Vec<Files> {
        let with = |keep: &mut dyn FnMut(usize) -> bool, torn: bool| {
            let mut files = self.safe.clone();
            for (n, (file, act)) in self.unsafe_yet.iter().enumerate() {
                if !keep(n) {
                    continue;
                }
                match act {
                    Act::Write { at, bytes } if torn && n + 1 == self.unsafe_yet.len() => {
                        let half = if bytes.len() > 512 { 512 } else { bytes.len() / 2 };
                        let bytes = bytes[..half].to_vec();
                        apply(&mut files, *file, &Act::Write { at: *at, bytes });
                    }
                    act => apply(&mut files, *file, act),
                }
            }
            files
        };
        let mut some = |_| seeded(seed).is_multiple_of(2);
        vec![with(&mut |_| true, false), with(&mut |_| false, false), with(&mut some, true)]
    }
}

/// Lays the disk out as files and returns where the vault is.
pub fn lay_out(folder: &Path, files: &Files) -> PathBuf {
    let vault = folder.join("coffre.poterne");
    let journal = folder.join("coffre.poterne-journal");
    for (path, bytes) in [(&vault, &files[VAULT]), (&journal, &files[JOURNAL])] {
        match bytes {
            Some(bytes) => std::fs::write(path, bytes).expect("writes"),
            None => {
                let _ = std::fs::remove_file(path);
            }
        }
    }
    vault
}

/// Longest transaction that is cut at every single write.
const SHORT: usize = 400;

/// Where the power is cut: before every act of every transaction, but in those
/// that write the whole file anew (thousands of pages, one like the other) only
/// near their beginning, their end and each sync, and at every 997th act.
fn places(acts: &[(usize, Act)]) -> Vec<bool> {
    let mut out = vec![true; acts.len() + 1];
    let mut first = 0;
    for (n, act) in acts.iter().enumerate() {
        if !is_commit(act) {
            continue;
        }
        let long = n - first > SHORT;
        let special = |at: usize| {
            let near = &acts[at.saturating_sub(1).max(first)..(at + 2).min(n)];
            near.iter().any(|(_, act)| !matches!(act, Act::Write { .. }))
        };
        for at in (first..n).filter(|_| long) {
            out[at] = at < first + 12 || at + 12 > n || at % 997 == 0 || special(at);
        }
        first = n + 1;
    }
    out
}

/// Calls `each` with every disk that may be found along the tape, the number of
/// commits that were complete by then, and the place.
fn cut_everywhere(base: Files, acts: &[(usize, Act)], mut each: impl FnMut(&Files, usize, usize)) {
    let mut disk = Disk::new(base);
    let (mut seed, mut commits, mut seen) = (4, 0_usize, HashSet::new());
    let places = places(acts);
    for place in 0..=acts.len() {
        let found = if places[place] { disk.found(&mut seed) } else { Vec::new() };
        for files in found {
            let mut hash = Sha256::new().chain_update(commits.to_be_bytes());
            for bytes in &files {
                hash.update(bytes.as_ref().map_or(u64::MAX, |b| b.len() as u64).to_be_bytes());
                hash.update(bytes.as_deref().unwrap_or_default());
            }
            if seen.insert(hash.finalize()) {
                each(&files, commits, place);
            }
        }
        if let Some((file, act)) = acts.get(place) {
            disk.done(*file, act);
            commits += usize::from(is_commit(&acts[place]));
        }
    }
}

pub fn in_child(test: &str) {
    let dir = tempfile::tempdir().expect("a folder");
    let out = Command::new(std::env::current_exe().expect("this binary"))
        .args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .env("XDG_STATE_HOME", dir.path().join("state"))
        .output()
        .expect("one more process");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(out.status.success(), "{}{}", said(&out.stdout), said(&out.stderr));
    assert!(said(&out.stdout).contains("looked at"), "the child did nothing");
}

#[test]
fn a_power_cut_at_any_write_leaves_the_last_committed_vault() {
    in_child("crash::power_is_cut_at_every_write");
}

#[test]
fn the_cuts_catch_a_database_that_does_not_sync() {
    in_child("crash::a_database_without_sync_is_torn");
}

/// The story: every act is committed when it returns.
fn acts() -> Vec<Request> {
    let at = |path: &str| At::Path(path.into());
    let mv = |from: &str, to: &str| Request::Move {
        at: at(from),
        to: to.into(),
        just: Justification::default(),
    };
    let edit = |path: &str, patch| Request::Edit {
        at: at(path),
        expected_ver: None,
        patch: Box::new(patch),
    };
    let mut attached = Patch { host: Set::To("h2".into()), ..Patch::default() };
    let bytes = AttachmentBytes(SecretBytes::copy_of(&[7; 9000]));
    attached.attachments.insert("plan".into(), Some(bytes));
    let invite = |name: &str, role| Request::Invite {
        name: name.into(),
        role,
        all_clients: false,
        clients: Vec::new(),
        // The desk proves who it is.
        current: Factors { password: SecretText::copy_of(""), code: SecretText::copy_of("") },
    };
    vec![
        edit("Dupont/e0", login("h", "u", "second")),
        edit("Dupont/e0", attached),
        mv("Dupont/e1", "Dupont/f"),
        mv("Dupont/f", "Martin"),
        Request::Remove { at: at("Dupont/e2"), forever: false },
        Request::Restore { at: at("Dupont/e2"), version: None },
        Request::Restore { at: at("Dupont/e0"), version: Some(1) },
        invite("bob", Role::Technician),
        invite("carl", Role::Operator),
        Request::ChangeMember {
            name: "bob".into(),
            role: Role::Auditor,
            all_clients: true,
            clients: Vec::new(),
        },
        Request::RemoveMember { name: "bob".into() },
        Request::RemoveMember { name: "dora".into() },
        Request::Remove { at: at("Martin/f"), forever: false },
        Request::Remove { at: at("Martin/f"), forever: true },
        Request::Remove { at: at("Martin"), forever: false },
        Request::Remove { at: at("Martin"), forever: true },
    ]
}

#[test]
#[ignore = "part of the test above, which starts it as a child"]
fn power_is_cut_at_every_write() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let mut desk = Desk::open();
    for client in ["Dupont", "Martin"] {
        desk.add("client", client, Patch::default());
        for n in 0..3 {
            desk.add("ssh", &format!("{client}/e{n}"), login("h", "u", "first"));
        }
    }
    desk.add("folder", "Dupont/f", Patch::default());
    // Somebody who has accepted and holds keys.
    let code = desk.invite("dora", Role::Technician, true, &[]);
    let mut new = App::new(desk.file.clone())
        .accept_invitation(code, SecretText::copy_of("le mot du nouveau"), false)
        .unwrap_or_else(|e| panic!("{}", e.what.en));
    let phone = new.otpauth_uri().expose(Phone::of_uri);
    new.check_code(&phone.peek()).expect("proves the phone");
    new.finish().map(drop).unwrap_or_else(|e| panic!("{}", e.what.en));
    let file = desk.file.clone();
    desk.call(Request::Lock);
    // Opened again by the taping file system.
    tape_from(&file);
    let base = [Some(std::fs::read(&file).expect("reads")), None];
    desk.unlock().unwrap_or_else(|e| panic!("{}", e.what.en));
    let count = || tape(|t| t.acts.iter().filter(|a| is_commit(a)).count()).expect("it runs");
    let mut before = count();
    for request in acts() {
        match request {
            Request::Invite { name, role, .. } => {
                drop(desk.invite(&name, role, false, &["Dupont"]))
            }
            request => drop(desk.call(request)),
        }
        let now = count();
        assert!(now > before, "it said done before anything was committed");
        let open = tape(|t| t.acts.iter().rev().find(|(f, _)| *f == JOURNAL).map(is_commit));
        assert_eq!(open, Some(Some(true)), "it said done with a commit in the air");
        before = now;
    }
    desk.call(Request::Lock);
    let acts = untape();

    let images = in_memory();
    let state = |files: &Files| {
        let vault = lay_out(images.path(), files);
        let (store, v) = open_by_kit(&vault, &desk.kit).map_err(|e| format!("{e:?}"))?;
        let all = read_all(&store, &v).map_err(|e| format!("{e:?}"))?;
        store.integrity_check().map_err(|e| format!("{e:?}"))?;
        Ok::<_, String>(all)
    };
    // What each commit made of the vault, on a disk that loses nothing.
    let mut files: Files = base.clone();
    let mut committed = vec![state(&files).expect("the beginning opens")];
    let mut bytes = vec![files[VAULT].clone()];
    for act in &acts {
        apply(&mut files, act.0, &act.1);
        if is_commit(act) {
            committed.push(state(&files).expect("a committed state opens"));
            bytes.push(files[VAULT].clone());
        }
    }
    // All but the vacuum after a removal make a difference that is seen.
    let seen = committed.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(seen + 2 >= committed.len() - 1, "{seen} of {} commits", committed.len() - 1);

    let (mut looked, mut read, mut checked) = (0, 0, usize::MAX);
    cut_everywhere(base, &acts, |files, commits, place| {
        // What opens as the very bytes of the committed file need not be read.
        let vault = lay_out(images.path(), files);
        let opened = SqliteStore::open(&vault, false);
        drop(opened.unwrap_or_else(|e| panic!("cut before act {place}: {e}")));
        if std::fs::read(&vault).ok() != bytes[commits] {
            let found = state(files).unwrap_or_else(|e| panic!("cut before act {place}: {e}"));
            assert!(found == committed[commits], "cut before act {place}: not commit {commits}");
            read += 1;
        }
        looked += 1;
        // The application's own check, once for every commit that was cut in its
        // middle: key stretching is slow.
        if files[JOURNAL].as_ref().is_some_and(|j| j.len() > 4096) && checked != commits {
            checked = commits;
            let app = App::new(lay_out(images.path(), files));
            let mut options = desk.options_with(desk.phone.peek());
            options.accept_older = true;
            app.unlock(options).unwrap_or_else(|e| panic!("cut {place}: {}", e.what.en));
            let Ok(Reply::Checked(report)) = app.call(Request::Check) else { panic!("checked") };
            assert_eq!(report.faults, [], "cut before act {place}");
            app.call(Request::Lock).map(drop).unwrap_or_else(|e| panic!("{}", e.what.en));
        }
    });
    println!("\nlooked at {looked} disks, read {read}");
    assert!(looked > 1000);
}

#[test]
#[ignore = "part of the test above, which starts it as a child"]
fn a_database_without_sync_is_torn() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let mut torn = Vec::new();
    for (mode, synchronous) in [("DELETE", "OFF"), ("DELETE", "EXTRA")] {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("coffre.poterne");
        tape_from(&file);
        let db = Connection::open(&file).expect("opens");
        let pragmas = format!("pragma journal_mode={mode}; pragma synchronous={synchronous};");
        db.execute_batch(&pragmas).expect("is set");
        db.execute_batch("create table t(k, v); begin").expect("is made");
        for n in 0..400 {
            db.execute("insert into t values (?1, zeroblob(500))", [n]).expect("is kept");
        }
        db.execute_batch("commit").expect("is kept");
        // Two pages far from each other that must change together.
        for _ in 0..3 {
            db.execute_batch("update t set v = randomblob(500) where k in (3, 390)").expect("kept");
        }
        drop(db);
        let acts = untape();
        let images = in_memory();
        let mut bad = 0;
        let mut sums = HashSet::new();
        cut_everywhere([Some(Vec::new()), None], &acts, |files, commits, _| {
            let Ok(db) = Connection::open(lay_out(images.path(), files)) else { return };
            let whole: Result<String, _> =
                db.query_row("pragma integrity_check(1)", [], |r| r.get(0));
            let sum: Result<Vec<u8>, _> =
                db.query_row("select v from t where k = 3", [], |r| r.get(0));
            let other: Result<Vec<u8>, _> =
                db.query_row("select v from t where k = 390", [], |r| r.get(0));
            sums.insert((commits, sum.ok(), other.ok()));
            bad += usize::from(whole.as_deref() != Ok("ok"));
        });
        // More states than there were commits: some were torn.
        let states = sums.len();
        let commits = acts.iter().filter(|a| is_commit(a)).count();
        println!("\nlooked at {states} states of {commits} commits, {bad} broken: {synchronous}");
        torn.push(bad > 0 || states > commits + 1);
    }
    assert_eq!(torn, [true, false], "without sync something is torn, with it nothing");
}

// The file system that tapes. It stands before SQLite's own one.

#[repr(C)]
struct Taped {
    head: ffi::sqlite3_file,
    /// [`VAULT`], [`JOURNAL`], or neither.
    which: usize,
}

/// Where SQLite's own file begins behind ours.
const HEAD: usize = size_of::<Taped>().next_multiple_of(16);

struct Vfs(*mut ffi::sqlite3_vfs);
// SAFETY: SQLite itself shares it between threads; it is never changed.
unsafe impl Send for Vfs {}
// SAFETY: as above.
unsafe impl Sync for Vfs {}

static REAL: OnceLock<Vfs> = OnceLock::new();

/// Tapes what is done to the file at `path` from now on.
pub fn tape_from(path: &Path) {
    *TAPE.lock().expect("ours") = Some(Tape { path: path.to_owned(), acts: Vec::new() });
    REAL.get_or_init(|| {
        // SAFETY: the default file system lives for ever; ours is a copy of it
        // that is leaked, with three functions and a larger file of its own.
        unsafe {
            let real = ffi::sqlite3_vfs_find(std::ptr::null());
            let mut ours = Box::new(*real);
            ours.zName = c"tape".as_ptr();
            ours.szOsFile = HEAD as c_int + (*real).szOsFile;
            ours.xOpen = Some(open);
            ours.xDelete = Some(delete);
            assert_eq!(ffi::sqlite3_vfs_register(Box::into_raw(ours), 1), ffi::SQLITE_OK);
            Vfs(real)
        }
    });
}

/// What was taped; nothing more is.
pub fn untape() -> Vec<(usize, Act)> {
    TAPE.lock().expect("ours").take().expect("taped").acts
}

fn real_vfs() -> *mut ffi::sqlite3_vfs {
    REAL.get().expect("set before any file is opened").0
}

fn which(name: *const c_char) -> Option<usize> {
    if name.is_null() {
        return None;
    }
    // SAFETY: SQLite hands over names that end.
    let name = unsafe { CStr::from_ptr(name) }.to_str().expect("UTF-8");
    tape(|t| {
        let path = t.path.to_str().expect("UTF-8");
        let rest = name.strip_prefix(path)?;
        match rest {
            "" => Some(VAULT),
            "-journal" => Some(JOURNAL),
            copy if copy.starts_with(".backups/") => None,
            other => panic!("SQLite wrote to {other}, which is not taped"),
        }
    })
    .flatten()
}

fn note(which: usize, act: Act) {
    tape(|t| t.acts.push((which, act)));
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let ours = file.cast::<Taped>();
    // SAFETY: SQLite gives szOsFile bytes, which is both files in a row.
    unsafe {
        let rc = (*real_vfs()).xOpen.expect("it has one")(real_vfs(), name, real(file), flags, out);
        (*ours).which = which(name).unwrap_or(usize::MAX);
        let opened = !(*real(file)).pMethods.is_null();
        (*file).pMethods = if opened { &raw const METHODS } else { std::ptr::null() };
        if rc == ffi::SQLITE_OK && (*ours).which == JOURNAL && flags & ffi::SQLITE_OPEN_CREATE != 0
        {
            note(JOURNAL, Act::Create);
        }
        rc
    }
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: the name is handed on.
    let rc = unsafe { (*real_vfs()).xDelete.expect("it has one")(real_vfs(), name, sync) };
    if rc == ffi::SQLITE_OK
        && let Some(which) = which(name)
    {
        note(which, Act::Delete { synced: sync != 0 });
    }
    rc
}

fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    file.wrapping_byte_add(HEAD)
}

/// Hands a call on to SQLite's own file.
macro_rules! on {
    ($file:ident . $call:ident ( $($arg:expr),* )) => {
        // SAFETY: the real file was opened with ours and lives as long.
        unsafe { (*(*real($file)).pMethods).$call.expect("it has one")(real($file), $($arg),*) }
    };
}

fn noted(file: *mut ffi::sqlite3_file, rc: c_int, act: impl FnOnce() -> Act) -> c_int {
    // SAFETY: SQLite calls with files that `open` made.
    let which = unsafe { (*file.cast::<Taped>()).which };
    if rc == ffi::SQLITE_OK && which <= JOURNAL {
        note(which, act());
    }
    rc
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    on!(file.xClose())
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    to: *mut c_void,
    len: c_int,
    at: i64,
) -> c_int {
    on!(file.xRead(to, len, at))
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    len: c_int,
    at: i64,
) -> c_int {
    let rc = on!(file.xWrite(from, len, at));
    noted(file, rc, || {
        // SAFETY: SQLite has just written these bytes.
        let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), len as usize) };
        Act::Write { at: at as usize, bytes: bytes.to_vec() }
    })
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: i64) -> c_int {
    let rc = on!(file.xTruncate(len));
    noted(file, rc, || Act::Truncate(len as usize))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let rc = on!(file.xSync(flags));
    noted(file, rc, || Act::Sync)
}

unsafe extern "C" fn size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    on!(file.xFileSize(out))
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    on!(file.xLock(level))
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    on!(file.xUnlock(level))
}

unsafe extern "C" fn reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    on!(file.xCheckReservedLock(out))
}

unsafe extern "C" fn control(file: *mut ffi::sqlite3_file, op: c_int, arg: *mut c_void) -> c_int {
    on!(file.xFileControl(op, arg))
}

unsafe extern "C" fn sector(file: *mut ffi::sqlite3_file) -> c_int {
    on!(file.xSectorSize())
}

unsafe extern "C" fn traits(file: *mut ffi::sqlite3_file) -> c_int {
    on!(file.xDeviceCharacteristics())
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // The first version: no shared memory and no mapping, which a vault never uses.
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector),
    xDeviceCharacteristics: Some(traits),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};
