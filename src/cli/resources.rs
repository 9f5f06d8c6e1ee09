//! Threads, file handles and memory. A command reserves what it needs before it begins, or carries fewer files at once: a task
//! that waits for a thread which another waiting task holds would wait for ever.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::runtime::{Builder, Runtime};

use super::value_parsers::MAX_JOBS;
use crate::error::{Error, Kind, Result};

/// The largest number of threads that one file holds while it waits: for its reader, its hash, the request that takes its
/// bytes, and the disk.
const FOR_A_FILE: usize = 4;
/// A download holds one thread for each connection, and so many beside them.
const BESIDE_WRITERS: usize = 2;
/// Threads for short tasks: resolving a host's name, the disk, a question; and for the walk over local folders, which waits
/// while files are sent.
const SHORT: usize = 4;
/// Threads outside of the runtime: one writes the state, and one gives signs of life. Both begin when a transfer is noted.
const OF_THE_STATE: usize = 2;
/// Threads beyond these are made when they are needed, if that is possible.
const MAX_THREADS: usize = 8 * MAX_JOBS as usize;
/// Longer than any run.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Memory beside the threads, in bytes.
const HEAP: usize = 128 << 20;
/// Memory for each file in progress, in bytes: its pieces, and a request that may be sent again.
const HEAP_FOR_A_FILE: usize = 8 << 20;
/// The address space of a thread.
const STACK: usize = 2 << 20;
/// The time to wait for a new thread to begin on a busy machine.
const START: Duration = Duration::from_secs(30);

/// Makes the runtime and its threads. Where there is no room for all files at once, the transfer gets fewer of them, and the
/// text says so. Fails with `Local` when not even one file can be carried.
pub fn runtime(transfer: Option<Concurrency<'_>>) -> Result<(Runtime, Option<String>)> {
    let workers = thread::available_parallelism().map_or(1, |n| n.get());
    let Some(mut args) = transfer else {
        let threads = had(workers + SHORT, HEAP);
        return Ok((build_runtime(threads, workers, SHORT)?, None));
    };
    let wish = *args.jobs;
    let few_handles = handles::shrink(&mut args);
    let wanted = workers + SHORT + for_files(&args) + OF_THE_STATE;
    let threads = had(wanted, HEAP + *args.jobs as usize * HEAP_FOR_A_FILE).saturating_sub(OF_THE_STATE);
    let for_all = threads.saturating_sub(1 + SHORT);
    // The number of connections for one file shrinks before the number of files does.
    while for_files(&args) > for_all && (*args.jobs > 1 || *args.streams > 1) {
        if *args.streams > 1 { *args.streams -= 1 } else { *args.jobs -= 1 }
    }
    let runtime = build_runtime(threads, workers, SHORT + for_files(&args))?;
    let why = if few_handles { "file handles (`ulimit -n`)" } else { "threads (`ulimit -u`) or too little memory" };
    let less = format!("this machine allows too few {why} for {wish} files at once, so it is {}", args.jobs);
    Ok((runtime, (*args.jobs < wish).then_some(less)))
}

/// How many files are carried at once, and over how many connections each. Made smaller where the machine allows less.
pub struct Concurrency<'a> {
    pub jobs: &'a mut u32,
    pub streams: &'a mut u32,
}

fn for_files(args: &Concurrency<'_>) -> usize {
    *args.jobs as usize * FOR_A_FILE.max(*args.streams as usize + BESIDE_WRITERS)
}

/// A runtime of up to `workers` threads that run the work and `others` that may wait, all of them made now: `threads` can be
/// had in all.
fn build_runtime(threads: usize, workers: usize, others: usize) -> Result<Runtime> {
    let workers = workers.min(threads.saturating_sub(others)).max(1);
    if workers + others > threads {
        let why = format!("this machine allows {threads} more threads, with the memory that goes with them, and {} are needed", 1 + others);
        return Err(Error::new(Kind::Local, why)
            .with_hint("raise `ulimit -u` and `ulimit -v`, or the container's limits of processes (pids) and memory"));
    }
    let failed = |why: &str| Error::new(Kind::Local, format!("the program could not start its threads: {why}"));
    let mut builder = Builder::new_multi_thread();
    builder.enable_all().worker_threads(workers).max_blocking_threads(MAX_THREADS).thread_keep_alive(KEPT).thread_stack_size(STACK);
    let runtime = builder.build().map_err(|e| failed("no runtime").with_cause(e))?;
    let gate = Arc::new((Mutex::new(0_usize), Condvar::new()));
    for _ in 0..others {
        let gate = gate.clone();
        // Each task waits for all others, so that each has a thread of its own.
        runtime.spawn_blocking(move || {
            let (count, changed) = &*gate;
            *count.lock() += 1;
            changed.notify_all();
            wait_for(&gate, others)
        });
    }
    match wait_for(&gate, others) {
        true => Ok(runtime),
        false => {
            runtime.shutdown_background();
            Err(failed("other programs have taken them"))
        }
    }
}

fn wait_for(gate: &(Mutex<usize>, Condvar), all: usize) -> bool {
    let mut count = gate.0.lock();
    gate.1.wait_while_for(&mut count, |count| *count < all, START);
    *count >= all
}

