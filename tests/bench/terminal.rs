//! How fast 50 MB pass through a terminal tab, beside other terminals in the
//! same run. Opens a real window each; without a display it starts Xvfb.
//!
//! `cargo bench --bench terminal` measures; `cargo bench --bench terminal --
//! --window COMMAND…` opens one window on a command, to look at.

#![allow(clippy::disallowed_methods, reason = "tests start programs and threads as they like")]

#[path = "../suite/kit_screen/xvfb.rs"]
mod xvfb;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use poterne::connect::link::{Channel, Exit, FromRemote, Sink, TermSize, ToRemote};
use poterne::gui::terminal::{Terminal, TerminalView};
use poterne::gui::{fonts, theme};
use poterne::model::lang::Lang;

use xvfb::Xvfb;

const BYTES: usize = 50_000_000;
const ROUNDS: usize = 3;

fn main() {
    let args: Vec<OsString> = std::env::args_os().skip(1).filter(|a| a != "--bench").collect();
    if args.first().is_some_and(|a| a == "--window") {
        window(&args[1..]);
    } else if cfg!(unix) {
        measure();
    }
}

// The window.

enum ToPty {
    Bytes(Vec<u8>),
    Close,
}

struct Pty {
    writer: Sender<ToPty>,
    master: std::sync::Mutex<Box<dyn MasterPty + Send>>,
}

impl Channel for Pty {
    fn send(&self, message: ToRemote) {
        match message {
            ToRemote::Data(bytes) => drop(self.writer.send(ToPty::Bytes(bytes))),
            ToRemote::Resize(size) => {
                let size = PtySize { rows: size.rows, cols: size.cols, ..PtySize::default() };
                let _ = self.master.lock().expect("no panic while held").resize(size);
            }
            ToRemote::Eof
            | ToRemote::Signal(_)
            | ToRemote::Screen(_)
            | ToRemote::Clipboard(_)
            | ToRemote::Files(_) => {}
            ToRemote::Close => drop(self.writer.send(ToPty::Close)),
        }
    }
    fn backlog(&self) -> usize {
        0
    }
}

fn start(command: &[OsString], mut sink: Sink) -> Pty {
    let pair = native_pty_system()
        .openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() })
        .expect("the system gives a pseudo-terminal");
    let mut builder = if command.is_empty() {
        CommandBuilder::new("bash")
    } else {
        CommandBuilder::from_argv(command.to_vec())
    };
    builder.env("TERM", "xterm-256color");
    builder.env("COLORTERM", "truecolor");
    if let Ok(folder) = std::env::current_dir() {
        builder.cwd(folder);
    }
    let mut child = pair.slave.spawn_command(builder).expect("the command exists");
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().expect("the terminal can be read");
    let mut writer = pair.master.take_writer().expect("the terminal can be written");
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        while let Ok(ToPty::Bytes(bytes)) = receiver.recv() {
            if writer.write_all(&bytes).is_err() {
                break;
            }
        }
    });
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(n @ 1..) = reader.read(&mut buffer) {
            sink(FromRemote::Data(buffer[..n].to_vec()));
        }
        let status = child.wait().map_or(1, |s| s.exit_code() as i32);
        sink(FromRemote::Exit(Exit::Status(status)));
        sink(FromRemote::Closed(None));
    });
    Pty { writer: sender, master: std::sync::Mutex::new(pair.master) }
}

struct Window {
    terminal: Terminal,
    view: TerminalView,
    first: bool,
    stay: bool,
    frames: u32,
    painting: Duration,
}

impl eframe::App for Window {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let since = Instant::now();
        let output = self.view.show(ui, TerminalView::id(0), &self.terminal, Lang::Fr);
        self.painting += since.elapsed();
        self.frames += 1;
        if std::mem::take(&mut self.first) {
            output.response.request_focus();
        }
        if self.terminal.ended().is_some() && !self.stay {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        if std::env::var_os("TERMINAL_STATS").is_some() {
            eprintln!("{} frames, {:?} each", self.frames, self.painting / self.frames.max(1));
        }
    }
}

