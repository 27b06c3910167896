//! TLS to a desktop's server (MS-RDPBCGR section 5.4.5.1). Such servers sign their
//! certificates themselves: it is trusted as an SSH host key is, by its fingerprint.
//! OpenSSL checks that the server has the key of the certificate it shows; whose
//! name or signature that bears is not looked at. Sends nothing secret.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;

use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode, SslVersion};
use spki::SubjectPublicKeyInfoRef;
use spki::der::Decode;
use tokio_openssl::SslStream;

use crate::connect::ssh::legacy_serve::Both;
use crate::model::target::HostPort;

/// Bytes that travel to the server.
pub type Wire = Pin<Box<dyn Both>>;

/// A connection whose far side has shown a certificate.
pub struct Secured {
    /// Bytes inside TLS.
    pub stream: SslStream<Wire>,
    /// The certificate (DER).
    pub certificate: Vec<u8>,
    /// The key in it, as CredSSP binds to it (MS-CSSP section 3.1.5).
    pub public_key: Vec<u8>,
    /// `TLS 1.3` or the like.
    pub version: String,
    /// The version is one that is no longer thought safe.
    pub weak: bool,
}

/// What is offered to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ciphers {
    /// What is thought safe.
    Today,
    /// What was, too.
    Old,
    /// Those without a certificate: nobody knows who the server is.
    Anonymous,
}

/// Why TLS did not come about.
pub enum Unsecured {
    /// The connection broke.
    Broken(io::Error),
    /// For this reason, in OpenSSL's words.
    Failed(String),
    /// The server showed no certificate that can be read.
    NoCertificate,
}

impl From<ErrorStack> for Unsecured {
    fn from(e: ErrorStack) -> Self {
        Self::Failed(e.to_string())
    }
}

fn context(ciphers: Ciphers) -> Result<SslContext, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    context.set_verify(SslVerifyMode::NONE);
    match ciphers {
        Ciphers::Today => {
            context.set_min_proto_version(Some(SslVersion::TLS1_2))?;
            // Certificates of old servers are signed with SHA-1; nobody trusts them for
            // that.
            context.set_cipher_list("DEFAULT:!RC4:!3DES:@SECLEVEL=1")?;
        }
        Ciphers::Old => {
            context.set_min_proto_version(Some(SslVersion::TLS1))?;
            context.set_cipher_list("ALL:!aNULL:!eNULL:@SECLEVEL=0")?;
        }
        Ciphers::Anonymous => {
            // TLS 1.3 has none.
            context.set_min_proto_version(Some(SslVersion::TLS1_2))?;
            context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
            context.set_cipher_list("aNULL:!eNULL:!RC4:!3DES:@SECLEVEL=0")?;
        }
    }
    Ok(context.build())
}

fn prepare(at: &HostPort, ciphers: Ciphers) -> Result<Ssl, ErrorStack> {
    let context = context(ciphers)?;
    let mut ssl = Ssl::new(&context)?;
    if at.host.parse::<IpAddr>().is_err() {
        ssl.set_hostname(&at.host)?;
    }
    Ok(ssl)
}

async fn handshake(
    wire: Wire,
    at: &HostPort,
    ciphers: Ciphers,
) -> Result<SslStream<Wire>, Unsecured> {
    let mut stream = SslStream::new(prepare(at, ciphers)?, wire)?;
    match Pin::new(&mut stream).connect().await {
        Ok(()) => Ok(stream),
        Err(e) => {
            let words = reason(&e);
            Err(e.into_io_error().map_or(Unsecured::Failed(words), Unsecured::Broken))
        }
    }
}

/// The handshake with a server that shows no certificate.
///
/// # Errors
/// It failed.
pub async fn conceal(wire: Wire, at: &HostPort) -> Result<SslStream<Wire>, Unsecured> {
    handshake(wire, at, Ciphers::Anonymous).await
}

/// `TLS 1.3` or the like.
pub fn version(stream: &SslStream<Wire>) -> String {
    stream.ssl().version_str().replace("TLSv", "TLS ")
}

/// The handshake with a server that shows a certificate.
///
/// # Errors
/// It failed, or the server showed none.
pub async fn secure(wire: Wire, at: &HostPort, ciphers: Ciphers) -> Result<Secured, Unsecured> {
    let stream = handshake(wire, at, ciphers).await?;
    let ssl = stream.ssl();
    let shown = ssl.peer_certificate().ok_or(Unsecured::NoCertificate)?;
    let certificate = shown.to_der()?;
    let key = shown.public_key()?.public_key_to_der()?;
    let public_key = subject_key(&key).ok_or(Unsecured::NoCertificate)?.to_vec();
    let version = version(&stream);
    let weak = !matches!(ssl.version2(), Some(SslVersion::TLS1_2 | SslVersion::TLS1_3));
    Ok(Secured { stream, certificate, public_key, version, weak })
}

/// OpenSSL's words for what went wrong, without its numbers.
fn reason(e: &openssl::ssl::Error) -> String {
    let first = e.ssl_error().and_then(|stack| stack.errors().first());
    first.and_then(|e| e.reason()).unwrap_or("TLS").to_owned()
}

/// The bits of the key in a SubjectPublicKeyInfo (RFC 5280 section 4.1).
fn subject_key(info: &[u8]) -> Option<&[u8]> {
    SubjectPublicKeyInfoRef::from_der(info).ok()?.subject_public_key.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::ec::{EcGroup, EcKey, PointConversionForm};
    use openssl::nid::Nid;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;

    #[test]
    fn the_key_of_a_certificate_is_the_one_that_openssl_knows() {
        let rsa = Rsa::generate(2048).expect("a key");
        let inner = rsa.public_key_to_der_pkcs1().expect("a form");
        let info = PKey::from_rsa(rsa).and_then(|k| k.public_key_to_der()).expect("a form");
        assert_eq!(subject_key(&info), Some(&inner[..]));

        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
        let ec = EcKey::generate(&group).expect("a key");
        let mut room = openssl::bn::BigNumContext::new().expect("room");
        let form = PointConversionForm::UNCOMPRESSED;
        let point = ec.public_key().to_bytes(&group, form, &mut room).expect("a point");
        let info = PKey::from_ec_key(ec).and_then(|k| k.public_key_to_der()).expect("a form");
        assert_eq!(subject_key(&info), Some(&point[..]));
        assert_eq!(subject_key(&info[..40]), None);
    }
}
