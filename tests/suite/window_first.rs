//! The first day with Poterne, in the real window with real keys: a vault is made
//! with a phone that reads the QR code from the screen, a client and a server are
//! typed in, the server's key is compared and trusted, a command runs there, and
//! the log is handed to an auditor who has nothing but the bundle. While the session
//! runs, nothing that was typed can be read by other programs.

use std::path::Path;
use std::process::{Command, Output};

use crate::kit::Phone;
use crate::kit_reader::{Person, Reader, Screen, role};
use crate::kit_ssh::{Setup, Sshd, descendants, sh, user};
use crate::kit_window::{POTERNE, Stage};
use crate::leaks::{device_key, found_nowhere, in_all_forms};
use crate::memory::random_text;

/// What a phone sees when it is held before the screen.
fn photographed(stage: &Stage) -> Option<String> {
    let picture = stage.picture("qr.png");
    let out = Command::new("zbarimg").args(["-q", "--raw"]).arg(&picture).output();
    std::fs::remove_file(picture).expect("ours");
    let text = String::from_utf8(out.expect("tests/run installs zbar-tools").stdout).ok()?;
    text.lines().find(|line| line.starts_with("otpauth://")).map(str::to_owned)
}

/// The kit on the printed page. The paper is taken away, and its file with it.
fn from_paper(page: &Path) -> String {
    let text = sh("pdftotext", &["-layout", page.to_str().expect("plain"), "-"]);
    std::fs::remove_file(page).expect("ours");
    let group =
        |w: &&str| w.len() == 4 && w.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let after = text.split_once("Code de secours").expect("its heading").1;
    let groups: Vec<_> = after.split_whitespace().filter(group).take(9).collect();
    assert_eq!(groups.len(), 9, "{text}");
    groups.join(" ")
}

/// What was made in the guide.
struct Made {
    phone: Phone,
    kit: String,
    fingerprint: String,
}

fn makes_a_vault(alice: &Person<'_>, password: &str) -> Made {
    let Person { stage, screen } = alice;
    alice.types(role::FIELD, "Votre nom", "alice");
    alice.press("Return");
    alice.types(role::SECRET, "Mot de passe", password);
    alice.press("Return");
    alice.types(role::SECRET, "Encore une fois", password);
    screen.may_press("Continuer");
    alice.press("Return");
    screen.sees("Lié à ce poste (conseillé)");
    screen.keyboard_at(role::BUTTON, "Continuer");
    alice.press("space");
    screen.keyboard_at(role::SECRET, "Code affiché par le téléphone");
    let uri = screen.until("the QR code", |_| photographed(stage));
    let phone = Phone::of_uri(&uri);
    phone.peek().expose(|code| stage.type_text(code));
    screen.keyboard_at(role::BUTTON, "Je l’ai noté");
    alice.goes_to(role::BUTTON, "Enregistrer en PDF…");
    alice.press("space");
    let page = stage.home.path().join("kit.pdf");
    let path = page.to_str().expect("plain");
    alice.types(role::FIELD, "Chemin du fichier", path);
    alice.press("Return");
    screen.sees(path);
    let kit = from_paper(&page);
    alice.goes_to(role::BUTTON, "Je l’ai noté");
    alice.press("space");
    alice.types(role::SECRET, "Kit recopié", &kit);
    assert!(!stage.vault().exists(), "the kit counts once it was typed back");
    alice.press("Return");
    screen.sees("Votre coffre est prêt");
    let fingerprint = screen.until("the fingerprint", |nodes| {
        let labels: Vec<_> = nodes.iter().filter(|n| n.role == role::LABEL).collect();
        let at = labels.iter().position(|n| n.name == "Empreinte publique du coffre")?;
        Some(labels.get(at + 1)?.name.clone())
    });
    screen.keyboard_at(role::BUTTON, "Déverrouiller");
    alice.press("space");
    alice.types(role::SECRET, "Mot de passe", password);
    alice.press("Return");
    screen.keyboard_at(role::SECRET, "Code à 6 chiffres");
    phone.peek().expose(|code| stage.type_text(code));
    screen.sees("Ce coffre est vide");
    Made { phone, kit, fingerprint }
}

/// What nobody but Alice is to read.
struct Secrets {
    typed: [String; 3],
    made: Made,
}

impl Secrets {
    /// All that a screen reader is told, in which they are not.
    fn told_nowhere(&self, screen: &Screen<'_>) -> String {
        let told = screen.all_text();
        for secret in self.typed.iter().chain([&self.made.kit]) {
            assert!(!told.contains(secret), "a screen reader is told a secret: {told}");
        }
        told
    }

