//! What is wrong with a file of endpoints. Nothing here repeats a value of the file: accounts and passwords stay in it.

use std::fmt;

matrix_plan::named! {
    /// The section of `docs/aws.md` that explains an entry.
    pub enum Guide: link {
        /// The file itself.
        File = "docs/aws.md#connection_infoyaml",
        /// Credentials and roles.
        Roles = "docs/aws.md#roles",
        /// Networks of the functions.
        Network = "docs/aws.md#network",
        /// Buckets of the functions' code.
        CodeBuckets = "docs/aws.md#code-buckets",
        /// Aurora MySQL.
        Mysql = "docs/aws.md#mysql",
        /// DynamoDB.
        Dynamo = "docs/aws.md#dynamo",
        /// S3.
        S3 = "docs/aws.md#s3",
        /// ElastiCache.
        Redis = "docs/aws.md#redis",
        /// SNS.
        Sns = "docs/aws.md#sns",
        /// Amazon MQ.
        Activemq = "docs/aws.md#activemq",
        /// The queues of evaluations.
        Evaluations = "docs/aws.md#evaluations",
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
