//! What the arguments ask for: a shell or a command for the far shell, and the server
//! keys that were accepted in advance. Nothing is opened here.

use crate::app::api::AppError;
use crate::cli::args::Connect;
use crate::cli::say::{self, bi, usage};
use crate::connect::link::{ChannelRequest, TermSize};
use crate::os::terminal;

/// The channel that the arguments ask for.
///
/// # Errors
/// The command holds a null byte.
pub(super) fn channel_request(options: &Connect) -> Result<ChannelRequest, AppError> {
    let term = std::env::var("TERM").ok().filter(|term| !term.is_empty() && term != "dumb");
    let term = term.unwrap_or_else(|| "xterm-256color".to_owned());
    if options.command.is_empty() {
        return Ok(ChannelRequest::Shell { size: size(), term });
    }
    let command = match &options.command[..] {
        [whole] => whole.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    };
    if command.contains('\0') {
        return Err(usage(
            bi("La commande contient un octet nul.", "The command holds a null byte."),
            bi("Retirez-le.", "Take it out."),
        ));
    }
    Ok(ChannelRequest::Exec { command, size: options.tty.then(size), term })
}

/// A word as the far shell must read it to get the same word (POSIX.1-2017, XCU
/// 2.2.2): the far side takes a line, not words.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The size of this terminal; 80 by 24 where there is none.
pub(super) fn size() -> TermSize {
    let (cols, rows) = terminal::size().unwrap_or((80, 24));
    TermSize { cols, rows }
}

/// The fingerprints given in advance, one or several apart by commas, as OpenSSH
/// prints them: the name of the digest may be missing, padding may be there.
pub(in crate::cli) fn fingerprints(given: &str) -> Result<String, AppError> {
    let each = given.split(',').map(|print| {
        let print = print.trim();
        let digest = print.strip_prefix("SHA256:").unwrap_or(print).trim_end_matches('=');
        let bytes = data_encoding::BASE64_NOPAD.decode(digest.as_bytes());
        if !bytes.is_ok_and(|bytes| bytes.len() == 32) {
            let print = say::plain(print);
            return Err(usage(
                bi(
                    format!("«\u{a0}{print}\u{a0}» n’est pas l’empreinte SHA-256 d’une clé."),
                    format!("“{print}” is not the SHA-256 fingerprint of a key."),
                ),
                bi(
                    "Donnez-la comme ssh-keygen -l l’affiche\u{a0}: SHA256: et 43 caractères.",
                    "Give it as ssh-keygen -l prints it: SHA256: and 43 characters.",
                ),
            ));
        }
        Ok(format!("SHA256:{digest}"))
    });
    Ok(each.collect::<Result<Vec<_>, _>>()?.join(","))
}
