//! What a person requests: which datastores, in which regions.

use std::collections::BTreeSet;

use matrix_plan::aws::AwsServices;
use matrix_plan::{Region, Regions};

use crate::Datastore;

/// What to set up, and where. It determines every template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupRequest {
    /// Name of the set-up: what all names begin with, and the value of the tag [`super::SETUP_TAG`]. Lower-case letters, digits
    /// and hyphens, at most 20. Default of the command: `matrix`.
    pub name: String,
    /// Where writers run: primaries are there.
    pub writer: Region,
    /// Where readers run: replicas are there. Not empty, without the writer.
    pub readers: Vec<Region>,
    /// The regions' AWS names.
    pub regions: Regions,
    /// The datastores to make.
    pub stores: BTreeSet<Datastore>,
    /// Engine versions and sizes.
    pub services: AwsServices,
    /// Write units a second that DynamoDB's table of posts must take from the first request on: [`crate::setup::write_units`] of
    /// the experiment. `None`: what a new table takes.
    pub write_units: Option<u32>,
}
