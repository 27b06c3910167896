//! What went wrong with an SSH connection, in words for a person: what happened
//! and what to do. Texts only; holds no secret.

use std::io;

use super::saying::told;
use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::{HostPort, PinnedKey};
use crate::os::words;

/// One of each below, of marks.
pub fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, METHODS, REASON, SECS, at, cause, key};
    let (to, via) = (at(0), at(1));
    let seen = key(at(0), [ANY[1], ANY[2]]);
    let algorithm = format!("x509-{}", ANY[1]);
    let certificate = key(at(0), [&algorithm, ANY[2]]);
    let why = words::cause(&cause());
    vec![
        setting(ANY[0], ANY[1]),
        unknown_host(ANY[0]),
        timeout(&to, SECS),
        silent(&to, SECS),
        dial(&to, &io::ErrorKind::ConnectionRefused.into(), SECS),
        dial(&to, &cause(), SECS),
        jump(&via, &to, REASON),
        broken(&to, REASON),
        protocol(&to, REASON),
        no_banner(&to),
        no_common(&to, ANY[1], false),
        key_changed(&seen, &[key(at(0), [ANY[3], ANY[4]])]),
        key_changed(&certificate, &[key(at(0), [ANY[3], ANY[4]])]),
        key_refused(&seen),
        key_refused(&certificate),
        login(ANY[1], &to, &[METHODS[0]], METHODS[1]),
        login(ANY[1], &to, &[], METHODS[1]),
        no_user(&to),
        password_expired(ANY[1], &to),
        no_agent(),
        agent_empty(),
        agent(REASON),
        passphrase_missing(),
        passphrase_wrong(),
        key_unreadable(),
        key_too_costly(),
        idle(SECS),
        channel(REASON),
        channel_broken(REASON),
        forward(&to, &why),
        local(&cause()),
    ]
}

