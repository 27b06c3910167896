//! The settings of a remote screen and what they come to. Opens nothing.

use std::time::Duration;

use vnc::VncEncoding;

use crate::connect::Failure;
use crate::connect::desk::clipboard::{self, Clipboard};
use crate::connect::field::{Field, FieldKind, Word};
use crate::connect::line::fields;
use crate::connect::ssh::fail;
use crate::connect::vpn;
use crate::model::target::Hop;

const SECURITIES: &[Word] = &[
    Word { word: "auto", fr: "TLS si le serveur le connaît", en: "TLS if the server knows it" },
    Word { word: "tls", fr: "TLS avec certificat, exigé", en: "TLS with a certificate, required" },
    Word { word: "clear", fr: "sans TLS", en: "without TLS" },
];

const ENCODINGS: &[Word] = &[
    Word { word: "auto", fr: "automatique", en: "automatic" },
    Word { word: "raw", fr: "brut, pour un réseau rapide", en: "raw, for a fast network" },
    Word { word: "zrle", fr: "ZRLE, sans perte", en: "ZRLE, nothing lost" },
    Word {
        word: "tight",
        fr: "Tight avec JPEG, pour une ligne lente",
        en: "Tight with JPEG, for a slow line",
    },
];

/// What an entry may say.
pub const FIELDS: &[Field] = &[
    fields::JUMP,
    vpn::fields::VPN,
    vpn::fields::WHEN,
    Field::new("security", "Sécurité", "Security", FieldKind::Choice(SECURITIES))
        .explained(
            "TLS chiffre l’image et les touches\u{a0}; seul un certificat dit qui est le serveur. \
             Sans TLS, tout passe en clair jusqu’au serveur, ou après le rebond SSH.",
            "TLS encrypts picture and keys; only a certificate tells who the server is. Without \
             TLS everything travels in clear as far as the server, or beyond the SSH jump host.",
        )
        .usually("auto"),
    Field::new("view-only", "Regarder seulement", "View only", FieldKind::Bool)
        .explained(
            "Rien n’est envoyé au serveur\u{a0}: ni touches, ni souris, ni presse-papiers, ni \
             taille.",
            "Nothing is sent to the server: no keys, no mouse, no clipboard, no size.",
        )
        .usually("no"),
    Field::new("shared", "Partager l’écran", "Share the screen", FieldKind::Bool)
        .explained(
            "Les autres personnes connectées à cet écran y restent\u{a0}; sinon le serveur les \
             déconnecte.",
            "Others who are connected to this screen stay; otherwise the server disconnects them.",
        )
        .usually("yes"),
    Field::new("encoding", "Encodage", "Encoding", FieldKind::Choice(ENCODINGS))
        .explained(
            "Comment l’image est comprimée, si le serveur connaît cette façon.",
            "How the picture is compressed, if the server knows that way.",
        )
        .usually("auto"),
    clipboard::FIELD.explained(
        "Où le texte copié a le droit d’aller, jusqu’à 1\u{a0}Mio. VNC ne porte que les lettres \
         d’Europe de l’Ouest\u{a0}: vers le serveur, un autre signe devient «\u{a0}?\u{a0}».",
        "Where copied text may go, up to 1 MiB. VNC only carries Western European letters: on \
         the way to the server any other sign becomes “?”.",
    ),
    fields::CONNECT_TIMEOUT,
];

/// What a connection has to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// The safest that the server offers.
    Auto,
    /// Encrypted, and by a server with a certificate.
    Tls,
    /// Without TLS.
    Clear,
}

/// The settings of one entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// What the connection has to be.
    pub security: Security,
    /// Nothing is sent.
    pub view_only: bool,
    /// Others stay connected.
    pub shared: bool,
    /// What the picture may be encoded with, best first.
    pub encodings: Vec<VncEncoding>,
    /// Pictures may lose a little: JPEG.
    pub lossy: bool,
    /// Where copied text may go.
    pub clipboard: Clipboard,
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
        let view_only = read.text("view-only") == "yes";
        let mut clipboard = Clipboard::of(read.text("clipboard"));
        clipboard.to_server &= !view_only;
        let mut encodings = match read.text("encoding") {
            "raw" => vec![],
            "zrle" => vec![VncEncoding::Zrle],
            "tight" => vec![VncEncoding::Tight],
            // Both lose nothing here. The decoder inflates a part in Tight at once, one in
            // ZRLE pixel by pixel.
            _ => vec![VncEncoding::Tight, VncEncoding::Zrle],
        };
        encodings.extend([
            VncEncoding::CopyRect,
            VncEncoding::Raw,
            VncEncoding::CursorPseudo,
            VncEncoding::DesktopSizePseudo,
            VncEncoding::ExtendedDesktopSizePseudo,
            VncEncoding::LastRectPseudo,
        ]);
        Ok(Self {
            security: match read.text("security") {
                "tls" => Security::Tls,
                "clear" => Security::Clear,
                _ => Security::Auto,
            },
            view_only,
            shared: read.text("shared") == "yes",
            encodings,
            lossy: read.text("encoding") == "tight",
            clipboard,
            connect_timeout: read.connect_timeout()?,
        })
    }
}
