//! A link: carries TCP connections with a one-way delay, at full throughput and in order, and can be cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::testbed::Link;
use crate::testbed::control::CutKind;

/// Bytes under way in one direction of a connection: what a link of 10 Gbit/s holds in 50 ms. More waits at its sender.
const UNDER_WAY_MAX: usize = 64 << 20;

/// Largest piece that is held as one.
const PIECE: usize = 64 << 10;

/// A link between two regions. Clones are the same link.
#[derive(Clone, Debug)]
pub(super) struct Cable(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    link: Link,
    cut: watch::Sender<Cut>,
    connections: AtomicUsize,
}

/// Whether a link is cut; the number tells one cut from the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cut {
    kind: Option<CutKind>,
    number: u64,
}

impl Cable {
    pub(super) fn new(link: Link) -> Self {
        Self(Arc::new(Inner { link, cut: watch::Sender::default(), connections: AtomicUsize::new(0) }))
    }

    pub(super) fn link(&self) -> Link {
        self.0.link
    }

    pub(super) fn cut_kind(&self) -> Option<CutKind> {
        self.0.cut.borrow().kind
    }

    pub(super) fn connections(&self) -> usize {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// Cuts the link. Returns the cut's number.
    pub(super) fn cut(&self, kind: CutKind) -> u64 {
        self.0.cut.send_modify(|cut| *cut = Cut { kind: Some(kind), number: cut.number + 1 });
        self.0.cut.borrow().number
    }

    /// Restores the link; with a number, only if that cut is still the last.
    pub(super) fn restore(&self, number: Option<u64>) -> bool {
        self.0.cut.send_if_modified(|cut| {
            let mine = number.is_none_or(|number| number == cut.number) && cut.kind.is_some();
            if mine {
                cut.kind = None;
            }
            mine
        })
    }

    /// Carries connections to `target` for whoever connects to the returned address.
    pub(super) async fn carry_to(&self, target: SocketAddr) -> std::io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let cable = self.clone();
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((near, _)) => drop(tokio::spawn(cable.clone().carry(near, target))),
                    // Out of descriptors, most likely: others will close some.
                    Err(error) => {
                        log!("link to {target}: {error}");
                        sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        });
        Ok(address)
    }

    async fn carry(self, near: TcpStream, target: SocketAddr) {
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        tokio::select! {
            result = self.converse(near, target) => {
                // A connection that breaks is an everyday matter of servers that restart: both ends see it closed.
                if let Err(error) = result {
                    log!("link to {target}: {error}");
                }
            }
            () = self.until_reset() => {}
        }
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }

    async fn until_reset(&self) {
        let mut cut = self.0.cut.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = cut.wait_for(|cut| cut.kind == Some(CutKind::Reset)).await;
    }

    async fn until_passable(&self) {
        let mut cut = self.0.cut.subscribe();
        let _ = cut.wait_for(|cut| cut.kind.is_none()).await;
    }

    async fn converse(&self, near: TcpStream, target: SocketAddr) -> std::io::Result<()> {
        // TCP's handshake takes a round trip before the first byte.
        sleep(self.delay() + self.delay()).await;
        self.until_passable().await;
        let far = TcpStream::connect(target).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        tokio::try_join!(self.one_way(near_in, far_out), self.one_way(far_in, near_out)).map(drop)
    }

    fn delay(&self) -> Duration {
        let Link { delay_ms, jitter_ms } = self.0.link;
        // Both were checked to be small and not negative.
        Duration::from_secs_f64((delay_ms + jitter_ms * fastrand::f64()) / 1e3)
    }

    async fn one_way(&self, from: OwnedReadHalf, to: OwnedWriteHalf) -> std::io::Result<()> {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::try_join!(self.take(from, sender), self.hand_over(to, receiver)).map(drop)
    }

    async fn take(&self, mut from: OwnedReadHalf, pieces: mpsc::UnboundedSender<Piece>) -> std::io::Result<()> {
        let room = Arc::new(Semaphore::new(UNDER_WAY_MAX));
        let mut last = Instant::now();
        loop {
            let mut bytes = Vec::with_capacity(PIECE);
            let count = from.read_buf(&mut bytes).await?;
            bytes.shrink_to_fit();
            // What was sent first arrives first, whatever jitter says.
            last = last.max(Instant::now() + self.delay());
            let permit = Arc::clone(&room).acquire_many_owned(u32::try_from(count).unwrap_or(u32::MAX)).await;
            // The receiver ends only when writing failed, which ends this half as well.
            if pieces.send(Piece { due: last, bytes, _room: permit.ok() }).is_err() || count == 0 {
                return Ok(());
            }
        }
    }

    async fn hand_over(
        &self,
        mut to: OwnedWriteHalf,
        mut pieces: mpsc::UnboundedReceiver<Piece>,
    ) -> std::io::Result<()> {
        while let Some(piece) = pieces.recv().await {
            sleep_until(piece.due).await;
            self.until_passable().await;
            if piece.bytes.is_empty() {
                return to.shutdown().await;
            }
            to.write_all(&piece.bytes).await?;
        }
        Ok(())
    }
}

