//! What a server announces of a message on a channel, looked at before IronRDP puts the
//! message together: it would keep as much as is announced, up to 4 GiB for each channel,
//! and more of what is called compressed. Keeps no message, and decodes none.

use ironrdp_core::decode;
use ironrdp_dvc::DrdynvcClient;
use ironrdp_pdu::mcs::McsMessage;
use ironrdp_pdu::rdp::vc::{ChannelControlFlags, ChannelPduHeader};
use ironrdp_pdu::x224::X224;
use ironrdp_svc::{StaticChannelId, StaticChannelSet};

/// Bytes of the longest message on a channel, static or dynamic: some pictures of a large
/// desktop. With seven channels that is less than 1 GiB.
pub const MESSAGE_MAX: u32 = 128 << 20;

/// Bytes of the header of a static channel's part (MS-RDPBCGR 2.2.6.1.1).
const HEADER: usize = 8;
/// Bytes of the longest head of a message on a dynamic channel, up to its length
/// (MS-RDPEDYC 2.2.3.1).
const HEAD_MAX: usize = 9;

/// A message that is longer than [`MESSAGE_MAX`], or compressed, which nobody offered.
#[derive(PartialEq, Eq, Debug)]
pub struct Unbounded;

/// Looks at the parts of messages as they come.
pub struct Channels {
    ids: Vec<StaticChannelId>,
    /// The one that carries the dynamic channels.
    dynamic: Option<StaticChannelId>,
    /// How the message on it begins.
    head: Vec<u8>,
    /// More of that message is to come.
    begun: bool,
}

impl Channels {
    /// Those of a session.
    pub fn new(channels: &StaticChannelSet) -> Self {
        let dynamic = channels.get_channel_id_by_type::<DrdynvcClient>();
        let head = Vec::with_capacity(HEAD_MAX);
        Self { ids: channels.channel_ids().collect(), dynamic, head, begun: false }
    }

    /// Looks at a frame of the slow path.
    ///
    /// # Errors
    /// It belongs to a message that must not be put together.
    pub fn look(&mut self, frame: &[u8]) -> Result<(), Unbounded> {
        let Ok(X224(McsMessage::SendDataIndication(data))) = decode::<X224<McsMessage<'_>>>(frame)
        else {
            return Ok(());
        };
        if !self.ids.contains(&data.channel_id) {
            return Ok(());
        }
        let Ok(ChannelPduHeader { length, flags }) = decode(&data.user_data) else {
            return Ok(());
        };
        if length > MESSAGE_MAX || flags.contains(ChannelControlFlags::PACKET_COMPRESSED) {
            return Err(Unbounded);
        }
        if self.dynamic != Some(data.channel_id) {
            return Ok(());
        }
        let part = data.user_data.get(HEADER..).unwrap_or_default();
        let first = flags.contains(ChannelControlFlags::FLAG_FIRST);
        // A part that is neither first nor last is a message by itself, unless one has begun.
        if first || !self.begun {
            self.head.clear();
        }
        self.begun = (self.begun || first) && !flags.contains(ChannelControlFlags::FLAG_LAST);
        let room = HEAD_MAX - self.head.len();
        self.head.extend(&part[..part.len().min(room)]);
        self.announced(&self.head)
    }

