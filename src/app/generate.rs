//! Passwords by recipe: characters, words, patterns; and how strong one is.
//! Pure: randomness is an argument, nothing is kept or shown.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::model::lang::Lang;
use crate::secret::SecretText;

/// Longest generated password, in characters or words.
pub const LENGTH_MAX: usize = 512;

/// Characters that are easily taken for one another.
const LOOK_ALIKES: &str = "0O1lI|5S2Z8B`'\"";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SYMBOLS: &str = "!#$%&()*+,-./:;<=>?@[]^_{|}~";
const VOWELS: &str = "aeiou";
const CONSONANTS: &str = "bcdfghjklmnpqrstvwxz";

/// What to make.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recipe {
    /// Characters of these classes, each class present at least once.
    Characters {
        /// How many.
        length: usize,
        /// Which classes.
        classes: Classes,
        /// Leaves out what is easily misread.
        no_look_alikes: bool,
    },
    /// Words of a list of 2,048, 11 bits each.
    Words {
        /// How many.
        count: usize,
        /// Between them.
        separator: String,
        /// First letters in upper case.
        capitals: bool,
        /// Whose words.
        lang: Lang,
    },
    /// A mould: `l` lower case, `u` upper case, `d` digit, `s` symbol, `a` letter
    /// or digit, `x` any, `v` vowel, `c` consonant; `\` before a character, and
    /// any other character, stands for itself.
    Pattern {
        /// The mould.
        pattern: String,
        /// Leaves out what is easily misread.
        no_look_alikes: bool,
    },
}

/// Classes of characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Classes {
    /// `a` to `z`.
    pub lower: bool,
    /// `A` to `Z`.
    pub upper: bool,
    /// `0` to `9`.
    pub digits: bool,
    /// Printable ASCII that is none of the above, without quotes, backslash and space.
    pub symbols: bool,
}

impl Classes {
    /// All four.
    pub const ALL: Self = Self { lower: true, upper: true, digits: true, symbols: true };
}

impl Default for Recipe {
    fn default() -> Self {
        Self::Characters { length: 24, classes: Classes::ALL, no_look_alikes: false }
    }
}

/// Why a recipe makes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RecipeError {
    /// No class of characters is left.
    #[error("no class of characters is left")]
    NoCharacters,
    /// Nothing to make, too much, or fewer characters than classes.
    #[error("the length must be between {min} and {max}")]
    Length {
        /// Smallest.
        min: usize,
        /// Largest.
        max: usize,
    },
    /// The pattern is empty or ends in a backslash.
    #[error("the pattern is empty or ends in a backslash")]
    Pattern,
}

/// A generated password and its entropy in bits, knowing the recipe.
pub struct Generated {
    /// The password.
    pub password: SecretText,
    /// log2 of the number of passwords the recipe can make, rounded down.
    pub bits: u32,
}

/// Makes a password. `fill` fills its argument with random bytes.
///
/// # Errors
/// The recipe makes no sense.
pub fn generate(
    recipe: &Recipe,
    fill: &mut dyn FnMut(&mut [u8]),
) -> Result<Generated, RecipeError> {
    match recipe {
        Recipe::Characters { length, classes, no_look_alikes } => {
            characters(*length, *classes, *no_look_alikes, fill)
        }
        Recipe::Words { count, separator, capitals, lang } => {
            words(*count, separator, *capitals, *lang, fill)
        }
        Recipe::Pattern { pattern, no_look_alikes } => from_pattern(pattern, *no_look_alikes, fill),
    }
}

/// A number below `bound`, all equally likely (rejection, not modulo).
fn below(bound: usize, fill: &mut dyn FnMut(&mut [u8])) -> usize {
    let bound = u32::try_from(bound).expect("lists here are short");
    let limit = u32::MAX - u32::MAX % bound;
    loop {
        let mut bytes = [0; 4];
        fill(&mut bytes);
        let number = u32::from_le_bytes(std::mem::take(&mut bytes));
        if number < limit {
            return (number % bound) as usize;
        }
    }
}

