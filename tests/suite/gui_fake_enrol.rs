//! Factors given to the window's fake, and new ones made there.

use std::path::PathBuf;

use poterne::app::Finished;
use poterne::app::api::{AppError, Code, Factors};
use poterne::gui::backend::Enrolling;
use poterne::model::lang::{Bi, Lang};
use poterne::secret::SecretText;

use crate::gui_fake::{CODE, Fake, KIT, PASSWORD, refused};

pub fn proved(given: &Factors) -> Result<(), AppError> {
    let right = given.password.expose(|p| p == PASSWORD) && given.code.expose(|code| code == CODE);
    right.then_some(()).ok_or_else(|| refused(Code::Locked, "Ces éléments sont refusés."))
}

pub fn uri() -> SecretText {
    SecretText::copy_of(
        "otpauth://totp/Poterne:Alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Poterne",
    )
}

/// A member, or a vault, in the making.
pub struct FakeEnrolment(pub SecretText, pub SecretText, pub PathBuf, pub Fake);

impl Enrolling for FakeEnrolment {
    fn otpauth_uri(&self) -> &SecretText {
        &self.0
    }
    fn kit(&self) -> &SecretText {
        &self.1
    }
    fn kit_pdf(&self, _lang: Lang) -> Result<Vec<u8>, AppError> {
        Ok(b"%PDF-1.7".to_vec())
    }
    fn check_code(&mut self, code: &SecretText) -> Result<(), AppError> {
        code.expose(|c| c == CODE)
            .then_some(())
            .ok_or_else(|| refused(Code::Locked, "Ce code n’est pas celui du téléphone."))
    }
    fn check_kit(&self, typed: &SecretText) -> Result<(), AppError> {
        typed
            .expose(|k| k == KIT)
            .then_some(())
            .ok_or_else(|| refused(Code::Locked, "Ce n’est pas le kit affiché."))
    }
    fn finish(&mut self) -> Result<Finished, AppError> {
        if self.3.lock().disk_full {
            return Err(refused(Code::Other, "Le disque est plein."));
        }
        Ok(Finished {
            file: self.2.clone(),
            member: self.3.lock().member.clone(),
            fingerprint: "potv1-abcd-efgh-jklm".to_owned(),
            notices: vec![Bi::new(
                "La clé de ce poste est dans un fichier, faute de trousseau.",
                "This computer's key lies in a file, for want of a keyring.",
            )],
        })
    }
}
