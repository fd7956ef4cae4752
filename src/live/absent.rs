//! What a binary without the drivers of real services answers.

use matrix_driver::Driver;
use matrix_plan::Cell;

use crate::cli::aws::AwsArgs;
use crate::cli::live::LiveArgs;
use crate::cli::testbed::TestbedArgs;
use crate::exit::{Failure, Outcome};
use crate::input::Input;

/// See `driver::driver`.
pub(crate) fn driver(input: &Input, _: &[Cell]) -> Result<Box<dyn Driver>, Failure> {
    let platform = input.experiment.platform;
    Err(not_built_in(&format!("platform `{platform}` runs on real services")))
}

/// See `testbed::testbed`.
pub(crate) fn testbed(_: TestbedArgs) -> Outcome {
    Err(not_built_in("`matrix testbed` handles real services"))
}

/// See `phases::phase`.
pub(crate) fn phase(_: LiveArgs) -> Outcome {
    Err(not_built_in("`matrix live` handles real services"))
}

/// See `aws::aws`.
pub(crate) fn aws(_: AwsArgs) -> Outcome {
    Err(not_built_in("`matrix aws` handles real services"))
}

fn not_built_in(what: &str) -> Failure {
    Failure::usage(
        format!("{what}, whose drivers this binary was built without"),
        "build it with them, in a checkout: cargo build --release --features live \
         (or run it as: cargo run --release --features live -- …)",
    )
}
