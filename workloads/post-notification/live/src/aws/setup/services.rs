//! After the stacks: the services are asked whether they do what the stacks say, and told where they do not.

use std::collections::BTreeSet;

use matrix_aws::setup::{Lookup, Outputs, Parameter, Question, connection_info, lookups};
use matrix_aws::{ConnectionInfo, SetupRequest, StackSpec};

use super::make::{Progress, Tell};
use super::wanted::value;
use crate::aws::{Operator, ProvisionError};
use crate::cloud::{ensure_replicated, ensure_versioned};

impl Operator {
    /// Sees to it that tables and buckets are replicated, and gives what only services know. Says how many things had to
    /// be set.
    pub(super) async fn ask_services(
        &self,
        request: &SetupRequest,
        specs: &[StackSpec],
        mut outputs: Outputs,
        tell: Tell<'_>,
    ) -> Result<(ConnectionInfo, usize), ProvisionError> {
        let mut set = 0;
        let home = request.regions.aws_name(&request.writer).unwrap_or_default();
        for Lookup { into, region, question } in lookups(request)? {
            let Question::StreamArn { table } = question;
            let replicated = self.table(&table, home, &region).ensure().await?;
            outputs.entry(into.stack).or_default().insert(into.output, replicated.stream);
            set += told(replicated.set, tell);
        }
        let info = connection_info(request, &outputs)?;
        if let Some(dynamo) = &info.dynamo {
            let table = &dynamo.post_table_name;
            for region in dynamo.stream_arns.keys() {
                set += told(self.table(table, home, region).ensure().await?.set, tell);
            }
        }
        if let (Some(s3), Some(role)) = (&info.s3, replication_role(specs, &outputs)?) {
            let buckets: BTreeSet<_> = s3.writer_buckets.iter().chain(&s3.reader_buckets).collect();
            for (region, bucket) in buckets {
                if ensure_versioned(&self.s3(region), bucket).await? {
                    set += told([format!("bucket {bucket} kept no versions: it does now")], tell);
                }
            }
            let targets: Vec<&str> = s3.reader_buckets.values().map(String::as_str).collect();
            for (region, source) in &s3.writer_buckets {
                if ensure_replicated(&self.s3(region), source, &targets, &role).await? {
                    set += told([format!("bucket {source} was not replicated: it is now")], tell);
                }
            }
        }
        Ok((info, set))
    }
}

/// Tells what was set; says how many things that were.
fn told(set: impl IntoIterator<Item = String>, tell: Tell<'_>) -> usize {
    set.into_iter().map(|what| tell(Progress::Note(what))).count()
}

/// ARN of the role in which S3 replicates: the bucket's stack takes it as a parameter.
fn replication_role(specs: &[StackSpec], outputs: &Outputs) -> Result<Option<String>, ProvisionError> {
    for spec in specs {
        let resources = spec.template.get("Resources").and_then(|resources| resources.as_object());
        for resource in resources.into_iter().flat_map(serde_json::Map::values) {
            let role = resource.pointer("/Properties/ReplicationConfiguration/Role/Ref").and_then(|role| role.as_str());
            match role.and_then(|role| spec.parameters.get(role)) {
                Some(Parameter::Output(from)) => return Ok(Some(value(from, outputs)?)),
                Some(Parameter::Text(role)) => return Ok(Some(role.clone())),
                None => {}
            }
        }
    }
    Ok(None)
}
