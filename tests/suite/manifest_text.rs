//! What a manifest may say: those of Poterne are sound, every fault is told with its
//! line and column, no text makes the reader fall over, and no field of a manifest
//! gets in the way of the command line.

use poterne::connect::ALL;
use poterne::connect::manifest::registry::BUILT_IN;
use poterne::connect::manifest::{MAX_BYTES, RESERVED, read};
use poterne::model::lang::Lang;
use proptest::prelude::*;

const SOUND: &str = r#"
kind = "essai"
name = "Essai"
opens = "terminal"
uses = ["host", "user"]
args = ["--at={host}", { if = "user", words = ["-l", "{user}"] }]
[program]
linux = ["prog"]
[[secret]]
slot = "password"
by = "prompt"
pattern = 'Password: $'
"#;

#[test]
fn the_manifests_of_poterne_are_sound_and_in_both_languages() {
    let mut kinds: Vec<&str> = ALL.iter().map(|c| c.id()).collect();
    for (name, text) in BUILT_IN {
        let manifest = read(text).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        assert_eq!(manifest.kind, *name, "the file has the name of the kind");
        assert!(!kinds.contains(name), "{name} is there twice");
        kinds.push(name);
        assert!(!manifest.icon.is_empty(), "{name} has a sign");
        assert!(!manifest.program.install.en.is_empty(), "{name} says how to get its program");
        for field in &manifest.fields {
            for text in [&field.help.fr, &field.help.en] {
                assert!(text.ends_with('.'), "{name}.{}: {text}", field.id);
            }
        }
        for french in text.lines().filter(|line| line.contains("fr = ")) {
            for sign in [" :", " ;", " ?", " !", "« ", " »"] {
                assert!(!french.contains(sign), "{name}: a no-break space in {french}");
            }
        }
    }
}

#[test]
fn the_ten_lines_of_the_guide_are_ten_and_sound_in_both_languages() {
    for guide in ["connectors.md", "connectors.fr.md"] {
        let file =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/guide").join(guide);
        let text = std::fs::read_to_string(file).expect("the guide");
        let (_, after) = text.split_once("```toml\n").expect("an example");
        let (example, _) = after.split_once("```").expect("its end");
        assert_eq!(example.lines().count(), 10);
        read(example).unwrap_or_else(|faults| panic!("{guide}: {faults:?}"));
        // Every kind of Poterne is told of, as tested or not.
        for (kind, source) in BUILT_IN {
            let manifest = read(source).expect("sound");
            let row = |line: &&str| line.starts_with('|') && line.contains(&format!("`{kind}`"));
            let row = text_of(&text).lines().find(row).map(str::to_owned);
            let row = row.unwrap_or_else(|| panic!("{guide} does not tell of {kind}"));
            let untested = row.contains("untested") || row.contains("non essayé");
            assert_eq!(untested, manifest.tested.is_empty(), "{guide}: {kind}");
        }
    }
}

/// The part of the guide that lists the kinds.
fn text_of(guide: &str) -> &str {
    guide.rsplit_once("\n## ").map_or(guide, |(_, last)| last)
}

/// The form of the window has the fields of a manifest, and checks what is typed.
#[cfg(feature = "gui")]
#[test]
fn the_form_has_the_fields_of_a_manifest() {
    use poterne::gui::entries::editor::Editor;
    use poterne::model::entry::{Kind, Slot};
    let mut form = Editor::new(Kind::new("psql"), "Dupont");
    let ids: Vec<&str> = form.fields().iter().map(|field| field.id).collect();
    assert_eq!(ids, ["database", "encryption", "connect-timeout"]);
    assert!(form.secrets.iter().any(|secret| secret.slot == Slot::Password));
    assert_eq!(form.default_port(), Some(5432));
    form.name = "base".into();
    assert!(form.faults().is_empty());
    // A connection string is no database, a word of no choice no encryption.
    for (id, value) in
        [("database", "host=evil"), ("encryption", "maybe"), ("connect-timeout", "0")]
    {
        form.settings.insert(id, value.into());
        assert!(form.faults().contains_key(id), "{id}");
        form.settings.insert(id, String::new());
    }
}

