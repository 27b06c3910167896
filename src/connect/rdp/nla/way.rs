//! By which proof NLA logs in: Kerberos or NTLM, as the entry, its user and the name of
//! the server have it. Decides only; whether a KDC answers is seen later.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::login::split;
use crate::connect::field::{Word, machine};
use crate::model::lang::Bi;
use crate::model::target::HostPort;

/// Where KDCs listen (RFC 4120 section 7.2.3.2).
const PORT: u16 = 88;

/// The setting that chooses.
pub const SETTING: &str = "kerberos";
/// The setting that names the KDC.
pub const KDC: &str = "kdc";

/// The line of a plan that says which proof is tried.
pub const PLANNED: &str = "nla-proof";

/// What the entry allows.
pub const WORDS: &[Word] = &[
    Word { word: "auto", fr: "si possible, sinon NTLM", en: "where possible, else NTLM" },
    Word { word: "only", fr: "seulement, jamais NTLM", en: "only, never NTLM" },
    Word { word: "never", fr: "jamais, NTLM", en: "never, NTLM" },
];

/// What the entry allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// Kerberos where it is possible, else NTLM.
    Both,
    /// Kerberos, as members of “Protected Users” need it.
    Kerberos,
    /// NTLM.
    Ntlm,
}

impl Allowed {
    /// That of a word.
    pub fn of(word: &str) -> Self {
        match word {
            "only" => Self::Kerberos,
            "never" => Self::Ntlm,
            _ => Self::Both,
        }
    }
}

/// The proof that is tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// A ticket of this KDC.
    Kerberos(HostPort),
    /// NTLM, for this reason.
    Ntlm(Why),
}

/// Why Kerberos is not tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The entry wants NTLM.
    Chosen,
    /// A user of no domain has no KDC.
    NoDomain,
    /// Tickets are for names.
    Address,
    /// The entry names none.
    NoKdc,
}

/// Every reason.
pub const WHYS: [Why; 4] = [Why::Chosen, Why::NoDomain, Why::Address, Why::NoKdc];

impl Why {
    /// As people read it.
    pub fn words(self) -> Bi {
        match self {
            Self::Chosen => Bi::new("l’accès le veut", "the entry wants it"),
            Self::NoDomain => Bi::new("l’utilisateur n’a pas de domaine", "the user has no domain"),
            Self::Address => Bi::new(
                "le serveur est désigné par son adresse et non par son nom",
                "the server is given by its address and not by its name",
            ),
            Self::NoKdc => Bi::new("l’accès n’indique aucun KDC", "the entry names no KDC"),
        }
    }
}

/// Which proof a user (with a domain, if there is one) gives a server.
pub fn way(allowed: Allowed, kdc: &str, user: &str, domain: &str, host: &str) -> Way {
    let of_user = user.rsplit_once('@').map_or("", |(_, realm)| realm);
    let realm = if domain.is_empty() { of_user } else { domain };
    if allowed == Allowed::Ntlm {
        Way::Ntlm(Why::Chosen)
    } else if matches!(realm, "" | ".") || user.is_empty() {
        Way::Ntlm(Why::NoDomain)
    } else if host.parse::<IpAddr>().is_ok() {
        Way::Ntlm(Why::Address)
    } else {
        machine(kdc, PORT).map_or(Way::Ntlm(Why::NoKdc), Way::Kerberos)
    }
}

/// What a plan says: the proof, and why; `Err` when the entry allows only what cannot
/// be. None where the server is not asked for NLA, or the user is not known yet.
pub fn planned(
    settings: &BTreeMap<String, String>,
    user: &str,
    host: &str,
) -> Option<Result<(&'static str, Bi), Bi>> {
    let text = |id: &str| settings.get(id).map_or("", |value| value.trim());
    let outside = text("program") == "freerdp";
    if text("security") == "tls" || user.is_empty() {
        return None;
    }
    let allowed = Allowed::of(text(SETTING));
    let only = allowed == Allowed::Kerberos;
    if outside {
        // FreeRDP decides by itself, as its own configuration has it.
        return only.then(|| Err(super::fail::outside().what));
    }
    let (user, domain) = split(user, text("domain"));
    Some(match way(allowed, text(KDC), &user, &domain, host) {
        Way::Kerberos(kdc) if only => Ok((
            "Kerberos",
            Bi::new(
                format!("du KDC {kdc}\u{a0}; l’accès exclut NTLM"),
                format!("of the KDC {kdc}; the entry rules out NTLM"),
            ),
        )),
        Way::Kerberos(kdc) => Ok((
            "Kerberos",
            Bi::new(
                format!("du KDC {kdc}\u{a0}; NTLM s’il ne répond pas ou ne connaît pas le serveur"),
                format!("of the KDC {kdc}; NTLM if it does not answer or know the server"),
            ),
        )),
        Way::Ntlm(why) if only => Err(super::fail::impossible(why).what),
        Way::Ntlm(why) => Ok(("NTLM", why.words())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kerberos_needs_a_domain_a_name_and_a_kdc() {
        let by = |kdc, user, domain, host| way(Allowed::Both, kdc, user, domain, host);
        let kdc = |host: &str, port| Way::Kerberos(HostPort { host: host.to_owned(), port });
        assert_eq!(by("dc1", "ada", "CORP", "srv"), kdc("dc1", 88));
        assert_eq!(by("dc1:8888", "ada@corp.example", "", "srv"), kdc("dc1", 8888));
        assert_eq!(by("[2001:db8::1]:90", "ada", "CORP", "srv"), kdc("2001:db8::1", 90));
        assert_eq!(by("2001:db8::1", "ada", "CORP", "srv"), kdc("2001:db8::1", 88));
        assert_eq!(by("dc1", "ada", "", "srv"), Way::Ntlm(Why::NoDomain));
        assert_eq!(by("dc1", "ada", ".", "srv"), Way::Ntlm(Why::NoDomain));
        assert_eq!(by("dc1", "ada", "CORP", "192.0.2.7"), Way::Ntlm(Why::Address));
        assert_eq!(by("dc1", "ada", "CORP", "2001:db8::7"), Way::Ntlm(Why::Address));
        assert_eq!(by("", "ada", "CORP", "srv"), Way::Ntlm(Why::NoKdc));
        let never = way(Allowed::Ntlm, "dc1", "ada", "CORP", "srv");
        assert_eq!(never, Way::Ntlm(Why::Chosen));
    }

    #[test]
    fn a_plan_tells_the_proof_or_what_is_missing() {
        let of = |pairs: &[(&str, &str)]| {
            let owned = |(id, value): &(&str, &str)| ((*id).to_owned(), (*value).to_owned());
            planned(&pairs.iter().map(owned).collect(), "CORP\\ada", "srv")
        };
        let proof = |told: Option<Result<(&'static str, Bi), Bi>>| told.map(|t| t.map(|t| t.0));
        assert_eq!(proof(of(&[])), Some(Ok("NTLM")));
        assert_eq!(proof(of(&[("kdc", "dc1")])), Some(Ok("Kerberos")));
        assert_eq!(proof(of(&[("kdc", "dc1"), ("kerberos", "never")])), Some(Ok("NTLM")));
        assert_eq!(proof(of(&[("kdc", "dc1"), ("security", "tls")])), None);
        let missing = of(&[("kerberos", "only")]).and_then(Result::err).map(|why| why.en);
        assert!(missing.is_some_and(|why| why.contains("names no KDC")));
        let outside = of(&[("kerberos", "only"), ("kdc", "dc1"), ("program", "freerdp")]);
        assert!(outside.is_some_and(|told| told.is_err()));
    }
}
