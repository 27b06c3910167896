//! Every described connector that this computer knows: those of this program, then
//! those of the person's configuration folder, then those of the vaults that are open.
//! The first of a kind counts, so that no vault changes what a kind starts that the
//! person or this program defined; of the vaults', one that a thread serves sees its own
//! alone. Looks at the folder again only when it has changed; a manifest that was read
//! stays for the life of the process.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use super::place::Fault;
use super::read::read_own;
use super::{Declared, MAX_BYTES, Manifest, Source, read};
use crate::connect::{ALL, Connector};
use crate::model::id::VaultId;
use crate::model::lang::Bi;
use crate::os::paths;

/// Folder of the person's manifests, in the configuration folder.
const FOLDER: &str = "connectors";
/// The end of a manifest's name.
const END: &str = "toml";

/// The manifests of this program, by name.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("plink", include_str!("../../../assets/connectors/plink.toml")),
    ("mosh", include_str!("../../../assets/connectors/mosh.toml")),
    ("tmux", include_str!("../../../assets/connectors/tmux.toml")),
    ("psql", include_str!("../../../assets/connectors/psql.toml")),
    ("mysql", include_str!("../../../assets/connectors/mysql.toml")),
    ("sqlcmd", include_str!("../../../assets/connectors/sqlcmd.toml")),
    ("kubectl", include_str!("../../../assets/connectors/kubectl.toml")),
    ("aws-ssm", include_str!("../../../assets/connectors/aws-ssm.toml")),
    ("xfreerdp", include_str!("../../../assets/connectors/xfreerdp.toml")),
    ("remmina", include_str!("../../../assets/connectors/remmina.toml")),
    ("hyperv", include_str!("../../../assets/connectors/hyperv.toml")),
    ("vmware", include_str!("../../../assets/connectors/vmware.toml")),
    ("winbox", include_str!("../../../assets/connectors/winbox.toml")),
    ("anydesk", include_str!("../../../assets/connectors/anydesk.toml")),
    ("rustdesk", include_str!("../../../assets/connectors/rustdesk.toml")),
    ("filezilla", include_str!("../../../assets/connectors/filezilla.toml")),
    ("winscp", include_str!("../../../assets/connectors/winscp.toml")),
];

/// A manifest of the person's or of a vault that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where it comes from.
    pub source: Source,
    /// What is wrong with its text.
    pub faults: Vec<Fault>,
    /// Why it was not even read.
    pub refused: Option<Refused>,
}

/// Why a manifest of a vault is not used, whatever it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The word of its kind.
    pub kind: String,
    /// What happened.
    pub what: Bi,
    /// What to do about it.
    pub todo: Bi,
}

/// What is known.
#[derive(Clone, Copy)]
pub struct Known {
    /// Every connector, those of Rust first, one of a kind.
    pub all: &'static [&'static dyn Connector],
    /// Those that are described; of several vaults there may be some of one kind.
    pub declared: &'static [&'static Declared],
    /// Manifests that cannot be used.
    pub problems: &'static [Problem],
}

/// What was found at a look.
#[derive(Clone, Copy)]
struct Found {
    /// With those of all vaults.
    whole: Known,
    /// With those of no vault.
    own: Known,
    /// With those of one vault, for each that shares some.
    vaults: &'static [(VaultId, Known)],
    /// The folder's time.
    stamp: Option<SystemTime>,
}

impl Found {
    fn at_hand(&self) -> Known {
        let Some(vault) = AT_HAND.get() else { return self.whole };
        let own = self.vaults.iter().find(|(of, _)| *of == vault);
        own.map_or(self.own, |(_, known)| *known)
    }
}

thread_local! {
    static AT_HAND: Cell<Option<VaultId>> = const { Cell::new(None) };
}

/// From now on this thread sees, of the vaults' manifests, those of this vault alone;
/// with `None` those of each open vault, of a kind that several share the first.
pub fn serve(vault: Option<VaultId>) {
    AT_HAND.set(vault);
}

/// A manifest that an open vault shares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shared {
    /// Which vault, and who put it there.
    pub source: Source,
    /// Its text, if it may be used.
    pub text: Result<String, Refused>,
}

/// Those of each open vault.
static SHARED: Mutex<BTreeMap<u64, Vec<Shared>>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The manifests of one open vault; they are known until it is dropped.
pub struct Share(u64);