fn failure(kind: FailureKind, what: (String, String), todo: (&str, &str)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

/// A setting that makes no sense.
pub fn setting(id: &str, value: &str) -> Failure {
    failure(
        FailureKind::Setting,
        (
            format!("Le réglage «\u{a0}{id}\u{a0}» n’est pas compréhensible\u{a0}: {value}"),
            format!("The setting “{id}” makes no sense: {value}"),
        ),
        ("Corrigez ce réglage de l’entrée.", "Correct this setting of the entry."),
    )
}

/// The name does not resolve.
pub fn unknown_host(host: &str) -> Failure {
    failure(
        FailureKind::UnknownHost,
        (format!("L’hôte {host} est inconnu."), format!("The host {host} is unknown.")),
        (
            "Vérifiez l’orthographe du nom, le DNS et, s’il en faut un, le VPN.",
            "Check the spelling of the name, the DNS and, if one is needed, the VPN.",
        ),
    )
}

/// No answer within `secs`.
pub fn timeout(at: &HostPort, secs: u64) -> Failure {
    failure(
        FailureKind::Timeout,
        (
            format!("{at} n’a pas répondu en {secs} s."),
            format!("{at} did not answer within {secs} s."),
        ),
        (
            "Vérifiez que la machine est allumée et joignable (pare-feu, VPN), ou allongez \
             «\u{a0}connect-timeout\u{a0}».",
            "Check that the machine is on and can be reached (firewall, VPN), or raise \
             “connect-timeout”.",
        ),
    )
}

/// The server of an open connection answers no sign of life any more.
pub fn silent(at: &HostPort, secs: u64) -> Failure {
    failure(
        FailureKind::Timeout,
        (
            format!(
                "{at} ne donne plus signe de vie depuis {secs} s\u{a0}: la session est fermée."
            ),
            format!("{at} has given no sign of life for {secs} s: the session is closed."),
        ),
        (
            "Vérifiez la machine et le réseau, puis connectez-vous à nouveau\u{a0}; le réglage \
             «\u{a0}keepalive\u{a0}» fixe ce délai.",
            "Check the machine and the network, then connect again; the setting \
             “keepalive” sets this delay.",
        ),
    )
}

/// The TCP connection failed.
pub fn dial(at: &HostPort, e: &io::Error, secs: u64) -> Failure {
    match e.kind() {
        io::ErrorKind::ConnectionRefused => failure(
            FailureKind::Refused,
            (format!("{at} refuse la connexion."), format!("{at} refuses the connection.")),
            (
                "Vérifiez le port et que le service fonctionne sur cette machine.",
                "Check the port and that the service runs on that machine.",
            ),
        ),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => timeout(at, secs),
        _ => {
            let cause = words::cause(e);
            failure(
                FailureKind::Network,
                (
                    format!("{at} n’est pas joignable\u{a0}: {}.", cause.fr),
                    format!("{at} cannot be reached: {}.", cause.en),
                ),
                ("Vérifiez le réseau et le VPN.", "Check the network and the VPN."),
            )
        }
    }
}

/// A jump host could not reach the next hop.
pub fn jump(via: &HostPort, to: &HostPort, reason: &str) -> Failure {
    let reason = told(reason);
    failure(
        FailureKind::Refused,
        (
            format!("Le rebond {via} n’atteint pas {to}\u{a0}: {}.", reason.fr),
            format!("The jump host {via} does not reach {to}: {}.", reason.en),
        ),
        (
            "Vérifiez l’adresse vue du rebond, et qu’il permet la redirection TCP.",
            "Check the address as seen from the jump host, and that it allows TCP forwarding.",
        ),
    )
}

/// The connection broke.
pub fn broken(at: &HostPort, detail: &str) -> Failure {
    let why = told(detail);
    failure(
        FailureKind::Network,
        (
            format!("La connexion à {at} a été coupée\u{a0}: {}.", why.fr),
            format!("The connection to {at} broke: {}.", why.en),
        ),
        (
            "Vérifiez le réseau et le serveur, puis connectez-vous à nouveau.",
            "Check the network and the server, then connect again.",
        ),
    )
}

/// The server said nothing that begins an SSH connection.
pub fn no_banner(at: &HostPort) -> Failure {
    failure(
        FailureKind::Protocol,
        (
            format!("{at} ne répond pas en SSH\u{a0}: aucune bannière n’est venue."),
            format!("{at} does not answer in SSH: no banner came."),
        ),
        (
            "Vérifiez que ce port est bien celui d’un serveur SSH, et que celui-ci accepte encore \
             des connexions de cette adresse (MaxStartups, fail2ban, liste d’accès).",
            "Check that this port belongs to an SSH server, and that it still takes connections \
             from this address (MaxStartups, fail2ban, access list).",
        ),
    )
}

/// The system ended the connection.
pub fn cut(at: &HostPort, e: &io::Error) -> Failure {
    let why = words::cause(e);
    failure(
        FailureKind::Network,
        (
            format!("La connexion à {at} a été coupée\u{a0}: {}.", why.fr),
            format!("The connection to {at} broke: {}.", why.en),
        ),
        (
            "Vérifiez le réseau et le serveur, puis connectez-vous à nouveau.",
            "Check the network and the server, then connect again.",
        ),
    )
}

/// The server does not speak SSH as it should.
pub fn protocol(at: &HostPort, detail: &str) -> Failure {
    let why = told(detail);
    failure(
        FailureKind::Protocol,
        (
            format!("L’échange avec {at} a échoué\u{a0}: {}.", why.fr),
            format!("The exchange with {at} failed: {}.", why.en),
        ),
        (
            "Vérifiez que ce port est bien celui d’un serveur SSH.",
            "Check that this port belongs to an SSH server.",
        ),
    )
}

/// No common algorithm; `offers` is what the server has.
pub fn no_common(at: &HostPort, offers: &str, accepted: bool) -> Failure {
    let what = (
        format!("{at} n’offre aucun algorithme sûr commun. Il offre\u{a0}: {offers}"),
        format!("{at} offers no safe algorithm in common. It offers: {offers}"),
    );
    if accepted {
        failure(
            FailureKind::Protocol,
            what,
            (
                "Même les algorithmes anciens ne conviennent pas\u{a0}: mettez cet équipement à jour.",
                "Not even the old algorithms fit: update this device.",
            ),
        )
    } else {
        failure(
            FailureKind::Protocol,
            what,
            (
                "Mettez l’équipement à jour\u{a0}; à défaut, acceptez les algorithmes faibles pour \
                 cette entrée (option --weak-algorithms yes de poterne edit CHEMIN).",
                "Update the device; failing that, accept weak algorithms for this entry \
                 (option --weak-algorithms yes of poterne edit PATH).",
            ),
        )
    }
}

/// The key or certificate of the server is not the pinned one.
pub fn key_changed(seen: &PinnedKey, pinned: &[PinnedKey]) -> Failure {
    let known: Vec<String> =
        pinned.iter().map(|k| format!("{} {}", k.algorithm, k.fingerprint)).collect();
    let (at, known) = (&seen.at, known.join(", "));
    let now = format!("{} {}", seen.algorithm, seen.fingerprint);
    if seen.is_certificate() {
        return failure(
            FailureKind::HostKeyChanged,
            (
                format!(
                    "ATTENTION\u{a0}: LE CERTIFICAT DU SERVEUR {at} A CHANGÉ. Quelqu’un intercepte \
                     peut-être la connexion. Connu\u{a0}: {known}. Présenté\u{a0}: {now}. Le mot de \
                     passe n’a pas été envoyé."
                ),
                format!(
                    "WARNING: THE CERTIFICATE OF THE SERVER {at} HAS CHANGED. Somebody may be \
                     intercepting the connection. Known: {known}. Presented: {now}. The password \
                     was not sent."
                ),
            ),
            (
                "Demandez au client si le serveur a été réinstallé ou son certificat renouvelé. \
                 Seulement alors, oubliez l’ancien certificat (option --forget-host-key de \
                 poterne edit CHEMIN), puis comparez la nouvelle empreinte à la connexion.",
                "Ask the client whether the server was reinstalled or its certificate renewed. \
                 Only then forget the old certificate (option --forget-host-key of poterne edit \
                 PATH), then compare the new fingerprint when you connect.",
            ),
        );
    }
    failure(
        FailureKind::HostKeyChanged,
        (
            format!(
                "ATTENTION\u{a0}: LA CLÉ DU SERVEUR {at} A CHANGÉ. Quelqu’un intercepte peut-être la \
                 connexion. Connue\u{a0}: {known}. Présentée\u{a0}: {now}. Rien n’a été envoyé."
            ),
            format!(
                "WARNING: THE KEY OF THE SERVER {at} HAS CHANGED. Somebody may be intercepting \
                 the connection. Known: {known}. Presented: {now}. Nothing was sent."
            ),
        ),
        (
            "Demandez au client si le serveur a été réinstallé. Seulement alors, oubliez \
             l’ancienne clé (option --forget-host-key de poterne edit CHEMIN), puis comparez la \
             nouvelle empreinte à la connexion.",
            "Ask the client whether the server was reinstalled. Only then forget the old key \
             (option --forget-host-key of poterne edit PATH), then compare the new fingerprint \
             when you connect.",
        ),
    )
}

/// The person did not accept the server's key or certificate.
pub fn key_refused(seen: &PinnedKey) -> Failure {
    let (at, print) = (&seen.at, &seen.fingerprint);
    let what = if seen.is_certificate() {
        (
            format!("Le certificat de {at} ({print}) n’a pas été accepté."),
            format!("The certificate of {at} ({print}) was not accepted."),
        )
    } else {
        (
            format!("La clé de {at} ({print}) n’a pas été acceptée."),
            format!("The key of {at} ({print}) was not accepted."),
        )
    };
    failure(
        FailureKind::HostKeyRefused,
        what,
        (
            "Comparez l’empreinte avec celle que donne l’administrateur du serveur, puis \
             connectez-vous à nouveau.",
            "Compare the fingerprint with the one the server's administrator gives, then \
             connect again.",
        ),
    )
}

/// The login was refused; `offered` is what the server would take.
pub fn login(user: &str, at: &HostPort, tried: &[&str], offered: &str) -> Failure {
    let (tried, offered) = (methods(tried.iter().copied()), methods(offered.split(',')));
    let what = if tried.en.is_empty() {
        (
            format!(
                "L’entrée n’a rien que {at} accepte pour {user}. Le serveur accepte\u{a0}: {}.",
                offered.fr
            ),
            format!(
                "The entry has nothing that {at} takes for {user}. The server accepts: {}.",
                offered.en
            ),
        )
    } else {
        (
            format!(
                "{at} refuse la connexion de {user} (essayé\u{a0}: {}\u{a0}; accepté\u{a0}: {}).",
                tried.fr, offered.fr
            ),
            format!(
                "{at} refuses the login of {user} (tried: {}; accepted: {}).",
                tried.en, offered.en
            ),
        )
    };
    failure(
        FailureKind::Login,
        what,
        (
            "Vérifiez l’utilisateur, le mot de passe ou la clé de l’entrée, et la méthode de \
             connexion (option --auth).",
            "Check the user, the password or the key of the entry, and the login method \
             (option --auth).",
        ),
    )
}

/// Names of SSH login methods (RFC 4252, RFC 4256) for people.
pub fn methods<'a>(names: impl Iterator<Item = &'a str>) -> Bi {
    let french = |name: &'a str| match name {
        "password" => "mot de passe",
        "publickey" => "clé",
        "keyboard-interactive" => "questions du serveur",
        "agent" => "agent SSH",
        other => other,
    };
    let names: Vec<&str> = names.map(str::trim).filter(|name| !name.is_empty()).collect();
    Bi::new(names.iter().map(|n| french(n)).collect::<Vec<_>>().join(", "), names.join(", "))
}

