//! How people read the words that a line of the log holds: one table for the window
//! and the reports, in both languages. The log itself and the formats for machines
//! keep the words as they are.

use super::words;
use crate::app::api::ExportFormat;
use crate::connect;
use crate::connect::field::Field;
use crate::connect::vpn::journal::Step;
use crate::model::audit_event::{Event, OpenLine, field};
use crate::model::entry::{Kind, Slot};
use crate::model::lang::Lang;
use crate::model::member::Role;
use crate::model::time::Time;

/// How a moment is told: in UTC, or as the computer's clock shows it.
pub type When = fn(Time, Lang) -> String;

/// What the field `name` is called on this line.
pub fn label<'a>(line: &OpenLine, name: &'a str, lang: Lang) -> &'a str {
    // What was made has a kind; only what is opened has a connector.
    match (line.event, name) {
        (Event::EntryCreated, field::CONNECTOR) => lang.pick("Type", "Kind"),
        _ => words::column(name, lang),
    }
}

/// The value of the field `name` on this line.
pub fn value(line: &OpenLine, name: &str, value: &str, lang: Lang, when: When) -> String {
    match name {
        field::SLOT => each(value, ",", |word| slot_word(word, lang)),
        field::ROLE => {
            value.parse().map_or_else(|_| value.to_owned(), |r| role(r, lang).to_owned())
        }
        field::CONNECTOR => kind(&Kind::new(value), lang),
        field::RULE => rule(value, lang),
        field::DETAIL => detail(line.event, value, lang, when),
        _ => value.to_owned(),
    }
}

/// What a kind is called.
pub fn kind(kind: &Kind, lang: Lang) -> String {
    match kind.word() {
        "client" => lang.pick("Client", "Client").to_owned(),
        "folder" => lang.pick("Dossier", "Folder").to_owned(),
        word => match connect::by_kind(kind) {
            Some(c) => c.label().get(lang).to_owned(),
            None => word.to_owned(),
        },
    }
}

/// What a secret is called.
pub fn slot(slot: &Slot, lang: Lang) -> String {
    match slot {
        Slot::Password => lang.pick("Mot de passe", "Password").to_owned(),
        Slot::PrivateKey => lang.pick("Clé privée", "Private key").to_owned(),
        Slot::Passphrase => lang.pick("Phrase de la clé", "Key passphrase").to_owned(),
        Slot::Totp => lang.pick("Code à usage unique", "One-time code").to_owned(),
        Slot::Notes => lang.pick("Notes", "Notes").to_owned(),
        Slot::Custom(name) => name.clone(),
    }
}

/// What a role is called.
pub fn role(role: Role, lang: Lang) -> &'static str {
    match role {
        Role::Owner => lang.pick("Propriétaire", "Owner"),
        Role::Admin => lang.pick("Administrateur", "Administrator"),
        Role::Technician => lang.pick("Technicien", "Technician"),
        Role::Operator => lang.pick("Opérateur", "Operator"),
        Role::Auditor => lang.pick("Auditeur", "Auditor"),
    }
}

