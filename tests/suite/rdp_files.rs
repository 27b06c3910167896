//! Files that are copied on the desktop of a real xrdp and saved here, and files that
//! are dropped here and pasted there, where its folder for them is mounted by FUSE.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use poterne::connect::files::{FilesSaid, FilesTold, Want};
use poterne::connect::link::{ChannelRequest, Link, ToRemote};
use poterne::gui::screen::Screen;
use poterne::gui::screen::files::News;

use crate::kit_rdp::*;

const PASSWORD: &str = "Pâte-à-sel 43 !";

/// A desktop as the window has it.
fn screen(link: &dyn Link) -> Screen {
    let (screen, sink) = Screen::new();
    let size = size(800, 600);
    let channel = link.open_channel(ChannelRequest::Screen { size }, sink);
    screen.attach(channel.unwrap_or_else(|e| panic!("{}", e.what.en)), size);
    screen.files().set_takes(link.info().takes_files);
    screen
}

/// Copies files on the desktop, as a file manager does.
fn copy_files(server: &Xrdp, files: &[PathBuf]) {
    let urls: String = files.iter().map(|file| format!("file://{}\r\n", file.display())).collect();
    let list = server.dir.path().join("list");
    fs::write(&list, urls).expect("ours");
    let list = list.to_str().expect("UTF-8");
    let args = ["-selection", "clipboard", "-t", "text/uri-list", "-i", list];
    let mut xclip = server.x_command("xclip", &args);
    let copied = xclip.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(copied.expect("it starts").success());
}

fn news(screen: &Screen, what: &str) -> News {
    eventually(what, || screen.files().news().filter(|_| screen.files().progress().is_none()))
}

/// Bytes that are not the same anywhere.
fn varied(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(next).collect()
}

fn theirs(server: &Xrdp, name: &str, content: &[u8]) -> PathBuf {
    let file = server.home().join(name);
    fs::write(&file, content).expect("ours");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("ours");
    file
}

#[test]
fn files_that_are_copied_on_the_desktop_are_saved_whole_beside_what_is_there() {
    let server = Xrdp::start(PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let screen = screen(&*link);
    server.display();
    let large = varied(1_300_001);
    let first = theirs(&server, "Relevé d’été n° 1.pdf", &large);
    let second = theirs(&server, "œuvre.txt", "à lire\n".as_bytes());
    let empty = theirs(&server, "vide", b"");
    copy_files(&server, &[first, second, empty]);
    eventually("they are told of", || (screen.files().copied() == 3).then_some(()));

    let into = tempfile::tempdir().expect("a folder");
    fs::write(into.path().join("œuvre.txt"), "à moi").expect("ours");
    screen.save_files(into.path().to_owned());
    let told = news(&screen, "they are saved");
    assert!(!told.bad, "{}", told.words.en);
    let read = |name: &str| fs::read(into.path().join(name)).unwrap_or_default();
    assert!(read("Relevé d’été n° 1.pdf") == large, "every byte of it");
    assert_eq!(read("œuvre (2).txt"), "à lire\n".as_bytes());
    assert_eq!(read("œuvre.txt"), "à moi".as_bytes());
    assert!(into.path().join("vide").exists());
    // One that is gone there meanwhile leaves nothing behind.
    let lost = theirs(&server, "perdu.bin", &large);
    copy_files(&server, std::slice::from_ref(&lost));
    eventually("it is told of", || (screen.files().copied() == 1).then_some(()));
    fs::remove_file(lost).expect("ours");
    screen.save_files(into.path().to_owned());
    let told = news(&screen, "it is missed");
    assert!(told.bad && told.words.fr.contains("perdu.bin"), "{}", told.words.fr);
    assert!(!into.path().join("perdu.bin").exists());
}

/// What the desktop would paste, as paths.
fn pasted(server: &Xrdp) -> Vec<PathBuf> {
    let args = ["-selection", "clipboard", "-t", "text/uri-list", "-o"];
    let out = server.x_command("xclip", &args).output().expect("it starts").stdout;
    let decoded = |line: &str| {
        let path = line.strip_prefix("file://")?;
        let mut bytes = Vec::new();
        let mut rest = path.as_bytes();
        while let Some((&first, more)) = rest.split_first() {
            let hex = (first == b'%').then(|| std::str::from_utf8(more.get(..2)?).ok()).flatten();
            match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &more[2..];
                }
                None => {
                    bytes.push(first);
                    rest = more;
                }
            }
        }
        Some(PathBuf::from(String::from_utf8(bytes).ok()?))
    };
    String::from_utf8_lossy(&out).lines().filter_map(|line| decoded(line.trim())).collect()
}

