//! A web page with its login. Where there is a browser of the Chromium family, the
//! page opens in one of its own and is logged in to; elsewhere the application opens
//! the person's browser and offers the login for copying. No secret is ever put into
//! an address.

#[cfg(unix)]
mod cdp;
#[cfg(unix)]
pub mod engine;
pub mod fail;
#[cfg(unix)]
mod log;
#[cfg(unix)]
mod login;
#[cfg(unix)]
mod page;
pub mod presets;
#[cfg(unix)]
mod trust;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::field::{Field, FieldKind, Word, Words};
use super::host::link::HostLink;
use super::launch::Launch;
use super::link::Link;
use super::{Common, Connector, Failure, Lease, Opens, vpn};
use crate::model::entry::{Entry, Slot};
use crate::model::lang::Bi;
use crate::model::target::{HostPort, Target};
use crate::os::chromium;

/// Its word.
pub const ID: &str = "web";

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
        // A ticket may not decide where the login goes.
        Ok(port) if !host.is_empty() && !host.contains(TICKET) => {
            Ok(HostPort { host: host.to_owned(), port })
        }
        _ => Err(PageFault::NoPage),
    }
}

/// Where a ticket's number goes in an address.
pub const TICKET: &str = "{ticket}";

/// Whether an address is that of a page for each ticket.
pub fn wants_ticket(address: &str) -> bool {
    address.contains(TICKET)
}

/// The page of a ticket: `{ticket}` in `template` filled in, percent-encoded
/// (RFC 3986, all but unreserved characters). `None` without a ticket, or when it
/// is no page to open.
pub fn ticket_page(template: &str, ticket: &str) -> Option<String> {
    let (template, ticket) = (template.trim(), ticket.trim());
    // One or two dots lead out of a path, encoded or not (WHATWG URL 4.1).
    if matches!(ticket, "" | "." | "..") || !leads(template) {
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
    let page = template.replace(TICKET, &coded);
    may_open(&page).then_some(page)
}

/// Whether an address is that of a page for each ticket, on a machine that no ticket
/// decides.
pub fn leads(address: &str) -> bool {
    wants_ticket(address) && page(address) != Err(PageFault::NoPage)
}

/// The setting with the address that is opened in place of the entry's own.
pub const LOGIN_URL: &str = "login-url";

/// Variable by which a session process learns the language of what it tells.
pub const LANG: &str = "POTERNE_LANG";

/// The setting with the browser to use.
pub const BROWSER: &str = "browser";

/// The setting that says who logs in.
const LOGIN: &str = "login";
/// The person does.
const MANUAL: &str = "manual";

const LOGINS: &[Word] = &[
    Word { word: "auto", fr: "automatique", en: "automatic" },
    Word { word: MANUAL, fr: "à la main", en: "by hand" },
];

const FIELDS: &[Field] = &[
    Field::new(LOGIN_URL, "Page de connexion", "Login page", FieldKind::Text)
        .explained(
            "Adresse de la page où l’on se connecte, si ce n’est pas celle de l’entrée. Dans l’une \
             et l’autre, {ticket} est remplacé par le ticket de la session, qui est alors demandé.",
            "Address of the page where one logs in, if it is not the entry's own. In both, {ticket} \
             is replaced by the session's ticket, which is asked for then.",
        )
        .own(),
    vpn::fields::VPN,
    vpn::fields::WHEN,
    Field::new(LOGIN, "Connexion", "Login", FieldKind::Choice(LOGINS))
        .explained(
            "Automatique\u{a0}: la page s’ouvre dans un navigateur à part, déjà connectée. À la \
             main\u{a0}: dans votre navigateur, l’identifiant à copier.",
            "Automatic: the page opens in a browser of its own, logged in. By hand: in your \
             browser, the login to copy.",
        )
        .usually("auto"),
    Field::new(BROWSER, "Navigateur", "Browser", FieldKind::Text).explained(
        "Programme de la famille Chromium, par son nom ou son chemin\u{a0}; vide\u{a0}: le premier \
         trouvé.",
        "Program of the Chromium family, by name or path; empty: the first one found.",
    ),
    Field::new("preset", "Modèle de page", "Page preset", FieldKind::Listed(Words(presets::words)))
        .explained(
            "Où cet équipement a ses champs\u{a0}; automatique\u{a0}: ils sont cherchés sur la page.",
            "Where this device has its fields; automatic: they are looked for on the page.",
        )
        .usually("auto"),
    Field::new("user-selector", "Champ utilisateur", "User field", FieldKind::Text).explained(
        "Sélecteur CSS du champ de l’utilisateur\u{a0}; vide\u{a0}: cherché sur la page.",
        "CSS selector of the user's field; empty: looked for on the page.",
    ),
    Field::new("password-selector", "Champ mot de passe", "Password field", FieldKind::Text)
        .explained(
            "Sélecteur CSS du champ du mot de passe\u{a0}; vide\u{a0}: cherché sur la page.",
            "CSS selector of the password's field; empty: looked for on the page.",
        ),
    Field::new("totp-selector", "Champ du code", "Code field", FieldKind::Text).explained(
        "Sélecteur CSS du champ du code à usage unique\u{a0}; vide\u{a0}: cherché sur la page.",
        "CSS selector of the one-time code's field; empty: looked for on the page.",
    ),
    Field::new("submit-selector", "Bouton de connexion", "Login button", FieldKind::Text).explained(
        "Sélecteur CSS du bouton à cliquer\u{a0}; vide\u{a0}: la touche Entrée, puis le bouton \
         trouvé.",
        "CSS selector of the button to click; empty: the Enter key, then the button found.",
    ),
    Field::new(
        "connect-timeout",
        "Délai de connexion (s)",
        "Connect timeout (s)",
        FieldKind::Number { min: 1, max: 600 },
    )
    .explained(
        "Secondes laissées à la page pour s’ouvrir, puis pour montrer son formulaire.",
        "Seconds given to the page to open, then to show its form.",
    )
    .usually("30"),
];

/// How a page opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// In this browser, which is driven.
    Driven(PathBuf),
    /// In the person's own, as the entry wants it.
    Manual,
    /// In the person's own, since there is none that can be driven.
    NoBrowser,
}

