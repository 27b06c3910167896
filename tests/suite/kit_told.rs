//! A server of the tests, a script that prints its port first, and what it tells of
//! what it is asked. It ends with its value.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::kit_ssh::{PATIENCE, kill_with_all};

/// Such a server and its lines.
pub struct Told {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    process: Child,
    lines: Receiver<String>,
    /// What it told so far.
    pub seen: Vec<String>,
}

impl Told {
    /// Starts the server and waits until it listens.
    pub fn start(command: &mut Command) -> Self {
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
        Self { port, process, lines, seen: Vec::new() }
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

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:?}", self.all());
        }
        kill_with_all(&mut self.process);
    }
}