/// There is no user name.
pub fn no_user(at: &HostPort) -> Failure {
    failure(
        FailureKind::Login,
        (
            format!("Aucun utilisateur n’est indiqué pour {at}."),
            format!("No user is given for {at}."),
        ),
        ("Indiquez l’utilisateur dans l’entrée.", "Give the user in the entry."),
    )
}

/// The password has expired and must be changed.
pub fn password_expired(user: &str, at: &HostPort) -> Failure {
    failure(
        FailureKind::Login,
        (
            format!("Le mot de passe de {user} sur {at} a expiré."),
            format!("The password of {user} on {at} has expired."),
        ),
        (
            "Changez-le sur le serveur, puis dans l’entrée.",
            "Change it on the server, then in the entry.",
        ),
    )
}

/// Nothing says where the agent is.
pub fn no_agent() -> Failure {
    failure(
        FailureKind::Login,
        (
            "Rien n’indique où est l’agent SSH\u{a0}: SSH_AUTH_SOCK est vide.".into(),
            "Nothing says where the SSH agent is: SSH_AUTH_SOCK is empty.".into(),
        ),
        (
            "Démarrez un agent et lancez Poterne depuis sa session, indiquez sa prise (option \
             --agent-socket), ou choisissez une autre méthode (option --auth).",
            "Start an agent and Poterne from its session, give its socket (option \
             --agent-socket), or choose another method (option --auth).",
        ),
    )
}

