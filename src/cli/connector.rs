//! `connector`: the connectors of this computer, and what is needed to write one by
//! manifest: checking, trying, approving it, and sharing it by the vault. Only the
//! last opens a vault; one that is open already adds what it shares to the list.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::api::{AppError, Code, Request};
use crate::connect::manifest::approval::{self, Approval};
use crate::connect::manifest::place::Fault;
use crate::connect::manifest::registry::{self, Problem};
use crate::connect::manifest::{Declared, Manifest, Source, find_program};
use crate::connect::{self, Connector as _};
use crate::model::entry::{Kind, Slot};
use crate::model::id::EntryId;
use crate::model::lang::Lang;
use crate::model::target::{Hop, HostPort, Target};

use super::args::{Connector, Try};
use super::say::{self, bi, other, usage};
use super::{Context, connect as sessions, prompt};

/// Does what was asked; the exit code.
///
/// # Errors
/// A file that is at fault where a good one is needed, or that was not approved.
pub fn connector(context: &Context, command: Connector) -> Result<u8, AppError> {
    match command {
        Connector::List => {
            // A vault that is busy or does not answer is no reason to list nothing.
            let _open = context.if_open().ok().flatten();
            list(context);
        }
        Connector::Add { file } => add(context, &file)?,
        Connector::Remove { name, yes } => remove(context, name, yes)?,
        Connector::Check { file } => return Ok(check(context, &file)),
        Connector::Try(options) => return try_out(context, &options),
        Connector::Approve { file, fingerprint } => {
            approve(context, &file, fingerprint.as_deref())?;
        }
    }
    Ok(0)
}

fn list(context: &Context) {
    let known = registry::look();
    let rust = connect::ALL.iter().map(|connector| {
        json!({
            "kind": connector.id(),
            "name": connector.label().get(context.lang),
            "icon": "",
            "source": "poterne",
            "manifest": false,
            "tested": Value::Null,
            "approved": true,
            "program": Value::Null,
            "sha256": Value::Null,
            "faults": [],
        })
    });
    let declared = known.declared.iter().map(|declared| of_declared(context, declared));
    let broken = known.problems.iter().map(|problem| of_problem(context, problem));
    let all: Vec<Value> = rust.chain(declared).chain(broken).collect();
    if context.json {
        say::document(&json!({ "connectors": all }));
        return;
    }
    let head = [("TYPE", "KIND"), ("NOM", "NAME"), ("SOURCE", "SOURCE"), ("ESSAYÉ", "TESTED")];
    let head = head.into_iter().chain([("APPROUVÉ", "APPROVED"), ("PROGRAMME", "PROGRAM")]);
    let mut rows = vec![head.map(|(fr, en)| context.pick(fr, en).to_owned()).collect()];
    for one in &all {
        let text = |key: &str| say::plain(one[key].as_str().unwrap_or_default());
        let by_manifest = one["manifest"] == true;
        let refused = !one["refused"].is_null();
        let faulty = refused || one["faults"].as_array().is_some_and(|faults| !faults.is_empty());
        let tested = match (by_manifest, one["tested"].is_null()) {
            (false, _) => "–".to_owned(),
            (true, true) => context.pick("non", "no").to_owned(),
            (true, false) => text("tested"),
        };
        let approved = match (faulty, one["approved"] == true) {
            (true, _) if refused => context.pick("refusé", "refused"),
            (true, _) => context.pick("fautif", "at fault"),
            (false, true) => context.pick("oui", "yes"),
            (false, false) => context.pick("non", "no"),
        };
        let program = match (by_manifest && !faulty, one["program"].is_null()) {
            (true, true) => context.pick("absent", "missing").to_owned(),
            _ => text("program"),
        };
        let source = match one["source"].as_str() {
            Some("poterne" | "built-in") => "Poterne".to_owned(),
            _ => text("source"),
        };
        let name = format!("{} {}", text("icon"), text("name"));
        let name = name.trim().to_owned();
        rows.push(vec![text("kind"), name, source, tested, approved.to_owned(), program]);
    }
    say::raw(say::table(&rows).as_bytes());
    for problem in known.problems {
        let told = problem.source.told();
        let place = told.get(context.lang);
        for fault in &problem.faults {
            say::note(&located(place, fault, context.lang));
        }
        if let Some(refused) = &problem.refused {
            let (what, todo) = (refused.what.get(context.lang), refused.todo.get(context.lang));
            say::note(&say::plain(&format!("{place}: {what} {todo}")));
        }
    }
}

