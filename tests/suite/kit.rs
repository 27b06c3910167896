//! What the stories share: a vault in a temporary folder and codes of its phone.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use poterne::app::api::{
    AppError, At, Factors, Justification, Patch, Purpose, Reply, Request, SecretChange, Set, Status,
};
use poterne::app::{App, CreateOptions, UnlockOptions};
use poterne::crypto::totp::{Codes, Seed};
use poterne::model::entry::{Kind, Slot};
use poterne::model::id::SlotId;
use poterne::model::member::Role;
use poterne::secret::{SecretBytes, SecretText};
use poterne::store::sqlite::SqliteStore;
use poterne::vault::login::days_near;
use poterne::vault::otp::{OtpDayRow, OtpHeadRow};
use poterne::vault::rows::{Rows, StoreError};
use poterne::vault::unlocked::Unlocked;
use proptest::test_runner::{Config, RngSeed};

use crate::kit_rows::{open_by_kit, write};

pub const PASSWORD: &str = "quatre mots au hasard";

/// A portable vault of one owner, `alice`, and her phone.
pub struct Desk {
    pub dir: tempfile::TempDir,
    pub file: PathBuf,
    pub app: App,
    pub phone: Phone,
    pub kit: String,
    window: Window,
}

/// The codes of a login, none of them used, and the first step of theirs.
#[derive(Clone)]
struct Window {
    first: u64,
    head: OtpHeadRow,
    days: Vec<OtpDayRow>,
}

/// A TOTP secret, and which step was used last.
pub struct Phone {
    seed: Seed,
    codes: Codes,
    next: u64,
}

/// The step of now, and how long it still lasts.
fn step() -> (u64, Duration) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let step = since.as_secs() / 30;
    (step, Duration::from_secs((step + 1) * 30) - since)
}

impl Phone {
    pub fn of_uri(uri: &str) -> Self {
        let seed = Seed::parse(uri).expect("the vault prints a readable URI");
        let codes = seed.secret.expose(|s| Codes::new(s.try_into().expect("20 bytes")));
        Self { seed, codes, next: 0 }
    }

    /// The same phone, for a copy of the vault as it is.
    pub fn twin(&self) -> Self {
        Self { next: self.next, ..self.seed.to_uri().expose(Self::of_uri) }
    }

    /// A code that was not used yet, inside the accepted window of one step
    /// either way: three per half minute, the fourth waits for the clock. The earliest
    /// one ends with the step at hand: where that is about to happen, the next step is
    /// waited for.
    pub fn code(&mut self) -> SecretText {
        let (mut now, left) = step();
        if self.next < now && left < Duration::from_secs(1) {
            std::thread::sleep(left);
            now += 1;
        }
        let step = self.next.max(now - 1);
        if step > now + 1 {
            let there = UNIX_EPOCH + Duration::from_secs((step - 1) * 30);
            std::thread::sleep(there.duration_since(SystemTime::now()).unwrap_or_default());
        }
        self.next = step + 1;
        SecretText::new(format!("{:06}", self.codes.at(step)))
    }

    /// A code that was not used yet and is good for half a minute at least, for
    /// hands that are slow to type it.
    pub fn newest(&mut self) -> SecretText {
        self.next = self.next.max(step().0);
        self.code()
    }

    /// The code shown now, to prove a new phone with; it stays usable.
    pub fn peek_first(&self) -> SecretText {
        let (now, left) = step();
        let earliest = if left < Duration::from_secs(1) { now } else { now - 1 };
        SecretText::new(format!("{:06}", self.codes.at(earliest)))
    }

    /// The code handed out last, again.
    pub fn last(&self) -> SecretText {
        SecretText::new(format!("{:06}", self.codes.at(self.next - 1)))
    }

    /// Lends the secret itself.
    pub fn secret<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
        self.seed.secret.expose(look)
    }

    /// A code that the vault accepts now, without counting it as used: for
    /// copies of a file, each of which has its own memory of codes. The latest one,
    /// since some copies know that the present one was used.
    pub fn peek(&self) -> SecretText {
        SecretText::new(format!("{:06}", self.codes.at(self.next.max(step().0 + 1))))
    }
}

fn window_of(store: &SqliteStore, slot: &SlotId) -> Option<(OtpHeadRow, Vec<OtpDayRow>)> {
    let near = days_near(poterne::os::clock::now());
    let read = store
        .read(|rows| Ok::<_, StoreError>((rows.otp_head(slot)?, rows.otp_days(slot, Some(near))?)));
    let (head, days) = read.expect("reads");
    Some((head?, days))
}

impl Desk {
    /// Makes the vault; it is locked.
    pub fn locked() -> Self {
        let dir = tempfile::tempdir().expect("a temp folder");
        let file = dir.path().join("coffre.poterne");
        let app = App::new(file.clone());
        let mut new = app
            .create(CreateOptions {
                file: file.clone(),
                member: "alice".into(),
                password: SecretText::copy_of(PASSWORD),
                portable: true,
                kdf_memory_mib: Some(64),
            })
            .expect("begins");
        let mut phone = new.otpauth_uri().expose(Phone::of_uri);
        let code = phone.code();
        phone.next -= 1;
        new.check_code(&code).expect("the phone's code proves it");
        let kit = new.kit().expose(str::to_owned);
        new.check_kit(&SecretText::copy_of(&kit)).expect("the kit is typed back");
        new.finish().expect("is written");
        let store = SqliteStore::open(&file, false).expect("it was just written");
        let slots = store.read(|rows| rows.slots()).expect("reads");
        let (head, days) = slots.iter().find_map(|slot| window_of(&store, &slot.id)).expect("one");
        let window = Window { first: phone.next, head, days };
        Self { dir, file, app, phone, kit, window }
    }

