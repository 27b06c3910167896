//! The cookie by which a server takes a session up again after a break
//! (MS-RDPBCGR section 5.5), on its way through the application's lease. Proves
//! nothing by itself: IronRDP does that with it.

use std::time::{Duration, Instant};

use ironrdp_pdu::rdp::session_info::ServerAutoReconnect;

use crate::connect::line::End;
use crate::connect::resume_slot;
use crate::secret::SecretBytes;

/// Bytes of the number of the login.
const ID: usize = 4;

/// The application is given one no more often: each is work for it.
const APART: Duration = Duration::from_secs(1);

/// The cookies of one session: only the newest counts, and only if it is another.
/// Time is an argument.
#[derive(Default)]
pub struct Cookies {
    newest: Option<SecretBytes>,
    waits: bool,
    told: Option<Instant>,
}

impl Cookies {
    /// The server gave this one.
    pub fn came(&mut self, cookie: &ServerAutoReconnect) {
        let cookie = kept(cookie);
        let same = |newest: &SecretBytes| newest.expose(|n| cookie.expose(|c| n == c));
        if !self.newest.as_ref().is_some_and(same) {
            (self.newest, self.waits) = (Some(cookie), true);
        }
    }

    /// When the application is to be given the newest, if it has not got it.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        self.waits.then(|| self.told.map_or(now, |told| told + APART))
    }

    /// What it is to be given now.
    pub fn ready(&mut self, now: Instant) -> Option<&SecretBytes> {
        let due = self.due(now)?;
        if now < due {
            return None;
        }
        self.told = Some(now);
        self.last()
    }

    /// What it has not got yet, at the end of the session.
    pub fn last(&mut self) -> Option<&SecretBytes> {
        std::mem::take(&mut self.waits).then_some(self.newest.as_ref()).flatten()
    }
}

/// A cookie as the application keeps it: the number of the login (u32 LE), then the
/// bits.
fn kept(cookie: &ServerAutoReconnect) -> SecretBytes {
    let id = cookie.logon_id.to_le_bytes();
    SecretBytes::new(id.into_iter().chain(cookie.random_bits).collect())
}

/// The cookie of the session before, if the lease has one; given once.
pub fn given(end: &End<'_>) -> Option<ServerAutoReconnect> {
    let slot = resume_slot();
    let with = end.hop.slots.contains(&slot).then(|| end.up.secret(end.index, &slot))??;
    with.expose(read)
}

fn read(bytes: &[u8]) -> Option<ServerAutoReconnect> {
    let (id, bits) = bytes.split_first_chunk::<ID>()?;
    let random_bits = bits.try_into().ok()?;
    Some(ServerAutoReconnect { logon_id: u32::from_le_bytes(*id), random_bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_comes_back_as_it_was_kept() {
        let cookie = ServerAutoReconnect { logon_id: 0x0102_0304, random_bits: [7; 16] };
        let bytes = kept(&cookie).expose(<[u8]>::to_vec);
        assert_eq!(read(&bytes), Some(cookie));
        assert_eq!(read(&bytes[..19]), None);
    }

    #[test]
    fn only_another_cookie_is_told_and_the_newest_no_more_than_once_a_second() {
        let cookie = |of: u8| ServerAutoReconnect { logon_id: 1, random_bits: [of; 16] };
        let is = |told: Option<&SecretBytes>| {
            told.map(|told| told.expose(|bytes| read(bytes).expect("whole").random_bits[0]))
        };
        let start = Instant::now();
        let mut cookies = Cookies::default();
        assert_eq!(cookies.due(start), None);
        cookies.came(&cookie(1));
        assert_eq!(is(cookies.ready(start)), Some(1));
        cookies.came(&cookie(1));
        assert_eq!(cookies.due(start), None, "the same again");
        cookies.came(&cookie(2));
        cookies.came(&cookie(3));
        assert_eq!(is(cookies.ready(start)), None);
        assert_eq!(cookies.due(start), Some(start + APART));
        assert_eq!(is(cookies.ready(start + APART)), Some(3));
        assert_eq!(is(cookies.ready(start + 9 * APART)), None);
        cookies.came(&cookie(4));
        assert_eq!(is(cookies.last()), Some(4), "the end does not wait");
        assert_eq!(is(cookies.last()), None);
    }
}
