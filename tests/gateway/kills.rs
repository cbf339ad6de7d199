//! Killed while it writes: what was acknowledged is there afterwards, whole, and what was not is there
//! whole or not at all.
//!
//! Each writer owns its rows and writes the same number into two members of a row, so that a half of a
//! write would show.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign::random::{Random as _, SeededRandom};
use rustix::process::Signal;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::bound;
use crate::scene::{Answer, Gateway, Lost, account, is_well, named, text, values};

const WRITERS: usize = 4;
/// That a writer makes, changes and deletes.
const ACCOUNTS: u32 = 6;
/// Acknowledged writes before a kill, at most.
const MOST_WRITES: u32 = 40;
/// Microseconds from there to the kill, at most: several writes take as long.
const MOST_MICROSECONDS: u32 = 8_000;

/// What a row has: nothing, where it is not there.
type Content = Option<String>;

/// What is known of a row.
#[derive(Default)]
struct Row {
    acknowledged: Content,
    /// A write that no answer came to.
    pending: Option<Content>,
}

/// One that writes, and notes what it wrote.
struct Writer {
    number: usize,
    random: SeededRandom,
    written: u64,
    accounts: BTreeMap<String, Row>,
    provider: Row,
    /// By name; the content is the identifier that it is limited to.
    clients: BTreeMap<String, Row>,
    /// The id and the secret of the client that was made last.
    latest: Option<(String, String)>,
}

/// Below `end`.
fn below(random: &SeededRandom, end: u32) -> u32 {
    let mut bytes = [0; 4];
    random.fill(&mut bytes).unwrap();
    u32::from_le_bytes(bytes) % end
}

impl Row {
    /// Notes what came of a write.
    fn ended(&mut self) {
        self.acknowledged = self.pending.take().unwrap();
    }

    /// Holds what was found to what was written.
    fn settle(&mut self, name: &str, found: Content) {
        let pending = self.pending.take();
        assert!(
            found == self.acknowledged || pending.as_ref() == Some(&found),
            "{name} is {found:?}; acknowledged {:?}, under way {pending:?}",
            self.acknowledged,
        );
        self.acknowledged = found;
    }
}

impl Writer {
    fn new(number: usize) -> Self {
        Self {
            number,
            random: SeededRandom::new(number as u64),
            written: 0,
            accounts: BTreeMap::new(),
            provider: Row { acknowledged: Some("0".to_owned()), pending: None },
            clients: BTreeMap::new(),
            latest: None,
        }
    }

    fn provider_name(&self) -> String {
        format!("writer-{}", self.number)
    }

    /// Writes until the gateway is gone.
    async fn run(mut self, gateway: Gateway, acknowledged: UnboundedSender<()>) -> Self {
        loop {
            self.written += 1;
            let content = self.written.to_string();
            let sent = match below(&self.random, 8) {
                0 => self.change_provider(&gateway, content).await,
                1 => self.make_client(&gateway, content).await,
                _ => self.write_account(&gateway, content).await,
            };
            if sent.is_err() {
                return self;
            }
            let _ = acknowledged.send(());
        }
    }

    async fn change_provider(&mut self, gateway: &Gateway, content: String) -> Result<(), Lost> {
        let body = json!({"description": content, "metadata": {"twin": content}});
        let path = format!("/custom-providers/{}", self.provider_name());
        self.provider.pending = Some(Some(content));
        well(gateway.ask("PUT", &path, &body).await?);
        self.provider.ended();
        Ok(())
    }

    async fn make_client(&mut self, gateway: &Gateway, content: String) -> Result<(), Lost> {
        let name = format!("client-{}-{content}", self.number);
        let body = json!({"name": name, "roles": ["proxy"], "identifiers": [content]});
        let row = self.clients.entry(name).or_default();
        row.pending = Some(Some(content));
        let made = well(gateway.ask("POST", "/clients", &body).await?);
        row.ended();
        let [id, secret] = [&made["client"]["id"], &made["client_secret"]].map(text);
        self.latest = Some((id.to_owned(), secret.to_owned()));
        Ok(())
    }

    async fn write_account(&mut self, gateway: &Gateway, content: String) -> Result<(), Lost> {
        let identifier = format!("{}-{}", self.number, below(&self.random, ACCOUNTS));
        let row = self.accounts.entry(identifier.clone()).or_default();
        let details = values(&json!({"token": content, "twin": content}));
        let body = account("api", &identifier, &details);
        let (method, path, body, content) = match &row.acknowledged {
            None => ("POST", "/connected_accounts", body, Some(content)),
            Some(_) if below(&self.random, 4) == 0 => {
                let body = json!({"connector": "api", "identifier": identifier});
                ("POST", "/connected_accounts:delete", body, None)
            }
            Some(_) => ("PUT", "/connected_accounts", body, Some(content)),
        };
        row.pending = Some(content);
        well(gateway.ask(method, path, &body).await?);
        row.ended();
        Ok(())
    }

