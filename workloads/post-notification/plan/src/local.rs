//! What the `local` testbed is made of: the `[local]` table of an experiment.

mod fingerprint;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::fingerprint::ConfiguredLag;
use crate::axes::{Region, RegionPair};
use crate::point::Axes;

/// Links and lags of a testbed, and the region that writes.
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

/// Major versions of the servers, which are part of what a result means: a run refuses others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Servers {
    /// ActiveMQ's.
    pub activemq: String,
    /// MariaDB's.
    pub mariadb: String,
    /// MiniStack's.
    pub ministack: String,
    /// Redis's.
    pub redis: String,
}

/// The settings of an experiment for the `local` testbed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Local {
    /// Links and lags.
    pub config: LocalConfig,
    /// Major versions of the servers.
    pub servers: Servers,
}

/// Settings that are impossible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadLocal(pub String);

/// Half the published round trips between the built-in regions, in milliseconds (cloudping, as kept in
/// `libp2p/jvm-libp2p`, AwsLatencies.kt: mean of both directions 91.5, 157.5 and 212).
const HALF_ROUND_TRIPS_MS: [(&str, &str, f64); 3] = [("eu", "us", 45.75), ("eu", "sg", 78.75), ("us", "sg", 106.0)];

/// Longest delay and jitter of a link, in milliseconds: far beyond any link, and far below where time arithmetic could
/// overflow.
pub(crate) const MAX_LINK_MS: f64 = 60_000.0;

/// Longest lag, in milliseconds: an hour.
pub(crate) const MAX_LAG_MS: f64 = 3.6e6;

/// Largest coefficient of variation of a lag.
pub(crate) const MAX_CV: f64 = 10.0;

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

impl Default for Servers {
    /// What Debian 12 has, and the version of MiniStack that is installed.
    fn default() -> Self {
        Self { activemq: "5".into(), mariadb: "10".into(), ministack: "1".into(), redis: "7".into() }
    }
}

impl Servers {
    /// Each server's name and major version.
    #[must_use]
    pub fn each(&self) -> [(&'static str, &str); 4] {
        [
            ("activemq", &self.activemq),
            ("mariadb", &self.mariadb),
            ("ministack", &self.ministack),
            ("redis", &self.redis),
        ]
    }
}

impl LocalConfig {
    /// The regions of the testbed: short name and AWS name, the writer's first.
    ///
    /// # Errors
    /// When the writer or a link's end is none of the built-in regions.
    pub fn regions(&self) -> Result<Vec<(Region, &'static str)>, BadLocal> {
        let mut regions: Vec<_> =
            Region::BUILT_IN.iter().filter_map(|(short, aws)| Some((Region::new(short)?, *aws))).collect();
        let known = |name: &str| regions.iter().position(|(region, _)| region.as_str() == name);
        let writer = Region::new(&self.writer).and_then(|region| known(region.as_str()));
        let writer = writer.ok_or_else(|| BadLocal(format!("writer `{}` is none of eu, us, sg", self.writer)))?;
        for pair in self.links.keys() {
            for side in [&pair.writer, &pair.reader] {
                if known(side.as_str()).is_none() {
                    return Err(BadLocal(format!("link `{pair}` names `{side}`, which is none of eu, us, sg")));
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
    pub fn link(&self, pair: &RegionPair) -> Result<Link, BadLocal> {
        let back = RegionPair { writer: pair.reader.clone(), reader: pair.writer.clone() };
        let link = match (self.links.get(pair), self.links.get(&back)) {
            (Some(_), Some(_)) => {
                return Err(BadLocal(format!("`{pair}` and `{back}` are the same link: give one of them")));
            }
            (Some(link), None) | (None, Some(link)) => *link,
            (None, None) => {
                let published = HALF_ROUND_TRIPS_MS.iter().find(|(one, other, _)| {
                    let ends = [pair.writer.as_str(), pair.reader.as_str()];
                    ends == [*one, *other] || ends == [*other, *one]
                });
                let (_, _, delay_ms) =
                    published.ok_or_else(|| BadLocal(format!("the testbed has no link `{pair}`")))?;
                Link { delay_ms: *delay_ms, jitter_ms: 0.0 }
            }
        };
        if [link.delay_ms, link.jitter_ms].iter().all(|ms| (0.0..=MAX_LINK_MS).contains(ms)) {
            Ok(link)
        } else {
            Err(BadLocal(format!("times of link `{pair}` must be from 0 to {MAX_LINK_MS} ms")))
        }
    }

    /// Checks everything that the types leave open.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn check(&self) -> Result<(), BadLocal> {
        let regions = self.regions()?;
        for (n, (one, _)) in regions.iter().enumerate() {
            for (other, _) in &regions[n + 1..] {
                self.link(&RegionPair { writer: one.clone(), reader: other.clone() })?;
            }
        }
        for (name, lag) in [("dynamo", self.lag.dynamo), ("s3", self.lag.s3)] {
            let good = |value: f64, max: f64| (0.0..=max).contains(&value);
            if !(good(lag.mean_ms, MAX_LAG_MS) && good(lag.cv, MAX_CV) && good(lag.max_ms, MAX_LAG_MS)) {
                return Err(BadLocal(format!(
                    "lag `{name}`: mean_ms and max_ms must be from 0 to {MAX_LAG_MS} and cv from 0 to {MAX_CV}"
                )));
            }
        }
        Ok(())
    }
}

impl Local {
    /// The configuration of the testbed that the points of an experiment need.
    ///
    /// # Errors
    /// When they need what the testbed does not have: a region of its own, or more than one region that writes.
    pub fn config_for(&self, points: &[Axes]) -> Result<LocalConfig, BadLocal> {
        let mut config = self.config.clone();
        if let Some(first) = points.first() {
            let pair = |point: &Axes| point.combination.regions.clone();
            first.combination.regions.writer.as_str().clone_into(&mut config.writer);
            if let Some(other) = points.iter().find(|point| pair(point).writer.as_str() != config.writer) {
                return Err(BadLocal(format!(
                    "the local testbed has one region that writes, and this experiment has {} and {}: \
                     write an experiment for each",
                    config.writer,
                    pair(other).writer
                )));
            }
            config.check()?;
            for point in points {
                config.link(&pair(point))?;
            }
        }
        config.check()?;
        Ok(config)
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
