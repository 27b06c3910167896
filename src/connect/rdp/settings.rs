//! The settings of a remote desktop and what they come to. Opens nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::layouts;
use super::nla::way::{self, Allowed};
use crate::connect::Failure;
use crate::connect::desk::clipboard::{self, Clipboard};
use crate::connect::field::{Field, FieldKind, Word, machine};
use crate::connect::line::fields;
use crate::connect::ssh::fail;
use crate::connect::vpn;
use crate::model::target::{Hop, HostPort};

const SECURITIES: &[Word] = &[
    Word { word: "auto", fr: "la meilleure des deux", en: "the better of both" },
    Word { word: "nla", fr: "NLA seulement", en: "NLA only" },
    Word { word: "tls", fr: "TLS, sans NLA", en: "TLS, without NLA" },
];

const KEYBOARDS: &[Word] = &[
    Word { word: "scancode", fr: "touches", en: "keys" },
    Word { word: "unicode", fr: "caractères", en: "characters" },
];

const DEPTHS: &[Word] = &[
    Word { word: "32", fr: "32 bits", en: "32 bits" },
    Word { word: "16", fr: "16 bits", en: "16 bits" },
];

const GRAPHICS: &[Word] = &[
    Word { word: "auto", fr: "ce que le serveur préfère", en: "what the server prefers" },
    Word { word: "classic", fr: "images simples", en: "plain bitmaps" },
];

/// The setting with the gateway's name.
pub const GATEWAY: &str = "gateway";
/// The secret field with the password of the gateway's own user.
pub const GATEWAY_PASSWORD: &str = "gateway-password";
/// Where gateways listen.
const GATEWAY_PORT: u16 = 443;

/// The setting with the program that shows the desktop.
pub const PROGRAM: &str = "program";
/// FreeRDP does, in a window of its own.
pub const FREERDP: &str = "freerdp";
/// This program does.
pub const EMBEDDED: &str = "embedded";

const PROGRAMS: &[Word] = &[
    Word { word: EMBEDDED, fr: "intégré à Poterne", en: "embedded in Poterne" },
    Word { word: FREERDP, fr: "FreeRDP, dans sa fenêtre", en: "FreeRDP, in its own window" },
];

const SOUNDS: &[Word] = &[
    Word { word: "off", fr: "aucun", en: "none" },
    Word { word: "here", fr: "sur ce poste", en: "on this computer" },
    Word { word: "there", fr: "sur l’ordinateur distant", en: "on the remote computer" },
];

#[cfg(any(target_os = "linux", target_os = "macos"))]
const ACCESSES: &[Word] = &[
    Word { word: "read", fr: "lire seulement", en: "read only" },
    Word { word: "write", fr: "lire et écrire", en: "read and write" },
];

