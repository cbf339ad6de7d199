//! Connections that one exchange has to itself.

use bytes::Bytes;
use countersign::egress::{Egress, EgressConfig, EgressError, OwnConnection, Phase, Route};
use http::{HeaderValue, Method, Request, Version};
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::tls::{Protocol, TlsUpstream};
use crate::upstream::{EMPTY, Recorder, Then};
use crate::{config, egress, get, loopback, tls};

/// Sends it on that connection, and reads the reply to its end.
async fn whole(
    egress: &Egress,
    own: &OwnConnection,
    request: Request<Full<Bytes>>,
) -> Result<Bytes, EgressError> {
    let reply = egress.send_by(Route::default().on(own.clone()), request).await?;
    Ok(reply.into_body().collect().await?.to_bytes())
}

/// The head of a request, on a connection that the test accepts by hand.
async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn one_exchange_stays_on_its_connection_and_nobody_else_comes_onto_it() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let (egress, own, other) = (egress(), OwnConnection::default(), OwnConnection::default());
    assert!(own.is(&own.clone()) && !own.is(&other));
    let url = upstream.url("/");
    for connections in [1, 1, 1] {
        whole(&egress, &own, get(&url)).await.unwrap();
        assert_eq!(upstream.connections(), connections);
    }
    // The pool knows nothing of it, nor it of the pool.
    egress.send(get(&url)).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(upstream.connections(), 2);
    whole(&egress, &other, get(&url)).await.unwrap();
    assert_eq!(upstream.connections(), 3);
    for own in [&own, &other] {
        whole(&egress, own, get(&url)).await.unwrap();
    }
    egress.send(get(&url)).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!((upstream.connections(), upstream.requests().len()), (3, 8));
}

#[tokio::test]
async fn what_is_sent_on_it_is_what_is_sent_on_any_other() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    for (method, path, body) in [
        (Method::GET, "//a%2Fb;c?x=%27&&y", ""),
        (Method::GET, "/?", ""),
        (Method::POST, "/", "a body"),
        (Method::OPTIONS, "/x", ""),
        (Method::DELETE, "/x?y", "why"),
    ] {
        let request = || {
            let mut request = Request::new(Full::from(body));
            *request.method_mut() = method.clone();
            *request.uri_mut() = upstream.url(path).parse().unwrap();
            request.headers_mut().insert("host", HeaderValue::from_static("elsewhere"));
            request.headers_mut().insert("x-one", HeaderValue::from_static("1"));
            request
        };
        egress().send(request()).await.unwrap().into_body().collect().await.unwrap();
        whole(&egress(), &OwnConnection::default(), request()).await.unwrap();
        let lines = |nth: usize| {
            let mut lines: Vec<_> =
                upstream.requests()[nth].split("\r\n").map(str::to_owned).collect();
            lines[1..].sort_unstable();
            lines
        };
        let sent = upstream.requests().len();
        assert_eq!(lines(sent - 1), lines(sent - 2));
    }
}

#[tokio::test]
async fn it_is_closed_once_nobody_holds_it_and_the_last_reply_has_come() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    // Held longer than the reply, let go before it has come, and dropped unread.
    for (held, read) in [(true, true), (false, true), (false, false)] {
        let (egress, own) = (egress(), OwnConnection::default());
        let sending = {
            let (egress, route, url) =
                (egress.clone(), Route::default().on(own.clone()), url.clone());
            tokio::spawn(async move { egress.send_by(route, get(&url)).await })
        };
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe").await.unwrap();
        let reply = sending.await.unwrap().unwrap();
        let mut own = Some(own).filter(|_| held);
        if read {
            stream.write_all(b"llo").await.unwrap();
            assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "hello");
        } else {
            drop(reply);
        }
        if let Some(own) = own.take() {
            whole_by_hand(&egress, &own, &url, &mut stream).await;
            drop(own);
        }
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "closed: held {held}, read {read}");
    }
}

/// One more request on the same connection.
async fn whole_by_hand(egress: &Egress, own: &OwnConnection, url: &str, stream: &mut TcpStream) {
    let (answered, ()) = tokio::join!(whole(egress, own, get(url)), async {
        head(stream).await;
        stream.write_all(EMPTY.as_bytes()).await.unwrap();
    });
    assert_eq!(answered.unwrap(), "");
}

#[tokio::test]
async fn a_request_has_a_new_one_where_the_upstream_has_closed_it() {
    let said = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    for (answer, then) in [(EMPTY, Then::Close), (said, Then::KeepOpen)] {
        let upstream = Recorder::start(answer, then).await;
        let other = Recorder::start(EMPTY, Then::KeepOpen).await;
        let (egress, own) = (egress(), OwnConnection::default());
        for _ in 0..3 {
            let mut request = get(&upstream.url("/"));
            *request.method_mut() = Method::POST;
            *request.body_mut() = Full::from("once");
            whole(&egress, &own, request).await.unwrap();
            // By the time that another exchange is through, the end of the first has come.
            whole(&egress, &OwnConnection::default(), get(&other.url("/"))).await.unwrap();
        }
        assert_eq!((upstream.requests().len(), upstream.connections()), (3, 3));
    }
}