/// Bytes under way; none: the sender has closed its side.
struct Piece {
    due: Instant,
    bytes: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        address
    }

    fn cable(delay_ms: f64, jitter_ms: f64) -> Cable {
        Cable::new(Link { delay_ms, jitter_ms })
    }

    #[tokio::test]
    async fn every_byte_arrives_in_order_and_no_earlier_than_the_delay() {
        let cable = cable(20.0, 15.0);
        let address = cable.carry_to(echo().await).await.unwrap();
        let (mut from, mut to) = TcpStream::connect(address).await.unwrap().into_split();
        let sent: Vec<u8> = (0..3_000_000_u32).flat_map(|n| n.to_le_bytes()).collect();
        let (started, copy) = (Instant::now(), sent.clone());
        let writing = tokio::spawn(async move {
            for part in copy.chunks(9973) {
                to.write_all(part).await.unwrap();
            }
            to.shutdown().await.unwrap();
        });
        let mut received = Vec::new();
        from.read_to_end(&mut received).await.unwrap();
        writing.await.unwrap();
        assert!(received == sent, "{} of {} bytes, or in another order", received.len(), sent.len());
        // There and back, and the handshake: four delays.
        assert!(started.elapsed() >= Duration::from_millis(80), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn a_held_link_delivers_afterwards_and_a_reset_one_breaks() {
        let (cable, slower) = (cable(1.0, 0.0), cable(5.0, 0.0));
        let address = cable.carry_to(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut byte = [0];
        stream.write_all(b"a").await.unwrap();
        stream.read_exact(&mut byte).await.unwrap();

        let first = cable.cut(CutKind::Hold);
        stream.write_all(b"b").await.unwrap();
        // What a slower link carries there and back bounds how long this one had.
        let slower = slower.carry_to(echo().await).await.unwrap();
        let mut beside = TcpStream::connect(slower).await.unwrap();
        beside.write_all(b"x").await.unwrap();
        beside.read_exact(&mut byte).await.unwrap();
        assert!(stream.read_exact(&mut byte).now_or_never().is_none(), "a byte passed a cut link");
        let second = cable.cut(CutKind::Hold);
        assert!(!cable.restore(Some(first)), "an older cut's end restored a newer cut");
        assert!(cable.restore(Some(second)));
        stream.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"b");

        cable.cut(CutKind::Reset);
        assert_eq!(stream.read(&mut byte).await.unwrap_or(0), 0);
        let mut refused = TcpStream::connect(address).await.unwrap();
        assert_eq!(refused.read(&mut byte).await.unwrap_or(0), 0);
        cable.restore(None);
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"c").await.unwrap();
        stream.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"c");
    }
}
