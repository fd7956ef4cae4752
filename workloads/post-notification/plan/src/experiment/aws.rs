//! `[aws]`: settings of the testbed at Amazon.

use crate::aws::{Aws, AwsServices, MAX_MEMORY_MB, MIN_MEMORY_MB};
use crate::problem::Problem;
use matrix_core::walk::{Table, integer, text, words};

/// Keys of the table.
pub(crate) const KEYS: &[&str] = &["connection_info", "memory_mb", "services"];

/// Keys of `[aws.services]`.
pub(crate) const SERVICES: &[&str] =
    &["mysql_version", "mysql_class", "redis_version", "redis_class", "amq_version", "amq_class"];

/// Reads the table.
pub(crate) fn aws(root: &Table<'_>, problems: &mut Vec<Problem>) -> Aws {
    let mut aws = Aws::default();
    let Some(table) = root.get("aws").and_then(|value| Table::open(value, "[aws]", KEYS, problems)) else { return aws };
    if let Some(file) = table.get("connection_info").and_then(|value| words(value, "`connection_info`", problems)) {
        aws.connection_info = file;
    }
    let memory = table.get("memory_mb");
    let memory = memory.and_then(|value| integer(value, "`memory_mb`", MIN_MEMORY_MB..=MAX_MEMORY_MB, problems));
    if let Some(memory) = memory.and_then(|memory| u32::try_from(memory).ok()) {
        aws.memory_mb = memory;
    }
    let services = table.get("services").and_then(|value| Table::open(value, "[aws.services]", SERVICES, problems));
    if let Some(table) = services {
        read_services(&table, &mut aws.services, problems);
    }
    aws
}

fn read_services(table: &Table<'_>, services: &mut AwsServices, problems: &mut Vec<Problem>) {
    for (key, value, prefix, example) in [
        ("mysql_version", &mut services.mysql_version, None, "8.0.mysql_aurora.3.04.3"),
        ("mysql_class", &mut services.mysql_class, Some("db."), "db.r6g.large"),
        ("redis_version", &mut services.redis_version, None, "6.2"),
        ("redis_class", &mut services.redis_class, Some("cache."), "cache.r5.large"),
        ("amq_version", &mut services.amq_version, None, "5.18"),
        ("amq_class", &mut services.amq_class, Some("mq."), "mq.m5.large"),
    ] {
        let Some(given) = table.get(key) else { continue };
        let Some(name) = text(given, &format!("`{key}`"), problems) else { continue };
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        let word = name.bytes().all(inner);
        let good = match prefix {
            // Class and size: `db.r6g.large`.
            Some(prefix) => name
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.split('.').count() == 2 && rest.split('.').all(|part| !part.is_empty())),
            None => name.starts_with(|c: char| c.is_ascii_digit()),
        };
        if word && good {
            name.clone_into(value);
        } else {
            let what = if prefix.is_some() { "an instance class" } else { "an engine version" };
            let problem = Problem::new(format!("`{name}` is no {}", what.trim_start_matches("an "))).at(given.span());
            problems.push(problem.label(format!("expected {what}, such as \"{example}\"")));
        }
    }
}