/// Reads a file as the user of the desktop: nobody else may look into the mount.
fn read_there(server: &Xrdp, path: &Path) -> Vec<u8> {
    let out = server.inside("cat", &[path.to_str().expect("UTF-8")]).output().expect("it starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

#[test]
fn files_that_are_dropped_on_the_desktop_are_pasted_there_whole() {
    if !mounts_here() {
        return;
    }
    let server = Xrdp::start(PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let screen = screen(&*link);
    server.display();
    let from = tempfile::tempdir().expect("a folder");
    let large = varied(900_001);
    let files = [("Café à 10 € – œuf.bin", &large[..]), ("deux.txt", b"zwei\n")];
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| from.path().join(name)).collect();
    for ((_, content), path) in files.iter().zip(&paths) {
        fs::write(path, content).expect("ours");
    }
    screen.drop_files(paths.clone());
    let told = news(&screen, "they are offered");
    assert!(!told.bad && told.words.en.contains('2'), "{}", told.words.en);
    let there = eventually("they can be pasted", || {
        let there = pasted(&server);
        (there.len() == 2).then_some(there)
    });
    for ((name, content), path) in files.iter().zip(&there) {
        assert_eq!(path.file_name().and_then(|n| n.to_str()), Some(*name));
        assert!(read_there(&server, path) == *content, "every byte of {name}");
    }
}

#[test]
fn files_keep_to_what_the_entry_allows() {
    let server = Xrdp::start(PASSWORD);
    let link = server.open(PASSWORD, &[("clipboard", "in")]);
    let screen = screen(&*link);
    server.display();
    let secret = theirs(&server, "secret.txt", b"garde-le");
    copy_files(&server, std::slice::from_ref(&secret));
    let from = tempfile::tempdir().expect("a folder");
    let file = from.path().join("va.txt");
    fs::write(&file, "va").expect("ours");
    screen.drop_files(vec![file.clone()]);
    eventually("it can be pasted", || (pasted(&server).len() == 1).then_some(()));
    assert_eq!(screen.files().copied(), 0);
    drop(screen);
    eventually("the link is over", || (!link.alive()).then_some(()));

    let link = server.open(PASSWORD, &[("clipboard", "out")]);
    assert!(!link.info().takes_files);
    let mut desk = Desktop::open(&*link, size(800, 600)).expect("it opens");
    desk.until("the desktop is there", |desk| desk.has_colour(790, 590));
    copy_files(&server, &[secret]);
    let copied = |said: &FilesSaid| matches!(said, FilesSaid::Copied(files) if files.len() == 1);
    desk.until("it is told of", |desk| desk.files.iter().any(copied));
    // Whoever offers all the same offers nothing.
    let offered = poterne::connect::files::CopiedFile {
        path: vec!["va.txt".into()],
        size: Some(2),
        folder: false,
    };
    desk.channel.send(ToRemote::Files(FilesTold::Offer(vec![offered])));
    let want = |ticket| FilesTold::Want(Want { ticket, index: 0, offset: 0, length: 8 });
    desk.channel.send(ToRemote::Files(want(77)));
    let piece = |said: &FilesSaid| match said {
        FilesSaid::Piece(piece) => {
            piece.ticket == 77 && piece.bytes.as_deref() == Some(b"garde-le")
        }
        _ => false,
    };
    desk.until("it is given", |desk| desk.files.iter().any(piece));
    assert!(!pasted(&server).iter().any(|path| path.ends_with("va.txt")));
}
