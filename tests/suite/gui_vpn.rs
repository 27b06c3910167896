//! VPNs in the window: the line that shows them, the tabs that go through them, what is
//! asked and when, and profiles that are imported into the form.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use egui::accesskit::Role as Widget;
use egui_kittest::kittest::Queryable;
use poterne::app::Change;
use poterne::app::api::VpnView;
use poterne::connect::vpn::journal::{Now, Step};
use poterne::connect::{Progress, Question};
use poterne::gui::entries::editor::Editor;
use poterne::gui::entries::profile::{Imported, days_left};
use poterne::gui::prefs::Prefs;
use poterne::gui::vpn::model::{EVERY, Look, Vpns, state_words, time_up};
use poterne::model::entry::{Entry, Kind, Slot};
use poterne::model::lang::{Bi, Lang};
use poterne::model::time::Time;

use crate::gui_fake::{Fake, id, time};
use crate::gui_fake_tree::node;
use crate::kit_gui::{
    Window, fill, find, gone, opened, press, sees, unlock, until, value, window_with,
};

const PATH: &str = "Boulangerie Dupont/VPN";
const WEB: &str = "Boulangerie Dupont/Serveurs/srv-web-01";

/// A profile with a program, a file of elsewhere, and a login in it.
const PROFILE: &str = "client\n# otp\ndev tun\nremote vpn.dupont.exemple 1194 udp\n\
     remote vpn.dupont.exemple 443 tcp\nremote-cert-tls server\nup /tmp/run-me\nnobind\n\
     mute-replay-warnings\n<auth-user-pass>\nalice\nsésame-9\n</auth-user-pass>\n";

/// A file as the desktop drops it.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|e| e.to_string())
    }
}

fn vpn(step: Step) -> VpnView {
    let now = Now {
        step,
        why: None,
        address: "10.8.0.2".to_owned(),
        received: 3 << 20,
        sent: 2048,
        since: Some(time(0)),
    };
    VpnView { entry: id(50), path: PATH.to_owned(), sessions: 2, now }
}

fn vpn_entry() -> Entry {
    node(50, 1, Some(1), "openvpn", "VPN")
}

/// With a VPN entry, whose connections succeed and go through it.
fn through_vpn() -> Fake {
    let fake = Fake::new();
    let mut state = fake.lock();
    state.entries.push(vpn_entry());
    state.connects = true;
    state.through = PATH.to_owned();
    drop(state);
    fake
}

fn imported(text: &str) -> Result<Box<Imported>, poterne::app::api::AppError> {
    let mut beside = |_: &str| Err(io::ErrorKind::NotFound.into());
    let (file, source) = ("dupont.ovpn".to_owned(), "/tmp/dupont.ovpn".to_owned());
    Imported::read(file, source, text.as_bytes(), &mut beside).map(Box::new)
}

#[test]
fn vpns_are_asked_for_once_a_second_while_there_are_any_and_never_otherwise() {
    let start = Instant::now();
    let mut vpns = Vpns::of(Vec::new(), start);
    assert_eq!(vpns.look(start + Duration::from_secs(3600)), Look::Rest);
    vpns.news();
    assert_eq!(vpns.look(start), Look::Ask);
    // No second question before the answer.
    vpns.news();
    assert_eq!(vpns.look(start + 2 * EVERY), Look::Rest);
    vpns.told(vec![vpn(Step::Up)], start);
    assert_eq!(vpns.look(start), Look::Ask, "what was told meanwhile is asked for");
    vpns.told(vec![vpn(Step::Up)], start);
    assert_eq!(vpns.look(start + EVERY / 4), Look::After(EVERY - EVERY / 4));
    assert_eq!(vpns.look(start + EVERY), Look::Ask);
    vpns.refused(start + EVERY);
    assert_eq!(vpns.look(start + EVERY), Look::After(EVERY));
    vpns.told(Vec::new(), start + EVERY);
    assert_eq!(vpns.look(start + 9 * EVERY), Look::Rest);
}

