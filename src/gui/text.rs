//! Words of the window in both languages. Every text is written where it is
//! shown, French first; only words used in several places live here.

use jiff::tz::TimeZone;

use crate::app::api::ExportFormat;
use crate::app::export::{self, told};
use crate::connect::openvpn::profile_slot;
use crate::model::audit_event::{Event, OpenLine};
use crate::model::entry::{Kind, Slot};
use crate::model::lang::Lang;
use crate::model::member::Role;
use crate::model::plan::Origin;
use crate::model::time::Time;

/// The text in the person's language.
pub fn t<'a>(lang: Lang, fr: &'a str, en: &'a str) -> &'a str {
    lang.pick(fr, en)
}

/// What is done, and to what: `Copier : Hôte`, `Copy: Host`.
pub fn named(what: &str, of: &str, lang: Lang) -> String {
    match lang {
        Lang::Fr => format!("{what}\u{a0}: {of}"),
        Lang::En => format!("{what}: {of}"),
    }
}

/// Day and minute in the computer's time zone: `23/11/2026 22:04`.
pub fn when(time: Time, lang: Lang) -> String {
    let local = TimeZone::system().to_datetime(time.to_jiff());
    local.strftime(lang.pick("%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M")).to_string()
}

/// As [`when`], to the second.
pub fn when_exactly(time: Time, lang: Lang) -> String {
    let local = TimeZone::system().to_datetime(time.to_jiff());
    local.strftime(lang.pick("%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")).to_string()
}

/// A day: `23/11/2026`.
pub fn day(day: jiff::civil::Date, lang: Lang) -> String {
    day.strftime(lang.pick("%d/%m/%Y", "%Y-%m-%d")).to_string()
}

/// A day as it is typed in either language: `23/11/2026`, `23.11.26`, `2026-11-23`.
/// Two digits are a year of this century.
pub fn read_day(typed: &str) -> Option<jiff::civil::Date> {
    let typed = typed.trim();
    if let Ok(day) = typed.parse() {
        return Some(day);
    }
    let parts: Vec<&str> = typed.split(['/', '.']).map(str::trim).collect();
    let [d, m, y] = parts[..] else { return None };
    if parts.iter().any(|part| part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let year = match y.len() {
        2 => 2000 + y.parse::<i16>().ok()?,
        4 => y.parse().ok()?,
        _ => return None,
    };
    jiff::civil::Date::new(year, m.parse().ok()?, d.parse().ok()?).ok()
}

/// A number with thin groups of three: `1 234 567` or `1,234,567`.
pub fn count(n: u64, lang: Lang) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push_str(lang.pick("\u{a0}", ","));
        }
        out.push(c);
    }
    out
}

/// A number and what it counts, which French says in the singular of none as well.
pub fn counted(n: u64, fr: (&str, &str), en: (&str, &str), lang: Lang) -> String {
    let ((one, many), single) = match lang {
        Lang::Fr => (fr, n < 2),
        Lang::En => (en, n == 1),
    };
    format!("{} {}", count(n, lang), if single { one } else { many })
}

/// A size for people: `3,2 Mio` or `3.2 MiB`.
pub fn size(bytes: u64, lang: Lang) -> String {
    let (value, unit) = match bytes {
        0..1024 => return format!("{bytes} {}", lang.pick("octets", "bytes")),
        1024..1_048_576 => (bytes as f64 / 1024.0, lang.pick("Kio", "KiB")),
        _ => (bytes as f64 / 1_048_576.0, lang.pick("Mio", "MiB")),
    };
    let text = format!("{value:.1} {unit}");
    if lang == Lang::Fr { text.replace('.', ",") } else { text }
}

/// What a kind is called.
pub fn kind(kind: &Kind, lang: Lang) -> String {
    told::kind(kind, lang)
}

/// What a secret is called.
pub fn slot(slot: &Slot, lang: Lang) -> String {
    if *slot == profile_slot() {
        return t(lang, "Profil OpenVPN", "OpenVPN profile").to_owned();
    }
    told::slot(slot, lang)
}

/// What a format of an exported log is called.
pub fn export_format(format: ExportFormat, lang: Lang) -> &'static str {
    told::format(format, lang)
}

/// What a role is called.
pub fn role(role: Role, lang: Lang) -> &'static str {
    told::role(role, lang)
}

