//! DIGEST against servers that others wrote: Apache's mod_auth_digest, and httpbin.
//!
//! Each is first shown to refuse a wrong password, through the same command that is then shown to come
//! in. Apache writes down each answer that it was given; no count of a nonce stands there twice. Postman's
//! runtime, as another client, comes in at both, and makes of a challenge what ours does.

mod postman;

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tempfile::TempDir;

use super::{alone, curl::output, server::Server, venv};
use postman::Newman;

/// From PyPI, into a folder under `target/` that later runs find.
const HTTPBIN: &str = "httpbin==0.10.4";

/// Says its port when it listens.
const SERVE_HTTPBIN: &str = "\
from httpbin import app
from werkzeug.serving import make_server
server = make_server('127.0.0.1', 0, app, threaded=True)
print(server.port, flush=True)
server.serve_forever()";

const USER: &str = "Mufasa";
const PASSWORD: &str = "circle-of-life";

/// `Mufasa:check:circle-of-life` in MD5, as `htdigest` writes it.
const USERS: &str = "Mufasa:check:0fc61376edfa3ce120b8e41d4c8d3e05\n";

/// Requests at the same time.
const TOGETHER: usize = 50;

/// How long Apache may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs both.
pub(super) fn run(root: &Path) -> Result<String> {
    let apache = Apache::start()?;
    let scene = Scene::new(root, apache.port, PASSWORD)?;
    Scene::new(root, apache.port, "wrong")?.is_refused("/index.html")?;
    ensure!(scene.request(&["/index.html"])?.1 == "you are in", "Apache shows another page");
    scene.together()?;
    let newman = Newman::installed(root)?;
    newman.comes_in(&[(format!("http://127.0.0.1:{}/index.html", apache.port), "MD5")])?;
    let (answers, counts) = apache.answers()?;
    ensure!(answers >= TOGETHER + 2, "Apache has seen {answers} answers");
    ensure!(answers == counts, "a count was used twice: {answers} answers, {counts} counts");

    let httpbin = Httpbin::start(root)?;
    let [right, wrong] = [PASSWORD, "wrong"].map(|it| Scene::new(root, httpbin.port, it));
    let (right, wrong) = (right?, wrong?);
    let mut shown = Vec::new();
    for qop in ["auth", "auth-int"] {
        for algorithm in ["MD5", "SHA-256"] {
            let path = format!("/digest-auth/{qop}/{USER}/{PASSWORD}/{algorithm}");
            wrong.is_refused(&path)?;
            let (ended, answer) = right.request(&[&path])?;
            ensure!(ended && answer.contains("\"authenticated\": true"), "{path}: {answer}");
            shown.push((format!("http://127.0.0.1:{}{path}", httpbin.port), algorithm));
        }
    }
    newman.comes_in(&shown)?;
    let (shown, same) = (shown.len(), newman.agrees(root)?);
    Ok(format!(
        "Apache, and {shown} kinds of httpbin's; newman's answer to {same} challenges is ours"
    ))
}

/// A provider at a port of loopback, and an account of it.
struct Scene<'a> {
    root: &'a Path,
    folder: TempDir,
}

impl<'a> Scene<'a> {
    fn new(root: &'a Path, port: u16, password: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let field = |name: &str| json!({"field_name": name, "label": name, "required": true});
        let provider = json!({
            "display_name": "Digest",
            "auth_patterns": [{
                "type": "DIGEST",
                "display_name": "Digest",
                "fields": [field("username"), field("password")],
            }],
            "proxy_url": format!("http://127.0.0.1:{port}"),
            "proxy_enabled": true,
        });
        let details = json!({"username": USER, "password": password});
        let account = json!({
            "identifier": "check",
            "authorization_details": {"static_auth": {"details": details}},
        });
        fs::write(folder.path().join("provider.json"), provider.to_string())?;
        fs::write(folder.path().join("account.json"), account.to_string())?;
        Ok(Self { root, folder })
    }

    /// Whether the command ended well, and what it said.
    fn request(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let arguments = alone::LOOPBACK.iter().chain(arguments);
        alone::request(self.root, self.folder.path(), arguments)
    }

