//! A WebSocket: bytes both ways, once both sides have left HTTP.
//!
//! It keeps its place in the crowd until either side has ended it, or neither has said anything for
//! [`Settings::tunnel_idle`](crate::Settings::tunnel_idle): a peer that is gone without a word is not
//! waited for.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use countersign::egress::Tunnel;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};

use super::crowd::Place;

/// Joins the caller's side to the upstream's, until one of them ends.
pub(super) async fn run(caller: OnUpgrade, upstream: Tunnel, idle: Duration, place: Place) {
    // A caller that went away before it had the answer.
    let Ok(caller) = caller.await else { return };
    let heard = AtomicU64::new(0);
    let mut caller = Heard { io: TokioIo::new(caller), count: &heard };
    let mut upstream = Heard { io: upstream, count: &heard };
    tokio::select! {
        // However it ended, it has ended: there is nobody to tell.
        _ = copy_bidirectional(&mut caller, &mut upstream) => {}
        () = silence(&heard, idle) => tracing::debug!("a tunnel stayed silent"),
    }
    drop(place);
}

/// Ends once nothing was heard for so long, or up to twice that.
async fn silence(heard: &AtomicU64, idle: Duration) {
    loop {
        let before = heard.load(Ordering::Relaxed);
        tokio::time::sleep(idle).await;
        if heard.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

/// One side, which counts each time that something comes from it.
struct Heard<'a, S> {
    io: S,
    count: &'a AtomicU64,
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_ready() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
