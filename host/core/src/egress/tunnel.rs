//! A connection that has left HTTP: bytes, both ways.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::{Extensions, Response};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a WebSocket is spoken over, once the upstream has accepted it. No time-out is on it. Dropping
/// it closes the connection.
pub struct Tunnel(TokioIo<Upgraded>);

/// Extensions are copied, a tunnel is not.
#[derive(Clone)]
struct Kept(Arc<Mutex<Option<Tunnel>>>);

impl Tunnel {
    pub(super) fn new(io: Upgraded) -> Self {
        Self(TokioIo::new(io))
    }

    /// Takes it out of a reply with status 101: there is one in each, once.
    pub fn take<B>(reply: &mut Response<B>) -> Option<Self> {
        let Kept(kept) = reply.extensions_mut().remove()?;
        kept.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn keep(self, extensions: &mut Extensions) {
        extensions.insert(Kept(Arc::new(Mutex::new(Some(self)))));
    }
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tunnel")
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