/// What a role may do, in one sentence.
pub fn role_help(role: Role, lang: Lang) -> &'static str {
    match role {
        Role::Owner => lang.pick("Peut tout, y compris gérer les propriétaires.", "Everything, owners included."),
        Role::Admin => lang.pick("Peut tout, sauf gérer les propriétaires.", "Everything but owners."),
        Role::Technician => lang.pick(
            "Se connecte, révèle et modifie chez les clients accordés.",
            "Connects, reveals and edits for the clients granted.",
        ),
        Role::Operator => lang.pick(
            "Se connecte sans voir les secrets. C’est le programme qui l’empêche, pas le chiffrement.",
            "Connects without seeing secrets. The program enforces this, not cryptography.",
        ),
        Role::Auditor => lang.pick(
            "Lit le journal\u{a0}; ne peut ouvrir aucun identifiant, même par le chiffrement.",
            "Reads the log; cannot open any credential, by cryptography.",
        ),
    }
}

/// Where an effective value comes from.
pub fn origin(origin: &Origin, lang: Lang) -> String {
    match origin {
        Origin::Own => t(lang, "de cet accès", "of this entry").to_owned(),
        Origin::Inherited(path) => format!("{} {path}", t(lang, "de", "from")),
        Origin::Linked(path) => format!("{} {path}", t(lang, "lié à", "linked to")),
        Origin::Mine(path) => format!("{} ({path})", t(lang, "le mien", "my own")),
        Origin::Asked => t(lang, "demandé à la connexion", "asked when connecting").to_owned(),
        Origin::Default => t(lang, "par défaut", "default").to_owned(),
        Origin::Found => t(lang, "trouvé sur cet ordinateur", "found on this computer").to_owned(),
        Origin::Missing => t(
            lang,
            "celui du bureau\u{a0}: aucun de la famille Chromium n’est installé",
            "that of the desktop: none of the Chromium family is installed",
        )
        .to_owned(),
        Origin::ByHand => t(
            lang,
            "celui du bureau\u{a0}: connexion à la main",
            "that of the desktop: login by hand",
        )
        .to_owned(),
        Origin::Absent => t(
            lang,
            "faute de FreeRDP, introuvable sur cet ordinateur",
            "for want of FreeRDP, which is not on this computer",
        )
        .to_owned(),
        Origin::Because(why) => why.get(lang).to_owned(),
    }
}

/// What a field of an entry is called, by its id.
pub fn entry_field(id: &str, lang: Lang) -> String {
    if id == profile_slot().to_string() {
        return slot(&profile_slot(), lang);
    }
    told::entry_field(id, lang)
}

/// The value of a connector's setting as people read it, by the setting's id.
pub fn setting_value<'a>(id: &str, value: &'a str, lang: Lang) -> &'a str {
    told::setting(id).map_or(value, |field| field.shown(value, lang))
}

/// What a field of a line of the log is called, as in the reports.
pub fn log_field<'a>(line: &OpenLine, name: &'a str, lang: Lang) -> &'a str {
    told::label(line, name, lang)
}

/// What a column of the log is called, by its name, as in the reports.
pub fn log_column(name: &str, lang: Lang) -> &str {
    told::label(&OpenLine::empty(), name, lang)
}

/// A value of the log as in the reports, moments in the computer's time zone.
pub fn log_value(line: &OpenLine, name: &str, value: &str, lang: Lang) -> String {
    told::value(line, name, value, lang, when_exactly)
}

/// A number with at most one decimal: `1,5` in French, `10` for ten.
pub fn decimal(number: f64, lang: Lang) -> String {
    let text = format!("{number:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if lang == Lang::Fr { text.replace('.', ",") } else { text.to_owned() }
}

/// What an event is called, as in the reports.
pub fn event(event: Event, lang: Lang) -> &'static str {
    export::event_name(event, lang)
}

/// The day of a moment in UTC, as certificates tell it.
pub fn utc_day(time: Time) -> jiff::civil::Date {
    TimeZone::UTC.to_datetime(time.to_jiff()).date()
}

/// This moment.
pub fn now() -> Time {
    Time(jiff::Timestamp::now().as_microsecond())
}

/// Today in the computer's time zone.
pub fn today() -> jiff::civil::Date {
    TimeZone::system().to_datetime(jiff::Timestamp::now()).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_stands_in_the_singular_where_the_language_has_it() {
        let told = |n, lang| counted(n, ("ligne", "lignes"), ("line", "lines"), lang);
        let fr = [0, 1, 2, 1234].map(|n| told(n, Lang::Fr));
        assert_eq!(fr, ["0 ligne", "1 ligne", "2 lignes", "1\u{a0}234 lignes"]);
        let en = [0, 1, 2].map(|n| told(n, Lang::En));
        assert_eq!(en, ["0 lines", "1 line", "2 lines"]);
    }
}
