//! What connections leave behind for others and how they are set, as another
//! program sees it: forwarded ports, pinned keys, jump hosts, places of secrets.

use std::net::TcpListener;
use std::time::Instant;

use super::cli_cut_off::{add, logged, started, word};
use super::cli_kit::Seat;
use super::kit_ssh::{PATIENCE, Setup, Sshd, free_port};
use super::ssh_old_devices::old;

#[test]
fn what_the_system_says_is_told_in_french() {
    let seat = Seat::empty();
    let none = seat.run(&["--lang", "fr", "audit", "verify", "/nowhere/x"], "");
    assert!(none.err.contains("il n’y a rien à cet endroit"), "{}", none.err);
}

#[test]
fn weak_algorithms_are_warned_of_once_on_each_connection() {
    let seat = Seat::unlocked();
    let server = old(false, "diffie-hellman-group14-sha1", "aes128-cbc", &[]);
    add(&seat, "A/old", &server, &["--weak-algorithms", "yes"]);
    for answer in ["yes\n", ""] {
        let ran = seat.run(&["connect", "A/old", "--", "true"], answer).ended(0);
        assert_eq!(ran.err.matches("Weak algorithms accepted").count(), 1, "{}", ran.err);
    }
}
