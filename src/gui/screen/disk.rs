//! The disk's side of copied files: where those of the far side land, within a folder
//! that the person chose, and what is read of those that the person dropped. Never
//! writes over anything, follows no link.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::connect::files::{CopiedFile, FILES_MAX, PIECE_MAX, Want};

/// How many names are tried for one that is taken.
const NAMES: u32 = 1000;
/// Most bytes of a name while its file arrives, so that what marks it fits as well.
const PART_MAX: usize = 200;

/// A folder into which files are copied.
pub struct Landing {
    into: PathBuf,
    /// Where the folders that were copied came to lie.
    tops: HashMap<String, PathBuf>,
}

impl Landing {
    /// In a folder that is there.
    pub fn new(into: &Path) -> Self {
        Self { into: into.to_owned(), tops: HashMap::new() }
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// It cannot be made, or a link is in its place.
    pub fn folder(&mut self, names: &[String]) -> io::Result<PathBuf> {
        let Some((top, rest)) = names.split_first() else { return Ok(self.into.clone()) };
        let mut at = match self.tops.get(top) {
            Some(at) => at.clone(),
            None => {
                let (_, at) = unused(&self.into, &seen(top), |at| fs::create_dir(at))?;
                self.tops.insert(top.clone(), at.clone());
                at
            }
        };
        for name in rest {
            at.push(&*seen(name));
            match fs::create_dir(&at) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    if !fs::symlink_metadata(&at)?.is_dir() {
                        return Err(e);
                    }
                }
                made => made?,
            }
        }
        Ok(at)
    }

    /// Begins a file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn file(&mut self, path: &[String]) -> io::Result<Arrival> {
        let (name, folders) = path.split_last().ok_or(io::ErrorKind::InvalidInput)?;
        let folder = self.folder(folders)?;
        let name = seen(name).into_owned();
        let fits = |(at, c): &(usize, char)| at + c.len_utf8() <= PART_MAX;
        let short: String = name.char_indices().take_while(fits).map(|(_, c)| c).collect();
        let (file, part) = unused(&folder, &format!("{short}.part"), own)?;
        Ok(Arrival { file, part, folder, name })
    }
}

/// A file under way, under a name that says so: a crash leaves no half file that looks
/// whole. Dropped before it is kept, it leaves nothing.
pub struct Arrival {
    file: File,
    part: PathBuf,
    folder: PathBuf,
    name: String,
}

impl Arrival {
    /// Writes what follows.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Gives the whole file its name, or one beside that which is taken.
    ///
    /// # Errors
    /// It does not reach the disk, or no name is free.
    pub fn keep(self) -> io::Result<PathBuf> {
        self.file.sync_all()?;
        let (_, at) = unused(&self.folder, &self.name, |at| self.publish(at))?;
        Ok(at)
    }

    fn publish(&self, at: &Path) -> io::Result<()> {
        match fs::hard_link(&self.part, at) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {}
            done => return done,
        }
        // Some file systems have no second names: the name is taken first, so that
        // nothing but that empty file is replaced.
        own(at)?;
        fs::rename(&self.part, at).inspect_err(|_| {
            let _ = fs::remove_file(at);
        })
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.part);
    }
}

/// A name under which the person sees what came: a file that begins with a dot would be
/// hidden, and many of them are read by programs that nobody starts by hand.
fn seen(name: &str) -> Cow<'_, str> {
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}").into(),
        None => name.into(),
    }
}

/// A new file, for its owner alone.
fn own(at: &Path) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(at)
}

