//! One folder of this machine on the desktop (MS-RDPEFS), when its entry names one.
//! IronRDP's backend serves it: it resolves every path beneath the folder and follows
//! no link. What would change something is refused here, unless the entry allows it.

use ironrdp_core::{ReadCursor, impl_as_any};
use ironrdp_pdu::{PduResult, decode_err, encode_err};
use ironrdp_rdpdr::backend::RdpdrBackend;
use ironrdp_rdpdr::pdu::RdpdrPdu;
use ironrdp_rdpdr::pdu::efs::{
    Boolean, ClientDriveQueryDirectoryResponse, ClientDriveQueryVolumeInformationResponse,
    ClientDriveSetInformationResponse, CreateDisposition, CreateOptions, DesiredAccess,
    DeviceControlRequest, DeviceCreateResponse, DeviceFlushBuffersResponse, DeviceIoResponse,
    DeviceWriteResponse, FileDirectoryInformation, FileFsVolumeInformation,
    FileFullDirectoryInformation, FileInformationClass, FileInformationClassLevel,
    FileNamesInformation, FileSystemInformationClass, FileSystemInformationClassLevel, Information,
    NtStatus, ServerDeviceAnnounceResponse, ServerDriveIoRequest, ServerDriveQueryDirectoryRequest,
};
use ironrdp_rdpdr::pdu::esc::{ScardCall, ScardIoCtlCode};
use ironrdp_rdpdr_native::backend::NixRdpdrBackend;
use ironrdp_svc::SvcMessage;

use FileInformationClassLevel as Class;

/// Bytes before the answer itself (MS-RDPEFS section 2.2.1.1).
const HEADER: usize = 4;

/// A folder that the desktop sees.
#[derive(Debug)]
pub struct Folder {
    inner: NixRdpdrBackend,
    writable: bool,
}

impl_as_any!(Folder);

impl Folder {
    /// The folder at this absolute path.
    pub fn new(path: String, writable: bool) -> Self {
        Self { inner: NixRdpdrBackend::new(path), writable }
    }

    /// Whether a request may change something.
    fn changes(request: &ServerDriveIoRequest) -> bool {
        match request {
            ServerDriveIoRequest::ServerCreateDriveRequest(create) => {
                let write = DesiredAccess::FILE_WRITE_DATA_OR_FILE_ADD_FILE
                    | DesiredAccess::FILE_APPEND_DATA_OR_FILE_ADD_SUBDIRECTORY
                    | DesiredAccess::FILE_DELETE_CHILD
                    | DesiredAccess::DELETE
                    | DesiredAccess::GENERIC_WRITE
                    | DesiredAccess::GENERIC_ALL;
                create.create_disposition != CreateDisposition::FILE_OPEN
                    || create.create_options.contains(CreateOptions::FILE_DELETE_ON_CLOSE)
                    || create.desired_access.intersects(write)
            }
            ServerDriveIoRequest::DeviceWriteRequest(_)
            | ServerDriveIoRequest::ServerDriveSetInformationRequest(_)
            | ServerDriveIoRequest::ServerDriveSetSecurityRequest(_) => true,
            _ => false,
        }
    }
}

impl Folder {
    /// The backend lists in one form; servers want others, too.
    fn list(&mut self, query: ServerDriveQueryDirectoryRequest) -> PduResult<Vec<SvcMessage>> {
        let known = Class::FILE_BOTH_DIRECTORY_INFORMATION;
        let wanted = query.file_info_class_lvl;
        let told = self.inner.handle_drive_io_request(
            ServerDriveQueryDirectoryRequest { file_info_class_lvl: known.clone(), ..query }.into(),
        )?;
        if wanted == known {
            return Ok(told);
        }
        told.iter().map(|message| retold(message, &wanted)).collect()
    }
}

/// What the backend answers to a listing, in the form that is wanted.
fn retold(message: &SvcMessage, wanted: &Class) -> PduResult<SvcMessage> {
    let bytes = message.encode_unframed_pdu().map_err(|e| encode_err!(e))?;
    let mut src = ReadCursor::new(bytes.get(HEADER..).unwrap_or_default());
    let mut decoded = || {
        let reply = DeviceIoResponse::decode(&mut src)?;
        let known = Class::FILE_BOTH_DIRECTORY_INFORMATION;
        ClientDriveQueryDirectoryResponse::decode_for_class(known, reply, &mut src)
    };
    let mut answer = decoded().map_err(|e| decode_err!(e))?;
    let Some(FileInformationClass::BothDirectory(file)) = answer.buffer.take() else {
        return Ok(SvcMessage::from(RdpdrPdu::ClientDriveQueryDirectoryResponse(answer)));
    };
    let times = [file.creation_time, file.last_access_time, file.last_write_time, file.change_time];
    let [made, read, written, changed] = times;
    let (size, attributes, name) = (file.end_of_file, file.file_attributes, file.file_name);
    answer.buffer = match *wanted {
        Class::FILE_DIRECTORY_INFORMATION => Some(
            FileDirectoryInformation::new(made, read, written, changed, size, attributes, name)
                .into(),
        ),
        Class::FILE_FULL_DIRECTORY_INFORMATION => Some(
            FileFullDirectoryInformation::new(made, read, written, changed, size, attributes, name)
                .into(),
        ),
        Class::FILE_NAMES_INFORMATION => Some(FileNamesInformation::new(name).into()),
        _ => None,
    };
    if answer.buffer.is_none() {
        answer.device_io_reply.io_status = NtStatus::NOT_SUPPORTED;
    }
    Ok(SvcMessage::from(RdpdrPdu::ClientDriveQueryDirectoryResponse(answer)))
}

