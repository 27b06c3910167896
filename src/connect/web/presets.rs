//! Where the usual devices have the fields of their login, as selectors. Data only;
//! what a preset does not find is looked for as on any page.

use crate::connect::field::Word;

/// The fields of a maker's login page. Several selectors: the first that fits.
pub struct Preset {
    /// Word of the setting.
    pub word: &'static str,
    /// Of the user name.
    pub user: &'static [&'static str],
    /// Of the password.
    pub password: &'static [&'static str],
    /// Of the one-time code.
    pub code: &'static [&'static str],
    /// Of the button.
    pub submit: &'static [&'static str],
}

/// The presets. None of them has been tried against the device itself yet: their
/// labels say so. The selectors are from general knowledge of those pages.
pub const ALL: &[Preset] = &[
    Preset {
        word: "idrac-old",
        user: &["#user"],
        password: &["#password"],
        code: &[],
        submit: &["#btnOK"],
    },
    Preset {
        word: "idrac-new",
        user: &["input[name=username]", "#user"],
        password: &["input[name=password]", "#password"],
        code: &[],
        submit: &["button[type=submit]", "#btnOK"],
    },
    Preset {
        word: "ilo",
        user: &["#username", "#usernameInput"],
        password: &["#password", "#passwordInput"],
        code: &[],
        submit: &["#login-form__submit", "#ID_LOGON"],
    },
    Preset {
        word: "aruba",
        user: &["#username", "input[name=username]"],
        password: &["#password", "input[name=password]", "input[name=passwd]"],
        code: &[],
        submit: &["#login-btn", "button[type=submit]", "input[type=submit]"],
    },
    Preset {
        word: "ruckus",
        user: &["#username", "input[name=username]"],
        password: &["#password", "input[name=password]"],
        code: &[],
        submit: &["input[name=ok]", "#loginBtn", "button[type=submit]"],
    },
    Preset {
        word: "watchguard",
        user: &["#username", "input[name=username]"],
        password: &["#password", "input[name=password]"],
        code: &["input[name=otp]", "#otp"],
        submit: &["#submit", "button[type=submit]"],
    },
    Preset {
        word: "sophos",
        user: &["#username", "input[name=username]", "#login_username"],
        password: &["#password", "input[name=password]", "#login_password"],
        code: &["#captcha_otp", "input[name=otp]"],
        submit: &["#Login", "button[type=submit]", "input[type=submit]"],
    },
    Preset {
        word: "fortinet",
        user: &["#username"],
        password: &["#secretkey"],
        code: &["#token_code", "input[name=token_code]"],
        submit: &["#login_button"],
    },
    Preset {
        word: "vmware",
        user: &["#username"],
        password: &["#password"],
        code: &[],
        submit: &["#submit"],
    },
    Preset {
        word: "proxmox",
        user: &["input[name=username]"],
        password: &["input[name=password]"],
        code: &["input[name=otp]"],
        submit: &[],
    },
    Preset {
        word: "glpi",
        user: &["#login_name", "input[name=login_name]"],
        password: &["#login_password", "input[name=login_password]"],
        code: &["input[name='totp_code[]']"],
        submit: &["button[name=submit]", "input[name=submit]"],
    },
];

/// The words of the setting.
pub const WORDS: &[Word] = &[
    Word { word: "auto", fr: "automatique", en: "automatic" },
    Word { word: "idrac-old", fr: "iDRAC 7 et 8 (non essayé)", en: "iDRAC 7 and 8 (not tried)" },
    Word { word: "idrac-new", fr: "iDRAC 9 (non essayé)", en: "iDRAC 9 (not tried)" },
    Word { word: "ilo", fr: "HPE iLO (non essayé)", en: "HPE iLO (not tried)" },
    Word { word: "aruba", fr: "Aruba (non essayé)", en: "Aruba (not tried)" },
    Word { word: "ruckus", fr: "Ruckus (non essayé)", en: "Ruckus (not tried)" },
    Word { word: "watchguard", fr: "WatchGuard (non essayé)", en: "WatchGuard (not tried)" },
    Word {
        word: "sophos",
        fr: "Sophos XG ou UTM (non essayé)",
        en: "Sophos XG or UTM (not tried)",
    },
    Word { word: "fortinet", fr: "Fortinet (non essayé)", en: "Fortinet (not tried)" },
    Word {
        word: "vmware",
        fr: "VMware ESXi ou vCenter (non essayé)",
        en: "VMware ESXi or vCenter (not tried)",
    },
    Word { word: "proxmox", fr: "Proxmox (non essayé)", en: "Proxmox (not tried)" },
    Word { word: "glpi", fr: "GLPI (non essayé)", en: "GLPI (not tried)" },
];

/// The preset of a word; none for `auto`.
pub fn of(word: &str) -> Option<&'static Preset> {
    ALL.iter().find(|preset| preset.word == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_preset_and_the_other_way_round() {
        let words: Vec<&str> = WORDS.iter().skip(1).map(|word| word.word).collect();
        assert_eq!(words, ALL.iter().map(|preset| preset.word).collect::<Vec<_>>());
    }
}
