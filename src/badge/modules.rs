//! The modules that a crate's files declare: each has a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files of a crate that its other files declare as modules, and that are not there. `src` is the crate's folder of sources.
pub(super) fn missing(src: &Path) -> BTreeSet<PathBuf> {
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
        let folder = folder_of(&file, src);
        let mut path = None;
        for line in text.lines() {
            let told = path.take();
            path = line.trim().strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]"));
            let Some(name) = declared(line) else { continue };
            // A path is told from where the file is; what such a file declares is not looked for.
            if let Some(place) = told.map(|told| file.parent().unwrap_or(src).join(told)) {
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
        write("a/c.rs", "");
        write("b/mod.rs", "mod d;\n");
        write("bin/other.rs", "mod e;\n");
        let names = |missing: BTreeSet<PathBuf>| -> Vec<String> {
            let name = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().display().to_string();
            missing.iter().map(name).collect()
        };
        assert_eq!(names(missing(folder.path())), ["b/d.rs", "bin/e.rs"]);
        std::fs::remove_file(folder.path().join("a/c.rs")).unwrap();
        assert_eq!(names(missing(folder.path())), ["a/c.rs", "b/d.rs", "bin/e.rs"]);
        assert!(missing(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).is_empty());
    }
}
