//! What can be wrong with a request, or with what stacks gave.

use matrix_plan::Region;

use super::{OutputRef, StackId, TEMPLATE_BODY_MAX};
use crate::Datastore;

/// Why there are no stacks, or no `connection_info.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The set-up's name is none.
    #[error(
        "`{0}` cannot be the name of a set-up: use 1 to 20 lower-case letters, digits and single hyphens, beginning with a \
         letter and not ending with a hyphen"
    )]
    Name(String),
    /// No datastore was requested.
    #[error("there is nothing to set up: name at least one datastore")]
    NoStore,
    /// No reader was requested.
    #[error("there is no reader: name at least one region besides the writer's, as in `eu,us`")]
    NoReader,
    /// A region is named twice.
    #[error("region `{0}` is named twice: posts are replicated between different regions")]
    RegionTwice(Region),
    /// The set-up stands, and writes in another region.
    #[error("set-up `{name}` stands and writes in {standing}, and `{asked}` is asked for as the writer's region")]
    OtherWriter {
        /// The set-up.
        name: String,
        /// The writer's region that was requested.
        asked: Region,
        /// AWS name of the region in which it writes.
        standing: String,
    },
    /// A region has no AWS name.
    #[error("region `{region}` is unknown; known are {}; more can be declared in [regions]", .known.join(", "))]
    UnknownRegion {
        /// Short name.
        region: Region,
        /// Short names of the known regions.
        known: Vec<String>,
    },
    /// A region's AWS name is none that set-up knows.
    #[error("region `{region}` is `{aws}` at AWS, where set-up knows {}", .known.join(", "))]
    UnknownAwsRegion {
        /// Short name.
        region: Region,
        /// The AWS name.
        aws: String,
        /// AWS names of the known regions.
        known: Vec<&'static str>,
    },
    /// A region's short name does not fit into the names that it goes into.
    #[error(
        "the name of region `{0}` does not fit into names of what is made: use 12 characters at most and no two hyphens in a row"
    )]
    RegionName(Region),
    /// A service does not replicate to so many regions.
    #[error("{what} has at most {most} regions besides the writer's, and {} are asked for: {} ({read_in})", .asked.len(),
        names(asked))]
    TooManyReaders {
        /// The datastore.
        store: Datastore,
        /// What has the limit.
        what: &'static str,
        /// Readers' regions that were requested.
        asked: Vec<Region>,
        /// Most readers' regions.
        most: usize,
        /// Where the limit is written.
        read_in: &'static str,
    },
    /// Nodes of this class cannot replicate between regions.
    #[error("{key} = \"{class}\": {what} takes no burstable class and none before the fifth generation ({read_in})")]
    Class {
        /// Key of `[aws.services]`.
        key: &'static str,
        /// The class.
        class: String,
        /// What has the limit.
        what: &'static str,
        /// Where the limit is written.
        read_in: &'static str,
    },
    /// A template is too long for a call.
    #[error("the template of stack {stack} has {bytes} bytes, and CloudFormation takes {TEMPLATE_BODY_MAX} at most")]
    TemplateTooLarge {
        /// The stack.
        stack: StackId,
        /// Length of its template.
        bytes: usize,
    },
    /// A stack did not give a value.
    #[error("stack {} is complete and has no output `{}`", .0.stack, .0.output)]
    MissingOutput(OutputRef),
    /// A stack gave a value of another form.
    #[error("stack {} gave `{value}` as `{}`, where {expected} was expected", .from.stack, .from.output)]
    MalformedOutput {
        /// Where the value is from.
        from: OutputRef,
        /// The value.
        value: String,
        /// What it should have been.
        expected: &'static str,
    },
}

fn names(regions: &[Region]) -> String {
    regions.iter().map(Region::as_str).collect::<Vec<_>>().join(", ")
}

impl SetupError {
    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::TooManyReaders { store, most, .. } => format!(
                "name {most} readers' regions at most, as in --regions eu,us; or leave {store} out; a second set-up (--name) \
                 can serve the other regions",
                store = store.as_str()
            ),
            Self::Class { key, .. } => format!("name another class as {key} in [aws.services] of the experiment"),
            Self::MissingOutput(_) => {
                "look at the stack in CloudFormation's console; `matrix aws clean`, then `matrix aws setup` makes it anew".to_owned()
            }
            _ => "see `matrix aws setup --help` and docs/aws.md#set-up".to_owned(),
        }
    }
}
