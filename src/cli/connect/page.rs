//! The page of a web entry in the browser of this desktop: whom to log in as is said
//! here, the password never.

use serde_json::json;

use crate::app::api::{AppError, At};
use crate::app::browser;
use crate::cli::args::Connect;
use crate::cli::say::{self, bi, usage};
use crate::cli::{Context, Opened};

/// Opens the page of a web entry, and says whom to log in as.
pub(super) fn page(context: &Context, opened: &Opened, options: Connect) -> Result<u8, AppError> {
    if !options.command.is_empty() || options.tty || options.accept_host_key.is_some() {
        return Err(usage(
            bi("Une page web n’exécute pas de commande.", "A web page runs no command."),
            bi(
                "Donnez son chemin seul\u{a0}: elle s’ouvre dans le navigateur.",
                "Give its path alone: it opens in the browser.",
            ),
        ));
    }
    let at = At::Path(options.path);
    let page =
        browser::visit(|request| opened.call(request), browser::show, at, options.why.into())?;
    if context.json {
        say::document(&json!({
            "session": page.session.to_string(),
            "opened": true,
            "url": page.url,
            "user": page.user,
        }));
        return Ok(0);
    }
    let url = say::plain(&page.url);
    say::line(&format!("{}{url}", context.pick("Page ouverte\u{a0}: ", "Page opened: ")));
    if !page.user.is_empty() {
        let user = say::plain(&page.user);
        say::line(&format!("{}{user}", context.pick("Identifiant\u{a0}: ", "Login: ")));
    }
    Ok(0)
}
