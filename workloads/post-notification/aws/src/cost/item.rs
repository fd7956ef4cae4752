//! What has a price.

matrix_plan::named! {
    /// Something that Amazon charges for.
    pub enum Item: as_str {
        /// A request of a function.
        LambdaRequest = "lambda.request",
        /// Memory of functions that run, in GB-seconds.
        LambdaGbSecond = "lambda.gb_second",
        /// A request of SQS.
        SqsRequest = "sqs.request",
        /// A publish of SNS.
        SnsPublish = "sns.publish",
        /// A write request unit of DynamoDB: up to 1 KiB, in each region of a global table.
        DynamoWriteUnit = "dynamo.write_unit",
        /// A write unit a second that a table of DynamoDB is warmed for, once, in each region.
        DynamoWarmWriteUnit = "dynamo.warm_write_unit",
        /// A read request unit of DynamoDB: up to 4 KiB, read strongly.
        DynamoReadUnit = "dynamo.read_unit",
        /// A PUT or LIST of S3.
        S3Put = "s3.put",
        /// A GET or HEAD of S3.
        S3Get = "s3.get",
        /// A GB (10^9 bytes) from the region to another.
        TransferGb = "transfer.gb",
        /// An I/O request of Aurora's storage.
        AuroraIo = "aurora.io",
        /// A write that Aurora replicates, in each secondary region.
        AuroraReplicatedIo = "aurora.replicated_io",
        /// An hour of an Aurora instance.
        AuroraInstance = "aurora.instance",
        /// An hour of an ElastiCache node.
        ElasticacheNode = "elasticache.node",
        /// An hour of an Amazon MQ broker.
        MqBroker = "mq.broker",
        /// An hour of an interface endpoint in one zone.
        EndpointHour = "endpoint.hour",
        /// A month of a secret.
        SecretMonth = "secret.month",
    }
}

impl Item {
    /// Whether its price depends on an instance class.
    #[must_use]
    pub fn has_class(self) -> bool {
        matches!(self, Self::AuroraInstance | Self::ElasticacheNode | Self::MqBroker)
    }
}
