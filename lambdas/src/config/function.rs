//! The whole environment of a function.

use matrix_app::BarrierPolicy;
use matrix_app::reader::ReaderDefaults;
use matrix_app::writer::WriterDefaults;
use matrix_plan::Payload;

use super::settings::Regions;
use super::variables::{optional, parsed, parsed_or, required};
use super::{ConfigError, NotificationConfig, PostConfig, QueueConfig, Side, Variables};

/// What a writer or reader function needs from its environment: the same for both, so that one deployment has one
/// configuration. What a request says itself (antipode, delay, payload, barrier) overrides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionConfig {
    /// What the nonces of this deployment's attempts begin with (`DEPLOYMENT`): a notification of another deployment is none
    /// for this one's reader. Missing: every notification is.
    pub deployment: Option<String>,
    /// AWS name of the writer's region.
    pub writer_region: String,
    /// AWS name of the reader's region.
    pub reader_region: String,
    /// Where posts live.
    pub post: PostConfig,
    /// What carries notifications.
    pub notification: NotificationConfig,
    /// Where evaluations go.
    pub evaluations: QueueConfig,
    /// Whether requests that do not say use antipode.
    pub antipode: bool,
    /// Artificial delay before the notification where a request does not say, in milliseconds.
    pub delay_ms: u64,
    /// Length of a post's content where a request does not say, in bytes.
    pub payload_bytes: u64,
    /// Barrier policy where a request does not say.
    pub barrier: BarrierPolicy,
}

/// The policy of functions whose environment says nothing: DESIGN's default.
const BARRIER: BarrierPolicy = BarrierPolicy { min_ms: 1, max_ms: 50, deadline_ms: 120_000 };

const WHOLE: &str = "a whole number";

impl FunctionConfig {
    /// Reads a set of variables.
    ///
    /// # Errors
    /// When a variable that the chosen storages need is missing or malformed.
    pub fn from_variables(from: &Variables) -> Result<Self, ConfigError> {
        let post = parsed(from, "POST_STORAGE", "a post storage", |text| text.parse().ok())?;
        let notification = parsed(from, "NOTIFICATION_STORAGE", "a notification storage", |text| text.parse().ok())?;
        let (writer_region, reader_region) = (required(from, "WRITER_REGION")?, required(from, "READER_REGION")?);
        let regions = Regions { writer: &writer_region, reader: &reader_region };
        let whole = |name, default| parsed_or(from, name, WHOLE, default, |text| text.parse().ok());
        let flag = |text: &str| match text {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        };
        Ok(Self {
            deployment: optional(from, "DEPLOYMENT").map(str::to_owned),
            post: PostConfig::read(post, from, regions)?,
            notification: NotificationConfig::read(notification, from, regions)?,
            evaluations: QueueConfig::read(from, regions)?,
            antipode: parsed_or(from, "ANTIPODE", "0 or 1", false, flag)?,
            delay_ms: whole("DELAY_MS", 0)?,
            payload_bytes: whole("PAYLOAD_BYTES", Payload::Original.bytes(post))?,
            barrier: BarrierPolicy {
                min_ms: whole("BARRIER_MIN_MS", BARRIER.min_ms)?,
                max_ms: whole("BARRIER_MAX_MS", BARRIER.max_ms)?,
                deadline_ms: whole("BARRIER_DEADLINE_MS", BARRIER.deadline_ms)?,
            },
            writer_region,
            reader_region,
        })
    }

