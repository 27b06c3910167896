//! The distribution's `openvpn`: where it is, and which version. Starts it only to ask
//! that.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::ID;
use crate::os::process::{self, Spawn};

/// The oldest version that is driven: the first whose management knows all that is
/// asked of it.
pub const LEAST: (u32, u32) = (2, 5);

/// Longest answer that is read, in bytes.
const ANSWER_MAX: u64 = 16 * 1024;

/// The program, also where only administrators have it in their `PATH`.
pub fn find() -> Option<PathBuf> {
    process::find([ID, "/usr/sbin/openvpn", "/usr/local/sbin/openvpn"])
}

/// What it calls its version, such as `2.6.3`; nothing where it does not say.
pub fn version(program: &Path) -> Option<String> {
    let spawn =
        Spawn { program: Some(program.into()), args: vec!["--version".into()], ..Spawn::default() };
    let mut child = process::spawn(spawn).ok()?;
    let mut said = Vec::new();
    if let Some(output) = child.stdout.take() {
        let _ = output.take(ANSWER_MAX).read_to_end(&mut said);
    }
    let _ = child.wait();
    of_answer(&String::from_utf8_lossy(&said))
}

/// Whether it is new enough.
pub fn serves(version: &str) -> bool {
    let mut numbers = version.split(['.', '_', '-']).map_while(|word| word.parse::<u32>().ok());
    let number = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    number >= LEAST
}

fn of_answer(said: &str) -> Option<String> {
    let rest = said.strip_prefix("OpenVPN ")?;
    let word = rest.split_ascii_whitespace().next()?;
    word.starts_with(|c: char| c.is_ascii_digit()).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{of_answer, serves};

    #[test]
    fn the_version_is_read_from_the_first_line() {
        let said = "OpenVPN 2.6.3 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO]\nlibrary versions: x\n";
        assert_eq!(of_answer(said).as_deref(), Some("2.6.3"));
        assert_eq!(of_answer("sh: 1: openvpn: not found"), None);
        assert_eq!(of_answer("OpenVPN git"), None);
    }

    #[test]
    fn older_versions_than_2_5_do_not_serve() {
        for (version, good) in [
            ("2.4.12", false),
            ("2.5", true),
            ("2.5.0", true),
            ("2.7_alpha1", true),
            ("3.0", true),
            ("x", false),
        ] {
            assert_eq!(serves(version), good, "{version}");
        }
    }
}
