//! A helper that tells a program a secret when the program asks for it, as
//! `SSH_ASKPASS` is one: this very program, started again by the other one. It asks
//! the session process over a socket, with the question that it was given; which
//! answers the processes of its own program alone, each secret once, and only a
//! question that the manifest knows.

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
/// Longest question; the end of a longer one is not compared, and fits none.
const QUESTION_MAX_BYTES: usize = 4096;
/// How long a helper may take to say its question.
const TO_ASK: Duration = Duration::from_secs(5);

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
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // The question is the first argument of such a helper (ssh(1), SSH_ASKPASS).
    let question = std::env::args_os().nth(1).unwrap_or_default();
    let question = question.as_encoded_bytes();
    stream.write_all(&question[..question.len().min(QUESTION_MAX_BYTES)])?;
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

fn question(stream: &UnixStream) -> io::Result<String> {
    stream.set_read_timeout(Some(TO_ASK))?;
    let mut question = Vec::new();
    stream.take(QUESTION_MAX_BYTES as u64 + 1).read_to_end(&mut question)?;
    String::from_utf8(question).map_err(io::Error::other)
}

/// Where the session process is asked. Its file goes with it.
pub struct Desk {
    path: PathBuf,
}

impl Desk {
    /// Opens one, and has `asked` called with the question of each of its programs
    /// that asks.
    ///
    /// # Errors
    /// There is no private place for it.
    pub fn open(asked: impl Fn(UnixStream, String) + Send + 'static) -> io::Result<Self> {
        let folder = paths::runtime_folder().map_err(io::Error::other)?;
        paths::private_folder(&folder).map_err(io::Error::other)?;
        let name: String = random::id().iter().take(6).map(|b| format!("{b:02x}")).collect();
        let path = folder.join(format!("ask-{name}.sock"));
        let listener = UnixListener::bind(&path)?;
        std::thread::Builder::new().name("askpass".into()).spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if process::is_below_this_one(&stream)
                    && let Ok(question) = question(&stream)
                {
                    asked(stream, question);
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
