//! What is in a project's folder.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Most files that are looked at.
const MOST: usize = 50_000;

/// Most bytes of a file that are read.
const LONGEST: u64 = 1 << 20;

/// Folders of tools, which are no part of what an author wrote.
const PASSED_OVER: [&str; 9] =
    [".git", "target", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".direnv", ".mypy_cache"];

/// The files below a folder.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    root: PathBuf,
    /// Paths below the root, with `/` between their parts, and each file's length.
    files: BTreeMap<String, u64>,
    /// Links that lead nowhere.
    pub(crate) broken: Vec<String>,
    /// Whether there are more files than were looked at.
    pub(crate) is_cut: bool,
}

impl Tree {
    /// Lists a project's folder: the files next to its top first, so that many files of data hide no README. Links to folders
    /// are not followed.
    ///
    /// # Errors
    /// When a folder cannot be read, with its path.
    pub fn read(root: &Path) -> io::Result<Self> {
        Self::read_some(root, MOST)
    }

    fn read_some(root: &Path, most: usize) -> io::Result<Self> {
        let mut tree = Self { root: root.to_owned(), ..Self::default() };
        let mut folders = VecDeque::from([String::new()]);
        while let Some(prefix) = folders.pop_front() {
            let folder = root.join(&prefix);
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
            for name in names(&folder).map_err(named)? {
                let (path, place) = (format!("{prefix}{name}"), folder.join(&name));
                let is_link = place.is_symlink();
                // Nothing is there where a link leads nowhere, or what was there is gone.
                let Ok(found) = fs::metadata(&place) else {
                    tree.broken.extend(is_link.then_some(path));
                    continue;
                };
                // A store of results is judged as results.
                if found.is_dir() {
                    if !is_link && !PASSED_OVER.contains(&name.as_str()) && !place.join("store.toml").is_file() {
                        folders.push_back(format!("{path}/"));
                    }
                } else if tree.files.len() >= most {
                    tree.is_cut = true;
                    return Ok(tree);
                } else if found.is_file() {
                    // Not a pipe: to open one would wait for somebody who writes.
                    tree.files.insert(path, found.len());
                }
            }
        }
        Ok(tree)
    }

    /// Every file.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The files at the top.
    pub(crate) fn top(&self) -> impl Iterator<Item = &str> {
        self.files().filter(|path| !path.contains('/'))
    }

    /// The files whose last part, in small letters, is like this.
    pub(crate) fn named<'a>(&'a self, is: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = &'a str> {
        self.files().filter(move |path| is(&name(path).to_lowercase()))
    }

    /// Whether anything is below a folder.
    pub(crate) fn has_folder(&self, folder: &str) -> bool {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        self.files.range(prefix.clone()..).next().is_some_and(|(path, _)| path.starts_with(&prefix))
    }

    /// A file's length.
    pub(crate) fn length(&self, path: &str) -> u64 {
        self.files.get(path).copied().unwrap_or(0)
    }

    /// The beginning of a file as text; nothing where it cannot be read.
    pub(crate) fn text(&self, path: &str) -> String {
        let mut bytes = Vec::new();
        let read = fs::File::open(self.root.join(path)).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
        if read.is_ok() { String::from_utf8_lossy(&bytes).into_owned() } else { String::new() }
    }
}

/// The names in a folder, in order.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// The last part of a path.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What follows the last dot of a file's name.
pub(crate) fn ending(path: &str) -> &str {
    name(path).rsplit_once('.').map_or("", |(_, ending)| ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_of_data_hide_no_readme() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        for number in 0..20 {
            fs::write(folder.path().join(format!("a/{number}")), "").unwrap();
        }
        fs::write(folder.path().join("readme"), "").unwrap();
        let tree = Tree::read_some(folder.path(), 10).unwrap();
        assert!(tree.is_cut && tree.files().count() == 10);
        assert_eq!(tree.top().collect::<Vec<_>>(), ["readme"]);
        let tree = Tree::read(folder.path()).unwrap();
        assert!(!tree.is_cut && tree.files().count() == 21);
    }

    #[test]
    #[cfg(unix)]
    fn a_pipe_is_no_file_and_neither_is_a_link_to_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(place("README.md")).status().unwrap();
        assert!(made.success());
        std::os::unix::fs::symlink(folder.path(), place("loop")).unwrap();
        std::os::unix::fs::symlink("nothing", place("gone")).unwrap();
        fs::write(place("LICENSE"), "MIT").unwrap();
        std::os::unix::fs::symlink("LICENSE", place("COPYING")).unwrap();
        let tree = Tree::read(folder.path()).unwrap();
        assert_eq!(tree.files().collect::<Vec<_>>(), ["COPYING", "LICENSE"]);
        assert_eq!(tree.broken, ["gone"]);
        assert_eq!(tree.text("COPYING"), "MIT");
    }
}
