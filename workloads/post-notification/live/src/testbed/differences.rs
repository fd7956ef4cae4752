//! What differs between the settings of two testbeds.

use std::collections::BTreeMap;
use std::fmt;

use matrix_plan::RegionPair;

use super::{LocalConfig, TestbedError};

/// A setting that a running testbed has otherwise than it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The setting, as an experiment writes it.
    pub setting: String,
    /// What it is in the testbed that runs.
    pub running: String,
    /// What it should be.
    pub wanted: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {} there and {} here", self.setting, self.running, self.wanted)
    }
}

impl Difference {
    pub(crate) fn list(differences: &[Self]) -> String {
        differences.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// What differs in effect: a link that is spelled out as it is by default makes no difference.
    pub(crate) fn between(running: &LocalConfig, wanted: &LocalConfig) -> Result<Vec<Self>, TestbedError> {
        let (mut running, wanted) = (resolved(running)?, resolved(wanted)?);
        let mut differences = Vec::new();
        for (setting, wanted) in wanted {
            let running = running.remove(&setting).unwrap_or_else(|| "nothing".to_owned());
            if running != wanted {
                differences.push(Self { setting, running, wanted });
            }
        }
        Ok(differences)
    }
}

/// Everything that a testbed is started with. Only the links from the region that writes carry anything.
fn resolved(config: &LocalConfig) -> Result<BTreeMap<String, String>, TestbedError> {
    let mut settings = BTreeMap::from([("the region that writes".to_owned(), config.writer.clone())]);
    let regions = config.regions()?;
    let Some(((writer, _), readers)) = regions.split_first() else { return Ok(settings) };
    for (reader, _) in readers {
        let pair = RegionPair { writer: writer.clone(), reader: reader.clone() };
        let link = config.link(&pair)?;
        for (name, ms) in [("delay_ms", link.delay_ms), ("jitter_ms", link.jitter_ms)] {
            settings.insert(format!("{name} of link {pair}"), ms.to_string());
        }
    }
    for (storage, lag) in [("dynamo", config.lag.dynamo), ("s3", config.lag.s3)] {
        for (name, value) in [("mean_ms", lag.mean_ms), ("cv", lag.cv), ("max_ms", lag.max_ms)] {
            settings.insert(format!("{name} of lag {storage}"), value.to_string());
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> LocalConfig {
        serde_json::from_str(json).unwrap()
    }

    fn between(running: &str, wanted: &str) -> String {
        Difference::list(&Difference::between(&config(running), &config(wanted)).unwrap())
    }

    #[test]
    fn settings_that_are_spelled_out_are_those_that_are_not() {
        let spelled = r#"{"links":{"eu->us":{"delay_ms":45.75},"sg->eu":{"delay_ms":78.75,"jitter_ms":0}}}"#;
        assert_eq!(between("{}", spelled), "");
        assert_eq!(between(spelled, "{}"), "");
        // It carries nothing: neither side writes.
        assert_eq!(between("{}", r#"{"links":{"us->sg":{"delay_ms":1}}}"#), "");
    }

    #[test]
    fn what_differs_is_named_with_both_values() {
        assert_eq!(
            between(
                "{}",
                r#"{"links":{"eu->us":{"delay_ms":30}},"lag":{"s3":{"mean_ms":1300,"cv":0.5,"max_ms":2000}}}"#
            ),
            "cv of lag s3 is 0.25 there and 0.5 here, delay_ms of link eu->us is 45.75 there and 30 here"
        );
        assert!(between("{}", r#"{"writer":"us"}"#).starts_with("delay_ms of link us->eu is nothing there"));
    }
}
