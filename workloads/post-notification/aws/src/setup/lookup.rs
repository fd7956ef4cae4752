//! Values that no stack can give: whoever makes the stacks looks them up at the services.

use crate::Datastore;
use crate::site::{OutputRef, SetupError, SetupRequest, Site};
use crate::template::{DYNAMO, NOTIFICATIONS_STREAM, notifications_table};

/// A value to look up at a service, and to put among the [`super::Outputs`] before [`super::connection_info`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Where the answer goes. The stack is a real one or one that its region lacks.
    pub into: OutputRef,
    /// AWS name of the region to look in.
    pub region: String,
    /// What to look up.
    pub question: Question,
}

/// A question to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// `LatestStreamArn` of `DescribeTable`: a replica has a stream of its own, whose name nobody else knows.
    StreamArn {
        /// Name of the table.
        table: String,
    },
}

/// What to look up once all stacks are complete.
///
/// # Errors
/// When the request cannot be met.
pub fn lookups(request: &SetupRequest) -> Result<Vec<Lookup>, SetupError> {
    let site = Site::new(request)?;
    if !site.has(Datastore::Dynamo) {
        return Ok(Vec::new());
    }
    let lookup = |place| Lookup {
        into: site.output(place, DYNAMO, NOTIFICATIONS_STREAM),
        region: place.aws.clone(),
        question: Question::StreamArn { table: notifications_table(&site) },
    };
    Ok(site.readers.iter().map(lookup).collect())
}
