//! The page that a bundle carries.

use super::bundled;
use crate::program::{BENCH, EXPERIMENT, with};
use crate::workbench::Workbench;

/// Bundles of both kinds of workloads.
fn both() -> [Workbench; 2] {
    let program = with(EXPERIMENT, BENCH);
    program.matrix(&["run", "kv.toml"]).code(0);
    program.matrix(&["bundle", "create", "-o", "small.tar.zst"]).code(0);
    [bundled().0, program]
}

#[test]
fn a_page_follows_from_the_results_and_names_nothing_else() {
    for bench in both() {
        let printed = bench.matrix(&["verify", "small.tar.zst"]).code(0);
        printed.out_has("report.html: derived again, same bytes");
        bench.matrix(&["bundle", "extract", "small.tar.zst", "-o", "bag"]).code(0);
        let page = bench.read("bag/data/report.html");
        let digest = printed.out.split_whitespace().next().unwrap();
        assert!(page.contains("from records whose SHA-256 is") && !page.contains(digest));
        let folder = bench.path("").display().to_string();
        let user = std::env::var("USER").unwrap_or("root@".to_owned());
        for private in [folder.as_str(), "/home/", user.as_str()] {
            assert!(!page.contains(private), "{private}");
        }
        // The same page by the command, but for what it calls the bundle.
        bench.matrix(&["report", "--results", "small.tar.zst"]).code(0);
        let by_command = bench.read("report.html");
        assert!(by_command.contains("matrix verify small.tar.zst") && page.contains("$BUNDLE"));
    }
}

#[test]
fn a_page_that_does_not_follow_is_a_fault_and_one_of_another_version_is_not_unpacked_unasked() {
    for bench in both() {
        let change = ("data/report.html", "<title>Results", "<title>Rosults");
        bench.forge("small.tar.zst", "forged.tar.zst", &[change]);
        let printed = bench.matrix(&["verify", "forged.tar.zst"]).code(5);
        printed.out_has("FAULT: data/report.html: it does not follow from the results");
        let printed = bench.matrix(&["bundle", "extract", "forged.tar.zst", "-o", "forged"]).code(5);
        assert!(printed.err.contains("data/report.html") && !bench.path("forged").exists(), "{printed:?}");

        let ours = format!("Bag-Software-Agent: matrix {}", env!("CARGO_PKG_VERSION"));
        let other = "9".repeat(ours.len() - ours.rfind(' ').unwrap() - 1 - 4) + ".9.9";
        let theirs = format!("Bag-Software-Agent: matrix {other}");
        bench.forge("small.tar.zst", "other.tar.zst", &[("bag-info.txt", &ours, &theirs), change]);
        let printed = bench.matrix(&["verify", "other.tar.zst"]).code(0);
        printed.out_has(&format!("data/report.html: NOT VERIFIED: made by matrix {other}"));
        printed.out_has("sound but for what is NOT VERIFIED: 1 file ");
        let printed = bench.matrix(&["bundle", "extract", "other.tar.zst", "-o", "other"]).code(0);
        printed.err_has("data/report.html is left out: NOT VERIFIED");
        assert!(!bench.path("other/data/report.html").exists() && bench.path("other/data/README.md").exists());
        bench.matrix(&["bundle", "extract", "other.tar.zst", "--unverified", "-o", "all"]).code(0);
        assert!(bench.read("all/data/report.html").contains("<title>Rosults"));
    }
}
