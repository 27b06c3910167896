//! State of the team page. Knows no egui; an invitation lies in a wiped value
//! for as long as it is on screen.

use std::collections::BTreeSet;

use crate::app::api::{AppError, Factors, MemberView, Request, RotateItem};
use crate::gui::act::Act;
use crate::gui::widgets::secret_buffer::SecretBuffer;
use crate::gui::worker::{Command, Tag};
use crate::model::id::MemberId;
use crate::model::member::Role;
use crate::secret::SecretText;

/// The form for an invitation or a change.
pub struct MemberForm {
    /// The member to change; `None` invites.
    pub of: Option<String>,
    /// Name of a new member.
    pub name: String,
    /// Role.
    pub role: Role,
    /// All clients, later ones too.
    pub all_clients: bool,
    /// Granted clients.
    pub clients: BTreeSet<String>,
    /// Present password, for an invitation; wiped with the form.
    pub password: SecretBuffer,
    /// A fresh code, for an invitation.
    pub code: SecretBuffer,
    /// The password is shown while it is typed.
    pub shown: bool,
    /// The application works.
    pub waiting: bool,
    /// Why it refused.
    pub error: Option<AppError>,
}

/// What stands on top of the page.
pub enum Sheet {
    /// The form.
    Form(Box<MemberForm>),
    /// An invitation, shown once.
    Invitation(String, SecretText),
    /// Secrets to change after somebody left.
    Rotate(Rotation),
}

/// What somebody who left had used or seen.
pub struct Rotation {
    /// Who.
    pub member: MemberId,
    /// Their name.
    pub name: String,
    /// The secrets.
    pub items: Vec<RotateItem>,
}

/// One secret of a rotation: whose, which entry, which slot.
pub type Ticked = (MemberId, String, String);

/// State of the page.
#[derive(Default)]
pub struct TeamModel {
    /// All members.
    pub members: Vec<MemberView>,
    /// They have come.
    pub loaded: bool,
    /// They were asked for.
    pub asked: bool,
    /// Why they could not be read.
    pub unread: Option<AppError>,
    /// Members removed before.
    pub former: Vec<MemberView>,
    /// Why the last act failed.
    pub error: Option<AppError>,
    /// Names of all clients.
    pub clients: Vec<String>,
    /// What stands on top.
    pub sheet: Option<Sheet>,
    /// Who is being removed.
    pub removing: Option<(MemberId, String)>,
    /// Secrets that were changed, by the person's own account.
    pub ticked: BTreeSet<Ticked>,
}

impl TeamModel {
    /// Reads the members, and for who may remove some those who are gone: others
    /// may have changed them since.
    pub fn read(&mut self, manages: bool) -> Vec<Act> {
        self.asked = true;
        self.unread = None;
        let mut acts = vec![Act::Send(Command::Ask(Tag::Members, Request::Members))];
        if manages {
            acts.push(Act::Send(Command::Ask(Tag::FormerMembers, Request::FormerMembers)));
        }
        acts
    }

    /// Asks again what a removed member had used.
    pub fn rotation(&mut self, member: MemberId) -> Act {
        self.error = None;
        Act::Send(Command::Ask(Tag::Rotation(member), Request::Rotation { member }))
    }

    /// Shows it.
    pub fn show_rotation(&mut self, member: MemberId, name: String, items: Vec<RotateItem>) {
        self.sheet = Some(Sheet::Rotate(Rotation { member, name, items }));
    }

    /// The form for an invitation.
    pub fn invite(&mut self) {
        self.error = None;
        self.sheet = Some(Sheet::Form(Box::new(MemberForm::blank())));
    }

    /// The form for a change.
    pub fn change(&mut self, view: &MemberView) {
        self.error = None;
        self.sheet = Some(Sheet::Form(Box::new(MemberForm {
            of: Some(view.member.name.clone()),
            name: view.member.name.clone(),
            role: view.member.role,
            all_clients: view.member.all_clients,
            clients: view.clients.iter().cloned().collect(),
            ..MemberForm::blank()
        })));
    }

    /// An act of the form failed.
    pub fn refused(&mut self, error: AppError) {
        self.removing = None;
        match &mut self.sheet {
            Some(Sheet::Form(form)) => {
                form.waiting = false;
                form.error = Some(error);
            }
            _ => self.error = Some(error),
        }
    }
}

impl MemberForm {
    /// For somebody new.
    fn blank() -> Self {
        Self {
            of: None,
            name: String::new(),
            role: Role::Technician,
            // Nobody is given a key that was not meant for them.
            all_clients: false,
            clients: BTreeSet::new(),
            password: SecretBuffer::line(),
            code: SecretBuffer::code(6),
            shown: false,
            waiting: false,
            error: None,
        }
    }

    /// Whether it can be sent: an invitation lasts, so that who makes it proves again
    /// who it is.
    pub fn ready(&self) -> bool {
        let proved = !self.password.is_empty() && self.code.char_count() == 6;
        !self.waiting && !self.name.trim().is_empty() && (self.of.is_some() || proved)
    }

    /// True when clients are to be chosen.
    pub fn needs_clients(&self) -> bool {
        !self.role.sees_every_client() && self.role != Role::Auditor && !self.all_clients
    }

    /// What sends it.
    pub fn send(&mut self) -> Act {
        self.waiting = true;
        self.error = None;
        let clients =
            if self.needs_clients() { self.clients.iter().cloned().collect() } else { Vec::new() };
        let (name, role) = (self.name.trim().to_owned(), self.role);
        let all_clients = self.all_clients && role != Role::Auditor;
        let (tag, request) = match &self.of {
            None => {
                let (password, code) = (self.password.to_secret(), self.code.to_secret());
                self.code.clear();
                let current = Factors { password, code };
                (Tag::Invite, Request::Invite { name, role, all_clients, clients, current })
            }
            Some(of) => (
                Tag::MemberChanged,
                Request::ChangeMember { name: of.clone(), role, all_clients, clients },
            ),
        };
        Act::Send(Command::Ask(tag, request))
    }
}
