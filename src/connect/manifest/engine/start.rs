//! Starts the program of a manifest: each secret that goes by a pipe or a line is
//! handed over here, and its streams are led to the engine. It answers no question.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex};

use super::{Ear, Heard, Running};
use crate::connect::host::child::Uplink;
use crate::connect::link::LinkInfo;
use crate::connect::manifest::askpass::{self, Desk};
use crate::connect::manifest::fail;
use crate::connect::manifest::give::{content, one_line, secret_of};
use crate::connect::manifest::hold::{Ended, Held, end};
use crate::connect::manifest::run::{Run, WayBy};
use crate::connect::ssh::fail as local;
use crate::connect::{Failure, Progress};
use crate::model::entry::Slot;
use crate::model::target::Hop;
use crate::os::process::{Spawn, own_path, spawn};
use crate::os::pty;
use crate::secret::SecretBytes;

/// Largest content of a pipe, which takes it before anybody reads (pipe(7)).
const PIPE_MAX_BYTES: usize = 60 * 1024;

impl Running {
    /// The program, started: what it says is heard.
    ///
    /// # Errors
    /// A secret is not given or cannot be handed over, or it does not start; it is gone then.
    pub(super) fn start(
        run: Run,
        index: usize,
        hop: Hop,
        up: &Arc<Uplink>,
    ) -> Result<Self, Failure> {
        let (ear, heard) = channel();
        let mut spawned = Spawn {
            program: Some(run.program.clone().into()),
            args: run.args.iter().map(Into::into).collect(),
            env: run.env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            ..Spawn::default()
        };
        let mut lines = Vec::new();
        let mut asks = false;
        up.say(&Progress::Contacting(run.name.clone()));
        for way in &run.ways {
            match &way.by {
                WayBy::Pipe(number, parts, escape) => {
                    let secret = secret_of(way, index, &hop, up)?;
                    let (reader, mut writer) = io::pipe().map_err(|e| local::local(&e))?;
                    if let Some(secret) = secret {
                        let slot = way.slot.to_string();
                        // A key has lines of its own; nothing else may begin another.
                        let secret = match way.slot {
                            Slot::PrivateKey => secret,
                            _ => one_line(&secret, &way.slot)?,
                        };
                        let whole = secret.expose(|bytes| content(parts, *escape, bytes));
                        if whole.expose(<[u8]>::len) > PIPE_MAX_BYTES {
                            return Err(fail::pipe_too_small(&slot));
                        }
                        whole
                            .expose(|bytes| writer.write_all(bytes))
                            .map_err(|e| local::local(&e))?;
                    }
                    spawned.given.push((reader.into(), *number));
                }
                WayBy::Line => {
                    if let Some(secret) = secret_of(way, index, &hop, up)? {
                        lines.push(one_line(&secret, &way.slot)?);
                    }
                }
                WayBy::Askpass(variable, _) => {
                    asks = true;
                    let own = own_path().map_err(|e| local::local(&e))?;
                    spawned.env.push((variable.into(), own));
                }
                WayBy::Prompt(_) => {}
            }
        }
        let desk = match asks {
            true => {
                let ear = ear.clone();
                let asked = move |stream, question| {
                    drop(ear.send(Heard::Asked(stream, question)));
                };
                let desk = Desk::open(asked).map_err(|e| local::local(&e))?;
                spawned.env.push((askpass::SOCKET.into(), desk.path().into()));
                Some(desk)
            }
            false => None,
        };
        let mut pty = None;
        if run.window {
            spawned.leads = true;
            let desktop = crate::os::chromium::desktop();
            spawned.env.extend(desktop.into_iter().map(|(n, v)| (n.into(), v.into())));
        } else {
            let (near, far) = pty::open(80, 24).map_err(|e| local::local(&e))?;
            spawned.terminal = Some(far);
            if !run.env.iter().any(|(name, _)| name == "TERM") {
                spawned.env.push(("TERM".into(), "xterm-256color".into()));
            }
            pty = Some(near);
        }
        let mut process = spawn(spawned).map_err(|e| fail::not_started(&run.program, &e))?;
        let ended: Arc<Ended> = Arc::default();
        let (typing, typed) = channel::<Vec<u8>>();
        let hold = Held {
            pid: process.id(),
            ended: ended.clone(),
            stop: run.stop.clone(),
            typing: pty.as_ref().map(|_| typing.clone()),
            desk,
        };
        let mut warnings = Vec::new();
        if !run.note.en.is_empty() {
            up.say(&Progress::Warning(run.note.clone()));
            warnings.push(run.note.clone());
        }
        let info = LinkInfo {
            user: hop.user.clone(),
            description: run.description.clone(),
            warnings,
            ..LinkInfo::default()
        };
        let mut running = Self {
            told: vec![false; run.ways.len()],
            kept: None,
            later: VecDeque::new(),
            run,
            hop,
            index,
            hold: Arc::new(Mutex::new(Some(hold))),
            heard,
            inbox: Arc::new(Ear(ear.clone())),
            typing: pty.as_ref().map(|_| typing),
            pty,
            permits: [None, None],
            readers: 0,
            waiting: [false; 2],
            shown: VecDeque::new(),
            status: None,
            info,
            channel: None,
            attended: false,
            credit: 0,
        };
        if let Err(failure) = running.lead(&mut process, &ear, typed, lines) {
            end(&running.hold);
            return Err(failure);
        }
        if let Err(failure) = wait_for(process, ended, ear) {
            end(&running.hold);
            return Err(failure);
        }
        Ok(running)
    }

