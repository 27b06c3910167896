//! Remote desktops: the time from the start of a connection to a full picture, and
//! the processor time of a fixed scroll, beside `xfreerdp` and `vncviewer` in the same
//! run. It measures and prints; it judges nothing.
//!
//! `cargo bench --bench desktop [-- SECTION…]`, sections `rdp` and `vnc`; both by
//! default. As root, since xrdp needs a user of its own. A full picture is one whose
//! pixels are those of the server's screen: for Poterne as its session hands it to
//! the window, for the others in their window on a virtual screen.

#![allow(clippy::disallowed_methods, reason = "a benchmark starts its rivals itself")]

#[path = "../../suite/kit_rdp.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod kit_rdp;
#[path = "../../suite/kit_screen.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod kit_screen;
#[path = "../../suite/kit_ssh.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests")]
mod kit_ssh;
#[path = "../../suite/kit_vnc.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod kit_vnc;
#[path = "../speed/meter.rs"]
#[allow(dead_code, reason = "shared with another benchmark")]
mod meter;
mod near;
mod rival;

use std::process::Command;
use std::time::Duration;

use kit_rdp::Xrdp;
use kit_screen::Screen;
use kit_ssh::{FakeLease, must_open, with};
use kit_vnc::Xvnc;
use meter::{line, ratio, short, there, title};
use near::Near;
use poterne::connect::rdp::freerdp;
use poterne::model::entry::Slot;
use rival::Rival;

/// Width and height of the desktops.
const SIZE: (u16, u16) = (1024, 700);
/// How often each first picture is waited for, and each scroll is made.
const PICTURES: usize = 9;
const SCROLLS: usize = 3;
const PASSWORD: &str = "banc-essai";
/// Lines that scroll by, one each hundredth of a second, no two alike.
const SCROLL: &str = "$| = 1; srand 7; for (1..300) { print join(' ', map { substr('essai de \
                      défilement sur un bureau lointain', rand 40, 2 + rand 9) } 1..14), \"\\n\"; \
                      select(undef, undef, undef, 0.01) }";

/// A picture: red, green, blue for each pixel, row by row.
pub struct Picture(Vec<u8>);

impl Picture {
    /// Rows looked at before all of them.
    pub const STEP: usize = 16;

    /// Whether a row is the one of this number but for what RemoteFX loses.
    pub fn has_row(&self, number: usize, seen: impl Iterator<Item = [u8; 3]>) -> bool {
        let row = 3 * usize::from(SIZE.0);
        let own = self.0[number * row..(number + 1) * row].chunks_exact(3);
        let mut pixels = 0;
        let alike = own.zip(seen).all(|(own, seen)| {
            pixels += 1;
            own.iter().zip(seen).all(|(a, b)| a.abs_diff(b) <= 24)
        });
        alike && pixels == usize::from(SIZE.0)
    }
}

/// A client of a desktop that is being measured.
pub trait Client {
    /// Connects; how long it took until the picture was there.
    fn first(&mut self, picture: &Picture) -> Duration;
    /// Has `scroll` made, while it is connected; the processor time it used until the
    /// picture was there again, and that of the X server that drew for it.
    fn scroll(&mut self, scroll: Command, picture: &Picture) -> (Duration, Duration);
    /// Disconnects.
    fn end(&mut self);
}

fn main() {
    let words = std::env::args().skip(1).filter(|a| a != "--bench");
    let sections: Vec<String> = words.collect();
    let wanted = |name: &str| sections.is_empty() || sections.iter().any(|s| s == name);
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    if wanted("rdp") {
        title("RDP, 1024 by 700, a desktop that is there already");
        if !root {
            line("xrdp", "-", "needs root, left out");
        } else if there("/usr/sbin/xrdp") && there("Xvfb") {
            match freerdp::for_terminals() {
                Some(program) => rdp(&program.display().to_string()),
                None => line("xfreerdp", "-", "not installed, left out"),
            }
        }
    }
    if wanted("vnc") {
        title("VNC, 1024 by 700");
        if there("Xtigervnc") && there("xtigervncviewer") && there("Xvfb") {
            vnc();
        }
    }
}

