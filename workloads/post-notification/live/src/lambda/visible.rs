//! When posts became visible, where replication lags as configured.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use matrix_app::{Micros, PostKey};
use serde::Deserialize;

use super::LambdaError;

/// Follows the file of what became visible when.
#[derive(Debug)]
pub(crate) struct VisibleLog {
    path: PathBuf,
    place: String,
    target: String,
    offset: u64,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
    known: HashMap<PostKey, Micros>,
}

/// A line of the file: a write that a replica got.
#[derive(Deserialize)]
struct Line<'a> {
    target: &'a str,
    place: &'a str,
    key: &'a str,
    visible_from_us: i64,
}

impl VisibleLog {
    /// Follows `path` from its present end: posts of `place` in the region `target`.
    pub(crate) fn follow(path: PathBuf, place: &str, target: &str) -> Result<Self, LambdaError> {
        let offset = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(source) => return Err(LambdaError::File { path, source }),
        };
        let (place, target) = (place.to_owned(), target.to_owned());
        Ok(Self { path, place, target, offset, rest: Vec::new(), known: HashMap::new() })
    }

    /// From where it is followed next: for another to go on from there.
    pub(crate) fn offset(&self) -> u64 {
        self.offset - self.rest.len() as u64
    }

    /// Follows from an earlier place on.
    pub(crate) fn from(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// Reads what was written since.
    pub(crate) fn read(&mut self) -> Result<(), LambdaError> {
        let mut new = Vec::new();
        let result = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.offset))?;
            file.read_to_end(&mut new)
        });
        match result {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(LambdaError::File { path: self.path.clone(), source }),
        }
        self.offset += new.len() as u64;
        self.rest.append(&mut new);
        let end = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        for line in self.rest[..end].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let wrong = |what: String| LambdaError::Content { path: self.path.clone(), what };
            let line: Line<'_> = serde_json::from_slice(line).map_err(|error| wrong(error.to_string()))?;
            // A deletion has a line too: the first is the writing.
            if line.place == self.place
                && line.target == self.target
                && let Some(key) = PostKey::parse(line.key)
            {
                self.known.entry(key).or_insert(Micros(line.visible_from_us));
            }
        }
        self.rest.drain(..end);
        Ok(())
    }

    /// When a post became visible, if that is known by now.
    pub(crate) fn take(&mut self, key: &PostKey) -> Option<Micros> {
        self.known.remove(key)
    }

    pub(crate) fn knows(&self, key: &PostKey) -> bool {
        self.known.contains_key(key)
    }
}
