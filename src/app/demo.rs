//! Made-up vaults: the throw-away one of `poterne demo`, and large ones for
//! trials. Companies, people and hosts are fictional (RFC 2606 names, RFC 5737
//! addresses); the passwords are fictional too and open nothing.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::crypto::totp::Seed;
use crate::model::entry::{ClientInfo, CredentialSource, Kind, Slot};
use crate::model::time::Time;
use crate::os::{clock, random};
use crate::secret::{SecretBytes, SecretText};

use super::api::{AppError, At, Code, Factors, Patch, Reply, Request, SecretChange, Set};
use super::{App, CreateOptions, UnlockOptions};

/// Password of every made-up vault. It guards fiction only.
pub const PASSWORD: &str = "demo-poterne-2026";
/// Name of its one member.
pub const MEMBER: &str = "demo";
/// Least memory that key stretching may use, in MiB: a demo opens fast.
const KDF_MEMORY_MIB: u32 = 64;
/// Seconds of one step of a code.
const STEP_SECONDS: i64 = 30;
/// Entries of one client in a large vault.
const PER_CLIENT: u32 = 200;
/// Clients of a large vault that are handed over together.
const CLIENTS_AT_ONCE: usize = 200;
/// Entries of one folder in a large vault.
const PER_FOLDER: u32 = 20;

/// A made-up vault, unlocked.
pub struct Demo {
    /// The application, unlocked.
    pub app: App,
    /// Its file.
    pub file: PathBuf,
    /// The otpauth URI of its phone.
    pub otpauth: SecretText,
}

impl Demo {
    /// The code of now and the seconds it is good for.
    pub fn code(&self) -> Result<(SecretText, u64), AppError> {
        code_at(&self.otpauth, clock::now())
    }

    /// The base32 secret of its phone.
    pub fn totp_secret(&self) -> String {
        self.otpauth.expose(|uri| {
            let query = uri.split_once('?').map_or("", |(_, query)| query);
            let secret = query.split('&').find_map(|pair| pair.strip_prefix("secret="));
            secret.unwrap_or_default().to_owned()
        })
    }
}

fn code_at(otpauth: &SecretText, time: Time) -> Result<(SecretText, u64), AppError> {
    let seed = otpauth.expose(Seed::parse).map_err(|_| AppError {
        code: Code::Other,
        what: crate::model::lang::Bi::new(
            "Le coffre de démonstration n’a pas de graine lisible.",
            "The demo vault has no readable seed.",
        ),
        todo: crate::model::lang::Bi::new("Réessayez.", "Try again."),
    })?;
    Ok(seed.code(time))
}

/// Makes the throw-away vault's content at `file`: three companies.
///
/// # Errors
/// The file exists or cannot be written.
pub fn make_small(file: &Path) -> Result<Demo, AppError> {
    let demo = make_empty(file)?;
    for (kind, path, patch) in three_companies() {
        demo.app.call(Request::Create { kind, path, patch: Box::new(patch) })?;
    }
    link_backups(&demo.app)?;
    Ok(demo)
}

/// Makes a vault of exactly `entries` entries (folders and clients besides).
///
/// # Errors
/// The file exists or cannot be written.
pub fn make_large(file: &Path, entries: u32) -> Result<Demo, AppError> {
    let demo = make_empty(file)?;
    let mut clients = large(entries).peekable();
    while clients.peek().is_some() {
        demo.app.create_many(clients.by_ref().take(CLIENTS_AT_ONCE).flatten().collect())?;
    }
    Ok(demo)
}

