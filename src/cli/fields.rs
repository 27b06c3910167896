//! Flags that describe an entry: the common ones, those of a client, and one
//! per setting that a connector declares. Turns them into a `Patch`. Secrets
//! come from standard input, a prompt or an image, never from a flag.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::app::api::{AppError, At, AttachmentBytes, Code, Patch, Request, SecretChange, Set};
use crate::app::qr;
use crate::app::remote::Access;
use crate::app::text;
use crate::connect;
use crate::connect::field::{Field, FieldKind};
use crate::model::entry::{ATTACHMENT_MAX_BYTES, ClientInfo, CredentialSource, Entry, Kind, Slot};
use crate::model::lang::{Bi, Lang};
use crate::secret::{SecretBytes, SecretText};

use super::args::{duration, yes_no};
use super::prompt;
use super::say::{self, bi, usage};

/// The secrets that have a meaning of their own.
const KNOWN_SECRETS: [Slot; 5] =
    [Slot::Password, Slot::PrivateKey, Slot::Passphrase, Slot::Totp, Slot::Notes];
/// Longest secret that is read from standard input, in bytes.
const SECRET_MAX_BYTES: usize = 1024 * 1024;

#[derive(Args, Default)]
pub struct EntryFlags {
    /// Host name or address; the address of a web page
    #[arg(long)]
    pub host: Option<String>,
    /// TCP port
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Login name
    #[arg(long)]
    pub user: Option<String>,
    /// A word to search by (repeat); replaces those there are
    #[arg(long)]
    pub tag: Vec<String>,
    /// Show it first: yes or no
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "yes", value_name = "YES|NO", value_parser = yes_no)]
    pub favourite: Option<bool>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Day the login or machine expires, such as 2027-01-31
    #[arg(long, value_name = "DAY")]
    pub expires: Option<jiff::civil::Date>,
    /// Where the login comes from: own, inherited, ask, mine, or linked:PATH
    #[arg(long, value_name = "SOURCE")]
    pub credential: Option<String>,
    /// A setting by its name (repeat): also one of a connector that the vault shares
    #[arg(long, value_name = "NAME=VALUE")]
    pub field: Vec<String>,
    /// A field of your own (repeat); a secret one: --secret-stdin custom:NAME
    #[arg(long, value_name = "NAME=VALUE")]
    pub custom: Vec<String>,
    /// Keep a copy of this file with it (repeat), 10 MiB at most
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<PathBuf>,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Args, Default)]
pub struct ClientFlags {
    /// Short code of a client
    #[arg(long, help_heading = "Client")]
    pub code: Option<String>,
    /// Colour of a client: #rrggbb
    #[arg(long, value_name = "#RRGGBB", help_heading = "Client")]
    pub colour: Option<String>,
    /// Regular expression that a client's ticket numbers match
    #[arg(long, value_name = "REGEX", help_heading = "Client")]
    pub ticket_pattern: Option<String>,
    /// Address of a ticket, with {ticket} in it
    #[arg(long, value_name = "URL", help_heading = "Client")]
    pub ticket_url: Option<String>,
    /// Connect, reveal, export and moves to another client need a ticket: yes or no
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "yes", value_name = "YES|NO", value_parser = yes_no, help_heading = "Client")]
    pub ticket_required: Option<bool>,
    /// Connect, reveal, export and moves to another client need a reason: yes or no
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "yes", value_name = "YES|NO", value_parser = yes_no, help_heading = "Client")]
    pub reason_required: Option<bool>,
}

#[derive(Args, Default)]
pub struct SecretFlags {
    /// Read this secret from standard input, to its end: password, private-key,
    /// passphrase, totp, notes or custom:NAME
    #[arg(long, value_name = "FIELD", help_heading = "Secrets")]
    pub secret_stdin: Option<String>,
    /// Ask for this secret (repeat): one line, not shown
    #[arg(long, value_name = "FIELD", help_heading = "Secrets")]
    pub secret_ask: Vec<String>,
    /// Read the TOTP seed from an image of its QR code
    #[arg(long, value_name = "IMAGE", help_heading = "Secrets")]
    pub totp_qr: Option<PathBuf>,
}

