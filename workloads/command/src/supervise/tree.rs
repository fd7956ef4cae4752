//! The processes below this one, and how they are ended.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// Sends processes a signal; those of root through sudo, where that asks for no password.
pub(super) fn signal(pids: impl IntoIterator<Item = Pid>, signal: Signal) {
    let mut of_root = Vec::new();
    for pid in pids {
        // It may have ended meanwhile.
        if kill_process(pid, signal) == Err(rustix::io::Errno::PERM) {
            of_root.push(pid.as_raw_nonzero().to_string());
        }
    }
    if !of_root.is_empty() {
        let mut kill = std::process::Command::new("sudo");
        kill.args(["-n", "--", "kill", &format!("-{}", signal.as_raw())]).args(of_root);
        kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // What cannot be killed is looked for again.
        let _ = kill.status();
    }
}

/// The processes below this one.
pub(super) fn below() -> Vec<Pid> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    below_of(&mut children(), own)
}

fn below_of(children: &mut BTreeMap<i32, Vec<i32>>, top: i32) -> Vec<Pid> {
    let mut found = Vec::new();
    let mut waiting = vec![top];
    while let Some(parent) = waiting.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            found.extend(Pid::from_raw(child));
            waiting.push(child);
        }
    }
    found
}

/// Ends every process below this one but for these children and what is below them.
pub(super) fn end_all_but(kept: &BTreeSet<u32>) {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let is_kept = |pid: i32| u32::try_from(pid).is_ok_and(|pid| kept.contains(&pid));
    loop {
        let mut children = children();
        let orphans: Vec<i32> =
            children.remove(&own).unwrap_or_default().into_iter().filter(|pid| !is_kept(*pid)).collect();
        if orphans.is_empty() {
            return;
        }
        for orphan in orphans {
            signal(Pid::from_raw(orphan).into_iter().chain(below_of(&mut children, orphan)), Signal::KILL);
            // What it leaves is this process's in the next round.
            let _ = waitpid(Pid::from_raw(orphan), WaitOptions::empty());
        }
    }
}

/// The processes that have not ended, by their parents.
fn children() -> BTreeMap<i32, Vec<i32>> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir("/proc") else { return children };
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if let Some(parent) = parent_of(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    children
}

/// The parent of a process that has not ended.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may have any character.
    let mut words = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = words.next()?;
    let parent = words.next()?.parse().ok()?;
    (state != "Z").then_some(parent)
}
