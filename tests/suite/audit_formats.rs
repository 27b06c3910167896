//! The other export formats, read back by what reads them elsewhere.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use poterne::app::api::ExportFormat;
use poterne::app::export::{self, ExportError, ExportMeta, KitMeta, kit_pdf};
use poterne::model::audit_event::{Event, field};
use poterne::model::lang::Lang;

use super::audit_bundle::{meta, request, stored};
use super::audit_log::{ALICE, Story, at};

/// Values that every format must carry unharmed, or disarm.
const NASTY: [&str; 8] = [
    "=HYPERLINK(\"http://x\")",
    "a,b \"c\" d",
    "two\r\nlines",
    "pipe | back \\ equal = bracket ]",
    "<script>alert('&')</script>",
    "Été à Nîmes – 日本",
    "+33 1 23 45",
    "tab\tand \u{1} control",
];

fn story() -> Story {
    let mut s = Story::new();
    for (i, value) in NASTY.iter().enumerate() {
        let fields = [
            (field::MEMBER, "Alice Martin"),
            (field::MACHINE, "poste-12"),
            (field::CLIENT, "Dupont & Fils"),
            (field::ENTRY, "Dupont & Fils/Serveurs/web1"),
            (field::HOST, "192.0.2.7"),
            (field::PORT, "2222"),
            (field::REMOTE_USER, "root"),
            (field::CONNECTOR, "ssh"),
            (field::SESSION, "0123456789abcdef0123456789abcdef"),
            (field::DURATION_MS, "61000"),
            (field::BYTES_IN, "5000000000"),
            (field::TICKET, "ART-2026-0042"),
            (field::DETAIL, *value),
        ];
        let event = [Event::SessionClosed, Event::SecretRevealed, Event::SessionFailed][i % 3];
        s.put(event, ALICE, &fields, None);
    }
    s
}

fn written(format: ExportFormat, lang: Lang) -> (tempfile::TempDir, PathBuf, Story) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("export");
    let mut request = request(format, &out);
    request.lang = lang;
    request.filter.since = Some(at(1));
    request.redact = vec![field::SESSION.into()];
    let story = story();
    let mut told = 0;
    let lines = export::write(&request, &meta(&story), &stored(&story), &mut |n, _| {
        told = n;
        true
    })
    .expect("it is writable");
    assert_eq!(
        (lines.lines, told),
        (8, if format == ExportFormat::Pdf { 18 } else { 9 }),
        "genesis is before the period"
    );
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1, "nothing beside it");
    (dir, out, story)
}

fn python(script: &str, file: &Path) -> serde_json::Value {
    let output = Command::new("python3").args(["-c", script]).arg(file).output();
    let output = output.expect("python3 is installed");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

fn hash(story: &Story, seq: usize) -> String {
    poterne::audit::hash::hex(&story.lines[seq].hash)
}

#[test]
fn csv_is_read_back_and_runs_no_formula() {
    let (_dir, out, story) = written(ExportFormat::Csv, Lang::Fr);
    let rows = python(
        "import csv,json,sys\nprint(json.dumps(list(csv.DictReader(open(sys.argv[1],encoding='utf-8',newline='')))))",
        &out,
    );
    let rows = rows.as_array().expect("rows");
    assert_eq!(rows.len(), 8);
    for (i, (row, value)) in rows.iter().zip(NASTY).enumerate() {
        let disarmed = match value.starts_with(['=', '+']) {
            true => format!("'{value}"),
            false => value.to_owned(),
        };
        assert_eq!(row["detail"], disarmed);
        assert_eq!(row["seq"], (i + 1).to_string());
        assert_eq!(row["leaf_hash"], hash(&story, i + 1));
        assert_eq!(row["client"], "Dupont & Fils");
        assert!(row.get("session").is_none(), "redacted");
    }
    let text = fs::read_to_string(&out).expect("text");
    assert!(text.lines().next().expect("a header").starts_with("seq,time,actor,event,ok,member"));
    assert_eq!(text.matches("\r\n").count(), 9 + 1, "RFC 4180 ends records with CRLF");
}

#[test]
fn a_redacted_value_that_stands_elsewhere_too_is_told() {
    let told = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let found = export::still_readable(&names);
        found.iter().map(|(n, open)| format!("{n}: {}", open.join(" "))).collect::<Vec<_>>()
    };
    assert_eq!(told(&["client"]), ["client: entry subject detail"]);
    assert_eq!(told(&["client", "entry", "subject", "member", "detail"]), [""; 0]);
    assert_eq!(told(&["ticket", "reason"]), [""; 0]);
}

