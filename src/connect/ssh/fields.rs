//! The settings of an SSH entry, as the form, the flags and the help show them.

use super::settings;
use crate::connect::device;
use crate::connect::field::{Field, FieldKind, Reads, Word};
use crate::connect::vpn;

const fn field(id: &'static str, fr: &'static str, en: &'static str, kind: FieldKind) -> Field {
    Field { id, fr, en, help_fr: "", help_en: "", kind, default: "", inherits: true }
}

const fn help(mut field: Field, fr: &'static str, en: &'static str) -> Field {
    field.help_fr = fr;
    field.help_en = en;
    field
}

const fn default(mut field: Field, value: &'static str) -> Field {
    field.default = value;
    field
}

const fn own(mut field: Field) -> Field {
    field.inherits = false;
    field
}

const FORWARDS: FieldKind = FieldKind::Lines(Reads(settings::are_forwards));
const LISTENERS: FieldKind = FieldKind::Lines(Reads(settings::are_listeners));

const YEAR_SECS: u64 = 31_536_000;

const METHODS: &[Word] = &[
    Word { word: "auto", fr: "Automatique", en: "Automatic" },
    Word { word: "password", fr: "Mot de passe", en: "Password" },
    Word { word: "publickey", fr: "Clé privée", en: "Private key" },
    Word { word: "agent", fr: "Agent SSH", en: "SSH agent" },
    Word {
        word: "keyboard-interactive",
        fr: "Questions du serveur (keyboard-interactive)",
        en: "The server's questions (keyboard-interactive)",
    },
];

/// Every setting, in the order of the form.
pub const FIELDS: &[Field] = &[
    default(
        help(
            field("auth", "Méthode de connexion", "Login method", FieldKind::Choice(METHODS)),
            "«\u{a0}auto\u{a0}» essaie la clé, puis le mot de passe, selon ce que l’entrée contient et \
             ce que le serveur accepte.",
            "“auto” tries the key, then the password, as far as the entry has them and the \
             server accepts them.",
        ),
        "auto",
    ),
    help(
        field("agent-socket", "Socket de l’agent", "Agent socket", FieldKind::Text),
        "Chemin de la socket de l’agent SSH\u{a0}; vide\u{a0}: celle de votre session (SSH_AUTH_SOCK).",
        "Path of the SSH agent's socket; empty: that of your login session (SSH_AUTH_SOCK).",
    ),
    help(
        field("jump", "Rebonds", "Jump hosts", FieldKind::Entries),
        "Entrées SSH à traverser, dans l’ordre, séparées par des virgules.",
        "SSH entries to pass through, in order, separated by commas.",
    ),
    vpn::fields::VPN,
    vpn::fields::WHEN,
    own(help(
        field("local-forward", "Redirections locales", "Local forwards", FORWARDS),
        "Une par ligne, «\u{a0}[adresse:]port hôte:port\u{a0}»\u{a0}: ce port d’ici mène à l’hôte vu du serveur.",
        "One a line, “[address:]port host:port”: this port here leads to the host as the \
         server sees it.",
    )),
    own(help(
        field("remote-forward", "Redirections distantes", "Remote forwards", FORWARDS),
        "Une par ligne, «\u{a0}[adresse:]port hôte:port\u{a0}»\u{a0}: ce port du serveur mène à l’hôte vu d’ici.",
        "One a line, “[address:]port host:port”: this port of the server leads to the host as \
         seen from here.",
    )),
    own(help(
        field("dynamic-forward", "Mandataires SOCKS", "SOCKS proxies", LISTENERS),
        "Un par ligne, «\u{a0}[adresse:]port\u{a0}»\u{a0}: un mandataire SOCKS5 qui sort par le serveur.",
        "One a line, “[address:]port”: a SOCKS5 proxy whose exit is the server.",
    )),
    default(
        help(
            field(
                "keepalive",
                "Maintien en vie (s)",
                "Keep-alive (s)",
                FieldKind::Number { min: 0, max: 86_400 },
            ),
            "Secondes entre deux signes de vie envoyés au serveur\u{a0}; 0\u{a0}: aucun.",
            "Seconds between two signs of life sent to the server; 0: none.",
        ),
        "30",
    ),
    default(
        help(
            field(
                "connect-timeout",
                "Délai de connexion (s)",
                "Connect timeout (s)",
                FieldKind::Number { min: 1, max: 600 },
            ),
            "Secondes laissées à chaque étape de la connexion.",
            "Seconds given to each step of connecting.",
        ),
        "15",
    ),
    default(
        help(
            field(
                "idle-timeout",
                "Délai d’inactivité (s)",
                "Idle timeout (s)",
                FieldKind::Number { min: 0, max: YEAR_SECS },
            ),
            "La session se ferme après tant de secondes sans échange\u{a0}; 0\u{a0}: jamais.",
            "The session ends after so many seconds without traffic; 0: never.",
        ),
        "0",
    ),
    default(
        help(
            field("compression", "Compression", "Compression", FieldKind::Bool),
            "Utile sur les liaisons lentes seulement.",
            "Useful on slow lines only.",
        ),
        "no",
    ),
    default(
        help(
            field(
                "weak-algorithms",
                "Accepter les algorithmes faibles",
                "Accept weak algorithms",
                FieldKind::Bool,
            ),
            "Pour les vieux équipements qui n’offrent que ssh-rsa, group14-sha1, hmac-sha1 ou \
             3des\u{a0}; la session est alors marquée.",
            "For old devices that offer only ssh-rsa, group14-sha1, hmac-sha1 or 3des; the \
             session is then marked.",
        ),
        "no",
    ),
    own(help(
        field("startup-command", "Commande d’accueil", "Startup command", FieldKind::Text),
        "Tapée dans le terminal à son ouverture.",
        "Typed into the terminal when it opens.",
    )),
    help(
        field("term", "Type de terminal", "Terminal type", FieldKind::Text),
        "Valeur de TERM chez le serveur, comme vt100\u{a0}; vide\u{a0}: celle du terminal \
         d’où l’on se connecte.",
        "Value of TERM on the server, such as vt100; empty: that of the terminal one \
         connects from.",
    ),
    device::DEVICE,
    device::SNAPSHOT_COMMAND,
];