/// What a field of an entry is called, by its id.
pub fn entry_field(id: &str, lang: Lang) -> String {
    let known = match id {
        "name" => ("Nom", "Name"),
        "host" => ("Hôte", "Host"),
        "port" => ("Port", "Port"),
        "user" => ("Identifiant", "Login"),
        "tags" => ("Étiquettes", "Tags"),
        "favourite" => ("Favori", "Favourite"),
        "description" => ("Description", "Description"),
        "expires" => ("Expiration", "Expiry"),
        "credential" => ("Origine des identifiants", "Credential source"),
        "custom" => ("Champs ajoutés", "Custom fields"),
        "attachments" => ("Pièces jointes", "Attachments"),
        "client" | "client_info" => ("Fiche du client", "Client record"),
        "client.code" => ("Code", "Code"),
        "client.colour" => ("Couleur", "Colour"),
        "client.ticket-pattern" => ("Forme du ticket", "Ticket pattern"),
        "client.ticket-url" => ("Adresse du ticket", "Ticket address"),
        "client.ticket-required" => ("Ticket exigé", "Ticket needed"),
        "client.reason-required" => ("Motif exigé", "Reason needed"),
        "parent" | "folder" => ("Emplacement", "Place"),
        "bin" => ("Corbeille", "Recycle bin"),
        "host-keys" => ("Clé d’hôte", "Host key"),
        "nla-proof" => ("Preuve pour NLA", "Proof for NLA"),
        "gateway-proof" => ("Preuve (passerelle)", "Proof (gateway)"),
        "gateway-login" => ("Identifiant (passerelle)", "Login (gateway)"),
        "gateway-login-password" => ("Mot de passe (passerelle)", "Password (gateway)"),
        "program-of-terminals" => ("Depuis un terminal", "From a terminal"),
        "password" | "private-key" | "passphrase" | "totp" | "notes" => {
            let name: Slot = id.parse().unwrap_or(Slot::Password);
            return slot(&name, lang);
        }
        other => {
            // A field the person added has the name that it was given.
            let own = other.strip_prefix("custom:").unwrap_or(other).to_owned();
            return setting(other).map_or(own, |f| f.label(lang).to_owned());
        }
    };
    lang.pick(known.0, known.1).to_owned()
}

/// The setting of a connector with that id.
pub fn setting(id: &str) -> Option<&'static Field> {
    connect::all().iter().flat_map(|c| c.fields()).find(|f| f.id == id)
}

fn each(value: &str, mark: &str, told: impl Fn(&str) -> String) -> String {
    value.split(mark).map(|word| told(word.trim())).collect::<Vec<_>>().join(", ")
}

fn slot_word(word: &str, lang: Lang) -> String {
    if let Some(name) = word.strip_prefix("attachment:") {
        return format!("{} {name}", lang.pick("Pièce jointe", "Attachment"));
    }
    match word {
        "configuration" => "Configuration".to_owned(),
        "code" => lang.pick("Code à usage unique", "One-time code").to_owned(),
        "code copied" => {
            lang.pick("Code à usage unique, copié", "One-time code, copied").to_owned()
        }
        word => entry_field(word, lang),
    }
}

fn rule(value: &str, lang: Lang) -> String {
    if lang == Lang::En {
        return value.to_owned();
    }
    let told = |part: &str| match part {
        "none" => "rien".to_owned(),
        "reason" => "motif".to_owned(),
        part => part.to_owned(),
    };
    value.splitn(2, "; ").map(told).collect::<Vec<_>>().join("\u{a0}; ")
}

fn detail(event: Event, value: &str, lang: Lang, when: When) -> String {
    // What waited while the vault was locked says when it was.
    let moment = |at: &str| {
        let at: Time = at.parse().ok()?;
        Some(format!("{} {}", lang.pick("le", "on"), when(at, lang)))
    };
    if let Some(told) = value.strip_prefix("at ").and_then(moment) {
        return told;
    }
    let waited = value.strip_suffix(')').and_then(|v| v.rsplit_once(" (at "));
    if let Some((before, at)) = waited.and_then(|(before, at)| Some((before, moment(at)?))) {
        return format!("{} ({at})", detail(event, before, lang, when));
    }
    match event {
        Event::EntryEdited => each(value, ", ", |field| entry_field(field, lang)),
        Event::SettingsChanged => each(value, ", ", |change| vault_setting(change, lang)),
        Event::SessionFailed => failure(value, lang),
        Event::SnapshotTaken => snapshot(value, lang),
        Event::VpnChanged => vpn(value, lang),
        Event::SessionClosed => fixed(event, value, lang).unwrap_or_else(|| failure(value, lang)),
        Event::SessionOpened => opened(value, lang),
        Event::Exported => exported(value, lang, when),
        Event::ClockBackwards => match value.split_once(" < ") {
            Some((now, last)) => match (now.parse(), last.parse()) {
                (Ok(now), Ok(last)) => format!("{} < {}", when(now, lang), when(last, lang)),
                _ => value.to_owned(),
            },
            None => value.to_owned(),
        },
        _ => fixed(event, value, lang).unwrap_or_else(|| value.to_owned()),
    }
}

