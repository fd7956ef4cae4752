//! Getting in.

use std::fmt;
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::IdentityCache;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;

use super::chain::Chain;
use super::watch::{PausedSleep, Watched};
use super::{AwsError, Renewal};
use crate::lambda::Site;

/// What names an emulator.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Attempts at one call, the first included. Calls that make and look at stacks are throttled far below what several
/// deployments at a time ask for, and each attempt waits up to twice as long as the one before.
const ATTEMPTS: u32 = 10;

/// Time to open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for one attempt at a call.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// Time for a call with all its attempts.
const CALL_TIMEOUT: Duration = Duration::from_secs(180);

/// Access to an account of AWS, or to an emulator. It holds credentials: it never prints them, nor the account.
#[derive(Clone)]
pub struct Access {
    /// What every client is made of: credentials that are renewed (see [`Renewal`]), time-outs and retries; the region is
    /// chosen by each.
    pub aws: SdkConfig,
    /// The account: part of the names of topics and queues. It is kept nowhere.
    pub account: String,
    /// What AWS is here.
    pub site: Site,
    /// The credentials, and the times at which there were none.
    pub renewal: Renewal,
}

impl Access {
    /// Finds credentials, in the environment, in the given or the default profile, in a container or machine of AWS, and
    /// tries them. `AWS_ENDPOINT_URL` names an emulator. It blocks for the time of a few calls: use it outside of
    /// asynchronous code.
    ///
    /// # Errors
    /// When there are no credentials, AWS refuses them, or it cannot be reached.
    pub fn open(profile: Option<&str>) -> Result<Self, AwsError> {
        let endpoint = std::env::var(ENDPOINT).ok().filter(|url| !url.is_empty());
        let chain = Chain { profile: profile.map(str::to_owned), endpoint: endpoint.clone() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let valid = runtime.block_on(Box::pin(chain.ask()))?;
        let account = valid.account.clone();
        let renewal = Renewal::new(chain, valid);
        let aws = config(endpoint.as_deref(), &renewal);
        let site = endpoint.map_or(Site::Aws, Site::Emulator);
        Ok(Self { aws, account, site, renewal })
    }
}

/// The configuration of every client.
fn config(endpoint: Option<&str>, renewal: &Renewal) -> SdkConfig {
    let plain = matrix_lambdas::aws::config(endpoint, SharedCredentialsProvider::new(renewal.clone()));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    let inner = plain.http_client();
    let mut builder = plain
        .into_builder()
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .sleep_impl(PausedSleep(renewal.pause().clone()))
        // The renewal keeps what it has, and nobody else may.
        .identity_cache(IdentityCache::no_cache());
    if let Some(inner) = inner {
        builder = builder.http_client(Watched { inner, renewal: renewal.clone() });
    }
    builder.build()
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("site", &self.site).field("renewal", &self.renewal).finish_non_exhaustive()
    }
}
