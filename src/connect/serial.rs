//! A serial port of this machine on a terminal: the console of a switch or
//! firewall. Takes no secret. A profile sets what the entry leaves open to the
//! console settings its maker documents.

use super::device;
use super::field::{Field, FieldKind, Offers, Word};
use super::host::child::Engine;
use super::host::link::HostLink;
use super::line::typed::Enter;
use super::line::{Codec, End, LineEngine, fields};
use super::link::{LineSignal, Link, LinkInfo};
use super::ssh::fail;
use super::{Common, Connector, Failure, FailureKind, Lease, Opens, Progress};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::{Hop, Target};
use crate::os::serial::{self, Fault, Flow, Parity, Setup};
use crate::os::words;

/// Setting that names the port.
pub const DEVICE: &str = "device";

/// The connector.
pub struct Serial;

const fn shown(word: &'static str, text: &'static str) -> Word {
    Word { word, fr: text, en: text }
}

const SPEEDS: &[Word] = &[
    shown("300", "300 bit/s"),
    shown("1200", "1200 bit/s"),
    shown("2400", "2400 bit/s"),
    shown("4800", "4800 bit/s"),
    shown("9600", "9600 bit/s"),
    shown("19200", "19200 bit/s"),
    shown("38400", "38400 bit/s"),
    shown("57600", "57600 bit/s"),
    shown("115200", "115200 bit/s"),
    shown("230400", "230400 bit/s"),
    shown("460800", "460800 bit/s"),
    shown("921600", "921600 bit/s"),
];

const DATA_BITS: &[Word] =
    &[shown("8", "8 bits"), shown("7", "7 bits"), shown("6", "6 bits"), shown("5", "5 bits")];
const STOP_BITS: &[Word] = &[shown("1", "1 bit"), shown("2", "2 bits")];

const PARITIES: &[Word] = &[
    Word { word: "none", fr: "aucune", en: "none" },
    Word { word: "even", fr: "paire", en: "even" },
    Word { word: "odd", fr: "impaire", en: "odd" },
];

const FLOWS: &[Word] = &[
    Word { word: "none", fr: "aucun", en: "none" },
    Word { word: "xon-xoff", fr: "XON/XOFF", en: "XON/XOFF" },
    Word { word: "rts-cts", fr: "RTS/CTS", en: "RTS/CTS" },
];

const FIELDS: &[Field] = &[
    Field::new(DEVICE, "Port série", "Serial port", FieldKind::Offered(Offers(serial::present)))
        .explained(
            "Comme /dev/ttyUSB0 ou COM3\u{a0}; «\u{a0}poterne doctor\u{a0}» dit quels ports il y a.",
            "Such as /dev/ttyUSB0 or COM3; “poterne doctor” says which ports there are.",
        )
        .own(),
    device::CONSOLE,
    Field::new("speed", "Vitesse", "Speed", FieldKind::Choice(SPEEDS)).explained(
        "Vide\u{a0}: celle de l’équipement choisi, 9600 sinon.",
        "Empty: that of the chosen device, otherwise 9600.",
    ),
    Field::new("data-bits", "Bits de données", "Data bits", FieldKind::Choice(DATA_BITS))
        .explained("Presque toujours 8.", "Almost always 8.")
        .usually("8"),
    Field::new("parity", "Parité", "Parity", FieldKind::Choice(PARITIES))
        .explained("Presque toujours aucune.", "Almost always none.")
        .usually("none"),
    Field::new("stop-bits", "Bits d’arrêt", "Stop bits", FieldKind::Choice(STOP_BITS))
        .explained("Presque toujours 1.", "Almost always 1.")
        .usually("1"),
    Field::new("flow-control", "Contrôle de flux", "Flow control", FieldKind::Choice(FLOWS))
        .explained(
            "Vide\u{a0}: celui de l’équipement choisi, aucun sinon.",
            "Empty: that of the chosen device, otherwise none.",
        ),
    fields::LINE_ENDING,
    fields::LOCAL_ECHO,
    fields::IDLE_TIMEOUT,
    device::SNAPSHOT_COMMAND,
];

