//! Who used which credential: one line of JSON for each request whose account was found, whether it
//! went out or was refused.
//!
//! A line names the client, the request, the connection, the account, the provider, and what came of
//! it; never a value, a path, or anything of a reply. Lines are gathered in memory and written by a
//! thread of their own, at the latest [`EVERY`] after they came, and each batch is synchronized: a crash
//! loses at most a second's. A file that has grown to [`LONGEST_FILE`] is put aside under the time of
//! that; the last [`MOST_FILES`] of those are kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use countersign::clock::Clock;
use prometheus_client::metrics::counter::Counter;
use serde::Serialize;

/// Between two batches: half of the second that may be lost, so that a slow disk has the other half.
const EVERY: Duration = Duration::from_millis(500);

/// Bytes that wait to be written. Some 30,000 lines: where a disk falls that far behind, lines are
/// lost, and counted, before requests are held up.
const MOST_WAITING: usize = 8 << 20;

/// Bytes of a file.
const LONGEST_FILE: u64 = 64 << 20;

/// Files that were put aside.
const MOST_FILES: usize = 16;

/// One line.
#[derive(Serialize)]
pub(crate) struct Injection<'a> {
    /// Unix milliseconds.
    pub(crate) at: u64,
    pub(crate) request: &'a str,
    pub(crate) client: &'a str,
    pub(crate) connection: &'a str,
    pub(crate) identifier: &'a str,
    /// The account's id.
    pub(crate) account: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<&'a str>,
    /// `sent`, or a fault's code.
    pub(crate) outcome: &'a str,
    /// The upstream's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
}

/// Takes lines.
pub(crate) struct Injections {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
    lost: Counter,
}

struct Shared {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    closed: bool,
}

impl Injections {
    /// Begins, or goes on with, the file in this folder.
    ///
    /// `lost` counts lines that could not be kept.
    pub(crate) fn open(folder: &Path, clock: Arc<dyn Clock>, lost: Counter) -> io::Result<Self> {
        let mut journal = Journal::open(folder, clock)?;
        let shared = Arc::new(Shared { waiting: Mutex::default(), wake: Condvar::new() });
        let (of_writer, lost_by_writer) = (Arc::clone(&shared), lost.clone());
        let writer = std::thread::Builder::new().name("countersign-audit".to_owned());
        let writer = writer.spawn(move || {
            while let Some(lines) = of_writer.next() {
                if let Err(error) = journal.write(&lines) {
                    tracing::error!(%error, "the audit of injections could not be written");
                    lost_by_writer.inc_by(lines.split_inclusive(|it| *it == b'\n').count() as u64);
                }
            }
        })?;
        Ok(Self { shared, writer: Mutex::new(Some(writer)), lost })
    }

    /// One line more, unless there is no room for it.
    pub(crate) fn note(&self, injection: &Injection<'_>) {
        let mut waiting = self.shared.lock();
        if waiting.closed || waiting.lines.len() >= MOST_WAITING {
            self.lost.inc();
            return;
        }
        // Texts and numbers: nothing in it can fail to be written.
        let _ = serde_json::to_writer(&mut waiting.lines, injection);
        waiting.lines.push(b'\n');
    }

    /// Writes what is there, and takes no more.
    pub(crate) fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // It does not panic; if it did, there is nothing more to be done here.
            let _ = writer.join();
        }
    }
}

impl Drop for Injections {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch; `None` once it is closed and all is written.
    fn next(&self) -> Option<Vec<u8>> {
        let waiting = self.lock();
        let still_open = |waiting: &mut Waiting| !waiting.closed;
        let waited = self.wake.wait_timeout_while(waiting, EVERY, still_open);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        if waiting.closed && waiting.lines.is_empty() {
            return None;
        }
        Some(std::mem::take(&mut waiting.lines))
    }
}

/// The file.
struct Journal {
    folder: PathBuf,
    file: File,
    length: u64,
    clock: Arc<dyn Clock>,
}

const NAME: &str = "injections.jsonl";

impl Journal {
    fn open(folder: &Path, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (file, length) = open(&folder.join(NAME))?;
        Ok(Self { folder: folder.to_owned(), file, length, clock })
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.length > 0 && self.length + lines.len() as u64 > LONGEST_FILE {
            // The file that is there can be written on.
            if let Err(error) = self.put_aside() {
                tracing::warn!(%error, "the audit of injections could not be put aside");
            }
        }
        let written = self.file.write_all(lines).and_then(|()| self.file.sync_data());
        if written.is_err() {
            // Half a line may be there: the next batch begins one of its own.
            (self.file, self.length) = open(&self.folder.join(NAME))?;
            return written;
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    fn put_aside(&mut self) -> io::Result<()> {
        // Sorts as it was put aside.
        let aside = format!("injections-{:013}.jsonl", self.clock.unix_millis());
        fs::rename(self.folder.join(NAME), self.folder.join(aside))?;
        (self.file, self.length) = open(&self.folder.join(NAME))?;
        let mut old: Vec<PathBuf> = fs::read_dir(&self.folder)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                stem.starts_with("injections-") && path.extension().is_some_and(|it| it == "jsonl")
            })
            .collect();
        old.sort();
        for path in old.iter().rev().skip(MOST_FILES) {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

/// For its owner alone; after whole lines.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let mut length = file.metadata()?.len();
    if length > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
            length += 1;
        }
    }
    Ok((file, length))
}

#[cfg(test)]
mod tests;
