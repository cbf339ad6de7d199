//! Schemes that authenticate the connection, and not the request: a handshake of two requests, of which
//! the second counts only where it comes on the connection of the first.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use countersign::Settings;
use countersign_hostile::answer::{self, set_header};
use countersign_hostile::{Body, Guest, Part, Val};
use countersign_tests::sandbox;
use countersign_tests::world::{get, no_egress, status};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::plot::{Plot, account, guest};

const NEED: &str = "write own-connection";
/// The cursor's length, as `authorize` and as `replied` have it.
const GREETED: &str = "(local.get 15)";
const PROVEN: &str = "(local.get 10)";

/// What came, connection by connection; and how the upstream ends the first of its replies.
struct Upstream {
    address: SocketAddr,
    seen: Arc<Mutex<HashMap<usize, Vec<String>>>>,
    /// Of connections that have been closed, how many requests had come.
    closed: Arc<Mutex<Vec<usize>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Greeting {
    KeepOpen,
    Close,
    /// With a body that has no end.
    Endless,
    /// With one that ends before it should.
    BreaksOff,
}

impl Upstream {
    /// Answers 401 to a greeting, and to whatever else comes on a connection without one; the proof after
    /// a greeting is answered with what it proves.
    async fn start(greeting: Greeting) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, closed) = (Arc::default(), Arc::<Mutex<Vec<_>>>::default());
        let (to, ends) = (Arc::clone(&seen), Arc::clone(&closed));
        tokio::spawn(async move {
            for nth in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (to, ends) = (Arc::clone(&to), Arc::clone(&ends));
                tokio::spawn(async move {
                    let count = serve(stream, nth, greeting, &to).await;
                    ends.lock().unwrap().push(count);
                });
            }
        });
        Self { address, seen, closed }
    }

    /// The words of each connection, in the order in which these were made.
    fn words(&self) -> Vec<Vec<String>> {
        let seen = self.seen.lock().unwrap();
        (0..seen.len()).map(|nth| seen[&nth].clone()).collect()
    }

    /// How many requests had come on each connection that is closed, once that many are.
    async fn closed(&self, count: usize) -> Vec<usize> {
        while self.closed.lock().unwrap().len() < count {
            tokio::task::yield_now().await;
        }
        self.closed.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    nth: usize,
    greeting: Greeting,
    seen: &Mutex<HashMap<usize, Vec<String>>>,
) -> usize {
    let (mut bytes, mut greeted) = (Vec::new(), None::<String>);
    // More than comes along with the head, so that the client has to wait for it.
    let who = "who are you? ".repeat(4000);
    for count in 0.. {
        while !bytes.ends_with(b"\r\n\r\n") {
            match stream.read_buf(&mut bytes).await {
                Ok(read) if read > 0 => {}
                _ => return count,
            }
        }
        let head = String::from_utf8(std::mem::take(&mut bytes)).unwrap();
        let word = head.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap();
        seen.lock().unwrap().entry(nth).or_default().push(word.to_owned());
        let (status, body) = match (word.split_once(' ').unwrap(), &greeted) {
            (("proof", whose), Some(greeted)) if greeted == whose => ("200 OK", whose),
            _ => ("401 Unauthorized", who.as_str()),
        };
        greeted = word.strip_prefix("hello ").map(str::to_owned);
        let is = |these: &[Greeting]| greeted.is_some() && these.contains(&greeting);
        let ends = is(&[Greeting::Close, Greeting::BreaksOff]);
        let longer = is(&[Greeting::Endless, Greeting::BreaksOff]);
        let length = if longer { 9_999_999 } else { body.len() };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
        if stream.write_all(answer.as_bytes()).await.is_err() || ends {
            return count + 1;
        }
    }
    unreachable!("it counts for as long as requests come")
}

