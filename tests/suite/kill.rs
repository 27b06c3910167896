//! A process that is killed while it writes: whatever it had said to be saved is
//! in the file, and the file is whole. Two hundred times on one vault below the
//! application, and some more through the application itself.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use poterne::app::api::{At, Factors, Justification, Patch, Reply, Request, Set};
use poterne::app::{App, UnlockOptions};
use poterne::audit::line::Draft;
use poterne::model::audit_event::{Event, field};
use poterne::model::entry::{Entry, Kind, SecretRef, Slot, VersionRef};
use poterne::model::id::{CellId, EntryId};
use poterne::model::time::Time;
use poterne::secret::SecretText;
use poterne::vault::cell::Purpose;
use poterne::vault::rows::Rows;
use poterne::vault::unlocked::{Env, Unlocked, VaultError};

use crate::kit::{Desk, PASSWORD, login};
use crate::kit_rows::{audit, open_by_kit, read_all, sums};

/// Times the writer is killed below the application.
const ROUNDS: u32 = 200;
/// Vaults among which those kills are divided.
const AT_ONCE: u32 = 4;
/// Times it is killed in the application.
const APP_ROUNDS: u32 = 8;
/// Tells this module's child what file to write to; absent in an ordinary run.
const FILE: &str = "POTERNE_TEST_KILL_FILE";
const SAVED: &str = "saved ";

/// What the parent knows to be committed: by node, version and password.
type Known = BTreeMap<EntryId, Option<(u64, String)>>;

/// A child of this very binary that runs one hidden test.
fn child(test: &str, file: &Path, input: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FILE, file)
        .env("XDG_STATE_HOME", file.with_extension("state"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("one more process");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("the child reads");
    child
}

/// When the writer is killed: after so many acts that it said to be saved, and
/// then after so many turns of the parent; or, with `writing`, those turns after
/// the next journal is there, which is while an act is written.
struct Moment {
    acts: u32,
    writing: bool,
    turns: u64,
}

impl Moment {
    fn of(round: u32, seed: &mut u64) -> Self {
        let writing = round.is_multiple_of(2);
        let acts = (seeded(seed) % 5) as u32;
        let turns = seeded(seed) % if writing { 2_000 } else { 300_000 };
        Self { acts, writing, turns }
    }
}

/// What a kill found.
#[derive(Default)]
struct Killed {
    /// Acts that the writer had said to be saved.
    acts: u32,
    /// Kills that left a journal: an act was written, and not committed.
    journals: u32,
    /// Acts that were committed and not said yet.
    unsaid: u32,
}

/// The journal that SQLite keeps while it writes to the vault.
fn journal(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-journal");
    PathBuf::from(name)
}

/// Reads what the child says, kills it at that moment, and reads the rest.
fn kill_amid(
    mut child: Child,
    file: &Path,
    moment: &Moment,
    killed: &mut Killed,
    mut each: impl FnMut(&str),
) {
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut acts = 0;
    let mut note = |line: &str| {
        // A line cut short was not said.
        let said = line.strip_suffix('\n').and_then(|line| line.split_once(SAVED));
        if let Some((_, word)) = said {
            each(word);
            acts += 1;
        }
        acts
    };
    let mut line = String::new();
    let mut ready = false;
    while !ready || note(&line) < moment.acts {
        line.clear();
        let read = out.read_line(&mut line).expect("text");
        assert!(read > 0, "the writer ended by itself");
        ready |= line.contains("ready");
    }
    let journal = journal(file);
    let written = || std::fs::metadata(&journal).is_ok_and(|m| m.len() > 0);
    while moment.writing && !written() {
        assert!(child.try_wait().expect("it was started").is_none(), "the writer ended by itself");
    }
    for _ in 0..moment.turns {
        std::hint::spin_loop();
    }
    child.kill().expect("it runs");
    let mut rest = Vec::new();
    let _ = out.read_to_end(&mut rest);
    for said in String::from_utf8_lossy(&rest).split_inclusive('\n') {
        note(said);
    }
    child.wait().expect("it ended");
    killed.acts += acts;
    killed.journals += u32::from(written());
}

pub fn seeded(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Time(since.expect("after 1970").as_micros() as i64)
}

#[test]
fn two_hundred_kills_lose_nothing_that_was_saved() {
    let desk = Desk::open();
    for client in ["Dupont", "Martin"] {
        desk.add("client", client, Patch::default());
        for n in 0..4 {
            desk.add("ssh", &format!("{client}/e{n}"), login("h", "u", "first"));
        }
    }
    desk.call(Request::Lock);
    // Most of a round is waiting for the disk, so several vaults suffer at once.
    let all: Vec<Killed> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..AT_ONCE)
            .map(|part| {
                let file = desk.dir.path().join(format!("part{part}.poterne"));
                std::fs::copy(&desk.file, &file).expect("copies");
                let kit = desk.kit.as_str();
                scope.spawn(move || kill_often(&file, kit, u64::from(part)))
            })
            .collect();
        parts.into_iter().map(|part| part.join().expect("it held")).collect()
    });
    let sum = |of: fn(&Killed) -> u32| all.iter().map(of).sum::<u32>();
    let (acts, journals) = (sum(|k| k.acts), sum(|k| k.journals));
    println!("{acts} acts, {journals} journals, {} not said", sum(|k| k.unsaid));
    assert!(acts > ROUNDS, "{acts} acts in {ROUNDS} rounds");
    assert!(journals > ROUNDS / 10, "{journals} kills fell while something was written");
}