#[tokio::test]
async fn a_request_to_another_origin_does_not_go_out_on_it() {
    let upstreams = [
        Recorder::start(EMPTY, Then::KeepOpen).await,
        Recorder::start(EMPTY, Then::KeepOpen).await,
    ];
    let (egress, own) = (egress(), OwnConnection::default());
    for upstream in [&upstreams[0], &upstreams[1], &upstreams[0]] {
        whole(&egress, &own, get(&upstream.url("/"))).await.unwrap();
    }
    assert_eq!(upstreams.each_ref().map(Recorder::connections), [2, 1]);
}

#[tokio::test]
async fn it_is_of_http_1_and_over_tls_like_any_other() {
    let upstream = TlsUpstream::start(Protocol::Http1, std::sync::Arc::default()).await;
    let (egress, own) = (upstream.egress(), OwnConnection::default());
    for _ in 0..2 {
        let reply =
            egress.send_by(Route::default().on(own.clone()), get(&tls::url("/"))).await.unwrap();
        assert_eq!(reply.version(), Version::HTTP_11);
        assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "hello");
    }
    assert_eq!(upstream.connections(), 1);
    // Which an upstream of HTTP/2 alone does not speak.
    let upstream = TlsUpstream::start(Protocol::Http2, std::sync::Arc::default()).await;
    let error = whole(&upstream.egress(), &OwnConnection::default(), get(&tls::url("/"))).await;
    assert!(matches!(error, Err(EgressError::Tls { .. })), "{error:?}");
}

#[tokio::test]
async fn what_the_operator_forbids_is_forbidden_there_too() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let own = OwnConnection::default;
    let closed = Egress::new(EgressConfig { allow_http: true, ..config() }).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", upstream.port());
        let error = whole(&closed, &own(), get(&url)).await.unwrap_err();
        assert!(matches!(error, EgressError::AddressRefused { .. }), "{error:?}");
    }
    let encrypted = Egress::new(EgressConfig { allow_http: false, ..loopback() }).unwrap();
    let error = whole(&encrypted, &own(), get(&upstream.url("/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Scheme { .. }), "{error:?}");
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn silence_and_a_broken_reply_are_told_as_on_any_other() {
    let silent = Recorder::start("", Then::Hang).await;
    let mut config = loopback();
    config.timeouts.first_byte = std::time::Duration::from_millis(100);
    let egress = Egress::new(config).unwrap();
    let own = OwnConnection::default();
    let error = whole(&egress, &own, get(&silent.url("/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::TimedOut { phase: Phase::FirstByte, .. }), "{error:?}");
    let garbage = Recorder::start("no http\r\n\r\n", Then::Close).await;
    let error = whole(&egress, &own, get(&garbage.url("/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Protocol { .. }), "{error:?}");
    let closing = Recorder::start("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", Then::Close);
    let error = whole(&egress, &own, get(&closing.await.url("/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Closed { .. }), "{error:?}");
    assert!(error.may_have_been_sent());
}

/// Who answers an upstream's NTLM on a connection is whoever comes on it next, to that upstream.
#[tokio::test]
async fn what_may_prove_a_connection_comes_on_one_that_nobody_shares_asked_for_or_not() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    let egress = egress();
    let with = |answers: &[&'static str]| {
        let mut request = get(&upstream.url("/"));
        for answer in answers {
            request.headers_mut().append("authorization", HeaderValue::from_static(answer));
        }
        request
    };
    let mut connections = 0;
    for (answers, shared) in [
        (&["NTLM TlRMTVNTUAAD"][..], false),
        (&["ntlm TlRMTVNTUAAD"], false),
        (&[" Negotiate\tYII="], false),
        (&["Nego2 YII="], false),
        (&["Kerberos YII="], false),
        (&["Bearer x", "NTLM TlRMTVNTUAAD"], false),
        (&["NTLMx y"], true),
        (&["Bearer NTLM"], true),
    ] {
        for _ in 0..2 {
            egress.send(with(answers)).await.unwrap().into_body().collect().await.unwrap();
            connections += usize::from(!shared);
        }
        // Nobody else comes onto it, nor it onto another's.
        egress.send(get(&upstream.url("/"))).await.unwrap().into_body().collect().await.unwrap();
        assert_eq!(upstream.connections(), connections + 1, "{answers:?}");
    }
}
