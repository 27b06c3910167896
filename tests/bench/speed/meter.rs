//! Medians, lines of the table, and what the kernel counted for this process.

use std::process::Command;
use std::time::{Duration, Instant};

/// The median of `runs` runs.
pub fn median(runs: usize, mut run: impl FnMut() -> Duration) -> Duration {
    let mut all: Vec<Duration> = (0..runs).map(|_| run()).collect();
    all.sort();
    all[all.len() / 2]
}

/// How long `work` takes.
pub fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    std::hint::black_box(work());
    begun.elapsed()
}

pub fn title(text: &str) {
    println!("\n{text}");
}

pub fn line(what: &str, value: &str, beside: &str) {
    println!("  {what:<46} {value:>12}   {beside}");
}

pub fn took(what: &str, took: Duration, beside: &str) {
    line(what, &short(took), beside);
}

pub fn short(d: Duration) -> String {
    let us = d.as_secs_f64() * 1e6;
    if us < 1000.0 {
        format!("{us:.0} µs")
    } else if us < 1e6 {
        format!("{:.1} ms", us / 1e3)
    } else {
        format!("{:.2} s", us / 1e6)
    }
}

/// `a` as a multiple of `b`.
pub fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

/// Bytes this process has handed to the kernel for writing.
pub fn written() -> u64 {
    field("/proc/self/io", "wchar:")
}

/// Memory of this process that is its own, in bytes: also what is locked.
pub fn resident() -> u64 {
    field("/proc/self/status", "RssAnon:") * 1024
}

/// Processor time of the threads that this process has now, as the scheduler
/// counts it; what ended threads used is not in it.
pub fn processor() -> Duration {
    let mut all = Duration::ZERO;
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let ns = text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
        all += Duration::from_nanos(ns);
    }
    all
}

fn field(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// True when the rival is installed.
pub fn there(program: &str) -> bool {
    let out = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let there = out.is_ok_and(|o| o.status.success());
    if !there {
        line(program, "-", "not installed, left out");
    }
    there
}
