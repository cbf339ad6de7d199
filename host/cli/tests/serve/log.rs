//! The log: whose request a line is of.

use serde_json::Value as Json;

use crate::process::Process;
use crate::world::{populate, token};

/// What a line says of the request that it is of.
fn request(line: &Json) -> Option<&str> {
    let spans = line["spans"].as_array()?;
    let span = spans.iter().find(|span| span["name"] == "request")?;
    span["request_id"].as_str()
}

#[tokio::test]
async fn each_line_of_a_request_names_its_id_whoever_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    // One library's lines alone, and still they say whose they are.
    for (filter, library, nth) in [
        ("info", "countersign_gateway::gateway", 0),
        ("sqlx=debug", "sqlx::query", 1),
        ("countersign_gateway::token=info", "countersign_gateway::token", 2),
    ] {
        let server = Process::serve(folder.path(), &["--set", "log.format=json", "--log", filter]);
        let url = server.url().to_owned();
        let ask = |path: &str, id: &str| {
            let request = reqwest::Client::new().post(format!("{url}{path}"));
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let body = "grant_type=client_credentials&client_id=nobody&client_secret=none";
            request.header("x-request-id", id).body(body).send()
        };
        let refused = format!("refused-{nth}");
        let answer = ask("/oauth/token", &refused).await.unwrap();
        assert_eq!(answer.headers()["countersign-request-id"], *refused);
        let lost = format!("lost-{nth}");
        assert_eq!(ask("/nowhere", &lost).await.unwrap().status(), 404);
        let ended = server.stop();
        let lines = ended.err.lines().map(|line| serde_json::from_str(line).unwrap());
        let lines: Vec<Json> = lines.filter(|line: &Json| line["target"] == library).collect();
        let named: Vec<_> = lines.iter().filter_map(request).collect();
        assert!(named.contains(&&*if nth == 0 { lost } else { refused }), "{lines:?}");
    }
}

#[tokio::test]
async fn lines_for_people_name_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::serve(folder.path(), &[]);
    populate(folder.path(), "https://api.example.com").await;
    let id = server.shown("COUNTERSIGN_CLIENT_ID").unwrap();
    let secret = server.shown("COUNTERSIGN_CLIENT_SECRET").unwrap();
    let token = token(server.url(), &id, &secret).await;
    let request = reqwest::Client::new().get(format!("{}/proxy/x", server.url()));
    let request = request.header("connection_name", "nothing").header("identifier", "user");
    let request = request.header("x-request-id", "r-77").bearer_auth(token);
    assert_eq!(request.send().await.unwrap().status(), 404);
    let ended = server.stop();
    let line = ended.err.lines().find(|line| line.contains("refused")).unwrap();
    assert!(line.contains("request{request_id=\"r-77\"}"), "{line}");
}
