//! What the real window tells a screen reader. Stories with real keys read there
//! what is on the screen and where the keyboard is, and wait for that instead of
//! guessing how long a slow machine takes.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::zvariant::OwnedObjectPath;

use crate::gui_desktop::Bus;
use crate::kit_window::Stage;

/// Longest wait for what is bound to come.
const PATIENCE: Duration = Duration::from_secs(120);

/// Numbers of AT-SPI for what a thing is.
pub mod role {
    pub const WINDOW: u32 = 23;
    pub const LABEL: u32 = 29;
    pub const SECRET: u32 = 40;
    pub const BUTTON: u32 = 43;
    pub const TERMINAL: u32 = 60;
    pub const FIELD: u32 = 79;
}

/// Bits of AT-SPI for how a thing is.
const FOCUSED: u32 = 12;
const SENSITIVE: u32 = 24;

/// The bus on which programs meet screen readers, with a screen reader on it that
/// has asked every program to speak. Start it before the window.
pub struct Reader {
    /// To be named to the window as the bus of its desktop.
    pub address: String,
    server: Connection,
    told: Receiver<Plug>,
    changes: Receiver<()>,
    _bus: Bus,
}

/// A program that has something to say: its name on the bus, its root there.
type Plug = (String, OwnedObjectPath);

/// Says that there is a screen reader, and where.
struct Door {
    address: String,
}

#[zbus::interface(name = "org.a11y.Bus")]
impl Door {
    fn get_address(&self) -> &str {
        &self.address
    }
}

struct Status;

#[zbus::interface(name = "org.a11y.Status")]
impl Status {
    #[zbus(property)]
    fn is_enabled(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn screen_reader_enabled(&self) -> bool {
        true
    }
}

/// Where programs come in.
struct Socket(Mutex<Sender<Plug>>);

const ROOT: &str = "/org/a11y/atspi/accessible/root";

#[zbus::interface(name = "org.a11y.atspi.Socket")]
impl Socket {
    fn embed(&self, plug: Plug, #[zbus(connection)] bus: &zbus::Connection) -> (Plug,) {
        let _ = self.0.lock().expect("ours").send(plug);
        let own = bus.unique_name().map(|name| name.to_string()).unwrap_or_default();
        // One value of two parts, not two values.
        ((own, OwnedObjectPath::try_from(ROOT).expect("a path")),)
    }
}

/// One thing on the screen.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is called; of a label, its text.
    pub name: String,
    /// One of [`role`].
    pub role: u32,
    states: u64,
    path: OwnedObjectPath,
}

impl Node {
    fn is(&self, state: u32) -> bool {
        self.states >> state & 1 == 1
    }

    /// The window itself has the keyboard while nothing in it has, as for a moment
    /// between the last thing in it and the first.
    fn has_keyboard(&self) -> bool {
        self.is(FOCUSED) && self.role != role::WINDOW
    }
}

/// As AT-SPI's cache lists a node: itself, program, parent, place, children,
/// interfaces, name, role, description, states.
type Item = (Plug, Plug, Plug, i32, i32, Vec<String>, String, u32, String, Vec<u32>);

impl Reader {
    pub fn start() -> Self {
        let bus = Bus::start();
        let address = bus.address.clone();
        let (tell, told) = channel();
        let door = Door { address: address.clone() };
        // An answer that never comes is asked for again, like one that comes too early.
        let server = connection::Builder::address(address.as_str())
            .map(|b| b.method_timeout(Duration::from_secs(10)))
            .and_then(|b| b.name("org.a11y.Bus"))
            .and_then(|b| b.name("org.a11y.atspi.Registry"))
            .and_then(|b| b.serve_at("/org/a11y/bus", door))
            .and_then(|b| b.serve_at("/org/a11y/bus", Status))
            .and_then(|b| b.serve_at(ROOT, Socket(Mutex::new(tell))))
            .and_then(|b| b.build())
            .expect("the bus is there");
        let rule = zbus::MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .interface("org.a11y.atspi.Event.Object")
            .expect("a name")
            .build();
        let signals = MessageIterator::for_match_rule(rule, &server, Some(10_000)).expect("heard");
        let (change, changes) = channel();
        std::thread::spawn(move || {
            signals.map(|_| change.send(())).take_while(Result::is_ok).count()
        });
        Self { address, server, told, changes, _bus: bus }
    }

    /// The window that was opened last, once it speaks.
    pub fn window(&self) -> Screen<'_> {
        let (name, _) = self.told.recv_timeout(PATIENCE).expect("the window never spoke");
        Screen { reader: self, name }
    }
}

/// A window, as a screen reader knows it.
pub struct Screen<'a> {
    reader: &'a Reader,
    name: String,
}

