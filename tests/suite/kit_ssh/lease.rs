//! A lease that hands out planted secrets and answers as it was told.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use poterne::connect::launch::{self, Launch};
use poterne::connect::link::Link;
use poterne::connect::vpn::door::Passage;
use poterne::connect::{Answer, Lease, Progress, Question, web};
use poterne::model::entry::Slot;
use poterne::model::target::{Hop, PinnedKey};
use poterne::os::chromium;
use poterne::secret::{SecretBytes, SecretText};

use super::machine::sh;

/// A lease with planted secrets, that starts the tested program.
#[derive(Default)]
pub struct FakeLease {
    /// Planted secrets by hop and slot.
    pub secrets: HashMap<(usize, Slot), Vec<u8>>,
    /// Planted seeds by hop.
    pub seeds: HashMap<usize, String>,
    /// Accept unknown server keys.
    pub trust: bool,
    /// Typed answers, in order.
    pub answers: VecDeque<String>,
    /// What the person was asked.
    pub asked: Vec<String>,
    /// Keys shown to the person.
    pub keys_shown: Vec<PinnedKey>,
    /// Progress told.
    pub said: Vec<Progress>,
    /// Secrets taken.
    pub taken: Vec<(usize, Slot)>,
    /// Processes started.
    pub children: Vec<u32>,
    /// The last of them, for who watches meanwhile; 0 before the first.
    pub latest: Arc<AtomicU32>,
    /// The person gives up.
    pub gave_up: Arc<AtomicBool>,
    /// The X display in place of that of the tests.
    pub display: Option<String>,
    /// Who asks has no screen.
    pub screenless: bool,
    /// The path of the network namespace that its processes run in, if it is another.
    pub within: Option<String>,
    /// The VPN that the connection goes through.
    pub through: Option<Arc<dyn Link>>,
    /// Variables of the processes that it starts.
    pub env: Vec<(OsString, OsString)>,
    /// Variables that they have besides, where they are not started with others.
    pub env_before: Vec<(OsString, OsString)>,
}

impl FakeLease {
    /// Plants a secret and lists it in the hop.
    pub fn plant(&mut self, hops: &mut [Hop], hop: usize, slot: Slot, value: &[u8]) {
        hops[hop].slots.push(slot.clone());
        self.secrets.insert((hop, slot), value.to_vec());
    }

    /// Plants a seed in hex.
    pub fn plant_seed(&mut self, hops: &mut [Hop], hop: usize, seed: &str) {
        hops[hop].slots.push(Slot::Totp);
        self.seeds.insert(hop, seed.to_owned());
    }
}

impl Lease for FakeLease {
    fn take(&mut self, hop: usize, slot: &Slot) -> Option<SecretBytes> {
        self.taken.push((hop, slot.clone()));
        self.secrets.remove(&(hop, slot.clone())).map(SecretBytes::new)
    }

    fn totp(&mut self, hop: usize) -> Option<SecretText> {
        let seed = self.seeds.get(&hop)?;
        let code = sh("oathtool", &["--totp", seed]);
        Some(SecretText::new(code.trim().to_owned()))
    }

    fn desktop(&self) -> Vec<(String, String)> {
        let mut desktop = chromium::desktop();
        desktop.push((web::LANG.to_owned(), "en".to_owned()));
        if self.screenless || self.display.is_some() {
            desktop.retain(|(name, _)| name != "DISPLAY" && name != "WAYLAND_DISPLAY");
        }
        desktop.extend(self.display.iter().map(|name| ("DISPLAY".to_owned(), name.clone())));
        desktop
    }

    fn passage(&mut self) -> Option<std::io::Result<Passage>> {
        Some(self.through.as_ref()?.tunnel().expect("it is a VPN").passage())
    }

    fn spawn(&mut self, mut launch: Launch) -> std::io::Result<launch::Child> {
        let program = launch.program.get_or_insert_with(|| env!("CARGO_BIN_EXE_poterne").into());
        if let Some(namespace) = &self.within {
            let program = std::mem::replace(program, "nsenter".into());
            let before = [format!("--net={namespace}").into(), "--".into(), program];
            launch.args.splice(..0, before);
        }
        launch.env.splice(..0, self.env_before.iter().cloned());
        launch.env.extend(self.env.iter().cloned());
        let child = launch.start()?;
        self.children.push(child.process.id());
        self.latest.store(child.process.id(), Ordering::SeqCst);
        Ok(child)
    }

    fn ask(&mut self, question: Question) -> Answer {
        match question {
            Question::RaiseVpn { .. } => Answer::Yes,
            Question::TrustHostKey(key) => {
                self.keys_shown.push(key);
                if self.trust { Answer::Yes } else { Answer::No }
            }
            Question::Prompt { text, .. } => {
                self.asked.push(text);
                self.typed()
            }
            Question::Password { user, at, again } => {
                let again = if again { " (again)" } else { "" };
                self.asked.push(format!("password of {user}@{}{again}", at.host));
                self.typed()
            }
            Question::Passphrase { user, at, again } => {
                let again = if again { " (again)" } else { "" };
                self.asked.push(format!("passphrase of {user}@{}{again}", at.host));
                self.typed()
            }
            Question::User => {
                self.asked.push("user".into());
                self.typed()
            }
            Question::Approve(asked) => {
                self.asked.push(format!("approve {}", asked.kind));
                if self.trust { Answer::Yes } else { Answer::No }
            }
        }
    }

    fn say(&mut self, progress: Progress) {
        self.said.push(progress);
    }

    fn cancelled(&self) -> bool {
        self.gave_up.load(Ordering::Relaxed)
    }
}

impl FakeLease {
    fn typed(&mut self) -> Answer {
        self.answers.pop_front().map_or(Answer::No, |t| Answer::Text(SecretText::new(t)))
    }
}
