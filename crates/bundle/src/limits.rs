//! What a stranger's bundle may cost.

/// Bounds on what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes that the whole bundle may decompress to.
    pub max_bytes: u64,
    /// Most files in it.
    pub max_entries: u64,
    /// Most bytes of a file that is held in memory: every one except traces.
    pub max_file_bytes: u64,
    /// Most bytes of all files that are held in memory.
    pub max_memory_bytes: u64,
}

/// Most bytes of a record or an attempt, which have about two thousand, and of an experiment or a model, which have some
/// thousands: so that nobody has to parse more.
pub const MAX_SMALL: u64 = 1 << 20;

/// Most bytes of all experiments and models: parsed, each takes many times its size.
pub const MAX_TEXTS: u64 = 16 << 20;

/// Most bytes of a plan: about 300 for each of its cells.
pub const MAX_PLAN: u64 = 64 << 20;

impl Default for Limits {
    /// 8 GiB, 400,000 files, 256 MiB for one file in memory, 1 GiB for all of them.
    fn default() -> Self {
        Self { max_bytes: 8 << 30, max_entries: 400_000, max_file_bytes: 256 << 20, max_memory_bytes: 1 << 30 }
    }
}

impl Limits {
    /// The default limits, with another bound on the whole.
    #[must_use]
    pub fn with_max_bytes(max_bytes: u64) -> Self {
        Self { max_bytes, ..Self::default() }
    }
}
