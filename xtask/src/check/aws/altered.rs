//! Row 18 of the pitfalls: what signs must outlive the way. A gateway signs, and between it and the
//! store that verifies stands a proxy (nginx) that does what proxies do to headers.
//!
//! A wrong secret is refused. What is sent again is signed anew, since a signature is of its time: the
//! same request goes on being accepted, with another date and another signature, and one that was signed
//! before the time that the store allows is refused. Only what no proxy changes is signed; where one
//! changes that all the same, the store refuses the request, so that it is seen to look.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{Keys, Running};
use crate::check::{built, curl::output, server::Server};

/// The bucket, and an object in it.
const BUCKET: &str = "/altered";
const OBJECT: &str = "/altered/with%20blank";
/// More requests than fit into a second, with a date of a second's grain.
const MOST: usize = 2000;

/// How many requests the store behind the proxy accepted.
pub(super) fn verifies(root: &Path, store: u16, keys: &Keys) -> Result<usize> {
    let proxy = Proxy::start(store)?;
    let allowed = ["--allow-http-upstream", "--allow-upstream", "127.0.0.0/8"].map(Into::into);
    let gateway = Gateway { server: Server::start(root, &allowed)?, token: String::new() };
    let token = gateway.server.token()?;
    let gateway = Gateway { token, ..gateway };
    gateway.connects(&proxy.url())?;
    gateway.account("right", keys)?;
    gateway.account("wrong", &Keys { secret: "wrong".into(), ..keys.clone() })?;

    gateway.refused("wrong", &["-X", "PUT"], BUCKET)?;
    gateway.accepted("right", &["-X", "PUT"], BUCKET)?;
    let stored = ["-X", "PUT", "-H", "content-type: text/plain", "-d", "kept"];
    gateway.refused("wrong", &stored, OBJECT)?;
    gateway.accepted("right", &stored, OBJECT)?;
    // The proxy changes a header that is signed.
    gateway.refused("right", &[&stored[..], &["-H", "x-break: 1"]].concat(), OBJECT)?;

    let mut taken = 2;
    proxy.forget()?;
    let given = ["-A", "a client", "-H", "accept-encoding: gzip, br", "-H", "via: 1.1 client"];
    let signatures = loop {
        ensure!(taken < MOST, "{taken} requests, and the clock has not moved");
        let found = gateway.accepted("right", &given, OBJECT)?;
        ensure!(found == "kept", "{OBJECT} holds {found:?}");
        taken += 1;
        let signatures = proxy.seen()?;
        if signatures.len() > 1 {
            break signatures;
        }
    };
    let mut all: Vec<&str> = signatures.values().map(|it| it.signature.as_str()).collect();
    all.sort_unstable();
    all.dedup();
    ensure!(all.len() == signatures.len(), "another date has the same signature: {all:?}");
    for Signed { headers, .. } in signatures.values() {
        let is_stable =
            |name: &str| matches!(name, "host" | "content-type") || name.starts_with("x-amz-");
        let unstable: Vec<_> = headers.split(';').filter(|name| !is_stable(name)).collect();
        ensure!(unstable.is_empty(), "signed, and changed by proxies: {unstable:?}");
    }
    is_over_after_a_while(root, &proxy, keys)?;
    gateway.server.end()?;
    Ok(taken)
}

/// One that was signed twenty minutes ago, as whoever repeats it without signing it sends it.
fn is_over_after_a_while(root: &Path, proxy: &Proxy, keys: &Keys) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, json: Json| -> Result<PathBuf> {
        let path = folder.path().join(name);
        fs::write(&path, json.to_string())?;
        Ok(path)
    };
    let provider = write("provider.json", provider(&proxy.url()))?;
    let account = json!({ "identifier": "check", "authorization_details": details(keys) });
    let account = write("account.json", account)?;
    for (ago, expected) in [(Duration::ZERO, "200"), (Duration::from_mins(20), "403")] {
        let now = (Timestamp::now() - ago).to_string();
        let mut inject = built::compiled_once(root)?;
        inject.args(["inject", "--reveal", "--json"]);
        inject.args(["--log", "error", "--allow-http-upstream", "--now", &now]);
        inject.arg("--provider").arg(&provider);
        inject.arg("--account").arg(&account).arg(OBJECT);
        let signed: Json = serde_json::from_str(&output(&mut inject)?)?;
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}"]);
        for pair in signed["headers"].as_array().into_iter().flatten() {
            let pair = [0, 1].map(|nth| pair[nth].as_str().unwrap_or_default());
            curl.arg("-H").arg(pair.join(": "));
        }
        let status = output(curl.arg(signed["url"].as_str().context("inject names no URL")?))?;
        ensure!(status == expected, "signed {ago:?} ago, it is answered with {status}");
    }
    Ok(())
}

fn provider(url: &str) -> Json {
    let field = |name: &str| json!({ "field_name": name, "required": true });
    json!({
        "display_name": "Altered",
        "auth_patterns": [{
            "type": "AWS_SIGV4",
            "aws_sigv4": { "service": "s3", "region": "eu-1" },
            "fields": [field("access_key_id"), field("secret_access_key")],
        }],
        "proxy_url": url,
        "proxy_enabled": true,
    })
}

fn details(keys: &Keys) -> Json {
    let mut details = keys.details();
    details.as_object_mut().map(|details| details.remove("session_token"));
    json!({ "static_auth": { "details": details } })
}

