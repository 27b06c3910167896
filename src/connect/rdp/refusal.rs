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

/// The server sends the session to another one.
pub fn redirected(at: &HostPort, to: &ServerRedirectionPdu) -> Failure {
    let names = [&to.target_fqdn, &to.target_net_address, &to.target_netbios_name];
    let name = names.into_iter().flatten().find(|name| !name.is_empty());
    fail::redirected(at, name.map_or("", |name| name))
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
