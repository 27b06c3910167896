//! What is left in the memory of a process after it locked: nothing of any
//! password, code, secret, name or key, whole or in parts of six bytes, in any
//! usual encoding. The same process without the wiping of freed memory is caught,
//! which proves that the search finds what there is.
#![cfg(target_os = "linux")]

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{FromRawFd, IntoRawFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, HEXLOWER, HEXUPPER};
use poterne::app::api::{
    At, AttachmentBytes, Factors, Justification, Patch, Purpose, Reply, Request, SecretChange, Set,
};
use poterne::app::{App, UnlockOptions};
use poterne::crypto::keys;
use poterne::model::audit_event::field;
use poterne::model::entry::{Kind, Slot};
use poterne::secret::{SecretBytes, SecretText};
use poterne::vault::log::Reader;

use crate::kit::{Desk, PASSWORD};
use crate::kit_rows::open_by_kit;
use crate::waiting::connect;

const FILE: &str = "POTERNE_TEST_MEMORY_FILE";
/// `off` in the process that is to be caught.
const WIPING: &str = "POTERNE_TEST_MEMORY_WIPING";

/// Shortest part of a secret that counts as found, in bytes.
const PART: usize = 6;

/// Everything that must not be found, by what it is.
pub struct Markers(pub Vec<(String, Vec<u8>)>);

impl Markers {
    pub fn add(&mut self, what: &str, bytes: &[u8]) {
        self.0.push((what.to_owned(), bytes.to_vec()));
    }

    /// Every key of a vault that a member holds who has this kit.
    pub fn add_keys(&mut self, file: &Path, kit: &str) {
        let (_store, v) = open_by_kit(file, kit).expect("opens");
        v.member_key.expose(|k| self.add("the member's key", k));
        v.vault_key().expect("held").expose(|k| self.add("the vault key", k));
        v.ring.audit_seed().expect("held").expose(|k| self.add("the audit key", k));
        for client in v.ring.clients() {
            v.client_key(client).expect("held").1.expose(|k| self.add("a client's key", k));
        }
        v.identity.kem().seed().expose(|k| self.add("the member's receiving key", k));
    }

    /// The keys for late lines of every session in the log: nothing needs them
    /// once the session is over.
    pub fn add_late_keys(&mut self, file: &Path, kit: &str) {
        let (store, v) = open_by_kit(file, kit).expect("opens");
        let generation = v.state.vault_gen;
        let late = keys::sub(v.vault_key().expect("held"), keys::name::LATE, generation);
        late.expose(|k| self.add("the key of all late keys", k));
        let mut sessions = BTreeSet::new();
        let read = store.read(|rows| {
            Reader::new(&v, rows)?.each(rows, |line| {
                sessions.insert(line.field(field::SESSION).to_owned());
                true
            })
        });
        read.expect("the log opens");
        sessions.remove("");
        assert!(!sessions.is_empty(), "no session was opened");
        for session in sessions {
            keys::sub(&late, &session, 0).expose(|k| self.add("a session's late key", k));
        }
    }

    /// Parts of every marker in every encoding, keyed by their first four bytes.
    fn parts(&self) -> HashMap<[u8; 4], Vec<(Vec<u8>, String)>> {
        let mut out: HashMap<[u8; 4], Vec<(Vec<u8>, String)>> = HashMap::new();
        let mut put = |what: String, whole: &[u8], size: usize| {
            for part in whole.windows(size.min(whole.len())) {
                let head = part[..4].try_into().expect("parts are longer than four bytes");
                out.entry(head).or_default().push((part.to_vec(), what.clone()));
            }
        };
        for (what, bytes) in &self.0 {
            // Any six letters are likely to be somewhere in a hundred thousand.
            put(what.clone(), bytes, if bytes.len() > 10_000 { 10 } else { PART });
            let wide: Vec<u8> = bytes.iter().flat_map(|b| [*b, 0]).collect();
            put(format!("{what} in UTF-16"), &wide, 2 * PART);
            put(format!("{what} in hex"), HEXLOWER.encode(bytes).as_bytes(), 2 * PART);
            put(format!("{what} in HEX"), HEXUPPER.encode(bytes).as_bytes(), 2 * PART);
            put(format!("{what} in base32"), BASE32_NOPAD.encode(bytes).as_bytes(), 10);
            for skip in 0..3 {
                let text = BASE64_NOPAD.encode(&bytes[skip..]);
                put(format!("{what} in base64"), &text.as_bytes()[..text.len() - 1], 8);
            }
        }
        out
    }
}

