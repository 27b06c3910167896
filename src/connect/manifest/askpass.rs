//! A helper that tells a program a secret when the program asks for it, as
//! `SSH_ASKPASS` is one: this very program, started again by the other one. It asks
//! the session process over a socket; which answers the processes of its own program
//! alone, each secret once.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::os::{paths, process, random};

/// The variable that makes this program the helper: the socket to ask at.
pub const SOCKET: &str = "POTERNE_ASKPASS";

/// Longest wait for the session process.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest secret.
const SECRET_MAX_BYTES: u64 = 64 * 1024;

/// Where to ask, if a program started this one as its helper. Once it is ready the
/// socket is gone, and this program is itself again.
pub fn asked_at() -> Option<PathBuf> {
    std::env::var_os(SOCKET).map(PathBuf::from).filter(|socket| socket.exists())
}

/// The helper's own process: prints the secret.
pub fn main(socket: &Path) -> ExitCode {
    crate::os::harden::harden();
    match ask(socket) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn ask(socket: &Path) -> io::Result<()> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.shutdown(Shutdown::Write)?;
    let mut secret = Zeroizing::new(Vec::with_capacity(4096));
    stream.take(SECRET_MAX_BYTES).read_to_end(&mut secret)?;
    if secret.is_empty() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let (_, mut out) = process::raw_stdio()?;
    out.write_all(&secret)?;
    out.write_all(b"\n")
}

/// Where the session process is asked. Its file goes with it.
pub struct Desk {
    path: PathBuf,
}

impl Desk {
    /// Opens one, and has `asked` called for each of its programs that asks.
    ///
    /// # Errors
    /// There is no private place for it.
    pub fn open(asked: impl Fn(UnixStream) + Send + 'static) -> io::Result<Self> {
        let folder = paths::runtime_folder().map_err(io::Error::other)?;
        paths::private_folder(&folder).map_err(io::Error::other)?;
        let name: String = random::id().iter().take(6).map(|b| format!("{b:02x}")).collect();
        let path = folder.join(format!("ask-{name}.sock"));
        let listener = UnixListener::bind(&path)?;
        std::thread::Builder::new().name("askpass".into()).spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if process::is_below_this_one(&stream) {
                    asked(stream);
                }
            }
        })?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
