//! From loaded traces to tables. Rounds are pooled.

mod consistency_window;
mod delay;
mod inconsistencies;
mod latency;
mod pool;
mod source;
mod storage_overhead;
mod summary;
mod visibility_latency;

#[cfg(test)]
mod tests;

pub use consistency_window::consistency_window;
pub use delay::delay;
pub use inconsistencies::inconsistencies;
pub use latency::{WindowSummary, window_summary};
pub use pool::{Pool, Pools};
pub use storage_overhead::storage_overhead;
pub use summary::summary;
pub use visibility_latency::visibility_latency;
