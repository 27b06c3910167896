//! Why a VPN cannot be raised on this machine, or a place behind it not be reached, in
//! words. What a protocol has to say stands with the protocol.

use std::io;

use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
#[cfg(target_os = "linux")]
use crate::os::netns::{Closed, Step, TUN};
use crate::os::words;

/// Each of them, of marks.
pub(in crate::connect) fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, at, cause};
    let mut all = vec![
        helper_gone(),
        not_started(ANY[0], &cause()),
        gone(&at(0)),
        no_program(ANY[0], ANY[1]),
        unknown_name(ANY[0]),
    ];
    #[cfg(target_os = "linux")]
    for step in [Step::Namespaces, Step::Users, Step::Mounts, Step::Loopback, Step::Tun] {
        all.extend(
            [libc::EPERM, libc::ENOENT, libc::ENOSPC].map(|errno| closed(Closed { step, errno })),
        );
    }
    all
}

fn failure(kind: FailureKind, what: (String, String), todo: (&str, &str)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

/// The machine allows no network of its own to a program.
#[cfg(target_os = "linux")]
pub fn closed(closed: Closed) -> Failure {
    let cause = words::cause(&io::Error::from_raw_os_error(closed.errno));
    let (fr, en, todo) = match (closed.step, closed.errno) {
        (Step::Tun, libc::ENOENT | libc::ENODEV | libc::ENXIO) => (
            format!("Le périphérique {TUN} manque"),
            format!("The device {TUN} is missing"),
            (
                "Chargez le module du noyau\u{a0}: sudo modprobe tun",
                "Load the kernel’s module: sudo modprobe tun",
            ),
        ),
        (Step::Tun, _) => (
            format!("Le périphérique {TUN} n’est pas ouvert à cet utilisateur"),
            format!("The device {TUN} is closed to this user"),
            (
                "Ouvrez-le à tous, comme Debian et Ubuntu le font\u{a0}: sudo chmod 0666 \
                 /dev/net/tun",
                "Open it to everybody, as Debian and Ubuntu do: sudo chmod 0666 /dev/net/tun",
            ),
        ),
        (Step::Namespaces, libc::ENOSPC) => (
            "Cette machine n’accorde pas de réseau privé aux programmes".to_owned(),
            "This machine gives programs no private network".to_owned(),
            (
                "Autorisez-les\u{a0}: sudo sysctl -w user.max_user_namespaces=10000 \
                 user.max_net_namespaces=10000",
                "Allow them: sudo sysctl -w user.max_user_namespaces=10000 \
                 user.max_net_namespaces=10000",
            ),
        ),
        _ => (
            "Cette machine n’accorde pas de réseau privé aux programmes".to_owned(),
            "This machine gives programs no private network".to_owned(),
            (
                "Sous Ubuntu, installez le profil AppArmor de Poterne, ou\u{a0}: sudo sysctl -w \
                 kernel.apparmor_restrict_unprivileged_userns=0\u{a0}; sous une ancienne Debian\
                 \u{a0}: sudo sysctl -w kernel.unprivileged_userns_clone=1\u{a0}; dans un \
                 conteneur, donnez-lui le droit d’en créer.",
                "On Ubuntu, install Poterne’s AppArmor profile, or: sudo sysctl -w \
                 kernel.apparmor_restrict_unprivileged_userns=0; on an old Debian: sudo sysctl -w \
                 kernel.unprivileged_userns_clone=1; in a container, give it the right to make \
                 them.",
            ),
        ),
    };
    failure(
        FailureKind::Helper,
        (format!("{fr}\u{a0}: {}.", cause.fr), format!("{en}: {}.", cause.en)),
        todo,
    )
}

/// The helper ended before it had done its work.
pub fn helper_gone() -> Failure {
    failure(
        FailureKind::Helper,
        (
            "L’auxiliaire réseau s’est arrêté sans prévenir.".to_owned(),
            "The network helper stopped without a word.".to_owned(),
        ),
        (
            "Connectez-vous à nouveau\u{a0}; si cela se répète, signalez-le.",
            "Connect again; report it if it happens again.",
        ),
    )
}

/// A program of the VPN is not on this machine.
pub fn no_program(name: &str, package: &str) -> Failure {
    Failure {
        kind: FailureKind::Helper,
        what: Bi::new(
            format!("Le programme {name} manque sur cette machine."),
            format!("The program {name} is not on this machine."),
        ),
        todo: Bi::new(
            format!("Installez-le\u{a0}: sudo apt install {package}"),
            format!("Install it: sudo apt install {package}"),
        ),
    }
}

/// A program of the VPN does not start.
pub fn not_started(program: &str, e: &io::Error) -> Failure {
    let cause = words::cause(e);
    failure(
        FailureKind::Helper,
        (
            format!("{program} n’a pas démarré\u{a0}: {}.", cause.fr),
            format!("{program} did not start: {}.", cause.en),
        ),
        (
            "Vérifiez que le programme est entier et exécutable.",
            "Check that the program is whole and may be executed.",
        ),
    )
}

/// The VPN that leads to a machine is no longer there.
pub fn gone(at: &HostPort) -> Failure {
    failure(
        FailureKind::Network,
        (
            format!("Le VPN qui mène à {at} n’est plus là."),
            format!("The VPN that leads to {at} is no longer there."),
        ),
        ("Connectez-vous à nouveau.", "Connect again."),
    )
}

/// The client's name servers do not know a name.
pub fn unknown_name(host: &str) -> Failure {
    failure(
        FailureKind::UnknownHost,
        (
            format!("Le DNS du client, à travers le VPN, ne connaît pas {host}."),
            format!("The client’s DNS, through the VPN, does not know {host}."),
        ),
        (
            "Vérifiez l’orthographe du nom, ou donnez l’adresse IP de la machine.",
            "Check the spelling of the name, or give the machine’s IP address.",
        ),
    )
}
