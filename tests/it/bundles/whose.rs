//! Whose results a bundle has, of which experiments and cells, and that whoever reads it is told.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{bundled, tool};
use crate::workbench::{SMALL, Workbench, here};

/// The tables of an unpacked bundle without the summaries, by their folders.
fn tables(bench: &Workbench, bag: &str) -> BTreeMap<String, BTreeMap<PathBuf, Vec<u8>>> {
    let mut tables: BTreeMap<String, BTreeMap<PathBuf, Vec<u8>>> = BTreeMap::new();
    for (path, bytes) in bench.files(&format!("{bag}/data/tables")) {
        let folder = path.parent().unwrap().to_str().unwrap().to_owned();
        if path.ends_with("deriver.txt") {
            continue;
        }
        let of_it = tables.entry(folder).or_default();
        if !path.ends_with("summary.csv") {
            of_it.insert(path.file_name().unwrap().into(), bytes);
        }
    }
    tables
}

#[test]
fn experiments_of_one_name_are_not_pooled() {
    let (bench, _) = bundled();
    bench.write("more.toml", &SMALL.replace("requests = 40", "requests = 41"));
    bench.matrix(&["run", "more.toml"]).code(0);
    bench.matrix(&["bundle", "create", "-o", "two.tar.zst"]).code(0);
    let verified = bench.matrix(&["verify", "two.tar.zst"]).code(0).out;
    bench.matrix(&["bundle", "extract", "two.tar.zst", "-o", "two"]).code(0);
    let (tables, readme) = (tables(&bench, "two"), bench.read("two/data/README.md"));
    for (file, rows) in [("small.toml", 160), ("more.toml", 164)] {
        bench.matrix(&["plot", file, "--out", file.trim_end_matches(".toml")]).code(0);
        let mut plotted = bench.files(file.trim_end_matches(".toml"));
        plotted.retain(|path, _| path.extension().is_some_and(|end| end == "csv") && !path.ends_with("summary.csv"));
        let same: Vec<&String> =
            tables.iter().filter(|(_, tables)| **tables == plotted).map(|(name, _)| name).collect();
        let [name] = same.as_slice() else { panic!("{file}: {same:?} of {:?}", tables.keys()) };
        let digest = tool(&bench, &format!("sha256sum {file}"));
        assert_eq!(**name, format!("small-{}", &digest[..8]));
        assert!(verified.contains(&format!("claim: {name}: antipode-prevents: held (simulated)\n")), "{verified}");
        let judged = readme.lines().find(|line| line.starts_with(&format!("| {name} | antip")));
        assert!(judged.is_some_and(|line| line.contains(&format!("held in {rows} rows"))), "{file}");
        let summary = bench.read(&format!("two/data/tables/{name}/summary.csv"));
        assert!(summary.contains(&format!(",{}", rows / 4)), "{summary}");
        assert!(bench.path(&format!("two/data/figures/{name}")).is_dir());
        assert!(readme.contains(&format!("tables/{name}/")));
    }
    assert_eq!(tables.len(), 2);
}

