//! The desktop's sound (MS-RDPEA), played here: what the server sends is made plain
//! samples and goes to a player on a thread of its own. Of what comes faster than it is
//! played the oldest is left out, so that nothing piles up and nothing comes late.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ironrdp_rdpsnd::client::RdpsndClientHandler;
use ironrdp_rdpsnd::codec::AudioDecoder;
use ironrdp_rdpsnd::pdu::{AudioFormat, PitchPdu, VolumePdu};

use crate::os::sound::{Ending, Pcm, Player};

/// Blocks that wait for the player; each is a fraction of a second.
const WAITING: usize = 32;
/// Samples that wait for the player; some twenty seconds of the best sound.
const SAMPLES: usize = 2 << 20;
/// Longest block, as the server sends it; it is seconds of plain samples.
const BLOCK_MAX: usize = 1 << 20;
/// Players that play their last samples while another one plays.
const ENDING: usize = 2;
/// Most formats that are offered to the server.
const FORMATS: usize = 16;

/// Players that are started at once, and how long until one more may be: a server that
/// changes the format with each block wants one for each.
const STARTS: u32 = 8;
const START_EVERY: Duration = Duration::from_secs(1);

/// How many players may be started.
struct Starts {
    left: u32,
    since: Instant,
}

impl Starts {
    fn at(now: Instant) -> Self {
        Self { left: STARTS, since: now }
    }

    /// Whether one may be now.
    fn one(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since).as_secs() / START_EVERY.as_secs();
        let more = u32::try_from(passed).unwrap_or(STARTS).min(STARTS);
        if more > 0 {
            self.left = (self.left + more).min(STARTS);
            self.since = now;
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

enum Sound {
    Block(Pcm, Vec<i16>),
    Pause,
}

/// What waits for the player.
#[derive(Default)]
struct Waiting {
    sounds: VecDeque<Sound>,
    samples: usize,
    /// No more will come.
    over: bool,
}

impl Waiting {
    fn push(&mut self, sound: Sound) {
        self.samples += samples_of(&sound);
        self.sounds.push_back(sound);
        while self.sounds.len() > WAITING || self.samples > SAMPLES {
            if self.pop().is_none() {
                return;
            }
        }
    }

    fn pop(&mut self) -> Option<Sound> {
        let sound = self.sounds.pop_front()?;
        self.samples -= samples_of(&sound);
        Some(sound)
    }
}

fn samples_of(sound: &Sound) -> usize {
    match sound {
        Sound::Block(_, samples) => samples.len(),
        Sound::Pause => 0,
    }
}

/// The way to the player's thread.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    came: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, sound: Sound) {
        self.lock().push(sound);
        self.came.notify_one();
    }

    fn end(&self) {
        self.lock().over = true;
        self.came.notify_one();
    }

