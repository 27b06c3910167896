//! `snapshot`: reads the configuration of a device, and shows what is kept and what
//! differs. The line of the log is written before anything is sent or shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use serde_json::{Value, json};

use crate::app::ConnectRequest;
use crate::app::api::{
    AppError, At, Code, Justification, Purpose, Reply, Request, SnapshotView, Taken,
};
use crate::app::desktop;
use crate::os::signals::{self, Heard};
use crate::os::terminal;
use crate::secret::SecretText;

use super::args::{Snapshot, SnapshotTake};
use super::connect::{Terminal, fingerprints};
use super::say::{self, bi, usage};
use super::{Context, Opened};

pub fn snapshot(context: &Context, command: Snapshot) -> Result<u8, AppError> {
    match command {
        Snapshot::Take(options) => take(context, options),
        Snapshot::List(options) => list(context, At::Path(options.path)).map(|()| 0),
        Snapshot::Show { path, number, why } => {
            show(context, At::Path(path), number, why.into()).map(|()| 0)
        }
        Snapshot::Diff { path, from, to, why } => {
            let opened = context.open()?;
            let at = At::Path(path);
            let differs = Difference::of(&opened, at, from, to, why.into())?;
            if context.json {
                say::document(&differs.document());
            } else {
                say::note(&differs.counts(context));
                text(&differs.text);
            }
            Ok(0)
        }
    }
}

fn take(context: &Context, options: SnapshotTake) -> Result<u8, AppError> {
    let accepted = options.accept_host_key.as_deref().map(fingerprints).transpose()?;
    let asked_to_end = Arc::new(AtomicI32::new(0));
    let heard = Arc::clone(&asked_to_end);
    signals::watch(move |signal| {
        if let Heard::End(signal) = signal {
            heard.store(signal, Ordering::Release);
        }
    });
    let done = taken(context, options, accepted, &asked_to_end);
    match (done, asked_to_end.load(Ordering::Acquire)) {
        (Err(error), signal) if signal != 0 => {
            if context.json {
                say::failure(&error, context.lang, true);
            }
            Ok(128 + (signal & 0x7F) as u8)
        }
        (done, _) => done.map(|()| 0),
    }
}

fn taken(
    context: &Context,
    options: SnapshotTake,
    accept_host_key: Option<String>,
    asked_to_end: &Arc<AtomicI32>,
) -> Result<(), AppError> {
    let opened = context.open()?;
    let just: Justification = options.why.into();
    let at = At::Path(options.path);
    let request = ConnectRequest {
        at: at.clone(),
        just: just.clone(),
        accept_host_key,
        reuse: false,
        desktop: desktop::of_person(context.lang),
        after: None,
    };
    let mut ui = Terminal::new(context.lang, asked_to_end);
    let taken = opened.access().snapshot(request, &mut ui);
    let taken = taken.map_err(|error| ui.unanswered().unwrap_or(error))?;
    let (new, before) = (taken.snapshot.n, taken.before.as_ref().map(|before| before.n));
    let differs = before.map(|old| Difference::of(&opened, at, Some(old), Some(new), just));
    // Who may not reveal may still have it taken.
    let differs = match differs {
        Some(Err(error)) if error.code == Code::NotAllowed => None,
        other => other.transpose()?,
    };
    if context.json {
        say::document(&json!({
            "snapshot": document(&taken.snapshot),
            "unchanged": taken.unchanged,
            "before": before,
            "added": taken.added,
            "removed": taken.removed,
            "diff": differs.as_ref().map(|d| d.text.expose(str::to_owned)),
        }));
        return Ok(());
    }
    say::note(&summary(context, &taken));
    if let Some(differs) = differs {
        text(&differs.text);
    }
    Ok(())
}

