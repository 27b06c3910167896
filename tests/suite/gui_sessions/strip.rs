//! The strip of tabs, and what a tab says that failed or ended.

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::Queryable as _;
use poterne::connect::link::{Exit, FromRemote};

use super::kit::{Script, open_as, refused, see, window};

#[test]
fn many_tabs_keep_their_names_and_are_all_in_a_list() {
    let scripts = (0..12).map(|_| -> Script { Box::new(|_| Err(refused())) }).collect();
    let (mut h, _far, wait) = window(scripts);
    for n in 0..12 {
        h.state_mut().sessions.open(open_as(&format!("srv-{n:02}")));
    }
    see(&mut h, &wait, "Dupont – srv-11");
    let tab = h.get_by_role_and_label(Role::Tab, "Dupont – srv-11").rect();
    assert!(tab.width() >= 150.0, "{tab:?}");
    h.get_by_role_and_label(Role::Button, "Tous les onglets").click();
    h.run_steps(3);
    h.get_by_role_and_label(Role::Button, "Dupont – srv-02").click();
    h.run_steps(3);
    let front = h.state().sessions.front().expect("a tab");
    assert_eq!(h.state().sessions.tab(front).expect("it is there").open_as.title, "srv-02");
}

#[test]
fn a_failed_tab_says_what_and_what_to_do_and_retries() {
    let (mut h, _far, wait) = window(vec![Box::new(|_| Err(refused()))]);
    h.state_mut().sessions.open(open_as("web"));
    see(&mut h, &wait, "Le port 22 refuse la connexion.");
    h.get_by_label("Vérifiez que le service tourne.");
    h.get_by_label("Réessayer").click();
    see(&mut h, &wait, "Terminal");
}

#[test]
fn a_live_tab_is_closed_after_a_yes_and_an_ended_one_says_how_it_ended() {
    let (mut h, far, wait) = window(Vec::new());
    h.state_mut().sessions.open(open_as("web"));
    see(&mut h, &wait, "Terminal");
    h.get_by_role_and_label(Role::Tab, "Dupont – web");
    h.get_by_label("Fermer l’onglet web").click();
    see(&mut h, &wait, "Garder ouverte");
    h.get_by_label("Garder ouverte").click();
    h.run_steps(3);
    let mut sink = far.sinks.lock().expect("as above").pop().expect("a shell");
    sink(FromRemote::Exit(Exit::Status(2)));
    sink(FromRemote::Closed(None));
    see(&mut h, &wait, "Session terminée, code de sortie 2");
    let signs: Vec<_> = h.state().sessions.tabs().iter().map(|tab| tab.sign()).collect();
    assert_eq!(signs, ["2"]);
    h.key_press_modifiers(Modifiers { shift: true, ..Modifiers::CTRL }, Key::W);
    see(&mut h, &wait, "page d’accueil");
}

#[test]
fn the_sign_of_every_connector_can_be_painted() {
    let (mut h, _far, _wait) = window(vec![]);
    h.run_steps(2);
    for connector in poterne::connect::all() {
        for sign in connector.icon().chars() {
            let font = egui::FontId::proportional(13.0);
            let there = h.ctx.fonts_mut(|fonts| fonts.has_glyph(&font, sign));
            assert!(there, "{}: {sign}", connector.id());
        }
    }
}
