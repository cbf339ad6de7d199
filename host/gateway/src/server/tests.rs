//! What a connection may take, over real sockets. Bounds are set low where their end is waited for, and
//! no test is quicker than the machine has to be.

use std::fmt::Write as _;

use countersign::clock::SystemClock;
use countersign::egress::EgressConfig;
use countersign::random::{SeededRandom, SystemRandom};
use countersign::sandbox::Limits;
use countersign::{Countersign, Egress, Registry, Sandbox};
use countersign_vault::key::MasterKey;
use countersign_vault::{Follows as _, SqlVault};
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;

use super::*;
use crate::gateway::Parts;
use crate::settings::Settings;

/// The machine may be busy; a test that waits as long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// For what is to end.
const SHORT: Duration = Duration::from_millis(100);

const REQUEST: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n";

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_given_up_and_one_that_spoke_is_not() {
    let soon = SHORT * 2;
    assert!(timeout(soon, silence(&AtomicBool::new(false), SHORT)).await.is_ok());
    assert!(timeout(soon, silence(&AtomicBool::new(true), SHORT)).await.is_err());
}

#[test]
fn no_address_takes_all_places() {
    let addresses = Arc::<Addresses>::default();
    let enter = |last| Addresses::enter(&addresses, [10, 0, 0, last].into());
    let mut taken: Vec<_> = (0..MOST_OF_ONE_ADDRESS).map(|_| enter(1).unwrap()).collect();
    assert!(enter(1).is_none() && enter(2).is_some());
    taken.pop();
    assert!(enter(1).is_some());
    drop(taken);
    assert!(addresses.0.lock().unwrap().is_empty());
}

/// One customer has a whole /64, and may come from another address of it each time.
#[test]
fn no_ipv6_network_takes_all_places() {
    let addresses = Arc::<Addresses>::default();
    let enter = |network: u16, host: usize| {
        let address = format!("2001:db8:0:{network:x}::{host:x}").parse::<IpAddr>().unwrap();
        Addresses::enter(&addresses, address)
    };
    let taken: Vec<_> = (0..MOST_OF_ONE_ADDRESS).map(|host| enter(1, host).unwrap()).collect();
    assert!(enter(1, MOST_OF_ONE_ADDRESS).is_none() && enter(2, 0).is_some());
    drop(taken);
    assert!(addresses.0.lock().unwrap().is_empty());
}

/// A server, for as long as this is kept.
struct Scene {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
    _folder: TempDir,
}

impl Scene {
    async fn new(bounds: Bounds) -> Self {
        Self::with(bounds, None).await
    }

    async fn with(bounds: Bounds, tls: Option<rustls::ServerConfig>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::generate(&SeededRandom::new(1)).unwrap();
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let path = folder.path().join("vault.db");
        let vault = SqlVault::open(&path, vec![master], clock.clone(), random.clone()).await;
        let vault = Arc::new(vault.unwrap());
        let sandbox = Arc::new(Sandbox::new(Limits::default(), None).unwrap());
        let registry = Arc::new(Registry::bundled(Arc::clone(&sandbox), &[]).unwrap());
        let egress = Egress::new(EgressConfig::default()).unwrap();
        let parts = Parts {
            following: vault.follow().await.unwrap(),
            vault,
            host: Countersign::builder(sandbox, registry, egress).build(),
            clock,
            random,
            settings: Settings::default(),
            audit: None,
            public_url: None,
        };
        let listen = ([127, 0, 0, 1], 0).into();
        let mut server = Server::bind(listen, tls, Gateway::new(parts).unwrap()).await.unwrap();
        server.bounds = bounds;
        let address = server.address().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(server.run(async { drop(stopped.await) }, Duration::ZERO));
        Self { address, _stop: stop, _folder: folder }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// What comes until the connection ends, which it does.
async fn rest(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    // A reset is an end as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut read)).await.expect("it does not end");
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn who_sends_no_whole_head_in_time_is_given_up() {
    let first = Scene::new(Bounds { head: SHORT, ..Bounds::default() }).await;
    let later = Scene::new(Bounds { idle: SHORT, ..Bounds::default() }).await;
    let second = format!("{REQUEST}\r\n{REQUEST}");
    for (scene, sent, answers) in
        [(&first, "", 0), (&first, "GET /", 0), (&first, REQUEST, 0), (&later, &*second, 1)]
    {
        let mut stream = scene.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        let answered = rest(&mut stream).await.matches("HTTP/1.1 200").count();
        assert_eq!(answered, answers, "{sent:?}");
    }
}

#[tokio::test]
async fn a_connection_may_rest_for_longer_than_a_head_may_take() {
    let scene = Scene::new(Bounds { head: SHORT, ..Bounds::default() }).await;
    let mut stream = scene.connect().await;
    let mut read = Vec::new();
    for _ in 0..2 {
        read.clear();
        stream.write_all(format!("{REQUEST}\r\n").as_bytes()).await.unwrap();
        while !read.ends_with(b"}") {
            assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "it has ended");
        }
        let ended = timeout(SHORT * 3, stream.read_buf(&mut read)).await;
        assert!(ended.is_err(), "it ends too early");
    }
}

/// Has a certificate for nobody.
#[derive(Debug)]
struct Nobody;

impl ResolvesServerCert for Nobody {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_is_given_up() {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Nobody));
    let scene = Scene::with(Bounds { head: SHORT, ..Bounds::default() }, Some(tls)).await;
    // Nothing, and the beginning of a record.
    for sent in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = scene.connect().await;
        stream.write_all(sent).await.unwrap();
        assert_eq!(rest(&mut stream).await, "");
    }
}

