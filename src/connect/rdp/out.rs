//! What waits to be written to the server. Writing never makes the session wait, but
//! a server that asks and asks and does not read is not listened to until it has
//! taken what it asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Bytes that may wait before the server is no longer listened to.
const FULL: usize = 8 << 20;

#[derive(Default)]
struct Waiting {
    bytes: AtomicUsize,
    /// There is less of it, or nobody who writes.
    less: Notify,
}

/// The session's side.
pub struct Out {
    to: UnboundedSender<Vec<u8>>,
    waiting: Arc<Waiting>,
}

/// The writer's side. Once it is gone, nothing waits any more.
pub struct Orders {
    from: UnboundedReceiver<Vec<u8>>,
    waiting: Arc<Waiting>,
}

/// Both sides.
pub fn queue() -> (Out, Orders) {
    let (to, from) = unbounded_channel();
    let waiting = Arc::<Waiting>::default();
    (Out { to, waiting: waiting.clone() }, Orders { from, waiting })
}

impl Out {
    /// Has this written, after what waits.
    pub fn write(&self, frame: Vec<u8>) {
        if frame.is_empty() {
            return;
        }
        self.waiting.bytes.fetch_add(frame.len(), Ordering::Relaxed);
        // Without a writer the reader will see the end.
        let _ = self.to.send(frame);
    }

    /// Whether so much waits that the server is not to ask for more. Never without a
    /// writer: the end of the connection is seen by reading.
    pub fn full(&self) -> bool {
        self.waiting.bytes.load(Ordering::Relaxed) > FULL && !self.to.is_closed()
    }

    /// Waits until it is no longer full.
    pub async fn room(&self) {
        while self.full() {
            self.waiting.less.notified().await;
        }
    }
}

impl Orders {
    /// The next to write; `None` once the session is over.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.from.recv().await
    }

    /// So many bytes were written.
    pub fn written(&self, bytes: usize) {
        self.waiting.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.waiting.less.notify_one();
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        self.from.close();
        self.waiting.less.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(what: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(what)
    }

    #[test]
    fn what_waits_is_counted_until_it_is_written() {
        block_on(async {
            let (out, mut orders) = queue();
            out.write(vec![0; FULL]);
            assert!(!out.full());
            out.write(vec![0; 1]);
            assert!(out.full());
            let first = orders.next().await.expect("it waits");
            assert!(out.full(), "what is being written waits still");
            let write = async { orders.written(first.len()) };
            tokio::join!(out.room(), write);
            assert!(!out.full());
        });
    }

    #[test]
    fn without_a_writer_nobody_waits_for_room() {
        block_on(async {
            let (out, orders) = queue();
            out.write(vec![0; FULL + 1]);
            assert!(out.full());
            tokio::join!(out.room(), async { drop(orders) });
            out.write(vec![0; FULL + 1]);
            assert!(!out.full());
        });
    }
}
