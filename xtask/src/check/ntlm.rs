//! NTLM against pyspnego, which computes what the server expects, in a server that authenticates
//! connections as IIS does.
//!
//! The server is first shown to refuse a wrong password, and to take curl's answer. It writes down what each
//! connection was used for: two legs of one request, in their order, and nothing else, or whoever came
//! after would have been taken for who came before.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{alone, curl::output, server::Server, venv};

const PACKAGES: &[&str] = &["pyspnego==0.12.4"];

/// What it knows of users, in the form that pyspnego reads.
const USERS: &str =
    "CHECK:Ada:analytical engine\nCHECK:Grace:näno second\n:jörg@check.example:pä§s\n";

/// Requests of each account at the same time: half of them have a body.
const TOGETHER: usize = 10;

/// Runs it.
pub(super) fn run(root: &Path) -> Result<String> {
    let server = Upstream::start(root)?;
    let scene = Scene { root, folder: tempfile::tempdir()?, port: server.port };
    let wrong = json!({"username": "CHECK\\Ada", "password": "difference engine"});
    scene.account(&wrong)?;
    let (ended, said) = scene.request(&["/wrong"])?;
    ensure!(!ended && said.contains("reauthorize"), "a wrong password: {said}");
    server.is_used_by_curl()?;

    for (details, user) in [
        (ada(), "CHECK\\Ada"),
        (grace(), "CHECK\\grace"),
        (json!({"username": "jörg@check.example", "password": "pä§s"}), "jörg@check.example"),
    ] {
        scene.account(&details)?;
        for (arguments, length) in [(&["/one"][..], 0), (&["/one", "-d", "{\"n\": 1}"], 8)] {
            let (ended, said) = scene.request(arguments)?;
            let wanted = format!("{user} with {length}");
            ensure!(ended && said == wanted, "{arguments:?} of {user}: {said}");
        }
    }
    scene.together()?;
    let connections = server.connections()?;
    let taken = judge(&connections)?;
    ensure!(
        taken == 6 + 2 * TOGETHER,
        "{taken} requests of the command and the gateway were taken"
    );
    Ok(format!("pyspnego took {taken} requests, each on a connection of its own"))
}

fn ada() -> Json {
    json!({"username": "CHECK\\Ada", "password": "analytical engine", "workstation": "ENGINE"})
}

fn grace() -> Json {
    json!({"username": "grace", "password": "näno second", "domain": "CHECK"})
}

/// Counts the requests that were taken. Each of ours came on a connection that saw two legs of it, and
/// no other request.
fn judge(connections: &BTreeMap<usize, Vec<Request>>) -> Result<usize> {
    let mut taken = 0;
    for requests in connections.values() {
        match &requests[..] {
            [first, ..] if first.path == "/curl" => {}
            [asked, last] if asked.became == "asked" => taken += usize::from(came_in(asked, last)?),
            _ => bail!("a connection was used for something else than two legs: {requests:?}"),
        }
    }
    Ok(taken)
}

/// Whether two legs brought a request in; but for a wrong password they have to. The first is without a
/// body, and says so where there could be one.
fn came_in(asked: &Request, last: &Request) -> Result<bool> {
    let is_post = asked.method == "POST";
    let emptied = asked.body.is_empty() && asked.length == if is_post { "0" } else { "None" };
    let same = asked.path == last.path && asked.method == last.method;
    let whole = last.body.is_empty() != is_post;
    ensure!(emptied && same && whole, "not two legs of one request: {asked:?} {last:?}");
    let user = last.user.to_lowercase();
    let other = [("/ada/", "check\\ada"), ("/grace/", "check\\grace")]
        .iter()
        .any(|(path, owner)| last.path.starts_with(path) && user != *owner);
    match (last.path.as_str(), last.became.as_str()) {
        ("/wrong", "refused") => Ok(false),
        (path, "taken") if path != "/wrong" && !other => Ok(true),
        _ => bail!("not as it should be: {last:?}"),
    }
}

