//! Upstreams on loopback that record what reaches them, byte by byte.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A reply after which the connection stays open.
pub(crate) const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// A TCP server with no HTTP in it: it reads a request up to its last byte, keeps it, and answers
/// with fixed bytes.
pub(crate) struct Recorder {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

/// What to do once the answer is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Wait for the next request.
    KeepOpen,
    Close,
    /// Say nothing more, and hold the connection.
    Hang,
}

impl Recorder {
    /// Answers every request alike.
    pub(crate) async fn start(answer: &str, then: Then) -> Self {
        Self::start_with(vec![(answer.to_owned(), then)]).await
    }

    /// Answers the n-th request with the n-th answer, and all later ones with the last.
    pub(crate) async fn start_with(answers: Vec<(String, Then)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(0));
        let (seen, counted) = (Arc::clone(&requests), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *counted.lock().unwrap() += 1;
                tokio::spawn(serve(stream, answers.clone(), Arc::clone(&seen)));
            }
        });
        Self { port, requests, connections }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:PORT` and the path, as it stands.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Every request so far, head and body, as it came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// The first line of the last request.
    pub(crate) fn request_line(&self) -> String {
        self.requests().last().unwrap().lines().next().unwrap().to_owned()
    }

    /// The header lines of the last request.
    pub(crate) fn header_lines(&self) -> Vec<String> {
        let last = self.requests().pop().unwrap();
        let head = last.split("\r\n\r\n").next().unwrap().to_owned();
        head.lines().skip(1).map(str::to_owned).collect()
    }
}

async fn serve(mut stream: TcpStream, answers: Vec<(String, Then)>, seen: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut stream).await {
        let (answer, then) = {
            let mut seen = seen.lock().unwrap();
            seen.push(request);
            answers[(seen.len() - 1).min(answers.len() - 1)].clone()
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
        match then {
            Then::KeepOpen => {}
            Then::Close => return,
            Then::Hang => std::future::pending().await,
        }
    }
}

/// One request off the wire; what was read of it where the connection ends early.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if is_complete(&bytes) {
            break;
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn is_complete(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    if head.contains("\r\ntransfer-encoding: chunked") {
        // After the last chunk there may be trailers.
        return body.ends_with("\r\n\r\n")
            && (body.starts_with("0\r\n") || body.contains("\r\n0\r\n"));
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse::<usize>().unwrap());
    body.len() >= length
}
