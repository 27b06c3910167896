//! The embedded store: one SQLite file, one writer at a time, every save one
//! transaction. It never opens a seal and never decides what a row means.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::StepResult;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use crate::vault::rows::{FORMAT, StoreError, Stored};

/// `PTRN`, at offset 68 of the file.
pub const APPLICATION_ID: i32 = 0x5054_524E;

/// How long a writer waits for another one.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Numbered, append-only: entry `n` brings `user_version` from `n` to `n + 1`.
const MIGRATIONS: &[&str] = &[include_str!("schema/0001_init.sql")];

/// Bytes of a page. One saved edit touches about eight pages, each written to the
/// journal and to the file; small ones keep that under 64 KiB.
const PAGE_SIZE: u32 = 2048;

/// Pages that a backup copies before it looks whether it is still wanted.
const COPIED_AT_ONCE: i32 = 4096;

/// An open vault file.
pub struct SqliteStore {
    pub(super) db: Connection,
    file: PathBuf,
    read_only: bool,
    /// Which file it is, for the system; a name may come to mean another one.
    identity: Option<(u64, u64)>,
    replaced: Cell<bool>,
    /// It went on after its end when it was opened.
    overlong: bool,
    /// What lay there may still be there.
    unpacked: bool,
}

impl SqliteStore {
    /// Makes a new file with an empty schema, readable by its owner only.
    ///
    /// # Errors
    /// [`StoreError::Exists`], or the folder cannot be written.
    pub fn create(file: &Path) -> Stored<Self> {
        match File::options().write(true).create_new(true).open(file) {
            Ok(made) => {
                owner_only(&made);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(StoreError::Exists);
            }
            Err(e) => return Err(io(&e)),
        }
        let made = Self::begin_new(file);
        if made.is_err() {
            // Nothing half-made stays behind.
            let _ = std::fs::remove_file(file);
        }
        made
    }

    fn begin_new(file: &Path) -> Stored<Self> {
        let db = Connection::open_with_flags(file, flags(false)).map_err(from_sqlite)?;
        db.pragma_update(None, "page_size", PAGE_SIZE).map_err(from_sqlite)?;
        db.pragma_update(None, "application_id", APPLICATION_ID).map_err(from_sqlite)?;
        let mut store = Self::of(db, file, false);
        store.configure()?;
        store.migrate(0)?;
        Ok(store)
    }

    fn of(db: Connection, file: &Path, read_only: bool) -> Self {
        let file = file.to_owned();
        let identity = identity(&file).ok().flatten();
        Self {
            db,
            file,
            read_only,
            identity,
            replaced: Cell::new(false),
            overlong: false,
            unpacked: false,
        }
    }

    /// Opens an existing file.
    ///
    /// # Errors
    /// Missing, foreign, newer, truncated, or not writable (unless `read_only`).
    pub fn open(file: &Path, read_only: bool) -> Stored<Self> {
        let Header { version, overlong } = inspect(file)?;
        if !read_only {
            writable(file)?;
        }
        let db = Connection::open_with_flags(file, flags(read_only)).map_err(from_sqlite)?;
        let mut store = Self::of(db, file, read_only);
        (store.overlong, store.unpacked) = (overlong, overlong);
        store.configure()?;
        if version <= FORMAT {
            store.same_schema(version)?;
        }
        store.same_version(version)?;
        if version < FORMAT {
            if read_only {
                return Err(StoreError::ReadOnly("an older format must be migrated first".into()));
            }
            store.migrate(version)?;
        }
        Ok(store)
    }

    /// Everything in the file is what the migrations made, and nothing besides: no
    /// trigger that undoes what is written, no view in the place of a table.
    fn same_schema(&self, version: u32) -> Stored<()> {
        let changed = || StoreError::Corrupt("its tables were changed".into());
        let found = parts(&self.db).map_err(|e| match from_sqlite(e) {
            StoreError::Corrupt(_) => changed(),
            other => other,
        })?;
        if version == 0 {
            let why = if found.is_empty() { "its first row is missing" } else { CHANGED_HEADER };
            return Err(StoreError::Corrupt(why.into()));
        }
        let made = Connection::open_in_memory().map_err(from_sqlite)?;
        for sql in &MIGRATIONS[..version as usize] {
            made.execute_batch(sql).map_err(from_sqlite)?;
        }
        let same = parts(&made).map_err(from_sqlite)? == found;
        same.then_some(()).ok_or_else(changed)
    }

