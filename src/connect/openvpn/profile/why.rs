//! Why something of a profile is left out. Texts only; of what stood there they name
//! the directive and the line, never a value.

use crate::model::lang::{Bi, Lang};
use crate::model::unseen::hidden;

use super::MAX_FILE_BYTES;

/// Longest name of a directive that is shown, in characters.
const SHOWN_MAX: usize = 40;

/// Something of a profile that was left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dropped {
    /// From 1.
    pub line: usize,
    /// Its name, all signs of which are seen.
    pub directive: String,
    /// The reason.
    pub class: Class,
}

impl Dropped {
    pub(super) fn new(line: usize, directive: &str, class: Class) -> Self {
        Self { line, directive: shown(directive), class }
    }

    /// The reason, for a person.
    pub fn why(&self) -> Bi {
        self.class.why()
    }

    /// In one line.
    pub fn told(&self, lang: Lang) -> String {
        let (line, directive, why) = (self.line, &self.directive, self.why());
        let why = why.get(lang);
        match lang {
            Lang::Fr => format!("ligne {line}, {directive}\u{a0}: {why}"),
            Lang::En => format!("line {line}, {directive}: {why}"),
        }
    }
}

/// `text` as a person is shown it: on one line, and not long.
pub(super) fn shown(text: &str) -> String {
    let seen = |c: char| if hidden(c) { '\u{FFFD}' } else { c };
    let mut out: String = text.chars().take(SHOWN_MAX).map(seen).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        out.push('…');
    }
    out
}

/// Longest name in a certificate that is shown, in characters.
const NAME_MAX: usize = 200;

/// A name out of a certificate as a person is shown it.
pub(super) fn shown_name(name: &str) -> String {
    let seen = |c: char| if hidden(c) { '\u{FFFD}' } else { c };
    name.chars().take(NAME_MAX).map(seen).collect()
}

/// Why a directive is left out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// Starts a program or loads a library.
    RunsCode,
    /// Sends what is in a file to the server or to a proxy.
    SendsFile,
    /// Reads a file of this computer.
    ReadsFile,
    /// Writes a file on this computer.
    WritesFile,
    /// Would take the management of OpenVPN from the application.
    Management,
    /// Changes the environment of programs.
    Environment,
    /// Changes how and as whom the process runs.
    Process,
    /// Tells the server about this computer.
    Tells,
    /// Switches a protection off.
    Weakens,
    /// User and password, which belong into the entry.
    Login,
    /// For servers only.
    Server,
    /// For another system.
    System,
    /// The application sets it, or has no need of it.
    SetHere,
    /// OpenVPN knows it no longer.
    Gone,
    /// Known, and not taken over.
    NotTaken,
    /// Not known.
    Unknown,
    /// Not what the directive takes.
    Malformed,
    /// Not for a `<connection>`, or only for one.
    Place,
    /// A file that is not beside the profile.
    FileElsewhere,
    /// A file that could not be read.
    FileUnread,
    /// A file that is too large.
    FileLarge,
    /// What is inside is not what the directive has.
    Content,
}

impl Class {
    /// Whether it could have done harm.
    pub fn is_grave(self) -> bool {
        use Class::{
            Environment, FileElsewhere, Management, Process, ReadsFile, RunsCode, SendsFile,
            Weakens, WritesFile,
        };
        matches!(
            self,
            RunsCode
                | SendsFile
                | ReadsFile
                | WritesFile
                | Management
                | Environment
                | Process
                | Weakens
                | FileElsewhere
        )
    }

    /// For a person.
    pub fn why(self) -> Bi {
        let (fr, en) = match self {
            Self::RunsCode => (
                "lance un programme ou charge une bibliothèque sur cet ordinateur",
                "starts a program or loads a library on this computer",
            ),
            Self::SendsFile => (
                "envoie au serveur ce que contient un fichier de cet ordinateur",
                "sends what is in a file of this computer to the server",
            ),
            Self::ReadsFile => {
                ("lit un fichier de cet ordinateur", "reads a file of this computer")
            }
            Self::WritesFile => {
                ("écrit un fichier sur cet ordinateur", "writes a file on this computer")
            }
            Self::Management => (
                "donnerait à d’autres la commande d’OpenVPN",
                "would give the control of OpenVPN to others",
            ),
            Self::Environment => {
                ("change l’environnement des programmes", "changes the environment of programs")
            }
            Self::Process => (
                "change comment et sous quel compte OpenVPN tourne",
                "changes how and as whom OpenVPN runs",
            ),
            Self::Tells => {
                ("renseigne le serveur sur cet ordinateur", "tells the server about this computer")
            }
            Self::Weakens => ("supprime une protection", "switches a protection off"),
            Self::Login => (
                "l’identifiant et le mot de passe vont dans l’accès, pas dans le profil",
                "user and password belong into the entry, not into the profile",
            ),
            Self::Server => ("ne sert qu’aux serveurs", "is for servers only"),
            Self::System => ("ne sert qu’à un autre système", "is for another system only"),
            Self::SetHere => (
                "Poterne le règle déjà ou n’en a pas besoin",
                "Poterne sets it itself or has no need of it",
            ),
            Self::Gone => ("OpenVPN ne la connaît plus", "OpenVPN knows it no longer"),
            Self::NotTaken => ("n’est pas reprise", "is not taken over"),
            Self::Unknown => ("directive inconnue", "this directive is not known"),
            Self::Malformed => (
                "ce qui suit n’est pas ce que cette directive accepte",
                "what follows is not what this directive takes",
            ),
            Self::Place => (
                "cette directive n’a pas sa place à cet endroit",
                "this directive has no place here",
            ),
            Self::FileElsewhere => (
                "nomme un fichier d’un autre dossier que celui du profil",
                "names a file of another folder than that of the profile",
            ),
            Self::FileUnread => (
                "le fichier qu’elle nomme manque à côté du profil ou ne peut pas être lu",
                "the file that it names is missing beside the profile or cannot be read",
            ),
            Self::FileLarge => return large_file(),
            Self::Content => (
                "ce qu’elle contient n’est pas la clé ou le certificat attendu",
                "what it has inside is not the key or the certificate expected",
            ),
        };
        Bi::new(fr, en)
    }
}

fn large_file() -> Bi {
    let kib = MAX_FILE_BYTES / 1024;
    Bi::new(
        format!("le fichier qu’elle nomme dépasse {kib}\u{a0}Kio"),
        format!("the file that it names is larger than {kib} KiB"),
    )
}
