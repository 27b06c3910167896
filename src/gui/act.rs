//! What screens ask of the window. Screens paint and return these; the shell
//! alone carries them out.

use std::path::PathBuf;

use crate::app::api::Justification;
use crate::model::entry::{Kind, Slot};
use crate::model::id::EntryId;
use crate::model::lang::Lang;

use crate::secret::SecretText;

use super::dialogs::Confirm;
use super::sessions::TabId;
use super::theme::Theme;
use super::worker::{Command, VaultUse};

/// A page of the unlocked window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// Clients, entries, sessions.
    Entries,
    /// The audit log.
    Audit,
    /// Members.
    Team,
    /// Own factors, computers, settings, about.
    Settings,
}

/// An act for which a client may ask a ticket or a reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Guarded {
    /// Show a secret.
    Reveal(Slot),
    /// Put a secret on the clipboard.
    Copy(Slot),
    /// Show the one-time code.
    Totp,
    /// Put the one-time code on the clipboard.
    CopyTotp,
    /// Write an attachment to a file.
    SaveAttachment(String, PathBuf),
    /// Read the configuration of the device.
    TakeSnapshot,
    /// Show the configuration of this number.
    ShowSnapshot(u64),
    /// Put it on the clipboard.
    CopySnapshot(u64),
    /// Show what differs from one to another.
    CompareSnapshots(u64, u64),
    /// Open a session.
    Connect,
    /// Open a web page.
    Visit,
    /// Try a session again in its tab.
    Retry(TabId),
}

/// One wish of a screen.
pub enum Act {
    /// A job for the window's threads.
    Send(Command),
    /// Another page.
    Go(Page),
    /// Something that may need a ticket, for the selected entry.
    Guarded(EntryId, Guarded),
    /// The same, with the ticket.
    Justified(EntryId, Guarded, Justification),
    /// Plain text to the clipboard: a name, an address, a fingerprint.
    CopyPlain(String),
    /// The page of a ticket in the browser: by the entry it was given for, or else
    /// by the name of its client.
    OpenTicket(String, Option<EntryId>, String),
    /// Selects an entry and shows its details.
    Select(EntryId),
    /// Asks for the ticket of a refused session again, then tries it again.
    RetryJustified(TabId),
    /// Decides how to open an entry and opens it.
    Open(EntryId),
    /// Shows the tab of a VPN with its log; opens one where there is none.
    ShowVpn(EntryId),
    /// Takes a VPN down; asks first when sessions go through it.
    VpnDown(EntryId),
    /// The form for a new node of this kind; below this container path.
    New(Kind, String),
    /// The form with this profile of OpenVPN: the one that is open, or a new one.
    ImportProfile(PathBuf),
    /// The form for an entry.
    Edit(EntryId),
    /// Asks where to move it.
    Move(EntryId),
    /// Shows the pinned key of its host, asks, then forgets it; the tab whose
    /// session that key stopped is then tried again.
    ForgetHostKey(EntryId, Option<TabId>),
    /// Asks, then deletes; for good when it is in the bin.
    Delete(EntryId, bool),
    /// From the bin, or to an older version.
    Restore(EntryId, Option<u64>),
    /// Sets or removes the favourite mark.
    Favourite(EntryId, bool),
    /// Leaves the form; asks first when something was changed.
    CloseEditor,
    /// Leaves the form whatever was changed.
    DropEditor,
    /// The password generator; its result goes to the form's slot, if one is open.
    Generator(Option<Slot>),
    /// A generated password for the form.
    UsePassword(Slot, SecretText),
    /// A generated password for the clipboard.
    CopySecret(SecretText),
    /// Locks the vault.
    Lock,
    /// The list of shortcuts.
    Help,
    /// Other language.
    Language(Lang),
    /// Shows or hides the list beside the pages.
    ToggleSidebar,
    /// Dark to light or back.
    ToggleTheme,
    /// This look.
    Look(Theme),
    /// A yes-or-no question.
    Confirm(Box<Confirm>),
    /// Leaves the guide or a way in, back to unlock.
    BackToUnlock,
    /// Chooses the file of another vault; asks first when sessions of this one
    /// are open.
    OtherVault(VaultUse),
    /// The guide for one more vault; asks as well.
    NewVault,
    /// Ends every session, and has the log say why.
    EndSessions(&'static str),
    /// Closes the window whatever is open in it.
    Quit,
    /// Puts the keyboard into the search box.
    FocusSearch,
}

/// The wishes of one frame, in order.
pub type Acts = Vec<Act>;
