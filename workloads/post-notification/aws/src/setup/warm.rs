//! What DynamoDB must be able to write at once.

use matrix_plan::{Arrival, Experiment, PostStorage};

/// Write units a second that a new table on demand takes (Amazon DynamoDB Developer Guide, "On-demand capacity mode").
pub const ON_DEMAND_WRITE_UNITS: u32 = 4000;

/// Write units a second of a partition (the same guide, "Burst and adaptive capacity"): what is asked for is rounded up to
/// whole ones.
const PARTITION_WRITE_UNITS: u32 = 1000;

/// Least time in seconds between two requests of a client that waits for the writer's answer. Assumed: a function of 128 MB
/// writes 350 KB and publishes.
const REQUEST_S: f64 = 0.25;

/// Names and attributes of an item besides the post.
const ITEM_BYTES: u64 = 200;

/// Write units a second that the table of posts must take, by what the experiment sends; `None` if a new table takes that
/// much anyhow. Cells that share the table run one after the other.
#[must_use]
pub fn write_units(experiment: &Experiment) -> Option<u32> {
    let keeps_posts = |storage| experiment.points.iter().any(|point| point.combination.post_storage == storage);
    if !keeps_posts(PostStorage::Dynamo) {
        return None;
    }
    let requests = match experiment.arrival {
        Arrival::Concurrency(clients) => f64::from(clients) / REQUEST_S,
        Arrival::RatePerSecond(rate) => rate,
    };
    let bytes = experiment.payload.bytes(PostStorage::Dynamo).saturating_add(ITEM_BYTES);
    let units = requests * bytes.div_ceil(1024) as f64;
    let partitions = (units / f64::from(PARTITION_WRITE_UNITS)).ceil().min(f64::from(u16::MAX)) as u32;
    Some(partitions * PARTITION_WRITE_UNITS).filter(|units| *units > ON_DEMAND_WRITE_UNITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_warmed_for_what_is_sent_and_not_for_less_than_it_takes_anyhow() {
        let units = |post: &str, setting: &str| {
            let text = format!(
                "schema = 1\nname = \"x\"\nplatform = \"aws\"\nrequests = 10\nrounds = 1\nseed = 1\n{setting}\n\
                 [[matrix]]\nname = \"m\"\npost_storage = [\"{post}\"]\nnotification_storage = [\"sns\"]\n\
                 regions = [\"eu->us\"]\ndelay_ms = [0]\nantipode = [false]\n"
            );
            write_units(&Experiment::parse(&text).unwrap())
        };
        // 350,200 bytes are 342 units; eight clients send 32 a second.
        assert_eq!(units("dynamo", "concurrency = 8"), Some(11_000));
        assert_eq!(units("dynamo", "rate = 50"), Some(18_000));
        assert_eq!(units("dynamo", "rate = 10"), None);
        assert_eq!(units("dynamo", "payload = 100"), None);
        assert_eq!(units("mysql", "rate = 500"), None);
    }
}
