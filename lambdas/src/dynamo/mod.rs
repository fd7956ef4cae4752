//! What posts and notifications in DynamoDB have in common.

mod table;

pub(crate) use table::{Table, admin_of_table};
