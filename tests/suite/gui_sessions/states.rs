//! Each state of a tab on its way from "connecting" to "ended".

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use poterne::connect::link::{Exit, FromRemote, TermSize};
use poterne::connect::{Answer, Progress, Question};
use poterne::gui::sessions::tab::TabState;
use poterne::model::lang::Bi;

use super::kit::{Script, key, open_as, refused, sessions, until};

#[test]
fn a_tab_connects_asks_opens_and_ends() {
    let script: Script = Box::new(|ui| {
        ui.say(Progress::Contacting("srv:22".into()));
        ui.say(Progress::Warning(Bi::new("Non chiffré", "Not encrypted")));
        match ui.ask(Question::TrustHostKey(key())) {
            Answer::Yes => Ok(()),
            _ => Err(refused()),
        }
    });
    let (mut all, far, wait) = sessions(vec![script]);
    let id = all.open(open_as("web"));
    until(&mut all, &wait, |s| matches!(s, TabState::Question { .. }));
    all.answer(id, Answer::Yes);
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    let tab = all.tab(id).expect("it is open");
    assert_eq!(tab.all_warnings().len(), 2, "of the way and of the link");
    let mut sink = far.sinks.lock().expect("as above").pop().expect("a shell was asked for");
    sink(FromRemote::Data(b"$ ".to_vec()));
    sink(FromRemote::Exit(Exit::Status(0)));
    sink(FromRemote::Closed(None));
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    let tab = all.tab(id).expect("it stays");
    assert_eq!(tab.terminal().map(|t| t.rows()[0].clone()).as_deref(), Some("$"));
    assert!(!tab.busy());
}

#[test]
fn a_failure_is_told_and_tried_again() {
    let (mut all, _far, wait) = sessions(vec![Box::new(|_| Err(refused()))]);
    let id = all.open(open_as("web"));
    until(&mut all, &wait, |s| matches!(s, TabState::Failed(_)));
    all.retry(id);
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
}

#[test]
fn giving_up_answers_no_and_late_news_are_dropped() {
    let (told, tell) = channel();
    let script: Script = Box::new(move |ui| {
        let answer = ui.ask(Question::User);
        let no = matches!(answer, Answer::No) && ui.cancelled();
        told.send(no).map_err(|_| refused())?;
        Ok(())
    });
    let (mut all, far, wait) = sessions(vec![script]);
    let id = all.open(open_as("web"));
    until(&mut all, &wait, |s| matches!(s, TabState::Question { .. }));
    all.cancel(id);
    assert!(tell.recv().expect("the script runs on"));
    assert!(matches!(all.tab(id).map(|t| &t.state), Some(TabState::Failed(_))));
    while *far.closed.lock().expect("as above") == 0 {
        let _ = wait.recv_timeout(Duration::from_millis(20));
        all.drain(Instant::now());
    }
    assert!(matches!(all.tab(id).map(|t| &t.state), Some(TabState::Failed(_))));
}

#[test]
fn closing_ends_the_session_and_shows_the_neighbour() {
    let (mut all, far, wait) = sessions(Vec::new());
    let first = all.open(open_as("un"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    let second = all.open(open_as("deux"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    assert_eq!(all.front(), Some(second));
    all.turn(true);
    assert_eq!(all.front(), Some(first));
    all.show(Some(second));
    all.close(second);
    assert_eq!(all.front(), Some(first));
    assert_eq!(all.busy_count(), 1);
    all.close(first);
    assert_eq!(all.front(), None);
    while *far.closed.lock().expect("as above") < 2 {
        let _ = wait.recv_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_new_terminal_starts_with_the_size_of_the_last() {
    let (mut all, _far, wait) = sessions(Vec::new());
    all.set_size(TermSize { cols: 132, rows: 43 });
    let id = all.open(open_as("web"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    let size = all.tab(id).and_then(|tab| tab.terminal().map(|t| t.size()));
    assert_eq!(size, Some(TermSize { cols: 132, rows: 43 }));
}
