//! What a binary without the drivers of real services answers.

use matrix_app::Row;
use matrix_driver::Driver;
use matrix_plan::Cell;
use matrix_run::Input;

use crate::exit::Failure;

/// See `driver::driver`.
pub(crate) fn driver(input: &Input, _: &[Cell]) -> Result<Box<dyn Driver<Cell, Row>>, Failure> {
    let platform = input.experiment.platform;
    Err(not_built_in(&format!("platform `{platform}` runs on real services")))
}

/// Says how to build in what is asked for.
pub(crate) fn not_built_in(what: &str) -> Failure {
    Failure::usage(
        format!("{what}, whose drivers this binary was built without"),
        "build it with them, in a checkout: cargo build --release --features live \
         (or run it as: cargo run --release --features live -- …)",
    )
}
