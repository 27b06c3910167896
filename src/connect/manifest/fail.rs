//! Why a described connector opens nothing. Texts only.

use std::io;

use super::place::Fault;
use super::{FailureSign, Manifest, fingerprint};
use crate::connect::{Failure, FailureKind};
use crate::model::lang::{Bi, Lang};
use crate::os::words;

/// All of them, of marks.
pub(in crate::connect) fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, cause};
    vec![
        no_program_of(ANY[0], &Bi::default()),
        not_started(ANY[0], &cause()),
        no_screen(ANY[0]),
        option(ANY[0], ANY[1]),
        control(ANY[0]),
        no_host(ANY[0]),
        needed(&Bi::same(ANY[0])),
        ended_at_once(ANY[0], ANY[1], ANY[2]),
        refused_again(ANY[0]),
        would_be_seen(ANY[0]),
        unknown_question(ANY[0], ANY[1]),
        no_platform(ANY[0]),
        not_approved(ANY[0]),
        shared_not_approved(ANY[0]),
        gone(ANY[0]),
        not_kept(&cause()),
        pipe_too_small(ANY[0]),
        secret_of_lines(ANY[0]),
    ]
}

fn failure(kind: FailureKind, what: (String, String), todo: (&str, &str)) -> Failure {
    Failure { kind, what: Bi::new(what.0, what.1), todo: Bi::new(todo.0, todo.1) }
}

/// The program is not installed.
pub fn no_program(manifest: &Manifest) -> Failure {
    no_program_of(&manifest.programs().join(", "), &manifest.program.install)
}

fn no_program_of(names: &str, install: &Bi) -> Failure {
    let mut failure = failure(
        FailureKind::Helper,
        (
            format!("Le programme de ce connecteur n’est pas installé ici\u{a0}: {names}."),
            format!("The program of this connector is not installed here: {names}."),
        ),
        ("Installez-le, puis reconnectez-vous.", "Install it, then connect again."),
    );
    if !install.en.is_empty() {
        failure.todo = install.clone();
    }
    failure
}

/// The manifest names no program for this system.
pub fn no_platform(kind: &str) -> Failure {
    failure(
        FailureKind::Helper,
        (
            format!("Le connecteur «\u{a0}{kind}\u{a0}» n’a pas de programme pour ce système."),
            format!("The connector “{kind}” has no program for this system."),
        ),
        (
            "Ouvrez l’accès sur un autre ordinateur, ou complétez son manifeste.",
            "Open the entry on another computer, or complete its manifest.",
        ),
    )
}

/// There is no screen for its window.
pub fn no_screen(name: &str) -> Failure {
    failure(
        FailureKind::Helper,
        (
            format!("Il n’y a pas d’écran pour la fenêtre de {name}."),
            format!("There is no screen for the window of {name}."),
        ),
        ("Connectez-vous depuis un bureau graphique.", "Connect from a graphical desktop."),
    )
}

/// The system did not start it.
pub fn not_started(program: &str, e: &io::Error) -> Failure {
    let why = words::cause(e);
    failure(
        FailureKind::Helper,
        (
            format!("Le programme {program} n’a pas démarré\u{a0}: {}.", why.fr),
            format!("The program {program} did not start: {}.", why.en),
        ),
        ("Vérifiez qu’il est entier et exécutable.", "Check that it is whole and may be executed."),
    )
}

/// A value would be an option.
pub fn option(program: &str, word: &str) -> Failure {
    failure(
        FailureKind::Setting,
        (
            format!(
                "{program} prendrait «\u{a0}{word}\u{a0}» pour une option\u{a0}: rien n’a été lancé."
            ),
            format!("{program} would take “{word}” for an option: nothing was started."),
        ),
        (
            "Corrigez l’hôte, l’utilisateur ou le réglage qui commence ainsi.",
            "Correct the host, user or setting that begins so.",
        ),
    )
}

/// A value has a control character.
pub fn control(program: &str) -> Failure {
    failure(
        FailureKind::Setting,
        (
            format!(
                "Une valeur pour {program} contient un saut de ligne ou un caractère de commande."
            ),
            format!("A value for {program} holds a line break or a control character."),
        ),
        ("Retirez-le de l’accès.", "Take it out of the entry."),
    )
}

