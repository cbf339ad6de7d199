//! A component and its cases, ready to be run.

use std::path::{Path, PathBuf};

use countersign::registry::GuestInfo;
use countersign::sandbox::Profile;
use serde_json::Value as Json;

use crate::bench::{self, Bench, Runner};
use crate::bless;
use crate::case::{Case, Tested};
use crate::checks::{self, Tried};
use crate::error::{Flawed, KitError};
use crate::expectation::differences;
use crate::file::{self, CaseFile};
use crate::report::{CaseReport, Report};
use crate::stage::Stage;

/// See the crate's own page.
pub struct Kit {
    component: Vec<u8>,
    profile: Profile,
    stage: Stage,
    files: Vec<CaseFile>,
    only: Vec<String>,
}

impl Kit {
    /// Loads a component; `name` is what it is called in the report. Takes as long as compiling
    /// takes.
    pub fn new(name: &str, component: &[u8]) -> Result<Self, KitError> {
        Self::with_cache(name, component, None)
    }

    /// The same with a folder for compiled code, which must be its owner's alone.
    pub fn with_cache(
        name: &str,
        component: &[u8],
        cache: Option<&Path>,
    ) -> Result<Self, KitError> {
        Self::under(Profile::Plain, name, component, cache)
    }

    /// The same for a component that may carry an interpreter: under the limits that an operator chooses
    /// for it.
    pub fn under(
        profile: Profile,
        name: &str,
        component: &[u8],
        cache: Option<&Path>,
    ) -> Result<Self, KitError> {
        let stage = Stage::open(name, component, cache, profile)?;
        let component = component.to_vec();
        Ok(Self { component, profile, stage, files: Vec::new(), only: Vec::new() })
    }

    /// Adds the cases of a file, or of every `.json` file below a folder. On `Err` all that is
    /// wrong with them is told.
    pub fn cases_in(mut self, path: impl AsRef<Path>) -> Result<Self, KitError> {
        let mut paths = file::files(path.as_ref())?;
        // A file that was named by itself and with its folder runs once.
        paths.retain(|path| !self.files.iter().any(|file| is_same(&file.path, path)));
        self.files.extend(file::read(&paths, &Tested(self.stage.info()))?);
        Ok(self)
    }

    /// Adds the cases of a document; `name` stands for it where it has flaws.
    pub fn cases_of(mut self, name: &str, json: Json) -> Result<Self, KitError> {
        let mut flawed = Flawed::default();
        let parsed =
            file::parse(Path::new(name), Vec::new(), json, &Tested(self.stage.info()), &mut flawed);
        self.files.push(parsed.ok_or(KitError::Cases(flawed))?);
        Ok(self)
    }

    /// Runs this case alone, or with others that were named so.
    pub fn only(mut self, case: &str) -> Self {
        self.only.push(case.to_owned());
        self
    }

    /// The component, as the host sees it.
    pub fn component(&self) -> &GuestInfo {
        self.stage.info()
    }

    /// The files that its cases are from.
    pub fn files(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }

    /// Runs every case, and then the checks.
    pub fn run(&self) -> Report {
        // A runtime cannot be waited for on a thread of another, and a test may be on one.
        std::thread::scope(|threads| {
            let report = threads.spawn(|| self.run_here()).join();
            report.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Measures what it costs to make the requests of the cases ready, beside the first case of `peer`,
    /// in so many rounds. In the sandbox as it serves requests: nothing is witnessed here.
    pub fn bench(&self, peer: &Self, rounds: usize) -> Result<Bench, KitError> {
        std::thread::scope(|threads| {
            let measured = threads.spawn(|| bench::measure(&self.runner(), &peer.runner(), rounds));
            measured.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    pub(crate) fn runner(&self) -> Runner<'_> {
        Runner {
            name: &self.stage.info().name,
            component: &self.component,
            profile: self.profile,
            cases: self.chosen().map(|it| it.1).collect(),
        }
    }

    /// The cases that are run, each with its file.
    fn chosen(&self) -> impl Iterator<Item = (&CaseFile, &Case)> {
        let cases = self.files.iter().flat_map(|file| file.cases.iter().map(move |it| (file, it)));
        cases.filter(|(_, case)| self.only.is_empty() || self.only.contains(&case.name))
    }

    /// Writes what was found into `expect` of the cases that differ, and gives the files that it
    /// has changed. What the checks found is left for whoever wrote the plugin to mend, and so is a case
    /// whose run is itself at fault ([`CaseReport::may_be_blessed`]): a mistake would be expected then.
    pub fn bless(&self, report: &Report) -> Result<Vec<PathBuf>, KitError> {
        bless::write(&self.files, report)
    }

    fn run_here(&self) -> Report {
        let (files, tried): (Vec<_>, Vec<_>) = self
            .chosen()
            .map(|(file, case)| (file, Tried { case, run: self.stage.run(&case.inputs) }))
            .unzip();
        let checked = checks::all(&self.stage, &tried);
        let cases =
            files.iter().zip(&tried).zip(&checked.faulty).map(|((file, tried), is_faulty)| {
                let Tried { case, run } = tried;
                let blessed = (!is_faulty).then(|| bless::blessed(case, run));
                CaseReport::new(&file.path, case, run, differences(case, run), blessed)
            });
        let cases = cases.collect();
        Report::new(self.stage.info(), &self.only, cases, checked)
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    one == other
        || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
