//! Packages of the functions: `bootstrap` zips for `provided.al2023` on x86_64.

mod build;
mod elf;
mod error;
mod zip;

pub use crate::zip::{bootstrap_zip, check_package};
pub use build::{Binaries, Packages, build, package};
pub use elf::{GLIBC_OF_AL2023, Glibc, check_binary};
pub use error::PackageError;
