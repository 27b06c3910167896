//! What a server of the tests, a script that prints its port first, tells of what it
//! is asked.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::kit_ssh::PATIENCE;

/// The lines of such a server.
pub struct Told {
    lines: Receiver<String>,
    /// What it told so far.
    pub seen: Vec<String>,
}

impl Told {
    /// Starts the server; the port is the one of 127.0.0.1 where it listens.
    pub fn start(command: &mut Command) -> (Child, u16, Self) {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("it is installed");
        let out = BufReader::new(process.stdout.take().expect("piped"));
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        let first = lines.recv_timeout(PATIENCE).expect("it listens");
        let port = first.strip_prefix("port ").and_then(|p| p.parse().ok()).expect("its port");
        (process, port, Self { lines, seen: Vec::new() })
    }

    /// Waits until it told this.
    pub fn until(&mut self, line: &str) {
        while !self.seen.iter().any(|seen| seen == line) {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(told) => self.seen.push(told),
                Err(_) => panic!("never {line:?}, but {:?}", self.seen),
            }
        }
    }

    /// Everything it told till now.
    pub fn all(&mut self) -> &[String] {
        self.seen.extend(self.lines.try_iter());
        &self.seen
    }

    /// Forgets what it told.
    pub fn forget(&mut self) {
        self.lines.try_iter().for_each(drop);
        self.seen.clear();
    }
}
