//! A web page with its login. The application opens the browser and offers the
//! login for copying; this connector never puts a secret into an address.

use super::credential::opens_nothing;
use super::field::{Field, FieldKind};
use super::link::Link;
use super::{Common, Connector, Failure, Lease, Opens};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::{HostPort, Target};

/// The connector.
pub struct Web;

/// Whether an address may be handed to a browser: a web page, and nothing that
/// runs a script, reads a file or starts another program.
pub fn may_open(address: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let head = address.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| &address[scheme.len()..])
    });
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with('/')
            && !rest.chars().any(|c| c.is_whitespace() || c.is_control())
    })
}

/// Why an address is not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageFault {
    /// It is no web page.
    NoPage,
    /// It holds a password (RFC 3986 section 3.2.1).
    Password,
}

/// The machine and port that an address leads to; a backslash ends the authority
/// as a slash does, since browsers read it so (WHATWG URL).
///
/// # Errors
/// It is not to be opened.
pub fn page(address: &str) -> Result<HostPort, PageFault> {
    if !may_open(address) {
        return Err(PageFault::NoPage);
    }
    let (scheme, rest) = address.split_once("://").ok_or(PageFault::NoPage)?;
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains(':') {
        return Err(PageFault::Password);
    }
    let usual = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
        None => place.split_once(':').unwrap_or((place, "")),
    };
    let port = if port.is_empty() { Ok(usual) } else { port.parse() };
    match port {
        Ok(port) if !host.is_empty() => Ok(HostPort { host: host.to_owned(), port }),
        _ => Err(PageFault::NoPage),
    }
}

/// The page of a ticket: `{ticket}` in `template` filled in, percent-encoded
/// (RFC 3986, all but unreserved characters). `None` without a ticket, or when it
/// is no page to open.
pub fn ticket_page(template: &str, ticket: &str) -> Option<String> {
    let ticket = ticket.trim();
    if ticket.is_empty() || !template.contains("{ticket}") {
        return None;
    }
    let mut coded = String::new();
    for byte in ticket.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            coded.push(char::from(byte));
        } else {
            coded.push_str(&format!("%{byte:02X}"));
        }
    }
    let page = template.trim().replace("{ticket}", &coded);
    may_open(&page).then_some(page)
}

/// The setting with the address that is opened in place of the entry's own.
pub const LOGIN_URL: &str = "login-url";

const FIELDS: &[Field] = &[Field {
    id: LOGIN_URL,
    fr: "Page de connexion",
    en: "Login page",
    help_fr: "Adresse de la page où l’on se connecte, si ce n’est pas celle de l’entrée.",
    help_en: "Address of the page where one logs in, if it is not the entry's own.",
    kind: FieldKind::Text,
    default: "",
    inherits: false,
}];

impl Connector for Web {
    fn id(&self) -> &'static str {
        "web"
    }

    fn label(&self) -> Bi {
        Bi::new("Page web", "Web page")
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::Password, Slot::Totp, Slot::Notes]
    }

    fn common(&self) -> Common {
        Common { host: true, port: false, user: true }
    }

    fn opens(&self) -> Opens {
        Opens::Browser
    }

    fn open(&self, _target: &Target, _lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        Err(opens_nothing())
    }
}