/// Answers with a refusal what may change something; `None` is not such a request.
fn refused(request: &ServerDriveIoRequest) -> PduResult<Option<RdpdrPdu>> {
    let no = NtStatus::ACCESS_DENIED;
    Ok(match request {
        ServerDriveIoRequest::ServerCreateDriveRequest(create) => {
            Some(RdpdrPdu::DeviceCreateResponse(DeviceCreateResponse {
                device_io_reply: DeviceIoResponse::new(create.device_io_request.clone(), no),
                file_id: 0,
                information: Information::empty(),
            }))
        }
        ServerDriveIoRequest::DeviceWriteRequest(write) => {
            Some(RdpdrPdu::DeviceWriteResponse(DeviceWriteResponse {
                device_io_reply: DeviceIoResponse::new(write.device_io_request.clone(), no),
                length: 0,
            }))
        }
        ServerDriveIoRequest::ServerDriveSetInformationRequest(set) => {
            let answer = ClientDriveSetInformationResponse::new(set, no);
            let answer = answer.map_err(|e| encode_err!(e))?;
            Some(RdpdrPdu::ClientDriveSetInformationResponse(answer))
        }
        // The backend refuses it anyway.
        _ => None,
    })
}

/// xrdp separates names as its own system does, which the backend takes for part of a
/// name; no name has such a sign on either.
fn slashed(mut request: ServerDriveIoRequest) -> ServerDriveIoRequest {
    match &mut request {
        ServerDriveIoRequest::ServerCreateDriveRequest(create) => {
            create.path = create.path.replace('/', "\\");
        }
        ServerDriveIoRequest::ServerDriveSetInformationRequest(set) => {
            if let FileInformationClass::Rename(rename) = &mut set.set_buffer {
                rename.file_name = rename.file_name.replace('/', "\\");
            }
        }
        _ => {}
    }
    request
}

impl RdpdrBackend for Folder {
    fn reset(&mut self) -> PduResult<()> {
        self.inner.reset()
    }

    fn handle_server_device_announce_response(
        &mut self,
        answer: ServerDeviceAnnounceResponse,
    ) -> PduResult<()> {
        self.inner.handle_server_device_announce_response(answer)
    }

    fn handle_scard_call(
        &mut self,
        request: DeviceControlRequest<ScardIoCtlCode>,
        call: ScardCall,
    ) -> PduResult<Vec<SvcMessage>> {
        self.inner.handle_scard_call(request, call)
    }

