//! What this computer remembers of a vault: its device key, who opened it last,
//! and how new it was, so that an older copy put in its place is noticed.

use std::io::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::crypto::aead;
use crate::crypto::context::context;
use crate::crypto::keys;
use crate::model::id::{DeviceId, VaultId};
use crate::model::lang::Bi;
use crate::os::keyring::{self, KeepError, Kept};
use crate::os::paths::{self, PlaceError};
use crate::os::random;
use crate::secret::{Key32, SecretBytes};
use crate::vault::unlocked::Unlocked;

use super::api::{AppError, Code};

/// The device key of this computer for one vault.
pub(super) struct DeviceKey {
    pub(super) id: DeviceId,
    pub(super) key: Key32,
    pub(super) kept: Kept,
}

fn key_name(vault: &VaultId) -> String {
    format!("device-{vault}")
}

impl DeviceKey {
    /// The key of this computer, if it is enrolled.
    pub(super) fn load(vault: &VaultId) -> Result<Option<Self>, AppError> {
        let (stored, kept) = match keyring::load(&key_name(vault)) {
            Ok(Some(found)) => found,
            // Without a home folder there is none; a vault that needs one says so.
            Ok(None) | Err(KeepError::Place(PlaceError::NoHome { .. })) => return Ok(None),
            Err(e) => return Err(unkept(&e)),
        };
        let parts = stored.expose(|b| {
            (b.len() == 48).then(|| (DeviceId::from_slice(&b[..16]), Key32::copy_of(&b[16..])))
        });
        match parts {
            Some((Some(id), Some(key))) => Ok(Some(Self { id, key, kept })),
            _ => Err(AppError::tampered("la clé de cet ordinateur", "this computer's key")),
        }
    }

    /// A new key for this computer, not stored yet.
    pub(super) fn generate() -> (DeviceId, Key32) {
        (DeviceId(random::id()), random::key())
    }

    /// Stores a key and says where.
    pub(super) fn store(vault: &VaultId, id: &DeviceId, key: &Key32) -> Result<Kept, AppError> {
        let both = key.expose(|k| SecretBytes::new([&id.0[..], &k[..]].concat()));
        keyring::store(&key_name(vault), &both).map_err(|e| unkept(&e))
    }

    /// Removes the key from this computer.
    pub(super) fn forget(vault: &VaultId) -> Result<(), AppError> {
        keyring::delete(&key_name(vault)).map_err(|e| unkept(&e))
    }
}

/// What to tell the person about where the key lies.
pub(super) fn notice(kept: &Kept) -> Option<Bi> {
    match kept {
        Kept::Keyring => None,
        Kept::File(file) => {
            let file = file.display();
            Some(Bi::new(
                format!(
                    "Pas de trousseau système ici\u{a0}: la clé de cet ordinateur est dans {file} (mode 0600). Qui copie ce fichier et le coffre n’a plus besoin que du mot de passe et d’un code."
                ),
                format!(
                    "No system keyring here: this computer's key is in {file} (mode 0600). Who copies that file and the vault needs only the password and a code."
                ),
            ))
        }
    }
}

fn unkept(e: &KeepError) -> AppError {
    let e = match e {
        KeepError::Place(place) => return super::text::unusable(place),
        KeepError::File { file, source } => {
            let (file, cause) = (file.display(), super::text::cause(source));
            Bi::new(format!("{file}\u{a0}: {}", cause.fr), format!("{file}: {}", cause.en))
        }
        KeepError::OpenToOthers { file, mode } => {
            let file = file.display();
            Bi::new(
                format!("{file} a le mode {mode:03o} au lieu de 600"),
                format!("{file} has mode {mode:03o} instead of 600"),
            )
        }
        KeepError::Foreign { file } => {
            let file = file.display();
            Bi::new(
                format!("{file} appartient à quelqu’un d’autre"),
                format!("{file} belongs to somebody else"),
            )
        }
        KeepError::Keyring { reason } => {
            let reason = super::text::said(reason);
            Bi::new(
                format!("le trousseau a refusé\u{a0}: {}", reason.fr),
                format!("the keyring refused: {}", reason.en),
            )
        }
    };
    AppError {
        code: Code::Other,
        what: Bi::new(
            format!("La clé de cet ordinateur ne peut pas être lue ou rangée ({}).", e.fr),
            format!("This computer's key cannot be read or kept ({}).", e.en),
        ),
        todo: Bi::new(
            "Ouvrez votre trousseau ou corrigez les droits du fichier\u{a0}; sinon enrôlez cet ordinateur à nouveau avec `poterne device add`.",
            "Open your keyring or mend the file's permissions; else enrol this computer again with `poterne device add`.",
        ),
    }
}

