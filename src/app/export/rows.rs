//! The formats for machines: CSV, JSON Lines, syslog, CEF and OCSF. One line of
//! the log becomes one record, with its sequence number and leaf hash.

use std::borrow::Cow;
use std::io::{self, Write};

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use crate::audit::Hash;
use crate::audit::line::Seen;
use crate::model::audit_event::{Event, OpenLine, field};
use crate::model::id::{MemberId, VaultId};
use crate::model::time::Time;

/// Columns of the CSV before those of the fields.
const FIRST: [&str; 5] = ["seq", "time", "actor", "event", "ok"];

/// Fields that have a column in CSV.
pub fn columns(redact: &[String]) -> Vec<&'static str> {
    field::ALL.iter().copied().filter(|n| redact.iter().all(|r| r != n)).collect()
}

/// RFC 4180, UTF-8.
fn csv_writer(out: &mut Vec<u8>) -> csv::Writer<&mut Vec<u8>> {
    csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .buffer_capacity(1024)
        .from_writer(out)
}

/// The first record: names.
pub fn csv_head(out: &mut Vec<u8>, redact: &[String]) -> io::Result<()> {
    let mut out = csv_writer(out);
    out.write_record(FIRST.iter().chain(&columns(redact)).chain(&["leaf_hash"]))?;
    out.flush()
}

/// One record. What a spreadsheet would take for a formula gets an apostrophe in
/// front.
pub fn csv(out: &mut Vec<u8>, columns: &[&str], line: &OpenLine) -> io::Result<()> {
    let mut out = csv_writer(out);
    out.write_field(line.seq.to_string())?;
    out.write_field(line.at.to_string())?;
    out.write_field(line.actor.map(|a| a.to_string()).unwrap_or_default())?;
    out.write_field(line.event.word())?;
    out.write_field(line.ok.to_string())?;
    let mut fields = line.fields.iter().peekable();
    for column in columns {
        // Both in column order.
        match fields.next_if(|(name, _)| name == column) {
            Some((_, value)) => out.write_field(disarmed(value).as_bytes())?,
            None => out.write_field("")?,
        }
    }
    out.write_field(&line.leaf_hash)?;
    out.write_record(None::<&[u8]>)?;
    out.flush()
}

/// The value with an apostrophe wherever a cell may begin that a spreadsheet might
/// run: in front, and behind what another setting takes for the end of a cell (the
/// French one parts cells by semicolons, and heeds no quotes within one).
fn disarmed(value: &str) -> Cow<'_, str> {
    let parts = |c: char| matches!(c, ';' | '\t' | '\r' | '\n');
    if !formula(value) && !value.split(parts).any(formula) {
        return value.into();
    }
    let mut out = String::with_capacity(value.len() + 2);
    for (n, part) in value.split_inclusive(parts).enumerate() {
        let first = n == 0 && formula(value);
        if first || formula(part.trim_end_matches(parts)) {
            out.push('\'');
        }
        out.push_str(part);
    }
    out.into()
}