/// The browser that the settings name; may be empty.
pub fn named(settings: &BTreeMap<String, String>) -> &str {
    settings.get(BROWSER).map_or("", |named| named.trim())
}

/// How a page with these settings opens on this machine.
pub fn choice(settings: &BTreeMap<String, String>) -> Choice {
    if settings.get(LOGIN).is_some_and(|login| login.trim() == MANUAL) {
        return Choice::Manual;
    }
    chromium::find(named(settings)).map_or(Choice::NoBrowser, Choice::Driven)
}

/// The address that an entry opens: its login page, else its own.
pub fn address<'a>(host: &'a str, settings: &'a BTreeMap<String, String>) -> &'a str {
    let login = settings.get(LOGIN_URL).map_or("", |url| url.trim());
    if login.is_empty() { host.trim() } else { login }
}

/// The mark of a page in clear text.
pub fn in_clear(address: &str) -> Option<Bi> {
    let clear = address.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("http:"));
    clear.then(|| {
        Bi::new(
            "Page non chiffrée\u{a0}: tout, mot de passe compris, passe en clair",
            "Page not encrypted: everything, the password too, travels in clear text",
        )
    })
}

impl Connector for Web {
    fn id(&self) -> &'static str {
        ID
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

    fn opens_with(&self, settings: &BTreeMap<String, String>) -> Opens {
        match choice(settings) {
            Choice::Driven(_) => Opens::Session,
            Choice::Manual | Choice::NoBrowser => Opens::Browser,
        }
    }

    fn place(&self, entry: &Entry) -> HostPort {
        let none = |_| HostPort { host: String::new(), port: 0 };
        page(address(&entry.host, &entry.settings)).unwrap_or_else(none)
    }

    fn many_channels(&self) -> bool {
        false
    }

    fn open(&self, target: &Target, lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        let settings = &target.destination().settings;
        page(address("", settings)).map_err(|_| fail::address())?;
        if !matches!(choice(settings), Choice::Driven(_)) {
            return Err(fail::no_browser(named(settings)));
        }
        let desktop = lease.desktop();
        if !chromium::has_screen(&desktop) {
            return Err(fail::no_screen());
        }
        let mut launch = Launch::session_host();
        launch.env = desktop.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        // For a channel, which opens at once: the page is there before.
        let limit = Duration::from_secs(15);
        Ok(Box::new(HostLink::open_as(launch, target, lease, limit)?))
    }
}
