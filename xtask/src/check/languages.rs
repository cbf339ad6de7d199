//! Plugins in JavaScript and in Python: a new project of each builds and answers as its vectors say, and
//! so do the examples of examples/plugins, one of each world, by the helpers for vitest and pytest that a
//! project has.
//!
//! From source, with the tools that a project pins, which are installed under `target/`. Compiled
//! components are kept there too.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value as Json, json};

use super::{built, curl::output, node, upstream::seen, venv};

/// A folder of examples/plugins, and the world that its plugin is of.
type Example = (&'static str, &'static str);

const JAVASCRIPT: [Example; 3] =
    [("js", PLAIN), ("js-login", "flow-plugin"), ("js-mutation", "mutation-plugin")];
const PYTHON: [Example; 3] =
    [("python", PLAIN), ("python-login", "flow-plugin"), ("python-mutation", "mutation-plugin")];
/// The world of a new project.
const PLAIN: &str = "auth-plugin";

/// A new project in JavaScript, and the examples.
pub(super) fn javascript(root: &Path) -> Result<String> {
    let programs = node::installed(root)?;
    let project = Project::new(root, "two-places", "js", std::slice::from_ref(&programs))?;
    // Where node looks after the project itself, which is made anew each time.
    let above = project.folder.parent().context("it has no parent")?.to_owned();
    let wanted = fs::read_to_string(project.folder.join("package.json"))?;
    let tools = node::packages(&programs, &above, &wanted)?.join(".bin");
    let size = project.answers()?;
    output(&mut project.command(tools.join("tsc")))?;
    let mut passed = 0;
    for example in JAVASCRIPT {
        project.becomes(root, example, "package.json")?;
        output(&mut project.command(tools.join("tsc")))?;
        project.build()?;
        let mut vitest = project.command(tools.join("vitest"));
        let report = output(vitest.args(["run", "--reporter=json"]))?;
        let report: Json = serde_json::from_str(&report).with_context(|| report.clone())?;
        let (found, all) =
            (report["numPassedTests"].as_u64().unwrap_or_default(), project.tests()?);
        ensure!(found == all, "{}: {found} tests passed of {all}", example.0);
        passed += all;
    }
    Ok(format!("{size} bytes; {} examples pass {passed} tests", JAVASCRIPT.len()))
}

/// A new project in Python, and the examples.
pub(super) fn python(root: &Path) -> Result<String> {
    let project = Project::new(root, "signed-body", "python", &[])?;
    let wanted = fs::read_to_string(project.folder.join("requirements.txt"))?;
    let packages: Vec<&str> = wanted.lines().collect();
    let programs = venv::installed(root, "componentize-py", &packages)?;
    let project = Project { programs: vec![programs.clone()], ..project };
    let size = project.answers()?;
    let mut passed = 0;
    for example in PYTHON {
        project.becomes(root, example, "pyproject.toml")?;
        project.build()?;
        let report = output(project.command(programs.join("pytest")).arg("-q"))?;
        let all = project.tests()?;
        ensure!(report.contains(&format!("{all} passed")), "{}: not {all}:\n{report}", example.0);
        passed += all;
    }
    Ok(format!("{size} bytes; {} examples pass {passed} tests", PYTHON.len()))
}

/// A project that the command has made, and what it is worked on with.
struct Project {
    name: &'static str,
    folder: PathBuf,
    command: PathBuf,
    cache: PathBuf,
    /// Folders of programs, to be found first.
    programs: Vec<PathBuf>,
}

impl Project {
    fn new(root: &Path, name: &'static str, language: &str, programs: &[PathBuf]) -> Result<Self> {
        let command = built::folder(root)?.join("countersign");
        let (folder, cache) = (root.join("target/check").join(language), built::cache(root));
        fs::create_dir_all(&folder)?;
        let folder = folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let project = Self { name, folder, command, cache, programs: programs.to_vec() };
        let place = project.folder.to_str().context("a path is not UTF-8")?;
        output(
            Command::new(&project.command)
                .args(["plugin", "new", name, "--lang", language, "--dir", place]),
        )?;
        Ok(project)
    }

