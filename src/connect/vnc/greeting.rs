//! The first words with a server: version and security types (RFC 6143 section 7.1),
//! and the choice among what it offers, the safest first. VeNCrypt, which puts TLS
//! around a login, is security type 19.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::settings::Security;

/// Most bytes of a reason that are read.
const REASON_MAX: u32 = 4096;
/// The security type VeNCrypt.
pub const VENCRYPT: u8 = 19;
/// The security type TLS, as vino and x11vnc have it: TLS with nobody knows whom, inside
/// of which the server offers its types anew.
pub const TLS: u8 = 18;

/// Version of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub enum Version {
    /// 3.3: the server chooses the login.
    V33,
    /// 3.7.
    V37,
    /// 3.8.
    V38,
}

impl Version {
    /// As it is sent.
    pub fn bytes(self) -> &'static [u8; 12] {
        match self {
            Self::V33 => b"RFB 003.003\n",
            Self::V37 => b"RFB 003.007\n",
            Self::V38 => b"RFB 003.008\n",
        }
    }
}

/// Why the greeting failed.
#[derive(Debug)]
pub enum Trouble {
    /// The connection broke.
    Broken(io::Error),
    /// Whoever answers speaks no VNC; its first bytes.
    NoVnc(Vec<u8>),
    /// The server does not want to, for this reason.
    Refused(String),
    /// The server says something that is not in the protocol.
    Odd(&'static str),
}

impl From<io::Error> for Trouble {
    fn from(e: io::Error) -> Self {
        Self::Broken(e)
    }
}

/// Agrees on the version.
///
/// # Errors
/// It is no VNC server, or gone.
pub async fn version(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<Version, Trouble> {
    let mut told = [0; 12];
    let mut read = 0;
    // Whoever speaks something else may say less than twelve bytes.
    while read < told.len() {
        match stream.read(&mut told[read..]).await? {
            0 if read == 0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            0 => return Err(Trouble::NoVnc(told[..read].to_vec())),
            more => read += more,
        }
        let known = read.min(4);
        if told[..known] != b"RFB "[..known] {
            return Err(Trouble::NoVnc(told[..read].to_vec()));
        }
    }
    let number = |part: &[u8]| std::str::from_utf8(part).ok().and_then(|text| text.parse().ok());
    let (Some(major), Some(minor)): (Option<u16>, Option<u16>) =
        (number(&told[4..7]), number(&told[8..11]))
    else {
        return Err(Trouble::NoVnc(told.to_vec()));
    };
    // Apple's servers call themselves 3.889, RealVNC's 4 or 5: both know 3.8. What is
    // neither of the three versions is 3.3.
    let version = match (major, minor) {
        (4.., _) | (3, 8..) => Version::V38,
        (3, 7) => Version::V37,
        _ => Version::V33,
    };
    stream.write_all(version.bytes()).await?;
    stream.flush().await?;
    Ok(version)
}

/// The security types that the server offers.
///
/// # Errors
/// It refuses, or is gone.
pub async fn offers(
    stream: &mut (impl AsyncRead + Unpin),
    version: Version,
) -> Result<Vec<u8>, Trouble> {
    if version == Version::V33 {
        let chosen = stream.read_u32().await?;
        return match u8::try_from(chosen) {
            Ok(0) => Err(Trouble::Refused(reason(stream).await?)),
            Ok(kind) => Ok(vec![kind]),
            Err(_) => Err(Trouble::Odd("security type")),
        };
    }
    let count = stream.read_u8().await?;
    if count == 0 {
        return Err(Trouble::Refused(reason(stream).await?));
    }
    let mut offers = vec![0; usize::from(count)];
    stream.read_exact(&mut offers).await?;
    Ok(offers)
}

/// A reason in the server's words.
async fn reason(stream: &mut (impl AsyncRead + Unpin)) -> Result<String, Trouble> {
    let length = stream.read_u32().await?;
    if length > REASON_MAX {
        return Err(Trouble::Odd("reason"));
    }
    let mut words = vec![0; length as usize];
    stream.read_exact(&mut words).await?;
    Ok(String::from_utf8_lossy(&words).into_owned())
}

/// Chooses VeNCrypt and reads what logins the server knows inside it.
///
/// # Errors
/// It speaks another version of it, or is gone.
pub async fn inside(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<Vec<u32>, Trouble> {
    stream.write_all(&[VENCRYPT]).await?;
    stream.flush().await?;
    let mut told = [0; 2];
    stream.read_exact(&mut told).await?;
    if told < [0, 2] {
        stream.write_all(&[0, 0]).await?;
        return Err(Trouble::Odd("VeNCrypt 0.1"));
    }
    stream.write_all(&[0, 2]).await?;
    stream.flush().await?;
    if stream.read_u8().await? != 0 {
        return Err(Trouble::Odd("VeNCrypt"));
    }
    let count = stream.read_u8().await?;
    let mut offers = Vec::new();
    for _ in 0..count {
        offers.push(stream.read_u32().await?);
    }
    Ok(offers)
}

/// Chooses one of the security types.
///
/// # Errors
/// The server is gone.
pub async fn take(stream: &mut (impl AsyncWrite + Unpin), kind: u8) -> Result<(), Trouble> {
    stream.write_all(&[kind]).await?;
    Ok(stream.flush().await?)
}

/// Chooses a login inside VeNCrypt; TLS begins after this.
///
/// # Errors
/// The server cannot, or is gone.
pub async fn choose(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    way: Way,
) -> Result<(), Trouble> {
    stream.write_all(&way.number().to_be_bytes()).await?;
    stream.flush().await?;
    if stream.read_u8().await? == 1 { Ok(()) } else { Err(Trouble::Odd("VeNCrypt, TLS")) }
}

/// How the server knows who is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Login {
    /// Not at all.
    None,
    /// By a password of eight characters.
    Vnc,
    /// By user and password.
    Plain,
}

/// What protects the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cover {
    /// TLS, the server has a certificate.
    Certificate,
    /// TLS with nobody knows whom.
    Anonymous,
    /// Nothing.
    Clear,
}

/// What is agreed upon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Way {
    /// What protects the connection.
    pub cover: Cover,
    /// How the server knows who is there.
    pub login: Login,
}

