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

/// An HTTP client that tells a [`Renewal`] of credentials that a service refused, and has the call made again with others.
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
        let key = request.headers().get("authorization").and_then(access_key).map(str::to_owned);
        // An answer to HEAD has no body that could say why.
        let is_mute = request.method() == "HEAD";
        let (call, renewal) = (self.inner.call(request), self.renewal.clone());
        HttpConnectorFuture::new(async move {
            let response = call.await?;
            match key {
                Some(key) if matches!(response.status().as_u16(), 400 | 401 | 403) => {
                    looked_at(response, &key, is_mute, &renewal).await
                }
                _ => Ok(response),
            }
        })
    }
}

/// The answer, as it is to be seen.
async fn looked_at(
    mut response: HttpResponse,
    key: &str,
    is_mute: bool,
    renewal: &Renewal,
) -> Result<HttpResponse, ConnectorError> {
    let body = ByteStream::new(response.take_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    let refused = {
        let header = response.headers().get("x-amzn-errortype");
        is_refusal(code(header, &String::from_utf8_lossy(&body)))
    };
    *response.body_mut() = SdkBody::from(body);
    if refused || is_mute && response.status().as_u16() == 400 {
        renewal.refused(key);
        *response.status_mut() =
            StatusCode::try_from(AGAIN).map_err(|error| ConnectorError::other(error.into(), None))?;
    }
    Ok(response)
}

/// The access key in the header that signs a request: `AWS4-HMAC-SHA256 Credential=<key>/<date>/...`.
fn access_key(header: &str) -> Option<&str> {
    header.split_once("Credential=")?.1.split_once('/').map(|(key, _)| key)
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
