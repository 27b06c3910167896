//! What a tab shows while there is no terminal: the steps of the connection, a
//! question, or why it failed. Paints and reports what the person chose.

use std::time::{Duration, Instant};

use egui::{Align, Layout, RichText, Ui, vec2};

use crate::app::api::{AppError, Code};
use crate::connect::manifest::approval::Approval;
use crate::connect::vpn::journal::Step;
use crate::connect::{Answer, Progress, Question};
use crate::gui::theme::{card, inset, palette, primary_button};
use crate::gui::widgets::parts::{self, bold, failure, parse_colour};
use crate::gui::widgets::secret_buffer::SecretBuffer;
use crate::gui::widgets::secret_edit::SecretEdit;
use crate::model::lang::{Bi, Lang};
use crate::model::target::PinnedKey;
use crate::model::unseen::hidden;
use crate::secret::SecretText;

use super::tab::{OpenAs, Tab, TabState};

const WIDTH: f32 = 560.0;

/// What the person chose on a page.
pub(in crate::gui) enum Chosen {
    Cancel,
    Retry,
    /// A folder for copied files.
    SaveFiles,
    /// The attempt that is waited for, now.
    Hasten,
    ForgetKey,
    Close,
    Answer(Answer),
}

/// The page of a tab that is not a terminal.
pub(super) fn page_ui(
    ui: &mut Ui,
    tab: &Tab,
    typed: &mut SecretBuffer,
    focus: bool,
    may_forget: bool,
    lang: Lang,
) -> Option<Chosen> {
    let mut chosen = None;
    egui::ScrollArea::vertical().id_salt(("page", tab.id.0)).auto_shrink(false).show(ui, |ui| {
        ui.vertical_centered(|ui| {
            // A manifest takes all the room there is.
            let long =
                matches!(&tab.state, TabState::Question { question: Question::Approve(_), .. });
            let top = if long { 0.0 } else { ui.available_height() * 0.14 };
            ui.add_space(top.clamp(12.0, 110.0));
            ui.set_max_width(WIDTH.min(ui.available_width() - 24.0));
            card(ui.ctx()).show(ui, |ui| {
                ui.set_min_width(ui.available_width());
                ui.with_layout(Layout::top_down(Align::Min), |ui| {
                    title_ui(ui, &tab.open_as);
                    chosen = match &tab.state {
                        TabState::Connecting { steps, since } => {
                            connecting_ui(ui, steps, *since, lang)
                        }
                        TabState::Question { question, steps } => {
                            before_ui(ui, tab, steps, lang);
                            question_ui(ui, question, typed, focus, &tab.open_as.client, lang)
                        }
                        TabState::Failed(error) => failed_ui(ui, error, focus, may_forget, lang),
                        TabState::Live | TabState::Ended(_) => None,
                    };
                    warnings_ui(ui, tab, lang);
                });
            });
        });
    });
    chosen
}

/// Says that a question is of the VPN before the session, not of its machine.
fn before_ui(ui: &mut Ui, tab: &Tab, steps: &[Progress], lang: Lang) {
    let own = tab.vpn.as_ref().is_some_and(|vpn| vpn.own);
    if own || !matches!(steps.last(), Some(Progress::Vpn(step)) if *step != Step::Up) {
        return;
    }
    let words = lang.pick(
        "Pour le VPN qui précède cette connexion\u{a0}:",
        "For the VPN before this connection:",
    );
    ui.label(RichText::new(words).color(palette(ui.ctx()).weak));
    ui.add_space(4.0);
}

fn title_ui(ui: &mut Ui, open_as: &OpenAs) {
    let p = palette(ui.ctx());
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(5.0, 38.0), egui::Sense::hover());
        let stripe = parse_colour(&open_as.colour).unwrap_or(p.outline);
        ui.painter().rect_filled(rect, 2.0, stripe);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.label(RichText::new(&open_as.client).size(12.0).color(p.weak));
            ui.label(bold(&open_as.title).size(18.0));
        });
    });
    ui.add_space(8.0);
}

