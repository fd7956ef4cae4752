//! Where else a set-up may be: regions that nobody named.

use futures_util::StreamExt as _;
use matrix_aws::setup::SETUP_TAG;
use matrix_driver::Cancel;

use super::inventory::{AT_A_TIME, is_not_enabled};
use crate::aws::{Operator, ProvisionError};
use crate::cloud::{Answer, CloudError, RUN_TAG};

/// The regions that every account has from its beginning (AWS General Reference, "Regions", as of 2025). Others have to be
/// enabled first, and are looked at where somebody names them.
const OF_EVERY_ACCOUNT: &str = "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 \
    ap-southeast-2 ca-central-1 eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3 \
    sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2";

/// What was found in regions that nobody named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// Regions with stacks of the set-up, or of runs.
    pub found: Vec<String>,
    /// Regions in which these credentials may not ask.
    pub not_asked: Vec<String>,
}

impl Operator {
    /// Looks for stacks of the set-up `name`, and for those of runs, in the regions of every account that are not among
    /// `named`, by their AWS names.
    ///
    /// # Errors
    /// When a service fails, or it was asked to stop.
    pub fn elsewhere(&self, name: &str, named: &[String], cancel: &Cancel) -> Result<Elsewhere, ProvisionError> {
        self.block_on(cancel, async {
            let regions = OF_EVERY_ACCOUNT.split(' ').filter(|region| named.iter().all(|known| known != region));
            let asked = regions.map(|region| async move { (region, self.has_stacks(name, region).await) });
            let mut asked = futures_util::stream::iter(asked).buffered(AT_A_TIME);
            let mut elsewhere = Elsewhere::default();
            while let Some((region, found)) = asked.next().await {
                match found {
                    Ok(true) => elsewhere.found.push(region.to_owned()),
                    Ok(false) => {}
                    Err(CloudError::Call { why, .. }) if is_not_enabled(&why) => {}
                    Err(error) if error.answer() == Some(Answer::Denied) => elsewhere.not_asked.push(region.to_owned()),
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(elsewhere)
        })
    }

    async fn has_stacks(&self, name: &str, region: &str) -> Result<bool, CloudError> {
        let stacks = self.stacks(region);
        Ok(!stacks.tagged(SETUP_TAG, Some(name)).await?.is_empty() || !stacks.tagged(RUN_TAG, None).await?.is_empty())
    }
}