    /// A program in the project's folder, by its name or its path.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let program = program.as_ref();
        let found = self.programs.iter().map(|it| it.join(program)).find(|it| it.is_file());
        let mut command = Command::new(found.unwrap_or_else(|| program.to_owned()));
        command
            .current_dir(&self.folder)
            .envs(node::path(&self.programs).map(|path| ("PATH", path)))
            .env("COUNTERSIGN", &self.command)
            .env("COUNTERSIGN_CACHE", &self.cache);
        command
    }

    /// Builds it; what `--json` says of it.
    fn build(&self) -> Result<Json> {
        let built = output(self.command(&self.command).args(["plugin", "build", "--json"]))?;
        let built: Json = serde_json::from_str(&built)?;
        ensure!(built["accepted"] == true, "no host would accept it: {built:#}");
        Ok(built)
    }

    /// Builds the project as it is made, and sees it put on a request what its vectors say. Its size.
    fn answers(&self) -> Result<u64> {
        let built = self.build()?;
        let imports = json!(["countersign:auth/context@0.1.0", "countersign:auth/types@0.1.0"]);
        ensure!(built["imports"] == imports, "{built:#}");
        let inputs = ["--provider", "provider.json", "--account", "account.json"];
        let mut inject = self.command(&self.command);
        inject.args(["inject", "--plugins", "."]).args(inputs);
        inject.args(["--reveal", "--json", "--now", "2023-11-14T22:13:20Z", "/v1/things"]);
        let answer: Json =
            serde_json::from_str(&output(inject.args(["--interpreted", self.name]))?)?;
        let vectors = self.vectors()?;
        let expected = vectors.pointer("/cases/0/expect/edits/0/2").and_then(Json::as_str);
        let expected = expected.context("the first vector has no credential")?;
        let found = seen(&answer, "authorization");
        ensure!(found == [expected], "{found:?} where {expected} was expected");
        built["size"].as_u64().context("it has no size")
    }

    /// Puts the files of an example over it, and its world into the manifest.
    fn becomes(&self, root: &Path, (example, world): Example, manifest: &str) -> Result<()> {
        let example = root.join("examples/plugins").join(example);
        for part in ["src", "vectors"] {
            fs::remove_dir_all(self.folder.join(part))?;
            fs::create_dir(self.folder.join(part))?;
            for entry in fs::read_dir(example.join(part))? {
                let path = entry?.path();
                let Some(name) = path.file_name() else { bail!("{} has no name", path.display()) };
                if path.is_file() {
                    fs::copy(&path, self.folder.join(part).join(name))?;
                }
            }
        }
        let path = self.folder.join(manifest);
        let quoted = |world: &str| format!("\"{world}\"");
        let worlds = JAVASCRIPT.iter().map(|it| quoted(it.1));
        let said =
            worlds.fold(fs::read_to_string(&path)?, |text, it| text.replace(&it, &quoted(world)));
        ensure!(said.contains(&quoted(world)), "the manifest names no world:\n{said}");
        Ok(fs::write(&path, said)?)
    }

    fn vectors(&self) -> Result<Json> {
        Ok(serde_json::from_slice(&fs::read(self.folder.join("vectors/authorize.json"))?)?)
    }

    /// Of its helper: one a case, one for the checks, one that there is any.
    fn tests(&self) -> Result<u64> {
        let mut cases = 0;
        for entry in fs::read_dir(self.folder.join("vectors"))? {
            let file: Json = serde_json::from_slice(&fs::read(entry?.path())?)?;
            cases += file["cases"].as_array().or(file.as_array()).map_or(0, Vec::len);
        }
        Ok(u64::try_from(cases)? + 2)
    }
}
