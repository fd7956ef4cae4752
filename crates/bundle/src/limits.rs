//! Limits on what an untrusted bundle may cost.

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

/// Most bytes of a record or an attempt of a program: each names up to 10,000 files that the program left, with their digests, and files
/// that give the cell its meaning.
pub const MAX_OF_PROGRAMS: u64 = 8 << 20;

/// Most bytes of all experiments and models: parsed, each takes many times its size.
pub const MAX_TEXTS: u64 = 16 << 20;

impl Default for Limits {
    /// 8 GiB, 400,000 files, 256 MiB for one file in memory, 1 GiB for all of them.
    fn default() -> Self {
        Self { max_bytes: 8 << 30, max_entries: 400_000, max_file_bytes: 256 << 20, max_memory_bytes: 1 << 30 }
    }
}

impl Limits {
    /// The default limits, with another bound on the whole. Whoever allows more than the default allows more files and more
    /// memory with it: one file for each further 4 KiB, a quarter of what is more for one file, half of it for all of them.
    #[must_use]
    pub fn with_max_bytes(max_bytes: u64) -> Self {
        let Self { max_bytes: usual, max_entries, max_file_bytes, max_memory_bytes } = Self::default();
        let more = max_bytes.saturating_sub(usual);
        Self {
            max_bytes,
            max_entries: max_entries + more / 4096,
            max_file_bytes: max_file_bytes + more / 4,
            max_memory_bytes: max_memory_bytes + more / 2,
        }
    }

    /// Most bytes of a plan, which has about 300 for each of its cells: 64 MiB by default.
    #[must_use]
    pub fn max_plan(&self) -> u64 {
        self.max_file_bytes / 4
    }

    /// No bounds but those on what is parsed at once: for what is made here.
    #[must_use]
    pub fn of_ours() -> Self {
        Self { max_bytes: u64::MAX, max_entries: u64::MAX, max_file_bytes: u64::MAX, max_memory_bytes: u64::MAX }
    }
}
