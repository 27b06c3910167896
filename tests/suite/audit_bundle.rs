//! The bundle: written, verified, tampered with and redacted, by the program
//! itself, by `verify.py` and by the script of `verify.html`.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use ed25519_dalek::Signer;
use poterne::app::api::{ExportFormat, ExportRequest, Verified};
use poterne::app::export::{self, ExportError, ExportMeta, Lines, Opener, Room, Take};
use poterne::audit::{Checkpoint, packed};
use poterne::model::audit_event::{AuditFilter, Event, field};
use poterne::model::lang::Lang;
use poterne::model::member::Role;
use poterne::vault::rows::AuditSlices;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::audit_log::{ALICE, BOB, Story, VAULT, at, key, pk};

pub struct Stored(pub Vec<(Vec<u8>, Vec<u8>)>);

impl Lines for Stored {
    fn each(&self, take: &mut Take<'_>) -> Result<(), ExportError> {
        (0..).zip(&self.0).try_for_each(|(seq, (leaf, opening))| {
            take(&AuditSlices { seq, key: 0, n: 0, leaf, opening })
        })
    }

    fn opener(&self) -> &dyn Opener {
        &Open
    }
}

/// Opens lines that are stored open.
pub struct Open;

impl Opener for Open {
    fn open(&self, line: &AuditSlices<'_>, room: &mut Room) -> Result<bool, ExportError> {
        room.packed = packed::pack(line.leaf, line.seq);
        for (from, to) in [(line.leaf, &mut room.leaf), (line.opening, &mut room.opening)] {
            to.clear();
            to.extend_from_slice(from);
        }
        Ok(true)
    }
}

pub fn stored(story: &Story) -> Stored {
    Stored(story.lines.iter().map(|l| (l.leaf.clone(), l.opening.clone())).collect())
}

pub fn meta(story: &Story) -> ExportMeta {
    let alice = key(2);
    let head = story.log.checkpoint(VAULT);
    ExportMeta {
        vault: VAULT,
        vault_name: "Été & Fils.poterne".into(),
        root_pk: pk(&key(1)),
        exporter: "Alice".into(),
        generated_at: at(100),
        note: head.sign(ALICE, &pk(&alice), &|m| alice.sign(m).to_bytes()),
    }
}

pub fn request(format: ExportFormat, out: &Path) -> ExportRequest {
    ExportRequest {
        format,
        filter: AuditFilter::default(),
        redact: Vec::new(),
        out: out.to_owned(),
        lang: Lang::Fr,
        just: Default::default(),
    }
}

fn bundle_of(
    story: &Story,
    change: impl FnOnce(&mut ExportRequest),
) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("bundle.zip");
    let mut request = request(ExportFormat::Bundle, &out);
    change(&mut request);
    export::write(&request, &meta(story), &stored(story), &mut |_, _| true)
        .expect("it is writable");
    (dir, out)
}

fn check(path: &Path, fingerprint: Option<&str>) -> Verified {
    export::bundle::verify(path, fingerprint).expect("it can be read")
}

fn fingerprint() -> String {
    poterne::audit::fingerprint(VAULT, &pk(&key(1)))
}

/// The files of a bundle, changed by `change` and packed again.
fn repack(from: &Path, change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) {
    let mut zip = ZipArchive::new(Cursor::new(fs::read(from).expect("readable"))).expect("a ZIP");
    let mut files = Vec::new();
    for i in 0..zip.len() {
        let mut file = zip.by_index(i).expect("listed");
        let mut bytes = Vec::new();
        let name = file.name().expect("UTF-8").into_owned();
        file.read_to_end(&mut bytes).expect("whole");
        files.push((name, bytes));
    }
    change(&mut files);
    let mut zip = ZipWriter::new(fs::File::create(from).expect("writable"));
    for (name, bytes) in files {
        zip.start_file(name, SimpleFileOptions::default()).expect("a new entry");
        zip.write_all(&bytes).expect("room");
    }
    zip.finish().expect("room");
}

fn edit(files: &mut [(String, Vec<u8>)], name: &str, change: impl FnOnce(String) -> String) {
    let file = files.iter_mut().find(|f| f.0 == name).expect("a file of the bundle");
    file.1 = change(String::from_utf8(file.1.clone()).expect("text")).into_bytes();
}