/// An entry whose manifest nobody has any more keeps what it had.
#[cfg(feature = "gui")]
#[test]
fn the_form_of_an_unknown_kind_has_the_common_fields_and_touches_no_setting() {
    use poterne::gui::entries::editor::Editor;
    use poterne::model::entry::Kind;
    let mut form = Editor::new(Kind::new("essai-inconnu"), "Dupont");
    let common = form.common();
    assert!(common.host && common.port && common.user);
    assert!(form.fields().is_empty() && form.settings.is_empty());
    form.name = "reste".into();
    form.host = "192.0.2.7".into();
    assert!(form.faults().is_empty());
    // A folder is no place to go to.
    assert!(!Editor::new(Kind::FOLDER, "Dupont").common().host);
}

/// The faults of the sound manifest after a change, as `line:column`.
fn faults(from: &str, to: &str) -> Vec<String> {
    assert!(SOUND.contains(from), "{from}");
    let text = SOUND.replacen(from, to, 1);
    let faults = read(&text).expect_err("it has a fault");
    faults.iter().map(|f| format!("{}:{} {}", f.line, f.column, f.what.en)).collect()
}

#[test]
fn every_fault_is_told_with_its_line_and_column() {
    assert!(read(SOUND).is_ok());
    let secret = "a secret is never in an argument or a variable, which other programs read: give \
                  it by [[secret]]";
    for (from, to, told) in [
        ("\"essai\"", "\"ssh\"", "2:8 the kind “ssh” is one of Poterne’s own"),
        ("\"terminal\"", "3", "4:9 a text in quotes is needed, not a number"),
        ("uses = ", "uzes = ", "5:1 unknown key “uzes”"),
        ("--at={host}", "{password}", secret),
        ("--at={host}", "--p={secret}", secret),
        ("--at={host}", "--p={secret:password}", secret),
        ("--at={host}", "x://{url:password}", secret),
        ("--at={host}", "x://{url:secret}", secret),
        ("--at={host}", "{nowhere}", "6:9 no field is called “nowhere”"),
        ("--at={host}", "{port}", "6:9 “uses” does not name this common field"),
        ("--at={host}", "{host", "6:9 a brace on its own"),
        ("if = \"user\"", "if = \"nobody\"", "6:31 no field is called “nobody”"),
        ("[program]", "[programme]", "7:2 unknown key “programme”"),
        ("\"prog\"", "\"../prog\"", "8:10 a bare name, looked up in PATH, or an absolute path"),
        ("by = \"prompt\"", "by = \"argv\"", "11:6 “argv” is none of: line, pipe, prompt, askpass"),
        ("by = \"prompt\"", "by = \"line\"", "11:6 in a terminal a secret is typed at a question"),
        ("'Password: $'", "'Password: '", "12:11 a question stands at the end"),
        ("'Password: $'", "'Pass(word: $'", "12:11 this is no regular expression"),
        ("slot = \"password\"", "slot = \"pasword\"", "10:8 a secret is password, private-key"),
        ("kind = ", "kind == ", "2:"),
    ] {
        let found = faults(from, to);
        assert!(found.iter().any(|f| f.contains(told)), "{to}: {found:?}");
    }
}

#[test]
fn all_faults_are_told_at_once_and_in_order() {
    let text = SOUND.replace("\"terminal\"", "\"screen\"").replace("\"prog\"", "\"\"");
    let found = read(&text).expect_err("two faults");
    assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [4, 8]);
    assert!(found[0].told(Lang::Fr).starts_with("ligne 4, colonne 9\u{a0}: "));
    let pipe =
        SOUND.replace("by = \"prompt\"", "by = \"pipe\"").replace("pattern = 'Password: $'", "");
    let found = read(&pipe).expect_err("nobody reads the pipe");
    assert!(found[0].what.en.contains("{pipe:password}"), "{found:?}");
    let found = read(&"#".repeat(MAX_BYTES + 1)).expect_err("too large");
    assert_eq!(found.len(), 1);
}

