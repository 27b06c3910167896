//! Lines, notes and bundles of the log.

use std::io::{Read, Write};
use std::path::Path;

use poterne::app::api::ExportFormat;
use poterne::app::export;
use poterne::audit::verifier::Verifier;
use poterne::audit::{Checkpoint, checkpoint, line, opening};

use super::{MIB, fuzz, within};
use crate::audit_bundle;
use crate::audit_log::{Story, VAULT as STORY, key as audit_key, pk};

#[test]
fn audit_lines_and_notes() {
    let story = Story::usual();
    let mut valid: Vec<Vec<u8>> = story.lines.iter().map(|l| l.leaf.clone()).collect();
    valid.extend(story.lines.iter().map(|l| l.opening.clone()));
    let note = audit_bundle::meta(&story).note;
    let vkey = checkpoint::vkey("poterne/x", &[7; 32]);
    valid.extend([note.into_bytes(), vkey.into_bytes()]);
    let leaf = story.lines[0].leaf.clone();
    fuzz(5000, valid, |bytes| {
        within(MIB, || {
            if let Some(line) = line::parse(bytes) {
                assert!(line.commitments.is_sorted_by(|a, b| a.0 < b.0));
                assert_eq!(line.at.to_string().parse(), Ok(line.at));
            }
            let _ = line::open(0, bytes, None);
            let _ = line::open(0, &leaf, Some(bytes));
            if let Some(opened) = opening::decode(bytes) {
                assert_eq!(opening::encode(opened), bytes);
            }
            let mut verifier = Verifier::new();
            let _ = verifier.push(&leaf);
            let _ = verifier.push(bytes);
            let _ = (verifier.summary(), verifier.finish());
            let text = String::from_utf8_lossy(bytes);
            if let Some((head, signatures)) = Checkpoint::parse(&text) {
                assert!(text.starts_with(&head.body()));
                let _ = signatures.iter().filter(|s| s.verify(&head, &[7; 32])).count();
            }
            if let Some((name, pk)) = checkpoint::parse_vkey(&text) {
                assert_eq!(checkpoint::vkey(name, &pk), text);
            }
            if let Some(fp) = checkpoint::normal_fingerprint(&text) {
                assert_eq!(checkpoint::normal_fingerprint(&fp), Some(fp));
            }
        });
    });
}

/// A bundle of the story in a folder of its own.
fn bundle(story: &Story, redact: &[&str]) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("bundle.zip");
    let mut request = audit_bundle::request(ExportFormat::Bundle, &out);
    request.redact = redact.iter().map(|name| (*name).to_owned()).collect();
    let lines = audit_bundle::stored(story);
    export::write(&request, &audit_bundle::meta(story), &lines, &mut |_, _| true).expect("room");
    (dir, out)
}

fn unpacked(from: &Path) -> Vec<(String, Vec<u8>)> {
    let file = std::fs::File::open(from).expect("it was written");
    let mut zip = zip::ZipArchive::new(file).expect("a ZIP");
    let all = 0..zip.len();
    let read = |i: usize| {
        let mut file = zip.by_index(i).expect("listed");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("whole");
        (file.name().expect("UTF-8").into_owned(), bytes)
    };
    all.map(read).collect()
}

fn pack(to: &Path, files: Vec<(String, Vec<u8>)>) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(to).expect("room"));
    for (name, bytes) in files {
        let plain = zip::write::SimpleFileOptions::default();
        zip.start_file(name, plain).expect("a new entry");
        zip.write_all(&bytes).expect("room");
    }
    zip.finish().expect("room");
}

#[test]
fn audit_bundles() {
    let story = Story::usual();
    let (dir, good) = bundle(&story, &[]);
    let (_redacted, less) = bundle(&story, &["entry"]);
    let files = [&good, &less].map(|f| std::fs::read(f).expect("it was written"));
    let file = dir.path().join("damaged.zip");
    let fingerprint = poterne::audit::fingerprint(STORY, &pk(&audit_key(1)));
    let same = files.clone();
    let check = |file: &Path, bytes: &[u8]| {
        std::fs::write(file, bytes).expect("room");
        let fp = Some(fingerprint.as_str());
        let found = within(40 * MIB, || export::bundle::verify(file, fp));
        let found = found.expect("the file can be read");
        let sound = found.faults.is_empty();
        assert_eq!(sound, found.origin_proven);
        sound
    };
    fuzz(250, files.to_vec(), |bytes| {
        let sound = check(&file, bytes);
        // Whoever has the fingerprint is told of every damage but that of the
        // two verifiers and the words beside them, which prove nothing.
        assert!(sound || !same.iter().any(|f| f == bytes));
    });
    // Damage inside a file of the bundle, packed again as if nothing were.
    let names = ["audit.jsonl", "checkpoint.txt", "vkey.txt"];
    let whole = unpacked(&good);
    let part = |name: &str| whole.iter().find(|f| f.0 == name).expect("it is there").1.clone();
    let parts = names.iter().enumerate().map(|(n, name)| [vec![n as u8], part(name)].concat());
    fuzz(250, parts.collect(), |bytes| {
        let Some((n, content)) = bytes.split_first() else { return };
        let name = names[usize::from(*n) % names.len()];
        let mut files = whole.clone();
        files.iter_mut().filter(|f| f.0 == name).for_each(|f| f.1 = content.to_vec());
        let changed = content != part(name);
        pack(&file, files);
        let bytes = std::fs::read(&file).expect("it was packed");
        let sound = check(&file, &bytes);
        assert!(!(sound && changed && name != "audit.jsonl"), "{name} was changed unseen");
    });
}
