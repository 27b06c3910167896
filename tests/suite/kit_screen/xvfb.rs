//! A screen that nobody sees, for the tests and the benchmarks; it ends with its value.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A running Xvfb.
pub struct Xvfb {
    /// Its `DISPLAY`.
    pub name: String,
    process: Child,
}

impl Xvfb {
    /// Starts one of this size, such as `1280x720`, with more arguments; it chooses a
    /// free number and prints it once it listens.
    pub fn start(size: &str, more: &[&str]) -> Self {
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &format!("{size}x24"), "-nolisten", "tcp"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let mut number = String::new();
        let out = process.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut number).expect("Xvfb prints its number");
        Self { name: format!(":{}", number.trim()), process }
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
