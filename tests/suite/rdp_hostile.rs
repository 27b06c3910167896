//! An RDP server that announces more on a channel than anybody would keep: somebody who has
//! its key stands before a real xrdp, and speaks for it once the desktop is there.

use std::borrow::Cow;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use ironrdp_core::encode_vec;
use ironrdp_pdu::mcs::SendDataIndication;
use ironrdp_pdu::rdp::vc::{ChannelControlFlags, ChannelPduHeader};
use ironrdp_pdu::x224::X224;
use openssl::ssl::{SslAcceptor, SslConnector, SslFiletype, SslMethod, SslVerifyMode};
use poterne::connect::{Failure, FailureKind};
use poterne::model::entry::Slot;

use crate::kit_rdp::*;
use crate::kit_ssh::*;
use crate::manifest_programs::all_gone;

const PASSWORD: &str = "tuile-Érable-42";
/// The static channel that every session has, and that carries the dynamic ones.
const DYNAMIC: &str = "drdynvc";
/// The number of the first static channel of xrdp's.
const FIRST: u16 = 1004;
/// How long each side is listened to in turn.
const TURN: Duration = Duration::from_millis(5);

/// Who stands between the client and an xrdp.
struct Between {
    port: u16,
    /// The names of the static channels, in order.
    channels: Receiver<Vec<String>>,
    /// What the client is told besides.
    say: Sender<Vec<u8>>,
}

impl Between {
    fn before(server: &Xrdp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let port = listener.local_addr().expect("bound").port();
        let (to, dir) = (server.port, server.dir.path().to_owned());
        let ((found, channels), (say, said)) = (channel(), channel());
        std::thread::spawn(move || {
            let (near, _) = listener.accept().expect("loopback");
            // Either side may go at any time.
            let _ = carry(near, to, &dir, &found, &said);
        });
        Self { port, channels, say }
    }
}

fn carry(
    mut near: TcpStream,
    to: u16,
    dir: &Path,
    found: &Sender<Vec<String>>,
    said: &Receiver<Vec<u8>>,
) -> std::io::Result<()> {
    let mut far = TcpStream::connect(("127.0.0.1", to))?;
    far.write_all(&packet(&mut near)?)?;
    near.write_all(&packet(&mut far)?)?;
    let mut tls = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).expect("TLS");
    tls.set_private_key_file(dir.join("key.pem"), SslFiletype::PEM).expect("made");
    tls.set_certificate_file(dir.join("cert.pem"), SslFiletype::PEM).expect("made");
    let mut near = tls.build().accept(near).expect("the client takes it");
    let mut tls = SslConnector::builder(SslMethod::tls()).expect("TLS");
    tls.set_verify(SslVerifyMode::NONE);
    let mut far = tls.build().connect("essai.invalid", far).expect("xrdp takes it");
    for stream in [near.get_ref(), far.get_ref()] {
        stream.set_read_timeout(Some(TURN))?;
    }
    let (mut room, mut pending, mut begun) = (vec![0; 1 << 16], Vec::new(), false);
    loop {
        for frame in said.try_iter() {
            near.write_all(&frame)?;
        }
        if let Some(bytes) = heard(&mut near, &mut room)? {
            if !begun {
                begun = true;
                let _ = found.send(names(bytes));
            }
            far.write_all(bytes)?;
        }
        if let Some(bytes) = heard(&mut far, &mut room)? {
            pending.extend(bytes);
            while let Some(length) = whole(&pending) {
                near.write_all(&pending[..length])?;
                pending.drain(..length);
            }
        }
    }
}

/// What has come, if anything has.
fn heard<'a>(from: &mut impl Read, room: &'a mut [u8]) -> std::io::Result<Option<&'a [u8]>> {
    match from.read(room) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(count) => Ok(Some(&room[..count])),
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
        Err(e) => Err(e),
    }
}

/// A packet before TLS.
fn packet(from: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut all = vec![0; 4];
    from.read_exact(&mut all)?;
    all.resize(usize::from(u16::from_be_bytes([all[2], all[3]])), 0);
    from.read_exact(&mut all[4..])?;
    Ok(all)
}

