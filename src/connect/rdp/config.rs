//! What the client says of itself to an RDP server (MS-RDPBCGR section 2.2.1.3), as
//! the entry wants it. Knows no password.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use ironrdp_cliprdr::CliprdrClient;
use ironrdp_connector::{BitmapConfig, ClientConnector, Config, Credentials, DesktopSize};
use ironrdp_displaycontrol::client::DisplayControlClient;
use ironrdp_dvc::DrdynvcClient;
use ironrdp_egfx::client::{GraphicsPipelineClient, GraphicsPipelineHandler};
use ironrdp_pdu::gcc::{
    ClientClusterData, ConnectionType, KeyboardType, RedirectionFlags, RedirectionVersion,
};
use ironrdp_pdu::rdp::capability_sets::{
    BitmapCodecs, MajorPlatformType, RailSupportLevel, client_codecs_capabilities,
};
use ironrdp_pdu::rdp::client_info::{PerformanceFlags, TimezoneInfo};
use ironrdp_rdpdr::{NoopRdpdrBackend, Rdpdr};
use ironrdp_rdpsnd::client::{Rdpsnd, RdpsndDvc};

use super::clip::{Board, Shared};
#[cfg(any(target_os = "linux", target_os = "macos"))]
use super::disk::Disk;
#[cfg(any(target_os = "linux", target_os = "macos"))]
use super::folder::Folder;
use super::login::Login;
use super::settings::{Security, Settings, Sound};
use super::sound::Speaker;
use crate::os::machine;

/// The build that is told to the server. xrdp never follows a new size of what is
/// older than a certain one; this is a Windows 10.
const BUILD: u32 = 18363;

/// A connector that knows what the entry says, but no password yet.
pub fn connector(
    settings: &Settings,
    login: &Login<'_>,
    board: Option<&Shared>,
    folder: Option<&Path>,
) -> ClientConnector {
    // The server only passes it on to programs that ask; no address of this machine.
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let mut connector = ClientConnector::new(config(settings, login), nowhere);
    if !settings.load_balance.is_empty() {
        connector = connector.with_load_balance_info(settings.load_balance.clone());
    }
    if settings.admin {
        connector = connector.with_cluster_data(ClientClusterData {
            flags: RedirectionFlags::REDIRECTION_SUPPORTED
                | RedirectionFlags::REDIRECTED_SESSION_FIELD_VALID,
            redirection_version: RedirectionVersion::V4,
            redirected_session_id: 0,
        });
    }
    let mut dynamic =
        DrdynvcClient::new().with_dynamic_channel(DisplayControlClient::new(|_| Ok(Vec::new())));
    if !settings.plain {
        let pipeline = GraphicsPipelineClient::new(Box::new(Pipeline), None);
        dynamic = dynamic.with_dynamic_channel(pipeline);
    }
    if settings.sound == Sound::Here {
        // Newer servers take the dynamic channel, others the static one.
        dynamic = dynamic.with_dynamic_channel(RdpsndDvc::new(Box::new(Speaker::new())));
        connector = connector.with_static_channel(Rdpsnd::new(Box::new(Speaker::new())));
    }
    connector = devices(connector, settings, folder);
    connector = connector.with_static_channel(dynamic);
    if let Some(board) = board {
        let backend = Box::new(Board::new(board.clone()));
        connector = connector.with_static_channel(CliprdrClient::new(backend));
    }
    connector
}

/// The channel of devices: the folder, if one is given. Windows plays no sound over a
/// channel of its own to who has none.
fn devices(
    connector: ClientConnector,
    settings: &Settings,
    folder: Option<&Path>,
) -> ClientConnector {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    if let Some(folder) = folder {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let inner = Folder::new(folder.display().to_string(), settings.folder_writable);
        let Ok(backend) = Disk::new(inner) else { return connector };
        let devices = Rdpdr::new(Box::new(backend), machine::host_name());
        return connector.with_static_channel(devices.with_drives(Some(vec![(1, name)])));
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    let _ = folder;
    if settings.sound == Sound::Here {
        let devices = Rdpdr::new(Box::new(NoopRdpdrBackend), machine::host_name());
        return connector.with_static_channel(devices);
    }
    connector
}

/// What the graphics pipeline paints is taken from the picture; nothing else is
/// wanted of it.
struct Pipeline;

impl GraphicsPipelineHandler for Pipeline {}

fn config(settings: &Settings, login: &Login<'_>) -> Config {
    let effects = if settings.effects {
        PerformanceFlags::ENABLE_DESKTOP_COMPOSITION
    } else {
        PerformanceFlags::DISABLE_WALLPAPER
            | PerformanceFlags::DISABLE_FULLWINDOWDRAG
            | PerformanceFlags::DISABLE_MENUANIMATIONS
            | PerformanceFlags::DISABLE_THEMING
    };
    Config {
        desktop_size: DesktopSize { width: 1280, height: 800 },
        monitor_layout: None,
        desktop_scale_factor: 100,
        desktop_physical_size: None,
        desktop_orientation: None,
        device_scale_factor: None,
        monitor_extended_layout: None,
        relative_mouse_input: false,
        enable_tls: settings.security != Security::Nla,
        enable_credssp: settings.security != Security::Tls,
        enable_standard_rdp_security: false,
        credentials: Credentials::UsernamePassword {
            username: login.user().to_owned(),
            password: String::new(),
        },
        domain: login.domain(),
        client_build: BUILD,
        client_name: machine::host_name(),
        keyboard_type: KeyboardType::IBM_ENHANCED,
        keyboard_subtype: 0,
        keyboard_functional_keys_count: 12,
        keyboard_layout: settings.layout,
        connection_type: ConnectionType::Lan,
        ime_file_name: String::new(),
        bitmap: Some(BitmapConfig {
            lossy_compression: true,
            color_depth: settings.depth,
            codecs: codecs(settings),
        }),
        dig_product_id: String::new(),
        client_dir: "C:\\Windows\\System32\\mstscax.dll".into(),
        alternate_shell: settings.program.clone(),
        work_dir: settings.directory.clone(),
        remote_application_mode: false,
        rail_support_level: RailSupportLevel::empty(),
        platform: MajorPlatformType::UNIX,
        hardware_id: None,
        request_data: None,
        autologon: false,
        // Without that the server plays it nowhere.
        enable_audio_playback: settings.sound != Sound::Off,
        enable_audio_capture: false,
        performance_flags: effects | PerformanceFlags::ENABLE_FONT_SMOOTHING,
        license_cache: None,
        timezone_info: TimezoneInfo::default(),
        // A server that compresses goes on with it while a desktop is activated again,
        // which IronRDP's sequence does not follow.
        compression_type: None,
        enable_server_pointer: true,
        pointer_software_rendering: false,
        multitransport_flags: None,
        support_dyn_vc_gfx_protocol: !settings.plain,
    }
}

/// How the server may pack its pictures. RemoteFX loses a little, which nobody sees.
fn codecs(settings: &Settings) -> BitmapCodecs {
    if settings.plain {
        BitmapCodecs(Vec::new())
    } else {
        client_codecs_capabilities(&[]).expect("no codec is named")
    }
}