fn of_declared(context: &Context, declared: &Declared) -> Value {
    let manifest = &declared.manifest;
    let program = find_program(manifest.programs());
    let source = match &declared.source {
        Source::BuiltIn => "built-in".to_owned(),
        other => other.told().get(context.lang).to_owned(),
    };
    let approved = approval::state(manifest, &declared.source).may_run();
    json!({
        "kind": manifest.kind,
        "name": manifest.name.get(context.lang),
        "icon": manifest.icon,
        "source": source,
        "manifest": true,
        "tested": (!manifest.tested.is_empty()).then_some(&manifest.tested),
        "approved": approved,
        "program": program.map(|path| path.display().to_string()),
        "sha256": manifest.fingerprint(),
        "faults": [],
    })
}

fn of_problem(context: &Context, problem: &Problem) -> Value {
    let refused = problem.refused.as_ref();
    json!({
        "kind": refused.map(|refused| &refused.kind),
        "name": Value::Null,
        "icon": "",
        "source": problem.source.told().get(context.lang),
        "manifest": true,
        "tested": Value::Null,
        "approved": false,
        "program": Value::Null,
        "sha256": Value::Null,
        "faults": faults(&problem.faults, context.lang),
        "refused": refused.map(|refused| json!({
            "what": refused.what.get(context.lang),
            "todo": refused.todo.get(context.lang),
        })),
    })
}

fn faults(all: &[Fault], lang: Lang) -> Vec<Value> {
    let each = all.iter().map(
        |fault| json!({ "line": fault.line, "column": fault.column, "what": fault.what.get(lang) }),
    );
    each.collect()
}

/// As compilers write it, so that an editor finds the place.
fn located(place: &str, fault: &Fault, lang: Lang) -> String {
    let (line, column) = (fault.line, fault.column);
    let what = fault.what.get(lang);
    say::plain(&format!("{place}:{line}:{column}: {what}"))
}

fn check(context: &Context, file: &Path) -> u8 {
    let read = registry::load(file);
    let (status, found) = match &read {
        Ok(_) => (0, Vec::new()),
        Err(faults) => (Code::Usage.exit(), faults.clone()),
    };
    if context.json {
        say::document(&json!({
            "file": file.display().to_string(),
            "ok": read.is_ok(),
            "kind": read.as_ref().ok().map(|manifest| &manifest.kind),
            "sha256": read.as_ref().ok().map(Manifest::fingerprint),
            "faults": faults(&found, context.lang),
        }));
        return status;
    }
    for fault in &found {
        say::line(&located(&file.display().to_string(), fault, context.lang));
    }
    if let Ok(manifest) = read {
        say::line(&format!("✓ {} {}", manifest.kind, manifest.fingerprint()));
    }
    status
}

/// A manifest that has no fault.
fn sound(context: &Context, file: &Path) -> Result<Manifest, AppError> {
    registry::load(file).map_err(|faults| {
        let told = |lang| {
            let place = file.display().to_string();
            let each = faults.iter().map(|fault| located(&place, fault, lang));
            each.collect::<Vec<_>>().join("\n")
        };
        let _ = context;
        usage(
            bi(told(Lang::Fr), told(Lang::En)),
            bi(
                "Corrigez le manifeste\u{a0}; le guide (connectors.md) dit ce qu’il contient.",
                "Correct the manifest; the guide (connectors.md) says what it holds.",
            ),
        )
    })
}

fn add(context: &Context, file: &Path) -> Result<(), AppError> {
    let manifest = sound(context, file)?;
    let opened = context.open()?;
    opened.call(Request::Share { text: manifest.text.clone() })?;
    let print = manifest.fingerprint();
    if context.json {
        say::document(&json!({ "kind": manifest.kind, "sha256": print, "shared": true }));
    } else {
        say::line(&format!("✓ {} {print}", manifest.kind));
    }
    Ok(())
}

