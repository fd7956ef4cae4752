//! A testbed of a test's own, or one that tests share.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, parent_id};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use matrix_lambdas::config::{BrokerEndpoint, Endpoint, Secret};
use matrix_lambdas::stomp::{Client, Credentials};
use matrix_live::testbed::{
    Lag, Lease, LocalConfig, PartName, RegionEndpoints, StateDir, SupervisorCommand, Survivor, Testbed, down,
    survivors, up,
};
use tempfile::TempDir;

/// A testbed in a temporary directory, which is ended when dropped, or one that tests share.
pub(crate) struct Bed {
    pub(crate) testbed: Testbed,
    pub(crate) state: StateDir,
    pub(crate) lease: Option<Lease>,
    place: Ownership,
}

/// Whose a testbed is.
enum Ownership {
    Own(#[allow(dead_code, reason = "removed when dropped")] TempDir),
    /// Another test may have it when this file is closed.
    Shared(#[allow(dead_code, reason = "unlocked when dropped")] File),
}

/// What the tests run with: links of 45 and 60 ms, and lags that are constant but for their cut.
pub(crate) fn config() -> LocalConfig {
    let links = [("eu->us", 45.0), ("eu->sg", 60.0)].map(|(pair, delay_ms)| {
        let link = serde_json::from_value(serde_json::json!({ "delay_ms": delay_ms })).expect("a link");
        (pair.parse().expect("a pair"), link)
    });
    let mut config = LocalConfig { links: links.into(), ..LocalConfig::default() };
    config.lag.s3 = Lag { mean_ms: 300.0, cv: 0.0, max_ms: 2000.0 };
    config.lag.dynamo = Lag { mean_ms: 200.0, cv: 0.0, max_ms: 2000.0 };
    config
}

pub(crate) fn supervisor() -> SupervisorCommand {
    SupervisorCommand { program: program(), arguments: vec!["supervise".into()] }
}

pub(crate) fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_testbed-supervisor").into()
}

pub(crate) fn state_in(directory: &TempDir) -> StateDir {
    StateDir::at(directory.path().join("testbed")).expect("a state directory")
}

impl Bed {
    pub(crate) fn up() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let state = state_in(&directory);
        match up(&state, &config(), &supervisor()) {
            Ok((testbed, lease)) => Self { testbed, state, lease: Some(lease), place: Ownership::Own(directory) },
            Err(error) => {
                let log = std::fs::read_to_string(state.logs().join("supervisor.log")).unwrap_or_default();
                panic!("{error}\n{log}")
            }
        }
    }

    /// A testbed for tests that leave its servers as they were, one test at a time: the one whose state directory
    /// `MATRIX_TESTBED` names, or one that the first such test starts and that ends with the run of the tests. A test
    /// process that was started by hand has one of its own.
    pub(crate) fn shared() -> Self {
        let named = std::env::var_os("MATRIX_TESTBED").map(PathBuf::from);
        let of_this_run = || {
            // Set by cargo and by cargo-nextest: the process above this one is theirs.
            std::env::var_os("CARGO").map(|_| std::env::temp_dir().join(format!("matrix-tests-{}", parent_id())))
        };
        let Some(path) = named.clone().or_else(of_this_run) else { return Self::up() };
        let lock = File::create(path.with_extension("lock")).expect("a file for the lock");
        lock.lock().expect("the testbed for this test alone");
        let state = StateDir::at(path).expect("a state directory");
        let (testbed, lease) = if named.is_some() {
            let testbed = Testbed::find(&state).expect("MATRIX_TESTBED names the state directory of a testbed");
            let lease = testbed.lease().expect("the testbed runs");
            (testbed, lease)
        } else {
            if Testbed::find(&state).is_err() {
                start_shared(&state);
            }
            up(&state, &config(), &supervisor()).expect("the shared testbed is well")
        };
        Self { testbed, state, lease: Some(lease), place: Ownership::Shared(lock) }
    }

    pub(crate) fn region(&self, name: &str) -> &RegionEndpoints {
        &self.testbed.endpoints().regions[name]
    }

    pub(crate) fn restart(&self, part: &str, crash: bool) {
        let part: PartName = part.parse().expect("a part");
        self.testbed.stop(&part, crash).expect("it stops");
        self.testbed.start(&part).expect("it starts again");
    }

    pub(crate) async fn mysql(&self, region: &str) -> mysql_async::Conn {
        let (at, access) = (self.region(region), &self.testbed.endpoints().mysql);
        let options = mysql_async::OptsBuilder::default()
            .ip_or_hostname(at.host.clone())
            .tcp_port(at.mysql_port)
            .user(Some(access.user.clone()))
            .pass(Some(access.password.clone()))
            .db_name(Some(access.db.clone()))
            .prefer_socket(false);
        mysql_async::Conn::new(options).await.expect("MariaDB lets the user in")
    }

    pub(crate) async fn redis(&self, region: &str) -> redis::aio::MultiplexedConnection {
        let at = self.region(region);
        let client = redis::Client::open((at.host.clone(), at.redis_port)).expect("an address");
        client.get_multiplexed_async_connection().await.expect("Redis answers")
    }

    pub(crate) fn broker(&self, region: &str) -> BrokerEndpoint {
        let at = self.region(region);
        BrokerEndpoint { at: Endpoint { host: at.host.clone(), port: at.stomp_ssl_port }, tls: true }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let access = &self.testbed.endpoints().mq;
        Credentials { user: access.user.clone(), password: Secret::new(access.password.clone()) }
    }

    pub(crate) async fn stomp(&self, region: &str) -> Client {
        let ca_file = &self.testbed.endpoints().mq.ca_file;
        let connected = Client::connect(&self.broker(region), &self.credentials(), Some(ca_file)).await;
        connected.expect("the broker lets the user in")
    }

    pub(crate) fn aws(&self) -> aws_types::SdkConfig {
        let endpoints = self.testbed.endpoints();
        let credentials = aws_credential_types::Credentials::new(
            endpoints.aws_access_key_id.clone(),
            endpoints.aws_secret_access_key.clone(),
            None,
            None,
            "test",
        );
        let provider = aws_credential_types::provider::SharedCredentialsProvider::new(credentials);
        matrix_lambdas::aws::config(Some(&endpoints.aws_endpoint_url), provider)
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.lease = None;
        match self.place {
            Ownership::Own(_) => {
                let ended = down(&self.state);
                if !std::thread::panicking() {
                    ended.expect("everything ends");
                }
            }
            // The next test is to find it as this one did, also when this one failed in between.
            Ownership::Shared(_) => {
                let _ = self.testbed.clear_faults();
                for pair in config().links.keys() {
                    let _ = self.testbed.restore(pair);
                }
            }
        }
    }
}

/// Starts a testbed in `state` that ends with the process above this one.
#[expect(clippy::zombie_processes, reason = "it is to outlive this test")]
fn start_shared(state: &StateDir) {
    let config = serde_json::to_string(&config()).expect("settings");
    let mut child = Command::new(program())
        .args(["share".as_ref(), state.path().as_os_str(), config.as_ref(), parent_id().to_string().as_ref()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // What ends this test's process group is not to end it.
        .process_group(0)
        .spawn()
        .expect("a process that holds the testbed");
    let mut instance = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut instance).expect("it tells");
    assert!(!instance.is_empty(), "the shared testbed did not come up: see {}", state.logs().display());
}

/// Asks until the answer is there, for half a minute.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// What is left of a testbed once nothing more ends, at most half a minute later.
pub(crate) fn left_of(state: &StateDir) -> Vec<Survivor> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let left = survivors(state);
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
