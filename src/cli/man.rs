//! `matrix man`.

use std::path::PathBuf;

use clap::Args;

use crate::exit::{CommandResult, Exit};
use crate::output;

/// Print the manual page, or write one page per command
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write one page per command into this folder
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn man(args: ManArgs) -> CommandResult {
    let command = super::definition();
    match args.out {
        Some(folder) => {
            output::make_folder(&folder)?;
            clap_mangen::generate_to(command, &folder).map_err(|error| output::unwritable(&folder, &error))?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            output::line(String::from_utf8_lossy(&page).trim_end())?;
        }
    }
    Ok(Exit::Ok)
}
