//! What columns and events are called in the window and in the reports people
//! read, and how a filter is told. The formats for machines keep the log's own words.

use super::ExportMeta;
use crate::app::api::ExportRequest;
use crate::model::audit_event::{Event, OpenLine, field};
use crate::model::lang::Lang;
use crate::model::time::Time;

/// Name of a field or of `seq`, `time`, `event`, `ok`, `leaf_hash`.
pub fn column(name: &str, lang: Lang) -> &str {
    let (fr, en) = match name {
        "seq" => ("N°", "No."),
        "time" => ("Date et heure (UTC)", "Date and time (UTC)"),
        "event" => ("Événement", "Event"),
        "ok" => ("Résultat", "Result"),
        "leaf_hash" => ("Empreinte de la ligne", "Line hash"),
        field::MEMBER => ("Membre", "Member"),
        field::MACHINE => ("Poste", "Computer"),
        field::CLIENT => ("Client", "Client"),
        field::ENTRY => ("Accès", "Entry"),
        field::ENTRY_ID => ("Identifiant de l’accès", "Entry id"),
        field::TICKET => ("Ticket", "Ticket"),
        field::REASON => ("Motif", "Reason"),
        field::CONNECTOR => ("Connecteur", "Connector"),
        field::HOST => ("Hôte", "Host"),
        field::PORT => ("Port", "Port"),
        field::REMOTE_USER => ("Compte distant", "Remote account"),
        field::HOST_KEY => ("Clé du serveur", "Server key"),
        field::HOPS => ("Rebonds", "Jump hosts"),
        field::SESSION => ("Session", "Session"),
        field::DURATION_MS => ("Durée (ms)", "Duration (ms)"),
        field::BYTES_IN => ("Octets reçus", "Bytes received"),
        field::BYTES_OUT => ("Octets envoyés", "Bytes sent"),
        field::EXIT => ("Code de sortie", "Exit status"),
        field::SLOT => ("Secret", "Secret"),
        field::SUBJECT => ("Concerne", "About"),
        field::ROLE => ("Rôle", "Role"),
        field::FILE => ("Fichier", "File"),
        field::COUNT => ("Nombre", "Count"),
        field::RULE => ("Exigences", "Asks for"),
        field::DETAIL => ("Détail", "Detail"),
        other => return other,
    };
    lang.pick(fr, en)
}

/// What happened, for people.
pub fn event(event: Event, lang: Lang) -> &'static str {
    let (fr, en) = match event {
        Event::VaultCreated => ("Coffre créé", "Vault created"),
        Event::Unlocked => ("Déverrouillage", "Unlocked"),
        Event::UnlockRefused => ("Déverrouillage refusé", "Unlock refused"),
        Event::Locked => ("Verrouillage", "Locked"),
        Event::OlderAccepted => ("Copie ancienne acceptée", "Older copy accepted"),
        Event::Recovered => ("Kit de secours utilisé", "Recovery kit used"),
        Event::FactorChanged => ("Facteur changé", "Factor changed"),
        Event::DeviceAdded => ("Poste ajouté", "Computer added"),
        Event::DeviceRemoved => ("Poste retiré", "Computer removed"),
        Event::MemberInvited => ("Membre invité", "Member invited"),
        Event::MemberJoined => ("Membre arrivé", "Member joined"),
        Event::MemberChanged => ("Membre modifié", "Member changed"),
        Event::MemberRemoved => ("Membre retiré", "Member removed"),
        Event::EntryCreated => ("Création", "Created"),
        Event::EntryEdited => ("Modification", "Edited"),
        Event::EntryMoved => ("Déplacement", "Moved"),
        Event::EntryDeleted => ("Suppression", "Deleted"),
        Event::EntryRestored => ("Restauration", "Restored"),
        Event::SecretRevealed => ("Secret affiché", "Secret revealed"),
        Event::SecretCopied => ("Secret copié", "Secret copied"),
        Event::SecretFilled => ("Secret transmis", "Secret filled in"),
        Event::TotpShown => ("Code affiché", "Code shown"),
        Event::SessionOpening => ("Session demandée", "Session opening"),
        Event::SessionOpened => ("Session ouverte", "Session opened"),
        Event::SessionFailed => ("Session échouée", "Session failed"),
        Event::SessionClosed => ("Session fermée", "Session closed"),
        Event::VpnChanged => ("État du VPN", "VPN state"),
        Event::SnapshotTaking => ("Relevé demandé", "Snapshot asked for"),
        Event::SnapshotTaken => ("Configuration relevée", "Configuration read"),
        Event::HostKeyAccepted => ("Clé de serveur acceptée", "Server key accepted"),
        Event::HostKeyRefused => ("Clé de serveur refusée", "Server key refused"),
        Event::Imported => ("Import", "Import"),
        Event::Exported => ("Export", "Export"),
        Event::BackupMade => ("Sauvegarde", "Backup"),
        Event::BackupRestored => ("Sauvegarde restaurée", "Backup restored"),
        Event::SettingsChanged => ("Réglages changés", "Settings changed"),
        Event::ConnectorShared => ("Connecteur partagé", "Connector shared"),
        Event::ConnectorRemoved => ("Connecteur retiré", "Connector removed"),
        Event::ClockBackwards => ("Horloge en arrière", "Clock went backwards"),
        Event::Checkpoint => ("Point signé", "Checkpoint"),
    };
    lang.pick(fr, en)
}

