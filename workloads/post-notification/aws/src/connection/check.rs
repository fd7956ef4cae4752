//! What combinations need of the file.

use std::collections::BTreeSet;

use matrix_plan::{Combination, Region, Regions};

use super::model::{ByRegion, ConnectionInfo};
use super::problem::{Guide, Problem};
use crate::Datastore;

impl ConnectionInfo {
    /// Whether functions that use a datastore must be in a VPC, if the datastore is there.
    #[must_use]
    pub fn vpc_required(&self, store: Datastore) -> Option<bool> {
        match store {
            Datastore::Mysql => self.mysql.as_ref().map(|info| info.vpc_required),
            Datastore::Dynamo => self.dynamo.as_ref().map(|info| info.vpc_required),
            Datastore::S3 => self.s3.as_ref().map(|info| info.vpc_required),
            Datastore::Redis => self.cache.as_ref().map(|info| info.vpc_required),
            Datastore::Sns => self.sns.as_ref().map(|info| info.vpc_required),
            Datastore::Amq => self.mq.as_ref().map(|info| info.vpc_required),
        }
    }

    /// What these combinations need and the file lacks, each entry once.
    #[must_use]
    pub fn check(&self, needed: &[Combination], regions: &Regions) -> Vec<Problem> {
        let mut missing = Missing::default();
        if self.lambda_role_arn.is_none() && !needed.is_empty() {
            missing.entry("iam_lambda_admin_role_arn".to_owned(), Guide::Roles);
        }
        for combination in needed {
            let pair = &combination.regions;
            let (Some(writer), Some(reader)) =
                (missing.name(&pair.writer, regions), missing.name(&pair.reader, regions))
            else {
                continue;
            };
            self.functions(combination, writer, reader, &mut missing);
            self.store(Datastore::from(combination.post_storage), false, writer, reader, &mut missing);
            self.store(Datastore::from(combination.notification_storage), true, writer, reader, &mut missing);
            match &self.evaluations {
                Some(queue) => missing.unless(&queue.urls, reader, "sqs_eval", ("url__", ""), Guide::Evaluations),
                None => missing.section("sqs_eval", Guide::Evaluations),
            }
        }
        missing.problems
    }

    fn functions(&self, combination: &Combination, writer: &str, reader: &str, missing: &mut Missing) {
        let stores = [Datastore::from(combination.post_storage), Datastore::from(combination.notification_storage)];
        let inside = stores.into_iter().any(|store| self.vpc_required(store) == Some(true));
        for region in [writer, reader] {
            missing.unless(&self.code_buckets, region, "lambda.s3_buckets", ("", ""), Guide::CodeBuckets);
            if inside {
                missing.unless(&self.networks, region, "lambda.network", ("", ""), Guide::Network);
            }
        }
    }

    fn store(&self, store: Datastore, notifies: bool, writer: &str, reader: &str, missing: &mut Missing) {
        let (guide, section) = (guide(store), format!("datastores.{}", store.section()));
        let section = section.as_str();
        let mut need = |values: &ByRegion<String>, region: &str, name: (&str, &str)| {
            missing.unless(values, region, section, name, guide);
        };
        match store {
            Datastore::Mysql => {
                let Some(mysql) = &self.mysql else { return missing.section(section, guide) };
                need(&mysql.writer_hosts, writer, ("host__", "__writer"));
                need(&mysql.reader_hosts, reader, ("host__", "__reader"));
            }
            Datastore::Redis => {
                let Some(cache) = &self.cache else { return missing.section(section, guide) };
                need(&cache.writer_hosts, writer, ("host__", "__writer"));
                need(&cache.reader_hosts, reader, ("host__", "__reader"));
            }
            Datastore::S3 => {
                let Some(s3) = &self.s3 else { return missing.section(section, guide) };
                need(&s3.writer_buckets, writer, ("bucket__", "__writer"));
                need(&s3.reader_buckets, reader, ("bucket__", "__reader"));
                let (source, target) = (s3.writer_buckets.get(writer), s3.reader_buckets.get(reader));
                if source.is_some() && source == target {
                    let what = format!("is the bucket of bucket__{writer}__writer too: a bucket is in one region");
                    missing.note(format!("{section}.bucket__{reader}__reader"), what, guide);
                }
            }
            Datastore::Dynamo => {
                let Some(dynamo) = &self.dynamo else { return missing.section(section, guide) };
                if notifies {
                    need(&dynamo.stream_arns, reader, ("notifications_table_stream_arn__", ""));
                }
            }
            Datastore::Sns => {
                let Some(sns) = &self.sns else { return missing.section(section, guide) };
                need(&sns.topic_arns, writer, ("arn__", "__writer"));
            }
            Datastore::Amq => {
                let Some(mq) = &self.mq else { return missing.section(section, guide) };
                need(&mq.hosts, writer, ("host__", ""));
                need(&mq.hosts, reader, ("host__", ""));
                // Without ARNs nobody maps brokers to functions, and messages are handed over without a secret.
                if !mq.arns.is_empty() {
                    need(&mq.arns, reader, ("arn__", ""));
                    need(&mq.secret_arns, reader, ("secretmanager_arn__", ""));
                }
            }
        }
    }
}

/// Where to read about a datastore.
pub(super) fn guide(store: Datastore) -> Guide {
    match store {
        Datastore::Mysql => Guide::Mysql,
        Datastore::Dynamo => Guide::Dynamo,
        Datastore::S3 => Guide::S3,
        Datastore::Redis => Guide::Redis,
        Datastore::Sns => Guide::Sns,
        Datastore::Amq => Guide::Activemq,
    }
}

/// What is missing, each entry once.
#[derive(Default)]
struct Missing {
    problems: Vec<Problem>,
    noted: BTreeSet<String>,
}

impl Missing {
    fn note(&mut self, entry: String, what: String, guide: Guide) {
        if self.noted.insert(entry.clone()) {
            self.problems.push(Problem { entry, line: None, what, guide });
        }
    }

    fn entry(&mut self, entry: String, guide: Guide) {
        self.note(entry, "is missing".to_owned(), guide);
    }

    fn section(&mut self, section: &str, guide: Guide) {
        self.entry(section.to_owned(), guide);
    }

    fn unless<T>(
        &mut self,
        values: &ByRegion<T>,
        region: &str,
        section: &str,
        (before, after): (&str, &str),
        guide: Guide,
    ) {
        if !values.contains_key(region) {
            self.entry(format!("{section}.{before}{region}{after}"), guide);
        }
    }

    fn name<'r>(&mut self, region: &Region, regions: &'r Regions) -> Option<&'r str> {
        let name = regions.aws_name(region);
        if name.is_none() {
            let what =
                format!("cannot name region `{region}`: the experiment's [regions] does not say what AWS calls it");
            self.note(String::new(), what, Guide::File);
        }
        name
    }
}
