//! Tests of what is derived, on stores that were written without running anything.

mod bags;
mod bundles;
mod compare;
mod consent;
mod figures;
mod fixture;
mod hostile;
mod names;
mod plans;
mod reading;
mod rows;
mod shards;
mod versions;