fn window(command: &[OsString]) {
    let (stay, command) = match command.split_first() {
        Some((first, rest)) if first == "--stay" => (true, rest),
        _ => (false, command),
    };
    let (terminal, sink) = Terminal::new(TermSize { cols: 80, rows: 24 });
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_inner_size([900.0, 560.0])
            .with_title("terminal")
            .with_app_id("terminal"),
        renderer: eframe::Renderer::Glow,
        ..eframe::NativeOptions::default()
    };
    let command = command.to_vec();
    let light = std::env::var_os("TERMINAL_LIGHT").is_some();
    let run = eframe::run_native(
        "terminal",
        options,
        Box::new(move |cc| {
            fonts::install(&cc.egui_ctx);
            let look = if light { theme::Theme::Light } else { theme::Theme::Dark };
            theme::apply(&cc.egui_ctx, look);
            let ctx = cc.egui_ctx.clone();
            terminal.on_wake(move |delay| ctx.request_repaint_after(delay));
            terminal.attach(Box::new(start(&command, sink)));
            Ok(Box::new(Window {
                terminal,
                view: TerminalView::default(),
                first: true,
                stay,
                frames: 0,
                painting: Duration::ZERO,
            }))
        }),
    );
    run.expect("there is a display");
}

// The measurement.

/// A child that is ended with its owner.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn measure() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let plain = folder.path().join("plain");
    let colour = folder.path().join("colour");
    write_plain(&plain);
    write_colour(&colour);
    let xvfb = display();
    let display = xvfb.as_ref().map(|screen| screen.name.as_str());
    let own = std::env::current_exe().expect("this program has a path");
    let own = own.to_string_lossy().into_owned();
    let rivals: Vec<(&str, Vec<&str>)> = vec![
        ("poterne", vec![&own, "--window"]),
        ("alacritty", vec!["alacritty", "-o", "window.dimensions.columns=110", "-e"]),
        ("kitty", vec!["kitty", "-o", "confirm_os_window_close=0", "--"]),
        ("xterm", vec!["xterm", "-geometry", "110x30", "-e"]),
    ];
    println!("{BYTES} bytes through a window, MB/s; each round all in turn");
    for (name, file) in [("plain", &plain), ("colour", &colour)] {
        for round in 1..=ROUNDS {
            let mut line = format!("{name:7} round {round}:");
            for (rival, command) in &rivals {
                if *rival == "xterm" && round > 1 {
                    continue;
                }
                match cat_in(command, file, folder.path(), display) {
                    Some(time) => {
                        let rate = BYTES as f64 / 1e6 / time.as_secs_f64();
                        line.push_str(&format!("  {rival} {rate:6.1}"));
                    }
                    None => line.push_str(&format!("  {rival}      –")),
                }
            }
            println!("{line}");
        }
    }
}

/// Time from the start to the end of `cat`, told by the shell around it.
fn cat_in(command: &[&str], file: &Path, folder: &Path, display: Option<&str>) -> Option<Duration> {
    let (before, after) = (folder.join("before"), folder.join("after"));
    let _ = std::fs::remove_file(&after);
    // Half a second lets the window settle, so that only the text is measured.
    let script = format!(
        "sleep 0.5; date +%s%N > {}; cat {}; date +%s%N > {}",
        before.display(),
        file.display(),
        after.display()
    );
    let program = which(command[0])?;
    let mut child = Command::new(program);
    child.args(&command[1..]).args(["sh", "-c", &script]);
    child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    if let Some(display) = display {
        child.env("DISPLAY", display);
    }
    let mut child = Ended(child.spawn().ok()?);
    // It ends when nobody holds its output any more; the window's shell has another.
    let mut out = child.0.stdout.take()?;
    let (over, ended) = channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut out, &mut std::io::sink());
        let _ = over.send(());
    });
    ended.recv_timeout(Duration::from_secs(120)).ok()?;
    let read = |path: &Path| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    Some(Duration::from_nanos(read(&after)?.saturating_sub(read(&before)?)))
}

fn which(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|p| p.is_file())
}

/// Starts Xvfb unless there is a display.
fn display() -> Option<Xvfb> {
    if std::env::var_os("DISPLAY").is_some() {
        return None;
    }
    Some(Xvfb::start("1280x800", &[]))
}

fn write_plain(path: &Path) {
    let mut text = String::with_capacity(BYTES + 200);
    let mut n = 0_u32;
    while text.len() < BYTES {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push_str(&format!("{n:010} the quick brown fox jumps over the lazy dog {n:08x}\n"));
    }
    text.truncate(BYTES);
    std::fs::write(path, text).expect("the temporary folder has room");
}

fn write_colour(path: &Path) {
    let mut text = String::with_capacity(BYTES + 200);
    let mut n = 0_u32;
    while text.len() < BYTES {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (a, b) = (n >> 24, n >> 16 & 255);
        text.push_str(&format!(
            "\x1b[38;5;{a}m{n:08x}\x1b[0m \x1b[1;3{}mcompte\x1b[0m \x1b[48;2;{a};{b};90mété\x1b[0m\r\n",
            a % 8
        ));
    }
    text.truncate(BYTES);
    std::fs::write(path, text).expect("the temporary folder has room");
}
