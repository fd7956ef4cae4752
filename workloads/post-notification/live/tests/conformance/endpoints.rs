//! The servers under test, and how their replication is held back.

use matrix_app::StorageError;
use matrix_app::conformance::Replication;
use matrix_app::host::ErrorKind;
use matrix_lambdas::FunctionConfig;
use matrix_lambdas::config::Variables;
use matrix_lambdas::conformance::ReplicationControl;
use matrix_live::testbed::{CutKind, Endpoints as Testbed, TestbedError};

use crate::bed::Bed;

/// AWS names of the regions that write and read.
const WRITER: &str = "eu-central-1";
const READER: &str = "us-east-1";

/// The testbed's servers.
pub(crate) struct Endpoints {
    bed: Bed,
}

impl Endpoints {
    /// Takes the testbed that tests share, and keeps others off it.
    pub(crate) fn take() -> Self {
        Self { bed: Bed::shared() }
    }

    pub(crate) fn config(&self, post: &str, notification: &str) -> FunctionConfig {
        let mut variables = variables(self.bed.testbed.endpoints());
        variables.insert("POST_STORAGE".into(), post.into());
        variables.insert("NOTIFICATION_STORAGE".into(), notification.into());
        variables.insert("PAYLOAD_BYTES".into(), "20000".into());
        FunctionConfig::from_variables(&variables).unwrap()
    }

    pub(crate) fn aws(&self) -> aws_types::SdkConfig {
        self.bed.aws()
    }

    pub(crate) fn control(&self) -> Control<'_> {
        Control(&self.bed)
    }
}

/// The environment of a function, with the settings of every storage, but without the choice of storages.
fn variables(at: &Testbed) -> Variables {
    let region = |name: &str| at.regions.values().find(|region| region.aws_name == name).unwrap();
    let (eu, us) = (region(WRITER), region(READER));
    let of = |host: &str, port: u16| format!("{host}:{port}");
    let broker = |host: &str, port: u16| format!("stomp+ssl://{host}:{port}");
    [
        ("WRITER_REGION", WRITER.to_owned()),
        ("READER_REGION", READER.to_owned()),
        ("MYSQL_HOST__EU_CENTRAL_1__WRITER", of(&eu.host, eu.mysql_port)),
        ("MYSQL_HOST__US_EAST_1__READER", of(&us.host, us.mysql_port)),
        ("MYSQL_USER", at.mysql.user.clone()),
        ("MYSQL_PASSWORD", at.mysql.password.clone()),
        ("MYSQL_DB", at.mysql.db.clone()),
        ("MYSQL_POST_TABLE_NAME", "conformance_posts".into()),
        ("MYSQL_ANTIPODE_TABLE_NAME", "conformance_antipode".into()),
        ("DYNAMO_POST_TABLE_NAME", "conformance-posts".into()),
        ("DYNAMO_NOTIFICATIONS_TABLE_NAME", "conformance-notifications".into()),
        ("S3_BUCKET__EU_CENTRAL_1__WRITER", "conformance-posts-eu".into()),
        ("S3_BUCKET__US_EAST_1__READER", "conformance-posts-us".into()),
        ("CACHE_HOST__EU_CENTRAL_1__WRITER", of(&eu.host, eu.redis_port)),
        ("CACHE_HOST__US_EAST_1__READER", of(&us.host, us.redis_port)),
        ("SNS_ARN__EU_CENTRAL_1__WRITER", format!("arn:aws:sns:{WRITER}:000000000000:conformance")),
        ("MQ_HOST__EU_CENTRAL_1", broker(&eu.host, eu.stomp_ssl_port)),
        ("MQ_HOST__US_EAST_1", broker(&us.host, us.stomp_ssl_port)),
        ("MQ_USER", at.mq.user.clone()),
        ("MQ_PASSWORD", at.mq.password.clone()),
        ("MQ_NOTIFICATION_QUEUE", "conformance".into()),
        ("MQ_CA_FILE", at.mq.ca_file.display().to_string()),
        ("SQS_EVAL_URL__US_EAST_1", format!("{}/000000000000/evaluations", at.aws_endpoint_url)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Holds back everything that goes from one region to the other: every storage replicates over that link.
pub(crate) struct Control<'a>(&'a Bed);

fn failed(error: &TestbedError) -> StorageError {
    StorageError { service: "testbed", kind: ErrorKind::Refused, message: error.to_string() }
}

impl ReplicationControl for Control<'_> {
    async fn hold(&self) -> Result<Replication, StorageError> {
        let link = "eu->us".parse().expect("a pair");
        self.0.testbed.cut(&link, CutKind::Hold, None).map_err(|error| failed(&error))?;
        Ok(Replication::Held)
    }

    async fn release(&self) -> Result<(), StorageError> {
        self.0.testbed.restore(&"eu->us".parse().expect("a pair")).map_err(|error| failed(&error))
    }
}

/// Runs a test on a runtime like a function's.
pub(crate) fn on_runtime<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}
