//! Files on the clipboards of a desktop, in plain values: what is copied there can be
//! read from here piece by piece, and the other way round. Nothing is read before
//! somebody pastes it; opens no file.

use serde::{Deserialize, Serialize};

use crate::model::unseen;

/// Most bytes of one piece.
pub const PIECE_MAX: u32 = 1 << 18;
/// Most files and folders of one copy.
pub const FILES_MAX: usize = 4096;
/// Most bytes of their names together.
const NAMES_MAX: usize = 1 << 19;
/// Most UTF-16 units of a path, its separators included (MS-RDPECLIP section
/// 2.2.5.2.3.1).
const PATH_MAX: usize = 259;

/// A file or folder that was copied.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CopiedFile {
    /// Names of the folders it is in, of those that were copied with it, then its own.
    pub path: Vec<String>,
    /// Its bytes, where they are known.
    pub size: Option<u64>,
    /// It is a folder.
    pub folder: bool,
}

impl CopiedFile {
    /// Whether its path stays within the folder that it is put into, on any system,
    /// and fits into the protocol.
    pub fn stays(&self) -> bool {
        let units: usize = self.path.iter().map(|name| name.encode_utf16().count() + 1).sum();
        (1..=PATH_MAX + 1).contains(&units) && self.path.iter().all(|name| is_name(name))
    }
}

/// Whether one copy may be of all these.
pub fn fit(files: &[CopiedFile]) -> bool {
    let names = files.iter().flat_map(|file| &file.path).map(|name| name.len() + 2);
    files.len() <= FILES_MAX && names.sum::<usize>() <= NAMES_MAX
}

/// A name that is nothing but a name, and is seen as what it is.
fn is_name(name: &str) -> bool {
    let bare = name.trim_end_matches(['.', ' ']);
    // Ends of names that Windows drops, and its devices, whatever follows the dot.
    let device = {
        let stem = bare.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
        let numbered = |word: &str| {
            let mut number = stem.strip_prefix(word).unwrap_or_default().chars();
            let digit = |c: char| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³');
            number.next().is_some_and(digit) && number.next().is_none()
        };
        matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
            || numbered("COM")
            || numbered("LPT")
    };
    let forbidden = |c: char| "/\\:".contains(c) || unseen::hidden(c);
    !bare.is_empty() && !device && !name.contains(forbidden)
}

/// A piece of a file that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Want {
    /// Named in the answer; of whoever wants it.
    pub ticket: u32,
    /// Which of the files that were copied.
    pub index: u32,
    /// From this byte.
    pub offset: u64,
    /// At most so many bytes, at most [`PIECE_MAX`].
    pub length: u32,
}

/// The answer to a [`Want`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Piece {
    /// Of the want.
    pub ticket: u32,
    /// The bytes; fewer than wanted at the end of the file; `None` when it cannot be
    /// read.
    pub bytes: Option<Vec<u8>>,
}

/// What the far side says of files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum FilesSaid {
    /// These are on its clipboard now; none are not any more.
    Copied(Vec<CopiedFile>),
    /// What is on it has names that leave a folder, or is too much.
    Refused,
    /// A piece of one of them.
    Piece(Piece),
    /// It wants a piece of what was offered last.
    Want(Want),
}

/// What the far side is told of files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum FilesTold {
    /// These are on the clipboard here.
    Offer(Vec<CopiedFile>),
    /// A piece of what it copied last is wanted.
    Want(Want),
    /// A piece of what was offered.
    Piece(Piece),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_its_folder_is_seen() {
        let stays = |path: &[&str]| {
            let path = path.iter().map(|&name| name.to_owned()).collect();
            CopiedFile { path, size: None, folder: false }.stays()
        };
        assert!(stays(&["été à Noël", "Facture n° 4 œuf.pdf"]) && stays(&[".profile"]));
        assert!(stays(&[
            "console.log",
            "com.txt",
            "..caché",
            "lpt10",
            "conin",
            "m² 👩\u{200d}🔬.txt"
        ]));
        let long = "é".repeat(259);
        assert!(stays(&[&long]) && !stays(&[&long, "a"]) && !stays(&[]));
        for bad in ["", ".", "..", "...", " ", "a/b", "a\\b", "C:", "a\nb", "a\0", "/etc"] {
            assert!(!stays(&[bad]) && !stays(&["ok", bad]) && !stays(&[bad, "ok"]), "{bad:?}");
        }
        for device in [
            "nul",
            "CON.txt",
            "Lpt1",
            "com9.tar.gz",
            "conin$",
            "CONOUT$.txt",
            "COM²",
            "lpt¹.x",
            "aux .c",
        ] {
            assert!(!stays(&[device]), "{device}");
        }
        let turns = ['\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}'];
        for turn in turns {
            assert!(!stays(&[&format!("facture{turn}fdp.exe")]), "{turn:?}");
        }
    }
}