/// Words that stand alone, and those with a name behind them.
fn fixed(event: Event, value: &str, lang: Lang) -> Option<String> {
    let (fr, en) = match (event, value) {
        (Event::EntryDeleted, "bin") => ("à la corbeille", "to the recycle bin"),
        (Event::EntryDeleted, "forever") => ("définitivement", "for good"),
        (Event::EntryRestored, "bin") => ("de la corbeille", "from the recycle bin"),
        (_, "forgotten") => ("oubliée", "forgotten"),
        (_, "another key is pinned") => ("une autre clé est retenue", "another key is pinned"),
        (_, "recovery kit") => ("kit de secours", "recovery kit"),
        (_, "recovery kit used, factors replaced") => {
            ("kit de secours utilisé, facteurs remplacés", "recovery kit used, factors replaced")
        }
        (Event::FactorChanged, "password") => ("mot de passe", "password"),
        (Event::FactorChanged, "totp") => ("téléphone", "phone"),
        // As it was written once of a computer without a name.
        (_, "code given" | "code given for ") => ("code donné", "code given"),
        (Event::SessionClosed, "client gone") => {
            ("le programme appelant est parti", "the calling program was gone")
        }
        (Event::SessionClosed, "locked") => ("coffre verrouillé", "vault locked"),
        (_, "a pending line that does not open") => {
            ("une ligne en attente qui ne s’ouvre pas", "a line that waited and does not open")
        }
        _ => {
            if let Some(id) =
                value.strip_prefix("after ").filter(|_| event == Event::SessionOpening)
            {
                return Some(format!("{} {id}", lang.pick("reprise de", "takes up")));
            }
            if let Some(label) = value.strip_prefix("code given for ") {
                return Some(format!("{} {label}", lang.pick("code donné pour", "code given for")));
            }
            let pinned = value.strip_prefix("changed; pinned: ")?;
            return Some(match lang {
                Lang::Fr => format!("clé changée\u{a0}; retenue\u{a0}: {pinned}"),
                Lang::En => format!("key changed; pinned: {pinned}"),
            });
        }
    };
    Some(lang.pick(fr, en).to_owned())
}

/// `kind: sentence` of a failed session. The sentence is English; where it is of
/// another making than this program's, in French the kind says the most of it.
fn failure(value: &str, lang: Lang) -> String {
    let Some((kind, sentence)) = value.split_once(": ") else { return value.to_owned() };
    // Of a VPN before the session: which, and what happened to it.
    let of_vpn = sentence.strip_prefix("VPN “").and_then(|rest| rest.split_once("”: "));
    if let Some((path, why)) = of_vpn.filter(|_| kind == "vpn" && lang == Lang::Fr) {
        let why = connect::retold::in_french(why).unwrap_or_else(|| why.to_owned());
        return format!("VPN «\u{a0}{path}\u{a0}»\u{a0}: {why}");
    }
    let known = if lang == Lang::Fr { connect::retold::in_french(sentence) } else { None };
    if let Some(told) = known {
        return told;
    }
    let fr = match kind {
        "unknown-host" => "hôte inconnu",
        "refused" => "refusée par le serveur",
        "timeout" => "sans réponse",
        "network" => "réseau",
        "protocol" => "protocole",
        "login" => "identification refusée",
        "host-key-changed" => "clé du serveur changée",
        "host-key-refused" => "clé du serveur non acceptée",
        "bad-key" => "clé privée illisible",
        "cancelled" => "abandonnée",
        "helper" => "programme auxiliaire",
        "setting" => "réglage",
        "forward" => "redirection",
        "ended" => "terminée par le serveur",
        "vpn" => "VPN",
        _ => return value.to_owned(),
    };
    lang.pick(fr, sentence).to_owned()
}

