//! Whether this desktop can show a file chooser: the portal of the session's
//! bus, or zenity. Shows nothing, and never chooses a file itself.

/// Whether there is something that shows one. May take a moment, since a portal
/// that is not running yet is started for it.
pub fn available() -> bool {
    #[cfg(target_os = "linux")]
    return imp::portal(None) || imp::zenity(std::env::var_os("PATH").as_deref());
    #[cfg(not(target_os = "linux"))]
    true
}

/// As [`available`], for a bus and a list of folders with programs.
#[cfg(target_os = "linux")]
pub fn available_at(bus: &str, path: &std::ffi::OsStr) -> bool {
    imp::portal(Some(bus)) || imp::zenity(Some(path))
}

#[cfg(target_os = "linux")]
mod imp {
    use std::ffi::OsStr;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use zbus::blocking::connection::Builder;

    /// A portal that takes longer to start would not be waited for by anybody.
    const WAIT: Duration = Duration::from_secs(10);

    /// Asks for the version of the portal's chooser: its name alone may be there
    /// without anything behind it.
    pub fn portal(bus: Option<&str>) -> bool {
        let builder = match bus {
            Some(address) => Builder::address(address),
            None => Builder::session(),
        };
        let asked = builder.and_then(|b| b.method_timeout(WAIT).build()).and_then(|bus| {
            bus.call_method(
                Some("org.freedesktop.portal.Desktop"),
                "/org/freedesktop/portal/desktop",
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &("org.freedesktop.portal.FileChooser", "version"),
            )
        });
        asked.is_ok()
    }

    pub fn zenity(path: Option<&OsStr>) -> bool {
        std::env::split_paths(path.unwrap_or_default()).any(|folder| {
            let meta = std::fs::metadata(folder.join("zenity"));
            meta.is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        })
    }
}
