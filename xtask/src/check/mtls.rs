//! MTLS against nginx, which asks every client for a certificate of one authority.
//!
//! It is first shown to refuse: a request without a certificate, and one with another authority's. Then
//! two accounts, with a certificate each, send side by side through one gateway, and nginx's own log
//! says whose certificate each request came with.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{alone, curl::output, server::Server};

const HOST: &str = "mtls.check.example";

/// What curl shows the gateway.
const TOKEN: &str = "-H \"Authorization: Bearer $TOKEN\"";

/// Whose requests there are.
const NAMES: [&str; 2] = ["client-a", "client-b"];

/// Requests at the same time, of each of them.
const TOGETHER: usize = 25;

/// How long nginx may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts nginx, and holds MTLS to it.
pub(super) fn run(root: &Path) -> Result<String> {
    let (authority, stranger) = (Authority::new()?, Authority::new()?);
    let nginx = Nginx::start(&authority)?;
    let scene = Scene { root, nginx: &nginx, folder: tempfile::tempdir()? };
    scene.refuses(&bearer(), "No required SSL certificate was sent")?;
    scene.refuses(&mtls("stranger", &stranger)?, "The SSL certificate error")?;
    let accounts = [mtls(NAMES[0], &authority)?, mtls(NAMES[1], &authority)?];
    for (account, name) in accounts.iter().zip(NAMES) {
        let (ended, said) = scene.request(account)?;
        ensure!(ended && said.contains(&format!("CN={name}")), "{name}: {said}");
    }
    scene.together(&accounts)?;
    drop(scene);
    let requests = nginx.requests()?;
    let mixed = requests.iter().filter(|(subject, name)| *subject != format!("CN={name}"));
    ensure!(mixed.count() == 0, "a request came with another's certificate: {requests:?}");
    ensure!(requests.len() == NAMES.len() * TOGETHER, "nginx has seen {} requests", requests.len());
    Ok(format!("nginx, {} requests of two accounts side by side", requests.len()))
}

/// A throw-away authority.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "check");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self { pem: params.self_signed(&key)?.pem(), issuer: Issuer::new(params, key) })
    }

    /// A certificate in that name and its key, in PEM.
    fn pair(&self, name: &str) -> Result<[String; 2]> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        Ok([params.signed_by(&key, &self.issuer)?.pem(), key.serialize_pem()])
    }
}

/// A type, its fields, and an account of it.
struct Kind {
    auth_type: &'static str,
    fields: Json,
    details: Json,
}

fn bearer() -> Kind {
    let fields = json!([{"field_name": "token", "label": "Token", "required": true}]);
    Kind { auth_type: "BEARER", fields, details: json!({"token": "no-certificate"}) }
}

fn mtls(name: &str, authority: &Authority) -> Result<Kind> {
    let [certificate, private_key] = authority.pair(name)?;
    let field = |name: &str| json!({"field_name": name, "label": name, "input_type": "textarea", "required": true});
    let fields = json!([field("certificate"), field("private_key")]);
    let details = json!({"certificate": certificate, "private_key": private_key});
    Ok(Kind { auth_type: "MTLS", fields, details })
}

impl Kind {
    fn provider(&self) -> Json {
        json!({
            "display_name": "Mutual",
            "auth_patterns": [
                {"type": self.auth_type, "display_name": "Mutual", "fields": self.fields},
            ],
            "proxy_url": format!("https://{HOST}"),
            "proxy_enabled": true,
        })
    }

    fn details(&self) -> Json {
        json!({"static_auth": {"details": self.details}})
    }
}

/// The command, and where it finds nginx.
struct Scene<'a> {
    root: &'a Path,
    nginx: &'a Nginx,
    folder: TempDir,
}

