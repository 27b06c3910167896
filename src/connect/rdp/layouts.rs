//! Keyboard layouts that a Windows server knows, by the word of the setting.
//! A table only.

use crate::connect::field::Word;

/// A layout.
struct Layout {
    word: Word,
    /// Input locale identifier, as Windows numbers it.
    id: u32,
}

const fn layout(word: &'static str, fr: &'static str, en: &'static str, id: u32) -> Layout {
    Layout { word: Word { word, fr, en }, id }
}

const LAYOUTS: [Layout; 29] = [
    layout("fr", "français (AZERTY)", "French (AZERTY)", 0x040C),
    layout("fr-be", "français de Belgique", "Belgian French", 0x080C),
    layout("fr-ca", "français du Canada", "Canadian French", 0x1009),
    layout("fr-ch", "français de Suisse", "Swiss French", 0x100C),
    layout("en-us", "anglais (États-Unis)", "English (United States)", 0x0409),
    layout("en-us-intl", "anglais international", "English, international", 0x0002_0409),
    layout("en-gb", "anglais (Royaume-Uni)", "English (United Kingdom)", 0x0809),
    layout("de", "allemand", "German", 0x0407),
    layout("de-ch", "allemand de Suisse", "Swiss German", 0x0807),
    layout("es", "espagnol", "Spanish", 0x040A),
    layout("es-la", "espagnol d’Amérique latine", "Latin American Spanish", 0x080A),
    layout("it", "italien", "Italian", 0x0410),
    layout("pt", "portugais", "Portuguese", 0x0816),
    layout("pt-br", "portugais du Brésil", "Brazilian Portuguese", 0x0416),
    layout("nl", "néerlandais", "Dutch", 0x0413),
    layout("lu", "luxembourgeois", "Luxembourgish", 0x046E),
    layout("da", "danois", "Danish", 0x0406),
    layout("sv", "suédois", "Swedish", 0x041D),
    layout("no", "norvégien", "Norwegian", 0x0414),
    layout("fi", "finnois", "Finnish", 0x040B),
    layout("pl", "polonais", "Polish", 0x0415),
    layout("cs", "tchèque", "Czech", 0x0405),
    layout("hu", "hongrois", "Hungarian", 0x040E),
    layout("ro", "roumain", "Romanian", 0x0418),
    layout("el", "grec", "Greek", 0x0408),
    layout("ru", "russe", "Russian", 0x0419),
    layout("tr", "turc (Q)", "Turkish (Q)", 0x041F),
    layout("he", "hébreu", "Hebrew", 0x040D),
    layout("ja", "japonais", "Japanese", 0x0411),
];

/// The words to choose from.
pub const WORDS: &[Word] = &{
    let mut words = [LAYOUTS[0].word; LAYOUTS.len()];
    let mut at = 0;
    while at < LAYOUTS.len() {
        words[at] = LAYOUTS[at].word;
        at += 1;
    }
    words
};

/// The number of a layout.
pub fn number(word: &str) -> Option<u32> {
    LAYOUTS.iter().find(|l| l.word.word == word).map(|l| l.id)
}
