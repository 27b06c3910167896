//! Commands about the vault as a whole: made, unlocked, locked, its factors,
//! copies and settings. Holds factors only while they are typed.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::app::api::{AppError, ChangePassword, Code, Reply, Request, Status};
use crate::app::remote;
use crate::app::{App, CreateOptions, Enrolment, Finished, look, place, restore, text};
use crate::model::lang::Lang;
use crate::os::paths::{self, PlaceError};
use crate::os::terminal;
use crate::secret::SecretText;

use super::Context;
use super::args::{Backup, Init, KitFlags, Recover, Settings, Unlock};
use super::prompt::{self, Purpose};
use super::say::{self, bi, other};
use super::vpn;

/// How often a person may mistype what can be typed again without harm.
const TRIES: u32 = 3;

pub fn init(context: &Context, options: Init) -> Result<(), AppError> {
    let file = context.file()?;
    if let Some(mib) = options.kdf_memory {
        CreateOptions::check_kdf_memory(mib)?;
    }
    place::takes_a_new_vault(&file, options.portable)?;
    if let Some(page) = &options.kit.kit_pdf {
        place::takes_a_new_file(page)?;
    }
    let password = prompt::new_password(context.lang)?;
    let create = CreateOptions {
        file: file.clone(),
        member: context.member.clone().unwrap_or_else(login_name),
        password,
        portable: options.portable,
        kdf_memory_mib: options.kdf_memory,
    };
    let enrolment = App::new(file).create(create)?;
    enrol(context, enrolment, &options.kit, false)
}

/// Name of the person on this computer, for the first member.
fn login_name() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "owner".to_owned())
}

/// Enrols the phone, shows the kit, has it typed back, and finishes. With
/// `--json` the one document is written line by line as it becomes known.
pub fn enrol(
    context: &Context,
    mut enrolment: Enrolment,
    options: &KitFlags,
    joined: bool,
) -> Result<(), AppError> {
    if context.json {
        say::line("{");
    }
    let finished = enrol_steps(context, &mut enrolment, options).and_then(|()| enrolment.finish());
    let finished = match finished {
        Ok(finished) => finished,
        Err(error) => {
            if context.json {
                say::line("  \"complete\": false\n}");
            }
            return Err(error);
        }
    };
    report(context, &finished, joined);
    Ok(())
}

fn enrol_steps(
    context: &Context,
    enrolment: &mut Enrolment,
    options: &KitFlags,
) -> Result<(), AppError> {
    announce(context, "otpauth_uri", enrolment.otpauth_uri())?;
    if terminal::stdin_is_terminal() {
        show_qr(context, enrolment.otpauth_uri());
    }
    again(context, || {
        let code = prompt::secret(
            context.lang,
            "Code affiché par le téléphone\u{a0}:",
            "Code shown by the phone:",
        )?;
        enrolment.check_code(&code)
    })?;
    say::note(context.pick(
        "Kit de secours – à imprimer ou à écrire, puis à ranger hors de cet ordinateur\u{a0}:",
        "Recovery kit – print or write it down, and keep it away from this computer:",
    ));
    announce(context, "kit", enrolment.kit())?;
    if let Some(file) = &options.kit_pdf {
        let page = enrolment.kit_pdf(context.lang)?;
        write_private(file, &page)?;
    }
    if !options.kit_confirmed {
        again(context, || {
            let typed =
                prompt::secret(context.lang, "Recopiez le kit\u{a0}:", "Type the kit back:")?;
            enrolment.check_kit(&typed)
        })?;
    }
    Ok(())
}

/// Prints one secret that the person must keep, and hands it over at once.
///
/// # Errors
/// Nobody can have read it.
fn announce(context: &Context, name: &str, value: &SecretText) -> Result<(), AppError> {
    value.expose(|text| {
        if context.json {
            let quoted = serde_json::to_string(text).expect("text can be quoted");
            say::line(&format!("  \"{name}\": {quoted},"));
        } else {
            say::line(text);
        }
    });
    say::handed_over()
}

/// Repeats what a person at a terminal got wrong.
fn again(
    context: &Context,
    mut step: impl FnMut() -> Result<(), AppError>,
) -> Result<(), AppError> {
    let tries = if terminal::stdin_is_terminal() { TRIES } else { 1 };
    let mut left = tries;
    loop {
        left -= 1;
        match step() {
            Err(error) if left > 0 && error.code != Code::Other => {
                say::failure(&error, context.lang, context.json);
            }
            done => return done,
        }
    }
}

