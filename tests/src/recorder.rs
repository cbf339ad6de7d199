//! A listener with no HTTP in it: keeps every byte that reaches it, and answers with fixed bytes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running listener. Ends when dropped.
pub struct Recorder {
    address: SocketAddr,
    received: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Listens at an address, and answers the head of each request with `answer`. Requests must
    /// have no body.
    pub async fn start(address: &str, answer: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let received = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&received), answer.to_owned());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), Arc::clone(&kept)));
            }
        });
        Self { address, received, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that has come so far, and forgets it.
    pub fn take(&self) -> String {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&std::mem::take(&mut *received)).into_owned()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, answer: String, kept: Arc<Mutex<Vec<u8>>>) {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count) = stream.read(&mut piece).await
        && count > 0
    {
        head.extend_from_slice(&piece[..count]);
        kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&piece[..count]);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}
