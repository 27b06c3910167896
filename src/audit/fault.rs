//! What can be wrong with a log, where, and the words for it in both languages.

use crate::model::lang::Bi;

/// Where a fault was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the line of that sequence number.
    Line(u64),
    /// In the checkpoint that covers the whole log.
    Head,
}

impl Place {
    fn fr(self) -> String {
        match self {
            Self::Line(n) => format!("ligne {n}"),
            Self::Head => "checkpoint.txt".into(),
        }
    }

    fn en(self) -> String {
        match self {
            Self::Line(n) => format!("line {n}"),
            Self::Head => "checkpoint.txt".into(),
        }
    }
}

/// One proof that the log is not what was written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}", self.text().en)]
pub enum Fault {
    /// The bytes are not a line this format allows.
    Malformed { line: u64 },
    /// The line's bytes are not those that were stored or chained.
    Edited { line: u64 },
    /// The stored line does not open: its seal or its key was changed.
    Unreadable { line: u64 },
    /// The stored values of the line do not open, though the line does.
    Values { line: u64 },
    /// Lines are gone between two that are there; `next` is the first found.
    Missing { from: u64, next: u64 },
    /// Another line stands in the place of `line`.
    Reordered { line: u64, found: u64 },
    /// Fewer lines than a signature covers.
    Truncated { lines: u64, signed: u64 },
    /// More lines than the closing signature covers.
    Extended { lines: u64, signed: u64 },
    /// Fewer lines than this computer has verified before.
    RolledBack { lines: u64, seen: u64 },
    /// The lines verified before have changed.
    Rewritten { size: u64 },
    /// A disclosed value does not fit its commitment.
    Forged { line: u64, field: String },
    /// The first line does not create a vault.
    NoGenesis,
    /// A line that must carry public facts does not, or they are wrong.
    BadFact { line: u64 },
    /// The tree up to here is not the one that was signed.
    WrongRoot { place: Place },
    /// A signature does not verify.
    BadSignature { place: Place },
    /// Nobody of that identity was a member at this point.
    UnknownSigner { place: Place, by: String },
    /// The signer's role did not allow it.
    NotAllowed { place: Place, by: String },
    /// A signed statement was used a second time.
    Replayed { line: u64 },
    /// A checkpoint names another log.
    WrongOrigin { place: Place },
    /// The vault's root key is not the one with the given fingerprint.
    WrongFingerprint { found: String },
}

impl Fault {
    /// What is wrong and where.
    pub fn text(&self) -> Bi {
        match self {
            Self::Malformed { line } => Bi::new(
                format!("La ligne {line} n’est pas une ligne de journal valide."),
                format!("Line {line} is not a valid log line."),
            ),
            Self::Edited { line } => Bi::new(
                format!("La ligne {line} a été modifiée."),
                format!("Line {line} was edited."),
            ),
            Self::Unreadable { line } => Bi::new(
                format!("La ligne {line} ne s’ouvre plus\u{a0}: elle a été modifiée, ou sa clé."),
                format!("Line {line} no longer opens: it was edited, or its key was."),
            ),
            Self::Values { line } => Bi::new(
                format!("Les valeurs de la ligne {line} ont été modifiées."),
                format!("The values of line {line} were edited."),
            ),
            Self::Missing { from, next } => {
                let last = next.saturating_sub(1);
                if last == *from {
                    Bi::new(format!("La ligne {from} manque."), format!("Line {from} is missing."))
                } else {
                    Bi::new(
                        format!("Les lignes {from} à {last} manquent."),
                        format!("Lines {from} to {last} are missing."),
                    )
                }
            }
            Self::Reordered { line, found } => Bi::new(
                format!(
                    "À la place de la ligne {line} se trouve la ligne {found}\u{a0}: l’ordre a été changé ou une ligne répétée."
                ),
                format!(
                    "In the place of line {line} stands line {found}: lines were reordered or repeated."
                ),
            ),
            Self::Truncated { lines, signed } => Bi::new(
                format!("La fin manque\u{a0}: {lines} lignes présentes, {signed} signées."),
                format!("The end is missing: {lines} lines present, {signed} signed."),
            ),
            Self::Extended { lines, signed } => Bi::new(
                format!("Des lignes ont été ajoutées\u{a0}: {lines} présentes, {signed} signées."),
                format!("Lines were added: {lines} present, {signed} signed."),
            ),
            Self::RolledBack { lines, seen } => Bi::new(
                format!(
                    "Le journal est revenu en arrière\u{a0}: {lines} lignes, alors que {seen} ont déjà été vérifiées sur cet ordinateur."
                ),
                format!(
                    "The log went back: {lines} lines, while {seen} were verified on this computer before."
                ),
            ),
            Self::Rewritten { size } => Bi::new(
                format!("Les {size} premières lignes ne sont plus celles vérifiées auparavant."),
                format!("The first {size} lines are no longer those verified before."),
            ),
            Self::Forged { line, field } => Bi::new(
                format!("Valeur falsifiée\u{a0}: champ «\u{a0}{field}\u{a0}» de la ligne {line}."),
                format!("Forged value: field \"{field}\" of line {line}."),
            ),
            Self::NoGenesis => Bi::new(
                "La première ligne ne crée pas de coffre.",
                "The first line does not create a vault.",
            ),
            Self::BadFact { line } => Bi::new(
                format!("La ligne {line} ne porte pas la déclaration signée qu’elle doit porter."),
                format!("Line {line} does not carry the signed statement it must carry."),
            ),
            Self::WrongRoot { place } => Bi::new(
                format!("Les lignes ne sont pas celles qui ont été signées ({}).", place.fr()),
                format!("The lines are not those that were signed ({}).", place.en()),
            ),
            Self::BadSignature { place } => Bi::new(
                format!("Signature fausse ({}).", place.fr()),
                format!("Bad signature ({}).", place.en()),
            ),
            Self::UnknownSigner { place, by } => Bi::new(
                format!("Signé par {by}, qui n’était pas membre à ce moment ({}).", place.fr()),
                format!("Signed by {by}, who was no member at that point ({}).", place.en()),
            ),
            Self::NotAllowed { place, by } => Bi::new(
                format!("Signé par {by}, dont le rôle ne le permet pas ({}).", place.fr()),
                format!("Signed by {by}, whose role does not allow it ({}).", place.en()),
            ),
            Self::Replayed { line } => Bi::new(
                format!("La ligne {line} réutilise une déclaration déjà employée."),
                format!("Line {line} reuses a statement that was used before."),
            ),
            Self::WrongOrigin { place } => Bi::new(
                format!("Le point de contrôle est celui d’un autre journal ({}).", place.fr()),
                format!("The checkpoint is that of another log ({}).", place.en()),
            ),
            Self::WrongFingerprint { found } => Bi::new(
                format!("Ce journal vient d’un autre coffre\u{a0}: son empreinte est {found}."),
                format!("This log comes from another vault: its fingerprint is {found}."),
            ),
        }
    }
}
