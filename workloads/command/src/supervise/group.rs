//! A control group for each supervisor, where the system lets this user make one.
//!
//! What a program starts stays in the group, whatever it does. A supervisor needs none to end it; but when it is killed
//! itself, and the runner with it, the group still says what is left: the next run ends that.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the names of groups begin with; the process of the supervisor follows.
const NAME: &str = "matrix-supervisor-";

/// The control group (version 2) of this process, as a folder.
fn own() -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    place(&mounts, &groups)
}

fn place(mounts: &str, groups: &str) -> Option<PathBuf> {
    let mount = mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind) = (words.next()?, words.next()?);
        (kind == "cgroup2").then_some(place)
    })?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    // What is outside of this process's view of the groups cannot be reached.
    (!path.split('/').any(|part| part == "..")).then(|| Path::new(mount).join(path))
}

/// Puts this process into a group of its own, if it may make one.
pub(super) fn enter() {
    let Some(own) = own() else { return };
    let folder = own.join(format!("{NAME}{}", std::process::id()));
    // Without it, everything goes on as before.
    if std::fs::create_dir(&folder).is_ok() && std::fs::write(folder.join("cgroup.procs"), "0").is_err() {
        let _ = std::fs::remove_dir(&folder);
    }
}

/// Ends what is left in the group of a supervisor that has ended, and removes it.
pub(super) fn end(supervisor: u32) {
    if let Some(own) = own() {
        end_at(&own.join(format!("{NAME}{supervisor}")));
    }
}

fn end_at(folder: &Path) {
    // Until the last process has ended, the folder cannot be removed.
    for _ in 0..100 {
        match std::fs::remove_dir(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {}
            _ => return,
        }
        let _ = std::fs::write(folder.join("cgroup.kill"), "1");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ends what supervisors left that were killed together with their runner.
pub(super) fn end_orphans() {
    let Some(entries) = own().and_then(|own| std::fs::read_dir(own).ok()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(NAME)?.parse::<u32>().ok()) else { continue };
        if !is_supervisor(pid) {
            end_at(&entry.path());
        }
    }
}

fn is_supervisor(pid: u32) -> bool {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).nth(1) == Some(super::WORD.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_found_beside_those_of_version_1() {
        let mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(place(mounts, "1:cpu:/a\n0::/user/x\n"), Some(PathBuf::from("/sys/fs/cgroup/unified/user/x")));
        assert_eq!(place(mounts, "0::/\n"), Some(PathBuf::from("/sys/fs/cgroup/unified/")));
        assert_eq!(place(mounts, "0::/../other\n"), None);
        assert_eq!(place("cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n", "0::/\n"), None);
    }
}