/// One flag per setting of any connector, by the setting's id.
#[derive(Default)]
pub struct SettingFlags(BTreeMap<String, String>);

/// Every setting of any connector once, with the kinds that have it.
pub fn settings() -> Vec<(&'static Field, Vec<&'static str>)> {
    let mut all: Vec<(&'static Field, Vec<&'static str>)> = Vec::new();
    for connector in connect::all() {
        for field in connector.fields() {
            match all.iter_mut().find(|(known, _)| known.id == field.id) {
                Some((_, kinds)) => kinds.push(connector.id()),
                None => all.push((field, vec![connector.id()])),
            }
        }
    }
    all
}

/// Help of a setting's flag, with the kinds that have it.
pub fn setting_help(lang: Lang, field: &Field, kinds: &[&str]) -> String {
    let values = match field.kind {
        FieldKind::Bool => "yes|no".to_owned(),
        FieldKind::Choice(_) | FieldKind::Listed(_) => {
            field.words().iter().map(|word| word.word).collect::<Vec<_>>().join("|")
        }
        FieldKind::Number { min, max } => format!("{min}–{max}"),
        _ => String::new(),
    };
    let mut help = format!("{}\u{a0}: {}", field.label(lang), field.help(lang));
    if lang == Lang::En {
        help = format!("{}: {}", field.label(lang), field.help(lang));
    }
    if !values.is_empty() {
        help.push_str(&format!(" [{values}]"));
    }
    if !field.default.is_empty() {
        help.push_str(&format!(" ({} {})", lang.pick("défaut", "default"), field.default));
    }
    format!("{help} – {}", kinds.join(", "))
}

impl Args for SettingFlags {
    fn augment_args(mut command: Command) -> Command {
        for (field, kinds) in settings() {
            command = command.arg(
                Arg::new(field.id)
                    .long(field.id)
                    .value_name("VALUE")
                    .help_heading("Settings")
                    .help(setting_help(Lang::En, field, &kinds)),
            );
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for (field, _) in settings() {
            if let Some(value) = matches.get_one::<String>(field.id) {
                self.0.insert(field.id.to_owned(), value.clone());
            }
        }
        Ok(())
    }
}

impl EntryFlags {
    /// Adds these flags to `patch` for a node of `kind`.
    ///
    /// # Errors
    /// A flag that this kind does not have, a value that makes no sense, or a
    /// file that cannot be read.
    pub fn apply(
        self,
        access: &dyn Access,
        kind: &Kind,
        patch: &mut Patch,
    ) -> Result<(), AppError> {
        let mut settings = self.settings;
        for given in &self.field {
            let (name, value) = named(given)?;
            settings.0.insert(name.to_owned(), value.to_owned());
        }
        patch.settings.extend(settings.checked(kind)?);
        if self.host.as_deref().is_some_and(|host| host.trim().is_empty()) {
            return Err(usage(
                bi("--host est vide.", "--host is empty."),
                bi(
                    "Donnez un nom ou une adresse\u{a0}; pour vider le champ\u{a0}: --clear host",
                    "Give a name or address; to empty the field: --clear host",
                ),
            ));
        }
        if self.tag.iter().any(|tag| tag.trim().is_empty()) {
            return Err(usage(
                bi("--tag est vide.", "--tag is empty."),
                bi(
                    "Donnez un mot\u{a0}; pour les retirer tous\u{a0}: --clear tags",
                    "Give a word; to remove them all: --clear tags",
                ),
            ));
        }
        set(&mut patch.host, self.host);
        set(&mut patch.port, self.port.map(Some));
        set(&mut patch.user, self.user);
        set(&mut patch.tags, (!self.tag.is_empty()).then_some(self.tag));
        set(&mut patch.favourite, self.favourite);
        set(&mut patch.description, self.description);
        set(&mut patch.expires, self.expires.map(Some));
        if let Some(source) = self.credential {
            patch.credential = Set::To(credential(access, &source)?);
        }
        for custom in self.custom {
            let Some((name, value)) = custom.split_once('=').filter(|(name, _)| !name.is_empty())
            else {
                return Err(usage(
                    bi(
                        format!("«\u{a0}{custom}\u{a0}» n’est pas de la forme NOM=VALEUR."),
                        format!("“{custom}” is not of the form NAME=VALUE."),
                    ),
                    bi(
                        "Écrivez par exemple\u{a0}: --custom étage=3",
                        "Write for instance: --custom floor=3",
                    ),
                ));
            };
            patch.custom.insert(name.to_owned(), Some(value.to_owned()));
        }
        for file in self.attach {
            let (name, content) = attachment(&file)?;
            patch.attachments.insert(name, Some(content));
        }
        Ok(())
    }
}

/// A setting that was given by its name.
fn named(given: &str) -> Result<(&str, &str), AppError> {
    let Some((name, value)) = given.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err(usage(
            bi(
                format!("«\u{a0}{given}\u{a0}» n’est pas de la forme NOM=VALEUR."),
                format!("“{given}” is not of the form NAME=VALUE."),
            ),
            bi(
                "Écrivez par exemple\u{a0}: --field database=compta",
                "Write for instance: --field database=books",
            ),
        ));
    };
    if matches!(name, "host" | "port" | "user") {
        return Err(usage(
            bi(
                format!("«\u{a0}{name}\u{a0}» a son option à lui."),
                format!("“{name}” has an option of its own."),
            ),
            bi(format!("Écrivez\u{a0}: --{name} VALEUR"), format!("Write: --{name} VALUE")),
        ));
    }
    if KNOWN_SECRETS.contains(&slot(name)) {
        return Err(usage(
            bi(
                format!("«\u{a0}{name}\u{a0}» est un secret\u{a0}: jamais un argument."),
                format!("“{name}” is a secret: never an argument."),
            ),
            bi(
                format!("Donnez-le avec --secret-ask {name} ou --secret-stdin {name}."),
                format!("Give it with --secret-ask {name} or --secret-stdin {name}."),
            ),
        ));
    }
    Ok((name, value))
}

