//! Every action that has a key: its name, what it does, its shortcut, in one
//! table that the keys, the tooltips and the help sheet read.

use egui::{Event, InputState, Key, KeyboardShortcut, Modifiers};

use crate::model::lang::Lang;

/// Something a key can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Keyboard into the search box.
    Search,
    /// Lock now.
    Lock,
    /// New entry beside the selected one.
    New,
    /// New client.
    NewClient,
    /// The form of the selected entry.
    Edit,
    /// To the recycle bin.
    Delete,
    /// Login to the clipboard.
    CopyUser,
    /// Password to the clipboard.
    CopyPassword,
    /// One-time code to the clipboard.
    CopyCode,
    /// The password generator.
    Generator,
    /// Saves the form.
    Save,
    /// Page of entries.
    Entries,
    /// Page of the log.
    Audit,
    /// Page of members.
    Team,
    /// Page of settings.
    Settings,
    /// Shows or hides the list.
    Sidebar,
    /// Dark or light.
    Theme,
    /// This list.
    Help,
}

/// One line of the table.
pub struct Shortcut {
    /// What it does.
    pub action: Action,
    /// The keys.
    pub keys: KeyboardShortcut,
    /// Also while a terminal has the keyboard, which otherwise gets every key.
    pub in_terminal: bool,
    /// French name.
    pub fr: &'static str,
    /// English name.
    pub en: &'static str,
}

const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

const fn line(
    action: Action,
    modifiers: Modifiers,
    key: Key,
    in_terminal: bool,
    fr: &'static str,
    en: &'static str,
) -> Shortcut {
    Shortcut { action, keys: KeyboardShortcut::new(modifiers, key), in_terminal, fr, en }
}

/// Every shortcut. Of two with the same key, the one with more modifiers first.
pub const ALL: &[Shortcut] = &[
    line(
        Action::Search,
        CTRL_SHIFT,
        Key::K,
        true,
        "Rechercher, depuis un terminal",
        "Search, from a terminal",
    ),
    line(Action::Search, CTRL, Key::K, false, "Rechercher", "Search"),
    line(Action::Search, CTRL, Key::F, false, "Rechercher", "Search"),
    line(
        Action::Lock,
        CTRL_SHIFT,
        Key::L,
        true,
        "Verrouiller, depuis un terminal",
        "Lock, from a terminal",
    ),
    line(Action::Lock, CTRL, Key::L, false, "Verrouiller", "Lock"),
    line(Action::NewClient, CTRL_SHIFT, Key::N, true, "Nouveau client", "New client"),
    line(Action::New, CTRL, Key::N, false, "Nouvel accès", "New entry"),
    line(Action::Edit, Modifiers::NONE, Key::F2, false, "Modifier", "Edit"),
    line(Action::Save, CTRL, Key::S, false, "Enregistrer le formulaire", "Save the form"),
    line(
        Action::Delete,
        CTRL,
        Key::Delete,
        false,
        "Mettre à la corbeille",
        "Move to the recycle bin",
    ),
    line(
        Action::Sidebar,
        CTRL_SHIFT,
        Key::B,
        true,
        "Montrer ou masquer la liste",
        "Show or hide the list",
    ),
    line(Action::CopyUser, CTRL, Key::B, false, "Copier l’identifiant", "Copy login"),
    line(Action::CopyPassword, CTRL, Key::P, false, "Copier le mot de passe", "Copy password"),
    line(
        Action::CopyCode,
        CTRL,
        Key::T,
        false,
        "Copier le code à usage unique",
        "Copy one-time code",
    ),
    line(Action::Generator, CTRL, Key::G, false, "Générer un mot de passe", "Generate a password"),
    line(Action::Entries, Modifiers::ALT, Key::Num1, false, "Page des accès", "Entries page"),
    line(Action::Audit, Modifiers::ALT, Key::Num2, false, "Page du journal", "Log page"),
    line(Action::Team, Modifiers::ALT, Key::Num3, false, "Page de l’équipe", "Team page"),
    line(Action::Settings, Modifiers::ALT, Key::Num4, false, "Page des réglages", "Settings page"),
    line(Action::Theme, CTRL_SHIFT, Key::D, true, "Clair ou sombre", "Light or dark"),
    line(Action::Help, Modifiers::NONE, Key::F1, false, "Raccourcis", "Shortcuts"),
];

impl Shortcut {
    /// The name in `lang`.
    pub fn name(&self, lang: Lang) -> &'static str {
        lang.pick(self.fr, self.en)
    }

    /// The keys as printed on a keyboard: `Ctrl+Maj+K`.
    pub fn keys_text(&self, lang: Lang) -> String {
        let mut text = String::new();
        let m = self.keys.modifiers;
        if m.command || m.ctrl {
            text.push_str("Ctrl+");
        }
        if m.alt {
            text.push_str("Alt+");
        }
        if m.shift {
            text.push_str(lang.pick("Maj+", "Shift+"));
        }
        let key = match self.keys.logical_key {
            Key::Delete => lang.pick("Suppr", "Delete"),
            other => other.symbol_or_name(),
        };
        text.push_str(key);
        text
    }
}

