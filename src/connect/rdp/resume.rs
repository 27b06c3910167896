//! The cookie by which a server takes a session up again after a break
//! (MS-RDPBCGR section 5.5), on its way through the application's lease. Proves
//! nothing by itself: IronRDP does that with it.

use ironrdp_pdu::rdp::session_info::ServerAutoReconnect;

use crate::connect::line::End;
use crate::connect::resume_slot;
use crate::secret::SecretBytes;

/// Bytes of the number of the login.
const ID: usize = 4;

/// A cookie as the application keeps it: the number of the login (u32 LE), then the
/// bits.
pub fn kept(cookie: &ServerAutoReconnect) -> SecretBytes {
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
}
