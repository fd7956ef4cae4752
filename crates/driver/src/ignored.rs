//! Signals that were ignored when the process began, as `nohup` has it: they are to stay ignored.

use std::sync::OnceLock;

/// Whether a signal was ignored when this was first asked: to be called before the first handler is set.
#[must_use]
pub fn is_ignored(signal: i32) -> bool {
    static AT_START: OnceLock<u64> = OnceLock::new();
    AT_START.get_or_init(now) >> (signal - 1) & 1 == 1
}

/// The signals that are ignored just now: a bit for each, where the system tells.
fn now() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
