//! What every test of the window does: opens it over a fake application, types,
//! presses, and waits for what it expects, since answers come from threads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::Key;
use egui::accesskit::{Role, Toggled};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use poterne::gui::prefs::Prefs;
use poterne::gui::screen::RawKeys;
use poterne::gui::shell::{Clock, Shell, ShellOptions};
use poterne::model::lang::Lang;

use crate::gui_fake::{CODE, Fake, PASSWORD};
use crate::gui_fake_tree::key;

pub type Window = Harness<'static, Shell>;

pub fn window(fake: &Fake, exists: bool) -> Window {
    window_with(fake, exists, Prefs::load(None), Box::new(Instant::now))
}

pub fn window_with(fake: &Fake, exists: bool, prefs: Prefs, clock: Clock) -> Window {
    window_hearing(fake, exists, prefs, clock, RawKeys::default())
}

/// A window whose keyboard the test presses key by key.
pub fn window_hearing(
    fake: &Fake,
    exists: bool,
    prefs: Prefs,
    clock: Clock,
    keys: RawKeys,
) -> Window {
    let backend = Arc::new(fake.clone());
    Harness::builder().with_size([1280.0, 720.0]).build_eframe(move |cc| {
        let options = ShellOptions {
            backend,
            vault: "/tmp/essai.vault".into(),
            exists,
            lang: Some(Lang::Fr),
            demo: None,
            prefs,
            clock,
            keys,
        };
        Shell::new(&cc.egui_ctx, options)
    })
}

/// Repaints until `seen`, at most a minute.
pub fn until(window: &mut Window, what: &str, seen: impl Fn(&Window) -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        window.run_steps(2);
        if seen(window) {
            return;
        }
        assert!(Instant::now() < end, "never saw: {what}; there is {}", shown(window));
        std::thread::yield_now();
    }
}

/// What the window says, for the person who reads why a test failed.
fn shown(window: &Window) -> String {
    let root = window.root();
    let nodes = root.children_recursive().map(|node| {
        let node = node.accesskit_node();
        let focus = if node.is_focused() { " (has the keyboard)" } else { "" };
        format!("{:?} {:?} {:?}{focus}", node.role(), node.label(), node.value())
    });
    nodes.collect::<Vec<_>>().join("\n")
}

pub fn sees(window: &mut Window, label: &str) {
    until(window, label, |w| w.query_all_by_label(label).next().is_some());
}

pub fn gone(window: &mut Window, label: &str) {
    until(window, &format!("no {label}"), |w| w.query_all_by_label(label).next().is_none());
}

pub fn press(window: &mut Window, label: &str) {
    sees(window, label);
    window.get_by_role_and_label(Role::Button, label).click();
    window.run_steps(3);
}

/// Clicks a line of the list until it is chosen: what is read late, such as the
/// favourites, moves the lines below it between the look and the click.
pub fn choose(window: &mut Window, name: &str) {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        sees(window, name);
        window.get_by_role_and_label(Role::ListItem, name).click();
        window.run_steps(3);
        if selected(window).iter().any(|line| line == name) {
            return;
        }
        assert!(Instant::now() < end, "never chosen: {name}; there is {}", shown(window));
    }
}

pub fn fill(window: &mut Window, role: Role, label: &str, text: &str) {
    until(window, label, |w| w.query_by_role_and_label(role, label).is_some());
    window.get_by_role_and_label(role, label).focus();
    window.run_steps(2);
    window.event(egui::Event::Text(text.to_owned()));
    window.run_steps(2);
}

pub fn unlock(window: &mut Window) {
    fill(window, Role::PasswordInput, "Mot de passe", PASSWORD);
    fill(window, Role::PasswordInput, "Code à 6 chiffres", CODE);
    sees(window, "Boulangerie Dupont");
}

/// The window over an open vault.
pub fn opened(fake: &Fake) -> Window {
    let mut window = window(fake, true);
    unlock(&mut window);
    window
}

/// Types `query` into the search, and waits for the entry at `path` in the results.
pub fn find(window: &mut Window, query: &str, path: &str) {
    fill(window, Role::TextInput, "Rechercher", query);
    sees(window, path);
}

/// Opens `srv-base-01`, whose server shows another key than the pinned one.
pub fn connect_to_changed_key(fake: &Fake) -> Window {
    fake.0.lock().unwrap().pinned = Some(key("vieille"));
    let mut window = opened(fake);
    find(&mut window, "srv-base", "Boulangerie Dupont/Serveurs/srv-base-01");
    window.key_press(Key::Enter);
    until(&mut window, "the warning", |w| w.query_by_label_contains("A CHANGÉ").is_some());
    window
}

/// The chosen lines of the list, by their labels.
pub fn selected(window: &Window) -> Vec<String> {
    window
        .query_all_by_role(Role::ListItem)
        .filter(|node| node.accesskit_node().toggled() == Some(Toggled::True))
        .filter_map(|node| node.accesskit_node().label())
        .collect()
}

/// What stands in a field.
pub fn value(window: &Window, label: &str) -> String {
    window.get_by_role_and_label(Role::TextInput, label).value().unwrap_or_default()
}
