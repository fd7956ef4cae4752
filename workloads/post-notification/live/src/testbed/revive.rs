//! Bringing back what has ended in a testbed that runs.

use std::time::{Duration, Instant};

use super::control::PartName;
use super::{PartStatus, Status, Testbed, TestbedError};

/// How long replicas may take to attach to their primaries again.
const ATTACHED_WITHIN: Duration = Duration::from_secs(20);

impl Testbed {
    /// Starts servers that have ended again, waits until all is well, and tells which ended and how. The emulator is not
    /// started again: everything that was deployed on it is gone with it.
    ///
    /// # Errors
    /// [`TestbedError::Unhealthy`] when that does not help.
    pub fn revive(&self) -> Result<Vec<PartStatus>, TestbedError> {
        let status = self.status()?;
        let kept = status.kept;
        let ended: Vec<PartStatus> = status.parts.into_iter().filter(|part| part.pid.is_none()).collect();
        for part in &ended {
            let unhealthy = |more: &str| TestbedError::Unhealthy { why: format!("{part}{more}"), kept };
            match part.name.parse::<PartName>() {
                Ok(PartName::Ministack) | Err(_) => {
                    return Err(unhealthy(", and what was deployed on it is gone"));
                }
                Ok(name) => {
                    let started = self.start(&name);
                    started.map_err(|error| unhealthy(&format!(", and does not start again: {error}")))?;
                }
            }
        }
        let deadline = Instant::now() + ATTACHED_WITHIN;
        loop {
            let status = self.status()?;
            if status.is_healthy() {
                return Ok(ended);
            }
            if Instant::now() > deadline {
                return Err(status.unhealthy());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

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
        let parts = parts.map(ToString::to_string);
        let replicas = self.replicas.iter().filter(|replica| !replica.attached);
        let replicas = replicas.map(|replica| format!("{} does not replicate ({})", replica.name, replica.detail));
        parts.chain(replicas).collect::<Vec<_>>().join(", ")
    }
}
