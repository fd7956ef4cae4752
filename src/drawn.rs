//! The files of a folder of figures that are ours: listed with their digests, so that those of an earlier experiment can go
//! when new ones are drawn, and what a person put or changed there stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_presets::Figure;
use matrix_store::Digest;

use crate::exit::Failure;
use crate::output;

/// The list, in the form of `sha256sum`.
const LIST: &str = ".drawn.sha256";

/// Ends of the files of a figure.
const ENDS: [&str; 3] = ["csv", "svg", "png"];

/// A folder that figures are drawn into.
pub(crate) struct Drawn<'a> {
    folder: &'a Path,
    /// What was drawn before, as the list says.
    before: BTreeMap<String, Digest>,
    now: BTreeMap<String, Digest>,
    /// Figures whose table is what it was: what was drawn of it before is still right.
    same: BTreeSet<Figure>,
}

impl<'a> Drawn<'a> {
    /// Opens a folder, which is made if need be.
    pub(crate) fn open(folder: &'a Path) -> Result<Self, Failure> {
        output::make_folder(folder)?;
        let text = std::fs::read_to_string(folder.join(LIST)).unwrap_or_default();
        let entry = |line: &str| {
            let (digest, name) = line.split_once("  ")?;
            figure_of(name).and(Some((name.to_owned(), digest.parse().ok()?)))
        };
        let before = text.lines().filter_map(entry).collect();
        Ok(Self { folder, before, now: BTreeMap::new(), same: BTreeSet::new() })
    }

    /// Writes the table of a figure.
    pub(crate) fn table(&mut self, figure: Figure, csv: &str) -> Result<(), Failure> {
        if !self.write(&format!("{figure}.csv"), csv.as_bytes())? {
            self.same.insert(figure);
        }
        Ok(())
    }

    /// Writes a picture, and returns where it is.
    pub(crate) fn picture(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        self.write(name, bytes)?;
        Ok(self.folder.join(name))
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<bool, Failure> {
        self.now.insert(name.to_owned(), Digest::of(bytes));
        output::write_file(&self.folder.join(name), bytes)
    }

    /// Removes what earlier results left of these figures, and writes the list. What was changed since, or is not listed,
    /// is named.
    pub(crate) fn finish(mut self, figures: &[Figure]) -> Result<(), Failure> {
        let (mut removed, mut left) = (0, Vec::new());
        for figure in Figure::ALL {
            for name in ENDS.map(|end| format!("{figure}.{end}")) {
                let before = self.before.get(&name).copied();
                let path = self.folder.join(&name);
                if self.now.contains_key(&name) || !path.exists() {
                    continue;
                }
                if !figures.contains(&figure) || self.same.contains(&figure) {
                    self.now.extend(before.map(|digest| (name, digest)));
                } else if before.is_some_and(|digest| std::fs::read(&path).is_ok_and(|it| Digest::of(&it) == digest)) {
                    std::fs::remove_file(&path).map_err(|error| output::unwritable(&path, &error))?;
                    removed += 1;
                } else {
                    left.push(output::path(&path));
                }
            }
        }
        if removed > 0 {
            let folder = output::path(self.folder);
            output::note(format_args!("removed from {folder}: {removed} files that were drawn from earlier results"));
        }
        if !left.is_empty() {
            let left = left.join(", ");
            output::note(format_args!(
                "note: not drawn from these results, and not removed as `plot` did not write them so: {left}"
            ));
        }
        let list: String = self.now.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
        output::write_file(&self.folder.join(LIST), list.as_bytes()).map(drop)
    }
}

/// The figure that a file is named by.
fn figure_of(name: &str) -> Option<Figure> {
    let (stem, end) = name.rsplit_once('.')?;
    stem.parse().ok().filter(|_| ENDS.contains(&end))
}
