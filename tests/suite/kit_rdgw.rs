//! A small RD Gateway on loopback: HTTPS, NTLM, the upgrade to WebSocket, and of
//! MS-TSGU what a connection takes (sections 2.2.10 and 3.3.5.1). It leads to whatever
//! real server it is asked for. That real clients accept it is tested too.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use data_encoding::BASE64;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::ssl::{Ssl, SslAcceptor, SslFiletype, SslMethod};
use poterne::model::target::{Hop, PinnedKey};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio_openssl::SslStream;

use crate::kit_rdp::{certificate, pinned};
use crate::kit_ssh::{hop, with};

/// Whom it lets in, and what it refuses.
#[derive(Clone, Default)]
pub struct Rules {
    /// Login name.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Code by which the tunnel is refused; 0 for none.
    pub tunnel: u32,
    /// Code by which the way to a server is refused; 0 for none.
    pub channel: u32,
    /// What it wants to know of who comes, in place of `NTLM`.
    pub wants: Option<&'static str>,
    /// It never answers.
    pub silent: bool,
}

struct Shared {
    rules: Rules,
    asked: Mutex<Vec<String>>,
    open: AtomicUsize,
    /// How many connections there are.
    visitors: AtomicUsize,
    /// What it was told of who comes, in order.
    given: Mutex<Vec<String>>,
    /// To each open way: bytes in place of a frame, or its end.
    aside: Mutex<Vec<UnboundedSender<Option<Vec<u8>>>>>,
}

