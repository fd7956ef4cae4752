//! Validated by cfn-lint, which knows the services' own schemas of resources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::committed::folder;
use crate::requests::{all, full, stacks};
use crate::tools::{cache, installed};

/// cfn-lint: installed for the tests, or the one that `MATRIX_CFN_LINT` names.
fn cfn_lint() -> PathBuf {
    if let Some(tool) = std::env::var_os("MATRIX_CFN_LINT") {
        return tool.into();
    }
    installed(&cache(), "bin/cfn-lint").unwrap()
}

#[test]
fn without_cfn_lint_it_is_said_how_to_install_it() {
    let error = installed(Path::new("/nowhere"), "bin/cfn-lint").unwrap_err();
    assert!(error.ends_with("cfn-lint is missing: run scripts/install-test-needs"), "{error}");
}

/// An empty directory of that name.
fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::create_dir_all(&directory).unwrap();
    directory
}

const REGIONS: [&str; 3] = ["eu-central-1", "us-east-1", "ap-southeast-1"];

/// What cfn-lint has against templates, in each of the regions: exit code, and problems. Warnings count.
fn lint<P: AsRef<Path>>(templates: &[P], regions: &[&str]) -> (i32, Vec<Value>) {
    let mut command = Command::new(cfn_lint());
    command.arg("--regions").args(regions).args(["--format", "json", "--template"]);
    let output = command.args(templates.iter().map(AsRef::as_ref)).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let problems = serde_json::from_str(&told);
    let problems = problems.unwrap_or_else(|_| panic!("{told}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), problems)
}

#[test]
fn cfn_lint_finds_nothing_in_any_template() {
    let directory = directory("templates");
    let requests = all();
    let templates: BTreeSet<String> = requests.iter().flat_map(stacks).map(|stack| stack.template_body()).collect();
    let mut files = Vec::new();
    for (number, template) in templates.iter().enumerate() {
        files.push(directory.join(format!("{number}.json")));
        fs::write(&files[number], template).unwrap();
    }
    println!("{} different templates of {} requests", files.len(), requests.len());
    assert!(files.len() > 100, "{}", files.len());
    // Regions differ in the resources that they have, all of which are in the committed files. It uses one processor each.
    let halves: Vec<&[PathBuf]> = files.chunks(files.len().div_ceil(2)).collect();
    std::thread::scope(|scope| {
        let lints: Vec<_> = halves.iter().map(|half| scope.spawn(|| lint(half, &REGIONS[..1]))).collect();
        for result in lints {
            assert_eq!(result.join().unwrap(), (0, vec![]));
        }
    });
}

#[test]
fn cfn_lint_finds_nothing_in_the_committed_files() {
    assert_eq!(lint(&[folder().join("*/*.yaml")], &REGIONS), (0, vec![]));
}

/// Each of the ways in which a template could be wrong is found: so finding nothing means something.
#[test]
fn cfn_lint_sees_what_is_broken() {
    let breaks: [(&str, &str, Value); 6] = [
        ("matrix-amq", "/Resources/Broker/Properties/DeploymentMode", json!("DOUBLE")),
        ("matrix-mysql", "/Resources/Cluster/Properties/StorageEncrypted", json!("perhaps")),
        ("matrix-redis", "/Resources/Subnets/Properties/SubnetIds", json!({ "Ref": "Nothing" })),
        ("matrix-network", "/Resources/Vpc/Properties/CidrBlock", json!("10.50.0.0")),
        ("matrix-dynamo", "/Resources/PostsTable/Properties/KeySchema/0/KeyType", json!("HASHED")),
        ("matrix-base", "/Outputs/CodeBucket/Value", json!({ "Fn::GetAtt": ["Code", "Nothing"] })),
    ];
    let directory = directory("broken");
    let stacks = stacks(&full());
    for (name, at, wrong) in breaks.clone() {
        let mut template = stacks.iter().find(|stack| stack.id.name == name).unwrap().template.clone();
        *template.pointer_mut(at).unwrap() = wrong;
        fs::write(directory.join(format!("{name}.json")), template.to_string()).unwrap();
    }
    let (code, problems) = lint(&[directory.join("*.json")], &REGIONS[..1]);
    assert_ne!(code, 0);
    for (name, ..) in breaks {
        let its = |problem: &&Value| {
            problem["Level"] == "Error" && problem["Filename"].as_str().unwrap().ends_with(&format!("{name}.json"))
        };
        assert!(problems.iter().any(|problem| its(&problem)), "nothing wrong with {name}: {problems:?}");
    }
}
