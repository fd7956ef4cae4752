//! The driver: its phases, one by one or as an attempt.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use matrix_app::Row;
use matrix_driver::{AttemptDetails, Cancel, Driver, DriverError, RowSink};
use matrix_package::Packages;
use matrix_plan::{Cell, NotificationStorage};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

use super::attempt::{AttemptPhases, or_cancelled};
use super::clients::Shared;
use super::deployment::Deployment;
use super::exchange::{Exchange, Route};
use super::lease::Leases;
use super::names::hex;
use super::saved::{self, Saved};
use super::turns::Turns;
use super::{DeploymentSpec, LambdaError, Services, Settings, Unserved, build, remove};

/// How long leases may take to be given back.
const RELEASE_WITHIN: Duration = Duration::from_secs(2);

/// Executes cells on deployed functions. It may be used from several threads at a time for cells that share no resource
/// (see [`Driver::resources`]).
///
/// What it uses it leases until it is dropped: another driver that needs the same gets [`LambdaError::Leased`]. It has
/// threads of its own: use it and drop it outside of asynchronous code.
#[derive(Debug)]
pub struct LambdaDriver {
    services: Services,
    settings: Settings,
    shared: Shared,
    leases: Arc<Leases>,
    renewal: AbortHandle,
    built: Mutex<BTreeSet<DeploymentSpec>>,
    /// Ends with the driver, and not before.
    runtime: Option<Runtime>,
}

/// What [`LambdaDriver::build`] did for a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The deployment.
    pub spec: DeploymentSpec,
    /// Whether anything had to be made or changed.
    pub changed: bool,
}

