//! A login on a page, step by step: wait for the form, give user, password and code
//! each once, and see what became of it. Decides by what the page shows; the person
//! sees the same and may take over at any moment.

use std::time::{Duration, Instant};

use super::cdp::{Cdp, Silence};
use super::fail;
use super::log::Outcome;
use super::page::{Asked, Page, Sight};
use crate::connect::{Failure, Progress};
use crate::model::entry::Slot;
use crate::secret::SecretText;

/// How often the page is looked at.
const TICK: Duration = Duration::from_millis(120);
/// For a page that writes itself, before it is told for one that asks the user first.
const SETTLED: Duration = Duration::from_millis(700);
/// Before the browser's warning is passed once more.
const AGAIN: Duration = Duration::from_millis(500);
/// After which Enter has had no effect.
const ENTER: Duration = Duration::from_secs(2);
/// After which a form that still stands has been refused.
const REFUSED: Duration = Duration::from_secs(15);
/// For the question for a code, where one is stored.
const CODE: Duration = Duration::from_secs(3);

/// Why there is no outcome.
pub enum Stop {
    /// It failed.
    Failed(Failure),
    /// The browser is silent, or nobody wants it any more.
    Silent(Silence),
}

impl From<Silence> for Stop {
    fn from(silence: Silence) -> Self {
        Self::Silent(silence)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What was given, and when.
#[derive(Default)]
struct Given {
    user: bool,
    /// Taken, and kept until the field has it: it is given once.
    secret: Option<SecretText>,
    password: bool,
    code: bool,
    /// Since when the page has it, and how many documents had come.
    sent: Option<(Instant, u32)>,
    /// The button was tried after Enter.
    clicked: bool,
}

/// Logs in on the page at `address`.
///
/// # Errors
/// The page cannot be reached or trusted, or the browser has ended.
pub fn run(
    page: &mut Page<'_>,
    cdp: &mut Cdp,
    address: &str,
    patience: Duration,
) -> Result<Outcome, Stop> {
    page.origin = page.origin_of(cdp, address)?;
    // Without pinned keys the browser's own check is enough.
    page.sure = page.hop.pinned.is_empty() || !address.to_ascii_lowercase().starts_with("https:");
    let origin = page.origin.clone();
    page.log.going(&origin);
    page.up.say(&Progress::Contacting(page.hop.at.to_string()));
    page.go(cdp, address);
    if let Some(elsewhere) = arrive(page, cdp, patience)? {
        return Ok(elsewhere);
    }
    page.log.shown();
    let hop = page.hop;
    if !hop.slots.contains(&Slot::Password) {
        return Ok(Outcome::NothingStored);
    }
    let mut given = Given::default();
    let mut since = Instant::now();
    let mut still: Option<Instant> = None;
    loop {
        if page.closed {
            return Ok(Outcome::Closed);
        }
        page.wait(cdp, TICK)?;
        if page.http == Asked::Left {
            return Ok(Outcome::Refused);
        }
        let sight = match page.dialog || page.moves() {
            true => Err(Silence::Busy),
            false => page.look(cdp, None),
        };
        let sight = match sight {
            Ok(sight) => sight,
            // A page may keep itself busy for ever.
            Err(Silence::Busy) if since.elapsed() > patience => {
                return Ok(if given.password { Outcome::Unclear } else { Outcome::NoForm });
            }
            Err(Silence::Busy) => {
                if page.dialog || page.moves() {
                    still = None;
                }
                continue;
            }
            Err(other) => return Err(other.into()),
        };
        if let Some(bad) = sight.bad {
            return Ok(Outcome::BadSelector(bad));
        }
        let quiet = still.get_or_insert_with(Instant::now).elapsed();
        match step(page, cdp, &mut given, (&sight, quiet)) {
            Ok(Next::Done(outcome)) => return Ok(outcome),
            Ok(Next::Sent) => (since, still) = (Instant::now(), None),
            // The page was replaced under our hands, or shows a dialogue.
            Ok(Next::Wait) | Err(Stop::Silent(Silence::Busy)) => {}
            Err(stop) => return Err(stop),
        }
        if since.elapsed() > patience {
            return Ok(match () {
                () if given.password && sight.password => Outcome::Unclear,
                () if given.password => Outcome::LoggedIn,
                () if sight.origin != page.origin => Outcome::Elsewhere(sight.origin),
                () if sight.many => Outcome::Change,
                () => Outcome::NoForm,
            });
        }
    }
}

enum Next {
    Wait,
    /// Something was sent: time counts anew.
    Sent,
    Done(Outcome),
}

/// Until there is a page whose server is beyond doubt; where it is another's, that.
fn arrive(page: &mut Page<'_>, cdp: &mut Cdp, patience: Duration) -> Result<Option<Outcome>, Stop> {
    let mut end = Instant::now() + patience;
    let mut went_on = false;
    let mut asked: Option<Instant> = None;
    loop {
        if page.closed {
            return Ok(Some(Outcome::Closed));
        }
        page.wait(cdp, TICK)?;
        if page.http == Asked::Left {
            return Ok(Some(Outcome::Refused));
        }
        if let Some(origin) = page.stranger.take() {
            return Ok(Some(Outcome::Elsewhere(origin)));
        }
        let doubted = page.unreachable.clone();
        if let Some(error) = page.error.clone()
            && !error.starts_with("net::ERR_CERT")
        {
            return Err(fail::unreachable(&page.hop.at, &error, patience.as_secs()).into());
        }
        if let (Some(address), Some(_), false) = (&doubted, &page.error, went_on) {
            let origin = page.origin_of(cdp, address)?;
            if origin != page.origin {
                return Ok(Some(Outcome::Elsewhere(origin)));
            }
            if let Some(der) = page.certificate.take() {
                page.trust(&der)?;
                let print = page.key.clone();
                page.log.certificate(&print);
                (went_on, page.error) = (true, None);
                end = Instant::now() + patience;
            }
        } else if went_on && doubted.is_some() {
            if asked.is_none_or(|at| at.elapsed() > AGAIN) && !page.moves() {
                asked = Some(Instant::now());
                page.go_on(cdp);
            }
        } else if page.visits > 0 && doubted.is_none() && !page.dialog {
            if page.sure {
                return Ok(None);
            }
            let sight = match page.look(cdp, None) {
                Ok(sight) => sight,
                Err(Silence::Busy) if Instant::now() <= end => continue,
                Err(Silence::Busy) => return Err(unanswered(page, patience)),
                Err(other) => return Err(other.into()),
            };
            if sight.origin != page.origin {
                return Ok(Some(Outcome::Elsewhere(sight.origin)));
            }
            // An authority vouches for it, but it may not be the pinned one.
            if let Some(der) = page.certificate.take() {
                page.trust(&der)?;
                if page.put_off {
                    page.put_off = false;
                    page.reload(cdp);
                }
                return Ok(None);
            }
        }
        if Instant::now() > end {
            return Err(unanswered(page, patience));
        }
    }
}

fn unanswered(page: &Page<'_>, patience: Duration) -> Stop {
    fail::unreachable(&page.hop.at, "net::ERR_TIMED_OUT", patience.as_secs()).into()
}

/// What to do about what is on the page.
fn step(
    page: &mut Page<'_>,
    cdp: &mut Cdp,
    given: &mut Given,
    (sight, quiet): (&Sight, Duration),
) -> Result<Next, Stop> {
    let ours = sight.origin == page.origin;
    let has_code = page.hop.slots.contains(&Slot::Totp) && !given.code;
    if page.http == Asked::Answered && !given.password {
        let there = sight.complete && quiet > SETTLED && !sight.password;
        return Ok(if there { Next::Done(Outcome::LoggedIn) } else { Next::Wait });
    }
    let Some((at, visits)) = given.sent.filter(|_| given.password) else {
        return first(page, cdp, given, (sight, quiet, ours));
    };
    if sight.code && ours && !sight.password && sight.ready {
        if has_code && quiet > SETTLED / 2 {
            return Ok(match fill_code(page, cdp, given)? {
                true => {
                    submit(page, cdp, sight, "code")?;
                    given.clicked = false;
                    given.sent = Some((Instant::now(), page.visits));
                    Next::Sent
                }
                false => Next::Wait,
            });
        }
        let back = page.visits > visits && sight.complete && quiet > SETTLED;
        return Ok(match (given.code, has_code) {
            (true, _) if back || at.elapsed() > REFUSED => Next::Done(Outcome::CodeRefused),
            (true, _) => retry(page, cdp, given, (sight, at, visits))?,
            (false, false) if quiet > SETTLED => Next::Done(Outcome::NoCode),
            _ => Next::Wait,
        });
    }
    if sight.password {
        let back = page.visits > visits && sight.complete && quiet > SETTLED;
        if back || at.elapsed() > REFUSED {
            return Ok(Next::Done(Outcome::Refused));
        }
        return retry(page, cdp, given, (sight, at, visits));
    }
    let wanted = if has_code { CODE } else { SETTLED };
    if sight.complete && quiet > wanted && at.elapsed() > wanted {
        return Ok(Next::Done(Outcome::LoggedIn));
    }
    Ok(Next::Wait)
}

/// Clicks the button where Enter had no effect.
fn retry(
    page: &mut Page<'_>,
    cdp: &mut Cdp,
    given: &mut Given,
    (sight, at, visits): (&Sight, Instant, u32),
) -> Result<Next, Stop> {
    if !given.clicked && sight.submit && page.visits == visits && at.elapsed() > ENTER {
        given.clicked = true;
        page.click(cdp)?;
    }
    Ok(Next::Wait)
}

/// Before the password was given.
fn first(
    page: &mut Page<'_>,
    cdp: &mut Cdp,
    given: &mut Given,
    (sight, quiet, ours): (&Sight, Duration, bool),
) -> Result<Next, Stop> {
    if !ours || !sight.ready {
        return Ok(Next::Wait);
    }
    let user = page.hop.user.clone();
    if sight.password {
        if sight.user && !user.is_empty() && !given.user {
            if !page.fill(cdp, "user", &user)? {
                return Ok(Next::Wait);
            }
            given.user = true;
            page.log.filled_user(&user);
        }
        page.up.say(&Progress::Authenticating("password".into()));
        // Whether it can be filled is tried before it is asked for.
        if !page.look(cdp, Some("password"))?.password {
            return Ok(Next::Wait);
        }
        if given.secret.is_none() {
            given.secret = page.password().and_then(|secret| secret.into_text().ok());
        }
        let Some(secret) = &given.secret else { return Ok(Next::Done(Outcome::NothingStored)) };
        if !secret.expose(|text| page.fill(cdp, "password", text))? {
            return Ok(Next::Wait);
        }
        given.secret = None;
        given.password = true;
        page.log.filled_password();
        if sight.code && page.hop.slots.contains(&Slot::Totp) {
            fill_code(page, cdp, given)?;
        }
        submit(page, cdp, sight, "password")?;
        given.clicked = false;
        given.sent = Some((Instant::now(), page.visits));
        return Ok(Next::Sent);
    }
    if sight.user && !given.user && !user.is_empty() && sight.complete && quiet > SETTLED {
        if !page.fill(cdp, "user", &user)? {
            return Ok(Next::Wait);
        }
        given.user = true;
        page.log.filled_user(&user);
        submit(page, cdp, sight, "user")?;
        given.sent = Some((Instant::now(), page.visits));
        return Ok(Next::Sent);
    }
    if let Some((at, visits)) = given.sent {
        return retry(page, cdp, given, (sight, at, visits));
    }
    Ok(Next::Wait)
}

fn fill_code(page: &mut Page<'_>, cdp: &mut Cdp, given: &mut Given) -> Result<bool, Stop> {
    if !page.look(cdp, Some("code"))?.code {
        return Ok(false);
    }
    page.up.say(&Progress::Authenticating("totp".into()));
    let Some(code) = page.up.totp(page.index) else {
        given.code = true;
        return Ok(false);
    };
    let filled = code.expose(|digits| page.fill(cdp, "code", digits))?;
    if filled {
        given.code = true;
        page.log.filled_code();
    }
    Ok(filled)
}

/// Sends what was filled in: by the button that was declared, else by Enter.
fn submit(page: &mut Page<'_>, cdp: &mut Cdp, sight: &Sight, part: &str) -> Result<(), Stop> {
    if sight.named && page.click(cdp)? {
        return Ok(());
    }
    Ok(page.enter(cdp, part)?)
}
