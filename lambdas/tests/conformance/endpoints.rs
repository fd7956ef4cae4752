//! Where the servers are, and how to hold back their replication.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use matrix_app::StorageError;
use matrix_app::conformance::Replication;
use matrix_app::host::ErrorKind;
use matrix_lambdas::FunctionConfig;
use matrix_lambdas::config::Variables;
use matrix_lambdas::conformance::ReplicationControl;
use serde::Deserialize;

/// The file that `MATRIX_ENDPOINTS` names.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoints {
    /// The environment of a function, with the settings of every storage, but without the choice of storages.
    pub(crate) variables: Variables,
    /// How replication is held back, by post storage; without an entry it cannot be.
    pub(crate) replication: BTreeMap<String, Commands>,
}

/// A program and its arguments each.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Commands {
    /// Holds replication back; it is held when the command has ended.
    hold: Vec<String>,
    /// Lets it go on.
    release: Vec<String>,
}

/// The tests share servers: one at a time.
static SERVERS: Mutex<()> = Mutex::new(());

impl Endpoints {
    /// Reads the file, and keeps other tests off the servers.
    pub(crate) fn take() -> (Self, MutexGuard<'static, ()>) {
        let guard = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
        let path = std::env::var("MATRIX_ENDPOINTS").expect("MATRIX_ENDPOINTS must name the file with the endpoints");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        (serde_json::from_str(&text).unwrap(), guard)
    }

    pub(crate) fn config(&self, post: &str, notification: &str) -> FunctionConfig {
        let mut variables = self.variables.clone();
        variables.insert("POST_STORAGE".into(), post.into());
        variables.insert("NOTIFICATION_STORAGE".into(), notification.into());
        variables.insert("PAYLOAD_BYTES".into(), "20000".into());
        FunctionConfig::from_variables(&variables).unwrap()
    }

    pub(crate) fn aws(&self) -> aws_types::SdkConfig {
        matrix_lambdas::aws::function_config(&self.variables).unwrap()
    }

    pub(crate) fn control(&self, post: &str) -> Control {
        Control(self.replication.get(post).cloned())
    }
}

pub(crate) struct Control(Option<Commands>);

async fn run(command: &[String]) -> Result<(), StorageError> {
    let failed = |message: String| StorageError { service: "replication", kind: ErrorKind::Refused, message };
    let (program, arguments) = command.split_first().ok_or_else(|| failed("an empty command".into()))?;
    let output = tokio::process::Command::new(program).args(arguments).output().await;
    let output = output.map_err(|error| failed(format!("{program}: {error}")))?;
    if output.status.success() { Ok(()) } else { Err(failed(String::from_utf8_lossy(&output.stderr).into_owned())) }
}

impl ReplicationControl for Control {
    async fn hold(&self) -> Result<Replication, StorageError> {
        match &self.0 {
            Some(commands) => run(&commands.hold).await.map(|()| Replication::Held),
            None => Ok(Replication::NotControllable("the endpoints' file does not say how".into())),
        }
    }

    async fn release(&self) -> Result<(), StorageError> {
        match &self.0 {
            Some(commands) => run(&commands.release).await,
            None => Ok(()),
        }
    }
}

/// Runs a test on a runtime like a function's.
pub(crate) fn on_runtime<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}