impl LambdaDriver {
    /// A driver. Nothing is made or asked yet.
    ///
    /// # Errors
    /// When there is no region, or its threads cannot be started.
    pub fn new(services: Services, settings: Settings) -> Result<Self, LambdaError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(settings.threads.max(1))
            .thread_name("matrix-lambda")
            .enable_all()
            .build()
            .map_err(LambdaError::Runtime)?;
        let home = services.regions.values().next();
        let home = home.ok_or(Unserved::NoRegion)?;
        let table = aws_sdk_dynamodb::Client::new(&services.aws_in(home));
        let leases = Leases::new(table, &settings.name, settings.lease_ttl)?;
        let renewal = runtime.spawn(Arc::clone(&leases).keep()).abort_handle();
        let shared = Shared::default();
        Ok(Self { services, settings, shared, leases, renewal, built: Mutex::default(), runtime: Some(runtime) })
    }

    /// How it works.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the services are.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// SHA-256 of the functions' packages that it has, by `writer.zip` and `reader.zip`: for provenance.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<String, String> {
        let digests = |packages: &Packages| {
            let named = [("writer.zip", &packages.writer), ("reader.zip", &packages.reader)];
            named.map(|(name, package)| (name.to_owned(), hex(package))).into()
        };
        self.settings.packages.as_ref().map(digests).unwrap_or_default()
    }

    /// Deploys what is not deployed yet, and changes what is not as it should be. Done twice it changes nothing.
    ///
    /// # Errors
    /// When a deployment is in use by another run, or could not be made; what was made stays, and is taken up next time.
    pub fn build(&self, specs: &[DeploymentSpec], cancel: &Cancel) -> Result<Vec<Built>, LambdaError> {
        let work = async |deployment: Deployment| {
            self.leases.take(&deployment.own_lease()).await?;
            let changed = build::build(&deployment, &self.services, &self.settings).await?;
            self.built().insert(deployment.spec.clone());
            Ok(Built { spec: deployment.spec, changed })
        };
        self.each(specs, cancel, work)
    }

    /// Cleans the cell's deployment, sends its requests, and keeps what the client saw in `file` (JSON lines), from which
    /// [`Self::gather`] makes rows. If `file` is there and is of this cell, nothing is done: `false`. It appears when it is
    /// complete. A run that was interrupted, or sent to another [`Settings::instance`], begins anew.
    ///
    /// # Errors
    /// When the deployment is in use or cannot be built, it was asked to stop, or the file cannot be written.
    pub fn run(&self, cell: &Cell, file: &Path, cancel: &Cancel) -> Result<bool, LambdaError> {
        if let Some(saved) = Saved::load(file, &cell.key)?
            && saved.head.instance == self.settings.instance
        {
            return Ok(false);
        }
        // What an earlier run's gathering took is not of this one.
        saved::forget(file)?;
        let deployment = self.ready(cell, cancel)?;
        let phases = AttemptPhases::new(cell, &deployment, &self.services, &self.settings, &self.shared);
        self.block_on(phases.run(file, cancel)).map(|()| true)
    }

    /// Makes the rows of a cell that was run into `file`: takes evaluations from the queue until all are there or a
    /// deadline has passed. What it took it keeps beside the file (`.evaluations`), so that it can be done again.
    ///
    /// # Errors
    /// When the file is missing, of another cell or sent elsewhere, it was asked to stop, or a row was not taken.
    pub fn gather(
        &self,
        cell: &Cell,
        file: &Path,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, LambdaError> {
        let deployment = self.leased(cell, cancel)?;
        let phases = AttemptPhases::new(cell, &deployment, &self.services, &self.settings, &self.shared);
        self.block_on(phases.gather(file, rows, cancel))
    }

    /// Takes what the queue has for a cell that was run into `file`, as [`Self::gather`] does, and makes no rows yet:
    /// afterwards another cell may use what this one used. If that was done before, nothing is done.
    ///
    /// # Errors
    /// When the file is missing or of another cell, or it was asked to stop.
    pub fn collect(&self, cell: &Cell, file: &Path, cancel: &Cancel) -> Result<(), LambdaError> {
        if saved::is_collected(file) {
            return Ok(());
        }
        let deployment = self.leased(cell, cancel)?;
        let phases = AttemptPhases::new(cell, &deployment, &self.services, &self.settings, &self.shared);
        self.block_on(phases.collect(file, cancel))
    }

    /// Empties the deployments' stores and queues and waits until they are observed empty in both regions. With `strong`
    /// the deployments are removed too, and with the last of the run its code. A deployment that does not exist is clean.
    ///
    /// # Errors
    /// When a deployment is in use by another run, or was not observed empty in time.
    pub fn clean(&self, specs: &[DeploymentSpec], strong: bool, cancel: &Cancel) -> Result<(), LambdaError> {
        let turns = Turns::default();
        let work = async |deployment: Deployment| {
            let _turn = turns.take(&deployment.shared(&self.services)).await;
            self.leases.take(&deployment.leases(&self.services)).await?;
            remove::clean(&deployment, &self.services, &self.settings, &self.shared, strong).await?;
            if strong {
                self.built().remove(&deployment.spec);
            }
            Ok(())
        };
        self.each(specs, cancel, work)?;
        if strong {
            self.block_on(or_cancelled(cancel, remove::code(&self.services, &self.settings)))?;
            if !self.services.is_local() {
                self.block_on(or_cancelled(cancel, self.leases.end()))?;
            }
        }
        Ok(())
    }

    /// Sends a cell's requests to a function and gathers their evaluations from a queue, whoever made these: nothing is
    /// built, leased or cleaned, and no clock probed.
    ///
    /// # Errors
    /// When it was asked to stop, the cell sends nothing, or a row was not taken.
    pub fn exchange(
        &self,
        cell: &Cell,
        route: Route,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, LambdaError> {
        let exchange = Exchange::new(&cell.inputs, route, &self.services, &self.settings, &self.shared);
        self.block_on(async {
            let (head, clock) = exchange.begin()?;
            let join = exchange.exchange(&head, clock, None, rows, cancel).await?;
            let (notes, reasons) = join.into_notes();
            Ok(AttemptDetails { epoch_us: head.epoch.0, clock_bound_us: None, notes, reasons, host: None })
        })
    }

    /// The cell's deployment, built and leased.
    fn ready(&self, cell: &Cell, cancel: &Cancel) -> Result<Deployment, LambdaError> {
        let spec = DeploymentSpec::of(cell);
        let deployment = Deployment::new(&spec, &self.services, &self.settings)?;
        if !self.built().contains(&spec) {
            self.build(&[spec], cancel)?;
        }
        let leases = deployment.leases(&self.services);
        self.leases.check(&leases)?;
        self.block_on(or_cancelled(cancel, self.leases.take(&leases)))?;
        Ok(deployment)
    }

    /// The cell's deployment, leased, whether it is built or not.
    fn leased(&self, cell: &Cell, cancel: &Cancel) -> Result<Deployment, LambdaError> {
        let deployment = Deployment::new(&DeploymentSpec::of(cell), &self.services, &self.settings)?;
        self.block_on(or_cancelled(cancel, self.leases.take(&deployment.leases(&self.services))))?;
        Ok(deployment)
    }

    /// Does something for each deployment, a few at a time. After a failure no more are begun.
    fn each<T>(
        &self,
        specs: &[DeploymentSpec],
        cancel: &Cancel,
        work: impl AsyncFn(Deployment) -> Result<T, LambdaError>,
    ) -> Result<Vec<T>, LambdaError> {
        let deployments = specs.iter().map(|spec| Deployment::new(spec, &self.services, &self.settings));
        let deployments = deployments.collect::<Result<Vec<_>, _>>()?;
        let all = async {
            let work = &work;
            let started = deployments.into_iter().map(|deployment| Box::pin(async move { work(deployment).await }));
            futures_util::stream::iter(started).buffered(self.settings.jobs.max(1)).try_collect().await
        };
        self.block_on(or_cancelled(cancel, all))
    }

    fn block_on<T>(&self, work: impl Future<Output = Result<T, LambdaError>>) -> Result<T, LambdaError> {
        match &self.runtime {
            // Boxed: the types of calls of AWS are deep.
            Some(runtime) => runtime.block_on(Box::pin(work)),
            None => Err(LambdaError::Cancelled),
        }
    }

    fn built(&self) -> std::sync::MutexGuard<'_, BTreeSet<DeploymentSpec>> {
        self.built.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LambdaDriver {
    fn drop(&mut self) {
        self.renewal.abort();
        if let Some(runtime) = self.runtime.take() {
            // What cannot be given back in time ends by itself.
            let _ = runtime.block_on(async { tokio::time::timeout(RELEASE_WITHIN, self.leases.release()).await });
            runtime.shutdown_background();
        }
    }
}

impl Driver<Cell, Row> for LambdaDriver {
    /// Builds the deployment if need be, cleans it, runs and gathers at the same time, and cleans again.
    fn attempt(
        &self,
        cell: &Cell,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, DriverError> {
        let deployment = self.ready(cell, cancel)?;
        let phases = AttemptPhases::new(cell, &deployment, &self.services, &self.settings, &self.shared);
        let paused_before = self.services.pause().count();
        let attempt = self.block_on(phases.attempt(rows, cancel))?;
        if self.services.pause().count() != paused_before {
            // Leases could not be renewed meanwhile, and somebody else may have used what is ours.
            self.block_on(or_cancelled(cancel, async {
                self.leases.renew().await;
                self.leases.check(&deployment.leases(&self.services))
            }))?;
        }
        Ok(attempt)
    }

    /// The deployment and what it shares with others, for example a server of Redis, which is emptied as a whole; and
    /// `event-sources` for notifications by stream where one thread of an emulator serves them all.
    fn resources(&self, cell: &Cell) -> Vec<String> {
        let spec = DeploymentSpec::of(cell);
        let mut resources = vec![spec.to_string()];
        // A cell that has no deployment fails by itself.
        if let Ok(deployment) = Deployment::new(&spec, &self.services, &self.settings) {
            resources.extend(deployment.shared(&self.services));
        }
        if spec.notification_storage == NotificationStorage::Dynamo && self.services.is_emulated() {
            resources.push("event-sources".into());
        }
        resources
    }
}
