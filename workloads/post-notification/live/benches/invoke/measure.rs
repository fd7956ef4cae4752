//! Processor time and memory of this process.

/// Name of the stub's thread: its time is not the driver's.
pub(crate) const STUB: &str = "stub";

/// Seconds of processor time that the threads of this process used so far, but for the stub's.
pub(crate) fn own_cpu_s() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("threads");
    let nanoseconds: u64 = tasks
        .filter_map(|task| {
            let path = task.ok()?.path();
            let name = std::fs::read_to_string(path.join("comm")).ok()?;
            let spent = std::fs::read_to_string(path.join("schedstat")).ok()?;
            (name.trim() != STUB).then(|| spent.split(' ').next()?.parse::<u64>().ok())?
        })
        .sum();
    nanoseconds as f64 / 1e9
}

/// Waits until threads of a driver that was dropped have ended: what they used would be missing in the next difference.
pub(crate) fn wait_for_ended_threads(name: &str) {
    let is_there = || {
        let mut tasks = std::fs::read_dir("/proc/self/task").expect("threads").filter_map(Result::ok);
        tasks.any(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name))
    };
    while is_there() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Memory of this process, in KiB.
pub(crate) fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("resident memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