impl Way {
    /// Its number, as a security type or inside VeNCrypt.
    pub fn number(self) -> u32 {
        match (self.cover, self.login) {
            (Cover::Clear, Login::None) => 1,
            (Cover::Clear, Login::Vnc) => 2,
            (Cover::Clear, Login::Plain) => 256,
            (Cover::Anonymous, Login::None) => 257,
            (Cover::Anonymous, Login::Vnc) => 258,
            (Cover::Anonymous, Login::Plain) => 259,
            (Cover::Certificate, Login::None) => 260,
            (Cover::Certificate, Login::Vnc) => 261,
            (Cover::Certificate, Login::Plain) => 262,
        }
    }
}

/// What an entry asks of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// Its setting.
    pub security: Security,
    /// The server has shown a certificate before: less will not do any more.
    pub pinned: bool,
    /// The entry has a user.
    pub user: bool,
}

impl Demand {
    /// Whether the server's VeNCrypt is of interest.
    pub fn wants_tls(&self) -> bool {
        self.security != Security::Clear
    }

    /// Whether TLS with nobody knows whom will do.
    pub fn takes_anonymous(&self) -> bool {
        self.allows(Way { cover: Cover::Anonymous, login: Login::None })
    }

    fn allows(&self, way: Way) -> bool {
        match (way.cover, self.security) {
            (Cover::Certificate, security) => security != Security::Clear,
            // Whoever poses as the server would read user and password.
            (_, _) if way.login == Login::Plain => false,
            (Cover::Anonymous, security) => security == Security::Auto && !self.pinned,
            (Cover::Clear, Security::Auto) => !self.pinned,
            (Cover::Clear, security) => security == Security::Clear,
        }
    }

    /// The best of these numbers.
    pub fn best(&self, offers: &[u32]) -> Option<Way> {
        let logins = if self.user {
            [Login::None, Login::Plain, Login::Vnc]
        } else {
            [Login::None, Login::Vnc, Login::Plain]
        };
        let covers = [Cover::Certificate, Cover::Anonymous, Cover::Clear];
        let ways = covers.into_iter().flat_map(|cover| logins.map(|login| Way { cover, login }));
        ways.into_iter().find(|way| self.allows(*way) && offers.contains(&way.number()))
    }
}

