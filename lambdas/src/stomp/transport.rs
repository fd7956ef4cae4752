//! Connections to brokers, plain and encrypted.

use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::StompError;
use crate::config::BrokerEndpoint;

/// Bytes both ways.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Connects. Encrypted connections are checked against the authority in `ca_file`, or else the system's authorities.
pub(super) async fn open(endpoint: &BrokerEndpoint, ca_file: Option<&Path>) -> Result<Box<dyn Duplex>, StompError> {
    let stream = TcpStream::connect((endpoint.at.host.as_str(), endpoint.at.port)).await?;
    // A frame is written at once and waits for its receipt.
    stream.set_nodelay(true)?;
    if !endpoint.tls {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(endpoint.at.host.clone())
        .map_err(|error| StompError::Certificates(format!("`{}`: {error}", endpoint.at.host)))?;
    let connector = TlsConnector::from(Arc::new(tls(ca_file)?));
    Ok(Box::new(connector.connect(name, stream).await?))
}

fn tls(ca_file: Option<&Path>) -> Result<ClientConfig, StompError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => {
            let unreadable = |error| StompError::Certificates(format!("{}: {error}", path.display()));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))? {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
            }
        }
        // One that cannot be used does not make the others unusable.
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    if roots.is_empty() {
        return Err(StompError::Certificates("no authority found".to_owned()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| StompError::Certificates(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
