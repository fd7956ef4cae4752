//! Everything that the supervisor holds.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use matrix_plan::RegionPair;
use tokio::sync::watch;

use super::holding::Holding;
use super::layout::{Layout, RegionServers};
use super::parts::Parts;
use super::proxy::Cable;
use crate::testbed::control::{CutKind, EmulatorControl, EmulatorFault, NumberedFault};
use crate::testbed::{Endpoints, LinkStatus, LocalConfig, Needs, StateDir, TestbedError};

/// Where the replicas connect to, to reach the writer's region through a link, and the other way round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relays {
    /// The primary's MariaDB, for the replica.
    pub(super) mysql: SocketAddr,
    /// The primary's Redis, for the replica.
    pub(super) redis: SocketAddr,
    /// The reader's broker, for the writer's broker.
    pub(super) openwire: SocketAddr,
}

/// Everything that the supervisor holds.
pub(super) struct World {
    pub(super) state: StateDir,
    pub(super) needs: Needs,
    pub(super) config: LocalConfig,
    pub(super) layout: Layout,
    pub(super) parts: Parts,
    /// By the pair of the writer's region and a reader's.
    pub(super) cables: BTreeMap<RegionPair, Cable>,
    /// By the reader's region.
    pub(super) relays: OnceLock<BTreeMap<String, Relays>>,
    emulator: Mutex<EmulatorControl>,
    faults: AtomicUsize,
    /// The endpoints, or why they will never be.
    booted: watch::Sender<Option<Result<Endpoints, String>>>,
    pub(super) holding: Arc<Holding>,
}

impl World {
    pub(super) fn new(state: StateDir) -> Result<Self, TestbedError> {
        let config: LocalConfig = StateDir::read_json(&state.config())?;
        config.check()?;
        let layout = Layout::new(&config)?;
        let cables = layout.readers().iter().map(|reader| {
            let pair = layout.link(reader);
            config.link(&pair).map(|link| (pair, Cable::new(link)))
        });
        Ok(Self {
            needs: Needs::find()?,
            parts: Parts::default(),
            cables: cables.collect::<Result<_, _>>()?,
            relays: OnceLock::new(),
            emulator: Mutex::default(),
            faults: AtomicUsize::new(0),
            booted: watch::Sender::new(None),
            holding: Arc::default(),
            state,
            config,
            layout,
        })
    }

    pub(super) fn set_booted(&self, result: Result<Endpoints, String>) {
        self.booted.send_replace(Some(result));
    }

    /// Waits until every server is up, or one failed.
    pub(super) async fn until_booted(&self) -> Result<(), TestbedError> {
        let mut booted = self.booted.subscribe();
        // The sender is `self`'s, so waiting cannot fail.
        match booted.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Err(why))) => Err(TestbedError::Refused(why.clone())),
            _ => Ok(()),
        }
    }

    pub(super) fn cable(&self, link: &RegionPair) -> Result<(&RegionPair, &Cable), TestbedError> {
        let back = RegionPair { writer: link.reader.clone(), reader: link.writer.clone() };
        self.cables.get_key_value(link).or_else(|| self.cables.get_key_value(&back)).ok_or_else(|| {
            let known: Vec<_> = self.cables.keys().map(ToString::to_string).collect();
            TestbedError::Refused(format!("there is no link `{link}`; links: {}", known.join(", ")))
        })
    }

    pub(super) fn links(&self) -> Vec<LinkStatus> {
        let status = self.cables.iter().map(|(link, cable)| LinkStatus {
            link: link.clone(),
            delay_ms: cable.link().delay_ms,
            jitter_ms: cable.link().jitter_ms,
            cut: cable.cut_kind(),
            connections: cable.connections(),
        });
        status.collect()
    }

    /// The place of a region's server.
    pub(super) fn place(&self, region: &str) -> Result<&RegionServers, TestbedError> {
        self.layout.place(region).ok_or_else(|| TestbedError::Refused(format!("there is no region `{region}` here")))
    }

    pub(super) fn relays(&self, region: &str) -> Result<Relays, TestbedError> {
        let relays = self.relays.get().and_then(|relays| relays.get(region));
        relays.copied().ok_or_else(|| TestbedError::Refused(format!("the link to `{region}` is not laid")))
    }

    fn emulator(&self) -> MutexGuard<'_, EmulatorControl> {
        self.emulator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the emulator which links are cut and which faults are in force.
    pub(super) fn write_emulator_control(&self) -> Result<(), TestbedError> {
        let aws = |region: &str| self.place(region).map(|place| place.aws_name.to_owned());
        let cuts = self.cables.iter().filter(|(_, cable)| cable.cut_kind().is_some());
        let cuts = cuts.map(|(pair, _)| Ok((aws(pair.writer.as_str())?, aws(pair.reader.as_str())?)));
        let cuts = cuts.collect::<Result<_, TestbedError>>()?;
        let mut control = self.emulator();
        control.cuts = cuts;
        StateDir::write_json(&super::ministack::control_file(&self.state), &*control)
    }

    pub(super) fn add_fault(&self, fault: EmulatorFault) -> Result<(), TestbedError> {
        let id = self.faults.fetch_add(1, Ordering::Relaxed) as u64;
        let EmulatorFault { service, operation, kind, times } = fault;
        self.emulator().faults.push(NumberedFault { id, service, operation, kind, times });
        self.write_emulator_control()
    }

    pub(super) fn clear_faults(&self) -> Result<(), TestbedError> {
        self.emulator().faults.clear();
        self.write_emulator_control()
    }

    /// Cuts a link. With a time, it is restored afterwards, unless it was cut anew meanwhile.
    pub(super) fn cut(
        self: &Arc<Self>,
        link: &RegionPair,
        kind: CutKind,
        for_ms: Option<u64>,
    ) -> Result<(), TestbedError> {
        let (_, cable) = self.cable(link)?;
        let number = cable.cut(kind);
        self.write_emulator_control()?;
        if let Some(ms) = for_ms {
            let (world, link) = (Arc::clone(self), link.clone());
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
                if let Err(error) = world.restore(&link, Some(number)) {
                    log!("restoring {link}: {error}");
                }
            });
        }
        Ok(())
    }

    pub(super) fn restore(&self, link: &RegionPair, number: Option<u64>) -> Result<(), TestbedError> {
        let (_, cable) = self.cable(link)?;
        if cable.restore(number) { self.write_emulator_control() } else { Ok(()) }
    }
}