/// Keys of the session tabs and their terminals, which take them themselves.
pub fn tabs(lang: Lang) -> [(&'static str, &'static str); 10] {
    let keys = |fr, en| lang.pick(fr, en);
    [
        ("Ctrl+Tab", lang.pick("Onglet suivant", "Next tab")),
        (keys("Ctrl+Maj+Tab", "Ctrl+Shift+Tab"), lang.pick("Onglet précédent", "Previous tab")),
        (
            keys("Ctrl+Page préc./suiv.", "Ctrl+Page Up/Down"),
            lang.pick("Changer d’onglet, hors d’un terminal", "Change tab, outside a terminal"),
        ),
        (keys("Ctrl+Maj+W", "Ctrl+Shift+W"), lang.pick("Fermer l’onglet", "Close the tab")),
        (
            keys("Ctrl+Maj+C", "Ctrl+Shift+C"),
            lang.pick("Copier, dans un terminal", "Copy, in a terminal"),
        ),
        (
            keys("Ctrl+Maj+V", "Ctrl+Shift+V"),
            lang.pick("Coller, dans un terminal", "Paste, in a terminal"),
        ),
        (
            keys("Ctrl+Maj+F", "Ctrl+Shift+F"),
            lang.pick("Chercher dans un terminal", "Find in a terminal"),
        ),
        ("Ctrl++  Ctrl+-", lang.pick("Agrandir, réduire le texte", "Larger, smaller text")),
        (
            keys("Ctrl+Alt+Entrée", "Ctrl+Alt+Enter"),
            lang.pick("Bureau distant en plein écran", "Remote desktop in full screen"),
        ),
        ("Ctrl+0", lang.pick("Taille normale du texte", "Normal text size")),
    ]
}

/// The shortcut of an action outside a terminal, for tooltips.
pub fn keys_of(action: Action, lang: Lang) -> String {
    let mut own = ALL.iter().filter(|s| s.action == action);
    let found = own.clone().find(|s| !s.in_terminal).or(own.next());
    found.map(|s| s.keys_text(lang)).unwrap_or_default()
}

/// What has the keyboard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    /// A terminal.
    Terminal,
    /// A field with text in it.
    Field,
    /// Nothing that wants the keys below.
    Other,
}

/// Whether the window does something for `key` also while a desktop has the
/// keyboard: its own shortcuts, and those of the tabs.
pub fn over_sessions(key: Key, pressed: Modifiers) -> bool {
    let own = ALL.iter().filter(|s| s.in_terminal).map(|s| s.keys);
    let tab = |modifiers, key| KeyboardShortcut::new(modifiers, key);
    let tabs = [
        tab(Modifiers::CTRL | Modifiers::SHIFT, Key::Tab),
        tab(Modifiers::CTRL, Key::Tab),
        tab(Modifiers::CTRL | Modifiers::SHIFT, Key::W),
        FULL,
    ];
    own.chain(tabs).any(|s| s.logical_key == key && pressed.matches_exact(s.modifiers))
}

/// A desktop on the whole screen, or in its tab again.
pub const FULL: KeyboardShortcut =
    KeyboardShortcut::new(Modifiers::CTRL.plus(Modifiers::ALT), Key::Enter);

/// Takes the pressed shortcuts out of the input, so that no field sees them.
pub fn take(input: &mut InputState, holder: Holder) -> Vec<Action> {
    ALL.iter()
        .filter(|s| s.in_terminal || holder != Holder::Terminal)
        // Ctrl+Delete in a field deletes a word of it.
        .filter(|s| s.action != Action::Delete || holder != Holder::Field)
        .filter(|s| match s.keys.modifiers {
            Modifiers::ALT => consume_with_text(input, s.keys.logical_key),
            _ => input.consume_shortcut(&s.keys),
        })
        .map(|s| s.action)
        .collect()
}

/// Takes Alt and `key`, and the character that comes along: the desktop reports
/// Alt+1 as a key and then as the text "1". The place of the key counts as well
/// as its sign, since the digits of a French keyboard need Shift.
fn consume_with_text(input: &mut InputState, key: Key) -> bool {
    let mut pressed = false;
    let mut its_text = false;
    input.events.retain(|event| match event {
        Event::Key { key: sign, physical_key: place, pressed: true, modifiers: m, .. }
            if m.alt
                && !m.ctrl
                && !m.command
                && !m.mac_cmd
                && (*sign == key || *place == Some(key)) =>
        {
            pressed = true;
            its_text = true;
            false
        }
        Event::Text(_) if its_text => {
            its_text = false;
            false
        }
        _ => {
            its_text = false;
            true
        }
    });
    pressed
}
