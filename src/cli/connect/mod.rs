//! `connect`: an interactive shell in this terminal, or a command with its three
//! streams passed through. The opening was logged before anything starts here.

mod carry;
mod outcome;
mod page;
mod person;
mod request;
mod unlogged;

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use crate::app::api::{AppError, At, EntryView, Justification, Request};
use crate::app::{ConnectRequest, OpenSession, desktop};
use crate::connect::link::{Channel, ChannelRequest};
use crate::connect::{self, Opens};
use crate::os::terminal;

use super::args::Connect;
use super::say::{self, bi, usage};
use super::{Context, show};
use carry::{Terms, carry, open_channel, watch_signals};
use page::page;
use request::channel_request;

pub(super) use person::Terminal;
pub(super) use request::fingerprints;
pub use unlogged::without_vault;

pub fn connect(context: &Context, options: Connect) -> Result<u8, AppError> {
    let asked_to_end = Arc::new(AtomicI32::new(0));
    let done = attend(context, options, &asked_to_end);
    match (done, asked_to_end.load(Ordering::Acquire)) {
        (Err(error), signal) if signal != 0 => {
            if context.json {
                say::failure(&error, context.lang, true);
            }
            Ok(128 + (signal & 0x7F) as u8)
        }
        (done, _) => done,
    }
}

fn attend(
    context: &Context,
    options: Connect,
    asked_to_end: &Arc<AtomicI32>,
) -> Result<u8, AppError> {
    let (ends, end) = channel();
    let mut request = channel_request(&options)?;
    let accepted = options.accept_host_key.as_deref().map(fingerprints).transpose()?;
    let resized = Arc::new(Mutex::new(None::<Arc<Mutex<Box<dyn Channel>>>>));
    watch_signals(ends.clone(), Arc::clone(asked_to_end), Arc::clone(&resized));
    let opened = context.open()?;
    let (mut plain, mut watched) = (false, false);
    // What is wrong with the path, connecting says.
    let view = opened.call(Request::Show { at: At::Path(options.path.clone()) });
    let view = view.and_then(say::entry).ok();
    if let Some(view) = &view {
        warn_of_expiry(context, view);
        let connector = connect::by_kind(&view.entry.kind);
        let is_page = connector.is_some_and(|connector| connector.opens() == Opens::Browser);
        // Without a screen there is still the browser that BROWSER names.
        if is_page && (view.opens == Opens::Browser || !desktop::has_screen()) {
            return page(context, &opened, options);
        }
        plain = connector.is_some_and(|connector| !connector.many_channels());
        watched = connector.is_some_and(|connector| connector.leads_to_network());
        if (plain || watched) && (!options.command.is_empty() || options.tty) {
            return Err(no_commands(view.entry.kind.word()));
        }
        if let ChannelRequest::Shell { term, .. } = &mut request
            && plain
            && !terminal::stdin_is_terminal()
        {
            term.clear();
        }
    }
    let just: Justification = options.why.into();
    let mut ui = Terminal::new(context.lang, asked_to_end);
    let mut dial = || {
        let request = ConnectRequest {
            at: At::Path(options.path.clone()),
            just: just.clone(),
            accept_host_key: accepted.clone(),
            reuse: !options.no_reuse,
            desktop: desktop::of_terminal(context.lang),
            after: None,
        };
        let session = opened.access().connect(request, &mut ui);
        let session = session.map_err(|error| ui.unanswered().unwrap_or(error))?;
        Ok::<Arc<dyn OpenSession>, AppError>(Arc::from(session))
    };
    // A VPN takes no keys: the terminal keeps its own, so that Ctrl+C ends it.
    let on_terminal = !watched
        && matches!(
            &request,
            ChannelRequest::Shell { .. } | ChannelRequest::Exec { size: Some(_), .. }
        );
    let interactive = matches!(request, ChannelRequest::Shell { .. });
    let mut session = dial()?;
    let mut open = open_channel(&session, &request, &ends, &end);
    if open.is_err() && session.info().reused && !session.alive() {
        // A connection that was kept open is of no use any more.
        session.close();
        session = dial()?;
        open = open_channel(&session, &request, &ends, &end);
    }
    if watched && open.is_ok() {
        say::note(context.pick(
            "Le VPN est monté. Ctrl+C l’arrête, sauf si des sessions passent par lui.",
            "The VPN is up. Ctrl+C takes it down, unless sessions go through it.",
        ));
    }
    let on = Terms { on_terminal, interactive, plain, warned: &ui.warned };
    carry(context, &session, open, on, (ends, &end, &resized))
}

/// A command for a line that is one terminal.
fn no_commands(kind: &str) -> AppError {
    usage(
        bi(
            format!("Un accès {kind} n’exécute pas de commande\u{a0}: il n’ouvre qu’un terminal."),
            format!("A {kind} entry runs no command: it only opens a terminal."),
        ),
        bi(
            "Donnez son chemin seul\u{a0}; ce que l’entrée standard contient est tapé.",
            "Give its path alone; what standard input holds is typed.",
        ),
    )
}

/// Says so when the login or machine has expired; it may work all the same.
fn warn_of_expiry(context: &Context, view: &EntryView) {
    if let Some(day) = view.entry.expires.filter(|day| show::is_past(*day)) {
        say::note(&format!("{} {}", say::plain(&view.path), show::expiry(context, day)));
    }
}