/// An empty portable vault, unlocked with the code before the present one, so
/// that the present one is still good for the person.
fn make_empty(file: &Path) -> Result<Demo, AppError> {
    let app = App::new(file.to_owned());
    let mut enrolment = app.create(CreateOptions {
        file: file.to_owned(),
        member: MEMBER.to_owned(),
        password: SecretText::copy_of(PASSWORD),
        portable: true,
        kdf_memory_mib: Some(KDF_MEMORY_MIB),
    })?;
    let otpauth = enrolment.otpauth_uri().duplicate();
    with_earlier_code(&otpauth, |code| enrolment.check_code(&code))?;
    let kit = enrolment.kit().duplicate();
    enrolment.check_kit(&kit)?;
    enrolment.finish()?;
    with_earlier_code(&otpauth, |code| {
        app.unlock(UnlockOptions {
            member: Some(MEMBER.to_owned()),
            factors: Factors { password: SecretText::copy_of(PASSWORD), code },
            read_only: false,
            accept_older: false,
        })
    })?;
    Ok(Demo { app, file: file.to_owned(), otpauth })
}

/// Tries the code of one step ago; once more if a step ended meanwhile.
fn with_earlier_code<T>(
    otpauth: &SecretText,
    mut act: impl FnMut(SecretText) -> Result<T, AppError>,
) -> Result<T, AppError> {
    let mut earlier = || act(code_at(otpauth, clock::now().plus_seconds(-STEP_SECONDS))?.0);
    match earlier() {
        Err(error) if error.code == Code::Locked => earlier(),
        done => done,
    }
}

type Node = (Kind, String, Patch);

fn text(value: &str) -> Set<String> {
    Set::To(value.to_owned())
}

fn client(name: &str, info: ClientInfo, description: &str) -> Node {
    let patch =
        Patch { description: text(description), client_info: Set::To(info), ..Patch::default() };
    (Kind::CLIENT, name.to_owned(), patch)
}

fn folder(path: &str) -> Node {
    (Kind::FOLDER, path.to_owned(), Patch::default())
}

fn secret(patch: &mut Patch, slot: Slot, value: &str) {
    patch.secrets.insert(slot, SecretChange::Put(SecretBytes::copy_of(value.as_bytes())));
}

/// An SSH entry that inherits its login.
fn ssh(path: &str, host: &str, tags: &[&str], description: &str) -> Node {
    let patch = Patch {
        host: text(host),
        tags: Set::To(tags.iter().map(|tag| (*tag).to_owned()).collect()),
        description: text(description),
        ..Patch::default()
    };
    (Kind::new("ssh"), path.to_owned(), patch)
}

fn with_login(mut node: Node, user: &str, password: &str) -> Node {
    node.2.user = text(user);
    node.2.credential = Set::To(CredentialSource::Own);
    secret(&mut node.2, Slot::Password, password);
    node
}

fn note(path: &str, words: &str) -> Node {
    let mut patch = Patch::default();
    secret(&mut patch, Slot::Notes, words);
    (Kind::new("note"), path.to_owned(), patch)
}

fn web(path: &str, address: &str, user: &str, password: &str) -> Node {
    let patch = Patch { host: text(address), ..Patch::default() };
    with_login((Kind::new("web"), path.to_owned(), patch), user, password)
}