fn pick(set: &[char], fill: &mut dyn FnMut(&mut [u8])) -> char {
    set[below(set.len(), fill)]
}

fn set(classes: &[&str], no_look_alikes: bool) -> Vec<char> {
    let all = classes.iter().flat_map(|class| class.chars());
    all.filter(|c| !no_look_alikes || !LOOK_ALIKES.contains(*c)).collect()
}

/// Drawn whole and thrown away until every class is there: each password that
/// has all classes stays equally likely.
fn characters(
    length: usize,
    classes: Classes,
    no_look_alikes: bool,
    fill: &mut dyn FnMut(&mut [u8]),
) -> Result<Generated, RecipeError> {
    let wanted: Vec<Vec<char>> = [
        (classes.lower, LOWER),
        (classes.upper, UPPER),
        (classes.digits, DIGITS),
        (classes.symbols, SYMBOLS),
    ]
    .into_iter()
    .filter(|(on, _)| *on)
    .map(|(_, class)| set(&[class], no_look_alikes))
    .collect();
    let all = wanted.concat();
    if all.is_empty() {
        return Err(RecipeError::NoCharacters);
    }
    if length < wanted.len() || length > LENGTH_MAX {
        return Err(RecipeError::Length { min: wanted.len(), max: LENGTH_MAX });
    }
    loop {
        let mut text = String::with_capacity(length);
        text.extend((0..length).map(|_| pick(&all, fill)));
        if wanted.iter().all(|class| text.chars().any(|c| class.contains(&c))) {
            let bits = length as f64 * (all.len() as f64).log2();
            return Ok(Generated { password: SecretText::new(text), bits: bits as u32 });
        }
        drop(SecretText::new(text));
    }
}

fn words(
    count: usize,
    separator: &str,
    capitals: bool,
    lang: Lang,
    fill: &mut dyn FnMut(&mut [u8]),
) -> Result<Generated, RecipeError> {
    if count == 0 || count > LENGTH_MAX {
        return Err(RecipeError::Length { min: 1, max: LENGTH_MAX });
    }
    let list = match lang {
        Lang::Fr => bip39::Language::French,
        Lang::En => bip39::Language::English,
    }
    .word_list();
    // Long enough for the longest words, so that the text never moves.
    let mut text = String::with_capacity(count * (16 + separator.len()));
    for i in 0..count {
        if i > 0 {
            text.push_str(separator);
        }
        // Without accents: the same keys on every keyboard.
        let mut letters = list[below(list.len(), fill)].nfd().filter(|c| !is_combining_mark(*c));
        if capitals {
            text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        }
        text.extend(letters);
    }
    let bits = count as f64 * (list.len() as f64).log2();
    Ok(Generated { password: SecretText::new(text), bits: bits as u32 })
}

fn from_pattern(
    pattern: &str,
    no_look_alikes: bool,
    fill: &mut dyn FnMut(&mut [u8]),
) -> Result<Generated, RecipeError> {
    let length = pattern.chars().count();
    if length > LENGTH_MAX {
        return Err(RecipeError::Length { min: 1, max: LENGTH_MAX });
    }
    let mut text = String::with_capacity(length * 4);
    let mut bits = 0.0;
    let mut rest = pattern.chars();
    while let Some(mould) = rest.next() {
        let classes: &[&str] = match mould {
            'l' => &[LOWER],
            'u' => &[UPPER],
            'd' => &[DIGITS],
            's' => &[SYMBOLS],
            'a' => &[LOWER, UPPER, DIGITS],
            'x' => &[LOWER, UPPER, DIGITS, SYMBOLS],
            'v' => &[VOWELS],
            'c' => &[CONSONANTS],
            '\\' => {
                text.push(rest.next().ok_or(RecipeError::Pattern)?);
                continue;
            }
            other => {
                text.push(other);
                continue;
            }
        };
        let set = set(classes, no_look_alikes);
        bits += (set.len() as f64).log2();
        text.push(pick(&set, fill));
    }
    if text.is_empty() {
        return Err(RecipeError::Pattern);
    }
    Ok(Generated { password: SecretText::new(text), bits: bits as u32 })
}

