//! The values that axes can take.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use matrix_core::walk::UnknownName;

macro_rules! names {
    ($(#[$doc:meta])* $type:ident: $what:literal { $($(#[$vdoc:meta])* $variant:ident = $name:literal $(| $alias:literal)*),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$vdoc])* $variant),+ }

        impl $type {
            /// Every value, in the order of tables and figures.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Every spelling that is understood, the canonical ones first.
            pub const SPELLINGS: &'static [&'static str] = &[$($name,)+ $($($alias,)*)+];

            /// The canonical name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($name $(| $alias)* => Ok(Self::$variant),)+
                    _ => Err(UnknownName { what: $what, text: text.to_owned(), known: Self::SPELLINGS }),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                matrix_core::parsed(deserializer)
            }
        }
    };
}

names! {
    /// Where posts live.
    PostStorage: "post storage" {
        /// MySQL: on AWS an Aurora global database.
        Mysql = "mysql",
        /// A DynamoDB global table.
        Dynamo = "dynamo",
        /// S3 buckets with replication.
        S3 = "s3",
        /// Redis: on AWS an ElastiCache global datastore.
        Redis = "redis" | "cache",
    }
}

names! {
    /// What carries notifications.
    NotificationStorage: "notification storage" {
        /// An SNS topic.
        Sns = "sns",
        /// A network of ActiveMQ brokers.
        Amq = "amq" | "mq",
        /// A DynamoDB global table and its stream.
        Dynamo = "dynamo",
    }
}

names! {
    /// What an experiment runs on.
    Platform: "platform" {
        /// The embedded simulator.
        Sim = "sim",
        /// Real services on this machine.
        Local = "local",
        /// Amazon Web Services.
        Aws = "aws",
    }
}

/// A region, by its short name: lower-case letters, digits and hyphens. `eu`, `us` and `sg` are built in; an experiment
/// may declare more.
#[derive(Clone)]
pub struct Region(Name);

/// A region's name. Many cells are read, nearly all of them in the built-in regions: those share nothing that threads would
/// have to count.
#[derive(Clone)]
enum Name {
    BuiltIn(&'static str),
    Declared(Arc<String>),
}

impl PartialEq for Region {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Region {}

impl PartialOrd for Region {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Region {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Region {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Region").field(&self.as_str()).finish()
    }
}

impl Region {
    /// The built-in regions: short name and AWS name.
    pub const BUILT_IN: [(&'static str, &'static str); 3] =
        [("eu", "eu-central-1"), ("us", "us-east-1"), ("sg", "ap-southeast-1")];

    /// The region of the given short name; `ap` is an alias of `sg`. `None` if it is no name.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let good = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        good.then(|| {
            let name = if name == "ap" { "sg" } else { name };
            let known = Self::BUILT_IN.into_iter().find(|(known, _)| *known == name);
            Self(known.map_or_else(|| Name::Declared(Arc::new(name.to_owned())), |(known, _)| Name::BuiltIn(known)))
        })
    }

    /// The short name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::BuiltIn(name) => name,
            Name::Declared(name) => name,
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The writer's region, then the reader's. Written `eu->us`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionPair {
    /// Where the writer runs.
    pub writer: Region,
    /// Where the reader runs.
    pub reader: Region,
}

impl fmt::Display for RegionPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}->{}", self.writer, self.reader)
    }
}

/// A text that is no region pair.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no region pair: write it as `eu->us`, the writer's region first, two different ones")]
pub struct BadRegionPair(pub String);

impl BadRegionPair {
    /// What to do about a pair that a shell cut off.
    pub const QUOTE: &str = "the shell took `>` and what follows for a file to write into: quote it, as in 'regions=eu->us', and remove \
                             that file";

    /// Whether the text looks like what a shell leaves of `eu->us` that is not quoted.
    #[must_use]
    pub fn was_cut_by_the_shell(&self) -> bool {
        self.0.trim_end().strip_suffix('-').is_some_and(|writer| !writer.is_empty() && !writer.contains('>'))
    }
}

impl FromStr for RegionPair {
    type Err = BadRegionPair;
    fn from_str(text: &str) -> Result<Self, BadRegionPair> {
        let bad = || BadRegionPair(text.to_owned());
        let (writer, reader) = text.split_once("->").ok_or_else(bad)?;
        let region = |name: &str| Region::new(name.trim()).ok_or_else(bad);
        let pair = Self { writer: region(writer)?, reader: region(reader)? };
        if pair.writer == pair.reader { Err(bad()) } else { Ok(pair) }
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for RegionPair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RegionPair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        matrix_core::parsed(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_of_the_original_are_understood() {
        assert_eq!("cache".parse(), Ok(PostStorage::Redis));
        assert_eq!("mq".parse(), Ok(NotificationStorage::Amq));
        assert_eq!("eu->ap".parse::<RegionPair>().unwrap().to_string(), "eu->sg");
    }

    #[test]
    fn impossible_pairs_are_refused() {
        for bad in ["", "eu", "eu->", "eu->eu", "sg->ap", "EU->us", "eu->us->sg", "->"] {
            assert!(bad.parse::<RegionPair>().is_err(), "{bad}");
        }
    }
}
