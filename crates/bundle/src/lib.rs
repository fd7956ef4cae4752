//! Result bundles: a store as one file that anyone can verify, re-derive and extend.
//!
//! A bundle is a deterministic `.tar.zst` with one BagIt bag (RFC 8493) whose payload is an RO-Crate 1.1 with the Process
//! Run Crate 0.5 profile. The same results give the same bytes, so a bundle's SHA-256 names them.
//!
//! - The bag's folder is `<experiment>-bundle/`, or `matrix-bundle/` when there is not exactly one experiment: RFC 8493
//!   wants one folder at the top. First come `bagit.txt`, `bag-info.txt`, `manifest-sha256.txt` and
//!   `tagmanifest-sha256.txt`, so that a reader knows what to expect; then the payload, in order of its paths. There are
//!   only plain files, with headers that leave nothing to choose, so that every bit of the stream counts.
//! - Objects are uncompressed inside: the stream is compressed once, and `sha256sum -c` checks their names too.
//! - Reading trusts nothing: see [`reader`].
//!
//! What the payload holds is the workload's matter. Bundles of format 3 are of any program, see [`generic`]; another workload
//! brings its own files, and puts them into a [`Container`](container::Container).

pub mod bag;
pub mod binary;
pub mod check;
pub mod compress;
pub mod container;
pub mod error;
pub mod extraction;
pub mod extras;
pub mod folder;
pub mod generic;
pub mod info;
pub mod item;
pub mod json;
pub mod layout;
pub mod limits;
pub mod looks;
pub mod new_directory;
pub mod new_file;
pub mod packed;
pub mod path;
pub mod reader;
pub mod restore;
pub mod sign;
pub mod tar;
pub mod temporary;
pub mod tree;
pub mod unpacked;

mod ahead;
mod beginning;
mod decompress;
mod deriver;
mod difference;
mod files;
mod findings;
mod runs;
mod signature_error;
mod signer;

#[cfg(test)]
mod tests;

pub use bag::{AGENT, AGENT_FIELD};
pub use binary::{Binary, about_binary};
pub use deriver::Deriver;
pub use difference::difference;
pub use error::{BundleError, Conflict, ErrorKind, Refusal};
pub use extraction::Extraction;
pub use extras::Extras;
pub use files::Files;
pub use findings::Findings;
pub use generic::{
    GenericOptions, GenericRestored, check_generic, create_generic, extract_generic, is_generic_bundle,
    restore_generic, unite_generic,
};
pub use info::BundleInfo;
pub use limits::Limits;
pub use looks::Looks;
pub use packed::{Packed, digest_of};
pub use reader::{BundleReader, Entry};
pub use runs::packed_journal;
pub use sign::{sign, verify_signature};
pub use signature_error::{KeyError, LineError, SIGNATURE_NAMESPACE, SignatureError};
pub use signer::Signer;
pub use tree::{Tree, tree_digest};
pub use unpacked::{Unpacked, is_unpacked};