/// The QR code on standard error, so that standard output stays for programs.
fn show_qr(context: &Context, uri: &SecretText) {
    let drawn = uri.expose(|uri| {
        let code = qrcode::QrCode::new(uri.as_bytes()).ok()?;
        let picture = code.render::<qrcode::render::unicode::Dense1x2>();
        Some(SecretText::new({
            let mut picture = picture;
            picture
                .dark_color(qrcode::render::unicode::Dense1x2::Light)
                .light_color(qrcode::render::unicode::Dense1x2::Dark)
                .build()
        }))
    });
    if let Some(drawn) = drawn {
        drawn.expose(say::note);
        say::note(context.pick(
            "Scannez ce code avec l’application d’authentification du téléphone.",
            "Scan this code with the authenticator app of your phone.",
        ));
    }
}

fn report(context: &Context, finished: &Finished, joined: bool) {
    let notices: Vec<&str> = finished.notices.iter().map(|n| n.get(context.lang)).collect();
    if context.json {
        let field = |value: &Value| serde_json::to_string(value).expect("it can be printed");
        say::line(&format!("  \"file\": {},", field(&json!(finished.file))));
        say::line(&format!("  \"fingerprint\": {},", field(&json!(finished.fingerprint))));
        say::line(&format!("  \"notices\": {},", field(&json!(notices))));
        say::line("  \"complete\": true\n}");
        return;
    }
    let done = if joined {
        context.pick("C’est fait", "Done")
    } else {
        context.pick("Coffre créé", "Vault made")
    };
    say::note(&format!("{done}{} {}", context.pick("\u{a0}:", ":"), finished.file.display()));
    say::note(&format!(
        "{} {}",
        context.pick("Empreinte publique\u{a0}:", "Public fingerprint:"),
        finished.fingerprint
    ));
    for notice in notices {
        say::note(notice);
    }
    say::note(context.pick("Ensuite\u{a0}: poterne unlock", "Next: poterne unlock"));
}

/// Writes a file that only this user can read: whole, or not at all.
pub fn write_private(file: &Path, content: &[u8]) -> Result<(), AppError> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut out| {
        let whole = out.write_all(content).and_then(|()| out.sync_all());
        whole.inspect_err(|_| drop(std::fs::remove_file(file)))
    });
    written.map_err(|error| {
        let cause = text::cause(&error);
        other(
            bi(
                format!(
                    "Le fichier {} ne peut pas être écrit\u{a0}: {}.",
                    file.display(),
                    cause.fr
                ),
                format!("The file {} cannot be written: {}.", file.display(), cause.en),
            ),
            bi(
                "Choisissez un fichier qui n’existe pas encore, dans un dossier à vous.",
                "Choose a file that does not exist yet, in a folder of yours.",
            ),
        )
    })
}

#[cfg(unix)]
pub fn unlock(context: &Context, options: &Unlock) -> Result<(), AppError> {
    use crate::app::agent;
    let file = context.existing_file()?;
    if let Some(access) = remote::find(&file)? {
        let Reply::Status(status) = access.call(Request::Status)? else {
            return Err(say::unexpected());
        };
        if context.is_another(&status.member) {
            let by = &status.member;
            return Err(other(
                bi(
                    format!("Le coffre est déverrouillé par {by}."),
                    format!("The vault is unlocked by {by}."),
                ),
                bi("Lancez d’abord\u{a0}: poterne lock", "Run first: poterne lock"),
            ));
        }
        if let Some(idle) = options.timeout {
            access.lock_when_idle(idle)?;
        }
        say::note(
            context.pick("Le coffre est déjà déverrouillé.", "The vault is unlocked already."),
        );
        show_status(context, &status);
        return Ok(());
    }
    look::before_unlock(&file, context.read_only)?;
    let socket = paths::agent_socket(&file).map_err(|error| match error {
        PlaceError::NoHome { .. } => other(
            bi(
                "La prise de l’agent n’a pas d’endroit\u{a0}: ni XDG_RUNTIME_DIR ni HOME n’est défini.",
                "The agent's socket has no place: neither XDG_RUNTIME_DIR nor HOME is set.",
            ),
            bi(
                "Définissez HOME (votre dossier personnel), puis recommencez.",
                "Set HOME (your home folder), then try again.",
            ),
        ),
        error => text::unusable(&error),
    })?;
    let unlock = context.ask_unlock(Purpose::Unlock)?;
    let status = agent::start(agent::Start { vault: file, socket, unlock, idle: options.timeout })?;
    for notice in &status.notices {
        say::note(notice.get(context.lang));
    }
    show_status(context, &status);
    Ok(())
}

