//! With what a cell is executed: versions and machine, no names of users, hosts or paths.

use std::collections::BTreeMap;

use matrix_store::{Digest, Provenance};

/// The program that runs cells: what it is built from, and what it was called with. Nobody but its own build knows.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Its command line, as others are told who wait for a store that it writes.
    pub holder: String,
    /// Its version.
    pub version: String,
    /// The commit that it was built from, where that was known.
    pub commit: Option<String>,
    /// Whether there were changes since that commit.
    pub dirty: Option<bool>,
    /// Digest of the lock file that it was built with.
    pub lock_file: Option<Digest>,
    /// The platform that it was built for.
    pub target: Option<String>,
    /// The compiler that built it.
    pub toolchain: Option<String>,
}

impl Program {
    /// The provenance of attempts of this process, on services of these versions.
    #[must_use]
    pub fn provenance(&self, services: BTreeMap<String, String>) -> Provenance {
        let system =
            |name: &str| Some(std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok()?.trim().to_owned());
        let kernel = system("ostype").zip(system("osrelease")).map(|(name, release)| format!("{name} {release}"));
        Provenance {
            commit: self.commit.clone(),
            cpu_model: cpu_model(),
            cpus: std::thread::available_parallelism().ok().and_then(|cpus| u32::try_from(cpus.get()).ok()),
            dirty: self.dirty,
            kernel,
            lock_file: self.lock_file,
            matrix: self.version.clone(),
            services,
            target: self.target.clone(),
            toolchain: self.toolchain.clone(),
        }
    }
}

fn cpu_model() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