/// `ok(ready)` with a word of the account's, on a connection of its own or not, and looking out for 401.
fn says(word: &'static str, own: bool) -> Val {
    let header = set_header("authorization", [Part::Text(word), Part::Token]);
    let own = own.then(|| Val::case("own-connection"));
    let watch = Val::Record(vec![
        ("status", Val::some(401)),
        ("headers", Val::List(Vec::new())),
        ("body", Val::Num(0)),
    ]);
    let cursor = if word.starts_with("proof") { "proven" } else { "" };
    Val::ok(Val::of(
        "ready",
        Val::Record(vec![
            ("edits", Val::List([Some(header), own].into_iter().flatten().collect())),
            ("remember", Val::Num(60)),
            ("watches", Val::List(vec![watch])),
            ("memo", Val::none()),
            ("cursor", cursor.into()),
        ]),
    ))
}

/// Greets, and proves itself on the same connection; refuses where that is not taken.
fn shaking(second_is_own: bool) -> Guest {
    let again = answer::reaction(Val::of("again", "greeted"));
    let refused = answer::refusal("denied", "the proof was not taken");
    guest(&[NEED])
        .body(
            "authorize",
            Body::either(GREETED, says("proof ", second_is_own), says("hello ", true)),
        )
        .body("replied", Body::either(PROVEN, refused, again))
}

const TOKEN: &str = "canary-of-the-account";

