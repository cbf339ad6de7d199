//! The `countersign` command.

use std::process::ExitCode;

/// What a request allocates is small and gone soon, on whichever thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    countersign_cli::run()
}
