//! `countersign plugin build` of projects in JavaScript and in Python, with a stand-in for the language's
//! tool that leaves a component as the tool would: that the tools themselves do is for `cargo xtask check`.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;

use countersign_hostile::{Guest, Val, answer};
use serde_json::json;

use super::*;

/// Pages that an interpreter begins with: more than a plugin in Rust may have.
const PAGES: u64 = 200;
const NEEDS: &[&str] = &["write header/authorization"];

fn guest() -> Guest {
    Guest::auth(answer::descriptor(&["X_MY_API"], &[], NEEDS, "{}".into())).pages(PAGES)
}

/// A new project, with what stands in for its tool.
struct Project {
    files: Files,
    root: String,
    /// Where programs are looked for.
    path: String,
    tool: PathBuf,
    script: String,
}

impl Project {
    fn of(language: &str) -> Self {
        let files = Files::new();
        let [root, path] = ["my-api", "programs"].map(|name| files.path(name));
        assert_eq!(run(&["plugin", "new", "my-api", "--lang", language, "--dir", &root]).code, 0);
        std::fs::create_dir(&path).unwrap();
        let tool = if language == "js" {
            for package in ["@bytecodealliance/componentize-js", "esbuild"] {
                let folder = Path::new(&root).join("node_modules").join(package);
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(folder.join("package.json"), "{}").unwrap();
            }
            Path::new(&path).join("node")
        } else {
            let folder = Path::new(&root).join(".venv/bin");
            std::fs::create_dir_all(&folder).unwrap();
            folder.join("componentize-py")
        };
        // The last argument is the file to write.
        let script = format!(
            "#!/bin/sh\n\
             /usr/bin/env > '{}'\n\
             printf '%s ' \"$@\" > '{}'\n\
             echo said-by-the-tool\n\
             for last; do :; done\n\
             /bin/cp '{}' \"$last\"\n",
            files.path("environment"),
            files.path("arguments"),
            files.path("component"),
        );
        Self { files, root, path, tool, script }
    }

    fn both() -> [Self; 2] {
        ["js", "python"].map(Self::of)
    }

    /// Runs `plugin build`, where the tool leaves this.
    fn build(&self, component: &[u8], more: &[&str]) -> Run {
        self.files.bytes("component", component);
        self.run(&self.script, more)
    }

