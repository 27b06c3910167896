//! The second engine, on `russh`: for old devices whose algorithms libssh2 no
//! longer has (ssh-rsa, group1 and group14 with SHA-1, hmac-sha1, 3des, AES-CBC).
//! Only for entries whose owner accepted weak algorithms; every session on it is
//! marked. The channels are served in [`super::legacy_serve`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(unix)]
use russh::AgentAuthError;
use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse, Msg};
#[cfg(unix)]
use russh::keys::agent::{AgentIdentity, client::AgentClient};
use russh::keys::ssh_key::{Algorithm, EcdsaCurve, HashAlg};
use russh::keys::{PrivateKeyWithHashAlg, PublicKeyBase64, PublicKeyOrCertificate};
use russh::{Channel, MethodSet, Names, Preferred, cipher, compression, kex, mac};
use tokio::time::{Instant, timeout_at};

use super::auth::{self, Method};
use super::legacy_serve::{LegacyEngine, copy_between, stream_of};
use super::route::Leg;
use super::settings::Auth;
use super::{fail, hostkey, key};
use crate::connect::host::child::{Engine, Uplink};
use crate::connect::link::LinkInfo;
use crate::connect::{Failure, Progress, Question};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::{Hop, HostPort};
use crate::secret::SecretText;

const KEX: &[kex::Name] = &[
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::DH_GEX_SHA256,
    kex::DH_G16_SHA512,
    kex::DH_G14_SHA256,
    kex::DH_G14_SHA1,
    kex::DH_GEX_SHA1,
    kex::DH_G1_SHA1,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

const CIPHERS: &[cipher::Name] = &[
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_GCM,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
    cipher::AES_256_CBC,
    cipher::AES_192_CBC,
    cipher::AES_128_CBC,
    cipher::TRIPLE_DES_CBC,
];

const MACS: &[mac::Name] = &[
    mac::HMAC_SHA512_ETM,
    mac::HMAC_SHA256_ETM,
    mac::HMAC_SHA512,
    mac::HMAC_SHA256,
    mac::HMAC_SHA1_ETM,
    mac::HMAC_SHA1,
];

/// Host key algorithms, the best first, those of pinned keys before all.
fn host_keys(hop: &Hop) -> Vec<Algorithm> {
    let mut all = vec![
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
        Algorithm::Rsa { hash: None },
    ];
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let order = hostkey::preference(&names, &hop.pinned);
    let rank = |a: &Algorithm| order.split(',').position(|n| n == a.to_string());
    all.sort_by_key(rank);
    all
}

fn config(leg: &Leg<'_>) -> client::Config {
    let compression: Cow<'static, [compression::Name]> = if leg.settings.compression {
        Cow::Owned(vec![compression::ZLIB, compression::ZLIB_LEGACY, compression::NONE])
    } else {
        Cow::Owned(vec![compression::NONE])
    };
    let keepalive = leg.settings.keepalive;
    client::Config {
        preferred: Preferred {
            kex: Cow::Borrowed(KEX),
            key: Cow::Owned(host_keys(leg.hop)),
            host_key_certificates: Cow::Borrowed(&[]),
            cipher: Cow::Borrowed(CIPHERS),
            mac: Cow::Borrowed(MACS),
            compression,
        },
        keepalive_interval: (!keepalive.is_zero()).then_some(keepalive),
        nodelay: true,
        ..client::Config::default()
    }
}

/// What the callbacks learn.
#[derive(Default)]
pub struct Learned {
    /// Why the connection was refused by us, or lost.
    pub failure: Option<Failure>,
    fingerprint: String,
    names: Option<Names>,
    asked_at: Option<Instant>,
}

/// The callbacks of a connection.
pub struct Callbacks {
    hop: Hop,
    up: Arc<Uplink>,
    learned: Arc<Mutex<Learned>>,
    forwards: Arc<Mutex<HashMap<u32, HostPort>>>,
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl client::Handler for Callbacks {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        presented: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        let PublicKeyOrCertificate::PublicKey { key, hash_alg } = presented else {
            return Ok(false);
        };
        let algorithm = match key.algorithm() {
            Algorithm::Rsa { .. } => Algorithm::Rsa { hash: *hash_alg },
            other => other,
        };
        let seen = hostkey::presented(&self.hop.at, algorithm.as_str(), &key.public_key_bytes());
        let verdict = hostkey::check(&seen, &self.hop, &self.up);
        let mut learned = lock(&self.learned);
        learned.fingerprint = seen.fingerprint;
        learned.asked_at = Some(Instant::now());
        learned.failure = verdict.err();
        Ok(learned.failure.is_none())
    }

