//! KeePassXC and SQLCipher at the same work. Each is asked as a person's script
//! would ask it: one process per question.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::meter::{line, median, there, time, title, took};

/// Entries in KeePassXC’s file.
const KDBX_ENTRIES: u32 = 100_000;
const ROWS: u32 = 100_000;
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

pub fn run(folder: &Path) {
    title(&format!("KeePassXC, {KDBX_ENTRIES} entries, its key stretching set to 0.1 s"));
    if there("keepassxc-cli") {
        keepassxc(folder);
    }
    title(&format!("SQLCipher, {ROWS} rows, raw key (no key stretching)"));
    if there("sqlcipher") {
        sqlcipher(folder);
    }
}

fn run_one(program: &str, args: &[&str], input: &str) -> Duration {
    time(|| {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("takes it");
        assert!(child.wait().expect("ends").success(), "{program} {args:?}");
    })
}

/// A KeePassXC file of this many entries, its password `pw`, and the name of one
/// in the middle.
pub fn kdbx(folder: &Path, entries: u32) -> (String, String) {
    let at = |ending: &str| folder.join(format!("rival-{entries}.{ending}")).display().to_string();
    let (xml, file) = (at("xml"), at("kdbx"));
    let _ = std::fs::remove_file(&file);
    let mut text = String::from(
        "<?xml version=\"1.0\"?><KeePassFile><Meta><Generator>trial</Generator></Meta><Root>\
         <Group><UUID>Q3clP+RsTlSwSO9KU1fJeA==</UUID><Name>Root</Name>",
    );
    for n in 0..entries {
        let id = data_encoding::BASE64.encode(&u128::from(n + 1).to_be_bytes());
        write!(
            text,
            "<Entry><UUID>{id}</UUID><String><Key>Title</Key><Value>bdd-{n:06}</Value></String>\
             <String><Key>UserName</Key><Value>admin</Value></String>\
             <String><Key>Password</Key><Value>secret-{n:06}</Value></String>\
             <String><Key>URL</Key><Value>bdd-{n:06}.client.example</Value></String></Entry>"
        )
        .expect("a text grows");
    }
    text.push_str("</Group></Root></KeePassFile>");
    std::fs::write(&xml, text).expect("is written");
    run_one("keepassxc-cli", &["import", "-q", "-p", "-t", "100", &xml, &file], "pw\npw\n");
    (file, format!("bdd-{:06}", entries / 2))
}

fn keepassxc(folder: &Path) {
    let (file, word) = kdbx(folder, KDBX_ENTRIES);
    let file = file.as_str();
    let one = |args: &[&str], runs| median(runs, || run_one("keepassxc-cli", args, "pw\n"));
    took("show one entry", one(&["show", "-q", file, &word], 3), "");
    took("search", one(&["search", "-q", file, &word], 3), "");
    let mut n = 0;
    let add = median(3, || {
        n += 1;
        run_one("keepassxc-cli", &["add", "-q", file, &format!("new-{n}")], "pw\n")
    });
    let bytes = std::fs::metadata(file).expect("is there").len();
    took("add one entry", add, &format!("writes the whole file, {} KiB", bytes / 1024));
}

fn sqlcipher(folder: &Path) {
    let file = folder.join("rival.db");
    let file = file.to_str().expect("UTF-8");
    let _ = std::fs::remove_file(file);
    let key = format!("pragma key = \"x'{KEY}'\";");
    let make = format!(
        "{key} create table e(id integer primary key, name text, host text, user text, secret text);
         with recursive n(i) as (select 1 union all select i+1 from n where i < {ROWS})
         insert into e select i, 'bdd-'||i, 'bdd-'||i||'.client.example', 'admin',
         hex(randomblob(200)) from n;\n"
    );
    run_one("sqlcipher", &[file], &make);
    let read = format!("{key} select * from e where id = 50000;\n");
    let whole = median(11, || run_one("sqlcipher", &[file], &read));
    took("one row, a process for it", whole, "");
    let many = (0..200)
        .map(|n| format!("select * from e where id = {};\n", n * 487 % ROWS + 1))
        .collect::<String>();
    let many = median(5, || run_one("sqlcipher", &[file], &format!("{read}{many}")));
    took("one row more in the same process", many.saturating_sub(whole) / 200, "");
    let edit = format!("{read}update e set host = hex(randomblob(20)) where id = 50000;\n");
    let edit = median(11, || run_one("sqlcipher", &[file], &edit));
    took("one row changed, a process for it", edit, "");
    line("its file", &format!("{} KiB", std::fs::metadata(file).map_or(0, |m| m.len()) / 1024), "");
}
