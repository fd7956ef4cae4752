//! Files of all rows, whatever the workload.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use matrix_frame::Form;
use serde::Serialize;

use crate::cli::Format;
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// One file with rows.
#[derive(Serialize)]
struct RowFile {
    #[serde(serialize_with = "output::lossy::path")]
    file: PathBuf,
    rows: u64,
    /// Of how many cells they are.
    cells: usize,
}

#[derive(Serialize)]
struct ExportJson {
    files: Vec<RowFile>,
}

/// The files that an export of rows writes, and prints.
pub(crate) struct RowFiles<'a> {
    form: Form,
    path: &'a Path,
    format: Format,
    files: Vec<RowFile>,
}

impl<'a> RowFiles<'a> {
    /// Files of a form at a path, to be printed in this format.
    pub(crate) fn new(form: Form, path: &'a Path, format: Format) -> Self {
        Self { form, path, format, files: Vec::new() }
    }

    /// Writes a file whole or not at all: the rows of this many cells, or of one of several sources of them. `write` gives
    /// how many rows there are.
    pub(crate) fn write(
        &mut self,
        source: Option<&str>,
        cells: usize,
        write: impl FnOnce(Form, &Path, &mut BufWriter<&mut File>) -> Result<u64, Failure>,
    ) -> Result<(), Failure> {
        let path = source.map_or_else(|| self.path.to_owned(), |source| of_source(self.path, source));
        let mut target = output::new_file(&path)?;
        let mut out = BufWriter::new(target.as_file_mut());
        let rows = write(self.form, &path, &mut out)?;
        out.flush().map_err(|error| output::unwritable(&path, &error))?;
        drop(out);
        output::keep_file(target, &path)?;
        if self.format == Format::Table {
            output::line(format_args!("{}: {rows} rows of {cells} cells", output::path(&path)))?;
        }
        self.files.push(RowFile { file: path, rows, cells });
        Ok(())
    }

    /// Prints what was written, where that was not printed file by file.
    pub(crate) fn finish(self) -> CommandResult {
        if self.format == Format::Json {
            output::json(&ExportJson { files: self.files })?;
        }
        Ok(Exit::Ok)
    }
}

/// The file of one of several sources: its name before the end.
fn of_source(path: &Path, source: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{source}{ending}"))
}
