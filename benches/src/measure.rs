//! Measuring a piece of work: CPU time, allocations, peak memory.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::allocator::{self, Counts};

/// What a piece of work took. A process prints it as one line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How many units of work were done: turns, chunks, agents.
    pub units: u64,
    /// CPU time of the process, user and system, in microseconds.
    pub cpu_us: f64,
    /// Wall time in microseconds.
    pub wall_us: f64,
    /// How many times memory was asked for.
    pub allocations: u64,
    /// How many bytes were asked for.
    pub allocated: u64,
    /// The most memory that the process ever held, in KiB; 0 where the system does not tell.
    pub peak_kib: u64,
    /// What only some workloads have, `disk_bytes` for one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, f64>,
}

impl Measured {
    /// With one more figure.
    #[must_use]
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }
}

/// Measures from where it is started.
#[derive(Debug)]
pub struct Meter {
    wall: Instant,
    cpu: Duration,
    counts: Counts,
}

impl Meter {
    /// From now on.
    #[must_use]
    pub fn start() -> Self {
        Self { counts: allocator::counts(), cpu: cpu_time(), wall: Instant::now() }
    }

    /// From the start of the process on: what a cold start costs. Wall time counts from now.
    #[must_use]
    pub fn of_the_process() -> Self {
        Self { counts: Counts::default(), cpu: Duration::ZERO, wall: Instant::now() }
    }

    /// Until now, for so many units of work.
    #[must_use]
    pub fn stop(&self, units: u64) -> Measured {
        let wall = self.wall.elapsed();
        let cpu = cpu_time().saturating_sub(self.cpu);
        let counts = allocator::counts();
        Measured {
            units,
            cpu_us: cpu.as_secs_f64() * 1e6,
            wall_us: wall.as_secs_f64() * 1e6,
            allocations: counts.allocations.saturating_sub(self.counts.allocations),
            allocated: counts.bytes.saturating_sub(self.counts.bytes),
            peak_kib: peak_kib(),
            extra: BTreeMap::new(),
        }
    }
}

/// User and system time of this process, all threads, ended ones too.
fn cpu_time() -> Duration {
    usage_of(libc::RUSAGE_SELF)
}

/// User and system time of this thread: what the others do beside it is not counted.
#[must_use]
pub fn thread_time() -> Duration {
    usage_of(libc::RUSAGE_THREAD)
}

fn usage_of(who: libc::c_int) -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a `rusage` of our own, which lives through the call.
    let failed = unsafe { libc::getrusage(who, usage.as_mut_ptr()) } != 0;
    if failed {
        return Duration::ZERO;
    }
    // SAFETY: it was zeroed, and zeros are a value of every member; `getrusage` filled it.
    let usage = unsafe { usage.assume_init() };
    let duration = |time: libc::timeval| {
        Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or_default())
            + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or_default())
    };
    duration(usage.ru_utime) + duration(usage.ru_stime)
}

/// The peak of the resident set. Not `ru_maxrss`: that one is inherited from the process that forked this one.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