/// Text of `len` signs that occurs nowhere by chance.
pub fn random_text(len: usize) -> String {
    let mut bytes = vec![0; len];
    poterne::os::random::fill(&mut bytes);
    bytes
        .iter()
        .map(|b| char::from(b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMN"[*b as usize % 35]))
        .collect()
}

/// What the child is told, in the order it reads them.
struct Secrets {
    code: String,
    client: String,
    entry: String,
    user: String,
    password: String,
    notes: String,
    seed: String,
    file: String,
    large: String,
}

/// Runs the child to its lock and returns what was found in it, with the place.
fn found_after_lock(wiping: &str) -> Vec<String> {
    let desk = Desk::locked();
    let secrets = Secrets {
        code: desk.phone.peek().expose(str::to_owned),
        client: random_text(20),
        entry: random_text(24),
        user: random_text(18),
        password: random_text(28),
        notes: random_text(400),
        seed: random_text(16).to_uppercase().replace(|c: char| !c.is_ascii_uppercase(), "A"),
        file: random_text(5000),
        large: random_text(100_000),
    };
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["memory::unlocks_and_locks", "--exact", "--ignored", "--nocapture"])
        .env(FILE, &desk.file)
        .env(WIPING, wiping)
        .env("XDG_STATE_HOME", desk.dir.path().join("state"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("one more process");
    let mut stdin = child.stdin.take().expect("piped");
    let s = &secrets;
    for line in [
        PASSWORD,
        &s.code,
        &s.client,
        &s.entry,
        &s.user,
        &s.password,
        &s.notes,
        &s.seed,
        &s.file,
        &s.large,
    ] {
        stdin.write_all(format!("{line}\n").as_bytes()).expect("the child reads");
    }
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut said = String::new();
    while !said.contains("locked now") {
        said.clear();
        assert!(out.read_line(&mut said).is_ok_and(|n| n > 0), "the child ended early");
    }

    let mut markers = Markers(Vec::new());
    markers.add("the vault's password", PASSWORD.as_bytes());
    markers.add("the code", s.code.as_bytes());
    for (what, text) in [
        ("a client's name", &s.client),
        ("an entry's name", &s.entry),
        ("a user", &s.user),
        ("a password", &s.password),
        ("a note", &s.notes),
        ("a TOTP seed", &s.seed),
        ("an attachment", &s.file),
        ("a large attachment", &s.large),
    ] {
        markers.add(what, text.as_bytes());
    }
    markers.add_keys(&desk.file, &desk.kit);
    markers.add_late_keys(&desk.file, &desk.kit);
    desk.phone.secret(|k| markers.add("the vault's TOTP secret", k));

    let found = search(child.id(), &markers);
    drop(stdin);
    child.wait().expect("it ended");
    found
}

/// Looks through every writable map of a process.
pub fn search(pid: u32, markers: &Markers) -> Vec<String> {
    let parts = markers.parts();
    let mut heads = vec![false; 1 << 16];
    for head in parts.keys() {
        heads[usize::from(u16::from_le_bytes([head[0], head[1]]))] = true;
    }
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("the child runs");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("its memory may be read");
    let mut found = Vec::new();
    for map in maps.lines() {
        let words: Vec<&str> = map.split_whitespace().collect();
        if !words[1].starts_with("rw") || map.contains("[vvar") {
            continue;
        }
        let (from, to) = words[0].split_once('-').expect("a range");
        let at = |word| u64::from_str_radix(word, 16).expect("an address");
        let (from, to) = (at(from), at(to));
        let name = words.get(5).copied().unwrap_or("anonymous");
        look(&memory, from, to, &parts, &heads, |part, what, place| {
            let text = String::from_utf8_lossy(part).into_owned();
            found.push(format!("{what} ({text:?}) at {place:x} in {from:x}-{to:x} {name}"));
        });
    }
    found
}

fn look(
    memory: &File,
    from: u64,
    to: u64,
    parts: &HashMap<[u8; 4], Vec<(Vec<u8>, String)>>,
    heads: &[bool],
    mut hit: impl FnMut(&[u8], &str, u64),
) {
    const CHUNK: u64 = 1 << 20;
    const OVER: u64 = 64;
    let mut start = from;
    let mut chunk = vec![0; (CHUNK + OVER) as usize];
    while start < to {
        let len = (to - start).min(CHUNK + OVER) as usize;
        let chunk = &mut chunk[..len];
        if memory.read_exact_at(chunk, start).is_err() {
            return;
        }
        // A page of zeros holds nothing; most pages are.
        let mut at = 0;
        while at + PART <= len {
            if at % 4096 == 0 && chunk[at..].iter().take(4096 + 64).all(|b| *b == 0) {
                at += 4096;
                continue;
            }
            if heads[usize::from(u16::from_le_bytes([chunk[at], chunk[at + 1]]))]
                && let Some(known) = chunk[at..at + 4].first_chunk().and_then(|h| parts.get(h))
                && let Some((part, what)) = known.iter().find(|(p, _)| chunk[at..].starts_with(p))
            {
                hit(part, what, start + at as u64);
                at += part.len();
                continue;
            }
            at += 1;
        }
        start += CHUNK;
    }
}

#[test]
fn nothing_secret_is_left_in_memory_after_the_lock() {
    let found = found_after_lock("on");
    assert!(
        found.is_empty(),
        "{} places:\n{}",
        found.len(),
        found[..found.len().min(60)].join("\n")
    );
}

#[cfg(debug_assertions)]
#[test]
fn the_search_catches_a_process_that_wipes_nothing() {
    let found = found_after_lock("off").join("\n");
    for what in ["a client's name", "an entry's name"] {
        assert!(found.contains(what), "{what} was not found; found: {found}");
    }
}

/// Reads a line of stdin into a buffer that is wiped; nothing is read ahead.
fn line(stdin: &mut File, longest: usize) -> SecretText {
    let mut out = zeroize::Zeroizing::new(Vec::with_capacity(longest + 1));
    let mut byte = [0];
    while stdin.read(&mut byte).expect("the parent writes") == 1 && byte != *b"\n" {
        out.push(byte[0]);
    }
    byte[0] = 0;
    std::hint::black_box(&mut byte);
    SecretText::copy_of(std::str::from_utf8(&out).expect("plain signs"))
}

#[test]
#[ignore = "the process that the tests above look into"]
fn unlocks_and_locks() {
    let Some(file) = std::env::var_os(FILE).map(PathBuf::from) else { return };
    if std::env::var(WIPING).as_deref() == Ok("off") {
        #[cfg(debug_assertions)]
        poterne::os::alloc::set_wiping(false);
    }
    // SAFETY: nothing else uses descriptor 0 in this process.
    let mut stdin = unsafe { File::from_raw_fd(0) };
    work(&file, &mut stdin);
    poterne::secret::burn_stack();
    println!("\nlocked now");
    // Until the parent has looked.
    let mut end = [0];
    let _ = stdin.read(&mut end);
    let _ = stdin.into_raw_fd();
}

#[inline(never)]
fn work(file: &Path, stdin: &mut File) {
    let app = App::new(file.to_owned());
    let factors = Factors { password: line(stdin, 100), code: line(stdin, 10) };
    app.unlock(UnlockOptions { member: None, factors, read_only: false, accept_older: true })
        .unwrap_or_else(|e| panic!("{}", e.what.en));
    let call = |request| app.call(request).unwrap_or_else(|e| panic!("{}", e.what.en));
    let client = line(stdin, 100);
    let entry = line(stdin, 100);
    let path = || client.expose(|c| entry.expose(|e| format!("{c}/{e}")));
    let make = |kind: &str, path: String, patch: Patch| {
        call(Request::Create { kind: Kind::new(kind), path, patch: Box::new(patch) })
    };
    make("client", client.expose(str::to_owned), Patch::default());
    let user = Set::To(line(stdin, 100).expose(str::to_owned));
    let mut patch = Patch { user, ..Default::default() };
    for (slot, longest) in [(Slot::Password, 100), (Slot::Notes, 500), (Slot::Totp, 100)] {
        patch.secrets.insert(slot, SecretChange::Put(line(stdin, longest).into_bytes()));
    }
    for (name, longest) in [("small", 5000), ("large", 100_000)] {
        let bytes = AttachmentBytes(line(stdin, longest).into_bytes());
        patch.attachments.insert(name.into(), Some(bytes));
    }
    make("ssh", path(), patch);
    let at = || At::Path(path());
    let just = Justification::default;
    for slot in [Slot::Password, Slot::Notes] {
        let request = Request::Reveal { at: at(), slot, purpose: Purpose::Reveal, just: just() };
        let Reply::Secret(secret) = call(request) else { panic!("a secret") };
        assert!(secret.len() > 5);
    }
    call(Request::Totp { at: at(), purpose: Purpose::Reveal, just: just() });
    for name in ["small", "large"] {
        call(Request::Attachment { at: at(), name: name.into(), just: just() });
    }
    let query = entry.expose(|e| e[..5].to_owned());
    call(Request::Find { query, limit: 9 });
    call(Request::Show { at: at() });
    call(Request::List { at: None, deep: true, trashed: false });
    call(Request::Plan { at: at() });
    let password = SecretChange::Put(SecretBytes::copy_of(b"another one"));
    let mut patch = Patch::default();
    patch.secrets.insert(Slot::Password, password);
    call(Request::Edit { at: at(), expected_ver: None, patch: Box::new(patch) });
    call(Request::History { at: at() });
    call(Request::AuditLog { filter: Default::default() });
    call(Request::Check);
    // A session that outlives the lock, and ends before anybody looks.
    let shell = client.expose(|c| format!("{c}/shell"));
    make("shell", shell.clone(), Patch::default());
    let session = connect(&app, shell);
    call(Request::Lock);
    drop(session);
    // The worker takes one job after the other.
    assert!(app.call(Request::Settings).is_err(), "it is locked");
}
