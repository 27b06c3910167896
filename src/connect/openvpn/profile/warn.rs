//! Risks of a profile that stay after it was read: nothing is changed for them, who
//! imports it is told.

use super::facts::anywhere;
use super::model::{PartKind, Profile, Setting};
use crate::model::lang::Bi;

/// Ciphers with blocks of 64 bits, or none (Sweet32), and what breaks at once.
const WEAK_CIPHERS: &[&str] = &["BF-", "DES", "RC2", "CAST5", "IDEA", "SEED", "NONE", "RC4"];

/// What a person is told, each a sentence.
pub(super) fn of(profile: &Profile) -> Vec<Bi> {
    let mut out = Vec::new();
    let has = |name: &str| profile.settings(name).next().is_some();
    let part = |kind: PartKind| profile.parts().any(|part| part.kind == kind);
    let tls = has("client") || has("tls-client");
    let archive = part(PartKind::Pkcs12);
    let mut say = |fr: String, en: String| out.push(Bi::new(fr, en));

    if tls && !checks_server(profile) {
        say(
            "Rien ne distingue le serveur d’un client du même VPN (ni remote-cert-tls, ni \
             verify-x509-name, ni peer-fingerprint)\u{a0}: un client pourrait se faire passer \
             pour le serveur."
                .to_owned(),
            "Nothing tells the server from a client of the same VPN (neither remote-cert-tls nor \
             verify-x509-name nor peer-fingerprint): a client could pose as the server."
                .to_owned(),
        );
    }
    if tls && !part(PartKind::Authority) && !archive && !has("peer-fingerprint") {
        say(
            "Le certificat de l’autorité (ca) manque\u{a0}: la connexion échouera.".to_owned(),
            "The certificate of the authority (ca) is missing: the connection will fail."
                .to_owned(),
        );
    }
    if part(PartKind::Certificate) != part(PartKind::Key) && !archive {
        say(
            "Le certificat du client ou sa clé manque (cert, key)\u{a0}: la connexion échouera."
                .to_owned(),
            "The certificate of the client or its key is missing (cert, key): the connection will \
             fail."
                .to_owned(),
        );
    }
    if !tls && part(PartKind::Static) {
        say(
            "Une seule clé fixe chiffre tout (secret)\u{a0}: qui la trouve peut lire aussi les \
             sessions passées."
                .to_owned(),
            "One fixed key encrypts everything (secret): who finds it can read past sessions too."
                .to_owned(),
        );
    }
    if compresses(profile) {
        say(
            "Le tunnel est compressé\u{a0}: cela peut trahir ce qui est chiffré (VORACLE)."
                .to_owned(),
            "The tunnel is compressed: that can give away what is encrypted (VORACLE).".to_owned(),
        );
    }
    for name in weak_ciphers(profile) {
        say(format!("Chiffrement faible\u{a0}: {name}."), format!("Weak cipher: {name}."));
    }
    for setting in profile.settings("auth") {
        let word = first(setting).unwrap_or_default();
        if ["MD4", "MD5", "none"].iter().any(|weak| word.eq_ignore_ascii_case(weak)) {
            say(
                format!("Authentification faible des paquets\u{a0}: auth {word}."),
                format!("Weak authentication of packets: auth {word}."),
            );
        }
    }
    for setting in old_tls(profile) {
        let line = super::write::line(setting);
        let line = line.trim_end();
        say(
            format!("Réglage affaibli de TLS\u{a0}: {line}."),
            format!("Weakened setting of TLS: {line}."),
        );
    }
    out
}

fn first(setting: &Setting) -> Option<&str> {
    setting.args.first().map(String::as_str)
}

/// Whether a client of the same VPN would be refused as a server.
fn checks_server(profile: &Profile) -> bool {
    let says = |name: &str, what: &[&str]| {
        let said = profile.settings(name).last().and_then(first);
        said.is_some_and(|word| what.is_empty() || what.contains(&word))
    };
    says("remote-cert-tls", &["server"])
        || says("ns-cert-type", &["server"])
        || says("remote-cert-eku", &["TLS Web Server Authentication", "1.3.6.1.5.5.7.3.1"])
        || says("verify-x509-name", &[])
        || says("peer-fingerprint", &[])
}

fn compresses(profile: &Profile) -> bool {
    let last = |name: &'static str| profile.settings(name).last();
    let lzo = last("comp-lzo").is_some_and(|setting| first(setting) != Some("no"));
    let other = last("compress").is_some_and(|setting| {
        first(setting).is_some_and(|word| matches!(word, "lzo" | "lz4" | "lz4-v2"))
    });
    let allowed = last("allow-compression").is_some_and(|setting| first(setting) == Some("yes"));
    lzo || other || allowed
}

fn weak_ciphers(profile: &Profile) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for name in ["cipher", "data-ciphers", "ncp-ciphers", "data-ciphers-fallback"] {
        for setting in anywhere(profile, name) {
            for word in setting.args.iter().flat_map(|arg| arg.split(':')) {
                let word = word.trim_start_matches('?').to_ascii_uppercase();
                let weak = WEAK_CIPHERS.iter().any(|weak| word.starts_with(weak));
                if weak && !out.contains(&word) {
                    out.push(word);
                }
            }
        }
    }
    out
}

fn old_tls(profile: &Profile) -> Vec<&Setting> {
    let old: &[(&str, &[&str])] = &[
        ("tls-version-min", &["1.0", "1.1"]),
        ("tls-version-max", &["1.0", "1.1"]),
        ("tls-cert-profile", &["insecure", "legacy"]),
        ("remote-cert-tls", &["client"]),
        ("compat-mode", &[]),
    ];
    let mut out: Vec<&Setting> = old
        .iter()
        .flat_map(|(name, words)| {
            profile.settings(name).filter(|setting| {
                words.is_empty() || first(setting).is_some_and(|word| words.contains(&word))
            })
        })
        .collect();
    let suites = profile.settings("tls-cipher").filter(|setting| {
        let suites = first(setting).unwrap_or_default().to_ascii_uppercase();
        let plain = |word: &str| suites.split([':', ',']).any(|suite| suite == word);
        suites.contains("SECLEVEL=0")
            || plain("NULL")
            || plain("ENULL")
            || plain("ANULL")
            || plain("ALL")
            || plain("EXP")
    });
    out.extend(suites);
    out
}
