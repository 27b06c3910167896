//! Speed and memory of the audit log: append, verify, every export, beside
//! `journalctl` in the same run where it can be had.
//!
//! `cargo bench --bench audit [-- LINES]`; a million lines by default, which
//! takes some 4 GB of temporary files. `-- samples FOLDER` writes a small
//! export in every format instead; `-- vault LINES FORMAT…` exports from a whole
//! vault, lines opened, and verifies its log; the first export there also takes in
//! the lines that were just put into the file behind the application's back.

#![allow(clippy::disallowed_methods, reason = "tests start programs and threads as they like")]

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use ed25519_dalek::{Signer, SigningKey};
use poterne::app::api::{ExportFormat, ExportRequest, Reply, Request};
use poterne::app::export::{self, ExportError, ExportMeta, Lines, Opener, Room, Take};
use poterne::audit::line::Fact;
use poterne::audit::{Draft, Log, Sealed, Verifier, packed};
use poterne::model::audit_event::{AuditFilter, Event, field};
use poterne::model::id::{MemberId, VaultId};
use poterne::model::lang::Lang;
use poterne::model::time::Time;
use poterne::vault::rows::AuditSlices;
use poterne::vault::unlocked::Env;

#[allow(dead_code, reason = "only a part of what the stories need")]
#[path = "../suite/kit.rs"]
mod kit;
#[allow(dead_code, reason = "only a part of what the stories need")]
#[path = "../suite/kit_rows.rs"]
mod kit_rows;

const VAULT: VaultId = VaultId([7; 16]);
const ALICE: MemberId = MemberId([0xA1; 16]);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["samples", folder] => samples(Path::new(folder)),
        ["one", format, lines, out] => one(format, Path::new(lines), Path::new(out)),
        ["verify", bundle] => verify(Path::new(bundle)),
        ["vault", lines, ref formats @ ..] => {
            vault(lines.parse().expect("a number of lines"), formats);
        }
        [] => all(1_000_000),
        [lines] => all(lines.parse().expect("a number of lines")),
        _ => panic!("usage: audit [LINES | samples FOLDER]"),
    }
}

/// A log of plausible lines; a signed checkpoint every 256.
struct Story {
    log: Log,
    key: SigningKey,
    random: u64,
    /// Number of the line, where the log does not count.
    n: u64,
    /// Lines between two signed checkpoints.
    every: u64,
}

impl Story {
    fn new() -> Self {
        Self { log: Log::new(), key: SigningKey::from_bytes(&[2; 32]), random: 1, n: 0, every: 256 }
    }

