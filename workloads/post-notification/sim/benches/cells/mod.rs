//! Cells for tests and benchmarks.

use matrix_app::WORKLOAD_VERSION;
use matrix_plan::{Axes, Cell, CellInputs, Combination, NotificationStorage, Platform, PostStorage};
use matrix_sim::Model;

/// The inputs of a cell of 8 clients from `eu` to `us`, without delay.
pub(crate) fn inputs(
    model: &Model,
    post_storage: PostStorage,
    notification_storage: NotificationStorage,
    antipode: bool,
    requests: u64,
) -> CellInputs {
    let combination = Combination { post_storage, notification_storage, regions: "eu->us".parse().unwrap() };
    let fingerprint = model.fingerprint(&combination).unwrap();
    let axes = Axes { combination, delay_ms: 0, antipode };
    let defaults = CellInputs::with_defaults(axes, Platform::Sim, fingerprint, WORKLOAD_VERSION);
    CellInputs { requests, seed: 2023, ..defaults }
}

/// The cell of those inputs.
pub(crate) fn cell(inputs: CellInputs) -> Cell {
    Cell::new(inputs).unwrap()
}
