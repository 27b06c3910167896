//! New factors on their way in: for a new vault, an invited member, or one who
//! lost the old ones. Phone first, kit second, then everything is written at
//! once; dropped halfway, it leaves nothing behind.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};

use crate::crypto::totp::Seed;
use crate::model::lang::Lang;
use crate::model::unseen::{blank, hidden};
use crate::os::{clock, random};
use crate::secret::{SecretBytes, SecretText};
use crate::store::sqlite::SqliteStore;
use crate::vault::code::{self, CodeError};
use crate::vault::login;
use crate::vault::slot::Kind;

use super::api::{AppError, Code};
use super::worker::Job;
use super::{CreateOptions, Finished, gone};

/// Shortest password that is accepted, in characters.
const PASSWORD_MIN: usize = 8;

/// What [`Enrolment::finish`] hands to the worker.
pub(super) struct NewMember {
    pub(super) task: Task,
    pub(super) password: SecretText,
    /// Twenty bytes of TOTP secret.
    pub(super) secret: SecretBytes,
    /// The step whose code proved the phone.
    pub(super) confirmed: u64,
    /// Twenty bytes of the new recovery kit.
    pub(super) kit: SecretBytes,
}

/// For whom the factors are.
pub(super) enum Task {
    /// The founder of a new vault.
    Create { file: PathBuf, member: String, portable: bool, kdf_memory_mib: Option<u32> },
    /// Somebody invited, by the invitation's code.
    Accept { code: SecretBytes, accept_older: bool },
    /// A member who lost factors, by the old kit's code.
    Recover { code: SecretBytes, accept_older: bool },
}

/// A vault, or a member's access to one, on its way to being made: first the
/// phone is enrolled, then the kit is confirmed, then it is written. Dropping it
/// leaves nothing behind.
pub struct Enrolment {
    jobs: Sender<Job>,
    /// Gone once it is written.
    new: Option<Box<NewMember>>,
    file: PathBuf,
    member: String,
    uri: SecretText,
    kit: SecretText,
    proved: bool,
}

impl CreateOptions {
    /// Refuses a memory cost that is too weak, or more than machines have.
    ///
    /// # Errors
    /// It is out of bounds.
    pub fn check_kdf_memory(mib: u32) -> Result<(), AppError> {
        if (64..=4096).contains(&mib) {
            return Ok(());
        }
        Err(AppError::usage(
            ("Ce coût mémoire est hors limites.", "This memory cost is out of bounds."),
            ("Choisissez de 64 à 4096 Mio.", "Choose 64 to 4096 MiB."),
        ))
    }
}

impl Enrolment {
    pub(super) fn create(jobs: Sender<Job>, o: CreateOptions) -> Result<Self, AppError> {
        super::place::takes_a_new_vault(&o.file, o.portable)?;
        let name = o.member.trim().to_owned();
        check_name(&name)?;
        if let Some(mib) = o.kdf_memory_mib {
            CreateOptions::check_kdf_memory(mib)?;
        }
        let task = Task::Create {
            file: o.file.clone(),
            member: name.clone(),
            portable: o.portable,
            kdf_memory_mib: o.kdf_memory_mib,
        };
        Self::begin(jobs, o.file, name, task, o.password)
    }

    pub(super) fn accept(
        jobs: Sender<Job>,
        file: &Path,
        typed: SecretText,
        password: SecretText,
        accept_older: bool,
    ) -> Result<Self, AppError> {
        let code = read_code(Kind::Invitation, &typed)?;
        let name = opens(file, Kind::Invitation, &code, accept_older)?;
        Self::begin(jobs, file.to_owned(), name, Task::Accept { code, accept_older }, password)
    }

    pub(super) fn recover(
        jobs: Sender<Job>,
        file: &Path,
        typed: SecretText,
        password: SecretText,
        accept_older: bool,
    ) -> Result<Self, AppError> {
        let code = read_code(Kind::Recovery, &typed)?;
        let name = opens(file, Kind::Recovery, &code, accept_older)?;
        Self::begin(jobs, file.to_owned(), name, Task::Recover { code, accept_older }, password)
    }

    fn begin(
        jobs: Sender<Job>,
        file: PathBuf,
        member: String,
        task: Task,
        password: SecretText,
    ) -> Result<Self, AppError> {
        check_password(&password)?;
        let mut secret = vec![0; 20];
        random::fill(&mut secret);
        let secret = SecretBytes::new(secret);
        let mut fill = |out: &mut [u8]| random::fill(out);
        let kit = code::draw(&mut fill);
        let issuer = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let uri = uri_of(&secret, &issuer, &member);
        let printed = code::print(Kind::Recovery, &kit);
        let new = Some(Box::new(NewMember { task, password, secret, confirmed: 0, kit }));
        Ok(Self { jobs, new, file, member, uri, kit: printed, proved: false })
    }

    /// `otpauth://totp/…` for the phone (Google's key URI format).
    pub fn otpauth_uri(&self) -> &SecretText {
        &self.uri
    }

    /// The recovery code as printed: nine groups of four.
    pub fn kit(&self) -> &SecretText {
        &self.kit
    }

    /// Name of the member whose factors these are.
    pub fn member(&self) -> &str {
        &self.member
    }

    /// The recovery kit as a PDF page with a QR code.
    ///
    /// # Errors
    /// The page could not be drawn.
    pub fn kit_pdf(&self, lang: Lang) -> Result<Vec<u8>, AppError> {
        // The fingerprint of a vault that is not written yet does not exist.
        super::exporting::kit_page(&self.kit, &self.file, &self.member, "", clock::now(), lang)
    }

