//! A virtual screen of its own, and the moment at which something is on it.

#[path = "../../suite/kit_screen/xvfb.rs"]
mod xvfb;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, ImageFormat};
use x11rb::rust_connection::RustConnection;

use xvfb::Xvfb;

const WIDTH: u16 = 1280;
const HEIGHT: u16 = 720;
/// Lines of the screen looked at; text is higher than the step between them.
const STEP: usize = 8;

/// A child that is ended with its owner.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Xvfb, and a connection to look at it.
pub struct Screen {
    pub name: String,
    eyes: RustConnection,
    root: u32,
    _server: Xvfb,
}

impl Screen {
    pub fn new() -> Self {
        let server = Xvfb::start(&format!("{WIDTH}x{HEIGHT}"), &[]);
        let name = server.name.clone();
        let (eyes, at) = x11rb::connect(Some(&name)).expect("the screen answers");
        let root = eyes.setup().roots[at].root;
        Self { name, eyes, root, _server: server }
    }

    /// A program on this screen.
    pub fn start(&self, program: &str, args: &[&str]) -> Ended {
        let child = Command::new(program)
            .args(args)
            .env("DISPLAY", &self.name)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        Ended(child)
    }

    /// True when more than a plain background is there: text has many shades.
    pub fn painted(&self) -> bool {
        self.shades() >= 6
    }

    fn shades(&self) -> usize {
        let asked: Vec<_> = (0..HEIGHT)
            .step_by(STEP)
            .map(|y| {
                let all = u32::MAX;
                self.eyes.get_image(ImageFormat::Z_PIXMAP, self.root, 0, y as i16, WIDTH, 1, all)
            })
            .collect();
        let mut seen: Vec<u32> = Vec::new();
        for one in asked {
            let image = one.expect("asked").reply().expect("the screen answers");
            for pixel in image.data.chunks_exact(4) {
                let pixel = u32::from_le_bytes(pixel.try_into().expect("four bytes")) & 0xff_ffff;
                if !seen.contains(&pixel) {
                    seen.push(pixel);
                    if seen.len() >= 6 {
                        return 6;
                    }
                }
            }
        }
        seen.len()
    }

    /// Waits until it is painted; none after twenty seconds.
    pub fn wait(&self) -> Option<()> {
        let end = Instant::now() + Duration::from_secs(20);
        while !self.painted() {
            if Instant::now() > end {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Some(())
    }

    /// Waits until the last window's picture is gone.
    pub fn clear(&self) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.shades() > 1 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types into the window that is there, as a person does.
    pub fn keys(&self, args: &[&str]) {
        let done = Command::new("xdotool").args(args).env("DISPLAY", &self.name).status();
        assert!(done.is_ok_and(|s| s.success()), "xdotool {args:?}");
    }
}
