//! A connection that broke comes back by itself, where that can help.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use egui_kittest::kittest::Queryable as _;
use poterne::app::api::{AppError, Code};
use poterne::connect::link::FromRemote;
use poterne::connect::{Failure, FailureKind};
use poterne::gui::sessions::Sessions;
use poterne::gui::sessions::tab::TabState;
use poterne::model::id::SessionId;
use poterne::model::lang::Bi;

use super::kit::{FarSide, Script, open_as, refused, sessions, shown, until};

fn fails(code: Code) -> Script {
    Box::new(move |_| Err(AppError { code, ..refused() }))
}

/// Has the far side of the newest connection say that it broke.
fn break_off(far: &FarSide, kind: FailureKind) {
    let mut sink = far.sinks.lock().expect("as above").pop().expect("it is open");
    sink(FromRemote::Closed(Some(Failure {
        kind,
        what: Bi::new("La connexion a été coupée.", "The connection broke."),
        todo: Bi::new("Vérifiez le réseau.", "Check the network."),
    })));
}

fn back(sessions: &Sessions) -> Option<(u32, bool)> {
    let tab = sessions.tabs().last().expect("a tab");
    tab.back.as_ref().map(|back| (back.attempt, back.due.is_some()))
}

#[test]
fn a_connection_that_broke_comes_back_by_itself_after_a_while() {
    let ok: Script = Box::new(|_| Ok(()));
    let (mut all, far, wait) = sessions(vec![ok, fails(Code::Unreachable)]);
    far.comes_back.store(true, Ordering::Relaxed);
    let id = all.open(open_as("srv"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    break_off(&far, FailureKind::Network);
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    assert_eq!(back(&all), Some((1, true)), "it waits before it tries");
    // Too early, then in time: the first attempt fails, the second is waited for.
    let start = Instant::now();
    all.drain(start - Duration::from_secs(2));
    assert_eq!(back(&all), Some((1, true)));
    all.drain(start + Duration::from_secs(2));
    assert_eq!(back(&all), Some((1, false)));
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    assert_eq!(back(&all), Some((2, true)));
    all.hasten(id);
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    assert_eq!(back(&all), None);
    let id = SessionId([7; 16]);
    assert_eq!(*far.after.lock().expect("as above"), [None, Some(id), Some(id)]);
    // One that breaks soon after goes on counting.
    break_off(&far, FailureKind::Network);
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    assert_eq!(back(&all), Some((3, true)));
}

#[test]
fn a_connection_does_not_come_back_when_that_cannot_help_or_nobody_wants_it() {
    let ok = || -> Script { Box::new(|_| Ok(())) };
    // The server ended it.
    let (mut all, far, wait) = sessions(vec![ok(), fails(Code::Locked)]);
    far.comes_back.store(true, Ordering::Relaxed);
    let id = all.open(open_as("srv"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    break_off(&far, FailureKind::Ended);
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    assert_eq!(back(&all), None);
    // The vault is locked, or the login refused: said at once, tried no more.
    all.retry(id);
    until(&mut all, &wait, |s| matches!(s, TabState::Failed(_)));
    all.retry(id);
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    far.scripts.lock().expect("as above").push(fails(Code::Connection));
    break_off(&far, FailureKind::Network);
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    all.hasten(id);
    until(&mut all, &wait, |s| matches!(s, TabState::Failed(_)));
    assert_eq!(back(&all), None);
    // The person gives it up: while it waits, and on its way.
    for on_the_way in [false, true] {
        all.retry(id);
        until(&mut all, &wait, |s| matches!(s, TabState::Live));
        break_off(&far, FailureKind::Network);
        until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
        if on_the_way {
            all.hasten(id);
        }
        all.cancel(id);
        all.drain(Instant::now() + Duration::from_secs(600));
        assert_eq!(back(&all), None);
        assert!(matches!(all.tab(id).map(|t| &t.state), Some(TabState::Ended(_))));
    }
}

#[test]
fn a_connection_that_comes_back_says_so_and_can_be_stopped() {
    let (mut all, far, wait) = sessions(vec![]);
    far.comes_back.store(true, Ordering::Relaxed);
    all.open(open_as("srv"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    break_off(&far, FailureKind::Network);
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    let mut window = shown(all);
    window.run_steps(3);
    window.get_by_label("La connexion a été coupée.");
    window.get_by_label("Reconnecter maintenant");
    window.get_by_label("Ne pas reconnecter").click();
    window.run_steps(3);
    window.get_by_label("Rouvrir");
    assert!(window.query_by_label("Reconnecter maintenant").is_none());
}
