//! `countersign plugin new` and `plugin build`, as far as they need no compiler for WebAssembly: that a
//! project builds and serves is for `cargo xtask check`.

use std::path::Path;

use countersign_hostile::{Guest, answer};
use serde_json::json;

use super::*;

/// Files of a folder, at any depth, with what is in them.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found.sort();
    found
}

#[test]
fn a_new_project_has_the_names_that_were_asked_for() {
    let folder = Files::new();
    let [first, second] = ["first", "second"].map(|name| folder.path(name));
    let text = run(&["plugin", "new", "my-api", "--dir", &first]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    assert!(
        text.out.contains("X_MY_API") && text.out.contains("countersign plugin build"),
        "{}",
        text.out
    );
    let more = ["--dir", &second, "--auth-type", "ACME", "--json"];
    let made = run(&[&["plugin", "new", "my-api"][..], &more].concat()).json();
    assert_eq!(made, json!({"project": second, "name": "my-api", "auth_type": "ACME"}));
    for (project, auth_type) in [(&first, "\"X_MY_API\""), (&second, "\"ACME\"")] {
        let files = files(Path::new(project));
        let count = files.iter().filter(|(_, text)| text.contains(auth_type)).count();
        assert!(count >= 2, "{auth_type} is in {count} files");
        for needed in ["Cargo.toml", "README.md", "sdk/src/lib.rs", "wit/authorizer.wit"] {
            assert!(files.iter().any(|(path, _)| path.ends_with(needed)), "{needed}");
        }
    }
    // The provider's payload is one that a host would take.
    let payload = format!("{second}/provider.json");
    let check = run(&["provider", "check", &payload, "--json", "--log", "off"]);
    assert!(!check.out.contains("display_name"), "{}", check.out);
}

#[test]
fn a_project_that_cannot_be_made_leaves_everything_as_it_was() {
    let folder = Files::new();
    let there = folder.bytes("there", b"mine");
    let new = folder.path("new");
    let base = folder.0.path().to_str().unwrap();
    for (arguments, code, reason) in [
        (&["my-api", "--dir", there.as_str()][..], 1, "error[project_invalid]"),
        (&["my-api", "--dir", base], 1, "error[project_invalid]"),
        (&["my-api", "--dir", &new, "--sdk", base], 1, "error[project_invalid]"),
        (&["my-api", "--dir", &new, "--sdk", "no/such"], 2, "neither a folder"),
        (&["My_Api", "--dir", &new], 2, "lower-case"),
        (&["test", "--dir", &new], 2, "means something else"),
        (&["my-api", "--dir", &new, "--auth-type", "x-y"], 2, "upper-case"),
    ] {
        let run = run(&[&["plugin", "new"], arguments].concat());
        assert_eq!(run.code, code, "{arguments:?}: {}", run.err);
        assert!(run.err.contains(reason), "{arguments:?}: {}", run.err);
    }
    assert_eq!(files(folder.0.path()), [(PathBuf::from(there), "mine".to_owned())]);
}

#[test]
fn what_cannot_be_built_is_told_with_what_to_do() {
    let folder = Files::new();
    let empty = folder.0.path().to_str().unwrap();
    let project = folder.path("my-api");
    assert_eq!(run(&["plugin", "new", "my-api", "--dir", &project]).code, 0);
    let cargo = env!("CARGO");
    for (at, cargo, code, cure) in [
        (empty, cargo, "project_invalid", "countersign plugin new"),
        (&project, "no-such-cargo", "tool_missing", "install Rust"),
        // Without a path there is no compiler, or no linker beside Debian's.
        (&project, cargo, "tool_missing", "rustup target add wasm32-unknown-unknown"),
        (&project, cargo, "tool_missing", "rustc-web rust-web-src lld-19"),
    ] {
        let run = run_in(&["plugin", "build", at], b"", &[("PATH", empty), ("CARGO", cargo)]);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{cure}");
        assert!(run.err.contains(&format!("error[{code}]")), "{cure}: {}", run.err);
        assert!(run.err.contains(cure), "{cure}: {}", run.err);
    }
    assert!(!Path::new(&project).join("my-api.wasm").exists());
}

/// A project, with stand-ins for the compiler that leave a core module as it would.
#[cfg(unix)]
struct Toolchain {
    files: Files,
    project: String,
}

#[cfg(unix)]
impl Toolchain {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt as _;

        let files = Files::new();
        let project = files.path("my-api");
        assert_eq!(run(&["plugin", "new", "my-api", "--dir", &project]).code, 0);
        let sysroot = files.path("sysroot");
        let library = Path::new(&sysroot).join("lib/rustlib/wasm32-unknown-unknown/lib");
        std::fs::create_dir_all(library).unwrap();
        let cargo = format!(
            "#!/bin/sh\n[ $1 = metadata ] && exec '{}' \"$@\"\n\
             env > '{}'\n\
             out='{project}/target/wasm32-unknown-unknown/release'\n\
             mkdir -p $out && cp '{}' $out/my_api.wasm\n",
            env!("CARGO"),
            files.path("environment"),
            files.path("module"),
        );
        for (name, script) in
            [("cargo", cargo), ("rustc", format!("#!/bin/sh\necho '{sysroot}'\n"))]
        {
            let path = files.bytes(name, script.as_bytes());
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { files, project }
    }

    /// Runs `plugin build`, where the compiler leaves this.
    fn build(&self, module: &[u8], more: &[&str]) -> Run {
        self.files.bytes("module", module);
        let [cargo, rustc] = ["cargo", "rustc"].map(|name| self.files.path(name));
        let arguments = [&["plugin", "build", &self.project], more].concat();
        run_in(&arguments, b"", &[("CARGO", &cargo), ("RUSTC", &rustc)])
    }

    fn component(&self) -> PathBuf {
        Path::new(&self.project).join("my-api.wasm")
    }
}

#[cfg(unix)]
fn guest(auth_type: &str, needs: &[&str]) -> Guest {
    Guest::auth(answer::descriptor(&[auth_type], &[], needs, "{}".into()))
}

#[cfg(unix)]
const NEEDS: &[&str] = &["write header/authorization"];

#[test]
#[cfg(unix)]
fn what_is_built_is_loaded_and_written_where_it_was_asked_for() {
    let toolchain = Toolchain::new();
    let module = guest("X_MY_API", NEEDS).core().unwrap();
    let text = toolchain.build(&module, &[]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    for shown in
        ["X_MY_API", "write header/authorization", "accepted    yes", "memory      1 pages"]
    {
        assert!(text.out.contains(shown), "{shown}: {}", text.out);
    }
    let component = std::fs::read(toolchain.component()).unwrap();
    let inspected = run(&["plugin", "inspect", toolchain.component().to_str().unwrap()]);
    assert_eq!(inspected.code, 0, "{}", inspected.err);

    let folder = toolchain.files.path("plugins");
    std::fs::create_dir(&folder).unwrap();
    let file = toolchain.files.path("other.wasm");
    let in_folder = format!("{folder}/my-api.wasm");
    for (out, found) in [(&folder, &in_folder), (&file, &file)] {
        // The folder holds an earlier build from the second time on, which is no rival.
        for pages in [2, 1] {
            let module = guest("X_MY_API", NEEDS).pages(pages).core().unwrap();
            let more = ["--out", out, "--json", "--plugins", &folder];
            let json = toolchain.build(&module, &more).json();
            assert_eq!(json["source"], **found);
            assert_eq!((&json["accepted"], &json["pages"]), (&json!(true), &json!(pages)));
            assert_eq!(json["notes"], json!([]));
        }
        assert_eq!(std::fs::read(found).unwrap(), component);
    }
}

#[test]
#[cfg(unix)]
fn a_folder_that_is_asked_for_with_a_slash_is_made() {
    let toolchain = Toolchain::new();
    let folder = toolchain.files.path("new/plugins");
    let out = format!("{folder}/");
    // Not before there is something to put there.
    assert_eq!(toolchain.build(b"no module", &["--out", &out]).code, 1);
    assert!(!toolchain.files.0.path().join("new").exists());

    let module = guest("X_MY_API", NEEDS).core().unwrap();
    let found = format!("{folder}/my-api.wasm");
    for _ in 0..2 {
        let json = toolchain.build(&module, &["--out", &out, "--json"]).json();
        assert_eq!(json["source"], *found);
        assert!(Path::new(&found).is_file());
    }
    // Without it the path is a file's, in a folder that has to be there.
    for out in [format!("{found}/"), toolchain.files.path("no/such")] {
        let run = toolchain.build(&module, &["--out", &out]);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{out}");
        assert!(run.err.contains(&format!("error[output_failed]: {out}")), "{}", run.err);
    }
    assert!(!toolchain.files.0.path().join("no").exists());
}

#[test]
#[cfg(unix)]
fn what_no_host_would_run_is_refused_and_the_last_build_stays() {
    let toolchain = Toolchain::new();
    std::fs::write(toolchain.component(), "the last one").unwrap();
    // A type without parameters, and an import of it: `env.f`.
    let foreign = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x09\x01\x03env\x01f\0\0";
    let too_large = guest("X_MY_API", NEEDS).pages(200).core().unwrap();
    let wanting = guest("X_MY_API", &["conjure header/authorization"]).core().unwrap();
    let broken =
        guest("X_MY_API", NEEDS).body("describe", countersign_hostile::Body::code("unreachable"));
    for (module, reason) in [
        (&foreign[..], "it imports env.f, which is outside the contract: "),
        (&too_large, "its memory begins with 200 pages, 12800 KiB; an instance has 8192 KiB"),
        (&wanting, "needs are refused"),
        (&broken.core().unwrap(), "`describe` failed"),
        (b"no module", "does not make a component"),
    ] {
        let run = toolchain.build(module, &[]);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{reason}");
        assert!(run.err.contains("error[component_refused]: "), "{reason}: {}", run.err);
        assert!(run.err.contains(reason), "{reason}: {}", run.err);
        assert_eq!(std::fs::read_to_string(toolchain.component()).unwrap(), "the last one");
    }
    std::fs::remove_file(toolchain.files.path("module")).unwrap();
    let [cargo, rustc] = ["cargo", "rustc"].map(|name| toolchain.files.path(name));
    let variables = [("CARGO", cargo.as_str()), ("RUSTC", rustc.as_str())];
    let run = run_in(&["plugin", "build", &toolchain.project], b"", &variables);
    assert!(run.err.contains("error[build_failed]: cargo does not build my-api"), "{}", run.err);
}

/// cargo runs the build scripts of whatever crates the project has.
#[test]
#[cfg(unix)]
fn secrets_of_a_gateway_in_the_environment_are_kept_from_what_a_build_runs() {
    let toolchain = Toolchain::new();
    toolchain.files.bytes("module", &guest("X_MY_API", NEEDS).core().unwrap());
    let [cargo, rustc] = ["cargo", "rustc"].map(|name| toolchain.files.path(name));
    let variables = [
        ("CARGO", cargo.as_str()),
        ("RUSTC", rustc.as_str()),
        ("COUNTERSIGN_CLIENT_SECRET", "sks_canary"),
        ("OTHER", "stays"),
    ];
    let run = run_in(&["plugin", "build", &toolchain.project], b"", &variables);
    assert_eq!(run.code, 0, "{}", run.err);
    let environment = std::fs::read_to_string(toolchain.files.path("environment")).unwrap();
    assert!(environment.contains("OTHER=stays"), "{environment}");
    assert!(!environment.contains("COUNTERSIGN_"), "{environment}");
}

#[test]
#[cfg(unix)]
fn what_is_worth_a_second_look_is_told_beside_the_component() {
    let toolchain = Toolchain::new();
    let time = r#"(data "time not implemented on this platform")"#;
    for (guest, note) in [
        (guest("X_MY_API", NEEDS).pages(2), None),
        (guest("X_MY_API", NEEDS).pages(3), Some("more than 2 pages of memory")),
        (guest("X_MY_API", NEEDS).fields(time), Some("std::time")),
    ] {
        let json = toolchain.build(&guest.core().unwrap(), &["--json"]).json();
        let notes = json["notes"].as_array().unwrap();
        assert_eq!(notes.len(), usize::from(note.is_some()), "{note:?}: {notes:?}");
        assert!(note.is_none_or(|it| notes[0].as_str().unwrap().contains(it)), "{notes:?}");
    }
    // A rival may be settled by a pin, which the host's operator has to say. The help agrees.
    let help = run(&["plugin", "build", "--help"]).out;
    assert!(!help.contains("no host would accept"), "{help}");
    assert!(help.contains("Exit code 0 where another plugin has its auth type"), "{help}");
    let run = toolchain.build(&guest("BEARER", NEEDS).core().unwrap(), &["--json"]);
    assert_eq!((run.code, &run.json()["accepted"]), (0, &json!(false)));
    assert!(run.json()["reason"].as_str().unwrap().contains("BEARER is already served by"));
}
