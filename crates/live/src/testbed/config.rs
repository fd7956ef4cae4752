//! What the testbed is made of: regions, links and lags.

use std::collections::BTreeMap;

use matrix_plan::{Region, RegionPair};
use serde::{Deserialize, Serialize};

use super::TestbedError;

/// The `[local]` table of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocalConfig {
    /// Short name of the region that writes: the primaries are there, replicas in every other region.
    pub writer: String,
    /// Replication links, in either direction's name. A missing link has its default.
    pub links: BTreeMap<RegionPair, Link>,
    /// Lags of what the emulator replicates.
    pub lag: Lags,
}

/// A replication link between two regions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// One-way delay in milliseconds, in both directions.
    pub delay_ms: f64,
    /// Added to the delay of each piece of data: uniform from 0 to this, in milliseconds. Order is kept.
    #[serde(default)]
    pub jitter_ms: f64,
}

/// Lags of what the emulator replicates. They are configured, not native to the store.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lags {
    /// From a `PutItem` to its visibility at a replica.
    pub dynamo: Lag,
    /// From a `PutObject` to its visibility at a replica.
    pub s3: Lag,
}

/// A lognormal time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lag {
    /// Mean in milliseconds, before the cut.
    pub mean_ms: f64,
    /// Coefficient of variation (standard deviation over mean), before the cut; 0 makes the time constant.
    pub cv: f64,
    /// No time is longer, in milliseconds.
    pub max_ms: f64,
}

/// Half the published round trips between the built-in regions, in milliseconds (cloudping, as kept in
/// `libp2p/jvm-libp2p`, AwsLatencies.kt: mean of both directions 91.5, 157.5 and 212).
const HALF_ROUND_TRIPS_MS: [(&str, &str, f64); 3] = [("eu", "us", 45.75), ("eu", "sg", 78.75), ("us", "sg", 106.0)];

impl Default for LocalConfig {
    fn default() -> Self {
        Self { writer: "eu".to_owned(), links: BTreeMap::new(), lag: Lags::default() }
    }
}

impl Default for Lags {
    /// DynamoDB: Amazon's "typically 0.5 to 2.5 seconds" for global tables. S3: an assumption that keeps runs short; the
    /// real service takes seconds to minutes.
    fn default() -> Self {
        Self {
            dynamo: Lag { mean_ms: 900.0, cv: 0.35, max_ms: 2500.0 },
            s3: Lag { mean_ms: 1300.0, cv: 0.25, max_ms: 2000.0 },
        }
    }
}

impl LocalConfig {
    /// The regions of the testbed: short name and AWS name, the writer's first.
    pub(crate) fn regions(&self) -> Result<Vec<(Region, &'static str)>, TestbedError> {
        let mut regions: Vec<_> =
            Region::BUILT_IN.iter().filter_map(|(short, aws)| Some((Region::new(short)?, *aws))).collect();
        let known = |name: &str| regions.iter().position(|(region, _)| region.as_str() == name);
        let writer = Region::new(&self.writer).and_then(|region| known(region.as_str()));
        let writer = writer.ok_or_else(|| self.wrong(format!("writer `{}` is none of eu, us, sg", self.writer)))?;
        for pair in self.links.keys() {
            for side in [&pair.writer, &pair.reader] {
                if known(side.as_str()).is_none() {
                    return Err(self.wrong(format!("link `{pair}` names `{side}`, which is none of eu, us, sg")));
                }
            }
        }
        regions[..=writer].rotate_right(1);
        Ok(regions)
    }

    /// The link between two regions.
    ///
    /// # Errors
    /// When it is given for both directions, or with an impossible time.
    pub fn link(&self, pair: &RegionPair) -> Result<Link, TestbedError> {
        let back = RegionPair { writer: pair.reader.clone(), reader: pair.writer.clone() };
        let link = match (self.links.get(pair), self.links.get(&back)) {
            (Some(_), Some(_)) => {
                return Err(self.wrong(format!("`{pair}` and `{back}` are the same link: give one of them")));
            }
            (Some(link), None) | (None, Some(link)) => *link,
            (None, None) => {
                let published = HALF_ROUND_TRIPS_MS.iter().find(|(one, other, _)| {
                    let ends = [pair.writer.as_str(), pair.reader.as_str()];
                    ends == [*one, *other] || ends == [*other, *one]
                });
                let (_, _, delay_ms) =
                    published.ok_or_else(|| self.wrong(format!("link `{pair}` has no default: give one")))?;
                Link { delay_ms: *delay_ms, jitter_ms: 0.0 }
            }
        };
        // A minute is far beyond any link, and far below where time arithmetic could overflow.
        if [link.delay_ms, link.jitter_ms].iter().all(|ms| (0.0..=60_000.0).contains(ms)) {
            Ok(link)
        } else {
            Err(self.wrong(format!("times of link `{pair}` must be from 0 to 60000 ms")))
        }
    }

    /// Checks everything that the types leave open.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn check(&self) -> Result<(), TestbedError> {
        let regions = self.regions()?;
        let (writer, _) = &regions[0];
        for (reader, _) in &regions[1..] {
            self.link(&RegionPair { writer: writer.clone(), reader: reader.clone() })?;
        }
        for (name, lag) in [("dynamo", self.lag.dynamo), ("s3", self.lag.s3)] {
            let good = |value: f64, max: f64| (0.0..=max).contains(&value);
            if !(good(lag.mean_ms, 3.6e6) && good(lag.cv, 10.0) && good(lag.max_ms, 3.6e6)) {
                return Err(self
                    .wrong(format!("lag `{name}`: mean_ms and max_ms must be from 0 to 3600000 and cv from 0 to 10")));
            }
        }
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "reads as what is wrong with this configuration")]
    fn wrong(&self, what: String) -> TestbedError {
        TestbedError::Config(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(text: &str) -> RegionPair {
        text.parse().unwrap()
    }

    #[test]
    fn links_have_no_direction_and_default_to_half_a_round_trip() {
        let config: LocalConfig = serde_json::from_str(r#"{"links":{"us->eu":{"delay_ms":3}}}"#).unwrap();
        assert_eq!(config.link(&pair("eu->us")).unwrap().delay_ms, 3.0);
        assert_eq!(config.link(&pair("sg->eu")).unwrap().delay_ms, 78.75);
        assert!(config.check().is_ok());
    }

    #[test]
    fn the_writer_comes_first() {
        let config = LocalConfig { writer: "sg".into(), ..LocalConfig::default() };
        let names: Vec<_> = config.regions().unwrap().into_iter().map(|(region, _)| region.to_string()).collect();
        assert_eq!(names, ["sg", "eu", "us"]);
    }

    #[test]
    fn impossible_settings_are_refused() {
        for bad in [
            r#"{"writer":"mars"}"#,
            r#"{"links":{"eu->us":{"delay_ms":1},"us->eu":{"delay_ms":1}}}"#,
            r#"{"links":{"eu->us":{"delay_ms":-1}}}"#,
            r#"{"links":{"eu->mars":{"delay_ms":1}}}"#,
            r#"{"lag":{"s3":{"mean_ms":1,"cv":-1,"max_ms":1}}}"#,
        ] {
            assert!(serde_json::from_str::<LocalConfig>(bad).unwrap().check().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<LocalConfig>(r#"{"lnks":{}}"#).is_err());
    }
}
