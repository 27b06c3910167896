//! The folder of this machine that a person lets a far side see: which one is meant,
//! and which are never given. Reads nothing in it.

use std::io;
use std::path::{Component, Path, PathBuf};

/// Why a folder is not given.
#[derive(Debug)]
pub enum Unshared {
    /// It is not named from the root or from `~/`.
    Relative,
    /// It holds far more than what one would give: the root, the home, or what
    /// programs keep there under hidden names.
    TooMuch,
    /// It is not there, or no folder.
    Missing(io::Error),
}

/// The folder that is meant, links to it resolved.
///
/// # Errors
/// It is not given.
pub fn folder(named: &str) -> Result<PathBuf, Unshared> {
    let home = dirs::home_dir().and_then(|home| home.canonicalize().ok());
    of_home(named, home.as_deref())
}

fn of_home(named: &str, home: Option<&Path>) -> Result<PathBuf, Unshared> {
    let path = match (named.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(named),
    };
    if !path.is_absolute() {
        return Err(Unshared::Relative);
    }
    let real = path.canonicalize().map_err(Unshared::Missing)?;
    if !real.is_dir() {
        return Err(Unshared::Missing(io::ErrorKind::NotADirectory.into()));
    }
    let hidden = |part: Component<'_>| part.as_os_str().as_encoded_bytes().starts_with(b".");
    let kept = |home: &Path| {
        home.starts_with(&real)
            || real.strip_prefix(home).is_ok_and(|within| within.components().any(hidden))
    };
    if real.parent().is_none() || home.is_some_and(kept) {
        return Err(Unshared::TooMuch);
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_home_nor_what_is_above_or_hidden_in_it_is_given() {
        let room = tempfile::tempdir().expect("a folder");
        let home = room.path().canonicalize().expect("it is there");
        for folder in ["Échange/client", ".ssh/x"] {
            std::fs::create_dir_all(home.join(folder)).expect("ours");
        }
        let given = |named: &str| of_home(named, Some(&home));
        assert_eq!(given("~/Échange/client").ok(), Some(home.join("Échange/client")));
        for named in ["~/", "/", "~/.ssh", "~/.ssh/x", "~/Échange/..", "~/Échange/../.ssh"] {
            assert!(matches!(given(named), Err(Unshared::TooMuch)), "{named}");
        }
        let above = home.parent().expect("it lies somewhere").display().to_string();
        assert!(matches!(given(&above), Err(Unshared::TooMuch)));
        assert!(matches!(given("Échange"), Err(Unshared::Relative)));
        assert!(matches!(given("~/nulle part"), Err(Unshared::Missing(_))));
        std::fs::write(home.join("fichier"), "").expect("ours");
        assert!(matches!(given("~/fichier"), Err(Unshared::Missing(_))));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(home.join(".ssh"), home.join("lien")).expect("ours");
            assert!(matches!(given("~/lien"), Err(Unshared::TooMuch)), "where the link leads");
        }
    }
}
