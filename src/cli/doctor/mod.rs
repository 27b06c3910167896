//! `doctor`: looks at this computer, and says what is missing and what that costs.
//! Opens no vault, connects to nothing, and starts no program but to ask its version.

mod vpn;

use serde_json::{Value, json};

use crate::app::{look, remote};
use crate::os::{chromium, clock, harden, keyring, paths, serial, session_lock, terminal};

use super::Context;
use super::say;

/// One thing looked at.
struct Finding {
    name: &'static str,
    good: bool,
    what: String,
    todo: String,
    /// Exit code for what does not work at all; 0 for what is only weaker.
    broken: u8,
}

/// Any clock earlier than this program is wrong: 2026-01-01.
const BUILT_AFTER_UNIX_SECONDS: i64 = 1_767_225_600;

/// Tells all of it; the exit code is that of what is broken, else 0.
pub fn doctor(context: &Context) -> u8 {
    let mut findings = vec![
        vault(context),
        agent(context),
        keyring_place(context),
        runtime(context),
        memory(context),
        dumps(context),
        logind(context),
        clock_sense(context),
        serial_ports(context),
        page_browser(context),
    ];
    findings.extend(vpn::findings(context));
    findings.push(tty(context));
    let broken = findings.iter().map(|finding| finding.broken).max().unwrap_or(0);
    if context.json {
        let findings: Vec<Value> = findings
            .iter()
            .map(|finding| {
                json!({
                    "name": finding.name,
                    "good": finding.good,
                    "what": finding.what,
                    "todo": finding.todo,
                })
            })
            .collect();
        say::document(&json!({ "findings": findings }));
        return broken;
    }
    for finding in &findings {
        let mark = if finding.good { "✓" } else { "!" };
        say::line(&format!("{mark} {:<9} {}", finding.name, finding.what));
        if !finding.todo.is_empty() {
            say::line(&format!("            → {}", finding.todo));
        }
    }
    broken
}

fn good(name: &'static str, what: impl Into<String>) -> Finding {
    Finding { name, good: true, what: what.into(), todo: String::new(), broken: 0 }
}

fn weak(name: &'static str, what: impl Into<String>, todo: impl Into<String>) -> Finding {
    Finding { name, good: false, what: what.into(), todo: todo.into(), broken: 0 }
}

fn vault(context: &Context) -> Finding {
    let file = match context.file() {
        Ok(file) => file,
        Err(error) => {
            return weak("vault", error.what.get(context.lang), error.todo.get(context.lang));
        }
    };
    let shown = file.display().to_string();
    let there = std::fs::metadata(&file);
    if there.is_ok()
        && let Err(error) = look::at_rest(&file)
    {
        let (what, todo) = (error.what.get(context.lang), error.todo.get(context.lang));
        let broken = error.code.exit();
        return Finding { broken, ..weak("vault", format!("{shown}\u{a0}: {what}"), todo) };
    }
    match there {
        Ok(meta) if meta.permissions().readonly() => weak(
            "vault",
            shown,
            context.pick(
                "Le fichier est en lecture seule\u{a0}: le coffre ne se déverrouillera pas.",
                "The file is read-only: the vault will not unlock.",
            ),
        ),
        Ok(_) => good("vault", shown),
        Err(error) => weak(
            "vault",
            format!("{shown}\u{a0}: {error}"),
            context.pick("Créez un coffre\u{a0}: poterne init", "Make a vault: poterne init"),
        ),
    }
}

fn serial_ports(context: &Context) -> Finding {
    let ports = serial::present();
    match ports.is_empty() {
        true => good("serial", context.pick("aucun port série", "no serial port")),
        false => good("serial", ports.join(", ")),
    }
}

fn page_browser(context: &Context) -> Finding {
    match chromium::find("") {
        Some(program) => good("browser", program.display().to_string()),
        None => weak(
            "browser",
            context.pick(
                "aucun navigateur de la famille Chromium\u{a0}: les pages web s’ouvrent dans celui \
                 du bureau, sans connexion automatique",
                "no browser of the Chromium family: web pages open in that of the desktop, without \
                 being logged in to",
            ),
            context.pick(
                "Installez Chromium, Chrome, Edge, Brave ou Vivaldi.",
                "Install Chromium, Chrome, Edge, Brave or Vivaldi.",
            ),
        ),
    }
}