    async fn kex_done(
        &mut self,
        _secret: Option<&[u8]>,
        names: &Names,
        _session: &mut client::Session,
    ) -> Result<(), russh::Error> {
        lock(&self.learned).names = Some(names.clone());
        Ok(())
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: Channel<Msg>,
        _address: &str,
        port: u32,
        _from: &str,
        _from_port: u32,
        reply: client::ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), russh::Error> {
        let Some(to) = lock(&self.forwards).get(&port).cloned() else {
            reply.reject(russh::ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        };
        reply.accept().await;
        tokio::spawn(async move {
            if let Ok(near) = tokio::net::TcpStream::connect((to.host.as_str(), to.port)).await {
                copy_between(near, channel).await;
            }
        });
        Ok(())
    }

    async fn disconnected(
        &mut self,
        reason: client::DisconnectReason<russh::Error>,
    ) -> Result<(), russh::Error> {
        let detail = match reason {
            client::DisconnectReason::ReceivedDisconnect(info) => info.message,
            client::DisconnectReason::Error(e) => e.to_string(),
        };
        lock(&self.learned).failure.get_or_insert(fail::broken(&self.hop.at, &detail));
        Ok(())
    }
}

/// Opens a hop.
///
/// # Errors
/// Anything from the name to the login.
pub fn open(leg: &Leg<'_>) -> Result<Box<dyn Engine>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| fail::local(&e))?;
    let socket = leg.dialer.dial(&|p| leg.up.say(&p))?;
    socket.tune(leg.settings.keepalive);
    let learned: Arc<Mutex<Learned>> = Arc::default();
    let forwards: Arc<Mutex<HashMap<u32, HostPort>>> = Arc::default();
    let callbacks = Callbacks {
        hop: leg.hop.clone(),
        up: leg.up.clone(),
        learned: learned.clone(),
        forwards: forwards.clone(),
    };
    leg.up.say(&Progress::Negotiating(leg.hop.at.to_string()));
    let (handle, user, words) = runtime.block_on(async {
        let stream = stream_of(socket).map_err(|e| fail::local(&e))?;
        let connecting = client::connect_stream(Arc::new(config(leg)), stream, callbacks);
        let mut handle = within(leg, &learned, connecting).await?;
        let warning = weakness(&lock(&learned));
        leg.up.say(&Progress::Warning(warning));
        let user = auth::user(leg)?;
        Login { leg, learned: &learned, user: &user, password: None }.run(&mut handle).await?;
        let mut words = Vec::new();
        let refused = Bi::new("le serveur l’a refusée", "the server refused it");
        for forward in &leg.settings.remote {
            let from = &forward.from;
            let asked = handle.tcpip_forward(from.host.clone(), u32::from(from.port));
            let asked = within(leg, &learned, asked).await;
            let given = asked.map_err(|_| fail::forward(from, &refused))?;
            let port = if given == 0 { u32::from(from.port) } else { given };
            lock(&forwards).insert(port, forward.to.clone());
            let bound =
                HostPort { host: from.host.clone(), port: u16::try_from(port).unwrap_or_default() };
            words.push(format!("R {bound} → {}", forward.to));
        }
        Ok::<_, Failure>((handle, user, words))
    })?;
    let info = info(&lock(&learned), user, words);
    Ok(LegacyEngine::start(leg, runtime, handle, learned, info))
}

/// Runs a step with the time limit of the hop; time spent on a question to the
/// person does not count.
async fn within<T>(
    leg: &Leg<'_>,
    learned: &Mutex<Learned>,
    step: impl Future<Output = Result<T, russh::Error>>,
) -> Result<T, Failure> {
    let limit = leg.settings.connect_timeout;
    let mut step = std::pin::pin!(step);
    let mut deadline = Instant::now() + limit;
    loop {
        match timeout_at(deadline, &mut step).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(e)) => return Err(in_words(leg, learned, &e)),
            Err(_) => {
                let asked_at = lock(learned).asked_at.take();
                match asked_at.map(|at| at + limit) {
                    Some(later) if later > Instant::now() => deadline = later,
                    _ => return Err(fail::timeout(&leg.hop.at, limit.as_secs())),
                }
            }
        }
    }
}

