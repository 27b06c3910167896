//! One vault made for trials, kept from run to run, and the phone that opens it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use poterne::app::api::{AppError, Factors, Request, Status};
use poterne::app::demo::{self, PASSWORD};
use poterne::app::{App, UnlockOptions, time_stretched};
use poterne::crypto::totp::{Codes, Seed};
use poterne::secret::SecretText;

use crate::meter::{time, took};

/// A vault made for trials, and its phone.
pub struct Trial {
    pub file: PathBuf,
    codes: Codes,
    used: u64,
}

impl Trial {
    /// Makes it, or takes the one that an earlier run kept in `folder`.
    pub fn of(folder: &Path, size: u32) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let file = folder.join(format!("trial-{size}.poterne"));
        let note = folder.join(format!("trial-{size}.totp"));
        if !note.exists() {
            let mut secret = String::new();
            let made = time(|| {
                let demo = demo::make_large(&file, size).expect("is made");
                secret = demo.totp_secret();
                demo.app.call(Request::Lock).expect("locks");
            });
            std::fs::write(&note, secret).expect("is kept");
            took(&format!("(made {size} entries)"), made, "");
        }
        let secret = std::fs::read_to_string(&note).expect("was kept");
        let seed = Seed::parse(secret.trim()).expect("a seed");
        let codes = seed.secret.expose(|s| Codes::new(s.try_into().expect("20 bytes")));
        Self { file, codes, used: 0 }
    }

    /// A code that was not used, waiting for one if need be.
    pub fn code(&mut self) -> String {
        loop {
            let clock = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
            let now = clock.as_secs() / 30;
            let step = (self.used + 1).max(now - 1);
            if step <= now + 1 {
                self.used = step;
                return format!("{:06}", self.codes.at(step));
            }
            // Until the clock comes to the step before it.
            std::thread::sleep(Duration::from_secs((step - 1) * 30).saturating_sub(clock));
        }
    }

    /// Opens it; for reading only the code stays unused.
    pub fn open(&mut self, app: &App, read_only: bool) -> Result<Status, AppError> {
        let used = self.used;
        let code = SecretText::new(self.code());
        if read_only {
            self.used = used;
        }
        app.unlock(UnlockOptions {
            member: None,
            factors: Factors { password: SecretText::copy_of(PASSWORD), code },
            read_only,
            accept_older: true,
        })
    }

    /// Goes on to the next code.
    pub fn pass_over(&mut self) {
        self.used += 1;
    }

    /// Opens it for writing; codes that an earlier run used up are passed over.
    pub fn unlock(&mut self, app: &App) -> Duration {
        loop {
            let mut done = None;
            let stretched = time_stretched();
            let took = time(|| done = Some(self.open(app, false)));
            if done.is_some_and(|d| d.is_ok()) {
                return took.saturating_sub(time_stretched() - stretched);
            }
        }
    }
}