/// `reconnecting: why`, or the step alone.
fn vpn(value: &str, lang: Lang) -> String {
    let (word, why) = value.split_once(": ").map_or((value, None), |(w, why)| (w, Some(why)));
    let Some(step) = Step::of_word(word) else { return value.to_owned() };
    let words = step.words();
    let step = words.get(lang);
    match why {
        Some(why) => {
            let told = if lang == Lang::Fr { connect::retold::in_french(why) } else { None };
            let why = told.unwrap_or_else(|| why.to_owned());
            format!("{step}{}{why}", lang.pick("\u{a0}: ", ": "))
        }
        None => step.to_owned(),
    }
}

/// `3: +4 -2`, `unchanged since 3`, or why there is none, in English.
fn snapshot(value: &str, lang: Lang) -> String {
    if let Some(number) = value.strip_prefix("unchanged since ") {
        return format!(
            "{} {number}",
            lang.pick("inchangée depuis le relevé", "unchanged since snapshot")
        );
    }
    let counted = value.split_once(": +").filter(|(n, _)| n.chars().all(|c| c.is_ascii_digit()));
    if let Some((number, (added, removed))) =
        counted.and_then(|(number, counts)| Some((number, counts.split_once(" -")?)))
    {
        let (name, lines) = (lang.pick("relevé", "snapshot"), lang.pick("lignes", "lines"));
        let colon = lang.pick("\u{a0}:", ":");
        return format!("{name} {number}{colon} +{added} −{removed} {lines}");
    }
    let known = if lang == Lang::Fr { connect::retold::in_french(value) } else { None };
    known.unwrap_or_else(|| value.to_owned())
}

fn opened(value: &str, lang: Lang) -> String {
    const WEAK: &str = "Weak algorithms accepted for this entry: ";
    match lang {
        Lang::Fr => value.replace(WEAK, "Algorithmes faibles acceptés pour cette entrée\u{a0}: "),
        Lang::En => value.to_owned(),
    }
}

/// What a format is called.
pub fn format(format: ExportFormat, lang: Lang) -> &'static str {
    match format {
        ExportFormat::Bundle => lang.pick("Liasse vérifiable (ZIP)", "Verifiable bundle (ZIP)"),
        ExportFormat::Csv => lang.pick("CSV (tableur)", "CSV (spreadsheet)"),
        ExportFormat::Jsonl => lang.pick("JSON, une ligne par événement", "JSON lines"),
        ExportFormat::Syslog => "Syslog (RFC 5424)",
        ExportFormat::Cef => "CEF (ArcSight)",
        ExportFormat::Ocsf => "OCSF (JSON)",
        ExportFormat::Html => lang.pick("Page HTML", "HTML page"),
        ExportFormat::Xlsx => lang.pick("Classeur XLSX", "XLSX workbook"),
        ExportFormat::Pdf => lang.pick("Rapport PDF pour un auditeur", "PDF report for an auditor"),
    }
}

/// `audit log as pdf, filtered (members alice; last 10), without member,client`;
/// earlier lines do not say by what.
fn exported(value: &str, lang: Lang, when: When) -> String {
    let Some(rest) = value.strip_prefix("audit log as ") else { return value.to_owned() };
    let (what, redacted) = rest.rsplit_once(", without ").unwrap_or((rest, ""));
    let (word, limits) = what.split_once(", filtered").unwrap_or((what, ""));
    let known = ExportFormat::ALL.into_iter().find(|known| known.word() == word);
    let mut out = known.map_or(word, |known| format(known, lang)).to_owned();
    if word != what {
        out.push_str(lang.pick(", une partie du journal", ", part of the log"));
    }
    if let Some(limits) = limits.strip_prefix(" (").and_then(|l| l.strip_suffix(')')) {
        let told: Vec<String> = limits.split("; ").map(|l| limit(l, lang, when)).collect();
        out.push_str(&format!(" ({})", told.join(lang.pick("\u{a0}; ", "; "))));
    }
    if !redacted.is_empty() {
        let names = each(redacted, ",", |name| words::column(name, lang).to_owned());
        out.push_str(&format!(", {} {names}", lang.pick("sans", "without")));
    }
    out
}