/// One line about what was taken.
fn summary(context: &Context, taken: &Taken) -> String {
    let Taken { snapshot, unchanged, before, added, removed } = taken;
    let size = say::size(context.lang, snapshot.size);
    let (n, at, lines) = (snapshot.n, snapshot.at, snapshot.lines);
    match (unchanged, before) {
        (true, _) => context.pick_owned(
            || format!("Configuration inchangée depuis le relevé {n} ({at})."),
            || format!("Configuration unchanged since snapshot {n} ({at})."),
        ),
        (false, None) => context.pick_owned(
            || format!("Relevé {n} gardé\u{a0}: {lines} lignes, {size}."),
            || format!("Snapshot {n} kept: {lines} lines, {size}."),
        ),
        (false, Some(before)) => {
            let old = before.n;
            context.pick_owned(
                || {
                    format!(
                        "Relevé {n} gardé\u{a0}: {lines} lignes, {size}\u{a0}; +{added} −{removed} depuis le relevé {old}."
                    )
                },
                || {
                    format!(
                        "Snapshot {n} kept: {lines} lines, {size}; +{added} −{removed} since snapshot {old}."
                    )
                },
            )
        }
    }
}

fn list(context: &Context, at: At) -> Result<(), AppError> {
    let Reply::Snapshots(kept) = context.open()?.call(Request::Snapshots { at })? else {
        return Err(say::unexpected());
    };
    if context.json {
        let kept: Vec<Value> = kept.iter().map(document).collect();
        say::document(&json!({ "snapshots": kept }));
        return Ok(());
    }
    let lines = context.pick("lignes", "lines");
    let rows: Vec<Vec<String>> = kept
        .iter()
        .map(|s| {
            vec![
                s.n.to_string(),
                s.at.to_string(),
                say::plain(&s.by),
                say::size(context.lang, s.size),
                format!("{} {lines}", s.lines),
                say::plain(&s.command),
            ]
        })
        .collect();
    say::raw(say::table(&rows).as_bytes());
    Ok(())
}

fn show(context: &Context, at: At, n: Option<u64>, just: Justification) -> Result<(), AppError> {
    let request = Request::Snapshot { at, n, purpose: Purpose::Reveal, just };
    let Reply::Snapshot(shown) = context.open()?.call(request)? else {
        return Err(say::unexpected());
    };
    if context.json {
        say::document(&json!({
            "snapshot": document(&shown.snapshot),
            "text": shown.text.expose(str::to_owned),
        }));
    } else {
        text(&shown.text);
    }
    Ok(())
}

/// As it is into a pipe or file; at a terminal without what would move its cursor.
fn text(text: &SecretText) {
    text.expose(|text| {
        if terminal::stdout_is_terminal() {
            say::raw(say::plain_lines(text).as_bytes());
        } else {
            say::raw(text.as_bytes());
        }
    });
}

fn document(s: &SnapshotView) -> Value {
    json!({
        "number": s.n,
        "at": s.at,
        "by": s.by,
        "command": s.command,
        "size": s.size,
        "lines": s.lines,
    })
}

struct Difference {
    from: SnapshotView,
    to: SnapshotView,
    added: u64,
    removed: u64,
    text: SecretText,
}

impl Difference {
    fn of(
        opened: &Opened,
        at: At,
        from: Option<u64>,
        to: Option<u64>,
        just: Justification,
    ) -> Result<Self, AppError> {
        if from.is_some() && from == to {
            return Err(usage(
                bi("C’est deux fois le même relevé.", "That is the same snapshot twice."),
                bi("Donnez deux numéros différents.", "Give two different numbers."),
            ));
        }
        match opened.call(Request::SnapshotDifference { at, from, to, just })? {
            Reply::SnapshotDifference { from, to, added, removed, text } => {
                Ok(Self { from, to, added, removed, text })
            }
            _ => Err(say::unexpected()),
        }
    }

    fn counts(&self, context: &Context) -> String {
        let Self { from, to, added, removed, .. } = self;
        context.pick_owned(
            || format!("Relevé {} → {}\u{a0}: +{added} −{removed} lignes.", from.n, to.n),
            || format!("Snapshot {} → {}: +{added} −{removed} lines.", from.n, to.n),
        )
    }

    fn document(&self) -> Value {
        json!({
            "from": document(&self.from),
            "to": document(&self.to),
            "added": self.added,
            "removed": self.removed,
            "diff": self.text.expose(str::to_owned),
        })
    }
}
