//! The running servers.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::sync::Mutex;

use super::spec::Spec;
use crate::testbed::error::Doing as _;
use crate::testbed::{Needs, PartName, PartStatus, StateDir, TestbedError};

/// How long a server may take to end in good order before it is killed.
const END_WITHIN: Duration = Duration::from_secs(10);

/// The servers by name, running or not.
#[derive(Default)]
pub(super) struct Parts(Mutex<BTreeMap<PartName, Part>>);

struct Part {
    child: Option<Child>,
    ended: Option<String>,
}

impl Part {
    /// Notices a process that has ended by itself.
    fn look(&mut self) {
        if let Some(child) = &mut self.child
            && let Ok(Some(status)) = child.try_wait()
        {
            self.child = None;
            self.ended = Some(format!("ended by itself ({status})"));
        }
    }
}

impl Parts {
    /// Starts a server.
    pub(super) async fn start(
        &self,
        name: &PartName,
        spec: &Spec,
        state: &StateDir,
        needs: &Needs,
    ) -> Result<(), TestbedError> {
        let mut parts = self.0.lock().await;
        let part = parts.entry(name.clone()).or_insert(Part { child: None, ended: None });
        part.look();
        if part.child.is_some() {
            return Err(TestbedError::Refused(format!("{name} runs already")));
        }
        part.child = Some(spec.start(state, &needs.setpriv, &name.to_string(), Stdio::null())?);
        part.ended = None;
        Ok(())
    }

    /// How a server ended, if it does not run.
    pub(super) async fn ended(&self, name: &PartName) -> Option<String> {
        let mut parts = self.0.lock().await;
        let part = parts.get_mut(name)?;
        part.look();
        part.ended.clone()
    }

    /// Ends a server and waits until it is gone.
    pub(super) async fn stop(&self, name: &PartName, crash: bool) -> Result<(), TestbedError> {
        let not_running = || TestbedError::Refused(format!("{name} does not run"));
        let mut child = {
            let mut parts = self.0.lock().await;
            let part = parts.get_mut(name).ok_or_else(not_running)?;
            part.look();
            let child = part.child.take().ok_or_else(not_running)?;
            part.ended = Some("stopped".into());
            child
        };
        let doing = || format!("stopping {name}");
        if !crash && let Some(pid) = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            // Its process may be ending already: then the wait below is what matters.
            let _ = kill_process(pid, Signal::TERM);
            if tokio::time::timeout(END_WITHIN, child.wait()).await.is_ok() {
                return Ok(());
            }
        }
        child.kill().await.doing(doing)
    }

    /// Kills every server. Their data are thrown away, so none is asked to end in good order.
    pub(super) async fn end_all(&self) {
        let mut children: Vec<_> = {
            let mut parts = self.0.lock().await;
            parts.iter_mut().filter_map(|(name, part)| Some((name.to_string(), part.child.take()?))).collect()
        };
        for (name, child) in &mut children {
            if let Err(error) = child.start_kill() {
                log!("killing {name}: {error}");
            }
        }
        for (name, child) in &mut children {
            if let Err(error) = child.wait().await {
                log!("waiting for the end of {name}: {error}");
            }
        }
    }

    pub(super) async fn status(&self) -> Vec<PartStatus> {
        let mut parts = self.0.lock().await;
        let status = parts.iter_mut().map(|(name, part)| {
            part.look();
            let pid = part.child.as_ref().and_then(Child::id);
            PartStatus { name: name.to_string(), pid, ended: part.ended.clone() }
        });
        status.collect()
    }
}