impl Scene<'_> {
    /// Whether the command ended well, and what it said.
    fn request(&self, kind: &Kind) -> Result<(bool, String)> {
        let place = self.folder.path();
        let account = json!({"identifier": "check", "authorization_details": kind.details()});
        fs::write(place.join("provider.json"), kind.provider().to_string())?;
        fs::write(place.join("account.json"), account.to_string())?;
        alone::request(
            self.root,
            place,
            self.nginx.found().iter().map(String::as_str).chain(["/alone"]),
        )
    }

    /// nginx answers with this.
    fn refuses(&self, kind: &Kind, with: &str) -> Result<()> {
        let (_, said) = self.request(kind)?;
        ensure!(said.contains(with), "nginx does not say `{with}` but: {said}");
        Ok(())
    }

    /// Requests of all accounts at the same time through one gateway, each to a path of its name.
    fn together(&self, accounts: &[Kind; 2]) -> Result<()> {
        let place = self.folder.path();
        let server = Server::start(self.root, &self.nginx.found())?;
        let token = server.token()?;
        let shell = |line: &str| {
            let line = format!("curl {TOKEN} {line}");
            let mut shell = server.shell(&line)?;
            output(shell.env("TOKEN", &token).current_dir(place)).context(line)
        };
        let post = |path: &str, body: &Json| {
            fs::write(place.join("body.json"), body.to_string())?;
            shell(&format!("-H 'content-type: application/json' -d @body.json $URL/api/v1/{path}"))
        };
        post("custom-providers", &accounts[0].provider())?;
        let connection = json!({"provider_key": "mutual", "key_id": "mutual-1"});
        post("connections", &json!({"connection": connection}))?;
        let mut lines = Vec::new();
        for (account, name) in accounts.iter().zip(NAMES) {
            let connected = json!({
                "connector": "mutual-1",
                "identifier": name,
                "connected_account": {"authorization_details": account.details()},
            });
            post("connected_accounts", &connected)?;
            lines.push(format!(
                "-H 'connection_name: mutual-1' -H 'identifier: {name}' -o page \
                 -w '%{{http_code}}\\n' \"$URL/proxy/together/{name}?[1-{TOGETHER}]\""
            ));
        }
        // Behind `--next` curl has forgotten every header, and that it is to be silent.
        let answers = shell(&format!(
            "--parallel --parallel-immediate --parallel-max {} {}",
            NAMES.len() * TOGETHER,
            lines.join(&format!(" --next -sS {TOKEN} "))
        ))?;
        let right = answers.lines().filter(|line| *line == "200").count();
        ensure!(right == NAMES.len() * TOGETHER, "{right} came in:\n{answers}");
        Ok(())
    }
}

/// nginx in one process, with a folder of its own.
struct Nginx {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Nginx {
    fn start(authority: &Authority) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let place = folder.path();
        let [certificate, key] = authority.pair(HOST)?;
        for (name, text) in
            [("ca.pem", &authority.pem), ("own.pem", &certificate), ("own.key", &key)]
        {
            fs::write(place.join(name), text)?;
        }
        // Nobody gives nginx a port that is bound; that it is taken meanwhile ends it with a reason.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        fs::write(place.join("conf"), configuration(place, port))?;
        let mut command = Command::new("/usr/sbin/nginx");
        command.arg("-c").arg(place.join("conf")).arg("-p").arg(place);
        command.arg("-e").arg(place.join("error")).stdin(Stdio::null());
        let process = command.spawn().context("nginx is missing: apt-get install nginx")?;
        let mut nginx = Self { process, port, folder };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = nginx.process.try_wait()?;
            let why = || fs::read_to_string(nginx.folder.path().join("error"));
            ensure!(ended.is_none(), "nginx ended: {}", why()?);
            ensure!(began.elapsed() < PATIENCE, "nginx does not listen");
            sleep(Duration::from_millis(50));
        }
        Ok(nginx)
    }

    /// What the command is told, to find it and to trust it.
    fn found(&self) -> [String; 4] {
        let authority = self.folder.path().join("ca.pem").display().to_string();
        let mapping = format!("{HOST}:443=127.0.0.1:{}", self.port);
        ["--resolve".to_owned(), mapping, "--upstream-ca".to_owned(), authority]
    }

    /// Of each request under `/together`, the certificate's subject and the name in the path. It ends
    /// with that, once all is written.
    fn requests(mut self) -> Result<Vec<(String, String)>> {
        let line = format!("kill -QUIT {}", self.process.id());
        ensure!(Command::new("sh").args(["-c", &line]).status()?.success(), "{line} failed");
        let status = self.process.wait()?;
        ensure!(status.success(), "nginx ended with {status}");
        let log = fs::read_to_string(self.folder.path().join("requests"))?;
        let lines = log.lines().filter_map(|line| line.split_once(" /together/"));
        Ok(lines.map(|(subject, name)| (subject.to_owned(), name.to_owned())).collect())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configuration(place: &Path, port: u16) -> String {
    let place = place.display();
    let scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|it| format!("{it}_temp_path {place}/{it};\n"))
        .concat();
    format!(
        "daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log {place}/error;\n\
         events {{}}\nhttp {{\n{scratch}\
         log_format whose '$ssl_client_s_dn $uri';\naccess_log {place}/requests whose;\n\
         server {{\nlisten 127.0.0.1:{port} ssl http2;\nserver_name {HOST};\n\
         ssl_certificate {place}/own.pem;\nssl_certificate_key {place}/own.key;\n\
         ssl_client_certificate {place}/ca.pem;\nssl_verify_client on;\n\
         location / {{ return 200 \"$ssl_client_s_dn\\n\"; }}\n}}\n}}\n"
    )
}
