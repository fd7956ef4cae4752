//! Why requests failed, in the words of what failed them, without secrets.

/// Distinct texts that are kept; what comes later is counted as [`OTHER`].
const MOST: usize = 8;

/// Longest text, in characters.
const LONGEST: usize = 300;

/// What stands for every text after the first few.
const OTHER: &str = "(other reasons)";

/// A text, and how many requests it was given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Requests.
    pub count: u64,
    /// The text, [cleaned](clean).
    pub text: String,
}

/// The first distinct reasons of an attempt, with counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons(Vec<Reason>);

impl Reasons {
    /// Counts one request for this reason. The text is [cleaned](clean) first.
    pub fn add(&mut self, text: &str) {
        self.count(clean(text), 1);
    }

    fn count(&mut self, text: String, count: u64) {
        let text =
            if self.0.len() >= MOST && !self.0.iter().any(|known| known.text == text) { OTHER.into() } else { text };
        match self.0.iter_mut().find(|known| known.text == text) {
            Some(known) => known.count += count,
            None => self.0.push(Reason { count, text }),
        }
    }

    /// The reasons in the order in which they came.
    #[must_use]
    pub fn as_slice(&self) -> &[Reason] {
        &self.0
    }

    /// Whether nothing failed for a known reason.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A text in one line, without secrets and without what differs from request to request: passwords, tokens, signatures
/// and keys become `<removed>`, account ids `<account>`, and random identifiers `<id>`.
///
/// It removes too much rather than too little: any long word of mixed letters and digits may be a key.
#[must_use]
pub fn clean(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = without_user_info(&line);
    let mut kept = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(start) = rest.find(is_of_word) {
        let (between, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_of_word(c)).unwrap_or(from.len()));
        kept.push_str(between);
        kept.push_str(&shown(word));
        rest = after;
        if let Some((to, value)) = value_after(word, after) {
            kept.push_str(&after[..to]);
            kept.push_str("<removed>");
            rest = &after[to + value..];
        }
    }
    kept.push_str(rest);
    if kept.chars().count() > LONGEST {
        kept = kept.chars().take(LONGEST - 1).chain(['…']).collect();
    }
    kept
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '/' | '.' | '~')
}

/// What names a value that must not be shown, whatever stands around it.
const SECRET_NAMES: [&str; 10] = [
    "password",
    "passwd",
    "pwd",
    "passcode",
    "secret",
    "token",
    "credential",
    "authorization",
    "signature",
    "accesskey",
];

/// Where the value begins that follows a word which names a secret, and how long it is; none if there is none.
fn value_after(word: &str, after: &str) -> Option<(usize, usize)> {
    let name: String = word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let scheme = matches!(name.as_str(), "bearer" | "basic");
    if !scheme && !SECRET_NAMES.iter().any(|secret| name.contains(secret)) {
        return None;
    }
    let to = after.find(|c: char| !matches!(c, ' ' | '=' | ':' | '"' | '\'' | '\\')).unwrap_or(after.len());
    let (between, value) = after.split_at(to);
    if value.is_empty() || !(between.contains(['=', ':']) || scheme && between.starts_with(' ')) {
        return None;
    }
    let scheme = ["Bearer ", "Basic ", "bearer ", "basic "].into_iter().find(|scheme| value.starts_with(scheme));
    let skipped = scheme.map_or(0, str::len);
    let quote = between.chars().rev().find(|c| matches!(c, '"' | '\''));
    let is_end = |c: char| match quote {
        Some(quote) => c == quote || c == '\\',
        None => matches!(c, ' ' | '&' | ',' | ';' | ')' | '}' | '"' | '\''),
    };
    Some((to, skipped + value[skipped..].find(is_end).unwrap_or(value.len() - skipped)))
}

/// The text without the user and password of any URL.
fn without_user_info(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        kept.push_str(before);
        let end = after.find([' ', '"', '\'']).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(host) => {
                kept.push_str("<removed>");
                &after[host..]
            }
            None => after,
        };
    }
    kept + rest
}