/// What an entry holds would be a command of the shell.
#[test]
fn a_shell_gets_nothing_of_an_entry() {
    for shell in ["sh", "/bin/bash", "C:\\\\WINDOWS\\\\cmd.EXE", "powershell.exe", "pwsh"] {
        let found = faults("\"prog\"", &format!("\"{shell}\""));
        assert!(found.iter().any(|f| f.contains("would read what an entry holds")), "{found:?}");
    }
    let fixed = SOUND.replace("\"prog\"", "\"sh\"").replace("--at={host}", "-c");
    let found = read(&fixed).expect_err("the user is still among its arguments");
    assert!(found[0].what.en.contains("sh would read"), "{found:?}");
    let fixed = fixed.replace(", { if = \"user\", words = [\"-l\", \"{user}\"] }", ", \"echo x\"");
    assert!(read(&fixed).is_ok());
    let hidden = fixed.replace("[program]", "[env]\nCOMMAND = \"{user}\"\n[program]");
    assert!(read(&hidden).is_err(), "nor in a variable");
    let started = SOUND.replace("\"--at={host}\"", "\"sh\", \"-c\", \"{host}\"");
    let found = read(&started).expect_err("one that another program starts");
    assert!(found[0].what.en.contains("sh would read"), "{found:?}");
    let far = SOUND.replace(
        "words = [\"-l\", \"{user}\"] }",
        "words = [\"-l\", \"{user}\"] }, \"--\", \"sh\", \"-l\"",
    );
    assert!(read(&far).is_ok(), "one that nothing of an entry follows: {:?}", read(&far).err());
}

/// What would not be loaded is not sound either.
#[test]
fn a_copy_of_a_manifest_of_poterne_is_told_by_the_check() {
    let seat = super::cli_kit::Seat::empty();
    let file = seat.home.path().join("copy.toml");
    let (kind, text) = BUILT_IN[0];
    std::fs::write(&file, text).expect("ours");
    let checked = seat.run(&["connector", "check", file.to_str().expect("UTF-8")], "").ended(2);
    let told = format!("the kind “{kind}” is taken already by a manifest of Poterne");
    assert!(checked.out.contains(&told), "{}", checked.out);
}

#[test]
fn a_helper_s_secret_names_its_question() {
    let helper = "by = \"askpass\"\nvariable = \"ASK\"";
    assert!(read(&SOUND.replace("by = \"prompt\"", helper)).is_ok());
    let bare = SOUND.replace("by = \"prompt\"", helper).replace("pattern = 'Password: $'\n", "");
    let found = read(&bare).expect_err("a question is missing");
    assert!(found[0].what.en.contains("pattern"), "{found:?}");
}

#[test]
fn a_field_takes_no_name_of_the_command_line() {
    let field = |id: &str| format!("{SOUND}[[field]]\nid = \"{id}\"\nlabel = \"x\"\n");
    assert!(read(&field("essai-propre")).is_ok());
    for id in RESERVED {
        assert!(read(&field(id)).is_err(), "{id}");
    }
    assert!(read(&field("Maj")).is_err() && read(&field("-x")).is_err());
    // Another type under the name of one of ours would confuse folders.
    let number = format!("{}type = \"number\"\n", field("directory"));
    assert!(read(&number).is_err() && read(&field("directory")).is_ok());
}

