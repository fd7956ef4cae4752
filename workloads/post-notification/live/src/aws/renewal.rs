//! Credentials that are renewed while their users wait.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};

use super::chain::{Chain, Valid};
use super::{AwsError, Pause};

/// Pause between questions for new credentials.
const PAUSE: Duration = Duration::from_secs(2);

/// Credentials are asked for anew so long before they expire: a call may be on its way for some time.
const BEFORE_EXPIRY: Duration = Duration::from_secs(60);

/// Who is told what happens.
type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Credentials that can be forgotten and asked for anew. Whoever needs some while there are none waits: time stands still
/// for everybody's deadlines (see [`Pause`]), a person is told once what to do, and it goes on when the credentials are new.
/// Clones are one and the same.
#[derive(Clone)]
pub struct Renewal(Arc<Inner>);

struct Inner {
    chain: Chain,
    account: String,
    pause: Pause,
    state: Mutex<State>,
    /// Held by whoever asks.
    asking: tokio::sync::Mutex<()>,
    tell: Mutex<Tell>,
}

#[derive(Default)]
struct State {
    credentials: Option<Credentials>,
    /// What the person was told last.
    told: Option<String>,
    /// The access key that a service refused last.
    refused: Option<String>,
    /// Whether it was found to be valid after that.
    is_valid_elsewhere: bool,
    /// The calls that the person was told of, which refuse what is valid elsewhere.
    stubborn: BTreeSet<String>,
    /// Calls that fail, and how often one after the other.
    failing: BTreeMap<String, u32>,
}

impl Renewal {
    pub(super) fn new(chain: Chain, valid: Valid) -> Self {
        let state = State { credentials: Some(valid.credentials), ..State::default() };
        let stderr: Tell = Arc::new(|note| eprintln!("{note}"));
        Self(Arc::new(Inner {
            chain,
            account: valid.account,
            pause: Pause::default(),
            state: Mutex::new(state),
            asking: tokio::sync::Mutex::default(),
            tell: Mutex::new(stderr),
        }))
    }

    /// When nothing is asked of AWS because credentials have expired.
    #[must_use]
    pub fn pause(&self) -> &Pause {
        &self.0.pause
    }

    /// Has notes for the person told by `tell`. Default: on standard error.
    pub fn told_by(&self, tell: impl Fn(&str) + Send + Sync + 'static) {
        *self.0.tell.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(tell);
    }

    /// Forgets the credentials with this access key, because a service refused them: `call` says which, and `why` what it
    /// said. Where they are valid all the same, waiting for new ones is no help: the person is told so, once for each call.
    pub(super) fn refused(&self, access_key_id: &str, call: &str, why: &str) {
        let mut state = self.state();
        // A call that was under way may have used older ones.
        state.credentials.take_if(|credentials| credentials.access_key_id() == access_key_id);
        if state.refused.as_deref() != Some(access_key_id) {
            (state.refused, state.is_valid_elsewhere) = (Some(access_key_id.to_owned()), false);
        } else if state.is_valid_elsewhere && state.stubborn.insert(call.to_owned()) {
            drop(state);
            self.tell(&format!(
                "{call} is refused with {why}, though AWS takes the same credentials elsewhere; it is tried again. If it stays \
                 so: is the region enabled, is this machine's clock right, does a policy of the session forbid it? \
                 (`matrix aws doctor`)"
            ));
        }
    }

    /// Counts failures of a service at a call, one after the other: the person is told at the third, and then ever less often.
    pub(super) fn answered(&self, call: &str, status: u16) {
        let mut state = self.state();
        // A status of 503 asks for fewer requests.
        if status < 500 || status == 503 {
            state.failing.remove(call);
            return;
        }
        let times = state.failing.entry(call.to_owned()).or_default();
        *times += 1;
        let times = *times;
        drop(state);
        if times == 3 || times >= 16 && times.is_power_of_two() {
            self.tell(&format!("{call} fails with status {status} ({times} times so far): it is tried again"));
        }
    }

    /// Waits until there are credentials.
    pub(crate) async fn ready(&self) {
        if self.usable().is_none() {
            self.provide().await;
        }
    }

    fn usable(&self) -> Option<Credentials> {
        let soon = SystemTime::now() + BEFORE_EXPIRY;
        let fresh = |credentials: &&Credentials| credentials.expiry().is_none_or(|expiry| expiry > soon);
        self.state().credentials.as_ref().filter(fresh).cloned()
    }

    async fn provide(&self) -> Credentials {
        if let Some(credentials) = self.usable() {
            return credentials;
        }
        let _asking = self.0.asking.lock().await;
        if let Some(credentials) = self.usable() {
            return credentials;
        }
        // Ends whatever becomes of the one who asks.
        let _paused = self.0.pause.begin();
        loop {
            match self.0.chain.ask().await {
                Ok(valid) if valid.account == self.0.account => {
                    if self.renewed(&valid.credentials) {
                        self.tell("credentials are renewed: it goes on");
                    }
                    return valid.credentials;
                }
                Ok(_) => self.tell_once(&AwsError::OtherAccount),
                Err(error) => self.tell_once(&error),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes new credentials; says whether the person waits to hear of it.
    fn renewed(&self, credentials: &Credentials) -> bool {
        let mut state = self.state();
        state.credentials = Some(credentials.clone());
        state.is_valid_elsewhere = state.refused.as_deref() == Some(credentials.access_key_id());
        state.told.take().is_some()
    }

    fn tell_once(&self, error: &AwsError) {
        let what = match error {
            AwsError::Unreachable { endpoint, .. } => {
                format!("new credentials cannot be tried: {endpoint} does not answer")
            }
            AwsError::OtherAccount => format!("{error}: {}", error.fix()),
            _ if std::env::var_os("AWS_ACCESS_KEY_ID").is_some() => "credentials have expired, and they are in this \
                process's environment: press Ctrl-C, set new ones, and begin the same again: it goes on from here"
                .to_owned(),
            _ => "credentials have expired: renew them (`aws sso login`, or new keys in the profile) and it goes on; \
                  Ctrl-C ends it, and the same command then goes on from here"
                .to_owned(),
        };
        if self.state().told.replace(what.clone()).as_ref() != Some(&what) {
            self.tell(&what);
        }
    }

    fn tell(&self, note: &str) {
        let tell = Arc::clone(&self.0.tell.lock().unwrap_or_else(PoisonError::into_inner));
        tell(note);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProvideCredentials for Renewal {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { Ok(self.provide().await) })
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal").field("pause", &self.0.pause).finish_non_exhaustive()
    }
}
