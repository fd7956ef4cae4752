//! Taking out of the file what a set-up made and has removed.

use super::model::{ByRegion, ConnectionInfo};
use crate::setup::StackId;
use crate::template::{AMQ, BASE, DYNAMO, EVALUATIONS, MYSQL, NETWORK, REDIS, ROLES, S3, SNS};

impl ConnectionInfo {
    /// Takes out what these stacks of the set-up `setup` held. What a person wrote stays: only what bears the set-up's name
    /// goes, and the networks, which have none.
    pub fn forget(&mut self, setup: &str, removed: &[StackId]) {
        for StackId { region, name } in removed {
            let Some(part) = name.strip_prefix(setup).and_then(|rest| rest.strip_prefix('-')) else { continue };
            let own = |part: &str| format!("{setup}-{part}");
            match part {
                ROLES => {
                    let its = |arn: &mut String| arn.contains(&format!(":role/{}", own(ROLES)));
                    self.cloudformation_role_arn.take_if(its);
                    self.lambda_role_arn.take_if(its);
                }
                BASE => {
                    remove(&mut self.code_buckets, region, |bucket| bucket.starts_with(&own("code-")));
                    if let Some(queue) = self.evaluations.as_mut().filter(|queue| queue.name == own(EVALUATIONS)) {
                        remove(&mut queue.urls, region, |_| true);
                        remove(&mut queue.arns, region, |_| true);
                    }
                    self.evaluations.take_if(|queue| queue.urls.is_empty() && queue.arns.is_empty());
                }
                NETWORK => {
                    self.networks.remove(region);
                }
                MYSQL => {
                    if let Some(mysql) = &mut self.mysql {
                        for hosts in [&mut mysql.writer_hosts, &mut mysql.reader_hosts] {
                            remove(hosts, region, |host| host.starts_with(&own(MYSQL)));
                        }
                    }
                    self.mysql.take_if(|mysql| mysql.writer_hosts.is_empty() && mysql.reader_hosts.is_empty());
                }
                DYNAMO => {
                    self.dynamo.take_if(|dynamo| dynamo.post_table_name == own("posts"));
                }
                S3 => {
                    if let Some(s3) = &mut self.s3 {
                        for buckets in [&mut s3.writer_buckets, &mut s3.reader_buckets] {
                            remove(buckets, region, |bucket| bucket.starts_with(&own("posts-")));
                        }
                    }
                    self.s3.take_if(|s3| s3.writer_buckets.is_empty() && s3.reader_buckets.is_empty());
                }
                REDIS => {
                    if let Some(cache) = &mut self.cache {
                        for hosts in [&mut cache.writer_hosts, &mut cache.reader_hosts] {
                            remove(hosts, region, |host| host.contains(&own(REDIS)));
                        }
                    }
                    self.cache.take_if(|cache| cache.writer_hosts.is_empty() && cache.reader_hosts.is_empty());
                }
                SNS => {
                    if let Some(sns) = &mut self.sns {
                        remove(&mut sns.topic_arns, region, |arn| arn.ends_with(&format!(":{}", own("notifications"))));
                    }
                    self.sns.take_if(|sns| sns.topic_arns.is_empty());
                }
                AMQ => {
                    let its = |mq: &&mut super::BrokersInfo| {
                        mq.names.get(region).is_some_and(|broker| broker.starts_with(&own(AMQ)))
                    };
                    if let Some(mq) = self.mq.as_mut().filter(its) {
                        for values in [&mut mq.names, &mut mq.arns, &mut mq.hosts, &mut mq.secret_arns] {
                            values.remove(region);
                        }
                    }
                    self.mq.take_if(|mq| mq.hosts.is_empty());
                }
                _ => {}
            }
        }
    }

    /// Whether it names nothing but, perhaps, a profile.
    #[must_use]
    pub fn names_nothing(&self) -> bool {
        *self == Self { credentials_profile: self.credentials_profile.clone(), ..Self::default() }
    }
}

/// Removes a region's value, if it is one of the set-up's.
fn remove(values: &mut ByRegion<String>, region: &str, is_own: impl Fn(&str) -> bool) {
    if values.get(region).is_some_and(|value| is_own(value)) {
        values.remove(region);
    }
}
