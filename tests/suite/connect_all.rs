//! What holds for every connector: its table is sound, its fields have both
//! languages, and no planted secret ever shows in an argument, a variable, an
//! open file or a temporary file while its session runs.

use std::any::Any;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use poterne::connect::link::{Exit, Link, TermSize, ToRemote};
#[cfg(target_os = "linux")]
use poterne::connect::openvpn;
use poterne::connect::{ALL, Connector, FailureKind, Opens, by_kind};
use poterne::model::entry::{Kind, Slot};
use poterne::model::lang::Lang;
use poterne::model::target::{Hop, Target};

use crate::kit_lines::{Cable, Service, Telnetd, line};
use crate::kit_rdp::{Desktop, Xrdp, rdp, size};
use crate::kit_ssh::*;
use crate::kit_vnc::{Xvnc, vnc};
#[cfg(target_os = "linux")]
use crate::kit_vpn::{self, Lan};
#[cfg(target_os = "linux")]
use crate::kit_wireguard::{Client, inside};

/// A word that appears nowhere by chance, one for each slot.
fn marker(slot: &Slot) -> String {
    format!("PLANTE-{slot}-9f41c7d2")
}

fn every_slot() -> [Slot; 5] {
    [Slot::Password, Slot::PrivateKey, Slot::Passphrase, Slot::Totp, Slot::Notes]
}

#[test]
fn the_table_names_each_kind_once_and_finds_it() {
    let ids: Vec<&str> = ALL.iter().map(|c| c.id()).collect();
    let known = [
        "ssh",
        "shell",
        "rdp",
        "vnc",
        "telnet",
        "raw",
        "serial",
        "openvpn",
        "wireguard",
        "credential",
        "note",
        "web",
    ];
    assert_eq!(ids, known);
    for id in ids {
        assert_eq!(by_kind(&Kind::new(id)).map(Connector::id), Some(id));
    }
    assert!(by_kind(&Kind::CLIENT).is_none() && by_kind(&Kind::new("telex")).is_none());
}

#[test]
fn every_field_has_both_languages_and_a_default_that_it_accepts() {
    for connector in ALL {
        let label = connector.label();
        assert!(!label.fr.is_empty() && !label.en.is_empty());
        let mut seen = BTreeSet::new();
        for field in connector.fields() {
            let name = format!("{}.{}", connector.id(), field.id);
            assert!(seen.insert(field.id), "{name} appears twice");
            assert!(
                field.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                "{name} is a flag"
            );
            for lang in [Lang::Fr, Lang::En] {
                assert!(!field.label(lang).is_empty() && field.help(lang).ends_with('.'), "{name}");
            }
            assert!(field.accepts(field.default), "{name}: its own default");
        }
    }
}

#[test]
fn kinds_without_a_session_open_nothing() {
    for connector in ALL.iter().filter(|c| c.opens() != Opens::Session) {
        let target = Target { kind: Kind::new(connector.id()), hops: vec![hop(1)] };
        let mut lease = FakeLease::default();
        assert_eq!(must_fail(&target, &mut lease).kind, FailureKind::Setting);
        assert!(lease.children.is_empty() && lease.taken.is_empty());
    }
}

struct Running {
    link: Box<dyn Link>,
    lease: FakeLease,
    /// The server's own folder, which has its own secrets.
    own: Option<PathBuf>,
    /// Another far side, as long as it is needed.
    _far: Option<Box<dyn Any>>,
    /// A piece of the private key.
    key: Option<Vec<u8>>,
}

