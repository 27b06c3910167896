//! The command line: parses, asks, prints. Exit codes and JSON documents are a
//! contract with other programs (assets/guide/cli.md). It opens no vault and
//! no connection itself: `app` does.

mod args;
mod audit;
mod connect;
mod connector;
mod demo;
mod doctor;
mod entries;
mod escape;
mod fields;
mod french;
mod generate;
mod lifecycle;
mod manual;
mod members;
mod misuse;
mod progress;
mod prompt;
mod say;
mod show;
mod snapshot;
mod vpn;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::ErrorKind;

use crate::app::api::{AppError, Code, Factors, Reply, Request, Status};
use crate::app::remote::{self, Access};
use crate::app::{App, UnlockOptions, look, shared};
use crate::connect::manifest::registry::Share;
use crate::model::lang::Lang;
use crate::os::{harden, paths};

use args::{Cli, Command, Device, Global};
use prompt::Purpose;
use say::{bi, other};

/// What is left to do after the command line was read.
pub enum Next {
    /// End with this status.
    End(ExitCode),
    /// Open the window: no command was given, or `demo`.
    Window(Window),
}

/// Which window.
pub struct Window {
    /// The vault, which need not exist yet.
    pub vault: PathBuf,
    /// The person named that vault; else it is the usual one.
    pub named: bool,
    /// Language asked for.
    pub lang: Option<Lang>,
    /// The throw-away vault instead of `vault`.
    pub demo: bool,
}

/// Runs the command line of this process.
pub fn main() -> Next {
    harden::harden();
    let args: Vec<OsString> = std::env::args_os().collect();
    report_panics(early_lang(&args), early_json(&args));
    let done = std::panic::catch_unwind(|| run(args));
    say::flush();
    done.unwrap_or(Next::End(ExitCode::from(Code::Other.exit())))
}

/// Prints a failure of the window on standard error, in the language that was
/// asked for, else the desktop's; its exit code.
pub fn fail(error: &AppError, lang: Option<Lang>) -> ExitCode {
    say::failure(error, lang.unwrap_or_else(environment_lang), false);
    ExitCode::from(error.code.exit())
}

/// Has a panic reported on standard error as any other failure is. It says where, never
/// with what: its words may hold data.
pub fn report_panics(lang: Lang, json: bool) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let place = place.unwrap_or_default();
        let error = other(
            bi(
                format!("Poterne s’est arrêté sur un défaut du programme ({place})."),
                format!("Poterne stopped at a defect of the program ({place})."),
            ),
            bi(
                "Rien d’enregistré n’est perdu. Signalez cet endroit avec ce que vous faisiez.",
                "Nothing saved is lost. Report this place and what you were doing.",
            ),
        );
        say::failure(&error, lang, json);
    }));
}

/// The language by `POTERNE_LANG`, else French unless the locale says English.
pub fn environment_lang() -> Lang {
    let var = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(lang) = var("POTERNE_LANG").and_then(|value| value.parse().ok()) {
        return lang;
    }
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(var)
        .and_then(|value| value.parse().ok())
        .unwrap_or_default()
}

/// What is wrong with `POTERNE_LANG`, if it names no language of ours.
fn unknown_lang() -> Option<AppError> {
    let value = std::env::var_os("POTERNE_LANG").filter(|value| !value.is_empty())?;
    let value = value.to_string_lossy();
    if value.parse::<Lang>().is_ok() {
        return None;
    }
    Some(say::usage(
        bi(
            format!("«\u{a0}{value}\u{a0}» ne convient pas à POTERNE_LANG."),
            format!("“{value}” will not do for POTERNE_LANG."),
        ),
        bi("Donnez fr ou en.", "Give fr or en."),
    ))
}

/// Who `POTERNE_MEMBER` says unlocks, if anybody.
///
/// # Errors
/// It is no text: somebody else must not be asked for instead.
fn environment_member() -> Result<Option<String>, AppError> {
    let named = std::env::var_os("POTERNE_MEMBER").filter(|value| !value.is_empty());
    named.map(OsString::into_string).transpose().map_err(|bytes| {
        let shown = bytes.to_string_lossy();
        say::usage(
            bi(
                format!("«\u{a0}{shown}\u{a0}» ne convient pas à POTERNE_MEMBER."),
                format!("“{shown}” will not do for POTERNE_MEMBER."),
            ),
            bi("Donnez un nom en UTF-8, ou aucun.", "Give a name in UTF-8, or none."),
        )
    })
}

/// The language that was asked for, before the arguments are known to be right.
fn early_lang(args: &[OsString]) -> Lang {
    let mut words = args.iter().filter_map(|arg| arg.to_str()).take_while(|arg| *arg != "--");
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--lang") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => continue,
        };
        if let Some(lang) = value.and_then(|value| value.parse().ok()) {
            return lang;
        }
    }
    environment_lang()
}