#[test]
fn names_and_origins_with_hyphens_stay_apart() {
    let bench = Workbench::with(&SMALL.replace("\"small\"", "\"a\""));
    bench.write("other.toml", &SMALL.replace("\"small\"", "\"a-b\""));
    for (file, results, origin) in [("small.toml", "results", "b-c"), ("other.toml", "others", "c")] {
        bench.matrix(&["run", file, "--results", results]).code(0);
        let out = format!("{origin}.tar.zst");
        bench.matrix(&["bundle", "create", "--results", results, "--origin", origin, "-o", &out]).code(0);
    }
    bench.matrix(&["bundle", "merge", "b-c.tar.zst", "c.tar.zst", "-o", "all.tar.zst"]).code(0);
    bench.matrix(&["verify", "all.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "all.tar.zst", "-o", "all"]).code(0);
    // Both experiments have the same cells, and each origin measured them.
    assert_eq!(Vec::from_iter(tables(&bench, "all").into_keys()), ["a-b@b-c", "a-b@c", "a@b-c", "a@c"]);
}

#[test]
fn what_others_measured_is_done() {
    let bench = Workbench::ran();
    bench.matrix(&["bundle", "create", "--origin", "alice", "-o", "alice.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "alice.tar.zst", "--as-store", "-o", "theirs"]).code(0);
    for results in ["alice.tar.zst", "theirs"] {
        let json = |command| bench.json(&[command, "small.toml", "--results", results]);
        assert_eq!(json("status")["experiment"]["tally"]["done"], 12);
        let plan = json("plan");
        assert_eq!((&plan["tally"]["done"], &plan["to_run"]), (&12.into(), &0.into()));
        let why = ["why", plan["cells"][0]["key"].as_str().unwrap(), "small.toml", "--results", results];
        assert!(bench.matrix(&why).code(0).out.contains("is done"));
    }
    let records = || bench.files("theirs/cells").len();
    bench.matrix(&["run", "small.toml", "--results", "theirs"]).code(0);
    assert_eq!(records(), 12, "nothing ran");
    bench.matrix(&["run", "small.toml", "--results", "theirs", "--fresh", "--filter", "antipode=true"]).code(0);
    assert_eq!(records(), 16, "beside theirs stands what was measured here");
    // A plan takes nothing for a bundle that is none.
    bench.matrix(&["plan", "small.toml", "--results", "small.toml"]).code(5);
}

#[test]
fn declared_regions_are_known_wherever_results_are_read() {
    let regions = SMALL.replace("[\"eu->us\"]\ndelay_ms = [0]", "[\"eu->us\", \"eu->br\"]\ndelay_ms = [0]");
    let bench = Workbench::with(&regions.replace("[[claim]]", "[regions]\nbr = \"sa-east-1\"\n\n[[claim]]"));
    let model = std::fs::read_to_string(here().join("experiments/models/aws-2021.toml")).unwrap();
    let rtt = |pair: &str| format!("\"{pair}\" = {{ value = 200, unit = \"ms\", source = \"assumption: far\" }}\n");
    bench.write("model.toml", &model.replace("[rtt]\n", &format!("[rtt]\n{}{}", rtt("eu->br"), rtt("br->eu"))));
    bench.matrix(&["run", "small.toml", "--set", "sim.model=model.toml"]).code(0);
    let filter = ["--filter", "regions=\"eu->br\""];
    let create = bench.matrix(&[&["bundle", "create", "-o", "br.tar.zst"], &filter[..]].concat()).code(0);
    create.err_has("8 cells = 8 done");
    let export = ["export", "--as", "gather", "original", "--format", "json"];
    let json = bench.matrix(&[&export[..], &filter].concat()).code(0).json();
    assert_eq!(json["folders"].as_array().unwrap().len(), 8);
    let tags = bench.files("original").into_iter().find(|(path, _)| path.ends_with("tags.yml")).unwrap().1;
    assert!(String::from_utf8(tags).unwrap().contains("sa-east-1"));
    // Into a store whose experiments declare the region, the folders come back; another does not know it.
    let import = |results: &str| bench.matrix(&["import", "original", "--results", results, "--format", "json"]);
    assert_eq!(import("results").code(0).json()["cells"].as_array().unwrap().len(), 8);
    import("new").code(2);
    let unknown = bench.matrix(&["export", "--as", "gather", "x", "--filter", "regions=\"eu->mars\""]).code(2);
    unknown.err_has("unknown region").err_has("br");
}

#[test]
fn a_selection_says_that_it_is_one() {
    let bench = Workbench::ran();
    let create = ["bundle", "create", "--filter", "post_storage=s3", "-o", "s3.tar.zst"];
    bench.matrix(&create).code(0).err_has("a selection (post_storage=s3): 2 of the 12 cells that its plans have");
    let json = bench.matrix(&[&create[..], &["--format", "json"]].concat()).code(0).json();
    assert_eq!((&json["left_out"], &json["filter"]), (&10.into(), &"post_storage=s3".into()));
    bench.matrix(&["verify", "s3.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "s3.tar.zst", "-o", "s3"]).code(0);
    let readme = bench.read("s3/data/README.md");
    assert!(readme.starts_with("> **A selection.** This bundle is about 2 of the 12 cells"), "{readme}");
    assert!(readme.contains("match `post_storage=s3`"), "{readme}");
    // Selections that make up the whole are none any more.
    bench.matrix(&["bundle", "create", "--filter", "post_storage!=s3", "-o", "rest.tar.zst"]).code(0);
    let merged = bench.matrix(&["bundle", "merge", "s3.tar.zst", "rest.tar.zst", "-o", "all.tar.zst"]).code(0);
    merged.err_lacks("selection");
}

#[test]
fn every_reader_of_a_bundle_bounds_it_and_scripts_read_what_was_made() {
    let (bench, _) = bundled();
    let plan = bench.json(&["plan", "small.toml"]);
    let key = plan["cells"][0]["key"].as_str().unwrap();
    let readers: [&[&str]; 8] = [
        &["plan", "small.toml"],
        &["status"],
        &["show", key],
        &["why", key],
        &["plot"],
        &["check"],
        &["export", "--as", "gather", "out"],
        &["badge"],
    ];
    for reader in readers {
        let with = |size| bench.matrix(&[reader, &["--results", "small.tar.zst", "--max-size", size]].concat());
        assert!(with("10K").code(5).err.contains("10240 bytes"), "{reader:?}");
        with("1GiB").code(0);
        with("1 potato").code(2);
    }
    let json = |args: &[&str]| bench.matrix(&[args, &["--format", "json"]].concat()).code(0).json();
    assert_eq!(json(&["bundle", "extract", "small.tar.zst", "-o", "bag"])["form"], "bag");
    assert_eq!(json(&["bundle", "extract", "small.tar.zst", "--as-store", "-o", "store"])["form"], "store");
    tool(&bench, "ssh-keygen -q -t ed25519 -N '' -f key");
    let signed = json(&["bundle", "sign", "small.tar.zst", "--key", "key"]);
    assert_eq!(signed["signature"], "small.tar.zst.sig");
}
