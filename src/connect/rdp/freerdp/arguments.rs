//! The settings of a desktop as FreeRDP's arguments. No secret: the password is read
//! from standard input (`/from-stdin:force`), which both versions do before they
//! connect; that of a gateway is the next line. An empty domain has to be given, or FreeRDP 2 asks for one.

use std::ffi::OsString;
use std::path::Path;

use data_encoding::{BASE64_NOPAD, HEXLOWER};

use crate::connect::rdp::settings::{Settings, Sound};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::share;

/// Who logs in where, besides the settings.
pub struct Place<'a> {
    /// What FreeRDP connects to; a forwarding here where there is a jump host.
    pub at: &'a HostPort,
    /// For the title of the window.
    pub title: &'a str,
    /// Login name, and domain; both may be empty.
    pub user: (&'a str, &'a str),
    /// `SHA256:…` of the one certificate to accept.
    pub fingerprint: &'a str,
    /// The server has chosen NLA, not TLS alone.
    pub nla: bool,
    /// The folder of this machine that the entry names, if it is given.
    pub folder: Option<&'a Path>,
    /// The gateway before it.
    pub gateway: Option<Before<'a>>,
}

/// A gateway and who logs in to it.
pub struct Before<'a> {
    /// Where it is.
    pub at: &'a HostPort,
    /// Login name, and domain, which may be empty.
    pub user: (&'a str, &'a str),
    /// `SHA256:…` of its certificate.
    pub fingerprint: &'a str,
}

/// Attempts of FreeRDP after a break, five seconds apart.
const TRIES: u32 = 12;
/// FreeRDP's word that the server has taken part in the login (NLA). It is told
/// among the details of that part, whose secrets are sealed by then.
pub const LOGS: &str = "/log-filters:com.freerdp.core.nla:DEBUG";

/// The arguments for FreeRDP of this major version.
pub fn of(settings: &Settings, place: &Place<'_>, major: u32) -> Vec<OsString> {
    let on = |wanted: bool, name: &str| format!("{}{name}", if wanted { '+' } else { '-' });
    let (user, domain) = place.user;
    let mut args = vec![
        format!("/v:{}", place.at),
        format!("/u:{user}"),
        format!("/d:{domain}"),
        "/from-stdin:force".to_owned(),
        trusted(place),
        // What was negotiated when the certificate was looked at, and nothing less.
        format!("/sec:{}", if place.nla { "nla" } else { "tls" }),
        format!("/t:{}", place.title),
        "/size:80%".to_owned(),
        "/dynamic-resolution".to_owned(),
        format!("/bpp:{}", settings.depth),
        on(settings.effects, "wallpaper"),
        on(settings.effects, "themes"),
        on(settings.effects, "aero"),
        on(settings.effects, "menu-anims"),
        on(settings.effects, "window-drag"),
        clipboard(settings, major),
        on(settings.reconnect, "auto-reconnect"),
        LOGS.to_owned(),
    ];
    args.push(match (major, settings.unicode) {
        (..=2, _) => format!("/kbd:0x{:08X}", settings.layout),
        (_, false) => format!("/kbd:layout:0x{:08X}", settings.layout),
        (_, true) => format!("/kbd:layout:0x{:08X},unicode:on", settings.layout),
    });
    if let Some(gateway) = &place.gateway {
        args.extend(through(gateway, major));
    }
    if settings.weak_tls {
        args.push(if major <= 2 { "/tls-seclevel:0" } else { "/tls:seclevel:0" }.to_owned());
    }
    if settings.admin {
        args.push("/admin".to_owned());
    }
    if settings.reconnect {
        args.push(format!("/auto-reconnect-max-retries:{TRIES}"));
    }
    match settings.sound {
        Sound::Off => {}
        Sound::Here => args.extend(["/audio-mode:0", "/sound"].map(str::to_owned)),
        Sound::There => args.push("/audio-mode:1".to_owned()),
    }
    if let Some(drive) = place.folder.and_then(|folder| drive(settings, folder)) {
        args.push(drive);
    }
    let named = [
        ("shell", &settings.program),
        ("shell-dir", &settings.directory),
        ("load-balance-info", &settings.load_balance),
    ];
    for (name, value) in named.into_iter().filter(|(_, value)| !value.is_empty()) {
        args.push(format!("/{name}:{value}"));
    }
    args.into_iter().map(OsString::from).collect()
}

/// The gateway. It has a user of its own in any case: only then FreeRDP reads a second
/// password.
fn through(gateway: &Before<'_>, major: u32) -> Vec<String> {
    let (user, domain) = gateway.user;
    if major <= 2 {
        let at = format!("/g:{}", gateway.at);
        return vec![at, format!("/gu:{user}"), format!("/gd:{domain}"), "/gt:http".to_owned()];
    }
    // A comma would begin another part; no account of Windows has one.
    let bare = |text: &str| text.replace(',', "");
    let mut words = format!("/gateway:g:{},u:{},type:http", gateway.at, bare(user));
    if !domain.is_empty() {
        words += &format!(",d:{}", bare(domain));
    }
    vec![words]
}

