//! FreeRDP as a program of this machine: which one there is, and its start in a
//! window of its own. It trusts no authority of the machine and no server that it
//! met before: only the certificate that its arguments name. Knows no settings.

use std::path::PathBuf;

use super::chromium::in_path;

/// Names of the programs that draw through X11, the newest first.
const X11: &[&str] = &["xfreerdp3", "xfreerdp"];
/// Names of those that draw on either desktop.
const ANY: &[&str] = &["sdl-freerdp3", "sdl-freerdp"];

/// The one of this machine.
pub fn find() -> Option<PathBuf> {
    let names = if cfg!(unix) { [X11, ANY].concat() } else { Vec::new() };
    names.into_iter().find_map(in_path)
}

/// The one that can show a window on this desktop.
pub fn find_for(desktop: &[(String, String)]) -> Option<PathBuf> {
    if desktop.iter().any(|(name, _)| name == "DISPLAY") {
        return find();
    }
    let wayland = desktop.iter().any(|(name, _)| name == "WAYLAND_DISPLAY");
    if wayland { ANY.iter().find_map(|name| in_path(name)) } else { None }
}

/// The version that a program told of itself, such as 2.11.7.
pub fn version_in(told: &str) -> Option<&str> {
    let version = told.split("FreeRDP version ").nth(1)?.split_whitespace().next()?;
    Some(version).filter(|v| v.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(unix)]
pub use here::{end, ended, start, version};

#[cfg(unix)]
mod here {
    use std::ffi::OsString;
    use std::fs;
    use std::io::{self, Read};
    use std::path::Path;
    use std::process::Child;
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

    use crate::os::chromium::{self, Profile};
    use crate::os::process::{Spawn, spawn};

    /// Longest answer of a program that tells its version.
    const TOLD_MAX: u64 = 1 << 16;
    /// How long it may take.
    const TELLS: Duration = Duration::from_secs(5);

    /// What a program tells of itself; empty when it tells nothing, or not in time.
    pub fn version(program: &Path) -> String {
        version_within(program, TELLS)
    }

    fn version_within(program: &Path, limit: Duration) -> String {
        let args = vec!["/version".into()];
        let started = spawn(Spawn {
            program: Some(program.into()),
            args,
            env: desktop(),
            leads: true,
            ..Spawn::default()
        });
        let Ok(mut process) = started else { return String::new() };
        drop(process.stdin.take());
        drop(process.stderr.take());
        let (tell, told) = channel();
        if let Some(out) = process.stdout.take() {
            let read = move || {
                let mut told = Vec::new();
                let _ = out.take(TOLD_MAX).read_to_end(&mut told);
                let _ = tell.send(told);
            };
            // Without a thread nothing is told; neither is to one that says nothing.
            let _ = thread::Builder::new().name("version".into()).spawn(read);
        }
        let told = told.recv_timeout(limit).unwrap_or_default();
        chromium::end(process);
        String::from_utf8_lossy(&told).into_owned()
    }

    fn desktop() -> Vec<(OsString, OsString)> {
        let given = chromium::desktop().into_iter();
        given.map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// Starts it with its files in a folder that is wiped. Its three streams are
    /// pipes, which have to be read.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(program: &Path, args: Vec<OsString>, folder: &Profile) -> io::Result<Child> {
        let nobody = folder.folder().join("authorities");
        fs::create_dir_all(&nobody)?;
        let none = nobody.join("none");
        fs::write(&none, "")?;
        let mut env = desktop();
        env.push(("XDG_CONFIG_HOME".into(), folder.folder().join("config").into()));
        env.push(("TMPDIR".into(), folder.folder().join("tmp").into()));
        env.push(("SSL_CERT_FILE".into(), none.into()));
        // What it says to a pipe it keeps until there is a good deal of it; to a file it
        // says it at once.
        env.push(("WLOG_APPENDER".into(), "FILE".into()));
        env.push(("WLOG_FILEAPPENDER_OUTPUT_FILE_PATH".into(), "/dev".into()));
        env.push(("WLOG_FILEAPPENDER_OUTPUT_FILE_NAME".into(), "stdout".into()));
        env.push(("SSL_CERT_DIR".into(), nobody.into()));
        fs::create_dir_all(folder.folder().join("config"))?;
        let spawned = Spawn { program: Some(program.into()), args, env, ..Spawn::default() };
        spawn(Spawn { leads: true, ..spawned })
    }

    /// Ends it and removes its files, also the one in shared memory that it leaves
    /// behind whenever it is ended.
    pub fn end(process: Child, folder: Profile) {
        let name = format!("com.freerdp.xfreerdp.tsmf_{:016X}", process.id());
        chromium::end(process);
        let _ = fs::remove_file(Path::new("/dev/shm").join(name));
        folder.wipe();
    }

    /// Waits until a child has ended, and leaves it to be waited for; its status, or
    /// nothing when a signal ended it.
    pub fn ended(process: u32) -> Option<i32> {
        let pid = Pid::from_raw(i32::try_from(process).ok()?)?;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        loop {
            match waitid(WaitId::Pid(pid), options) {
                Ok(status) => return status?.exit_status(),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return None,
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use std::os::unix::fs::PermissionsExt;

        use super::*;

        #[test]
        fn a_program_that_never_tells_its_version_is_not_waited_for() {
            let folder = tempfile::tempdir().expect("a folder");
            let program = |name: &str, text: &str| {
                let path = folder.path().join(name);
                fs::write(&path, text).expect("ours");
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
                path
            };
            // Its child would hold its output open.
            let mute = program("mute", "#!/bin/sh\nsleep 100000 &\nwait\n");
            assert_eq!(version_within(&mute, Duration::from_millis(100)), "");
            let told = program("told", "#!/bin/sh\necho This is FreeRDP version 3.15.0\n");
            assert!(version(&told).contains("3.15.0"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn the_version_is_found_in_what_a_program_tells() {
        let old = "This is FreeRDP version 2.11.7 (2.11.7)\n";
        assert_eq!(version_in(old), Some("2.11.7"));
        let new = "This is FreeRDP version 3.15.0 (n/a)\nbuild";
        assert_eq!(version_in(new), Some("3.15.0"));
        assert_eq!(version_in("sh: not found"), None);
    }
}
