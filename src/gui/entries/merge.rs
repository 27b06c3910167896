//! A form whose entry somebody else changed meanwhile: three ways, field by
//! field. What only the other changed is followed, what only this person changed
//! stays, what both changed stays as typed and is told. Knows no egui.

use std::collections::BTreeSet;

use zeroize::Zeroize;

use crate::app::api::EntryView;
use crate::model::entry::{CredentialSource, CustomField, Entry, Slot};

use super::custom::CustomRow;
use super::editor::{Editor, SecretField};

/// What the other person changed.
#[derive(Default)]
struct Seen {
    changed: Vec<String>,
    both: Vec<String>,
}

impl Seen {
    /// True when the form is to follow: only the other changed it.
    fn follow<T: PartialEq>(&mut self, id: &str, old: &T, new: &T, mine: &T) -> bool {
        if old == new {
            return false;
        }
        self.other(id);
        if mine != old && mine != new {
            self.both(id);
        }
        mine == old
    }

    fn text(&mut self, id: &str, old: &str, new: &str, mine: &mut String) {
        if self.follow(id, &old, &new, &mine.trim()) {
            new.clone_into(mine);
        }
    }

    fn flag(&mut self, id: &str, old: bool, new: bool, mine: &mut bool) {
        if self.follow(id, &old, &new, &*mine) {
            *mine = new;
        }
    }

    fn other(&mut self, id: &str) {
        if !self.changed.iter().any(|c| c == id) {
            self.changed.push(id.to_owned());
        }
    }

    fn both(&mut self, id: &str) {
        if !self.both.iter().any(|c| c == id) {
            self.both.push(id.to_owned());
        }
    }
}

impl Editor {
    /// The entry as it is saved now has come after a refusal: if somebody else
    /// changed it, names what, and takes it as the new base, so that saving
    /// again puts only this person's changes on top.
    pub fn rebase(&mut self, now: Box<EntryView>) {
        let Some(base) = self.base.take() else { return };
        if now.entry.ver == base.entry.ver {
            self.base = Some(base);
            return;
        }
        let mut seen = Seen::default();
        let (old, new) = (&base.entry, &now.entry);
        self.merge_fields(&mut seen, old, new);
        self.merge_credential(&mut seen, old, &now);
        self.merge_client(&mut seen, old, new);
        self.merge_secrets(&mut seen, old, new);
        self.merge_custom(&mut seen, old, new);
        self.merge_attachments(&mut seen, old, new);
        self.stale = seen.changed;
        self.both = seen.both;
        self.base = Some(now);
    }

    fn merge_fields(&mut self, seen: &mut Seen, old: &Entry, new: &Entry) {
        seen.text("name", &old.name, &new.name, &mut self.name);
        if old.parent != new.parent {
            seen.other("parent");
        }
        seen.text("host", &old.host, &new.host, &mut self.host);
        let port = self.parsed_port();
        if seen.follow("port", &Some(old.port), &Some(new.port), &port) {
            self.port = new.port.map(|p| p.to_string()).unwrap_or_default();
        }
        seen.text("user", &old.user, &new.user, &mut self.user);
        if old.tags != new.tags {
            // A tag is there or not: both sides' changes fit together.
            seen.other("tags");
            let mine = self.tag_list();
            let removed = |tag: &&String| old.tags.contains(*tag) && !mine.contains(*tag);
            let mut tags: Vec<&String> = new.tags.iter().filter(|tag| !removed(tag)).collect();
            tags.extend(
                mine.iter().filter(|tag| !old.tags.contains(*tag) && !new.tags.contains(*tag)),
            );
            self.tags = tags.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        }
        seen.flag("favourite", old.favourite, new.favourite, &mut self.favourite);
        seen.text("description", &old.description, &new.description, &mut self.description);
        let expires = self.parsed_expires();
        if seen.follow("expires", &Some(old.expires), &Some(new.expires), &expires) {
            self.expires = self.day_text(new.expires);
        }
        for (id, mine) in &mut self.settings {
            let value = |e: &Entry| e.settings.get(*id).cloned().unwrap_or_default();
            seen.text(id, &value(old), &value(new), mine);
        }
    }

    fn merge_credential(&mut self, seen: &mut Seen, old: &Entry, now: &EntryView) {
        let new = &now.entry.credential;
        let mine = self.chosen_credential();
        let (was, is) = (Some(old.credential.clone()), Some(new.clone()));
        let same = matches!(new, CredentialSource::Linked(_)) && mine == is;
        if seen.follow("credential", &was, &is, &mine) || same {
            self.set_credential(new, now.linked.clone());
        }
    }

