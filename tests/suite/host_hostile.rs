//! A session process that was taken over: whatever it does to the memory that it
//! shares with the application, or says about the picture, the application goes on.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use poterne::connect::host::link::HostLink;
use poterne::connect::host::wire::{self, Lent, MEMORY, Tag};
use poterne::connect::launch::Launch;
use poterne::connect::link::{Channel, ChannelRequest, FromRemote, Link, LinkInfo, Sink};
use poterne::connect::screen::{CopyRect, PIXEL, Place, ScreenSaid};
use poterne::gui::screen::Screen;

use crate::kit_rdp::{size, written};
use crate::kit_ssh::{FakeLease, hop};
use crate::kit_vnc::vnc;

const WHOLE: Place = Place { x: 0, y: 0, width: 40, height: 30 };
const LIMIT: Duration = Duration::from_secs(30);

/// What a session process says once its desktop was asked for, and a desktop.
struct Hostile {
    frames: Vec<u8>,
    /// Done to its memory, which is its descriptor 3, before it says anything.
    script: &'static str,
}

impl Hostile {
    fn new(script: &'static str) -> Self {
        let mut new = Self { frames: Vec::new(), script };
        new.says(Tag::Opened, &());
        new.says(Tag::Screen, &ScreenSaid::Size { width: WHOLE.width, height: WHOLE.height });
        new
    }

    fn says<T: serde::Serialize>(&mut self, tag: Tag, value: &T) {
        wire::write_value(&mut self.frames, tag, 1, value).expect("into memory");
    }

    fn lends(&mut self, place: Place, at: u32) {
        self.says(Tag::Lent, &Lent { place, at });
    }

    /// What it says last, by which the rest is known to have come.
    fn rings(&mut self) {
        self.says(Tag::Screen, &ScreenSaid::Bell);
    }

    /// Has it say so to a desktop.
    fn shown(&self) -> (HostLink, Screen) {
        let folder = tempfile::tempdir().expect("a folder");
        let (screen, sink) = Screen::new();
        let (link, channel) = self.said(folder.path(), "exec sleep 600", sink);
        screen.attach(channel, size(WHOLE.width, WHOLE.height));
        let end = Instant::now() + LIMIT;
        while screen.bells() == 0 && screen.ended().is_none() {
            assert!(Instant::now() < end, "it says nothing");
            std::thread::yield_now();
        }
        (link, screen)
    }

    /// The same to anybody; it runs `last` then.
    fn said(&self, folder: &Path, last: &str, sink: Sink) -> (HostLink, Box<dyn Channel>) {
        let at = |name: &str| folder.join(name).display().to_string();
        let target = vnc(hop(1));
        let start = wire::Start {
            target: target.clone(),
            agent: None,
            run: None,
            memory: true,
            door: false,
        };
        let mut told = Vec::new();
        wire::write_value(&mut told, Tag::Start, 0, &start).expect("into memory");
        let mut up = Vec::new();
        wire::write_value(&mut up, Tag::Up, 0, &LinkInfo::default()).expect("into memory");
        let write = |name: &str, bytes: &[u8]| {
            let file = std::fs::File::create(at(name));
            file.and_then(|mut file| file.write_all(bytes)).expect("ours");
        };
        write("up", &up);
        write("frames", &self.frames);
        // The desktop is asked for after that many bytes.
        let script = format!(
            "cat {}; head -c {} >/dev/null; {} cat {}; {last}",
            at("up"),
            told.len() + wire::HEAD,
            self.script,
            at("frames"),
        );
        let mut launch = Launch::desktop_host();
        launch.program = Some("sh".into());
        launch.args = vec!["-c".into(), script.into()];
        let link = HostLink::open_as(launch, &target, &mut FakeLease::default(), LIMIT);
        let link = link.unwrap_or_else(|e| panic!("{}", e.what.en));
        let size = size(WHOLE.width, WHOLE.height);
        let channel = link.open_channel(ChannelRequest::Screen { size }, sink);
        let channel = channel.unwrap_or_else(|e| panic!("{}", e.what.en));
        (link, channel)
    }
}

fn pixels(screen: &Screen) -> Vec<u8> {
    screen.paint(true, |picture, _| picture.rows(WHOLE).collect::<Vec<_>>().concat())
}

