//! Argon2id as an unlock runs it, beside the native library's own tool.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use poterne::crypto::kdf::{Cost, stretch_in};
use poterne::os::hugemem::Blocks;

use crate::meter::{median, ratio, there, time, title, took};

pub fn run() {
    title("Argon2id, 3 passes, 4 lanes (memory taken and wiped each time)");
    let rival = there("argon2");
    for mib in [64, 256] {
        let cost = Cost { mem_kib: mib * 1024, time: 3, lanes: 4 };
        let ours = || {
            time(|| {
                let mut memory = Blocks::take(cost.blocks().expect("in bounds")).expect("memory");
                stretch_in(memory.blocks(), b"password", &[7; 32], cost).expect("stretches")
            })
        };
        // Alternating, so that both meet the same machine.
        let mut a = Vec::new();
        let mut b = Vec::new();
        for _ in 0..9 {
            a.push(ours());
            if rival {
                b.push(tool(mib));
            }
        }
        let mid = |all: Vec<Duration>| {
            let mut all = all.into_iter();
            let runs = all.len();
            median(runs, || all.next().expect("as many as counted"))
        };
        let a = mid(a);
        let beside = if rival {
            let b = mid(b);
            format!("argon2 tool {:.0} ms: ours takes {:.2}", b.as_secs_f64() * 1e3, ratio(a, b))
        } else {
            String::new()
        };
        took(&format!("{mib} MiB"), a, &beside);
    }
}

/// The time that the tool itself says it took, without its start.
fn tool(mib: u32) -> Duration {
    let kib = (mib * 1024).to_string();
    let mut child = Command::new("argon2")
        .args(["somesaltsomesalt", "-id", "-t", "3", "-k", &kib, "-p", "4", "-l", "32"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    child.stdin.take().expect("a pipe").write_all(b"password").expect("takes it");
    let out = child.wait_with_output().expect("ends");
    let text = String::from_utf8_lossy(&out.stdout);
    let seconds = text.lines().find_map(|l| l.strip_suffix(" seconds")).expect("says its time");
    Duration::from_secs_f64(seconds.trim().parse().expect("a number"))
}
