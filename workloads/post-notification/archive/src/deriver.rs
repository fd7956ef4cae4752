//! Which rules made the files of a bundle that are derived from its results: tables, figures, the README, `cells.csv` and
//! the metadata.
//!
//! A bundle names the version of these rules in `tables/deriver.txt`. Whoever reads it derives the files again; they have to
//! be the same, byte for byte, where the version is the reader's own. Where it is another, files that differ prove
//! nothing, and are reported as not verified.

use matrix_bundle::Deriver;
use matrix_bundle::layout::BundlePath;

/// Version of the rules by which this program derives files from results. Raise it with the first release whose derived files
/// differ from those of the release before.
pub const DERIVER_VERSION: u32 = 4;

/// The version of bundles of format 1, which do not name it.
pub(crate) const UNNAMED: u32 = 1;

/// The rules of this program.
pub const DERIVER: Deriver = Deriver { name: "matrix ", first: UNNAMED + 1, version: DERIVER_VERSION };

/// Where a bundle names its deriver.
pub(crate) fn file() -> String {
    BundlePath::Deriver.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_each_version() {
        assert_eq!(DERIVER.render(2), "matrix 2\n");
        assert_eq!(DERIVER.parse(DERIVER.render(37).as_bytes()), Ok(37));
        for bad in [
            "",
            "2\n",
            "matrix 2",
            "matrix 1\n",
            "matrix 02\n",
            "matrix +2\n",
            "matrix -2\n",
            "Matrix 2\n",
            "matrix 2\n\n",
        ] {
            assert!(DERIVER.parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(DERIVER.parse(b"matrix 99999999999\n").is_err() && DERIVER.parse(b"\xff").is_err());
    }
}