    fn merge_client(&mut self, seen: &mut Seen, old: &Entry, new: &Entry) {
        let (Some(old), Some(new)) = (&old.client_info, &new.client_info) else { return };
        let c = &mut self.client;
        seen.text("client.code", &old.code, &new.code, &mut c.code);
        seen.text("client.colour", &old.colour, &new.colour, &mut c.colour);
        let (was, is) = (&old.ticket_pattern, &new.ticket_pattern);
        seen.text("client.ticket-pattern", was, is, &mut c.ticket_pattern);
        seen.text("client.ticket-url", &old.ticket_url, &new.ticket_url, &mut c.ticket_url);
        let (was, is) = (old.ticket_required, new.ticket_required);
        seen.flag("client.ticket-required", was, is, &mut c.ticket_required);
        let (was, is) = (old.reason_required, new.reason_required);
        seen.flag("client.reason-required", was, is, &mut c.reason_required);
    }

    fn merge_secrets(&mut self, seen: &mut Seen, old: &Entry, new: &Entry) {
        for slot in old.secrets.keys().chain(new.secrets.keys()).collect::<BTreeSet<_>>() {
            if matches!(slot, Slot::Custom(_)) {
                continue;
            }
            let (was, is) = (old.secrets.get(slot), new.secrets.get(slot));
            if !self.secrets.iter().any(|s| s.slot == *slot) {
                self.secrets.push(SecretField::new(slot.clone(), false));
            }
            let mine = self.secrets.iter_mut().find(|s| s.slot == *slot);
            let mine = mine.expect("it was added if it was missing");
            mine.existed = is.is_some();
            if was == is {
                continue;
            }
            seen.other(&slot.to_string());
            // Another value than the one that was to be removed stays.
            let removed = std::mem::take(&mut mine.clear) && is.is_some();
            if removed || !mine.buffer.is_empty() {
                seen.both(&slot.to_string());
            }
        }
    }

    fn merge_custom(&mut self, seen: &mut Seen, old: &Entry, new: &Entry) {
        let field = |e: &'_ Entry, name: &str| e.custom.iter().find(|c| c.name == name).cloned();
        let cell =
            |e: &'_ Entry, name: &str| e.secrets.get(&Slot::Custom(name.to_owned())).cloned();
        let mut gone = Vec::new();
        for was in &old.custom {
            let is = field(new, &was.name);
            let touched = is.as_ref() != Some(was) || cell(old, &was.name) != cell(new, &was.name);
            if !touched {
                continue;
            }
            let id = format!("custom:{}", was.name);
            seen.other(&id);
            let row = self.custom.iter_mut().find(|r| r.saved.as_ref() == Some(&was.name));
            match (row, is) {
                (Some(row), Some(is)) => {
                    if !follow_row(row, was, &is) {
                        seen.both(&id);
                    }
                }
                (Some(row), None) if row.same_as(was) => gone.push(row.key),
                (Some(row), None) => {
                    row.saved = None;
                    seen.both(&id);
                }
                // Another value than the one that was to be removed stays.
                (None, Some(is)) => {
                    self.add_saved(&is);
                    seen.both(&id);
                }
                (None, None) => {}
            }
        }
        self.custom.retain(|row| !gone.contains(&row.key));
        for is in new.custom.iter().filter(|is| field(old, &is.name).is_none()) {
            let id = format!("custom:{}", is.name);
            seen.other(&id);
            let named = |r: &&mut CustomRow| r.name.trim() == is.name;
            if let Some(row) = self.custom.iter_mut().find(named) {
                let fresh = row.saved.is_none() && !row.secret && !is.secret;
                if fresh && row.value == is.value {
                    row.saved = Some(is.name.clone());
                    continue;
                }
                // Two fields of one name: the form asks for another name for one.
                seen.both(&id);
            }
            self.add_saved(is);
        }
    }

    fn merge_attachments(&mut self, seen: &mut Seen, old: &Entry, new: &Entry) {
        const ID: &str = "attachments";
        if old.attachments == new.attachments {
            return;
        }
        seen.other(ID);
        let cell = |e: &'_ Entry, name: &str| {
            e.attachments.iter().find(|a| a.name == name).map(|a| a.cell)
        };
        let touched = |name: &str| cell(old, name) != cell(new, name);
        // Another content than the one that was to be removed stays.
        if self.removed.iter().any(|name| touched(name) && cell(new, name).is_some()) {
            seen.both(ID);
        }
        self.removed.retain(|name| !touched(name));
        if self.added.iter().any(|(name, _)| touched(name)) {
            seen.both(ID);
        }
    }
}

/// Takes what the other changed of a field; false when both changed it.
fn follow_row(row: &mut CustomRow, was: &CustomField, is: &CustomField) -> bool {
    if row.secret != was.secret {
        // This person made it a secret or no longer one.
        return row.secret == is.secret && !row.secret && row.value == is.value;
    }
    if row.secret {
        if !row.hidden.is_empty() {
            return false;
        }
        row.secret = is.secret;
        row.value.clone_from(&is.value);
        return true;
    }
    let mine = row.value != was.value;
    if is.secret {
        // What was typed before it became a secret becomes one too.
        if !mine {
            row.value.zeroize();
        }
        row.set_secret(true);
        return !mine;
    }
    if mine {
        return row.value == is.value;
    }
    row.value.clone_from(&is.value);
    true
}
