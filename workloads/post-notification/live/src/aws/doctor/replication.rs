//! Replication of buckets and tables, and streams: asked of S3 and DynamoDB.

use std::collections::BTreeSet;

use matrix_aws::ConnectionInfo;

use super::Finding;
use super::presence::ABSENT;
use crate::aws::Operator;
use crate::cloud::replicates;

const FIX: &str = "`matrix aws setup` sets it";

impl Operator {
    /// Whether the writers' buckets are replicated to the readers'.
    pub(super) async fn bucket_replication(&self, info: &ConnectionInfo) -> Vec<Finding> {
        let mut findings = Vec::new();
        let Some(s3) = &info.s3 else { return findings };
        for (region, source) in &s3.writer_buckets {
            for target in s3.reader_buckets.values().filter(|target| *target != source) {
                let about = format!("S3 replicates {source} to {target}");
                findings.push(match replicates(&self.s3(region), source, target).await {
                    Ok(true) => Finding::ok(about, "a rule is enabled"),
                    Ok(false) => Finding::problem(about, "no rule is enabled", format!("{FIX} (docs/aws.md#s3)")),
                    Err(error) => {
                        let action = "s3:GetReplicationConfiguration";
                        Finding::unanswered(about, &error, action, &format!("{ABSENT} (docs/aws.md#s3)"))
                    }
                });
            }
        }
        findings
    }

    /// Whether a table is in none of the regions, as far as they can be asked.
    async fn is_nowhere(&self, name: &str, regions: &BTreeSet<String>) -> bool {
        for region in regions {
            if !matches!(self.table(name, region, region).is_there().await, Ok(false)) {
                return false;
            }
        }
        true
    }

    /// Whether the tables have replicas with streams. A table is at home in any other of the regions.
    pub(super) async fn table_replication(&self, info: &ConnectionInfo, regions: &BTreeSet<String>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let Some(dynamo) = &info.dynamo else { return findings };
        for (name, is_post) in [(&dynamo.post_table_name, true), (&dynamo.notifications_table_name, false)] {
            for (replica, stream) in &dynamo.stream_arns {
                let about = format!("DynamoDB replicates {name} to {replica}");
                let mut found = Ok(None);
                for home in regions.iter().filter(|home| *home != replica) {
                    found = self
                        .table(name, home, replica)
                        .stream()
                        .await
                        .map(|stream| stream.map(|stream| (home, stream)));
                    if matches!(found, Ok(Some(_)) | Err(_)) {
                        break;
                    }
                }
                let fix = format!("{FIX} (docs/aws.md#dynamo)");
                findings.push(match found {
                    Ok(Some((home, known))) if is_post || known == *stream => {
                        Finding::ok(about, format!("from {home}, with a stream; both are active"))
                    }
                    Ok(Some(_)) => Finding::problem(
                        about,
                        "its stream is another than the file says",
                        "`matrix aws setup` writes the file anew (docs/aws.md#dynamo)",
                    ),
                    Ok(None) if self.is_nowhere(name, regions).await => Finding::problem(
                        about,
                        "there is no such table in any of these regions",
                        "a set-up makes tables of its own (`matrix aws setup`); one by hand: docs/aws.md#dynamo",
                    ),
                    Ok(None) => Finding::problem(about, "no active replica whose stream is on", fix),
                    Err(error) => Finding::unanswered(about, &error, "dynamodb:DescribeTable", &fix),
                });
            }
        }
        findings
    }
}