/// What an entry may say.
pub const FIELDS: &[Field] = &[
    fields::JUMP,
    vpn::fields::VPN,
    vpn::fields::WHEN,
    Field::new(PROGRAM, "Programme", "Program", FieldKind::Choice(PROGRAMS))
        .explained(
            "Intégré\u{a0}: le bureau s’ouvre dans un onglet. FreeRDP\u{a0}: s’il est installé, le \
             bureau s’ouvre dans la fenêtre de FreeRDP\u{a0}; le mot de passe lui est donné par un \
             tube, jamais en argument.",
            "Embedded: the desktop opens in a tab. FreeRDP: if it is installed, the desktop opens \
             in FreeRDP's window; it is given the password by a pipe, never as an argument.",
        )
        .usually(EMBEDDED),
    Field::new(GATEWAY, "Passerelle (RD Gateway)", "Gateway (RD Gateway)", FieldKind::Machine)
        .explained(
            "Nom de la passerelle Bureau à distance à traverser, comme rds.exemple.fr\u{a0}; vide\u{a0}: \
             aucune. Son certificat est épinglé à part de celui du serveur. Elle ne se combine pas \
             avec des rebonds.",
            "Name of the Remote Desktop gateway to go through, such as rds.example.com; empty: \
             none. Its certificate is pinned apart from that of the server. It does not go \
             together with jump hosts.",
        )
        .own(),
    Field::new(
        "gateway-port",
        "Port de la passerelle",
        "Port of the gateway",
        FieldKind::Number { min: 1, max: 65_535 },
    )
    .explained("Vide\u{a0}: 443.", "Empty: 443.")
    .own(),
    Field::new(
        "gateway-entry",
        "Identifiant de la passerelle",
        "Credentials of the gateway",
        FieldKind::Entries,
    )
    .explained(
        "Accès dont la passerelle prend l’utilisateur et le mot de passe\u{a0}; vide\u{a0}: ceux de \
         cette entrée, ou l’utilisateur ci-dessous.",
        "Entry whose user and password the gateway takes; empty: those of this entry, or the \
         user below.",
    )
    .own(),
    Field::new(
        "gateway-user",
        "Utilisateur de la passerelle",
        "User of the gateway",
        FieldKind::Text,
    )
    .explained(
        "Utilisateur propre à la passerelle (DOMAINE\\nom ou nom@domaine)\u{a0}; son mot de passe est \
         le champ secret «\u{a0}gateway-password\u{a0}» de l’entrée, sinon il est demandé.",
        "User of the gateway's own (DOMAIN\\name or name@domain); its password is the secret field \
         “gateway-password” of the entry, else it is asked for.",
    )
    .own(),
    Field::new("domain", "Domaine Windows", "Windows domain", FieldKind::Text).explained(
        "Vide\u{a0}: celui de l’utilisateur (DOMAINE\\nom ou nom@domaine), ou aucun.",
        "Empty: that of the user (DOMAIN\\name or name@domain), or none.",
    ),
    Field::new("security", "Sécurité", "Security", FieldKind::Choice(SECURITIES))
        .explained(
            "NLA vérifie le mot de passe avant d’ouvrir le bureau\u{a0}; sans elle, c’est le \
             bureau du serveur qui le demande.",
            "NLA checks the password before the desktop opens; without it the server's desktop \
             asks for it.",
        )
        .usually("auto"),
    Field::new(way::SETTING, "Kerberos", "Kerberos", FieldKind::Choice(way::WORDS))
        .explained(
            "La preuve que NLA donne au serveur. Les membres de «\u{a0}Protected Users\u{a0}» ont \
             besoin de Kerberos seulement, qui exige NLA\u{a0}; il lui faut un utilisateur avec \
             domaine, un serveur désigné par son nom et un KDC.",
            "The proof that NLA gives the server. Members of “Protected Users” need Kerberos \
             only, which requires NLA; it takes a user with a domain, a server given by its name, \
             and a KDC.",
        )
        .usually("auto"),
    Field::new(
        way::KDC,
        "KDC (contrôleur de domaine)",
        "KDC (domain controller)",
        FieldKind::Machine,
    )
    .explained(
        "Machine qui donne les tickets de Kerberos, comme dc1.exemple.fr ou dc1.exemple.fr:88, \
         jointe par les rebonds de l’accès ou directement, jamais par la passerelle\u{a0}; vide\u{a0}: \
         NTLM.",
        "Machine that gives the tickets of Kerberos, such as dc1.example.com or \
         dc1.example.com:88, reached through the jump hosts of the entry or directly, never \
         through the gateway; empty: NTLM.",
    ),
    Field::new("weak-tls", "TLS ancien accepté", "Old TLS accepted", FieldKind::Bool)
        .explained(
            "TLS 1.0 et 1.1, pour les serveurs plus vieux que Windows Server 2012.",
            "TLS 1.0 and 1.1, for servers older than Windows Server 2012.",
        )
        .usually("no"),
    clipboard::FIELD,
    Field::new("sound", "Son", "Sound", FieldKind::Choice(SOUNDS))
        .explained(
            "Le son du bureau\u{a0}: joué ici par paplay, pw-cat ou aplay, laissé à l’ordinateur \
             distant, ou aucun.",
            "The sound of the desktop: played here by paplay, pw-cat or aplay, left to the remote \
             computer, or none.",
        )
        .usually("off"),
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    Field::new("folder", "Dossier partagé", "Shared folder", FieldKind::Text).explained(
        "Dossier de ce poste que le bureau distant voit, dans ~/Poterne, comme ~/Poterne/Échange, \
         ou un lien qui s’y trouve\u{a0}; vide\u{a0}: aucun.",
        "Folder of this computer that the remote desktop sees, in ~/Poterne, such as \
         ~/Poterne/Exchange, or a link that lies there; empty: none.",
    ),
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    Field::new("folder-access", "Accès au dossier", "Access to the folder", FieldKind::Choice(ACCESSES))
        .explained(
            "Ce que le bureau distant peut faire dans ce dossier.",
            "What the remote desktop may do in that folder.",
        )
        .usually("read"),
    Field::new("admin-session", "Session d’administration", "Admin session", FieldKind::Bool)
        .explained(
            "Demande la session d’administration du serveur, sans licence de bureau à distance.",
            "Asks for the administration session of the server, without a desktop licence.",
        )
        .usually("no"),
    Field::new("start-program", "Programme au démarrage", "Start program", FieldKind::Text)
        .explained(
            "Programme à lancer à la place du bureau, si le serveur le permet.",
            "Program to run in place of the desktop, if the server allows it.",
        ),
    Field::new("working-directory", "Dossier de travail", "Working directory", FieldKind::Text)
        .explained("Dossier de ce programme.", "Folder of that program."),
    Field::new(
        "load-balance-info",
        "Répartition de charge",
        "Load balance info",
        FieldKind::Text,
    )
    .explained(
        "Jeton de la ferme, comme tsv://MS Terminal Services Plugin.1.Collection\u{a0}; celui \
         du fichier .rdp.",
        "Token of the farm, such as tsv://MS Terminal Services Plugin.1.Collection; that of the \
         .rdp file.",
    ),
    Field::new(
        "keyboard-layout",
        "Disposition du clavier",
        "Keyboard layout",
        FieldKind::Choice(layouts::WORDS),
    )
    .explained(
        "Celle que le serveur applique aux touches.",
        "The one that the server applies to the keys.",
    )
    .usually("fr"),
    Field::new("keyboard", "Clavier", "Keyboard", FieldKind::Choice(KEYBOARDS))
        .explained(
            "Touches\u{a0}: leur place est envoyée, et la disposition du serveur décide. \
             Caractères\u{a0}: ce que ce clavier écrit est envoyé tel quel.",
            "Keys: their place is sent and the server's layout decides. Characters: what this \
             keyboard writes is sent as it is.",
        )
        .usually("scancode"),
    Field::new("colour-depth", "Couleurs", "Colours", FieldKind::Choice(DEPTHS))
        .explained(
            "16 bits économise une ligne lente.",
            "16 bits spare a slow line.",
        )
        .usually("32"),
    Field::new("graphics", "Image", "Picture", FieldKind::Choice(GRAPHICS))
        .explained(
            "Images simples\u{a0}: si un serveur montre un écran noir ou faux.",
            "Plain bitmaps: if a server shows a black or wrong screen.",
        )
        .usually("auto"),
    Field::new("effects", "Effets visuels", "Visual effects", FieldKind::Bool)
        .explained(
            "Fond d’écran, thèmes et animations du bureau distant.",
            "Wallpaper, themes and animations of the remote desktop.",
        )
        .usually("yes"),
    Field::new("reconnect", "Reconnexion automatique", "Automatic reconnect", FieldKind::Bool)
        .explained(
            "Rouvre le bureau quand la connexion a été coupée\u{a0}; chaque essai est au journal. \
             FreeRDP le fait lui-même, dans la même session.",
            "Opens the desktop again when the connection broke; each attempt is in the log. \
             FreeRDP does it by itself, in the same session.",
        )
        .usually("yes"),
    fields::CONNECT_TIMEOUT,
];