    /// The header's version stands a second time in the vault's first row: where
    /// the two differ, one was changed behind the program's back.
    fn same_version(&self, version: u32) -> Stored<()> {
        let row: Option<u32> = self
            .db
            .query_row("select format from vault where one = 1", [], |r| r.get(0))
            .optional()
            .map_err(from_sqlite)?;
        match row {
            Some(row) if row == version && version > FORMAT => Err(StoreError::Newer(version)),
            Some(row) if row == version => Ok(()),
            Some(_) => Err(StoreError::Corrupt(CHANGED_HEADER.into())),
            // Made, and ended before its first commit.
            None => Err(StoreError::Corrupt("its first row is missing".into())),
        }
    }

    /// Where the file is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether it was found to be another file than the one at its place.
    pub fn was_replaced(&self) -> bool {
        self.replaced.get()
    }

    /// Who reads or writes on would do so in a file that nobody finds any more.
    fn in_place(&self) -> Stored<()> {
        still_there(&self.file, self.identity, &self.replaced)
    }

    /// Whether anything lies behind the last page that counts, or did when the file
    /// was opened.
    pub fn goes_on_after_its_end(&self) -> bool {
        self.overlong
            || match inspect(&self.file) {
                Ok(head) => head.overlong,
                Err(e) => e == StoreError::Corrupt(TOO_LONG.into()),
            }
    }

