//! One file per figure.

mod consistency_window;
mod delay_vs_per_inconsistencies;
mod inconsistencies;
mod shared;
mod storage_overhead;
mod visibility_latency;

pub use consistency_window::consistency_window;
pub use delay_vs_per_inconsistencies::delay_vs_per_inconsistencies;
pub use inconsistencies::inconsistencies;
pub(crate) use shared::Grid;
pub use storage_overhead::storage_overhead;
pub use visibility_latency::visibility_latency;