/// Exit code and output of `verify.py` taken from the source tree.
fn python(bundle: &Path, fingerprint: Option<&str>) -> (i32, String) {
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/verify/verify.py")).arg(bundle);
    fingerprint.iter().for_each(|fp| {
        command.args(["--fingerprint", fp]);
    });
    let output = command.output().expect("python3 is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

/// The same by the script of `verify.html` under node; `None` without node.
fn browser(bundle: &Path, fingerprint: Option<&str>, fallback: bool) -> Option<(bool, String)> {
    let page = include_str!("../../assets/verify/verify.html");
    let script = page.split_once("<script>")?.1.split_once("</script>")?.0;
    let run = r#"
        const fs = require("node:fs");
        const [path, fp, fallback] = process.argv.slice(2);
        verifyBundle(new Blob([fs.readFileSync(path)]), fp || null, "en", fallback === "1")
            .then((r) => console.log(JSON.stringify(r)));
    "#;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("verify.cjs");
    fs::write(&file, format!("{script}\n{run}")).expect("writable");
    let output = Command::new("node")
        .arg(&file)
        .arg(bundle)
        .arg(fingerprint.unwrap_or_default())
        .arg(if fallback { "1" } else { "0" })
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let result: serde_json::Value =
        serde_json::from_str(text.trim()).unwrap_or_else(|_| panic!("{text}"));
    Some((result["faults"].as_array().expect("a list").is_empty(), text))
}

/// All three verifiers agree that the bundle is good.
fn accepted(path: &Path) -> Verified {
    let fp = fingerprint();
    let result = check(path, Some(&fp));
    assert_eq!(result.faults, []);
    assert!(result.origin_proven);
    let (code, text) = python(path, Some(&fp));
    assert_eq!(code, 0, "{text}");
    for fallback in [false, true] {
        if let Some((good, text)) = browser(path, Some(&fp), fallback) {
            assert!(good, "{text}");
        }
    }
    result
}

/// All three refuse it, and the program's words hold `word`.
fn refused(path: &Path, word: &str) {
    let result = check(path, Some(&fingerprint()));
    let text: Vec<_> = result.faults.iter().map(|f| f.en.as_str()).collect();
    assert!(text.iter().any(|t| t.contains(word)), "{word}: {text:?}");
    assert!(!result.origin_proven);
    let (code, text) = python(path, Some(&fingerprint()));
    assert_eq!(code, 7, "{word}: {text}");
    if let Some((good, text)) = browser(path, Some(&fingerprint()), false) {
        assert!(!good, "{word}: {text}");
    }
}

#[test]
fn a_whole_bundle_verifies_everywhere() {
    let (_dir, path) = bundle_of(&Story::usual(), |_| {});
    let result = accepted(&path);
    assert_eq!((result.lines, result.signed, result.redacted), (12, 12, 0));
    assert_eq!(result.disclosed, 1 + 3 * 6 + 3);
    assert_eq!(result.fingerprint, fingerprint());
    // Without a fingerprint it is checked against its own key only.
    let result = check(&path, None);
    assert!(result.faults.is_empty() && !result.origin_proven);
    let (code, text) = python(&path, None);
    assert!(code == 0 && text.contains("not proven"), "{text}");
}

#[test]
fn the_file_is_private_and_nothing_is_left_beside_it() {
    let (dir, path) = bundle_of(&Story::usual(), |_| {});
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1);
}

#[test]
fn redacted_and_filtered_bundles_still_verify_and_hide() {
    let story = Story::usual();
    let (_dir, path) = bundle_of(&story, |r| r.redact = vec!["entry".into(), "member".into()]);
    let result = accepted(&path);
    assert_eq!((result.disclosed, result.redacted), (6 + 3, 1 + 6 * 2));

    let (_dir, path) = bundle_of(&story, |r| r.filter.clients = vec!["Martin".into()]);
    let result = accepted(&path);
    assert_eq!((result.lines, result.disclosed, result.redacted), (12, 6, 0));
    let mut zip = ZipArchive::new(fs::File::open(&path).expect("there")).expect("a ZIP");
    let mut text = String::new();
    zip.by_name("audit.jsonl").expect("listed").read_to_string(&mut text).expect("text");
    assert!(text.contains("Pare-feu") && !text.contains("web1"), "{text}");
    assert!(text.lines().nth(1).expect("a line").starts_with(r#"{"seq":1,"hash":"#), "{text}");

    let (_dir, path) = bundle_of(&story, |r| {
        r.filter.events = vec![Event::SecretRevealed];
        r.filter.last = Some(2);
    });
    assert_eq!(accepted(&path).disclosed, 6);
}

#[test]
fn an_unknown_field_to_redact_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut request = request(ExportFormat::Bundle, &dir.path().join("b.zip"));
    request.redact = vec!["passwort".into()];
    let story = Story::usual();
    let result = export::write(&request, &meta(&story), &stored(&story), &mut |_, _| true);
    assert!(matches!(result, Err(ExportError::UnknownField(_))));
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0);
}

#[test]
fn every_change_to_the_lines_is_refused_everywhere() {
    let story = Story::usual();
    type Change = fn(&mut Vec<String>);
    let cases: [(&str, Change); 15] = [
        ("Line 4 was edited", |l| l[4] = l[4].replace("secret.revealed", "secret.copied")),
        ("Line 5 is missing", |l| drop(l.remove(5))),
        ("In the place of line 6 stands line 4", |l| l.swap(4, 5)),
        ("In the place of line 5 stands line 4", |l| l.insert(5, l[4].clone())),
        ("The end is missing: 11 lines present, 12 signed", |l| drop(l.pop())),
        ("Forged value: field \"client\" of line 5", |l| {
            l[5] = l[5].replace("Martin\"", "Dupont\"")
        }),
        ("Forged value", |l| {
            l[5] = l[5].replace(
                r#""open":{"#,
                r#""open":{"afield":{"s":"AAAAAAAAAAAAAAAAAAAAAA==","v":""},"#,
            )
        }),
        ("Line 11 is not a valid log line", |l| {
            l[11] = l[11].replace("{\"leaf\"", "{\"seq\":11,\"leaf\"")
        }),
        ("Line 3 is not a valid log line", |l| l[3].truncate(40)),
        ("Line 8 is not a valid log line", |l| {
            l[8] = l[8].replace("{\"leaf\"", "{\"seq\":null,\"hash\":null,\"leaf\"")
        }),
        ("Line 8 is not a valid log line", |l| {
            l[8] = l[8].split(",\"open\"").next().expect("a leaf").to_owned() + ",\"open\":null}";
        }),
        ("Line 8 is not a valid log line", |l| {
            let leaf = l[8].split(",\"open\"").next().expect("a leaf");
            l[8] = format!("{leaf},\"seq\":null,\"hash\":null}}");
        }),
        ("Line 8 is not a valid log line", |l| {
            l[8] = l[8].replacen("{\"leaf\":", "{\"leaf\": ", 1)
        }),
        ("Line 8 is not a valid log line", |l| l[8] = l[8].replacen("\"s\":", "\"\\u0073\":", 1)),
        ("Line 8 is not a valid log line", |l| l[8].push('\r')),
    ];
    for (word, change) in cases {
        let (_dir, path) = bundle_of(&story, |_| {});
        repack(&path, |files| {
            edit(files, "audit.jsonl", |text| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                change(&mut lines);
                lines.join("\n") + "\n"
            });
        });
        refused(&path, word);
    }
}

