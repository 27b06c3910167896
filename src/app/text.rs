//! Failures of the lower layers as a person and a program see them: a code, what
//! happened, what to do. The only place where those sentences are made.

use std::io;

use crate::connect::{Failure, FailureKind};
use crate::model::entry::Kind;
use crate::model::id::DeviceId;
use crate::model::lang::Bi;
use crate::os::paths::PlaceError;
use crate::os::words;
use crate::vault::rows::StoreError;
use crate::vault::unlocked::VaultError;

use super::api::{AppError, Code};

/// What the system said, in words of both languages.
pub fn cause(error: &io::Error) -> Bi {
    words::known(error).unwrap_or_else(|| said(&error.to_string()))
}

/// What is at a place is neither a file nor a folder.
pub fn irregular() -> io::Error {
    io::Error::other("it is no regular file")
}

/// Words of a library: in French as far as they are known, else quoted as such.
pub fn said(told: &str) -> Bi {
    let known = [
        ("Read-only file system", "le système de fichiers est en lecture seule"),
        ("Operation not permitted", "le système l’interdit"),
        ("Permission denied", "les droits ne suffisent pas"),
        ("permissions forbid writing", "ses droits interdisent d’écrire"),
        ("readonly database", "il est en lecture seule"),
        ("unable to open database file", "son dossier ne peut pas être écrit"),
        ("older format must be migrated", "son format plus ancien doit d’abord être converti"),
        ("opened for reading only", "il a été ouvert en lecture seule"),
        ("No such file or directory", "il n’y a rien à cet endroit"),
        ("No space left on device", "le disque est plein"),
        ("Input/output error", "erreur du disque"),
        ("disk I/O error", "erreur du disque"),
        ("is empty", "il est vide"),
        ("is cut off", "il est tronqué"),
        ("goes on after its end", "il continue après sa fin"),
        ("its header was changed", "son en-tête a été modifié"),
        ("its list of free pages", "sa liste de pages libres a été modifiée"),
        ("its tables were changed", "ses tables ont été modifiées"),
        ("its first row is missing", "sa première ligne manque"),
        ("malformed", "sa structure est abîmée"),
        ("file is not a database", "sa structure est abîmée"),
        ("Too many open files", "trop de fichiers sont ouverts"),
        ("Connection refused", "connexion refusée"),
        ("no regular file", "ce n’est pas un fichier ordinaire"),
    ];
    match known.iter().find(|(english, _)| told.contains(english)) {
        Some((_, french)) => Bi::new(*french, told),
        None => words::quoted(told),
    }
}

/// There is no home folder to keep things in.
pub fn homeless(error: &PlaceError) -> AppError {
    let PlaceError::NoHome { what } = error else {
        return unusable(error);
    };
    let (fr, var) = match *what {
        "data" => ("le coffre", "XDG_DATA_HOME"),
        "configuration" => ("la clé de cet ordinateur", "XDG_CONFIG_HOME"),
        _ => ("ce que Poterne retient", "XDG_STATE_HOME"),
    };
    let en = match *what {
        "data" => "the vault",
        "configuration" => "this computer's key",
        _ => "what Poterne remembers",
    };
    AppError {
        code: Code::Other,
        what: Bi::new(
            format!("Il n’y a pas d’endroit pour {fr}\u{a0}: HOME n’est pas défini."),
            format!("There is no place for {en}: HOME is not set."),
        ),
        todo: Bi::new(
            format!("Définissez HOME (votre dossier personnel) ou {var}, puis recommencez."),
            format!("Set HOME (your home folder) or {var}, then try again."),
        ),
    }
}

/// A folder of this program cannot be used.
pub fn unusable(error: &PlaceError) -> AppError {
    match error {
        PlaceError::NoHome { .. } => homeless(error),
        PlaceError::Folder { folder, source } => {
            let (folder, cause) = (folder.display(), cause(source));
            AppError {
                code: Code::Other,
                what: Bi::new(
                    format!("Le dossier {folder} ne peut pas être utilisé\u{a0}: {}.", cause.fr),
                    format!("The folder {folder} cannot be used: {}.", cause.en),
                ),
                todo: Bi::new(
                    "Vérifiez ses droits et l’espace libre, puis recommencez.",
                    "Check its permissions and the free space, then try again.",
                ),
            }
        }
        PlaceError::NotPrivate { folder } => {
            let folder = folder.display();
            AppError {
                code: Code::Other,
                what: Bi::new(
                    format!("Le dossier {folder} n’est pas à vous seul."),
                    format!("The folder {folder} is not private to you."),
                ),
                todo: Bi::new(
                    format!("Rendez-le privé\u{a0}: chmod 700 {folder}"),
                    format!("Make it private: chmod 700 {folder}"),
                ),
            }
        }
    }
}

