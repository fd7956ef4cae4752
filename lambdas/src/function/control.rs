//! Requests that are no events: to clean, to tell what is stored, to remove what was built, and to tell the time. All but
//! the last are for storages that only the functions can reach.

use matrix_app::Micros;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::admin::Contents;

/// A request that is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// `{"-#CLEAN#-": 1}`
    Clean,
    /// `{"-#STATS#-": 1}`
    Stats,
    /// `{"-#REMOVE#-": 1}`: ours, the original has none.
    Remove,
    /// `{"-#CLOCK#-": 1}`: ours, the original has none.
    Clock,
}

#[derive(Deserialize)]
struct Markers {
    #[serde(rename = "-#CLEAN#-")]
    clean: Option<IgnoredAny>,
    #[serde(rename = "-#STATS#-")]
    stats: Option<IgnoredAny>,
    #[serde(rename = "-#REMOVE#-")]
    remove: Option<IgnoredAny>,
    #[serde(rename = "-#CLOCK#-")]
    clock: Option<IgnoredAny>,
}

impl Control {
    /// The control request in an invocation's payload; `None` if it is none.
    #[must_use]
    pub fn find(payload: &[u8]) -> Option<Self> {
        // What is no object is not ours to judge: whoever reads it as an event will.
        let markers: Markers = serde_json::from_slice(payload).ok()?;
        match markers {
            Markers { clean: Some(_), .. } => Some(Self::Clean),
            Markers { stats: Some(_), .. } => Some(Self::Stats),
            Markers { remove: Some(_), .. } => Some(Self::Remove),
            Markers { clock: Some(_), .. } => Some(Self::Clock),
            Markers { clean: None, stats: None, remove: None, clock: None } => None,
        }
    }

    /// The request as JSON.
    #[must_use]
    pub fn to_json(self) -> &'static str {
        match self {
            Self::Clean => r#"{"-#CLEAN#-":1}"#,
            Self::Stats => r#"{"-#STATS#-":1}"#,
            Self::Remove => r#"{"-#REMOVE#-":1}"#,
            Self::Clock => r#"{"-#CLOCK#-":1}"#,
        }
    }
}

/// What is stored at the function's end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Posts.
    pub posts: Contents,
    /// Notifications that wait.
    pub notifications: Contents,
    /// Bytes of all posts, under the name by which the original's script reads them of Redis.
    #[serde(rename = "dataset.bytes", default)]
    dataset_bytes: u64,
    /// Average bytes of a post, for the same script; 0 without posts. The original averages over keys, two for each post
    /// with antipode.
    #[serde(rename = "dataset.avg_bytes", default)]
    dataset_avg_bytes: f64,
}

impl Stats {
    /// The stats of what is stored.
    #[must_use]
    pub fn new(posts: Contents, notifications: Contents) -> Self {
        let average = if posts.items == 0 { 0.0 } else { posts.bytes as f64 / posts.items as f64 };
        Self { posts, notifications, dataset_bytes: posts.bytes, dataset_avg_bytes: average }
    }
}

/// The answer to a control request: as the original's, the request with what was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlReply {
    /// 200.
    #[serde(rename = "statusCode")]
    pub status_code: u16,
    /// The request and what was found.
    pub body: ControlBody,
}

/// See [`ControlReply`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ControlBody {
    /// 1 when cleaning was asked for: it is done at this end.
    #[serde(rename = "-#CLEAN#-", default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<u8>,
    /// 1 when removing was asked for: it is done.
    #[serde(rename = "-#REMOVE#-", default, skip_serializing_if = "Option::is_none")]
    pub remove: Option<u8>,
    /// 1 when stats were asked for.
    #[serde(rename = "-#STATS#-", default, skip_serializing_if = "Option::is_none")]
    pub stats_asked: Option<u8>,
    /// The stats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stats: Option<Stats>,
    /// The instance's time, when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Micros>,
}

impl ControlReply {
    /// The answer to a request to clean.
    #[must_use]
    pub fn cleaned() -> Self {
        Self::of(ControlBody { clean: Some(1), ..ControlBody::default() })
    }

    /// The answer to a request to remove.
    #[must_use]
    pub fn removed() -> Self {
        Self::of(ControlBody { remove: Some(1), ..ControlBody::default() })
    }

    /// The answer to a request for stats.
    #[must_use]
    pub fn stats(stats: Stats) -> Self {
        Self::of(ControlBody { stats_asked: Some(1), stats: Some(stats), ..ControlBody::default() })
    }

    /// The answer to a request for the time.
    #[must_use]
    pub fn clock(now: Micros) -> Self {
        Self::of(ControlBody { now: Some(now), ..ControlBody::default() })
    }

    fn of(body: ControlBody) -> Self {
        Self { status_code: 200, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_requests_are_told_from_events() {
        for control in [Control::Clean, Control::Stats, Control::Remove, Control::Clock] {
            assert_eq!(Control::find(control.to_json().as_bytes()), Some(control));
        }
        for other in [r#"{"i":1,"key":"1A"}"#, "{}", "[]", "1", "", r#"{"Records":[]}"#] {
            assert_eq!(Control::find(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn answers_have_the_form_of_the_original() {
        let contents = Contents { items: 2, bytes: 30 };
        let stats = Stats::new(contents, Contents::default());
        let json = serde_json::to_string(&ControlReply::stats(stats)).unwrap();
        let expected = concat!(
            r#"{"statusCode":200,"body":{"-#STATS#-":1,"stats":{"posts":{"items":2,"bytes":30},"#,
            r#""notifications":{"items":0,"bytes":0},"dataset.bytes":30,"dataset.avg_bytes":15.0}}}"#
        );
        assert_eq!(json, expected);
        let json = serde_json::to_string(&ControlReply::cleaned()).unwrap();
        assert_eq!(json, r#"{"statusCode":200,"body":{"-#CLEAN#-":1}}"#);
        let json = serde_json::to_string(&ControlReply::clock(Micros(1_500_000))).unwrap();
        assert_eq!(json, r#"{"statusCode":200,"body":{"now":1.5}}"#);
    }
}
