//! Tells the program what built it, for the provenance of attempts, and gives it its own source, for bundles.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the program is built from, at the top of the workspace: with these files and a toolchain it can be built again.
/// Other folders (tests of the binary, plots, the guide) are not compiled.
const SOURCE: &[&str] = &[
    "CITATION.cff",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "build.rs",
    "clippy.toml",
    "crates",
    "experiments",
    "lambdas",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "src",
    "workloads",
];

fn main() {
    let top = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    tell("MATRIX_TOOLCHAIN", output(&rustc, &["--version"]));
    tell("MATRIX_TARGET", std::env::var("TARGET").ok());
    // A source that lies in a repository of something else has no commit of its own.
    if output("git", &["rev-parse", "--show-prefix"]).is_some_and(|prefix| prefix.is_empty()) {
        tell("MATRIX_COMMIT", output("git", &["rev-parse", "HEAD"]));
        let changes = output("git", &["status", "--porcelain", "--untracked-files=no"]);
        tell("MATRIX_DIRTY", changes.map(|changes| u8::from(!changes.is_empty()).to_string()));
        for name in ["HEAD", "index"] {
            let path = output("git", &["rev-parse", "--git-path", name]);
            if let Some(path) = path.filter(|path| Path::new(path).exists()) {
                println!("cargo:rerun-if-changed={path}");
            }
        }
    }
    if let Err(error) = embed(&top) {
        println!("cargo::error=embedding the source: {error}");
    }
}

/// Writes `source.rs`: every file of the source by its path, embedded by the compiler as it compiles them.
fn embed(top: &Path) -> std::io::Result<()> {
    let mut files = Vec::new();
    // Clones may share a target directory: what was embedded from one that has gone is embedded anew.
    println!("cargo:rerun-if-changed={}", top.join("Cargo.toml").display());
    for name in SOURCE {
        let path = top.join(name);
        if path.exists() {
            println!("cargo:rerun-if-changed={name}");
            walk(&path, name, &mut files)?;
        }
    }
    files.sort();
    let mut text = "[\n".to_owned();
    for (name, path) in &files {
        // Writing to a string does not fail.
        let _ = writeln!(text, "    ({name:?}, include_bytes!({:?}).as_slice()),", path.display().to_string());
    }
    text.push_str("]\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    std::fs::write(out.join("source.rs"), text)
}

/// Adds a file, or the files of a folder except those of tools: hidden ones, other builds, backups and unreviewed
/// snapshots.
fn walk(path: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push((name.to_owned(), path.to_owned()));
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let part = entry.file_name().to_string_lossy().into_owned();
        let of_a_tool = part.starts_with('.')
            || part == "target"
            || [".snap.new", "~", ".orig", ".rej"].iter().any(|end| part.ends_with(end));
        if !of_a_tool {
            walk(&entry.path(), &format!("{name}/{part}"), files)?;
        }
    }
    Ok(())
}

/// What a command prints, if it can be run: a source without git has no commit.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn tell(name: &str, value: Option<String>) {
    if let Some(value) = value {
        println!("cargo:rustc-env={name}={value}");
    }
}
