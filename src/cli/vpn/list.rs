//! The VPNs that are up, as text and as documents. Nothing is asked for that.

use serde_json::{Value, json};

use crate::app::api::{AppError, Code, Reply, Request, VpnView};
use crate::app::remote;
use crate::cli::Context;
use crate::cli::say;

pub fn list(context: &Context) -> Result<(), AppError> {
    let vpns = up(context)?;
    if context.json {
        say::document(&json!({ "vpns": documents(context, &vpns) }));
        return Ok(());
    }
    if vpns.is_empty() {
        say::note(context.pick("Aucun VPN n’est monté.", "No VPN is up."));
    }
    say::raw(say::table(&rows(context, &vpns)).as_bytes());
    Ok(())
}

/// Those of the process that serves the vault: a locked one has none.
fn up(context: &Context) -> Result<Vec<VpnView>, AppError> {
    let Some(access) = remote::find(&context.existing_file()?)? else { return Ok(Vec::new()) };
    match access.call(Request::Status) {
        Ok(Reply::Status(status)) => Ok(status.vpns),
        Ok(_) => Err(say::unexpected()),
        Err(error) if error.code == Code::Locked => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Path, state, address, sessions, bytes in and out, and since when.
pub fn rows(context: &Context, vpns: &[VpnView]) -> Vec<Vec<String>> {
    let row = |vpn: &VpnView| {
        let now = &vpn.now;
        let mut state = now.step.words().get(context.lang).to_owned();
        if let Some(why) = &now.why {
            state.push_str(&format!(" ({})", why.get(context.lang).trim_end_matches('.')));
        }
        let sessions = match context.lang.pick("session", "session") {
            word if vpn.sessions == 1 => format!("1 {word}"),
            word => format!("{} {word}s", vpn.sessions),
        };
        let size = |bytes| say::size(context.lang, bytes);
        vec![
            say::plain(&vpn.path),
            say::plain(&state),
            say::plain(&now.address),
            sessions,
            format!("↓ {}", size(now.received)),
            format!("↑ {}", size(now.sent)),
            now.since.map(|since| since.to_string()).unwrap_or_default(),
        ]
    };
    vpns.iter().map(row).collect()
}

/// The same for programs.
pub fn documents(context: &Context, vpns: &[VpnView]) -> Vec<Value> {
    let document = |vpn: &VpnView| {
        json!({
            "id": vpn.entry,
            "path": vpn.path,
            "state": vpn.now.step,
            "why": vpn.now.why.as_ref().map(|why| why.get(context.lang)),
            "address": vpn.now.address,
            "sessions": vpn.sessions,
            "received": vpn.now.received,
            "sent": vpn.now.sent,
            "since": vpn.now.since,
        })
    };
    vpns.iter().map(document).collect()
}
