//! Why no configuration came, in words for a person. Texts only: nothing of what
//! the device showed is in them.

use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;

/// One of each below, of marks.
pub fn each() -> Vec<Failure> {
    use crate::connect::retold::ANY;
    vec![
        not_here(),
        no_command(),
        not_reading(ANY[0]),
        no_prompt(),
        needs_login(),
        no_rights(),
        refused(ANY[0]),
        empty(ANY[0]),
        stuck(ANY[0]),
        cut(ANY[0]),
        too_long(ANY[0]),
        ended(ANY[0], ANY[1]),
        cancelled(),
    ]
}

fn failure(kind: FailureKind, what: (String, String), todo: (&str, &str)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

/// The kind has no configuration to read.
pub fn not_here() -> Failure {
    failure(
        FailureKind::Setting,
        (
            "Cette entrée n’a pas de configuration à relever.".into(),
            "This entry has no configuration to read.".into(),
        ),
        (
            "Les relevés se font par SSH, telnet, TCP brut ou port série.",
            "Snapshots are taken over SSH, telnet, raw TCP or a serial port.",
        ),
    )
}

/// Nobody said how.
pub fn no_command() -> Failure {
    failure(
        FailureKind::Setting,
        (
            "L’entrée ne dit pas comment relever la configuration de cet équipement.".into(),
            "The entry does not say how the configuration of this device is read.".into(),
        ),
        (
            "Choisissez l’équipement (réglage «\u{a0}profile\u{a0}») ou donnez la commande \
             («\u{a0}snapshot-command\u{a0}»).",
            "Choose the device (setting “profile”) or give the command (“snapshot-command”).",
        ),
    )
}

/// A command that may change something.
pub fn not_reading(command: &str) -> Failure {
    failure(
        FailureKind::Setting,
        (
            format!(
                "La commande de relevé «\u{a0}{command}\u{a0}» n’est pas connue pour ne faire que lire."
            ),
            format!("The snapshot command “{command}” is not known to only read."),
        ),
        (
            "Donnez une commande de lecture de cet équipement, comme «\u{a0}show …\u{a0}», sans la \
             rediriger vers un fichier.",
            "Give a reading command of this device, such as “show …”, without sending its output to a file.",
        ),
    )
}

/// No command line showed up.
pub fn no_prompt() -> Failure {
    failure(
        FailureKind::Timeout,
        (
            "L’équipement n’a pas montré d’invite de commande.".into(),
            "The device did not show a command prompt.".into(),
        ),
        (
            "Connectez-vous et voyez ce qu’il affiche\u{a0}; vérifiez le réglage \
             «\u{a0}profile\u{a0}».",
            "Connect and see what it shows; check the setting “profile”.",
        ),
    )
}

/// It asks who is there.
pub fn needs_login() -> Failure {
    failure(
        FailureKind::Login,
        (
            "L’équipement demande un identifiant ou un mot de passe.".into(),
            "The device asks for a user name or a password.".into(),
        ),
        (
            "Vérifiez l’identifiant de l’entrée\u{a0}; sur un port série, connectez-vous, \
             identifiez-vous, fermez la session sans vous déconnecter, puis refaites le relevé.",
            "Check the entry's login; on a serial port, connect, log in, close the session \
             without logging out, then take the snapshot again.",
        ),
    )
}

/// The password for more rights is wrong.
pub fn no_rights() -> Failure {
    failure(
        FailureKind::Login,
        (
            "L’équipement refuse le mot de passe du mode privilégié.".into(),
            "The device refuses the password of its privileged mode.".into(),
        ),
        (
            "Corrigez le champ secret «\u{a0}enable\u{a0}» de l’entrée.",
            "Correct the entry's secret field “enable”.",
        ),
    )
}

/// The device does not take the command.
pub fn refused(command: &str) -> Failure {
    failure(
        FailureKind::Refused,
        (
            format!("L’équipement refuse la commande «\u{a0}{command}\u{a0}»."),
            format!("The device refuses the command “{command}”."),
        ),
        (
            "Vérifiez le réglage «\u{a0}profile\u{a0}» et les droits de cet identifiant\u{a0}; un \
             champ secret «\u{a0}enable\u{a0}» de l’entrée ouvre le mode privilégié.",
            "Check the setting “profile” and the rights of this login; a secret field “enable” \
             of the entry opens the privileged mode.",
        ),
    )
}

/// The command showed nothing.
pub fn empty(command: &str) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("La commande «\u{a0}{command}\u{a0}» n’a rien affiché."),
            format!("The command “{command}” showed nothing."),
        ),
        (
            "Vérifiez la commande et les droits de cet identifiant.",
            "Check the command and the rights of this login.",
        ),
    )
}

/// It fell silent before the end.
pub fn stuck(command: &str) -> Failure {
    failure(
        FailureKind::Timeout,
        (
            format!("La commande «\u{a0}{command}\u{a0}» ne s’est pas terminée."),
            format!("The command “{command}” did not come to its end."),
        ),
        (
            "Rien n’a été gardé. Connectez-vous et voyez ce que l’équipement affiche.",
            "Nothing was kept. Connect and see what the device shows.",
        ),
    )
}

/// The line broke before the end.
pub fn cut(command: &str) -> Failure {
    failure(
        FailureKind::Network,
        (
            format!(
                "La connexion s’est terminée avant la fin de la commande «\u{a0}{command}\u{a0}»."
            ),
            format!("The connection ended before the end of the command “{command}”."),
        ),
        (
            "Rien n’a été gardé. Vérifiez le réseau et l’équipement, puis réessayez.",
            "Nothing was kept. Check the network and the device, then try again.",
        ),
    )
}

/// More than is kept.
pub fn too_long(command: &str) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("La commande «\u{a0}{command}\u{a0}» affiche plus de 8\u{a0}Mio."),
            format!("The command “{command}” shows more than 8 MiB."),
        ),
        (
            "Donnez une commande qui affiche la configuration seule.",
            "Give a command that shows the configuration alone.",
        ),
    )
}

/// The command failed.
pub fn ended(command: &str, how: &str) -> Failure {
    failure(
        FailureKind::Refused,
        (
            format!("La commande «\u{a0}{command}\u{a0}» a échoué, code de fin {how}."),
            format!("The command “{command}” failed, exit status {how}."),
        ),
        (
            "Vérifiez la commande et les droits de cet identifiant.",
            "Check the command and the rights of this login.",
        ),
    )
}

/// The person gave up.
pub fn cancelled() -> Failure {
    failure(
        FailureKind::Cancelled,
        ("Le relevé a été abandonné.".into(), "The snapshot was given up.".into()),
        ("Rien n’a été gardé.", "Nothing was kept."),
    )
}
