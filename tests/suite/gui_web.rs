//! A web page opened from the window: asked for a ticket and told to the log as a
//! session is, then the browser, then the login on the clipboard.

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;

use crate::gui_fake::Fake;
use crate::kit_gui::{Window, fill, find, gone, opened, press, sees, until};

const PAGE: &str = "Mairie de Saint-Œuvre/Pare-feu WatchGuard";

/// What was put on the clipboard, until `seen`.
fn copied(window: &mut Window, fake: &Fake, seen: impl Fn(&Fake) -> bool) -> Vec<String> {
    let mut copied = Vec::new();
    for _ in 0..1_000_000 {
        window.run_steps(1);
        copied.extend(window.output().platform_output.commands.iter().filter_map(|c| match c {
            egui::OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        }));
        if seen(fake) && !copied.is_empty() {
            break;
        }
        std::thread::yield_now();
    }
    copied
}

#[test]
fn enter_logs_a_page_opens_it_and_copies_the_login() {
    let fake = Fake::new();
    let mut window = opened(&fake);
    find(&mut window, "WatchGuard", PAGE);
    window.key_press(Key::Enter);
    let copied = copied(&mut window, &fake, |fake| fake.asked().len() >= 3);
    let steps = ["visit Pare-feu WatchGuard", "browser https://10.30.0.1:8080/", "visited true"];
    assert_eq!(fake.asked(), steps);
    assert_eq!(copied, ["status"]);
    until(&mut window, "what was done", |w| {
        w.query_by_label_contains("identifiant «\u{a0}status\u{a0}» copié").is_some()
    });
    sees(&mut window, "Afficher\u{a0}: Mot de passe");
}

#[test]
fn a_page_of_a_client_with_tickets_is_opened_with_one() {
    let fake = Fake::new();
    for client in fake.0.lock().expect("ours").entries.iter_mut() {
        if let Some(info) = client.client_info.as_mut().filter(|_| client.name.starts_with("Mai")) {
            info.ticket_required = true;
            info.ticket_pattern = "GLPI-[0-9]{4}".to_owned();
        }
    }
    let mut window = opened(&fake);
    find(&mut window, "WatchGuard", PAGE);
    window.key_press(Key::Enter);
    sees(&mut window, "Motif (facultatif)");
    assert!(fake.asked().is_empty(), "opened before it was asked");
    fill(&mut window, Role::TextInput, "Numéro de ticket", "GLPI-4211");
    press(&mut window, "Continuer");
    until(&mut window, "the page", |_| fake.asked().contains(&"visited true".to_owned()));
    gone(&mut window, "Motif (facultatif)");
}

#[test]
fn a_page_that_no_browser_shows_is_logged_as_failed_and_told() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").no_browser = true;
    let mut window = opened(&fake);
    find(&mut window, "WatchGuard", PAGE);
    window.key_press(Key::Enter);
    sees(&mut window, "Aucun navigateur.");
    assert_eq!(fake.asked().last().map(String::as_str), Some("visited false"));
}

#[test]
fn a_page_that_is_logged_in_to_opens_a_tab_with_what_happens() {
    let fake = Fake::new();
    fake.0.lock().expect("ours").drives_pages = true;
    let mut window = opened(&fake);
    find(&mut window, "WatchGuard", PAGE);
    sees(&mut window, "Se connecter");
    window.key_press(Key::Enter);
    until(&mut window, "the session", |_| {
        fake.asked().contains(&"connect Pare-feu WatchGuard".to_owned())
    });
    sees(&mut window, "Mairie de Saint-Œuvre – Pare-feu WatchGuard");
    assert!(!fake.asked().iter().any(|asked| asked.starts_with("browser")), "{:?}", fake.asked());
}