/// Whether JSON was asked for, before the arguments are known to be right.
fn early_json(args: &[OsString]) -> bool {
    args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json")
}

fn run(args: Vec<OsString>) -> Next {
    let end = |status: u8| Next::End(ExitCode::from(status));
    let lang = early_lang(&args);
    let json = early_json(&args);
    let parsed = manual::command(lang)
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return end(misused(&error, lang, json)),
    };
    if cli.global.lang.is_none()
        && let Some(error) = unknown_lang()
    {
        say::failure(&error, lang, json);
        return end(error.code.exit());
    }
    let done = match window(&cli) {
        Some(window) if cfg!(feature = "gui") => window.map(Next::Window),
        _ => perform(cli, lang).map(|status| end(printed(status, lang, json))),
    };
    done.unwrap_or_else(|error| {
        say::flush();
        say::failure(&error, lang, json);
        end(error.code.exit())
    })
}

/// The exit code of a command that ended with `status`: not 0 when what it
/// printed could not be written.
fn printed(status: u8, lang: Lang, json: bool) -> u8 {
    match say::written() {
        Ok(()) => status,
        Err(error) => {
            say::failure(&error, lang, json);
            if status == 0 { error.code.exit() } else { status }
        }
    }
}

/// The window that the command line asks for, if it asks for one.
fn window(cli: &Cli) -> Option<Result<Window, AppError>> {
    let demo = match &cli.command {
        None => false,
        Some(Command::Demo(options)) if options.make.is_none() => true,
        Some(_) => return None,
    };
    let lang = cli
        .global
        .lang
        .or_else(|| std::env::var("POTERNE_LANG").ok().and_then(|lang| lang.parse().ok()));
    let named = if demo { None } else { vault_of(&cli.global) };
    let is_named = named.is_some();
    let vault = match (demo, named) {
        (true, _) => Ok(PathBuf::new()),
        (false, Some(file)) => Ok(paths::canonical_vault(&file)),
        (false, None) => default_vault(),
    };
    let screen = if has_screen() { Ok(()) } else { Err(no_screen()) };
    Some(screen.and(vault).map(|vault| Window { vault, named: is_named, lang, demo }))
}

/// Whether there is a desktop to open a window on.
fn has_screen() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(all(unix, not(target_os = "macos"))))
        || set("DISPLAY")
        || set("WAYLAND_DISPLAY")
        || set("WAYLAND_SOCKET")
}

fn no_screen() -> AppError {
    other(
        bi(
            "Il n’y a pas d’écran pour la fenêtre\u{a0}: ni DISPLAY ni WAYLAND_DISPLAY n’est défini.",
            "There is no screen for the window: neither DISPLAY nor WAYLAND_DISPLAY is set.",
        ),
        bi(
            "Lancez Poterne depuis une session graphique, ou utilisez la ligne de commande\u{a0}: poterne --help",
            "Start Poterne from a graphical session, or use the command line: poterne --help",
        ),
    )
}

fn default_vault() -> Result<PathBuf, AppError> {
    paths::default_vault().map(|file| paths::canonical_vault(&file)).map_err(|_| {
        other(
            bi(
                "Le dossier personnel est inconnu\u{a0}: HOME n’est pas défini.",
                "The home folder is unknown: HOME is not set.",
            ),
            bi(
                "Définissez HOME, ou nommez le coffre avec --vault FICHIER.",
                "Set HOME, or name the vault with --vault FILE.",
            ),
        )
    })
}

/// The vault that was named, by flag or environment.
fn vault_of(global: &Global) -> Option<PathBuf> {
    let named = || std::env::var_os("POTERNE_VAULT").filter(|value| !value.is_empty());
    global.vault.clone().or_else(|| named().map(PathBuf::from))
}

/// Help and version are answers; everything else is wrong use.
fn misused(error: &clap::Error, lang: Lang, json: bool) -> u8 {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            say::kept(error.print());
            printed(0, lang, json)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !json => {
            let _ = error.print();
            Code::Usage.exit()
        }
        _ => {
            say::failure(&misuse::told(error), lang, json);
            Code::Usage.exit()
        }
    }
}

/// What every command has at hand.
pub struct Context {
    /// Language of what the person reads.
    pub lang: Lang,
    /// JSON documents instead of text.
    pub json: bool,
    vault: Option<PathBuf>,
    member: Option<String>,
    read_only: bool,
    accept_older: bool,
}

impl Context {
    fn new(global: Global, lang: Lang) -> Result<Self, AppError> {
        let vault = vault_of(&global);
        let member = match global.member {
            Some(named) => Some(named),
            None => environment_member()?,
        };
        let Global { json, read_only, accept_older, .. } = global;
        Ok(Self { lang, json, vault, member, read_only, accept_older })
    }