/// How many threads can be had at once, up to `wanted`, with so much memory beside them.
fn had(wanted: usize, memory: usize) -> usize {
    // The number is calculated and not tried: a thread that begins where no memory is left ends the program.
    let wanted = wanted.min(address_space::threads(memory));
    let ready = || -> Option<(mpsc::Sender<()>, JoinHandle<()>)> {
        let (go, told) = mpsc::channel::<()>();
        // Each thread needs memory of its own.
        let wait = move || {
            let own = std::hint::black_box(vec![0_u8; 64]);
            let _ = told.recv();
            drop(own);
        };
        Some((go, thread::Builder::new().stack_size(STACK).spawn(wait).ok()?))
    };
    let threads: Vec<_> = (0..wanted).map_while(|_| ready()).collect();
    let missing = memory - largest(memory);
    let fit = threads.len().saturating_sub(missing.div_ceil(STACK));
    for (go, thread) in threads {
        drop(go);
        let _ = thread.join();
    }
    if fit < wanted {
        until_alone();
    }
    fit
}

/// The most memory that can be had in one piece, up to `wanted`, within 64 KiB.
fn largest(wanted: usize) -> usize {
    let can = |size: usize| Vec::<u8>::new().try_reserve_exact(size).is_ok();
    if can(wanted) {
        return wanted;
    }
    let (mut low, mut high) = (0, wanted);
    while high - low > 1 << 16 {
        let middle = low + (high - low) / 2;
        if can(middle) { low = middle } else { high = middle }
    }
    low
}

/// Waits until threads that have ended are no longer counted, which takes a moment. Only Linux reports their number.
fn until_alone() {
    let begun = Instant::now();
    while own_status("Threads:").is_some_and(|threads| threads > 1) && begun.elapsed() < START {
        thread::yield_now();
    }
}

/// What Linux reports about this process; sizes in KiB.
fn own_status(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix(key))?.trim().trim_end_matches(" kB").parse().ok()
}

#[cfg(unix)]
mod address_space {
    use rustix::process::{Resource, getrlimit};

    use crate::cli::resources::{STACK, own_status};

    /// The address space that glibc reserves for a thread that allocates memory.
    const ARENA: u64 = 64 << 20;
    /// glibc reserves it for at most so many threads a core.
    const ARENAS: usize = 8;

    /// Threads for which a limited address space (`ulimit -v`) has room beside `memory` bytes.
    pub(super) fn threads(memory: usize) -> usize {
        let (Some(limit), Some(used)) = (getrlimit(Resource::As).current, own_status("VmSize:")) else { return usize::MAX };
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        fit(limit.saturating_sub(used << 10).saturating_sub(memory as u64), (ARENAS * cores) as u64)
    }

    pub(super) fn fit(left: u64, arenas: u64) -> usize {
        let stack = STACK as u64;
        let each_with_arena = left / (stack + ARENA);
        let fit = if each_with_arena < arenas { each_with_arena } else { (left - arenas * ARENA) / stack };
        usize::try_from(fit).unwrap_or(usize::MAX)
    }
}

#[cfg(not(unix))]
mod address_space {
    pub(super) fn threads(_: usize) -> usize {
        usize::MAX
    }
}

#[cfg(unix)]
mod handles {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use crate::cli::resources::Concurrency;
    use crate::transfer::put::confirmation_queue::{HANDLES_OF_WAITING, MAX_WAITING};
    use crate::transfer::put::{HANDLES, HANDLES_FOR_A_FILE};

    /// Raises the limit of open files to what the transfer may need, as far as the system allows. True: the system does not
    /// allow enough, and there are fewer files at once.
    pub(super) fn shrink(args: &mut Concurrency<'_>) -> bool {
        let each = HANDLES_FOR_A_FILE + 2 * u64::from(*args.streams);
        let needed = 2 * HANDLES + u64::from(*args.jobs) * each;
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        // Files that wait to be confirmed beside them are fewer where there are fewer handles.
        let wish = needed + 2 * MAX_WAITING as u64 * HANDLES_OF_WAITING;
        if let Some(now) = current.filter(|now| *now < wish) {
            let more = maximum.map_or(wish, |most| most.min(wish)).max(now);
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum });
        }
        let Some(now) = getrlimit(Resource::Nofile).current else { return false };
        let fit = u32::try_from(now.saturating_sub(HANDLES) / each).unwrap_or(u32::MAX).max(1);
        let few = fit < *args.jobs;
        *args.jobs = fit.min(*args.jobs);
        few
    }
}

#[cfg(not(unix))]
mod handles {
    pub(super) fn shrink(_: &mut crate::cli::resources::Concurrency<'_>) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn threads_fit_with_what_is_set_aside_for_them() {
        let mib = |n: u64| n << 20;
        for (left, arenas, threads) in [(mib(65), 16, 0), (mib(66), 16, 1), (mib(66 * 16), 16, 16), (mib(66 * 16 + 10), 16, 21)] {
            assert_eq!(address_space::fit(left, arenas), threads, "{left}");
        }
    }

    #[test]
    fn what_is_made_is_there() {
        assert_eq!(had(8, 1 << 20), 8);
        assert_eq!(largest(1 << 20), 1 << 20);
        let runtime = build_runtime(5, 2, 3).unwrap();
        assert_eq!(runtime.metrics().num_workers(), 2);
        assert_eq!(build_runtime(5, 4, 3).unwrap().metrics().num_workers(), 2, "those that run the work make room for those that wait");
        assert_eq!(build_runtime(3, 4, 3).unwrap_err().kind(), Kind::Local);
    }
}
