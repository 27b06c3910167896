//! A portal that gives profiles of VPNs by `https` on loopback, proved by an authority
//! of its own, and the certificates that a profile holds.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod, SslStream};
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};

/// For a client that says nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// A certificate and its key.
pub struct Pair {
    pub certificate: X509,
    pub key: PKey<Private>,
}

impl Pair {
    /// One that vouches for others.
    pub fn authority() -> Self {
        Self::make("Portal CA", "20500101000000Z", None)
    }

    /// Signed by this one, for 127.0.0.1, good until then (`YYYYMMDDHHMMSSZ`).
    pub fn sign(&self, name: &str, until: &str) -> Self {
        Self::make(name, until, Some(self))
    }

    fn make(name: &str, until: &str, by: Option<&Self>) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a known curve");
        let key = PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key");
        let mut subject = X509NameBuilder::new().expect("room");
        subject.append_entry_by_text("CN", name).expect("a name");
        let subject = subject.build();
        let mut serial = BigNum::new().expect("room");
        serial.rand(120, MsbOption::MAYBE_ZERO, false).expect("randomness");
        let mut new = X509::builder().expect("room");
        new.set_version(2).expect("X.509 v3");
        new.set_serial_number(&serial.to_asn1_integer().expect("a number")).expect("a number");
        new.set_subject_name(&subject).expect("a name");
        new.set_issuer_name(by.map_or(&*subject, |by| by.certificate.subject_name()))
            .expect("a name");
        new.set_pubkey(&key).expect("a key");
        let since = Asn1Time::from_str("20200101000000Z").expect("a time");
        new.set_not_before(&since).expect("a time");
        new.set_not_after(&Asn1Time::from_str(until).expect("a time")).expect("a time");
        let mut basic = BasicConstraints::new();
        basic.critical();
        if by.is_none() {
            basic.ca();
            let usage = KeyUsage::new().critical().key_cert_sign().build().expect("known");
            new.append_extension(usage).expect("fits");
        } else {
            let context = new.x509v3_context(by.map(|by| &*by.certificate), None);
            let name = SubjectAlternativeName::new().ip("127.0.0.1").build(&context);
            new.append_extension(name.expect("an address")).expect("fits");
        }
        new.append_extension(basic.build().expect("known")).expect("fits");
        new.sign(by.map_or(&key, |by| &by.key), MessageDigest::sha256()).expect("signs");
        Self { certificate: new.build(), key }
    }

    /// Of the certificate.
    pub fn pem(&self) -> String {
        text(self.certificate.to_pem())
    }

    /// Of the key.
    pub fn key_pem(&self) -> String {
        text(self.key.private_key_to_pem_pkcs8())
    }
}

fn text(pem: Result<Vec<u8>, openssl::error::ErrorStack>) -> String {
    String::from_utf8(pem.expect("it can be written")).expect("PEM is text")
}

/// What a page answers, without the lines that every answer has.
#[derive(Clone)]
pub enum Page {
    /// 200 with this body.
    Body(Vec<u8>),
    /// The same, to who gives this login (`user:password`).
    Asks(&'static str, Vec<u8>),
    /// 302 to there.
    To(String),
    /// Another status.
    Status(u16),
}

type Pages = Arc<Mutex<BTreeMap<String, Page>>>;

/// The portal. It serves as long as the test runs.
pub struct Portal {
    pub port: u16,
    /// File of the authority that proves it.
    pub authority: PathBuf,
    pages: Pages,
    asked: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Portal {
    pub fn start() -> Self {
        let authority = Pair::authority();
        let own = authority.sign("127.0.0.1", "20491231235959Z");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("authority.pem");
        std::fs::write(&file, authority.pem()).expect("ours");
        let mut acceptor =
            SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).expect("TLS");
        acceptor.set_private_key(&own.key).expect("a key");
        acceptor.set_certificate(&own.certificate).expect("a certificate");
        let acceptor = acceptor.build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback");
        let port = listener.local_addr().expect("bound").port();
        let (pages, asked) = (Pages::default(), Arc::<Mutex<Vec<String>>>::default());
        let (serving, noting) = (pages.clone(), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = stream.set_read_timeout(Some(PATIENCE));
                // Who does not trust it hangs up.
                if let Ok(stream) = acceptor.accept(stream) {
                    serve(stream, &serving, &noting);
                }
            }
        });
        Self { port, authority: file, pages, asked, _folder: folder }
    }

    /// Answers so from now on.
    pub fn put(&self, path: &str, page: Page) {
        lock(&self.pages).insert(path.to_owned(), page);
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }

    /// The paths that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: SslStream<TcpStream>, pages: &Pages, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let (mut path, mut login) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(n) if n > 2 => {}
            _ => break,
        }
        if let Some(rest) = line.strip_prefix("GET ") {
            path = rest.split(' ').next().unwrap_or_default().to_owned();
        }
        let lower = line.to_ascii_lowercase();
        if lower.starts_with("authorization: basic ") {
            let word = line.trim_end().rsplit(' ').next().unwrap_or_default();
            let bytes = data_encoding::BASE64.decode(word.as_bytes()).unwrap_or_default();
            login = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    lock(asked).push(path.clone());
    let page = lock(pages).get(&path).cloned().unwrap_or(Page::Status(404));
    let (head, body) = match page {
        Page::Body(body) => ("200 OK".to_owned(), body),
        Page::Asks(wanted, body) if wanted == login => ("200 OK".to_owned(), body),
        Page::Asks(..) => {
            ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"vpn\"".to_owned(), Vec::new())
        }
        Page::To(place) => (format!("302 Found\r\nLocation: {place}"), Vec::new()),
        Page::Status(status) => (format!("{status} No"), Vec::new()),
    };
    let head =
        format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let stream = reader.get_mut();
    // Who has read enough hangs up.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
    let _ = stream.shutdown();
}

/// A client's profile, with all inside of it.
pub fn profile(authority: &Pair, own: &Pair, more: &str) -> String {
    format!(
        "client\ndev tun\nremote vpn.acme.example 1194 udp\nremote-cert-tls server\n\
         auth-user-pass\n{more}<ca>\n{}</ca>\n<cert>\n{}</cert>\n<key>\n{}</key>\n",
        authority.pem(),
        own.pem(),
        own.key_pem()
    )
}

/// The same, its files beside it.
pub fn profile_with_files(folder: &Path, name: &str, authority: &Pair, own: &Pair, more: &str) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("ours");
    write("ca.crt", &authority.pem());
    write("alice.crt", &own.pem());
    write("alice.key", &own.key_pem());
    let text = format!(
        "client\ndev tun\nremote vpn.acme.example 443 tcp\nremote 192.0.2.7 1194 udp\n\
         remote-cert-tls server\nauth-user-pass\n{more}ca ca.crt\ncert alice.crt\nkey alice.key\n"
    );
    write(name, &text);
}