fn remove(context: &Context, kind: String, yes: bool) -> Result<(), AppError> {
    let opened = context.open()?;
    let question = context.pick_owned(
        || format!("Ne plus partager «\u{a0}{kind}\u{a0}»\u{a0}? Les accès de ce type ne s’ouvriront plus. Tapez yes\u{a0}: "),
        || format!("Share “{kind}” no longer? Entries of this kind will not open any more. Type yes: "),
    );
    let answer = || prompt::visible(&say::plain_lines(&question));
    if !yes && !answer().is_ok_and(|answer| answer.expose(|text| text.trim() == "yes")) {
        return Err(other(
            bi("Le connecteur n’a pas été retiré.", "The connector was not removed."),
            bi(
                "Rien n’a été changé\u{a0}; --yes ne pose pas la question.",
                "Nothing was changed; --yes does not ask.",
            ),
        ));
    }
    opened.call(Request::Unshare { kind: kind.clone() })?;
    if context.json {
        say::document(&json!({ "kind": kind, "shared": false }));
    } else {
        say::line(&say::plain(&kind));
    }
    Ok(())
}

fn source_of(file: &Path) -> Source {
    Source::File(std::path::absolute(file).unwrap_or_else(|_| file.to_owned()))
}

fn approve(context: &Context, file: &Path, given: Option<&str>) -> Result<(), AppError> {
    let manifest = sound(context, file)?;
    let source = source_of(file);
    let print = manifest.fingerprint();
    if let Some(given) = given {
        let same = given.trim().trim_start_matches("SHA256:").to_lowercase();
        if format!("SHA256:{same}") != print {
            return Err(usage(
                bi(
                    format!("L’empreinte de ce manifeste est {print}, pas celle donnée."),
                    format!("The fingerprint of this manifest is {print}, not the one given."),
                ),
                bi(
                    "Demandez-le à qui l’a écrit, ou relisez-le.",
                    "Ask who wrote it, or read it again.",
                ),
            ));
        }
    }
    let program = find_program(manifest.programs());
    if let Some(asked) = approval::question(&manifest, &source, program.as_deref()) {
        let yes = given.is_some() || ask(context.lang, &asked);
        if !yes {
            return Err(other(
                bi("Le manifeste n’a pas été approuvé.", "The manifest was not approved."),
                bi("Rien n’a été changé.", "Nothing was changed."),
            ));
        }
        approval::approve(&manifest, &source, program.as_deref()).map_err(|error| {
            let cause = crate::app::text::cause(&error);
            other(
                bi(
                    format!("L’approbation ne peut pas être gardée\u{a0}: {}.", cause.fr),
                    format!("The approval cannot be kept: {}.", cause.en),
                ),
                bi("Voyez\u{a0}: poterne doctor", "See: poterne doctor"),
            )
        })?;
    }
    if !approval::state(&manifest, &source).may_run() {
        let program = program.unwrap_or_default();
        let program = program.display();
        return Err(other(
            bi(
                format!(
                    "Tout compte de cet ordinateur peut changer {program}\u{a0}: ce sera demandé chaque fois."
                ),
                format!(
                    "Any account of this computer may change {program}: it will be asked about each time."
                ),
            ),
            bi(
                format!("Retirez ce droit (chmod o-w {program}), puis approuvez de nouveau."),
                format!("Take that right away (chmod o-w {program}), then approve again."),
            ),
        ));
    }
    if context.json {
        say::document(&json!({ "kind": manifest.kind, "sha256": print, "approved": true }));
    } else {
        say::line(&format!("✓ {} {print}", manifest.kind));
    }
    Ok(())
}

