//! The packages of the project's workspace: those that are there, and those that have to be.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{DocumentMut, Item};

use super::modules;
use super::runnable::names;
use super::{Check, Finding, Subject};

fn parsed(subject: &Subject, file: &str, mend: &str) -> Result<DocumentMut, Finding> {
    subject.read(file)?.parse().map_err(|error| Finding::fail(format!("{file}: {error}"), mend))
}

fn texts(list: Option<&Item>) -> impl Iterator<Item = &str> {
    list.and_then(Item::as_array).into_iter().flatten().filter_map(|text| text.as_str())
}

/// The folders of the workspace's packages: those that match its members, and those that it names, be they there or not:
/// as members, as what is built by default, or as where a dependency is.
fn folders(subject: &Subject, manifest: &DocumentMut) -> Result<BTreeSet<String>, Finding> {
    let Some(workspace) = manifest.get("workspace") else { return Ok(BTreeSet::new()) };
    let mut folders = BTreeSet::new();
    for member in texts(workspace.get("members")) {
        match member.strip_suffix("/*") {
            Some(folder) => {
                let below = names(subject, folder)?.into_iter().map(|name| format!("{folder}/{name}"));
                folders.extend(below.filter(|folder| subject.project.join(folder).is_dir()));
            }
            None => drop(folders.insert(member.to_owned())),
        }
    }
    folders.extend(texts(workspace.get("default-members")).map(str::to_owned));
    let dependencies = workspace.get("dependencies").and_then(Item::as_table_like);
    let paths =
        dependencies.into_iter().flat_map(|table| table.iter()).filter_map(|(_, item)| item.get("path")?.as_str());
    folders.extend(paths.map(str::to_owned));
    Ok(folders)
}

/// What the package in a folder says of itself under a key, if there is one.
fn of_package(subject: &Subject, folder: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(subject.project.join(folder).join("Cargo.toml")).ok()?;
    Some(text.parse::<DocumentMut>().ok()?.get("package")?.get(key)?.as_str()?.to_owned())
}

/// The name of the package in a folder, if there is one.
fn package(subject: &Subject, folder: &str) -> Option<String> {
    of_package(subject, folder, "name")
}

/// The build script that the package in a folder names.
fn build_script(subject: &Subject, folder: &str) -> Option<String> {
    of_package(subject, folder, "build")
}

/// The packages of a lock file: by name, whether each is released somewhere, with version and digest.
struct Locked {
    ours: BTreeSet<String>,
    others: BTreeMap<String, bool>,
}

fn locked(subject: &Subject) -> Result<Locked, Finding> {
    let document = parsed(subject, "Cargo.lock", "`cargo generate-lockfile`")?;
    let (mut ours, mut others) = (BTreeSet::new(), BTreeMap::new());
    let packages = document.get("package").and_then(Item::as_array_of_tables).into_iter().flatten();
    for package in packages {
        let text = |key: &str| package.get(key).and_then(Item::as_str).unwrap_or_default();
        if package.contains_key("source") {
            let exact = package.contains_key("checksum") && package.contains_key("version");
            others.insert(format!("{} {}", text("name"), text("version")), exact);
        } else {
            ours.insert(text("name").to_owned());
        }
    }
    Ok(Locked { ours, others })
}

pub(super) fn code(subject: &Subject) -> Check {
    let manifest = parsed(subject, "Cargo.toml", "mend it")?;
    let folders = folders(subject, &manifest)?;
    let has = |folder: &str, file: &str| subject.project.join(folder).join(file).exists();
    let whole = |folder: &str| {
        has(folder, "Cargo.toml") && ["src/lib.rs", "src/main.rs", "src/bin"].iter().any(|target| has(folder, target))
    };
    let mut missing: Vec<String> = folders.iter().filter(|folder| !whole(folder)).cloned().collect();
    // What the lock file was made for has to be there; a lock file that is not is another item's.
    let there: BTreeSet<String> = folders.iter().filter_map(|folder| package(subject, folder)).collect();
    if let (true, Ok(locked)) = (missing.is_empty(), locked(subject)) {
        missing.extend(locked.ours.difference(&there).cloned());
    }
    if folders.is_empty() || !missing.is_empty() {
        let seen = format!("packages without a manifest or a source: {}", missing.join(", "));
        return Err(Finding::fail(seen, "add what is missing"));
    }
    let lost = |folder: &String| {
        let (package, src) = (subject.project.join(folder), subject.project.join(folder).join("src"));
        // What the project's own folder holds beside sources, such as its licence, is behind other items.
        let own = if folder == "." { &src } else { &package };
        let build = build_script(subject, folder).map(|script| package.join(script));
        modules::missing(&src, own).into_iter().chain(build.filter(|file| !file.is_file()))
    };
    let lost: Vec<String> = folders
        .iter()
        .flat_map(lost)
        .map(|file| file.strip_prefix(&subject.project).unwrap_or(&file).display().to_string())
        .collect();
    if !lost.is_empty() {
        let seen = format!("declared or included, and not there: {}", lost.join(", "));
        return Err(Finding::fail(seen, "add what is missing"));
    }
    Ok(format!("all {} packages of the workspace have a manifest and every source that they declare", folders.len()))
}

pub(super) fn lock_file(subject: &Subject) -> Check {
    let locked = locked(subject)?;
    let open: Vec<&str> = locked.others.iter().filter(|(_, exact)| !**exact).map(|(name, _)| name.as_str()).collect();
    if !open.is_empty() {
        let seen = format!("without a digest: {}", open.join(", "));
        return Err(Finding::fail(seen, "depend on released versions"));
    }
    // Without the manifest nobody knows the packages: that is another item's.
    let manifest = parsed(subject, "Cargo.toml", "mend it").unwrap_or_default();
    let there = folders(subject, &manifest).unwrap_or_default();
    let there: BTreeSet<String> = there.iter().filter_map(|folder| package(subject, folder)).collect();
    let unknown: Vec<&str> = there.difference(&locked.ours).map(String::as_str).collect();
    if locked.ours.is_empty() || !unknown.is_empty() {
        let seen = format!("Cargo.lock does not know these packages of the workspace: {}", unknown.join(", "));
        return Err(Finding::fail(seen, "`cargo update --workspace`"));
    }
    Ok(format!("{} dependencies with version and digest", locked.others.len()))
}
