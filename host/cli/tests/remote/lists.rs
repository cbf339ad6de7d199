//! Lists that are longer than one page.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::world::{Gateway, SECRET, TOKEN, bearer};

/// One more than a page of each list holds.
const MANY: usize = 101;

/// Calls of the management API by `ops`: the command would need a process for each.
struct Calls<'a> {
    gateway: &'a Gateway,
    http: reqwest::Client,
    token: String,
}

impl<'a> Calls<'a> {
    async fn of(gateway: &'a Gateway) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let form = format!("grant_type=client_credentials&client_id=ops&client_secret={SECRET}");
        let request = http.post(format!("{}/oauth/token", gateway.url())).body(form);
        let kind = "application/x-www-form-urlencoded";
        let reply = request.header("content-type", kind).send().await.unwrap();
        let json: Json = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
        let token = json["access_token"].as_str().unwrap().to_owned();
        Self { gateway, http, token }
    }

    async fn post(&self, path: &str, body: &Json) {
        let request = self.http.post(format!("{}/api/v1/{path}", self.gateway.url()));
        let request = request.bearer_auth(&self.token).header("content-type", "application/json");
        let reply = request.body(body.to_string()).send().await.unwrap();
        let status = reply.status();
        assert!(status.is_success(), "{path}: {status} {}", reply.text().await.unwrap());
    }
}

/// The different values of this member in a list of the gateway's.
fn listed(gateway: &Gateway, what: &str, rows: &str, member: &str) -> BTreeSet<String> {
    let json = gateway.json(&[what, "list"]);
    let rows = json[rows].as_array().unwrap().iter();
    rows.map(|row| row[member].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_list_is_read_to_its_end_however_many_pages_it_has() {
    let gateway = Gateway::start();
    let calls = Calls::of(&gateway).await;
    calls.post("custom-providers", &bearer("https://api.example.com")).await;
    let names: BTreeSet<String> = (0..MANY).map(|nth| format!("c-{nth}")).collect();
    for name in &names {
        let connection = json!({"connection": {"provider_key": "my-bearer", "key_id": name}});
        calls.post("connections", &connection).await;
        let details = json!({"static_auth": {"details": {"token": TOKEN}}});
        let account = json!({"connector": "c-0", "identifier": name,
            "connected_account": {"authorization_details": details}});
        calls.post("connected_accounts", &account).await;
    }
    assert_eq!(listed(&gateway, "connection", "connections", "key_id"), names);
    assert_eq!(listed(&gateway, "account", "connected_accounts", "identifier"), names);
}