/// A word as it may be shown.
fn shown(word: &str) -> String {
    // An account stands in longer words, too.
    let mut kept = String::with_capacity(word.len());
    for part in word.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        kept.push_str(if digits == 12 { "<account>" } else { &part[..digits] });
        kept.push_str(&part[digits..]);
    }
    let letters: String = word.chars().filter(|c| *c != '-').collect();
    let has = |wanted: fn(&char) -> bool| letters.chars().any(|c| wanted(&c));
    let all = |wanted: fn(&char) -> bool| letters.chars().all(|c| wanted(&c));
    let digits = has(char::is_ascii_digit);
    let key_id =
        word.len() >= 16 && word.get(..4).is_some_and(|start| matches!(start, "AKIA" | "ASIA" | "AROA" | "AIDA"));
    if key_id && all(char::is_ascii_alphanumeric) {
        "<removed>".to_owned()
    } else if letters.len() >= 16 && digits && all(char::is_ascii_hexdigit) {
        "<id>".to_owned()
    } else if word.len() >= 32 && digits && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) {
        "<removed>".to_owned()
    } else {
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_stays_and_secrets_go() {
        let (account, key) = ("123456789012", "AKIAIOSFODNN7EXAMPLE");
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        for (text, expected) in [
            ("AccessDenied: no s3:PutObject\n on bucket", "AccessDenied: no s3:PutObject on bucket"),
            (&format!("arn:aws:sns:eu:{account}:topic-{account}-x"), "arn:aws:sns:eu:<account>:topic-<account>-x"),
            ("mysql://root:hunter2@db.example:3306/x failed", "mysql://<removed>@db.example:3306/x failed"),
            ("redis://:p@ss/word@10.0.0.1 refused", "redis://<removed>@10.0.0.1 refused"),
            (r#"{"user":"u","password":"a b,c","x":1}"#, r#"{"user":"u","password":"<removed>","x":1}"#),
            (r#"{\"dbPassword\":\"a b\"}"#, r#"{\"dbPassword\":\"<removed>\"}"#),
            ("password=hunter2&x=1", "password=<removed>&x=1"),
            ("Access denied (using password: YES)", "Access denied (using password: <removed>)"),
            ("Authorization: Bearer abc.def next", "Authorization: <removed> next"),
            ("passcode:topsecret", "passcode:<removed>"),
            (&format!("key {key} and {secret}"), "key <removed> and <removed>"),
            (&format!("X-Amz-Security-Token={secret}=="), "X-Amz-Security-Token=<removed>"),
            ("request 1f0e3dad-9990-8345-b743-9f8ffabdffc4 timed out", "request <id> timed out"),
            ("the token is not valid", "the token is not valid"),
        ] {
            assert_eq!(clean(text), expected);
            assert_eq!(clean(expected), expected, "cleaned twice");
        }
        let long = clean(&"é ".repeat(400));
        assert!(long.chars().count() == LONGEST && long.ends_with('…'));
    }

    #[test]
    fn texts_that_differ_by_request_are_one_and_most_are_bounded() {
        let mut reasons = Reasons::default();
        for _ in 0..3 {
            reasons.add("status 500 of 1f0e3dad-9990-8345-b743-9f8ffabdffc4");
        }
        reasons.add("status 500 of 00000000-0000-0000-0000-000000000001");
        assert_eq!(reasons.as_slice(), [Reason { count: 4, text: "status 500 of <id>".into() }]);
        for n in 0..20 {
            reasons.add(&format!("reason {n}"));
        }
        assert_eq!(reasons.as_slice().len(), MOST + 1);
        assert_eq!(reasons.as_slice()[MOST], Reason { count: 13, text: OTHER.into() });
        assert_eq!(reasons.as_slice().iter().map(|reason| reason.count).sum::<u64>(), 24);
    }
}
