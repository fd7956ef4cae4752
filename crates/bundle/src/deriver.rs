//! Which version of the rules made the files of a bundle that are derived from its results.

/// Rules by which files are derived from results. A bundle names their version in `tables/deriver.txt`; whoever reads it derives the
/// files again, and they have to be the same where the version is the reader's own.
#[derive(Clone, Copy, Debug)]
pub struct Deriver {
    /// What stands before the version, with a space at its end.
    pub name: &'static str,
    /// The first version that bundles name.
    pub first: u32,
    /// This program's version.
    pub version: u32,
}

impl Deriver {
    /// The text of `tables/deriver.txt`.
    #[must_use]
    pub fn render(&self, version: u32) -> String {
        format!("{}{version}\n", self.name)
    }

    /// Reads `tables/deriver.txt`, in the one form that it has.
    ///
    /// # Errors
    /// In words, when it has another one.
    pub fn parse(&self, bytes: &[u8]) -> Result<u32, String> {
        let text = str::from_utf8(bytes).ok();
        let version = text.and_then(|text| text.strip_prefix(self.name)?.strip_suffix('\n')?.parse().ok());
        let version = version.filter(|version| *version >= self.first && self.render(*version).as_bytes() == bytes);
        version.ok_or_else(|| format!("it is not `{}` and a whole number from {}", self.name, self.first))
    }

    /// What is said of a file of another version that differs from what this program derives.
    #[must_use]
    pub fn not_verified(&self, theirs: u32) -> String {
        format!("NOT VERIFIED: derived by version {theirs}, and version {} derives another file", self.version)
    }
}
