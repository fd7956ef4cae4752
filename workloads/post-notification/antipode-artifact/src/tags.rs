//! `tags.yml`: what was run, and sums.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use matrix_plan::{NotificationStorage, PostStorage};
use serde::{Deserialize, Serialize};

use crate::error::{ParseError, Problem};
use crate::name::{notification_name, post_name};
use crate::number::{float, milliseconds};
use crate::yaml::{Node, parse_flat};

/// Most bytes that `tags.yml` may have: the original's have about 400.
pub const MAX_TAGS_BYTES: u64 = 64 << 10;

/// A value that is kept as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scalar {
    /// A decimal number, in its spelling.
    Number(String),
    /// Text.
    Text(String),
    /// True or false.
    Flag(bool),
    /// No value.
    Null,
}

impl Scalar {
    fn of(node: Node) -> Self {
        if !node.plain {
            return Self::Text(node.text);
        }
        if let Some(flag) = flag(&node.text) {
            return Self::Flag(flag);
        }
        match node.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            text if is_number(text) => Self::Number(node.text),
            _ => Self::Text(node.text),
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(text) => float(text),
            _ => None,
        }
    }

    /// The value as YAML, on one line whatever it holds.
    fn to_yaml(&self) -> String {
        match self {
            Self::Number(text) if is_number(text) || text == NOT_A_NUMBER => text.clone(),
            Self::Number(text) | Self::Text(text) => quote(text),
            Self::Flag(flag) => flag.to_string(),
            Self::Null => "null".to_owned(),
        }
    }
}

/// What both YAML 1.1 and 1.2 readers take for a decimal number.
fn is_number(text: &str) -> bool {
    let bare = !text.contains(['e', 'E']) && text.ends_with(|c: char| c.is_ascii_digit());
    bare && !text.starts_with(['+', '.']) && !text.starts_with("-.") && float(text).is_some()
}