/// Kills the writer of one vault [`ROUNDS`] / [`AT_ONCE`] times.
fn kill_often(file: &Path, kit: &str, part: u64) -> Killed {
    let mut known = Known::new();
    let mut seed = part;
    let mut killed = Killed::default();
    for round in 0..ROUNDS / AT_ONCE {
        let input = format!("{kit}\n{}\n", seeded(&mut seed));
        let writer = child("kill::writes_rows", file, &input);
        let moment = Moment::of(round, &mut seed);
        kill_amid(writer, file, &moment, &mut killed, |said| note(&mut known, said));
        let (store, v) = open_by_kit(file, kit).expect("the vault opens");
        store
            .read(|rows| {
                sums(&v, rows)?;
                audit(&v, rows)?;
                let (now, unsaid) = compared(&v, rows, &known, round == 0)?;
                known = now;
                killed.unsaid += unsaid;
                Ok::<_, VaultError>(())
            })
            .unwrap_or_else(|e| panic!("after kill {round}: {e}"));
    }
    let (store, v) = open_by_kit(file, kit).expect("opens");
    store.integrity_check().expect("SQLite finds nothing wrong");
    read_all(&store, &v).expect("everything reads");
    killed
}

fn note(known: &mut Known, said: &str) {
    let mut words = said.split(' ');
    let id: EntryId = words.next().and_then(|w| w.parse().ok()).expect("an id");
    let ver: u64 = words.next().and_then(|w| w.parse().ok()).expect("a version");
    let password = words.next().unwrap_or_default().to_owned();
    known.insert(id, (ver > 0).then_some((ver, password)));
}

/// What the vault holds now, after it was compared with what is known. The last
/// act of a killed process may be committed and not said: one, and no more.
fn compared(
    v: &Unlocked,
    rows: &dyn Rows,
    known: &Known,
    first: bool,
) -> Result<(Known, u32), VaultError> {
    let mut now = Known::new();
    for node in v.index.clients().flat_map(|c| c.all()).filter(|s| s.kind != Kind::CLIENT) {
        let entry = v.entry(rows, &node.id)?;
        let password = v.secret(rows, &entry, &Slot::Password)?;
        let password = password.expose(|s| String::from_utf8_lossy(s).into_owned());
        now.insert(node.id, Some((node.ver, password)));
    }
    let mut unsaid = 0;
    for (id, saved) in known {
        let found = now.get(id).and_then(Option::as_ref);
        match (saved, found) {
            (None, Some(_)) => panic!("{id} was deleted and is back"),
            (saved, found) if saved.as_ref() == found => {}
            (Some((ver, _)), Some((there, _))) => {
                assert_eq!(*there, ver + 1, "{id} is not what was saved");
                unsaid += 1;
            }
            _ => unsaid += 1,
        }
    }
    // Before the first round nothing is known of what was there.
    if !first {
        unsaid += now.keys().filter(|id| !known.contains_key(*id)).count() as u32;
    }
    assert!(unsaid <= 1, "{unsaid} entries are not what was saved");
    let gone = known.iter().filter(|(id, _)| !now.contains_key(*id));
    let gone: Vec<EntryId> = gone.map(|(id, _)| *id).collect();
    now.extend(gone.into_iter().map(|id| (id, None)));
    Ok((now, unsaid))
}

