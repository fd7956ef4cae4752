//! The account in a region: whether it is enabled, its quota of concurrent functions, and its clock.

use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use matrix_lambdas::aws::brief;

use super::Finding;
use super::clock::Dates;
use crate::aws::Operator;
use crate::aws::clean::is_not_enabled;
use crate::cloud::Answer;

/// Invocations at a time that the original asks for in every region (its README, "AWS Configurations").
const CONCURRENCY: i32 = 1000;

/// How long a region may take to answer. Credentials are refused where a region is not enabled, and tried again as if they
/// had expired.
const ANSWERS_WITHIN: Duration = Duration::from_secs(45);

impl Operator {
    /// What the functions' service says of the account in a region.
    pub(super) async fn account(&self, region: &str) -> Vec<Finding> {
        let dates = Dates::default();
        let client = Client::from_conf(Builder::from(&self.config(region)).interceptor(dates.clone()).build());
        let enabled = format!("region {region}");
        let enable = format!(
            "enable it: Account, AWS Regions in the console, or `aws account enable-region --region-name {region}`"
        );
        let about = format!("quota of concurrent executions in {region}");
        let answer = match tokio::time::timeout(ANSWERS_WITHIN, client.get_account_settings().send()).await {
            Err(_) => {
                let seen = format!("no answer within {} s", ANSWERS_WITHIN.as_secs());
                let enabled = Finding::problem(enabled, seen.clone(), format!("look at the network; or {enable}"));
                return vec![enabled, Finding::not_checked(about, seen, "fix that first"), dates.finding(region)];
            }
            // A region that says no is enabled.
            Ok(Err(error)) if Answer::of(&error) == Answer::Denied => {
                let fix = "allow these credentials lambda:GetAccountSettings (docs/aws.md#security)";
                let quota = Finding::not_checked(about, brief(&error), fix);
                return vec![Finding::ok(enabled, "answers"), quota, dates.finding(region)];
            }
            Ok(Err(error)) => {
                let why = brief(&error);
                let fix = if is_not_enabled(&why) {
                    enable
                } else {
                    "the region answered, but not this: ask again; if it stays so, look at AWS's health dashboard"
                        .to_owned()
                };
                let quota = Finding::not_checked(about, "the question failed", "fix that first");
                return vec![Finding::problem(enabled, why, fix), quota, dates.finding(region)];
            }
            Ok(Ok(answer)) => answer,
        };
        let mut findings = vec![Finding::ok(enabled, "answers")];
        let limit = answer.account_limit;
        let quota = limit.as_ref().map_or(0, |limit| limit.concurrent_executions);
        let free = limit.and_then(|limit| limit.unreserved_concurrent_executions).unwrap_or(quota);
        let seen = format!("{quota}, of which {free} unreserved");
        findings.push(if quota >= CONCURRENCY {
            Finding::ok(about, seen)
        } else {
            let fix = format!(
                "ask for {CONCURRENCY}: `aws service-quotas request-service-quota-increase --region {region} \
                 --service-code lambda --quota-code L-B99A9384 --desired-value {CONCURRENCY}` (docs/aws.md#quotas)"
            );
            Finding::problem(about, seen, fix)
        });
        findings.push(dates.finding(region));
        findings
    }
}
