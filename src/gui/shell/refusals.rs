//! Where a refusal is shown: in the dialog, form or page that asked, else as a
//! passing notice.

use egui::Context;

use crate::app::api::{AppError, At, Code, Request};
use crate::gui::act::{Act, Guarded};
use crate::gui::dialogs::Dialog;
use crate::gui::text;
use crate::gui::worker::Tag;
use crate::model::id::EntryId;
use crate::model::policy::Action as Right;

use super::{Screen, Shell};

impl Shell {
    pub(super) fn answer_failed(
        &mut self,
        ctx: &Context,
        tag: Tag,
        guarded: Option<(Tag, EntryId, Guarded)>,
        error: AppError,
    ) {
        // A factor or a kit that was typed wrong has the same code.
        let typed = matches!(
            tag,
            Tag::Password
                | Tag::TotpBegin
                | Tag::TotpFinish
                | Tag::Kit
                | Tag::KitKept
                | Tag::DeviceCode
        );
        if error.code == Code::Locked && typed {
            self.ask(Tag::Status, Request::Status);
        } else if error.code == Code::Locked && matches!(self.screen, Screen::Open(_)) {
            // Somebody else locked it: another window, or the command line.
            self.lock(ctx);
            // A vault that locked itself says why.
            if let Screen::Unlock(unlock) = &mut self.screen
                && error != AppError::locked()
            {
                unlock.error = Some(error);
            }
            return;
        }
        if let Some(Dialog::Justify(model)) = &mut self.dialog
            && model.waiting
            && guarded.is_some()
        {
            model.refused(error);
            return;
        }
        if tag == Tag::Move
            && let Some(Dialog::Move(model)) = &mut self.dialog
            && model.waiting
        {
            model.waiting = false;
            model.error = Some(error);
            return;
        }
        let Screen::Open(opened) = &mut self.screen else { return };
        if let Tag::Snapshot(id) = tag
            && opened.details.wanted == Some(id)
        {
            opened.details.config.ended(Err(error.clone()));
            if error.code != Code::NotAllowed {
                return;
            }
        }
        if let Some((_, id, what)) = guarded
            && error.code == Code::NotAllowed
            && opened.may(Right::Reveal)
            && self.dialog.is_none()
        {
            self.justify_refused(id, what, error);
            return;
        }
        match tag {
            Tag::Details(id) => opened.details.set_entry(id, Err(error)),
            // Somebody else deleted an open folder.
            Tag::Children(id) if error.code == Code::NotFound => opened.list.tree.close(id),
            Tag::History(_) if error.code == Code::NotFound => {}
            Tag::Save => {
                let Some(form) = &mut opened.editor else { return };
                form.saving = false;
                form.then = None;
                form.error = Some(error);
                form.stale.clear();
                if let Some(id) = form.base.as_ref().map(|v| v.entry.id) {
                    self.ask(Tag::Stale(id), Request::Show { at: At::Id(id) });
                }
            }
            Tag::Log => {
                let next = opened.audit.answer(Err(error), text::today());
                if let Some(Act::Send(command)) = next {
                    self.worker.send(command);
                }
            }
            // An entry that was deleted for good had a client.
            Tag::Ticket(ticket, Some(client)) if error.code == Code::NotFound => {
                self.ask(Tag::Ticket(ticket, None), Request::Show { at: At::Path(client) });
            }
            Tag::Verify => {
                opened.audit.verifying = false;
                opened.audit.verified = Some(Err(error));
            }
            Tag::Export => {
                if let Some(export) = &mut opened.audit.export {
                    export.over();
                    export.error = Some(error);
                }
            }
            Tag::Members | Tag::FormerMembers => opened.team.unread = Some(error),
            Tag::Rotation(_) => opened.team.refused(error),
            Tag::Invite | Tag::MemberChanged | Tag::MemberRemoved => {
                opened.team.refused(error);
                self.read_team();
            }
            Tag::Settings => opened.own.unread = Some(error),
            Tag::DeviceCode
            | Tag::Password
            | Tag::TotpBegin
            | Tag::TotpFinish
            | Tag::Kit
            | Tag::KitKept
            | Tag::Backup
            | Tag::Check
            | Tag::SharedChanged
            | Tag::SettingsSaved => {
                if tag == Tag::SettingsSaved {
                    self.ask(Tag::Settings, Request::Settings);
                }
                if let Screen::Open(opened) = &mut self.screen
                    && let Some(error) = opened.own.refused(error)
                {
                    self.failed(error);
                }
            }
            Tag::Snapshot(id) if opened.details.wanted == Some(id) => {}
            // The details say it already, or the member may not see it.
            Tag::Plan(_) | Tag::Trash | Tag::Favourites | Tag::Status => {}
            Tag::Vpns => opened.vpns.refused((self.clock)()),
            tag => self.toasts.fail(error, Some(tag)),
        }
    }

    /// A failure without a place of its own.
    pub(super) fn failed(&mut self, error: AppError) {
        self.toasts.fail(error, None);
    }
}