#[cfg(not(unix))]
pub fn unlock(_context: &Context, _options: &Unlock) -> Result<(), AppError> {
    Err(other(
        bi(
            "Sur ce système, seule la fenêtre garde le coffre ouvert.",
            "On this system only the window keeps the vault open.",
        ),
        bi("Lancez poterne sans argument.", "Start poterne without an argument."),
    ))
}

pub fn lock(context: &Context) -> Result<(), AppError> {
    let was_there = remote::lock(&context.file()?)?;
    if context.json {
        say::document(&json!({ "locked": true, "was_unlocked": was_there }));
    } else {
        say::note(if was_there {
            context.pick("Coffre verrouillé.", "Vault locked.")
        } else {
            context.pick("Le coffre était déjà verrouillé.", "The vault was locked already.")
        });
    }
    Ok(())
}

pub fn status(context: &Context) -> Result<(), AppError> {
    let file = context.existing_file()?;
    let answer = match remote::find(&file)? {
        Some(access) => match access.call(Request::Status) {
            Ok(Reply::Status(status)) => Some(status),
            Ok(_) => return Err(say::unexpected()),
            Err(error) if error.code == Code::Locked => None,
            Err(error) => return Err(error),
        },
        None => None,
    };
    if answer.is_none() {
        look::at_rest(&file)?;
    }
    match answer {
        Some(status) => show_status(context, &status),
        None if context.json => say::document(&json!({ "unlocked": false, "file": file })),
        None => {
            let locked = context.pick("verrouillé\u{a0}:", "locked:");
            say::line(&format!("{locked} {}", file.display()));
        }
    }
    Ok(())
}

fn show_status(context: &Context, status: &Status) {
    let others = context.is_another(&status.member);
    if context.json {
        let notices: Vec<&str> = status.notices.iter().map(|n| n.get(context.lang)).collect();
        say::document(&json!({
            "unlocked": true,
            "other_member": others,
            "vault": status.vault,
            "file": status.file,
            "member": status.member,
            "role": status.role,
            "read_only": status.read_only,
            "entries": status.entries,
            "clients": status.clients,
            "audit_lines": status.audit_lines,
            "sessions": status.sessions,
            "vpns": vpn::documents(context, &status.vpns),
            "unlocked_at": status.unlocked_at,
            "notices": notices,
        }));
        return;
    }
    let row = |fr: &str, en: &str, value: String| vec![context.pick(fr, en).to_owned(), value];
    let state = match status.read_only {
        _ if others => context.pick(
            "déverrouillé par un autre membre\u{a0}: vos commandes demandent vos facteurs",
            "unlocked by another member: your commands ask for your factors",
        ),
        true => context.pick("déverrouillé en lecture seule", "unlocked read-only"),
        false => context.pick("déverrouillé", "unlocked"),
    };
    say::raw(
        say::table(&[
            row("coffre", "vault", status.file.display().to_string()),
            row("état", "state", state.to_owned()),
            row("membre", "member", format!("{} ({})", say::plain(&status.member), status.role)),
            row("clients", "clients", status.clients.to_string()),
            row("entrées", "entries", status.entries.to_string()),
            row("journal", "log lines", status.audit_lines.to_string()),
            row("sessions", "sessions", status.sessions.to_string()),
            row("depuis", "since", status.unlocked_at.to_string()),
        ])
        .as_bytes(),
    );
    if !status.vpns.is_empty() {
        say::line("");
        say::raw(say::table(&vpn::rows(context, &status.vpns)).as_bytes());
    }
}

pub fn passwd(context: &Context) -> Result<(), AppError> {
    let (opened, current) = context.open_to_change()?;
    let new = prompt::new_password(context.lang)?;
    let change = Request::ChangePassword(Box::new(ChangePassword { current, new }));
    let notices = renewed(opened.call(change)?, context)?;
    if context.json {
        say::document(&json!({ "done": true, "notices": notices }));
        return Ok(());
    }
    done(context, "Mot de passe changé.", "Password changed.");
    notices.iter().for_each(|notice| say::note(notice));
    Ok(())
}

/// What to know after factors were replaced.
fn renewed(reply: Reply, context: &Context) -> Result<Vec<String>, AppError> {
    let Reply::Renewed { notices } = reply else { return Err(say::unexpected()) };
    Ok(notices.iter().map(|n| n.get(context.lang).to_owned()).collect())
}

/// `{"done": true}`, or words.
pub fn done(context: &Context, fr: &str, en: &str) {
    if context.json {
        say::document(&json!({ "done": true }));
    } else {
        say::note(context.pick(fr, en));
    }
}

