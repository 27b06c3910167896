//! What fails around `openvpn`, in words; what fails within it stands with its
//! management.

use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;

/// Each of them, of marks.
pub fn each() -> Vec<Failure> {
    vec![no_profile(), no_answer(), code_again()]
}

/// The entry has no profile yet.
pub fn no_profile() -> Failure {
    Failure {
        kind: FailureKind::Setting,
        what: Bi::new("L’entrée n’a pas de profil OpenVPN.", "The entry has no OpenVPN profile."),
        todo: Bi::new(
            "Importez le fichier .ovpn du client dans cette entrée.",
            "Import the client’s .ovpn file into this entry.",
        ),
    }
}

/// `openvpn` runs, but does not speak.
pub fn no_answer() -> Failure {
    Failure {
        kind: FailureKind::Helper,
        what: Bi::new(
            "openvpn a démarré mais n’a pas pris contact.",
            "openvpn started but did not get in touch.",
        ),
        todo: Bi::new(
            "Vérifiez sa version (2.5 au moins), puis connectez-vous à nouveau.",
            "Check its version (2.5 at least), then connect again.",
        ),
    }
}

/// A VPN that was up is asked for something that only the person or the vault has.
pub fn code_again() -> Failure {
    Failure {
        kind: FailureKind::Login,
        what: Bi::new(
            "Le serveur VPN demande une nouvelle identification.",
            "The VPN’s server asks for another login.",
        ),
        todo: Bi::new("Connectez-vous à nouveau.", "Connect again."),
    }
}
