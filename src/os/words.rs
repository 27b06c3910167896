//! What the system says of a failure, in words of both languages. Knows no file
//! and no connection: who tells a person of a failure says which it was.

use std::io;

use crate::model::lang::Bi;

/// The kinds of error that have words.
const KINDS: &[io::ErrorKind] = &[
    io::ErrorKind::NotFound,
    io::ErrorKind::PermissionDenied,
    io::ErrorKind::ReadOnlyFilesystem,
    io::ErrorKind::StorageFull,
    io::ErrorKind::QuotaExceeded,
    io::ErrorKind::AlreadyExists,
    io::ErrorKind::IsADirectory,
    io::ErrorKind::NotADirectory,
    io::ErrorKind::InvalidFilename,
    io::ErrorKind::FileTooLarge,
    io::ErrorKind::ResourceBusy,
    io::ErrorKind::OutOfMemory,
    io::ErrorKind::TimedOut,
    io::ErrorKind::ConnectionRefused,
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::UnexpectedEof,
    io::ErrorKind::AddrInUse,
    io::ErrorKind::AddrNotAvailable,
    io::ErrorKind::NetworkUnreachable,
    io::ErrorKind::HostUnreachable,
];

/// What the system said; its own words, quoted, where nothing better is known.
pub fn cause(error: &io::Error) -> Bi {
    known(error).unwrap_or_else(|| quoted(&error.to_string()))
}

/// What the system said, as far as that is known.
pub fn known(error: &io::Error) -> Option<Bi> {
    let (fr, en) = match error.kind() {
        io::ErrorKind::NotFound => ("il n’y a rien à cet endroit", "there is nothing there"),
        io::ErrorKind::PermissionDenied => ("les droits ne suffisent pas", "permission denied"),
        io::ErrorKind::ReadOnlyFilesystem => {
            ("le système de fichiers est en lecture seule", "the file system is read-only")
        }
        io::ErrorKind::StorageFull => ("le disque est plein", "the disk is full"),
        io::ErrorKind::QuotaExceeded => ("votre quota est épuisé", "your quota is used up"),
        io::ErrorKind::AlreadyExists => ("il y a déjà un fichier", "there is a file already"),
        io::ErrorKind::IsADirectory => ("c’est un dossier", "it is a folder"),
        io::ErrorKind::NotADirectory => ("ce n’est pas un dossier", "it is not a folder"),
        io::ErrorKind::InvalidFilename => ("ce nom ne convient pas", "the name will not do"),
        io::ErrorKind::FileTooLarge => ("le fichier est trop grand", "the file is too large"),
        io::ErrorKind::ResourceBusy => ("un autre programme s’en sert", "another program uses it"),
        io::ErrorKind::OutOfMemory => ("la mémoire manque", "memory is short"),
        io::ErrorKind::TimedOut => ("pas de réponse à temps", "no answer in time"),
        io::ErrorKind::ConnectionRefused => ("connexion refusée", "connection refused"),
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::UnexpectedEof => ("l’autre côté s’est arrêté", "the other side stopped"),
        io::ErrorKind::AddrInUse => ("ce port est déjà pris", "this port is taken already"),
        io::ErrorKind::AddrNotAvailable => {
            ("cette machine n’a pas cette adresse", "this machine does not have this address")
        }
        io::ErrorKind::NetworkUnreachable => {
            ("aucun chemin ne mène à ce réseau", "there is no way to that network")
        }
        io::ErrorKind::HostUnreachable => {
            ("aucun chemin ne mène à cette machine", "there is no way to that machine")
        }
        _ => return None,
    };
    Some(Bi::new(fr, en))
}

/// What [`known`] says in English, in French.
pub fn in_french(en: &str) -> Option<String> {
    let told = KINDS.iter().filter_map(|kind| known(&io::Error::from(*kind)));
    told.into_iter().find(|told| told.en == en).map(|told| told.fr)
}

/// Words of somebody else, as such.
pub fn quoted(words: &str) -> Bi {
    Bi::new(format!("«\u{a0}{words}\u{a0}»"), words)
}
