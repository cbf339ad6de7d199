//! Postman's runtime, a client that others wrote, beside ours.
//!
//! Two things are shown: it comes in where ours does, and is refused where ours is; and it makes the same of
//! the same. For that a server writes down what ours answers to a challenge; Postman's runtime is
//! given that challenge's parts and our `cnonce`, and the two have to agree in every parameter.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};

use super::{PASSWORD, Scene, USER};
use crate::check::node;

/// Of newman, from npm.
const VERSION: &str = "6.2.2";

const REALM: &str = "a, realm";
const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const OPAQUE: &str = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS";

/// Challenges that both are given: `qop` and digest.
const CHALLENGES: &[(&str, &str)] = &[
    ("auth", "MD5"),
    ("auth", "MD5-sess"),
    ("auth", "SHA-256"),
    ("auth", "SHA-256-sess"),
    ("auth", "SHA-512-256"),
    ("auth", "SHA-512-256-sess"),
    ("auth-int", "SHA-256"),
];

/// How long a request may take that is to be recorded.
const PATIENCE: Duration = Duration::from_secs(20);

/// newman, which runs collections in Postman's runtime.
pub(super) struct Newman {
    node: PathBuf,
    script: PathBuf,
}

impl Newman {
    pub(super) fn installed(root: &Path) -> Result<Self> {
        let programs = node::installed(root)?;
        let wanted = json!({"private": true, "dependencies": {"newman": VERSION}}).to_string();
        let modules = node::packages(&programs, &root.join("target/check/newman"), &wanted)?;
        let script = modules.join("newman/bin/newman.js");
        Ok(Self { node: programs.join("node"), script })
    }

    /// Whether each of these requests was answered with 200, and what it said.
    fn run(&self, requests: &[Json]) -> Result<(bool, String)> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("collection.json");
        let schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
        let info = json!({"name": "check", "schema": schema});
        fs::write(&file, json!({"info": info, "item": requests}).to_string())?;
        let output = Command::new(&self.node)
            .arg(&self.script)
            .args(["run", "--color", "off"])
            .arg(&file)
            .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
            .output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
    }

    /// It comes in at all of these, each with the digest that it is to use, and with another password
    /// at none.
    pub(super) fn comes_in(&self, urls: &[(String, &str)]) -> Result<()> {
        let with = |password: &str| -> Vec<Json> {
            let fixed = |algorithm| [("password", password), ("algorithm", algorithm)];
            urls.iter().map(|(url, algorithm)| request(url, &fixed(algorithm))).collect()
        };
        for wrong in with("wrong") {
            let (ended, said) = self.run(&[wrong])?;
            let judged = said.contains("401") && said.contains("AssertionError");
            ensure!(!ended && judged, "newman with a wrong password: {said}");
        }
        let (ended, said) = self.run(&with(PASSWORD))?;
        ensure!(ended, "newman: {said}");
        Ok(())
    }

    /// Both make the same of the same challenges; how many there were.
    pub(super) fn agrees(&self, root: &Path) -> Result<usize> {
        let (port, answers) = recording()?;
        let scene = Scene::new(root, port, PASSWORD)?;
        let mut ours = Vec::new();
        let mut requests = Vec::new();
        for &(qop, algorithm) in CHALLENGES {
            let path = format!("/{qop}/{algorithm}?a=b");
            let (ended, said) = scene.request(&[&path])?;
            ensure!(ended, "{path}: {said}");
            let answer = parameters(&answers.recv_timeout(PATIENCE)?)?;
            let part = |name: &str| {
                let part = answer.get(name).map(String::as_str);
                part.with_context(|| format!("{path}: no {name}"))
            };
            requests.push(request(
                &format!("http://127.0.0.1:{port}{path}"),
                &[
                    ("password", PASSWORD),
                    ("algorithm", algorithm),
                    ("qop", qop),
                    ("realm", REALM),
                    ("nonce", NONCE),
                    ("opaque", OPAQUE),
                    ("clientNonce", part("cnonce")?),
                    ("nonceCount", part("nc")?),
                ],
            ));
            ours.push(answer);
        }
        let (ended, said) = self.run(&requests)?;
        ensure!(ended, "newman: {said}");
        for ours in &ours {
            let theirs = parameters(&answers.recv_timeout(PATIENCE)?)?;
            ensure!(*ours == theirs, "ours: {ours:?}\nnewman's: {theirs:?}");
        }
        Ok(ours.len())
    }
}

