//! Web pages in the person's browser, opened by the process they sit at; the
//! vault logs it before and after. An address goes out, and never a secret.

use crate::connect::web;
use crate::model::lang::Bi;
use crate::os::browser;

use super::address::refused_web;
use super::api::{AppError, At, Code, Justification, PageView, Reply, Request};

/// Opens the page of a web entry: `call` asks the unlocked vault, `show` is
/// [`show`] or stands for it.
///
/// # Errors
/// As for a session: role, ticket, reason; an address that is none; no browser.
pub fn visit(
    call: impl Fn(Request) -> Result<Reply, AppError>,
    show: impl FnOnce(&str) -> Result<(), AppError>,
    at: At,
    just: Justification,
) -> Result<PageView, AppError> {
    let Reply::Page(page) = call(Request::Visit { at, just })? else {
        return Err(super::gone());
    };
    let shown = show(&page.url);
    let told = call(Request::Visited { session: page.session, opened: shown.is_ok() });
    shown?;
    told?;
    Ok(page)
}

/// Shows a page in the browser.
///
/// # Errors
/// It is no web page, or there is no browser.
pub fn show(url: &str) -> Result<(), AppError> {
    let url = url.trim();
    // Who shares the vault may have written it, with any program.
    if !web::may_open(url) {
        return Err(refused_web(url));
    }
    browser::open(url).then_some(()).ok_or_else(|| AppError {
        code: Code::Other,
        what: Bi::new("Aucun navigateur n’a pu être ouvert.", "No browser could be opened."),
        todo: Bi::new(
            format!(
                "Ouvrez cette adresse vous-même, ou indiquez un navigateur dans la variable BROWSER\u{a0}: {url}"
            ),
            format!("Open this address yourself, or name a browser in the variable BROWSER: {url}"),
        ),
    })
}
