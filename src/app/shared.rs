//! Manifests of connectors that the vault shares: putting one in, taking it out, and
//! making them known to this process while the vault is open. Approves none: each
//! computer does, when one is to run.

use crate::connect::manifest::Source;
use crate::connect::manifest::registry::{self, Share};
use crate::model::audit_event::{Event, field};
use crate::model::lang::{Bi, Lang};
use crate::model::policy::Action;
use crate::vault::listing::{Doubt, Listing, SHARED_MAX, Shared};
use crate::vault::rows::Rows;
use crate::vault::unlocked::Unlocked;

use super::api::{AppError, Code, Reply, SharedView};
use super::entries::need;
use super::worker::Open;
use super::{draft, people};

/// What of a vault's manifests this process was told.
#[derive(Default)]
pub(super) struct Published {
    told: Told,
    share: Option<Share>,
}

/// A list, and whether it was good.
type Told = (Listing, Option<Doubt>);

/// What is to be told anew.
pub(super) type News = Option<(Told, Vec<registry::Shared>)>;

impl Published {
    /// What differs from what was told; nothing, most of the time.
    pub(super) fn news(&self, v: &Unlocked, rows: &dyn Rows) -> News {
        // Who signed it may have lost the right to, the list being the same.
        let told = (v.state.shared.clone(), v.judge_listing().err());
        (told != self.told).then(|| (told, views(v, rows).into_iter().map(known).collect()))
    }

    /// Tells it.
    pub(super) fn take(&mut self, news: News) {
        let Some((told, manifests)) = news else { return };
        self.told = told;
        match &self.share {
            Some(share) => share.renew(manifests),
            None => self.share = Some(Share::new(manifests)),
        }
    }
}

/// For this process to know.
fn known(view: SharedView) -> registry::Shared {
    let SharedView { kind, vault, by, at, text } = view;
    let refused = |e: AppError| registry::Refused { kind, what: e.what, todo: e.todo };
    registry::Shared { source: Source::Vault { vault, by, at }, text: text.map_err(refused) }
}

/// Makes known what a vault shares that another process has open.
pub fn publish(views: Vec<SharedView>) -> Share {
    Share::new(views.into_iter().map(known).collect())
}

fn views(v: &Unlocked, rows: &dyn Rows) -> Vec<SharedView> {
    let view = |shared: &Shared| SharedView {
        kind: shared.kind.clone(),
        vault: v.header.vault,
        by: people::name(v, &shared.by),
        at: shared.at,
        text: text(v, rows, shared),
    };
    v.state.shared.all.iter().map(view).collect()
}

/// The text of a shared manifest that may be used.
fn text(v: &Unlocked, rows: &dyn Rows, shared: &Shared) -> Result<String, AppError> {
    let (kind, told) = (&shared.kind, unused(v, rows, shared));
    told.map_err(|Unused { why, todo }| AppError {
        code: Code::Tampered,
        what: Bi::new(
            format!(
                "Le connecteur partagé «\u{a0}{kind}\u{a0}» {}\u{a0}: il n’est pas utilisé.",
                why.fr
            ),
            format!("The shared connector “{kind}” {}: it is not used.", why.en),
        ),
        todo: Bi::new(format!("{}.", todo.fr), format!("{}.", todo.en)),
    })
}

/// Why a shared manifest is not used, and what to do; both within a sentence.
pub(super) struct Unused {
    pub(super) why: Bi,
    pub(super) todo: Bi,
}