/// One limit of an export, behind its word.
fn limit(limit: &str, lang: Lang, when: When) -> String {
    let (word, value) = limit.split_once(' ').unwrap_or((limit, ""));
    let moment = |at: &str| at.parse().map_or_else(|_| at.to_owned(), |at| when(at, lang));
    let event = |word: &str| {
        word.parse().map_or_else(|_| word.to_owned(), |e| words::event(e, lang).to_owned())
    };
    let (name, value) = match word {
        "since" => (lang.pick("à partir du", "from"), moment(value)),
        "until" => (lang.pick("avant le", "before"), moment(value)),
        "members" => (lang.pick("membres", "members"), value.to_owned()),
        "clients" => (lang.pick("clients", "clients"), value.to_owned()),
        "events" => (lang.pick("événements", "events"), each(value, ", ", event)),
        "words" => return lang.pick("mots cherchés", "words searched").to_owned(),
        "last" => {
            return match (lang, value) {
                (Lang::Fr, "1") => "la dernière ligne".to_owned(),
                (Lang::En, "1") => "the last line".to_owned(),
                (Lang::Fr, _) => format!("les {value} dernières lignes"),
                (Lang::En, _) => format!("the last {value} lines"),
            };
        }
        _ => return limit.to_owned(),
    };
    format!("{name} {value}")
}

