//! The barrier: waits in the reader's region until a lineage is visible there.

use std::pin::pin;

use crate::host::{Clock, PostStorage, StorageError};
use crate::lineage::Lineage;
use crate::select::{Either, biased};
use crate::time::Micros;

/// How a barrier polls, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierPolicy {
    /// Pause after the first poll that found nothing; it doubles from poll to poll.
    pub min_ms: u64,
    /// Longest pause between two polls.
    pub max_ms: u64,
    /// Time after which the barrier gives up, even when a call hangs.
    pub deadline_ms: u64,
}

/// What a barrier did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierReport {
    /// Time spent in the barrier, in microseconds.
    pub waited_us: i64,
    /// Polls of the storage.
    pub polls: u32,
    /// Start of the last poll that found the lineage not yet visible.
    pub last_miss_at: Option<Micros>,
    /// Whether the whole lineage was visible at the end; if not, the deadline passed.
    pub visible: bool,
}

/// Waits until every operation of `lineage` is visible through `storage`, or the deadline of `policy` passes.
///
/// A call that fails in passing is asked again; a call that hangs is cut at the deadline.
///
/// # Errors
/// When the storage refuses a question for good.
pub async fn barrier<P: PostStorage, C: Clock>(
    storage: &P,
    clock: &C,
    lineage: &Lineage<'_>,
    policy: BarrierPolicy,
) -> Result<BarrierReport, StorageError> {
    let start = clock.now();
    let deadline = start.plus_ms(policy.deadline_ms);
    let mut give_up = pin!(clock.sleep_until(deadline));
    let mut report = BarrierReport { waited_us: 0, polls: 0, last_miss_at: None, visible: false };
    for write in &lineage.operations {
        let mut pause_ms = policy.min_ms;
        loop {
            let asked_at = clock.now();
            report.polls += 1;
            let question = pin!(storage.is_visible(write, lineage.id));
            match biased(question, give_up.as_mut()).await {
                Either::First(Ok(true)) => break,
                Either::First(Ok(false)) => report.last_miss_at = Some(asked_at),
                Either::First(Err(error)) if error.is_transient() => {}
                Either::First(Err(error)) => return Err(error),
                Either::Second(()) => {
                    report.waited_us = clock.now() - start;
                    return Ok(report);
                }
            }
            let pause = pin!(clock.sleep_until(clock.now().plus_ms(pause_ms)));
            if let Either::Second(()) = biased(pause, give_up.as_mut()).await {
                report.waited_us = clock.now() - start;
                return Ok(report);
            }
            pause_ms = pause_ms.saturating_mul(2).clamp(policy.min_ms, policy.max_ms.max(policy.min_ms));
        }
    }
    report.waited_us = clock.now() - start;
    report.visible = true;
    Ok(report)
}
