//! The file of endpoints: finding, reading and writing it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use matrix_aws::ConnectionInfo;
use matrix_aws::connection::ByRegion;
use matrix_aws::setup::StackId;
use matrix_plan::{Aws, Experiment};

use crate::cli::aws::PlaceArgs;
use crate::endpoints;
pub(super) use crate::endpoints::read_if_present as read;
use crate::exit::Failure;
use crate::output;

/// Where the file is: the flag says, else the experiment, else it has its usual name.
pub(super) fn path(place: &PlaceArgs, experiment: Option<&Experiment>) -> PathBuf {
    let named = || endpoints::path(experiment.map_or(&Aws::default(), |experiment| &experiment.aws));
    place.connection_info.clone().map_or_else(named, endpoints::beside_template)
}

/// What became of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Whether it changed.
    pub(super) written: bool,
    /// Where its text is that was there before and that no set-up wrote.
    pub(super) kept: Option<PathBuf>,
}

/// Writes what a set-up made; what else the file says of other datastores stays. A text that no set-up wrote is kept beside
/// it: comments and aliases are lost otherwise, and what a person wrote of what the set-up made.
pub(super) fn write(path: &Path, made: ConnectionInfo) -> Result<Written, Failure> {
    let Some(old) = read(path)? else {
        return Ok(Written { written: output::write_private_file(path, made.to_yaml().as_bytes())?, kept: None });
    };
    let text = std::fs::read_to_string(path)?;
    let is_by_hand = old.to_yaml() != text;
    let new = united(made, old).to_yaml();
    let kept = if is_by_hand && new != text { Some(keep(path, &text)?) } else { None };
    Ok(Written { written: output::write_private_file(path, new.as_bytes())?, kept })
}

/// Keeps a text beside the file that it was in, under the first name that is free.
fn keep(path: &Path, text: &str) -> Result<PathBuf, Failure> {
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(if number == 1 { ".before-setup".to_owned() } else { format!(".before-setup-{number}") });
        PathBuf::from(name)
    };
    let free = |place: &PathBuf| match std::fs::read(place) {
        Ok(there) => there == text.as_bytes(),
        Err(_) => true,
    };
    let place = (1..).map(name).find(free).unwrap_or_else(|| name(1));
    output::write_private_file(&place, text.as_bytes())?;
    Ok(place)
}

/// Takes out of the file what stacks of a set-up held that are gone. A file that then names nothing goes, too; a text that
/// no set-up wrote is kept beside it. Says what was done, if anything.
pub(super) fn forget(path: &Path, setup: &str, removed: &[StackId]) -> Result<Option<String>, Failure> {
    let Some(old) = read(path)? else { return Ok(None) };
    let mut new = old.clone();
    new.forget(setup, removed);
    if new == old {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path)?;
    let is_by_hand = old.to_yaml() != text;
    let kept = if is_by_hand {
        format!("; what it was before is kept in {}", keep(path, &text)?.display())
    } else {
        String::new()
    };
    let file = path.display();
    if new.names_nothing() && new.credentials_profile.is_none() {
        std::fs::remove_file(output::place_of(path)?).map_err(|error| output::unwritable(path, &error))?;
        return Ok(Some(format!("{file} named nothing else and is removed{kept}")));
    }
    output::write_private_file(path, new.to_yaml().as_bytes())?;
    Ok(Some(format!("{file} no longer names what was removed{kept}")))
}

/// What was made, and what the file said of what was not.
fn united(made: ConnectionInfo, old: ConnectionInfo) -> ConnectionInfo {
    let (mut networks, mut code_buckets) = (old.networks, old.code_buckets);
    networks.extend(made.networks);
    code_buckets.extend(made.code_buckets);
    // Topics and queues of different regions have nothing to do with each other.
    let further = |made: &mut ByRegion<String>, old: ByRegion<String>| {
        for (region, value) in old {
            made.entry(region).or_insert(value);
        }
    };
    let (mut sns, mut evaluations) = (made.sns, made.evaluations);
    if let (Some(made), Some(old)) = (&mut sns, &old.sns) {
        further(&mut made.topic_arns, old.topic_arns.clone());
    }
    if let (Some(made), Some(old)) = (&mut evaluations, &old.evaluations) {
        further(&mut made.urls, old.urls.clone());
        further(&mut made.arns, old.arns.clone());
    }
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
        sns: sns.or(old.sns),
        mq: made.mq.or(old.mq),
        evaluations: evaluations.or(old.evaluations),
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
        let Written { written, kept } = write(&path, made()).unwrap();
        assert!(written);
        assert_eq!(std::fs::read_to_string(kept.unwrap()).unwrap(), BY_HAND);
        let info = read(&path).unwrap().unwrap();
        assert_eq!(info.credentials_profile.as_deref(), Some("mine"));
        assert_eq!(info.mysql.as_ref().unwrap().password, Password::Environment("MY_PASSWORD".into()));
        assert_eq!(info.sns, made().sns);
        assert_eq!(regions(&info).into_iter().collect::<Vec<_>>(), ["eu-central-1", "us-east-1"]);
        // The same again changes nothing.
        let same = Written { written: false, kept: None };
        assert_eq!(write(&path, made()).unwrap(), same);
        // What a set-up wrote need not be kept, and what it knows of other regions stays.
        let topic_arns = [("us-east-1".to_owned(), "arn:aws:sns:us-east-1:000000000000:t".to_owned())].into();
        let other =
            ConnectionInfo { sns: Some(SnsInfo { vpc_required: false, topic_arns }), ..ConnectionInfo::default() };
        assert_eq!(write(&path, other).unwrap(), Written { written: true, kept: None });
        assert_eq!(read(&path).unwrap().unwrap().sns.unwrap().topic_arns.len(), 2);
        // Another text of a person's is kept beside the first.
        std::fs::write(&path, format!("# mine\n{BY_HAND}")).unwrap();
        let kept = write(&path, made()).unwrap().kept.unwrap();
        assert!(kept.to_string_lossy().ends_with("connection_info.yaml.before-setup-2"));
    }

    #[test]
    fn what_was_removed_is_taken_out_and_what_a_person_wrote_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connection_info.yaml");
        let topic = StackId { region: "eu-central-1".into(), name: "matrix-sns".into() };
        let topics =
            [("eu-central-1".to_owned(), "arn:aws:sns:eu-central-1:000000000000:matrix-notifications".to_owned())];
        let sns = SnsInfo { vpc_required: false, topic_arns: topics.into() };
        let info = ConnectionInfo { sns: Some(sns), ..ConnectionInfo::default() };
        assert_eq!(forget(&path, "matrix", std::slice::from_ref(&topic)).unwrap(), None, "there is no file");
        assert!(write(&path, info.clone()).unwrap().written);
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        // Another set-up's, and one whose stack is still there.
        assert_eq!(forget(&path, "other", std::slice::from_ref(&topic)).unwrap(), None);
        assert_eq!(forget(&path, "matrix", &[]).unwrap(), None);
        assert!(forget(&path, "matrix", std::slice::from_ref(&topic)).unwrap().unwrap().contains("is removed"));
        assert!(!path.exists());
        // With a person's part, that part stays.
        std::fs::write(&path, BY_HAND).unwrap();
        write(&path, info).unwrap();
        assert!(forget(&path, "matrix", &[topic]).unwrap().unwrap().contains("no longer names"));
        let left = read(&path).unwrap().unwrap();
        assert!(left.sns.is_none() && left.mysql.is_some());
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