#[test]
fn all_faults_are_told_each_once() {
    let (_dir, path) = bundle_of(&Story::usual(), |_| {});
    repack(&path, |files| {
        edit(files, "audit.jsonl", |text| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            // The line after it makes Bob a member: that counts all the same.
            lines[1] = lines[1].replace("secret.revealed", "secret.copied");
            lines[5] = lines[5].replace("Martin\"", "Dupont\"");
            lines[7] = "{".to_owned();
            lines.remove(9);
            lines.join("\n") + "\n"
        });
        files.retain(|f| f.0 != "VERIFY.txt" && f.0 != "verify.py");
        files.push(("n".repeat(5000), b"hello".to_vec()));
    });
    let result = check(&path, None);
    let told: Vec<_> = result.faults.iter().map(|f| f.en.as_str()).collect();
    let long = format!("The bundle holds a file too many: {}….", "n".repeat(60));
    assert_eq!(
        told,
        [
            &long,
            "The bundle lacks VERIFY.txt.",
            "The bundle lacks verify.py.",
            "Line 1 was edited.",
            "Forged value: field \"client\" of line 5.",
            "Line 7 is not a valid log line.",
            "Line 9 is missing.",
        ]
    );
}

#[test]
fn a_hidden_line_cannot_be_exchanged() {
    let (_dir, path) = bundle_of(&Story::usual(), |r| r.filter.clients = vec!["Martin".into()]);
    repack(&path, |files| {
        edit(files, "audit.jsonl", |text| {
            let hash = text.lines().nth(9).expect("a line").to_owned();
            let other = text.lines().nth(1).expect("a line").replace("\"seq\":1,", "\"seq\":9,");
            text.replace(&hash, &other)
        });
    });
    refused(&path, "Line 9 was edited");
}

/// The signature of the closing note, as the note has it.
fn stamp(story: &Story) -> String {
    let note = meta(story).note;
    note.trim_end().rsplit(' ').next().expect("a signature").to_owned()
}