/// Every flag of `add` and `edit` that is no setting is a name no field may have.
#[test]
fn every_flag_that_is_no_setting_is_reserved() {
    let seat = super::cli_kit::Seat::empty();
    let settings: Vec<&str> = ALL.iter().flat_map(|c| c.fields()).map(|f| f.id).collect();
    let built_in: Vec<_> = BUILT_IN.iter().map(|(_, text)| read(text).expect("sound")).collect();
    let theirs: Vec<&str> =
        built_in.iter().flat_map(|m| &m.fields).map(|f| f.id.as_str()).collect();
    for command in ["add", "edit"] {
        let help = seat.ok(&[command, "--help"]).out;
        // Each line of a flag begins with it; its help may name those of other programs.
        let lines = help.lines().map(str::trim).filter(|line| line.starts_with('-'));
        let flags = lines.filter_map(|line| line.split("--").nth(1));
        for flag in flags {
            let flag = flag.split([' ', '=', '[', ',']).next().unwrap_or_default();
            let known = RESERVED.contains(&flag) || settings.contains(&flag);
            assert!(flag.is_empty() || known || theirs.contains(&flag), "{command} --{flag}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_makes_the_reader_fall_over(text in any::<String>()) {
        if let Err(faults) = read(&text) {
            prop_assert!(!faults.is_empty());
        }
    }

    /// A part of a sound manifest replaced by a part of another, or by anything.
    #[test]
    fn no_change_makes_the_reader_fall_over(
        which in 0..BUILT_IN.len(),
        other in 0..BUILT_IN.len(),
        (from, length) in (0.0..1.0f64, 0..60usize),
        (place, taken) in (0.0..1.0f64, 0..60usize),
        noise in prop::option::of(r#"[\[\]{}="'.a-z0-9\\ \n€-]{0,12}"#),
    ) {
        let chars: Vec<char> = BUILT_IN[which].1.chars().collect();
        let others: Vec<char> = BUILT_IN[other].1.chars().collect();
        let at = (chars.len() as f64 * from) as usize;
        let end = (at + length).min(chars.len());
        let begin = (others.len() as f64 * place) as usize;
        let piece: String = match noise {
            Some(noise) => noise,
            None => others[begin..(begin + taken).min(others.len())].iter().collect(),
        };
        let text: String =
            chars[..at].iter().collect::<String>() + &piece + &chars[end..].iter().collect::<String>();
        let lines = text.matches('\n').count() + 1;
        match read(&text) {
            Ok(manifest) => prop_assert_eq!(manifest.text, text),
            Err(faults) => for fault in faults {
                prop_assert!((1..=lines).contains(&fault.line) && fault.column >= 1);
            },
        }
    }
}

/// Who approves a manifest sees each of its signs: none is hidden, none turns the order
/// of the others around or moves the cursor of a terminal.
#[test]
fn no_sign_of_a_manifest_is_hidden_from_who_approves_it() {
    for c in ['\u{202E}', '\u{2066}', '\u{200B}', '\u{200D}', '\u{9B}', '\u{E0061}', '\u{FEFF}'] {
        let told = format!("U+{:04X}", u32::from(c));
        for (line, text) in [
            (1, format!("# a{c}b{SOUND}")),
            (6, SOUND.replace("--at=", &format!("--at={c}"))),
            (8, SOUND.replace("\"prog\"", &format!("\"prog{c}\""))),
        ] {
            let faults = read(&text).expect_err(&told);
            let fault = &faults[0];
            // A control character is no TOML either.
            assert!(fault.line == line, "{told}: {faults:?}");
            assert!(fault.what.en.contains(&told) || c.is_control(), "{faults:?}");
        }
    }
    // Written out it is seen, and may be typed; but not in what is shown.
    let typed = format!("{SOUND}[[answer]]\npattern = 'Go\\? $'\ntype = \"\\u202Eyes\\n\"\n");
    read(&typed).expect("a program may ask for it");
    for key in ["note = ", "tested = ", "icon = "] {
        let shown = format!("{key}\"a\\u202E\"\n{SOUND}");
        assert_eq!(read(&shown).expect_err(key)[0].line, 1, "{key}");
    }
}

/// Menus, tabs and the question for approval have room for what they show.
#[test]
fn what_a_manifest_shows_is_short_and_in_one_line() {
    let long = "x".repeat(61);
    let names = [long.as_str(), "", " ", "a\\nb", "a\\u001B[2J", "a\\u202Eb", "\\u200B"];
    for name in names {
        let named = SOUND.replace("name = \"Essai\"", &format!("name = \"{name}\""));
        assert_eq!(read(&named).expect_err(name)[0].line, 3, "{name}");
        let both = format!("name = {{ fr = \"Essai\", en = \"{name}\" }}");
        let both = SOUND.replace("name = \"Essai\"", &both);
        assert_eq!(read(&both).expect_err(name)[0].line, 3, "{name}");
        let field = format!("{SOUND}[[field]]\nid = \"a\"\nlabel = \"{name}\"\n");
        assert!(read(&field).is_err(), "{name}");
    }
    for name in [&"é".repeat(60), "PuTTY « plink »", "日本"] {
        let named = SOUND.replace("name = \"Essai\"", &format!("name = \"{name}\""));
        read(&named).unwrap_or_else(|faults| panic!("{faults:?}"));
    }
    let note = |length| format!("note = \"{}\"\n{SOUND}", "n".repeat(length));
    read(&note(500)).expect("long enough");
    assert_eq!(read(&note(501)).expect_err("too long")[0].line, 1);
}
