//! What is known of network devices by their makers: how a console is set, and how
//! a configuration is read. Data and its lookup; nothing here opens anything.

use super::field::{Field, FieldKind, Word};

/// Setting that names the device.
pub const PROFILE: &str = "profile";
/// Setting that names the command which shows the configuration.
pub const COMMAND: &str = "snapshot-command";

/// A kind of device.
pub struct Profile {
    /// How it is chosen.
    pub word: Word,
    /// How it is chosen for a serial port: with what its console is set to.
    pub console: Word,
    /// Speed of the console.
    pub speed: &'static str,
    /// Flow control of the console.
    pub flow: &'static str,
    /// How its configuration is read.
    pub reading: Reading,
}

/// How a device shows its configuration. All of it only reads.
pub struct Reading {
    /// The command; empty where there is none that shows the whole of it.
    pub command: &'static str,
    /// How a command may begin that is known to change nothing; empty where nothing
    /// is known of the device.
    pub begins: &'static [&'static str],
    /// Whether the command may be run by itself over SSH, without a shell.
    pub exec: bool,
    /// Turns the pager off, for this login only.
    pub unpaged: &'static [&'static str],
    /// Turns it on again, where the login outlives the line.
    pub paged: &'static [&'static str],
    /// The command that asks for more rights, for entries that hold its password.
    pub enable: &'static str,
    /// A menu before the command line: its words, and the choice in it.
    pub menu: Option<(&'static str, &'static str)>,
    /// The last line that the command shows; empty where it may be any.
    pub last: &'static str,
    /// Beginnings of lines that change by themselves and are left out.
    pub fleeting: &'static [&'static str],
}

/// Of a device nothing is known.
const UNKNOWN: Reading = Reading {
    command: "",
    begins: &[],
    exec: true,
    unpaged: &[],
    paged: &[],
    enable: "",
    menu: None,
    last: "",
    fleeting: &[],
};

const fn profile(
    word: &'static str,
    names: [&'static str; 2],
    consoles: [&'static str; 2],
    speed: &'static str,
    reading: Reading,
) -> Profile {
    Profile {
        word: Word { word, fr: names[0], en: names[1] },
        console: Word { word, fr: consoles[0], en: consoles[1] },
        speed,
        flow: "none",
        reading,
    }
}

/// Every device. All consoles use eight data bits, no parity and one stop bit.
pub const PROFILES: [Profile; 6] = [
    profile("other", ["Autre", "Other"], ["Autre (9600 8N1)", "Other (9600 8N1)"], "9600", UNKNOWN),
    profile(
        "cisco",
        ["Cisco IOS", "Cisco IOS"],
        ["Cisco (9600 8N1)", "Cisco (9600 8N1)"],
        "9600",
        Reading {
            command: "show running-config",
            begins: &["show "],
            // It takes one channel for each connection and tells no exit status: only
            // its prompt says that the configuration is whole.
            exec: false,
            unpaged: &["terminal length 0"],
            paged: &["terminal length 24"],
            enable: "enable",
            last: "end",
            fleeting: &[
                "Building configuration",
                "Current configuration",
                "! Last configuration change at ",
                "! NVRAM config last updated at ",
                "! No configuration change since ",
                "ntp clock-period ",
            ],
            ..UNKNOWN
        },
    ),
    profile(
        "aruba",
        ["Aruba", "Aruba"],
        ["Aruba (115200 8N1)", "Aruba (115200 8N1)"],
        "115200",
        Reading {
            command: "show running-config",
            begins: &["show "],
            exec: false,
            unpaged: &["no page"],
            paged: &["page"],
            enable: "enable",
            ..UNKNOWN
        },
    ),
    profile(
        "icx",
        ["Ruckus/Brocade ICX", "Ruckus/Brocade ICX"],
        ["Ruckus/Brocade ICX (9600 8N1)", "Ruckus/Brocade ICX (9600 8N1)"],
        "9600",
        Reading {
            command: "show running-config",
            begins: &["show "],
            exec: false,
            unpaged: &["skip-page-display"],
            paged: &["page-display"],
            enable: "enable",
            last: "end",
            ..UNKNOWN
        },
    ),
    profile(
        "watchguard",
        ["WatchGuard", "WatchGuard"],
        ["WatchGuard (115200 8N1)", "WatchGuard (115200 8N1)"],
        "115200",
        Reading {
            command: "export config to console",
            begins: &["show ", "export config to console"],
            exec: false,
            ..UNKNOWN
        },
    ),
    profile(
        "sophos",
        ["Sophos", "Sophos"],
        ["Sophos (38400 8N1)", "Sophos (38400 8N1)"],
        "38400",
        // Its console shows the configuration in parts only.
        Reading {
            begins: &["show ", "system diagnostics show "],
            exec: false,
            menu: Some(("Select Menu Number", "4")),
            ..UNKNOWN
        },
    ),
];

const WORDS: &[Word] = &[
    PROFILES[0].word,
    PROFILES[1].word,
    PROFILES[2].word,
    PROFILES[3].word,
    PROFILES[4].word,
    PROFILES[5].word,
];

const CONSOLE_WORDS: &[Word] = &[
    PROFILES[0].console,
    PROFILES[1].console,
    PROFILES[2].console,
    PROFILES[3].console,
    PROFILES[4].console,
    PROFILES[5].console,
];

/// Which device it is.
pub const DEVICE: Field = Field::new(PROFILE, "Équipement", "Device", FieldKind::Choice(WORDS))
    .explained(
        "Dit comment la configuration de cet équipement se relève.",
        "Says how the configuration of this device is read.",
    )
    .usually("other");

/// Which device the console is of.
pub const CONSOLE: Field =
    Field::new(PROFILE, "Équipement", "Device", FieldKind::Choice(CONSOLE_WORDS))
        .explained(
            "Fixe la vitesse et le contrôle de flux que l’accès laisse vides à ceux de la console \
             de ce fabricant, et dit comment la configuration se relève.",
            "Sets the speed and flow control that the entry leaves empty to those of this maker's \
             console, and says how the configuration is read.",
        )
        .usually("other");

/// The command that shows the configuration.
pub const SNAPSHOT_COMMAND: Field =
    Field::new(COMMAND, "Commande de relevé", "Snapshot command", FieldKind::Text).explained(
        "Commande de lecture qui affiche la configuration\u{a0}; vide\u{a0}: celle de l’équipement \
         choisi.",
        "Reading command that shows the configuration; empty: that of the chosen device.",
    );

/// The device of that word.
pub fn by_word(word: &str) -> Option<&'static Profile> {
    static ALL: [Profile; 6] = PROFILES;
    ALL.iter().find(|profile| profile.word.word == word)
}
