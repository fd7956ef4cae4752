//! Flags about money.

use std::path::PathBuf;

use clap::Args;
use matrix_run::costs::Budget;

/// Which prices estimates are made with.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PricesArgs {
    /// Estimate what cells on AWS cost with the prices of this file, not with those that come with the program
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
}

/// How much may be spent.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BudgetArgs {
    /// Refuse to run when the cells are estimated to cost more than this on AWS, in US dollars
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub(crate) max_cost: Option<f64>,
    #[command(flatten)]
    pub(crate) prices: PricesArgs,
}

impl From<BudgetArgs> for Budget {
    fn from(args: BudgetArgs) -> Self {
        Self { max_cost: args.max_cost, prices: args.prices.prices }
    }
}

/// An amount of dollars: a number that is not negative.
fn dollars(text: &str) -> Result<f64, String> {
    let amount = text.strip_prefix('$').unwrap_or(text).parse().ok();
    amount
        .filter(|amount: &f64| amount.is_finite() && *amount >= 0.0)
        .ok_or_else(|| "write dollars, as in 12.50".to_owned())
}
