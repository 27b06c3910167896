//! Where the usual devices have the fields of their login, as selectors: read from
//! `assets/web/presets.toml`, which is built in. What a preset does not find is looked
//! for as on any page.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::connect::field::Word;

/// The fields of a maker's login page. Several selectors: the first that fits.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Word of the setting.
    pub word: String,
    /// Label in French.
    pub fr: String,
    /// Label in English.
    pub en: String,
    /// Where the selectors come from.
    pub source: String,
    /// Of the user name.
    pub user: Vec<String>,
    /// Of the password.
    pub password: Vec<String>,
    /// Of the one-time code.
    #[serde(default)]
    pub code: Vec<String>,
    /// Of the button.
    #[serde(default)]
    pub submit: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presets {
    preset: Vec<Preset>,
}

static ALL: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let read: Presets = toml::from_str(include_str!("../../../assets/web/presets.toml"))
        .expect("a test reads the presets that are built in");
    read.preset
});

static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let auto = Word { word: "auto", fr: "automatique", en: "automatic" };
    let words = ALL.iter().map(|p| Word { word: &p.word, fr: &p.fr, en: &p.en });
    std::iter::once(auto).chain(words).collect()
});

/// The words of the setting.
pub fn words() -> &'static [Word] {
    &WORDS
}

/// The preset of a word; none for `auto`.
pub fn of(word: &str) -> Option<&'static Preset> {
    ALL.iter().find(|preset| preset.word == word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_preset_reads_and_says_where_it_comes_from_and_that_it_is_not_tried() {
        let words: BTreeSet<&str> = ALL.iter().map(|preset| preset.word.as_str()).collect();
        assert_eq!(words.len(), ALL.len(), "a word is there twice");
        assert!(words.len() > 10 && !words.contains("auto"), "{words:?}");
        for preset in ALL.iter() {
            let word = &preset.word;
            assert!(preset.source.trim().len() > 10, "{word} does not say its source");
            assert!(!preset.user.is_empty() && !preset.password.is_empty(), "{word}");
            let lists = [&preset.user, &preset.password, &preset.code, &preset.submit];
            assert!(lists.into_iter().flatten().all(|s| !s.trim().is_empty()), "{word}");
            let tried = preset.source.contains("tried against");
            for (label, not) in [(&preset.fr, "(non essayé)"), (&preset.en, "(not tried)")] {
                assert_eq!(label.ends_with(not), !tried, "{label}: {}", preset.source);
            }
        }
    }
}
