//! Configurations for the original's plot script: YAML.

use std::collections::{BTreeMap, BTreeSet};

use matrix_plan::{NotificationStorage, PostStorage, RegionPair};

use crate::name::{FolderName, PairName, notification_name, post_name};

/// A folder that was written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) pair: PairName,
    pub(crate) name: FolderName,
    /// The folder's name: that of [`Self::name`], or one that a person chose.
    pub(crate) folder: String,
    /// Whether its tags contain the sizes of posts and notifications.
    pub(crate) sizes: bool,
    pub(crate) simulated: bool,
}

impl Written {
    /// The folder, relative to `gather`.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.pair, self.folder)
    }

    /// Whether the folder has the name by which the script's delay figure looks for it.
    fn is_named_by_its_delay(&self) -> bool {
        self.folder == self.name.to_string()
    }
}

/// A configuration and its file's name. The script takes one region pair and one number of requests at a time, so there
/// is one for each.
pub(crate) fn plot_configs(written: &[Written]) -> Vec<(String, String)> {
    let mut groups: BTreeMap<(&RegionPair, u64), Vec<&Written>> = BTreeMap::new();
    for one in written {
        groups.entry((&one.name.regions, one.name.requests)).or_default().push(one);
    }
    let configs = groups.into_iter().filter_map(|((regions, requests), group)| {
        let text = config(regions, requests, &group)?;
        Some((format!("matrix-{}-{}-{requests}.yml", regions.writer, regions.reader), text))
    });
    configs.collect()
}

fn config(regions: &RegionPair, requests: u64, group: &[&Written]) -> Option<String> {
    let mut text = String::new();
    let combinations = combinations(group);
    if !combinations.is_empty() {
        text.push_str("delay_vs_per_inconsistencies:\n  combinations:\n");
        for PairName { post_storage, notification_storage } in combinations {
            text.push_str(&format!("    - post_storage: '{}'\n", post_name(post_storage)));
            text.push_str(&format!("      notification_storage: '{}'\n", notification_name(notification_storage)));
        }
        let RegionPair { writer, reader } = regions;
        text.push_str(&format!(
            "  writer_region: '{writer}'\n  reader_region: '{reader}'\n  num_requests: {requests}\n"
        ));
    }
    let sns = |one: &&&Written| one.pair.notification_storage == NotificationStorage::Sns;
    paths(&mut text, "consistency_window", &group.iter().filter(sns).copied().collect::<Vec<_>>());
    let sizes = |one: &&&Written| one.sizes;
    paths(&mut text, "storage_overhead", &group.iter().filter(sizes).copied().collect::<Vec<_>>());
    let simulated = group.iter().filter(|one| one.simulated).count();
    let comment = match simulated {
        0 => "",
        all if all == group.len() => "# SIMULATED results: no service was measured.\n",
        _ => "# Some of these results are SIMULATED: their tags.yml say so.\n",
    };
    (!text.is_empty()).then(|| format!("{comment}{text}"))
}

/// Combinations of the figure that has one line for each post storage: of each, the notification storage with most
/// delays, SNS first.
fn combinations(group: &[&Written]) -> Vec<PairName> {
    let mut delays: BTreeMap<PairName, BTreeSet<u64>> = BTreeMap::new();
    for one in group.iter().filter(|one| !one.name.antipode && one.is_named_by_its_delay()) {
        delays.entry(one.pair).or_default().insert(one.name.delay_ms);
    }
    let best = |post: &PostStorage| {
        let candidates = delays.iter().filter(|(pair, _)| pair.post_storage == *post);
        let ranked = candidates.map(|(pair, delays)| (delays.len(), pair.notification_storage, *pair));
        // The order of the names has SNS first.
        ranked.max_by(|one, other| one.0.cmp(&other.0).then(other.1.cmp(&one.1))).map(|(_, _, pair)| pair)
    };
    PostStorage::ALL.iter().filter_map(best).collect()
}

/// A section that compares on with off: of each pair of storages the smallest delay that has both, the trace with antipode
/// before the one without, round by round.
fn paths(text: &mut String, section: &str, group: &[&Written]) {
    let mut sides: BTreeMap<(PairName, u64), [Vec<&Written>; 2]> = BTreeMap::new();
    for one in group {
        let [on, off] = sides.entry((one.pair, one.name.delay_ms)).or_default();
        if one.name.antipode { on } else { off }.push(one);
    }
    let mut seen = BTreeSet::new();
    let mut lines = String::new();
    for ((pair, _), mut both) in sides {
        if both.iter().any(Vec::is_empty) || !seen.insert(pair) {
            continue;
        }
        for side in &mut both {
            side.sort_by_key(|one| one.name.stamp);
        }
        let [on, off] = both;
        for round in 0..on.len().max(off.len()) {
            for one in [on.get(round), off.get(round)].into_iter().flatten() {
                lines.push_str(&format!("    - '{}'\n", one.path().replace('\'', "''")));
            }
        }
    }
    if !lines.is_empty() {
        text.push_str(&format!("{section}:\n  gather_paths:\n{lines}"));
    }
}
