//! The functions' packages: given, installed beside this program, or built from the source that it was built from.

use std::path::{Path, PathBuf};

use matrix_package::{Packages, check_package, package};

use crate::exit::{Exit, Failure};
use crate::output;

/// What names a folder with `writer.zip` and `reader.zip`.
const VARIABLE: &str = "MATRIX_FUNCTIONS";

/// Where they are in what a release installs, from the folder of its `bin/`.
const INSTALLED: &str = "share/matrix/functions";

/// Finds the packages: in the folder that `MATRIX_FUNCTIONS` names, else where a release installs them beside this program,
/// else built by cargo, which does nothing where nothing has changed.
pub(super) fn packages() -> Result<Packages, Failure> {
    if let Some(folder) = std::env::var_os(VARIABLE) {
        return read(&PathBuf::from(folder), &format!("{VARIABLE} must name a folder with writer.zip and reader.zip"));
    }
    if let Some(folder) = installed()? {
        return read(&folder, "install the release again");
    }
    let workspace = source().ok_or_else(|| {
        Failure::usage(
            "the functions cannot be built: the source that this program was built from is not there any more",
            format!(
                "a release's wheel and archive have them in {INSTALLED}; {VARIABLE} may name a folder with writer.zip and \
                 reader.zip"
            ),
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

/// The folder of the packages beside this program, if they are there.
fn installed() -> Result<Option<PathBuf>, Failure> {
    let program = std::env::current_exe()?;
    let folder = program.parent().and_then(Path::parent).map(|root| root.join(INSTALLED));
    Ok(folder.filter(|folder| folder.is_dir()))
}

fn read(folder: &Path, advice: &str) -> Result<Packages, Failure> {
    let zip = |name: &str| -> Result<Vec<u8>, Failure> {
        let path = folder.join(name);
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