impl SettingFlags {
    fn checked(mut self, kind: &Kind) -> Result<BTreeMap<String, String>, AppError> {
        for (id, value) in &mut self.0 {
            // Two kinds may have settings of one name that take different values.
            let field = match connect::by_kind(kind) {
                Some(connector) => connector.fields().iter().find(|field| field.id == id),
                None => settings()
                    .into_iter()
                    .find(|(field, _)| field.id == id && kind.is_container() && field.inherits)
                    .map(|(field, _)| field),
            };
            if field.is_none() && !kind.is_container() && connect::by_kind(kind).is_none() {
                return Err(AppError::no_connector(kind));
            }
            let Some(field) = field else {
                let known = connect::by_kind(kind).map_or(&[][..], |c| c.fields());
                let known = known.iter().map(|field| field.id).collect::<Vec<_>>().join(", ");
                let mut todo = bi(
                    "Voyez les réglages de chaque type\u{a0}: poterne add --help",
                    "See the settings of each kind: poterne add --help",
                );
                if !known.is_empty() {
                    todo = bi(
                        format!("Ses réglages\u{a0}: {known}. Tous\u{a0}: poterne add --help"),
                        format!("Its settings: {known}. All: poterne add --help"),
                    );
                }
                let what = bi(
                    format!("«\u{a0}{kind}\u{a0}» n’a pas de réglage --{id}."),
                    format!("“{kind}” has no setting --{id}."),
                );
                return Err(usage(what, todo));
            };
            // An empty one is taken away.
            if value.is_empty() {
                continue;
            }
            // What counts seconds takes them as any other duration.
            let letters = value.contains(|c: char| c.is_ascii_alphabetic());
            if letters
                && field.en.ends_with("(s)")
                && let Ok(time) = duration(value)
            {
                *value = time.as_secs().to_string();
            }
            if !field.accepts(value) {
                let help = setting_help(Lang::En, field, &[kind.word()]);
                let aide = setting_help(Lang::Fr, field, &[kind.word()]);
                return Err(usage(
                    bi(
                        format!("--{id} n’accepte pas «\u{a0}{value}\u{a0}»."),
                        format!("--{id} does not accept “{value}”."),
                    ),
                    bi(aide, help),
                ));
            }
        }
        Ok(self.0)
    }
}

