//! What the window's fake answers to each question.

use std::path::PathBuf;

use poterne::app::api::{
    AppError, At, AttachmentBytes, CheckReport, Code, DeviceView, PageView, Reply, Request,
    SharedView, SnapshotText, TotpView, Verified, VersionView,
};
use poterne::connect::by_kind;
use poterne::model::entry::VersionRef;
use poterne::model::id::{CellId, DeviceId, SessionId, VaultId};
use poterne::model::member::Role;
use poterne::secret::{SecretBytes, SecretText};

use crate::gui_fake::{KIT, ME, SECRET, State, refused, time};
use crate::gui_fake_enrol::{proved, uri};
use crate::gui_fake_tree::{apply, find, item, node, path};
use crate::gui_fake_views::{member, rotation};

impl State {
    pub fn answer(&mut self, request: Request) -> Result<Reply, AppError> {
        if !self.open {
            return Err(refused(Code::Locked, "Le coffre est verrouillé."));
        }
        let changes = matches!(
            request,
            Request::Move { .. } | Request::Remove { .. } | Request::Restore { .. }
        );
        if changes && self.refuses {
            return Err(refused(Code::NotAllowed, "Ce client demande un numéro de ticket."));
        }
        if !self.failing.is_empty() && name(&request) == self.failing {
            return Err(refused(Code::Other, "Le disque ne répond pas."));
        }
        match request {
            Request::Snapshots { .. } => Ok(Reply::Snapshots(Vec::new())),
            Request::Snapshot { n, purpose, .. } => {
                let n = n.unwrap_or(1);
                self.asked.push(format!("{purpose:?} snapshot {n}"));
                let kept = self.configs.iter().find(|(view, _)| view.n == n).cloned();
                let (snapshot, text) = kept.ok_or_else(|| refused(Code::NotFound, "Aucun."))?;
                Ok(Reply::Snapshot(SnapshotText { snapshot, text: SecretText::new(text) }))
            }
            Request::SnapshotDifference { from, to, .. } => {
                let (from, to) = (from.unwrap_or(1), to.unwrap_or(2));
                self.asked.push(format!("compare {from} {to}"));
                let differ = self.differ(from, to);
                let (from, to, text) = differ.ok_or_else(|| refused(Code::NotFound, "Aucun."))?;
                let (added, removed, text) = (2, 1, SecretText::new(text));
                Ok(Reply::SnapshotDifference { from, to, added, removed, text })
            }
            Request::Status => {
                self.statuses += 1;
                Ok(Reply::Status(self.status()))
            }
            Request::Lock => {
                self.open = false;
                Ok(Reply::Done)
            }
            Request::List { at, deep, trashed } => {
                let below = match &at {
                    Some(at) => Some(find(&self.entries, at)?.id),
                    None => None,
                };
                let wanted = self
                    .entries
                    .iter()
                    .filter(|e| e.trashed_at.is_some() == trashed && (deep || e.parent == below));
                Ok(Reply::Items(wanted.map(|e| item(&self.entries, e)).collect()))
            }
            Request::Find { query, limit } => {
                let query = query.to_lowercase();
                let found = self.entries.iter().filter(|e| {
                    let kind = by_kind(&e.kind).map_or(String::new(), |c| c.label().fr);
                    let text = format!("{} {} {kind}", path(&self.entries, e), e.host);
                    let text = text.to_lowercase();
                    e.trashed_at.is_none()
                        && (!query.is_empty() || e.favourite)
                        && query.split_whitespace().all(|w| text.contains(w))
                });
                Ok(Reply::Items(found.take(limit).map(|e| item(&self.entries, e)).collect()))
            }
            Request::Show { at } => {
                let entry = find(&self.entries, &at)?;
                Ok(Reply::Entry(Box::new(self.view(entry))))
            }
            Request::Plan { at } => {
                let entry = find(&self.entries, &at)?;
                Ok(Reply::Plan(Box::new(self.plan(entry))))
            }
            Request::Visit { at, just } => {
                let entry = find(&self.entries, &at)?.clone();
                self.justified(&entry, &just)?;
                self.asked.push(format!("visit {}", entry.name));
                let session = SessionId([9; 16]);
                Ok(Reply::Page(PageView { session, url: entry.host, user: entry.user }))
            }
            Request::Visited { opened, .. } => {
                self.asked.push(format!("visited {opened}"));
                Ok(Reply::Done)
            }
            Request::Reveal { at, slot, purpose, just } => {
                let entry = find(&self.entries, &at)?.clone();
                self.justified(&entry, &just)?;
                self.asked.push(format!("{purpose:?} {slot} {}", entry.name));
                Ok(Reply::Secret(SecretBytes::copy_of(SECRET.as_bytes())))
            }
            Request::Totp { at, purpose, .. } => {
                let entry = find(&self.entries, &at)?.clone();
                self.asked.push(format!("{purpose:?} totp {}", entry.name));
                let code = SecretText::copy_of("492817");
                Ok(Reply::Totp(TotpView { code, seconds_left: 21, period: 30 }))
            }
            Request::Attachment { .. } => {
                Ok(Reply::Attachment(AttachmentBytes(SecretBytes::copy_of(b"%PDF-1.7"))))
            }
            Request::Create { kind, path: at, patch } => {
                let (up, name) = at.rsplit_once('/').unwrap_or(("", &at));
                let parent = if up.is_empty() {
                    None
                } else {
                    Some(find(&self.entries, &At::Path(up.to_owned()))?.clone())
                };
                self.next += 1;
                let mut entry = node(self.next, self.next, None, kind.word(), name);
                entry.ver = 0;
                if let Some(parent) = parent {
                    entry.parent = Some(parent.id);
                    entry.client = parent.client;
                }
                apply(&mut entry, *patch, &mut self.put);
                self.asked.push(format!("create {at}"));
                let saved = Reply::Saved { id: entry.id, ver: 1, path: at };
                self.entries.push(entry);
                Ok(saved)
            }
            Request::Edit { at, expected_ver, patch } => {
                let wanted = find(&self.entries, &at)?.id;
                let put = &mut self.put;
                let entry = self.entries.iter_mut().find(|e| e.id == wanted).expect("found above");
                if expected_ver.is_some_and(|v| v != entry.ver) {
                    return Err(refused(Code::Other, "Cet accès a changé entre-temps."));
                }
                if patch.forget_host_keys {
                    self.pinned = None;
                    self.asked.push(format!("forget {}", entry.name));
                }
                apply(entry, *patch, put);
                let (id, ver) = (entry.id, entry.ver);
                self.asked.push(format!("edit {}", entry.name));
                Ok(Reply::Saved { id, ver, path: String::new() })
            }
            Request::Move { at, to, just } => {
                let ticket = just.ticket.unwrap_or_default();
                self.asked.push(format!("move {to} {ticket}"));
                let wanted = find(&self.entries, &at)?.id;
                let entry = self.entries.iter_mut().find(|e| e.id == wanted).expect("found above");
                entry.name = to.rsplit_once('/').map_or(to.clone(), |(_, n)| n.to_owned());
                Ok(Reply::Saved { id: wanted, ver: entry.ver, path: to })
            }
            Request::Remove { at, forever } => {
                let wanted = find(&self.entries, &at)?.id;
                if forever {
                    self.entries.retain(|e| e.id != wanted);
                } else {
                    let entry =
                        self.entries.iter_mut().find(|e| e.id == wanted).expect("found above");
                    entry.trashed_at = Some(time(99));
                }
                Ok(Reply::Done)
            }
            Request::Restore { at, .. } => {
                let wanted = find(&self.entries, &at)?.id;
                let entry = self.entries.iter_mut().find(|e| e.id == wanted).expect("found above");
                entry.trashed_at = None;
                Ok(Reply::Saved { id: wanted, ver: entry.ver, path: String::new() })
            }
            Request::History { .. } => Ok(Reply::History(vec![VersionView {
                version: VersionRef { ver: 2, at: time(-86_400), by: ME, cell: CellId([2; 16]) },
                by: "Alice".to_owned(),
                changed: vec!["host".to_owned(), "password".to_owned()],
                current: false,
            }])),
            Request::AuditLog { filter } => {
                let lines = self.log();
                self.asked.extend(self.tells_log.then(|| "log".to_owned()));
                Ok(Reply::Log(lines.into_iter().filter(|l| filter.matches(l)).collect()))
            }
            Request::AuditExport(export) => {
                let ticket = export.just.ticket.unwrap_or_default();
                let asked = format!("export {} {ticket}", export.format.word());
                self.asked.push(asked.trim_end().to_owned());
                if self.export_asks && !ticket.starts_with("GLPI-") {
                    return Err(refused(
                        Code::NotAllowed,
                        "«\u{a0}Clinique\u{a0}» demande son ticket.",
                    ));
                }
                let files = [&[export.out][..], &self.parts].concat();
                let fingerprint = "potv1-abcd-efgh".to_owned();
                Ok(Reply::Exported { lines: 60, files, fingerprint })
            }
            Request::AuditVerify => Ok(Reply::Verified(Verified {
                lines: 1234,
                signed: 1230,
                shown: 1234,
                disclosed: 9876,
                redacted: 0,
                fingerprint: "potv1-abcd-efgh".to_owned(),
                root: "9f86d081884c7d65".to_owned(),
                origin_proven: false,
                notes: Vec::new(),
                faults: Vec::new(),
            })),
            Request::AuditFingerprint => Ok(Reply::Fingerprint("potv1-abcd-efgh".to_owned())),
            Request::Members => {
                let mut all = vec![
                    member("Alice", Role::Owner, true, true),
                    member("Bruno Lefèvre", Role::Technician, true, false),
                    member("Cabinet d’audit Œil neuf", Role::Auditor, false, false),
                ];
                all.retain(|m| !self.former.contains(&m.member.name));
                Ok(Reply::Members(all))
            }
            Request::Invite { name, current, .. } => {
                current.code.expose(|code| assert_eq!(code, "123456"));
                self.asked.push(format!("invite {name}"));
                Ok(Reply::Invitation(SecretText::copy_of("POT1-7Q2K-9XMD-44TE-PLUV")))
            }
            Request::RemoveMember { name } => {
                self.former.push(name);
                Ok(Reply::Removed { rotate: rotation() })
            }
            Request::Rotation { .. } => Ok(Reply::Removed { rotate: rotation() }),
            Request::FormerMembers => {
                let gone = self.former.iter();
                let gone = gone.map(|name| member(name, Role::Technician, true, false));
                Ok(Reply::Members(gone.collect()))
            }
            Request::Devices => Ok(Reply::Devices(vec![DeviceView {
                id: DeviceId([5; 16]),
                label: "poste-atelier-3".to_owned(),
                added_at: time(0),
                this: true,
            }])),
            Request::AddDevice { current, .. } => {
                proved(&current)?;
                Ok(Reply::EnrolCode(SecretText::copy_of("K7QD-22MX-9PLA")))
            }
            Request::BeginTotpReset { .. } => Ok(Reply::NewTotp(uri())),
            Request::AuditFilter { filter } => Ok(Reply::Filter(filter)),
            Request::DrawKit { current } => {
                proved(&current)?;
                Ok(Reply::Kit(SecretText::copy_of(KIT)))
            }
            Request::KitPage { .. } => {
                Ok(Reply::Attachment(AttachmentBytes(SecretBytes::copy_of(b"%PDF-1.7"))))
            }
            Request::KeepKit { typed } => {
                if typed.expose(|typed| typed != KIT) {
                    return Err(refused(Code::Locked, "Ce n’est pas le kit affiché."));
                }
                self.kit_kept = true;
                Ok(Reply::Done)
            }
            Request::Backup { .. } => Ok(Reply::BackedUp {
                file: PathBuf::from("/tmp/sauvegarde.vault"),
                entries: 9,
                audit_lines: 1234,
            }),
            Request::Check => Ok(Reply::Checked(CheckReport {
                entries: 9,
                cells: 40,
                unreached: 0,
                audit_lines: 1234,
                faults: Vec::new(),
            })),
            Request::Settings => Ok(Reply::Settings(self.settings.clone())),
            Request::SetSettings { expected, new } => {
                if self.settings != expected {
                    return Err(refused(Code::Other, "Quelqu’un a changé les réglages."));
                }
                self.settings = new;
                Ok(Reply::Done)
            }
            Request::Shared => Ok(Reply::Shared(self.shared.clone())),
            Request::Share { text } => {
                let read = poterne::connect::manifest::read(&text);
                let kind = read.map_err(|_| refused(Code::Usage, "fautif"))?.kind;
                let (by, vault) = ("Zoé".to_owned(), VaultId([9; 16]));
                self.shared.retain(|shared| shared.kind != kind);
                self.shared.push(SharedView { kind, vault, by, at: time(0), text: Ok(text) });
                Ok(Reply::Done)
            }
            Request::Unshare { kind } => {
                self.shared.retain(|shared| shared.kind != kind);
                Ok(Reply::Done)
            }
            Request::VpnChanges { .. } => Ok(Reply::VpnChanges(Vec::new())),
            Request::VpnDown { at } => {
                let wanted = find(&self.entries, &at)?;
                self.asked.push(format!("down {}", wanted.name));
                let gone = wanted.id;
                self.vpns.retain(|vpn| vpn.entry != gone);
                Ok(Reply::Done)
            }
            Request::ChangeMember { .. }
            | Request::RemoveDevice { .. }
            | Request::ChangePassword(_)
            | Request::FinishTotpReset { .. } => Ok(Reply::Done),
        }
    }
}

/// The questions that a test may have refused.
pub fn name(request: &Request) -> &'static str {
    match request {
        Request::Settings => "settings",
        Request::Members => "members",
        Request::Create { .. } => "create",
        Request::Lock => "lock",
        Request::Reveal { .. } => "reveal",
        _ => "",
    }
}
