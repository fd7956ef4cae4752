//! Where passwords are, and what is wrong with that place.

use std::collections::BTreeSet;

use matrix_plan::Combination;

use super::check::guide;
use super::model::{ConnectionInfo, Password};
use super::problem::Problem;
use crate::Datastore;

impl ConnectionInfo {
    /// Where a datastore's password is, if the file has one.
    #[must_use]
    pub fn password(&self, store: Datastore) -> Option<&Password> {
        match store {
            Datastore::Mysql => self.mysql.as_ref().map(|info| &info.password),
            Datastore::Amq => self.mq.as_ref().map(|info| &info.password),
            Datastore::Dynamo | Datastore::S3 | Datastore::Redis | Datastore::Sns => None,
        }
    }

    /// The passwords that these combinations need and that are to come from an environment variable which, by `is_set`, is
    /// not set.
    pub fn check_variables(&self, needed: &[Combination], is_set: impl Fn(&str) -> bool) -> Vec<Problem> {
        let both = |combination: &Combination| {
            [Datastore::from(combination.post_storage), Datastore::from(combination.notification_storage)]
        };
        let stores: BTreeSet<Datastore> = needed.iter().flat_map(both).collect();
        let unset = |store: Datastore| match self.password(store)? {
            Password::Environment(name) if !is_set(name) => Some(Problem::unset_variable(store, name)),
            _ => None,
        };
        stores.into_iter().filter_map(unset).collect()
    }
}

impl Problem {
    /// Something that is wrong with the place of a datastore's password.
    #[must_use]
    pub fn of_password(store: Datastore, what: String) -> Self {
        let entry = format!("datastores.{}.password", store.section());
        Self { entry, line: None, what, guide: guide(store) }
    }

    /// A password is to come from an environment variable that is not set.
    #[must_use]
    pub fn unset_variable(store: Datastore, name: &str) -> Self {
        Self::of_password(store, format!("is taken from the environment variable {name}, which is not set"))
    }
}
