//! Limits of the services, known before anything is made and paid for.

use super::{SetupError, SetupRegion, SetupRequest};
use crate::Datastore;

/// A limit of a service on a set-up.
struct ReadersLimit {
    store: Datastore,
    /// Most regions besides the writer's.
    readers: usize,
    /// What has the limit.
    what: &'static str,
    /// Where it is written.
    source: &'static str,
}

/// The services that replicate to a limited number of regions. Those of the others are far beyond the regions that there
/// are (S3: 1000 rules of replication; a VPC: 50 peerings; DynamoDB and Secrets Manager replicate to every region).
const READERS: [ReadersLimit; 2] = [
    ReadersLimit {
        store: Datastore::Redis,
        readers: 2,
        what: "a global datastore of Redis",
        source: "Amazon ElastiCache User Guide, \"Prerequisites and limitations\" of global datastores",
    },
    ReadersLimit {
        store: Datastore::Mysql,
        readers: 10,
        what: "a global database of Aurora",
        source: "AWS, \"Aurora Global Database: support for up to 10 secondary Regions\", May 2025",
    },
];

/// Classes of nodes that cannot be in a global datastore or a global database: those that are burstable, and generations
/// before the fifth.
fn is_too_small(class: &str) -> bool {
    let mut family = class.split('.').nth(1).unwrap_or_default().chars();
    let (kind, generation) = (family.next(), family.next().and_then(|digit| digit.to_digit(10)));
    match kind {
        Some('t') => true,
        Some('c' | 'm' | 'r') => generation.is_some_and(|generation| generation < 5),
        _ => false,
    }
}

/// Whether the services can do what is requested.
pub(super) fn check(request: &SetupRequest, readers: &[SetupRegion]) -> Result<(), SetupError> {
    let has = |store| request.stores.contains(&store);
    for ReadersLimit { store, readers: most, what, source } in &READERS {
        if has(*store) && readers.len() > *most {
            return Err(SetupError::TooManyReaders {
                store: *store,
                what,
                asked: readers.iter().map(|place| place.short.clone()).collect(),
                most: *most,
                read_in: source,
            });
        }
    }
    let services = &request.services;
    for (store, key, class, what, source) in [
        (
            Datastore::Redis,
            "redis_class",
            &services.redis_class,
            "a global datastore of Redis",
            "Amazon ElastiCache User Guide, \"Prerequisites and limitations\" of global datastores",
        ),
        (
            Datastore::Mysql,
            "mysql_class",
            &services.mysql_class,
            "a global database of Aurora",
            "Amazon Aurora User Guide, \"Configuration requirements of an Amazon Aurora global database\"",
        ),
    ] {
        if has(store) && is_too_small(class) {
            return Err(SetupError::Class { key, class: class.clone(), what, read_in: source });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_told_by_family_and_generation() {
        for small in ["cache.t4g.medium", "db.t3.medium", "cache.m4.large", "cache.r3.large", "db.r4.large"] {
            assert!(is_too_small(small), "{small}");
        }
        for good in ["cache.r5.large", "cache.m6g.large", "cache.c7gn.large", "db.r6g.large", "db.x2g.large"] {
            assert!(!is_too_small(good), "{good}");
        }
    }
}
