//! Ways in: each slot wraps the key of one member. Here are its row and its
//! parameters, printed and parsed byte for byte; what opens it is in
//! [`super::login`] and [`super::code`]. Never does work a doctored row could ask for.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::crypto::context::context;
use crate::crypto::kdf::{BadCost, Cost};
use crate::model::id::{DeviceId, MemberId, SlotId, VaultId};

/// One slot as a store keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotRow {
    /// Random id.
    pub id: SlotId,
    /// Whose key it wraps.
    pub member: MemberId,
    /// [`tag`] of the member's name for a login, 0 for the other kinds.
    pub tag: u16,
    /// [`Params`], printed.
    pub params: Vec<u8>,
    /// The member key, sealed under the slot's key.
    pub wrap: Vec<u8>,
}

impl SlotRow {
    /// What the wrap is bound to: vault, slot, member, tag and parameters.
    pub(super) fn context(&self, vault: &VaultId) -> Vec<u8> {
        let tag = self.tag.to_be_bytes();
        context("slot", &[&vault.0, &self.id.0, &self.member.0, &tag, &self.params])
    }
}

/// The first two bytes of `SHA-256(CTX("tag", vault, NFC(lower(name))))`: lets an
/// unlock find the slots of a typed name without the name standing in the file.
/// It leaks 16 bits of a guess: who knows the names of ten colleagues learns
/// which of them are members.
pub fn tag(vault: &VaultId, name: &str) -> u16 {
    let folded: String = name.trim().to_lowercase().nfc().collect();
    let hash = Sha256::digest(context("tag", &[&vault.0, folded.as_bytes()]));
    u16::from_be_bytes([hash[0], hash[1]])
}

/// The logins that a typed name may mean, with the computer each belongs to: first
/// those of a computer whose key `holds` here, then portable ones, then the rest.
/// Rows that do not parse are left out; a check of the vault reports them.
pub fn logins(
    slots: &[SlotRow],
    tag: u16,
    holds: impl Fn(&DeviceId) -> bool,
) -> Vec<(&SlotRow, Option<DeviceId>)> {
    let mut found: Vec<_> = slots
        .iter()
        .filter(|row| row.tag == tag)
        .filter_map(|row| Some((row, Params::parse(&row.params).ok()?.login?.device)))
        .collect();
    found.sort_by_key(|(_, device)| match device {
        Some(id) if holds(id) => 0,
        None => 1,
        Some(_) => 2,
    });
    found
}

/// What opens a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Password, one-time code and, unless portable, a device key.
    Login,
    /// The printed recovery code.
    Recovery,
    /// A one-time code given to a new member.
    Invitation,
    /// A one-time code shown on an enrolled computer.
    Enrolment,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Login, Self::Recovery, Self::Invitation, Self::Enrolment];

    /// The number in the file.
    pub fn number(self) -> u8 {
        match self {
            Self::Login => 1,
            Self::Recovery => 2,
            Self::Invitation => 3,
            Self::Enrolment => 4,
        }
    }
}

/// Everything a slot says in clear. It enters the derivation of the slot's key
/// and the context of its wrap: a changed byte opens nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Params {
    /// What opens it.
    pub kind: Kind,
    /// Salt of the key stretching; random for the other kinds too.
    pub salt: [u8; 32],
    /// What a login costs; `None` for the other kinds, whose codes need no stretching.
    pub login: Option<LoginParams>,
}

/// The part of [`Params`] that only a login has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoginParams {
    /// Argon2id cost.
    pub cost: Cost,
    /// Days of codes kept ahead: 30 to 400.
    pub window_days: u32,
    /// The computer whose key takes part; `None` for a portable login.
    pub device: Option<DeviceId>,
}

/// Window of a new login, in days.
pub const WINDOW_DAYS: u32 = 365;