/// The agent has no key.
pub fn agent_empty() -> Failure {
    failure(
        FailureKind::Login,
        ("L’agent SSH n’a aucune clé.".into(), "The SSH agent has no key.".into()),
        (
            "Chargez-y la clé (ssh-add), ou choisissez une autre méthode (option --auth).",
            "Load the key into it (ssh-add), or choose another method (option --auth).",
        ),
    )
}

/// The agent does not do what agents do.
pub fn agent(detail: &str) -> Failure {
    let why = told(detail);
    failure(
        FailureKind::Login,
        (
            format!("L’agent SSH ne répond pas\u{a0}: {}.", why.fr),
            format!("The SSH agent does not answer: {}.", why.en),
        ),
        (
            "Vérifiez qu’il tourne et que sa prise est la bonne (option --agent-socket, sinon \
             SSH_AUTH_SOCK), ou choisissez une autre méthode (option --auth).",
            "Check that it runs and that its socket is the right one (option --agent-socket, \
             else SSH_AUTH_SOCK), or choose another method (option --auth).",
        ),
    )
}

/// The passphrase of the key is missing.
pub fn passphrase_missing() -> Failure {
    failure(
        FailureKind::BadKey,
        (
            "La clé privée est chiffrée et l’entrée n’a pas sa phrase secrète.".into(),
            "The private key is encrypted and the entry has no passphrase for it.".into(),
        ),
        ("Ajoutez la phrase secrète à l’entrée.", "Add the passphrase to the entry."),
    )
}

