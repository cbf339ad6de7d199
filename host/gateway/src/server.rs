//! Accepts connections, and serves HTTP/1.1 and HTTP/2 on each, as its client speaks.
//!
//! Over TLS the two are told apart by ALPN, without it by the preface (prior knowledge). A connection
//! costs little before it has sent a whole head, and is given up where it does not send one in time;
//! later it is where nobody uses it any more, or takes what it was given ([`watch`]). No address may
//! have more than half of all connections, nor may all of one IPv6 network.
//! Once [`Server::run`] is told to stop, it accepts nothing more, finishes what is under way within
//! the grace, and then ends whatever is left.

mod watch;

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::gateway::Gateway;
use crate::token::network;

use watch::{Verdict, Watch};

/// Connections at one time. More wait to be accepted. An idle one costs some 20 KiB.
const MOST_CONNECTIONS: usize = 10_000;

/// Of one address. Behind a balancer all come from few.
const MOST_OF_ONE_ADDRESS: usize = MOST_CONNECTIONS / 2;

/// For what is under way on a connection that is to end.
const LAST_WORDS: Duration = Duration::from_secs(30);

/// How long a connection may be of no use.
#[derive(Clone, Copy)]
struct Bounds {
    /// For a TLS handshake, and then for the head of the first request.
    head: Duration,
    /// Of silence on an HTTP/2 connection, before a ping.
    ping_after: Duration,
    /// For the answer to it.
    pong_within: Duration,
    /// Without a request, or with a head that does not end.
    idle: Duration,
    /// While the peer takes nothing of a reply.
    stalled: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            // A slow line takes a second or two, and who takes longer holds a place that others want.
            head: Duration::from_secs(30),
            // A client that is gone without a word would keep its place.
            ping_after: Duration::from_mins(1),
            pong_within: Duration::from_secs(20),
            // Longer than the official SDKs keep a connection that they do not use (240 s).
            idle: Duration::from_mins(5),
            // Longer than a program that reads at all pauses for.
            stalled: Duration::from_mins(2),
        }
    }
}

/// Bytes of a request's head, and headers in it. What most servers take at most, so that nothing is
/// taken here that an upstream refuses.
const LONGEST_HEAD: u16 = u16::MAX;
const MOST_HEADERS: usize = 100;

/// Streams of one HTTP/2 connection at one time.
const MOST_STREAMS: u32 = 256;

/// After an `accept` that failed for want of file descriptors, before the next.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A gateway behind a socket.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    gateway: Gateway,
    bounds: Bounds,
    places: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    connections: TaskTracker,
    stopping: CancellationToken,
    ended: CancellationToken,
}

