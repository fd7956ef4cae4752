//! What a deployment brings: tables, buckets, topics and queues. Each is made if it is not there.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateReplicationGroupMemberAction, KeySchemaElement, KeyType,
    ReplicationGroupUpdate, ScalarAttributeType, StreamSpecification, StreamViewType,
};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, Destination, ReplicationConfiguration,
    ReplicationRule, ReplicationRuleStatus, VersioningConfiguration,
};
use aws_types::SdkConfig;
use aws_types::region::Region;
use matrix_lambdas::config::{FunctionConfig, PostConfig};

fn in_region(aws: &SdkConfig, name: &str) -> SdkConfig {
    aws.to_builder().region(Region::new(name.to_owned())).build()
}

/// A global table with the partition key `k` and a stream.
pub(crate) async fn table(config: &FunctionConfig, aws: &SdkConfig, name: &str) {
    let client = aws_sdk_dynamodb::Client::new(&in_region(aws, &config.writer_region));
    if client.describe_table().table_name(name).send().await.is_ok() {
        return;
    }
    let key = KeySchemaElement::builder().attribute_name("k").key_type(KeyType::Hash).build().unwrap();
    let attribute =
        AttributeDefinition::builder().attribute_name("k").attribute_type(ScalarAttributeType::S).build().unwrap();
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
    let table = client.create_table().table_name(name).key_schema(key).attribute_definitions(attribute);
    let table = table.billing_mode(BillingMode::PayPerRequest).stream_specification(stream.build().unwrap());
    table.send().await.unwrap();
    let replica = CreateReplicationGroupMemberAction::builder().region_name(&config.reader_region).build().unwrap();
    let update = client.update_table().table_name(name);
    update.replica_updates(ReplicationGroupUpdate::builder().create(replica).build()).send().await.unwrap();
}

/// A versioned bucket in each region, the first replicated to the second.
pub(crate) async fn buckets(config: &FunctionConfig, aws: &SdkConfig) {
    let PostConfig::S3(s3) = &config.post else { panic!("no settings of s3") };
    let client = |region: &str| {
        let settings = aws_sdk_s3::config::Builder::from(&in_region(aws, region)).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(settings)
    };
    for (bucket, region) in [(&s3.writer, &config.writer_region), (&s3.reader, &config.reader_region)] {
        let client = client(region);
        if client.head_bucket().bucket(bucket).send().await.is_err() {
            let place = BucketLocationConstraint::from(region.as_str());
            let place = CreateBucketConfiguration::builder().location_constraint(place).build();
            let request = client.create_bucket().bucket(bucket);
            // The oldest region has no name as a constraint.
            let place = (region != "us-east-1").then_some(place);
            request.set_create_bucket_configuration(place).send().await.unwrap();
        }
        let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        client.put_bucket_versioning().bucket(bucket).versioning_configuration(versioned).send().await.unwrap();
    }
    let to = Destination::builder().bucket(format!("arn:aws:s3:::{}", s3.reader)).build().unwrap();
    let rule = ReplicationRule::builder().id("all").priority(1).status(ReplicationRuleStatus::Enabled);
    let replication = ReplicationConfiguration::builder()
        .role("arn:aws:iam::000000000000:role/replication")
        .rules(rule.destination(to).build().unwrap())
        .build()
        .unwrap();
    let source = client(&config.writer_region);
    let request = source.put_bucket_replication().bucket(&s3.writer).replication_configuration(replication);
    request.send().await.unwrap();
}

/// A queue; gives its URL.
pub(crate) async fn queue(aws: &SdkConfig, region: &str, name: &str) -> String {
    let client = aws_sdk_sqs::Client::new(&in_region(aws, region));
    client.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap()
}

/// A topic, with a queue that gets its messages; gives the queue's URL.
pub(crate) async fn topic_and_queue(aws: &SdkConfig, region: &str, arn: &str) -> String {
    let client = aws_sdk_sns::Client::new(&in_region(aws, region));
    let name = arn.rsplit(':').next().unwrap();
    assert_eq!(client.create_topic().name(name).send().await.unwrap().topic_arn.as_deref(), Some(arn));
    let url = queue(aws, region, &format!("{name}-seen")).await;
    let endpoint = arn.replace(":sns:", ":sqs:") + "-seen";
    client.subscribe().topic_arn(arn).protocol("sqs").endpoint(endpoint).send().await.unwrap();
    url
}

/// The bodies of the messages of a queue, as soon as there are so many; they are taken out.
pub(crate) async fn messages(aws: &SdkConfig, region: &str, url: &str, count: usize) -> Vec<String> {
    let client = aws_sdk_sqs::Client::new(&in_region(aws, region));
    let mut bodies = Vec::new();
    for _ in 0..20 {
        let batch = client.receive_message().queue_url(url).wait_time_seconds(1).max_number_of_messages(10);
        for message in batch.send().await.unwrap().messages.unwrap_or_default() {
            bodies.push(message.body.unwrap());
            client.delete_message().queue_url(url).set_receipt_handle(message.receipt_handle).send().await.unwrap();
        }
        if bodies.len() >= count {
            return bodies;
        }
    }
    panic!("{} of {count} messages came", bodies.len())
}