    /// Leads the streams of the program to the engine.
    fn lead(
        &mut self,
        process: &mut Child,
        ear: &Sender<Heard>,
        typed: Receiver<Vec<u8>>,
        lines: Vec<SecretBytes>,
    ) -> Result<(), Failure> {
        let none = |e: io::Error| local::local(&e);
        if let Some(pty) = &self.pty {
            let (from, mut to) = (pty.file().map_err(none)?, pty.file().map_err(none)?);
            self.reader(from, false, ear)?;
            let ear = ear.clone();
            return thread("typing", move || {
                for bytes in typed {
                    let bytes = zeroize::Zeroizing::new(bytes);
                    if to.write_all(&bytes).is_err() {
                        break;
                    }
                    let _ = ear.send(Heard::Written(bytes.len()));
                }
            });
        }
        if let Some(out) = process.stdout.take() {
            self.reader(File::from(std::os::fd::OwnedFd::from(out)), false, ear)?;
        }
        if let Some(errors) = process.stderr.take() {
            self.reader(File::from(std::os::fd::OwnedFd::from(errors)), true, ear)?;
        }
        if let Some(mut input) = process.stdin.take() {
            // On a thread: a program that reads nothing must not hold up the session.
            thread("lines", move || {
                for line in lines {
                    let written = line.expose(|bytes| input.write_all(bytes));
                    if written.and_then(|()| input.write_all(b"\n")).is_err() {
                        break;
                    }
                }
            })?;
        }
        Ok(())
    }

    fn reader(&mut self, mut from: File, errors: bool, ear: &Sender<Heard>) -> Result<(), Failure> {
        let (permit, permitted) = sync_channel::<()>(1);
        self.permits[usize::from(errors)] = Some(permit);
        self.readers += 1;
        let ear = ear.clone();
        thread("said", move || {
            let mut buffer = vec![0u8; 1 << 16];
            // A terminal whose program has ended reads as an error on Linux.
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                if ear.send(Heard::Said(errors, buffer[..n].to_vec())).is_err()
                    || permitted.recv().is_err()
                {
                    return;
                }
            }
            let _ = ear.send(Heard::Silent);
        })
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let started = std::thread::Builder::new().name(name.into()).spawn(work);
    started.map(drop).map_err(|e| local::local(&e))
}

fn wait_for(mut process: Child, ended: Arc<Ended>, ear: Sender<Heard>) -> Result<(), Failure> {
    thread("waiting", move || {
        let status = process.wait().unwrap_or_else(|_| ExitStatus::from_raw(1 << 8));
        ended.note();
        let _ = ear.send(Heard::Ended(status));
    })
}
