//! moto: IAM makes a key, and from then on every request must be signed with it.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};

use super::{Caller, Keys, Running};
use crate::check::curl::output;

/// How many requests it accepted once it verified them.
pub(super) fn verifies(root: &Path, programs: &Path) -> Result<usize> {
    let mut command = Command::new(programs.join("moto_server"));
    command.args(["--host", "127.0.0.1", "--port", "0"]).stdout(Stdio::null());
    let (_moto, url) = Running::start(&mut command, |line| {
        let (_, url) = line.split_once("Running on ")?;
        Some(url.trim().to_owned())
    })?;
    let mut caller = Caller::new(root)?;

    // As long as nobody has switched it on, it looks at no signature.
    let nobody = Keys { id: "nobody".into(), secret: "nothing".into(), token: None };
    caller.signs(&url, &of("iam"), &nobody)?;
    form(&mut caller, "Action=CreateUser&Version=2010-05-08&UserName=check")?;
    let made = form(&mut caller, "Action=CreateAccessKey&Version=2010-05-08&UserName=check")?;
    let keys = Keys {
        id: text(&made, "AccessKeyId")?,
        secret: text(&made, "SecretAccessKey")?,
        token: None,
    };
    let policy = format!(
        "Action=PutUserPolicy&Version=2010-05-08&UserName=check&PolicyName=all&PolicyDocument={ALL}"
    );
    form(&mut caller, &policy)?;
    let switch = format!("{url}/moto-api/reset-auth");
    // As a form it would not be read.
    let plain = ["-H", "content-type: text/plain", "-d", "0"];
    output(Command::new("curl").args(["-sSf", "--noproxy", "*"]).args(plain).arg(&switch))?;
    caller.taken = 0;

    let wrong = Keys { secret: "wrong".into(), ..keys.clone() };
    for service in ["sts", "s3"] {
        caller.signs(&url, &of(service), &wrong)?;
        match service {
            "s3" => caller.refused(&["PUT", "/odd"])?,
            _ => caller.refused(&["POST", "/", "-H", TYPE, "--data", WHO])?,
        }
    }
    caller.signs(&url, &of("sts"), &keys)?;
    form(&mut caller, WHO)?;
    caller.signs(&url, &of("s3"), &keys)?;
    caller.accepted(&["PUT", "/odd"])?;
    caller.stores("odd")?;
    with_sessions(&mut caller, &url, &keys)?;
    Ok(caller.taken)
}

/// Temporary keys are good with the token of their session, and with no other. In the header alone: moto
/// looks at no signature in a query.
fn with_sessions(caller: &mut Caller<'_>, url: &str, keys: &Keys) -> Result<()> {
    caller.signs(url, &of("iam"), keys)?;
    form(
        caller,
        &format!(
            "Action=CreateRole&Version=2010-05-08&RoleName=visitor&AssumeRolePolicyDocument={TRUST}"
        ),
    )?;
    form(
        caller,
        &format!(
            "Action=PutRolePolicy&Version=2010-05-08&RoleName=visitor&PolicyName=all\
             &PolicyDocument={ALL}"
        ),
    )?;
    caller.signs(url, &of("sts"), keys)?;
    let mut session = |name: &str| {
        let assumed = form(
            caller,
            &format!(
                "Action=AssumeRole&Version=2011-06-15&RoleSessionName={name}\
                 &RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fvisitor"
            ),
        )?;
        anyhow::Ok(Keys {
            id: text(&assumed, "AccessKeyId")?,
            secret: text(&assumed, "SecretAccessKey")?,
            token: Some(text(&assumed, "SessionToken")?),
        })
    };
    let (ours, theirs) = (session("ours")?, session("theirs")?);
    for (keys, word) in [
        (Keys { token: None, ..ours.clone() }, "InvalidAccessKeyId"),
        (Keys { token: Some("wrong".into()), ..ours.clone() }, "InvalidToken"),
        (Keys { token: theirs.token.clone(), ..ours.clone() }, "InvalidToken"),
        (Keys { secret: theirs.secret, ..ours.clone() }, "SignatureDoesNotMatch"),
    ] {
        caller.signs(url, &of("s3"), &keys)?;
        caller.refused_for(word, &["PUT", "/session"])?;
    }
    caller.signs(url, &of("s3"), &ours)?;
    caller.accepted(&["PUT", "/session"])?;
    caller.stores("session")?;
    caller.signs(url, &of("sts"), &ours)?;
    let who = form(caller, WHO)?;
    ensure!(who.contains("assumed-role/visitor/ours"), "the session is that of {who}");
    Ok(())
}

/// A policy that allows everything.
const ALL: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A\
    %22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
/// One that lets everybody assume a role.
const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A\
    %22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22%2A%22%7D%2C%22Action%22%3A\
    %22sts%3AAssumeRole%22%7D%5D%7D";

const TYPE: &str = "content-type: application/x-www-form-urlencoded";
const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";

fn of(service: &str) -> Json {
    json!({ "service": service, "region": "us-east-1" })
}

fn form(caller: &mut Caller<'_>, form: &str) -> Result<String> {
    caller.accepted(&["POST", "/", "-H", TYPE, "--data", form])
}

/// What is in the first element of this name.
fn text(xml: &str, name: &str) -> Result<String> {
    let found = xml.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once("</"));
    Ok(found.with_context(|| format!("no {name} in {xml}"))?.0.to_owned())
}