pub fn totp_reset(context: &Context) -> Result<(), AppError> {
    let (opened, current) = context.open_to_change()?;
    let Reply::NewTotp(uri) = opened.call(Request::BeginTotpReset { current })? else {
        return Err(say::unexpected());
    };
    if context.json {
        say::line("{");
    }
    let result = announce(context, "otpauth_uri", &uri).and_then(|()| {
        if terminal::stdin_is_terminal() {
            show_qr(context, &uri);
        }
        let (fr, en) = ("Code affiché par le téléphone\u{a0}:", "Code shown by the phone:");
        let code = prompt::secret(context.lang, fr, en)?;
        renewed(opened.call(Request::FinishTotpReset { code })?, context)
    });
    if context.json {
        if let Ok(notices) = &result {
            say::line(&format!("  \"notices\": {},", json!(notices)));
        }
        say::line(&format!("  \"complete\": {}\n}}", result.is_ok()));
        return result.map(|_| ());
    }
    let notices = result?;
    say::note(context.pick("Téléphone enrôlé.", "Phone enrolled."));
    notices.iter().for_each(|notice| say::note(notice));
    Ok(())
}

pub fn recover(context: &Context, options: Recover) -> Result<(), AppError> {
    let file = context.existing_file()?;
    let kit = prompt::secret(context.lang, "Kit de secours\u{a0}:", "Recovery kit:")?;
    let password = prompt::new_password(context.lang)?;
    let enrolment = App::new(file).recover(kit, password, context.accept_older)?;
    enrol(context, enrolment, &options.kit, true)
}

pub fn kit(context: &Context) -> Result<(), AppError> {
    let (opened, current) = context.open_to_change()?;
    let Reply::Kit(kit) = opened.call(Request::DrawKit { current })? else {
        return Err(say::unexpected());
    };
    // Printed first: the old one works until the new one was handed over.
    if context.json {
        kit.expose(|kit| say::document(&json!({ "kit": kit })));
    } else {
        kit.expose(say::line);
    }
    say::handed_over()?;
    opened.call(Request::KeepKit { typed: kit })?;
    if !context.json {
        say::note(context.pick(
            "C’est le nouveau kit de secours\u{a0}; l’ancien ne fonctionne plus.",
            "This is the new recovery kit; the old one no longer works.",
        ));
    }
    Ok(())
}

/// The agent runs in another folder: files are named from the root.
pub fn absolute(file: PathBuf) -> PathBuf {
    std::path::absolute(&file).unwrap_or(file)
}

/// Refuses `-`, which elsewhere means standard output: here it would be a file.
///
/// # Errors
/// It is that.
pub fn refuse_dash(out: &Path) -> Result<(), AppError> {
    if out.as_os_str() != "-" {
        return Ok(());
    }
    Err(super::say::usage(
        bi(
            "«\u{a0}-\u{a0}» ne désigne pas de fichier\u{a0}: rien n’est écrit sur la sortie standard.",
            "“-” names no file: nothing is written to standard output.",
        ),
        bi(
            "Donnez le nom d’un fichier à --out (./- pour celui qui s’appelle ainsi).",
            "Give --out the name of a file (./- for the one called so).",
        ),
    ))
}

pub fn backup(context: &Context, options: Backup) -> Result<(), AppError> {
    if let Some(copy) = options.restore {
        return restore_backup(context, absolute(copy));
    }
    if let Some(out) = &options.out {
        refuse_dash(out)?;
    }
    let to = options.out.map(absolute);
    if let Some(file) = &to {
        place::takes_a_new_file(file)?;
    }
    let Reply::BackedUp { file, entries, audit_lines } =
        context.open()?.call(Request::Backup { to })?
    else {
        return Err(say::unexpected());
    };
    if context.json {
        say::document(&json!({ "file": file, "entries": entries, "audit_lines": audit_lines }));
    } else {
        say::line(&file.display().to_string());
        let (entries, lines) = (counted_entries(context, entries), log_lines(context, audit_lines));
        say::note(&match context.lang {
            Lang::Fr => format!("Copie relue\u{a0}: {entries}, {lines}."),
            Lang::En => format!("Copy read back: {entries}, {lines}."),
        });
    }
    Ok(())
}

/// `1 entry`, `5 entries`: what is not a client or folder.
fn counted_entries(context: &Context, n: u64) -> String {
    let one = if context.lang == Lang::Fr { n < 2 } else { n == 1 };
    let many = context.pick("entrées", "entries");
    format!("{n} {}", if one { context.pick("entrée", "entry") } else { many })
}