#[test]
fn a_state_is_told_with_its_reason_and_the_time_counts_hours() {
    let mut now = vpn(Step::Reconnecting).now;
    now.why = Some(Bi::new("le serveur ne répond plus", "the server no longer answers"));
    assert_eq!(state_words(&now, Lang::Fr), "reconnexion\u{a0}: le serveur ne répond plus");
    assert_eq!(state_words(&now, Lang::En), "reconnecting: the server no longer answers");
    let at = |secs| time_up(&vpn(Step::Up).now, time(secs));
    assert_eq!([at(-5), at(9), at(3599), at(3600)], ["00:00", "00:09", "59:59", "1:00:00"]);
    assert_eq!(time_up(&now, time(5)), "");
    now.step = Step::Contacting;
    now.why = None;
    assert_eq!(state_words(&now, Lang::En), "reconnecting, contacting the server");
    now.since = None;
    assert_eq!(state_words(&now, Lang::En), "contacting the server");
    // What is known of one as long as nothing is.
    assert_eq!(state_words(&Now::default(), Lang::En), "being raised");
}

#[test]
fn a_profile_fills_what_is_empty_and_lists_what_could_do_harm_first() {
    let read = imported(PROFILE).expect("a profile");
    let names: Vec<&str> = read.dropped.iter().map(|d| d.directive.as_str()).collect();
    assert_eq!((names[0], read.grave()), ("up", 1), "{names:?}");
    let mut form = Editor::new(Kind::new("openvpn"), "Dupont");
    form.import(read);
    assert_eq!(form.name, "dupont");
    assert_eq!(form.user, "alice");
    let servers = "vpn.dupont.exemple:1194/udp, vpn.dupont.exemple:443/tcp";
    assert_eq!(form.settings["servers"], servers);
    assert_eq!(form.settings["source"], "/tmp/dupont.ovpn");
    let patch = form.patch();
    let slots: Vec<String> = patch.secrets.keys().map(Slot::to_string).collect();
    assert_eq!(slots, ["password", "custom:openvpn-profile"]);
    assert!(form.faults().is_empty());
    // What was typed stays.
    let mut form = Editor::new(Kind::new("openvpn"), "Dupont");
    form.name = "VPN du siège".to_owned();
    form.user = "bob".to_owned();
    form.import(imported(PROFILE).expect("a profile"));
    assert_eq!((form.name.as_str(), form.user.as_str()), ("VPN du siège", "bob"));
    let refused = imported("client\ndev tun\n").err().expect("it names no server");
    assert!(refused.what.en.starts_with("“dupont.ovpn”: "), "{}", refused.what.en);
}

#[test]
fn days_before_the_end_are_counted_down_to_the_day() {
    let at = |text: &str| -> Time { text.parse().expect("RFC 3339") };
    let (morning, night) = (at("2026-11-29T00:00:01Z"), at("2026-11-29T23:59:59Z"));
    assert_eq!(days_left(at("2026-12-29T12:00:00Z"), morning), 30);
    assert_eq!(days_left(at("2026-12-29T00:00:00Z"), night), 30);
    assert_eq!((days_left(night, morning), days_left(morning, night)), (0, 0));
    assert_eq!(days_left(at("2026-11-28T23:59:59Z"), morning), -1);
}

#[test]
fn a_vpn_is_shown_with_its_state_and_a_click_opens_its_log() {
    let fake = through_vpn();
    fake.lock().vpns = vec![vpn(Step::Up)];
    let mut window = opened(&fake);
    let up = format!("VPN {PATH}\u{a0}: monté");
    press(&mut window, &up);
    until(&mut window, "its tab", |w| {
        w.query_by_role_and_label(Widget::Tab, "Boulangerie Dupont – VPN").is_some()
    });
    let opened = |fake: &Fake| fake.asked().iter().filter(|a| *a == "connect VPN").count();
    assert_eq!(opened(&fake), 1);
    // A second click shows the same tab.
    window.get_by_role_and_label(Widget::Tab, "Fiche").click();
    window.run_steps(3);
    press(&mut window, &up);
    assert_eq!(opened(&fake), 1);
    // It stays up for the sessions that go through it: no question.
    press(&mut window, "Fermer l’onglet VPN");
    gone(&mut window, "Fermer l’onglet VPN");
    until(&mut window, "its end", |_| fake.lock().closed == [""]);
    let mut last = vpn(Step::Up);
    last.sessions = 1;
    fake.lock().vpns = vec![last];
    press(&mut window, &up);
    sees(&mut window, "Fermer l’onglet VPN");
    window.key_press_modifiers(egui::Modifiers::CTRL | egui::Modifiers::SHIFT, egui::Key::W);
    press(&mut window, "Couper le VPN");
    gone(&mut window, "Fermer l’onglet VPN");
}

