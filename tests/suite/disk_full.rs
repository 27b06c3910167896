//! A disk without room: nothing is saved, nothing is lost, and the failure says
//! so. On a small file system of its own: who may not mount runs these tests again in
//! a user namespace, where everybody may.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use poterne::app::api::{Code, Factors, Patch, Reply, Request};
use poterne::app::{App, CreateOptions, UnlockOptions};
use poterne::model::entry::{Kind, Slot};
use poterne::secret::SecretText;

use crate::cli_kit::Seat;
use crate::kit::{Desk, PASSWORD, Phone, login};
use crate::kit_rows::{open_by_kit, read_all};

/// A mounted tmpfs, unmounted when dropped.
struct Small(PathBuf);

impl Small {
    /// `None` where mounting is not allowed: the test then ran in a child that may.
    fn mounted(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir(at).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(at);
        mount.stderr(Stdio::null());
        if mount.status().is_ok_and(|s| s.success()) {
            return Some(Self(at.to_owned()));
        }
        assert!(std::env::var_os(INSIDE).is_none(), "a user namespace may not mount either");
        in_a_namespace();
        None
    }

    /// Takes all room that is left.
    fn fill(&self) -> PathBuf {
        let place = self.0.join("filler");
        let mut filler = std::fs::File::create(&place).expect("a file");
        while filler.write_all(&[0; 4096]).is_ok() {}
        place
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Set in the child that runs a test of this file in a user namespace.
const INSIDE: &str = "POTERNE_TEST_DISK_FULL_INSIDE";

/// Runs the present test again where mounting is allowed.
fn in_a_namespace() {
    let thread = std::thread::current();
    let test = thread.name().expect("a test has its name");
    let own = std::env::current_exe().expect("this binary");
    let out = Command::new("unshare")
        .arg("-rm")
        .arg(own)
        .args([test, "--exact", "--test-threads=1"])
        .env(INSIDE, "1")
        .output()
        .expect("util-linux is installed");
    let said = String::from_utf8_lossy(&out.stdout);
    let words = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success() && said.contains("1 passed"),
        "neither this user nor a user namespace can mount a small disk:\n{said}{words}"
    );
}

fn create(path: &str) -> Request {
    let patch = Box::new(login("h", "u", "hunter2"));
    Request::Create { kind: Kind::new("ssh"), path: path.into(), patch }
}

#[test]
fn a_full_disk_refuses_the_edit_and_loses_nothing() {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.call(Request::Lock);
    let Some(disk) = Small::mounted(&desk.dir.path().join("small"), "16m") else {
        return;
    };
    let file = disk.0.join("coffre.poterne");
    std::fs::copy(&desk.file, &file).expect("there is room yet");
    let app = App::new(file.clone());
    let factors = Factors { password: SecretText::copy_of(PASSWORD), code: desk.phone.peek() };
    app.unlock(UnlockOptions { member: None, factors, read_only: false, accept_older: true })
        .unwrap_or_else(|e| panic!("{}", e.what.en));
    app.call(create("Dupont/before")).map(drop).expect("there is room");

    let filler = disk.fill();
    for n in 0..3 {
        let e = app.call(create(&format!("Dupont/full{n}"))).err().expect("there is no room");
        assert_eq!(e.code, Code::Other);
        assert!(e.what.en.contains("disk is full"), "{}", e.what.en);
    }
    let listed = app.call(Request::List { at: None, deep: true, trashed: false });
    let Ok(Reply::Items(items)) = listed else { panic!("items") };
    assert_eq!(items.len(), 2, "the client and the one entry that was saved");
    // What cannot be logged is not revealed.
    let hidden = app.call(Request::Reveal {
        at: poterne::app::api::At::Path("Dupont/before".into()),
        slot: Slot::Password,
        purpose: poterne::app::api::Purpose::Reveal,
        just: Default::default(),
    });
    assert!(hidden.err().expect("refused").what.en.contains("disk is full"));

    std::fs::remove_file(&filler).expect("frees the room");
    app.call(create("Dupont/after")).map(drop).expect("there is room again");
    disk.fill();
    // Locking never fails to lock.
    let _ = app.call(Request::Lock);
    let status = app.call(Request::Status).err().expect("locked");
    assert_eq!(status.code, Code::Locked);
    let (store, v) = open_by_kit(&file, &desk.kit).expect("opens on a full disk");
    read_all(&store, &v).expect("everything reads");
    for path in ["Dupont/before", "Dupont/after"] {
        assert!(v.index.at_path(path).is_some(), "{path} is lost");
    }
}

#[test]
fn a_vault_that_finds_no_room_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a temp folder");
    let Some(disk) = Small::mounted(&dir.path().join("small"), "256k") else {
        return;
    };
    let file = disk.0.join("coffre.poterne");
    let mut new = App::new(file.clone())
        .create(CreateOptions {
            file: file.clone(),
            member: "alice".into(),
            password: SecretText::copy_of(PASSWORD),
            portable: true,
            kdf_memory_mib: Some(64),
        })
        .expect("begins");
    let phone = new.otpauth_uri().expose(Phone::of_uri);
    new.check_code(&phone.peek()).expect("proves the phone");
    let e = new.finish().err().expect("there is no room");
    assert!(e.what.en.contains("disk is full"), "{}", e.what.en);
    let left: Vec<_> = std::fs::read_dir(&disk.0).expect("reads").collect();
    assert!(left.is_empty(), "{left:?}");
    // With room again, the very same enrolment is written.
    let mut more = Command::new("mount");
    more.args(["-o", "remount,size=8m"]).arg(&disk.0);
    assert!(more.status().expect("starts").success());
    assert_eq!(new.finish().unwrap_or_else(|e| panic!("{}", e.what.en)).file, file);
    assert!(file.exists());
}

#[test]
fn an_attachment_that_finds_no_room_leaves_no_piece_of_it() {
    let seat = Seat::unlocked();
    let whole = seat.home.path().join("plan.bin");
    std::fs::write(&whole, vec![b'x'; 2 << 20]).expect("ours");
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "note", "A/n", "--attach", whole.to_str().expect("UTF-8")]);
    let Some(disk) = Small::mounted(&seat.home.path().join("small"), "1m") else {
        eprintln!("not tried: this user may not mount");
        return;
    };
    let out = disk.0.join("out");
    let show = ["show", "A/n", "--attachment", "plan.bin", "--out", out.to_str().expect("UTF-8")];
    let full = seat.run(&show, "").ended(1);
    assert!(full.err.contains("the disk is full"), "{}", full.err);
    assert!(!out.exists(), "a piece of it is left");
}
