//! The stream that the decoder talks on: it reads what `relay` hands it; what it
//! writes leaves whole, message by message, among those of the session. Its part of
//! the greeting is swallowed, since that has taken place.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// The decoder's end.
pub struct Near {
    from: DuplexStream,
    out: UnboundedSender<Vec<u8>>,
    /// So many bytes of the decoder are not for the server.
    swallow: usize,
    /// A message of the decoder's, and what is said in its place.
    instead: (Vec<u8>, Vec<u8>),
}

impl Near {
    /// One that reads `from`, writes to `out` after so many bytes of greeting, and says
    /// something else for one message.
    pub fn new(
        from: DuplexStream,
        out: UnboundedSender<Vec<u8>>,
        swallow: usize,
        instead: (Vec<u8>, Vec<u8>),
    ) -> Self {
        Self { from, out, swallow, instead }
    }
}

impl AsyncRead for Near {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.from).poll_read(cx, buf)
    }
}

impl AsyncWrite for Near {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let swallowed = self.swallow.min(bytes.len());
        self.swallow -= swallowed;
        let mut said = bytes[swallowed..].to_vec();
        if said == self.instead.0 {
            said = std::mem::take(&mut self.instead.1);
        }
        if !said.is_empty() && self.out.send(said).is_err() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Writes the messages, so that reading never waits for it.
pub async fn write_all(mut to: impl AsyncWrite + Unpin, mut messages: UnboundedReceiver<Vec<u8>>) {
    while let Some(mut bytes) = messages.recv().await {
        // What has come together leaves together.
        while let Ok(more) = messages.try_recv() {
            bytes.extend(more);
        }
        if to.write_all(&bytes).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::unbounded_channel;

    #[tokio::test]
    async fn the_decoders_greeting_stays_here_and_its_messages_leave_whole() {
        let (near, _far) = tokio::io::duplex(64);
        let (out, mut messages) = unbounded_channel();
        let mut near = Near::new(near, out, 13, (vec![2, 9], vec![2, 8, 8]));
        near.write_all(b"RFB 003.008\n").await.expect("swallowed");
        near.write_all(&[2]).await.expect("swallowed");
        near.write_all(&[1]).await.expect("said");
        near.write_all(&[2, 9]).await.expect("replaced");
        drop(near);
        assert_eq!(messages.recv().await, Some(vec![1]));
        assert_eq!(messages.recv().await, Some(vec![2, 8, 8]));
        assert_eq!(messages.recv().await, None);
    }
}
