//! A screen of its own with a window manager, for a program that opens a window
//! there: what it shows, and what a person does to it.

#[path = "kit_screen/xvfb.rs"]
mod xvfb;

use std::process::{Child, Command, Stdio};

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, ImageFormat, MapState,
};
use x11rb::rust_connection::RustConnection;

use crate::kit_rdp::eventually;

pub use xvfb::Xvfb;

/// Xvfb and openbox.
pub struct Screen {
    /// Its `DISPLAY`.
    pub name: String,
    eyes: RustConnection,
    root: u32,
    manager: Child,
    _server: Xvfb,
}

/// A window on a screen.
pub struct Window {
    id: u32,
    /// Width and height.
    pub size: (u16, u16),
}

impl Screen {
    /// Starts one of 1280 by 800.
    pub fn start() -> Self {
        let server = Xvfb::start("1280x800", &[]);
        let name = server.name.clone();
        let manager = Command::new("openbox")
            .env("DISPLAY", &name)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openbox is installed");
        let (eyes, at) = x11rb::connect(Some(&name)).expect("the screen answers");
        let root = eyes.setup().roots[at].root;
        Self { name, eyes, root, manager, _server: server }
    }

    fn atom(&self, name: &str) -> u32 {
        let asked = self.eyes.intern_atom(false, name.as_bytes()).expect("asked");
        asked.reply().expect("the screen answers").atom
    }

    /// The window that is shown with a title that holds this.
    pub fn window(&self, title: &str) -> Option<Window> {
        let mut found = vec![self.root];
        let name = self.atom("_NET_WM_NAME");
        while let Some(id) = found.pop() {
            found.extend(self.eyes.query_tree(id).ok()?.reply().ok()?.children);
            let asked = [name, AtomEnum::WM_NAME.into()].map(|property| {
                let asked = self.eyes.get_property(false, id, property, AtomEnum::ANY, 0, 256);
                asked.ok().and_then(|cookie| cookie.reply().ok()).map(|reply| reply.value)
            });
            let named = |value: &Vec<u8>| String::from_utf8_lossy(value).contains(title);
            if !asked.iter().flatten().any(named) {
                continue;
            }
            let about = self.eyes.get_window_attributes(id).ok()?.reply().ok()?;
            if about.map_state == MapState::VIEWABLE {
                let place = self.eyes.get_geometry(id).ok()?.reply().ok()?;
                return Some(Window { id, size: (place.width, place.height) });
            }
        }
        None
    }

    /// Waits for that window.
    pub fn shows(&self, title: &str) -> Window {
        eventually(&format!("a window {title:?}"), || self.window(title))
    }

    /// What a window shows: red, green, blue for each pixel.
    pub fn picture(&self, window: &Window) -> Option<Vec<u8>> {
        self.part(window, 0, window.size.1)
    }

    /// Rows of it from `y` on.
    pub fn part(&self, window: &Window, y: u16, height: u16) -> Option<Vec<u8>> {
        let (width, y) = (window.size.0, i16::try_from(y).ok()?);
        let all = u32::MAX;
        let asked = self.eyes.get_image(ImageFormat::Z_PIXMAP, window.id, 0, y, width, height, all);
        let image = asked.ok()?.reply().ok()?;
        Some(image.data.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect())
    }

    /// What a person does with keyboard and mouse.
    pub fn act(&self, args: &[&str]) {
        let done = Command::new("xdotool").args(args).env("DISPLAY", &self.name).status();
        assert!(done.is_ok_and(|s| s.success()), "xdotool {args:?}");
    }

    /// Points at a place of a window.
    pub fn point(&self, window: &Window, x: u16, y: u16) {
        let (id, x, y) = (window.id.to_string(), x.to_string(), y.to_string());
        self.act(&["mousemove", "--window", &id, &x, &y]);
    }

    /// Closes a window as its button does.
    pub fn close(&self, window: &Window) {
        let delete = self.atom("WM_DELETE_WINDOW");
        let kind = self.atom("WM_PROTOCOLS");
        let event = ClientMessageEvent::new(32, window.id, kind, [delete, 0, 0, 0, 0]);
        let sent = self.eyes.send_event(false, window.id, EventMask::NO_EVENT, event);
        sent.expect("sent").check().expect("the window is there");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.manager.kill();
        let _ = self.manager.wait();
    }
}
