//! Logging in to pages with a real browser, whose window is on the screen that the
//! tests have: forms that scripts make, two steps, codes, HTTP's own question, and
//! what must not be filled in.

use poterne::connect::link::{Exit, ToRemote};

use crate::kit_ssh::*;
use crate::kit_web::*;

#[test]
fn a_form_that_a_script_makes_is_logged_in_to() {
    let _alone = alone();
    let mut site = Site::plain();
    let mut visit = Visit::open(login(site.hop("/form")));
    site.until("login admin ok");
    site.until("welcome");
    visit.talk.until("Logged in");
    let text = visit.talk.text();
    assert!(
        text.contains("User “admin” filled in") && text.contains("Password filled in"),
        "{text}"
    );
    assert!(!text.contains(PASSWORD), "{text}");
    assert!(visit.link.info().description.ends_with("logged in"), "{:?}", visit.link.info());
}
