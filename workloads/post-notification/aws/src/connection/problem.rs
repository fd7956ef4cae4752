//! What is wrong with a file of endpoints. Nothing here repeats a value of the file: accounts and passwords stay in it.

use std::fmt;

/// Where to read how an entry is come by: sections of `docs/aws.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guide {
    /// The file itself.
    File,
    /// Credentials and roles.
    Roles,
    /// Networks of the functions.
    Network,
    /// Buckets of the functions' code.
    CodeBuckets,
    /// Aurora MySQL.
    Mysql,
    /// DynamoDB.
    Dynamo,
    /// S3.
    S3,
    /// ElastiCache.
    Redis,
    /// SNS.
    Sns,
    /// Amazon MQ.
    Activemq,
    /// The queues of evaluations.
    Evaluations,
}

impl Guide {
    /// Every section.
    pub const ALL: [Self; 11] = [
        Self::File,
        Self::Roles,
        Self::Network,
        Self::CodeBuckets,
        Self::Mysql,
        Self::Dynamo,
        Self::S3,
        Self::Redis,
        Self::Sns,
        Self::Activemq,
        Self::Evaluations,
    ];

    /// The page and the section.
    #[must_use]
    pub fn link(self) -> &'static str {
        match self {
            Self::File => "docs/aws.md#connection_infoyaml",
            Self::Roles => "docs/aws.md#roles",
            Self::Network => "docs/aws.md#network",
            Self::CodeBuckets => "docs/aws.md#code-buckets",
            Self::Mysql => "docs/aws.md#mysql",
            Self::Dynamo => "docs/aws.md#dynamo",
            Self::S3 => "docs/aws.md#s3",
            Self::Redis => "docs/aws.md#redis",
            Self::Sns => "docs/aws.md#sns",
            Self::Activemq => "docs/aws.md#activemq",
            Self::Evaluations => "docs/aws.md#evaluations",
        }
    }
}

/// One thing that is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The entry, with all names above it: `datastores.mysql.host__us-east-1__reader`. Empty: the file as a whole.
    pub entry: String,
    /// Its line, from 1, where it has one.
    pub line: Option<u64>,
    /// What is wrong.
    pub what: String,
    /// What to read about it.
    pub guide: Guide,
}

impl Problem {
    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> String {
        format!("`matrix aws setup` writes the file; by hand: see {}", self.guide.link())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        match self.entry.as_str() {
            "" => f.write_str(&self.what),
            entry => write!(f, "{entry} {}", self.what),
        }
    }
}