#[test]
#[ignore = "the writer that the test above starts and kills"]
fn writes_rows() {
    let Some(file) = std::env::var_os(FILE).map(PathBuf::from) else { return };
    let mut lines = std::io::stdin().lines().map(|l| l.expect("the parent writes"));
    let kit = lines.next().expect("a kit");
    let mut seed: u64 = lines.next().and_then(|l| l.parse().ok()).expect("a seed");
    let (mut store, mut v) = open_by_kit(&file, &kit).expect("opens");
    let mut fill = |out: &mut [u8]| poterne::os::random::fill(out);
    println!("\nready");
    loop {
        let dice = seeded(&mut seed);
        let password = format!("p{dice:x}");
        let (id, ver) = store
            .write(|rows| {
                let mut env = Env { now: now(), random: &mut fill, machine: "test" };
                v.refresh(rows)?;
                let done = act(&mut v, rows, &mut env, dice, &password)?;
                v.save(rows, &mut env)?;
                Ok::<_, VaultError>(done)
            })
            .expect("it is stored");
        println!("\n{SAVED}{id} {ver} {password}");
    }
}

/// One act with its audit line: a new entry, a new password, a move to the other
/// client, or a deletion. Returns the node and its version, 0 when it is gone.
fn act(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    dice: u64,
    password: &str,
) -> Result<(EntryId, u64), VaultError> {
    let clients: Vec<EntryId> = v.index.clients().map(|c| c.client).collect();
    let all: Vec<_> =
        v.index.clients().flat_map(|c| c.all()).filter(|s| s.kind != Kind::CLIENT).collect();
    let node = all[dice as usize % all.len()].clone();
    let old = v.entry(rows, &node.id)?;
    let (event, done) = match dice % 10 {
        0 | 1 => {
            let id = EntryId(env.id());
            let mut new = Entry { id, ver: 0, history: Vec::new(), ..old.clone() };
            new.name = format!("n{dice:x}");
            (Event::EntryCreated, put(v, rows, env, new, password)?)
        }
        2 if all.len() > 6 => {
            for version in &old.history {
                v.drop_cell(rows, &version.cell)?;
            }
            v.drop_cell(rows, &CellId(old.id.0))?;
            v.unlist(rows, env, old.client, old.id)?;
            (Event::EntryDeleted, (old.id, 0))
        }
        3 => {
            // Older versions are sealed for the client left behind.
            for version in &old.history {
                v.drop_cell(rows, &version.cell)?;
            }
            v.drop_cell(rows, &CellId(old.id.0))?;
            v.unlist(rows, env, old.client, old.id)?;
            let to = clients.iter().copied().find(|c| *c != old.client).expect("two clients");
            let new = Entry { client: to, parent: Some(to), history: Vec::new(), ..old };
            (Event::EntryMoved, put(v, rows, env, new, password)?)
        }
        _ => {
            let cell = v.put_old_entry(rows, env, &Entry { history: Vec::new(), ..old.clone() })?;
            let mut new = old.clone();
            new.history.push(VersionRef { ver: old.ver, at: env.now, by: v.me, cell });
            (Event::EntryEdited, put(v, rows, env, new, password)?)
        }
    };
    let fields = vec![(field::ENTRY, node.name)];
    let line = Draft { at: env.now, actor: Some(v.me), event, ok: true, fields, fact: None };
    v.log(rows, env, line)?;
    Ok(done)
}

