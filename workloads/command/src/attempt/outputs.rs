//! What an attempt left: what was printed, and the files in `{out}`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use matrix_core::Value;
use matrix_core::placeholder::Segment;

use super::place::Workplace;
use crate::file::{Experiment, Source, TextLocation};

/// Most bytes that are kept of something that no rows are read from.
const MAX_KEPT: u64 = 16 << 20;

/// Most bytes that rows are read from.
pub const MAX_ROWS: u64 = 8 << 30;

/// Most files that are kept.
const MAX_FILES: usize = 10_000;

/// Something that an attempt left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where it is until it is in the store.
    pub path: PathBuf,
    /// Its first bytes that are kept.
    pub bytes: u64,
    /// All of its bytes, if those are more.
    pub of: Option<u64>,
}

/// The name of what a source's rows are read from; `text` is a path's text without `{out}/`.
pub(crate) fn name_of(source: &Source, point: &[Value]) -> String {
    match &source.place {
        TextLocation::Stdout => "stdout".to_owned(),
        TextLocation::Stderr => "stderr".to_owned(),
        TextLocation::Service(name) => format!("service/{name}/stdout"),
        TextLocation::Path(template) => {
            let rest = |segment: &Segment| {
                Ok::<_, std::convert::Infallible>(if *segment == Segment::Out {
                    "out".to_owned()
                } else {
                    String::new()
                })
            };
            match template.render(point, &rest) {
                Ok(text) => text,
                Err(never) => match never {},
            }
        }
    }
}

/// Everything that an attempt left.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// What is kept, by name.
    pub(super) kept: BTreeMap<String, Kept>,
    /// Files that it left besides.
    pub(super) left_out: u64,
    /// Why what is in `{out}` could not be collected, or not all of it, in words.
    pub(super) fault: Option<String>,
}

/// Collects what an attempt left. No link is followed, also none that stands where a folder or a file of ours was: a link
/// could lead anywhere.
pub(super) fn collect(workplace: &Workplace, experiment: &Experiment, point: &[Value]) -> Collected {
    if workplace.root.canonicalize().ok().as_ref() != Some(&workplace.root) {
        let fault = "the program replaced the folder that it ran in, or removed it".to_owned();
        return Collected { fault: Some(fault), ..Collected::default() };
    }
    let mut found = BTreeMap::new();
    for (log, name) in
        [("run", ""), ("setup", "setup/"), ("teardown", "teardown/"), ("warmup", "warmup/"), ("stop", "stop/")]
    {
        for stream in ["stdout", "stderr"] {
            found.insert(format!("{name}{stream}"), workplace.log(log, stream));
        }
    }
    for service in &experiment.command.services {
        for stream in ["stdout", "stderr"] {
            let path = workplace.log(&format!("service.{}", service.name), stream);
            found.insert(format!("service/{}/{stream}", service.name), path);
        }
    }
    let read: Vec<String> = experiment.sources.iter().map(|source| name_of(source, point)).collect();
    let mut left_out = 0;
    let fault = from_out(workplace, &read, &mut found, &mut left_out).err();
    let mut collected = Collected { left_out, fault, ..Collected::default() };
    for (name, path) in found {
        let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
        if !metadata.is_file() {
            continue;
        }
        let size = metadata.len();
        let is_read = read.contains(&name);
        // What nobody printed is not worth a file, unless rows are to be read from it.
        if size == 0 && !is_read && !name.starts_with("out/") {
            continue;
        }
        if let Err(error) = File::open(&path) {
            collected.fault.get_or_insert_with(|| unreadable(&name, &error));
            continue;
        }
        // What rows are read from is whole or not read at all.
        let most = if is_read && size <= MAX_ROWS { MAX_ROWS } else { MAX_KEPT };
        collected.kept.insert(name, Kept { path, bytes: size.min(most), of: (size > most).then_some(size) });
    }
    collected
}

fn unreadable(name: &str, error: &std::io::Error) -> String {
    format!("reading what the program left in {{out}}: {name}: {error}")
}

/// Finds the files in `{out}`, if there is one.
fn from_out(
    workplace: &Workplace,
    read: &[String],
    found: &mut BTreeMap<String, PathBuf>,
    left_out: &mut u64,
) -> Result<(), String> {
    let kind = match std::fs::symlink_metadata(&workplace.out) {
        Ok(metadata) => metadata.file_type(),
        // Nothing was told where it is.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable("out", &error)),
    };
    if !kind.is_dir() {
        let what = if kind.is_symlink() { "a link" } else { "something that is no folder" };
        return Err(format!("the program replaced {{out}} by {what}: nothing is read from there"));
    }
    // What rows are read from comes first: however many files there are, it is not one that is left out.
    for name in read {
        let Some(path) = name.strip_prefix("out/").map(|path| workplace.out.join(path)) else { continue };
        if !std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        // A folder on the way may be a link.
        if !path.canonicalize().map_err(|error| unreadable(name, &error))?.starts_with(&workplace.root) {
            return Err(format!("rows: `{name}` is behind a link that leads elsewhere: it is not read"));
        }
        found.insert(name.clone(), path);
    }
    files(&workplace.out, "out", found, left_out)
}