fn connecting_ui(ui: &mut Ui, steps: &[Progress], since: Instant, lang: Lang) -> Option<Chosen> {
    let p = palette(ui.ctx());
    if steps.is_empty() {
        ui.label(lang.pick("Préparation de la connexion…", "Preparing the connection…"));
    }
    for (index, step) in steps.iter().enumerate() {
        let now = index + 1 == steps.len();
        let (sign, color) = if now { ("●", p.accent) } else { ("✓", p.ok) };
        ui.horizontal(|ui| {
            ui.label(RichText::new(sign).color(color));
            let words = step_words(step, lang);
            ui.label(if now { bold(words) } else { RichText::new(words).color(p.weak) });
        });
    }
    let seconds = since.elapsed().as_secs();
    if seconds >= 2 {
        let words = match lang {
            Lang::Fr => format!("depuis {seconds} s"),
            Lang::En => format!("for {seconds} s"),
        };
        ui.label(RichText::new(words).size(12.0).color(p.weak));
    }
    ui.ctx().request_repaint_after(Duration::from_secs(1));
    ui.add_space(8.0);
    ui.button(lang.pick("Annuler", "Cancel")).clicked().then_some(Chosen::Cancel)
}

fn step_words(step: &Progress, lang: Lang) -> String {
    match (step, lang) {
        (Progress::Resolving(host), Lang::Fr) => format!("Recherche de l’adresse de {host}"),
        (Progress::Resolving(host), Lang::En) => format!("Looking up {host}"),
        (Progress::Contacting(host), Lang::Fr) => format!("Appel de {host}"),
        (Progress::Contacting(host), Lang::En) => format!("Calling {host}"),
        (Progress::Negotiating(host), Lang::Fr) => format!("Chiffrement convenu avec {host}"),
        (Progress::Negotiating(host), Lang::En) => format!("Agreeing on encryption with {host}"),
        (Progress::Authenticating(how), Lang::Fr) => format!("Identification ({how})"),
        (Progress::Authenticating(how), Lang::En) => format!("Login ({how})"),
        (Progress::Warning(text), _) => text.get(lang).to_owned(),
        (Progress::Vpn(step), Lang::Fr) => format!("VPN\u{a0}: {}", step.words().fr),
        (Progress::Vpn(step), Lang::En) => format!("VPN: {}", step.words().en),
    }
}

/// A question of a connection; `client` keeps a key that is trusted.
pub(in crate::gui) fn question_ui(
    ui: &mut Ui,
    question: &Question,
    typed: &mut SecretBuffer,
    focus: bool,
    client: &str,
    lang: Lang,
) -> Option<Chosen> {
    match question {
        Question::TrustHostKey(key) => trust_ui(ui, key, focus, client, lang),
        Question::Prompt { text, echo } => {
            ui.label(bold(lang.pick("Le serveur demande\u{a0}:", "The server asks:")));
            // The server's words, not ours: shown as they are, harmless.
            let words: String =
                text.chars().filter(|c| !c.is_control() || *c == '\n').take(2000).collect();
            let words = words.trim();
            ui.label(RichText::new(words).monospace());
            answer_ui(ui, words, *echo, typed, focus, lang)
        }
        Question::Password { user, at, again } => {
            ui.label(bold(lang.pick("Mot de passe demandé", "Password wanted")));
            if *again {
                ui.label(lang.pick("Le serveur l’a refusé.", "The server refused it."));
            }
            let (user, host) = (plain(user), plain(&at.host));
            let words = match lang {
                Lang::Fr => format!("Mot de passe de {user} sur {host}"),
                Lang::En => format!("Password of {user} on {host}"),
            };
            ui.label(&words);
            answer_ui(ui, &words, false, typed, focus, lang)
        }
        Question::User => {
            let words = lang.pick("Nom d’utilisateur", "User name");
            ui.label(bold(lang.pick(
                "Aucun nom d’utilisateur n’est enregistré pour cet accès.",
                "No user name is stored for this entry.",
            )));
            answer_ui(ui, words, true, typed, focus, lang)
        }
        Question::Passphrase { user, at, again } => {
            ui.label(bold(lang.pick(
                "La clé privée est chiffrée, sans phrase secrète enregistrée.",
                "The private key is encrypted, and no passphrase is stored.",
            )));
            if *again {
                ui.label(lang.pick(
                    "Celle que vous avez tapée n’ouvre pas la clé.",
                    "The one you typed does not open the key.",
                ));
            }
            let (user, host) = (plain(user), plain(&at.host));
            let words = match lang {
                Lang::Fr => format!("Phrase secrète de la clé de {user} pour {host}"),
                Lang::En => format!("Passphrase of the key of {user} for {host}"),
            };
            ui.label(&words);
            answer_ui(ui, &words, false, typed, focus, lang)
        }
        Question::Approve(asked) => approve_ui(ui, asked, focus, lang),
        Question::RaiseVpn { path } => vpn_ui(ui, path, focus, lang),
    }
}

