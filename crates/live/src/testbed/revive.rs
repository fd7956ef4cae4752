//! Bringing back what has ended in a testbed that runs.

use std::time::{Duration, Instant};

use super::control::PartName;
use super::{Status, Testbed, TestbedError};

/// How long replicas may take to attach to their primaries again.
const ATTACHED_WITHIN: Duration = Duration::from_secs(20);

/// Starts servers that have ended again, and waits until all is well. The emulator is not started again: everything that was
/// deployed on it is gone with it.
///
/// # Errors
/// [`TestbedError::Unhealthy`] when that does not help.
pub(super) fn revive(testbed: &Testbed) -> Result<(), TestbedError> {
    let status = testbed.status()?;
    for part in status.parts.iter().filter(|part| part.pid.is_none()) {
        let why = |more: &str| {
            let ended = part.ended.as_deref().unwrap_or("not started");
            TestbedError::Unhealthy { why: format!("{} {ended}{more}", part.name), kept: status.kept }
        };
        match part.name.parse::<PartName>() {
            Ok(PartName::Ministack) | Err(_) => return Err(why(", and what was deployed on it is gone")),
            Ok(name) => testbed.start(&name).map_err(|error| why(&format!(", and does not start again: {error}")))?,
        }
    }
    let deadline = Instant::now() + ATTACHED_WITHIN;
    loop {
        let status = testbed.status()?;
        if status.is_healthy() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(status.unhealthy());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

impl Testbed {
    /// Checks that it is there, and that every server of it runs.
    ///
    /// # Errors
    /// [`TestbedError::Unhealthy`] when a server does not run, [`TestbedError::Gone`] when the testbed does not any more.
    pub fn check(&self) -> Result<(), TestbedError> {
        let status = self.status().map_err(|error| match error {
            TestbedError::NotRunning | TestbedError::Ending | TestbedError::Supervisor { .. } => TestbedError::Gone,
            other => other,
        })?;
        if status.instance != self.endpoints().instance {
            return Err(TestbedError::Gone);
        }
        if status.parts.iter().all(|part| part.pid.is_some()) { Ok(()) } else { Err(status.unhealthy()) }
    }
}

impl Status {
    /// The error that says what is not as it should be.
    fn unhealthy(&self) -> TestbedError {
        TestbedError::Unhealthy { why: self.complaints(), kept: self.kept }
    }

    /// What is not as it should be.
    fn complaints(&self) -> String {
        let parts = self.parts.iter().filter(|part| part.pid.is_none());
        let parts = parts.map(|part| format!("{} {}", part.name, part.ended.as_deref().unwrap_or("not started")));
        let replicas = self.replicas.iter().filter(|replica| !replica.attached);
        let replicas = replicas.map(|replica| format!("{} does not replicate ({})", replica.name, replica.detail));
        parts.chain(replicas).collect::<Vec<_>>().join(", ")
    }
}
