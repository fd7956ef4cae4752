//! What services take as names: their documented rules.

/// A kind of name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// A bucket of S3 (Amazon S3 User Guide, "General purpose bucket naming rules").
    Bucket,
    /// A table of DynamoDB (Amazon DynamoDB Developer Guide, "Supported data types and naming rules").
    DynamoTable,
    /// A database or table of MySQL, as it stands without quotes (MySQL Reference Manual, "Schema Object Names").
    Mysql,
    /// A queue of SQS (Amazon SQS Developer Guide, "Queue and message identifiers").
    Queue,
    /// A topic of SNS (Amazon SNS API Reference, "CreateTopic").
    Topic,
}

impl Name {
    /// Whether a text is such a name.
    pub(super) fn takes(self, text: &str) -> bool {
        let alphanumeric = |byte: u8| byte.is_ascii_alphanumeric();
        let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let made_of = |text: &str, lengths: std::ops::RangeInclusive<usize>, good: &dyn Fn(u8) -> bool| {
            lengths.contains(&text.len()) && text.bytes().all(good)
        };
        match self {
            Self::Bucket => {
                let ends = [text.bytes().next(), text.bytes().last()];
                made_of(text, 3..=63, &|byte| lower(byte) || matches!(byte, b'.' | b'-'))
                    && ends.into_iter().flatten().all(lower)
            }
            Self::DynamoTable => {
                made_of(text, 3..=255, &|byte| alphanumeric(byte) || matches!(byte, b'_' | b'.' | b'-'))
            }
            Self::Mysql => made_of(text, 1..=64, &|byte| alphanumeric(byte) || matches!(byte, b'_' | b'$')),
            Self::Queue | Self::Topic => {
                let longest = if self == Self::Queue { 80 } else { 256 };
                let stem = text.strip_suffix(".fifo").unwrap_or(text);
                text.len() <= longest
                    && made_of(stem, 1..=longest, &|byte| alphanumeric(byte) || matches!(byte, b'_' | b'-'))
            }
        }
    }

    /// What such a name is.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Bucket => {
                "a bucket's name: 3 to 63 lower-case letters, digits, points and hyphens, with a letter or digit at both ends"
            }
            Self::DynamoTable => "a table's name: 3 to 255 letters, digits, `_`, `.` and `-`",
            Self::Mysql => "a name of MySQL: 1 to 64 letters, digits, `_` and `$`",
            Self::Queue => "a queue's name: 1 to 80 letters, digits, `_` and `-`",
            Self::Topic => "a topic's name: 1 to 256 letters, digits, `_` and `-`",
        }
    }
}
