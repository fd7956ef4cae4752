//! The functions' packages: given, or built from the source that this program was built from.

use std::path::{Path, PathBuf};

use matrix_package::{Packages, check_package, package};

use crate::exit::{Exit, Failure};
use crate::output;

/// What names a folder with `writer.zip` and `reader.zip`.
const VARIABLE: &str = "MATRIX_FUNCTIONS";

/// Finds the packages: in the folder that `MATRIX_FUNCTIONS` names, else built by cargo, which does nothing where
/// nothing has changed.
pub(super) fn packages() -> Result<Packages, Failure> {
    if let Some(folder) = std::env::var_os(VARIABLE) {
        return read(&PathBuf::from(folder));
    }
    let workspace = source().ok_or_else(|| {
        Failure::usage(
            "the functions cannot be built: the source that this program was built from is not there any more",
            format!("set {VARIABLE} to a folder with their packages, writer.zip and reader.zip"),
        )
    })?;
    output::note("building the functions, unless they are there: the first time takes some minutes");
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    package(&workspace, target.as_deref()).map_err(|error| {
        Failure::with_help(
            Exit::Internal,
            format!("the functions' packages: {error}"),
            format!("cargo's messages are above; {VARIABLE} can name a folder with packages built elsewhere"),
        )
    })
}

/// The source that this program was built from. Where cargo runs it cargo says where that is, and knows better: clones that
/// share a target directory share what was compiled, with the path of one of them.
fn source() -> Option<PathBuf> {
    let told = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let compiled = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    told.into_iter().chain([compiled]).find(|folder| folder.join("lambdas/Cargo.toml").is_file())
}

fn read(folder: &Path) -> Result<Packages, Failure> {
    let zip = |name: &str| -> Result<Vec<u8>, Failure> {
        let path = folder.join(name);
        let advice = format!("{VARIABLE} must name a folder with writer.zip and reader.zip");
        let package =
            std::fs::read(&path).map_err(|error| Failure::usage(format!("{}: {error}", path.display()), advice))?;
        check_package(&package).map_err(|error| {
            let advice =
                "it must be an archive with the function's executable, `bootstrap`, for provided.al2023 on x86_64";
            Failure::usage(format!("{}: {error}", path.display()), advice)
        })?;
        Ok(package)
    };
    Ok(Packages { writer: zip("writer.zip")?, reader: zip("reader.zip")? })
}
