//! What every user of AWS here needs: calls that are tried again, stacks of CloudFormation, and replication that is looked
//! at and not assumed.

mod bucket;
mod calls;
mod error;
mod raw;
mod stacks;
mod table;

pub(crate) use bucket::{empty, ensure_replicated, ensure_versioned, find, is_versioned, replicates, s3};
pub(crate) use calls::{in_region, patiently};
pub(crate) use error::{Answer, CloudError};
pub(crate) use raw::ask;
pub(crate) use stacks::{Found, Part, Patience, RUN_TAG, Stacks, Standing, Wanted};
pub(crate) use table::GlobalTable;
