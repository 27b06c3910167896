//! The shared clipboard (MS-RDPECLIP): text and files, in the directions that the entry
//! allows. The channel says what it wants through a list that the session reads
//! after each message; nothing here sends by itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ironrdp_cliprdr::Client;
use ironrdp_cliprdr::backend::CliprdrBackend;
use ironrdp_cliprdr::pdu::{
    ClipboardFormat, ClipboardFormatId, ClipboardFormatName, ClipboardGeneralCapabilityFlags,
    FileContentsRequest, FileContentsResponse, FileDescriptor, FormatDataRequest,
    FormatDataResponse, LockDataId, OwnedFormatDataResponse,
};
use ironrdp_cliprdr::{CliprdrClient, CliprdrSvcMessages};
use ironrdp_core::impl_as_any;

use super::clipfiles::{self, Asked};
use crate::connect::desk::clipboard::Clipboard;
use crate::connect::files::{CopiedFile, FILES_MAX, FilesSaid, FilesTold, PIECE_MAX, Piece};
use crate::secret::SecretText;

/// Most bytes of text that travel in one piece to the application.
pub const TEXT_MAX: usize = 1 << 20;

/// What the channel wants of the session.
#[derive(Debug)]
enum Wish {
    /// It is told what can be had here.
    Offer,
    /// The server can give text.
    Fetch,
    /// The server asks for the text in this format.
    Give(ClipboardFormatId),
    /// The server's text (UTF-16).
    Arrived(Vec<u8>),
    /// The channel is ready.
    Ready,
    /// The server has other things than before, among them a list of files in this
    /// format.
    Changed(Option<ClipboardFormatId>),
    /// The server's files.
    Files(Vec<FileDescriptor>),
    /// The server asks for a piece of a file.
    Want(FileContentsRequest),
    /// A piece of one of the server's files.
    Piece(Piece),
}

/// What channel and session share.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Vec<Wish>>>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    fn wishes(&self) -> MutexGuard<'_, Vec<Wish>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The channel's side.
#[derive(Debug)]
pub struct Board(Shared);

impl Board {
    /// One that tells its wishes to `shared`.
    pub fn new(shared: Shared) -> Self {
        Self(shared)
    }

    fn wish(&self, wish: Wish) {
        self.0.wishes().push(wish);
    }
}

impl_as_any!(Board);

impl CliprdrBackend for Board {
    fn temporary_directory(&self) -> &str {
        ""
    }

    fn client_capabilities(&self) -> ClipboardGeneralCapabilityFlags {
        ClipboardGeneralCapabilityFlags::USE_LONG_FORMAT_NAMES
            | ClipboardGeneralCapabilityFlags::STREAM_FILECLIP_ENABLED
            | ClipboardGeneralCapabilityFlags::FILECLIP_NO_FILE_PATHS
            | ClipboardGeneralCapabilityFlags::HUGE_FILE_SUPPORT_ENABLED
    }

    fn on_ready(&mut self) {
        self.wish(Wish::Ready);
    }

    fn on_request_format_list(&mut self) {
        self.wish(Wish::Offer);
    }

    fn on_process_negotiated_capabilities(&mut self, _: ClipboardGeneralCapabilityFlags) {}

    fn on_remote_copy(&mut self, formats: &[ClipboardFormat]) {
        let files = ClipboardFormatName::FILE_LIST;
        let named = |f: &&ClipboardFormat| f.name().is_some_and(|n| n.value() == files.value());
        self.wish(Wish::Changed(formats.iter().find(named).map(ClipboardFormat::id)));
        if formats.iter().any(|f| f.id() == ClipboardFormatId::CF_UNICODETEXT) {
            self.wish(Wish::Fetch);
        }
    }

    fn on_format_data_request(&mut self, request: FormatDataRequest) {
        self.wish(Wish::Give(request.format));
    }

    fn on_format_data_response(&mut self, response: FormatDataResponse<'_>) {
        if !response.is_error() {
            self.wish(Wish::Arrived(response.into_data().into_owned()));
        }
    }

    fn on_remote_file_list(&mut self, files: &[FileDescriptor], _: Option<u32>) {
        self.wish(Wish::Files(files.to_vec()));
    }

    fn on_file_contents_request(&mut self, request: FileContentsRequest) {
        self.wish(Wish::Want(request));
    }

