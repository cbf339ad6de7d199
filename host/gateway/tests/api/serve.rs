//! A server to be called by other programs.

use std::path::PathBuf;

use crate::scene::Scene;

/// Where `COUNTERSIGN_SERVE` names a file, serves until it is killed, and writes its URL and a token
/// into that file, a line each: for `tests/schemathesis/run.sh`. Does nothing otherwise.
#[tokio::test]
async fn serves_where_it_is_told_to() {
    let Some(file) = std::env::var_os("COUNTERSIGN_SERVE").map(PathBuf::from) else { return };
    let scene = Scene::new().await;
    let part = file.with_extension("part");
    std::fs::write(&part, format!("{}\n{}\n", scene.url, scene.token)).unwrap();
    std::fs::rename(part, file).unwrap();
    std::future::pending::<()>().await;
}
