//! The end: in order, or at once.

use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::process::Process;
use crate::world::{populate, proxied, token};

const ALLOWED: [&str; 3] = ["--allow-upstream", "127.0.0.0/8", "--allow-http-upstream"];

/// A server with one request under way: its reply, and the upstream's side of it.
async fn under_way(
    folder: &std::path::Path,
) -> (Process, tokio::task::JoinHandle<reqwest::Result<reqwest::Response>>, TcpStream) {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy_url = format!("http://{}", upstream.local_addr().unwrap());
    let server = Process::serve(folder, &ALLOWED);
    populate(folder, &proxy_url).await;
    let id = server.shown("COUNTERSIGN_CLIENT_ID").unwrap();
    let secret = server.shown("COUNTERSIGN_CLIENT_SECRET").unwrap();
    let token = token(server.url(), &id, &secret).await;
    let url = server.url().to_owned();
    let reply = tokio::spawn(async move { proxied(&url, &token).await });
    let (mut stream, _) = upstream.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.to_lowercase().contains("authorization: bearer canary-account"), "{head}");
    (server, reply, stream)
}

#[tokio::test]
async fn sigterm_lets_a_request_finish_and_takes_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, reply, mut stream) = under_way(folder.path()).await;
    server.signal(Signal::TERM);
    server.logs("waiting for what is under way");
    assert!(reqwest::get(format!("{}/healthz", server.url())).await.is_err(), "it still accepts");
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlate").await.unwrap();
    let reply = reply.await.unwrap().unwrap();
    assert_eq!(reply.bytes().await.unwrap(), "late");
    let ended = server.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(!ended.err.contains("canary"), "{}", ended.err);
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, reply, _stream) = under_way(folder.path()).await;
    server.signal(Signal::INT);
    server.logs("waiting for what is under way");
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code, Some(143));
    assert!(reply.await.unwrap().is_err());
}
