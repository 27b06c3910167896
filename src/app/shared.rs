//! Manifests of connectors that the vault shares: putting one in, taking it out, and
//! making them known to this process while the vault is open. Approves none: each
//! computer does, when one is to run.

use crate::connect::manifest::Source;
use crate::connect::manifest::registry::{self, Share};
use crate::model::audit_event::{Event, field};
use crate::model::lang::{Bi, Lang};
use crate::model::policy::Action;
use crate::vault::rows::Rows;
use crate::vault::state::{SHARED_MAX, Shared};
use crate::vault::unlocked::Unlocked;

use super::api::{AppError, Code, Reply, SharedView};
use super::entries::need;
use super::worker::Open;
use super::{draft, people};

/// What of a vault's manifests this process was told.
#[derive(Default)]
pub(super) struct Published {
    list: Vec<Shared>,
    share: Option<Share>,
}

/// What is to be told anew.
pub(super) type News = Option<(Vec<Shared>, Vec<registry::Shared>)>;

impl Published {
    /// What differs from what was told; nothing, most of the time.
    pub(super) fn news(&self, v: &Unlocked, rows: &dyn Rows) -> News {
        if v.state.shared == self.list {
            return None;
        }
        let views = views(v, rows).into_iter();
        Some((v.state.shared.clone(), known(views).collect()))
    }

    /// Tells it.
    pub(super) fn take(&mut self, news: News) {
        let Some((list, manifests)) = news else { return };
        self.list = list;
        match &self.share {
            Some(share) => share.renew(manifests),
            None => self.share = Some(Share::new(manifests)),
        }
    }
}

/// Those that can be read, for this process to know.
fn known(views: impl Iterator<Item = SharedView>) -> impl Iterator<Item = registry::Shared> {
    views.filter_map(|view| {
        let SharedView { vault, by, at, text, .. } = view;
        Some(registry::Shared { source: Source::Vault { vault, by, at }, text: text? })
    })
}

/// Makes known what a vault shares that another process has open.
pub fn publish(views: Vec<SharedView>) -> Share {
    Share::new(known(views.into_iter()).collect())
}

fn views(v: &Unlocked, rows: &dyn Rows) -> Vec<SharedView> {
    let view = |shared: &Shared| SharedView {
        kind: shared.kind.clone(),
        vault: v.header.vault,
        by: people::name(v, &shared.by),
        at: shared.at,
        text: v.shared_text(rows, shared).ok(),
    };
    v.state.shared.iter().map(view).collect()
}

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
            if v.shared(&manifest.kind).is_none() && v.state.shared.len() >= SHARED_MAX {
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
            if !v.drop_shared(rows, kind)? {
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
