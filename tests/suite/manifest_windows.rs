//! Connectors by manifest that open a window of their own, against a real far side:
//! FreeRDP against xrdp, its certificate pinned, no password where others read.

use std::time::SystemTime;

use poterne::connect::link::{Exit, LinkInfo};

use crate::connect_all::shows_nowhere;
use crate::kit_rdp::Xrdp;
use crate::kit_ssh::*;
use crate::manifest_programs::{all_gone, of, with_password};

#[test]
fn freerdp_logs_in_with_the_pinned_certificate_and_no_other() {
    let password = "PLANTE-freerdp-9f41c7d2";
    let before = SystemTime::now();
    let server = Xrdp::start(password);
    let mut hop = server.hop();
    hop.pinned.push(server.pinned());
    let (hop, mut lease) = with_password(hop, password);
    let link = must_open(&of("xfreerdp", hop.clone()), &mut lease);
    let LinkInfo { description, .. } = link.info();
    assert!(description.starts_with("xfreerdp · /"), "{description}");
    // The user's own desktop begins: the login was taken.
    server.display();
    let needles = [password.as_bytes().to_vec()];
    shows_nowhere("xfreerdp", &lease, &needles, Some(server.dir.path()), before);
    link.close();
    all_gone(&lease);

    let mut hop = hop;
    hop.pinned[0].fingerprint = format!("SHA256:{}", "A".repeat(43));
    let (hop, mut lease) = with_password(hop, password);
    let link = must_open(&of("xfreerdp", hop), &mut lease);
    let talk = Talk::shell(&*link, 80, 24).finish();
    assert!(matches!(talk.exit, Some(Exit::Status(code)) if code != 0), "{}", talk.text());
    all_gone(&lease);
}