/// Whether a VPN is to be raised first.
fn vpn_ui(ui: &mut Ui, path: &str, focus: bool, lang: Lang) -> Option<Chosen> {
    ui.label(bold(lang.pick("Monter le VPN d’abord\u{a0}?", "Raise the VPN first?")));
    ui.label(RichText::new(plain(path)).monospace());
    ui.add_space(8.0);
    let mut chosen = None;
    ui.horizontal(|ui| {
        let raise = ui.add(primary_button(ui.ctx(), lang.pick("Monter le VPN", "Raise the VPN")));
        if focus {
            raise.request_focus();
        }
        if raise.clicked() {
            chosen = Some(Chosen::Answer(Answer::Yes));
        }
        if ui.button(lang.pick("Sans VPN", "Without the VPN")).clicked() {
            chosen = Some(Chosen::Answer(Answer::No));
        }
        if ui.button(lang.pick("Annuler", "Cancel")).clicked() {
            chosen = Some(Chosen::Cancel);
        }
    });
    chosen
}

/// With a mark for what is not seen or turns the order of signs around: entries and
/// manifests may come from others.
fn plain(text: &str) -> String {
    text.chars().map(|c| if hidden(c) { '\u{FFFD}' } else { c }).collect()
}

fn answer_ui(
    ui: &mut Ui,
    label: &str,
    shown: bool,
    typed: &mut SecretBuffer,
    focus: bool,
    lang: Lang,
) -> Option<Chosen> {
    ui.add_space(4.0);
    let edit = SecretEdit::new(typed, label).shown(shown).width(360.0).show(ui);
    if focus {
        edit.response.request_focus();
    }
    ui.add_space(8.0);
    let mut chosen = None;
    ui.horizontal(|ui| {
        let send = primary_button(ui.ctx(), lang.pick("Répondre", "Answer"));
        if ui.add(send).clicked() || edit.submitted {
            let answer = typed.expose(SecretText::copy_of);
            typed.clear();
            chosen = Some(Chosen::Answer(Answer::Text(answer)));
        }
        if ui.button(lang.pick("Annuler", "Cancel")).clicked() {
            typed.clear();
            chosen = Some(Chosen::Cancel);
        }
    });
    chosen
}

fn trust_ui(ui: &mut Ui, key: &PinnedKey, focus: bool, client: &str, lang: Lang) -> Option<Chosen> {
    let p = palette(ui.ctx());
    ui.label(bold(lang.pick("Premier contact avec ce serveur", "First contact with this server")));
    let (fr, en) = match key.is_certificate() {
        true => ("l’empreinte de son certificat", "the fingerprint of its certificate"),
        false => ("la clé ci-dessous", "the key below"),
    };
    let words = match lang {
        Lang::Fr => format!(
            "{} présente {fr}. Comparez-la à celle que son administrateur vous a donnée\u{a0}: si elle diffère, quelqu’un se place peut-être entre vous et lui.",
            key.at
        ),
        Lang::En => format!(
            "{} shows {en}. Compare it with the one its administrator gave you: if it differs, somebody may stand between you and it.",
            key.at
        ),
    };
    ui.label(words);
    ui.add_space(4.0);
    inset(ui.ctx()).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.label(RichText::new(&key.algorithm).monospace().color(p.weak));
        let text = RichText::new(&key.fingerprint).monospace();
        ui.add(egui::Label::new(text).wrap().selectable(true));
        let copy = parts::small_button(ui, lang.pick("Copier l’empreinte", "Copy the fingerprint"));
        if focus {
            // Near the answer, and harmless when Enter was pressed once too often.
            copy.request_focus();
        }
        if copy.clicked() {
            ui.ctx().copy_text(key.fingerprint.clone());
        }
    });
    let words = match lang {
        Lang::Fr => format!(
            "Si vous acceptez, elle est retenue pour {client} et tout changement sera refusé."
        ),
        Lang::En => {
            format!("If you accept, it is kept for {client} and any change will be refused.")
        }
    };
    ui.label(RichText::new(words).color(p.weak));
    ui.add_space(8.0);
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        let yes = lang.pick("Faire confiance et continuer", "Trust and continue");
        if ui.add(primary_button(ui.ctx(), yes)).clicked() {
            chosen = Some(Chosen::Answer(Answer::Yes));
        }
        if ui.button(lang.pick("Refuser", "Refuse")).clicked() {
            chosen = Some(Chosen::Answer(Answer::No));
        }
    });
    chosen
}

