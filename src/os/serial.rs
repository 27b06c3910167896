//! Serial ports: which there are, opening one for this program alone, and leading
//! its bytes to a socket, so that whoever waits for sockets can wait for it. Knows
//! no device at the other end of the cable.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serialport::{DataBits, FlowControl, SerialPort, StopBits};

pub use serialport::Parity;

use super::net::Socket;

/// How often the reader looks whether the other side is still there.
const LOOK: Duration = Duration::from_millis(200);
/// How long a break lasts, as terminals do it.
const BREAK: Duration = Duration::from_millis(300);

/// How a port is to be set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// `/dev/ttyUSB0`, `COM3`.
    pub device: String,
    /// Bits per second.
    pub speed: u32,
    /// 5 to 8.
    pub data_bits: u8,
    /// Parity bit.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
    /// Who may halt the other, and how.
    pub flow: Flow,
}

/// Flow control.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// None.
    None,
    /// XON and XOFF among the bytes.
    Software,
    /// RTS and CTS.
    Hardware,
}

/// Why a port cannot be opened.
#[derive(Debug)]
pub enum Fault {
    /// There is no such device.
    Missing,
    /// Another program has it.
    Busy,
    /// This user may not; the group that may, if the device has one.
    Denied(Option<String>),
    /// The system says so.
    Other(io::Error),
}

/// The ports of this machine by name.
pub fn present() -> Vec<String> {
    let mut names: Vec<String> = serialport::available_ports()
        .unwrap_or_default()
        .into_iter()
        .map(|p| p.port_name)
        .collect();
    names.sort();
    names
}

/// A port that is led to a socket.
pub struct Port {
    control: Arc<Mutex<Box<dyn SerialPort>>>,
    closed: Arc<AtomicBool>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a port and leads it to a socket. `lost` hears why, before the socket ends,
/// when the port is gone.
///
/// # Errors
/// It is missing, another program has it, or it cannot be set so.
pub fn open(
    setup: &Setup,
    lost: impl Fn(&io::Error) + Send + Clone + 'static,
) -> Result<(Socket, Port), Fault> {
    let data_bits = match setup.data_bits {
        5 => DataBits::Five,
        6 => DataBits::Six,
        7 => DataBits::Seven,
        _ => DataBits::Eight,
    };
    let flow = match setup.flow {
        Flow::None => FlowControl::None,
        Flow::Software => FlowControl::Software,
        Flow::Hardware => FlowControl::Hardware,
    };
    let port = serialport::new(&setup.device, setup.speed)
        .data_bits(data_bits)
        .parity(setup.parity)
        .stop_bits(if setup.stop_bits == 2 { StopBits::Two } else { StopBits::One })
        .flow_control(flow)
        .dtr_on_open(true)
        .timeout(LOOK)
        .open()
        .map_err(|e| fault(e, &setup.device))?;
    let clone = || port.try_clone().map_err(|e| Fault::Other(e.into()));
    let (reader, writer) = (clone()?, clone()?);
    let (near, far) = Socket::pair().map_err(Fault::Other)?;
    let from = far.try_clone().map_err(Fault::Other)?;
    let closed: Arc<AtomicBool> = Arc::default();
    let stop = closed.clone();
    let heard = lost.clone();
    spawn("serial-in", move || inward(reader, far, &stop, &heard))?;
    let stop = closed.clone();
    spawn("serial-out", move || outward(writer, from, &stop, &lost))?;
    Ok((near, Port { control: Arc::new(Mutex::new(port)), closed }))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
    std::thread::Builder::new().name(name.into()).spawn(work).map(drop).map_err(Fault::Other)
}

fn inward(
    mut port: Box<dyn SerialPort>,
    mut socket: Socket,
    closed: &AtomicBool,
    lost: &dyn Fn(&io::Error),
) {
    let mut buffer = [0u8; 4096];
    while !closed.load(Ordering::Acquire) {
        match port.read(&mut buffer) {
            Ok(0) => {
                lost(&ErrorKind::UnexpectedEof.into());
                break;
            }
            Ok(n) if socket.write_all(&buffer[..n]).is_ok() => {}
            Ok(_) => break,
            Err(e) if passing(&e) => {}
            Err(e) => {
                lost(&e);
                break;
            }
        }
    }
    socket.shutdown(Shutdown::Both);
}

fn outward(
    mut port: Box<dyn SerialPort>,
    mut socket: Socket,
    closed: &AtomicBool,
    lost: &dyn Fn(&io::Error),
) {
    let mut buffer = [0u8; 4096];
    while let Ok(n @ 1..) = socket.read(&mut buffer) {
        let mut rest = &buffer[..n];
        while !rest.is_empty() && !closed.load(Ordering::Acquire) {
            match port.write(rest) {
                Ok(written) => rest = &rest[written..],
                // The other side may halt us for as long as it likes.
                Err(e) if passing(&e) => {}
                Err(e) => {
                    lost(&e);
                    socket.shutdown(Shutdown::Both);
                    return;
                }
            }
        }
    }
}

fn passing(e: &io::Error) -> bool {
    matches!(e.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::WouldBlock)
}

impl Port {
    /// Sends a break. It takes a moment, which nobody waits for. A port that has no
    /// such line, as a pseudo-terminal, ignores it.
    pub fn send_break(&self) {
        let control = self.control.clone();
        let _ = spawn("break", move || {
            let control = lock(&control);
            if control.set_break().is_ok() {
                std::thread::sleep(BREAK);
                let _ = control.clear_break();
            }
        });
    }

    /// Sets Data Terminal Ready; ignored as above.
    pub fn set_dtr(&self, on: bool) {
        let _ = lock(&self.control).write_data_terminal_ready(on);
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Release);
    }
}

fn fault(error: serialport::Error, device: &str) -> Fault {
    use serialport::ErrorKind as Kind;
    match error.kind() {
        Kind::Io(ErrorKind::NotFound) => Fault::Missing,
        Kind::Io(ErrorKind::PermissionDenied) => Fault::Denied(group_of(device)),
        Kind::NoDevice if std::path::Path::new(device).exists() => Fault::Busy,
        Kind::NoDevice => Fault::Missing,
        _ => Fault::Other(error.into()),
    }
}

/// The group that a device belongs to, by name.
#[cfg(unix)]
fn group_of(device: &str) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let id = std::fs::metadata(device).ok()?.gid();
    group_named(&std::fs::read_to_string("/etc/group").ok()?, id)
}

/// The name of a group in the text of `/etc/group`. Nobody should be told to join
/// that of the administrator.
#[cfg(unix)]
fn group_named(groups: &str, id: u32) -> Option<String> {
    let id = id.to_string();
    let line = groups.lines().find(|line| line.split(':').nth(2) == Some(&id))?;
    let name = line.split(':').next().filter(|name| *name != "root")?;
    Some(name.to_owned())
}

#[cfg(not(unix))]
fn group_of(_device: &str) -> Option<String> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_but_never_the_administrator_s() {
        let groups = "root:x:0:\ndialout:x:20:zoe\nfax:x:21:\n";
        assert_eq!(group_named(groups, 20).as_deref(), Some("dialout"));
        assert_eq!(group_named(groups, 0), None);
        assert_eq!(group_named(groups, 2), None);
    }
}
