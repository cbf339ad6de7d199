//! What a plugin may use up, and what the pool keeps between calls. Every number has its reason; all
//! of them are one value, so that an operator can see and replace the whole profile. The last four
//! only change speed: `cargo xtask bench sandbox --settings` measures them against the alternatives.

use std::time::Duration;

/// The limits that one sandbox runs its plugins under.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Guest calls that may run at one moment: the size of the thread pool and of the instance
    /// pool alike. Twice the cores, because a call that waits for a core is cheaper than a request
    /// that waits for a call; at least four, so that one plugin's share leaves room for others.
    pub concurrent_calls: usize,

    /// Calls of one plugin that may run at one moment. Half of the pool: a plugin that loops takes
    /// its own share and leaves the rest.
    pub concurrent_calls_per_plugin: usize,

    /// Calls of one plugin that may wait for a thread before new ones are turned away as busy. At
    /// the budget of a looping plugin this is about ten seconds of waiting, longer than any caller
    /// would. There is no bound on all plugins together: one plugin's crowd must not turn away
    /// another's.
    pub waiting_calls_per_plugin: usize,

    /// CPU time for `describe`, `validate`, `authorize`, `replied` and `mutate`. Bundled ones take
    /// 0.2 ms, but for OAUTH1 with RSA: 3 ms with a key of 1024 bits, 24 ms with one of 2048, for
    /// which a host needs a longer budget.
    pub request_budget: Duration,

    /// CPU time for one step of a flow: signing an assertion with RSA-4096 takes 200 ms in a guest.
    pub flow_budget: Duration,

    /// Wall time after which a call ends whatever its CPU time, as a multiple of the budget. A
    /// machine can be so busy that a call gets a twentieth of a core; past that, the request's own
    /// deadline is near anyway.
    pub wall_factor: u32,

    /// Bytes of one linear memory. The largest input is a body of 1 MiB, which a guest may hold
    /// three times over (encoded, decoded, signed), beside its code's own data.
    pub memory_bytes: usize,

    /// Elements of one table. A guest's table holds its function pointers; large ones have a few
    /// thousand.
    pub table_elements: usize,

    /// Core instances in one component. One guest module and the two shims of `wit-component`
    /// make three.
    pub core_instances: u32,

    /// Bytes of guest stack. Debug builds of recursive JSON parsers need 100 KiB.
    pub stack_bytes: usize,

    /// Bytes that one answer may bring from the guest to the host. The largest honest answer is an
    /// edited body of 1 MiB, sent as one list.
    pub answer_bytes: usize,

    /// Bytes of log text that one call may hand over; the rest of its lines are dropped and
    /// counted.
    pub log_bytes: usize,

    /// Bytes that `context.random` gives in one call (the contract's own number).
    pub random_bytes: usize,

    /// Bytes of a component's file. Guests that carry an interpreter reach 18 MiB.
    pub component_bytes: usize,

    /// Faults of one plugin within [`Limits::fault_window`] that suspend it.
    pub faults_to_suspend: usize,

    /// See [`Limits::faults_to_suspend`].
    pub fault_window: Duration,

    /// The first suspension; each further one lasts twice as long.
    pub first_suspension: Duration,

    /// The longest suspension: short enough that an operator who fixed the cause need not act.
    pub longest_suspension: Duration,

    /// Bytes of a memory slot that are overwritten between calls in place of being unmapped; what
    /// lies beyond is unmapped. A guest whose arena and stack fit in here causes no system call.
    pub kept_memory: usize,

    /// The same of a table slot.
    pub kept_table: usize,

    /// Slots that wait for the component that had them last. None, because with many plugins warm
    /// slots are searched for and missed.
    pub warm_slots: u32,

    /// Whether data segments are mapped copy-on-write. Not, because they are a few KiB: copying
    /// them costs less where many plugins are called in turn.
    pub copy_on_write: bool,

    /// Whether what is kept of a slot is the pages that were written to, wherever they lie, which the
    /// kernel is asked for. Only a bench says yes, to show what it would bring: wasmtime asks for the
    /// pages that are present, and one that is swapped out or being moved just then is none of them, so
    /// that the next call would find in it what the last one wrote.
    #[cfg(feature = "bench")]
    pub keep_written: bool,

    /// Whether instances come from a pool. Only a bench says no.
    #[cfg(feature = "bench")]
    pub pooled: bool,
}

impl Limits {
    /// For guests that carry an interpreter, as the tools for JavaScript and Python make them.
    ///
    /// What differs from the default, and why:
    /// - as many calls as there are cores, half of that for one plugin: each takes a core for
    ///   milliseconds, and a slot that begins with megabytes
    /// - CPU time tenfold for a request, fourfold for a step of a flow
    /// - 32 MiB of memory: an interpreter begins with 9 (JavaScript) or 13 (Python), and holds a body of
    ///   1 MiB several times over, a character in two bytes or more
    /// - 64 core instances and tables: Python's has a module for each of its native libraries, 38 in all
    /// - 2 MiB of stack: interpreters recurse, and would fault before their own limit is reached
    /// - copy-on-write: the heap that is copied else is megabytes, of which a call changes a tenth
    /// - nothing kept of a slot: what was changed is taken back by the system
    ///
    /// `cargo xtask bench interpreted` measures the last two against the alternatives.
    pub fn interpreted() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let concurrent_calls = cores.max(2);
        Self {
            concurrent_calls,
            concurrent_calls_per_plugin: concurrent_calls.div_ceil(2),
            waiting_calls_per_plugin: 100 * concurrent_calls,
            request_budget: Duration::from_millis(100),
            flow_budget: Duration::from_secs(2),
            memory_bytes: 32 << 20,
            core_instances: 64,
            stack_bytes: 2 << 20,
            copy_on_write: true,
            kept_memory: 0,
            kept_table: 0,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let concurrent_calls = (2 * cores).max(4);
        Self {
            concurrent_calls,
            concurrent_calls_per_plugin: concurrent_calls / 2,
            waiting_calls_per_plugin: 500 * concurrent_calls,
            request_budget: Duration::from_millis(10),
            flow_budget: Duration::from_millis(500),
            wall_factor: 20,
            memory_bytes: 8 << 20,
            table_elements: 10_000,
            core_instances: 8,
            stack_bytes: 512 << 10,
            answer_bytes: 2 << 20,
            log_bytes: 16 << 10,
            random_bytes: 4096,
            component_bytes: 32 << 20,
            faults_to_suspend: 5,
            fault_window: Duration::from_secs(10),
            first_suspension: Duration::from_secs(1),
            longest_suspension: Duration::from_mins(5),
            kept_memory: 128 << 10,
            kept_table: 64 << 10,
            warm_slots: 0,
            copy_on_write: false,
            #[cfg(feature = "bench")]
            keep_written: false,
            #[cfg(feature = "bench")]
            pooled: true,
        }
    }
}
