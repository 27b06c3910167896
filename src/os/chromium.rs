//! Browsers of the Chromium family: which one there is, a profile that lives no
//! longer than its window, and a start whose only way in is a pair of pipes, which
//! no other program can reach. Knows no page and no login.

use std::path::PathBuf;

/// Names of the programs, the most faithful first.
pub const NAMES: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    "brave-browser",
    "vivaldi",
    "vivaldi-stable",
];

/// Where macOS has them.
const BUNDLES: &[&str] = &[
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Brave Browser.app/Contents/MacOS/Brave Browser",
    "/Applications/Vivaldi.app/Contents/MacOS/Vivaldi",
];

/// Variables by which a program finds the desktop it shows its window on.
const DESKTOP: &[&str] = &[
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
    "XDG_CURRENT_DESKTOP",
    "DBUS_SESSION_BUS_ADDRESS",
];

/// The desktop of this process.
pub fn desktop() -> Vec<(String, String)> {
    let given = |name: &&str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty());
        value.map(|value| ((*name).to_owned(), value))
    };
    DESKTOP.iter().filter_map(given).collect()
}

/// Whether a variable names a desktop.
pub fn is_desktop(name: &str) -> bool {
    DESKTOP.contains(&name)
}

/// Whether a desktop has a screen.
pub fn has_screen(desktop: &[(String, String)]) -> bool {
    cfg!(target_os = "macos")
        || desktop.iter().any(|(name, _)| name == "DISPLAY" || name == "WAYLAND_DISPLAY")
}

/// The browser to use: the one that is named, by path or by its name in `PATH`, or
/// the first there is. None on Windows, whose programs take no such pipes.
pub fn find(named: &str) -> Option<PathBuf> {
    if !cfg!(unix) {
        return None;
    }
    let named = named.trim();
    if named.contains('/') {
        return Some(PathBuf::from(named)).filter(|path| path.is_absolute() && is_program(path));
    }
    if !named.is_empty() {
        return in_path(named);
    }
    let bundles = BUNDLES.iter().filter(|_| cfg!(target_os = "macos")).map(PathBuf::from);
    let bundled = || bundles.into_iter().find(|p| is_program(p));
    NAMES.iter().find_map(|name| in_path(name)).or_else(bundled)
}

/// The program of this name in an absolute folder of `PATH`.
pub fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter(|f| f.is_absolute());
    folders.map(|f| f.join(name)).find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(_path: &std::path::Path) -> bool {
    false
}

#[cfg(unix)]
pub use here::{Browser, Profile, end, start};

#[cfg(unix)]
mod here {
    use std::ffi::OsString;
    use std::fs::{self, File, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    use std::path::{Path, PathBuf};
    use std::process::Child;
    use std::time::{Duration, Instant};

    use rustix::fs::{FlockOperation, flock};
    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

    use crate::model::target::HostPort;
    use crate::os::process::{Spawn, spawn};
    use crate::os::{paths, random};

    /// The descriptors a browser reads its commands from and answers on.
    const COMMANDS: i32 = 3;
    const ANSWERS: i32 = 4;

    /// For what the processes of a browser that was ended still write.
    const WIPE_LIMIT: Duration = Duration::from_secs(2);
    const WIPE_PAUSE: Duration = Duration::from_millis(10);

    /// Held while profiles are made and cleared away.
    const CLAIM: &str = "claim";
    const LOCK: &str = "lock";

    /// What a browser is to leave alone: it offers to keep no password, sends none to
    /// be compared with leaked ones, fills in nothing by itself.
    const PREFERENCES: &str = r#"{
"credentials_enable_service":false,
"credentials_enable_autosignin":false,
"profile":{"password_manager_enabled":false,"password_manager_leak_detection":false},
"autofill":{"enabled":false,"profile_enabled":false,"credit_card_enabled":false},
"translate":{"enabled":false},
"search":{"suggest_enabled":false},
"browser":{"has_seen_welcome_page":true},
"safebrowsing":{"enabled":false}
}"#;

    /// A program's folder that is wiped, such as a browser's profile. One whose process died is wiped by the next.
    pub struct Profile {
        folder: PathBuf,
        claim: File,
        lock: PathBuf,
    }

    impl Profile {
        /// Makes one in memory where the system has a place for that, and clears
        /// away those of processes that are gone.
        ///
        /// # Errors
        /// No place for it, or none that is private.
        pub fn make() -> io::Result<Self> {
            let mut why = io::Error::from(io::ErrorKind::NotFound);
            let mut made = None;
            for base in bases() {
                match Self::make_in(&base, made.is_none()) {
                    Ok(profile) => made = made.or(profile),
                    Err(error) => why = error,
                }
            }
            made.ok_or(why)
        }

        fn make_in(base: &Path, wanted: bool) -> io::Result<Option<Self>> {
            if !wanted && !base.exists() {
                return Ok(None);
            }
            paths::private_folder(base).map_err(io::Error::other)?;
            let claim = open(&base.join(CLAIM))?;
            flock(&claim, FlockOperation::LockExclusive)?;
            sweep(base);
            if !wanted {
                return Ok(None);
            }
            let name: String = random::id().iter().take(4).map(|b| format!("{b:02x}")).collect();
            let (folder, lock) = (base.join(&name), base.join(&name).with_extension(LOCK));
            let held = open(&lock)?;
            flock(&held, FlockOperation::NonBlockingLockExclusive)?;
            let private =
                |path: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
            private(&folder)?;
            let made = Self { folder, claim: held, lock };
            private(&made.folder.join("tmp"))?;
            Ok(Some(made))
        }