    /// Looks at the head of a message on a dynamic channel, as far as it is there.
    fn announced(&self, head: &[u8]) -> Result<(), Unbounded> {
        let [first, rest @ ..] = head else { return Ok(()) };
        // The first part of several, compressed or not.
        if !matches!(first >> 4, 0x02 | 0x06) {
            return Ok(());
        }
        let width = |kind: u8| 1usize << (kind & 0b11);
        let (id, length) = (width(*first), width(first >> 2));
        let Some(length) = rest.get(id..id + length) else { return Ok(()) };
        let announced = length.iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        if announced > u64::from(MESSAGE_MAX) { Err(Unbounded) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use ironrdp_core::encode_vec;
    use ironrdp_pdu::mcs::SendDataIndication;

    use super::*;

    const FIRST: ChannelControlFlags = ChannelControlFlags::FLAG_FIRST;
    const LAST: ChannelControlFlags = ChannelControlFlags::FLAG_LAST;
    const NONE: ChannelControlFlags = ChannelControlFlags::empty();

    /// What is thought of a part on this channel; 7 carries the dynamic ones, 9 is none.
    fn look(
        channels: &mut Channels,
        (channel_id, length, flags): (u16, u32, ChannelControlFlags),
        part: &[u8],
    ) -> Result<(), Unbounded> {
        let mut user_data = encode_vec(&ChannelPduHeader { length, flags }).expect("fits");
        user_data.extend(part);
        let user_data = Cow::Owned(user_data);
        let data = SendDataIndication { initiator_id: 1001, channel_id, user_data };
        channels.look(&encode_vec(&X224(data)).expect("fits"))
    }

    fn channels() -> Channels {
        Channels { ids: vec![6, 7], dynamic: Some(7), head: Vec::new(), begun: false }
    }

    #[test]
    fn a_static_message_may_be_so_long_and_no_longer_and_is_never_compressed() {
        for id in [6, 7] {
            assert_eq!(look(&mut channels(), (id, MESSAGE_MAX, FIRST), &[0x30]), Ok(()));
            for flags in [FIRST, LAST, NONE, FIRST | LAST] {
                let long = look(&mut channels(), (id, MESSAGE_MAX + 1, flags), &[0x30]);
                assert_eq!(long, Err(Unbounded), "{flags:?}");
            }
            let packed = FIRST | ChannelControlFlags::PACKET_COMPRESSED;
            assert_eq!(look(&mut channels(), (id, 9, packed), &[0x30]), Err(Unbounded));
        }
        assert_eq!(look(&mut channels(), (9, u32::MAX, FIRST), &[0x30]), Ok(()));
    }

    #[test]
    fn a_dynamic_message_is_as_bounded_however_its_head_is_cut() {
        let max = MESSAGE_MAX.to_le_bytes();
        let more = (MESSAGE_MAX + 1).to_le_bytes();
        for kind in [0x28, 0x68] {
            for (cb, id) in [(0, &[1][..]), (1, &[1, 0]), (2, &[1, 0, 0, 0])] {
                for (length, wanted) in [(max, Ok(())), (more, Err(Unbounded))] {
                    let head = [&[kind | cb][..], id, &length].concat();
                    for at in 0..=head.len() {
                        let (one, two) = head.split_at(at);
                        let mut all = channels();
                        let whole = (7, head.len() as u32, FIRST);
                        let seen = look(&mut all, whole, one)
                            .and_then(|()| look(&mut all, (7, head.len() as u32, LAST), two));
                        assert_eq!(seen, wanted, "{head:?} cut at {at}");
                    }
                    let alone = look(&mut channels(), (7, head.len() as u32, NONE), &head);
                    assert_eq!(alone, wanted, "{head:?} alone");
                }
            }
        }
        // What is no first part has no length; what comes later is no head.
        let data = [0x38, 1, 0xFF, 0xFF, 0xFF, 0xFF];
        assert_eq!(look(&mut channels(), (7, 6, FIRST | LAST), &data), Ok(()));
        let mut all = channels();
        assert_eq!(look(&mut all, (7, 100, FIRST), &[0x30; 20]), Ok(()));
        let like_a_head = [0x28, 1, 0xFF, 0xFF, 0xFF, 0xFF];
        assert_eq!(look(&mut all, (7, 100, NONE), &like_a_head), Ok(()));
        assert_eq!(look(&mut all, (7, 100, LAST), &like_a_head), Ok(()));
        assert_eq!(look(&mut all, (7, 6, NONE), &like_a_head), Err(Unbounded));
    }
}