/// Whether it succeeded, for people.
pub fn outcome(ok: bool, lang: Lang) -> &'static str {
    match ok {
        true => lang.pick("réussi", "done"),
        false => lang.pick("refusé ou échoué", "refused or failed"),
    }
}

/// `2026-11-23 21:04:05` (UTC).
pub fn minute(at: Time) -> String {
    let text = at.to_string();
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// Name and value of each thing the reader was limited to: period, members, …
pub fn limits(request: &ExportRequest, lang: Lang) -> Vec<(&'static str, String)> {
    let filter = &request.filter;
    let whole = lang.pick("depuis la création du coffre", "since the vault was made").to_owned();
    let end = lang.pick("jusqu’à l’export", "until the export").to_owned();
    let period =
        format!("{} – {}", filter.since.map_or(whole, minute), filter.until.map_or(end, minute));
    let mut out = vec![(lang.pick("Période (UTC)", "Period (UTC)"), period)];
    let mut list = |name, items: Vec<String>| {
        if !items.is_empty() {
            out.push((name, items.join(", ")));
        }
    };
    // What is kept out of the rows must not stand above them either.
    let chosen = |field: &str, values: &[String]| {
        if !values.is_empty() && super::hides(&request.redact, field) {
            return vec![lang.pick("choix masqué", "chosen, redacted").to_owned()];
        }
        values.to_vec()
    };
    list(lang.pick("Membres", "Members"), chosen(field::MEMBER, &filter.members));
    list(lang.pick("Clients", "Clients"), chosen(field::CLIENT, &filter.clients));
    let events = filter.events.iter().map(|e| event(*e, lang).to_owned()).collect();
    list(lang.pick("Événements", "Events"), events);
    let words = filter.text.split_whitespace().map(str::to_owned);
    let words: Vec<String> = match request.redact.is_empty() {
        true => words.collect(),
        // They are looked for in every value: each may be one that is redacted.
        false => words
            .take(1)
            .map(|_| lang.pick("choisis, masqués", "chosen, redacted").to_owned())
            .collect(),
    };
    list(lang.pick("Mots cherchés", "Words searched"), words);
    let last = filter.last.map(|n| match lang {
        _ if n == 1 => lang.pick("la dernière ligne", "the last line").to_owned(),
        Lang::Fr => format!("les {n} dernières lignes"),
        Lang::En => format!("the last {n} lines"),
    });
    list(lang.pick("Limite", "Limit"), last.into_iter().collect());
    let redacted = request.redact.iter().map(|n| column(n, lang).to_owned()).collect();
    list(lang.pick("Champs masqués", "Redacted fields"), redacted);
    out
}

/// Name of the member who made the export, unless names are kept out of it.
pub fn exporter<'a>(request: &ExportRequest, meta: &'a ExportMeta, lang: Lang) -> &'a str {
    match super::hides(&request.redact, field::MEMBER) {
        true => lang.pick("nom masqué", "name redacted"),
        false => &meta.exporter,
    }
}

/// Fields with a column of their own in reports, or a share of one.
const OWN: [&str; 7] = [
    field::MEMBER,
    field::CLIENT,
    field::ENTRY,
    field::TICKET,
    field::HOST,
    field::PORT,
    field::REMOTE_USER,
];

/// Columns of reports between event and detail: `entry` stands for client and
/// entry, `host` for account, host and port.
pub const SHARED: [&str; 4] = [field::MEMBER, field::ENTRY, field::TICKET, field::HOST];

/// Head of a column of a report.
pub fn shared(name: &str, lang: Lang) -> &str {
    match name {
        field::ENTRY => lang.pick("Client / accès", "Client / entry"),
        field::HOST => lang.pick("Serveur", "Server"),
        name => column(name, lang),
    }
}

/// Client and entry. The path of an entry begins with its client.
pub fn place(line: &OpenLine) -> String {
    let (client, entry) = (line.field(field::CLIENT), line.field(field::ENTRY));
    match (client, entry) {
        ("", one) | (one, "") => one.to_owned(),
        _ if entry.starts_with(client) => entry.to_owned(),
        _ => format!("{client}/{entry}"),
    }
}