    fn on_file_contents_response(&mut self, response: FileContentsResponse<'_>) {
        // No more was asked for, and the application takes no more in one message.
        let fits = !response.is_error() && response.data().len() <= PIECE_MAX as usize;
        let bytes = fits.then(|| response.data().to_vec());
        self.wish(Wish::Piece(Piece { ticket: response.stream_id(), bytes }));
    }

    fn on_lock(&mut self, _: LockDataId) {}
    fn on_unlock(&mut self, _: LockDataId) {}
}

/// The session's side.
pub struct Clip {
    shared: Shared,
    policy: Clipboard,
    /// What was copied here last: text, or files.
    here: Option<SecretText>,
    files: Vec<CopiedFile>,
    /// The server has files, as the application was told.
    told: bool,
}

/// What is to be done for the channel.
pub enum Todo {
    /// These messages go out on it.
    Send(CliprdrSvcMessages<Client>),
    /// This text came from the server.
    Show(SecretText),
    /// This is said of files.
    Say(FilesSaid),
}

impl Clip {
    /// One that reads the wishes of `shared`.
    pub fn new(shared: Shared, policy: Clipboard) -> Self {
        Self { shared, policy, here: None, files: Vec::new(), told: false }
    }

    /// Something was copied here.
    pub fn copied(&mut self, text: SecretText, channel: &mut CliprdrClient) -> Option<Todo> {
        if !self.policy.to_server {
            return None;
        }
        self.here = Some(text);
        self.files.clear();
        // Before the channel is ready, it asks by itself what there is.
        if channel.is_ready() { self.offer(channel) } else { None }
    }

    fn offer(&self, channel: &mut CliprdrClient) -> Option<Todo> {
        let text = [ClipboardFormat::new(ClipboardFormatId::CF_UNICODETEXT)];
        let formats = if self.here.is_some() { &text[..] } else { &[] };
        channel.initiate_copy(formats).ok().map(Todo::Send)
    }

    /// The application says something of files.
    pub fn files(&mut self, told: FilesTold, channel: &mut CliprdrClient) -> Option<Todo> {
        match told {
            FilesTold::Offer(files) if self.policy.to_server => {
                self.files = files;
                self.files.truncate(FILES_MAX);
                // The channel drops what does not fit, and the others get other numbers.
                self.files.retain(CopiedFile::stays);
                self.here = None;
                if channel.is_ready() { self.offer_files(channel) } else { None }
            }
            FilesTold::Want(want) if self.policy.from_server => {
                let request = clipfiles::request(want)?;
                // A refusal comes back as an answer.
                channel.request_file_contents(request).ok().map(Todo::Send)
            }
            FilesTold::Piece(Piece { ticket, bytes }) if self.policy.to_server => {
                let answer = match bytes {
                    Some(bytes) => FileContentsResponse::new_data_response(ticket, bytes),
                    None => FileContentsResponse::new_error(ticket),
                };
                channel.submit_file_contents(answer).ok().map(Todo::Send)
            }
            FilesTold::Offer(_) | FilesTold::Want(_) | FilesTold::Piece(_) => None,
        }
    }

    fn offer_files(&self, channel: &mut CliprdrClient) -> Option<Todo> {
        let described = clipfiles::to_server(&self.files);
        channel.initiate_file_copy(described).ok().map(Todo::Send)
    }

    /// Whatever the channel wished for since.
    pub fn work(&mut self, channel: &mut CliprdrClient) -> Vec<Todo> {
        let wishes = std::mem::take(&mut *self.shared.wishes());
        let mut todo = Vec::new();
        for wish in wishes {
            if matches!(wish, Wish::Changed(_)) {
                todo.extend(self.forget());
            }
            todo.extend(self.grant(wish, channel));
        }
        todo
    }

    /// The files of the server that the application was told of are not on its clipboard
    /// any more. That is said before the next ones are known, for a piece that is asked for
    /// meanwhile would be of those.
    fn forget(&mut self) -> Option<Todo> {
        std::mem::take(&mut self.told).then(|| Todo::Say(FilesSaid::Copied(Vec::new())))
    }

