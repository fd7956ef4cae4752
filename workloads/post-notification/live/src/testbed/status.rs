//! How a running testbed is.

use std::fmt;

use matrix_plan::RegionPair;
use serde::{Deserialize, Serialize};

use super::control::CutKind;

/// How a running testbed is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its endpoints' instance.
    pub instance: String,
    /// Process id of the supervisor.
    pub supervisor: u32,
    /// Whether it stays until `down`; otherwise it ends with the last lease.
    pub kept: bool,
    /// Leases that are held.
    pub leases: usize,
    /// The servers.
    pub parts: Vec<PartStatus>,
    /// The replication links.
    pub links: Vec<LinkStatus>,
    /// Native replication, asked of each replica just now.
    pub replicas: Vec<ReplicaStatus>,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartStatus {
    /// Name, for example `mariadb-eu`.
    pub name: String,
    /// Its process, while it runs.
    pub pid: Option<u32>,
    /// Why it does not run: `stopped` on demand, or how it ended by itself.
    pub ended: Option<String>,
}

/// A replication link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// Its ends.
    pub link: RegionPair,
    /// One-way delay in milliseconds.
    pub delay_ms: f64,
    /// Jitter in milliseconds.
    pub jitter_ms: f64,
    /// Whether, and how, it is cut.
    pub cut: Option<CutKind>,
    /// Connections that it carries.
    pub connections: usize,
}

/// A replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaStatus {
    /// Name of the server.
    pub name: String,
    /// Whether it is attached to its primary.
    pub attached: bool,
    /// What it says itself.
    pub detail: String,
}

impl Status {
    /// Whether every server runs and every replica is attached.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.parts.iter().all(|part| part.pid.is_some()) && self.replicas.iter().all(|replica| replica.attached)
    }
}

impl fmt::Display for PartStatus {
    /// Its name and how it is, for example `redis-us stopped`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, &self.ended) {
            (Some(pid), _) => write!(f, "{} running, pid {pid}", self.name),
            (None, Some(why)) => write!(f, "{} {why}", self.name),
            (None, None) => write!(f, "{} not started", self.name),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stays = match (self.kept, self.leases) {
            (true, _) => "stays until `matrix testbed down`".to_owned(),
            (false, 1) => "ends with the run that uses it".to_owned(),
            (false, n) => format!("ends with the last of {n} runs that use it"),
        };
        writeln!(f, "testbed {} ({stays}), supervisor {}", self.instance, self.supervisor)?;
        for part in &self.parts {
            let state = match (part.pid, &part.ended) {
                (Some(pid), _) => format!("running, pid {pid}"),
                (None, Some(why)) => why.clone(),
                (None, None) => "not started".to_owned(),
            };
            writeln!(f, "  {:<14} {state}", part.name)?;
        }
        for link in &self.links {
            let cut = link.cut.map_or(String::new(), |kind| format!(", CUT ({kind})"));
            writeln!(f, "  {:<14} {} ms + up to {} ms{cut}", link.link.to_string(), link.delay_ms, link.jitter_ms)?;
        }
        for replica in &self.replicas {
            let attached = if replica.attached { "replicating" } else { "NOT replicating" };
            writeln!(f, "  {:<14} {attached}: {}", replica.name, replica.detail)?;
        }
        Ok(())
    }
}
