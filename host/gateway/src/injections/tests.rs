use countersign::clock::FixedClock;
use serde_json::Value as Json;

use super::*;

fn line(request: &str) -> Injection<'_> {
    Injection {
        at: 5,
        request,
        client: "skc_1",
        connection: "desk-1",
        identifier: "a \"b\"\n",
        account: "ca_1",
        provider: None,
        outcome: "sent",
        status: Some(200),
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock(1_800_000_000_000))
}

fn open_in(folder: &Path) -> Injections {
    Injections::open(folder, clock(), Counter::default()).unwrap()
}

fn lines(folder: &Path) -> Vec<Json> {
    let text = fs::read_to_string(folder.join(NAME)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_injection_is_one_line_and_none_is_lost_at_an_orderly_end() {
    let folder = tempfile::tempdir().unwrap();
    for nth in 0..2 {
        let injections = open_in(folder.path());
        for _ in 0..100 {
            injections.note(&line("r"));
        }
        injections.close();
        injections.note(&line("late"));
        assert_eq!(injections.lost.get(), 1);
        assert_eq!(lines(folder.path()).len(), 100 * (nth + 1));
    }
    let expected = serde_json::json!({"at": 5, "request": "r", "client": "skc_1",
        "connection": "desk-1", "identifier": "a \"b\"\n", "account": "ca_1", "outcome": "sent",
        "status": 200});
    assert_eq!(lines(folder.path())[0], expected);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    drop(open_in(folder.path()));
    let mode = fs::metadata(folder.path().join(NAME)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_line_that_a_crash_has_cut_does_not_swallow_the_next() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(NAME), "{\"at\":1}\n{\"at\":2,\"req").unwrap();
    let injections = open_in(folder.path());
    injections.note(&line("next"));
    injections.close();
    let text = fs::read_to_string(folder.path().join(NAME)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(serde_json::from_str::<Json>(lines[2]).unwrap()["request"], "next");
}

#[test]
fn a_long_file_is_put_aside_and_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    for nth in 0..MOST_FILES + 3 {
        fs::write(folder.path().join(format!("injections-{nth:013}.jsonl")), "").unwrap();
    }
    fs::write(folder.path().join("another.jsonl"), "").unwrap();
    File::create(folder.path().join(NAME)).unwrap().set_len(LONGEST_FILE).unwrap();
    let mut journal = Journal::open(folder.path(), clock()).unwrap();
    journal.write(b"{}\n").unwrap();
    journal.write(b"{}\n").unwrap();
    assert_eq!(lines(folder.path()).len(), 2);
    let names = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> =
        names.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), MOST_FILES + 2, "{names:?}");
    assert_eq!(names[0], "another.jsonl");
    assert!(names.contains(&"injections-1800000000000.jsonl".to_owned()), "{names:?}");
    assert!(!names.contains(&format!("injections-{:013}.jsonl", 3)), "{names:?}");
}

/// A disk that stands still must not take the memory, nor hold up requests.
#[test]
fn what_waits_is_bounded() {
    let shared = Arc::new(Shared { waiting: Mutex::default(), wake: Condvar::new() });
    let injections = Injections { shared, writer: Mutex::new(None), lost: Counter::default() };
    let mut kept = 0_usize;
    while injections.lost.get() == 0 {
        injections.note(&line("r"));
        kept += 1;
    }
    assert!(kept > 10_000 && injections.shared.lock().lines.len() < MOST_WAITING + 1000, "{kept}");
}

#[cfg(target_os = "linux")]
#[test]
fn lines_that_a_full_disk_does_not_take_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join(NAME)).unwrap();
    let injections = open_in(folder.path());
    for _ in 0..5 {
        injections.note(&line("r"));
    }
    injections.close();
    assert_eq!(injections.lost.get(), 5);
}
