//! How a driver works: limits and patience.

use std::path::PathBuf;
use std::time::Duration;

use matrix_package::Packages;

/// What a driver is told besides where the services are. [`Settings::new`] has the defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the run. It goes into the name of everything that is made; two runs with one name would share deployments,
    /// which their leases prevent.
    pub name: String,
    /// The functions' packages. A driver that has none builds nothing: it runs, gathers and cleans what is built.
    pub packages: Option<Packages>,
    /// Memory of each function, in MB. Default: 1024.
    pub memory_mb: u32,
    /// Most invocations under way at a time, whatever the cell asks for. Default: 1000, the concurrency that an account of
    /// AWS has by default.
    pub in_flight: u32,
    /// Requests for evaluations that are under way at a time. Default: 4.
    pub receivers: u32,
    /// How long the queue holds a request for evaluations while there are none, in seconds (1 to 20). A gathering ends
    /// at most so long after its last evaluation. Default: 1.
    pub poll_wait_s: u8,
    /// Time without an evaluation or a reply after which what is missing is lost. Where the barrier may wait longer, its
    /// deadline and [`Self::barrier_margin`] count instead. Default: 60 s.
    pub gather_deadline: Duration,
    /// What a reader may need besides its barrier: part of its time-out, and of the wait for its evaluation. Default: 15 s.
    pub barrier_margin: Duration,
    /// Longest deadline of a barrier of any cell: it decides the reader's time-out. Default: 120 s.
    pub longest_barrier: Duration,
    /// Longest artificial delay of any cell: it decides the writer's time-out. Default: 60 s.
    pub longest_delay: Duration,
    /// How long a stack may take to be made. Default: 10 min.
    pub build_deadline: Duration,
    /// How long stores may take to be observed empty. Default: 2 min.
    pub clean_deadline: Duration,
    /// How long an invocation that is throttled is tried again. Default: 60 s.
    pub throttle_patience: Duration,
    /// How long what became visible may take to be logged, after everything else is known. Default: 5 s.
    pub visible_deadline: Duration,
    /// How long a lease lasts unless it is renewed, which happens four times as often. Default: 60 s.
    pub lease_ttl: Duration,
    /// Deployments that are built or cleaned at a time. Default: 4.
    pub jobs: usize,
    /// Threads that carry requests. Default: 1.
    pub threads: usize,
    /// File to which messages of other attempts are appended; it is made with the first. Default: none; they are only counted.
    pub quarantine: Option<PathBuf>,
    /// Names the services themselves where they come and go: what was sent to another instance is not kept. Default: none.
    pub instance: Option<String>,
}

impl Settings {
    /// The defaults.
    #[must_use]
    pub fn new(name: impl Into<String>, packages: impl Into<Option<Packages>>) -> Self {
        Self {
            name: name.into(),
            packages: packages.into(),
            memory_mb: 1024,
            in_flight: 1000,
            receivers: 4,
            poll_wait_s: 1,
            gather_deadline: Duration::from_secs(60),
            barrier_margin: Duration::from_secs(15),
            longest_barrier: Duration::from_secs(120),
            longest_delay: Duration::from_secs(60),
            build_deadline: Duration::from_secs(600),
            clean_deadline: Duration::from_secs(120),
            throttle_patience: Duration::from_secs(60),
            visible_deadline: Duration::from_secs(5),
            lease_ttl: Duration::from_secs(60),
            jobs: 4,
            threads: 1,
            quarantine: None,
            instance: None,
        }
    }

    /// Time-out of the reader's function, in whole seconds.
    pub(crate) fn reader_timeout_s(&self) -> u64 {
        (self.longest_barrier + self.barrier_margin).as_secs().clamp(1, FUNCTION_TIMEOUT_MAX_S)
    }

    /// Time-out of the writer's function, in whole seconds: the delay, and what storing and publishing may take at worst.
    pub(crate) fn writer_timeout_s(&self) -> u64 {
        (self.longest_delay.as_secs() + WRITER_CALLS_S).clamp(1, FUNCTION_TIMEOUT_MAX_S)
    }
}

/// Longest time-out of a function (a limit of AWS Lambda), in seconds.
const FUNCTION_TIMEOUT_MAX_S: u64 = 900;

/// Two calls of the writer, each with a connection to open.
const WRITER_CALLS_S: u64 = 45;