/// The gateway that these settings name. Where that is no machine, it is one that is
/// nowhere: a desktop behind a gateway is never opened without it.
pub fn gateway(settings: &BTreeMap<String, String>) -> Option<HostPort> {
    let text = |id: &str| settings.get(id).map_or("", |value| value.trim());
    let named = text(GATEWAY);
    let port = text("gateway-port").parse().unwrap_or(GATEWAY_PORT);
    let nowhere = || HostPort { host: named.to_owned(), port };
    (!named.is_empty()).then(|| machine(named, port).unwrap_or_else(nowhere))
}

/// Whether both a gateway and jump hosts are set, of which only one can be.
pub fn two_ways(set: impl Fn(&str) -> bool) -> bool {
    set(GATEWAY) && set(fields::JUMP.id)
}

/// Which ways to log in are offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// Both; the server chooses.
    Auto,
    /// Network level authentication (MS-CSSP) and nothing less.
    Nla,
    /// TLS; the server's desktop asks who is there.
    Tls,
}

/// Where the sound of a desktop is heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sound {
    /// Nowhere.
    Off,
    /// On this machine.
    Here,
    /// On the remote one.
    There,
}

/// The settings of one entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// FreeRDP is to show the desktop.
    pub outside: bool,
    /// Windows domain; may be empty.
    pub domain: String,
    /// Ways to log in.
    pub security: Security,
    /// How NLA proves who is there.
    pub proof: Allowed,
    /// Where tickets come from; may be empty.
    pub kdc: String,
    /// TLS older than 1.2 will do.
    pub weak_tls: bool,
    /// Where copied text may go.
    pub clipboard: Clipboard,
    /// The administration session is wanted.
    pub admin: bool,
    /// Program in place of the desktop; may be empty.
    pub program: String,
    /// Its folder; may be empty.
    pub directory: String,
    /// Token of a farm; may be empty.
    pub load_balance: String,
    /// Input locale identifier.
    pub layout: u32,
    /// Characters are sent where there are some, not keys.
    pub unicode: bool,
    /// Bits of a pixel on the wire.
    pub depth: u32,
    /// Neither the graphics pipeline (MS-RDPEGFX) nor RemoteFX is offered, which both
    /// need 32 bits a pixel.
    pub plain: bool,
    /// Wallpaper, themes and animations are wanted.
    pub effects: bool,
    /// Where its sound is heard.
    pub sound: Sound,
    /// Folder of this machine that it sees; may be empty.
    pub folder: String,
    /// It may change that folder.
    pub folder_writable: bool,
    /// A connection that broke is made again.
    pub reconnect: bool,
    /// For each step of connecting.
    pub connect_timeout: Duration,
}