fn agent(context: &Context) -> Finding {
    match context.file().and_then(|file| remote::find(&file)) {
        Ok(Some(_)) => {
            good("agent", context.pick("un agent sert ce coffre", "an agent serves this vault"))
        }
        Ok(None) => good("agent", context.pick("aucun agent", "no agent")),
        Err(error) => weak("agent", error.what.get(context.lang), error.todo.get(context.lang)),
    }
}

fn keyring_place(context: &Context) -> Finding {
    if keyring::available() {
        return good(
            "keyring",
            context.pick("le trousseau du système répond", "the system's keyring answers"),
        );
    }
    weak(
        "keyring",
        context.pick(
            "pas de trousseau\u{a0}: la clé de cet ordinateur sera dans un fichier 0600",
            "no keyring: this computer's key will lie in a 0600 file",
        ),
        context.pick(
            "Démarrez un service Secret Service (GNOME Keyring, KWallet) pour mieux la garder.",
            "Start a Secret Service (GNOME Keyring, KWallet) to keep it better.",
        ),
    )
}

fn runtime(context: &Context) -> Finding {
    let folder = paths::runtime_folder().and_then(|folder| {
        paths::private_folder(&folder)?;
        Ok(folder)
    });
    match folder {
        Ok(folder) => good("socket", folder.display().to_string()),
        Err(error) => weak(
            "socket",
            error.to_string(),
            context.pick(
                "Définissez XDG_RUNTIME_DIR ou HOME sur un dossier à vous seul.",
                "Set XDG_RUNTIME_DIR or HOME to a folder of yours alone.",
            ),
        ),
    }
}

fn memory(context: &Context) -> Finding {
    if harden::harden().memory_locked {
        return good(
            "memory",
            context.pick("aucune page ne va sur le disque d’échange", "no page goes to swap"),
        );
    }
    weak(
        "memory",
        context.pick(
            "la limite (ulimit -l) ne permet pas de garder toute la mémoire hors de l’échange",
            "the limit (ulimit -l) does not allow keeping all memory out of swap",
        ),
        context.pick(
            "Chiffrez l’échange, ou levez la limite memlock.",
            "Encrypt the swap, or lift the memlock limit.",
        ),
    )
}

fn dumps(context: &Context) -> Finding {
    let hardened = harden::harden();
    if hardened.core_dumps_off && hardened.undumpable {
        return good(
            "dumps",
            context.pick(
                "ni fichier core, ni lecture de la mémoire par vos autres programmes",
                "no core file, no reading of memory by your other programs",
            ),
        );
    }
    weak(
        "dumps",
        context.pick("ce système n’empêche pas les vidages", "this system does not prevent dumps"),
        context.pick("Désactivez-les pour ce compte.", "Switch them off for this account."),
    )
}

fn logind(context: &Context) -> Finding {
    if session_lock::available() {
        return good(
            "logind",
            context.pick(
                "verrouillage à la veille et à l’écran verrouillé",
                "locks at sleep and at the lock screen",
            ),
        );
    }
    weak(
        "logind",
        context.pick(
            "pas de logind\u{a0}: la veille et l’écran verrouillé ne verrouillent pas le coffre",
            "no logind: sleep and the lock screen do not lock the vault",
        ),
        context.pick(
            "Verrouillez à la main, ou réglez un délai court (poterne settings --idle-lock).",
            "Lock by hand, or set a short delay (poterne settings --idle-lock).",
        ),
    )
}

fn clock_sense(context: &Context) -> Finding {
    let now = clock::now();
    if now.unix_seconds() >= BUILT_AFTER_UNIX_SECONDS {
        return good("clock", now.to_string());
    }
    weak(
        "clock",
        now.to_string(),
        context.pick(
            "Mettez l’horloge à l’heure\u{a0}: les codes du téléphone en dépendent.",
            "Set the clock: the codes of your phone depend on it.",
        ),
    )
}

fn tty(context: &Context) -> Finding {
    if !terminal::stdin_is_terminal() {
        return good(
            "terminal",
            context.pick(
                "entrée sans terminal\u{a0}: les secrets se lisent ligne par ligne",
                "input without a terminal: secrets are read line by line",
            ),
        );
    }
    let (cols, rows) = terminal::size().unwrap_or((80, 24));
    good("terminal", format!("{cols} × {rows}"))
}
