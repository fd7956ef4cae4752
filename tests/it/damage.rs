//! Damage to a store: `matrix verify` names the file, whatever file it is.

use std::path::Path;
use std::process::Command;

use crate::workbench::Workbench;

/// What a file holds for the stock tool; nothing if it cannot be decompressed.
fn decompressed(file: &Path) -> Option<Vec<u8>> {
    let output = Command::new("zstd").arg("-qdc").arg(file).output().unwrap();
    output.status.success().then_some(output.stdout)
}

/// A bit in the first, the middle and the last byte of every file: found, unless it is a spare one of a compressed object.
#[test]
fn verify_finds_a_flipped_bit_in_any_file_of_a_store_and_names_it() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml", "--filter", "delay_ms > 200"]).code(0);
    bench.matrix(&["verify"]).code(0);
    let mut files = bench.files("results");
    // One says who wrote last, the other is a cache.
    files.retain(|path, _| path != Path::new("lock") && path != Path::new("index"));
    assert_eq!(files.len(), 1 + 4 + 2 * 3, "{:?}", files.keys());
    for (number, (path, before)) in files.iter().enumerate() {
        for at in [0, before.len() / 2, before.len() - 1] {
            let mut after = before.clone();
            after[at] ^= 1 << (number % 8);
            let file = bench.path("results").join(path);
            std::fs::write(&file, before).unwrap();
            let undamaged = decompressed(&file);
            std::fs::write(&file, &after).unwrap();
            if path.starts_with("objects") && decompressed(&file) == undamaged {
                continue;
            }
            for args in [["verify"].as_slice(), &["verify", "--quick"]] {
                let printed = bench.matrix(args);
                let told = format!("{}{}", printed.out, printed.err);
                assert!(told.contains(&path.display().to_string()), "byte {at} of {}: {told}", path.display());
                // A store that says it is of another schema is not opened: that is bad input.
                let newer = path == Path::new("store.toml") && told.contains("schema");
                assert!(printed.code == 5 || (newer && printed.code == 2), "byte {at} of {}: {told}", path.display());
            }
        }
        std::fs::write(bench.path("results").join(path), before).unwrap();
    }
    bench.matrix(&["verify"]).code(0);
}