impl AppError {
    /// A failure from its code and its two texts, each French then English.
    pub fn new(code: Code, what: (&str, &str), todo: (&str, &str)) -> Self {
        Self { code, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
    }

    /// Wrong use; `todo` tells the right one.
    pub fn usage(what: (&str, &str), todo: (&str, &str)) -> Self {
        Self::new(Code::Usage, what, todo)
    }

    /// The answer was of another kind than the question: a peer of another build.
    pub fn odd_reply() -> Self {
        Self::new(
            Code::Other,
            ("L’application a répondu à côté.", "The application answered something else."),
            (
                "Relancez l’agent\u{a0}: poterne lock, puis poterne unlock.",
                "Start the agent again: poterne lock, then poterne unlock.",
            ),
        )
    }

    /// A file that was to be a text.
    pub fn no_text(file: &str) -> Self {
        Self {
            code: Code::Usage,
            what: Bi::new(
                format!("«\u{a0}{file}\u{a0}» n’est pas un texte en UTF-8."),
                format!("“{file}” is no text in UTF-8."),
            ),
            todo: Bi::new(
                "Choisissez un manifeste, un fichier TOML.",
                "Choose a manifest, a TOML file.",
            ),
        }
    }

    /// Entries of a kind that this computer does not know, or no longer.
    pub fn no_connector(kind: &Kind) -> Self {
        Self {
            code: Code::NotFound,
            what: Bi::new(
                format!(
                    "Le connecteur «\u{a0}{kind}\u{a0}» n’est connu ni de ce poste ni de ce coffre."
                ),
                format!("Neither this computer nor this vault knows the connector “{kind}”."),
            ),
            todo: Bi::new(
                "L’accès se lit et se modifie toujours. Pour l’ouvrir, un administrateur remet le manifeste dans le coffre\u{a0}: poterne connector add FICHIER",
                "The entry can still be read and changed. To open it, an administrator puts the manifest back into the vault: poterne connector add FILE",
            ),
        }
    }

    /// The vault is locked.
    pub fn locked() -> Self {
        Self::new(
            Code::Locked,
            ("Le coffre est verrouillé.", "The vault is locked."),
            (
                "Déverrouillez-le avec votre mot de passe et le code de votre téléphone.",
                "Unlock it with your password and the code of your phone.",
            ),
        )
    }

    /// What took long ended because the vault was to be locked.
    pub fn gave_way() -> Self {
        Self::new(
            Code::Locked,
            (
                "Le coffre a été verrouillé avant la fin.",
                "The vault was locked before this was done.",
            ),
            ("Déverrouillez-le, puis recommencez.", "Unlock it, then start again."),
        )
    }

    /// The one text for every wrong factor.
    pub fn refused() -> Self {
        Self::new(
            Code::Locked,
            ("Le coffre ne s’est pas ouvert.", "The vault did not open."),
            (
                "Vérifiez le nom, le mot de passe, l’heure de cet ordinateur, et attendez un nouveau code\u{a0}; sinon utilisez le kit de secours.",
                "Check name, password and this computer's clock, and wait for a new code; else use the recovery kit.",
            ),
        )
    }

    /// No such entry.
    pub fn no_entry(path: &str) -> Self {
        Self {
            code: Code::NotFound,
            what: Bi::new(
                format!("«\u{a0}{path}\u{a0}» n’existe pas, ou ne vous est pas accordé."),
                format!("“{path}” does not exist, or is not granted to you."),
            ),
            todo: Bi::new(
                "Vérifiez le chemin avec `poterne find`, ou demandez l’accès à un administrateur du coffre.",
                "Check the path with `poterne find`, or ask an administrator of the vault for access.",
            ),
        }
    }

    /// No such member.
    pub fn no_member(name: &str) -> Self {
        Self {
            code: Code::NotFound,
            what: Bi::new(
                format!("Il n’y a pas de membre «\u{a0}{name}\u{a0}»."),
                format!("There is no member “{name}”."),
            ),
            todo: Bi::new(
                "Voyez les membres\u{a0}: poterne member list",
                "See the members: poterne member list",
            ),
        }
    }

    /// No such client.
    pub fn no_client(name: &str) -> Self {
        Self {
            code: Code::NotFound,
            what: Bi::new(
                format!(
                    "Il n’y a pas de client «\u{a0}{name}\u{a0}», ou il ne vous est pas accordé."
                ),
                format!("There is no client “{name}”, or it is not granted to you."),
            ),
            todo: Bi::new("Voyez les clients\u{a0}: poterne ls", "See the clients: poterne ls"),
        }
    }

    /// No such computer.
    pub fn no_device(id: &DeviceId) -> Self {
        Self {
            code: Code::NotFound,
            what: Bi::new(
                format!("Aucun ordinateur enrôlé n’a l’identifiant {id}."),
                format!("No enrolled computer has the id {id}."),
            ),
            todo: Bi::new(
                "Voyez la liste\u{a0}: poterne device list",
                "See the list: poterne device list",
            ),
        }
    }

    /// The role forbids it.
    pub fn role() -> Self {
        Self::new(
            Code::NotAllowed,
            ("Votre rôle ne le permet pas.", "Your role does not allow this."),
            (
                "Demandez-le à un propriétaire ou administrateur du coffre.",
                "Ask an owner or administrator of the vault.",
            ),
        )
    }

    /// Something was changed behind the program's back.
    pub fn tampered(what_fr: &str, what_en: &str) -> Self {
        Self {
            code: Code::Tampered,
            what: Bi::new(
                format!("Le coffre a été modifié ou endommagé\u{a0}: {what_fr}."),
                format!("The vault was changed or damaged: {what_en}."),
            ),
            todo: Bi::new(
                "Gardez ce fichier comme preuve, lancez `poterne check`, et revenez à la dernière sauvegarde saine avec `poterne backup --restore`.",
                "Keep this file as evidence, run `poterne check`, and go back to the last good backup with `poterne backup --restore`.",
            ),
        }
    }

    /// The table of codes is not as it was written: no factor opens by it, and
    /// none is judged by this.
    pub fn codes_damaged() -> Self {
        Self {
            todo: Bi::new(
                "Gardez ce fichier comme preuve, et entrez avec le kit de secours (`poterne recover`), qui écrit une nouvelle table\u{a0}; ou revenez à la dernière sauvegarde saine avec `poterne backup --restore`.",
                "Keep this file as evidence, and get in with the recovery kit (`poterne recover`), which writes a new table; or go back to the last good backup with `poterne backup --restore`.",
            ),
            ..Self::tampered(
                "la table des codes à usage unique de ce jour, ou la clé de cet ordinateur, n’est pas celle qui a été écrite",
                "today's table of one-time codes, or this computer's key, is not the one that was written",
            )
        }
    }

    /// The file is an older one than was seen here, or another branch of it.
    pub fn older_copy() -> Self {
        Self::new(
            Code::OlderCopy,
            (
                "Ce fichier est une copie plus ancienne que celle déjà ouverte ici.",
                "This file is an older copy than the one already opened here.",
            ),
            (
                "Si vous avez vous-même rétabli une sauvegarde, confirmez l’ouverture de cette copie (option --accept-older)\u{a0}: ce sera inscrit au journal. Sinon, cherchez qui l’a remplacée.",
                "If you restored a backup yourself, confirm that this copy is to open (option --accept-older): it will be logged. Else find out who replaced it.",
            ),
        )
    }

    /// A copy carries damage of the vault itself.
    pub fn damaged_copy(fault: Bi) -> Self {
        Self {
            code: Code::Tampered,
            what: Bi::new(
                format!("Cette copie ne serait pas saine\u{a0}: {}", fault.fr),
                format!("This copy would not be a good one: {}", fault.en),
            ),
            todo: Bi::new(
                "Le coffre lui-même est abîmé\u{a0}: gardez les sauvegardes d’avant, et voyez tout ce qui l’est avec `poterne check`.",
                "The vault itself is damaged: keep the earlier backups, and see all that is with `poterne check`.",
            ),
        }
    }

    /// The same where a check would tell no more: of damage, the backup only.
    pub fn without_check(self) -> Self {
        if self.code != Code::Tampered {
            return self;
        }
        let todo = Bi::new(
            "Gardez ce fichier comme preuve, et revenez à la dernière sauvegarde saine avec `poterne backup --restore`.",
            "Keep this file as evidence, and go back to the last good backup with `poterne backup --restore`.",
        );
        match self.todo.en.contains("poterne check") {
            true => Self { todo, ..self },
            false => self,
        }
    }

    /// An operation of the system failed.
    pub fn system(what: (&str, &str), error: &dyn std::fmt::Display) -> Self {
        let why = said(&error.to_string());
        Self {
            code: Code::Other,
            what: Bi::new(format!("{} ({}).", what.0, why.fr), format!("{} ({}).", what.1, why.en)),
            todo: Bi::new(
                "Vérifiez les droits, la place et l’état du disque, puis recommencez\u{a0}; rien n’a été perdu.",
                "Check permissions, free space and state of the disk, then try again; nothing was lost.",
            ),
        }
    }
}

impl From<StoreError> for AppError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Missing => Self::new(
                Code::NotFound,
                ("Il n’y a pas de coffre à cet endroit.", "There is no vault at this place."),
                (
                    "Créez-en un avec `poterne init`, ou indiquez son fichier avec --vault.",
                    "Make one with `poterne init`, or name its file with --vault.",
                ),
            ),
            StoreError::Foreign => Self::new(
                Code::Other,
                ("Ce fichier n’est pas un coffre Poterne.", "This file is not a Poterne vault."),
                ("Indiquez un autre fichier avec --vault.", "Name another file with --vault."),
            ),
            StoreError::NotAFile => Self::new(
                Code::Other,
                (
                    "Ce n’est pas un fichier ordinaire mais un dossier, un tube ou un périphérique.",
                    "This is no regular file but a folder, a pipe or a device.",
                ),
                (
                    "Indiquez le fichier du coffre avec --vault.",
                    "Name the vault's file with --vault.",
                ),
            ),
            StoreError::Newer(_) => Self::new(
                Code::Other,
                (
                    "Ce coffre a été écrit par une version plus récente de Poterne.",
                    "This vault was written by a newer version of Poterne.",
                ),
                ("Mettez Poterne à jour sur cet ordinateur.", "Update Poterne on this computer."),
            ),
            StoreError::Corrupt(why) => {
                let why = said(&why);
                // A check would fail at the same place.
                Self::tampered(
                    &format!("le fichier ne se lit pas ({})", why.fr),
                    &format!("the file cannot be read ({})", why.en),
                )
                .without_check()
            }
            StoreError::Busy => Self::new(
                Code::Other,
                (
                    "Un autre programme retient le fichier du coffre.",
                    "Another program holds the vault's file.",
                ),
                ("Fermez-le, puis recommencez.", "Close it, then try again."),
            ),
            StoreError::ReadOnly(why) => Self {
                code: Code::Other,
                what: {
                    let Bi { fr, en } = said(&why);
                    Bi::new(
                        format!(
                            "Le coffre ne peut pas être écrit ({fr})\u{a0}: rien ne pourrait être journalisé."
                        ),
                        format!("The vault cannot be written ({en}): nothing could be logged."),
                    )
                },
                todo: Bi::new(
                    "Rendez le fichier et son dossier accessibles en écriture, ou parcourez les noms avec --read-only.",
                    "Make the file and its folder writable, or browse names with --read-only.",
                ),
            },
            StoreError::Full => Self::new(
                Code::Other,
                (
                    "Le disque est plein\u{a0}: rien n’a été enregistré, rien n’est perdu.",
                    "The disk is full: nothing was saved, nothing is lost.",
                ),
                ("Libérez de la place, puis recommencez.", "Free some space, then try again."),
            ),
            StoreError::Replaced => Self::new(
                Code::Locked,
                (
                    "Le fichier du coffre a été remplacé ou déplacé pendant qu’il était ouvert\u{a0}: le coffre est verrouillé, rien n’a été écrit.",
                    "The vault's file was replaced or moved away while it was open: the vault is locked, nothing was written.",
                ),
                (
                    "Déverrouillez-le à nouveau. Si personne n’a rétabli de sauvegarde, cherchez qui l’a remplacé.",
                    "Unlock it again. If nobody restored a backup, find out who replaced it.",
                ),
            ),
            StoreError::Exists => Self::new(
                Code::Other,
                ("Il y a déjà un fichier à cet endroit.", "There is a file at this place already."),
                ("Choisissez un autre nom.", "Choose another name."),
            ),
            StoreError::Io(why) => Self::system(
                ("Le fichier du coffre ne répond pas", "The vault's file does not respond"),
                &why,
            ),
        }
    }
}

impl From<VaultError> for AppError {
    fn from(e: VaultError) -> Self {
        match e {
            VaultError::Store(e) => e.into(),
            VaultError::Tampered(what) => Self::tampered(&what, &what),
            VaultError::Log(what) => Self::tampered(&what, &what),
            VaultError::NotFound => Self::no_entry("…"),
            VaultError::NoRight => Self::role(),
            VaultError::Removed => Self::new(
                Code::Locked,
                (
                    "Vous ne faites plus partie des membres de ce coffre.",
                    "You are no longer a member of this vault.",
                ),
                ("Adressez-vous à un propriétaire du coffre.", "Ask an owner of the vault."),
            ),
        }
    }
}

impl From<Failure> for AppError {
    fn from(f: Failure) -> Self {
        let code = match f.kind {
            FailureKind::Setting => Code::Usage,
            FailureKind::HostKeyChanged => Code::KeyChanged,
            FailureKind::UnknownHost
            | FailureKind::Refused
            | FailureKind::Timeout
            | FailureKind::Network => Code::Unreachable,
            _ => Code::Connection,
        };
        Self { code, what: f.what, todo: f.todo }
    }
}
