//! Failures of the lower layers as a person and a program see them: a code, what
//! happened, what to do. The only place where those sentences are made.

use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::vault::rows::StoreError;
use crate::vault::unlocked::VaultError;

use super::api::{AppError, Code};

impl AppError {
    /// A failure from its code and its two texts, each French then English.
    pub fn new(code: Code, what: (&str, &str), todo: (&str, &str)) -> Self {
        Self { code, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
    }

    /// Wrong use; `todo` tells the right one.
    pub fn usage(what: (&str, &str), todo: (&str, &str)) -> Self {
        Self::new(Code::Usage, what, todo)
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

    /// The one text for every wrong factor.
    pub fn refused() -> Self {
        Self::new(
            Code::Locked,
            ("Le coffre ne s'est pas ouvert.", "The vault did not open."),
            (
                "Vérifiez le nom, le mot de passe, l'heure de cet ordinateur, et attendez un nouveau code ; sinon utilisez le kit de secours.",
                "Check name, password and this computer's clock, and wait for a new code; else use the recovery kit.",
            ),
        )
    }

    /// No such entry.
    pub fn no_entry(path: &str) -> Self {
        Self {
            code: Code::NotFound,
            what: Bi::new(
                format!("« {path} » n'existe pas, ou ne vous est pas accordé."),
                format!("“{path}” does not exist, or is not granted to you."),
            ),
            todo: Bi::new(
                "Vérifiez le chemin avec `poterne find`, ou demandez l'accès à un administrateur du coffre.",
                "Check the path with `poterne find`, or ask an administrator of the vault for access.",
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
                format!("Le coffre a été modifié ou endommagé : {what_fr}."),
                format!("The vault was changed or damaged: {what_en}."),
            ),
            todo: Bi::new(
                "Gardez ce fichier comme preuve, lancez `poterne check`, et revenez à la dernière sauvegarde saine avec `poterne backup --restore`.",
                "Keep this file as evidence, run `poterne check`, and go back to the last good backup with `poterne backup --restore`.",
            ),
        }
    }

    /// An operation of the system failed.
    pub fn system(what: (&str, &str), error: &dyn std::fmt::Display) -> Self {
        Self {
            code: Code::Other,
            what: Bi::new(format!("{} ({error}).", what.0), format!("{} ({error}).", what.1)),
            todo: Bi::new(
                "Vérifiez les droits, la place et l'état du disque, puis recommencez ; rien n'a été perdu.",
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
                ("Il n'y a pas de coffre à cet endroit.", "There is no vault at this place."),
                (
                    "Créez-en un avec `poterne init`, ou indiquez son fichier avec --vault.",
                    "Make one with `poterne init`, or name its file with --vault.",
                ),
            ),
            StoreError::Foreign => Self::new(
                Code::Other,
                ("Ce fichier n'est pas un coffre Poterne.", "This file is not a Poterne vault."),
                ("Indiquez un autre fichier avec --vault.", "Name another file with --vault."),
            ),
            StoreError::Newer(_) => Self::new(
                Code::Other,
                (
                    "Ce coffre a été écrit par une version plus récente de Poterne.",
                    "This vault was written by a newer version of Poterne.",
                ),
                ("Mettez Poterne à jour sur cet ordinateur.", "Update Poterne on this computer."),
            ),
            StoreError::Corrupt(why) => Self::tampered(
                &format!("le fichier ne se lit pas ({why})"),
                &format!("the file cannot be read ({why})"),
            ),
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
                what: Bi::new(
                    format!(
                        "Le coffre ne peut pas être écrit ({why}) : rien ne pourrait être journalisé."
                    ),
                    format!("The vault cannot be written ({why}): nothing could be logged."),
                ),
                todo: Bi::new(
                    "Rendez le fichier et son dossier accessibles en écriture, ou parcourez les noms avec --read-only.",
                    "Make the file and its folder writable, or browse names with --read-only.",
                ),
            },
            StoreError::Full => Self::new(
                Code::Other,
                (
                    "Le disque est plein : rien n'a été enregistré, rien n'est perdu.",
                    "The disk is full: nothing was saved, nothing is lost.",
                ),
                ("Libérez de la place, puis recommencez.", "Free some space, then try again."),
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
            _ => Code::Connection,
        };
        Self { code, what: f.what, todo: f.todo }
    }
}
