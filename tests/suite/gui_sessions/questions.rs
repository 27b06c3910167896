//! Questions that reach the person, and answers that reach the connection.

use std::sync::mpsc::channel;

use egui::accesskit::Role;
use egui::{Event, Key};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use poterne::connect::link::FromRemote;
use poterne::connect::manifest::approval::Approval;
use poterne::connect::{Answer, Question};
use poterne::model::lang::Bi;
use poterne::model::target::HostPort;

use super::kit::{Script, Shown, key, open_as, refused, see, window};

#[test]
fn the_person_sees_the_key_answers_a_prompt_and_types_into_the_shell() {
    let (told, tell) = channel();
    let script: Script = Box::new(move |ui| {
        if !matches!(ui.ask(Question::TrustHostKey(key())), Answer::Yes) {
            return Err(refused());
        }
        let question = Question::Prompt { text: "Code \x1b[2Junique\u{a0}:".into(), echo: false };
        if let Answer::Text(text) = ui.ask(question) {
            told.send(text.expose(str::to_owned)).map_err(|_| refused())?;
        }
        Ok(())
    });
    let (mut h, far, wait) = window(vec![script]);
    h.state_mut().sessions.open(open_as("web"));
    see(&mut h, &wait, "SHA256:abcdefgh");
    h.get_by_label("Faire confiance et continuer").click();
    see(&mut h, &wait, "Le serveur demande\u{a0}:");
    h.run_steps(3);
    // Only the field's name and the words; the typed answer is nowhere.
    h.event(Event::Text("123456".into()));
    h.run_steps(2);
    assert!(h.query_by_label_contains("123456").is_none());
    h.key_press(Key::Enter);
    h.run_steps(2);
    assert_eq!(tell.recv().as_deref(), Ok("123456"));
    see(&mut h, &wait, "Terminal");
    h.run_steps(4);
    assert!(h.query_by_label_contains("Algorithmes faibles").is_some());
    h.event(Event::Text("ls".into()));
    h.key_press(Key::Enter);
    h.run_steps(3);
    assert_eq!(*far.typed.lock().expect("as above"), b"ls\r");
}

#[test]
fn a_lock_wipes_the_answer_being_typed_and_what_a_program_offers() {
    let (told, tell) = channel();
    let script: Script = Box::new(move |ui| {
        let question = Question::Prompt { text: "Code\u{a0}:".into(), echo: false };
        if let Answer::Text(text) = ui.ask(question) {
            told.send(text.expose(str::to_owned)).map_err(|_| refused())?;
        }
        Ok(())
    });
    let (mut h, far, wait) = window(vec![script]);
    h.state_mut().sessions.open(open_as("web"));
    see(&mut h, &wait, "Le serveur demande\u{a0}:");
    h.run_steps(3);
    h.event(Event::Text("123456".into()));
    h.run_steps(2);
    h.state_mut().view.lock();
    h.run_steps(3);
    h.event(Event::Text("7".into()));
    h.run_steps(2);
    h.key_press(Key::Enter);
    h.run_steps(2);
    assert_eq!(tell.recv().as_deref(), Ok("7"));

    see(&mut h, &wait, "Terminal");
    let mut sink = far.sinks.lock().expect("as above").pop().expect("a shell");
    let offer = |h: &Harness<'static, Shown>| h.query_by_label("Autoriser").is_some();
    sink(FromRemote::Data(b"\x1b]52;c;c2VjcmV0\x07".to_vec()));
    see(&mut h, &wait, "Autoriser");
    h.state_mut().view.lock();
    h.run_steps(3);
    assert!(!offer(&h), "what was offered stayed");
    // Offered behind the lock's screen, before anybody could answer.
    sink(FromRemote::Data(b"\x1b]52;c;c2VjcmV0\x07".to_vec()));
    h.state().sessions.tabs()[0].terminal().expect("it is live").settle();
    h.state().sessions.forget_offers();
    h.run_steps(3);
    assert!(!offer(&h));
}

