//! The command on a synthetic cloud.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::answers::{answer, throttled};
use super::cloud::Cloud;
use super::faults::Fault;
use super::http::{Request, serve};
use crate::workbench::{Printed, Workbench};

/// The stores that the synthetic cloud has.
pub(super) const STORES: &str = "mysql,redis,amq,sns";

/// A cloud and a folder.
pub(super) struct Lab {
    pub(super) bench: Workbench,
    pub(super) cloud: Arc<Mutex<Cloud>>,
    /// The command that is to be killed.
    child: Arc<Mutex<Option<u32>>>,
}

impl Lab {
    pub(super) fn new() -> Self {
        let cloud = Arc::new(Mutex::new(Cloud::default()));
        let child: Arc<Mutex<Option<u32>>> = Arc::default();
        let (shared, victim) = (Arc::clone(&cloud), Arc::clone(&child));
        let url = serve(Arc::new(move |request: &Request| {
            let mut cloud = shared.lock().unwrap();
            let fault = cloud.faults.call();
            match fault {
                None => answer(&mut cloud, request),
                Some(Fault::Throttled) => throttled(request),
                Some(Fault::Unanswered) => {
                    answer(&mut cloud, request);
                    None
                }
                Some(Fault::KilledBefore) => {
                    signal(&victim, "KILL");
                    None
                }
                Some(Fault::KilledAfter) => {
                    answer(&mut cloud, request);
                    signal(&victim, "KILL");
                    None
                }
                Some(Fault::Interrupted) => {
                    signal(&victim, "INT");
                    answer(&mut cloud, request)
                }
            }
        }));
        let mut bench = Workbench::new();
        bench.set("AWS_ENDPOINT_URL", url);
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "synthetic"),
            ("AWS_SECRET_ACCESS_KEY", "synthetic"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ] {
            bench.set(name, value);
        }
        Self { bench, cloud, child }
    }

    pub(super) fn cloud(&self) -> std::sync::MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap()
    }

    /// Runs the command with these faults.
    pub(super) fn matrix_with(&self, args: &[&str], faults: &[(usize, Fault)]) -> Printed {
        self.cloud().faults.plan(faults);
        // Held until the victim is known.
        let mut victim = self.child.lock().unwrap();
        let mut command = self.bench.command(args);
        let child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        *victim = Some(child.id());
        drop(victim);
        let printed = Workbench::printed(child.wait_with_output().unwrap());
        *self.child.lock().unwrap() = None;
        printed
    }

    pub(super) fn matrix(&self, args: &[&str]) -> Printed {
        self.matrix_with(args, &[])
    }

    pub(super) fn set_up(&self, stores: &str, faults: &[(usize, Fault)]) -> Printed {
        self.matrix_with(&["aws", "setup", "--regions", "eu,us", "--stores", stores, "--yes"], faults)
    }

    pub(super) fn clean(&self, faults: &[(usize, Fault)]) -> Printed {
        self.matrix_with(&["aws", "clean", "--regions", "eu,us", "--yes"], faults)
    }
}

fn signal(child: &Mutex<Option<u32>>, signal: &str) {
    if let Some(pid) = *child.lock().unwrap() {
        Command::new("kill").args(["-s", signal, &pid.to_string()]).status().unwrap();
    }
}
