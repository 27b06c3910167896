//! What the window knows of the VPNs, when it asks again, and its words for it. Asks
//! nobody itself; without a VPN there is nothing to ask.

use std::time::{Duration, Instant};

use crate::app::api::VpnView;
use crate::connect::vpn::journal::{Now, Step};
use crate::gui::text;
use crate::model::lang::Lang;
use crate::model::time::Time;

/// How often the VPNs are asked for while there are any.
pub const EVERY: Duration = Duration::from_secs(1);

/// The VPNs of the application.
#[derive(Default)]
pub struct Vpns {
    list: Vec<VpnView>,
    /// Something tells that this list is not true any more.
    due: bool,
    /// A question is on its way.
    asking: bool,
    /// When it was answered last.
    read: Option<Instant>,
}

/// What is to be done about the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// It is to be asked for now.
    Ask,
    /// It is to be looked at again after this while.
    After(Duration),
    /// It changes by what is told alone.
    Rest,
}

impl Vpns {
    /// Those of a status.
    pub fn of(list: Vec<VpnView>, now: Instant) -> Self {
        Self { list, read: Some(now), ..Self::default() }
    }

    /// Every one, in the order in which they were raised.
    pub fn list(&self) -> &[VpnView] {
        &self.list
    }

    /// One is being raised, or was joined.
    pub fn news(&mut self) {
        self.due = true;
    }

    /// A status was told.
    pub fn told(&mut self, list: Vec<VpnView>, now: Instant) {
        self.list = list;
        self.asking = false;
        self.read = Some(now);
    }

    /// The question was not answered.
    pub fn refused(&mut self, now: Instant) {
        self.asking = false;
        self.read = Some(now);
    }

    /// What is to be done now. A question that is to be asked counts as asked.
    pub fn look(&mut self, now: Instant) -> Look {
        if self.asking {
            return Look::Rest;
        }
        let waited = self.read.map_or(EVERY, |at| now.saturating_duration_since(at));
        if !self.due && self.list.is_empty() {
            return Look::Rest;
        }
        if !self.due && waited < EVERY {
            return Look::After(EVERY - waited);
        }
        self.due = false;
        self.asking = true;
        Look::Ask
    }
}

/// Whether it carries traffic.
pub fn is_up(now: &Now) -> bool {
    now.step == Step::Up
}

/// Its state in words, and why. The steps of one that was up are those of its way back.
pub fn state_words(now: &Now, lang: Lang) -> String {
    if *now == Now::default() {
        // Nobody has told of it yet.
        return lang.pick("montage en cours", "being raised").to_owned();
    }
    let mut words = now.step.words().get(lang).to_owned();
    let back = !matches!(now.step, Step::Up | Step::Reconnecting | Step::GoingDown);
    if back && now.since.is_some() {
        words = format!("{}, {words}", Step::Reconnecting.words().get(lang));
    }
    match &now.why {
        Some(why) => format!("{words}{}{}", lang.pick("\u{a0}: ", ": "), why.get(lang)),
        None => words,
    }
}

/// How many go through it, or wait for it.
pub fn session_words(sessions: usize, lang: Lang) -> String {
    match (sessions, lang) {
        (0, Lang::Fr) => "sans session".to_owned(),
        (0, Lang::En) => "no session".to_owned(),
        (1, _) => "1 session".to_owned(),
        (n, _) => format!("{n} sessions"),
    }
}

/// Bytes received and sent.
pub fn traffic_words(now: &Now, lang: Lang) -> (String, String) {
    let (received, sent) = (text::size(now.received, lang), text::size(now.sent, lang));
    (format!("\u{2193} {received}"), format!("\u{2191} {sent}"))
}

/// How long it is up: `05:09`, from an hour on `1:02:03`; empty while it is not.
pub fn time_up(vpn: &Now, now: Time) -> String {
    let Some(since) = vpn.since.filter(|_| is_up(vpn)) else { return String::new() };
    let secs = now.unix_seconds().saturating_sub(since.unix_seconds()).max(0);
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    match hours {
        0 => format!("{minutes:02}:{secs:02}"),
        hours => format!("{hours}:{minutes:02}:{secs:02}"),
    }
}
