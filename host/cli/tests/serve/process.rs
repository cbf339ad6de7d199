//! A process of the command, ended with its test however that ends.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The machine may be busy; a test that waits as long has failed.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running command, and all that it has said so far.
pub(crate) struct Process {
    child: Child,
    out: Stream,
    err: Stream,
}

struct Stream {
    lines: Receiver<String>,
    said: String,
}

/// A command that has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The command, with nothing of this process's environment that would configure it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COUNTERSIGN_") {
            command.env_remove(name);
        }
    }
    // Compiling the bundle once is enough for all of these.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command-cache");
    command.args(arguments).env("COUNTERSIGN_CACHE", cache);
    command
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    Process::spawn(command(arguments)).ended()
}

impl Process {
    pub(crate) fn spawn(mut command: Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = Stream::of(child.stdout.take().unwrap());
        let err = Stream::of(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// A server on this folder, ready; more arguments as they come.
    pub(crate) fn serve(folder: &Path, more: &[&str]) -> Self {
        Self::serve_with(folder, more, &[])
    }

    /// The same with these variables.
    pub(crate) fn serve_with(folder: &Path, more: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut process = Self::begin(folder, more, variables);
        process.ready();
        process
    }

    /// The same, not waited for.
    pub(crate) fn begin(folder: &Path, more: &[&str], variables: &[(&str, &str)]) -> Self {
        let data = folder.to_str().unwrap();
        let mut command = command(&["serve", "--listen", "127.0.0.1:0", "--data", data]);
        command.args(more).envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// Waits for the line that says so.
    pub(crate) fn ready(&mut self) {
        let ready = self.out.wait("listening on ");
        assert!(ready, "it did not begin: {}{}", self.out.said, self.err.rest());
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        let line = self.out.said.lines().find_map(|line| line.strip_prefix("listening on "));
        line.unwrap()
    }

    /// What it has written to standard output.
    pub(crate) fn said(&self) -> &str {
        &self.out.said
    }

    /// Waits until the log holds this, after all that was waited for before.
    pub(crate) fn logs(&mut self, text: &str) {
        assert!(self.err.wait(text), "not logged: {text}\n{}", self.err.said);
    }

    /// The log, as far as it was waited for.
    pub(crate) fn log(&self) -> &str {
        &self.err.said
    }

    /// Its id, which is its own until it is waited for.
    pub(crate) fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.id(), signal).unwrap();
    }

    /// Tells it to stop, and waits for its end.
    pub(crate) fn stop(self) -> Ended {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Ended {
        // Both streams end with the process.
        let (out, err) = (self.out.rest(), self.err.rest());
        let code = self.child.wait().unwrap().code();
        Ended { code, out, err }
    }

    /// `COUNTERSIGN_CLIENT_…=` as it was shown at the first start.
    pub(crate) fn shown(&self, name: &str) -> Option<String> {
        shown(&self.out.said, name)
    }
}

/// A variable that was shown, among lines.
pub(crate) fn shown(text: &str, name: &str) -> Option<String> {
    let line = |line: &str| line.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
    text.lines().find_map(line)
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stream {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines, said: String::new() }
    }

    /// Whether a line with this comes in time.
    fn wait(&mut self, text: &str) -> bool {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else { return false };
            self.said.push_str(&line);
            self.said.push('\n');
            if line.contains(text) {
                return true;
            }
        }
    }

    /// All of it, to its end.
    fn rest(&mut self) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push_str(&line);
                    self.said.push('\n');
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {}", self.said),
            }
        }
        self.said.clone()
    }
}
