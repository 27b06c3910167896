//! How the values of flags are read; what they mean is not decided here.

use clap::builder::RangedU64ValueParser;

use crate::model::lang::Lang;
use crate::model::member::Role;

/// A language.
pub(super) fn lang(text: &str) -> Result<Lang, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// A role.
pub(super) fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// `yes` or `no`, in both languages.
pub fn yes_no(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "oui" | "true" | "1" => Ok(true),
        "no" | "non" | "false" | "0" => Ok(false),
        _ => Err("yes or no".to_owned()),
    }
}

/// Seconds of a [`duration`], if there are so many.
pub(super) fn seconds(text: &str, allowed: std::ops::RangeInclusive<u64>) -> Result<u64, String> {
    let secs = duration(text)?.as_secs();
    let (least, most) = (allowed.start(), allowed.end());
    let out = || format!("a duration from {least} to {most} seconds");
    allowed.contains(&secs).then_some(secs).ok_or_else(out)
}

/// `90s`, `15m`, `2h`, `7d`, or a number of seconds.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let seconds = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" | "j" => 86_400,
        _ => return Err("a duration such as 90s, 15m or 2h".to_owned()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds))
        .filter(|seconds| (1..=366 * 86_400).contains(seconds))
        .map(std::time::Duration::from_secs)
        .ok_or_else(|| "a duration such as 90s, 15m or 2h".to_owned())
}

/// Nobody asks for nothing.
pub(super) fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}
