//! The forms of values.

use super::model::Password;
use super::names::Name;

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Any text.
    Text,
    /// A host's name or address.
    Host,
    /// The name of something.
    Name(Name),
    /// `https://…`, with a queue's name at the end.
    QueueUrl,
    /// An ARN of this service.
    Arn(&'static str),
    /// The ARN of a role.
    Role,
    /// The ARN of a table's stream.
    Stream,
    /// An identifier that begins so.
    Id(&'static str),
}

impl Form {
    /// What is wrong with a value, if anything; `region` is the AWS name of the region that the value belongs to.
    pub(super) fn fault(self, value: &str, region: Option<&str>) -> Option<String> {
        match self {
            Self::Text => None,
            Self::Host => {
                let good = value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
                (!good).then(|| "must be a host's name alone, without protocol and port".to_owned())
            }
            Self::Name(name) => (!name.takes(value)).then(|| format!("must be {}", name.rule())),
            Self::QueueUrl => {
                let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
                let Some(rest) = rest.filter(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace)) else {
                    return Some("must be a URL that begins with https://".to_owned());
                };
                let name = rest.rsplit_once('/').map(|(_, name)| name);
                if !name.is_some_and(|name| Name::Queue.takes(name)) {
                    return Some(format!("must end with {}", Name::Queue.rule()));
                }
                // AWS names the queue's place; an emulator does not.
                let host = rest.split('/').next().unwrap_or_default();
                let place = host.strip_prefix("sqs.").and_then(|host| host.split_once(".amazonaws.com"));
                match (place, region) {
                    (Some((place, _)), Some(region)) if place != region => {
                        Some(format!("is a queue of region `{place}`, but the entry's is `{region}`"))
                    }
                    _ => None,
                }
            }
            Self::Id(prefix) => {
                let rest = value.strip_prefix(prefix).unwrap_or_default();
                let good = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric());
                (!good).then(|| format!("must begin with `{prefix}`, as in {prefix}0123456789abcdef0"))
            }
            Self::Arn(service) => arn_fault(value, service, region),
            Self::Role => arn_fault(value, "iam", None).or_else(|| {
                let is_role = resource_of(value).starts_with("role/");
                (!is_role).then(|| "must be the ARN of a role, which ends with role/ and its name".to_owned())
            }),
            Self::Stream => arn_fault(value, "dynamodb", region).or_else(|| {
                table_of(value)
                    .is_none()
                    .then(|| "must be the ARN of a table's stream: table/NAME/stream/LABEL".to_owned())
            }),
        }
    }
}

fn arn_fault(value: &str, service: &str, region: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let form = || Some(format!("must be an ARN that begins with arn:aws:{service}:{}:", region.unwrap_or_default()));
    let [arn, partition, of, place, _, resource] = parts.as_slice() else { return form() };
    if *arn != "arn" || !partition.starts_with("aws") || resource.is_empty() || value.contains(char::is_whitespace) {
        return form();
    }
    if *of != service {
        return Some(format!("is an ARN of `{of}`, not of `{service}`"));
    }
    match region {
        Some(region) if *place != region => {
            Some(format!("is an ARN of region `{place}`, but the entry's is `{region}`"))
        }
        _ => {
            // What other services' ARNs end with is no name alone.
            let name = match service {
                "sns" => Name::Topic,
                "sqs" => Name::Queue,
                _ => return None,
            };
            (!name.takes(resource)).then(|| format!("must end with {}", name.rule()))
        }
    }
}

/// What an ARN ends with, after the account.
fn resource_of(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or_default()
}

/// The table of a stream, if the ARN is one's.
pub(super) fn table_of(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = resource_of(arn).splitn(4, '/').collect();
    match parts.as_slice() {
        ["table", name, "stream", label] if !label.is_empty() => Some(name),
        _ => None,
    }
}

/// What a text means as a password.
///
/// # Errors
/// With what is wrong; the text is not repeated.
pub(super) fn password(text: &str) -> Result<Password, String> {
    if let Some(rest) = text.strip_prefix("${") {
        let name = rest.strip_suffix('}').unwrap_or_default();
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        return if !name.is_empty() && name.bytes().all(inner) && !name.as_bytes()[0].is_ascii_digit() {
            Ok(Password::Environment(name.to_owned()))
        } else {
            Err("begins like an environment variable: write ${NAME}, letters, digits and `_`".to_owned())
        };
    }
    if text.starts_with("arn:") {
        return match arn_fault(text, "secretsmanager", None) {
            None => Ok(Password::SecretsManager(text.to_owned())),
            Some(fault) => Err(fault),
        };
    }
    Ok(Password::Plain(text.to_owned()))
}

/// Whether a text has the form of a region's AWS name, such as `eu-central-1`.
pub(crate) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    words.len() >= 2
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}