/// A running gateway.
pub struct Rdgw {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    dir: tempfile::TempDir,
    shared: Arc<Shared>,
    stop: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Rdgw {
    /// Starts one with a certificate of its own.
    pub fn start(rules: Rules) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        certificate(dir.path());
        let mut tls = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).expect("TLS");
        let file = |name: &str| dir.path().join(name);
        tls.set_private_key_file(file("key.pem"), SslFiletype::PEM).expect("just made");
        tls.set_certificate_file(file("cert.pem"), SslFiletype::PEM).expect("just made");
        let tls = tls.build();
        let shared = Arc::new(Shared {
            rules,
            asked: Mutex::default(),
            open: AtomicUsize::new(0),
            visitors: AtomicUsize::new(0),
            given: Mutex::default(),
            aside: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("descriptors are left");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let known = shared.clone();
        let accepts = async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (ssl, known) = (Ssl::new(tls.context()).expect("TLS"), known.clone());
                tokio::spawn(async move {
                    let mut stream = SslStream::new(ssl, socket).expect("TLS");
                    if Pin::new(&mut stream).accept().await.is_ok() {
                        let _visitor = Counted::one(&known.visitors);
                        let _ = serve(stream, &known).await;
                    }
                });
            }
        };
        let (sender, stop) = oneshot::channel();
        // With the runtime every connection ends, without a word.
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! { () = accepts => {}, _ = stop => {} }
            });
        });
        Self { port, dir, shared, stop: Some((sender, thread)) }
    }

    /// The hop of a target before its destination.
    pub fn hop(&self) -> Hop {
        let mut hop = hop(self.port);
        hop.user.clone_from(&self.shared.rules.user);
        hop
    }

    /// Its certificate, as it is pinned.
    pub fn pinned(&self) -> PinnedKey {
        pinned(&self.hop().at, self.dir.path())
    }

    /// A destination behind it.
    pub fn before(&self, far: Hop) -> Hop {
        with(with(far, "gateway", "127.0.0.1"), "gateway-port", &self.port.to_string())
    }

    /// Where it was asked to lead, in order.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().expect("one thread").clone()
    }

    /// How many servers it leads to now.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// How many connections there are.
    pub fn visitors(&self) -> usize {
        self.shared.visitors.load(Ordering::SeqCst)
    }

    /// What it was told of who comes, by scheme and value.
    pub fn given(&self) -> Vec<String> {
        self.shared.given.lock().expect("no panic").clone()
    }

    /// Sends these bytes in place of a frame to whoever has a way.
    pub fn speak(&self, bytes: &[u8]) {
        for way in self.shared.aside.lock().expect("no panic").iter() {
            let _ = way.send(Some(bytes.to_vec()));
        }
    }

    /// Ends every way in the middle of whatever is sent.
    pub fn cut(&self) {
        for way in self.shared.aside.lock().expect("no panic").iter() {
            let _ = way.send(None);
        }
    }

    /// Ends it, and every connection, without a word.
    pub fn kill(&mut self) {
        if let Some((stop, thread)) = self.stop.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl Drop for Rdgw {
    fn drop(&mut self) {
        self.kill();
    }
}

type Stream = SslStream<TcpStream>;
type Done = std::io::Result<()>;

fn broken(why: &str) -> std::io::Error {
    std::io::Error::other(why.to_owned())
}

/// One connection: who is there, then the packets.
async fn serve(mut stream: Stream, shared: &Arc<Shared>) -> Done {
    let challenge = *b"\x01\x23\x45\x67\x89\xab\xcd\xef";
    loop {
        let head = head(&mut stream).await?;
        let line = |name: &str| {
            let of = |line: &str| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            };
            head.lines().find_map(of)
        };
        if !head.starts_with("RDG_OUT_DATA /remoteDesktopGateway/") {
            answer(&mut stream, "404 Not Found", &[]).await?;
            return Ok(());
        }
        if shared.rules.silent {
            // Until who comes goes.
            while stream.read(&mut [0; 64]).await? > 0 {}
            return Ok(());
        }
        shared.given.lock().expect("no panic").extend(line("authorization"));
        let given = line("authorization").and_then(|v| v.strip_prefix("NTLM ").map(str::to_owned));
        let given = given.and_then(|v| BASE64.decode(v.as_bytes()).ok()).unwrap_or_default();
        match given.get(8) {
            Some(1) => {
                let asks = BASE64.encode(&asks(&given, challenge));
                let header = format!("WWW-Authenticate: NTLM {asks}");
                answer(&mut stream, "401 Unauthorized", &[&header]).await?;
            }
            Some(3) if known(&given, challenge, &shared.rules).unwrap_or(false) => {
                let key = line("sec-websocket-key").ok_or_else(|| broken("no WebSocket"))?;
                let both = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
                let accept = openssl::sha::sha1(both.as_bytes());
                let accept = format!("Sec-WebSocket-Accept: {}", BASE64.encode(&accept));
                let lines = ["Upgrade: websocket", "Connection: Upgrade", &accept];
                answer(&mut stream, "101 Switching Protocols", &lines).await?;
                return packets(stream, shared).await;
            }
            _ => {
                let wants = shared.rules.wants.unwrap_or("NTLM");
                let header = format!("WWW-Authenticate: {wants}");
                answer(&mut stream, "401 Unauthorized", &[&header]).await?;
            }
        }
    }
}

async fn head(stream: &mut Stream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    String::from_utf8(head).map_err(|_| broken("no text"))
}