    fn grant(&mut self, wish: Wish, channel: &mut CliprdrClient) -> Option<Todo> {
        match wish {
            Wish::Offer => self.offer(channel),
            Wish::Fetch if self.policy.from_server => {
                channel.initiate_paste(ClipboardFormatId::CF_UNICODETEXT).ok().map(Todo::Send)
            }
            Wish::Fetch => None,
            Wish::Give(format) => {
                let text =
                    self.here.as_ref().filter(|_| format == ClipboardFormatId::CF_UNICODETEXT);
                let answer = match text {
                    Some(text) => OwnedFormatDataResponse::new_data(text.expose(to_windows)),
                    None => OwnedFormatDataResponse::new_error(),
                };
                channel.submit_format_data(answer).ok().map(Todo::Send)
            }
            Wish::Arrived(bytes) if self.policy.from_server => {
                let text = from_windows(&bytes);
                (text.len() <= TEXT_MAX).then(|| Todo::Show(SecretText::new(text)))
            }
            Wish::Arrived(_) => None,
            Wish::Ready if self.files.is_empty() => None,
            Wish::Ready => self.offer_files(channel),
            Wish::Changed(Some(list)) if self.policy.from_server => {
                channel.initiate_paste(list).ok().map(Todo::Send)
            }
            Wish::Changed(_) => None,
            Wish::Files(files) if self.policy.from_server => {
                self.told = true;
                let copied = clipfiles::from_server(&files).map(FilesSaid::Copied);
                Some(Todo::Say(copied.unwrap_or(FilesSaid::Refused)))
            }
            Wish::Piece(piece) if self.policy.from_server => {
                Some(Todo::Say(FilesSaid::Piece(piece)))
            }
            Wish::Files(_) | Wish::Piece(_) => None,
            Wish::Want(request) => match clipfiles::asked(&request, &self.files) {
                Asked::Answer(answer) => channel.submit_file_contents(answer).ok().map(Todo::Send),
                Asked::Ask(want) => Some(Todo::Say(FilesSaid::Want(want))),
            },
        }
    }
}

/// UTF-16 with Windows' ends of lines and a null at its end.
fn to_windows(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2 * text.len() + 2);
    let mut before = '\0';
    for c in text.chars() {
        if c == '\n' && before != '\r' {
            bytes.extend([b'\r', 0]);
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            bytes.extend(unit.to_le_bytes());
        }
        before = c;
    }
    bytes.extend([0, 0]);
    bytes
}

/// The text before the null, with ends of lines as they are elsewhere.
fn from_windows(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text = char::decode_utf16(units.take_while(|unit| *unit != 0));
    let text: String = text.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_larger_than_any_that_is_asked_for_is_a_refusal() {
        let arrives = |length: u32| {
            let shared = Shared::default();
            let bytes = vec![7; length as usize];
            Board::new(shared.clone())
                .on_file_contents_response(FileContentsResponse::new_data_response(3, bytes));
            match shared.wishes().pop() {
                Some(Wish::Piece(Piece { ticket: 3, bytes })) => bytes.map(|bytes| bytes.len()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(arrives(PIECE_MAX), Some(PIECE_MAX as usize));
        assert_eq!(arrives(PIECE_MAX + 1), None);
    }

    #[test]
    fn files_are_gone_as_soon_as_something_else_is_copied() {
        let shared = Shared::default();
        let mut channel = CliprdrClient::new(Box::new(Board::new(shared.clone())));
        let mut clip = Clip::new(shared.clone(), Clipboard { to_server: true, from_server: true });
        let mut said = |wish| {
            shared.wishes().push(wish);
            let said = |todo| match todo {
                Todo::Say(FilesSaid::Copied(files)) => Some(files.len()),
                _ => None,
            };
            clip.work(&mut channel).into_iter().find_map(said)
        };
        let list = || Some(ClipboardFormatId::new(49_201));
        for other in [list(), None] {
            assert_eq!(said(Wish::Changed(list())), None, "nothing was told before");
            assert_eq!(said(Wish::Files(vec![FileDescriptor::new("a.txt")])), Some(1));
            assert_eq!(said(Wish::Changed(other)), Some(0));
            assert_eq!(said(Wish::Changed(None)), None, "once is enough");
        }
    }

    #[test]
    fn text_keeps_its_lines_and_signs_on_the_way_to_windows_and_back() {
        assert_eq!(to_windows("a\nb"), b"a\0\r\0\n\0b\0\0\0");
        assert_eq!(to_windows("a\r\nb"), b"a\0\r\0\n\0b\0\0\0");
        for text in ["", "é€\n\n𝄞 fin\n", "tab\tet\nligne"] {
            assert_eq!(from_windows(&to_windows(text)), text);
        }
        assert_eq!(from_windows(b"a\0\0\0b\0"), "a", "the null ends it");
        assert_eq!(from_windows(b"\0\xd8a\0"), "\u{fffd}a");
    }
}