    fn pk(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    fn draft(&self) -> Draft {
        let n = self.log.size().max(self.n);
        let at = Time(1_795_000_000_000_000 + n as i64 * 61_234_567);
        let sign = |m: &[u8]| self.key.sign(m).to_bytes();
        if n > 0 && n.is_multiple_of(self.every) {
            return self.log.checkpoint_draft(VAULT, ALICE, &self.pk(), at, Vec::new(), &sign);
        }
        let fact = (n == 0).then(|| Fact::genesis(VAULT, self.pk(), ALICE, self.pk(), at, &sign));
        const EVENTS: [Event; 6] = [
            Event::SessionOpening,
            Event::SessionOpened,
            Event::SessionClosed,
            Event::SecretRevealed,
            Event::SessionFailed,
            Event::Unlocked,
        ];
        let event = if n == 0 { Event::VaultCreated } else { EVENTS[(n * 7 / 3 % 6) as usize] };
        let mut fields = vec![(field::MEMBER, "Alice Martin".to_owned())];
        fields.push((field::MACHINE, "poste-accueil-2".to_owned()));
        if !matches!(event, Event::Unlocked | Event::VaultCreated) {
            let client =
                ["Boulangerie Dupont", "Garage Martin & Fils", "Cabinet Lefèvre"][(n % 3) as usize];
            fields.push((field::CLIENT, client.to_owned()));
            fields.push((field::ENTRY, format!("{client}/Serveurs/srv-{:02}", n % 40)));
            fields.push((field::TICKET, format!("ART-2026-{:05}", n / 9)));
            if event == Event::SecretRevealed {
                fields.push((field::SLOT, "password".to_owned()));
                fields.push((field::REASON, "Dépannage de la sauvegarde nocturne".to_owned()));
            } else {
                fields.push((field::CONNECTOR, "ssh".to_owned()));
                fields.push((field::HOST, format!("srv-{:02}.exemple.fr", n % 40)));
                fields.push((field::PORT, "22".to_owned()));
                fields.push((field::REMOTE_USER, "administrateur".to_owned()));
                fields.push((field::SESSION, format!("{:032x}", n / 4)));
            }
            if event == Event::SessionClosed {
                fields.push((field::DURATION_MS, (n * 991 % 3_600_000).to_string()));
                fields.push((field::BYTES_IN, (n * 77_777 % 9_999_999).to_string()));
                fields.push((field::BYTES_OUT, (n * 333 % 99_999).to_string()));
                fields.push((field::EXIT, "0".to_owned()));
            }
            if event == Event::SessionFailed {
                fields
                    .push((field::DETAIL, "Le serveur n'a pas répondu en 10 secondes.".to_owned()));
            }
        }
        Draft { at, actor: Some(ALICE), event, ok: event != Event::SessionFailed, fields, fact }
    }

    fn append(&mut self, draft: &Draft) -> Sealed {
        let random = &mut self.random;
        self.log.append(draft, &mut |buf| {
            for chunk in buf.chunks_mut(8) {
                *random ^= *random << 13;
                *random ^= *random >> 7;
                *random ^= *random << 17;
                chunk.copy_from_slice(&random.to_le_bytes()[..chunk.len()]);
            }
        })
    }

    fn meta(&self) -> ExportMeta {
        ExportMeta {
            vault: VAULT,
            vault_name: "Infogérance Durand.poterne".into(),
            root_pk: self.pk(),
            exporter: "Alice Martin".into(),
            generated_at: Time(1_795_900_000_000_000),
            note: self
                .log
                .checkpoint(VAULT)
                .sign(ALICE, &self.pk(), &|m| self.key.sign(m).to_bytes()),
        }
    }
}

/// Lines in a file: `u32 len ‖ packed line ‖ u32 len ‖ opening`.
struct Stored<'a>(&'a Path);

impl Lines for Stored<'_> {
    fn each(&self, take: &mut Take<'_>) -> Result<(), ExportError> {
        let mut input = BufReader::with_capacity(1 << 20, File::open(self.0).expect("readable"));
        let (mut leaf, mut opening) = (Vec::new(), Vec::new());
        let mut seq = 0;
        while part(&mut input, &mut leaf) && part(&mut input, &mut opening) {
            take(&AuditSlices { seq, key: 0, n: 0, leaf: &leaf, opening: &opening })?;
            seq += 1;
        }
        Ok(())
    }

    fn opener(&self) -> &dyn Opener {
        &Open
    }
}

/// Unpacks lines that are stored without a seal.
struct Open;

impl Opener for Open {
    fn open(&self, line: &AuditSlices<'_>, room: &mut Room) -> Result<bool, ExportError> {
        for (from, to) in [(line.leaf, &mut room.packed), (line.opening, &mut room.opening)] {
            to.clear();
            to.extend_from_slice(from);
        }
        packed::unpack(&room.packed, line.seq, &mut room.leaf).expect("packed here");
        Ok(true)
    }
}

fn part(input: &mut impl Read, out: &mut Vec<u8>) -> bool {
    let mut len = [0; 4];
    if input.read_exact(&mut len).is_err() {
        return false;
    }
    out.resize(u32::from_be_bytes(len) as usize, 0);
    input.read_exact(out).is_ok()
}