    /// Requests at the same time through one gateway, all of which come in.
    fn together(&self) -> Result<()> {
        let server = Server::start(self.root, &alone::LOOPBACK.map(str::to_owned))?;
        let token = server.token()?;
        let shell = |line: &str| {
            let line = format!("curl -H \"Authorization: Bearer $TOKEN\" {line}");
            let mut shell = server.shell(&line)?;
            output(shell.env("TOKEN", &token).current_dir(self.folder.path())).context(line)
        };
        let account = fs::read_to_string(self.folder.path().join("account.json"))?;
        let account: serde_json::Value = serde_json::from_str(&account)?;
        let connected = json!({
            "connector": "digest-1",
            "identifier": "check",
            "connected_account": {"authorization_details": account["authorization_details"]},
        });
        let connection = json!({"connection": {"provider_key": "digest", "key_id": "digest-1"}});
        fs::write(self.folder.path().join("connection.json"), connection.to_string())?;
        fs::write(self.folder.path().join("connected.json"), connected.to_string())?;
        for (path, file) in [
            ("custom-providers", "provider"),
            ("connections", "connection"),
            ("connected_accounts", "connected"),
        ] {
            let kind = "-H 'content-type: application/json'";
            shell(&format!("{kind} -d @{file}.json $URL/api/v1/{path}"))?;
        }
        let answers = shell(&format!(
            "-H 'connection_name: digest-1' -H 'identifier: check' --parallel \
             --parallel-immediate --parallel-max {TOGETHER} -o page -w '%{{http_code}}\\n' \
             \"$URL/proxy/index.html?[1-{TOGETHER}]\""
        ))?;
        let right = answers.lines().filter(|line| *line == "200").count();
        ensure!(right == TOGETHER, "{right} of {TOGETHER} came in:\n{answers}");
        Ok(())
    }

    /// The plugin says no because the server did.
    fn is_refused(&self, path: &str) -> Result<()> {
        let (ended, said) = self.request(&[path])?;
        ensure!(!ended && said.contains("reauthorize"), "a wrong password at {path}: {said}");
        Ok(())
    }
}

/// Apache in one process, with a folder of its own.
struct Apache {
    process: Running,
    port: u16,
    folder: TempDir,
}

impl Apache {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let place = folder.path();
        // Apache may change to another user, who has to be able to read it.
        open(place)?;
        fs::create_dir(place.join("pages"))?;
        open(&place.join("pages"))?;
        fs::write(place.join("pages/index.html"), "you are in")?;
        fs::write(place.join("users"), USERS)?;
        // Nobody gives Apache a port that is bound; that it is taken meanwhile ends it with a reason.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        fs::write(place.join("conf"), configuration(place, port))?;
        let mut command = Command::new("/usr/sbin/apache2");
        command.args(["-X", "-f"]).arg(place.join("conf")).stdin(Stdio::null());
        let mut process =
            Running(command.spawn().context("apache2 is missing: apt-get install apache2-bin")?);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = process.0.try_wait()?;
            ensure!(ended.is_none(), "Apache ended: {}", fs::read_to_string(place.join("error"))?);
            ensure!(began.elapsed() < PATIENCE, "Apache does not listen");
            sleep(Duration::from_millis(50));
        }
        Ok(Self { process, port, folder })
    }

    /// How many answers it was given, and how many counts of nonces these are. It ends with that, so
    /// that all is written.
    fn answers(mut self) -> Result<(usize, usize)> {
        self.process.end();
        let log = fs::read_to_string(self.folder.path().join("answers"))?;
        let answers: Vec<&str> = log.lines().filter(|line| line.starts_with("Digest ")).collect();
        let part = |line: &&str, name: &str| -> Option<String> {
            let rest = line.split_once(name)?.1;
            Some(rest.split(',').next()?.to_owned())
        };
        let counts = answers.iter().map(|line| (part(line, " nonce="), part(line, " nc=")));
        Ok((answers.len(), counts.collect::<BTreeSet<_>>().len()))
    }
}

fn configuration(place: &Path, port: u16) -> String {
    let modules =
        ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_digest"];
    let loads: Vec<String> = modules
        .iter()
        .map(|it| format!("LoadModule {it}_module /usr/lib/apache2/modules/mod_{it}.so\n"))
        .collect();
    let (loads, place) = (loads.concat(), place.display());
    format!(
        "{loads}ServerRoot {place}\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\n\
         User nobody\nGroup nogroup\nPidFile {place}/pid\nDefaultRuntimeDir {place}\n\
         ErrorLog {place}/error\nLogFormat \"%{{Authorization}}i\" answers\n\
         CustomLog {place}/answers answers\nDocumentRoot {place}/pages\n\
         <Location />\nAuthType Digest\nAuthName check\nAuthDigestProvider file\n\
         AuthUserFile {place}/users\nRequire valid-user\n</Location>\n"
    )
}

fn open(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?)
}

/// httpbin, which says how it was authenticated.
struct Httpbin {
    _process: Running,
    port: u16,
}

impl Httpbin {
    fn start(root: &Path) -> Result<Self> {
        let mut command =
            Command::new(venv::installed(root, "httpbin", &[HTTPBIN])?.join("python"));
        command.args(["-c", SERVE_HTTPBIN]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Running(command.spawn()?);
        let output = process.0.stdout.take().context("its output is not piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse().context("httpbin does not begin")?;
        Ok(Self { _process: process, port })
    }
}

/// A process that ends when it is dropped.
struct Running(Child);

impl Running {
    fn end(&mut self) {
        // Both fail only where it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