impl Share {
    /// Makes these known.
    pub fn new(manifests: Vec<Shared>) -> Self {
        let share = Self(NEXT.fetch_add(1, Ordering::Relaxed));
        share.put(Some(manifests).filter(|all| !all.is_empty()));
        share
    }

    /// Makes these known in place of the former ones.
    pub fn renew(&self, manifests: Vec<Shared>) {
        self.put(Some(manifests));
    }

    fn put(&self, manifests: Option<Vec<Shared>>) {
        let mut all = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.remove(&self.0);
        let same = before == manifests;
        all.extend(manifests.map(|new| (self.0, new)));
        drop(all);
        if !same {
            look_again();
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.put(None);
    }
}

static FOUND: RwLock<Option<Found>> = RwLock::new(None);

fn found() -> Found {
    let found = *FOUND.read().unwrap_or_else(PoisonError::into_inner);
    found.unwrap_or_else(look_again)
}

/// What is known, after another look if something came into the folder or left it.
pub fn current() -> Known {
    let found = found();
    if stamp() == found.stamp { found.at_hand() } else { look() }
}

/// The described connector of a kind, after another look if something came into the
/// folder or left it: what is there now decides between it and a vault's.
pub fn of_kind(kind: &str) -> Option<&'static Declared> {
    let find = |known: Known| known.declared.iter().copied().find(|d| d.id() == kind);
    let shipped = find(found().at_hand()).filter(|d| d.source == Source::BuiltIn);
    shipped.or_else(|| find(current()))
}

/// The folder of the person's manifests, which need not be there.
pub fn folder() -> Option<PathBuf> {
    paths::config_folder().ok().map(|folder| folder.join(FOLDER))
}

fn stamp() -> Option<SystemTime> {
    fs::metadata(folder()?).and_then(|meta| meta.modified()).ok()
}

/// Looks at the folder now.
pub fn look() -> Known {
    look_again().at_hand()
}

fn look_again() -> Found {
    let mut slot = FOUND.write().unwrap_or_else(PoisonError::into_inner);
    let before = *slot;
    let stamp = stamp();
    // The same text keeps its connector, so that nothing piles up.
    let kept = |source: &Source, text: &str| {
        let known = before.map_or(&[][..], |found| found.whole.declared);
        known.iter().copied().find(|d| d.source == *source && d.manifest.text == text)
    };
    let mut list = List::default();
    for (name, text) in BUILT_IN {
        list.declared.push(kept(&Source::BuiltIn, text).unwrap_or_else(|| {
            let manifest = read_own(text).unwrap_or_else(|faults| {
                panic!("{name}.toml is tested, and has faults: {faults:?}")
            });
            Declared::new(manifest, Source::BuiltIn)
        }));
    }
    for file in files() {
        list.take(Source::File(file.clone()), load(&file), &kept);
    }
    let own = list.clone();
    let all = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let shared: Vec<Shared> = all.values().flatten().cloned().collect();
    drop(all);
    for Shared { source, text } in shared {
        match text {
            Ok(text) => list.take(source, read(&text), &kept),
            Err(refused) => {
                list.problems.push(Problem { source, faults: Vec::new(), refused: Some(refused) });
            }
        }
    }
    let mut vaults: Vec<VaultId> = list.declared.iter().filter_map(|d| d.source.vault()).collect();
    vaults.extend(list.problems.iter().filter_map(|problem| problem.source.vault()));
    vaults.sort();
    vaults.dedup();
    let of_vault = |vault| {
        let before = before.and_then(|found| found.vaults.iter().find(|(of, _)| *of == vault));
        (vault, list.only(vault).known(before.map(|(_, known)| *known)))
    };
    let vaults: Vec<_> = vaults.into_iter().map(of_vault).collect();
    let same = before.filter(|found| {
        let same = |(a, b): (&(VaultId, Known), &(VaultId, Known))| {
            a.0 == b.0 && std::ptr::eq(a.1.all, b.1.all)
        };
        found.vaults.len() == vaults.len() && found.vaults.iter().zip(&vaults).all(same)
    });
    let found = Found {
        whole: list.known(before.map(|found| found.whole)),
        own: own.known(before.map(|found| found.own)),
        vaults: same.map_or_else(|| &*vaults.leak(), |found| found.vaults),
        stamp,
    };
    *slot = Some(found);
    found
}

/// What is found, while it is looked for.
#[derive(Clone, Default)]
struct List {
    declared: Vec<&'static Declared>,
    problems: Vec<Problem>,
}

