//! Bundles: made, checked, unpacked, replayed, merged and signed from the command line, and read as results.

mod binary;
mod page;
mod whose;

use std::path::Path;
use std::process::Command;

use crate::workbench::{SMALL, Workbench, ended, here, walk};

/// A folder with the small experiment run, and its bundle.
fn bundled() -> (Workbench, String) {
    let bench = Workbench::ran();
    let printed = bench.matrix(&["bundle", "create", "-o", "small.tar.zst"]).code(0);
    let digest = printed.out.split_whitespace().next().unwrap().to_owned();
    (bench, digest)
}

fn tool(bench: &Workbench, script: &str) -> String {
    let printed = ended(Command::new("bash").args(["-c", script]).current_dir(bench.path(""))).code(0);
    printed.out
}

#[test]
fn the_same_store_gives_the_same_bytes_whatever_the_circumstances() {
    let (bench, digest) = bundled();
    assert!(
        ended(
            bench
                .command(&["bundle", "create", "-o", "again.tar.zst"])
                .env("TZ", "Asia/Singapore")
                .env("LC_ALL", "de_DE.UTF-8")
        )
        .code(0)
        .out
        .starts_with(&digest)
    );
    let again =
        tool(&bench, "umask 077; cp -r results elsewhere; touch elsewhere/objects/*/*; sha256sum < again.tar.zst");
    assert!(again.starts_with(&digest));
    let moved = bench.matrix(&["bundle", "create", "--results", "elsewhere", "-o", "moved.tar.zst"]).code(0);
    assert!(moved.out.starts_with(&digest));
}