/// A target of this kind that really opens, its secrets planted.
fn running(connector: &dyn Connector) -> Running {
    let mut lease = FakeLease::default();
    match connector.id() {
        "ssh" => {
            let server = Sshd::start(Setup::default());
            let phrase = marker(&Slot::Passphrase);
            let key = keygen(server.dir.path(), "k", &["-t", "ed25519", "-a", "2", "-N", &phrase]);
            server.authorize(&key);
            let text = fs::read(&key).expect("made");
            fs::remove_file(&key).expect("ours");
            let mut hops = vec![server.hop()];
            for slot in every_slot() {
                let value = match slot {
                    Slot::PrivateKey => text.clone(),
                    _ => marker(&slot).into_bytes(),
                };
                lease.plant(&mut hops, 0, slot, &value);
            }
            let link = must_open(&target(hops), &mut lease);
            let key = Some(text[100..160].to_vec());
            let own = Some(server.dir.path().to_owned());
            Running { link, lease, own, _far: Some(Box::new(server)), key }
        }
        "shell" => {
            let mut hops = vec![hop(1)];
            for slot in every_slot() {
                lease.plant(&mut hops, 0, slot.clone(), marker(&slot).as_bytes());
            }
            let target = Target { kind: Kind::new("shell"), hops };
            let link = must_open(&target, &mut lease);
            Running { link, lease, own: None, _far: None, key: None }
        }
        "telnet" => {
            let far = Telnetd::start(&marker(&Slot::Password));
            let mut hops = vec![far.hop()];
            for slot in every_slot() {
                lease.plant(&mut hops, 0, slot.clone(), marker(&slot).as_bytes());
            }
            let link = must_open(&line("telnet", hops.remove(0)), &mut lease);
            Running { link, lease, own: None, _far: Some(Box::new(far)), key: None }
        }
        "rdp" => {
            let far = Xrdp::start(&marker(&Slot::Password));
            let mut hops = vec![far.hop()];
            hops[0].pinned.push(far.pinned());
            for slot in every_slot() {
                lease.plant(&mut hops, 0, slot.clone(), marker(&slot).as_bytes());
            }
            let link = must_open(&rdp(hops.remove(0)), &mut lease);
            let own = Some(far.dir.path().to_owned());
            Running { link, lease, own, _far: Some(Box::new(far)), key: None }
        }
        "vnc" => {
            let far = Xvnc::start("VncAuth", &marker(&Slot::Password));
            let mut hops = vec![far.hop()];
            for slot in every_slot() {
                lease.plant(&mut hops, 0, slot.clone(), marker(&slot).as_bytes());
            }
            let link = must_open(&vnc(hops.remove(0)), &mut lease);
            let own = Some(far.dir.path().to_owned());
            Running { link, lease, own, _far: Some(Box::new(far)), key: None }
        }
        "raw" | "serial" => {
            let (far, place): (Box<dyn Any>, Hop) = if connector.id() == "raw" {
                let service = Service::start("exec sh");
                let place = hop(service.port);
                (Box::new(service), place)
            } else {
                let cable = Cable::plug("exec sh");
                let place = cable.hop();
                (Box::new(cable), place)
            };
            let mut hops = vec![with(place, "line-ending", "lf")];
            for slot in every_slot() {
                lease.plant(&mut hops, 0, slot.clone(), marker(&slot).as_bytes());
            }
            let link = must_open(&line(connector.id(), hops.remove(0)), &mut lease);
            assert!(lease.taken.is_empty(), "it needs none");
            Running { link, lease, own: None, _far: Some(far), key: None }
        }
        #[cfg(target_os = "linux")]
        "openvpn" => {
            let kept = |slot: Slot| -> &'static str { Box::leak(marker(&slot).into_boxed_str()) };
            let lan = Lan::start(kit_vpn::Setup {
                login: Some(("alice", kept(Slot::Password))),
                certificate: true,
                passphrase: Some(kept(Slot::Passphrase)),
                control_key: kit_vpn::ControlKey::Crypt,
                ..kit_vpn::Setup::default()
            });
            let mut hops = vec![hop(0)];
            hops[0].user = "alice".into();
            for slot in every_slot() {
                lease.plant(&mut hops, 0, slot.clone(), marker(&slot).as_bytes());
            }
            let profile = lan.profile();
            lease.plant(&mut hops, 0, openvpn::profile_slot(), profile.as_bytes());
            let link = must_open(&Target { kind: Kind::new("openvpn"), hops }, &mut lease);
            let key = profile.lines().skip_while(|line| !line.contains("PRIVATE KEY")).nth(1);
            let key = key.map(|line| line.as_bytes().to_vec());
            let own = Some(lan.folder().to_owned());
            Running { link, lease, own, _far: Some(Box::new(lan)), key }
        }
        #[cfg(target_os = "linux")]
        "wireguard" => {
            let (far, link, lease, key) = inside(|near| {
                let client = Client::start(near, "alpha");
                let (mut target, mut lease) = client.entry();
                for slot in every_slot().into_iter().filter(|slot| *slot != Slot::PrivateKey) {
                    lease.plant(&mut target.hops, 0, slot.clone(), marker(&slot).as_bytes());
                }
                let link = must_open(&target, &mut lease);
                let key = client.ours.private.clone().into_bytes();
                (client, link, lease, key)
            });
            Running { link, lease, own: None, _far: Some(Box::new(far)), key: Some(key) }
        }
        other => panic!("tell this test how to open a {other}"),
    }
}