    /// True when opened for reading only.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn configure(&self) -> Stored<()> {
        let db = &self.db;
        db.busy_timeout(BUSY_WAIT).map_err(from_sqlite)?;
        // A vault has neither triggers nor views; who adds one must not be obeyed.
        for (what, on) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        ] {
            db.set_db_config(what, on).map_err(from_sqlite)?;
        }
        if !self.read_only {
            // DELETE + EXTRA: one file that can be copied and shared, and the
            // directory is synced after each commit (VAULT.md section F).
            db.pragma_update(None, "journal_mode", "DELETE").map_err(from_sqlite)?;
            db.pragma_update(None, "synchronous", "EXTRA").map_err(from_sqlite)?;
            db.pragma_update(None, "secure_delete", "ON").map_err(from_sqlite)?;
        }
        for (name, value) in [
            ("fullfsync", 1),
            ("checkpoint_fullfsync", 1),
            ("trusted_schema", 0),
            ("cell_size_check", 1),
            ("mmap_size", 0),
            ("temp_store", 2),
            ("cache_size", -4096),
        ] {
            db.pragma_update(None, name, value).map_err(from_sqlite)?;
        }
        Ok(())
    }

    fn migrate(&mut self, from: u32) -> Stored<()> {
        for (n, sql) in MIGRATIONS.iter().enumerate().skip(from as usize) {
            let tx = self
                .db
                .transaction_with_behavior(TransactionBehavior::Exclusive)
                .map_err(from_sqlite)?;
            tx.execute_batch(sql).map_err(from_sqlite)?;
            tx.pragma_update(None, "user_version", n as u32 + 1).map_err(from_sqlite)?;
            tx.commit().map_err(from_sqlite)?;
        }
        Ok(())
    }

    /// Runs `work` in one transaction that holds the write lock from its start:
    /// either all of it is stored, or nothing.
    ///
    /// # Errors
    /// Whatever `work` returns, or the store's own error; nothing is stored then.
    pub fn write<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&SqliteRows<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.read_only {
            return Err(StoreError::ReadOnly("it was opened for reading only".into()).into());
        }
        self.in_place()?;
        if std::mem::take(&mut self.unpacked) {
            // It is whole all the same, and the next one tries again.
            let _ = self.vacuum();
        }
        let tx = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| E::from(from_sqlite(e)))?;
        let out = work(&SqliteRows { db: &tx })?;
        // Another file may have taken its place while this one waited for its turn.
        // Whoever puts one there holds the lock that is held here.
        still_there(&self.file, self.identity, &self.replaced)?;
        tx.commit().map_err(|e| E::from(from_sqlite(e)))?;
        Ok(out)
    }

    /// Runs `work` on one consistent view of the rows.
    ///
    /// # Errors
    /// Whatever `work` returns, or the store's own error.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&SqliteRows<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.in_place()?;
        let tx = self.db.unchecked_transaction().map_err(|e| E::from(from_sqlite(e)))?;
        work(&SqliteRows { db: &tx })
    }

    /// A number that is another one once another process has written to the file.
    ///
    /// # Errors
    /// Busy, or the file is gone.
    pub fn data_version(&self) -> Stored<i64> {
        self.db.query_row("pragma data_version", [], |r| r.get(0)).map_err(from_sqlite)
    }

    /// Copies the whole file page by page into `to`, which must not exist, and
    /// syncs it. The copy is as sealed as the original. False, and nothing there,
    /// when `go_on` said so on the way.
    ///
    /// # Errors
    /// The place exists or cannot be written, or the disk is full.
    pub fn copy_to(&self, to: &Path, go_on: &dyn Fn() -> bool) -> Stored<bool> {
        let made = File::options().write(true).create_new(true).open(to).map_err(|e| {
            if e.kind() == std::io::ErrorKind::AlreadyExists { StoreError::Exists } else { io(&e) }
        })?;
        owner_only(&made);
        drop(made);
        let copied = (|| {
            let mut target = Connection::open(to).map_err(from_sqlite)?;
            let backup =
                rusqlite::backup::Backup::new(&self.db, &mut target).map_err(from_sqlite)?;
            loop {
                match backup.step(COPIED_AT_ONCE).map_err(from_sqlite)? {
                    StepResult::Done => break,
                    _ if !go_on() => return Ok(false),
                    StepResult::More => {}
                    // Another process commits; it is done in a moment.
                    _ => std::thread::sleep(Duration::from_millis(10)),
                }
            }
            drop(backup);
            target.close().map_err(|(_, e)| from_sqlite(e))?;
            File::open(to).and_then(|f| f.sync_all()).map_err(|e| io(&e))?;
            Ok(true)
        })();
        if !matches!(copied, Ok(true)) {
            let _ = std::fs::remove_file(to);
        }
        copied
    }

    /// SQLite's own structural check.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with SQLite's words.
    pub fn integrity_check(&self) -> Stored<()> {
        let word: String = self
            .db
            .query_row("pragma integrity_check(1)", [], |r| r.get(0))
            .map_err(from_sqlite)?;
        if word == "ok" { Ok(()) } else { Err(StoreError::Corrupt(word)) }
    }

    /// Rewrites the file so that no deleted row is left in it.
    ///
    /// # Errors
    /// Busy, full, or not writable.
    pub fn vacuum(&self) -> Stored<()> {
        self.db.execute_batch("vacuum").map_err(from_sqlite)
    }
}

fn still_there(file: &Path, known: Option<(u64, u64)>, replaced: &Cell<bool>) -> Stored<()> {
    let moved = match identity(file) {
        Ok(now) => now != known,
        Err(e) => e.kind() == std::io::ErrorKind::NotFound,
    };
    replaced.set(replaced.get() || moved);
    if replaced.get() { Err(StoreError::Replaced) } else { Ok(()) }
}

/// The rows of one transaction.
pub struct SqliteRows<'a> {
    pub(super) db: &'a Connection,
}

/// What a file consists of: kind, name, table and words of each part, apart from
/// the spaces between the words.
fn parts(db: &Connection) -> rusqlite::Result<BTreeSet<[String; 4]>> {
    let mut all =
        db.prepare("select type, name, tbl_name, coalesce(sql, '') from sqlite_schema")?;
    let parts = all.query_map([], |r| {
        let sql: String = r.get(3)?;
        let words: Vec<&str> = sql.split_whitespace().collect();
        Ok([r.get(0)?, r.get(1)?, r.get(2)?, words.join(" ")])
    })?;
    parts.collect()
}

