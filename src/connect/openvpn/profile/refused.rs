//! Why a whole profile is refused. Texts only; they name the line, never what stands
//! in it.

use super::{MAX_BYTES, MAX_DIRECTIVES};
use crate::model::lang::Bi;

/// Why a profile is not taken at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// With its files, it is larger than 1 MiB.
    #[error("the profile is larger than {MAX_BYTES} bytes")]
    Large,
    /// It has more directives than any client needs.
    #[error("the profile has more than {MAX_DIRECTIVES} directives")]
    Many,
    /// It is no text.
    #[error("the profile is no text")]
    NotText,
    /// A quotation in this line is not closed.
    #[error("line {0}: a quotation is not closed")]
    Quote(usize),
    /// In this line, a backslash stands where OpenVPN takes none.
    #[error("line {0}: a backslash that is no escape")]
    Backslash(usize),
    /// The block that begins in this line has no end.
    #[error("line {0}: a block has no end")]
    Unclosed(usize),
    /// This line asks for a device that carries Ethernet.
    #[error("line {0}: a tap device")]
    Tap(usize),
    /// This line asks for a device that is unknown.
    #[error("line {0}: an unknown device")]
    Device(usize),
    /// Nothing says where the server is.
    #[error("there is no remote")]
    NoRemote,
    /// It is not for a client.
    #[error("the profile is not for a client")]
    NotForClients,
}

impl Refused {
    /// The line it is about, from 1.
    pub fn line(self) -> Option<usize> {
        match self {
            Self::Quote(line)
            | Self::Backslash(line)
            | Self::Unclosed(line)
            | Self::Tap(line)
            | Self::Device(line) => Some(line),
            Self::Large | Self::Many | Self::NotText | Self::NoRemote | Self::NotForClients => None,
        }
    }

    /// What is wrong.
    pub fn what(self) -> Bi {
        let (fr, en) = match self {
            Self::Large => (
                format!("Le profil et ses fichiers dépassent {}\u{a0}Mio.", MAX_BYTES >> 20),
                format!("The profile and its files are larger than {} MiB.", MAX_BYTES >> 20),
            ),
            Self::Many => (
                format!("Le profil a plus de {MAX_DIRECTIVES} directives."),
                format!("The profile has more than {MAX_DIRECTIVES} directives."),
            ),
            Self::NotText => (
                "Ce n’est pas un profil OpenVPN\u{a0}: ce n’est pas du texte.".to_owned(),
                "This is no OpenVPN profile: it is no text.".to_owned(),
            ),
            Self::Quote(line) => (
                format!("Ligne {line}\u{a0}: un guillemet n’est pas fermé."),
                format!("Line {line}: a quotation mark is not closed."),
            ),
            Self::Backslash(line) => (
                format!("Ligne {line}\u{a0}: une barre oblique inverse n’y a pas sa place."),
                format!("Line {line}: a backslash has no place there."),
            ),
            Self::Unclosed(line) => (
                format!("Ligne {line}\u{a0}: la fin du bloc qui commence là manque."),
                format!("Line {line}: the end of the block that begins there is missing."),
            ),
            Self::Tap(line) => (
                format!("Ligne {line}\u{a0}: ce VPN transporte des trames Ethernet (tap)."),
                format!("Line {line}: this VPN carries Ethernet frames (tap)."),
            ),
            Self::Device(line) => (
                format!("Ligne {line}\u{a0}: le genre d’interface (dev) est inconnu."),
                format!("Line {line}: the kind of device (dev) is unknown."),
            ),
            Self::NoRemote => (
                "Le profil ne dit pas où est le serveur (remote).".to_owned(),
                "The profile does not say where the server is (remote).".to_owned(),
            ),
            Self::NotForClients => (
                "Ce n’est pas le profil d’un client OpenVPN.".to_owned(),
                "This is not the profile of a client of OpenVPN.".to_owned(),
            ),
        };
        Bi::new(fr, en)
    }

    /// What to do.
    pub fn todo(self) -> Bi {
        let (fr, en) = match self {
            Self::Large | Self::Many | Self::NotText => (
                "Choisissez le fichier .ovpn que le client ou son pare-feu a fourni.",
                "Choose the .ovpn file that the client or its firewall gave.",
            ),
            Self::Quote(_) => (
                "Fermez le guillemet dans le fichier, puis importez-le de nouveau.",
                "Close the quotation in the file, then import it again.",
            ),
            Self::Backslash(_) => (
                "Doublez-la dans le fichier (\\\\), puis importez-le de nouveau.",
                "Write it twice in the file (\\\\), then import it again.",
            ),
            Self::Unclosed(_) => (
                "Le fichier semble coupé\u{a0}: demandez-le de nouveau.",
                "The file seems to be cut off: ask for it again.",
            ),
            Self::Tap(_) => (
                "Demandez un profil routé (dev tun) à l’administrateur du VPN.",
                "Ask the administrator of the VPN for a routed profile (dev tun).",
            ),
            Self::Device(_) => (
                "Écrivez «\u{a0}dev tun\u{a0}» dans le fichier, puis importez-le de nouveau.",
                "Write “dev tun” in the file, then import it again.",
            ),
            Self::NoRemote => (
                "Ajoutez une ligne «\u{a0}remote\u{a0}» avec l’adresse du serveur, ou demandez \
                 un profil complet.",
                "Add a line “remote” with the address of the server, or ask for a whole profile.",
            ),
            Self::NotForClients => (
                "Choisissez le fichier qui est pour les clients\u{a0}: une ligne y dit \
                 «\u{a0}client\u{a0}».",
                "Choose the file that is for clients: a line in it says “client”.",
            ),
        };
        Bi::new(fr, en)
    }
}
