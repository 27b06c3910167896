//! Certificates of a profile that are about to end. Says it, and changes nothing.

use super::profile::Facts;
use crate::model::lang::Bi;
use crate::model::time::Time;
use crate::os::clock;

/// How long before, in days.
const DAYS: i64 = 30;
const DAY_MICROS: i64 = 86_400_000_000;

/// A sentence for each that ends within 30 days.
pub fn soon(facts: &Facts) -> Vec<Bi> {
    let own = facts.client_expires().map(|at| ("du client", "client’s", at));
    let authority = facts.authority_expires().map(|at| ("de l’autorité", "authority’s", at));
    let near = |at: Time| at.0 - clock::now().0 < DAYS * DAY_MICROS;
    let told = own.into_iter().chain(authority).filter(|(.., at)| near(*at));
    told.map(|(fr, en, at)| {
        let day = at.to_string();
        let day = day.split('T').next().unwrap_or_default();
        Bi::new(
            format!("Le certificat {fr} expire le {day}"),
            format!("The {en} certificate expires on {day}"),
        )
    })
    .collect()
}