impl ClientFlags {
    /// True when no flag was given.
    fn is_empty(&self) -> bool {
        self.code.is_none()
            && self.colour.is_none()
            && self.ticket_pattern.is_none()
            && self.ticket_url.is_none()
            && self.ticket_required.is_none()
            && self.reason_required.is_none()
    }

    /// Adds these flags to `patch`; `now` is what the client has.
    ///
    /// # Errors
    /// The node is no client.
    pub fn apply(
        self,
        kind: &Kind,
        now: Option<ClientInfo>,
        patch: &mut Patch,
    ) -> Result<(), AppError> {
        if self.is_empty() {
            return Ok(());
        }
        if *kind != Kind::CLIENT {
            return Err(usage(
                bi(
                    "Ces options n’existent que pour un client.",
                    "These flags exist for clients only.",
                ),
                bi(
                    "Donnez-les à\u{a0}: poterne add client, ou poterne edit CLIENT",
                    "Give them to: poterne add client, or poterne edit CLIENT",
                ),
            ));
        }
        let mut info = now.unwrap_or_default();
        let text = |place: &mut String, value: Option<String>| {
            if let Some(value) = value {
                *place = value;
            }
        };
        text(&mut info.code, self.code);
        text(&mut info.colour, self.colour);
        text(&mut info.ticket_pattern, self.ticket_pattern);
        text(&mut info.ticket_url, self.ticket_url);
        info.ticket_required = self.ticket_required.unwrap_or(info.ticket_required);
        info.reason_required = self.reason_required.unwrap_or(info.reason_required);
        patch.client_info = Set::To(info);
        Ok(())
    }
}

impl SecretFlags {
    /// Reads the secrets that were asked for into `patch`; `entry` is what is
    /// edited, if it is there yet.
    ///
    /// # Errors
    /// There is no such secret, they cannot be read, or they are empty.
    pub fn apply(
        self,
        lang: Lang,
        entry: Option<&Entry>,
        patch: &mut Patch,
    ) -> Result<(), AppError> {
        for field in self.secret_ask.iter().chain(&self.secret_stdin) {
            declared(field, entry)?;
        }
        for field in self.secret_ask {
            let answer = prompt::secret(lang, &format!("{field}\u{a0}:"), &format!("{field}:"))?;
            let answer = filled(&field, answer.into_bytes())?;
            patch.secrets.insert(slot(&field), SecretChange::Put(answer));
        }
        if let Some(image) = self.totp_qr {
            let uri = otpauth_of_image(&image)?;
            patch.secrets.insert(Slot::Totp, SecretChange::Put(uri));
        }
        if let Some(field) = self.secret_stdin {
            let slot = slot(&field);
            let mut value = prompt::rest_of_input(SECRET_MAX_BYTES)?;
            // What `echo` adds is no part of a password; a key or a note may
            // well end in a newline.
            if !matches!(slot, Slot::PrivateKey | Slot::Notes) {
                value = without_newline(&value);
            }
            patch.secrets.insert(slot, SecretChange::Put(filled(&field, value)?));
        }
        Ok(())
    }
}

