//! The bag (RFC 8493) around the payload: its four text files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use matrix_core::Tally;
use matrix_store::{Digest, Origin};

use crate::error::Refusal;
use crate::path;

/// The bag's declaration, whole.
pub const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// The declaration's file.
pub const BAGIT: &str = "bagit.txt";
/// What is said of the bag.
pub const BAG_INFO: &str = "bag-info.txt";
/// The digests of the payload.
pub const MANIFEST: &str = "manifest-sha256.txt";
/// The digests of the other three.
pub const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";

/// The page of results in a payload, where there is one.
pub const REPORT: &str = "data/report.html";
/// The program in a payload, where there is one: the only file that can be run.
pub const BINARY: &str = "data/bin/matrix";

/// The files of the bag itself, in the order in which they stand in a bundle.
pub const TAG_FILES: [&str; 4] = [BAGIT, BAG_INFO, MANIFEST, TAG_MANIFEST];

/// A manifest: the digest of each file, by path.
pub fn render_manifest<'a>(files: impl IntoIterator<Item = (&'a str, Digest)>) -> String {
    let mut text = String::new();
    for (path, digest) in files {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{digest}  {path}");
    }
    text
}

/// Reads a manifest in the one form that ours have: sorted, every path once, two spaces.
pub fn parse_manifest(bytes: &[u8], max_entries: u64) -> Result<Vec<(String, Digest)>, Refusal> {
    let bad = |line: usize, what: &str| Refusal::Contents(format!("line {line}: {what}"));
    let mut files: Vec<(String, Digest)> = Vec::new();
    let body = match bytes {
        [] => bytes,
        [body @ .., b'\n'] => body,
        _ => return Err(Refusal::Contents("its last line has no end".to_owned())),
    };
    for (number, line) in body.split(|&byte| byte == b'\n').filter(|_| !bytes.is_empty()).enumerate() {
        let number = number + 1;
        if number as u64 > max_entries {
            return Err(Refusal::TooManyEntries { max: max_entries });
        }
        let (digest, rest) = line.split_at_checked(64).ok_or_else(|| bad(number, "it is too short"))?;
        let digest = str::from_utf8(digest).ok().and_then(|digest| digest.parse().ok());
        let digest = digest.ok_or_else(|| bad(number, "it does not begin with a SHA-256"))?;
        let name = rest.strip_prefix(b"  ").ok_or_else(|| bad(number, "two spaces have to follow the SHA-256"))?;
        let path = path::parse(name).map_err(|why| bad(number, &why.to_string()))?;
        if files.last().is_some_and(|(before, _)| before.as_str() > path) {
            return Err(bad(number, "it is not in order"));
        }
        files.push((path.to_owned(), digest));
    }
    path::collisions(files.iter().map(|(path, _)| path.as_str()))
        .map_err(|(path, why)| Refusal::Contents(format!("`{path}`: {why}")))?;
    Ok(files)
}

/// Renders what is said of a bag: `name: value` lines, in order of the names.
pub fn render_info(fields: &BTreeMap<&'static str, String>) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ = writeln!(text, "{name}: {value}");
    }
    text
}

/// What is said of every bag of results.
#[derive(Debug)]
pub struct About<'a> {
    /// What made it.
    pub agent: &'a str,
    /// Its format.
    pub format: &'a str,
    /// When its last attempt ended: a day.
    pub date: &'a str,
    /// What it holds, in words.
    pub description: String,
    /// Where its cells stand.
    pub cells: &'a Tally,
    /// Names of its experiments.
    pub experiments: &'a BTreeSet<String>,
    /// Who measured.
    pub origins: &'a BTreeSet<Origin>,
    /// Bytes of its payload.
    pub payload_bytes: u64,
    /// Files of its payload.
    pub files: u64,
}