/// The certificates to accept, which FreeRDP does not tell apart by their servers.
fn trusted(place: &Place<'_>) -> String {
    let mut words = String::from("/cert:deny");
    let before = place.gateway.as_ref().map(|gateway| gateway.fingerprint);
    for print in std::iter::once(place.fingerprint).chain(before) {
        words += &format!(",fingerprint:sha256:{}", hex(print));
    }
    words
}

/// FreeRDP 2 knows only both ways or none.
fn clipboard(settings: &Settings, major: u32) -> String {
    let way = match (settings.clipboard.to_server, settings.clipboard.from_server) {
        (true, true) => return "+clipboard".to_owned(),
        (false, false) => return "-clipboard".to_owned(),
        (true, false) => "remote",
        (false, true) => "local",
    };
    if major <= 2 {
        return "-clipboard".to_owned();
    }
    format!("/clipboard:direction-to:{way},files-to:{way}")
}

/// The folder as a drive. FreeRDP lets the server write into each one, follows links
/// out of it, and takes a comma for the end of its path.
fn drive(settings: &Settings, folder: &Path) -> Option<String> {
    let name = folder.file_name()?.to_str()?;
    let path = folder.to_str()?;
    let plain = !path.contains([',', '"', '*', '%']);
    (settings.folder_writable && plain && share::plain(folder))
        .then(|| format!("/drive:{name},{path}"))
}

/// What this version cannot do of what the entry says.
pub fn lost(settings: &Settings, folder: Option<&Path>, major: u32) -> Vec<Bi> {
    let mut lost = Vec::new();
    match folder {
        Some(_) if !settings.folder_writable => lost.push(Bi::new(
            "FreeRDP ne sait pas partager un dossier en lecture seule\u{a0}: il n’est pas partagé",
            "FreeRDP cannot share a folder for reading only: it is not shared",
        )),
        Some(folder) if !share::plain(folder) => lost.push(Bi::new(
            "Ce dossier contient un lien, que FreeRDP suivrait, ou trop de fichiers\u{a0}: il n’est \
             pas partagé",
            "That folder holds a link, which FreeRDP would follow, or too many files: it is not \
             shared",
        )),
        Some(folder) if drive(settings, folder).is_none() => lost.push(Bi::new(
            "FreeRDP ne comprend pas le nom de ce dossier\u{a0}: il n’est pas partagé",
            "FreeRDP does not understand the name of that folder: it is not shared",
        )),
        _ => {}
    }
    if major <= 2 && settings.clipboard.to_server != settings.clipboard.from_server {
        lost.push(Bi::new(
            "FreeRDP 2 ne sait pas limiter le presse-papiers à un sens\u{a0}: il n’est pas partagé",
            "FreeRDP 2 cannot keep the clipboard to one direction: it is not shared",
        ));
    }
    if major <= 2 && settings.unicode {
        lost.push(Bi::new(
            "FreeRDP 2 envoie les touches, pas les caractères\u{a0}: la disposition du serveur décide",
            "FreeRDP 2 sends keys, not characters: the server's layout decides",
        ));
    }
    lost
}