fn approval(changed: bool, text: &str) -> Question {
    Question::Approve(Box::new(Approval {
        kind: "essai".into(),
        name: Bi::new("Essai", "Trial"),
        source: Bi::same("/home/zoe/essai.toml"),
        program: "/usr/bin/essai".into(),
        real: "/opt/essai-2/essai".into(),
        fingerprint: "SHA256:0123".into(),
        open: false,
        changed,
        text: text.into(),
    }))
}

#[test]
fn a_connector_by_manifest_is_shown_and_approved_or_refused() {
    let (told, tell) = channel();
    let script: Script = Box::new(move |ui| {
        for question in [
            approval(false, "kind = \"essai\"\nargs = [\"\x1b[2J\u{202e}\",\t\"b\"]\n"),
            approval(
                true,
                &format!("@@ -1 +1 @@\n-args = [\"a\"]\n+args = [\"b\"]\n{}", "+# x\n".repeat(99)),
            ),
        ] {
            let yes = matches!(ui.ask(question), Answer::Yes);
            told.send(yes).map_err(|_| refused())?;
        }
        Err(refused())
    });
    let (mut h, _far, wait) = window(vec![script]);
    h.state_mut().sessions.open(open_as("web"));
    see(&mut h, &wait, "Connecteur nouveau sur cet ordinateur");
    assert!(h.query_by_label("kind = \"essai\"").is_some());
    let line = "args = [\"\u{fffd}[2J\u{fffd}\",    \"b\"]";
    assert!(h.query_by_label(line).is_some(), "nothing unseen");
    assert!(h.query_by_label("SHA256:0123").is_some());
    assert!(h.query_by_label("Source\u{a0}: /home/zoe/essai.toml").is_some());
    let leads = "Programme\u{a0}: /usr/bin/essai → /opt/essai-2/essai";
    assert!(h.query_by_label(leads).is_some());
    h.get_by_label("Approuver et continuer").click();
    see(&mut h, &wait, "Ce connecteur a changé");
    assert_eq!(tell.recv(), Ok(true));
    assert!(h.query_by_label_contains("Lisez ce qui a changé").is_some());
    assert!(h.query_by_label("-args = [\"a\"]").is_some());
    assert!(h.query_by_label("+args = [\"b\"]").is_some());
    // Enter, pressed once too often, refuses.
    h.run_steps(2);
    let refuse = h.get_by_label("Refuser").rect();
    assert!(h.ctx.content_rect().contains_rect(refuse), "in sight below a long text: {refuse:?}");
    h.key_press(Key::Enter);
    h.run_steps(2);
    assert_eq!(tell.recv(), Ok(false));
}

#[test]
fn the_passphrase_of_a_key_is_asked_for_in_words_of_its_own_and_typed_unseen() {
    let (told, tell) = channel();
    let script: Script = Box::new(move |ui| {
        let at = HostPort { host: "srv1".into(), port: 22 };
        let question = Question::Passphrase { user: "zoe".into(), at, again: true };
        let Answer::Text(text) = ui.ask(question) else { return Err(refused()) };
        told.send(text.expose(str::to_owned)).map_err(|_| refused())
    });
    let (mut h, _far, wait) = window(vec![script]);
    h.state_mut().sessions.open(open_as("web"));
    let label = "Phrase secrète de la clé de zoe pour srv1";
    see(&mut h, &wait, "La clé privée est chiffrée, sans phrase secrète enregistrée.");
    assert!(h.query_by_label("Celle que vous avez tapée n’ouvre pas la clé.").is_some());
    assert!(h.query_by_label("Le serveur demande\u{a0}:").is_none(), "it is not the server");
    h.run_steps(3);
    assert!(h.query_by_role_and_label(Role::PasswordInput, label).is_some());
    h.event(Event::Text("phrase".into()));
    h.run_steps(2);
    h.key_press(Key::Enter);
    h.run_steps(2);
    assert_eq!(tell.recv().as_deref(), Ok("phrase"));
}
