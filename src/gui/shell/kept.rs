//! What of the list outlasts a lock: ids alone, no name and nothing decrypted.

use crate::model::id::EntryId;

use super::Opened;

/// Where a member was in the list.
pub(super) struct Kept {
    member: String,
    open: Vec<EntryId>,
    trash_open: bool,
    selected: Option<EntryId>,
}

impl Kept {
    pub(super) fn of(opened: &Opened) -> Self {
        Self {
            member: opened.status.member.clone(),
            open: opened.list.tree.opened().collect(),
            trash_open: opened.list.tree.trash_open(),
            selected: opened.details.wanted,
        }
    }

    /// Puts the same member there again; the entry whose details are to be asked.
    pub(super) fn restore(self, opened: &mut Opened) -> Option<EntryId> {
        if opened.status.member != self.member {
            return None;
        }
        opened.list.tree.reopen(self.open, self.trash_open);
        opened.list.selected = self.selected;
        opened.list.scroll_to_selected = true;
        let id = self.selected?;
        opened.details.want(id);
        Some(id)
    }
}
