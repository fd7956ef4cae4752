//! Tells the program what built it: for the provenance of attempts.

use std::process::Command;

fn main() {
    for path in ["src", "crates", "Cargo.toml", "Cargo.lock", ".git/HEAD", ".git/index"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    tell("MATRIX_TOOLCHAIN", output(&rustc, &["--version"]));
    tell("MATRIX_COMMIT", output("git", &["rev-parse", "HEAD"]));
    let changes = output("git", &["status", "--porcelain", "--untracked-files=no"]);
    tell("MATRIX_DIRTY", changes.map(|changes| u8::from(!changes.is_empty()).to_string()));
    tell("MATRIX_TARGET", std::env::var("TARGET").ok());
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
