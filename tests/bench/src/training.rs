//! What the gateway is given to do while its compiler's profile is taken (`cargo xtask dist`).
//!
//! A profile tells the compiler which code is used together, so this asks for what a gateway is asked
//! for all day: requests of many accounts of several auth types, some signed anew each time, with and
//! without bodies, over HTTP/1.1 and HTTP/2 on both sides, with and without TLS, and some that fail.
//! It is not the load of `cargo xtask bench gateway`, whose requests are all alike.
//!
//! Half of them are served on a thread for each core, half on one thread alone, as in a container that
//! is given one core: the runtime then is another, whose code would else count as never used.
//!
//! Each answer's status is known beforehand. A training that went otherwise is an error, since a
//! profile of it would be one of something else.

mod accounts;
mod upstream;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use countersign::random::{Random as _, SeededRandom};
use reqwest::Client;
use tempfile::TempDir;

use crate::gateway::process::Countersign;
use crate::gateway::seed::Api;
use accounts::Account;
use upstream::Upstream;

/// How much.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The gateway's program
    #[arg(long, value_name = "FILE")]
    countersign: PathBuf,
    /// Requests through the proxy
    #[arg(long, default_value_t = 60_000)]
    requests: usize,
}

/// Callers at one time. Every fourth speaks HTTP/2.
const CALLERS: usize = 32;

/// Runs the gateway through it, and ends it in order, so that it writes its profile.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = TempDir::new()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let plain = runtime.block_on(Upstream::plain())?;
    let (secure, authority) = runtime.block_on(Upstream::secure())?;
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, authority)?;
    for (name, settings) in [("many", &[][..]), ("one", &["threads=1"][..])] {
        let folder = folder.path().join(name);
        std::fs::create_dir(&folder)?;
        let gateway = Countersign::anywhere(&options.countersign, &folder, &file, settings)?;
        runtime.block_on(async {
            let api = Arc::new(Api::open(gateway.port).await?);
            let accounts = accounts::make(&api, &[plain.url(), secure.url()]).await?;
            load(&api, accounts, options.requests / 2).await
        })?;
        gateway.end()?;
    }
    Ok(())
}

async fn load(api: &Arc<Api>, accounts: Vec<Account>, requests: usize) -> Result<()> {
    let (accounts, begun) = (Arc::new(accounts), Arc::new(AtomicUsize::new(0)));
    let callers = (0..CALLERS).map(|nth| {
        let caller = Caller::new(nth, api, &accounts);
        let begun = Arc::clone(&begun);
        tokio::spawn(async move {
            let caller = caller?;
            while begun.fetch_add(1, Ordering::Relaxed) < requests {
                caller.ask().await?;
            }
            anyhow::Ok(())
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await??;
    }
    Ok(())
}

struct Caller {
    http: Client,
    random: SeededRandom,
    api: Arc<Api>,
    accounts: Arc<Vec<Account>>,
}

impl Caller {
    fn new(nth: usize, api: &Arc<Api>, accounts: &Arc<Vec<Account>>) -> Result<Self> {
        let http = Client::builder().no_proxy();
        let http = if nth % 4 == 3 { http.http2_prior_knowledge() } else { http };
        Ok(Self {
            http: http.build()?,
            random: SeededRandom::new(nth as u64),
            api: Arc::clone(api),
            accounts: Arc::clone(accounts),
        })
    }

    /// One request, of a kind that is drawn: mostly reads, some writes, few that fail.
    async fn ask(&self) -> Result<()> {
        let mut bytes = [0; 2];
        self.random.fill(&mut bytes)?;
        let [whose, what] = bytes.map(usize::from);
        let account = self.accounts.get(whose % self.accounts.len()).context("an account")?;
        let (method, path, status) = match what % 16 {
            0..=9 => ("GET", "/v1/things?page=2", 200),
            10..=12 => ("POST", "/v1/things", 200),
            13 => ("GET", "/v1/large", 200),
            14 => ("GET", "/v1/missing", 404),
            _ => ("GET", "/v1/things", 404),
        };
        let nobody = what % 16 == 15;
        let identifier = if nobody { "nobody" } else { &account.identifier };
        let url = format!("{}/proxy{path}", self.api.url);
        let request = self.http.request(method.parse()?, url).bearer_auth(&self.api.token);
        let request = request.header("connection_name", &account.connection);
        let mut request = request.header("identifier", identifier).header("user-agent", "training");
        if method == "POST" {
            let body = format!("{{\"note\":\"{}\"}}", "x".repeat(what * 4));
            request = request.header("content-type", "application/json").body(body);
        }
        let answer = request.send().await?;
        let was = answer.status();
        let body = answer.bytes().await?;
        ensure!(
            was == status,
            "{method} {path} of {identifier} on {}: {was}, {}",
            account.connection,
            String::from_utf8_lossy(&body)
        );
        Ok(())
    }
}
