//! What is checked of the bag of every bundle of results.

use std::collections::BTreeMap;

use matrix_store::Digest;

use crate::bag::{AGENT, AGENT_FIELD, PAYLOAD, parse_info, render_info, render_manifest};
use crate::difference;
use crate::files::Files;
use crate::layout::BundlePath;

/// What is said of a bag in words that another deriver may choose otherwise.
const IN_WORDS: &str = "External-Description";

/// What is wrong with `bag-info.txt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrongInfo {
    /// It is a fault whatever made the bundle.
    Fault(String),
    /// It is one where this program's version of the rules made it.
    Derived(String),
}

/// Whether a version of this program is what says that it made a bundle: a name and a version, as `matrix 1.2.3`.
fn is_a_version_of_this(agent: &str) -> bool {
    let ours = AGENT.split_once(' ').map_or(AGENT, |(name, _)| name);
    let Some((name, version)) = agent.split_once(' ') else { return false };
    let numbers: Vec<&str> = version.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.len() < 6 && part.bytes().all(|byte| byte.is_ascii_digit());
    name == ours && numbers.len() == 3 && numbers.iter().all(is_number)
}

/// Compares what is said of a bag with what follows from its payload. Of another deriver, numbers and names still have to be those that
/// follow. `agent` is what made it, as it says.
#[must_use]
pub fn wrong_info(
    found: &[u8],
    agent: &str,
    expected: &BTreeMap<&'static str, String>,
    of_another_version: bool,
) -> Option<WrongInfo> {
    if agent != AGENT && !is_a_version_of_this(agent) {
        return Some(WrongInfo::Fault(format!("its {AGENT_FIELD} is no version of this program")));
    }
    let expected = render_info(expected).into_bytes();
    if found == expected {
        return None;
    }
    let [info, rendered] = [found, &expected].map(|text| parse_info(text).unwrap_or_default());
    let is_wrong = |name: &str, value: &String| name != IN_WORDS && info.get(name) != Some(value);
    Some(match rendered.iter().find(|(name, value)| is_wrong(name, value)) {
        Some((name, value)) if of_another_version => {
            WrongInfo::Fault(format!("its {name} is not {value}, which follows from the payload"))
        }
        _ => WrongInfo::Derived(format!("it is not what follows from the payload: {}", difference(found, &expected))),
    })
}

/// Source trees that do not have the digest that they are named by: their paths in the bag, and what is wrong.
#[must_use]
pub fn wrong_trees(files: &Files) -> Vec<(String, String)> {
    let mut trees: BTreeMap<Digest, Vec<(String, Digest)>> = BTreeMap::new();
    for (path, _, digest) in files.iter() {
        if let Some(BundlePath::Source(tree, name)) = BundlePath::of(path) {
            trees.entry(tree).or_default().push((name, digest));
        }
    }
    let wrong = |(tree, files): (Digest, Vec<(String, Digest)>)| {
        let text = render_manifest(files.iter().map(|(name, digest)| (name.as_str(), *digest)));
        let found = Digest::of(text.as_bytes());
        let what = || format!("its files have the digest {found}, not the one of its name");
        (found != tree).then(|| (format!("{PAYLOAD}source/{tree}"), what()))
    };
    trees.into_iter().filter_map(wrong).collect()
}