#[tokio::test]
async fn the_proof_comes_on_the_connection_of_the_greeting_and_nothing_after_it() {
    let upstream = Upstream::start(Greeting::KeepOpen).await;
    let plot = Plot::sending_to(upstream.address, &shaking(true), Settings::default());
    for _ in 0..3 {
        let (code, body) = status(&plot.host, &plot.subject, "/things").await.unwrap();
        assert_eq!((code, &body[..]), (200, TOKEN.as_bytes()));
    }
    let exchange = vec![format!("hello {TOKEN}"), format!("proof {TOKEN}")];
    assert_eq!(upstream.words(), vec![exchange; 3]);
    assert_eq!(upstream.closed(3).await, [2; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_side_by_side_never_meet_on_a_connection() {
    let upstream = Upstream::start(Greeting::KeepOpen).await;
    let plot = Plot::sending_to(upstream.address, &shaking(true), Settings::default());
    let mut provider = crate::plot::provider();
    provider["proxy_url"] = format!("http://{}/base", upstream.address).into();
    let subjects: Vec<_> = (0..5)
        .map(|nth| {
            let mut account = account();
            account["identifier"] = format!("u{nth}").into();
            account["authorization_details"]["static_auth"]["details"]["token"] =
                format!("token-{nth}").into();
            let connection = serde_json::json!({"client_id": "c"});
            (format!("token-{nth}"), countersign_tests::subject(&provider, &connection, &account))
        })
        .collect();
    let mut requests = JoinSet::new();
    for nth in 0..50 {
        let (host, (token, subject)) = (plot.host.clone(), subjects[nth % 5].clone());
        requests.spawn(async move {
            let (code, body) = status(&host, &subject, "/things").await.unwrap();
            assert_eq!((code, &body[..]), (200, token.as_bytes()));
        });
    }
    requests.join_all().await;
    for words in upstream.words() {
        let whose: Vec<_> = words.iter().map(|it| it.split_once(' ').unwrap()).collect();
        let &[("hello", one), ("proof", other)] = &whose[..] else { panic!("{words:?}") };
        assert_eq!(one, other);
    }
    assert_eq!(upstream.closed(50).await, [2; 50]);
}

#[tokio::test]
async fn where_the_connection_is_gone_the_plugin_sees_that_its_proof_was_not_taken() {
    for greeting in [Greeting::Close, Greeting::Endless, Greeting::BreaksOff] {
        let upstream = Upstream::start(greeting).await;
        let mut settings = Settings::default();
        settings.longest_hold = std::time::Duration::from_millis(50);
        let plot = Plot::sending_to(upstream.address, &shaking(true), settings);
        let error = plot.host.send(&plot.subject, get("/things")).await.err().unwrap();
        assert_eq!((error.code(), error.may_have_been_sent()), ("denied", true));
        assert_eq!(upstream.words(), [[format!("hello {TOKEN}")], [format!("proof {TOKEN}")]]);
        assert_eq!(upstream.closed(2).await, [1, 1]);
    }
}

#[tokio::test]
async fn a_repeat_that_wants_no_connection_of_its_own_does_not_go_out_on_it() {
    let upstream = Upstream::start(Greeting::KeepOpen).await;
    let plot = Plot::sending_to(upstream.address, &shaking(false), Settings::default());
    let error = plot.host.send(&plot.subject, get("/things")).await.err().unwrap();
    assert_eq!(error.code(), "denied");
    assert_eq!(upstream.words(), [[format!("hello {TOKEN}")], [format!("proof {TOKEN}")]]);
}

#[tokio::test]
async fn without_the_need_nothing_is_sent() {
    let upstream = Upstream::start(Greeting::KeepOpen).await;
    let greets = guest(&[]).body("authorize", says("hello ", true));
    let plot = Plot::sending_to(upstream.address, &greets, Settings::default());
    let error = plot.host.send(&plot.subject, get("/things")).await.err().unwrap();
    assert_eq!(error.code(), "edit_refused");
    assert!(
        error.to_string().ends_with("own-connection is outside what the plugin may do"),
        "{error}"
    );
    assert!(upstream.words().is_empty());
}

/// Knows nothing of connections.
struct Plain;

#[async_trait::async_trait]
impl countersign::Sender for Plain {
    async fn send(
        &self,
        _: Request<countersign::body::RequestBody>,
    ) -> Result<Response<Bytes>, countersign::egress::EgressError> {
        panic!("it was sent as if nothing had been asked of the connection")
    }
}

#[tokio::test]
async fn whoever_sends_requests_himself_cannot_overlook_it() {
    let plot = Plot::of(&shaking(true));
    let host =
        countersign::Countersign::builder(sandbox(), Arc::clone(&plot.registry), no_egress())
            .sender(Arc::new(Plain))
            .build();
    let sent = host.send(&plot.subject, get("/things")).await.err().unwrap();
    let prepared = host.prepare(&plot.subject, get("/things")).await.err().unwrap();
    for error in [sent, prepared] {
        assert_eq!((error.code(), error.may_have_been_sent()), ("unsupported", false));
        assert_eq!(error.to_string(), "requests are not sent with `own-connection` here");
    }
    let (request, route) = host.prepare_by(&plot.subject, get("/things")).await.unwrap();
    assert!(request.headers().contains_key("authorization"));
    assert!(!route.is_ordinary() && route.own_connection().is_some());
}

/// A body is kept for the proof, whatever the greeting does with it.
#[tokio::test]
async fn the_body_goes_along_with_the_proof() {
    let empty = Val::of("set-body", "");
    let greeting = Val::ok(Val::of(
        "ready",
        Val::Record(vec![
            (
                "edits",
                Val::List(vec![
                    set_header("authorization", "hello"),
                    empty,
                    Val::case("own-connection"),
                ]),
            ),
            ("remember", Val::Num(0)),
            ("watches", Val::List(vec![answer::watch_any(0)])),
            ("memo", Val::none()),
            ("cursor", "".into()),
        ]),
    ));
    let proof =
        answer::ready(vec![set_header("authorization", "proof"), Val::case("own-connection")]);
    let again = answer::reaction(Val::of("again", "greeted"));
    let guest = guest(&[NEED, "write body"])
        .body("authorize", Body::either(GREETED, proof, greeting))
        .body("replied", again);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plot = Plot::sending_to(listener.local_addr().unwrap(), &guest, Settings::default());
    let upstream = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        for (ending, answer) in [
            ("\r\n\r\n", "HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno"),
            ("the body", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        ] {
            let mut bytes = Vec::new();
            while !bytes.ends_with(ending.as_bytes()) {
                assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            seen.push(String::from_utf8(bytes).unwrap());
        }
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        seen
    };
    let request = Request::post("/things").body(Full::from("the body")).unwrap();
    let caller = async {
        let reply = plot.host.send(&plot.subject, request).await.unwrap();
        reply.into_body().collect().await.unwrap().to_bytes()
    };
    let (seen, reply) = tokio::join!(upstream, caller);
    assert_eq!(reply, "ok");
    assert!(seen[0].contains("content-length: 0\r\n") && seen[1].contains("content-length: 8\r\n"));
}
