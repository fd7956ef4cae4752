//! Cells for tests and benchmarks.

use matrix_app::WORKLOAD_VERSION;
use matrix_plan::{
    Arrival, Axes, Barrier, Cell, CellInputs, Combination, Invocation, NotificationStorage, Payload, Platform,
    PostStorage,
};
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
    CellInputs {
        fingerprint: model.fingerprint(&combination).unwrap(),
        axes: Axes { combination, delay_ms: 0, antipode },
        arrival: Arrival::Concurrency(8),
        barrier: Barrier { deadline_ms: 120_000, max_ms: 50, min_ms: 1 },
        invocation: Invocation::RequestResponse,
        payload_bytes: Payload::Original.bytes(post_storage),
        platform: Platform::Sim,
        requests,
        round: 1,
        seed: 2023,
        workload_version: WORKLOAD_VERSION,
    }
}

/// The cell of those inputs.
pub(crate) fn cell(inputs: CellInputs) -> Cell {
    Cell::new(inputs).unwrap()
}