/// Why parameters were refused, before any work was done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadParams {
    /// Not the bytes this program prints.
    #[error("slot parameters of an unknown form")]
    Form,
    /// A cost below the floor or above the ceiling.
    #[error(transparent)]
    Cost(#[from] BadCost),
}

const MAGIC: &[u8; 4] = b"PTV1";
const FACTOR_PASSWORD: u16 = 1;
const FACTOR_TOTP: u16 = 2;
const FACTOR_DEVICE: u16 = 4;
const LEN: usize = 4 + 1 + 2 + 12 + 32 + 1 + 2 + 1 + 4 + 32 + 4 + 16;

impl Params {
    /// ```text
    /// "PTV1" ‖ u8 kind ‖ u16 factors ‖ u32 m_kib ‖ u32 t ‖ u32 p ‖ salt32
    ///   ‖ u8 digits ‖ u16 period ‖ u8 alg ‖ u32 window_days
    ///   ‖ challenge32 ‖ lp(credential_id) ‖ device_id16
    /// ```
    /// For kinds other than login all numbers but the kind are 0. `challenge`
    /// is 0 and `credential_id` empty until hardware tokens are supported.
    pub fn print(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LEN);
        out.extend_from_slice(MAGIC);
        out.push(self.kind.number());
        let device = self.login.and_then(|l| l.device);
        let factors = match (&self.login, device) {
            (None, _) => 0,
            (Some(_), None) => FACTOR_PASSWORD | FACTOR_TOTP,
            (Some(_), Some(_)) => FACTOR_PASSWORD | FACTOR_TOTP | FACTOR_DEVICE,
        };
        out.extend_from_slice(&factors.to_be_bytes());
        let cost = self.login.map_or([0; 3], |l| [l.cost.mem_kib, l.cost.time, l.cost.lanes]);
        cost.iter().for_each(|n| out.extend_from_slice(&n.to_be_bytes()));
        out.extend_from_slice(&self.salt);
        let (digits, period, algorithm) = if self.login.is_some() { (6, 30, 1) } else { (0, 0, 0) };
        out.push(digits);
        out.extend_from_slice(&u16::to_be_bytes(period));
        out.push(algorithm);
        out.extend_from_slice(&self.login.map_or(0, |l| l.window_days).to_be_bytes());
        out.extend_from_slice(&[0; 32]);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&device.map_or([0; 16], |d| d.0));
        out
    }

    /// Reads what [`Params::print`] prints, and nothing else.
    ///
    /// # Errors
    /// [`BadParams`]; a cost out of bounds is told apart, the rest is not.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadParams> {
        let mut r = Reader(bytes);
        if r.take::<4>()? != *MAGIC {
            return Err(BadParams::Form);
        }
        let [kind] = r.take()?;
        let kind = Kind::ALL.into_iter().find(|k| k.number() == kind).ok_or(BadParams::Form)?;
        let _factors = r.take::<2>()?;
        let [mem_kib, time, lanes] = [r.number()?, r.number()?, r.number()?];
        let salt = r.take()?;
        let _totp = r.take::<4>()?;
        let window_days = r.number()?;
        let _token = r.take::<36>()?;
        let device = Some(DeviceId(r.take()?)).filter(|d| d.0 != [0; 16]);

        let login = match kind {
            Kind::Login => {
                let cost = Cost { mem_kib, time, lanes };
                cost.check()?;
                if !(30..=400).contains(&window_days) {
                    return Err(BadParams::Form);
                }
                Some(LoginParams { cost, window_days, device })
            }
            _ => None,
        };
        let params = Self { kind, salt, login };
        // One form only: whatever was not looked at must be as it is printed.
        (params.print() == bytes).then_some(params).ok_or(BadParams::Form)
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BadParams> {
        let (head, rest) = self.0.split_first_chunk().ok_or(BadParams::Form)?;
        self.0 = rest;
        Ok(*head)
    }

    fn number(&mut self) -> Result<u32, BadParams> {
        self.take().map(u32::from_be_bytes)
    }
}
