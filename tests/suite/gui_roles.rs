//! What a role sees in the window, over a real vault: an operator connects and
//! never sees a password, an auditor reads the log and no credential.

use std::sync::Arc;
use std::time::Instant;

use egui::accesskit::Role as Kind;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use poterne::app::api::{Patch, Reply, Request};
use poterne::gui::backend::Served;
use poterne::gui::prefs::Prefs;
use poterne::gui::shell::{Shell, ShellOptions};
use poterne::model::audit_event::{AuditFilter, Event};
use poterne::model::lang::Lang;
use poterne::model::member::Role;

use crate::kit::{Desk, login};
use crate::kit_gui::{Window, fill, find, press, sees, until};
use crate::team_story::{Person, invite};

/// The window of a member, unlocked through its own screen.
fn window(person: &mut Person) -> Window {
    let app = person.app.clone();
    let vault = app.file().to_owned();
    let mut window = Harness::builder().with_size([1280.0, 720.0]).build_eframe(move |cc| {
        let options = ShellOptions {
            backend: Arc::new(Served::new(app)),
            vault,
            exists: true,
            lang: Some(Lang::Fr),
            demo: None,
            prefs: Prefs::load(None),
            clock: Box::new(Instant::now),
            keys: Default::default(),
        };
        Shell::new(&cc.egui_ctx, options)
    });
    fill(&mut window, Kind::TextInput, "Membre", &person.name);
    fill(&mut window, Kind::PasswordInput, "Mot de passe", &person.password);
    let code = person.phone.code().expose(str::to_owned);
    fill(&mut window, Kind::PasswordInput, "Code à 6 chiffres", &code);
    window
}

fn log(desk: &Desk, event: Event) -> usize {
    let filter = AuditFilter { events: vec![event], ..AuditFilter::default() };
    let Reply::Log(lines) = desk.call(Request::AuditLog { filter }) else { panic!("lines") };
    lines.len()
}

#[test]
fn an_operator_connects_and_is_offered_no_secret() {
    let desk = Desk::open();
    for client in ["Dupont", "Martin"] {
        desk.add("client", client, Patch::default());
    }
    desk.add("ssh", "Dupont/srv", login("127.0.0.1", "support", "hunter2"));
    let code = invite(&desk, "olga", Role::Operator, &["Dupont"]);
    let mut olga = Person::accepted(&desk.file, &code, "le mot de olga");

    let mut window = window(&mut olga);
    sees(&mut window, "Dupont");
    assert!(window.query_by_label("Martin").is_none(), "a client that was not granted");
    find(&mut window, "srv", "Dupont/srv");
    window.key_press(Key::ArrowDown);
    sees(&mut window, "Se connecter");
    sees(&mut window, "Copier\u{a0}: Hôte");
    for hidden in ["Afficher\u{a0}: Mot de passe", "Copier\u{a0}: Mot de passe", "Modifier"] {
        assert!(window.query_by_label_contains(hidden).is_none(), "{hidden}");
    }
    window.key_press_modifiers(Modifiers::COMMAND, Key::P);
    // What is at the lower edge moves when the refusal comes.
    sees(&mut window, "Votre rôle ne le permet pas.");

    // What is new is for the operator's own space, which is made with it.
    press(&mut window, "\u{2795} Nouveau");
    for hidden in ["Client", "Dossier", "Serveur SSH"] {
        assert!(window.query_by_role_and_label(Kind::Button, hidden).is_none(), "{hidden}");
    }
    press(&mut window, "Identifiant personnel");
    fill(&mut window, Kind::TextInput, "Nom", "vpn");
    press(&mut window, "Enregistrer");
    sees(&mut window, "~olga");
    window.get_by_role_and_label(Kind::TextInput, "Rechercher").focus();
    window.run_steps(2);
    find(&mut window, "srv", "Dupont/srv");
    window.key_press(Key::ArrowDown);

    press(&mut window, "Se connecter");
    // The session itself needs the real program; that it was let go is in the log.
    until(&mut window, "the session under way", |_| log(&desk, Event::SessionOpening) == 1);
    assert_eq!(log(&desk, Event::SecretCopied) + log(&desk, Event::SecretRevealed), 0);
}

#[test]
fn an_auditor_reads_the_log_and_sees_no_entry() {
    let desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("ssh", "Dupont/srv", login("h.example", "root", "hunter2"));
    let code = invite(&desk, "carl", Role::Auditor, &[]);
    let mut carl = Person::accepted(&desk.file, &code, "le mot de carl");

    let mut window = window(&mut carl);
    sees(&mut window, "Vérifier le journal");
    until(&mut window, "lines", |w| w.query_all_by_role(Kind::ListItem).count() > 3);
    press(&mut window, "Vérifier le journal");
    until(&mut window, "verified", |w| {
        w.query_all_by_label_contains("Journal intact").next().is_some()
    });
    for hidden in ["Accès", "Se connecter"] {
        assert!(window.query_by_role_and_label(Kind::Button, hidden).is_none(), "{hidden}");
    }
    assert!(window.query_by_role_and_label(Kind::TextInput, "Rechercher").is_none());
    window.key_press_modifiers(Modifiers::ALT, Key::Num1);
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.run_steps(4);
    sees(&mut window, "Vérifier le journal");
    assert!(window.query_by_label("Choisissez un accès").is_none());
}
