//! WebSockets through the proxy (RFC 6455).

use std::time::Duration;

use countersign_gateway::Settings;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, accept_hdr_async, connect_async};

use crate::scene::{Scene, bearer};

/// Longer than anything takes here; never waited for where all is well.
const LONG: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An upstream that says each message back, and the heads of its handshakes.
#[allow(clippy::result_large_err, reason = "the type of what looks at a handshake is not ours")]
async fn echo() -> (String, mpsc::UnboundedReceiver<HeaderMap>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/base", listener.local_addr().unwrap());
    let (sender, heads) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let note = |request: &Request<()>, reply: Response<()>| {
                    let _ = sender.send(request.headers().clone());
                    Ok(reply)
                };
                let socket = accept_hdr_async(stream, note).await.unwrap();
                let (write, read) = socket.split();
                // Until the other side has ended it.
                let _ = read.filter(|it| std::future::ready(said(it))).forward(write).await;
            });
        }
    });
    (url, heads)
}

fn said(message: &Result<Message, Error>) -> bool {
    message.as_ref().is_ok_and(|message| message.is_text() || message.is_binary())
}

async fn connect(scene: &Scene) -> Result<Socket, Error> {
    let url = format!("ws://{}/proxy/socket?x=1", scene.address);
    let mut request = url.into_client_request().unwrap();
    let token = format!("Bearer {}", scene.token);
    for (name, value) in
        [("authorization", token.as_str()), ("connection_name", "api"), ("identifier", "u1")]
    {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    Ok(connect_async(request).await?.0)
}

async fn next(socket: &mut Socket) -> Option<Message> {
    timeout(LONG, socket.next()).await.unwrap().map(Result::unwrap)
}

async fn with(settings: Settings) -> (Scene, mpsc::UnboundedReceiver<HeaderMap>) {
    let (url, heads) = echo().await;
    let scene = Scene::with(settings).await;
    scene.provide("api", &bearer("api", &url)).await;
    scene.account("api", "u1", "canary").await;
    (scene, heads)
}

#[tokio::test]
async fn messages_go_both_ways_under_the_accounts_credential() {
    let (scene, mut heads) = with(Settings::default()).await;
    let mut socket = connect(&scene).await.unwrap();
    let head = heads.recv().await.unwrap();
    assert_eq!(head["authorization"], "Bearer canary");
    assert!(!head.contains_key("identifier") && !head.contains_key("connection_name"));
    for nth in 0..3 {
        socket.send(Message::text(format!("{nth}"))).await.unwrap();
        assert_eq!(next(&mut socket).await.unwrap(), Message::text(format!("{nth}")));
    }
    let large = Message::binary(vec![7; 1 << 20]);
    socket.send(large.clone()).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), large);
    socket.close(None).await.unwrap();
    while let Some(message) = next(&mut socket).await {
        assert!(message.is_close());
    }
}

#[tokio::test]
async fn a_silent_one_is_ended_and_one_that_speaks_is_not() {
    let mut settings = Settings::default();
    settings.tunnel_idle = Duration::from_millis(200);
    let (scene, _heads) = with(settings).await;
    let mut speaks = connect(&scene).await.unwrap();
    let mut silent = connect(&scene).await.unwrap();
    let ended =
        async { while matches!(timeout(LONG, silent.next()).await.unwrap(), Some(Ok(_))) {} };
    let speaking = async {
        loop {
            speaks.send(Message::text("x")).await.unwrap();
            next(&mut speaks).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = ended => {}
        () = speaking => {}
    }
    speaks.send(Message::text("still here")).await.unwrap();
    assert!(next(&mut speaks).await.is_some());
}

#[tokio::test]
async fn it_keeps_its_place_among_those_of_its_account() {
    let mut settings = Settings::default();
    settings.most_in_flight_per_account = 1;
    let (scene, _heads) = with(settings).await;
    let socket = connect(&scene).await.unwrap();
    let Err(Error::Http(answer)) = connect(&scene).await else { panic!("a second place") };
    assert_eq!(answer.status(), 429);
    drop(socket);
    timeout(LONG, async { while connect(&scene).await.is_err() {} }).await.unwrap();
}

#[tokio::test]
async fn what_is_no_handshake_opens_no_tunnel() {
    let (scene, mut heads) = with(Settings::default()).await;
    for (headers, expected) in [
        ("upgrade: websocket\r\nconnection: upgrade\r\n", "HTTP/1.1 400"),
        (
            "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 8\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            "HTTP/1.1 400",
        ),
    ] {
        let mut stream = TcpStream::connect(scene.address).await.unwrap();
        let head = format!(
            "GET /proxy/socket HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
             connection_name: api\r\nidentifier: u1\r\n{headers}\r\n",
            scene.address, scene.token
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), expected, "{headers}");
    }
    assert!(heads.try_recv().is_err());
}