    /// Holds what a gateway has to all that this one wrote.
    async fn check(&mut self, gateway: &Gateway, accounts: &mut Found, clients: &mut Found) {
        for (identifier, row) in &mut self.accounts {
            row.settle(identifier, accounts.remove(identifier));
        }
        for (name, row) in &mut self.clients {
            row.settle(name, clients.remove(name));
        }
        let name = self.provider_name();
        let rows = gateway.get("/providers?filter.provider_type=CUSTOM&page_size=1000").await;
        let rows = rows["providers"].as_array().unwrap();
        let shown = rows.iter().find(|row| row["identifier"] == *name).unwrap();
        assert_eq!(shown["description"], shown["metadata"]["twin"], "{shown}");
        self.provider.settle(&name, Some(text(&shown["description"]).to_owned()));
        if let Some((id, secret)) = self.latest.take() {
            assert_eq!(gateway.ask_token((&id, &secret)).await.0, 200, "{id} has no token");
        }
    }
}

/// What a gateway has, by name.
type Found = BTreeMap<String, String>;

fn well((status, json): Answer) -> Json {
    assert!(is_well(status), "{status} {json}");
    json
}

/// All accounts, each shown and revealed.
async fn accounts(gateway: &Gateway) -> Found {
    let mut found = Found::new();
    let listed = gateway.get("/connected_accounts?page_size=99").await;
    assert_eq!(listed["next_page_token"], "", "one page is enough");
    for row in listed["connected_accounts"].as_array().unwrap() {
        let name = named("api", text(&row["identifier"]));
        let details = gateway.get(&format!("/connected_accounts/details?{name}")).await;
        assert_eq!(details["connected_account"]["id"], row["id"]);
        assert_eq!(details["connected_account"]["status"], "ACTIVE");
        let revealed = gateway.get(&format!("/connected_accounts/auth?{name}")).await;
        let details = &revealed["connected_account"]["authorization_details"];
        let values = &details["static_auth"]["details"];
        assert_eq!(values["token"], values["twin"], "{name} is half written");
        found.insert(text(&row["identifier"]).to_owned(), text(&values["token"]).to_owned());
    }
    found
}

/// All clients of the writers, each shown.
async fn clients(gateway: &Gateway) -> Found {
    let mut found = Found::new();
    let listed = gateway.get("/clients").await;
    for row in listed["clients"].as_array().unwrap() {
        let shown = gateway.get(&format!("/clients/{}", text(&row["id"]))).await;
        assert_eq!(shown["client"], *row);
        if text(&row["name"]).starts_with("client-") {
            let identifier = text(&row["identifiers"][0]).to_owned();
            assert_eq!(row["roles"], json!(["proxy"]));
            found.insert(text(&row["name"]).to_owned(), identifier);
        }
    }
    found
}

async fn prepare(gateway: &Gateway) {
    let fields = ["token", "twin"].map(|name| json!({"field_name": name, "required": true}));
    let payload = |name: &str| {
        json!({"display_name": name, "proxy_url": "https://api.example.com",
            "proxy_enabled": true, "description": "0", "metadata": {"twin": "0"},
            "auth_patterns": [{"type": "BEARER", "fields": fields}]})
    };
    gateway.connect(&payload("Api"), "api", &Json::Null).await;
    for number in 0..WRITERS {
        let payload = payload(&format!("Writer {number}"));
        gateway.call("POST", "/custom-providers", &payload).await;
    }
}

/// Waits for some acknowledged writes, and then until somewhere in the midst of the next ones.
async fn moment(random: &SeededRandom, acknowledged: &mut UnboundedReceiver<()>) {
    for _ in 0..below(random, MOST_WRITES) {
        acknowledged.recv().await.unwrap();
    }
    // Not a wait for anything: any moment will do.
    let microseconds = u64::from(below(random, MOST_MICROSECONDS));
    tokio::time::sleep(Duration::from_micros(microseconds)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_killed_while_it_writes_has_all_that_it_acknowledged() {
    let rounds = bound("SOAK_ROUNDS", 20);
    let folder = tempfile::tempdir().unwrap();
    let random = SeededRandom::new(0x6b69_6c6c);
    let mut writers: Vec<Writer> = (0..WRITERS).map(Writer::new).collect();
    let (mut under_way, mut kept) = (0, 0);
    for round in 0..=rounds {
        let (process, gateway) = Gateway::start(folder.path(), &[]).await;
        if round == 0 {
            prepare(&gateway).await;
        }
        let (mut accounts, mut clients) = (accounts(&gateway).await, clients(&gateway).await);
        for writer in &mut writers {
            writer.check(&gateway, &mut accounts, &mut clients).await;
        }
        assert!(accounts.is_empty() && clients.is_empty(), "nobody wrote {accounts:?} {clients:?}");
        if round == rounds {
            break;
        }
        let (sender, mut acknowledged) = unbounded_channel();
        let running: Vec<_> = writers
            .drain(..)
            .map(|writer| tokio::spawn(writer.run(gateway.clone(), sender.clone())))
            .collect();
        moment(&random, &mut acknowledged).await;
        process.signal(Signal::KILL);
        for writer in running {
            writers.push(writer.await.unwrap());
        }
        let rows = writers.iter().flat_map(|it| it.accounts.values().chain(it.clients.values()));
        under_way += rows.clone().filter(|row| row.pending.is_some()).count();
        kept += rows.filter(|row| row.acknowledged.is_some()).count();
        assert_eq!(process.ended().code, None, "it ended by itself");
    }
    // The kills came while something was written, and there was something to lose.
    assert!(under_way >= rounds && kept >= rounds, "{under_way} under way, {kept} kept");
    println!("{rounds} kills, {under_way} writes under way, {kept} rows held to what was written");
}
