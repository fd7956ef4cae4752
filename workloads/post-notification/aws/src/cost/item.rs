//! What has a price.

/// Something that Amazon charges for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A request of a function.
    LambdaRequest,
    /// Memory of functions that run, in GB-seconds.
    LambdaGbSecond,
    /// A request of SQS.
    SqsRequest,
    /// A publish of SNS.
    SnsPublish,
    /// A write request unit of DynamoDB: up to 1 KiB, in each region of a global table.
    DynamoWriteUnit,
    /// A write unit a second that a table of DynamoDB is warmed for, once, in each region.
    DynamoWarmWriteUnit,
    /// A read request unit of DynamoDB: up to 4 KiB, read strongly.
    DynamoReadUnit,
    /// A PUT or LIST of S3.
    S3Put,
    /// A GET or HEAD of S3.
    S3Get,
    /// A GB (10^9 bytes) from the region to another.
    TransferGb,
    /// An I/O request of Aurora's storage.
    AuroraIo,
    /// A write that Aurora replicates, in each secondary region.
    AuroraReplicatedIo,
    /// An hour of an Aurora instance.
    AuroraInstance,
    /// An hour of an ElastiCache node.
    ElasticacheNode,
    /// An hour of an Amazon MQ broker.
    MqBroker,
    /// An hour of an interface endpoint in one zone.
    EndpointHour,
    /// A month of a secret.
    SecretMonth,
}

impl Item {
    /// Every item.
    pub const ALL: [Self; 17] = [
        Self::LambdaRequest,
        Self::LambdaGbSecond,
        Self::SqsRequest,
        Self::SnsPublish,
        Self::DynamoWriteUnit,
        Self::DynamoWarmWriteUnit,
        Self::DynamoReadUnit,
        Self::S3Put,
        Self::S3Get,
        Self::TransferGb,
        Self::AuroraIo,
        Self::AuroraReplicatedIo,
        Self::AuroraInstance,
        Self::ElasticacheNode,
        Self::MqBroker,
        Self::EndpointHour,
        Self::SecretMonth,
    ];

    /// Its name in files of prices.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LambdaRequest => "lambda.request",
            Self::LambdaGbSecond => "lambda.gb_second",
            Self::SqsRequest => "sqs.request",
            Self::SnsPublish => "sns.publish",
            Self::DynamoWriteUnit => "dynamo.write_unit",
            Self::DynamoWarmWriteUnit => "dynamo.warm_write_unit",
            Self::DynamoReadUnit => "dynamo.read_unit",
            Self::S3Put => "s3.put",
            Self::S3Get => "s3.get",
            Self::TransferGb => "transfer.gb",
            Self::AuroraIo => "aurora.io",
            Self::AuroraReplicatedIo => "aurora.replicated_io",
            Self::AuroraInstance => "aurora.instance",
            Self::ElasticacheNode => "elasticache.node",
            Self::MqBroker => "mq.broker",
            Self::EndpointHour => "endpoint.hour",
            Self::SecretMonth => "secret.month",
        }
    }

    /// Whether its price depends on an instance class.
    #[must_use]
    pub fn has_class(self) -> bool {
        matches!(self, Self::AuroraInstance | Self::ElasticacheNode | Self::MqBroker)
    }
}
