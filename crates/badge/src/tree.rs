//! What is in a project's folder.

use std::collections::BTreeMap;
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
    /// Lists a project's folder. Links are not followed.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self { root: root.to_owned(), ..Self::default() };
        tree.folder(root, "")?;
        Ok(tree)
    }

    fn folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if self.files.len() >= MOST {
                self.is_cut = true;
            } else if kind.is_dir() {
                // A store of results is judged as results.
                if !PASSED_OVER.contains(&name.as_str()) && !entry.path().join("store.toml").is_file() {
                    self.folder(&entry.path(), &format!("{path}/"))?;
                }
            } else if kind.is_symlink() && fs::metadata(entry.path()).is_err() {
                self.broken.push(path);
            } else {
                self.files.insert(path, entry.metadata()?.len());
            }
        }
        Ok(())
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

/// The last part of a path.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What follows the last dot of a file's name.
pub(crate) fn ending(path: &str) -> &str {
    name(path).rsplit_once('.').map_or("", |(_, ending)| ending)
}