fn store(lines: u64, to: &Path) -> Story {
    let mut story = Story::new();
    let mut out = BufWriter::with_capacity(1 << 20, File::create(to).expect("writable"));
    while story.log.size() < lines {
        let draft = story.draft();
        let seq = story.log.size();
        let line = story.append(&draft);
        for bytes in [&packed::pack(&line.leaf, seq), &line.opening] {
            out.write_all(&(bytes.len() as u32).to_be_bytes()).expect("room");
            out.write_all(bytes).expect("room");
        }
    }
    out.flush().expect("room");
    fs::write(to.with_extension("note"), story.meta().note).expect("room");
    story
}

fn request(format: ExportFormat, out: &Path) -> ExportRequest {
    ExportRequest {
        format,
        filter: AuditFilter::default(),
        redact: Vec::new(),
        out: out.to_owned(),
        lang: Lang::Fr,
        just: Default::default(),
    }
}

fn all(lines: u64) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("lines");

    let mut story = Story::new();
    let drafts: Vec<Draft> = (0..100_000u64.min(lines))
        .map(|n| {
            // Checkpoints sign the tree; here only lines are wanted.
            let mut story = Story::new();
            story.log = Log::new();
            let mut draft = story.draft();
            draft.fact = None;
            draft.event = Event::SessionOpened;
            draft.fields.push((field::ENTRY, format!("Dupont/Serveurs/srv-{n}")));
            for name in [field::CLIENT, field::HOST, field::PORT, field::SESSION, field::TICKET] {
                draft.fields.push((name, format!("value {n}")));
            }
            draft
        })
        .collect();
    let start = begin();
    drafts.iter().for_each(|draft| {
        story.append(draft);
    });
    report("append a line of 8 values, without fsync", start, drafts.len() as u64, None);

    store(lines, &file);
    let mut leaves = Vec::new();
    Stored(&file)
        .each(&mut |line| {
            let mut leaf = Vec::new();
            packed::unpack(line.leaf, line.seq, &mut leaf).expect("packed here");
            leaves.push(leaf);
            Ok(())
        })
        .expect("just written");
    let verify_leaves = |round: &str, leaves: &[Vec<u8>]| {
        let bytes: usize = leaves.iter().map(Vec::len).sum();
        let start = begin();
        let mut verifier = Verifier::new();
        leaves.iter().for_each(|leaf| {
            verifier.push(leaf).expect("untouched");
        });
        let label = format!("{round} ({} bytes a line)", bytes / leaves.len());
        report(&label, start, lines, None);
    };
    for round in ["verify chain, tree and signatures", "the same again"] {
        verify_leaves(round, &leaves);
    }
    let mut plain = Story { every: u64::MAX, ..Story::new() };
    leaves.clear();
    while plain.log.size() < lines {
        let draft = plain.draft();
        leaves.push(plain.append(&draft).leaf);
    }
    verify_leaves("verify chain and tree alone", &leaves);
    drop(leaves);

    let program = std::env::current_exe().expect("this program");
    for format in ExportFormat::ALL {
        // A report of a million lines comes in 67 files.
        let many = if format == ExportFormat::Pdf { lines.min(50_000) } else { lines };
        let from = dir.path().join(format!("lines-{many}"));
        if !from.exists() {
            store(many, &from);
        }
        let out = dir.path().join(format!("export.{}", format.word()));
        let child =
            Command::new(&program).args(["one", format.word()]).arg(&from).arg(&out).output();
        print!("{}", String::from_utf8_lossy(&child.expect("it runs").stdout));
        if format == ExportFormat::Bundle {
            let child = Command::new(&program).arg("verify").arg(&out).output();
            print!("{}", String::from_utf8_lossy(&child.expect("it runs").stdout));
        }
        fs::remove_file(&out).expect("just written");
    }
    // The remote writer begins another file when one is large.
    journal(dir.path(), lines.min(50_000));
}

