//! Raises an OpenVPN in its session process: the distribution's `openvpn` in a network
//! of its own, the profile by its standard input, everything else by its management
//! socket. No secret reaches an argument, a variable or a file.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::drive::{Driver, Login};
use super::fields::Settings;
use super::management::course::{Course, Setup};
use super::management::evidence::{Dates, Known};
use super::management::reason::Reason;
use super::profile::{self, Facts, PartKind, Reading, Role};
use super::{ID, fail, installed, profile_slot};
use crate::connect::Failure;
use crate::connect::host::child::{Engine, Uplink};
use crate::connect::ssh::fail::local;
use crate::connect::vpn;
use crate::connect::vpn::engine::{Holder, VpnEngine, begin};
use crate::connect::vpn::helper::{FOLDER, SOCKET};
use crate::connect::vpn::inside::{Doors, Inside, Program};
use crate::connect::vpn::journal::Journal;
use crate::model::target::Hop;
use crate::model::time::Time;
use crate::os::netns;

/// For `openvpn` to read its profile and get in touch.
const GREETING: Duration = Duration::from_secs(15);
/// For keys and login. A server that does not like the certificate of a client says
/// nothing by UDP, and nobody waits a minute for that.
const HANDSHAKE_SECS: &str = "20";
/// What it says before that is kept up to here, in bytes.
const OUTPUT_MAX: usize = 64 * 1024;

/// Raises the VPN of a hop.
///
/// # Errors
/// Anything from the profile to the login.
pub fn open(index: usize, hop: &Hop, up: &Arc<Uplink>) -> Result<Box<dyn Engine>, Failure> {
    let settings = Settings::of(hop)?;
    let reading = reading(index, up)?;
    let facts = reading.profile.facts();
    let program = installed::find().ok_or_else(|| vpn::fail::no_program(ID, ID))?;
    let (queue, journal) = begin(up)?;
    let (inside, listener) = Inside::make()?;
    let args = arguments(settings.connect_timeout);
    let (doors, program) = inside.run(&program, args)?;
    let stream = greet(program, &listener, &reading, &journal)?;
    let control_key = facts
        .keys
        .iter()
        .any(|part| matches!(part, PartKind::TlsAuth | PartKind::TlsCrypt | PartKind::TlsCryptV2));
    let setup = Setup {
        otp: settings.otp,
        attempts: u32::try_from(facts.places.len()).unwrap_or(u32::MAX),
        known: Known {
            control_key,
            own: dates(&facts, Role::Client),
            authority: dates(&facts, Role::Authority),
        },
    };
    let masking = journal.clone();
    let course = Course::new(setup, Box::new(move |text| masking.masked(text)));
    let leaving = Arc::new(AtomicBool::new(false));
    let stopper = stream.try_clone().map_err(|e| local(&e))?;
    let login = Login::new(index, hop, up.clone());
    let mut driver =
        Driver::new(stream, course, journal.clone(), doors.clone(), login, leaving.clone());
    let mut info = driver.until_up()?;
    info.warnings.extend(reading.warnings);
    info.warnings.extend(super::expiry::soon(&facts));
    let drive = std::thread::Builder::new().name(ID.into()).spawn(move || driver.drive());
    drive.map_err(|e| local(&e))?;
    let holder = Arc::new(Held { doors, stopper, leaving });
    Ok(Box::new(VpnEngine::new((queue, journal), holder, info)?))
}

/// When the first certificate of this role to end is valid.
fn dates(facts: &Facts, role: Role) -> Option<Dates> {
    let all = facts.certificates.iter().filter(|certificate| certificate.role == role);
    let first = all.min_by_key(|certificate| certificate.not_after)?;
    let secs = |at: Time| at.0.div_euclid(1_000_000);
    Some(Dates { from: secs(first.not_before), until: secs(first.not_after) })
}

fn reading(index: usize, up: &Uplink) -> Result<Reading, Failure> {
    let stored = up.secret(index, &profile_slot()).ok_or_else(fail::no_profile)?;
    // What was stored has no files beside it.
    let mut beside = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let read = stored.expose(|text| profile::read(text, &mut beside));
    read.map_err(|refused| Failure {
        kind: crate::connect::FailureKind::Setting,
        what: refused.what(),
        todo: refused.todo(),
    })
}

/// No value of the profile is among them. What comes last counts.
fn arguments(timeout: Duration) -> Vec<String> {
    let socket = netns::path_in(FOLDER, SOCKET);
    let timeout = timeout.as_secs().to_string();
    [
        "--config",
        "stdin",
        "--management",
        &socket,
        "unix",
        "--management-client",
        "--management-hold",
        "--management-query-passwords",
        "--management-up-down",
        "--auth-retry",
        "interact",
        "--auth-nocache",
        "--script-security",
        "1",
        "--connect-timeout",
        &timeout,
        "--hand-window",
        HANDSHAKE_SECS,
        "--resolv-retry",
        "0",
        "--persist-tun",
        "--persist-key",
        "--nobind",
        "--verb",
        "3",
    ]
    .map(str::to_owned)
    .into()
}

/// Hands the profile over and waits for `openvpn` to get in touch.
fn greet(
    program: Program,
    listener: &UnixListener,
    reading: &Reading,
    journal: &Journal,
) -> Result<UnixStream, Failure> {
    let Program { pid, mut input, mut output, errors, .. } = program;
    let text = reading.profile.text();
    // One that ends meanwhile is told of below, by what it wrote.
    let _ = text.expose(|text| input.write_all(text.as_bytes()));
    drop(input);
    drop(errors);
    let deadline = Instant::now() + GREETING;
    let mut said = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(listener, PollFlags::IN), PollFd::new(&output, PollFlags::IN)];
        let limit = Timespec::try_from(left).unwrap_or_default();
        let _ = poll(&mut fds, Some(&limit));
        let [caller, spoke] = [0, 1].map(|n| !fds[n].revents().is_empty());
        if caller {
            let (stream, _) = listener.accept().map_err(|e| local(&e))?;
            // Nobody else reaches that socket; but who speaks there is believed.
            let peer = rustix::net::sockopt::socket_peercred(stream.as_fd());
            if peer.is_ok_and(|peer| peer.pid.as_raw_nonzero().get() as u32 == pid) {
                drain(output);
                return Ok(stream);
            }
        }
        if spoke {
            let mut room = [0; 4096];
            match output.read(&mut room) {
                Ok(0) | Err(_) => {
                    let said = String::from_utf8_lossy(&said).into_owned();
                    return Err(Reason::of_output(&said, |text| journal.masked(text)).failure());
                }
                Ok(n) if said.len() < OUTPUT_MAX => said.extend_from_slice(&room[..n]),
                Ok(_) => {}
            }
        }
        if left.is_zero() {
            return Err(fail::no_answer());
        }
    }
}

/// Its log comes by the management socket; what it writes besides must not stop it.
fn drain(mut output: impl Read + Send + 'static) {
    let work = move || {
        let mut room = [0; 4096];
        while matches!(output.read(&mut room), Ok(n) if n > 0) {}
    };
    let _ = std::thread::Builder::new().name("output".into()).spawn(work);
}

struct Held {
    doors: Doors,
    stopper: UnixStream,
    leaving: Arc<AtomicBool>,
}

impl Holder for Held {
    fn admit(&self, passage: OwnedFd) {
        self.doors.admit(passage);
    }

    fn stop(&self) {
        self.leaving.store(true, Ordering::Release);
        // One that is gone has stopped.
        let _ = (&self.stopper).write_all(b"signal SIGTERM\n");
    }
}