async fn answer(stream: &mut Stream, status: &str, lines: &[&str]) -> Done {
    let mut text = format!("HTTP/1.1 {status}\r\n");
    for line in lines {
        text += &format!("{line}\r\n");
    }
    if !status.starts_with("101") {
        text += "Content-Length: 0\r\n";
    }
    text += "\r\n";
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The CHALLENGE_MESSAGE (MS-NLMP section 2.2.1.2).
fn asks(negotiate: &[u8], challenge: [u8; 8]) -> Vec<u8> {
    let wanted = negotiate.get(12..16).map_or(0, |f| u32::from_le_bytes(f.try_into().expect("4")));
    let flags = wanted & 0xE208_8235 | 0x0082_0205;
    let name = utf16("PASSAGE");
    let mut info = Vec::new();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = (now.expect("after 1970").as_nanos() / 100) as u64 + 116_444_736_000_000_000;
    for (id, value) in [
        (2u16, name.clone()),
        (1, name.clone()),
        (4, utf16("essai.invalid")),
        (3, utf16("passage.essai.invalid")),
        (7, now.to_le_bytes().to_vec()),
        (0, Vec::new()),
    ] {
        info.extend(id.to_le_bytes());
        info.extend((value.len() as u16).to_le_bytes());
        info.extend(value);
    }
    let mut out = b"NTLMSSP\0\x02\0\0\0".to_vec();
    let place = |out: &mut Vec<u8>, length: usize, at: usize| {
        out.extend((length as u16).to_le_bytes());
        out.extend((length as u16).to_le_bytes());
        out.extend((at as u32).to_le_bytes());
    };
    place(&mut out, name.len(), 56);
    out.extend(flags.to_le_bytes());
    out.extend(challenge);
    out.extend([0; 8]);
    place(&mut out, info.len(), 56 + name.len());
    out.extend([10, 0, 0x63, 0x45, 0, 0, 0, 15]);
    out.extend(name);
    out.extend(info);
    out
}

fn hmac_md5(key: &[u8], data: &[u8]) -> Vec<u8> {
    let key = PKey::hmac(key).expect("a key");
    let mut signer = Signer::new(MessageDigest::md5(), &key).expect("MD5");
    signer.sign_oneshot_to_vec(data).expect("a digest")
}

/// Whether the AUTHENTICATE_MESSAGE (MS-NLMP sections 2.2.1.3 and 3.3.2) is that of
/// the user.
fn known(message: &[u8], challenge: [u8; 8], rules: &Rules) -> Option<bool> {
    use md4::Digest;
    let part = |at: usize| {
        let length = u16::from_le_bytes(message.get(at..at + 2)?.try_into().ok()?);
        let start = u32::from_le_bytes(message.get(at + 4..at + 8)?.try_into().ok()?) as usize;
        message.get(start..start + usize::from(length))
    };
    let (proof, blob) = part(20)?.split_at_checked(16)?;
    let text = |bytes: &[u8]| {
        let units = bytes.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]]));
        char::decode_utf16(units).filter_map(Result::ok).collect::<String>()
    };
    let (domain, user) = (text(part(28)?), text(part(36)?));
    let hash = md4::Md4::digest(utf16(&rules.password));
    let own = hmac_md5(&hash, &utf16(&format!("{}{domain}", user.to_uppercase())));
    let right = hmac_md5(&own, &[&challenge, blob].concat());
    Some(user == rules.user && right == proof)
}

/// Bytes of WebSocket frames (RFC 6455 section 5.2) as they come, one packet a call.
struct Packets<R> {
    from: R,
    bytes: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Packets<R> {
    async fn next(&mut self) -> std::io::Result<(u16, Vec<u8>)> {
        loop {
            if let Some(head) = self.bytes.first_chunk::<8>() {
                let kind = u16::from_le_bytes([head[0], head[1]]);
                let length = u32::from_le_bytes(head[4..].try_into().expect("four")) as usize;
                if self.bytes.len() >= length {
                    let packet: Vec<u8> = self.bytes.drain(..length).skip(8).collect();
                    return Ok((kind, packet));
                }
            }
            let first = self.from.read_u8().await?;
            let second = self.from.read_u8().await?;
            let length = match second & 0x7f {
                126 => usize::from(self.from.read_u16().await?),
                127 => self.from.read_u64().await? as usize,
                short => usize::from(short),
            };
            assert!(second & 0x80 != 0, "a client masks what it sends");
            let mut mask = [0; 4];
            self.from.read_exact(&mut mask).await?;
            let mut payload = vec![0; length];
            self.from.read_exact(&mut payload).await?;
            if first & 0x0f == 8 {
                return Err(broken("closed"));
            }
            if matches!(first & 0x0f, 0 | 2) {
                let plain = payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b);
                self.bytes.extend(plain);
            }
        }
    }
}

