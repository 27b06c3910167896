//! Fetches a profile from the portal of a firewall or a VPN server: one GET by `https`,
//! with user and password where it asks (RFC 7617). So do the portals of OpenVPN Access
//! Server (`/rest/GetUserlogin`, `/rest/GetAutologin`). Follows nothing to another
//! machine, trusts who the system trusts, and keeps nothing.

mod address;
mod fault;

use std::error::Error;
use std::fmt;
use std::io::{self, Read};
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::header::ACCEPT;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{StatusCode, Url};

use super::profile::MAX_BYTES;
use crate::model::lang::Bi;
use crate::os::words;
use crate::secret::{SecretBytes, SecretText};

pub use address::{Address, is_address};
pub use fault::Fault;

/// For the portal to be reached.
const REACH: Duration = Duration::from_secs(15);
/// For all of it.
const WHOLE: Duration = Duration::from_secs(60);
/// Pages that it may send on to.
const PAGES_MAX: usize = 5;

/// What a person gives a portal.
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: SecretText,
}

/// The profile at that address. Blocks, up to a minute.
///
/// # Errors
/// It does not come: [`Fault::AsksLogin`] where it would with a login.
pub fn fetch(address: &Address, login: Option<&Login>) -> Result<SecretBytes, Fault> {
    if login.is_some_and(|login| login.user.contains(':')) {
        return Err(Fault::Colon);
    }
    let client = client(address.url())?;
    let mut request = client.get(address.url().clone());
    request = request.header(ACCEPT, "application/x-openvpn-profile, text/plain, */*;q=0.5");
    if let Some(Login { user, password }) = login {
        request = password.expose(|password| request.basic_auth(user, Some(password)));
    }
    let response = request.send().map_err(|error| of_error(&error))?;
    match response.status() {
        status if status.is_success() => body(response),
        StatusCode::UNAUTHORIZED if login.is_none() => Err(Fault::AsksLogin),
        StatusCode::UNAUTHORIZED => Err(Fault::LoginRefused),
        status => Err(Fault::Status(status.as_u16())),
    }
}

fn client(url: &Url) -> Result<Client, Fault> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Fault::NoAuthorities);
    }
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let tls = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let machine = url.host_str().unwrap_or_default().to_owned();
    Client::builder()
        .use_preconfigured_tls(tls)
        .https_only(true)
        .redirect(Policy::custom(move |attempt| follow(attempt, &machine)))
        .connect_timeout(REACH)
        .timeout(WHOLE)
        .user_agent(concat!("Poterne/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| of_error(&error))
}

fn follow(attempt: Attempt<'_>, machine: &str) -> reqwest::redirect::Action {
    let to = attempt.url();
    if to.scheme() != "https" || to.host_str() != Some(machine) {
        let shown = format!("{}://{}", to.scheme(), to.host_str().unwrap_or_default());
        return attempt.error(Astray(Fault::Elsewhere(shown)));
    }
    if attempt.previous().len() > PAGES_MAX {
        return attempt.error(Astray(Fault::Circle));
    }
    attempt.follow()
}

/// Why a page that the portal sends on to is not fetched.
#[derive(Debug)]
struct Astray(Fault);

impl fmt::Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sent astray")
    }
}

impl Error for Astray {}

fn body(response: Response) -> Result<SecretBytes, Fault> {
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(64 * 1024));
    let read = response.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| of_cause(&error))?;
    if bytes.len() > MAX_BYTES {
        return Err(Fault::Large);
    }
    if is_page(&bytes) {
        return Err(Fault::WebPage);
    }
    Ok(SecretBytes::new(std::mem::take(&mut bytes)))
}

/// Whether it is HTML: a portal that wants a person to log in.
fn is_page(bytes: &[u8]) -> bool {
    let begin = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    [&b"<!doctype"[..], b"<html", b"<?xml"]
        .iter()
        .any(|tag| begin.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag)))
}

fn of_error(error: &reqwest::Error) -> Fault {
    if error.is_timeout() {
        return Fault::TimedOut;
    }
    of_cause(error)
}

/// The deepest reason that has words of its own.
fn of_cause(error: &(dyn Error + 'static)) -> Fault {
    let mut found = None;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(Astray(fault)) = error.downcast_ref() {
            return fault.clone();
        }
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return of_tls(tls);
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            // What it wraps is not among its sources.
            if let Some(inner) = io.get_ref() {
                next = Some(inner);
                found.get_or_insert_with(|| words::cause(io));
                continue;
            }
            found = Some(words::cause(io));
        }
        if let Some(timed) = error.downcast_ref::<reqwest::Error>()
            && timed.is_timeout()
        {
            return Fault::TimedOut;
        }
        next = error.source();
    }
    let unknown = || Bi::new("la connexion a été coupée", "the connection broke");
    Fault::Unreachable(found.unwrap_or_else(unknown))
}

fn of_tls(error: &rustls::Error) -> Fault {
    match error {
        rustls::Error::InvalidCertificate(why) => Fault::Certificate(why.to_string()),
        other => Fault::Unreachable(words::quoted(&other.to_string())),
    }
}
