//! What to do after a failure, as a person at the window does it: commands and
//! options of the command line become the places of the window that do the same.
//! It changes words only, and never what is advised.

use crate::connect;
use crate::model::lang::Lang;

/// How a command begins, and the place in the window that does the same.
const PLACES: &[(&str, &str, &str)] = &[
    ("add", "la fiche de l’accès", "the entry’s form"),
    ("audit log", "la page Journal", "the Log page"),
    ("audit verify", "Journal › Vérifier", "Log › Verify"),
    ("check", "Réglages › Coffre", "Settings › Vault"),
    ("connector add", "Réglages › Coffre", "Settings › Vault"),
    ("connector remove", "Réglages › Coffre", "Settings › Vault"),
    ("device add", "Réglages › Postes", "Settings › Computers"),
    ("device enrol", "l’écran d’ouverture", "the unlock screen"),
    ("device list", "Réglages › Postes", "Settings › Computers"),
    ("edit", "la fiche de l’accès", "the entry’s form"),
    ("find", "la recherche", "the search"),
    ("history", "les détails de l’accès", "the entry’s details"),
    ("init", "le guide", "the guide"),
    ("kit", "Réglages › Moi", "Settings › Me"),
    ("lock", "le bouton Verrouiller", "the Lock button"),
    ("ls", "la liste", "the list"),
    ("member list", "la page Équipe", "the Team page"),
    ("member role", "la page Équipe", "the Team page"),
    ("plan", "les détails de l’accès", "the entry’s details"),
    (
        "recover",
        "«\u{a0}J’ai perdu mon mot de passe ou mon téléphone\u{a0}»",
        "“I lost my password or my phone”",
    ),
    ("settings", "Réglages › Coffre", "Settings › Vault"),
    ("show", "les détails de l’accès", "the entry’s details"),
    ("snapshot list", "les détails de l’accès", "the entry’s details"),
    ("snapshot take", "les détails de l’accès", "the entry’s details"),
    ("totp-reset", "Réglages › Moi", "Settings › Me"),
    ("unlock", "l’écran d’ouverture", "the unlock screen"),
    ("vpn list", "la ligne des VPN", "the line of VPNs"),
];

/// Signs around a command, in pairs.
const QUOTES: &[(&str, &str)] = &[("`", "`"), ("«\u{a0}", "\u{a0}»"), ("\"", "\""), ("“", "”")];

