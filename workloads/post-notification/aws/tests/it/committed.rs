//! The templates that are committed for people to read: those of all stores, in the original's regions.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use matrix_aws::SetupRequest;

use crate::requests::{full, stacks};
use crate::yaml;

/// Set, the test writes the files instead of comparing them.
const UPDATE: &str = "MATRIX_UPDATE_TEMPLATES";

pub(crate) fn folder() -> PathBuf {
    // Asked for now: what was built for one clone may serve another that shares its target directory.
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("templates")
}

/// Whose the stack is: `writer-eu` or `reader-us`.
fn role(request: &SetupRequest, aws: &str) -> String {
    let short = request.regions.by_aws_name(aws).unwrap();
    let side = if *short == request.writer { "writer" } else { "reader" };
    format!("{side}-{short}")
}

#[test]
fn committed_templates_are_those_that_are_made() {
    let request = full();
    let update = std::env::var_os(UPDATE).is_some();
    let mut expected = BTreeSet::new();
    for stack in stacks(&request) {
        let folder = folder().join(role(&request, &stack.id.region));
        let file = folder.join(format!("{}.yaml", stack.id.name));
        let text = format!(
            "# Stack {}: {}.\n# Made by the code: `{UPDATE}=1 cargo test -p matrix-aws --test it committed::` writes it anew.\n{}",
            stack.id,
            stack.purpose,
            yaml::write(&stack.template)
        );
        if update {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &text).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert!(committed == text, "{} is not what is made: set {UPDATE}=1 and run this test", file.display());
        assert_eq!(yaml::read(&committed), stack.template, "{}", file.display());
        expected.insert(file);
    }
    let folders = fs::read_dir(folder()).unwrap().map(|folder| folder.unwrap().path());
    let found: BTreeSet<PathBuf> =
        folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path()).collect();
    assert_eq!(found, expected, "files that no stack has");
}