#[test]
fn reports_tell_the_words_of_the_log_and_formats_for_machines_keep_them() {
    let mut story = Story::new();
    let who = (field::MEMBER, "alice");
    let mut put = |event, fields: &[(&'static str, &str)]| {
        story.put(event, ALICE, &[&[who], fields].concat(), None);
    };
    put(Event::EntryRestored, &[(field::DETAIL, "bin")]);
    put(Event::TotpShown, &[(field::SLOT, "code copied")]);
    put(Event::EntryCreated, &[(field::CONNECTOR, "folder")]);
    put(Event::SettingsChanged, &[(field::DETAIL, "idle-lock 600 -> 30")]);
    put(Event::SessionFailed, &[(field::DETAIL, "host-key-refused: The key of h was refused.")]);
    let told = |format, lang| {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut request = request(format, &dir.path().join("export"));
        request.lang = lang;
        export::write(&request, &meta(&story), &stored(&story), &mut |_, _| true)
            .expect("writable");
        let text = all_text(format, &request.out);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let french = ["de la corbeille", "copié", "Dossier", "600 → 30", "clé du serveur non acceptée"];
    let english =
        ["from the recycle bin", "copied", "Folder", "600 → 30", "The key of h was refused"];
    for format in [ExportFormat::Html, ExportFormat::Xlsx] {
        for (lang, words) in [(Lang::Fr, french), (Lang::En, english)] {
            let text = told(format, lang);
            for word in words {
                assert!(text.contains(word), "{format:?}: {word} in {text}");
            }
            assert!(!text.contains("host-key-refused:") && !text.contains(">bin<"), "{text}");
        }
    }
    let page = told(ExportFormat::Pdf, Lang::Fr);
    assert!(page.contains("de la corbeille") && page.contains("non acceptée"), "{page}");
    for format in [ExportFormat::Csv, ExportFormat::Jsonl, ExportFormat::Cef, ExportFormat::Syslog]
    {
        let text = told(format, Lang::Fr);
        for word in ["bin", "code copied", "folder", "idle-lock 600 -> 30", "host-key-refused: "] {
            assert!(text.contains(word), "{format:?}: {word} in {text}");
        }
    }
}

/// Everything a report or bundle says in words, whatever its format.
fn all_text(format: ExportFormat, out: &Path) -> String {
    match format {
        ExportFormat::Pdf => {
            let info = Command::new("pdfinfo").arg(out).output().expect("poppler-utils");
            format!("{}\n{}", pdf_text(out).join("\n"), String::from_utf8_lossy(&info.stdout))
        }
        ExportFormat::Xlsx | ExportFormat::Bundle => python(
            "import json,sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nprint(json.dumps('\\n'.join(z.read(n).decode() for n in z.namelist() if not n.startswith('verify.'))))",
            out,
        )
        .as_str()
        .expect("text")
        .to_owned(),
        _ => fs::read_to_string(out).expect("text"),
    }
}

#[test]
fn what_is_redacted_does_not_stand_in_the_head_either() {
    let told = |format, redact: &[&str], lang| {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut request = request(format, &dir.path().join("export"));
        request.lang = lang;
        request.redact = redact.iter().map(|n| (*n).to_owned()).collect();
        request.filter.members = vec!["Alice Martin".into()];
        request.filter.clients = vec!["Dupont & Fils".into()];
        request.filter.text = "web1".into();
        let story = story();
        let meta = ExportMeta { exporter: "Béatrice".into(), ..meta(&story) };
        export::write(&request, &meta, &stored(&story), &mut |_, _| true).expect("writable");
        all_text(format, &request.out)
    };
    let secret = ["Alice", "Dupont", "web1", "Béatrice"];
    let (fr, en) = (Lang::Fr, Lang::En);
    for format in [ExportFormat::Pdf, ExportFormat::Html, ExportFormat::Xlsx, ExportFormat::Bundle]
    {
        for (lang, words) in [(fr, "choix masqué"), (en, "chosen, redacted")] {
            let text = told(format, &["member", "client", "entry", "detail"], lang);
            for word in secret {
                assert!(!text.contains(word), "{format:?}: {word} in {text}");
            }
            assert!(format == ExportFormat::Bundle || text.contains(words), "{format:?}: {text}");
        }
        let open = told(format, &[], fr);
        assert!(open.contains("Béatrice") && !open.contains("masqué,"), "{format:?}");
        let less = told(format, &["ticket"], fr);
        assert!(less.contains("Béatrice"), "{format:?}");
        if format != ExportFormat::Bundle {
            assert!(less.contains("Alice") && less.contains("choisis, masqués"), "{format:?}");
        }
    }
}

#[test]
fn json_lines_hold_every_value() {
    let (_dir, out, story) = written(ExportFormat::Jsonl, Lang::Fr);
    let text = fs::read_to_string(&out).expect("text");
    for (i, (line, value)) in text.lines().zip(NASTY).enumerate() {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(row["fields"]["detail"], value);
        assert_eq!(row["leaf_hash"], hash(&story, i + 1));
        assert_eq!(row["actor"], ALICE.to_string());
        assert!(row["fields"].get("session").is_none(), "redacted");
    }
    assert_eq!(text.lines().count(), 8);
}

#[test]
fn syslog_messages_have_the_grammar_of_rfc_5424() {
    let (_dir, out, story) = written(ExportFormat::Syslog, Lang::Fr);
    let rows = python(
        r#"
import json, re, sys
rows = []
for line in open(sys.argv[1], encoding="utf-8", newline="\n"):
    m = re.fullmatch(r'<(\d{1,3})>1 (\S+) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) \[(\S+)((?: [^ =\]"]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\] (\ufeff.*)\n', line)
    params = {k: re.sub(r'\\(["\\\]])', r'\1', v) for k, v in re.findall(r' ([^ =]+)="((?:[^"\\\]]|\\.)*)"', m[8])}
    rows.append([m[1], m[2], m[3], m[4], m[6], m[7], params])
print(json.dumps(rows))
"#,
        &out,
    );
    let rows = rows.as_array().expect("rows");
    assert_eq!(rows.len(), 8);
    assert_eq!(rows[0][0], "109", "log audit, notice");
    assert_eq!(rows[2][0], "108", "log audit, warning");
    assert_eq!(rows[0][2], "poste-12");
    assert_eq!(rows[0][4], "session.closed");
    assert_eq!(rows[0][5], "poterne@32473");
    assert_eq!(rows[3][6]["detail"], NASTY[3]);
    assert_eq!(rows[2][6]["detail"], "two  lines");
    assert_eq!(rows[5][6]["hash"], hash(&story, 6));
    assert!(rows[0][6].get("session").is_none(), "redacted");
}

#[test]
fn cef_extensions_are_read_back() {
    let (_dir, out, story) = written(ExportFormat::Cef, Lang::Fr);
    let rows = python(
        r#"
import json, re, sys
rows = []
for line in open(sys.argv[1], encoding="utf-8", newline="\n"):
    head = re.match(r'((?:[^|\\]|\\.)*\|){7}', line)
    parts = re.split(r'(?<!\\)\|', head[0])[:7]
    ext = line[head.end():].rstrip("\n")
    keys = list(re.finditer(r'(?:^| )([A-Za-z0-9]+)(?<!\\)=', ext))
    row = {"head": parts}
    for k, n in zip(keys, keys[1:] + [None]):
        value = ext[k.end():n.start() if n else len(ext)]
        row[k[1]] = re.sub(r'\\(.)', lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), value)
    rows.append(row)
print(json.dumps(rows))
"#,
        &out,
    );
    let rows = rows.as_array().expect("rows");
    assert_eq!(rows.len(), 8);
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row["head"][0], "CEF:0");
        assert_eq!(row["msg"], NASTY[i]);
        assert_eq!(row["externalId"], (i + 1).to_string());
        assert_eq!(row["cs5"], hash(&story, i + 1));
        assert_eq!(row["cs1"], "Dupont & Fils");
        assert_eq!(row["dpt"], "2222");
        assert!(row.get("cs4").is_none(), "redacted");
    }
    assert_eq!(rows[2]["outcome"], "failure");
    assert_eq!(rows[2]["head"][4], "session.failed");
}