#[test]
fn a_vpn_is_taken_down_after_a_question_while_sessions_go_through_it() {
    let fake = through_vpn();
    fake.lock().vpns = vec![vpn(Step::Up)];
    let mut window = opened(&fake);
    let button = format!("Couper le VPN {PATH}");
    press(&mut window, &button);
    let title = format!("Couper le VPN «\u{a0}{PATH}\u{a0}»\u{a0}?");
    sees(&mut window, &title);
    window.key_press(egui::Key::Escape);
    gone(&mut window, &title);
    press(&mut window, &button);
    sees(&mut window, "2 sessions en dépendent\u{a0}: ce qui y est ouvert se terminera.");
    let down = |fake: &Fake| fake.asked().iter().filter(|a| *a == "down VPN").count();
    assert_eq!(down(&fake), 0);
    press(&mut window, "Couper le VPN");
    until(&mut window, "its end", |_| down(&fake) == 1);
    gone(&mut window, &button);
    // One that nothing goes through is taken down at once.
    let mut idle = vpn(Step::Up);
    idle.sessions = 0;
    fake.lock().vpns = vec![idle];
    fake.changed(Change::Log);
    press(&mut window, &button);
    until(&mut window, "its end", |_| down(&fake) == 2);
}

#[test]
fn a_window_without_a_vpn_asks_nothing_while_time_passes() {
    let fake = Fake::new();
    let clock = Arc::new(Mutex::new(Instant::now()));
    let told = clock.clone();
    let clock_of = Box::new(move || *told.lock().expect("held for a moment"));
    let mut window = window_with(&fake, true, Prefs::load(None), clock_of);
    unlock(&mut window);
    window.run_steps(4);
    let before = fake.lock().statuses;
    for _ in 0..20 {
        *clock.lock().expect("held for a moment") += EVERY;
        window.run_steps(2);
    }
    assert_eq!(fake.lock().statuses, before);
}

#[test]
fn a_vpn_that_reconnects_is_told_in_the_tab_of_its_session_until_it_is_up_again() {
    let fake = through_vpn();
    fake.lock().steps = vec![Progress::Vpn(Step::Contacting), Progress::Vpn(Step::Up)];
    let clock = Arc::new(Mutex::new(Instant::now()));
    let told = clock.clone();
    let clock_of = Box::new(move || *told.lock().expect("held for a moment"));
    let mut window = window_with(&fake, true, Prefs::load(None), clock_of);
    unlock(&mut window);
    fake.lock().vpns = vec![vpn(Step::Up)];
    find(&mut window, "srv-web", WEB);
    window.key_press(egui::Key::Enter);
    // The window learns of the VPN by the session alone.
    sees(&mut window, &format!("Par le VPN {PATH}"));
    sees(&mut window, &format!("VPN {PATH}\u{a0}: monté"));
    let mut away = vpn(Step::Reconnecting);
    away.now.why = Some(Bi::new("le serveur ne répond plus", "the server no longer answers"));
    fake.lock().vpns = vec![away];
    let next = |window: &mut Window| {
        *clock.lock().expect("held for a moment") += EVERY;
        window.run_steps(2);
    };
    next(&mut window);
    let words = format!("VPN {PATH}\u{a0}: reconnexion\u{a0}: le serveur ne répond plus");
    // In the line of VPNs and in the tab.
    until(&mut window, &words, |w| w.query_all_by_label(&words).count() == 2);
    fake.lock().vpns = vec![vpn(Step::Up)];
    next(&mut window);
    sees(&mut window, &format!("Par le VPN {PATH}"));
    fake.lock().vpns.clear();
    next(&mut window);
    gone(&mut window, &format!("VPN {PATH}\u{a0}: monté"));
}

