//! Traces in memory, for tests.

use std::io::{self, Read};
use std::sync::Arc;

use matrix_app::row::HEADER;
use matrix_app::{Outcome, Row};
use matrix_plan::axes::Platform;
use matrix_plan::{Arrival, Axes, Barrier, CellInputs, Combination, Fingerprint, Invocation};

use crate::{CellMeta, Traces};

/// Cells with their traces.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) cells: Vec<Arc<CellMeta>>,
    pub(crate) traces: Vec<Vec<u8>>,
}

impl Traces for Memory {
    fn cells(&self) -> &[Arc<CellMeta>] {
        &self.cells
    }

    fn open(&self, n: usize) -> io::Result<Box<dyn Read + Send + '_>> {
        let trace = self.traces.get(n).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(&trace[..]))
    }
}

impl Memory {
    /// Makes what was added a measurement.
    pub(crate) fn measured(mut self) -> Self {
        self.cells.iter_mut().for_each(|cell| Arc::make_mut(cell).simulated = false);
        self
    }

    /// Adds a cell: `name` is like `redis sns eu->us 0 off`.
    pub(crate) fn add(&mut self, name: &str, rows: &[Row]) {
        let mut inputs = inputs(name, rows.len() as u64);
        let before = self.cells.iter().filter(|cell| cell.inputs.axes == inputs.axes).count();
        inputs.round = before as u32 + 1;
        self.cells.push(Arc::new(CellMeta {
            disturbed: false,
            key: inputs.key().unwrap(),
            inputs,
            origin: "local".into(),
            simulated: true,
            configured_lag: false,
            outcomes: rows.iter().map(|row| (row.outcome, 1)).collect(),
            stated: crate::traces::StatedBytes::default(),
        }));
        self.traces.push(csv(rows));
    }
}

fn inputs(name: &str, requests: u64) -> CellInputs {
    let [post, notification, regions, delay, antipode] = name.split(' ').collect::<Vec<_>>().try_into().unwrap();
    CellInputs {
        axes: Axes {
            combination: Combination {
                post_storage: post.parse().unwrap(),
                notification_storage: notification.parse().unwrap(),
                regions: regions.parse().unwrap(),
            },
            delay_ms: delay.parse().unwrap(),
            antipode: antipode == "on",
        },
        arrival: Arrival::Concurrency(8),
        barrier: Barrier { min_ms: 1, max_ms: 50, deadline_ms: 120_000 },
        fingerprint: Fingerprint::new(&1).unwrap(),
        invocation: Invocation::RequestResponse,
        payload_bytes: 100,
        platform: Platform::Sim,
        requests,
        round: 1,
        seed: 1,
        workload_version: 1,
    }
}

/// A trace of the given rows.
pub(crate) fn csv(rows: &[Row]) -> Vec<u8> {
    let mut csv = HEADER.as_bytes().to_vec();
    csv.push(b'\n');
    for row in rows {
        row.write_csv(&mut csv);
    }
    csv
}

/// A row of which nothing is known but its number and outcome.
pub(crate) fn bare(i: u64, outcome: Outcome) -> Row {
    let mut line = format!("{i},,{outcome}");
    line.extend(std::iter::repeat_n(',', HEADER.split(',').count() - 3));
    Row::parse_csv(&line).unwrap()
}

/// A read: sent at 10 ms times `i`, with the given window.
pub(crate) fn read(i: u64, window_us: i64, found: bool) -> Row {
    let sent = 10_000 * i as i64;
    Row {
        client_sent_us: Some(sent),
        writer_start_us: Some(sent + 1_000),
        reply_us: Some(sent + 5_000),
        post_read_us: Some(sent + 1_000 + window_us),
        consistent_read: Some(found),
        notification_bytes: Some(200),
        post_bytes: Some(1_000),
        ..bare(i, Outcome::Ok)
    }
}