    /// Whether `member` is not the one who was asked for.
    pub fn is_another(&self, member: &str) -> bool {
        let other = |name: &String| name.trim().to_lowercase() != member.to_lowercase();
        self.member.as_ref().is_some_and(other)
    }

    /// Picks one of two texts.
    pub fn pick<'a>(&self, fr: &'a str, en: &'a str) -> &'a str {
        self.lang.pick(fr, en)
    }

    /// Makes one of two texts.
    pub fn pick_owned(&self, fr: impl FnOnce() -> String, en: impl FnOnce() -> String) -> String {
        match self.lang {
            Lang::Fr => fr(),
            Lang::En => en(),
        }
    }

    /// The vault's file, which need not exist.
    ///
    /// # Errors
    /// Nobody named one and there is no home folder.
    pub fn file(&self) -> Result<PathBuf, AppError> {
        match &self.vault {
            Some(file) => Ok(paths::canonical_vault(file)),
            None => default_vault(),
        }
    }

    /// The vault's file, which exists.
    ///
    /// # Errors
    /// As [`Context::file`], or there is no such file.
    pub fn existing_file(&self) -> Result<PathBuf, AppError> {
        let file = self.file()?;
        if file.try_exists().unwrap_or(true) {
            return Ok(file);
        }
        Err(AppError {
            code: Code::NotFound,
            what: bi(
                format!("Il n’y a pas de coffre à {}.", file.display()),
                format!("There is no vault at {}.", file.display()),
            ),
            todo: bi(
                "Créez-le avec\u{a0}: poterne init, ou nommez-en un autre avec --vault.",
                "Make it with: poterne init, or name another with --vault.",
            ),
        })
    }

    /// Asks for the factors and how to unlock with them.
    ///
    /// # Errors
    /// The input ended.
    pub fn ask_unlock(&self, purpose: Purpose) -> Result<UnlockOptions, AppError> {
        Ok(UnlockOptions {
            member: self.member.clone(),
            factors: prompt::factors(self.lang, purpose)?,
            read_only: self.read_only,
            accept_older: self.accept_older,
        })
    }

    /// The unlocked vault: by its agent if one serves (and is the right
    /// member's), else with factors that are asked for now.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(&self) -> Result<Opened, AppError> {
        let file = self.existing_file()?;
        if let Some(access) = self.agent(&file)? {
            return self.served(access);
        }
        look::before_unlock(&file, self.read_only)?;
        // An agent that is there serves somebody else, and is in the way of another.
        let served = remote::find(&file)?.is_some();
        let options = self.ask_unlock(if served { Purpose::Unlock } else { Purpose::Once })?;
        let app = App::new(file);
        let status = app.unlock(options)?;
        Ok(self.unlocked(&app, status))
    }

    /// As [`Context::open`], for what gives lasting access: the member's factors,
    /// which are asked for once: those that unlock are proof enough, an agent has to be shown others.
    ///
    /// # Errors
    /// As [`Context::open`].
    pub fn open_to_change(&self) -> Result<(Opened, Factors), AppError> {
        let file = self.existing_file()?;
        if let Some(access) = self.agent(&file)? {
            say::note(self.pick(
                "Vos facteurs actuels, avec un nouveau code.",
                "Your present factors, with a fresh code.",
            ));
            let factors = prompt::factors(self.lang, Purpose::Proof)?;
            return Ok((self.served(access)?, factors));
        }
        look::before_unlock(&file, self.read_only)?;
        let options = self.ask_unlock(Purpose::Unlock)?;
        let again = Factors {
            password: options.factors.password.duplicate(),
            code: options.factors.code.duplicate(),
        };
        let app = App::new(file);
        let opened = self.unlocked(&app, app.unlock_to_change(options)?);
        Ok((opened, again))
    }

    fn unlocked(&self, app: &App, status: Status) -> Opened {
        crate::secret::burn_stack();
        for notice in &status.notices {
            say::note(notice.get(self.lang));
        }
        Opened { access: Box::new(app.clone()), own: Some(app.clone()), _shared: None }
    }

    /// A vault that another process has open, whose connectors become known here.
    fn served(&self, access: Box<dyn Access>) -> Result<Opened, AppError> {
        let Reply::Shared(views) = access.call(Request::Shared)? else {
            return Err(say::unexpected());
        };
        Ok(Opened { access, own: None, _shared: Some(shared::publish(views)) })
    }

    /// What the vault shares, if it is open already: nothing is asked for that.
    ///
    /// # Errors
    /// Its agent does not answer.
    pub fn if_open(&self) -> Result<Option<Opened>, AppError> {
        let file = self.file()?;
        if !file.exists() {
            return Ok(None);
        }
        self.agent(&file)?.map(|access| self.served(access)).transpose()
    }

    /// The agent of the vault, unless another member is asked for.
    fn agent(&self, file: &std::path::Path) -> Result<Option<Box<dyn Access>>, AppError> {
        let Some(access) = remote::find(file)? else { return Ok(None) };
        if self.member.is_none() && !self.read_only {
            return Ok(Some(access));
        }
        match access.call(Request::Status) {
            Ok(Reply::Status(status)) => {
                let fits =
                    !self.is_another(&status.member) && (status.read_only || !self.read_only);
                Ok(fits.then_some(access))
            }
            // Being locked or unlocked just now.
            Err(error) if error.code == Code::Locked => Ok(None),
            Err(error) => Err(error),
            Ok(_) => Err(say::unexpected()),
        }
    }
}

