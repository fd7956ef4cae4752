//! Asking the person.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::exit::Failure;

/// Asks whether to go on; `yes` answers for the person. Where nobody can be asked, that is an error.
pub(crate) fn go_on(question: &str, yes: bool) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            format!("{question} Nobody can be asked: standard input is no terminal"),
            "read what is printed above, and add --yes to go on without being asked",
        ));
    }
    write!(io::stderr().lock(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