/// Three companies as a technician of a small service provider knows them.
fn three_companies() -> Vec<Node> {
    let info = |code: &str, colour: &str| ClientInfo {
        code: code.to_owned(),
        colour: colour.to_owned(),
        ..ClientInfo::default()
    };
    let mut local =
        (Kind::new("shell"), "Boulangerie Ménard/Ce poste".to_owned(), Patch::default());
    local.2.description = text("Un shell sur cet ordinateur\u{a0}: marche partout.");
    local.2.favourite = Set::To(true);
    let ticketed = ClientInfo {
        ticket_pattern: "TR-[0-9]{4,6}".to_owned(),
        ticket_url: "https://glpi.example/front/ticket.form.php?id={ticket}".to_owned(),
        ticket_required: true,
        ..info("TRV", "#b4552d")
    };
    let mut switch = with_login(
        ssh(
            "Transports Rivière/Réseau/switch-quai-2",
            "192.0.2.40",
            &["switch", "ancien"],
            "N’offre que d’anciens algorithmes.",
        ),
        "manager",
        "quai-2-Riviere!",
    );
    switch.2.expires = Set::To(Some(jiff::civil::date(2027, 6, 30)));
    vec![
        client(
            "Boulangerie Ménard",
            info("MEN", "#c08a2e"),
            "Trois boutiques à Tours\u{a0}; un serveur de caisse par boutique.",
        ),
        local,
        folder("Boulangerie Ménard/Caisses"),
        with_login(
            ssh(
                "Boulangerie Ménard/Caisses/caisse-halles",
                "caisse-halles.menard.example",
                &["caisse", "debian"],
                "Boutique des Halles.",
            ),
            "caisse",
            "Halles-7h30-croissant",
        ),
        with_login(
            ssh(
                "Boulangerie Ménard/Caisses/caisse-gare",
                "caisse-gare.menard.example",
                &["caisse", "debian"],
                "Boutique de la gare\u{a0}; redémarre la nuit du dimanche.",
            ),
            "caisse",
            "Gare-6h00-brioche",
        ),
        web(
            "Boulangerie Ménard/Messagerie",
            "https://mail.menard.example",
            "contact@menard.example",
            "Farine-T65-Tours",
        ),
        note(
            "Boulangerie Ménard/Contacts",
            "Mme Ménard\u{a0}: 02 47 00 00 00 (après 10 h).\nCode du local technique\u{a0}: 4710B.",
        ),
        client(
            "Cabinet Dubreuil & Associés",
            ClientInfo { reason_required: true, ..info("DUB", "#3a6ea5") },
            "Notaires à Angers\u{a0}; un motif est demandé à chaque accès.",
        ),
        folder("Cabinet Dubreuil & Associés/Serveurs"),
        with_login(
            (
                Kind::new("credential"),
                "Cabinet Dubreuil & Associés/Compte de maintenance".to_owned(),
                Patch::default(),
            ),
            "maintenance",
            "Minute-49-Angers",
        ),
        ssh(
            "Cabinet Dubreuil & Associés/Serveurs/actes",
            "actes.dubreuil.example",
            &["production", "sauvegardé"],
            "Base des actes.",
        ),
        ssh(
            "Cabinet Dubreuil & Associés/Serveurs/sauvegarde",
            "sauvegarde.dubreuil.example",
            &["sauvegarde"],
            "Reçoit les copies de nuit.",
        ),
        web(
            "Cabinet Dubreuil & Associés/Console du pare-feu",
            "https://192.0.2.17:8443",
            "admin",
            "Etude-Rempart-12",
        ),
        client(
            "Transports Rivière",
            ticketed,
            "Quarante camions\u{a0}; un ticket GLPI est demandé (essayez TR-1234).",
        ),
        folder("Transports Rivière/Réseau"),
        folder("Transports Rivière/Serveurs"),
        switch,
        with_login(
            ssh(
                "Transports Rivière/Serveurs/bastion",
                "bastion.riviere.example",
                &["bastion"],
                "Passage obligé vers les autres.",
            ),
            "tech",
            "Relais-A10-Poitiers",
        ),
        with_login(
            ssh(
                "Transports Rivière/Serveurs/planning",
                "198.51.100.23",
                &["production"],
                "Planning des tournées.",
            ),
            "planning",
            "Tournee-du-matin-5h",
        ),
        note(
            "Transports Rivière/Procédure de nuit",
            "1. Appeler l’astreinte.\n2. Ouvrir un ticket.\n3. Redémarrer planning en dernier.",
        ),
    ]
}

/// What can only be said once the entries have ids: a linked login, a jump host.
fn link_backups(app: &App) -> Result<(), AppError> {
    let path = |path: &str| At::Path(path.to_owned());
    let account = path("Cabinet Dubreuil & Associés/Compte de maintenance");
    let Reply::Entry(account) = app.call(Request::Show { at: account })? else {
        return Ok(());
    };
    for server in ["actes", "sauvegarde"] {
        let patch = Patch {
            credential: Set::To(CredentialSource::Linked(account.entry.id)),
            ..Patch::default()
        };
        app.call(Request::Edit {
            at: path(&format!("Cabinet Dubreuil & Associés/Serveurs/{server}")),
            expected_ver: None,
            patch: Box::new(patch),
        })?;
    }
    Ok(())
}