/// What is remembered, all of it checked again at the next unlock.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    pub(super) epoch: u64,
    pub(super) audit_size: u64,
    pub(super) audit_last: [u8; 32],
    pub(super) member: String,
    pub(super) skew: i64,
    /// Number of the newest list of shared manifests; encoded behind the rest.
    #[serde(skip)]
    pub(super) listing: u64,
}

impl Memory {
    fn to_bytes(&self) -> postcard::Result<Vec<u8>> {
        let mut out = postcard::to_stdvec(self)?;
        out.extend(postcard::to_stdvec(&self.listing)?);
        Ok(out)
    }

    /// One of an earlier build knows of no list.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (memory, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        if rest.is_empty() {
            return Some(memory);
        }
        Some(Self { listing: postcard::from_bytes(rest).ok()?, ..memory })
    }
}

/// The file with what is remembered of a vault.
pub(super) fn seen_file(vault: &VaultId) -> Option<PathBuf> {
    paths::state_folder().ok().map(|f| f.join("vaults").join(format!("{vault}.seen")))
}

/// Where a vault's memory is kept on this computer.
pub(super) struct Place {
    vault: VaultId,
    file: Option<PathBuf>,
    key: Option<Key32>,
    pub(super) memory: Memory,
    pub(super) known: bool,
}

impl Place {
    /// Reads the memory of a vault. A memory that cannot be opened counts as
    /// none: it may come from before this computer was enrolled anew.
    pub(super) fn load(vault: VaultId, device: Option<&DeviceKey>) -> Self {
        let file = seen_file(&vault);
        let key = device.map(|d| keys::sub(&d.key, "anchor", 0));
        let mut place = Self { vault, file, key, memory: Memory::default(), known: false };
        let bytes = place.file.as_ref().and_then(|f| std::fs::read(f).ok());
        if let Some(memory) = bytes.and_then(|b| place.open(&b)) {
            place.memory = memory;
            place.known = true;
        }
        place
    }

    fn context(&self) -> Vec<u8> {
        context("anchor", &[&self.vault.0])
    }

    fn open(&self, bytes: &[u8]) -> Option<Memory> {
        match &self.key {
            Some(key) => {
                let plain = aead::open_padded(key, &self.context(), bytes).ok()?;
                plain.expose(Memory::from_bytes)
            }
            None => Memory::from_bytes(bytes),
        }
    }

    /// Remembers the vault as it is now.
    ///
    /// # Errors
    /// What to tell the person: the vault's own checks stand, only an older copy
    /// would go unnoticed here.
    pub(super) fn remember(&mut self, v: &Unlocked) -> Result<(), Bi> {
        self.memory.epoch = v.state.epoch;
        self.memory.audit_size = v.state.audit.size;
        self.memory.listing = self.memory.listing.max(v.newest_listing());
        self.memory.audit_last = crate::vault::log::end(v).map_or([0; 32], |l| *l.last());
        let cause = match &self.file {
            None => Bi::new("HOME n’est pas défini", "HOME is not set"),
            Some(file) => match self.save(file) {
                Ok(()) => return Ok(()),
                Err(e) => {
                    let (file, cause) = (file.display(), super::text::cause(&e));
                    Bi::new(format!("{file}\u{a0}: {}", cause.fr), format!("{file}: {}", cause.en))
                }
            },
        };
        Err(Bi::new(
            format!(
                "Cet ordinateur ne peut pas retenir à quel point ce coffre est récent ({}). Une copie plus ancienne mise à sa place ne serait pas remarquée\u{a0}: vérifiez les droits et la place.",
                cause.fr
            ),
            format!(
                "This computer cannot remember how new this vault is ({}). An older copy put in its place would go unnoticed: check permissions and free space.",
                cause.en
            ),
        ))
    }

    /// Writes the memory, for its owner only.
    fn save(&self, file: &std::path::Path) -> std::io::Result<()> {
        let plain = self.memory.to_bytes().map_err(std::io::Error::other)?;
        let bytes = match &self.key {
            Some(key) => aead::seal_padded(key, &self.context(), &random::bytes(), &plain),
            None => plain,
        };
        if let Some(folder) = file.parent() {
            // The folder above is closed to others too, if it can be.
            let _ = folder.parent().map(paths::private_folder);
            paths::private_folder(folder).map_err(|e| match e {
                PlaceError::Folder { source, .. } => source,
                e => std::io::Error::other(e),
            })?;
        }
        let part = file.with_extension(format!("{}.part", std::process::id()));
        // Left by a process of this number that ended halfway.
        let _ = std::fs::remove_file(&part);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&part)?.write_all(&bytes)?;
        std::fs::rename(&part, file)
    }
}
