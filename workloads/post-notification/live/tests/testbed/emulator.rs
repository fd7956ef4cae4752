//! The emulator: configured lag, version ids, cuts and faults.

use std::time::{Duration, Instant};

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use aws_sdk_s3::config::Region;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, Destination, ReplicationConfiguration,
    ReplicationRule, ReplicationRuleFilter, ReplicationRuleStatus, VersioningConfiguration,
};
use matrix_live::testbed::{CutKind, EmulatorFault, FaultKind, Testbed};

use crate::bed::{Bed, eventually};

fn s3(bed: &Bed, region: &str) -> aws_sdk_s3::Client {
    let aws = bed.aws().into_builder().region(Region::new(bed.region(region).aws_name.clone())).build();
    aws_sdk_s3::Client::new(&aws)
}

/// Buckets `post-eu`, `post-us` and `post-sg`, the first replicated to both others.
async fn buckets(bed: &Bed) {
    for region in ["eu", "us", "sg"] {
        let (client, bucket) = (s3(bed, region), format!("post-{region}"));
        let place = BucketLocationConstraint::from(bed.region(region).aws_name.as_str());
        let place = CreateBucketConfiguration::builder().location_constraint(place).build();
        // us-east-1 is the place of buckets that name none.
        let place = (region != "us").then_some(place);
        client.create_bucket().bucket(&bucket).set_create_bucket_configuration(place).send().await.unwrap();
        let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        client.put_bucket_versioning().bucket(&bucket).versioning_configuration(on).send().await.unwrap();
    }
    let mut rules = ReplicationConfiguration::builder().role("arn:aws:iam::000000000000:role/replication");
    for (priority, region) in (1..).zip(["us", "sg"]) {
        let target = Destination::builder().bucket(format!("arn:aws:s3:::post-{region}")).build().unwrap();
        let rule = ReplicationRule::builder()
            .id(region)
            .priority(priority)
            .status(ReplicationRuleStatus::Enabled)
            .filter(ReplicationRuleFilter::builder().prefix("").build())
            .destination(target);
        rules = rules.rules(rule.build().unwrap());
    }
    let rules = rules.build().unwrap();
    s3(bed, "eu").put_bucket_replication().bucket("post-eu").replication_configuration(rules).send().await.unwrap();
}

async fn put(bed: &Bed, key: &str) -> String {
    let put = s3(bed, "eu").put_object().bucket("post-eu").key(key).metadata("cid", "42");
    put.body(b"post".to_vec().into()).send().await.unwrap().version_id.unwrap()
}

async fn visible(bed: &Bed, region: &str, key: &str, version: &str) -> Option<()> {
    let head = s3(bed, region).head_object().bucket(format!("post-{region}")).key(key).version_id(version);
    assert_eq!(head.send().await.ok()?.metadata().unwrap()["cid"], "42");
    Some(())
}

#[tokio::test]
async fn an_s3_replica_keeps_the_version_id_and_has_the_configured_lag() {
    let bed = Bed::shared();
    buckets(&bed).await;
    let lag = Duration::from_millis(300);
    for round in 0..5 {
        let (key, written) = (format!("k{round}"), Instant::now());
        let version = put(&bed, &key).await;
        if visible(&bed, "us", &key, &version).await.is_some() {
            // The machine was busy for longer than the lag.
            assert!(written.elapsed() >= lag, "{:?}", written.elapsed());
        }
        eventually("the version at us", async || visible(&bed, "us", &key, &version).await).await;
        assert!(written.elapsed() >= lag, "{:?}", written.elapsed());
        eventually("the version at sg", async || visible(&bed, "sg", &key, &version).await).await;
    }
    // Ten replicas in these buckets, each logged when it became visible, never before its lag was over.
    let log = std::fs::read_to_string(&bed.testbed.endpoints().visible_log).unwrap();
    let ours = log.lines().filter(|line| line.contains("post-eu"));
    let lines: Vec<serde_json::Value> = ours.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 10);
    for line in lines {
        let at = |name: &str| line[name].as_i64().unwrap();
        assert!(at("invisible_until_us") - at("written_us") >= 300_000, "{line}");
        assert!(at("visible_from_us") >= at("invisible_until_us"), "{line}");
    }

    bed.testbed.cut(&"eu->us".parse().unwrap(), CutKind::Hold, None).unwrap();
    let version = put(&bed, "cut").await;
    eventually("the version at sg", async || visible(&bed, "sg", "cut", &version).await).await;
    assert_eq!(visible(&bed, "us", "cut", &version).await, None);
    bed.testbed.restore(&"eu->us".parse().unwrap()).unwrap();
    eventually("the version at us", async || visible(&bed, "us", "cut", &version).await).await;
}