/// Exports from a vault and verification of its log, with all they need: rows
/// read, lines and values opened.
fn vault(lines: u64, formats: &[&str]) {
    let desk = kit::Desk::open();
    let start = begin();
    {
        let (mut store, mut v) = kit_rows::open_by_kit(&desk.file, &desk.kit).expect("opens");
        let mut story = Story::new();
        let mut random = 1u64;
        let mut fill = |out: &mut [u8]| {
            for chunk in out.chunks_mut(8) {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                chunk.copy_from_slice(&random.to_le_bytes()[..chunk.len()]);
            }
        };
        for part in 0..lines.div_ceil(50_000) {
            let many = (lines - part * 50_000).min(50_000);
            store
                .write(|rows| {
                    let now = Time(1_796_000_000_000_000);
                    let mut env = Env { now, random: &mut fill, machine: "poste-accueil-2" };
                    for n in 0..many {
                        story.log = Log::new();
                        story.n = 1 + part * 50_000 + n;
                        let mut draft = story.draft();
                        (draft.actor, draft.fact) = (Some(v.me), None);
                        if draft.event == Event::Checkpoint {
                            draft.event = Event::Unlocked;
                        }
                        v.log(rows, &mut env, draft)?;
                    }
                    v.save(rows, &mut env)
                })
                .expect("there is room");
        }
    }
    report("append to the vault, many in a commit", start, lines, None);
    for word in formats {
        let format = ExportFormat::ALL.into_iter().find(|f| f.word() == *word).expect("a format");
        let out = desk.dir.path().join("export");
        let start = begin();
        let Reply::Exported { lines, .. } = desk.call(Request::AuditExport(request(format, &out)))
        else {
            panic!("another reply")
        };
        let size = fs::metadata(&out).expect("just written").len();
        let label = format!("export {word} from the vault ({} bytes a line)", size / lines);
        report(&label, start, lines, peak_kib());
        fs::remove_file(&out).expect("just written");
    }
    let start = begin();
    let Reply::Verified(verified) = desk.call(Request::AuditVerify) else {
        panic!("another reply")
    };
    assert!(verified.faults.is_empty(), "{:?}", verified.faults);
    report("verify the vault's log, values too", start, verified.lines, peak_kib());
    journal(desk.dir.path(), lines.min(50_000));
}

/// One export in a process of its own, for its peak memory.
fn one(format: &str, lines: &Path, out: &Path) {
    let format = ExportFormat::ALL.into_iter().find(|f| f.word() == format).expect("a format");
    let note = fs::read_to_string(lines.with_extension("note")).expect("beside the lines");
    let meta = ExportMeta { note, ..Story::new().meta() };
    let start = begin();
    let request = request(format, out);
    let count = export::write(&request, &meta, &Stored(lines), &mut |_, _| true)
        .expect("it is writable")
        .lines;
    let size = fs::metadata(out).expect("just written").len();
    let label = format!("export {} ({} bytes a line)", format.word(), size / count);
    report(&label, start, count, peak_kib());
}

fn verify(bundle: &Path) {
    let start = begin();
    let result = export::bundle::verify(bundle, None).expect("readable");
    assert!(result.faults.is_empty(), "{:?}", result.faults);
    report("verify a bundle, all values disclosed", start, result.lines, peak_kib());
}

/// Wall time is what a person waits; processor time is what counts on a
/// machine that does other things too.
fn report(what: &str, start: Start, lines: u64, peak_kib: Option<u64>) {
    let wall = start.0.elapsed().as_nanos() as f64 / lines as f64;
    let cpu =
        cpu_seconds().zip(start.1).map_or(wall, |(now, then)| (now - then) * 1e9 / lines as f64);
    let rate = 1e9 / cpu;
    let peak = peak_kib.map_or(String::new(), |k| format!("  peak {} MiB", k / 1024));
    println!(
        "{what:<58} {lines:>9} lines {wall:>8.0} ns/line, {cpu:>8.0} of CPU: {rate:>9.0}/s a core{peak}"
    );
}

/// Wall clock and processor time at a start.
struct Start(Instant, Option<f64>);

fn begin() -> Start {
    Start(Instant::now(), cpu_seconds())
}

