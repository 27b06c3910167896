//! Moving and renaming a node with all below it. Into another client it is
//! sealed anew by `transfer`. Never changes what is in it.

use crate::app::api::{AppError, At, Justification, Reply};
use crate::app::worker::Open;
use crate::app::{draft, people, tickets, transfer};
use crate::model::audit_event::{Event, field};
use crate::model::entry::{Kind, Summary};

use super::names::{check_depth, check_name, misplaced, no_folder};
use super::versions::supersede;
use super::{below, change_of, locate, need, need_change, saved, split};

impl Open {
    pub(in crate::app) fn relocate(
        &mut self,
        at: &At,
        to: &str,
        just: &Justification,
    ) -> Result<Reply, AppError> {
        self.write(|v, rows, env| {
            let node = locate(v, at)?;
            need_change(v, &node)?;
            let from = v.index.path(&node);
            let to = people::whole_path(v, to);
            let into = v.index.at_path(&to).filter(|s| s.kind.is_container() && s.id != node.id);
            let (parent, name) = match into {
                Some(container) if node.kind != Kind::CLIENT => {
                    (Some(container), node.name.clone())
                }
                _ => {
                    let (above, name) = split(&to);
                    let parent =
                        above.map(|p| v.index.at_path(p).ok_or_else(|| AppError::no_entry(p)));
                    (parent.transpose()?, name.to_owned())
                }
            };
            if let Some(leaf) = parent.as_ref().filter(|p| !p.kind.is_container()) {
                return Err(no_folder(&v.index.path(leaf)));
            }
            if (node.kind == Kind::CLIENT) != parent.is_none() {
                return Err(misplaced());
            }
            let inside = |p: &Summary| v.index.upward(p).iter().any(|s| s.id == node.id);
            if parent.as_ref().is_some_and(inside) {
                return Err(AppError::usage(
                    (
                        "Un dossier ne peut pas aller dans lui-même.",
                        "A folder cannot go into itself.",
                    ),
                    ("Choisissez un autre dossier.", "Choose another folder."),
                ));
            }
            if let Some(parent) = &parent {
                let levels = |s: &Summary| v.index.upward(s).len();
                let lowest = below(v, &node).iter().map(levels).max().unwrap_or(0);
                check_depth(v, parent, (lowest + 1).saturating_sub(levels(&node)))?;
            }
            let old = v.entry(rows, &node.id)?;
            let mut entry = old.clone();
            entry.name = name;
            entry.parent = parent.as_ref().map(|p| p.id);
            check_name(v, &entry)?;
            let target = parent.as_ref().map_or(node.id, |p| p.client);
            need(v, change_of(v, &node.kind, &target))?;
            if target != node.client {
                // What it takes along could be read there without a ticket.
                let left = v.entry(rows, &node.client)?;
                tickets::justified(&left.client_info.unwrap_or_default(), just)?;
            }
            if target == node.client {
                supersede(v, rows, env, &old, &mut entry)?;
            } else {
                transfer::to_client(v, rows, env, &node, entry.clone(), target)?;
            }
            let mut line = draft(v, env, Event::EntryMoved, true);
            let now = v.index.get(&node.id).unwrap_or(node);
            people::about(v, &now, &mut line);
            people::why(just, &mut line);
            line.fields.push((field::DETAIL, format!("{from} → {}", v.index.path(&now))));
            let entry = v.entry(rows, &now.id)?;
            tickets::tell_rule(Some(&old), &entry, &mut line);
            v.log(rows, env, line)?;
            Ok(saved(v, &entry))
        })
    }
}
