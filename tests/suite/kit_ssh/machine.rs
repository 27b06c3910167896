//! The machine of the tests: its programs, ports and processes.

use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Longest wait for anything that is bound to happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The user that runs the tests, who logs in to the servers.
pub fn user() -> String {
    let out = Command::new("id").arg("-un").output().expect("id is there");
    String::from_utf8(out.stdout).expect("a name").trim().to_owned()
}

/// Runs a command line to its end.
pub fn sh(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).stdin(Stdio::null()).output();
    let out = out.unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    listener.local_addr().expect("it is bound").port()
}

/// Every process below `pid`.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").expect("Linux").flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        if let Some(parent) = after.split(' ').nth(1).and_then(|p| p.parse::<u32>().ok()) {
            parents.push((child, parent));
        }
    }
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        let above = found[next];
        found.extend(parents.iter().filter(|(_, p)| *p == above).map(|(c, _)| *c));
        next += 1;
    }
    found.remove(0);
    found
}

/// Kills a process and every one below it, and waits for its end.
pub fn kill_with_all(process: &mut Child) {
    for pid in descendants(process.id()) {
        let mut kill = Command::new("kill");
        let _ = kill.args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
    }
    let _ = process.kill();
    let _ = process.wait();
}

/// Reads everything a socket says until it ends.
pub fn read_all(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.set_read_timeout(Some(PATIENCE)).expect("a duration");
    stream.read_to_string(&mut text).expect("it ends");
    text
}

/// A number that no server of this process has yet.
pub fn serial() -> u32 {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    SERIAL.fetch_add(1, Ordering::Relaxed)
}
