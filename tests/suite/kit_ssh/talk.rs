//! A channel of a link: what is typed and what comes back.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use poterne::connect::Failure;
use poterne::connect::link::{Channel, ChannelRequest, Exit, FromRemote, Link, TermSize, ToRemote};

use super::machine::PATIENCE;

/// A channel and what came from it so far.
pub struct Talk {
    /// The channel.
    pub channel: Box<dyn Channel>,
    messages: Receiver<FromRemote>,
    /// Standard output so far.
    pub out: Vec<u8>,
    /// Standard error so far.
    pub err: Vec<u8>,
    /// How it ended.
    pub exit: Option<Exit>,
    /// The reason of the end, once it is over.
    pub closed: Option<Option<Failure>>,
}

impl Talk {
    /// Opens a channel.
    pub fn open(link: &dyn Link, request: ChannelRequest) -> Result<Self, Failure> {
        let (sender, messages) = channel();
        let sender = Mutex::new(sender);
        let channel = link.open_channel(
            request,
            Box::new(move |m| {
                let _ = sender.lock().expect("one thread").send(m);
            }),
        )?;
        Ok(Self { channel, messages, out: vec![], err: vec![], exit: None, closed: None })
    }

    /// A shell on a terminal.
    pub fn shell(link: &dyn Link, cols: u16, rows: u16) -> Self {
        let request =
            ChannelRequest::Shell { size: TermSize { cols, rows }, term: "xterm-256color".into() };
        Self::open(link, request).expect("a shell opens")
    }

    /// A command without a terminal.
    pub fn exec(link: &dyn Link, command: &str) -> Self {
        let request =
            ChannelRequest::Exec { command: command.into(), size: None, term: String::new() };
        Self::open(link, request).expect("a command starts")
    }

    /// Types text.
    pub fn send(&self, text: &str) {
        self.channel.send(ToRemote::Data(text.as_bytes().to_vec()));
    }

    /// Takes one message; false once it is over.
    pub fn next(&mut self) -> bool {
        if self.closed.is_some() {
            return false;
        }
        match self.messages.recv_timeout(PATIENCE) {
            Ok(FromRemote::Data(bytes)) => self.out.extend(bytes),
            Ok(FromRemote::Stderr(bytes)) => self.err.extend(bytes),
            Ok(FromRemote::Exit(exit)) => self.exit = Some(exit),
            Ok(FromRemote::Closed(why)) => self.closed = Some(why),
            Ok(other) => {
                assert!(other.desktop_only(), "a word of a terminal is left out here");
                panic!("a terminal is no desktop")
            }
            Err(_) => panic!("nothing more came; so far: {}", self.text()),
        }
        true
    }

    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Waits until the output holds `text`.
    pub fn until(&mut self, text: &str) {
        while !self.text().contains(text) {
            assert!(self.next(), "it ended before {text:?}: {}", self.text());
        }
    }

    /// Waits for the end.
    pub fn finish(mut self) -> Self {
        while self.next() {}
        self
    }
}

/// Runs a command to its end.
pub fn run(link: &dyn Link, command: &str, stdin: &[u8]) -> Talk {
    let talk = Talk::exec(link, command);
    if !stdin.is_empty() {
        talk.channel.send(ToRemote::Data(stdin.to_vec()));
    }
    talk.channel.send(ToRemote::Eof);
    talk.finish()
}
