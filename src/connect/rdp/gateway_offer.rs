//! What a gateway wants to know of who comes (RFC 9110 section 11.6.1), seen before anybody
//! does: the crate that opens the tunnel would give a password as it is to one that takes
//! nothing else. Sends neither name nor password.

use std::io;

use httparse::{EMPTY_HEADER, Header, Response};
use ironrdp_mstsgu::http_auth::{AuthStep, GatewayHttpAuth, split_auth_challenge};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::model::target::HostPort;

/// The longest head of an answer, in bytes.
const HEAD: usize = 1 << 14;
/// The most headers of an answer.
const HEADERS: usize = 64;
/// The answer to who has not said who they are.
const UNAUTHORIZED: u16 = 401;

/// Whether it takes a password only as it is (HTTP Basic, RFC 7617).
///
/// # Errors
/// The connection breaks, or what comes is no answer of HTTP.
pub async fn only_clear(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    at: &HostPort,
) -> io::Result<bool> {
    // The first request of a tunnel (MS-TSGU section 3.3.5.1), by nobody.
    let asked = format!(
        "RDG_OUT_DATA /remoteDesktopGateway/ HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\n\
         Cache-Control: no-cache\r\nPragma: no-cache\r\nConnection: close\r\n\r\n",
        at.host
    );
    stream.write_all(asked.as_bytes()).await?;
    stream.flush().await?;
    let mut head = Vec::new();
    loop {
        if (&mut *stream).take(1024).read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(clear) = judged(&head)? {
            return Ok(clear);
        }
        if head.len() > HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

/// What an answer comes to, once its head is whole.
fn judged(head: &[u8]) -> io::Result<Option<bool>> {
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut answer = Response::new(&mut headers);
    let whole = answer.parse(head).map_err(io::Error::other)?;
    Ok(whole.is_complete().then(|| answer.code == Some(UNAUTHORIZED) && clear(answer.headers)))
}

/// Whether the crate would answer these with the password.
fn clear(headers: &[Header<'_>]) -> bool {
    let challenges: Vec<&str> = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("www-authenticate"))
        .filter_map(|header| str::from_utf8(header.value).ok())
        .collect();
    let proof = challenges.iter().any(|one| split_auth_challenge(one, "SSPI_NTLM").is_some());
    let step = GatewayHttpAuth::from_challenges("nobody", "", None, None, &challenges);
    !proof && matches!(step, Ok((_, AuthStep::TryBasic)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(challenges: &[&str]) -> Option<bool> {
        let lines = challenges.iter().map(|one| format!("WWW-Authenticate: {one}\r\n"));
        let head = format!("HTTP/1.1 401 Unauthorized\r\n{}\r\n", lines.collect::<String>());
        judged(head.as_bytes()).expect("an answer")
    }

    #[test]
    fn only_who_takes_no_proof_wants_the_password() {
        assert_eq!(of(&[r#"Basic realm="x""#]), Some(true));
        assert_eq!(of(&["basic"]), Some(true));
        assert_eq!(of(&[r#"Digest realm="x""#, r#"Basic realm="a, NTLM""#]), Some(true));
        for proof in ["NTLM", "Negotiate", "SSPI_NTLM"] {
            assert_eq!(of(&[r#"Basic realm="x""#, proof]), Some(false), "{proof}");
        }
        assert_eq!(of(&[r#"Negotiate, NTLM, Basic realm="x""#]), Some(false));
        assert_eq!(of(&[]), Some(false));
    }

    #[test]
    fn an_answer_is_waited_for_and_nonsense_refused() {
        let whole = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(judged(&whole[..end]).ok(), Some(None), "{end}");
        }
        assert_eq!(judged(b"HTTP/1.1 404 Not Found\r\n\r\n").ok(), Some(Some(false)));
        assert!(judged(b"SSH-2.0-OpenSSH_10.0\r\n").is_err());
        let many = "x: y\r\n".repeat(HEADERS + 1);
        assert!(judged(format!("HTTP/1.1 401 No\r\n{many}").as_bytes()).is_err());
    }

    #[tokio::test]
    async fn an_endless_answer_is_not_gathered() {
        let mut endless = tokio::io::join(
            std::io::Cursor::new(
                [b"HTTP/1.1 401 No\r\nx: ".to_vec(), vec![b'y'; HEAD * 4]].concat(),
            ),
            tokio::io::sink(),
        );
        let at = HostPort { host: "rds".into(), port: 443 };
        let e = only_clear(&mut endless, &at).await.expect_err("too long");
        assert_eq!(e.kind(), io::ErrorKind::InvalidData);
    }
}
