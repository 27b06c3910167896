//! The folder of this machine that a far side may see: which one is meant, and which
//! are never given. Reads nothing in it.
//!
//! An entry may come from somebody else, so it can only name what a person of this
//! machine has put into one place for that: [`PLACE`].

use std::io;
use std::path::{Component, Path, PathBuf};

/// The folder of the home that holds what may be given, or links to it.
pub const PLACE: &str = "Poterne";
/// Places of the system, in which nothing is for others.
const SYSTEM: &[&str] = &["/boot", "/dev", "/etc", "/proc", "/run", "/sys"];

/// Why a folder is not given.
#[derive(Debug)]
pub enum Unshared {
    /// It is not named from [`PLACE`].
    Elsewhere,
    /// It leads to far more than what one would give: the root, the home, what
    /// programs keep there under hidden names, or the system's own places.
    TooMuch,
    /// It is not there, or no folder.
    Missing(io::Error),
}

/// The folder that is meant, links to it resolved.
///
/// # Errors
/// It is not given.
pub fn folder(named: &str) -> Result<PathBuf, Unshared> {
    let home = dirs::home_dir().ok_or(Unshared::Elsewhere)?;
    of_home(named, &home)
}

/// Entries that [`plain`] looks at.
const LOOKED_AT: usize = 20_000;

/// Whether there is no link anywhere in a folder: for programs that would follow one
/// out of it. False as well of what is too large to be looked through.
pub fn plain(folder: &Path) -> bool {
    let (mut folders, mut left) = (vec![folder.to_path_buf()], LOOKED_AT);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = folder.read_dir() else { return false };
        for entry in entries {
            let Some(kind) = entry.ok().and_then(|e| Some((e.file_type().ok()?, e.path()))) else {
                return false;
            };
            left -= 1;
            match kind {
                (kind, _) if kind.is_symlink() || left == 0 => return false,
                (kind, path) if kind.is_dir() => folders.push(path),
                _ => {}
            }
        }
    }
    true
}

fn of_home(named: &str, home: &Path) -> Result<PathBuf, Unshared> {
    let path = match named.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => PathBuf::from(named),
    };
    let within = path.strip_prefix(home.join(PLACE)).map_err(|_| Unshared::Elsewhere)?;
    if !within.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(Unshared::Elsewhere);
    }
    let real = path.canonicalize().map_err(Unshared::Missing)?;
    let home = home.canonicalize().map_err(Unshared::Missing)?;
    if !real.is_dir() {
        return Err(Unshared::Missing(io::ErrorKind::NotADirectory.into()));
    }
    let hidden = |part: Component<'_>| part.as_os_str().as_encoded_bytes().starts_with(b".");
    let kept = real.strip_prefix(&home).is_ok_and(|within| within.components().any(hidden));
    let systems = SYSTEM.iter().any(|place| real.starts_with(place));
    if real.parent().is_none() || home.starts_with(&real) || kept || systems {
        return Err(Unshared::TooMuch);
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_in_one_place_is_given_and_never_too_much() {
        let room = tempfile::tempdir().expect("a folder");
        let home = room.path().canonicalize().expect("it is there");
        for folder in ["Poterne/Échange/client", "Documents", ".ssh/x"] {
            std::fs::create_dir_all(home.join(folder)).expect("ours");
        }
        let given = |named: &str| of_home(named, &home);
        let there = home.join("Poterne/Échange/client");
        assert_eq!(given("~/Poterne/Échange/client").ok(), Some(there.clone()));
        assert_eq!(given(there.to_str().expect("UTF-8")).ok(), Some(there));
        assert_eq!(given("~/Poterne").ok(), Some(home.join("Poterne")));
        for named in
            ["", "~/", "/", "/proc", "~/Documents", "~/.ssh", "~/Poterne/../Documents", "Poterne"]
        {
            assert!(matches!(given(named), Err(Unshared::Elsewhere)), "{named}");
        }
        assert!(matches!(given("~/Poterne/nulle part"), Err(Unshared::Missing(_))));
        std::fs::write(home.join("Poterne/fichier"), "").expect("ours");
        assert!(matches!(given("~/Poterne/fichier"), Err(Unshared::Missing(_))));
        #[cfg(unix)]
        {
            let link = |to: &Path, name: &str| {
                std::os::unix::fs::symlink(to, home.join("Poterne").join(name)).expect("ours");
                given(&format!("~/Poterne/{name}"))
            };
            let meant = link(&home.join("Documents"), "documents");
            assert_eq!(meant.ok(), Some(home.join("Documents")), "a person of here meant it");
            // But who shares the whole place does not share what its links lead to.
            assert!(!plain(&home.join("Poterne")) && plain(&home.join("Poterne/Échange")));
            let hidden = home.join("Poterne/Échange/client/lien");
            std::os::unix::fs::symlink("/etc", &hidden).expect("ours");
            assert!(!plain(&home.join("Poterne/Échange")));
            std::fs::remove_file(&hidden).expect("ours");
            for (to, name) in [
                (home.join(".ssh"), "clés"),
                (home.clone(), "tout"),
                ("/".into(), "racine"),
                ("/proc/self".into(), "moi"),
            ] {
                assert!(matches!(link(&to, name), Err(Unshared::TooMuch)), "{name}");
            }
        }
    }
}
