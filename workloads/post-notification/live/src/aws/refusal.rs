//! Answers by which services say that credentials are not valid any more.

/// Error codes of credentials that have expired, or are known no more (AWS General Reference, "Common errors"; Amazon S3 API
/// reference, "Error responses"; the services' own lists).
const CODES: [&str; 7] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "RequestExpired",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

/// Whether an error code says that credentials are not valid any more: then nothing was done, and the call can be made again
/// with others.
pub(crate) fn is_refusal(code: Option<&str>) -> bool {
    code.is_some_and(|code| CODES.contains(&code))
}

/// The error code in the body of an answer, in JSON or XML.
pub(crate) fn error_code(body: &str) -> Option<&str> {
    code(None, body)
}

/// The error code of an answer: the header's, else the one in a body of JSON or XML.
pub(super) fn code<'a>(header: Option<&'a str>, body: &'a str) -> Option<&'a str> {
    let found = header.filter(|text| !text.is_empty()).or_else(|| json(body)).or_else(|| xml(body))?;
    // `namespace#Code:address`
    let found = found.rsplit_once('#').map_or(found, |(_, code)| code);
    Some(found.split_once(':').map_or(found, |(code, _)| code).trim())
}

/// The text of the member `__type` or `code`, which stands at the top of an error in JSON.
fn json(body: &str) -> Option<&str> {
    ["\"__type\"", "\"code\"", "\"Code\""].into_iter().find_map(|name| {
        let (_, rest) = body.trim_start().strip_prefix('{')?.split_once(name)?;
        let text = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        text.split_once('"').map(|(text, _)| text)
    })
}

/// The text of the first element `Code`.
fn xml(body: &str) -> Option<&str> {
    body.split_once("<Code>")?.1.split_once("</Code>").map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_found_in_every_form_of_an_answer() {
        let refused = |header, body| is_refusal(code(header, body));
        // Query (STS, CloudFormation), S3, JSON (DynamoDB, SQS), REST with JSON (Lambda).
        let query = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token \
                     included in the request is expired</Message></Error></ErrorResponse>";
        let s3 = "<?xml version=\"1.0\"?>\n<Error><Code>InvalidAccessKeyId</Code></Error>";
        let json = r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"no"}"#;
        for body in [query, s3, json] {
            assert!(refused(None, body), "{body}");
        }
        let message = r#"{"message":"The security token included in the request is expired"}"#;
        assert!(refused(Some("ExpiredTokenException:http://internal.amazon.com/"), message));
        // What only speaks of it is another failure.
        for other in [
            message,
            r#"{"__type":"AccessDeniedException","message":"ExpiredToken"}"#,
            "<Error><Code>AccessDenied</Code><Message>ExpiredToken</Message></Error>",
            "",
            "{",
        ] {
            assert!(!refused(None, other), "{other}");
        }
    }
}