/// Processor time of this process and of its children that have ended, as
/// `/proc` counts it: in hundredths of a second.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: Option<f64> = fields.get(11..15)?.iter().map(|f| f.parse::<f64>().ok()).sum();
    Some(ticks? / 100.0)
}

/// Peak resident memory of this process.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The same lines in systemd's journal.
fn journal(dir: &Path, lines: u64) {
    let writer = ["/lib/systemd/systemd-journal-remote", "/usr/lib/systemd/systemd-journal-remote"]
        .into_iter()
        .find(|p| Path::new(p).exists());
    let Some(writer) = writer else {
        println!("journalctl: absent (install systemd-journal-remote to compare)");
        return;
    };
    let (text, file) = (dir.join("journal.txt"), dir.join("journal.journal"));
    let from = dir.join("lines-journal");
    store(lines, &from);
    let mut out = BufWriter::new(File::create(&text).expect("writable"));
    let mut leaf = Vec::new();
    Stored(&from)
        .each(&mut |stored| {
            let seq = stored.seq;
            packed::unpack(stored.leaf, seq, &mut leaf).expect("packed here");
            let line = poterne::audit::open(seq, &leaf, Some(stored.opening))?;
            let (real, boot) = (line.at.0, "0123456789abcdef0123456789abcdef");
            write!(
                out,
                "__REALTIME_TIMESTAMP={real}\n__MONOTONIC_TIMESTAMP={seq}\n_BOOT_ID={boot}\n\
                 MESSAGE={}\nPRIORITY=6\nSEQ={}\n",
                line.event, line.seq
            )
            .expect("room");
            for (name, value) in &line.fields {
                writeln!(out, "{}={value}", name.to_uppercase()).expect("room");
            }
            writeln!(out, "LEAF_HASH={}\n", line.leaf_hash).expect("room");
            Ok(())
        })
        .expect("just written");
    out.flush().expect("room");
    drop(out);
    let start = begin();
    let made = Command::new(writer).arg("-o").arg(&file).arg(&text).stderr(Stdio::null()).status();
    if !made.is_ok_and(|s| s.success()) {
        println!("journalctl: systemd-journal-remote made no journal");
        return;
    }
    report("systemd-journal-remote, append", start, lines, None);
    for arguments in [&["-o", "json", "--all"][..], &["--verify"]] {
        let start = begin();
        let shown = dir.join("journal.out");
        let done = Command::new("journalctl")
            .arg("--file")
            .arg(&file)
            .args(arguments)
            .stdout(File::create(&shown).expect("writable"))
            .stderr(Stdio::null())
            .status();
        if done.is_ok_and(|s| s.success()) {
            report(&format!("journalctl {}", arguments.join(" ")), start, lines, None);
        } else {
            println!("journalctl {}: failed", arguments.join(" "));
        }
        let found = fs::read_to_string(&shown).map_or(0, |text| text.lines().count());
        if arguments.contains(&"json") && found as u64 != lines {
            println!("journalctl: only {found} of the lines are in the file; do not compare");
        }
    }
}

/// A small export in every format, to look at.
fn samples(folder: &Path) {
    fs::create_dir_all(folder).expect("writable");
    let lines = folder.join("lines");
    let story = store(300, &lines);
    for format in ExportFormat::ALL {
        let out = folder.join(format!("sample-{}.{}", format.word(), format.extension()));
        export::write(&request(format, &out), &story.meta(), &Stored(&lines), &mut |_, _| true)
            .expect("it is writable");
    }
    let meta = export::KitMeta {
        vault: "Infogérance Durand.poterne",
        member: "Alice Martin",
        fingerprint: &story.meta().fingerprint(),
        at: Time(1_795_900_000_000_000),
        lang: Lang::Fr,
    };
    let code = "ABCD-EFGH-JKMN-PQRS-TVWX-YZ23-4567-89AB-CDEF";
    let kit = export::kit_pdf(code, &meta).expect("a short code");
    fs::write(folder.join("sample-kit.pdf"), kit).expect("writable");
}
