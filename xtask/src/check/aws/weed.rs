//! SeaweedFS: a store with one identity, and a verifier that is no part of AWS's own libraries.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::{Caller, Keys, Running, altered, clock};

/// Its parts, each of which wants a port for HTTP and one for gRPC.
const PARTS: [&str; 4] = ["master", "volume", "filer", "s3"];

/// Keys that some read as others: empty segments, an encoded slash, dots that are no dot segments.
const ODD: &[&str] = &["a+b%2Fc!(*)", "double//slash", "...", ".hidden/a..b.", "a%2Eb"];

/// How many requests it accepted.
pub(super) fn verifies(root: &Path, programs: &Path) -> Result<usize> {
    let keys = Keys {
        id: "AKIDEXAMPLE".into(),
        secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        token: None,
    };
    let folder = tempfile::tempdir()?;
    let identities = folder.path().join("s3.json");
    let identity = json!({
        "name": "check",
        "credentials": [{ "accessKey": keys.id, "secretKey": keys.secret }],
        "actions": ["Admin", "Read", "Write", "List"],
    });
    fs::write(&identities, json!({ "identities": [identity] }).to_string())?;

    // All are held until each is known, so that no two are the same.
    let held = (0..2 * PARTS.len())
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<Result<Vec<_>, _>>()?;
    let ports = held.iter().map(|it| Ok(it.local_addr()?.port())).collect::<Result<Vec<_>>>()?;
    drop(held);
    let mut command = Command::new(programs.join("weed"));
    command.args([
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        "-s3.iam=false",
    ]);
    command.args(["-s3.port.iceberg=0", "-s3.port.lance=0"]);
    // A volume is as much of the disk as it says.
    command.args(["-master.volumeSizeLimitMB=16", "-volume.max=64"]);
    command.arg(format!("-dir={}", folder.path().display()));
    command.arg(format!("-s3.config={}", identities.display()));
    for (part, ports) in PARTS.iter().zip(ports.chunks(2)) {
        command.arg(format!("-{part}.port={}", ports[0]));
        command.arg(format!("-{part}.port.grpc={}", ports[1]));
    }
    command.current_dir(folder.path()).stdout(Stdio::null());
    // Dropped after the process is.
    let _sockets = Sockets(ports.clone());
    let (_weed, _) = Running::start(&mut command, |line| {
        line.contains("Start Seaweed S3 API Server").then(String::new)
    })?;

    let url = format!("http://127.0.0.1:{}", ports[6]);
    let mut caller = Caller::new(root)?;
    let wrong = Keys { secret: "wrong".into(), ..keys.clone() };
    for (placement, bucket) in [("header", "/in-header"), ("query", "/in-query")] {
        let signing = json!({ "service": "s3", "region": "eu-1", "placement": placement });
        caller.signs(&url, &signing, &wrong)?;
        caller.refused(&["PUT", bucket])?;
        caller.signs(&url, &signing, &keys)?;
        caller.accepted(&["PUT", bucket])?;
        caller.stores(&bucket[1..])?;
        // Spelt as clients seldom do, and as botocore, by which moto verifies, takes for something else.
        let list = caller.accepted(&[&format!("{bucket}?prefix=with+b&list-type=2")])?;
        ensure!(list.contains("<Key>with blank</Key>"), "a plus sign lists {list}");
        for key in ODD {
            let path = format!("{bucket}/{key}");
            caller.accepted(&["PUT", &path, "--data", key])?;
            let found = caller.accepted(&[&path])?;
            ensure!(found == *key, "{path} holds {found:?}");
        }
    }
    let altered = altered::verifies(root, ports[6], &keys).context("behind a proxy")?;
    let skewed = clock::verifies(root, ports[6], &keys).context("by another clock")?;
    Ok(caller.taken + altered + skewed)
}

/// What it leaves in `/tmp`, wherever temporary files go, for each of its ports.
struct Sockets(Vec<u16>);

impl Drop for Sockets {
    fn drop(&mut self) {
        for (part, ports) in PARTS.iter().zip(self.0.chunks(2)) {
            for name in [format!("{part}-{}", ports[0]), format!("{part}-grpc-{}", ports[1])] {
                // Not every part has both.
                let _ = fs::remove_file(format!("/tmp/seaweedfs-{name}.sock"));
            }
        }
    }
}
