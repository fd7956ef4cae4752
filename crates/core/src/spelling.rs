//! The nearest valid spelling of a name.

/// The known name that `text` was most likely meant to be: at most a third of its letters differ, or one is the start
/// of the other. Case does not count.
#[must_use]
pub fn nearest<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let text = text.to_lowercase();
    let distance = |name: &&str| strsim::osa_distance(&text, &name.to_lowercase());
    let near = known.iter().min_by_key(|name| distance(name)).copied()?;
    let allowed = (text.chars().count().max(near.chars().count()) / 3).max(1);
    if distance(&near) <= allowed {
        return Some(near);
    }
    let begins = |name: &str| {
        let short = text.len().min(name.len());
        short >= 2 && (text.starts_with(name) || name.starts_with(text.as_str()))
    };
    known.iter().copied().find(|name| begins(name))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typing_errors_are_understood_and_nonsense_is_not() {
        let known = ["mysql", "dynamo", "s3", "redis"];
        for (text, meant) in [
            ("mysq", Some("mysql")),
            ("mySQL", Some("mysql")),
            ("dynamodb", Some("dynamo")),
            ("reids", Some("redis")),
            ("S3", Some("s3")),
            ("cassandra", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, &known), meant, "{text}");
        }
    }
}
