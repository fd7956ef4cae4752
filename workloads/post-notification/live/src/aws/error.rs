//! What can go wrong on the way into AWS.

/// Why AWS cannot be used. [`Self::fix`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AwsError {
    /// Nobody has credentials to give.
    #[error("no credentials of AWS{}: {why}", of_profile(.profile.as_deref()))]
    NoCredentials {
        /// The profile that was asked for.
        profile: Option<String>,
        /// What the places that were asked said.
        why: String,
    },
    /// There are credentials, and AWS does not take them.
    #[error("AWS refuses the credentials{}: {why}", of_profile(.profile.as_deref()))]
    Refused {
        /// The profile that was asked for.
        profile: Option<String>,
        /// The answer.
        why: String,
    },
    /// Credentials of an account that is not the one that was worked on.
    #[error("the new credentials are of another account")]
    OtherAccount,
    /// AWS cannot be reached.
    #[error("{endpoint} does not answer: {why}")]
    Unreachable {
        /// What was asked.
        endpoint: String,
        /// What happened.
        why: String,
    },
    /// Threads for the question could not be started.
    #[error("starting to ask: {0}")]
    Runtime(#[from] std::io::Error),
}

fn of_profile(profile: Option<&str>) -> String {
    profile.map(|profile| format!(" in profile `{profile}`")).unwrap_or_default()
}

impl AwsError {
    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NoCredentials { .. } => {
                "give some: `aws configure`, or `aws sso login`; AWS_PROFILE names a profile, and so does \
                 `aws_credentials_profile` in connection_info.yaml"
            }
            Self::Refused { .. } => {
                "renew them: `aws sso login`, or new keys by `aws configure`; AWS_PROFILE names a profile, and so does \
                 `aws_credentials_profile` in connection_info.yaml"
            }
            Self::OtherAccount => "use credentials of the account that the run began with",
            Self::Unreachable { .. } => {
                "look at the network; AWS_ENDPOINT_URL must not be set unless an emulator is meant"
            }
            Self::Runtime(_) => "end some processes",
        }
    }
}
