//! Flags of the people of a vault and their computers. None takes a secret.

use clap::{Args, Subcommand};

use super::values::role;
use super::vault::KitFlags;
use crate::model::member::Role;

#[derive(Subcommand)]
pub enum Member {
    /// Who they are
    List,
    /// Make a one-time invitation
    Invite(Rights),
    /// Accept an invitation with an own password and phone
    Accept(KitFlags),
    /// Change role and clients
    Role(Rights),
    /// Remove, change the keys, and list what to change elsewhere
    Remove {
        /// Who
        name: String,
    },
    /// What removed members had seen or used, to be changed elsewhere
    Rotation {
        /// Only of this one
        name: Option<String>,
    },
}

#[derive(Args)]
pub struct Rights {
    /// Who
    pub name: String,
    /// owner, admin, technician, operator or auditor
    #[arg(long, value_parser = role)]
    pub role: Role,
    /// All clients, later ones too
    #[arg(long, conflicts_with = "client")]
    pub all_clients: bool,
    /// This client (repeat)
    #[arg(long, value_name = "NAME")]
    pub client: Vec<String>,
    /// No client at all
    #[arg(long, conflicts_with_all = ["client", "all_clients"])]
    pub no_clients: bool,
}

#[derive(Subcommand)]
pub enum Device {
    /// Which they are
    List,
    /// Show a one-time code for another computer: asks your factors again
    Add {
        /// Name of the other computer
        #[arg(default_value = "")]
        label: String,
    },
    /// Enrol this computer: asks the one-time code or the kit, your password twice (it becomes this computer's), then the code from your phone
    Enrol,
    /// Remove one
    Remove {
        /// Its id, as listed
        id: String,
    },
}