#[test]
fn every_change_to_the_other_files_is_refused_everywhere() {
    let story = Story::usual();
    let alice = key(2);
    let sign_by = |by, with: &ed25519_dalek::SigningKey, size: u64| {
        let head = Checkpoint { size, ..story.log.checkpoint(VAULT) };
        head.sign(by, &pk(with), &|m| with.sign(m).to_bytes())
    };
    let cases = [
        ("Bad signature", sign_by(ALICE, &key(9), 12)),
        ("no member", sign_by(BOB, &key(4), 12)),
        ("Lines were added: 12 present, 11 signed", sign_by(ALICE, &alice, 11)),
        ("not a readable checkpoint", meta(&story).note.replace('\u{2014}', "-")),
        ("not a readable checkpoint", String::new()),
        (
            "not a readable checkpoint",
            format!("{}\u{2014} example.org/witness {}\n", meta(&story).note, stamp(&story)),
        ),
        (
            "not a readable checkpoint",
            meta(&story).note.split_inclusive("\n\n").next().unwrap_or("").to_owned(),
        ),
    ];
    for (word, note) in cases {
        let (_dir, path) = bundle_of(&story, |_| {});
        repack(&path, |files| edit(files, "checkpoint.txt", |_| note));
        refused(&path, word);
    }
    let (_dir, path) = bundle_of(&story, |_| {});
    repack(&path, |files| {
        edit(files, "vkey.txt", |text| text.replace("fingerprint ", "fingerprint A"))
    });
    refused(&path, "vkey.txt");
    let (_dir, path) = bundle_of(&story, |_| {});
    repack(&path, |files| files.retain(|f| f.0 != "checkpoint.txt"));
    refused(&path, "lacks checkpoint.txt");
    let (_dir, path) = bundle_of(&story, |_| {});
    repack(&path, |files| files.push(("note.txt".into(), b"hello".to_vec())));
    refused(&path, "a file too many: note.txt");
    let (_dir, path) = bundle_of(&story, |_| {});
    let result = check(&path, Some("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AA"));
    assert!(result.faults[0].en.contains("another vault"), "{:?}", result.faults);
    assert_eq!(python(&path, Some("AAAA")).0, 7);
}

#[test]
fn an_older_state_and_a_stranger_vault_are_told_apart_by_the_checkpoint_and_fingerprint() {
    // A consistent log of somebody else, with another root key.
    let mut other = Story::new();
    other.member(Event::MemberInvited, BOB, Some(Role::Auditor), &key(3), (ALICE, &key(2)));
    let (_dir, path) = bundle_of(&other, |_| {});
    let wrong = poterne::audit::fingerprint(VAULT, &pk(&key(9)));
    assert!(check(&path, Some(&wrong)).faults[0].en.contains("another vault"));
    // Lines of an older export under a newer checkpoint.
    let story = Story::usual();
    let (_dir, path) = bundle_of(&story, |_| {});
    let mut longer = Story::usual();
    longer.reveal(ALICE, "Durand", "Durand/NAS");
    repack(&path, |files| edit(files, "checkpoint.txt", |_| meta(&longer).note));
    refused(&path, "The end is missing: 12 lines present, 13 signed");
}

#[test]
fn archives_that_two_programs_could_read_differently_are_refused() {
    let story = Story::usual();
    type Bend = fn(Vec<u8>) -> Vec<u8>;
    let cases: [Bend; 8] = [
        |b| [b"junk", &b[..]].concat(),
        |b| [&b[..], b"junk"].concat(),
        |b| b[..b.len() - 1].to_vec(),
        |b| b[..b.len() / 2].to_vec(),
        |_| Vec::new(),
        |_| b"not a zip at all, but long enough to look for one".to_vec(),
        // A list of files that would begin before the archive.
        |mut b| {
            let size = b.len() - 22 + 12;
            b[size + 2] = 0x7f;
            b
        },
        // Twice the same name: the last file renamed to one that is there.
        |b| {
            let text = b.iter().map(|c| *c as char).collect::<String>();
            text.replace("VERIFY.txt", "verify.py\0").chars().map(|c| c as u8).collect()
        },
    ];
    for (i, bend) in cases.iter().enumerate() {
        let (_dir, path) = bundle_of(&story, |_| {});
        fs::write(&path, bend(fs::read(&path).expect("readable"))).expect("writable");
        let result = check(&path, None);
        assert!(!result.faults.is_empty(), "case {i}");
        let (code, text) = python(&path, None);
        assert_eq!(code, 7, "case {i}: {text}");
        if let Some((good, text)) = browser(&path, None, false) {
            assert!(!good, "case {i}: {text}");
        }
    }
}

