//! The strict shape of a bundle's ZIP: exactly the expected files, each once,
//! one after another from the first byte, then the directory, then the end. Two
//! programs cannot read different files out of such an archive.

use std::io::{self, Read, Seek, SeekFrom};

/// What is wrong with the archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// Not a ZIP, damaged, or with bytes that belong to no file.
    Archive,
    /// The file is there twice.
    Twice(String),
    /// The file does not belong there.
    Extra(String),
    /// The file is not there.
    Absent(String),
}

const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const LOCAL: u32 = 0x0403_4b50;
/// A directory of a handful of files is far smaller.
const MOST_DIRECTORY: u64 = 64 * 1024;

/// Checks the shape and returns its flaws, none for a good one; the error is a
/// failing disk. After [`Flaw::Archive`] or [`Flaw::Twice`], always the last,
/// nothing in the archive means anything.
pub fn check<R: Read + Seek>(file: &mut R, expected: &[&str]) -> io::Result<Vec<Flaw>> {
    let mut flaws = Vec::new();
    if let Some(fatal) = walk(file, expected, &mut flaws)? {
        flaws.push(fatal);
    }
    Ok(flaws)
}

/// The flaw that makes going on useless, if there is one; others go to `flaws`.
fn walk<R: Read + Seek>(
    file: &mut R,
    expected: &[&str],
    flaws: &mut Vec<Flaw>,
) -> io::Result<Option<Flaw>> {
    let size = file.seek(SeekFrom::End(0))?;
    let Some(directory) = directory(file, size)? else { return Ok(Some(Flaw::Archive)) };
    let mut names: Vec<String> = Vec::new();
    let mut rest = &directory.bytes[..];
    let mut offset = 0;
    while !rest.is_empty() {
        let Some((entry, tail)) = Central::read(rest) else { return Ok(Some(Flaw::Archive)) };
        rest = tail;
        if entry.offset != offset {
            return Ok(Some(Flaw::Archive));
        }
        let length = local_length(file, &entry)?;
        match length.and_then(|length| offset.checked_add(length)) {
            Some(end) if end <= directory.start => offset = end,
            _ => return Ok(Some(Flaw::Archive)),
        }
        let name = String::from_utf8_lossy(entry.name).into_owned();
        if names.contains(&name) {
            return Ok(Some(Flaw::Twice(name)));
        }
        if !expected.contains(&name.as_str()) {
            flaws.push(Flaw::Extra(name.clone()));
        }
        names.push(name);
    }
    if offset != directory.start || names.len() as u64 != directory.entries {
        return Ok(Some(Flaw::Archive));
    }
    let absent = expected.iter().filter(|e| !names.iter().any(|n| n == **e));
    flaws.extend(absent.map(|name| Flaw::Absent((*name).to_owned())));
    Ok(None)
}

struct Directory {
    start: u64,
    entries: u64,
    bytes: Vec<u8>,
}

/// The central directory, if it ends where the end records begin and these end
/// with the file.
fn directory<R: Read + Seek>(file: &mut R, size: u64) -> io::Result<Option<Directory>> {
    let Some(end_at) = size.checked_sub(22) else { return Ok(None) };
    let end: [u8; 22] = bytes_at(file, end_at)?;
    if u32_at(&end, 0) != END || u16_at(&end, 20) != 0 {
        return Ok(None);
    }
    let (mut entries, mut length, mut start) =
        (u64::from(u16_at(&end, 10)), u64::from(u32_at(&end, 12)), u64::from(u32_at(&end, 16)));
    let mut stop = end_at;
    let large = entries == 0xFFFF || length == 0xFFFF_FFFF || start == 0xFFFF_FFFF;
    if let (true, Some(records)) = (large, end_at.checked_sub(76)) {
        let records: (u64, [u8; 76]) = (records, bytes_at(file, records)?);
        let (at, bytes) = records;
        if u32_at(&bytes, 0) != END64
            || u64_at(&bytes, 4) != 44
            || u32_at(&bytes, 56) != LOCATOR64
            || u64_at(&bytes, 64) != at
        {
            return Ok(None);
        }
        (entries, length, start) = (u64_at(&bytes, 32), u64_at(&bytes, 40), u64_at(&bytes, 48));
        stop = at;
    }
    if length > MOST_DIRECTORY || start.checked_add(length) != Some(stop) {
        return Ok(None);
    }
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut bytes)?;
    Ok(Some(Directory { start, entries, bytes }))
}

/// One record of the directory.
struct Central<'a> {
    name: &'a [u8],
    compressed: u64,
    offset: u64,
}

impl<'a> Central<'a> {
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (fixed, rest) = bytes.split_first_chunk::<46>()?;
        if u32_at(fixed, 0) != CENTRAL || u16_at(fixed, 32) != 0 {
            return None;
        }
        let (name, rest) = rest.split_at_checked(usize::from(u16_at(fixed, 28)))?;
        let (mut extra, rest) = rest.split_at_checked(usize::from(u16_at(fixed, 30)))?;
        let mut long = &[][..];
        while let Some((head, tail)) = extra.split_first_chunk::<4>() {
            let (data, tail) = tail.split_at_checked(usize::from(u16_at(head, 2)))?;
            if u16_at(head, 0) == 1 {
                long = data;
            }
            extra = tail;
        }
        // Present in this order, and only those that did not fit.
        let mut wide = |short: u32| -> Option<u64> {
            if short != u32::MAX {
                return Some(u64::from(short));
            }
            let (value, rest) = long.split_first_chunk::<8>()?;
            long = rest;
            Some(u64::from_le_bytes(*value))
        };
        wide(u32_at(fixed, 24))?;
        let compressed = wide(u32_at(fixed, 20))?;
        let offset = wide(u32_at(fixed, 42))?;
        Some((Self { name, compressed, offset }, rest))
    }
}

/// Length of header and content, if the header there is for the same name and
/// no data descriptor follows.
fn local_length<R: Read + Seek>(file: &mut R, entry: &Central<'_>) -> io::Result<Option<u64>> {
    let head: [u8; 30] = match bytes_at(file, entry.offset) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    };
    let (name_len, extra_len) = (u16_at(&head, 26), u16_at(&head, 28));
    let mut name = vec![0; usize::from(name_len)];
    file.read_exact(&mut name)?;
    let plain = u32_at(&head, 0) == LOCAL && u16_at(&head, 6) & 0b1001 == 0;
    let length = (30 + u64::from(name_len) + u64::from(extra_len)).checked_add(entry.compressed);
    Ok(length.filter(|_| plain && name == entry.name))
}

fn bytes_at<R: Read + Seek, const N: usize>(file: &mut R, at: u64) -> io::Result<[u8; N]> {
    let mut out = [0; N];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut out)?;
    Ok(out)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
