//! What the file of endpoints names is asked of its own service: queues, topics, buckets, and roles.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use matrix_aws::ConnectionInfo;

use super::Finding;
use crate::aws::Operator;
use crate::cloud::{Answer, CloudError, find, is_versioned, patiently};

/// How long a call that is throttled or not answered is made again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Cloud Control's name of a role.
const ROLE: &str = "AWS::IAM::Role";

/// What to do about something that is named and not there.
pub(super) const ABSENT: &str = "what `matrix aws setup` made and was deleted by hand comes back by `matrix aws clean` and `matrix aws setup`; \
     what is yours: make it, or correct the file";

/// Something that the file names, and what its service says of it.
pub(in crate::aws) struct Named {
    about: String,
    found: Result<(), CloudError>,
    /// What must be allowed to ask.
    action: &'static str,
    /// The section of docs/aws.md.
    section: &'static str,
}

impl Named {
    /// What it is, if the service says that it is not there.
    pub(in crate::aws) fn absent(self) -> Option<String> {
        let is_absent = self.found.is_err_and(|error| error.answer() == Some(Answer::Absent));
        is_absent.then_some(self.about)
    }

    fn finding(self) -> Finding {
        match self.found {
            Ok(()) => Finding::ok(self.about, "it is there"),
            Err(error) => {
                let fix = format!("{ABSENT} (docs/aws.md#{})", self.section);
                Finding::unanswered(self.about, &error, self.action, &fix)
            }
        }
    }
}

impl Operator {
    /// Whether everything is there that the file names and that no server answers for. Buckets of posts must keep versions.
    pub(super) async fn presence(&self, info: &ConnectionInfo) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.named(info).await.into_iter().map(Named::finding).collect();
        let posts = info.s3.iter().flat_map(|s3| s3.writer_buckets.iter().chain(&s3.reader_buckets));
        for (region, bucket) in posts.collect::<BTreeSet<_>>() {
            let about = format!("versions of S3 bucket {bucket} in {region}");
            findings.push(match is_versioned(&self.s3(region), bucket).await {
                Ok(true) => Finding::ok(about, "they are kept"),
                Ok(false) => Finding::problem(
                    about,
                    "they are not kept, and without them nothing is replicated",
                    "`matrix aws setup` has them kept (docs/aws.md#s3)",
                ),
                Err(error) => {
                    let fix = format!("{ABSENT} (docs/aws.md#s3)");
                    Finding::unanswered(about, &error, "s3:GetBucketVersioning", &fix)
                }
            });
        }
        findings
    }

    /// Queues, topics and code buckets of the file, as their services know them.
    pub(in crate::aws) async fn named(&self, info: &ConnectionInfo) -> Vec<Named> {
        let mut named = Vec::new();
        for (region, url) in info.evaluations.iter().flat_map(|queue| &queue.urls) {
            let about = format!("queue of evaluations {} in {region}", last(url));
            let found = self.queue(region, url).await;
            named.push(Named { about, found, action: "sqs:GetQueueAttributes", section: "evaluations" });
        }
        for (region, arn) in info.sns.iter().flat_map(|sns| &sns.topic_arns) {
            let about = format!("SNS topic {} in {region}", last(arn));
            let found = self.topic(region, arn).await;
            named.push(Named { about, found, action: "sns:GetTopicAttributes", section: "sns" });
        }
        for (region, bucket) in &info.code_buckets {
            let about = format!("code bucket {bucket} in {region}");
            let found = find(&self.s3(region), bucket).await;
            named.push(Named { about, found, action: "s3:ListBucket", section: "code-buckets" });
        }
        named
    }

    async fn queue(&self, region: &str, url: &str) -> Result<(), CloudError> {
        let client = aws_sdk_sqs::Client::new(&self.config(region));
        let question = || client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
        let answer = patiently(PATIENCE, async || question().send().await).await;
        answer.map(drop).map_err(|error| CloudError::call("looking for it", &error))
    }

    async fn topic(&self, region: &str, arn: &str) -> Result<(), CloudError> {
        let client = aws_sdk_sns::Client::new(&self.config(region));
        let answer = patiently(PATIENCE, async || client.get_topic_attributes().topic_arn(arn).send().await).await;
        answer.map(drop).map_err(|error| CloudError::call("looking for it", &error))
    }

    /// Roles are asked of Cloud Control, in any region: they are of the whole account.
    pub(super) async fn roles(&self, info: &ConnectionInfo) -> Vec<Finding> {
        let region = info.code_buckets.keys().next().map_or("us-east-1", String::as_str);
        let client = aws_sdk_cloudcontrol::Client::new(&self.config(region));
        let mut findings = Vec::new();
        let roles = [("functions'", &info.lambda_role_arn), ("CloudFormation's", &info.cloudformation_role_arn)];
        for (whose, arn) in roles.into_iter().filter_map(|(whose, arn)| Some((whose, arn.as_deref()?))) {
            let name = last(arn);
            let about = format!("the {whose} role {name}");
            let call = async || client.get_resource().type_name(ROLE).identifier(name).send().await;
            let answer = patiently(PATIENCE, call).await.map(drop);
            let found = answer.map_err(|error| CloudError::call("looking for it", &error));
            if found.is_err() && !self.is_aws() {
                let fix = format!("ask the emulator for it: `aws iam get-role --role-name {name}`");
                let seen = "an emulator's Cloud Control need not know roles";
                findings.push(Finding::not_checked(about, seen, fix));
            } else {
                let action = "cloudformation:GetResource and iam:GetRole";
                findings.push(Named { about, found, action, section: "roles" }.finding());
            }
        }
        findings
    }
}

/// The name at the end of a URL or an ARN. An account stands before it.
fn last(text: &str) -> &str {
    text.rsplit(['/', ':']).next().unwrap_or(text)
}
