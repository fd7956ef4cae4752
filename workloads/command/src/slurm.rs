//! Hosts of services that are nodes of Slurm's job: a task of several nodes runs on the first, and its services on the others.
//!
//! An experiment asks for that by naming hosts and no places: `[site] hosts = { server = [] }`.

use std::collections::BTreeSet;

use matrix_driver::Cancel;

use crate::cells::Here;
use crate::file::{Experiment, PASSED};
use crate::probe::{self, Probe};
use crate::remote::Destination;

/// How long scontrol may take to write out a list of names, in milliseconds.
const LIMIT_MS: u64 = 60_000;

/// The nodes of a job, as Slurm writes lists: `n[1-3],m7`.
const NODES: &str = "SLURM_JOB_NODELIST";

/// The node that a task runs on.
const THIS_NODE: &str = "SLURMD_NODENAME";

/// The hosts of an experiment's services that its `[site]` names without a place: how many nodes a task needs beside its own.
#[must_use]
pub fn hosts_without_a_place(experiment: &Experiment) -> usize {
    let hosts: BTreeSet<&String> = hosts(experiment).collect();
    hosts.into_iter().filter(|host| experiment.site.hosts.get(*host).is_none_or(Option::is_none)).count()
}

/// The hosts of an experiment's services whose places its `[site]` names: the tasks of a job would all use the same ones.
#[must_use]
pub fn hosts_with_a_place(experiment: &Experiment) -> Vec<&str> {
    let has_place = |host: &&String| experiment.site.hosts.get(*host).is_some_and(Option::is_some);
    let hosts: BTreeSet<&String> = hosts(experiment).filter(has_place).collect();
    hosts.into_iter().map(String::as_str).collect()
}

fn hosts(experiment: &Experiment) -> impl Iterator<Item = &String> {
    experiment.command.services.iter().filter_map(|service| service.on.as_ref())
}

/// Gives these hosts, in this order, the nodes of the job that this process belongs to, but for its own; they are no one
/// else's then. Without a job, nothing is given.
///
/// # Errors
/// When the job has too few nodes, or Slurm does not say which they are: in words.
pub(crate) fn take_nodes(hosts: &[&str], here: &mut Here) -> Result<(), String> {
    let Ok(list) = std::env::var(NODES) else { return Ok(()) };
    if hosts.is_empty() {
        return Ok(());
    }
    let own = std::env::var(THIS_NODE).map_err(|_| format!("{NODES} is set and {THIS_NODE} is not"))?;
    let arguments = ["scontrol", "show", "hostnames", &list].map(str::to_owned).to_vec();
    let slurms = std::env::vars().filter(|(name, _)| name.starts_with("SLURM"));
    let env = probe::environment(PASSED).into_iter().chain(slurms).collect();
    let cancel = Cancel::default();
    let asked = Probe::run(&probe::supervisors()?, arguments, env, &here.folder, LIMIT_MS, &cancel)?;
    if !asked.ended.is_success() {
        return Err(format!("`scontrol show hostnames {list}`, which says what the nodes are: {}", asked.words()));
    }
    let names = std::fs::read_to_string(&asked.stdout).map_err(|error| error.to_string())?;
    for (host, place) in assigned(hosts, &names, &own)? {
        here.hosts.insert(host.clone(), place);
        here.own_hosts.insert(host);
    }
    Ok(())
}

/// The hosts with the nodes that they get.
fn assigned(hosts: &[&str], nodes: &str, own: &str) -> Result<Vec<(String, Destination)>, String> {
    let others: Vec<&str> = nodes.lines().map(str::trim).filter(|node| !node.is_empty() && *node != own).collect();
    if others.len() < hosts.len() {
        return Err(format!(
            "the hosts {} need a node each beside the one that runs the cells, and the job has {} (`sbatch --nodes={}`, which `matrix submit slurm` asks for)",
            hosts.join(", "),
            others.len(),
            hosts.len() + 1
        ));
    }
    let places = hosts.iter().zip(others).map(|(host, node)| {
        let place = Destination::parse(node).ok_or_else(|| format!("Slurm's node `{node}` is no host for ssh"))?;
        Ok(((*host).to_owned(), place))
    });
    places.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_gets_a_node_of_its_own_and_none_the_runners() {
        let is = |hosts: &[&str], nodes: &str| {
            let found = assigned(hosts, nodes, "n2")?;
            Ok(found.into_iter().map(|(host, place)| format!("{host}={place}")).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(is(&["client", "server"], "n1\nn2\nn3\nn4\n"), Ok("client=n1 server=n3".to_owned()));
        let few: Result<String, String> = is(&["client", "server"], "n1\nn2\n");
        assert!(few.as_ref().is_err_and(|why| why.contains("the job has 1 (`sbatch --nodes=3`")), "{few:?}");
        assert!(is(&["a"], "n1;reboot\n").is_err_and(|why| why.contains("no host for ssh")));
    }
}
