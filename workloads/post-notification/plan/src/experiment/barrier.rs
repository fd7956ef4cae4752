//! `[barrier]`: how the barrier polls.

use crate::cell::Barrier;
use crate::problem::Problem;
use matrix_core::walk::{Table, integer};

/// Keys of the table.
pub(crate) const KEYS: &[&str] = &["min_ms", "max_ms", "deadline_ms"];

/// The defaults.
pub(super) const DEFAULT: Barrier = Barrier { min_ms: 1, max_ms: 50, deadline_ms: 120_000 };

/// Longest time that may be written, a day: enough for any experiment, and far from overflow in microseconds.
const DAY_MS: u64 = 86_400_000;

/// Reads the table.
pub(crate) fn barrier(root: &Table<'_>, problems: &mut Vec<Problem>) -> Barrier {
    let Some(value) = root.get("barrier") else { return DEFAULT };
    let Some(table) = Table::open(value, "[barrier]", KEYS, problems) else { return DEFAULT };
    let mut time = |key: &str, default: u64| {
        let value = table.get(key);
        value.and_then(|value| integer(value, &format!("`{key}`"), 1..=DAY_MS, problems)).unwrap_or(default)
    };
    let min_ms = time("min_ms", DEFAULT.min_ms);
    let max_ms = time("max_ms", DEFAULT.max_ms.max(min_ms));
    let deadline_ms = time("deadline_ms", DEFAULT.deadline_ms);
    if max_ms < min_ms
        && let Some(at) = table.get("max_ms")
    {
        let problem = Problem::new("the barrier's longest pause is shorter than its first").at(at.span());
        problems.push(problem.label(format!("must be at least `min_ms`, {min_ms}")));
    }
    Barrier { deadline_ms, max_ms, min_ms }
}