/// A connector by manifest that has not run here as it stands: all of it, or what
/// changed in it, and the choice.
fn approve_ui(ui: &mut Ui, asked: &Approval, focus: bool, lang: Lang) -> Option<Chosen> {
    let p = palette(ui.ctx());
    let title = match asked.changed {
        true => lang.pick("Ce connecteur a changé", "This connector has changed"),
        false => {
            lang.pick("Connecteur nouveau sur cet ordinateur", "A connector new on this computer")
        }
    };
    ui.label(bold(title));
    let none = lang.pick("aucun programme d’ici", "no program of this computer");
    let program = if asked.program.is_empty() { none } else { &asked.program };
    let (name, program) = (plain(asked.name.get(lang)), plain(program));
    let read = match asked.changed {
        true => lang.pick(
            "Lisez ce qui a changé depuis la dernière approbation",
            "Read what has changed since it was approved",
        ),
        false => lang.pick("Lisez son manifeste", "Read its manifest"),
    };
    ui.label(match lang {
        Lang::Fr => format!(
            "«\u{a0}{name}\u{a0}» pourra lancer {program} et lui donner les secrets des accès. {read}\u{a0}: n’approuvez que ce qui vient de vous ou d’une personne de confiance."
        ),
        Lang::En => format!(
            "“{name}” may start {program} and give it the secrets of entries. {read}: approve only what you, or somebody you trust, wrote."
        ),
    });
    ui.add_space(4.0);
    if asked.open {
        let what = lang.pick(
            "Tout compte de cet ordinateur peut changer ce programme.",
            "Any account of this computer may change this program.",
        );
        parts::warn_box(ui, what, "");
        ui.add_space(4.0);
    }
    // What decides stays in sight below the text.
    let others = if asked.open { 430.0 } else { 360.0 };
    let others = if asked.real.is_empty() { others } else { others + 34.0 };
    let room = (ui.clip_rect().height() - others).clamp(100.0, 480.0);
    let mut refuse = None;
    inset(ui.ctx()).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        let source = lang.pick("Source\u{a0}: ", "Source: ").to_owned() + asked.source.get(lang);
        let program = lang.pick("Programme\u{a0}: ", "Program: ");
        let leads = format!("{program}{} → {}", asked.program, asked.real);
        let leads = Some(&leads).filter(|_| !asked.real.is_empty());
        for text in [&source, &asked.fingerprint].into_iter().chain(leads) {
            // A fingerprint fits on one line at this size.
            let text = RichText::new(plain(text)).monospace().size(11.5).color(p.weak);
            ui.add(egui::Label::new(text).wrap().selectable(true));
        }
        ui.separator();
        let area = egui::ScrollArea::vertical().id_salt("manifest").max_height(room);
        area.auto_shrink([false, true]).show(ui, |ui| {
            for line in asked.text.lines() {
                let color = match (asked.changed, line.as_bytes().first()) {
                    (true, Some(b'+')) => p.ok,
                    (true, Some(b'-')) => p.warn,
                    (true, Some(b'@')) => p.weak,
                    _ => p.text,
                };
                let line = RichText::new(plain(&line.replace('\t', "    ")))
                    .monospace()
                    .size(12.5)
                    .color(color);
                ui.add(egui::Label::new(line).wrap().selectable(true));
            }
        });
    });
    ui.add_space(8.0);
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        let yes = lang.pick("Approuver et continuer", "Approve and continue");
        if ui.add(primary_button(ui.ctx(), yes)).clicked() {
            chosen = Some(Chosen::Answer(Answer::Yes));
        }
        let no = ui.button(lang.pick("Refuser", "Refuse"));
        if no.clicked() {
            chosen = Some(Chosen::Answer(Answer::No));
        }
        refuse = Some(no);
    });
    if let Some(refuse) = refuse.filter(|_| focus) {
        // Harmless when Enter was pressed once too often.
        refuse.request_focus();
    }
    chosen
}

/// What the warning of a changed key tells, taken apart.
#[derive(PartialEq, Eq, Debug)]
struct ToldKeys<'a> {
    /// The key is one that people know as a certificate.
    certificate: bool,
    heading: &'a str,
    known: &'a str,
    shown: &'a str,
    after: &'a str,
}

/// Takes the words of a changed key apart: `heading. danger. Known: …. Presented:
/// …. after`. `None` when they are others.
fn told_keys(what: &str, lang: Lang) -> Option<ToldKeys<'_>> {
    // In French a certificate is masculine, a key feminine.
    let marks = [
        (lang.pick("Connue\u{a0}: ", "Known: "), lang.pick(". Présentée\u{a0}: ", ". Presented: ")),
        (lang.pick("Connu\u{a0}: ", "Known: "), lang.pick(". Présenté\u{a0}: ", ". Presented: ")),
    ];
    marks.into_iter().find_map(|(first, second)| {
        let (heading, rest) = what.split_once(first)?;
        let (known, rest) = rest.split_once(second)?;
        let (shown, after) = rest.split_once(". ")?;
        let certificate = shown.starts_with("x509-");
        Some(ToldKeys { certificate, heading: heading.trim_end(), known, shown, after })
    })
}

