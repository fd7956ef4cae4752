//! The index: a cache of what the records name, so that a plan of many finished cells reads none of them.
//!
//! A text of lines: `matrix-index 2`; then for each record, in order of key and origin, its key, origin, the stamp of its
//! file (size, time of change in nanoseconds, inode), its object, the size of the object's file, and whether
//! a request was observed (1 or 0); then the SHA-256 of
//! everything before. An index that is missing, damaged or of another version is as good as an empty one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::Metadata;
use std::time::UNIX_EPOCH;

use matrix_core::CellKey;

use crate::digest::Digest;
use crate::names::Origin;

const FIRST_LINE: &str = "matrix-index 2\n";
const LAST_LINE: &str = "sha256 ";

/// No line of an entry is shorter: two digests, and words between them.
const LEAST_LINE: usize = 2 * 64 + 2 * 7;

/// What tells a file from its later versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    pub(crate) changed_ns: u128,
    pub(crate) inode: u64,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { size: metadata.len(), changed_ns: changed.map_or(0, |since| since.as_nanos()), inode }
    }
}

/// What the index knows of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: CellKey,
    pub(crate) origin: Origin,
    pub(crate) record: Stamp,
    pub(crate) object: Digest,
    pub(crate) compressed_bytes: u64,
    /// Whether a request was observed to its end.
    pub(crate) observed: bool,
}

/// Entries in order of key and origin.
#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: Vec<Entry>,
    /// How many entries stand before the first whose key begins with each two bytes: keys are digests, so that few begin
    /// alike.
    starts: Vec<u32>,
}

/// The first two bytes of a key.
fn start_of(key: &CellKey) -> usize {
    usize::from(u16::from_be_bytes([key.as_bytes()[0], key.as_bytes()[1]]))
}

impl Index {
    /// Reads an index, unless it is none of ours, or damaged.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let end = text.len().checked_sub(LAST_LINE.len() + 65)?;
        let (body, last) = text.split_at_checked(end)?;
        let digest: Digest = last.strip_prefix(LAST_LINE)?.strip_suffix('\n')?.parse().ok()?;
        if Digest::of(body.as_bytes()) != digest {
            return None;
        }
        let body = body.strip_prefix(FIRST_LINE)?;
        let mut entries: Vec<Entry> = Vec::with_capacity(body.len() / LEAST_LINE);
        for line in body.lines() {
            entries.push(parse_line(line)?);
        }
        let ordered = entries.windows(2).all(|pair| (&pair[0].key, &pair[0].origin) < (&pair[1].key, &pair[1].origin));
        ordered.then_some(Self { starts: starts(&entries)?, entries })
    }

    pub(crate) fn get(&self, key: &CellKey, origin: &Origin) -> Option<&Entry> {
        let start = start_of(key);
        let [from, to] = [start, start + 1].map(|at| self.starts.get(at).map_or(0, |before| *before as usize));
        let alike = self.entries.get(from..to)?;
        alike.iter().find(|entry| entry.key == *key && entry.origin == *origin)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// How many entries stand before those of each start of a key, and at last all; none if there are too many to count.
fn starts(entries: &[Entry]) -> Option<Vec<u32>> {
    u32::try_from(entries.len()).ok()?;
    let mut starts = vec![0; usize::from(u16::MAX) + 2];
    for entry in entries {
        starts[start_of(&entry.key) + 1] += 1;
    }
    let mut before = 0;
    for start in &mut starts {
        before += *start;
        *start = before;
    }
    Some(starts)
}

fn parse_line(line: &str) -> Option<Entry> {
    let mut words = line.split(' ');
    let entry = Entry {
        key: words.next()?.parse().ok()?,
        origin: words.next()?.parse().ok()?,
        record: Stamp {
            size: words.next()?.parse().ok()?,
            changed_ns: words.next()?.parse().ok()?,
            inode: words.next()?.parse().ok()?,
        },
        object: words.next()?.parse().ok()?,
        compressed_bytes: words.next()?.parse().ok()?,
        observed: match words.next()? {
            "0" => false,
            "1" => true,
            _ => return None,
        },
    };
    words.next().is_none().then_some(entry)
}

/// The text of an index.
pub(crate) fn render(entries: &BTreeMap<(CellKey, Origin), Entry>) -> String {
    let mut text = String::with_capacity(FIRST_LINE.len() + entries.len() * 200 + 80);
    text.push_str(FIRST_LINE);
    for Entry { key, origin, record, object, compressed_bytes, observed } in entries.values() {
        let Stamp { size, changed_ns, inode } = record;
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{key} {origin} {size} {changed_ns} {inode} {object} {compressed_bytes} {}",
            u8::from(*observed)
        );
    }
    let digest = Digest::of(text.as_bytes());
    let _ = writeln!(text, "{LAST_LINE}{digest}");
    text
}