#[test]
fn the_steps_of_the_vpn_and_the_question_before_it_are_shown() {
    let fake = through_vpn();
    let mut state = fake.lock();
    state.steps = vec![Progress::Vpn(Step::Authenticating)];
    state.questions = vec![Question::RaiseVpn { path: PATH.to_owned() }];
    state.asks_first = true;
    drop(state);
    let mut window = opened(&fake);
    find(&mut window, "srv-web", WEB);
    window.key_press(egui::Key::Enter);
    sees(&mut window, "Monter le VPN d’abord\u{a0}?");
    sees(&mut window, PATH);
    press(&mut window, "Monter le VPN");
    until(&mut window, "the answer", |_| fake.asked().iter().any(|a| a == "yes"));
    sees(&mut window, &format!("Par le VPN {PATH}"));
}

/// Opens the picker, whose button is below what is seen of the form.
fn choose_vpn(window: &mut Window) {
    let name = "Choisir\u{a0}: VPN";
    sees(window, name);
    window.get_by_role_and_label(Widget::Button, name).focus();
    window.run_steps(3);
    press(window, name);
}

#[test]
fn the_form_of_a_server_picks_among_vpns_alone_and_takes_one() {
    let fake = through_vpn();
    let mut other = node(51, 2, Some(2), "openvpn", "VPN clinique");
    other.favourite = true;
    fake.lock().entries.push(other);
    let mut window = opened(&fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(egui::Key::ArrowDown);
    press(&mut window, "Modifier");
    choose_vpn(&mut window);
    sees(&mut window, "Choisir un VPN");
    sees(&mut window, "Clinique Sainte-Éléonore/VPN clinique");
    window.get_by_role_and_label(Widget::ListItem, PATH).click();
    window.run_steps(3);
    assert_eq!(value(&window, "VPN"), PATH);
    choose_vpn(&mut window);
    sees(&mut window, "Clinique Sainte-Éléonore/VPN clinique");
    let label = "Clinique Sainte-Éléonore/VPN clinique";
    window.get_by_role_and_label(Widget::ListItem, label).click();
    window.run_steps(3);
    // A way leads through one VPN.
    assert_eq!(value(&window, "VPN"), "Clinique Sainte-Éléonore/VPN clinique");
    press(&mut window, "Enregistrer");
    until(&mut window, "the change", |_| fake.asked().iter().any(|a| a == "edit srv-base-01"));
    let saved = fake.entry("srv-base-01").expect("it is there");
    assert_eq!(saved.settings["vpn"], "Clinique Sainte-Éléonore/VPN clinique");
}

#[test]
fn a_profile_that_is_dropped_opens_a_form_with_what_was_taken_and_left_out() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let path = home.path().join("siège.ovpn");
    std::fs::write(&path, PROFILE).expect("ours");
    let fake = Fake::new();
    let mut window = opened(&fake);
    let drop_it = |window: &mut Window| {
        window.input_mut().dropped_files.push(Arc::new(Dropped(path.clone())));
        window.run_steps(3);
    };
    // Nothing is chosen: it has no place.
    drop_it(&mut window);
    until(&mut window, "why not", |w| w.query_by_label_contains("pas encore de place").is_some());
    crate::kit_gui::choose(&mut window, "Boulangerie Dupont");
    drop_it(&mut window);
    sees(&mut window, "siège.ovpn");
    sees(&mut window, "vpn.dupont.exemple:1194/udp");
    sees(&mut window, "Une directive dangereuse a été écartée.");
    assert_eq!(value(&window, "Nom"), "siège");
    fill(&mut window, Widget::TextInput, "Nom", " 1");
    press(&mut window, "Enregistrer");
    until(&mut window, "the entry", |_| {
        fake.asked().iter().any(|a| a == "create Boulangerie Dupont/siège 1")
    });
    let made = fake.entry("siège 1").expect("just made");
    let kept = fake.lock().put[&(made.id, Slot::Custom("openvpn-profile".into()))].clone();
    assert!(kept.contains("vpn.dupont.exemple") && !kept.contains("run-me"), "{kept}");
    assert_eq!(fake.lock().put[&(made.id, Slot::Password)], "sésame-9");
}
