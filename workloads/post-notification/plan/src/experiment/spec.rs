//! Cells before their platform is known.

use super::document::Experiment;
use super::{Payload, barrier, load};
use crate::axes::Platform;
use crate::cell::{Arrival, Barrier, Cell, CellInputs, Fingerprint, Invocation};
use crate::point::Axes;

/// All inputs of a cell that an experiment defines: everything but the platform's fingerprint and the application's
/// version.
#[derive(Clone, Debug, PartialEq)]
pub struct CellSpec {
    /// One value of every axis.
    pub axes: Axes,
    /// When requests are sent.
    pub arrival: Arrival,
    /// How the barrier polls.
    pub barrier: Barrier,
    /// How the client invokes the writer.
    pub invocation: Invocation,
    /// Length of a post's content, in bytes.
    pub payload_bytes: u64,
    /// What the cell runs on.
    pub platform: Platform,
    /// Number of requests.
    pub requests: u64,
    /// Number of the round, from 1.
    pub round: u32,
    /// Seed of all randomness.
    pub seed: u64,
}

impl CellSpec {
    /// The cell on a platform with this fingerprint, with this version of the application.
    ///
    /// # Errors
    /// When a number is not finite; an experiment's never are.
    pub fn with_fingerprint(self, fingerprint: Fingerprint, workload_version: u32) -> Result<Cell, serde_json::Error> {
        Cell::new(CellInputs {
            axes: self.axes,
            arrival: self.arrival,
            barrier: self.barrier,
            fingerprint,
            invocation: self.invocation,
            payload_bytes: self.payload_bytes,
            platform: self.platform,
            requests: self.requests,
            round: self.round,
            seed: self.seed,
            workload_version,
        })
    }
}

impl CellInputs {
    /// The first round of a cell of one request, otherwise with the defaults of an experiment that sets only what it must.
    #[must_use]
    pub fn with_defaults(axes: Axes, platform: Platform, fingerprint: Fingerprint, workload_version: u32) -> Self {
        Self {
            arrival: Arrival::Concurrency(load::DEFAULT_CONCURRENCY),
            barrier: barrier::DEFAULT,
            fingerprint,
            invocation: Invocation::RequestResponse,
            payload_bytes: Payload::Original.bytes(axes.combination.post_storage),
            platform,
            requests: 1,
            round: 1,
            seed: 0,
            workload_version,
            axes,
        }
    }
}

impl Experiment {
    /// Every cell once, in order of axes, then rounds. [`crate::order::arrange`] gives the order to run them in.
    #[must_use]
    pub fn cells(&self) -> Vec<CellSpec> {
        let mut cells = Vec::with_capacity(self.points.len().saturating_mul(self.rounds as usize));
        for axes in &self.points {
            for round in 1..=self.rounds {
                cells.push(CellSpec {
                    axes: axes.clone(),
                    arrival: self.arrival,
                    barrier: self.barrier,
                    invocation: self.invocation,
                    payload_bytes: self.payload.bytes(axes.combination.post_storage),
                    platform: self.platform,
                    requests: self.requests,
                    round,
                    seed: self.seed,
                });
            }
        }
        cells
    }
}