    /// The same with another tool.
    fn run(&self, script: &str, more: &[&str]) -> Run {
        std::fs::write(&self.tool, script).unwrap();
        std::fs::set_permissions(&self.tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        let variables = [
            ("PATH", self.path.as_str()),
            ("VIRTUAL_ENV", ""),
            ("COUNTERSIGN_CLIENT_SECRET", "sks_canary"),
            ("OTHER", "stays"),
        ];
        run_in(&[&["plugin", "build", &self.root], more].concat(), b"", &variables)
    }

    fn component(&self) -> PathBuf {
        Path::new(&self.root).join("my-api.wasm")
    }

    fn left(&self, name: &str) -> String {
        std::fs::read_to_string(self.files.path(name)).unwrap()
    }
}

#[test]
fn what_a_languages_tool_makes_is_loaded_with_an_interpreters_limits_and_written() {
    for project in Project::both() {
        let text = project.build(&guest().build().unwrap(), &[]);
        assert_eq!(text.code, 0, "{}", text.err);
        for shown in
            ["X_MY_API", "accepted    yes", "memory      200 pages", "--interpreted my-api"]
        {
            assert!(text.out.contains(shown), "{shown}: {}", text.out);
        }
        // What the tool says is no part of the answer.
        assert!(text.err.contains("said-by-the-tool"), "{}", text.err);
        let json = project.build(&guest().build().unwrap(), &["--json"]).json();
        assert_eq!((&json["accepted"], &json["pages"]), (&json!(true), &json!(PAGES)));
        assert!(json["notes"][0].as_str().unwrap().contains("interpreted.plugins"), "{json:#}");
        assert!(project.component().is_file());
        assert!(project.left("arguments").contains("auth-plugin"));
    }
}

/// Packages of npm and modules of Python run as they like when they are built.
#[test]
fn a_languages_tool_has_no_secret_of_a_gateway_in_its_environment() {
    for project in Project::both() {
        assert_eq!(project.build(&guest().build().unwrap(), &[]).code, 0);
        let environment = project.left("environment");
        assert!(environment.contains("OTHER=stays"), "{environment}");
        assert!(!environment.contains("COUNTERSIGN_"), "{environment}");
    }
}

#[test]
fn the_world_that_the_manifest_names_is_the_one_that_is_built() {
    let about = r#"{"name": "pasted", "title": "As it was pasted", "reads": []}"#;
    for (project, manifest) in Project::both().into_iter().zip(["package.json", "pyproject.toml"]) {
        let manifest = Path::new(&project.root).join(manifest);
        let text = std::fs::read_to_string(&manifest).unwrap();
        std::fs::write(&manifest, text.replace("auth-plugin", "mutation-plugin")).unwrap();
        let component = Guest::mutation(Val::from(about)).pages(PAGES).build().unwrap();
        let json = project.build(&component, &["--json"]).json();
        assert_eq!((&json["mutation"], &json["accepted"]), (&json!("pasted"), &json!(true)));
        assert!(project.left("arguments").contains("mutation-plugin"));
    }
}

#[test]
fn what_no_host_would_run_of_a_language_is_refused_and_the_last_build_stays() {
    let wasi = r#"(component (import "wasi:clocks/wall-clock@0.2.6" (instance)))"#;
    let large = heavy(guest().build().unwrap());
    let pages = guest().pages(600).build().unwrap();
    for project in Project::both() {
        std::fs::write(project.component(), "the last one").unwrap();
        for (component, reasons) in [
            (wat::parse_str(wasi).unwrap(), ["it imports wasi:clocks/wall-clock@0.2.6", "outside"]),
            (
                pages.clone(),
                ["600 pages, 38400 KiB; an instance has 32768 KiB", "what is imported"],
            ),
            (large.clone(), ["bytes; a host reads 33554432 at most", "a dependency that is large"]),
            (b"no component".to_vec(), ["does not make a component", ""]),
        ] {
            let run = project.build(&component, &[]);
            assert_eq!((run.code, run.out.as_str()), (1, ""), "{reasons:?}");
            assert!(run.err.contains("error[component_refused]: "), "{}", run.err);
            for reason in reasons {
                assert!(run.err.contains(reason), "{reason}: {}", run.err);
            }
            assert_eq!(std::fs::read_to_string(project.component()).unwrap(), "the last one");
        }
        let run = project.run("#!/bin/sh\necho line 7 is wrong\nexit 3\n", &[]);
        assert_eq!((run.code, run.out.as_str()), (1, ""));
        assert!(run.err.contains("line 7 is wrong\n"), "{}", run.err);
        assert!(run.err.contains("error[build_failed]: componentize-"), "{}", run.err);
    }
}

/// The component with 33 MiB of data in a module that nothing uses.
fn heavy(mut component: Vec<u8>) -> Vec<u8> {
    const BYTES: usize = 33 << 20;
    // Four bytes of LEB128 hold 28 bits; all but the last say that more come.
    let number = |of: usize| {
        let bits = |by: usize| u8::try_from(of >> by & 0x7f).unwrap();
        [bits(0) | 0x80, bits(7) | 0x80, bits(14) | 0x80, bits(21)]
    };
    // One passive segment: its kind, its length, its bytes.
    let segment = [&[1, 1][..], &number(BYTES)].concat();
    let data = [&[11][..], &number(segment.len() + BYTES), &segment].concat();
    let module = [b"\0asm\x01\0\0\0", &data[..]].concat();
    component.push(1);
    component.extend(number(module.len() + BYTES));
    component.extend(module);
    component.resize(component.len() + BYTES, 7);
    component
}

#[test]
fn a_tool_that_is_missing_is_told_with_how_to_get_it() {
    for (language, missing, cures) in [
        ("js", "node_modules/esbuild", ["the package esbuild is missing", "`npm install`"]),
        (
            "js",
            "node_modules/@bytecodealliance",
            ["the package @bytecodealliance/componentize-js is missing", "`npm install`"],
        ),
        ("js", "../programs", ["node is missing", "install Node.js, 20 or newer"]),
        ("python", ".venv", ["componentize-py is missing", "pip install -r requirements.txt"]),
    ] {
        let project = Project::of(language);
        std::fs::write(&project.tool, &project.script).unwrap();
        std::fs::remove_dir_all(Path::new(&project.root).join(missing)).unwrap();
        let variables = [("PATH", project.path.as_str()), ("VIRTUAL_ENV", "")];
        let run = run_in(&["plugin", "build", &project.root], b"", &variables);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{missing}");
        assert!(run.err.contains("error[tool_missing]: "), "{missing}: {}", run.err);
        for cure in cures {
            assert!(run.err.contains(cure), "{cure}: {}", run.err);
        }
        assert!(!project.component().exists());
    }
}

#[test]
fn the_tool_of_the_venv_that_is_active_serves_where_the_project_has_none() {
    let project = Project::of("python");
    let venv = project.files.path("active");
    std::fs::rename(Path::new(&project.root).join(".venv"), &venv).unwrap();
    let tool = Path::new(&venv).join("bin/componentize-py");
    std::fs::write(&tool, &project.script).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    project.files.bytes("component", &guest().build().unwrap());
    let variables = [("PATH", project.path.as_str()), ("VIRTUAL_ENV", &venv)];
    let run = run_in(&["plugin", "build", &project.root], b"", &variables);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn the_sdk_is_for_rust_alone() {
    let files = Files::new();
    let new = files.path("new");
    let run = run(&["plugin", "new", "my-api", "--lang", "js", "--sdk", "0.1", "--dir", &new]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("--sdk is for Rust"), "{}", run.err);
    assert!(!Path::new(&new).exists());
}