const TOWNS: [&str; 16] = [
    "Tours", "Angers", "Nantes", "Rennes", "Brest", "Lille", "Amiens", "Reims", "Metz", "Nancy",
    "Dijon", "Lyon", "Grenoble", "Nice", "Toulon", "Pau",
];
const TRADES: [&str; 12] = [
    "Boulangerie",
    "Cabinet",
    "Transports",
    "Garage",
    "Imprimerie",
    "Menuiserie",
    "Pharmacie",
    "Clinique",
    "Librairie",
    "Scierie",
    "Laiterie",
    "Verrerie",
];
const ROLES: [&str; 10] =
    ["web", "bdd", "fichiers", "mail", "sauvegarde", "switch", "borne", "caisse", "nas", "vpn"];

/// A large vault's nodes, one client at a time.
fn large(entries: u32) -> impl Iterator<Item = Vec<Node>> {
    (0..entries.div_ceil(PER_CLIENT)).map(move |number| {
        let first = number * PER_CLIENT;
        one_client(number, entries.saturating_sub(first).min(PER_CLIENT))
    })
}

fn one_client(number: u32, entries: u32) -> Vec<Node> {
    let pick = |list: &[&str], at: u32| list[at as usize % list.len()].to_owned();
    let town = pick(&TOWNS, number / TRADES.len() as u32);
    let name = format!("{} {town} {number:04}", pick(&TRADES, number));
    let info = ClientInfo { code: format!("C{number:04}"), ..ClientInfo::default() };
    let mut nodes = vec![client(&name, info, "Client inventé.")];
    for at in 0..entries {
        let folder_name = format!("{name}/Site {:02}", at / PER_FOLDER);
        if at % PER_FOLDER == 0 {
            nodes.push(folder(&folder_name));
        }
        let role = pick(&ROLES, at);
        let label = format!("{role}-{number:04}-{at:03}");
        let host = format!("{label}.client.example");
        let path = format!("{folder_name}/{label}");
        let password = password();
        nodes.push(match at % 10 {
            0..=6 => {
                with_login(ssh(&path, &host, &[&role], "Serveur inventé."), "admin", &password)
            }
            7 => web(&path, &format!("https://{host}"), "admin", &password),
            8 => with_login((Kind::new("credential"), path, Patch::default()), "admin", &password),
            _ => note(&path, &format!("Note inventée {password}.")),
        });
    }
    nodes
}

/// Sixteen letters; made up, and different each time so that nothing compresses.
fn password() -> String {
    let bytes: [u8; 8] = random::bytes();
    data_encoding::HEXLOWER.encode(&bytes)
}

/// How the folders of throw-away vaults begin.
const FOLDER: &str = "poterne-demo-";
/// Locked in such a folder for as long as its process lives.
const ALIVE: &str = "alive";
/// A folder younger than this may not have its lock yet.
const YOUNG: Duration = Duration::from_secs(60);
/// A folder without such a lock that nobody changed for so long is left behind.
const UNMARKED: Duration = Duration::from_secs(24 * 3600);

/// The throw-away vault, in a folder of its own that goes with it.
pub struct ThrowAway {
    demo: Demo,
    traces: Traces,
    _alive: File,
}

/// What a throw-away vault leaves on the disk.
#[derive(Clone)]
struct Traces {
    folder: PathBuf,
    /// What this computer remembers of it, and the places of its agent.
    files: Vec<PathBuf>,
}

impl Traces {
    fn remove(&self) {
        let _ = fs::remove_dir_all(&self.folder);
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
    }
}

