//! The configurations of a device in the window: taken with a button, listed, shown
//! with what differs, and gone from the screen by themselves.

use std::time::{Duration, Instant};

use egui::accesskit::Role as Widget;
use egui_kittest::kittest::Queryable;
use poterne::app::api::SnapshotView;
use poterne::connect::Question;
use poterne::gui::entries::config::{Config, Line, SHOWN_FOR, What};
use poterne::model::member::Role;
use poterne::model::target::HostPort;
use poterne::secret::SecretText;

use crate::gui_fake::{Fake, time};
use crate::kit_gui::{Window, fill, find, gone, opened, press, sees, until};

const BASE: &str = "Boulangerie Dupont/Serveurs/srv-base-01";

fn config(uplink: &str) -> Option<String> {
    Some(format!("hostname sw1\nvlan 10\n name voix\nuplink {uplink}\nend\n"))
}

fn shows(fake: &Fake) -> Window {
    let mut window = opened(fake);
    find(&mut window, "srv-base", BASE);
    window.key_press(egui::Key::ArrowDown);
    sees(&mut window, "CONFIGURATION");
    window
}

fn view(n: u64) -> SnapshotView {
    let (by, command) = ("Alice".to_owned(), "show".to_owned());
    SnapshotView { n, at: time(0), by, command, size: 1, lines: 1 }
}

#[test]
fn a_difference_is_split_into_lines_without_its_head_and_goes_by_itself() {
    let mut config = Config::default();
    let text = "--- 1\n+++ 2\n@@ -1,3 +1,3 @@\n a\n--- x\n-b\n+c\n+++ y\n";
    let (now, what) = (Instant::now(), What::Difference(view(1), view(2), 2, 2));
    config.show(what, SecretText::copy_of(text), now);
    let shown = config.shown().expect("just shown");
    let lines: Vec<(Line, String)> = (0..shown.count())
        .filter_map(|n| shown.line(n, |kind, text| (kind, text.to_owned())))
        .collect();
    let wanted = [
        (Line::Place, "@@ -1,3 +1,3 @@"),
        (Line::Same, " a"),
        (Line::Removed, "--- x"),
        (Line::Removed, "-b"),
        (Line::Added, "+c"),
        (Line::Added, "+++ y"),
    ];
    assert_eq!(lines, wanted.map(|(kind, text)| (kind, text.to_owned())));
    assert_eq!(config.expire(now), Some(SHOWN_FOR));
    assert_eq!(config.expire(now + SHOWN_FOR), None);
    assert!(config.shown().is_none());
    // A whole configuration may begin its lines as it likes.
    config.show(What::Text(view(1)), SecretText::copy_of("--- a\n+b\n"), now);
    let shown = config.shown().expect("just shown");
    assert_eq!((shown.count(), shown.line(1, |kind, _| kind)), (2, Some(Line::Same)));
    assert_eq!(config.expire(now + Duration::from_secs(1)).map(|d| d < SHOWN_FOR), Some(true));
}

#[test]
fn one_is_taken_listed_and_compared_with_the_one_before() {
    let fake = Fake::new();
    fake.lock().config = config("Gi0/1");
    let mut window = shows(&fake);
    sees(&mut window, "Pas encore relevée.");
    press(&mut window, "Relever maintenant");
    sees(&mut window, "Premier relevé gardé\u{a0}: 5 lignes.");
    sees(&mut window, "Afficher\u{a0}: relevé 1");
    press(&mut window, "Relever maintenant");
    sees(&mut window, "Inchangée depuis le relevé 1.");
    fake.lock().config = config("Gi0/2");
    press(&mut window, "Relever maintenant");
    sees(&mut window, "Relevé 2 gardé\u{a0}: +2 −1 lignes depuis le relevé 1.");
    // What changed is shown at once.
    sees(&mut window, "Différence 1 → 2  ·  +2 −1 lignes");
    press(&mut window, "Masquer\u{a0}: Différence 1 → 2  ·  +2 −1 lignes");
    gone(&mut window, "Différence 1 → 2  ·  +2 −1 lignes");
    press(&mut window, "Afficher\u{a0}: relevé 1");
    until(&mut window, "the text", |w| {
        w.query_all_by_label_contains("Relevé 1  ·").next().is_some()
    });
    let asked = fake.asked();
    let take = "snapshot srv-base-01".to_owned();
    let wanted = [&take, &take, &take, "compare 1 2", "Reveal snapshot 1"].map(str::to_owned);
    assert_eq!(asked, wanted);
}