    /// Waits for the next; `None` when no more will come.
    fn next(&self) -> Option<Sound> {
        let mut waiting = self.lock();
        loop {
            if let Some(sound) = waiting.pop() {
                return Some(sound);
            }
            if waiting.over {
                return None;
            }
            waiting = self.came.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Where a channel's sound goes.
pub struct Speaker {
    decoder: Option<(AudioFormat, AudioDecoder)>,
    to: Option<Arc<Queue>>,
}

impl Drop for Speaker {
    fn drop(&mut self) {
        if let Some(to) = &self.to {
            to.end();
        }
    }
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
            let to = Arc::<Queue>::default();
            let from = to.clone();
            let started = std::thread::Builder::new().name("sound".into());
            if started.spawn(move || play(&from)).is_ok() {
                self.to = Some(to);
            }
        }
        if let Some(to) = &self.to {
            to.push(sound);
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
        if data.len() > BLOCK_MAX {
            return;
        }
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
fn play(from: &Queue) {
    let mut playing: Option<(Pcm, Player)> = None;
    let mut ending: VecDeque<Ending> = VecDeque::new();
    // Which of the players there are; one that leaves at once makes place for the next.
    let mut nth = 0;
    let mut starts = Starts::at(Instant::now());
    while let Some(sound) = from.next() {
        ending.retain_mut(|player| !player.over());
        let Sound::Block(pcm, samples) = sound else {
            finish(&mut playing, &mut ending);
            continue;
        };
        if playing.as_ref().is_some_and(|(of, _)| *of != pcm) {
            finish(&mut playing, &mut ending);
        }
        let bytes: Vec<u8> = samples.into_iter().flat_map(i16::to_le_bytes).collect();
        loop {
            if playing.is_none() {
                if !starts.one(Instant::now()) {
                    // This block is not heard.
                    break;
                }
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

/// Lets the player play its last samples. A server that changes the format with each
/// block has no more than a few of them: the first is cut short.
fn finish(playing: &mut Option<(Pcm, Player)>, ending: &mut VecDeque<Ending>) {
    if let Some((_, player)) = playing.take() {
        if ending.len() >= ENDING {
            ending.pop_front();
        }
        ending.push_back(player.finish());
    }
}

#[cfg(test)]
mod tests {
    use ironrdp_rdpsnd::pdu::WaveFormat;

    use super::*;

    const PCM: Pcm = Pcm { rate: 44_100, channels: 2 };

    fn first(waiting: &mut Waiting) -> Option<i16> {
        match waiting.pop()? {
            Sound::Block(_, samples) => samples.first().copied(),
            Sound::Pause => None,
        }
    }

    #[test]
    fn players_are_not_started_faster_than_a_person_hears() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut starts = Starts::at(start);
        let many = |starts: &mut Starts, now| (0..1000).filter(|_| starts.one(now)).count();
        assert_eq!(many(&mut starts, at(0)), STARTS as usize);
        assert_eq!(many(&mut starts, at(999)), 0);
        assert_eq!(many(&mut starts, at(1000)), 1);
        assert_eq!(many(&mut starts, at(4500)), 3);
        // After a long rest no more than at the beginning.
        assert_eq!(many(&mut starts, at(600_000)), STARTS as usize);
    }

    #[test]
    fn of_too_many_blocks_the_newest_are_played() {
        let mut waiting = Waiting::default();
        for n in 0..WAITING as i16 + 3 {
            waiting.push(Sound::Block(PCM, vec![n; 2]));
        }
        assert_eq!((waiting.sounds.len(), waiting.samples), (WAITING, 2 * WAITING));
        assert_eq!(first(&mut waiting), Some(3));
    }

    #[test]
    fn few_large_blocks_are_too_many() {
        let mut waiting = Waiting::default();
        for n in 0..3 {
            waiting.push(Sound::Block(PCM, vec![n; SAMPLES / 2]));
        }
        assert_eq!((waiting.sounds.len(), waiting.samples), (2, SAMPLES));
        assert_eq!(first(&mut waiting), Some(1));
        waiting.push(Sound::Block(PCM, vec![7; SAMPLES + 1]));
        assert_eq!((waiting.sounds.len(), waiting.samples), (0, 0), "one alone may be too much");
    }

    #[test]
    fn a_block_that_is_too_long_is_not_even_decoded() {
        let format = AudioFormat {
            format: WaveFormat::PCM,
            n_channels: 2,
            n_samples_per_sec: 44_100,
            n_avg_bytes_per_sec: 176_400,
            n_block_align: 4,
            bits_per_sample: 16,
            data: None,
        };
        // A queue without a player's thread.
        let queue = Arc::<Queue>::default();
        let mut speaker = Speaker { decoder: None, to: Some(queue.clone()) };
        speaker.wave(&format, 0, vec![0; BLOCK_MAX + 4].into());
        assert!(speaker.decoder.is_none() && queue.lock().sounds.is_empty());
        speaker.wave(&format, 0, vec![0; BLOCK_MAX].into());
        assert_eq!(queue.lock().samples, BLOCK_MAX / 2);
        drop(speaker);
        assert!(queue.next().is_some());
        assert!(queue.next().is_none(), "its end is told");
    }
}
