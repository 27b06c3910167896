//! What the details panel knows of the selected entry: its fields, its plan,
//! its older versions and the secrets shown at this moment, which go away by
//! themselves. Knows no egui; time is an argument.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::app::api::{AppError, EntryView, TotpView, VersionView};
use crate::model::entry::{Kind, Slot};
use crate::model::id::EntryId;
use crate::model::plan::Plan;
use crate::secret::{SecretBytes, SecretText};

use super::config::Config;

/// How long a revealed secret stays on screen.
pub const SHOWN_FOR: Duration = Duration::from_secs(30);

/// A one-time code on screen.
pub struct ShownCode {
    /// Whose.
    pub of: EntryId,
    /// The digits.
    pub code: SecretText,
    /// When it stops being good.
    pub until: Instant,
    /// Length of a step.
    pub period: Duration,
}

/// Where a secret of the entry comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecretLine {
    /// Which secret.
    pub slot: Slot,
    /// Which entry gives it.
    pub giver: EntryId,
    /// Its path, when it is another entry.
    pub from: Option<String>,
}

/// State of the details panel.
#[derive(Default)]
pub struct Details {
    /// Which entry is wanted.
    pub wanted: Option<EntryId>,
    /// The entry, once it has come.
    pub entry: Option<Box<EntryView>>,
    /// Its plan, once it has come.
    pub plan: Option<Box<Plan>>,
    /// Its older versions, once they were asked for and have come.
    pub history: Option<Vec<VersionView>>,
    /// Why it could not be shown.
    pub error: Option<AppError>,
    /// The configurations read from it.
    pub config: Config,
    shown: BTreeMap<(EntryId, Slot), (SecretText, Instant)>,
    code: Option<ShownCode>,
}

impl Details {
    /// Another entry is selected; what was shown of the last one is wiped.
    pub fn want(&mut self, id: EntryId) {
        if self.wanted != Some(id) {
            *self = Self { wanted: Some(id), ..Self::default() };
        }
    }

    /// The entry has come; an answer for another one is dropped.
    pub fn set_entry(&mut self, id: EntryId, view: Result<Box<EntryView>, AppError>) {
        if self.wanted != Some(id) {
            return;
        }
        match view {
            Ok(view) => {
                self.entry = Some(view);
                self.error = None;
            }
            Err(e) => self.error = Some(e),
        }
    }

    /// The plan has come.
    pub fn set_plan(&mut self, id: EntryId, plan: Box<Plan>) {
        if self.wanted == Some(id) {
            self.plan = Some(plan);
        }
    }

    /// The versions have come; the current one is shown already.
    pub fn set_history(&mut self, id: EntryId, mut versions: Vec<VersionView>) {
        versions.retain(|v| !v.current);
        if self.wanted == Some(id) {
            self.history = Some(versions);
        }
    }

    /// The secrets of the entry, effective ones included, in a fixed order.
    pub fn secrets(&self) -> Vec<SecretLine> {
        let Some(view) = &self.entry else { return Vec::new() };
        let own = view.entry.id;
        let mut lines: Vec<SecretLine> = view
            .entry
            .secrets
            .keys()
            .map(|slot| SecretLine { slot: slot.clone(), giver: own, from: None })
            .collect();
        for (slot, giver) in self.plan.iter().flat_map(|p| &p.secrets) {
            if *giver != own && !lines.iter().any(|l| l.slot == *slot) {
                let from = self.plan.as_ref().and_then(|p| {
                    use crate::model::plan::Origin as O;
                    p.lines.iter().find(|l| l.field == slot.to_string()).and_then(|l| {
                        match &l.origin {
                            O::Inherited(path) | O::Linked(path) | O::Mine(path) => {
                                Some(path.clone())
                            }
                            O::Own
                            | O::Asked
                            | O::Default
                            | O::Found
                            | O::Missing
                            | O::ByHand
                            | O::Absent
                            | O::Because(_) => None,
                        }
                    })
                });
                lines.push(SecretLine {
                    slot: slot.clone(),
                    giver: *giver,
                    from: Some(from.unwrap_or_default()),
                });
            }
        }
        lines
    }

    /// Shows a secret from `now` on.
    pub fn reveal(&mut self, of: EntryId, slot: Slot, value: SecretBytes, now: Instant) {
        let belongs = self.secrets().iter().any(|l| l.giver == of && l.slot == slot);
        if belongs {
            let text = match value.into_text() {
                Ok(text) => text,
                Err(_) => SecretText::copy_of("\u{2026}"),
            };
            self.shown.insert((of, slot), (text, now + SHOWN_FOR));
        }
    }

    /// Shows a code from `now` on.
    pub fn show_code(&mut self, of: EntryId, view: TotpView, now: Instant) {
        if self.secrets().iter().any(|l| l.giver == of && l.slot == Slot::Totp) {
            self.code = Some(ShownCode {
                of,
                code: view.code,
                until: now + Duration::from_secs(view.seconds_left),
                period: Duration::from_secs(view.period.max(1)),
            });
        }
    }

    /// The value on screen of a secret.
    pub fn shown(&self, of: EntryId, slot: &Slot) -> Option<&SecretText> {
        self.shown.get(&(of, slot.clone())).map(|(text, _)| text)
    }

    /// The code on screen.
    pub fn code(&self) -> Option<&ShownCode> {
        self.code.as_ref()
    }

    /// Hides a secret.
    pub fn hide(&mut self, of: EntryId, slot: &Slot) {
        self.shown.remove(&(of, slot.clone()));
        if *slot == Slot::Totp {
            self.code = None;
        }
    }

    /// Wipes what has been shown long enough; how long until the next one goes.
    pub fn expire(&mut self, now: Instant) -> Option<Duration> {
        self.shown.retain(|_, (_, until)| *until > now);
        if self.code.as_ref().is_some_and(|c| c.until <= now) {
            self.code = None;
        }
        let next = self.shown.values().map(|(_, until)| *until).min();
        let wait = next.map(|until| until.saturating_duration_since(now));
        // The ring of a code is redrawn each second.
        let tick = self.code.as_ref().map(|_| Duration::from_secs(1));
        wait.into_iter().chain(tick).chain(self.config.expire(now)).min()
    }

    /// True when the entry is a container.
    pub fn is_container(&self) -> bool {
        self.entry
            .as_ref()
            .is_some_and(|v| v.entry.kind == Kind::CLIENT || v.entry.kind == Kind::FOLDER)
    }
}
