//! What the operating system tells the process.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Who is ended by a signal ends with this and the signal's number.
const BY_SIGNAL: i32 = 128;

/// From here on no signal ends the process but through this.
pub(crate) struct Signals {
    stop: Stop,
    reload: Signal,
}

/// SIGTERM and SIGINT.
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { stop: Stop { terminate, interrupt }, reload: signal(SignalKind::hangup())? })
    }

    /// What ends the process, and SIGHUP.
    pub(crate) fn split(self) -> (Stop, Signal) {
        (self.stop, self.reload)
    }
}

impl Stop {
    /// Waits for the first of them. From then on the next one ends the process at once.
    pub(crate) async fn first(mut self) {
        self.next().await;
        tracing::info!("told to stop; once more ends at once");
        tokio::spawn(async move {
            let kind = self.next().await;
            tracing::warn!("ended at once");
            std::process::exit(BY_SIGNAL + kind.as_raw_value());
        });
    }

    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
        }
    }
}