#[test]
fn one_under_way_can_be_given_up_and_a_failure_is_told_in_its_place() {
    let fake = Fake::new();
    fake.lock().config = config("Gi0/1");
    fake.lock().held = "snapshot";
    let mut window = shows(&fake);
    press(&mut window, "Relever maintenant");
    sees(&mut window, "Relevé en cours…");
    press(&mut window, "Abandonner");
    sees(&mut window, "Le relevé a été abandonné.");
    sees(&mut window, "Relever maintenant");
    assert!(fake.lock().configs.is_empty());
}

/// A window that reads the configuration of a device which asks this.
fn asked(fake: &Fake, questions: Vec<Question>) -> Window {
    fake.lock().config = config("Gi0/1");
    fake.lock().questions = questions;
    let mut window = shows(fake);
    press(&mut window, "Relever maintenant");
    window
}

fn password(again: bool) -> Question {
    let at = HostPort { host: "sw1.example".to_owned(), port: 22 };
    Question::Password { user: "admin".to_owned(), at, again }
}

#[test]
fn an_unknown_key_and_a_missing_password_are_asked_for_as_a_session_does() {
    let fake = Fake::new();
    let key = crate::gui_fake_tree::key("neuve");
    let mut window = asked(&fake, vec![Question::TrustHostKey(key.clone()), password(false)]);
    sees(&mut window, "Relevé de «\u{a0}srv-base-01\u{a0}»");
    sees(&mut window, "Premier contact avec ce serveur");
    sees(&mut window, &key.fingerprint);
    press(&mut window, "Faire confiance et continuer");
    let label = "Mot de passe de admin sur sw1.example";
    sees(&mut window, "Mot de passe demandé");
    fill(&mut window, Widget::PasswordInput, label, "tuile");
    press(&mut window, "Répondre");
    sees(&mut window, "Premier relevé gardé\u{a0}: 5 lignes.");
    gone(&mut window, "Mot de passe demandé");
    assert_eq!(fake.asked(), ["snapshot srv-base-01", "yes", "answer tuile"]);
}

#[test]
fn a_question_that_is_refused_closed_or_locked_away_is_answered_no() {
    let fake = Fake::new();
    let trust = || Question::TrustHostKey(crate::gui_fake_tree::key("neuve"));
    let mut window = asked(&fake, vec![trust()]);
    press(&mut window, "Refuser");
    sees(&mut window, "Réponse\u{a0}: non.");
    fake.lock().questions = vec![password(true)];
    press(&mut window, "Relever maintenant");
    sees(&mut window, "Le serveur l’a refusé.");
    window.key_press(egui::Key::Escape);
    sees(&mut window, "Le relevé a été abandonné.");
    gone(&mut window, "Mot de passe demandé");
    fake.lock().questions = vec![trust(), trust()];
    press(&mut window, "Relever maintenant");
    sees(&mut window, "Premier contact avec ce serveur");
    let keys = egui::Modifiers::COMMAND | egui::Modifiers::SHIFT;
    window.key_press_modifiers(keys, egui::Key::L);
    gone(&mut window, "Premier contact avec ce serveur");
    assert!(fake.lock().configs.is_empty());
    assert_eq!(fake.asked().iter().filter(|asked| *asked == "yes").count(), 0);
}

#[test]
fn an_operator_takes_one_and_reads_none() {
    let fake = Fake::new();
    fake.lock().role = Role::Operator;
    fake.lock().config = config("Gi0/1");
    let mut window = shows(&fake);
    press(&mut window, "Relever maintenant");
    sees(&mut window, "Premier relevé gardé\u{a0}: 5 lignes.");
    until(&mut window, "why", |w| w.query_by_label_contains("ne permet pas de les lire").is_some());
    fake.lock().config = config("Gi0/2");
    press(&mut window, "Relever maintenant");
    sees(&mut window, "Relevé 2 gardé\u{a0}: +2 −1 lignes depuis le relevé 1.");
    assert!(window.query_by_label_contains("Afficher\u{a0}: relevé").is_none());
    assert!(window.query_by_label_contains("Différence").is_none());
    assert_eq!(fake.asked().iter().filter(|a| a.contains("compare")).count(), 0);
}
