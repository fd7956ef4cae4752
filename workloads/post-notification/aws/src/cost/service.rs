//! What a cell's cost is divided by.

matrix_plan::named! {
    /// A service on the bill.
    pub enum Service: as_str {
        /// The functions.
        Lambda = "lambda",
        /// The queue of evaluations.
        Sqs = "sqs",
        /// Notifications by SNS.
        Sns = "sns",
        /// Posts and notifications in DynamoDB.
        Dynamo = "dynamodb",
        /// Posts in S3.
        S3 = "s3",
        /// Posts in Aurora, without its instances.
        Aurora = "aurora",
        /// Data that leaves the writer's region.
        Transfer = "data_transfer",
    }
}