/// A provider at a port of loopback, and one account of it at a time.
struct Scene<'a> {
    root: &'a Path,
    folder: TempDir,
    port: u16,
}

impl Scene<'_> {
    fn write(&self, name: &str, json: &Json) -> Result<()> {
        Ok(fs::write(self.folder.path().join(name), json.to_string())?)
    }

    fn account(&self, details: &Json) -> Result<()> {
        let fields = ["username", "password", "domain", "workstation"]
            .map(|name| json!({"field_name": name, "label": name}));
        let provider = json!({
            "display_name": "NTLM",
            "auth_patterns": [{
                "type": "NTLM",
                "display_name": "NTLM",
                "fields": fields,
            }],
            "proxy_url": format!("http://127.0.0.1:{}", self.port),
            "proxy_enabled": true,
        });
        self.write("provider.json", &provider)?;
        let details = json!({"static_auth": {"details": details}});
        self.write(
            "account.json",
            &json!({"identifier": "check", "authorization_details": details}),
        )
    }

    /// Whether the command ended well, and what it said.
    fn request(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let arguments = alone::LOOPBACK.iter().chain(arguments);
        alone::request(self.root, self.folder.path(), arguments)
    }

    /// Requests of two accounts at the same time through one gateway, all of which come in.
    fn together(&self) -> Result<()> {
        let server = Server::start(self.root, &alone::LOOPBACK.map(str::to_owned))?;
        let token = server.token()?;
        let shell = |line: &str| {
            let mut shell = server.shell(line)?;
            output(shell.env("TOKEN", &token).current_dir(self.folder.path()))
                .with_context(|| line.to_owned())
        };
        let put = |path: &str, json: &Json| {
            self.write("sent.json", json)?;
            shell(&format!(
                "curl -H \"Authorization: Bearer $TOKEN\" -H 'content-type: application/json' \
                 -d @sent.json $URL/api/v1/{path}"
            ))
        };
        let provider = fs::read_to_string(self.folder.path().join("provider.json"))?;
        put("custom-providers", &serde_json::from_str(&provider)?)?;
        put("connections", &json!({"connection": {"provider_key": "ntlm", "key_id": "ntlm-1"}}))?;
        for (name, details) in [("ada", ada()), ("grace", grace())] {
            let account = json!({"authorization_details": {"static_auth": {"details": details}}});
            put(
                "connected_accounts",
                &json!({"connector": "ntlm-1", "identifier": name, "connected_account": account}),
            )?;
        }
        let half = TOGETHER / 2;
        let requests = |name: &str, more: &str| {
            format!(
                "-s -H \"Authorization: Bearer $TOKEN\" -H 'connection_name: ntlm-1' \
                 -H 'identifier: {name}' {more} -o page -w '%{{http_code}}\\n' \
                 \"$URL/proxy/{name}/[1-{half}]\""
            )
        };
        let all = ["ada", "grace"]
            .map(|name| [requests(name, ""), requests(name, "-d some=body")].join(" --next "));
        let answers = shell(&format!(
            "curl --parallel --parallel-immediate --parallel-max {} {}",
            2 * TOGETHER,
            all.join(" --next ")
        ))?;
        let right = answers.lines().filter(|line| *line == "200").count();
        ensure!(right == 2 * TOGETHER, "{right} of {} came in:\n{answers}", 2 * TOGETHER);
        Ok(())
    }
}

/// What the server wrote down of one request.
#[derive(Debug)]
struct Request {
    /// `asked`, `taken`, `refused`; `rode`, where it came without a credential and was taken for
    /// whoever had come on that connection before.
    became: String,
    user: String,
    method: String,
    path: String,
    length: String,
    body: String,
}

impl Request {
    /// With the number of its connection.
    fn read(line: &str) -> Result<(usize, Self)> {
        let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let fields: [String; 7] = fields.try_into().ok().with_context(|| line.to_owned())?;
        let [number, became, user, method, path, length, body] = fields;
        Ok((number.parse()?, Self { became, user, method, path, length, body }))
    }
}

