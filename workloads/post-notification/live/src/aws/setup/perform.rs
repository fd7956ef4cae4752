//! A set-up from beginning to end.

use matrix_aws::setup::stacks;
use matrix_aws::{ConnectionInfo, SetupRequest};
use matrix_driver::Cancel;

use super::make::Tell;
use crate::aws::doctor::Named;
use crate::aws::{Operator, ProvisionError};

/// What a set-up gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Stacks that were made or changed.
    pub changed: usize,
    /// Replications that stacks had not set, and that were set by their services.
    pub set: usize,
    /// Where everything is.
    pub info: ConnectionInfo,
}

impl Operator {
    /// Makes everything that the request asks for, or what is missing of it. Done twice it changes nothing. What it made
    /// stays when it fails or is interrupted, and is taken up the next time.
    ///
    /// # Errors
    /// When the request cannot be met, stacks fail, a service refuses, or it was asked to stop.
    pub fn set_up(&self, request: &SetupRequest, cancel: &Cancel, tell: Tell<'_>) -> Result<Done, ProvisionError> {
        let specs = stacks(request)?;
        self.block_on(cancel, async {
            let made = self.make(request, &specs, tell).await?;
            let (info, set) = self.ask_services(request, &specs, made.outputs, tell).await?;
            let gone: Vec<String> = self.named(&info).await.into_iter().filter_map(Named::absent).collect();
            if !gone.is_empty() {
                return Err(ProvisionError::Gone(gone));
            }
            Ok(Done { changed: made.changed, set, info })
        })
    }
}
