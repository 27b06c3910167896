//! Files on the shared clipboard (MS-RDPECLIP section 1.3.1.4): what the channel
//! says of them and what the application says, each in the other's words. Opens no
//! file, holds no piece of one.

use ironrdp_cliprdr::pdu::{
    ClipboardFileAttributes, FileContentsFlags, FileContentsRequest, FileContentsResponse,
    FileDescriptor,
};

use crate::connect::files::{self, CopiedFile, PIECE_MAX, Want};

/// What the server copied; `None` when some of it may not be kept under its name, or
/// there is too much of it.
pub fn from_server(described: &[FileDescriptor]) -> Option<Vec<CopiedFile>> {
    let copied: Vec<CopiedFile> = described.iter().map(copied).collect();
    (files::fit(&copied) && copied.iter().all(CopiedFile::stays)).then_some(copied)
}

fn copied(file: &FileDescriptor) -> CopiedFile {
    let folders = file.relative_path.iter().flat_map(|path| path.split(['\\', '/']));
    let path = folders.chain([file.name.as_str()]).map(str::to_owned).collect();
    let directory = ClipboardFileAttributes::DIRECTORY;
    let folder = file.attributes.is_some_and(|a| a.contains(directory));
    CopiedFile { path, size: file.file_size, folder }
}

/// What is offered to the server.
pub fn to_server(files: &[CopiedFile]) -> Vec<FileDescriptor> {
    let described = |file: &CopiedFile| {
        let (name, folders) = file.path.split_last()?;
        let kind = match file.folder {
            true => ClipboardFileAttributes::DIRECTORY,
            false => ClipboardFileAttributes::NORMAL,
        };
        let mut described = FileDescriptor::new(name.clone());
        described.attributes = Some(kind);
        described.file_size = file.size;
        described.relative_path = (!folders.is_empty()).then(|| folders.join("\\"));
        Some(described)
    };
    files.iter().filter_map(described).collect()
}

/// The request for a piece.
pub fn request(want: Want) -> Option<FileContentsRequest> {
    Some(FileContentsRequest {
        stream_id: want.ticket,
        index: want.index.try_into().ok()?,
        flags: FileContentsFlags::RANGE,
        position: want.offset,
        requested_size: want.length.min(PIECE_MAX),
        data_id: None,
    })
}

/// What a request of the server comes to.
pub enum Asked {
    /// It is answered at once.
    Answer(FileContentsResponse<'static>),
    /// The application is asked.
    Ask(Want),
}

/// Looks at a request for what was offered.
pub fn asked(request: &FileContentsRequest, offered: &[CopiedFile]) -> Asked {
    let stream = request.stream_id;
    let file = usize::try_from(request.index).ok().and_then(|index| offered.get(index));
    let Some(file) = file.filter(|file| !file.folder) else {
        return Asked::Answer(FileContentsResponse::new_error(stream));
    };
    if request.flags.contains(FileContentsFlags::SIZE) {
        return Asked::Answer(match file.size {
            Some(size) => FileContentsResponse::new_size_response(stream, size),
            None => FileContentsResponse::new_error(stream),
        });
    }
    Asked::Ask(Want {
        ticket: stream,
        index: request.index.unsigned_abs(),
        offset: request.position,
        length: request.requested_size.min(PIECE_MAX),
    })
}