/// A channel on which something has happened.
fn in_use(kind: &str, link: &dyn Link) -> Box<dyn Any> {
    if kind == "rdp" || kind == "vnc" {
        let desk = Desktop::open(link, size(800, 600));
        let mut desk = desk.unwrap_or_else(|e| panic!("{}", e.what.en));
        desk.copy("essai");
        desk.until("the desktop is there", |d| d.has_colour(790, 590));
        return Box::new(desk);
    }
    let mut talk = Talk::shell(link, 80, 24);
    if link.tunnel().is_some() {
        let up = if kind == "openvpn" { "Sequence Completed" } else { "handshake with" };
        talk.until(up);
        return Box::new(talk);
    }
    talk.send("echo run''ning\r");
    talk.until("running");
    Box::new(talk)
}

#[test]
fn no_secret_shows_in_arguments_variables_or_files_while_a_session_runs() {
    for connector in ALL.iter().filter(|c| c.opens() == Opens::Session) {
        let before = SystemTime::now();
        let Running { link, lease, own, _far, key } = running(*connector);
        let talk = in_use(connector.id(), &*link);

        let mut needles: Vec<Vec<u8>> =
            every_slot().iter().map(|slot| marker(slot).into_bytes()).collect();
        needles.extend(key);
        shows_nowhere(connector.id(), &lease, &needles, own.as_deref(), before);
        drop(talk);
        link.close();
    }
}

/// FreeRDP is another program, which takes the password from a pipe.
#[cfg(target_os = "linux")]
#[test]
fn no_secret_shows_while_freerdp_has_a_desktop_in_its_window() {
    let before = SystemTime::now();
    let (far, screen) = (Xrdp::start(&marker(&Slot::Password)), crate::kit_screen::Screen::start());
    let mut hops = vec![with(far.hop(), "program", "freerdp")];
    hops[0].pinned.push(far.pinned());
    let mut lease = FakeLease { display: Some(screen.name.clone()), ..FakeLease::default() };
    for slot in every_slot() {
        lease.plant(&mut hops, 0, slot.clone(), marker(&slot).as_bytes());
    }
    let link = must_open(&rdp(hops.remove(0)), &mut lease);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.until("opened in a window of its own");
    far.display();
    assert_eq!(lease.taken, [(0, Slot::Password)]);

    let needles: Vec<Vec<u8>> = every_slot().iter().map(|slot| marker(slot).into_bytes()).collect();
    let contains = |bytes: &[u8]| {
        needles.iter().any(|needle| bytes.windows(needle.len()).any(|w| w == &needle[..]))
    };
    let mut programs = 0;
    for pid in lease.children.iter().flat_map(|pid| descendants(*pid)).chain(lease.children.clone())
    {
        for part in ["cmdline", "environ"] {
            let bytes = fs::read(format!("/proc/{pid}/{part}")).expect("it runs");
            assert!(!contains(&bytes), "a secret is in /proc/{pid}/{part}");
            programs += usize::from(bytes.windows(8).any(|w| w == b"xfreerdp"));
            assert!(!bytes.windows(5).any(|w| w == b"CARGO"), "the environment is emptied");
        }
        for fd in fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").flatten() {
            let place = fs::read_link(fd.path()).unwrap_or_default();
            if place.is_file() {
                let bytes = fs::read(&place).unwrap_or_default();
                assert!(!contains(&bytes), "a secret is in {}", place.display());
            }
        }
    }
    assert!(programs >= 1, "FreeRDP runs");
    assert!(!contains(&talk.out), "{}", talk.text());
    let own = Some(far.dir.path());
    for folder in [std::env::temp_dir(), PathBuf::from("/dev/shm")] {
        search(&folder, own, before, &needles);
    }
    link.close();
    talk.finish();
}

