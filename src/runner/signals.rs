//! Signals: an interruption stops the run cleanly; a second one stops it at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use matrix_driver::Cancel;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use crate::exit::{Exit, Failure};

/// Makes interruptions ask `cancel` to stop.
///
/// The second interruption ends the process with exit code 130: nothing is lost but the cells in flight, because
/// nothing half-done counts. A file that grows beyond the allowed size becomes an error of the write.
pub(crate) fn listen(cancel: &Cancel) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Internal, format!("listening for signals: {error}"));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, Exit::Interrupted as i32, cancel.flag())
            .map_err(failed)?;
        signal_hook::flag::register(signal, cancel.flag()).map_err(failed)?;
    }
    let nobody_reads_it = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGXFSZ, nobody_reads_it).map_err(failed)?;
    Ok(())
}