impl Server {
    /// Listens there; with TLS where its configuration is given, whose ALPN is set here.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<rustls::ServerConfig>,
        gateway: Gateway,
    ) -> io::Result<Self> {
        let tls = tls.map(|mut config| {
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            TlsAcceptor::from(Arc::new(config))
        });
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            tls,
            gateway,
            bounds: Bounds::default(),
            places: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
            addresses: Arc::default(),
            connections: TaskTracker::new(),
            stopping: CancellationToken::new(),
            ended: CancellationToken::new(),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` ends, and then until every connection is done, but no longer than
    /// `grace`.
    pub async fn run(self, stop: impl Future<Output = ()>, grace: Duration) {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = self.accept() => {}
            }
        }
        self.gateway.drain();
        drop(self.listener);
        self.stopping.cancel();
        self.connections.close();
        let left = self.connections.len();
        if left > 0 {
            tracing::info!(connections = left, "waiting for what is under way");
        }
        let done = async {
            self.connections.wait().await;
            self.gateway.tunnels_ended().await;
        };
        if timeout(grace, done).await.is_err() {
            tracing::warn!(connections = self.connections.len(), "ended before they were done");
            self.ended.cancel();
            self.connections.wait().await;
        }
    }

    /// One connection more.
    async fn accept(&self) {
        // Never closed.
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
        let (stream, peer) = match self.listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                return tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        };
        let address = peer.ip().to_canonical();
        let Some(of_address) = Addresses::enter(&self.addresses, address) else {
            return tracing::warn!(%address, "an address has too many connections");
        };
        // Small answers go out at once.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let connection = Connection {
            gateway: self.gateway.clone(),
            bounds: self.bounds,
            address,
            stopping: self.stopping.clone(),
            ended: self.ended.clone(),
            _place: place,
            _of_address: of_address,
        };
        self.connections.spawn(connection.open(stream, self.tls.clone()));
    }
}

/// One connection.
struct Connection {
    gateway: Gateway,
    bounds: Bounds,
    address: IpAddr,
    stopping: CancellationToken,
    ended: CancellationToken,
    _place: OwnedSemaphorePermit,
    _of_address: OfAddress,
}

/// Why a connection is not simply let go on.
enum End {
    Silent,
    Useless(Verdict),
    /// What is under way is finished.
    Stopping,
}

impl Connection {
    async fn open(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let Some(tls) = tls else { return self.serve(stream).await };
        let shaken = timeout(self.bounds.head, tls.accept(stream));
        match self.ended.run_until_cancelled(shaken).await {
            Some(Ok(Ok(stream))) => self.serve(stream).await,
            Some(Ok(Err(error))) => tracing::debug!(%error, "a TLS handshake failed"),
            Some(Err(_)) => tracing::debug!("a TLS handshake took too long"),
            None => {}
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self { gateway, bounds, address, stopping, ended, .. } = &self;
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            // It begins with the end of the last reply, so a shorter one would end idle connections.
            .header_read_timeout(bounds.idle)
            .max_buf_size(LONGEST_HEAD.into())
            .max_headers(MOST_HEADERS)
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(LONGEST_HEAD.into())
            .max_concurrent_streams(MOST_STREAMS)
            .keep_alive_interval(bounds.ping_after)
            .keep_alive_timeout(bounds.pong_within);
        let (heard, watch) = (AtomicBool::new(false), Watch::new(*bounds));
        let service = service_fn(|request: Request<Incoming>| {
            heard.store(true, Ordering::Relaxed);
            let (gateway, address, noted) = (gateway.clone(), *address, watch.request());
            // Boxed, as the protocols move what is under way.
            Box::pin(async move {
                let answer = gateway.answer(address, request).await;
                Ok::<_, Infallible>(answer.map(|body| noted.reply(body)))
            })
        });
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let end = async {
            tokio::select! {
                () = silence(&heard, bounds.head) => End::Silent,
                verdict = watch.verdict() => End::Useless(verdict),
                () = stopping.cancelled() => End::Stopping,
            }
        };
        // A set polls what has been woken alone: the connection is woken several times for each
        // request, and the others now and then.
        let mut end = FuturesUnordered::from_iter([end]);
        let served = tokio::select! {
            biased;
            served = &mut connection => Some(served),
            Some(end) = end.next() => match end {
                End::Silent => return tracing::debug!("a connection stayed silent"),
                End::Useless(verdict) => {
                    tracing::debug!(?verdict, "a connection is of no use");
                    if verdict == Verdict::Stalled {
                        return;
                    }
                    connection.as_mut().graceful_shutdown();
                    // Whatever it has still to write, nobody may be reading.
                    let last = ended.run_until_cancelled(timeout(LAST_WORDS, connection)).await;
                    last.and_then(Result::ok)
                }
                End::Stopping => {
                    connection.as_mut().graceful_shutdown();
                    ended.run_until_cancelled(connection).await
                }
            },
        };
        if let Some(Err(error)) = served {
            tracing::debug!(error, "a connection broke off");
        }
    }
}

/// Ends where no request has come in time. Until the first there is nothing to tell by which of the
/// two protocols is spoken, and so neither's own limit holds.
async fn silence(heard: &AtomicBool, time: Duration) {
    tokio::time::sleep(time).await;
    if heard.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

/// How many connections each address has, or its [`network`]; none is 0.
#[derive(Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

/// A connection of an address. Given back when dropped.
struct OfAddress {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    fn enter(this: &Arc<Self>, address: IpAddr) -> Option<OfAddress> {
        let address = network(address);
        let mut counts = this.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= MOST_OF_ONE_ADDRESS {
            return None;
        }
        *count += 1;
        Some(OfAddress { addresses: Arc::clone(this), address })
    }
}

impl Drop for OfAddress {
    fn drop(&mut self) {
        let mut counts = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests;