/// The server.
struct Upstream {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Upstream {
    fn start(root: &Path) -> Result<Self> {
        let programs = venv::installed(root, "ntlm", PACKAGES)?;
        let folder = tempfile::tempdir()?;
        let (users, log) = (folder.path().join("users"), folder.path().join("log"));
        fs::write(&users, USERS)?;
        fs::write(&log, "")?;
        let mut command = Command::new(programs.join("python"));
        command.args(["-c", include_str!("ntlm/server.py")]).arg(log);
        command.env("NTLM_USER_FILE", users).env("PYTHONUTF8", "1");
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().context("its output is not piped")?;
        let mut server = Self { process, port: 0, folder };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        server.port = line.trim().parse().context("the server does not begin")?;
        Ok(server)
    }

    /// Another client is taken too, and so is its second request on that connection, which comes
    /// without a credential: that is what a connection of one's own is for.
    fn is_used_by_curl(&self) -> Result<()> {
        let url = format!("http://127.0.0.1:{}/curl", self.port);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--ntlm", "--user"]);
        let said = output(curl.args(["CHECK\\Ada:analytical engine", &url, &url]))?;
        let wanted = "CHECK\\Ada with 0";
        ensure!(said == [wanted, wanted].concat(), "curl is told {said:?}");
        let rode = self.connections()?.values().flatten().any(|it| it.became == "rode");
        ensure!(rode, "nothing would come of a connection that is lent to another");
        Ok(())
    }

    /// What each connection was used for.
    fn connections(&self) -> Result<BTreeMap<usize, Vec<Request>>> {
        let log = fs::read_to_string(self.folder.path().join("log"))?;
        let mut connections: BTreeMap<usize, Vec<Request>> = BTreeMap::new();
        for line in log.lines() {
            let (number, request) = Request::read(line)?;
            connections.entry(number).or_default().push(request);
        }
        Ok(connections)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(lines: &[&str]) -> Option<usize> {
        let mut connections: BTreeMap<usize, Vec<Request>> = BTreeMap::new();
        for line in lines {
            let (number, request) = Request::read(&line.replace(' ', "\t")).unwrap();
            connections.entry(number).or_default().push(request);
        }
        judge(&connections).ok()
    }

    #[test]
    fn a_connection_that_is_lent_or_an_exchange_that_is_none_is_found_out() {
        let get = ["1 asked None GET /ada/1 None ", "1 taken CHECK\\Ada GET /ada/1 None "];
        let post = ["2 asked None POST /one 0 ", "2 taken CHECK\\Ada POST /one 1 x"];
        let wrong = ["3 asked None GET /wrong None ", "3 refused None GET /wrong None "];
        let curl = ["4 rode CHECK\\Ada GET /curl None "];
        let all = [&get[..], &post, &wrong, &curl].concat();
        assert_eq!(judged(&all), Some(2));
        for more in [
            // After the two legs, on the same connection.
            &["1 rode CHECK\\Ada GET /grace/1 None "][..],
            &["1 asked None GET /ada/1 None "],
            // Another connection for the answer, or none.
            &["5 asked None GET /one None ", "6 astray None GET /one None "],
            &["5 bare None GET /one None "],
            // For another.
            &["5 asked None GET /grace/1 None ", "5 taken CHECK\\Ada GET /grace/1 None "],
            &["5 asked None GET /wrong None ", "5 taken CHECK\\Ada GET /wrong None "],
            &["5 asked None GET /one None ", "5 refused None GET /one None "],
            // The body too early, too late, or without a word of its length.
            &["5 asked None POST /one 1 x", "5 taken CHECK\\Ada POST /one 1 x"],
            &["5 asked None POST /one 0 ", "5 taken CHECK\\Ada POST /one 0 "],
            &["5 asked None POST /one None ", "5 taken CHECK\\Ada POST /one 1 x"],
        ] {
            assert_eq!(judged(&[&all[..], more].concat()), None, "{more:?}");
        }
    }
}
