//! The application's lease: what a connector may ask of vault and person while
//! it opens a link. Never gives a secret twice.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

use crate::app::worker::Job;
use crate::app::{self, SessionUi, reveal};
use crate::connect::launch::{Child, Launch};
use crate::connect::rdp::freerdp;
use crate::connect::vpn::door::Passage;
use crate::connect::{Answer, Lease, Progress, Question, web};
use crate::crypto::totp::Seed;
use crate::model::entry::Slot;
use crate::model::id::SessionId;
use crate::model::target::{PinnedKey, Target};
use crate::os::{chromium, clock};
use crate::secret::{SecretBytes, SecretText};

use super::Ask;
use super::host_keys::prints;
use super::tunnels::Use;

/// The application's lease for one connection.
pub(super) struct LiveLease<'a> {
    pub(super) jobs: &'a Sender<Job>,
    pub(super) id: SessionId,
    pub(super) target: &'a Target,
    pub(super) secrets: BTreeMap<(usize, Slot), SecretBytes>,
    pub(super) ui: &'a mut dyn SessionUi,
    /// What `--accept-host-key` said.
    pub(super) accepted: Option<String>,
    /// The keys that were accepted.
    pub(super) pinned: Vec<PinnedKey>,
    /// The person typed a user or a secret.
    pub(super) typed: bool,
    /// The desktop and language of who asks.
    pub(super) desktop: Vec<(String, String)>,
    /// The VPN that the connection goes through.
    pub(super) through: Option<&'a Use>,
}

impl LiveLease<'_> {
    fn tell(&self, ask: Ask) -> bool {
        app::ask(self.jobs, |answer| Job::Session(Box::new(ask), answer)).is_ok()
    }
}

impl Lease for LiveLease<'_> {
    fn take(&mut self, hop: usize, slot: &Slot) -> Option<SecretBytes> {
        self.secrets.remove(&(hop, slot.clone()))
    }

    fn totp(&mut self, hop: usize) -> Option<SecretText> {
        let stored = self.secrets.get(&(hop, Slot::Totp))?.duplicate();
        let seed: Seed = reveal::seed_of(stored).ok()?;
        Some(seed.code(clock::now()).0)
    }

    fn desktop(&self) -> Vec<(String, String)> {
        // Whoever asks may say where the screen is, and nothing else.
        let known = |name: &str| {
            chromium::is_desktop(name) || [web::LANG, freerdp::NO_PLACE].contains(&name)
        };
        self.desktop.iter().filter(|(name, _)| known(name)).cloned().collect()
    }

    fn passage(&mut self) -> Option<std::io::Result<Passage>> {
        self.through.map(Use::passage)
    }

    fn spawn(&mut self, launch: Launch) -> std::io::Result<Child> {
        launch.start()
    }

    fn ask(&mut self, question: Question) -> Answer {
        match question {
            Question::TrustHostKey(key) => {
                // An answer in advance is the answer: nobody is asked besides.
                let yes = match &self.accepted {
                    Some(accepted) => prints(accepted).any(|print| print == key.fingerprint),
                    None => matches!(self.ui.ask(Question::TrustHostKey(key.clone())), Answer::Yes),
                };
                if yes && self.tell(Ask::Pin(self.id, key.clone())) {
                    self.pinned.push(key);
                    Answer::Yes
                } else {
                    let shown = format!("{} {}", key.at, key.fingerprint);
                    self.tell(Ask::Refused(self.id, shown, String::new()));
                    Answer::No
                }
            }
            known @ (Question::Approve(_) | Question::RaiseVpn { .. }) => self.ui.ask(known),
            other => {
                self.typed = true;
                self.ui.ask(other)
            }
        }
    }

    fn say(&mut self, progress: Progress) {
        self.ui.say(progress);
    }

    fn key_changed(&mut self, shown: &PinnedKey) {
        let words = |key: &PinnedKey| format!("{} {}", key.algorithm, key.fingerprint);
        let hops = self.target.hops.iter().filter(|hop| hop.at == shown.at);
        let pinned: Vec<String> = hops.flat_map(|hop| &hop.pinned).map(words).collect();
        let why = format!("changed; pinned: {}", pinned.join(", "));
        self.tell(Ask::Refused(self.id, format!("{} {}", shown.at, words(shown)), why));
    }

    fn cancelled(&self) -> bool {
        self.ui.cancelled()
    }
}
