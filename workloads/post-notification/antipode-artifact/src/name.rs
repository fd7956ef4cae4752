//! Names of folders.

use std::fmt;
use std::str::FromStr;

use matrix_plan::{NotificationStorage, PostStorage, Region, RegionPair, Regions};

use crate::error::{ParseError, Problem};
use crate::stamp::Stamp;

/// The name of a post storage in the original's files.
#[must_use]
pub fn post_name(storage: PostStorage) -> &'static str {
    match storage {
        PostStorage::Redis => "cache",
        other => other.as_str(),
    }
}

/// The name of a notification storage in the original's files.
#[must_use]
pub fn notification_name(storage: NotificationStorage) -> &'static str {
    match storage {
        NotificationStorage::Amq => "mq",
        other => other.as_str(),
    }
}

/// The name of the folder above: `<post>-<notification>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PairName {
    /// Where posts live.
    pub post_storage: PostStorage,
    /// What carries notifications.
    pub notification_storage: NotificationStorage,
}

impl fmt::Display for PairName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", post_name(self.post_storage), notification_name(self.notification_storage))
    }
}

impl FromStr for PairName {
    type Err = ParseError;
    fn from_str(name: &str) -> Result<Self, ParseError> {
        let parsed = name.split_once('-').and_then(|(post, notification)| {
            Some(Self { post_storage: post.parse().ok()?, notification_storage: notification.parse().ok()? })
        });
        parsed.ok_or_else(|| ParseError::new(1, 1, Problem::Name { name: name.to_owned(), what: "pair of storages" }))
    }
}

/// The name of a cell's folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FolderName {
    /// Whether the reader waits in the barrier.
    pub antipode: bool,
    /// Where the writer and the reader run.
    pub regions: RegionPair,
    /// Number of requests; of results, where the gathering was cut short.
    pub requests: u64,
    /// Artificial delay, in milliseconds.
    pub delay_ms: u64,
    /// When it was gathered.
    pub stamp: Stamp,
}

impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { antipode, regions, requests, delay_ms, stamp } = self;
        let antipode = if *antipode { ANTIPODE } else { "" };
        write!(f, "{antipode}{}-{}__{requests}__delay-{delay_ms}ms-{stamp}", regions.writer, regions.reader)
    }
}

const ANTIPODE: &str = "antipode__";

impl FolderName {
    /// Reads a folder's name. The regions must be known: a hyphen may stand between two of them and inside one.
    ///
    /// # Errors
    /// When the name has another form; the column says where.
    pub fn parse(name: &str, regions: &Regions) -> Result<Self, ParseError> {
        let rest = name.strip_prefix(ANTIPODE).unwrap_or(name);
        let wrong = |at: &str| {
            let column = (at.as_ptr() as usize).saturating_sub(name.as_ptr() as usize);
            let column = name.get(..column).map_or(0, |before| before.chars().count()) as u64 + 1;
            let problem = Problem::Name { name: name.to_owned(), what: "name of a gather folder" };
            ParseError::new(1, column, problem)
        };
        let (pair, rest_of_pair) = rest.split_once("__").ok_or_else(|| wrong(rest))?;
        let (requests, delay) = rest_of_pair.split_once("__").ok_or_else(|| wrong(rest_of_pair))?;
        let (delay_ms, stamp) =
            delay.strip_prefix("delay-").and_then(|delay| delay.split_once("ms-")).ok_or_else(|| wrong(delay))?;
        Ok(Self {
            antipode: rest.len() < name.len(),
            regions: region_pair(pair, regions).ok_or_else(|| wrong(pair))?,
            requests: whole(requests).ok_or_else(|| wrong(requests))?,
            delay_ms: whole(delay_ms).ok_or_else(|| wrong(delay_ms))?,
            stamp: stamp.parse().map_err(|_| wrong(stamp))?,
        })
    }
}

/// The name of a folder that is there: the usual form, the form before there were delays (`eu-us__antipode__1000-…`), or a
/// label that a person chose by `gather --tag LABEL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundName {
    /// When it was gathered.
    pub stamp: Stamp,
    /// Whether the reader waits in the barrier, if the name says so.
    pub antipode: Option<bool>,
    /// Where the writer and the reader run, if the name says so.
    pub regions: Option<RegionPair>,
    /// Number of requests or of results, if the name says so.
    pub requests: Option<u64>,
    /// Artificial delay in milliseconds, if the name says so.
    pub delay_ms: Option<u64>,
    /// What stands before the time stamp, unless the name has the usual form.
    pub label: Option<String>,
}