    /// The environment to deploy a function with: what [`Self::from_variables`] reads back.
    #[must_use]
    pub fn to_variables(&self) -> Variables {
        let regions = Regions { writer: &self.writer_region, reader: &self.reader_region };
        let mut to = Variables::from(
            [
                ("POST_STORAGE", self.post.kind().to_string()),
                ("NOTIFICATION_STORAGE", self.notification.kind().to_string()),
                ("WRITER_REGION", self.writer_region.clone()),
                ("READER_REGION", self.reader_region.clone()),
                ("ANTIPODE", u8::from(self.antipode).to_string()),
                ("DELAY_MS", self.delay_ms.to_string()),
                ("PAYLOAD_BYTES", self.payload_bytes.to_string()),
                ("BARRIER_MIN_MS", self.barrier.min_ms.to_string()),
                ("BARRIER_MAX_MS", self.barrier.max_ms.to_string()),
                ("BARRIER_DEADLINE_MS", self.barrier.deadline_ms.to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        to.extend(self.deployment.clone().map(|deployment| ("DEPLOYMENT".to_owned(), deployment)));
        self.post.write(&mut to, regions);
        self.notification.write(&mut to, regions);
        self.evaluations.write(&mut to, regions);
        to
    }

    /// AWS name of the region on a side.
    pub(crate) fn region(&self, side: Side) -> &str {
        match side {
            Side::Writer => &self.writer_region,
            Side::Reader => &self.reader_region,
        }
    }

    /// What a writer takes for what its requests leave out.
    #[must_use]
    pub fn writer_defaults(&self) -> WriterDefaults {
        WriterDefaults { antipode: self.antipode, delay_ms: self.delay_ms, payload_bytes: self.payload_bytes }
    }

    /// What a reader takes for what its notifications leave out.
    #[must_use]
    pub fn reader_defaults(&self) -> ReaderDefaults {
        ReaderDefaults { antipode: self.antipode, barrier: self.barrier }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The environment that the original deploys, with every setting of every datastore.
    fn original(post: &str, notification: &str) -> Variables {
        let text = format!(
            "POST_STORAGE={post} NOTIFICATION_STORAGE={notification} WRITER_REGION=eu-central-1 READER_REGION=us-east-1 \
             ANTIPODE=1 DELAY_MS=300 \
             MYSQL_PORT=3306 MYSQL_USER=antipode MYSQL_PASSWORD=hidden MYSQL_DB=antipode MYSQL_POST_TABLE_NAME=posts \
             MYSQL_NOTIFICATIONS_TABLE_NAME=notifications MYSQL_ANTIPODE_TABLE_NAME=antipode \
             MYSQL_HOST__EU_CENTRAL_1__WRITER=db-eu.example MYSQL_HOST__US_EAST_1__READER=db-us.example \
             DYNAMO_POST_TABLE_NAME=posts DYNAMO_NOTIFICATIONS_TABLE_NAME=notifications DYNAMO_ANTIPODE_TABLE=antipode \
             SNS_ARN__EU_CENTRAL_1__WRITER=arn:aws:sns:eu-central-1:123456789012:antipode-notifications \
             S3_BUCKET__EU_CENTRAL_1__WRITER=posts-eu S3_BUCKET__US_EAST_1__READER=posts-us \
             MQ_USER=antipode MQ_PASSWORD=hidden MQ_NOTIFICATION_QUEUE=antipode-notifications MQ_STOMP_PORT=61614 \
             MQ_HOST__EU_CENTRAL_1=b-1.mq.eu.example MQ_HOST__US_EAST_1=b-2.mq.us.example \
             CACHE_PORT=6379 CACHE_HOST__EU_CENTRAL_1__WRITER=c-eu.example CACHE_HOST__US_EAST_1__READER=c-us.example \
             SQS_EVAL_URL__US_EAST_1=https://sqs.us-east-1.amazonaws.com/123456789012/antipode-eval"
        );
        text.split(' ').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    #[test]
    fn the_environment_of_the_original_is_read_and_ours_is_read_back() {
        for post in ["mysql", "dynamo", "s3", "cache", "redis"] {
            for notification in ["sns", "mq", "amq", "dynamo"] {
                let config = FunctionConfig::from_variables(&original(post, notification)).unwrap();
                assert!(config.antipode && config.delay_ms == 300 && config.barrier == BARRIER);
                assert_eq!(FunctionConfig::from_variables(&config.to_variables()).unwrap(), config);
                assert!(!format!("{config:?}").contains("hidden"), "a secret shows");
            }
        }
        let config = FunctionConfig::from_variables(&original("cache", "mq")).unwrap();
        assert_eq!(config.payload_bytes, 2_871_000);
        let variables = config.to_variables();
        assert_eq!(variables["CACHE_HOST__US_EAST_1__READER"], "c-us.example:6379");
        assert_eq!(variables["MQ_HOST__EU_CENTRAL_1"], "stomp+ssl://b-1.mq.eu.example:61614");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |change: &dyn Fn(&mut Variables)| {
            let mut variables = original("mysql", "mq");
            change(&mut variables);
            FunctionConfig::from_variables(&variables).map(drop).unwrap_err().to_string()
        };
        let set = |name: &str, value: &str| error(&|v| drop(v.insert(name.into(), value.into())));
        assert_eq!(set("WRITER_REGION", ""), "environment variable `WRITER_REGION` is not set");
        assert_eq!(
            set("READER_REGION", "ap-southeast-1"),
            "environment variable `MYSQL_HOST__AP_SOUTHEAST_1__READER` is not set"
        );
        assert_eq!(
            set("POST_STORAGE", "oracle"),
            "environment variable `POST_STORAGE` holds `oracle`, which is not a post storage"
        );
        assert_eq!(set("ANTIPODE", "yes"), "environment variable `ANTIPODE` holds `yes`, which is not 0 or 1");
        assert_eq!(set("MYSQL_PORT", "x"), "environment variable `MYSQL_PORT` holds `x`, which is not a port");
        assert_eq!(
            set("MQ_HOST__US_EAST_1", "tcp://b:1"),
            "environment variable `MQ_HOST__US_EAST_1` holds `tcp://b:1`, which is not `stomp+ssl://host:port`, \
             `stomp://host:port` or a host"
        );
        assert_eq!(
            error(&|v| drop(v.remove("SQS_EVAL_URL__US_EAST_1"))),
            "environment variable `SQS_EVAL_URL__US_EAST_1` is not set"
        );
    }
}