async fn frame(to: &mut (impl AsyncWrite + Unpin), opcode: u8, payload: &[u8]) -> Done {
    let mut out = vec![0x80 | opcode];
    match payload.len() {
        short @ ..=125 => out.push(short as u8),
        long => {
            out.push(126);
            out.extend((long as u16).to_be_bytes());
        }
    }
    out.extend(payload);
    to.write_all(&out).await?;
    to.flush().await
}

async fn packet(to: &mut (impl AsyncWrite + Unpin), kind: u16, body: &[u8]) -> Done {
    let mut out = kind.to_le_bytes().to_vec();
    out.extend([0, 0]);
    out.extend((body.len() as u32 + 8).to_le_bytes());
    out.extend(body);
    frame(to, 2, &out).await
}

/// Counts a way as long as it is there.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn one(among: &'a AtomicUsize) -> Self {
        among.fetch_add(1, Ordering::SeqCst);
        Self(among)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn packets(stream: Stream, shared: &Arc<Shared>) -> Done {
    let (read, mut write) = tokio::io::split(stream);
    let mut from = Packets { from: read, bytes: Vec::new() };
    let rules = &shared.rules;
    loop {
        let (kind, body) = from.next().await?;
        match kind {
            0x01 => packet(&mut write, 0x02, &[0, 0, 0, 0, 1, 0, 0, 0, 0, 0]).await?,
            0x04 => {
                // The number of the tunnel and what it can do.
                let rest = [0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0x3f, 0, 0, 0];
                packet(&mut write, 0x05, &rest).await?;
            }
            0x06 => {
                let mut body = rules.tunnel.to_le_bytes().to_vec();
                body.extend([3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                packet(&mut write, 0x07, &body).await?;
            }
            0x08 => {
                let port = u16::from_le_bytes([body[2], body[3]]);
                let length = usize::from(u16::from_le_bytes([body[6], body[7]]));
                let units = body[8..8 + length].chunks_exact(2);
                let units: Vec<u16> =
                    units.map(|c| u16::from_le_bytes([c[0], c[1]])).filter(|u| *u != 0).collect();
                let host = String::from_utf16_lossy(&units);
                shared.asked.lock().expect("no panic").push(format!("{host}:{port}"));
                let far = TcpStream::connect((&*host, port)).await;
                let code = if far.is_err() { 0x8007_59DD } else { rules.channel };
                let mut body = code.to_le_bytes().to_vec();
                body.extend([1, 0, 0, 0, 1, 0, 0, 0]);
                packet(&mut write, 0x09, &body).await?;
                if let (0, Ok(far)) = (code, far) {
                    let _open = Counted::one(&shared.open);
                    let (aside, orders) = unbounded_channel();
                    shared.aside.lock().expect("no panic").push(aside);
                    return between(from, write, far, orders).await;
                }
            }
            _ => {}
        }
    }
}

/// Moves bytes until one of both sides ends.
async fn between<R: AsyncRead + Unpin>(
    mut from: Packets<R>,
    mut write: WriteHalf<Stream>,
    far: TcpStream,
    mut orders: UnboundedReceiver<Option<Vec<u8>>>,
) -> Done {
    let (mut far_read, mut far_write) = far.into_split();
    let there = async {
        loop {
            let (kind, body) = from.next().await?;
            match kind {
                0x0A => far_write.write_all(&body[2..]).await?,
                0x10 => return Ok::<(), std::io::Error>(()),
                _ => {}
            }
        }
    };
    let back = async {
        let mut room = vec![0; 8192];
        loop {
            let count = tokio::select! {
                Some(order) = orders.recv() => {
                    let Some(bytes) = order else { return Ok(()) };
                    write.write_all(&bytes).await?;
                    write.flush().await?;
                    continue;
                }
                count = far_read.read(&mut room) => count?,
            };
            if count == 0 {
                packet(&mut write, 0x10, &[0; 4]).await?;
                return frame(&mut write, 8, &[]).await;
            }
            let mut body = (count as u16).to_le_bytes().to_vec();
            body.extend(&room[..count]);
            packet(&mut write, 0x0A, &body).await?;
        }
    };
    tokio::select! { done = there => done, done = back => done }
}
