//! Sound on this machine: a program of the desktop that plays samples from its
//! standard input. Links no library of a sound server.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin};

use super::chromium;
use super::process::{Spawn, spawn};

/// How samples follow each other: signed 16 bits, little endian, channels in turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pcm {
    /// Samples of a channel in a second.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
}

type Args = fn(Pcm) -> Vec<String>;

/// Players, the best first, and what they are told.
const PLAYERS: &[(&str, Args)] = &[
    ("paplay", pulse),
    ("pacat", pulse),
    ("pw-cat", |pcm| {
        let mut args = vec!["--playback".to_owned(), "--raw".to_owned()];
        args.push("--format=s16".to_owned());
        args.extend([format!("--rate={}", pcm.rate), format!("--channels={}", pcm.channels)]);
        args.push("-".to_owned());
        args
    }),
    ("aplay", |pcm| {
        let (rate, channels) = (pcm.rate.to_string(), pcm.channels.to_string());
        ["-q", "-t", "raw", "-f", "S16_LE", "-r", &rate, "-c", &channels, "-"]
            .map(str::to_owned)
            .to_vec()
    }),
];

fn pulse(pcm: Pcm) -> Vec<String> {
    let shape = [format!("--rate={}", pcm.rate), format!("--channels={}", pcm.channels)];
    let fixed = ["--raw", "--format=s16le", "--latency-msec=100", "--client-name=Poterne"];
    fixed.map(str::to_owned).into_iter().chain(shape).collect()
}

/// The places of the players that this machine has, in [`PLAYERS`]' order.
fn found() -> impl Iterator<Item = (PathBuf, Args)> {
    let there = |&(name, args): &(&str, Args)| Some((chromium::find(name)?, args));
    PLAYERS.iter().filter_map(there)
}

/// Whether sound can be heard here.
pub fn has_player() -> bool {
    found().next().is_some()
}

/// A player that runs. Dropping it ends it at once.
pub struct Player {
    process: Ending,
    samples: ChildStdin,
}

impl Player {
    /// Starts the `nth` of the players there are.
    ///
    /// # Errors
    /// There are no more, or it does not start.
    pub fn start(pcm: Pcm, nth: usize) -> io::Result<Self> {
        let (program, args) = found().nth(nth).ok_or(io::ErrorKind::NotFound)?;
        let env = chromium::desktop().into_iter();
        let mut child = spawn(Spawn {
            program: Some(program.into()),
            args: args(pcm).into_iter().map(OsString::from).collect(),
            env: env.map(|(name, value)| (name.into(), value.into())).collect(),
            // Nobody reads what it says, and it must not wait for that.
            unheard: true,
            ..Spawn::default()
        })?;
        let samples = child.stdin.take();
        let process = Ending(child);
        Ok(Self { process, samples: samples.ok_or(io::ErrorKind::BrokenPipe)? })
    }

    /// Gives it samples; waits while it has enough.
    ///
    /// # Errors
    /// It is gone.
    pub fn play(&mut self, samples: &[u8]) -> io::Result<()> {
        self.samples.write_all(samples)
    }

    /// No more will come: it plays what it has and ends. To be asked with
    /// [`Ending::over`] now and then.
    pub fn finish(self) -> Ending {
        drop(self.samples);
        self.process
    }
}

/// A player that plays its last samples. Dropping it ends it at once.
pub struct Ending(Child);

impl Ending {
    /// Whether it has ended.
    pub fn over(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_player_that_is_dropped_leaves_nothing_behind() {
        let mut child = spawn(Spawn {
            program: Some("sleep".into()),
            args: vec!["1000".into()],
            unheard: true,
            ..Spawn::default()
        })
        .expect("it starts");
        assert!(child.stdout.is_none() && child.stderr.is_none());
        let samples = child.stdin.take().expect("its input is a pipe");
        let process = PathBuf::from(format!("/proc/{}", child.id()));
        assert!(process.exists());
        drop(Player { process: Ending(child), samples });
        assert!(!process.exists(), "it is ended and waited for");
    }
}