#[tokio::test]
async fn faults_strike_the_service_they_name_as_often_as_they_say() {
    let bed = Bed::shared();
    let aws = bed.aws().into_builder().region(Region::new("us-east-1"));
    let aws = aws.retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled()).build();
    let dynamo = aws_sdk_dynamodb::Client::new(&aws);
    let s3 = aws_sdk_s3::Client::new(&aws);

    let fault = |service: &str, kind, times| EmulatorFault {
        service: Some(service.to_owned()),
        operation: None,
        kind,
        times: Some(times),
    };
    bed.testbed.fault(&fault("dynamodb", FaultKind::Throttle, 2)).unwrap();
    bed.testbed.fault(&fault("s3", FaultKind::Error, 1)).unwrap();
    for _ in 0..2 {
        let error = dynamo.list_tables().send().await.unwrap_err();
        let code = error.as_service_error().unwrap().meta().code();
        assert_eq!(code, Some("ProvisionedThroughputExceededException"));
    }
    dynamo.list_tables().send().await.unwrap();
    assert_eq!(s3.list_buckets().send().await.unwrap_err().raw_response().unwrap().status().as_u16(), 500);
    s3.list_buckets().send().await.unwrap();

    bed.testbed.fault(&fault("s3", FaultKind::Error, 100)).unwrap();
    s3.list_buckets().send().await.unwrap_err();
    bed.testbed.clear_faults().unwrap();
    s3.list_buckets().send().await.unwrap();
}

/// A function that appends each payload to a file, and answers with it. `fail` makes it fail; `sleep` makes it hang.
const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
import json, os, time, urllib.request
api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as answer:
        request, payload = answer.headers["Lambda-Runtime-Aws-Request-Id"], answer.read()
    with open(os.environ["SEEN"], "ab") as seen:
        seen.write(payload + b"\n")
    if b"sleep" in payload:
        time.sleep(3600)
    failing = os.path.exists(os.environ["SEEN"] + ".fail")
    end, body = ("error", b'{"errorType": "Told", "errorMessage": "to fail"}') if failing else ("response", payload)
    urllib.request.urlopen(urllib.request.Request(api + request + "/" + end, data=body, method="POST")).read()
"#;

/// Deploys the function above. `seen` is where it appends.
pub(crate) async fn deploy(lambda: &aws_sdk_lambda::Client, name: &str, seen: &std::path::Path) {
    let code = FunctionCode::builder().zip_file(Blob::new(zip("bootstrap", BOOTSTRAP.as_bytes()))).build();
    let variables = aws_sdk_lambda::types::Environment::builder().variables("SEEN", seen.to_str().unwrap());
    lambda
        .create_function()
        .function_name(name)
        .runtime(Runtime::Providedal2023)
        .role("arn:aws:iam::000000000000:role/function")
        .handler("bootstrap")
        .timeout(900)
        .environment(variables.build())
        .code(code)
        .send()
        .await
        .unwrap();
}

/// Deploys a function and leaves it at work.
pub(crate) async fn deploy_sleeper(testbed: &Testbed) {
    let seen = testbed.state().path().join("seen");
    let endpoints = testbed.endpoints();
    let credentials = aws_credential_types::Credentials::new(
        &endpoints.aws_access_key_id,
        &endpoints.aws_secret_access_key,
        None,
        None,
        "test",
    );
    let provider = aws_credential_types::provider::SharedCredentialsProvider::new(credentials);
    let aws = matrix_lambdas::aws::config(Some(&endpoints.aws_endpoint_url), provider);
    let lambda = aws_sdk_lambda::Client::new(&aws.into_builder().region(Region::new("us-east-1")).build());
    deploy(&lambda, "sleeper", &seen).await;
    let invocation = lambda.invoke().function_name("sleeper").payload(Blob::new("\"sleep\"")).send();
    // The answer never comes: what counts is that the function has begun.
    let begun = eventually("the function at work", async || std::fs::read(&seen).ok().filter(|it| !it.is_empty()));
    tokio::select! {
        answer = invocation => panic!("the sleeper answered: {answer:?}"),
        _ = begun => {}
    }
    std::fs::remove_file(&seen).unwrap();
}

/// A ZIP archive of one executable file, stored without compression.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .unix_permissions(0o755);
    writer.start_file(name, options).unwrap();
    std::io::Write::write_all(&mut writer, content).unwrap();
    writer.finish().unwrap().into_inner()
}