impl Connector for Serial {
    fn id(&self) -> &'static str {
        "serial"
    }

    fn label(&self) -> Bi {
        Bi::new("Port série (console)", "Serial port (console)")
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::Notes]
    }

    fn common(&self) -> Common {
        Common { host: false, port: false, user: false }
    }

    fn opens(&self) -> Opens {
        Opens::Session
    }

    fn many_channels(&self) -> bool {
        false
    }

    fn open(&self, target: &Target, lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        setup(target.destination())?;
        Ok(Box::new(HostLink::open(target, lease, std::time::Duration::from_secs(15))?))
    }
}

/// How the port is to be set.
fn setup(hop: &Hop) -> Result<Setup, Failure> {
    let read = fields::Reader(hop, FIELDS);
    read.check()?;
    let port = read.text(DEVICE);
    if port.is_empty() {
        return Err(no_device(None));
    }
    let word = read.text(device::PROFILE);
    let profile = device::by_word(word).ok_or_else(|| fail::setting(device::PROFILE, word))?;
    let or = |id: &str, usual: &'static str| match read.text(id) {
        "" => usual,
        text => text,
    };
    let digits = |id: &'static str, text: &str| text.parse().map_err(|_| fail::setting(id, text));
    let speed = or("speed", profile.speed);
    Ok(Setup {
        device: port.to_owned(),
        speed: digits("speed", speed)?,
        data_bits: digits("data-bits", read.text("data-bits"))? as u8,
        parity: match read.text("parity") {
            "none" => Parity::None,
            "even" => Parity::Even,
            "odd" => Parity::Odd,
            other => return Err(fail::setting("parity", other)),
        },
        stop_bits: digits("stop-bits", read.text("stop-bits"))? as u8,
        flow: match or("flow-control", profile.flow) {
            "none" => Flow::None,
            "xon-xoff" => Flow::Software,
            "rts-cts" => Flow::Hardware,
            other => return Err(fail::setting("flow-control", other)),
        },
    })
}

/// One line about the port: `/dev/ttyUSB0 · 9600 8N1`.
fn describe(setup: &Setup) -> String {
    let parity = match setup.parity {
        Parity::None => 'N',
        Parity::Even => 'E',
        Parity::Odd => 'O',
    };
    let flow = match setup.flow {
        Flow::None => "",
        Flow::Software => " XON/XOFF",
        Flow::Hardware => " RTS/CTS",
    };
    let Setup { device, speed, data_bits, stop_bits, .. } = setup;
    format!("{device} · {speed} {data_bits}{parity}{stop_bits}{flow}")
}

/// Opens it in the session process.
pub(super) fn open(end: &End<'_>) -> Result<Box<dyn Engine>, Failure> {
    let setup = setup(end.hop)?;
    let device = setup.device.clone();
    end.up.say(&Progress::Contacting(device.clone()));
    let (lost, name) = (end.lost.clone(), device.clone());
    let note = move |e: &std::io::Error| {
        let mut lost = lost.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        lost.get_or_insert_with(|| unplugged(&name, e));
    };
    let (socket, port) = serial::open(&setup, note).map_err(|fault| refused(&device, fault))?;
    let mut stream = end.stream(socket);
    stream.port = Some(port);
    stream.at = device;
    let info = LinkInfo {
        description: describe(&setup),
        signals: vec![LineSignal::Break, LineSignal::DtrOff, LineSignal::DtrOn],
        ..LinkInfo::default()
    };
    let read = fields::Reader(end.hop, FIELDS);
    let codec = Codec::Plain(Enter::new(read.ending()?));
    let engine = LineEngine::new(stream, codec, info)?;
    // The device shows what it is sent.
    let echo = read.echo()?.or(Some(false));
    Ok(Box::new(engine.with(echo, "", read.secs("idle-timeout")?)))
}

/// Its own failures, of marks.
pub(super) fn each() -> Vec<Failure> {
    use super::retold::{ANY, cause};
    let device = ANY[0];
    vec![
        refused(device, Fault::Busy),
        refused(device, Fault::Denied(None)),
        refused(device, Fault::Other(cause())),
        no_device(Some(device)),
        no_device(None),
        unplugged(device, &cause()),
    ]
}