impl ThrowAway {
    /// Makes it, locked, in the system's folder for temporary files, from which
    /// those of processes that were killed are removed.
    ///
    /// # Errors
    /// That folder cannot be written.
    pub fn make() -> Result<Self, AppError> {
        let temporary = std::env::temp_dir();
        sweep(&temporary);
        let name: [u8; 8] = random::bytes();
        let name = format!("{FOLDER}{}", data_encoding::HEXLOWER.encode(&name));
        let folder = temporary.join(name);
        crate::os::paths::private_folder(&folder).map_err(|e| no_folder(&e))?;
        let mut traces = Traces { folder, files: Vec::new() };
        let made = alive(&traces.folder).and_then(|alive| {
            let demo = make_small(&traces.folder.join("demo.poterne"))?;
            if let Reply::Status(status) = demo.app.call(Request::Status)? {
                traces.files.extend(super::anchor::seen_file(&status.vault));
            }
            #[cfg(unix)]
            if let Some(socket) = super::agent::socket_of(&demo.file) {
                traces.files.extend([socket.with_extension("lock"), socket]);
            }
            demo.app.call(Request::Lock)?;
            Ok((demo, alive))
        });
        match made {
            Ok((demo, alive)) => Ok(Self { demo, traces, _alive: alive }),
            Err(error) => {
                traces.remove();
                Err(error)
            }
        }
    }

    /// Removes it as well when a signal ends the process.
    pub fn remove_at_signals(&self) {
        let traces = self.traces.clone();
        crate::os::signals::before_end(move || traces.remove());
    }

    /// Its file.
    pub fn file(&self) -> &Path {
        &self.demo.file
    }

    /// Its application.
    pub fn app(&self) -> App {
        self.demo.app.clone()
    }

    /// Gives the code of the moment and the seconds it is good for.
    pub fn codes(&self) -> impl Fn() -> (String, u64) + 'static {
        let otpauth = self.demo.otpauth.duplicate();
        move || match code_at(&otpauth, clock::now()) {
            Ok((code, seconds)) => (code.expose(str::to_owned), seconds),
            Err(_) => (String::new(), 0),
        }
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        self.traces.remove();
    }
}

/// Marks the folder as that of a living process.
fn alive(folder: &Path) -> Result<File, AppError> {
    let mark = OpenOptions::new().create_new(true).write(true).open(folder.join(ALIVE));
    let mark = mark.map_err(|e| no_folder(&e))?;
    mark.lock().map_err(|e| no_folder(&e))?;
    Ok(mark)
}

/// Removes the folders whose process is gone. What belongs to somebody else, or
/// cannot be judged, stays.
fn sweep(temporary: &Path) {
    let Ok(entries) = fs::read_dir(temporary) else { return };
    for entry in entries.flatten() {
        let folder = entry.path();
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(FOLDER))
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
            && crate::os::paths::private_folder(&folder).is_ok();
        let changed = entry.metadata().and_then(|meta| meta.modified()).ok();
        let age = changed.and_then(|at| at.elapsed().ok()).unwrap_or_default();
        if ours && is_left_behind(&folder, age) {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

fn is_left_behind(folder: &Path, age: Duration) -> bool {
    match OpenOptions::new().write(true).open(folder.join(ALIVE)) {
        Ok(mark) => age >= YOUNG && mark.try_lock().is_ok(),
        Err(e) => age >= UNMARKED && e.kind() == std::io::ErrorKind::NotFound,
    }
}

fn no_folder(error: &dyn std::fmt::Display) -> AppError {
    AppError {
        code: Code::Other,
        what: crate::model::lang::Bi::new(
            format!("Le dossier temporaire ne peut pas être créé\u{a0}: {error}."),
            format!("The temporary folder cannot be made: {error}."),
        ),
        todo: crate::model::lang::Bi::new(
            "Vérifiez TMPDIR et la place sur le disque.",
            "Check TMPDIR and the space on the disk.",
        ),
    }
}
