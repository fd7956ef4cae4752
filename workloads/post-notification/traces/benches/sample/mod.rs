//! Cells and rows of benchmarks.

use std::collections::BTreeMap;
use std::error::Error;

use matrix_app::{Outcome, PostKey, Row};
use matrix_plan::{Axes, Cell, CellInputs, Combination, Fingerprint, NotificationStorage, Platform, PostStorage};

/// A cell of redis with sns.
pub(crate) fn cell(delay_ms: u64, requests: u64) -> Result<Cell, Box<dyn Error>> {
    let axes = Axes {
        combination: Combination::new(PostStorage::Redis, NotificationStorage::Sns, "eu->us".parse()?),
        delay_ms,
        antipode: false,
    };
    let fingerprint = Fingerprint::new(&BTreeMap::from([("version", 1)]))?;
    let inputs = CellInputs { requests, seed: 2023, ..CellInputs::with_defaults(axes, Platform::Sim, fingerprint, 1) };
    Ok(Cell::new(inputs)?)
}

/// A row like those of redis with sns, with noise in every time that depends on `salt`.
pub(crate) fn row(i: u64, salt: u64) -> Row {
    let noise = (salt + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let start = (i * 6000 + noise % 997) as i64;
    let after = |base: i64, digits: u64| Some(start + base + (noise % digits) as i64);
    Row {
        i,
        key: PostKey::new(i, noise),
        outcome: Outcome::Ok,
        client_sent_us: Some(start - 100),
        writer_start_us: Some(start),
        post_written_us: after(25_000, 7919),
        notification_written_us: after(34_000, 6007),
        reply_us: after(60_000, 9001),
        reader_received_us: after(200_000, 55_001),
        read_start_us: after(260_000, 1009),
        post_read_us: after(280_000, 20_011),
        consistent_read: Some(!noise.is_multiple_of(3)),
        post_visible_us: after(270_000, 90_001),
        notification_bytes: Some(310 + noise % 10),
        post_bytes: Some(2_871_010),
        writer_instance: Some(i % 8),
        reader_instance: Some(noise % 30),
        writer_cold: Some(i < 8),
        reader_cold: Some(i < 30),
        ..Row::default()
    }
}