fn rdp(program: &str) {
    let (server, screen) = (Xrdp::start(PASSWORD), Screen::start());
    let mut hop = server.hop();
    hop.pinned.push(server.pinned());
    let open = |graphics: &str| {
        let mut hops = vec![with(hop.clone(), "graphics", graphics)];
        move || {
            let mut lease = FakeLease::default();
            lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
            must_open(&kit_rdp::rdp(hops[0].clone()), &mut lease)
        }
    };
    // The desktop is begun once, and found again by every connection after.
    let mut begun = Near::new(open("auto"));
    begun.begin();
    server.display();
    let (width, height, pixels) = server.shows();
    assert_eq!((width, height), SIZE, "the desktop has the size that was asked for");
    let picture = Picture(pixels);
    begun.end();
    let terminal = || {
        let args = ["-geometry", "100x40+0+0", "-e", "perl", "-e", SCROLL];
        server.x_command("xterm", &args)
    };
    let place = format!("/v:127.0.0.1:{}", server.port);
    let user = format!("/u:{}", server.user);
    for (name, graphics, more) in
        [("RemoteFX", "auto", &["/rfx"][..]), ("plain bitmaps", "classic", &[])]
    {
        let size = format!("/size:{}x{}", SIZE.0, SIZE.1);
        let usual = ["/d:", "/from-stdin:force", "/cert:ignore", "/bpp:32", "/sec:tls"];
        let mut args = vec![place.as_str(), &user, &size, "/t:rival"];
        args.extend(usual.iter().chain(more));
        let mut rival = Rival::new(&screen, program, &args, "rival", PASSWORD);
        beside(
            (name, "xfreerdp"),
            [&mut Near::new(open(graphics)), &mut rival],
            &picture,
            &terminal,
        );
    }
}

fn vnc() {
    let size = format!("{}x{}", SIZE.0, SIZE.1);
    let server = Xvnc::with("None", "", &["-geometry", &size]);
    // The server paints the pointer into the picture of whoever did not move it.
    let blank = server.dir.path().join("blank.xbm");
    let bitmap = "#define b_width 8\n#define b_height 8\n#define b_x_hot 0\n#define b_y_hot 0\n\
                  static char b_bits[] = {\n0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};\n";
    std::fs::write(&blank, bitmap).expect("ours");
    let blank = blank.to_str().expect("UTF-8");
    server.x("xsetroot", &["-cursor", blank, blank]);
    server.x("xdotool", &["mousemove", "1000", "690"]);
    let screen = Screen::start();
    let picture = Picture(server.shows().2);
    let terminal = || {
        let args = ["-geometry", "100x40+0+0", "-e", "perl", "-e", SCROLL];
        server.command("xterm", &args)
    };
    let place = format!("127.0.0.1::{}", server.port);
    let args = ["-RemoteResize=0", "-ReconnectOnError=0", "-AlertOnFatalError=0", &place];
    let mut rival = Rival::new(&screen, "xtigervncviewer", &args, "TigerVNC", "");
    let mut ours = Near::new(|| server.open("", &[]));
    beside(("VNC", "vncviewer"), [&mut ours, &mut rival], &picture, &terminal);
}

/// Measures both in turn and prints the medians.
fn beside(
    (name, rival): (&str, &str),
    mut clients: [&mut dyn Client; 2],
    picture: &Picture,
    terminal: &dyn Fn() -> Command,
) {
    let print = |what: &str, mut both: [Vec<Duration>; 2]| {
        let [a, b] = both.each_mut().map(|all| {
            all.sort();
            all[all.len() / 2]
        });
        let beside = format!("{rival} {}: ours takes {:.2}", short(b), ratio(a, b));
        line(&format!("{name}, {what}"), &short(a), &beside);
    };
    let mut first = [Vec::new(), Vec::new()];
    for _ in 0..PICTURES {
        for (client, took) in clients.iter_mut().zip(&mut first) {
            took.push(client.first(picture));
            client.end();
        }
    }
    print("start to first full picture", first);
    let (mut used, mut drawn) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..SCROLLS {
        for (n, client) in clients.iter_mut().enumerate() {
            client.first(picture);
            let (own, server) = client.scroll(terminal(), picture);
            used[n].push(own);
            drawn[n].push(own + server);
            client.end();
        }
    }
    print("processor time, 300 lines in 3 s", used);
    print("… with the X server that draws", drawn);
}
