//! Stock tools read bundles.

use std::fs;
use std::process::{Command, Stdio};

use super::fixture::{Fate, TestRun, archive, bundle, files, reader, tempdir};
use crate::extract;
use matrix_bundle::Extraction;

#[test]
fn tar_and_sha256sum_alone_check_a_bundle() {
    let bytes = bundle(&TestRun::new(&[(0, Fate::Done(1)), (100, Fate::Failed)]));
    let directory = tempdir();
    fs::write(directory.path().join("bundle.tar"), archive(&bytes)).unwrap();
    let run = |program: &str, arguments: &[&str], folder: &str| {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(directory.path().join(folder))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{program}: {said}");
    };
    run("tar", &["-xf", "bundle.tar"], "");
    run("sha256sum", &["--check", "--strict", "--quiet", "manifest-sha256.txt"], "test-bundle");
    run("sha256sum", &["--check", "--strict", "--quiet", "tagmanifest-sha256.txt"], "test-bundle");
    let ours = directory.path().join("ours");
    extract(reader(&bytes).unwrap(), &ours, Extraction::default()).unwrap();
    assert!(files(&ours) == files(&directory.path().join("test-bundle")));
}
