//! `countersign connection`, `countersign account`, and requests through the gateway.

use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use crate::world::{Gateway, TOKEN, bearer};

/// An upstream without TLS that answers with the path and the credential that it saw.
async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let service = service_fn(|request: Request<Incoming>| async move {
                    let credential = request.headers()["authorization"].to_str().unwrap();
                    let good = credential == format!("Bearer {TOKEN}");
                    let seen = format!("{} {} {good}\n", request.method(), request.uri());
                    let seen = Full::<bytes::Bytes>::from(seen);
                    Ok::<_, std::convert::Infallible>(
                        Response::builder().status(201).body(seen).unwrap(),
                    )
                });
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_used_shown_and_deleted() {
    let upstream = upstream().await;
    let gateway = Gateway::start();
    let file = gateway.file("p.json", &bearer(&format!("http://{upstream}/base")));
    gateway.done(&["provider", "apply", &file]);
    let create = ["connection", "create", "--provider", "my-bearer", "--name", "b"];
    assert_eq!(gateway.json(&create)["key_id"], "b");
    assert_eq!(parsed(&gateway.done(&["connection", "show", "b"]))["provider_key"], "my-bearer");

    let none = json!({"authorization_details": {"static_auth": {"details": {"other": "x"}}}});
    let create = ["account", "create", "--connection", "b", "--identifier", "user-1"];
    let file = gateway.file("none.json", &none);
    let told = gateway.refused(&[&create[..], &["--from-file", &file]].concat(), "field: token\n");
    let what = "error[gateway_refused]: invalid_request: the request is not valid: token is missing \
                (give it among the account's details, as the provider has it)\n";
    assert!(told.starts_with(what), "{told}");
    let fix = "Mend each field that the message names, as it says there. (whoever wrote them)";
    assert!(told.contains(fix), "{told}");
    let details = json!({"authorization_details": {"static_auth": {"details": {"token": TOKEN}}}});
    let account = ["--connection", "b", "--identifier", "user-1"];
    let create = [&["account", "create", "--from-env", "DETAILS"][..], &account].concat();
    let made = gateway.run_revealing(&create, &[("DETAILS", &details.to_string())]);
    assert_eq!(made.out, "created user-1 of b: ACTIVE\n", "{}", made.err);
    let file = gateway.file("details.json", &details);
    gateway.done(&[&["account", "update", "--from-file", &file][..], &account].concat());
    // The file that `inject` and `request` take names the account too.
    let mut named = details.clone();
    for (name, is_good) in [("user-1", true), ("user-2", false)] {
        named["identifier"] = name.into();
        let file = gateway.file("named.json", &named);
        let update = [&["account", "update", "--from-file", &file][..], &account].concat();
        if is_good {
            gateway.done(&update);
        } else {
            gateway.refused(&update, "error[document_invalid]");
        }
    }
    let show = [&["account", "show"][..], &account].concat();
    assert_eq!(parsed(&gateway.done(&show))["status"], "ACTIVE");
    let revealed = gateway.run_revealing(&[&show[..], &["--reveal"]].concat(), &[]);
    assert!(revealed.out.contains(TOKEN), "{}", revealed.err);
    assert!(gateway.done(&["account", "list"]).contains("user-1"));

    let request = [&["request"][..], &account].concat();
    let reply = gateway.done(&[&request[..], &["POST", "/things?a=1", "-d", "x"]].concat());
    assert_eq!(reply, "POST /base/things?a=1 true\n");
    let reply = gateway.done(&[&request[..], &["-i", "/things"]].concat());
    assert!(reply.starts_with("HTTP/1.1 201 Created\n"), "{reply}");
    assert!(reply.ends_with("\n\nGET /base/things true\n"), "{reply}");
    let climbing = [&request[..], &["/a/../../api/v1/connections"]].concat();
    gateway.refused(&climbing, "error[case_invalid]");

    // Nothing listens at port 1 of loopback.
    let mut away = bearer("http://127.0.0.1:1");
    away["display_name"] = "Away".into();
    gateway.done(&["provider", "apply", &gateway.file("away.json", &away)]);
    gateway.done(&["connection", "create", "--provider", "away", "--name", "away"]);
    let of_away = ["--connection", "away", "--identifier", "user-1"];
    gateway.done(&[&["account", "create", "--from-file", &file][..], &of_away].concat());
    let gone =
        gateway.refused(&[&["request"][..], &of_away, &["/"]].concat(), "upstream_unreachable");
    assert!(!gone.contains("docs/api.md") && gone.contains("operator"), "{gone}");
    let (_, fix) = gone.split_once("fix:   ").unwrap();
    let fix = fix.split(" (").next().unwrap();
    assert_eq!(gone.matches(fix).count(), 1, "{gone}");

    gateway.done(&["connection", "disable", "b"]);
    assert!(gateway.done(&["connection", "list"]).contains("disabled"));
    let disabled =
        gateway.refused(&[&request[..], &["/things"]].concat(), "error[gateway_refused]");
    assert!(disabled.contains("`countersign connection enable NAME`"), "{disabled}");
    gateway.done(&["connection", "enable", "b"]);
    gateway.done(&[&request[..], &["/things"]].concat());
    gateway.refused(&[&["account", "delete"][..], &account].concat(), "error[not_confirmed]");
    gateway.done(&[&["account", "delete", "--yes"][..], &account].concat());
    let gone = gateway.refused(&show, "not_found");
    assert!(gone.contains("Look for the name with `list`."), "{gone}");
}
