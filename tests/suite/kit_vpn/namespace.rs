//! A named network namespace, and threads and programs in it.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::Mutex;

use crate::kit_ssh::sh;

/// A network namespace; goes with its value.
pub struct Namespace {
    /// As `ip netns` knows it.
    pub name: String,
}

impl Namespace {
    /// Makes one of this name, its loopback up.
    pub fn make(name: String) -> Self {
        // The first one mounts what all of them share.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let one = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let root = rustix::process::geteuid().is_root();
        assert!(root, "the tests of VPNs make network namespaces: they run as root");
        sh("ip", &["netns", "add", &name]);
        drop(one);
        let made = Self { name };
        made.ip("link set lo up");
        made
    }

    /// Where it lies.
    pub fn path(&self) -> String {
        format!("/run/netns/{}", self.name)
    }

    /// Runs `ip` in it with these words.
    pub fn ip(&self, words: &str) {
        let mut args = vec!["-n", &self.name];
        args.extend(words.split_whitespace());
        sh("ip", &args);
    }

    /// A program in it; its process is the program itself.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path())).arg("--").arg(program);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// Runs `act` on a thread that is in the namespace at `path`. A socket that it makes
/// stays there, whoever holds it.
pub fn inside<T: Send>(path: &str, act: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let namespace = File::open(path).expect("it is there");
            let kind = rustix::thread::LinkNameSpaceType::Network;
            rustix::thread::move_into_link_name_space(namespace.as_fd(), Some(kind))
                .expect("the tests of VPNs run as root");
            act()
        });
        thread.join().expect("the thread ends well")
    })
}
