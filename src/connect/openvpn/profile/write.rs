//! Writes a profile as `openvpn --config` reads it, with everything inside of it: the
//! text names no file.

use super::model::{Item, Part, Profile, Remote, Setting};
use super::words::quoted;
use crate::secret::SecretText;

/// What every profile begins with: the only kind of device, and a local port that the
/// system chooses, so that two VPNs do not ask for the same.
const HEAD: &str = "dev tun\nnobind\n";

impl Profile {
    /// The whole profile; it holds keys.
    pub fn text(&self) -> SecretText {
        // The text never grows: what it would leave behind holds keys.
        let mut out = String::with_capacity(self.text_bytes());
        out.push_str(HEAD);
        self.items.iter().for_each(|item| put_item(item, &mut out));
        SecretText::new(out)
    }

    /// Length of that text.
    pub(super) fn text_bytes(&self) -> usize {
        let mut counter = Counter(HEAD.len());
        self.items.iter().for_each(|item| put_item(item, &mut counter));
        counter.0
    }

    /// How many directives that text has.
    pub(super) fn directives(&self) -> usize {
        let of = |item: &Item| match item {
            Item::Connection(inside) => 1 + inside.len(),
            _ => 1,
        };
        HEAD.lines().count() + self.items.iter().map(of).sum::<usize>()
    }
}

/// Where a profile is written to.
trait Sink {
    fn put(&mut self, text: &str);
}

impl Sink for String {
    fn put(&mut self, text: &str) {
        self.push_str(text);
    }
}

/// Counts bytes only.
struct Counter(usize);

impl Sink for Counter {
    fn put(&mut self, text: &str) {
        self.0 += text.len();
    }
}

fn put_item(item: &Item, out: &mut impl Sink) {
    match item {
        Item::Setting(setting) => out.put(&line(setting)),
        Item::Remote(remote) => out.put(&remote_line(remote)),
        Item::Part(part) => put_part(part, out),
        Item::Connection(inside) => {
            out.put("<connection>\n");
            for item in inside {
                // No block is inside of a block of the same name.
                if !matches!(item, Item::Connection(_)) {
                    put_item(item, out);
                }
            }
            out.put("</connection>\n");
        }
    }
}

fn put_part(part: &Part, out: &mut impl Sink) {
    let name = part.kind.directive();
    out.put(&format!("<{name}>\n"));
    part.body.expose(|text| out.put(text));
    out.put(&format!("</{name}>\n"));
}

/// The line of a setting, with its end.
pub(super) fn line(setting: &Setting) -> String {
    let mut out = setting.name.to_owned();
    for arg in &setting.args {
        out.push(' ');
        quoted(arg, &mut out);
    }
    out.push('\n');
    out
}

/// The line of a server, with its end.
pub(super) fn remote_line(remote: &Remote) -> String {
    let mut out = format!("remote {}", remote.host);
    match (remote.port, remote.proto) {
        (Some(port), Some(proto)) => out.push_str(&format!(" {port} {}", proto.word())),
        (Some(port), None) => out.push_str(&format!(" {port}")),
        (None, _) => {}
    }
    out.push('\n');
    out
}