/// `idle-lock 600 -> 30` and its like; see [`crate::model::settings::Settings::changes`].
fn vault_setting(change: &str, lang: Lang) -> String {
    let parts = change.split_once(' ').and_then(|(name, r)| Some((name, r.split_once(" -> ")?)));
    let Some((name, (old, new))) = parts else { return change.to_owned() };
    let (fr, en) = match name {
        "idle-lock" => ("Verrouillage sans usage (s)", "Lock when unused (s)"),
        "lock-ends-sessions" => ("Fin des sessions au verrouillage", "Lock ends sessions"),
        "clipboard" => ("Presse-papiers (s)", "Clipboard (s)"),
        "backups-kept" => ("Sauvegardes gardées", "Backups kept"),
        _ => return change.to_owned(),
    };
    let word = |value| match value {
        "yes" => lang.pick("oui", "yes"),
        "no" => lang.pick("non", "no"),
        value => value,
    };
    format!("{} {} → {}", lang.pick(fr, en), word(old), word(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(event: Event, name: &str, text: &str, lang: Lang) -> String {
        let line = OpenLine { event, ..OpenLine::empty() };
        value(&line, name, text, lang, |at, _| words::minute(at))
    }

    #[test]
    fn the_words_of_the_log_are_told_in_both_languages() {
        use Event as E;
        let cases = [
            (E::EntryDeleted, "bin", "à la corbeille", "to the recycle bin"),
            (E::EntryRestored, "bin", "de la corbeille", "from the recycle bin"),
            (E::EntryRestored, "version 3", "version 3", "version 3"),
            (E::EntryEdited, "host, host-keys", "Hôte, Clé d’hôte", "Host, Host key"),
            (
                E::HostKeyRefused,
                "changed; pinned: ssh-ed25519 SHA256:x",
                "clé changée\u{a0}; retenue\u{a0}: ssh-ed25519 SHA256:x",
                "key changed; pinned: ssh-ed25519 SHA256:x",
            ),
            (
                E::SessionFailed,
                "host-key-refused: The key of h was not accepted.",
                "clé du serveur non acceptée",
                "The key of h was not accepted.",
            ),
            (
                E::Exported,
                "audit log as pdf, filtered, without member,client",
                "Rapport PDF pour un auditeur, une partie du journal, sans Membre, Client",
                "PDF report for an auditor, part of the log, without Member, Client",
            ),
            (
                E::Exported,
                "audit log as csv, filtered (since 2026-11-23T21:04:05.000000Z; clients A, B; \
                 events secret.revealed; words; last 10), without host",
                "CSV (tableur), une partie du journal (à partir du 2026-11-23 21:04:05\u{a0}; \
                 clients A, B\u{a0}; événements Secret affiché\u{a0}; mots cherchés\u{a0}; les 10 dernières lignes), \
                 sans Hôte",
                "CSV (spreadsheet), part of the log (from 2026-11-23 21:04:05; clients A, B; \
                 events Secret revealed; words searched; the last 10 lines), without Host",
            ),
            (
                E::Exported,
                "audit log as csv, filtered (last 1)",
                "CSV (tableur), une partie du journal (la dernière ligne)",
                "CSV (spreadsheet), part of the log (the last line)",
            ),
            (E::DeviceAdded, "code given for tour", "code donné pour tour", "code given for tour"),
            (E::DeviceAdded, "code given", "code donné", "code given"),
            (E::DeviceAdded, "code given for ", "code donné", "code given"),
            (
                E::Exported,
                "audit log as bundle",
                "Liasse vérifiable (ZIP)",
                "Verifiable bundle (ZIP)",
            ),
            (
                E::SessionFailed,
                "login: 192.0.2.7:22 refuses the login of root (tried: password; accepted: \
                 publickey).",
                "192.0.2.7:22 refuse la connexion de root (essayé\u{a0}: mot de passe\u{a0}; \
                 accepté\u{a0}: clé).",
                "192.0.2.7:22 refuses the login of root (tried: password; accepted: publickey).",
            ),
            (
                E::SessionClosed,
                "network: The connection to h:22 broke: reading broke off.",
                "La connexion à h:22 a été coupée\u{a0}: la lecture s’est interrompue.",
                "The connection to h:22 broke: reading broke off.",
            ),
            (
                E::SnapshotTaken,
                "3: +4 -2",
                "relevé 3\u{a0}: +4 −2 lignes",
                "snapshot 3: +4 −2 lines",
            ),
            (
                E::SnapshotTaken,
                "unchanged since 3",
                "inchangée depuis le relevé 3",
                "unchanged since snapshot 3",
            ),
            (
                E::SnapshotTaken,
                "The device refuses the command “show running-config”.",
                "L’équipement refuse la commande «\u{a0}show running-config\u{a0}».",
                "The device refuses the command “show running-config”.",
            ),
            (
                E::SettingsChanged,
                "idle-lock 600 -> 30, lock-ends-sessions no -> yes",
                "Verrouillage sans usage (s) 600 → 30, Fin des sessions au verrouillage non → oui",
                "Lock when unused (s) 600 → 30, Lock ends sessions no → yes",
            ),
            (
                E::UnlockRefused,
                "at 2026-11-23T21:04:05.000000Z",
                "le 2026-11-23 21:04:05",
                "on 2026-11-23 21:04:05",
            ),
            (
                E::SessionClosed,
                "client gone (at 2026-11-23T21:04:05.000000Z)",
                "le programme appelant est parti (le 2026-11-23 21:04:05)",
                "the calling program was gone (on 2026-11-23 21:04:05)",
            ),
        ];
        for (event, text, fr, en) in cases {
            assert_eq!(told(event, field::DETAIL, text, Lang::Fr), fr);
            assert_eq!(told(event, field::DETAIL, text, Lang::En), en);
        }
        let slots = [
            ("password,totp", "Mot de passe, Code à usage unique"),
            ("code copied", "Code à usage unique, copié"),
            ("attachment:plan.pdf", "Pièce jointe plan.pdf"),
            ("custom:PIN", "PIN"),
        ];
        for (text, fr) in slots {
            assert_eq!(told(E::SecretRevealed, field::SLOT, text, Lang::Fr), fr);
        }
        assert_eq!(told(E::EntryCreated, field::CONNECTOR, "folder", Lang::Fr), "Dossier");
        assert_eq!(told(E::MemberInvited, field::ROLE, "auditor", Lang::Fr), "Auditeur");
    }

    #[test]
    fn what_no_table_knows_is_told_as_it_stands() {
        for event in [Event::SessionFailed, Event::Exported, Event::EntryRestored] {
            for text in ["", "a: b", "été < hiver", " (at noon)", "at noon"] {
                assert_eq!(told(event, field::DETAIL, text, Lang::Fr), text);
            }
        }
    }
}