/// The two keys below each other, so that they can be compared.
fn changed_ui(ui: &mut Ui, told: &ToldKeys<'_>, error: &AppError, lang: Lang) {
    let p = palette(ui.ctx());
    let heading = Bi::same(told.heading);
    let after = Bi::new(
        format!("{} {}", told.after, error.todo.fr),
        format!("{} {}", told.after, error.todo.en),
    );
    failure(ui, lang, &heading, &after);
    ui.add_space(6.0);
    inset(ui.ctx()).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        let (known, presented) = match told.certificate {
            true => ("Connu", "Présenté"),
            false => ("Connue", "Présentée"),
        };
        let pairs = [
            (lang.pick(known, "Known"), told.known),
            (lang.pick(presented, "Presented"), told.shown),
        ];
        for (label, keys) in pairs {
            ui.label(RichText::new(label).size(12.5).color(p.weak));
            for key in keys.split(", ") {
                let key = RichText::new(key).monospace().size(13.0);
                ui.add(egui::Label::new(key).wrap().selectable(true));
            }
        }
    });
}

fn failed_ui(
    ui: &mut Ui,
    error: &AppError,
    focus: bool,
    may_forget: bool,
    lang: Lang,
) -> Option<Chosen> {
    let changed = error.code == Code::KeyChanged;
    let told = changed.then(|| told_keys(error.what.get(lang), lang)).flatten();
    match &told {
        Some(told) => changed_ui(ui, told, error, lang),
        None => failure(ui, lang, &error.what, &error.todo),
    }
    if changed && !may_forget {
        ui.add_space(6.0);
        ui.label(lang.pick(
            "Votre rôle ne permet pas d’oublier une clé\u{a0}: demandez à qui modifie cet accès.",
            "Your role may not forget a key: ask somebody who edits this entry.",
        ));
    }
    ui.add_space(10.0);
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        // Where somebody may listen in, trying again is not what is proposed.
        let retry = (lang.pick("Réessayer", "Try again"), Chosen::Retry);
        let close = (lang.pick("Fermer l’onglet", "Close the tab"), Chosen::Close);
        let (first, last) = if changed { (close, retry) } else { (retry, close) };
        let proposed = ui.add(primary_button(ui.ctx(), first.0));
        if focus {
            proposed.request_focus();
        }
        if proposed.clicked() {
            chosen = Some(first.1);
        }
        let forget = match told.as_ref().is_some_and(|told| told.certificate) {
            true => lang.pick("Oublier l’ancien certificat…", "Forget the old certificate…"),
            false => lang.pick("Oublier l’ancienne clé…", "Forget the old key…"),
        };
        if changed && may_forget && ui.button(forget).clicked() {
            chosen = Some(Chosen::ForgetKey);
        }
        if ui.button(last.0).clicked() {
            chosen = Some(last.1);
        }
    });
    chosen
}

fn warnings_ui(ui: &mut Ui, tab: &Tab, lang: Lang) {
    let p = palette(ui.ctx());
    for warning in tab.all_warnings() {
        ui.add_space(4.0);
        ui.colored_label(p.warn, format!("\u{26A0} {}", warning.get(lang)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::ssh::fail::key_changed;
    use crate::model::target::HostPort;

    fn key(algorithm: &str, fingerprint: &str) -> PinnedKey {
        let at = HostPort { host: "srv1".into(), port: 3389 };
        PinnedKey { at, algorithm: algorithm.into(), fingerprint: fingerprint.into() }
    }

    #[test]
    fn a_changed_key_or_certificate_is_shown_beside_the_known_one() {
        for (algorithm, certificate) in [("ssh-ed25519", false), ("x509-sha256", true)] {
            let failure =
                key_changed(&key(algorithm, "SHA256:new"), &[key(algorithm, "SHA256:old")]);
            for lang in [Lang::Fr, Lang::En] {
                let told = told_keys(failure.what.get(lang), lang).expect("its words are these");
                assert_eq!(told.certificate, certificate);
                assert_eq!(told.known, format!("{algorithm} SHA256:old"));
                assert_eq!(told.shown, format!("{algorithm} SHA256:new"));
                assert!(told.heading.contains("srv1:3389") && !told.after.is_empty(), "{told:?}");
            }
        }
    }
}