/// Looks for the needles in arguments and variables of every process of these
/// tests, in what the session processes have open, and in new temporary files but
/// for those of the far side's `own` folder.
pub fn shows_nowhere(
    name: &str,
    lease: &FakeLease,
    needles: &[Vec<u8>],
    own: Option<&Path>,
    before: SystemTime,
) {
    let mut processes = descendants(std::process::id());
    processes.extend(&lease.children);
    for pid in processes {
        for part in ["cmdline", "environ"] {
            // A process of another test may be gone by now.
            let Ok(bytes) = fs::read(format!("/proc/{pid}/{part}")) else { continue };
            // The tools that make keys for tests get theirs as an argument.
            if bytes.starts_with(b"ssh-keygen") {
                continue;
            }
            for needle in needles {
                let found = bytes.windows(needle.len()).any(|w| w == &needle[..]);
                assert!(!found, "{} leaks in /proc/{pid}/{part}", name);
            }
        }
    }
    for pid in &lease.children {
        let environ = fs::read(format!("/proc/{pid}/environ")).expect("it runs");
        let environ = String::from_utf8_lossy(&environ);
        assert!(!environ.contains("CARGO"), "the environment is emptied: {environ}");
        for fd in fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").flatten() {
            let place = fs::read_link(fd.path()).unwrap_or_default();
            assert!(!place.starts_with(std::env::temp_dir()), "{}", place.display());
        }
    }
    search(&std::env::temp_dir(), own, before, needles);
}

/// Looks for the needles in every file of the temporary folder that is new.
fn search(folder: &Path, skip: Option<&Path>, since: SystemTime, needles: &[Vec<u8>]) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, Ok(meta)) = (entry.path(), entry.metadata()) else { continue };
        if Some(path.as_path()) == skip || meta.is_symlink() {
            continue;
        }
        if meta.is_dir() {
            search(&path, skip, since, needles);
        } else if meta.is_file()
            && meta.len() < 4 << 20
            && meta.modified().is_ok_and(|at| at >= since)
        {
            let bytes = fs::read(&path).unwrap_or_default();
            for needle in needles {
                let found = bytes.windows(needle.len()).any(|w| w == &needle[..]);
                assert!(!found, "a secret lies in {}", path.display());
            }
        }
    }
}

fn shell(settings: &[(&str, &str)]) -> Box<dyn Link> {
    let mut place: Hop = hop(1);
    for (id, value) in settings {
        place = with(place, id, value);
    }
    let target = Target { kind: Kind::new("shell"), hops: vec![place] };
    must_open(&target, &mut FakeLease::default())
}

#[test]
fn a_local_shell_has_a_terminal_and_follows_a_resize() {
    let link = shell(&[("command", "/bin/sh"), ("directory", "/usr")]);
    let mut talk = Talk::shell(&*link, 77, 21);
    talk.send("stty size; pwd; echo $TERM\r");
    talk.until("21 77");
    talk.until("/usr");
    talk.until("xterm-256color");
    talk.channel.send(ToRemote::Resize(TermSize { cols: 99, rows: 30 }));
    talk.send("stty size\r");
    talk.until("30 99");
    talk.send("exit 4\r");
    let talk = talk.finish();
    assert_eq!((talk.exit, talk.closed), (Some(Exit::Status(4)), Some(None)));
}

#[test]
fn a_local_shell_has_the_terminal_type_of_its_entry() {
    let link = shell(&[("command", "/bin/sh"), ("term", "vt220")]);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("printf 'TERM=%s;\\n' \"$TERM\"\r");
    talk.until("TERM=vt220;");
}

#[test]
fn a_local_command_keeps_output_errors_and_status_apart() {
    let link = shell(&[]);
    let talk = run(&*link, "cat; echo err >&2; exit 6", b"typed");
    assert_eq!((talk.out.as_slice(), talk.err.as_slice()), (&b"typed"[..], &b"err\n"[..]));
    assert_eq!(talk.exit, Some(Exit::Status(6)));
    assert_eq!(run(&*link, "kill -KILL $$", b"").exit, Some(Exit::Signal("KILL".into())));
}

#[test]
fn closing_a_local_shell_hangs_it_up() {
    let link = shell(&[("command", "/bin/sh")]);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("echo re''ady\r");
    talk.until("ready");
    link.close();
    assert_eq!(talk.finish().exit, Some(Exit::Signal("HUP".into())));
    assert!(!link.alive());
}

#[test]
fn a_command_or_folder_that_is_missing_is_named() {
    let target = Target {
        kind: Kind::new("shell"),
        hops: vec![with(hop(1), "directory", "/nowhere/at/all")],
    };
    let failure = must_fail(&target, &mut FakeLease::default());
    assert!(failure.what.en.contains("/nowhere/at/all"));
    let link = shell(&[("command", "/nowhere/program")]);
    let request = poterne::connect::link::ChannelRequest::Shell {
        size: TermSize { cols: 80, rows: 24 },
        term: "xterm".into(),
    };
    let Err(failure) = Talk::open(&*link, request) else { panic!("it started") };
    assert_eq!(failure.kind, FailureKind::Helper);
}