/// Refuses the name of a secret that is neither one that Poterne knows, nor
/// written as one of the person's own, nor there already: a slip would hide the
/// secret where nothing looks for it.
fn declared(field: &str, entry: Option<&Entry>) -> Result<(), AppError> {
    let slot = slot(field);
    let Slot::Custom(name) = &slot else { return Ok(()) };
    let own = field.starts_with("custom:") && !name.trim().is_empty();
    let there = entry.is_some_and(|entry| {
        entry.secrets.contains_key(&slot) || entry.custom.iter().any(|custom| custom.name == *name)
    });
    if own || there {
        return Ok(());
    }
    let mut known: Vec<String> = KNOWN_SECRETS.map(|slot| slot.to_string()).into();
    let others = entry.iter().flat_map(|entry| entry.secrets.keys());
    known.extend(others.filter(|slot| matches!(slot, Slot::Custom(_))).map(ToString::to_string));
    let known = known.join(", ");
    Err(usage(
        bi(
            format!("«\u{a0}{field}\u{a0}» n’est pas un secret connu."),
            format!("“{field}” is no known secret."),
        ),
        bi(
            format!("Choisissez parmi\u{a0}: {known}\u{a0}; un secret à vous s’écrit custom:NOM."),
            format!("Choose one of: {known}; one of your own is written custom:NAME."),
        ),
    ))
}

/// Refuses an empty secret.
fn filled(field: &str, value: SecretBytes) -> Result<SecretBytes, AppError> {
    if !value.expose(<[u8]>::is_empty) {
        return Ok(value);
    }
    Err(usage(
        bi(format!("Le secret {field} est vide."), format!("The secret {field} is empty.")),
        bi(
            format!("Donnez-le\u{a0}; pour le vider\u{a0}: poterne edit CHEMIN --clear {field}"),
            format!("Give it; to empty it: poterne edit PATH --clear {field}"),
        ),
    ))
}

/// Marks `fields` to be emptied.
///
/// # Errors
/// Nothing has that name.
pub fn clear(fields: Vec<String>, entry: &Entry, patch: &mut Patch) -> Result<(), AppError> {
    let mut info = entry.client_info.clone();
    for field in fields {
        if info.as_mut().is_some_and(|info| clear_of_client(&field, info)) {
            continue;
        }
        match field.as_str() {
            "host" => patch.host = Set::To(String::new()),
            "port" => patch.port = Set::To(None),
            "user" => patch.user = Set::To(String::new()),
            "tags" | "tag" => patch.tags = Set::To(Vec::new()),
            "description" => patch.description = Set::To(String::new()),
            "expires" => patch.expires = Set::To(None),
            "favourite" => patch.favourite = Set::To(false),
            name if entry.settings.contains_key(name)
                || settings().iter().any(|(known, _)| known.id == name) =>
            {
                patch.settings.insert(field, String::new());
            }
            name if entry.secrets.contains_key(&slot(name)) => {
                patch.secrets.insert(slot(name), SecretChange::Clear);
            }
            name if entry.custom.iter().any(|custom| custom.name == plain_name(name)) => {
                patch.custom.insert(plain_name(name).to_owned(), None);
            }
            name if entry.attachments.iter().any(|file| file.name == name) => {
                patch.attachments.insert(field, None);
            }
            _ => {
                return Err(usage(
                    bi(
                        format!("Il n’y a rien qui s’appelle «\u{a0}{field}\u{a0}» à vider."),
                        format!("There is nothing called “{field}” to empty."),
                    ),
                    bi(
                        "Voyez ce qu’il y a\u{a0}: poterne show CHEMIN",
                        "See what there is: poterne show PATH",
                    ),
                ));
            }
        }
    }
    if info != entry.client_info
        && let Some(info) = info
    {
        patch.client_info = Set::To(info);
    }
    Ok(())
}

/// The name of a custom field, which may be said to be one: `custom:host`.
fn plain_name(word: &str) -> &str {
    word.strip_prefix("custom:").unwrap_or(word)
}

/// Empties a field that only clients have; false when it is none.
fn clear_of_client(field: &str, info: &mut ClientInfo) -> bool {
    match field {
        "code" => info.code.clear(),
        "colour" => info.colour.clear(),
        "ticket-pattern" => info.ticket_pattern.clear(),
        "ticket-url" => info.ticket_url.clear(),
        "ticket-required" => info.ticket_required = false,
        "reason-required" => info.reason_required = false,
        _ => return false,
    }
    true
}