impl Screen<'_> {
    /// All that is on the screen.
    pub fn nodes(&self) -> Vec<Node> {
        let server = &self.reader.server;
        let name = Some(self.name.as_str());
        let cache = "org.a11y.atspi.Cache";
        let reply = server.call_method(name, "/org/a11y/atspi/cache", Some(cache), "GetItems", &());
        // The window may not have painted yet.
        let Ok(reply) = reply else { return Vec::new() };
        let items: Vec<Item> = reply.body().deserialize().expect("as the protocol says");
        let node = |item: Item| {
            let states = item.9.iter().rev().fold(0, |all, part| all << 32 | u64::from(*part));
            Node { name: item.6, role: item.7, states, path: item.0.1 }
        };
        items.into_iter().map(node).collect()
    }

    /// Waits until `look` finds what it wants on the screen.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut(&[Node]) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let nodes = self.nodes();
            if let Some(found) = look(&nodes) {
                return found;
            }
            assert!(Instant::now() < end, "never: {what}; there is: {}", told(&nodes));
            // The next look is worth it once something changed; what was painted while
            // this one went on may have been told before.
            let heard = self.reader.changes.recv_timeout(Duration::from_millis(500));
            assert_ne!(heard, Err(RecvTimeoutError::Disconnected), "the bus ended");
            self.reader.changes.try_iter().for_each(drop);
        }
    }

    /// Waits for something with these words.
    pub fn sees(&self, words: &str) -> Node {
        self.until(words, |nodes| nodes.iter().find(|n| n.name.contains(words)).cloned())
    }

    /// Waits until the keyboard is at something of this name.
    pub fn keyboard_at(&self, role: u32, name: &str) -> Node {
        self.until(name, |nodes| {
            let there = |n: &&Node| n.has_keyboard() && n.role == role && n.name == name;
            nodes.iter().find(there).cloned()
        })
    }

    /// Waits until a button of this name may be pressed.
    pub fn may_press(&self, name: &str) -> Node {
        self.until(name, |nodes| {
            let ready = |n: &&Node| n.is(SENSITIVE) && n.role == role::BUTTON && n.name == name;
            nodes.iter().find(ready).cloned()
        })
    }

    /// What has the keyboard.
    pub fn focus(&self) -> Option<Node> {
        self.nodes().into_iter().find(|n| n.has_keyboard())
    }

    /// Waits until something else has the keyboard.
    pub fn keyboard_leaves(&self, from: Option<&Node>) {
        let from = from.map(|n| &n.path);
        self.until("the keyboard elsewhere", |nodes| {
            let focused = nodes.iter().find(|n| n.has_keyboard())?;
            (Some(&focused.path) != from).then_some(())
        });
    }

    /// What a field or a terminal shows.
    pub fn text(&self, node: &Node) -> String {
        let server = &self.reader.server;
        let name = Some(self.name.as_str());
        let text = Some("org.a11y.atspi.Text");
        let reply = server.call_method(name, &node.path, text, "GetText", &(0i32, -1i32));
        reply.ok().and_then(|r| r.body().deserialize().ok()).unwrap_or_default()
    }

    /// All words that the screen shows or tells.
    pub fn all_text(&self) -> String {
        let node = |n: &Node| format!("{}\n{}\n", n.name, self.text(n));
        self.nodes().iter().map(node).collect()
    }
}

/// Somebody before the window, who looks before a key is pressed.
pub struct Person<'a> {
    pub stage: &'a Stage,
    pub screen: Screen<'a>,
}

impl Person<'_> {
    pub fn press(&self, keys: &str) {
        self.stage.xdotool(&["key", keys]);
    }

    /// Types into the field that is to have the keyboard by now.
    pub fn types(&self, role: u32, name: &str, text: &str) {
        let field = self.screen.keyboard_at(role, name);
        self.press("ctrl+a");
        self.stage.type_text(text);
        if role == role::FIELD {
            self.screen.until(name, |_| (self.screen.text(&field) == text).then_some(()));
        }
    }

    /// Goes on to what has this name, by the keyboard.
    pub fn goes_to(&self, role: u32, name: &str) {
        for _ in 0..60 {
            let here = self.screen.focus();
            if here.as_ref().is_some_and(|n| n.role == role && n.name == name) {
                return;
            }
            self.press("Tab");
            self.screen.keyboard_leaves(here.as_ref());
        }
        panic!("no way to {name}; there is: {}", told(&self.screen.nodes()));
    }
}

/// What is on the screen, for who looks for the reason of a failure.
fn told(nodes: &[Node]) -> String {
    let mark = |n: &Node| if n.has_keyboard() { "*" } else { "" };
    let told = nodes.iter().filter(|n| !n.name.is_empty());
    told.map(|n| format!("{}{} [{}]", mark(n), n.name, n.role)).collect::<Vec<_>>().join(" | ")
}
