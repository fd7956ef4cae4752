//! The processors' time, from `/proc` and `/sys`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};

/// The time so far of the processors that this process may use, in ticks of 10 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticks {
    pub(super) busy: u64,
    pub(super) stolen: u64,
    pub(super) all: u64,
}

/// Numbers of the processors that this process may use.
pub(super) fn allowed() -> Option<Vec<usize>> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    list(text.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?.trim())
}

/// A list like `0-3,8`.
fn list(text: &str) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        found.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(found)
}

/// The time of these processors so far.
pub(super) fn ticks(cpus: &[usize]) -> Option<Ticks> {
    // What stands behind the processors, a number for each interrupt, takes longest to make.
    let lines = BufReader::with_capacity(32 << 10, File::open("/proc/stat").ok()?).lines();
    let cpu_lines = lines.map_while(Result::ok).take_while(|line| line.starts_with("cpu"));
    parse(&cpu_lines.collect::<Vec<_>>().join("\n"), cpus)
}

fn parse(text: &str, cpus: &[usize]) -> Option<Ticks> {
    let mut sum = Ticks { busy: 0, stolen: 0, all: 0 };
    let mut found = 0;
    for line in text.lines() {
        let Some((number, fields)) = line.strip_prefix("cpu").and_then(|rest| rest.split_once(' ')) else { continue };
        if !number.parse::<usize>().is_ok_and(|number| cpus.contains(&number)) {
            continue;
        }
        let fields: Vec<u64> = fields.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect();
        let [user, nice, system, idle, iowait, irq, softirq, steal, ..] = fields[..] else { return None };
        let busy = user + nice + system + irq + softirq;
        sum.busy += busy;
        sum.stolen += steal;
        sum.all += busy + idle + iowait + steal;
        found += 1;
    }
    (found > 0).then_some(sum)
}

/// The processor time so far of this process, of `others`, and of every process that one of these has waited for, in
/// ticks of 10 ms. None if `/proc` does not say. Of others that have ended nothing counts.
#[must_use]
pub fn ticks_of(others: &[u32]) -> Option<u64> {
    let own = Process::parse(&stat("self")?)?;
    let of = |pid: &u32| Process::parse(&stat(&pid.to_string())?).map(|process| process.ticks);
    Some(own.ticks + others.iter().filter_map(of).sum::<u64>())
}

/// The same, and of every process below one of these. It looks at every process of the system.
#[must_use]
pub fn ticks_of_trees(others: &[u32]) -> Option<u64> {
    let mut processes = BTreeMap::new();
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // One that has ended meanwhile is its parent's.
        if let Some(process) = stat(&pid.to_string()).as_deref().and_then(Process::parse) {
            children.entry(process.parent).or_default().push(pid);
            processes.insert(pid, process.ticks);
        }
    }
    let own = std::process::id();
    let mut sum = processes.contains_key(&own).then_some(0)?;
    let mut waiting: Vec<u32> = others.iter().copied().chain([own]).collect();
    while let Some(pid) = waiting.pop() {
        // One of them may be below another.
        if let Some(ticks) = processes.remove(&pid) {
            sum += ticks;
            waiting.extend(children.remove(&pid).unwrap_or_default());
        }
    }
    Some(sum)
}

fn stat(of: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{of}/stat")).ok()
}

struct Process {
    parent: u32,
    ticks: u64,
}

impl Process {
    fn parse(stat: &str) -> Option<Self> {
        // The name stands in parentheses and may have any character.
        let words: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let ticks = words.get(11..15)?.iter().map(|word| word.parse::<u64>().ok()).sum::<Option<u64>>()?;
        Some(Self { parent: words.get(1)?.parse().ok()?, ticks })
    }
}

/// How often these processors, or this process's control group, were throttled so far; none if nothing says so.
pub(super) fn throttled(cpus: &[usize]) -> Option<u64> {
    let number = |path: String| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let cores = cpus.iter().flat_map(|cpu| {
        let of = |what: &str| format!("/sys/devices/system/cpu/cpu{cpu}/thermal_throttle/{what}_throttle_count");
        [number(of("core")), number(of("package"))]
    });
    let known: Vec<u64> = cores.flatten().chain(group_throttled()).collect();
    (!known.is_empty()).then(|| known.iter().sum())
}

/// How often the control group was throttled, if it has a limit.
fn group_throttled() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let text = std::fs::read_to_string(format!("/sys/fs/cgroup{path}/cpu.stat")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("nr_throttled "))?.trim().parse().ok()
}

/// The fastest clock among these processors now, in kHz: that of one that works.
pub(super) fn clock(cpus: &[usize]) -> Option<u64> {
    let of = |cpu: &usize| {
        let path = format!("/sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq");
        std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok()
    };
    cpus.iter().filter_map(of).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_processors_that_may_be_used_count() {
        let text = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\nintr 5\n";
        assert_eq!(parse(text, &[0]), Some(Ticks { busy: 1 + 2 + 3 + 6 + 7, stolen: 8, all: 36 }));
        assert_eq!(parse(text, &[0, 1]), Some(Ticks { busy: 24, stolen: 9, all: 44 }));
        assert_eq!(parse(text, &[2]), None);
        assert_eq!(list("0-2,5"), Some(vec![0, 1, 2, 5]));
    }

    #[test]
    fn the_time_of_what_this_process_started_is_its_own() {
        let before = ticks_of_trees(&[]).unwrap();
        let spin = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        assert!(std::process::Command::new("sh").args(["-c", spin]).status().unwrap().success());
        let after = ticks_of_trees(&[]).unwrap();
        assert!(after > before && ticks_of(&[]).unwrap() > 0);
        let own = std::process::id();
        assert!(ticks_of_trees(&[own, own, u32::MAX]).unwrap() < 2 * after, "nothing counts twice");
    }

    #[test]
    fn the_time_of_a_named_process_that_is_no_child_is_its_own_too() {
        // Its parent ends at once.
        let begin = "(while :; do :; done) >/dev/null 2>&1 & echo $!";
        let printed = std::process::Command::new("sh").args(["-c", begin]).output().unwrap().stdout;
        let orphan: u32 = String::from_utf8(printed).unwrap().trim().parse().unwrap();
        let both = || (ticks_of_trees(&[]).unwrap(), ticks_of_trees(&[orphan]).unwrap(), ticks_of(&[orphan]).unwrap());
        let used = || Process::parse(&stat(&orphan.to_string()).unwrap()).unwrap().ticks;
        while used() < 20 {
            std::thread::yield_now();
        }
        let (without, with, alone) = both();
        let ended = std::process::Command::new("kill").args(["-9", &orphan.to_string()]).status().unwrap();
        assert!(ended.success() && with >= without + 10 && alone >= 20, "{without}, {with}, {alone}");
    }
}