/// Makes something under `name` or, where that is taken, under `name (2)` and so on.
fn unused<T>(
    folder: &Path,
    name: &str,
    make: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<(T, PathBuf)> {
    let (stem, end) = match name.rfind('.').filter(|dot| *dot > 0) {
        Some(dot) => name.split_at(dot),
        None => (name, ""),
    };
    for number in 1..=NAMES {
        let at = match number {
            1 => folder.join(name),
            number => folder.join(format!("{stem} ({number}){end}")),
        };
        match make(&at) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|made| (made, at)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Files that were dropped, to be read when the far side wants them.
pub struct Dropped {
    /// What the far side is told of them.
    pub files: Vec<CopiedFile>,
    places: Vec<(PathBuf, Identity)>,
    open: Option<(u32, File)>,
}

/// What tells a file from another that takes its name (device and number).
#[cfg(unix)]
type Identity = (u64, u64);
#[cfg(not(unix))]
type Identity = ();

#[cfg(unix)]
fn identity(is: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (is.dev(), is.ino())
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {}

/// Opens the file that was looked at, and no other that has come into its place: a
/// link would give away what the person did not drop, a pipe would never answer.
fn open_same(at: &Path, was: Identity) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC,
    );
    let file = options.open(at)?;
    let is = file.metadata()?;
    match is.is_file() && identity(&is) == was {
        true => Ok(file),
        false => Err(io::ErrorKind::NotFound.into()),
    }
}

impl Dropped {
    /// Looks at what was dropped, folders with all that is in them.
    ///
    /// # Errors
    /// Some of it cannot be looked at, has a name that cannot travel, or it is too
    /// much.
    pub fn look(paths: &[PathBuf]) -> io::Result<Self> {
        let mut all = Self { files: Vec::new(), places: Vec::new(), open: None };
        for path in paths {
            // What the person dropped may be a link; what lies in a folder may not.
            let at = fs::canonicalize(path)?;
            let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
            all.add(&at, name, &fs::symlink_metadata(&at)?, &[])?;
        }
        match crate::connect::files::fit(&all.files) {
            true => Ok(all),
            false => Err(io::ErrorKind::FileTooLarge.into()),
        }
    }

    fn add(
        &mut self,
        at: &Path,
        name: &OsStr,
        is: &fs::Metadata,
        within: &[String],
    ) -> io::Result<()> {
        let name = name.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
        let path = [within, &[name.to_owned()]].concat();
        let folder = is.is_dir();
        if !folder && !is.is_file() {
            return Ok(());
        }
        let size = (!folder).then_some(is.len());
        let file = CopiedFile { path: path.clone(), size, folder };
        if !file.stays() {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        if self.files.len() >= FILES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.files.push(file);
        self.places.push((at.to_owned(), identity(is)));
        if folder {
            let mut inside: Vec<_> = fs::read_dir(at)?.collect::<Result<_, _>>()?;
            inside.sort_by_key(fs::DirEntry::file_name);
            for entry in inside {
                self.add(&entry.path(), &entry.file_name(), &entry.metadata()?, &path)?;
            }
        }
        Ok(())
    }

    /// A piece of one of them.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn read(&mut self, want: Want) -> io::Result<Vec<u8>> {
        if self.open.as_ref().is_none_or(|(index, _)| *index != want.index) {
            let place = usize::try_from(want.index).map_err(io::Error::other)?;
            let (path, was) = self.places.get(place).ok_or(io::ErrorKind::NotFound)?;
            self.open = Some((want.index, open_same(path, *was)?));
        }
        let (_, file) = self.open.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(want.offset))?;
        let mut bytes = Vec::new();
        file.take(u64::from(want.length.min(PIECE_MAX))).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &[&str]) -> Vec<String> {
        path.iter().map(|&name| name.to_owned()).collect()
    }

    fn land(landing: &mut Landing, path: &[&str], bytes: &[u8]) -> io::Result<PathBuf> {
        let mut arrival = landing.file(&names(path))?;
        arrival.write(bytes)?;
        arrival.keep()
    }

    #[test]
    fn a_file_has_its_name_when_it_is_whole() {
        let room = tempfile::tempdir().expect("a folder");
        let there = || {
            let names = fs::read_dir(room.path()).expect("ours").map(|e| e.expect("ours").path());
            names.collect::<Vec<_>>()
        };
        let mut landing = Landing::new(room.path());
        let mut arrival = landing.file(&names(&["a.txt"])).expect("ours");
        arrival.write(b"un").expect("ours");
        assert_eq!(there(), [room.path().join("a.txt.part")]);
        drop(arrival);
        assert!(there().is_empty(), "half a file is no file");
        // What takes the name meanwhile keeps it.
        let mut arrival = landing.file(&names(&["a.txt"])).expect("ours");
        arrival.write(b"deux").expect("ours");
        fs::write(room.path().join("a.txt"), "à moi").expect("ours");
        assert_eq!(arrival.keep().expect("beside it"), room.path().join("a (2).txt"));
        assert_eq!(fs::read(room.path().join("a (2).txt")).expect("whole"), b"deux");
        assert_eq!(there().len(), 2);
        let long = format!("{}.txt", "é".repeat(125));
        assert_eq!(land(&mut landing, &[&long], b"").expect("it fits"), room.path().join(&long));
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_over_and_a_link_leads_nowhere() {
        let room = tempfile::tempdir().expect("a folder");
        let (into, outside) = (room.path().join("ici"), room.path().join("ailleurs"));
        for folder in [&into, &outside] {
            fs::create_dir(folder).expect("ours");
        }
        fs::write(into.join("été.txt"), "à moi").expect("ours");
        std::os::unix::fs::symlink(&outside, into.join("lien")).expect("ours");
        std::os::unix::fs::symlink(outside.join("x"), into.join("x")).expect("ours");
        let mut landing = Landing::new(&into);
        let at = land(&mut landing, &["été.txt"], b"neuf").expect("beside it");
        assert_eq!(at, into.join("été (2).txt"));
        assert_eq!(fs::read(into.join("été.txt")).expect("it stays"), "à moi".as_bytes());
        // Both halves of a folder land in the same, which is not the link.
        let first = land(&mut landing, &["lien", "a"], b"").expect("in a new folder");
        assert_eq!(landing.folder(&names(&["lien", "b"])).expect("ours"), into.join("lien (2)/b"));
        let second = land(&mut landing, &["lien", "b", "c"], b"").expect("ours");
        assert_eq!((first, second), (into.join("lien (2)/a"), into.join("lien (2)/b/c")));
        assert_eq!(land(&mut landing, &["x"], b"").expect("beside"), into.join("x (2)"));
        // A link that appears within it is not followed either.
        std::os::unix::fs::symlink(&outside, into.join("lien (2)/piège")).expect("ours");
        assert!(land(&mut landing, &["lien", "piège", "d"], b"").is_err());
        assert!(fs::read_dir(&outside).expect("ours").next().is_none());
    }

    #[test]
    fn what_came_from_there_is_seen_at_every_level() {
        let room = tempfile::tempdir().expect("a folder");
        let mut landing = Landing::new(room.path());
        for (from, to) in [
            (&[".bash_profile"][..], "_bash_profile"),
            (&["..x"], "_.x"),
            (&[".config", ".autostart", ".x"], "_config/_autostart/_x"),
            // The folder that is called so beside it is another.
            (&["_config", "a"], "_config (2)/a"),
        ] {
            assert_eq!(land(&mut landing, from, b"").expect("ours"), room.path().join(to));
        }
        assert_eq!(landing.folder(&names(&[".ssh"])).expect("ours"), room.path().join("_ssh"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_dropped_is_told_with_its_folders_and_read_by_pieces() {
        let room = tempfile::tempdir().expect("a folder");
        let folder = room.path().join("dossier à part");
        fs::create_dir(&folder).expect("ours");
        fs::write(folder.join("œuf.txt"), "0123456789").expect("ours");
        std::os::unix::fs::symlink("/etc/passwd", folder.join("lien")).expect("ours");
        let mut dropped = Dropped::look(std::slice::from_ref(&folder)).expect("it can be read");
        let told =
            |path: &[&str], size| CopiedFile { path: names(path), size, folder: size.is_none() };
        let all = [told(&["dossier à part"], None), told(&["dossier à part", "œuf.txt"], Some(10))];
        assert_eq!(dropped.files, all);
        let want = |index, offset, length| Want { ticket: 1, index, offset, length };
        assert_eq!(dropped.read(want(1, 2, 4)).expect("it is there"), b"2345");
        assert_eq!(dropped.read(want(1, 8, 99)).expect("it is there"), b"89");
        assert!(dropped.read(want(0, 0, 1)).is_err() && dropped.read(want(2, 0, 1)).is_err());
        fs::write(folder.join("a:b"), "").expect("ours");
        assert!(Dropped::look(&[folder]).is_err(), "a name that Windows takes otherwise");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_takes_the_place_of_a_dropped_file_is_not_read() {
        use std::os::unix::fs::symlink;

        let room = tempfile::tempdir().expect("a folder");
        let at = |name: &str| room.path().join(name);
        fs::create_dir(at("dossier")).expect("ours");
        fs::create_dir(at("autre")).expect("ours");
        for name in ["a", "b", "c", "d", "dossier/e", "autre/e", "secret"] {
            fs::write(at(name), name).expect("ours");
        }
        symlink(at("d"), at("lien")).expect("ours");
        let paths = ["a", "b", "c", "lien", "dossier"].map(at);
        let mut dropped = Dropped::look(&paths).expect("they can be read");
        assert_eq!(dropped.files[3].path, ["lien"], "under the name that was dropped");
        for name in ["a", "b", "c"] {
            // Kept, so that no other file gets its number.
            fs::rename(at(name), at(&format!("{name}.avant"))).expect("ours");
        }
        symlink(at("secret"), at("a")).expect("ours");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, at("b"), mode).expect("ours");
        fs::write(at("c"), "autre").expect("ours");
        fs::remove_file(at("lien")).expect("ours");
        symlink(at("secret"), at("lien")).expect("ours");
        fs::rename(at("dossier"), at("avant")).expect("ours");
        symlink(at("autre"), at("dossier")).expect("ours");
        let mut read = |index| dropped.read(Want { ticket: 1, index, offset: 0, length: 9 });
        for (index, what) in [(0, "a link"), (1, "a pipe"), (2, "a file"), (5, "a folder")] {
            assert!(read(index).is_err(), "{what} took its place");
        }
        assert_eq!(read(3).expect("what the link was of when it was dropped"), b"d");
    }
}