#[test]
fn stock_tools_check_every_byte() {
    let (bench, digest) = bundled();
    let printed = tool(
        &bench,
        "sha256sum small.tar.zst && mkdir stock && zstd -qdc small.tar.zst | tar -x -C stock && cd stock/* && \
         sha256sum --quiet -c manifest-sha256.txt tagmanifest-sha256.txt && ls data",
    );
    assert!(printed.starts_with(&digest), "{printed}");
    for part in ["README.md", "cells.csv", "objects", "records", "ro-crate-metadata.json", "tables", "figures"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
}

#[test]
fn verify_derives_everything_again_and_finds_what_was_changed() {
    let (bench, _) = bundled();
    let printed = bench.matrix(&["verify", "small.tar.zst"]).code(0);
    printed.out_has("tables: derived again").out_has("antipode-prevents: held");
    bench.matrix(&["verify", "--quick", "small.tar.zst"]).code(0);
    let mut bytes = std::fs::read(bench.path("small.tar.zst")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(bench.path("flipped.tar.zst"), &bytes).unwrap();
    bench.matrix(&["verify", "flipped.tar.zst"]).code(5);
    bench.matrix(&["bundle", "extract", "flipped.tar.zst", "-o", "flipped"]).code(5);
    assert!(!bench.path("flipped").exists(), "a refused bundle leaves nothing behind");
}

#[test]
fn verify_knows_the_licence_and_the_citation() {
    let (bench, _) = bundled();
    for (file, from, to) in [("LICENSE", "Permission", "Permissioo"), ("CITATION.cff", "year: 2023", "year: 2024")] {
        bench.forge("small.tar.zst", "forged.tar.zst", &[(&format!("data/{file}"), from, to)]);
        bench.matrix(&["verify", "--quick", "forged.tar.zst"]).code(0);
        let printed = bench.matrix(&["verify", "forged.tar.zst"]).code(5);
        let fault = format!("FAULT: data/{file}: it is not what is written there: line");
        printed.out_has(&fault).out_has("\n1 fault found");
    }
}

#[test]
fn a_link_is_followed_and_a_pipe_is_not_replaced() {
    let (bench, digest) = bundled();
    tool(&bench, "mkdir real && ln -s real/file link.tar.zst && touch real/file && mkfifo pipe");
    bench.matrix(&["bundle", "create", "-o", "link.tar.zst"]).code(0);
    assert!(tool(&bench, "test -L link.tar.zst && sha256sum < real/file").starts_with(&digest));
    bench.matrix(&["bundle", "create", "-o", "pipe"]).code(2).err_has("pipe is there already, and is no file");
    tool(&bench, "test -p pipe");
    tool(&bench, "ln -s /proc/self/fd/1 out && ln -s real/new dangling");
    // The output is a pipe here, which the link leads to without a name.
    bench.matrix(&["bundle", "create", "-o", "out"]).code(2).err_has("out is there already, and is no file");
    // Nor is what is there read first, which need not end.
    for out in ["pipe", "out", "/dev/zero"] {
        bench.matrix(&["report", "-o", out]).code(2).err_has(&format!("{out} is there already, and is no file"));
    }
    bench.matrix(&["bundle", "create", "-o", "dangling"]).code(0);
    assert!(tool(&bench, "test -L out && test -L dangling && sha256sum < real/new").starts_with(&digest));
}

#[test]
fn a_bundle_is_read_like_a_store() {
    let (bench, _) = bundled();
    let from_store = bench.matrix(&["check", "small.toml"]).code(0).out;
    assert_eq!(bench.matrix(&["check", "--results", "small.tar.zst"]).code(0).out, from_store);
    bench.matrix(&["plot", "--results", "small.tar.zst", "--out", "from-bundle"]).code(0);
    bench.matrix(&["plot", "small.toml", "--out", "from-store"]).code(0);
    assert_eq!(bench.files("from-bundle"), bench.files("from-store"));
    let status = bench.json(&["status", "--results", "small.tar.zst"]);
    assert_eq!(status["experiment"]["tally"]["done"], 12);
    let plan = bench.json(&["plan", "small.toml"]);
    let key = plan["cells"][0]["key"].as_str().unwrap();
    bench.matrix(&["show", key, "--results", "small.tar.zst"]).code(0);
}

#[test]
fn an_evaluator_replays_goes_on_and_merges() {
    let (bench, _) = bundled();
    bench.matrix(&["bundle", "replay", "small.tar.zst"]).code(0).out_has("12 of 12 simulated cells are identical");

    let printed = bench.matrix(&["bundle", "extract", "small.tar.zst", "--as-store", "-o", "mine"]).code(0);
    printed
        .out_has("to extend it: cp mine/runs/")
        .out_has("matrix run mine.toml --set sim.model=model.toml --results mine");
    bench.write("mine.toml", &SMALL.replace("[100, 200, 400, 800]", "[100, 200, 400, 800, 900]"));
    let plan = bench.json(&["plan", "mine.toml", "--results", "mine"]);
    assert_eq!((&plan["tally"]["done"], &plan["tally"]["pending"]), (&12.into(), &1.into()));
    bench.matrix(&["run", "mine.toml", "--results", "mine"]).code(0);
    bench.matrix(&["bundle", "create", "--results", "mine", "-o", "mine.tar.zst"]).code(0);

    bench.matrix(&["bundle", "merge", "small.tar.zst", "mine.tar.zst", "-o", "one.tar.zst"]).code(0);
    bench.matrix(&["bundle", "merge", "mine.tar.zst", "small.tar.zst", "small.tar.zst", "-o", "other.tar.zst"]).code(0);
    assert_eq!(std::fs::read(bench.path("one.tar.zst")).unwrap(), std::fs::read(bench.path("other.tar.zst")).unwrap());
    bench.matrix(&["verify", "one.tar.zst"]).code(0);

    // Under a name of one's own, the authors' results stay the authors'.
    let eva = ["bundle", "create", "--results", "mine", "--origin", "eva", "-o", "eva.tar.zst"];
    bench.matrix(&eva).code(0);
    bench.matrix(&["bundle", "merge", "small.tar.zst", "eva.tar.zst", "-o", "all.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "all.tar.zst", "-o", "all"]).code(0);
    let cells = bench.read("all/data/cells.csv");
    let of = |origin: &str| cells.lines().filter(|line| line.contains(&format!(",{origin},"))).count();
    assert_eq!((of("local"), of("eva")), (12, 1), "{cells}");
    bench.matrix(&["verify", "mine"]).code(0).out_lacks("not part of a store");
    assert_eq!(bench.json(&["gc", "--results", "mine"])["files"], 0);
    bench.write(
        "mine/received.json",
        &bench.read("mine/received.json").replacen("\"records\":[\"", "\"records\":[\"0", 1),
    );
    bench.matrix(&["verify", "mine"]).code(5).out_has("FAULT: received.json");
    bench.matrix(&eva).code(5);
}

#[test]
fn an_incomplete_store_needs_to_be_allowed_and_says_so_inside() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml", "--filter", "antipode=true"]).code(0);
    bench.matrix(&["bundle", "create", "-o", "part.tar.zst"]).code(2).err_has("8 of 12 planned cells are not done");
    assert!(!bench.path("part.tar.zst").exists());
    bench.matrix(&["bundle", "create", "--allow-incomplete", "-o", "part.tar.zst"]).code(0);
    bench.matrix(&["verify", "part.tar.zst"]).code(0);
    let printed = bench.matrix(&["bundle", "extract", "part.tar.zst", "-o", "the part"]).code(0);
    assert!(printed.out.contains("cd 'the part' &&"), "a command can be pasted: {}", printed.out);
    assert!(bench.read("the part/data/README.md").to_lowercase().contains("incomplete"));
}

#[test]
fn a_signature_is_openssh_s_own() {
    let (bench, _) = bundled();
    tool(&bench, "ssh-keygen -q -t ed25519 -N '' -f key -C someone && echo \"someone $(cat key.pub)\" > signers");
    bench.matrix(&["bundle", "sign", "small.tar.zst", "--key", "key"]).code(0);
    tool(&bench, "ssh-keygen -Y verify -f signers -I someone -n matrix-bundle -s small.tar.zst.sig < small.tar.zst");
    bench.matrix(&["verify", "--quick", "small.tar.zst", "--signer", "key.pub"]).code(0);
    std::fs::rename(bench.path("small.tar.zst.sig"), bench.path("kept.sig")).unwrap();
    let unsigned = bench.matrix(&["verify", "--quick", "small.tar.zst", "--signer", "key.pub"]).code(2);
    unsigned.err_has("small.tar.zst.sig").err_has("bundle sign");
    std::fs::rename(bench.path("kept.sig"), bench.path("small.tar.zst.sig")).unwrap();
    bench.matrix(&["bundle", "sign", "small.tar.zst", "--key", "key.pub"]).code(2).err_has("key.pub is a public key");
    tool(&bench, "ssh-keygen -q -t ed25519 -N '' -f other");
    bench.matrix(&["verify", "--quick", "small.tar.zst", "--signer", "other.pub"]).code(5);
}

#[test]
fn results_go_out_as_the_original_s_folders_and_come_back() {
    let bench = Workbench::ran();
    bench.matrix(&["export", "--as", "gather", "original"]).code(0).out_has("12 folders");
    bench.matrix(&["import", "original/gather", "--results", "imported"]).code(0);
    bench.matrix(&["export", "--as", "gather", "again", "--results", "imported"]).code(0);
    let traces = |folder: &str| -> Vec<_> {
        bench
            .files(folder)
            .into_iter()
            .filter(|(path, _)| path.ends_with("traces.csv"))
            .map(|(_, bytes)| bytes)
            .collect()
    };
    assert_eq!(traces("original").len(), 12);
    assert_eq!(traces("original"), traces("again"));
    // No experiment made them; they are shown and drawn all the same.
    let status = bench.matrix(&["status", "--results", "imported"]).code(0).out;
    assert_eq!(
        status,
        "imported: 12 cells = 12 done + 0 partial + 0 failed + 0 skipped + 0 pending (no run here planned them)\n"
    );
    bench.matrix(&["plot", "--results", "imported"]).code(0);
    assert!(bench.read("plots/imported/consistency_window.svg").contains("<svg"));
    // What a killed export left is no obstacle, anything else is.
    std::fs::create_dir_all(bench.path("left/.partial-4194305/gather")).unwrap();
    bench.matrix(&["export", "--as", "gather", "left", "--results", "imported"]).code(0);
    bench.matrix(&["export", "--as", "gather", "left", "--results", "imported"]).code(2);
    bench.matrix(&["import", "original/gather", "--results", "imported"]).code(0).out_lacks(" imported");
    bench.matrix(&["import", "nowhere", "--results", "never"]).code(2);
    assert!(!bench.path("never").exists(), "a refused import leaves no store");
}

#[test]
fn a_bundle_with_source_has_all_that_the_runner_is_built_from() {
    // Paths of the source are long, and so may be the experiment's name.
    let bench = Workbench::with(&SMALL.replace("\"small\"", &format!("\"{}\"", "long-".repeat(20))));
    bench.matrix(&["run", "small.toml", "--filter", "post_storage=s3"]).code(0);
    let create = |out| {
        let args = ["bundle", "create", "--allow-incomplete", "--with-source", "-o", out];
        bench.matrix(&args).code(0).out.split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(create("source.tar.zst"), create("again.tar.zst"), "same store, same source, same bytes");
    bench.matrix(&["verify", "source.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "source.tar.zst", "-o", "bag"]).code(0);
    let trees: Vec<_> = std::fs::read_dir(bench.path("bag/data/source")).unwrap().collect();
    let [tree] = trees.as_slice() else { panic!("{trees:?}") };
    let digest = tree.as_ref().unwrap().file_name().into_string().unwrap();
    let source = format!("bag/data/source/{digest}");
    let listed = tool(&bench, &format!("cd {source} && find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum"));
    assert!(listed.starts_with(&digest), "the folder is named by its contents");
    let readme = bench.read("bag/data/README.md");
    assert!(
        readme.contains(&format!("cp -r data/source/{digest} ")) && readme.contains("cargo build --locked"),
        "{readme}"
    );

    // What is there is what is here, and nothing that is compiled is missing.
    let here = here();
    let files = bench.files(&source);
    for (path, bytes) in &files {
        assert!(std::fs::read(here.join(path)).unwrap() == *bytes, "{}", path.display());
    }
    for folder in ["src", "crates", "experiments"] {
        for path in walk(&here.join(folder)).into_iter().filter(|path| path.is_file()) {
            let name = path.strip_prefix(&here).unwrap();
            assert!(files.contains_key(name) || name.to_string_lossy().contains("/."), "{} is missing", name.display());
        }
    }
    for (path, bytes) in files.iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "rs")) {
        let text = String::from_utf8_lossy(bytes);
        for part in ["include_bytes!(\"", "include_str!(\""].iter().flat_map(|call| text.split(call).skip(1)) {
            let included = path.parent().unwrap().join(part.split('"').next().unwrap());
            assert!(bench.path(&source).join(&included).exists(), "{} of {}", included.display(), path.display());
        }
    }
    let metadata = |folder: &Path| -> serde_json::Value {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let args = ["metadata", "--offline", "--no-deps", "--format-version", "1"];
        ended(Command::new(cargo).args(args).current_dir(folder)).code(0).json()
    };
    let (theirs, ours) = (metadata(&bench.path(&source)), metadata(&here));
    let packages = |metadata: &serde_json::Value| -> Vec<String> {
        let packages = metadata["packages"].as_array().unwrap();
        let mut names: Vec<String> = packages.iter().map(|package| package["name"].to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(packages(&theirs), packages(&ours));
    for package in theirs["packages"].as_array().unwrap() {
        for target in package["targets"].as_array().unwrap() {
            let path = target["src_path"].as_str().unwrap();
            assert!(Path::new(path).exists(), "{path}");
        }
    }
    // Nothing tells where it was built.
    for (path, bytes) in bench.files("bag") {
        assert!(!String::from_utf8_lossy(&bytes).contains(here.to_str().unwrap()), "{}", path.display());
    }
}
