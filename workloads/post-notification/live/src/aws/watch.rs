//! The place that every call of AWS passes: there refused credentials are noticed.

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use std::time::Duration;

use super::refusal::{code, is_refusal};
use super::{Pause, Renewal};

/// Status that has a client sign the call anew and make it again: nothing was done.
const AGAIN: u16 = 503;

/// An HTTP client that tells a [`Renewal`] of services that keep failing, and of credentials that a service refused, and has the call made
/// again with others.
/// A client that makes no call twice sees the service's error code (see [`is_refusal`]).
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) inner: SharedHttpClient,
    pub(super) renewal: Renewal,
}

impl HttpClient for Watched {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, renewal: self.renewal.clone() })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    renewal: Renewal,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let signed = Signed::of(&request);
        // An answer to HEAD has no body that could say why.
        let is_mute = request.method() == "HEAD";
        let (call, renewal) = (self.inner.call(request), self.renewal.clone());
        HttpConnectorFuture::new(async move {
            let response = call.await?;
            if let Some(signed) = &signed {
                renewal.answered(&signed.call, response.status().as_u16());
            }
            match signed {
                Some(signed) if matches!(response.status().as_u16(), 400 | 401 | 403) => {
                    looked_at(response, &signed, is_mute, &renewal).await
                }
                _ => Ok(response),
            }
        })
    }
}

/// The answer, as it is to be seen.
async fn looked_at(
    mut response: HttpResponse,
    signed: &Signed,
    is_mute: bool,
    renewal: &Renewal,
) -> Result<HttpResponse, ConnectorError> {
    let body = ByteStream::new(response.take_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    let header = response.headers().get("x-amzn-errortype");
    let why = code(header, &String::from_utf8_lossy(&body)).map(str::to_owned);
    *response.body_mut() = SdkBody::from(body);
    if is_refusal(why.as_deref()) || is_mute && response.status().as_u16() == 400 {
        renewal.refused(&signed.key, &signed.call, why.as_deref().unwrap_or("status 400"));
        *response.status_mut() =
            StatusCode::try_from(AGAIN).map_err(|error| ConnectorError::other(error.into(), None))?;
    }
    Ok(response)
}

/// A signed request.
#[derive(Debug, PartialEq, Eq)]
struct Signed {
    /// The access key.
    key: String,
    /// What it asks for, of whom and where, for a person.
    call: String,
}

impl Signed {
    fn of(request: &HttpRequest) -> Option<Self> {
        let headers = request.headers();
        let (key, region, service) = scope(headers.get("authorization")?)?;
        let target = headers.get("x-amz-target").and_then(|target| target.rsplit('.').next()).map(str::to_owned);
        let body = request.body().bytes().unwrap_or_default();
        let what = target.or_else(|| action(body)).unwrap_or_else(|| {
            let path = request.uri().split('?').next().unwrap_or_default();
            let path = path.split("//").last().and_then(|rest| rest.split_once('/')).map_or("", |(_, path)| path);
            format!("{} /{path}", request.method())
        });
        Some(Self { key: key.to_owned(), call: format!("{service}'s {what} in {region}") })
    }
}

/// Key, region and service in the header that signs a request: `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/...`.
fn scope(header: &str) -> Option<(&str, &str, &str)> {
    let mut parts = header.split_once("Credential=")?.1.split('/');
    let (key, _, region, service) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some((key, region, service))
}

/// The action of a request in the query protocol: `Action=DescribeStacks&...`.
fn action(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    text.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned)
}

/// Sleep that stands still in pauses: it measures the time-outs of every client.
#[derive(Debug)]
pub(super) struct PausedSleep(pub(super) Pause);

impl AsyncSleep for PausedSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        let pause = self.0.clone();
        Sleep::new(async move { pause.sleep(duration).await })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_by_its_service_whatever_the_protocol() {
        let named = |uri: &str, more: &[(&'static str, &'static str)], body: &'static str| {
            let mut request = HttpRequest::new(SdkBody::from(body));
            request.set_uri(uri).unwrap();
            let scope = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host";
            for (name, value) in [("authorization", scope)].iter().chain(more) {
                request.headers_mut().insert(*name, *value);
            }
            Signed::of(&request).unwrap().call
        };
        let target = ("x-amz-target", "AmazonSQS.GetQueueAttributes");
        assert_eq!(named("http://host/", &[target], "{}"), "sqs's GetQueueAttributes in us-east-1");
        assert_eq!(named("http://host/", &[], "Action=ListRoles&Version=1"), "sqs's ListRoles in us-east-1");
        assert_eq!(named("http://host/bucket/key?versions", &[], ""), "sqs's GET /bucket/key in us-east-1");
        assert!(Signed::of(&HttpRequest::new(SdkBody::empty())).is_none());
    }
}
