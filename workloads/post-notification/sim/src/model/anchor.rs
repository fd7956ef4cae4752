//! Anchors: published numbers that a model is fitted to.

use matrix_plan::{Combination, NotificationStorage, PostStorage, RegionPair};

/// A published mean of the consistency window, failed reads included, at delay 0 with SNS.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchor {
    /// Where posts lived.
    pub post_storage: PostStorage,
    /// Where the writer and the reader ran.
    pub regions: RegionPair,
    /// Whether the reader waited in the barrier.
    pub antipode: bool,
    /// The published mean, in milliseconds.
    pub mean_ms: f64,
    /// Where it was published.
    pub source: String,
}

impl Anchor {
    /// The combination that was measured.
    #[must_use]
    pub fn combination(&self) -> Combination {
        Combination::new(self.post_storage, NotificationStorage::Sns, self.regions.clone())
    }
}

impl std::fmt::Display for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let treatment = if self.antipode { "antipode" } else { "original" };
        write!(f, "{} {} {treatment}", self.post_storage, self.regions)
    }
}