fn flags(read_only: bool) -> OpenFlags {
    let mode = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE
    };
    mode | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE
}

/// First bytes of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Words of the schema that stand in the first pages of every vault, and in no
/// other file: they tell a damaged vault from a file of another kind.
const OURS: &[u8] = b"audit_pk blob not null, pending_pk blob not null";
/// How far into a file those words are looked for.
const OURS_WITHIN: u64 = 64 * 1024;
/// Header fields that no vault ever has otherwise, by offset (SQLite file
/// format, section 1.3): journal mode, fractions, schema format,
/// cache size, no vacuuming, UTF-8, and what is reserved.
const FIXED: &[(usize, &[u8])] = &[
    (18, &[1, 1, 0, 64, 32, 32]),
    (44, &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    (64, &[0, 0, 0, 0]),
    (72, &[0; 20]),
];
/// Sizes of a page that vaults have or had.
const PAGE_SIZES: [u32; 2] = [PAGE_SIZE, 4096];
/// How often a file that changes while it is looked at is looked at.
const LOOKS: u32 = 5;

/// What the first bytes of a vault file say.
struct Header {
    /// `user_version`.
    version: u32,
    /// Pages lie behind the last one that counts. SQLite cuts them off after a
    /// vacuum's commit: a power cut may come between the two.
    overlong: bool,
}

/// Reads the 100-byte file header (SQLite file format, section 1.3) before
/// SQLite does: a file of another kind is foreign; one of ours whose header is
/// not as it was written is corrupt.
fn inspect(file: &Path) -> Stored<Header> {
    let mut left = LOOKS;
    loop {
        left -= 1;
        match look(file) {
            // Another process may have committed between two reads of this one.
            Err(StoreError::Corrupt(_)) if left > 0 && has_journal(file) => {}
            Err(StoreError::Corrupt(why)) if left > 0 && [CUT_OFF, TOO_LONG].contains(&&*why) => {}
            done => return done,
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

const CUT_OFF: &str = "it is cut off";
const TOO_LONG: &str = "it goes on after its end";
const CHANGED_HEADER: &str = "its header was changed: another format";

fn look(file: &Path) -> Stored<Header> {
    let missing = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::NotFound => StoreError::Missing,
        _ => io(&e),
    };
    // Looked at before it is opened: a pipe would have its reader wait for ever.
    if !std::fs::metadata(file).map_err(missing)?.is_file() {
        return Err(StoreError::NotAFile);
    }
    let mut f = File::open(file).map_err(missing)?;
    let mut head = [0u8; 100];
    let got = read_up_to(&mut f, &mut head).map_err(|e| io(&e))?;
    if got == 0 {
        return Err(StoreError::Corrupt("it is empty".into()));
    }
    let changed = || StoreError::Corrupt("its header was changed".into());
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    if got < 100 {
        return Err(match head[..got.min(16)] == MAGIC[..got.min(16)] {
            true => StoreError::Corrupt("it is cut off in its header".into()),
            false => StoreError::Foreign,
        });
    }
    if head[..16] != *MAGIC || word(68) != APPLICATION_ID as u32 {
        return Err(match has_our_schema(&mut f).map_err(|e| io(&e))? {
            true => changed(),
            false => StoreError::Foreign,
        });
    }
    let version = word(60);
    if version <= FORMAT && FIXED.iter().any(|(at, fixed)| head[*at..at + fixed.len()] != **fixed) {
        return Err(changed());
    }
    let page = word(16) >> 16;
    if version <= FORMAT && !PAGE_SIZES.contains(&page) {
        return Err(changed());
    }
    // After a crash in the middle of a commit the length is not yet what the header
    // says; the journal beside the file tells SQLite how to put that right.
    let mut overlong = false;
    if version <= FORMAT && !has_journal(file) {
        let pages = word(28);
        let len = f.metadata().map_err(|e| io(&e))?.len();
        let counted = u64::from(pages) * u64::from(page);
        if len < counted {
            return Err(StoreError::Corrupt(CUT_OFF.into()));
        }
        if !len.is_multiple_of(u64::from(page)) {
            return Err(StoreError::Corrupt(TOO_LONG.into()));
        }
        overlong = len > counted;
        if !free_pages_add_up(&mut f, page, word(32), word(36), pages).map_err(|e| io(&e))? {
            return Err(StoreError::Corrupt("its list of free pages does not add up".into()));
        }
    }
    Ok(Header { version, overlong })
}

/// Walks the list of free pages: a damaged one would have a page in use written over.
fn free_pages_add_up(
    f: &mut File,
    page: u32,
    first: u32,
    count: u32,
    pages: u32,
) -> std::io::Result<bool> {
    let (mut trunk, mut seen) = (first, 0u32);
    while trunk != 0 {
        if trunk > pages || seen > count {
            return Ok(false);
        }
        let mut head = [0u8; 8];
        f.seek(SeekFrom::Start(u64::from(trunk - 1) * u64::from(page)))?;
        f.read_exact(&mut head)?;
        let [next, leaves] = [0, 4]
            .map(|at| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
        seen = seen.saturating_add(1).saturating_add(leaves);
        trunk = next;
    }
    Ok(seen == count)
}

/// Whether the first pages hold the words of our schema.
fn has_our_schema(f: &mut File) -> std::io::Result<bool> {
    let mut begin = Vec::new();
    f.rewind()?;
    f.take(OURS_WITHIN).read_to_end(&mut begin)?;
    Ok(begin.windows(OURS.len()).any(|words| words == OURS))
}

/// True when a transaction was left unfinished beside the file.
fn has_journal(file: &Path) -> bool {
    let mut name = file.as_os_str().to_owned();
    name.push("-journal");
    std::fs::metadata(name).is_ok_and(|m| m.len() > 0)
}

fn read_up_to(f: &mut File, buf: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < buf.len() {
        match f.read(&mut buf[got..])? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

/// SQLite falls back to reading when it may not write; the product must not.
fn writable(file: &Path) -> Stored<()> {
    let refused = |e: std::io::Error| StoreError::ReadOnly(e.to_string());
    if std::fs::metadata(file).map_err(refused)?.permissions().readonly() {
        return Err(StoreError::ReadOnly("its permissions forbid writing".into()));
    }
    File::options().append(true).open(file).map_err(refused)?;
    // A commit needs a journal beside the file.
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if std::fs::metadata(folder).map_err(refused)?.permissions().readonly() {
        return Err(StoreError::ReadOnly("its folder's permissions forbid writing".into()));
    }
    Ok(())
}

/// Device and number of a file, where the system has them.
#[cfg(unix)]
fn identity(file: &Path) -> std::io::Result<Option<(u64, u64)>> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(file).map(|m| Some((m.dev(), m.ino())))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> std::io::Result<Option<(u64, u64)>> {
    Ok(None)
}

#[cfg(unix)]
fn owner_only(file: &File) {
    use std::os::unix::fs::PermissionsExt;
    // A file system without modes refuses; the content is sealed all the same.
    let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
}

#[cfg(not(unix))]
fn owner_only(_: &File) {}

fn io(e: &std::io::Error) -> StoreError {
    match e.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly(e.to_string())
        }
        _ => StoreError::Io(e.to_string()),
    }
}

pub(super) fn from_sqlite(e: rusqlite::Error) -> StoreError {
    match e.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::ReadOnly(e.to_string())
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt(e.to_string())
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory) => StoreError::Io(e.to_string()),
        // A table or column that is not as the schema made it. The words of the
        // request are nobody's business.
        _ if matches!(e, rusqlite::Error::SqlInputError { .. }) => {
            StoreError::Corrupt("its tables were changed".into())
        }
        _ => StoreError::Corrupt(e.to_string()),
    }
}
