//! `countersign client` beside a server that runs.

use reqwest::StatusCode;
use serde_json::Value as Json;

use crate::process::{Ended, Process, run};
use crate::world::{ask_token, proxied, token};

fn client(folder: &tempfile::TempDir, arguments: &[&str]) -> Ended {
    run(&[&["client"], arguments, &["--data", folder.path().to_str().unwrap()]].concat())
}

fn json(ended: &Ended) -> Json {
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    serde_json::from_str(&ended.out).unwrap()
}

#[tokio::test]
async fn clients_are_made_listed_rotated_and_revoked_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::serve(folder.path(), &[]);
    let made = client(&folder, &["create", "--name", "agent", "--identifier", "u1", "--json"]);
    let made = json(&made);
    assert_eq!(made["roles"], serde_json::json!(["proxy"]));
    assert_eq!(made["identifiers"], serde_json::json!(["u1"]));
    assert_eq!(made["connections"], Json::Null);
    let (id, secret) = (made["client_id"].as_str().unwrap(), &made["client_secret"]);
    let secret = secret.as_str().unwrap();
    let first = token(server.url(), id, secret).await;
    let known = proxied(server.url(), &first).await.unwrap().status();
    assert_ne!(known, StatusCode::UNAUTHORIZED);

    let listed = client(&folder, &["list", "--json"]);
    assert!(!listed.out.contains(secret));
    let ids: Vec<Json> = json(&listed)["clients"].as_array().unwrap().clone();
    assert_eq!(ids.len(), 2);
    assert!(ids.iter().any(|it| it["client_id"] == id && it["name"] == "agent"));
    assert!(client(&folder, &["list"]).out.contains("agent"));

    let rotated = json(&client(&folder, &["rotate", id, "--json"]));
    let next = rotated["client_secret"].as_str().unwrap();
    assert_ne!(next, secret);
    let http = reqwest::Client::new();
    let old = ask_token(&http, server.url(), id, secret).await.status();
    assert_eq!(old, StatusCode::UNAUTHORIZED);
    assert_eq!(proxied(server.url(), &first).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let second = token(server.url(), id, next).await;

    let unsure = client(&folder, &["revoke", id]);
    assert_eq!(unsure.code, Some(1));
    assert!(unsure.err.contains("error[not_confirmed]"), "{}", unsure.err);
    assert_ne!(proxied(server.url(), &second).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(client(&folder, &["revoke", id, "--yes"]).code, Some(0));
    assert_eq!(proxied(server.url(), &second).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let again = ask_token(&http, server.url(), id, next).await.status();
    assert_eq!(again, StatusCode::UNAUTHORIZED);
    for arguments in [&["rotate", id][..], &["rotate", "skc_0"], &["revoke", "skc_0", "--yes"]] {
        let ended = client(&folder, arguments);
        assert_eq!(ended.code, Some(1));
        assert!(ended.err.contains("error[client_unknown]"), "{}", ended.err);
    }
    assert!(!server.stop().err.contains(next));
}

#[test]
fn a_folder_without_a_vault_is_not_taken_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let ended = client(&folder, &["create", "--name", "agent"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("error[data_unusable]"), "{}", ended.err);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
