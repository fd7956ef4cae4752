//! The files of a folder of figures that are ours: listed with their digests, so that those of an earlier experiment can go
//! when new ones are drawn, and what a person put or changed there stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_store::Digest;

use crate::cli::PictureFormat;
use crate::exit::Failure;
use crate::output;

/// The list of post-notification's figures, in the form of `sha256sum`.
pub(crate) const LIST: &str = ".drawn.sha256";

/// Ends of the files of a figure; the last one is of those that are tables in LaTeX.
const ENDS: [&str; 4] = ["csv", "svg", "png", "tex"];

/// A folder that figures are drawn into.
pub(crate) struct Drawn<'a> {
    folder: &'a Path,
    list: PathBuf,
    formats: &'a [PictureFormat],
    /// What was drawn before, as the list says.
    before: BTreeMap<String, Digest>,
    now: BTreeMap<String, Digest>,
    /// Figures whose table is what it was: what was drawn of it before in other formats is still right.
    same: BTreeSet<String>,
}

impl<'a> Drawn<'a> {
    /// Opens a folder, which is made if need be, to draw in these formats. `list` is the name of its list.
    pub(crate) fn open(folder: &'a Path, list: &str, formats: &'a [PictureFormat]) -> Result<Self, Failure> {
        output::make_folder(folder)?;
        let list = folder.join(list);
        let text = std::fs::read_to_string(&list).unwrap_or_default();
        let entry = |line: &str| {
            let (digest, name) = line.split_once("  ")?;
            figure_of(name).and(Some((name.to_owned(), digest.parse().ok()?)))
        };
        let before = text.lines().filter_map(entry).collect();
        Ok(Self { folder, list, formats, before, now: BTreeMap::new(), same: BTreeSet::new() })
    }

    /// Writes the files of a figure, its table first, and returns where its pictures are.
    pub(crate) fn figure(&mut self, figure: &str, files: &[(String, Vec<u8>)]) -> Result<Vec<PathBuf>, Failure> {
        let mut pictures = Vec::new();
        for (name, bytes) in files {
            let is_written = self.write(name, bytes)?;
            if !name.ends_with(".csv") {
                pictures.push(self.folder.join(name));
            } else if !is_written {
                self.same.insert(figure.to_owned());
            }
        }
        Ok(pictures)
    }

    /// Writes a file that is of no figure, and returns where it is.
    pub(crate) fn file(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        self.write(name, bytes)?;
        Ok(self.folder.join(name))
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<bool, Failure> {
        self.now.insert(name.to_owned(), Digest::of(bytes));
        output::write_file(&self.folder.join(name), bytes)
    }

    /// Removes what earlier results left of these figures, and writes the list. Where they are `all` that there are, what is
    /// listed of others goes as well. What was changed since, or is not listed, is named.
    pub(crate) fn finish(mut self, figures: &[&str], all: bool) -> Result<(), Failure> {
        let (mut removed, mut left) = (0, Vec::new());
        let of_figures = figures.iter().flat_map(|figure| ENDS[..3].iter().map(move |end| format!("{figure}.{end}")));
        let names: BTreeSet<String> = self.before.keys().cloned().chain(of_figures).collect();
        for name in names {
            let before = self.before.get(&name).copied();
            let path = self.folder.join(&name);
            if self.now.contains_key(&name) || !path.exists() {
                continue;
            }
            if !self.is_stale(&name, figures, all) {
                self.now.extend(before.map(|digest| (name, digest)));
            } else if before.is_some_and(|digest| std::fs::read(&path).is_ok_and(|it| Digest::of(&it) == digest)) {
                std::fs::remove_file(&path).map_err(|error| output::unwritable(&path, &error))?;
                removed += 1;
            } else {
                left.push(output::path(&path));
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
        if list.is_empty() && self.before.is_empty() {
            return Ok(());
        }
        output::write_file(&self.list, list.as_bytes()).map(drop)
    }

    /// Whether a file that was not drawn now shows earlier results: its figure was asked for, and either has another table or
    /// is no longer drawn in this format.
    fn is_stale(&self, name: &str, figures: &[&str], all: bool) -> bool {
        let Some((figure, end)) = figure_of(name) else { return false };
        let is_other_format = match end {
            "svg" => !self.formats.contains(&PictureFormat::Svg),
            "png" => !self.formats.contains(&PictureFormat::Png),
            _ => false,
        };
        (all || figures.contains(&figure)) && !(is_other_format && self.same.contains(figure))
    }
}

/// The figure that a file is named by, and the file's end.
fn figure_of(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('.').filter(|(figure, end)| ENDS.contains(end) && !figure.is_empty() && !figure.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [PictureFormat; 2] = [PictureFormat::Svg, PictureFormat::Png];

    /// Draws figures, of which each file has this text, and returns what is in the folder then.
    fn draw(folder: &Path, formats: &[PictureFormat], drawn: &[(&str, &[&str], &str)], all: bool) -> Vec<String> {
        let mut open = Drawn::open(folder, LIST, formats).unwrap();
        for (figure, ends, text) in drawn {
            let file = |end: &&str| (format!("{figure}.{end}"), text.as_bytes().to_vec());
            open.figure(figure, &ends.iter().map(file).collect::<Vec<_>>()).unwrap();
        }
        open.finish(&drawn.iter().map(|(figure, ..)| *figure).collect::<Vec<_>>(), all).unwrap();
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != LIST).collect::<BTreeSet<_>>().into_iter().collect()
    }

    #[test]
    fn what_is_no_longer_drawn_goes_and_what_a_person_made_or_changed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let pictures: &[&str] = &["csv", "svg", "png"];
        draw(folder, &BOTH, &[("a", pictures, "1"), ("b", pictures, "1"), ("t", &["csv", "tex"], "1")], true);
        std::fs::write(folder.join("b.svg"), "changed").unwrap();
        std::fs::write(folder.join("own.svg"), "1").unwrap();
        // Of one figure that is asked for, the others are not touched.
        let left = ["a.csv", "a.png", "a.svg", "b.csv", "b.png", "b.svg", "own.svg", "t.csv", "t.tex"];
        assert_eq!(draw(folder, &BOTH, &[("a", pictures, "1")], false), left);
        assert_eq!(draw(folder, &BOTH, &[("a", pictures, "1")], true), ["a.csv", "a.png", "a.svg", "b.svg", "own.svg"]);
        // Asked for, and without a number.
        assert_eq!(draw(folder, &BOTH, &[("a", &[], "")], true), ["b.svg", "own.svg"]);
    }

    #[test]
    fn a_picture_in_another_format_stays_while_its_table_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        draw(folder, &BOTH, &[("a", &["csv", "svg", "png"], "1")], true);
        let svg = [PictureFormat::Svg];
        assert_eq!(draw(folder, &svg, &[("a", &["csv", "svg"], "1")], false), ["a.csv", "a.png", "a.svg"]);
        assert_eq!(draw(folder, &svg, &[("a", &["csv", "svg"], "2")], false), ["a.csv", "a.svg"]);
        // It is a table now, of the same numbers.
        assert_eq!(draw(folder, &BOTH, &[("a", &["csv", "tex"], "2")], false), ["a.csv", "a.tex"]);
        assert_eq!(draw(folder, &BOTH, &[("a", &["csv", "svg"], "2")], false), ["a.csv", "a.svg"]);
    }
}
