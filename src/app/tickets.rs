//! What a client asks before something of it is used, shown or exported: tickets
//! and reasons. Decides only; it never looks anything up.

use crate::audit::line::Draft;
use crate::connect::web;
use crate::model::audit_event::field;
use crate::model::entry::{ClientInfo, Entry, Kind};
use crate::model::lang::Bi;

use super::api::{AppError, Code, Justification};

/// What a client asks for, as its lines in the log say it: who exports the log
/// without holding the client's key reads it there. The pattern stands last,
/// since it may hold anything.
///
/// ```text
/// none
/// reason
/// reason; ticket ART-[0-9]{5}
/// ```
pub(super) fn rule_text(info: &ClientInfo) -> String {
    let mut parts = Vec::new();
    if info.reason_required {
        parts.push("reason".to_owned());
    }
    if info.ticket_required {
        parts.push(format!("ticket {}", info.ticket_pattern).trim_end().to_owned());
    }
    if parts.is_empty() { "none".to_owned() } else { parts.join("; ") }
}

/// Adds to a line about a client what it asks for, or that it asks no more.
pub(super) fn tell_rule(before: Option<&Entry>, entry: &Entry, line: &mut Draft) {
    let info = entry.client_info.clone().unwrap_or_default();
    let asked = before.and_then(|e| e.client_info.as_ref()).is_some_and(asks);
    if entry.kind == Kind::CLIENT && (asked || asks(&info)) {
        line.fields.push((field::RULE, rule_text(&info)));
    }
}

fn asks(info: &ClientInfo) -> bool {
    info.ticket_required || info.reason_required
}

/// Reads what [`rule_text`] wrote; anything else asks for nothing.
pub(super) fn rule_of(text: &str) -> ClientInfo {
    let mut info = ClientInfo::default();
    let mut rest = text;
    if let Some(after) = rest.strip_prefix("reason") {
        info.reason_required = true;
        rest = after.strip_prefix("; ").unwrap_or(after);
    }
    if let Some(pattern) = rest.strip_prefix("ticket") {
        info.ticket_required = true;
        info.ticket_pattern = pattern.strip_prefix(' ').unwrap_or(pattern).to_owned();
    }
    info
}

/// Refuses a pattern or address that could never work.
pub(super) fn check_client(info: &ClientInfo) -> Result<(), AppError> {
    if pattern(&info.ticket_pattern).is_none() {
        return Err(AppError::usage(
            (
                "Le modèle de ticket n’est pas une expression régulière.",
                "The ticket pattern is not a regular expression.",
            ),
            ("Par exemple\u{a0}: ART-[0-9]{5}", "For example: ART-[0-9]{5}"),
        ));
    }
    let url = info.ticket_url.trim();
    if !url.is_empty() && !web::leads(url) {
        return Err(AppError::usage(
            (
                "L’adresse des tickets doit commencer par https:// ou http:// et contenir {ticket} après le nom du serveur.",
                "The ticket address must begin with https:// or http:// and hold {ticket} behind the server's name.",
            ),
            (
                "Par exemple\u{a0}: https://glpi.example.fr/ticket/{ticket}",
                "For example: https://glpi.example.fr/ticket/{ticket}",
            ),
        ));
    }
    let colour = info.colour.as_str();
    let hex = |c: &str| {
        c.len() == 7 && c.starts_with('#') && c[1..].bytes().all(|b| b.is_ascii_hexdigit())
    };
    if !colour.is_empty() && !hex(colour) {
        return Err(AppError::usage(
            ("La couleur ne se lit pas.", "The colour cannot be read."),
            ("Écrivez-la #rrggbb, comme #3366cc.", "Write it #rrggbb, such as #3366cc."),
        ));
    }
    Ok(())
}

fn pattern(text: &str) -> Option<regex::Regex> {
    let text = if text.is_empty() { ".+" } else { text };
    regex::RegexBuilder::new(&format!("^(?:{text})$")).size_limit(1 << 20).build().ok()
}