/// The passphrase of the key is wrong.
pub fn passphrase_wrong() -> Failure {
    failure(
        FailureKind::BadKey,
        (
            "La phrase secrète de la clé privée est fausse.".into(),
            "The passphrase of the private key is wrong.".into(),
        ),
        (
            "Corrigez la phrase secrète de l’entrée, ou tapez la bonne.",
            "Correct the passphrase of the entry, or type the right one.",
        ),
    )
}

/// The key cannot be read at all.
pub fn key_unreadable() -> Failure {
    failure(
        FailureKind::BadKey,
        (
            "La clé privée de l’entrée est illisible ou d’un type inconnu.".into(),
            "The private key of the entry cannot be read, or its type is unknown.".into(),
        ),
        (
            "Collez la clé entière, de BEGIN à END, au format OpenSSH ou PEM.",
            "Paste the whole key, from BEGIN to END, in OpenSSH or PEM format.",
        ),
    )
}

/// The derivation of the key from its passphrase would never end.
pub fn key_too_costly() -> Failure {
    failure(
        FailureKind::BadKey,
        (
            "La clé privée de l’entrée demande un calcul ou une mémoire démesurés.".into(),
            "The private key of the entry asks for absurd computing time or memory.".into(),
        ),
        (
            "Vérifiez d’où elle vient, ou réécrivez-la avec «\u{a0}ssh-keygen -p -a 64 -f CLÉ\u{a0}».",
            "Check where it comes from, or write it again with “ssh-keygen -p -a 64 -f KEY”.",
        ),
    )
}

/// The session was ended because nothing happened.
pub fn idle(secs: u64) -> Failure {
    failure(
        FailureKind::Timeout,
        (
            format!("Session fermée après {secs} s d’inactivité."),
            format!("Session ended after {secs} s without traffic."),
        ),
        (
            "Connectez-vous à nouveau\u{a0}; le réglage «\u{a0}idle-timeout\u{a0}» fixe ce délai.",
            "Connect again; the setting “idle-timeout” sets this delay.",
        ),
    )
}

/// The server refused a channel or a command.
pub fn channel(detail: &str) -> Failure {
    let why = told(detail);
    failure(
        FailureKind::Protocol,
        (
            format!("Le canal ne s’ouvre pas sur le serveur\u{a0}: {}.", why.fr),
            format!("The channel does not open on the server: {}.", why.en),
        ),
        (
            "Vérifiez ce que ce compte a le droit de faire sur le serveur.",
            "Check what this account may do on the server.",
        ),
    )
}

/// A channel ended with an error while the connection lives on.
pub fn channel_broken(detail: &str) -> Failure {
    let why = told(detail);
    failure(
        FailureKind::Protocol,
        (
            format!("Le canal s’est rompu\u{a0}: {}.", why.fr),
            format!("The channel broke: {}.", why.en),
        ),
        ("Ouvrez-le à nouveau.", "Open it again."),
    )
}

/// A forwarding cannot listen.
pub fn forward(from: &HostPort, why: &Bi) -> Failure {
    failure(
        FailureKind::Forward,
        (
            format!("La redirection sur {from} ne peut pas s’ouvrir\u{a0}: {}.", why.fr),
            format!("The forwarding at {from} cannot open: {}.", why.en),
        ),
        (
            "Choisissez un autre port dans les réglages de l’entrée, ou libérez celui-ci.",
            "Choose another port in the settings of the entry, or free this one.",
        ),
    )
}

/// Something of this machine failed.
pub fn local(e: &io::Error) -> Failure {
    let cause = words::cause(e);
    failure(
        FailureKind::Helper,
        (
            format!("Cette machine n’a pas pu préparer la session\u{a0}: {}.", cause.fr),
            format!("This machine could not prepare the session: {}.", cause.en),
        ),
        ("Fermez d’autres programmes et réessayez.", "Close other programs and try again."),
    )
}