/// The slot of a word; infallible by design of [`Slot`].
pub fn slot(word: &str) -> Slot {
    word.parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
}

fn set<T>(place: &mut Set<T>, value: Option<T>) {
    if let Some(value) = value {
        *place = Set::To(value);
    }
}

fn credential(access: &dyn Access, source: &str) -> Result<CredentialSource, AppError> {
    match source {
        "own" => Ok(CredentialSource::Own),
        "inherited" => Ok(CredentialSource::Inherited),
        "ask" => Ok(CredentialSource::Ask),
        "mine" => Ok(CredentialSource::Mine),
        other => match other.strip_prefix("linked:") {
            Some(path) => {
                let linked =
                    say::entry(access.call(Request::Show { at: At::Path(path.to_owned()) })?)?;
                Ok(CredentialSource::Linked(linked.entry.id))
            }
            None => Err(usage(
                bi(
                    format!("«\u{a0}{source}\u{a0}» n’est pas une source d’identifiants."),
                    format!("“{source}” is no credential source."),
                ),
                bi(
                    "Choisissez own, inherited, ask, mine ou linked:CHEMIN.",
                    "Choose own, inherited, ask, mine or linked:PATH.",
                ),
            )),
        },
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> AppError {
    let cause = text::cause(error);
    AppError {
        code: Code::Other,
        what: Bi::new(
            format!("Le fichier {} ne peut pas être lu\u{a0}: {}.", file.display(), cause.fr),
            format!("The file {} cannot be read: {}.", file.display(), cause.en),
        ),
        todo: Bi::new("Vérifiez son nom et ses droits.", "Check its name and permissions."),
    }
}

fn attachment(file: &Path) -> Result<(String, AttachmentBytes), AppError> {
    let name = file.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let content = read_at_most(file, ATTACHMENT_MAX_BYTES)?;
    let (Some(name), Some(content)) = (name, content) else {
        return Err(usage(
            bi(
                format!("{} ne peut pas être joint.", file.display()),
                format!("{} cannot be attached.", file.display()),
            ),
            bi(
                "Une pièce jointe a au plus 10 Mio et un nom en UTF-8.",
                "An attachment has at most 10 MiB and a name in UTF-8.",
            ),
        ));
    };
    Ok((name, AttachmentBytes(content)))
}

/// The content of a file; `None` when there is more of it. The buffer has its
/// final size from the start, so that it leaves nothing behind by growing; what
/// has no size, as a pipe or a device, is read no further either.
fn read_at_most(file: &Path, max: u64) -> Result<Option<SecretBytes>, AppError> {
    use std::io::Read as _;
    let failed = |error| unreadable(file, &error);
    let open = std::fs::File::open(file).map_err(failed)?;
    let size = open.metadata().map_err(failed)?.len();
    if size > max {
        return Ok(None);
    }
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    let read = open.take(max + 1).read_to_end(&mut content);
    let content = SecretBytes::new(content);
    let read = read.map_err(failed)? as u64;
    Ok((read <= max).then_some(content))
}

fn without_newline(value: &SecretBytes) -> SecretBytes {
    value.expose(|bytes| {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        SecretBytes::copy_of(bytes.strip_suffix(b"\r").unwrap_or(bytes))
    })
}

/// The otpauth URI in the first QR code of an image.
fn otpauth_of_image(file: &Path) -> Result<SecretBytes, AppError> {
    let bytes = read_at_most(file, qr::FILE_MAX_BYTES)?;
    let none = || {
        usage(
            bi(
                format!("{} ne contient pas de code QR otpauth lisible.", file.display()),
                format!("{} holds no readable otpauth QR code.", file.display()),
            ),
            bi(
                "Donnez une capture nette, en PNG ou JPEG, du code QR entier.",
                "Give a sharp picture, PNG or JPEG, of the whole QR code.",
            ),
        )
    };
    bytes
        .and_then(|bytes| bytes.expose(qr::text))
        .filter(|text| text.expose(qr::is_otpauth))
        .map(SecretText::into_bytes)
        .ok_or_else(none)
}