impl Settings {
    /// Those of `hop`.
    ///
    /// # Errors
    /// One makes no sense.
    pub fn of(hop: &Hop) -> Result<Self, Failure> {
        let read = fields::Reader(hop, FIELDS);
        for field in FIELDS {
            let value = read.text(field.id);
            if !field.accepts(value) {
                return Err(fail::setting(field.id, value));
            }
        }
        let proof = Allowed::of(read.text(way::SETTING));
        let security = match read.text("security") {
            // Without NLA the password goes to the server as it is.
            "tls" if proof == Allowed::Kerberos => return Err(fail::setting("security", "tls")),
            "tls" => Security::Tls,
            _ if proof == Allowed::Kerberos => Security::Nla,
            "nla" => Security::Nla,
            _ => Security::Auto,
        };
        Ok(Self {
            outside: read.text(PROGRAM) == FREERDP,
            domain: read.text("domain").to_owned(),
            security,
            proof,
            kdc: read.text(way::KDC).to_owned(),
            weak_tls: read.text("weak-tls") == "yes",
            clipboard: Clipboard::of(read.text("clipboard")),
            admin: read.text("admin-session") == "yes",
            program: read.text("start-program").to_owned(),
            directory: read.text("working-directory").to_owned(),
            load_balance: read.text("load-balance-info").to_owned(),
            layout: layouts::number(read.text("keyboard-layout")).unwrap_or_default(),
            unicode: read.text("keyboard") == "unicode",
            depth: if read.text("colour-depth") == "16" { 16 } else { 32 },
            plain: read.text("graphics") == "classic" || read.text("colour-depth") == "16",
            effects: read.text("effects") == "yes",
            sound: match read.text("sound") {
                "here" => Sound::Here,
                "there" => Sound::There,
                _ => Sound::Off,
            },
            folder: read.text("folder").to_owned(),
            folder_writable: read.text("folder-access") == "write",
            reconnect: read.text("reconnect") == "yes",
            connect_timeout: read.connect_timeout()?,
        })
    }
}
