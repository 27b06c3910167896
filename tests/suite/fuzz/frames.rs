//! Frames of a session process and of the agent.

use poterne::app::agent::frames::{self, FromAgent, StartFrame, Started, ToAgent};
use poterne::app::api::{At, Justification, Reply, Request};
use poterne::connect::host::wire;
use poterne::connect::link::{ChannelRequest, Exit, LineSignal, LinkInfo, TermSize};
use poterne::connect::screen::CopyRect;
use poterne::connect::{Failure, Progress, Question};
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{HostPort, PinnedKey, Target};
use poterne::secret::{SecretBytes, SecretText};

use super::{MIB, fuzz, within};
use crate::kit::login;

fn wire_frames() -> Vec<Vec<u8>> {
    use wire::Tag as T;
    let mut target = Target { kind: Kind::new("ssh"), hops: vec![crate::kit_ssh::hop(22)] };
    let at = HostPort { host: "h".into(), port: 22 };
    let pinned = PinnedKey { at, algorithm: "ssh-rsa".into(), fingerprint: "SHA256:x".into() };
    target.hops[0].pinned.push(pinned.clone());
    let size = TermSize { cols: 80, rows: 24 };
    let shell = ChannelRequest::Shell { size, term: "xterm".into() };
    let info = LinkInfo { user: "zoé".into(), ..LinkInfo::default() };
    let mut all = Vec::new();
    let mut put = |write: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
        let mut out = Vec::new();
        write(&mut out).expect("into memory");
        all.push(out);
    };
    let start = wire::Start {
        target,
        agent: Some("/run/agent".into()),
        run: None,
        memory: true,
        door: false,
    };
    put(&|out| wire::write_value(out, T::Start, 0, &start));
    put(&|out| wire::write_raw(out, T::Give, 0, b"hunter2"));
    put(&|out| wire::write_raw(out, T::Data, 3, &[7; 900]));
    put(&|out| wire::write_value(out, T::Open, 1, &shell));
    put(&|out| wire::write_value(out, T::Resize, 1, &size));
    put(&|out| wire::write_value(out, T::Credit, 1, &77u32));
    put(&|out| wire::write_value(out, T::Say, 0, &Progress::Resolving("h".into())));
    put(&|out| wire::write_value(out, T::Ask, 0, &Question::TrustHostKey(pinned.clone())));
    let need = wire::Need { hop: 1, slot: Slot::Custom("pin".into()) };
    put(&|out| wire::write_value(out, T::Need, 0, &need));
    put(&|out| wire::write_value(out, T::Up, 0, &info));
    put(&|out| wire::write_value(out, T::Exit, 1, &Exit::Status(7)));
    put(&|out| wire::write_value(out, T::Closed, 1, &None::<Failure>));
    all
}

fn same<T: serde::Serialize + serde::de::DeserializeOwned>(frame: &wire::Frame) {
    if let Ok(value) = within(8 * MIB, || frame.value::<T>()) {
        let once = postcard::to_stdvec(&value).expect("it was read");
        let again: T = postcard::from_bytes(&once).expect("it was written");
        assert_eq!(postcard::to_stdvec(&again).expect("it was read"), once);
    }
}

#[test]
fn frames_of_a_session_process() {
    let mut valid = wire_frames();
    valid.push(valid.concat());
    fuzz(4000, valid, |bytes| {
        let mut from = bytes;
        while let Ok(Some(frame)) = within(2 * MIB, || wire::read(&mut from)) {
            same::<wire::Start>(&frame);
            same::<wire::Need>(&frame);
            same::<Question>(&frame);
            same::<ChannelRequest>(&frame);
            same::<TermSize>(&frame);
            same::<CopyRect>(&frame);
            same::<wire::Lent>(&frame);
            same::<Progress>(&frame);
            same::<LinkInfo>(&frame);
            same::<Exit>(&frame);
            same::<Option<Failure>>(&frame);
            let mut out = Vec::new();
            let channel = frame.channel;
            // What says where it lies is no part of the body.
            if frame.tag == wire::Tag::Tile {
                let Ok(tile) = frame.into_tile() else { continue };
                wire::write_tile(&mut out, channel, tile.place, &tile.pixels).expect("memory");
                let again = wire::read(&mut &out[..]).expect("written").expect("one frame");
                assert!(again.channel == channel && again.into_tile().expect("a tile") == tile);
                continue;
            }
            wire::write_raw(&mut out, frame.tag, channel, &frame.body).expect("memory");
            let again = wire::read(&mut &out[..]).expect("written").expect("one frame");
            assert!(again.tag == frame.tag && again.channel == frame.channel);
            assert!(again.body == frame.body);
        }
    });
}

fn agent_frame<T: serde::Serialize + serde::de::DeserializeOwned>(bytes: &[u8]) {
    if let Ok(value) = within(16 * MIB, || frames::read::<T>(&mut &bytes[..])) {
        let write = |value: &T| {
            let mut out = Vec::new();
            frames::write(&mut out, value).expect("into memory");
            out
        };
        let once = write(&value);
        let again = frames::read::<T>(&mut &once[..]).expect("it was written");
        assert!(write(&again) == once);
    }
}

#[test]
fn frames_of_the_agent() {
    fn framed<T: serde::Serialize>(value: &T) -> Vec<u8> {
        let mut out = Vec::new();
        frames::write(&mut out, value).expect("into memory");
        out
    }
    let patch = Box::new(login("h", "u", "secret"));
    let path = || At::Path("Dupont/srv".into());
    let secret = SecretBytes::copy_of(b"hunter2");
    let valid = vec![
        framed(&ToAgent::Call(Request::Status)),
        framed(&ToAgent::Call(Request::Edit { at: path(), expected_ver: Some(3), patch })),
        framed(&ToAgent::Call(Request::Move {
            at: path(),
            to: "Martin".into(),
            just: Justification::default(),
        })),
        framed(&ToAgent::Data(1, vec![7; 300])),
        framed(&ToAgent::Resize(1, TermSize { cols: 80, rows: 24 })),
        framed(&ToAgent::Signal(1, LineSignal::DtrOff)),
        framed(&ToAgent::Answer(frames::AnswerFrame::Text(SecretText::copy_of("123456")))),
        framed(&FromAgent::Reply(Ok(Reply::Secret(secret)))),
        framed(&FromAgent::Reply(Ok(Reply::Done))),
        framed(&FromAgent::Say(Progress::Contacting("h".into()))),
        framed(&FromAgent::Stderr(2, b"oops".to_vec())),
        framed(&StartFrame {
            vault: "/tmp/x.poterne".into(),
            socket: "/run/x".into(),
            member: Some("alice".into()),
            factors: poterne::app::api::Factors {
                password: SecretText::copy_of("p"),
                code: SecretText::copy_of("123456"),
            },
            read_only: false,
            accept_older: false,
            idle_secs: Some(5),
        }),
    ];
    // A length that nothing follows takes next to no memory.
    let claim = (1u32 << 30).to_le_bytes();
    assert!(within(4 * MIB, || frames::read::<ToAgent>(&mut &claim[..])).is_err());
    fuzz(3000, valid, |bytes| {
        agent_frame::<ToAgent>(bytes);
        agent_frame::<FromAgent>(bytes);
        agent_frame::<StartFrame>(bytes);
        agent_frame::<Started>(bytes);
    });
}
