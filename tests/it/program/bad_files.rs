//! Mistakes in a file of schema 2: each with its place and the nearest spelling.

use super::{EXPERIMENT, with};

/// What is printed of a file in which `from` stands as `to`.
fn complaint(from: &str, to: &str) -> String {
    let changed = EXPERIMENT.replacen(from, to, 1);
    assert_ne!(changed, EXPERIMENT, "{from}");
    let printed = with(&changed, "").matrix(&["plan", "kv.toml"]).code(2);
    printed.err
}

#[test]
fn mistakes_are_told_with_their_place_and_a_fix() {
    let shown = [
        complaint("{threads}\", \"{eng", "{thread}\", \"{eng"),
        complaint("paired = \"engine\"", "paired = \"engin\""),
        complaint("mean(latency_us)", "mean(latency)"),
        complaint("mean(latency_us)", "avg(latency_us)"),
        complaint("x = \"threads\"", "x = \"thread\""),
        complaint("series = \"engine\"\n", ""),
        complaint("y = \"mean_latency\"", "y = \"latency\""),
        complaint("every_row = \"found\"", "every_row = \"latency_us\""),
        complaint("inputs = [\"bench\"]", "inputs = [\"*.bin\"]"),
        complaint("run = [\"./bench\"", "run = \"./bench\"\nextra = [\"./bench\""),
        complaint("\"csv:{out}/rows.csv\"", "\"tsv:{out}/rows.csv\""),
        complaint("engine = { values", "site = { values"),
        complaint("at_most = 0.5", "at_mots = 0.5"),
        complaint("[columns]", "[host]\nidle = \"yes\"\n[columns]"),
        complaint("[columns]", "[[prepare]]\nname = \"trace\"\n[columns]"),
        complaint(
            "[columns]",
            "[[prepare]]\nname = \"trace\"\nrun = [\"./make\", \"{threads}\", \"{prepared}\"]\n[columns]",
        ),
        complaint("[columns]", "[[prepare]]\nname = \"trace\"\nrun = [\"./make\", \"{out}\"]\n[columns]"),
        complaint(
            "[columns]",
            "[[prepare]]\nname = \"trace\"\nfetch = { url = \"ftp://x\", sha256 = \"12\" }\n[columns]",
        ),
        complaint("[columns]", "[[prepare]]\nname = \"trace\"\nrun = [\"make\", \"{prepared:trase}\"]\n[columns]"),
    ];
    let shown = shown.join("\n").replace(std::env::temp_dir().to_str().unwrap(), "TMP");
    // The folder of the test has another name every time.
    let shown: Vec<&str> = shown.lines().map(|line| line.split(" in TMP/").next().unwrap()).collect();
    insta::assert_snapshot!(shown.join("\n"));
}