/// Refuses an act without the ticket or reason that its client asks for.
pub(super) fn justified(info: &ClientInfo, just: &Justification) -> Result<(), AppError> {
    let given = |t: &Option<String>| t.as_deref().map(str::trim).is_some_and(|t| !t.is_empty());
    if info.ticket_required && !given(&just.ticket) {
        return Err(missing(
            ("Ce client demande un numéro de ticket.", "This client asks for a ticket number."),
            &info.ticket_pattern,
        ));
    }
    if let Some(ticket) = just.ticket.as_deref().map(str::trim).filter(|t| !t.is_empty())
        && !pattern(&info.ticket_pattern).is_some_and(|p| p.is_match(ticket))
    {
        return Err(missing(
            (
                "Ce numéro de ticket n’a pas la forme attendue.",
                "This ticket number does not have the expected form.",
            ),
            &info.ticket_pattern,
        ));
    }
    if info.reason_required && !given(&just.reason) {
        return Err(AppError::new(
            Code::NotAllowed,
            ("Ce client demande un motif.", "This client asks for a reason."),
            ("Donnez-le (option --reason).", "Give it (option --reason)."),
        ));
    }
    Ok(())
}

/// As [`justified`], for an act that takes something of several clients, named
/// first the one it is about. Each that asks has to find its ticket among those
/// given, which stand apart by spaces, commas or semicolons.
pub(super) fn all_justified(
    clients: &[(String, ClientInfo)],
    just: &Justification,
) -> Result<(), AppError> {
    if let [(_, only)] = clients {
        return justified(only, just);
    }
    for (name, info) in clients.iter().filter(|(_, info)| asks(info)) {
        let whole = just.ticket.as_deref().unwrap_or_default();
        let parts = whole.split([' ', ',', ';']).filter(|part| !part.is_empty());
        let fits = |ticket: &str| {
            let ticket = Some(ticket.to_owned());
            justified(info, &Justification { ticket, reason: just.reason.clone() }).is_ok()
        };
        if !std::iter::once(whole).chain(parts).any(fits) {
            return justified(info, just).map_err(|e| said_by(name, e));
        }
    }
    Ok(())
}

/// The refusal of a client that is not the one at hand, with its name.
fn said_by(name: &str, e: AppError) -> AppError {
    let small = |text: &str| {
        let mut signs = text.chars();
        signs.next().map(|c| c.to_lowercase().chain(signs).collect::<String>()).unwrap_or_default()
    };
    let what = Bi::new(
        format!("«\u{a0}{name}\u{a0}»\u{a0}: {}", small(&e.what.fr)),
        format!("“{name}”: {}", small(&e.what.en)),
    );
    AppError { what, ..e }
}

/// What several clients ask for together, and the name of the first that asks;
/// `None` when none does.
pub(super) fn asked(clients: &[(String, ClientInfo)]) -> Option<(String, ClientInfo)> {
    let mut asking = clients.iter().filter(|(_, info)| asks(info));
    let (name, mut info) = asking.next()?.clone();
    for (_, other) in asking {
        info.ticket_required |= other.ticket_required;
        info.reason_required |= other.reason_required;
        if info.ticket_pattern != other.ticket_pattern {
            info.ticket_pattern = [info.ticket_pattern, other.ticket_pattern.clone()].join(" ");
        }
    }
    Some((name, info))
}