fn put(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    mut entry: Entry,
    password: &str,
) -> Result<(EntryId, u64), VaultError> {
    let cell = v.put_blob(rows, env, entry.client, Purpose::Secret, password.as_bytes())?;
    let known = SecretRef { cell, set_at: env.now, set_by: v.me };
    entry.secrets.insert(Slot::Password, known);
    entry.ver += 1;
    v.put_entry(rows, env, &entry)?;
    Ok((entry.id, entry.ver))
}

#[test]
fn kills_in_the_application_lose_nothing_that_was_saved() {
    let mut desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("client", "Martin", Patch::default());
    desk.call(Request::Lock);
    let base = std::fs::read(&desk.file).expect("reads");
    let mut seed = 11;
    let mut killed = Killed::default();
    for round in 0..APP_ROUNDS {
        // Each round has its own copy, in which no code was used yet.
        let file = desk.dir.path().join(format!("round{round}.poterne"));
        std::fs::write(&file, &base).expect("writes");
        let code = desk.phone.peek().expose(str::to_owned);
        let writer = child("kill::works_in_the_application", &file, &format!("{code}\n"));
        let moment = Moment::of(round, &mut seed);
        let mut saved = BTreeMap::new();
        kill_amid(writer, &file, &moment, &mut killed, |said| {
            let (id, rest) = said.split_once(' ').expect("two words");
            saved.insert(id.to_owned(), rest.to_owned());
        });
        let (store, v) = open_by_kit(&file, &desk.kit).expect("the vault opens");
        read_all(&store, &v).unwrap_or_else(|e| panic!("after kill {round}: {e}"));
        for (id, rest) in saved {
            let id: EntryId = id.parse().expect("an id");
            let (ver, path) = rest.split_once(' ').expect("two words");
            let ver: u64 = ver.parse().expect("a version");
            match v.index.get(&id) {
                Some(node) if node.ver == ver => assert_eq!(v.index.path(&node), path),
                // Into the bin and out again is two versions, one of them not said.
                Some(node) => assert!((ver + 1..=ver + 2).contains(&node.ver), "{path}: {ver}"),
                None => panic!("{path} is lost"),
            }
        }
    }
    assert!(killed.acts > APP_ROUNDS && killed.journals > 0, "{} kills cut", killed.journals);
    // The application's own check agrees.
    desk.unlock().expect("opens");
    let Reply::Checked(report) = desk.call(Request::Check) else { panic!("checked") };
    assert_eq!(report.faults, []);
}

#[test]
#[ignore = "the writer that the test above starts and kills"]
fn works_in_the_application() {
    let Some(file) = std::env::var_os(FILE).map(PathBuf::from) else { return };
    let code = std::io::stdin().lines().next().expect("a code").expect("the parent writes");
    let app = App::new(file);
    let factors = Factors { password: SecretText::copy_of(PASSWORD), code: SecretText::new(code) };
    app.unlock(UnlockOptions { member: None, factors, read_only: false, accept_older: true })
        .unwrap_or_else(|e| panic!("{}", e.what.en));
    println!("\nready");
    let say = |reply| {
        let Reply::Saved { id, ver, path } = reply else { panic!("saved") };
        println!("\n{SAVED}{id} {ver} {path}");
    };
    let call = |request| app.call(request).unwrap_or_else(|e| panic!("{}", e.what.en));
    for n in 0_u64.. {
        let path = format!("Dupont/e{n}");
        say(call(Request::Create {
            kind: Kind::new("ssh"),
            path: path.clone(),
            patch: Box::new(login("h", "u", "p")),
        }));
        let patch = Patch { host: Set::To(format!("h{n}")), ..login("h", "u", "second") };
        let at = At::Path(path);
        say(call(Request::Edit { at: at.clone(), expected_ver: None, patch: Box::new(patch) }));
        if n % 3 == 0 {
            say(call(Request::Move { at, to: "Martin".into(), just: Justification::default() }));
            let at = At::Path(format!("Martin/e{n}"));
            call(Request::Remove { at: at.clone(), forever: false });
            say(call(Request::Restore { at, version: None }));
        }
    }
}
