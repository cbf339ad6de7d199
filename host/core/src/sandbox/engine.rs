//! The wasmtime engine: what the sandbox is made of.
//!
//! The engine compiles ahead of time with Cranelift, takes every instance from a pool whose slots
//! are all reserved at start, and runs no guest that is asynchronous, threaded or collected.

use std::path::Path;

use wasmtime::{
    Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy,
    PoolingAllocationConfig,
};

use super::{Limits, SandboxError};

/// Address space kept for each memory where the default of 4 GiB each cannot be had.
const SMALL_RESERVATION_GUARD: u64 = 64 << 10;

/// Makes the engine.
///
/// Where the address space is too small for the pool (a container with a limit on virtual memory),
/// the pool is tried again with bounds-checked memories, which reserve only what they may use.
pub(super) fn start(
    limits: &Limits,
    cache: Option<Cache>,
    metered: Metered,
) -> Result<Engine, SandboxError> {
    let engine = match Engine::new(&config(limits, cache.clone(), Reservation::Full, metered)) {
        Ok(engine) => engine,
        Err(cause) => {
            tracing::warn!(%cause, "the address space is small: memories are bounds-checked");
            Engine::new(&config(limits, cache, Reservation::Small, metered))
                .map_err(|cause| SandboxError::Engine(cause.to_string()))?
        }
    };
    Ok(engine)
}

/// Whether instructions are counted.
#[derive(Clone, Copy)]
pub(super) struct Metered(pub(super) bool);

#[derive(Clone, Copy, PartialEq)]
enum Reservation {
    Full,
    Small,
}

fn config(
    limits: &Limits,
    cache: Option<Cache>,
    reservation: Reservation,
    Metered(metered): Metered,
) -> Config {
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)))
        .cache(cache)
        .epoch_interruption(true)
        .consume_fuel(metered)
        .max_wasm_stack(limits.stack_bytes)
        .memory_init_cow(limits.copy_on_write)
        // A trap's frames go to nobody, and their names come from the guest.
        .wasm_backtrace_max_frames(None)
        // The tables that only backtraces and debuggers read: an eighth of what a small plugin keeps.
        .generate_address_map(false)
        .native_unwind_info(false)
        // Equal inputs give equal outputs, on every processor.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        // Compiled in (see Cargo.toml), and off: no guest of ours needs them.
        .wasm_threads(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .gc_support(false)
        .wasm_memory64(false)
        // On, and of no use to a guest: the pool gives a component one memory. Where it is off, wasmtime
        // panics over a component whose parts hand values from one memory to another.
        .wasm_multi_memory(true);
    #[cfg(feature = "bench")]
    if !limits.pooled {
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    }
    if reservation == Reservation::Small {
        let memory = limits.memory_bytes as u64;
        config
            .memory_reservation(memory)
            .memory_guard_size(SMALL_RESERVATION_GUARD)
            .memory_reservation_for_growth(0);
    }
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    // One more than requests may use at a time: a component that is loaded under full load takes
    // no request's place.
    let calls = u32::try_from(limits.concurrent_calls).unwrap_or(u32::MAX).saturating_add(1);
    let cores = limits.core_instances;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(cores))
        .total_memories(calls)
        .total_tables(calls.saturating_mul(cores))
        .max_core_instances_per_component(cores)
        .max_memories_per_component(1)
        .max_tables_per_component(cores)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        .linear_memory_keep_resident(limits.kept_memory)
        .table_keep_resident(limits.kept_table)
        .max_unused_warm_slots(limits.warm_slots)
        // Spelt out, since it may become the default: see `Limits::keep_written`.
        .pagemap_scan(Enabled::No);
    #[cfg(feature = "bench")]
    if limits.keep_written {
        pool.pagemap_scan(Enabled::Auto);
    }
    pool
}

/// wasmtime's own cache of compiled code, in `folder`, which must be ours alone: whoever can write
/// there can make us run any machine code. It is made with mode 0700 where it is missing.
pub(super) fn cache_in(folder: &Path) -> Result<Cache, SandboxError> {
    let refuse = |text: String| SandboxError::Cache(text);
    if !folder.exists() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(|cause| refuse(cause.to_string()))?;
    }
    let metadata = std::fs::symlink_metadata(folder).map_err(|cause| refuse(cause.to_string()))?;
    if !metadata.is_dir() {
        return Err(refuse(format!("{} is not a folder", folder.display())));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let ours = metadata.uid() == rustix::process::geteuid().as_raw();
        if !ours || metadata.mode() & 0o077 != 0 {
            return Err(refuse(format!(
                "{} must belong to this user alone (chmod 700)",
                folder.display()
            )));
        }
    }
    let mut config = CacheConfig::new();
    config.with_directory(folder);
    Cache::new(config).map_err(|cause| refuse(cause.to_string()))
}