#[test]
fn files_that_nobody_believes_must_be_whole_and_short_all_the_same() {
    for name in ["VERIFY.txt", "verify.py", "verify.html"] {
        let (_dir, path) = bundle_of(&Story::usual(), |_| {});
        repack(&path, |files| {
            edit(files, name, |_| "x".repeat(3 * 1024 * 1024));
        });
        refused(&path, &format!("{name} is damaged"));
    }
    // Compressed to nothing, but never unpacked whole.
    let (_dir, path) = bundle_of(&Story::usual(), |_| {});
    repack(&path, |files| {
        edit(files, "checkpoint.txt", |text| text + &"\0".repeat(64 * 1024 * 1024));
    });
    refused(&path, "not a readable checkpoint");
    let (_dir, path) = bundle_of(&Story::usual(), |_| {});
    repack(&path, |files| edit(files, "audit.jsonl", |_| "x".repeat(64 * 1024 * 1024)));
    refused(&path, "Line 0 is not a valid log line");
}

#[test]
fn any_flipped_bit_of_a_bundle_is_reported_or_changes_nothing() {
    let (_dir, path) = bundle_of(&Story::usual(), |_| {});
    let whole = fs::read(&path).expect("readable");
    let good = check(&path, Some(&fingerprint()));
    // Every byte of the parts that are verified, one of each hundred elsewhere.
    for i in (0..whole.len()).filter(|i| i % 41 == 0 || *i > whole.len() - 3000) {
        let mut bent = whole.clone();
        bent[i] ^= 1 << (i % 8);
        fs::write(&path, bent).expect("writable");
        let result = check(&path, Some(&fingerprint()));
        assert!(!result.faults.is_empty() || result == good, "byte {i}");
    }
}

#[test]
fn a_missing_file_is_an_error_not_a_fault() {
    assert!(matches!(
        export::bundle::verify(Path::new("/nonexistent/bundle.zip"), None),
        Err(ExportError::Io { .. })
    ));
}

#[test]
fn a_verifier_that_was_replaced_is_told() {
    for name in ["verify.py", "verify.html"] {
        let (_dir, path) = bundle_of(&Story::usual(), |_| {});
        repack(&path, |files| edit(files, name, |_| "print('all is well')".to_owned()));
        let result = check(&path, Some(&fingerprint()));
        assert_eq!(result.faults, []);
        assert!(result.notes.iter().any(|note| note.en.contains(name)), "{:?}", result.notes);
    }
}

#[test]
fn behind_a_fault_nothing_is_said_of_missing_signatures() {
    let (_dir, path) = bundle_of(&Story::usual(), |_| {});
    repack(&path, |files| files.retain(|f| f.0 != "checkpoint.txt"));
    let result = check(&path, Some(&fingerprint()));
    assert!(!result.faults.is_empty());
    assert_eq!(result.notes, []);
}

#[test]
fn whose_lines_are_not_signed_yet_is_told_by_name_where_that_is_disclosed() {
    let mut story = Story::new();
    story.member(Event::MemberInvited, BOB, Some(Role::Technician), &key(3), (ALICE, &key(2)));
    story.member(Event::MemberJoined, BOB, Some(Role::Technician), &key(4), (BOB, &key(3)));
    let entry = [(field::ENTRY, "Dupont/web"), (field::MEMBER, "Bob\u{202e}")];
    story.put(Event::SecretRevealed, BOB, &entry, None);
    let notes = |redact: &[&str]| {
        let redact = redact.iter().map(|name| (*name).to_owned()).collect();
        let (_dir, path) = bundle_of(&story, |request| request.redact = redact);
        let verified = check(&path, Some(&fingerprint()));
        assert_eq!(verified.faults, []);
        verified.notes.into_iter().map(|note| note.en).collect::<Vec<_>>()
    };
    assert_eq!(notes(&[]), ["Member Bob\u{fffd} has not signed their last lines yet."]);
    let unnamed = format!("Member {BOB} has not signed their last lines yet.");
    assert_eq!(notes(&[field::MEMBER]), [unnamed]);
}

#[test]
fn one_unsigned_line_is_told_as_one() {
    let story = Story::usual();
    let mut verifier = poterne::audit::Verifier::new();
    for leaf in story.leaves() {
        verifier.push(&leaf).expect("untouched");
    }
    let told = export::verified(&verifier.summary(), Vec::new(), |_| Some("Alice".to_owned()));
    let notes: Vec<&str> = told.notes.iter().map(|note| note.fr.as_str()).collect();
    let alice = "Le membre Alice n’a pas encore signé ses dernières lignes.";
    assert_eq!(notes, ["La dernière ligne n’est pas encore signée.", alice]);
}
