//! Questions of a device whose configuration is read: shown one at a time, where
//! the person is not typing for somebody else.

use std::time::Instant;

use crate::gui::act::Page;
use crate::gui::asking::Asked;
use crate::gui::dialogs::Dialog;
use crate::gui::dialogs::question::QuestionModel;
use crate::model::lang::Bi;

use super::{Screen, Shell};

impl Shell {
    /// A device asks. With the vault locked the question is dropped: that is a no.
    pub(super) fn asked(&mut self, asked: Asked) {
        let away = self.away();
        let Screen::Open(opened) = &mut self.screen else { return };
        if away {
            let node = opened.list.tree.node(asked.entry);
            let name = node.map(|node| node.summary.name.clone()).unwrap_or_default();
            let told = Bi::new(
                format!(
                    "Le relevé de «\u{a0}{name}\u{a0}» attend une réponse, sous «\u{a0}Accès\u{a0}»."
                ),
                format!("Reading “{name}” waits for an answer, under “Entries”."),
            );
            self.toasts.push(told, Instant::now());
        }
        opened.asking.push_back(asked);
    }

    /// Shows the next question once nothing stands before it: what is typed into a
    /// session, a form or another dialog must not become its answer.
    pub(super) fn show_asked(&mut self) {
        if self.dialog.is_some() || self.away() {
            return;
        }
        let Screen::Open(opened) = &mut self.screen else { return };
        let Some(asked) = opened.asking.pop_front() else { return };
        let node = opened.list.tree.node(asked.entry);
        let name = node.map(|node| node.summary.name.clone()).unwrap_or_default();
        let client = opened.client_of(asked.entry);
        self.dialog = Some(Dialog::Question(Box::new(QuestionModel::new(asked, name, client))));
    }

    /// Whether the person looks at something else than the entries.
    fn away(&self) -> bool {
        let Screen::Open(opened) = &self.screen else { return false };
        let session = self.sessions.front().is_some();
        session || opened.page != Page::Entries || opened.editor.is_some()
    }
}
