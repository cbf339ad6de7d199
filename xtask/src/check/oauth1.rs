//! What OAUTH1 signs is accepted by a verifier that others wrote, and only where the secret is right.
//!
//! oauthlib, behind a server on loopback. It is first shown a wrong secret for each method, and must
//! refuse it; then the command's requests with each: repeated parameters, forms, other bodies, odd
//! paths. A whole grant goes through the library, in the example `oauth1` of the tests' crate. The
//! server refuses a nonce that it has seen, and counts them.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{built, curl::output, venv};

const PACKAGES: &[&str] = &["oauthlib==4.0.1", "cryptography==50.0.2", "PyJWT==2.15.1"];
const SERVER: &str = include_str!("oauth1/server.py");

/// As the server has them.
const CLIENT: &str = "countersign0000000000check";
const CLIENT_SECRET: &str = "client s&cret%";
const TOKEN: &str = "typed00000000000000token";
const TOKEN_SECRET: &str = "token/s+cret";

const METHODS: [&str; 4] = ["HMAC-SHA1", "HMAC-SHA256", "RSA-SHA1", "PLAINTEXT"];
const FORM: &str = "content-type: application/x-www-form-urlencoded";

/// Each is signed in another way.
const REQUESTS: &[&[&str]] = &[
    &["/things/caf%C3%A9%2Fx?b=2&a=x+y&a=%26%3D&b=10&c&oauth_token=stolen"],
    &["POST", "/things?a=1", "-H", FORM, "--data", "b=2&a=x+y&a=%C3%A9&b=10&empty=&a=%2B"],
    &["POST", "/things?a=1", "-H", "content-type: application/json", "--data", "{\"a\":\"b=1&c\"}"],
];

/// Runs it all.
pub(super) fn verified(root: &Path) -> Result<String> {
    let server = Server::start(root)?;
    let mut taken = 0;
    for method in METHODS {
        let scene = Scene::new(root, &server)?;
        let wrong = Signing { client_secret: "wrong", ..Signing::of(method) };
        for wrong in [wrong, Signing { token_secret: "wrong", ..Signing::of(method) }] {
            // A signature by RSA has no secret of a token's in it.
            if method == "RSA-SHA1" && wrong.token_secret == "wrong" {
                continue;
            }
            scene.signs(&server, &wrong)?;
            let status = scene.ask(REQUESTS[0])?.0;
            ensure!(status == "401", "{method} with a wrong secret is answered with {status}");
        }
        // oauthlib 4.0.1 decodes the protocol's parameters of a query twice, which takes the encoding
        // away that a signature by PLAINTEXT is made of.
        let placements = if method == "PLAINTEXT" { &["header"][..] } else { &["header", "query"] };
        for &placement in placements {
            scene.signs(&server, &Signing { placement, ..Signing::of(method) })?;
            for arguments in REQUESTS {
                let (status, body) = scene.ask(arguments)?;
                ensure!(
                    status == "200" && body == method,
                    "{method} in the {placement}: {arguments:?} is answered with {status}: {body}"
                );
                taken += 1;
            }
        }
    }
    granted(root, &server)?;
    let nonces: Json = serde_json::from_str(&output(
        Command::new("curl").args(["-sSf", "--noproxy", "*"]).arg(server.url("/nonces")),
    )?)?;
    let used = nonces["taken"].as_u64().unwrap_or(0);
    ensure!(nonces["repeated"] == 0 && used > taken, "the server saw {nonces}");
    Ok(format!("oauthlib took {taken} requests, a grant, and {used} nonces"))
}

/// A grant from its beginning to a request, for a client with a wrong secret and with the right one.
fn granted(root: &Path, server: &Server) -> Result<()> {
    let grant = |secret: &str| {
        output(built::example(root, "oauth1")?.args([&server.url(""), CLIENT, secret]))
    };
    let refused = grant("wrong")?;
    ensure!(refused.trim() == "refused: invalid_config", "with a wrong secret: {refused}");
    let done = grant(CLIENT_SECRET)?;
    ensure!(done.trim() == "granted for seven: 200 HMAC-SHA1", "the grant ends with {done}");
    Ok(())
}

/// How a request is to be signed, and with what.
struct Signing<'a> {
    method: &'a str,
    placement: &'a str,
    client_secret: &'a str,
    token_secret: &'a str,
}

impl<'a> Signing<'a> {
    fn of(method: &'a str) -> Self {
        let (client_secret, token_secret) = (CLIENT_SECRET, TOKEN_SECRET);
        Self { method, placement: "header", client_secret, token_secret }
    }
}

/// The command, with a provider, a connection and an account in files.
struct Scene<'a> {
    root: &'a Path,
    folder: TempDir,
    /// Of a key that the server does not know.
    wrong_key: String,
    key: String,
}

impl<'a> Scene<'a> {
    fn new(root: &'a Path, server: &Server) -> Result<Self> {
        let read = |file: PathBuf| fs::read_to_string(&file).context(file.display().to_string());
        let key = read(server.folder.path().join("key.pem"))?;
        let wrong_key = read(server.folder.path().join("wrong.pem"))?;
        Ok(Self { root, folder: tempfile::tempdir()?, wrong_key, key })
    }

    fn signs(&self, server: &Server, signing: &Signing<'_>) -> Result<()> {
        let Signing { method, placement, client_secret, token_secret } = signing;
        let provider = json!({
            "display_name": "Signed",
            "auth_patterns": [{
                "type": "OAUTH1",
                "oauth1": {
                    "signature_method": method, "placement": placement, "realm": "a realm",
                },
                "fields": [
                    { "field_name": "token", "required": true },
                    { "field_name": "token_secret", "input_type": "password", "required": true },
                ],
            }],
            "proxy_url": server.url(""),
            "proxy_enabled": true,
        });
        let key = if *client_secret == CLIENT_SECRET { &self.key } else { &self.wrong_key };
        let connection =
            json!({ "client_id": CLIENT, "client_secret": client_secret, "private_key": key });
        let details = json!({ "token": TOKEN, "token_secret": token_secret });
        let account = json!({
            "identifier": "check",
            "authorization_details": { "static_auth": { "details": details } },
        });
        for (name, json) in
            [("provider", provider), ("connection", connection), ("account", account)]
        {
            fs::write(self.file(name), json.to_string())?;
        }
        Ok(())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name).with_extension("json")
    }

    /// The reply's status and body.
    fn ask(&self, arguments: &[&str]) -> Result<(String, String)> {
        let mut command = built::compiled_once(self.root)?;
        command.args(["request", "--include", "--log", "error"]).args([
            "--allow-http-upstream",
            "--allow-upstream",
            "127.0.0.1/32",
        ]);
        for name in ["provider", "connection", "account"] {
            command.arg(format!("--{name}")).arg(self.file(name));
        }
        let text = output(command.args(arguments))?.replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").with_context(|| format!("no reply: {text}"))?;
        let status = head.lines().next().and_then(|line| line.split(' ').nth(1));
        Ok((status.with_context(|| format!("no status in {head}"))?.to_owned(), body.to_owned()))
    }
}

/// The server, with a folder for the keys.
struct Server {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Server {
    fn start(root: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(venv::installed(root, "oauth1", PACKAGES)?.join("python"));
        command.args(["-c", SERVER]).arg(folder.path());
        let process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut server = Self { process, port: 0, folder };
        let output = server.process.stdout.take().context("its output is not piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        server.port = line.trim().parse().context("oauthlib's server does not begin")?;
        Ok(server)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