/// The status of the answer to a head with these headers beside `host`; 0 where there is none.
async fn status(scene: &Scene, headers: &str) -> u16 {
    let mut stream = scene.connect().await;
    let head = format!("{REQUEST}connection: close\r\n{headers}\r\n");
    // It may be refused before it is whole.
    let _ = stream.write_all(head.as_bytes()).await;
    let answer = rest(&mut stream).await;
    answer.strip_prefix("HTTP/1.1 ").map_or(0, |rest| rest[..3].parse().unwrap())
}

#[tokio::test]
async fn a_head_has_so_many_headers_and_so_many_bytes() {
    let scene = Scene::new(Bounds::default()).await;
    for (number, expected) in [(MOST_HEADERS, 200), (MOST_HEADERS + 1, 431)] {
        let mut headers = String::new();
        (2..number).for_each(|nth| write!(headers, "x-{nth}: 1\r\n").unwrap());
        assert_eq!(status(&scene, &headers).await, expected, "{number} headers");
    }
    for (length, fits) in [(60_000, true), (70_000, false)] {
        let long = "x".repeat(length);
        assert_eq!(status(&scene, &format!("x: {long}\r\n")).await == 200, fits, "{length} bytes");
        let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge();
        let url = format!("http://{}/healthz", scene.address);
        let answer = client.build().unwrap().get(url).header("x", long).send().await;
        let well = answer.is_ok_and(|answer| answer.status() == 200);
        assert_eq!(well, fits, "{length} bytes over HTTP/2");
    }
}

/// A client that speaks HTTP/2 in frames, so that it can leave some unanswered.
struct Frames(TcpStream);

#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    payload: Vec<u8>,
}

// RFC 9113, section 6.
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const ACK: u8 = 1;

impl Frames {
    /// Has asked for `/healthz`.
    async fn open(scene: &Scene) -> Self {
        let mut this = Self(scene.connect().await);
        this.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        this.write(SETTINGS, 0, 0, &[]).await;
        // GET, http, and two literals: path and authority (RFC 7541, section 6.2.2).
        let fields = b"\x82\x86\x04\x08/healthz\x01\x01x";
        this.write(HEADERS, 0x4 | 0x1, 1, fields).await;
        this
    }

    async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.write_all(&frame).await.unwrap();
    }

    /// The next one; `None` at the end, which comes in time.
    async fn read(&mut self) -> Option<Frame> {
        timeout(PATIENCE, self.next()).await.expect("nothing more comes, and no end")
    }

    async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, ..] = head;
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap()];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame { kind, flags, payload })
    }

    /// The next one of this kind that is no answer.
    async fn next_of(&mut self, wanted: u8) -> Frame {
        loop {
            let frame = self.read().await.expect("the connection has ended");
            if frame.kind == wanted && (wanted == HEADERS || frame.flags & ACK == 0) {
                return frame;
            }
        }
    }
}

#[tokio::test]
async fn a_connection_has_so_many_streams() {
    const MAX_CONCURRENT_STREAMS: [u8; 2] = [0, 3];
    let scene = Scene::new(Bounds::default()).await;
    let settings = Frames::open(&scene).await.next_of(SETTINGS).await.payload;
    let mut settings = settings.chunks(6).map(|setting| setting.split_at(2));
    let (_, most) = settings.find(|(name, _)| *name == MAX_CONCURRENT_STREAMS).unwrap();
    assert_eq!(most, MOST_STREAMS.to_be_bytes());
}

#[tokio::test]
async fn a_client_that_is_gone_without_a_word_is_given_up_and_one_that_answers_is_not() {
    let (ping_after, pong_within) = (SHORT / 2, SHORT);
    let scene = Scene::new(Bounds { ping_after, pong_within, ..Bounds::default() }).await;
    let mut gone = Frames::open(&scene).await;
    gone.next_of(HEADERS).await;
    gone.next_of(PING).await;
    while gone.read().await.is_some() {}

    let scene = Scene::new(Bounds { ping_after, ..Bounds::default() }).await;
    let mut alive = Frames::open(&scene).await;
    for _ in 0..5 {
        let ping = alive.next_of(PING).await;
        alive.write(PING, ACK, 0, &ping.payload).await;
    }
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_ended_in_order() {
    let scene = Scene::new(Bounds { idle: SHORT, stalled: SHORT, ..Bounds::default() }).await;
    let mut frames = Frames::open(&scene).await;
    frames.next_of(HEADERS).await;
    frames.next_of(GO_AWAY).await;
    while let Some(frame) = frames.read().await {
        // That it has read the farewell is proven by an answer.
        if frame.kind == PING && frame.flags & ACK == 0 {
            frames.write(PING, ACK, 0, &frame.payload).await;
        }
    }

    let mut stream = scene.connect().await;
    stream.write_all(format!("{REQUEST}\r\n").as_bytes()).await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200"));
}