/// The text of a shared manifest, or why it is not used.
pub(super) fn unused(v: &Unlocked, rows: &dyn Rows, shared: &Shared) -> Result<String, Unused> {
    let (why, todo) = match v.doubt(shared) {
        None => match v.shared_text(rows, shared) {
            Ok(text) => return Ok(text),
            Err(_) => (Bi::new("ne se lit pas", "cannot be read"), AGAIN),
        },
        Some(Doubt::Unsigned) => (Bi::new("n’est pas signé", "is not signed"), AGAIN),
        Some(Doubt::Forged) => {
            let by = people::name(v, &shared.by);
            let fr = format!("ne porte pas la signature de {by}, au nom de qui il est là");
            (
                Bi::new(
                    fr,
                    format!("does not bear the signature of {by}, in whose name it is there"),
                ),
                WHO,
            )
        }
        Some(Doubt::List) => {
            let fr = "est dans une liste que n’a signée aucun de ceux qui peuvent partager";
            (Bi::new(fr, "is in a list that nobody signed who may share"), WHO)
        }
        Some(Doubt::Older) => {
            let fr = "est dans une liste plus ancienne que celle que cet ordinateur a vue";
            (Bi::new(fr, "is in a list older than the one that this computer has seen"), WHO)
        }
    };
    Err(Unused { why, todo: Bi::new(todo.0, todo.1) })
}

/// What to do about one that nobody need have meant badly.
const AGAIN: (&str, &str) = (
    "Un propriétaire ou un administrateur le partage à nouveau (poterne connector add FICHIER)",
    "An owner or an administrator shares it again (poterne connector add FILE)",
);

/// What to do about one that a member's doctored program wrote.
const WHO: (&str, &str) = (
    "Qui a les clés du coffre a pu écrire cela avec un autre programme\u{a0}: voyez qui a partagé quoi (poterne audit log --event connector.shared), puis un propriétaire ou un administrateur le partage à nouveau (poterne connector add FICHIER)",
    "Who has keys of the vault can have written this with another program: see who shared what (poterne audit log --event connector.shared), then an owner or an administrator shares it again (poterne connector add FILE)",
);

impl Open {
    pub(super) fn shared_list(&mut self) -> Result<Reply, AppError> {
        self.read(|v, rows| Ok(Reply::Shared(views(v, rows))))
    }

    pub(super) fn share(&mut self, text: &str) -> Result<Reply, AppError> {
        let manifest = registry::read_new(text).map_err(|faults| {
            let told = |lang: Lang| {
                let each = faults.iter().map(|fault| fault.told(lang));
                each.collect::<Vec<_>>().join("\n")
            };
            AppError {
                code: Code::Usage,
                what: Bi::new(told(Lang::Fr), told(Lang::En)),
                todo: Bi::new(
                    "Corrigez le manifeste\u{a0}: poterne connector check FICHIER montre toutes les fautes.",
                    "Correct the manifest: poterne connector check FILE shows every fault.",
                ),
            }
        })?;
        let print = manifest.fingerprint();
        self.write(|v, rows, env| {
            need(v, Action::ManageVault)?;
            if v.shared(&manifest.kind).is_none() && v.state.shared.all.len() >= SHARED_MAX {
                return Err(AppError::usage(
                    (
                        "Ce coffre partage déjà 64 connecteurs.",
                        "This vault shares 64 connectors already.",
                    ),
                    ("Retirez-en un d’abord.", "Remove one first."),
                ));
            }
            v.put_shared(rows, env, &manifest.kind, text)?;
            let mut line = draft(v, env, Event::ConnectorShared, true);
            line.fields.push((field::CONNECTOR, manifest.kind.clone()));
            line.fields.push((field::DETAIL, print));
            v.log(rows, env, line)?;
            Ok(Reply::Done)
        })
    }

    pub(super) fn unshare(&mut self, kind: &str) -> Result<Reply, AppError> {
        self.write(|v, rows, env| {
            need(v, Action::ManageVault)?;
            if !v.drop_shared(rows, env, kind)? {
                return Err(AppError {
                    code: Code::NotFound,
                    what: Bi::new(
                        format!("Ce coffre ne partage pas de connecteur «\u{a0}{kind}\u{a0}»."),
                        format!("This vault shares no connector “{kind}”."),
                    ),
                    todo: Bi::new(
                        "Voyez lesquels\u{a0}: poterne connector list",
                        "See which there are: poterne connector list",
                    ),
                });
            }
            let mut line = draft(v, env, Event::ConnectorRemoved, true);
            line.fields.push((field::CONNECTOR, kind.to_owned()));
            v.log(rows, env, line)?;
            Ok(Reply::Done)
        })
    }
}