fn files(folder: &Path, name: &str, found: &mut BTreeMap<String, PathBuf>, left_out: &mut u64) -> Result<(), String> {
    let fault = |error: std::io::Error| unreadable(name, &error);
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let (kind, path) = (entry.file_type().map_err(fault)?, entry.path());
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if kind.is_dir() {
            files(&path, &name, found, left_out)?;
        } else if kind.is_file() && !found.contains_key(&name) {
            if found.len() < MAX_FILES {
                found.insert(name, path);
            } else {
                *left_out += 1;
            }
        }
        // Links, pipes and sockets are not kept.
    }
    Ok(())
}

/// Lines that a failure shows.
const LINES: usize = 5;

/// The last lines of a file, fit for a terminal; none if it has none.
#[must_use]
pub fn last_lines(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(4096))).ok()?;
    let mut bytes = Vec::new();
    file.take(4096).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let clean = |line: &&str| {
        let text: String = line.chars().take(200).map(|c| if c.is_control() && c != '\t' { '?' } else { c }).collect();
        format!("  {text}")
    };
    let last: Vec<String> = lines[lines.len().saturating_sub(LINES)..].iter().map(clean).collect();
    (!last.is_empty()).then(|| last.join("\n"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::place::tests::{Bench, bench};
    use super::*;

    fn collected(make: impl FnOnce(&Workplace, &Path)) -> (Vec<String>, Option<String>) {
        let Bench { base, experiment, here, cell } = bench();
        let elsewhere = base.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        for name in ["secret", "r.csv", "run.stdout"] {
            std::fs::write(elsewhere.join(name), "secret").unwrap();
        }
        let workplace = Workplace::new(&experiment, &here, &cell, false).unwrap();
        std::fs::create_dir(&workplace.out).unwrap();
        std::fs::write(workplace.log("run", "stdout"), "said").unwrap();
        make(&workplace, &elsewhere);
        let Collected { kept, fault, .. } = collect(&workplace, &experiment, &cell.point);
        for (name, kept) in &kept {
            assert!(kept.path.canonicalize().unwrap().starts_with(&workplace.root), "{name}: {kept:?}");
        }
        (kept.into_keys().collect(), fault)
    }

    #[test]
    fn no_link_leads_out_of_what_an_attempt_left() {
        let stdout = || vec!["stdout".to_owned()];
        let (kept, fault) = collected(|workplace, _| {
            std::fs::create_dir(workplace.out.join("sub")).unwrap();
            std::fs::write(workplace.out.join("sub/r.csv"), "t\n1\n").unwrap();
            symlink("sub/r.csv", workplace.out.join("link")).unwrap();
        });
        assert_eq!((kept, fault), (vec!["out/sub/r.csv".to_owned(), "stdout".to_owned()], None));

        // A link instead of `{out}`, of a folder on the way to the rows, of a log, and of everything.
        let (kept, fault) = collected(|workplace, elsewhere| {
            std::fs::remove_dir(&workplace.out).unwrap();
            symlink(elsewhere, &workplace.out).unwrap();
        });
        let told = "the program replaced {out} by a link: nothing is read from there";
        assert_eq!((kept, fault.as_deref()), (stdout(), Some(told)));
        let (kept, fault) = collected(|workplace, elsewhere| symlink(elsewhere, workplace.out.join("sub")).unwrap());
        let told = "rows: `out/sub/r.csv` is behind a link that leads elsewhere: it is not read";
        assert_eq!((kept, fault.as_deref()), (stdout(), Some(told)));
        let (kept, fault) = collected(|workplace, elsewhere| {
            std::fs::remove_file(workplace.log("run", "stdout")).unwrap();
            symlink(elsewhere.join("secret"), workplace.log("run", "stdout")).unwrap();
        });
        assert_eq!((kept, fault), (Vec::new(), None));
        let (kept, fault) = collected(|workplace, elsewhere| {
            std::fs::remove_dir_all(&workplace.root).unwrap();
            symlink(elsewhere, &workplace.root).unwrap();
        });
        let told = "the program replaced the folder that it ran in, or removed it";
        assert_eq!((kept, fault.as_deref()), (Vec::new(), Some(told)));

        let (kept, fault) = collected(|workplace, _| {
            std::fs::remove_dir(&workplace.out).unwrap();
            std::fs::write(&workplace.out, "x").unwrap();
        });
        let told = "the program replaced {out} by something that is no folder: nothing is read from there";
        assert_eq!((kept, fault.as_deref()), (stdout(), Some(told)));
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_told_with_its_name() {
        use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
        let name = "d".repeat(250);
        let (kept, fault) = collected(|workplace, _| {
            // As deep as no path of the system goes.
            let mut folder = openat(CWD, &workplace.out, OFlags::DIRECTORY, Mode::empty()).unwrap();
            for _ in 0..20 {
                mkdirat(&folder, name.as_str(), Mode::RWXU).unwrap();
                folder = openat(&folder, name.as_str(), OFlags::DIRECTORY, Mode::empty()).unwrap();
            }
        });
        let fault = fault.unwrap();
        let begin = format!("reading what the program left in {{out}}: out/{name}/");
        assert!(fault.starts_with(&begin) && fault.contains("name too long"), "{fault}");
        assert_eq!(kept, ["stdout"]);
    }
}
