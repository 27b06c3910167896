//! State of the team page. Knows no egui; an invitation lies in a wiped value
//! for as long as it is on screen.

use std::collections::BTreeSet;

use crate::app::api::{AppError, MemberView, Request, RotateItem};
use crate::gui::act::Act;
use crate::gui::worker::{Command, Tag};
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
    /// The application works.
    pub waiting: bool,
    /// Why it refused.
    pub error: Option<AppError>,
}

/// What stands on top of the page.
pub enum Sheet {
    /// The form.
    Form(MemberForm),
    /// An invitation, shown once.
    Invitation(String, SecretText),
    /// Secrets to change after somebody left; ticked ones are done.
    Rotate(String, Vec<RotateItem>, BTreeSet<usize>),
}

/// State of the page.
#[derive(Default)]
pub struct TeamModel {
    /// All members.
    pub members: Vec<MemberView>,
    /// They have come.
    pub loaded: bool,
    /// They were asked for.
    pub asked: bool,
    /// Why not.
    pub error: Option<AppError>,
    /// Names of all clients.
    pub clients: Vec<String>,
    /// What stands on top.
    pub sheet: Option<Sheet>,
    /// Who is being removed.
    pub removing: Option<String>,
}

impl TeamModel {
    /// Asks for the members.
    pub fn ask(&mut self) -> Act {
        self.asked = true;
        Act::Send(Command::Ask(Tag::Members, Request::Members))
    }

    /// The form for an invitation.
    pub fn invite(&mut self) {
        self.sheet = Some(Sheet::Form(MemberForm {
            of: None,
            name: String::new(),
            role: Role::Technician,
            all_clients: true,
            clients: BTreeSet::new(),
            waiting: false,
            error: None,
        }));
    }

    /// The form for a change.
    pub fn change(&mut self, view: &MemberView) {
        self.sheet = Some(Sheet::Form(MemberForm {
            of: Some(view.member.name.clone()),
            name: view.member.name.clone(),
            role: view.member.role,
            all_clients: view.member.all_clients,
            clients: view.clients.iter().cloned().collect(),
            waiting: false,
            error: None,
        }));
    }

    /// An act of the form failed.
    pub fn refused(&mut self, error: AppError) {
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
    /// Whether it can be sent.
    pub fn ready(&self) -> bool {
        !self.waiting && !self.name.trim().is_empty()
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
            None => (Tag::Invite, Request::Invite { name, role, all_clients, clients }),
            Some(of) => (
                Tag::MemberChanged,
                Request::ChangeMember { name: of.clone(), role, all_clients, clients },
            ),
        };
        Act::Send(Command::Ask(tag, request))
    }
}
