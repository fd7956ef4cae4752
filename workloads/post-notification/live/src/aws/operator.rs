//! Who sets up, examines and cleans: clients, patience and a runtime.

use std::time::Duration;

use aws_types::SdkConfig;
use matrix_driver::Cancel;
use tokio::runtime::Runtime;
use tokio::time::sleep;

use super::{Access, ProvisionError};
use crate::cloud::{GlobalTable, Patience, Stacks, in_region, s3};
use crate::lambda::Site;

/// How long a stack may take on AWS: a global database and a broker take up to an hour each.
const STACK_WITHIN: Duration = Duration::from_secs(2 * 3600);

/// How long a replica of a table may take to come or to go.
const REPLICA_WITHIN: Duration = Duration::from_secs(1800);

/// Sets up, examines and cleans an account of AWS, or an emulator. Everything it does can be interrupted at any moment and
/// done again: what is there is found at AWS. It has threads of its own: use it and drop it outside of asynchronous code.
#[derive(Debug)]
pub struct Operator {
    pub(super) access: Access,
    pub(super) patience: Patience,
    runtime: Runtime,
}

impl Operator {
    /// One with this access.
    ///
    /// # Errors
    /// When its threads cannot be started.
    pub fn new(access: Access) -> Result<Self, ProvisionError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("matrix-aws")
            .enable_all()
            .build()
            .map_err(ProvisionError::Runtime)?;
        let patience = Patience::of(STACK_WITHIN);
        let patience = match access.site {
            Site::Aws => Patience { pause: Duration::from_secs(1), pause_max: Duration::from_secs(10), ..patience },
            Site::Emulator(_) => Patience {
                pause_max: Duration::from_millis(200),
                staleness: Duration::from_secs(2),
                call: Duration::from_secs(20),
                ..patience
            },
        };
        Ok(Self { access, patience, runtime })
    }

    /// Whether this is AWS, and no emulator.
    #[must_use]
    pub fn is_aws(&self) -> bool {
        self.access.site == Site::Aws
    }

    pub(super) fn config(&self, region: &str) -> SdkConfig {
        in_region(&self.access.aws, region)
    }

    pub(super) fn stacks(&self, region: &str) -> Stacks {
        let client = aws_sdk_cloudformation::Client::new(&self.config(region));
        Stacks::new(client, self.patience).pausing_with(self.access.renewal.pause().clone())
    }

    pub(super) fn s3(&self, region: &str) -> aws_sdk_s3::Client {
        s3(&self.access.aws, region, !self.is_aws())
    }

    /// A global table, and one of its replicas.
    pub(super) fn table<'a>(&'a self, name: &'a str, home: &'a str, replica: &'a str) -> GlobalTable<'a> {
        let staleness = self.patience.staleness;
        GlobalTable { aws: &self.access.aws, name, home, replica, deadline: REPLICA_WITHIN, staleness }
    }

    /// Does `work` unless it is asked to stop meanwhile.
    pub(super) fn block_on<T>(
        &self,
        cancel: &Cancel,
        work: impl Future<Output = Result<T, ProvisionError>>,
    ) -> Result<T, ProvisionError> {
        let asked = async {
            while !cancel.is_cancelled() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        // Boxed: the types of calls of AWS are deep.
        let work = Box::pin(work);
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = asked => Err(ProvisionError::Cancelled),
                result = work => result,
            }
        })
    }
}