/// The length of the frame that is there, of the slow path or the fast.
fn whole(bytes: &[u8]) -> Option<usize> {
    let length = match bytes {
        [3, _, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        [3, ..] => return None,
        [_, high, low, ..] if high & 0x80 != 0 => {
            usize::from(u16::from_be_bytes([high & 0x7F, *low]))
        }
        [_, short, ..] if short & 0x80 == 0 => usize::from(*short),
        _ => return None,
    };
    (bytes.len() >= length).then_some(length)
}

/// The static channels that a client asks for (MS-RDPBCGR 2.2.1.3.4).
fn names(connect: &[u8]) -> Vec<String> {
    let known = ["cliprdr", DYNAMIC, "rdpsnd", "rdpdr"];
    let at = |name: &&str| {
        let padded = format!("{name:\0<8}");
        connect.windows(8).position(|eight| eight == padded.as_bytes())
    };
    let mut found: Vec<_> = known.iter().filter_map(|name| Some((at(name)?, *name))).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// A part of a message on a static channel, which is to be so long.
fn part(id: u16, length: u32, flags: ChannelControlFlags, part: &[u8]) -> Vec<u8> {
    let mut user_data = encode_vec(&ChannelPduHeader { length, flags }).expect("fits");
    user_data.extend(part);
    let user_data = Cow::Owned(user_data);
    let data = SendDataIndication { initiator_id: 1002, channel_id: id, user_data };
    encode_vec(&X224(data)).expect("fits")
}

/// What a server says on the channel of that number.
type Says<'a> = &'a dyn Fn(u16) -> Vec<u8>;

/// How a session ends in which the server says this on the channel of that name.
fn ended_by(name: &str, says: Says<'_>) -> Failure {
    let server = Xrdp::start(PASSWORD);
    let between = Between::before(&server);
    let mut hop = hop(between.port);
    hop.user.clone_from(&server.user);
    hop.pinned.push(pinned(&hop.at, server.dir.path()));
    let mut lease = FakeLease::default();
    let mut hops = vec![hop];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&rdp(hops.remove(0)), &mut lease);
    let mut desk =
        Desktop::open(&*link, size(802, 601)).unwrap_or_else(|e| panic!("{}", e.what.en));
    desk.until("the desktop is there", |d| d.size == (802, 601) && d.has_colour(790, 590));
    let names = between.channels.recv().expect("a client was there");
    let nth = names.iter().position(|one| one == name).expect("every session has it");
    between.say.send(says(FIRST + nth as u16)).expect("it carries");
    let failure = desk.finish().expect("a reason");
    drop(link);
    all_gone(&lease);
    failure
}

#[test]
fn a_server_that_announces_gigabytes_on_a_channel_is_left_at_once() {
    let first = ChannelControlFlags::FLAG_FIRST;
    let alone = first | ChannelControlFlags::FLAG_LAST;
    let packed = first | ChannelControlFlags::PACKET_COMPRESSED;
    // The first of a message on the first dynamic channel, whose length is u32::MAX.
    let inner = [&[0x28, 1, 0xFF, 0xFF, 0xFF, 0xFF][..], &[0; 1500]].concat();
    let cases: [(&str, &str, Says<'_>); 3] = [
        ("static", "cliprdr", &|id| part(id, u32::MAX, first, &[0; 1600])),
        ("compressed", "cliprdr", &|id| part(id, 1600, packed, &[0; 1600])),
        ("dynamic", DYNAMIC, &|id| part(id, inner.len() as u32, alone, &inner)),
    ];
    for (case, name, says) in cases {
        let failure = ended_by(name, says);
        assert_eq!(failure.kind, FailureKind::Protocol, "{case}: {failure:?}");
        assert!(failure.what.en.contains("beyond all measure"), "{case}: {failure:?}");
        assert!(failure.todo.fr.contains("administrateur"), "{case}: {failure:?}");
    }
}
