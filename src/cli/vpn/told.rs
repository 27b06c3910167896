//! What is said of a profile that is taken in: what was left out and why, risks, and
//! what it changes. Shows no key.

use serde_json::{Value, json};

use crate::app::api::AppError;
use crate::app::vpn::Found;
use crate::cli::Context;
use crate::cli::say;
use crate::connect::openvpn::profile::Dropped;
use crate::connect::openvpn::profile::provisioning::Provisioning;
use crate::model::lang::Bi;

/// Tells a person of it on standard error.
pub fn of_found(context: &Context, found: &Found) {
    let (grave, harmless): (Vec<_>, Vec<_>) =
        found.dropped().iter().partition(|dropped| dropped.class.is_grave());
    let tell = |dropped: &[&Dropped], fr: &str, en: &str| {
        if dropped.is_empty() {
            return;
        }
        say::note(context.pick(fr, en));
        for dropped in dropped {
            say::note(&format!("  {}", say::plain(&dropped.told(context.lang))));
        }
    };
    tell(
        &grave,
        "! Laissé de côté, et qui aurait pu nuire\u{a0}:",
        "! Left out, and could have done harm:",
    );
    for warning in found.warnings() {
        say::note(&format!("! {}", say::plain(warning.get(context.lang))));
    }
    tell(&harmless, "Laissé de côté\u{a0}:", "Left out:");
}

/// Tells what a profile changes.
pub fn of_changes(context: &Context, path: &str, changes: &[Bi]) {
    let path = say::plain(path);
    say::note(&context.pick_owned(
        || format!("Ce profil change «\u{a0}{path}\u{a0}»\u{a0}:"),
        || format!("This profile changes “{path}”:"),
    ));
    for change in changes {
        say::note(&format!("  {}", say::plain(change.get(context.lang))));
    }
}

/// Tells which portal gives the profile of a provisioning file.
pub fn of_portal(context: &Context, portal: &Provisioning) {
    let name = if portal.name.is_empty() { &portal.gateways[0] } else { &portal.name };
    say::note(&context.pick_owned(
        || format!("{}\u{a0}: ce fichier ne contient pas de profil, il dit où en prendre un. Ouvrez le portail du pare-feu, connectez-vous, téléchargez la configuration OpenVPN (.ovpn), puis importez-la\u{a0}:", say::plain(name)),
        || format!("{}: this file holds no profile, it says where to get one. Open the portal of the firewall, log in, download the OpenVPN configuration (.ovpn), then import it:", say::plain(name)),
    ));
    for address in addresses(portal) {
        say::line(&say::plain(&address));
    }
}

/// The addresses of a portal, in the order of its file.
fn addresses(portal: &Provisioning) -> Vec<String> {
    let port = portal.portal_port;
    let address = |host: &String| {
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        if port == 443 { format!("https://{host}/") } else { format!("https://{host}:{port}/") }
    };
    portal.gateways.iter().map(address).collect()
}

/// What is told of a profile, for programs.
pub fn document(context: &Context, found: &Found) -> Value {
    let dropped: Vec<Value> = found
        .dropped()
        .iter()
        .map(|dropped| {
            json!({
                "line": dropped.line,
                "directive": dropped.directive,
                "grave": dropped.class.is_grave(),
                "why": dropped.class.why().get(context.lang),
            })
        })
        .collect();
    let warnings: Vec<&str> = found.warnings().iter().map(|w| w.get(context.lang)).collect();
    json!({
        "servers": found.servers(),
        "asks_login": found.facts().asks_login,
        "has_password": found.has_password(),
        "expires": found.expires(),
        "source": found.source(),
        "warnings": warnings,
        "dropped": dropped,
    })
}

/// As [`of_portal`], for programs.
pub fn portal_document(portal: &Provisioning) -> Value {
    json!({ "name": portal.name, "addresses": addresses(portal), "otp": portal.otp })
}

/// A file that was refused, for programs.
pub fn refused_document(context: &Context, file: &str, error: &AppError) -> Value {
    json!({
        "file": file,
        "what": error.what.get(context.lang),
        "todo": error.todo.get(context.lang),
    })
}
