//! `[[prepare]]`: made once, shared by cells, part of their keys, and never taken half-made.

use std::path::PathBuf;

use super::{EXPERIMENT, READER, executions, kv, with};
use crate::workbench::{Workbench, walk};

/// Makes a size for each engine, and counts how often it was asked to.
const MAKER: &str = r#"#!/bin/sh
set -eu
echo "$1" >> makes
case "$1" in slow) echo 1000 ;; *) echo 400 ;; esac > "$2/size"
"#;

const PREPARE: &str = r#"
[[prepare]]
name = "data"
each = ["engine"]
run = ["./make-data", "{engine}", "{prepared}"]

[columns]"#;

/// The experiment with something prepared; its products lie in the folder.
fn prepared(prepare: &str, maker: &str) -> Workbench {
    let text =
        EXPERIMENT.replace("[columns]", prepare).replace("\"{engine}\", \"{out}", "\"{prepared:data}\", \"{out}");
    let text = text.replace("[[metric]]", "[site]\nprepared = \"made\"\n\n[[metric]]");
    let bench = with(&text, READER);
    super::executable(&bench, "make-data", maker);
    bench
}

fn makes(bench: &Workbench) -> usize {
    std::fs::read_to_string(bench.path("makes")).map_or(0, |text| text.lines().count())
}

fn keys(bench: &Workbench) -> Vec<String> {
    let plan = bench.json(&["plan", "kv.toml"]);
    plan["cells"].as_array().unwrap().iter().map(|cell| cell["key"].as_str().unwrap().to_owned()).collect()
}

/// A file of a product, which there is only one of.
fn product(bench: &Workbench, engine: &str) -> PathBuf {
    let size = if engine == "slow" { "1000\n" } else { "400\n" };
    let files = walk(&bench.path("made")).into_iter().filter(|path| path.ends_with("product/size"));
    files.into_iter().find(|path| std::fs::read_to_string(path).unwrap() == size).unwrap()
}

#[test]
fn what_is_prepared_is_made_once_is_shared_and_counts_in_keys() {
    let bench = prepared(PREPARE, MAKER);
    bench.matrix(&["plan", "kv.toml"]).code(0).err_has("2 of 2 things to prepare are not made yet");
    assert_eq!(makes(&bench), 0, "a plan runs nothing");
    // Only what the chosen cells need.
    let printed = bench.matrix(&["run", "kv.toml", "--filter", "engine = fast and threads = 1"]).code(0);
    printed.err_has("preparing data engine=fast");
    assert_eq!((makes(&bench), executions(&bench)), (1, 3));
    bench.matrix(&["run", "kv.toml"]).code(0);
    assert_eq!((makes(&bench), executions(&bench)), (2, 18));
    assert!(bench.matrix(&["run", "kv.toml"]).code(0).out.contains("nothing to do"));
    let before = keys(&bench);

    // Made again to the same bytes: nothing is new. To others: every cell of that engine is.
    std::fs::remove_dir_all(bench.path("made")).unwrap();
    assert!(bench.matrix(&["run", "kv.toml"]).code(0).out.contains("nothing to do"));
    assert_eq!((makes(&bench), executions(&bench), keys(&bench) == before), (4, 18, true));
    super::executable(&bench, "make-data", &MAKER.replace("echo 400", "echo 401"));
    bench.matrix(&["run", "kv.toml"]).code(0);
    assert_eq!((makes(&bench), executions(&bench)), (6, 27), "its program is another, and one of two products");
    let key = &keys(&bench).into_iter().find(|key| !before.contains(key)).unwrap();
    std::fs::remove_dir_all(bench.path("results/cells").join(&key[..2])).ok();
    bench.matrix(&["bundle", "create", "-o", "kv.tar.zst", "--allow-incomplete"]).code(0);
    bench.matrix(&["verify", "kv.tar.zst"]).code(0);
}

#[test]
fn a_product_that_is_half_made_or_was_changed_is_made_again() {
    let bench = prepared(PREPARE, MAKER);
    bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    // As a kill leaves it: without the word that it is whole.
    let size = product(&bench, "fast");
    std::fs::remove_file(size.parent().unwrap().with_file_name("made.json")).unwrap();
    std::fs::write(&size, "4").unwrap();
    std::fs::write(product(&bench, "slow"), "999\n").unwrap();
    bench.matrix(&["run", "kv.toml"]).code(0);
    assert_eq!((makes(&bench), executions(&bench)), (4, 18));
    bench.matrix(&["export", "--as", "csv", "all.csv"]).code(0);
    assert!(!bench.read("all.csv").contains(",999,") && !bench.read("all.csv").contains(",4,true"));
}

#[test]
fn what_cannot_be_prepared_fails_its_own_cells_and_no_others() {
    let broken = MAKER.replace("case", "[ \"$1\" = slow ] && { echo no disk >&2; exit 7; }\ncase");
    let bench = prepared(PREPARE, &broken);
    let printed = bench.matrix(&["run", "kv.toml"]).code(3);
    let why = "failed: 9 cells: prepare data engine=slow: it ended with exit code 7\n  no disk";
    printed.err_has(why);
    assert_eq!(executions(&bench), 9, "the other engine's cells ran");
    super::executable(&bench, "make-data", MAKER);
    bench.matrix(&["run", "kv.toml"]).code(0);
    assert_eq!(executions(&bench), 18);

    let printed = prepared(PREPARE, "#!/bin/sh\n").matrix(&["run", "kv.toml"]).code(3);
    printed.err_has("it made nothing: there is no file in {prepared}");
}

#[test]
fn a_cell_that_changes_what_was_prepared_has_its_result_refused() {
    let bench = prepared(PREPARE, MAKER);
    super::executable(&bench, "bench", &format!("{READER}echo 5 >> \"$2/size\"\n"));
    let printed = bench.matrix(&["run", "kv.toml", "--subset", "small"]).code(3);
    printed.err_has("its prepared `data`: its file `size` changed while the cell ran");
}

#[test]
fn a_download_is_compared_with_its_digest() {
    let fetch = |digest: &str, bench: Option<&Workbench>| {
        let folder = bench.map_or("/nowhere".to_owned(), |bench| bench.path("").display().to_string());
        format!(
            "\n[[prepare]]\nname = \"data\"\nfetch = {{ url = \"file://{folder}/size\", sha256 = \"{digest}\" }}\n[columns]"
        )
    };
    // sha256sum of "7\n".
    let digest = "10159baf262b43a92d95db59dae1f72c645127301661e0a3ce4e38b295a97c58";
    let bench = kv();
    bench.write("size", "7\n");
    let other = prepared(&fetch(digest, Some(&bench)), MAKER);
    other.matrix(&["run", "kv.toml", "--subset", "small"]).code(0);
    bench.write("size", "8\n");
    let other = prepared(&fetch(digest, Some(&bench)), MAKER);
    other.matrix(&["run", "kv.toml", "--subset", "small"]).code(3).err_has(&format!("not {digest}"));
    let gone = prepared(&fetch(digest, None), MAKER).matrix(&["run", "kv.toml", "--subset", "small"]).code(3);
    gone.err_has("file:///nowhere/size could not be downloaded");
}