    /// Checks a code that the phone shows. May be called again after a refusal.
    ///
    /// # Errors
    /// The code does not belong to the seed.
    pub fn check_code(&mut self, code: &SecretText) -> Result<(), AppError> {
        let new = self.new.as_mut().ok_or_else(written)?;
        let step = code.expose(|c| login::confirm(&new.secret, c, clock::now()));
        new.confirmed = step.ok_or_else(|| {
            AppError::new(
                Code::Locked,
                ("Ce code ne vient pas de ce QR code.", "This code does not belong to this QR code."),
                (
                    "Vérifiez l’heure du téléphone et de l’ordinateur, puis tapez le code affiché maintenant.",
                    "Check the clocks of phone and computer, then type the code shown now.",
                ),
            )
        })?;
        self.proved = true;
        Ok(())
    }

    /// Checks that the typed recovery code is the printed one.
    ///
    /// # Errors
    /// It is not.
    pub fn check_kit(&self, typed: &SecretText) -> Result<(), AppError> {
        let new = self.new.as_ref().ok_or_else(written)?;
        is_kit(typed, &new.kit).then_some(()).ok_or_else(another_kit)
    }

    /// Writes it. The vault stays locked. May be called again after a failure.
    ///
    /// # Errors
    /// No code was confirmed yet, or the file cannot be written.
    pub fn finish(&mut self) -> Result<Finished, AppError> {
        if !self.proved {
            return Err(AppError::usage(
                (
                    "Aucun code du téléphone n’a été confirmé.",
                    "No code of the phone was confirmed.",
                ),
                ("Tapez d’abord un code.", "Type a code first."),
            ));
        }
        let new = self.new.take().ok_or_else(written)?;
        let (answer, done) = mpsc::channel();
        self.jobs.send(Job::Enrol(new, answer)).map_err(|_| gone())?;
        done.recv().map_err(|_| gone())?.map_err(|(error, new)| {
            // A disk may have room again a moment later.
            self.new = Some(new);
            error
        })
    }
}

fn written() -> AppError {
    AppError::usage(
        ("Cette création est déjà terminée.", "This set-up is over already."),
        ("Déverrouillez le coffre, ou recommencez.", "Unlock the vault, or start again."),
    )
}

/// Whether a recovery code typed back is that kit.
pub(super) fn is_kit(typed: &SecretText, kit: &SecretBytes) -> bool {
    typed.expose(|t| code::parse(Kind::Recovery, t)).is_ok_and(|c| {
        c.expose(|a| kit.expose(|b| bool::from(subtle::ConstantTimeEq::ct_eq(a, b))))
    })
}

pub(super) fn another_kit() -> AppError {
    AppError::new(
        Code::Locked,
        (
            "Ce n’est pas le code de récupération affiché.",
            "This is not the recovery code that was shown.",
        ),
        (
            "Recopiez les neuf groupes de quatre signes du kit.",
            "Copy the nine groups of four signs of the kit.",
        ),
    )
}

pub(super) fn uri_of(secret: &SecretBytes, vault: &str, member: &str) -> SecretText {
    let account = format!("{member}@{vault}");
    secret.expose(|s| {
        let s: &[u8; 20] = s.try_into().expect("a vault's TOTP secret has 20 bytes");
        Seed::of_vault(s, "Poterne", &account).to_uri()
    })
}

/// Refuses a password that is no protection at all; the meter warns of the rest.
pub(super) fn check_password(password: &SecretText) -> Result<(), AppError> {
    if password.expose(|p| p.chars().count() >= PASSWORD_MIN) {
        return Ok(());
    }
    Err(AppError::usage(
        ("Ce mot de passe a moins de 8 caractères.", "This password has fewer than 8 characters."),
        ("Prenez plutôt quatre ou cinq mots au hasard.", "Better take four or five random words."),
    ))
}

pub(super) fn check_name(name: &str) -> Result<(), AppError> {
    let bad = blank(name) || name.len() > 100 || name.chars().any(|c| hidden(c) || c == '/');
    if !bad {
        return Ok(());
    }
    Err(AppError::usage(
        (
            "Ce nom de membre ne convient pas\u{a0}: vide, trop long (100 octets au plus), ou avec une barre oblique ou un caractère invisible.",
            "This member name will not do: empty, too long (at most 100 bytes), or with a slash or an invisible character.",
        ),
        ("Donnez un nom court, comme «\u{a0}alice\u{a0}».", "Give a short name, such as “alice”."),
    ))
}

pub(super) fn read_code(kind: Kind, typed: &SecretText) -> Result<SecretBytes, AppError> {
    typed.expose(|t| code::parse(kind, t)).map_err(|e| {
        let (fr, en) = match e {
            CodeError::Sign | CodeError::Length => (
                "Ce n’est pas un code de neuf groupes de quatre signes.",
                "This is not a code of nine groups of four signs.",
            ),
            CodeError::Checksum => {
                ("Ce code contient une faute de frappe.", "This code was mistyped.")
            }
            CodeError::Other(_) => {
                ("Ce code sert à autre chose.", "This code is for something else.")
            }
        };
        AppError::new(
            Code::Locked,
            (fr, en),
            ("Recopiez le code en entier.", "Copy the whole code."),
        )
    })
}

/// Name of the member that a code opens, found before anything is asked.
fn opens(
    file: &Path,
    kind: Kind,
    given: &SecretBytes,
    accept_older: bool,
) -> Result<String, AppError> {
    let store = SqliteStore::open(file, true)?;
    let opened = super::factors::open_code(&store, kind, given, accept_older);
    let opened = super::unlock::noting(file, None, opened)?;
    Ok(super::people::name(&opened.vault, &opened.vault.me))
}
