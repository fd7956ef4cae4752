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

pub mod create;
pub mod deriver;
pub mod error;
pub mod extract;
pub mod extras;
pub mod generic;
pub mod info;
pub mod inventory;
pub mod limits;
pub mod looks;
pub mod merge;
pub mod parse;
pub mod reader;
pub mod restore;
pub mod sign;
pub mod temporary;
pub mod unpacked;
pub mod verify;

mod bag;
mod cells;
mod check;
mod compress;
mod contents;
mod decompress;
mod difference;
mod json;
mod metadata;
mod new_directory;
mod path;
mod place;
mod rows;
mod signature_error;
mod signer;
mod tar;

#[cfg(test)]
mod tests;

pub use create::{AGENT, CreateOptions, create, create_file};
pub use deriver::DERIVER_VERSION;
pub use difference::difference;
pub use error::{BundleError, Conflict, ErrorKind, Refusal};
pub use extract::extract;
pub use extras::Extras;
pub use generic::{
    GenericExtras, GenericOptions, GenericRestored, create_generic, extract_generic, is_generic_bundle,
    restore_generic, unite_generic,
};
pub use info::BundleInfo;
pub use inventory::{Inventory, Selection, Tree, tree_digest};
pub use limits::Limits;
pub use looks::Looks;
pub use merge::{MergeOptions, merge};
pub use reader::{BundleReader, Entry, looks_like_bundle};
pub use restore::{Restored, to_store};
pub use sign::{SIGNATURE_NAMESPACE, sign, verify_signature};
pub use signature_error::{KeyError, LineError, SignatureError};
pub use signer::Signer;
pub use unpacked::{Unpacked, is_unpacked};
pub use verify::{Report, VerifyOptions, verify, verify_input, verify_to_store};
