//! What the session tells of a page, line by line, and how a login ended. Texts
//! only; names and addresses, never a secret.

use crate::model::lang::Bi;

/// Longest piece of a page's own words, in characters.
const WORDS_MAX: usize = 300;

/// The lines so far.
#[derive(Default)]
pub struct Log {
    /// Oldest first.
    pub lines: Vec<Bi>,
}

/// How the login ended, as far as this program takes part in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The form is gone, or HTTP's question was answered.
    LoggedIn,
    /// The form came back.
    Refused,
    /// The question for the code came back.
    CodeRefused,
    /// A code is asked for, and none is stored.
    NoCode,
    /// The page does not show whether it took the login.
    Unclear,
    /// There is no form that can be told for one.
    NoForm,
    /// The page is of another origin.
    Elsewhere(String),
    /// There is nothing to fill in.
    NothingStored,
    /// The page wants a password changed.
    Change,
    /// A selector of the entry is none.
    BadSelector(String),
    /// The window was closed.
    Closed,
}

/// `text` of a page as it may be shown: one line, no control characters.
pub fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(WORDS_MAX).map(shown).collect()
}

impl Log {
    fn add(&mut self, fr: impl Into<String>, en: impl Into<String>) {
        self.lines.push(Bi::new(fr, en));
    }

    /// Which browser shows the page.
    pub fn started(&mut self, browser: &str) {
        self.add(format!("Navigateur\u{a0}: {browser}"), format!("Browser: {browser}"));
    }

    /// The address is asked for.
    pub fn going(&mut self, origin: &str) {
        self.add(format!("Ouverture de {origin}"), format!("Opening {origin}"));
    }

    /// There is a page.
    pub fn shown(&mut self) {
        self.add("Page ouverte", "Page opened");
    }

    /// No authority vouches for the certificate, but it is the pinned one.
    pub fn certificate(&mut self, print: &str) {
        self.add(
            format!("Certificat épinglé pour ce client\u{a0}: {print}"),
            format!("Certificate pinned for this client: {print}"),
        );
    }

    /// The user name was filled in.
    pub fn filled_user(&mut self, user: &str) {
        self.add(
            format!("Utilisateur «\u{a0}{user}\u{a0}» rempli"),
            format!("User “{user}” filled in"),
        );
    }

    /// The password was filled in.
    pub fn filled_password(&mut self) {
        self.add("Mot de passe rempli", "Password filled in");
    }

    /// The one-time code was filled in.
    pub fn filled_code(&mut self) {
        self.add("Code à usage unique rempli", "One-time code filled in");
    }

    /// HTTP's question was answered.
    pub fn filled_http(&mut self, scheme: &str, user: &str) {
        let scheme = plain(scheme);
        self.add(
            format!("Demande HTTP ({scheme}) remplie avec l’utilisateur «\u{a0}{user}\u{a0}»"),
            format!("HTTP login ({scheme}) answered with the user “{user}”"),
        );
    }

    /// What a page told in a dialogue.
    pub fn page_says(&mut self, words: &str) {
        let words = plain(words);
        self.add(format!("La page dit\u{a0}: {words}"), format!("The page says: {words}"));
    }

    /// How the login ended.
    pub fn ended(&mut self, outcome: &Outcome) {
        let told = outcome.told();
        self.lines.push(told);
    }
}

impl Outcome {
    /// In a sentence.
    pub fn told(&self) -> Bi {
        match self {
            Self::LoggedIn => Bi::new("Connecté", "Logged in"),
            Self::Refused => Bi::new(
                "Identifiant ou mot de passe refusé par la page\u{a0}; rien n’est donné une \
                 seconde fois. Vérifiez-les dans l’entrée, ou connectez-vous à la main",
                "The page refused the login or its password; nothing is given a second time. \
                 Check them in the entry, or log in by hand",
            ),
            Self::CodeRefused => Bi::new(
                "Code à usage unique refusé par la page. Vérifiez la clé TOTP et l’horloge, ou \
                 tapez le code",
                "The page refused the one-time code. Check the TOTP key and the clock, or type \
                 the code",
            ),
            Self::NoCode => Bi::new(
                "La page demande un code, et l’entrée n’a pas de clé TOTP\u{a0}: tapez-le",
                "The page asks for a code, and the entry has no TOTP key: type it",
            ),
            Self::Unclear => Bi::new(
                "La page ne montre pas si elle a accepté la connexion\u{a0}; rien n’est donné une \
                 seconde fois",
                "The page does not show whether it took the login; nothing is given a second time",
            ),
            Self::NoForm => Bi::new(
                "Aucun formulaire de connexion reconnu\u{a0}: connectez-vous à la main, ou \
                 indiquez ses champs (user-selector, password-selector)",
                "No login form recognised: log in by hand, or name its fields (user-selector, \
                 password-selector)",
            ),
            Self::Elsewhere(origin) => Bi::new(
                format!(
                    "La page vient de {origin}, pas de l’adresse de l’entrée\u{a0}: rien n’a été \
                     rempli. Si c’est bien la bonne, corrigez l’adresse"
                ),
                format!(
                    "The page is of {origin}, not of the entry’s address: nothing was filled in. \
                     If it is the right one, correct the address"
                ),
            ),
            Self::NothingStored => Bi::new(
                "L’entrée n’a pas de mot de passe\u{a0}: connectez-vous à la main",
                "The entry has no password: log in by hand",
            ),
            Self::Change => Bi::new(
                "La page a plusieurs champs de mot de passe, comme pour en changer\u{a0}: rien \
                 n’y a été rempli",
                "The page has several password fields, as for a change of password: nothing was \
                 filled into them",
            ),
            Self::BadSelector(selector) => {
                let selector = plain(selector);
                Bi::new(
                    format!(
                        "«\u{a0}{selector}\u{a0}» n’est pas un sélecteur CSS\u{a0}: corrigez l’entrée"
                    ),
                    format!("“{selector}” is no CSS selector: correct the entry"),
                )
            }
            Self::Closed => Bi::new("Fenêtre fermée", "Window closed"),
        }
    }

    /// Whether it stays visible in the tab.
    pub fn warns(&self) -> bool {
        !matches!(self, Self::LoggedIn | Self::NothingStored | Self::Closed)
    }
}