/// The name of a number that a server offers.
pub fn name(offer: u32) -> String {
    let known = match offer {
        1 => "None",
        2 => "VncAuth",
        5 | 6 | 13 | 133 => "RSA-AES (RA2)",
        16 => "Tight",
        17 => "UltraVNC",
        18 => "TLS",
        19 => "VeNCrypt",
        20 => "SASL",
        22 => "XVP",
        30 | 31 | 32 | 33 | 35 | 36 => "Apple",
        113 | 114 | 117 => "MS-Logon",
        128..=132 => "RealVNC",
        256 => "Plain",
        257 => "TLSNone",
        258 => "TLSVnc",
        259 => "TLSPlain",
        260 => "X509None",
        261 => "X509Vnc",
        262 => "X509Plain",
        263 => "TLSSASL",
        264 => "X509SASL",
        other => return format!("{other}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that hears these bytes, and what was said on it.
    async fn talk<T, F>(
        server: &[u8],
        what: impl FnOnce(tokio::io::DuplexStream) -> F,
    ) -> (T, Vec<u8>)
    where
        F: Future<Output = T>,
    {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        far.write_all(server).await.expect("room");
        let done = what(near).await;
        let mut said = Vec::new();
        far.shutdown().await.expect("open");
        far.read_to_end(&mut said).await.expect("closed");
        (done, said)
    }

    #[tokio::test]
    async fn versions_are_taken_for_what_they_can() {
        for (told, is) in [
            ("RFB 003.003\n", Version::V33),
            ("RFB 003.005\n", Version::V33),
            ("RFB 003.007\n", Version::V37),
            ("RFB 003.008\n", Version::V38),
            ("RFB 003.889\n", Version::V38),
            ("RFB 004.001\n", Version::V38),
            ("RFB 005.000\n", Version::V38),
        ] {
            let (seen, said) = talk(told.as_bytes(), async |mut s| version(&mut s).await).await;
            assert_eq!(seen.expect("VNC"), is, "{told:?}");
            assert_eq!(said, is.bytes(), "{told:?}");
        }
        for other in ["SSH-2.0-OpenSSH", "HTTP", "RFB abc.def\n", "X"] {
            let (near, mut far) = tokio::io::duplex(64);
            far.write_all(other.as_bytes()).await.expect("room");
            drop(far);
            let mut near = near;
            let seen = version(&mut near).await;
            assert!(matches!(seen, Err(Trouble::NoVnc(_))), "{other:?}: {seen:?}");
        }
    }

    #[tokio::test]
    async fn a_list_with_unknown_types_and_a_refusal_are_read() {
        let (list, _) =
            talk(&[3, 30, 129, 2], async |mut s| offers(&mut s, Version::V38).await).await;
        assert_eq!(list.expect("a list"), [30, 129, 2]);
        let (one, _) = talk(&[0, 0, 0, 2], async |mut s| offers(&mut s, Version::V33).await).await;
        assert_eq!(one.expect("a choice"), [2]);
        let no = [0, 0, 0, 0, 4, b'b', b'u', b's', b'y'];
        let (refused, _) = talk(&no, async |mut s| offers(&mut s, Version::V37).await).await;
        assert!(matches!(refused, Err(Trouble::Refused(why)) if why == "busy"));
        let no = [0, 0, 0, 0, 0, 0, 0, 2, b'n', b'o'];
        let (refused, _) = talk(&no, async |mut s| offers(&mut s, Version::V33).await).await;
        assert!(matches!(refused, Err(Trouble::Refused(why)) if why == "no"));
        let long = [0, 255, 255, 255, 255];
        let (refused, _) = talk(&long, async |mut s| offers(&mut s, Version::V38).await).await;
        assert!(matches!(refused, Err(Trouble::Odd(_))));
    }

    #[tokio::test]
    async fn vencrypt_is_agreed_upon_byte_by_byte() {
        let server = [0, 2, 0, 2, 0, 0, 1, 5, 0, 0, 1, 2, 1];
        let way = Way { cover: Cover::Certificate, login: Login::Vnc };
        let (list, said) = talk(&server, async |mut s| {
            let list = inside(&mut s).await.expect("a list");
            choose(&mut s, way).await.expect("TLS begins");
            list
        })
        .await;
        assert_eq!(list, [261, 258]);
        assert_eq!(said, [19, 0, 2, 0, 0, 1, 5]);
        let (old, said) = talk(&[0, 1], async |mut s| inside(&mut s).await).await;
        assert!(matches!(old, Err(Trouble::Odd(_))));
        assert_eq!(said, [19, 0, 0]);
        let (no, _) = talk(&[0], async |mut s| choose(&mut s, way).await).await;
        assert!(matches!(no, Err(Trouble::Odd(_))));
    }

    #[test]
    fn the_safest_is_chosen_and_never_less_than_is_demanded() {
        let all: Vec<u32> = (1..=2).chain(256..=262).collect();
        let demand = |security, pinned, user| Demand { security, pinned, user };
        let number = |demand: Demand, offers: &[u32]| demand.best(offers).map(Way::number);
        let auto = demand(Security::Auto, false, false);
        assert_eq!(number(auto, &all), Some(260));
        assert_eq!(number(auto, &[2, 258, 261, 262]), Some(261));
        assert_eq!(number(demand(Security::Auto, false, true), &[258, 261, 262]), Some(262));
        assert_eq!(number(auto, &[2, 258, 259]), Some(258));
        assert_eq!(number(auto, &[30, 2]), Some(2));
        assert_eq!(number(auto, &[256, 259, 30]), None, "a password for anybody");
        // Nobody in between may talk a server with a certificate down.
        assert_eq!(number(demand(Security::Auto, true, false), &[1, 2, 257, 258]), None);
        assert_eq!(number(demand(Security::Tls, false, false), &[1, 2, 257, 258]), None);
        assert_eq!(number(demand(Security::Tls, false, false), &all), Some(260));
        assert_eq!(number(demand(Security::Clear, true, true), &all), Some(1));
        assert_eq!(number(demand(Security::Clear, true, false), &[260, 258]), None);
    }
}
