//! Which rules made the files of a bundle that are derived from its results: tables, figures, the README, `cells.csv` and
//! the metadata.
//!
//! A bundle names the version of these rules in `tables/deriver.txt`. Whoever reads it derives the files again; they have to
//! be the same, byte for byte, where the version is the reader's own. Where it is another, files that differ prove
//! nothing, and are reported as not verified.

use matrix_bundle::layout::BundlePath;

/// Version of the rules by which this program derives files from results. Raise it with the first release whose derived files
/// differ from those of the release before.
pub const DERIVER_VERSION: u32 = 4;

/// The version of bundles of format 1, which do not name it.
pub(crate) const UNNAMED: u32 = 1;

/// What stands before the version.
const NAME: &str = "matrix ";

/// The text of `tables/deriver.txt`.
pub(crate) fn render(version: u32) -> String {
    format!("{NAME}{version}\n")
}

/// Reads `tables/deriver.txt`, in the one form that it has.
pub(crate) fn parse(bytes: &[u8]) -> Result<u32, String> {
    let text = str::from_utf8(bytes).ok();
    let version = text.and_then(|text| text.strip_prefix(NAME)?.strip_suffix('\n')?.parse().ok());
    let version = version.filter(|version| *version > UNNAMED && render(*version).as_bytes() == bytes);
    version.ok_or_else(|| format!("it is not `{NAME}` and a whole number from {}", UNNAMED + 1))
}

/// What is said of a file of another deriver that differs from what this program derives.
#[must_use]
pub fn not_verified(theirs: u32) -> String {
    format!("NOT VERIFIED: derived by version {theirs}, and version {DERIVER_VERSION} derives another file")
}

/// Where a bundle names its deriver.
pub(crate) fn file() -> String {
    BundlePath::Deriver.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_each_version() {
        assert_eq!(render(2), "matrix 2\n");
        assert_eq!(parse(render(37).as_bytes()), Ok(37));
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
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse(b"matrix 99999999999\n").is_err() && parse(b"\xff").is_err());
    }
}