/// How strong a password is against guessing (zxcvbn).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Strength {
    /// 0 (guessed at once) to 4.
    pub score: u8,
    /// Base-10 logarithm of the estimated number of guesses.
    pub guesses_log10: f64,
}

/// Most characters that the estimator is given: its time grows with their cube.
const ESTIMATE_MAX_CHARS: usize = 100;

/// Estimates `password`; `known` are words an attacker would try first, such as
/// the member's name. Beyond 100 characters only the first 100 count.
pub fn strength(password: &SecretText, known: &[&str]) -> Strength {
    password.expose(|text| {
        let end = text.char_indices().nth(ESTIMATE_MAX_CHARS).map_or(text.len(), |(at, _)| at);
        let estimate = zxcvbn::zxcvbn(&text[..end], known);
        // The empty one takes a guess as well.
        let guesses = estimate.guesses_log10().max(0.0);
        Strength { score: estimate.score().into(), guesses_log10: guesses }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator with a known seed (xorshift): same passwords each run.
    fn seeded() -> impl FnMut(&mut [u8]) {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        move |out| {
            for byte in out {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                *byte = state as u8;
            }
        }
    }

    fn text(recipe: &Recipe) -> String {
        let made = generate(recipe, &mut seeded()).expect("a sensible recipe");
        made.password.expose(str::to_owned)
    }

    #[test]
    fn every_class_is_present_and_look_alikes_are_not() {
        for length in [4, 5, 24, 200] {
            let recipe = Recipe::Characters { length, classes: Classes::ALL, no_look_alikes: true };
            let made = text(&recipe);
            assert_eq!(made.chars().count(), length);
            for class in [LOWER, UPPER, DIGITS, SYMBOLS] {
                assert!(made.chars().any(|c| class.contains(c)));
            }
            assert!(!made.chars().any(|c| LOOK_ALIKES.contains(c)));
        }
    }

    #[test]
    fn words_are_plain_letters_in_both_languages() {
        for lang in [Lang::Fr, Lang::En] {
            let made =
                text(&Recipe::Words { count: 6, separator: "-".into(), capitals: true, lang });
            let words: Vec<&str> = made.split('-').collect();
            assert_eq!(words.len(), 6);
            for word in words {
                assert!(word.starts_with(|c: char| c.is_ascii_uppercase()));
                assert!(word.bytes().all(|b| b.is_ascii_alphabetic()));
            }
        }
    }

    #[test]
    fn a_pattern_is_followed() {
        let pattern = Recipe::Pattern { pattern: r"uddd-\l-cv".into(), no_look_alikes: false };
        let made: Vec<char> = text(&pattern).chars().collect();
        assert!(made[0].is_ascii_uppercase());
        assert!(made[1..4].iter().all(char::is_ascii_digit));
        assert_eq!(made[4..7], ['-', 'l', '-']);
        assert!(VOWELS.contains(made[8]));
    }

    #[test]
    fn senseless_recipes_are_refused() {
        let none = Classes { lower: false, upper: false, digits: false, symbols: false };
        let refused = |recipe| generate(&recipe, &mut seeded()).err();
        assert_eq!(
            refused(Recipe::Characters { length: 8, classes: none, no_look_alikes: false }),
            Some(RecipeError::NoCharacters)
        );
        assert!(matches!(
            refused(Recipe::Characters { length: 3, classes: Classes::ALL, no_look_alikes: false }),
            Some(RecipeError::Length { min: 4, .. })
        ));
        assert_eq!(
            refused(Recipe::Pattern { pattern: "ab\\".into(), no_look_alikes: false }),
            Some(RecipeError::Pattern)
        );
    }

    #[test]
    fn a_dictionary_word_is_weaker_than_a_generated_password() {
        let weak = strength(&SecretText::copy_of("motdepasse"), &[]);
        let strong = strength(&SecretText::new(text(&Recipe::default())), &[]);
        assert!(weak.score < strong.score);
        assert_eq!(strong.score, 4);
        strength(&SecretText::new("é".repeat(5000)), &[]);
    }
}
