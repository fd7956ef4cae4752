//! `[local]`: settings of the testbed on this machine.

use crate::axes::Platform;
use crate::local::{Lag, Link, Local, LocalConfig, MAX_CV, MAX_LAG_MS, MAX_LINK_MS};
use crate::point::Axes;
use crate::problem::Problem;
use crate::regions::Regions;
use matrix_core::walk::{Table, any_table, number, text};

/// Keys of the table.
pub(crate) const KEYS: &[&str] = &["links", "lag", "servers"];

/// Keys of a link.
pub(crate) const LINK: &[&str] = &["delay_ms", "jitter_ms"];

/// Keys of `[local.lag]`.
pub(crate) const LAGS: &[&str] = &["dynamo", "s3"];

/// Keys of a lag.
pub(crate) const LAG: &[&str] = &["mean_ms", "cv", "max_ms"];

/// Keys of `[local.servers]`.
pub(crate) const SERVERS: &[&str] = &["activemq", "mariadb", "ministack", "redis"];

/// Reads the table.
pub(crate) fn local(root: &Table<'_>, problems: &mut Vec<Problem>) -> Local {
    let mut local = Local::default();
    let Some(value) = root.get("local") else { return local };
    let Some(table) = Table::open(value, "[local]", KEYS, problems) else { return local };
    if let Some(value) = table.get("links") {
        links(value, &mut local.config, problems);
    }
    let lags = table.get("lag").and_then(|value| Table::open(value, "[local.lag]", LAGS, problems));
    if let Some(lags) = lags {
        for (key, lag) in [("dynamo", &mut local.config.lag.dynamo), ("s3", &mut local.config.lag.s3)] {
            let table = lags.get(key).and_then(|value| Table::open(value, "a lag", LAG, problems));
            if let Some(table) = table {
                read_lag(&table, lag, problems);
            }
        }
    }
    let servers = table.get("servers").and_then(|value| Table::open(value, "[local.servers]", SERVERS, problems));
    if let Some(table) = servers {
        let servers = &mut local.servers;
        for (key, major) in [
            ("activemq", &mut servers.activemq),
            ("mariadb", &mut servers.mariadb),
            ("ministack", &mut servers.ministack),
            ("redis", &mut servers.redis),
        ] {
            if let Some(value) = table.get(key)
                && let Some(version) = text(value, "a major version", problems)
            {
                if version.is_empty() || !version.bytes().all(|b| b.is_ascii_digit()) {
                    let problem = Problem::new(format!("`{version}` is no major version")).at(value.span());
                    problems.push(problem.label("expected the digits before the first point, such as \"10\""));
                }
                version.clone_into(major);
            }
        }
    }
    local
}

fn links(value: &matrix_core::walk::Value<'_>, config: &mut LocalConfig, problems: &mut Vec<Problem>) {
    let Some(entries) = any_table(value, "[local.links]", problems) else { return };
    for (key, value) in entries.iter() {
        let pair = match Regions::built_in().pair(key.get_ref()) {
            Ok(pair) => pair,
            Err(problem) => {
                problems.push(problem.at(key.span()).help("the local testbed has the regions eu, us and sg"));
                continue;
            }
        };
        let Some(table) = Table::open(value, "a link", LINK, problems) else { continue };
        let label = format!("must be from 0 to {MAX_LINK_MS}");
        let time = |key, problems: &mut Vec<Problem>| {
            let good = |ms| (0.0..=MAX_LINK_MS).contains(&ms);
            table.get(key).and_then(|value| number(value, &format!("`{key}`"), good, &label, problems))
        };
        let jitter_ms = time("jitter_ms", problems).unwrap_or(0.0);
        if table.require("delay_ms", "delay_ms = 45.75", problems).is_none() {
            continue;
        }
        let Some(delay_ms) = time("delay_ms", problems) else { continue };
        let back = crate::RegionPair { writer: pair.reader.clone(), reader: pair.writer.clone() };
        if config.links.contains_key(&back) || config.links.insert(pair, Link { delay_ms, jitter_ms }).is_some() {
            let problem = Problem::new(format!("the link `{}` is given twice", key.get_ref())).at(key.span());
            problems.push(problem.label("a link has no direction: give it once"));
        }
    }
}

fn read_lag(table: &Table<'_>, lag: &mut Lag, problems: &mut Vec<Problem>) {
    for (key, value, most) in [
        ("mean_ms", &mut lag.mean_ms, MAX_LAG_MS),
        ("cv", &mut lag.cv, MAX_CV),
        ("max_ms", &mut lag.max_ms, MAX_LAG_MS),
    ] {
        if let Some(given) = table.get(key) {
            let good = |number| (0.0..=most).contains(&number);
            let label = format!("must be from 0 to {most}");
            *value = number(given, &format!("`{key}`"), good, &label, problems).unwrap_or(*value);
        }
    }
}

/// Checks that the testbed has what an experiment's points need, and returns the region that writes.
pub(crate) fn settle(
    root: &Table<'_>,
    platform: Option<Platform>,
    points: &[Axes],
    local: &mut Local,
    problems: &mut Vec<Problem>,
) {
    if platform != Some(Platform::Local) || points.is_empty() {
        return;
    }
    match local.config_for(points) {
        Ok(config) => local.config = config,
        Err(bad) => {
            let problem = Problem::new(bad.to_string());
            problems.push(match root.get("matrix") {
                Some(matrix) => problem.at(matrix.span()).label("region pairs of the matrices"),
                None => problem,
            });
        }
    }
}
