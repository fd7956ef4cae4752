//! What machine this is, as far as it matters to whoever compares measurements.

/// Processor, number of processors and memory of this machine, in words. No name of a host.
#[must_use]
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    machine_of(&read("/proc/cpuinfo"), &read("/proc/meminfo"), cpus)
}

/// The same of a machine whose `/proc/cpuinfo` and `/proc/meminfo` have these texts.
#[must_use]
pub fn machine_of(cpuinfo: &str, meminfo: &str, cpus: usize) -> String {
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map(|(_, name)| name.trim());
    let memory =
        memory_of(meminfo).map_or_else(String::new, |bytes| format!(", {:.0} GiB", bytes / f64::from(1 << 30)));
    format!("{}, {cpus} processors{memory}", model.unwrap_or("unknown processor"))
}

/// All of the machine's memory, in bytes.
#[must_use]
pub fn memory_bytes() -> Option<f64> {
    memory_of(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn memory_of(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()? * 1024.0)
}