#[test]
fn memory_that_it_tries_to_take_away_stays() {
    let mut hostile = Hostile::new(
        "truncate -s 0 /proc/self/fd/3 2>/dev/null && exit; printf '\\111\\222\\063\\377' | dd \
         of=/proc/self/fd/3 conv=notrunc 2>/dev/null;",
    );
    hostile.lends(WHOLE, 0);
    hostile.lends(Place { x: 1, width: 1, height: 1, ..WHOLE }, MEMORY as u32 - 4);
    hostile.rings();
    let (link, screen) = hostile.shown();
    assert!(screen.ended().is_none(), "it could not make the memory shorter");
    let seen = pixels(&screen);
    assert_eq!(seen[..4], [0o111, 0o222, 0o63, 0o377]);
    assert!(seen[4..].iter().all(|byte| *byte == 0));
    link.close();
}

#[test]
fn parts_that_lie_outside_of_the_picture_are_left_away() {
    let mut hostile = Hostile::new("");
    let far = Place { x: u16::MAX, y: u16::MAX, width: 9, height: 9 };
    for place in [far, Place { x: 0, ..far }, Place { y: 0, ..far }] {
        hostile.lends(place, 0);
        hostile.says(Tag::Copy, &CopyRect { from_x: 0, from_y: 0, to: place });
        hostile.says(Tag::Copy, &CopyRect { from_x: place.x, from_y: place.y, to: WHOLE });
    }
    hostile.rings();
    let (link, screen) = hostile.shown();
    assert!(screen.ended().is_none());
    assert_eq!(pixels(&screen), [0, 0, 0, 255].repeat(WHOLE.pixels()));
    link.close();
}

#[test]
fn parts_that_do_not_lie_in_the_memory_end_the_session() {
    let large = Place { x: 0, y: 0, width: u16::MAX, height: u16::MAX };
    for (place, at) in
        [(WHOLE, MEMORY as u32 - 1), (WHOLE, u32::MAX), (large, 0), (large, u32::MAX)]
    {
        let mut hostile = Hostile::new("");
        hostile.lends(place, at);
        hostile.rings();
        let (_link, screen) = hostile.shown();
        let ended = screen.ended().expect("it says what cannot be");
        assert!(ended.failure.is_some(), "{place:?} at {at}");
        assert_eq!(screen.bells(), 0);
    }
}

#[test]
fn memory_is_written_to_again_only_when_nobody_has_its_pixels_any_more() {
    let mut lender = Hostile::new("");
    let few = Place { x: 0, y: 0, width: 256, height: 128 };
    let many = Place { height: 256, ..few };
    lender.lends(few, 0);
    lender.lends(many, (few.pixels() * PIXEL) as u32);
    lender.rings();
    let folder = tempfile::tempdir().expect("a folder");
    // A sink that only hands on has not taken anything in.
    let (to_desk, desk) = channel();
    let sink = Box::new(move |message| drop(to_desk.send(message)));
    let file = folder.path().join("heard");
    let last = format!("cat >{}; exit", file.display());
    let (link, _channel) = lender.said(folder.path(), &last, sink);
    let mut kept = Vec::new();
    loop {
        match desk.recv_timeout(LIMIT).expect("it rings in the end") {
            FromRemote::Lent(tile) => kept.push(tile),
            FromRemote::Screen(ScreenSaid::Bell) => break,
            _ => {}
        }
    }
    let mut left = kept.drain(..);
    let first = left.next().expect("two were lent");
    drop(left);
    let credit = |pixels: usize| {
        let mut frame = Vec::new();
        let bytes = (pixels * PIXEL) as u32;
        wire::write_value(&mut frame, Tag::Credit, 1, &bytes).expect("into memory");
        frame
    };
    let frames = [many.pixels(), few.pixels() + many.pixels()].map(credit);
    let told = written("it hears that memory is free", &file, || {
        let heard = std::fs::read(&file).unwrap_or_default();
        let has = |frame: &Vec<u8>| heard.windows(frame.len()).any(|part| part == frame);
        frames.iter().position(has)
    });
    assert_eq!(told, 0, "what is still held does not count");
    drop(first);
    link.close();
}