fn in_words(leg: &Leg<'_>, learned: &Mutex<Learned>, e: &russh::Error) -> Failure {
    let at = &leg.hop.at;
    if let Some(known) = lock(learned).failure.take() {
        return known;
    }
    match e {
        russh::Error::NoCommonAlgo { theirs, .. } => fail::no_common(at, &theirs.join(","), true),
        russh::Error::IO(e) if e.kind() != io::ErrorKind::Other => fail::cut(at, e),
        russh::Error::HUP | russh::Error::Disconnect => fail::broken(at, &e.to_string()),
        other => fail::protocol(at, &other.to_string()),
    }
}

fn algorithms(learned: &Learned) -> String {
    learned.names.as_ref().map_or_else(String::new, |n| {
        format!(
            "{} · {} · {} · {}",
            n.kex.as_ref(),
            n.key,
            n.cipher.as_ref(),
            n.client_mac.as_ref()
        )
    })
}

fn weakness(learned: &Learned) -> Bi {
    let names = algorithms(learned);
    Bi::new(
        format!("Algorithmes faibles acceptés pour cette entrée\u{a0}: {names}"),
        format!("Weak algorithms accepted for this entry: {names}"),
    )
}

fn info(learned: &Learned, user: String, forwards: Vec<String>) -> LinkInfo {
    LinkInfo {
        user,
        host_key: learned.fingerprint.clone(),
        description: format!("SSH · {}", algorithms(learned)),
        warnings: vec![weakness(learned)],
        forwards,
        ..LinkInfo::default()
    }
}

struct Login<'a> {
    leg: &'a Leg<'a>,
    learned: &'a Mutex<Learned>,
    user: &'a str,
    password: Option<SecretText>,
}

/// What a method came to.
enum Outcome {
    In,
    Refused { remaining: MethodSet, partly: bool },
    Nothing,
}

impl From<AuthResult> for Outcome {
    fn from(result: AuthResult) -> Self {
        match result {
            AuthResult::Success => Self::In,
            AuthResult::Failure { remaining_methods, partial_success } => {
                Self::Refused { remaining: remaining_methods, partly: partial_success }
            }
        }
    }
}