/// Text in quotes: single ones, or double ones where it holds what only an escape can write.
fn quote(text: &str) -> String {
    let printable =
        |c: char| matches!(c, ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}') && c != '\u{FEFF}';
    if text.chars().all(|c| printable(c) && !matches!(c, '\u{2028}' | '\u{2029}')) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            // Writing to a string does not fail.
            _ => drop(write!(quoted, "\\U{:08X}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

/// The tags of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// `POST_STORAGE`.
    pub post_storage: PostStorage,
    /// `NOTIFICATION_STORAGE`.
    pub notification_storage: NotificationStorage,
    /// `ANTIPODE_ENABLED`.
    pub antipode: bool,
    /// `DELAY`, in milliseconds.
    pub delay_ms: u64,
    /// `WRITER_REGION`: its name at AWS.
    pub writer_region: String,
    /// `READER_REGION`: its name at AWS.
    pub reader_region: String,
    /// The first number of `NUM_RESULTS`.
    pub results: u64,
    /// The second number of `NUM_RESULTS`.
    pub requests: u64,
    /// All other tags, by name.
    pub others: BTreeMap<String, Scalar>,
}

/// Share of the results whose read found no post.
pub const INCONSISTENCIES: &str = "%_INCONSISTENCIES";
/// Results a second, from the first request to the last reply.
pub const THROUGHPUT: &str = "THROUGHPUT_ON_CLIENT";
/// Total, then average size of a notification: in the original that of a Python object in memory.
pub const NOTIFICATION_BYTES: [&str; 2] = ["TOTAL_NOTIFICATION_SIZE_BYTES", "AVG_NOTIFICATION_SIZE_BYTES"];
/// Total, then average size of a stored post.
pub const POST_BYTES: [&str; 2] = ["TOTAL_POST_STORAGE_SIZE_BYTES", "AVG_POST_STORAGE_SIZE_BYTES"];
/// On what this program ran the cell: `sim`, `local` or `aws`. Not in the original's.
pub const PLATFORM: &str = "MATRIX_PLATFORM";
/// The cell's round. Not in the original's.
pub const ROUND: &str = "MATRIX_ROUND";
/// Whether somebody set the replication lag, instead of measuring one. Not in the original's.
pub const CONFIGURED_LAG: &str = "MATRIX_CONFIGURED_LAG";
/// The tags about what was run.
const REQUIRED: [&str; 7] = [
    "POST_STORAGE",
    "NOTIFICATION_STORAGE",
    "ANTIPODE_ENABLED",
    "DELAY",
    "READER_REGION",
    "WRITER_REGION",
    "NUM_RESULTS",
];
/// A treatment of later versions of the original.
const RENDEZVOUS: &str = "RENDEZVOUS_ENABLED";

/// Reads `tags.yml`.
///
/// # Errors
/// When it is no flat YAML mapping, a tag that says what was run is missing, or a known tag cannot have its value.
pub fn parse_tags(bytes: &[u8]) -> Result<Tags, ParseError> {
    if bytes.len() as u64 > MAX_TAGS_BYTES {
        return Err(ParseError::new(1, 1, Problem::TooLarge { limit: MAX_TAGS_BYTES }));
    }
    let text = crate::traces::text_of(bytes)?;
    let mut found = BTreeMap::new();
    for (name, value) in parse_flat(text)? {
        if found.contains_key(&name.text) {
            return Err(name.error(Problem::DuplicateTag(name.text.clone())));
        }
        found.insert(name.text, value);
    }
    let mut take = |name: &'static str| found.remove(name).ok_or(ParseError::new(1, 1, Problem::MissingTag(name)));
    let post_storage =
        parsed("POST_STORAGE", &take("POST_STORAGE")?, "mysql, dynamo, s3 or cache", |t| t.parse().ok())?;
    let notification = take("NOTIFICATION_STORAGE")?;
    let notification_storage = parsed("NOTIFICATION_STORAGE", &notification, "sns, mq or dynamo", |t| t.parse().ok())?;
    let antipode = take("ANTIPODE_ENABLED")?;
    let antipode = truth("ANTIPODE_ENABLED", &antipode)?;
    let delay_ms = parsed("DELAY", &take("DELAY")?, "a whole number of milliseconds, from 0", |text| {
        u64::try_from(milliseconds(text)?).ok()
    })?;
    let region = |name: &'static str, node: &Node| {
        parsed(name, node, "a region's name", |text| {
            let good =
                !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            good.then(|| text.to_owned())
        })
    };
    let writer_region = region("WRITER_REGION", &take("WRITER_REGION")?)?;
    let reader_region = region("READER_REGION", &take("READER_REGION")?)?;
    let counts = take("NUM_RESULTS")?;
    let (results, requests) = parsed("NUM_RESULTS", &counts, "results/requests, as in 998/1000", |text| {
        let (results, requests) = text.split_once('/')?;
        Some((whole(results)?, whole(requests)?))
    })?;
    if results > requests {
        return Err(counts.error(Problem::TooManyResults { results, requests }));
    }
    if let Some(node) = found.remove(RENDEZVOUS)
        && truth(RENDEZVOUS, &node)?
    {
        return Err(node.error(Problem::Treatment(RENDEZVOUS.to_owned())));
    }
    // A share of nothing is no value: an export writes it for the plot script of the original.
    if results == 0 {
        found.retain(|name, node| name != INCONSISTENCIES || !node.plain || node.text != NOT_A_NUMBER);
    }
    let others = found.into_iter().map(|(name, node)| known(&name, &node).map(|()| (name, Scalar::of(node))));
    Ok(Tags {
        post_storage,
        notification_storage,
        antipode,
        delay_ms,
        writer_region,
        reader_region,
        results,
        requests,
        others: others.collect::<Result<_, _>>()?,
    })
}

fn whole(text: &str) -> Option<u64> {
    let digits = text.trim();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn parsed<T>(
    name: &'static str,
    node: &Node,
    expected: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, ParseError> {
    read(&node.text).ok_or_else(|| node.error(Problem::Value { name, value: shown(&node.text), expected }))
}

/// A truth value, as YAML 1.1 (the original's reader) and Python spell them. In quotes it is a text, which Python takes
/// for true whatever it says.
fn truth(name: &'static str, node: &Node) -> Result<bool, ParseError> {
    let expected = "true or false, without quotes";
    let read = |text: &str| match text {
        "1" => Some(true),
        "0" => Some(false),
        _ => flag(text),
    };
    parsed(name, node, expected, |text| if node.plain { read(text) } else { None })
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// A share of nothing, in YAML.
pub(crate) const NOT_A_NUMBER: &str = ".nan";

/// Checks a tag that is kept as it is, if it is one whose meaning is known.
fn known(name: &str, node: &Node) -> Result<(), ParseError> {
    let null = node.plain && matches!(node.text.as_str(), "" | "~" | "null" | "Null" | "NULL");
    let sizes = NOTIFICATION_BYTES.iter().chain(&POST_BYTES);
    if name == INCONSISTENCIES {
        parsed(INCONSISTENCIES, node, "a fraction from 0 to 1", |text| {
            float(text).filter(|n| (0.0..=1.0).contains(n))
        })?;
    } else if let Some(&name) = sizes.chain([&THROUGHPUT]).find(|known| **known == name) {
        if !null {
            parsed(name, node, "a number from 0", |text| float(text).filter(|number| *number >= 0.0))?;
        }
    } else if name == PLATFORM {
        parsed(PLATFORM, node, "sim, local or aws", |text| text.parse::<matrix_plan::Platform>().ok())?;
    } else if name == ROUND {
        parsed(ROUND, node, "a whole number from 1", |text| {
            whole(text).filter(|n| (1..=u64::from(u32::MAX)).contains(n))
        })?;
    } else if name == CONFIGURED_LAG {
        truth(CONFIGURED_LAG, node)?;
    }
    Ok(())
}

/// A value as messages show it.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// The text of `tags.yml`; each line of `comment` stands before it as a comment.
pub(crate) fn write_tags(tags: &Tags, comment: &[String]) -> String {
    let mut text = String::new();
    for line in comment {
        text.push_str(&format!("# {line}\n"));
    }
    let text_of = |text: &str| Scalar::Text(text.to_owned());
    let mut put = |name: &str, value: &Scalar| {
        let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && flag(name).is_none()
            && !matches!(name, "null" | "Null" | "NULL");
        let name = if plain { name.to_owned() } else { quote(name) };
        // A name that is longer than a reader looks ahead for its colon, or spans lines, needs the explicit form.
        let explicit = name.chars().count() > 120;
        text.push_str(&if explicit {
            format!("? {name}\n: {}\n", value.to_yaml())
        } else {
            format!("{name}: {}\n", value.to_yaml())
        });
    };
    put("POST_STORAGE", &text_of(post_name(tags.post_storage)));
    put("NOTIFICATION_STORAGE", &text_of(notification_name(tags.notification_storage)));
    put("ANTIPODE_ENABLED", &Scalar::Flag(tags.antipode));
    put("DELAY", &Scalar::Number(tags.delay_ms.to_string()));
    put("READER_REGION", &text_of(&tags.reader_region));
    put("WRITER_REGION", &text_of(&tags.writer_region));
    put("NUM_RESULTS", &text_of(&format!("{}/{}", tags.results, tags.requests)));
    let documented = [INCONSISTENCIES, THROUGHPUT].into_iter().chain(NOTIFICATION_BYTES).chain(POST_BYTES);
    let documented: Vec<&str> = documented.collect();
    for name in &documented {
        if let Some(value) = tags.others.get(*name) {
            put(name, value);
        }
    }
    for (name, value) in &tags.others {
        if !documented.contains(&name.as_str()) && !REQUIRED.contains(&name.as_str()) {
            put(name, value);
        }
    }
    text
}

#[cfg(test)]
#[path = "tags_tests.rs"]
mod tests;