fn refused(device: &str, fault: Fault) -> Failure {
    let failure = |kind, what: (String, String), todo: (String, String)| Failure {
        kind,
        what: Bi::new(what.0, what.1),
        todo: Bi::new(todo.0, todo.1),
    };
    match fault {
        Fault::Missing => no_device(Some(device)),
        Fault::Busy => failure(
            FailureKind::Refused,
            (
                format!("Un autre programme utilise le port {device}."),
                format!("Another program is using the port {device}."),
            ),
            (
                "Fermez-y la session ou le programme (minicom, PuTTY, ModemManager), puis réessayez."
                    .into(),
                "Close the session or program there (minicom, PuTTY, ModemManager), then try again."
                    .into(),
            ),
        ),
        Fault::Denied(group) => {
            let group = group.unwrap_or_else(|| "dialout".into());
            failure(
                FailureKind::Refused,
                (
                    format!("Vous n’avez pas le droit d’ouvrir le port {device}."),
                    format!("You may not open the port {device}."),
                ),
                (
                    format!(
                        "Rejoignez le groupe {group} («\u{a0}sudo usermod -aG {group} \
                         VOTRE_NOM\u{a0}»), puis ouvrez une nouvelle session sur cet ordinateur."
                    ),
                    format!(
                        "Join the group {group} (“sudo usermod -aG {group} YOUR_NAME”), then log \
                         in to this computer anew."
                    ),
                ),
            )
        }
        Fault::Other(e) => {
            let why = words::cause(&e);
            failure(
                FailureKind::Setting,
                (
                    format!("Le port {device} ne s’ouvre pas\u{a0}: {}.", why.fr),
                    format!("The port {device} does not open: {}.", why.en),
                ),
                (
                    "Vérifiez que c’est un port série et qu’il accepte ces réglages.".into(),
                    "Check that it is a serial port and that it takes these settings.".into(),
                ),
            )
        }
    }
}

/// There is no such port, or none was named: says which there are.
fn no_device(named: Option<&str>) -> Failure {
    let present = serial::present().join(", ");
    let what = match named {
        Some(device) => Bi::new(
            format!("Le port {device} n’existe pas."),
            format!("The port {device} does not exist."),
        ),
        None => Bi::new("L’accès ne nomme pas de port série.", "The entry names no serial port."),
    };
    let todo = if present.is_empty() {
        Bi::new(
            "Branchez l’adaptateur\u{a0}: cet ordinateur n’a aucun port série en ce moment.",
            "Plug in the adapter: this computer has no serial port at the moment.",
        )
    } else {
        Bi::new(
            format!("Choisissez parmi les ports présents\u{a0}: {present}."),
            format!("Choose among the ports that are there: {present}."),
        )
    };
    let kind = named.map_or(FailureKind::Setting, |_| FailureKind::UnknownHost);
    Failure { kind, what, todo }
}

fn unplugged(device: &str, e: &std::io::Error) -> Failure {
    let why = words::cause(e);
    Failure {
        kind: FailureKind::Network,
        what: Bi::new(
            format!("Le port {device} a été débranché ou ne répond plus\u{a0}: {}.", why.fr),
            format!("The port {device} was unplugged or answers no more: {}.", why.en),
        ),
        todo: Bi::new(
            "Rebranchez l’adaptateur, puis reconnectez-vous.",
            "Plug the adapter in again, then reconnect.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_open_a_port_is_told_which_group_to_join() {
        for (group, named) in [(Some("uucp".to_owned()), "uucp"), (None, "dialout")] {
            let failure = refused("/dev/ttyUSB0", Fault::Denied(group));
            assert!(failure.what.en.contains("/dev/ttyUSB0"));
            for todo in [&failure.todo.fr, &failure.todo.en] {
                assert!(todo.contains(&format!("usermod -aG {named} ")), "{todo}");
            }
        }
    }
}
