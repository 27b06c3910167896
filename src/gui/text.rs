//! Words of the window in both languages. Every text is written where it is
//! shown, French first; only words used in several places live here.

use crate::model::lang::Lang;

/// The text in the person's language.
pub fn t(lang: Lang, fr: &'static str, en: &'static str) -> &'static str {
    lang.pick(fr, en)
}
