//! The sound of a desktop of a real xrdp: the test plays into it where a sound server
//! of its session would, and hears it with a player of its own.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use poterne::model::entry::Slot;

use crate::kit_rdp::*;
use crate::kit_ssh::*;

const PASSWORD: &str = "Pâte-à-sel 44 !";

/// A folder with programs of this name, which keep what they are given.
fn players(names: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, script) in names {
        let file = dir.path().join(name);
        fs::write(&file, format!("#!/bin/sh\ncd {}\n{script}\n", dir.path().display()))
            .expect("ours");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    dir
}

/// A lease whose processes have these programs before those of the machine.
fn lease_with(programs: &Path) -> FakeLease {
    let path = format!("{}:/usr/bin:/bin", programs.display());
    FakeLease { env: vec![("PATH".into(), path.into())], ..FakeLease::default() }
}

/// Samples of which no part looks like another.
fn tune() -> Vec<u8> {
    (0..16_384u32).flat_map(|n| (n.wrapping_mul(40_503) as u16).to_le_bytes()).collect()
}

#[test]
fn the_sound_of_the_desktop_is_played_by_the_first_player_that_works() {
    let server = Xrdp::start(PASSWORD);
    // One that says more than a pipe holds is heard too.
    let chatters = "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2";
    let plays = format!("echo \"$@\" > told; {chatters}; exec cat > played");
    let dir = players(&[("paplay", "exit 1"), ("pacat", &plays)]);
    let mut lease = lease_with(dir.path());
    let mut hop = with(server.hop(), "sound", "here");
    hop.pinned.push(server.pinned());
    let mut hops = vec![hop];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&rdp(hops.remove(0)), &mut lease);
    assert!(link.info().warnings.is_empty(), "{:?}", link.info().warnings);
    let mut desk = Desktop::open(&*link, size(800, 600)).expect("it opens");
    desk.until("the desktop is there", |d| d.has_colour(790, 590));
    let display = server.display();
    let number = display.trim_start_matches(':').split('.').next().expect("a number").to_owned();
    let socket = format!("run/sockdir/xrdp_chansrv_audio_out_socket_{number}");
    let mut into = eventually("the session takes sound", || {
        UnixStream::connect(server.dir.path().join(&socket)).ok()
    });
    let tune = tune();
    let heard = || fs::read(dir.path().join("played")).unwrap_or_default();
    let part = &tune[4096..12_288];
    eventually("the tune is heard", || {
        // Data (0), and so many bytes with these eight.
        for block in tune.chunks(8192) {
            let length = u32::try_from(block.len() + 8).expect("small");
            into.write_all(&[0u32.to_le_bytes(), length.to_le_bytes()].concat()).expect("it reads");
            into.write_all(block).expect("it reads");
        }
        memchr::memmem::find(&heard(), part).map(drop)
    });
    let told = fs::read_to_string(dir.path().join("told")).expect("it was started");
    assert!(told.contains("--rate=44100") && told.contains("--channels=2"), "{told}");
    link.close();
    assert_eq!(desk.finish(), None);
}

#[test]
fn a_machine_without_a_player_says_so_and_without_the_setting_nothing_is_played() {
    let server = Xrdp::start(PASSWORD);
    let nothing = players(&[]);
    let open = |sound: &str, programs: &Path| {
        let mut lease = lease_with(programs);
        lease.env = vec![("PATH".into(), programs.into())];
        let mut hop = with(server.hop(), "sound", sound);
        hop.pinned.push(server.pinned());
        let mut hops = vec![hop];
        lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
        must_open(&rdp(hops.remove(0)), &mut lease).info().warnings
    };
    let told = open("here", nothing.path());
    assert!(told.len() == 1 && told[0].en.contains("will not be heard"), "{told:?}");
    assert_eq!(open("off", nothing.path()), []);
}