fn log_lines(context: &Context, n: u64) -> String {
    let one = if context.lang == Lang::Fr { n < 2 } else { n == 1 };
    let many = context.pick("lignes de journal", "log lines");
    format!("{n} {}", if one { context.pick("ligne de journal", "log line") } else { many })
}

fn restore_backup(context: &Context, copy: PathBuf) -> Result<(), AppError> {
    let file = context.file()?;
    if !copy.exists() {
        return Err(AppError {
            code: Code::NotFound,
            what: bi(
                format!("Il n’y a pas de copie à {}.", copy.display()),
                format!("There is no copy at {}.", copy.display()),
            ),
            todo: bi(
                "Vérifiez le nom du fichier\u{a0}; rien n’a été changé.",
                "Check the file's name; nothing was changed.",
            ),
        });
    }
    if remote::find(&file)?.is_some() {
        return Err(other(
            bi("Le coffre est déverrouillé.", "The vault is unlocked."),
            bi("Verrouillez-le d’abord\u{a0}: poterne lock", "Lock it first: poterne lock"),
        ));
    }
    restore::same_vault(&file, &copy)?;
    let options = context.ask_unlock(Purpose::Unlock)?;
    App::new(file).restore_backup(copy, options)?;
    done(
        context,
        "La copie est en place\u{a0}; l’ancien fichier est gardé à côté.",
        "The copy is in place; the former file is kept beside it.",
    );
    Ok(())
}

pub fn check(context: &Context) -> Result<u8, AppError> {
    let answer = context.open().and_then(|opened| opened.call(Request::Check));
    // Who just ran the check is not told to run it.
    let Reply::Checked(report) = answer.map_err(AppError::without_check)? else {
        return Err(say::unexpected());
    };
    let faults: Vec<&str> = report.faults.iter().map(|fault| fault.get(context.lang)).collect();
    if context.json {
        say::document(&json!({
            "entries": report.entries,
            "cells": report.cells,
            "unreached": report.unreached,
            "audit_lines": report.audit_lines,
            "faults": faults,
        }));
    } else {
        say::raw(
            say::table(&[
                vec![
                    context
                        .pick("clients, dossiers, entrées", "clients, folders, entries")
                        .to_owned(),
                    report.entries.to_string(),
                ],
                vec![
                    context.pick("cellules chiffrées", "encrypted cells").to_owned(),
                    report.cells.to_string(),
                ],
                vec![
                    context.pick("hors de toute fiche", "in no entry").to_owned(),
                    report.unreached.to_string(),
                ],
                vec![
                    context.pick("lignes de journal", "log lines").to_owned(),
                    report.audit_lines.to_string(),
                ],
            ])
            .as_bytes(),
        );
        for fault in &faults {
            say::line(&say::plain(fault));
        }
        if faults.is_empty() {
            say::line(context.pick("Tout est en ordre.", "Everything is in order."));
        }
        if report.unreached > 0 {
            say::note(context.pick(
                "Certaines cellules n’appartiennent à aucune fiche\u{a0}: rien de ce que montrent les fiches ne manque. Signalez-le.",
                "Some cells belong to no entry: nothing that entries show is missing. Please report it.",
            ));
        }
    }
    Ok(if faults.is_empty() { 0 } else { Code::Tampered.exit() })
}

pub fn settings(context: &Context, options: &Settings) -> Result<(), AppError> {
    let opened = context.open()?;
    let Reply::Settings(mut settings) = opened.call(Request::Settings)? else {
        return Err(say::unexpected());
    };
    let before = settings.clone();
    settings.idle_lock_secs = options.idle_lock.unwrap_or(settings.idle_lock_secs);
    settings.lock_ends_sessions = options.lock_ends_sessions.unwrap_or(settings.lock_ends_sessions);
    settings.clipboard_secs = options.clipboard.unwrap_or(settings.clipboard_secs);
    settings.backups_kept = options.backups_kept.unwrap_or(settings.backups_kept);
    if settings != before {
        opened.call(Request::SetSettings { expected: before, new: settings.clone() })?;
    }
    if context.json {
        say::document(&json!(settings));
    } else {
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        say::raw(
            say::table(&[
                row("idle-lock", settings.idle_lock_secs.to_string()),
                row(
                    "lock-ends-sessions",
                    if settings.lock_ends_sessions { "yes" } else { "no" }.to_owned(),
                ),
                row("clipboard", settings.clipboard_secs.to_string()),
                row("backups-kept", settings.backups_kept.to_string()),
            ])
            .as_bytes(),
        );
    }
    Ok(())
}