impl FoundName {
    /// Reads a folder's name. One that has a delay must have the usual form.
    ///
    /// # Errors
    /// When the name has no time stamp, has a delay and another form than the usual one, or has characters that no export
    /// would write.
    pub fn parse(name: &str, regions: &Regions) -> Result<Self, ParseError> {
        let usual = FolderName::parse(name, regions);
        let error = match usual {
            Ok(FolderName { antipode, regions, requests, delay_ms, stamp }) => {
                return Ok(Self {
                    stamp,
                    antipode: Some(antipode),
                    regions: Some(regions),
                    requests: Some(requests),
                    delay_ms: Some(delay_ms),
                    label: None,
                });
            }
            Err(error) => error,
        };
        let Some((label, stamp)) = name.rsplit_once('-') else { return Err(error) };
        let Ok(stamp) = stamp.parse() else { return Err(error) };
        if label.contains(DELAY) || !is_label(label) {
            return Err(error);
        }
        let older = before_delays(label, regions);
        let (antipode, requests) = (older.as_ref().map(|it| it.0), older.as_ref().map(|it| it.2));
        let regions = older.map(|it| it.1);
        Ok(Self { stamp, antipode, regions, requests, delay_ms: None, label: Some(label.to_owned()) })
    }
}

/// The form before there were delays: `<writer>-<reader>__[antipode__]<requests>`.
fn before_delays(label: &str, regions: &Regions) -> Option<(bool, RegionPair, u64)> {
    let (pair, rest) = label.split_once("__")?;
    let requests = rest.strip_prefix(ANTIPODE);
    Some((requests.is_some(), region_pair(pair, regions)?, whole(requests.unwrap_or(rest))?))
}

/// Whether a text can stand before the time stamp of a folder that an export writes: it stays within its folder, and a
/// terminal shows it as it is.
#[must_use]
pub(crate) fn is_label(text: &str) -> bool {
    let shown = |c: char| c.is_alphanumeric() || c == ' ' || c.is_ascii_punctuation();
    let good = !text.is_empty() && text.len() <= LABEL_MAX && !text.starts_with('.');
    good && text.chars().all(|c| shown(c) && !matches!(c, '/' | '\\'))
}

/// Longest label in bytes: with a time stamp it fits into the name of a file.
const LABEL_MAX: usize = 200;
const DELAY: &str = "__delay-";

/// A whole number in its only spelling.
fn whole(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn region_pair(text: &str, regions: &Regions) -> Option<RegionPair> {
    let known = |name: &str| Region::new(name).filter(|region| regions.iter().any(|(other, _)| other == region));
    let mut pairs = text.match_indices('-').filter_map(|(at, _)| {
        let pair = RegionPair { writer: known(text.get(..at)?)?, reader: known(text.get(at + 1..)?)? };
        (pair.writer != pair.reader).then_some(pair)
    });
    let pair = pairs.next()?;
    pairs.next().is_none().then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str) -> Result<FolderName, ParseError> {
        FolderName::parse(name, &Regions::built_in())
    }

    #[test]
    fn names_of_the_original_survive() {
        for name in ["eu-us__1000__delay-0ms-20230915134647", "antipode__eu-sg__50__delay-1500ms-20230915134647"] {
            assert_eq!(parse(name).unwrap().to_string(), name);
        }
        assert_eq!(parse("eu-ap__1__delay-0ms-20230915134647").unwrap().regions.to_string(), "eu->sg");
        for name in ["cache-sns", "s3-mq", "dynamo-dynamo", "mysql-sns"] {
            assert_eq!(name.parse::<PairName>().unwrap().to_string(), name);
        }
        assert_eq!("redis-amq".parse::<PairName>().unwrap().to_string(), "cache-mq");
        assert!("sns-cache".parse::<PairName>().is_err());
    }

    #[test]
    fn older_names_and_chosen_ones_are_taken_for_what_they_say() {
        let found = |name: &str| FoundName::parse(name, &Regions::built_in()).unwrap();
        let says = |name: &str| {
            let FoundName { antipode, regions, requests, delay_ms, label, .. } = found(name);
            (antipode, regions.map(|pair| pair.to_string()), requests, delay_ms, label)
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            says("antipode__eu-sg__50__delay-1500ms-20230915134647"),
            (Some(true), text("eu->sg"), Some(50), Some(1500), None)
        );
        assert_eq!(
            says("eu-us__1000-20210912134647"),
            (Some(false), text("eu->us"), Some(1000), None, text("eu-us__1000"))
        );
        assert_eq!(
            says("eu-us__antipode__1000-20210913103954"),
            (Some(true), text("eu->us"), Some(1000), None, text("eu-us__antipode__1000"))
        );
        assert_eq!(says("my first-try-20230915134647"), (None, None, None, None, text("my first-try")));
        for bad in [
            "20230915134647",
            "-20230915134647",
            "..-20230915134647",
            "a/../b-20230915134647",
            "a\u{1b}[2Jb-20230915134647",
            "a\u{202e}b-20230915134647",
            "mine-2023",
            "eu-us__1000__delay-01ms-20230915134647",
        ] {
            assert!(FoundName::parse(bad, &Regions::built_in()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_place_of_the_fault_is_told() {
        let column = |name: &str| parse(name).unwrap_err().place.column;
        assert_eq!(column("hello"), 1);
        assert_eq!(column("antipode__eu-xx__1000__delay-0ms-20230915134647"), 11);
        assert_eq!(column("eu-us__10e3__delay-0ms-20230915134647"), 8);
        assert_eq!(column("eu-us__1000__delay-0s-20230915134647"), 14);
        assert_eq!(column("eu-us__1000__delay-01ms-20230915134647"), 20);
        assert_eq!(column("eu-us__1000__delay-0ms-20231515134647"), 24);
    }
}
