//! Speed and memory of the vault and of a connection, with the rivals in the
//! same run: KeePassXC, SQLCipher, the argon2 tool and OpenSSH. It measures and
//! prints; it judges nothing and fails only when something does not work.
//!
//! `cargo bench --bench speed [-- SECTION…] [--sizes N,N…] [--keep FOLDER]`,
//! sections `kdf`, `vault` (its first part alone: `list`), `rivals`, `connect`; all of them by default.

#![allow(clippy::disallowed_methods, reason = "a benchmark starts its rivals itself")]

mod connect;
mod kdf;
mod meter;
mod rivals;
mod trial;
mod vault;

use std::path::PathBuf;

fn main() {
    let mut sections: Vec<String> = Vec::new();
    let mut sizes = vec![1_000, 100_000, 1_000_000];
    let mut keep: Option<PathBuf> = None;
    let mut words = std::env::args().skip(1).filter(|a| a != "--bench");
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("the flag has a value");
        match word.as_str() {
            "--sizes" => {
                sizes = value().split(',').map(|n| n.parse().expect("a number")).collect();
            }
            "--keep" => keep = Some(PathBuf::from(value())),
            _ => sections.push(word),
        }
    }
    let temp = tempfile::tempdir().expect("a temporary folder");
    // SAFETY: no other thread runs yet. Nothing of this run may touch the
    // vaults, keys and agents of the person who runs it.
    unsafe {
        for name in ["HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            std::env::set_var(name, temp.path());
        }
        std::env::set_var("XDG_RUNTIME_DIR", temp.path());
        std::env::remove_var("DBUS_SESSION_BUS_ADDRESS");
        std::env::remove_var("SSH_AUTH_SOCK");
    }
    let folder = keep.unwrap_or_else(|| temp.path().to_owned());
    let wanted = |name: &str| sections.is_empty() || sections.iter().any(|s| s == name);
    if wanted("kdf") {
        kdf::run();
    }
    // The first part of `vault` alone, to look at with a profiler.
    if sections.iter().any(|s| s == "list") {
        for size in &sizes {
            vault::list(&folder, *size);
        }
    }
    if wanted("vault") {
        for size in &sizes {
            vault::run(&folder, *size);
        }
    }
    if wanted("rivals") {
        rivals::run(&folder);
    }
    if wanted("connect") {
        connect::run(&folder);
    }
}