    fn handle_drive_io_request(
        &mut self,
        request: ServerDriveIoRequest,
    ) -> PduResult<Vec<SvcMessage>> {
        let mut request = slashed(request);
        if let ServerDriveIoRequest::ServerCreateDriveRequest(create) = &mut request {
            if self.writable {
                // xrdp moves and deletes by a handle for which it did not ask that much.
                create.desired_access |= DesiredAccess::DELETE;
            } else if create.create_disposition == CreateDisposition::FILE_OPEN_IF {
                // What is there can be read; nothing is made.
                create.create_disposition = CreateDisposition::FILE_OPEN;
            }
        }
        if !self.writable
            && Self::changes(&request)
            && let Some(answer) = refused(&request)?
        {
            return Ok(vec![SvcMessage::from(answer)]);
        }
        match request {
            // The backend keeps nothing back that could be flushed.
            ServerDriveIoRequest::DeviceFlushBuffersRequest(flush) => {
                let answer = DeviceFlushBuffersResponse {
                    device_io_response: DeviceIoResponse::new(
                        flush.device_io_request,
                        NtStatus::SUCCESS,
                    ),
                };
                Ok(vec![SvcMessage::from(RdpdrPdu::DeviceFlushBuffersResponse(answer))])
            }
            // A name and a number that do not depend on how large the disk is.
            ServerDriveIoRequest::ServerDriveQueryVolumeInformationRequest(query)
                if query.fs_info_class_lvl
                    == FileSystemInformationClassLevel::FILE_FS_VOLUME_INFORMATION =>
            {
                let volume = FileFsVolumeInformation {
                    volume_creation_time: 0,
                    volume_serial_number: 1,
                    supports_objects: Boolean::False,
                    volume_label: "Poterne".into(),
                };
                let answer = ClientDriveQueryVolumeInformationResponse::new(
                    query.device_io_request,
                    NtStatus::SUCCESS,
                    Some(FileSystemInformationClass::FileFsVolumeInformation(volume)),
                );
                let answer = RdpdrPdu::ClientDriveQueryVolumeInformationResponse(answer);
                Ok(vec![SvcMessage::from(answer)])
            }
            ServerDriveIoRequest::ServerDriveQueryDirectoryRequest(query) => self.list(query),
            request => self.inner.handle_drive_io_request(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ironrdp_rdpdr::pdu::efs::{
        DeviceCreateRequest, DeviceIoRequest, FileAttributes, MajorFunction, MinorFunction,
        SharedAccess,
    };

    fn create(path: &str, how: CreateDisposition) -> ServerDriveIoRequest {
        ServerDriveIoRequest::ServerCreateDriveRequest(DeviceCreateRequest {
            device_io_request: DeviceIoRequest {
                device_id: 1,
                file_id: 0,
                completion_id: 0,
                major_function: MajorFunction::Create,
                minor_function: MinorFunction::from(0),
            },
            desired_access: DesiredAccess::GENERIC_WRITE,
            allocation_size: 0,
            file_attributes: FileAttributes::empty(),
            shared_access: SharedAccess::empty(),
            create_disposition: how,
            create_options: CreateOptions::empty(),
            path: path.into(),
        })
    }

    /// A server is not held to the paths that a file manager makes.
    #[test]
    fn no_path_of_the_server_leads_out_of_the_folder() {
        let room = tempfile::tempdir().expect("a folder");
        let shared = room.path().join("partagé");
        std::fs::create_dir(&shared).expect("ours");
        std::fs::write(room.path().join("dehors"), "garde-le").expect("ours");
        let mut folder = Folder::new(shared.display().to_string(), true);
        let beside = room.path().join("neuf").display().to_string();
        let paths = ["\\..\\neuf", "..\\neuf", "\\a\\..\\..\\neuf", "/../neuf", &beside];
        for path in paths {
            let request = create(path, CreateDisposition::FILE_OVERWRITE_IF);
            let _ = folder.handle_drive_io_request(request);
        }
        let request = create("\\..\\dehors", CreateDisposition::FILE_OVERWRITE);
        let _ = folder.handle_drive_io_request(request);
        assert!(!room.path().join("neuf").exists());
        let kept = std::fs::read(room.path().join("dehors")).expect("it stays");
        assert_eq!(kept, b"garde-le");
        // The same call makes a file where it may.
        let request = create("\\ici", CreateDisposition::FILE_OVERWRITE_IF);
        folder.handle_drive_io_request(request).expect("it answers");
        assert!(shared.join("ici").exists());
        let mut folder = Folder::new(shared.display().to_string(), false);
        let request = create("\\là", CreateDisposition::FILE_OVERWRITE_IF);
        folder.handle_drive_io_request(request).expect("it answers");
        assert!(!shared.join("là").exists());
    }

    /// Whoever works in the folder may put links, pipes and any name into it.
    #[test]
    fn links_pipes_and_long_names_lead_nowhere_and_hold_nothing_up() {
        let room = tempfile::tempdir().expect("a folder");
        let (shared, beside) = (room.path().join("partagé"), room.path().join("dehors"));
        for folder in [&shared, &beside] {
            std::fs::create_dir(folder).expect("ours");
        }
        std::fs::write(beside.join("secret"), "garde-le").expect("ours");
        let link = |to: &std::path::Path, name: &str| {
            std::os::unix::fs::symlink(to, shared.join(name)).expect("ours");
        };
        link(&beside, "dossier");
        link(&beside.join("secret"), "fichier");
        link(&beside.join("neuf"), "pendant");
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::mkfifoat(rustix::fs::CWD, shared.join("tube"), mode).expect("ours");
        let long = format!("\\{}", "é".repeat(200_000));
        let deep = "\\a".repeat(50_000);
        for writable in [true, false] {
            let mut folder = Folder::new(shared.display().to_string(), writable);
            for path in [
                "\\fichier",
                "\\pendant",
                "\\dossier\\secret",
                "\\dossier\\neuf",
                "\\tube",
                "\\CON",
                "\\nul.txt",
                "\\a:b",
                "\\a\0b",
                &long,
                &deep,
            ] {
                for how in [
                    CreateDisposition::FILE_OPEN,
                    CreateDisposition::FILE_OPEN_IF,
                    CreateDisposition::FILE_OVERWRITE_IF,
                    CreateDisposition::FILE_SUPERSEDE,
                ] {
                    let _ = folder.handle_drive_io_request(create(path, how));
                }
            }
        }
        let left: Vec<_> = std::fs::read_dir(&beside).expect("ours").flatten().collect();
        assert_eq!(left.len(), 1, "nothing was made outside");
        assert_eq!(std::fs::read(beside.join("secret")).expect("it stays"), b"garde-le");
    }
}