/// A gateway, and a client of it.
struct Gateway {
    server: Server,
    token: String,
}

impl Gateway {
    fn connects(&self, url: &str) -> Result<()> {
        self.manage("custom-providers", &provider(url))?;
        let connection = json!({ "provider_key": "altered", "key_id": "altered" });
        self.manage("connections", &json!({ "connection": connection }))
    }

    fn account(&self, identifier: &str, keys: &Keys) -> Result<()> {
        let account = json!({ "authorization_details": details(keys) });
        let body = json!({ "connector": "altered", "identifier": identifier,
            "connected_account": account });
        self.manage("connected_accounts", &body)
    }

    fn manage(&self, what: &str, body: &Json) -> Result<()> {
        let url = format!("{}/api/v1/{what}", self.server.url);
        let body = body.to_string();
        let json = ["-H", "content-type: application/json", "-d", &body, &url];
        output(self.curl().arg("--fail-with-body").args(json)).context(what.to_owned()).map(drop)
    }

    fn curl(&self) -> Command {
        let mut curl = self.server.command("curl");
        curl.args(["-sS", "-H"]).arg(format!("authorization: Bearer {}", self.token));
        curl
    }

    /// The status and the body of a request through the gateway.
    fn proxied(&self, whose: &str, arguments: &[&str], path: &str) -> Result<(String, String)> {
        let mut curl = self.curl();
        curl.args(["-H", "connection_name: altered", "-H"]).arg(format!("identifier: {whose}"));
        curl.args(arguments).args(["-w", "\n%{http_code}"]);
        let answer = output(curl.arg(format!("{}/proxy{path}", self.server.url)))?;
        let (body, status) = answer.rsplit_once('\n').context("curl says no status")?;
        Ok((status.to_owned(), body.to_owned()))
    }

    fn accepted(&self, whose: &str, arguments: &[&str], path: &str) -> Result<String> {
        let (status, body) = self.proxied(whose, arguments, path)?;
        ensure!(status == "200", "{arguments:?} {path} is answered with {status}: {body}");
        Ok(body)
    }

    fn refused(&self, whose: &str, arguments: &[&str], path: &str) -> Result<()> {
        let (status, body) = self.proxied(whose, arguments, path)?;
        let named = body.contains("SignatureDoesNotMatch");
        ensure!(status == "403" && named, "{whose} {arguments:?}: {status}: {body}");
        Ok(())
    }
}

/// What came to the proxy, ahead of what it changes.
#[derive(PartialEq, Eq)]
struct Signed {
    headers: String,
    signature: String,
}

pub(super) struct Proxy {
    _process: Running,
    folder: TempDir,
    port: u16,
}

impl Proxy {
    /// In front of the store at this port.
    pub(super) fn start(store: u16) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let place = folder.path().display();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let text = format!(
            "daemon off; master_process off; pid {place}/pid; error_log stderr notice;
            events {{ worker_connections 64; }}
            http {{
                client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
                fastcgi_temp_path {place}/a; uwsgi_temp_path {place}/b; scgi_temp_path {place}/c;
                log_format signed '$http_x_amz_date $http_authorization';
                access_log {place}/seen signed;
                map $http_x_break $type {{ default $http_content_type; 1 text/html; }}
                server {{
                    listen 127.0.0.1:{port};
                    location / {{
                        proxy_pass http://127.0.0.1:{store};
                        proxy_set_header Host $http_host;
                        proxy_set_header Content-Type $type;
                        proxy_set_header User-Agent 'a proxy';
                        proxy_set_header Accept-Encoding '';
                        proxy_set_header Accept 'text/plain, */*';
                        proxy_set_header Via '$http_via, 1.1 a-proxy';
                        proxy_set_header X-Forwarded-For 203.0.113.7;
                        proxy_set_header X-Request-Id $request_id;
                    }}
                }}
            }}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, text)?;
        let mut nginx = Command::new("/usr/sbin/nginx");
        nginx.arg("-p").arg(folder.path()).arg("-c").arg(&file).args(["-e", "stderr"]);
        nginx.stdout(Stdio::null());
        // It is one process, so that to end it is to end all of it.
        let listens = |line: &str| line.contains(" event method").then(String::new);
        let (process, _) = Running::start(&mut nginx, listens).context("nginx")?;
        Ok(Self { _process: process, folder, port })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("seen")
    }

    pub(super) fn forget(&self) -> Result<()> {
        Ok(fs::write(self.log(), "")?)
    }

    /// How many requests have come.
    pub(super) fn count(&self) -> Result<usize> {
        Ok(fs::read_to_string(self.log())?.lines().count())
    }

    /// What was signed, by its date; requests of one second are the same.
    fn seen(&self) -> Result<BTreeMap<String, Signed>> {
        let mut seen = BTreeMap::new();
        for line in fs::read_to_string(self.log())?.lines() {
            let (date, authorization) = line.split_once(' ').context("a line without a date")?;
            let part = |name: &str| {
                let mut parts = authorization.split([' ', ',']);
                let found = parts.find_map(|part| part.strip_prefix(name)).map(str::to_owned);
                found.with_context(|| format!("no {name} in a credential"))
            };
            let signed =
                Signed { headers: part("SignedHeaders=")?, signature: part("Signature=")? };
            let before = seen.insert(date.to_owned(), signed);
            ensure!(
                before.is_none_or(|it| Some(&it) == seen.get(date)),
                "one request of one second is signed in two ways"
            );
        }
        Ok(seen)
    }
}
