//! A stack as it was found.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::Stack;

use super::wanted::DIGEST_TAG;

/// What a stack's status calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is as its template says.
    Complete,
    /// Something is being done to it.
    Busy,
    /// It can only be deleted.
    Dead,
    /// A change failed and was undone; it can be changed again.
    RolledBack,
    /// It was deleted.
    Gone,
}

impl Standing {
    pub(crate) fn of(status: &str) -> Self {
        match status {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => Self::Complete,
            "UPDATE_ROLLBACK_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => Self::RolledBack,
            "DELETE_COMPLETE" => Self::Gone,
            // A change set that nobody executed: nothing will come of it by itself.
            "REVIEW_IN_PROGRESS" => Self::Dead,
            busy if busy.ends_with("_IN_PROGRESS") => Self::Busy,
            // CREATE_FAILED, ROLLBACK_COMPLETE, ROLLBACK_FAILED, UPDATE_FAILED, DELETE_FAILED and what may be invented.
            _ => Self::Dead,
        }
    }
}

/// A stack as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// ARN: another one for another stack of the same name.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: String,
    /// When it was last changed, in seconds: what tells two equal statuses apart.
    pub(super) changed_at: Option<i64>,
    pub(crate) outputs: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
}

impl Found {
    pub(super) fn new(stack: Stack) -> Self {
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        let tags = stack.tags.unwrap_or_default().into_iter();
        Self {
            id: stack.stack_id.unwrap_or_default(),
            name: stack.stack_name.unwrap_or_default(),
            status: stack.stack_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
            changed_at: stack.last_updated_time.map(|time| time.secs()),
            outputs: outputs.filter_map(|output| output.output_key.zip(output.output_value)).collect(),
            tags: tags.filter_map(|tag| tag.key.zip(tag.value)).collect(),
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing::of(&self.status)
    }

    pub(crate) fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(String::as_str)
    }

    /// Whether it bears the tag that says whose it is.
    pub(crate) fn belongs_to(&self, (key, value): (&str, &str)) -> bool {
        self.tag(key) == Some(value)
    }

    /// Whether it is complete, and made from what has this digest.
    pub(crate) fn is_made_from(&self, digest: &str) -> bool {
        self.standing() == Standing::Complete && self.tag(DIGEST_TAG) == Some(digest)
    }

    /// Whether nothing tells it from `other`, which was seen before something was to be done to it.
    pub(super) fn may_be_from_before(&self, other: &Self) -> bool {
        (&self.id, &self.status, self.changed_at) == (&other.id, &other.status, other.changed_at)
    }
}

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its name in the template.
    pub(crate) logical: String,
    /// Its type, for example `AWS::S3::Bucket`.
    pub(crate) kind: String,
    /// Its name or ARN, once there is one.
    pub(crate) physical: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_go_on_by_itself_is_dead() {
        for (status, standing) in [
            ("CREATE_COMPLETE", Standing::Complete),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Standing::Complete),
            ("CREATE_IN_PROGRESS", Standing::Busy),
            ("ROLLBACK_IN_PROGRESS", Standing::Busy),
            ("UPDATE_ROLLBACK_COMPLETE", Standing::RolledBack),
            ("ROLLBACK_COMPLETE", Standing::Dead),
            ("REVIEW_IN_PROGRESS", Standing::Dead),
            ("DELETE_FAILED", Standing::Dead),
            ("DELETE_COMPLETE", Standing::Gone),
        ] {
            assert_eq!(Standing::of(status), standing, "{status}");
        }
    }
}