/// The host is none.
pub fn no_host(host: &str) -> Failure {
    failure(
        FailureKind::Setting,
        (
            format!("«\u{a0}{host}\u{a0}» n’est ni un nom de machine ni une adresse."),
            format!("“{host}” is neither the name of a machine nor an address."),
        ),
        ("Corrigez l’hôte de l’accès.", "Correct the host of the entry."),
    )
}

/// A field that is needed is empty.
pub fn needed(label: &Bi) -> Failure {
    failure(
        FailureKind::Setting,
        (format!("Il manque «\u{a0}{}\u{a0}».", label.fr), format!("“{}” is missing.", label.en)),
        ("Remplissez ce réglage de l’accès.", "Fill in this setting of the entry."),
    )
}

/// It ended before it was ready.
pub fn ended_at_once(program: &str, status: &str, said: &str) -> Failure {
    let mut failure = failure(
        FailureKind::Helper,
        (
            format!("{program} s’est arrêté avant d’être prêt ({status})\u{a0}: {said}"),
            format!("{program} ended before it was ready ({status}): {said}"),
        ),
        (
            "Voyez ce qu’il dit, puis vérifiez l’hôte, l’utilisateur et les réglages.",
            "See what it says, then check host, user and settings.",
        ),
    );
    if said.is_empty() {
        failure.what = Bi::new(
            format!("{program} s’est arrêté avant d’être prêt ({status}), sans un mot."),
            format!("{program} ended before it was ready ({status}), without a word."),
        );
    }
    failure
}

/// It asked for the secret once more.
pub fn refused_again(program: &str) -> Failure {
    failure(
        FailureKind::Login,
        (
            format!("{program} redemande le secret qu’il a reçu\u{a0}: il a été refusé."),
            format!("{program} asks again for the secret it was given: it was refused."),
        ),
        (
            "Vérifiez l’utilisateur et le mot de passe de l’accès. Rien n’a été donné une seconde fois.",
            "Check the user and the password of the entry. Nothing was given a second time.",
        ),
    )
}

/// What is typed would be shown.
pub fn would_be_seen(program: &str) -> Failure {
    failure(
        FailureKind::Helper,
        (
            format!(
                "{program} demande un secret mais montrerait ce qui est tapé\u{a0}: rien n’a été donné."
            ),
            format!("{program} asks for a secret but would show what is typed: nothing was given."),
        ),
        (
            "Corrigez le motif de la question dans le manifeste.",
            "Correct the pattern of the question in the manifest.",
        ),
    )
}

/// A helper was asked what the manifest does not know.
pub fn unknown_question(program: &str, question: &str) -> Failure {
    // In quotation marks of another kind, so that it cannot end ours.
    let said: String = question.chars().filter(|c| !c.is_control()).take(200).collect();
    let said = said.trim();
    failure(
        FailureKind::Helper,
        (
            format!("{program} pose une question que son manifeste ne connaît pas\u{a0}: {said}"),
            format!("{program} asks a question that its manifest does not know: {said}"),
        ),
        (
            "Rien n’a été donné. Si cette question est la bonne, corrigez le motif du secret dans le manifeste.",
            "Nothing was given. If this is the right question, correct the pattern of the secret in the manifest.",
        ),
    )
}

/// A pipe holds no such secret.
pub fn pipe_too_small(slot: &str) -> Failure {
    failure(
        FailureKind::Setting,
        (
            format!("Le secret «\u{a0}{slot}\u{a0}» est trop long pour être passé au programme."),
            format!("The secret “{slot}” is too long to be passed to the program."),
        ),
        ("Mettez-en un plus court.", "Put in a shorter one."),
    )
}

/// A secret of several lines where one line is read.
pub fn secret_of_lines(slot: &str) -> Failure {
    failure(
        FailureKind::Setting,
        (
            format!(
                "Le secret «\u{a0}{slot}\u{a0}» a plusieurs lignes, le programme n’en lit qu’une."
            ),
            format!("The secret “{slot}” has several lines, the program reads only one."),
        ),
        ("Corrigez-le dans l’accès.", "Correct it in the entry."),
    )
}