        /// Where it lies.
        pub fn folder(&self) -> &Path {
            &self.folder
        }

        /// Removes it; what cannot be removed now, the next one's making removes.
        pub fn wipe(self) {
            if remove(&self.folder) {
                let _ = fs::remove_file(&self.lock);
            }
            drop(self.claim);
        }
    }

    /// Places for profiles, the best first.
    fn bases() -> Vec<PathBuf> {
        let user = rustix::process::geteuid().as_raw();
        let own = format!("poterne-web-{user}");
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let runtime = runtime.filter(|dir| dir.is_absolute() && dir.is_dir());
        let memory = Some(PathBuf::from("/dev/shm")).filter(|dir| dir.is_dir());
        let all = [
            runtime.map(|dir| dir.join("poterne").join("web")),
            memory.map(|dir| dir.join(&own)),
            Some(std::env::temp_dir().join(&own)),
        ];
        all.into_iter().flatten().collect()
    }

    fn open(path: &Path) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
    }

    /// Removes the profiles whose process holds them no more.
    fn sweep(base: &Path) {
        for lock in fs::read_dir(base).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if lock.extension().is_none_or(|end| end != LOCK) {
                continue;
            }
            let Ok(file) = open(&lock) else { continue };
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                continue;
            }
            if remove(&lock.with_extension("")) {
                let _ = fs::remove_file(&lock);
            }
        }
        // What the last process of a browser wrote after all was removed.
        for stray in fs::read_dir(base).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if stray.is_dir() && !stray.with_extension(LOCK).exists() {
                remove(&stray);
            }
        }
    }

    /// Removes a folder, patient with what is still written into it; whether it is
    /// gone.
    fn remove(folder: &Path) -> bool {
        let end = Instant::now() + WIPE_LIMIT;
        while let Err(error) = fs::remove_dir_all(folder) {
            if error.kind() == io::ErrorKind::NotFound {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
            std::thread::sleep(WIPE_PAUSE);
        }
        true
    }

    /// A browser that runs, and the pipes to it. It dies with this process.
    pub struct Browser {
        /// Its first process.
        pub process: Child,
        /// Takes commands.
        pub to: File,
        /// Gives answers.
        pub from: File,
    }

    /// Ends a program with all its processes, and waits until they are gone.
    pub fn end(mut process: Child) {
        let group = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = process.kill();
        let _ = process.wait();
        let end = Instant::now() + WIPE_LIMIT;
        while group.is_some_and(|group| test_kill_process_group(group).is_ok())
            && Instant::now() < end
        {
            std::thread::sleep(WIPE_PAUSE);
        }
    }

    /// Starts `program` with an empty page.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(
        program: &Path,
        profile: &Profile,
        proxy: Option<&HostPort>,
    ) -> io::Result<Browser> {
        let (commands, to) = pipe()?;
        let (from, answers) = pipe()?;
        let folder = profile.folder();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.join("Default"))?;
        fs::write(folder.join("Default/Preferences"), PREFERENCES)?;
        let mut data = OsString::from("--user-data-dir=");
        data.push(folder);
        let mut args: Vec<OsString> = vec![data];
        args.extend(FLAGS.iter().map(OsString::from));
        if let Some(proxy) = proxy {
            args.push(format!("--proxy-server=socks5://{proxy}").into());
            args.extend(BY_PROXY.iter().map(OsString::from));
        }
        // As root it runs only so.
        if rustix::process::geteuid().is_root() {
            args.push("--no-sandbox".into());
        }
        args.push("about:blank".into());
        let mut env: Vec<(OsString, OsString)> =
            super::desktop().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        env.push(("TMPDIR".into(), folder.join("tmp").into()));
        env.push(("XDG_CACHE_HOME".into(), folder.join("cache").into()));
        let process = spawn(Spawn {
            program: Some(program.into()),
            args,
            env,
            mute: true,
            leads: true,
            given: vec![(commands.into(), COMMANDS), (answers.into(), ANSWERS)],
            ..Spawn::default()
        })?;
        Ok(Browser { process, to, from })
    }

    /// Nothing goes past the proxy, no name is looked up on this machine.
    const BY_PROXY: &[&str] = &[
        "--proxy-bypass-list=<-loopback>",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    ];

    const FLAGS: &[&str] = &[
        "--remote-debugging-pipe",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-sync",
        "--disable-breakpad",
        "--disable-crash-reporter",
        "--disable-save-password-bubble",
        "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,Translate",
        "--password-store=basic",
        "--use-mock-keychain",
        "--ozone-platform-hint=auto",
    ];

    fn pipe() -> io::Result<(File, File)> {
        let (reader, writer) = io::pipe()?;
        Ok((
            File::from(std::os::fd::OwnedFd::from(reader)),
            File::from(std::os::fd::OwnedFd::from(writer)),
        ))
    }
}