impl About<'_> {
    /// The fields, by name.
    #[must_use]
    pub fn fields(self) -> BTreeMap<&'static str, String> {
        let Self { agent, format, date, description, cells, experiments, origins, payload_bytes, files } = self;
        let join = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        BTreeMap::from([
            (AGENT_FIELD, agent.to_owned()),
            ("Bagging-Date", date.to_owned()),
            ("External-Description", description),
            (FORMAT_FIELD, format.to_owned()),
            ("Matrix-Cells-Done", cells.done.to_string()),
            ("Matrix-Cells-Failed", cells.failed.to_string()),
            ("Matrix-Cells-Pending", cells.pending.to_string()),
            ("Matrix-Cells-Planned", cells.planned().to_string()),
            ("Matrix-Complete", if cells.done == cells.planned() { "yes" } else { "no" }.to_owned()),
            ("Matrix-Experiments", join(experiments.iter().map(String::as_str).collect())),
            ("Matrix-Origins", join(origins.iter().map(Origin::as_str).collect())),
            ("Payload-Oxum", format!("{payload_bytes}.{files}")),
        ])
    }
}

/// Reads what is said of a bag.
pub fn parse_info(bytes: &[u8]) -> Result<BTreeMap<String, String>, Refusal> {
    let bad = |what: String| Refusal::Contents(what);
    let text = str::from_utf8(bytes).map_err(|error| bad(error.to_string()))?;
    let mut fields = BTreeMap::new();
    for line in text.lines() {
        let (name, value) = line.split_once(": ").ok_or_else(|| bad(format!("`{line}` is no `name: value`")))?;
        if fields.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(bad(format!("`{name}` appears twice")));
        }
    }
    Ok(fields)
}

/// The payload's folder.
pub const PAYLOAD: &str = "data/";

/// What makes bundles here, as they say it.
pub const AGENT: &str = concat!("matrix ", env!("CARGO_PKG_VERSION"));

/// Where a bag says what made it.
pub const AGENT_FIELD: &str = "Bag-Software-Agent";

/// Where a bag says which format it has.
pub const FORMAT_FIELD: &str = "Matrix-Bundle-Format";

/// The formats that there are: 1 and 2 of traces, 3 of any program.
pub const FORMATS: [&str; 3] = ["1", "2", "3"];

/// The manifest of the bag's own files, in order of their names.
pub fn tag_manifest<'a>(files: impl IntoIterator<Item = (&'a str, Digest)>) -> String {
    let files: BTreeMap<&str, Digest> = files.into_iter().collect();
    render_manifest(files)
}

/// The folder that the name of the bag's first file tells.
pub fn folder_of(first: &str) -> Result<String, Refusal> {
    match first.split_once('/') {
        Some((folder, name)) if name == TAG_FILES[0] && folder.ends_with("-bundle") => Ok(folder.to_owned()),
        _ => Err(Refusal::OutOfOrder { expected: format!("<name>-bundle/{}", TAG_FILES[0]) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_comes_back() {
        let files = [("data/a", Digest::of(b"a")), ("data/b/c", Digest::of(b"c"))];
        let text = render_manifest(files);
        let read = parse_manifest(text.as_bytes(), 10).unwrap();
        assert_eq!(read.iter().map(|(path, digest)| (path.as_str(), *digest)).collect::<Vec<_>>(), files);
        assert_eq!(parse_manifest(b"", 10), Ok(Vec::new()));
        assert_eq!(parse_manifest(text.as_bytes(), 1), Err(Refusal::TooManyEntries { max: 1 }));
    }

    #[test]
    fn other_manifests_are_refused() {
        let digest = Digest::of(b"");
        for (bad, what) in [
            (format!("{digest}  data/a"), "its last line has no end"),
            (format!("{digest} data/a\n"), "line 1: two spaces have to follow the SHA-256"),
            (format!("{digest}  ../a\n"), "line 1: its name has an empty, `.` or `..` part"),
            (format!("{digest}  /a\n"), "line 1: its name is absolute"),
            (format!("{digest}  b\n{digest}  a\n"), "line 2: it is not in order"),
            (format!("{digest}  a\n{digest}  a\n"), "`a`: the name appears twice"),
            (format!("{digest}  A\n{digest}  a\n"), "`a`: its name differs from `A` only in case"),
            (format!("{digest}  a\n{digest}  a/b\n"), "`a/b`: `a` would have to be a file and a folder"),
            ("\n".to_owned(), "line 1: it is too short"),
            (format!("{}  a\n", "z".repeat(64)), "line 1: it does not begin with a SHA-256"),
        ] {
            assert_eq!(parse_manifest(bad.as_bytes(), 10), Err(Refusal::Contents(what.to_owned())), "{bad}");
        }
    }
}