    fn needles(&self, home: &Path) -> Vec<Vec<u8>> {
        let Made { phone, kit, .. } = &self.made;
        let kits = [kit.clone(), kit.replace(' ', "-"), kit.replace(' ', "")];
        let mut needles: Vec<_> =
            self.typed.iter().chain(&kits).map(|t| t.clone().into()).collect();
        phone.secret(|secret| needles.push(secret.to_vec()));
        phone.secret(|secret| needles.push(data_encoding::BASE32_NOPAD.encode(secret).into()));
        needles.push(device_key(home));
        needles
    }
}

#[test]
fn from_an_empty_home_to_a_verified_log_with_real_keys() {
    let [password, login, note] = [26, 20, 30].map(random_text);
    let server = Sshd::start(Setup { password: Some(login.clone()), ..Setup::default() });
    let reader = Reader::start();
    let mut stage = Stage::new();
    stage.session_bus.clone_from(&reader.address);
    let window = stage.window();
    let alice = Person { stage: &stage, screen: reader.window() };
    let screen = &alice.screen;
    let made = makes_a_vault(&alice, &password);

    alice.press("ctrl+shift+n");
    alice.types(role::FIELD, "Nom", "Dupont");
    alice.press("ctrl+s");
    screen.keyboard_at(role::FIELD, "Rechercher");
    alice.press("ctrl+n");
    alice.types(role::FIELD, "Nom", "Serveur");
    alice.press("Return");
    alice.types(role::FIELD, "Hôte", "127.0.0.1");
    alice.press("Return");
    alice.types(role::FIELD, "Port", &server.port.to_string());
    alice.goes_to(role::FIELD, "Identifiant");
    alice.types(role::FIELD, "Identifiant", &user());
    alice.press("Return");
    alice.types(role::SECRET, "Mot de passe", &login);
    alice.goes_to(role::SECRET, "Notes");
    alice.types(role::SECRET, "Notes", &note);
    let secrets = Secrets { typed: [password, login, note], made };
    let told = secrets.told_nowhere(screen);
    assert!(told.contains("127.0.0.1"), "what is no secret is told: {told}");
    alice.press("ctrl+s");
    screen.keyboard_at(role::FIELD, "Rechercher");
    screen.sees("Se connecter");

    alice.press("Return");
    screen.keyboard_at(role::BUTTON, "Copier l’empreinte");
    screen.sees(&server.fingerprint("ed25519"));
    alice.goes_to(role::BUTTON, "Faire confiance et continuer");
    alice.press("space");
    screen.keyboard_at(role::TERMINAL, "Terminal");
    let done = stage.home.path().join("done");
    stage.type_text(&format!("echo $((6*7)) > {}", done.display()));
    alice.press("Return");
    screen.until("the command", |_| {
        let answer = std::fs::read_to_string(&done).unwrap_or_default();
        (answer.trim() == "42").then_some(())
    });

    secrets.told_nowhere(screen);
    let mut processes = descendants(window.pid());
    assert!(!processes.is_empty(), "a session has a process of its own");
    processes.push(window.pid());
    let needles = in_all_forms(&secrets.needles(stage.home.path()));
    let seen = found_nowhere(&needles, &processes, stage.home.path());
    assert!(seen >= 4, "the vault, its computer's key, the log, what the command wrote");

    alice.press("ctrl+shift+k");
    screen.keyboard_at(role::FIELD, "Rechercher");
    alice.press("alt+2");
    screen.keyboard_at(role::FIELD, "Texte cherché");
    alice.goes_to(role::BUTTON, "Exporter…");
    alice.press("space");
    screen.keyboard_at(role::BUTTON, "Exporter");
    // A bundle is what is proposed.
    screen.sees("Se vérifie sans le coffre");
    let bundle = stage.home.path().join("journal.zip");
    let path = bundle.to_str().expect("plain");
    alice.goes_to(role::FIELD, "Fichier");
    alice.types(role::FIELD, "Fichier", path);
    alice.goes_to(role::BUTTON, "Exporter");
    alice.press("space");
    screen.sees("lignes écrites");

    // The auditor has neither vault nor home of Alice's, but the bundle and what she
    // read out to him when the vault was made.
    let office = tempfile::tempdir().expect("a folder");
    let fingerprint = secrets.made.fingerprint.as_str();
    let verify = ["audit", "verify", path, "--fingerprint", fingerprint];
    let out = Command::new(POTERNE).args(verify).env("HOME", office.path()).output();
    told_good(&out.expect("starts"));
    sh("python3", &["-m", "zipfile", "-e", path, office.path().to_str().expect("plain")]);
    let script = office.path().join("verify.py");
    let script = script.to_str().expect("plain");
    let python = ["-I", script, path, "--fingerprint", fingerprint];
    told_good(&Command::new("python3").args(python).output().expect("tests/run installs python3"));
}

fn told_good(out: &Output) {
    let told = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{told}");
}
