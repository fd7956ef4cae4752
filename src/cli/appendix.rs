//! `matrix appendix`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use matrix_core::read::Reading;
use matrix_derived::appendix::of_results;
use matrix_report::appendix::{Appendix, ProseError};
use matrix_run::{Input, Overrides, results};

use super::ReadArgs;
use crate::exit::{CommandResult, Exit, Failure};
use crate::{output, program};

/// Write the artifact appendix that conferences ask for: claims, experiments, times, hardware, what to expect
///
/// The form is that of the EuroSys template. Claims and experiments come from the files, times and numbers from the results, as
/// far as there are any. The author's own text comes from `[artifact]` and from appendix.d/*.md beside the first file
/// (abstract, access, hardware, software, benchmarks, warnings, installation, customisation, notes, or a matrix's name), so
/// that it stays when the appendix is written again.
#[derive(Debug, Args)]
pub(crate) struct AppendixArgs {
    /// The experiments
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum, default_value_t = AppendixFormat::Latex)]
    format: AppendixFormat,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
}

/// Formats of an appendix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AppendixFormat {
    /// A section to be included.
    Latex,
    /// Text with marks.
    Markdown,
}

pub(crate) fn appendix(args: AppendixArgs) -> CommandResult {
    let store = results::open_if_present(&args.read.results.results, args.read.size.limits())?;
    let mut appendix = Appendix::default();
    for file in &args.files {
        let shown = output::word(super::report::shown_place(file, false));
        let of_file = match program::text_of(file, &Overrides::default())? {
            Some(text) => {
                let input = matrix_command::run::Input::from_file(file, text, None, Reading::Given)?;
                matrix_command_derived::appendix::of_results(&input, store.as_deref(), &shown)?
            }
            None => {
                let input = Input::from_file(file, &Overrides::default())?;
                of_results(&input, store.as_deref(), &shown, &output::Terminal)?
            }
        };
        appendix.extend(of_file);
    }
    let names: Vec<String> = appendix.experiments.iter().map(|experiment| experiment.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for folder in folders(&args.files) {
        appendix.prose.read(&folder, &names)?;
    }
    let text = match args.format {
        AppendixFormat::Latex => appendix.latex(),
        AppendixFormat::Markdown => appendix.markdown(),
    };
    match &args.out {
        Some(out) => {
            output::write_file(out, text.as_bytes())?;
            output::line(out.display())?;
        }
        None => output::bytes(text.as_bytes())?,
    }
    Ok(Exit::Ok)
}

/// The folders of some files, each once.
fn folders(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for file in files {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folders.iter().any(|known| known == folder) {
            folders.push(folder.to_owned());
        }
    }
    folders
}

impl From<ProseError> for Failure {
    fn from(error: ProseError) -> Self {
        match error.help() {
            Some(help) => Self::usage(error.to_string(), help),
            None => Self::new(Exit::Usage, error.to_string()),
        }
    }
}
