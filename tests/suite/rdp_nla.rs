//! Remote desktops by RDP whose server wants to know who is there before it shows
//! anything (NLA), against FreeRDP's shadow server.

use poterne::connect::FailureKind;
use poterne::model::entry::Slot;

use crate::kit_rdp::*;
use crate::kit_ssh::*;

const PASSWORD: &str = "tuile-Erable-42";

fn stored(server: &Shadow, password: &str) -> (FakeLease, poterne::model::target::Target) {
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::Password, password.as_bytes());
    (lease, rdp(hops.remove(0)))
}

#[test]
fn a_stored_password_opens_the_desktop() {
    let server = Shadow::start(PASSWORD);
    let (mut lease, target) = stored(&server, PASSWORD);
    let link = must_open(&target, &mut lease);
    assert_eq!((lease.keys_shown.len(), lease.asked.len()), (1, 0));
    assert!(link.info().description.ends_with(" · NLA (NTLM)"), "{}", link.info().description);
    let mut desk =
        Desktop::open(&*link, size(640, 480)).unwrap_or_else(|e| panic!("{}", e.what.en));
    desk.until("a desktop", |d| d.size == (640, 480));
    server.paint();
    desk.until("the desktop is there", |d| d.size == (640, 480) && d.has_colour(600, 440));
    link.close();
    assert_eq!(desk.finish(), None);
}

#[test]
fn a_wrong_stored_password_is_refused_in_words() {
    let server = Shadow::start(PASSWORD);
    let (mut lease, target) = stored(&server, "falsch");
    let failure = must_fail(&target, &mut lease);
    assert_eq!(failure.kind, FailureKind::Login, "{}", failure.what.en);
    assert!(failure.what.en.contains("essai"), "{}", failure.what.en);
    assert!(failure.what.en.contains("password is wrong"), "{}", failure.what.en);
    assert_eq!((lease.taken.len(), lease.asked.len()), (1, 0));
}

#[test]
fn who_types_the_password_may_mistype_it() {
    let server = Shadow::start(PASSWORD);
    let mut hop = server.hop();
    hop.user.clear();
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    lease.answers.extend(["essai", "falsch", PASSWORD].map(str::to_owned));
    let link = must_open(&rdp(hop), &mut lease);
    let asked = ["user", "password of essai@127.0.0.1", "password of essai@127.0.0.1 (again)"];
    assert_eq!(lease.asked, asked);
    // One certificate is shown once.
    assert_eq!((lease.keys_shown.len(), link.info().user.as_str()), (1, "essai"));
}

#[test]
fn a_server_that_wants_nla_says_so_to_an_entry_without_it() {
    let server = Shadow::start(PASSWORD);
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    let failure = must_fail(&rdp(with(server.hop(), "security", "tls")), &mut lease);
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert!(failure.what.en.contains("requires NLA"), "{}", failure.what.en);
    assert!(lease.taken.is_empty());
}