impl List {
    /// Takes a manifest, unless one that counts before it has its kind.
    fn take(
        &mut self,
        source: Source,
        read: Result<Manifest, Vec<Fault>>,
        kept: &dyn Fn(&Source, &str) -> Option<&'static Declared>,
    ) {
        let manifest = match read {
            Ok(manifest) => manifest,
            Err(faults) => return self.problems.push(Problem { source, faults, refused: None }),
        };
        let same = |known: &&&Declared| known.manifest.kind == manifest.kind;
        let first =
            self.declared.iter().filter(same).find(|known| known.source.counts_for(&source));
        if let Some(first) = first {
            if !first.source.same_place(&source) {
                let faults = vec![taken(&manifest, &first.source)];
                self.problems.push(Problem { source, faults, refused: None });
            }
            return;
        }
        let made = kept(&source, &manifest.text);
        self.declared.push(made.unwrap_or_else(|| Declared::new(manifest, source)));
    }

    /// Without those of other vaults.
    fn only(&self, vault: VaultId) -> Self {
        let here = |source: &Source| source.vault().is_none_or(|of| of == vault);
        let mut only = self.clone();
        only.declared.retain(|declared| here(&declared.source));
        only.problems.retain(|problem| here(&problem.source));
        only
    }

    /// It, for the rest of the process; what was known before if it is the same.
    fn known(self, before: Option<Known>) -> Known {
        let Self { declared, problems } = self;
        let same = before.filter(|known| {
            known.problems == problems.as_slice()
                && known.declared.len() == declared.len()
                && known.declared.iter().zip(&declared).all(|(a, b)| std::ptr::eq(*a, *b))
        });
        same.unwrap_or_else(|| {
            let mut all: Vec<&'static dyn Connector> = ALL.to_vec();
            for one in &declared {
                if !all.iter().any(|known| known.id() == one.id()) {
                    all.push(*one);
                }
            }
            Known { all: all.leak(), declared: declared.leak(), problems: problems.leak() }
        })
    }
}

/// The person's manifests, by name.
fn files() -> Vec<PathBuf> {
    let entries = folder().and_then(|folder| fs::read_dir(folder).ok());
    let paths = entries.into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == END)).collect();
    files.sort();
    files
}

/// A manifest from a file.
///
/// # Errors
/// What is wrong with it; that it cannot be read, at its first line.
pub fn load(file: &Path) -> Result<Manifest, Vec<Fault>> {
    use std::io::Read;
    let at_top = |what: Bi| vec![Fault { line: 1, column: 1, what }];
    let unreadable = |e: std::io::Error| {
        let why = crate::os::words::cause(&e);
        at_top(Bi::new(
            format!("le fichier ne peut pas être lu\u{a0}: {}", why.fr),
            format!("the file cannot be read: {}", why.en),
        ))
    };
    // Looked at before it is opened, which would wait for the other end of a pipe.
    if !fs::metadata(file).map_err(unreadable)?.is_file() {
        return Err(at_top(Bi::new("ce n’est pas un fichier", "this is no file")));
    }
    let open = fs::File::open(file).map_err(unreadable)?;
    let mut bytes = Vec::new();
    open.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| at_top(Bi::new("ce n’est pas de l’UTF-8", "this is not UTF-8")))?;
    read_new(&text)
}

/// As [`read`], for one that is to stand beside those of this program.
///
/// # Errors
/// As there, or its kind is one of theirs.
pub fn read_new(text: &str) -> Result<Manifest, Vec<Fault>> {
    let manifest = read(text)?;
    match BUILT_IN.iter().any(|(shipped, _)| *shipped == manifest.kind) {
        true => Err(vec![taken(&manifest, &Source::BuiltIn)]),
        false => Ok(manifest),
    }
}

fn taken(manifest: &Manifest, by: &Source) -> Fault {
    let kind = &manifest.kind;
    let line = manifest.text.lines().position(|line| line.trim_start().starts_with("kind"));
    let (fr, en) = match by {
        Source::BuiltIn => ("un manifeste de Poterne", "a manifest of Poterne"),
        // A vault's takes nothing from another's.
        Source::File(_) | Source::Vault { .. } => {
            ("un manifeste de cet ordinateur", "a manifest of this computer")
        }
    };
    Fault {
        line: line.map_or(1, |at| at + 1),
        column: 1,
        what: Bi::new(
            format!("le type «\u{a0}{kind}\u{a0}» est déjà pris par {fr}"),
            format!("the kind “{kind}” is taken already by {en}"),
        ),
    }
}