/// An unlocked vault for one command. If this process unlocked it, dropping it
/// locks it again.
pub struct Opened {
    access: Box<dyn Access>,
    own: Option<App>,
    /// What the vault shares is known as long as it is open.
    _shared: Option<Share>,
}

impl Opened {
    /// As [`Access::call`].
    ///
    /// # Errors
    /// As there.
    pub fn call(&self, request: Request) -> Result<Reply, AppError> {
        self.access.call(request)
    }

    /// The vault.
    pub fn access(&self) -> &dyn Access {
        &*self.access
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(app) = self.own.take() {
            // The process ends now: a lock that cannot be logged is no failure.
            let _ = app.call(Request::Lock);
            crate::secret::burn_stack();
        }
    }
}

fn perform(cli: Cli, lang: Lang) -> Result<u8, AppError> {
    let context = Context::new(cli.global, lang)?;
    let context = &context;
    let Some(command) = cli.command else {
        let _ = manual::command(lang).print_help();
        return Ok(Code::Usage.exit());
    };
    match command {
        Command::Init(options) => lifecycle::init(context, options)?,
        Command::Unlock(options) => lifecycle::unlock(context, &options)?,
        Command::Lock => lifecycle::lock(context)?,
        Command::Status => lifecycle::status(context)?,
        Command::Tree(options) => entries::tree(context, options)?,
        Command::Ls(options) => entries::ls(context, options)?,
        Command::Find(options) => entries::find(context, &options)?,
        Command::Show(options) => show::show(context, options)?,
        Command::Add(options) => entries::add(context, *options)?,
        Command::Edit(options) => entries::edit(context, *options)?,
        Command::Mv(options) => entries::mv(context, options)?,
        Command::Rm(options) => entries::rm(context, options)?,
        Command::Restore(options) => entries::restore(context, options)?,
        Command::History(options) => show::history(context, options)?,
        Command::Connect(options) => return connect::connect(context, options),
        Command::Snapshot(command) => return snapshot::snapshot(context, command),
        Command::Vpn(command) => return vpn::vpn(context, command),
        Command::Plan(options) => show::plan(context, options)?,
        Command::Totp(options) => show::totp(context, options)?,
        Command::Generate(options) => generate::generate(context, options)?,
        Command::Audit(command) => return audit::audit(context, command),
        Command::Member(command) => members::member(context, command)?,
        Command::Device(Device::List) => members::devices(context)?,
        Command::Device(Device::Add { label }) => members::add_device(context, label)?,
        Command::Device(Device::Enrol) => members::enrol_device(context)?,
        Command::Device(Device::Remove { id }) => members::remove_device(context, &id)?,
        Command::Connector(command) => return connector::connector(context, command),
        Command::Passwd => lifecycle::passwd(context)?,
        Command::TotpReset => lifecycle::totp_reset(context)?,
        Command::Recover(options) => lifecycle::recover(context, options)?,
        Command::Kit => lifecycle::kit(context)?,
        Command::Backup(options) => lifecycle::backup(context, options)?,
        Command::Check => return lifecycle::check(context),
        Command::Settings(options) => lifecycle::settings(context, &options)?,
        Command::Doctor => return Ok(doctor::doctor(context)),
        Command::Demo(options) => demo::make(context, options)?,
        Command::Completions(options) => manual::completions(context.lang, options.shell),
        Command::Man(options) => manual::man(context.lang, options.out)?,
        Command::AgentProcess => return Ok(agent_process()),
    }
    Ok(0)
}

#[cfg(unix)]
fn agent_process() -> u8 {
    match crate::app::agent::run() {
        Ok(()) => 0,
        Err(_) => Code::Other.exit(),
    }
}

#[cfg(not(unix))]
fn agent_process() -> u8 {
    Code::Usage.exit()
}
