//! Why a profile does not come from its address. Texts only; no login and no token is
//! in them.

use crate::connect::openvpn::profile::MAX_BYTES;
use crate::model::lang::Bi;

/// Why a profile does not come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It is no address.
    NoAddress,
    /// It is not `https`.
    NotEncrypted,
    /// A user or a password stands in the address.
    LoginInside,
    /// A user name with a colon cannot be sent (RFC 7617 section 2).
    Colon,
    /// The portal asks for user and password.
    AsksLogin,
    /// It refused them.
    LoginRefused,
    /// It answered with this status of HTTP.
    Status(u16),
    /// It sends elsewhere: to another machine, or out of encryption.
    Elsewhere(String),
    /// It sends round and round.
    Circle,
    /// Its certificate does not prove it, in the words of the TLS library.
    Certificate(String),
    /// This machine knows no authorities at all.
    NoAuthorities,
    /// It cannot be reached, for this reason.
    Unreachable(Bi),
    /// It did not answer in time.
    TimedOut,
    /// What it sends is too large.
    Large,
    /// It sends a web page.
    WebPage,
}

impl Fault {
    /// Whether it may come later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::TimedOut)
    }

    /// Whether what the person gave makes no sense.
    pub fn is_misuse(&self) -> bool {
        matches!(self, Self::NoAddress | Self::NotEncrypted | Self::LoginInside | Self::Colon)
    }

    /// What happened at the portal `place`.
    pub fn what(&self, place: &str) -> Bi {
        let (fr, en) = match self {
            Self::NoAddress => (
                "Ce n’est pas l’adresse d’un profil.".to_owned(),
                "This is not the address of a profile.".to_owned(),
            ),
            Self::NotEncrypted => (
                "Un profil, qui contient des clés, ne vient que par https.".to_owned(),
                "A profile, which has keys in it, only comes by https.".to_owned(),
            ),
            Self::LoginInside => (
                "L’adresse contient un identifiant.".to_owned(),
                "There is a login in the address.".to_owned(),
            ),
            Self::Colon => (
                "Un portail ne reçoit pas de nom d’utilisateur avec un deux-points.".to_owned(),
                "A portal takes no user name with a colon in it.".to_owned(),
            ),
            Self::AsksLogin => (
                format!("Le portail {place} demande un identifiant et un mot de passe."),
                format!("The portal {place} asks for user and password."),
            ),
            Self::LoginRefused => (
                format!("Le portail {place} a refusé l’identifiant ou le mot de passe."),
                format!("The portal {place} refused the user or the password."),
            ),
            Self::Status(status) => (
                format!("Le portail {place} n’a pas donné de profil\u{a0}: réponse {status}."),
                format!("The portal {place} gave no profile: it answered {status}."),
            ),
            Self::Elsewhere(to) => (
                format!("Le portail {place} renvoie ailleurs\u{a0}: {to}."),
                format!("The portal {place} sends elsewhere: {to}."),
            ),
            Self::Circle => (
                format!("Le portail {place} renvoie d’une page à l’autre sans fin."),
                format!("The portal {place} sends from page to page without end."),
            ),
            Self::Certificate(why) => (
                format!(
                    "Le certificat du portail {place} ne le prouve pas\u{a0}: «\u{a0}{why}\u{a0}»."
                ),
                format!("The certificate of the portal {place} does not prove it: “{why}”."),
            ),
            Self::NoAuthorities => (
                "Cet ordinateur ne connaît aucune autorité de certification.".to_owned(),
                "This computer knows no certificate authority.".to_owned(),
            ),
            Self::Unreachable(cause) => (
                format!("Le portail {place} n’est pas joignable\u{a0}: {}.", cause.fr),
                format!("The portal {place} cannot be reached: {}.", cause.en),
            ),
            Self::TimedOut => (
                format!("Le portail {place} n’a pas répondu à temps."),
                format!("The portal {place} did not answer in time."),
            ),
            Self::Large => {
                let kib = MAX_BYTES / 1024;
                (
                    format!("Ce que le portail {place} envoie dépasse {kib}\u{a0}Kio."),
                    format!("What the portal {place} sends is larger than {kib} KiB."),
                )
            }
            Self::WebPage => (
                format!("Le portail {place} a envoyé une page web, pas un profil."),
                format!("The portal {place} sent a web page, not a profile."),
            ),
        };
        Bi::new(fr, en)
    }

    /// What to do.
    pub fn todo(&self) -> Bi {
        let (fr, en) = match self {
            Self::NoAddress => (
                "Donnez https://… ou openvpn://import-profile/https://…",
                "Give https://… or openvpn://import-profile/https://…",
            ),
            Self::NotEncrypted => (
                "Donnez l’adresse en https, ou téléchargez le fichier et importez-le.",
                "Give the address with https, or download the file and import it.",
            ),
            Self::LoginInside => (
                "Retirez-le\u{a0}: il est demandé à part quand le portail le veut.",
                "Take it out: it is asked apart when the portal wants it.",
            ),
            Self::Colon => (
                "Téléchargez le fichier avec un navigateur, puis importez-le.",
                "Download the file with a browser, then import it.",
            ),
            Self::AsksLogin => {
                ("Donnez-les quand ils sont demandés.", "Give them when they are asked for.")
            }
            Self::LoginRefused => (
                "Vérifiez-les, puis recommencez\u{a0}; si le portail veut aussi un code, téléchargez \
                 le fichier avec un navigateur et importez-le.",
                "Check them, then try again; if the portal wants a code too, download the file \
                 with a browser and import it.",
            ),
            Self::Status(_) | Self::Circle | Self::WebPage | Self::Large => (
                "Vérifiez l’adresse, ou téléchargez le fichier avec un navigateur et importez-le.",
                "Check the address, or download the file with a browser and import it.",
            ),
            Self::Elsewhere(_) => (
                "Si cette autre adresse est la bonne, donnez-la.",
                "If that other address is the right one, give it.",
            ),
            Self::Certificate(_) => (
                "Ajoutez l’autorité du client à celles du système, ou téléchargez le fichier avec \
                 un navigateur et importez-le.",
                "Add the client’s authority to those of the system, or download the file with a \
                 browser and import it.",
            ),
            Self::NoAuthorities => (
                "Installez-les\u{a0}: sudo apt install ca-certificates",
                "Install them: sudo apt install ca-certificates",
            ),
            Self::Unreachable(_) | Self::TimedOut => (
                "Vérifiez l’adresse et le réseau, puis recommencez.",
                "Check the address and the network, then try again.",
            ),
        };
        Bi::new(fr, en)
    }
}
