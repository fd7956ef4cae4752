//! The clients of a driver: one of each service and region, whatever is done with it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Services, Settings, invoke};

/// Clients by the AWS name of their region. They share connections.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    lambda: Mutex<BTreeMap<String, aws_sdk_lambda::Client>>,
    sqs: Mutex<BTreeMap<String, aws_sdk_sqs::Client>>,
}

impl Shared {
    /// Invokes functions. See [`invoke::client`].
    pub(crate) fn lambda(&self, services: &Services, settings: &Settings, region: &str) -> aws_sdk_lambda::Client {
        let longest = settings.reader_timeout_s().max(settings.writer_timeout_s());
        one(&self.lambda, region, || invoke::client(&services.aws_in(region), std::time::Duration::from_secs(longest)))
    }

    /// Receives evaluations.
    pub(crate) fn sqs(&self, services: &Services, settings: &Settings, region: &str) -> aws_sdk_sqs::Client {
        one(&self.sqs, region, || super::receive::client(&services.aws_in(region), settings.poll_wait_s))
    }
}

fn one<C: Clone>(clients: &Mutex<BTreeMap<String, C>>, region: &str, make: impl FnOnce() -> C) -> C {
    let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
    clients.entry(region.to_owned()).or_insert_with(make).clone()
}