/// `account@host:port`, as far as known.
pub fn far(line: &OpenLine) -> String {
    let mut out = String::new();
    let (user, port) = (line.field(field::REMOTE_USER), line.field(field::PORT));
    if !user.is_empty() {
        out = format!("{user}@");
    }
    let host = line.field(field::HOST);
    match host.contains(':') && !port.is_empty() {
        true => out.push_str(&format!("[{host}]")),
        // Hidden: a port alone is none of anything.
        false if host.is_empty() && !port.is_empty() => out.push('…'),
        false => out.push_str(host),
    }
    if !port.is_empty() {
        out.push(':');
        out.push_str(port);
    }
    out
}

/// The values of a line that have no column of their own in a report, as
/// "name value · name value". Lengths of time and sizes are told as people do,
/// a session by the first digits of its id.
pub fn rest(line: &OpenLine, lang: Lang) -> String {
    let mut out = String::new();
    for (name, value) in line.fields.iter().filter(|(n, _)| !OWN.contains(&n.as_str())) {
        if !out.is_empty() {
            out.push_str(" · ");
        }
        let number = value.parse::<u64>().ok();
        let text = match (name.as_str(), number) {
            // These say by themselves what they are.
            (field::DETAIL | field::SLOT, _) => {
                out.push_str(&told(line, name, value, lang));
                continue;
            }
            (field::DURATION_MS, Some(ms)) => Some(duration(ms, lang)),
            (field::BYTES_IN | field::BYTES_OUT, Some(n)) => Some(size(n, lang)),
            (field::SESSION, _) => Some(value.chars().take(8).collect()),
            _ => Some(told(line, name, value, lang)),
        };
        let label = match name.as_str() {
            field::DURATION_MS => lang.pick("Durée", "Duration"),
            field::BYTES_IN => lang.pick("Reçu", "Received"),
            field::BYTES_OUT => lang.pick("Envoyé", "Sent"),
            name => super::told::label(line, name, lang),
        };
        out.push_str(label);
        // What belongs together stays on one line.
        out.push('\u{a0}');
        out.push_str(text.as_deref().unwrap_or(value));
    }
    out
}

/// A value of a line as people read it, moments in UTC.
pub fn told(line: &OpenLine, name: &str, value: &str, lang: Lang) -> String {
    super::told::value(line, name, value, lang, |at, _| minute(at))
}

/// `1 h 02 min`, `16 min 31 s`, `4,2 s` or `4.2 s`.
fn duration(ms: u64, lang: Lang) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{}{}\u{a0}s", lang.pick(",", "."), ms % 1000 / 100),
        (0, _) => format!("{minutes}\u{a0}min\u{a0}{seconds:02}\u{a0}s"),
        _ => format!("{hours}\u{a0}h\u{a0}{minutes:02}\u{a0}min"),
    }
}

/// `512 o`, `4,2 Ko` or `4.2 kB`, by thousands.
fn size(bytes: u64, lang: Lang) -> String {
    let units = match lang {
        Lang::Fr => ["o", "ko", "Mo", "Go", "To"],
        Lang::En => ["B", "kB", "MB", "GB", "TB"],
    };
    let (mut unit, mut n) = (0, bytes as f64);
    while n >= 999.5 && unit + 1 < units.len() {
        n /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && n < 99.95);
    let number = format!("{n:.digits$}");
    let number = if lang == Lang::Fr { number.replace('.', ",") } else { number };
    format!("{number}\u{a0}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_side_without_its_name_is_told_by_a_mark() {
        let of = |fields: &[(&str, &str)]| {
            let owned = fields.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            far(&OpenLine { fields: owned.collect(), ..OpenLine::empty() })
        };
        let (user, port) = ((field::REMOTE_USER, "root"), (field::PORT, "22"));
        assert_eq!(of(&[(field::HOST, "2001:db8::1"), port, user]), "root@[2001:db8::1]:22");
        assert_eq!(of(&[port, user]), "root@…:22");
        assert_eq!(of(&[(field::HOST, "/dev/ttyUSB0")]), "/dev/ttyUSB0");
        assert_eq!(of(&[]), "");
    }

    #[test]
    fn sizes_and_lengths_of_time_are_told_as_people_do() {
        let plain = |s: String| s.replace('\u{a0}', " ");
        let sizes = [(0, "0 o"), (999, "999 o"), (4200, "4,2 ko"), (999_999, "1,0 Mo")];
        for (bytes, told) in sizes {
            assert_eq!(plain(size(bytes, Lang::Fr)), told);
        }
        assert_eq!(plain(size(123_456_789, Lang::En)), "123 MB");
        let times = [(4_250, "4.2 s"), (991_000, "16 min 31 s"), (3_725_000, "1 h 02 min")];
        for (ms, told) in times {
            assert_eq!(plain(duration(ms, Lang::En)), told);
        }
    }
}
