//! A folder of this machine on the desktop of a real xrdp, which mounts it by FUSE: what
//! can be read and written through it, and what cannot.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use poterne::connect::FailureKind;
use poterne::connect::link::Link;

use crate::kit_rdp::*;
use crate::kit_ssh::*;

const PASSWORD: &str = "Pâte-à-sel 45 !";

/// A folder with a file and a link out of it, and what the link leads to.
struct Here {
    /// The home of whoever connects.
    room: tempfile::TempDir,
    folder: PathBuf,
    outside: PathBuf,
}

impl Here {
    fn new() -> Self {
        let room = tempfile::tempdir().expect("a folder");
        let (folder, outside) = (room.path().join("Poterne/Échange"), room.path().join("ailleurs"));
        for made in [&folder, &outside] {
            fs::create_dir_all(made).expect("ours");
        }
        fs::write(outside.join("secret.txt"), "garde-le").expect("ours");
        fs::write(folder.join("relevé d’été.txt"), "de ce poste").expect("ours");
        symlink(&outside, folder.join("lien")).expect("ours");
        symlink(outside.join("secret.txt"), folder.join("fichier")).expect("ours");
        Self { room, folder, outside }
    }

    fn lease(&self) -> FakeLease {
        let home = ("HOME".into(), self.room.path().into());
        FakeLease { env: vec![home], ..FakeLease::default() }
    }
}

/// Opens a desktop with the folder, and waits until it is mounted there.
fn open(server: &Xrdp, here: &Here, access: &str) -> (Box<dyn Link>, Desktop, PathBuf) {
    let folder = here.folder.to_str().expect("UTF-8");
    let settings = [("folder", folder), ("folder-access", access)];
    let link = server.open_with(here.lease(), PASSWORD, &settings);
    let mut desk = Desktop::open(&*link, size(800, 600)).expect("it opens");
    desk.until("the desktop is there", |d| d.has_colour(790, 590));
    // xrdp calls it by its short name, which is one of letters without accents.
    let there = server.home().join("thinclient_drives/DRIVE");
    eventually("it is mounted there", || {
        let listed = server.inside("ls", &[there.to_str().expect("UTF-8")]).output();
        let listed = listed.expect("it starts");
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        names.contains("relevé d’été.txt").then_some(())
    });
    (link, desk, there)
}

/// What a line of shell says, in the folder as the user of the desktop sees it; `None`
/// when it fails.
fn there(server: &Xrdp, folder: &Path, line: &str) -> Option<String> {
    let line = format!("cd '{}' && {line}", folder.display());
    let done = server.inside("sh", &["-c", &line]).output().expect("it starts");
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
}

#[test]
fn a_shared_folder_is_read_and_written_and_nothing_beside_it() {
    if !mounts_here() {
        return;
    }
    let (server, here) = (Xrdp::start(PASSWORD), Here::new());
    let (link, _desk, folder) = open(&server, &here, "write");
    assert!(link.info().forwards[0].ends_with("Échange (rw)"), "{:?}", link.info().forwards);
    let run = |line: &str| there(&server, &folder, line);
    assert_eq!(run("cat 'relevé d’été.txt'").as_deref(), Some("de ce poste"));
    let long = "x".repeat(300_000);
    fs::write(here.folder.join("long"), &long).expect("ours");
    assert_eq!(run("cat long | wc -c").map(|n| n.trim().to_owned()).as_deref(), Some("300000"));
    assert!(run("mkdir 'À faire' && printf vu > 'À faire/noté.txt'").is_some());
    eventually("what is written there is here", || {
        (fs::read(here.folder.join("À faire/noté.txt")).ok()? == b"vu").then_some(())
    });
    assert!(run("mv 'À faire/noté.txt' fini.txt && rm 'relevé d’été.txt'").is_some());
    eventually("it is moved and gone here", || {
        let gone = !here.folder.join("relevé d’été.txt").exists();
        (gone && fs::read(here.folder.join("fini.txt")).ok()? == b"vu").then_some(())
    });
    // Links out of the folder lead nowhere.
    for line in ["cat lien/secret.txt", "cat fichier", "touch lien/x", "printf x > fichier"] {
        assert_eq!(run(line), None, "{line}");
    }
    assert_eq!(fs::read(here.outside.join("secret.txt")).expect("it stays"), b"garde-le");
    assert_eq!(fs::read_dir(&here.outside).expect("ours").count(), 1);
}

#[test]
fn a_folder_to_read_is_not_changed() {
    if !mounts_here() {
        return;
    }
    let (server, here) = (Xrdp::start(PASSWORD), Here::new());
    let (link, _desk, folder) = open(&server, &here, "read");
    assert!(link.info().forwards[0].ends_with("Échange (ro)"), "{:?}", link.info().forwards);
    let run = |line: &str| there(&server, &folder, line);
    assert_eq!(run("cat 'relevé d’été.txt'").as_deref(), Some("de ce poste"));
    for line in [
        "printf x > neuf",
        "mkdir neuf",
        "printf x >> 'relevé d’été.txt'",
        "rm 'relevé d’été.txt'",
        "mv 'relevé d’été.txt' autre",
    ] {
        let _ = run(line);
    }
    let mut names: Vec<_> =
        fs::read_dir(&here.folder).expect("ours").flatten().map(|f| f.file_name()).collect();
    names.sort();
    assert_eq!(names, ["fichier", "lien", "relevé d’été.txt"]);
    let kept = fs::read(here.folder.join("relevé d’été.txt")).expect("it stays");
    assert_eq!(kept, b"de ce poste");
}

#[test]
fn a_folder_that_is_not_given_is_said_before_anything_starts() {
    let (server, here) = (Xrdp::start(PASSWORD), Here::new());
    symlink("/proc", here.room.path().join("Poterne/système")).expect("ours");
    for (folder, words) in [
        ("/", "in ~/Poterne"),
        ("~/ailleurs", "in ~/Poterne"),
        ("~/Poterne/nulle part", "“~/Poterne/nulle part”"),
        ("~/Poterne/système", "the system"),
    ] {
        let mut hop = with(server.hop(), "folder", folder);
        hop.pinned.push(server.pinned());
        let mut lease = here.lease();
        let failure = must_fail(&rdp(hop), &mut lease);
        assert_eq!(failure.kind, FailureKind::Setting);
        assert!(failure.what.en.contains(words), "{}", failure.what.en);
        assert!(lease.taken.is_empty());
    }
}
