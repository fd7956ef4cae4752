//! What a crate's files declare as modules or include: each is a file.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Files of a crate that its other files declare as modules or include as text or bytes, and that are not there. `src` is
/// the crate's folder of sources; what is included from beyond the folder `own` is not looked for.
pub(super) fn missing(src: &Path, own: &Path) -> BTreeSet<PathBuf> {
    let binaries =
        std::fs::read_dir(src.join("bin")).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut waiting: Vec<PathBuf> = binaries.filter(|path| path.extension().is_some_and(|it| it == "rs")).collect();
    waiting.extend([src.join("lib.rs"), src.join("main.rs")]);
    let (mut missing, mut seen) = (BTreeSet::new(), BTreeSet::new());
    while let Some(file) = waiting.pop() {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        if !seen.insert(file.clone()) {
            continue;
        }
        let (folder, here) = (folder_of(&file, src), file.parent().unwrap_or(src));
        let included = included(&text).map(|path| plain(&here.join(path)));
        missing.extend(included.filter(|path| path.starts_with(own) && !path.is_file()));
        let mut path = None;
        for line in text.lines() {
            let told = path.take();
            path = line.trim().strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]"));
            let Some(name) = declared(line) else { continue };
            // A path is told from where the file is; what such a file declares is not looked for.
            if let Some(place) = told.map(|told| plain(&here.join(told))) {
                missing.extend((!place.is_file()).then_some(place));
                continue;
            }
            let places = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
            match places.iter().find(|place| place.is_file()) {
                Some(place) => waiting.push(place.clone()),
                None => drop(missing.insert(folder.join(format!("{name}.rs")))),
            }
        }
    }
    missing
}

/// The paths that a text includes, where they are written out.
fn included(text: &str) -> impl Iterator<Item = &str> {
    let calls = ["include_str!(\"", "include_bytes!(\"", "include!(\""];
    calls.into_iter().flat_map(|call| text.split(call).skip(1)).filter_map(|rest| Some(rest.split_once("\")")?.0))
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        if part == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
        plain
    })
}

/// Where the modules of a file are.
fn folder_of(file: &Path, src: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(src);
    let stem = file.file_stem().unwrap_or_default();
    let is_root = folder == src && (stem == "lib" || stem == "main") || folder == src.join("bin");
    if is_root || stem == "mod" { folder.to_path_buf() } else { folder.join(stem) }
}

/// The module that a line declares in a file of its own: `mod name;`, whoever may see it.
fn declared(line: &str) -> Option<&str> {
    let (before, name) = line.trim().strip_suffix(';')?.rsplit_once("mod ")?;
    let is_name = !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    let is_visibility = before.is_empty() || before == "pub " || before.starts_with("pub(") && before.ends_with(") ");
    (is_name && is_visibility).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_declared_by_a_line_of_its_own() {
        for (line, name) in [
            ("mod a;", Some("a")),
            ("    pub(in crate::b) mod a_1;", Some("a_1")),
            ("pub mod a;", Some("a")),
            ("mod tests {", None),
            ("//! mod a;", None),
            ("let modulus = 3 mod 2;", None),
            ("use a::mod_b;", None),
        ] {
            assert_eq!(declared(line), name, "{line}");
        }
    }

    #[test]
    fn nothing_of_this_crate_is_missing_and_what_is_taken_away_is() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("main.rs", "mod a;\nmod b;\n");
        write("a.rs", "pub(crate) mod c;\n#[path = \"elsewhere.rs\"]\nmod tests;\n");
        write("elsewhere.rs", "");
        write("b/mod.rs", "mod d;\n");
        write("bin/other.rs", "mod e;\n");
        write(
            "a/c.rs",
            "const TEXT: &str = include_str!(\"../text\");\nlet bytes = include_bytes!(\"../../LICENSE\");\n",
        );
        let names = |missing: BTreeSet<PathBuf>| -> Vec<String> {
            let name = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().display().to_string();
            missing.iter().map(name).collect()
        };
        let missing = |folder: &Path| missing(folder, folder);
        assert_eq!(names(missing(folder.path())), ["b/d.rs", "bin/e.rs", "text"]);
        write("text", "");
        assert_eq!(names(missing(folder.path())), ["b/d.rs", "bin/e.rs"]);
        std::fs::remove_file(folder.path().join("a/c.rs")).unwrap();
        assert_eq!(names(missing(folder.path())), ["a/c.rs", "b/d.rs", "bin/e.rs"]);
        assert!(missing(&Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("src")).is_empty());
    }
}