/// The digest of `SHA256:…` as FreeRDP writes it.
fn hex(fingerprint: &str) -> String {
    let digest = fingerprint.strip_prefix("SHA256:").unwrap_or(fingerprint);
    let bytes = BASE64_NOPAD.decode(digest.as_bytes()).unwrap_or_default();
    let pairs: Vec<String> = bytes.iter().map(|byte| HEXLOWER.encode(&[*byte])).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::id::EntryId;
    use crate::model::target::Hop;

    fn arguments(given: &[(&str, &str)], major: u32) -> (Vec<String>, usize) {
        let at = HostPort { host: "srv".into(), port: 3389 };
        let settings: BTreeMap<String, String> =
            given.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect();
        let hop = Hop {
            entry: EntryId([0; 16]),
            path: "A/srv".into(),
            at: at.clone(),
            user: String::new(),
            slots: Vec::new(),
            pinned: Vec::new(),
            settings,
            ask: false,
        };
        let settings = Settings::of(&hop).unwrap_or_else(|e| panic!("{}", e.what.en));
        let folder = Some(&settings.folder).filter(|f| !f.is_empty()).map(std::path::PathBuf::from);
        let fingerprint = format!("SHA256:{}", BASE64_NOPAD.encode(&[0xAB; 32]));
        let place = Place {
            at: &at,
            title: "A/srv",
            user: ("ada", ""),
            fingerprint: &fingerprint,
            nla: true,
            folder: folder.as_deref(),
            gateway: None,
        };
        let args = of(&settings, &place, major);
        let args = args.into_iter().map(|a| a.into_string().expect("text")).collect();
        (args, lost(&settings, folder.as_deref(), major).len())
    }

    #[test]
    fn a_gateway_is_told_in_the_words_of_each_version() {
        let at = HostPort { host: "rds".into(), port: 443 };
        let fingerprint = format!("SHA256:{}", BASE64_NOPAD.encode(&[0xCD; 32]));
        let gateway = Before { at: &at, user: ("gar,p:de", "CORP"), fingerprint: &fingerprint };
        let old = through(&gateway, 2);
        assert_eq!(old, ["/g:rds:443", "/gu:gar,p:de", "/gd:CORP", "/gt:http"]);
        let new = through(&gateway, 3);
        assert_eq!(new, ["/gateway:g:rds:443,u:garp:de,type:http,d:CORP"]);
        let place = Place {
            at: &at,
            title: "A/srv",
            user: ("ada", ""),
            fingerprint: &fingerprint,
            nla: true,
            folder: None,
            gateway: Some(gateway),
        };
        assert_eq!(trusted(&place).matches(",fingerprint:sha256:cd:").count(), 2);
    }

    #[test]
    fn what_an_entry_says_is_told_in_the_words_of_each_version() {
        let (args, lost) = arguments(&[], 2);
        assert_eq!(lost, 0);
        for arg in ["/v:srv:3389", "/u:ada", "/d:", "/sec:nla", "/kbd:0x0000040C", "+clipboard"] {
            assert!(args.iter().any(|a| a == arg), "{arg}: {args:?}");
        }
        let print = format!("/cert:deny,fingerprint:sha256:{}", ["ab"; 32].join(":"));
        assert!(args.contains(&print), "{args:?}");
        assert!(!args.iter().any(|a| a.contains("ignore") || a.starts_with("/p:")), "{args:?}");

        let set = [
            ("clipboard", "in"),
            ("keyboard", "unicode"),
            ("admin-session", "yes"),
            ("start-program", "calc.exe"),
            ("load-balance-info", "tsv://a b"),
            ("effects", "no"),
            ("weak-tls", "yes"),
            ("sound", "there"),
        ];
        let (args, lost) = arguments(&set, 3);
        assert_eq!(lost, 0);
        for arg in [
            "/clipboard:direction-to:remote,files-to:remote",
            "/kbd:layout:0x0000040C,unicode:on",
            "/admin",
            "/shell:calc.exe",
            "/load-balance-info:tsv://a b",
            "-wallpaper",
            "/audio-mode:1",
            "/tls:seclevel:0",
        ] {
            assert!(args.iter().any(|a| a == arg), "{arg}: {args:?}");
        }
        // What the older one cannot do is not done by halves.
        let (args, lost) = arguments(&set, 2);
        assert_eq!(lost, 2);
        assert!(args.iter().any(|a| a == "-clipboard"), "{args:?}");
    }

    #[cfg(unix)]
    #[test]
    fn sound_folder_and_reconnection_are_handed_on_as_far_as_they_can_be() {
        let room = tempfile::tempdir().expect("a folder");
        let made = |name: &str| {
            let folder = room.path().join(name);
            std::fs::create_dir(&folder).expect("ours");
            folder.to_str().expect("UTF-8").to_owned()
        };
        let (shared, comma, linked) = (made("é x"), made("a,etc"), made("lien"));
        std::os::unix::fs::symlink("/etc", format!("{linked}/etc")).expect("ours");
        let drive = format!("/drive:é x,{shared}");
        for major in [2, 3] {
            let set = [("sound", "here"), ("folder", &shared), ("folder-access", "write")];
            let (args, lost) = arguments(&set, major);
            assert_eq!(lost, 0);
            for arg in [
                "/audio-mode:0",
                "/sound",
                &drive,
                "+auto-reconnect",
                "/auto-reconnect-max-retries:12",
            ] {
                assert!(args.iter().any(|a| a == arg), "{arg}: {args:?}");
            }
            // A folder that may only be read, whose path ends elsewhere for FreeRDP, or that
            // leads elsewhere.
            for (folder, access) in [(&shared, "read"), (&comma, "write"), (&linked, "write")] {
                let set = [("folder", folder.as_str()), ("folder-access", access)];
                let (args, lost) = arguments(&[&set[..], &[("reconnect", "no")]].concat(), major);
                assert_eq!(lost, 1);
                assert!(!args.iter().any(|a| a.starts_with("/drive") || a.starts_with("/sound")));
                assert!(args.iter().any(|a| a == "-auto-reconnect"), "{args:?}");
            }
        }
    }
}
