//! Another viewer, in a window on a virtual screen.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::kit_screen::{Screen, Window};
use crate::kit_ssh::descendants;
use crate::{Client, Picture, SIZE};

/// Between two looks at the screen, which take time from the viewer.
const PAUSE: Duration = Duration::from_millis(2);
/// Longest wait for a picture.
const PATIENCE: Duration = Duration::from_secs(60);

/// A viewer and how it is started.
pub struct Rival<'a> {
    screen: &'a Screen,
    program: &'a str,
    args: Vec<String>,
    title: &'a str,
    password: &'a str,
    home: tempfile::TempDir,
    now: Option<(Child, Window)>,
}

impl<'a> Rival<'a> {
    /// One whose window has this in its title, and that reads the password.
    pub fn new(
        screen: &'a Screen,
        program: &'a str,
        args: &[&str],
        title: &'a str,
        password: &'a str,
    ) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let home = tempfile::tempdir().expect("a folder");
        Self { screen, program, args, title, password, home, now: None }
    }

    fn shows(&self, picture: &Picture, window: &Window) -> bool {
        let is = |y: usize, seen: &[u8]| {
            picture.has_row(y, seen.chunks_exact(3).map(|p| [p[0], p[1], p[2]]))
        };
        let row = |y: usize| {
            let seen = self.screen.part(window, y as u16, 1).unwrap_or_default();
            is(y, &seen)
        };
        let row_bytes = 3 * usize::from(SIZE.0);
        let all = |seen: Vec<u8>| seen.chunks_exact(row_bytes).enumerate().all(|(y, r)| is(y, r));
        window.size == SIZE
            && (0..usize::from(SIZE.1)).step_by(Picture::STEP).all(row)
            && self.screen.picture(window).is_some_and(all)
    }

    fn wait<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < end, "{} never shows it", self.program);
            std::thread::sleep(PAUSE);
        }
    }
}

impl Client for Rival<'_> {
    fn first(&mut self, picture: &Picture) -> Duration {
        let begun = Instant::now();
        let mut process = Command::new(self.program)
            .args(&self.args)
            .env("DISPLAY", &self.screen.name)
            .env("HOME", self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it is installed");
        let mut input = process.stdin.take().expect("piped");
        // One that needs no password does not read.
        let _ = writeln!(input, "{}", self.password);
        let window = self.wait(|| {
            let window = self.screen.window(self.title)?;
            self.shows(picture, &window).then_some(window)
        });
        let took = begun.elapsed();
        self.now = Some((process, window));
        took
    }

    fn scroll(&mut self, mut scroll: Command, picture: &Picture) -> (Duration, Duration) {
        let (process, window) = self.now.as_ref().expect("connected");
        let server = descendants(std::process::id()).into_iter().find(|pid| {
            let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline"));
            command.is_ok_and(|c| c.starts_with("Xvfb"))
        });
        let server = server.expect("the screen has a server");
        let before = (used(process.id()), used(server));
        let mut terminal = scroll.stderr(Stdio::null()).spawn().expect("xterm is there");
        let _ = terminal.wait();
        self.wait(|| self.shows(picture, window).then_some(()));
        (used(process.id()) - before.0, used(server) - before.1)
    }

    fn end(&mut self) {
        if let Some((mut process, _)) = self.now.take() {
            let _ = process.kill();
            let _ = process.wait();
            self.wait(|| self.screen.window(self.title).is_none().then_some(()));
        }
    }
}

/// Processor time of a process so far, in its own code and the kernel's.
pub fn used(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = after.split(' ').skip(11).take(2).filter_map(|n| n.parse::<u64>().ok());
    // The kernel counts in hundredths of a second for those who ask.
    Duration::from_millis(10 * ticks.sum::<u64>())
}