#[test]
fn ocsf_events_have_class_activity_and_type() {
    let (_dir, out, story) = written(ExportFormat::Ocsf, Lang::Fr);
    let text = fs::read_to_string(&out).expect("text");
    let rows: Vec<serde_json::Value> =
        text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let types: Vec<_> = rows.iter().map(|r| r["type_uid"].as_u64().expect("a number")).collect();
    assert_eq!(types[..3], [400_702, 600_510, 400_704]);
    for (i, row) in rows.iter().enumerate() {
        let class = row["class_uid"].as_u64().expect("a number");
        assert_eq!(row["category_uid"], class / 1000);
        assert_eq!(row["metadata"]["uid"], hash(&story, i + 1));
        assert_eq!(row["metadata"]["sequence"], i + 1);
        assert_eq!(row["message"], NASTY[i]);
        assert_eq!(row["actor"]["user"]["name"], "Alice Martin");
        // Network and Datastore Activity both require it.
        assert_eq!(row["src_endpoint"]["hostname"], "poste-12");
    }
    assert_eq!(rows[0]["dst_endpoint"]["port"], 2222);
    assert_eq!(rows[0]["duration"], 61_000);
}

#[test]
fn ocsf_events_say_what_is_known_and_nothing_empty() {
    fn empty(value: &serde_json::Value) -> bool {
        use serde_json::Value as V;
        match value {
            V::Null => true,
            V::String(text) => text.is_empty(),
            V::Object(members) => members.is_empty() || members.values().any(empty),
            V::Array(items) => items.iter().any(empty),
            V::Bool(_) | V::Number(_) => false,
        }
    }
    let mut story = Story::new();
    let mut put = |event, fields: &[(&'static str, &str)]| story.put(event, ALICE, fields, None);
    let at = |kind, host| [(field::CONNECTOR, kind), (field::HOST, host), (field::MACHINE, "p-1")];
    put(Event::SessionOpened, &at("shell", ""));
    put(Event::SessionOpened, &at("serial", "/dev/ttyUSB0"));
    put(Event::SessionClosed, &[&at("telnet", "192.0.2.7")[..], &[(field::PORT, "23")]].concat());
    put(Event::SettingsChanged, &[(field::DETAIL, "idle-lock 600 -> 30")]);
    put(Event::MemberRemoved, &[(field::SUBJECT, "bob")]);
    put(Event::BackupMade, &[(field::FILE, "copie")]);
    put(Event::UnlockRefused, &[]);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("export");
    let request = request(ExportFormat::Ocsf, &out);
    export::write(&request, &meta(&story), &stored(&story), &mut |_, _| true).expect("written");
    let text = fs::read_to_string(&out).expect("text");
    let mut rows: Vec<serde_json::Value> =
        text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    for row in &mut rows {
        row.as_object_mut().expect("an object").remove("unmapped");
        assert!(!empty(row), "{row}");
        assert!(row["actor"]["user"].is_object());
    }
    let to: Vec<String> = rows[1..4].iter().map(|row| row["dst_endpoint"].to_string()).collect();
    let telnet = r#"{"hostname":"192.0.2.7","port":23}"#;
    assert_eq!(to, [r#"{"hostname":"p-1"}"#, r#"{"name":"/dev/ttyUSB0"}"#, telnet]);
    assert_eq!(rows[5]["user"]["name"], "bob");
    assert!(rows[7]["user"].is_object(), "a refused unlock is somebody's");
}

#[test]
fn the_page_is_self_contained_and_runs_nothing_from_a_value() {
    let (_dir, out, story) = written(ExportFormat::Html, Lang::Fr);
    let rows = python(
        r#"
import html.parser, json, sys
class P(html.parser.HTMLParser):
    rows, cell, tags = [], None, []
    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not any(a[0] in ("src", "href") for a in attrs), attrs
        if tag == "tr": self.rows.append([])
        if tag in ("td", "th"): self.cell = ""
    def handle_endtag(self, tag):
        if tag in ("td", "th"): self.rows[-1].append(self.cell); self.cell = None
    def handle_data(self, data):
        if self.cell is not None: self.cell += data
p = P(); p.feed(open(sys.argv[1], encoding="utf-8", newline="").read())
assert p.tags.count("script") == 1
print(json.dumps(p.rows))
"#,
        &out,
    );
    let rows = rows.as_array().expect("rows");
    assert_eq!(rows.len(), 9);
    assert_eq!(rows[0][2], "Événement");
    for (i, value) in NASTY.iter().enumerate() {
        let row = rows[i + 1].as_array().expect("cells");
        assert!(row[7].as_str().expect("text").ends_with(value), "{row:?}");
        assert_eq!(row[8], hash(&story, i + 1));
    }
}

#[test]
fn the_workbook_opens_as_xml_with_text_that_is_no_formula() {
    let (_dir, out, story) = written(ExportFormat::Xlsx, Lang::Fr);
    let sheets = python(
        r#"
import json, re, sys, zipfile
import xml.etree.ElementTree as E
z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
n = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
shared = [] 
if "xl/sharedStrings.xml" in z.namelist():
    shared = ["".join(t.text or "" for t in si.iter("{%s}t" % n["m"])) for si in E.fromstring(z.read("xl/sharedStrings.xml"))]
names = [s.get("name") for s in E.fromstring(z.read("xl/workbook.xml")).find("m:sheets", n)]
out = {"names": names, "sheets": [], "numbers": []}
for i in range(len(names)):
    root = E.fromstring(z.read("xl/worksheets/sheet%d.xml" % (i + 1)))
    assert root.find(".//m:f", n) is None
    rows = []
    for row in root.iter("{%s}row" % n["m"]):
        cells = {}
        for c in row:
            v = c.find("m:v", n)
            text = "".join(t.text or "" for t in c.iter("{%s}t" % n["m"])) if c.get("t") == "inlineStr" else (v.text if v is not None else "")
            if c.get("t") == "s": text = shared[int(v.text)]
            if c.get("t") in (None, "n"): out["numbers"].append(text)
            cells[re.match("[A-Z]+", c.get("r"))[0]] = re.sub("_x([0-9A-F]{4})_", lambda m: chr(int(m[1], 16)), text)
        rows.append(cells)
    out["sheets"].append(rows)
print(json.dumps(out))
"#,
        &out,
    );
    assert_eq!(sheets["names"], serde_json::json!(["À propos", "Journal 1"]));
    let numbers = sheets["numbers"].to_string();
    assert!(numbers.contains("\"5000000000\"") && numbers.contains("\"61000\""), "{numbers}");
    let about = sheets["sheets"][0].to_string();
    assert!(about.contains(&meta(&story).fingerprint()) && about.contains("Été & Fils"));
    let rows = sheets["sheets"][1].as_array().expect("rows");
    assert_eq!(rows.len(), 9);
    for (i, value) in NASTY.iter().enumerate() {
        let row = rows[i + 1].to_string();
        let told = serde_json::to_string(&value.replace("\r\n", "\n")).expect("text");
        let same = row.replace("\\r\\n", "\\n").contains(&told);
        assert!(same, "{row} lacks {told}");
        assert!(row.contains(&hash(&story, i + 1)));
    }
}

/// The text of a PDF page by page, as `pdftotext` reads it.
fn pdf_text(file: &Path) -> Vec<String> {
    let output =
        Command::new("pdftotext").args(["-layout", "-enc", "UTF-8"]).arg(file).arg("-").output();
    let output = output.expect("poppler-utils is installed");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.split('\u{c}').filter(|p| !p.trim().is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_report_carries_fingerprint_and_root_on_each_page_and_hash_on_each_row() {
    for (lang, title, event) in [
        (Lang::Fr, "Journal des accès", "Session fermée"),
        (Lang::En, "Access log", "Session closed"),
    ] {
        let (_dir, out, story) = written(ExportFormat::Pdf, lang);
        let pages = pdf_text(&out);
        assert_eq!(pages.len(), 2);
        for (i, page) in pages.iter().enumerate() {
            assert!(page.contains(&meta(&story).fingerprint()), "{page}");
            assert!(page.contains(meta(&story).root()), "{page}");
            assert!(page.contains(title), "{page}");
            let bare: String = page.split_whitespace().collect();
            assert!(bare.contains(&format!("{}/2", i + 1)), "{page}");
        }
        assert!(pages[1].contains(event), "{}", pages[1]);
        assert!(pages[1].contains("Nîmes – 日本"), "{}", pages[1]);
        for seq in 1..=8 {
            assert!(pages[1].contains(&hash(&story, seq)), "line {seq}");
        }
    }
}

#[test]
fn a_long_report_comes_in_files_of_which_each_says_where_it_belongs() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("rapport.pdf");
    let mut request = request(ExportFormat::Pdf, &out);
    request.filter.events = vec![Event::Unlocked];
    let mut story = Story::new();
    for _ in 0..15_002 {
        story.put(Event::Unlocked, ALICE, &[], None);
    }
    let whole = |give_up: bool| {
        let mut steps = 0;
        export::write(&request, &meta(&story), &stored(&story), &mut |_, _| {
            steps += 1;
            !(give_up && steps == 31)
        })
    };
    // Given up behind the first file: neither is there.
    assert!(matches!(whole(true), Err(ExportError::Cancelled)));
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0);

    let written = whole(false).expect("it is writable");
    assert_eq!(written.lines, 15_002);
    assert_eq!(written.files, [out, dir.path().join("rapport-2.pdf")]);
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 2);
    let pages = |file: &Path| pdf_text(file).into_iter().collect::<Vec<_>>();
    let (first, second) = (pages(&written.files[0]), pages(&written.files[1]));
    assert!(first[0].contains("1 sur 2 : de la ligne 1 à la ligne 15000"), "{}", first[0]);
    assert!(second[0].contains("2 sur 2 : de la ligne 15001 à la ligne 15002"), "{}", second[0]);
    assert_eq!(second.len(), 2);
    assert!(second[1].contains("fichier 2 / 2 – 2 / 2"), "{}", second[1]);
    assert!(second[1].contains(&hash(&story, 15_002)), "{}", second[1]);
    assert!(first.last().expect("pages").contains(&hash(&story, 15_000)));
}

#[test]
fn a_damaged_line_stops_every_format_and_leaves_the_old_file() {
    for format in ExportFormat::ALL {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let out = dir.path().join("export");
        fs::write(&out, b"older").expect("writable");
        let story = story();
        let mut lines = stored(&story);
        let last = lines.0[4].1.len() - 1;
        lines.0[4].1[last] ^= 1;
        let result = export::write(&request(format, &out), &meta(&story), &lines, &mut |_, _| true);
        assert!(matches!(result, Err(ExportError::Fault(_))), "{format:?}: {result:?}");
        assert_eq!(fs::read(&out).expect("still there"), b"older");
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1);
    }
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let request = request(ExportFormat::Csv, Path::new("/nonexistent/folder/log.csv"));
    let story = story();
    let result = export::write(&request, &meta(&story), &stored(&story), &mut |_, _| true);
    assert!(matches!(result, Err(ExportError::Io { .. })));
}

#[test]
fn the_kit_shows_its_code_as_text_and_as_a_qr_code() {
    let code = "ABCD-EFGH-JKMN-PQRS-TVWX-YZ23-4567-89AB-CDEF";
    for lang in [Lang::Fr, Lang::En] {
        let meta = KitMeta {
            vault: "Été & Fils.poterne",
            member: "Zoé",
            fingerprint: "RUDG-XHBF-262L-3OLK-M4PD-5KQG-X4",
            at: at(0),
            lang,
        };
        let bytes = kit_pdf(code, &meta).expect("it is short");
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("kit.pdf");
        fs::write(&file, &bytes).expect("writable");
        let text = pdf_text(&file).concat();
        for group in code.split('-') {
            assert!(text.contains(group), "{text}");
        }
        assert!(text.contains("Zoé") && text.contains(meta.fingerprint), "{text}");
        let image = dir.path().join("kit");
        let drawn = Command::new("pdftoppm")
            .args(["-r", "110", "-png", "-singlefile"])
            .arg(&file)
            .arg(&image)
            .status();
        assert!(drawn.expect("poppler-utils is installed").success());
        let mut png = Vec::new();
        let opened = fs::File::open(image.with_extension("png"));
        opened.expect("just drawn").read_to_end(&mut png).expect("readable");
        let grey = image::load_from_memory(&png).expect("a PNG").to_luma8();
        let mut page = rqrr::PreparedImage::prepare(grey);
        let found = page.detect_grids();
        let (_, content) = found[0].decode().expect("readable");
        assert_eq!(content, code);
    }
}