/// One of a collection, with what its authentication is to be.
fn request(url: &str, fixed: &[(&str, &str)]) -> Json {
    let value =
        |&(key, value): &(&str, &str)| json!({"key": key, "value": value, "type": "string"});
    let values: Vec<Json> = [("username", USER)].iter().chain(fixed).map(value).collect();
    let test = "pm.test('is taken', () => pm.response.to.have.status(200))";
    json!({
        "name": url,
        "request": {"method": "GET", "url": url, "auth": {"type": "digest", "digest": values}},
        "event": [{"listen": "test", "script": {"exec": [test]}}],
    })
}

/// What an answer says, by name and without quotation marks.
fn parameters(answer: &str) -> Result<BTreeMap<String, String>> {
    let list = answer.strip_prefix("Digest ").with_context(|| answer.to_owned())?;
    let mut rest = list;
    let mut found = BTreeMap::new();
    while let Some((name, behind)) = rest.split_once('=') {
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').with_context(|| answer.to_owned())?,
            None => behind.split_at(behind.find(',').unwrap_or(behind.len())),
        };
        let name = name.trim_matches([' ', ',']);
        ensure!(found.insert(name.to_owned(), value.to_owned()).is_none(), "twice: {answer}");
        rest = behind;
    }
    Ok(found)
}

/// A server that challenges as the path says, and takes and hands over every answer. It ends with the
/// process.
fn recording() -> Result<(u16, Receiver<String>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let (sender, answers) = channel();
    thread::spawn(move || {
        // A client that broke off has left no answer, which is missed.
        listener.incoming().flatten().for_each(|client| _ = serve(client, &sender));
    });
    Ok((port, answers))
}

fn serve(mut client: TcpStream, answers: &Sender<String>) -> Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let first = lines.next().context("no request")??;
    let mut answer = None;
    for line in lines {
        let line = line?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                answer = Some(value.to_owned());
            }
            Some(_) => {}
            None => break,
        }
    }
    let path = first.split([' ', '?']).nth(1).and_then(|path| path.strip_prefix('/'));
    let (qop, algorithm) = path.and_then(|path| path.split_once('/')).context("another path")?;
    let (status, header) = match answer {
        Some(answer) => {
            answers.send(answer)?;
            ("200 OK", String::new())
        }
        None => (
            "401 Unauthorized",
            format!(
                "www-authenticate: Digest realm=\"{REALM}\", nonce=\"{NONCE}\", \
                 opaque=\"{OPAQUE}\", qop=\"{qop}\", algorithm={algorithm}\r\n"
            ),
        ),
    };
    let end = "content-length: 0\r\nconnection: close\r\n\r\n";
    Ok(write!(client, "HTTP/1.1 {status}\r\n{header}{end}")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart_by_its_names_whatever_its_quotes() {
        let ours = parameters("Digest realm=\"a, r\", nc=00000001, algorithm=MD5").unwrap();
        assert_eq!(ours["realm"], "a, r");
        assert_eq!(ours["nc"], "00000001");
        let theirs = parameters("Digest algorithm=\"MD5\", nc=00000001, realm=\"a, r\"").unwrap();
        assert_eq!(ours, theirs);
        assert_ne!(ours, parameters("Digest nc=00000001, algorithm=MD5").unwrap());
        for broken in ["Basic x", "Digest a=\"b", "Digest a=b, a=b"] {
            assert!(parameters(broken).is_err(), "{broken}");
        }
    }
}