/// `todo` in the words of the window.
pub fn in_window(todo: &str, lang: Lang) -> String {
    let text = with_labels(&without_options(todo), lang);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("poterne ") {
        let (before, command) = rest.split_at(at);
        let Some((len, place)) = place_of(&command["poterne ".len()..], lang) else {
            let (kept, after) = rest.split_at(at + "poterne ".len());
            out.push_str(kept);
            rest = after;
            continue;
        };
        let command = &command["poterne ".len()..];
        let quoted = QUOTES.iter().find(|(open, _)| before.ends_with(open));
        match quoted.and_then(|(open, close)| Some((open, close, command.find(close)?))) {
            Some((open, close, end)) => {
                out.push_str(&before[..before.len() - open.len()]);
                out.push_str(place);
                rest = &command[end + close.len()..];
            }
            None => {
                out.push_str(before);
                out.push_str(place);
                rest = &command[len..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The place of a command, and how long it is with its arguments when nothing
/// closes it: an argument is in capitals or an option.
fn place_of(command: &str, lang: Lang) -> Option<(usize, &'static str)> {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-');
    let (words, fr, en) =
        PLACES.iter().find(|(words, ..)| command.strip_prefix(words).is_some_and(ends))?;
    let (mut len, mut value_next) = (words.len(), false);
    for word in command[len..].split_inclusive(' ').skip(1) {
        let bare = word.trim_end_matches([' ', '.', ',', ')', ';', '\u{a0}']);
        let option = bare.starts_with("--");
        let named = bare.len() > 1 && bare.chars().all(|c| c.is_ascii_uppercase());
        if !(option || named || value_next) {
            break;
        }
        value_next = option;
        len += 1 + bare.len();
        if word.trim_end() != bare {
            break;
        }
    }
    Some((len.min(command.len()), lang.pick(fr, en)))
}

/// Settings of a connector that stand in quotes by their ids, as the form calls them.
fn with_labels(todo: &str, lang: Lang) -> String {
    let fields = connect::all().iter().flat_map(|connector| connector.fields());
    let mut out = todo.to_owned();
    for field in fields {
        for (open, close) in [("«\u{a0}", "\u{a0}»"), ("“", "”")] {
            let quoted = format!("{open}{}{close}", field.id);
            if out.contains(&quoted) {
                out = out.replace(&quoted, &format!("{open}{}{close}", field.label(lang)));
            }
        }
    }
    out
}

/// What to do, without the options of the command line that stand in brackets.
fn without_options(todo: &str) -> String {
    let mut out = String::with_capacity(todo.len());
    let mut rest = todo;
    while let Some(at) = rest.find(" (option --") {
        out.push_str(&rest[..at]);
        let after = &rest[at..];
        rest = after.find(')').map_or("", |end| &after[end + 1..]);
    }
    out.push_str(rest);
    for (option, fr) in [(" sans --read-only", true), (" without --read-only", false)] {
        let unticked = match fr {
            true => " sans cocher «\u{a0}Lecture seule\u{a0}»",
            false => " without ticking “Read only”",
        };
        out = out.replace(&format!(" ({})", option.trim_start()), "").replace(option, unticked);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands without a place in the window: a person has to type them.
    const TYPED: &[&str] = &["agent-process", "backup", "connector", "doctor"];

    #[test]
    fn commands_become_places() {
        for (fr, told) in [
            (
                "Voyez les membres\u{a0}: poterne member list",
                "Voyez les membres\u{a0}: la page Équipe",
            ),
            (
                "Nommez d’abord un autre\u{a0}: poterne member role NOM --role owner",
                "Nommez d’abord un autre\u{a0}: la page Équipe",
            ),
            (
                "Vérifiez avec `poterne find`, ou demandez l’accès.",
                "Vérifiez avec la recherche, ou demandez l’accès.",
            ),
            ("Voyez `poterne plan Dupont/web`.", "Voyez les détails de l’accès."),
            ("Donnez-le (option --ticket).", "Donnez-le."),
            (
                "Affichez-la (poterne show CHEMIN), ou connectez.",
                "Affichez-la (les détails de l’accès), ou connectez.",
            ),
            (
                "Oubliez l’ancienne clé\u{a0}: poterne edit CHEMIN --forget-host-key.",
                "Oubliez l’ancienne clé\u{a0}: la fiche de l’accès.",
            ),
            ("Vérifiez avec\u{a0}: poterne doctor.", "Vérifiez avec\u{a0}: poterne doctor."),
            (
                "Allongez «\u{a0}connect-timeout\u{a0}».",
                "Allongez «\u{a0}Délai de connexion (s)\u{a0}».",
            ),
            ("Rouvrez-le sans --read-only.", "Rouvrez-le sans cocher «\u{a0}Lecture seule\u{a0}»."),
        ] {
            assert_eq!(in_window(fr, Lang::Fr), told);
        }
        let en = "Run `poterne check`, and go back with `poterne backup --restore FILE`.";
        let told = "Run Settings › Vault, and go back with `poterne backup --restore FILE`.";
        assert_eq!(in_window(en, Lang::En), told);
    }

    /// Every command that a text of the application names has its place here.
    #[test]
    fn each_command_named_below_the_window_is_known() {
        let named = regex::Regex::new("poterne ([a-z][a-z-]+(?: [a-z]+)?)").expect("a pattern");
        let mut seen = 0;
        let mut unknown = Vec::new();
        let mut folders = vec![std::path::PathBuf::from("src/app"), "src/connect".into()];
        while let Some(folder) = folders.pop() {
            for file in std::fs::read_dir(folder).expect("a folder").flatten() {
                let path = file.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("UTF-8");
                let spoken = text.lines().filter(|l| !l.trim_start().starts_with("//"));
                for found in spoken.flat_map(|line| named.captures_iter(line)) {
                    let command = &found[1];
                    let typed = TYPED.iter().any(|word| command.starts_with(word));
                    seen += 1;
                    if !typed && place_of(command, Lang::Fr).is_none() {
                        unknown.push(format!("{}: {command}", path.display()));
                    }
                }
            }
        }
        assert!(seen > 20, "the texts were read");
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
