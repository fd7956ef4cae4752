//! The parameters of one pair of regions, measured or extrapolated, and the fingerprint that a cell takes from it.

use matrix_plan::{Combination, Fingerprint, PostStorage, RegionPair};
use serde::Serialize;

use super::{FunctionModel, Law, Model, ModelError, NotificationModel, PostModel};
use crate::SIM_VERSION;

/// A post storage between two regions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Link {
    /// What every read costs besides the read itself.
    pub client_overhead_ms: f64,
    /// What the reference pair's lag is multiplied by.
    pub lag_factor: f64,
    /// What is then added to it.
    pub lag_shift_ms: f64,
    /// Whether there is no data for the pair: the reference pair's, shifted by the round-trip rule.
    pub extrapolated: bool,
}

/// A notification storage between two regions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NotificationLink {
    /// Round-trip time.
    pub rtt_ms: f64,
    /// What is added to the reference pair's lag of an item, where items are replicated.
    pub item_lag_shift_ms: f64,
    /// Whether the item's lag is the reference pair's, shifted by the round-trip rule.
    pub extrapolated: bool,
}

/// All that the simulator brings to a cell's meaning.
#[derive(Serialize)]
struct Canonical<'a> {
    sim_version: u32,
    client_leg: &'a Law,
    functions: &'a FunctionModel,
    post: &'a PostModel,
    post_link: Link,
    notification: &'a NotificationModel,
    notification_link: NotificationLink,
}

impl Model {
    /// What is known of a post storage in a pair. For a pair without data the *round-trip rule* applies: overhead and lag
    /// of the reference pair, the lag changed by half the difference of the round-trip times (one way).
    ///
    /// # Errors
    /// When the model lacks the storage, the reference pair's data or a round-trip time.
    pub fn link(&self, storage: PostStorage, pair: &RegionPair) -> Result<Link, ModelError> {
        let post = self.post_storage(storage)?;
        let (data, lag_shift_ms, extrapolated) = match post.pairs.get(pair) {
            Some(data) => (data, 0.0, false),
            None => {
                let none = || ModelError::NoReference { storage, pair: self.reference.clone() };
                (post.pairs.get(&self.reference).ok_or_else(none)?, self.one_way_difference_ms(pair)?, true)
            }
        };
        Ok(Link {
            client_overhead_ms: data.client_overhead_ms,
            lag_factor: data.lag_factor,
            lag_shift_ms,
            extrapolated,
        })
    }

    /// What is known of a notification storage in a pair; the round-trip rule is that of [`Self::link`].
    ///
    /// # Errors
    /// When the model lacks a round-trip time.
    pub fn notification_link(
        &self,
        notification: &NotificationModel,
        pair: &RegionPair,
    ) -> Result<NotificationLink, ModelError> {
        let rtt_ms = self.round_trip_ms(pair)?;
        let extrapolated = matches!(notification, NotificationModel::Stream { .. }) && *pair != self.reference;
        let item_lag_shift_ms = if extrapolated { self.one_way_difference_ms(pair)? } else { 0.0 };
        Ok(NotificationLink { rtt_ms, item_lag_shift_ms, extrapolated })
    }

    /// The sim version and the canonical parameters that cells of a combination use: values and units, no sources.
    ///
    /// # Errors
    /// When the model lacks a part of the combination.
    pub fn fingerprint(&self, combination: &Combination) -> Result<Fingerprint, ModelError> {
        let post = self.post_storage(combination.post_storage)?;
        let notification = self.notification_storage(combination.notification_storage)?;
        let canonical = Canonical {
            sim_version: SIM_VERSION,
            client_leg: &self.client_leg,
            functions: &self.functions,
            post,
            post_link: self.link(combination.post_storage, &combination.regions)?,
            notification,
            notification_link: self.notification_link(notification, &combination.regions)?,
        };
        Fingerprint::new(&canonical).map_err(|error| ModelError::Canonical(error.to_string()))
    }

    fn one_way_difference_ms(&self, pair: &RegionPair) -> Result<f64, ModelError> {
        Ok((self.round_trip_ms(pair)? - self.round_trip_ms(&self.reference)?) / 2.0)
    }
}
