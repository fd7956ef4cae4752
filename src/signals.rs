//! Signals: an interruption stops the run cleanly; a second one stops it at once. A command that runs nothing ends at
//! once, and leaves nothing behind. A signal that was ignored when the command began, as `nohup` has it, stays ignored.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use matrix_bundle::temporary;
use matrix_driver::Cancel;
use matrix_driver::ignored::is_ignored;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::low_level;

use crate::exit::{Exit, Failure};

const INTERRUPTIONS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Whether the command stops by itself when it is interrupted.
static LISTENING: AtomicBool = AtomicBool::new(false);

/// Makes interruptions ask `cancel` to stop.
///
/// The second interruption ends the process with exit code 130: nothing is lost but the cells in flight, because
/// nothing half-done counts. A file that grows beyond the allowed size becomes an error of the write.
pub(crate) fn listen(cancel: &Cancel) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(Exit::Internal, format!("listening for signals: {error}"));
    for signal in heard() {
        signal_hook::flag::register_conditional_shutdown(signal, Exit::Interrupted as i32, cancel.flag())
            .map_err(failed)?;
        if signal == SIGINT {
            signal_hook::flag::register(signal, cancel.flag_by_hand()).map_err(failed)?;
        }
        signal_hook::flag::register(signal, cancel.flag()).map_err(failed)?;
    }
    LISTENING.store(true, Ordering::SeqCst);
    if !is_ignored(SIGXFSZ) {
        let nobody_reads_it = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGXFSZ, nobody_reads_it).map_err(failed)?;
    }
    Ok(())
}

/// Makes an interruption of a command that does not [`listen`] remove temporary folders and end the process with exit
/// code 130. Where the system does not let it, an interruption ends the process all the same.
pub(crate) fn clean_up_when_interrupted() {
    let Ok((mut told, tell)) = UnixStream::pair() else { return };
    let cleaner = move || {
        while told.read_exact(&mut [0]).is_ok() {
            if !LISTENING.load(Ordering::SeqCst) {
                temporary::remove_all(|| low_level::exit(Exit::Interrupted as i32));
            }
        }
    };
    if std::thread::Builder::new().name("matrix-signals".to_owned()).spawn(cleaner).is_err() {
        return;
    }
    for signal in heard() {
        // An error leaves the signal as it was.
        let _ = tell.try_clone().and_then(|tell| low_level::pipe::register(signal, tell));
    }
}

/// Leaves interruptions to the command, which handles them by itself.
#[cfg(feature = "live")]
pub(crate) fn leave_to_command() {
    LISTENING.store(true, Ordering::SeqCst);
}

/// The interruptions that were not ignored when the process began.
fn heard() -> impl Iterator<Item = i32> {
    INTERRUPTIONS.into_iter().filter(|signal| !is_ignored(*signal))
}
