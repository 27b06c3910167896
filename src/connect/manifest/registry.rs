//! Every described connector that this computer knows: those of this program, then
//! those of the person's configuration folder, then those of the vaults that are open.
//! The first of a kind counts, so that no vault changes what a kind starts that the
//! person or this program defined. Looks at the folder again only when it has changed;
//! a manifest that was read stays for the life of the process.

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
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// What is known.
#[derive(Clone, Copy)]
pub struct Known {
    /// Every connector, those of Rust first.
    pub all: &'static [&'static dyn Connector],
    /// Those that are described.
    pub declared: &'static [&'static Declared],
    /// Manifests that cannot be used.
    pub problems: &'static [Problem],
    /// The folder's time when it was looked at.
    stamp: Option<SystemTime>,
}

/// A manifest that an open vault shares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shared {
    /// Which vault, and who put it there.
    pub source: Source,
    /// Its text.
    pub text: String,
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
            look();
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.put(None);
    }
}

static KNOWN: RwLock<Option<Known>> = RwLock::new(None);

/// What is known, as it was when it was last looked at.
pub fn known() -> Known {
    let known = *KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    known.unwrap_or_else(look)
}

/// What is known, after another look if something came into the folder or left it.
pub fn current() -> Known {
    let known = known();
    if stamp() == known.stamp { known } else { look() }
}

/// The described connector of a kind, after another look if something came into the
/// folder or left it: what is there now decides between it and a vault's.
pub fn of_kind(kind: &str) -> Option<&'static Declared> {
    let find = |known: Known| known.declared.iter().copied().find(|d| d.id() == kind);
    let shipped = find(known()).filter(|d| d.source == Source::BuiltIn);
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
    let mut slot = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    let before = *slot;
    let stamp = stamp();
    // The same text keeps its connector, so that nothing piles up.
    let kept = |source: &Source, text: &str| {
        let known = before.map_or(&[][..], |known| known.declared);
        known.iter().copied().find(|d| d.source == *source && d.manifest.text == text)
    };
    let mut declared: Vec<&'static Declared> = Vec::new();
    let mut problems = Vec::new();
    for (name, text) in BUILT_IN {
        let made = kept(&Source::BuiltIn, text).unwrap_or_else(|| {
            let manifest = read_own(text).unwrap_or_else(|faults| {
                panic!("{name}.toml is tested, and has faults: {faults:?}")
            });
            Declared::new(manifest, Source::BuiltIn)
        });
        declared.push(made);
    }
    let own = files().into_iter().map(|file| (load(&file), Source::File(file)));
    let all = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let shared: Vec<Shared> = all.values().flatten().cloned().collect();
    drop(all);
    let shared = shared.into_iter().map(|shared| (read(&shared.text), shared.source));
    for (read, source) in own.chain(shared) {
        match read {
            Ok(manifest) => {
                let first = declared.iter().find(|known| known.manifest.kind == manifest.kind);
                if let Some(first) = first {
                    if !first.source.same_place(&source) {
                        let faults = vec![taken(&manifest, &first.source)];
                        problems.push(Problem { faults, source });
                    }
                    continue;
                }
                declared.push(
                    kept(&source, &manifest.text)
                        .unwrap_or_else(|| Declared::new(manifest, source)),
                );
            }
            Err(faults) => problems.push(Problem { source, faults }),
        }
    }
    let same = before.filter(|known| {
        known.problems == problems.as_slice()
            && known.declared.len() == declared.len()
            && known.declared.iter().zip(&declared).all(|(a, b)| std::ptr::eq(*a, *b))
    });
    let known = match same {
        Some(known) => Known { stamp, ..known },
        None => {
            let all = ALL.iter().copied();
            let all: Vec<&'static dyn Connector> =
                all.chain(declared.iter().map(|d| *d as &dyn Connector)).collect();
            Known { all: all.leak(), declared: declared.leak(), problems: problems.leak(), stamp }
        }
    };
    *slot = Some(known);
    known
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
        Source::File(_) => ("un manifeste de cet ordinateur", "a manifest of this computer"),
        Source::Vault { .. } => ("le manifeste d’un autre coffre", "the manifest of another vault"),
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
