//! The file of endpoints: finding, reading and writing it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use matrix_aws::ConnectionInfo;
use matrix_plan::{Aws, Experiment};

use crate::cli::aws::PlaceArgs;
use crate::endpoints;
pub(super) use crate::endpoints::read_if_present as read;
use crate::exit::Failure;
use crate::output;

/// Where the file is: the flag says, else the experiment, else it has its usual name.
pub(super) fn path(place: &PlaceArgs, experiment: Option<&Experiment>) -> PathBuf {
    let named = || endpoints::path(experiment.map_or(&Aws::default(), |experiment| &experiment.aws));
    place.connection_info.clone().unwrap_or_else(named)
}

/// Writes what a set-up made; what else the file says of other datastores stays. Says whether the file changed.
pub(super) fn write(path: &Path, made: ConnectionInfo) -> Result<bool, Failure> {
    let info = match read(path)? {
        Some(old) => kept(made, old),
        None => made,
    };
    output::write_file(path, info.to_yaml().as_bytes())
}

/// What was made, and what the file said of what was not.
fn kept(made: ConnectionInfo, old: ConnectionInfo) -> ConnectionInfo {
    let (mut networks, mut code_buckets) = (old.networks, old.code_buckets);
    networks.extend(made.networks);
    code_buckets.extend(made.code_buckets);
    ConnectionInfo {
        credentials_profile: made.credentials_profile.or(old.credentials_profile),
        cloudformation_role_arn: made.cloudformation_role_arn.or(old.cloudformation_role_arn),
        lambda_role_arn: made.lambda_role_arn.or(old.lambda_role_arn),
        networks,
        code_buckets,
        mysql: made.mysql.or(old.mysql),
        dynamo: made.dynamo.or(old.dynamo),
        s3: made.s3.or(old.s3),
        cache: made.cache.or(old.cache),
        sns: made.sns.or(old.sns),
        mq: made.mq.or(old.mq),
        evaluations: made.evaluations.or(old.evaluations),
    }
}

/// AWS names of all regions that the file names.
pub(super) fn regions(info: &ConnectionInfo) -> BTreeSet<String> {
    let mut regions: BTreeSet<String> = info.networks.keys().chain(info.code_buckets.keys()).cloned().collect();
    let mut add = |values: &matrix_aws::connection::ByRegion<String>| regions.extend(values.keys().cloned());
    if let Some(mysql) = &info.mysql {
        add(&mysql.writer_hosts);
        add(&mysql.reader_hosts);
    }
    if let Some(dynamo) = &info.dynamo {
        add(&dynamo.stream_arns);
    }
    if let Some(s3) = &info.s3 {
        add(&s3.writer_buckets);
        add(&s3.reader_buckets);
    }
    if let Some(cache) = &info.cache {
        add(&cache.writer_hosts);
        add(&cache.reader_hosts);
    }
    if let Some(sns) = &info.sns {
        add(&sns.topic_arns);
    }
    if let Some(mq) = &info.mq {
        add(&mq.hosts);
    }
    if let Some(queue) = &info.evaluations {
        add(&queue.urls);
    }
    regions
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use matrix_aws::connection::{Password, SnsInfo};

    use super::*;
    use crate::exit::Exit;

    const BY_HAND: &str = "aws_credentials_profile: mine
datastores:
  mysql:
    vpc_required: false
    port: 3307
    user: me
    password: ${MY_PASSWORD}
    db: db
    post_table_name: posts
    antipode_table_name: antipode
    host__eu-central-1__writer: a.example
    host__us-east-1__reader: b.example
";

    fn made() -> ConnectionInfo {
        let topic_arns = [("eu-central-1".to_owned(), "arn:aws:sns:eu-central-1:000000000000:t".to_owned())].into();
        ConnectionInfo { sns: Some(SnsInfo { vpc_required: false, topic_arns }), ..ConnectionInfo::default() }
    }

    #[test]
    fn what_a_person_wrote_of_other_datastores_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connection_info.yaml");
        std::fs::write(&path, BY_HAND).unwrap();
        assert!(write(&path, made()).unwrap());
        let info = read(&path).unwrap().unwrap();
        assert_eq!(info.credentials_profile.as_deref(), Some("mine"));
        assert_eq!(info.mysql.as_ref().unwrap().password, Password::Environment("MY_PASSWORD".into()));
        assert_eq!(info.sns, made().sns);
        assert_eq!(regions(&info).into_iter().collect::<Vec<_>>(), ["eu-central-1", "us-east-1"]);
        // The same again changes nothing.
        assert!(!write(&path, made()).unwrap());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connection_info.yaml");
        std::fs::write(&path, "datastores: [").unwrap();
        assert_eq!(write(&path, made()).unwrap_err().exit, Exit::Usage);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "datastores: [");
    }
}
