//! The name of a bag's folder.

use std::collections::BTreeSet;

use matrix_store::Digest;

/// Longest name of an experiment that a bag's folder bears as it is. An archive's entry has at most 155 bytes for folders and 100 for the
/// rest, which have to do for the longest path of the runner's own source (`--with-source`) in `NAME-bundle/data/source/DIGEST/`.
const NAME_MAX: usize = 32;

/// Hexadecimal digits of a long name's digest that stand for what was cut from it.
const NAME_DIGITS: usize = 8;

/// A name of letters and digits, made short enough for a folder: its beginning, and its digest in place of the rest.
fn short(name: &str) -> String {
    match name.get(..NAME_MAX - 1 - NAME_DIGITS) {
        Some(start) if name.len() > NAME_MAX => {
            format!("{start}-{}", &Digest::of(name.as_bytes()).to_string()[..NAME_DIGITS])
        }
        _ => name.to_owned(),
    }
}

/// The folder of a bag with results of these experiments.
pub fn folder_name(experiments: &BTreeSet<String>) -> String {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    match experiments.first() {
        Some(name)
            if experiments.len() == 1 && !name.is_empty() && name.bytes().all(good) && !name.starts_with('-') =>
        {
            format!("{}-bundle", short(name))
        }
        _ => "matrix-bundle".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        assert_eq!(short("sosp"), "sosp");
        let most = "x".repeat(NAME_MAX);
        assert_eq!(short(&most), most);
        let [one, other] = ["one", "other"].map(|end| short(&format!("{most}-{end}")));
        assert!(one.len() == NAME_MAX && other.len() == NAME_MAX && one != other, "{one} {other}");
        assert!(one.starts_with("xxxx") && !one.contains("one"));
    }
}
