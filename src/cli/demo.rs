//! `demo`: a throw-away vault in the window, or a made-up one in a file.

use std::path::PathBuf;

use serde_json::json;

use crate::app::api::{AppError, Request};
use crate::app::demo::{self, PASSWORD};

use super::Context;
use super::args::Demo;
use super::lifecycle::absolute;
use super::say::{self, bi, usage};

/// Writes a made-up vault to a file. Without `--make` the window is opened,
/// which is for `main` to do.
pub fn make(context: &Context, options: Demo) -> Result<(), AppError> {
    let (Some(file), Some(entries)) = (options.make, options.entries) else {
        return Err(usage(
            bi(
                "Cette version de Poterne n’a pas de fenêtre.",
                "This build of Poterne has no window.",
            ),
            bi(
                "Écrivez un coffre inventé\u{a0}: poterne demo --make FICHIER --entries 20",
                "Write a made-up vault: poterne demo --make FILE --entries 20",
            ),
        ));
    };
    let file: PathBuf = absolute(file);
    let made = demo::make_large(&file, entries)?;
    made.app.call(Request::Lock)?;
    let secret = made.totp_secret();
    if context.json {
        say::document(&json!({ "vault": file, "password": PASSWORD, "totp_secret": secret }));
    } else {
        say::line(&format!(
            "{} {}",
            context.pick("coffre       ", "vault        "),
            file.display()
        ));
        say::line(&format!("{} {PASSWORD}", context.pick("mot de passe ", "password     ")));
        say::line(&format!("{} {secret}", context.pick("graine TOTP  ", "totp secret  ")));
    }
    Ok(())
}