/// Whether a spreadsheet might run the cell (OWASP, "CSV injection"): full-width
/// signs included, and behind what some programs take away first.
fn formula(value: &str) -> bool {
    let skipped =
        |c: char| c == '"' || c == '\'' || c == '\u{feff}' || c == '\u{200b}' || c.is_whitespace();
    value.starts_with(['\t', '\r', '\n'])
        || value
            .trim_start_matches(skipped)
            .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// `{"seq":…,"time":…,"actor":…,"event":…,"ok":…,"fields":{…},"leaf_hash":…}`.
pub fn jsonl(out: &mut Vec<u8>, line: &OpenLine) {
    let fields = line.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let head = (line.at, line.actor, line.event, line.ok);
    object(out, line.seq, head, fields, line.leaf_hash.as_bytes());
}

/// As [`jsonl`], of a line that was not copied.
pub fn jsonl_seen(out: &mut Vec<u8>, seq: u64, line: &Seen<'_>, leaf_hash: &Hash) {
    let mut hash = [0; 64];
    HEXLOWER.encode_mut(leaf_hash, &mut hash);
    object(out, seq, (line.at, line.actor, line.event, line.ok), line.fields(), &hash);
}

fn object<'a>(
    out: &mut Vec<u8>,
    seq: u64,
    (at, actor, event, ok): (Time, Option<MemberId>, Event, bool),
    fields: impl Iterator<Item = (&'a str, &'a str)>,
    leaf_hash: &[u8],
) {
    fn put(out: &mut Vec<u8>, text: &str) {
        out.extend_from_slice(text.as_bytes());
    }
    put(out, r#"{"seq":"#);
    number(out, seq);
    put(out, r#","time":""#);
    match at.text() {
        Some(text) => out.extend_from_slice(&text),
        None => put(out, &at.to_string()),
    }
    match actor {
        None => put(out, r#"","actor":null"#),
        Some(id) => {
            put(out, r#"","actor":""#);
            let mut text = [0; 32];
            HEXLOWER.encode_mut(&id.0, &mut text);
            out.extend_from_slice(&text);
            put(out, "\"");
        }
    }
    put(out, r#","event":""#);
    put(out, event.word());
    put(out, if ok { r#"","ok":true,"fields":{"# } else { r#"","ok":false,"fields":{"# });
    for (i, (name, value)) in fields.enumerate() {
        put(out, if i == 0 { "\"" } else { ",\"" });
        put(out, name);
        put(out, "\":");
        text(out, value);
    }
    put(out, r#"},"leaf_hash":""#);
    out.extend_from_slice(leaf_hash);
    put(out, "\"}\n");
}

fn number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a JSON string. Most values need no escape, which one look without
/// branches tells.
pub(super) fn text(out: &mut Vec<u8>, value: &str) {
    let plain =
        value.bytes().fold(true, |plain, b| plain & (b >= 0x20) & (b != b'"') & (b != b'\\'));
    if plain {
        out.push(b'"');
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, value).expect("text always becomes JSON");
    }
}

/// RFC 5424, facility 13 (log audit), one message a line.
pub fn syslog(out: &mut Vec<u8>, line: &OpenLine, vault: VaultId) -> io::Result<()> {
    let severity = match (line.event, line.ok) {
        (Event::ClockBackwards | Event::OlderAccepted, _) | (_, false) => 4,
        (Event::Unlocked | Event::Locked | Event::Checkpoint, true) => 6,
        _ => 5,
    };
    let host: String =
        line.field(field::MACHINE).chars().filter(char::is_ascii_graphic).take(255).collect();
    let host = if host.is_empty() { "-" } else { &host };
    write!(
        out,
        "<{}>1 {} {host} poterne - {} [poterne@32473 seq=\"{}\" hash=\"{}\" ok=\"{}\" vault=\"{vault}\"",
        13 * 8 + severity,
        line.at,
        line.event,
        line.seq,
        line.leaf_hash,
        line.ok,
    )?;
    if let Some(actor) = line.actor {
        write!(out, " actor=\"{actor}\"")?;
    }
    for (name, value) in &line.fields {
        write!(out, " {name}=\"")?;
        for c in value.chars() {
            match c {
                '"' | '\\' | ']' => write!(out, "\\{c}")?,
                c if c.is_control() => out.write_all(b" ")?,
                c => write!(out, "{c}")?,
            }
        }
        out.write_all(b"\"")?;
    }
    out.write_all(b"] \xEF\xBB\xBF")?;
    let words = [line.field(field::MEMBER), line.field(field::ENTRY), line.field(field::DETAIL)];
    write!(out, "{}", line.event)?;
    for word in words.into_iter().filter(|w| !w.is_empty()) {
        let plain: String = word.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        write!(out, " {plain}")?;
    }
    out.write_all(b"\n")
}

/// ArcSight Common Event Format, version 0.
pub fn cef(out: &mut Vec<u8>, line: &OpenLine, vault: VaultId) -> io::Result<()> {
    let severity = match (line.event, line.ok) {
        (_, false) => 6,
        (Event::ClockBackwards | Event::OlderAccepted | Event::Recovered, _) => 7,
        (Event::SecretRevealed | Event::SecretCopied | Event::MemberRemoved, _) => 4,
        _ => 2,
    };
    let mut text = format!(
        "CEF:0|Poterne|Poterne|{}|{}|{}|{severity}|rt={} externalId={} act={} outcome={} deviceExternalId={vault} cs5Label=leafHash cs5={}",
        env!("CARGO_PKG_VERSION"),
        line.event,
        super::words::event(line.event, crate::model::lang::Lang::En),
        line.at.0.div_euclid(1000),
        line.seq,
        line.event,
        if line.ok { "success" } else { "failure" },
        line.leaf_hash,
    );
    if let Some(actor) = line.actor {
        text.push_str(&format!(" suid={actor}"));
    }
    for (name, value) in &line.fields {
        let number = value.parse::<i64>().is_ok();
        let (label, key) = match name.as_str() {
            field::MEMBER => (None, "suser"),
            field::MACHINE => (None, "shost"),
            field::CLIENT => (Some("client"), "cs1"),
            field::ENTRY => (Some("entry"), "cs2"),
            field::TICKET => (Some("ticket"), "cs3"),
            field::SESSION => (Some("session"), "cs4"),
            field::DETAIL => (None, "msg"),
            field::REASON => (None, "reason"),
            field::CONNECTOR => (None, "app"),
            field::HOST => (None, "dhost"),
            field::PORT if value.parse::<u16>().is_ok() => (None, "dpt"),
            field::REMOTE_USER => (None, "duser"),
            field::BYTES_IN if number => (None, "in"),
            field::BYTES_OUT if number => (None, "out"),
            field::DURATION_MS if number => (Some("durationMs"), "cn1"),
            field::EXIT if number => (Some("exitStatus"), "cn2"),
            field::COUNT if number => (None, "cnt"),
            field::FILE => (None, "fname"),
            field::HOST_KEY => (Some("hostKey"), "cs6"),
            field::HOPS => (None, "poterneHops"),
            field::SLOT => (None, "poterneSlot"),
            field::SUBJECT => (None, "poterneSubject"),
            field::ROLE => (None, "poterneRole"),
            other => (None, other),
        };
        if let Some(label) = label {
            text.push_str(&format!(" {key}Label={label}"));
        }
        text.push_str(&format!(" {key}="));
        for c in value.chars() {
            match c {
                '\\' | '=' => text.extend(['\\', c]),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                c => text.push(c),
            }
        }
    }
    writeln!(out, "{text}")
}

/// Open Cybersecurity Schema Framework 1.3, one JSON object a line. What the
/// schema has no place for is under `unmapped`.
pub fn ocsf(out: &mut Vec<u8>, line: &OpenLine, vault: VaultId) -> io::Result<()> {
    let (class, activity) = ocsf_class(line);
    let mut event = Map::new();
    let mut set = |name: &str, value: Value| {
        event.insert(name.to_owned(), value);
    };
    let text = |name| line.field(name);
    let number = |name| text(name).parse::<u64>().ok();
    let user = |name: &str, id: Value| match (name, &id) {
        ("", Value::Null) => json!({ "name": "unknown" }),
        _ => known([("name", name.into()), ("uid", id)]),
    };
    let subject = user(text(field::SUBJECT), Value::Null);
    let user = user(text(field::MEMBER), line.actor.map(|a| a.to_string()).into());
    set("class_uid", class.into());
    set("category_uid", (class / 1000).into());
    set("activity_id", activity.into());
    set("activity_name", line.event.word().into());
    set("type_uid", (class * 100 + activity).into());
    set("time", line.at.0.div_euclid(1000).into());
    set("severity_id", if line.ok { 1 } else { 3 }.into());
    set("status_id", if line.ok { 1 } else { 2 }.into());
    set(
        "metadata",
        json!({
            "version": "1.3.0",
            "uid": line.leaf_hash,
            "sequence": line.seq,
            "log_name": format!("poterne/{vault}"),
            "original_time": line.at.to_string(),
            "product": { "name": "Poterne", "vendor_name": "Poterne", "version": env!("CARGO_PKG_VERSION") },
        }),
    );
    set("actor", json!({ "user": user }));
    set("device", known([("hostname", text(field::MACHINE).into()), ("type_id", 0.into())]));
    // Where the act came from. The schema wants a name, of a hidden computer too.
    let from = Some(text(field::MACHINE)).filter(|m| !m.is_empty()).unwrap_or("unknown");
    let detail = text(field::DETAIL);
    if !detail.is_empty() {
        set("message", detail.into());
    }
    match class {
        3002 => {
            set("user", user.clone());
            set("is_mfa", true.into());
            set("service", json!({ "name": "poterne" }));
        }
        3004 => set(
            "entity",
            known([
                ("name", text(field::SUBJECT).into()),
                ("type", line.event.word().into()),
                ("uid", vault.to_string().into()),
            ]),
        ),
        3005 => {
            set("user", subject);
            let role = Some(text(field::ROLE)).filter(|role| !role.is_empty());
            set("privileges", role.into_iter().collect::<Vec<_>>().into());
        }
        4001 | 4005 | 4007 => {
            set("src_endpoint", json!({ "hostname": from }));
            let to = match (text(field::CONNECTOR), text(field::HOST)) {
                // A local shell goes nowhere else, a serial port is no host.
                ("shell", _) => known([("hostname", from.into())]),
                ("serial", port) => known([("name", port.into())]),
                (_, host) => {
                    known([("hostname", host.into()), ("port", number(field::PORT).into())])
                }
            };
            set("dst_endpoint", to);
            set(
                "connection_info",
                known([("uid", text(field::SESSION).into()), ("direction_id", 2.into())]),
            );
            if let Some(ms) = number(field::DURATION_MS) {
                set("duration", ms.into());
            }
            let (bytes_in, bytes_out) = (number(field::BYTES_IN), number(field::BYTES_OUT));
            if bytes_in.is_some() || bytes_out.is_some() {
                let traffic = [("bytes_in", bytes_in.into()), ("bytes_out", bytes_out.into())];
                set("traffic", known(traffic));
            }
        }
        6005 => {
            set("src_endpoint", json!({ "hostname": from }));
            let entry = text(field::ENTRY).into();
            set("databucket", known([("name", entry), ("uid", vault.to_string().into())]));
            set("type_id", 2.into());
        }
        _ => {}
    }
    let unmapped: Map<String, Value> = line
        .fields
        .iter()
        .filter(|(name, _)| name != field::DETAIL)
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    set("unmapped", unmapped.into());
    event.retain(|_, value| !is_nothing(value));
    serde_json::to_writer(&mut *out, &event)?;
    out.write_all(b"\n")
}

/// An object of what is known: the schema takes neither `null` nor a name of no signs.
fn known<const N: usize>(members: [(&str, Value); N]) -> Value {
    let known = members.into_iter().filter(|(_, value)| !is_nothing(value));
    Value::Object(known.map(|(name, value)| (name.to_owned(), value)).collect())
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Class and activity (OCSF dictionary; 99 is "other").
fn ocsf_class(line: &OpenLine) -> (u32, u32) {
    const AUTHENTICATION: u32 = 3002;
    const ENTITY: u32 = 3004;
    const USER_ACCESS: u32 = 3005;
    const DATASTORE: u32 = 6005;
    let network = match line.field(field::CONNECTOR) {
        "ssh" | "sftp" => 4007,
        "rdp" => 4005,
        _ => 4001,
    };
    match line.event {
        Event::Unlocked | Event::UnlockRefused | Event::Recovered => (AUTHENTICATION, 1),
        Event::Locked => (AUTHENTICATION, 2),
        Event::VaultCreated | Event::DeviceAdded | Event::MemberJoined => (ENTITY, 1),
        Event::FactorChanged | Event::SettingsChanged | Event::OlderAccepted => (ENTITY, 3),
        Event::ConnectorShared => (ENTITY, 1),
        Event::DeviceRemoved | Event::ConnectorRemoved => (ENTITY, 4),
        Event::MemberInvited | Event::MemberChanged => (USER_ACCESS, 1),
        Event::MemberRemoved => (USER_ACCESS, 2),
        Event::Exported | Event::BackupMade => (DATASTORE, 1),
        Event::EntryEdited | Event::EntryMoved => (DATASTORE, 2),
        Event::EntryRestored | Event::Imported | Event::BackupRestored => (DATASTORE, 5),
        Event::EntryCreated => (DATASTORE, 6),
        Event::EntryDeleted => (DATASTORE, 7),
        Event::SecretRevealed | Event::SecretCopied | Event::SecretFilled | Event::TotpShown => {
            (DATASTORE, 10)
        }
        Event::SessionOpened => (network, 1),
        Event::SessionClosed => (network, 2),
        Event::SessionFailed => (network, 4),
        Event::HostKeyRefused => (network, if network == 4001 { 5 } else { 99 }),
        Event::SessionOpening
        | Event::VpnChanged
        | Event::SnapshotTaking
        | Event::SnapshotTaken
        | Event::HostKeyAccepted => (network, 99),
        Event::ClockBackwards | Event::Checkpoint => (0, 99),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_might_run_is_found_behind_blanks_and_quotes() {
        for bad in ["=1", "+1", "-1", "@x", "\t1", "\r1", "  =1", "\"=1", "' \u{a0}+1", "＝1"] {
            assert!(formula(bad), "{bad:?}");
        }
        for good in ["", "a=1", "1-2", "été", "  a", "\"a\""] {
            assert!(!formula(good), "{good:?}");
        }
    }

    #[test]
    fn a_formula_is_disarmed_wherever_a_cell_may_begin() {
        for (value, told) in [
            ("=1", "'=1"),
            ("\t1", "'\t1"),
            ("a;=1", "a;'=1"),
            ("a; \"+1;b;-2", "a;' \"+1;b;'-2"),
            ("a\r\n@x\n=1", "a\r\n'@x\n'=1"),
            ("=1;=2", "'=1;'=2"),
            ("idle-lock 600 -> 30; b - c", "idle-lock 600 -> 30; b - c"),
            ("a;b\tc\nd", "a;b\tc\nd"),
        ] {
            assert_eq!(disarmed(value), told, "{value:?}");
        }
    }

    #[test]
    fn texts_become_json() {
        for value in ["", "plain", "a\"b\\c", "tab\t\u{1}", "Été 日本", "\u{7f}"] {
            let mut out = Vec::new();
            text(&mut out, value);
            assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), value);
        }
        let mut out = Vec::new();
        [0, 7, 10, u64::MAX].into_iter().for_each(|n| number(&mut out, n));
        assert_eq!(out, format!("0710{}", u64::MAX).as_bytes());
    }
}
