//! Post storages.

use matrix_app::conformance::{Finding, check_posts};
use matrix_lambdas::config::PostConfig;
use matrix_lambdas::conformance::RealPosts;

use crate::endpoints::{Endpoints, on_runtime};
use crate::provision;

fn conforms(post: &str) {
    let endpoints = Endpoints::take();
    let config = endpoints.config(post, "sns");
    let aws = endpoints.aws();
    let checks = on_runtime(async {
        match &config.post {
            PostConfig::Dynamo(dynamo) => provision::table(&config, &aws, &dynamo.table).await,
            PostConfig::S3(_) => provision::buckets(&config, &aws).await,
            PostConfig::Mysql(_) | PostConfig::Redis(_) => {}
        }
        let harness = RealPosts::new(&config, &aws, endpoints.control()).await.unwrap();
        check_posts(&harness).await.unwrap_or_else(|failure| panic!("{post}: {failure}"))
    });
    for check in &checks {
        println!("{post}: {check}");
    }
    // What is not tried is known beforehand: versions where there are none.
    let expected = usize::from(post != "s3");
    let not_tried = checks.iter().filter(|check| check.finding != Finding::Holds).count();
    assert_eq!(not_tried, expected, "{checks:?}");
}

#[test]
fn mysql() {
    conforms("mysql");
}

#[test]
fn dynamo() {
    conforms("dynamo");
}

#[test]
fn s3() {
    conforms("s3");
}

#[test]
fn redis() {
    conforms("redis");
}
