//! What an attempt left: what was printed, and the files in `{out}`.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
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

/// Everything that an attempt left, by name, and how many files more it left than are kept.
pub(super) fn collect(
    workplace: &Workplace,
    experiment: &Experiment,
    point: &[Value],
) -> std::io::Result<(BTreeMap<String, Kept>, u64)> {
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
    // What rows are read from comes first: however many files there are, it is not one that is left out.
    for name in &read {
        if let Some(path) = name.strip_prefix("out/").map(|path| workplace.out.join(path))
            && std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file())
        {
            found.insert(name.clone(), path);
        }
    }
    let mut left_out = 0;
    if workplace.out.exists() {
        files(&workplace.out, "out", &mut found, &mut left_out)?;
    }
    let mut kept = BTreeMap::new();
    for (name, path) in found {
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        let size = metadata.len();
        let is_read = read.contains(&name);
        // What nobody printed is not worth a file, unless rows are to be read from it.
        if size == 0 && !is_read && !name.starts_with("out/") {
            continue;
        }
        // What rows are read from is whole or not read at all.
        let most = if is_read && size <= MAX_ROWS { MAX_ROWS } else { MAX_KEPT };
        kept.insert(name, Kept { path, bytes: size.min(most), of: (size > most).then_some(size) });
    }
    Ok((kept, left_out))
}

fn files(folder: &Path, name: &str, found: &mut BTreeMap<String, PathBuf>, left_out: &mut u64) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
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
        // Links, pipes and sockets are not kept: a link could lead anywhere.
    }
    Ok(())
}

/// Lines that a failure shows.
const LINES: usize = 5;

/// The last lines of a file, fit for a terminal; none if it has none.
#[must_use]
pub fn last_lines(path: &Path) -> Option<String> {
    let mut file = std::fs::File::open(path).ok()?;
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
