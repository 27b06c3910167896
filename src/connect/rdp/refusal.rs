//! IronRDP's errors on the way to a desktop, as failures for a person.

use std::error::Error;
use std::io;

use ironrdp_connector::{ConnectorError, ConnectorErrorKind, sspi};
use ironrdp_pdu::nego::FailureCode;
use ironrdp_pdu::rdp::server_redirection::ServerRedirectionPdu;

use super::fail::Wants;
use super::settings::Settings;
use super::{ended, fail};
use crate::connect::Failure;
use crate::model::target::HostPort;

/// Longest token of a farm that is told; those of Windows have some sixty signs.
const TOKEN_MAX: usize = 256;

/// The server sends the session to another one. The login that it may name is not told:
/// its password is a secret.
pub fn redirected(at: &HostPort, to: &ServerRedirectionPdu) -> Failure {
    let several = to.target_net_addresses.iter().flatten();
    let names = [&to.target_fqdn, &to.target_net_address, &to.target_netbios_name];
    let mut names = names.into_iter().flatten().chain(several);
    let name = names.find(|name| !name.is_empty()).map_or("", |name| name);
    let token = to.load_balance_info.as_deref().unwrap_or_default();
    let token = str::from_utf8(token).unwrap_or_default().trim();
    let fits = token.len() <= TOKEN_MAX && !token.chars().any(char::is_control);
    fail::redirected(at, name, if fits { token } else { "" })
}

/// The licence was not settled.
pub fn of_licence(at: &HostPort, e: &ConnectorError) -> Failure {
    match io_error(e) {
        Some(io) => fail::broken(at, io),
        None => fail::licence(at, &detail(e)),
    }
}

/// The error at the bottom of a chain, if it is one of the system's.
fn io_error(e: &ConnectorError) -> Option<&io::Error> {
    let mut next: Option<&dyn Error> = Some(e);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        next = error.source();
    }
    None
}

/// A connector's error with its cause, without the places in its source.
fn detail(e: &ConnectorError) -> String {
    match e.kind() {
        ConnectorErrorKind::Reason(reason) => reason.clone(),
        kind => match Error::source(kind) {
            Some(source) => format!("{kind}: {source}"),
            None => format!("{kind}: {e}"),
        },
    }
}

/// What went wrong in the sequence.
pub fn in_words(at: &HostPort, settings: &Settings, e: &ConnectorError) -> Failure {
    if let Some(io) = io_error(e) {
        return fail::broken(at, io);
    }
    match e.kind() {
        ConnectorErrorKind::Negotiation(no) => {
            let wants = match no.code() {
                FailureCode::HYBRID_REQUIRED_BY_SERVER => Wants::Nla,
                FailureCode::SSL_NOT_ALLOWED_BY_SERVER => Wants::Less,
                FailureCode::SSL_REQUIRED_BY_SERVER => Wants::Less,
                FailureCode::SSL_CERT_NOT_ON_SERVER => Wants::Certificate,
                _ => Wants::Other,
            };
            fail::negotiation(at, wants, settings.security)
        }
        ConnectorErrorKind::Reason(words) if ended::is_reason(words) => {
            ended::reason(at, words).unwrap_or_else(|| fail::protocol(at, words))
        }
        // A server that knows no negotiation, or not what was offered.
        ConnectorErrorKind::Reason(words) if words.contains("client advertised") => {
            fail::negotiation(at, Wants::Less, settings.security)
        }
        _ => fail::protocol(at, &detail(e)),
    }
}

/// Why NLA failed. Many servers only hang up.
pub fn of_login(at: &HostPort, user: &str, e: &ConnectorError) -> Failure {
    if let Some(io) = io_error(e) {
        return match io.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => fail::login(at, user),
            _ => fail::broken(at, io),
        };
    }
    match e.kind() {
        ConnectorErrorKind::AccessDenied => fail::not_allowed(at, user),
        ConnectorErrorKind::Credssp(e) => match (e.nstatus, e.error_type) {
            (Some(code), _) => fail::status(at, user, code.0),
            (None, sspi::ErrorKind::MessageAltered | sspi::ErrorKind::BadBindings) => {
                fail::impostor(at)
            }
            (None, sspi::ErrorKind::LogonDenied) => fail::login(at, user),
            (None, _) => fail::protocol(at, &e.description),
        },
        _ => fail::protocol(at, &detail(e)),
    }
}

#[cfg(test)]
mod tests {
    use ironrdp_core::decode;

    use super::*;

    /// A packet of MS-RDPBCGR section 2.2.13.1 with these fields, in their order there.
    fn packet(flags: u32, fields: &[&[u8]]) -> ServerRedirectionPdu {
        let fields: Vec<u8> = fields
            .iter()
            .flat_map(|f| [&u32::try_from(f.len()).expect("short").to_le_bytes(), *f].concat())
            .collect();
        let length = u16::try_from(12 + fields.len() + 8).expect("short");
        let head = [0x0400_u16.to_le_bytes(), length.to_le_bytes()].concat();
        let session = 3_u32.to_le_bytes();
        let whole = [&head[..], &session, &flags.to_le_bytes(), &fields, &[0; 8]].concat();
        decode(&whole).expect("as the specification has it")
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn where_a_farm_sends_is_told_with_its_token_and_without_its_password() {
        let at = HostPort { host: "farm".into(), port: 3389 };
        let (address, name) = (wide("10.0.0.7"), wide("rds2.corp.example"));
        let (token, password) = (b"tsv://MS Terminal Services Plugin.1.Ferme\r\n", b"s3cret");
        let all = packet(0x0000_0113, &[&address, token, password, &name]);
        let told = redirected(&at, &all);
        assert!(told.what.en.contains("to rds2.corp.example"), "{}", told.what.en);
        let told = format!("{} {} {} {}", told.what.fr, told.what.en, told.todo.fr, told.todo.en);
        assert!(told.contains("“tsv://MS Terminal Services Plugin.1.Ferme”"), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
        // A token alone, and one that no person could type.
        let told = redirected(&at, &packet(0x0000_0002, &[b"Cookie: msts=1.2.0\r\n"]));
        assert!(told.todo.fr.contains("«\u{a0}Cookie: msts=1.2.0\u{a0}»"), "{}", told.todo.fr);
        let told = redirected(&at, &packet(0x0000_0002, &[b"\xff\x01"]));
        assert!(told.what.en.contains("another server") && told.todo.en.contains("token of the"));
        // Only a list of addresses.
        let one = [&u32::try_from(address.len()).expect("short").to_le_bytes()[..], &address];
        let list = [&1_u32.to_le_bytes()[..], &one.concat()].concat();
        assert!(redirected(&at, &packet(0x0000_0800, &[&list])).what.en.contains("10.0.0.7"));
    }
}
