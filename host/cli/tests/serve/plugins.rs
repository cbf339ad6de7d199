//! Plugins that come while the server runs.

use std::io::Write as _;

use rustix::process::Signal;

use crate::process::Process;

#[test]
fn a_plugin_that_is_dropped_into_the_folder_serves() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::serve(folder.path(), &[]);
    let file = folder.path().join("plugins/example.wasm");
    std::fs::write(&file, countersign_bundle::example().bytes).unwrap();
    server.logs("plugin serves");
    std::fs::remove_file(&file).unwrap();
    server.logs("plugin is gone");
}

/// Whoever starts a server with one in JavaScript for the first time waits while it is compiled.
#[test]
fn a_large_plugin_is_told_of_before_it_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::serve(folder.path(), &[]);
    let mut large = countersign_bundle::example().bytes.to_vec();
    // A section that nobody reads, of 2 MiB and two bytes, which begins with a name of one byte.
    large.extend([0, 0x82, 0x80, 0x80, 0x01, 1, b'x']);
    large.resize(large.len() + (2 << 20), 0);
    let file = folder.path().join("plugins/large.wasm");
    std::fs::write(&file, large).unwrap();
    server.logs("loading, for up to a minute");
    assert!(!server.log().contains("plugin serves"), "{}", server.log());
    server.logs("plugin serves");
}

#[test]
fn a_plugin_that_comes_in_two_halves_is_waited_for_and_not_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::serve(folder.path(), &[]);
    let bytes = countersign_bundle::example().bytes;
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut file = std::fs::File::create(folder.path().join("plugins/example.wasm")).unwrap();
    file.write_all(first).unwrap();
    server.logs("is waited for");
    file.write_all(second).unwrap();
    server.logs("plugin serves");
    assert!(!server.log().contains("refused"), "{}", server.log());
}

#[test]
fn what_is_refused_is_logged_once_and_not_at_each_look() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::serve(folder.path(), &[]);
    let plugins = folder.path().join("plugins");
    std::fs::write(plugins.join("garbage.wasm"), "garbage").unwrap();
    server.logs("component refused");
    // Two looks later.
    let half = &countersign_bundle::example().bytes[..1000];
    std::fs::write(plugins.join("half.wasm"), half).unwrap();
    server.logs("is waited for");
    let ended = server.stop();
    assert_eq!(ended.err.matches("component refused").count(), 1, "{}", ended.err);
    assert_eq!(ended.err.matches("is waited for").count(), 1, "{}", ended.err);
}

#[test]
fn sighup_reads_the_folder_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::serve(folder.path(), &[]);
    let file = folder.path().join("plugins/example.wasm");
    std::fs::write(&file, countersign_bundle::example().bytes).unwrap();
    server.signal(Signal::HUP);
    server.logs("reloaded");
    assert!(server.log().contains("plugin serves"), "{}", server.log());
}