/// As [`justified`], for lines of the client `name` that leave in an export. One
/// of several tickets, apart by spaces, commas or semicolons, has to be the client's.
pub(super) fn export_justified(
    name: &str,
    info: &ClientInfo,
    just: &Justification,
) -> Result<(), AppError> {
    let whole = just.ticket.as_deref().unwrap_or_default().trim();
    let parts = whole.split([' ', ',', ';']).filter(|part| !part.is_empty());
    let fits = |ticket: &str| {
        let one = Justification { ticket: Some(ticket.to_owned()), reason: just.reason.clone() };
        justified(info, &one).is_ok()
    };
    // A ticket for another client's lines is none of this one's business.
    if !asks(info) || std::iter::once(whole).chain(parts).any(fits) {
        return Ok(());
    }
    let reason = just.reason.as_deref().is_some_and(|r| !r.trim().is_empty());
    if info.reason_required && !reason {
        return Err(AppError {
            code: Code::NotAllowed,
            what: Bi::new(
                format!("«\u{a0}{name}\u{a0}» demande un motif pour l’export de ses lignes."),
                format!("“{name}” asks for a reason to export its lines."),
            ),
            todo: Bi::new(
                "Donnez-le (option --reason), ou choisissez d’autres lignes.",
                "Give it (option --reason), or choose other lines.",
            ),
        });
    }
    let form = form(&info.ticket_pattern);
    Err(AppError {
        code: Code::NotAllowed,
        what: Bi::new(
            format!(
                "«\u{a0}{name}\u{a0}» demande son numéro de ticket pour l’export de ses lignes."
            ),
            format!("“{name}” asks for its ticket number to export its lines."),
        ),
        todo: Bi::new(
            format!("Donnez-le{} (option --ticket), ou choisissez d’autres lignes.", form.fr),
            format!("Give it{} (option --ticket), or choose other lines.", form.en),
        ),
    })
}

fn missing(what: (&str, &str), pattern: &str) -> AppError {
    let form = form(pattern);
    AppError {
        code: Code::NotAllowed,
        what: Bi::new(what.0, what.1),
        todo: Bi::new(
            format!("Donnez-le{} (option --ticket).", form.fr),
            format!("Give it{} (option --ticket).", form.en),
        ),
    }
}

/// A page is another one for each ticket, and none was given.
pub(super) fn wanted() -> AppError {
    missing(
        (
            "L’adresse de cette page contient {ticket}\u{a0}: il faut un numéro de ticket.",
            "The address of this page holds {ticket}: it takes a ticket number.",
        ),
        "",
    )
}

/// How the ticket must look, if the client says so.
fn form(pattern: &str) -> Bi {
    match pattern {
        "" => Bi::default(),
        _ => Bi::new(format!(" sous la forme {pattern}"), format!(" in the form {pattern}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(pattern: &str) -> ClientInfo {
        ClientInfo { ticket_pattern: pattern.into(), ticket_required: true, ..Default::default() }
    }

    fn ticket(t: &str) -> Justification {
        Justification { ticket: Some(t.into()), reason: None }
    }

    #[test]
    fn a_ticket_must_match_the_whole_pattern() {
        let info = client("ART-[0-9]{5}");
        assert!(justified(&info, &ticket("ART-12345")).is_ok());
        assert!(justified(&info, &ticket("xART-12345")).is_err());
        assert!(justified(&info, &ticket("ART-1234")).is_err());
        assert!(justified(&info, &Justification::default()).is_err());
    }

    #[test]
    fn a_rule_comes_back_from_its_words() {
        for (ticket_required, reason_required, pattern) in [
            (false, false, ""),
            (false, true, ""),
            (true, false, ""),
            (true, true, "reason; ticket [a-z; ]+"),
            (true, false, "ART-[0-9]{5}|GLPI-[0-9]+"),
        ] {
            let info = ClientInfo {
                ticket_required,
                reason_required,
                ticket_pattern: pattern.into(),
                ..Default::default()
            };
            assert_eq!(rule_of(&rule_text(&info)), info, "{}", rule_text(&info));
        }
    }

    #[test]
    fn alternatives_do_not_escape_the_whole_match() {
        assert!(justified(&client("A|B"), &ticket("AX")).is_err());
        assert!(justified(&client("A|B"), &ticket("B")).is_ok());
    }
}
