//! The desktop's sound (MS-RDPEA), played here: what the server sends is made plain
//! samples and goes to a player on a thread of its own. What comes faster than it is
//! played is left out, so that nothing piles up.

use std::borrow::Cow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ironrdp_rdpsnd::client::RdpsndClientHandler;
use ironrdp_rdpsnd::codec::AudioDecoder;
use ironrdp_rdpsnd::pdu::{AudioFormat, PitchPdu, VolumePdu};

use crate::os::sound::{Ending, Pcm, Player};

/// Blocks that wait for the player; each is a fraction of a second.
const WAITING: usize = 32;
/// Most formats that are offered to the server.
const FORMATS: usize = 16;

enum Sound {
    Block(Pcm, Vec<i16>),
    Pause,
}

/// Where a channel's sound goes.
pub struct Speaker {
    decoder: Option<(AudioFormat, AudioDecoder)>,
    to: Option<SyncSender<Sound>>,
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Speaker")
    }
}

impl Speaker {
    /// One that starts a player when there is something to hear.
    pub fn new() -> Self {
        Self { decoder: None, to: None }
    }

    fn send(&mut self, sound: Sound) {
        if self.to.is_none() && matches!(sound, Sound::Block(..)) {
            let (to, from) = sync_channel(WAITING);
            let started = std::thread::Builder::new().name("sound".into());
            if started.spawn(move || play(&from)).is_ok() {
                self.to = Some(to);
            }
        }
        if let Some(to) = &self.to {
            let _ = to.try_send(sound);
        }
    }
}

impl RdpsndClientHandler for Speaker {
    fn get_formats(&self) -> &[AudioFormat] {
        &[]
    }

    /// Those that can be decoded, the best first.
    fn choose_formats(&self, offered: &[AudioFormat]) -> Vec<AudioFormat> {
        let fits = |format: &&AudioFormat| {
            (1..=2).contains(&format.n_channels)
                && (8_000..=96_000).contains(&format.n_samples_per_sec)
                && AudioDecoder::supports(format)
        };
        let mut all: Vec<AudioFormat> = offered.iter().filter(fits).cloned().collect();
        all.sort_by_key(|format| {
            let bits = u32::from(format.n_channels) * u32::from(format.bits_per_sample);
            std::cmp::Reverse(format.n_samples_per_sec * bits)
        });
        all.truncate(FORMATS);
        all
    }

    fn wave(&mut self, format: &AudioFormat, _: u32, data: Cow<'_, [u8]>) {
        if self.decoder.as_ref().is_none_or(|(of, _)| of != format) {
            self.decoder = AudioDecoder::new(format).ok().map(|decoder| (format.clone(), decoder));
        }
        let Some((_, decoder)) = &mut self.decoder else { return };
        let mut samples = Vec::new();
        // What was decoded before a fault is heard.
        let _ = decoder.decode(&data, &mut samples);
        let pcm = Pcm { rate: format.n_samples_per_sec, channels: format.n_channels };
        self.send(Sound::Block(pcm, samples));
    }

    fn set_volume(&mut self, _: VolumePdu) {}
    fn set_pitch(&mut self, _: PitchPdu) {}

    fn close(&mut self) {
        self.send(Sound::Pause);
    }
}

/// The thread of the player.
fn play(from: &Receiver<Sound>) {
    let mut playing: Option<(Pcm, Player)> = None;
    let mut ending: Vec<Ending> = Vec::new();
    // Which of the players there are; one that leaves at once makes place for the next.
    let mut nth = 0;
    for sound in from {
        ending.retain_mut(|player| !player.over());
        let Sound::Block(pcm, samples) = sound else {
            ending.extend(playing.take().map(|(_, player)| player.finish()));
            continue;
        };
        if playing.as_ref().is_some_and(|(of, _)| *of != pcm) {
            ending.extend(playing.take().map(|(_, player)| player.finish()));
        }
        let bytes: Vec<u8> = samples.into_iter().flat_map(i16::to_le_bytes).collect();
        loop {
            if playing.is_none() {
                match Player::start(pcm, nth) {
                    Ok(player) => playing = Some((pcm, player)),
                    // Without any the sound is not heard.
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => break,
                    Err(_) => {
                        nth += 1;
                        continue;
                    }
                }
            }
            let Some((_, player)) = &mut playing else { break };
            if player.play(&bytes).is_ok() {
                break;
            }
            playing = None;
            nth += 1;
        }
    }
}
