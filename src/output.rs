//! Printing: results to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(crate) use matrix_report::table;
use matrix_run::Observer;
pub(crate) use matrix_run::wording::{RESULTS, interval, resume, word};
use miette::Report;
use tempfile::NamedTempFile;

use crate::exit::{Exit, Failure};

/// The terminal, for what the library remarks.
pub(crate) struct Terminal;

impl Observer for Terminal {
    fn note(&self, text: std::fmt::Arguments<'_>) {
        note(text);
    }
}

/// Prints a text and a line end to standard output. A reader that has gone away ends the command quietly.
pub(crate) fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    done(writeln!(io::stdout().lock(), "{text}"))
}

/// Prints bytes to standard output as they are.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    done(io::stdout().lock().write_all(bytes))
}

fn done(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure { exit: Exit::Ok, reports: Vec::new() }),
        Err(error) => Err(error.into()),
    }
}

/// Prints a value as indented JSON.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    line(text)
}

/// Says something to the person, beside the output proper. A closed standard error is no reason to stop.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Makes diagnostics plain where they are not read on a terminal.
pub(crate) fn set_up_diagnostics() {
    let terminal = io::stderr().is_terminal();
    // A second call fails; there is none.
    let _ = miette::set_hook(Box::new(move |_| {
        let options = miette::MietteHandlerOpts::new().terminal_links(false).width(100);
        Box::new(if terminal { options } else { options.color(false).unicode(false) }.build())
    }));
}

/// Prints a diagnostic to standard error.
pub(crate) fn complain(report: &Report) {
    let _ = write!(io::stderr().lock(), "{report:?}");
}

/// Writes a file whole or not at all; one that has these bytes already is left alone. Whether it was written.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let mut file = new_file(path)?;
    file.write_all(bytes).map_err(|error| unwritable(path, &error))?;
    keep_file(file, path)?;
    Ok(true)
}

/// As [`write_file`], for this user alone to read: what was written is, whoever could read it before.
#[cfg(feature = "live")]
pub(crate) fn write_private_file(path: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    let private = || std::fs::Permissions::from_mode(0o600);
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        std::fs::set_permissions(path, private()).map_err(|error| unwritable(path, &error))?;
        return Ok(false);
    }
    let mut file = new_file(path)?;
    file.as_file().set_permissions(private()).map_err(|error| unwritable(path, &error))?;
    file.write_all(bytes).map_err(|error| unwritable(path, &error))?;
    keep_file(file, path)?;
    Ok(true)
}

/// Makes sure that a new file can be made at `path`, before there is anything to write.
#[cfg(feature = "live")]
pub(crate) fn check_folder(path: &Path) -> Result<(), Failure> {
    new_file(path).map(drop)
}

/// Where a file that is named `path` is: a link is followed. What is no file is refused, as it would be replaced.
pub(crate) fn place_of(path: &Path) -> Result<PathBuf, Failure> {
    // What the system follows a link to need not have a name: /dev/stdout leads to an open pipe.
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(Failure::usage(
            format!("{} is there already, and is no file", path.display()),
            "name a new file: it is written whole or not at all, which a folder, a pipe or a device cannot be",
        )),
        Ok(_) => path.canonicalize().map_err(|error| unwritable(path, &error)),
        // A new one, or the system says what is wrong when it is made.
        Err(_) => Ok(where_it_leads(path)),
    }
}

/// Where a link to nothing leads, so that the file is made there and the link stays.
fn where_it_leads(path: &Path) -> PathBuf {
    let mut place = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(target) = std::fs::read_link(&place) else { break };
        place = place.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
    }
    place
}

/// Most links one after the other that are followed, as many as Linux does.
const LINKS_MAX: usize = 40;

/// A new file beside `path`, to be given its name when it is whole.
pub(crate) fn new_file(path: &Path) -> Result<NamedTempFile, Failure> {
    let place = place_of(path)?;
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    let file = builder.permissions(PermissionsExt::from_mode(0o644)).tempfile_in(folder);
    let file = file.map_err(|error| unwritable(path, &error))?;
    matrix_bundle::temporary::list_file(file.path());
    Ok(file)
}

/// Gives a whole file its name.
pub(crate) fn keep_file(file: NamedTempFile, path: &Path) -> Result<(), Failure> {
    file.persist(place_of(path)?).map_err(|error| unwritable(path, &error.error))?;
    Ok(())
}

/// A file that could not be written, nothing of which is left.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    if matrix_store::is_full(error) {
        let mend = "make room there and repeat the command: nothing half-written is left";
        return Failure::usage(format!("no space left writing {}", path.display()), mend);
    }
    Failure::new(Exit::Usage, format!("{}: {error}", path.display()))
}
