//! Names of what is made: they carry the run.

use std::fmt::Write as _;

use matrix_plan::Region;
use sha2::{Digest as _, Sha256};

use super::{DeploymentSpec, Services, Site};

/// Longest stem: with its longest suffix (`-posts-` and a region of 8) it is the name of a bucket, which has at most 63
/// characters.
const STEM_MAX: usize = 48;

/// The names of one deployment's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    stem: String,
    account: String,
}

impl Names {
    pub(crate) fn new(run: &str, spec: &DeploymentSpec, services: &Services) -> Self {
        let spec = spec.to_string();
        let room = STEM_MAX.saturating_sub("matrix--".len() + spec.len());
        let stem = fitted(&format!("matrix-{}-{spec}", fitted(&slug(run), room.max(HASH + 1))), STEM_MAX);
        Self { stem, account: account_tag(&services.site, &services.account) }
    }

    /// What all names begin with.
    pub(crate) fn stem(&self) -> &str {
        &self.stem
    }

    /// What tells the deployment's notifications from those of others that came the same way: the beginning of every
    /// attempt's nonce. It does not depend on the account.
    pub(crate) fn identity(&self) -> String {
        hex(&self.stem)[..HASH].to_owned()
    }

    pub(crate) fn writer(&self) -> String {
        format!("{}-writer", self.stem)
    }

    pub(crate) fn reader(&self) -> String {
        format!("{}-reader", self.stem)
    }

    pub(crate) fn queue(&self) -> String {
        format!("{}-evaluations", self.stem)
    }

    /// Topic, table or queue of notifications.
    pub(crate) fn notifications(&self) -> String {
        format!("{}-notifications", self.stem)
    }

    pub(crate) fn posts(&self) -> String {
        format!("{}-posts", self.stem)
    }

    /// A region's bucket of posts. Names of buckets are everybody's: on AWS they carry the account.
    pub(crate) fn bucket(&self, region: &Region) -> String {
        fitted(&format!("{}-posts-{region}{}", self.stem, self.account), 63)
    }

    /// A table of MySQL, where names have at most 64 characters.
    pub(crate) fn table(&self, of: &str) -> String {
        format!("{}_{of}", self.stem.replace('-', "_"))
    }
}

/// What the keys of a run's code begin with, in a bucket that is given.
pub(crate) fn code_prefix(run: &str) -> String {
    format!("matrix-{}/", fitted(&slug(run), 20))
}

/// The bucket of the functions' code in a region, by its AWS name.
pub(crate) fn code_bucket(run: &str, region: &str, site: &Site, account: &str) -> String {
    fitted(&format!("matrix-{}-code-{region}{}", fitted(&slug(run), 20), account_tag(site, account)), 63)
}

fn account_tag(site: &Site, account: &str) -> String {
    match site {
        Site::Aws => format!("-{}", &hex(account)[..HASH]),
        Site::Emulator(_) => String::new(),
    }
}

/// Digits of a digest that keep shortened names apart.
const HASH: usize = 6;

/// Lower-case letters, digits and single hyphens. Names that differ only in what is left out get different digests.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_matches('-');
    if slug == name { slug.to_owned() } else { format!("{slug}-{}", &hex(name)[..HASH]).trim_matches('-').to_owned() }
}

/// The name, shortened to `most` characters by a digest of the whole.
fn fitted(name: &str, most: usize) -> String {
    if name.len() <= most {
        return name.to_owned();
    }
    let kept = name[..most.saturating_sub(HASH + 1)].trim_end_matches('-');
    format!("{kept}-{}", &hex(name)[..HASH]).trim_matches('-').to_owned()
}

/// The SHA-256 of a text or file, in hexadecimal digits.
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes.as_ref()).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_length_and_stay_apart() {
        assert_eq!(slug("quick"), "quick");
        assert_eq!(slug("Quick Run"), format!("quick-run-{}", &hex("Quick Run")[..6]));
        assert_ne!(slug("quick run"), slug("quick-run"));
        let long = "a".repeat(100);
        assert_eq!(fitted(&long, 20).len(), 20);
        assert_ne!(fitted(&long, 20), fitted(&"a".repeat(101), 20));
        assert_eq!(fitted("short", 20), "short");
        assert_eq!(slug("—").len(), 6);
    }
}