/// Shows a manifest, or what changed in it, and asks.
pub fn ask(lang: Lang, asked: &Approval) -> bool {
    let Approval { kind, source, program, real, fingerprint, changed, text, .. } = asked;
    let source = source.get(lang);
    let open = match asked.open {
        true => lang.pick(
            "\n! Tout compte de cet ordinateur peut changer ce programme.",
            "\n! Any account of this computer may change this program.",
        ),
        false => "",
    };
    let none = lang.pick("aucun ici", "none here");
    let program = if program.is_empty() { none } else { program };
    let whole = match real.is_empty() {
        true => program.to_owned(),
        false => format!("{program} → {real}"),
    };
    let head = match (lang, changed) {
        (Lang::Fr, false) => format!("Connecteur nouveau sur cet ordinateur\u{a0}: {kind}"),
        (Lang::Fr, true) => format!("Le connecteur {kind} a changé depuis son approbation"),
        (Lang::En, false) => format!("A connector that is new on this computer: {kind}"),
        (Lang::En, true) => format!("The connector {kind} has changed since it was approved"),
    };
    let question = match lang {
        Lang::Fr => format!(
            "{head}\n{source}\n{fingerprint}\nProgramme\u{a0}: {whole}{open}\n\n{text}\n{kind} pourra lancer {program} et lui donner les secrets des accès. Tapez yes pour l’approuver\u{a0}: "
        ),
        Lang::En => format!(
            "{head}\n{source}\n{fingerprint}\nProgram: {whole}{open}\n\n{text}\n{kind} may start {program} and give it the secrets of entries. Type yes to approve it: "
        ),
    };
    let answer = prompt::visible(&say::plain_lines(&question));
    answer.is_ok_and(|answer| answer.expose(|text| text.trim() == "yes"))
}

fn try_out(context: &Context, options: &Try) -> Result<u8, AppError> {
    let manifest = sound(context, &options.file)?;
    let mut hop = Hop {
        entry: EntryId([0; 16]),
        path: manifest.name.get(context.lang).to_owned(),
        at: HostPort { host: String::new(), port: manifest.port.unwrap_or(0) },
        user: String::new(),
        slots: Vec::new(),
        pinned: Vec::new(),
        settings: Default::default(),
        ask: true,
    };
    let connector = Declared::new(manifest, source_of(&options.file));
    for given in &options.field {
        set(connector, &mut hop, given)?;
    }
    let common = connector.common();
    if common.host && hop.at.host.is_empty() || common.port && hop.at.port == 0 {
        return Err(usage(
            bi("Il faut un hôte et un port.", "A host and a port are needed."),
            bi(
                "Donnez-les\u{a0}: --field host=… --field port=…",
                "Give them: --field host=… --field port=…",
            ),
        ));
    }
    // Each is asked for when the program wants it.
    hop.slots = connector.manifest.secrets.iter().map(|secret| secret.slot.clone()).collect();
    let target = Target { kind: Kind::new(connector.id()), hops: vec![hop] };
    sessions::without_vault(context, connector, &target)
}

/// Puts `name=value` where it belongs.
fn set(connector: &Declared, hop: &mut Hop, given: &str) -> Result<(), AppError> {
    let Some((name, value)) = given.split_once('=') else {
        return Err(usage(
            bi(
                format!("«\u{a0}{given}\u{a0}» n’est pas de la forme NOM=VALEUR."),
                format!("“{given}” is not of the form NAME=VALUE."),
            ),
            bi(
                "Écrivez par exemple\u{a0}: --field host=srv1",
                "Write for instance: --field host=srv1",
            ),
        ));
    };
    let common = connector.common();
    let done = match name {
        "host" if common.host => {
            value.clone_into(&mut hop.at.host);
            true
        }
        "port" if common.port => match value.parse::<u16>() {
            Ok(port @ 1..) => {
                hop.at.port = port;
                true
            }
            _ => false,
        },
        "user" if common.user => {
            value.clone_into(&mut hop.user);
            true
        }
        name => {
            let field = connector.fields().iter().find(|field| field.id == name);
            let fits = field.is_some_and(|field| field.accepts(value));
            if fits {
                hop.settings.insert(name.to_owned(), value.to_owned());
            }
            fits
        }
    };
    if done {
        return Ok(());
    }
    let slot = super::fields::slot(name);
    let secret = !matches!(slot, Slot::Custom(_));
    let mut known: Vec<&str> = connector.fields().iter().map(|field| field.id).collect();
    known.extend(
        [("host", common.host), ("port", common.port), ("user", common.user)]
            .into_iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| name),
    );
    let known = known.join(", ");
    Err(usage(
        bi(
            format!("Le champ «\u{a0}{name}\u{a0}» n’existe pas, ou ne prend pas cette valeur."),
            format!("The field “{name}” does not exist, or does not take this value."),
        ),
        if secret {
            bi(
                "Un secret n’est jamais un argument\u{a0}: il est demandé quand le programme le veut.",
                "A secret is never an argument: it is asked for when the program wants it.",
            )
        } else {
            bi(format!("Les champs sont\u{a0}: {known}."), format!("The fields are: {known}."))
        },
    ))
}
