//! Asking for credentials, and whose they are.

use aws_config::BehaviorVersion;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sdk_sts::error::SdkError;
use aws_types::region::Region;
use matrix_lambdas::aws::{brief, causes};

use super::AwsError;

/// Region that is asked who somebody is; all give the same answer.
const REGION: &str = "us-east-1";

/// Where credentials come from: the environment, a profile (keys, SSO, a process, a role), a container or a machine of AWS.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The profile, unless the environment names it.
    pub(super) profile: Option<String>,
    /// The emulator, if there is one.
    pub(super) endpoint: Option<String>,
}

/// Credentials that AWS takes, and the account that they are of.
#[derive(Debug)]
pub(super) struct Valid {
    pub(super) credentials: Credentials,
    pub(super) account: String,
}

impl Chain {
    /// Asks anew: files are read again. Nothing is kept, connections neither, so that it can be asked from any runtime.
    pub(super) async fn ask(&self) -> Result<Valid, AwsError> {
        let credentials = self.credentials().await?;
        let account = self.account(&credentials).await?;
        Ok(Valid { credentials, account })
    }

    async fn credentials(&self) -> Result<Credentials, AwsError> {
        let nobody = SharedCredentialsProvider::new(Credentials::new("", "", None, None, "nobody"));
        let plain = matrix_lambdas::aws::config(None, nobody);
        let mut config = ProviderConfig::without_region().with_behavior_version(Some(BehaviorVersion::latest()));
        if let Some(http) = plain.http_client() {
            config = config.with_http_client(http);
        }
        let mut chain = DefaultCredentialsChain::builder().configure(config).region(Region::new(REGION));
        if let Some(profile) = &self.profile {
            chain = chain.profile_name(profile);
        }
        let asked = chain.build().await.provide_credentials().await;
        asked.map_err(|error| {
            let profile = self.profile.clone();
            let why = causes(&error);
            match error {
                // A login that has ended, a process or a service that says no.
                CredentialsError::ProviderError(_) => AwsError::Refused { profile, why },
                _ => AwsError::NoCredentials { profile, why },
            }
        })
    }

    /// Whose credentials they are, which says too whether they are valid. Every account may ask that.
    async fn account(&self, credentials: &Credentials) -> Result<String, AwsError> {
        let provider = SharedCredentialsProvider::new(credentials.clone());
        let config = matrix_lambdas::aws::config(self.endpoint.as_deref(), provider).into_builder();
        let client = aws_sdk_sts::Client::new(&config.region(Region::new(REGION)).build());
        match client.get_caller_identity().send().await {
            Ok(identity) => Ok(identity.account.unwrap_or_default()),
            Err(error) => {
                let profile = self.profile.clone();
                let why = brief(&error);
                Err(match error {
                    SdkError::ServiceError(_) => AwsError::Refused { profile, why },
                    _ => {
                        let endpoint = self.endpoint.clone().unwrap_or_else(|| "AWS".into());
                        AwsError::Unreachable { endpoint, why }
                    }
                })
            }
        }
    }
}
