//! Checks where an entry points to: the address of a web page, a host, and which
//! common fields its kind has at all. What could never work is refused when it is
//! typed. Resolves and contacts nothing.

use std::net::Ipv6Addr;

use crate::connect;
use crate::connect::web::{self, PageFault};
use crate::model::entry::{CredentialSource, Kind};
use crate::model::lang::Bi;

use super::api::{AppError, Code, Patch, Set};

/// Longest host name (RFC 1035 section 2.3.4).
const HOST_MAX_BYTES: usize = 253;

/// Refuses what a new state says about fields that its kind does not have. To
/// empty one is always allowed.
pub(super) fn check_fields(kind: &Kind, patch: &Patch) -> Result<(), AppError> {
    let common = connect::common_of(kind);
    let credential = match &patch.credential {
        Set::To(source) => *source != CredentialSource::default(),
        Set::Keep => false,
    };
    let given = [
        ("host", common.host, matches!(&patch.host, Set::To(host) if !host.is_empty())),
        ("port", common.port, matches!(patch.port, Set::To(Some(_)))),
        ("user", common.user, matches!(&patch.user, Set::To(user) if !user.is_empty())),
        ("credential", common.user, credential),
    ];
    match given.iter().find(|(_, has, given)| *given && !has) {
        None => Ok(()),
        Some((field, ..)) => Err(AppError {
            code: Code::Usage,
            what: Bi::new(
                format!("«\u{a0}{kind}\u{a0}» n’a pas de champ «\u{a0}{field}\u{a0}»."),
                format!("“{kind}” has no field “{field}”."),
            ),
            todo: Bi::new(
                "Laissez-le de côté, ou choisissez un autre type d’entrée.",
                "Leave it out, or choose another kind of entry.",
            ),
        }),
    }
}

/// The host as it is stored: an IPv6 address without brackets.
pub(super) fn host(kind: &Kind, given: &str) -> Result<String, AppError> {
    let text = given.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    if kind.word() == "web" {
        check_web(text)?;
        return Ok(text.to_owned());
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    if v6(bare) {
        return Ok(bare.to_owned());
    }
    let refused = |fr: &str, en: &str| {
        Err(AppError {
            code: Code::Usage,
            what: Bi::new(
                format!("«\u{a0}{text}\u{a0}» n’est pas un nom d’hôte."),
                format!("“{text}” is not a host name."),
            ),
            todo: Bi::new(fr, en),
        })
    };
    if text.contains("://") || text.contains(['/', '\\']) {
        return refused(
            "Donnez le nom ou l’adresse seuls, sans «\u{a0}ssh://\u{a0}» ni chemin.",
            "Give the name or address alone, without “ssh://” or a path.",
        );
    }
    if text.contains('@') {
        return refused(
            "Donnez le nom ou l’adresse seuls\u{a0}; l’utilisateur a son propre champ (--user).",
            "Give the name or address alone; the user has a field of its own (--user).",
        );
    }
    if text.contains(char::is_whitespace) || text.len() > HOST_MAX_BYTES {
        return refused(
            "Donnez un seul nom ou une seule adresse, sans espace.",
            "Give one name or address, without spaces.",
        );
    }
    if text.contains([':', '[', ']']) {
        return refused(
            "Donnez le nom ou l’adresse seuls\u{a0}; le port a son propre champ (--port).",
            "Give the name or address alone; the port has a field of its own (--port).",
        );
    }
    Ok(text.to_owned())
}

/// An IPv6 address, with or without a zone (RFC 4007 section 11).
fn v6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "-"));
    address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty() && !zone.contains(char::is_whitespace)
}

/// Refuses an address that no browser is to be given.
pub(super) fn check_web(address: &str) -> Result<(), AppError> {
    if !web::may_open(address) {
        return Err(refused_web(address));
    }
    if web::wants_ticket(address) && web::page(address) == Err(PageFault::NoPage) {
        return Err(ticket_leads(address));
    }
    Ok(())
}

/// The words for an address in which the ticket would say which machine it is.
fn ticket_leads(address: &str) -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new(
            format!("Dans «\u{a0}{address}\u{a0}», le ticket déciderait du serveur."),
            format!("In “{address}” the ticket would decide on the server."),
        ),
        todo: Bi::new(
            "Mettez {ticket} après le nom du serveur, comme https://artis.example/tickets/{ticket}",
            "Put {ticket} behind the server's name, as https://artis.example/tickets/{ticket}",
        ),
    }
}

/// The words for an address with a password in it, which would end up in the
/// browser's history and in the list of processes.
pub(super) fn password_in(name: &str) -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new(
            format!(
                "L’adresse de «\u{a0}{name}\u{a0}» contient un mot de passe\u{a0}: elle n’est pas ouverte."
            ),
            format!("The address of “{name}” holds a password: it is not opened."),
        ),
        todo: Bi::new(
            "Retirez-le de l’adresse\u{a0}: l’entrée a un champ pour lui.",
            "Take it out of the address: the entry has a field for it.",
        ),
    }
}

/// The words for an address that is not opened.
pub fn refused_web(address: &str) -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new(
            format!("«\u{a0}{address}\u{a0}» n’est pas l’adresse d’une page web."),
            format!("“{address}” is not the address of a web page."),
        ),
        todo: Bi::new(
            "Elle doit commencer par https:// ou http://.",
            "It must begin with https:// or http://.",
        ),
    }
}