/// The person did not approve it.
pub fn not_approved(kind: &str) -> Failure {
    failure(
        FailureKind::Helper,
        (
            format!(
                "Le connecteur «\u{a0}{kind}\u{a0}» n’est pas approuvé sur cet ordinateur\u{a0}: rien n’a été lancé."
            ),
            format!(
                "The connector “{kind}” is not approved on this computer: nothing was started."
            ),
        ),
        (
            "Lisez son manifeste, puis approuvez-le\u{a0}: poterne connector approve FICHIER",
            "Read its manifest, then approve it: poterne connector approve FILE",
        ),
    )
}

/// The same of one that the vault shares: it is approved where it is used first.
pub fn shared_not_approved(kind: &str) -> Failure {
    let todo = Bi::new(
        "Connectez-vous de nouveau, lisez le manifeste qui est montré, puis approuvez-le.",
        "Connect again, read the manifest that is shown, then approve it.",
    );
    Failure { todo, ..not_approved(kind) }
}

/// The approval cannot be kept.
pub fn not_kept(e: &io::Error) -> Failure {
    let why = words::cause(e);
    failure(
        FailureKind::Helper,
        (
            format!("L’approbation ne peut pas être gardée\u{a0}: {}.", why.fr),
            format!("The approval cannot be kept: {}.", why.en),
        ),
        (
            "Vérifiez le dossier d’état de Poterne (poterne doctor).",
            "Check the state folder of Poterne (poterne doctor).",
        ),
    )
}

/// Its file is not there any more.
pub fn gone(path: &str) -> Failure {
    failure(
        FailureKind::Helper,
        (
            format!("Le manifeste {path} ne peut plus être lu."),
            format!("The manifest {path} can no longer be read."),
        ),
        ("Remettez-le en place.", "Put it back."),
    )
}

/// Its file makes no sense any more.
pub fn broken(path: &str, faults: &[Fault]) -> Failure {
    let told = |lang| faults.first().map(|fault| fault.told(lang)).unwrap_or_default();
    failure(
        FailureKind::Helper,
        (
            format!("Le manifeste {path} est fautif\u{a0}: {}.", told(Lang::Fr)),
            format!("The manifest {path} is at fault: {}.", told(Lang::En)),
        ),
        (
            "Corrigez-le\u{a0}: poterne connector check FICHIER montre toutes les fautes.",
            "Correct it: poterne connector check FILE shows every fault.",
        ),
    )
}

/// What a sign of failure in the program's words means.
pub fn known(program: &str, sign: &FailureSign, said: &str) -> Failure {
    let what = sign.what.clone().unwrap_or_else(|| {
        Bi::new(format!("{program} dit\u{a0}: {said}"), format!("{program} says: {said}"))
    });
    let todo = sign.todo.clone().unwrap_or_else(|| match sign.kind {
        FailureKind::Login => Bi::new(
            "Vérifiez l’utilisateur et le mot de passe de l’accès.",
            "Check the user and the password of the entry.",
        ),
        FailureKind::HostKeyChanged => Bi::new(
            "Demandez au client si le serveur a été réinstallé. Seulement alors, oubliez l’ancienne \
             clé\u{a0}: poterne edit CHEMIN --forget-host-key.",
            "Ask the client whether the server was reinstalled. Only then forget the old key: \
             poterne edit PATH --forget-host-key.",
        ),
        _ => Bi::new(
            "Vérifiez l’hôte, le port, le réseau et les réglages de l’accès.",
            "Check host, port, network and the settings of the entry.",
        ),
    });
    Failure { kind: sign.kind, what, todo }
}

/// A program that says nothing it was expected to say.
pub fn not_heard(program: &str, secs: u64, window: bool) -> Bi {
    let (fr, en) = match window {
        true => ("voyez sa fenêtre", "see its window"),
        false => ("le terminal est à vous", "the terminal is yours"),
    };
    Bi::new(
        format!("{program} n’a pas dit en {secs} s qu’il est prêt\u{a0}: {fr}"),
        format!("{program} did not say within {secs} s that it is ready: {en}"),
    )
}

/// The first signs of a fingerprint, for a line.
pub fn short_print(text: &str) -> String {
    fingerprint(text).chars().take("SHA256:".len() + 12).collect()
}