impl Login<'_> {
    async fn run(&mut self, handle: &mut Handle<Callbacks>) -> Result<(), Failure> {
        let leg = self.leg;
        let none = handle.authenticate_none(self.user);
        let mut offered = match within(leg, self.learned, none).await? {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure { remaining_methods, .. } => names(&remaining_methods),
        };
        let mut left = auth::order(leg.settings.auth, &leg.hop.slots);
        let mut tried = Vec::new();
        while let Some(next) = left.iter().position(|m| offered.contains(&m.name())) {
            let method = left.remove(next);
            leg.up.say(&Progress::Authenticating(method.shown().into()));
            let outcome = match method {
                Method::PublicKey => self.public_key(handle).await?,
                Method::Agent => self.by_agent(handle).await?,
                Method::Password => self.by_password(handle).await?,
                Method::Interactive => self.interactive(handle).await?,
            };
            match outcome {
                Outcome::In => return Ok(()),
                Outcome::Nothing => {}
                Outcome::Refused { remaining, partly } => {
                    if handle.is_closed() {
                        return Err(in_words(leg, self.learned, &russh::Error::Disconnect));
                    }
                    offered = names(&remaining);
                    tried.push(method.shown());
                    if partly {
                        tried.clear();
                        if leg.settings.auth != Auth::Auto {
                            left = auth::order(Auth::Auto, &leg.hop.slots);
                        }
                    } else if matches!(method, Method::Password | Method::Interactive) {
                        left.retain(|m| !matches!(m, Method::Password | Method::Interactive));
                    }
                }
            }
        }
        Err(fail::login(self.user, &leg.hop.at, &tried, &offered.join(",")))
    }

    async fn public_key(&self, handle: &mut Handle<Callbacks>) -> Result<Outcome, Failure> {
        let leg = self.leg;
        let Some(text) = leg.up.secret(leg.index, &Slot::PrivateKey) else {
            return Ok(Outcome::Nothing);
        };
        let ready = key::of(leg, self.user, text)?;
        let key = ready.decoded.ok_or_else(fail::key_unreadable)?;
        let hash = if key.algorithm().is_rsa() {
            // Old devices know ssh-rsa only; newer ones say what they take.
            let best = handle.best_supported_rsa_hash();
            within(leg, self.learned, best).await?.flatten()
        } else {
            None
        };
        let key = Arc::new(key);
        let login =
            handle.authenticate_publickey(self.user, PrivateKeyWithHashAlg::new(key.clone(), hash));
        let mut result = within(leg, self.learned, login).await?;
        // Some announce SHA-2 and then take SHA-1 only.
        let refused = matches!(&result, AuthResult::Failure { partial_success: false, .. });
        if refused && hash.is_some() && !handle.is_closed() {
            let login =
                handle.authenticate_publickey(self.user, PrivateKeyWithHashAlg::new(key, None));
            result = within(leg, self.learned, login).await?;
        }
        Ok(result.into())
    }

    #[cfg(unix)]
    async fn by_agent(&self, handle: &mut Handle<Callbacks>) -> Result<Outcome, Failure> {
        let leg = self.leg;
        let trouble = |e: russh::keys::Error| fail::agent(&e.to_string());
        let mut agent =
            AgentClient::connect_uds(auth::agent_socket(leg)?).await.map_err(trouble)?;
        let keys = agent.request_identities().await.map_err(trouble)?;
        let plain = |k: &AgentIdentity| matches!(k, AgentIdentity::PublicKey { .. });
        let keys: Vec<_> = keys.iter().filter(|k| plain(k)).map(|k| k.public_key()).collect();
        if keys.is_empty() {
            return Err(fail::agent_empty());
        }
        let best = handle.best_supported_rsa_hash();
        let best = within(leg, self.learned, best).await?.flatten();
        let mut last = Outcome::Nothing;
        for key in keys {
            let rsa = key.algorithm().is_rsa();
            // Some announce SHA-2 and then take SHA-1 only.
            let second = (rsa && best.is_some()).then_some(None);
            for hash in std::iter::once(best.filter(|_| rsa)).chain(second) {
                let key = key.clone().into_owned();
                let step = async {
                    let login =
                        handle.authenticate_publickey_with(self.user, key, hash, &mut agent);
                    login.await.map_err(|e| match e {
                        AgentAuthError::Send(_) => russh::Error::SendError,
                        AgentAuthError::Key(e) => e.into(),
                    })
                };
                last = within(leg, self.learned, step).await?.into();
                let done = matches!(last, Outcome::In | Outcome::Refused { partly: true, .. });
                if done || handle.is_closed() {
                    return Ok(last);
                }
            }
        }
        Ok(last)
    }

    #[cfg(not(unix))]
    async fn by_agent(&self, _handle: &mut Handle<Callbacks>) -> Result<Outcome, Failure> {
        Err(fail::agent("on this system only for newer devices"))
    }

    async fn by_password(&mut self, handle: &mut Handle<Callbacks>) -> Result<Outcome, Failure> {
        let leg = self.leg;
        let password = self.take_password().or_else(|| {
            let (user, at) = (self.user.to_owned(), leg.hop.at.clone());
            leg.up.ask_text(Question::Password { user, at, again: false })
        });
        let Some(password) = password else { return Ok(Outcome::Nothing) };
        let plain = password.expose(str::to_owned);
        let login = handle.authenticate_password(self.user, plain);
        Ok(within(leg, self.learned, login).await?.into())
    }

    fn take_password(&mut self) -> Option<SecretText> {
        self.password.take().or_else(|| auth::stored_password(self.leg))
    }

    async fn interactive(&mut self, handle: &mut Handle<Callbacks>) -> Result<Outcome, Failure> {
        use KeyboardInteractiveAuthResponse as Reply;
        let leg = self.leg;
        let mut password = self.take_password();
        let mut code_given = false;
        let start = handle.authenticate_keyboard_interactive_start(self.user, None);
        let mut reply = within(leg, self.learned, start).await?;
        loop {
            match reply {
                Reply::Success => return Ok(Outcome::In),
                Reply::Failure { remaining_methods, partial_success } => {
                    return Ok(Outcome::Refused {
                        remaining: remaining_methods,
                        partly: partial_success,
                    });
                }
                Reply::InfoRequest { instructions, prompts, .. } => {
                    let mut answers = Vec::new();
                    for prompt in prompts {
                        let answer = auth::answer_for(
                            leg,
                            &mut password,
                            &mut code_given,
                            &instructions,
                            &prompt.prompt,
                            prompt.echo,
                        );
                        let Some(answer) = answer else { return Ok(Outcome::Nothing) };
                        answers.push(answer.expose(str::to_owned));
                    }
                    let next = handle.authenticate_keyboard_interactive_respond(answers);
                    reply = within(leg, self.learned, next).await?;
                }
            }
        }
    }
}

fn names(methods: &MethodSet) -> Vec<&'static str> {
    methods.iter().map(<&'static str>::from).collect()
}
