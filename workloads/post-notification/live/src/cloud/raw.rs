//! A question to a service for which no client is linked: those of databases, caches and brokers are large, and one call each
//! is needed.

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::SdkConfig;
use matrix_lambdas::aws::{causes, connector};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(20);

/// Longest answer that is read, in bytes.
const ANSWER_MAX: usize = 4 << 20;

/// Asks a service in a region by GET, with these parameters after `path`, and gives its answer; or why there is none, in one line.
pub(crate) async fn ask(
    aws: &SdkConfig,
    (service, region): (&'static str, &str),
    path: &str,
    parameters: &[(&str, &str)],
) -> Result<String, String> {
    let host = match aws.endpoint_url() {
        Some(emulator) => emulator.trim_end_matches('/').to_owned(),
        None => format!("https://{service}.{region}.amazonaws.com"),
    };
    let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let url = format!("{host}{path}?{}", query.join("&"));
    let credentials = aws.credentials_provider().ok_or("no credentials")?;
    let credentials = credentials.provide_credentials().await.map_err(|error| causes(&error))?;
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| causes(&error))?
        .into();
    let signable = SignableRequest::new("GET", url.as_str(), std::iter::empty(), SignableBody::Bytes(&[]));
    let signed = signable.and_then(|request| sign(request, &parameters)).map_err(|error| causes(&error))?;
    let (instructions, _) = signed.into_parts();
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_uri(url).map_err(|error| causes(&error))?;
    for (name, value) in instructions.headers() {
        request.headers_mut().insert(name.to_owned(), value.to_owned());
    }
    request.headers_mut().insert("accept", "application/json, text/xml");
    let answer = async {
        let response = connector(aws.endpoint_url()).call(request).await.map_err(|error| causes(&error))?;
        let status = response.status().as_u16();
        let body = ByteStream::new(response.into_body()).collect().await.map_err(|error| causes(&error))?.to_vec();
        let text = String::from_utf8_lossy(body.get(..body.len().min(ANSWER_MAX)).unwrap_or_default()).into_owned();
        if (200..300).contains(&status) { Ok(text) } else { Err(refusal(status, &text)) }
    };
    tokio::time::timeout(WITHIN, answer)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", WITHIN.as_secs())))
}

/// Why a service does not answer, in one line: its error code, where there is one.
fn refusal(status: u16, text: &str) -> String {
    match crate::aws::error_code(text) {
        Some(code) if code.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') => {
            format!("{code} (status {status})")
        }
        _ => format!("status {status}"),
    }
}