    /// An invitation by the open vault, by a code that counts as unused before and
    /// after: a story may invite more people than there are codes in half a minute.
    pub fn invite(&self, name: &str, role: Role, all: bool, clients: &[&str]) -> SecretText {
        let (mut store, mut v) = open_by_kit(&self.file, &self.kit).expect("the owner's kit");
        let slot = self.window.head.slot;
        let (head, days) = window_of(&store, &slot).expect("a login");
        let steps = v.state.last_steps.clone();
        let mut put = |v: &mut Unlocked, head: &OtpHeadRow, days: &[OtpDayRow], steps| {
            let done = write(&mut store, v, |v, rows, _| {
                rows.put_otp_head(head)?;
                days.iter().try_for_each(|day| rows.put_otp_day(day))?;
                v.refresh(rows)?;
                v.state.last_steps = steps;
                Ok(())
            });
            done.expect("an owner may");
        };
        put(&mut v, &self.window.head, &self.window.days, Vec::new());
        let code = self.phone.codes.at(self.window.first.max(step().0));
        let current = Factors {
            password: SecretText::copy_of(PASSWORD),
            code: SecretText::new(format!("{code:06}")),
        };
        let clients = clients.iter().map(|client| (*client).to_owned()).collect();
        let (name, all_clients) = (name.to_owned(), all);
        let request = Request::Invite { name, role, all_clients, clients, current };
        let Reply::Invitation(code) = self.call(request) else { panic!("an invitation") };
        put(&mut v, &head, &days, steps);
        code
    }

    /// A copy of the vault, which is locked, as it is; in memory.
    pub fn twin(&self) -> Self {
        let dir = in_memory();
        let file = dir.path().join("coffre.poterne");
        std::fs::copy(&self.file, &file).expect("copies");
        let app = App::new(file.clone());
        let (phone, kit, window) = (self.phone.twin(), self.kit.clone(), self.window.clone());
        Self { dir, file, app, phone, kit, window }
    }

    /// Makes the vault and opens it.
    pub fn open() -> Self {
        let mut desk = Self::locked();
        desk.unlock().expect("opens");
        desk
    }

    pub fn factors(&mut self) -> Factors {
        Factors { password: SecretText::copy_of(PASSWORD), code: self.phone.code() }
    }

    pub fn options(&mut self) -> UnlockOptions {
        UnlockOptions {
            member: None,
            factors: self.factors(),
            read_only: false,
            accept_older: false,
        }
    }

    /// Options with a code at hand.
    pub fn options_with(&self, code: SecretText) -> UnlockOptions {
        let factors = Factors { password: SecretText::copy_of(PASSWORD), code };
        UnlockOptions { member: None, factors, read_only: false, accept_older: false }
    }

    pub fn unlock(&mut self) -> Result<Status, AppError> {
        let options = self.options();
        self.app.unlock(options)
    }

    pub fn call(&self, request: Request) -> Reply {
        match self.app.call(request) {
            Ok(reply) => reply,
            Err(e) => panic!("{} {}", e.what.en, e.todo.en),
        }
    }

    pub fn add(&self, kind: &str, path: &str, patch: Patch) -> Reply {
        self.call(Request::Create {
            kind: Kind::new(kind),
            path: path.into(),
            patch: Box::new(patch),
        })
    }

    pub fn reveal(&self, path: &str, slot: Slot) -> Result<String, AppError> {
        let reply = self.app.call(Request::Reveal {
            at: At::Path(path.into()),
            slot,
            purpose: Purpose::Reveal,
            just: Justification::default(),
        })?;
        let Reply::Secret(secret) = reply else { panic!("a secret was asked for") };
        Ok(secret.expose(|b| String::from_utf8(b.to_vec()).expect("text")))
    }
}

/// A folder where syncing costs nothing.
pub fn in_memory() -> tempfile::TempDir {
    let shared = Path::new("/dev/shm");
    let made = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
    made.expect("a folder")
}

/// So many cases of a property as `usual`, the same ones at each run; or as many
/// times more, other ones each time, as `PROPTEST_CASES` is more than 256.
pub fn cases(usual: u32) -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse::<u32>().ok());
    let cases = u64::from(usual) * u64::from(asked.unwrap_or(256)) / 256;
    let rng_seed = if asked.is_some() { RngSeed::Random } else { RngSeed::Fixed(2026) };
    let cases = u32::try_from(cases).unwrap_or(u32::MAX).max(1);
    Config { cases, rng_seed, failure_persistence: None, ..Config::default() }
}

/// A patch with host, user and password.
pub fn login(host: &str, user: &str, password: &str) -> Patch {
    let mut patch =
        Patch { host: Set::To(host.into()), user: Set::To(user.into()), ..Default::default() };
    patch
        .secrets
        .insert(Slot::Password, SecretChange::Put(SecretBytes::copy_of(password.as_bytes())));
    patch
}
